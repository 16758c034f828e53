"""Normals of depth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from addon.vision.geometry import RayMap, ray_map
from addon.vision.layered import PhotoCamera
from addon.vision.normals import normals_from_depth

SIZE = 160, 120
RAYS = ray_map(PhotoCamera(60.0, (0.1, -0.05)), SIZE)


def plane(normal: tuple[float, float, float], distance: float, rays: RayMap = RAYS) -> tuple[np.ndarray, float, float]:
    """(d, near, far) of the plane n·P = -distance, n in axes x right, y down, z forward."""
    x = ((np.arange(SIZE[0]) + 0.5) / SIZE[0] - rays.u0) * rays.width
    y = ((1 - (np.arange(SIZE[1]) + 0.5) / SIZE[1]) - rays.v0) * rays.height
    w = -(normal[0] * x[None] - normal[1] * y[:, None] + normal[2]) / distance
    near, far = 1 / w.max(), 1 / w.min()
    return ((w - 1 / far) / (1 / near - 1 / far)).astype(np.float32), near, far


@pytest.mark.parametrize("normal", [(0.5, 0.0, -1.0), (-0.3, 0.2, -1.0), (0.0, -1.0, -0.9)])
def test_a_plane_has_one_normal(normal):
    unit = np.array(normal) / np.linalg.norm(normal)
    found = normals_from_depth(*plane(tuple(unit), 3.0), RAYS)
    assert found.dtype == np.float32 and np.allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    inner = found[12:-12, 12:-12]
    assert np.degrees(np.arccos(np.clip(inner @ unit, -1, 1))).max() < 3


def test_noise_is_smoothed_and_an_edge_is_no_slope():
    rng = np.random.default_rng(0)
    d = np.full((120, 160), 0.2, np.float32)
    d[:, 80:] = 0.8
    d += rng.normal(0, 0.004, d.shape).astype(np.float32)
    found = normals_from_depth(d, 2.0, 6.0, RAYS)
    angle = np.degrees(np.arccos(np.clip(-found[..., 2], -1, 1)))
    assert np.median(angle) < 15 and angle[:, 74:86].mean() < 25
    rough = np.gradient(1 / (d * (1 / 2 - 1 / 6) + 1 / 6), axis=1) / (RAYS.width / 160) / 3
    assert np.median(np.degrees(np.arctan(np.abs(rough)))) > np.median(angle) * 1.5


def test_no_picture_is_too_small():
    for shape in ((1, 1), (1, 5), (2, 2)):
        found = normals_from_depth(np.full(shape, 0.5, np.float32), 1.0, 2.0, RAYS)
        assert found.shape == (*shape, 3) and np.isfinite(found).all() and math.isclose(float(np.linalg.norm(found[0, 0])), 1, abs_tol=1e-4)
