"""Films, frames, saved scenes and settings through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PLANE = ("--estimator", "plane")

GOLDEN = Path(__file__).parent / "golden"
"""A photo, its depth, and the last of five frames of an orbit at 16 samples, made with Blender 5.0.1."""
RENDER_FRAME = """
import sys, bpy
blend, frame, out = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=blend)
scene = bpy.context.scene
assert "addon" not in sys.modules
scene.frame_set(int(frame))
scene.render.filepath = out
bpy.ops.render.render(write_still=True)
"""


def steps_depth(path, width, height):
    """A disparity ramp with a near box in the middle, 16 bit."""
    d = np.repeat(np.linspace(0.1, 0.4, height)[:, None], width, 1)
    d[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 0.9
    cv2.imwrite(str(path), (d * 65535).astype(np.uint16))
    return path


@pytest.mark.versions
@pytest.mark.parametrize(("engine", "least"), [("cycles", 45), ("warp", 34)])
def test_frames_look_the_same_on_every_version(stillscape, psnr, tmp_path, engine, least):
    run = stillscape(
        "render", GOLDEN / "photo.png", "-o", tmp_path / "f_####.png", "--depth", GOLDEN / "depth.png", "--move", "orbit",
        "--near", 1.5, "--far", 12, "--frames", 5, "--frame-range", 5, "--samples", 16, "--engine", engine,
    )  # fmt: skip
    assert run.code == 0, run.err
    # Warp goes on past where the mesh ends at the left.
    assert psnr(cv2.imread(str(tmp_path / "f_0005.png"))[:, 4:], cv2.imread(str(GOLDEN / "orbit.png"))[:, 4:]) >= least


@pytest.mark.versions
def test_a_bare_blender_renders_the_saved_scene(stillscape, make_photo, psnr, tmp_path):
    """Another process, without any of our code, gives the driver's frame."""
    photo = make_photo(96, 64)
    blend = tmp_path / "scene.blend"
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--depth", steps_depth(tmp_path / "d.png", 96, 64), "--move", "truck",
        "--frames", 4, "--engine", "cycles", "--save-blend", blend,
    )  # fmt: skip
    assert run.code == 0, run.err
    done = subprocess.run(
        [sys.executable, "-I", "-c", RENDER_FRAME, str(blend), "3", str(tmp_path / "bare.png")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert psnr(cv2.imread(str(tmp_path / "bare.png")), cv2.imread(str(tmp_path / "f_0003.png"))) >= 50


def test_cropping_in_shows_the_middle(stillscape, make_photo, camera_path, psnr, tmp_path):
    photo = make_photo(120, 80)
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_#.png", "--crop", 0.25, "--size", "60x40", "--camera-path", camera_path((1, (0, 0, 0))), *PLANE
    )
    assert run.code == 0, run.err
    middle = cv2.imread(str(photo))[20:60, 30:90]
    assert psnr(cv2.imread(str(tmp_path / "f_1.png")), middle) > 40


@pytest.mark.versions
def test_nothing_of_the_front_stays_on_the_farthest_wall(stillscape, camera_path, tmp_path):
    """At the very end of the depth range nothing moves against the farthest distance; what is hidden there shows nonetheless."""
    photo, d = np.full((64, 96, 3), (60, 160, 60), np.uint8), np.zeros((64, 96), np.uint16)
    photo[16:48, 30:60], d[16:48, 30:60] = (30, 30, 220), 60000
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    cv2.imwrite(str(tmp_path / "d.png"), d)
    run = stillscape(
        "render", tmp_path / "photo.png", "-o", tmp_path / "f_#.png", "--depth", tmp_path / "d.png", "--near", 1, "--far", 10,
        "--fov", 50, "--camera-path", camera_path((1, (0.06, 0, 0))),
    )  # fmt: skip
    assert run.code == 0, run.err
    frame = cv2.imread(str(tmp_path / "f_1.png")).astype(int)
    red = np.flatnonzero((frame[..., 2] - frame[..., 1] > 20)[20:44].any(0))
    assert red.max() < 58 and 30 <= len(red) <= 32  # the box has moved, and only there is red
    assert (frame[..., 1] > 20).all()  # and nowhere is nothing


def test_the_same_settings_give_the_same_pixels(stillscape, make_photo, tmp_path):
    photo = make_photo(96, 64)
    for name in "ab":
        run = stillscape("render", photo, "-o", tmp_path / f"{name}_##.png", "--move", "orbit", "--frames", 3, "--loop", *PLANE)
        assert run.code == 0, run.err
    for n in (1, 2, 3):
        assert (tmp_path / f"a_{n:02d}.png").read_bytes() == (tmp_path / f"b_{n:02d}.png").read_bytes()


@pytest.mark.versions
def test_a_film(stillscape, make_photo, psnr, tmp_path):
    photo = make_photo(97, 65)
    run = stillscape(
        "render", photo, "-o", tmp_path / "film.mp4", "--frames", 6, "--fps", 12, "--samples", 1, "--json", tmp_path / "log.jsonl", *PLANE
    )
    assert run.code == 0, run.err
    film = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(12)
    assert (film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (96, 64)
    pictures = []
    while (read := film.read())[0]:
        pictures.append(read[1])
    assert len(pictures) == 6
    grey = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (pictures[0], cv2.imread(str(photo))[:64, :96])]
    assert psnr(*grey) > 26  # OpenCV decodes by the older colour matrix; tests/output/test_film.py is exact
    head = (tmp_path / "film.mp4").read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "result" and events[-1]["size"] == [96, 64]
    assert [e["frame"] for e in events if e["event"] == "frame"] == [1, 2, 3, 4, 5, 6]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "log.jsonl", "photo.png"]


def test_frame_range_and_formats(stillscape, make_photo, tmp_path):
    photo = make_photo(64, 48)
    for suffix in ("jpg", "exr"):
        run = stillscape(
            "render", photo, "-o", tmp_path / f"x_####.{suffix}", "--frames", 9, "--frame-range", "2-8:3", "--samples", 1,
            "--size", "32x24", *PLANE,
        )  # fmt: skip
        assert run.code == 0, run.err
        assert sorted(p.name for p in tmp_path.glob(f"x_*.{suffix}")) == [f"x_000{n}.{suffix}" for n in (2, 5, 8)]
    assert cv2.imread(str(tmp_path / "x_0002.jpg")).shape == (24, 32, 3)


def test_an_exr_photo_comes_back_as_exr(stillscape, camera_path, tmp_path):
    import os

    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    light = np.random.default_rng(0).uniform(0, 4, (24, 32, 3)).astype(np.float32)
    assert cv2.imwrite(str(tmp_path / "light.exr"), light)
    run = stillscape("render", tmp_path / "light.exr", "-o", tmp_path / "f_#.exr", "--camera-path", camera_path((1, (0, 0, 0))), *PLANE)
    assert run.code == 0, run.err
    back = cv2.imread(str(tmp_path / "f_1.exr"), cv2.IMREAD_UNCHANGED)[..., :3]
    assert np.abs(back - light).max() < 0.01


def test_a_16_bit_photo_keeps_its_depth(stillscape, camera_path, tmp_path):
    photo = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], 48, 0).repeat(3, 2)
    cv2.imwrite(str(tmp_path / "deep.png"), photo)
    run = stillscape("render", tmp_path / "deep.png", "-o", tmp_path / "f_#.png", "--camera-path", camera_path((1, (0, 0, 0))), *PLANE)
    assert run.code == 0, run.err
    back = cv2.imread(str(tmp_path / "f_1.png"), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    assert np.abs(back.astype(int) - photo).max() < 64  # a quarter of an 8-bit step


def test_a_transparent_photo_keeps_its_alpha(stillscape, camera_path, tmp_path):
    photo = np.zeros((48, 64, 4), np.uint8)
    photo[..., :3] = (30, 120, 220)
    photo[:, 20:40, 3] = 255
    photo[:, 40:50, 3] = 128
    cv2.imwrite(str(tmp_path / "cut.png"), photo)
    run = stillscape(
        "render", tmp_path / "cut.png", "-o", tmp_path / "f_#.png", "--camera-path", camera_path((1, (0, 0, 0))), "--samples", 16, *PLANE
    )
    assert run.code == 0, run.err
    back = cv2.imread(str(tmp_path / "f_1.png"), cv2.IMREAD_UNCHANGED)
    assert back.shape == (48, 64, 4)
    assert back[:, 2:18, 3].max() == 0 and back[:, 22:38, 3].min() == 255
    assert np.abs(back[:, 22:38, :3].astype(int) - (30, 120, 220)).max() <= 1
    assert np.abs(back[:, 42:48, 3].astype(int) - 128).mean() < 30  # a share of the samples, so some noise


def test_camera_path_moves_as_written(stillscape, make_photo, camera_path, psnr, tmp_path):
    """Half the field of view shows the middle half of the photo, twice as large."""
    photo = make_photo(128, 96)
    path = camera_path(
        (1, (0, 0, 0), (0, 0, 0), 50.0), (3, (0, 0, 0), (0, 0, 0), float(np.degrees(2 * np.arctan(np.tan(np.radians(25)) / 2))))
    )
    run = stillscape("render", photo, "-o", tmp_path / "f_#.png", "--camera-path", path, "--fov", 50, "--frame-range", "1,3", *PLANE)
    assert run.code == 0, run.err
    picture = cv2.imread(str(photo))
    assert psnr(cv2.imread(str(tmp_path / "f_1.png")), picture) >= 60
    enlarged = cv2.resize(picture[24:72, 32:96], (128, 96), interpolation=cv2.INTER_CUBIC)
    assert psnr(cv2.imread(str(tmp_path / "f_3.png"))[8:-8, 8:-8], enlarged[8:-8, 8:-8]) > 32


def test_settings_files(stillscape, make_photo, tmp_path):
    photo = make_photo(64, 48)
    spec = tmp_path / "spec.json"
    assert stillscape("render", photo, "--move", "truck", "--frames", 7, "--size", "40x30", "--write-spec", spec, *PLANE).code == 0
    written = json.loads(spec.read_text())
    assert written["move"]["name"] == "truck" and written["render"]["size"] == [40, 30]
    run = stillscape("render", photo, "-o", tmp_path / "f_#.png", "--spec", spec, "--frames", 2, "--write-spec", "--samples", 1)
    assert run.code == 0, run.err
    assert '"frames": 2' in run.out and '"truck"' in run.out
    assert cv2.imread(str(tmp_path / "f_2.png")).shape == (30, 40, 3) and not (tmp_path / "f_3.png").exists()


def test_json_lines_on_standard_output_are_nothing_else(stillscape, make_photo, tmp_path):
    run = stillscape("render", make_photo(48, 32), "-o", tmp_path / "f_#.png", "--frames", 2, "--samples", 1, "--json", "-", *PLANE)
    assert run.code == 0, run.err
    events = [json.loads(line) for line in run.out.splitlines()]
    assert events[-1]["event"] == "result"
    shares = [e["share"] for e in events if e["event"] == "progress"]
    assert shares == sorted(shares) and shares[-1] == 1.0


@pytest.mark.versions
def test_the_scene_command(stillscape, make_photo, tmp_path):
    run = stillscape("scene", make_photo(64, 48), "-o", tmp_path / "s.blend", "--move", "orbit", *PLANE)
    assert run.code == 0, run.err
    assert (tmp_path / "s.blend").stat().st_size > 10_000


def test_depth_needs_no_blender(stillscape, make_photo, tmp_path):
    photo = make_photo(64, 48)
    import os

    (tmp_path / "bpy.py").write_text("raise ImportError('Blender was imported')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for name in ("d.npy", "d.png", "d.exr"):
        run = stillscape("depth", photo, "-o", tmp_path / name, *PLANE, env=environment)
        assert run.code == 0, run.err
    values = np.load(tmp_path / "d.npy")
    assert values.dtype == np.float32 and values.shape == (48, 64)
    assert cv2.imread(str(tmp_path / "d.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16


@pytest.mark.slow
def test_workbench(stillscape, make_photo, psnr, tmp_path):
    photo = make_photo(64, 48)
    run = stillscape("render", photo, "-o", tmp_path / "f_#.png", "--engine", "workbench", "--frames", 1, *PLANE)
    assert run.code == 0, run.err
    assert psnr(cv2.imread(str(tmp_path / "f_1.png")), cv2.imread(str(photo))) > 25


@pytest.mark.slow
def test_eevee(stillscape, make_photo, psnr, tmp_path):
    photo = make_photo(48, 32)
    run = stillscape("render", photo, "-o", tmp_path / "f_#.png", "--engine", "eevee", "--frames", 1, "--samples", 1, *PLANE)
    assert run.code == 0, run.err
    assert psnr(cv2.imread(str(tmp_path / "f_1.png")), cv2.imread(str(photo))) > 25
