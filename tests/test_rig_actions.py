"""Ready actions, voices and face captures as pure functions."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from addon.errors import InputError, UsageError
from addon.rig_actions import ACTIONS, Channel, Voice, chain, clip, natural_frames, parse_actions, pose, thinned, together, value_at
from addon.rig_capture import Capture, capture_clip, read_capture
from addon.rig_voice import voice_of
from addon.vision.canonical import IRIS_RADIUS, UPPER_LID
from addon.vision.face_units import units
from addon.vision.rigging import ARKIT, Part

FPS = 24.0


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("frames", [2, 9, 49, 240])
def test_clips_begin_and_end_neutral_and_have_keys_in_order(name, frames):
    made = clip(name, frames, FPS, seed=5)
    for curve in made.curves:
        at = [frame for frame, _ in curve.keys]
        assert at == sorted(set(at)) and at[0] >= 1 and at[-1] <= frames
        assert all(frame == round(frame) for frame in at)
        assert value_at(curve, 1) == value_at(curve, frames) == 0
        assert all(math.isfinite(value) for _, value in curve.keys)
    assert made.frames == frames and (frames < 9 or made.curves)


@pytest.mark.parametrize("name", ACTIONS)
def test_channels_are_sliders_of_arkit_or_bones(name):
    for curve in clip(name, 120, FPS).curves:
        bone, channel = curve.channel
        if not bone:
            assert channel in ARKIT and all(0 <= value <= 1 for _, value in curve.keys)
        elif bone in ("head", "neck", "eyes"):
            assert channel in ("turn", "nod", "tilt") and all(abs(value) < math.radians(30) for _, value in curve.keys)
        else:
            assert bone in ("chest", "shoulder.L", "shoulder.R") and all(abs(value) < 0.1 for _, value in curve.keys)


@pytest.mark.parametrize("name", ACTIONS)
def test_seeds_and_amounts(name):
    assert clip(name, 100, FPS, seed=3) == clip(name, 100, FPS, seed=3)
    strong, weak = (clip(name, 100, FPS, amount=a) for a in (1.0, 0.5))
    for a, b in zip(strong.curves, weak.curves):
        assert a.channel == b.channel and max(abs(v) for _, v in b.keys) <= max(abs(v) for _, v in a.keys)
    assert not [k for c in clip(name, 100, FPS, amount=0).curves for k in c.keys if k[1]]
    if name in ("blink", "talk", "nod"):
        assert clip(name, 240, FPS, seed=1) != clip(name, 240, FPS, seed=2)


def test_a_blink_takes_a_quarter_of_a_second_and_closes_the_eye():
    lid = next(c for c in clip("blink", 25, FPS).curves if c.channel.name == "eyeBlinkLeft")
    closed = [frame for frame in range(1, 26) if value_at(lid, frame) > 0.02]
    assert 4 <= len(closed) <= 6 and max(value for _, value in lid.keys) == 1


def test_long_films_blink_and_breathe_on_and_looks_hold():
    lid = next(c for c in clip("blink", 480, FPS, seed=1).curves if c.channel.name == "eyeBlinkLeft")
    times = [frame / FPS for frame, value in lid.keys if value == 1]
    starts = [a for a, b in zip(times, [-9, *times]) if a - b > 0.5]
    assert 4 <= len(starts) <= 9 and max(b - a for a, b in pairwise(starts)) < 5
    chest = next(c for c in clip("breathe", 480, FPS).curves if c.channel == Channel("chest", "up"))
    assert sum(value > 0 for _, value in chest.keys) == 5
    head = next(c for c in clip("look-left", 480, FPS).curves if c.channel == Channel("head", "turn"))
    assert value_at(head, 240) == pytest.approx(max(v for _, v in head.keys)) and value_at(head, 240) > 0.1


def test_the_eyes_lead_and_the_head_follows():
    curves = {c.channel: c for c in clip("look-right", 73, FPS).curves}
    eyes, head = curves[Channel("eyes", "turn")], curves[Channel("head", "turn")]

    def reaches(curve, share):
        most = min(v for _, v in curve.keys)
        return next(f for f in range(1, 74) if value_at(curve, f) <= share * most)

    assert reaches(eyes, 0.9) + 4 < reaches(head, 0.9)
    assert all(v <= 0 for _, v in head.keys)
    # at rest the gaze has gone farther than the head
    assert value_at(eyes, 40) < 0


def test_poses_are_the_height_of_their_actions():
    assert pose("slow-smile")[Channel("", "mouthSmileLeft")] == pytest.approx(0.75, abs=0.05)
    assert pose("blink")[Channel("", "eyeBlinkRight")] > 0.95
    assert pose("look-down")[Channel("head", "nod")] > 0 > pose("look-up")[Channel("head", "nod")]
    assert pose("look-left")[Channel("eyes", "turn")] > 0 > pose("look-right")[Channel("eyes", "turn")]
    assert {c.channel: c.keys for c in clip("surprise", 1, FPS).curves} == {ch: ((1.0, v),) for ch, v in pose("surprise").items()}
    for name in ACTIONS:
        assert pose(name)


def test_surprise_shows_no_white_above_the_iris():
    """That would be horror. An upper lid usually lies four fifths of the iris' radius above its middle, and may come up to its top."""
    lid = UPPER_LID[[np.abs(UPPER_LID[:, 0] - 0.0315).argmin()]]
    up = units(lid, np.array([1]), np.array([Part.SKIN]))["eyeWideLeft"][0, 1]
    wide = pose("surprise")[Channel("", "eyeWideLeft")]
    assert 0.3 * 0.2 * IRIS_RADIUS < wide * up < 0.2 * IRIS_RADIUS


def test_chains_are_read_and_refused():
    assert parse_actions("slow-smile; Blink + nod") == (("slow-smile",), ("blink", "nod"))
    with pytest.raises(UsageError, match="--action 'dance' is not known: choose one of look-left"):
        parse_actions("nod; dance")
    assert natural_frames("nod; turn + blink", 10) == 1 + 58
    made = chain("slow-smile; nod + talk", 150, FPS, seed=1)
    assert made.frames == 150 and all(c.keys[-1][0] <= 150 for c in made.curves)
    # head.nod is moved by two actions at once: their values add up
    nod, talk = (next(c for c in clip(name, 60, FPS).curves if c.channel == Channel("head", "nod")) for name in ("nod", "talk"))
    joined = next(c for c in together([clip("nod", 60, FPS), clip("talk", 60, FPS)]).curves if c.channel == Channel("head", "nod"))
    for frame in {f for f, _ in nod.keys} | {f for f, _ in talk.keys}:
        assert value_at(joined, frame) == pytest.approx(value_at(nod, frame) + value_at(talk, frame))


def test_thinning_keeps_what_a_line_does_not_give():
    values = [math.sin(i / 20) for i in range(200)]
    keys = thinned(values, 0.01)
    frames, kept = zip(*keys)
    assert len(keys) < 60 and np.abs(np.interp(np.arange(1, 201), frames, kept) - values).max() <= 0.01
    assert thinned([1.0], 0.01) == ((1.0, 1.0),)


def tone(seconds: float, rate: int, hertz: float, loud: np.ndarray) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hertz * at) * np.interp(at, np.linspace(0, seconds, len(loud)), loud)).astype(np.float32)


def test_the_mouth_follows_a_voice():
    rate = 16_000
    silent = np.zeros(rate // 2, np.float32)
    sound = np.concatenate([silent, tone(0.5, rate, 300, np.ones(4)), silent, tone(0.5, rate, 3000, np.ones(4)), silent])
    voice = voice_of(sound, rate, FPS, 72)
    assert len(voice.loudness) == len(voice.brightness) == 72
    loud = np.array(voice.loudness)
    assert (
        loud[2:9].max() < 0.05
        and loud[16:22].min() > 0.8
        and loud[32:35].max() < 0.2
        and loud[41:46].min() > 0.8
        and loud[66:].max() < 0.05
    )
    assert np.mean(voice.brightness[15:22]) < 0.2 < 0.8 < np.mean(voice.brightness[40:46])
    curves = {c.channel.name: c for c in clip("talk", 72, FPS, voice=voice).curves if not c.channel.bone}
    assert value_at(curves["jawOpen"], 20) > 0.4 > 0.05 > value_at(curves["jawOpen"], 5)
    assert value_at(curves["mouthFunnel"], 20) > 0.25 and value_at(curves["mouthFunnel"], 44) < 0.1
    assert value_at(curves["mouthStretchLeft"], 44) > 0.2
    stereo = np.stack([sound, sound], axis=1)
    assert voice_of(stereo, rate, FPS, 72) == voice


def test_silence_and_short_sounds_keep_the_mouth_shut():
    assert set(voice_of(np.zeros(100, np.float32), 8000, FPS, 10).loudness) == {0.0}
    short = voice_of(tone(0.5, 8000, 400, np.ones(2)), 8000, FPS, 48)
    assert max(short.loudness[20:]) < 0.05 and max(short.loudness) > 0.8
    quiet = clip("talk", 48, FPS, voice=Voice((0.0,) * 48, (0.5,) * 48))
    assert not [k for c in quiet.curves if c.channel.name == "jawOpen" for k in c.keys if k[1]]


LIVE_LINK = ["Timecode", "BlendshapeCount", *(n[0].upper() + n[1:] for n in ARKIT), "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw",
             "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll"]  # fmt: skip


def live_link(path: Path, rows: int = 121, jaw=None, yaw=None, start: tuple[int, int, int, int] = (14, 59, 59, 30)) -> Path:
    """A recording as Live Link Face leaves it, 60 rows a second; jaw, yaw: functions of seconds."""
    h, m, s, f = start
    lines = [",".join(LIVE_LINK)]
    for i in range(rows):
        count = ((h * 60 + m) * 60 + s) * 60 + f + i
        code = f"{count // 216000 % 24:02d}:{count // 3600 % 60:02d}:{count // 60 % 60:02d}:{count % 60:02d}.123"
        values = dict.fromkeys(LIVE_LINK[2:], 0.0)
        values["JawOpen"] = 0.0 if jaw is None else jaw(i / 60)
        values["HeadYaw"] = 0.0 if yaw is None else yaw(i / 60)
        lines.append(",".join([code, "61", *(f"{v:.6f}" for v in values.values())]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_recording_of_live_link_face_is_read(tmp_path):
    path = live_link(tmp_path / "take.csv", jaw=lambda t: 0.5 - 0.5 * math.cos(math.pi * t), yaw=lambda t: 0.05 + 0.1 * t)
    capture = read_capture(path)
    assert set(capture.shapes) == set(ARKIT) and capture.seconds == pytest.approx(2.0, abs=0.02)
    assert capture.frames(FPS) == 49
    made = capture_clip(capture, FPS)
    curves = {c.channel: c for c in made.curves}
    assert set(curves) == {Channel("", "jawOpen"), Channel("head", "turn")}
    for frame in range(1, 50):
        t = (frame - 1) / FPS
        assert value_at(curves[Channel("", "jawOpen")], frame) == pytest.approx(0.5 - 0.5 * math.cos(math.pi * t), abs=0.03)
        assert value_at(curves[Channel("head", "turn")], frame) == pytest.approx(0.1 * t, abs=0.005)


def test_recordings_go_past_midnight_and_lose_frames(tmp_path):
    path = live_link(tmp_path / "night.csv", start=(23, 59, 59, 0), jaw=lambda t: t / 4)
    assert read_capture(path).seconds == pytest.approx(2.0, abs=0.02)
    lines = path.read_text().splitlines()
    (tmp_path / "lost.csv").write_text("\n".join([*lines[:30], *lines[60:]]))
    lost = read_capture(tmp_path / "lost.csv")
    assert lost.seconds == pytest.approx(2.0, abs=0.02)
    assert np.interp(1.5, lost.times, lost.shapes["jawOpen"]) == pytest.approx(1.5 / 4, abs=0.01)


@pytest.mark.parametrize(
    ("header", "rows", "seconds"),
    [
        ("time,eyeBlinkLeft,jawOpen", ["0,0,0", "0.5,1,0.2", "1.0,0,0"], 1.0),
        ("frame;jawOpen", ["10;0", "40;1", "70;0"], 1.0),
        ("jawOpen,other", ["0,x"] + ["0.5,y"] * 60, 1.0),
        ("timestamp,jaw_open", ["1000,0", "1500,1", "2000,0"], 1.0),
        ("Timecode,JawOpen,", ["00:00:01:00,0,", "00:00:02:00,1,", "00:00:03:12,0,", "00:00:04:23,0,"], 3 + 23 / 24),
    ],
)
def test_other_programs_files_are_read(tmp_path, header, rows, seconds):
    path = tmp_path / "take.csv"
    path.write_text("\ufeff" + "\r\n".join([header, *rows, ""]), encoding="utf-8")
    capture = read_capture(path)
    assert capture.seconds == pytest.approx(seconds, abs=1e-6) and max(capture.shapes["jawOpen"]) > 0.1


def test_a_blink_between_two_frames_is_not_lost():
    times = np.arange(121) / 60
    blink = np.zeros(121)
    blink[50], blink[49], blink[51] = 1, 0.5, 0.5  # at 0.8333 s, frame 9.3 of 10 a second
    made = capture_clip(Capture(times, {"eyeBlinkLeft": blink}, {}), 10.0)
    assert max(v for _, v in made.curves[0].keys) > 0.95


def test_angles_of_the_eyes_count_only_where_the_shapes_do_not(tmp_path):
    times, ramp = np.array([0.0, 1.0]), np.array([0.0, 0.2])
    angles = {"lefteyeyaw": ramp, "righteyeyaw": ramp, "headroll": ramp}
    plain = {c.channel: c.keys[-1][1] for c in capture_clip(Capture(times, {}, angles), FPS).curves}
    assert plain == pytest.approx({Channel("eyes", "turn"): -0.2, Channel("head", "tilt"): 0.2})  # an eye's yaw goes to the right
    both = capture_clip(Capture(times, {"eyeLookOutLeft": ramp}, angles), FPS)
    assert {c.channel for c in both.curves} == {Channel("", "eyeLookOutLeft"), Channel("head", "tilt")}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00jaw", "not text in UTF-8"),
        (b"jawOpen\0\n1\n", "not a text file"),
        (b"a,b,c\n1,2,3\n", "names none of ARKit's shapes"),
        (b"time,jawOpen\n", "no rows"),
        (b"time,jawOpen\n0,0.5\n1\n", "row 3 has 1 columns and the first 2"),
        (b"time,jawOpen\n0,0.5\n1,nan\n", "row 3 holds a number that is not finite"),
        (b"time,jawOpen\n0,0.5\n1,open\n", "row 3 holds something that is no number"),
        (b"time,jawOpen\n0,50\n1,80\n", "not between 0 and 1"),
        (b"time,jawOpen,HeadYaw\n0,0.5,45\n1,0.2,90\n", "not in radians"),
        (b"time,jawOpen\nnow,0.5\n", "holds something that is no time"),
        (b"time,jawOpen\ninf,0.5\n", "holds something that is no time"),
        (b"Timecode,jawOpen\n12:x:01:01,0.5\n", "holds something that is no time"),
        (b"time,jawOpen\n3,0.5\n2,0.5\n1,0.5\n0,0.5\n", "times do not rise"),
        (b"time,jawOpen\n0,0.5\n1e9,0.5\n", "hours"),
        (b"jawOpen" + b",x" * 600 + b"\n", "601 columns"),
        (b'jawOpen,"' + b"x" * 200_000 + b'"\n1,1\n', "field"),
    ],
)
def test_what_is_no_capture_is_told_in_one_sentence(tmp_path, content, what):
    path = tmp_path / "take\n.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=what) as told:
        read_capture(path)
    assert str(path).replace("\n", "\\n") in str(told.value) and "\n" not in str(told.value)


def test_a_missing_capture_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_capture(tmp_path / "none.csv")
