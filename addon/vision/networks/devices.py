"""What the large networks run on."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ...errors import DeviceError, UsageError


def torch_device(wanted: str) -> str:
    """The name of torch's device for the setting --network-device: "cuda", "mps", "xpu" or "cpu".

    Raises UsageError if torch is not installed in this Python, DeviceError if the device that was asked for by name is missing.
    """
    torch = need("torch")
    found = [name for name in ("cuda", "mps", "xpu") if _is_available(torch, name)]
    if wanted == "auto":
        return found[0] if found else "cpu"
    if wanted != "cpu" and wanted not in found:
        have = ", ".join([*found, "cpu"])
        raise DeviceError(f"--network-device {wanted}: torch {torch.__version__} finds no such device here; choose one of {have}, or auto.")
    return wanted


def _is_available(torch: Any, name: str) -> bool:
    part = torch.backends.mps if name == "mps" else getattr(torch, name, None)
    return part is not None and bool(part.is_available())


def need(package: str) -> Any:
    """Import a package of the user's environment. Raises UsageError with the remedy if this Python does not have it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(
            f"This network needs {package}, which {sys.executable} does not have ({error}); choose a Python that has it under "
            "Python for Networks in the preferences, or with --worker-python."
        ) from error


def empty_cache(device: str) -> None:
    """Give back what torch keeps of a device's memory for later."""
    if device in ("cuda", "mps", "xpu"):
        getattr(need("torch"), device).empty_cache()
