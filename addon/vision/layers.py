"""Cuts a photo and its depth into layers: connected sheets that go on behind whatever covers them.

1. Cuts: neighbouring pixels whose depths differ by more than the tear threshold (the edges of a layered depth image,
   Shade et al. 1998).
2. Levels: every pixel gets the number of its layer so that the two sides of a cut are never in the same one. The
   numbers are the rounded solution of a Poisson equation whose right-hand side steps by one at every cut: a closed
   silhouette comes out as a whole, an open one (a foot on the floor, the end of a fold) ends in a seam that runs over
   a smooth surface, where two sheets meet without a gap. People before a tree before a hill give three levels, ten
   things side by side still one.
3. Every level grows behind what covers it, as far as the reserve, its depth continued without a look at the front; it
   ends where it would come out in front.
4. Its colour there is filled from its own visible pixels only, and the mixed pixels along its rim are taken apart
   (refine.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .fill import push_pull
from .refine import Floats, Mask, matte_rims
from .texture import decoded, linear_to_srgb

Bytes = NDArray[np.uint8]
Fill = Callable[[Bytes, Mask, Mask], Bytes]
"""(colour H×W×3, source, domain) -> colour with the domain filled from the source."""

_ROUGH, _TANGLED = 10, 0.15  # pixels about a place, and the share of them beside cuts, from which it is a tangle
_SLOPES = 8  # times that steps are smoothed
SPECK = 12  # cuts of fewer pixels than this are noise (as in 3D Photo Inpainting)
BEHIND = 0.5  # pixels of parallax at the reserve that a hidden surface lies behind what covers it, at least
_LEAST_SHARE = 0.01  # a level that parts less than this share of all cuts is not worth an object
_CLAIM = 12  # times its own area that a piece of a sheet may go on behind others
_FOREIGN, _STRAY = 0.1, 0.005  # shares of a sheet and of the picture up to which that makes it a stray
_APART = 0.04  # difference of d between surfaces of one sheet
_GOOD = 0.6  # share of the front in a rim pixel up to which its background is a sample to fill from
_WISPS = 0.002  # of the longer side: how far beside a person's silhouette pixels may have hair in them
_OVERLAP = 2  # pixels that a sheet's colour goes on past its soft rim


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


@dataclass(frozen=True)
class Sheet:
    """One layer; arrays of its box, which may reach past the photo's border.

    box: (left, top, right, bottom) in pixels of the grid that it was cut on. colour: uint8 h×w×3, sRGB. cover: uint8
    h×w, where `colour` takes the place of the photo. matte: uint8 h×w, where the sheet is and how much it covers.
    d: float32 h×w, its depth where it is hidden; None if it is nowhere.
    """

    box: tuple[int, int, int, int]
    colour: Bytes
    cover: Bytes
    matte: Bytes
    d: Floats | None


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
    for _ in range(_SLOPES):
        across, down = (_stands_out(np.abs(np.diff(d, axis=axis)), steep) for axis in (1, 0))
        steps = np.zeros(d.shape, np.uint8)
        steps[:, 1:] |= across
        steps[:, :-1] |= across
        steps[1:] |= down
        steps[:-1] |= down
        steps[cut] = 0
        if not steps.any():
            break
        d = np.where(cv2.dilate(steps, np.ones((3, 3), np.uint8)).astype(bool) & ~cut, cv2.blur(d, (3, 3)), d)
    return d


def _stands_out(step: Floats, least: float) -> Mask:
    """Which steps are more than `least` and more than those around them: slopes that are as steep all over are as they should be."""
    return (step > least) & (step > 2 * cv().blur(step, (5, 5)))


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
        free = np.ones(levels.shape, np.uint8)
        free.ravel()[rim] = 0
        away, nearest = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        owner = np.zeros(int(nearest.max()) + 1, np.int32)
        owner[nearest.ravel()[rim]] = pieces.ravel()[rim]
        claimed = np.bincount(owner[nearest[(levels < level) & (away <= reach)]], minlength=count)
        own = level_of == level
        suspects = np.flatnonzero(own & (claimed > _CLAIM * area))
        if not len(suspects):
            continue
        surface = _group(own, pieces.ravel()[rim], d.ravel()[rim], depth)
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
            y, x = np.nonzero(steps == sign)
            before = y * width + x  # the left or the upper pixel of the two
            here.append(before + one if sign == side else before)
            there.append(before if sign == side else before + one)
    on_side = np.zeros(cuts.across.shape[0] * width, bool)
    for places in here:
        on_side[places] = True
    places = np.flatnonzero(on_side)
    return _CutSide(places, [np.searchsorted(places, h) for h in here], there)


# Sheets ----------------------------------------------------------------------------------------------------------------


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
    goes_on: Mask | None = None,
) -> list[Sheet]:
    """Make the sheet of every level, from front to back.

    colour: uint8 H×W×3, sRGB. d: float32 H×W in [0, 1]. sky: the last level is infinitely far. reach: pixels that a sheet goes on behind what covers it.
    ring: pixels that it goes on past the photo's border. fill: what fills colour. progress: called with 0..1; may raise
    to cancel. goes_on: bool H×W, where what is covered goes on in any case, pushed behind what covers it if it would come out in front; a strip
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
    away = [_distance(padded.known.shape, (y[under_level == level], x[under_level == level])) for level in range(count)]
    outside = _past_border(cuts, ring)
    covered = np.zeros(padded.known.shape, bool)
    sheets = []
    for level in reversed(range(count)):
        over = rims.front == level
        under = under_level == level
        edges = _Edges((y[over], x[over]), front[over], rims.alpha[over], (y[under], x[under]), behind[under], rims.alpha[under])
        own = (padded.levels == level) & ~(outside & covered)
        sheet = _cut_sheet(padded, level, own, edges, away[level:], sky and level == count - 1, reach, ring, fill)
        left, top, right, bottom = (at + ring for at in sheet.box)
        covered[top:bottom, left:right] |= sheet.matte == 255
        sheets.append(sheet)
        progress((count - level) / count)
    return sheets[::-1]


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


def _cut_sheet(
    photo: _Padded, level: int, own: Mask, edges: _Edges, away: list[Floats], endless: bool, reach: int, ring: int, fill: Fill
) -> Sheet:
    hidden, close = np.zeros_like(own), np.zeros_like(own)
    if level > 0 and len(edges.under[0]):
        # Where a farther sheet's rim is nearer, that one is what is behind.
        hidden = (photo.levels < level) & (away[0] <= reach)
        for farther in away[1:]:
            hidden &= away[0] <= farther + 1
        close = away[0] <= _OVERLAP + 1
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
        first = np.nonzero(hidden & (close[rows, columns] | photo.goes_on))
        d[first] = np.minimum(d[first], photo.d[first] - least)
        hidden &= photo.d - d >= least * np.float32(0.99)
        np.copyto(d, photo.d, where=~hidden)
    matte = np.where(own | hidden, np.uint8(255), np.uint8(0))
    # Sheets meet at seams over smooth surfaces without a gap.
    seam = _grow(own, photo.across, photo.down, _OVERLAP) & (matte == 0)
    matte[seam] = 255

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
            np.copyto(colour[window], fill(np.ascontiguousarray(colour[window]), known, here), where=here[..., None])
            cover[window][here] = 255
    bare = ~beside[under]
    colour[under[0][bare], under[1][bare]] = edges.behind[bare]
    cover[under] = 255
    colour[over], cover[over] = edges.colour, 255
    matte[over] = np.rint(edges.alpha * 255).astype(np.uint8)
    if len(over[0]):
        _spread(colour, cover, over, matte)
    left, top = box[0] - ring, box[1] - ring
    return Sheet((left, top, left + matte.shape[1], top + matte.shape[0]), colour, cover, matte, d if hidden.any() else None)


def _surfaces(own: Mask, hidden: Mask, under: tuple[NDArray[np.intp], NDArray[np.intp]], d: Floats) -> Bytes:
    """Which of a sheet's surfaces each pixel belongs to: uint8 H×W, 0 for none.

    A sheet may hold things that have nothing to do with each other, an arm in front of the chest and the wall behind it. Its
    connected parts of about the same depth are one surface; a hidden place belongs to that of the nearest rim.
    """
    cv2 = cv()
    count, parts = cv2.connectedComponents(own.view(np.uint8), connectivity=4)
    rimless = np.arange(count) > 0
    rimless[parts[under]] = False
    inside = np.flatnonzero(rimless[parts])
    which = parts.ravel()[inside]
    depth = np.bincount(which, d[np.divmod(inside, d.shape[1])], minlength=count) / np.maximum(np.bincount(which, minlength=count), 1)
    surface = _group(np.arange(count) > 0, parts[under], d[under], depth)
    found = surface[parts]
    if hidden.any() and len(under[0]):
        rim = np.ones(own.shape, np.uint8)
        rim[under] = 0
        _, nearest = cv2.distanceTransformWithLabels(rim, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        owner = np.zeros(int(nearest.max()) + 1, np.uint8)
        owner[nearest[under]] = found[under]
        places = np.flatnonzero(hidden)
        found.ravel()[places] = owner[nearest.ravel()[places]]
    return found


def _group(own: Mask, at_rims: NDArray[np.int32], d: Floats, depth: NDArray[np.float64]) -> Bytes:
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
    for _ in range(12):
        cv2.copyTo(cv2.blur(part, (3, 3)), mask, part)
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
