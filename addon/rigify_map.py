"""Which control of a Rigify rig moves which bone of a rigged person: plain data.

Names are those of the human metarig's generated rig (Rigify's `skin` face, Blender 4.0 and later; looked up in a rig that Blender 5.0.1
generated) and, where they differ, of the older super_face, whose controls were called the same but for the numbers of the brows and cheeks.
The first control that a rig has is taken. "Left" and "right" are the subject's own, as in Rigify.
"""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """bone: of ours. controls: of Rigify, the first that is there counts. kind: "turn" copies the rotation, "move" the location times the
    ratio of the faces' sizes, "gaze" the location of the eyes' target times the ratio of its distances, "lid" turns a lid as far as its
    control moves up or down, "limb" is "turn" for a bone of a body."""

    bone: str
    controls: tuple[str, ...]
    kind: str


def _sides(bone: str, controls: tuple[str, ...], kind: str) -> list[Pair]:
    """The left one as given, and the right one."""
    return [Pair(bone.replace(".L", f".{s}"), tuple(c.replace(".L", f".{s}") for c in controls), kind) for s in "LR"]


PAIRS: tuple[Pair, ...] = (
    Pair("head", ("head",), "turn"),
    Pair("neck", ("neck",), "turn"),
    Pair("chest", ("chest",), "turn"),
    Pair("jaw", ("jaw_master",), "turn"),
    Pair("eyes", ("eyes",), "gaze"),
    # Rigify counts a brow from the temple inwards, we from the nose outwards.
    *_sides("brow.T.L", ("brow.T.L.003",), "move"),
    *_sides("brow.T.L.001", ("brow.T.L.002",), "move"),
    *_sides("brow.T.L.002", ("brow.T.L.001",), "move"),
    *_sides("lid.T.L", ("lid.T.L.002",), "lid"),
    *_sides("lid.B.L", ("lid.B.L.002",), "lid"),
    *_sides("lips.L", ("lips.L",), "move"),
    Pair("lip.T", ("lip.T",), "move"),
    Pair("lip.B", ("lip.B",), "move"),
    *_sides("cheek.B.L", ("cheek.B.L.001", "cheek.B.L"), "move"),
    Pair("nose", ("nose_master", "nose.002"), "move"),
    *_sides("shoulder.L", ("shoulder.L",), "limb"),
    *_sides("upper_arm.L", ("upper_arm_fk.L",), "limb"),
    *_sides("forearm.L", ("forearm_fk.L",), "limb"),
    *_sides("hand.L", ("hand_fk.L",), "limb"),
    *_sides("thigh.L", ("thigh_fk.L",), "limb"),
    *_sides("shin.L", ("shin_fk.L",), "limb"),
    *_sides("foot.L", ("foot_fk.L",), "limb"),
)

EYES = ("master_eye.L", "master_eye.R")
"""Between which the size of a Rigify face is measured; of ours it is between `eye.L` and `eye.R`."""
OUR_EYES = ("eye.L", "eye.R")
EYE_RADIUS = 0.19
"""Of an eyeball, in distances of the pupils (12 of 63 mm): on it a lid turns."""
