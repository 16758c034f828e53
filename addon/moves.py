"""Camera moves: pure functions from settings and a few numbers of the scene to keyframes. Standard library only.

Positions are metres and rotations XYZ Euler degrees in the photo camera's own axes (x right, y up, z towards the
viewer), so that all zeros is the photo.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InputError
from .spec import MoveSpec


class Keyframe(NamedTuple):
    """Where the camera stands at one frame. fov: horizontal field of view in degrees, None for the photo's own."""

    frame: int
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fov: float | None = None


class Shot(NamedTuple):
    """Keyframes in order, how they are joined (an easing of the settings, or "smooth"), and the film's length and speed."""

    keyframes: tuple[Keyframe, ...]
    ease: str
    frames: int
    fps: float


class Stage(NamedTuple):
    """What a move must know of the scene.

    close: metres to what is nearest (all but a fiftieth of the picture is farther). focus: metres to the subject.
    tan_width: the photo's width in tangents of its camera. aim_x, aim_y: where the subject is in the picture, in tangents right
    and up of the optical axis.
    """

    close: float
    focus: float
    tan_width: float
    aim_x: float = 0.0
    aim_y: float = 0.0


# What amount 1 means. Beyond these, what a single photo does not show begins to be missed; most viewers keep to 2 to 4 %
# of the picture's width as parallax (docs/moves.md).
PUSH_IN = 0.2  # of the subject's distance
PUSH_IN_CLOSE = 0.35  # but no more than this share of the way to the nearest
PARALLAX = 0.04  # of the picture's width, between the nearest and what stays in place
ORBIT_DEGREES = 8.0
CLOSEST = 0.8  # whatever the amount, never go farther than this share of the way to the nearest


def _push_in(amount: float, stage: Stage) -> Keyframe:
    forward = amount * min(PUSH_IN * stage.focus, PUSH_IN_CLOSE * stage.close)
    return Keyframe(0, (0.0, 0.0, -min(forward, CLOSEST * stage.close)))


def _truck(amount: float, stage: Stage) -> Keyframe:
    return Keyframe(0, (amount * PARALLAX * stage.tan_width * stage.close, 0.0, 0.0))


def _orbit(amount: float, stage: Stage) -> Keyframe:
    """The subject stays in the middle. The camera goes along the chord of its arc, which is 0.1 % of the width off at most."""
    between = max(1 / stage.close - 1 / stage.focus, 0.25 / stage.focus)
    sideways = min(PARALLAX * stage.tan_width / between / stage.focus, math.sin(math.radians(ORBIT_DEGREES)))
    angle = max(-1.0, min(1.0, amount * math.asin(sideways)))
    return Keyframe(0, (stage.focus * math.sin(angle), 0.0, -stage.focus * (1 - math.cos(angle))), (0.0, math.degrees(angle), 0.0))


_MOVES = {"push-in": _push_in, "truck": _truck, "orbit": _orbit}


def plan(settings: MoveSpec, stage: Stage) -> Shot:
    """The shot of a named move: frame 1 is the photo, the last frame the far end (or, looping, one step before the photo)."""
    end = _MOVES[settings.name](settings.amount, stage)
    frames = settings.frames
    if frames == 1:
        keys: tuple[Keyframe, ...] = (Keyframe(1),)
    elif settings.loop:
        # The frame after the last would equal the first. The way there and back are of equal length if `frames` is even.
        keys = (Keyframe(1), end._replace(frame=1 + frames // 2), Keyframe(1 + frames))
    else:
        keys = (Keyframe(1), end._replace(frame=frames))
    return Shot(keys, settings.ease, frames, settings.fps)


def read_camera_path(path: Path, settings: MoveSpec) -> Shot:
    """Read a camera path (docs/camera-path.md). Raises InputError with one sentence if it is not of that form."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the camera path cannot be read ({error.strerror or error}); check the name.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: the camera path is not valid JSON ({error}).") from error
    keys = data.get("keyframes") if isinstance(data, dict) else None
    if not isinstance(keys, list) or not keys:
        raise InputError(f'{path}: a camera path needs "keyframes", a list with at least one entry.')
    frames = tuple(sorted((_keyframe(path, i, k) for i, k in enumerate(keys)), key=lambda k: k.frame))
    numbers = [k.frame for k in frames]
    if len(set(numbers)) != len(numbers):
        raise InputError(f"{path}: two keyframes of the camera path stand on the same frame.")
    fps = data.get("fps", settings.fps)
    if not _is_number(fps) or not 1 <= fps <= 240:
        raise InputError(f'{path}: "fps" of the camera path must be a number from 1 to 240.')
    # Through the keyframes of a path the camera passes without stopping, whichever way it starts and ends.
    return Shot(frames, "linear" if settings.ease == "linear" else "smooth", frames[-1].frame, float(fps))


def _keyframe(path: Path, index: int, data: Any) -> Keyframe:
    where = f"{path}: keyframe {index + 1} of the camera path"
    if not isinstance(data, dict):
        raise InputError(f"{where} must be an object with frame, location and rotation.")
    unknown = set(data) - {"frame", "location", "rotation", "fov"}
    if unknown:
        raise InputError(f"{where} has an unknown entry {sorted(unknown)[0]!r}; known are frame, location, rotation and fov.")
    frame = data.get("frame")
    if isinstance(frame, bool) or not isinstance(frame, int) or not 1 <= frame <= 1_000_000:
        raise InputError(f'{where} needs a whole "frame" from 1 on.')
    vectors = []
    for name in ("location", "rotation"):
        vector = data.get(name, [0, 0, 0])
        if not isinstance(vector, list) or len(vector) != 3 or not all(_is_number(x) for x in vector):
            raise InputError(f'{where}: "{name}" must be three numbers.')
        vectors.append(tuple(float(x) for x in vector))
    fov = data.get("fov")
    if fov is not None and (not _is_number(fov) or not 1 <= fov <= 160):
        raise InputError(f'{where}: "fov" must be a number of degrees from 1 to 160.')
    return Keyframe(frame, vectors[0], vectors[1], None if fov is None else float(fov))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def shot(settings: MoveSpec, stage: Stage) -> Shot:
    """The shot that `settings` ask for: their camera path if they name one, else their move."""
    return read_camera_path(Path(settings.camera_path), settings) if settings.camera_path else plan(settings, stage)


def magnification(keyframes: Sequence[Keyframe], stage: Stage) -> float:
    """How much larger than in the photo the subject is seen at most, at least 1; zoom included."""
    largest = 1.0
    for key in keyframes:
        distance = max(stage.focus + key.location[2], stage.focus * 0.05)
        zoom = 1.0 if key.fov is None else stage.tan_width / (2 * math.tan(math.radians(key.fov) / 2))
        largest = max(largest, stage.focus / distance * zoom)
    return largest
