"""Running a network on a photo: smaller where memory runs out, mirrored as well, in tiles for detail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from ...errors import RenderError
from ..cv import cv
from ..layered import DepthKind, inverted
from . import Network, OutOfMemory, Prediction

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Progress = Callable[[float, str], None]

_fitted: tuple[ReferenceType[Network], int] | None = None
"""The network that last had to take a smaller input, and the size that it was: the next frame of a film starts with that."""
SMALLEST = 140  # pixels: below this no network sees a room
_LESS = 0.75  # how much smaller the next try is
_OVERLAP = 0.25  # of a tile, to the next one
_WORTH = 1.3  # how many times larger than the network's input a photo must be for tiles to show more
_MOST = 3  # tiles a side
_RESIDUAL = 0.15  # of the depth's spread inside a tile: one that is farther off saw something else there


def predict(
    network: Network, picture: Floats, *, side: int | None, focal: float | None, flip: bool, tiles: bool, progress: Progress
) -> Prediction:
    """Run `network` on `picture` as the settings say.

    picture: float32 H×W×3, R'G'B' in [0, 1]. side: wished shorter side of the input, None for the network's own. focal: in
    shares of the picture's width, if known. flip: average with the mirrored picture's. tiles: add the detail of overlapping
    parts. Returns a Prediction of the network's size, or larger with tiles. Raises RenderError if memory does not suffice
    for the smallest input; whatever `progress` raises, which is called before every run of the network.
    """
    wished = network.side if side is None else side
    parts = _parts(picture.shape[:2], wished) if tiles else []
    runs = (2 if flip else 1) * (1 + len(parts))
    done = 0

    def run(part: Floats, part_focal: float | None, side: int) -> tuple[Prediction, int]:
        nonlocal done
        views = []
        for view in (part, np.ascontiguousarray(part[:, ::-1])) if flip else (part,):
            progress(done / runs, "Estimating depth" if runs == 1 else f"Estimating depth ({done + 1} of {runs})")
            made, side = _with_less_memory(network, view, side, part_focal)
            views.append(made)
            done += 1
        if flip and views[0].values.shape != views[1].values.shape:  # memory ran out at the second only
            views[0], side = _with_less_memory(network, part, side, part_focal)
        return (mean_with_mirrored(*views) if flip else views[0]), side

    whole, used = run(picture, focal, wished)
    if not parts:
        return whole
    size = _tiled_size(whole.values.shape, parts)
    sheet = _Sheet.begin(inverted(whole.values, whole.kind), size)
    for part in parts:
        own_focal = None if focal is None else focal * picture.shape[1] / (part.right - part.left)
        crop = np.ascontiguousarray(picture[part.top : part.bottom, part.left : part.right])
        made, used = run(crop, own_focal, used)
        sheet.add(inverted(made.values, made.kind), part, picture.shape[:2])
    return _grown(whole, sheet.finished(), size)


def _with_less_memory(network: Network, picture: Floats, side: int, focal: float | None) -> tuple[Prediction, int]:
    """Run the network, with smaller inputs until one fits into the memory; also returns the size that fitted."""
    global _fitted
    if _fitted is not None and _fitted[0]() is network:
        side = min(side, _fitted[1])
    while True:
        try:
            return network.predict(picture, side, focal), side
        except OutOfMemory as error:
            smaller = int(side * _LESS)
            if network.fixed or smaller < SMALLEST:
                raise RenderError(
                    f"{network.device} has not enough memory for this network; choose a smaller network, close other programs, "
                    "or set the network device to CPU."
                ) from error
            log.warning(
                "%s has not enough memory for an input of %d pixels; %d are used, which shows less detail.", network.device, side, smaller
            )
            side = smaller
            _fitted = ref(network), smaller


# Kinds -----------------------------------------------------------------------------------------------------------------


def _of_kind(values: Floats, kind: DepthKind) -> Floats:
    """The way back from `inverted`."""
    if not kind.is_depth:
        return values
    with np.errstate(divide="ignore"):
        return np.where(np.isnan(values), np.nan, 1 / np.maximum(values, 0)).astype(np.float32)


def fit_affine(x: Floats, y: Floats, *, offset: bool = True) -> tuple[float, float]:
    """(a, b) such that a·x + b is y for most pixels: least absolute differences, by reweighted least squares.

    x, y: float32 of one shape; pairs with a NaN or an infinity do not count. offset: False holds b at 0. a is 1 and b the
    difference of the medians where x does not vary.
    """
    known = np.isfinite(x) & np.isfinite(y)
    xs, ys = x[known].astype(np.float64), y[known].astype(np.float64)
    if xs.size == 0:
        return 1.0, 0.0
    step = max(1, xs.size // 40_000)
    xs, ys = xs[::step], ys[::step]
    weight = np.ones_like(xs)
    a, b = 1.0, float(np.median(ys) - np.median(xs)) if offset else 0.0
    for _ in range(20):
        total = weight.sum()
        mx, my = ((weight @ xs) / total, (weight @ ys) / total) if offset else (0.0, 0.0)
        spread = weight @ (xs - mx) ** 2
        if spread <= 1e-12 * max(1e-30, weight @ xs**2):
            return a, b
        a = float(weight @ ((xs - mx) * (ys - my)) / spread)
        b = float(my - a * mx)
        error = np.abs(ys - a * xs - b)
        weight = 1 / np.maximum(error, 0.05 * float(np.median(error)) + 1e-12)
    return a, b


def _matched(values: Floats, to: Floats) -> Floats:
    """`values` with the median and the spread of `to`: unlike a fit it does not shrink what the two disagree about."""
    known = np.isfinite(values) & np.isfinite(to)
    if not known.any():
        return values
    own, wanted = np.percentile(values[known], (10, 50, 90)), np.percentile(to[known], (10, 50, 90))
    scale = (wanted[2] - wanted[0]) / (own[2] - own[0]) if own[2] > own[0] else 1.0
    return ((values - own[1]) * scale + wanted[1]).astype(np.float32)


# Mirrored --------------------------------------------------------------------------------------------------------------


def mean_with_mirrored(straight: Prediction, mirrored: Prediction) -> Prediction:
    """The mean of a prediction and of the one for the mirrored picture, which is turned back and fitted to the first.

    Disparity of unknown scale and shift is brought to the first's spread and median, depth of unknown scale in scale, metres not at all.
    """
    a, b = inverted(straight.values, straight.kind), inverted(mirrored.values, mirrored.kind)[:, ::-1]
    if a.shape != b.shape:
        return straight
    if straight.kind is DepthKind.AFFINE_DISPARITY:
        b = _matched(b, a)
    elif straight.kind is DepthKind.AFFINE_DEPTH:
        b = b * np.float32(fit_affine(b, a, offset=False)[0])
    mean = np.where(np.isnan(a), b, np.where(np.isnan(b), a, (a + b) / 2)).astype(np.float32)
    normals = straight.normals
    if normals is not None and mirrored.normals is not None:
        normals = normals + mirrored.normals[:, ::-1] * np.array((-1, 1, 1), np.float32)
        normals = (normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)).astype(np.float32)
    return replace(
        straight,
        values=_of_kind(mean, straight.kind),
        fov=straight.fov if straight.fov is None or mirrored.fov is None else (straight.fov + mirrored.fov) / 2,
        normals=normals,
        sky=_mean(straight.sky, mirrored.sky),
        confidence=_mean(straight.confidence, mirrored.confidence),
        edges=_mean(straight.edges, mirrored.edges),
        horizon=straight.horizon if straight.horizon is None or mirrored.horizon is None else (straight.horizon + mirrored.horizon) / 2,
        roll=straight.roll if straight.roll is None or mirrored.roll is None else (straight.roll - mirrored.roll) / 2,
    )


def _mean(straight: Floats | None, mirrored: Floats | None) -> Floats | None:
    return straight if straight is None or mirrored is None else (straight + mirrored[:, ::-1]) / np.float32(2)


# Tiles -----------------------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """A tile, in pixels of the picture."""

    left: int
    top: int
    right: int
    bottom: int


def _parts(shape: tuple[int, ...], side: int) -> list[Part]:
    """Overlapping tiles of the picture's own proportions, so many that none is much larger than the network's input."""
    height, width = shape
    ratio = min(height, width) / side
    if ratio < _WORTH:
        return []
    count = min(_MOST, max(2, round(ratio)))
    long = 1 / (count - (count - 1) * _OVERLAP)
    starts = np.linspace(0, 1 - long, count)
    tall, wide = round(height * long), round(width * long)
    return [Part(x, y, x + wide, y + tall) for y in (starts * height).round().astype(int) for x in (starts * width).round().astype(int)]


def _tiled_size(shape: tuple[int, ...], parts: list[Part]) -> tuple[int, int]:
    """(width, height) of the whole when its tiles have the network's size."""
    count = round(len(parts) ** 0.5)
    grow = count - (count - 1) * _OVERLAP
    return round(shape[1] * grow), round(shape[0] * grow)


class _Sheet(NamedTuple):
    """The whole picture's values, and the detail that tiles add, weighted."""

    base: Floats
    detail: Floats
    weight: Floats

    @classmethod
    def begin(cls, values: Floats, size: tuple[int, int]) -> _Sheet:
        base = _resized(values, size)
        return cls(base, np.zeros_like(base), np.zeros_like(base))

    def add(self, values: Floats, part: Part, shape: tuple[int, ...]) -> None:
        """Lay a tile on: fitted to the whole, its low frequencies left to the whole, fading out at its border."""
        height, width = self.base.shape
        x0, x1 = round(part.left * width / shape[1]), round(part.right * width / shape[1])
        y0, y1 = round(part.top * height / shape[0]), round(part.bottom * height / shape[0])
        base = self.base[y0:y1, x0:x1]
        tile = _resized(values, (x1 - x0, y1 - y0))
        known = np.isfinite(base) & np.isfinite(tile)
        if not known.any():
            return
        # Both say the same at large only: that is what is fitted and compared, and what the whole keeps.
        sigma = min(base.shape) / 8
        own, wanted = _blurred(tile, known, sigma), _blurred(base, known, sigma)
        scale, shift = fit_affine(own[known], wanted[known])
        coarse = own * np.float32(scale) + np.float32(shift)
        spread = float(np.subtract(*np.percentile(wanted[known], (95, 5))))
        if scale <= 0 or float(np.median(np.abs(coarse - wanted)[known])) > _RESIDUAL * spread:
            return
        difference = np.where(known, (tile - own) * np.float32(scale) - (base - wanted), 0).astype(np.float32)
        feather = np.outer(_window(y1 - y0), _window(x1 - x0)).astype(np.float32)
        self.detail[y0:y1, x0:x1] += feather * difference
        self.weight[y0:y1, x0:x1] += feather

    def finished(self) -> Floats:
        return (self.base + self.detail / np.maximum(self.weight, 0.05)).astype(np.float32)


def _blurred(values: Floats, known: Mask, sigma: float) -> Floats:
    """Gaussian means of the known values."""
    weight = cv().GaussianBlur(known.astype(np.float32), (0, 0), sigma)
    return cv().GaussianBlur(np.where(known, values, 0).astype(np.float32), (0, 0), sigma) / np.maximum(weight, 1e-6)


def _window(length: int) -> NDArray[np.float64]:
    """1 inside, falling to nearly 0 over the overlap at both ends."""
    ramp = (np.arange(length) + 0.5) / (length * _OVERLAP)
    return np.clip(np.minimum(ramp, ramp[::-1]), 0, 1)


def _resized(values: Floats, size: tuple[int, int]) -> Floats:
    """Linear, with NaN staying where it is."""
    missing = ~np.isfinite(values)
    if not missing.any():
        return cv().resize(values, size, interpolation=cv().INTER_LINEAR)
    filled = np.where(missing, 0, values).astype(np.float32)
    weight = cv().resize((~missing).astype(np.float32), size, interpolation=cv().INTER_LINEAR)
    resized = cv().resize(filled, size, interpolation=cv().INTER_LINEAR) / np.maximum(weight, 1e-6)
    return np.where(weight < 0.5, np.nan, resized).astype(np.float32)


def _grown(whole: Prediction, values: Floats, size: tuple[int, int]) -> Prediction:
    """`whole` with other values, all else brought to their size."""

    def grown(array: Floats | None) -> Floats | None:
        return None if array is None else cv().resize(array, size, interpolation=cv().INTER_LINEAR)

    low = 0 if whole.kind is not DepthKind.AFFINE_DISPARITY else -np.inf
    kept = _of_kind(np.maximum(values, np.float32(low)), whole.kind)
    others = {name: grown(getattr(whole, name)) for name in ("normals", "sky", "confidence", "edges")}
    return replace(whole, values=kept, **others)
