"""Layered photos of this session, so that adjusting or repeating an import does not estimate depth again."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
import zlib
from dataclasses import asdict, replace
from pathlib import Path

from ..spec import SceneSpec
from ..vision.processes import has_ended, machine

_MOST = 8
_PREFIX = "stillscape-layers-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-([0-9a-f]{{8}})-.+")
_OLD = 7 * 86400.0  # seconds without a change after which a folder is nobody's any more
_OLD_UNTOLD = 3 * 86400.0  # the same where nothing tells whether the process that made it still runs
_folder: Path | None = None


def place_of(photo: Path, spec: SceneSpec) -> Path:
    """The folder that the layered photo of `photo` with these settings belongs in; it is there if it was made before."""
    parts = {
        "photo": _state(photo),
        "spec": asdict(spec.photo),
        "depth": asdict(spec.depth),
        "layers": asdict(spec.layers),
        "margin": spec.relief.margin,
        "focus": spec.focus.at,
    }
    if spec.move.amount is None:  # then it decides how far layers go on, and faces are looked for
        parts["move"] = asdict(spec.move)
        parts["film"] = (spec.render.size, spec.render.crop)
    if spec.rig.kind != "none":  # then people are looked for, who get layers of their own
        parts["rig"] = asdict(replace(spec.rig, action="", amount=1.0, seed=0, voice=""))
        for name in (spec.rig.landmarks, spec.rig.face_network, spec.rig.face_detector, spec.rig.pose_network):
            parts[f"rig {name}"] = _state(Path(name)) if name else []
    for name in (spec.depth.file, spec.depth.network):
        if name:
            parts[name] = _state(Path(name))
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]
    return _session() / key


def is_made(place: Path) -> bool:
    return (place / "layers.json").is_file()


def forget_oldest() -> None:
    """Keep the newest few."""
    made = sorted((p for p in _session().iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime_ns)
    for place in made[:-_MOST]:
        shutil.rmtree(place, ignore_errors=True)


def _state(path: Path) -> list[object]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return [str(path)]
    return [str(path.absolute()), found.st_mtime_ns, found.st_size]


def _session() -> Path:
    global _folder
    if _folder is None or not _folder.is_dir():
        clear_forsaken()
        _folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{_mark()}-"))
    return _folder


def _mark() -> str:
    """The machine, for a name: some share the folder of temporary files with other machines, or with containers."""
    return f"{zlib.crc32(machine().encode()):08x}"


def clear_forsaken() -> None:
    """Remove the folders of sessions that were killed: ours, right in the folder of temporary files, whose process has ended."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another session clears it just now
            found = folder.lstat()
            ours = stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
            if ours and is_forsaken(folder.name, time.time() - _changed(folder)):
                shutil.rmtree(folder, ignore_errors=True)


def is_forsaken(name: str, untouched: float, *, told: bool = os.name == "posix") -> bool:
    """Whether a folder of layers of this name, in which nothing has changed for so many seconds, can go.

    told: whether it can be known if a process still runs, as on Windows it cannot.
    """
    if untouched > _OLD:
        return True
    made = _NAME.fullmatch(name)
    if made is None or made[2] != _mark():
        return False
    return has_ended(int(made[1])) if told else untouched > _OLD_UNTOLD


def _changed(folder: Path) -> float:
    """When something was last made or removed in a folder of layers, by the clock of `time.time`."""
    return max(p.stat().st_mtime for p in (folder, *folder.iterdir()))


def _clear() -> None:
    global _folder
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)
        _folder = None


def register() -> None:
    atexit.register(_clear)


def unregister() -> None:
    atexit.unregister(_clear)
    _clear()
