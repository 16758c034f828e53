"""Faces placed by hand: five clicks, points moved with their mirror image, points that snap to edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.errors import UsageError
from addon.vision.face_edit import CLICKED, KINDS, face_axis, from_clicks, move_point, snap_to_edge
from addon.vision.landmarks import CHIN, LEFT_PUPIL, MIRROR, NOSE_TIP, OUTER_LIPS, RIGHT_EYE, RIGHT_PUPIL

SIZE = (800, 600)
UPRIGHT = ((0.4, 0.4), (0.5, 0.4), (0.415, 0.545), (0.485, 0.545), (0.45, 0.64))


def turned(places, degrees: float):
    """The places turned about the photo's middle, in pixels."""
    angle = math.radians(degrees)
    matrix = np.array(((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))))
    middle = np.array(SIZE) / 2
    return ((np.array(places) * SIZE - middle) @ matrix.T + middle) / SIZE


@pytest.mark.parametrize("kind", KINDS)
def test_the_clicked_points_are_where_they_were_clicked(kind: str) -> None:
    face = from_clicks(SIZE, *UPRIGHT, kind=kind)
    assert face.points[list(CLICKED)] == pytest.approx(np.array(UPRIGHT), abs=1e-9)
    assert (face.confidence[list(CLICKED)] == 1).all() and face.confidence.min() > 0.3 and face.source == "clicks"
    assert np.isfinite(face.points).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(-180, 180))
def test_a_tilted_face_gets_the_same_points(degrees: float) -> None:
    straight = from_clicks(SIZE, *UPRIGHT).points
    found = from_clicks(SIZE, *turned(UPRIGHT, degrees)).points
    assert found == pytest.approx(turned(straight, degrees), abs=1e-6)


def test_a_symmetrical_face_stays_symmetrical() -> None:
    points = from_clicks(SIZE, *UPRIGHT).points
    mirrored = points[list(MIRROR)] * (-1, 1) + (0.9, 0)
    assert mirrored == pytest.approx(points, abs=3e-3)


def test_sides_that_are_swapped_are_put_right() -> None:
    right, left, a, b, chin = UPRIGHT
    assert from_clicks(SIZE, left, right, b, a, chin).points == pytest.approx(from_clicks(SIZE, *UPRIGHT).points)


def test_kinds_differ_where_animals_do() -> None:
    person, cat, dog = (from_clicks(SIZE, *UPRIGHT, kind=kind).pixels(SIZE) for kind in ("person", "cat", "dog"))

    def tall(points: np.ndarray, part: slice) -> float:
        return float(np.ptp(points[part, 1]))

    assert tall(cat, RIGHT_EYE) > 1.5 * tall(person, RIGHT_EYE)
    assert tall(cat, OUTER_LIPS) < 0.6 * tall(person, OUTER_LIPS)
    assert dog[NOSE_TIP, 1] > person[NOSE_TIP, 1] + 5  # a muzzle ends low


def test_five_points_that_are_no_face_are_refused() -> None:
    with pytest.raises(UsageError, match="no face"):
        from_clicks(SIZE, (0.5, 0.5), (0.5, 0.5), *UPRIGHT[2:])
    with pytest.raises(UsageError, match="no face"):
        from_clicks(SIZE, *UPRIGHT[:2], (0.4, 0.4), (0.5, 0.4), UPRIGHT[4])
    with pytest.raises(UsageError, match="horse"):
        from_clicks(SIZE, *UPRIGHT, kind="horse")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 69), st.floats(-20, 20), st.floats(-20, 20), st.floats(-40, 40))
def test_a_point_moves_with_its_mirror_image(index: int, across: float, down: float, degrees: float) -> None:
    face = from_clicks(SIZE, *turned(UPRIGHT, degrees))
    pixels = face.pixels(SIZE)
    middle, axis = face_axis(face, SIZE)
    side = np.array((axis[1], -axis[0]))
    goal = pixels[index] + across * side + down * axis
    moved = move_point(face, index, tuple(goal / SIZE), SIZE, mirror=True)
    found = moved.pixels(SIZE)
    other = MIRROR[index]
    unmoved = [i for i in range(70) if i not in (index, other)]
    assert found[unmoved] == pytest.approx(pixels[unmoved]) and moved.confidence[index] == moved.confidence[other] == 1
    if other == index:
        assert (found[index] - pixels[index]) @ side == pytest.approx(0, abs=1e-6)
        assert (found[index] - pixels[index]) @ axis == pytest.approx(down, abs=1e-6)
    else:
        assert found[index] == pytest.approx(goal)
        # The upright face is symmetrical to about a pixel, and so is what is made of it.
        step = found[other] - pixels[other]
        assert step @ axis == pytest.approx(down, abs=1e-6) and step @ side == pytest.approx(-across, abs=0.1 * abs(across) + 1e-6)


def test_without_mirror_only_one_point_moves() -> None:
    face = from_clicks(SIZE, *UPRIGHT)
    moved = move_point(face, 48, (0.3, 0.5), SIZE)
    changed = np.flatnonzero((moved.points != face.points).any(1))
    assert changed.tolist() == [48] and moved.points[48].tolist() == [0.3, 0.5]
    for index, place in ((70, (0.1, 0.1)), (-1, (0.1, 0.1)), (5, (math.nan, 0))):
        with pytest.raises(UsageError):
            move_point(face, index, place, SIZE)


def test_the_axis_runs_from_the_eyes_to_the_chin() -> None:
    for degrees in (0, 30, -100, 180):
        face = from_clicks(SIZE, *turned(UPRIGHT, degrees))
        pixels = face.pixels(SIZE)
        down = pixels[CHIN] - pixels[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
        _, axis = face_axis(face, SIZE)
        assert axis @ down / np.linalg.norm(down) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("edge", [40.0, 40.3, 40.5, 40.8])
@pytest.mark.parametrize("down", [False, True])
def test_points_snap_to_an_edge_within_a_fifth_of_a_pixel(edge: float, down: bool) -> None:
    """An edge that lies in the middle of a pixel mixes both sides there."""
    row = np.clip(np.arange(80) + 1 - edge, 0, 1) * 150 + 50
    colour = np.repeat(np.tile(row, (60, 1))[..., None], 3, -1).round().astype(np.uint8)
    place = 44 / 80, 30 / 60
    if down:
        colour, place = np.ascontiguousarray(colour.transpose(1, 0, 2)), place[::-1]
    found = snap_to_edge(colour, place, 8)
    along, other = (found[1], found[0]) if down else found
    assert along * 80 == pytest.approx(edge, abs=0.2) and other * 60 == pytest.approx(30, abs=1)


def test_points_stay_where_there_is_no_edge() -> None:
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert snap_to_edge(flat, (0.5, 0.5), 6) == (0.5, 0.5)
    assert snap_to_edge(flat, (1.5, 0.5), 6) == (1.5, 0.5)
    flat[:, 30:] = 200
    assert snap_to_edge(flat, (0.5, 0.5), 6) == (0.5, 0.5)  # ten pixels away
    assert snap_to_edge(flat, (0.5, 0.5), 12)[0] * 40 == pytest.approx(30, abs=0.2)
