"""Save the scene as a .blend file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import StorageError
from ..vision.files import shown, write_atomically


def save_blend(path: Path) -> None:
    """Save the open file as a copy at `path`. Raises StorageError if there is no room or no permission."""

    def write(temporary: Path) -> None:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, relative_remap=False)
        except RuntimeError as error:
            raise StorageError(f"{shown(path)}: the scene cannot be saved there; free some room or choose another place.") from error

    def verify(temporary: Path) -> None:
        if temporary.stat().st_size < 32:
            raise StorageError(f"{shown(path)}: the scene cannot be saved there; free some room or choose another place.")

    write_atomically(path, write, verify)
