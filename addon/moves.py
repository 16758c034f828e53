"""Camera moves: pure functions from settings and a few numbers of the scene to keyframes. Standard library only.

Positions are metres and rotations XYZ Euler degrees in the photo camera's own axes (x right, y up, z towards the
viewer), so that all zeros is the photo. The paths themselves are in `move_paths.py`; here they get their time.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from . import move_paths as paths
from .errors import InputError, UsageError
from .move_easing import MONOTONE, eased
from .move_paths import CLOSEST, ORBIT_DEGREES, PARALLAX, PUSH_IN, PUSH_IN_CLOSE, Pose, Stage
from .spec import MOVES, MoveSpec, move_parts

Channels = tuple[float, ...]
"""What is keyed, nine numbers: location (3, metres), rotation (3, degrees), zoom, and the picture's offset times zoom (2)."""

_STILL: Channels = (0.0,) * 9


class Keyframe(NamedTuple):
    """Where the camera stands at one frame, and how it goes on to the next.

    fov: horizontal field of view in degrees as of the whole photo, None for the photo's own. offset: what the picture
    shows in its middle, in tangents from what it shows there at rest. join: the interpolation to the next key as (ease,
    curve) of the settings; None for that of the shot, "" for a curve with the slopes given. slopes: change of the nine
    channels per frame, just before the key and just after it; None where the join needs none.
    """

    frame: int
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fov: float | None = None
    offset: tuple[float, float] = (0.0, 0.0)
    join: tuple[str, str] | None = None
    slopes: tuple[Channels | None, Channels | None] = (None, None)


class Marker(NamedTuple):
    """A named frame: where a part of the shot begins."""

    name: str
    frame: int


class Shot(NamedTuple):
    """Keyframes in order, how they are joined where they do not say (an easing of the settings, or "smooth"), and the
    film's length and speed. markers: where the parts begin, if there are several."""

    keyframes: tuple[Keyframe, ...]
    ease: str
    frames: int
    fps: float
    markers: tuple[Marker, ...] = ()


TOLERANCE = 0.001  # of the picture's width: how far the keyed path may be from the true one
FINE = 0.03  # and of what a part of the path changes, where that is little
BY_SLOPES = ("slopes", "")
"""The join of keys whose handles give the curve."""

_LABELS = {key: label for key, label, _ in MOVES}


class _Segment(NamedTuple):
    """One path between two frames."""

    first: int
    last: int
    path: paths.Path
    ease: str
    curve: str
    knots: tuple[float, ...] = ()
    tolerance: float = TOLERANCE
    """In shares of the picture's width."""

    def pose(self, frame: float) -> Pose:
        return self.path(eased(self.ease, self.curve, (frame - self.first) / (self.last - self.first)))

    def channels(self, frame: float) -> Channels:
        return channels_of(self.pose(frame))

    def slope(self, frame: float, step: float) -> Channels:
        """Change per frame, seen from one side: `step` is a part of a frame, negative to look back."""
        # Finite, as some easings start or end infinitely fast.
        here, near, far = (self.channels(frame + k * step) for k in (0, 0.5, 1))
        near, far = _near_turns(near, here), _near_turns(far, here)
        return tuple((4 * n - f - 3 * h) / step for h, n, f in zip(here, near, far))


def channels_of(pose: Pose) -> Channels:
    """The numbers that are keyed, all linear in what Blender interpolates."""
    return (*pose.place, *paths.euler(pose.turn), pose.zoom, pose.offset[0] * pose.zoom, pose.offset[1] * pose.zoom)


def pose_of(channels: Channels) -> Pose:
    """The camera that `channels` mean."""
    x, y, z, a, b, c, zoom, u, v = channels
    zoom = max(zoom, 1e-6)
    return Pose((x, y, z), paths.from_euler((a, b, c)), zoom, (u / zoom, v / zoom))


def _near_turns(channels: Channels, before: Channels) -> Channels:
    """The same angles, counted on from those before instead of anew past half a turn."""
    turned = tuple(a + 360 * round((b - a) / 360) for a, b in zip(channels[3:6], before[3:6]))
    return (*channels[:3], *turned, *channels[6:])


def deviation(stage: Stage, a: Pose, b: Pose) -> float:
    """How far apart two cameras show the scene, in shares of the picture's width: the most of a few near and far points."""
    return _apart(_seen(stage, a), _seen(stage, b)) / stage.tan_width


_Seen = list[tuple[float, float] | None]


def _seen(stage: Stage, pose: Pose) -> _Seen:
    """Where a camera sees the subject, two near corners and two far ones, in tangents at rest; None behind it."""
    half_x, half_y = stage.tan_width / 2, (stage.tan_height or stage.tan_width) / 2
    left, right, top, bottom = stage.middle_x - half_x, stage.middle_x + half_x, stage.middle_y + half_y, stage.middle_y - half_y
    near, far = stage.close, 3 * stage.focus
    (r00, r01, r02), (r10, r11, r12), (r20, r21, r22) = pose.turn
    cx, cy, cz = pose.place
    found: _Seen = []
    for tx, ty, depth in (
        (stage.aim_x, stage.aim_y, stage.focus), (left, top, near), (right, top, near), (left, bottom, far), (right, bottom, far)
    ):  # fmt: skip
        x, y, z = tx * depth - cx, ty * depth - cy, -depth - cz
        along = -(r02 * x + r12 * y + r22 * z)
        if along < 0.02 * near:
            found.append(None)
            continue
        across, up = (r00 * x + r10 * y + r20 * z) / along, (r01 * x + r11 * y + r21 * z) / along
        found.append(((across - stage.middle_x - pose.offset[0]) * pose.zoom, (up - stage.middle_y - pose.offset[1]) * pose.zoom))
    return found


def _apart(a: _Seen, b: _Seen) -> float:
    return max((math.hypot(p[0] - q[0], p[1] - q[1]) for p, q in zip(a, b) if p is not None and q is not None), default=0.0)


def plan(settings: MoveSpec, stage: Stage) -> Shot:
    """The shot of a move, or of several one after the other.

    Frame 1 is the photo for moves that start at rest, the last frame the far end; a shot that loops has its last key one
    frame after its end, equal to the first. Raises UsageError if the settings leave no room for the move.
    """
    segments, frames, markers = _timeline(settings, stage)
    if frames == 1 or not segments:
        start = segments[0].channels(1) if segments else channels_of(Pose())
        return Shot((_keyframe_of(1, start, stage),), settings.ease, frames, settings.fps, markers)
    keys: list[Keyframe] = []
    before = segments[0].channels(segments[0].first)
    for segment in segments:
        fitted, before = _fit(segment, stage, before)
        if keys and keys[-1].frame == fitted[0].frame:
            first = fitted[0]
            fitted[0] = first._replace(slopes=(keys[-1].slopes[0], first.slopes[1]))
            keys.pop()
        keys += fitted
    if _closes(settings):  # not only but for rounding
        keys[-1] = keys[0]._replace(frame=keys[-1].frame, join=None, slopes=keys[-1].slopes)
    keys = _without_still(keys)
    if all(_same(k, keys[0]) for k in keys):
        keys = [keys[0]._replace(join=None, slopes=(None, None))]
    return Shot(tuple(keys), settings.ease, frames, settings.fps, markers)


def _closes(settings: MoveSpec) -> bool:
    """Whether the shot ends where it began, one frame after its end."""
    return settings.loop or (not settings.then.strip("; ") and paths.is_periodic(settings))


def _same(a: Keyframe, b: Keyframe) -> bool:
    return (a.location, a.rotation, a.fov, a.offset) == (b.location, b.rotation, b.fov, b.offset)


def _without_still(keys: list[Keyframe]) -> list[Keyframe]:
    """Without keys in the middle of a wait."""
    waits = [_same(a, b) for a, b in zip(keys, keys[1:])]
    return [k for i, k in enumerate(keys) if not (0 < i < len(keys) - 1 and waits[i - 1] and waits[i])]


def _timeline(settings: MoveSpec, stage: Stage) -> tuple[list[_Segment], int, tuple[Marker, ...]]:
    """The segments of a shot in order, its length in frames, and the markers of its parts."""
    parts = move_parts(settings)
    total = sum(part.frames for part in parts)
    alone = len(parts) == 1
    periodic = alone and paths.is_periodic(settings)
    folded = settings.loop and not periodic
    pieces: list[tuple[int, int, paths.Path, MoveSpec | None]] = []  # frames from 0 on; None: it waits
    marks: list[tuple[str, int]] = []
    base, begin = Pose(), 0
    for i, part in enumerate(parts):
        # The last part ends with the film; all others with the first frame of the next.
        end = begin + part.frames - (1 if i == len(parts) - 1 and not folded and not periodic else 0)
        go, stop = begin + part.delay, end - part.hold
        if stop <= go and part.frames > 1:
            raise UsageError(
                f"--delay {part.delay} and --hold {part.hold} of {part.name} leave no room for the move in its {part.frames} frames; shorten them."
            )
        # The way there of a loop takes half of its frames.
        whole = part if i or not folded else replace(part, loop=False)
        share = 0.5 if folded else 1.0
        path = paths.path_of(whole, paths.stage_from(stage, base) if i else stage, (stop - go) * share / settings.fps)
        if i:
            path = paths.joined(base, path)
        marks.append((_LABELS[part.name], begin))
        pieces.append((begin, go, _waiting(path(0.0)), None))
        if i and part.loop and not paths.is_periodic(part):
            turn = go + (stop - go) // 2
            pieces.append((go, turn, path, part))
            pieces.append((turn, stop, _back(path), part))
            base = path(0.0)
        else:
            pieces.append((go, stop, path, whole))
            base = path(1.0)
        pieces.append((stop, end, _waiting(base), None))
        begin = end
    if total == 1:
        return [_Segment(1, 2, pieces[1][2], "linear", "")], 1, ()
    if folded:
        there, back = total // 2, total - total // 2
        out = [(_scaled(a, there, total), _scaled(b, there, total), path, part) for a, b, path, part in pieces]
        home = [(total - _scaled(b, back, total), total - _scaled(a, back, total), _back(path), part) for a, b, path, part in pieces[::-1]]
        marks = [(name, _scaled(at, there, total)) for name, at in marks] + [("Back", there)]
        pieces = out + home
    segments = [
        _Segment(a + 1, b + 1, path, "linear", "")
        if part is None or paths.is_periodic(part) or part.name == "handheld"
        else _Segment(a + 1, b + 1, path, part.ease, part.curve)
        for a, b, path, part in pieces
        if b > a
    ]
    if alone and paths.knots(settings):
        segments = [s._replace(knots=paths.knots(settings)) if len(pieces) == 3 and s.path is pieces[1][2] else s for s in segments]
    return segments, total, () if alone else tuple(Marker(name, at + 1) for name, at in marks)


def _scaled(at: int, length: int, whole: int) -> int:
    return round(at * length / whole)


def _waiting(pose: Pose) -> paths.Path:
    return lambda s: pose


def _back(path: paths.Path) -> paths.Path:
    return lambda s: path(1 - s)


def _fit(segment: _Segment, stage: Stage, before: Channels) -> tuple[list[Keyframe], Channels]:
    """As few keys as keep a segment within TOLERANCE, and the channels at its end. before: the channels at its start.

    Two keys with Blender's own easing where the path is straight; else keys with handles, at times at which the error is
    the same in every interval.
    """
    first, last = segment.first, segment.last
    rest = segment.path(0)
    change = max(deviation(stage, rest, segment.path(k / 16)) for k in range(1, 17))
    segment = segment._replace(tolerance=max(1e-9, min(TOLERANCE, FINE * change)))
    start = _near_turns(segment.channels(first), before)
    end = _near_turns(segment.channels(last), start)
    if _is_straight(segment, stage, start, end):
        join, slopes = (segment.ease, segment.curve), (None, None)
        if segment.curve == "bezier" and segment.ease != "linear":
            join = BY_SLOPES
            even = tuple((b - a) / (last - first) for a, b in zip(start, end))
            slopes = (_STILL if segment.ease != "out" else even, _STILL if segment.ease != "in" else even)
        keys = [_keyframe_of(first, start, stage, join, (None, slopes[0])), _keyframe_of(last, end, stage, None, (slopes[1], None))]
        return keys, end
    stops = [first, *(round(first + k * (last - first)) for k in segment.knots), last]
    frames = [first]
    for a, b in zip(stops, stops[1:]):
        if b > a:
            frames += _spread(segment, stage, a, b)[1:]
    keys = []
    channels = start
    for i, frame in enumerate(frames):
        channels = _near_turns(segment.channels(frame), channels)
        # Where a curve with handles would not do from one frame to the next, a straight line is exact at both.
        by_slopes = i < len(frames) - 1 and (frames[i + 1] - frame > 1 or _is_smooth(segment, stage, frame, frames[i + 1]))
        left = _curve(segment, frames[i - 1], frame)[3] if keys and keys[-1].join == BY_SLOPES else None
        right = _curve(segment, frame, frames[i + 1])[2] if by_slopes else None
        keys.append(_keyframe_of(frame, channels, stage, BY_SLOPES if by_slopes else ("linear", ""), (left, right)))
    keys[-1] = keys[-1]._replace(join=None)
    return keys, channels


def _curve(segment: _Segment, a: int, b: int) -> tuple[Channels, Channels, Channels, Channels]:
    """What a curve between keys at frames a and b begins and ends with: both places, then both slopes."""
    start = segment.channels(a)
    end = _near_turns(segment.channels(b), start)
    leaving, arriving = segment.slope(a, 0.25), segment.slope(b, -0.25)
    if segment.curve in MONOTONE:
        # No steeper than three times the mean, or the curve would go back a little first (Fritsch and Carlson 1980).
        most = [3 * (q - p) / (b - a) for p, q in zip(start, end)]
        leaving, arriving = (tuple(map(_limited, slopes, most)) for slopes in (leaving, arriving))
    return start, end, leaving, arriving


def _limited(slope: float, most: float) -> float:
    return most if most * slope > 0 and abs(slope) > abs(most) else slope


def _is_straight(segment: _Segment, stage: Stage, start: Channels, end: Channels) -> bool:
    """Whether the path between two keys is a straight line in all channels, or as good as one."""
    count = 32
    for i in range(1, count):
        s = eased(segment.ease, segment.curve, i / count)
        line = tuple(a + s * (b - a) for a, b in zip(start, end))
        if deviation(stage, pose_of(line), segment.path(s)) > segment.tolerance:
            return False
    return True


def _is_smooth(segment: _Segment, stage: Stage, a: int, b: int) -> bool:
    """Whether one curve between keys at frames a and b is as good as the path."""
    start, end, leaving, arriving = _curve(segment, a, b)
    count = min(64, max(4, 2 * (b - a)))
    for i in range(1, count):
        t = i / count
        guess = hermite(start, end, leaving, arriving, b - a, t)
        if deviation(stage, pose_of(guess), segment.pose(a + t * (b - a))) > segment.tolerance:
            return False
    return True


def hermite(start: Channels, end: Channels, leaving: Channels, arriving: Channels, frames: float, t: float) -> Channels:
    """The cubic curve of two keys whose handles are a third of their distance long, at the share `t` of the time between."""
    h00, h10, h01, h11 = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2, t * t * (3 - 2 * t), t * t * (t - 1)
    return tuple(h00 * p + h10 * frames * m + h01 * q + h11 * frames * n for p, m, q, n in zip(start, leaving, end, arriving))


def _spread(segment: _Segment, stage: Stage, first: int, last: int) -> list[int]:
    """Frames from first to last, as few as TOLERANCE allows, then as even as they may be."""
    frames = [first]
    while frames[-1] < last:
        here = frames[-1]
        good, bad = 1, None
        while bad is None and here + good < last:  # grow, never look far ahead: a short swing would be missed between samples
            longer = min(2 * good, last - here)
            if _is_smooth(segment, stage, here, here + longer):
                good = longer
            else:
                bad = longer
        while bad is not None and bad - good > 1:
            middle = (good + bad) // 2
            if _is_smooth(segment, stage, here, here + middle):
                good = middle
            else:
                bad = middle
        frames.append(min(here + good, last))
    count = len(frames) - 1
    even = [first + round(i * (last - first) / count) for i in range(count + 1)]
    if all(b > a and _is_smooth(segment, stage, a, b) for a, b in zip(even, even[1:])):
        return even
    return frames


def _keyframe_of(
    frame: int,
    channels: Channels,
    stage: Stage,
    join: tuple[str, str] | None = None,
    slopes: tuple[Channels | None, Channels | None] = (None, None),
) -> Keyframe:
    x, y, z, a, b, c, zoom, u, v = (round(n, 12) + 0.0 for n in channels)  # channels that do not move are not to be keyed
    fov = None if zoom == 1 else math.degrees(2 * math.atan(stage.tan_width / 2 / zoom))
    return Keyframe(frame, (x, y, z), (a, b, c), fov, (u / zoom + 0.0, v / zoom + 0.0), join, slopes)


def zoom_of(key: Keyframe, tan_width: float) -> float:
    """How much larger than at rest a key shows what has not moved. tan_width: the photo's width in tangents."""
    return 1.0 if key.fov is None else tan_width / (2 * math.tan(math.radians(key.fov) / 2))


def channels_at_key(key: Keyframe, tan_width: float) -> Channels:
    """The numbers that a key stands for."""
    zoom = zoom_of(key, tan_width)
    return (*key.location, *key.rotation, zoom, key.offset[0] * zoom, key.offset[1] * zoom)


def key_at(shot: Shot, stage: Stage, frame: float) -> Keyframe:
    """Where the camera stands at any frame, as Blender will have it; its `frame` is the whole part of the one asked for.

    Between keys that are joined smoothly by Blender (those of a camera path) this is a straight line, which is near it.
    """
    keys = shot.keyframes
    after = bisect_right([k.frame for k in keys], frame)
    if after == 0 or after == len(keys):
        return keys[0 if after == 0 else -1]._replace(frame=math.floor(frame), join=None, slopes=(None, None))
    a, b = keys[after - 1], keys[after]
    t = (frame - a.frame) / (b.frame - a.frame)
    start, end = channels_at_key(a, stage.tan_width), channels_at_key(b, stage.tan_width)
    if a.join == BY_SLOPES:
        leaving, arriving = a.slopes[1], b.slopes[0]
        assert leaving is not None and arriving is not None
        found = hermite(start, end, leaving, arriving, b.frame - a.frame, t)
    else:
        ease, curve = a.join or ("linear", "")
        s = eased(ease, curve, t)
        found = tuple(p + s * (q - p) for p, q in zip(start, end))
    return _keyframe_of(math.floor(frame), found, stage)


def sampled(shot: Shot, stage: Stage, most: int = 200) -> tuple[Keyframe, ...]:
    """The camera at every frame of the film, or at `most` frames that are spread evenly, and at every key."""
    count = min(most, shot.frames)
    frames = {1 + round(i * (shot.frames - 1) / max(1, count - 1)) for i in range(count)}
    frames |= {k.frame for k in shot.keyframes if k.frame <= shot.frames}
    return tuple(key_at(shot, stage, frame) for frame in sorted(frames))


def starts_at_rest(settings: MoveSpec) -> bool:
    """Whether the first frame of the move is the photo."""
    first = move_parts(settings)[0]
    start = paths.path_of(first, Stage(1.0, 2.0, 1.0, 1.0), first.frames / first.fps)(0.0)
    return all(abs(a - b) < 1e-9 for a, b in zip(channels_of(start), channels_of(Pose())))


def fitted(settings: MoveSpec, frames: int, fps: float) -> MoveSpec:
    """The same moves in a film whose length is given: the first takes what the others leave. Raises UsageError."""
    rest = sum(part.frames for part in move_parts(replace(settings, fps=fps))[1:])
    if rest and frames - rest < 2:
        raise UsageError(f"--then {settings.then!r}: these moves take {rest} frames, the film has {frames}; shorten them.")
    return replace(settings, frames=frames - rest, seconds=None, fps=fps)


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
    """How much larger than in the photo anything from the subject to the horizon is seen at most, at least 1; zoom included."""
    largest = 1.0
    for key in keyframes:
        distance = max(stage.focus + key.location[2], stage.focus * 0.05)
        # What is far away grows by the zoom alone, the subject also by coming nearer.
        largest = max(largest, max(1.0, stage.focus / distance) * zoom_of(key, stage.tan_width))
    return largest


__all__ = [
    "BY_SLOPES", "CLOSEST", "ORBIT_DEGREES", "PARALLAX", "PUSH_IN", "PUSH_IN_CLOSE", "TOLERANCE", "Keyframe", "Marker", "Shot", "Stage",
    "channels_at_key", "deviation", "fitted", "key_at", "magnification", "plan", "pose_of", "read_camera_path", "sampled", "shot",
    "starts_at_rest", "zoom_of",
]  # fmt: skip
