"""The slow part beside Blender's window: photos become layered photos, on demand, in a process of its own.

    python -m addon.vision.worker

reads one job for each line of standard input, until its end:

    {"photo": "/path/photo.jpg", "folder": "/path/of/the/result", "spec": {"depth": {"near": 2}}}

and answers on standard output with JSON lines of the types status, progress, warning, error, done and check;
docs/worker.md lists their fields. Text for people goes to standard error. SIGINT, SIGTERM or Ctrl-Break ends it at once, with nothing
half-made left behind. Bpy is not needed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from ..errors import StillscapeError, UsageError
from ..spec import SceneSpec, check, from_mapping

INTERRUPTED = 75
"""Exit code and `exit_code` of a job that was stopped by a signal."""
PROTOCOL = 1


class Interrupted(BaseException):
    """A signal asked for the end; not an Exception, so that nothing on the way takes it for a failure."""


class Writer:
    """The one thing that writes to standard output, one JSON object for each line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._parent = os.getppid()

    def orphaned(self) -> bool:
        """Whether the process that started this one has ended without saying so (on Windows that does not show)."""
        return os.getppid() != self._parent

    def send(self, type: str, **values: Any) -> None:
        """Write one message at once."""
        self._stream.write(json.dumps({"type": type, **values}, default=str) + "\n")
        self._stream.flush()

    def progress(self, share: float, message: str) -> None:
        """How much is done in [0, 1], and what is being done. Also the sign of life."""
        if self.orphaned():
            raise Interrupted("whoever asked is gone")
        self.send("progress", share=round(min(1.0, max(0.0, share)), 4), message=message)


def protected_stdout() -> TextIO:
    """A stream to what standard output was; whatever else prints there, in C too, goes to standard error from now on."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace", newline="\n")
    os.dup2(2, 1)
    return stream


class _Warnings(logging.Handler):
    """What our modules log as a warning reaches the window."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(logging.WARNING)
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.send("warning", message=" ".join(record.getMessage().split()))


class Job:
    """One line of standard input."""

    def __init__(self, line: str) -> None:
        """Raises UsageError with one sentence if `line` is not a job."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"The worker was handed a line that is not JSON ({error}); send one job for each line.") from error
        if not isinstance(data, Mapping) or not isinstance(data.get("spec", {}), Mapping):
            raise UsageError("The worker was handed a line that is not a job; send an object with photo, folder and spec.")
        for name in ("photo", "folder"):
            value = data.get(name)
            if not isinstance(value, str) or not value or "\0" in value:
                raise UsageError(f'The worker was handed a job without "{name}"; name a path.')
        self.photo = Path(data["photo"])
        self.folder = Path(data["folder"])
        self.recut = data.get("recut") is True
        self.depth = data.get("depth") is True
        self.film = data.get("film", True) is True
        self.cwd = data.get("cwd")
        if self.cwd is not None and not isinstance(self.cwd, str):
            raise UsageError('The worker was handed a job whose "cwd" is no path.')
        self.spec: SceneSpec = check(from_mapping(data.get("spec", {}), source="The job's settings"))


def _is_check(line: str) -> bool:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return False  # which Job says
    return isinstance(data, Mapping) and data.get("check") is True


def run(line: str, writer: Writer) -> None:
    """Do the job in `line` and answer with "done" or "error", never with an exception other than Interrupted."""
    started = time.monotonic()
    try:
        if _is_check(line):
            from .environment import report

            writer.send("check", **report())
            return
        job = Job(line)
        if job.cwd is not None:
            os.chdir(job.cwd)
        writer.progress(0.0, "Starting")
        from .layered_film import make_layered  # numpy and the rest: after the first sign of life
        from .pipeline import recut_layers, write_depth

        if job.depth:
            near, far, made_by = write_depth(job.photo, job.spec, job.folder, writer.progress)
            seconds = round(time.monotonic() - started, 3)
            writer.send("done", folder=str(job.folder), near=near, far=far, estimator=made_by, seconds=seconds)
            return
        if job.recut:
            layered = recut_layers(job.photo, job.spec, job.folder, writer.progress)
        else:
            layered = make_layered(job.photo, job.spec, job.folder, writer.progress, film=job.film)
    except StillscapeError as error:
        writer.send("error", message=str(error), exit_code=error.exit_code)
    except ModuleNotFoundError as error:
        message = f"This Python ({sys.executable}) lacks {error.name}, which the worker needs; install it there, or choose another Python."
        writer.send("error", message=message, exit_code=2)
    except MemoryError:
        writer.send("error", message="Not enough memory for this photo; close other programs or save a smaller copy.", exit_code=4)
    except Exception as error:  # noqa: BLE001 - the last line of defence: the window must hear of it
        traceback.print_exc()
        reason = " ".join(str(error).split()) or type(error).__name__
        message = f"Stillscape could not use this photo because of a fault of its own ({type(error).__name__}: {reason}); please report it."
        writer.send("error", message=message, exit_code=4)
    else:
        seconds = round(time.monotonic() - started, 3)
        writer.send("done", folder=str(layered.folder), name=layered.name, size=list(layered.size), seconds=seconds)


def _interrupt(number: int, frame: Any) -> None:
    del frame
    _ignore_signals()
    raise Interrupted(number)


def _ignore_signals() -> None:
    """Once is enough: the way out must not be interrupted again."""
    for name in _SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_IGN)


_SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


def main() -> int:
    """Serve jobs until standard input ends. Returns the exit code."""
    writer = Writer(protected_stdout())
    working = False
    try:
        for name in _SIGNALS:
            signal.signal(getattr(signal, name), _interrupt)
        logging.getLogger((__package__ or "").rpartition(".")[0]).addHandler(_Warnings(writer))
        writer.send("status", message="Ready", protocol=PROTOCOL, pid=os.getpid(), python=sys.version.split()[0])
        for raw in sys.stdin.buffer:
            line = raw.decode("utf-8", "replace").strip()
            if line:
                working = True
                run(line, writer)
                working = False
    except Interrupted:
        if working:
            writer.send("error", message="Cancelled; nothing half-made was left.", exit_code=INTERRUPTED)
        if writer.orphaned():
            shutil.rmtree(os.environ.get("STILLSCAPE_WORKER_FOLDER") or "", ignore_errors=True)
        return INTERRUPTED
    except BrokenPipeError:  # whoever asked is gone
        return 0
    finally:
        _ignore_signals()
    return 0


if __name__ == "__main__":
    sys.exit(main())
