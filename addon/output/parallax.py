"""The geometry of several views: where the cameras stand, how far things slide between them, and what is comfortable.

All cameras look the same way and are only moved sideways; their pictures are shifted (lens shift) so that what is at the
convergence distance stays in place. Turned inwards (toe-in) they would show vertical parallax, which hurts.

Distances are metres along the camera's axis. Parallax is counted in shares of the picture's width: 0 is at the screen,
positive behind it, negative before it. Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

COMFORT = 0.033
"""Most parallax, in shares of the width, that is comfortable to look at: a thirtieth of the picture's width."""
CONE = 35.0
"""Degrees over which Looking Glass displays show their views."""
HEAD = 0.063
"""Metres between the eyes of most people."""
_NEAREST_IN_HEADSET = 12.0
"""Eye distances to what is nearest in VR180: at 63 mm, three quarters of a metre."""


class Pose(NamedTuple):
    """What the camera sees at one frame: distances to the nearest, to the farthest (infinite with a sky) and to what is to be at
    the screen, and the picture's width in tangents."""

    near: float
    far: float
    convergence: float
    tan_width: float


class Range(NamedTuple):
    """Parallax of what is nearest and of what is farthest, in shares of the width."""

    nearest: float
    farthest: float

    @property
    def largest(self) -> float:
        return max(abs(self.nearest), abs(self.farthest))


def parallax(distance: float, interaxial: float, pose: Pose) -> float:
    """How far a point at `distance` lies to the right in the right eye's picture of where the left eye's has it."""
    return interaxial * (1 / pose.convergence - 1 / distance) / pose.tan_width


def parallax_range(interaxial: float, poses: Iterable[Pose]) -> Range:
    """The extremes over all `poses`, of which there must be one."""
    ranges = [(parallax(p.near, interaxial, p), parallax(p.far, interaxial, p)) for p in poses]
    return Range(min(min(r) for r in ranges), max(max(r) for r in ranges))


def interaxial_within(limit: float, poses: Iterable[Pose]) -> float:
    """The largest distance of the cameras at which no parallax exceeds `limit` at any of `poses`; 0 where nothing has depth."""
    largest = parallax_range(1.0, poses).largest
    return limit / largest if largest > 1e-9 else 0.0


def headset_interaxial(poses: Iterable[Pose]) -> float:
    """The distance of the cameras for VR180: that of human eyes, less where something is too near to be looked at."""
    return min(HEAD, min(p.near for p in poses) / _NEAREST_IN_HEADSET)


def cone_span(degrees: float, convergence: float) -> float:
    """Metres from the first camera to the last when they see a point at `convergence` within an angle of `degrees`."""
    return 2 * convergence * math.tan(math.radians(degrees) / 2)


def offsets(count: int, span: float) -> list[float]:
    """Where `count` cameras stand, in metres to the right of the middle, from left to right over `span`."""
    if count == 1:
        return [0.0]
    return [span * (i / (count - 1) - 0.5) for i in range(count)]


def lens_shift(offset: float, convergence: float, tangent: float) -> float:
    """The change of Blender's shift_x that keeps a point at `convergence` in place for a camera moved by `offset` metres.

    tangent: the fitted side of the sensor over the lens, in which Blender counts shifts.
    """
    return -offset / convergence / tangent


def complaint(found: Range) -> str:
    """One sentence if the parallax is more than is comfortable, else nothing."""
    if found.largest <= COMFORT * 1.001:
        return ""
    side = "nearest" if abs(found.nearest) >= abs(found.farthest) else "farthest"
    return (
        f"The {side} part slides by {found.largest:.1%} of the width between the eyes, more than the {COMFORT:.1%} that are comfortable; "
        "bring the eyes closer together."
    )
