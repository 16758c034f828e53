"""A move as F-curves: what Blender makes of the keys is what was planned."""

from __future__ import annotations

import math

import bpy
import pytest

from addon import moves
from addon.scene import camera as cameras
from addon.scene import compat
from addon.spec import CURVES, MOVES, MoveSpec
from addon.vision.geometry import Framing

pytestmark = pytest.mark.versions
STAGE = moves.Stage(2.0, 5.0, 0.9, 0.6, 0.05, -0.03, 0.1, 0.02)
PARTS = "orbit 20 amount=3 ease=in; zoom 12 hold=3; truck 14 direction=40 loop; swing 1s"


def framing(width=0.9, height=0.6):
    return Framing(0, 0, 100, 100 * height / width, width, height, STAGE.middle_x, STAGE.middle_y)


@pytest.fixture
def camera():
    scene = bpy.data.scenes.new("Move")
    root = bpy.data.objects.new("Root", None)
    scene.collection.objects.link(root)
    made = cameras.new_camera("Camera", root, scene.collection)
    cameras.frame_camera(made.data, framing(), 1.0, 20.0)
    cameras.remember_rest(made.data, STAGE.tan_width)
    yield made
    bpy.data.scenes.remove(scene)
    bpy.data.objects.remove(made)
    bpy.data.objects.remove(root)


def seen(camera, frame):
    """What the curves make of the camera, as the nine numbers of `moves.Channels`."""
    data = camera.data
    values = {(c.data_path, c.array_index): c.evaluate(frame) for c in compat.fcurves(camera) + compat.fcurves(data)}
    location = [values.get(("location", i), camera.location[i]) for i in range(3)]
    rotation = [math.degrees(values.get(("rotation_euler", i), camera.rotation_euler[i])) for i in range(3)]
    zoom = values.get(("lens", 0), data.lens) / data["stillscape_lens"]
    tangent = cameras.SENSOR / data["stillscape_lens"]
    shift = [values.get((f"shift_{axis}", 0), getattr(data, f"shift_{axis}")) for axis in "xy"]
    offset = [(s - rest * zoom) * tangent for s, rest in zip(shift, data["stillscape_shift"])]
    return (*location, *rotation, zoom, *offset)


def check(camera, shot):
    frames = [f / 4 for f in range(4, 4 * shot.frames + 8)]
    for frame in frames:
        planned = moves.channels_at_key(moves.key_at(shot, STAGE, frame), STAGE.tan_width)
        found = seen(camera, frame)
        assert moves.deviation(STAGE, moves.pose_of(planned), moves.pose_of(found)) < 2e-5, (frame, planned, found)


@pytest.mark.parametrize("name", [m[0] for m in MOVES])
def test_blender_goes_where_the_plan_says(camera, name):
    for more in ({}, {"loop": True, "amount": -2.5}, {"reverse": True, "delay": 4, "hold": 3, "ease": "out", "curve": "bezier"}):
        shot = moves.plan(MoveSpec(name=name, frames=31, **more), STAGE)
        cameras.animate(camera, shot)
        check(camera, shot)


@pytest.mark.parametrize("curve", [c[0] for c in CURVES])
@pytest.mark.parametrize("ease", ["in", "out", "in-out"])
def test_easings_are_blenders(camera, curve, ease):
    for name, amount in (("dolly-zoom", 1.0), ("orbit", 4.0)):  # two keys, several keys
        shot = moves.plan(MoveSpec(name=name, amount=amount, frames=40, ease=ease, curve=curve), STAGE)
        cameras.animate(camera, shot)
        check(camera, shot)
    shot = moves.plan(MoveSpec(name="push-in", frames=40, ease=ease, curve=curve), STAGE)
    cameras.animate(camera, shot)
    (points,) = [c.keyframe_points for c in compat.fcurves(camera) if c.array_index == 2]
    assert (len(points), points[0].interpolation) == (2, curve.upper())
    if curve != "bezier":
        assert points[0].easing == {"in": "EASE_IN", "out": "EASE_OUT", "in-out": "EASE_IN_OUT"}[ease]


def test_a_chain(camera):
    shot = moves.plan(MoveSpec(name="push-in", frames=16, then=PARTS), STAGE)
    cameras.animate(camera, shot)
    check(camera, shot)


def test_only_what_moves_is_keyed_and_what_the_artist_keyed_stays(camera):
    camera.keyframe_insert("scale", frame=1)
    driver = camera.data.driver_add("dof.aperture_fstop").driver
    driver.expression = "2.8"
    camera.data.keyframe_insert("dof.focus_distance", frame=3)
    for name, paths, lens in (
        ("zoom", set(), {"lens", "shift_x", "shift_y"}), ("truck", {"location"}, set()), ("static", set(), set()),
        ("dolly-zoom", {"location"}, {"lens", "shift_x", "shift_y"}), ("pan", {"rotation_euler"}, set()),
    ):  # fmt: skip
        cameras.animate(camera, moves.plan(MoveSpec(name=name), STAGE))
        assert {c.data_path for c in compat.fcurves(camera)} == {"scale", *paths}
        assert {c.data_path for c in compat.fcurves(camera.data)} == {"dof.focus_distance", *lens}
    assert camera.data.lens == camera.data["stillscape_lens"] and tuple(camera.location) == (0, 0, 0)
    assert len(camera.data.animation_data.drivers) == 1


def test_a_move_without_rest_leaves_no_animation(camera):
    before = len(bpy.data.actions)
    cameras.animate(camera, moves.plan(MoveSpec(name="dolly-zoom"), STAGE))
    assert len(bpy.data.actions) > before  # one for both, or one for each
    cameras.animate(camera, moves.plan(MoveSpec(name="static"), STAGE))
    assert camera.animation_data is None and camera.data.animation_data is None and len(bpy.data.actions) == before


@pytest.mark.parametrize("name", ["zoom", "ken-burns", "dolly-zoom"])
def test_a_zoom_goes_along_when_the_film_gets_another_size(camera, name):
    shot = moves.plan(MoveSpec(name=name, frames=20, loop=True), STAGE)
    cameras.animate(camera, shot)
    before = cameras.lens_state(camera.data)
    cameras.reframe(camera.data, framing(0.5, 0.6), 1.0, 20.0, STAGE.tan_width)  # portrait: the other side is fitted
    assert camera.data.sensor_fit == "VERTICAL"
    check(camera, shot)
    cameras.put_lens_back(camera.data, before)
    assert cameras.lens_state(camera.data) == before
    check(camera, shot)


def test_markers_are_replaced_but_for_those_that_were_moved():
    scene, root = bpy.data.scenes.new("Marked"), bpy.data.objects.new("Root", None)
    scene.timeline_markers.new("Mine", frame=7)
    cameras.mark(scene, root, moves.plan(MoveSpec(frames=16, then=PARTS), STAGE))
    found = [(m.name, m.frame) for m in scene.timeline_markers]
    assert found == [("Mine", 7), ("Push In", 1), ("Orbit", 17), ("Zoom", 37), ("Truck", 49), ("Swing", 63)]
    scene.timeline_markers["Zoom"].frame = 40
    cameras.mark(scene, root, moves.plan(MoveSpec(frames=16, then="truck"), STAGE))
    assert [(m.name, m.frame) for m in scene.timeline_markers] == [("Mine", 7), ("Zoom", 40), ("Push In", 1), ("Truck", 17)]
    cameras.mark(scene, root, moves.plan(MoveSpec(), STAGE))
    assert [m.name for m in scene.timeline_markers] == ["Mine", "Zoom"]
    bpy.data.scenes.remove(scene)
    bpy.data.objects.remove(root)
