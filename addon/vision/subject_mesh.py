"""A person cut out of the relief as one mesh: dense at eyes and lips, cut where they open, exact at rest.

Vertices lie anywhere in the photo, on rays of its camera; how far along theirs does not change what the photo's camera sees. So the mesh
is triangulated in the photo, and its depth made afterwards (subject_depth.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .edge_paths import smoothed
from .face_fit import FaceFit
from .face_rings import Rings, eye_rings, lip_rings, pixels_per_metre
from .face_units import ramp
from .geometry import RayMap
from .landmarks import Person
from .rigging import Part, SubjectMesh
from .subject_depth import (
    Source,
    behind_the_chin,
    layer_distances,
    most_distances,
    on_relief,
    oval,
    room,
    rounded,
    with_round_head,
    without_cliffs,
)
from .subject_eyes import Eyeball, ball_mesh, front_of, seated
from .triangulate import Ints, components, edges_of, inside, triangulate, twice_areas

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

EYES = (Part.EYE_RIGHT, Part.EYE_LEFT)
LIPS = 2
"""What vertices may lie around."""
MOST = 60_000
"""Vertices of a subject, at most."""
KNOWN = 1.35
"""Of the face's oval: how far out vertices have a place in the average face."""
_AIM = 42_000  # vertices of the skin beyond which everything is made coarser
_FINE = 0.0004  # metres between vertices on lids and lips
_FACE, _HAIR, _BODY = 0.0022, 0.005, 0.012  # metres between vertices
_RISE = 0.08  # metres that their distance grows for each metre away from the face
_RIM = 3  # pixels of the grid that the mesh goes on past its matte
_AROUND = 8  # pixels of the grid by which a layer goes on past its box where that ends at the photo's border
_CRUMB = 0.002  # of the largest part of a layer: parts that are smaller have no mesh
_FLAT = 0.02  # height of a triangle in its longest side
_HOLE = 40  # pixels: smaller holes are closed; the matte says what is seen
_SMOOTH = 2.0  # pixels: standard deviation by which outlines are smoothed
_SHAPELESS = 1.7  # metres that the longer side of someone's layer without a face is taken for
_LID_GAP = 0.0004  # metres that a lid stands before the eyeball
_CHIN_CLEAR = 0.015  # metres that jaw and throat stay before what stands behind them
_PLATE = 0.004, 0.004  # metres: how far behind open lips what the photo shows in them lies, and how much farther in the middle
_UNDER_LIPS = 0.003  # metres that it goes on under them
_PLATE_RINGS, _PLATE_STEP = 5, 4


@dataclass(frozen=True)
class Subject:
    """A subject's mesh and what else a rig needs to know of it.

    fit: of the face, moved to where the relief has it, so that bones made from it fit the mesh; None without a face. eyes: by part. openings:
    by part (EYE_RIGHT, EYE_LEFT, POCKET), what of it the photo shows at rest, polygons in shares of the photo from the left and the top (float64
    K×2); an eye that could not be cut out is missing, and so is a shut mouth. shut: the lips are.
    rows: int32 N×3 of the mesh's vertices: which cut they lie around (an index into EYES, LIPS, or -1), on which ring, the cut's own being 0, and which
    of its points they are; half: of each cut, how many points half a ring has (face_rings.Rings). falloff: of each cut, by rings, how much of
    what moves its edge they take, from 1 to 0.
    """

    mesh: SubjectMesh
    fit: FaceFit | None = None
    eyes: dict[Part, Eyeball] = field(default_factory=dict)
    openings: dict[Part, Doubles] = field(default_factory=dict)
    shut: bool = True
    rows: Ints = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    half: dict[int, int] = field(default_factory=dict)
    falloff: dict[int, Doubles] = field(default_factory=dict)


def make_subject(source: Source, person: Person, fit: FaceFit | None = None) -> Subject:
    """The mesh of a person's layer, without weights and keys.

    fit: of the person's face; None if it is not seen. Raises ValueError if the layer is empty.
    """
    scale = max(source.size[0] / source.grid[0], source.size[1] / source.grid[1])
    distances = layer_distances(source)
    region = _region(source)
    fit = fit if person.face is not None else None
    metre = _metre(source, fit)
    sizes = _Sizes(source, fit, metre, scale)
    loops = _outlines(region, source, sizes)
    cuts = _cuts(person, fit, region, source)
    plan = _planned(region, source, sizes, loops, cuts)
    if fit is not None:
        distances = distances * room(source, distances, _head(source, fit), metre_at(source, distances, metre))
    return _built(plan, source, distances, fit, cuts)


# Where vertices stand ------------------------------------------------------------------------------------------------------


class _Region(NamedTuple):
    """mask: bool, what of the grid the mesh covers. away: float32, pixels from its border. left, top: of its first pixel in the grid."""

    mask: Mask
    away: NDArray[np.float32]
    left: int
    top: int


def _region(source: Source) -> _Region:
    cv2 = cv()
    matte = cv2.copyMakeBorder((source.matte > 0).astype(np.uint8), *[_AROUND] * 4, cv2.BORDER_CONSTANT, value=0)
    # Where the box ends past the photo's border the layer goes on; elsewhere its matte has ended before.
    left, top, right, bottom = source.box
    w, h = source.grid
    a = _AROUND
    if left <= 0:
        matte[:, :a] = matte[:, a : a + 1]
    if right >= w:
        matte[:, -a:] = matte[:, -a - 1 : -a]
    if top <= 0:
        matte[:a] = matte[a : a + 1]
    if bottom >= h:
        matte[-a:] = matte[-a - 1 : -a]
    mask = cv2.dilate(matte, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM + 1, 2 * _RIM + 1)))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        raise ValueError("the layer is empty")
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    mask = (area >= _CRUMB * area.max())[parts]
    _, holes, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _HOLE
    mask = mask | (small[holes] & ~mask)
    away = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return _Region(mask, away, left - a, top - a)


def _metre(source: Source, fit: FaceFit | None) -> float:
    """Photo pixels in a metre of the subject."""
    if fit is not None:
        return pixels_per_metre(fit)
    return max(source.matte.shape) * source.size[0] / source.grid[0] / _SHAPELESS


def metre_at(source: Source, distances: Doubles, metre: float) -> float:
    """How large a metre of the subject is in the metres of its layer, where `metre` of its pixels make one."""
    return metre * source.rays.width / source.size[0] * float(np.median(distances))


class _Sizes:
    """How far apart vertices are to stand, in pixels of the photo."""

    def __init__(self, source: Source, fit: FaceFit | None, metre: float, scale: float) -> None:
        self.metre = metre
        self.least = max(1.5 * float(np.sqrt(source.size[0] * source.size[1] / 2e6)), 0.75 * scale)
        left, top, right, bottom = (
            e * s for e, s in zip(source.box, 2 * (source.size[0] / source.grid[0], source.size[1] / source.grid[1]))
        )
        self.low, extent = np.array((left, top)), np.array((right - left, bottom - top))
        self.cell = max(float(extent.max()) / 96, 1.0)
        counts = np.ceil(extent / self.cell).astype(int) + 2
        if fit is None:
            self.field = np.full(counts[::-1], _BODY * metre, np.float32)
            return
        x, y = np.meshgrid(*(o + np.arange(n) * self.cell for o, n in zip(self.low, counts)))
        away = oval(fit.canonical_xy(np.column_stack([x.ravel(), y.ravel()]) / source.size))
        out = np.clip(away - 1, 0, None) * 0.085
        self.field = (np.clip(_FACE + _RISE * out, _FACE, _BODY) * metre).reshape(x.shape).astype(np.float32)

    def at(self, places: Doubles, coarser: float = 1.0) -> Doubles:
        """Pixels between vertices at N×2 pixels of the photo."""
        where = ((places - self.low) / self.cell).astype(np.float32)
        found = np.empty(len(where), np.float32)
        for start in range(0, len(where), 30_000):
            part = where[start : start + 30_000]
            found[start : start + 30_000] = cv().remap(
                self.field, part[:, :1].copy(), part[:, 1:].copy(), cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE
            )[:, 0]
        return np.maximum(found * coarser, self.least).astype(np.float64)

    @property
    def finest(self) -> float:
        return max(float(self.field.min()), self.least)


def _outlines(region: _Region, source: Source, sizes: _Sizes) -> list[Doubles]:
    """The borders of the region, smooth, in pixels of the photo: outer ones one way round, holes the other."""
    cv2 = cv()
    found, _ = cv2.findContours(region.mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    loops = []
    ratio = np.array(source.size) / source.grid
    for contour in found:
        if len(contour) < 12:
            continue
        line = smoothed(contour[:, 0].astype(np.float64), _SMOOTH, int(3 * _SMOOTH), mode="wrap") + (region.left + 0.5, region.top + 0.5)
        line = line * ratio
        step = np.minimum(sizes.at(line), max(_HAIR * sizes.metre, sizes.least))
        length = np.hypot(*(np.roll(line, -1, 0) - line).T)
        along = np.concatenate([[0.0], np.cumsum(length / step)])
        n = max(8, round(along[-1]))
        at = np.linspace(0, along[-1], n, endpoint=False)
        closed = np.concatenate([line, line[:1]])
        loops.append(np.column_stack([np.interp(at, along, closed[:, i]) for i in range(2)]))
    return loops


class _Cuts(NamedTuple):
    """The rings around what opens; those of a feature that does not lie within the layer are missing."""

    eyes: dict[Part, Rings]
    lips: Rings | None


def _cuts(person: Person, fit: FaceFit | None, region: _Region, source: Source) -> _Cuts:
    if fit is None or person.face is None:
        return _Cuts({}, None)
    fine = max(_FINE, float(np.sqrt(source.size[0] * source.size[1] / 2e6)) / pixels_per_metre(fit))
    eyes = {part: eye_rings(person.face, fit, left=part == Part.EYE_LEFT, step=fine) for part in (Part.EYE_RIGHT, Part.EYE_LEFT)}
    lips = lip_rings(person.face, fit, step=fine)
    eyes = {part: rings for part, rings in eyes.items() if _fits(rings, region, source)}
    return _Cuts(eyes, lips if _fits(lips, region, source) else None)


def _fits(rings: Rings, region: _Region, source: Source) -> bool:
    """Whether the innermost rings lie within the region, and none is turned inside out."""
    first = rings.points[:2].reshape(-1, 2)
    if not np.isfinite(rings.points).all() or not _within(first, region, source, 1.0).all():
        return False
    n = rings.half
    around = rings.points[1]
    # The way round is that of the clock as the viewer sees it (x right, y down).
    area = float(np.sum(around[:, 0] * np.roll(around[:, 1], -1) - around[:, 1] * np.roll(around[:, 0], -1)))
    width = float(np.hypot(*(around[n - 1] - around[0])))
    return area > 0 and width > 3 * float(np.sqrt(source.size[0] * source.size[1] / 2e6))


def _within(places: Doubles, region: _Region, source: Source, margin: float | Doubles) -> Mask:
    """Which places (pixels of the photo) lie in the region, `margin` pixels of the grid or more from its border."""
    at = np.floor(places * np.array(source.grid) / source.size).astype(np.int64) - (region.left, region.top)
    h, w = region.mask.shape
    inner = ((at >= 0) & (at < (w, h))).all(1)
    x, y = np.clip(at[:, 0], 0, w - 1), np.clip(at[:, 1], 0, h - 1)
    return inner & (region.away[y, x] > margin)


class _Plan(NamedTuple):
    """The skin in the photo.

    places: float64 N×2, pixels of the photo. triangles: int32 M×3, counter-clockwise as seen. rows: int32 N×3: which cut (0 right eye, 1 left
    eye, 2 lips; −1 none), which ring and which point of it each vertex is. seams: int32 K×2. lower: bool N, copies below the lip line.
    """

    places: Doubles
    triangles: Ints
    rows: Ints
    seams: Ints
    lower: Mask


def _planned(region: _Region, source: Source, sizes: _Sizes, loops: list[Doubles], cuts: _Cuts) -> _Plan:
    places: list[Doubles] = []
    rows: list[Ints] = []
    edges: list[Ints] = []
    kinds: list[NDArray[np.int8]] = []  # of edges: 0 the outline and openings, whose left side stays; 1 the lip line
    count = 0

    def add(points: Doubles, row: Ints) -> int:
        nonlocal count
        places.append(points)
        rows.append(row)
        count += len(points)
        return count - len(points)

    def loop(first: int, n: int, kind: int, *, closed: bool = True) -> None:
        a = first + np.arange(n if closed else n - 1, dtype=np.int32)
        b = first + (np.arange(1, n + 1 if closed else n, dtype=np.int32) % n)
        edges.append(np.stack([a, b], 1))
        kinds.append(np.full(len(a), kind, np.int8))

    for line in loops:
        first = add(line, np.full((len(line), 3), -1, np.int32))
        loop(first, len(line), 0)
    skirts, openings = [], []
    for slot, rings in _around(cuts):
        n, whole = rings.half, rings.points.shape[1]
        line_only = rings.shut
        inner = np.arange(n if line_only else whole)
        first = add(rings.points[0, inner], _named(slot, 0, inner))
        # OpenCV's outlines go against the clock, openings with it: both have the skin on the same side.
        loop(first, len(inner), 1 if line_only else 0, closed=not line_only)
        if not line_only:
            openings.append(rings.points[0])
        for k in range(1, len(rings.points)):
            chosen = _thinned(rings, k)
            chosen = chosen[_clear(rings, k, chosen)]
            good = _within(rings.points[k, chosen], region, source, 1.0)
            add(rings.points[k, chosen[good]], _named(slot, k, chosen[good]))
        skirts.append(rings.points[-1])
    ringed = count
    for coarser in (1.0, 1.3, 1.7, 2.3, 3.2, 4.5, 6.5):
        free = _lattice(region, source, sizes, coarser, skirts)
        if ringed + len(free) <= _AIM or coarser == 6.5:
            break
    add(free, np.full((len(free), 3), -1, np.int32))
    return _cut_out(np.concatenate(places), np.concatenate(rows), np.concatenate(edges), np.concatenate(kinds), openings, region, source)


def _named(slot: int, ring: int, points: NDArray[np.int_]) -> Ints:
    return np.stack([np.full(len(points), slot), np.full(len(points), ring), points], 1).astype(np.int32)


def _thinned(rings: Rings, k: int) -> NDArray[np.int_]:
    """Which points of a ring are taken: as far apart along it, about, as it is from the last one."""
    around = rings.points[k]
    whole, n = len(around), rings.half
    along = float(np.median(np.hypot(*(np.roll(around, -1, 0) - around).T)))
    out = float(np.median(np.hypot(*(around - rings.points[k - 1]).T)))
    every = 1
    while (n - 1) % (2 * every) == 0 and 2 * every * along <= 1.25 * out:
        every *= 2
    return np.arange(0, whole, every)


def _clear(rings: Rings, k: int, chosen: NDArray[np.int_]) -> Mask:
    """Which points of a ring stand clear of the cut: at the corners of a mouth some of them would lie on it."""
    line, at = rings.points[0], rings.points[k, chosen]
    least = 0.45 * float(np.median(np.hypot(*(rings.points[1] - line).T)))
    a, b = line, np.roll(line, -1, 0)
    way = b - a
    squared = np.maximum((way**2).sum(-1), 1e-18)
    along = np.clip(((at[:, None] - a) * way).sum(-1) / squared, 0, 1)
    away = np.sqrt(((at[:, None] - a - along[..., None] * way) ** 2).sum(-1).min(1))
    if not rings.shut:
        return (away > least) & ~inside(at, line)
    # Above or below, as it should be: by the line's nearest point.
    n = rings.half
    ways = np.gradient(line[:n], axis=0)
    nearest = ((at[:, None] - line[:n]) ** 2).sum(-1).argmin(1)
    out = at - line[nearest]
    below = ways[nearest, 0] * out[:, 1] - ways[nearest, 1] * out[:, 0]
    beyond = (nearest == 0) | (nearest == n - 1)
    return (away > least) & (beyond | (np.sign(below) == -rings.sides[chosen]))


def _lattice(region: _Region, source: Source, sizes: _Sizes, coarser: float, skirts: list[Doubles]) -> Doubles:
    """Points of nested triangular lattices, as dense as the sizes ask for, off the region's border and off the rings' outermost."""
    ratio = np.array(source.size) / source.grid
    low = np.array((region.left, region.top)) * ratio
    extent = np.array(region.mask.shape[::-1]) * ratio
    step = max(sizes.finest * coarser, sizes.least)
    while extent.prod() / (step * step * 0.87) > 3_000_000:
        step *= 2
    j, i = np.mgrid[: int(extent[1] / (step * 0.8660254)) + 1, : int(extent[0] / step) + 2]
    i, j = i.ravel().astype(np.int64), j.ravel().astype(np.int64)
    places = np.column_stack([(i + (j % 2) / 2) * step, j * step * 0.8660254]) + low
    level = np.ones(len(i))
    alive = np.ones(len(i), bool)
    a, b = i.copy(), j.copy()
    for _ in range(8):
        alive &= (b % 2 == 0) & ((a - (b // 2) % 2) % 2 == 0)
        a, b = np.where(alive, (a - (b // 2) % 2) // 2, a), np.where(alive, b // 2, b)
        level[alive] *= 2
    wanted = sizes.at(places, coarser)
    places = places[level * step >= 0.7 * wanted]
    wanted = sizes.at(places, coarser)
    places = places[_within(places, region, source, np.maximum(0.5 * wanted / ratio.max(), 1.0))]
    for skirt in skirts:
        middle = skirt.mean(0)
        radius = float(np.hypot(*(skirt - middle).T).mean())
        out = 1 + 0.5 * sizes.at(middle[None], coarser)[0] / max(radius, 1e-6)
        places = places[~inside(places, middle + (skirt - middle) * out)]
    return places


def _cut_out(
    places: Doubles, rows: Ints, edges: Ints, kinds: NDArray[np.int8], openings: list[Doubles], region: _Region, source: Source
) -> _Plan:
    """Triangulate, drop what lies outside and in openings, and part the lip line."""
    places, rows, edges, kinds = _distinct(places, rows, edges, kinds)
    flat = triangulate(places, edges)
    places, triangles, kinds = flat.points, flat.triangles, kinds[flat.origin]
    more = np.full((len(flat.halves), 3), -1, np.int32)
    rows = np.concatenate([rows, more])
    border = flat.edges[kinds == 0]
    kept = _kept(places, triangles, border, openings, region, source)
    triangles = triangles[kept]
    triangles = triangles[~_slivers(places, triangles)]
    line = flat.edges[kinds == 1]
    seams = np.zeros((0, 2), np.int32)
    lower = np.zeros(len(places), bool)
    if len(line):
        triangles, copied = _parted(places, triangles, line)
        seams = np.stack([copied, len(places) + np.arange(len(copied))], 1).astype(np.int32)
        places, rows = np.concatenate([places, places[copied]]), np.concatenate([rows, rows[copied]])
        lower = np.concatenate([lower, np.ones(len(copied), bool)])
    used = np.zeros(len(places), bool)
    used[triangles] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    seams = number[seams[used[seams].all(1)]] if len(seams) else seams
    # Pixels count downwards: what goes against the clock there goes with it for the viewer.
    return _Plan(places[used], number[triangles][:, ::-1].copy(), rows[used], seams, lower[used])


def _distinct(places: Doubles, rows: Ints, edges: Ints, kinds: NDArray[np.int8]) -> tuple[Doubles, Ints, Ints, NDArray[np.int8]]:
    """Points that are one in a thousandth of a pixel made one; the first of them stays."""
    keys = np.round(places * 1000).astype(np.int64)
    _, first, which = np.unique(keys[:, 0] * (1 << 32) + keys[:, 1], return_index=True, return_inverse=True)
    if len(first) == len(places):
        return places, rows, edges, kinds
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    edges = rank[which.ravel()[edges]].astype(np.int32)
    real = edges[:, 0] != edges[:, 1]
    return places[first[order]], rows[first[order]], edges[real], kinds[real]


def _kept(places: Doubles, triangles: Ints, border: Ints, openings: list[Doubles], region: _Region, source: Source) -> Mask:
    """Which triangles belong to the skin: of what the border parts from the rest, all or none."""
    middle, area = places[triangles].mean(1), np.abs(twice_areas(places, triangles))
    good = _within(middle, region, source, 0.0)
    for polygon in openings:
        good &= ~inside(middle, polygon)
    edges, which = edges_of(triangles)
    base = np.int64(len(places))
    ends = np.sort(border, 1).astype(np.int64)
    passable = ~np.isin(edges[:, 0] * base + edges[:, 1], ends[:, 0] * base + ends[:, 1])
    order = np.argsort(which.ravel(), kind="stable")
    sorted_ = which.ravel()[order]
    twin = np.flatnonzero((sorted_[1:] == sorted_[:-1]) & passable[sorted_[1:]])
    patch = components(len(triangles), np.stack([order[twin] // 3, order[twin + 1] // 3], 1))
    share = np.bincount(patch, good * area, minlength=len(area)) / np.maximum(np.bincount(patch, area, minlength=len(area)), 1e-12)
    return share[patch] > 0.5


def _slivers(places: Doubles, triangles: Ints) -> Mask:
    """Which triangles lie along the outline with next to no height: they show nothing, and turn their backs at the least move."""
    edges, which = edges_of(triangles)
    length = np.hypot(*(places[edges[:, 0]] - places[edges[:, 1]]).T)
    outermost = np.bincount(which.ravel(), minlength=len(edges)) == 1
    longest = which[np.arange(len(which)), length[which].argmax(1)]
    return outermost[longest] & (np.abs(twice_areas(places, triangles)) < _FLAT * length[longest] ** 2)


def _parted(places: Doubles, triangles: Ints, line: Ints) -> tuple[Ints, Ints]:
    """Triangles below a line (directed edges, from the viewer's left to the right) with copies of its inner vertices, and those vertices.

    The copies are numbered on from the last place.
    """
    ends, times = np.unique(line, return_counts=True)
    inner = ends[times == 2].astype(np.int32)
    way = np.zeros_like(places)
    np.add.at(way, line[:, 0], places[line[:, 1]] - places[line[:, 0]])
    np.add.at(way, line[:, 1], places[line[:, 1]] - places[line[:, 0]])
    copy = np.full(len(places), -1, np.int32)
    copy[inner] = len(places) + np.arange(len(inner), dtype=np.int32)
    middle = places[triangles].mean(1)
    below = np.zeros(len(triangles))
    touches = np.zeros(len(triangles), bool)
    for k in range(3):
        v = triangles[:, k]
        out = middle - places[v]
        on = copy[v] >= 0
        touches |= on
        below += np.where(on, (way[v, 0] * out[:, 1] - way[v, 1] * out[:, 0]) / np.maximum(np.hypot(*way[v].T), 1e-12), 0)
    # Beside an edge of the line its side is certain.
    base = len(places)
    for ahead, sign in ((line, 1.0), (line[:, ::-1], -1.0)):
        keys = ahead[:, 0].astype(np.int64) * base + ahead[:, 1]
        for k in range(3):
            directed = triangles[:, k].astype(np.int64) * base + triangles[:, (k + 1) % 3]
            below = np.where(np.isin(directed, keys), sign * np.inf, below)
    moved = touches & (below > 0)
    out = triangles.copy()
    own = copy[triangles]
    out[moved] = np.where(own[moved] >= 0, own[moved], triangles[moved])
    return out, inner


# In space -----------------------------------------------------------------------------------------------------------------


def _head(source: Source, fit: FaceFit) -> Mask:
    """Which pixels of the layer's box are about the head: bool h×w."""
    h, w = source.matte.shape
    ratio = np.array(source.size) / source.grid
    middle = fit.from_canonical(np.array([[0.0, 0.0], [0.0, 0.09], [0.0, -0.1]])) * source.size
    radius = float(np.hypot(*(middle[1] - middle[2]))) * 0.85
    x, y = (np.arange(w) + source.box[0] + 0.5) * ratio[0], (np.arange(h) + source.box[1] + 0.5) * ratio[1]
    near = np.hypot(x - middle[0, 0], (y - middle[0, 1])[:, None]) < radius
    up = middle[1] - middle[2]
    return near & (((x - middle[2, 0]) * up[0] + (y - middle[2, 1])[:, None] * up[1]) > 0)


def _built(plan: _Plan, source: Source, distances: Doubles, fit: FaceFit | None, cuts: _Cuts) -> Subject:
    left, top = source.box[:2]
    at = (plan.places * np.array(source.grid) / source.size - (left + 0.5, top + 0.5)).astype(np.float32)
    # The live layer has a vertex in the middle of every pixel; between them 1/z goes linearly in the picture.
    inverse = (1 / distances).astype(np.float32)
    rows = -(-len(at) // 1024)
    at = np.concatenate([at, np.repeat(at[-1:], rows * 1024 - len(at), 0)]).reshape(rows, 1024, 2)
    found = cv().remap(inverse, at[..., 0].copy(), at[..., 1].copy(), cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE)
    z = 1 / found.ravel()[: len(plan.places)].astype(np.float64)
    uv = _uv(plan.places, source.size)
    rays = np.column_stack(source.rays.uv_to_ray(uv[:, 0], uv[:, 1]))
    canonical = np.full((len(z), 2), np.nan)
    side = np.zeros(len(z), np.int8)
    eyes: dict[Part, Eyeball] = {}
    openings: dict[Part, Doubles] = {}
    if fit is not None:
        canonical, side = _canonical(plan, source, fit, cuts)
        fit = on_relief(fit, np.nan_to_num(canonical, nan=9.0), z)
        most = most_distances(source, plan.places, _CHIN_CLEAR * fit.scale)
        z = rounded(fit, canonical, behind_the_chin(fit, rays, with_round_head(fit, rays, z), most))
        for slot, part in enumerate(EYES):
            if part in cuts.eyes:
                eyes[part] = _seat(plan, slot, cuts.eyes[part], z, source, fit)
                openings[part] = cuts.eyes[part].points[0] / source.size
        for ball in eyes.values():
            z = _before(ball, rays, z, _LID_GAP * fit.scale)
    # Both sides of a seam are one vertex still.
    whole = np.arange(len(z), dtype=np.int32)
    whole[plan.seams[:, 1]] = plan.seams[:, 0]
    z = without_cliffs(z, rays, whole[plan.triangles])[whole]
    parts = [_Piece(rays, z, uv, plan.triangles, np.full(len(plan.triangles), Part.SKIN, np.uint8), canonical, side)]
    if fit is not None:
        parts += [_ball(part, ball, cuts.eyes[part], source, fit) for part, ball in eyes.items()]
        if cuts.lips is not None and not cuts.lips.shut:
            parts.append(_plate(cuts.lips, plan, z, source, fit))
            openings[Part.POCKET] = cuts.lips.points[0] / source.size
    mesh = _joined(parts, plan.seams)
    rows = np.full((len(mesh.position), 3), -1, np.int32)
    rows[: len(plan.rows)] = plan.rows
    around = {slot: rings for slot, rings in _around(cuts)}
    half = {slot: rings.half for slot, rings in around.items()}
    falloff = {slot: _falloff(rings) for slot, rings in around.items()}
    return Subject(mesh, fit, eyes, openings, cuts.lips is None or cuts.lips.shut, rows, half, falloff)


def _around(cuts: _Cuts) -> list[tuple[int, Rings]]:
    """What is cut: an index into EYES or LIPS, and its rings."""
    found = [(i, cuts.eyes.get(part)) for i, part in enumerate(EYES)] + [(LIPS, cuts.lips)]
    return [(slot, rings) for slot, rings in found if rings is not None]


def _falloff(rings: Rings) -> Doubles:
    """By rings, from 1 at the cut to 0 at the outermost, smooth."""
    reach = np.array([float(np.median(np.hypot(*(ring - rings.points[0]).T))) for ring in rings.points])
    return ramp(1 - reach / reach[-1])


def _uv(places: Doubles, size: tuple[int, int]) -> Doubles:
    return np.column_stack([places[:, 0] / size[0], 1 - places[:, 1] / size[1]])


def _canonical(plan: _Plan, source: Source, fit: FaceFit, cuts: _Cuts) -> tuple[Doubles, NDArray[np.int8]]:
    """Places in the average face (NaN outside of it) and sides of the skin's vertices."""
    out = fit.canonical_xy(plan.places / source.size)
    side = np.zeros(len(out), np.int8)
    for slot, rings in _around(cuts):
        mine = np.flatnonzero(plan.rows[:, 0] == slot)
        k, i = plan.rows[mine, 1], plan.rows[mine, 2]
        out[mine] = rings.canonical[k, i]
        side[mine] = rings.sides[i]
    side[plan.lower] = -1
    side[plan.seams[:, 0]] = 1
    out[~(oval(out) < KNOWN)] = np.nan
    return out, side


def _seat(plan: _Plan, slot: int, rings: Rings, z: Doubles, source: Source, fit: FaceFit) -> Eyeball:
    """Place an eyeball behind its opening and lay the lids on it: `z` of the rings' vertices is changed in place."""
    mine = np.flatnonzero(plan.rows[:, 0] == slot)
    k, i = plan.rows[mine, 1], plan.rows[mine, 2]
    first = np.full(rings.points.shape[1], np.nan)
    first[i[k == 0]] = z[mine[k == 0]]
    uv = _uv(rings.points[0], source.size)
    rays = np.column_stack(source.rays.uv_to_ray(uv[:, 0], uv[:, 1]))
    gap = _LID_GAP * fit.scale
    ball = seated(fit, rays, first, gap, left=slot == 1)
    shift = front_of(ball, rays) - gap - first
    z[mine] += _falloff(rings)[k] * shift[i]
    return ball


def _before(ball: Eyeball, rays: Doubles, z: Doubles, gap: float) -> Doubles:
    """Distances of the skin at which no eyeball comes through it."""
    way = np.column_stack([rays[:, 0], np.ones(len(rays)), rays[:, 1]])
    beside = np.linalg.norm(np.cross(way, ball.centre), axis=1) / np.linalg.norm(way, axis=1)
    return np.where(beside < ball.radius, np.minimum(z, front_of(ball, rays) - gap), z)


class _Piece(NamedTuple):
    rays: Doubles
    z: Doubles
    uv: Doubles
    triangles: Ints
    part: NDArray[np.uint8]
    canonical: Doubles
    side: NDArray[np.int8]


def _ball(part: Part, ball: Eyeball, rings: Rings, source: Source, fit: FaceFit) -> _Piece:
    uv = _uv(rings.points[0], source.size)
    points, triangles = ball_mesh(ball, np.column_stack(source.rays.uv_to_ray(uv[:, 0], uv[:, 1])))
    return _piece(points, triangles, part, source.rays, fit)


def _piece(points: Doubles, triangles: Ints, part: Part, rays: RayMap, fit: FaceFit) -> _Piece:
    """What lies behind the skin: points N×3 in layer axes, shown as the photo has it in their place."""
    z = points[:, 1]
    tangents = points[:, (0, 2)] / z[:, None]
    uv = np.column_stack([tangents[:, 0] / rays.width + rays.u0, tangents[:, 1] / rays.height + rays.v0])
    own = (points - fit.origin) @ fit.rotation / fit.scale
    return _Piece(tangents, z, uv, triangles, np.full(len(triangles), part, np.uint8), own[:, :2], np.zeros(len(z), np.int8))


def _plate(lips: Rings, plan: _Plan, z: Doubles, source: Source, fit: FaceFit) -> _Piece:
    """What the photo shows between parted lips, a shallow bowl behind them that goes on under them."""
    mine = np.flatnonzero((plan.rows[:, 0] == 2) & (plan.rows[:, 1] == 0))
    around = lips.points[0]
    edge = np.full(len(around), float(np.median(z[mine])))
    edge[plan.rows[mine, 2]] = z[mine]
    around, edge = around[::_PLATE_STEP], edge[::_PLATE_STEP]
    middle = around.mean(0)
    radius = np.hypot(*(around - middle).T)[:, None]
    width = float(np.hypot(*np.ptp(around, 0)))
    wide = around + (around - middle) / np.maximum(radius, 1e-6) * (_UNDER_LIPS * width / 0.05)
    metre, front = fit.scale, float(np.quantile(edge, 0.2))
    rings, deep = [], []
    for share in np.linspace(1, 0, _PLATE_RINGS, endpoint=False):
        rings.append(middle + (wide - middle) * share)
        level = share * edge + (1 - share) * front
        deep.append(level + (_PLATE[0] + _PLATE[1] * (1 - share * share)) * metre)
    n = len(around)
    places = np.concatenate([*rings, middle[None]])
    depth = np.concatenate([*deep, [front + sum(_PLATE) * metre]])
    i = np.arange(n, dtype=np.int32)
    j = (i + 1) % n
    quads = [
        np.stack([[k * n + i, k * n + j, (k + 1) * n + j], [k * n + i, (k + 1) * n + j, (k + 1) * n + i]]) for k in range(_PLATE_RINGS - 1)
    ]
    last = (_PLATE_RINGS - 1) * n
    triangles = np.concatenate(
        [*(q.transpose(0, 2, 1).reshape(-1, 3) for q in quads), np.stack([last + i, last + j, np.full(n, last + n)], 1)]
    )
    uv = _uv(places, source.size)
    # Rings go round with the clock for the viewer.
    triangles = triangles[:, ::-1].astype(np.int32)
    rays = np.column_stack(source.rays.uv_to_ray(uv[:, 0], uv[:, 1]))
    canonical = fit.canonical_xy(places / source.size)
    side = np.ones(len(depth), np.int8)  # as the upper teeth it stays where it is when the jaw opens
    return _Piece(rays, depth, uv, triangles, np.full(len(triangles), Part.POCKET, np.uint8), canonical, side)


def _joined(parts: list[_Piece], seams: Ints) -> SubjectMesh:
    z = np.concatenate([p.z for p in parts])
    rays, uv = np.concatenate([p.rays for p in parts]), np.concatenate([p.uv for p in parts])
    start = np.cumsum([0, *(len(p.z) for p in parts)])
    return SubjectMesh(
        position=np.column_stack([rays[:, 0] * z, z, rays[:, 1] * z]).astype(np.float32),
        ray=np.column_stack([uv[:, 0] * z, uv[:, 1] * z, z]).astype(np.float32),
        triangles=np.concatenate([p.triangles + s for p, s in zip(parts, start)]).astype(np.int32),
        part=np.concatenate([p.part for p in parts]),
        canonical=np.concatenate([p.canonical for p in parts]).astype(np.float32),
        side=np.concatenate([p.side for p in parts]),
        seams=seams.astype(np.int32),
    )
