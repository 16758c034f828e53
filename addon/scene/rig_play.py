"""Clips of a rigged person as F-curves: sliders and bones, within what the bones' limits allow."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import bpy
from mathutils import Vector

from ..errors import InputError, UsageError
from ..rig_actions import ACTIONS, Channel, Clip, clip, pose
from ..vision.files import shown, write_atomically
from . import compat

BASE = "base"
"""The bone by which a rig of ours is known: every one has it, and it never moves."""
_MADE = "stillscape_action"
"""Custom property of an action that we made as an asset: its name and form."""
_ROTATIONS = {"turn": (0.0, 0.0, 1.0), "nod": (1.0, 0.0, 0.0), "tilt": (0.0, -1.0, 0.0)}
"""In the axes of a face that looks along -y: about which a positive angle turns as `rig_actions.Channel` says."""
_WAYS = {"left": (1.0, 0.0, 0.0), "up": (0.0, 0.0, 1.0), "out": (0.0, -1.0, 0.0)}
_FACE_AHEAD = 0.5  # metres: how far the gaze's target is taken to be where the eyes are missing


class Property(NamedTuple):
    """An animated number of the armature object: path, index (0 for single numbers), how much of it one unit of a channel is, and the
    least and most that it may be."""

    path: str
    index: int
    scale: float
    low: float = -math.inf
    high: float = math.inf


def is_rig(o: bpy.types.Object) -> bool:
    """Whether an object is the armature of a rigged person."""
    return o.type == "ARMATURE" and BASE in o.data.bones


def rigs_under(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The rigged people of a photo, by name."""
    return sorted((o for o in root.children if is_rig(o)), key=lambda o: o.name)


def property_of(armature: bpy.types.Object, channel: Channel) -> Property | None:
    """What a channel animates; None if this rig has nothing of the kind, or has it locked."""
    if not channel.bone:
        return Property(f'["{channel.name}"]', 0, 1.0, 0.0, 1.0) if channel.name in armature else None
    bone = armature.pose.bones.get(channel.bone)
    if bone is None:
        return None
    if channel.bone == "eyes":
        return _gaze(armature, bone, channel.name)
    rotation = channel.name in _ROTATIONS
    axis, sign = _nearest_axis(bone, (_ROTATIONS if rotation else _WAYS)[channel.name])
    return _within_limits(bone, axis, sign, rotation=rotation)


def _gaze(armature: bpy.types.Object, target: bpy.types.PoseBone, name: str) -> Property | None:
    """The way of the eyes' target for an angle of the gaze; for the angles of an eye its tangent is near enough."""
    if name not in ("turn", "nod"):
        return None
    eyes = [b.head_local for b in (armature.data.bones.get(f"eye.{side}") for side in "LR") if b is not None]
    middle = sum(eyes, Vector()) / len(eyes) if eyes else None
    distance = (target.bone.head_local - middle).length if middle is not None else _FACE_AHEAD
    axis, sign = _nearest_axis(target, _WAYS["left" if name == "turn" else "up"])
    return _within_limits(target, axis, sign * distance * (1 if name == "turn" else -1), rotation=False)


def _nearest_axis(bone: bpy.types.PoseBone, way: tuple[float, float, float]) -> tuple[int, int]:
    """Which local axis of a bone points most along `way`, given in the armature's axes, and whether with it or against it."""
    shares = bone.bone.matrix_local.to_3x3().transposed() @ Vector(way)
    axis = max(range(3), key=lambda i: abs(shares[i]))
    return axis, 1 if shares[axis] >= 0 else -1


def _within_limits(bone: bpy.types.PoseBone, axis: int, scale: float, *, rotation: bool) -> Property | None:
    if (bone.lock_rotation if rotation else bone.lock_location)[axis]:
        return None
    low, high = -math.inf, math.inf
    for constraint in bone.constraints:
        if constraint.type == ("LIMIT_ROTATION" if rotation else "LIMIT_LOCATION") and constraint.owner_space == "LOCAL":
            low, high = _narrowed(constraint, "xyz"[axis], low, high, rotation=rotation)
    path = "rotation_euler" if rotation else "location"
    return Property(f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{path}', axis, float(scale), low, high)


def _narrowed(constraint: Any, axis: str, low: float, high: float, *, rotation: bool) -> tuple[float, float]:
    uses = (f"use_limit_{axis}",) * 2 if rotation else (f"use_min_{axis}", f"use_max_{axis}")
    if getattr(constraint, uses[0]):
        low = max(low, getattr(constraint, f"min_{axis}"))
    if getattr(constraint, uses[1]):
        high = min(high, getattr(constraint, f"max_{axis}"))
    return low, high


def play(armature: bpy.types.Object, one: Clip, *, start: int = 1) -> int:
    """Key a clip on a rig from frame `start` on, in place of what its channels did in those frames; return how many channels it moved.

    What the artist keyed before and after stays. Raises UsageError if the rig has none of the clip's channels.
    """
    values = _values(armature, one)
    if one.curves and not values:
        raise UsageError(f"{armature.name} has no bone or slider that {one.name} moves; rig the face, or choose another action.")
    action = compat.own_action(armature, f"{armature.name} Action")
    for place, (keys, smooth) in values.items():
        _set_rotation_mode(armature, place)
        curve = compat.fcurve_of(armature, action, place.path, place.index, group=_group(place))
        _replace_keys(curve, [(frame + start - 1, value) for frame, value in keys], smooth)
    armature.update_tag()
    return len(values)


def _values(armature: bpy.types.Object, one: Clip) -> dict[Property, tuple[list[tuple[float, float]], bool]]:
    """The keys of every property that a clip moves on this rig, within its limits."""
    found: dict[Property, tuple[list[tuple[float, float]], bool]] = {}
    for curve in one.curves:
        place = property_of(armature, curve.channel)
        if place is not None:
            keys = [(frame, min(place.high, max(place.low, value * place.scale))) for frame, value in curve.keys]
            found[place] = (keys, curve.smooth)
    return found


def _set_rotation_mode(armature: bpy.types.Object, place: Property) -> None:
    if place.path.endswith("rotation_euler"):
        bone = armature.path_resolve(place.path.removesuffix(".rotation_euler"))
        if bone.rotation_mode in ("QUATERNION", "AXIS_ANGLE"):
            bone.rotation_mode = "YXZ"  # of a head that turns: first the turn, then the nod


def _group(place: Property) -> str:
    return "Sliders" if place.path.startswith("[") else place.path.split('"')[1]


def _replace_keys(curve: bpy.types.FCurve, keys: Iterable[tuple[float, float]], smooth: bool) -> None:
    keys = sorted(keys)
    points = curve.keyframe_points
    first, last = keys[0][0], keys[-1][0]
    for i in reversed([i for i, p in enumerate(points) if first - 0.5 <= p.co[0] <= last + 0.5]):
        points.remove(points[i], fast=True)
    count = len(points)
    points.add(len(keys))
    for point, (frame, value) in zip(list(points)[count:], keys):
        point.co = (frame, value)
        point.interpolation = "BEZIER" if smooth else "LINEAR"
        point.handle_left_type = point.handle_right_type = "AUTO_CLAMPED"
    curve.update()


# Assets


CATALOGS = {
    "Stillscape/Poses": "5b0e2c3e-6a53-4c7c-9a3f-3b7a0d3f8d11",
    "Stillscape/Clips": "b9d3b7d8-2f0b-4b34-8a52-7a6a3b9f3c52",
}
"""Catalogs of the asset browser, by path."""


CATALOG_FILE = "blender_assets.cats.txt"


def catalog_text(before: str | None = None) -> str:
    """What `CATALOG_FILE` beside a .blend file must hold for our poses and clips to stand in catalogs of their own.

    before: what it holds now, all of which stays; None: it is not there. Raises ValueError for a file of another version.
    """
    lines = {identifier: f"{identifier}:{path}:{path.replace('/', '-')}" for path, identifier in CATALOGS.items()}
    if before is None:
        return "\n".join(["# Asset catalogs of Blender.", "", "VERSION 1", "", *lines.values(), ""])
    there = before.splitlines()
    version = next((line.strip() for line in there if line.strip() and not line.startswith("#")), "")
    if version != "VERSION 1":
        raise ValueError(f"its catalogs are of {version or 'no version'}")
    known = {line.partition(":")[0].strip() for line in there}
    missing = [line for identifier, line in lines.items() if identifier not in known]
    return "\n".join([before.rstrip("\n"), *missing, ""]) if missing else before


def write_catalogs(folder: Path) -> bool:
    """Add our catalogs to the catalog file of a folder, or make one; return whether anything was missing.

    Raises InputError if there is one that is not to be understood, StorageError if it cannot be written.
    """
    path = folder / CATALOG_FILE
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else None
        text = catalog_text(before)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is one
        raise InputError(
            f"{shown(path)}: cannot be added to ({error}); move it away, or add the catalogs of Stillscape in the Asset Browser."
        ) from error
    if text == before:
        return False
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8") and None)
    return True


def make_assets(armature: bpy.types.Object, fps: float, *, amount: float = 1.0) -> list[bpy.types.Action]:
    """Every ready action as a pose and as a clip in the asset browser, once for each file: those that are there are left as they are.

    They fit every rig of ours, whose bones and sliders have the same names; limits are those of `armature`.
    """
    there = {action.get(_MADE) for action in bpy.data.actions}
    made = []
    for name, action in ACTIONS.items():
        for form in ("Pose", "Clip"):
            key = json.dumps([name, form])
            if key in there:
                continue
            if form == "Clip":
                one = clip(name, round(action.seconds * fps) + 1, fps, amount=amount)
            else:
                one = Clip(name, 1, clip(name, 1, fps, amount=amount).curves)
            values = _values(armature, one)
            if values:
                made.append(_asset(armature, f"{action.label} {form}", key, form, values))
    return made


def _asset(armature: bpy.types.Object, name: str, key: str, form: str, values: dict[Property, Any]) -> bpy.types.Action:
    action = compat.new_action(name, armature)
    for place, (keys, smooth) in values.items():
        curve = compat.fcurve_of(armature, action, place.path, place.index, group=_group(place))
        _replace_keys(curve, keys, smooth)
    action[_MADE] = key
    action.asset_mark()
    data = action.asset_data
    data.catalog_id = CATALOGS[f"Stillscape/{form}s"]
    data.description = (
        f"{name.removesuffix(f' {form}')}: {'one pose' if form == 'Pose' else 'a moving clip'} for people rigged by Stillscape"
    )
    data.tags.new("Stillscape", skip_if_exists=True)
    return action


def pose_now(armature: bpy.types.Object, name: str, amount: float = 1.0) -> int:
    """Put a rig into the pose of an action at its height, without a keyframe; return how many channels it moved."""
    moved = 0
    for channel, value in pose(name, amount).items():
        place = property_of(armature, channel)
        if place is None:
            continue
        value = min(place.high, max(place.low, value * place.scale))
        _set_rotation_mode(armature, place)
        if place.path.startswith("["):
            armature[channel.name] = value
        else:
            owner, _, name_of = place.path.rpartition(".")
            getattr(armature.path_resolve(owner), name_of)[place.index] = value
        moved += 1
    armature.update_tag()
    return moved
