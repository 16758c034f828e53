"""What lies at places of a photo, and the cheapest way through a strip of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from addon.vision.cv import cv
from addon.vision.edge_paths import cheapest_path, lab_at


def test_a_photo_is_sampled_in_the_middles_of_its_pixels() -> None:
    colour = np.random.default_rng(1).integers(0, 256, (9, 12, 3), np.uint8)
    lab = cv().cvtColor(colour.astype(np.float32) / 255, cv().COLOR_RGB2LAB)
    x, y = np.meshgrid(np.arange(12) + 0.5, np.arange(9) + 0.5)
    assert np.allclose(lab_at(colour, np.stack([x, y], -1), 0.0), lab, atol=1e-4)
    between = lab_at(colour, np.array([[[4.0, 3.5]]]), 0.0)
    assert np.allclose(between[0, 0], (lab[3, 3] + lab[3, 4]) / 2, atol=0.01)


def test_past_its_border_a_photo_goes_on() -> None:
    colour = np.random.default_rng(2).integers(0, 256, (9, 12, 3), np.uint8)
    far, edge = lab_at(colour, np.array([[[-30.0, 4.5], [50.0, 4.5]]]), 0.0), lab_at(colour, np.array([[[0.5, 4.5], [11.5, 4.5]]]), 0.0)
    assert np.allclose(far, edge, atol=1e-4)


def test_blur_is_that_of_the_whole_photo() -> None:
    colour = np.random.default_rng(3).integers(0, 256, (80, 90, 3), np.uint8)
    blurred = cv().GaussianBlur(colour.astype(np.float32) / 255, (0, 0), 2.0)
    x, y = np.meshgrid(np.arange(40, 44) + 0.5, np.arange(30, 33) + 0.5)
    expected = cv().cvtColor(blurred, cv().COLOR_RGB2LAB)[30:33, 40:44]
    assert np.allclose(lab_at(colour, np.stack([x, y], -1), 2.0), expected, atol=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_cheapest_of_all(seed: int) -> None:
    """Against every path through a small strip; smoothing is too narrow to change anything."""
    cost, bend = np.random.default_rng(seed).random((4, 5)) * 3, 0.3
    ways = [w for w in itertools.product(range(4), repeat=5) if max(abs(a - b) for a, b in itertools.pairwise(w)) <= 1]
    price = [sum(cost[r, c] for c, r in enumerate(w)) + bend * sum((a - b) ** 2 for a, b in itertools.pairwise(w)) for w in ways]
    assert np.allclose(cheapest_path(cost, bend=bend, smooth=0.3, steep=1), ways[int(np.argmin(price))])


def test_the_first_row_is_no_neighbour_of_the_last() -> None:
    cost = np.ones((20, 30))
    cost[1, :15] = cost[18, 15:] = 0
    path = cheapest_path(cost, bend=0.01, smooth=0.3)
    assert np.abs(np.diff(path)).max() <= 2


def test_smoothing_keeps_a_straight_path() -> None:
    cost = np.ones((9, 40))
    cost[6] = 0
    assert np.allclose(cheapest_path(cost, bend=1.0, smooth=3.0), 6)
