"""The average face laid on a face: its pose, its distance, and the map from the photo's pixels to it and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.errors import InputError
from addon.vision.canonical import POINTS
from addon.vision.face_fit import FaceFit, fit_face, mirrored, points_of_some
from addon.vision.face_warp import fit_warp
from addon.vision.faces import EYES
from addon.vision.geometry import ray_map
from addon.vision.landmarks import JAW, LEFT_PUPIL, NOSE_TIP, RIGHT_PUPIL, FacePoints
from addon.vision.layered import PhotoCamera

CAMERA, SIZE = PhotoCamera(45.0, (0.1, 0.02)), (900, 600)
TOWARDS = np.array(((1.0, 0, 0), (0, 0, -1), (0, 1, 0)))  # a face that looks into the camera


def rotation_of(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Degrees: the face turned about its own axes, so many to the subject's left, up, and its head's top to the subject's left."""
    y, p, r = (math.radians(a) for a in (yaw, pitch, roll))
    turned = np.array(((math.cos(y), 0, math.sin(y)), (0, 1, 0), (-math.sin(y), 0, math.cos(y))))
    lifted = np.array(((1, 0, 0), (0, math.cos(p), math.sin(p)), (0, -math.sin(p), math.cos(p))))
    tilted = np.array(((math.cos(r), math.sin(r), 0), (-math.sin(r), math.cos(r), 0), (0, 0, 1)))
    return TOWARDS @ tilted @ turned @ lifted


def seen_face(rotation: np.ndarray, place: tuple[float, float, float], scale: float = 1.0, points: np.ndarray = POINTS) -> FacePoints:
    at = scale * points @ rotation.T + place
    rays = ray_map(CAMERA, SIZE)
    u, v = at[:, 0] / at[:, 1] / rays.width + rays.u0, at[:, 2] / at[:, 1] / rays.height + rays.v0
    return FacePoints(np.stack((u, 1 - v), -1), np.ones(70), "test")


def fitted(*angles: float, noise: float = 0.0, place: tuple[float, float, float] = (0.1, 1.2, 0.05)) -> tuple[FacePoints, FaceFit]:
    face = seen_face(rotation_of(*angles), place)
    step = np.random.default_rng(3).normal(0, noise * face.eye_distance(SIZE), face.points.shape) / SIZE
    face = FacePoints(face.points + step, face.confidence, "test")
    return face, fit_face(face, CAMERA, SIZE)


def between(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(math.acos(min(1.0, (float(np.trace(a @ b.T)) - 1) / 2)))


def test_the_average_face_is_its_own_mirror_image_with_its_pupils_apart_as_adults() -> None:
    assert POINTS.shape == (70, 3) and POINTS.dtype == np.float64
    assert mirrored(POINTS) == pytest.approx(POINTS, abs=1.5e-4)
    pupils = POINTS[[RIGHT_PUPIL, LEFT_PUPIL]]
    assert pupils[1, 0] - pupils[0, 0] == pytest.approx(EYES, abs=1e-3) and pupils.mean(0) == pytest.approx(0, abs=1e-3)
    assert POINTS[NOSE_TIP, 2] == POINTS[:, 2].max()  # nothing stands out as far


@settings(max_examples=25, deadline=None)
@given(st.floats(-40, 40), st.floats(-20, 20), st.floats(-30, 30), st.floats(0.4, 4.0))
def test_the_pose_and_distance_of_a_face_are_found(yaw: float, pitch: float, roll: float, away: float) -> None:
    rotation = rotation_of(yaw, pitch, roll)
    place = (0.1 * away, away, 0.05 * away)
    fit = fit_face(seen_face(rotation, place), CAMERA, SIZE)
    assert between(fit.rotation, rotation) < 0.5 and fit.error < 1e-3
    assert fit.origin == pytest.approx(place, abs=0.01 * away) and fit.scale == pytest.approx(1, abs=0.01)
    assert np.linalg.det(fit.rotation) == pytest.approx(1)


def test_noise_of_a_fiftieth_of_the_eye_distance_turns_it_by_little() -> None:
    for angles in ((0, 0, 0), (25, -10, 10), (-35, 5, 0)):
        _, fit = fitted(*angles, noise=0.02)
        assert between(fit.rotation, rotation_of(*angles)) < 3


def test_a_jaw_that_slid_along_the_contour_and_an_open_mouth_do_not_turn_the_face() -> None:
    points = POINTS.copy()
    points[JAW] *= (0.9, 1.1, 1)
    points[5:12, 1] -= 0.02
    points[[55, 56, 57, 58, 59, 65, 66, 67], 1] -= 0.02
    rotation = rotation_of(15, 0, 0)
    fit = fit_face(seen_face(rotation, (0, 1, 0), points=points), CAMERA, SIZE)
    assert between(fit.rotation, rotation) < 3


def test_angles_are_of_the_subject() -> None:
    """Seen along the camera's axis, from where the angles count."""
    for angles in ((20, 0, 0), (0, 12, 0), (0, 0, 15)):
        found = fitted(*angles, place=(0, 1.5, 0))[1].angles
        assert found == pytest.approx(angles, abs=0.5)


def test_pupils_63_mm_apart_say_how_far_away_a_face_is() -> None:
    """A larger head with the same pupils is no nearer."""
    points = POINTS * 1.1
    points[[RIGHT_PUPIL, LEFT_PUPIL]] = POINTS[[RIGHT_PUPIL, LEFT_PUPIL]]
    fit = fit_face(seen_face(rotation_of(0, 0, 0), (0, 1, 0), points=points), CAMERA, SIZE)
    assert fit.origin[1] == pytest.approx(1, abs=0.02) and fit.scale == pytest.approx(1.1, abs=0.03)


def test_the_fit_projects_to_where_the_face_is_seen() -> None:
    face, fit = fitted(20, -10, 5)
    assert fit.project(POINTS) * SIZE == pytest.approx(face.pixels(SIZE), abs=0.5)


@pytest.mark.parametrize("angles", [(0, 0, 0), (12, 5, -20), (-10, 0, 170)])
def test_landmarks_go_to_their_places_and_back(angles: tuple[float, float, float]) -> None:
    face, fit = fitted(*angles)
    assert fit.canonical_xy(face.points) == pytest.approx(POINTS[:, :2], abs=2e-5)
    assert fit.from_canonical(POINTS[:, :2]) * SIZE == pytest.approx(face.pixels(SIZE), abs=1e-3 * face.eye_distance(SIZE))


def test_the_map_is_affine_far_away_and_smooth_between() -> None:
    _, fit = fitted(10, 5, 5, noise=0.01)
    corner = np.array((0.0, 0.0))
    step = np.array((0.01, 0.0))
    first, second, third = fit.canonical_xy(np.array((corner, corner + step, corner + 2 * step)) - 3.0)
    assert third - second == pytest.approx(second - first, abs=1e-12)
    inside = fit.from_canonical(np.array([[0.0, -0.02], [1e-6, -0.02], [2e-6, -0.02]]))
    places = fit.canonical_xy(inside)
    assert np.linalg.norm(places[2] - places[1] - (places[1] - places[0])) < 1e-8


@pytest.mark.parametrize("angles", [(0, 0, 0), (15, -5, 10), (35, 0, 0), (-40, 10, 0)])
def test_the_map_never_folds_the_inner_face_over(angles: tuple[float, float, float]) -> None:
    _, fit = fitted(*angles, noise=0.015)
    steps = np.linspace(0.05, 0.95, 15)
    x, y = np.meshgrid(-0.035 + 0.07 * steps, -0.07 + 0.08 * steps)
    shares = fit.from_canonical(np.stack((x, y), -1).reshape(-1, 2))
    slopes = np.linalg.det(fit.warp.slopes(shares * SIZE))
    assert (slopes < 0).all()  # y points down in the photo


def test_shut_lips_and_lids_do_not_tear_the_map() -> None:
    face = seen_face(rotation_of(5, 0, 0), (0, 1, 0))
    points = face.points.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46)):
        points[[upper, lower]] = points[[upper, lower]].mean(0)
        points[upper, 1] += 0.001  # crossed, as an uncertain network has them
    fit = fit_face(FacePoints(points, face.confidence, "test"), CAMERA, SIZE)
    found = fit.canonical_xy(points)
    assert np.abs(found - POINTS[:, :2]).max() < 0.01
    assert np.isfinite(fit.from_canonical(POINTS[:, :2])).all()


def test_points_of_low_confidence_do_not_bend_the_map() -> None:
    face = seen_face(rotation_of(0, 0, 0), (0, 1, 0))
    points, confidence = face.points.copy(), face.confidence.copy()
    points[48] += 0.1
    confidence[48] = 0.1
    fit = fit_face(FacePoints(points, confidence, "test"), CAMERA, SIZE)
    assert fit.canonical_xy(face.points)[48] == pytest.approx(POINTS[48, :2], abs=1e-3)
    assert between(fit.rotation, rotation_of(0, 0, 0)) < 0.5


@pytest.mark.parametrize("points", [np.full((70, 2), 0.5), np.linspace(0, 1, 70)[:, None] * np.ones((1, 2)), np.full((70, 2), np.nan)])
def test_points_that_are_no_face_are_one_sentence(points: np.ndarray) -> None:
    with pytest.raises(InputError, match="place both eyes"):
        fit_face(FacePoints(points, np.ones(70), "test"), CAMERA, SIZE)


@pytest.mark.parametrize("yaw", [-25.0, 0.0, 25.0])
def test_five_points_give_all_others_as_the_face_is_turned(yaw: float) -> None:
    face = seen_face(rotation_of(yaw, 0, 10), (0.1, 1.2, 0.0))
    pixels = face.pixels(SIZE)
    known = {i: (float(pixels[i][0]), float(pixels[i][1])) for i in (RIGHT_PUPIL, LEFT_PUPIL, NOSE_TIP, 48, 54)}
    found = points_of_some(SIZE, known, "test", (0.9, 0.4))
    miss = np.linalg.norm(found.pixels(SIZE) - pixels, axis=1) / face.eye_distance(SIZE)
    assert miss[list(known)].max() < 1e-9 and miss[17:].max() < 0.06 and miss.max() < 0.2
    assert set(found.confidence[list(known)]) == {0.9} and found.confidence[8] == 0.4
    with pytest.raises(InputError, match="one line"):
        points_of_some(SIZE, {RIGHT_PUPIL: (0, 0), LEFT_PUPIL: (10, 0), NOSE_TIP: (20, 0)}, "test")


def test_a_warp_passes_its_points_and_undoes_itself() -> None:
    random = np.random.default_rng(0)
    source = random.uniform(0, 100, (30, 2))
    target = source @ np.array(((0.9, 0.2), (-0.1, 1.1))) + random.normal(0, 1.0, source.shape) + 5
    warp = fit_warp(source, target)
    assert warp.at(source) == pytest.approx(target, abs=1e-6)
    assert warp.inverted(target, target) == pytest.approx(source, abs=1e-6)
    here, step = random.uniform(0, 100, (20, 2)), 1e-5
    for axis in (0, 1):
        side = np.eye(2)[axis] * step
        measured = (warp.at(here + side) - warp.at(here - side)) / (2 * step)
        assert measured == pytest.approx(warp.slopes(here)[:, :, axis], abs=1e-5)
