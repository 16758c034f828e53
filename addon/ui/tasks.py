"""Long work in the window: a modal operator with a timer, progress in the status bar and the panel, Esc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import StillscapeError

TICK = 0.1  # seconds


@dataclass
class Task:
    """What is going on, for the panel to show."""

    title: str
    share: float = 0.0
    message: str = ""


_current: Task | None = None


def current() -> Task | None:
    """The work that is going on, if any."""
    return _current


def is_free(cls: Any) -> bool:
    """For `poll`: whether nothing else of ours is going on; says so if not."""
    if _current is None:
        return True
    cls.poll_message_set(f"Wait until {_current.title} is done, or press Esc to cancel it")
    return False


def in_object_mode(cls: Any, context: bpy.types.Context) -> bool:
    """For `poll`: whether Blender is in Object Mode; says what to do if not."""
    if context.mode == "OBJECT":
        return True
    cls.poll_message_set("Go back to Object Mode first")
    return False


class Modal:
    """Mixin for an operator that works in small steps: `step` is called at every tick until it returns something.

    `step` returns None to go on, else what the operator returns; a StillscapeError becomes a report. `finish` is called
    at the very end, however it comes. While the work goes on, everything else in Blender can be used, unless `alone`.
    """

    title = ""
    alone = False
    _timer: Any = None

    def step(self, context: bpy.types.Context) -> set[str] | None:
        raise NotImplementedError

    def finish(self, context: bpy.types.Context) -> None:
        raise NotImplementedError

    def start(self: Any, context: bpy.types.Context) -> set[str]:
        """To be returned by `invoke` or `execute`."""
        global _current
        _current = Task(self.title)
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK, window=context.window)
        manager.modal_handler_add(self)
        self.tell(context, 0.0, "Starting")
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self._end(context)
            self.report({"INFO"}, f"{self.title} was cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"} if self.alone else {"PASS_THROUGH"}
        try:
            result = self.step(context)
        except StillscapeError as error:
            self._end(context)
            return self.refuse(error)
        except BaseException:
            self._end(context)
            raise
        if result is None:
            return {"RUNNING_MODAL"} if self.alone else {"PASS_THROUGH"}
        self._end(context)
        return result

    def cancel(self: Any, context: bpy.types.Context) -> None:
        """Called by Blender when the window is closed or another file is opened."""
        self._end(context)

    def _end(self: Any, context: bpy.types.Context) -> None:
        global _current
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        _current = None
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        redraw(context)
        self.finish(context)

    def tell(self: Any, context: bpy.types.Context, share: float, message: str) -> None:
        """Show how much is done in [0, 1], and what is being done."""
        if _current is not None:
            _current.share, _current.message = share, message
        if context.workspace is not None:
            context.workspace.status_text_set(f"{self.title}: {message} ({share:.0%})    Esc: Cancel")
        redraw(context)


def redraw(context: bpy.types.Context) -> None:
    """Show the panel anew."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
