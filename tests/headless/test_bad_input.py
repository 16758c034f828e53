"""Whatever a user hands in wrongly gives one sentence that names it, the right exit code, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PLANE = ("--estimator", "plane")

ROOT = Path(__file__).resolve().parents[2]


def one_sentence(run, code, *words):
    assert run.code == code, (run.code, run.err, run.out)
    lines = [line for line in run.err.splitlines() if line.startswith("Stillscape: ")]
    assert len(lines) == 1, run.err
    assert "Traceback" not in run.err
    for word in words:
        assert word in lines[0], lines[0]
    assert lines[0].endswith(".")


def damaged(folder: Path, good: bytes) -> dict[str, bytes]:
    gif = b"GIF89a" + struct.pack("<HH", 16, 16) + b"\0" * 40
    huge = bytearray(good)
    huge[16:24] = struct.pack(">II", 60000, 60000)
    import zlib

    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    return {
        "empty.png": b"",
        "cut.png": good[: len(good) // 2],
        "text.jpg": b"this is not a picture\n" * 20,
        "anim.gif": gif,
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100,
        "huge.png": bytes(huge),
        "noise.tiff": b"II*\0" + os.urandom(200),
        "script.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    }


def test_photos_that_cannot_be_used(stillscape, make_photo, tmp_path):
    good = make_photo(64, 48).read_bytes()
    for name, content in damaged(tmp_path, good).items():
        path = tmp_path / name
        path.write_bytes(content)
        one_sentence(stillscape("depth", path, "-o", tmp_path / "out.npy"), 3, name)
        assert not (tmp_path / "out.npy").exists()
    one_sentence(stillscape("depth", tmp_path / "missing.jpg", "-o", tmp_path / "out.npy"), 3, "missing.jpg")
    one_sentence(stillscape("depth", tmp_path, "-o", tmp_path / "out.npy"), 3)
    one_sentence(stillscape("render", tmp_path / "text.jpg", "-o", tmp_path / "out.mp4"), 3, "text.jpg")
    big = make_photo(200, 100, "big.png")
    one_sentence(stillscape("depth", big, "-o", tmp_path / "out.npy", "--max-megapixels", 0.01), 3, "big.png", "--max-megapixels")


def test_photos_of_every_kind_are_read(stillscape, make_photo, tmp_path):
    picture = cv2.imread(str(make_photo(64, 48)))
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    kinds = {
        "grey.png": grey, "grey16.png": grey.astype(np.uint16) * 257, "deep.tiff": picture.astype(np.uint16) * 257,
        "alpha.png": np.dstack([picture, grey]), "p.webp": picture, "p.bmp": picture, "p.jpg": picture, "it's $(id).jpg": picture,
    }  # fmt: skip
    for name, pixels in kinds.items():
        assert cv2.imwrite(str(tmp_path / name), pixels)
        run = stillscape("depth", tmp_path / name, "-o", tmp_path / "out.npy")
        assert run.code == 0, (name, run.err)
        assert np.load(tmp_path / "out.npy").shape == (48, 64)


def test_depth_maps_that_cannot_be_used(stillscape, make_photo, tmp_path):
    photo = make_photo(64, 48)
    np.save(tmp_path / "nan.npy", np.full((48, 64), np.nan, np.float32))
    np.save(tmp_path / "shape.npy", np.ones((10, 64), np.float32))
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "cut.pfm").write_bytes(b"Pf\n64 48\n-1.0\n" + b"\0" * 10)
    cv2.imwrite(str(tmp_path / "colour.png"), cv2.imread(str(photo)))
    for name in ("nan.npy", "shape.npy", "object.npy", "cut.pfm", "colour.png", "missing.exr"):
        one_sentence(stillscape("render", photo, "-o", tmp_path / "f_#.png", "--depth", tmp_path / name), 3)
        assert not list(tmp_path.glob("f_*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--move", "sideways"], []),
        (["--frames", "0"], ["--frames"]),
        (["--fov", "400"], ["--fov"]),
        (["--near", "5", "--far", "2"], ["--near"]),
        (["--frame-range", "5-1", *PLANE], ["--frame-range"]),
        (["--frame-range", "1-999999999", *PLANE], ["--frame-range"]),
        (["--estimator", "magic"], ["--estimator", "plane"]),
        (["--size", "big"], []),
        (["--device", "cuda", "--engine", "workbench", *PLANE], ["--device"]),
    ],
)
def test_arguments_that_make_no_sense(stillscape, make_photo, tmp_path, arguments, words):
    run = stillscape("render", make_photo(32, 24), "-o", tmp_path / "f_#.png", *arguments)
    assert run.code == 2, run.err
    assert "Traceback" not in run.err
    for word in words:
        assert word in run.err
    assert not list(tmp_path.glob("f_*"))


def test_outputs_that_cannot_be(stillscape, make_photo, tmp_path):
    photo = make_photo(32, 24)
    for name in ("film.avi", "frame.png", "nothing"):
        one_sentence(stillscape("render", photo, "-o", tmp_path / name), 2, name)
    one_sentence(stillscape("render", photo), 2, "-o")
    (tmp_path / "file").write_text("in the way")
    one_sentence(stillscape("render", photo, "-o", tmp_path / "file" / "f_#.png", *PLANE), 5, "file")
    one_sentence(stillscape("scene", photo, "-o", tmp_path / "scene.txt"), 2, ".blend")
    one_sentence(stillscape("depth", photo, "-o", tmp_path / "file" / "d.npy", *PLANE), 5)


def test_settings_and_paths_that_cannot_be_read(stillscape, make_photo, tmp_path):
    photo = make_photo(32, 24)
    bad = tmp_path / "bad.json"
    for content in ("{", "[]", '{"schema": 99}', '{"move": {"nam": "orbit"}}', '{"moves": {}}', '{"move": 3}', '{"render": {"size": "x"}}'):
        bad.write_text(content)
        run = stillscape("render", photo, "-o", tmp_path / "f_#.png", "--spec", bad)
        assert run.code in (2, 3) and "Traceback" not in run.err, (content, run.err)
    keyframe = {"frame": 1, "location": [0, 0, 0], "rotation": [0, 0, 0]}
    for data in (
        {}, {"keyframes": []}, {"keyframes": [{"frame": 0}]}, {"keyframes": [{**keyframe, "location": [0, "x", 0]}]},
        {"keyframes": [keyframe, keyframe]}, {"keyframes": [{**keyframe, "fov": 500}]}, {"keyframes": [keyframe], "fps": -1},
    ):  # fmt: skip
        bad.write_text(json.dumps(data))
        one_sentence(stillscape("render", photo, "-o", tmp_path / "f_#.png", "--camera-path", bad, *PLANE), 3, "bad.json")
    one_sentence(stillscape("render", photo, "-o", tmp_path / "f_#.png", "--camera-path", tmp_path / "none.json", *PLANE), 3, "none.json")


def test_a_device_that_is_not_there(stillscape, make_photo, tmp_path):
    probe = stillscape("render", make_photo(32, 24), "-o", tmp_path / "p_#.png", "--frames", 1, "--samples", 1, *PLANE)
    assert probe.code == 0 and "Device: CPU" in probe.out
    for device in ("cuda", "optix", "hip", "metal", "oneapi"):
        run = stillscape("render", tmp_path / "photo.png", "-o", tmp_path / "f_#.png", "--device", device, *PLANE)
        one_sentence(run, 6, f"--device {device}")
    assert not list(tmp_path.glob("f_*"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a tiny disk needs root")
def test_a_full_disk_loses_nothing(stillscape, make_photo, tmp_path):
    photo = make_photo(160, 120)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        run = stillscape("render", photo, "-o", disk / "f_####.png", "--frames", 6, "--samples", 1, *PLANE)
        one_sentence(run, 5, "disk")
        whole = list(disk.iterdir())
        assert whole and all(cv2.imread(str(p)).shape == (120, 160, 3) and p.name.startswith("f_0") for p in whole)
        for p in whole:
            p.unlink()
        one_sentence(stillscape("scene", photo, "-o", disk / "s.blend", *PLANE), 5, "s.blend")
        assert not list(disk.iterdir())
        environment = {**os.environ, "TMPDIR": str(disk)}
        one_sentence(stillscape("render", photo, "-o", tmp_path / "g_#.png", "--frames", 1, *PLANE, env=environment), 5)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_stopping_keeps_whole_frames(make_photo, tmp_path):
    """A signal in the middle of a frame: that frame is finished, the exit code says so, nothing temporary stays."""
    import signal
    import time

    photo = make_photo(320, 240)
    command = [sys.executable, str(ROOT / "headless" / "stillscape.py"), "render", str(photo), "-o", str(tmp_path / "f_####.png")]
    process = subprocess.Popen(
        [*command, *PLANE, "--frames", "200", "--samples", "8"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.time() + 120
        while not (tmp_path / "f_0002.png").exists() and time.time() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 75 and "Interrupted" in err
    frames = sorted(tmp_path.glob("f_*.png"))
    assert 2 <= len(frames) < 200 and all(cv2.imread(str(f)).shape == (240, 320, 3) for f in frames)
    assert not [p for p in tmp_path.iterdir() if ".tmp" in p.name]
