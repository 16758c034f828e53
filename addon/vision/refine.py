"""What is done to a depth map's edges before it becomes a mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cv import cv

EDGE = 0.03  # a difference of d between neighbours that is an edge rather than a slope


def take_rims_to_front(d: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grow the nearer side of every edge by one pixel.

    d: float32 H×W in [0, 1], near is large; returns the same. The pixels along a silhouette are mixtures of both sides'
    colours. Left with the far side they are smeared over what a moving camera uncovers; taken to the front they travel
    with the object that they outline. Slopes stay as they are. (A 3×3 maximum of disparity, taken by pixels that are on
    the far side of a range above EDGE: the dilation of depth-image-based rendering, gated by edges.)
    """
    cv2 = cv()
    around = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.dilate(d, around), cv2.erode(d, around)
    on_far_side = nearest - d > 2 * (d - farthest)  # on a slope, d is half-way
    return np.where(on_far_side & (nearest - farthest > EDGE), nearest, d)
