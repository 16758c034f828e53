"""The Python that the large networks run in: checked, and set up by the artist with one pasted line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy

from ..errors import StillscapeError, UsageError
from ..vision.environment import setup_command
from . import process
from .errors import Reporting
from .preferences import machine
from .tasks import Modal, is_free

ENVIRONMENT = "stillscape-networks"
"""The folder's name in the user's home that the setup command makes."""


class STILLSCAPE_OT_check_python(Reporting, Modal, bpy.types.Operator):
    bl_idname = "stillscape.check_python"
    bl_label = "Check"
    bl_description = "Start the chosen Python and say what it has for the networks, graphics card included"
    bl_options = {"INTERNAL"}
    title = "Check"
    _worker: process.Worker | None = None
    _asked = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    def run(self, context: bpy.types.Context) -> set[str]:
        settings = machine()
        if settings is None or not settings.worker_python:
            raise UsageError("No Python is chosen; set Python for Networks first, or make one with Copy Setup Command.")
        settings.python_found = ""
        self._worker = process.take(bpy.path.abspath(settings.worker_python), settings.patience)
        self._worker.ask()
        self._asked = True
        if not bpy.app.background:
            return self.start(context)
        try:
            while (result := self.step(context)) is None:
                time.sleep(0.05)
        finally:
            self.finish(context)
        return result

    def step(self, context: bpy.types.Context) -> set[str] | None:
        assert self._worker is not None
        for message in self._worker.poll():
            if message["type"] == "error":
                machine().python_found = message["message"]
                raise StillscapeError(message["message"])
            if message["type"] == "check":
                self._asked = False
                text = sentence(message)
                machine().python_found = text
                self.report({"WARNING"} if message["missing"] else {"INFO"}, text)
                return {"FINISHED"}
        return None

    def finish(self, context: bpy.types.Context) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            (process.end if self._asked else process.give_back)(worker)


def sentence(found: dict[str, Any]) -> str:
    """What a check found, in a line."""
    have = [f"{'OpenCV' if name == 'cv2' else name} {version}" for name, version in found["versions"].items() if version]
    text = f"Python {found['python']} on {found['device'] or 'CPU'}: {', '.join(have) or 'nothing installed'}"
    return f"{text}. Missing: {', '.join(found['missing'])}" if found["missing"] else text


class STILLSCAPE_OT_copy_setup_command(Reporting, bpy.types.Operator):
    bl_idname = "stillscape.copy_setup_command"
    bl_label = "Copy Setup Command"
    bl_description = "Copy the line that makes a Python environment with all that the large networks need, to be pasted into a terminal (on Windows PowerShell)"
    bl_options = {"INTERNAL"}

    def run(self, context: bpy.types.Context) -> set[str]:
        folder = Path.home() / ENVIRONMENT
        context.window_manager.clipboard = setup_command(str(folder))
        self.report({"INFO"}, f"Copied; paste it into a terminal, then choose the python in {folder} as Python for Networks")
        return {"FINISHED"}


_CLASSES = (STILLSCAPE_OT_check_python, STILLSCAPE_OT_copy_setup_command)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)
