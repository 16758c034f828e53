"""Frames drawn by bending layers: where things are by their depth, what is behind them, and the same film as Cycles renders."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon.errors import UsageError
from addon.output import job, render, warped
from addon.spec import FocusSpec, LightSpec, SceneSpec
from addon.vision.geometry import frame_photo, ray_map
from addon.vision.layered import read_layered
from addon.vision.pipeline import make_layered_photo
from addon.vision.planning import shot
from addon.vision.warp import Pose

WIDTH, HEIGHT, FOV = 96, 64, 60.0
STILL = np.eye(3)
PIXELS = WIDTH / (2 * math.tan(math.radians(FOV) / 2))  # that a sideways move of one metre shifts what is one metre away


def turned(axis: str, degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array({"y": [[c, 0, s], [0, 1, 0], [-s, 0, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis])


def scene_of(*boxes, far=8.0):
    """Metres: a wall at `far` with boxes (left, top, right, bottom, metres) before it."""
    depth = np.full((HEIGHT, WIDTH), far, np.float32)
    for left, top, right, bottom, z in boxes:
        depth[top:bottom, left:right] = z
    return depth


def picture_of(depth: np.ndarray, seed: int = 0) -> np.ndarray:
    """BGR: smooth shading on the wall, a colour of its own on everything nearer."""
    v, u = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    picture = np.stack([120 + 60 * np.sin(9 * u + 2 * k) * np.cos(7 * v - k) for k in range(3)], -1)
    for k, z in enumerate(sorted(set(depth.ravel().tolist()))[:-1]):
        picture[depth == z] = (
            np.array([(40, 40, 220), (220, 60, 40), (40, 200, 220)][k % 3]) + 15 * np.sin(20 * u + 3 * v)[depth == z][:, None]
        )
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture
def made(tmp_path: Path):
    """A layered photo of a picture (BGR) and its depth in metres, and what draws it."""

    def make(picture, depth, film=None, **sections):
        cv2.imwrite(str(tmp_path / "photo.png"), picture)
        np.save(tmp_path / "depth.npy", depth)
        spec = SceneSpec()
        given = {"depth": {"estimator": "file", "file": str(tmp_path / "depth.npy"), "kind": "depth"}, "photo": {"fov": FOV}}
        for name in {**given, **sections}:
            spec = replace(spec, **{name: replace(getattr(spec, name), **given.get(name, {}), **sections.get(name, {}))})
        size = film or (picture.shape[1], picture.shape[0])
        layered = make_layered_photo(
            tmp_path / "photo.png", replace(spec, render=replace(spec.render, size=size)), tmp_path / "layers", quiet
        )
        return layered, spec, warped.make_warp(layered, spec, shot(layered, spec.move), size)

    return make


def quiet(share: float, text: str) -> None:
    """Progress that nobody looks at."""


def bgr(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGBA2BGR)


def psnr(a, b, where=...) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float))[where] ** 2))))


@pytest.mark.parametrize("layers", ["many", "off"])
def test_at_rest_it_is_the_photo_bit_for_bit(made, layers):
    depth = np.exp(np.random.default_rng(1).uniform(0, 3, (HEIGHT, WIDTH))).astype(np.float32)
    picture = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    _, _, warp = made(picture, depth, layers={"mode": layers})
    frame = warp.frame(Pose((0, 0, 0), STILL))
    assert np.array_equal(bgr(frame), picture) and (frame[..., 3] == 255).all()


def test_things_move_by_their_distance(made):
    depth = scene_of((40, 24, 56, 40, 2.0))
    _, _, warp = made(picture_of(depth), depth)
    red = bgr(warp.frame(Pose((0.2, 0, 0), STILL)))[..., 2].astype(int) - bgr(warp.frame(Pose((0.2, 0, 0), STILL)))[..., 0] > 90
    columns = np.flatnonzero(red[32])
    # Camera to the right: everything goes to the left, by f·b/z.
    assert columns.min() == pytest.approx(40 - PIXELS * 0.2 / 2, abs=1) and columns.max() == pytest.approx(55 - PIXELS * 0.2 / 2, abs=1)
    rows = np.flatnonzero(red[:, int(columns.mean())])
    assert (rows.min(), rows.max()) == (24, 39)


def test_what_was_hidden_is_the_wall_and_nothing_of_the_front(made):
    depth = scene_of((40, 24, 56, 40, 2.0))
    _, _, warp = made(picture_of(depth), depth)
    frame = bgr(warp.frame(Pose((0.2, 0, 0), STILL))).astype(int)
    uncovered = np.s_[26:38, 50:54]  # right of the box's new place, where the box was
    assert (frame[uncovered][..., 2] - frame[uncovered][..., 0] < 100).all() and frame[uncovered].min() > 20


def test_a_flat_photo_is_seen_as_a_plane(made):
    depth = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    picture = picture_of(depth)
    _, _, warp = made(picture, depth, layers={"mode": "off"})
    aside = bgr(warp.frame(Pose((3 * 5 / PIXELS, 0, 0), STILL)))  # five pixels
    assert psnr(aside[:, :80], picture[:, 5:85]) > 50
    near = bgr(warp.frame(Pose((0, 0, -1.5), STILL)))  # half the way
    wanted = cv2.resize(picture[16:48, 24:72], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    assert psnr(near, wanted, np.s_[4:-4, 4:-4]) > 38
    assert psnr(bgr(warp.frame(Pose((0, 0, 0), STILL, 2.0))), wanted, np.s_[4:-4, 4:-4]) > 38  # a lens twice as long


def test_the_far_side_of_a_gap_within_one_layer_is_seen(made):
    depth = scene_of((20, 10, 76, 54, 2.0))
    depth[18:46, 32:44] = depth[18:46, 52:64] = 8.0  # two windows in a board
    _, _, warp = made(picture_of(depth), depth)
    for x in (0.1, 0.3, -0.3):
        frame = warp.frame(Pose((x, 0.05, 0), STILL))
        assert (frame[16:48, 24:72, 3] == 255).all()
        assert (frame[16:48, 24:72, :3].max(-1) > 15).all()


@pytest.mark.versions
@pytest.mark.parametrize(
    "pose",
    [Pose((0.25, 0.05, 0), STILL), Pose((0, 0, -0.5), STILL), Pose((0.2, 0, -0.1), turned("y", 4)), Pose((0, 0, 0), turned("z", 10)), Pose((0.1, 0, 0), STILL, 1.3),
     Pose((0.05, 0, 0), STILL, 1.6, (0.12, -0.05))],
    ids=["aside", "closer", "orbit", "roll", "zoom", "part"],
)  # fmt: skip
def test_cycles_shows_the_same(made, tmp_path, pose):
    depth = scene_of((36, 20, 60, 64, 2.0), (10, 30, 26, 60, 4.0), far=10.0)
    depth[:14] = np.inf  # sky
    layered, spec, warp = made(picture_of(scene_of((36, 20, 60, 64, 2.0), (10, 30, 26, 60, 4.0), far=10.0)), depth)
    scene = bpy.data.scenes.new("warp")
    built = job.build_scene(layered, replace(spec, render=replace(spec.render, samples=16)), scene, film=False)
    built.camera.animation_data_clear()
    built.camera.location = pose.location
    built.camera.rotation_euler = rotation(pose)
    data = built.camera.data
    data.lens = data["stillscape_lens"] * pose.zoom
    data.shift_x, data.shift_y = (o * pose.zoom * data["stillscape_lens"] / data.sensor_width for o in pose.offset)
    with bpy.context.temp_override(scene=scene):
        bpy.context.view_layer.update()
        again = warped.pose_of(built.camera)
        assert np.allclose(again.rotation, pose.rotation, atol=1e-5) and again[2:] == (
            pytest.approx(pose.zoom),
            pytest.approx(pose.offset, abs=1e-6),
        )
        (frame,) = render.render_frames(scene, str(tmp_path / "f_####.png"), [1])
    rendered, drawn = cv2.imread(str(frame.path)), bgr(warp.frame(pose))
    bpy.data.scenes.remove(scene)
    inside = np.s_[6:-6, 6:-6]
    assert psnr(rendered, drawn, inside) > 33
    same = np.abs(rendered.astype(int) - drawn)[inside].max(-1) <= 6
    assert same.mean() > 0.93  # all but the pixels along silhouettes


def rotation(pose: Pose):
    from mathutils import Matrix

    return Matrix(pose.rotation.tolist()).to_euler("XYZ")


def test_a_photo_that_is_see_through_keeps_its_alpha(made):
    depth = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    picture = np.dstack([picture_of(depth), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    picture[:, :48, 3] = 0
    _, _, warp = made(picture, depth)
    frame = warp.frame(Pose((3 * 8 / PIXELS, 0, 0), STILL))
    assert (frame[:, :36, 3] == 0).all() and (frame[:, 42:80, 3] == 255).all()


def test_16_bits_stay_16_bits(made, tmp_path):
    ramp = np.repeat(np.linspace(1000, 60000, WIDTH)[None], HEIGHT, 0).astype(np.uint16)
    _, _, warp = made(np.dstack([ramp] * 3), np.full((HEIGHT, WIDTH), 3.0, np.float32))
    frame = warp.frame(Pose((0, 0, 0), STILL))
    data = warped.encode_frame(frame, "png", deep=True, transparent=False, name="f.png")
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., 0], ramp)
    eight = cv2.imdecode(np.frombuffer(warped.encode_frame(frame, "png", deep=False, transparent=False, name="f.png"), np.uint8), -1)
    assert eight.dtype == np.uint8 and np.abs(eight[..., 0].astype(int) * 257 - ramp).max() <= 129


def test_which_engine_draws(made):
    layered, spec, _ = made(picture_of(scene_of()), scene_of())

    def asked(engine: str, device: str = "auto") -> SceneSpec:
        return replace(spec, render=replace(spec.render, engine=engine), machine=replace(spec.machine, device=device))

    assert warped.wants_warp(asked("auto"), ".png") and warped.wants_warp(asked("warp", "cpu"), ".jpg")
    assert not warped.wants_warp(asked("cycles"), ".png")
    assert not warped.wants_warp(asked("auto"), ".exr")
    assert not warped.wants_warp(asked("auto", "cuda"), ".png")
    for wrong, suffix in ((asked("warp"), ".exr"), (asked("warp", "optix"), ".png")):
        with pytest.raises(UsageError, match="--engine warp"):
            warped.wants_warp(wrong, suffix)
    assert warped.can_warp(replace(spec, focus=FocusSpec(at=(0.5, 0.5)), light=LightSpec(relight=0.0)))
    for more in (
        {"focus": FocusSpec(f_stop=2.0)}, {"focus": FocusSpec(motion_blur=0.5)}, {"light": LightSpec(relight=0.5)},
        {"light": LightSpec(lamp="sun")}, {"light": LightSpec(haze=0.1)}, {"light": LightSpec(vignette=0.1)},
    ):  # fmt: skip
        assert not warped.wants_warp(replace(asked("auto"), **more), ".png")
        with pytest.raises(UsageError, match="--engine cycles"):
            warped.wants_warp(replace(asked("warp"), **more), ".png")


def test_the_camera_alone_aims_where_the_whole_scene_does(made):
    layered, spec, _ = made(picture_of(scene_of()), scene_of())
    spec = replace(spec, focus=FocusSpec(at=(0.25, 0.75)), light=LightSpec(haze=0.2))
    places = []
    for alone in (False, True):
        built = job.build_scene(layered, spec, bpy.context.scene, film=False, camera_alone=alone)
        places.append(
            (tuple(built.aim.location), built.root["Haze"], built.root["stillscape_aim_x"], built.aim["stillscape_id"] == built.id)
        )
        assert built.camera.data.dof.focus_object == built.aim and bool(built.layers) != alone
    assert places[0] == places[1] and places[0][3]


def test_a_folder_of_layers_draws_like_the_photo_it_was_made_of(made):
    depth = scene_of((40, 24, 56, 40, 2.0))
    layered, spec, warp = made(picture_of(depth), depth)
    again = read_layered(layered.folder)
    other = warped.make_warp(again, spec, shot(again, spec.move), (WIDTH, HEIGHT))
    pose = Pose((0.1, 0, 0), STILL)
    assert np.array_equal(other.frame(pose), warp.frame(pose))
    small = warped.make_warp(again, spec, shot(again, spec.move), (WIDTH // 2, HEIGHT // 2))  # another size: another texture
    assert psnr(bgr(small.frame(pose)), cv2.resize(bgr(warp.frame(pose)), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)) > 25
    assert frame_photo(again.camera, again.size, (WIDTH, HEIGHT)).width == WIDTH and ray_map(
        again.camera, again.size
    ).width == pytest.approx(WIDTH / PIXELS)
