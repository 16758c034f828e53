"""Pixels, UV, rays and axes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.vision.geometry import frame_photo, lattice, photo_grid, pitch_from_horizon, ray_map
from addon.vision.layered import PhotoCamera

CAMERAS = st.builds(PhotoCamera, st.floats(5, 140), st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
SIZES = st.tuples(st.integers(8, 3000), st.integers(8, 3000))


@given(CAMERAS, SIZES)
def test_the_field_of_view_spans_the_width(camera, size):
    rays = ray_map(camera, size)
    left, _ = rays.uv_to_ray(np.array(0.0), np.array(0.5))
    right, _ = rays.uv_to_ray(np.array(1.0), np.array(0.5))
    assert right - left == pytest.approx(2 * math.tan(math.radians(camera.fov / 2)))
    x, y = rays.uv_to_ray(np.array(rays.u0), np.array(rays.v0))
    assert x == 0 and y == 0


@given(CAMERAS, SIZES, SIZES)
def test_a_film_shows_a_window_inside_the_photo_with_square_pixels(camera, photo, film):
    f = frame_photo(camera, photo, film)
    assert f.left >= -1e-6 and f.top >= -1e-6 and f.left + f.width <= photo[0] + 1e-6 and f.top + f.height <= photo[1] + 1e-6
    assert f.tan_width / film[0] == pytest.approx(f.tan_height / film[1])


@given(CAMERAS, SIZES, st.floats(0, 0.4))
def test_a_crop_shows_less_on_every_side(camera, photo, crop):
    f = frame_photo(camera, photo, photo, crop)
    assert f.left == pytest.approx(crop * photo[0]) and f.top == pytest.approx(crop * photo[1])
    assert f.width == pytest.approx((1 - 2 * crop) * photo[0]) and f.height == pytest.approx((1 - 2 * crop) * photo[1])


def test_an_odd_film_loses_its_last_column_and_nothing_else():
    camera = PhotoCamera(50)
    f = frame_photo(camera, (101, 51), (100, 50))
    assert (f.left, f.top, f.width, f.height) == (0, 0, 100, 50)
    assert f.tan_width / 100 == pytest.approx(ray_map(camera, (101, 51)).width / 101)


@given(CAMERAS, st.tuples(st.integers(8, 90), st.integers(8, 90)), st.integers(100, 5000), st.sampled_from([0.0, 0.1, 0.4]))
def test_grid(camera, size, most, margin):
    grid = photo_grid(camera, size, lattice(size, most, margin))
    assert len(grid.position) == len(grid.uv) <= most
    assert grid.faces.min() == 0 and grid.faces.max() == len(grid.position) - 1
    low, high = grid.uv.min(0), grid.uv.max(0)
    reach = np.array([margin * max(size) / s for s in size])
    assert (low <= 0.001 - reach + 1 / np.array(size)).all() and (high >= 0.999 + reach - 1 / np.array(size)).all()
    assert np.all(grid.position[:, 1] == 1)
    rays = ray_map(camera, size)
    assert np.allclose(grid.position[:, 0] / rays.width + rays.u0, grid.uv[:, 0], atol=1e-4)
    # Counter-clockwise as the camera sees them: the normal looks back at it.
    a, b, c = (grid.position[grid.faces[:, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 1] < 0).all()


def test_horizon():
    camera = PhotoCamera(60)
    assert pitch_from_horizon(0.5, camera, (100, 80)) == pytest.approx(0)
    assert pitch_from_horizon(0.2, camera, (100, 80)) < 0  # a horizon high in the picture: the camera looks down
    top = pitch_from_horizon(0.0, camera, (100, 100))
    assert top == pytest.approx(-30)


@given(CAMERAS, SIZES, SIZES, st.tuples(st.floats(0, 1), st.floats(0, 1)), st.floats(0, 0.4))
def test_a_film_of_another_shape_keeps_the_subject(camera, photo, film, aim, crop):
    """The subject is in the picture, and the picture within the photo; without a crop as near to its middle as can be."""
    window = frame_photo(camera, photo, film, crop, aim)
    assert window.left >= -1e-6 and window.left + window.width <= photo[0] + 1e-6 * photo[0]
    assert window.top >= -1e-6 and window.top + window.height <= photo[1] + 1e-6 * photo[1]
    middle = frame_photo(camera, photo, film, crop)
    assert (window.width, window.height) == (middle.width, middle.height)
    for at, share, start, extent, plain in (
        (aim[0], photo[0], window.left, window.width, middle.left),
        (aim[1], photo[1], window.top, window.height, middle.top),
    ):
        off, before = (abs(at * share - s - extent / 2) for s in (start, plain))
        assert off <= before + 1e-6 * share
    if not crop:
        assert window.left - 1e-6 * photo[0] <= aim[0] * photo[0] <= window.left + window.width + 1e-6 * photo[0] + 1
        assert window.top - 1e-6 * photo[1] <= aim[1] * photo[1] <= window.top + window.height + 1e-6 * photo[1] + 1
