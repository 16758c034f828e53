"""Faces placed by hand: five clicks give all points, a point is dragged with its mirror image, and snaps to an edge of the photo.

The same five clicks serve people, paintings and animals: the points of the average face are stretched to them, in the proportions
of the kind that was chosen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .canonical import POINTS
from .cv import cv
from .face_warp import fit_warp
from .landmarks import (
    BRIDGE,
    CHIN,
    COUNT,
    INNER_LIPS,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_PUPIL,
    MIRROR,
    NOSE_TIP,
    NOSTRILS,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_PUPIL,
    FacePoints,
)

Bytes = NDArray[np.uint8]
Floats64 = NDArray[np.float64]
Place = tuple[float, float]

CLICKED = (RIGHT_PUPIL, LEFT_PUPIL, 48, 54, CHIN)
"""The points that are clicked: the pupils, the corners of the mouth (or muzzle) and the chin; "right" is the subject's own."""
GUESSED = 0.6  # confidence of the points that the clicks imply
_SOFTEST = 8.0  # grey levels a pixel, below which there is no edge to snap to


@dataclass(frozen=True)
class Kind:
    """How faces of a kind differ from the average adult's, the five clicked points apart.

    eyes: width and height of the openings, times the adult's. nose: how far down from the pupils towards the corners of the mouth its tip
    is (the adult's 0.56), and how wide it is, times the adult's. brows: how high above the pupils, times the adult's. cheeks:
    the contour's width at the eyes, times the adult's. lips: their height, times the adult's.
    """

    eyes: tuple[float, float] = (1.0, 1.0)
    nose: tuple[float, float] = (-float(POINTS[NOSE_TIP, 1]) / -float(POINTS[48, 1]), 1.0)
    brows: float = 1.0
    cheeks: float = 1.0
    lips: float = 1.0


KINDS = {
    "person": Kind(),
    "painting": Kind(eyes=(1.0, 1.05), brows=0.95, lips=0.9),  # portraits draw eyes larger and mouths smaller than they are
    "child": Kind(eyes=(1.1, 1.15), nose=(0.6, 0.85), brows=1.1, cheeks=1.1),
    "cat": Kind(eyes=(0.9, 1.9), nose=(0.62, 0.75), brows=0.9, cheeks=0.95, lips=0.35),
    "dog": Kind(eyes=(0.8, 1.3), nose=(0.72, 1.3), brows=0.9, cheeks=1.05, lips=0.45),
}
"""By name, for `from_clicks`."""


def from_clicks(
    size: tuple[int, int], right_eye: Place, left_eye: Place, right_mouth: Place, left_mouth: Place, chin: Place, kind: str = "person"
) -> FacePoints:
    """All 70 points from five: the average face stretched so that it passes them exactly.

    size: (width, height) of the photo in pixels. The places are in shares of them; "right" is the subject's own, which is on
    the left of the picture; eyes or corners that are given the other way round, as in a mirror, are taken as they stand in an
    upright face, and upside down they are meant. kind: of KINDS. Raises UsageError if the points cannot be a face, or for an
    unknown kind.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no kind of face called {kind}; choose one of {', '.join(KINDS)}.")
    places = np.array((right_eye, left_eye, right_mouth, left_mouth, chin), np.float64) * size
    places = _in_order(places)
    between = float(np.hypot(*(places[1] - places[0])))
    down = places[2:4].mean(0) - places[:2].mean(0)
    if (
        not np.isfinite(places).all()
        or between < 1
        or np.hypot(*down) < 0.15 * between
        or np.hypot(*(places[4] - places[2:4].mean(0))) < 0.03 * between
    ):
        raise UsageError("These five points are no face; click both eyes, both corners of the mouth and the chin, in this order.")
    shape = _shaped(KINDS[kind])
    # The frame first (a similarity would leave animals' muzzles to the bumps alone), then what is left, smoothly.
    warp = fit_warp(shape[list(CLICKED)], places)
    points = warp.at(shape)
    points[list(CLICKED)] = places
    confidence = np.full(COUNT, GUESSED)
    confidence[list(CLICKED)] = 1.0
    return FacePoints(points / size, confidence, "clicks")


def _in_order(places: Floats64) -> Floats64:
    """The five places with right and left as they must be in a face that is no mirror image: by which way the chin lies."""
    places = places.copy()
    down = places[4] - places[:2].mean(0)
    for a, b in ((0, 1), (2, 3)):
        across = places[b] - places[a]
        if across[0] * down[1] - across[1] * down[0] < 0:
            places[[a, b]] = places[[b, a]]
    return places


def _shaped(kind: Kind) -> Floats64:
    """The average face seen from the front, in the proportions of a kind; 70×2, x right and y down, in eye distances."""
    shape = POINTS[:, :2] * (1, -1) / (POINTS[LEFT_PUPIL, 0] * 2)
    for eye, pupil in ((RIGHT_EYE, RIGHT_PUPIL), (LEFT_EYE, LEFT_PUPIL)):
        shape[eye] = shape[pupil] + (shape[eye] - shape[pupil]) * kind.eyes
    mouth = shape[48, 1]
    moved = kind.nose[0] * mouth - shape[NOSE_TIP, 1]
    top = shape[BRIDGE.start, 1]
    nose = np.r_[BRIDGE, NOSTRILS]
    shape[nose, 1] += moved * np.clip((shape[nose, 1] - top) / (shape[NOSE_TIP, 1] - top), 0, 1)
    shape[nose, 1] = np.minimum(shape[nose, 1], mouth + 0.9 * (shape[51, 1] - mouth))
    shape[nose, 0] *= kind.nose[1]
    shape[RIGHT_BROW, 1] *= kind.brows
    shape[LEFT_BROW, 1] *= kind.brows
    share = np.clip(1 - shape[JAW, 1] / shape[CHIN, 1], 0, 1)  # 1 at the eyes, 0 at the chin
    shape[JAW, 0] *= 1 + (kind.cheeks - 1) * share
    for lips in (OUTER_LIPS, INNER_LIPS):
        shape[lips, 1] = mouth + (shape[lips, 1] - mouth) * kind.lips
    return shape


# Editing -------------------------------------------------------------------------------------------------------------------


def move_point(face: FacePoints, index: int, place: Place, size: tuple[int, int], *, mirror: bool = False) -> FacePoints:
    """The face with one point moved to a place (in shares), and with `mirror` the point opposite it, too.

    size: (width, height) of the photo in pixels. The mirror's line is the face's own axis, from between the pupils down the nose to
    between the corners of the mouth and the chin, so that it works on tilted heads; in a face that is turned, what is moved across the
    axis moves less on its far side, in the ratio of the two sides. Moved points have a confidence of 1. Raises UsageError if there
    is no such point or the place is no number.
    """
    if not 0 <= index < COUNT or not np.isfinite(place).all():
        raise UsageError(f"A face has points 0 to {COUNT - 1} at finite places; point {index} cannot be moved to {place}.")
    pixels, confidence = face.pixels(size).copy(), face.confidence.copy()
    step = np.array(place, np.float64) * size - pixels[index]
    other = MIRROR[index]
    middle, axis = face_axis(face, size)
    across = np.array((axis[1], -axis[0]))
    if mirror and other == index:  # a point of the middle stays in it
        step = axis * float(step @ axis)
    confidence[index] = 1.0
    if mirror and other != index:
        own, far = (abs(float((pixels[i] - middle) @ across)) for i in (index, other))
        ratio = float(np.clip(far / own, 0.25, 4)) if own > 1e-6 * math.hypot(*size) else 1.0
        pixels[other] += axis * float(step @ axis) - across * float(step @ across) * ratio
        confidence[other] = 1.0
    pixels[index] += step
    return replace(face, points=pixels / size, confidence=confidence)


def face_axis(face: FacePoints, size: tuple[int, int]) -> tuple[Floats64, Floats64]:
    """The line that parts a face's sides: a point of it in pixels, and its direction down the face (length 1)."""
    pixels = face.pixels(size)
    pairs = np.array([(i, m) for i, m in enumerate(MIRROR) if i < m and (36 <= i < 68 or i == RIGHT_PUPIL)])
    middles = np.vstack([pixels[pairs].mean(1), pixels[[27, 28, 29, 33, 51, 57, CHIN]]])
    middle = middles.mean(0)
    _, _, ways = np.linalg.svd(middles - middle)
    axis = ways[0]
    down = pixels[CHIN] - pixels[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    return middle, axis if axis @ down >= 0 else -axis


def snap_to_edge(colour: Bytes, place: Place, radius: float) -> Place:
    """The place of the strongest edge near a place, to a fraction of a pixel.

    colour: uint8 H×W×3, sRGB. place: in shares of its width and height. radius: how far to look, in pixels. Edges farther away count
    less. Returns the place itself if nothing there is an edge, or it is not in the picture.
    """
    cv2 = cv()
    height, width = colour.shape[:2]
    x, y = place[0] * width, place[1] * height
    if not (0 <= x < width and 0 <= y < height) or radius < 1:
        return place
    pad = math.ceil(radius) + 5
    left, top = max(0, int(x) - pad), max(0, int(y) - pad)
    part = cv2.cvtColor(colour[top : int(y) + pad + 1, left : int(x) + pad + 1], cv2.COLOR_RGB2LAB).astype(np.float32)
    smooth = cv2.GaussianBlur(part, (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1)))
    strength = np.sqrt((across**2 + down**2).sum(-1))
    ys, xs = np.mgrid[: part.shape[0], : part.shape[1]]
    away = np.hypot(xs + left + 0.5 - x, ys + top + 0.5 - y)
    score = np.where(away <= radius, strength * (1 - 0.5 * away / radius), 0)
    score[[0, -1]] = score[:, [0, -1]] = 0
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    if score[row, column] <= 0 or strength[row, column] < _SOFTEST / 2:
        return place
    # The top of a parabola through three strengths along the edge's normal.
    channel = int(np.argmax(across[row, column] ** 2 + down[row, column] ** 2))
    normal = np.array((across[row, column, channel], down[row, column, channel]))
    normal /= max(float(np.hypot(*normal)), 1e-9)
    at = [(column + s * normal[0], row + s * normal[1]) for s in (-1, 0, 1)]
    before, here, after = cv2.remap(
        strength, np.array([[p[0] for p in at]], np.float32), np.array([[p[1] for p in at]], np.float32), cv2.INTER_LINEAR
    )[0]
    bend = before - 2 * here + after
    shift = float(np.clip((before - after) / (2 * bend), -1, 1)) if bend < -1e-6 else 0.0
    return (left + column + 0.5 + shift * normal[0]) / width, (top + row + 0.5 + shift * normal[1]) / height
