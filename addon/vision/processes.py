"""Whether another process still runs."""

from __future__ import annotations

import os
import socket


def machine() -> str:
    """This machine, or this container of it: only in here does a process number mean anything."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def has_ended(process: int) -> bool:
    """Whether the process of this number, on this machine, is known to be no longer running.

    False also where that cannot be told: on Windows signal 0 would be Ctrl-C.
    """
    if os.name != "posix" or process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
