"""Two filters that follow the edges of a photo, on numpy and OpenCV's main module alone.

`fast_global_smooth` lets values spread along whatever has one colour, however far; `fit_to_colour` guesses values from
colours, window by window, and so finds again in the photo what is too thin for the values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cv import cv

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def fast_global_smooth(values: Floats, guide: Bytes, *, strength: float, sigma: float, passes: int = 2) -> Floats:
    """Smooth planes of values except across the edges of a guide.

    values: float32 N×H×W, N planes with one guide. guide: uint8 H×W×3. strength: the weight of smoothness against the
    values themselves (lambda; a value spreads over about its root in pixels). sigma: the difference of colour, 0 to 255,
    at which the weight between neighbours falls to 1/e. Returns float32 N×H×W. Means of the values with positive weights
    that sum to one: nothing exceeds their range.

    Min, Choi, Lu, Ham, Sohn and Do 2014, "Fast Global Image Smoothing Based on Weighted Least Squares": rows and columns
    are solved in turn, each an exact tridiagonal system, with a strength that falls from pass to pass.
    """
    guide_ = guide.astype(np.float32)
    across = np.ascontiguousarray(_similarity(guide_, 1, sigma).T)
    down = _similarity(guide_, 0, sigma)
    out = values.astype(np.float32, copy=False)
    for i in range(passes):
        weight = 1.5 * strength * 4.0 ** (passes - 1 - i) / (4.0**passes - 1)
        out = _solve(out.transpose(2, 0, 1).copy(), weight * across).transpose(2, 1, 0)
        out = _solve(out.copy(), weight * down).transpose(1, 0, 2)
    return np.ascontiguousarray(out)


def _similarity(guide: Floats, axis: int, sigma: float) -> Floats:
    difference = np.diff(guide, axis=axis)
    return np.exp(np.sqrt(np.einsum("hwc,hwc->hw", difference, difference)) * np.float32(-1 / sigma))


def _solve(u: Floats, pull: Floats) -> Floats:
    """Solve u - d/dx(pull · du/dx) = values along the first axis, in place (Thomas' algorithm).

    u: n×N×m values that become the solution. pull: (n-1)×m between neighbours along n.
    """
    n = len(u)
    if n == 1:
        return u
    diagonal = np.ones((n, u.shape[2]), np.float32)
    diagonal[1:] += pull
    diagonal[:-1] += pull
    share = np.empty_like(pull)  # of the next value in this one
    scratch = np.empty_like(u[0])
    for i in range(n):
        pivot = diagonal[i]
        if i:
            pivot -= pull[i - 1] * share[i - 1]
            np.multiply(u[i - 1], pull[i - 1], out=scratch)
            u[i] += scratch
        np.reciprocal(pivot, out=pivot)
        u[i] *= pivot
        if i < n - 1:
            np.multiply(pull[i], pivot, out=share[i])
    for i in range(n - 2, -1, -1):
        np.multiply(u[i + 1], share[i], out=scratch)
        u[i] += scratch
    return u


def fit_to_colour(values: Floats, colour: Bytes, *, radius: int, epsilon: float, weight: Floats | None = None) -> Floats:
    """Guess every pixel's value from its colour, as values and colours go together around it.

    values: float32 H×W. colour: uint8 H×W×3. radius: half the window, in pixels. epsilon: the variance of colour, in
    shares of white, below which colours say nothing. weight: float32 H×W ≥ 0, how much each value counts; all the same
    if None. Returns float32 H×W, which may leave the range of the values.

    The guided filter (He, Sun and Tang 2013) with a weight: in every window the values are a linear function of the
    colour, by least squares; a pixel takes the mean of the functions of all windows around it. Windows of more than a
    few pixels are fitted on a coarser grid, as in their "Fast Guided Filter" of 2015; the functions act on the photo's own
    pixels either way.
    """
    cv2 = cv()
    h, w = values.shape
    step = max(1, min(radius // 3, h // 4, w // 4))
    small = (max(1, w // step), max(1, h // step))
    size = (2 * max(1, round(radius / step)) + 1,) * 2

    def shrunk(plane: NDArray[np.generic]) -> Floats:
        plane = np.asarray(plane, np.float32)
        return plane if step == 1 else cv2.resize(plane, small, interpolation=cv2.INTER_AREA)

    def mean(plane: Floats) -> Floats:
        return cv2.boxFilter(plane, -1, size)

    # Centred, so that variances do not drown in rounding.
    channels = [colour[..., c] * np.float32(1 / 255) - np.float32(0.5) for c in range(3)]
    if weight is None:
        planes = [mean(p) for p in _linear_fit(shrunk(values), [shrunk(c) for c in channels], epsilon, mean)]
    else:
        weight = np.maximum(weight, np.float32(1e-6))
        count = shrunk(weight)
        total = mean(count)
        level, *coarse = (shrunk(p * weight) / count for p in (values, *channels))
        fitted = _linear_fit(level, coarse, epsilon, lambda p: mean(p * count) / total)
        planes = [mean(p * total) / mean(total) for p in fitted]
    if step > 1:
        planes = [cv2.resize(p, (w, h), interpolation=cv2.INTER_LINEAR) for p in planes]
    out = planes[3]
    for c in range(3):
        out += planes[c] * channels[c]
    return out


def _linear_fit(values: Floats, channels: list[Floats], epsilon: float, mean: Callable[[Any], Any]) -> list[Any]:
    """Slopes for three channels and an offset, each float32 H×W: the least-squares fit in the window that `mean` takes."""
    means = [mean(c) for c in channels]
    level = mean(values)
    together = [mean(c * values) - m * level for c, m in zip(channels, means)]

    def covariance(i: int, j: int) -> Any:
        return mean(channels[i] * channels[j]) - means[i] * means[j] + np.float32(epsilon if i == j else 0)

    rr, rg, rb, gg, gb, bb = (covariance(i, j) for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)))
    # The inverse of the symmetric matrix of covariances, by cofactors.
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = np.maximum(rr * c00 + rg * c01 + rb * c02, np.float32(epsilon**3 / 2))
    rows = ((c00, c01, c02), (c01, c11, c12), (c02, c12, c22))
    slopes = [(row[0] * together[0] + row[1] * together[1] + row[2] * together[2]) / determinant for row in rows]
    return [*slopes, level - slopes[0] * means[0] - slopes[1] * means[1] - slopes[2] * means[2]]
