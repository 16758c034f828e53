"""A plain rig with the bones and sliders that a rigged person has, for tests of what plays on it."""

from __future__ import annotations

import math

import bpy

from addon.vision.rigging import ARKIT

# name: head, tail, parent; metres, the face looks along -y
BONES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], str | None]] = {
    "root": ((0, 2, -1), (0, 1.8, -1), None),
    "base": ((0, 2, -0.9), (0, 1.8, -0.9), "root"),
    "spine": ((0, 2.05, -0.6), (0, 2.05, -0.35), "root"),
    "chest": ((0, 2.05, -0.35), (0, 2.05, -0.15), "spine"),
    "neck": ((0, 2.05, -0.15), (0, 2.03, -0.05), "chest"),
    "head": ((0, 2.03, -0.05), (0, 2.03, 0.15), "neck"),
    "jaw": ((0, 2.02, -0.01), (0, 1.95, -0.09), "head"),
    "eyes": ((0, 1.5, 0.03), (0, 1.5, 0.06), "head"),
}
for _side, _x in (("L", 1), ("R", -1)):
    BONES |= {
        f"shoulder.{_side}": ((_x * 0.02, 2.05, -0.18), (_x * 0.17, 2.05, -0.2), "chest"),
        f"eye.{_side}": ((_x * 0.0315, 1.97, 0.03), (_x * 0.0315, 1.945, 0.03), "head"),
        f"lid.T.{_side}": ((_x * 0.0315, 1.97, 0.03), (_x * 0.0315, 1.957, 0.036), "head"),
        f"lid.B.{_side}": ((_x * 0.0315, 1.97, 0.03), (_x * 0.0315, 1.957, 0.024), "head"),
        f"brow.T.{_side}": ((_x * 0.012, 1.95, 0.055), (_x * 0.012, 1.95, 0.065), "head"),
        f"brow.T.{_side}.001": ((_x * 0.035, 1.952, 0.062), (_x * 0.035, 1.952, 0.072), "head"),
        f"brow.T.{_side}.002": ((_x * 0.052, 1.97, 0.055), (_x * 0.052, 1.97, 0.065), "head"),
        f"lips.{_side}": ((_x * 0.024, 1.955, -0.04), (_x * 0.024, 1.955, -0.03), "head"),
        f"cheek.B.{_side}": ((_x * 0.045, 1.96, -0.02), (_x * 0.045, 1.96, -0.01), "head"),
    }
BONES |= {
    "lip.T": ((0, 1.945, -0.035), (0, 1.945, -0.025), "head"),
    "lip.B": ((0, 1.945, -0.045), (0, 1.945, -0.055), "jaw"),
    "nose": ((0, 1.93, -0.005), (0, 1.93, 0.005), "head"),
}
TURN = math.radians(15)
"""What the head's limit lets it turn by."""


def make_armature(parent: bpy.types.Object | None = None, name: str = "Person 1") -> bpy.types.Object:
    """The rig in the scene, with limits on the head, all else free."""
    data = bpy.data.armatures.new(name)
    o = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(o)
    o.parent = parent
    bpy.context.view_layer.objects.active = o
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, (head, tail, above) in BONES.items():
        made = data.edit_bones.new(bone)
        made.head, made.tail = head, tail
        made.align_roll((0, -1, 0))
        made.parent = None if above is None else data.edit_bones[above]
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in o.pose.bones:
        bone.rotation_mode = "YXZ"
    limit = o.pose.bones["head"].constraints.new("LIMIT_ROTATION")
    limit.owner_space = "LOCAL"
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.min_x = limit.min_y = limit.min_z = -TURN
    limit.max_x = limit.max_y = limit.max_z = TURN
    for slider in ARKIT:
        o[slider] = 0.0
        o.id_properties_ui(slider).update(min=0.0, max=1.0, soft_min=0.0, soft_max=1.0)
    return o
