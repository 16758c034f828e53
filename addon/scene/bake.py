"""Layers as plain meshes: dense at edges, coarse on planes, with no modifier that computes them.

A plane of the scene is a plane of pixel position and disparity as well. There the mesh is thinned out, by quadric errors
(Garland and Heckbert 1997, Blender's Decimate modifier), so that an error counts by the parallax that it makes in the film,
near and far alike, and not by its metres.
"""

from __future__ import annotations

from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.geometry import RayMap, ray_map
from .notes import Notes
from .relief import OWN_UV, PHOTO_UV, RAY, TORN, numbers

Floats = NDArray[np.float64]

PARALLAX = 0.08
"""Shares of the photo's width between the nearest and the farthest, for which an error is weighed."""


class _Space(NamedTuple):
    """Between layer axes and pixels with disparity. inverse: 1/metres at black and at white."""

    rays: RayMap
    size: tuple[int, int]
    inverse: tuple[float, float]

    @property
    def parallax(self) -> float:
        return PARALLAX * self.size[0]

    def flatten(self, ray: Floats) -> Floats:
        """(u·z, v·z, z) of N points as pixels right, up and of parallax: N×3."""
        u, v, w = ray[:, 0] / ray[:, 2], ray[:, 1] / ray[:, 2], (1 / ray[:, 2] - self.inverse[0]) / (self.inverse[1] - self.inverse[0])
        return np.stack([u * self.size[0], v * self.size[1], w * self.parallax], -1)

    def unfold(self, flat: Floats) -> tuple[Floats, Floats]:
        """The way back: positions in layer axes and (u·z, v·z, z), N×3 each."""
        u, v = flat[:, 0] / self.size[0], flat[:, 1] / self.size[1]
        z = 1 / np.maximum(flat[:, 2] / self.parallax * (self.inverse[1] - self.inverse[0]) + self.inverse[0], 0.1 * self.inverse[0])
        tx, ty = self.rays.uv_to_ray(u, v)
        return np.stack([tx * z, z, ty * z], -1), np.stack([u * z, v * z, z], -1)


def bake_layer(
    layer: bpy.types.Object, root: bpy.types.Object, notes: Notes, detail: float, context: bpy.types.Context
) -> bpy.types.Object:
    """A copy of a layer as it is now, a plain mesh with about the share `detail` of its triangles; linked nowhere yet.

    It has the layer's materials, UV maps and attributes, so that it looks the same from everywhere.
    """
    near, far, _ = numbers(root)
    space = _Space(ray_map(notes.camera, notes.size), notes.size, (1 / far, 1 / near))
    graph = context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(layer.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    own = _own_uv(mesh)
    flat = space.flatten(_vectors(mesh.attributes[RAY].data, "vector", len(mesh.vertices), 3))
    step = float(np.median(np.ptp(flat[_corners(mesh)[:4096]], 1)[:, 0])) if len(mesh.polygons) else 1.0
    mesh.vertices.foreach_set("co", flat.astype(np.float32).ravel())
    mesh.update()
    thin = _thinned(mesh, detail, context)
    bpy.data.meshes.remove(mesh)
    thin.name = f"{layer.name} Baked"

    flat = _vectors(thin.vertices, "co", len(thin.vertices), 3)
    normal = _vectors(thin.polygons, "normal", len(thin.polygons), 3)
    slope = np.hypot(normal[:, 0], normal[:, 1]) / np.maximum(np.abs(normal[:, 2]), 1e-9) / space.parallax
    position, ray = space.unfold(flat)
    thin.vertices.foreach_set("co", position.astype(np.float32).ravel())
    _attribute(thin, RAY, "FLOAT_VECTOR", "POINT").foreach_set("vector", ray.astype(np.float32).ravel())
    _attribute(thin, TORN, "FLOAT", "FACE").foreach_set("value", (slope * step > float(root["Tear"])).astype(np.float32))
    loops = np.empty(len(thin.loops), np.int32)
    thin.loops.foreach_get("vertex_index", loops)
    uv = ray[loops, :2] / ray[loops, 2:]
    for name, values in ((PHOTO_UV, uv), (OWN_UV, uv * own[0] + own[1])):
        thin.uv_layers[name].data.foreach_set("uv", np.ascontiguousarray(values, np.float32).ravel())
    thin.update()

    baked = bpy.data.objects.new(thin.name, thin)
    baked.parent = root
    baked.scale = layer.scale
    for constraint in layer.constraints:  # the sky's
        baked.constraints.copy(constraint)
    return baked


def _thinned(mesh: bpy.types.Mesh, detail: float, context: bpy.types.Context) -> bpy.types.Mesh:
    """A new mesh with a share of the triangles."""
    holder = bpy.data.objects.new("Baking", mesh)
    context.scene.collection.objects.link(holder)
    try:
        thin = holder.modifiers.new("Thin", "DECIMATE")
        thin.ratio = detail
        graph = context.evaluated_depsgraph_get()
        return bpy.data.meshes.new_from_object(holder.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    finally:
        bpy.data.objects.remove(holder)


def _own_uv(mesh: bpy.types.Mesh) -> tuple[Floats, Floats]:
    """Scale and offset from the photo's UV to the layer's own."""
    photo, own = (_vectors(mesh.uv_layers[name].data, "uv", len(mesh.loops), 2) for name in (PHOTO_UV, OWN_UV))
    scale = np.ptp(own, 0) / np.maximum(np.ptp(photo, 0), 1e-12)
    return scale, own.min(0) - scale * photo.min(0)


def _corners(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    """The vertices of a mesh of quads: M×4."""
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", loops)
    return loops.reshape(-1, 4)


def _vectors(data: bpy.types.bpy_prop_collection, name: str, count: int, width: int) -> Floats:
    values = np.empty(count * width, np.float32)
    data.foreach_get(name, values)
    return values.reshape(count, width).astype(np.float64)


def _attribute(mesh: bpy.types.Mesh, name: str, kind: str, domain: str) -> bpy.types.bpy_prop_collection:
    found = mesh.attributes.get(name) or mesh.attributes.new(name, kind, domain)
    return found.data
