"""The camera of a point map is found from the points alone, whatever the map's shape, and never sends the scene behind itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from addon.vision.networks.focal import Camera, find_camera, minimise

RNG = np.random.default_rng(11)


def scene(width: int, height: int, focal: float, aspect: float, lacks: float = 0.0):
    """Points of a hilly floor as a camera with that focal length sees them, with z too small by `lacks`, and their z."""
    v, u = np.mgrid[:height, :width]
    x, y = (2 * u + 1 - width) / width / 2 / focal, (2 * v + 1 - height) / height / 2 / focal / aspect
    z = 2.5 + 0.5 * np.sin(5 * x) + 0.5 * np.tanh(y) + 0.3 * np.cos(9 * x * y)
    return np.stack([x * z, y * z, z - lacks], axis=-1).astype(np.float32), z


@pytest.mark.parametrize("focal", [0.3, 0.9, 3.0])
@pytest.mark.parametrize(("width", "height", "aspect"), [(96, 64, 1.5), (64, 96, 0.66), (100, 100, 1.0), (40, 30, 1.4), (300, 40, 7.6)])
def test_focal_length_and_shift_are_found_together(focal, width, height, aspect):
    for lacks in (0.0, 0.7, -3.0):
        points, z = scene(width, height, focal, aspect, lacks)
        found = find_camera(points, None, aspect)
        assert found.focal == pytest.approx(focal, rel=2e-3) and found.shift == pytest.approx(lacks, abs=2e-2 * z.mean())


@pytest.mark.parametrize("aspect", [0.5, 1.0, 1.78])
def test_a_known_focal_length_is_kept_and_leaves_the_shift(aspect):
    points, _ = scene(96, 64, 0.8, aspect, 0.4)
    found = find_camera(points, None, aspect, 0.8)
    assert found.focal == 0.8 and found.shift == pytest.approx(0.4, abs=1e-3)
    assert find_camera(points, None, aspect, 1.6).shift > 0.4  # the same rays from farther away


def test_the_scale_of_the_points_changes_the_shift_alone():
    points, _ = scene(96, 64, 0.8, 1.5, 0.4)
    one, large = find_camera(points, None, 1.5), find_camera(points * 1000, None, 1.5)
    assert large.focal == pytest.approx(one.focal, rel=1e-3) and large.shift == pytest.approx(1000 * one.shift, rel=1e-2)


def test_points_that_do_not_count_change_nothing():
    points, _ = scene(128, 128, 0.8, 1.0, 0.3)
    before = find_camera(points, None, 1.0)
    valid = RNG.random((128, 128)) < 0.6
    spoiled = np.where(valid[..., None], points, RNG.normal(0, 30, points.shape)).astype(np.float32)
    found = find_camera(spoiled, valid, 1.0)
    assert found.focal == pytest.approx(before.focal, rel=1e-3) and found.shift == pytest.approx(before.shift, abs=1e-3)
    spoiled[~valid] = RNG.choice([np.nan, np.inf, -np.inf], (np.count_nonzero(~valid), 3))
    assert find_camera(spoiled, None, 1.0) == pytest.approx(found)


def test_noise_is_averaged_out():
    points, _ = scene(256, 256, 0.8, 1.0, 0.3)
    noisy = points + RNG.normal(0, 0.02, points.shape).astype(np.float32)
    found = find_camera(noisy, None, 1.0)
    assert found.focal == pytest.approx(0.8, rel=0.02) and found.shift == pytest.approx(0.3, abs=0.05)


def test_a_wall_seen_head_on_keeps_the_shift_it_has():
    """Its depth cannot be told from the lens: with another shift another focal length fits as well, or nearly."""
    points, _ = scene(64, 64, 0.8, 1.0)
    wall = points / points[..., 2:] * RNG.normal(1, 1e-3, (64, 64, 1)).astype(np.float32)
    wall[..., :2] += RNG.normal(0, 1e-3, (64, 64, 2)).astype(np.float32)
    found = find_camera(wall, None, 1.0)
    assert abs(found.shift) < 0.05 and found.focal == pytest.approx(0.8, rel=0.05)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_points_tell_nothing(count):
    points, _ = scene(64, 64, 0.8, 1.0)
    valid = np.zeros((64, 64), bool)
    valid.ravel()[:count] = True
    assert find_camera(points, valid, 1.0) == Camera(None, 0.0)
    assert find_camera(points, valid, 1.0, 0.7) == Camera(0.7, 0.0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p * (-1, -1, 1),  # the picture's left on the right: no focal length above 0
        lambda p: p * (0, 0, 1),
        lambda p: p * 0,
        lambda p: p * np.nan,
        lambda p: p * (1, 1, -1),
        lambda p: np.stack([p[..., 0], p[..., 1], p[..., 2] - 30], axis=-1),
        lambda p: np.where(
            np.arange(64)[:, None, None] % 5 < 3, (0.0, 0.0, -9.0), p - (0.0, 0.0, 0.3)
        ),  # most of them, though they weigh nothing
        lambda p: RNG.normal(0, 1, p.shape),
        lambda p: RNG.normal(0, 1e30, p.shape),
    ],
)
def test_points_that_no_camera_sees_never_go_behind_it_by_the_shift(spoil):
    points, _ = scene(64, 64, 0.8, 1.0)
    spoiled = spoil(points).astype(np.float32)
    for focal in (None, 0.8):
        found = find_camera(spoiled, None, 1.0, focal)
        assert math.isfinite(found.shift) and (found.focal is None or found.focal > 0)
        z = spoiled[..., 2].astype(np.float64)
        assert found.shift == 0 or np.mean(z + found.shift > 0) > 0.5


def test_the_least_of_a_sum_is_found():
    def bent(place: float):
        """Least at 3, and steeper on one side."""
        return np.array([math.exp(0.5 * (place - 3)) - 1]), np.array([0.5 * math.exp(0.5 * (place - 3))])

    assert minimise(bent, 1e-12) == pytest.approx(3, abs=1e-5)
    assert minimise(lambda place: (np.array([np.nan]), np.array([1.0]))) == 0
    assert minimise(lambda place: (np.array([2.0]), np.array([0.0]))) == 0
