"""How long the way from photo to film takes: prints the table of benchmarks/README.md.

    .venv/bin/python benchmarks/speed.py [--runs 3]

A 2-megapixel photo (noise over smooth shading, so that nothing compresses well) with a depth map given; seconds to the
scene, then seconds a frame at 1280×720 for 1, 4 and 16 samples. The plain sheet is the same camera over one flat quad with
the same texture and a bare emission material: what Cycles costs whatever we do. Machines differ and are shared: read the
ratio to it, taken in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import bpy
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from addon.output import job, render  # noqa: E402
from addon.spec import SceneSpec  # noqa: E402

WIDTH, HEIGHT = 1732, 1155
FRAMES = (10, 20, 30, 40)


def make_input(folder: Path) -> tuple[Path, Path]:
    """A photo and its depth in metres: a slope with a few boxes in front of it."""
    rng = np.random.default_rng(0)
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH] / WIDTH
    picture = 128 + 90 * np.sin(9 * u)[..., None] * np.cos(7 * v[..., None] + np.arange(3)) + rng.normal(0, 8, (HEIGHT, WIDTH, 3))
    cv2.imwrite(str(folder / "photo.png"), np.clip(picture, 0, 255).astype(np.uint8))
    depth = (2 + 10 * (1 - v / v.max())).astype(np.float32)
    for _ in range(12):
        x, y, s = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)), int(rng.integers(60, 240))
        depth[y : y + s, x : x + s] *= 0.6
    np.save(folder / "depth.npy", depth)
    return folder / "photo.png", folder / "depth.npy"


def seconds_a_frame(scene: bpy.types.Scene, folder: Path, samples: int) -> float:
    """Median over the frames after the first, which also builds the scene for Cycles."""
    scene.cycles.samples = samples
    taken = [f.seconds for f in render.render_frames(scene, str(folder / "f_####.png"), FRAMES)]
    return statistics.median(taken[1:])


def to_plain_sheet(built: job.Built) -> None:
    """Replace the relief by one quad and the material by a bare texture."""
    for layer in built.layers:
        texture = layer.data.materials[0].node_tree.nodes["Photo"].image
        material = bpy.data.materials.new("Plain")
        if material.node_tree is None:
            material.use_nodes = True
        tree = material.node_tree
        tree.nodes.clear()
        image = tree.nodes.new("ShaderNodeTexImage")
        image.image = texture
        emission = tree.nodes.new("ShaderNodeEmission")
        tree.links.new(image.outputs[0], emission.inputs[0])
        tree.links.new(emission.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs[0])
        material.cycles.emission_sampling = "NONE"
        mesh = bpy.data.meshes.new("Plain")
        mesh.from_pydata([(-5, 3, -5), (5, 3, -5), (5, 3, 5), (-5, 3, 5)], [], [(0, 1, 2, 3)])
        mesh.uv_layers.new()
        mesh.materials.append(material)
        layer.modifiers.clear()
        layer.data = mesh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, depth = make_input(folder)
        spec = SceneSpec()
        spec = replace(spec, depth=replace(spec.depth, file=str(depth), kind="depth"), render=replace(spec.render, size=(1280, 720)))
        to_scene, ours, plain = [], {}, {}
        for _ in range(runs):
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            scene = bpy.context.scene
            started = time.monotonic()
            built = job.make_scene(photo, spec, scene, lambda share, text: None, film=False)
            to_scene.append(time.monotonic() - started)
            for samples in (1, 4, 16):
                ours.setdefault(samples, []).append(seconds_a_frame(scene, folder, samples))
            to_plain_sheet(built)
            for samples in (1, 4, 16):
                plain.setdefault(samples, []).append(seconds_a_frame(scene, folder, samples))
        vertices = spec.relief.max_vertices
    print(f"\nBlender {bpy.app.version_string}, {platform.machine()}, {os.cpu_count()} cores, median of {runs} runs\n")
    print(f"Photo of {WIDTH}x{HEIGHT} with a depth map to a scene of up to {vertices:,} vertices: {statistics.median(to_scene):.1f} s\n")
    print("| samples | seconds a frame, 1280x720 | plain sheet | ratio |\n|---|---|---|---|")
    for samples in (1, 4, 16):
        a, b = statistics.median(ours[samples]), statistics.median(plain[samples])
        print(f"| {samples} | {a:.2f} | {b:.2f} | {a / b:.2f} |")


if __name__ == "__main__":
    main()
