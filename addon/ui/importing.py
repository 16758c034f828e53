"""Photo as 3D Scene: choose photos, let the worker make layers of them, build the scene in one undo step."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import bpy
from bpy_extras.io_utils import ImportHelper

from .. import spec as specs
from ..errors import InputError, RenderError, StillscapeError, UsageError
from ..output import job
from ..scene import camera as cameras
from ..scene.build import Built, build_in_steps, remove
from ..spec import MoveSpec, ReliefSpec, SceneSpec
from ..vision.files import shown
from ..vision.layered import read_layered
from ..vision.video import SUFFIXES as FILM_SUFFIXES
from ..vision.video import film_name, is_film
from ..vision.worker_process import make_layers, python_for
from . import process, results, setup
from .depth import draw_depth
from .errors import Reporting
from .layout import draw_section
from .move import draw_move
from .preferences import machine
from .properties import annotations_of, attribute, set_values, to_spec, values_of
from .scenery import scenery
from .tasks import Modal, in_object_mode, is_free

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".exr")

_OWN = {"relief": ReliefSpec, "move": MoveSpec}
"""The sections that the operators hold themselves: what needs no new depth."""


def _annotations(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "files": bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"}),
        "directory": bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"}),
        "filepath": bpy.props.StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"}),
        "set_up_render": bpy.props.BoolProperty(
            name="Use for Render",
            description="Also give the scene the photo's camera, size and colors, so that rendering it gives the film",
        ),
    }
    for section in _OWN.values():
        found.update(annotations_of(section))
    return found | more


def _set_by_caller(operator: Any, section: type) -> dict[str, Any]:
    """The settings of a section that the operator was called with, by field name."""
    wanted = {f.name for f in fields(section) if operator.properties.is_property_set(attribute(f))}
    return {name: value for name, value in values_of(operator, section).items() if name in wanted}


def _photos(operator: Any) -> list[Path]:
    """The chosen photos. Raises InputError if there is none."""
    folder = Path(bpy.path.abspath(operator.directory)) if operator.directory else None
    found = [folder / f.name for f in operator.files if f.name] if folder is not None else []
    if not found and operator.filepath:
        found = [Path(bpy.path.abspath(operator.filepath))]
    if not found:
        raise InputError("No photo was chosen; select one or more pictures.")
    return found


class STILLSCAPE_OT_import_photo(Reporting, bpy.types.Operator, ImportHelper):
    bl_idname = "stillscape.import_photo"
    bl_label = "Photo as 3D Scene"
    bl_description = "Turn a photo into an editable 3D scene with a moving camera"
    # No UNDO: the file browser would push a step of its own before the scene is there.
    bl_options = {"PRESET"}
    filename_ext = ""
    __annotations__ = _annotations(
        filter_glob=bpy.props.StringProperty(default=";".join(f"*{s}" for s in (*SUFFIXES, *FILM_SUFFIXES)), options={"HIDDEN"}),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context) and is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.files or self.properties.is_property_set("filepath"):  # dropped, or called by a script
            return self.execute(context)
        for name, section in _OWN.items():
            set_values(self, section, section(**values_of(getattr(context.scene.stillscape, name), section)))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        settings = context.scene.stillscape
        header, body = layout.panel("STILLSCAPE_import_Depth")
        header.label(text="Depth")
        if body is not None:
            draw_depth(body, settings.depth)
        for title, group, section in (
            ("Layers", settings.layers, specs.LayersSpec),
            ("Relief", self, ReliefSpec),
            ("Camera Move", self, MoveSpec),
            ("Photo", settings.photo, specs.PhotoSpec),
        ):
            header, body = layout.panel(f"STILLSCAPE_import_{title}", default_closed=title == "Photo")
            header.label(text=title)
            if body is not None and section is MoveSpec:
                draw_move(body, group)
            elif body is not None:
                draw_section(body, group, section)
        layout.prop(self, "set_up_render")

    def run(self, context: bpy.types.Context) -> set[str]:
        photos = _photos(self)
        given: dict[str, Any] = {"directory": str(photos[0].parent), "files": [{"name": p.name} for p in photos]}
        given["set_up_render"] = self.set_up_render
        for section in _OWN.values():
            for name in annotations_of(section):
                if self.properties.is_property_set(name):
                    given[name] = getattr(self, name)
        in_window = self.options.is_invoke and not bpy.app.background
        try:
            result = bpy.ops.stillscape.photo_to_scene("INVOKE_DEFAULT" if in_window else "EXEC_DEFAULT", not in_window, **given)
        except RuntimeError as error:  # what the operator reported
            raise RenderError(_message(error)) from error
        return {"FINISHED"} if result & {"FINISHED", "RUNNING_MODAL"} else {"CANCELLED"}


class STILLSCAPE_OT_photo_to_scene(Reporting, Modal, bpy.types.Operator):
    bl_idname = "stillscape.photo_to_scene"
    bl_label = "Photo as 3D Scene"
    bl_description = "Make a 3D scene of photos, with the depth estimated beside Blender's window"
    # No REGISTER: each change in "Adjust Last Operation" would build the scene anew and hold up the window for seconds. The
    # sidebar changes relief and move at once.
    bl_options = {"UNDO", "INTERNAL"}
    title = "Photo as 3D Scene"
    __annotations__ = _annotations()

    # Set by invoke; plain Python values only.
    _waiting: list[Path]
    _places: list[tuple[Path, Path]]
    _spec: SceneSpec
    _scene: str
    _worker: process.Worker | None = None
    _count = 0
    _sent = False
    _steps: Generator[str, None, None] | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context) and is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            self._waiting = _photos(self)
            self._spec = self._settings(context)
            self._count = len(self._waiting)
            self._places = []
            self._scene = context.scene.name
        except StillscapeError as error:
            return self.refuse(error)
        return self.start(context)

    def _settings(self, context: bpy.types.Context) -> SceneSpec:
        """The scene's settings, with those that the operator was called with over them."""
        spec = to_spec(context.scene.stillscape, machine())
        given = {name: _set_by_caller(self, section) for name, section in _OWN.items()}
        return specs.check(specs.override(spec, given))

    # In the window

    def step(self, context: bpy.types.Context) -> set[str] | None:
        if self._sent:
            self._listen(context)
        elif self._waiting:
            self._send()
        else:
            return self._build(context)
        return None

    def _send(self) -> None:
        photo = self._waiting[0]
        place = _place_of(photo, self._spec)
        if results.is_made(place):
            self._places.append((self._waiting.pop(0), place))
            return
        if self._worker is None:
            self._worker = process.take(python_for(self._spec), self._spec.machine.patience)
        self._worker.send(photo, place, asdict(self._spec))
        self._sent = True

    def _listen(self, context: bpy.types.Context) -> None:
        assert self._worker is not None
        for message in self._worker.poll():
            kind = message["type"]
            if kind == "progress":
                done = self._count - len(self._waiting)
                of = f" {done + 1} of {self._count}: " if self._count > 1 else ""
                self.tell(context, 0.95 * (done + message["share"]) / self._count, f"{of}{message['message']}")
            elif kind == "warning":
                self.report({"WARNING"}, message["message"])
            elif kind == "error":
                raise StillscapeError(message["message"])
            elif kind == "done":
                self._places.append((self._waiting.pop(0), Path(message["folder"])))
                self._sent = False
                if not self._waiting:
                    self.tell(context, 0.95, "Building the scene")

    def _build(self, context: bpy.types.Context) -> set[str] | None:
        scene = bpy.data.scenes.get(self._scene)
        if scene is None or scene != context.scene:
            raise StillscapeError("The scene that the photo was meant for is not open any more; import the photo again.")
        if context.mode != "OBJECT":
            self.tell(context, 0.95, "Go back to Object Mode to get the scene")
            return None
        if self._steps is None:
            # Between the pieces Blender's data must stay as they are: no editing and no undo until the scene is there.
            self.alone = True
            self._steps = self._make_in_steps(context, self._spec, self._places)
        message = next(self._steps, None)
        if message is None:
            return {"FINISHED"}
        self.tell(context, 0.95, message)
        return None

    def finish(self, context: bpy.types.Context) -> None:
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()
        worker, self._worker = self._worker, None
        if worker is not None:
            if self._sent:  # in the middle of something
                process.end(worker)
            else:
                process.give_back(worker)

    # At once: scripts, background

    def run(self, context: bpy.types.Context) -> set[str]:
        spec = self._settings(context)
        places = []
        for photo in _photos(self):
            place = _place_of(photo, spec)
            if not results.is_made(place):
                make_layers(photo, spec, place, _no_progress)
            places.append((photo, place))
        for _ in self._make_in_steps(context, spec, places):
            continue
        return {"FINISHED"}

    # Both

    def _make_in_steps(self, context: bpy.types.Context, spec: SceneSpec, places: list[tuple[Path, Path]]) -> Generator[str, None, None]:
        """Build the scenes of all photos in short pieces, saying before each what it is; all of them or none."""
        settings = context.scene.stillscape
        built: list[Built] = []
        try:
            for _, place in places:
                layered = read_layered(place)
                built.append((yield from build_in_steps(layered, spec, context.scene, job.wanted_size(spec, layered, film=True))))
            # One more turn for the window, or drawing the new mesh and noting it for undo would come as one long wait.
            yield "Showing the scene"
        except BaseException:
            for one in built:
                remove(one.collection)
            raise
        for name, section in _OWN.items():
            set_values(getattr(settings, name), section, getattr(spec, name))
        _select(context, built[-1])
        cameras.mark(context.scene, built[-1].root, built[-1].shot)
        if self.set_up_render:
            photo_scene = scenery(built[-1].collection)
            assert photo_scene is not None
            setup.set_up(context.scene, photo_scene, spec)
        results.forget_oldest()


def _place_of(photo: Path, spec: SceneSpec) -> Path:
    """The folder for the layered photo; of a film a new one beside the .blend file, which will need its frames.

    Raises UsageError if there is no such file yet.
    """
    if not is_film(photo):
        return results.place_of(photo, spec)
    if not bpy.data.filepath:
        raise UsageError(f"{shown(photo.name)} is a film, whose frames are kept beside the .blend file; save the file first.")
    blend = Path(bpy.data.filepath)
    names = (f"{blend.stem}_{film_name(photo)}_film{number}" for number in ("", *(f"_{n}" for n in range(2, 1_000_000))))
    return next(place for name in names if not (place := blend.with_name(name)).exists())


def _select(context: bpy.types.Context, built: Built) -> None:
    """Make the new photo the selection, as every import does."""
    context.view_layer.update()
    for o in context.selected_objects:
        o.select_set(False)
    layer = built.layers[0]
    if layer.name in context.view_layer.objects:
        layer.select_set(True)
        context.view_layer.objects.active = layer


def _message(error: RuntimeError) -> str:
    return " ".join(str(error).removeprefix("Error: ").split())


def _no_progress(share: float, text: str) -> None:
    del share, text


_CLASSES = (STILLSCAPE_OT_photo_to_scene, STILLSCAPE_OT_import_photo)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)
