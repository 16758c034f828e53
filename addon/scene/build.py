"""A layered photo becomes Blender data: one collection with a root empty, the layers and the camera."""

from __future__ import annotations

import math
import tempfile
import uuid
import zlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import moves
from ..errors import StorageError
from ..spec import SceneSpec
from ..vision import focus
from ..vision.amounts import Found
from ..vision.geometry import Grid, frame_photo, lattice, layer_grid, photo_grid, ray_map
from ..vision.layered import Layer, LayeredPhoto, TextureKey
from ..vision.layering import as_planned, tear_threshold
from ..vision.mattes import backed, read_grey
from ..vision.photo import read_photo
from ..vision.planning import framed_for, stage, texture_key
from ..vision.planning import shot as shot_of
from ..vision.subject import people_of
from ..vision.texture import encode_texture, suits
from ..vision.warp import Drawing
from . import aim as aims
from . import camera as cameras
from . import light as lights
from . import material as materials
from . import notes, relief
from .normals import smooth_normals

ID = "stillscape_id"
ROLE = "stillscape_role"
MADE = "stillscape_made"
BOX = "stillscape_box"
ATTENTION = "stillscape_attention"
"""Custom property of the root empty: the image that tells faces (white) and subjects (grey) from the rest."""
RESERVE = "stillscape_reserve"
"""Custom property of the root empty: the reserve that the layers were made with, if it was worked out."""
NAME = "stillscape_name"
"""The name that we gave an object; as long as it has it, we may give it another."""
OWNER = "stillscape_owner"
"""Custom property of a layer that is one person's: their name."""
LEVEL = "stillscape_level"
"""Custom property of a layer: its number from the front, from 0."""
SKY_AWAY = 3.0
"""The sky's distance in those of black in the depth map: behind all else wherever the camera goes, and within its clip distance."""
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
    aim: bpy.types.Object
    lamp: bpy.types.Object | None = None
    warp: Drawing | None = None
    """What draws the frames, if no engine is needed; then there are no layers in the scene."""
    safe: Found | None = None
    """What was found, where the amount of the move was to be worked out."""


def stage_of(root: bpy.types.Object) -> moves.Stage:
    """What a camera move must know of the scene, as `build` noted it on the root empty; what older files lack takes its default."""
    noted = {name: root.get(f"stillscape_{name}", moves.Stage._field_defaults.get(name)) for name in moves.Stage._fields}
    return moves.Stage(**{name: float(value) for name, value in noted.items()})


def note_stage(root: bpy.types.Object, stage: moves.Stage) -> None:
    """Note what `stage_of` gives back."""
    for name, value in stage._asdict().items():
        root[f"stillscape_{name}"] = float(value)


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
    spec = as_planned(spec, layered.made)
    layered = focus.aimed(layered, spec.focus.at)
    collection = bpy.data.collections.new(layered.name)
    try:
        scene.collection.children.link(collection)
        built = _without_layers(layered, spec, collection, film)
        root, camera, shot = built.root, built.camera, built.shot
        yield "Loading the depth map"
        frames = layered.frames
        if frames is not None:
            depth = sequence_image(f"{layered.name} Depth", layered.path(frames.file(frames.depth, 1)), "film depth", data=True)
        else:
            depth = depth_image(f"{layered.name} Depth", layered.read_depth())
        yield "Loading the photo"
        name = f"{layered.name} Film Texture"
        if frames is not None:
            texture = sequence_image(name, layered.path(frames.file(frames.texture, 1)), "film texture", alpha=layered.transparent)
        else:
            texture = texture_image(name, layered, texture_key(layered, shot, film, spec.render.crop))
        normals = None
        if layered.normals is not None:
            normals = packed_image(f"{layered.name} Normals", layered.path(layered.normals), "normals", data=True)
        if layered.attention is not None:
            root[ATTENTION] = packed_image(f"{layered.name} Attention", layered.path(layered.attention), "attention", data=True)
        yield "Planning the mesh"
        grids = layer_grids(layered, spec)
        context = Context(layered, spec, root, camera, collection, scene, depth, texture, normals)
        made = []
        for layer, grid in zip(layered.layers, grids):
            made.append((yield from build_layer(layer, grid, context)))
            made[-1][LEVEL] = len(made) - 1
        if lights.is_relit(root):
            yield "Smoothing the surface for light"
            smooth_normals(tuple(made), root)
    except BaseException:
        remove(collection)
        raise
    return _identified(replace(built, layers=tuple(made)))


def build_camera(layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, film: tuple[int, int]) -> Built:
    """All of the photo's scene but its layers, in a new collection of `scene`, for frames that need no surfaces."""
    spec = as_planned(spec, layered.made)
    collection = bpy.data.collections.new(layered.name)
    try:
        scene.collection.children.link(collection)
        return _identified(_without_layers(focus.aimed(layered, spec.focus.at), spec, collection, film))
    except BaseException:
        remove(collection)
        raise


def _without_layers(layered: LayeredPhoto, spec: SceneSpec, collection: bpy.types.Collection, film: tuple[int, int]) -> Built:
    """The root empty with all that is noted on it, the animated camera, the aim and the lamp."""
    framed = framed_for(layered, spec)
    framing = frame_photo(layered.camera, layered.size, film, spec.render.crop, framed)
    aside = None if framed is None else framing
    shot = shot_of(layered, spec.move, aside)
    root = _root(layered, collection)
    notes.write_notes(root, layered, film, spec.render.crop, shot, framed)
    notes.note_grain(root, layered)
    notes.note_photo(root, layered)
    people = people_of(layered)
    if people:
        notes.note_people(root, people)
    if "reserve" in layered.made:
        root[RESERVE] = float(layered.made["reserve"])
    seen = stage(layered, aside)
    note_stage(root, seen)
    lights.set_numbers(root, spec.light, seen.focus)
    camera = cameras.new_camera(f"{layered.name} Camera", root, collection)
    cameras.frame_camera(camera.data, framing, layered.near, layered.far)
    cameras.remember_rest(camera.data, ray_map(layered.camera, layered.size).width)
    cameras.animate(camera, shot)
    aim = aims.new_aim(f"{layered.name} Aim", root, collection, seen)
    aims.set_lens(camera, aim, spec.focus.f_stop)
    lamp = lights.set_lamp(f"{layered.name} Light", spec.light, root, aim, collection)
    relief.set_numbers(
        root, near=layered.near, far=layered.far, strength=spec.relief.strength,
        tear=tear_threshold(spec, layered.grid) if len(layered.layers) > 1 else relief.NEVER,
    )  # fmt: skip
    return Built(uuid.uuid4().hex, collection, root, camera, (), shot, film, aim, lamp)


def _identified(built: Built) -> Built:
    for datablock in (built.collection, built.root, built.camera, built.aim, *built.layers, *([] if built.lamp is None else [built.lamp])):
        datablock[ID] = built.id
    return built


def remove(collection: bpy.types.Collection) -> None:
    """Take back what a build has made; nothing happens if the file that it was in has been closed."""
    try:
        inside = [child for child in collection.children if child.get(ROLE) == "shapes"]  # of a rig's bones
        objects = [o for held in (*inside, collection) for o in held.objects]
    except ReferenceError:
        return
    for o in objects:
        bpy.data.objects.remove(o)
    for child in (*inside, collection):
        bpy.data.collections.remove(child)


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


class Context(NamedTuple):
    """What every layer of one photo is built with."""

    layered: LayeredPhoto
    spec: SceneSpec
    root: bpy.types.Object
    camera: bpy.types.Object
    collection: bpy.types.Collection
    scene: bpy.types.Scene
    depth: bpy.types.Image
    texture: bpy.types.Image
    normals: bpy.types.Image | None = None


def build_layer(layer: Layer, grid: Grid, c: Context) -> Generator[str, None, bpy.types.Object]:
    layered = c.layered
    name = f"{layered.name} {layer.name}"
    yield "Building the mesh"
    box = photo_box(layer, layered.grid)
    offset, extent = np.float32(box[:2]), np.float32(box[2:])
    mesh = yield from relief.sheet_mesh_in_steps(name, grid, lambda uv: (uv - offset) / extent)
    yield "Loading the colors behind"
    own = hidden = None
    if layer.colour is not None and layer.matte is not None:
        colour = packed_image(f"{name} Fill", layered.path(layer.colour), "fill", alpha=True)
        yield "Loading the matte"
        matte = packed_image(f"{name} Matte", layered.path(layer.matte), "matte", data=True)
        own = materials.LayerImages(colour, matte, box, layer.sky)
    d = layered.read_hidden_depth(layer)
    if d is not None:
        yield "Loading the depth behind"
        hidden = depth_image(f"{name} Hidden Depth", d)
    yield "Making the material"
    rays = ray_map(layered.camera, layered.size)
    frames = None if layered.frames is None else layered.frames.count
    material = materials.photo_material(
        name, c.texture, own, rays, c.camera, c.scene, c.root, transparent=layered.transparent, frames=frames, normals=c.normals
    )
    mesh.materials.append(material)
    yield "Showing the scene"
    sheet = bpy.data.objects.new(name, mesh)
    sheet[ROLE] = "layer"
    sheet[BOX] = list(layer.box)
    sheet[NAME] = sheet.name
    if layer.person is not None:
        sheet[OWNER] = layer.person
    c.collection.objects.link(sheet)
    sheet.parent = c.root
    relief.add_relief(sheet, c.depth, hidden, c.root, frames=frames)
    if layer.sky:  # infinitely far: it moves along with the camera, so that only turning it shows another part
        follow = sheet.constraints.new("COPY_LOCATION")
        follow.target = c.camera
        sheet.scale = (SKY_AWAY,) * 3
        sheet.visible_shadow = False  # nothing stands behind it, but lamps may
    return sheet


def photo_box(layer: Layer, grid: tuple[int, int]) -> tuple[float, float, float, float]:
    """(left, bottom, width, height) of a layer's images in the photo's UV."""
    left, top, right, bottom = layer.box
    return left / grid[0], 1 - bottom / grid[1], (right - left) / grid[0], (bottom - top) / grid[1]


def layer_grids(layered: LayeredPhoto, spec: SceneSpec) -> list[Grid]:
    """The sheet of every layer, with no more vertices together than the settings allow."""
    relief_spec = spec.relief
    if layered.levels is None:
        return [photo_grid(layered.camera, layered.size, lattice(layered.size, relief_spec.max_vertices, relief_spec.margin))]
    levels = read_grey(layered.path(layered.levels))
    mattes = [read_grey(layered.path(layer.matte)) for layer in layered.layers if layer.matte]
    reach = relief_spec.margin * max(layered.grid)
    whole = (layered.grid[0] + 2 * reach) * (layered.grid[1] + 2 * reach)
    most = relief_spec.max_vertices * max(1.0, whole) / max(1, sum(np.count_nonzero(m) for m in mattes))
    behind_all = backed([layer.box for layer in layered.layers], mattes)
    d = layered.read_depth()
    hidden = [layered.read_hidden_depth(layer) for layer in layered.layers]
    while True:
        at = lattice(layered.size, most, relief_spec.margin)
        grids = [
            layer_grid(layered.camera, layered.size, at, layer.box, matte, behind, levels, level, own, d, layer.sky)
            for level, (layer, matte, behind, own) in enumerate(zip(layered.layers, mattes, behind_all, hidden))
        ]
        count = sum(len(grid.position) for grid in grids)
        if count <= relief_spec.max_vertices or most < 100:
            return grids
        most *= 0.97 * relief_spec.max_vertices / count


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
    image[MADE] = fingerprint(image)
    return image


def texture_image(name: str, layered: LayeredPhoto, key: TextureKey) -> bpy.types.Image:
    """A packed image of the film texture: the one that came with the layered photo, or a new one if `key` is another.

    8-bit photos stay 8-bit; 16-bit and float photos become float images. Raises StorageError if the temporary file
    finds no room.
    """
    if layered.texture is not None and suits(layered.texture.key, key):
        return packed_image(name, layered.path(layered.texture.file), "texture", alpha=layered.transparent)
    suffix, content = encode_texture(read_photo(layered.path(layered.photo), max_megapixels=MAX_MEGAPIXELS), key)
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        path = Path(folder) / f"texture{suffix}"
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(
                f"{folder}: no room for the film texture; free some room or set another temporary folder (TMPDIR)."
            ) from error
        return packed_image(name, path, "texture", alpha=layered.transparent)


def sequence_image(name: str, first: Path, role: str, *, alpha: bool = False, data: bool = False) -> bpy.types.Image:
    """An image sequence that begins with the file `first`, number 1. It cannot be packed: the files must stay where they are."""
    image = bpy.data.images.load(str(first))
    image.name = name
    image.source = "SEQUENCE"
    if bpy.data.filepath and Path(bpy.data.filepath).parent in first.parents:
        image.filepath_raw = bpy.path.relpath(str(first))
    _set_colours(image, first, alpha=alpha, data=data)
    image[ROLE] = role
    return image


def packed_image(name: str, path: Path, role: str, *, alpha: bool = False, data: bool = False) -> bpy.types.Image:
    """A file as a packed image. Blender would re-compress pixels that it is given; a file is packed as it is."""
    image = bpy.data.images.load(str(path))
    image.name = name
    _set_colours(image, path, alpha=alpha, data=data)
    image.pack()
    image.filepath_raw = f"//{path.name}"
    image[ROLE] = role
    image[MADE] = fingerprint(image)
    return image


def _set_colours(image: bpy.types.Image, path: Path, *, alpha: bool, data: bool) -> None:
    image.colorspace_settings.name = "Non-Color" if data else "Linear Rec.709" if path.suffix == ".exr" else "sRGB"
    image.alpha_mode = "STRAIGHT" if alpha else "NONE"


def fingerprint(image: bpy.types.Image) -> str:
    """A short text that changes when a packed image is painted and packed again, or replaced."""
    return "" if image.packed_file is None else f"{zlib.crc32(image.packed_file.data):08x}"


def is_repainted(image: bpy.types.Image) -> bool:
    """Whether an artist has painted or replaced an image of ours since it was made."""
    return image.is_dirty or image.get(MADE) != fingerprint(image)
