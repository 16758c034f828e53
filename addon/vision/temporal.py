"""Depth of a film made steady: what flickers goes, what moves stays.

Networks see every frame by itself, so that the scale and shift of their disparity jump from frame to frame (the whole scene
pumps) and single surfaces shimmer. Both are judged along the motion of the picture, which optical flow gives:

1. `align` finds the scale and shift between two frames from the pixels that the flow follows reliably. Chained over the shot
   they make a path; `steady` keeps its slow part, a thing that really comes nearer, and takes out the rest.
2. `accumulate` is a running mean along the flow, one frame after the other. Run forwards and backwards and put together by
   `join`, it weighs past and future alike, so that nothing lags behind what moves. A pixel that is hidden, changes its
   brightness or its depth starts a mean of its own.

Pure functions on arrays; whoever calls them keeps one frame and the mean at a time. The flow is DIS (Kroeger et al., Fast Optical
Flow using Dense Inverse Search, ECCV 2016), as OpenCV has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

FLOW_SIDE = 512  # pixels of the longer side at which motion is looked for
KEPT = 0.8  # share of the mean of the frames before that goes into the next one
_ROUND_TRIP = 0.7  # pixels of flow there and back that still count as the same point
_ROUND_TRIP_SHARE = 0.05  # and as much of the way
_PHOTOMETRIC = 14.0  # of 255
_CUT = 0.2  # mean trust below which two frames are not of one shot
_LEAST_PIXELS = 64


class Link(NamedTuple):
    """How one frame is found in its neighbour. flow: float32 h×w×2, for each pixel of the frame how far (x, y) the same point lies
    away in the neighbour, in pixels of h×w. trust: float32 h×w in 0..1, how sure that is."""

    flow: Floats
    trust: Floats


class Affine(NamedTuple):
    """scale·x + shift."""

    scale: float
    shift: float


STILL = Affine(1.0, 0.0)


def small_grey(pixels: NDArray[Any]) -> Bytes:
    """A frame (H×W×3 RGB; uint8, uint16 or linear float32) as it is compared: grey, uint8, at most FLOW_SIDE on a side."""
    cv2 = cv()
    h, w = pixels.shape[:2]
    scale = min(1.0, FLOW_SIDE / max(h, w))
    if scale < 1:
        pixels = cv2.resize(pixels, (max(16, round(w * scale)), max(16, round(h * scale))), interpolation=cv2.INTER_AREA)
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = np.rint(255 * np.sqrt(np.clip(pixels, 0, 1))).astype(np.uint8)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def links(a: Bytes, b: Bytes) -> tuple[Link, Link] | None:
    """(how `b` is found in `a`, how `a` is found in `b`) for two successive grey frames; None if there is a cut between them."""
    cv2 = cv()
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if min(a.shape) < 24:  # DIS needs room for its patches
        both = [np.zeros((*a.shape, 2), np.float32) for _ in range(2)]
    else:
        both = [dis.calc(a, b, None), dis.calc(b, a, None)]
    there, back = both
    to_a = Link(back, _trust(back, there, b, a))
    to_b = Link(there, _trust(there, back, a, b))
    return None if min(to_a.trust.mean(), to_b.trust.mean()) < _CUT else (to_a, to_b)


def _trust(flow: Floats, back: Floats, own: Bytes, other: Bytes) -> Floats:
    """How sure the flow from `own` to `other` is: there and back again it must end where it began, in the same brightness."""
    cv2 = cv()
    x, y = _places(flow)
    returned = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    off = np.linalg.norm(flow + returned, axis=2) / (_ROUND_TRIP + _ROUND_TRIP_SHARE * np.linalg.norm(flow, axis=2))
    seen = cv2.remap(cv2.GaussianBlur(other, (3, 3), 0), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.GaussianBlur(own, (3, 3), 0).astype(np.float32) - seen
    change = (change - np.median(change)) / _PHOTOMETRIC  # the exposure may change as a whole
    h, w = own.shape
    inside = (x > -1) & (x < w) & (y > -1) & (y < h)
    return (np.exp(-(off**2) - change**2) * inside).astype(np.float32)


def _places(flow: Floats) -> tuple[Floats, Floats]:
    h, w = flow.shape[:2]
    return flow[..., 0] + np.arange(w, dtype=np.float32), flow[..., 1] + np.arange(h, dtype=np.float32)[:, None]


def _fitted(link: Link, shape: tuple[int, ...]) -> Link:
    """A link at another resolution."""
    if link.trust.shape == shape[:2]:
        return link
    size = (shape[1], shape[0])
    scale = np.array([size[0] / link.trust.shape[1], size[1] / link.trust.shape[0]], np.float32)
    flow = cv().resize(link.flow, size, interpolation=cv().INTER_LINEAR) * scale
    return Link(flow, cv().resize(link.trust, size, interpolation=cv().INTER_LINEAR))


def pull(values: Floats, link: Link) -> Floats:
    """The neighbour's values (float32 h×w or h×w×c, at the link's resolution) where the frame's pixels are."""
    x, y = _places(link.flow)
    return cv().remap(values, x, y, cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE)


def align(own: Floats, other: Floats, to_other: Link, *, shift: bool = True) -> Affine:
    """The scale and shift that bring `own` to `other`, disparities of two neighbouring frames (float32 H×W).

    Iteratively reweighted: points that fit badly, such as what moves in depth, count less (Tukey's biweight). The scale is the
    ratio of the spreads, not a regression's, which noise in `own` would make smaller with every frame. shift: False finds
    the scale alone. STILL where too few pixels are reliable.
    """
    size = (to_other.trust.shape[1], to_other.trust.shape[0])
    x, y = (cv().resize(d, size, interpolation=cv().INTER_AREA) for d in (own, other))
    seen = pull(y, to_other)
    sure = (to_other.trust > 0.5) & np.isfinite(x) & np.isfinite(seen)
    if np.count_nonzero(sure) < _LEAST_PIXELS:
        return STILL
    a, b, trust = x[sure].astype(np.float64), seen[sure].astype(np.float64), to_other.trust[sure].astype(np.float64)
    weight, fit = trust, STILL
    for _ in range(6):
        fit = _fit(a, b, weight) if shift else _fit_scale(a, b, weight)
        off = np.abs(fit.scale * a + fit.shift - b)
        spread = 4.685 * 1.4826 * float(np.median(off)) + 1e-12
        weight = trust * np.clip(1 - (off / spread) ** 2, 0, 1) ** 2
        if weight.sum() < 1e-6:
            break
    return fit if math.isfinite(fit.scale + fit.shift) and 0.2 < fit.scale < 5 else STILL


def _fit(a: NDArray[np.float64], b: NDArray[np.float64], weight: NDArray[np.float64]) -> Affine:
    total = weight.sum()
    mean_a, mean_b = (weight @ a) / total, (weight @ b) / total
    spread_a, spread_b = (np.sqrt(weight @ (v - m) ** 2 / total) for v, m in ((a, mean_a), (b, mean_b)))
    # A wall square to the camera has no spread to compare.
    scale = spread_b / spread_a if min(spread_a, spread_b) > 1e-3 * max(abs(mean_a), abs(mean_b), 1e-12) else 1.0
    return Affine(float(scale), float(mean_b - scale * mean_a))


def _fit_scale(a: NDArray[np.float64], b: NDArray[np.float64], weight: NDArray[np.float64]) -> Affine:
    below = weight @ a**2
    return Affine(float(np.sqrt((weight @ b**2) / below)) if below > 0 else 1.0, 0.0)


def steady(steps: Sequence[Affine | None], pivot: float, reach: float) -> list[Affine]:
    """What to do to each frame's disparity so that scale and shift no longer jump.

    steps: for each frame, what brings it to the frame before (None: the first frame of a shot). pivot: a usual disparity, at
    which shifts are compared. reach: frames over which a change counts as slow. The slow part of the path stays, so that
    errors of the single steps do not add up over the film.
    """
    found: list[Affine] = []
    starts = [i for i, step in enumerate(steps) if step is None or i == 0]
    for start, end in zip(starts, [*starts[1:], len(steps)]):
        to_first = [STILL]
        for step in steps[start + 1 : end]:
            assert step is not None
            before = to_first[-1]
            to_first.append(Affine(before.scale * step.scale, before.scale * step.shift + before.shift))
        # The same the other way: where the first frame's disparities are in each frame.
        scales = np.array([1 / a.scale for a in to_first])
        levels = np.array([(pivot - a.shift) / a.scale for a in to_first])
        slow_scales, slow_levels = np.exp(_slow_part(np.log(scales), reach)), _slow_part(levels, reach)
        for a, scale, level in zip(to_first, slow_scales, slow_levels):
            found.append(Affine(float(scale * a.scale), float(scale * (a.shift - pivot) + level)))
    return found


def _slow_part(values: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Local straight lines under a Gaussian window: a steady change stays as it is, up to both ends."""
    n = len(values)
    out = np.empty(n)
    half = max(1, int(np.ceil(3 * reach)))
    for i in range(n):
        at = np.arange(max(0, i - half), min(n, i + half + 1))
        t, v = (at - i).astype(np.float64), values[at]
        weight = np.exp(-0.5 * (t / reach) ** 2)
        total, first, second = weight.sum(), weight @ t, weight @ t**2
        below = total * second - first**2
        out[i] = (second * (weight @ v) - first * (weight @ (t * v))) / below if n > 2 and below > 1e-9 else (weight @ v) / total
    return out


class Mean(NamedTuple):
    """A running mean: values float32 H×W, and how many frames are in it, float32 H×W from 1."""

    values: Floats
    weight: Floats


def accumulate(frames: Iterable[tuple[Floats, Link | None]], tolerance: float) -> Iterator[Mean]:
    """The running mean along the flow, for each frame as it comes.

    frames: disparity (float32 H×W) with how the frame is found in the one before (None at the start of a shot). tolerance: a
    difference of disparity that is still flicker; one twice as large is another thing or real motion.
    """
    mean: Mean | None = None
    for own, link in frames:
        if mean is None or link is None:
            mean = Mean(own, np.ones_like(own))
        else:
            fitted = _fitted(link, own.shape)
            before = pull(np.dstack([mean.values, mean.weight]), fitted)
            values = before[..., 0]
            kept = KEPT * before[..., 1] * fitted.trust * np.exp(-(((values - own) / tolerance) ** 2))
            weight = 1 + kept
            mean = Mean(((own + kept * values) / weight).astype(np.float32), weight.astype(np.float32))
        yield mean


def join(own: Floats, past: Mean, future: Mean) -> Floats:
    """The mean over past and future of a frame, float32 H×W; the frame itself is in both and counts once."""
    total = past.weight + future.weight - 1
    return ((past.values * past.weight + future.values * future.weight - own) / total).astype(np.float32)


__all__ = ["KEPT", "STILL", "Affine", "Link", "Mean", "accumulate", "align", "join", "links", "pull", "small_grey", "steady"]
