"""From a depth map of any kind to metres: floors, horizons, known sizes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from addon.errors import InputError
from addon.spec import DepthSpec
from addon.vision.distances import find_floor, known_scale, likely_horizon, ratio_from_floor, to_metres
from addon.vision.layered import AFFINE_FAR, AFFINE_NEAR, DepthKind, DepthMap, to_disparity

WIDTH, HEIGHT, FOV = 320, 240, 60.0
FOCAL = 0.5 / math.tan(math.radians(FOV) / 2)  # in widths


def room(horizon: float = 0.4, height: float = 1.5, wall: float = 9.0, box: bool = True) -> np.ndarray:
    """1/z of a floor `height` metres below a camera with its horizon there, up to a wall, with a box on it: float32 H×W."""
    v = (np.arange(HEIGHT) + 0.5 - HEIGHT / 2) / WIDTH
    v_horizon = (horizon - 0.5) * HEIGHT / WIDTH
    pitch = math.atan(v_horizon / FOCAL)
    rise = math.cos(pitch) * (v - v_horizon) / FOCAL / height
    inverse = np.repeat(np.maximum(rise, 1 / wall)[:, None], WIDTH, 1)
    if box:
        inverse[100:180, 40:110] = np.maximum(inverse[100:180, 40:110], 1 / 2.5)
    return inverse.astype(np.float32)


def noisy(inverse: np.ndarray, share: float = 0.004) -> np.ndarray:
    random = np.random.default_rng(3)
    return (inverse + random.normal(0, share * np.ptp(inverse), inverse.shape)).astype(np.float32)


@pytest.mark.parametrize("horizon", [0.1, 0.3, 0.45])
def test_metres_tell_the_horizon_and_the_cameras_height(horizon: float) -> None:
    depth = DepthMap(1 / np.maximum(noisy(room(horizon)), 0.05), DepthKind.METRIC_DEPTH, "test")
    settled = to_metres(depth, DepthSpec(), FOV)
    assert settled.kind is DepthKind.METRIC_DISPARITY
    assert settled.horizon == pytest.approx(horizon, abs=0.02)
    assert settled.camera_height == pytest.approx(1.5, rel=0.03)
    np.testing.assert_allclose(settled.values, 1 / depth.values, rtol=1e-5)


def test_a_floor_that_leans_or_a_wall_or_a_ceiling_is_none() -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / WIDTH
    for picture in (0.2 + x, np.full((HEIGHT, WIDTH), 0.3), 1 - y, np.random.default_rng(0).random((HEIGHT, WIDTH))):
        assert find_floor(picture.astype(np.float32)) is None
    assert find_floor(np.full((HEIGHT, WIDTH), np.nan, np.float32)) is None


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (250.0, 40.0), (0.01, -3.0)])
def test_a_known_horizon_undoes_scale_and_shift_of_disparity(scale: float, shift: float) -> None:
    true = room(0.35)
    depth = DepthMap(
        (noisy(true, 0.001) * scale + shift).astype(np.float32), DepthKind.AFFINE_DISPARITY, "test", horizon=0.35, camera_height=1.5
    )
    settled = to_metres(depth, DepthSpec(), FOV)
    np.testing.assert_allclose(settled.values, true, rtol=0.08)


def test_without_a_horizon_the_likeliest_is_near_enough() -> None:
    for horizon in (0.25, 0.35, 0.45):
        true = room(horizon)
        settled = to_metres(DepthMap(true * 7 + 2, DepthKind.AFFINE_DISPARITY, "test"), DepthSpec(), FOV)
        ratio = settled.values.max() / settled.values.min()
        assert 1 / 1.7 < ratio / (true.max() / true.min()) < 1.7
        assert settled.horizon is not None and abs(settled.horizon - horizon) < 0.2
        assert settled.camera_height == 1.6


def test_what_the_user_says_counts_most() -> None:
    depth = DepthMap(room() * 7 + 2, DepthKind.AFFINE_DISPARITY, "test")
    both = to_metres(depth, DepthSpec(near=2.0, far=30.0), FOV)
    assert both is depth
    for settings, near, ratio in (
        (DepthSpec(ratio=12.0), None, 12.0),
        (DepthSpec(near=2.0, ratio=5.0), 2.0, 5.0),
        (DepthSpec(far=20.0, ratio=5.0), 4.0, 5.0),
    ):
        settled = to_metres(depth, settings, FOV)
        assert settled.values.max() / settled.values.min() == pytest.approx(ratio, rel=1e-4)
        if near is not None:
            assert 1 / settled.values.max() == pytest.approx(near, rel=1e-4)


def test_no_floor_keeps_the_plain_range() -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    bump = np.exp(-((x - 160) ** 2 + (y - 120) ** 2) / 2000).astype(np.float32)
    disparity = to_disparity(to_metres(DepthMap(bump, DepthKind.AFFINE_DISPARITY, "test"), DepthSpec(), None))
    assert (disparity.near, disparity.far) == pytest.approx((AFFINE_NEAR, AFFINE_FAR))


def test_a_known_size_sets_the_scale_of_any_kind() -> None:
    inverse = room()
    person = np.array(inverse)
    person[60:200, 200:240] = 1 / 3.0  # a person three metres away, 140 of 320 widths high
    height = 140 / WIDTH / FOCAL * 3.0
    settings = DepthSpec(known_size=2 * height, known_from=(220 / WIDTH, 60 / HEIGHT), known_to=(220 / WIDTH, 200 / HEIGHT))
    for kind, values in (
        (DepthKind.METRIC_DEPTH, 1 / person),
        (DepthKind.METRIC_DISPARITY, person),
        (DepthKind.AFFINE_DEPTH, 0.01 / person),
        (DepthKind.AFFINE_DISPARITY, person * 3),
    ):
        settled = to_metres(DepthMap(values.astype(np.float32), kind, "test"), settings, FOV)
        z = 1 / settled.values[130, 220]
        assert 140 / WIDTH / FOCAL * z == pytest.approx(2 * height, rel=1e-3), kind
        if kind is not DepthKind.AFFINE_DISPARITY:
            assert z == pytest.approx(6.0, rel=1e-3)


def test_a_known_size_on_the_sky_is_refused() -> None:
    with pytest.raises(InputError, match="known size"):
        known_scale(np.zeros((20, 20), np.float32), DepthSpec(known_size=1.0), 1.0)
    with pytest.raises(InputError, match="known size"):
        known_scale(np.ones((20, 20), np.float32), DepthSpec(known_size=1.0, known_to=(0.5, 0.25)), 1.0)


@pytest.mark.parametrize("kind", list(DepthKind))
def test_the_sky_is_infinitely_far_and_does_not_count(kind: DepthKind) -> None:
    inverse = room()
    sky = np.zeros(inverse.shape, bool)
    sky[:80] = True
    values = np.where(sky, 99.0, 1 / inverse if kind in (DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DEPTH) else inverse).astype(np.float32)
    settled = to_metres(DepthMap(values, kind, "test", sky=sky), DepthSpec(), FOV)
    assert (settled.values[sky] == 0).all() and (settled.values[~sky] > 0).all()
    assert settled.sky is sky
    without = to_metres(DepthMap(np.where(sky, np.nan, values).astype(np.float32), kind, "test", sky=sky), DepthSpec(), FOV)
    np.testing.assert_array_equal(settled.values, without.values)


def test_a_map_without_any_number_is_refused() -> None:
    empty = np.full((20, 30), np.nan, np.float32)
    for kind in DepthKind:
        with pytest.raises(InputError, match=r"test holds no"):
            to_metres(DepthMap(empty, kind, "test"), DepthSpec(), None)


def test_depth_up_to_its_scale_is_brought_to_eye_level() -> None:
    depth = DepthMap(17 / room(0.35), DepthKind.AFFINE_DEPTH, "test")
    settled = to_metres(depth, DepthSpec(), FOV)
    assert settled.camera_height == pytest.approx(1.6, rel=1e-6)
    np.testing.assert_allclose(settled.values, room(0.35) * 1.5 / 1.6, rtol=0.03)
    near = to_metres(depth, DepthSpec(near=3.0), FOV)
    assert 1 / near.values.max() == pytest.approx(3.0, rel=0.02)


def test_ratio_and_horizon_of_a_floor() -> None:
    inverse = room(0.4, box=False)
    low, high = inverse.min(), inverse.max()
    floor = find_floor(((inverse - low) / (high - low)).astype(np.float32))
    assert floor is not None and floor.share > 0.5
    assert ratio_from_floor(floor, (0.4 - 0.5) * HEIGHT / WIDTH) == pytest.approx(high / low, rel=0.03)
    assert likely_horizon(floor, HEIGHT / WIDTH, float(high / low)) == pytest.approx(0.4, abs=0.02)
    steep = floor._replace(middle=0.5)
    assert ratio_from_floor(steep, 0.0) == 30.0


def test_large_maps_and_small_ones_agree() -> None:
    small, large = room(0.3), np.kron(room(0.3), np.ones((6, 6), np.float32))
    a, b = find_floor(small), find_floor(large)
    assert a is not None and b is not None
    assert (a.across, a.down, a.middle) == pytest.approx((b.across, b.down, b.middle), abs=0.01)


def test_the_estimators_values_stay() -> None:
    values = room() * 3
    before = values.copy()
    to_metres(DepthMap(values, DepthKind.AFFINE_DISPARITY, "test"), replace(DepthSpec(), known_size=1.0), FOV)
    np.testing.assert_array_equal(values, before)
