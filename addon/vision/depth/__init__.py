"""Depth estimators. Each is one file in this folder that ends with `ESTIMATOR = ...`; adding one means adding a file.

A file that offers several ends with `ESTIMATORS = (...)` instead.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ...errors import UsageError
from ...spec import DepthSpec, MachineSpec
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

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress, machine: MachineSpec | None = None) -> DepthMap:
        """Return the depth of `photo` at the photo's size. Raises a StillscapeError that says what to do."""
        ...


def estimators() -> dict[str, Estimator]:
    """All estimators by name, networks last. Loading one imports nothing heavy."""
    found: dict[str, Estimator] = {}
    for name in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{name}")
        single = getattr(module, "ESTIMATOR", None)
        for estimator in getattr(module, "ESTIMATORS", () if single is None else (single,)):
            found[estimator.name] = estimator
    return dict(sorted(found.items(), key=lambda item: hasattr(item[1], "model")))


def choose(settings: DepthSpec) -> Estimator:
    """The estimator that `settings` ask for: by name, or a network's file or folder by its path.

    "auto" is the given depth map, else the network of one's own that is given, else the built-in network. Raises UsageError if the name is not
    known and nothing lies there.
    """
    name = settings.estimator
    if name == "auto":
        name = "file" if settings.file else "network" if settings.network else "built-in"
    known = estimators()
    if name in known:
        return known[name]
    if _exists(name):
        from .network import NetworkDepth  # which imports this module

        return NetworkDepth(source=Path(name))
    raise UsageError(
        f"--estimator {name[:60]!r} is not known and no file or folder of that name is there: choose one of auto, {', '.join(known)}."
    )


def _exists(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except (OSError, ValueError):  # what can be no name of a file
        return False


def is_network(settings: DepthSpec) -> bool:
    """Whether `settings` ask for a network that may need a Python with torch. Raises UsageError as `choose` does."""
    return hasattr(choose(settings), "model")
