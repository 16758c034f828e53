"""The images of a layered photo's layers, and what follows from several of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv

_END = 5  # pixels

Box = tuple[int, int, int, int]


def read_grey(path: Path, *, deep: bool = False) -> NDArray[Any]:
    """A grey PNG of ours, uint8 H×W; uint16 if it is `deep`. Raises InputError if it is damaged."""
    return _read(path, cv().IMREAD_GRAYSCALE | (cv().IMREAD_ANYDEPTH if deep else 0))


def read_colour(path: Path) -> NDArray[Any]:
    """A picture of ours as it is, RGB or RGBA (H×W×3 or 4; uint8, uint16 or linear float32). Raises InputError if it is damaged."""
    pixels = _read(path, cv().IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        pixels = cv().cvtColor(pixels, cv().COLOR_GRAY2BGR)
    return cv().cvtColor(pixels, cv().COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv().COLOR_BGR2RGB)


def _read(path: Path, how: int) -> NDArray[Any]:
    pixels = cv().imdecode(np.frombuffer(path.read_bytes(), np.uint8), how)
    if pixels is None:
        raise InputError(f"{path}: this file of the layered photo is damaged; make it again from the photo.")
    return pixels


def backed(boxes: Sequence[Box], mattes: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
    """For every layer, from front to back, where in its box a farther one goes on behind it: bool h×w.

    boxes: (left, top, right, bottom) in one grid; mattes: uint8 h×w of each.
    """
    lefts, tops, rights, bottoms = zip(*boxes)
    left, top = min(lefts), min(tops)
    behind = np.zeros((max(bottoms) - top, max(rights) - left), bool)
    found: list[NDArray[np.bool_]] = []
    for box, matte in zip(reversed(boxes), reversed(mattes)):
        rows, columns = slice(box[1] - top, box[3] - top), slice(box[0] - left, box[2] - left)
        # Not at its very end: seen from the side, that is not behind any more.
        found.insert(0, cv().erode(behind[rows, columns].astype(np.uint8), np.ones((_END, _END), np.uint8)) > 0)
        behind[rows, columns] |= matte > 0
    return found
