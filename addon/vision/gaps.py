"""Closes the gaps of measured depth maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cv import cv

THICKEST = 0.04
"""How far the middle of a gap may be from the nearest value, in shares of the longer side, to be closed. What is thicker is
no gap: a sky, a window, a room beyond the reach of the sensor."""


def close_gaps(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the pixels of thin gaps the value of the nearest pixel that has one.

    values: float32 H×W, NaN where there is none: shadows beside things, borders and dark spots of depth cameras. Thicker
    gaps stay NaN. Returns `values` itself if nothing is to be closed.
    """
    cv2 = cv()
    gap = np.isnan(values)
    if not gap.any() or gap.all():
        return values
    away, nearest = cv2.distanceTransformWithLabels(gap.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    count, parts = cv2.connectedComponents(gap.astype(np.uint8), connectivity=8)
    thickness = np.zeros(count, np.float32)
    np.maximum.at(thickness, parts[gap], away[gap])
    thin = gap & (thickness <= THICKEST * max(values.shape))[parts]
    if not thin.any():
        return values
    found = np.zeros(int(nearest.max()) + 1, np.float32)
    found[nearest[~gap]] = values[~gap]
    return np.where(thin, found[nearest], values)
