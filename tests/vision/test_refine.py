"""Edges of depth maps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.vision.refine import decide_mixed_depths, take_rims_to_front


def test_the_front_grows_by_one_pixel_and_nothing_else_changes():
    d = np.full((20, 20), 0.2, np.float32)
    d[5:15, 5:15] = 0.8
    grown = take_rims_to_front(d)
    expected = np.full((20, 20), 0.2, np.float32)
    expected[4:16, 4:16] = 0.8
    assert np.array_equal(grown, expected)


def test_slopes_stay_as_they_are():
    for steps in (12, 200):
        ramp = np.repeat(np.linspace(0, 1, steps, dtype=np.float32)[:, None], 10, 1)
        assert np.array_equal(take_rims_to_front(ramp)[1:-1], ramp[1:-1])


def blurred_square(sigma):
    d = np.full((90, 120), 0.2, np.float32)
    d[20:70, 30:90] = 0.8
    colour = np.zeros((90, 120, 3), np.float32)
    colour[20:70, 30:90] = 0.9
    return d, cv2.GaussianBlur(d, (0, 0), sigma), colour


@pytest.mark.parametrize("sigma", [0.8, 1.2])
def test_a_soft_silhouette_becomes_a_sharp_one_where_the_picture_has_it(sigma):
    ideal, soft, colour = blurred_square(sigma)
    sharp = decide_mixed_depths(soft, colour)
    between = (sharp > 0.25) & (sharp < 0.75)
    assert ((soft > 0.25) & (soft < 0.75)).sum() > 300 and between.sum() < 20
    assert (np.abs(sharp - ideal) > 0.1).sum() < 20


def test_colour_moves_a_silhouette_that_lies_beside_the_pictures():
    ideal, soft, colour = blurred_square(1.2)
    colour = np.roll(colour, 1, axis=1)
    sharp = decide_mixed_depths(soft, colour)
    assert (np.abs(sharp - np.roll(ideal, 1, axis=1)) > 0.1)[30:60].mean() < (np.abs(sharp - ideal) > 0.1)[30:60].mean()


def test_sharp_depth_is_left_alone():
    ideal, _, colour = blurred_square(1.0)
    ideal[40:50, 50:60] = 0.5
    assert np.array_equal(decide_mixed_depths(ideal, colour), ideal)
    slope = np.linspace(0, 1, 120, dtype=np.float32)[None].repeat(90, 0)
    assert np.array_equal(decide_mixed_depths(slope, colour), slope)


def test_noise_and_tiny_maps_do_no_harm():
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (2, 5), (40, 50)):
        d = rng.random(shape, np.float32)
        out = decide_mixed_depths(d, rng.random((*shape, 3), np.float32))
        assert out.shape == shape and out.dtype == np.float32 and d.min() <= out.min() and out.max() <= d.max()
