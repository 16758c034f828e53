"""Fills what a photo does not show, from given samples and nothing else.

What lies behind a silhouette is told apart into what can be guessed and what cannot. Broad colour continues smoothly from
the samples around (push-pull: on the average nothing predicts the truth better). Where the surroundings tell that a
structure goes on (stripes, edges, bricks), it is continued with what follows it elsewhere (fill_patches.py). Fine texture
and grain cannot be predicted but must be there, or the place looks smeared: they are copied from the photo at its full
resolution, and as much of the coarser texture with them as gives the place the strength of its surroundings.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import read_file, shown
from .fill_patches import Grid, Matches, find_matches, nearest_set
from .networks.onnx_graph import LARGEST_FILE, read_graph
from .texture import linear_to_srgb, srgb_to_linear

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
"""Flat indices of pixels."""
Progress = Callable[[float], None]

TEXTURE = 0.1
"""Gradient energy that copied texture gives a filled place, as a share of its surroundings', unless set. More is farther from the truth, which
nobody knows: 0.6 costs 0.4 dB in the holes of Cones, and shows as copies in wide ones. Grain comes in any case."""
_MOST_GRAIN = 0.6  # of the surroundings' gradient energy
_FLAT = 0.1  # share of the surroundings that are taken to show grain and nothing else
_NEAR = 9  # pixels in a row over which gradients are averaged to find these
_OCTAVES = (0.5, 1.0, 2.0)  # cells: what is finer than the first is always copied, what is coarser than the last never
_SURE = 4.0  # cells from the rim at which a continued structure is trusted half
_FEATHER = 2.0  # copies of neighbouring cells blend over half a cell
_LEAST_RING = 4.0  # cells: how far around a hole its surroundings reach, at least
_NETWORK_SIDE = 512
_PATIENCE = 8.0  # how soon push-pull trusts few samples near by over many far away
_ROWS = 200  # in which gradients are looked at, at least, if there are so many
_NOWHERE = -(2**30)  # a shift to outside of any picture
_AT_ONCE = 100_000  # pixels that are copied at a time, which stays within the processor's cache
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def fill(
    colour: NDArray[Any],
    source: Mask,
    domain: Mask,
    *,
    method: str = "patch",
    texture: float = TEXTURE,
    seed: int = 0,
    least_cell: int = 1,
    progress: Progress | None = None,
) -> NDArray[Any]:
    """Fill `domain` from the pixels in `source`.

    colour: H×W×3, uint8 sRGB or float32 linear light (filled in [0, 1]). source, domain: bool H×W, disjoint. Pixels in
    neither are never read. method: "patch" for continued structure and copied texture, "smooth" for broad colour alone. texture: the gradient
    energy of the former, as a share of the surroundings'. least_cell: pixels along the side of what is looked for, at least where the source is wide enough.
    The same seed gives the same result. progress: called with 0..1; may raise to cancel. Returns a copy of the same dtype.
    Raises ValueError if there is nothing to fill from, if source and domain overlap, or for another method.
    """
    if method not in ("patch", "smooth"):
        raise ValueError(f"no such method: {method}")
    if not source.any():
        raise ValueError("there is no pixel to fill from")
    if (source & domain).any():
        raise ValueError("a pixel cannot be both filled and filled from")
    report = progress or (lambda share: None)
    out = colour.copy(order="C")
    if not domain.any():
        return out
    encoded = _encoded(colour)
    known = _weighted(encoded, source)
    smooth = _pull(known)
    report(0.2)
    matches = None
    if method == "patch":
        matches = find_matches(known, smooth, domain, seed=seed, least_cell=least_cell, progress=lambda share: report(0.2 + 0.6 * share))
    holes = np.flatnonzero(domain)
    filled = smooth.reshape(3, -1).take(holes, 1)
    if matches is not None:
        filled += _texture(encoded, known, source, domain, holes, smooth, matches, texture)
    out.reshape(-1, 3)[holes] = _decoded(filled, out.dtype).T
    report(1.0)
    return out


def _encoded(colour: NDArray[Any]) -> NDArray[Any]:
    """Colours as sRGB in 0..255, in which differences are about as visible everywhere; uint8, or float32 where they were float."""
    return colour if colour.dtype == np.uint8 else 255 * linear_to_srgb(colour)


def _decoded(values: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return srgb_to_linear(np.clip(values / 255, 0, 1)).astype(dtype)


def push_pull(values: NDArray[Any], source: Mask) -> Floats:
    """Smooth colours everywhere, from the pixels in `source` alone: float32 H×W×C, exact in the source.

    Averages over coarser and coarser neighbourhoods, each as far as it has samples (Gortler et al. 1996, The Lumigraph).
    """
    return np.moveaxis(_pull(_weighted(values, source)), 0, 2)


def _weighted(values: NDArray[Any], source: Mask) -> Floats:
    """H×W×C values as planes, 0 outside the source, and the source itself as the last: float32 (C+1)×H×W.

    Planes, because numpy is slow where rows of three numbers meet rows of one.
    """
    cv2, mask = cv(), source.astype(np.uint8)
    out = np.empty((values.shape[2] + 1, *source.shape), np.float32)
    # Not a product: what is outside the source may be infinite.
    shown = cv2.copyTo(np.ascontiguousarray(values), mask).reshape(values.shape)
    for i in range(values.shape[2]):
        out[i] = shown[..., i] if values.shape[2] == 1 else cv2.extractChannel(shown, i)
    out[-1] = source
    return out


def _pull(weighted: Floats) -> Floats:
    """From colours times their weights, and the weights, (C+1)×h×w, to colours C×h×w."""
    cv2 = cv()
    channels, (h, w) = len(weighted) - 1, weighted.shape[1:]
    weight = weighted[-1]
    if min(h, w) <= 2:
        mean = weighted[:-1].sum((1, 2)) / max(float(weight.sum()), 1e-9)
        return np.broadcast_to(mean[:, None, None], (channels, h, w)).copy()
    down = np.empty((channels + 1, (h + 1) // 2, (w + 1) // 2), np.float32)
    for fine, coarse in zip(weighted, down):
        cv2.pyrDown(fine, coarse)
    down *= np.minimum(1, down[-1] * _PATIENCE) / np.maximum(down[-1], 1e-9)
    up = np.empty((channels, h, w), np.float32)
    for coarse, fine in zip(_pull(down), up):
        cv2.pyrUp(coarse, fine, (w, h))
    up *= 1 - weight
    up += weighted[:-1]
    return up


# Texture and structure -------------------------------------------------------------------------------------------------


def _texture(
    encoded: NDArray[Any], known: Floats, source: Mask, domain: Mask, holes: Places, smooth: Floats, matches: Matches, wanted: float
) -> Floats:
    """What structure and copied texture add to broad colour: float32 3×n for the pixels of the domain, row by row.

    A pixel is smooth + up(structure − strength · broad) + strength · copied, where `structure` is what the samples' mean
    tells beyond smooth colour, as far as it is trusted, `broad` is the samples' own broad colour, which is not wanted, and
    up() brings cells to pixels, so that only the copies are made at full size.
    """
    structure, broad = _structure(matches), _broad_colours(matches)
    copied = _copies(encoded, source, holes, matches)
    sight, grid = _Sight.of(source, domain, matches), matches.grid
    octave, share, strength = 0, 1.0, 1.0
    if sight.hole.any():
        around, grain = sight.energies_around(sight.luma(known))
        luma = sight.luma(smooth)
        least = sight.energy(luma + sight.luma_of_cells(structure, grid), sight.hole)
        finest = np.zeros(source.shape, np.float32)
        finest.ravel()[holes] = _luma(copied)
        luma += finest[sight.rows]
        energies = [sight.energy(luma + sight.luma_of_cells(structure - b, grid), sight.hole) for b in broad]
        octave, share, strength = _mixture(least, energies, wanted * around, min(grain, _MOST_GRAIN * around))
    finer = broad[max(octave - 1, 0)]
    cells = structure - np.float32(strength) * (finer + np.float32(share) * (broad[octave] - finer))
    copied *= np.float32(strength)
    for plane, values in zip(copied, np.moveaxis(cells, 2, 0)):
        plane += _to_pixels(values, grid, source.shape).ravel().take(holes)
    return copied


def _mixture(least: float, energies: list[float], wanted: float, grain: float) -> tuple[int, float, float]:
    """Up to which octave of texture to copy, how much of that octave, and how strong it all is.

    least: gradient energy without texture; energies: with more and more octaves; wanted: what is asked; grain: what the finest has
    in any case. As fine as does: every coarser octave is farther from the truth that nobody knows.
    """
    if energies[0] >= max(wanted, grain):  # the finest texture alone is too much
        return 0, 1.0, max(0.0, (max(wanted, grain) - least) / max(energies[0] - least, 1e-6)) ** 0.5
    for octave in range(1, len(energies)):
        if wanted <= energies[octave - 1]:
            return octave - 1, 1.0, 1.0
        if energies[octave] >= wanted:
            return octave, (wanted - energies[octave - 1]) / (energies[octave] - energies[octave - 1]), 1.0
    return len(energies) - 1, 1.0, 1.0


def _structure(matches: Matches) -> Floats:
    """What the samples' mean tells beyond smooth colour, on the grid of the matches: float32 h×w×3."""
    grid = matches.grid
    image, smooth = grid.image.reshape(-1, 3), grid.smooth.reshape(-1, 3)
    mean = np.einsum("nkc,nk->nc", image[matches.samples], matches.weights)
    structure = np.zeros_like(image)
    depth = nearest_set(grid.known)[0].ravel()[matches.cells]
    trust = matches.trust / (1 + (depth / np.float32(_SURE)) ** 2)
    structure[matches.cells] = trust[:, None] * (mean - smooth[matches.cells])
    # At the rim smooth colour is right; where there is neither hole nor source, what is in the hole goes on.
    return np.where(grid.known[..., None], np.float32(0), structure[nearest_set(grid.wanted)[1]])


def _broad_colours(matches: Matches) -> list[Floats]:
    """What is broader than an octave at the samples, for each octave, on the grid of the matches: float32 h×w×3."""
    cv2, grid = cv(), matches.grid
    best = np.zeros(grid.known.size, np.intp)
    best[matches.cells] = matches.samples[:, 0]
    best = best[nearest_set(grid.wanted)[1]]
    weight = grid.known.astype(np.float32)
    broad = []
    for sigma in sorted({max(octave, 1 / grid.step) for octave in _OCTAVES}):  # in cells; no blur is finer than a pixel
        share = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
        blurred = cv2.GaussianBlur(grid.image, (0, 0), sigma) / np.maximum(share, 1e-6)
        broad.append(blurred.reshape(-1, 3)[best])
    return broad


def _copies(encoded: NDArray[Any], source: Mask, holes: Places, matches: Matches) -> Floats:
    """The pixels that the shifts point at, blended where neighbouring cells have different ones: float32 3×n."""
    cv2, grid = cv(), matches.grid
    h, w = source.shape
    rows, columns = grid.known.shape
    # Around the picture lies a margin without source as wide as a cell, farther than which no cell's shift takes its neighbours' pixels.
    step, wide = grid.step, w + 2 * grid.step
    shift = np.full(rows * columns, _NOWHERE, np.int32)
    (to_y, to_x), (own_y, own_x) = np.divmod(matches.samples[:, 0], columns), np.divmod(matches.cells, columns)
    shift[matches.cells] = ((to_y - own_y) * wide + to_x - own_x) * step
    unlike = _unlike_neighbours(shift.reshape(rows, columns), grid.wanted).ravel()
    # Four values to a pixel, as one number of their size, are looked up far faster than three; the last tells what is source.
    rgba = cv2.copyTo(cv2.cvtColor(np.ascontiguousarray(encoded), cv2.COLOR_RGB2RGBA), source.astype(np.uint8))
    rgba = cv2.copyMakeBorder(rgba, step, step, step, step, cv2.BORDER_CONSTANT, value=0)
    pixels = rgba.view(np.uint32 if rgba.dtype == np.uint8 else np.complex128).ravel()

    def at(places: NDArray[np.int32]) -> NDArray[Any]:
        """4×n values."""
        return pixels.take(places, mode="clip").view(rgba.dtype).reshape(-1, 4).T

    corners_y, corners_x = _corners(h, rows, step), _corners(w, columns, step)
    out = np.empty((3, len(holes)), np.float32)
    for start in range(0, len(holes), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        ys = holes[part].astype(np.int32) // np.int32(w)
        xs = holes[part].astype(np.int32) - ys * np.int32(w)
        places = (ys + step) * wide + xs + step
        # A pixel's own cell points at nothing but source.
        own = (ys // step) * columns + xs // step
        out[:, part] = at(places + shift.take(own))[:3]
        mixed = np.flatnonzero(unlike.take(own))
        ys, xs, places = ys[mixed], xs[mixed], places[mixed]
        blend, total = np.zeros((3, len(mixed)), np.float32), np.zeros(len(mixed), np.float32)
        for cell_y, share_y in corners_y:
            cells_y, shares_y = cell_y.take(ys) * columns, share_y.take(ys)
            for cell_x, share_x in corners_x:
                found = at(places + shift.take(cells_y + cell_x.take(xs)))
                share = shares_y * share_x.take(xs) * (found[3] > 0)
                for channel in range(3):
                    blend[channel] += share * found[channel]
                total += share
        out[:, start + mixed] = blend / total
    return out


def _unlike_neighbours(shift: NDArray[np.int32], wanted: Mask) -> Mask:
    """The cells that do not share their shift with all wanted neighbours."""
    cv2 = cv()
    values, around = shift.astype(np.float32), np.ones((3, 3), np.uint8)
    high = cv2.dilate(np.where(wanted, values, np.float32(-np.inf)), around)
    low = cv2.erode(np.where(wanted, values, np.float32(np.inf)), around)
    return high != low


def _corners(length: int, count: int, step: int) -> tuple[tuple[NDArray[np.int32], Floats], tuple[NDArray[np.int32], Floats]]:
    """For every pixel along an axis the cells whose middles it lies between, and their shares."""
    place = (np.arange(length) + 0.5) / step - 0.5
    before = np.floor(place).astype(np.int32)
    share = np.clip((place - before - 0.5) * _FEATHER + 0.5, 0, 1).astype(np.float32)
    return (np.maximum(before, 0), 1 - share), (np.minimum(before + 1, count - 1), share)


def _to_pixels(cells: Floats, grid: Grid, shape: tuple[int, ...]) -> Floats:
    if grid.step == 1:
        return cells
    size = (cells.shape[1] * grid.step, cells.shape[0] * grid.step)
    return cv().resize(np.ascontiguousarray(cells), size, interpolation=cv().INTER_LINEAR)[: shape[0], : shape[1]]


def _luma(planes: Floats | list[Floats]) -> Floats:
    red, green, blue = planes
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


class _Sight(NamedTuple):
    """Where gradients are looked at: in some rows, in the hole and in as large a ring around it.

    rows: int 3×m, the rows above, the rows themselves and those below. hole, ring: bool m×W.
    """

    rows: NDArray[np.intp]
    hole: Mask
    ring: Mask

    @classmethod
    def of(cls, source: Mask, domain: Mask, matches: Matches) -> _Sight:
        rows = np.arange(1, source.shape[0] - 1, max(1, source.shape[0] // _ROWS))
        distance, _ = nearest_set(matches.grid.wanted)
        ring = matches.grid.known & ~matches.grid.wanted
        away = np.sort(distance[ring])
        if len(away):
            ring &= distance <= max(_LEAST_RING, away[min(len(away) - 1, len(matches.cells))])
        step = matches.grid.step
        near = ring.repeat(step, 0).repeat(step, 1)[: source.shape[0], : source.shape[1]]
        return cls(np.stack([rows - 1, rows, rows + 1]), _inner(domain, rows), _inner(source & near, rows))

    def luma(self, planes: Floats) -> Floats:
        """Of colours, 3×H×W or more, in these rows: float32 3×m×W."""
        return _luma([plane[self.rows] for plane in planes[:3]])

    def luma_of_cells(self, cells: Floats, grid: Grid) -> Floats:
        """Of colours on a grid, h×w×3, brought to pixels: float32 3×m×W."""
        luma = cv().cvtColor(cells, cv().COLOR_RGB2GRAY)
        place = np.clip((self.rows.ravel() + 0.5) / grid.step - 0.5, 0, len(luma) - 1)
        before = place.astype(np.intp)
        share = (place - before).astype(np.float32)[:, None]
        rows = luma[before] * (1 - share) + luma[np.minimum(before + 1, len(luma) - 1)] * share
        wide = cv().resize(rows, (luma.shape[1] * grid.step, len(rows)), interpolation=cv().INTER_LINEAR)
        return wide[:, : self.hole.shape[1]].reshape(*self.rows.shape, -1)

    def energy(self, luma: Floats, where: Mask) -> float:
        """Mean squared gradient. luma: float32 3×m×W; where: bool m×W."""
        return float(_steepness(luma)[where].mean()) if where.any() else 0.0

    def energies_around(self, luma: Floats) -> tuple[float, float]:
        """That of the ring, and that of its flattest places, which show nothing but grain."""
        if not self.ring.any():
            return 0.0, 0.0
        steep = _steepness(luma)
        near = cv().blur(steep, (_NEAR, 1))
        return float(steep[self.ring].mean()), float(np.quantile(near[self.ring], _FLAT))


def _steepness(luma: Floats) -> Floats:
    """Squared gradients of rows: float32 3×m×W (above, the rows, below) to m×W."""
    above, middle, below = luma
    across = np.zeros_like(middle)
    across[:, 1:-1] = middle[:, 2:] - middle[:, :-2]
    return (across**2 + (below - above) ** 2) / 4


def _inner(mask: Mask, rows: NDArray[np.intp]) -> Mask:
    """Rows of a mask without its rim and the picture's."""
    inner = cv().erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv().BORDER_CONSTANT, borderValue=0)
    return inner[rows].view(bool)


# A network of the user's -----------------------------------------------------------------------------------------------


def fill_with_network(path: Path, colour: Bytes, source: Mask, domain: Mask) -> Bytes:
    """Fill `domain` by an inpainting network that the user has: LaMa or alike as ONNX, run by OpenCV.

    Inputs "image" (1×3×512×512, RGB in 0..1) and "mask" (1×1×512×512, 1 is to be filled); output an image of that size in
    0..1 or 0..255. The foreground is replaced by a smooth fill first, so that nothing of it can come back. Raises
    InputError if the file cannot be read or is no such network, ValueError if there is nothing to fill from.
    """
    cv2 = cv()
    smooth = fill(colour, source, ~source, method="smooth")
    if not domain.any():
        return colour.copy()
    if not path.is_file():
        raise InputError(f"{shown(path)}: the fill network is not there; check --fill-network.")
    graph = read_graph(path)  # OpenCV ends the process on some damaged files
    if {value.name for value in graph.inputs} != {"image", "mask"} or graph.external:
        raise InputError(f"{shown(path)}: this is no fill network in one file with the inputs image and mask; use LaMa as ONNX.")
    data = np.frombuffer(read_file(path, limit=LARGEST_FILE), np.uint8)  # not the name: it may not be ASCII
    try:
        network = cv2.dnn.readNetFromONNX(data)
        side = (_NETWORK_SIDE, _NETWORK_SIDE)
        network.setInput(cv2.dnn.blobFromImage(smooth, 1 / 255, side), "image")
        asked = cv2.resize(domain.astype(np.float32), side, interpolation=cv2.INTER_AREA) > 0
        network.setInput(asked.astype(np.float32)[None, None], "mask")
        answer = np.asarray(network.forward(), np.float32)
    except cv2.error as error:
        reason = " ".join(str(error.err or error).split())[:120]
        raise InputError(
            f"{shown(path)}: OpenCV cannot run this fill network ({reason}); use LaMa as ONNX with 512 by 512 inputs."
        ) from error
    if answer.ndim != 4 or answer.shape[1] != 3 or not np.isfinite(answer).all():
        raise InputError(f"{shown(path)}: this network gives no picture (its output is {answer.shape}); use LaMa as ONNX.")
    picture = np.moveaxis(answer[0], 0, 2) * (255 if answer.max() <= 2 else 1)
    picture = cv2.resize(np.ascontiguousarray(picture), (domain.shape[1], domain.shape[0]), interpolation=cv2.INTER_CUBIC)
    out = colour.copy()
    np.copyto(out, np.clip(np.rint(picture), 0, 255).astype(np.uint8), where=domain[..., None])
    return out
