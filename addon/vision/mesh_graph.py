"""Distances along a mesh and smoothing over it, in numpy.

Distances are shortest ways along edges: first between the middles of small cubes of space that edges join, which takes few steps, then over
the edges themselves. That is some per cent longer than the true geodesic, and never goes through the air.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_PASSES = 8  # in which the vertices of a cube find each other; those that do not make two cubes of it
_ROUNDS = 24  # over the fine edges, after the coarse ones


@dataclass(frozen=True)
class Graph:
    """start: int N+1, where each vertex's neighbours begin; other: int E, the neighbours; length: float64 E, metres. Both ways."""

    start: NDArray[np.int64]
    other: NDArray[np.int64]
    length: Array
    position: Array

    def __len__(self) -> int:
        return len(self.start) - 1

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Whose neighbour each entry of `other` is."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def _least(self, values: Array) -> Array:
        """For every vertex the least of its neighbours' values (E given), infinity without neighbours."""
        result = np.full(len(self), np.inf)
        some = np.diff(self.start) > 0
        if len(values):
            result[some] = np.minimum.reduceat(values, self.start[:-1][some])
        return result

    def relaxed(self, distance: Array, most: int) -> Array:
        """Distances, each at most a neighbour's and the edge to it, after at most so many rounds."""
        for _ in range(most):
            new = np.minimum(distance, self._least(distance[self.other] + self.length))
            if np.array_equal(new, distance):
                break
            distance = new
        return distance

    def smoothed(self, values: Array, rounds: int, held: NDArray[np.bool_] | None = None) -> Array:
        """Values N, again and again half their own and half their neighbours' mean, near ones more; where `held` they stay."""
        near = 1 / np.maximum(self.length, 1e-5)
        owner = self.owner
        total = np.bincount(owner, near, len(self))
        for _ in range(rounds):
            mean = np.bincount(owner, near * values[self.other], len(self)) / np.maximum(total, 1e-12)
            new = np.where(total > 0, 0.5 * values + 0.5 * mean, values)
            values = new if held is None else np.where(held, values, new)
        return values


def graph_of(position: Array, first: NDArray[np.int64], second: NDArray[np.int64]) -> Graph:
    """The graph of edges between vertices, each given once or more, in any order."""
    n = len(position)
    low, high = np.minimum(first, second), np.maximum(first, second)
    keys = np.unique(low * n + high)
    low, high = keys // n, keys % n
    a, b = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.argsort(a, kind="stable")
    a, b = a[order], b[order]
    start = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=n))])
    return Graph(start, b, np.linalg.norm(position[a] - position[b], axis=1), position)


def mesh_graph(position: Array, triangles: NDArray[np.int32]) -> Graph:
    """The graph of a mesh's edges. position: N×3. triangles: M×3."""
    t = triangles.astype(np.int64)
    return graph_of(np.asarray(position, np.float64), t[:, [0, 1, 2]].ravel(), t[:, [1, 2, 0]].ravel())


def _joined(graph: Graph, cube: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of cubes, divided where two sheets pass through one without a way between them in it."""
    inner = cube[graph.owner] == cube[graph.other]
    a, b = graph.owner[inner], graph.other[inner]
    first = np.arange(len(graph))
    if len(a):
        starts = np.flatnonzero(np.diff(a, prepend=-1))
        for _ in range(_PASSES):
            least = np.minimum.reduceat(first[b], starts)
            first[a[starts]] = np.minimum(first[a[starts]], least)
            first = first[first]
    return np.unique(first, return_inverse=True)[1].ravel()


def distances(graph: Graph, seeds: NDArray[np.bool_], cell: float) -> Array:
    """How far it is from the seeds (bool N) along the mesh, float64 N in metres; infinite where no way leads. cell: metres, of the cubes."""
    if not seeds.any():
        return np.full(len(graph), np.inf)
    place = np.floor((graph.position - graph.position.min(0)) / cell).astype(np.int64)
    size = place.max(0) + 1
    _, cube = np.unique((place[:, 0] * size[1] + place[:, 1]) * size[2] + place[:, 2], return_inverse=True)
    cube = _joined(graph, cube.ravel())
    count = np.bincount(cube)
    middle = np.stack([np.bincount(cube, graph.position[:, k]) for k in range(3)], 1) / count[:, None]
    a, b = cube[graph.owner], cube[graph.other]
    across = a != b
    coarse = graph_of(middle, a[across], b[across])
    near = np.full(len(count), np.inf)
    np.minimum.at(near, cube[seeds], np.linalg.norm(graph.position[seeds] - middle[cube[seeds]], axis=1))
    near = coarse.relaxed(near, len(count))
    result = near[cube] + np.linalg.norm(graph.position - middle[cube], axis=1)
    result[seeds] = 0
    return graph.relaxed(result, _ROUNDS)
