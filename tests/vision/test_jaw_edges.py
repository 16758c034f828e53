"""The jaw's outline in pictures that are drawn, from landmarks that are a little off."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.canonical import POINTS
from addon.vision.cv import cv
from addon.vision.jaw_edges import on_jaw
from addon.vision.landmarks import CHIN, COUNT, FacePoints

SKIN, THROAT, AROUND = (214, 170, 146), (150, 104, 84), (70, 90, 130)
SIZE = 400
LOWER = list(range(6, 11))


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    return (points - SIZE / 2) @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + SIZE / 2


def drawn(unit: float, degrees: float = 0.0, throat: tuple[int, int, int] = THROAT) -> tuple[np.ndarray, np.ndarray]:
    """A face with a round jaw before a throat, turned clockwise, and the true points: the jaw's on its outline, the chin's where that is lowest."""
    cv2 = cv()
    true = np.array([SIZE / 2, SIZE / 3]) + POINTS[:, :2] * (1, -1) * unit / 0.063
    middle, half = np.array([SIZE / 2, true[CHIN, 1] - 1.2 * unit]), np.array([1.05 * unit, 1.2 * unit])
    t = np.linspace(0, np.pi, 17)
    true[:17] = middle + half * np.stack([-np.cos(t), np.sin(t)], 1)
    outline = turned(middle + half * np.stack([np.cos(s := np.linspace(0, 2 * np.pi, 300)), np.sin(s)], 1), degrees)
    neck = turned(middle + np.array([[-0.7, 0], [0.7, 0], [0.7, 5], [-0.7, 5]]) * unit, degrees)
    colour = np.full((SIZE, SIZE, 3), AROUND, np.uint8)
    cv2.fillPoly(colour, [np.round(neck * 16).astype(np.int32)], throat, cv2.LINE_AA, shift=4)
    cv2.fillPoly(colour, [np.round(outline * 16).astype(np.int32)], SKIN, cv2.LINE_AA, shift=4)
    noise = np.random.default_rng(3).normal(0, 2, colour.shape)
    return np.clip(cv2.GaussianBlur(colour, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8), turned(true, degrees)


def face(points: np.ndarray) -> FacePoints:
    return FacePoints(points / SIZE, np.ones(COUNT), "network")


@pytest.mark.parametrize("unit", [40.0, 90.0])
@pytest.mark.parametrize("degrees", [0.0, 25.0, -70.0])
@pytest.mark.parametrize("off", [-0.09, 0.09])
def test_the_jaw_lies_on_the_outline_however_the_face_is_turned(unit: float, degrees: float, off: float) -> None:
    colour, true = drawn(unit, degrees)
    down = turned(np.array([[0.0, 1.0], [0.0, 0.0]]), degrees)
    given = true.copy()
    given[LOWER] += off * unit * (down[0] - down[1])
    found = on_jaw(colour, face(given)).points * SIZE
    assert np.linalg.norm(found[CHIN] - true[CHIN]) < 0.05 * unit  # half of what it was off
    fine = np.stack([np.interp(np.linspace(0, 16, 800), np.arange(17), true[:17, k]) for k in (0, 1)], 1)
    away = np.linalg.norm(found[LOWER][:, None] - fine[None], axis=2).min(1)
    assert away.max() < 0.05 * unit
    others = [i for i in range(COUNT) if not 4 < i < 12]
    assert np.allclose(found[others], given[others])


def test_a_chin_that_is_off_along_the_jaw_goes_towards_the_lowest_place() -> None:
    colour, true = drawn(90.0)
    given = true.copy()
    given[CHIN] = (true[CHIN] + true[CHIN + 1]) / 2 + (0, 3)
    before = np.linalg.norm(given[CHIN] - true[CHIN])
    found = on_jaw(colour, face(given)).points * SIZE
    assert np.linalg.norm(found[CHIN] - true[CHIN]) < 0.8 * before


def test_points_stay_where_the_photo_shows_no_outline_or_the_face_is_small() -> None:
    blurred, true = drawn(90.0, throat=tuple(v - 4 for v in SKIN))  # a throat in the face's colour
    plain = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    small, tiny = drawn(20.0)
    for colour, given in ((plain, true), (blurred, true), (small, tiny)):
        assert np.array_equal(on_jaw(colour, face(given)).points, given / SIZE)


def test_a_face_past_the_border_gives_finite_points() -> None:
    colour, true = drawn(90.0)
    part, cut = np.ascontiguousarray(colour[:230]), FacePoints(true / (SIZE, 230), np.ones(COUNT), "network")
    assert np.isfinite(on_jaw(part, cut).points).all()
    beside = FacePoints(cut.points + (0, 3), cut.confidence, "network")
    assert np.isfinite(on_jaw(part, beside).points).all()
    one = FacePoints(np.full((COUNT, 2), 0.5), np.ones(COUNT), "network")
    assert np.array_equal(on_jaw(colour, one).points, one.points)
