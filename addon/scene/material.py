"""The photo material: the photo as light, exact at rest, mixed by one value towards a lit surface.

How the texture is looked up. A film pixel is the mean of its samples. Were the texture read at every sample, a sharp
photo would come out blurred (smooth texels) or in blocks once the camera nears (closest texels), and noisy at few
samples in between. So, as graphics cards do with multisampling, coverage is sampled and colour is not: every sample
reads the texture where the *middle of its film pixel* meets the surface's distance. At rest that is the photo's own
pixel, whatever the depth, at any number of samples; moved, it is a smooth interpolation of the photo without noise.

The middle of the pixel comes from the Window coordinate and the film's size, the way from there to the surface from the
camera's own tangents; both are kept up to date by drivers of Blender's simple-expression kind, so that a saved file
needs neither add-on nor autoexec.
"""

from __future__ import annotations

import bpy

from ..vision.geometry import RayMap
from . import compat
from .relief import RAY

LOOKUP = "Stillscape Photo Lookup"
SURFACE = "Stillscape Photo Surface"


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


def _lookup_group() -> bpy.types.NodeTree:
    """Node group: photo UV of the middle of the film pixel that is being shaded."""
    group = bpy.data.node_groups.get(LOOKUP)
    if group is not None and group.get("stillscape") == 1:
        return group
    group = bpy.data.node_groups.new(LOOKUP, "ShaderNodeTree")
    group["stillscape"] = 1
    for name, default, text in (
        ("Film Width", 1920.0, "Width of the film in pixels"),
        ("Film Height", 1080.0, "Height of the film in pixels"),
        ("Pixel Tangent", 0.001, "Size of a film pixel at distance 1"),
        ("Photo Tangent Width", 1.0, "Width of the photo at distance 1"),
        ("Photo Tangent Height", 1.0, "Height of the photo at distance 1"),
        ("Axis U", 0.5, "Where the optical axis meets the photo"),
        ("Axis V", 0.5, "Where the optical axis meets the photo"),
    ):
        socket = group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat", description=text)
        socket.default_value = default
    group.interface.new_socket("UV", in_out="OUTPUT", socket_type="NodeSocketVector")
    g = _Graph(group)
    given = g.add("NodeGroupInput").outputs
    window = g.separate(g.add("ShaderNodeTexCoord").outputs["Window"])
    step = g.math("MULTIPLY", g.add("ShaderNodeCameraData").outputs["View Z Depth"], given["Pixel Tangent"])
    offset = [
        g.math("MULTIPLY", g.math("SUBTRACT", 0.5, g.math("FRACT", g.math("MULTIPLY", at, given[size]))), step)
        for at, size in ((window[0], "Film Width"), (window[1], "Film Height"))
    ]
    # From the render camera's plane into the layer's own axes; takes a scaled, turned or rolled scene along.
    to_layer = g.add("ShaderNodeVectorTransform", vector_type="VECTOR", convert_from="CAMERA", convert_to="OBJECT")
    g.put(to_layer.inputs[0], g.combine(*offset, 0.0))
    dx, dy, dz = g.separate(to_layer.outputs[0])
    uz, vz, z = g.separate(g.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=RAY).outputs["Vector"])
    depth = g.math("ADD", z, dy)

    def shifted(at: bpy.types.NodeSocket, across: bpy.types.NodeSocket, tangent: str, axis: str) -> bpy.types.NodeSocket:
        moved = g.math("MULTIPLY_ADD", dy, given[axis], g.math("DIVIDE", across, given[tangent]))
        return g.math("DIVIDE", g.math("ADD", at, moved), depth)

    u = shifted(uz, dx, "Photo Tangent Width", "Axis U")
    v = shifted(vz, dz, "Photo Tangent Height", "Axis V")
    g.put(g.add("NodeGroupOutput").inputs["UV"], g.combine(u, v, 0.0))
    g.arrange()
    return group


def _surface_group() -> bpy.types.NodeTree:
    """Node group: the photo's colour as emission to camera rays, mixed with a lit surface, cut out by the matte."""
    group = bpy.data.node_groups.get(SURFACE)
    if group is not None and group.get("stillscape") == 1:
        return group
    group = bpy.data.node_groups.new(SURFACE, "ShaderNodeTree")
    group["stillscape"] = 1
    new = group.interface.new_socket
    new("Photo", in_out="INPUT", socket_type="NodeSocketColor")
    matte = new("Matte", in_out="INPUT", socket_type="NodeSocketFloat", description="0 is see-through")
    relight = new("Relight", in_out="INPUT", socket_type="NodeSocketFloat", description="0: as shot. 1: lit by the scene's own lights")
    for socket, value in ((matte, 1.0), (relight, 0.0)):
        socket.default_value, socket.min_value, socket.max_value, socket.subtype = value, 0.0, 1.0, "FACTOR"
    new("Surface", in_out="OUTPUT", socket_type="NodeSocketShader")
    g = _Graph(group)
    given = g.add("NodeGroupInput").outputs
    # To camera rays only, or the photo would light itself as soon as the scene has bounces.
    emission = g.add("ShaderNodeEmission")
    g.put(emission.inputs["Color"], given["Photo"])
    g.put(emission.inputs["Strength"], g.add("ShaderNodeLightPath").outputs["Is Camera Ray"])
    lit = g.add("ShaderNodeBsdfDiffuse")
    g.put(lit.inputs["Color"], given["Photo"])

    def mix(factor: bpy.types.NodeSocket, a: bpy.types.Node, b: bpy.types.Node) -> bpy.types.Node:
        node = g.add("ShaderNodeMixShader")
        g.put(node.inputs[0], factor)
        g.put(node.inputs[1], a.outputs[0])
        g.put(node.inputs[2], b.outputs[0])
        return node

    shown = mix(given["Matte"], g.add("ShaderNodeBsdfTransparent"), mix(given["Relight"], emission, lit))
    g.put(g.add("NodeGroupOutput").inputs["Surface"], shown.outputs[0])
    g.arrange()
    return group


def photo_material(
    name: str, texture: bpy.types.Image, rays: RayMap, camera: bpy.types.Object, scene: bpy.types.Scene, *, transparent: bool
) -> bpy.types.Material:
    """The material that shows `texture`, which covers the whole photo, on a layer with the relief modifier.

    camera, scene: the camera and scene whose film pixels the lookup follows. transparent: the photo has an alpha channel.
    """
    material = bpy.data.materials.new(name)
    tree = compat.node_tree(material)
    tree.nodes.clear()
    g = _Graph(tree)
    lookup = g.add("ShaderNodeGroup", node_tree=_lookup_group(), name="Photo Lookup", label="Photo Lookup")
    for socket, value in zip(("Photo Tangent Width", "Photo Tangent Height", "Axis U", "Axis V"), rays):
        lookup.inputs[socket].default_value = value
    image = g.add("ShaderNodeTexImage", image=texture, interpolation="Linear", extension="MIRROR", name="Photo", label="Photo")
    g.put(image.inputs[0], lookup.outputs["UV"])
    surface = g.add("ShaderNodeGroup", node_tree=_surface_group(), name="Photo Surface", label="Photo Surface")
    g.put(surface.inputs["Photo"], image.outputs["Color"])
    if transparent:
        g.put(surface.inputs["Matte"], image.outputs["Alpha"])
    output = g.add("ShaderNodeOutputMaterial")
    g.put(output.inputs["Surface"], surface.outputs["Surface"])
    for i, node in enumerate((lookup, image, surface, output)):
        node.location = (280 * i, 0)
        node.width = 200
    tree.nodes.active = image  # what Workbench and texture painting show
    _follow_film(lookup, camera, scene)
    # Without this Cycles rebuilds a light tree of every face on every frame.
    material.cycles.emission_sampling = "NONE"
    if hasattr(material, "surface_render_method"):
        material.surface_render_method = "DITHERED"
    return material


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
            variable = driver.variables.new()
            variable.name = variable_name
            target = variable.targets[0]
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
