"""Settings of this machine, in Blender's preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..spec import MachineSpec
from .layout import draw_section
from .package import ROOT
from .properties import annotations_of


class STILLSCAPE_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = ROOT
    __annotations__ = annotations_of(MachineSpec)

    def draw(self, context: bpy.types.Context) -> None:
        del context
        layout = self.layout
        layout.use_property_split = True
        draw_section(layout, self, MachineSpec)


def machine() -> Any:
    """The settings of this machine; None if the extension runs without being enabled in the preferences."""
    addon = bpy.context.preferences.addons.get(ROOT)
    return None if addon is None else addon.preferences


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_AP_preferences,))
