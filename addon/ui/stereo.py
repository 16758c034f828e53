"""The panel "Stereo and VR": its settings, how much the views slide, and whether that is comfortable."""

from __future__ import annotations

import bpy

from ..output import parallax, stereo
from ..spec import LayersSpec, SceneSpec, StereoSpec
from .layout import draw_section, draw_text
from .properties import values_of
from .scenery import Scenery

_SHOWN = {
    "off": ("mode", "depth"),
    "vr180": ("mode", "interaxial", "surround", "depth"),
    "quilt": ("mode", "quilt", "cone", "convergence", "depth"),
    "anaglyph": ("mode", "interaxial", "convergence"),
}
_PAIR = ("mode", "first", "interaxial", "convergence", "depth")


def draw_stereo(layout: bpy.types.UILayout, context: bpy.types.Context, photo: Scenery | None) -> None:
    """Draw the settings that count for the chosen mode and what they do to `photo`."""
    settings = context.scene.stillscape
    group = settings.stereo
    mode = group.stereo
    draw_section(layout, group, StereoSpec, only=_SHOWN.get(mode, _PAIR))
    if photo is None or mode in ("off", "vr180"):
        return
    wide, found = slide(settings, photo)
    column = layout.column(align=True)
    column.label(text=f"Cameras: {wide:.3g} m apart", translate=False)
    column.label(text=f"Parallax: {found.nearest:+.1%} to {found.farthest:+.1%} of the width", translate=False)
    warning = parallax.complaint(found) if mode != "quilt" else ""
    if warning:
        draw_text(layout, warning, icon="ERROR", width=42)


def slide(settings: bpy.types.PropertyGroup, photo: Scenery) -> tuple[float, parallax.Range]:
    """How far apart the outermost cameras are, in metres, and the parallax between them, where the photo was taken."""
    spec = SceneSpec(
        layers=LayersSpec(**values_of(settings.layers, LayersSpec)), stereo=StereoSpec(**values_of(settings.stereo, StereoSpec))
    )
    pose = stereo.rest_pose(photo.root, photo.camera, spec.stereo, photo.notes.film)
    wide = stereo.span(spec, [pose])
    return wide, parallax.parallax_range(wide, [pose])
