"""Camera moves, without Blender."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon import moves
from addon.errors import InputError
from addon.spec import MOVES, MoveSpec

STAGES = st.builds(
    lambda close, more, tan: moves.Stage(close, close * more, tan), st.floats(0.05, 50), st.floats(1, 100), st.floats(0.1, 4)
)
NAMES = st.sampled_from([m[0] for m in MOVES])


@given(NAMES, STAGES, st.floats(-10, 10), st.integers(2, 500), st.booleans())
def test_every_move_starts_at_the_photo_and_stays_in_the_room(name, stage, amount, frames, loop):
    shot = moves.plan(MoveSpec(name=name, amount=amount, frames=frames, loop=loop), stage)
    assert shot.keyframes[0] == moves.Keyframe(1)
    numbers = [k.frame for k in shot.keyframes]
    assert numbers == sorted(set(numbers))
    if loop:  # the frame after the last is the first
        assert shot.keyframes[-1] == moves.Keyframe(frames + 1)
    else:
        assert numbers[-1] == frames
    for key in shot.keyframes:
        assert all(math.isfinite(x) for x in (*key.location, *key.rotation))
        assert -key.location[2] <= moves.CLOSEST * stage.close * 1.0001 or name == "orbit"


@given(NAMES, STAGES, st.floats(0.1, 0.5))
def test_amount_scales(name, stage, amount):
    def length(a):
        return math.dist(moves.plan(MoveSpec(name=name, amount=a), stage).keyframes[-1].location, (0, 0, 0))

    assert length(0) == 0
    assert length(2 * amount) == pytest.approx(2 * length(amount), rel=0.05)


@given(STAGES, st.floats(-3, 3))
def test_orbit_keeps_the_subject_in_the_middle(stage, amount):
    end = moves.plan(MoveSpec(name="orbit", amount=amount), stage).keyframes[-1]
    for t in (0.25, 0.5, 0.75, 1.0):  # along the way, too
        x, _, z = (t * c for c in end.location)
        turn = t * math.radians(end.rotation[1])
        seen_at = math.atan2(x, stage.focus + z) - turn
        assert abs(math.tan(seen_at)) < 1e-3 * max(1.0, abs(amount)) ** 3
    assert math.hypot(end.location[0], stage.focus + end.location[2]) == pytest.approx(stage.focus)


def test_parallax_of_a_truck_is_what_the_documentation_says():
    stage = moves.Stage(2.0, 5.0, 0.9)
    x = moves.plan(MoveSpec(name="truck"), stage).keyframes[-1].location[0]
    assert x / stage.close / stage.tan_width == pytest.approx(moves.PARALLAX)


def test_camera_path(tmp_path):
    path = tmp_path / "path.json"
    path.write_text(json.dumps({"fps": 12, "keyframes": [{"frame": 9, "location": [1, 2, 3], "fov": 40}, {"frame": 1}]}))
    shot = moves.shot(MoveSpec(camera_path=str(path)), moves.Stage(1, 2, 1))
    assert shot.frames == 9 and shot.fps == 12
    assert shot.keyframes == (moves.Keyframe(1), moves.Keyframe(9, (1, 2, 3), (0, 0, 0), 40))


@given(st.text(max_size=40))
def test_a_damaged_camera_path_gives_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("p") / "path.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError):
        moves.read_camera_path(path, MoveSpec())
