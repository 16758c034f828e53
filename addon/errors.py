"""What can go wrong through no fault of the program, each with its exit code.

Every message is one sentence that names the file or setting and says what to do. The fronts print it as it stands.
"""

from __future__ import annotations


class StillscapeError(Exception):
    """Base of every error that a user can cause; `exit_code` is what the command line returns for it."""

    exit_code = 4


class UsageError(StillscapeError):
    """A setting or argument makes no sense."""

    exit_code = 2


class InputError(StillscapeError):
    """A file that was handed in cannot be used; trying again will not help."""

    exit_code = 3


class RenderError(StillscapeError):
    """Blender did not deliver a frame, or delivered a broken one."""

    exit_code = 4


class StorageError(StillscapeError):
    """The disk is full, or a place cannot be written."""

    exit_code = 5


class DeviceError(StillscapeError):
    """A device that was asked for by name is not there; another machine may have it."""

    exit_code = 6
