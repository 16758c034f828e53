"""What the bones of a rig look like: small wire meshes of our own, kept out of sight."""

from __future__ import annotations

import math
from collections.abc import Iterable

import bpy

NAME = "Stillscape Shape"
ROLE = "shapes"
KEY = "stillscape_shape"

Points = list[tuple[float, float, float]]
Edges = list[tuple[int, int]]
_STEPS = 24


def _ring(plane: str, count: int = _STEPS) -> Points:
    turns = [2 * math.pi * i / count for i in range(count)]
    flat = [(math.cos(t), math.sin(t)) for t in turns]
    return [{"xz": (a, 0.0, b), "xy": (a, b, 0.0), "yz": (0.0, a, b)}[plane] for a, b in flat]


def _closed(first: int, count: int) -> Edges:
    return [(first + i, first + (i + 1) % count) for i in range(count)]


def _outlines() -> dict[str, tuple[Points, Edges]]:
    """Every shape in a bone's own axes (y along it), of radius 1 about its head or middle."""
    square: Points = [(-1.0, 0.0, -1.0), (1.0, 0.0, -1.0), (1.0, 0.0, 1.0), (-1.0, 0.0, 1.0)]
    sphere = _ring("xy") + _ring("xz") + _ring("yz")
    rings = [edge for k in range(3) for edge in _closed(k * _STEPS, _STEPS)]
    cross: Points = [*_ring("xy"), (-1.3, 0.0, 0.0), (1.3, 0.0, 0.0), (0.0, -1.3, 0.0), (0.0, 1.3, 0.0)]
    return {
        "circle": (_ring("xz"), _closed(0, _STEPS)),
        "flat circle": (_ring("xy"), _closed(0, _STEPS)),
        "square": (square, _closed(0, 4)),
        "line": ([(-1.0, 0.0, 0.0), (1.0, 0.0, 0.0)], [(0, 1)]),
        "sphere": (sphere, rings),
        "target": (cross, [*_closed(0, _STEPS), (_STEPS, _STEPS + 1), (_STEPS + 2, _STEPS + 3)]),
    }


def shapes(collection: bpy.types.Collection, kinds: Iterable[str]) -> dict[str, bpy.types.Object]:
    """The shapes of these kinds, made on first use in the hidden collection of shapes inside `collection`.

    kinds: of "circle" (about the bone), "flat circle" (square to its z), "square", "line", "sphere" and "target".
    """
    hidden = next((c for c in collection.children if c.get("stillscape_role") == ROLE), None)
    if hidden is None:
        hidden = bpy.data.collections.new(f"{collection.name} Rig Shapes")
        hidden["stillscape_role"] = ROLE
        collection.children.link(hidden)
        hidden.hide_viewport = hidden.hide_render = True
    found = {o[KEY]: o for o in hidden.objects if KEY in o}
    outlines = _outlines()
    for kind in kinds:
        if kind not in found:
            points, edges = outlines[kind]
            mesh = bpy.data.meshes.new(f"{NAME} {kind.title()}")
            mesh.from_pydata(points, edges, [])
            found[kind] = bpy.data.objects.new(mesh.name, mesh)
            found[kind][KEY] = kind
            hidden.objects.link(found[kind])
    return found


def remove_unused(collection: bpy.types.Collection) -> None:
    """Take the shapes away if no armature of the collection is left."""
    hidden = next((c for c in collection.children if c.get("stillscape_role") == ROLE), None)
    if hidden is None or any(o.type == "ARMATURE" for o in collection.objects):
        return
    for o in list(hidden.objects):
        mesh = o.data
        bpy.data.objects.remove(o)
        if mesh is not None and mesh.users == 0:
            bpy.data.meshes.remove(mesh)
    bpy.data.collections.remove(hidden)
