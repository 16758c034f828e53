"""Where a camera should aim: a face, else what stands out as near, else the middle of the picture.

The point is in shares of the photo from its left and top; its depth is d, as the layered photo has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .faces import Face, ellipse_radius
from .layered import LayeredPhoto

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LOOKED_AT = 128  # pixels of the longer side
_LEVELS = np.arange(0.05, 0.95, 0.05)  # of d's range, where a region may end
_FLOOR = 0.25  # quantile of a row that counts as what is behind
_AREA = 0.006, 0.5  # share of the picture that a subject may take
_BESIDE = 0.03  # of the longer side: how far beside a region its surroundings are looked at
_STEP = 0.08  # of d's range: the least that a subject stands out from all but a quarter of its surroundings
_CENTRE = 0.3  # standard deviation of where subjects are, in shares of the picture
_FULL_SIZE = 0.04  # share of the picture from which on a region's size does not count for it any more
_INNER = 0.6  # of a face's half axes
_POINT = 0.015  # of the longer side: what is around a chosen point
_ROUND_FIGURES = 6


class Focus(NamedTuple):
    """x, y: shares of the photo from left and top. d: its depth. found: "face", "subject", "middle" or "set"."""

    x: float
    y: float
    d: float
    found: str


def find_focus(d: Floats, faces: tuple[Face, ...] = ()) -> Focus:
    """Where to aim in a picture of depth d (float32 H×W in [0, 1], 1 near) with these faces, the most important one first."""
    for face in faces:
        inside = ellipse_radius(d.shape, face) < _INNER
        if inside.any():
            return Focus(*_point(face.x, face.y), float(np.median(d[inside])), "face")
    subject = near_subject(d)
    if subject is not None:
        x, y = _middle_of(subject)
        return Focus(*_point(x, y), depth_at(d, x, y, subject), "subject")
    h, w = d.shape
    middle = d[h // 3 : max(h // 3 + 1, h - h // 3), w // 3 : max(w // 3 + 1, w - w // 3)]
    return Focus(0.5, 0.5, float(np.median(middle)), "middle")


def depth_at(d: Floats, x: float, y: float, inside: Mask | None = None) -> float:
    """The median of d close to a point given in shares of the picture from left and top.

    inside: bool h×w of any size; only what it covers counts, where it covers any of it.
    """
    h, w = d.shape
    reach = max(1, round(_POINT * max(h, w)))
    column, row = min(int(x * w), w - 1), min(int(y * h), h - 1)
    rows, columns = slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)
    near = d[rows, columns]
    if inside is not None:
        own = cv().resize(inside.astype(np.uint8), (w, h), interpolation=cv().INTER_NEAREST)[rows, columns] > 0
        near = near[own] if own.any() else near
    return float(np.median(near))


def near_subject(d: Floats) -> Mask | None:
    """The connected piece of the picture that stands out most as nearer than what is beside it, or None if none does.

    d: float32 H×W in [0, 1], 1 near. Returns bool h×w at _LOOKED_AT pixels. Pieces are what is nearer than their rows by some
    level; what goes from the left to the right border is ground, a wall or a frame. A piece counts by how far it stands out, by how near
    it is, and by being near the middle.
    """
    cv2 = cv()
    scale = _LOOKED_AT / max(d.shape)
    size = (max(1, round(d.shape[1] * scale)), max(1, round(d.shape[0] * scale)))
    small = cv2.resize(d, size, interpolation=cv2.INTER_AREA) if scale < 1 else d
    low, high = np.percentile(small, (1, 99))
    if not high > low or min(small.shape) < 8:
        return None
    small = cv2.medianBlur(np.clip((small - low) / (high - low), 0, 1).astype(np.float32), 3)
    # What stands on the ground stands out from its own row, which a floor that comes nearer does not.
    rows = cv2.GaussianBlur(np.quantile(small, _FLOOR, axis=1).astype(np.float32)[:, None], (1, 9), 2.0, borderType=cv2.BORDER_REPLICATE)
    small = np.clip(small - rows, 0, 1)
    best: tuple[float, Mask] | None = None
    for level in _LEVELS:
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((small > level).astype(np.uint8), connectivity=4)
        for i in range(1, count):
            if not _AREA[0] < stats[i, cv2.CC_STAT_AREA] / small.size < _AREA[1]:
                continue
            piece = pieces == i
            score = _score(small, piece)
            if score > 0 and (best is None or score > best[0]):
                best = score, piece
    return None if best is None else best[1]


def _score(d: Floats, piece: Mask) -> float:
    """How much of a subject a piece is; 0 if it is none."""
    if piece[:, 0].any() and piece[:, -1].any():
        return 0.0
    reach = max(1, round(_BESIDE * max(d.shape)))
    kernel = cv().getStructuringElement(cv().MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    around = (cv().dilate(piece.astype(np.uint8), kernel) > 0) & ~piece
    if not around.any():
        return 0.0
    # Nearly all around, or the far end of a floor would stand out, too.
    stands_out = float(np.median(d[piece]) - np.quantile(d[around], 0.75))
    if stands_out < _STEP:
        return 0.0
    h, w = piece.shape
    rows, columns = np.nonzero(piece)
    off = ((columns.mean() + 0.5) / w - 0.5) ** 2 + ((rows.mean() + 0.5) / h - 0.5) ** 2
    edge = max(piece[:, 0].mean(), piece[:, -1].mean(), piece[0].mean())  # the lower border is where subjects stand
    size = min(1.0, piece.mean() / _FULL_SIZE) ** 0.5
    return stands_out * float(np.median(d[piece])) * float(np.exp(-off / (2 * _CENTRE**2))) * (1 - float(edge)) * size


def _middle_of(piece: Mask) -> tuple[float, float]:
    """A place well inside a piece and not far from the middle of the picture, in shares of the picture from left and top."""
    h, w = piece.shape
    inside = cv().distanceTransform(np.pad(piece.astype(np.uint8), 1), cv().DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.mgrid[:h, :w]
    off = ((x + 0.5) / w - 0.5) ** 2 + ((y + 0.5) / h - 0.5) ** 2
    inside = np.minimum(inside, 0.6 * inside.max()) * np.exp(-off / (2 * _CENTRE**2))
    row, column = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return (float(column) + 0.5) / w, (float(row) + 0.5) / h


def _point(x: float, y: float) -> tuple[float, float]:
    return round(min(max(x, 0.0), 1.0), _ROUND_FIGURES), round(min(max(y, 0.0), 1.0), _ROUND_FIGURES)


def aimed(layered: LayeredPhoto, at: tuple[float, float] | None) -> LayeredPhoto:
    """The layered photo with its aim at the point `at` (shares from left and top); as it is if None or if it is aimed there."""
    if at is None or (layered.aim is not None and np.allclose(layered.aim, at, atol=1e-6)):
        return layered
    d = depth_at(layered.read_depth(), *at)
    focus = 1 / (d * (1 / layered.near - 1 / layered.far) + 1 / layered.far)
    return replace(layered, aim=(float(at[0]), float(at[1])), focus=focus)
