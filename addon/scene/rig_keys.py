"""Shape keys of a rigged face, the sliders that raise them, and the drivers between.

Drivers are of Blender's simple-expression kind, so that a saved file needs neither add-on nor autoexec.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..rig_map import terms_of
from ..vision.rigging import ARKIT
from .rig_mesh import basis, fingerprint

BASIS = "Basis"
MADE_KEYS = "stillscape_keys"
_LEAST_SHARE = 0.05
"""Of a bone's movement along an axis of its own that is left out of a driver."""
_AXES = ("LOC_X", "LOC_Y", "LOC_Z")
EYES = 0.063
"""Metres between the eyes of an adult."""
_LONGEST = 255  # characters of an expression, which Blender keeps in 256 bytes

Floats = NDArray[np.float32]


def ordered(keys: Mapping[str, Floats]) -> list[str]:
    """The names of keys as they are to stand: ARKit's first, in its order."""
    return [name for name in ARKIT if name in keys] + [name for name in keys if name not in ARKIT]


def write_keys(o: bpy.types.Object, keys: Mapping[str, Floats]) -> None:
    """Give a mesh object its basis and relative keys. keys: name to displacement in metres, float32 N×3; the object has no keys yet."""
    if not keys:
        return
    rest = basis(o.data)
    o.shape_key_add(name=BASIS, from_mix=False)
    o.data.shape_keys.use_relative = True
    for name in ordered(keys):
        key = o.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", np.ascontiguousarray(rest + keys[name], np.float32).ravel())
        key.slider_min, key.slider_max, key.value = 0.0, 1.0, 0.0
    o.active_shape_key_index = 0
    note_keys(o)


def read_keys(o: bpy.types.Object) -> dict[str, Floats]:
    """The displacements of every key against the one that it is relative to, float32 N×3."""
    blocks = o.data.shape_keys
    if blocks is None:
        return {}
    count = len(o.data.vertices)

    def positions(key: bpy.types.ShapeKey) -> Floats:
        values = np.empty(count * 3, np.float32)
        key.data.foreach_get("co", values)
        return values.reshape(-1, 3)

    found = {key.name: positions(key) for key in blocks.key_blocks}
    names = [key.name for key in blocks.key_blocks if key != blocks.reference_key]
    return {name: found[name] - found[blocks.key_blocks[name].relative_key.name] for name in names}


def note_keys(o: bpy.types.Object) -> None:
    """Note how the keys are now, for `edited_keys`."""
    o[MADE_KEYS] = json.dumps({BASIS: fingerprint(basis(o.data)), **{name: fingerprint(d) for name, d in read_keys(o).items()}})


def edited_keys(o: bpy.types.Object) -> dict[str, Floats]:
    """The keys that an artist has changed or added since they were made."""
    made = json.loads(o.get(MADE_KEYS, "{}"))
    return {name: d for name, d in read_keys(o).items() if made.get(name) != fingerprint(d)}


def add_sliders(armature: bpy.types.Object, names: list[str]) -> None:
    """Custom properties 0 .. 1 on the armature object, one for each key; those that are there stay as they are."""
    for name in names:
        if name not in armature:
            armature[name] = 0.0
        armature.id_properties_ui(name).update(
            min=0.0, max=1.0, soft_min=0.0, soft_max=1.0, default=0.0, description=f"Shape of the face: {_words(name)}"
        )
        armature.property_overridable_library_set(f'["{name}"]', True)
    armature.update_tag()


def _words(name: str) -> str:
    """ "mouthSmileLeft" as "mouth smile left"."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name)


def drive_keys(o: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Let every ARKit key of a mesh object be its slider plus what the soft bones add, held to 0 .. 1.

    The soft bones' axes are those of the face, as the bone `head` has them at rest, however the bones themselves lie.
    """
    blocks = o.data.shape_keys
    if blocks is None:
        return
    face, size = face_axes(armature), face_size(armature)
    for key in blocks.key_blocks:
        if key.name not in ARKIT:
            continue
        blocks.driver_remove(f'key_blocks["{key.name}"].value')
        driver = blocks.driver_add(f'key_blocks["{key.name}"].value').driver
        driver.type = "SCRIPTED"
        slider = driver.variables.new()
        slider.name = "s"
        slider.targets[0].id = armature
        slider.targets[0].data_path = f'["{key.name}"]'
        factors: dict[tuple[str, int], float] = {}
        for term in terms_of(key.name):
            bone = armature.data.bones.get(term.bone)
            if bone is None:
                continue
            way = bone.matrix_local.to_3x3().inverted() @ (face[term.channel] * term.sign)
            for axis in range(3):
                if abs(way[axis]) >= _LEAST_SHARE:
                    factors[term.bone, axis] = factors.get((term.bone, axis), 0.0) + way[axis] / (term.metres * size)
        total = "s"
        for number, ((bone_name, axis), factor) in enumerate(factors.items()):
            variable = driver.variables.new()
            variable.name = f"b{number}"
            variable.type = "TRANSFORMS"
            target = variable.targets[0]
            target.id, target.bone_target = armature, bone_name
            target.transform_type, target.transform_space = _AXES[axis], "LOCAL_SPACE"
            total += f"{factor:+.5g}*b{number}"
        driver.expression = f"min(1,max(0,{total}))"
        if len(driver.expression) > _LONGEST or not driver.is_simple_expression:
            raise ValueError(f"{key.name}: the driver is not of the simple kind: {driver.expression}")


def face_axes(armature: bpy.types.Object) -> dict[str, Vector]:
    """The face's axes at rest in the armature's: x to the subject's left, y up, z out of the face."""
    bone = armature.data.bones.get("head")
    if bone is None:
        return {"x": Vector((1, 0, 0)), "y": Vector((0, 0, 1)), "z": Vector((0, -1, 0))}
    matrix = bone.matrix_local
    return {name: matrix.col[i].to_3d() for i, name in enumerate("xyz")}


def face_size(armature: bpy.types.Object) -> float:
    """How large the face is, in those of an adult: what `rig_map` gives in metres is that much more here."""
    eyes = [armature.data.bones.get(f"eye.{side}") for side in "LR"]
    if eyes[0] is None or eyes[1] is None:
        return 1.0
    return (eyes[0].head_local - eyes[1].head_local).length / EYES
