"""A layered photo becomes Blender data: one collection with a root empty, the layers and the camera."""

from __future__ import annotations

import math
import tempfile
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import moves
from ..errors import StorageError
from ..spec import SceneSpec
from ..vision.geometry import frame_photo, photo_grid, ray_map
from ..vision.layered import Layer, LayeredPhoto, TextureKey
from ..vision.photo import read_photo
from ..vision.planning import stage, texture_key
from ..vision.texture import encode_texture
from . import camera as cameras
from . import material as materials
from . import notes, relief

ID = "stillscape_id"
ROLE = "stillscape_role"
MAX_MEGAPIXELS = 2000  # the photo was admitted when its layers were made


@dataclass(frozen=True)
class Built:
    """What was made, for the caller to go on with at once; nothing here survives undo, look it up by id instead."""

    id: str
    collection: bpy.types.Collection
    root: bpy.types.Object
    camera: bpy.types.Object
    layers: tuple[bpy.types.Object, ...]
    shot: moves.Shot
    film_size: tuple[int, int]


def stage_of(root: bpy.types.Object) -> moves.Stage:
    """What a camera move must know of the scene, as `build` noted it on the root empty."""
    return moves.Stage(*(float(root[f"stillscape_{name}"]) for name in moves.Stage._fields))


def build(layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, film_size: tuple[int, int] | None = None) -> Built:
    """Build the scene of `layered` in a new collection of `scene`, whose settings are not touched.

    film_size: (width, height) of the film; the photo's own size if None. Raises InputError if a file of the layered
    photo cannot be read, StorageError if there is no room for its texture.
    """
    steps = build_in_steps(layered, spec, scene, film_size)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def build_in_steps(
    layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, film_size: tuple[int, int] | None = None
) -> Generator[str, None, Built]:
    """`build` in pieces of less than a second for most photos: yields what it will do next, returns what was made.

    Whoever runs it must keep the artist from editing or undoing between the pieces. Closed early, it removes what it made.
    """
    film = film_size or layered.size
    identifier = uuid.uuid4().hex
    shot = moves.shot(spec.move, stage(layered))
    framing = frame_photo(layered.camera, layered.size, film)
    collection = bpy.data.collections.new(layered.name)
    try:
        scene.collection.children.link(collection)
        root = _root(layered, collection)
        notes.write_notes(root, layered, film, shot)
        for name, value in stage(layered)._asdict().items():
            root[f"stillscape_{name}"] = value
        camera = cameras.new_camera(f"{layered.name} Camera", root, collection)
        cameras.frame_camera(camera.data, framing, layered.near, layered.far)
        cameras.remember_rest(camera.data, ray_map(layered.camera, layered.size).width)
        cameras.animate(camera, shot)
        context = _Context(layered, spec, root, camera, collection, scene, texture_key(layered, shot, film))
        made = []
        for layer in layered.layers:
            made.append((yield from _layer(layer, context)))
    except BaseException:
        remove(collection)
        raise
    for datablock in (collection, root, camera, *made):
        datablock[ID] = identifier
    return Built(identifier, collection, root, camera, tuple(made), shot, film)


def remove(collection: bpy.types.Collection) -> None:
    """Take back what a build has made; nothing happens if the file that it was in has been closed."""
    try:
        objects = list(collection.objects)
    except ReferenceError:
        return
    for o in objects:
        bpy.data.objects.remove(o)
    bpy.data.collections.remove(collection)


def _root(layered: LayeredPhoto, collection: bpy.types.Collection) -> bpy.types.Object:
    """The empty at the photo's camera: x right, y along the optical axis, above the floor and pitched by the horizon."""
    root = bpy.data.objects.new(layered.name, None)
    root.empty_display_type = "ARROWS"
    root.empty_display_size = layered.near * 0.25
    root.location = (0.0, 0.0, layered.camera.height)
    root.rotation_euler = (math.radians(layered.camera.pitch), 0.0, 0.0)
    root[ROLE] = "root"
    collection.objects.link(root)
    return root


class _Context(NamedTuple):
    """What every layer of one photo is built with."""

    layered: LayeredPhoto
    spec: SceneSpec
    root: bpy.types.Object
    camera: bpy.types.Object
    collection: bpy.types.Collection
    scene: bpy.types.Scene
    texture: TextureKey


def _layer(layer: Layer, c: _Context) -> Generator[str, None, bpy.types.Object]:
    layered = c.layered
    name = f"{layered.name} {layer.name}"
    yield "Building the mesh"
    grid = photo_grid(layered.camera, layered.size, c.spec.relief.max_vertices, c.spec.relief.margin)
    mesh = yield from relief.sheet_mesh_in_steps(name, grid)
    yield "Loading the depth map"
    depth = depth_image(f"{name} Depth", layered.depth(layer))
    yield "Loading the photo"
    texture = texture_image(f"{name} Film Texture", layered, layer, c.texture)
    rays = ray_map(layered.camera, layered.size)
    mesh.materials.append(materials.photo_material(name, texture, rays, c.camera, c.scene, transparent=layered.transparent))
    yield "Showing the scene"
    sheet = bpy.data.objects.new(name, mesh)
    sheet[ROLE] = "layer"
    c.collection.objects.link(sheet)
    sheet.parent = c.root
    relief.add_relief(sheet, depth, layered.near, layered.far, c.spec.relief.strength)
    return sheet


def depth_image(name: str, d: NDArray[np.float32]) -> bpy.types.Image:
    """A packed float image of d (H×W in [0, 1], top row first), white near, to be painted."""
    h, w = d.shape
    image = bpy.data.images.new(name, w, h, alpha=False, float_buffer=True, is_data=True)
    rgba = np.ones((h, w, 4), np.float32)
    rgba[..., :3] = d[::-1, :, None]
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    image.pack()
    image[ROLE] = "depth"
    return image


def texture_image(name: str, layered: LayeredPhoto, layer: Layer, key: TextureKey) -> bpy.types.Image:
    """A packed image of the film texture: the one that came with the layered photo, or a new one if `key` is another.

    8-bit photos stay 8-bit; 16-bit and float photos become float images. Raises StorageError if the temporary file
    finds no room.
    """
    if layered.texture is not None and layered.texture.key == key:
        return _packed(name, layered.path(layered.texture.file), transparent=layered.transparent)
    suffix, content = encode_texture(read_photo(layered.path(layer.colour), max_megapixels=MAX_MEGAPIXELS), key)
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        path = Path(folder) / f"texture{suffix}"
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(
                f"{folder}: no room for the film texture; free some room or set another temporary folder (TMPDIR)."
            ) from error
        return _packed(name, path, transparent=layered.transparent)


def _packed(name: str, path: Path, *, transparent: bool) -> bpy.types.Image:
    """A file as a packed image. Blender would re-compress pixels that it is given; a file is packed as it is."""
    image = bpy.data.images.load(str(path))
    image.name = name
    image.colorspace_settings.name = "Linear Rec.709" if path.suffix == ".exr" else "sRGB"
    image.alpha_mode = "STRAIGHT" if transparent else "NONE"
    image.pack()
    image.filepath_raw = f"//{path.name}"
    image[ROLE] = "texture"
    return image
