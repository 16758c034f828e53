"""What belongs to the vertices of one mesh of a subject, found again on another of the same photo: by where in the photo they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vision.cv import cv
from ..vision.rigging import SubjectMesh

Floats = NDArray[np.float32]
_NEAR = 12  # triangles that are looked at for each vertex
_WRONG_SIDE = 10.0


def carrier(old: SubjectMesh, new: SubjectMesh) -> Callable[[NDArray[Any]], Floats]:
    """A function that takes values of `old`'s vertices (N×K) to `new`'s (M×K, float32).

    Every part of the subject is looked up in the same part. A vertex takes the mixture of the corners of the triangle that it lies in,
    in the photo; on a line where lids or lips part, of one on its own side. Outside all triangles it takes the nearest edge's.
    """
    corners = np.zeros((len(new.position), 3), np.int64)
    shares = np.zeros((len(new.position), 3))
    shares[:, 0] = 1
    old_uv, new_uv = _uv(old), _uv(new)
    for part in np.unique(new.part):
        vertices = np.unique(new.triangles[new.part == part])
        triangles = old.triangles[old.part == part].astype(np.int64)
        if not len(triangles):
            continue  # it had no such part: nothing to carry
        corners[vertices], shares[vertices] = _find(old_uv, old.side, triangles, new_uv[vertices], new.side[vertices])
    missing = ~np.isin(new.part, np.unique(old.part))
    none = np.unique(new.triangles[missing]) if missing.any() else np.zeros(0, np.int64)

    def carry(values: NDArray[Any]) -> Floats:
        found = (np.asarray(values, np.float64)[corners] * shares[..., None]).sum(1)
        found[none] = 0
        return found.astype(np.float32)

    return carry


def _uv(mesh: SubjectMesh) -> NDArray[np.float64]:
    """Where in the photo, N×2, in tangents' proportions near enough for distances."""
    return mesh.ray[:, :2].astype(np.float64) / np.maximum(mesh.ray[:, 2:], 1e-9)


def _find(
    uv: NDArray[np.float64], side: NDArray[np.int8], triangles: NDArray[np.int64], at: NDArray[np.float64], sides: NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each place the corners of its triangle and their shares, P×3 each."""
    middle = np.ascontiguousarray(uv[triangles].mean(1), np.float32)
    near = min(_NEAR, len(triangles))
    index = cv().flann_Index(middle, {"algorithm": 1, "trees": 1})
    found, _ = index.knnSearch(np.ascontiguousarray(at, np.float32), near, params={"checks": 256})
    found = np.clip(found, 0, len(triangles) - 1).astype(np.int64)
    a, b, c = (uv[triangles[found][..., i]] for i in range(3))  # P×near×2
    p = at[:, None, :]
    area = _cross(b - a, c - a)
    flat = np.abs(area) < 1e-16
    area = np.where(flat, 1, area)
    inside = np.stack([_cross(c - b, p - b), _cross(a - c, p - c), _cross(b - a, p - a)], -1) / area[..., None]
    worst = inside.min(-1)
    worst[flat] = -1e6
    own = np.sign(side[triangles].astype(np.int64).sum(-1))[found]
    worst -= np.where(own * sides[:, None].astype(np.int64) < 0, _WRONG_SIDE, 0)
    best = worst.argmax(1)
    rows = np.arange(len(at))
    shares = np.clip(inside[rows, best], 0, None)
    return triangles[found[rows, best]], shares / np.maximum(shares.sum(1, keepdims=True), 1e-12)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
