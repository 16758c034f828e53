"""Small vocabulary for the scenes of scenes.py: meshes from numpy arrays and materials from procedural textures.

Everything is modelled in world space (metres, z up, the camera looking along y) with objects left at the origin, so that
a texture in object coordinates is a texture in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy
import numpy as np
import skimage
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mesh = tuple[Floats, NDArray[np.int64]]
"""Vertices N×3 and faces M×4; a triangle repeats its last corner."""
Stops = Sequence[tuple[float, str]]
"""(position 0..1, sRGB "rrggbb")."""

PICTURES = Path(skimage.__file__).parent / "data"


# Meshes


def box(centre: Sequence[float], size: Sequence[float], turn: float = 0.0) -> Mesh:
    """A box, turned by `turn` radians about its vertical axis."""
    corner = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]) * size
    c, s = np.cos(turn), np.sin(turn)
    corner = corner @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    faces = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    return corner + np.asarray(centre), faces


def lathe(profile: Sequence[tuple[float, float]], centre: Sequence[float], segments: int = 32) -> Mesh:
    """The surface that the profile of (radius, height) sweeps about the vertical through `centre`."""
    p = np.asarray(profile, float)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings = np.stack([p[:, :1] * np.cos(angle), p[:, :1] * np.sin(angle), np.broadcast_to(p[:, 1:], (len(p), segments))], -1)
    return rings.reshape(-1, 3) + np.asarray(centre), _lattice_faces(len(p), segments, closed=True)


def ball(centre: Sequence[float], radii: Sequence[float], segments: int = 32) -> Mesh:
    t = np.linspace(0, np.pi, segments // 2 + 1)
    vertices, faces = lathe(list(zip(np.sin(t), np.cos(t))), (0, 0, 0), segments)
    return vertices * radii + np.asarray(centre), faces


def tube(path: Floats, radius: Floats | float, segments: int = 8) -> Mesh:
    """A tube around a path N×3 of the given radius (one or N of them)."""
    path = np.asarray(path, float)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, np.where(np.abs(along[:, 2:]) < 0.9, [[0, 0, 1.0]], [[1.0, 0, 0]]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None, :, None]
    r = np.broadcast_to(np.asarray(radius, float), len(path))[:, None, None]
    rings = path[:, None] + r * (np.cos(angle) * side[:, None] + np.sin(angle) * up[:, None])
    return rings.reshape(-1, 3), _lattice_faces(len(path), segments, closed=True)


def sheet(points: Floats) -> Mesh:
    """A lattice of points H×W×3 as quads."""
    return points.reshape(-1, 3), _lattice_faces(points.shape[0], points.shape[1], closed=False)


def cards(centre: Floats, side: Floats, up: Floats) -> Mesh:
    """N diamond-shaped leaves: centres and half axes, each N×3."""
    corner = np.stack([centre - up, centre + side, centre + up, centre - side], 1)
    return corner.reshape(-1, 3), np.arange(4 * len(centre)).reshape(-1, 4)


def ribbons(paths: Floats, width: Floats, facing: Sequence[float] = (0, -1, 0)) -> Mesh:
    """N strands along paths N×K×3 as flat ribbons square to `facing`, `width` N×K metres wide."""
    along = np.gradient(paths, axis=1)
    side = np.cross(along, np.asarray(facing, float))
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    edge = side * width[..., None] / 2
    vertices = np.stack([paths - edge, paths + edge], 2)  # N, K, 2, 3
    n, k = paths.shape[:2]
    i = (np.arange(n)[:, None] * k + np.arange(k - 1)[None]).ravel() * 2
    return vertices.reshape(-1, 3), np.stack([i, i + 1, i + 3, i + 2], 1)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    start = np.cumsum([0] + [len(v) for v, _ in meshes])
    return np.concatenate([v for v, _ in meshes]), np.concatenate([f + s for (_, f), s in zip(meshes, start)])


def _lattice_faces(rows: int, columns: int, *, closed: bool) -> NDArray[np.int64]:
    """Quads between neighbouring rows and columns of points; closed: the last column meets the first."""
    r, c = np.mgrid[0 : rows - 1, 0 : columns - (0 if closed else 1)].reshape(2, -1)
    after = (c + 1) % columns
    return np.stack([r * columns + c, r * columns + after, (r + 1) * columns + after, (r + 1) * columns + c], 1)


def fill_mesh(data: bpy.types.Mesh, mesh: Mesh, smooth: bool) -> None:
    """Put vertices and faces into Blender's mesh, which is empty."""
    vertices, quads = mesh
    triangle = quads[:, 2] == quads[:, 3]
    keep = np.ones(quads.shape, bool)
    keep[triangle, 3] = False
    start = np.concatenate([[0], np.cumsum(np.where(triangle, 3, 4))])
    data.vertices.add(len(vertices))
    data.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    data.loops.add(int(start[-1]))
    data.loops.foreach_set("vertex_index", quads[keep].astype(np.int32))
    data.polygons.add(len(quads))
    data.polygons.foreach_set("loop_start", start[:-1].astype(np.int32))
    data.polygons.foreach_set("use_smooth", np.full(len(quads), smooth))
    data.update(calc_edges=True)


def add(name: str, mesh: Mesh, material: bpy.types.Material, *, smooth: bool = False, bevel: float = 0.0) -> bpy.types.Object:
    """Put a mesh into the current scene. bevel: radius of rounded edges in metres."""
    data = bpy.data.meshes.new(name)
    fill_mesh(data, mesh, smooth)
    data.materials.append(material)
    o = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(o)
    if bevel:
        modifier = o.modifiers.new("Bevel", "BEVEL")
        modifier.width, modifier.segments = bevel, 3
    return o


# Materials


def linear(srgb: str) -> tuple[float, float, float, float]:
    """A colour "rrggbb" in Blender's linear values."""
    c = np.array([int(srgb[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return (*np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4), 1.0)


class Paint:
    """Colours in a node tree; every method returns a colour socket. Coordinates are metres in the world."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree
        self.where = self.node("ShaderNodeTexCoord").outputs["Object"]

    def node(self, kind: str, **properties: object) -> bpy.types.Node:
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        return node

    def put(self, socket: bpy.types.NodeSocket, value: object) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = linear(value) if isinstance(value, str) else value

    def at(
        self, scale: Sequence[float] | float, offset: Sequence[float] = (0, 0, 0), turn: Sequence[float] = (0, 0, 0)
    ) -> bpy.types.NodeSocket:
        """The coordinates scaled, shifted and turned (radians)."""
        node = self.node("ShaderNodeMapping")
        self.put(node.inputs["Vector"], self.where)
        node.inputs["Location"].default_value, node.inputs["Rotation"].default_value = offset, turn
        node.inputs["Scale"].default_value = (scale,) * 3 if isinstance(scale, (int, float)) else scale
        return node.outputs[0]

    def ramp(self, value: bpy.types.NodeSocket, stops: Stops) -> bpy.types.NodeSocket:
        node = self.node("ShaderNodeValToRGB")
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops):
            element.position, element.color = position, linear(colour)
        self.put(node.inputs[0], value)
        return node.outputs[0]

    def noise(self, scale: Sequence[float] | float, stops: Stops, detail: float = 4.0, distortion: float = 0.0) -> bpy.types.NodeSocket:
        node = self.node("ShaderNodeTexNoise")
        self.put(node.inputs["Vector"], self.at(scale))
        node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = 1.0, detail
        node.inputs["Distortion"].default_value = distortion
        return self.ramp(node.outputs[0], stops)

    def wave(self, scale: Sequence[float] | float, stops: Stops, distortion: float = 4.0) -> bpy.types.NodeSocket:
        node = self.node("ShaderNodeTexWave")
        self.put(node.inputs["Vector"], self.at(scale))
        for name, value in (("Scale", 1.0), ("Distortion", distortion), ("Detail", 4.0)):
            node.inputs[name].default_value = value
        return self.ramp(node.outputs["Color"], stops)

    def voronoi(self, scale: Sequence[float] | float, stops: Stops) -> bpy.types.NodeSocket:
        """A colour for each cell."""
        node = self.node("ShaderNodeTexVoronoi")
        self.put(node.inputs["Vector"], self.at(scale))
        node.inputs["Scale"].default_value = 1.0
        return self.ramp(node.outputs["Color"], stops)

    def bricks(
        self, width: float, height: float, colours: tuple[str, str, str], turn: Sequence[float] = (0, 0, 0), mortar: float = 0.01
    ) -> bpy.types.NodeSocket:
        """Bricks (metres) in the xy plane after `turn`; colours: two of the bricks and the mortar's."""
        node = self.node("ShaderNodeTexBrick")
        self.put(node.inputs["Vector"], self.at(1.0, turn=turn))
        for name, value in zip(("Color1", "Color2", "Mortar"), colours):
            self.put(node.inputs[name], value)
        for name, value in (("Scale", 1.0), ("Mortar Size", mortar), ("Brick Width", width), ("Row Height", height), ("Bias", 0.0)):
            node.inputs[name].default_value = value
        return node.outputs["Color"]

    def picture(self, name: str, scale: float) -> bpy.types.NodeSocket:
        """One of scikit-image's pictures, `scale` metres wide, wrapped around everything."""
        node = self.node("ShaderNodeTexImage", projection="BOX")
        node.image, node.projection_blend = self._image(name), 0.2
        self.put(node.inputs["Vector"], self.at(1 / scale))
        return node.outputs["Color"]

    def poster(self, name: str, centre: Sequence[float], size: tuple[float, float], *, aside: bool = False) -> bpy.types.NodeSocket:
        """A picture of `size` metres on a wall about `centre`: a wall across the view or, `aside`, along it."""
        node = self.node("ShaderNodeTexImage", extension="EXTEND")
        node.image = self._image(name)
        parts = self.node("ShaderNodeSeparateXYZ")
        self.put(parts.inputs[0], self.where)
        flat = self.node("ShaderNodeCombineXYZ")
        self.put(flat.inputs[0], parts.outputs[1 if aside else 0])
        self.put(flat.inputs[1], parts.outputs[2])
        placed = self.node("ShaderNodeMapping")
        self.put(placed.inputs["Vector"], flat.outputs[0])
        across = centre[1] if aside else centre[0]
        placed.inputs["Scale"].default_value = (1 / size[0], 1 / size[1], 1)
        placed.inputs["Location"].default_value = (0.5 - across / size[0], 0.5 - centre[2] / size[1], 0)
        self.put(node.inputs["Vector"], placed.outputs[0])
        return node.outputs["Color"]

    def _image(self, name: str) -> bpy.types.Image:
        return bpy.data.images.load(str(PICTURES / name), check_existing=True)

    def mix(self, share: bpy.types.NodeSocket | float, a: object, b: object, blend: str = "MIX") -> bpy.types.NodeSocket:
        node = self.node("ShaderNodeMix", data_type="RGBA", blend_type=blend)
        for socket, value in zip((s for s in node.inputs if s.enabled), (share, a, b)):
            self.put(socket, value)
        return next(s for s in node.outputs if s.enabled)


def material(
    name: str, paint: Callable[[Paint], object], *, roughness: float = 0.8, bump: float = 0.0, subsurface: float = 0.0
) -> bpy.types.Material:
    """A surface whose colour `paint` makes. bump: millimetres of relief from the colour's brightness."""
    made = bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    p = Paint(tree)
    colour = paint(p)
    shader = p.node("ShaderNodeBsdfPrincipled")
    p.put(shader.inputs["Base Color"], colour)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Subsurface Weight"].default_value = subsurface
    shader.inputs["Specular IOR Level"].default_value = 0.3
    if bump:
        node = p.node("ShaderNodeBump")
        node.inputs["Distance"].default_value = bump / 1000
        p.put(node.inputs["Height"], colour)
        p.put(shader.inputs["Normal"], node.outputs[0])
    p.put(p.node("ShaderNodeOutputMaterial").inputs[0], shader.outputs[0])
    return made


def light(
    name: str, kind: str, energy: float, location: Sequence[float], aim: Sequence[float], *, size: float, colour: str = "ffffff"
) -> None:
    """A lamp looking at `aim`. size: metres across of an area, degrees across of a sun."""
    from mathutils import Vector

    data = bpy.data.lights.new(name, kind)
    data.energy, data.color = energy, linear(colour)[:3]
    if kind == "SUN":
        data.angle = np.radians(size)
    else:
        data.size = size
    o = bpy.data.objects.new(name, data)
    o.location = location
    o.rotation_euler = (Vector(aim) - Vector(location)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(o)


def world(paint: Callable[[Paint], object], strength: float = 1.0) -> None:
    """The light from all around, coloured by direction (Paint's coordinates are then the direction)."""
    made = bpy.data.worlds.new("World")
    if made.node_tree is None:
        made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    p = Paint(tree)
    p.where = p.node("ShaderNodeTexCoord").outputs["Generated"]
    background = p.node("ShaderNodeBackground")
    p.put(background.inputs["Color"], paint(p))
    background.inputs["Strength"].default_value = strength
    p.put(p.node("ShaderNodeOutputWorld").inputs[0], background.outputs[0])
    bpy.context.scene.world = made
