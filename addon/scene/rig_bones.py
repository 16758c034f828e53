"""The armature of a rigged subject: bones at rest, and how an animator meets them.

What needs edit mode is written here and called from rig.py, which alone may switch modes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import bpy
from mathutils import Matrix, Vector

from ..rig_map import SOFT
from ..vision.rigging import Bone
from .rig_keys import face_size
from .rig_shapes import shapes

COLLECTIONS = ("Face", "Eyes", "Mouth", "Body", "Mechanism")
AIM = "eye_aim"
TARGET = "eye_target"
REST = "eye_rest"
FOLLOW = "Eyes Follow"
"""Custom property of the armature object: how much the eyes look at the bone `eyes`."""
MADE_REST = "stillscape_rest"
MADE_LIMITS = "stillscape_limits"
ROTATION, LOCATION, LOOK = "Stillscape Rotation", "Stillscape Location", "Stillscape Look"
GAZE = "Stillscape Gaze"
"""Of an eye: holds what the aim and the eye's own turn come to within the eye's limits."""
_SAME = 1e-5  # metres
_SAME_TURN = 1e-3  # radians
_CHANNELS = ("x", "y", "z")
_NEAREST = 0.05  # metres from an eye to what it is to look at, at least
_COLOURS = {"L": "THEME04", "R": "THEME01", "": "THEME09", "body": "THEME03"}
_SHAPES: dict[str, tuple[str, float]] = {
    "root": ("square", 0.18),
    "head": ("circle", 0.12),
    "neck": ("circle", 0.08),
    "chest": ("circle", 0.16),
    "spine": ("circle", 0.15),
    "jaw": ("circle", 0.03),
    "eyes": ("target", 0.045),
    "eye": ("flat circle", 0.014),
    "lid": ("line", 0.012),
    "shoulder": ("circle", 0.06),
    "upper_arm": ("circle", 0.07),
    "forearm": ("circle", 0.06),
    "hand": ("circle", 0.06),
    "thigh": ("circle", 0.1),
    "shin": ("circle", 0.08),
    "foot": ("circle", 0.07),
}
"""By the first part of a bone's name: kind and radius in metres on an adult. Soft bones are small spheres."""
_SOFT_RADIUS = 0.004
_ORDERS = {"eye": "XYZ", "jaw": "XYZ", "lid": "XYZ"}
"""Rotation orders; the others turn about their own length, then nod, then tilt."""


def with_aims(bones: Sequence[Bone]) -> list[Bone]:
    """The bones, and what lets each eye look at the bone `eyes`.

    For each eye there is a point that goes with `eyes`, straight before that eye at rest, so that looking at it changes nothing then;
    and a bone between the head and the eye that turns to it. The eye itself stays free to be turned on top of that; a third one, which
    stays as the eye is at rest, is what both together are measured from.
    """
    by_name = {b.name: b for b in bones}
    result = list(bones)
    target = by_name.get("eyes")
    if target is None:
        return result
    for side in "LR":
        eye = by_name.get(f"eye.{side}")
        if eye is None or f"{AIM}.{side}" in by_name:
            continue
        head, tail = Vector(eye.head), Vector(eye.tail)
        ahead = (tail - head).normalized()
        away = max((Vector(target.head) - head).dot(ahead), _NEAREST)
        point = head + ahead * away
        result.append(
            Bone(f"{TARGET}.{side}", tuple(point), tuple(point + ahead * 0.01), eye.z_axis, "eyes", deform=False, collection="Mechanism")
        )
        # Inherits the eye's limits: what turns the eye must not turn it farther than it goes.
        result.append(
            Bone(f"{AIM}.{side}", eye.head, eye.tail, eye.z_axis, eye.parent, deform=False, collection="Mechanism", limits=dict(eye.limits))
        )
        result.append(Bone(f"{REST}.{side}", eye.head, eye.tail, eye.z_axis, eye.parent, deform=False, collection="Mechanism"))
        own = Bone(eye.name, eye.head, eye.tail, eye.z_axis, f"{AIM}.{side}", False, eye.deform, eye.collection, eye.limits)
        result[result.index(eye)] = own
    return result


def write_bones(data: bpy.types.Armature, bones: Sequence[Bone]) -> None:
    """Bring an armature in edit mode to `bones`. Raises ValueError that names a bone without a length or with an unknown parent.

    On one that has bones already: those of ours take their new places, keeping what an artist has moved them by; an artist's own go
    along with the bone of ours that they hang on; those of ours that are no longer wanted go.
    """
    names = {b.name for b in bones}
    for b in bones:
        if (Vector(b.tail) - Vector(b.head)).length < 1e-5:
            raise ValueError(f"the bone {b.name} has no length")
        if b.parent is not None and b.parent not in names:
            raise ValueError(f"the bone {b.name} has no parent {b.parent}")
    edit = data.edit_bones
    before = {eb.name: eb.matrix.copy() for eb in edit}
    theirs = {eb.name: (eb.head.copy(), eb.tail.copy(), eb.z_axis.copy()) for eb in edit if MADE_REST not in eb}
    for eb in [eb for eb in edit if MADE_REST in eb and eb.name not in names]:
        edit.remove(eb)
    for eb in edit:
        if MADE_REST in eb:
            eb.use_connect = False
    for b in bones:
        eb = edit.get(b.name)
        kept: Any = None if eb is None else eb.get(MADE_REST)
        if eb is None or kept is None:
            eb = eb or edit.new(b.name)
            _place(eb, Vector(b.head), Vector(b.tail), Vector(b.z_axis))
        else:
            made = [float(n) for n in kept]
            moved = [at - Vector(made[i : i + 3]) for i, at in ((0, eb.head.copy()), (3, eb.tail.copy()))]
            by_hand = max(v.length for v in moved) > _SAME
            z = eb.z_axis.copy()
            rolled = z.angle(Vector(made[6:9]), 0.0) > _SAME_TURN
            head, tail = (Vector(at) + (v if by_hand else Vector()) for at, v in zip((b.head, b.tail), moved))
            _place(eb, Vector(b.head), Vector(b.tail), Vector(b.z_axis))
            plain = _rest_of(eb)
            _place(eb, head, tail, z if rolled else Vector(b.z_axis))
            eb[MADE_REST] = plain
        eb.use_deform = b.deform
    for b in bones:
        eb = edit[b.name]
        eb.parent = edit[b.parent] if b.parent is not None else None
        eb.use_connect = b.connected and b.parent is not None
    for name in theirs:
        _follow_parent(edit[name], before, theirs)


def _place(eb: bpy.types.EditBone, head: Vector, tail: Vector, z_axis: Vector) -> None:
    eb.head, eb.tail = head, tail
    eb.align_roll(z_axis)
    eb[MADE_REST] = _rest_of(eb)


def _rest_of(eb: bpy.types.EditBone) -> list[float]:
    """Head, tail and z axis."""
    return [*eb.head, *eb.tail, *eb.z_axis]


def _follow_parent(eb: bpy.types.EditBone, before: dict[str, Matrix], rest: dict[str, tuple[Vector, Vector, Vector]]) -> None:
    """Move an artist's bone as the nearest bone of ours above it has moved."""
    above = eb.parent
    while above is not None and MADE_REST not in above:
        above = above.parent
    if above is None or above.name not in before:
        return
    by = above.matrix @ before[above.name].inverted()
    head, tail, z = rest[eb.name]
    eb.head, eb.tail = by @ head, by @ tail
    eb.align_roll(by.to_3x3() @ z)


def dress(armature: bpy.types.Object, bones: Sequence[Bone], collection: bpy.types.Collection) -> None:
    """Collections, shapes, colours, rotation orders, limits and the eyes' aim, in object mode; what is there already stays.

    collection: the photo's, in which the shapes are kept out of sight.
    """
    data = armature.data
    for name in COLLECTIONS:
        if name not in data.collections:
            data.collections.new(name).is_visible = name != "Mechanism"
    wanted = {b.name: _shape_of(b.name) for b in bones}
    made = shapes(collection, {kind for kind, _ in wanted.values() if kind})
    size = face_size(armature)
    for b in bones:
        bone, pose = data.bones[b.name], armature.pose.bones[b.name]
        if MADE_LIMITS not in pose:  # new
            data.collections[b.collection if b.collection in COLLECTIONS else "Body"].assign(bone)
            kind, radius = wanted[b.name]
            side = b.name.split(".")[1] if b.name.count(".") == 1 and b.name[-2:] in (".L", ".R") else _side(b.name)
            bone.color.palette = _COLOURS["body" if b.collection == "Body" else side]
            bone.show_wire = True
            if kind:
                pose.custom_shape = made[kind]
                pose.use_custom_shape_bone_size = False
                pose.custom_shape_scale_xyz = (radius * size,) * 3
                if kind == "circle":
                    pose.custom_shape_translation = (0.0, 0.5 * bone.length, 0.0)
                elif kind in ("flat circle", "line"):
                    pose.custom_shape_translation = (0.0, bone.length, 0.0)
            pose.rotation_mode = _ORDERS.get(_family(b.name), "YXZ")
        _limit(pose, b)
    _aim_eyes(armature)
    data.use_mirror_x = True
    armature.pose.use_mirror_x = True


def _family(name: str) -> str:
    return name.split(".")[0]


def _side(name: str) -> str:
    parts = name.split(".")[1:]
    return next((p for p in parts if p in ("L", "R")), "")


def _shape_of(name: str) -> tuple[str, float]:
    if name in SOFT:
        return "sphere", _SOFT_RADIUS
    return _SHAPES.get(_family(name), ("", 0.0))


def _limit(pose: bpy.types.PoseBone, b: Bone) -> None:
    """Lock the channels that have no limits and hold the others within them; numbers that an artist has changed stay.

    Where a channel's limits are infinite, it is free.
    """
    fresh = MADE_LIMITS not in pose
    if fresh:
        pose.lock_location = [f"t{c}" not in b.limits for c in _CHANNELS]
        pose.lock_rotation = [f"r{c}" not in b.limits for c in _CHANNELS]
        pose.lock_rotation_w = any(pose.lock_rotation)
        pose.lock_scale = (True, True, True)
    made = {} if fresh else json.loads(pose[MADE_LIMITS])
    noted = {}
    measured_from = f"{REST}.{_side(b.name)}" if _family(b.name) == "eye" else ""
    kinds = [("LIMIT_ROTATION", ROTATION, "r"), ("LIMIT_LOCATION", LOCATION, "t")]
    if measured_from in pose.id_data.pose.bones:
        kinds.append(("LIMIT_ROTATION", GAZE, "r"))
    for kind, name, letter in kinds:
        held = {c: b.limits[letter + c] for c in _CHANNELS if letter + c in b.limits}
        held = {c: span for c, span in held.items() if all(math.isfinite(v) for v in span)}
        constraint = pose.constraints.get(name)
        if constraint is None:
            if not held or not fresh and name in made:  # nothing to hold, or the artist took it away
                if name in made:
                    noted[name] = made[name]
                continue
            constraint = pose.constraints.new(kind)
            constraint.name = name
            constraint.owner_space = "CUSTOM" if name == GAZE else "LOCAL"
            if name == GAZE:
                constraint.space_object, constraint.space_subtarget = pose.id_data, measured_from
            constraint.use_transform_limit = name != GAZE
        elif name in made and _numbers(constraint) != made[name]:
            noted[name] = made[name]
            continue
        for c in _CHANNELS:
            low, high = held.get(c, (0.0, 0.0))
            if kind == "LIMIT_ROTATION":
                setattr(constraint, f"use_limit_{c}", c in held)
            else:
                setattr(constraint, f"use_min_{c}", c in held)
                setattr(constraint, f"use_max_{c}", c in held)
            setattr(constraint, f"min_{c}", low)
            setattr(constraint, f"max_{c}", high)
        noted[name] = _numbers(constraint)
    pose[MADE_LIMITS] = json.dumps(noted)


def _numbers(constraint: Any) -> list[float]:
    """What a limit says now; as it comes back from JSON."""
    return [round(getattr(constraint, f"{end}_{c}"), 6) for c in _CHANNELS for end in ("min", "max")]


def _aim_eyes(armature: bpy.types.Object) -> None:
    """Let the aims look at their targets, as much as the armature's property says."""
    for side in "LR":
        pose = armature.pose.bones.get(f"{AIM}.{side}")
        if pose is None or pose.constraints.get(LOOK) is not None:
            continue
        if FOLLOW not in armature:
            armature[FOLLOW] = 1.0
            armature.id_properties_ui(FOLLOW).update(
                min=0.0, max=1.0, soft_min=0.0, soft_max=1.0, default=1.0, description="How much the eyes look at their target"
            )
            armature.property_overridable_library_set(f'["{FOLLOW}"]', True)
        look = pose.constraints.new("DAMPED_TRACK")
        look.name = LOOK
        look.target, look.subtarget, look.track_axis = armature, f"{TARGET}.{side}", "TRACK_Y"
        pose.constraints.move(len(pose.constraints) - 1, 0)  # before the limits
        driver = look.driver_add("influence").driver
        driver.type = "SUM"
        variable = driver.variables.new()
        variable.targets[0].id = armature
        variable.targets[0].data_path = f'["{FOLLOW}"]'
