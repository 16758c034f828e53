"""What a Python has for the large networks, and how one that has everything is made. Needs nothing but Python itself."""

from __future__ import annotations

import importlib
import logging
import platform
import sys
from typing import Any

log = logging.getLogger(__name__)

PACKAGES = ("torch", "transformers", "safetensors", "cv2", "numpy", "onnxruntime")
NEEDED = PACKAGES[:5]
_INSTALL = "-m pip install torch transformers==5.23.0 safetensors opencv-python-headless==4.11.0.86"
"""What makes an environment that has everything; the artist runs it, never the add-on."""


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
    device = None
    if versions["torch"] and versions["numpy"]:
        from .networks.devices import torch_device  # which needs both
        from .networks.torch_device import find_device

        device = find_device(torch_device("auto"))[1]
    missing = [name for name in NEEDED if versions[name] is None]
    return {"python": platform.python_version(), "program": sys.executable, "versions": versions, "device": device, "missing": missing}


def setup_command(folder: str, *, windows: bool = sys.platform == "win32") -> str:
    """The one line that makes an environment for the networks in `folder`, for the artist to paste into a terminal (PowerShell)."""
    if windows:
        return f'py -3 -m venv "{folder}"; & "{folder}\\Scripts\\python" {_INSTALL}'
    return f'python3 -m venv "{folder}" && "{folder}/bin/python" {_INSTALL}'
