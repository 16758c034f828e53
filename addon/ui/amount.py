"""The right amount of a move for this photo: found on demand, and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy

from .. import moves
from ..scene import amount
from ..spec import MoveSpec, SceneSpec, move_settings
from ..vision import amounts
from . import scenery
from .layout import draw_text
from .preferences import machine
from .properties import to_spec
from .setup import OnPhoto


def settled(photo: scenery.Scenery, spec: SceneSpec, *, both_ways: bool = False) -> tuple[MoveSpec, amounts.Found]:
    """The move of the settings, as long as the photo's film if it is one, with the largest amount that `photo` allows; noted for the panel.

    both_ways: also find out how far it may go the other way.
    """
    move = moves.fitted(spec.move, photo.notes.frames, photo.notes.fps) if photo.notes.clip else spec.move
    film = scenery.film_size(photo, spec)
    found, safe = amount.find(
        photo.root, photo.layers, photo.notes, scenery.stage(photo), move, film, spec.render.crop, both_ways=both_ways
    )  # fmt: skip
    amount.note(photo.root, safe)
    return replace(move, amount=found.amount), found


def draw_safe(layout: bpy.types.UILayout, photo: scenery.Scenery | None, group: Any) -> None:
    """Draw the button, and what was found last for the move that `group` holds."""
    if group.camera_path or "amount" not in move_settings(group.move):
        return
    layout.prop(group, "flaws")
    layout.operator("stillscape.find_amount", icon="VIEWZOOM")
    safe = None if photo is None else amount.noted(photo.root)
    if safe is None or safe.move != group.move:
        return
    layout.label(text=range_text(safe), icon="CHECKMARK" if not safe.advice else "INFO")
    if safe.advice:
        draw_text(layout, safe.advice, width=40)


def range_text(safe: amount.Safe) -> str:
    """The safe range, in as few words as the sidebar has room for."""
    return f"Safe: {safe.least:g} to {safe.most:g}" if safe.least < 0 else f"Safe: up to {safe.most:g}"


class STILLSCAPE_OT_find_amount(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.find_amount"
    bl_label = "Find Safe Amount"
    bl_description = "Find the largest amount of this move at which little is stretched, missing, hidden in the photo or past its border"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        settings = context.scene.stillscape
        if settings.move.camera_path:
            return self.refuse("A camera path has no amount; choose a move instead.")
        move, found = settled(photo, to_spec(settings, machine()), both_ways=True)
        settings.move.use_amount, settings.move.amount = True, move.amount
        self.report({"INFO"}, amounts.told(found))
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_find_amount,))
