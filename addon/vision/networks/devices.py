"""What the large networks run on, and what is there to run them."""

from __future__ import annotations

import importlib
import logging
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import DeviceError, UsageError
from . import OutOfMemory

log = logging.getLogger(__name__)

PACKAGES = ("torch", "transformers", "safetensors", "cv2", "numpy", "onnxruntime")
NEEDED = PACKAGES[:5]
SETUP = "{python} -m venv {folder} && {pip} install torch transformers==5.23.0 safetensors opencv-python-headless==4.11.0.86"
"""What makes an environment that has everything; the artist runs it, never the add-on."""


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


def device_name(device: str) -> str:
    """For people: "CPU", "Metal" or the graphics card's own name."""
    if device in ("cuda", "xpu"):
        return str(getattr(need("torch"), device).get_device_name())
    return {"mps": "Metal"}.get(device, "CPU")


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


@contextmanager
def out_of_memory_told(device: str) -> Iterator[None]:
    """Turn every way in which torch says that memory ran out into OutOfMemory."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(str(error)) from error
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the processor's allocator and Metal raise it plainly
        text = str(error).lower()
        if type(error).__name__ == "OutOfMemoryError" or "out of memory" in text or "not enough memory" in text or "can't allocate" in text:
            empty_cache(device)
            raise OutOfMemory(str(error).splitlines()[0]) from error
        raise


def report() -> dict[str, Any]:
    """What this Python has for the networks: versions by package (None where missing), the device, what to install."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = str(getattr(importlib.import_module(name), "__version__", "?"))
        except Exception as error:  # noqa: BLE001 - a broken package raises whatever it likes, and is as good as none
            log.debug("%s cannot be imported", name, exc_info=True)
            versions[name] = None
            if not isinstance(error, ImportError):
                log.warning("%s is installed but does not load: %s", name, " ".join(str(error).split())[:200])
    device = device_name(torch_device("auto")) if versions["torch"] else None
    missing = [name for name in NEEDED if versions[name] is None]
    return {"python": platform.python_version(), "program": sys.executable, "versions": versions, "device": device, "missing": missing}


def setup_command(folder: str, *, windows: bool = sys.platform == "win32") -> str:
    """The one line that makes an environment for the networks in `folder`, for the artist to paste into a terminal."""
    quoted = f'"{folder}"'
    pip = f'"{folder}\\Scripts\\python" -m pip' if windows else f'"{folder}/bin/python" -m pip'
    return SETUP.format(python="py -3" if windows else "python3", folder=quoted, pip=pip)
