"""Stereo, VR and depth films from the command line: what is written, what is told, and what is refused."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from tests.vision.film_files import pan, write_film

QUICK = ("--samples", 1, "--max-vertices", 2000, "--estimator", "plane", "--frames", 2)


def result(run):
    assert run.code == 0, run.err
    return next(e for e in map(json.loads, run.out.splitlines()) if e["event"] == "result")


def test_a_pair_is_told_with_its_parallax(stillscape, make_photo, tmp_path):
    photo = make_photo(96, 64)
    told = result(stillscape("render", photo, "-o", tmp_path / "f_####.png", "--stereo", "top-bottom", "--json", "-", *QUICK))
    assert told["size"] == [96, 128] and told["frames"] == [1, 2]
    assert max(map(abs, told["parallax"])) == pytest.approx(0.033, rel=1e-3) and told["interaxial"] > 0
    assert [cv2.imread(str(tmp_path / f"f_000{n}.png")).shape for n in (1, 2)] == [(128, 96, 3)] * 2
    run = stillscape("render", photo, "-o", tmp_path / "g_####.png", "--stereo", "anaglyph", "--interaxial", 2, *QUICK)
    assert run.code == 0 and "more than the 3.3% that are comfortable" in run.out


def test_frames_rendered_apart_fit_together(stillscape, make_photo, tmp_path):
    """As on a farm: the second frame alone is the same as after the first."""
    photo = make_photo(64, 48)
    for name, wanted in (("a", "1-2"), ("b", "2")):
        run = stillscape(
            "render", photo, "-o", tmp_path / f"{name}_####.png", "--stereo", "side-by-side", "--frame-range", wanted,
            "--move", "push-in", *QUICK,
        )  # fmt: skip
        assert run.code == 0, run.err
    assert np.array_equal(*(cv2.imread(str(tmp_path / f"{name}_0002.png")) for name in "ab"))


def test_a_quilt_gets_its_name(stillscape, make_photo, tmp_path):
    options = ("--stereo", "quilt", "--quilt", "3x2", "--size", "48x64", "--frame-range", "1")
    told = result(stillscape("render", make_photo(96, 64), "-o", tmp_path / "q_####.png", *options, "--json", "-", *QUICK))
    assert told["path"].endswith("q_####_qs3x2a0.75.png") and told["size"] == [144, 128]
    assert cv2.imread(str(tmp_path / "q_0001_qs3x2a0.75.png")).shape == (128, 144, 3)


def test_a_depth_film_tells_what_white_and_black_mean(stillscape, make_photo, tmp_path):
    told = result(
        stillscape("render", make_photo(96, 64), "-o", tmp_path / "d_####.png", "--depth-film", "--move", "truck", "--json", "-", *QUICK)
    )
    grey = cv2.imread(str(tmp_path / "d_0001.png"), cv2.IMREAD_UNCHANGED)
    assert 0 < told["near"] < told["far"]
    assert grey.dtype == np.uint16 and grey.ndim == 2 and grey.max() > 60000


@pytest.mark.parametrize("surround", ["blurred", "mirrored"])
def test_a_film_that_comes_in_becomes_vr180(stillscape, tmp_path, surround):
    write_film(tmp_path / "clip.mp4", pan(3, (64, 48)))
    options = ("--stereo", "vr180", "--surround", surround, "--size", "64x64", "--samples", 1, "--estimator", "plane")
    run = stillscape("render", tmp_path / "clip.mp4", "-o", tmp_path / "f_####.png", *options)
    assert run.code == 0, run.err
    frames = [cv2.imread(str(tmp_path / f"f_000{n}.png")) for n in (1, 3)]
    assert all(f.shape == (64, 128, 3) and f.max(-1).min() > 0 for f in frames)
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--stereo", "vr180", "--engine", "eevee"), "rendered by Cycles only"),
        (("--stereo", "anaglyph", "--depth-film"), "no colors for red and cyan glasses"),
        (("--stereo", "quilt", "--quilt", "0x6"), "--quilt 0 is out of range"),
        (("--interaxial", "-1"), "--interaxial -1 is out of range"),
    ],
)
def test_what_does_not_go_together_is_said_before_any_work(stillscape, make_photo, tmp_path, options, words):
    run = stillscape("render", make_photo(64, 48), "-o", tmp_path / "f_####.png", *options)
    assert run.code == 2 and words in run.err and len(run.err.splitlines()) == 1
    assert not list(tmp_path.glob("f_*"))
