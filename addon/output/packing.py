"""Several views become one picture. Pure functions on arrays, H×W or H×W×C: 8 or 16 bits sRGB, or float in linear light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vision.texture import average_down, linear_to_srgb, srgb_to_linear

Picture = NDArray[Any]

# Red and cyan glasses: E. Dubois, "Conversion of a Stereo Pair to Anaglyph with the Least-Squares Projection Method" (University
# of Ottawa, 2009), for displays of sRGB primaries, in linear light; R, G, B from R, G, B of the left and of the right eye.
_LEFT = np.array([[0.437, 0.449, 0.164], [-0.062, -0.062, -0.024], [-0.048, -0.050, -0.017]])
_RIGHT = np.array([[-0.011, -0.032, -0.007], [0.377, 0.761, 0.009], [-0.026, -0.093, 1.234]])
_WHITE = (_LEFT + _RIGHT).sum(1, keepdims=True)  # 1 but for the printed digits: grey is to stay exactly grey

PAIRS = frozenset(("side-by-side", "half-side-by-side", "top-bottom", "half-top-bottom", "anaglyph", "vr180"))


def packed_size(mode: str, view: tuple[int, int], quilt: tuple[int, int] = (8, 6)) -> tuple[int, int]:
    """Width and height of the packed picture of views of `view` pixels."""
    w, h = view
    return {
        "side-by-side": (2 * w, h),
        "vr180": (2 * w, h),
        "half-side-by-side": (w // 2 * 2, h),
        "top-bottom": (w, 2 * h),
        "half-top-bottom": (w, h // 2 * 2),
        "quilt": (w * quilt[0], h * quilt[1]),
    }.get(mode, view)


def pack(mode: str, views: Sequence[Picture], *, first: str = "left", quilt: tuple[int, int] = (8, 6)) -> Picture:
    """The picture of `views`, which go from left to right: two, or of a quilt columns × rows.

    first: which eye is on the left or on top. The channels are R, G, B or B, G, R for all but an anaglyph, which wants R, G, B.
    """
    if mode == "quilt":
        return pack_quilt(views, quilt)
    left, right = views
    if mode == "anaglyph":
        return anaglyph(left, right)
    if mode.startswith("half-"):
        height, width = left.shape[:2]
        half = (width // 2, height) if mode == "half-side-by-side" else (width, height // 2)
        left, right = average_down(left, half), average_down(right, half)
    one, two = (left, right) if first == "left" or mode == "vr180" else (right, left)
    return np.concatenate([one, two], axis=0 if mode.endswith("top-bottom") else 1)


def pack_quilt(views: Sequence[Picture], quilt: tuple[int, int]) -> Picture:
    """The views, which go from left to right, in `quilt` (columns, rows): the leftmost at the bottom left, from there to the
    right and upwards, as Looking Glass displays want them (docs.lookingglassfactory.com, "Quilts")."""
    columns, rows = quilt
    if len(views) != columns * rows:
        raise ValueError(f"a quilt of {columns}x{rows} takes {columns * rows} views, not {len(views)}")
    bottom_up = [np.concatenate(views[r * columns : (r + 1) * columns], axis=1) for r in range(rows)]
    return np.concatenate(bottom_up[::-1], axis=0)


def anaglyph(left: Picture, right: Picture) -> Picture:
    """For red and cyan glasses, red on the left. R, G, B and perhaps alpha, of which the greater is taken."""
    top = None if left.dtype.kind == "f" else float(np.iinfo(left.dtype).max)
    mixed = sum(_linear(eye[..., :3], top) @ (matrix / _WHITE).T for eye, matrix in ((left, _LEFT), (right, _RIGHT)))
    colour = mixed.astype(np.float32) if top is None else np.rint(linear_to_srgb(mixed) * top).astype(left.dtype)
    return colour if left.shape[-1] == 3 else np.concatenate([colour, np.maximum(left, right)[..., 3:]], -1)


def _linear(pixels: Picture, top: float | None) -> NDArray[np.float64]:
    return (pixels if top is None else srgb_to_linear(pixels / top)).astype(np.float64)
