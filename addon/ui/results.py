"""Layered photos of this session, so that adjusting or repeating an import does not estimate depth again."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from ..spec import SceneSpec

_MOST = 8
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
        stat = path.stat()
    except (OSError, ValueError):
        return [str(path)]
    return [str(path.absolute()), stat.st_mtime_ns, stat.st_size]


def _session() -> Path:
    global _folder
    if _folder is None or not _folder.is_dir():
        _folder = Path(tempfile.mkdtemp(prefix="stillscape-layers-"))
    return _folder


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
