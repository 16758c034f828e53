"""The lips' inner edges in pictures that are drawn, from landmarks that are a little off."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.canonical import POINTS
from addon.vision.cv import cv
from addon.vision.landmarks import COUNT, FacePoints
from addon.vision.lip_edges import on_lips

SKIN, LIPS, TEETH, DARK = (214, 170, 146), (188, 104, 102), (224, 216, 200), (46, 22, 20)
SIZE = 400
INNER = list(range(60, 68))


def places(unit: float) -> np.ndarray:
    """The average face in the picture's pixels, `unit` from eye to eye."""
    return np.array([SIZE / 2, SIZE / 3]) + POINTS[:, :2] * (1, -1) * unit / 0.063


def curve(points: np.ndarray) -> np.ndarray:
    x = np.linspace(points[0, 0], points[-1, 0], 200)
    fit = np.polynomial.Polynomial.fit(points[:, 0], points[:, 1], 2)
    return np.column_stack([x, fit(x)])


def drawn(unit: float, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """A mouth that is open by `gap` of the eyes' distance, or shut, and the true points."""
    cv2, true = cv(), places(unit)
    across = np.clip(1 - ((true[INNER, 0] - SIZE / 2) / (true[64, 0] - SIZE / 2)) ** 2, 0, 1)
    true[INNER, 1] = true[60, 1] + np.array([0, 0, 0, 0, 0, 1, 1, 1]) * across * gap * unit
    below = [55, 56, 57, 58, 59]
    true[below, 1] += gap * unit
    colour = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    outer = np.concatenate([true[48:55], true[55:60]])
    cv2.fillPoly(colour, [np.round(outer * 16).astype(np.int32)], LIPS, shift=4)
    upper, lower = curve(true[[60, 61, 62, 63, 64]]), curve(true[[60, 67, 66, 65, 64]])
    if gap > 0:
        cv2.fillPoly(colour, [np.round(np.concatenate([upper, lower[::-1]]) * 16).astype(np.int32)], DARK, shift=4)
        teeth = np.concatenate([upper[40:-40], lower[40:-40][::-1]])
        cv2.fillPoly(colour, [np.round(teeth * 16).astype(np.int32)], TEETH, shift=4)
    else:
        cv2.polylines(colour, [np.round(upper * 16).astype(np.int32)], False, DARK, 2, cv2.LINE_AA, 4)
    noise = np.random.default_rng(3).normal(0, 2, colour.shape)
    return np.clip(cv2.GaussianBlur(colour, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8), true


def face(points: np.ndarray) -> FacePoints:
    return FacePoints(points / SIZE, np.ones(COUNT), "network")


@pytest.mark.parametrize("unit", [50.0, 110.0])
@pytest.mark.parametrize("off", [-0.025, 0.025])
def test_shut_lips_meet_in_the_dark_between_them(unit: float, off: float) -> None:
    colour, true = drawn(unit, 0.0)
    given = true.copy()
    given[INNER, 1] += off * unit
    given[[65, 66, 67], 1] += 0.02 * unit
    found = on_lips(colour, face(given)).points * SIZE
    # OpenCV draws to the middles of pixels, landmarks count from their corners.
    assert np.abs(found[INNER, 1] - 0.5 - true[INNER, 1]).max() < max(0.012 * unit, 0.9)
    assert np.array_equal(found[[61, 62, 63]], found[[67, 66, 65]])
    others = np.setdiff1d(np.arange(COUNT), INNER)
    assert np.allclose(found[others], given[others])


@pytest.mark.parametrize("unit", [50.0, 110.0])
def test_parted_lips_end_at_the_teeth(unit: float) -> None:
    colour, true = drawn(unit, 0.2)
    given = true.copy()
    given[[61, 62, 63], 1] -= 0.03 * unit
    given[[65, 66, 67], 1] += 0.07 * unit
    found = on_lips(colour, face(given)).points * SIZE
    middle = [61, 62, 63, 65, 66, 67]
    assert np.abs(found[middle, 1] - 0.5 - true[middle, 1]).max() < max(0.025 * unit, 1.0)


def test_a_picture_without_edges_and_a_small_face_change_nothing() -> None:
    plain = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    for gap in (0.0, 0.2):
        _, true = drawn(80.0, gap)
        assert np.array_equal(on_lips(plain, face(true)).points, true / SIZE)
    colour, true = drawn(20.0, 0.2)
    assert np.array_equal(on_lips(colour, face(true)).points, true / SIZE)
