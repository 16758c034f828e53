"""The mesh of a rigged subject in Blender: its geometry, where it finds its colours, and the weights of its bones."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.rigging import Part, SubjectMesh
from .relief import OWN_UV, PHOTO_UV, RAY

PART = "stillscape_part"
SIDE = "stillscape_side"
FACE_PLACE = "stillscape_canonical"
"""Attributes that keep the rest of a SubjectMesh: the part of every face, and of every vertex its side of a lid or lip and its place in
the face of average size (NaN is kept as it is)."""
MADE_WEIGHTS = "stillscape_weights"
LEAST = 1e-4
"""Smaller weights are left out."""

Floats = NDArray[np.float32]
Map2 = tuple[tuple[float, float], tuple[float, float]]
"""Scale and offset from the photo's UV to a layer's own."""


def new_mesh(name: str, subject: SubjectMesh, own: Map2, *, pictured: NDArray[np.bool_] | None = None) -> bpy.types.Mesh:
    """The mesh of `subject` without keys, weights and materials, whose faces have the material slots of SLOTS.

    own: from the photo's UV to that of the layer's own images. pictured: bool M, which triangles have the slot
    PICTURED.
    """
    mesh = bpy.data.meshes.new(name)
    count, faces = len(subject.position), len(subject.triangles)
    mesh.vertices.add(count)
    mesh.vertices.foreach_set("co", _flat(subject.position))
    mesh.loops.add(faces * 3)
    corners = np.ascontiguousarray(subject.triangles.ravel(), np.int32)
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(faces)
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces * 3, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.ones(faces, bool))
    uv = subject.ray[:, :2] / np.maximum(subject.ray[:, 2:], 1e-9)
    scale, offset = np.float32(own[0]), np.float32(own[1])
    for layer, values in ((OWN_UV, uv * scale + offset), (PHOTO_UV, uv)):
        mesh.uv_layers.new(name=layer, do_init=False)
        mesh.uv_layers[layer].data.foreach_set("uv", _flat(values[corners]))
    mesh.uv_layers.active = mesh.uv_layers[PHOTO_UV]
    mesh.attributes.new(RAY, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", _flat(subject.ray))
    mesh.attributes.new(FACE_PLACE, "FLOAT2", "POINT").data.foreach_set("vector", _flat(subject.canonical))
    mesh.attributes.new(SIDE, "INT", "POINT").data.foreach_set("value", np.ascontiguousarray(subject.side, np.int32))
    mesh.attributes.new(PART, "INT", "FACE").data.foreach_set("value", np.ascontiguousarray(subject.part, np.int32))
    slot = np.array([SLOTS[Part(p)] for p in range(len(Part))], np.int32)[subject.part]
    if pictured is not None:
        slot[pictured] = PICTURED
    mesh.polygons.foreach_set("material_index", slot)
    mesh.update()
    return mesh


SLOTS = {Part.SKIN: 0, Part.EYE_RIGHT: 1, Part.EYE_LEFT: 2, Part.POCKET: 3, Part.TEETH_UPPER: 3, Part.TEETH_LOWER: 3, Part.TONGUE: 3}
"""The material slot of every part: skin, right eye, left eye, the mouth's plain colours."""
PICTURED = 4
"""The slot of the pocket where the photo shows something between parted lips."""


def _flat(values: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(values, np.float32).ravel()


def kept_mesh(mesh: bpy.types.Mesh) -> SubjectMesh:
    """The SubjectMesh that a mesh of ours was made of, without weights, keys and seams; positions are those of its basis."""
    count = len(mesh.vertices)
    triangles = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", triangles)
    starts = np.empty(len(mesh.polygons), np.int32)
    totals = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.polygons.foreach_get("loop_total", totals)
    plain = totals == 3  # an artist may have added others
    corners = triangles[starts[plain][:, None] + np.arange(3)]
    part = np.empty(len(mesh.polygons), np.int32)
    mesh.attributes[PART].data.foreach_get("value", part)
    side = np.empty(count, np.int32)
    mesh.attributes[SIDE].data.foreach_get("value", side)
    return SubjectMesh(
        position=basis(mesh),
        ray=_vectors(mesh.attributes[RAY].data, "vector", count, 3),
        triangles=corners.astype(np.int32),
        part=part[plain].astype(np.uint8),
        canonical=_vectors(mesh.attributes[FACE_PLACE].data, "vector", count, 2),
        side=side.astype(np.int8),
    )


def basis(mesh: bpy.types.Mesh) -> Floats:
    """Positions without any key, float32 N×3."""
    keys = mesh.shape_keys
    data = mesh.vertices if keys is None else keys.reference_key.data
    return _vectors(data, "co", len(mesh.vertices), 3)


def _vectors(data: bpy.types.bpy_prop_collection, name: str, count: int, width: int) -> Floats:
    values = np.empty(count * width, np.float32)
    data.foreach_get(name, values)
    return values.reshape(count, width)


def fingerprint(values: NDArray[Any]) -> str:
    """A short text that changes with the numbers, told to a ten-thousandth."""
    return f"{zlib.crc32(np.rint(np.asarray(values, np.float64) * 1e4).astype(np.int64).tobytes()):08x}"


def tidy(weights: Mapping[str, Floats], rest: str = "base") -> dict[str, Floats]:
    """Weights without those that are too small to count, summing to 1 in every vertex; what has none belongs to the bone `rest`."""
    kept = {name: np.where(np.asarray(w) >= LEAST, w, 0).astype(np.float32) for name, w in weights.items()}
    total = np.sum(list(kept.values()), axis=0, dtype=np.float64) if kept else np.zeros(0)
    alone = total < LEAST
    scale = np.where(alone, 0, 1 / np.maximum(total, LEAST))
    tidied = {name: (w * scale).astype(np.float32) for name, w in kept.items()}
    if alone.any():
        tidied[rest] = np.where(alone, np.float32(1), tidied.get(rest, np.zeros(len(alone), np.float32)))
    return {name: w for name, w in tidied.items() if w.any()}


def write_weights(o: bpy.types.Object, weights: Mapping[str, Floats]) -> None:
    """Give a mesh object one vertex group for each bone that has weight in it, and note what they are."""
    for name, values in tidy(weights).items():
        group = o.vertex_groups.get(name) or o.vertex_groups.new(name=name)
        whole = values >= 1 - LEAST
        group.add(np.flatnonzero(whole).tolist(), 1.0, "REPLACE")
        some = np.flatnonzero((values > 0) & ~whole)
        add = group.add
        for vertex, weight in zip(some.tolist(), values[some].tolist()):
            add((vertex,), weight, "REPLACE")
    note_weights(o)


def note_weights(o: bpy.types.Object) -> None:
    """Note how the weights are now, for `edited_weights`."""
    o[MADE_WEIGHTS] = json.dumps({name: fingerprint(w) for name, w in read_weights(o).items()})


def read_weights(o: bpy.types.Object) -> dict[str, Floats]:
    """The weights of every vertex group, float32 N."""
    names = [group.name for group in o.vertex_groups]
    table = np.zeros((len(names), len(o.data.vertices)), np.float32)
    for vertex in o.data.vertices:
        for element in vertex.groups:
            table[element.group, vertex.index] = element.weight
    return dict(zip(names, table))


def edited_weights(o: bpy.types.Object) -> dict[str, Floats]:
    """The vertex groups that an artist has painted or added since they were made."""
    made = json.loads(o.get(MADE_WEIGHTS, "{}"))
    return {name: w for name, w in read_weights(o).items() if made.get(name) != fingerprint(w)}


def write_plain_group(o: bpy.types.Object, name: str, weights: Floats) -> None:
    """A vertex group that belongs to no bone, as it is."""
    group = o.vertex_groups.get(name) or o.vertex_groups.new(name=name)
    some = np.flatnonzero(weights >= LEAST)
    for vertex, weight in zip(some.tolist(), weights[some].tolist()):
        group.add((vertex,), weight, "REPLACE")
