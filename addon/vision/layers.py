"""Finds the layers of a photo by its depth: which pixels belong to one connected sheet (cut out in sheets.py).

1. Cuts: neighbouring pixels whose depths differ by more than the tear threshold (the edges of a layered depth image,
   Shade et al. 1998).
2. Levels: every pixel gets the number of its layer so that the two sides of a cut are never in the same one. The
   numbers are the rounded solution of a Poisson equation whose right-hand side steps by one at every cut: a closed
   silhouette comes out as a whole, an open one (a foot on the floor, the end of a fold) ends in a seam that runs over
   a smooth surface, where two sheets meet without a gap. People before a tree before a hill give three levels, ten
   things side by side still one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .refine import Floats, Mask

Bytes = NDArray[np.uint8]

_ROUGH, _TANGLED = 10, 0.15  # pixels about a place, and the share of them beside cuts, from which it is a tangle
_SLOPES = 8  # times that steps are smoothed
SPECK = 12  # cuts of fewer pixels than this are noise (as in 3D Photo Inpainting)
_LEAST_SHARE = 0.01  # a level that parts less than this share of all cuts is not worth an object
_COUNTED = 1_000_000  # pixels of a picture from which on how much a piece goes on behind others is counted on every other one
_CLAIM = 12  # times its own area that a piece of a sheet may go on behind others
_APART = 0.04  # difference of d between surfaces of one sheet
_FOREIGN, _STRAY = 0.1, 0.005  # shares of a sheet and of the picture up to which that makes it a stray


class Cuts(NamedTuple):
    """Where neighbours belong to different surfaces: int8, +1 if the right (lower) one is nearer, -1 if farther, 0 no cut.

    across: H×(W-1), between a pixel and its right neighbour. down: (H-1)×W, between a pixel and the one below.
    """

    across: NDArray[np.int8]
    down: NDArray[np.int8]

    def sides(self) -> tuple[Mask, Mask]:
        """Bool H×W each: the pixels on the near and on the far side of a cut."""
        h, w = self.across.shape[0], self.down.shape[1]
        near, far = np.zeros((h, w), bool), np.zeros((h, w), bool)
        for mask, sign in ((near, 1), (far, -1)):
            mask[:, 1:] |= self.across == sign
            mask[:, :-1] |= self.across == -sign
            mask[1:] |= self.down == sign
            mask[:-1] |= self.down == -sign
        return near, far


# Cuts and levels -------------------------------------------------------------------------------------------------------


def find_cuts(d: Floats, tear: float, sky: Mask | None = None) -> Cuts:
    """The cuts of a depth map. d: float32 H×W in [0, 1]; tear: the least difference of d; sky: always cut off."""
    across, down = np.diff(d, axis=1), np.diff(d, axis=0)
    cuts = Cuts((across > tear).astype(np.int8) - (across < -tear), (down > tear).astype(np.int8) - (down < -tear))
    if sky is not None and sky.any():
        s = sky.astype(np.int8)
        horizon = Cuts(-np.diff(s, axis=1), -np.diff(s, axis=0))
        cuts = Cuts(*(np.where(h != 0, h, c).astype(np.int8) for h, c in zip(horizon, cuts)))
    return _without_specks(cuts)


def _without_specks(cuts: Cuts) -> Cuts:
    cv2 = cv()
    near, far = cuts.sides()
    count, labels, stats, _ = cv2.connectedComponentsWithStats((near | far).astype(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < SPECK
    small[0] = False
    if count <= 1 or not small.any():
        return cuts
    speck = small[labels]
    return Cuts(
        np.where(speck[:, 1:] & speck[:, :-1], 0, cuts.across).astype(np.int8),
        np.where(speck[1:] & speck[:-1], 0, cuts.down).astype(np.int8),
    )


def without_specks(d: Floats, cuts: Cuts, tear: float, steep: float) -> Floats:
    """Even out steps that are not cut, but would open here and there as specks in a smooth surface.

    d: float32 H×W in [0, 1]. Single pixels that stand out by more than `tear` take the median of their neighbours, steps of more than
    `steep` become slopes over a few pixels, but not beside cuts and among many, where they may be leaves or hair.
    """
    cv2 = cv()
    near, far = cuts.sides()
    cut = near | far
    median = cv2.medianBlur(d, 3)
    d = np.where((np.abs(d - median) > tear) & ~cut, median, d)
    cut |= cv2.blur(cut.astype(np.float32), (2 * _ROUGH + 1, 2 * _ROUGH + 1)) > _TANGLED
    places = None
    for _ in range(_SLOPES):
        steps = np.zeros(d.shape, np.uint8)
        for axis, step in ((1, 1), (0, d.shape[1])):
            found = _standing_out(d, places, axis, steep)
            steps.ravel()[found] = steps.ravel()[found + step] = 1
        steps[cut] = 0
        # Only what was smoothed, or lies beside that, can stand out the next time.
        smoothed = np.flatnonzero((cv2.dilate(steps, np.ones((3, 3), np.uint8)) > 0) & ~cut)
        if not len(smoothed):
            break
        d.ravel()[smoothed] = _mean_around(d, *np.divmod(smoothed, d.shape[1]), 1)
        changed = np.zeros(d.shape, np.uint8)
        changed.ravel()[smoothed] = 1
        places = np.flatnonzero(cv2.dilate(changed, np.ones((7, 7), np.uint8))) if len(smoothed) < d.size / 50 else None
    return d


def _standing_out(d: Floats, places: NDArray[np.intp] | None, axis: int, least: float) -> NDArray[np.intp]:
    """Where d steps by more than `least`, and by more than twice the mean of the steps around, to the right (axis 1) or down (axis 0).

    Slopes that are as steep all over are as they should be. places: flat indices in which to look; None for all. Returns some of them.
    """
    h, w = d.shape
    steps = cv().absdiff(*((d[:, 1:], d[:, :-1]) if axis == 1 else (d[1:], d[:-1])))
    width = steps.shape[1]
    if places is None:
        at = np.flatnonzero(steps > least)
        y, x = np.divmod(at, width)
    else:
        y, x = np.divmod(places, w)
        inside = (x < width) & (y < len(steps))
        y, x = y[inside], x[inside]
        at = y * width + x
        steep = steps.take(at) > least
        y, x, at = y[steep], x[steep], at[steep]
    out = steps.take(at) > 2 * _mean_around(steps, y, x, 2)
    return (y * w + x)[out]


def _mean_around(values: Floats, y: NDArray[np.intp], x: NDArray[np.intp], reach: int) -> Floats:
    """The mean of the values within `reach` rows and columns of some places, mirrored at the border."""
    h, w = values.shape
    side = 2 * reach + 1
    if len(y) * side > values.size / 8:  # then it is quicker to have it everywhere
        return cv().blur(values, (side, side))[y, x]
    total = np.zeros(len(y), np.float32)
    columns = [_mirrored(x + dx, w) for dx in range(-reach, reach + 1)]
    for dy in range(-reach, reach + 1):
        row = _mirrored(y + dy, h) * w
        for column in columns:
            total += values.take(row + column)
    return total / np.float32(side * side)


def _mirrored(at: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    at = np.abs(at)
    return np.where(at < count, at, np.maximum(2 * count - 2 - at, 0))


def find_levels(d: Floats, cuts: Cuts, most: int, sky: Mask | None = None) -> NDArray[np.int32]:
    """Number every pixel's layer: int32 H×W, 0 in front, at most `most` of them, and the sky's own behind them all.

    d: float32 H×W in [0, 1], which weighs the cuts: where there are too many levels, those are joined that part least.
    """
    phi = _potential(cuts)
    levels = np.floor(phi - _best_offset(phi, cuts)).astype(np.int32)
    levels = levels.max() - levels
    levels = _repair(_join(levels, d, cuts, max(1, most)), cuts)
    if sky is not None and sky.any():
        levels = np.unique(np.where(sky, -1, levels), return_inverse=True)[1].reshape(levels.shape).astype(np.int32)
        levels = np.where(levels == 0, levels.max(), levels - 1).astype(np.int32)  # the sky's number goes from first to last
    return levels


def _potential(cuts: Cuts) -> Floats:
    """The function that steps by one at every cut and is as even as it can be elsewhere.

    Least squares: its Laplacian is the divergence of the steps, solved exactly by cosine transforms (no flow through
    the borders).
    """
    cv2 = cv()
    h, w = cuts.across.shape[0], cuts.down.shape[1]
    # The transform is fast for sides of small factors; past the borders there are no steps.
    sides = tuple(2 * cv2.getOptimalDFTSize((n + 1) // 2) for n in (h, w))
    source = np.zeros(sides, np.float32)
    source[:h, : w - 1] += cuts.across
    source[:h, 1:w] -= cuts.across
    source[: h - 1, :w] += cuts.down
    source[1:h, :w] -= cuts.down
    spectrum = cv2.dct(source)
    vertical, horizontal = (2 * np.cos(np.pi * np.arange(n) / n) - 2 for n in sides)
    curvature = (vertical[:, None] + horizontal).astype(np.float32)
    curvature[0, 0] = 1
    spectrum /= curvature
    spectrum[0, 0] = 0
    return cv2.idct(spectrum)[:h, :w]


def _best_offset(phi: Floats, cuts: Cuts) -> float:
    """Where to put the thresholds, which are one apart: with the fewest seams over smooth surfaces and no cut missed."""
    step = max(1, round((phi.size / 250_000) ** 0.5))
    pairs = (
        (phi[::step, :-1].ravel(), phi[::step, 1:].ravel(), cuts.across[::step].ravel()),
        (phi[:-1, ::step].ravel(), phi[1:, ::step].ravel(), cuts.down[:, ::step].ravel()),
    )
    offsets = np.linspace(0, 1, 24, endpoint=False, dtype=np.float32)
    costs = np.zeros(len(offsets))
    for a, b, cut in pairs:
        # Most neighbours lie between the same two thresholds whatever the offset, and count nowhere; a hundredth for rounding.
        low, high = np.minimum(a, b) * len(offsets) - 0.01, np.maximum(a, b) * len(offsets) + 0.01
        counted = (cut != 0) | (np.floor(low) != np.floor(high))
        a, b, cut = a[counted], b[counted], cut[counted]
        for i, offset in enumerate(offsets):
            rise = np.floor(b - offset) - np.floor(a - offset)
            costs[i] += np.count_nonzero((rise != 0) & (cut == 0)) + 2 * np.count_nonzero((rise * cut <= 0) & (cut != 0))
    return float(offsets[np.argmin(costs)])


def _join(levels: NDArray[np.int32], d: Floats, cuts: Cuts, most: int) -> NDArray[np.int32]:
    """Join neighbouring levels, those first that are parted by the least depth, until there are few enough."""
    count = int(levels.max()) + 1
    parted = np.zeros(count)  # [i]: what is parted between level i-1 and level i alone
    for cut, a, b, da, db in (
        (cuts.across, levels[:, :-1], levels[:, 1:], d[:, :-1], d[:, 1:]),
        (cuts.down, levels[:-1], levels[1:], d[:-1], d[1:]),
    ):
        here = np.nonzero(cut)
        a, b, apart = a[here], b[here], np.abs(da[here] - db[here])
        next_to = np.abs(a - b) == 1
        parted += np.bincount(np.maximum(a, b)[next_to], apart[next_to], minlength=count)
    total = parted.sum()
    kept = list(range(1, count))
    while kept and (len(kept) + 1 > most or parted[kept].min() < _LEAST_SHARE * total or parted[kept].min() == 0):
        kept.pop(int(np.argmin(parted[kept])))
    return np.searchsorted(kept, levels, side="right").astype(np.int32)


def _repair(levels: NDArray[np.int32], cuts: Cuts) -> NDArray[np.int32]:
    """Part the cuts that still have one level on both sides, near their ends and where many meet, pixel by pixel.

    The near pixel is moved to the front of the far one, or the far one behind it; a strip that stands out from its
    surface by this costs nothing, since seams are closed.
    """
    last = int(levels.max())
    levels = levels.copy()
    flat = levels.ravel()
    near, far = _sides(cuts, 1), _sides(cuts, -1)
    for _ in range(6):
        most = near.choose(flat, np.minimum, last + 1) - 1  # the near pixel lies before the far one
        front = np.maximum(np.minimum(flat[near.places], most), 0)
        changed = not np.array_equal(flat[near.places], front)
        flat[near.places] = front
        least = far.choose(flat, np.maximum, -1) + 1
        back = np.minimum(np.maximum(flat[far.places], least), last)
        changed |= not np.array_equal(flat[far.places], back)
        flat[far.places] = back
        if not changed:
            break
    return levels


def give_back(levels: NDArray[np.int32], d: Floats, cuts: Cuts, reach: int) -> NDArray[np.int32]:
    """Take small pieces out of levels in which they would have to go on far behind what stands before them.

    Where many cuts meet (hair, leaves) no numbering suits them all, and a piece of a strand may end up in one level with
    the wall. It would be continued behind the head, as large as that. Such a piece goes to the level of the neighbour that
    is nearest in depth; what is left of the cut between them is a tear inside that sheet.

    levels: int32 H×W. d: float32 H×W. reach: pixels that sheets go on behind others. Returns int32 H×W, numbered without gaps.
    """
    cv2 = cv()
    far = _sides(cuts, -1)
    step = 1 if levels.size <= _COUNTED else 2  # every other pixel tells how many there are
    pieces, area, boxes = pieces_of(levels, cuts)
    count = len(area)
    depth = np.bincount(pieces.ravel(), d.ravel(), minlength=count) / np.maximum(area, 1)
    levels = levels.copy()
    level_of = np.zeros(count, np.int32)  # of pieces, which move as a whole
    level_of[pieces] = levels
    for level in range(1, int(levels.max()) + 1):
        rim = far.places[(levels.ravel()[far.places] == level) & (far.choose(levels.ravel(), np.minimum, level) < level)]
        if not len(rim):
            continue
        seen = levels[::step, ::step]
        free = np.ones(seen.shape, np.uint8)
        at = tuple(part // step for part in np.divmod(rim, levels.shape[1]))
        free[at] = 0
        away, nearest = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        owner = np.zeros(int(nearest.max()) + 1, np.int32)
        owner[nearest[at]] = pieces.ravel()[rim]
        claimed = step**2 * np.bincount(owner[nearest[(seen < level) & (away * step <= reach)]], minlength=count)
        own = level_of == level
        suspects = np.flatnonzero(own & (claimed > _CLAIM * area))
        if not len(suspects):
            continue
        surface = group_surfaces(own, pieces.ravel()[rim], d.ravel()[rim], depth)
        unfit = np.zeros(count, bool)
        for piece in suspects:
            left, top, right, bottom = boxes[piece]
            around = surface[pieces[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach]]
            same, sheet = np.count_nonzero(around == surface[piece]), np.count_nonzero(around)
            unfit[piece] = claimed[piece] > _CLAIM * same and same < max(_FOREIGN * sheet, _STRAY * levels.size)
        if unfit.any():
            levels = _moved_to_neighbours(levels, d, unfit, pieces, boxes)
            level_of[pieces] = levels
    used = np.bincount(levels.ravel()) > 0
    return (np.cumsum(used, dtype=np.int32) - 1)[levels]


def pieces_of(levels: NDArray[np.int32], cuts: Cuts) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.int32]]:
    """Number what hangs together within a level without a cut between: int32 H×W, from 1.

    Returns the numbers, the area of each in pixels, and its box (left, top, right, bottom): int n+1 and int32 (n+1)×4.
    """
    cv2 = cv()
    h, w = levels.shape
    links = np.zeros((2 * h - 1, 2 * w - 1), np.uint8)  # pixels, and between them whether they are joined
    links[::2, ::2] = 1
    links[::2, 1::2] = (cuts.across == 0) & (levels[:, 1:] == levels[:, :-1])
    links[1::2, ::2] = (cuts.down == 0) & (levels[1:] == levels[:-1])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(links, connectivity=4)
    pieces = np.ascontiguousarray(labels[::2, ::2])
    corner, extent = stats[:, :2] // 2, (stats[:, 2:4] + 1) // 2
    return pieces, np.bincount(pieces.ravel(), minlength=len(stats)), np.concatenate([corner, corner + extent], 1)


def _moved_to_neighbours(
    levels: NDArray[np.int32], d: Floats, moving: Mask, pieces: NDArray[np.int32], boxes: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The levels with every moving piece in the one that its pixels' neighbours nearest in depth have most often.

    moving: bool n, of the pieces; boxes: theirs.
    """
    h, w = levels.shape
    found = []
    for piece in np.flatnonzero(moving):
        left, top, right, bottom = boxes[piece]
        py, px = np.nonzero(pieces[top:bottom, left:right] == piece)
        found.append((py + top, px + left))
    y, x = (np.concatenate(part) for part in zip(*found))
    best, choice = np.full(len(y), np.inf, np.float32), np.full(len(y), -1)
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        ny, nx = (y + dy).clip(0, h - 1), (x + dx).clip(0, w - 1)
        apart = np.abs(d[ny, nx] - d[y, x])
        nearer = ~moving[pieces[ny, nx]] & (apart < best)
        best[nearer], choice[nearer] = apart[nearer], levels[ny, nx][nearer]
    own = np.repeat(np.arange(len(found)), [len(part[0]) for part in found])
    ballots = np.zeros((len(found), int(levels.max()) + 1), np.float32)
    touching = choice >= 0
    np.add.at(ballots, (own[touching], choice[touching]), 1 / (best[touching] + 0.01))
    target = np.where(ballots.max(1) > 0, ballots.argmax(1), -1)
    out = levels.copy()
    new = target[own]
    out[y, x] = np.where(new >= 0, new, levels[y, x])
    return out


def group_surfaces(own: Mask, at_rims: NDArray[np.int32], d: Floats, depth: NDArray[np.float64]) -> Bytes:
    """The surface that each of n connected parts belongs to: uint8 n, 0 for those that are not the sheet's own (bool n).

    at_rims: int m, the parts at the sheet's rims, d: float32 m, how deep they are there. depth: float n, how deep parts are on the
    whole.
    """
    # What counts is how deep a part is where it goes on; elsewhere, on the whole.
    times = np.bincount(at_rims, minlength=len(own))
    depth = np.where(times > 0, np.bincount(at_rims, d, minlength=len(own)) / np.maximum(times, 1), depth)
    parts = np.flatnonzero(own)
    parts = parts[np.argsort(depth[parts])]
    surface = np.zeros(len(own), np.uint8)  # there is room for 1 / _APART
    surface[parts] = 1 + np.cumsum(np.diff(depth[parts], prepend=depth[parts][:1]) > _APART)
    return surface


class _CutSide(NamedTuple):
    """The pixels on one side of the cuts.

    places: int n, flat indices of the pixels, ascending. own, across: for each of the four directions, which of `places` have a
    cut there, and the flat indices of the pixels across it.
    """

    places: NDArray[np.intp]
    own: list[NDArray[np.intp]]
    across: list[NDArray[np.intp]]

    def choose(self, values: NDArray[np.int32], choose: Callable[..., Any], none: int) -> NDArray[np.int32]:
        """For every place the chosen of `none` and the values (flat, of the whole picture) across its cuts: int32 n."""
        found = np.full(len(self.places), none, np.int32)
        for own, across in zip(self.own, self.across):
            found[own] = choose(found[own], values[across])
        return found


def _sides(cuts: Cuts, side: int) -> _CutSide:
    """The pixels on the near (side = 1) or far (-1) side of cuts."""
    width = cuts.down.shape[1]
    here, there = [], []
    for steps, one in ((cuts.across, 1), (cuts.down, width)):
        for sign in (side, -side):
            before = np.flatnonzero(steps == sign)  # the left or the upper pixel of the two
            if steps is cuts.across:
                before += before // (width - 1)  # a row has one pixel more than it has steps
            here.append(before + one if sign == side else before)
            there.append(before if sign == side else before + one)
    on_side = np.zeros(cuts.across.shape[0] * width, bool)
    for places in here:
        on_side[places] = True
    places = np.flatnonzero(on_side)
    return _CutSide(places, [np.searchsorted(places, h) for h in here], there)
