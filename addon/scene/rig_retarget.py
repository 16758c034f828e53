"""A rigged person follows a Rigify rig: constraints from the shipped map of names, so that an action on one plays on the other.

Rotations are copied in the bones' own axes, turned into ours (Blender's "Local Space (Owner Orientation)"), so that rolls and rest poses
need not agree. Ways are scaled by the sizes of the faces.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import bpy
from mathutils import Vector

from ..errors import UsageError
from ..rigify_map import EYE_RADIUS, EYES, OUR_EYES, PAIRS

NAME = "Rigify"
"""How the constraints begin; only those are taken away again."""
_LARGEST_RATIO = 8.0


class Followed(NamedTuple):
    """What came of it. bones: of ours that follow now. missing: controls that the Rigify rig lacks, by the bones of ours that they would move."""

    bones: tuple[str, ...]
    missing: tuple[str, ...]


def follow(armature: bpy.types.Object, rigify: bpy.types.Object) -> Followed:
    """Let the rig of a person follow a Rigify rig, in place of one that it followed before.

    Raises UsageError if that is no rig of Rigify's with a face or body.
    """
    if rigify.type != "ARMATURE" or rigify == armature:
        raise UsageError(f"{rigify.name} is no Rigify rig; choose the armature that Rigify has generated.")
    theirs = {} if rigify.pose is None else rigify.pose.bones
    ours = armature.pose.bones
    found = [(pair, next((theirs[c] for c in pair.controls if c in theirs), None)) for pair in PAIRS if pair.bone in ours]
    if not any(control is not None and pair.kind in ("move", "gaze", "lid", "limb") for pair, control in found):
        raise UsageError(f"{rigify.name} has none of the controls of a generated Rigify rig; generate the rig from its metarig first.")
    unfollow(armature)
    ratio = face_ratio(armature, rigify)
    followed, missing = [], []
    for pair, control in found:
        if control is None:
            missing.append(pair.bone)
            continue
        _MAKERS[pair.kind](ours[pair.bone], rigify, control, ratio)
        followed.append(pair.bone)
    armature.update_tag()
    return Followed(tuple(followed), tuple(missing))


def unfollow(armature: bpy.types.Object) -> int:
    """Take away what `follow` has made; return how many constraints that were."""
    count = 0
    for bone in armature.pose.bones:
        for constraint in [c for c in bone.constraints if c.name.startswith(NAME)]:
            bone.constraints.remove(constraint)
            count += 1
    return count


def face_ratio(armature: bpy.types.Object, rigify: bpy.types.Object) -> float:
    """How large our face is against Rigify's, by the distance of the eyes; 1 where one of them has none."""
    sizes = []
    for o, names in ((armature, OUR_EYES), (rigify, EYES)):
        places = [o.data.bones[name].head_local for name in names if name in o.data.bones]
        sizes.append((places[0] - places[1]).length if len(places) == 2 else 0.0)
    return min(_LARGEST_RATIO, sizes[0] / sizes[1]) if min(sizes) > 1e-6 else 1.0


def _add(bone: bpy.types.PoseBone, kind: str, rigify: bpy.types.Object, control: bpy.types.PoseBone, number: int = 0) -> Any:
    """A constraint before those that limit the bone, so that the limits hold."""
    constraint: Any = bone.constraints.new(kind)
    constraint.name = f"{NAME} {control.name}"
    constraint.target, constraint.subtarget = rigify, control.name
    bone.constraints.move(len(bone.constraints) - 1, number)
    return constraint


def _turn(bone: bpy.types.PoseBone, rigify: bpy.types.Object, control: bpy.types.PoseBone, ratio: float) -> None:
    del ratio
    constraint = _add(bone, "COPY_ROTATION", rigify, control)
    constraint.owner_space, constraint.target_space = "LOCAL", "LOCAL_OWNER_ORIENT"
    constraint.mix_mode = "BEFORE"  # on top of what the bone does itself


def _move(bone: bpy.types.PoseBone, rigify: bpy.types.Object, control: bpy.types.PoseBone, ratio: float) -> None:
    # An influence ends at 1; a larger face adds the way up in several steps.
    left, number = ratio, 0
    while left > 1e-3:
        constraint = _add(bone, "COPY_LOCATION", rigify, control, number)
        constraint.owner_space, constraint.target_space = "LOCAL", "LOCAL_OWNER_ORIENT"
        constraint.use_offset = True
        constraint.influence = min(1.0, left)
        left, number = left - 1.0, number + 1


def _gaze(bone: bpy.types.PoseBone, rigify: bpy.types.Object, control: bpy.types.PoseBone, ratio: float) -> None:
    distances = []
    for o, names, target in ((bone.id_data, OUR_EYES, bone), (rigify, EYES, control)):
        places = [o.data.bones[name].head_local for name in names if name in o.data.bones]
        distances.append((target.bone.head_local - sum(places, Vector()) / len(places)).length if places else 0.0)
    _move(bone, rigify, control, min(_LARGEST_RATIO, distances[0] / distances[1]) if min(distances) > 1e-6 else ratio)


def _lid(bone: bpy.types.PoseBone, rigify: bpy.types.Object, control: bpy.types.PoseBone, ratio: float) -> None:
    """The lid's control goes up and down; the lid turns about the middle of the eyeball, on whose radius that way is an angle."""
    del ratio
    places = [rigify.data.bones[name].head_local for name in EYES if name in rigify.data.bones]
    radius = EYE_RADIUS * (places[0] - places[1]).length if len(places) == 2 else EYE_RADIUS * 0.063
    up = control.bone.matrix_local.to_3x3().transposed() @ Vector((0, 0, 1))
    source = max(range(3), key=lambda i: abs(up[i]))
    left = bone.bone.matrix_local.to_3x3().transposed() @ Vector((1, 0, 0))
    target = max(range(3), key=lambda i: abs(left[i]))
    # About the axis to the left, a positive angle turns what looks ahead down.
    sign = -math.copysign(1, up[source]) * math.copysign(1, left[target])
    constraint = _add(bone, "TRANSFORM", rigify, control)
    constraint.owner_space = constraint.target_space = "LOCAL"
    constraint.use_motion_extrapolate = True
    constraint.map_from, constraint.map_to = "LOCATION", "ROTATION"
    constraint.mix_mode_rot = "BEFORE"
    setattr(constraint, f"from_min_{'xyz'[source]}", -radius)
    setattr(constraint, f"from_max_{'xyz'[source]}", radius)
    for axis in "xyz":
        setattr(constraint, f"map_to_{axis}_from", "XYZ"[source])
    setattr(constraint, f"to_min_{'xyz'[target]}_rot", -sign)  # a radian for a radius
    setattr(constraint, f"to_max_{'xyz'[target]}_rot", sign)


_MAKERS = {"turn": _turn, "limb": _turn, "move": _move, "gaze": _gaze, "lid": _lid}
