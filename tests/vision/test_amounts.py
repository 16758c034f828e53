"""The right amount of a move: what a camera shows of sheets that are known, and the largest move that shows little that is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon import moves
from addon.spec import MOVES, MoveSpec
from addon.vision import amounts, coverage
from addon.vision.coverage import FACE, REST_POSE, SUBJECT, Pose, Shares, Sheet
from addon.vision.geometry import frame_photo, ray_map
from addon.vision.layered import PhotoCamera

SIZE = (160, 120)
CAMERA = PhotoCamera(50.0)
RAYS = ray_map(CAMERA, SIZE)
FILM = coverage.view(frame_photo(CAMERA, SIZE, SIZE), SIZE)
NOBODY = np.zeros((1, 1), np.uint8)


def stage_for(near: float, focus: float) -> moves.Stage:
    return moves.Stage(near, focus, RAYS.width, RAYS.height)


def sheet(z, *, ring: int = 24, where=None, **more) -> Sheet:
    """A sheet at z metres (number or H×W), as far as `ring` pixels past the border; where: bool H×W, where it is, with a ring of none."""
    w, h = SIZE
    q = np.broadcast_to(np.float32(1) / np.float32(z), (h, w)).astype(np.float32)
    if where is not None:
        q, ring = np.where(where, q, np.nan).astype(np.float32), 0
    q = np.pad(q, ring, mode="edge")
    u, v = (np.arange(-ring, w + ring) + 0.5) / w, 1 - (np.arange(-ring, h + ring) + 0.5) / h
    tx, ty = RAYS.uv_to_ray(u, v)
    cells = (q.shape[0] - 1, q.shape[1] - 1)
    lines = [a.astype(np.float32) for a in (tx, ty, u, v)]
    return replace_sheet(Sheet(*lines, q, np.zeros(q.shape, bool), np.ones(cells, bool), np.zeros(cells, np.float32)), more)


def replace_sheet(made: Sheet, more: dict) -> Sheet:
    return made._replace(**more)


def square(side: float = 0.4) -> np.ndarray:
    w, h = SIZE
    x, y = np.meshgrid(np.arange(w), np.arange(h))
    return (abs(x - w / 2) < side * h / 2) & (abs(y - h / 2) < side * h / 2)


def wall_behind_square(near: float, far: float, kinds=NOBODY, side: float = 0.4) -> coverage.Relief:
    """A square before a wall that goes on behind it, where the photo does not show it."""
    where = square(side)
    wall = sheet(far)
    hidden = np.zeros_like(wall.hidden)  # of no face at the rim, or it would be seen at rest
    hidden[24 : 23 + SIZE[1], 24 : 23 + SIZE[0]] = where[1:, 1:] & where[1:, :-1] & where[:-1, 1:] & where[:-1, :-1]
    front = sheet(near, where=where)
    return made([front, wall._replace(hidden=hidden)], np.where(where, near, far), kinds)


def made(sheets, z, kinds=NOBODY) -> coverage.Relief:
    w, h = SIZE
    tx, ty = RAYS.uv_to_ray((np.arange(w) + 0.5) / w, 1 - (np.arange(h) + 0.5) / h)
    rows, columns = np.arange(h) * kinds.shape[0] // h, np.arange(w) * kinds.shape[1] // w
    q = (1 / np.broadcast_to(np.float32(z), (h, w))).astype(np.float32)
    return coverage.relief(sheets, amounts.sampled(tx, ty, q, kinds[rows[:, None], columns]), kinds, RAYS)


def amount_of(scene: coverage.Relief, move: str, stage: moves.Stage, flaws: float = 1.0, film=FILM, **more) -> amounts.Found:
    asked = MoveSpec(name=move, frames=12, flaws=flaws, **more)
    return amounts.largest(amounts.looked_at(scene), film, asked, stage, amounts.limits(flaws))


# What is seen ------------------------------------------------------------------------------------------------------------


def test_at_rest_nothing_is_amiss():
    assert coverage.shares(wall_behind_square(1.0, 4.0), FILM, REST_POSE) == Shares()


@given(st.floats(-0.1, 0.1), st.floats(-0.08, 0.08), st.floats(1, 8))
@settings(max_examples=25, deadline=None)
def test_a_flat_picture_shows_what_lies_past_its_border_as_geometry_has_it(right, up, z):
    found = coverage.shares(made([sheet(z)], z), FILM, Pose((right * z, up * z, 0.0), (0.0, 0.0, 0.0)))
    inside = max(0, 1 - abs(right) / RAYS.width) * max(0, 1 - abs(up) / RAYS.height)
    assert found.outside == pytest.approx(1 - inside, abs=0.012)
    assert found.stretched == found.revealed == found.uncovered == 0
    assert found.photo_lost == pytest.approx(1 - inside, abs=0.03)


@given(st.floats(-12, 12), st.floats(-9, 9), st.floats(-15, 15))
@settings(max_examples=25, deadline=None)
def test_turning_shows_what_a_homography_shows(tilt, pan, roll):
    turn = coverage.rotation_matrix((tilt, pan, roll))
    found = coverage.shares(made([sheet(2.0, ring=80)], 2.0), FILM, Pose((0.0, 0.0, 0.0), (tilt, pan, roll)))
    w, h = FILM.size
    x = ((np.arange(w) + 0.5) / w - 0.5) * RAYS.width
    y = (0.5 - (np.arange(h) + 0.5) / h) * RAYS.height
    rays = np.stack([*np.meshgrid(x, y), -np.ones((h, w))], -1) @ turn.T
    u, v = rays[..., 0] / -rays[..., 2] / RAYS.width, rays[..., 1] / -rays[..., 2] / RAYS.height
    assert found.outside == pytest.approx(float(((abs(u) > 0.5) | (abs(v) > 0.5)).mean()), abs=0.012)
    assert found.stretched == 0 and found.uncovered == 0


def test_what_a_square_uncovers_is_as_wide_as_it_has_slid():
    near, far, right = 1.0, 4.0, 0.05
    found = coverage.shares(wall_behind_square(near, far), FILM, Pose((right, 0.0, 0.0), (0.0, 0.0, 0.0)))
    slid = right * (1 / near - 1 / far) / RAYS.width
    assert found.revealed == pytest.approx(slid * 0.4, rel=0.15)
    assert found.uncovered == 0 and found.stretched == 0


def test_a_hole_is_uncovered():
    where = square()
    wall = sheet(4.0)
    shown = np.ones_like(wall.shown)
    shown[24 : 24 + SIZE[1], 24 : 24 + SIZE[0]] = ~where
    scene = made([sheet(1.0, where=where), wall._replace(shown=shown)], np.where(where, 1.0, 4.0))
    found = coverage.shares(scene, FILM, Pose((0.05, 0.0, 0.0), (0.0, 0.0, 0.0)))
    assert found.uncovered == pytest.approx(0.05 * 0.75 / RAYS.width * 0.4, rel=0.2) and found.revealed == 0


@pytest.mark.parametrize("finer", [1, 3])
def test_one_sheet_stretches_by_as_much_however_fine_it_is(finer, monkeypatch):
    monkeypatch.setattr(coverage, "MOST_VERTICES", 40_000 // finer**2)
    z = np.where(square(), 1.0, 4.0)
    right = 0.06
    found = coverage.shares(made([sheet(z)], z), FILM, Pose((right, 0.0, 0.0), (0.0, 0.0, 0.0)))
    slid = right * 0.75 / RAYS.width
    assert found.stretched == pytest.approx((slid + 1 / SIZE[0]) * 0.4, rel=0.2)
    assert found.uncovered == 0


def test_a_slope_is_stretched_where_the_camera_looks_along_it():
    """A plane that is seen twice as long as in the photo, or less."""
    w, h = SIZE
    q = np.linspace(0.2, 1.0, w, dtype=np.float32)[None, :].repeat(h, 0)
    slope = 0.8 / RAYS.width * w / (w - 1)  # of 1/z over the tangents: what is to the right is nearer
    for factor, stretched in ((0.9, False), (1.1, True)):
        found = coverage.shares(made([sheet(1 / q)], 1 / q), FILM, Pose((-factor / slope, 0.0, 0.0), (0.0, 0.0, 0.0)))
        assert (found.stretched > 0.05) == stretched


def test_the_sky_follows_the_camera():
    scene = made([sheet(1e4, endless=True)], 1e4)
    assert coverage.shares(scene, FILM, Pose((5.0, 3.0, 2.0), (0.0, 0.0, 0.0)))[:4] == (0, 0, 0, 0)


def test_a_camera_that_looks_back_sees_nothing():
    assert coverage.shares(made([sheet(2.0)], 2.0), FILM, Pose((0.0, 0.0, 0.0), (0.0, 120.0, 0.0))).uncovered == 1


def test_what_leaves_the_picture_is_counted_by_itself():
    kinds = np.zeros((12, 16), np.uint8)
    kinds[:, :4] = SUBJECT
    kinds[3:6, :4] = FACE
    found = coverage.shares(made([sheet(2.0)], 2.0, kinds), FILM, Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), zoom=0.5))
    assert found.faces_lost == 1 and found.subject_lost == 1
    assert found.photo_lost == pytest.approx(0.75, abs=0.03)


# The amount --------------------------------------------------------------------------------------------------------------


def test_a_flat_picture_is_limited_by_its_border_alone():
    scene = made([sheet(3.0)], 3.0)
    for move in ("truck", "pedestal", "pan", "tilt", "roll", "orbit"):
        found = amount_of(scene, move, stage_for(3.0, 3.0))
        assert found.limit in ("outside", "", "uncovered") and found.shares.revealed == 0, (move, found)
    # 4 % of the film is a truck of 4 % of the width at amount 1.
    assert amount_of(scene, "truck", stage_for(3.0, 3.0)).amount == pytest.approx(0.95, abs=0.06)


def test_the_more_the_depths_differ_the_smaller_it_is():
    stage = stage_for(1.0, 2.0)
    found = [amount_of(wall_behind_square(1.0, far, side=0.9), "truck", stage, direction=90.0).amount for far in (1.2, 1.6, 3.0, 12.0)]
    revealed = [
        coverage.shares(wall_behind_square(1.0, far, side=0.9), FILM, Pose((0.0, 0.04, 0.0), (0.0, 0.0, 0.0))).revealed
        for far in (1.2, 1.6, 3.0, 12.0)
    ]
    assert revealed == sorted(revealed) and revealed[0] < revealed[-1]
    orbits = [amount_of(wall_behind_square(1.0, far, side=0.9), "orbit", stage).amount for far in (1.2, 1.6, 3.0, 12.0)]
    assert all(0 < amount <= amounts.MOST for amount in found + orbits)


def test_one_sheet_allows_less_the_more_the_depths_differ():
    stage = stage_for(1.0, 2.0)
    found = []
    for far in (1.3, 1.8, 3.0, 12.0):
        z = np.where(square(0.9), 1.0, far)
        found.append(amount_of(made([sheet(z)], z), "truck", stage).amount)
    assert found == sorted(found, reverse=True) and found[-1] < found[0]


@given(st.sampled_from([m[0] for m in MOVES]), st.floats(0.8, 1.5), st.floats(1.2, 6), st.floats(0.2, 4), st.floats(0, 0.1))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_limits_are_kept_at_every_frame(move, near, more, flaws, crop):
    far = near * more
    scene = wall_behind_square(near, far)
    film = coverage.view(frame_photo(CAMERA, SIZE, SIZE, crop), SIZE)
    stage = stage_for(near, far)
    asked = MoveSpec(name=move, frames=12, flaws=flaws)
    measure = amounts.looked_at(scene)
    limits = amounts.limits(flaws)
    found = amounts.largest(measure, film, asked, stage, limits)
    shot = amounts.planned(asked, stage, found.amount)

    def pixel(name):
        """What one pixel of the small film is of a limit: shares are no finer than that."""
        return 1 / (film.size[0] * film.size[1]) / getattr(limits, name) if name else 0

    for pose in coverage.poses(shot, stage, 12):
        most, name = amounts.excess(measure(film, pose), limits)
        assert most <= 1.05 + pixel(name), (found, pose)  # between the eight poses that are looked at there may be a little more
    if found.limit and found.amount:  # and hardly more would do
        worse = amounts.worst(
            measure(film, pose) for pose in coverage.poses(amounts.planned(asked, stage, 1.2 * found.amount + 0.02), stage, 12)
        )
        most, name = amounts.excess(worse, limits)
        assert most > 0.9 - pixel(name), found


@given(st.sampled_from(["truck", "orbit", "pan", "dolly-zoom"]), st.floats(0.3, 2), st.floats(1.1, 3))
@settings(max_examples=15, deadline=None)
def test_larger_limits_give_larger_amounts(move, flaws, more):
    scene, stage = wall_behind_square(1.0, 3.0), stage_for(1.0, 3.0)
    low, high = (amount_of(scene, move, stage, f).amount for f in (flaws, flaws * more))
    assert high >= low * 0.97


def test_a_face_makes_it_smaller_and_a_person_less_so():
    stage = stage_for(1.0, 2.0)
    found = []
    for kind in (FACE, SUBJECT, 0):
        kinds = np.full((12, 16), kind, np.uint8)
        z = np.where(square(0.6), 1.0, 3.0)
        found.append(amount_of(made([sheet(z)], z, kinds), "truck", stage).amount)
    assert found[0] < found[1] < found[2]


def test_a_face_stays_in_the_picture():
    kinds = np.zeros((60, 80), np.uint8)
    kinds[20:40, 60:76] = FACE
    near_border = amount_of(made([sheet(2.0)], 2.0, kinds), "zoom", stage_for(2.0, 2.0))
    assert near_border.limit == "faces_lost" and near_border.amount < amount_of(made([sheet(2.0)], 2.0), "zoom", stage_for(2.0, 2.0)).amount


def test_a_move_that_does_not_move_has_the_usual_amount():
    assert amount_of(wall_behind_square(1.0, 4.0), "static", stage_for(1.0, 4.0)) == amounts.Found(1.0, "", Shares())


def test_cropping_in_is_offered_and_helps():
    scene, stage = made([sheet(3.0)], 3.0), stage_for(3.0, 3.0)
    measure, limits, asked = amounts.looked_at(scene), amounts.limits(0.3), MoveSpec(name="pan", frames=12, flaws=0.3)

    def film_of(crop: float) -> coverage.View:
        return coverage.view(frame_photo(CAMERA, SIZE, SIZE, crop), SIZE)

    found = amounts.largest(measure, film_of(0.0), asked, stage, limits)
    assert found.limit == "outside" and found.amount < amounts.LITTLE
    sentence = amounts.advice(found, measure, film_of, 0.0, asked, stage, limits)
    crop = float(sentence.split("--crop ")[1].split(")")[0])
    assert amounts.largest(measure, film_of(crop), asked, stage, limits).amount > 1.3 * found.amount
    assert "--move push-in" in sentence and sentence.endswith(".")
    assert amounts.advice(found._replace(amount=1.0), measure, film_of, 0.0, asked, stage, limits) == ""


# Before there are layers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["truck", "orbit", "push-in", "circle"])
def test_the_plan_is_near_what_the_layers_allow_and_its_reserve_suffices(move):
    near, far = 1.0, 3.0
    where = square(0.6)
    d = where.astype(np.float32)
    stage = stage_for(near, far)
    asked = MoveSpec(name=move, frames=12)
    planned = amounts.plan_ahead(amounts.Depths(d, near, far, NOBODY, RAYS, 0.02, 0.15), FILM, asked, stage)
    found = amount_of(wall_behind_square(near, far, side=0.6), move, stage)
    assert planned.amount == pytest.approx(found.amount, rel=0.25)
    # As far as the camera looks behind the square, or past the border.
    shot = amounts.planned(asked, stage, found.amount)
    aside = max(np.hypot(pose.place[0], pose.place[1]) for pose in coverage.poses(shot, stage, 12))
    assert planned.reserve >= min(0.3, aside * (1 / near - 1 / far) / RAYS.width)


def test_the_reserve_grows_with_the_move():
    d = square(0.6).astype(np.float32)

    def reserve(flaws: float) -> float:
        given_ = amounts.Depths(d, 1.0, 3.0, NOBODY, RAYS, 0.02, 0.15)
        return amounts.plan_ahead(given_, FILM, MoveSpec(name="truck", frames=12, flaws=flaws), stage_for(1.0, 3.0)).reserve

    assert reserve(0.2) < reserve(1.0) <= reserve(4.0)


def test_poses_of_a_shot_take_zoom_and_offset_along():
    stage = stage_for(2.0, 4.0)
    asked = replace(MoveSpec(name="ken-burns", frames=9), end_center=(0.6, 0.5), end_size=0.5)
    last = coverage.poses(moves.plan(asked, stage), stage, 9)[-1]
    assert last.zoom == pytest.approx(0.5, rel=1e-3) and last.offset[0] == pytest.approx(0.1 * RAYS.width, rel=0.05)
    kinds = np.zeros((60, 80), np.uint8)
    kinds[20:40, 52:60] = FACE
    found = coverage.shares(made([sheet(2.0)], 2.0, kinds), FILM, last)
    assert found.faces_lost == 0 and found.photo_lost == pytest.approx(0.75, abs=0.03)
