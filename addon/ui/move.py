"""Apply Move: animate the photo's camera anew."""

from __future__ import annotations

from dataclasses import replace

import bpy

from .. import moves
from ..scene import camera as cameras
from ..scene import notes
from ..scene.aim import is_moved, place_aim
from . import scenery
from .errors import Reporting
from .preferences import machine
from .properties import to_spec
from .setup import has_photo


class STILLSCAPE_OT_apply_move(Reporting, bpy.types.Operator):
    bl_idname = "stillscape.apply_move"
    bl_label = "Apply Move"
    bl_description = "Replace the keyframes of the photo's camera by this move"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_photo(cls, context)

    def run(self, context: bpy.types.Context) -> set[str]:
        photo = scenery.active_scenery(context)
        if photo is None:
            return self.refuse(f"{scenery.NOTHING}.")
        spec = to_spec(context.scene.stillscape, machine())
        move = replace(spec.move, frames=photo.notes.frames, fps=photo.notes.fps) if photo.notes.clip else spec.move
        stage = scenery.stage(photo)
        shot = moves.shot(move, stage)
        cameras.animate(photo.camera, shot)
        aim = scenery.aim(photo)
        if aim is not None and not is_moved(aim):
            place_aim(aim, stage)
        notes.note_shot(photo.root, shot)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_apply_move,))
