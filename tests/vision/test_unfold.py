"""Displacements that fold a sheet over are made smoother, and no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from addon.vision.unfold import unfolded

SIDE = 21


def sheet() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """SIDE × SIDE vertices a metre before the camera, a centimetre apart."""
    x, z = (i.ravel() for i in np.meshgrid(np.arange(SIDE) - SIDE // 2, np.arange(SIDE) - SIDE // 2))
    at = np.stack([x * 0.01, np.ones(len(x)), z * 0.01], 1).astype(np.float32)
    k = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = k[:-1, :-1].ravel(), k[:-1, 1:].ravel(), k[1:, 1:].ravel(), k[1:, :-1].ravel()
    return at, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


def turned(at: NDArray[np.floating], triangles: NDArray[np.int32]) -> int:
    a, b, c = (at[triangles[:, i]][:, (0, 2)] / at[triangles[:, i], 1:2] for i in range(3))
    return int(((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0).sum())


NONE = np.zeros((0, 2), np.int32)


def bump(at: NDArray[np.float32], width: float, far: float) -> NDArray[np.float32]:
    step = np.zeros_like(at)
    step[:, 2] = far * np.exp(-0.5 * (at[:, 0] ** 2 + at[:, 2] ** 2) / width**2)
    step[np.abs(step) < 1e-4] = 0
    return step


def test_what_folds_is_made_smoother_and_the_rest_stays() -> None:
    at, triangles = sheet()
    step = bump(at, 0.02, 0.045)
    assert turned(at + step, triangles) > 10
    out = unfolded(at, triangles, NONE, step, np.zeros(len(at), bool))
    assert turned(at + out, triangles) == 0
    assert np.array_equal(out[step[:, 2] == 0][:20], step[step[:, 2] == 0][:20])
    assert out[:, 2].max() > 0.4 * step[:, 2].max()


def test_what_does_not_fold_is_given_back_itself() -> None:
    at, triangles = sheet()
    step = bump(at, 0.04, 0.02)
    assert turned(at + step, triangles) == 0
    assert unfolded(at, triangles, NONE, step, np.zeros(len(at), bool)) is step


def test_fixed_vertices_stay_and_seams_stay_together() -> None:
    at, triangles = sheet()
    step = bump(at, 0.02, 0.045)
    middle = SIDE * SIDE // 2
    fixed = np.zeros(len(at), bool)
    fixed[middle] = True
    out = unfolded(at, triangles, NONE, step, fixed)
    assert np.array_equal(out[middle], step[middle])
    # Two sheets in one place, joined by a seam; the second is a wider mesh about it, so that each would go its own way.
    both, more = np.concatenate([at, at]), np.concatenate([triangles, triangles[: len(triangles) // 2] + len(at)])
    seams = np.stack([np.arange(len(at)), np.arange(len(at)) + len(at)], 1).astype(np.int32)
    out = unfolded(both, more.astype(np.int32), seams, np.concatenate([step, step]), np.zeros(len(both), bool))
    assert np.allclose(out[: len(at)], out[len(at) :], atol=1e-7)
