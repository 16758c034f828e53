"""What the moves look like: frames that are rendered."""

from __future__ import annotations

import bpy
import cv2
import numpy as np
import pytest

from addon import moves
from addon.output import blend, job, render
from addon.scene import camera as cameras
from addon.scene.build import stage_of
from addon.spec import MOVES, DepthSpec, MoveSpec, ReliefSpec, RenderSpec, SceneSpec

SIZE = (64, 48)
NAMES = [m[0] for m in MOVES]


def build(folder, picture, metres, move):
    """The scene of a picture whose distances in metres are known."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    cv2.imwrite(str(folder / "photo.png"), picture)
    np.save(folder / "depth.npy", metres.astype(np.float32))
    spec = SceneSpec(
        depth=DepthSpec(estimator="file", file=str(folder / "depth.npy"), kind="depth"),
        relief=ReliefSpec(max_vertices=30_000),
        render=RenderSpec(samples=4),
        move=move,
    )
    return job.make_scene(folder / "photo.png", spec, bpy.context.scene, lambda share, text: None, film=False)


def frames(folder, numbers):
    """Rendered frames as BGR pictures."""
    render.set_format(bpy.context.scene, ".png", deep=False, transparent=False)
    found = render.render_frames(bpy.context.scene, str(folder / "f_####.png"), numbers)
    return [cv2.imread(str(frame.path)).astype(np.float64) for frame in found]


def decibels(a, b):
    return 10 * np.log10(255**2 / max(1e-9, float(np.mean((a - b) ** 2))))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file with a noisy picture in three steps of depth, and the picture."""
    folder = tmp_path_factory.mktemp("steps")
    noise = np.random.default_rng(2).integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.float32)
    picture = np.clip(cv2.GaussianBlur(noise, (0, 0), 1) * 3 - 256, 0, 255).astype(np.uint8)
    metres = np.full(SIZE[::-1], 8.0)
    metres[10:, 15:45] = 4.0
    metres[26:, 30:60] = 2.0
    build(folder, picture, metres, MoveSpec())
    blend.save_blend(folder / "steps.blend")
    return folder / "steps.blend", picture


@pytest.fixture
def steps(made, tmp_path):
    """A folder, the picture, and a function that gives its camera a move of 12 frames."""
    path, picture = made
    bpy.ops.wm.open_mainfile(filepath=str(path))
    camera = bpy.context.scene.camera

    def move(**settings):
        shot = moves.plan(MoveSpec(frames=12, **settings), stage_of(camera.parent))
        cameras.animate(camera, shot)
        return shot

    return tmp_path, picture, move


@pytest.mark.parametrize("name", NAMES)
def test_frame_1_is_the_photo_where_the_move_starts_at_rest(steps, name):
    folder, picture, move = steps
    settings = MoveSpec(name=name, reverse=name == "pull-back")
    move(name=name, reverse=settings.reverse)
    first, last = frames(folder, [1, 12])
    if moves.starts_at_rest(settings):
        assert decibels(first, picture) >= 60
    else:  # those that go through the photo half way, or around it
        assert name in ("arc", "circle") and decibels(first, picture) < 40
    assert (decibels(first, last) < 40) == (name != "static")


def test_a_pull_back_ends_with_the_photo(steps):
    folder, picture, move = steps
    for settings in ({"name": "pull-back"}, {"name": "push-in", "reverse": True}, {"name": "orbit", "amount": 2, "reverse": True}):
        move(**settings)
        assert decibels(frames(folder, [12])[0], picture) >= 60


@pytest.mark.parametrize("name", [n for n in NAMES if n != "static"])
def test_the_frame_after_a_loop_is_the_first(steps, name):
    folder, _, move = steps
    shot = move(name=name, loop=True, amount=1.5, curve="cubic")
    first, middle, after = frames(folder, [1, 5, shot.frames + 1])
    assert decibels(first, after) >= 45
    assert decibels(first, middle) < 40


def test_a_chain_that_loops(steps):
    folder, picture, move = steps
    shot = move(name="push-in", then="orbit 8 ease=in; zoom 6 hold=2; swing 10", loop=True)
    first, after = frames(folder, [1, shot.frames + 1])
    assert decibels(first, picture) >= 60 and decibels(first, after) >= 45


# The dolly zoom


def rectangle(folder, move):
    """A white wall 9 m away with a dark rectangle 3 m away before it, 60 of 160 pixels wide."""
    picture = np.full((120, 160, 3), 255, np.uint8)
    picture[20:100, 50:110] = 30
    metres = np.full((120, 160), 9.0)
    metres[20:100, 50:110] = 3.0
    return build(folder, picture, metres, move)


def width_of(frame):
    """Pixels across the dark rectangle in the middle rows, in parts of a pixel at its edges."""
    rows = frame[50:70, :, 1]
    return float(np.mean(np.sum((255 - rows) / (255 - 30), axis=1)))


@pytest.mark.parametrize("amount", [1.0, -1.5])
def test_a_dolly_zoom_holds_the_width_of_the_subject(tmp_path, amount):
    move = MoveSpec(name="dolly-zoom", amount=amount, frames=9, curve="cubic")
    built = rectangle(tmp_path, move)
    assert stage_of(built.root).focus == pytest.approx(3, rel=0.02)
    widths = [width_of(frame) for frame in frames(tmp_path, range(1, 10))]
    assert widths[0] == pytest.approx(60, abs=0.05)
    assert max(abs(w - widths[0]) for w in widths) < 1.0
    # Without the zoom it would not.
    data, lens = built.camera.data, built.camera.data["stillscape_lens"]
    data.animation_data_clear()
    data.lens = lens
    assert abs(width_of(frames(tmp_path, [9])[0]) - 60) > 5


def test_a_dolly_zoom_holds_the_width_at_4k_between_the_keys(tmp_path):
    """From what Blender makes of the keys, at every quarter of a frame."""
    built = rectangle(tmp_path, MoveSpec(name="dolly-zoom", frames=48, amount=2, curve="elastic"))
    scene, camera = bpy.context.scene, built.camera
    focus, rest = stage_of(built.root).focus, camera.data["stillscape_lens"]
    widths, lenses = [], []
    for step in range(4 * 47):
        scene.frame_set(1 + step // 4, subframe=step % 4 / 4)
        lenses.append(camera.data.lens / rest)
        widths.append(3840 * 60 / 160 * lenses[-1] * focus / (focus + camera.location.z))
    assert np.ptp(widths) < 0.05 and max(lenses) > 1.05


@pytest.mark.parametrize("name", ["orbit", "swing"])
def test_an_orbit_keeps_what_it_looks_at_in_its_place(tmp_path, name):
    picture = np.full((120, 160, 3), 255, np.uint8)
    picture[20:100, 50:110] = 60
    picture[56:64, 76:84] = (0, 0, 255)
    metres = np.full((120, 160), 9.0)
    metres[20:100, 50:110] = 3.0
    build(tmp_path, picture, metres, MoveSpec(name=name, amount=2, frames=9))
    places, backs = [], []
    for frame in frames(tmp_path, range(1, 10)):
        red = np.clip(frame[..., 2] - frame[..., 1] - 20, 0, None)
        v, u = np.mgrid[0:120, 0:160]
        places.append((np.sum(red * u) / np.sum(red), np.sum(red * v) / np.sum(red)))
        backs.append(width_of(frame))
    assert np.ptp(places, axis=0).max() < 0.25
    assert np.ptp(backs) > 0  # the camera did move


def test_what_a_zoom_magnifies_has_a_texture_for_it(tmp_path):
    """The texture of the film is as fine as the last view of a ken-burns asks for."""
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    big = cv2.resize(picture, (320, 240), interpolation=cv2.INTER_CUBIC)
    still = build(tmp_path, big, np.full((240, 320), 3.0), MoveSpec(name="static"))
    sizes = [tuple(i.size) for i in bpy.data.images if i.name.endswith("Film Texture")]
    assert still.shot.keyframes[0].frame == 1
    close = build(tmp_path, big, np.full((240, 320), 3.0), MoveSpec(name="ken-burns", end_size=0.25, frames=5))
    finer = [tuple(i.size) for i in bpy.data.images if i.name.endswith("Film Texture")]
    assert finer[0][0] >= sizes[0][0] and finer[0][0] >= 320
    (last,) = frames(tmp_path, [close.shot.frames])
    x, y = np.float32(np.meshgrid(np.arange(320), np.arange(240)))
    left, top = 0.55 * 320 - 40, 0.45 * 240 - 30
    true = cv2.remap(big, (x + 0.5) / 4 + left - 0.5, (y + 0.5) / 4 + top - 0.5, cv2.INTER_CUBIC).astype(float)
    assert decibels(last, true) > 38
