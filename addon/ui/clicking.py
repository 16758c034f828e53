"""Places of the photo that are clicked in a 3D viewport."""

from __future__ import annotations

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector

from ..scene import aim as aims
from ..vision.geometry import ray_map
from .scenery import Scenery
from .setup import OnPhoto

_NAVIGATING = ("NUMPAD", "NDOF", "TRACKPAD")
"""How the types of events begin that turn and move the view."""


def seen_at(context: bpy.types.Context, photo: Scenery, origin: Vector, direction: Vector) -> Vector | None:
    """The point of the photo, in the root's axes, that a ray (in the world's) meets first; None if it meets none."""
    layers = tuple(layer for layer in photo.layers if layer.visible_get())
    found = aims.seen_point(layers, context.evaluated_depsgraph_get(), origin, direction)
    return None if found is None else photo.root.matrix_world.inverted() @ found


def under_mouse(context: bpy.types.Context, photo: Scenery, event: bpy.types.Event) -> Vector | None:
    """The point of the photo, in the root's axes, that the 3D viewport shows under the mouse; None if it shows none there."""
    region = next((r for r in context.area.regions if r.type == "WINDOW"), None)
    if region is None:
        return None
    mouse = event.mouse_x - region.x, event.mouse_y - region.y
    view = context.area.spaces.active.region_3d
    origin = view3d_utils.region_2d_to_origin_3d(region, view, mouse)
    return seen_at(context, photo, origin, view3d_utils.region_2d_to_vector_3d(region, view, mouse))


def share_of(photo: Scenery, point: Vector) -> tuple[float, float]:
    """Where the photo shows a point of the root's axes before its camera (y > 0): shares of its width and height from left and top."""
    rays = ray_map(photo.notes.camera, photo.notes.size)
    return point.x / point.y / rays.width + rays.u0, 1 - (point.z / point.y / rays.height + rays.v0)


class Clicking(OnPhoto):
    """Mixin for operators that wait in a 3D viewport for clicks at the photo; called by a script they do `on_photo`.

    `begin` says in the status bar what is waited for, and `clicked` takes a click; it calls `end` when it wants no more of them.
    """

    cursor = "CROSSHAIR"

    def begin(self, context: bpy.types.Context) -> None:
        raise NotImplementedError

    def clicked(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.area is None or context.area.type != "VIEW_3D":
            return self.refuse(f"{self.bl_label} works in a 3D viewport.")  # type: ignore[attr-defined]
        context.window.cursor_modal_set(self.cursor)
        self.begin(context)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in ("RIGHTMOUSE", "ESC") and event.value == "PRESS":
            self.end(context)
            return {"CANCELLED"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            return self.clicked(context, event)
        free = event.type in ("MOUSEMOVE", "TIMER", "MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE") or event.type.startswith(_NAVIGATING)
        return {"PASS_THROUGH"} if free else {"RUNNING_MODAL"}

    def end(self, context: bpy.types.Context) -> None:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)
