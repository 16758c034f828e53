"""The live relief: a node group that pushes every vertex of a flat sheet out to its depth."""

from __future__ import annotations

from collections.abc import Callable, Generator

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.geometry import ASIDE, Grid
from . import compat

GROUP = "Stillscape Relief"
FILM_GROUP = "Stillscape Film Relief"
RAY = "stillscape_ray"
"""Name of the vertex attribute (u·z, v·z, z): u and v are the photo's UV. Divided by its last part anywhere inside a
face it gives exactly the UV under which the photo's camera saw that point, which the UV map of a slanted face does not
(UV interpolates linearly in space, not in the picture)."""
LOOKUP = "stillscape_lookup"
"""Name of the vertex attribute that tells where a vertex finds its depth (geometry.Grid.lookup)."""
TORN = "stillscape_torn"
"""Name of the face attribute that is 1 where neighbouring depths differ by more than the tear threshold."""
BACKED = "stillscape_backed"
"""Name of the vertex attribute that is 1 where another layer goes on behind this one."""
PHOTO_UV = "Photo"
OWN_UV = "UVMap"
VERSION = 2
NEVER = 10.0
"""A tear threshold that no difference of d reaches."""


def relief_group(*, film: bool = False) -> bpy.types.NodeTree:
    """The node group "Stillscape Relief", made on first use and shared by all layers.

    film: the group "Stillscape Film Relief" instead, whose depth is an image sequence that follows the scene's frame, from
    its first to its last picture. A group of its own, since one that reads the frame is evaluated anew in every one.

    z = 1 / (Strength·d·(1/Near − 1/Far) + 1/Far), d being the red channel of the photo's depth image, or of the layer's
    own hidden one, where the attribute LOOKUP says. Faces across which d jumps by more than Tear are marked TORN, for
    the material to open them.
    """
    name = FILM_GROUP if film else GROUP
    group = bpy.data.node_groups.get(name)
    if group is not None and group.bl_idname == "GeometryNodeTree" and group.get("stillscape") == VERSION:
        return group
    group = bpy.data.node_groups.new(name, "GeometryNodeTree")
    group["stillscape"] = VERSION
    group.is_modifier = True
    _interface(group, film=film)
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
    lookup = add("GeometryNodeInputNamedAttribute", data_type="FLOAT_VECTOR")
    lookup.inputs["Name"].default_value = LOOKUP
    kind = add("ShaderNodeSeparateXYZ")
    links.new(lookup.outputs["Attribute"], kind.inputs[0])

    if film:
        time = add("GeometryNodeInputSceneTime")
        frame = math("MAXIMUM", 1.0, math("MINIMUM", time.outputs["Frame"], given.outputs["Frames"]))
    else:
        frame = None

    def red(image_socket: str) -> bpy.types.NodeSocket:
        # The closest texel: a mixture of two would put vertices into the empty space between near and far.
        image = add("GeometryNodeImageTexture", interpolation="Closest", extension="EXTEND")
        links.new(given.outputs[image_socket], image.inputs["Image"])
        links.new(lookup.outputs["Attribute"], image.inputs["Vector"])
        if frame is not None:
            links.new(frame, image.inputs["Frame"])
        parts = add("FunctionNodeSeparateColor")
        links.new(image.outputs["Color"], parts.inputs[0])
        return parts.outputs[0]

    seen, hidden = red("Depth"), red("Hidden Depth")
    either = add("ShaderNodeMix", data_type="FLOAT")
    for socket, value in zip((s for s in either.inputs if s.enabled), (math("GREATER_THAN", kind.outputs["Z"], 0.5), seen, hidden)):
        links.new(value, socket)
    d = add("ShaderNodeClamp")  # a brush may paint below black or above white
    links.new(next(s for s in either.outputs if s.enabled), d.inputs["Value"])
    one_over_near = math("DIVIDE", 1.0, given.outputs["Near"])
    one_over_far = math("DIVIDE", 1.0, given.outputs["Far"])
    span = math("SUBTRACT", one_over_near, one_over_far)
    above_far = math("MULTIPLY", math("MULTIPLY", d.outputs[0], given.outputs["Strength"]), span)
    z = math(
        "DIVIDE",
        math("ADD", 1.0, math("MULTIPLY", math("LESS_THAN", kind.outputs["Z"], -0.5), ASIDE)),
        math("ADD", above_far, one_over_far),
    )

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
    # The spread of d over a face's corners: of a face between two depths, their difference.
    here = math("MULTIPLY", d.outputs[0], given.outputs["Strength"])

    def face_mean(value: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = add("GeometryNodeFieldOnDomain", data_type="FLOAT", domain="POINT")
        links.new(value, next(s for s in node.inputs if s.enabled))
        return next(s for s in node.outputs if s.enabled)

    mean = face_mean(here)
    variance = math("SUBTRACT", face_mean(math("MULTIPLY", here, here)), math("MULTIPLY", mean, mean))
    half_tear = math("MULTIPLY", given.outputs["Tear"], 0.5)
    torn = add("GeometryNodeStoreNamedAttribute", data_type="FLOAT", domain="FACE")
    torn.inputs["Name"].default_value = TORN
    links.new(store.outputs[0], torn.inputs["Geometry"])
    links.new(
        math("GREATER_THAN", variance, math("MULTIPLY", half_tear, half_tear)),
        next(s for s in torn.inputs if s.name == "Value" and s.enabled),
    )
    result = add("NodeGroupOutput")
    links.new(torn.outputs[0], result.inputs[0])
    for x, node in enumerate(nodes):
        node.location = (180 * (x // 3), -200 * (x % 3))
    return group


def _interface(group: bpy.types.NodeTree, *, film: bool) -> None:
    new = group.interface.new_socket
    new("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    new("Depth", in_out="INPUT", socket_type="NodeSocketImage", description="White is near; paint it and the mesh follows")
    new("Hidden Depth", in_out="INPUT", socket_type="NodeSocketImage", description="The depth of what other layers cover")
    for name, default, text in (
        ("Near", 1.0, "Distance of white in the depth map"),
        ("Far", 20.0, "Distance of black in the depth map"),
    ):
        socket = new(name, in_out="INPUT", socket_type="NodeSocketFloat", description=text)
        socket.subtype, socket.default_value, socket.min_value = "DISTANCE", default, 1e-4
    strength = new("Strength", in_out="INPUT", socket_type="NodeSocketFloat", description="How deep the relief is: 0 is flat")
    strength.default_value, strength.min_value, strength.max_value = 1.0, 0.0, 4.0
    tear = new("Tear", in_out="INPUT", socket_type="NodeSocketFloat", description="How different neighboring depths must be to come apart")
    tear.default_value, tear.min_value, tear.max_value = NEVER, 0.0, NEVER
    if film:
        frames = new("Frames", in_out="INPUT", socket_type="NodeSocketInt", description="How many pictures the depth has")
        frames.default_value, frames.min_value = 1, 1
    new("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")


def sheet_mesh_in_steps(
    name: str, grid: Grid, own_uv: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> Generator[str, None, bpy.types.Mesh]:
    """A mesh of `grid`, shaded smooth; in pieces, see `build_in_steps`.

    Its UV maps: "Photo" for the photo and its depth (active), "UVMap" for the layer's own images, which `own_uv` makes of
    the photo's (both float32 N×2).
    """
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
    for layer, uv in ((OWN_UV, own_uv(grid.uv)), (PHOTO_UV, grid.uv)):
        mesh.uv_layers.new(name=layer, do_init=False)
        mesh.uv_layers[layer].data.foreach_set("uv", np.ascontiguousarray(uv[corners].ravel()))
    mesh.attributes.new(LOOKUP, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", np.ascontiguousarray(grid.lookup.ravel()))
    mesh.attributes.new(BACKED, "FLOAT", "POINT").data.foreach_set("value", grid.backed)
    mesh.uv_layers.active = mesh.uv_layers[PHOTO_UV]
    mesh.polygons.foreach_set("use_smooth", np.ones(faces, bool))
    return mesh


def add_relief(
    layer: bpy.types.Object, depth: bpy.types.Image, hidden: bpy.types.Image | None, root: bpy.types.Object, *, frames: int | None = None
) -> bpy.types.NodesModifier:
    """Give a layer object the relief modifier, or update the one that it has; its numbers follow those on `root` (see `set_numbers`).

    frames: how many pictures `depth` has, if it is an image sequence.
    """
    modifier = relief_modifier(layer)
    if modifier is None:
        modifier = layer.modifiers.new("Relief", "NODES")
        modifier.node_group = relief_group(film=frames is not None)
        for name in NUMBERS:
            compat.drive_modifier_input(layer, modifier, name, root, f'["{name}"]')
    compat.set_modifier_input(modifier, "Depth", depth)
    compat.set_modifier_input(modifier, "Hidden Depth", hidden)
    if frames is not None:
        compat.set_modifier_input(modifier, "Frames", frames)
    layer.update_tag()
    return modifier


NUMBERS = ("Near", "Far", "Strength", "Tear")
"""Custom properties of the root empty that all layers of a photo follow, and inputs of their modifiers."""


def set_numbers(root: bpy.types.Object, *, near: float, far: float, strength: float, tear: float) -> None:
    """Write the numbers of the relief on the root empty, where a panel shows them: metres, metres, a factor, a difference of d."""
    for name, value, low, high, text in (
        ("Near", near, 1e-4, 1e6, "Distance of white in the depth map"),
        ("Far", far, 1e-4, 1e7, "Distance of black in the depth map"),
        ("Strength", strength, 0.0, 4.0, "How deep the relief is: 0 is flat"),
        ("Tear", tear, 0.0, NEVER, "How different neighboring depths must be to come apart"),
    ):
        root[name] = float(value)
        unit = {"subtype": "DISTANCE"} if name in ("Near", "Far") else {}
        root.id_properties_ui(name).update(
            min=low, max=high, soft_max=high if name == "Strength" else 1.0 if name == "Tear" else high, description=text, **unit
        )
    root.update_tag()


def numbers(root: bpy.types.Object) -> tuple[float, float, float]:
    """(near, far, strength) as they are now."""
    return float(root["Near"]), float(root["Far"]), float(root["Strength"])


def relief_modifier(layer: bpy.types.Object) -> bpy.types.NodesModifier | None:
    """The relief modifier of a layer object, or None if it is not one of ours."""
    for modifier in layer.modifiers:
        if modifier.type == "NODES" and modifier.node_group is not None and modifier.node_group.get("stillscape"):
            return modifier
    return None
