"""Light, haze, vignette and the lens, as they are rendered."""

from __future__ import annotations

import math
from dataclasses import replace

import bpy
import cv2
import numpy as np
import pytest

from addon.output import job
from addon.output.effects import set_up_effects
from addon.scene import compat
from addon.spec import DepthSpec, FocusSpec, LightSpec, MoveSpec, PhotoSpec, ReliefSpec, SceneSpec
from addon.vision.texture import srgb_to_linear

pytestmark = pytest.mark.versions
WIDTH, HEIGHT = 96, 72
STILL = SceneSpec(photo=PhotoSpec(fov=90.0), move=MoveSpec(frames=1))
ASPECT = HEIGHT / WIDTH
ACROSS = ((np.arange(WIDTH) + 0.5) / WIDTH * 2 - 1)[None].repeat(HEIGHT, 0)  # tangents at 90 degrees
UP = (1 - (np.arange(HEIGHT) + 0.5) / HEIGHT * 2)[:, None].repeat(WIDTH, 1) * ASPECT


@pytest.fixture
def make(tmp_path):
    """Build a scene from a picture (uint8 H×W×3, BGR) and metres (H×W)."""

    def build(picture, metres, **sections):
        cv2.imwrite(str(tmp_path / "photo.png"), picture)
        np.save(tmp_path / "depth.npy", np.asarray(metres, np.float32))
        spec = replace(STILL, depth=DepthSpec(file=str(tmp_path / "depth.npy"), kind="depth"), **sections)
        return job.make_scene(tmp_path / "photo.png", spec, bpy.context.scene, lambda share, text: None, film=False), spec

    return build


@pytest.fixture
def render(tmp_path):
    """Render a frame of the open scene: uint8 H×W×3, BGR."""

    def shoot(frame=1):
        scene = bpy.context.scene
        scene.frame_set(frame)
        scene.render.filepath = str(tmp_path / "frame.png")
        bpy.ops.render.render(write_still=True)
        return cv2.imread(str(tmp_path / "frame.png"))

    return shoot


def grey(value=180):
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def noisy():
    return np.random.default_rng(4).integers(80, 176, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def psnr(a, b):
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float)) ** 2))))


def linear(picture):
    return srgb_to_linear(picture.astype(np.float32) / 255)


def sharpness(picture):
    return cv2.Laplacian(picture.mean(2), cv2.CV_64F).var()


def test_nothing_asked_for_is_the_photo(make, render):
    built, _ = make(noisy(), np.where(ACROSS < 0, 2.0, 6.0))
    assert psnr(render(), noisy()) >= 60
    assert built.lamp is None and not built.camera.data.dof.use_dof and bpy.context.scene.cycles.samples == 4
    names = ("Relight", "Haze", "Vignette")
    assert [built.root[name] for name in names] == [0.0, 0.0, 0.0]
    drivers = [d.driver for m in bpy.data.materials for d in m.node_tree.animation_data.drivers]
    assert drivers and all(d.is_valid and (d.type != "SCRIPTED" or d.is_simple_expression) for d in drivers)


@pytest.mark.parametrize("lamp", ["sun", "area", "window"])
def test_what_faces_the_lamp_is_as_bright_as_the_photo(make, render, lamp):
    make(
        grey(),
        np.full((HEIGHT, WIDTH), 2.0),
        light=LightSpec(lamp=lamp, relight=1.0, side=0.0, height=0.0, fill=0.3, warmth=0.25 * (lamp == "window")),
    )
    seen = linear(render())[HEIGHT // 2 - 6 : HEIGHT // 2 + 6, WIDTH // 2 - 6 : WIDTH // 2 + 6].mean((0, 1))
    assert seen == pytest.approx(linear(grey())[0, 0], rel=0.06)


def test_a_wall_that_faces_the_sun_is_brighter_than_one_that_turns_away(make, render):
    ridge = 3.0 / (1 - 0.5 * np.abs(ACROSS))  # two walls that meet at the middle, which is nearest
    make(grey(), ridge, light=LightSpec(lamp="sun", relight=1.0, side=-70.0, height=0.0, fill=0.0), relief=ReliefSpec(margin=0.02))
    seen = linear(render()).mean(2)[20:-20]
    left, right = seen[:, 14:34].mean(), seen[:, -34:-14].mean()
    assert left > 3 * right
    # n·l of a wall x·a + y·b = c: the left one's normal is (-0.5, -1)/|…|.
    normal, to_lamp = np.array((-0.5, -1.0)) / math.hypot(0.5, 1), np.array((-math.sin(math.radians(70)), -math.cos(math.radians(70))))
    assert left == pytest.approx(linear(grey())[0, 0, 0] * float(normal @ to_lamp), rel=0.15)


def test_a_shadow_falls_where_geometry_says(make, render):
    metres = np.full((HEIGHT, WIDTH), 4.0)
    metres[(np.abs(ACROSS) < 0.2) & (np.abs(UP) < 0.2)] = 2.0
    built, _ = make(grey(), metres, light=LightSpec(lamp="sun", relight=1.0, side=-45.0, height=0.0, fill=0.2))
    built.lamp.data.angle = 0.0
    seen = linear(render()).mean(2) / linear(grey())[0, 0, 0]
    # From 2 to 4 metres light from the left at 45 degrees goes 2 metres to the right: half a tangent there.
    shadow = (np.abs(ACROSS - 0.5) < 0.07) & (np.abs(UP) < 0.07)
    beside = ((np.abs(ACROSS - 0.5) > 0.14) | (np.abs(UP) > 0.14)) & (np.abs(ACROSS) > 0.3) & (np.abs(ACROSS) < 0.8) & (np.abs(UP) < 0.5)
    assert seen[shadow].mean() == pytest.approx(0.2, abs=0.04)
    assert np.median(seen[beside]) == pytest.approx(0.2 + 0.8 * math.cos(math.radians(45)), abs=0.05)
    assert np.mean(np.abs(seen[beside] - np.median(seen[beside])) < 0.1) > 0.95


def test_haze_grows_with_distance_as_an_exponential(make, render):
    """1 - exp(-k·z) in linear light, z from the camera as the crow flies, wherever the camera is."""
    colour = (0.95, 0.8, 0.7)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    built, _ = make(picture, np.where(ACROSS < 0, 2.0, 6.0), light=LightSpec(haze=0.7, haze_colour=colour))
    built.root["Haze Distance"] = 3.0
    built.root.update_tag()
    wanted = np.array(linear(np.rint(np.array(colour[::-1]) * 255)))
    for back in (0.0, 1.0):
        built.camera.location = (0, 0, back)
        share = linear(render()) / wanted
        for column, distance in ((12, 2.0), (84, 6.0)):
            off = ACROSS[36, column], UP[36, column]
            away = (distance + back) * math.sqrt(1 + off[0] ** 2 + off[1] ** 2)
            assert share[36, column] == pytest.approx(1 - math.exp(-0.7 / 3 * away), abs=0.012)
            if back:
                break  # the far one is elsewhere in the picture by now


def test_a_vignette_darkens_the_corners_only(make, render):
    make(grey(), np.full((HEIGHT, WIDTH), 2.0), light=LightSpec(vignette=0.6))
    seen = linear(render()).mean(2) / linear(grey())[0, 0, 0]
    assert np.abs(seen[24:48, 32:64] - 1).max() < 0.01
    corners = [seen[y, x] for y in (0, -1) for x in (0, -1)]
    assert corners == pytest.approx([0.4] * 4, abs=0.03)
    assert np.all(np.diff(seen[0, : WIDTH // 2]) >= -0.015)


def test_light_can_be_keyframed(make, render, tmp_path):
    """On the root, in a saved file that needs nothing of ours."""
    built, _ = make(grey(), np.full((HEIGHT, WIDTH), 2.0), move=MoveSpec(name="push-in", amount=0, frames=3))
    for name in ("Haze", "Vignette"):
        for frame, value in ((1, 0.0), (3, 0.5)):
            built.root[name] = value
            built.root.keyframe_insert(f'["{name}"]', frame=frame)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "keyed.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "keyed.blend"), use_scripts=False)
    assert psnr(render(1), grey()) >= 60
    assert psnr(render(3), grey()) < 30


def test_a_lens_blurs_what_is_out_of_focus_and_nothing_else(make, render):
    picture = noisy()
    metres = np.where(ACROSS < 0, 2.0, 8.0)
    make(picture, metres, photo=PhotoSpec(fov=50.0), focus=FocusSpec(at=(0.25, 0.5)))
    sharp = render()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    built, _ = make(picture, metres, photo=PhotoSpec(fov=50.0), focus=FocusSpec(at=(0.25, 0.5), f_stop=0.4))
    assert built.camera.data.dof.focus_object == built.aim and built.aim.location.y == pytest.approx(2.0, rel=0.01)
    blurred = render()
    left, right = np.s_[4:-4, 4:40], np.s_[4:-4, 60:-4]
    decibels = [10 * math.log10(sharpness(sharp[side]) / sharpness(blurred[side])) for side in (left, right)]
    assert abs(decibels[0]) < 0.5 and decibels[1] > 10
    assert psnr(blurred[left], picture[left]) > 50
    # Closed, it is the photo again.
    built.camera.data.dof.aperture_fstop = 128
    assert psnr(render()[right], picture[right]) > 40


def test_a_stop_smaller_than_a_pixel_leaves_the_photo(make, render):
    make(noisy(), np.where(ACROSS < 0, 2.0, 2.1), focus=FocusSpec(f_stop=64.0))
    assert psnr(render(), noisy()) >= 55  # a ray or two in a thousand leaves its pixel on the way through the lens


def test_an_open_shutter_blurs_along_the_motion_and_not_at_rest(make, render):
    picture = noisy()
    move = MoveSpec(name="truck", amount=6, frames=5, ease="linear")
    built, spec = make(picture, np.full((HEIGHT, WIDTH), 2.0), move=move)
    sharp = render(3)
    set_up_effects(bpy.context.scene, built.root, built.camera, FocusSpec(motion_blur=0.8))
    assert bpy.context.scene.render.use_motion_blur
    blurred = render(3)
    across = [np.abs(np.diff(p.astype(float)[4:-4, 24:-24], axis=1)).mean() for p in (sharp, blurred)]
    assert across[1] < 0.6 * across[0]
    built.camera.animation_data_clear()
    built.camera.location = built.camera.rotation_euler = (0, 0, 0)
    assert psnr(render(3), picture) >= 60  # nothing moves any more


def test_lamps_come_and_go_and_are_seen_by_nobody(make):
    from addon.scene import light as lights

    built, _ = make(grey(), np.full((HEIGHT, WIDTH), 2.0), light=LightSpec(lamp="area"))
    assert built.lamp.data.type == "AREA" and not built.lamp.visible_camera and built.lamp["stillscape_id"] == built.id
    assert built.root["Relight"] == pytest.approx(0.7)
    changed = lights.set_lamp("x", LightSpec(lamp="sun"), built.root, built.aim, built.collection)
    assert changed == built.lamp and changed.data.type == "SUN"
    assert lights.set_lamp("x", LightSpec(), built.root, built.aim, built.collection) is None
    assert lights.find_lamp(built.root) is None and not bpy.data.lights


def test_the_sky_is_neither_lit_nor_in_the_way(make, render):
    metres = np.full((HEIGHT, WIDTH), 3.0)
    metres[: HEIGHT // 3] = np.inf
    make(grey(), metres, light=LightSpec(lamp="sun", relight=1.0, side=180.0, height=20.0, fill=0.0))
    seen = render()
    assert np.quantile(np.abs(seen[: HEIGHT // 3 - 4].astype(int) - 180), 0.9) <= 2  # what denoising does aside
    assert seen[HEIGHT // 2 :].max() < 60  # lit from behind


def test_free_normals_are_on_the_layers_where_blender_can(make):
    built, _ = make(grey(), np.full((HEIGHT, WIDTH), 3.0), light=LightSpec(lamp="sun"))
    assert all(layer.data.has_custom_normals == compat.has_free_normals() for layer in built.layers)


def test_eevee_shows_haze_and_vignette_by_the_same_nodes(make):
    """Eevee renders here in software, which takes long; that its materials compile is shown by the links being whole."""
    built, _ = make(grey(), np.full((HEIGHT, WIDTH), 2.0), light=LightSpec(haze=1.0))
    tree = built.layers[0].data.materials[0].node_tree
    assert all(link.is_valid for link in tree.links)
    assert all(link.is_valid for node in tree.nodes if node.type == "GROUP" for link in node.node_tree.links)
