"""How settings are drawn; nothing is computed here."""

from __future__ import annotations

import textwrap
from dataclasses import fields
from typing import Any

import bpy

from ..spec import meta
from .properties import attribute

_SHORT = {"kind": "Map Holds", "fps": "Frame Rate", "frame_range": "Frame Range"}
"""By field: what stands for a label that the sidebar would cut off at its usual width."""


def draw_section(
    layout: bpy.types.UILayout, group: Any, section: type, *, only: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> None:
    """Draw the settings of one section that `group` holds, in the order of `spec.py`. only, without: names of fields."""
    for f in fields(section):
        if (only and f.name not in only) or f.name in without:
            continue
        name = attribute(f)
        if not meta(f).optional:
            layout.prop(group, name, text=_SHORT.get(f.name, meta(f).label))
            continue
        row = layout.row(heading=meta(f).label, align=True)
        row.prop(group, f"use_{name}", text="")
        value = row.row(align=True)
        value.active = getattr(group, f"use_{name}")
        value.prop(group, name, text="")


def draw_text(layout: bpy.types.UILayout, text: str, *, icon: str = "NONE", width: int = 64) -> None:
    """Draw a sentence over as many lines of about `width` letters as it takes, for a label is cut off."""
    for number, line in enumerate(textwrap.wrap(text, width)):
        layout.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE", translate=False)
