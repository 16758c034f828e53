"""One process at a time: a lock file that outlives neither its owner's end nor its owner's silence."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...errors import StorageError
from ..files import shown
from ..processes import has_ended, machine

SILENCE = 120.0
"""Seconds without a sign of life after which an owner counts as gone. Longer than a read from a network may hang."""
BEAT = 5.0
_LOOK = 0.2

_log = logging.getLogger(__name__)


class _Sight(NamedTuple):
    """What a look at a lock file shows; two that are equal mean that its owner did nothing in between."""

    text: str
    changed_ns: int


@contextlib.contextmanager
def locked(path: Path, wait: Callable[[], None], *, silence: float = SILENCE, beat_every: float = BEAT) -> Iterator[Callable[[], None]]:
    """Hold the lock file `path` (its folder exists) for the length of a `with` block.

    Gives a function that the owner calls often: it is the sign of life, at most one in `beat_every` seconds, and raises
    StorageError if the lock was lost to someone else. `wait` is called five times a second while another process holds the
    lock, and may raise to give up. An owner on this machine that has ended is noticed at once; of any other, after `silence`
    seconds in which the file did not change, by this process's own clock, since the clocks of two machines differ.
    Raises StorageError if the file cannot be made.
    """
    mine = json.dumps({"machine": machine(), "process": os.getpid(), "token": secrets.token_hex(8)})
    last, since = None, time.monotonic()
    while not _create(path, mine):
        sight = _look(path)
        if sight is None:
            continue  # gone between the two steps
        if sight != last:
            last, since = sight, time.monotonic()
        if _ended(sight.text) or time.monotonic() - since > silence:
            _log.info("%s: its owner is gone; the lock is taken over", shown(path))
            _set_aside(path, sight)
            continue
        wait()
        time.sleep(_LOOK)
    beaten = time.monotonic()

    def beat() -> None:
        nonlocal beaten
        if time.monotonic() - beaten < beat_every:
            return
        beaten = time.monotonic()
        sight = _look(path)
        if sight is None or sight.text != mine:
            raise StorageError(f"{shown(path.parent)}: another process took this folder over after a long pause; start again.")
        with contextlib.suppress(OSError):  # a missed sign of life is made good by the next
            os.utime(path)

    try:
        yield beat
    finally:
        sight = _look(path)
        if sight is not None and sight.text == mine:
            with contextlib.suppress(OSError):  # the next one sees that this process has ended
                path.unlink()


def _create(path: Path, text: str) -> bool:
    try:
        with open(path, "x", encoding="utf-8") as f:
            f.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        if os.name == "nt" and isinstance(error, PermissionError) and path.exists():
            return False  # Windows, while the last owner's file is being deleted
        raise StorageError(
            f"{shown(path.parent)}: this folder cannot be written ({error.strerror or error}); choose another folder for networks."
        ) from error
    return True


def _look(path: Path) -> _Sight | None:
    try:
        return _Sight(path.read_text(encoding="utf-8", errors="replace")[:4096], path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{shown(path)}: the lock cannot be read ({error.strerror or error}); delete it.") from error


def _ended(text: str) -> bool:
    """Whether the owner is known to be no longer running; False also where that cannot be told."""
    try:
        owner = json.loads(text)
        theirs, process = owner["machine"], int(owner["process"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False  # not written yet, or not ours: silence decides
    return theirs == machine() and has_ended(process)


def _set_aside(path: Path, seen: _Sight) -> None:
    """Remove the lock that was seen, by renaming it, since of several processes that try only one succeeds."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{shown(path)}: an old lock cannot be removed ({error.strerror or error}); delete it.") from error
    moved = _look(aside)
    if moved is not None and moved.text != seen.text and not path.exists():
        os.rename(aside, path)  # someone else was quicker, and this is the new owner's
    else:
        aside.unlink(missing_ok=True)
