"""Operators say what went wrong in one sentence instead of showing a traceback."""

from __future__ import annotations

import logging
from typing import Any

import bpy

from ..errors import StillscapeError

log = logging.getLogger(__name__)


class Reporting:
    """Mixin for operators: `execute` does `run`, and a StillscapeError becomes a report and CANCELLED.

    Anything else is a fault of the program and goes on as the exception that it is.
    """

    def run(self, context: bpy.types.Context) -> set[str]:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            return self.run(context)
        except StillscapeError as error:
            return self.refuse(error)

    def refuse(self: Any, error: StillscapeError | str) -> set[str]:
        """Tell the user, and cancel."""
        if isinstance(error, StillscapeError):
            log.debug("An operator was refused", exc_info=error)
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}
