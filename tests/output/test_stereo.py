"""Views for two eyes or more: measured on rendered pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from addon import spec as specs
from addon.output import stereo
from addon.output.packing import anaglyph, pack, packed_size
from addon.vision.layering import reserve_of
from addon.vision.texture import srgb_to_linear

bpy = pytest.importorskip("bpy")
from tests.output.stereo_scenes import (  # noqa: E402
    FAR,
    HEIGHT,
    MIDDLE,
    NEAR,
    TAN,
    WALL,
    WIDTH,
    halves,
    settings,
    shoot,
    slide,
    two_depths,
)  # fmt: skip

engines = pytest.mark.parametrize("warp", [False, True], ids=["cycles", "warp"])


@pytest.mark.versions
@engines
def test_disparity_is_that_of_the_distance(tmp_path, warp):
    """f·b·(1/conv − 1/z) in pixels, nearer things to the left in the right eye, at two depths and both before and behind the screen."""
    two_depths(tmp_path)
    for convergence, b in ((3.0, 0.12), (2.0, 0.1)):
        frames, facts, _ = shoot(tmp_path, settings(tmp_path, mode="side-by-side", interaxial=b, convergence=convergence), warp=warp)
        left, right = halves(frames[0])
        assert left.shape == (HEIGHT, WIDTH, 3)
        focal = WIDTH / TAN
        for part, z in ((MIDDLE, NEAR), (WALL, FAR)):
            wanted = focal * b * (1 / convergence - 1 / z)
            assert slide(left, right, part) == pytest.approx(wanted, abs=0.3), z
        shares = [b * (1 / convergence - 1 / z) / TAN for z in (NEAR, FAR)]
        assert facts["parallax"] == pytest.approx(shares, abs=1e-4)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_nothing_slides_at_the_screen_and_rows_stay_level(tmp_path):
    two_depths(tmp_path)
    frames, _, built = shoot(tmp_path, settings(tmp_path, mode="side-by-side", interaxial=0.2, convergence=NEAR))
    left, right = halves(frames[0])
    assert abs(slide(left, right, MIDDLE)) <= 0.1
    # A toed-in pair would show the panel's upper and lower rims at different heights in the two eyes.
    up = slide(np.ascontiguousarray(left.transpose(1, 0, 2)), np.ascontiguousarray(right.transpose(1, 0, 2)), (MIDDLE[1], MIDDLE[0]))
    assert abs(up) <= 0.05
    assert not built.camera.constraints and built.camera.data.shift_x == pytest.approx(0, abs=1e-6)
    assert "Stillscape Eye" not in bpy.data.objects


@engines
def test_the_sky_is_infinitely_far(tmp_path, warp):
    picture, depth = two_depths(tmp_path)
    depth[:34] = np.inf
    np.save(tmp_path / "depth.npy", depth)
    b, convergence = 0.08, 2.0
    frames, facts, built = shoot(tmp_path, settings(tmp_path, mode="side-by-side", interaxial=b, convergence=convergence), warp=warp)
    assert warp or stereo.sky_is_there(built.root)
    left, right = halves(frames[0])
    infinite = WIDTH / TAN * b / convergence
    assert slide(left, right, (slice(4, 24), slice(40, 120))) == pytest.approx(infinite, abs=0.1)
    assert facts["parallax"][1] == pytest.approx(b / convergence / TAN, rel=1e-3)


def test_an_aim_keeps_aiming_while_the_eyes_move_aside(tmp_path):
    """A constraint on the camera, as an artist or a move may add one, must not turn the eyes inwards."""
    two_depths(tmp_path)

    def aim(built):
        target = bpy.data.objects.new("Aim", None)
        built.collection.objects.link(target)
        target.parent = built.root
        target.location = (0.0, 5.0, 0.0)
        track = built.camera.constraints.new("TRACK_TO")
        track.target, track.track_axis, track.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"

    frames, _, built = shoot(tmp_path, settings(tmp_path, mode="side-by-side", interaxial=0.1, convergence=3.0), before=aim)
    left, right = halves(frames[0])
    for part, z in ((MIDDLE, NEAR), (WALL, FAR)):
        assert slide(left, right, part) == pytest.approx(WIDTH / TAN * 0.1 * (1 / 3 - 1 / z), abs=0.3)
    assert [c.type for c in built.camera.constraints] == ["TRACK_TO"]


def test_keyframes_of_the_lens_and_its_shift_stay_in_force(tmp_path):
    """The shift that brings the eyes together is added to what the artist keyed, with the lens as it is at that frame."""
    two_depths(tmp_path)

    def key(built):
        data = built.camera.data
        for path, values in (("shift_x", (0.0, 0.05)), ("lens", (data.lens, data.lens * 1.25))):
            for frame, value in zip((1, 2), values):
                setattr(data, path, value)
                data.keyframe_insert(path, frame=frame)

    spec = settings(tmp_path, frames=2, mode="side-by-side", interaxial=0.1, convergence=3.0, frame_range="2", name="truck", amount=0.0)
    frames, _, built = shoot(tmp_path, spec, before=key)
    left, right = halves(frames[0])
    part = (slice(48, 72), slice(60, 84))
    assert slide(left, right, part) == pytest.approx(1.25 * WIDTH / TAN * 0.1 * (1 / 3 - 1 / NEAR), abs=0.3)
    bpy.context.scene.frame_set(2)
    assert built.camera.data.shift_x == pytest.approx(0.05)


@engines
def test_left_out_the_eyes_stay_comfortable_over_the_whole_shot(tmp_path, warp):
    two_depths(tmp_path)
    spec = settings(tmp_path, frames=6, mode="side-by-side", frame_range="6", name="push-in", amount=3.0)
    frames, facts, built = shoot(tmp_path, spec, warp=warp)
    assert max(map(abs, facts["parallax"])) == pytest.approx(0.033, rel=1e-3)
    assert "warning" not in facts
    left, right = halves(frames[0])
    assert abs(slide(left, right, (slice(104, 116), slice(40, 120)))) <= 0.033 * WIDTH + 0.3
    again = stereo.span(spec, stereo.poses(bpy.context.scene, built.root, spec.stereo))
    assert again == pytest.approx(facts["interaxial"]), "which frames are rendered changes nothing"


def test_both_ways_of_drawing_show_the_same_pair(tmp_path):
    """Turned and moved as well: an orbit, with the subject at the screen."""
    picture = cv2.GaussianBlur(two_depths(tmp_path)[0], (0, 0), 1.5)
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    shown = []
    for warp in (False, True):
        spec = settings(tmp_path, frames=3, mode="side-by-side", frame_range="3", name="orbit", samples=16)
        frames, facts, _ = shoot(tmp_path, spec, warp=warp)
        shown.append((frames[0].astype(float), facts))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert shown[0][1]["parallax"] == pytest.approx(shown[1][1]["parallax"], abs=1e-4)
    for one, other in zip(halves(shown[0][0]), halves(shown[1][0])):
        apart = np.abs(one - other)[8:-8, 8:-8]  # past the photo's border the meshes of the one end, the other goes on
        assert 10 * math.log10(255**2 / np.mean(apart**2)) > 30 and np.percentile(apart, 95) <= 3


def test_too_much_is_told(tmp_path):
    two_depths(tmp_path)
    _, facts, _ = shoot(tmp_path, settings(tmp_path, mode="anaglyph", interaxial=0.3, convergence=2.0))
    assert "farthest part" in facts["warning"] and "3.3%" in facts["warning"]


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("side-by-side", (320, 120)), ("half-side-by-side", (160, 120)), ("top-bottom", (160, 240)), ("half-top-bottom", (160, 120)),
    ],
)  # fmt: skip
def test_where_the_eyes_belong(tmp_path, mode, size):
    """A wall before the screen: the left eye sees it farther to the right. First comes the eye that was asked for."""
    two_depths(tmp_path)
    for first in ("left", "right"):
        frames, facts, _ = shoot(tmp_path, settings(tmp_path, mode=mode, interaxial=0.1, convergence=4.0, first=first))
        frame = frames[0]
        assert (frame.shape[1], frame.shape[0]) == size == packed_size(mode, (WIDTH, HEIGHT)) == tuple(facts["size"])
        one, two = np.split(frame, 2, axis=0 if "top" in mode else 1)
        one, two = (cv2.resize(eye, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for eye in (one, two))
        moved = slide(cv2.GaussianBlur(one, (0, 0), 1.5), cv2.GaussianBlur(two, (0, 0), 1.5), MIDDLE)
        wanted = WIDTH / TAN * 0.1 * (1 / 4 - 1 / NEAR)
        assert moved == pytest.approx(wanted if first == "left" else -wanted, abs=0.4)
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_a_grey_anaglyph_without_parallax_is_that_grey(kind):
    ramp = np.linspace(0, 1, 256)
    values = np.repeat((ramp * (1 if kind is np.float32 else np.iinfo(kind).max)).astype(kind)[:, None], 3, -1)[None]
    mixed = anaglyph(values, values)
    assert mixed.dtype == kind
    assert np.abs(mixed.astype(float) - values.astype(float)).max() <= (1e-6 if kind is np.float32 else 1)


def test_red_is_the_left_eyes(tmp_path):
    white, black = np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8)
    left, right = anaglyph(white, black)[0, 0], anaglyph(black, white)[0, 0]
    assert left[0] > 240 and left[1] < 40 and left[2] < 40
    assert right[0] < 40 and right[1] > 240 and right[2] > 240


@engines
def test_an_anaglyph_of_a_flat_grey_photo_is_the_photo(tmp_path, warp):
    """With no distance between the eyes; whichever way the channels are stored, red must not be blue."""
    picture, _ = two_depths(tmp_path, grey=True)
    frames, _, _ = shoot(tmp_path, settings(tmp_path, mode="anaglyph", interaxial=0.0), warp=warp)
    assert np.mean((frames[0].astype(float) - picture) ** 2) < 0.065  # 60 dB, as at rest
    assert np.ptp(frames[0], axis=-1).max() <= 1
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    frames, _, _ = shoot(tmp_path, settings(tmp_path, mode="anaglyph", interaxial=0.1, convergence=4.0), warp=warp)
    blue, _, red = (np.repeat(frames[0][..., i : i + 1], 3, -1) for i in range(3))
    wanted = WIDTH / TAN * 0.1 * (1 / 4 - 1 / NEAR)
    assert slide(red, blue, MIDDLE, alike=300) == pytest.approx(wanted, abs=0.4)


def test_quilts_go_from_the_bottom_left_to_the_right_and_up():
    views = [np.full((2, 3, 3), i, np.uint8) for i in range(6)]
    quilt = pack("quilt", views, quilt=(3, 2))
    assert [[int(quilt[r, c, 0]) for c in (0, 3, 6)] for r in (3, 0)] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="takes 6 views"):
        pack("quilt", views[:5], quilt=(3, 2))


@engines
def test_a_rendered_quilt(tmp_path, warp):
    """The leftmost view is at the bottom left: seen from there, what is nearer than the screen lies farther to the right."""
    two_depths(tmp_path)
    spec = settings(tmp_path, mode="quilt", quilt=(2, 2), cone=6.0, convergence=4.0, size=(160, 120))
    frames, facts, _ = shoot(tmp_path, spec, warp=warp)
    assert frames[0].shape == (240, 320, 3)
    assert facts["interaxial"] == pytest.approx(2 * 4 * math.tan(math.radians(3)))
    views = [frames[0][120:, :160], frames[0][120:, 160:], frames[0][:120, :160], frames[0][:120, 160:]]
    step = facts["interaxial"] / 3 * WIDTH / TAN * (1 / 4 - 1 / NEAR)
    for i, (one, two) in enumerate(zip(views, views[1:])):
        part = (MIDDLE[0], slice(MIDDLE[1].start + 8 - 5 * i, MIDDLE[1].stop - 5 * i))
        assert slide(one, two, part) == pytest.approx(step, abs=0.3)


def test_a_quilts_name_tells_how_it_is_made_up(tmp_path):
    spec = replace(specs.SceneSpec(), stereo=specs.StereoSpec(mode="quilt"))
    assert stereo.named(tmp_path / "a.png", spec, (420, 560)).name == "a_qs8x6a0.75.png"
    assert stereo.named(tmp_path / "a_####.png", spec, (420, 560)).name == "a_####_qs8x6a0.75.png"
    assert stereo.named(tmp_path / "a_qs5x9a1.78.png", spec, (420, 560)).name == "a_qs5x9a1.78.png"
    assert stereo.named(tmp_path / "a.png", specs.SceneSpec(), (420, 560)).name == "a.png"


def test_a_quilt_left_to_itself_keeps_to_the_reserve(tmp_path):
    two_depths(tmp_path)
    spec = settings(tmp_path, mode="quilt", quilt=(2, 1), size=(160, 120))
    _, facts, _ = shoot(tmp_path, spec)
    assert max(map(abs, facts["parallax"])) <= 2 * reserve_of(spec) + 1e-6


def test_a_pair_as_exr_and_jpeg(tmp_path):
    picture, _ = two_depths(tmp_path)
    given = {"mode": "side-by-side", "interaxial": 0.0}
    for name, wanted, off in (("a_####.exr", srgb_to_linear(picture / 255), 0.005), ("a_####.jpg", picture, 16)):
        frames, _, _ = shoot(tmp_path, settings(tmp_path, **given), name=name)
        for eye in halves(frames[0]):
            assert eye.dtype == wanted.dtype
            assert np.sqrt(np.mean((eye.astype(float) - wanted) ** 2)) <= off
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_the_depth_of_a_film_that_stands_still_is_its_depth_map(tmp_path):
    _, depth = two_depths(tmp_path)
    depth[90:, :] = np.linspace(3, 8, WIDTH)
    np.save(tmp_path / "depth.npy", depth)
    wanted = (1 / depth - 1 / FAR) / (1 / NEAR - 1 / FAR)
    for name, off in (("d_####.png", 1.5e-3), ("d_####.exr", 2e-3)):
        frames, facts, _ = shoot(tmp_path, settings(tmp_path, depth=True), name=name)
        assert facts == pytest.approx({"near": NEAR, "far": FAR})
        grey = frames[0] if frames[0].ndim == 2 else frames[0][..., 0]
        shown = grey.astype(float) / (65535 if grey.dtype == np.uint16 else 1)
        assert grey.dtype == (np.uint16 if name.endswith("png") else np.float32)
        panel, wall, ramp = (slice(40, 80), slice(56, 104)), (slice(4, 30), slice(4, 156)), (slice(96, 116), slice(4, 156))
        assert max(np.abs(shown[part] - wanted[part]).max() for part in (panel, wall)) <= off
        assert np.abs(shown[ramp] - wanted[ramp]).mean() <= 1e-3
        assert len(np.unique(grey)) > 100
        assert bpy.context.scene.view_settings.view_transform == "Standard"
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_depth_is_shown_without_light_haze_and_blur(tmp_path):
    two_depths(tmp_path)
    plain, _, _ = shoot(tmp_path, settings(tmp_path, depth=True), name="plain_####.png")
    spec = replace(
        settings(tmp_path, depth=True),
        light=specs.LightSpec(lamp="sun", relight=1.0, haze=1.0, vignette=1.0),
        focus=specs.FocusSpec(f_stop=0.5, motion_blur=1.0),
    )
    frames, _, built = shoot(tmp_path, spec, name="lit_####.png")
    assert np.abs(frames[0].astype(int) - plain[0]).mean() < 0.002 * 65535
    scene = bpy.context.scene
    assert built.camera.data.dof.use_dof and scene.render.use_motion_blur and scene.cycles.use_denoising


def test_depth_and_glasses_do_not_go_together(tmp_path):
    from addon.errors import UsageError

    with pytest.raises(UsageError, match="--depth-film"):
        stereo.check(settings(tmp_path, mode="anaglyph", depth=True))
