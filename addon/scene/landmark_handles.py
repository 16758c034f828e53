"""Landmarks as things to drag: a small empty for every point of a face, standing where the photo shows it.

Only where the photo's camera sees an empty counts, so that it may be moved in any view and to any depth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import bpy
import numpy as np
from mathutils import Vector

from ..vision.face_edit import move_point
from ..vision.geometry import ray_map
from ..vision.landmarks import COUNT, MIRROR, FacePoints, Person, name_of
from .build import ID, ROLE
from .notes import Notes

HANDLE = "landmark"
"""The role of such an empty."""
_INDEX, _PERSON, _PLACE = "stillscape_landmark", "stillscape_person", "stillscape_place"
_SIZE = 0.06  # of an empty, in distances of the eyes
_MOVED = 2e-5  # shares of the photo; less is rounding

Shares = tuple[float, float]
"""A place in the photo: from the left and from the top, in shares of its width and height."""


def handles(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The empties of all landmarks of a photo."""
    return [o for o in root.children if o.get(ROLE) == HANDLE]


def show(
    root: bpy.types.Object,
    collection: bpy.types.Collection,
    notes: Notes,
    people: tuple[Person, ...],
    point_at: Callable[[Shares], Vector | None],
    distance: float,
) -> list[bpy.types.Object]:
    """Make the empties of all faces, in place of those that are there.

    point_at: the place of the relief, in the root's axes, that the photo shows; None where it shows nothing. distance: metres at which
    points stand then.
    """
    hide(root)
    made = []
    for person in people:
        if person.face is None:
            continue
        depths = [point_at(tuple(place)) for place in person.face.points]
        known = [found.y for found in depths if found is not None]
        near = float(np.median(known)) * 0.98 if known else distance
        across = person.face.eye_distance(notes.size) / notes.size[0] * ray_map(notes.camera, notes.size).width * near
        for index, place in enumerate(person.face.points):
            o = bpy.data.objects.new(f"{person.name} {name_of(index)}", None)
            o.empty_display_type, o.empty_display_size = "SPHERE", _SIZE * across / 2
            o[ROLE], o[_INDEX], o[_PERSON], o[_PLACE] = HANDLE, index, person.name, [float(n) for n in place]
            if ID in root:
                o[ID] = root[ID]
            collection.objects.link(o)
            o.parent = root
            o.location = _ray(notes, tuple(place)) * near
            o.show_in_front = True
            o.hide_render = True
            made.append(o)
    return made


def hide(root: bpy.types.Object) -> int:
    """Take the empties away; return how many there were."""
    found = handles(root)
    for o in found:
        bpy.data.objects.remove(o)
    return len(found)


def _ray(notes: Notes, place: Shares) -> Vector:
    x, y = ray_map(notes.camera, notes.size).uv_to_ray(place[0], 1 - place[1])
    return Vector((x, 1.0, y))


def place_of(o: bpy.types.Object, notes: Notes) -> Shares | None:
    """Where the photo's camera sees an empty; None behind the camera."""
    rays = ray_map(notes.camera, notes.size)
    x, y, z = o.location
    if y <= 1e-6:
        return None
    return x / y / rays.width + rays.u0, 1 - (z / y / rays.height + rays.v0)


def read(
    root: bpy.types.Object,
    notes: Notes,
    people: tuple[Person, ...],
    *,
    mirror: bool = False,
    snap: Callable[[Shares], Shares] = lambda place: place,
) -> tuple[tuple[Person, ...], int]:
    """The people with the points that were dragged at their new places, and how many those are.

    mirror: the point opposite a dragged one goes along, unless it was dragged itself. snap: what a dragged point is moved to.
    """
    faces: dict[str, FacePoints] = {p.name: p.face for p in people if p.face is not None}
    dragged: dict[str, dict[int, Shares]] = {}
    for o in handles(root):
        index, name = int(o.get(_INDEX, -1)), str(o.get(_PERSON, ""))
        before, now = o.get(_PLACE), place_of(o, notes)
        if name in faces and 0 <= index < COUNT and before is not None and now is not None:
            if max(abs(a - b) for a, b in zip(before, now)) > _MOVED:
                dragged.setdefault(name, {})[index] = now
    for name, places in dragged.items():
        for index, place in places.items():
            alone = MIRROR[index] in places and MIRROR[index] != index
            faces[name] = move_point(faces[name], index, snap(place), notes.size, mirror=mirror and not alone)
    found = tuple(replace(p, face=faces[p.name]) if p.name in faces else p for p in people)
    return found, sum(map(len, dragged.values()))
