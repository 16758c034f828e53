"""The photo material: the photo as light, exact at rest, mixed by one value towards a lit surface.

How the texture is looked up. A film pixel is the mean of its samples. Were the texture read at every sample, a sharp
photo would come out blurred (smooth texels) or in blocks once the camera nears (closest texels), and noisy at few
samples in between. So, as graphics cards do with multisampling, coverage is sampled and colour is not: every sample
reads the texture where the *middle of its film pixel* meets the surface's distance. At rest that is the photo's own
pixel, whatever the depth, at any number of samples; moved, it is a smooth interpolation of the photo without noise.

The middle of the pixel comes from the Window coordinate and the film's size, the way from there to the surface from the
camera's own tangents; both are kept up to date by drivers of Blender's simple-expression kind, so that a saved file
needs neither add-on nor autoexec. In a panorama it comes from the angles that a pixel stands for (see `showing`).

How silhouettes are drawn. Every layer goes on a little past its rim, and its matte, not the mesh, decides where it ends.
The matte, the rims' repainted colours and the opening of torn and stretched faces all take effect as the layer moves
against what is before or behind it, from nothing to a pixel: from where the photo was taken every layer shows the photo as it is.
A lens that is wide open sees from beside that place as well, so that its blur counts as motion; and for shadows layers always
end at their mattes.

A rigged mesh moves although the camera does not: there the way that a point has gone from its pixel in the photo counts as well,
and what its layer covers of others shows their fill from the start (see rig_material.py). Both are inputs that are 0 elsewhere.

Relight, haze and vignette are mixes of shaders with factors that are 0 unless asked for; Cycles leaves such a mix out altogether.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import bpy

from ..vision.geometry import MOVED, OPENS, PARTED, RayMap
from . import compat
from . import light as lights
from .relief import BACKED, RAY, TORN

LOOKUP = "Stillscape Photo Lookup"
VERSION = 7
LAYER = "Stillscape Layer"
SURFACE = "Stillscape Photo Surface"
RIGGED = "Rigged"
"""Input of the lookup group: 1 for a mesh that an armature moves."""
UNCOVERED = "Uncovered"
"""Input of the layer group: 1 where a rigged mesh covers it at rest, and may move away."""
_NO_RUBBER = 0.65  # so much more stretch opens torn faces and no others
_SHADOWS = (0.1, 0.2)  # of the distance: how far before what they fall on shadows begin
_VIGNETTE = (0.4, 1.0)  # of half the film's diagonal: where it begins, and where it is full


class _Graph:
    """Short names for wiring a node tree."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(self, kind: str, **properties: object) -> bpy.types.Node:
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        return node

    def put(self, socket: bpy.types.NodeSocket, value: object) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, *values: object) -> bpy.types.NodeSocket:
        node = self.add("ShaderNodeMath", operation=operation)
        for socket, value in zip(node.inputs, values):
            self.put(socket, value)
        return node.outputs[0]

    def mix(self, kind: str, factor: object, a: object, b: object) -> bpy.types.NodeSocket:
        """a or b, or what lies between them; kind: "FLOAT" or "RGBA". Cycles leaves out what a constant 0 or 1 does not need."""
        node = self.add("ShaderNodeMix", data_type=kind, clamp_factor=False)
        for socket, value in zip((s for s in node.inputs if s.enabled), (factor, a, b)):
            self.put(socket, value)
        return next(s for s in node.outputs if s.enabled)

    def separate(self, vector: bpy.types.NodeSocket) -> list[bpy.types.NodeSocket]:
        node = self.add("ShaderNodeSeparateXYZ")
        self.put(node.inputs[0], vector)
        return list(node.outputs)

    def combine(self, *values: object) -> bpy.types.NodeSocket:
        node = self.add("ShaderNodeCombineXYZ")
        for socket, value in zip(node.inputs, values):
            self.put(socket, value)
        return node.outputs[0]

    def arrange(self) -> None:
        for i, node in enumerate(self.tree.nodes):
            node.location = (200 * (i // 4), -220 * (i % 4))


def lookup_group() -> bpy.types.NodeTree:
    """Node group: photo UV of the middle of the film pixel that is being shaded, and how the point has moved since the photo.

    Moved: 0 to 1 as the point's parallax against what may lie before or behind it, at the nearest and at the farthest
    distance, grows to a film pixel. Stretch: how much longer its face looks than from the photo's camera, apart from
    size; 1 is not at all.
    """
    group = bpy.data.node_groups.get(LOOKUP)
    if group is not None and group.get("stillscape") == VERSION:
        return group
    group = bpy.data.node_groups.new(LOOKUP, "ShaderNodeTree")
    group["stillscape"] = VERSION
    for name, default, text in (
        ("Film Width", 1920.0, "Width of the film in pixels"),
        ("Film Height", 1080.0, "Height of the film in pixels"),
        ("Pixel Tangent", 0.001, "Size of a film pixel at distance 1"),
        ("Photo Tangent Width", 1.0, "Width of the photo at distance 1"),
        ("Photo Tangent Height", 1.0, "Height of the photo at distance 1"),
        ("Axis U", 0.5, "Where the optical axis meets the photo"),
        ("Axis V", 0.5, "Where the optical axis meets the photo"),
        ("Near", 1.0, "Distance of white in the depth map"),
        ("Far", 20.0, "Distance of black in the depth map"),
        ("Panorama", 0.0, "1: the camera is equirectangular and sees the half sphere before it"),
        ("Border", 0.0, "1: the photo ends at its border"),
        ("Feather", 0.0, "Over how much of its width it fades there"),
        ("Grey Near", 1.0, "Distance that is white where the depth is shown"),
        ("Grey Far", 20.0, "Distance that is black where the depth is shown"),
        ("Lens", 0.0, "Film pixels by which near and far part between the middle and the rim of the lens"),
        ("Relight", 0.0, "Above 0 light falls on the scene"),
    ):
        socket = group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat", description=text)
        socket.default_value = default
    group.interface.new_socket("UV", in_out="OUTPUT", socket_type="NodeSocketVector")
    group.interface.new_socket("Moved", in_out="OUTPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Stretch", in_out="OUTPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Inside", in_out="OUTPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Grey", in_out="OUTPUT", socket_type="NodeSocketFloat")
    # Last, so that those of older files keep their identifiers, and with them their links.
    rigged = group.interface.new_socket(
        RIGGED, in_out="INPUT", socket_type="NodeSocketFloat", description="1: the mesh itself moves, not only the camera"
    )
    rigged.default_value = 0.0
    g = _Graph(group)
    given = g.add("NodeGroupInput").outputs
    coordinates = g.add("ShaderNodeTexCoord").outputs
    window = g.separate(coordinates["Window"])
    # From the sample to the middle of its film pixel, in pixels.
    aside = [
        g.math("SUBTRACT", 0.5, g.math("FRACT", g.math("MULTIPLY", at, given[size])))
        for at, size in ((window[0], "Film Width"), (window[1], "Film Height"))
    ]
    panorama = given["Panorama"]
    seen = g.add("ShaderNodeCameraData").outputs
    distance = g.mix("FLOAT", panorama, seen["View Z Depth"], seen["View Distance"])
    pixel = g.mix("FLOAT", panorama, given["Pixel Tangent"], g.math("DIVIDE", math.pi, given["Film Height"]))
    step = g.math("MULTIPLY", seen["View Z Depth"], given["Pixel Tangent"])
    flat = (*(g.math("MULTIPLY", a, step) for a in aside), 0.0)
    turned = _turned(g, coordinates["Camera"], seen["View Distance"], (aside[0], aside[1]), pixel)
    # From the render camera's plane into the layer's own axes; takes a scaled, turned or rolled scene along.
    to_layer = g.add("ShaderNodeVectorTransform", vector_type="VECTOR", convert_from="CAMERA", convert_to="OBJECT")
    # Number by number: of a mixture of vectors Cycles works out both, even where it takes one.
    g.put(to_layer.inputs[0], g.combine(*(g.mix("FLOAT", panorama, a, b) for a, b in zip(flat, turned))))
    dx, dy, dz = g.separate(to_layer.outputs[0])
    uz, vz, z = g.separate(g.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=RAY).outputs["Vector"])
    depth = g.math("ADD", z, dy)

    def shifted(at: bpy.types.NodeSocket, across: bpy.types.NodeSocket, tangent: str, axis: str) -> bpy.types.NodeSocket:
        moved = g.math("MULTIPLY_ADD", dy, given[axis], g.math("DIVIDE", across, given[tangent]))
        return g.math("DIVIDE", g.math("ADD", at, moved), depth)

    u = shifted(uz, dx, "Photo Tangent Width", "Axis U")
    v = shifted(vz, dz, "Photo Tangent Height", "Axis V")
    result = g.add("NodeGroupOutput")
    g.put(result.inputs["UV"], g.combine(u, v, 0.0))
    # The render camera in the layer's own axes, whose origin is where the photo was taken.
    to_here = g.add("ShaderNodeVectorTransform", vector_type="POINT", convert_from="CAMERA", convert_to="OBJECT")
    to_here.inputs[0].default_value = (0.0, 0.0, 0.0)
    camera = to_here.outputs[0]
    point = coordinates["Object"]
    # Light that falls on the scene is stopped by what is there, not by what only the photo's camera takes for it.
    other = g.math("SUBTRACT", 1.0, g.add("ShaderNodeLightPath").outputs["Is Camera Ray"])
    other = g.math("MULTIPLY", g.math("GREATER_THAN", given["Relight"], 0.0), other)
    more = g.math("ADD", given["Lens"], other)
    axes = [(given["Photo Tangent Width"], given["Axis U"]), (given["Photo Tangent Height"], given["Axis V"])]
    more = g.math("ADD", more, g.math("MULTIPLY", given[RIGGED], _displaced(g, point, (uz, vz, z), axes, pixel)))
    g.put(result.inputs["Moved"], _moved(g, camera, point, (given["Near"], given["Far"]), pixel, more))
    g.put(result.inputs["Stretch"], g.math("ADD", _stretch(g, camera, point, panorama), g.math("MULTIPLY", other, _NO_RUBBER)))
    # Where the photo is to end at its border: 1 inside, 0 past it.
    edge = g.math("MAXIMUM", *(g.math("ABSOLUTE", g.math("SUBTRACT", a, 0.5)) for a in (u, v)))
    past = g.math("DIVIDE", g.math("ADD", g.math("SUBTRACT", edge, 0.5), given["Feather"]), g.math("MAXIMUM", given["Feather"], 1e-6))
    past_ = g.add("ShaderNodeClamp")
    g.put(past_.inputs["Value"], past)
    g.put(result.inputs["Inside"], g.math("SUBTRACT", 1.0, g.math("MULTIPLY", past_.outputs[0], given["Border"])))
    # Disparity in shares of the way from black to white, as in a depth map.
    nearest, farthest, here = (g.math("DIVIDE", 1.0, a) for a in (given["Grey Near"], given["Grey Far"], distance))
    grey = g.add("ShaderNodeClamp")
    g.put(grey.inputs["Value"], g.math("DIVIDE", g.math("SUBTRACT", here, farthest), g.math("SUBTRACT", nearest, farthest)))
    g.put(result.inputs["Grey"], grey.outputs[0])
    g.arrange()
    return group


def _turned(
    g: _Graph,
    point: bpy.types.NodeSocket,
    distance: bpy.types.NodeSocket,
    aside: tuple[bpy.types.NodeSocket, bpy.types.NodeSocket],
    pixel: bpy.types.NodeSocket,
) -> list[bpy.types.NodeSocket]:
    """The way from a point that an equirectangular camera sees to one at the same distance, `aside` (right, up) by so many pixels.

    point: in the axes that Cycles gives a panoramic camera, x forward, y to the left, z up (intern/cycles/blender/camera.cpp,
    blender_camera_matrix). pixel: the angle of a pixel.
    """
    x, y, z = g.separate(point)
    across = g.math("SUBTRACT", g.math("ARCTAN2", y, x), g.math("MULTIPLY", aside[0], pixel))
    up = g.math("ADD", g.math("ARCSINE", g.math("DIVIDE", z, distance)), g.math("MULTIPLY", aside[1], pixel))
    level = g.math("MULTIPLY", distance, g.math("COSINE", up))
    to = (
        g.math("MULTIPLY", level, g.math("COSINE", across)),
        g.math("MULTIPLY", level, g.math("SINE", across)),
        g.math("MULTIPLY", distance, g.math("SINE", up)),
    )
    return [g.math("SUBTRACT", a, b) for a, b in zip(to, (x, y, z))]


def _moved(
    g: _Graph, camera: bpy.types.NodeSocket, point: bpy.types.NodeSocket, others: tuple[object, object], pixel: object, more: object
) -> bpy.types.NodeSocket:
    """0 to 1 as the point's parallax grows from a twentieth to a whole film pixel. more: film pixels that are added to it.

    Against a point on the same ray, as the photo's camera saw it, at one of the distances `others`; the greater counts.
    """
    c = g.separate(camera)
    p = g.separate(point)
    ray = [g.math("DIVIDE", p[axis], g.math("MAXIMUM", p[1], 1e-4)) for axis in (0, 2)]

    def tangents(at: list[bpy.types.NodeSocket], depth: object) -> list[bpy.types.NodeSocket]:
        away = g.math("MAXIMUM", g.math("SUBTRACT", depth, c[1]), 1e-4)
        return [g.math("DIVIDE", g.math("SUBTRACT", a, c[axis]), away) for a, axis in zip(at, (0, 2))]

    own = tangents([p[0], p[2]], p[1])
    apart = []
    for depth in others:
        other = tangents([g.math("MULTIPLY", r, depth) for r in ray], depth)
        across, up = (g.math("SUBTRACT", a, b) for a, b in zip(own, other))
        apart.append(g.math("SQRT", g.math("MULTIPLY_ADD", across, across, g.math("MULTIPLY", up, up))))
    ramp = g.add("ShaderNodeMapRange", clamp=True)
    for name, value in zip(
        ("Value", "From Min", "From Max"), (g.math("ADD", g.math("DIVIDE", g.math("MAXIMUM", *apart), pixel), more), *MOVED)
    ):
        g.put(ramp.inputs[name], value)
    return ramp.outputs[0]


def _displaced(
    g: _Graph,
    point: bpy.types.NodeSocket,
    ray: tuple[bpy.types.NodeSocket, ...],
    axes: list[tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]],
    pixel: bpy.types.NodeSocket,
) -> bpy.types.NodeSocket:
    """Film pixels between where the photo's camera sees a point of a rigged mesh and where the photo shows it.

    ray: the attribute RAY at rest. axes: tangents that the photo spans and where the optical axis meets it, across and up.
    """
    p = g.separate(point)
    away, z = g.math("MAXIMUM", p[1], 1e-4), g.math("MAXIMUM", ray[2], 1e-4)
    gone = [
        g.math("SUBTRACT", g.math("DIVIDE", at, away), g.math("MULTIPLY", g.math("SUBTRACT", g.math("DIVIDE", rest, z), middle), span))
        for at, rest, (span, middle) in zip((p[0], p[2]), ray, axes)
    ]
    return g.math("DIVIDE", g.math("SQRT", g.math("MULTIPLY_ADD", gone[0], gone[0], g.math("MULTIPLY", gone[1], gone[1]))), pixel)


def _stretch(g: _Graph, camera: bpy.types.NodeSocket, point: bpy.types.NodeSocket, panorama: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """|n·(P−C)| / |n·P| · z₀/z: the face's area in the film over that in the photo, after the change of size.

    The area that a small face at P with normal n takes in a picture from C is proportional to |n·(P−C)|/z³; a face
    square to the view has just its size changed, by (z₀/z)², which is divided out. On a sphere the distances take the place of z.
    """

    def dot(a: bpy.types.NodeSocket, b: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = g.add("ShaderNodeVectorMath", operation="DOT_PRODUCT")
        g.put(node.inputs[0], a)
        g.put(node.inputs[1], b)
        return g.math("ABSOLUTE", node.outputs["Value"])

    normal = g.add("ShaderNodeVectorTransform", vector_type="NORMAL", convert_from="WORLD", convert_to="OBJECT")
    g.put(normal.inputs[0], g.add("ShaderNodeNewGeometry").outputs["True Normal"])
    seen = g.add("ShaderNodeVectorMath", operation="SUBTRACT")
    g.put(seen.inputs[0], point)
    g.put(seen.inputs[1], camera)
    area = g.math("DIVIDE", dot(normal.outputs[0], seen.outputs[0]), g.math("MAXIMUM", dot(normal.outputs[0], point), 1e-9))
    depth = g.math("MAXIMUM", g.add("ShaderNodeCameraData").outputs["View Z Depth"], 1e-4)

    def length(a: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = g.add("ShaderNodeVectorMath", operation="LENGTH")
        g.put(node.inputs[0], a)
        return node.outputs["Value"]

    nearer = g.math("DIVIDE", length(point), g.math("MAXIMUM", length(seen.outputs[0]), 1e-4))
    return g.math("MULTIPLY", area, g.mix("FLOAT", panorama, g.math("DIVIDE", g.separate(point)[1], depth), nearer))


def layer_group() -> bpy.types.NodeTree:
    """Node group: what a layer shows where, from the photo, its own repainted colours and its matte."""
    group = bpy.data.node_groups.get(LAYER)
    if group is not None and group.get("stillscape") == VERSION:
        return group
    group = bpy.data.node_groups.new(LAYER, "ShaderNodeTree")
    group["stillscape"] = VERSION
    for name, kind, default, text in (
        ("Photo", "Color", None, ""),
        ("Photo Alpha", "Float", 1.0, ""),
        ("Fill", "Color", None, "Colors where the photo does not show this layer"),
        ("Fill Alpha", "Float", 0.0, "Where they take the photo's place"),
        ("Matte", "Float", 1.0, "Where the layer is"),
        ("UV", "Vector", None, "Where in the photo"),
        ("Moved", "Float", 0.0, "0 from where the photo was taken"),
        ("Stretch", "Float", 1.0, ""),
        ("Most Stretch", "Float", OPENS[0], "Faces that look longer than this many times open where another layer is behind"),
    ):
        socket = group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}", description=text)
        if default is not None:
            socket.default_value = default
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Matte", in_out="OUTPUT", socket_type="NodeSocketFloat")
    group.interface.new_socket("Filled", in_out="OUTPUT", socket_type="NodeSocketFloat", description="Where the colors behind show")
    uncovered = group.interface.new_socket(  # last: see above
        UNCOVERED, in_out="INPUT", socket_type="NodeSocketFloat", description="1 where a rigged mesh stands before this layer"
    )
    uncovered.default_value = 0.0
    g = _Graph(group)
    given = g.add("NodeGroupInput").outputs
    u, v, _ = g.separate(given["UV"])
    # Past the photo's border there is nothing but the fill, moved or not.
    border = g.math("MAXIMUM", *(g.math("ABSOLUTE", g.math("SUBTRACT", a, 0.5)) for a in (u, v)))
    gone = g.math("MAXIMUM", g.math("MAXIMUM", given["Moved"], given[UNCOVERED]), g.math("GREATER_THAN", border, 0.5))
    share = g.math("MULTIPLY", given["Fill Alpha"], gone)
    mix = g.add("ShaderNodeMix", data_type="RGBA")
    for socket, value in zip((s for s in mix.inputs if s.enabled), (share, given["Photo"], given["Fill"])):
        g.put(socket, value)
    # Matte, then what opens: torn faces and stretched ones, where something is behind.
    backed = g.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=BACKED).outputs["Fac"]
    torn = g.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=TORN).outputs["Fac"]

    def exceeds(least: object, most: object) -> bpy.types.NodeSocket:
        ramp = g.add("ShaderNodeMapRange", clamp=True)
        for name, value in zip(("Value", "From Min", "From Max"), (given["Stretch"], least, most)):
            g.put(ramp.inputs[name], value)
        return ramp.outputs[0]

    stretched = exceeds(given["Most Stretch"], g.math("MULTIPLY", given["Most Stretch"], OPENS[1] / OPENS[0]))
    # Faces between two depths come apart sooner, but not where they are seen as the photo saw them.
    parted = g.math("MULTIPLY", torn, exceeds(*PARTED))
    open_ = g.math("MULTIPLY", g.math("MAXIMUM", parted, stretched), backed)
    kept = g.math("MULTIPLY", given["Matte"], g.math("SUBTRACT", 1.0, open_))
    matte = g.math("SUBTRACT", 1.0, g.math("MULTIPLY", given["Moved"], g.math("SUBTRACT", 1.0, kept)))
    alpha = g.add("ShaderNodeMix", data_type="FLOAT")
    for socket, value in zip((s for s in alpha.inputs if s.enabled), (share, given["Photo Alpha"], 1.0)):
        g.put(socket, value)
    result = g.add("NodeGroupOutput")
    g.put(result.inputs["Color"], next(s for s in mix.outputs if s.enabled))
    g.put(result.inputs["Matte"], g.math("MULTIPLY", matte, next(s for s in alpha.outputs if s.enabled)))
    g.put(result.inputs["Filled"], share)
    g.arrange()
    return group


def _surface_group() -> bpy.types.NodeTree:
    """Node group: the photo's colour as emission to camera rays, mixed with a lit surface, behind haze, cut out by the matte."""
    group = bpy.data.node_groups.get(SURFACE)
    if group is not None and group.get("stillscape") == VERSION:
        return group
    group = bpy.data.node_groups.new(SURFACE, "ShaderNodeTree")
    group["stillscape"] = VERSION
    new = group.interface.new_socket
    new("Photo", in_out="INPUT", socket_type="NodeSocketColor")
    for name, value, text in (
        ("Matte", 1.0, "0 is see-through"),
        ("Relight", 0.0, "0: as shot. 1: lit by the scene's own lights"),
        ("Fill Light", 0.25, "Light in the shadows, as a share of the photo's own"),
        ("Vignette", 0.0, "How much darker the corners are"),
    ):
        socket = new(name, in_out="INPUT", socket_type="NodeSocketFloat", description=text)
        socket.default_value, socket.min_value, socket.max_value, socket.subtype = value, 0.0, 1.0, "FACTOR"
    inside = new("Inside", in_out="INPUT", socket_type="NodeSocketFloat", description="0 past the photo's border, where it ends there")
    inside.default_value = 1.0
    grey = new("Grey", in_out="INPUT", socket_type="NodeSocketFloat", description="What is shown in place of the photo")
    shows = new("Show Grey", in_out="INPUT", socket_type="NodeSocketFloat", description="1: the depth instead of the photo")
    grey.default_value = shows.default_value = 0.0
    normal = new("Normal", in_out="INPUT", socket_type="NodeSocketVector", description="Of the lit surface")
    normal.hide_value = True
    haze = new("Haze", in_out="INPUT", socket_type="NodeSocketFloat", description="Density: what is hidden of a metre more")
    haze.default_value, haze.min_value = 0.0, 0.0
    new("Haze Color", in_out="INPUT", socket_type="NodeSocketColor")
    new("Surface", in_out="OUTPUT", socket_type="NodeSocketShader")
    g = _Graph(group)
    given = g.add("NodeGroupInput").outputs
    # To camera rays only, or the photo would light itself as soon as the scene has bounces.
    seen = g.add("ShaderNodeLightPath").outputs["Is Camera Ray"]

    def emission(colour: object, strength: object) -> bpy.types.NodeSocket:
        node = g.add("ShaderNodeEmission")
        g.put(node.inputs["Color"], colour)
        g.put(node.inputs["Strength"], strength)
        return node.outputs[0]

    def mix(factor: bpy.types.NodeSocket, a: bpy.types.NodeSocket, b: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = g.add("ShaderNodeMixShader")
        for socket, value in zip(node.inputs, (factor, a, b)):
            g.put(socket, value)
        return node.outputs[0]

    bright = g.add("ShaderNodeVectorMath", operation="SCALE")
    g.put(bright.inputs[0], given["Photo"])
    g.put(bright.inputs["Scale"], g.math("SUBTRACT", 1.0, given["Fill Light"]))
    diffuse = g.add("ShaderNodeBsdfDiffuse")
    g.put(diffuse.inputs["Color"], bright.outputs[0])
    g.put(diffuse.inputs["Normal"], given["Normal"])
    lit = g.add("ShaderNodeAddShader")
    g.put(lit.inputs[0], diffuse.outputs[0])
    g.put(lit.inputs[1], emission(given["Photo"], g.math("MULTIPLY", seen, given["Fill Light"])))
    photo = g.math("SUBTRACT", 1.0, given["Show Grey"])
    grey_ = g.combine(given["Grey"], given["Grey"], given["Grey"])
    shown = mix(
        g.math("MULTIPLY", given["Relight"], photo),
        emission(g.mix("RGBA", given["Show Grey"], given["Photo"], grey_), seen),
        lit.outputs[0],
    )
    by = g.math("MULTIPLY", seen, photo)  # depth that is shown has nothing before it
    # 1 - exp(-density · distance), of the light that comes to the camera.
    away = g.add("ShaderNodeCameraData").outputs["View Distance"]
    clear = g.math("EXPONENT", g.math("MULTIPLY", g.math("MULTIPLY", given["Haze"], -1.0), away))
    hazy = g.math("MULTIPLY", g.math("SUBTRACT", 1.0, clear), by)
    shown = mix(hazy, shown, emission(given["Haze Color"], 1.0))
    dark = g.math("MULTIPLY", g.math("MULTIPLY", given["Vignette"], _off_middle(g)), by)
    shown = mix(dark, shown, emission((0.0, 0.0, 0.0, 1.0), 0.0))
    stops = g.math("SUBTRACT", 1.0, g.math("MULTIPLY", g.math("GREATER_THAN", given["Relight"], 0.0), _too_close(g)))
    kept = g.math("MULTIPLY", g.math("MULTIPLY", given["Matte"], given["Inside"]), stops)
    shown = mix(kept, g.add("ShaderNodeBsdfTransparent").outputs[0], shown)
    g.put(g.add("NodeGroupOutput").inputs["Surface"], shown)
    g.arrange()
    return group


def _too_close(g: _Graph) -> bpy.types.NodeSocket:
    """1 for light that would be stopped just before it reaches the surface that it falls on, to 0 farther away.

    Estimated depth is bumpy, and every bump would throw a shadow. What is round is shown by the normals.
    """
    path = g.add("ShaderNodeLightPath").outputs
    away = g.math("MAXIMUM", g.add("ShaderNodeCameraData").outputs["View Distance"], 1e-6)
    ramp = g.add("ShaderNodeMapRange", clamp=True)
    for name, value in zip(("Value", "From Min", "From Max"), (g.math("DIVIDE", path["Ray Length"], away), *_SHADOWS)):
        g.put(ramp.inputs[name], value)
    return g.math("MULTIPLY", path["Is Shadow Ray"], g.math("SUBTRACT", 1.0, ramp.outputs[0]))


def _off_middle(g: _Graph) -> bpy.types.NodeSocket:
    """0 in the middle of the film to 1 in its corners, where nothing changes up to some way off the middle."""
    window = g.separate(g.add("ShaderNodeTexCoord").outputs["Window"])
    square = [g.math("POWER", g.math("SUBTRACT", at, 0.5), 2.0) for at in window[:2]]
    # As an ellipse in the film's own proportions: half a diagonal is where both are a half.
    radius = g.math("SQRT", g.math("MULTIPLY", g.math("ADD", *square), 2.0))
    ramp = g.add("ShaderNodeMapRange", clamp=True, interpolation_type="SMOOTHSTEP")
    for name, value in zip(("Value", "From Min", "From Max"), (radius, *_VIGNETTE)):
        g.put(ramp.inputs[name], value)
    return ramp.outputs[0]


class LayerImages(NamedTuple):
    """A layer's own images: colours with their alpha where they take the photo's place, and matte. box: (left, bottom,
    width, height) of both in the photo's UV. matte: None for what is there everywhere. sky: the layer that never moves against the camera."""

    colour: bpy.types.Image
    matte: bpy.types.Image | None
    box: tuple[float, float, float, float]
    sky: bool = False


def photo_material(
    name: str,
    texture: bpy.types.Image,
    own: LayerImages | None,
    rays: RayMap,
    camera: bpy.types.Object,
    scene: bpy.types.Scene,
    root: bpy.types.Object,
    *,
    transparent: bool,
    frames: int | None = None,
    normals: bpy.types.Image | None = None,
) -> bpy.types.Material:
    """The material that shows `texture`, which covers the whole photo, on a layer with the relief modifier.

    own: the layer's own images; None for a photo in one sheet. camera, scene: the camera and scene whose film pixels the
    lookup follows. root: where the relief's numbers stand. transparent: the photo has an alpha channel.
    normals: a picture of the photo's surface normals in the layer's own axes (x right, y away from the camera, z up), which the
    lit surface takes in place of the mesh's. frames: how many pictures `texture` has, if it is an image sequence, of which each frame of the scene shows one.
    """
    material = bpy.data.materials.new(name)
    tree = compat.node_tree(material)
    tree.nodes.clear()
    g = _Graph(tree)
    lookup = g.add("ShaderNodeGroup", node_tree=lookup_group(), name="Photo Lookup", label="Photo Lookup")
    for socket, value in zip(("Photo Tangent Width", "Photo Tangent Height", "Axis U", "Axis V"), rays):
        lookup.inputs[socket].default_value = value
    uv = lookup.outputs["UV"]
    image = g.add("ShaderNodeTexImage", image=texture, interpolation="Linear", extension="MIRROR", name="Photo", label="Photo")
    g.put(image.inputs[0], uv)
    if frames is not None:
        user = image.image_user
        user.frame_start, user.frame_offset, user.frame_duration = 1, 0, frames
        user.use_cyclic, user.use_auto_refresh = False, True
    surface = g.add("ShaderNodeGroup", node_tree=_surface_group(), name="Photo Surface", label="Photo Surface")
    shown = [lookup, image, surface]
    normal = _normal(g, normals, uv)
    for name_ in ("Inside", "Grey"):
        g.put(surface.inputs[name_], lookup.outputs[name_])
    if own is None:
        g.put(surface.inputs["Normal"], normal)
        g.put(surface.inputs["Photo"], image.outputs["Color"])
        if transparent:
            g.put(surface.inputs["Matte"], image.outputs["Alpha"])
    else:
        layer = g.add("ShaderNodeGroup", node_tree=layer_group(), name="Layer", label="Layer")
        left, bottom, width, height = own.box
        place = g.add("ShaderNodeVectorMath", operation="MULTIPLY_ADD", name="Place", label="Place of the Layer")
        g.put(place.inputs[0], uv)
        place.inputs[1].default_value = (1 / width, 1 / height, 0.0)
        place.inputs[2].default_value = (-left / width, -bottom / height, 0.0)
        fill = g.add("ShaderNodeTexImage", image=own.colour, interpolation="Linear", extension="MIRROR", name="Fill", label="Fill")
        g.put(fill.inputs[0], place.outputs[0])
        for name_, value in (
            ("Photo", image.outputs["Color"]), ("Fill", fill.outputs["Color"]), ("Fill Alpha", fill.outputs["Alpha"]),
            ("UV", uv), ("Stretch", lookup.outputs["Stretch"]),
            ("Moved", 1.0 if own.sky else lookup.outputs["Moved"]),
        ):  # fmt: skip
            g.put(layer.inputs[name_], value)
        if transparent:
            g.put(layer.inputs["Photo Alpha"], image.outputs["Alpha"])
        g.put(surface.inputs["Photo"], layer.outputs["Color"])
        g.put(surface.inputs["Matte"], layer.outputs["Matte"])
        if normals is not None:  # they are of what the photo shows
            mixed = g.add("ShaderNodeMix", data_type="VECTOR", name="Normal", label="Normal")
            own_normal = g.add("ShaderNodeNewGeometry").outputs["Normal"]
            for socket, value in zip((s for s in mixed.inputs if s.enabled), (layer.outputs["Filled"], normal, own_normal)):
                g.put(socket, value)
            normal = next(s for s in mixed.outputs if s.enabled)
            mixed.location = (1120, -320)
        g.put(surface.inputs["Normal"], normal)
        shown = [lookup, place, image, fill, layer, surface]
        if own.matte is not None:
            matte = g.add("ShaderNodeTexImage", image=own.matte, interpolation="Linear", extension="EXTEND", name="Matte", label="Matte")
            g.put(matte.inputs[0], place.outputs[0])
            g.put(layer.inputs["Matte"], matte.outputs["Color"])
            shown.insert(4, matte)
    output = g.add("ShaderNodeOutputMaterial")
    g.put(output.inputs["Surface"], surface.outputs["Surface"])
    for i, node in enumerate((*shown, output)):
        node.location = (280 * i, 0)
        node.width = 200
    tree.nodes.active = image  # what Workbench and texture painting show
    _follow_film(lookup, camera, scene)
    _follow_lens(lookup, camera, scene, root)
    for name in ("Near", "Far", "Relight"):
        follow = lookup.inputs[name].driver_add("default_value").driver
        follow.type = "SUM"
        follow.variables.new().targets[0].id = root
        follow.variables[0].targets[0].data_path = f'["{name}"]'
    lights.drive(surface, root, sky=own is not None and own.sky)
    # Without this Cycles rebuilds a light tree of every face on every frame.
    material.cycles.emission_sampling = "NONE"
    compat.no_bump_correction(material)
    if hasattr(material, "surface_render_method"):
        material.surface_render_method = "DITHERED"
    return material


def _normal(g: _Graph, normals: bpy.types.Image | None, uv: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """What the lit surface's light falls on: the normals that the photo's depth network saw, else the mesh's."""
    if normals is None:
        return g.add("ShaderNodeNewGeometry").outputs["Normal"]
    image = g.add("ShaderNodeTexImage", image=normals, interpolation="Linear", extension="EXTEND", name="Normals", label="Normals")
    g.put(image.inputs[0], uv)
    node = g.add("ShaderNodeNormalMap", space="OBJECT")
    g.put(node.inputs["Color"], image.outputs["Color"])
    image.location, node.location = (560, -320), (840, -320)
    return node.outputs["Normal"]


def _follow_film(lookup: bpy.types.Node, camera: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """Drive the lookup's film size and pixel size from the scene's resolution and the camera's lens."""
    percent = ("percent", scene, "render.resolution_percentage")
    side = "x" if camera.data.sensor_fit == "HORIZONTAL" else "y"
    sensor = "sensor_width" if side == "x" else "sensor_height"
    for name, expression, variables in (
        ("Film Width", "size * percent / 100", (("size", scene, "render.resolution_x"), percent)),
        ("Film Height", "size * percent / 100", (("size", scene, "render.resolution_y"), percent)),
        (
            "Pixel Tangent",
            "sensor / lens / (size * percent / 100)",
            (("sensor", camera.data, sensor), ("lens", camera.data, "lens"), ("size", scene, f"render.resolution_{side}"), percent),
        ),
    ):
        driver = lookup.inputs[name].driver_add("default_value").driver
        driver.type = "SCRIPTED"
        driver.expression = expression
        for variable_name, data, path in variables:
            _variable(driver, variable_name, data, path)


def _follow_lens(lookup: bpy.types.Node, camera: bpy.types.Object, scene: bpy.types.Scene, root: bpy.types.Object) -> None:
    """Drive the lookup's lens from the aperture: by how many film pixels near and far part between its middle and its rim."""
    side = "x" if camera.data.sensor_fit == "HORIZONTAL" else "y"
    driver = lookup.inputs["Lens"].driver_add("default_value").driver
    driver.type = "SCRIPTED"
    # The aperture's radius in metres is half of lens / f-stop in millimetres.
    driver.expression = "dof * lens / stop * 0.0005 * (1 / near - 1 / far) * lens / sensor * size * percent / 100"
    for name, data, path in (
        ("dof", camera.data, "dof.use_dof"),
        ("lens", camera.data, "lens"),
        ("stop", camera.data, "dof.aperture_fstop"),
        ("near", root, '["Near"]'),
        ("far", root, '["Far"]'),
        ("sensor", camera.data, "sensor_width" if side == "x" else "sensor_height"),
        ("size", scene, f"render.resolution_{side}"),
        ("percent", scene, "render.resolution_percentage"),
    ):
        _variable(driver, name, data, path)


def _variable(driver: bpy.types.Driver, name: str, data: bpy.types.ID, path: str) -> None:
    variable = driver.variables.new()
    variable.name = name
    target = variable.targets[0]
    if not isinstance(data, bpy.types.Object):
        target.id_type = "SCENE" if isinstance(data, bpy.types.Scene) else "CAMERA"
    target.id = data
    target.data_path = path


def follow_scene(material: bpy.types.Material, scene: bpy.types.Scene) -> bpy.types.Scene | None:
    """Let the drivers of a photo material follow the film size of `scene`; returns the scene that they followed before."""
    before = None
    animation = material.node_tree.animation_data if material.node_tree else None
    for curve in animation.drivers if animation else ():
        for variable in curve.driver.variables:
            for target in variable.targets:
                if target.id_type == "SCENE" and target.id != scene:
                    before = target.id
                    target.id = scene
    return before


def can_show(material: bpy.types.Material) -> bool:
    """Whether `showing` can change what the material shows: those of older files cannot."""
    nodes = material.node_tree.nodes if material.node_tree else {}
    return all(
        name in nodes and socket in nodes[name].inputs for name, socket in (("Photo Lookup", "Panorama"), ("Photo Surface", "Show Grey"))
    )


@contextmanager
def showing(
    materials: list[bpy.types.Material], *, panorama: bool = False, feather: float | None = None, grey: tuple[float, float] | None = None
) -> Iterator[None]:
    """Let photo materials show something else for a while.

    panorama: to an equirectangular camera that sees the half sphere before it, in a square film. feather: the photo ends at its
    border, over this share of its width. grey: the depth instead of the photo, from white at the first distance to black at the
    second.
    """
    lookup = {"Panorama": float(panorama), "Border": float(feather is not None), "Feather": feather or 0.0}
    if grey is not None:
        lookup |= {"Grey Near": grey[0], "Grey Far": grey[1]}
    wanted = {"Photo Lookup": lookup, "Photo Surface": {"Show Grey": float(grey is not None)}}
    before: list[tuple[str, str, str, float]] = []
    try:
        for material in materials:
            for node, values in wanted.items():
                for name, value in values.items():
                    socket = material.node_tree.nodes[node].inputs[name]  # type: ignore[union-attr]
                    before.append((material.name, node, name, socket.default_value))
                    socket.default_value = value
        yield
    finally:
        for material_name, node, name, value in before:
            material = bpy.data.materials.get(material_name)
            if material is not None and material.node_tree is not None and node in material.node_tree.nodes:
                material.node_tree.nodes[node].inputs[name].default_value = value
