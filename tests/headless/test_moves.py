"""Camera moves from the command line."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from addon.spec import MOVES
from tests.vision.film_files import pan, write_film

QUICK = ("--estimator", "plane", "--samples", 1, "--max-vertices", 500)


def test_every_move_is_offered(stillscape):
    run = stillscape("render", "--help")
    assert run.code == 0
    for name, _, _ in MOVES:
        assert name in run.out
    for option in ("--direction", "--ease-curve", "--delay", "--hold", "--reverse", "--seed", "--then", "--seconds", "--end-center"):
        assert option in run.out


@pytest.mark.versions
def test_a_chain_from_settings_and_command_line(stillscape, make_photo, psnr, tmp_path):
    photo = make_photo(64, 48)
    (tmp_path / "move.json").write_text(json.dumps({"move": {"name": "zoom", "frames": 6, "then": "orbit 5 amount=0.5; roll 4 ease=out"}}))
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--spec", tmp_path / "move.json", "--frame-range", "1,6,15", *QUICK,
        "--write-spec", tmp_path / "again.json", "--save-blend", tmp_path / "scene.blend", "--json", tmp_path / "report.json",
    )  # fmt: skip
    assert run.code == 0, run.err
    events = [json.loads(line) for line in (tmp_path / "report.json").read_text().splitlines()]
    assert events[-1]["frames"] == [1, 6, 15]
    frames = [cv2.imread(str(tmp_path / f"f_{n:04d}.png")) for n in (1, 6, 15)]
    assert psnr(frames[0], cv2.imread(str(photo))) >= 60
    assert psnr(frames[0], frames[1]) < 35 and psnr(frames[1], frames[2]) < 35
    assert json.loads((tmp_path / "again.json").read_text())["move"]["then"] == "orbit 5 amount=0.5; roll 4 ease=out"
    import bpy

    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert [(m.name, m.frame) for m in bpy.context.scene.timeline_markers] == [("Zoom", 1), ("Orbit", 7), ("Roll", 12)]


@pytest.mark.parametrize("name", ["ken-burns", "dolly-zoom", "zoom"])
def test_zooms_are_drawn_alike_with_and_without_an_engine(stillscape, make_photo, psnr, tmp_path, name):
    """Of a cropped photo, whose middle is not on the optical axis."""
    seen = {}
    for engine in ("warp", "cycles"):
        run = stillscape(
            "render", make_photo(96, 72), "-o", tmp_path / f"{engine}_####.png", "--move", name, "--frames", 4, "--engine", engine,
            "--lens-shift", 0.15, -0.1, "--frame-range", "1,4", *QUICK,
        )  # fmt: skip
        assert run.code == 0, run.err
        seen[engine] = [cv2.imread(str(tmp_path / f"{engine}_{n:04d}.png")) for n in (1, 4)]
    assert psnr(seen["warp"][0], seen["cycles"][0]) >= 60
    inside = np.s_[4:-4, 4:-4]
    assert psnr(seen["warp"][1][inside], seen["cycles"][1][inside]) > 32 > psnr(seen["warp"][0], seen["warp"][1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--then", "fly 20"), "there is no move 'fly'"),
        (("--then", "orbit 20 seed=3"), "'seed' is no setting of orbit"),
        (("--delay", 40, "--hold", 40), "--delay 40 and --hold 40 leave no room for the move in its 72 frames."),
        (("--move", "fly"), "invalid choice: 'fly'"),
        (("--direction", 900), "--direction 900 is out of range"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(stillscape, make_photo, tmp_path, options, words):
    run = stillscape("render", make_photo(), "-o", tmp_path / "f_####.png", *options)
    assert run.code == 2 and words in run.err and "Traceback" not in run.err
    assert not list(tmp_path.glob("f_*"))


def test_a_film_that_comes_in_keeps_its_length(stillscape, tmp_path):
    write_film(tmp_path / "clip.mp4", pan(8, (64, 48)))
    common = ("render", tmp_path / "clip.mp4", "-o", tmp_path / "f_####.png", *QUICK)
    run = stillscape(*common, "--move", "ken-burns", "--hold", 2, "--then", "truck 3")
    assert run.code == 0, run.err
    frames = sorted(tmp_path.glob("f_*.png"))
    assert len(frames) == 8 and not np.array_equal(cv2.imread(str(frames[1])), cv2.imread(str(frames[7])))
    run = stillscape(*common, "--then", "truck 7")
    assert run.code == 2 and "these moves take 7 frames, the film has 8" in run.err
    run = stillscape(*common, "--seconds", 2)
    assert run.code == 2 and "clip.mp4 is a film and keeps its length; use --film-frames" in run.err
