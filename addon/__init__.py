"""Stillscape: one photograph becomes an editable 3D scene and a film."""

from __future__ import annotations


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import ui

    ui.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from . import ui

    ui.unregister()
