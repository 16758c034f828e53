"""Use for Render: the one place where an import may change the scene's own settings, after asking."""

from __future__ import annotations

import math

import bpy

from .. import moves
from ..output import people, render
from ..output.effects import set_up_effects
from ..scene import camera as cameras
from ..scene import notes
from ..scene.material import follow_scene
from ..spec import ENGINES, SceneSpec
from ..vision.geometry import frame_photo
from . import scenery
from .errors import Reporting
from .preferences import machine
from .properties import to_spec
from .scenery import Scenery


def fit_camera(photo: Scenery, film: tuple[int, int], crop: float, framing: str = "subject") -> None:
    """Frame the photo's camera for a film of `film` pixels, this crop and this framing, if it was framed for others."""
    aim = photo.notes.subject if framing == "subject" else None
    if film == photo.notes.film and abs(crop - photo.notes.crop) < 1e-6 and aim == photo.notes.framed:
        return
    size = photo.notes.size
    window = frame_photo(photo.notes.camera, size, film, crop, aim)
    cameras.reframe(photo.camera.data, window, photo.notes.near, photo.notes.far, photo_tangent(photo))
    notes.note_film(photo.root, film, crop, aim)


def photo_tangent(photo: Scenery) -> float:
    """The photo's width at distance 1."""
    return 2 * math.tan(math.radians(photo.notes.camera.fov) / 2)


def shot_of(photo: Scenery) -> moves.Shot:
    """Length and speed of the photo's move; its keyframes are the camera's own by now."""
    return moves.Shot((), "linear", photo.notes.frames, photo.notes.fps)


def set_up(scene: bpy.types.Scene, photo: Scenery, spec: SceneSpec) -> None:
    """Give `scene` the photo's camera and the settings under which its first frame is the photo."""
    film = scenery.film_size(photo, spec)
    fit_camera(photo, film, spec.render.crop, spec.film.framing)
    transparent = scenery.has_alpha(photo)
    render.set_up_render(scene, photo.camera, shot_of(photo), spec.render, film, transparent=transparent)
    set_up_effects(scene, photo.root, photo.camera, spec.focus)
    if people.note_of(photo.root):
        render.set_note(scene, people.NOTE)


class STILLSCAPE_OT_set_up_render(Reporting, bpy.types.Operator):
    bl_idname = "stillscape.set_up_render"
    bl_label = "Use for Render"
    bl_description = "Give the scene the photo's camera, size and colors, so that Blender's own Render Animation gives the film"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, width=520)

    def draw(self, context: bpy.types.Context) -> None:
        photo = scenery.active_scenery(context)
        if photo is None:
            return
        settings = context.scene.stillscape.render
        engine = next(label for key, label, _ in ENGINES if key == settings.engine)
        size = tuple(settings.size) if settings.use_size else photo.notes.size
        column = self.layout.column(align=True)
        column.label(text="This changes the scene's own settings:")
        for name, value in (
            ("Camera", photo.camera.name),
            ("Resolution", f"{size[0] // 2 * 2} × {size[1] // 2 * 2}"),
            ("Frames", f"1 to {photo.notes.frames} at {photo.notes.fps:g} per second"),
            ("Engine", f"{engine}, {settings.samples} samples; more, with denoising, for lamps and blur"),
            ("Colors", "Standard view transform, no dither"),
            ("Switched Off", "Compositing, sequencer, Freestyle, stamps"),
        ):
            split = column.split(factor=0.3)
            split.label(text=name)
            split.label(text=value)

    def run(self, context: bpy.types.Context) -> set[str]:
        photo = scenery.active_scenery(context)
        if photo is None:
            return self.refuse(f"{scenery.NOTHING}.")
        set_up(context.scene, photo, to_spec(context.scene.stillscape, machine()))
        for material in scenery.materials(photo):
            follow_scene(material, context.scene)
        return {"FINISHED"}


def has_photo(cls: type, context: bpy.types.Context) -> bool:
    """Whether there is a photo to work on; says what to do if not."""
    if context.scene is not None and scenery.active_scenery(context) is not None:
        return True
    cls.poll_message_set(scenery.NOTHING)  # type: ignore[attr-defined]
    return False


class OnPhoto(Reporting):
    """Mixin for operators on the photo that the panels mean: `run` does `on_photo`, or refuses where there is none."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context)

    def on_photo(self, context: bpy.types.Context, photo: Scenery) -> set[str]:
        raise NotImplementedError

    def run(self, context: bpy.types.Context) -> set[str]:
        photo = scenery.active_scenery(context)
        return self.refuse(f"{scenery.NOTHING}.") if photo is None else self.on_photo(context, photo)


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_set_up_render,))
