"""Render Film: a film of the photo, rendered in a scene of its own, so that the artist's scene stays as it is."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ..errors import RenderError, StillscapeError, StorageError, UsageError
from ..output import devices, job, people, render, spherical, stereo
from ..output.finish import grown, known_grain
from ..output.formats import SUFFIXES
from ..output.frames import frame_name, parse_frame_range
from ..scene import camera as cameras
from ..scene.build import ID
from ..scene.material import follow_scene
from ..spec import SIZES, SceneSpec
from ..vision.files import shown
from . import scenery, setup, tasks
from .errors import Reporting
from .preferences import machine
from .properties import to_spec

log = logging.getLogger(__name__)

_ENCODING = 0.1
"""Share of the time that is shown for encoding."""


class _Devices(NamedTuple):
    """Which devices Cycles may use, as the preferences have it."""

    kind: str
    used: tuple[tuple[str, bool], ...]


class Film:
    """One film while it is being made. Between two calls it knows everything in Blender by name only."""

    def __init__(self, context: bpy.types.Context, target: Path | None = None) -> None:
        """Prepare everything; raises a StillscapeError if that cannot be done, with nothing changed."""
        photo = scenery.active_scenery(context)
        if photo is None:
            raise UsageError(f"{scenery.NOTHING}.")
        spec = to_spec(context.scene.stillscape, machine())
        self.target = target or film_path(context.scene, photo.collection.name)
        self.numbers = parse_frame_range(spec.render.frame_range, 1, photo.notes.frames)
        self.fps = photo.notes.fps
        self.size = scenery.film_size(photo, spec)
        self._spec = spec.film
        self._output = job.Output(self.target, True)
        job.check_output(self._output, spec.film)
        self._sound, self._form = job.check_film_of(self._output, spec.film, stereo.frame_size(spec, self.size))
        self._grain = known_grain(photo.root) if spec.film.grain > 0 and not spec.stereo.depth else None
        self.done = 0
        self._home = context.scene.name
        self._stage = ""
        self._collection = photo.collection.name
        self._followed: list[tuple[str, str]] = []
        self._camera: cameras.LensState | None = None
        self._framed = (photo.notes.film, photo.notes.crop, photo.notes.framed)
        self._devices: _Devices | None = None
        self._had_result = "Render Result" in bpy.data.images
        self._folder: Path | None = None
        self._rig: stereo.Rig | None = None
        self._rigging = ExitStack()
        self._taken: list[Path] = []  # views of the frame that is being rendered
        self._edit = spherical.describe(spec.stereo.mode, spec.stereo.first)
        self.warning = ""
        self._note = people.note_of(photo.root)
        _check_writable(self.target)
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="stillscape-frames-"))
            self._set_stage(context, photo, spec)
        except OSError as error:
            self.end()
            raise StorageError(
                f"{tempfile.gettempdir()}: no room for temporary files ({error.strerror or error}); free some room."
            ) from error
        except BaseException:
            self.end()
            raise

    def _set_stage(self, context: bpy.types.Context, photo: scenery.Scenery, spec: SceneSpec) -> None:
        """A scene that holds this photo alone, in the artist's world, with settings of its own."""
        home = context.scene
        stage = bpy.data.scenes.new("Stillscape Film")
        self._stage = stage.name
        stage.collection.children.link(photo.collection)
        stage.world = home.world
        self._camera = cameras.lens_state(photo.camera.data)
        setup.set_up(stage, photo, spec)
        alpha = spec.film.alpha
        deep = self._form is not None and job.is_deep(self._form)
        render.set_format(stage, ".png", deep=deep, transparent=alpha, dither=spec.film.dither and photo.notes.frames > 1)
        stage.render.film_transparent = alpha
        self._devices = _devices()
        devices.use_device(stage, spec.machine.device)
        for material in scenery.materials(photo):
            before = follow_scene(material, stage)
            if before is not None:
                self._followed.append((material.name, before.name))
        facts: dict[str, Any] = {}
        self._rig = self._rigging.enter_context(stereo.rigged(stage, photo.root, spec, facts.update))
        self.target = stereo.named(self.target, spec, self.size)
        self._output = job.Output(self.target, True)
        self.warning = facts.get("warning", "")
        if self._rig is not None:
            self.size = self._rig.size

    @property
    def _pattern(self) -> str:
        assert self._folder is not None
        return str(self._folder / "frame_######.png")

    def render_next(self) -> None:
        """Render the next frame. Raises RenderError or StorageError."""
        stage = self._stage_now()
        # One frame for each call: a generator that lives on would hold on to Blender's data between two ticks.
        # Blender takes the frame's number from the scene of the context, not from the one that it is told to render.
        numbers = [self.numbers[self.done]]
        with bpy.context.temp_override(scene=stage):
            made = (
                render.render_frames(stage, self._pattern, numbers)
                if self._rig is None
                else stereo.render_frames(stage, self._pattern, numbers, rig=self._rig)
            )
            for frame in made:
                self._finish(frame.path)

    @property
    def _raw(self) -> Path:
        assert self._folder is not None
        return self._folder / f"raw{len(self._taken)}.png"

    def start_next(self) -> None:
        """Begin to render the next frame, or its next view, beside the window. Raises RenderError."""
        with bpy.context.temp_override(scene=self._stage_now()):
            if self._rig is not None:
                self._rig.place(self.numbers[self.done], len(self._taken))
            render.start_frame(self._stage_now(), self.numbers[self.done], self._raw)

    def take(self) -> None:
        """What was begun is finished. Raises RenderError or StorageError."""
        target = frame_name(self._pattern, self.numbers[self.done])
        if self._rig is None:
            render.take_frame(self._stage_now(), self._raw, target)
        else:
            self._taken.append(self._raw)
            if len(self._taken) < self._rig.views:
                return
            self._rig.deliver(self._taken, target)
            self._taken = []
        self._finish(target)

    def _finish(self, frame: Path) -> None:
        if self._grain is not None:
            content, size = grown(frame, self._grain, self.numbers[self.done], self._spec)
            render.deliver(content, frame, size)
        self.done += 1

    def _stage_now(self) -> bpy.types.Scene:
        stage = bpy.data.scenes.get(self._stage)
        if stage is None:
            raise RenderError("The film was stopped, because its scene was removed; render it again.")
        return stage

    def encode(self, progress: Any = None) -> None:
        """Make the film of the frames. Raises RenderError or StorageError."""
        frames = [frame_name(self._pattern, n) for n in self.numbers]
        job.encode(
            frames, self._output, self._spec, fps=self.fps, size=self.size, form=self._form, sound=self._sound, progress=progress,
            edit=self._edit, note=self._note,
        )  # fmt: skip

    def end(self) -> None:
        """Put everything back as it was; to be called at the end, however it comes."""
        self._rigging.close()
        for material_name, scene_name in self._followed:
            material, scene = bpy.data.materials.get(material_name), bpy.data.scenes.get(scene_name)
            if material is not None and scene is not None:
                follow_scene(material, scene)
        self._put_camera_back()
        stage = bpy.data.scenes.get(self._stage) if self._stage else None
        if stage is not None:
            bpy.data.scenes.remove(stage)
        result = bpy.data.images.get("Render Result")
        if result is not None and not self._had_result:
            bpy.data.images.remove(result)
        if self._devices is not None:
            _use_devices(self._devices)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _put_camera_back(self) -> None:
        collection = bpy.data.collections.get(self._collection)
        photo = scenery.scenery(collection) if collection is not None and ID in collection else None
        if photo is None or self._camera is None or (photo.notes.film, photo.notes.crop, photo.notes.framed) == self._framed:
            return
        cameras.put_lens_back(photo.camera.data, self._camera)
        setup.notes.note_film(photo.root, *self._framed)


def film_path(scene: bpy.types.Scene, name: str) -> Path:
    """Where the film of the photo `name` goes: as set, else beside the .blend file, else in the temporary folder."""
    text = scene.stillscape.output.strip()
    plain = "".join("_" if c in '#{}/\\:*?"<>|' or not c.isprintable() else c for c in name) or "film"
    if not text:
        folder = bpy.path.abspath("//") if bpy.data.filepath else tempfile.gettempdir()
        return Path(folder) / f"{plain}.mp4"
    if text.startswith("//") and not bpy.data.filepath:
        raise UsageError(f"{shown(text)}: the film's place depends on the .blend file; save the file first, or choose a folder.")
    path = Path(bpy.path.abspath(text))
    if text.endswith(("/", "\\")) or path.is_dir():
        return path / f"{plain}.mp4"
    return path if path.suffix.lower() in SUFFIXES else path.with_name(f"{path.name}.mp4")


def _check_writable(target: Path) -> None:
    """Find out before minutes of rendering."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=target.parent):
            return
    except OSError as error:
        raise StorageError(
            f"{shown(target.parent)}: films cannot be written there ({error.strerror or error}); choose another place."
        ) from error


def _devices() -> _Devices | None:
    addon = bpy.context.preferences.addons.get("cycles")
    if addon is None:
        return None
    return _Devices(addon.preferences.compute_device_type, tuple((d.id, d.use) for d in addon.preferences.devices))


def _use_devices(wanted: _Devices) -> None:
    addon = bpy.context.preferences.addons.get("cycles")
    if addon is None or _devices() == wanted:
        return
    addon.preferences.compute_device_type = wanted.kind
    used = dict(wanted.used)
    for device in addon.preferences.devices:
        if device.id in used:
            device.use = used[device.id]


def _show_renders(context: bpy.types.Context, where: str) -> str:
    """Where Blender shows what it renders; returns where it was. Its preferences count as unchanged."""
    preferences = context.preferences
    dirty, before = preferences.is_dirty, preferences.view.render_display_type
    preferences.view.render_display_type = where
    preferences.is_dirty = dirty
    return before


class STILLSCAPE_OT_render_film(Reporting, tasks.Modal, bpy.types.Operator):
    bl_idname = "stillscape.render_film"
    bl_label = "Render Film"
    bl_description = "Render the photo's camera move to a film; the scene's own render settings stay as they are"
    bl_options = {"REGISTER"}
    title = "Render Film"
    alone = True  # while the film's own scene is there, an edit would keep it in the undo history

    filepath: bpy.props.StringProperty(name="File Path", subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})

    _film: Film | None = None
    _rendering = False
    _cancelled = False
    _shown_encoding = False
    _display = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Go back to Object Mode first")
            return False
        return tasks.is_free(cls) and setup.has_photo(cls, context)

    def _open(self, context: bpy.types.Context) -> Film:
        return Film(context, Path(bpy.path.abspath(self.filepath)) if self.filepath else None)

    def run(self, context: bpy.types.Context) -> set[str]:
        film = self._open(context)
        try:
            while film.done < len(film.numbers):
                film.render_next()
            film.encode()
        finally:
            film.end()
        return self._succeed(film)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            self._film = self._open(context)
        except StillscapeError as error:
            return self.refuse(error)
        self._display = _show_renders(context, "NONE")
        return self.start(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS" and self._rendering:
            # Blender's own render job hears Esc, too; nothing may be taken away before it has ended.
            self._cancelled = True
            return {"RUNNING_MODAL"}
        return super().modal(context, event)

    def step(self, context: bpy.types.Context) -> set[str] | None:
        film = self._film
        assert film is not None
        total = len(film.numbers)
        if self._rendering:
            if render.is_rendering():
                return None
            self._rendering = False
            if render.was_stopped() or self._cancelled:
                self.report({"INFO"}, f"{self.title} was cancelled")
                return {"CANCELLED"}
            film.take()
            self.tell(context, (1 - _ENCODING) * film.done / total, f"Frame {film.done} of {total}")
        elif film.done < total:
            film.start_next()
            self._rendering = True
        elif not self._shown_encoding:
            self._shown_encoding = True
            self.tell(context, 1 - _ENCODING, "Writing the film")
        else:
            film.encode()
            return self._succeed(film)
        return None

    def finish(self, context: bpy.types.Context) -> None:
        film, self._film = self._film, None
        if self._display:
            _show_renders(context, self._display)
        if film is not None:
            film.end()

    def _succeed(self, film: Film) -> set[str]:
        if film.warning:
            self.report({"WARNING"}, film.warning)
        self.report({"INFO"}, f"Film: {shown(film.target)}")
        return {"FINISHED"}


class STILLSCAPE_OT_film_size(bpy.types.Operator):
    bl_idname = "stillscape.film_size"
    bl_label = "Size by Name"
    bl_description = "Set the film's size to a usual one"
    bl_options = {"REGISTER", "UNDO"}

    size: bpy.props.EnumProperty(
        name="Size", items=[(name, f"{name}  ({w} × {h})", f"{w} × {h} pixels") for name, (w, h) in SIZES.items()], default="1080p"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.stillscape.render
        settings.use_size, settings.size = True, SIZES[self.size]
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_render_film, STILLSCAPE_OT_film_size))
