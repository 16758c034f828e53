"""A layered photo becomes Blender data: one collection with a root empty, the layers and the camera."""

from __future__ import annotations

import math
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import moves
from ..errors import StorageError
from ..spec import SceneSpec
from ..vision.cv import cv
from ..vision.geometry import frame_photo, photo_grid, ray_map
from ..vision.layered import Layer, LayeredPhoto
from ..vision.photo import Photo, read_photo
from ..vision.texture import film_texture
from . import camera as cameras
from . import material as materials
from . import notes, relief

ID = "stillscape_id"
ROLE = "stillscape_role"


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


def stage(layered: LayeredPhoto) -> moves.Stage:
    """What a camera move must know of the scene."""
    return moves.Stage(layered.close, layered.focus, ray_map(layered.camera, layered.size).width)


def stage_of(root: bpy.types.Object) -> moves.Stage:
    """What a camera move must know of the scene, as `build` noted it on the root empty."""
    return moves.Stage(*(float(root[f"stillscape_{name}"]) for name in moves.Stage._fields))


def build(layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, film_size: tuple[int, int] | None = None) -> Built:
    """Build the scene of `layered` in a new collection of `scene`, whose settings are not touched.

    film_size: (width, height) of the film; the photo's own size if None. Raises InputError if a file of the layered
    photo cannot be read, StorageError if there is no room for its texture.
    """
    film = film_size or layered.size
    identifier = uuid.uuid4().hex
    shot = moves.shot(spec.move, stage(layered))
    framing = frame_photo(layered.camera, layered.size, film, native=_is_native(layered.size, film))
    collection = bpy.data.collections.new(layered.name)
    scene.collection.children.link(collection)
    root = _root(layered, collection)
    notes.write_notes(root, layered, film, shot)
    for name, value in stage(layered)._asdict().items():
        root[f"stillscape_{name}"] = value
    camera = cameras.new_camera(f"{layered.name} Camera", root, collection)
    cameras.frame_camera(camera.data, framing, layered.near, layered.far)
    cameras.remember_rest(camera.data, ray_map(layered.camera, layered.size).width)
    cameras.animate(camera, shot)
    magnification = moves.magnification(shot.keyframes, stage(layered))
    # Film pixels that the whole photo would take at rest.
    whole = tuple(max(1, round(side * film[0] / framing.width)) for side in layered.size)
    context = _Context(layered, spec, root, camera, collection, scene, (whole[0], whole[1]), magnification)
    made = tuple(_layer(layer, context) for layer in layered.layers)
    for datablock in (collection, root, camera, *made):
        datablock[ID] = identifier
    return Built(identifier, collection, root, camera, made, shot, film)


def _is_native(photo: tuple[int, int], film: tuple[int, int]) -> bool:
    """Whether a film pixel is a photo pixel: the same size, or one less to be even."""
    return all(0 <= p - f <= 1 for p, f in zip(photo, film))


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
    film: tuple[int, int]
    magnification: float


def _layer(layer: Layer, c: _Context) -> bpy.types.Object:
    layered = c.layered
    name = f"{layered.name} {layer.name}"
    mesh = relief.sheet_mesh(name, photo_grid(layered.camera, layered.size, c.spec.relief.max_vertices, c.spec.relief.margin))
    sheet = bpy.data.objects.new(name, mesh)
    sheet[ROLE] = "layer"
    c.collection.objects.link(sheet)
    sheet.parent = c.root
    depth = depth_image(f"{name} Depth", layered.depth(layer))
    relief.add_relief(sheet, depth, layered.near, layered.far, c.spec.relief.strength)
    photo = read_photo(layered.path(layer.colour), max_megapixels=c.spec.photo.max_megapixels)
    texture = texture_image(f"{name} Film Texture", photo, c.film, c.magnification)
    rays = ray_map(layered.camera, layered.size)
    mesh.materials.append(materials.photo_material(name, texture, rays, c.camera, c.scene, transparent=photo.alpha is not None))
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


def texture_image(name: str, photo: Photo, size: tuple[int, int], magnification: float) -> bpy.types.Image:
    """A packed image of the film texture; `size` is what the whole photo takes in film pixels.

    8-bit photos stay 8-bit; 16-bit and float photos become float images. Raises StorageError if the temporary file
    finds no room.
    """
    pixels = photo.pixels
    if photo.alpha is not None:
        pixels = np.concatenate([pixels, photo.alpha[..., None]], -1)
    texels = film_texture(pixels, size, magnification=magnification)
    cv2 = cv()
    bgr = cv2.cvtColor(texels, cv2.COLOR_RGBA2BGRA if photo.alpha is not None else cv2.COLOR_RGB2BGR)
    linear = texels.dtype == np.float32
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        path = Path(folder) / ("texture.exr" if linear else "texture.png")
        # Blender would re-compress pixels that it is given; a file is packed as it is, at our speed.
        try:
            written = cv2.imwrite(str(path), bgr, [] if linear else [cv2.IMWRITE_PNG_COMPRESSION, 1])
        except (OSError, cv2.error):
            written = False
        if not written or not path.exists() or path.stat().st_size == 0:
            raise StorageError(f"{folder}: no room for the film texture; free some room or set another temporary folder (TMPDIR).")
        image = bpy.data.images.load(str(path))
        image.name = name
        image.colorspace_settings.name = "Linear Rec.709" if linear else "sRGB"
        image.alpha_mode = "STRAIGHT" if photo.alpha is not None else "NONE"
        image.pack()
    image.filepath_raw = f"//{path.name}"
    image[ROLE] = "texture"
    return image
