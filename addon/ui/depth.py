"""The depth settings as the panel and the file browser show them: only what the chosen source uses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy

from ..spec import DepthSpec
from ..vision.networks import store
from ..vision.networks.catalogue import Model, catalogue
from .layout import draw_section, draw_text
from .preferences import machine

_MAP = ("file", "kind")
_NETWORK = ("network_size", "flip", "tiles", "sharpen")
_KNOWN = ("known_from", "known_to")
_LINE = 40  # letters that the sidebar shows at its usual width


def draw_depth(layout: bpy.types.UILayout, settings: Any) -> None:
    """Draw `scene.stillscape.depth`."""
    draw_section(layout, settings, DepthSpec, only=("estimator",))
    chosen = settings.estimator
    model = catalogue().get(chosen)
    if chosen in ("auto", "file"):
        draw_section(layout, settings, DepthSpec, only=_MAP)
    if chosen in ("auto", "network"):
        draw_section(layout, settings, DepthSpec, only=("network",))
    if model is not None:
        _draw_model(layout, model)
    if model is not None or chosen in ("built-in", "network") or (chosen == "auto" and settings.network):
        draw_section(layout, settings, DepthSpec, only=_NETWORK)
    draw_section(layout, settings, DepthSpec, only=("near", "far", "ratio", "known_size"))
    if settings.use_known_size:
        draw_section(layout, settings, DepthSpec, only=_KNOWN)


def _draw_model(layout: bpy.types.UILayout, model: Model) -> None:
    """What using this network means: its licence, whether it is there, what is missing."""
    preferences = machine()
    folder = store.models_folder(bpy.path.abspath(preferences.models) if preferences is not None and preferences.models else "")
    column = layout.column(align=True)
    draw_text(column, store.describe(model), icon="INFO" if model.commercial else "ERROR", width=_LINE)
    if model.note:
        draw_text(column, model.note, width=_LINE)
    if _is_there(model, folder):
        column.label(text="Downloaded", icon="CHECKMARK")
    elif bpy.app.online_access:
        column.label(text="Downloaded on first use", icon="IMPORT")
    else:
        draw_text(column, "Not downloaded, and online access is off (Preferences, System, Network)", icon="INTERNET_OFFLINE", width=_LINE)
    if preferences is None or not preferences.worker_python:
        draw_text(column, "Needs a Python of your own: Preferences, Add-ons, Stillscape", icon="ERROR", width=_LINE)


_LASTS = 2.0  # seconds
_seen: dict[tuple[str, Path], tuple[float, bool]] = {}


def _is_there(model: Model, folder: Path) -> bool:
    """Whether a network is downloaded; looked up again after a while only, since panels are drawn often."""
    key, now = (model.name, folder), time.monotonic()
    if key not in _seen or now - _seen[key][0] > _LASTS:
        _seen[key] = (now, store.find(model, folder) is not None)
    return _seen[key][1]
