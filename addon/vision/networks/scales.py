"""Joins what a small network says of a picture at two sizes: of the whole scene from the small one, of details from the large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cv import cv
from ..layered import DepthKind
from . import Floats, Prediction
from .predicting import fit_affine

_SCENE = 0.75  # how much of the low frequencies is the small one's
_LOW = 1 / 8  # standard deviation of what counts as low frequencies, in shares of the shorter side
_AGREED = 0.35  # of the spread: how far both may differ at large for the details to be believed


def join_scales(scene: Prediction, detail: Prediction) -> Prediction:
    """The detail of a prediction at a larger size on the scene of one at a smaller size; both of one picture.

    Both are affine disparity. Returns a Prediction of detail's size: detail's values are fitted to scene's (robustly, scale and
    shift), and its low frequencies replaced by those of the scene for the greater part. Where the two tell different scenes
    at large, scene is returned as it is, enlarged. Sky, confidence, field of view, horizon and roll become means, edges are detail's.
    """
    assert scene.kind is detail.kind is DepthKind.AFFINE_DISPARITY
    size = detail.values.shape[1], detail.values.shape[0]
    base = _enlarged(scene.values, size)
    sigma = _LOW * min(size)
    scale, shift = fit_affine(detail.values, base)
    fitted = detail.values * np.float32(scale) + np.float32(shift)
    difference = cv().GaussianBlur(base - fitted, (0, 0), sigma)
    spread = float(np.subtract(*np.percentile(base, (95, 5))))
    agreed = scale > 0 and float(np.median(np.abs(difference))) <= _AGREED * spread
    values = fitted + np.float32(_SCENE) * difference if agreed else base

    def mean(one: Floats | None, other: Floats | None) -> Floats | None:
        if one is None or other is None:
            return other
        return (_enlarged(one, size) + other) / np.float32(2)

    def middle(one: float | None, other: float | None) -> float | None:
        return other if one is None else one if other is None else (one + other) / 2

    return replace(
        detail,
        values=values.astype(np.float32),
        fov=middle(scene.fov, detail.fov),
        sky=mean(scene.sky, detail.sky),
        confidence=mean(scene.confidence, detail.confidence),
        horizon=middle(scene.horizon, detail.horizon),
        roll=middle(scene.roll, detail.roll),
    )


def _enlarged(values: Floats, size: tuple[int, int]) -> Floats:
    return cv().resize(values, size, interpolation=cv().INTER_LINEAR)
