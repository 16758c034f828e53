"""Layers cut anew after the artist has changed the depth: in place, and without losing what was repainted."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..vision.cv import cv
from ..vision.layered import Layer, LayeredPhoto
from ..vision.texture import linear_to_srgb
from . import compat, relief
from .build import BOX, LEVEL, MADE, NAME, OWNER, Context, build_layer, depth_image, is_repainted, layer_grids, packed_image, photo_box


class Rebuilt(NamedTuple):
    """The layers from front to back, and the names of the images that were kept because an artist had repainted them."""

    layers: tuple[bpy.types.Object, ...]
    kept: tuple[str, ...]


def seen_depth(image: bpy.types.Image) -> NDArray[np.float32]:
    """d as it is painted now: float32 H×W in [0, 1], top row first."""
    rgba = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(rgba)
    d = rgba.reshape(image.size[1], image.size[0], -1)[::-1, :, 0]
    return np.ascontiguousarray(np.clip(np.nan_to_num(d), 0, 1))


def photo_colour(texture: bpy.types.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The photo's pixels as uint8 sRGB at `size` (width, height), from the packed film texture. Raises InputError."""
    data = texture.packed_file.data if texture.packed_file is not None else b""
    pixels = cv().imdecode(np.frombuffer(data, np.uint8), cv().IMREAD_UNCHANGED) if data else None
    if pixels is None:
        raise InputError(f"{texture.name}: the photo's texture is no longer packed in this file; import the photo again.")
    pixels = cv().resize(pixels[..., :3], size, interpolation=cv().INTER_AREA)[..., ::-1]
    if pixels.dtype == np.float32:
        return np.rint(linear_to_srgb(pixels) * 255).astype(np.uint8)
    return np.ascontiguousarray(pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257.0).astype(np.uint8))


def rebuild_in_steps(layered: LayeredPhoto, context: Context, old: tuple[bpy.types.Object, ...]) -> Generator[str, None, Rebuilt]:
    """Give the layer objects `old` the meshes and images of `layered`; make those that are missing, remove those left over.

    Objects, materials, modifiers and what the artist did to them stay; so do images that were repainted. Yields what it
    will do next. A person's layer stays that person's object; nobody else's becomes it.
    """
    yield "Planning the mesh"
    grids = layer_grids(layered, context.spec)
    # A photo in one sheet has no images of its own to update, and neither has what is to become one.
    fit = [o for o in old if BOX in o and o.data.materials and "Fill" in o.data.materials[0].node_tree.nodes and layered.levels is not None]
    skies = [o for o in fit if o.constraints]
    others = [o for o in fit if not o.constraints]
    made: list[bpy.types.Object] = []
    kept: list[str] = []
    people = {layer.person for layer in layered.layers if layer.person is not None}
    for layer, grid in zip(layered.layers, grids):
        waiting = skies if layer.sky else others
        sheet = next((o for o in waiting if _may_become(o, layer, people)), None)
        if sheet is None:
            made.append((yield from build_layer(layer, grid, context)))
            continue
        waiting.remove(sheet)
        if OWNER in sheet and layer.person is None:
            del sheet[OWNER]
        yield f"Updating {sheet.name}"
        box = photo_box(layer, layered.grid)
        offset, extent = np.float32(box[:2]), np.float32(box[2:])
        mesh = yield from relief.sheet_mesh_in_steps(sheet.data.name, grid, lambda uv, o=offset, e=extent: (uv - o) / e)
        before = sheet.data
        for material in before.materials:
            mesh.materials.append(material)
        sheet.data = mesh
        bpy.data.meshes.remove(before)
        kept += _update_images(sheet, layer, layered, box)
        made.append(sheet)
    for sheet in (o for o in old if o not in made):
        mesh = sheet.data
        bpy.data.objects.remove(sheet)
        if mesh.users == 0:
            bpy.data.meshes.remove(mesh)
    for level, sheet in enumerate(made):
        sheet[LEVEL] = level
    _rename(made, [f"{layered.name} {layer.name}" for layer in layered.layers])
    return Rebuilt(tuple(made), tuple(kept))


def _may_become(sheet: bpy.types.Object, layer: Layer, people: set[str]) -> bool:
    """Whether the object of an old layer may be the object of a new one. people: whose layers there are now."""
    owner = sheet.get(OWNER)
    return owner == layer.person if layer.person is not None else owner not in people


def _rename(sheets: list[bpy.types.Object], names: list[str]) -> None:
    """Name the layers for what they are now, with their meshes, but for those that the artist has named."""
    ours = [(sheet, name) for sheet, name in zip(sheets, names) if sheet.name == sheet.get(NAME)]
    for sheet, _ in ours:  # or one would be in the other's way
        sheet.name = f"{sheet.name} before"
    for sheet, name in ours:
        sheet.name = sheet.data.name = name
        sheet[NAME] = sheet.name


def _update_images(sheet: bpy.types.Object, layer: Layer, layered: LayeredPhoto, box: tuple[float, float, float, float]) -> list[str]:
    """New pictures for a layer; where one was repainted, the artist's goes on top of the new one."""
    kept = []
    name = f"{layered.name} {layer.name}"
    modifier = relief.relief_modifier(sheet)
    tree = sheet.data.materials[0].node_tree if sheet.data.materials else None
    old_box = sheet.get(BOX)
    sheet[BOX] = list(layer.box)
    hidden = layered.read_hidden_depth(layer)
    assert modifier is not None and layer.colour is not None and layer.matte is not None
    new: dict[str, tuple[Any, Any]] = {}
    if tree is not None and "Fill" in tree.nodes and "Matte" in tree.nodes:
        new["Fill"] = (tree.nodes["Fill"].image, lambda: packed_image(f"{name} Fill", layered.path(layer.colour), "fill", alpha=True))  # type: ignore[arg-type]
        new["Matte"] = (tree.nodes["Matte"].image, lambda: packed_image(f"{name} Matte", layered.path(layer.matte), "matte", data=True))  # type: ignore[arg-type]
        place = tree.nodes["Place"]
        left, bottom, width, height = box
        place.inputs[1].default_value = (1 / width, 1 / height, 0.0)
        place.inputs[2].default_value = (-left / width, -bottom / height, 0.0)
    new["Hidden Depth"] = (
        compat.get_modifier_input(modifier, "Hidden Depth"),
        lambda: None if hidden is None else depth_image(f"{name} Hidden Depth", hidden),
    )
    for part, (image, make) in new.items():
        fresh = make()
        if image is not None and fresh is not None and is_repainted(image) and old_box is not None:
            _lay_over(fresh, image, tuple(old_box), layer.box)
            kept.append(image.name)
        if part == "Hidden Depth":
            compat.set_modifier_input(modifier, part, fresh)
        else:
            tree.nodes[part].image = fresh  # type: ignore[union-attr]
        if image is not None and image.users == 0:
            label = image.name
            bpy.data.images.remove(image)
            if fresh is not None:
                fresh.name = label
    sheet.update_tag()
    return kept


def _lay_over(fresh: bpy.types.Image, painted: bpy.types.Image, old: tuple[int, ...], new: tuple[int, int, int, int]) -> None:
    """Copy the artist's picture over the new one where their boxes (left, top, right, bottom) overlap."""
    ours, theirs = (np.empty(len(i.pixels), np.float32) for i in (fresh, painted))
    fresh.pixels.foreach_get(ours)
    painted.pixels.foreach_get(theirs)
    below, above = ours.reshape(fresh.size[1], fresh.size[0], -1)[::-1], theirs.reshape(painted.size[1], painted.size[0], -1)[::-1]
    if above.shape[:2] != (old[3] - old[1], old[2] - old[0]):  # swapped for one of another size
        above = cv().resize(np.ascontiguousarray(above), (old[2] - old[0], old[3] - old[1]), interpolation=cv().INTER_AREA)
    left, top, right, bottom = max(old[0], new[0]), max(old[1], new[1]), min(old[2], new[2]), min(old[3], new[3])
    if left < right and top < bottom:
        below[top - new[1] : bottom - new[1], left - new[0] : right - new[0]] = above[
            top - old[1] : bottom - old[1], left - old[0] : right - old[0]
        ]
    fresh.pixels.foreach_set(np.ascontiguousarray(ours))
    fresh.update()
    fresh.pack()
    fresh[MADE] = "repainted"  # and so the next time
