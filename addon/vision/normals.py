"""What light falls on: surface normals of a depth map, without its noise and without its edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .geometry import RayMap
from .guided import fast_global_smooth

Floats = NDArray[np.float32]

_LONGEST = 768  # pixels: finer than the depth of networks is
_SPREAD = 0.035  # of the longer side: how far the depth is smoothed
_EDGE = 3.0  # steps of 1/255 of d between neighbours, across which it is not
_AFTER = 0.012  # of the longer side: how far the normals are smoothed


def normals_from_depth(d: Floats, near: float, far: float, rays: RayMap) -> Floats:
    """Unit normals towards the camera, float32 h×w×3 in OpenCV's camera axes (x right, y down, z forward).

    d: float32 H×W in [0, 1], 1 at `near` and 0 at `far` metres. 1/z of a plane is linear in the picture, so that it can be
    smoothed without bending planes: w = n·(x, 1, y)/h for the rays (x, 1, y), from which n follows by two differences.
    """
    cv2 = cv()
    scale = min(1.0, _LONGEST / max(d.shape))
    size = (max(1, round(d.shape[1] * scale)), max(1, round(d.shape[0] * scale)))
    small = cv2.resize(d, size, interpolation=cv2.INTER_AREA) if scale < 1 else np.ascontiguousarray(d, np.float32)
    longer = max(small.shape)
    steps = np.rint(cv2.GaussianBlur(small, (0, 0), 0.8) * 255).astype(np.uint8)
    tilt = _tilt(small)  # or smoothing would make it level at the picture's borders
    smooth = (
        tilt
        + fast_global_smooth(
            (small - tilt)[None], np.repeat(steps[..., None], 3, -1), strength=(_SPREAD * longer) ** 2, sigma=_EDGE * 3**0.5
        )[0]
    )
    w = smooth * np.float32(1 / near - 1 / far) + np.float32(1 / far)
    h, wide = w.shape
    x = (((np.arange(wide) + 0.5) / wide - rays.u0) * rays.width).astype(np.float32)
    y = ((1 - (np.arange(h) + 0.5) / h - rays.v0) * rays.height).astype(np.float32)[:, None]
    across = _slope(w, 1) * np.float32(wide / rays.width)
    up = _slope(w, 0) * np.float32(-h / rays.height)
    found = np.stack((-across, up, -(w - x * across - y * up)), -1)
    found = cv2.GaussianBlur(found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-12), (0, 0), max(0.5, _AFTER * longer))
    found /= np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-12)
    return found.astype(np.float32)


def _tilt(values: Floats) -> Floats:
    """The plane that fits best, float32 H×W."""
    h, w = values.shape
    x, y = np.arange(w) - (w - 1) / 2, np.arange(h) - (h - 1) / 2
    mean = values.mean(dtype=np.float64)
    across = (values.mean(0, dtype=np.float64) - mean) @ x / max(x @ x, 1e-9)
    down = (values.mean(1, dtype=np.float64) - mean) @ y / max(y @ y, 1e-9)
    return (mean + across * x + down * y[:, None]).astype(np.float32)


def _slope(values: Floats, axis: int) -> Floats:
    """The change from pixel to pixel, of the two sides of a pixel the smaller one: not that across an edge."""
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    step = np.diff(values, axis=axis)
    first, last = np.take(step, [0], axis), np.take(step, [-1], axis)
    before, after = np.concatenate((first, step), axis), np.concatenate((step, last), axis)
    return np.where(np.abs(before) < np.abs(after), before, after)
