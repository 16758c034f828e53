"""The window's workers: kept warm between photos, stopped without waiting, ended with Blender."""

from __future__ import annotations

import atexit
import time
from dataclasses import dataclass

import bpy

from ..vision.worker_process import Worker

IDLE = 120.0
"""Seconds that a worker is kept for the next photo: the start costs about as long as a small photo."""
IDLE_WITH_NETWORK = 900.0
"""The same for one in the user's Python, which may hold a network of a gigabyte that takes long to load."""


@dataclass
class _Waiting:
    worker: Worker
    since: float


_waiting: dict[str, _Waiting] = {}
"""By Python, so that rebuilding layers in Blender's own does not cost the network that another holds."""
_busy: list[Worker] = []
_ending: list[Worker] = []


def take(python: str = "", patience: float = 600.0) -> Worker:
    """A worker in the given Python (left out: Blender's own) for one import: the one that waits, or a new one."""
    waiting = _waiting.pop(python, None)
    if waiting is not None and not waiting.worker.running():
        waiting.worker.kill()
        waiting = None
    worker = waiting.worker if waiting is not None else Worker(python, patience)
    worker.patience = patience
    _busy.append(worker)
    return worker


def give_back(worker: Worker) -> None:
    """Keep a worker for the next import."""
    if worker.python in _waiting or not worker.running():
        end(worker)
        return
    _busy.remove(worker)
    _waiting[worker.python] = _Waiting(worker, time.monotonic())
    _watch()


def end(worker: Worker) -> None:
    """Stop a worker, whatever it is doing."""
    _busy.remove(worker)
    _stop(worker)


def _stop(worker: Worker) -> None:
    worker.stop()
    _ending.append(worker)
    _watch()


def _watch() -> None:
    if not bpy.app.timers.is_registered(_tend):
        bpy.app.timers.register(_tend, first_interval=0.1, persistent=True)


def _tend() -> float | None:
    """Timer: clear away workers that were stopped or waited for long enough."""
    _ending[:] = [worker for worker in _ending if not worker.tidy()]
    for python, waiting in list(_waiting.items()):
        idle = time.monotonic() - waiting.since
        if not waiting.worker.running() or idle > (IDLE_WITH_NETWORK if python else IDLE):
            del _waiting[python]
            waiting.worker.stop()
            _ending.append(waiting.worker)
    if _ending:
        return 0.1
    return 5.0 if _waiting else None


def shut_down() -> None:
    """End every worker now."""
    for worker in [*_busy, *_ending, *(waiting.worker for waiting in _waiting.values())]:
        worker.kill()
    _busy.clear()
    _ending.clear()
    _waiting.clear()


def register() -> None:
    atexit.register(shut_down)


def unregister() -> None:
    atexit.unregister(shut_down)
    shut_down()
    if bpy.app.timers.is_registered(_tend):
        bpy.app.timers.unregister(_tend)
