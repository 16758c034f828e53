"""Light: the numbers that the photo's materials follow, and the lamp."""

from __future__ import annotations

import bpy

from ..scene import light as lights
from ..scene.build import ID
from ..scene.normals import smooth_normals
from ..spec import LightSpec
from . import scenery
from .layout import draw_section
from .preferences import machine
from .properties import to_spec
from .setup import OnPhoto

_LAMP = ("lamp", "side", "height", "strength", "warmth")
_NUMBERS = (lights.RELIGHT, lights.FILL, lights.HAZE, lights.HAZE_DISTANCE, lights.HAZE_COLOUR, lights.VIGNETTE)


def draw_light(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The panel."""
    photo = scenery.active_scenery(context)
    settings = context.scene.stillscape.light
    if photo is None:
        column.label(text="For the next import:")
        draw_section(column, settings, LightSpec)
        return
    if not lights.has_numbers(photo.root):
        column.label(text="Import the photo again to light it")
        return
    draw_section(column, settings, LightSpec, only=_LAMP[:1])
    lamp = column.column()
    lamp.active = settings.light != "none"
    draw_section(lamp, settings, LightSpec, only=_LAMP[1:])
    column.operator("stillscape.apply_light", icon="LIGHT_SUN")
    column.separator()
    needs = {lights.FILL: lights.RELIGHT, lights.HAZE_DISTANCE: lights.HAZE, lights.HAZE_COLOUR: lights.HAZE}
    for name in _NUMBERS:
        row = column.row()
        row.active = name not in needs or photo.root.get(needs[name], 0.0) > 0
        row.prop(photo.root, f'["{name}"]', text=name)


class STILLSCAPE_OT_apply_light(OnPhoto, bpy.types.Operator):
    bl_idname = "stillscape.apply_light"
    bl_label = "Apply Light"
    bl_description = "Put up the lamp as set and let it count, or take it away; its own settings and keyframes are Blender's"
    bl_options = {"REGISTER", "UNDO"}

    def on_photo(self, context: bpy.types.Context, photo: scenery.Scenery) -> set[str]:
        aim = scenery.aim(photo)
        if not lights.has_numbers(photo.root) or aim is None:
            return self.refuse(f"{photo.collection.name} was made by an older version; import the photo again to light it.")
        light = to_spec(context.scene.stillscape, machine()).light
        lamp = lights.set_lamp(f"{photo.collection.name} Light", light, photo.root, aim, photo.collection)
        if lamp is None:
            photo.root[lights.RELIGHT] = 0.0
        else:
            lamp[ID] = photo.collection[ID]
            if not lights.is_relit(photo.root):
                photo.root[lights.RELIGHT] = lights.RELIT if light.relight is None else light.relight
        if lights.is_relit(photo.root):
            smooth_normals(photo.layers, photo.root)
        photo.root.update_tag()
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_OT_apply_light,))
