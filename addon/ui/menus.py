"""Where Stillscape shows up in Blender's own menus."""

from __future__ import annotations

import bpy


def _draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    del context
    self.layout.operator_context = "INVOKE_DEFAULT"
    self.layout.operator("stillscape.import_photo", text="Photo as 3D Scene", icon="FILE_IMAGE")


def _draw_import(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    del context
    self.layout.operator("stillscape.import_photo", text="Photo as 3D Scene")


_MENUS = (("TOPBAR_MT_file_import", _draw_import), ("VIEW3D_MT_image_add", _draw))


def register() -> None:
    for name, draw in _MENUS:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    for name, draw in reversed(_MENUS):
        getattr(bpy.types, name).remove(draw)
