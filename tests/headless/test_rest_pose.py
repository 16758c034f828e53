"""The rest pose is the photo, and next to it nothing jumps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

REST = (1, (0, 0, 0))
DRAWN_BY = [("warp", 4), ("cycles", 1), ("cycles", 16)]
"""Engines, and their samples."""


def random_depth(shape, path, far=40.0):
    """The hardest depth map there is: every pixel somewhere else."""
    np.save(path, np.exp(np.random.default_rng(1).uniform(0, np.log(far), shape)).astype(np.float32))
    return path


@pytest.mark.versions
@pytest.mark.parametrize(("engine", "samples"), DRAWN_BY)
@pytest.mark.parametrize(
    ("size", "options"),
    [((151, 77), ()), ((91, 140), ()), ((120, 90), ("--lens-shift", 0.2, -0.15)), ((120, 90), ("--strength", 0))],
    ids=["odd", "portrait", "cropped", "flat"],
)
def test_rest_pose_is_the_photo(stillscape, make_photo, camera_path, psnr, tmp_path, size, options, engine, samples):
    photo = make_photo(*size)
    depth = random_depth((size[1], size[0]), tmp_path / "depth.npy")
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--camera-path", camera_path(REST), "--samples", samples, "--engine", engine,
        "--depth", depth, "--depth-kind", "depth", *options,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert psnr(cv2.imread(str(photo)), cv2.imread(str(tmp_path / "f_0001.png"))) >= 60


def test_a_real_photo_at_rest(stillscape, camera_path, psnr, tmp_path):
    data = pytest.importorskip("skimage.data")
    photo = tmp_path / "astronaut.png"
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)[:377, :451]
    cv2.imwrite(str(photo), picture)
    for engine, samples in DRAWN_BY:
        out = tmp_path / f"{engine}{samples}_####.png"
        assert (
            stillscape("render", photo, "-o", out, "--camera-path", camera_path(REST), "--samples", samples, "--engine", engine).code == 0
        )
        assert psnr(picture, cv2.imread(str(tmp_path / f"{engine}{samples}_0001.png"))) >= 60


def translated(picture, shift):
    """The picture moved left by `shift` pixels, interpolated as finely as OpenCV can."""
    h, w = picture.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32) + np.float32(shift), np.arange(h, dtype=np.float32))
    return cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)


def inside(picture, border=8):
    return picture[border:-border, border:-border]


@pytest.mark.parametrize(("engine", "samples"), DRAWN_BY)
def test_a_small_motion_is_the_photo_warped_by_it(stillscape, make_photo, camera_path, psnr, tmp_path, engine, samples):
    """At one distance a sideways step of the camera moves the whole photo by a known share of a pixel."""
    photo = make_photo(200, 150)
    picture = cv2.imread(str(photo))
    np.save(tmp_path / "wall.npy", np.full((150, 200), 2.0, np.float32))
    pixel = 2.0 * 2 * np.tan(np.radians(25)) / 200  # metres across one photo pixel at two metres and 50 degrees
    shifts = (0.08, 0.3, 0.5)  # 1 % of a move is a tenth of a pixel at this size
    keys = [(i + 1, (s * pixel, 0, 0)) for i, s in enumerate(shifts)]
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--camera-path", camera_path(*keys), "--ease", "linear", "--samples", samples, "--engine", engine,
        "--depth", tmp_path / "wall.npy", "--depth-kind", "depth", "--fov", 50,
    )  # fmt: skip
    assert run.code == 0, run.err
    for i, shift in enumerate(shifts):
        frame = cv2.imread(str(tmp_path / f"f_{i + 1:04d}.png"))
        assert psnr(inside(frame), inside(translated(picture, shift))) >= (45 if shift < 0.1 else 38)


def sharpness(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64)
    return cv2.Laplacian(inside(grey), cv2.CV_64F).var()


@pytest.mark.parametrize("engine", ["warp", "cycles"])
def test_sharpness_does_not_jump_and_nothing_turns_into_blocks(stillscape, make_photo, camera_path, psnr, tmp_path, engine):
    photo = make_photo(200, 150)
    picture = cv2.imread(str(photo))
    np.save(tmp_path / "wall.npy", np.full((150, 200), 1.0, np.float32))
    nearer = (0.0, 0.002, 0.006, 0.012, 0.3)  # shares of the way to the wall
    keys = [(i + 1, (0, 0, -n)) for i, n in enumerate(nearer)]
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--camera-path", camera_path(*keys), "--ease", "linear",
        "--depth", tmp_path / "wall.npy", "--depth-kind", "depth", "--engine", engine,
    )  # fmt: skip
    assert run.code == 0, run.err
    frames = [cv2.imread(str(tmp_path / f"f_{i + 1:04d}.png")) for i in range(len(nearer))]
    values = [sharpness(f) for f in frames[:4]]
    for before, after in zip(values, values[1:]):
        assert 0.75 < after / before < 1.25
    # The push-in of 30 %: as good as enlarging the photo with a smooth filter, far better than in blocks.
    h, w = picture.shape[:2]
    scale = 1 - nearer[-1]
    x, y = np.meshgrid(((np.arange(w) + 0.5 - w / 2) * scale + w / 2 - 0.5), ((np.arange(h) + 0.5 - h / 2) * scale + h / 2 - 0.5))
    smooth, blocks = (
        cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), how) for how in (cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
    )
    assert psnr(inside(frames[-1]), inside(smooth)) >= 38
    assert psnr(inside(frames[-1]), inside(blocks)) < psnr(inside(frames[-1]), inside(smooth)) - 6


@pytest.mark.parametrize("engine", ["warp", "cycles"])
def test_a_large_photo_filmed_small_does_not_alias(stillscape, camera_path, psnr, tmp_path, engine):
    """Fine stripes that the film cannot show come out as their mean, at rest and a little aside, at one sample."""
    height, width = 480, 640
    stripes = np.zeros((height, width, 3), np.uint8)
    stripes[:, ::2] = 255
    cv2.imwrite(str(tmp_path / "stripes.png"), stripes)
    np.save(tmp_path / "wall.npy", np.full((height, width), 1.0, np.float32))
    keys = [(1, (0, 0, 0)), (2, (0.001, 0, 0)), (3, (0.002, 0, -0.001))]
    run = stillscape(
        "render", tmp_path / "stripes.png", "-o", tmp_path / "f_####.png", "--camera-path", camera_path(*keys), "--size", "160x120",
        "--samples", 1, "--depth", tmp_path / "wall.npy", "--depth-kind", "depth", "--engine", engine,
    )  # fmt: skip
    assert run.code == 0, run.err
    for n in (1, 2, 3):
        frame = inside(cv2.imread(str(tmp_path / f"f_{n:04d}.png")))
        assert frame.shape[:2] == (104, 144)
        assert abs(frame.astype(float) - 188).max() <= 2  # half the light of white is 188 of 255 in sRGB
