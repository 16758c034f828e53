"""Settings of this machine, in Blender's preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..spec import MachineSpec
from .layout import draw_section, draw_text
from .package import ROOT
from .properties import annotations_of


class STILLSCAPE_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = ROOT
    __annotations__ = {
        **annotations_of(MachineSpec),
        "python_found": bpy.props.StringProperty(name="Found", description="What the last check of the Python for networks found"),
    }

    def draw(self, context: bpy.types.Context) -> None:
        del context
        layout = self.layout
        layout.use_property_split = True
        draw_section(layout, self, MachineSpec, only=("device",))
        column = layout.column(heading="Large Depth Networks")
        draw_section(column, self, MachineSpec, only=("worker_python",))
        row = column.row(align=True)
        row.operator("stillscape.check_python", icon="CHECKMARK")
        row.operator("stillscape.copy_setup_command", icon="COPYDOWN")
        draw_text(column, self.python_found, width=90)
        draw_section(column, self, MachineSpec, only=("network_device", "models", "patience"))
        if not bpy.app.online_access:
            column.label(text="Networks cannot be downloaded: online access is off (System, Network)", icon="INTERNET_OFFLINE")


def machine() -> Any:
    """The settings of this machine; None if the extension runs without being enabled in the preferences."""
    addon = bpy.context.preferences.addons.get(ROOT)
    return None if addon is None else addon.preferences


register, unregister = bpy.utils.register_classes_factory((STILLSCAPE_AP_preferences,))
