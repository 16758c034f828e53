"""Rebuild Layers and Solo Layer as a script calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon import ui
from addon.scene import compat
from addon.scene.relief import relief_modifier
from addon.ui import live, scenery

from .photos import imported, red_square
from .test_registration import Recorder

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    ui.register()
    settings = bpy.context.scene.stillscape
    settings.relief.max_vertices = 20_000
    settings.move.frames = 3
    settings.render.samples = 1
    yield
    ui.unregister()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A square 2 m away before a wall 6 m away."""
    return red_square(tmp_path)


def images(layer: bpy.types.Object) -> dict[str, bpy.types.Image]:
    nodes = layer.data.materials[0].node_tree.nodes
    return {
        "Fill": nodes["Fill"].image,
        "Matte": nodes["Matte"].image,
        "Hidden Depth": compat.get_modifier_input(relief_modifier(layer), "Hidden Depth"),
    }


def paint(image: bpy.types.Image, rows: slice, columns: slice, value: float) -> None:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(image.size[1], image.size[0], 4)[::-1][rows, columns, :3] = value
    image.pixels.foreach_set(pixels)
    image.update()


def values(image: bpy.types.Image) -> np.ndarray:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[::-1]


def test_layers_are_named_and_ordered(photo: Path) -> None:
    made = imported(photo)
    assert [layer.name for layer in made.layers] == ["two 1 Front", "two 2 Background"]
    assert all(layer.parent == made.root for layer in made.layers)


def test_all_layers_follow_the_numbers_on_the_root(photo: Path) -> None:
    made = imported(photo)
    made.root["Strength"] = 0.0
    made.root.update_tag()
    graph = bpy.context.evaluated_depsgraph_get()
    for layer in made.layers:
        points = np.empty(len(layer.evaluated_get(graph).data.vertices) * 3, np.float32)
        layer.evaluated_get(graph).data.vertices.foreach_get("co", points)
        assert np.allclose(points[1::3], made.root["Far"], rtol=0.003)


def test_painted_depth_becomes_another_layer_and_the_rest_stays(photo: Path) -> None:
    made = imported(photo)
    front = made.layers[0]
    front.hide_select = True
    bpy.context.view_layer.objects.active = made.root
    depth = live.depth_of(front)
    paint(depth, slice(4, 10), slice(4, 60), 0.4)  # something else, nearer than the wall
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    after = scenery.active_scenery(bpy.context)
    assert after.layers[0] == front and front.hide_select  # the same object, as the artist left it
    left, top = front["stillscape_box"][:2]
    matte = values(images(front)["Matte"])[..., 0]
    assert (matte[5 - top : 9 - top, 6 - left : 58 - left] == 1).all() and (matte[13 - top : 35 - top, 21 - left : 43 - left] == 1).all()
    assert len({layer.get("stillscape_id") for layer in after.layers}) == 1
    assert np.array_equal(values(live.depth_of(front)), values(depth))  # the painted depth itself is untouched


def test_a_repainted_image_is_kept_and_the_others_are_made_anew(photo: Path) -> None:
    made = imported(photo)
    back = made.layers[1]
    fill = images(back)["Fill"]
    left, top = back["stillscape_box"][:2]
    paint(fill, slice(20 - top, 24 - top), slice(28 - left, 36 - left), 0.125)
    bpy.context.view_layer.objects.active = made.root
    paint(live.depth_of(back), slice(12, 36), slice(18, 44), 1.0)  # the square grows by two pixels
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    back = scenery.active_scenery(bpy.context).layers[1]
    left, top = back["stillscape_box"][:2]
    kept = values(images(back)["Fill"])[20 - top : 24 - top, 28 - left : 36 - left, :3]
    assert np.abs(kept - 0.125).max() < 0.01
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}  # and kept the next time, too
    back = scenery.active_scenery(bpy.context).layers[1]
    assert np.abs(values(images(back)["Fill"])[20 - top : 24 - top, 28 - left : 36 - left, :3] - 0.125).max() < 0.01


def test_to_one_sheet_and_back(photo: Path) -> None:
    made = imported(photo)
    bpy.context.view_layer.objects.active = made.root
    settings = bpy.context.scene.stillscape.layers
    settings.layers = "off"
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    assert [layer.name for layer in scenery.active_scenery(bpy.context).layers] == ["two Photo"]
    settings.layers = "many"
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    assert [layer.name for layer in scenery.active_scenery(bpy.context).layers] == ["two 1 Front", "two 2 Background"]
    scenery.active_scenery(bpy.context).layers[0].name = "A square"
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    assert [layer.name for layer in scenery.active_scenery(bpy.context).layers] == ["A square", "two 2 Background"]


def test_solo(photo: Path) -> None:
    made = imported(photo)
    one, two = made.layers
    assert bpy.ops.stillscape.solo_layer(name=two.name) == {"FINISHED"}
    assert one.hide_render and one.hide_viewport and not two.hide_render
    assert bpy.ops.stillscape.solo_layer(name=two.name) == {"FINISHED"}
    assert not one.hide_render and not two.hide_viewport


def test_the_panel_shows_the_layers(photo: Path) -> None:
    imported(photo)
    seen: list[str] = []
    panel = bpy.types.VIEW3D_PT_stillscape_layers
    panel.draw(type("Panel", (), {"layout": Recorder(seen), "settings": panel.settings})(), bpy.context)
    assert "stillscape.rebuild_layers" in seen and seen.count("stillscape.solo_layer") == 2


def frame(path: Path, number: int) -> np.ndarray:
    scene = bpy.context.scene
    scene.frame_set(number)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return cv2.imread(str(path)).astype(float)


def test_baked_layers_look_the_same_with_fewer_faces(photo: Path, tmp_path: Path) -> None:
    metres = np.load(tmp_path / "depth.npy")
    metres[:12] = np.linspace(3, 6, 12)[:, None]  # and a ceiling
    np.save(tmp_path / "depth.npy", metres)
    made = imported(photo)
    assert bpy.ops.stillscape.set_up_render() == {"FINISHED"}
    bpy.context.scene.cycles.samples = 16
    before = [frame(tmp_path / "before.png", n) for n in (1, 3)]
    faces = [len(layer.data.polygons) for layer in made.layers]
    assert bpy.ops.stillscape.bake_layers(detail=0.15) == {"FINISHED"}
    baked = next(c for c in made.collection.children if c.name.endswith("Baked")).objects
    assert len(baked) == 2 and all(layer.hide_render for layer in made.layers)
    assert scenery.active_scenery(bpy.context).layers == made.layers  # they are no layers themselves
    for o, count in zip(sorted(baked, key=lambda o: o.name), faces):
        assert not o.modifiers and 0 < len(o.data.polygons) < 0.4 * count
    after = [frame(tmp_path / "after.png", n) for n in (1, 3)]
    for one, other, least in zip(before, after, (45, 35)):
        assert 20 * np.log10(255 / np.sqrt(((one - other) ** 2).mean())) > least
    # Coarse on the wall, fine along the square.
    wall = max(baked, key=lambda o: o.name).data
    area = np.empty(len(wall.polygons), np.float32)
    wall.polygons.foreach_get("area", area)
    assert area.max() > 20 * np.median(area)
