"""Cuts the layers of a photo out as sheets that go on behind whatever covers them.

1. Every level (layers.py) grows behind what covers it, as far as the reserve, its depth continued without a look at the
   front; it ends where it would come out in front.
2. Its colour there is filled from its own visible pixels only, and the mixed pixels along its rim are taken apart
   (refine.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .fill import push_pull
from .layers import Bytes, Cuts, group_surfaces
from .parallel import workers
from .refine import Floats, Mask, matte_rims
from .texture import decoded, linear_to_srgb

Fill = Callable[[Bytes, Mask, Mask], Bytes]
"""(colour H×W×3, source, domain) -> colour with the domain filled from the source."""
T = TypeVar("T")
R = TypeVar("R")

BEHIND = 0.5  # pixels of parallax at the reserve that a hidden surface lies behind what covers it, at least
_GOOD = 0.6  # share of the front in a rim pixel up to which its background is a sample to fill from
_WISPS = 0.002  # of the longer side: how far beside a person's silhouette pixels may have hair in them
_SHAPED = 0.3  # of the time, about
_AT_ONCE = 4  # sheets, besides what is made meanwhile; each holds what it fills several times over
_OVERLAP = 2  # pixels that a sheet's colour goes on past its soft rim


@dataclass(frozen=True)
class Outline:
    """One layer without its colours; arrays of its box, which may reach past the photo's border.

    box: (left, top, right, bottom) in pixels of the grid that it was cut on. matte: uint8 h×w, where the sheet is and how much it
    covers. d: float32 h×w, its depth where it is hidden; None if it is nowhere.
    """

    box: tuple[int, int, int, int]
    matte: Bytes
    d: Floats | None


@dataclass(frozen=True)
class Sheet(Outline):
    """One layer. colour: uint8 h×w×3, sRGB. cover: uint8 h×w, where `colour` takes the place of the photo."""

    colour: Bytes
    cover: Bytes


def cut_sheets(
    colour: Bytes,
    d: Floats,
    cuts: Cuts,
    levels: NDArray[np.int32],
    *,
    sky: bool = False,
    reach: int,
    ring: int,
    fill: Fill,
    progress: Callable[[float], None],
    then: Callable[[int, Sheet], T],
    meanwhile: Callable[[list[Outline]], R],
    goes_on: Mask | None = None,
) -> tuple[list[tuple[Sheet, T]], R]:
    """Make the sheet of every level, from front to back, and what `then` makes of its level and the sheet; and what `meanwhile` makes of them all
    before they have colours.

    colour: uint8 H×W×3, sRGB. d: float32 H×W in [0, 1]. sky: the last level is infinitely far. reach: pixels that a sheet goes on behind what covers it.
    ring: pixels that it goes on past the photo's border. fill: what fills colour. progress: called with 0..1; may raise
    to cancel. then, meanwhile: called while others are filled. goes_on: bool H×W, where what is covered goes on in any case, pushed behind what covers it if it would come out in front; a strip
    beside that is repainted, too.
    """
    near, far = cuts.sides()
    rims = matte_rims(decoded(colour), levels, near, far)
    whole = (np.pad(cuts.across == 0, ((0, 0), (0, 1))), np.pad(cuts.down == 0, ((0, 1), (0, 0))))
    kept, mixed = np.zeros(levels.shape, bool), np.zeros(levels.shape, bool)
    if goes_on is not None:
        kept, wide = goes_on, 2 * max(2, round(_WISPS * max(levels.shape))) + 1
        before = cv().erode(np.where(goes_on, levels, levels.max() + 1).astype(np.float32), np.ones((wide, wide), np.uint8))
        mixed = (levels > before) & ~goes_on
    padded = _Padded(*(_pad(a, ring) for a in (colour, d, levels, *whole, kept, mixed)), known=_inside(levels.shape, ring))
    y, x = rims.y + ring, rims.x + ring
    front, behind = (np.rint(linear_to_srgb(c) * 255).astype(np.uint8) for c in (rims.colour, rims.behind))
    count = int(levels.max()) + 1
    under_level = levels[rims.y, rims.x]
    beyond = np.full(padded.known.shape, np.inf, np.float32)  # how far the nearest rim of a farther sheet is
    outside = _past_border(cuts, ring)
    covered = np.zeros(padded.known.shape, bool)

    def finished(level: int, shape: _Shape) -> tuple[Sheet, T]:
        sheet = _colour_sheet(shape, reach, ring, fill)
        return sheet, then(level, sheet)

    filling: list[Future[tuple[Sheet, T]]] = []
    outlines, sheets = [], []
    # Filling takes most of the time, and every sheet is filled from its own pixels: NumPy and OpenCV let each other work meanwhile.
    with workers(_AT_ONCE) as pool:
        for level in reversed(range(count)):
            over = rims.front == level
            under = under_level == level
            edges = _Edges((y[over], x[over]), front[over], rims.alpha[over], (y[under], x[under]), behind[under], rims.alpha[under])
            own = (padded.levels == level) & ~(outside & covered)
            away = _distance(padded.known.shape, edges.under)
            shape = _shape_sheet(padded, level, own, edges, away, beyond, sky and level == count - 1, reach)
            np.minimum(beyond, away, out=beyond)
            left, top, right, bottom = shape.box
            covered[top:bottom, left:right] |= shape.matte == 255
            filling.append(pool.submit(finished, level, shape))
            outlines.append(_outline(shape, ring))
            progress(_SHAPED * (count - level) / count)
        beside = meanwhile(outlines[::-1])
        for filled in filling:
            sheets.append(filled.result())
            progress(_SHAPED + (1 - _SHAPED) * len(sheets) / count)
    return sheets[::-1], beside


def _outline(shape: _Shape, ring: int) -> Outline:
    left, top = shape.box[0] - ring, shape.box[1] - ring
    h, w = shape.matte.shape
    return Outline((left, top, left + w, top + h), shape.matte, shape.d if shape.hidden.any() else None)


def _past_border(cuts: Cuts, ring: int) -> Mask:
    """Where past the photo's border what is cut off by it is not likely to go on: farther out than it reaches in.

    Returns bool (H+2·ring)×(W+2·ring) for cuts of H×W pixels; nothing in the corners.
    """
    h, w = cuts.across.shape[0], cuts.down.shape[1]
    past = np.zeros((h + 2 * ring, w + 2 * ring), bool)
    if ring == 0:
        return past
    out = np.arange(1, ring + 1)
    for target, steps, length in ((past, cuts.across, w), (past.T, cuts.down.T, h)):
        for side in (0, 1):
            inward = -steps[:, ::-1][:, :ring] if side else steps[:, :ring]  # farther in than `ring` is as good as without end
            # It ends where something farther shows; what stands before it and is passed again does not end it.
            farther = np.cumsum(inward, 1, dtype=np.int32) < 0
            run = np.where(farther.any(1), farther.argmax(1) + 1, length)
            beyond = out > run[:, None]
            if side:
                target[ring:-ring, target.shape[1] - ring :] = beyond
            else:
                target[ring:-ring, :ring] = beyond[:, ::-1]
    return past


def _distance(shape: tuple[int, ...], places: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Floats:
    """Pixels from the nearest of the places (rows, columns): float32, infinite if there are none."""
    if not len(places[0]):
        return np.full(shape, np.inf, np.float32)
    free = np.ones(shape, np.uint8)
    free[places] = 0
    return cv().distanceTransform(free, cv().DIST_L2, 3)


class _Padded(NamedTuple):
    """The photo's arrays, continued past its border by their outermost pixels.

    across, down: whether there is no cut to the right and below. goes_on: where what is covered goes on in any case. mixed: what lies beside that and may have
    hair in it. known: inside the photo.
    """

    colour: Bytes
    d: Floats
    levels: NDArray[np.int32]
    across: Mask
    down: Mask
    goes_on: Mask
    mixed: Mask
    known: Mask

    def cut(self, box: tuple[int, int, int, int]) -> _Padded:
        """The arrays of a box (left, top, right, bottom)."""
        r, c = slice(box[1], box[3]), slice(box[0], box[2])
        return _Padded(
            self.colour[r, c],
            self.d[r, c],
            self.levels[r, c],
            self.across[r, c],
            self.down[r, c],
            self.goes_on[r, c],
            self.mixed[r, c],
            self.known[r, c],
        )


class _Edges(NamedTuple):
    """The mixed pixels of a sheet: those it covers in part, with its colour and share, and those in which it is covered."""

    over: tuple[NDArray[np.intp], NDArray[np.intp]]
    colour: Bytes
    alpha: Floats
    under: tuple[NDArray[np.intp], NDArray[np.intp]]
    behind: Bytes
    under_alpha: Floats


class _Shape(NamedTuple):
    """A sheet that has no colours yet; arrays of its box (left, top, right, bottom in the continued photo).

    photo: what the photo has there. own: what is seen of the sheet. hidden: where it goes on behind others. surface: as `_surfaces`
    gives them. edges: their places are those of the box.
    """

    box: tuple[int, int, int, int]
    photo: _Padded
    own: Mask
    hidden: Mask
    surface: Bytes
    edges: _Edges
    d: Floats
    matte: Bytes


def _shape_sheet(photo: _Padded, level: int, own: Mask, edges: _Edges, away: Floats, beyond: Floats, endless: bool, reach: int) -> _Shape:
    """Where a sheet is, and how deep. away, beyond: float32 H×W, pixels from its rim and from the nearest rim of a farther sheet."""
    hidden, close = np.zeros_like(own), np.zeros_like(own)
    if level > 0 and len(edges.under[0]):
        # Where a farther sheet's rim is nearer, that one is what is behind.
        hidden = (photo.levels < level) & (away <= reach) & (away <= beyond + 1)
        close = away <= _OVERLAP + 1
    area = own | hidden
    area[edges.over] = True
    box = _box(area, _OVERLAP + 2)
    rows, columns = slice(box[1], box[3]), slice(box[0], box[2])
    photo = photo.cut(box)
    own, hidden = own[rows, columns], hidden[rows, columns]
    over, under = ((y - box[1], x - box[0]) for y, x in (edges.over, edges.under))

    surface = _surfaces(own, hidden, under, photo.d)
    d = photo.d.copy()
    if endless:
        d[hidden] = 0
    else:
        for part, window in _windows(surface, hidden, reach):
            here = hidden[window] & part
            np.copyto(d[window], continue_depth(photo.d[window], own[window] & part, here), where=here)
        # Right behind a rim it goes on in any case, or the ends of cuts would let the light through.
        least = np.float32(BEHIND / max(reach, 1))
        first = hidden & (close[rows, columns] | photo.goes_on)
        d[first] = np.minimum(d[first], photo.d[first] - least)
        hidden &= photo.d - d >= least * np.float32(0.99)
        np.copyto(d, photo.d, where=~hidden)
    matte = np.where(own | hidden, np.uint8(255), np.uint8(0))
    # Sheets meet at seams over smooth surfaces without a gap.
    seam = _grow(own, photo.across, photo.down, _OVERLAP) & (matte == 0)
    matte[seam] = 255
    matte[over] = np.rint(edges.alpha * 255).astype(np.uint8)
    return _Shape(box, photo, own, hidden, surface, edges._replace(over=over, under=under), d, matte)


def _colour_sheet(shape: _Shape, reach: int, ring: int, fill: Fill) -> Sheet:
    """The sheet of a shape, its hidden parts filled."""
    cv2 = cv()
    _, photo, own, hidden, surface, edges, _, matte = shape
    over, under = edges.over, edges.under
    colour, cover = photo.colour.copy(), np.zeros_like(matte)
    rim = np.zeros_like(own)
    rim[under] = True
    beside = own & photo.mixed
    domain = hidden | (own & ~photo.known) | beside
    source = own & photo.known & ~rim & ~beside
    # Most of the rim is known well enough once the front's share is taken away, and it is what lies next to the hole.
    good = edges.under_alpha < _GOOD
    good &= ~beside[under]
    source[under[0][good], under[1][good]] = True
    colour[under[0][good], under[1][good]] = edges.behind[good]
    for part, window in _windows(surface, domain, reach):
        here = domain[window] & part
        spare = own[window] & photo.known[window] & part & ~here
        known = next((m for m in (source[window] & part, spare, source[window] & ~here) if m.any()), None)
        if known is not None:
            chosen = here.view(np.uint8)
            cv2.copyTo(fill(np.ascontiguousarray(colour[window]), known, here), chosen, colour[window])
            cover[window] |= 255 * chosen
    bare = ~beside[under]
    colour[under[0][bare], under[1][bare]] = edges.behind[bare]
    cover[under] = 255
    colour[over], cover[over] = edges.colour, 255
    if len(over[0]):
        _spread(colour, cover, over, matte)
    outline = _outline(shape, ring)
    return Sheet(outline.box, outline.matte, outline.d, colour, cover)


def _surfaces(own: Mask, hidden: Mask, under: tuple[NDArray[np.intp], NDArray[np.intp]], d: Floats) -> Bytes:
    """Which of a sheet's surfaces each pixel belongs to: uint8 H×W, 0 for none.

    A sheet may hold things that have nothing to do with each other, an arm in front of the chest and the wall behind it. Its
    connected parts of about the same depth are one surface; a hidden place belongs to that of the nearest rim.
    """
    cv2 = cv()
    count, parts = cv2.connectedComponents(own.view(np.uint8), connectivity=4)
    rimless = np.arange(count) > 0
    rimless[parts[under]] = False
    inside = rimless[parts]
    which = parts[inside]
    depth = np.bincount(which, d[inside], minlength=count) / np.maximum(np.bincount(which, minlength=count), 1)
    surface = group_surfaces(np.arange(count) > 0, parts[under], d[under], depth)
    found = surface[parts]
    at_rim = np.unique(found[under])
    if len(at_rim) == 1:
        found[hidden] = at_rim
    elif len(at_rim) and hidden.any():
        rim = np.ones(own.shape, np.uint8)
        rim[under] = 0
        _, nearest = cv2.distanceTransformWithLabels(rim, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        owner = np.zeros(int(nearest.max()) + 1, np.uint8)
        owner[nearest[under]] = found[under]
        places = np.flatnonzero(hidden)
        found.ravel()[places] = owner[nearest.ravel()[places]]
    return found


def _windows(surface: Bytes, wanted: Mask, reach: int) -> Iterator[tuple[Mask, tuple[slice, slice]]]:
    """For each surface with something wanted: its mask within a window, and the window, `reach` wider than what is wanted."""
    for number in np.flatnonzero(np.bincount(surface[wanted])):
        if number:
            left, top, right, bottom = _box(wanted & (surface == number), reach)
            window = (slice(top, bottom), slice(left, right))
            yield surface[window] == number, window


def _grow(mask: Mask, across: Mask, down: Mask, steps: int) -> Mask:
    """Grow a mask by `steps` pixels up, down and sideways, but over no cut."""
    for _ in range(steps):
        grown = mask.copy()
        grown[:, 1:] |= mask[:, :-1] & across[:, :-1]
        grown[:, :-1] |= mask[:, 1:] & across[:, :-1]
        grown[1:] |= mask[:-1] & down[:-1]
        grown[:-1] |= mask[1:] & down[:-1]
        mask = grown
    return mask


def _spread(colour: Bytes, cover: Bytes, over: tuple[NDArray[np.intp], NDArray[np.intp]], matte: Bytes) -> None:
    """Carry the colour of a soft rim outwards, so that smooth lookups between texels find no background there; in place."""
    h, w = matte.shape
    ys, xs, values = *over, colour[over]
    for _ in range(_OVERLAP):
        found = []
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
            y, x = ys + dy, xs + dx
            good = (y >= 0) & (y < h) & (x >= 0) & (x < w)
            y, x, v = y[good], x[good], values[good]
            free = (matte[y, x] == 0) & (cover[y, x] == 0)
            y, x, v = y[free], x[free], v[free]
            colour[y, x], cover[y, x] = v, 255
            found.append((y, x, v))
        ys, xs, values = (np.concatenate([f[i] for f in found]) for i in range(3))


def continue_depth(d: Floats, known: Mask, wanted: Mask) -> Floats:
    """Continue the depth of a surface smoothly behind what covers it.

    d: float32 H×W in [0, 1]. known: bool H×W, where d belongs to the surface; wanted: bool H×W, where it is asked for.
    Returns float32 H×W: d itself where known, its continuation elsewhere (sound near `wanted`). A membrane over the
    known depths: Laplace's equation in disparity, in which planes are linear, solved coarse to fine by push-pull
    (Gortler et al. 1996) and relaxation.
    """
    cv2 = cv()
    if not wanted.any() or not known.any():
        return d.copy()
    out = push_pull(d[..., None], known)[..., 0]
    cv2.copyTo(d, known.view(np.uint8), out)
    left, top, right, bottom = _box(wanted, 1)
    part, mask = out[top:bottom, left:right], wanted[top:bottom, left:right].astype(np.uint8)
    for _ in range(4):
        cv2.copyTo(cv2.blur(part, (5, 5)), mask, part)
    return out


def _pad(array: NDArray, ring: int) -> NDArray:
    """Continue an array by its outermost values; masks by False."""
    cv2 = cv()
    if array.dtype == bool:
        return cv2.copyMakeBorder(array.astype(np.uint8), ring, ring, ring, ring, cv2.BORDER_CONSTANT, value=0).view(bool)
    return cv2.copyMakeBorder(array, ring, ring, ring, ring, cv2.BORDER_REPLICATE)


def _inside(shape: tuple[int, ...], ring: int) -> Mask:
    known = np.zeros((shape[0] + 2 * ring, shape[1] + 2 * ring), bool)
    known[ring : ring + shape[0], ring : ring + shape[1]] = True
    return known


def _box(mask: Mask, margin: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is set, with a margin, inside the array; the whole array if nothing is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return 0, 0, mask.shape[1], mask.shape[0]
    h, w = mask.shape
    return (
        max(0, int(columns[0]) - margin), max(0, int(rows[0]) - margin),
        min(w, int(columns[-1]) + 1 + margin), min(h, int(rows[-1]) + 1 + margin),
    )  # fmt: skip
