"""Films and image sequences on the command line."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from addon.output.mp4 import read_film
from tests.vision.film_files import pan, write_film, write_sequence

PLANE = ("--estimator", "plane")

SMALL = ("--samples", "1")


@pytest.fixture
def clip(tmp_path):
    return write_film(tmp_path / "clip.mp4", pan(6), 30)


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        read, frame = capture.read()
        if not read:
            return found
        found.append(frame)


def test_at_rest_every_frame_is_the_films(stillscape, clip, tmp_path, psnr):
    run = stillscape("render", clip, "-o", tmp_path / "out" / "f_####.png", "--amount", "0", *SMALL, *PLANE)
    assert run.code == 0, run.err
    for n, frame in enumerate(frames_of(clip), 1):
        assert psnr(cv2.imread(str(tmp_path / "out" / f"f_{n:04d}.png")), frame) >= 45, n
    assert len(list((tmp_path / "out").iterdir())) == 6
    part = stillscape("render", clip, "-o", tmp_path / "part" / "f_####.png", "--amount", "0", "--frame-range", "5-6", *SMALL, *PLANE)
    assert part.code == 0 and sorted(p.name for p in (tmp_path / "part").iterdir()) == ["f_0005.png", "f_0006.png"]
    for file in (tmp_path / "part").iterdir():
        assert file.read_bytes() == (tmp_path / "out" / file.name).read_bytes()


def test_a_film_of_the_films_length_and_speed(stillscape, clip, tmp_path):
    run = stillscape("render", clip, "-o", tmp_path / "film.mp4", "--move", "orbit", *SMALL, *PLANE)
    assert run.code == 0, run.err
    info = read_film(tmp_path / "film.mp4")
    assert info.frames == 6 and info.fps == pytest.approx(30)
    run = stillscape("render", clip, "-o", tmp_path / "less.mp4", "--frames", "3", "--fps", "12", *SMALL, *PLANE)
    assert run.code == 0, run.err
    info = read_film(tmp_path / "less.mp4")
    assert info.frames == 3 and info.fps == pytest.approx(12)


def test_a_sequence_with_its_depth_maps_keeps_its_pixels(stillscape, tmp_path, psnr):
    pictures = pan(3)
    pattern = write_sequence(tmp_path, pictures, first=8)
    depth = write_sequence(tmp_path, [np.tile(np.linspace(100, 60000, 96).astype(np.uint16), (64, 1))] * 3, first=8, name="depth")
    run = stillscape("render", pattern, "-o", tmp_path / "o_####.png", "--depth", depth, "--amount", "0", *SMALL)
    assert run.code == 0, run.err
    for n, picture in enumerate(pictures, 1):
        assert psnr(cv2.imread(str(tmp_path / f"o_{n:04d}.png")), picture) >= 60


def test_the_scene_keeps_its_frames_beside_it(stillscape, clip, tmp_path):
    run = stillscape("scene", clip, "-o", tmp_path / "out" / "scene.blend", *PLANE)
    assert run.code == 0, run.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["scene.blend", "scene_film"]
    assert json.loads((tmp_path / "out" / "scene_film" / "layers.json").read_text())["frames"]["count"] == 6


def test_the_depth_alone(stillscape, clip, tmp_path):
    run = stillscape("depth", clip, "-o", tmp_path / "d_####.png", "--frames", "2", *PLANE)
    assert run.code == 2  # the move is none of this command's business
    run = stillscape("depth", clip, "-o", tmp_path / "d_####.png", "--film-frames", "2", *PLANE)
    assert run.code == 0, run.err
    assert sorted(p.name for p in tmp_path.glob("d_*")) == ["d_0001.png", "d_0002.png"]
    assert cv2.imread(str(tmp_path / "d_0002.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    run = stillscape("depth", clip, "-o", tmp_path / "d.npy", *PLANE)
    assert run.code == 2 and "depth_####.png" in run.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--frames", "7", *PLANE), 2, "at most 6"),
        (("--depth", "none_####.png"), 3, "no such image sequence"),
        (("--depth", "."), 3, "no numbered depth maps"),
    ],
)
def test_what_does_not_suit_the_film_is_said(stillscape, clip, tmp_path, arguments, code, sentence):
    run = stillscape("render", clip, "-o", "film.mp4", *arguments, cwd=tmp_path)
    assert run.code == code and sentence in run.err and run.err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_film_that_cannot_be_read(stillscape, clip, tmp_path):
    clip.write_bytes(clip.read_bytes()[:-200])
    run = stillscape("scene", clip, "-o", tmp_path / "scene.blend", *PLANE)
    assert run.code == 3 and "cut short" in run.err and run.err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_film_that_is_damaged_inside(stillscape, clip, tmp_path):
    """What FFmpeg has to say about it does not stand beside our sentence."""
    data = bytearray(clip.read_bytes())
    start = data.find(b"mdat") + 4
    data[start : data.find(b"moov") - 4] = np.random.default_rng(0).bytes(data.find(b"moov") - 4 - start)
    clip.write_bytes(bytes(data))
    run = stillscape("scene", clip, "-o", tmp_path / "scene.blend", *PLANE)
    assert run.code == 3 and "convert it" in run.err and run.err.count("\n") == 1, run.err


def test_a_path_longer_than_the_film(stillscape, clip, tmp_path, camera_path):
    path = camera_path((1, (0, 0, 0)), (20, (0.1, 0, 0)))
    run = stillscape("render", clip, "-o", tmp_path / "film.mp4", "--camera-path", path, *PLANE)
    assert run.code == 2 and "20 frames, the film only 6" in run.err
