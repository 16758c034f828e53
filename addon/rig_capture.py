"""Face captures: the CSV files of ARKit apps (Live Link Face and its like) become keyframes of sliders and bones.

Live Link Face writes `Timecode,BlendshapeCount,EyeBlinkLeft,...,TongueOut` and, in most versions, `HeadYaw,HeadPitch,HeadRoll,
LeftEyeYaw,...,RightEyeRoll`, one row a frame, times as hours:minutes:seconds:frames.share of a frame, angles in radians. Others write the
names as Apple spells them (`eyeBlinkLeft`), with a column of seconds or of frame numbers, or without any.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .rig_actions import Channel, Clip, Curve, thinned
from .vision.files import read_file, shown
from .vision.rigging import ARKIT

MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 1_000_000
_MOST_COLUMNS = 512
_RATES = (24, 25, 30, 48, 50, 60)
_USUAL_RATE = 60.0
_TOLERANCE = 0.004
_WITHIN = 25  # places within a film's frame at which a recording is looked at
_DAY = 86400.0
_LONGEST = 4 * 3600.0  # seconds
_ANGLES = ("headyaw", "headpitch", "headroll", "lefteyeyaw", "lefteyepitch", "righteyeyaw", "righteyepitch")
_TIMES = ("timecode", "time", "seconds", "timestamp", "frame")


class Capture(NamedTuple):
    """times: float64 N, seconds from the first row on, rising. shapes: ARKit name to float64 N in [0, 1]. angles: name in small
    letters ("headyaw" ...) to float64 N, radians."""

    times: NDArray[np.float64]
    shapes: dict[str, NDArray[np.float64]]
    angles: dict[str, NDArray[np.float64]]

    @property
    def seconds(self) -> float:
        """From the first row to the last."""
        return float(self.times[-1])

    def frames(self, fps: float) -> int:
        """The length of a film that shows all of it."""
        return max(1, 1 + math.floor(self.seconds * fps + 1e-6))


def read_capture(path: Path) -> Capture:
    """Read a face capture. Raises InputError, one sentence that names the file and the row, if it is not one."""
    data = read_file(path, limit=MOST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, "it is not text in UTF-8") from error
    if "\0" in text:
        raise _wrong(path, "it is not a text file")
    try:
        return _parsed(text, path)
    except csv.Error as error:
        raise _wrong(path, f"it is not CSV: {error}") from error


def _wrong(path: Path, what: str) -> InputError:
    return InputError(
        f"{shown(path)}: not a face capture that can be used ({what}); export it as CSV with ARKit's names, as Live Link Face does."
    )


def _parsed(text: str, path: Path) -> Capture:
    first = text[: text.find("\n") if "\n" in text else len(text)]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = [name.strip() for name in next(rows, [])]
    if len(header) > _MOST_COLUMNS:
        raise _wrong(path, f"it has {len(header)} columns")
    known = {name.lower(): name for name in ARKIT}
    columns = {name.lower().replace("_", "").replace(" ", ""): i for i, name in reversed(list(enumerate(header)))}
    shapes = {known[name]: i for name, i in columns.items() if name in known}
    if not shapes:
        raise _wrong(path, "its first row names none of ARKit's shapes such as EyeBlinkLeft")
    angles = {name: columns[name] for name in _ANGLES if name in columns}
    time = next(((name, columns[name]) for name in _TIMES if name in columns), None)
    wanted = [*shapes.values(), *angles.values()]
    values: list[list[float]] = []
    clock: list[str] = []
    for row in rows:
        if not row or not any(cell.strip() for cell in row):
            continue
        if len(values) >= MOST_ROWS:
            raise _wrong(path, f"it has more than {MOST_ROWS:,} rows")
        if len(row) != len(header):
            if len(row) == 1 + len(header) and not row[-1].strip():
                row = row[:-1]  # some programs end each row with a comma
            else:
                raise _wrong(path, f"row {rows.line_num} has {len(row)} columns and the first {len(header)}")
        try:
            numbers = [float(row[i]) for i in wanted]
        except ValueError as error:
            raise _wrong(path, f"row {rows.line_num} holds something that is no number") from error
        if not all(map(math.isfinite, numbers)):
            raise _wrong(path, f"row {rows.line_num} holds a number that is not finite")
        values.append(numbers)
        clock.append("" if time is None else row[time[1]].strip())
    if not values:
        raise _wrong(path, "it has no rows after the first")
    table = np.array(values, np.float64)
    levels = table[:, : len(shapes)]
    if levels.max() > 1.5 or levels.min() < -0.5:
        raise _wrong(path, "its values are not between 0 and 1")
    if angles and np.abs(table[:, len(shapes) :]).max() > 2 * math.pi:
        raise _wrong(path, "its angles are not in radians")
    times, kept = _times(clock, time[0] if time is not None else "", path)
    table = table[kept]
    return Capture(
        times,
        {name: np.clip(table[:, i], 0, 1) for i, name in enumerate(shapes)},
        {name: table[:, len(shapes) + i] for i, name in enumerate(angles)},
    )


def _times(clock: list[str], kind: str, path: Path) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Seconds from the first row on, and the rows that they belong to: those that do not go back in time."""
    if not kind:
        return np.arange(len(clock)) / _USUAL_RATE, np.arange(len(clock))
    try:
        if any(":" in text for text in clock):
            seconds = _seconds(clock)
        else:
            seconds = np.array([float(text) for text in clock], np.float64)
            if kind == "frame":
                seconds /= _USUAL_RATE
            elif kind == "timestamp" and len(seconds) > 1 and np.median(np.diff(seconds)) > 2:
                seconds /= 1000  # milliseconds
    except ValueError as error:
        raise _wrong(path, f"its column {kind!r} holds something that is no time") from error
    if not np.isfinite(seconds).all():
        raise _wrong(path, f"its column {kind!r} holds something that is no time")
    seconds = seconds - seconds[0]
    forward = np.flatnonzero(np.concatenate([[True], seconds[1:] > np.maximum.accumulate(seconds)[:-1]]))
    if len(forward) < 0.5 * len(seconds):
        raise _wrong(path, "its times do not rise")
    if seconds[forward[-1]] > _LONGEST:
        raise _wrong(path, f"it runs for {seconds[forward[-1]] / 3600:.3g} hours")
    return seconds[forward], forward


def _seconds(clock: list[str]) -> NDArray[np.float64]:
    """Timecodes (hours:minutes:seconds:frames.share, or ;frames) in seconds. Raises ValueError."""
    parts = []
    for text in clock:
        fields = [float(part) for part in text.replace(";", ":").split(":")]
        if not 3 <= len(fields) <= 4 or not all(map(math.isfinite, fields)):
            raise ValueError(text)
        parts.append((*fields, 0.0) if len(fields) == 3 else tuple(fields))
    table = np.array(parts, np.float64)
    whole = table[:, 0] * 3600 + table[:, 1] * 60 + np.floor(table[:, 2])
    seconds = whole + table[:, 2] % 1 + table[:, 3] / _rate(table[:, 3], whole)
    days = np.concatenate([[0], np.cumsum(np.diff(seconds) < -_DAY / 2)])  # past midnight
    return seconds + days * _DAY


def _rate(frames: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    """Frames per second of timecodes: the least usual rate that counts so far, where whole seconds were seen."""
    most = float(np.floor(frames).max())
    if np.unique(whole).size < 3:  # the recording is too short to tell
        return _USUAL_RATE if most < _USUAL_RATE else most + 1
    return float(next((rate for rate in _RATES if most < rate), most + 1))


def capture_clip(capture: Capture, fps: float, frames: int | None = None, *, amount: float = 1.0, name: str = "Face Capture") -> Clip:
    """A capture as a clip at `fps` frames per second; `frames` cuts it off or holds its end.

    Where the eyes' shapes move, their angles are left out, for they tell the same once more. HeadYaw turns to the subject's left,
    HeadPitch up and HeadRoll tilts to the subject's right, while an eye's yaw looks to the subject's right and its pitch down (so in
    twelve recordings of Live Link Face, beside the eyes' shapes in them). The first row's angles count as straight ahead, as the photo shows them.
    """
    count = frames or capture.frames(fps)
    at = np.arange(count) / fps
    curves = []
    for shape, values in capture.shapes.items():
        sampled = np.clip(_sampled(capture.times, values, at, fps) * amount, 0, 1)
        if sampled.max() > _TOLERANCE:
            curves.append(Curve(Channel("", shape), thinned(sampled.tolist(), _TOLERANCE), smooth=False))
    for channel, values in _turns(capture).items():
        sampled = _sampled(capture.times, values - values[0], at, fps) * amount
        if np.abs(sampled).max() > 1e-3:
            curves.append(Curve(channel, thinned(sampled.tolist(), math.radians(0.1)), smooth=False))
    return Clip(name, count, tuple(curves))


def _turns(capture: Capture) -> dict[Channel, NDArray[np.float64]]:
    found: dict[Channel, NDArray[np.float64]] = {}
    angles = capture.angles
    for name, channel, sign in (("headyaw", "turn", 1), ("headpitch", "nod", -1), ("headroll", "tilt", 1)):
        if name in angles:
            found[Channel("head", channel)] = sign * np.unwrap(angles[name])
    looks = any(shape.startswith("eyeLook") and values.max() > 0.02 for shape, values in capture.shapes.items())
    if not looks:
        for axis, channel, sign in (("yaw", "turn", -1), ("pitch", "nod", 1)):
            eyes = [angles[name] for name in (f"lefteye{axis}", f"righteye{axis}") if name in angles]
            if eyes:
                found[Channel("eyes", channel)] = sign * np.mean(eyes, axis=0)
    return found


def _sampled(times: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """The values at the film's frames. A peak between two frames, such as that of a blink, is not lost: the frame it is nearest to gets it."""
    if len(times) < 2:
        return np.full(len(at), float(values[0]))
    plain = np.interp(at, times, values)
    fine = np.interp((at[:, None] + np.linspace(-0.5, 0.5, _WITHIN) / fps).ravel(), times, values).reshape(len(at), _WITHIN)
    around = np.stack([np.concatenate([plain[:1], plain[:-1]]), plain, np.concatenate([plain[1:], plain[-1:]])])
    high, low = fine.max(axis=1), fine.min(axis=1)
    return np.where(high > around.max(axis=0), high, np.where(low < around.min(axis=0), low, plain))
