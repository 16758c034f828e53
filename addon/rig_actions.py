"""Ready actions of a rigged person: pure functions from a name and some numbers to keyframes.

A channel is one of the 52 sliders, or a movement of a bone in the subject's own axes; which of a bone's channels that is, and how far
its limits let it go, is the business of whoever writes the keys (scene/rig_play.py). Every clip begins and ends with the photo's own
pose, so that clips can follow each other and a film of them repeats. Standard library only.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .errors import UsageError

Keys = tuple[tuple[float, float], ...]
"""(frame, value), in the order of the frames."""


class Channel(NamedTuple):
    """bone: "" for a slider. name: of the slider; of a bone "turn" (to the subject's left), "nod" (forward and down) or "tilt" (to the
    subject's right; of a shoulder: its outer end up on the left, down on the right) in radians, or "left", "up" or "out" (of the face) in metres. Of the bone `eyes`, turn and nod are those of the gaze."""

    bone: str
    name: str


class Curve(NamedTuple):
    """One channel over time. smooth: eased from key to key; else in straight lines."""

    channel: Channel
    keys: Keys
    smooth: bool = True


class Clip(NamedTuple):
    """frames: its length; the keys go from frame 1 to that one."""

    name: str
    frames: int
    curves: tuple[Curve, ...]


class Voice(NamedTuple):
    """What a talking mouth follows, one value for each frame, each in [0, 1]: how loud it is, and how bright the sound is (an "ee" or
    "s" against an "oo")."""

    loudness: tuple[float, ...]
    brightness: tuple[float, ...]


class Action(NamedTuple):
    """label: for people. seconds: how long it takes if there is time. peak: seconds at which it is a pose. loops: it goes on evenly
    as long as the film does."""

    label: str
    seconds: float
    peak: float
    loops: bool = False


ACTIONS: dict[str, Action] = {
    "look-left": Action("Look Left", 2.6, 1.2),
    "look-right": Action("Look Right", 2.6, 1.2),
    "look-up": Action("Look Up", 2.6, 1.2),
    "look-down": Action("Look Down", 2.6, 1.2),
    "blink": Action("Blink", 1.0, 0.445, loops=True),
    "slow-smile": Action("Slow Smile", 3.6, 1.8),
    "nod": Action("Nod", 1.8, 0.45, loops=True),
    "turn": Action("Turn", 4.0, 1.1),
    "breathe": Action("Breathe", 4.0, 1.6, loops=True),
    "surprise": Action("Surprise", 2.4, 0.6),
    "talk": Action("Talk", 2.0, 0.3, loops=True),
}

_LEFT, _UP = Channel("eyes", "turn"), Channel("eyes", "nod")
_TURN, _NOD, _TILT = (Channel("head", name) for name in ("turn", "nod", "tilt"))
_NECK_TURN, _NECK_NOD = Channel("neck", "turn"), Channel("neck", "nod")
_NECK = 0.3
"""Share of a turn or nod of the head that the neck takes."""
_BREATH = 4.0  # seconds
_CLOSING, _CLOSED, _OPENING = 0.08, 0.03, 0.14
"""Seconds of a blink, a quarter of a second in all (VanderWerf et al. 2003, "Eyelid movements")."""

Moves = dict[Channel, list[tuple[float, float]]]
"""Keys in seconds from the start."""


def both(name: str) -> tuple[Channel, Channel]:
    """The sliders of both sides."""
    return Channel("", f"{name}Left"), Channel("", f"{name}Right")


def parse_actions(text: str) -> tuple[tuple[str, ...], ...]:
    """The actions of a chain such as "slow-smile + blink; nod": groups one after the other, each of actions at the same time.

    Raises UsageError, in one sentence, for a name that is not known.
    """
    groups = []
    for part in text.split(";"):
        names = tuple(word.strip().lower() for word in part.split("+") if word.strip())
        for name in names:
            if name not in ACTIONS:
                raise UsageError(f"--action {name!r} is not known: choose one of {', '.join(ACTIONS)}, or a CSV file of a face capture.")
        if names:
            groups.append(names)
    return tuple(groups)


def is_capture(text: str) -> bool:
    """Whether an action is a file of a face capture rather than names."""
    return text.strip().lower().endswith(".csv")


def natural_frames(text: str, fps: float) -> int:
    """Frames that a chain of actions takes if nothing else decides."""
    groups = parse_actions(text)
    return 1 + math.ceil(fps * sum(max(ACTIONS[name].seconds for name in group) for group in groups))


def chain(text: str, frames: int, fps: float, *, amount: float = 1.0, seed: int = 0, voice: Voice | None = None) -> Clip:
    """The clip of a chain of actions (see `parse_actions`) over `frames` frames.

    voice: of all these frames; a talk without one babbles. Raises UsageError for an unknown name.
    """
    groups = parse_actions(text)
    lengths = [max(ACTIONS[name].seconds for name in group) for group in groups]
    clips, start = [], 0
    for number, group in enumerate(groups):
        end = frames if number == len(groups) - 1 else max(start + 1, round(frames * sum(lengths[: number + 1]) / sum(lengths)))
        part = None if voice is None else Voice(voice.loudness[start:end], voice.brightness[start:end])
        count = max(1, end - start)
        made = [clip(name, count, fps, amount=amount, seed=seed + 101 * number, voice=part) for name in group]
        clips.append(shifted(together(made), start))
        start = end
    return Clip(text.strip(), frames, together(clips).curves)


def clip(name: str, frames: int, fps: float, *, amount: float = 1.0, seed: int = 0, voice: Voice | None = None) -> Clip:
    """One action over `frames` frames. amount: 1 is natural, 0 nothing. A single frame shows the pose at its height."""
    if frames < 2:
        return Clip(name, 1, tuple(Curve(channel, ((1.0, value),)) for channel, value in pose(name, amount).items()))
    seconds = (frames - 1) / fps
    if name == "talk":
        curves = _talk(frames, fps, random.Random(f"{seed} talk"), voice)
    else:
        length = max(seconds, ACTIONS[name].seconds)
        squeeze = seconds / length  # a film shorter than the action plays it faster
        moves = _MAKERS[name](length, random.Random(f"{seed} {name}"))
        curves = [Curve(channel, _on_frames(keys, squeeze * fps, frames)) for channel, keys in moves.items()]
    return Clip(name, frames, tuple(_scaled(curve, amount) for curve in curves if any(value for _, value in curve.keys)))


def pose(name: str, amount: float = 1.0) -> dict[Channel, float]:
    """The values of an action at its height."""
    action, fps = ACTIONS[name], 100.0
    whole = clip(name, round(action.seconds * fps) + 1, fps, amount=amount)
    found = {curve.channel: value_at(curve, 1 + action.peak * fps) for curve in whole.curves}
    return {channel: value for channel, value in found.items() if abs(value) > 1e-4}


def value_at(curve: Curve, frame: float) -> float:
    """The value of a curve at a frame, as the keys are joined here: by straight lines or an S."""
    frames = [f for f, _ in curve.keys]
    at = bisect_right(frames, frame)
    if at == 0:
        return curve.keys[0][1]
    if at == len(frames):
        return curve.keys[-1][1]
    (f0, v0), (f1, v1) = curve.keys[at - 1], curve.keys[at]
    share = (frame - f0) / (f1 - f0)
    if curve.smooth:
        share *= share * (3 - 2 * share)
    return v0 + (v1 - v0) * share


def together(clips: Sequence[Clip]) -> Clip:
    """Several clips as one: where they move one channel, their values add up."""
    found: dict[Channel, list[Curve]] = {}
    for each in clips:
        for curve in each.curves:
            found.setdefault(curve.channel, []).append(curve)
    curves = []
    for channel, parts in found.items():
        if len(parts) == 1:
            curves.append(parts[0])
            continue
        at = sorted({frame for part in parts for frame, _ in part.keys})
        keys = tuple((frame, sum(value_at(part, frame) for part in parts)) for frame in at)
        curves.append(Curve(channel, keys, any(part.smooth for part in parts)))
    return Clip(" + ".join(each.name for each in clips), max((each.frames for each in clips), default=1), tuple(curves))


def shifted(one: Clip, by: float) -> Clip:
    """The clip `by` frames later."""
    return one._replace(curves=tuple(c._replace(keys=tuple((frame + by, value) for frame, value in c.keys)) for c in one.curves))


def thinned(values: Sequence[float], tolerance: float, first: float = 1.0) -> Keys:
    """Keys for one value a frame, without those that a straight line between the others gives to within `tolerance`.

    Ramer, Douglas and Peucker's method, with an error along the values alone.
    """
    kept = {0, len(values) - 1}
    open_spans = [(0, len(values) - 1)]
    while open_spans:
        a, b = open_spans.pop()
        worst, at = tolerance, -1
        for i in range(a + 1, b):
            error = abs(values[a] + (values[b] - values[a]) * (i - a) / (b - a) - values[i])
            if error > worst:
                worst, at = error, i
        if at >= 0:
            kept.add(at)
            open_spans += [(a, at), (at, b)]
    return tuple((first + i, float(values[i])) for i in sorted(kept))


def _scaled(curve: Curve, amount: float) -> Curve:
    top = 1.0 if not curve.channel.bone else math.inf  # a slider ends at 1
    keys = tuple((frame, min(top, value * amount) if amount >= 0 else value * amount) for frame, value in curve.keys)
    return curve._replace(keys=keys)


def _on_frames(keys: Iterable[tuple[float, float]], per_second: float, frames: int) -> Keys:
    """Keys on whole frames; of those that fall on one, the first and last of all stay neutral and else the strongest counts."""
    found: dict[int, float] = {}
    for second, value in keys:
        frame = min(frames, max(1, 1 + round(second * per_second)))
        if frame not in found or abs(value) > abs(found[frame]):
            found[frame] = value
    found[1] = found[frames] = 0.0
    return tuple((float(frame), found[frame]) for frame in sorted(found))


def _radians(*degrees: float) -> tuple[float, ...]:
    return tuple(math.radians(d) for d in degrees)


def _there_and_back(moves: Moves, channel: Channel, value: float, start: float, rise: float, leave: float, fall: float) -> None:
    moves.setdefault(channel, []).extend([(0, 0), (start, 0), (start + rise, value), (leave, value), (leave + fall, 0)])


def _turned(moves: Moves, channel: Channel, value: float, start: float, rise: float, leave: float, fall: float) -> None:
    """`_there_and_back` of the head, of which the neck does its share."""
    neck = {_TURN: _NECK_TURN, _NOD: _NECK_NOD}[channel]
    _there_and_back(moves, channel, (1 - _NECK) * value, start, rise, leave, fall)
    _there_and_back(moves, neck, _NECK * value, start + 0.05, rise, leave + 0.03, fall)


def _blinks(moves: Moves, starts: Iterable[float], depth: float = 1.0) -> None:
    for start in starts:
        for late, channel in zip((0.0, 0.008), both("eyeBlink")):
            at = start + late
            keys = [(at, 0), (at + _CLOSING, depth), (at + _CLOSING + _CLOSED, depth), (at + _CLOSING + _CLOSED + _OPENING, 0)]
            moves.setdefault(channel, [(0, 0)]).extend(keys)
        for channel in both("cheekSquint"):
            moves.setdefault(channel, [(0, 0)]).extend([(start, 0), (start + _CLOSING, 0.12 * depth), (start + 0.3, 0)])


def _look(yaw: float, pitch: float, length: float) -> Moves:
    """The eyes go first, and far; the head follows, and gives the eyes back what it takes. yaw: to the left, pitch: down; degrees."""
    moves: Moves = {}
    start, leave = 0.25, length - 0.95
    for gaze, head, degrees, of_head in ((_LEFT, _TURN, yaw, 0.5), (_UP, _NOD, pitch, 0.45)):
        if not degrees:
            continue
        whole, turned = _radians(degrees, degrees * of_head)
        first, rest = 0.72 * whole, whole - turned
        moves[gaze] = [
            (0, 0), (start, 0), (start + 0.1, first), (start + 0.28, first), (start + 0.75, rest), (leave, rest),
            (leave + 0.1, rest - first), (leave + 0.25, rest - first), (leave + 0.72, 0),
        ]  # fmt: skip
        _turned(moves, head, turned, start + 0.1, 0.6, leave + 0.08, 0.65)
    if pitch > 0:  # the upper lids go down with the eyes
        for channel in both("eyeBlink"):
            _there_and_back(moves, channel, 0.35, start, 0.12, leave, 0.15)
    elif pitch < 0:
        for channel, value in zip((*both("eyeWide"), Channel("", "browInnerUp")), (0.35, 0.35, 0.2)):
            _there_and_back(moves, channel, value, start, 0.3, leave, 0.4)
    else:  # a large turn of the eyes comes with a blink
        _blinks(moves, (start + 0.04,), 0.85)
    return moves


def _every(length: float, each: float, first: float, rng: random.Random, last: float) -> list[float]:
    """Times from `first` on, `each` seconds apart, unevenly, none within `last` seconds of the end."""
    found, at = [], first
    while at <= length - last:
        found.append(at)
        at += each * rng.uniform(0.7, 1.4)
    return found


def _blink(length: float, rng: random.Random) -> Moves:
    moves: Moves = {}
    _blinks(moves, _every(length, 3.2, 0.35, rng, 0.4))
    return moves


def _smile(length: float, rng: random.Random) -> Moves:
    del rng
    moves: Moves = {}
    leave = length - 1.3
    parts = (("mouthSmile", 0.75, 0.0), ("mouthDimple", 0.15, 0.15), ("cheekSquint", 0.45, 0.25), ("eyeSquint", 0.3, 0.35))
    for name, value, late in parts:
        for side, channel in enumerate(both(name)):  # one side a little before the other, as in faces
            start = 0.1 + late + 0.06 * side
            _there_and_back(moves, channel, value * (1 - 0.06 * side), start, 1.25, leave + 0.1 * (1 - side), 1.1)
    _there_and_back(moves, _TILT, math.radians(1.5), 0.4, 1.4, leave, 1.2)
    return moves


def _nod(length: float, rng: random.Random) -> Moves:
    moves: Moves = {channel: [(0, 0)] for channel in (_NOD, _NECK_NOD, _UP)}
    for start in _every(length, 3.4, 0.15, rng, 1.6):
        for late, degrees in ((0, 0), (0.3, 9), (0.62, -2), (0.92, 5.5), (1.2, -0.8), (1.45, 0)):
            for channel, share, after in ((_NOD, 1 - _NECK, 0.0), (_NECK_NOD, _NECK, 0.04), (_UP, -0.85, 0.0)):  # the gaze stays
                moves[channel].append((start + late + after, math.radians(degrees) * share))
    return moves


def _turn(length: float, rng: random.Random) -> Moves:
    """To the left, to the right, and back, the eyes ahead of the head."""
    del rng
    moves: Moves = {}
    a, b, c, d = (length * share for share in (0.05, 0.25, 0.55, 0.75))
    (far,) = _radians(14)
    for channel, share, late in ((_TURN, 1 - _NECK, 0.1), (_NECK_TURN, _NECK, 0.16)):
        keys = [(0, 0), (a, 0), (b, far), (b + 0.1 * length, far), (c, -far), (c + 0.1 * length, -far), (d + 0.15 * length, 0)]
        moves[channel] = [(at + late * min(1.0, length / 4) if at else 0.0, share * value) for at, value in keys]
    (ahead,) = _radians(9)
    moves[_LEFT] = [
        (0, 0), (a, 0), (a + 0.12, ahead), (b, 0.4 * ahead), (b + 0.1 * length, 0.3 * ahead), (b + 0.1 * length + 0.12, -ahead),
        (c, -0.4 * ahead), (c + 0.1 * length, -0.3 * ahead), (c + 0.1 * length + 0.12, 0.5 * ahead), (d + 0.15 * length, 0),
    ]  # fmt: skip
    _blinks(moves, (a + 0.05, b + 0.1 * length + 0.05))
    return moves


def _breathe(length: float, rng: random.Random) -> Moves:
    """Whole breaths, so that a film of them repeats; in quicker than out, then a rest."""
    del rng
    count = max(1, round(length / _BREATH))
    parts = (
        (Channel("chest", "nod"), math.radians(-1.2), 0.0), (Channel("chest", "up"), 0.003, 0.0), (Channel("chest", "out"), 0.003, 0.0),
        (Channel("shoulder.L", "tilt"), math.radians(1.4), 0.06), (Channel("shoulder.R", "tilt"), math.radians(-1.4), 0.06),
        (_NECK_NOD, math.radians(0.5), 0.1), (_NOD, math.radians(0.6), 0.14),
    )  # fmt: skip
    moves: Moves = {}
    for channel, value, late in parts:
        keys = [(0.0, 0.0)]
        for breath in range(count):
            start, each = breath * length / count, length / count
            keys += [(start + share * each, v) for share, v in ((0.02 + late, 0), (0.4 + 0.5 * late, value), (0.84 + late, 0))]
        moves[channel] = keys
    return moves


def _surprise(length: float, rng: random.Random) -> Moves:
    del rng
    moves: Moves = {}
    leave = min(length - 1.0, 1.3)
    parts = (
        (both("eyeWide"), 0.45, 0.2, 0.12), (both("browOuterUp"), 0.8, 0.2, 0.2), ((Channel("", "browInnerUp"),), 0.9, 0.2, 0.2),
        ((Channel("", "jawOpen"),), 0.35, 0.26, 0.22), ((Channel("", "mouthFunnel"),), 0.15, 0.28, 0.22),
    )  # fmt: skip
    _blinks(moves, (0.05,), 0.6)
    for channels, value, start, rise in parts:
        for channel in channels:
            moves[channel] = [(0, 0), (start, 0), (start + rise, value), (leave, 0.9 * value), (leave + 0.85, 0)]
    _turned(moves, _NOD, math.radians(-4), 0.22, 0.25, leave, 0.95)
    moves[_UP] = [(0, 0), (0.22, 0), (0.47, math.radians(3.4)), (leave, math.radians(3.4)), (leave + 0.9, 0)]
    return moves


_MAKERS: dict[str, Callable[[float, random.Random], Moves]] = {
    "look-left": lambda length, rng: _look(24, 0, length),
    "look-right": lambda length, rng: _look(-24, 0, length),
    "look-up": lambda length, rng: _look(0, -18, length),
    "look-down": lambda length, rng: _look(0, 20, length),
    "blink": _blink,
    "slow-smile": _smile,
    "nod": _nod,
    "turn": _turn,
    "breathe": _breathe,
    "surprise": _surprise,
}

_SHAPES = (
    # slider, at a bright sound, at a dark one, as shares of the loudness
    ("jawOpen", 0.5, 0.6), ("mouthLowerDownLeft", 0.3, 0.1), ("mouthLowerDownRight", 0.3, 0.1), ("mouthUpperUpLeft", 0.22, 0.05),
    ("mouthUpperUpRight", 0.22, 0.05), ("mouthStretchLeft", 0.3, 0.0), ("mouthStretchRight", 0.28, 0.0), ("mouthFunnel", 0.0, 0.4),
    ("mouthPucker", 0.0, 0.3),
)  # fmt: skip
_PRECISE = 0.012
"""How far a thinned curve of a slider may be from the values."""


def _talk(frames: int, fps: float, rng: random.Random, voice: Voice | None) -> list[Curve]:
    heard = voice if voice is not None and voice.loudness else babble(frames, fps, rng)
    loud, bright = (_filled(values, frames) for values in heard)
    soft = max(1, round(0.08 * fps))
    fade = [min(1.0, i / soft, (frames - 1 - i) / soft) for i in range(frames)]
    curves = []
    for name, at_bright, at_dark in _SHAPES:
        values = [edge * level * (at_dark + (at_bright - at_dark) * tone) for edge, level, tone in zip(fade, loud, bright)]
        curves.append(Curve(Channel("", name), thinned(values, _PRECISE), smooth=False))
    length = (frames - 1) / fps
    moves: Moves = {}
    if length >= 1.5:
        _blinks(moves, _every(length, 3.0, 0.9, rng, 0.5))
        sway: Moves = {channel: [(0, 0)] for channel in (_NOD, _TURN, _TILT)}
        at = 0.4
        while at < length - 0.5:
            strength = loud[min(frames - 1, round(at * fps))]
            for channel, most in ((_NOD, 2.2), (_TURN, 2.5), (_TILT, 1.4)):
                sway[channel].append((at, math.radians(rng.uniform(-0.6, 1.0) * most * (0.35 + 0.65 * strength))))
            at += rng.uniform(0.35, 0.8)
        moves.update(sway)
    return curves + [Curve(channel, _on_frames(keys, fps, frames)) for channel, keys in moves.items()]


def babble(frames: int, fps: float, rng: random.Random) -> Voice:
    """A voice without a sound: phrases of syllables, four to five a second, with pauses."""
    loud, bright = [0.0] * frames, [0.5] * frames
    at, length = 0.12, frames / fps
    while at < length:
        phrase_end = at + rng.uniform(1.0, 2.4)
        while at < min(phrase_end, length):
            each, height, tone = rng.uniform(0.16, 0.26), rng.uniform(0.45, 1.0), rng.random()
            for i in range(max(0, math.ceil(at * fps)), min(frames, math.ceil((at + each) * fps))):
                loud[i] = height * math.sin(math.pi * (i / fps - at) / each) ** 0.8
                bright[i] = tone
            at += each * rng.uniform(0.9, 1.1)
        at += rng.uniform(0.25, 0.6)
    return Voice(tuple(loud), _smoothed(bright))


def _smoothed(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(sum(values[max(0, i - 1) : i + 2]) / len(values[max(0, i - 1) : i + 2]) for i in range(len(values)))


def _filled(values: Sequence[float], frames: int) -> list[float]:
    """One value a frame; silence where the sound is over."""
    found = [min(1.0, max(0.0, float(v))) for v in values[:frames]]
    return found + [0.0] * (frames - len(found))
