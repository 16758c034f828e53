"""Save the scene as a .blend file, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ..errors import StorageError
from ..vision.files import shown, write_atomically


def save_blend(path: Path) -> None:
    """Save the open file as a copy at `path`. Raises StorageError if there is no room or no permission.

    Image sequences in a folder beside `path` are named relative to it, so that both can be moved together.
    """

    def write(temporary: Path) -> None:
        try:
            with _relative_sequences(path.parent):
                bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, relative_remap=False)
        except RuntimeError as error:
            raise StorageError(f"{shown(path)}: the scene cannot be saved there; free some room or choose another place.") from error

    def verify(temporary: Path) -> None:
        if temporary.stat().st_size < 32:
            raise StorageError(f"{shown(path)}: the scene cannot be saved there; free some room or choose another place.")

    write_atomically(path, write, verify)


@contextmanager
def _relative_sequences(folder: Path) -> Iterator[None]:
    """Image sequences below `folder` are named relative to it for a while."""
    folder = folder.resolve()
    before = {}
    for image in bpy.data.images:
        if image.source != "SEQUENCE" or image.filepath_raw.startswith("//"):
            continue
        file = Path(image.filepath_raw).resolve()
        if folder in file.parents:
            before[image] = image.filepath_raw
            image.filepath_raw = f"//{file.relative_to(folder).as_posix()}"
    try:
        yield
    finally:
        for image, name in before.items():
            image.filepath_raw = name
