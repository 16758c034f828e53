"""The photo that the panels and operators mean: looked up anew each time, since nothing of Blender's survives an undo."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from .. import moves
from ..scene.aim import aimed, find_aim
from ..scene.build import ID, LEVEL, ROLE, stage_of
from ..scene.notes import Notes, distance_now, read_notes, window
from ..scene.relief import numbers, relief_modifier
from ..scene.rig import meshes_of, stand_in
from ..spec import SceneSpec
from ..vision.planning import view_pixels

NOTHING = "Select a photo that Stillscape has made into a scene, or import one"


class Scenery(NamedTuple):
    """One photo in a scene. The layers are those with a relief, from front to back."""

    collection: bpy.types.Collection
    root: bpy.types.Object
    camera: bpy.types.Object
    layers: tuple[bpy.types.Object, ...]
    notes: Notes


def active_scenery(context: bpy.types.Context) -> Scenery | None:
    """The photo that the active object belongs to; if it belongs to none, the only one in the scene."""
    found = [c for c in context.scene.collection.children_recursive if ID in c]
    active = context.active_object
    wanted = active.get(ID) if active is not None else None
    if wanted is not None:
        found = [c for c in found if c[ID] == wanted]
    return scenery(found[0]) if len(found) == 1 else None


def scenery(collection: bpy.types.Collection) -> Scenery | None:
    """The photo in a collection of ours; None if root, camera or layers are gone."""
    objects = [o for o in collection.all_objects if o.get(ID) == collection[ID]]
    roots = [o for o in objects if o.get(ROLE) == "root"]
    cameras = [o for o in objects if o.type == "CAMERA"]
    sheets = [o for o in objects if o.get(ROLE) == "layer" and relief_modifier(o) is not None]
    layers = tuple(sorted(sheets, key=lambda o: o.get(LEVEL, 0)))
    notes = read_notes(roots[0]) if roots else None
    if notes is None or not cameras or not layers:
        return None
    return Scenery(collection, roots[0], cameras[0], layers, notes)


def stage(photo: Scenery) -> moves.Stage:
    """What a camera move must know of the photo's scene as it is now."""
    near, far, strength = numbers(photo.root)
    built = stage_of(photo.root)
    close, focus = (distance_now(photo.notes, z, near, max(far, near * 1.0001), strength) for z in (built.close, built.focus))
    if photo.notes.framed is not None:  # the film's size may have been changed since
        framing = window(photo.notes)
        built = built._replace(middle_x=framing.tan_x, middle_y=framing.tan_y)
    return aimed(built._replace(close=close, focus=focus), aim(photo))


def aim(photo: Scenery) -> bpy.types.Object | None:
    """The photo's aim; None if it was removed, and in files of older versions."""
    return find_aim(photo.root)


def shown(photo: Scenery) -> list[tuple[bpy.types.Object, bpy.types.Object]]:
    """Every layer, and the object that is seen in its place: the rig of its person, else the layer itself."""
    return [(layer, stand_in(photo.root, layer)) for layer in photo.layers]


def film_size(photo: Scenery, spec: SceneSpec) -> tuple[int, int]:
    """Width and height of the film in pixels, both even: as set, else the photo's own."""
    from ..output import film

    decided = view_pixels(spec, photo.notes.size, photo.notes.camera.fov)
    return film.film_size(*(decided or spec.render.size or photo.notes.size))


def has_alpha(photo: Scenery) -> bool:
    """Whether the photo is see-through somewhere."""
    images = [node.image for node in _photo_nodes(photo)]
    return any(image is not None and image.alpha_mode != "NONE" for image in images)


def materials(photo: Scenery) -> list[bpy.types.Material]:
    """The materials of its layers and of its rigged people."""
    shown = [*photo.layers, *meshes_of(photo.root)]
    found = {slot.material for o in shown for slot in o.material_slots if slot.material is not None}
    return sorted(found, key=lambda m: m.name)


def texture(photo: Scenery) -> bpy.types.Image | None:
    """The photo's film texture, or None if it was removed."""
    return next((node.image for node in _photo_nodes(photo) if node.image is not None), None)


def _photo_nodes(photo: Scenery) -> list[bpy.types.Node]:
    trees = [m.node_tree for m in materials(photo) if m.node_tree is not None]
    return [tree.nodes["Photo"] for tree in trees if "Photo" in tree.nodes]
