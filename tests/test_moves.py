"""Camera moves, without Blender."""

from __future__ import annotations

import cmath
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon import move_paths, moves
from addon import spec as specs
from addon.errors import InputError, UsageError
from addon.move_easing import MONOTONE, eased
from addon.spec import CURVES, EASES, MOVES, MoveSpec

STAGES = st.builds(
    lambda close, more, tan, high, middle, aim: moves.Stage(close, close * more, tan, tan * high, *middle, *aim),
    st.floats(0.05, 50), st.floats(1, 100), st.floats(0.1, 4), st.floats(0.3, 3),
    st.tuples(*[st.floats(-0.2, 0.2)] * 2), st.tuples(*[st.floats(-0.3, 0.3)] * 2),
)  # fmt: skip
ROOMS = st.builds(
    lambda close, more, tan, high: moves.Stage(close, close * more, tan, tan * high),
    *[st.floats(0.5, 5), st.floats(1, 10)],
    *[st.floats(0.3, 1.2)] * 2,
)
STAGE = moves.Stage(2.0, 5.0, 0.9, 0.6)
ALL = [m[0] for m in MOVES]
NAMES = st.sampled_from(ALL)
CURVE_NAMES = [c[0] for c in CURVES]
AROUND = ("orbit", "arc", "spiral", "swing", "circle")
KEEP_AIM = (*AROUND, "push-in", "pull-back", "zoom", "dolly-zoom")


def same(a: moves.Keyframe, b: moves.Keyframe) -> bool:
    return a[1:5] == b[1:5]


def numbers(key: moves.Keyframe, stage: moves.Stage = STAGE):
    return moves.channels_at_key(key, stage.tan_width)


def pose(shot: moves.Shot, frame: float, stage: moves.Stage = STAGE):
    return moves.pose_of(numbers(moves.key_at(shot, stage, frame), stage))


def size(shot: moves.Shot, stage: moves.Stage = STAGE) -> float:
    """How far the shot leads away from the photo, at most, in shares of the width."""
    rest = move_paths.Pose()
    return max(moves.deviation(stage, rest, moves.pose_of(numbers(key, stage))) for key in moves.sampled(shot, stage))


@settings(max_examples=150, deadline=None)
@given(NAMES, STAGES, st.floats(-10, 10), st.integers(2, 200), st.booleans(), st.booleans())
def test_keys_are_in_order_and_finite_and_stay_in_the_room(name, stage, amount, frames, loop, reverse):
    move = MoveSpec(name=name, amount=amount, frames=frames, loop=loop, reverse=reverse)
    shot = moves.plan(move, stage)
    assert (shot.frames, shot.fps) == (frames, 24)
    numbers_ = [k.frame for k in shot.keyframes]
    assert numbers_ == sorted(set(numbers_)) and numbers_[0] == 1
    if moves.starts_at_rest(move):
        assert same(shot.keyframes[0], moves.Keyframe(1))
    if len(numbers_) > 1 and (loop or name in ("swing", "circle")):  # the frame after the last is the first
        assert numbers_[-1] == frames + 1 and same(shot.keyframes[-1], shot.keyframes[0])
    elif len(numbers_) > 1:
        assert numbers_[-1] == frames
    for key in shot.keyframes:
        assert all(math.isfinite(x) for x in (*key.location, *key.rotation, *key.offset))
        assert key.fov is None or 0.5 < key.fov < 179
        if name in ("push-in", "pull-back", "dolly-zoom"):
            assert -key.location[2] <= moves.CLOSEST * stage.close * 1.0001


@pytest.mark.parametrize("name", ALL)
def test_the_first_frame_is_the_photo_where_the_documentation_says(name):
    first = moves.plan(MoveSpec(name=name), STAGE).keyframes[0]
    assert same(first, moves.Keyframe(1)) == (name not in ("pull-back", "arc", "circle")) == moves.starts_at_rest(MoveSpec(name=name))
    if name in ("push-in", "pull-back", "truck", "pan", "zoom", "ken-burns", "orbit", "dolly-zoom", "spiral"):
        there, back = moves.plan(MoveSpec(name=name), STAGE), moves.plan(MoveSpec(name=name, reverse=True), STAGE)
        assert same(there.keyframes[0], back.keyframes[-1]) and same(there.keyframes[-1], back.keyframes[0])
        assert moves.starts_at_rest(MoveSpec(name=name, reverse=True)) == (name == "pull-back")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([n for n in ALL if n not in ("ken-burns", "static")]), ROOMS, st.floats(0.05, 0.3))
def test_amount_scales(name, stage, amount):
    one, two = (size(moves.plan(MoveSpec(name=name, amount=a), stage), stage) for a in (amount, 2 * amount))
    assert size(moves.plan(MoveSpec(name=name, amount=0), stage), stage) == 0
    assert two == pytest.approx(2 * one, rel=0.35 if name in ("zoom", "dolly-zoom", "push-in", "pull-back", "spiral") else 0.1)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KEEP_AIM), STAGES, st.floats(-3, 3), st.floats(-360, 360), st.sampled_from(CURVE_NAMES))
def test_what_goes_around_the_subject_keeps_it_in_its_place_in_the_picture(name, stage, amount, direction, curve):
    shot = moves.plan(MoveSpec(name=name, amount=amount, direction=direction, curve=curve, frames=40), stage)
    there = move_paths.subject(stage)
    for frame in range(1, 41):
        camera = pose(shot, frame, stage)
        x, y, z = move_paths.times(move_paths.transposed(camera.turn), move_paths.plus(there, camera.place, -1))
        seen = [(t / -z - m - o) * camera.zoom for t, m, o in zip((x, y), stage[4:6], camera.offset)]
        rest = [a - m for a, m in zip(stage[6:8], stage[4:6])]
        assert math.dist(seen, rest) <= 1.05 * moves.TOLERANCE * stage.tan_width
        if name in ("orbit", "arc", "swing", "circle"):  # and at its distance
            assert math.dist(camera.place, there) == pytest.approx(math.hypot(*there), rel=0.004)


@settings(max_examples=60, deadline=None)
@given(NAMES, STAGES, st.floats(-4, 4), st.sampled_from(CURVE_NAMES), st.sampled_from([e[0] for e in EASES]), st.integers(2, 150))
def test_keys_hold_the_path_at_every_frame(name, stage, amount, curve, ease, frames):
    """At whole frames the keyed camera is within 0.1 % of the picture's width of the path."""
    move = MoveSpec(name=name, amount=amount, curve=curve, ease=ease, frames=frames)
    shot = moves.plan(move, stage)
    path = move_paths.path_of(move, stage, (frames if name in ("swing", "circle") else frames - 1) / 24)
    ends = frames if move_paths.is_periodic(move) else frames - 1
    plain = name in ("swing", "circle", "handheld")
    for frame in range(1, frames + 1):
        share = (frame - 1) / ends
        true = path(share if plain else eased(ease, curve, share))
        assert moves.deviation(stage, true, pose(shot, frame, stage)) <= 1.02 * moves.TOLERANCE


KEYS = {"orbit": 2, "arc": 2, "spiral": 5, "dolly-zoom": 2, "zoom": 2, "ken-burns": 2, "swing": 5, "circle": 4, "truck": 2, "roll": 2}


@pytest.mark.parametrize("name", KEYS)
def test_few_keys_are_needed(name):
    shot = moves.plan(MoveSpec(name=name), STAGE)
    assert len(shot.keyframes) == KEYS[name]
    if KEYS[name] == 2:  # and Blender's own easing between them
        assert shot.keyframes[0].join == ("in-out", "sine")


@pytest.mark.parametrize("curve", CURVE_NAMES)
@pytest.mark.parametrize("ease", [e[0] for e in EASES])
def test_easing_goes_from_start_to_end_without_turning_back(ease, curve):
    values = [eased(ease, curve, i / 500) for i in range(501)]
    assert (values[0], values[-1]) == (0, 1)
    if ease == "linear" or curve in MONOTONE:
        assert all(b >= a for a, b in zip(values, values[1:]))
    if ease == "in-out":
        assert all(a + b == pytest.approx(1, abs=1e-9) for a, b in zip(values, values[::-1]))
    if ease in ("in", "in-out") and curve in MONOTONE:
        assert values[50] < 0.1
    if ease in ("out", "in-out") and curve in MONOTONE:
        assert values[450] > 0.9


@pytest.mark.parametrize("curve", CURVE_NAMES)
@pytest.mark.parametrize("name", ["push-in", "orbit", "zoom"])
def test_eased_moves_go_forward_all_the_time(name, curve):
    shot = moves.plan(MoveSpec(name=name, amount=2, frames=50, curve=curve), moves.Stage(4.0, 5.0, 0.9, 0.6))
    away = [
        math.hypot(*key.location) + key.rotation[1] - (0 if key.fov is None else key.fov - math.degrees(2 * math.atan(0.45)))
        for key in moves.sampled(shot, STAGE)
    ]
    if curve in MONOTONE:
        assert all(b >= a - 1e-5 for a, b in zip(away, away[1:]))
    else:
        assert any(b < a for a, b in zip(away, away[1:]))


def test_parallax_is_what_the_documentation_says():
    """What is nearest slides by 4 % of the width against what stays in place."""
    for name, metres in (("truck", 1e9), ("pedestal", 1e9), ("orbit", STAGE.focus), ("arc", STAGE.focus)):
        shot = moves.plan(MoveSpec(name=name), STAGE)
        (x0, y0, _), (x1, y1, _) = shot.keyframes[0].location, shot.keyframes[-1].location
        slide = math.hypot(x1 - x0, y1 - y0) * (1 / STAGE.close - 1 / metres) / STAGE.tan_width
        assert slide == pytest.approx(moves.PARALLAX, rel=2e-3), name
    for name in ("swing", "circle"):
        shot = moves.plan(MoveSpec(name=name), STAGE)
        across = [key.location[0] for key in moves.sampled(shot, STAGE)]
        assert (max(across) - min(across)) * (1 / STAGE.close - 1 / STAGE.focus) / STAGE.tan_width == pytest.approx(
            moves.PARALLAX, rel=0.03
        )
    assert moves.plan(MoveSpec(name="push-in"), STAGE).keyframes[-1].location[2] == -min(0.2 * STAGE.focus, 0.35 * STAGE.close)
    assert moves.plan(MoveSpec(name="roll"), STAGE).keyframes[-1].rotation[2] == pytest.approx(3)
    assert moves.plan(MoveSpec(name="pan"), STAGE).keyframes[-1].rotation[1] == pytest.approx(-math.degrees(math.atan(0.04 * 0.9)))
    assert numbers(moves.plan(MoveSpec(name="zoom"), STAGE).keyframes[-1])[6] == pytest.approx(1.25)


@pytest.mark.parametrize(
    ("name", "at_0", "at_90"), [("truck", (1, 0), (0, 1)), ("orbit", (1, 0), (0, 1)), ("arc", (1, 0), (0, 1)), ("spiral", (1, 0), (0, 1))]
)
def test_directions_are_those_of_the_picture(name, at_0, at_90):
    for direction, wanted in ((0, at_0), (90, at_90), (180, (-at_0[0], -at_0[1]))):
        x, y, _ = moves.plan(MoveSpec(name=name, direction=direction), STAGE).keyframes[-1].location
        assert (x / math.hypot(x, y), y / math.hypot(x, y)) == pytest.approx(wanted, abs=1e-6)
    turned = moves.plan(MoveSpec(name="pan", direction=90), STAGE).keyframes[-1].rotation
    assert turned == pytest.approx(moves.plan(MoveSpec(name="tilt"), STAGE).keyframes[-1].rotation) and turned[0] > 0
    up = moves.plan(MoveSpec(name="truck", direction=90), STAGE)
    assert up.keyframes[-1].location == pytest.approx(moves.plan(MoveSpec(name="pedestal"), STAGE).keyframes[-1].location)


@settings(max_examples=60, deadline=None)
@given(STAGES, st.floats(-5, 5), st.sampled_from(CURVE_NAMES))
def test_a_dolly_zoom_holds_the_subjects_width_within_a_pixel_at_4k(stage, amount, curve):
    shot = moves.plan(MoveSpec(name="dolly-zoom", amount=amount, curve=curve, frames=30), stage)
    for i in range(30 * 8):  # between frames, too
        x, y, z, *_, zoom, _, _ = numbers(moves.key_at(shot, stage, 1 + i / 8), stage)
        assert abs(zoom * stage.focus / (stage.focus + z) - 1) * 3840 < 0.01


def test_ken_burns_shows_the_framings_that_were_asked_for():
    move = MoveSpec(name="ken-burns", start_center=(0.3, 0.4), start_size=0.5, end_center=(0.75, 0.5), end_size=0.4)
    shot = moves.plan(move, STAGE)
    for key, (cx, cy), part in ((shot.keyframes[0], (0.3, 0.4), 0.5), (shot.keyframes[-1], (0.75, 0.5), 0.4)):
        assert key.location == key.rotation == (0, 0, 0)
        assert 1 / numbers(key)[6] == pytest.approx(part)
        assert key.offset == pytest.approx(((cx - 0.5) * STAGE.tan_width, (0.5 - cy) * STAGE.tan_height))
    half = moves.plan(replace(move, amount=0.5), STAGE).keyframes[-1]
    assert numbers(half)[6] == pytest.approx((1 / 0.5 + 1 / 0.4) / 2)
    assert moves.magnification(shot.keyframes, STAGE) == pytest.approx(2.5)


def spectrum(values):
    n = len(values)
    return [abs(sum(v * cmath.exp(-2j * math.pi * k * i / n) for i, v in enumerate(values))) ** 2 for k in range(n // 2)]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_handheld_is_seeded_and_band_limited(seed):
    frames, fps = 240, 24
    move = MoveSpec(name="handheld", frames=frames, fps=fps, seed=seed, loop=True)
    shot = moves.plan(move, STAGE)
    assert shot == moves.plan(move, STAGE)
    assert not same(shot.keyframes[5], moves.plan(replace(move, seed=seed ^ 1), STAGE).keyframes[5])
    for channel in (0, 1, 2, 3, 4):
        values = [numbers(moves.key_at(shot, STAGE, 1 + i))[channel] for i in range(frames)]
        assert max(map(abs, values)) > 0
        power = spectrum(values)
        last = int(move_paths.SWAY_BAND[1] * frames / fps)
        assert sum(power[last + 2 :]) < 0.02 * sum(power[1:])  # nothing faster than hands, but for the keys' own curves
        assert power[last] + sum(power[1:last]) > 0.9 * sum(power[1:])
    assert size(shot) < 0.05


@pytest.mark.parametrize("name", [n for n in ALL if n != "static"])
def test_a_loop_has_no_seam(name):
    for frames in (24, 37):
        move = MoveSpec(name=name, frames=frames, loop=True, curve="cubic", hold=4)
        shot = moves.plan(move, STAGE)
        assert moves.deviation(STAGE, pose(shot, 1), pose(shot, frames + 1)) < 1e-9
        far = max(moves.deviation(STAGE, pose(shot, 1), pose(shot, f)) for f in range(1, frames + 1))
        steps = [moves.deviation(STAGE, pose(shot, f), pose(shot, f + 1)) for f in range(1, frames + 1)]
        assert far > 0.002 and max(steps[0], steps[-1]) <= 1.3 * max(steps)


def test_waiting():
    shot = moves.plan(MoveSpec(name="truck", frames=50, delay=10, hold=15), STAGE)
    assert [k.frame for k in shot.keyframes] == [1, 11, 35, 50]
    assert same(shot.keyframes[0], shot.keyframes[1]) and same(shot.keyframes[2], shot.keyframes[3])
    loop = moves.plan(MoveSpec(name="truck", frames=50, delay=4, hold=10, loop=True), STAGE)
    assert [k.frame for k in loop.keyframes] == [1, 3, 21, 31, 49, 51]
    assert specs.validate(replace(specs.SceneSpec(), move=MoveSpec(frames=20, delay=10, hold=9)))[0].startswith("--delay 10 and --hold 9")
    with pytest.raises(UsageError, match="leave no room"):
        moves.plan(moves.fitted(MoveSpec(delay=20, hold=20), 30, 24), STAGE)


def test_length_in_seconds():
    shot = moves.plan(MoveSpec(seconds=2.5, fps=30), STAGE)
    assert (shot.frames, shot.keyframes[-1].frame) == (75, 75)
    assert moves.plan(moves.fitted(MoveSpec(seconds=2.5), 9, 12), STAGE).frames == 9


CHAIN = "orbit 48 amount=0.5 ease=in; truck 24 direction=90 curve=cubic; ken-burns 1s end-center=0.4,0.6 end-size=0.7; zoom reverse"


def test_a_chain_goes_on_where_it_was():
    move = MoveSpec(name="push-in", frames=30, then=CHAIN)
    shot = moves.plan(move, STAGE)
    assert shot.frames == 30 + 48 + 24 + 24 + 30
    assert shot.markers == (("Push In", 1), ("Orbit", 31), ("Truck", 79), ("Ken Burns", 103), ("Zoom", 127))
    jumps = [moves.deviation(STAGE, pose(shot, f), pose(shot, f + 1)) for f in range(1, shot.frames)]
    assert max(jumps) < 0.05
    assert {k.frame for k in shot.keyframes} >= {1, 31, 79, 103, 127, 156}
    joins = {k.frame: k.join for k in shot.keyframes}
    assert joins[31] == ("in", "sine") and joins[79] == ("in-out", "cubic")
    # As near as after the push-in, the orbit keeps what the camera looks at in its place.
    middle = pose(shot, 79)
    x, y, z = move_paths.times(move_paths.transposed(middle.turn), move_paths.plus(move_paths.subject(STAGE), middle.place, -1))
    assert math.hypot(x, y) < 1e-3 and -z == pytest.approx(STAGE.focus - 0.7, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(10, 40), st.booleans(), st.booleans()), min_size=1, max_size=4), NAMES, st.booleans())
def test_chains_never_jump(parts, first, loop):
    words = []
    for name, frames, *flags in parts:
        known = specs.move_settings(name)
        words.append(" ".join([name, str(frames), *(w for w, given_ in zip(("loop", "reverse"), flags) if given_ and w in known)]))
    then = "; ".join(words)
    move = MoveSpec(name=first, frames=12, then=then, loop=loop, ease="linear")
    assert specs.validate(specs.SceneSpec(move=move)) == []
    shot = moves.plan(move, STAGE)
    assert len(shot.markers) == len(parts) + 1 + loop
    last = shot.frames + loop
    for frame in range(1, last):
        for part in range(4):  # a jump is a jump however short the time
            a, b = (pose(shot, frame + (part + k) / 4) for k in (0, 1))
            assert moves.deviation(STAGE, a, b) < 0.12
    for following in shot.keyframes[1:]:
        before = pose(shot, following.frame - 1e-6)
        assert moves.deviation(STAGE, before, pose(shot, following.frame)) < 1e-6
    if loop:
        assert same(shot.keyframes[0], shot.keyframes[-1])


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("fly 20", "no move 'fly'; choose one of static, push-in"),
        ("orbit 20 speed=3", "'speed' is no setting of orbit; it has amount, delay, direction"),
        ("truck seed=1", "'seed' is no setting of truck"),
        ("orbit amount=far", "amount cannot be 'far'; write for example amount=1"),
        ("orbit amount=50", "amount 50 is out of range"),
        ("orbit ease=slowly", "ease 'slowly' is not known: choose one of linear"),
        ("ken-burns end-center=0.5", "end-center needs two numbers"),
        ("orbit loop=perhaps", "loop cannot be 'perhaps'"),
        ("orbit 1", "needs 2 frames or more, orbit has 1"),
        ("orbit 0", "frames 0 is out of range"),
        ("orbit 20 delay=15 hold=5", "leave no room for the move in its 20 frames"),
        ("orbit 5x", "frames cannot be '5x'; write for example frames=48"),
        ("orbit 999999", "more than 1000000 frames together"),
    ],
)
def test_what_is_wrong_with_a_chain_is_said_in_one_sentence(then, words):
    (error,) = specs.validate(specs.SceneSpec(move=MoveSpec(then=then)))
    assert words in error and error.startswith("--") and error.endswith(".") and error.count(". ") == 0


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_chain_is_read_or_refused(then):
    errors = specs.validate(specs.SceneSpec(move=MoveSpec(then=then)))
    if not errors:
        assert moves.plan(MoveSpec(then=then), STAGE).frames >= 72


def test_a_chain_in_a_film_that_came_in_takes_its_length():
    move = MoveSpec(frames=500, then="truck 24; roll 1s")
    shot = moves.plan(moves.fitted(move, 100, 12), STAGE)
    assert (shot.frames, shot.fps, [m.frame for m in shot.markers]) == (100, 12, [1, 65, 89])
    with pytest.raises(UsageError, match="these moves take 36 frames, the film has 30"):
        moves.fitted(move, 30, 12)


def test_settings_of_every_move_exist():
    names = {f.name for f in specs.fields(MoveSpec)}
    for name in ALL:
        assert set(specs.move_settings(name)) <= names
        given_ = {f.name: 0.5 if f.name in ("amount", "start_size") else f.default for f in specs.fields(MoveSpec)}
        moves.plan(MoveSpec(**{**given_, "name": name}), STAGE)
    assert set(ALL) == set(move_paths._PATHS)


@settings(deadline=None)
@given(STAGES, st.floats(-2, 2), NAMES)
def test_magnification_is_what_the_subject_or_the_horizon_grows_by(stage, amount, name):
    stage = moves.Stage(*stage[:4])
    shot = moves.plan(MoveSpec(name=name, amount=amount, frames=20, curve="back"), stage)
    largest = moves.magnification(moves.sampled(shot, stage), stage)
    assert largest >= 1
    for frame in range(1, 21):
        camera = pose(shot, frame, stage)
        depth = -move_paths.times(move_paths.transposed(camera.turn), move_paths.plus(move_paths.subject(stage), camera.place, -1))[2]
        if depth > 0.05 * stage.focus:
            turned = 1.06 if name in ("pan", "tilt", "handheld") else 1.01  # which brings what is in the middle off the axis
            assert camera.zoom * max(1, stage.focus / depth) <= largest * turned


def test_camera_path(tmp_path):
    path = tmp_path / "path.json"
    path.write_text(json.dumps({"fps": 12, "keyframes": [{"frame": 9, "location": [1, 2, 3], "fov": 40}, {"frame": 1}]}))
    shot = moves.shot(MoveSpec(camera_path=str(path)), moves.Stage(1, 2, 1))
    assert shot.frames == 9 and shot.fps == 12
    assert shot.keyframes == (moves.Keyframe(1), moves.Keyframe(9, (1, 2, 3), (0, 0, 0), 40))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_damaged_camera_path_gives_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("p") / "path.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError):
        moves.read_camera_path(path, MoveSpec())
