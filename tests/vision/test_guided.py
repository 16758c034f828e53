"""Filters that follow the edges of a photo."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.guided import fast_global_smooth, fit_to_colour


def noise(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def colours(shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def test_one_row_is_the_exact_weighted_least_squares_solution():
    values, guide = noise((1, 1, 30)), colours((1, 30))
    sigma, strength = 60.0, 50.0
    weights = np.exp(-np.linalg.norm(np.diff(guide[0].astype(float), axis=0), axis=1) / sigma)
    system = np.eye(30)
    for i, w in enumerate(weights * 1.5 * strength / 3):  # one pass: 1.5 · strength · 4^0 / (4^1 - 1)
        system[i, i] += w
        system[i + 1, i + 1] += w
        system[i, i + 1] -= w
        system[i + 1, i] -= w
    smooth = fast_global_smooth(values, guide, strength=strength, sigma=sigma, passes=1)
    assert np.allclose(smooth[0, 0], np.linalg.solve(system, values[0, 0]), atol=1e-4)


def test_columns_are_treated_as_rows_are():
    values, guide = noise((2, 40, 1)), colours((40, 1))
    down = fast_global_smooth(values, guide, strength=100, sigma=30)
    across = fast_global_smooth(values.transpose(0, 2, 1), guide.transpose(1, 0, 2), strength=100, sigma=30)
    assert np.allclose(down[:, :, 0], across[:, 0], atol=1e-6)


def test_values_spread_within_a_colour_and_not_into_another():
    guide = np.zeros((40, 60, 3), np.uint8)
    guide[:, 30:] = 200
    values = np.zeros((1, 40, 60), np.float32)
    values[:, :, 30:] = 1
    values += 0.2 * (noise((1, 40, 60)) - 0.5)
    before = values.copy()
    smooth = fast_global_smooth(values, guide, strength=400, sigma=3)[0]
    assert np.array_equal(values, before)
    assert smooth[:, :30].std() < 0.02 and smooth[:, 30:].std() < 0.02
    assert smooth[:, 30].min() - smooth[:, 29].max() > 0.9
    assert values.min() <= smooth.min() and smooth.max() <= values.max()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (33, 18)])
def test_what_is_even_stays_even_at_any_size(shape):
    values, guide = np.full((1, *shape), 0.3, np.float32), colours(shape)
    assert np.allclose(fast_global_smooth(values, guide, strength=200, sigma=3), 0.3, atol=1e-5)
    assert np.allclose(fit_to_colour(values[0], guide, radius=8, epsilon=1e-4), 0.3, atol=1e-4)


@pytest.mark.parametrize("radius", [2, 9])
def test_values_that_follow_colours_are_found_exactly(radius):
    guide = np.repeat(np.repeat(colours((12, 15)), 6, 0), 6, 1)
    truth = (guide @ np.float32([0.5, -0.3, 0.2]) / 255 + 0.4).astype(np.float32)
    assert np.abs(fit_to_colour(truth, guide, radius=radius, epsilon=1e-4) - truth).mean() < 0.001


def test_a_thin_line_is_drawn_again_from_its_colour():
    guide = np.zeros((60, 80, 3), np.uint8)
    guide[:, 40:42] = 220
    blurred = np.zeros((60, 80), np.float32)
    blurred[:, 35:47] = 0.3
    fitted = fit_to_colour(blurred, guide, radius=8, epsilon=1e-4)
    assert fitted[30, 40:42].min() > fitted[30, 30:52][[0, 5, 14, 20]].max() + 0.1


def test_values_without_weight_do_not_count():
    guide = np.zeros((40, 60, 3), np.uint8)
    guide[:, 30:] = 200
    values = (guide[..., 0] / 200).astype(np.float32)
    wrong, weight = values.copy(), np.ones_like(values)
    wrong[10:20, 20:40], weight[10:20, 20:40] = 7, 0
    assert np.abs(fit_to_colour(wrong, guide, radius=9, epsilon=1e-4, weight=weight) - values).max() < 0.1
    assert np.abs(fit_to_colour(wrong, guide, radius=9, epsilon=1e-4) - values).max() > 0.5
