"""Faces: found in a photo of one and not elsewhere, the metres that they tell, and their relief."""

from __future__ import annotations

import math

import numpy as np
import pytest

from addon.spec import DepthSpec
from addon.vision.distances import EYE_LEVEL, shape_faces, to_metres
from addon.vision.faces import DEPTH, EYES, HALF_HEIGHT, HALF_WIDTH, Eye, Face, ellipse_radius, eye_distances, find_faces, with_relief
from addon.vision.layered import DepthKind, DepthMap, to_disparity

FOV = 50.0
FOCAL = 0.5 / math.tan(math.radians(FOV) / 2)
SHAPE = (240, 320)


def face_at(distance: float, x: float = 0.5, y: float = 0.4, eyes: bool = True) -> Face:
    """A face as a camera with FOCAL sees it in a picture of SHAPE."""
    metre = FOCAL / distance  # in shares of the width
    tall = metre * SHAPE[1] / SHAPE[0]
    pair = Eye(x - EYES * metre / 2, y - 0.025 * tall), Eye(x + EYES * metre / 2, y - 0.025 * tall)
    return Face(x, y, HALF_WIDTH * metre, HALF_HEIGHT * tall, 0.0, pair if eyes else None)


def scene(distance: float, far: float = 6.0) -> tuple[np.ndarray, Face]:
    """1/z of someone flat at a distance before a wall, and the face."""
    face = face_at(distance)
    inverse = np.full(SHAPE, 1 / far, np.float32)
    inverse[ellipse_radius(SHAPE, face) < 1.4] = 1 / distance
    inverse[150:, 80:240] = 1 / distance
    return inverse, face


# Finding -----------------------------------------------------------------------------------------------------------------


def test_a_portrait_shows_one_face_at_arms_length() -> None:
    data = pytest.importorskip("skimage.data")
    found = find_faces(data.astronaut())
    assert len(found) == 1
    face = found[0]
    assert face.x == pytest.approx(0.437, abs=0.02) and face.y == pytest.approx(0.235, abs=0.03) and face.eyes is not None
    assert face.eyes[1].x - face.eyes[0].x == pytest.approx(0.088, abs=0.01) and abs(face.tilt) < 0.15
    mirrored = find_faces(np.ascontiguousarray(data.astronaut()[:, ::-1]))
    assert len(mirrored) == 1 and mirrored[0].x == pytest.approx(1 - face.x, abs=0.02)
    large = find_faces(np.repeat(np.repeat(data.astronaut(), 3, 0), 3, 1))
    assert len(large) == 1 and large[0].half_width == pytest.approx(face.half_width, rel=0.1)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_there_are_no_faces_where_there_are_none(name: str) -> None:
    data = pytest.importorskip("skimage.data")
    assert find_faces(getattr(data, name)()) == ()


@pytest.mark.parametrize("shape", [(8, 8), (30, 2000), (50, 50)])
def test_pictures_of_any_size_are_searched(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    assert find_faces(random.integers(0, 255, (*shape, 3), np.uint8)) == ()
    assert find_faces(np.full((*shape, 3), 200, np.uint8)) == ()


# Metres ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.6, 1.5, 3.0])
def test_eyes_tell_the_distance(distance: float) -> None:
    inverse, face = scene(distance)
    assert [length.metres for length in eye_distances((face,))] == [EYES]
    for kind, values in ((DepthKind.AFFINE_DISPARITY, 7 * inverse + 2), (DepthKind.AFFINE_DEPTH, 13 / inverse)):
        depth = DepthMap(values.astype(np.float32), kind, "test", faces=(face,))
        settled = to_metres(depth, DepthSpec(), FOV)
        assert settled.kind is DepthKind.METRIC_DISPARITY
        assert 1 / settled.values[96, 160] == pytest.approx(distance, rel=0.02)


def test_they_tell_nothing_where_something_better_does() -> None:
    inverse, face = scene(1.0)
    depth = DepthMap(7 * inverse + 2, DepthKind.AFFINE_DISPARITY, "test", faces=(face,))
    bare = DepthMap(depth.values, depth.kind, "test")
    for settings in (DepthSpec(near=0.3), DepthSpec(far=50.0), DepthSpec(known_size=0.2)):
        np.testing.assert_array_equal(to_metres(depth, settings, FOV).values, to_metres(bare, settings, FOV).values)
    metric = DepthMap(2 / inverse, DepthKind.METRIC_DEPTH, "test", faces=(face,))
    assert 1 / to_metres(metric, DepthSpec(), FOV).values[96, 160] == pytest.approx(2, rel=1e-4)
    profile = DepthMap(depth.values, depth.kind, "test", faces=(face_at(1.0, eyes=False),))
    np.testing.assert_array_equal(to_metres(profile, DepthSpec(), FOV).values, to_metres(bare, DepthSpec(), FOV).values)


def test_a_face_on_a_poster_makes_no_giants() -> None:
    """A face whose eyes are as wide as the picture is tiny tells a scale that no photo has, and is not believed."""
    inverse, _ = scene(1.0)
    huge = Face(0.5, 0.5, 0.4, 0.5, 0.0, (Eye(0.02, 0.4), Eye(0.98, 0.4)))
    depth = DepthMap(7 * inverse + 2, DepthKind.AFFINE_DISPARITY, "test", faces=(huge,), camera_height=EYE_LEVEL)
    bare = DepthMap(depth.values, depth.kind, "test", camera_height=EYE_LEVEL)
    np.testing.assert_array_equal(to_metres(depth, DepthSpec(), FOV).values, to_metres(bare, DepthSpec(), FOV).values)


# Relief ------------------------------------------------------------------------------------------------------------------


def test_a_flat_face_becomes_round() -> None:
    inverse, face = scene(1.0)
    made = with_relief(inverse, (face,), FOCAL)
    radius = ellipse_radius(SHAPE, face)
    assert (made[radius >= 1] == inverse[radius >= 1]).all()
    z = 1 / made.astype(np.float64)
    assert z[96, 160] == pytest.approx(1 - DEPTH, abs=0.005)  # the nose
    assert (z[radius < 1] <= 1 + 1e-6).all()
    right = z[96, 160 : 160 + int(face.half_width * SHAPE[1])]
    assert (np.diff(right) > -1e-9).all() and right[-1] > 1 - 0.4 * DEPTH  # falls off towards the ear
    assert float(np.abs(np.diff(z[96, 150:170])).max()) < 0.01


def test_a_dent_goes_and_the_depth_is_of_the_face_whatever_its_distance() -> None:
    for distance in (0.7, 1.0, 2.0):
        inverse, face = scene(distance)
        radius = ellipse_radius(SHAPE, face)
        dented = np.where(radius < 0.4, 1 / (distance * 1.08), inverse).astype(np.float32)
        z = 1 / with_relief(dented, (face,), FOCAL).astype(np.float64)
        row, reach = z[96], int(face.half_width * SHAPE[1])
        assert row[160] < row[160 + reach // 2] < row[160 + reach - 1] + 1e-6
        assert distance - row[160] == pytest.approx(DEPTH, abs=0.02 * distance + 0.01)


def test_other_things_before_a_face_stay() -> None:
    inverse, face = scene(1.0)
    inverse[100:130, 150:158] = 1 / 0.6  # a finger
    made = with_relief(inverse, (face,), FOCAL)
    np.testing.assert_allclose(made[104:126, 152:156], 1 / 0.6, rtol=0.005)


def test_where_there_is_no_one_surface_nothing_changes() -> None:
    inverse, face = scene(1.0)
    mess = np.random.default_rng(0).uniform(0.1, 3, SHAPE).astype(np.float32)
    assert with_relief(mess, (face,), FOCAL) is mess
    assert with_relief(inverse, (), FOCAL) is inverse
    gone = np.full(SHAPE, np.nan, np.float32)
    assert with_relief(gone, (face,), FOCAL) is gone
    outside = face._replace(x=3.0)
    assert with_relief(inverse, (outside,), FOCAL) is inverse


def test_relief_stays_between_near_and_far() -> None:
    inverse, face = scene(1.0)
    depth = DepthMap((5 * inverse - 1).astype(np.float32), DepthKind.AFFINE_DISPARITY, "test", faces=(face,))
    settings = DepthSpec(near=0.8, far=6.0)
    shaped = shape_faces(to_metres(depth, settings, FOV), settings, FOV)
    assert shaped.kind is DepthKind.AFFINE_DISPARITY and shaped.values.max() == depth.values.max()
    inside = ellipse_radius(SHAPE, face) < 0.5
    low = DepthMap(depth.values.copy(), depth.kind, "test", faces=(face,))
    low.values[0, 0] = 5 / 0.7 - 1  # something nearer than the face leaves room for it
    shaped = shape_faces(to_metres(low, settings, FOV), settings, FOV)
    scaled = to_disparity(shaped, near=0.8, far=6.0)
    flat = to_disparity(low, near=0.8, far=6.0)
    assert float((scaled.d - flat.d)[inside].min()) > 0.02
    metric = to_metres(depth, DepthSpec(), FOV)
    assert float((shape_faces(metric, DepthSpec(), FOV).values - metric.values).max()) > 0.05
    plain = DepthMap(depth.values, depth.kind, "test")
    assert shape_faces(plain, settings, FOV) is plain
