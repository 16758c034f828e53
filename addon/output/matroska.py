"""What a Matroska or WebM film says about itself, read from its elements.

Source of the elements: RFC 8794 (EBML) and RFC 9559 (Matroska). Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..errors import RenderError
from ..vision.files import shown
from .mp4 import Colour, FilmInfo, Node, SoundInfo, sampling

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TAGS, _TAG, _SIMPLE_TAG, _TAG_NAME, _TAG_TEXT = 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_TRACK, _VIDEO, _AUDIO, _COLOUR, _GROUP = 0xAE, 0xE0, 0xE1, 0x55B0, 0xA0
_BLOCKS = (0xA3, 0xA1)  # a block of its own, and one in a group
_MOST_ELEMENTS = 10_000_000
_CODECS = {"V_MPEG4/ISO/AVC": b"avc1", "V_MPEGH/ISO/HEVC": b"hvc1", "V_AV1": b"av01", "V_VP9": b"vp09"}
_CONFIGURATIONS = {b"avc1": b"avcC", b"hvc1": b"hvcC", b"av01": b"av1C"}


class _Element(NamedTuple):
    kind: int
    start: int  # of its content
    end: int


def read_matroska(path: Path) -> FilmInfo:
    """Return what the film at `path` says of its first picture track and its first sound; its pictures are counted.

    Raises RenderError, with one sentence that names the file, if it is no whole Matroska file.
    """
    try:
        with path.open("rb") as stream:
            return _read(stream)
    except OSError as error:
        raise RenderError(f"{shown(path)}: the film cannot be read ({error.strerror or error}); make it again.") from error
    except (ValueError, struct.error, IndexError) as error:
        raise RenderError(f"{shown(path)}: the film is not a whole Matroska file ({error}); make it again.") from error


def _read(stream: BinaryIO) -> FilmInfo:
    length = stream.seek(0, 2)
    segment = next((e for e in _children(stream, 0, length) if e.kind == _SEGMENT), None)
    if segment is None:
        raise ValueError("it has no segment")
    ticks, duration = 1_000_000, 0.0  # nanoseconds
    tracks: list[dict[int, Any]] = []
    counted: dict[int, int] = {}
    comment = ""
    for element in _children(stream, segment.start, segment.end):
        if element.kind == _INFO:
            for e in _children(stream, element.start, element.end):
                ticks = _number(stream, e) if e.kind == 0x2AD7B1 else ticks
                duration = _float(stream, e) if e.kind == 0x4489 else duration
        elif element.kind == _TRACKS:
            tracks = [_track(stream, e) for e in _children(stream, element.start, element.end) if e.kind == _TRACK]
        elif element.kind == _CLUSTER:
            for block in _blocks(stream, element):
                stream.seek(block.start)
                number = _vint(stream.read(8), keep=False)[0]
                counted[number] = counted.get(number, 0) + 1
        elif element.kind == _TAGS:
            comment = comment or _comment(stream, element)
    return _info(tracks, counted, duration * ticks / 1e9, comment)


def _comment(stream: BinaryIO, tags: _Element) -> str:
    """The film's comment, or what Blender calls its note."""
    for tag in (e for e in _children(stream, tags.start, tags.end) if e.kind == _TAG):
        for simple in (e for e in _children(stream, tag.start, tag.end) if e.kind == _SIMPLE_TAG):
            parts = {e.kind: _bytes(stream, e) for e in _children(stream, simple.start, simple.end) if e.kind in (_TAG_NAME, _TAG_TEXT)}
            if parts.get(_TAG_NAME, b"").rstrip(b"\0").upper() in (b"COMMENT", b"NOTE"):
                return parts.get(_TAG_TEXT, b"").rstrip(b"\0").decode("utf-8", "replace")
    return ""


def _info(tracks: list[dict[int, Any]], counted: dict[int, int], seconds: float, comment: str) -> FilmInfo:
    pictures = [t for t in tracks if t.get(0x83) == 1]
    if len(pictures) != 1:
        raise ValueError("it has no picture track" if not pictures else "it has more than one picture track")
    track = pictures[0]
    size = track.get(0xB0, 0), track.get(0xBA, 0)
    frames = counted.get(track.get(0xD7, 0), 0)
    each = track.get(0x23E383)  # nanoseconds of a picture
    codec = str(track.get(0x86, ""))
    entry = _CODECS.get(codec, b"")
    private = track.get(0x63A2, b"")
    if codec == "V_PRORES":
        entry = private[:4]
    chroma, bits = sampling(Node(entry, b"", [Node(_CONFIGURATIONS.get(entry, b"none"), private)]))
    colour = None
    if 0x55B1 in track:
        colour = Colour(track.get(0x55BB, 2), track.get(0x55BA, 2), track[0x55B1], track.get(0x55B9, 1) == 2)
    sound = next((t for t in tracks if t.get(0x83) == 2), None)
    return FilmInfo(
        codec=entry.decode("latin-1") or codec,
        size=size,
        shown_size=(float(track.get(0x54B0, size[0])), float(track.get(0x54BA, size[1]))),
        frames=frames,
        seconds=frames * each / 1e9 if each else seconds,
        moov_first=True,
        chroma=chroma,
        bits=bits,
        colour=colour,
        sound=None if sound is None else SoundInfo(str(sound.get(0x86, "")), sound.get(0x9F, 1), round(sound.get(0xB5, 0.0)), seconds),
        alpha=track.get(0x53C0) == 1,
        comment=comment,
    )


def _track(stream: BinaryIO, track: _Element) -> dict[int, Any]:
    """The values of a track, of its picture, its sound and its colours, by element."""
    found: dict[int, Any] = {}
    for e in _children(stream, track.start, track.end):
        if e.kind in (_VIDEO, _AUDIO, _COLOUR):
            found.update(_track(stream, e))
        elif e.kind == 0xB5:
            found[e.kind] = _float(stream, e)
        elif e.kind == 0x86:
            found[e.kind] = _bytes(stream, e).rstrip(b"\0").decode("latin-1")
        elif e.kind == 0x63A2:
            found[e.kind] = _bytes(stream, e)
        elif e.end - e.start <= 8:
            found[e.kind] = _number(stream, e)
    return found


def _blocks(stream: BinaryIO, parent: _Element) -> Iterator[_Element]:
    for e in _children(stream, parent.start, parent.end):
        if e.kind in _BLOCKS:
            yield e
        elif e.kind == _GROUP:
            yield from _blocks(stream, e)


def _children(stream: BinaryIO, start: int, end: int) -> Iterator[_Element]:
    at = start
    for _ in range(_MOST_ELEMENTS):
        if at >= end:
            return
        stream.seek(at)
        head = stream.read(12)
        kind, used = _vint(head, keep=True)
        size, more = _vint(head[used:], keep=False)
        content = at + used + more
        if size == (1 << (7 * more)) - 1:  # unknown: to the end
            size = end - content
        if content + size > end:
            raise ValueError("it is cut off")
        yield _Element(kind, content, content + size)
        at = content + size
    raise ValueError("it has too many elements")


def _vint(data: bytes, *, keep: bool) -> tuple[int, int]:
    """(number, bytes that it takes); keep: with the bit that tells the length, as in an element's name."""
    if not data or data[0] == 0:
        raise ValueError("it is damaged")
    length = 9 - data[0].bit_length()
    if len(data) < length:
        raise ValueError("it is cut off")
    value = int.from_bytes(data[:length], "big")
    return (value if keep else value & ((1 << (7 * length)) - 1)), length


def _bytes(stream: BinaryIO, element: _Element) -> bytes:
    stream.seek(element.start)
    return stream.read(min(element.end - element.start, 1 << 20))


def _number(stream: BinaryIO, element: _Element) -> int:
    return int.from_bytes(_bytes(stream, element), "big")


def _float(stream: BinaryIO, element: _Element) -> float:
    data = _bytes(stream, element)
    return struct.unpack(">d" if len(data) == 8 else ">f", data)[0] if data else 0.0
