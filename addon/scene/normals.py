"""Smooth normals for the lit surface, on the layers' meshes.

Cycles shows light only where the mesh's own normals face the lamp, too, and those of a relief from estimated depth are as
rough as the depth. So the vertices are given those of the smoothed depth.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.geometry import RayMap, ray_map
from ..vision.normals import normals_from_depth
from . import compat
from .notes import read_notes
from .relief import LOOKUP, numbers, relief_modifier

Floats = NDArray[np.float32]
_ATTRIBUTE = "custom_normal"  # Blender's own name, for normals in the object's axes since 4.5


def smooth_normals(layers: tuple[bpy.types.Object, ...], root: bpy.types.Object) -> bool:
    """Give the layers of the photo the normals of its depth as it is now, without its noise; False if this Blender cannot.

    They are not live: after the depth was painted they are those of before until this is called again. Of a film, whose
    depth changes from frame to frame, nothing is done.
    """
    notes = read_notes(root)
    if notes is None or notes.clip or not compat.has_free_normals():
        return False
    rays = ray_map(notes.camera, notes.size)
    seen: dict[str, Floats] = {}
    for layer in layers:
        modifier = relief_modifier(layer)
        image = None if modifier is None else compat.get_modifier_input(modifier, "Depth")
        if modifier is None or image is None:
            continue
        if image.name not in seen:
            seen[image.name] = _normals(image, root, rays)
        hidden = compat.get_modifier_input(modifier, "Hidden Depth")
        box = layer.get("stillscape_box")
        behind = None
        if hidden is not None and box is not None:
            behind = _normals(hidden, root, _rays_of_box(rays, tuple(box), tuple(image.size)))
        _set(layer.data, seen[image.name], behind)
    return True


def _rays_of_box(rays: RayMap, box: tuple[int, ...], grid: tuple[int, ...]) -> RayMap:
    """The ray map of a part of the photo. box: (left, top, right, bottom) in pixels of its grid (width, height)."""
    left, bottom = box[0] / grid[0], 1 - box[3] / grid[1]
    width, height = (box[2] - box[0]) / grid[0], (box[3] - box[1]) / grid[1]
    return RayMap(rays.width * width, rays.height * height, (rays.u0 - left) / width, (rays.v0 - bottom) / height)


def _normals(image: bpy.types.Image, root: bpy.types.Object, rays: RayMap) -> Floats:
    """Normals of a depth image in the layers' axes (x right, y away, z up), float32 h×w×3, bottom row first."""
    near, far, strength = numbers(root)
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    d = pixels.reshape(image.size[1], image.size[0], -1)[::-1, :, 0]
    d = np.clip(np.nan_to_num(d), 0, 1) * np.float32(strength)
    found = normals_from_depth(np.ascontiguousarray(d, np.float32), near, max(far, near * 1.0001), rays)
    return np.ascontiguousarray((found[..., (0, 2, 1)] * np.array((1, 1, -1), np.float32))[::-1])


def _set(mesh: bpy.types.Mesh, seen: Floats, behind: Floats | None) -> None:
    """Write the normals where each vertex finds its depth (geometry.Grid.lookup)."""
    lookup = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.attributes[LOOKUP].data.foreach_get("vector", lookup)
    u, v, kind = lookup.reshape(-1, 3).T
    found = _sampled(seen, u, v)
    if behind is not None:
        own = kind > 0.5
        found[own] = _sampled(behind, u[own], v[own])
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    old = mesh.attributes.get(_ATTRIBUTE)
    if old is not None:
        mesh.attributes.remove(old)
    mesh.attributes.new(_ATTRIBUTE, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", np.ascontiguousarray(found.ravel()))
    mesh.update()


def _sampled(picture: Floats, u: Floats, v: Floats) -> Floats:
    """Bilinear values at UV (float32 N), float32 N×3."""
    h, w = picture.shape[:2]
    x, y = np.clip(u * w - 0.5, 0, w - 1), np.clip(v * h - 0.5, 0, h - 1)
    left, low = np.minimum(x.astype(np.intp), max(w - 2, 0)), np.minimum(y.astype(np.intp), max(h - 2, 0))
    right, high = np.minimum(left + 1, w - 1), np.minimum(low + 1, h - 1)
    a, b = (x - left)[:, None].astype(np.float32), (y - low)[:, None].astype(np.float32)
    lower = picture[low, left] * (1 - a) + picture[low, right] * a
    return lower * (1 - b) + (picture[high, left] * (1 - a) + picture[high, right] * a) * b
