"""A film as Blender data: depth and texture follow the scene's frame."""

from __future__ import annotations

import shutil
from dataclasses import replace

import bpy
import cv2
import numpy as np
import pytest

from addon.output import blend, job
from addon.scene import compat, relief
from addon.spec import SceneSpec

pytestmark = pytest.mark.versions
SIZE = (48, 32)
COUNT = 6
METRES = [2.0, 3.0, 4.0, 5.0, 6.0, 8.0]


@pytest.fixture
def film(tmp_path):
    """Six frames of one colour each, each at its own distance; returns pattern and settings."""
    for n in range(1, COUNT + 1):
        cv2.imwrite(str(tmp_path / f"shot_{n:04d}.png"), np.full((SIZE[1], SIZE[0], 3), (40 * n, 250 - 40 * n, 100), np.uint8))
        np.save(tmp_path / f"depth_{n:04d}.npy", np.full((SIZE[1], SIZE[0]), METRES[n - 1], np.float32))
    spec = SceneSpec()
    spec = replace(
        spec,
        depth=replace(spec.depth, file=str(tmp_path / "depth_####.npy")),
        move=replace(spec.move, amount=0.0),
        render=replace(spec.render, samples=1),
    )
    return tmp_path / "shot_####.png", spec


def make(film, folder):
    pattern, spec = film
    return job.make_scene(pattern, spec, bpy.context.scene, lambda share, text: None, film=False, frames=folder), spec


def distance(layer):
    mesh = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)[:, 1]


def test_the_mesh_follows_the_frame_in_any_order(film, tmp_path):
    built, _ = make(film, tmp_path / "layers")
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1, COUNT, 24)
    for frame in (1, 2, 6, 3, 5, 4, 1):
        scene.frame_set(frame)
        assert np.allclose(distance(built.layers[0]), METRES[frame - 1], rtol=1e-3), frame
    for frame, shown in ((0, 1), (COUNT + 5, COUNT)):  # before and after, what is nearest
        scene.frame_set(frame)
        assert np.allclose(distance(built.layers[0]), METRES[shown - 1], rtol=1e-3)


def test_only_the_films_group_reads_the_frame(film, tmp_path):
    make(film, tmp_path / "layers")
    relief.relief_group()
    kinds = {name: {n.bl_idname for n in bpy.data.node_groups[name].nodes} for name in (relief.GROUP, relief.FILM_GROUP)}
    assert "GeometryNodeInputSceneTime" in kinds[relief.FILM_GROUP] and "GeometryNodeInputSceneTime" not in kinds[relief.GROUP]


def test_every_rendered_frame_is_the_films(film, tmp_path):
    built, spec = make(film, tmp_path / "layers")
    pattern = tmp_path / "out" / "f_####.png"

    def render(numbers):
        asked = replace(spec, render=replace(spec.render, frame_range=numbers))
        return [f.path for f in job.render(built, asked, bpy.context.scene, job.Output(pattern, film=False))]

    files = render("")
    assert len(files) == COUNT
    for n, file in enumerate(files, 1):
        picture = cv2.imread(str(file)).astype(int)
        assert np.abs(picture - (40 * n, 250 - 40 * n, 100)).max() <= 1, n
    before = {file: file.read_bytes() for file in files}
    for numbers in ("5-6", "2"):
        for file in render(numbers):
            assert file.read_bytes() == before[file]


def test_a_saved_scene_may_be_moved_with_its_frames(film, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    make(film, folder / "scene_film")
    blend.save_blend(folder / "scene.blend")
    assert all(i.filepath_raw.startswith(str(folder)) for i in bpy.data.images if i.source == "SEQUENCE")  # as it was
    folder.rename(tmp_path / "there")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "there" / "scene.blend"))
    images = [i for i in bpy.data.images if i.source == "SEQUENCE"]
    assert len(images) == 2 and all(i.filepath_raw.startswith("//scene_film/") for i in images)
    scene = bpy.context.scene
    scene.frame_set(4)
    layer = next(o for o in scene.objects if o.get("stillscape_role") == "layer")
    assert np.allclose(distance(layer), METRES[3], rtol=1e-3)
    scene.render.filepath = str(tmp_path / "bare.png")
    bpy.ops.render.render(write_still=True)
    assert np.abs(cv2.imread(str(tmp_path / "bare.png")).astype(int) - (160, 90, 100)).max() <= 1


def test_the_shot_is_as_long_as_the_film_whatever_the_move_says(film, tmp_path):
    pattern, spec = film
    spec = replace(spec, move=replace(spec.move, frames=200, fps=60.0), video=replace(spec.video, frames=4, fps=12.5))
    built, _ = make((pattern, spec), tmp_path / "layers")
    assert (built.shot.frames, built.shot.fps) == (4, 12.5)
    modifier = relief.relief_modifier(built.layers[0])
    assert compat.get_modifier_input(modifier, "Frames") == 4
    shutil.rmtree(tmp_path / "layers")
