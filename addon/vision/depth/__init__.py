"""Depth estimators. Each is one file in this folder that ends with `ESTIMATOR = ...`; adding one means adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Protocol

from ...errors import UsageError
from ...spec import DepthSpec
from ..layered import DepthMap
from ..photo import Photo

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a few words; may raise to cancel."""


class Estimator(Protocol):
    """What a depth estimator offers."""

    name: str
    """As on the command line."""
    label: str
    """As in a menu, in title case."""
    help: str
    """One sentence for tooltip and --help."""

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress) -> DepthMap:
        """Return the depth of `photo` at the photo's size. Raises a StillscapeError that says what to do."""
        ...


def estimators() -> dict[str, Estimator]:
    """All estimators by name, in order of the files' names. Loading one imports nothing heavy."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        estimator = getattr(importlib.import_module(f"{__name__}.{module}"), "ESTIMATOR", None)
        if estimator is not None:
            found[estimator.name] = estimator
    return found


def choose(settings: DepthSpec) -> Estimator:
    """The estimator that `settings` ask for; "auto" is the given depth map, else the best built-in one."""
    name = settings.estimator
    if name == "auto":
        name = "file" if settings.file else "plane"
    known = estimators()
    if name not in known:
        raise UsageError(f"--estimator {name!r} is not known: choose one of auto, {', '.join(known)}.")
    return known[name]
