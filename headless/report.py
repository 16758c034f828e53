"""What the command line says: plain lines for people and managers of render farms, JSON lines for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from addon.errors import StorageError
from addon.vision.files import shown


class Report:
    """Writes progress and result.

    Blender's C code prints to file descriptor 1 as it likes; that is turned away, so that standard output holds our
    lines alone.
    """

    def __init__(self, json_target: str | None, *, verbose: bool) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        sys.stdout.flush()
        quiet = 2 if verbose else os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        self._bar = self._out.isatty() and json_target != "-"
        self._open_bar = False
        self._started = time.time()
        self._json = self._open(json_target)
        self._lines = json_target != "-"

    def _open(self, target: str | None) -> TextIO | None:
        if target is None:
            return None
        if target == "-":
            return self._out
        try:
            return open(target, "w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise StorageError(
                f"{shown(target)}: the report cannot be written ({error.strerror or error}); choose another place."
            ) from error

    def event(self, event: str, **values: Any) -> None:
        """One JSON line, if JSON was asked for."""
        if self._json is not None:
            line = {"event": event, "seconds": round(time.time() - self._started, 3), **values}
            self._json.write(json.dumps(line, default=str) + "\n")

    def line(self, text: str) -> None:
        """One line for people; never more than one, whatever the names of files hold."""
        if self._lines:
            self._close_bar()
            self._out.write(shown(text) + "\n")

    def progress(self, share: float, text: str) -> None:
        """How much is done in [0, 1]; a bar on a terminal, and a JSON line."""
        self.event("progress", share=round(share, 4), text=text)
        if self._bar:
            full = round(30 * min(1.0, max(0.0, share)))
            self._out.write(f"\r\033[K[{'#' * full}{'.' * (30 - full)}] {share:4.0%} {text}")
            self._out.flush()
            self._open_bar = True

    def frame(self, number: int, path: Path, seconds: float, done: int, total: int, *, show: bool) -> None:
        """A frame is complete. The two lines are what managers of render farms look for."""
        self.event("frame", frame=number, path=str(path) if show else None, frame_seconds=round(seconds, 3), done=done, total=total)
        if show and not self._bar:
            self.line(f"Saved: '{path.resolve()}'")
            self.line(f"Time: {int(seconds // 60):02d}:{seconds % 60:05.2f}")

    def _close_bar(self) -> None:
        if self._open_bar:
            self._out.write("\n")
            self._open_bar = False

    def problem(self, message: str, exit_code: int) -> None:
        """The one sentence about what went wrong, on standard error."""
        self._close_bar()
        self._out.flush()
        sys.stderr.write(f"Stillscape: {shown(message)}\n")
        self.event("error", message=message, exit_code=exit_code)

    def scaled(self, start: float, end: float) -> Callable[[float, str], None]:
        """A progress function for one stretch of the whole."""
        return lambda share, text: self.progress(start + (end - start) * share, text)
