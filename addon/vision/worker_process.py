"""The worker (docs/worker.md) from outside: started with a Python of choice, listened to without waiting, stopped.

The worker writes its lines into a file that is read from here as it grows. Unlike a pipe that works without blocking and
without threads on every system.
"""

from __future__ import annotations

import glob
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
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DeviceError, InputError, RenderError, StillscapeError, StorageError, UsageError
from ..spec import SceneSpec
from .cv import cv
from .depth import Progress, is_network
from .layered import Disparity, LayeredPhoto, read_layered, to_disparity, unfinished
from .layered_film import make_layered
from .pipeline import estimate_depth

log = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds that a stopped worker has to tidy up before it is killed: a long step inside OpenCV hears no signal."""
FOLDER = "STILLSCAPE_WORKER_FOLDER"
"""The variable that names the folder of a worker's lines, which it removes itself if whoever started it is gone."""
_ERRORS = {error.exit_code: error for error in (UsageError, InputError, RenderError, StorageError, DeviceError)}

_EXTENSION = Path(__file__).resolve().parents[2]  # where `addon` lies, in the repository as in the installed extension


class Worker:
    """One worker process."""

    def __init__(self, python: str = "", patience: float = 600.0) -> None:
        """Start it; raises a StillscapeError if that cannot be done.

        python: the Python program of an environment of the user's; left out, the Python that runs this, with what it
        sees. patience: seconds of silence in the middle of a job after which it is taken for dead and killed.
        """
        self.python = python
        self.patience = patience
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
        self._heard = time.monotonic()
        self._ready = False
        self._pid: int | None = None  # of the Python itself: on Windows a launcher may stand before it
        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows: or Ctrl-Break would reach Blender too
        try:
            program, environment = (absolute(python), foreign_environment()) if python else (own_python(), own_environment())
            environment[FOLDER] = str(self.folder)
            with open(self._lines, "wb") as lines, open(self._text, "wb") as text:
                self._process = subprocess.Popen(
                    [program, "-m", "addon.vision.worker"],
                    stdin=subprocess.PIPE,
                    stdout=lines,
                    stderr=text,
                    cwd=self.folder,
                    env=environment,
                    creationflags=group,
                )
        except (OSError, ValueError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            reason = getattr(error, "strerror", None) or error
            if python:
                raise UsageError(f"{python}: this Python cannot be started ({reason}); set --worker-python to one that can.") from error
            raise RenderError(f"Python could not be started beside Blender ({reason}); reinstall Blender.") from error

    def send(self, photo: Path, folder: Path, spec: Mapping[str, Any], **more: bool) -> None:
        """Hand it one job; the answer comes through `poll`. more: recut, depth, film, as docs/worker.md describes them."""
        self._target = folder
        # Names as they were typed mean something where they were typed.
        self._write({"photo": str(photo), "folder": str(folder), "spec": spec, "cwd": os.getcwd(), **more})

    def ask(self) -> None:
        """Let it say what it has: the answer is a "check" message."""
        self._target = None
        self._write({"check": True})

    def _write(self, job: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._heard = time.monotonic()
        try:
            self._process.stdin.write((json.dumps(job) + "\n").encode())
            self._process.stdin.flush()
        except OSError:  # it died, which `poll` reports
            log.debug("The worker takes no more jobs", exc_info=True)

    def poll(self) -> list[dict[str, Any]]:
        """The messages since the last call, at most one of them an "error", "done" or "check".

        A worker that ended without being asked to, fell silent or says what is no message gives an "error"; it is of no
        more use then.
        """
        ended = not self.running()
        messages = []
        for line in self._new_lines():
            message = _message(line)
            if message is not None:
                self._ready = True
                self._pid = message["pid"] if isinstance(message.get("pid"), int) else self._pid
                messages.append(message)
            elif self._ready:
                self._kill_process()
                return [*messages, _failed(f'The worker said something unreadable ("{_short(line)}") and was ended; try again.')]
            else:  # an environment may greet before our program begins
                log.debug("Before the worker's first word: %s", _short(line))
        if messages:
            self._heard = time.monotonic()
        if any(m["type"] in ("done", "error", "check") for m in messages):
            self._target = None
            return messages
        if ended:
            messages.append(_failed(self._obituary()))
        elif time.monotonic() - self._heard > self.patience:
            self._kill_process()
            messages.append(
                _failed(f"The worker gave no sign of life for {self.patience:g} seconds and was ended; try again or raise --patience.")
            )
        return messages

    def _new_lines(self) -> list[bytes]:
        with open(self._lines, "rb") as f:
            f.seek(self._at)
            data = f.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return [line for line in whole.splitlines() if line.strip()]

    def running(self) -> bool:
        return self._process.poll() is None

    def _obituary(self) -> str:
        """Why a worker that ended unexpectedly may have done so."""
        code = self._process.returncode
        lines = self._text.read_text("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        if not self._ready and self.python:
            reason = said[-1][:200] if said else f"exit code {code}"
            return f"{self.python}: the worker does not start in this Python ({reason}); check it in the preferences or choose another."
        if code == -getattr(signal, "SIGKILL", 9):
            return "The worker was killed by the system, most likely because memory ran out; close other programs or use a smaller network."
        return f"The worker ended unexpectedly ({said[-1][:200] if said else f'exit code {code}'}); try again."

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
        self._kill_process()
        self._clean()

    def _kill_process(self) -> None:
        if self.running():
            self._process.kill()
            self._process.wait()

    def _clean(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            log.debug("The worker's input was closed already", exc_info=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._target is not None:  # a worker that was killed may have left a half-written result under a temporary name
            for left in self._target.parent.glob(f"{glob.escape(unfinished(self._target, self._pid or self._process.pid))}*.tmp"):
                shutil.rmtree(left, ignore_errors=True)


def python_for(spec: SceneSpec) -> str:
    """The user's own Python if these settings need it and name one, else "": only networks run there."""
    return spec.machine.worker_python if is_network(spec.depth) else ""


def make_layers(photo: Path, spec: SceneSpec, folder: Path, progress: Progress, *, film: bool = True) -> LayeredPhoto:
    """Make the layered photo of `photo` in `folder`, here or, if the settings name a Python for their network, there.

    Raises InputError, StorageError, UsageError, RenderError or DeviceError with a sentence for the user; whatever `progress`
    raises to cancel, which ends the other process.
    """
    python = python_for(spec)
    if not python:
        return make_layered(photo, spec, folder, progress, film=film)
    _elsewhere(python, spec, progress, lambda worker: worker.send(photo, folder, asdict(spec), film=film))
    return read_layered(folder)


def make_depth(photo: Path, spec: SceneSpec, progress: Progress) -> tuple[Disparity, str]:
    """The depth of `photo` at its size and the name of what made it, estimated here or there like `make_layers`."""
    python = python_for(spec)
    if not python:
        _, depth = estimate_depth(photo, spec, progress)
        return to_disparity(depth, near=spec.depth.near, far=spec.depth.far), depth.made_by
    with tempfile.TemporaryDirectory(prefix="stillscape-") as place:
        folder = Path(place)
        done = _elsewhere(python, spec, progress, lambda worker: worker.send(photo, folder / "depth", asdict(spec), depth=True))
        return Disparity(np.load(folder / "depth" / "depth.npy"), done["near"], done["far"]), done["estimator"]


def _elsewhere(python: str, spec: SceneSpec, progress: Progress, send: Callable[[Worker], None], tick: float = 0.05) -> dict[str, Any]:
    """Let a worker do one job and wait for it; returns its "done" message, raises what its "error" stands for."""
    worker = Worker(python, spec.machine.patience)
    try:
        send(worker)
        while True:
            for message in worker.poll():
                if message["type"] == "progress":
                    progress(message["share"], message["message"])
                elif message["type"] == "warning":
                    log.warning("%s", message["message"])
                elif message["type"] == "error":
                    raise error_of(message)
                elif message["type"] == "done":
                    return message
            time.sleep(tick)
    finally:
        worker.stop()
        while not worker.tidy():
            time.sleep(tick)


def error_of(message: Mapping[str, Any]) -> StillscapeError:
    """The exception that an "error" message stands for."""
    return _ERRORS.get(message.get("exit_code", 4), StillscapeError)(message["message"])


def _message(line: bytes) -> dict[str, Any] | None:
    """A line of the worker's as a message; None if it is none."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        return None
    if data["type"] in ("progress", "warning", "error") and not isinstance(data.get("message"), str):
        return None
    return None if data["type"] == "progress" and not isinstance(data.get("share"), (int, float)) else data


def _failed(message: str) -> dict[str, Any]:
    return {"type": "error", "message": message, "exit_code": 4}


def _short(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:80]


def absolute(program: str) -> str:
    """A program's path that holds in any folder; a bare name is left to be looked up. Links stay: a venv's Python is one."""
    return str(Path(program).expanduser().absolute()) if os.path.basename(program) != program else program


def own_python() -> str:
    """The Python that Blender, or this program, runs on. Raises UsageError if there is no such file."""
    if sys.executable and Path(sys.executable).stem.lower().startswith("python"):
        return sys.executable
    folder = Path(sys.prefix)
    for candidate in (*sorted(folder.glob("bin/python3*")), folder / "python.exe", folder / "bin" / "python.exe"):
        if candidate.is_file() and not candidate.stem.endswith("config"):
            return str(candidate)
    raise UsageError("Blender's own Python program is missing; reinstall Blender, or run Stillscape from the command line.")


def _environment(folders: list[str]) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONSTARTUP", "PYTHONPATH")}
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # nothing is written beside the code
    return environment


def own_environment() -> dict[str, str]:
    """For our own Python: it finds our code, and the OpenCV and numpy that this process has."""
    folders = [str(_EXTENSION)]
    for name in ("cv2", "numpy"):
        found = importlib.util.find_spec(name)
        if found is None or not found.origin:
            cv()  # says what is missing and what to do
            continue
        folder = str(Path(found.origin).parent.parent)
        if folder not in folders:
            folders.append(folder)
    return {**_environment(folders), "PYTHONNOUSERSITE": "1"}


def foreign_environment() -> dict[str, str]:
    """For a Python of the user's: it finds our code and its own packages, but none that were made for Blender's Python."""
    environment = _environment([str(_EXTENSION)])
    environment.pop("VIRTUAL_ENV", None)
    environment["PYTORCH_ENABLE_MPS_FALLBACK"] = "1"  # what Metal lacks is computed by the processor instead of failing
    return environment
