"""The layers of a photo: cut anew, and shown alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import StillscapeError
from ..scene import compat
from ..scene.bake import bake_layer
from ..scene.build import OWNER, RESERVE, Context
from ..scene.notes import people_of
from ..scene.rebuild import Rebuilt, photo_colour, rebuild_in_steps, seen_depth
from ..scene.relief import NEVER, relief_modifier
from ..scene.rig import refit_rigs, rigs_of
from ..spec import SceneSpec
from ..vision.cv import cv
from ..vision.landmarks import FILE, Person, to_json
from ..vision.layered import Layer, LayeredPhoto, read_layered, write_layered
from ..vision.layering import as_planned, tear_threshold
from ..vision.pipeline import recut_layers
from ..vision.subject import person_masks
from . import process, scenery
from .errors import Reporting
from .preferences import machine
from .properties import to_spec
from .scenery import Scenery
from .setup import has_photo
from .tasks import Modal, in_object_mode, is_free


def write_as_it_is(photo: Scenery, place: Path, people: tuple[Person, ...] = ()) -> None:
    """Write the photo with its depth as it is painted now as a layered photo of one sheet, for the worker to cut.

    people: who gets a layer, along a silhouette that is found anew. Raises a StillscapeError if photo or depth is gone, if one of the
    people cannot be told from the background, or if there is no room.
    """
    d = seen_depth(_depth_image(photo))
    size = (d.shape[1], d.shape[0])
    pixels = photo_colour(_texture(photo), size)
    files: dict[str, bytes | NDArray[Any]] = {"photo.png": _png(photo, pixels[..., ::-1]), "depth.npy": d}
    made = photo.notes
    layers = [Layer("Photo", (0, 0, *size), sky=any(layer.constraints for layer in photo.layers))]
    if people:
        masks = person_masks(pixels, d, people)
        lost = [p.name for p in people if p.name not in masks]
        if lost:
            raise StillscapeError(f"{lost[0]} cannot be told from the background; correct the landmarks, or paint the depth.")
        for number, (name, mask) in enumerate(masks.items()):  # the nearest first, as layers are
            matte = f"person{number + 1}_matte.png"
            files[matte] = _png(photo, mask.astype(np.uint8) * 255)
            layers.append(Layer(name, (0, 0, *size), matte=matte, person=name))
        files[FILE] = to_json(people).encode()
    layered = LayeredPhoto(
        place, photo.collection.name, made.size, made.camera, made.near, made.far, made.near, made.far, "photo.png", "depth.npy", size,
        tuple(layers), transparent=scenery.has_alpha(photo), landmarks=FILE if people else None,
    )  # fmt: skip
    write_layered(layered, files)


def _png(photo: Scenery, pixels: NDArray[np.uint8]) -> bytes:
    done, packed = cv().imencode(".png", pixels, [cv().IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise StillscapeError(f"{photo.collection.name} could not be packed; import the photo again.")
    return packed.tobytes()


def rigged_people(photo: Scenery) -> list[str]:
    """The names of the people of a photo who have a rig."""
    return [rigged.person for rigged in rigs_of(photo.root)]


def owners(photo: Scenery) -> list[str]:
    """The names of the people of a photo who have a layer of their own, rigged or not."""
    named = [str(layer[OWNER]) for layer in photo.layers if OWNER in layer]
    return named + [name for name in rigged_people(photo) if name not in named]


def bring_in(context: bpy.types.Context, photo: Scenery, spec: SceneSpec, place: Path) -> Generator[str, None, Rebuilt]:
    """Bring newly cut layers into the scene, in steps."""
    layered = read_layered(place)
    given = Context(
        layered, spec, photo.root, photo.camera, photo.collection, context.scene, _depth_image(photo), _texture(photo), _normals(photo)
    )
    rebuilt: Rebuilt = yield from rebuild_in_steps(layered, given, photo.layers)
    for layer in rebuilt.layers:
        layer[scenery.ID] = photo.root[scenery.ID]
    photo.root["Tear"] = tear_threshold(spec, layered.grid) if len(rebuilt.layers) > 1 else NEVER
    photo.root.update_tag()
    return rebuilt


def _depth_image(photo: Scenery) -> bpy.types.Image:
    modifier = relief_modifier(photo.layers[0])
    image = None if modifier is None else compat.get_modifier_input(modifier, "Depth")
    if image is None:
        raise StillscapeError(f"{photo.layers[0].name} has lost its depth map; import the photo again.")
    return image


def _normals(photo: Scenery) -> bpy.types.Image | None:
    nodes = (material.node_tree.nodes.get("Normals") for material in scenery.materials(photo))
    return next((node.image for node in nodes if node is not None and node.image is not None), None)


def _texture(photo: Scenery) -> bpy.types.Image:
    for material in scenery.materials(photo):
        node = material.node_tree.nodes.get("Photo")
        if node is not None and node.image is not None:
            return node.image
    raise StillscapeError(f"{photo.collection.name} has lost its photo; import it again.")


class Recutting(Reporting, Modal):
    """Mixin for operators that cut the photo into layers again: beside the window, in background at once.

    `write` leaves the photo as it is for that, `done` goes on with the layers and returns what to tell.
    """

    alone = True  # what is being rebuilt must not be edited or undone meanwhile
    _worker: process.Worker | None = None
    _sent = False
    _steps: Any = None
    _folder: Path | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context) and is_free(cls) and in_object_mode(cls, context)

    def write(self, context: bpy.types.Context, photo: Scenery, place: Path) -> None:
        """Write the photo to be cut to the folder `place`. Raises a StillscapeError if that cannot be."""
        del context
        write_as_it_is(photo, place)

    def check_layers(self) -> None:
        """Raises a StillscapeError if nobody would get a layer of their own."""
        if self._spec.layers.mode == "off":
            raise StillscapeError(
                "People who move need a layer of their own: set Layers to Many in the Layers panel; see-through photos have none."
            )

    def done(self, context: bpy.types.Context, photo: Scenery, rebuilt: Rebuilt, place: Path) -> str:
        """The new layers are in the scene, and the layered photo that they came from in the folder `place`."""
        del context, photo, place
        kept = f"; kept what you had painted in {', '.join(rebuilt.kept)}" if rebuilt.kept else ""
        count = len(rebuilt.layers)
        return f"{count} {'layer' if count == 1 else 'layers'}{kept}"

    def run(self, context: bpy.types.Context) -> set[str]:
        try:
            self._begin(context)
        except StillscapeError:
            self.finish(context)
            raise
        if not bpy.app.background:
            self._worker = process.take()
            self._worker.send(self._place / "now", self._place / "layers", asdict(self._spec), recut=True)
            self._sent = True
            return self.start(context)
        try:
            recut_layers(self._place / "now", self._spec, self._place / "layers", lambda share, message: None)
            while (result := self._bring_in(context)) is None:
                pass
        finally:
            self.finish(context)
        return result

    @property
    def _place(self) -> Path:
        """A folder of its own, until it is done."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="stillscape-"))
        return self._folder

    def _begin(self, context: bpy.types.Context) -> None:
        photo = scenery.active_scenery(context)
        if photo is None:
            raise StillscapeError(f"{scenery.NOTHING}.")
        spec = to_spec(context.scene.stillscape, machine())
        if photo.notes.clip:
            raise StillscapeError(f"{photo.collection.name} is a film, which stays in one sheet; only photos have layers.")
        if scenery.has_alpha(photo):
            spec = replace(spec, layers=replace(spec.layers, mode="off"))
        if RESERVE in photo.root:
            spec = as_planned(spec, {"reserve": photo.root[RESERVE]})
        self._photo, self._spec = photo.collection.name, spec
        self.write(context, photo, self._place / "now")

    def step(self, context: bpy.types.Context) -> set[str] | None:
        if not self._sent:
            return self._bring_in(context)
        assert self._worker is not None
        for message in self._worker.poll():
            if message["type"] == "progress":
                self.tell(context, 0.8 * message["share"], message["message"])
            elif message["type"] == "error":
                raise StillscapeError(message["message"])
            elif message["type"] == "done":
                self._sent = False
        return None

    def _bring_in(self, context: bpy.types.Context) -> set[str] | None:
        photo = scenery.scenery(bpy.data.collections[self._photo]) if self._photo in bpy.data.collections else None
        if photo is None:
            raise StillscapeError("The photo's scene is gone; nothing was rebuilt.")
        if self._steps is None:
            self._steps = bring_in(context, photo, self._spec, self._place / "layers")
        try:
            message = next(self._steps)
        except StopIteration as done:
            rebuilt: Rebuilt = done.value
        else:
            if not bpy.app.background:
                self.tell(context, 0.9, message)
            return None
        self.report({"INFO"}, self.done(context, photo, rebuilt, self._place / "layers"))
        return {"FINISHED"}

    def finish(self, context: bpy.types.Context) -> None:
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()
        worker, self._worker = self._worker, None
        if worker is not None:
            (process.end if self._sent else process.give_back)(worker)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class STILLSCAPE_OT_rebuild_layers(Recutting, bpy.types.Operator):
    bl_idname = "stillscape.rebuild_layers"
    bl_label = "Rebuild Layers"
    bl_description = (
        "Cut the photo into layers again by its depth as it is now, and fill what is hidden. Images that you have repainted are kept"
    )
    bl_options = {"REGISTER", "UNDO"}
    title = "Rebuild Layers"

    def write(self, context: bpy.types.Context, photo: Scenery, place: Path) -> None:
        there = owners(photo) if self._spec.layers.mode != "off" else []
        if rigged_people(photo):
            self.check_layers()
        write_as_it_is(photo, place, tuple(p for p in people_of(photo.root) if p.name in there))

    def done(self, context: bpy.types.Context, photo: Scenery, rebuilt: Rebuilt, place: Path) -> str:
        said = super().done(context, photo, rebuilt, place)
        if not rigged_people(photo):
            return said
        fitted = refit_rigs(read_layered(place), photo.root, rebuilt.layers)
        if fitted.lost:
            return f"{said}; the rig of {', '.join(fitted.lost)} could not follow: correct the landmarks, or paint the depth"
        return f"{said}; the rig of {', '.join(fitted.done)} follows"


class STILLSCAPE_OT_solo_layer(bpy.types.Operator):
    bl_idname = "stillscape.solo_layer"
    bl_label = "Solo Layer"
    bl_description = "Show this layer alone; once more shows all layers of the photo again"
    bl_options = {"REGISTER", "UNDO"}

    name: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        photo = scenery.active_scenery(context)
        if photo is None or self.name not in {layer.name for layer in photo.layers}:
            self.report({"ERROR"}, f"{scenery.NOTHING}.")
            return {"CANCELLED"}
        alone = is_solo(photo, self.name)
        for layer, seen in scenery.shown(photo):
            seen.hide_viewport = seen.hide_render = not alone and layer.name != self.name
        return {"FINISHED"}


class STILLSCAPE_OT_bake_layers(Reporting, bpy.types.Operator):
    bl_idname = "stillscape.bake_layers"
    bl_label = "Bake Layers"
    bl_description = (
        "Make a plain mesh of every layer as it is now, fine at edges and coarse on planes, for sculpting, physics or export. "
        "The layers themselves stay, hidden"
    )
    bl_options = {"REGISTER", "UNDO"}

    detail: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Detail", description="Share of the triangles that is kept", default=0.1, min=0.001, max=1.0, subtype="FACTOR"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context) and in_object_mode(cls, context)

    def run(self, context: bpy.types.Context) -> set[str]:
        photo = scenery.active_scenery(context)
        if photo is None:
            raise StillscapeError(f"{scenery.NOTHING}.")
        layers = [layer for layer, seen in scenery.shown(photo) if seen == layer]  # a rig is a mesh already
        for layer in layers:  # what is hidden is not computed
            layer.hide_viewport = False
        baked = [bake_layer(layer, photo.root, photo.notes, self.detail, context) for layer in layers]
        collection = bpy.data.collections.new(f"{photo.collection.name} Baked")
        photo.collection.children.link(collection)
        for o in baked:
            collection.objects.link(o)
        for layer in layers:
            layer.hide_viewport = layer.hide_render = True
        faces = sum(len(o.data.polygons) for o in baked)
        self.report({"INFO"}, f"{len(baked)} {'mesh' if len(baked) == 1 else 'meshes'} with {faces:,} faces in {collection.name}")
        return {"FINISHED"}


def is_solo(photo: Scenery, name: str) -> bool:
    """Whether one layer, and no other of several, is shown."""
    return len(photo.layers) > 1 and all(seen.hide_viewport == (layer.name != name) for layer, seen in scenery.shown(photo))


def draw_layers(layout: bpy.types.UILayout, photo: Scenery) -> None:
    """A row for every layer, from front to back: show, render, lock, alone."""
    column = layout.column(align=True)
    for layer, seen in scenery.shown(photo):
        row = column.row(align=True)
        icon = "IMAGE_PLANE" if seen == layer else "OUTLINER_OB_ARMATURE"
        row.label(text=layer.name.removeprefix(f"{photo.collection.name} "), icon=icon, translate=False)
        solo = is_solo(photo, layer.name)
        row.operator("stillscape.solo_layer", text="", icon="SOLO_ON" if solo else "SOLO_OFF", depress=solo).name = layer.name
        for name, icons in (
            ("hide_viewport", ("RESTRICT_VIEW_OFF", "RESTRICT_VIEW_ON")), ("hide_render", ("RESTRICT_RENDER_OFF", "RESTRICT_RENDER_ON")),
            ("hide_select", ("RESTRICT_SELECT_OFF", "RESTRICT_SELECT_ON")),
        ):  # fmt: skip
            row.prop(seen, name, text="", icon=icons[getattr(seen, name)], emboss=False)


register, unregister = bpy.utils.register_classes_factory(
    (STILLSCAPE_OT_rebuild_layers, STILLSCAPE_OT_solo_layer, STILLSCAPE_OT_bake_layers)
)
