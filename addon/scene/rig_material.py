"""Materials of a rigged subject, made from that of its layer; and what the layers behind it show where it moves away.

The skin is the layer's own material with the input "Rigged" set. Eyes show the photo where the photo shows them, and their own picture
where it does not; both are found by the ray at rest, so that the pupil is where it was and turns with the eyeball. The inside of the
mouth has plain colours, darker towards the throat.

Layers behind show their fill wherever the subject's mesh hides them at rest, moved or not. Elsewhere they are as they were, so that the
rest pose stays exact.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from typing import Protocol

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.cv import cv
from ..vision.geometry import RayMap
from ..vision.rigging import Part, SubjectMesh
from ..vision.texture import srgb_to_linear
from .build import MADE, ROLE, fingerprint, is_repainted
from .material import RIGGED, UNCOVERED, LayerImages, layer_group, lookup_group, photo_material
from .notes import read_notes
from .relief import RAY

COLOUR = "stillscape_colour"
COVER = "stillscape_cover"
"""Custom property of a rigged mesh's object, and of the nodes that layers have because of it: the same text."""
_FINE = 4
_EDGE = 2.0  # pixels of the photo beside an opening in which nothing painted is seen at rest
_PLAIN = {Part.POCKET: (92, 40, 38), Part.TEETH_UPPER: (214, 204, 190), Part.TEETH_LOWER: (206, 194, 180), Part.TONGUE: (168, 92, 90)}
_DARK = 0.035  # metres behind the teeth at which a tenth of the light is left

Floats = NDArray[np.float32]


class Picture(Protocol):
    """What a part of the mesh shows where the photo does not show it (vision/subject_pictures.py).

    box: (left, top, right, bottom) in shares of the photo from its left and top. colour: uint8 h×w×3, sRGB. cover: uint8 h×w, 255 where
    `colour` takes the photo's place at all times. rim: uint8 h×w, 255 where it does as soon as the part moves.
    """

    @property
    def box(self) -> tuple[float, float, float, float]: ...
    @property
    def colour(self) -> NDArray[np.uint8]: ...
    @property
    def cover(self) -> NDArray[np.uint8]: ...
    @property
    def rim(self) -> NDArray[np.uint8]: ...


def skin_material(layer: bpy.types.Object, name: str) -> bpy.types.Material:
    """The layer's material for a mesh that an armature moves. It follows the same camera, film size and light."""
    material = layer.data.materials[0].copy()
    material.name = name
    _mark(material)
    return material


def _mark(material: bpy.types.Material) -> None:
    """Set the input that lets the matte follow the mesh; older files' node groups give way to those that have it."""
    lookup = material.node_tree.nodes["Photo Lookup"]
    if RIGGED not in lookup.inputs:
        lookup.node_tree = lookup_group()
    lookup.inputs[RIGGED].default_value = 1.0


def _like(material: bpy.types.Material, name: str, own: LayerImages | None, root: bpy.types.Object) -> bpy.types.Material:
    """A new photo material with the photo, rays, camera and film size of another, and with images of its own."""
    nodes = material.node_tree.nodes
    lookup, image = nodes["Photo Lookup"], nodes["Photo"]
    rays = RayMap(*(lookup.inputs[n].default_value for n in ("Photo Tangent Width", "Photo Tangent Height", "Axis U", "Axis V")))
    camera = next(o for o in root.children_recursive if o.type == "CAMERA")
    frames = image.image_user.frame_duration if image.image is not None and image.image.source == "SEQUENCE" else None
    made = photo_material(
        name,
        image.image,
        own,
        rays,
        camera,
        _scene_of(material),
        root,
        transparent=any(link.from_socket.name == "Alpha" for link in material.node_tree.links if link.from_node == image),
        frames=frames,
    )
    _mark(made)
    return made


def _scene_of(material: bpy.types.Material) -> bpy.types.Scene:
    """The scene whose film size a photo material follows."""
    for curve in material.node_tree.animation_data.drivers:
        for variable in curve.driver.variables:
            target = variable.targets[0]
            if target.id_type == "SCENE" and target.id is not None:
                return target.id
    return bpy.context.scene


def picture_material(
    layer: bpy.types.Object, name: str, picture: Picture, root: bpy.types.Object, old: bpy.types.Material | None = None
) -> bpy.types.Material:
    """A part that shows the photo, or `picture` where that says so. old: the part's material so far, which is brought up to date; a
    picture that an artist has painted since stays.

    The image "Fill" has the picture's colours, and alpha wherever they may be seen; the image "Cover" tells where that is at all times.
    """
    left, top, right, bottom = picture.box
    box = left, 1 - bottom, right - left, bottom - top
    notes = read_notes(root)
    pixel = 1.0 if notes is None else picture.colour.shape[1] / max(1e-9, (right - left) * notes.size[0])
    if old is not None and "Fill" in old.node_tree.nodes and "Cover" in old.node_tree.nodes:
        nodes = old.node_tree.nodes
        if nodes["Fill"].image is not None and is_repainted(nodes["Fill"].image):
            return old
        for node, fresh in zip((nodes["Fill"], nodes["Cover"]), _images(name, picture, pixel)):
            before, node.image = node.image, fresh
            if before is not None and before.users == 0:
                label = before.name
                bpy.data.images.remove(before)
                fresh.name = label
        _put(nodes["Place"], box)
        return old
    fill, always = _images(name, picture, pixel)
    material = _like(layer.data.materials[0], name, LayerImages(fill, None, box), root)
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.interpolation, node.extension, node.name, node.label = always, "Linear", "EXTEND", "Cover", "Cover"
    tree.links.new(tree.nodes["Place"].outputs[0], node.inputs[0])
    tree.links.new(node.outputs["Color"], tree.nodes["Layer"].inputs[UNCOVERED])
    return material


def _images(name: str, picture: Picture, pixel: float) -> tuple[bpy.types.Image, bpy.types.Image]:
    """The colours with their alpha, and where they are seen at all times: not within two of the photo's pixels of what the photo shows, so that
    what of them is mixed into the pixels at an opening's edge at rest is the photo. pixel: pixels of the picture in one of the photo's."""
    shown = np.maximum(picture.cover, picture.rim)
    colours = _image(name, np.dstack([picture.colour, shown]))
    colours.alpha_mode = "CHANNEL_PACKED"  # they go on under what is clear, so that soft edges mix with them
    reach = math.ceil(_EDGE * pixel)
    kernel = cv().getStructuringElement(cv().MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    always = cv().erode(picture.cover, kernel, borderType=cv().BORDER_REPLICATE)
    cover = _image(f"{name} Cover", np.dstack([always] * 3 + [np.full_like(shown, 255)]))
    cover.colorspace_settings.name = "Non-Color"
    return colours, cover


def _image(name: str, pixels: NDArray[np.uint8]) -> bpy.types.Image:
    """A packed picture of 8 bits. pixels: uint8 h×w×4, top row first."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.pixels.foreach_set(np.ascontiguousarray(pixels[::-1].astype(np.float32) / 255).ravel())
    image.update()
    image.pack()
    image[ROLE] = "part"
    image[MADE] = fingerprint(image)
    return image


def _put(place: bpy.types.Node, box: tuple[float, float, float, float]) -> None:
    left, bottom, width, height = box
    place.inputs[1].default_value = (1 / width, 1 / height, 0.0)
    place.inputs[2].default_value = (-left / width, -bottom / height, 0.0)


def mouth_material(layer: bpy.types.Object, name: str, root: bpy.types.Object) -> bpy.types.Material:
    """Plain colours, from the vertices' attribute COLOUR: as they are, or lit as the photo is."""
    material = _like(layer.data.materials[0], name, None, root)
    tree = material.node_tree
    colour = tree.nodes.new("ShaderNodeAttribute")
    colour.attribute_type, colour.attribute_name, colour.name, colour.label = "GEOMETRY", COLOUR, "Colors", "Colors"
    tree.nodes.remove(tree.nodes["Photo"])
    tree.links.new(colour.outputs["Color"], tree.nodes["Photo Surface"].inputs["Photo"])
    tree.nodes.active = colour
    return material


def colour_inside(mesh: bpy.types.Mesh, subject: SubjectMesh, colours: Floats | None = None) -> None:
    """Give the vertices of the mouth's inside their colours, linear, as the attribute COLOUR.

    colours: sRGB of every vertex in [0, 1], float32 N×3, of which those inside the mouth are taken. None: plain ones, darker the farther
    they are behind the foremost of them.
    """
    inside = np.isin(subject.part, [int(p) for p in _PLAIN])
    shown = np.ones((len(subject.position), 4), np.float32)
    if colours is not None:
        shown[:, :3] = srgb_to_linear(np.clip(np.asarray(colours, np.float32), 0, 1))
    elif inside.any():
        foremost = float(subject.position[np.unique(subject.triangles[inside]), 1].min())
        for part, rgb in _PLAIN.items():
            found = np.unique(subject.triangles[subject.part == part])
            light = 0.1 ** np.maximum((subject.position[found, 1] - foremost) / _DARK, 0)
            shown[found, :3] = srgb_to_linear(np.float32(rgb) / 255) * light[:, None]
    attribute = mesh.attributes.get(COLOUR) or mesh.attributes.new(COLOUR, "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", np.ascontiguousarray(shown.ravel()))


def follow_layer(material: bpy.types.Material, layer: bpy.types.Object) -> None:
    """Take over the images of a layer that was built anew, and their place."""
    source, own = layer.data.materials[0].node_tree.nodes, material.node_tree.nodes
    for name in ("Photo", "Fill", "Matte", "Normals"):
        if name in source and name in own and source[name].type == own[name].type == "TEX_IMAGE":
            own[name].image = source[name].image
    if "Place" in source and "Place" in own:
        for i in (1, 2):
            own["Place"].inputs[i].default_value = source["Place"].inputs[i].default_value


# what is uncovered


def coverage(name: str, subject: SubjectMesh, layer: bpy.types.Object, others: Iterable[bpy.types.Object] = ()) -> bpy.types.Image | None:
    """Where a mesh hides at rest the layers `others`, as an image over the box of its own `layer`: white, but for a pixel at its rim.

    Not where one of the others comes before it after all, as rims of layers do beside narrow gaps.
    """
    nodes = layer.data.materials[0].node_tree.nodes
    if "Place" not in nodes or "Matte" not in nodes or nodes["Matte"].image is None:
        return None
    width, height = nodes["Matte"].image.size
    scale, offset = (np.array(nodes["Place"].inputs[i].default_value[:2], np.float64) for i in (1, 2))
    uv = subject.ray[:, :2].astype(np.float64) / np.maximum(subject.ray[:, 2:], 1e-9) * scale + offset
    # Larger than it is asked for: OpenCV fills every pixel that a triangle touches, which would close narrow slits.
    fine = _FINE if width * height <= 4_000_000 else 2
    at = np.column_stack([uv[:, 0] * width, (1 - uv[:, 1]) * height]) * fine - 0.5
    points = np.rint(np.clip(at, -1e4, 1e5) * 16).astype(np.int32)[subject.triangles]
    mask = np.zeros((height * fine, width * fine), np.uint8)
    for triangle in points:
        cv().fillConvexPoly(mask, triangle, 255, shift=4)
    # The whole pixel and half of one about it.
    mask = cv().erode(mask, np.ones((2 * fine + 1, 2 * fine + 1), np.uint8), borderType=cv().BORDER_REPLICATE)
    mask = np.ascontiguousarray(mask[fine // 2 :: fine, fine // 2 :: fine])
    distance = np.full((height, width), np.inf, np.float32)
    z = subject.ray[subject.triangles, 2].max(1)
    corners = np.rint(np.clip((at + 0.5) / fine - 0.5, -1e4, 1e5) * 16).astype(np.int32)[subject.triangles]
    for i in np.argsort(z):  # the farthest last
        cv().fillConvexPoly(distance, corners[i], float(z[i]), shift=4)
    before = np.zeros_like(mask)
    for other in others:
        found = _seen_from_photo(other)
        if found is None:
            continue
        there = found[:, :2] / found[:, 2:] * scale + offset
        x, y = np.floor(there[:, 0] * width).astype(int), np.floor((1 - there[:, 1]) * height).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        x, y, away = x[inside], y[inside], found[inside, 2]
        nearer = np.isfinite(distance[y, x]) & (away < distance[y, x])
        before[y[nearer], x[nearer]] = 255
    mask[cv().dilate(before, np.ones((7, 7), np.uint8)) > 0] = 0
    image = _image(f"{name} Coverage", np.dstack([mask] * 3 + [np.full_like(mask, 255)]))
    image.colorspace_settings.name = "Non-Color"
    return image


def _seen_from_photo(layer: bpy.types.Object) -> NDArray[np.float64] | None:
    """(u·z, v·z, z) of the vertices of a live layer as it is now, N×3; None if it is not evaluated."""
    mesh = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    attribute = mesh.attributes.get(RAY)
    if attribute is None:
        return None
    values = np.empty(len(attribute.data) * 3, np.float32)
    attribute.data.foreach_get("vector", values)
    return values.reshape(-1, 3).astype(np.float64)


def uncover(layers: Iterable[bpy.types.Object], o: bpy.types.Object, layer: bpy.types.Object, covered: bpy.types.Image) -> None:
    """Let `layers`, which stand behind the rigged mesh object `o`, show their fill where it hides them at rest, moved or not.

    covered: of `coverage`, over the box of the person's own live `layer`.
    """
    source = layer.data.materials[0].node_tree.nodes
    o[COVER] = o.get(COVER) or uuid.uuid4().hex
    for behind in layers:
        material = behind.data.materials[0] if behind.data.materials else None
        if material is None or "Layer" not in material.node_tree.nodes:
            continue
        tree = material.node_tree
        node, lookup = tree.nodes["Layer"], tree.nodes["Photo Lookup"]
        if UNCOVERED not in node.inputs:
            node.node_tree = layer_group()
        place = tree.nodes.new("ShaderNodeVectorMath")
        place.operation = "MULTIPLY_ADD"
        for i in (1, 2):
            place.inputs[i].default_value = source["Place"].inputs[i].default_value
        image = tree.nodes.new("ShaderNodeTexImage")
        image.image, image.interpolation, image.extension = covered, "Linear", "CLIP"
        covers = tree.nodes.new("ShaderNodeMath")
        covers.operation = "GREATER_THAN"
        covers.inputs[1].default_value = 0.5
        either = tree.nodes.new("ShaderNodeMath")
        either.operation = "MAXIMUM"
        either.inputs[1].default_value = 0.0
        tree.links.new(lookup.outputs["UV"], place.inputs[0])
        tree.links.new(place.outputs[0], image.inputs[0])
        tree.links.new(image.outputs["Color"], covers.inputs[0])
        tree.links.new(covers.outputs[0], either.inputs[0])
        if node.inputs[UNCOVERED].is_linked:  # by another person
            tree.links.new(node.inputs[UNCOVERED].links[0].from_socket, either.inputs[1])
        tree.links.new(either.outputs[0], node.inputs[UNCOVERED])
        for i, (made, label) in enumerate(((place, "Place"), (image, "Cover"), (covers, "Covers"), (either, "Uncovered"))):
            made[COVER] = o[COVER]
            made.label = label
            made.location = (280 * i, -700)


def cover(layers: Iterable[bpy.types.Object], o: bpy.types.Object) -> None:
    """Take back what `uncover` did for a rigged mesh object."""
    for layer in layers:
        for material in layer.data.materials:
            tree = None if material is None else material.node_tree
            if tree is None or COVER not in o:
                continue
            ours = [n for n in tree.nodes if n.get(COVER) == o[COVER]]
            for node in ours:
                if node.label == "Uncovered" and node.inputs[1].is_linked:
                    before = node.inputs[1].links[0].from_socket
                    for socket in [link.to_socket for link in node.outputs[0].links]:
                        tree.links.new(before, socket)
            for node in ours:
                tree.nodes.remove(node)
