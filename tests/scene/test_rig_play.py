"""Clips on a rig: which bones move which way, limits, keys that stay, and assets."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import pytest
from mathutils import Vector

from addon.errors import UsageError
from addon.rig_actions import ACTIONS, Channel, Clip, Curve, chain, clip
from addon.scene import compat, rig_play
from tests.scene.rig_armature import TURN, make_armature

pytestmark = pytest.mark.versions
FPS = 24.0


@pytest.fixture
def rig() -> bpy.types.Object:
    return make_armature()


def at(frame: int) -> None:
    bpy.context.scene.frame_set(frame)
    bpy.context.view_layer.update()


def facing(rig: bpy.types.Object, bone: str = "head") -> Vector:
    """Where what looked along -y looks now."""
    posed = rig.pose.bones[bone]
    turned = posed.matrix.to_3x3() @ posed.bone.matrix_local.to_3x3().inverted()
    return turned @ Vector((0, -1, 0))


def test_a_turn_goes_to_the_subjects_left_and_a_nod_down(rig):
    for name, value, where in (("turn", 0.2, (1, 0)), ("nod", 0.2, (0, -1)), ("tilt", 0.2, (0, 0))):
        rig_play.play(rig, Clip(name, 3, (Curve(Channel("head", name), ((1, 0), (3, value))),)))
        at(3)
        seen = facing(rig)
        assert (seen.x, seen.z) == pytest.approx([math.sin(0.2) * w for w in where], abs=1e-4)
        if name == "tilt":  # what was up leans to the subject's right, which is the left of the picture
            turned = rig.pose.bones["head"].matrix.to_3x3() @ rig.pose.bones["head"].bone.matrix_local.to_3x3().inverted()
            assert (turned @ Vector((0, 0, 1))).x == pytest.approx(-math.sin(0.2), abs=1e-4)
        at(1)
        assert facing(rig).y == pytest.approx(-1, abs=1e-6)
        rig_play.play(rig, Clip(name, 3, (Curve(Channel("head", name), ((1, 0), (3, 0))),)))


def test_the_gaze_turns_as_told(rig):
    rig_play.play(
        rig, Clip("look", 2, (Curve(Channel("eyes", "turn"), ((1, 0), (2, 0.2))), Curve(Channel("eyes", "nod"), ((1, 0), (2, 0.1)))))
    )
    at(2)
    bones = rig.pose.bones
    away = bones["eyes"].head - (bones["eye.L"].head + bones["eye.R"].head) / 2
    assert away.x / -away.y == pytest.approx(0.2, rel=0.01) and away.z / -away.y == pytest.approx(-0.1, rel=0.01)


def test_breathing_in_lifts_both_shoulders(rig):
    rig_play.play(rig, clip("breathe", 97, FPS))
    at(42)
    for side in "LR":
        bone = rig.pose.bones[f"shoulder.{side}"]
        rest = bone.bone.tail_local - bone.bone.head_local
        assert (bone.tail - bone.head).z - rest.z > 0.002
    assert rig.pose.bones["chest"].head.z > rig.pose.bones["chest"].bone.head_local.z + 0.002


def test_the_limits_of_the_bones_hold(rig):
    rig_play.play(rig, clip("turn", 97, FPS, amount=6.0))
    curve = next(c for c in compat.fcurves(rig) if '"head"' in c.data_path)
    values = [point.co[1] for point in curve.keyframe_points]
    assert max(values) == pytest.approx(TURN) and min(values) == pytest.approx(-TURN)
    rig.pose.bones["chest"].lock_location = (True, True, True)
    assert rig_play.property_of(rig, Channel("chest", "up")) is None and rig_play.property_of(rig, Channel("chest", "nod")) is not None


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_moves_the_rig_and_ends_as_it_began(rig, name):
    frames = 73
    assert rig_play.play(rig, clip(name, frames, FPS, seed=1)) >= 2

    def state() -> list[float]:
        bones = [value for bone in rig.pose.bones for value in (*bone.location, *bone.rotation_euler)]
        return bones + [rig[name] for name in rig.keys() if isinstance(rig[name], float)]

    at(1)
    first = state()
    assert max(map(abs, first)) < 1e-6
    most = 0.0
    for frame in range(2, frames):
        at(frame)
        most = max(most, max(map(abs, state())))
    at(frames)
    assert max(map(abs, state())) < 1e-6 and most > 0.003


def test_keys_of_the_artists_before_and_after_stay(rig):
    rig["jawOpen"] = 0.5
    rig.keyframe_insert('["jawOpen"]', frame=1)
    rig.keyframe_insert('["jawOpen"]', frame=100)
    rig.keyframe_insert('["jawOpen"]', frame=30)
    rig_play.play(rig, clip("surprise", 50, FPS), start=20)
    curve = next(c for c in compat.fcurves(rig) if c.data_path == '["jawOpen"]')
    frames = [point.co[0] for point in curve.keyframe_points]
    assert frames[0] == 1 and frames[-1] == 100 and 20 in frames and 69 in frames and frames == sorted(frames)
    assert curve.evaluate(30) > 0.2 and curve.evaluate(100) == pytest.approx(0.5)
    assert len([c for c in compat.fcurves(rig) if c.data_path == '["jawOpen"]']) == 1


def test_a_rig_without_any_of_the_channels_says_so():
    data = bpy.data.armatures.new("Bare")
    bare = bpy.data.objects.new("Bare", data)
    with pytest.raises(UsageError, match="Bare has no bone or slider that blink moves"):
        rig_play.play(bare, clip("blink", 24, FPS))
    assert not rig_play.is_rig(bare) and rig_play.is_rig(make_armature())


def test_assets_are_made_once_and_fit_the_rig(rig, tmp_path: Path):
    made = rig_play.make_assets(rig, FPS)
    assert len(made) == 2 * len(ACTIONS) and all(a.asset_data is not None for a in made)
    assert {a.name for a in made} >= {"Blink Pose", "Blink Clip", "Slow Smile Pose"}
    assert rig.animation_data is None or rig.animation_data.action is None
    assert rig_play.make_assets(rig, FPS) == []
    assert {a.asset_data.catalog_id for a in made} == set(rig_play.CATALOGS.values())
    smile = next(a for a in made if a.name == "Slow Smile Pose")
    rig.pose.apply_pose_from_action(smile)
    assert rig["mouthSmileLeft"] > 0.6
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "assets.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "assets.blend"))
    assert "Look Left Clip" in bpy.data.actions and bpy.data.actions["Look Left Clip"].asset_data is not None


def test_an_asset_that_is_assigned_is_not_changed_by_playing(rig):
    blink = next(a for a in rig_play.make_assets(rig, FPS) if a.name == "Blink Clip")
    rig.animation_data_create().action = blink
    if hasattr(blink, "slots"):
        rig.animation_data.action_slot = blink.slots[0]
    rig_play.play(rig, clip("slow-smile", 40, FPS))
    assert rig.animation_data.action != blink and rig.animation_data.action.asset_data is None
    paths = {c.data_path for c in compat.fcurves(rig)}
    assert '["eyeBlinkLeft"]' in paths and '["mouthSmileLeft"]' in paths


def test_a_chain_is_played_one_after_the_other(rig):
    rig_play.play(rig, chain("slow-smile; surprise", 120, FPS))
    at(40)
    assert rig["mouthSmileLeft"] > 0.5 and rig["eyeWideLeft"] == pytest.approx(0, abs=1e-6)
    at(95)
    assert rig["mouthSmileLeft"] == pytest.approx(0, abs=1e-6) and rig["eyeWideLeft"] > 0.3


def test_a_pose_without_keys(rig):
    assert rig_play.pose_now(rig, "surprise") > 4
    assert rig["jawOpen"] > 0.2 and (rig.animation_data is None or rig.animation_data.action is None)


def test_the_catalog_file_is_one_of_blenders():
    lines = rig_play.catalog_text().splitlines()
    assert "VERSION 1" in lines and all(line.count(":") == 2 for line in lines if ":" in line)
