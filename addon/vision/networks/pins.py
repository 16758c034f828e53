"""What a network's files must be: the notes in `stillscape.json`, and a look into the files themselves."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ..files import shown, write_atomically
from .catalogue import ModelFile

PINS = "stillscape.json"
BY_HAND = "copied by hand"
LARGEST_TEXT = 4_000_000
"""Bytes of a JSON file, at most."""

_SCHEMA = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pin:
    """What one file was when it was verified, and the time stamp by which that is remembered."""

    bytes: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True)
class Pins:
    """What is noted in `stillscape.json`: where the files came from, when, and what they are."""

    model: str
    revision: str | None
    source: str
    date: str
    files: dict[str, Pin] = field(default_factory=dict)


class Stamp(NamedTuple):
    """A file's size and time of change."""

    bytes: int
    mtime_ns: int


def inspect(file: ModelFile, place: Path, stamp: Stamp, pin: Pin | None, tell: Callable[[int], None]) -> Pin:
    """Read a file and compare it with what it should be. Raises InputError that names it."""
    wrong = f"{shown(place)}: this file is damaged or not the published file; delete it and download it again."
    if file.bytes is not None and stamp.bytes != file.bytes:
        raise InputError(wrong)
    digest = hashlib.sha256()
    there = 0
    try:
        with open(place, "rb") as f:
            while block := f.read(1 << 20):
                if not there and block.startswith(b"version https://git-lfs"):
                    raise InputError(f"{shown(place)}: this is only a pointer of git-lfs; delete it and download the file itself.")
                digest.update(block)
                there += len(block)
                tell(there)
    except OSError as error:
        raise InputError(f"{shown(place)}: the file cannot be read ({error.strerror or error}); change its permissions.") from error
    expected = file.sha256 or (pin.sha256 if pin else None)
    if there != stamp.bytes or (expected is not None and digest.hexdigest() != expected):
        raise InputError(wrong)
    if expected is None and not looks_right(place, there):
        raise InputError(wrong)
    return Pin(there, digest.hexdigest(), stamp.mtime_ns)


def looks_right(place: Path, size: int) -> bool:
    """Whether a file of which nothing is known is at least of its kind and whole; before it is trusted for good."""
    try:
        if place.suffix == ".json":
            return size <= LARGEST_TEXT and isinstance(json.loads(place.read_text(encoding="utf-8")), dict)
        if place.suffix == ".safetensors":
            return _safetensors_size(place) == size
        if place.suffix == ".pt":
            with open(place, "rb") as f:
                start = f.read(4)
                f.seek(max(size - 66_000, 0))
                # PyTorch writes ZIP files, which end with their table of contents.
                return start == b"PK\x03\x04" and b"PK\x05\x06" in f.read()
        return size > 0
    except (OSError, ValueError, RecursionError):
        return False


def _safetensors_size(place: Path) -> int:
    """How long a safetensors file is by its own header: eight bytes of length, JSON, data. ValueError for another file."""
    with open(place, "rb") as f:
        length = int.from_bytes(f.read(8), "little")
        if not 2 <= length <= 100_000_000:
            raise ValueError("no header")
        header = json.loads(f.read(length))
    if not isinstance(header, dict):
        raise ValueError("no header")
    ends = [0]
    for name, entry in header.items():
        if name != "__metadata__":
            offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
            if not isinstance(offsets, list) or len(offsets) != 2 or not all(isinstance(o, int) for o in offsets):
                raise ValueError("no offsets")
            ends.append(offsets[1])
    return 8 + length + max(ends)


def read_pins(path: Path) -> Pins | None:
    """The notes in a file; None if there are none. Raises InputError if they are damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, Mapping) or data.get("schema") != _SCHEMA:
            raise ValueError("another schema")
        files = {str(name): Pin(**pin) for name, pin in data["files"].items()}
        if not all(isinstance(p.bytes, int) and isinstance(p.mtime_ns, int) and isinstance(p.sha256, str) for p in files.values()):
            raise ValueError("not notes about files")
        revision = data["revision"]
        if revision is not None and not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise ValueError("not a commit")
        return Pins(str(data["model"]), revision, str(data["source"]), str(data["date"]), files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shown(path)}: these notes about a network cannot be read ({reason}); delete this file.") from error


def lenient_pins(path: Path) -> Pins | None:
    """The notes in a file; None if there are none or they are damaged, where a download puts that right."""
    try:
        return read_pins(path)
    except InputError as error:
        _log.info("%s", error)
        return None


def write_pins(path: Path, pins: Pins) -> None:
    text = json.dumps({"schema": _SCHEMA, **asdict(pins)}, indent=2) + "\n"
    write_atomically(path, lambda temporary: _write_text(temporary, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def stamp_of(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns) if path.is_file() else None


def size_of(path: Path) -> int | None:
    stamp = stamp_of(path)
    return stamp.bytes if stamp is not None else None
