"""Where to copy from: for every cell of a coarse grid over a hole, the cells of the source whose surroundings look alike.

PatchMatch (Barnes et al. 2009) run from the rim of a hole inwards, shell by shell, so that what enters the hole is
continued (as Criminisi et al. 2004 do it, but for a whole shell at a time); on a coarse grid first, then aligned on a finer
one. What is found is a map of shifts (Pritch et al. 2009), good for copying pixels at full size. Neighbours that share a
shift are favoured, so that whole pieces are copied (Ashikhmin 2001), and samples that are already used are not, so that
nothing repeats (Kaspar et al. 2015). Nothing outside the samples and the known cells is ever read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Mask = NDArray[np.bool_]

CELLS = (3_000, 16_000, 48_000)
"""Cells over the holes on the grids; time is proportional to them, whatever the photo's size."""
FINEST = 238
LEAST_SAMPLES, MOST_SAMPLES = 16, 80_000  # below that a grid is too coarse; only the nearest are used beyond
CHOICES = 6  # candidates that are kept for every cell

_REACH = 4  # cells: half the side of a patch
_DENSE = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
_SPARSE = [(y, x) for y in (-4, 0, 4) for x in (-4, 0, 4) if (y, x) != (0, 0)]
_PATCH = np.array(_DENSE + _SPARSE)
_PATCH_WEIGHTS = np.array([np.exp(-(y * y + x * x) / 12.5) for y, x in _DENSE] + [0.25] * len(_SPARSE), np.float32)
_AROUND = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))

_KNOWN_SHARE = 0.4  # a cell with so much source in it is part of the context
_LEAST_OVERLAP = 0.25  # share of a sample's patch that must be known
_RANDOM_TRIES, _WINDOW = 8, 14  # looks around the mirrored place, up to so many cells off
_FREE, _FAR = 6.0, 1.0  # cells beyond twice the depth that cost nothing; cost of a cell's square after that
_COHERENCE, _REPETITION = 0.5, 0.4  # how much cheaper a shift is that all neighbours have; dearer, a sample already used
_GUIDE, _GUIDE_SCALE = 0.6, 2.0  # weight of differing from the smooth filling; cells over which colours are broad
_FLOOR = 60.0  # squared difference, over three channels of 8 bits, that is as good as none
_TRUST = (0.15, 0.9)  # of structure: where nothing alike was found, and where its like was
_UNSEEN = 3000.0  # cost of having almost nothing to compare
_SHELL = 3.0  # cells: how deep a shell is
_LEAST_RATIO = 1.5  # between the finest grid and the next coarser one
_AWAY = 24  # cells from a hole beyond which nothing is sampled, besides twice its depth
_SETTLED = 8  # cells from what is known up to which shifts are settled on the finer grid
_CARRIED = 3  # candidates taken from the coarse grid to the fine one
_AT_ONCE = 4000  # cells at a time, which bounds the memory
_PAIRS = 4000  # of cells and candidates that are compared at a time, which stay within the processor's cache
_FEW = 200  # cells, for which sorting by the number of their candidates is not worth it
_NONE = np.iinfo(np.int32).max  # no sample; comes last


class Grid(NamedTuple):
    """A photo in cells of step×step pixels; arrays are h×w cells.

    image: float32 h×w×3 in 0..255, the mean of a cell's source pixels. smooth: float32 h×w×3, a smooth filling. known:
    cells that show enough source to be compared. samples: cells that are source throughout. wanted: cells with a pixel to
    be filled.
    """

    step: int
    image: Floats
    smooth: Floats
    known: Mask
    samples: Mask
    wanted: Mask


class Matches(NamedTuple):
    """What was found for the n wanted cells of a grid, best first.

    cells: int n, flat indices into the grid. samples: int n×CHOICES, the same of the sample cells. weights: float32
    n×CHOICES, adding up to 1. trust: float32 n in [0, 1], how surely the surroundings tell what is there.
    """

    grid: Grid
    cells: NDArray[np.intp]
    samples: NDArray[np.intp]
    weights: Floats
    trust: Floats


def find_matches(
    known: Floats, smooth: Floats, domain: Mask, *, seed: int, least_cell: int = 1, progress: Callable[[float], None] = lambda share: None
) -> Matches | None:
    """Find for every cell over `domain` the like-most cells of the source; None if the source is too small to compare.

    known: float32 4×H×W, red, green and blue in 0..255, and 1 in the source; 0 outside it. smooth: float32 3×H×W, broad
    colour, which guides the search. domain: bool H×W, disjoint from the source and not empty. least_cell: pixels along the side of a
    cell, at least where the source is not too narrow for that. The same seed gives the same result.
    """
    rng = np.random.default_rng(seed)
    area = np.count_nonzero(domain)
    least = max(round(max(domain.shape) / FINEST), math.ceil((area / CELLS[-1]) ** 0.5))
    finest = max(least, least_cell)
    coarser = sorted({step for cells in CELLS[:-1] if (step := round((area / cells) ** 0.5)) > finest}, reverse=True)
    # A grid that is hardly coarser than the finest tells nothing that this would not find; the coarsest is where it begins.
    steps = [*coarser[:1], *(step for step in coarser[1:] if step >= _LEAST_RATIO * finest), finest]
    hole = domain.astype(np.float32)
    field: _Field | None = None
    for step in [*steps, least] if least < finest else steps:
        if step < finest and field is not None:
            break  # as fine as is asked for
        grid = _make_grid(known, smooth, hole, step)
        if np.count_nonzero(grid.samples) < LEAST_SAMPLES and step > 1:
            continue  # too narrow a source for such cells
        coarse, field = field, _Field(grid, rng)
        if coarse is None:
            field.grow()
            field.improve()
        else:
            field.align(coarse)
        progress((steps.index(step) + 1) / len(steps) if step in steps else 1.0)
    return field.matches() if field else None


def _make_grid(planes: Floats, smooth: Floats, hole: Floats, step: int) -> Grid:
    *colour, share = (to_cells(plane, step) for plane in planes)
    image = np.stack(colour, -1) / np.maximum(share, 1e-6)[..., None]
    known = share >= _KNOWN_SHARE
    wanted = to_cells(hole, step) > 0
    samples = share > 1 - 0.5 / step**2  # so that a shifted pixel is source
    distance = nearest_set(wanted)[0]
    limit = _AWAY + 2 * nearest_set(share > 0)[0][wanted].max()
    near = np.sort(distance[samples & (distance <= limit)])
    if len(near) >= LEAST_SAMPLES:
        samples &= distance <= near[min(len(near), MOST_SAMPLES) - 1]
    broad = np.stack([to_cells(plane, step) for plane in smooth], -1)
    return Grid(step, np.where(known[..., None], image, np.float32(0)), broad, known, samples, wanted)


def to_cells(values: Floats, step: int) -> Floats:
    """Means of step×step cells of a plane; beyond the border there are zeros."""
    cv2 = cv()
    if step == 1:
        return values
    h, w = values.shape
    out = np.empty((-(-h // step), -(-w // step)), np.float32)
    # Only what the border cuts is copied to be made whole.
    for top, bottom in ((0, h // step), (h // step, len(out))):
        for left, right in ((0, w // step), (w // step, out.shape[1])):
            if bottom > top and right > left:
                part = values[top * step : bottom * step, left * step : right * step]
                lack = ((bottom - top) * step - part.shape[0], (right - left) * step - part.shape[1])
                whole = cv2.copyMakeBorder(part, 0, lack[0], 0, lack[1], cv2.BORDER_CONSTANT, value=0) if any(lack) else part
                out[top:bottom, left:right] = cv2.resize(whole, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return out


def nearest_set(mask: Mask) -> tuple[Floats, NDArray[np.intp]]:
    """For every place the distance to the nearest one that is set, and its flat index. At least one must be set."""
    cv2 = cv()
    distance, labels = cv2.distanceTransformWithLabels((~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.zeros(int(labels.max()) + 1, np.intp)
    places[labels[mask]] = np.flatnonzero(mask)
    return distance, places[labels]


class _Field:
    """The search on one grid. Cells are flat indices into the grid with a border of _REACH, so that no patch leaves it."""

    def __init__(self, grid: Grid, rng: np.random.Generator) -> None:
        self.grid, self.rng = grid, rng
        h, w = grid.known.shape
        self.height, self.width = h + 2 * _REACH, w + 2 * _REACH
        size = self.height * self.width
        self.image = self._padded(grid.image)
        self.known = self._padded(grid.known)
        self.content, self.have = np.ascontiguousarray(self.image.T), self.known.astype(np.float32)
        self.patch = _PATCH[:, 0] * self.width + _PATCH[:, 1]
        self.around = np.array([dy * self.width + dx for dy, dx in _AROUND], np.int32)
        self.places, self.features = self._describe_samples()
        self.row = np.full(size, -1, np.int32)  # of a cell in `places`, -1 for no sample
        self.row[self.places] = np.arange(len(self.places))
        self.used = np.zeros(len(self.places), np.float32)
        guide = self._padded(cv().GaussianBlur(grid.smooth, (0, 0), _GUIDE_SCALE))
        self.wanted_guide, self.given_guide = guide, guide[self.places].T.copy()

        depth, nearest = nearest_set(grid.known if grid.known.any() else grid.samples)
        self.depth = self._padded(depth)
        self.rim = self._padded(self._inner(nearest))
        cells = np.flatnonzero(self._padded(grid.wanted))
        self.cells = cells[np.argsort(np.ceil(self.depth[cells] / _SHELL), kind="stable")]
        self.best = np.full((size, CHOICES), -1, np.int32)
        self.cost = np.full((size, CHOICES), np.inf, np.float32)
        self.left = np.zeros(size, np.float32)  # the mean squared difference of the best

    def _padded(self, values: NDArray) -> NDArray:
        widths = ((_REACH, _REACH), (_REACH, _REACH), *((0, 0),) * (values.ndim - 2))
        return np.pad(values, widths).reshape(self.height * self.width, *values.shape[2:])

    def _inner(self, flat: NDArray[np.intp]) -> NDArray[np.intp]:
        """Flat indices of the grid as those of the bordered grid."""
        y, x = np.divmod(flat, self.grid.known.shape[1])
        return (y + _REACH) * self.width + x + _REACH

    def _describe_samples(self) -> tuple[NDArray[np.intp], Floats]:
        """The sample cells, and for each what makes a squared difference a product: mask, masked squares, masked colours."""
        places = np.flatnonzero(self._padded(self.grid.samples))
        mask = self.have[places[:, None] + self.patch]
        full = mask @ _PATCH_WEIGHTS >= _LEAST_OVERLAP * _PATCH_WEIGHTS.sum()
        if np.count_nonzero(full) >= LEAST_SAMPLES:
            places, mask = places[full], mask[full]
        colours = [plane.take(places[:, None] + self.patch) * mask for plane in self.content]
        return places, np.concatenate([mask, _squares(colours, colours), *colours], 1)

    # The three ways to search -------------------------------------------------------------------------------------------

    def grow(self) -> None:
        """From the rim inwards, a shell of cells at a time."""
        shells = np.ceil(self.depth[self.cells] / _SHELL)
        for shell in np.split(self.cells, np.flatnonzero(np.diff(shells)) + 1):
            for part in _parts(shell):
                self._choose(part, 8, self._looks(part))
                self._choose(part, 4, self._shifted(part))
                self._write(part)

    def improve(self) -> None:
        """Once more, now that every cell has surroundings on all sides, with looks farther and farther away."""
        for part in _parts(self.cells):
            looks = []
            for reach in (1, 3, 9, 27):
                dy, dx = self.rng.integers(-reach, reach + 1, (2, len(part)), np.int32)
                looks.append(self.best[part, 0] + dy * self.width + dx)
            self._choose(part, 8, np.stack(looks, 1))
            self._write(part)

    def align(self, coarse: _Field) -> None:
        """Take over what a coarser field found, then let the shifts of neighbours settle."""
        ratio = coarse.grid.step / self.grid.step
        y, x = np.divmod(self.cells, self.width)
        h, w = coarse.grid.wanted.shape
        above = [np.minimum(((v - _REACH + 0.5) / ratio).astype(np.intp), n - 1) for v, n in ((y, h), (x, w))]
        parents = coarse._inner(nearest_set(coarse.grid.wanted)[1][above[0], above[1]])
        cy, cx = np.divmod(parents, coarse.width)
        for k in range(_CARRIED):
            found = coarse.best[parents, k]
            fy, fx = np.divmod(found, coarse.width)
            ty, tx = (y + np.rint((fy - cy) * ratio)).astype(np.intp), (x + np.rint((fx - cx) * ratio)).astype(np.intp)
            inside = (found >= 0) & (ty >= 0) & (ty < self.height) & (tx >= 0) & (tx < self.width)
            place = np.where(inside, ty * self.width + tx, 0)
            self.best[self.cells, k] = np.where(self.row[place] >= 0, place, -1)
        carried = self.best[self.cells, :_CARRIED]
        self.best[self.cells, 0] = carried[np.arange(len(carried)), (carried >= 0).argmax(1)]
        lost = self.cells[self.best[self.cells, 0] < 0]
        self.best[lost, 0] = self._nearest_sample(lost)
        np.add.at(self.used, self.row[self.best[self.cells, 0]], 1)
        self._write(self.cells)
        # Deep inside, nothing known is left to compare with: what the coarser field found stays, little trusted to tell what is there.
        shallow = self.depth[self.cells] <= _SETTLED
        deep = self.cells[~shallow]
        self.cost[deep, 0], self.left[deep] = 0, _UNSEEN
        for part in _parts(self.cells[shallow]):
            self._choose(part, 8)
            self._write(part)
        for part in _parts(self.cells[shallow & ~self._agreed(self.cells)]):
            self._choose(part, 4, self._shifted(part))
            self._write(part)

    def matches(self) -> Matches:
        """The result, in cells of the grid without its border."""
        y, x = np.divmod(self.cells, self.width)
        w = self.grid.known.shape[1]
        found = self.best[self.cells]
        fy, fx = np.divmod(np.where(found >= 0, found, found[:, :1]), self.width)
        return Matches(
            self.grid, (y - _REACH) * w + x - _REACH, ((fy - _REACH) * w + fx - _REACH).astype(np.intp),
            self._weights(self.cells), np.concatenate([self._trust(part) for part in _parts(self.cells)]),
        )  # fmt: skip

    # Candidates ---------------------------------------------------------------------------------------------------------

    def _neighbours(self, cells: NDArray[np.intp]) -> Ints:
        """The shifts of the eight neighbouring cells, applied to each cell: n×8; -1 where they have none."""
        other = self.best[cells[:, None] + self.around, 0]
        return np.where(other >= 0, other - self.around, np.int32(-1))

    def _agreed(self, cells: NDArray[np.intp]) -> Mask:
        """The cells whose shift all wanted neighbours have."""
        shifts = self._neighbours(cells)
        return ((shifts == self.best[cells, :1]) | (shifts < 0)).all(1)

    def _shifted(self, cells: NDArray[np.intp]) -> Ints:
        """The present samples, one cell off: n×4."""
        return self.best[cells, :1] + self.around[:4]

    def _looks(self, cells: NDArray[np.intp]) -> Ints:
        """Random places around the rim and around where the cell falls if mirrored across it, and one anywhere: n×9."""
        y, x = np.divmod(cells, self.width)
        rim_y, rim_x = np.divmod(self.rim[cells], self.width)
        window = (_WINDOW / _RANDOM_TRIES * np.arange(1, _RANDOM_TRIES + 1, dtype=np.float32))[:, None]
        fold, dy, dx = np.moveaxis(self.rng.random((_RANDOM_TRIES, 3, len(cells)), np.float32), 1, 0)
        ty = np.rint(rim_y + fold * (rim_y - y) + (2 * dy - 1) * window).clip(0, self.height - 1)
        tx = np.rint(rim_x + fold * (rim_x - x) + (2 * dx - 1) * window).clip(0, self.width - 1)
        return np.concatenate([ty * self.width + tx, self._any_sample(len(cells))[None]]).astype(np.int32).T

    def _any_sample(self, count: int) -> Ints:
        return self.places[self.rng.integers(0, len(self.places), count)].astype(np.int32)

    def _nearest_sample(self, cells: NDArray[np.intp]) -> Ints:
        is_sample = (self.row >= 0).reshape(self.height, self.width)
        return nearest_set(is_sample)[1].ravel()[cells].astype(np.int32)

    # Judging ------------------------------------------------------------------------------------------------------------

    def _choose(self, cells: NDArray[np.intp], count: int, *others: Ints) -> None:
        """Keep the best of what the cells have, of the shifts of their first `count` neighbours, and of others, n×m each."""
        shifts = self._neighbours(cells)
        present = self.best[cells]
        found, rows = self._usable(np.concatenate([present, shifts[:, :count], *others], 1))
        difference = self._difference(cells, rows)
        cost = self._biased(cells, found, rows, shifts, present[:, :1], difference)
        cost[rows < 0] = np.inf

        order = np.argsort(cost, 1, kind="stable")[:, :CHOICES] + np.arange(0, cost.size, cost.shape[1])[:, None]
        best = found.take(order)
        self.best[cells], self.cost[cells], self.left[cells] = best, cost.take(order), difference.take(order[:, 0])
        had = present[:, 0]
        self.used -= np.bincount(self.row[had[had >= 0]], minlength=len(self.used))
        self.used += np.bincount(self.row[best[:, 0]], minlength=len(self.used))

    def _usable(self, found: Ints) -> tuple[Ints, Ints]:
        """What there is among n×k candidates, as cells and as rows of the samples, those first; -1 for doubles and no samples."""
        found.sort(1)
        unfit = (found < 0) | (found >= len(self.row))
        unfit[:, 1:] |= found[:, 1:] == found[:, :-1]
        unfit |= self.row.take(found, mode="clip") < 0
        found[unfit] = _NONE
        nothing = np.flatnonzero(unfit.all(1))
        if len(nothing):
            found[nothing, 0] = self._any_sample(len(nothing))
            unfit[nothing, 0] = False
        found.sort(1)
        found = found[:, : max(CHOICES, found.shape[1] - int(unfit.sum(1).min()))]
        unfit = found == _NONE
        rows = self.row.take(found, mode="clip")
        rows[unfit] = -1
        return np.where(unfit, np.int32(-1), found), rows

    def _context(self, cells: NDArray[np.intp]) -> tuple[Floats, list[Floats], list[Floats]]:
        """What is around the cells: weights n×33, and for each colour the patch, n×33, without and with the weights."""
        places = cells[:, None] + self.patch
        weights = self.have.take(places) * _PATCH_WEIGHTS
        colours = [plane.take(places) for plane in self.content]
        return weights, colours, [colour * weights for colour in colours]

    def _difference(self, cells: NDArray[np.intp], rows: Ints) -> Floats:
        """Mean squared differences of patches where both are known: Σ m·n·(a−b)² = Σ ma²·n + Σ m·nb² − 2 Σ ma·nb."""
        context, colours, weighted = self._context(cells)
        asked = np.concatenate([_squares(weighted, colours), context, *(-2 * w for w in weighted)], 1)
        out = np.empty(rows.shape, np.float32)
        size = len(_PATCH)
        counts = np.count_nonzero(rows >= 0, 1)
        # Cells with as many candidates go together, or all would be given as many as the one that has most.
        order = np.argsort(counts, kind="stable") if len(cells) > _FEW else np.arange(len(cells))
        step = max(1, _PAIRS // rows.shape[1])
        for i in range(0, len(rows), step):
            part = order[i : i + step]
            most = int(counts[part].max())
            given = self.features.take(rows[part, :most], 0, mode="clip")
            total = np.matmul(given, asked[part, :, None])[..., 0]
            overlap = np.matmul(given[..., :size], context[part, :, None])[..., 0]
            out[part, :most] = np.maximum(total, 0) / np.maximum(overlap, 1e-3) + _UNSEEN * (overlap < 0.12 * _PATCH_WEIGHTS.sum())
            out[part, most:] = np.inf
        return out

    def _biased(self, cells: NDArray[np.intp], found: Ints, rows: Ints, shifts: Ints, present: Ints, difference: Floats) -> Floats:
        """Differences, plus a preference for near samples, for the neighbours' shifts and for samples not used yet."""
        own_y, own_x = (v.astype(np.int32)[:, None] for v in np.divmod(cells, self.width))
        y = found // self.width
        dy, dx = (y - own_y).astype(np.float32), (found - y * self.width - own_x).astype(np.float32)
        far = np.maximum(0, np.sqrt(dy * dy + dx * dx) - (2 * self.depth[cells] + _FREE)[:, None])
        agreeing = np.zeros(found.shape, np.float32)
        for shift in shifts.T:
            agreeing += found == shift[:, None]
        cost = difference + (_FAR * far * far + _FLOOR)
        wanted = self.wanted_guide[cells].T
        for want, give in zip(wanted, self.given_guide):
            apart = give.take(rows, mode="clip") - want[:, None]
            cost += _GUIDE * apart * apart
        used = np.minimum(3, self.used.take(rows, mode="clip") - (found == present))
        return cost * (1 - _COHERENCE / 8 * agreeing) * (1 + _REPETITION * used)

    def _trust(self, cells: NDArray[np.intp]) -> Floats:
        """How surely the surroundings of the cells tell what is there: float32 n in [0, 1].

        It falls with what is left of the context's variance once the best match explains it; an even context tells nothing
        about structure. A third of this would cost the least squared error, but would leave bricks and lines smeared.
        """
        context, colours, weighted = self._context(cells)
        total = np.maximum(context.sum(1), 1e-3)
        variance = (_squares(weighted, colours).sum(1) - sum(np.square(w.sum(1)) for w in weighted) / total) / total
        left = self.left[cells] / (variance + _FLOOR)
        return np.asarray(np.clip(_TRUST[1] - (left - 0.03) * 1.6, *_TRUST) * variance / (variance + 100), np.float32)

    def _write(self, cells: NDArray[np.intp]) -> None:
        """What stands in the cells from now on."""
        free = cells[~self.known[cells]]
        self.content[:, free] = self.image[self.best[free, 0]].T
        self.have[cells] = 1

    def _weights(self, cells: NDArray[np.intp]) -> Floats:
        cost = self.cost[cells]
        least = cost[:, :1]
        weights = np.exp(-np.minimum((cost - least) / np.maximum(least, 90), 80))
        return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _squares(one: list[Floats], other: list[Floats]) -> Floats:
    """The sum over the colours of their products."""
    red, green, blue = (np.multiply(a, b, dtype=np.float32) for a, b in zip(one, other))
    return red + green + blue


def _parts(cells: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return np.array_split(cells, -(-len(cells) // _AT_ONCE)) if len(cells) else []
