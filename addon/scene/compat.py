"""What differs between Blender 4.2 and 5.2, detected by what is there, never by version number."""

from __future__ import annotations

from typing import Any

import bpy


def eevee_identifier(scene: bpy.types.Scene) -> str:
    """The engine name of Eevee: BLENDER_EEVEE_NEXT up to 4.5, BLENDER_EEVEE since 5.0."""
    engines = scene.render.bl_rna.properties["engine"]
    known = {item.identifier for item in engines.enum_items}
    return "BLENDER_EEVEE_NEXT" if "BLENDER_EEVEE_NEXT" in known else "BLENDER_EEVEE"


def set_modifier_input(modifier: bpy.types.NodesModifier, name: str, value: Any) -> None:
    """Set the input called `name` of a Geometry Nodes modifier."""
    identifier = modifier_input_identifier(modifier, name)
    properties = getattr(modifier, "properties", None)
    if properties is not None and hasattr(properties, "inputs"):  # 5.2: real properties instead of custom ones
        getattr(properties.inputs, identifier).value = value
    else:
        modifier[identifier] = value


def get_modifier_input(modifier: bpy.types.NodesModifier, name: str) -> Any:
    """The value of the input called `name` of a Geometry Nodes modifier."""
    identifier = modifier_input_identifier(modifier, name)
    properties = getattr(modifier, "properties", None)
    if properties is not None and hasattr(properties, "inputs"):
        return getattr(properties.inputs, identifier).value
    return modifier[identifier]


def modifier_input_identifier(modifier: bpy.types.NodesModifier, name: str) -> str:
    """The identifier ("Socket_2") behind an input's name. Raises KeyError if there is no such input."""
    for item in modifier.node_group.interface.items_tree:
        if item.item_type == "SOCKET" and item.in_out == "INPUT" and item.name == name:
            return item.identifier
    raise KeyError(name)


def drive_modifier_input(owner: bpy.types.Object, modifier: bpy.types.NodesModifier, name: str, source: bpy.types.ID, path: str) -> None:
    """Let the input called `name` follow the property `path` of `source`, with a driver that needs no scripts."""
    identifier = modifier_input_identifier(modifier, name)
    properties = getattr(modifier, "properties", None)
    inside = f".properties.inputs.{identifier}.value" if properties is not None and hasattr(properties, "inputs") else f'["{identifier}"]'
    driver = owner.driver_add(f'modifiers["{modifier.name}"]{inside}').driver
    driver.type = "SUM"  # of one: the value itself
    variable = driver.variables.new()
    variable.targets[0].id = source
    variable.targets[0].data_path = path


def fcurves(data: bpy.types.ID) -> list[bpy.types.FCurve]:
    """All F-curves that animate a datablock; actions have layers and channelbags since 4.4, and only those since 5.0."""
    animation = data.animation_data
    if animation is None or animation.action is None:
        return []
    action = animation.action
    slot = getattr(animation, "action_slot", None)
    if not hasattr(action, "layers") or slot is None:
        return list(action.fcurves)
    found = []
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                found += list(bag.fcurves)
    return found


def remove_fcurves(data: bpy.types.ID, paths: set[str]) -> None:
    """Take away the F-curves of the named properties; an action that is then empty goes with them."""
    for curve in fcurves(data):
        if curve.data_path in paths:
            _holder(data).remove(curve)
    animation = data.animation_data
    if animation is not None and not fcurves(data) and not animation.drivers and not animation.nla_tracks:
        action = animation.action
        data.animation_data_clear()
        if action is not None and action.users == 0:
            bpy.data.actions.remove(action)


def _holder(data: bpy.types.ID) -> Any:
    """What keeps the F-curves of a datablock that has some."""
    animation = data.animation_data
    action, slot = animation.action, getattr(animation, "action_slot", None)
    if not hasattr(action, "layers") or slot is None:
        return action.fcurves
    return next(bag.fcurves for layer in action.layers for strip in layer.strips if (bag := strip.channelbag(slot)) is not None)


def node_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The node tree of a new material or world, which needs `use_nodes` before 5.0 and warns about it since."""
    if owner.node_tree is None:
        owner.use_nodes = True
    assert owner.node_tree is not None
    return owner.node_tree


def no_compositing(scene: bpy.types.Scene) -> None:
    """Render what the camera sees, without compositor and sequencer."""
    scene.render.use_compositing = False
    scene.render.use_sequencer = False


def path_options() -> set[str]:
    """The options of a path property that may begin with "//", which has to be said since 4.5."""
    known = "is_path_supports_blend_relative" in bpy.types.StringProperty.bl_rna.properties
    return {"PATH_SUPPORTS_BLEND_RELATIVE"} if known else set()


def denoise(scene: bpy.types.Scene) -> bool:
    """Choose Cycles' denoiser that runs everywhere; False if this Blender was built without it."""
    try:
        scene.cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:  # not among what it offers
        return False
    return True


def has_free_normals() -> bool:
    """Whether a mesh may have normals of its own in the object's axes, as an attribute of its points (since 4.5)."""
    mesh = bpy.data.meshes.new("Stillscape")
    try:
        mesh.vertices.add(1)
        mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        return mesh.has_custom_normals
    finally:
        bpy.data.meshes.remove(mesh)


def no_bump_correction(material: bpy.types.Material) -> None:
    """Let light fall on normals that are not the mesh's as they are."""
    if hasattr(material.cycles, "use_bump_map_correction"):
        material.cycles.use_bump_map_correction = False


def new_action(name: str, owner: bpy.types.ID) -> bpy.types.Action:
    """A new action for datablocks of the owner's kind, with what F-curves need since 4.4: a slot, a layer, a strip. Nothing uses it yet."""
    action = bpy.data.actions.new(name)
    if hasattr(action, "layers"):
        action.slots.new(owner.id_type, owner.name)
        action.layers.new("Layer").strips.new(type="KEYFRAME")
    else:
        action.id_root = owner.id_type if hasattr(owner, "id_type") else "OBJECT"
    return action


def own_action(owner: bpy.types.ID, name: str) -> bpy.types.Action:
    """The action that animates a datablock; a new one called `name` if it has none. An action that is an asset is copied first."""
    animation = owner.animation_data or owner.animation_data_create()
    action = animation.action
    if action is not None and action.asset_data is not None:
        action = action.copy()
        action.asset_clear()
        action.name = name
        animation.action = action
    if action is None:
        action = new_action(name, owner)
        animation.action = action
    if hasattr(action, "layers") and animation.action_slot is None:
        fitting = [slot for slot in action.slots if slot.target_id_type in (owner.id_type, "UNSPECIFIED")]
        animation.action_slot = fitting[0] if fitting else action.slots.new(owner.id_type, owner.name)
    return action


def fcurve_of(owner: bpy.types.ID, action: bpy.types.Action, path: str, index: int, *, group: str = "") -> bpy.types.FCurve:
    """The F-curve of a property in an action, made if it is missing. The owner's slot is taken, if the action is the owner's, else the first."""
    curves: Any
    if hasattr(action, "layers"):
        animation = owner.animation_data
        own = animation is not None and animation.action == action
        slot = animation.action_slot if own and animation.action_slot is not None else action.slots[0]
        layer = action.layers[0] if len(action.layers) else action.layers.new("Layer")
        strip = layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")
        curves = strip.channelbag(slot, ensure=True)
    else:
        curves = action
    found = curves.fcurves.find(path, index=index)
    if found is None:
        found = curves.fcurves.new(path, index=index)
        if group:
            found.group = curves.groups.get(group) or curves.groups.new(group)
    return found
