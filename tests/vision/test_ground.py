"""The ground plane helps where a network is unsure, and only there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from addon.vision.priors.ground import ground_ramp, lean_on_ground, mean_deviation

SHAPE = (96, 128)


def test_the_ramp_is_a_floor_as_a_turned_camera_sees_it() -> None:
    level = ground_ramp(SHAPE, 0.25, 0.0)
    assert level.shape == SHAPE and (level[:24] == 0).all() and (np.diff(level[25:, 0]) > 0).all() and (level == level[:, :1]).all()
    roll = math.radians(10)
    rolled = ground_ramp(SHAPE, 0.5, roll)
    # A camera that is turned clockwise sees the horizon rise to the right, by tan(roll) for each pixel.
    edge = [int(np.flatnonzero(rolled[:, x] > 0)[0]) for x in (14, 114)]
    assert edge[0] - edge[1] == pytest.approx(100 * math.tan(roll), abs=1.5)
    off = ground_ramp(SHAPE, 0.75, roll)
    assert off[95, 0] < off[95, 127] and float(off.max()) < float(rolled.max())


def floor_and_noise(seed: int = 0):
    """A floor, what a network makes of it where it is unsure, and its confidence: unsure in a quarter of the picture."""
    true = 3 * ground_ramp(SHAPE, 0.3, 0.0) + 1
    confidence = np.full(SHAPE, 0.95, np.float32)
    values = true + np.random.default_rng(seed).normal(0, 0.02, SHAPE).astype(np.float32)
    values[50:90, 20:70] = 1.2
    confidence[50:90, 20:70] = 0.05
    return true, values.astype(np.float32), confidence


def test_an_unsure_region_becomes_floor() -> None:
    true, values, confidence = floor_and_noise()
    made = lean_on_ground(values, confidence, 0.3, 0.0)
    inside = np.s_[58:82, 28:62]
    assert float(np.abs(made - true)[inside].mean()) < 0.25 * float(np.abs(values - true)[inside].mean())
    assert float(np.abs(made - values)[:, 90:].mean()) < 0.02 * mean_deviation(values)


def test_unsure_silhouettes_are_left_alone() -> None:
    _, values, _ = floor_and_noise()
    confidence = np.full(SHAPE, 0.9, np.float32)
    confidence[:, 60:62] = 0.02
    even = lean_on_ground(values, np.full(SHAPE, 0.9, np.float32), 0.3, 0.0)
    apart = np.abs(lean_on_ground(values, confidence, 0.3, 0.0) - even)
    confidence[:, 50:72] = 0.02  # a region
    region = np.abs(lean_on_ground(values, confidence, 0.3, 0.0) - even)
    assert float(apart.max()) < 0.06 * mean_deviation(values) and float(region.max()) > 0.4 * mean_deviation(values)


def test_a_network_that_is_sure_is_hardly_touched() -> None:
    values = np.random.default_rng(1).random(SHAPE).astype(np.float32)
    made = lean_on_ground(values, np.full(SHAPE, 0.999, np.float32), 0.4, 0.0)
    assert float(np.abs(made - values).max()) < 0.1 * float(np.ptp(values))


def test_without_a_floor_nothing_changes() -> None:
    _, values, confidence = floor_and_noise()
    assert lean_on_ground(values, confidence, 0.97, 0.0) is values  # the horizon is at the bottom edge
    upside_down = np.ascontiguousarray(values[::-1])
    assert lean_on_ground(upside_down, np.ascontiguousarray(confidence[::-1]), 0.3, 0.0) is upside_down
    flat = np.ones(SHAPE, np.float32)
    np.testing.assert_array_equal(lean_on_ground(flat, confidence, 0.3, 0.0), flat)
    assert lean_on_ground(values, confidence, 0.3, 0.0, sky=np.ones(SHAPE, np.float32)) is values


def test_the_sky_stays() -> None:
    _, values, confidence = floor_and_noise()
    sky = np.zeros(SHAPE, np.float32)
    sky[:20] = 1
    confidence[:20] = 0.05
    np.testing.assert_array_equal(lean_on_ground(values, confidence, 0.3, 0.0, sky)[:20], values[:20])
