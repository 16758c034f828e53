"""The ground plane is a plane: seen by a pinhole camera it lies 1.6 m below, out to the horizon."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from addon.spec import DepthSpec
from addon.vision.depth import choose
from addon.vision.depth.plane import ESTIMATOR, FOV
from addon.vision.layered import DepthKind, to_disparity
from addon.vision.photo import Photo


def plane(width: int, height: int, fov: float | None = None, **more):
    photo = Photo(Path("photo.jpg"), np.zeros((height, width, 3), np.uint8), None, fov, "")
    return ESTIMATOR.estimate(photo, DepthSpec(**more), lambda share, words: None)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (3000, 300), (8, 8), (17, 1200)])
@pytest.mark.parametrize("fov", [None, 24.0, 90.0])
def test_every_floor_pixel_lies_on_one_plane(width, height, fov):
    depth = plane(width, height, fov)
    assert depth.kind is DepthKind.METRIC_DISPARITY and depth.values.shape == (height, width) and depth.values.dtype == np.float32
    focal = width / 2 / math.tan(math.radians(fov or FOV) / 2)
    y, x = np.mgrid[:height, :width] + 0.5
    u, v = (x - width / 2) / focal, (y - height / 2) / focal
    pitch = math.atan(-(depth.horizon - 0.5) * height / focal)
    z = 1 / depth.values.astype(np.float64)
    below = (v * math.cos(pitch) + math.sin(pitch)) * z + 0 * u
    floor = depth.values > 1 / 60 * 1.0001
    assert np.allclose(below[floor], depth.camera_height, rtol=1e-4)
    assert np.allclose(z[~floor], 60, rtol=1e-3)


def test_the_disparity_rises_linearly_below_the_horizon():
    column = plane(640, 480).values[:, 0].astype(np.float64)
    floor = column > column[0] * 1.0001
    assert not floor[: int(480 * 0.45)].any() and floor[-1]
    assert np.allclose(np.diff(column[floor], 2), 0, atol=1e-6) and (np.diff(column) >= 0).all()


def test_near_and_far_bound_it():
    scene = to_disparity(plane(640, 480, near=5.0, far=20.0), near=5.0, far=20.0)
    assert (scene.near, scene.far) == (5, 20) and scene.d.min() == 0 and scene.d.max() == 1
    far = 1 / plane(640, 480, near=100.0).values
    assert far.min() >= 100 * 0.999 and far.max() > far.min()


def test_it_is_chosen_by_its_name():
    assert choose(DepthSpec(estimator="plane")) is ESTIMATOR and ESTIMATOR.name == "plane"
