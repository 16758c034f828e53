"""A rigged subject: the mesh of a person with shape keys under an armature, in place of the person's live layer.

The layer is hidden, not deleted: `remove_rig` shows it again, and what is rebuilt takes its pictures from it. Bones exist in edit mode
only, so that this is the one module of the scene that calls an operator (to switch modes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..spec import SceneSpec
from ..vision.carry import carry_over
from ..vision.geometry import RayMap
from ..vision.landmarks import Person
from ..vision.layered import LayeredPhoto
from ..vision.rigging import Bone, Part, SubjectMesh
from . import rig_material as materials
from .build import ID, LEVEL, NAME, ROLE, Built
from .rig_bones import FOLLOW, dress, with_aims, write_bones
from .rig_keys import BASIS, MADE_KEYS, add_sliders, drive_keys, edited_keys, ordered, write_keys
from .rig_material import Picture
from .rig_mesh import (
    MADE_WEIGHTS,
    PICTURED,
    Map2,
    basis,
    edited_weights,
    fingerprint,
    kept_mesh,
    new_mesh,
    write_plain_group,
    write_weights,
)
from .rig_people import layer_index, photo_of, rig_data
from .rig_shapes import remove_unused

RIG, MESH = "rig", "rig mesh"
"""Roles of the armature and of the mesh."""
PERSON = "stillscape_person"
LAYER = "stillscape_layer"
SHOWN = "stillscape_shown"
COVERAGE = "stillscape_coverage"
"""Custom property of the mesh object: the image that tells what it hides at rest."""
_MODIFIER = "Rig"
_PICTURED = ((1, Part.EYE_RIGHT, "Right Eye"), (2, Part.EYE_LEFT, "Left Eye"), (PICTURED, Part.POCKET, "Lips"))
"""Slots, parts and names of the materials that have a picture."""
_SAME = 1e-6

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rigged:
    """One rigged person: armature and mesh objects, and the person's name. Nothing here survives undo; see `rigs_of`."""

    armature: bpy.types.Object
    mesh: bpy.types.Object
    person: str


class Rebuilt(NamedTuple):
    """kept: names of vertex groups, keys, bones and pictures that an artist had changed and that were carried over."""

    rigged: Rigged
    kept: tuple[str, ...]


class Refitted(NamedTuple):
    """Names of people whose rigs follow now, of what was kept as in `Rebuilt`, and of people whose rigs could not follow."""

    done: tuple[str, ...]
    kept: tuple[str, ...]
    lost: tuple[str, ...]


def make_rig(
    subject: SubjectMesh,
    bones: Sequence[Bone],
    person: str,
    layer: bpy.types.Object,
    root: bpy.types.Object,
    *,
    pictures: Mapping[Part, Picture] | None = None,
    colours: Floats | None = None,
    behind: Sequence[bpy.types.Object] | None = None,
) -> Rigged:
    """Rig a person of the photo whose root this is, and hide the person's live `layer`.

    pictures: of the eyes (EYE_RIGHT, EYE_LEFT), and of what is seen between parted lips (POCKET), what they show where the photo does not. colours: sRGB of every vertex
    in [0, 1], float32 N×3, of which those inside the mouth are taken; None: plain ones. behind: the layers behind the person's, which show their fill where it moves away; None: those behind it by their names.
    Raises ValueError for bones that cannot be.
    """
    collection = _collection_of(root)
    photo, made = root.name, []
    try:
        shown = pictures or {}
        mesh = new_mesh(_mesh_name(photo, layer, person), subject, _own_uv(layer), pictured=_pictured(subject, shown, colours))
        o = bpy.data.objects.new(mesh.name, mesh)
        made.append(o)
        _paint(mesh, layer, root, subject, shown, colours)
        collection.objects.link(o)
        o.parent = root
        write_weights(o, subject.weights)
        write_keys(o, subject.keys)
        armature = bpy.data.objects.new(f"{photo} {person} Rig", bpy.data.armatures.new(f"{photo} {person} Rig"))
        made.append(armature)
        collection.objects.link(armature)
        armature.parent = root
        armature.show_in_front = True
        armature.data.display_type = "STICK"
        every = with_aims(bones)
        with _editing(armature) as data:
            write_bones(data, every)
        dress(armature, every, collection)
        add_sliders(armature, ordered(subject.keys))
        drive_keys(o, armature)
        modifier = o.modifiers.new(_MODIFIER, "ARMATURE")
        modifier.object = armature
        modifier.use_deform_preserve_volume = False
    except BaseException:
        for unfinished in made:
            bpy.data.objects.remove(unfinished)
        remove_unused(collection)
        raise
    for thing, role in ((armature, RIG), (o, MESH)):
        thing[ROLE], thing[PERSON] = role, person
        thing[NAME] = thing.name
        if ID in root:
            thing[ID] = root[ID]
    armature[MESH] = o
    o[LAYER] = layer
    _hide(layer)
    _uncover(o, subject, layer, root, behind)
    return Rigged(armature, o, person)


def build_rigs(layered: LayeredPhoto, spec: SceneSpec, built: Built, *, without: Collection[str] = ()) -> tuple[bpy.types.Object, ...]:
    """Rig the people of a scene that was just built, as `spec.rig` says; returns their armatures, in the order of the people.

    without: names of those who are left out.

    Of whom too little is known or seen, there is a warning in the log instead. Nothing of the scene's settings is touched. Raises
    InputError if a file of the layered photo is damaged.
    """
    from ..vision.subject import people_of

    body = spec.rig.kind == "body"
    people = [p for p in people_of(layered) if (body or p.face is not None) and p.name not in without]
    photo = photo_of(layered) if people and built.layers else None
    made = []
    for person in people:
        index = layer_index(layered, person)
        if photo is None or index is None:
            continue
        data = rig_data(layered, person, photo, built.root, body=body)
        if data is not None:
            layer, behind = built.layers[index], built.layers[index + 1 :]
            rigged = make_rig(
                data.mesh, data.bones, person.name, layer, built.root, pictures=data.pictures, colours=data.colours, behind=behind
            )
            made.append(rigged.armature)
    return tuple(made)


def rebuild_from(layered: LayeredPhoto, rigged: Rigged, person: Person, *, body: bool) -> Rebuilt | None:
    """`rebuild_rig` with the depth as it is painted now and the landmarks of `person`; None, and a warning, if nothing can be made of them.

    layered: the photo in layers as they are in the scene. Raises InputError if a file of it is damaged.
    """
    data = rig_data(layered, person, photo_of(layered), rigged.armature.parent, body=body, layer=layer_of(rigged))
    if data is None:
        return None
    return rebuild_rig(rigged, data.mesh, data.bones, pictures=data.pictures, colours=data.colours)


def refit_rigs(layered: LayeredPhoto, root: bpy.types.Object, layers: Sequence[bpy.types.Object]) -> Refitted:
    """Let the rigs of a photo follow it after it was cut anew: `rebuild_from` for each whose person has a layer.

    layered: the photo as it was cut. layers: its layers in the scene, from front to back. Limbs that were not rigged stay so. Raises
    InputError if a file of the layered photo is damaged.
    """
    from ..vision.subject import people_of

    people = {person.name: person for person in people_of(layered)}
    done, kept, lost = [], set(), []
    for rigged in rigs_of(root):
        person = people.get(rigged.person)
        index = None if person is None else layer_index(layered, person)
        rebuilt = None
        if person is not None and index is not None:
            _stand_for(rigged.mesh, layers[index])
            body = any(b.name.startswith("upper_arm") for b in rigged.armature.data.bones)
            rebuilt = rebuild_from(layered, rigged, person, body=body)
        if rebuilt is None:
            lost.append(rigged.person)
        else:
            done.append(rigged.person)
            kept |= set(rebuilt.kept)
    return Refitted(tuple(done), tuple(sorted(kept)), tuple(lost))


def _stand_for(mesh: bpy.types.Object, layer: bpy.types.Object) -> None:
    """A rig stands for another layer from now on: that one is hidden, and the one before is shown again."""
    before = mesh.get(LAYER)
    mesh[LAYER] = layer
    if before == layer:
        return
    _hide(layer)
    if before is not None:
        _show(before)


def rigs_of(root: bpy.types.Object) -> tuple[Rigged, ...]:
    """The rigged people of a photo, in the order of their names."""
    found = []
    for armature in root.children_recursive:
        mesh = armature.get(MESH)
        if armature.get(ROLE) == RIG and mesh is not None:
            found.append(Rigged(armature, mesh, str(armature[PERSON])))
    return tuple(sorted(found, key=lambda r: r.person))


def meshes_of(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The meshes of a photo's rigged people, which show the photo as its layers do."""
    return [o for o in root.children_recursive if o.get(ROLE) == MESH]


def layer_of(rigged: Rigged) -> bpy.types.Object | None:
    """The live layer that the rig stands for; None if it was deleted."""
    return rigged.mesh.get(LAYER)


def stand_in(root: bpy.types.Object, layer: bpy.types.Object) -> bpy.types.Object:
    """What is seen instead of a layer of a photo: the mesh of the rig that stands for it, else the layer itself."""
    return next((o for o in meshes_of(root) if o.get(LAYER) == layer), layer)


def layers_behind(root: bpy.types.Object, layer: bpy.types.Object) -> list[bpy.types.Object]:
    """The photo's layers behind one of them, by their numbers, or those in the names that we gave them."""
    sheets = _sheets(root)

    def place(o: bpy.types.Object) -> tuple[int, int]:
        number = re.match(r" (\d+) ", str(o.get(NAME, o.name))[len(root.name) :])
        return o.get(LEVEL, int(number[1]) if number else 0), sheets.index(o)

    ranked = sorted(sheets, key=place)
    return ranked[ranked.index(layer) + 1 :] if layer in ranked else []


def remove_rig(armature: bpy.types.Object) -> None:
    """Take a rig away and show the person's layer again. Actions stay in the file as long as something uses them."""
    root, mesh = armature.parent, armature.get(MESH)
    collection = _collection_of(root)
    layer = mesh.get(LAYER) if mesh is not None else None
    data = [armature.data]
    used: list[bpy.types.Material] = []
    images: list[bpy.types.Image] = []
    if mesh is not None:
        data.append(mesh.data)
        used = [m for m in mesh.data.materials if m is not None]
        images = [image for image in (mesh.get(COVERAGE),) if image is not None]
        materials.cover(_sheets(root), mesh)
    for o in (armature, *([mesh] if mesh is not None else [])):
        bpy.data.objects.remove(o)
    for block in data:
        if block.users == 0:
            (bpy.data.armatures if isinstance(block, bpy.types.Armature) else bpy.data.meshes).remove(block)
    for material in set(used):
        if material.users == 0:
            images += [n.image for n in material.node_tree.nodes if n.type == "TEX_IMAGE" and n.image is not None]
            bpy.data.materials.remove(material)
    for image in set(images):
        if image.users == 0 and image.get(ROLE) == "part":
            bpy.data.images.remove(image)
    remove_unused(collection)
    if layer is not None and not any(layer_of(other) == layer for other in rigs_of(root)):
        _show(layer)


def rebuild_rig(
    rigged: Rigged,
    subject: SubjectMesh,
    bones: Sequence[Bone],
    *,
    pictures: Mapping[Part, Picture] | None = None,
    colours: Floats | None = None,
    behind: Sequence[bpy.types.Object] | None = None,
) -> Rebuilt:
    """Give a rig another mesh and bones (a landmark or the depth has changed), in the same objects.

    Pose, animation, constraints and what an artist has changed stay: bones at rest that were moved keep that offset, bones that were
    added go along with their parents, vertex groups and keys that were changed or added are carried over by where in the photo they
    are, and so are painted pictures.
    """
    armature, o = rigged.armature, rigged.mesh
    root, collection = armature.parent, _collection_of(armature.parent)
    layer = layer_of(rigged)
    before = o.data
    groups, keys = edited_weights(o), edited_keys(o)
    # Looked at before anything changes, so that a mesh that cannot be carried over leaves all as it was.
    moved = _carried(o, subject, groups, keys)
    every = with_aims(bones)
    with _editing(armature) as data:
        write_bones(data, every)
    dress(armature, every, collection)

    shown = pictures or {}
    own = _own_uv(layer) if layer is not None else ((1.0, 1.0), (0.0, 0.0))
    mesh = new_mesh(before.name, subject, own, pictured=_pictured(subject, shown, colours))
    for material in before.materials:
        mesh.materials.append(material)
    if moved is not None:
        mesh.vertices.foreach_set("co", np.ascontiguousarray(subject.position + moved, np.float32).ravel())
    materials.colour_inside(mesh, subject, colours)
    kept_pictures = _update_materials(mesh, layer, root, shown)
    old_blocks = [
        (k.name, k.slider_min, k.slider_max, k.value, k.mute) for k in (before.shape_keys.key_blocks if before.shape_keys else ())
    ]
    o.data = mesh
    bone_names = {b.name for b in armature.data.bones}
    painted = {name: w for name, w in groups.items() if name in bone_names}
    write_weights(o, _shared(subject.weights, painted))
    for name, w in groups.items():
        if name not in bone_names:
            write_plain_group(o, name, w)
    write_keys(o, {**subject.keys, **keys})
    if mesh.shape_keys is not None:
        _carry_blocks(mesh.shape_keys, before.shape_keys, old_blocks, set(keys))
    _still_edited(o, MADE_WEIGHTS, set(groups))
    _still_edited(o, MADE_KEYS, {*keys, *([BASIS] if moved is not None else [])})
    add_sliders(armature, ordered(subject.keys))
    drive_keys(o, armature)
    name = before.name
    bpy.data.meshes.remove(before)
    mesh.name = name
    if layer is not None:
        _uncover(o, subject, layer, root, behind)
    return Rebuilt(rigged, (*groups, *keys, *kept_pictures))


def _pictured(subject: SubjectMesh, pictures: Mapping[Part, Picture], colours: Floats | None) -> NDArray[np.bool_] | None:
    """Which triangles show the picture of parted lips: those of the pocket that have no colour of their own (white)."""
    if Part.POCKET not in pictures:
        return None
    here = subject.part == Part.POCKET
    return here if colours is None else here & (colours[subject.triangles] >= 1).all((1, 2))


def _carried(o: bpy.types.Object, subject: SubjectMesh, groups: dict[str, Floats], keys: dict[str, Floats]) -> Floats | None:
    """Take weights and keys (in place) to the vertices of a new mesh, and return what an artist has sculpted of the basis there."""
    sculpted = _sculpted(o)
    columns = [*(w[:, None] for w in groups.values()), *keys.values(), *([sculpted] if sculpted is not None else [])]
    if not columns:
        return None
    found = carry_over(kept_mesh(o.data), np.concatenate(columns, 1), subject)
    for i, name in enumerate(groups):
        groups[name] = np.clip(found[:, i], 0, 1)
    for i, name in enumerate(keys):
        keys[name] = found[:, len(groups) + 3 * i :][:, :3]
    return None if sculpted is None else found[:, -3:]


def _shared(weights: Mapping[str, Floats], painted: Mapping[str, Floats]) -> dict[str, Floats]:
    """Weights in which those that were painted stay as they are and the others share what is left."""
    if not painted:
        return dict(weights)
    taken = np.sum(list(painted.values()), axis=0)
    over = np.maximum(taken, 1)
    others = {name: w for name, w in weights.items() if name not in painted}
    total = np.sum(list(others.values()), axis=0) if others else np.zeros_like(taken)
    left = np.where(total > _SAME, np.maximum(1 - taken, 0) / np.maximum(total, _SAME), 0)
    return {**{name: (w * left).astype(np.float32) for name, w in others.items()}, **{n: w / over for n, w in painted.items()}}


def _sculpted(o: bpy.types.Object) -> Floats | None:
    """By how much an artist has moved the vertices of the basis, metres, float32 N×3; None if not at all."""
    made = json.loads(o.get(MADE_KEYS, "{}"))
    if not made or made.get(BASIS) == fingerprint(basis(o.data)):
        return None
    lookup = o.data.materials[0].node_tree.nodes["Photo Lookup"].inputs
    rays = RayMap(*(lookup[n].default_value for n in ("Photo Tangent Width", "Photo Tangent Height", "Axis U", "Axis V")))
    ray = kept_mesh(o.data).ray.astype(np.float64)
    x, z = rays.uv_to_ray(ray[:, 0] / ray[:, 2], ray[:, 1] / ray[:, 2])
    return (basis(o.data) - np.stack([x * ray[:, 2], ray[:, 2], z * ray[:, 2]], -1)).astype(np.float32)


def _still_edited(o: bpy.types.Object, prop: str, names: set[str]) -> None:
    """What an artist has changed counts as changed the next time as well."""
    made = json.loads(o.get(prop, "{}"))
    o[prop] = json.dumps({**made, **{name: "" for name in names}})


def _carry_blocks(
    new: bpy.types.Key, old: bpy.types.Key | None, blocks: list[tuple[str, float, float, float, bool]], edited: set[str]
) -> None:
    """Ranges and values of an artist's own keys, what is muted, and what animates them."""
    for name, low, high, value, mute in blocks:
        block = new.key_blocks.get(name)
        if block is not None:
            block.mute = mute
            if name in edited:
                block.slider_min, block.slider_max = low, high
                block.value = value
    animation = None if old is None else old.animation_data
    if animation is None:
        return
    fresh = new.animation_data_create()
    if animation.action is not None:
        fresh.action = animation.action
        if getattr(animation, "action_slot", None) is not None:
            fresh.action_slot = animation.action_slot
    for curve in animation.drivers:
        fresh.drivers.from_existing(src_driver=curve)


def _update_materials(
    mesh: bpy.types.Mesh, layer: bpy.types.Object | None, root: bpy.types.Object, pictures: Mapping[Part, Picture]
) -> list[str]:
    """New pictures for the materials of a rebuilt mesh; returns the names of those that stay because they were painted."""
    kept: list[str] = []
    if layer is None:
        return kept
    if mesh.materials and mesh.materials[0] is not None:
        materials.follow_layer(mesh.materials[0], layer)
    skin = mesh.materials[0]
    for slot, part, word in _PICTURED:
        if part not in pictures:
            continue
        while len(mesh.materials) <= slot:
            mesh.materials.append(skin)
        material = mesh.materials[slot]
        if material is None:  # the artist has emptied it
            continue
        if material == skin or "Cover" not in material.node_tree.nodes and slot == PICTURED:
            mesh.materials[slot] = materials.picture_material(layer, f"{mesh.name} {word}", pictures[part], root)
            continue
        nodes = material.node_tree.nodes
        before = nodes["Fill"].image if "Fill" in nodes else None
        materials.picture_material(layer, material.name, pictures[part], root, material)
        if before is not None and nodes["Fill"].image == before:
            kept.append(before.name)
    return kept


def _paint(
    mesh: bpy.types.Mesh,
    layer: bpy.types.Object,
    root: bpy.types.Object,
    subject: SubjectMesh,
    pictures: Mapping[Part, Picture],
    colours: Floats | None,
) -> None:
    """The materials: skin, right eye, left eye, inside of the mouth, what is seen between parted lips. Those that no face needs are
    the skin's."""
    skin = materials.skin_material(layer, mesh.name)
    plain = materials.mouth_material(layer, f"{mesh.name} Mouth", root) if (subject.part >= Part.POCKET).any() else skin
    for slot in (skin, skin, skin, plain, *([skin] if Part.POCKET in pictures else [])):
        mesh.materials.append(slot)
    for slot, part, word in _PICTURED:
        if part in pictures and (subject.part == part).any():
            mesh.materials[slot] = materials.picture_material(layer, f"{mesh.name} {word}", pictures[part], root)
    materials.colour_inside(mesh, subject, colours)


def _uncover(
    o: bpy.types.Object, subject: SubjectMesh, layer: bpy.types.Object, root: bpy.types.Object, behind: Sequence[bpy.types.Object] | None
) -> None:
    """Let the layers behind a person's show their fill where the mesh hides them at rest."""
    others = layers_behind(root, layer) if behind is None else behind
    materials.cover(_sheets(root), o)
    old = o.get(COVERAGE)
    if old is not None:
        del o[COVERAGE]
        if old.users == 0:
            bpy.data.images.remove(old)
    image = materials.coverage(o.name, subject, layer, others) if others else None
    if image is not None:
        o[COVERAGE] = image
        materials.uncover(others, o, layer, image)


def _sheets(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The photo's live layers."""
    return [o for o in _collection_of(root).objects if o.get(ROLE) == "layer"]


def _own_uv(layer: bpy.types.Object) -> Map2:
    """From the photo's UV to that of the layer's images."""
    nodes = layer.data.materials[0].node_tree.nodes
    if "Place" not in nodes:
        return (1.0, 1.0), (0.0, 0.0)
    scale, offset = (tuple(nodes["Place"].inputs[i].default_value)[:2] for i in (1, 2))
    return scale, offset


def _mesh_name(photo: str, layer: bpy.types.Object, person: str) -> str:
    """ "<photo> <layer> Rig"; another where the armature's would be the same."""
    name = f"{layer.get(NAME, layer.name)} Rig"
    return f"{name} Mesh" if name == f"{photo} {person} Rig" else name


def _collection_of(root: bpy.types.Object) -> bpy.types.Collection:
    """The photo's collection: the one with its id, else the first that the root is in."""
    return next((c for c in root.users_collection if ID in c and c[ID] == root.get(ID)), root.users_collection[0])


def _hide(layer: bpy.types.Object) -> None:
    if SHOWN not in layer:
        layer[SHOWN] = [layer.hide_viewport, layer.hide_render]
    layer.hide_viewport = layer.hide_render = True


def _show(layer: bpy.types.Object) -> None:
    if SHOWN in layer:
        layer.hide_viewport, layer.hide_render = (bool(v) for v in layer[SHOWN])
        del layer[SHOWN]


@contextmanager
def _editing(armature: bpy.types.Object) -> Iterator[bpy.types.Armature]:
    """The armature in edit mode, whatever is active, selected, hidden or being edited; all of which is put back.

    Works without a window. Only the armature's own objects may be changed meanwhile.
    """
    scene = bpy.context.scene if bpy.context.scene in armature.users_scene else armature.users_scene[0]
    view = bpy.context.view_layer if bpy.context.scene == scene else scene.view_layers[0]

    def switch(o: bpy.types.Object, mode: str) -> None:
        view.objects.active = o
        with bpy.context.temp_override(scene=scene, view_layer=view, active_object=o, object=o):
            bpy.ops.object.mode_set(mode=mode)

    active = view.objects.active
    mode = "OBJECT" if active is None else active.mode
    if active is not None and mode != "OBJECT":
        switch(active, "OBJECT")
    selected = [o for o in view.objects if o.select_get(view_layer=view)]
    for o in selected:  # or they would be edited along with it
        o.select_set(False, view_layer=view)
    hidden = armature.hide_viewport
    armature.hide_viewport = False
    elsewhere = armature.name not in view.objects or not armature.visible_get(view_layer=view)
    if elsewhere:  # its collection is excluded or hidden
        scene.collection.objects.link(armature)
        view.update()
    put_away = armature.hide_get(view_layer=view)
    armature.hide_set(False, view_layer=view)
    try:
        switch(armature, "EDIT")
        try:
            yield armature.data
        finally:
            switch(armature, "OBJECT")
    finally:
        armature.select_set(False, view_layer=view)
        armature.hide_set(put_away, view_layer=view)
        armature.hide_viewport = hidden
        if elsewhere:
            scene.collection.objects.unlink(armature)
        for o in selected:
            o.select_set(True, view_layer=view)
        view.objects.active = active
        if active is not None and mode != "OBJECT":
            switch(active, mode)


__all__ = [
    "FOLLOW", "Picture", "Rebuilt", "Rigged", "build_rigs", "layer_of", "layers_behind", "make_rig", "meshes_of", "rebuild_from", "rebuild_rig",
    "refit_rigs", "remove_rig", "rigs_of", "stand_in",
]  # fmt: skip
