"""The half sphere before the viewer: Cycles' equirectangular camera, and what is around a photo that fills only a part of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..scene import compat, relief
from ..scene.build import SKY_AWAY
from ..scene.material import showing
from ..scene.notes import Notes
from ..vision.cv import cv
from ..vision.geometry import RayMap, ray_map

_FEATHER = {"black": 0.0, "blurred": 0.03, "mirrored": 0.01}
"""Over how much of its width the photo fades at its border."""
_CAMERA = {
    "type": "PANO",
    "panorama_type": "EQUIRECTANGULAR",
    "latitude_min": -math.pi / 2,
    "latitude_max": math.pi / 2,
    "longitude_min": -math.pi / 2,
    "longitude_max": math.pi / 2,
}
_STEP = 1.5  # degrees between the dome's vertices
_MOST = 60_000  # vertices of the dome
_BEHIND = 1.005
_SMALL = 192  # pixels along the longer side of the blurred photo
_BLUR = {"blurred": 0.1, "mirrored": 0.02}
"""How much the depth of the surroundings is smoothed, in shares of its longer side."""


@contextmanager
def panorama(
    scene: bpy.types.Scene,
    root: bpy.types.Object,
    notes: Notes,
    layers: list[bpy.types.Object],
    materials: list[bpy.types.Material],
    *,
    side: int,
    surround: str,
) -> Iterator[None]:
    """Let the camera of `scene` see the half sphere before it in a film of `side` × `side` pixels.

    surround: "black", "blurred" or "mirrored". Raises UsageError if the engine cannot do it.
    """
    if scene.render.engine != "CYCLES":
        raise UsageError("VR180 is rendered by Cycles only: set the engine to Cycles.")
    camera = scene.camera.data
    names = scene.name, camera.name, scene.world.name if scene.world is not None else ""
    render = scene.render
    before = {name: getattr(camera, name) for name in (*_CAMERA, "clip_end")}
    film = render.resolution_x, render.resolution_y, render.resolution_percentage
    seen = scene.world.cycles_visibility.camera if scene.world is not None else True
    with ExitStack() as stack:
        try:
            for name, value in _CAMERA.items():
                setattr(camera, name, value)
            camera.clip_end = before["clip_end"] * 20  # along the ray, which is far longer than the distance at the sides
            render.resolution_x = render.resolution_y = side
            render.resolution_percentage = 100
            if scene.world is not None:
                scene.world.cycles_visibility.camera = False
            stack.enter_context(showing(materials, panorama=True, feather=_FEATHER[surround]))
            if surround != "black":
                stack.enter_context(_surroundings(scene, root, notes, layers, surround))
            yield
        finally:
            _put_back(names, before, film, seen)


def _put_back(names: tuple[str, str, str], camera: dict[str, object], film: tuple[int, int, int], seen: bool) -> None:
    scene, data, world = bpy.data.scenes.get(names[0]), bpy.data.cameras.get(names[1]), bpy.data.worlds.get(names[2])
    if data is not None:
        for name, value in camera.items():
            setattr(data, name, value)
    if scene is not None:
        scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = film
    if world is not None:
        world.cycles_visibility.camera = seen


@contextmanager
def _surroundings(
    scene: bpy.types.Scene, root: bpy.types.Object, notes: Notes, layers: list[bpy.types.Object], surround: str
) -> Iterator[None]:
    """A sheet all around that goes on where the photo ends, as far away as the mirrored photo would be."""
    near, far, strength = relief.numbers(root)
    disparity = _depth(layers, _BLUR[surround])
    photo = next((slot.material.node_tree.nodes.get("Photo") for slot in layers[0].material_slots if slot.material), None)
    if photo is None or photo.image is None:
        yield
        return
    rays = ray_map(notes.camera, notes.size)
    surface = dome(rays, disparity, near, far, strength, inside=_FEATHER[surround], again=surround == "mirrored")
    mesh = bpy.data.meshes.new("Stillscape Surroundings")
    mesh.from_pydata(surface.position, [], surface.faces)
    corners = surface.faces.ravel()
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.ascontiguousarray(surface.uv[corners], np.float32).ravel())
    image = _blurred(photo.image) if surround == "blurred" else None
    material = _material(photo, image)
    mesh.materials.append(material)
    sheet = bpy.data.objects.new("Stillscape Surroundings", mesh)
    sheet.parent = root
    scene.collection.objects.link(sheet)
    names = sheet.name, mesh.name, material.name, image.name if image is not None else ""
    try:
        yield
    finally:
        kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images)
        for collection, name in zip(kinds, names):
            made = collection.get(name) if name else None
            if made is not None:
                collection.remove(made)


class Dome(NamedTuple):
    """position: float64 N×3 in the photo's axes (x right, y away, z up), metres. uv: float64 N×2 in the photo. faces: int32 M×4."""

    position: NDArray[np.float64]
    uv: NDArray[np.float64]
    faces: NDArray[np.int32]


def dome(
    rays: RayMap, disparity: NDArray[np.float32] | None, near: float, far: float, strength: float, *, inside: float, again: bool = True
) -> Dome:
    """A sheet around the viewer, but for where the photo is, which it goes on from its edges.

    disparity: d, float32 h×w in [0, 1], top row first; None: all as far as the middle. inside: how far it goes on behind the
    photo's border, in shares of its width. again: the photo is mirrored at its edges again and again, in angles; else only its
    half is, ever more stretched, so that no pattern appears.
    """
    fold = _mirrored if again else _stretched
    left, right = (math.atan((a - rays.u0) * rays.width) for a in (0.0, 1.0))
    low, high = ((a - rays.v0) * rays.height for a in (0.0, 1.0))
    step = math.radians(_STEP)
    while True:
        columns = _lines(left, right, -math.pi, math.pi, step)
        lon = left + (right - left) * fold(columns)
        bottom, top = np.arctan(low * np.cos(lon)), np.arctan(high * np.cos(lon))
        thin = int(np.argmin(top - bottom))
        rows = _lines(float(bottom[thin]), float(top[thin]), -math.pi / 2, math.pi / 2, step)
        if len(columns) * len(rows) <= _MOST:
            break
        step *= 1.1
    true_lon = np.clip(left + (right - left) * columns, -math.pi, math.pi)
    lat = bottom[None] + (top - bottom)[None] * fold(rows)[:, None]
    true_lat = np.clip(bottom[None] + (top - bottom)[None] * rows[:, None], -math.pi / 2, math.pi / 2)
    tx = np.broadcast_to(np.tan(lon), lat.shape)
    ty = np.tan(lat) / np.cos(lon)
    u, v = tx / rays.width + rays.u0, ty / rays.height + rays.v0
    d = np.full(u.shape, 0.5) if disparity is None else _sampled(disparity, u, v)
    # What is far is put behind the sky, which stands at SKY_AWAY times the farthest: nothing of the photo may be hidden.
    behind = 1 / (far * SKY_AWAY * 1.3)
    z = 1 / (strength * d * (1 / near - 1 / far) + 1 / far - (1 / far - behind) * (1 - d) ** 2)
    within = ((rows > 1e-6) & (rows < 1 - 1e-6))[:, None] & ((columns > 1e-6) & (columns < 1 - 1e-6))
    z = np.where(within, 1 / behind, z)
    radius = z * np.sqrt(1 + tx**2 + ty**2) * _BEHIND
    level = np.cos(true_lat)
    position = np.stack([radius * level * np.sin(true_lon), radius * level * np.cos(true_lon), radius * np.sin(true_lat)], -1)
    reach = inside + 1.0 / max(1, round((right - left) / step))
    hidden = (columns > reach) & (columns < 1 - reach)
    hidden_rows = (rows > reach) & (rows < 1 - reach)
    covered = hidden_rows[:, None] & hidden
    i = np.arange(u.size, dtype=np.int32).reshape(u.shape)
    faces = np.stack([i[:-1, :-1], i[:-1, 1:], i[1:, 1:], i[1:, :-1]], -1)
    kept = ~(covered[:-1, :-1] & covered[:-1, 1:] & covered[1:, 1:] & covered[1:, :-1])
    return Dome(position.reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2), faces[kept])


def _lines(start: float, end: float, least: float, most: float, step: float) -> NDArray[np.float64]:
    """Positions in shares of start..end that reach over least..most, about `step` apart, whole numbers among them."""
    count = max(2, round((end - start) / step))
    first, last = math.floor((least - start) / (end - start) * count), math.ceil((most - start) / (end - start) * count)
    return np.arange(first, last + 1) / count


def _mirrored(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.abs(1 - np.mod(shares, 2))


def _stretched(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """As mirrored at the edges, but farther out ever slower towards the middle."""
    past = np.maximum(np.maximum(-shares, shares - 1), 0)
    back = 0.5 * np.tanh(2 * past)
    return np.where(shares < 0, back, np.where(shares > 1, 1 - back, shares))


def _sampled(d: NDArray[np.float32], u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    h, w = d.shape
    x, y = (u * w - 0.5).astype(np.float32), ((1 - v) * h - 0.5).astype(np.float32)
    return cv().remap(d, x, y, cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE).astype(np.float64)


def _depth(layers: list[bpy.types.Object], blur: float) -> NDArray[np.float32] | None:
    """The photo's d as it is painted now, small and smooth; None for a film, whose depth is another in every frame."""
    modifier = relief.relief_modifier(layers[0])
    image = compat.get_modifier_input(modifier, "Depth") if modifier is not None else None
    if image is None or image.source == "SEQUENCE" or not image.has_data and not image.packed_file:
        return None
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    d = np.clip(pixels.reshape(image.size[1], image.size[0], -1)[::-1, :, 0], 0, 1)
    scale = min(1.0, 512 / max(d.shape))
    small = cv().resize(d, (max(1, round(d.shape[1] * scale)), max(1, round(d.shape[0] * scale))), interpolation=cv().INTER_AREA)
    # Rather too far than too near, or the sheet would stand before the photo at its border.
    reach = 2 * max(1, round(blur / 2 * max(small.shape))) + 1
    small = cv().erode(small, np.ones((reach, reach), np.uint8), borderType=cv().BORDER_REPLICATE)
    return cv().GaussianBlur(small, (0, 0), max(0.5, blur / 4 * max(small.shape)), borderType=cv().BORDER_REFLECT)


def _blurred(photo: bpy.types.Image) -> bpy.types.Image:
    """A small, blurred copy of the photo."""
    small = bpy.data.images.load(bpy.path.abspath(photo.filepath)) if photo.source == "SEQUENCE" else photo.copy()
    try:
        scale = min(1.0, _SMALL / max(small.size))
        width, height = (max(1, round(small.size[i] * scale)) for i in (0, 1))
        small.scale(width, height)
        pixels = np.empty(len(small.pixels), np.float32)
        small.pixels.foreach_get(pixels)
        wide = small.is_float
        space = small.colorspace_settings.name
    finally:
        bpy.data.images.remove(small)
    colours = pixels.reshape(height, width, -1)
    soft = cv().GaussianBlur(colours, (0, 0), 0.12 * max(width, height), borderType=cv().BORDER_REFLECT)
    image = bpy.data.images.new("Stillscape Surroundings", width, height, alpha=colours.shape[2] == 4, float_buffer=wide)
    image.colorspace_settings.name = space
    image.pixels.foreach_set(np.ascontiguousarray(soft, np.float32).ravel())
    image.update()
    return image


def _material(photo: bpy.types.Node, image: bpy.types.Image | None) -> bpy.types.Material:
    """Light of the picture's colours, to the camera alone. photo: the node that shows the photo; image: what to show instead."""
    material = bpy.data.materials.new("Stillscape Surroundings")
    tree = compat.node_tree(material)
    tree.nodes.clear()
    picture = tree.nodes.new("ShaderNodeTexImage")
    picture.image, picture.interpolation, picture.extension = image or photo.image, "Linear", "MIRROR"
    if image is None and photo.image.source == "SEQUENCE":
        for name in ("frame_start", "frame_offset", "frame_duration", "use_cyclic", "use_auto_refresh"):
            setattr(picture.image_user, name, getattr(photo.image_user, name))
    place = tree.nodes.new("ShaderNodeUVMap")
    emission, rays, output = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("Emission", "LightPath", "OutputMaterial"))
    for source, sink in (
        (place.outputs["UV"], picture.inputs["Vector"]),
        (picture.outputs["Color"], emission.inputs["Color"]),
        (rays.outputs["Is Camera Ray"], emission.inputs["Strength"]),
        (emission.outputs[0], output.inputs["Surface"]),
    ):
        tree.links.new(source, sink)
    material.cycles.emission_sampling = "NONE"
    return material
