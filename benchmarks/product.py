"""Second views by the product: through its command line as a user has them, and in process where a number needs the scene."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

Offset = tuple[float, float, float]


class Source(NamedTuple):
    """What the product is given: a photo file, its depth in metres (.npy) and its horizontal field of view in degrees."""

    photo: Path
    depth: Path
    fov: float


class Failed(RuntimeError):
    """The product gave no frames; the text is what it said."""


def camera_path(folder: Path, offsets: Sequence[Offset], rotations: Sequence[Offset] | None = None) -> Path:
    """A camera path file with one keyframe a frame. offsets: metres; rotations: degrees; both in the photo camera's axes."""
    turns = rotations or [(0.0, 0.0, 0.0)] * len(offsets)
    keys = [{"frame": i + 1, "location": list(o), "rotation": list(r)} for i, (o, r) in enumerate(zip(offsets, turns))]
    path = folder / "path.json"
    path.write_text(json.dumps({"fps": 24, "keyframes": keys}))
    return path


def render_views(
    source: Source,
    offsets: Sequence[Offset],
    folder: Path,
    *,
    python: str,
    extra: Sequence[str] = (),
    rotations: Sequence[Offset] | None = None,
) -> tuple[list[NDArray[np.uint8]], float]:
    """Frames (BGR) from every offset in one call of the command line, and the seconds that it took. Raises Failed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("frame_*.png"):
        old.unlink()
    command = [
        python, str(ROOT / "headless" / "stillscape.py"), "render", str(source.photo), "--depth", str(source.depth), "--depth-kind", "depth",
        "--fov", str(source.fov), "--camera-path", str(camera_path(folder, offsets, rotations)), "-o", str(folder / "frame_####.png"), *extra,
    ]  # fmt: skip
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.monotonic() - started
    frames = [cv2.imread(str(folder / f"frame_{i + 1:04}.png")) for i in range(len(offsets))]
    if done.returncode or any(f is None for f in frames):
        raise Failed(f"exit code {done.returncode}: {shlex.join(command)}\n{(done.stdout + done.stderr)[-1500:]}")
    return frames, seconds


class Coverage(NamedTuple):
    """Of every film pixel, float32 H×W: the share that nothing covers, and the shares that opaque faces cover which look
    more than twice and four times as long as in the photo."""

    uncovered: NDArray[np.float32]
    stretched: NDArray[np.float32]
    stretched4: NDArray[np.float32]


def coverage(
    source: Source, offsets: Sequence[Offset], folder: Path, settings: dict[str, dict[str, object]] | None = None
) -> list[Coverage]:
    """What the product's scene covers and stretches from every offset, measured on its geometry.

    The scene is built as the command line builds it, with `settings` ({section: {field: value}}) over the defaults. Then
    every emission in its materials is made to show the stretch of its face instead of the photo, while what decides
    opacity stays as it is, and the frames keep their alpha.
    """
    import bpy

    from addon.output import job, render
    from addon.spec import SceneSpec, override

    folder.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    given = {
        "photo": {"fov": source.fov},
        "depth": {"file": str(source.depth), "kind": "depth"},
        "move": {"camera_path": str(camera_path(folder, offsets))},
    }
    spec = override(override(SceneSpec(), given), settings or {})
    scene = bpy.context.scene
    built = job.make_scene(source.photo, spec, scene, lambda share, text: None, film=False)
    show_instead([m for layer in built.layers for m in layer.data.materials], _stretch_colour)
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Raw"
    render.set_format(scene, ".exr", deep=True, transparent=True)
    scene.render.image_settings.color_depth = "32"
    found = []
    for i in range(len(offsets)):
        scene.frame_set(i + 1)
        path = folder / "coverage.exr"
        scene.render.filepath, scene.render.use_file_extension = str(path), False
        bpy.ops.render.render(write_still=True)
        blue, green, red, alpha = cv2.split(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        found.append(Coverage(1 - alpha, red, green))
        path.unlink()
    return found


def show_instead(materials: Sequence[object], colour: Callable[[Any], object]) -> None:
    """Let every emission, in node groups too, have the colour whose socket `colour` makes in its tree."""
    changed, groups = 0, set()
    pending = [m.node_tree for m in materials]
    while pending:
        tree = pending.pop()
        if tree.name_full in groups:
            continue
        groups.add(tree.name_full)
        for node in list(tree.nodes):
            if node.bl_idname == "ShaderNodeGroup" and node.node_tree is not None:
                pending.append(node.node_tree)
            elif node.bl_idname == "ShaderNodeEmission":
                tree.links.new(colour(tree), node.inputs["Color"])
                changed += 1
    if not changed:
        raise Failed("the scene's materials have no emission any more: the measure of stretch needs to be fitted to them")


def _stretch_colour(tree: Any) -> object:
    """Red where the stretch exceeds 2, green where it exceeds 4."""
    nodes = Nodes(tree)
    stretch = nodes.stretch()
    over = {name: nodes.calculate("GREATER_THAN", stretch, least) for name, least in (("Red", 2.0), ("Green", 4.0))}
    return nodes.add("ShaderNodeCombineColor", {**over, "Blue": 0.0}).outputs[0]


class Nodes:
    """Short ways to put nodes that measure into a material's tree."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree

    def add(self, kind: str, values: dict[Any, object] | None = None, **properties: object) -> Any:
        """A node with these properties, and these values of or links to its inputs."""
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        for name, value in (values or {}).items():
            socket = node.inputs[name]
            if hasattr(value, "is_output"):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return node

    def calculate(self, operation: str, a: object, b: object = 0.0) -> Any:
        return self.add("ShaderNodeMath", {0: a, 1: b}, operation=operation).outputs[0]

    def stretch(self) -> Any:
        """|n·(P−C)| / |n·P| · z0/z: P the point, C the render camera, both in the photo camera's frame (the layer object's own), n the
        face's normal, z0 and z the distances from both: 1 for a face square to the view."""

        def dot(a: object, b: object) -> Any:
            product = self.add("ShaderNodeVectorMath", {0: a, 1: b}, operation="DOT_PRODUCT")
            return self.calculate("ABSOLUTE", product.outputs["Value"])

        point = self.add("ShaderNodeTexCoord").outputs["Object"]
        normal = self.add(
            "ShaderNodeVectorTransform",
            {0: self.add("ShaderNodeNewGeometry").outputs["True Normal"]},
            vector_type="NORMAL",
            convert_from="WORLD",
            convert_to="OBJECT",
        ).outputs[0]
        camera = self.add(
            "ShaderNodeVectorTransform", {0: (0.0, 0.0, 0.0)}, vector_type="POINT", convert_from="CAMERA", convert_to="OBJECT"
        ).outputs[0]
        seen = self.add("ShaderNodeVectorMath", {0: point, 1: camera}, operation="SUBTRACT").outputs[0]
        area = self.calculate("DIVIDE", dot(normal, seen), self.calculate("MAXIMUM", dot(normal, point), 1e-9))
        before = self.add("ShaderNodeSeparateXYZ", {0: point}).outputs[1]
        after = self.calculate("MAXIMUM", self.add("ShaderNodeCameraData").outputs["View Z Depth"], 1e-6)
        return self.calculate("MULTIPLY", area, self.calculate("DIVIDE", before, after))


__all__ = ["Coverage", "Failed", "Nodes", "Offset", "Source", "camera_path", "coverage", "render_views", "show_instead"]
