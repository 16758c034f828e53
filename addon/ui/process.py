"""The worker process (docs/worker.md) as the window sees it: started, listened to without waiting, stopped by a signal.

The worker writes its lines into a file that is read from here as it grows. Unlike a pipe that works without blocking and
without threads on every system.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ..errors import RenderError, StorageError, UsageError
from ..vision.cv import cv

log = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds that a stopped worker has to tidy up before it is killed: a long step inside OpenCV hears no signal."""
IDLE = 120.0
"""Seconds that a worker is kept for the next photo: the start costs about as long as a small photo."""

_EXTENSION = Path(__file__).resolve().parents[2]  # where `addon` lies, in the repository as in the installed extension


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        """Start it; raises a StillscapeError if that cannot be done."""
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="stillscape-worker-"))
        except OSError as error:
            raise StorageError(
                f"{tempfile.gettempdir()}: no room for temporary files ({error.strerror or error}); free some room."
            ) from error
        self._lines = self.folder / "lines.jsonl"
        self._text = self.folder / "stderr.txt"
        self._at = 0
        self._kill_at = 0.0
        self._target: Path | None = None
        self.idle_since = 0.0
        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows: or Ctrl-Break would reach Blender too
        try:
            with open(self._lines, "wb") as lines, open(self._text, "wb") as text:
                self._process = subprocess.Popen(
                    [_python(), "-m", "addon.vision.worker"],
                    stdin=subprocess.PIPE,
                    stdout=lines,
                    stderr=text,
                    cwd=self.folder,
                    env=_environment(),
                    creationflags=group,
                )
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RenderError(f"Python could not be started beside Blender ({error.strerror or error}); reinstall Blender.") from error

    def send(self, photo: Path, folder: Path, spec: Mapping[str, Any], *, recut: bool = False) -> None:
        """Hand it one job; the answer comes through `poll`. recut: `photo` is a layered photo to be cut anew."""
        self._target = folder
        line = json.dumps({"photo": str(photo), "folder": str(folder), "spec": spec, "recut": recut}) + "\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError:  # it died, which `poll` reports
            log.debug("The worker takes no more jobs", exc_info=True)

    def poll(self) -> list[dict[str, Any]]:
        """The messages since the last call. A worker that ended without being asked to gives an "error"."""
        ended = not self.running()
        with open(self._lines, "rb") as f:
            f.seek(self._at)
            data = f.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        messages = [json.loads(line) for line in whole.splitlines()]
        if ended and not any(m["type"] in ("done", "error") for m in messages):
            messages.append(
                {"type": "error", "message": f"The worker ended unexpectedly ({self._last_words()}); try again.", "exit_code": 4}
            )
        return messages

    def running(self) -> bool:
        return self._process.poll() is None

    def _last_words(self) -> str:
        lines = self._text.read_text("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:200] if said else f"exit code {self._process.returncode}"

    def stop(self) -> None:
        """Ask it to end, without waiting; `tidy` sees to the rest."""
        if self.running():
            self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        self._kill_at = time.monotonic() + GRACE

    def tidy(self) -> bool:
        """Kill it if its time is up; True once it is gone, and its temporary files with it."""
        if self.running() and time.monotonic() > self._kill_at:
            self.kill()
        if self.running():
            return False
        self._clean()
        return True

    def kill(self) -> None:
        """End it now."""
        if self.running():
            self._process.kill()
            self._process.wait()
        self._clean()

    def _clean(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            log.debug("The worker's input was closed already", exc_info=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._target is not None:  # a worker that was killed may have left a half-written result under a temporary name
            for left in self._target.parent.glob(f".{self._target.name[:40]}.*.tmp"):
                shutil.rmtree(left, ignore_errors=True)


def _python() -> str:
    """The Python that Blender runs on."""
    if sys.executable and Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    folder = Path(sys.prefix)
    for candidate in (*sorted(folder.glob("bin/python3*")), folder / "python.exe", folder / "bin" / "python.exe"):
        if candidate.is_file() and not candidate.stem.endswith("config"):
            return str(candidate)
    raise UsageError("Blender's own Python program is missing; reinstall Blender, or run Stillscape from the command line.")


def _environment() -> dict[str, str]:
    """The environment of the worker: it finds our code, and the OpenCV and numpy that Blender itself has."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONSTARTUP", "PYTHONPATH")}
    folders = [str(_EXTENSION)]
    for name in ("cv2", "numpy"):
        found = importlib.util.find_spec(name)
        if found is None or not found.origin:
            cv()  # says what is missing and what to do
            continue
        folder = str(Path(found.origin).parent.parent)
        if folder not in folders:
            folders.append(folder)
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONNOUSERSITE"] = "1"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # nothing is written beside the code
    return environment


_waiting: Worker | None = None
_busy: list[Worker] = []
_ending: list[Worker] = []


def take() -> Worker:
    """A worker for one import: the one that waits, or a new one."""
    global _waiting
    worker, _waiting = _waiting, None
    if worker is not None and not worker.running():
        worker.kill()
        worker = None
    worker = worker or Worker()
    _busy.append(worker)
    return worker


def give_back(worker: Worker) -> None:
    """Keep a worker for the next import."""
    global _waiting
    if _waiting is not None or not worker.running():
        end(worker)
        return
    _busy.remove(worker)
    worker.idle_since = time.monotonic()
    _waiting = worker
    _watch()


def end(worker: Worker) -> None:
    """Stop a worker, whatever it is doing."""
    worker.stop()
    _busy.remove(worker)
    _ending.append(worker)
    _watch()


def _watch() -> None:
    if not bpy.app.timers.is_registered(_tend):
        bpy.app.timers.register(_tend, first_interval=0.1, persistent=True)


def _tend() -> float | None:
    """Timer: clear away workers that were stopped or waited for long enough."""
    global _waiting
    _ending[:] = [worker for worker in _ending if not worker.tidy()]
    if _waiting is not None and (time.monotonic() - _waiting.idle_since > IDLE or not _waiting.running()):
        _waiting.stop()
        _ending.append(_waiting)
        _waiting = None
    if _ending:
        return 0.1
    return 5.0 if _waiting is not None else None


def shut_down() -> None:
    """End every worker now."""
    global _waiting
    for worker in [*_busy, *_ending, *([_waiting] if _waiting is not None else [])]:
        worker.kill()
    _busy.clear()
    _ending.clear()
    _waiting = None


def register() -> None:
    atexit.register(shut_down)


def unregister() -> None:
    atexit.unregister(shut_down)
    shut_down()
    if bpy.app.timers.is_registered(_tend):
        bpy.app.timers.unregister(_tend)
