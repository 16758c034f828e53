"""Which soft bone of a face's rig drives which shape keys: plain data, for the scene's drivers, for retargeting and for the docs.

A soft bone (brow, lip, cheek, nose) moves no vertex itself. Where an animator moves it, along the axes of the face, keys rise. A
key's value is its slider plus what all bones add, held to 0 .. 1.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """`bone` moved by `metres` towards `sign` along `channel` raises `key` by 1, on a face with pupils 63 mm apart.

    channel: axis of the face at rest, "x" towards the subject's left, "y" up, "z" out of the face; soft bones lie so that these are
    their own. sign: +1 or -1.
    """

    bone: str
    channel: str
    sign: int
    key: str
    metres: float


def _both(bone: str, channel: str, sign: int, key: str, metres: float) -> list[Term]:
    """The left one as given, and the right one mirrored; in `bone` and `key`, L and Left stand for the side."""
    mirrored = -sign if channel == "x" else sign
    return [
        Term(bone.replace(".L", f".{side}"), channel, way, key.replace("Left", word), metres)
        for side, way, word in (("L", sign, "Left"), ("R", mirrored, "Right"))
    ]


def _sides(bone: str, channel: str, sign: int, key: str, metres: float) -> list[Term]:
    """One bone in the middle that drives the keys of both sides."""
    return [Term(bone, channel, sign, f"{key}{side}", metres) for side in ("Left", "Right")]


TERMS: tuple[Term, ...] = (
    # Three bones a brow, of which each raises its share. Most go as far as the bone's limits let it.
    *_both("brow.T.L", "y", 1, "browInnerUp", 0.016),
    *_both("brow.T.L.001", "y", 1, "browOuterUpLeft", 0.020),
    *_both("brow.T.L.002", "y", 1, "browOuterUpLeft", 0.0133),
    *_both("brow.T.L", "y", -1, "browDownLeft", 0.020),
    *_both("brow.T.L.001", "y", -1, "browDownLeft", 0.0267),
    *_both("brow.T.L.002", "y", -1, "browDownLeft", 0.0267),
    *_both("lips.L", "y", 1, "mouthSmileLeft", 0.008),
    *_both("lips.L", "y", -1, "mouthFrownLeft", 0.008),
    *_both("lips.L", "x", 1, "mouthStretchLeft", 0.008),
    *_both("lips.L", "x", -1, "mouthPucker", 0.016),
    *_both("lips.L", "z", -1, "mouthDimpleLeft", 0.005),
    *_sides("lip.T", "y", 1, "mouthUpperUp", 0.008),
    *_sides("lip.T", "y", -1, "mouthPress", 0.005),
    Term("lip.T", "x", 1, "mouthLeft", 0.012),
    Term("lip.T", "x", -1, "mouthRight", 0.012),
    Term("lip.T", "z", 1, "mouthFunnel", 0.016),
    Term("lip.T", "z", -1, "mouthRollUpper", 0.005),
    *_sides("lip.B", "y", -1, "mouthLowerDown", 0.010),
    Term("lip.B", "y", 1, "mouthShrugLower", 0.005),
    Term("lip.B", "x", 1, "mouthLeft", 0.012),
    Term("lip.B", "x", -1, "mouthRight", 0.012),
    Term("lip.B", "z", 1, "mouthFunnel", 0.016),
    Term("lip.B", "z", -1, "mouthRollLower", 0.005),
    *_both("cheek.B.L", "y", 1, "cheekSquintLeft", 0.008),
    *_both("cheek.B.L", "z", 1, "cheekPuff", 0.020),
    *_sides("nose", "y", 1, "noseSneer", 0.005),
)

SOFT: frozenset[str] = frozenset(term.bone for term in TERMS)
"""The bones that drive keys and deform nothing by weights."""


def terms_of(key: str) -> tuple[Term, ...]:
    """What bones add to a key."""
    return tuple(term for term in TERMS if term.key == key)
