"""Two sizes of one network's answers become one: the scene of the small, the details of the large."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.vision.layered import DepthKind
from addon.vision.networks import Prediction
from addon.vision.networks.scales import join_scales

KIND = DepthKind.AFFINE_DISPARITY


def scene(height: int, width: int) -> np.ndarray:
    """A slope with fine stripes on it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    return (y + 0.1 * np.sin(60 * x)).astype(np.float32)


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), sigma)


def test_low_frequencies_are_the_scenes_and_fine_ones_the_details() -> None:
    true = scene(96, 128)
    coarse = Prediction(cv2.resize(blurred(true, 4), (64, 48), interpolation=cv2.INTER_AREA), KIND)
    bent = np.mgrid[0:96, 0:128][1].astype(np.float32) / 128  # the large input sees the details, and bends the scene
    fine = Prediction((5 * (true + 0.3 * bent) - 2).astype(np.float32), KIND)
    joined = join_scales(coarse, fine).values
    inner = np.s_[8:-8, 8:-8]
    assert joined.shape == true.shape and joined.dtype == np.float32
    a, b = np.polyfit(joined[inner].ravel(), true[inner].ravel(), 1)
    assert float(np.abs(a * joined + b - true)[inner].mean()) < 0.025
    a, b = np.polyfit(fine.values[inner].ravel(), true[inner].ravel(), 1)
    assert float(np.abs(a * fine.values + b - true)[inner].mean()) > 0.04
    stripes = joined - blurred(joined, 4)
    assert np.corrcoef(stripes[inner].ravel(), (true - blurred(true, 4))[inner].ravel())[0, 1] > 0.98


@pytest.mark.parametrize("other", [lambda v: -v, lambda v: np.random.default_rng(0).permutation(v.ravel()).reshape(v.shape)])
def test_details_of_another_scene_are_left_out(other) -> None:
    true = blurred(scene(96, 128), 3)
    coarse = Prediction(cv2.resize(true, (64, 48), interpolation=cv2.INTER_AREA), KIND)
    joined = join_scales(coarse, Prediction(np.ascontiguousarray(other(true), np.float32), KIND))
    assert float(np.abs(joined.values - true).max()) < 0.1 or float(np.corrcoef(joined.values.ravel(), true.ravel())[0, 1]) > 0.9


def test_everything_else_becomes_a_mean() -> None:
    one, two = (np.full(shape, value, np.float32) for shape, value in (((4, 6), 0.2), ((8, 12), 0.6)))
    coarse = Prediction(scene(4, 6), KIND, fov=40, sky=one, confidence=one, edges=one, horizon=0.3, roll=0.1)
    fine = Prediction(scene(8, 12), KIND, fov=50, sky=two, confidence=two, edges=two, horizon=0.5, roll=-0.1)
    joined = join_scales(coarse, fine)
    assert (joined.fov, joined.horizon, joined.roll) == (45, 0.4, 0)
    assert joined.sky is not None and joined.confidence is not None and joined.edges is fine.edges
    np.testing.assert_allclose(joined.sky, 0.4, atol=1e-6)
    np.testing.assert_allclose(joined.confidence, 0.4, atol=1e-6)
    assert join_scales(Prediction(scene(4, 6), KIND), Prediction(scene(8, 12), KIND)).sky is None
