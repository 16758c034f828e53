"""Choose what Cycles computes on; a device that was asked for by name is never silently replaced by the processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..errors import DeviceError, UsageError

_GPU_TYPES = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")  # in the order in which "auto" tries them


def use_device(scene: bpy.types.Scene, device: str) -> str:
    """Set Cycles to compute `scene` on `device` ("auto", "cpu", "cuda", …) and return what it took, in words.

    Raises DeviceError if the device is not there, UsageError if the scene's engine takes no device.
    """
    if scene.render.engine != "CYCLES":
        if device not in ("auto", "cpu"):
            raise UsageError(
                f"--device {device} is a choice for Cycles; leave it out for Eevee and Workbench, which take the display's device."
            )
        return "display device"
    if device == "cpu":
        scene.cycles.device = "CPU"
        return "CPU"
    wanted = _GPU_TYPES if device == "auto" else (device.upper(),)
    for kind in wanted:
        found = _devices(kind)
        if found:
            _enable(scene, kind, found)
            return f"{kind} {', '.join(d.name for d in found)}"
    if device == "auto":
        scene.cycles.device = "CPU"
        return "CPU (no graphics card that Cycles can use)"
    raise DeviceError(f"--device {device}: no such device on this machine; check its driver, or use --device auto or cpu.")


def _preferences() -> Any:
    addon = bpy.context.preferences.addons.get("cycles")
    return None if addon is None else addon.preferences


def _devices(kind: str) -> list[Any]:
    """The GPUs of one type; none if this build of Blender does not know the type."""
    preferences = _preferences()
    if preferences is None:
        return []
    try:
        found: Sequence[Any] = preferences.get_devices_for_type(kind) or ()
    except (TypeError, ValueError, AttributeError):
        return []
    return [d for d in found if d.type == kind]


def _enable(scene: bpy.types.Scene, kind: str, devices: list[Any]) -> None:
    preferences = _preferences()
    preferences.compute_device_type = kind
    for device in preferences.devices:
        device.use = device.type == kind
    scene.cycles.device = "GPU"
