"""The focus: chosen by a click in the picture, set by numbers, or found."""

from __future__ import annotations

from typing import Any

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector

from ..errors import StillscapeError
from ..moves import Stage
from ..scene import aim as aims
from ..scene.build import ID, note_stage
from ..scene.rebuild import photo_colour, seen_depth
from ..spec import FocusSpec
from ..vision.faces import find_faces
from ..vision.focus import find_focus
from ..vision.geometry import ray_map
from . import live, scenery
from .layout import draw_section
from .scenery import Scenery
from .setup import OnPhoto

_LOOKED_AT = 1000  # pixels of the longer side that faces are looked for in


def draw_focus(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The panel."""
    photo = scenery.active_scenery(context)
    settings = context.scene.stillscape.focus
    if photo is None:
        column.label(text="For the next import:")
        draw_section(column, settings, FocusSpec)
        return
    row = column.row(align=True)
    row.operator("stillscape.pick_focus", icon="EYEDROPPER")
    row.operator("stillscape.find_focus", icon="VIEWZOOM")
    aim, dof = scenery.aim(photo), photo.camera.data.dof
    if aim is not None:
        column.prop(aim, "location", text="Aim")
    row = column.row(heading="F-Stop", align=True)
    row.prop(dof, "use_dof", text="")
    stop = row.row(align=True)
    stop.active = dof.use_dof
    stop.prop(dof, "aperture_fstop", text="")
    draw_section(column, settings, FocusSpec, only=("motion_blur",))


def aim_at(context: bpy.types.Context, photo: Scenery, point: Vector) -> None:
    """Put the photo's aim at a point, given in the root's axes, and let camera and moves know. Raises StillscapeError."""
    if point.y <= 1e-4:
        raise StillscapeError("The focus must lie before the photo's camera; click at the photo.")
    now = scenery.stage(photo)
    stage = now._replace(focus=point.y, aim_x=point.x / point.y, aim_y=point.z / point.y)
    aim = scenery.aim(photo)
    if aim is None:
        aim = aims.new_aim(f"{photo.collection.name} Aim", photo.root, photo.collection, stage)
        aim[ID] = photo.collection[ID]
    aims.place_aim(aim, stage)
    note_stage(photo.root, _as_built(photo, stage))
    photo.camera.data.dof.focus_object = aim
    context.view_layer.update()


def _as_built(photo: Scenery, stage: Stage) -> Stage:
    """The stage in the distances of when the photo was built, which is what the root keeps."""
    near, far, strength = scenery.numbers(photo.root)
    far = max(far, near * 1.0001)
    notes = photo.notes

    def before(distance: float) -> float:
        d = (1 / distance - 1 / far) / (1 / near - 1 / far) / max(strength, 1e-6)
        return 1 / max(1e-9, min(1.0, max(0.0, d)) * (1 / notes.near - 1 / notes.far) + 1 / notes.far)

    return stage._replace(close=before(stage.close), focus=before(stage.focus))


def point_at(context: bpy.types.Context, photo: Scenery, at: tuple[float, float]) -> Vector:
    """The point of the relief, in the root's axes, that the photo shows at `at` (shares from left and top). Raises StillscapeError."""
    rays = ray_map(photo.notes.camera, photo.notes.size)
    x, y = rays.uv_to_ray(at[0], 1 - at[1])
    place = photo.root.matrix_world
    found = seen_at(context, photo, place.translation, place.to_3x3() @ Vector((x, 1, y)))
    if found is None:
        raise StillscapeError("There is nothing of the photo at this point; choose another.")
    return found


def seen_at(context: bpy.types.Context, photo: Scenery, origin: Vector, direction: Vector) -> Vector | None:
    """The point of the photo, in the root's axes, that a ray (in the world's) meets first; None if it meets none."""
    layers = tuple(layer for layer in photo.layers if layer.visible_get())
    found = aims.seen_point(layers, context.evaluated_depsgraph_get(), origin, direction)
    return None if found is None else photo.root.matrix_world.inverted() @ found


def find(photo: Scenery) -> tuple[float, float]:
    """Where a face or the nearest subject is, as shares from left and top, by the photo and its depth as they are now.

    Raises StillscapeError if one of them is gone, or of a film.
    """
    depth = live.depth_of(photo.layers[0])
    texture = scenery.texture(photo)
    if depth is None or texture is None or texture.source == "SEQUENCE":
        raise StillscapeError(f"{photo.collection.name} has no depth map and photo of its own to look into; set the focus yourself.")
    width, height = photo.notes.size
    scale = min(1.0, _LOOKED_AT / max(width, height))
    colour = photo_colour(texture, (max(1, round(width * scale)), max(1, round(height * scale))))
    found = find_focus(seen_depth(depth), find_faces(colour))
    return found.x, found.y


class STILLSCAPE_OT_pick_focus(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.pick_focus"
    bl_label = "Pick Focus"
    bl_description = "Click in the picture at what the camera should aim at and be focused on"
    bl_options = {"REGISTER", "UNDO"}

    at: bpy.props.FloatVectorProperty(
        name="Focus", description="From the left and from the top, in shares of the photo", size=2, min=0, max=1, default=(0.5, 0.5)
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.area is None or context.area.type != "VIEW_3D":
            return self.refuse("Pick Focus works in a 3D viewport.")
        context.window.cursor_modal_set("EYEDROPPER")
        context.workspace.status_text_set("Click: focus here.  Right-click or Esc: cancel")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in ("RIGHTMOUSE", "ESC") and event.value == "PRESS":
            self._end(context)
            return {"CANCELLED"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._end(context)
            return self._guarded(self._click, context, event)
        navigating = event.type in ("MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE") or event.type.startswith(
            ("NUMPAD", "NDOF", "TRACKPAD")
        )
        return {"PASS_THROUGH"} if navigating or event.type in ("MOUSEMOVE", "TIMER") else {"RUNNING_MODAL"}

    def _guarded(self, what: Any, *given: Any) -> set[str]:
        try:
            return what(*given)
        except StillscapeError as error:
            return self.refuse(error)

    def _end(self, context: bpy.types.Context) -> None:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)

    def _click(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        photo = scenery.active_scenery(context)
        if photo is None:
            return self.refuse(f"{scenery.NOTHING}.")
        region = next((r for r in context.area.regions if r.type == "WINDOW"), None)
        if region is None:
            return self.refuse("Pick Focus works in a 3D viewport.")
        mouse = event.mouse_x - region.x, event.mouse_y - region.y
        view = context.area.spaces.active.region_3d
        origin = view3d_utils.region_2d_to_origin_3d(region, view, mouse)
        point = seen_at(context, photo, origin, view3d_utils.region_2d_to_vector_3d(region, view, mouse))
        if point is None:
            return self.refuse("There is nothing of the photo there; click at the photo.")
        return self._take(context, photo, point)

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        return self._take(context, photo, point_at(context, photo, tuple(self.at)))

    def _take(self, context: bpy.types.Context, photo: Scenery, point: Vector) -> set[str]:
        aim_at(context, photo, point)
        rays = ray_map(photo.notes.camera, photo.notes.size)
        x, y = point.x / point.y / rays.width + rays.u0, 1 - (point.z / point.y / rays.height + rays.v0)
        self.at = (min(max(x, 0), 1), min(max(y, 0), 1))
        return {"FINISHED"}


class STILLSCAPE_OT_find_focus(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.find_focus"
    bl_label = "Find Focus"
    bl_description = "Aim and focus the photo's camera at a face, else at the nearest thing that stands out, else at the middle"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        aim_at(context, photo, point_at(context, photo, find(photo)))
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_pick_focus, STILLSCAPE_OT_find_focus))
