"""The live relief: a node group that pushes every vertex of a flat sheet out to its depth."""

from __future__ import annotations

from collections.abc import Generator

import bpy
import numpy as np

from ..vision.geometry import Grid
from . import compat

GROUP = "Stillscape Relief"
RAY = "stillscape_ray"
"""Name of the vertex attribute (u·z, v·z, z): u and v are the photo's UV. Divided by its last part anywhere inside a
face it gives exactly the UV under which the photo's camera saw that point, which the UV map of a slanted face does not
(UV interpolates linearly in space, not in the picture)."""
PHOTO_UV = "Photo"
OWN_UV = "UVMap"


def relief_group() -> bpy.types.NodeTree:
    """The node group "Stillscape Relief", made on first use and shared by all layers.

    z = 1 / (Strength·d·(1/Near − 1/Far) + 1/Far), d being the red channel of the depth image at the layer's own UV.
    """
    group = bpy.data.node_groups.get(GROUP)
    if group is not None and group.bl_idname == "GeometryNodeTree" and group.get("stillscape") == 1:
        return group
    group = bpy.data.node_groups.new(GROUP, "GeometryNodeTree")
    group["stillscape"] = 1
    group.is_modifier = True
    _interface(group)
    nodes, links = group.nodes, group.links

    def add(kind: str, **properties: object) -> bpy.types.Node:
        node = nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        return node

    def math(operation: str, a: bpy.types.NodeSocket | float, b: bpy.types.NodeSocket | float = 0.0) -> bpy.types.NodeSocket:
        node = add("ShaderNodeMath", operation=operation)
        for socket, value in zip(node.inputs, (a, b)):
            if isinstance(value, bpy.types.NodeSocket):
                links.new(value, socket)
            else:
                socket.default_value = value
        return node.outputs[0]

    given = add("NodeGroupInput")
    own = add("GeometryNodeInputNamedAttribute", data_type="FLOAT_VECTOR")
    own.inputs["Name"].default_value = OWN_UV
    # The closest texel: a mixture of two would put vertices into the empty space between near and far.
    image = add("GeometryNodeImageTexture", interpolation="Closest", extension="MIRROR")
    links.new(given.outputs["Depth"], image.inputs["Image"])
    links.new(own.outputs["Attribute"], image.inputs["Vector"])
    red = add("FunctionNodeSeparateColor")
    links.new(image.outputs["Color"], red.inputs[0])
    d = add("ShaderNodeClamp")  # a brush may paint below black or above white
    links.new(red.outputs[0], d.inputs["Value"])
    one_over_near = math("DIVIDE", 1.0, given.outputs["Near"])
    one_over_far = math("DIVIDE", 1.0, given.outputs["Far"])
    span = math("SUBTRACT", one_over_near, one_over_far)
    above_far = math("MULTIPLY", math("MULTIPLY", d.outputs[0], given.outputs["Strength"]), span)
    z = math("DIVIDE", 1.0, math("ADD", above_far, one_over_far))

    position = add("GeometryNodeInputPosition")
    scaled = add("ShaderNodeVectorMath", operation="SCALE")
    links.new(position.outputs[0], scaled.inputs[0])
    links.new(z, scaled.inputs["Scale"])
    move = add("GeometryNodeSetPosition")
    links.new(given.outputs["Geometry"], move.inputs["Geometry"])
    links.new(scaled.outputs[0], move.inputs["Position"])

    photo = add("GeometryNodeInputNamedAttribute", data_type="FLOAT_VECTOR")
    photo.inputs["Name"].default_value = PHOTO_UV
    parts = add("ShaderNodeSeparateXYZ")
    links.new(photo.outputs["Attribute"], parts.inputs[0])
    ray = add("ShaderNodeCombineXYZ")
    links.new(math("MULTIPLY", parts.outputs["X"], z), ray.inputs["X"])
    links.new(math("MULTIPLY", parts.outputs["Y"], z), ray.inputs["Y"])
    links.new(z, ray.inputs["Z"])
    store = add("GeometryNodeStoreNamedAttribute", data_type="FLOAT_VECTOR", domain="POINT")
    store.inputs["Name"].default_value = RAY
    links.new(move.outputs[0], store.inputs["Geometry"])
    links.new(ray.outputs[0], next(s for s in store.inputs if s.name == "Value" and s.enabled))
    result = add("NodeGroupOutput")
    links.new(store.outputs[0], result.inputs[0])
    for x, node in enumerate(nodes):
        node.location = (180 * (x // 3), -200 * (x % 3))
    return group


def _interface(group: bpy.types.NodeTree) -> None:
    new = group.interface.new_socket
    new("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    new("Depth", in_out="INPUT", socket_type="NodeSocketImage", description="White is near; paint it and the mesh follows")
    for name, default, text in (
        ("Near", 1.0, "Distance of white in the depth map"),
        ("Far", 20.0, "Distance of black in the depth map"),
    ):
        socket = new(name, in_out="INPUT", socket_type="NodeSocketFloat", description=text)
        socket.subtype, socket.default_value, socket.min_value = "DISTANCE", default, 1e-4
    strength = new("Strength", in_out="INPUT", socket_type="NodeSocketFloat", description="How deep the relief is: 0 is flat")
    strength.default_value, strength.min_value, strength.max_value = 1.0, 0.0, 4.0
    new("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")


def sheet_mesh_in_steps(name: str, grid: Grid) -> Generator[str, None, bpy.types.Mesh]:
    """A mesh of `grid` with the UV maps "UVMap" (active) and "Photo", shaded smooth; in pieces, see `build_in_steps`."""
    mesh = bpy.data.meshes.new(name)
    vertices, faces = len(grid.position), len(grid.faces)
    mesh.vertices.add(vertices)
    mesh.vertices.foreach_set("co", grid.position.ravel())
    mesh.loops.add(faces * 4)
    corners = np.ascontiguousarray(grid.faces.ravel())
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(faces)
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces * 4, 4, dtype=np.int32))
    yield "Building the mesh: edges"
    mesh.update(calc_edges=True)
    yield "Building the mesh: texture coordinates"
    corner_uv = np.ascontiguousarray(grid.uv[corners].ravel())
    for layer in (OWN_UV, PHOTO_UV):
        mesh.uv_layers.new(name=layer, do_init=False)
        mesh.uv_layers[layer].data.foreach_set("uv", corner_uv)
    mesh.uv_layers.active = mesh.uv_layers[OWN_UV]
    mesh.polygons.foreach_set("use_smooth", np.ones(faces, bool))
    return mesh


def add_relief(layer: bpy.types.Object, depth: bpy.types.Image, near: float, far: float, strength: float) -> bpy.types.NodesModifier:
    """Give a layer object the relief modifier, or update the one that it has."""
    modifier = relief_modifier(layer)
    if modifier is None:
        modifier = layer.modifiers.new("Relief", "NODES")
        modifier.node_group = relief_group()
    for name, value in (("Depth", depth), ("Near", float(near)), ("Far", float(far)), ("Strength", float(strength))):
        compat.set_modifier_input(modifier, name, value)
    layer.update_tag()
    return modifier


def relief_modifier(layer: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """The relief modifier of a layer object, or None if it is not one of ours."""
    for modifier in layer.modifiers:
        if modifier.type == "NODES" and modifier.node_group is not None and modifier.node_group.get("stillscape") == 1:
            return modifier
    return None
