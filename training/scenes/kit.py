"""What a family of training scenes builds with: surfaces, parts, lamps, skies, shots; and the render of one view with its truth.

Metres, z up, as in Blender. A family is a file of this folder with `build(kit) -> list[Shot]`; it may put anything into the scene. Only what
is in front of the cameras needs to be there, but light should come from where it would in the real place.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import OpenEXR
from mathutils import Euler, Matrix, Vector
from numpy.typing import NDArray

from addon.vision.texture import srgb_to_linear
from benchmarks.modelling import Mesh, fill_mesh

from .textures import KINDS, Colour, Rng

Floats = NDArray[np.float32]
Part = tuple[Mesh, bpy.types.Material]

_KEPT = 60  # pictures of a sort kept to be used again
_NEW = 0.35  # how often one is drawn anew once some are there
_SKY_FROM = 1e5  # metres: what is farther is no surface


@dataclass(frozen=True)
class Shot:
    """A camera. at: metres. aim: what it looks at, metres. fov: degrees across. roll: degrees that the camera is turned clockwise, so that
    the horizon rises to the right in the picture."""

    at: Sequence[float]
    aim: Sequence[float]
    fov: float
    roll: float = 0.0

    @classmethod
    def looking(cls, at: Sequence[float], yaw: float, pitch: float, fov: float, roll: float = 0.0) -> Shot:
        """yaw: degrees to the left of +y. pitch: degrees down."""
        y, p = math.radians(yaw), math.radians(pitch)
        forward = np.array([-math.sin(y) * math.cos(p), math.cos(y) * math.cos(p), -math.sin(p)])
        return cls(at, np.asarray(at) + forward, fov, roll)

    @property
    def pitch(self) -> float:
        """Degrees that the camera looks down."""
        d = np.asarray(self.aim, float) - np.asarray(self.at, float)
        return -math.degrees(math.atan2(d[2], math.hypot(d[0], d[1])))

    def matrix(self) -> Matrix:
        """Camera to world, as Blender's cameras look (along -z, y up)."""
        d = Vector(self.aim) - Vector(self.at)
        level = math.atan2(-d.x, d.y)
        turn = Euler((math.pi / 2 - math.radians(self.pitch), 0, level)).to_matrix() @ Matrix.Rotation(-math.radians(self.roll), 3, "Z")
        return Matrix.Translation(self.at) @ turn.to_4x4()


@dataclass
class View:
    """A rendered shot. colour: float32 H×W×3 linear; disparity: float32 H×W in 1/metres, 0 in the sky; normal: float32 H×W×3 in OpenCV's
    camera axes, towards the camera, 0 in the sky."""

    shot: Shot
    colour: Floats
    disparity: Floats
    normal: Floats


@dataclass
class Kit:
    """One scene in the making. size: (height, width) of its views in pixels; human: the folder of the base mesh, if there is one."""

    rng: Rng
    size: tuple[int, int]
    human: Path | None = None
    _surfaces: dict[Any, bpy.types.Material] = field(default_factory=dict)

    def resize(self, height: int, width: int) -> None:
        """Other sizes of the scene's views than were drawn by lot, for cameras of one kind; in pixels."""
        self.size = (height, width)
        render = bpy.context.scene.render
        render.resolution_y, render.resolution_x = height, width

    # Surfaces

    def surface(
        self,
        kind: str,
        colour: Colour | None = None,
        *,
        metres: float | None = None,
        turned: bool = False,
        rough: float | None = None,
        metallic: float | None = None,
        glow: float = 0.0,
        bump: bool | None = None,
        uv: bool = False,
        subsurface: float = 0.0,
    ) -> bpy.types.Material:
        """A new surface of one of `textures.KINDS`, its picture wrapped around the object's own axes (a box projection).

        colour: sRGB, else one that suits. metres: how much one picture covers. turned: the grain runs upright. glow: light that it gives off
        (a screen, a lampshade). uv: by the mesh's UV map instead (`uv` of `add`). bump: relief from the picture; else now and then.
        """
        about = KINDS[kind]
        rng = self.rng
        made = bpy.data.materials.new(kind)
        made.use_nodes = True
        tree = made.node_tree
        shader = tree.nodes["Principled BSDF"]
        look = tree.nodes.new("ShaderNodeTexImage")
        look.image = _image(kind, colour, rng)
        if uv:
            tree.links.new(tree.nodes.new("ShaderNodeUVMap").outputs[0], look.inputs[0])
        else:
            look.projection, look.projection_blend = "BOX", 0.1
            where, placed = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
            scale = 1 / (metres or rng.uniform(*about.metres))
            placed.inputs["Scale"].default_value = (scale,) * 3
            placed.inputs["Location"].default_value = tuple(rng.uniform(0, 1, 3))
            if turned:
                placed.inputs["Rotation"].default_value = (math.pi / 2, math.pi / 2, 0)
            tree.links.new(where.outputs["Object"], placed.inputs[0])
            tree.links.new(placed.outputs[0], look.inputs[0])
        tree.links.new(look.outputs[0], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = rng.uniform(*about.rough) if rough is None else rough
        shader.inputs["Metallic"].default_value = about.metallic * (rng.random() < 0.7) if metallic is None else metallic
        shader.inputs["Specular IOR Level"].default_value = rng.uniform(0.2, 0.6)
        if subsurface:
            shader.inputs["Subsurface Weight"].default_value = subsurface
        if glow:
            tree.links.new(look.outputs[0], shader.inputs["Emission Color"])
            shader.inputs["Emission Strength"].default_value = glow
            made.cycles.emission_sampling = "NONE" if glow < 3 else "AUTO"
        if rng.random() < 0.2 if bump is None else bump:
            relief = tree.nodes.new("ShaderNodeBump")
            relief.inputs["Distance"].default_value = rng.uniform(0.002, 0.01)
            tree.links.new(look.outputs[0], relief.inputs["Height"])
            tree.links.new(relief.outputs[0], shader.inputs["Normal"])
        return made

    def glass(self, tint: Colour = (0.9, 0.95, 0.95)) -> bpy.types.Material:
        """Clear glass that casts little shadow: a mirror of its surroundings over what is behind. Its depth is its own."""
        made = bpy.data.materials.new("glass")
        made.use_nodes = True
        tree = made.node_tree
        tree.nodes.clear()
        mixed, clear, shiny = (tree.nodes.new(n) for n in ("ShaderNodeMixShader", "ShaderNodeBsdfTransparent", "ShaderNodeBsdfGlossy"))
        clear.inputs[0].default_value = (*tint, 1)
        shiny.inputs["Roughness"].default_value = 0.05
        fresnel = tree.nodes.new("ShaderNodeLayerWeight")
        fresnel.inputs["Blend"].default_value = 0.3
        tree.links.new(fresnel.outputs["Fresnel"], mixed.inputs[0])
        tree.links.new(clear.outputs[0], mixed.inputs[1])
        tree.links.new(shiny.outputs[0], mixed.inputs[2])
        tree.links.new(mixed.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs[0])
        return made

    def painted(self, colour: Colour, *, rough: float = 0.6, metallic: float = 0.0, glow: float = 0.0) -> bpy.types.Material:
        """One even colour (sRGB), the cheapest surface; the same one is used again."""
        key = (*colour, rough, metallic, glow)
        if key not in self._surfaces:
            made = bpy.data.materials.new("painted")
            made.use_nodes = True
            shader = made.node_tree.nodes["Principled BSDF"]
            shader.inputs["Base Color"].default_value = (*linear(colour), 1)
            shader.inputs["Roughness"].default_value, shader.inputs["Metallic"].default_value = rough, metallic
            if glow:
                shader.inputs["Emission Color"].default_value = (*linear(colour), 1)
                shader.inputs["Emission Strength"].default_value = glow
                made.cycles.emission_sampling = "NONE" if glow < 3 else "AUTO"
            self._surfaces[key] = made
        return self._surfaces[key]

    # Things

    def add(
        self,
        parts: Sequence[Part],
        at: Sequence[float] = (0, 0, 0),
        turn: float = 0.0,
        *,
        scale: float | Sequence[float] = 1.0,
        tilt: Sequence[float] = (0.0, 0.0),
        smooth: bool = False,
        uv: Sequence[NDArray[np.floating[Any]]] | None = None,
    ) -> bpy.types.Object:
        """One object of several meshes, each with its surface, made in its own axes and then placed.

        turn: degrees about the vertical; tilt: degrees about its x and y axes before that. uv: for every part, 2 shares for every vertex.
        """
        data = bpy.data.meshes.new("thing")
        vertices = np.concatenate([m[0] for m, _ in parts])
        starts = np.cumsum([0] + [len(m[0]) for m, _ in parts])
        faces = np.concatenate([m[1] + s for (m, _), s in zip(parts, starts)])
        which = np.repeat(np.arange(len(parts)), [len(m[1]) for m, _ in parts])
        fill_mesh(data, (vertices, faces), smooth)
        for _, surface in parts:
            data.materials.append(surface)
        data.polygons.foreach_set("material_index", which.astype(np.int32))
        if uv is not None:
            layer = data.uv_layers.new(name="UVMap")
            corner = np.empty(len(data.loops), np.int32)
            data.loops.foreach_get("vertex_index", corner)
            layer.data.foreach_set("uv", np.concatenate(uv)[corner].astype(np.float32).ravel())
        made = bpy.data.objects.new("thing", data)
        place(made, at, turn, scale, tilt)
        bpy.context.scene.collection.objects.link(made)
        return made

    def again(self, thing: bpy.types.Object, at: Sequence[float], turn: float = 0.0, *, scale: float | Sequence[float] = 1.0,
              tilt: Sequence[float] = (0.0, 0.0)) -> bpy.types.Object:  # fmt: skip
        """Another of the same thing, elsewhere; costs hardly any memory or time."""
        made = bpy.data.objects.new("thing", thing.data)
        place(made, at, turn, scale, tilt)
        bpy.context.scene.collection.objects.link(made)
        return made

    # Light

    def lamp(self, at: Sequence[float], watts: float, *, aim: Sequence[float] | None = None, size: float = 0.5, height: float | None = None,
             colour: Colour = (1, 1, 1)) -> None:  # fmt: skip
        """A soft lamp: a ball of `size` metres across, or, with an aim, a panel size × height that shines that way. Unseen by the camera."""
        data: Any = bpy.data.lights.new("lamp", "POINT" if aim is None else "AREA")
        data.energy, data.color = watts, linear(colour)
        if aim is None:
            data.shadow_soft_size = size / 2
        else:
            data.shape, data.size, data.size_y = "RECTANGLE", size, height or size
        made = bpy.data.objects.new("lamp", data)
        made.location = at
        if aim is not None:
            made.rotation_euler = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(made)

    def sun(self, height: float, azimuth: float, strength: float = 4.0, *, soft: float = 0.6, colour: Colour = (1, 0.96, 0.9)) -> None:
        """height: degrees above the horizon; azimuth: degrees to the left of +y, where it stands; soft: degrees across (30 = overcast)."""
        data: Any = bpy.data.lights.new("sun", "SUN")
        data.energy, data.color, data.angle = strength, linear(colour), math.radians(soft)
        made = bpy.data.objects.new("sun", data)
        h, a = math.radians(height), math.radians(azimuth)
        towards = Vector((-math.sin(a) * math.cos(h), math.cos(a) * math.cos(h), math.sin(h)))
        made.rotation_euler = (-towards).to_track_quat("-Z", "Y").to_euler()
        bpy.context.scene.collection.objects.link(made)

    def even_light(self, colour: Colour, strength: float) -> None:
        """The same light from everywhere: indoors, what many bounces would give."""
        world, tree = _world()
        shader = tree.nodes.new("ShaderNodeBackground")
        shader.inputs[0].default_value, shader.inputs[1].default_value = (*linear(colour), 1), strength
        tree.links.new(shader.outputs[0], tree.nodes.new("ShaderNodeOutputWorld").inputs[0])
        world.cycles.sampling_method = "NONE"

    def sky(self, picture: Floats, strength: float = 1.0) -> None:
        """A sky all around from a picture: float32 H×2H×3, linear, the zenith in the first row, +y in the middle column."""
        h, w = picture.shape[:2]
        image = bpy.data.images.new("sky", w, h, float_buffer=True)
        image.colorspace_settings.name = "Linear Rec.709"
        image.pixels.foreach_set(np.dstack([picture[::-1], np.ones((h, w), np.float32)]).astype(np.float32).ravel())
        image.update()
        world, tree = _world()
        shader, look = tree.nodes.new("ShaderNodeBackground"), tree.nodes.new("ShaderNodeTexEnvironment")
        look.image = image
        placed = tree.nodes.new("ShaderNodeMapping")  # Blender's middle column is -x... turned to +y
        placed.inputs["Rotation"].default_value = (0, 0, -math.pi / 2)
        tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"], placed.inputs[0])
        tree.links.new(placed.outputs[0], look.inputs[0])
        shader.inputs[1].default_value = strength
        tree.links.new(look.outputs[0], shader.inputs[0])
        tree.links.new(shader.outputs[0], tree.nodes.new("ShaderNodeOutputWorld").inputs[0])
        world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256


def linear(colour: Sequence[float]) -> tuple[float, float, float]:
    """sRGB to linear."""
    r, g, b = srgb_to_linear(np.clip(np.asarray(colour, float)[:3], 0, 1))
    return float(r), float(g), float(b)


def place(thing: bpy.types.Object, at: Sequence[float], turn: float, scale: float | Sequence[float], tilt: Sequence[float]) -> None:
    thing.location = at
    thing.rotation_euler = (math.radians(tilt[0]), math.radians(tilt[1]), math.radians(turn))
    thing.scale = (scale,) * 3 if isinstance(scale, (int, float)) else scale


def rounded(size: Sequence[float], edge: float, centre: Sequence[float] = (0, 0, 0)) -> Mesh:
    """A box with its edges cut off by `edge` metres, which is what makes it catch the light."""
    h = np.asarray(size, float) / 2
    e = np.minimum(edge, h * 0.98)
    corners, index = [], {}
    for sx in (-1, 1):
        for sy in (-1, 1):
            for sz in (-1, 1):
                s = np.array([sx, sy, sz])
                for axis in range(3):  # the corner of the face that looks along `axis`
                    p = s * (h - e)
                    p[axis] = s[axis] * h[axis]
                    index[sx, sy, sz, axis] = len(corners)
                    corners.append(p)
    faces = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for s in (-1, 1):
            ring = []
            for sa, sb in ((-1, -1), (1, -1), (1, 1), (-1, 1))[::s]:
                key = [0, 0, 0]
                key[axis], key[a], key[b] = s, sa, sb
                ring.append(index[(*key, axis)])
            faces.append(ring)
        for sa in (-1, 1):
            for sb in (-1, 1):  # the cut edge along `axis`, between the faces of a and b
                low, high = [0, 0, 0], [0, 0, 0]
                low[axis], low[a], low[b] = -1, sa, sb
                high[axis], high[a], high[b] = 1, sa, sb
                ring = [index[(*low, a)], index[(*high, a)], index[(*high, b)], index[(*low, b)]]
                faces.append(ring[:: sa * sb])
    for sx in (-1, 1):
        for sy in (-1, 1):
            for sz in (-1, 1):
                ring = [index[sx, sy, sz, k] for k in (0, 1, 2)][:: sx * sy * sz]
                faces.append([*ring, ring[-1]])
    return np.array(corners) + np.asarray(centre), np.array(faces)


# Pictures


_pool: dict[str, list[NDArray[np.uint8]]] = {}


def _image(kind: str, colour: Colour | None, rng: Rng) -> bpy.types.Image:
    """A picture of that sort as Blender's image: a new one, or one of those drawn for earlier scenes."""
    kept = _pool.setdefault(kind, [])
    own = np.random.default_rng(int(rng.integers(2**62)))  # so that what was drawn before changes nothing but the pictures
    if colour is None and len(kept) > 4 and own.random() > _NEW:
        pixels = kept[int(own.integers(len(kept)))]
    else:
        pixels = KINDS[kind].draw(own, colour)
        if colour is None:
            kept.append(pixels)
            del kept[:-_KEPT]
    h, w = pixels.shape[:2]
    image = bpy.data.images.new(kind, w, h)
    whole = np.empty((h, w, 4), np.float32)
    whole[..., :3], whole[..., 3] = pixels[::-1] * np.float32(1 / 255), 1
    image.pixels.foreach_set(whole.ravel())
    image.update()
    return image


def _world() -> tuple[bpy.types.World, bpy.types.NodeTree]:
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes.clear()
    bpy.context.scene.world = world
    return world, world.node_tree


# Rendering


def begin(size: tuple[int, int], threads: int, samples: int) -> None:
    """An empty scene with the settings that all views are rendered with."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine, render.use_persistent_data = "CYCLES", True
    render.resolution_y, render.resolution_x = size
    render.resolution_percentage = 100
    render.threads_mode, render.threads = "FIXED", threads
    cycles.samples, cycles.use_adaptive_sampling = samples, False
    cycles.use_denoising, cycles.denoising_prefilter, cycles.denoising_quality = True, "FAST", "FAST"
    cycles.use_light_tree = False
    cycles.max_bounces = cycles.diffuse_bounces = 2
    cycles.glossy_bounces, cycles.transmission_bounces, cycles.transparent_max_bounces = 1, 2, 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.sample_clamp_direct = 4.0, 40.0
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = True
    settings = render.image_settings
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "NONE"
    data = bpy.data.cameras.new("camera")
    data.clip_start, data.clip_end, data.sensor_width = 0.02, 1e6, 36.0
    data.sensor_fit = "HORIZONTAL"
    camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera


def render(shot: Shot, scratch: Path) -> View:
    """Path trace one shot of the current scene. scratch: a file to go through, best in memory."""
    scene = bpy.context.scene
    camera: Any = scene.camera
    camera.data.lens = 18.0 / math.tan(math.radians(shot.fov) / 2)
    matrix = shot.matrix()
    camera.matrix_world = matrix
    scene.cycles.seed = (scene.cycles.seed * 1103515245 + 12345) % 2**31
    scene.render.filepath, scene.render.use_file_extension = str(scratch), False
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(scratch), separate_channels=True) as file:
        channels = {name.split(".", 1)[1]: np.asarray(c.pixels, np.float32) for name, c in file.channels().items()}
    os.unlink(scratch)
    colour = np.dstack([channels[f"Combined.{c}"] for c in "RGB"])
    z = channels["Depth.Z"]
    sky = ~(z < _SKY_FROM)
    disparity = np.where(sky, 0, 1 / np.maximum(z, 1e-3)).astype(np.float32)
    world = np.dstack([channels[f"Normal.{c}"] for c in "XYZ"])
    to_camera = np.array(matrix.to_3x3()).T.astype(np.float32)
    normal = (world @ to_camera.T) * np.array([1, -1, -1], np.float32)
    height, width = z.shape
    across = 2 * math.tan(math.radians(shot.fov) / 2) / width
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    along_ray = normal[..., 0] * (x - width / 2) * across + normal[..., 1] * (y - height / 2) * across + normal[..., 2]
    normal = np.where(along_ray[..., None] > 0, -normal, normal)  # towards the camera, whichever way the face looks
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
    normal[sky] = 0
    return View(shot, np.nan_to_num(np.maximum(colour, 0)), disparity, normal)
