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
LOWER = list(range(6, 11))  # points 5 and 11 move half as far


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
    assert np.linalg.norm(found[CHIN] - true[CHIN]) < 0.05 * unit
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
    same, true = drawn(90.0, throat=tuple(v - 4 for v in SKIN))  # a throat in the face's colour
    plain = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    small, tiny = drawn(20.0)
    for colour, given in ((plain, true), (same, true), (small, tiny)):
        assert np.array_equal(on_jaw(colour, face(given)).points, given / SIZE)


@pytest.mark.parametrize("cut", [180, 215, 250])
def test_points_past_the_border_stay(cut: int) -> None:
    """There the photo's last column goes on as streaks, which are no outline."""
    colour, true = drawn(90.0)
    part, true = np.ascontiguousarray(colour[:, cut:]), true - (cut, 0)
    found = on_jaw(part, FacePoints(true / (SIZE - cut, SIZE), np.ones(COUNT), "network")).points * (SIZE - cut, SIZE)
    outside = true[:, 0] < 0
    assert outside[LOWER].any() and np.allclose(found[outside], true[outside])
    assert np.linalg.norm(found - true, axis=1).max() < 0.05 * 90


@pytest.mark.parametrize("lean", [-0.8, -0.4, 0.4, 0.8])
def test_the_jaw_keeps_its_order_where_a_face_is_lopsided(lean: float) -> None:
    colour, true = drawn(60.0)
    colour = cv().warpAffine(colour, np.array([[1, 0, 0], [lean, 1, -lean * SIZE / 2]]), (SIZE, SIZE), borderMode=cv().BORDER_REPLICATE)
    jaw = true.copy()
    jaw[:17, 1] += lean * (true[:17, 0] - SIZE / 2)
    found = on_jaw(colour, face(jaw)).points[:17] * SIZE
    assert np.abs(found - jaw[:17]).max() > 1
    assert (np.diff(found[4:13, 0]) > 0.1 * 60).all()


def test_a_face_past_the_border_gives_finite_points() -> None:
    colour, true = drawn(90.0)
    part, cut = np.ascontiguousarray(colour[:230]), FacePoints(true / (SIZE, 230), np.ones(COUNT), "network")
    assert np.isfinite(on_jaw(part, cut).points).all()
    beside = FacePoints(cut.points + (0, 3), cut.confidence, "network")
    assert np.array_equal(on_jaw(part, beside).points, beside.points)
    folded = true.copy()
    folded[:17] = folded[8]
    assert np.isfinite(on_jaw(colour, face(folded)).points).all()
