"""The focus: chosen by a click in the picture, set by numbers, or found."""

from __future__ import annotations

import bpy
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
from .clicking import Clicking, seen_at, share_of, under_mouse
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


class STILLSCAPE_OT_pick_focus(Clicking, bpy.types.Operator):
    bl_idname = "stillscape.pick_focus"
    bl_label = "Pick Focus"
    bl_description = "Click in the picture at what the camera should aim at and be focused on"
    bl_options = {"REGISTER", "UNDO"}
    cursor = "EYEDROPPER"

    at: bpy.props.FloatVectorProperty(
        name="Focus", description="From the left and from the top, in shares of the photo", size=2, min=0, max=1, default=(0.5, 0.5)
    )

    def begin(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set("Click: focus here.  Right-click or Esc: cancel")

    def clicked(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.end(context)
        photo = scenery.active_scenery(context)
        if photo is None:
            return self.refuse(f"{scenery.NOTHING}.")
        point = under_mouse(context, photo, event)
        if point is None:
            return self.refuse("There is nothing of the photo there; click at the photo.")
        try:
            return self._take(context, photo, point)
        except StillscapeError as error:
            return self.refuse(error)

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        return self._take(context, photo, point_at(context, photo, tuple(self.at)))

    def _take(self, context: bpy.types.Context, photo: Scenery, point: Vector) -> set[str]:
        aim_at(context, photo, point)
        x, y = share_of(photo, point)
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
