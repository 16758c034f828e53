"""Landmarks of people: points on faces and joints of bodies, and how a layered photo keeps them.

The points of a face are the 68 of the 300-W challenge (Sagonas et al. 2013) and both pupils. "Left" and "right" are the subject's own.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .files import shown

SCHEMA = 1
FILE = "landmarks.json"

JAW = slice(0, 17)  # from the right ear over the chin (8) to the left ear
RIGHT_BROW, LEFT_BROW = slice(17, 22), slice(22, 27)  # right: from outside in; left: from inside out
BRIDGE, NOSTRILS = slice(27, 31), slice(31, 36)  # from between the eyes to the tip (30); from the right to the left
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
"""Around the opening, clockwise as the viewer sees it, from the corner on the viewer's left: corner, two of the upper lid, corner, two of the lower."""
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)  # clockwise as the viewer sees it, from the right corner
CHIN, NOSE_TIP = 8, 30
RIGHT_PUPIL, LEFT_PUPIL = 68, 69
COUNT = 70
_EYES_TO_MOUTH = 1.18  # from between the eyes to between the corners of the mouth, in distances of the pupils (`canonical`)

JOINTS = (
    "head", "neck", "spine",
    "shoulder.R", "elbow.R", "wrist.R", "hip.R", "knee.R", "ankle.R",
    "shoulder.L", "elbow.L", "wrist.L", "hip.L", "knee.L", "ankle.L",
)  # fmt: skip
"""Of a body: the crown of the head, the pit of the neck, between the hips, and the limbs."""


def _mirrored() -> tuple[int, ...]:
    order = list(range(COUNT))
    order[JAW] = order[JAW][::-1]
    order[17:27] = order[17:27][::-1]
    order[NOSTRILS] = order[NOSTRILS][::-1]
    for right, left in ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46), (68, 69)):
        order[right], order[left] = left, right
    for first, last in ((48, 54), (54, 48)):
        order[first] = last
    for a, b in ((49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)):
        order[a], order[b] = b, a
    return tuple(order)


MIRROR = _mirrored()
"""Point i of a face is point MIRROR[i] of the face in a mirror."""

_GROUPS = (
    (JAW, "Jaw"), (RIGHT_BROW, "Brow.R"), (LEFT_BROW, "Brow.L"), (BRIDGE, "Nose"), (NOSTRILS, "Nostril"), (RIGHT_EYE, "Eye.R"),
    (LEFT_EYE, "Eye.L"), (OUTER_LIPS, "Lips"), (INNER_LIPS, "Inner Lips"),
)  # fmt: skip
_SINGLE = {RIGHT_PUPIL: "Pupil.R", LEFT_PUPIL: "Pupil.L", CHIN: "Chin"}


def name_of(index: int) -> str:
    """The name for people of a point of a face, 0 to COUNT - 1: "Pupil.R", "Eye.L 3"."""
    if index in _SINGLE:
        return _SINGLE[index]
    group, name = next((s, n) for s, n in _GROUPS if s.start <= index < s.stop)
    return f"{name} {index - group.start + 1}"


def frame_of(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Where a face is and how it lies: the middle between the eyes (x, y), the distance of the pupils if it were turned to the viewer, and its
    tilt in radians, clockwise as the viewer sees it. points: 70×2 in pixels. In a face that is turned, eyes and mouth tell its size."""
    right = np.concatenate([points[RIGHT_EYE], points[[RIGHT_PUPIL]]]).mean(0)
    left = np.concatenate([points[LEFT_EYE], points[[LEFT_PUPIL]]]).mean(0)
    middle, mouth = (right + left) / 2, points[[OUTER_LIPS.start, OUTER_LIPS.start + 6]].mean(0)
    across, down = left - right, mouth - middle
    unit = max(math.hypot(*across), math.hypot(*down) / _EYES_TO_MOUTH, 2.0)
    # Both the line of the eyes and the line to the mouth tell the tilt; the sum is right for a face that is turned or nods.
    upright = across / max(math.hypot(*across), 1e-6) + np.array([down[1], -down[0]]) / max(math.hypot(*down), 1e-6)
    return float(middle[0]), float(middle[1]), unit, math.atan2(upright[1], upright[0])


@dataclass(frozen=True)
class FacePoints:
    """The landmarks of one face.

    points: float64 70×2, in shares of the photo's width and height, from its left and top; they may lie past its border. confidence:
    float64 70, in [0, 1]; 1 for what a person has placed. source: what found them ("network", "mediapipe", "yunet", "clicks" ...).
    """

    points: NDArray[np.float64]
    confidence: NDArray[np.float64]
    source: str

    def pixels(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """The points in pixels of a photo of `size` (width, height), 70×2; (0, 0) is the corner of the first pixel, not its middle."""
        return self.points * np.array(size, np.float64)

    def eye_distance(self, size: tuple[int, int]) -> float:
        """Pixels between the pupils, by which errors and movements are measured."""
        at = self.pixels(size)
        return float(math.hypot(*(at[LEFT_PUPIL] - at[RIGHT_PUPIL])))


@dataclass(frozen=True)
class Person:
    """One person or animal in a photo.

    name: unique in the photo ("Person 1"). face: None of one whose face is not seen. joints: name (of JOINTS) to a place in shares of
    the photo's width and height; only what is seen or was placed.
    """

    name: str
    face: FacePoints | None = None
    joints: dict[str, tuple[float, float]] = field(default_factory=dict)


def to_json(people: tuple[Person, ...]) -> str:
    """The text of a landmarks file; `from_json` reads it. Numbers keep six decimals, finer than a hundredth of any photo's pixel."""

    def numbers(values: NDArray[np.float64]) -> list[Any]:
        return np.round(values, 6).tolist()

    listed = [
        {
            "name": p.name,
            "face": None
            if p.face is None
            else {"source": p.face.source, "points": numbers(p.face.points), "confidence": numbers(p.face.confidence)},
            "joints": {joint: [round(x, 6), round(y, 6)] for joint, (x, y) in p.joints.items()},
        }
        for p in people
    ]
    return json.dumps({"schema": SCHEMA, "people": listed}, indent=1) + "\n"


def from_json(text: str, path: Path) -> tuple[Person, ...]:
    """The people of a landmarks file. path: named if it is not one; raises InputError then."""
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']}")
        people = tuple(_person(entry) for entry in data["people"])
        if len({p.name for p in people}) != len(people):
            raise ValueError("two people of one name")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{shown(path)}: not a file of landmarks ({error}); write it with the Subject panel or the landmarks command."
        ) from error
    return people


def _person(entry: dict[str, Any]) -> Person:
    face = None
    if entry["face"] is not None:
        points = np.array(entry["face"]["points"], np.float64)
        confidence = np.array(entry["face"]["confidence"], np.float64)
        if points.shape != (COUNT, 2) or confidence.shape != (COUNT,):
            raise ValueError(f"a face has {COUNT} points")
        if not (np.isfinite(points).all() and (np.abs(points) <= 10).all() and ((confidence >= 0) & (confidence <= 1)).all()):
            raise ValueError("a point lies nowhere near the photo")
        face = FacePoints(points, confidence, str(entry["face"]["source"]))
    joints = {str(name): (float(x), float(y)) for name, (x, y) in entry["joints"].items()}
    if unknown := set(joints) - set(JOINTS):
        raise ValueError(f"no joint is called {sorted(unknown)[0]}")
    if not all(abs(v) <= 10 for at in joints.values() for v in at):
        raise ValueError("a joint lies nowhere near the photo")
    return Person(str(entry["name"]), face, joints)
