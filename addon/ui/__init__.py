"""What an artist touches: properties, operators, panels, menus and preferences."""

from __future__ import annotations

from . import (
    amount,
    film,
    focus,
    importing,
    layers,
    light,
    live,
    menus,
    move,
    networks,
    panels,
    preferences,
    process,
    properties,
    results,
    setup,
    subject,
)  # fmt: skip

_MODULES = (
    properties, preferences, results, process, networks, importing, setup, layers, amount, move, focus, light, subject, film, live, panels, menus,
)  # fmt: skip
"""In the order of registration: a class after the ones that it refers to."""


def register() -> None:
    for module in _MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(_MODULES):
        module.unregister()
