"""Painted depth: the mesh follows what a brush leaves in the pixels, and saving keeps it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from addon.output import job
from addon.scene.build import ROLE
from addon.scene.relief import PHOTO_UV
from addon.spec import DepthSpec, LayersSpec, ReliefSpec, RenderSpec, SceneSpec
from addon.ui import live

pytestmark = pytest.mark.versions
WIDTH, HEIGHT = 64, 48
NEAR, FAR = 1.0, 9.0
STROKE = (slice(30, 40), slice(8, 20))
"""Rows (bottom first, as Blender has them) and columns that the stroke of these tests covers."""


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    live.register()
    yield
    live.unregister()


@pytest.fixture
def layer(tmp_path: Path) -> bpy.types.Object:
    """A built photo whose left half is 4.5 m away and whose right half 9 m; its layer is the active object."""
    photo = tmp_path / "photo.png"
    assert cv2.imwrite(str(photo), np.random.default_rng(0).integers(20, 235, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    metres = np.full((HEIGHT, WIDTH), FAR, np.float32)
    metres[:, : WIDTH // 2] = FAR / 2
    np.save(tmp_path / "depth.npy", metres)
    spec = SceneSpec(
        depth=DepthSpec(file=str(tmp_path / "depth.npy"), kind="depth", near=NEAR, far=FAR),
        layers=LayersSpec(mode="off"),
        relief=ReliefSpec(max_vertices=1500),
        render=RenderSpec(samples=1),
    )
    built = job.make_scene(photo, spec, bpy.context.scene, lambda share, text: None, film=False)
    bpy.context.view_layer.objects.active = built.layers[0]
    return built.layers[0]


def pixels(image: bpy.types.Image) -> NDArray[np.float32]:
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)


def brush(image: bpy.types.Image, value: float = 1.0, where: tuple[slice, slice] = STROKE) -> None:
    """What a brush does: new pixels and a redraw, and no word to the objects that read the image."""
    values = pixels(image)
    values[where][..., :3] = value
    image.pixels.foreach_set(values.ravel())
    image.update()


def distances(layer: bpy.types.Object) -> NDArray[np.float32]:
    """How far away every vertex is, as Blender evaluates it now."""
    mesh = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)[:, 1]


def texture_coordinates(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    """N×2, of every vertex."""
    corner, vertex = np.empty(len(mesh.loops) * 2, np.float32), np.empty(len(mesh.loops), np.int32)
    mesh.uv_layers[PHOTO_UV].data.foreach_get("uv", corner)
    mesh.loops.foreach_get("vertex_index", vertex)
    uv = np.empty((len(mesh.vertices), 2), np.float32)
    uv[vertex] = corner.reshape(-1, 2)
    return uv


def misfit(layer: bpy.types.Object) -> float:
    """Largest relative difference between the evaluated distances and those that the depth image asks for."""
    values = pixels(live.depth_of(layer))
    uv = texture_coordinates(layer.data)
    assert (uv < 0).any() and (uv > 1).any()  # the sheet goes on past the photo's border, with the image mirrored
    uv = 1 - np.abs(1 - np.abs(uv))
    found = distances(layer)
    least = np.full(len(found), np.inf)
    for x, y in ((-0.01, -0.01), (-0.01, 0.01), (0.01, -0.01), (0.01, 0.01)):  # on a texel's border either one will do
        texel = np.clip(np.floor(uv * (WIDTH, HEIGHT) + (x, y)).astype(int), 0, (WIDTH - 1, HEIGHT - 1))
        d = np.clip(values[texel[:, 1], texel[:, 0], 0], 0, 1)
        least = np.minimum(least, np.abs(found * (d * (1 / NEAR - 1 / FAR) + 1 / FAR) - 1))
    return float(least.max())


def paint_in_the_viewport(layer: bpy.types.Object) -> bpy.types.Image:
    assert bpy.ops.stillscape.paint_depth() == {"FINISHED"}
    return live.depth_of(layer)


def paint_in_an_image_editor(layer: bpy.types.Object) -> bpy.types.Image:
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    assert bpy.ops.stillscape.edit_depth_image() == {"FINISHED"}
    space = area.spaces.active
    assert space.mode == "PAINT" and space.image == live.depth_of(layer)
    return space.image


WAYS = pytest.mark.parametrize("start", [paint_in_the_viewport, paint_in_an_image_editor])
Start = Callable[[bpy.types.Object], bpy.types.Image]


# The mesh follows ------------------------------------------------------------------------------------------------------


@WAYS
def test_the_mesh_follows_a_brush(layer: bpy.types.Object, start: Start) -> None:
    image = start(layer)
    assert live.watch() == live.BUSY
    before = distances(layer).copy()
    assert misfit(layer) < 1e-5
    brush(image)
    assert misfit(layer) > 1  # Blender alone does not see it: what follows is the watcher's doing
    live.look_soon()
    assert live.watch() == live.BUSY
    assert misfit(layer) < 1e-5
    moved = np.abs(distances(layer) - before) > 1e-4
    u, v = texture_coordinates(layer.data).T * ((WIDTH,), (HEIGHT,))
    inside = (v > 30.1) & (v < 39.9) & (u > 8.1) & (u < 19.9)
    outside = (v < 29.9) | (v > 40.1) | (u < 7.9) | (u > 20.1)
    assert inside.sum() > 20 and moved[inside].all()
    assert np.allclose(distances(layer)[inside], NEAR, atol=1e-5)
    assert outside.sum() > 20 and not moved[outside & (u > 0) & (v > 0) & (u < WIDTH) & (v < HEIGHT)].any()


@pytest.mark.parametrize("value", [-0.5, 0.0, 0.25, 1.0, 1.5])
def test_every_grey_is_a_distance(layer: bpy.types.Object, value: float) -> None:
    image = paint_in_the_viewport(layer)
    brush(image, value, (slice(None), slice(None)))
    live.look_soon()
    live.watch()
    d = min(1, max(0, value))
    assert np.allclose(distances(layer), 1 / (d * (1 / NEAR - 1 / FAR) + 1 / FAR), rtol=1e-5)


@WAYS
def test_what_was_painted_just_before_stopping_is_seen(layer: bpy.types.Object, start: Start) -> None:
    image = start(layer)
    live.watch()
    assert misfit(layer) < 1e-5
    brush(image)
    if start is paint_in_the_viewport:
        assert bpy.ops.stillscape.stop_painting() == {"FINISHED"}
        assert layer.mode == "OBJECT"
    else:
        bpy.context.window_manager.windows[0].screen.areas[0].spaces.active.mode = "VIEW"
        assert misfit(layer) > 1
    assert live.watch() == live.IDLE
    assert misfit(layer) < 1e-5
    assert not live._watcher.sums


def test_nothing_moves_while_a_stroke_is_running(layer: bpy.types.Object, monkeypatch: pytest.MonkeyPatch) -> None:
    image = paint_in_the_viewport(layer)
    live.watch()
    assert misfit(layer) < 1e-5
    monkeypatch.setattr(live, "_stroke_is_running", lambda: True)
    brush(image)
    live.look_soon()
    assert live.watch() == live.BUSY
    assert misfit(layer) > 1
    live._watcher.next = float("inf")  # however long ago the last look was: after a stroke there is one at once
    monkeypatch.setattr(live, "_stroke_is_running", lambda: False)
    live.watch()
    assert misfit(layer) < 1e-5


def test_only_changed_pixels_make_work(layer: bpy.types.Object) -> None:
    image = paint_in_the_viewport(layer)
    updates: list[str] = []

    def note(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        updates.extend(u.id.name for u in depsgraph.updates if isinstance(u.id, bpy.types.Image))

    bpy.app.handlers.depsgraph_update_post.append(note)
    try:
        live.watch()
        bpy.context.view_layer.update()
        updates.clear()
        for _ in range(3):
            live.look_soon()
            live.watch()
            bpy.context.view_layer.update()
        assert image.name not in updates
        brush(image)
        live.look_soon()
        live.watch()
        bpy.context.view_layer.update()
        assert updates.count(image.name) == 1
    finally:
        bpy.app.handlers.depsgraph_update_post.remove(note)


def test_an_image_that_is_no_depth_map_is_left_alone(layer: bpy.types.Object) -> None:
    paint_in_the_viewport(layer)
    bpy.context.scene.tool_settings.image_paint.canvas = bpy.data.images.new("Sketch", 4, 4)
    assert list(live.painted_images()) == []
    assert live.watch() == live.IDLE


def test_the_timer_survives_what_goes_wrong(layer: bpy.types.Object, monkeypatch: pytest.MonkeyPatch) -> None:
    paint_in_the_viewport(layer)

    def fail() -> bool:
        raise ReferenceError("StructRNA has been removed")

    monkeypatch.setattr(live, "_stroke_is_running", fail)
    assert live.watch() == live.IDLE
    monkeypatch.undo()
    assert live.watch() == live.BUSY


def test_a_removed_image_is_forgotten(layer: bpy.types.Object) -> None:
    image = paint_in_the_viewport(layer)
    live.watch()
    bpy.data.images.remove(image)
    assert live.watch() == live.IDLE
    assert not live._watcher.sums


def test_another_file_starts_afresh(layer: bpy.types.Object) -> None:
    paint_in_the_viewport(layer)
    live.watch()
    assert live._watcher.sums
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not live._watcher.sums
    assert bpy.app.timers.is_registered(live.watch)


# Saving keeps it -------------------------------------------------------------------------------------------------------


def save_and_open(path: Path) -> bpy.types.Image:
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return next(i for i in bpy.data.images if i.get(ROLE) == "depth")


def test_saving_keeps_the_strokes(layer: bpy.types.Object, tmp_path: Path) -> None:
    name = layer.name
    image = paint_in_the_viewport(layer)
    for value in (1.0, 0.123456789):  # a second save packs what came after the first
        brush(image, value)
        painted = pixels(image)
        assert image.is_dirty
        image = save_and_open(tmp_path / "kept.blend")
        assert not image.is_dirty and np.array_equal(pixels(image), painted)
        assert misfit(bpy.data.objects[name]) < 1e-5


def test_without_the_handler_they_would_be_lost(layer: bpy.types.Object, tmp_path: Path) -> None:
    image = paint_in_the_viewport(layer)
    before = pixels(image)
    brush(image)
    bpy.app.handlers.save_pre.remove(live.keep_strokes)
    try:
        assert np.array_equal(pixels(save_and_open(tmp_path / "lost.blend")), before)
    finally:
        bpy.app.handlers.save_pre.append(live.keep_strokes)


def test_only_our_images_are_packed(layer: bpy.types.Object, tmp_path: Path) -> None:
    theirs = bpy.data.images.new("Sketch", 4, 4, float_buffer=True)
    theirs.pixels.foreach_set(np.full(64, 0.5, np.float32))
    theirs.update()
    assert theirs.is_dirty
    depth = live.depth_of(layer)
    brush(depth)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "both.blend"))
    assert not depth.is_dirty and depth.packed_file
    assert theirs.is_dirty and not theirs.packed_file


OPEN_AND_RENDER = """
import sys, bpy, numpy as np
file, mesh, frame = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=file)
assert not hasattr(bpy.types, "STILLSCAPE_OT_paint_depth") and not any("addon" == m.split(".")[0] for m in sys.modules)
layer = next(o for o in bpy.data.objects if o.get("stillscape_role") == "layer")
evaluated = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
found = np.empty(len(evaluated.vertices) * 3, np.float32)
evaluated.vertices.foreach_get("co", found)
np.save(mesh, found.reshape(-1, 3)[:, 1])
bpy.context.scene.render.filepath = frame
bpy.ops.render.render(write_still=True)
"""


def test_the_file_needs_no_add_on(layer: bpy.types.Object, tmp_path: Path) -> None:
    """A painted file in a process of its own: the mesh stands as it was painted, and it renders."""
    brush(paint_in_the_viewport(layer))
    live.watch()
    painted = distances(layer).copy()
    file, mesh, frame = tmp_path / "painted.blend", tmp_path / "mesh.npy", tmp_path / "frame.png"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    program = [sys.executable, "-c", OPEN_AND_RENDER, str(file), str(mesh), str(frame)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert frame.exists(), done.stdout + done.stderr
    assert np.allclose(np.load(mesh), painted, rtol=1e-5)
    rendered, photo = cv2.imread(str(frame)), cv2.imread(str(tmp_path / "photo.png"))
    assert rendered.shape == photo.shape and np.abs(rendered.astype(int) - photo).max() <= 2  # at rest it is the photo, painted or not


# Operators -------------------------------------------------------------------------------------------------------------


def test_paint_depth_sets_the_scene_up(layer: bpy.types.Object) -> None:
    other = bpy.data.objects.new("Other", None)
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    layer.data.uv_layers.active = layer.data.uv_layers["Photo"]
    depth = paint_in_the_viewport(layer)
    tool = bpy.context.scene.tool_settings.image_paint
    assert layer.mode == "TEXTURE_PAINT" and tool.mode == "IMAGE" and tool.canvas == depth
    assert layer.select_get() and not other.select_get()
    assert layer.data.uv_layers.active.name == PHOTO_UV
    unified = getattr(tool, "unified_paint_settings", None) or bpy.context.scene.tool_settings.unified_paint_settings
    assert unified.use_unified_color and tuple(unified.color) == (1, 1, 1) and tuple(unified.secondary_color) == (0, 0, 0)
    # Past the border the UV leave the image: those faces cannot be painted, and stay in the picture.
    hidden = np.empty(len(layer.data.polygons), bool)
    layer.data.polygons.foreach_get("hide", hidden)
    assert 0 < hidden.sum() < len(hidden)
    assert len(distances(layer)) == len(layer.data.vertices)


def test_the_artists_brush_settings_stay(layer: bpy.types.Object) -> None:
    paint_in_the_viewport(layer)
    tool = bpy.context.scene.tool_settings.image_paint
    unified = getattr(tool, "unified_paint_settings", None) or bpy.context.scene.tool_settings.unified_paint_settings
    unified.strength = 0.75
    assert bpy.ops.stillscape.stop_painting() == {"FINISHED"}
    paint_in_the_viewport(layer)
    assert unified.strength == 0.75


def test_the_camera_of_a_photo_leads_to_its_layer(layer: bpy.types.Object) -> None:
    bpy.context.view_layer.objects.active = bpy.context.scene.camera
    assert live.layer_to_paint(bpy.context) == layer
    assert bpy.ops.stillscape.paint_depth.poll()


def test_what_cannot_be_painted_is_greyed_out(layer: bpy.types.Object) -> None:
    assert not bpy.ops.stillscape.stop_painting.poll()
    assert not bpy.ops.stillscape.edit_depth_image.poll()  # no area shows images
    layer.hide_set(True)
    assert not bpy.ops.stillscape.paint_depth.poll()
    layer.hide_set(False)
    assert bpy.ops.stillscape.paint_depth.poll()
    bpy.data.images.remove(live.depth_of(layer))
    assert not bpy.ops.stillscape.paint_depth.poll()


def test_nothing_to_paint_in_an_empty_scene() -> None:
    assert not bpy.ops.stillscape.paint_depth.poll()
    assert live.watch() == live.IDLE


# Registration ----------------------------------------------------------------------------------------------------------


def traces() -> tuple[object, ...]:
    handlers = {name: len(getattr(bpy.app.handlers, name)) for name, _ in live._HANDLERS}
    kinds = [kind.__name__ for kind in live.CLASSES if hasattr(bpy.types, kind.__name__)]
    return handlers, kinds, bpy.app.timers.is_registered(live.watch)


def test_registering_leaves_nothing_behind() -> None:
    during = traces()
    live.unregister()
    try:
        handlers, kinds, timer = traces()
        assert kinds == [] and timer is False
        for name, function in live._HANDLERS:
            assert function not in getattr(bpy.app.handlers, name)
        live.register()
        assert traces() == during
        live.unregister()
        assert traces() == (handlers, kinds, timer)
    finally:
        live.register()
