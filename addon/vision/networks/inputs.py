"""From a picture to what a network takes: its size, the resampling, and the numbers that pixels become.

Written out in numpy, since the libraries that networks are published with resample in different ways, and a network that
was trained on one sees another as blur or as ringing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LONGEST = 8
"""A strip that is longer than this many times its shorter side is squeezed: its input would not fit any memory."""


def _triangle(x: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    del a
    return np.maximum(0.0, 1.0 - np.abs(x))


def _cubic(x: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Keys 1981, "Cubic convolution interpolation for digital image processing"."""
    x = np.abs(x)
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    outer = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))


def _lanczos(x: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    del a
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


_KERNELS: dict[str, tuple[Callable[[NDArray[np.float64], float], NDArray[np.float64]], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}
FILTERS = tuple(_KERNELS)


@dataclass(frozen=True)
class Recipe:
    """What a network wants of a picture.

    size: height and width in pixels of its usual input. keep: whether the picture's aspect is kept; then only the shorter
    of the two counts. multiple: both sides are multiples of it. scale, mean, std: a pixel of 0..1 becomes
    (pixel · scale − mean) / std, channel by channel in the order red, green, blue. filter: one of FILTERS. antialias:
    whether the filter grows with the reduction, as Pillow's does; otherwise it looks at the nearest pixels only, as
    OpenCV's and torch's. aligned: whether the middles of the corner pixels stay corners (torch's align_corners). padded:
    whether the picture is mirrored outwards first, as ZoeDepth does (see `padding`).
    """

    size: tuple[int, int] = (518, 518)
    keep: bool = True
    multiple: int = 14
    scale: float = 1.0
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    filter: str = "bicubic"
    antialias: bool = True
    aligned: bool = False
    padded: bool = False


def prepare(picture: Floats, recipe: Recipe, side: int) -> Floats:
    """The picture as a network takes it: float32 3×h×w, contiguous.

    picture: float32 H×W×3 in 0..1. side: wished length of the input's shorter side in pixels. Rescaling and normalising
    commute with resampling, whose weights sum to 1, so that one order serves networks that are published with either.
    """
    if recipe.padded:
        top, left = padding(picture.shape[:2])
        picture = np.pad(picture, ((top, top), (left, left), (0, 0)), mode="reflect" if min(picture.shape[:2]) > 1 else "edge")
    size = fitted(picture.shape[:2], recipe, side)
    resized = resample(picture, size, recipe.filter, antialias=recipe.antialias, aligned=recipe.aligned)
    if recipe.antialias:  # the overshoots of the filter, which Pillow cuts off as it stores bytes
        np.clip(resized, 0, 1, out=resized)
    resized *= np.float32(recipe.scale) / np.asarray(recipe.std, np.float32)
    resized -= np.asarray(recipe.mean, np.float32) / np.asarray(recipe.std, np.float32)
    return np.ascontiguousarray(np.moveaxis(resized, 2, 0))


def fitted(shape: tuple[int, ...], recipe: Recipe, side: int) -> tuple[int, int]:
    """Height and width of the input for a picture of `shape` (height, width, …), at least one multiple each."""
    if recipe.keep:
        scale = side / min(shape[:2])
        sides = [min(n * scale, side * LONGEST) for n in shape[:2]]
    else:
        sides = [n * side / min(recipe.size) for n in recipe.size]
    height, width = (max(1, round(n / recipe.multiple)) * recipe.multiple for n in sides)
    return height, width


def padding(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many pixels ZoeDepth mirrors above and below, and left and right of, a picture of `shape` (height, width).

    As in `zoedepth/models/depth_model.py` of isl-org/ZoeDepth at edb6daf.
    """
    return int(math.sqrt(shape[0] / 2) * 3), int(math.sqrt(shape[1] / 2) * 3)


def unpadded(values: Floats, shape: tuple[int, ...]) -> Floats:
    """The part of a network's map that shows the picture of `shape` (height, width) without its padding.

    Cut at fractions of a pixel and resampled linearly to the nearest whole size: a cut at whole pixels would shift the map
    against the photo by up to two of the photo's pixels.
    """
    for axis, (length, pad) in enumerate(zip(shape[:2], padding(shape))):
        share = values.shape[axis] / (length + 2 * pad)
        count = max(1, round(length * share))
        place = np.clip(pad * share - 0.5 + (np.arange(count) + 0.5) * (length * share / count), 0, values.shape[axis] - 1)
        before = np.minimum(place.astype(np.intp), max(0, values.shape[axis] - 2))
        after = np.minimum(before + 1, values.shape[axis] - 1)
        part = (place - before).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1 - axis))
        values = values.take(before, axis) * (1 - part) + values.take(after, axis) * part
    return np.ascontiguousarray(values, np.float32)


def resample(picture: Floats, size: tuple[int, int], name: str, *, antialias: bool, aligned: bool = False) -> Floats:
    """`picture` (float32 H×W×C) at `size` (height, width), a new array.

    With `antialias` as Pillow resamples numbers: the filter is widened by the reduction and cut at the border. Without as
    torch's interpolate does: the filter's own width, the border's pixels go on outside, and `aligned` is its align_corners.
    `name` is one of FILTERS.
    """
    if picture.shape[:2] == size:
        return picture.astype(np.float32, copy=True)
    rows = _along(picture, size[0], name, antialias, aligned)
    return _along(np.ascontiguousarray(rows.swapaxes(0, 1)), size[1], name, antialias, aligned).swapaxes(0, 1)


def _along(values: Floats, new: int, name: str, antialias: bool, aligned: bool) -> Floats:
    """Resample the first axis, one product of weights and neighbouring rows for each new row."""
    starts, weights = taps(values.shape[0], new, name, antialias, aligned)
    count, flat = weights.shape[1], values.reshape(values.shape[0], -1)
    out = np.empty((new, flat.shape[1]), np.float32)
    for row, (start, weight) in enumerate(zip(starts.tolist(), weights)):
        np.dot(weight, flat[start : start + count], out=out[row])
    return out.reshape(new, *values.shape[1:])


def taps(old: int, new: int, name: str, antialias: bool, aligned: bool) -> tuple[NDArray[np.intp], Floats]:
    """Which of `old` pixels each of `new` ones is made of: the first of them (new), and the weights (new×k), which sum to 1."""
    kernel, support = _KERNELS[name]
    ratio = old / new
    place = np.arange(new) * ((old - 1) / max(1, new - 1)) if aligned else (np.arange(new) + 0.5) * ratio - 0.5
    widened = max(1.0, ratio) if antialias else 1.0
    reach = support * widened
    near = np.floor(place - reach).astype(np.intp)[:, None] + np.arange(math.ceil(2 * reach) + 2)
    # Pillow's and torch's cubic differ in their parameter.
    raw = kernel((near - place[:, None]) / widened, -0.5 if antialias else -0.75)
    inside = np.clip(near, 0, old - 1)
    if antialias:
        raw[near != inside] = 0
    raw /= raw.sum(1, keepdims=True)
    count = min(old, near.shape[1])
    starts = np.clip(near[:, 0], 0, old - count)
    weights = np.zeros((new, count))
    np.add.at(weights, (np.arange(new)[:, None], np.clip(inside - starts[:, None], 0, count - 1)), raw)
    return starts, weights.astype(np.float32)
