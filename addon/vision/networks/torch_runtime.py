"""torch as all back-ends use it: found or refused in one sentence, quiet, and its lack of memory told apart."""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ...errors import DeviceError, UsageError
from . import OutOfMemory

# Of torch on cuda and mps, of its CPU allocator on Windows and elsewhere, and of oneDNN, which torch computes with on CPUs.
_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate")
_OUT_OF_MEMORY_WHOLE = ("could not create a primitive", "could not create a memory object", "could not execute a primitive")


def need(*names: str) -> tuple[ModuleType, ...]:
    """The modules `names`. Raises UsageError with the remedy if one of them is not installed, or is broken."""
    modules = []
    for name in names:
        try:
            with quiet():
                modules.append(importlib.import_module(name))
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:120]
            raise UsageError(
                f"This network needs {' and '.join(names)}, which cannot be loaded in {sys.executable} ({reason}); install them there "
                f"with python -m pip install {' '.join(names)}, or choose a Python that has them."
            ) from error
    return tuple(modules)


def device_of(torch: ModuleType, wanted: str) -> tuple[Any, str]:
    """The torch.device for "auto", "cpu", "cuda", "cuda:1" or "mps", and its name for people.

    "auto" is the first graphics card if torch can use one, else the CPU. Raises DeviceError if one that is asked for by name
    is not there.
    """
    mps = getattr(torch.backends, "mps", None)
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        wanted = "cuda" if cards else "mps" if mps is not None and mps.is_available() else "cpu"
    kind, _, number = wanted.partition(":")
    if kind == "cuda" and (not number or number.isdecimal()) and int(number or 0) < cards:
        return torch.device(kind, int(number or 0)), torch.cuda.get_device_name(int(number or 0))
    if wanted == "mps" and mps is not None and mps.is_available():
        return torch.device(wanted), "Apple GPU"
    if wanted != "cpu":
        raise DeviceError(f'torch finds no device "{wanted}" in {sys.executable}; choose "cpu", or install a torch that supports it.')
    return torch.device(wanted), "CPU"


@contextlib.contextmanager
def memory_told(torch: ModuleType) -> Iterator[None]:
    """Raise OutOfMemory instead of what torch, its CPU allocator and numpy raise when memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).strip().lower()
        known = getattr(torch, "OutOfMemoryError", None) or torch.cuda.OutOfMemoryError
        told = any(words in text for words in _OUT_OF_MEMORY) or text in _OUT_OF_MEMORY_WHOLE
        if not isinstance(error, (MemoryError, known)) and not told:
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(" ".join(str(error).split())[:200]) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries print off standard output, and their Python warnings away altogether."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield
