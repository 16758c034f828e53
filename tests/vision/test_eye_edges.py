"""Iris and lids in pictures that are drawn, from landmarks that are off as a network's are."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.canonical import POINTS
from addon.vision.cv import cv
from addon.vision.eye_edges import on_eyes
from addon.vision.landmarks import COUNT, LEFT_EYE, LEFT_PUPIL, RIGHT_EYE, RIGHT_PUPIL, FacePoints

SKIN, WHITE, IRIS, LASHES = (214, 170, 146), (206, 196, 190), (60, 40, 30), (90, 62, 52)
SIZE = 400
EYES = ((RIGHT_EYE, RIGHT_PUPIL), (LEFT_EYE, LEFT_PUPIL))
RING = [*range(36, 48)]
UPPER, LOWER = [37, 38, 43, 44], [40, 41, 46, 47]


def places(unit: float) -> np.ndarray:
    """The average face in the picture's pixels, `unit` from eye to eye."""
    return np.array([SIZE / 2, SIZE / 2]) + POINTS[:, :2] * (1, -1) * unit / 0.063


def drawn(unit: float, *, shut: bool = False, frame: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Two eyes with irises of the usual size, and the true points. frame: of glasses, dark, above them."""
    cv2, true = cv(), places(unit)
    colour = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    for ring, pupil in EYES:
        at = np.round(true[ring] * 16).astype(np.int32)
        if shut:
            cv2.polylines(colour, [at[[0, 5, 4, 3]]], False, LASHES, 2, cv2.LINE_AA, 4)
            continue
        eye = np.full_like(colour, WHITE)
        cv2.circle(eye, tuple(np.round(true[pupil] * 16).astype(int).tolist()), round(0.0935 * unit * 16), IRIS, -1, cv2.LINE_AA, 4)
        inside = np.zeros(colour.shape[:2], np.uint8)
        cv2.fillPoly(inside, [at], 1, shift=4)
        colour[inside > 0] = eye[inside > 0]
        cv2.polylines(colour, [at[:4]], False, LASHES, 1, cv2.LINE_AA, 4)
        light = tuple(np.round((true[pupil] + (0.02 * unit, -0.02 * unit)) * 16).astype(int).tolist())
        cv2.circle(colour, light, round(0.012 * unit * 16), (250, 250, 250), -1, cv2.LINE_AA, 4)
        if frame:
            x, y = true[ring].mean(0)
            cv2.ellipse(
                colour, (round(x), round(y)), (round(0.4 * unit), round(0.2 * unit)), 0, 180, 360, (30, 22, 20), max(2, round(0.04 * unit))
            )
    noise = np.random.default_rng(3).normal(0, 2, colour.shape)
    return np.clip(cv2.GaussianBlur(colour, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8), true


def face(points: np.ndarray) -> FacePoints:
    return FacePoints(points / SIZE, np.ones(COUNT), "network")


@pytest.mark.parametrize("unit", [50.0, 85.0, 160.0])
@pytest.mark.parametrize("frame", [False, True])
def test_eyes_that_a_network_has_too_low_come_up_to_the_iris(unit: float, frame: bool) -> None:
    colour, true = drawn(unit, frame=frame)
    given = true.copy()
    given[[*RING, RIGHT_PUPIL, LEFT_PUPIL]] += np.array((-0.02, 0.06)) * unit
    found = on_eyes(colour, face(given)).points * SIZE
    error = np.abs(found - 0.5 - true) / unit
    assert np.hypot(*error[[RIGHT_PUPIL, LEFT_PUPIL]].T).max() < 0.025
    assert error[UPPER, 1].max() < 0.03 and error[LOWER, 1].max() < 0.045
    others = np.setdiff1d(np.arange(COUNT), [*RING, RIGHT_PUPIL, LEFT_PUPIL])
    assert np.allclose(found[others], given[others])


def test_eyes_that_are_right_stay() -> None:
    colour, true = drawn(85.0)
    found = on_eyes(colour, face(true + 0.5)).points * SIZE
    error = np.abs(found - 0.5 - true) / 85.0
    assert error.max() < 0.03


def test_shut_eyes_small_faces_and_pictures_without_edges_change_nothing() -> None:
    shut, true = drawn(85.0, shut=True)
    given = true.copy()
    given[UPPER, 1] = given[LOWER, 1] - 0.02 * 85
    given[[RIGHT_PUPIL, LEFT_PUPIL], 1] = [given[ring, 1].mean() for ring, _ in EYES]
    assert np.array_equal(on_eyes(shut, face(given)).points, given / SIZE)
    plain = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    assert np.array_equal(on_eyes(plain, face(true)).points, true / SIZE)
    small, true = drawn(20.0)
    assert np.array_equal(on_eyes(small, face(true)).points, true / SIZE)


def test_a_face_at_the_border_of_a_photo_is_read() -> None:
    colour, true = drawn(85.0)
    x, y = np.floor(true[RIGHT_EYE].mean(0)).astype(int)
    part = colour[y:, x:]
    size = (part.shape[1], part.shape[0])
    cut = FacePoints((true - (x, y)) / size, np.ones(COUNT), "network")
    assert np.isfinite(on_eyes(part, cut).points).all()
