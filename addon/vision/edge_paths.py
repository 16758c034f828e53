"""What lies beside a face's landmarks in a photo, and smooth lines through it: shared by those who put landmarks on edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cv import cv

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def lab_at(colour: Bytes, at: Doubles, blur: float) -> Floats:
    """CIE L*a*b*, float32 H×W×3, of a photo (uint8 H×W×3, sRGB) at the places `at`, H×W×2 in pixels; past its border it goes on.

    blur: the standard deviation, in pixels of the photo, of the Gaussian that it is blurred with before; 0 for none.
    """
    cv2 = cv()
    height, width = colour.shape[:2]
    reach = 4 * blur + 2
    low = np.clip(np.floor(at.min((0, 1)) - reach), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(at.max((0, 1)) + reach), low + 1, (width, height)).astype(int)
    crop = np.ascontiguousarray(colour[low[1] : high[1], low[0] : high[0]]).astype(np.float32) / 255
    if blur > 0:
        crop = cv2.GaussianBlur(crop, (0, 0), blur)
    where = (at - low - 0.5).astype(np.float32)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    return cv2.remap(lab, where[..., 0].copy(), where[..., 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def cheapest_path(cost: Doubles, *, bend: float, smooth: float, steep: int = 2) -> Doubles:
    """For each column of `cost`, R×C, the row of the path from the first column to the last that costs least (dynamic programming), float64 C.

    bend: the cost of a rise by one row from one column to the next; it grows with the square. steep: rows that it may rise at most.
    smooth: the standard deviation, in columns and above 0, of the Gaussian that the path is smoothed with at last.
    """
    columns = cost.shape[1]
    best, back = cost[:, 0], np.zeros(cost.shape, int)
    rises = np.arange(-steep, steep + 1)
    before = np.arange(len(cost))[:, None] - rises  # the row that a path comes from
    for column in range(1, columns):
        beyond = np.pad(best, steep, constant_values=np.inf)
        options = beyond[before + steep] + bend * rises**2
        choice = options.argmin(1)
        back[:, column] = np.take_along_axis(before, choice[:, None], 1)[:, 0]
        best = options.min(1) + cost[:, column]
    path = np.empty(columns, int)
    path[-1] = best.argmin()
    for column in range(columns - 1, 0, -1):
        path[column - 1] = back[path[column], column]
    return smoothed(path.astype(np.float64), smooth, int(2.5 * smooth), mode="edge")


def smoothed(values: Doubles, spread: float, reach: int, **ends: Any) -> Doubles:
    """A Gaussian's mean about each of `values` (N or N×K, along N), as many. spread: its standard deviation; reach: where it is cut off; both in
    values. ends: what `numpy.pad` is to take past the first and the last."""
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    around = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), **ends)
    weight /= weight.sum()
    return np.apply_along_axis(lambda line: np.convolve(line, weight, "valid"), 0, around).astype(np.float64)
