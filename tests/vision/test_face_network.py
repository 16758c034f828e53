"""Landmarks by our own network, on the one portrait that scikit-image carries and on what is no face at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from addon.errors import InputError
from addon.vision import face_network
from addon.vision.face_network import REACH, SIDE, Window, cut, find_points, places, window_of_face, window_of_points
from addon.vision.faces import Eye, Face, find_faces
from addon.vision.landmarks import CHIN, COUNT, LEFT_EYE, LEFT_PUPIL, MIRROR, RIGHT_EYE, RIGHT_PUPIL

PORTRAITS = Path(__file__).resolve().parents[2] / "training" / "portraits.json"


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="module")
def placed() -> dict[str, np.ndarray]:
    """Points of that portrait that were placed by hand, in pixels."""
    faces = json.loads(PORTRAITS.read_text(encoding="utf-8"))["faces"]
    return {key: np.array(at) for key, at in next(f for f in faces if f["name"] == "astronaut")["points"].items()}


def errors(found: np.ndarray, placed: dict[str, np.ndarray]) -> dict[str, float]:
    """In distances of the pupils."""
    unit = float(np.linalg.norm(placed["69"] - placed["68"]))
    return {key: float(np.linalg.norm(found[[int(i) for i in key.split("+")]].mean(0) - at)) / unit for key, at in placed.items()}


def test_landmarks_of_a_portrait_lie_where_a_person_places_them(astronaut: np.ndarray, placed: dict[str, np.ndarray]) -> None:
    points = find_points(astronaut, find_faces(astronaut)[0])
    assert points.source == "network" and points.points.shape == (COUNT, 2)
    off = errors(points.pixels((512, 512)), placed)
    assert max(off["68"], off["69"]) < 0.05
    assert max(off[k] for k in ("36", "39", "42", "45")) < 0.08
    assert max(off["48"], off["54"]) < 0.1
    assert off["8"] < 0.12
    assert points.confidence[[*range(36, 48), 68, 69]].min() > 0.5


def test_the_same_photo_gives_the_same_points(astronaut: np.ndarray) -> None:
    face = find_faces(astronaut)[0]
    assert np.array_equal(find_points(astronaut, face).points, find_points(astronaut, face).points)


def test_a_mirrored_photo_gives_mirrored_points(astronaut: np.ndarray) -> None:
    face = find_faces(astronaut)[0]
    assert face.eyes is not None
    other = face._replace(
        x=1 - face.x, tilt=-face.tilt, eyes=(Eye(1 - face.eyes[1].x, face.eyes[1].y), Eye(1 - face.eyes[0].x, face.eyes[0].y))
    )
    found = find_points(astronaut, face).points
    there = find_points(np.ascontiguousarray(astronaut[:, ::-1]), other).points[list(MIRROR)]
    assert np.abs(np.column_stack([1 - there[:, 0], there[:, 1]]) - found).max() * 512 < 1.0


@pytest.mark.parametrize("shift", [(0.12, 0.0), (-0.12, 0.0), (0.0, 0.12), (0.0, -0.12)])
def test_a_box_that_is_off_by_an_eighth_of_the_eyes_distance_changes_little(
    astronaut: np.ndarray, placed: dict[str, np.ndarray], shift: tuple[float, float]
) -> None:
    unit = float(np.linalg.norm(placed["69"] - placed["68"]))
    eyes = [Eye(*((placed[k] + np.array(shift) * unit) / 512)) for k in ("68", "69")]
    face = Face(0.0, 0.0, 0.1, 0.15, 0.0, (eyes[0], eyes[1]))
    off = errors(find_points(astronaut, face).pixels((512, 512)), placed)
    assert max(off["68"], off["69"]) < 0.06


def test_a_profile_has_a_window_too() -> None:
    face = Face(0.5, 0.5, 0.15, 0.21, 0.0, None)
    window = window_of_face(face, (400, 400))
    assert window.unit == pytest.approx(0.15 * 400 * 0.063 / 0.075)
    assert window.x == 200 and window.y == pytest.approx(200 - 0.025 / 0.063 * window.unit)


def test_a_turned_face_is_not_taken_for_a_small_one() -> None:
    points = np.zeros((COUNT, 2))
    points[RIGHT_EYE] = points[RIGHT_PUPIL] = (-30, 0)
    points[LEFT_EYE] = points[LEFT_PUPIL] = (30, 0)
    points[48], points[54] = (-25, 118), (25, 118)
    assert window_of_points(points).unit == pytest.approx(100)
    points[48], points[54] = (-25, 59), (25, 59)
    assert window_of_points(points).unit == pytest.approx(60)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("unit", [9.0, 30.0, 200.0])
def test_the_square_shows_what_its_matrix_says(unit: float, mirrored: bool) -> None:
    """A blob in the photo must appear where the matrix takes its middle, whatever the scale."""
    size = round(6 * unit)
    y, x = np.mgrid[0:size, 0:size] + 0.5
    at = np.array([0.55 * size, 0.45 * size])
    blob = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * (0.15 * unit) ** 2))
    colour = np.repeat((255 * blob).astype(np.uint8)[..., None], 3, 2)
    window = Window(size / 2, size * 0.4, unit, 0.3)
    square = cut(colour, window, mirrored=mirrored)[..., 0].astype(float)
    assert square.shape == (SIDE, SIDE)
    v, u = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    seen = np.array([(u * square).sum(), (v * square).sum()]) / square.sum()
    matrix = window.matrix(mirrored=mirrored)
    assert np.linalg.norm(matrix[:, :2], axis=1) == pytest.approx(SIDE / (REACH * unit))
    assert np.abs(matrix[:, :2] @ at + matrix[:, 2] - seen).max() < 0.6


@pytest.mark.parametrize("tilt", [0.0, 0.5])
def test_a_close_square_is_smaller_and_lies_where_it_is_told(tilt: float) -> None:
    whole = Window(200, 100, 40, tilt)
    down = np.array([-np.sin(tilt), np.cos(tilt)])
    lower = whole.close(0.7, 1.2)
    middle = lower.matrix() @ [*(np.array([200, 100]) + 1.2 * 40 * down), 1]
    assert np.allclose(middle, SIDE / 2) and lower.unit == pytest.approx(28) and lower.tilt == tilt
    eyes = [w.matrix() @ [200, 100, 1] for w in (whole, whole.close(0.7))]
    assert np.allclose(*eyes)


def test_places_are_the_means_of_the_maps() -> None:
    maps = np.full((2, 28, 28), -50, np.float32)
    maps[0, 7, 21] = 0
    maps[1, 7, 20] = maps[1, 7, 21] = 0
    assert np.allclose(places(maps), [[21.5 / 28, 7.5 / 28], [21 / 28, 7.5 / 28]])


def test_a_face_at_the_border_and_a_picture_without_one_give_finite_points() -> None:
    grey = np.full((60, 80, 3), 128, np.uint8)
    for face in (Face(0.02, 0.05, 0.3, 0.5, 0.0, None), Face(1.4, 1.3, 0.001, 0.001, 0.0, None)):
        points = find_points(grey, face)
        assert np.isfinite(points.points).all() and ((points.confidence > 0) & (points.confidence <= 1)).all()


def test_chin_lies_below_the_mouth_and_sides_are_the_subjects_own(astronaut: np.ndarray) -> None:
    points = find_points(astronaut, find_faces(astronaut)[0]).points
    assert points[CHIN, 1] > points[57, 1] > points[51, 1] > points[30, 1] > points[27, 1]
    assert points[RIGHT_PUPIL, 0] < points[LEFT_PUPIL, 0] and points[48, 0] < points[54, 0] and points[0, 0] < points[16, 0]


def test_eyes_and_mouth_come_from_close_looks_and_the_chin_from_both(astronaut: np.ndarray) -> None:
    network, face = face_network.load(), find_faces(astronaut)[0]
    height, width = astronaut.shape[:2]
    far = network.look(astronaut, window_of_face(face, (width, height)))[0]
    for _ in range(2):
        far = network.look(astronaut, window_of_points(far))[0]
    window = window_of_points(far)
    eyes, mouth = (network.look(astronaut, near)[0] for near in (window.close(0.6), window.close(0.7, face_network.MOUTH_DOWN)))
    found = network.find(astronaut, face).pixels((width, height))
    assert np.allclose(found[36:48], eyes[36:48]) and np.allclose(found[48:68], mouth[48:68]) and np.allclose(found[27:36], far[27:36])
    assert np.allclose(found[CHIN], (far[CHIN] + mouth[CHIN]) / 2)


def test_a_missing_file_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"landmarks\.onnx: the landmark network is missing .*install the Stillscape extension again"):
        face_network.load(tmp_path / "landmarks.onnx")


@pytest.mark.parametrize("kept", [0, 100, 200_000])
def test_a_damaged_file_is_named_in_one_sentence(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "landmarks.onnx"
    file.write_bytes(face_network.FILE.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"landmarks\.onnx: .*install the Stillscape extension again"):
        face_network.load(file)


def test_another_network_is_refused() -> None:
    with pytest.raises(InputError, match="landmark network"):
        face_network.load(face_network.FILE.parent / "depth" / "built_in.onnx")
