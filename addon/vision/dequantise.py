"""Takes the terraces off a depth map that was stored with few levels, without changing what it says.

A value stored as level q came from somewhere within half a level of q. Of all surfaces inside these bounds the smoothest
(least squared second difference) is taken: on a slope it passes through the places where one level meets the next,
which are the only ones that are known exactly. Accelerated projected gradient (Beck and Teboulle 2009, FISTA) on a
pyramid of subsampled maps, coarse to fine, so that terraces far wider than a filter are levelled too. Neighbours that
are more than one and a half levels apart are not joined: silhouettes stay where they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST_LEVELS = 256  # a map of more levels shows no terraces
_FEWEST_LEVELS = 16  # below this the levels are more likely flat things than a slope cut up
_JUMP = 1.5  # levels
_WORK_PIXELS = 4_000_000  # finer levels of the pyramid are interpolated only, which bounds time and memory
_TENSION = 0.01  # weight of the first difference: what is flat stays flat
_STRIDE = 1 / (32 + 8 * _TENSION)  # one over the largest eigenvalue of the energy's matrix


def level_step(values: Floats, *, integer: bool) -> float | None:
    """The distance between the levels of a coarsely stored map, None if it has more than 256.

    An 8-bit map in a 16-bit file, or one divided by 255, is seen through. Levels that do not lie evenly (a tone curve
    was applied) count as single steps of an integer file; of a float file they say nothing.
    """
    known = values[np.isfinite(values)]
    if known.size == 0 or len(np.unique(known[:: max(1, known.size // 65536)])) > MOST_LEVELS:
        return None
    levels = np.unique(known).astype(np.float64)
    if not 1 < len(levels) <= MOST_LEVELS:
        return None
    extent = levels[-1] - levels[0]
    count = np.rint(extent / np.median(np.diff(levels)))
    step = extent / count
    places = (levels - levels[0]) / step
    even = count >= _FEWEST_LEVELS - 1 and count < 2 * MOST_LEVELS and bool((abs(places - np.rint(places)) < 0.1).all())
    if even:
        return float(step)
    return 1.0 if integer and extent <= 255 else None


def dequantise(values: Floats, step: float) -> Floats:
    """Return float32 H×W within ±`step`/2 of `values`, smooth where `values` go up and down in levels of `step`.

    NaN and infinities stay what they are and are joined to nothing.
    """
    known = np.isfinite(values)
    levels = np.where(known, values, 0) / np.float32(step)
    grids = _pyramid(levels.astype(np.float32), known)
    surface = grids[-1][0]
    for depth in range(len(grids) - 1, -1, -1):
        quantised, across, down = grids[depth]
        if surface is not quantised:
            surface = _finer(surface, quantised, across, down)
        if quantised.size <= _WORK_PIXELS:
            surface = _relax(surface, quantised, across, down, min(400, 6 + 10 * 2**depth))
    # The bound is held in the map's own numbers, after rounding to float32.
    half = np.float32(step / 2)
    smooth = np.clip(surface * np.float32(step), values - half, values + half)
    return np.where(known, smooth, values).astype(np.float32)


Grid = tuple[Floats, Floats, Floats]
"""Levels H×W; 1 where a pixel is joined to its right neighbour, H×(W−1); to the one below, (H−1)×W."""


def _pyramid(levels: Floats, known: NDArray[np.bool_]) -> list[Grid]:
    """The map and its subsamples by 2, 4, …; coarse neighbours are joined if all links on the way between them are."""
    across = (abs(np.diff(levels, axis=1)) <= _JUMP) & known[:, 1:] & known[:, :-1]
    down = (abs(np.diff(levels, axis=0)) <= _JUMP) & known[1:] & known[:-1]
    grids: list[Grid] = [(levels, across.astype(np.float32), down.astype(np.float32))]
    while max(grids[-1][0].shape) > 16:
        quantised, across_, down_ = grids[-1]
        joined_across = across_[::2, 0:-1:2] * across_[::2, 1::2] if across_.shape[1] > 1 else across_[::2, :0]
        joined_down = down_[0:-1:2, ::2] * down_[1::2, ::2] if down_.shape[0] > 1 else down_[:0, ::2]
        coarse = np.ascontiguousarray(quantised[::2, ::2])
        grids.append((coarse, _shape(joined_across, coarse, 1), _shape(joined_down, coarse, 0)))
    return grids


def _shape(links: Floats, grid: Floats, axis: int) -> Floats:
    """Links cut to one less than the grid along `axis`."""
    return np.ascontiguousarray(links[:, : grid.shape[1] - 1] if axis else links[: grid.shape[0] - 1])


def _finer(coarse: Floats, quantised: Floats, across: Floats, down: Floats) -> Floats:
    """Interpolate a surface to twice the resolution along links only, within half a level of `quantised`."""
    fine = quantised.copy()
    fine[::2, ::2] = coarse
    _between(fine[::2].T, across[::2].T)
    _between(fine, down)
    return np.clip(fine, quantised - 0.5, quantised + 0.5, out=fine)


def _between(rows: Floats, links: Floats) -> None:
    """Set every odd row to the mean of its joined neighbours, in place; one that has none keeps its value."""
    above, odd = links[::2], rows[1::2]
    total = above * rows[: 2 * len(odd) : 2]
    weight = above.copy()
    below = links[1::2]
    total[: len(below)] += below * rows[2 : 2 * len(below) + 1 : 2]
    weight[: len(below)] += below
    np.divide(total, weight, out=odd, where=weight > 0)


def _relax(surface: Floats, quantised: Floats, across: Floats, down: Floats, rounds: int) -> Floats:
    """Lessen the energy, holding the surface within half a level of `quantised`."""
    low, high = quantised - np.float32(0.5), quantised + np.float32(0.5)
    bend_across, bend_down = across[:, 1:] * across[:, :-1], down[1:] * down[:-1]
    ahead, last, momentum = surface.copy(), surface, 1.0
    gradient = np.empty_like(surface)
    for _ in range(rounds):
        gradient.fill(0)
        _pull(ahead.T, gradient.T, across.T, bend_across.T)
        _pull(ahead, gradient, down, bend_down)
        gradient *= np.float32(-_STRIDE)
        gradient += ahead
        found = np.clip(gradient, low, high)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        np.subtract(found, last, out=ahead)
        ahead *= np.float32((momentum - 1) / following)
        ahead += found
        last, momentum = found, following
    return last


def _pull(rows: Floats, gradient: Floats, links: Floats, bends: Floats) -> None:
    """Add the energy's gradient along the first axis: squared second differences, and weakly squared first ones."""
    slope = np.subtract(rows[1:], rows[:-1])
    slope *= links
    bend = np.subtract(slope[1:], slope[:-1])
    bend *= bends
    # The gradient of both terms goes through the slopes: d(bend)/d(slope) is +1 and −1.
    slope *= np.float32(_TENSION)
    slope[:-1] -= bend
    slope[1:] += bend
    gradient[1:] += slope
    gradient[:-1] -= slope
