"""A triangulation of the plane in which given edges are kept: Delaunay's, by OpenCV, with points added on edges that it lacks.

Where points along a curve stand close enough, Delaunay's triangulation has the curve's edges by itself (Ruppert 1995: an edge is there if
no other point lies in the circle over it). So an edge that is missing is halved until it is there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv

Points = NDArray[np.float64]
Ints = NDArray[np.int32]

_ROUNDS = 8


class Triangulation(NamedTuple):
    """points: float64 N×2, those given first, then those added. triangles: int32 M×3, counter-clockwise where the second coordinate
    points up. edges: int32 K×2, the kept edges, those that were halved as their parts. origin: int32 K, which of the given edges each is
    a part of. halves: int32 A×2, between which two points each of the added ones stands in the middle, in their order."""

    points: Points
    triangles: Ints
    edges: Ints
    origin: Ints
    halves: Ints


def triangulate(points: Points, edges: Ints) -> Triangulation:
    """Triangulate points (float64 N×2, no two of which may be one in float32) and keep the edges (int32 K×2) between them.

    The convex hull's border may be ragged. Raises ValueError if an edge cannot be kept: edges that cross.
    """
    points, edges = np.asarray(points, np.float64).astype(np.float32).astype(np.float64), np.asarray(edges, np.int32).reshape(-1, 2)
    origin, halves = np.arange(len(edges), dtype=np.int32), np.zeros((0, 2), np.int32)
    for _ in range(_ROUNDS):
        triangles = _delaunay(points)
        missing = ~_among(edges, triangles, len(points))
        if not missing.any():
            return Triangulation(points, triangles, edges, origin, halves)
        # Neighbouring triangles around a common point would otherwise halve the same edge twice.
        cut = edges[missing]
        middle = ((points[cut[:, 0]] + points[cut[:, 1]]) / 2).astype(np.float32).astype(np.float64)
        number = len(points) + np.arange(len(cut), dtype=np.int32)
        points = np.concatenate([points, middle])
        halves = np.concatenate([halves, cut])
        edges = np.concatenate([edges[~missing], np.stack([cut[:, 0], number], 1), np.stack([number, cut[:, 1]], 1)])
        origin = np.concatenate([origin[~missing], origin[missing], origin[missing]])
    raise ValueError(f"{np.count_nonzero(missing)} of {len(edges)} edges cross others")


def edges_of(triangles: Ints) -> tuple[Ints, Ints]:
    """The undirected edges of triangles (int32 E×2, smaller number first) and which each triangle's three are (int32 M×3: from its
    first to its second corner, and so on)."""
    directed = np.stack([triangles, np.roll(triangles, -1, 1)], -1).reshape(-1, 2)
    ends = np.sort(directed, 1).astype(np.int64)
    base = int(ends.max()) + 1 if len(ends) else 1
    keys, which = np.unique(ends[:, 0] * base + ends[:, 1], return_inverse=True)
    return np.stack([keys // base, keys % base], 1).astype(np.int32), which.reshape(-1, 3).astype(np.int32)


def components(count: int, pairs: NDArray[np.integer]) -> NDArray[np.int64]:
    """Which of `count` things hang together by pairs (K×2): int64, the least number of each one's component."""
    label = np.arange(count, dtype=np.int64)
    a, b = pairs[:, 0], pairs[:, 1]
    while len(a):
        low = np.minimum(label[a], label[b])
        before = label.copy()
        for end in (a, b):
            # What one was labelled by goes along with it.
            np.minimum.at(label, before[end], low)
            np.minimum.at(label, end, low)
        label = label[label]
        if np.array_equal(label, before):
            break
    return label


def inside(places: Points, polygon: Points) -> NDArray[np.bool_]:
    """Whether places (N×2) lie inside of a closed polygon (K×2): an odd number of its sides is passed on the way out."""
    places, polygon = np.asarray(places, np.float64), np.asarray(polygon, np.float64)
    found = np.zeros(len(places), bool)
    low, high = polygon.min(0), polygon.max(0)
    near = np.flatnonzero(((places >= low) & (places <= high)).all(1))
    if not len(near):
        return found
    x, y = places[near, 0][:, None], places[near, 1][:, None]
    a, b = polygon, np.roll(polygon, -1, 0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    found[near] = (np.count_nonzero(crosses & (x < at), axis=1) % 2) == 1
    return found


def twice_areas(points: Points, triangles: Ints) -> Points:
    """Twice the signed area of each triangle, positive where counter-clockwise."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _delaunay(points: Points) -> Ints:
    low = points.min(0)
    # OpenCV calculates in float32: from the points' own corner they have most digits.
    local = (points - low + 1).astype(np.float32)
    extent = local.max(0) + 1
    plane = cv().Subdiv2D((0, 0, int(extent[0]) + 2, int(extent[1]) + 2))
    band = max(float(extent[1]) / max(1, round(np.sqrt(len(points)))), 1e-6)
    row = (local[:, 1] / band).astype(np.int64)
    # In the order of a plough each point lies near the one before, where its place is searched from.
    plane.insert(local[np.lexsort((np.where(row % 2, -local[:, 0], local[:, 0]), row))])
    corners = plane.getTriangleList().reshape(-1, 2)
    names = _names(local)
    order = np.argsort(names)
    found = order[np.minimum(np.searchsorted(names, _names(corners), sorter=order), len(names) - 1)]
    triangles = found.reshape(-1, 3).astype(np.int32)
    real = (names[found] == _names(corners)).reshape(-1, 3).all(1)
    triangles = triangles[real]
    area = twice_areas(points, triangles)
    triangles = np.where((area < 0)[:, None], triangles[:, ::-1], triangles)
    return triangles[area != 0]


def _names(places: NDArray[np.float32]) -> NDArray[np.int64]:
    bits = np.ascontiguousarray(places, np.float32).view(np.int32).astype(np.int64)
    return bits[:, 0] * (1 << 32) + bits[:, 1]


def _among(edges: Ints, triangles: Ints, count: int) -> NDArray[np.bool_]:
    found, _ = edges_of(triangles)
    keys = found[:, 0].astype(np.int64) * count + found[:, 1]
    ends = np.sort(edges, 1).astype(np.int64)
    return np.isin(ends[:, 0] * count + ends[:, 1], keys)
