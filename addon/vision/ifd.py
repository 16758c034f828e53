"""Directories of tags as TIFF files and EXIF blocks hold them. Every read is bounded: the bytes may be anything."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MOST_ENTRIES = 1000
_MOST_NUMBERS = 64  # no tag that is read here has more


@dataclass(frozen=True)
class Directory:
    """One image file directory: the raw bytes of each tag and their type."""

    order: str  # "<" or ">"
    tags: Mapping[int, tuple[int, bytes]]

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The finite or infinite numbers of a tag, at most 64; rationals with a denominator of 0 are NaN; () if there is no such tag."""
        kind, raw = self.tags.get(tag, (0, b""))
        count = min(len(raw) // _SIZES.get(kind, 1), _MOST_NUMBERS)
        if kind in (5, 10):
            pairs = struct.unpack(f"{self.order}{2 * count}{'I' if kind == 5 else 'i'}", raw[: 8 * count])
            return tuple(n / d if d else math.nan for n, d in zip(pairs[::2], pairs[1::2], strict=True))
        if kind not in _CODES:
            return ()
        return tuple(struct.unpack(f"{self.order}{count}{_CODES[kind]}", raw[: count * _SIZES[kind]]))

    def number(self, tag: int) -> float | None:
        """The first number of a tag, None if there is none or it is not finite."""
        found = self.numbers(tag)
        return found[0] if found and math.isfinite(found[0]) else None

    def raw(self, tag: int) -> bytes:
        """The bytes of a tag, b"" if there is none."""
        return self.tags.get(tag, (0, b""))[1]


@dataclass(frozen=True)
class Tiff:
    """The frame of a TIFF structure: byte order, 64-bit offsets or not, and where the first directory lies."""

    order: str
    big: bool
    first: int


def tiff_frame(data: bytes) -> Tiff | None:
    """The frame of the TIFF structure that `data` starts with; None if it does not."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    magic = struct.unpack_from(f"{order}H", data, 2)[0]
    if magic == 42:
        return Tiff(order, False, struct.unpack_from(f"{order}I", data, 4)[0])
    if magic == 43 and len(data) >= 16:
        return Tiff(order, True, struct.unpack_from(f"{order}Q", data, 8)[0])
    return None


def directory(data: bytes, frame: Tiff, offset: int) -> Directory | None:
    """Read the directory at `offset`; None if it lies outside `data`. Tags that point outside are left out."""
    head, entry, inline = (8, 20, 8) if frame.big else (2, 12, 4)
    if not 0 < offset <= len(data) - head:
        return None
    count = struct.unpack_from(f"{frame.order}{'Q' if frame.big else 'H'}", data, offset)[0]
    tags: dict[int, tuple[int, bytes]] = {}
    for i in range(min(count, _MOST_ENTRIES)):
        at = offset + head + i * entry
        if at + entry > len(data):
            break
        tag, kind, number = struct.unpack_from(f"{frame.order}HH{'Q' if frame.big else 'I'}", data, at)
        size = _SIZES.get(kind, 0) * number
        start = at + entry - inline
        if size > inline:
            start = struct.unpack_from(f"{frame.order}{'Q' if frame.big else 'I'}", data, start)[0]
        if 0 < size <= len(data) - start:
            tags.setdefault(tag, (kind, data[start : start + size]))
    return Directory(frame.order, tags)
