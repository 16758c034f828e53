"""Apply Move: animate the photo's camera anew."""

from __future__ import annotations

from typing import Any

import bpy

from .. import moves
from ..scene import amount, notes
from ..scene import camera as cameras
from ..scene.aim import is_moved, place_aim
from ..spec import MoveSpec, move_settings
from ..vision import amounts
from . import scenery
from .amount import settled
from .layout import draw_section
from .preferences import machine
from .properties import to_spec
from .setup import OnPhoto

_LENGTH = ("frames", "seconds", "fps")


def draw_move(layout: bpy.types.UILayout, group: Any) -> None:
    """Draw the settings of `group` that matter to the move that it holds."""
    if group.camera_path:
        draw_section(layout, group, MoveSpec, only=("camera_path", "fps", "ease"))
        return
    wanted = set(move_settings(group.move))
    if group.ease == "linear":
        wanted.discard("curve")
    draw_section(layout, group, MoveSpec, only=("name", *wanted, *_LENGTH, "then", "camera_path"))


class STILLSCAPE_OT_apply_move(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.apply_move"
    bl_label = "Apply Move"
    bl_description = "Replace the move of the photo's camera, with what was changed of it by hand"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        spec = to_spec(context.scene.stillscape, machine())
        stage = scenery.stage(photo)
        if amount.is_asked(spec.move):
            move, found = settled(photo, spec)
            self.report({"INFO"}, amounts.told(found))
        else:
            move = moves.fitted(spec.move, photo.notes.frames, photo.notes.fps) if photo.notes.clip else spec.move
        shot = moves.shot(move, stage)
        cameras.animate(photo.camera, shot)
        cameras.mark(context.scene, photo.root, shot)
        aim = scenery.aim(photo)
        if aim is not None and not is_moved(aim):
            place_aim(aim, stage)
        notes.note_shot(photo.root, shot)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_apply_move,))
