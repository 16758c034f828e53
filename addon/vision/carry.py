"""What an artist has painted on a subject's mesh (weights, keys), carried over to the mesh as it is made anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .rigging import Part, SubjectMesh

Doubles = NDArray[np.float64]

_ACROSS = 1536  # cells of the raster in which triangles are looked up, along the longer side
_NEAR = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))  # cells in which a vertex's triangle may be


def carry_over(old: SubjectMesh, values: NDArray[np.floating], new: SubjectMesh) -> NDArray[np.float32]:
    """Values of the old mesh's vertices at those of the new one, by where the photo shows them at rest.

    values: N×..., of the old vertices. Returns float32 of the new count ×.... Within a part (skin, an eye, ...) and on one side of the lips
    and lids; interpolated in the photo, and beyond the old mesh as at its nearest place. A part that the old mesh lacks gets zeros.
    """
    flat = np.asarray(values, np.float64).reshape(len(old.position), -1)
    out = np.zeros((len(new.position), flat.shape[1]), np.float32)
    before, after = _uv(old), _uv(new)
    for part in Part:
        triangles = old.triangles[old.part == part]
        mine = np.unique(new.triangles[new.part == part])
        if not len(triangles) or not len(mine):
            continue
        for side in (-1, 0, 1):
            wanted = mine[new.side[mine] == side]
            sides = old.side[triangles]
            # Beside the corners of the mouth triangles reach from one side to the other.
            allowed = triangles if side == 0 else triangles[(sides != -side).all(1) | (sides == side).any(1)]
            if len(wanted) and len(allowed):
                corners, weights = _found(before, allowed, after[wanted])
                out[wanted] = np.einsum("nk,nkc->nc", weights, flat[corners])
                # A vertex that has stayed keeps its own.
                own = np.unique(triangles)
                own = own[old.side[own] == side]
                there, which = _same(before[own], after[wanted])
                out[wanted[there]] = flat[own[which]]
    return out.reshape(len(new.position), *np.shape(values)[1:])


def _uv(mesh: SubjectMesh) -> Doubles:
    ray = mesh.ray.astype(np.float64)
    return ray[:, :2] / ray[:, 2:]


def _same(places: Doubles, wanted: Doubles) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of the wanted places (K×2) is one of the given ones (N×2), and which."""
    given, asked = (np.round(p * 2e6).astype(np.int64) @ np.array([1 << 32, 1]) for p in (places, wanted))
    order = np.argsort(given, kind="stable")
    at = np.minimum(np.searchsorted(given, asked, sorter=order), max(len(given) - 1, 0))
    if not len(given):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    there = np.flatnonzero(given[order[at]] == asked)
    return there, order[at[there]]


def _found(places: Doubles, triangles: NDArray[np.int32], wanted: Doubles) -> tuple[NDArray[np.int32], Doubles]:
    """The triangle that each wanted place lies in, or is nearest to (corners K×3), and the corners' weights there (K×3)."""
    cv2 = cv()
    used = places[np.unique(triangles)]
    low = used.min(0)
    scale = (_ACROSS - 4) / max(float((used.max(0) - low).max()), 1e-12)
    local, goal = (places - low) * scale + 1.5, (wanted - low) * scale + 1.5
    size = np.ceil(local[np.unique(triangles)].max(0)).astype(int) + 2
    shown = np.full((size[1], size[0]), -1, np.float32)
    corners = np.round((local[triangles] - 0.5) * 256).astype(np.int32)
    for i, corner in enumerate(corners):
        cv2.fillConvexPoly(shown, corner, float(i), shift=8)
    _, nearest = cv2.distanceTransformWithLabels((shown < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(nearest.max()) + 1, np.int64)
    owner[nearest[shown >= 0]] = shown[shown >= 0].astype(np.int64)
    best, worst, weight = np.zeros(len(goal), np.int64), np.full(len(goal), -np.inf), np.zeros((len(goal), 3))
    cell = np.floor(goal).astype(np.int64)
    for dx, dy in _NEAR:
        x, y = np.clip(cell[:, 0] + dx, 0, size[0] - 1), np.clip(cell[:, 1] + dy, 0, size[1] - 1)
        which = owner[nearest[y, x]]
        found = _barycentric(local[triangles[which]], goal)
        better = found.min(1) > worst
        best[better], worst[better], weight[better] = which[better], found.min(1)[better], found[better]
    weight = np.clip(weight, 0, None)
    return triangles[best], weight / weight.sum(1, keepdims=True)


def _barycentric(corners: Doubles, at: Doubles) -> Doubles:
    """Weights N×3 of triangles' corners (N×3×2) at places N×2; negative outside."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, at - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    v = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    w = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    return np.column_stack([1 - v - w, v, w])
