"""Work on meshes as arrays: normals, subdivision, smoothing, cutting along a field, hems, tubes. Pure numpy.

Faces are M×4 int64 everywhere; a triangle repeats its last corner. Seen from outside, corners go round counter-clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


def unit(v: NDArray, axis: int = -1) -> Floats:
    """`v` with vectors along `axis` made of length 1 (zero stays zero)."""
    return v / np.maximum(np.linalg.norm(v, axis=axis, keepdims=True), 1e-9)


def normals(vertices: Floats, faces: Ints) -> Floats:
    """Vertex normals N×3, outward, weighted by the area of the faces around."""
    a, b, c, d = (vertices[faces[:, i]] for i in range(4))
    n = np.cross(c - a, d - b)
    triangle = faces[:, 2] == faces[:, 3]
    n[triangle] = np.cross(b - a, c - a)[triangle]
    index = faces.ravel()
    total = np.stack([np.bincount(index, np.repeat(n[:, k], 4), len(vertices)) for k in range(3)], 1)
    return unit(total).astype(vertices.dtype)


def edges(faces: Ints) -> NDArray[np.int64]:
    """The edges K×2 of the faces, each once, lower corner first."""
    pairs = np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1)
    return np.unique(pairs, axis=0).astype(np.int64)


def boundary(faces: Ints) -> NDArray[np.int64]:
    """The directed edges K×2, in their face's direction, that only one face has."""
    pairs = np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    size = int(faces.max()) + 1 if len(faces) else 1
    forward, backward = pairs[:, 0] * size + pairs[:, 1], pairs[:, 1] * size + pairs[:, 0]
    return pairs[~np.isin(forward, backward)].astype(np.int64)


@dataclass(frozen=True)
class Neighbours:
    """Who is next to whom, as rows of one long list: for averages over neighbours."""

    index: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]

    def mean(self, values: Floats) -> Floats:
        """Mean of each vertex's neighbours; a vertex without any keeps its own value."""
        total = np.add.reduceat(values[self.index], np.minimum(self.start, max(len(self.index) - 1, 0)), axis=0)
        lonely = self.count == 0
        total[lonely] = values[lonely]
        count = np.maximum(self.count, 1).astype(values.dtype)
        return total / count.reshape(-1, *[1] * (values.ndim - 1))


def neighbours(faces: Ints, size: int) -> Neighbours:
    """The neighbours along edges of vertices 0..size-1."""
    e = edges(faces)
    both = np.concatenate([e, e[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    count = np.bincount(both[:, 0], minlength=size)
    return Neighbours(both[:, 1], np.concatenate([[0], np.cumsum(count)[:-1]]), count)


def smooth(values: Floats, near: Neighbours, rounds: int, strength: float = 0.5) -> Floats:
    """Values per vertex after `rounds` steps towards the mean of their neighbours."""
    for _ in range(rounds):
        values = values + np.asarray(strength, values.dtype) * (near.mean(values) - values)
    return values


def compact(faces: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Faces numbered anew over the vertices that they use, and which old vertices those are."""
    used, new = np.unique(faces, return_inverse=True)
    return new.reshape(faces.shape).astype(np.int64), used.astype(np.int64)


class Subdivision:
    """One step of Catmull and Clark's subdivision (1978) of a mesh of quads, as averages that any value can go through.

    Borders stay where linear subdivision puts them. `parents` gives for each new face the face that it came from.
    """

    def __init__(self, faces: Ints, size: int) -> None:
        self.coarse = np.asarray(faces, np.int64)
        self.size = size
        self.edges = edges(faces)
        key = self.edges[:, 0] * size + self.edges[:, 1]
        corner = [np.sort(self.coarse[:, [i, (i + 1) % 4]], 1) for i in range(4)]
        middle = [size + np.searchsorted(key, pair[:, 0] * size + pair[:, 1]) for pair in corner]
        centre = size + len(self.edges) + np.arange(len(faces))
        fine = [np.stack([self.coarse[:, i], middle[i], centre, middle[i - 1]], 1) for i in range(4)]
        self.faces = np.stack(fine, 1).reshape(-1, 4)
        self.parents = np.repeat(np.arange(len(faces)), 4)
        self.count = size + len(self.edges) + len(faces)
        self._valence = np.bincount(self.faces.ravel(), minlength=self.count)
        self._order = np.argsort(self.faces.ravel(), kind="stable")
        self._start = np.concatenate([[0], np.cumsum(self._valence)[:-1]])
        fixed = np.zeros(self.count, bool)
        border = boundary(self.faces)
        fixed[border.ravel()] = True
        self._fixed = fixed | (self._valence == 0)

    def linear(self, values: Floats) -> Floats:
        """Values at the new vertices, halfway along edges and in the middle of faces."""
        return np.concatenate([values, values[self.edges].mean(1), values[self.coarse].mean(1)])

    def __call__(self, values: Floats) -> Floats:
        fine = self.linear(values)
        per_face = fine[self.faces].mean(1)
        per_corner = np.repeat(per_face, 4, axis=0)[self._order]
        total = np.add.reduceat(per_corner, np.minimum(self._start, len(per_corner) - 1), axis=0)
        rounded = total / np.maximum(self._valence, 1).reshape(-1, *[1] * (values.ndim - 1)).astype(fine.dtype)
        rounded[self._fixed] = fine[self._fixed]
        return rounded


@dataclass(frozen=True)
class Cut:
    """The part of a mesh where a field is >= 0: the faces use old vertices and new ones on the edges that were cut."""

    faces: NDArray[np.int64]
    ends: NDArray[np.int64]
    share: Floats
    size: int
    parents: NDArray[np.int64]

    def __call__(self, values: Floats) -> Floats:
        """Values per old vertex, continued to the new ones."""
        t = self.share.astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        return np.concatenate([values, values[self.ends[:, 0]] * (1 - t) + values[self.ends[:, 1]] * t])


def cut(faces: Ints, field: Floats) -> Cut:
    """Keep where `field` (one value a vertex) is >= 0, cutting faces along its zero line."""
    faces = np.asarray(faces, np.int64)
    size = len(field)
    inside = field >= 0
    many = inside[faces].sum(1)
    number = np.arange(len(faces))
    whole = many == 4
    crossed = ~whole & (many > 0)
    mixed = faces[crossed]
    triangles = np.concatenate([mixed[:, [0, 1, 2]], mixed[:, [0, 2, 3]]])
    source = np.concatenate([number[crossed]] * 2)
    proper = triangles[:, 1] != triangles[:, 2]
    triangles, source = triangles[proper], source[proper]
    state = inside[triangles]
    count = state.sum(1)
    all_in, one, two = count == 3, count == 1, count == 2
    # The odd corner out goes first.
    first = np.where(one, np.argmax(state, 1), np.argmin(state, 1))
    turned = triangles[np.arange(len(triangles))[:, None], (first[:, None] + np.arange(3)) % 3]
    pairs = np.concatenate([turned[one][:, [0, 1]], turned[one][:, [0, 2]], turned[two][:, [0, 1]], turned[two][:, [0, 2]]])
    ordered = np.sort(pairs, 1)
    key, back = np.unique(ordered[:, 0] * size + ordered[:, 1], return_inverse=True)
    ends = np.stack([key // size, key % size], 1)
    low, high = field[ends[:, 0]], field[ends[:, 1]]
    share = low / np.where(low == high, 1, low - high)
    fresh = size + back.reshape(-1)
    n1, n2 = int(one.sum()), int(two.sum())
    a, b, c, d = np.split(fresh, [n1, 2 * n1, 2 * n1 + n2])
    tips = np.stack([turned[one][:, 0], a, b, b], 1)
    stumps = np.stack([c, turned[two][:, 1], turned[two][:, 2], d], 1)
    kept = triangles[all_in][:, [0, 1, 2, 2]]
    return Cut(
        np.concatenate([faces[whole], kept, tips, stumps]).astype(np.int64),
        ends.astype(np.int64),
        np.clip(share, 0, 1),
        size,
        np.concatenate([number[whole], source[all_in], source[one], source[two]]),
    )


def hem(vertices: Floats, faces: Ints, outward: Floats, depth: Floats | float) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """A strip that turns the open borders of a shell inwards, so that cloth has an edge.

    Returns the new vertices K×3, the strip's faces (numbered so that the new vertices follow the old), and for each new
    vertex the old one that it hangs on.
    """
    border = boundary(faces)
    rim, new = np.unique(border, return_inverse=True)
    new = new.reshape(border.shape) + len(vertices)
    d = np.broadcast_to(np.asarray(depth, vertices.dtype), len(vertices))[rim, None]
    strip = np.stack([border[:, 1], border[:, 0], new[:, 0], new[:, 1]], 1)
    return (vertices[rim] - outward[rim] * d).astype(vertices.dtype), strip, rim


def waves(
    points: Floats, rng: np.random.Generator, length: float, count: int = 6, stretch: tuple[float, float, float] = (1, 1, 1)
) -> Floats:
    """Smooth noise of about -1..1 at points N×3: `count` plane waves of about `length` metres; `stretch` lengthens axes."""
    k = unit(rng.normal(size=(count, 3))) * (2 * np.pi / length) * rng.uniform(0.6, 1.6, (count, 1)) / np.asarray(stretch)
    phase = rng.uniform(0, 2 * np.pi, count)
    total = np.sin(points @ k.T.astype(points.dtype) + phase.astype(points.dtype)).sum(1)
    return total / np.sqrt(count * 0.5) * 0.5


def lattice(rows: int, columns: int, *, closed: bool) -> NDArray[np.int64]:
    """Quads between neighbouring rows and columns of points; closed: the last column meets the first."""
    r, c = np.mgrid[0 : rows - 1, 0 : columns - (0 if closed else 1)].reshape(2, -1)
    after = (c + 1) % columns
    return np.stack([r * columns + c, r * columns + after, (r + 1) * columns + after, (r + 1) * columns + c], 1)


def tube(path: Floats, radius: Floats | float, segments: int = 6, *, closed: bool = False) -> tuple[Floats, NDArray[np.int64]]:
    """A tube around a path N×3, of one radius or N; closed: its end meets its start. Open ends stay open."""
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along = unit(along)
    # The axis that the whole path follows least: one choice for all rings, so that the tube never twists.
    aside = np.eye(3)[np.argmin(np.abs(along).sum(0))]
    side = unit(np.cross(along, aside))
    up = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None, :, None]
    r = np.broadcast_to(np.asarray(radius, float), len(path))[:, None, None]
    rings = path[:, None] + r * (np.cos(angle) * side[:, None] + np.sin(angle) * up[:, None])
    faces = lattice(len(path) + closed, segments, closed=True) % (len(path) * segments)
    return rings.reshape(-1, 3), faces


def ball(centre: Floats, radii: Floats | float, rings: Floats | int = 8, segments: int = 14) -> tuple[Floats, NDArray[np.int64]]:
    """A ball about -y as its pole; `rings`: how many, or the polar angles themselves (radians from -y)."""
    t = np.linspace(0, np.pi, rings + 1) if isinstance(rings, int) else np.asarray(rings, float)
    a = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    points = np.stack([np.sin(t)[:, None] * np.cos(a), -np.cos(t)[:, None] * np.ones_like(a), np.sin(t)[:, None] * np.sin(a)], -1)
    return points.reshape(-1, 3) * radii + centre, lattice(len(t), segments, closed=True)[:, ::-1]


def box(centre: Floats, axes: Floats, size: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """A box with its sides along the rows of `axes` 3×3 (right-handed)."""
    corner = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]) * size
    faces = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    return corner @ axes + centre, faces


def nearest(points: Floats, among: Floats, count: int = 1) -> NDArray[np.int64]:
    """For each of K points the `count` nearest of N others, K×count, nearest first."""
    d = (points**2).sum(1)[:, None] - 2 * points @ among.T + (among**2).sum(1)
    best = np.argpartition(d, count - 1, axis=1)[:, :count]
    return np.take_along_axis(best, np.argsort(np.take_along_axis(d, best, 1), 1), 1)


def within(*fields: Floats) -> Floats:
    """The field of what lies inside all of several."""
    return np.minimum.reduce(fields)


def ramp(x: Floats, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high` and a smooth step between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def pushed_out(points: Floats, surface: Floats, outward: Floats, gap: float, reach: float = 0.08) -> Floats:
    """Points N×3 moved so that none lies less than `gap` in front of the nearest of a surface's K points.

    `outward`: the surface's normals there. Points further than `reach` from any are left alone.
    """
    close = nearest(points, surface)[:, 0]
    apart = points - surface[close]
    lack = np.maximum(gap - (apart * outward[close]).sum(1), 0) * (np.linalg.norm(apart, axis=1) < reach)
    return points + outward[close] * lack[:, None].astype(points.dtype)
