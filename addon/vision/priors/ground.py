"""The ground plane: where a network is unsure, the floor below the horizon that it sees is the better guess."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..cv import cv
from ..networks.predicting import fit_affine

Floats = NDArray[np.float32]

_SURE = 0.5  # share of the pixels, the surest ones, that the plane is fitted to
_LEAST_ERROR = 1.5  # of the spread, for the plane: what is unsure is seldom floor; less gave worse scores on photos with measured depth
_RISE = 0.1  # of the picture's height, below the horizon: a plane of which less is seen says nothing
_THIN = 0.06  # of the shorter side: unsure places that are thinner are silhouettes, not regions
_SOFT = 0.04  # of the shorter side: standard deviation of the transition


def ground_ramp(shape: tuple[int, int], horizon: float, roll: float) -> Floats:
    """1/z of a level floor, up to its scale: how far each pixel is below the horizon, in shares of the height, else 0.

    shape: (height, width). horizon: 0.5 plus how far it is below the picture's middle, in shares of the height, measured across
    it. roll: radians by which the camera is turned clockwise, so that the horizon rises to the right. Returns float32 H×W.
    """
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    upright = (y - height / 2) * math.cos(roll) + (x - width / 2) * math.sin(roll)
    return np.maximum(upright / height - (horizon - 0.5), 0).astype(np.float32)


def lean_on_ground(values: Floats, confidence: Floats, horizon: float, roll: float, sky: Floats | None = None) -> Floats:
    """Where the network is unsure, take the ground plane instead, as far as that is surer.

    values: float32 h×w, disparity of any scale and shift. confidence: float32 h×w in [0, 1], which is 1 / (1 + e²) for an
    expected error e in units of the spread of values. horizon, roll: see `ground_ramp`. sky: float32 h×w in [0, 1], which
    stays as it is. Returns float32 h×w: the mean of both, weighted by the inverse variance of each. The plane is fitted to the
    surer half of the pixels, and its error is what is left there; if it does not come nearer downwards there, or hardly any
    floor could be in the picture, nothing changes.
    """
    ramp = ground_ramp(values.shape, horizon, roll)
    land = np.ones(values.shape, bool) if sky is None else sky < 0.5
    if float(ramp.max()) < _RISE or np.count_nonzero(land) < 100:
        return values
    sure = land & (confidence >= np.quantile(confidence[land], 1 - _SURE))
    scale, shift = fit_affine(ramp[sure], values[sure])
    if scale <= 0:
        return values
    plane = ramp * np.float32(scale) + np.float32(shift)
    spread = mean_deviation(values[land])
    if spread <= 0:
        return values
    left = float(np.mean(np.abs(values - plane)[sure])) / spread
    own = _without_silhouettes((1 / np.clip(confidence, 1e-3, 1) - 1).astype(np.float32))
    prior = max(left, _LEAST_ERROR) ** 2
    weight = prior / (prior + own)  # of the network
    mixed = weight * values + (1 - weight) * plane
    return np.where(land, mixed, values).astype(np.float32)


def mean_deviation(values: NDArray[np.float32]) -> float:
    """The mean absolute deviation from the median, which is the unit of a network's expected errors."""
    return float(np.mean(np.abs(values - np.median(values))))


def _without_silhouettes(error: Floats) -> Floats:
    """The smooth part of a map of squared errors, without its thin ridges: along edges the plane knows nothing better."""
    cv2 = cv()
    short = min(error.shape)
    side = 2 * max(1, round(_THIN * short / 2)) + 1
    opened = cv2.morphologyEx(error, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return cv2.GaussianBlur(opened, (0, 0), max(0.5, _SOFT * short))
