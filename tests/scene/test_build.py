"""A layered photo as Blender data."""

from __future__ import annotations

import math
from dataclasses import replace

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Vector

from addon.output import job
from addon.scene import compat, relief
from addon.spec import DepthSpec, SceneSpec
from addon.vision.pipeline import encode_normals, make_layered_photo

pytestmark = pytest.mark.versions
WIDTH, HEIGHT = 64, 48
PLANE = SceneSpec(depth=DepthSpec(estimator="plane"))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "my photo.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    return path


def build(path, depth=None, /, **sections):
    spec = PLANE
    if depth is not None:
        np.save(path.parent / "depth.npy", depth.astype(np.float32))
        sections["depth"] = {"estimator": "file", "file": str(path.parent / "depth.npy"), "kind": "depth", **sections.get("depth", {})}
    for name, values in sections.items():
        spec = replace(spec, **{name: replace(getattr(spec, name), **values)})
    return job.make_scene(path, spec, bpy.context.scene, lambda share, text: None, film=False)


def evaluated(layer):
    mesh = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def test_vertices_stand_at_their_depth(photo):
    depth = np.full((HEIGHT, WIDTH), 4.0)
    depth[:, WIDTH // 2 :] = 2.0
    built = build(photo, depth, relief={"margin": 0.0})
    flat = np.empty(len(built.layers[0].data.vertices) * 3, np.float32)
    built.layers[0].data.vertices.foreach_get("co", flat)
    flat = flat.reshape(-1, 3)
    points = evaluated(built.layers[0])
    assert np.allclose(points / points[:, 1:2], flat, atol=1e-5)  # moved along their rays
    assert np.allclose(points[flat[:, 0] < -0.05, 1], 4.0, atol=1e-4) and np.allclose(points[flat[:, 0] > 0.05, 1], 2.0, atol=1e-4)


def test_relief_follows_near_far_and_strength(photo):
    built = build(photo, np.linspace(1, 5, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH))
    layer = built.layers[0]
    modifier = relief.relief_modifier(layer)
    assert compat.get_modifier_input(modifier, "Near") == pytest.approx(1)
    assert compat.get_modifier_input(modifier, "Far") == pytest.approx(5)
    for name, value in (("Near", 2.0), ("Far", 10.0), ("Strength", 0.0)):
        built.root[name] = value
    built.root.update_tag()
    assert np.allclose(evaluated(layer)[:, 1], 10.0, atol=1e-3)
    built.root["Strength"] = 1.0
    built.root.update_tag()
    assert evaluated(layer)[:, 1].min() == pytest.approx(2.0, rel=1e-3)


def test_what_is_made(photo):
    built = build(photo, move={"name": "orbit", "frames": 10, "loop": True})
    assert {o.name for o in built.collection.objects} == {o.name for o in (built.root, built.camera, built.aim, *built.layers)}
    assert all(o["stillscape_id"] == built.id for o in built.collection.objects)
    assert [layer.name for layer in built.layers[0].data.uv_layers] == ["UVMap", "Photo"]
    assert all(image.packed_file for image in bpy.data.images if image.type == "IMAGE")
    curves = compat.fcurves(built.camera)
    assert curves and all(len(c.keyframe_points) == 3 for c in curves)
    assert bpy.context.scene.camera == built.camera
    assert bpy.context.scene.frame_end == 10


def test_the_floor_is_level(photo):
    """With a ground plane the sheet's lower half lies at the height zero, whatever the horizon."""
    built = build(photo, relief={"margin": 0.0})
    world = np.array([built.layers[0].matrix_world @ Vector(p) for p in evaluated(built.layers[0]).astype(float)])
    near = world[world[:, 1] < 10]
    assert len(near) > 100 and np.abs(near[:, 2]).max() < 0.1
    camera = built.camera.matrix_world.translation
    assert camera.z == pytest.approx(1.6) and math.hypot(camera.x, camera.y) < 1e-6


@pytest.mark.parametrize("size", [(64, 48), (40, 60)])
def test_the_camera_frames_the_photo(tmp_path, size):
    from bpy_extras.object_utils import world_to_camera_view

    path = tmp_path / "p.png"
    cv2.imwrite(str(path), np.zeros((size[1], size[0], 3), np.uint8))
    built = build(path, photo={"fov": 70.0, "lens_shift": (0.1, -0.2)}, relief={"margin": 0.0})
    bpy.context.view_layer.update()
    points = evaluated(built.layers[0])
    uv = np.empty(len(points) * 2, np.float32)
    mesh = built.layers[0].data
    by_loop = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers["Photo"].data.foreach_get("uv", by_loop)
    corner = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corner)
    uv = uv.reshape(-1, 2)
    uv[corner] = by_loop.reshape(-1, 2)
    for i in range(0, len(points), 97):
        seen = world_to_camera_view(bpy.context.scene, built.camera, built.layers[0].matrix_world @ Vector(points[i].astype(float)))
        assert (seen.x, seen.y) == pytest.approx(tuple(uv[i]), abs=1e-4)
        assert built.camera.data.clip_start < seen.z < built.camera.data.clip_end


def test_building_leaves_a_scene_at_work_alone(photo, tmp_path):
    from addon.scene.build import build as build_scene
    from addon.vision.pipeline import make_layered_photo

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.fps, scene.frame_end = 333, 17, 77
    scene.view_settings.view_transform = "Standard"
    engine, camera, world = scene.render.engine, scene.camera, scene.world
    layered = make_layered_photo(photo, PLANE, tmp_path / "layers", lambda share, text: None)
    build_scene(layered, PLANE, scene)
    assert (scene.render.resolution_x, scene.render.fps, scene.frame_end) == (333, 17, 77)
    assert (scene.render.engine, scene.camera, scene.world) == (engine, camera, world)


def test_two_photos_do_not_meet(photo):
    a, b = build(photo), build(photo)
    assert a.id != b.id and a.collection != b.collection
    assert len([g for g in bpy.data.node_groups if g.name.startswith("Stillscape")]) == 4


def test_light_falls_on_the_normals_that_the_network_saw(photo, tmp_path):
    """A flat wall whose left half is said to face left and whose right half right, lit by a sun from the left."""
    spec = SceneSpec(depth=DepthSpec(file=str(tmp_path / "wall.npy"), kind="depth"))
    np.save(tmp_path / "wall.npy", np.full((HEIGHT, WIDTH), 3, np.float32))
    cv2.imwrite(str(photo), np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    layered = make_layered_photo(photo, spec, tmp_path / "layers", lambda share, text: None)
    normals = np.zeros((24, 32, 3), np.float32) + np.float32((-0.8, 0, -0.6))  # OpenCV's axes: towards the camera is -z
    normals[:, 16:, 0] *= -1
    (tmp_path / "layers" / "normals.png").write_bytes(encode_normals(normals))
    scene = bpy.context.scene
    built = job.build_scene(layered, spec, scene, film=False)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy = 3
    sun.rotation_euler = Vector((0.8, 0.6, 0)).to_track_quat("-Z", "Y").to_euler()  # from the left, over the camera's shoulder
    scene.collection.objects.link(sun)
    built.root["Relight"], built.root["Fill Light"] = 1.0, 0.0
    built.root.update_tag()
    scene.render.filepath = str(tmp_path / "lit.png")
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 4
    bpy.ops.render.render(write_still=True)
    lit = cv2.imread(str(tmp_path / "lit.png")).mean(2)
    left, right = lit[8:-8, 8 : WIDTH // 2 - 4].mean(), lit[8:-8, WIDTH // 2 + 4 : -8].mean()
    assert left > 100 and right < 0.2 * left
    assert layered.normals == "normals.png"
