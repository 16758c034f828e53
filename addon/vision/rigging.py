"""What a rig is made of, before Blender: bones, weights, shape keys and a mesh, as plain arrays.

All lengths are metres in the axes of the photo's camera as layers have them: x right, y away from the camera, z up. A face that looks
into the camera looks along -y. "Left" and "right" are the subject's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ARKIT = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft",
    "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 shapes of a face as Apple's ARKit names them, in the order of its documentation's alphabet."""


class Part(IntEnum):
    """What a face of a subject's mesh belongs to. The skin is everything that the photo shows of the subject, hair and clothes too."""

    SKIN = 0
    EYE_RIGHT = 1
    EYE_LEFT = 2
    POCKET = 3  # the dark inside of the mouth
    TEETH_UPPER = 4
    TEETH_LOWER = 5
    TONGUE = 6


@dataclass(frozen=True)
class Bone:
    """One bone at rest.

    head, tail: metres, in the axes above. z_axis: where the bone's local z points, before it is made square to the bone. parent: a
    bone's name or None. connected: its head is its parent's tail. deform: it moves vertices by weights. collection: the bone collection
    ("Face", "Eyes", "Mouth", "Body", "Mechanism"). limits: per channel ("rx", "ry", "rz" in radians, "tx", "ty", "tz" in metres, local
    axes) the least and the most; channels that are missing are locked.
    """

    name: str
    head: tuple[float, float, float]
    tail: tuple[float, float, float]
    z_axis: tuple[float, float, float] = (0.0, -1.0, 0.0)
    parent: str | None = None
    connected: bool = False
    deform: bool = True
    collection: str = "Body"
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class SubjectMesh:
    """A person cut out of the relief, ready to be rigged; N vertices, M triangles.

    position: float32 N×3. ray: float32 N×3, (u·z, v·z, z) at rest, u and v being the photo's UV (v up), z the distance along the camera's
    axis: what makes the rest pose show the photo exactly. triangles: int32 M×3, seen from the camera counter-clockwise. part: uint8 M, of
    Part. canonical: float32 N×2, where the vertex lies in the face of average size, metres right of (towards the subject's left) and above the
    middle between the pupils, as seen from the front; NaN outside the face. side: int8 N, +1 above and -1 below the line at which lids or lips part, for vertices that have a
    choice, else 0. weights: bone's name to float32 N in [0, 1]; over all bones they sum to 1 in every vertex. keys: ARKit name to float32
    N×3, the displacement at a value of 1. seams: pairs of vertices (int32 K×2) that lie in one place at rest and may part (lips).
    """

    position: Floats
    ray: Floats
    triangles: NDArray[np.int32]
    part: NDArray[np.uint8]
    canonical: Floats
    side: NDArray[np.int8]
    weights: dict[str, Floats] = field(default_factory=dict)
    keys: dict[str, Floats] = field(default_factory=dict)
    seams: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
