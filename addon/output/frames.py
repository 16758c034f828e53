"""Frames as files: their names, which of them are wanted, whether one is whole, and what a PNG tells about its maker.

No Blender in here, so that a farm's checks and the tests can use it anywhere.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from ..errors import RenderError, UsageError
from ..vision.containers import Unusable, exr_attributes, exr_channels
from ..vision.cv import cv
from ..vision.exr import read_channel
from ..vision.files import shown, write_atomically

FrameKind = Literal["png", "jpeg", "exr", "layers"]

_MAX_RANGE_TEXT = 100_000  # characters
_MAX_NAMED = 10_000_000  # frames written out one by one in a range, repetitions included
_RANGE = re.compile(r"(-?[0-9]{1,9})(?:(?:\.\.|-)(-?[0-9]{1,9})(?::([0-9]{1,9}))?)?")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNATURES: dict[str, bytes] = {"png": _PNG_SIGNATURE, "jpeg": b"\xff\xd8\xff", "exr": b"\x76\x2f\x31\x01"}
_SIGNATURES["layers"] = _SIGNATURES["exr"]
_LAYER_CHANNELS = ("Combined.R", "Depth.Z", "Vector.X")
"""The ends of channel names, of which multilayer EXR frames must have one each."""
_COMMENT, _JPEG_COMMENT = b"Comment", 0xFE
_TELLTALE = frozenset((b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"))


def frame_name(pattern: str, number: int) -> Path:
    """Return the file of frame `number`: the last run of `#` in the file's name becomes its digits.

    "view_####.png" gives view_0001.png and view_-001.png, and more digits than `#` where the number needs them. Only the
    name counts, not the folders. Raises UsageError if there is no `#` in it.
    """
    path = Path(pattern)
    runs = list(re.finditer(r"#+", path.name))
    if not runs:
        raise UsageError(f"{pattern!r} has no place for the frame number: put #### into the file's name, as in view_####.png.")
    last = runs[-1]
    width = last.end() - last.start()
    return path.with_name(f"{path.name[: last.start()]}{number:0{width}d}{path.name[last.end() :]}")


def parse_frame_range(text: str, first: int, last: int) -> list[int]:
    """Return the frames that `text` names, sorted and each once; all of `first`..`last` if it is empty.

    Knows "1-10", "1..10", "1-10:2" (every second one), "1,5,9-12" and negative numbers ("-5--1", "-5..-1").
    Raises UsageError, with one sentence, for anything else and for frames outside `first`..`last`.
    """
    if not text.strip():
        return list(range(first, last + 1))
    if len(text) > _MAX_RANGE_TEXT:
        raise UsageError(f"--frame-range {_short(text)} is too long: name the frames by ranges such as 1-100:2.")
    found: set[int] = set()
    named = 0
    for part in text.split(","):
        frames = _parse_part(part.strip(), text)
        # before anything is counted out: "1-999999999" must cost nothing
        if frames[0] < first or frames[-1] > last:
            raise UsageError(f"--frame-range {_short(text)} goes beyond the film: its frames are {first} to {last}.")
        named += len(frames)
        if named > _MAX_NAMED:
            raise UsageError(f"--frame-range {_short(text)} names the same frames over and over: name each only once.")
        found.update(frames)
    return sorted(found)


def _parse_part(part: str, text: str) -> range:
    match = _RANGE.fullmatch(part)
    if not match:
        raise UsageError(f"--frame-range {_short(text)} is not a range of frames: write for example 1-10:2 or 1,5,9-12.")
    start = int(match[1])
    end = start if match[2] is None else int(match[2])
    step = 1 if match[3] is None else int(match[3])
    if end < start:
        raise UsageError(f"--frame-range {_short(text)} runs backwards: write the smaller frame first.")
    if step < 1:
        raise UsageError(f"--frame-range {_short(text)} has a step of 0: the step after the colon is 1 or more.")
    return range(start, end + 1, step)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def verify_frame(path: Path, size: tuple[int, int], *, kind: FrameKind) -> NDArray[Any]:
    """Decode the frame at `path` and return its pixels (H×W×C as OpenCV gives them: B, G, R).

    A rendering that met a full disk can leave a cut or empty file and still report success, so only decoding tells.
    size: (width, height) in pixels that the frame must have. kind: the format that the file must be in, whatever its
    name says; "layers" is EXR with depth and motion vectors, of which the depth is returned, H×W. Raises RenderError, with one sentence that names the file, if it is missing, empty, cut, of another
    format or of another size.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RenderError(f"{shown(path)}: the frame cannot be read ({error.strerror or error}); render it again.") from error
    if not data:
        raise RenderError(f"{shown(path)}: the frame is empty; make room on the disk and render it again.")
    if not data.startswith(_SIGNATURES[kind]):
        raise RenderError(f"{shown(path)}: the frame is not a whole {kind.upper()} file; render it again.")
    _check_complete(path, data, kind)
    pixels = _decode_layers(path, data) if kind == "layers" else _decode(path, data)
    height, width = pixels.shape[:2]
    if (width, height) != tuple(size):
        raise RenderError(f"{shown(path)}: the frame is {width}x{height}, but {size[0]}x{size[1]} was asked for; render it again.")
    return pixels


def _check_complete(path: Path, data: bytes, kind: FrameKind) -> None:
    """Raise RenderError for a file that OpenCV would decode although its end is missing."""
    if kind == "png":
        try:
            for _ in _png_chunks(data):
                pass
        except ValueError as error:
            raise RenderError(f"{shown(path)}: the frame is damaged ({error}); render it again.") from error
    elif kind == "jpeg" and b"\xff\xd9" not in data[-64:]:
        raise RenderError(f"{shown(path)}: the frame is cut off; make room on the disk and render it again.")


def _decode_layers(path: Path, data: bytes) -> NDArray[Any]:
    """The depth of a multilayer EXR file; every layer is decoded, which OpenCV cannot do."""
    try:
        names = exr_channels(exr_attributes(data))
        found = [next((n for n in names if n.endswith(end)), None) for end in _LAYER_CHANNELS]
        layers = [read_channel(data, name) for name in found if name is not None]
    except Unusable as error:
        raise RenderError(f"{shown(path)}: the frame cannot be decoded ({error}) Render it again.") from error
    if len(layers) < len(found):
        raise RenderError(
            f"{shown(path)}: the frame lacks {', '.join(e for e, n in zip(_LAYER_CHANNELS, found) if n is None)}; render it again."
        )
    return layers[1]


def _decode(path: Path, data: bytes) -> NDArray[Any]:
    import numpy as np

    cv2 = cv()
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise RenderError(f"{shown(path)}: the frame cannot be decoded ({error.err}); render it again.") from error
    if pixels is None or pixels.size == 0:
        raise RenderError(f"{shown(path)}: the frame cannot be decoded; render it again.")
    return pixels


class _Chunk(NamedTuple):
    kind: bytes
    raw: bytes  # with length and checksum, as it stands in the file


def _png_chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to IEND; raise ValueError, without a full stop, where the file is not a whole PNG."""
    if not data.startswith(_PNG_SIGNATURE):
        raise ValueError("it is not a PNG")
    at = len(_PNG_SIGNATURE)
    first = True
    while True:
        if len(data) - at < 12:
            raise ValueError("its end is missing")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if length > 0x7FFFFFFF or end > len(data):
            raise ValueError("its end is missing")
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise ValueError(f"the checksum of its {kind.decode('latin-1')!r} chunk is wrong")
        if first and kind != b"IHDR":
            raise ValueError("it does not begin with an IHDR chunk")
        first = False
        yield _Chunk(kind, data[at:end])
        if kind == b"IEND":
            return
        at = end


def clean_png(data: bytes) -> bytes:
    """Return the PNG file `data` without its notes (tEXt, zTXt, iTXt, tIME, eXIf) and without anything after its end.

    Blender writes the date, the render time and the path of the file into every PNG: that tells about whoever made it,
    and it makes equal pictures differ. All other chunks stay byte for byte. Raises ValueError, with what is wrong, if
    `data` is not a whole PNG or a checksum is wrong.
    """
    return _PNG_SIGNATURE + b"".join(chunk.raw for chunk in _png_chunks(data) if chunk.kind not in _TELLTALE)


def strip_png(path: Path) -> None:
    """Rewrite the PNG file at `path` as `clean_png` gives it; leave the file alone if it is clean already.

    Raises RenderError if the file is missing or damaged, StorageError if it cannot be written.
    """
    try:
        data = path.read_bytes()
        clean = clean_png(data)
    except OSError as error:
        raise RenderError(f"{shown(path)}: the frame cannot be read ({error.strerror or error}); render it again.") from error
    except ValueError as error:
        raise RenderError(f"{shown(path)}: the frame is damaged ({error}); render it again.") from error
    if clean != data:
        write_atomically(path, lambda temporary: _write(temporary, clean))


def note_frame(path: Path, text: str) -> None:
    """Write `text` as a comment into the PNG or JPEG frame at `path`, whole or not at all; other files are left as they are.

    text: printable, of Latin-1. Raises RenderError if the frame is missing or damaged, StorageError if it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        return
    try:
        data = path.read_bytes()
        noted = _noted_png(data, text) if suffix == ".png" else _noted_jpeg(data, text)
    except OSError as error:
        raise RenderError(f"{shown(path)}: the frame cannot be read ({error.strerror or error}); render it again.") from error
    except ValueError as error:
        raise RenderError(f"{shown(path)}: the frame is damaged ({error}); render it again.") from error
    if noted != data:
        write_atomically(path, lambda temporary: _write(temporary, noted))


def comments(data: bytes) -> list[str]:
    """The comments of a PNG or JPEG file. Raises ValueError, with what is wrong, if it is neither or not whole."""
    if data.startswith(_PNG_SIGNATURE):
        texts = [chunk.raw[8:-4].partition(b"\0") for chunk in _png_chunks(data) if chunk.kind == b"tEXt"]
        return [value.decode("latin-1") for key, _, value in texts if key == _COMMENT]
    return [data[start + 4 : end].decode("latin-1") for kind, start, end in _jpeg_segments(data) if kind == _JPEG_COMMENT]


def _noted_png(data: bytes, text: str) -> bytes:
    if text in comments(data):
        return data
    body = b"tEXt" + _COMMENT + b"\0" + text.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    header, *rest = (each.raw for each in _png_chunks(data))
    return _PNG_SIGNATURE + header + chunk + b"".join(rest)


def _noted_jpeg(data: bytes, text: str) -> bytes:
    if text in comments(data):
        return data
    # Behind JFIF's own segment, which must come first.
    at = next((end for kind, _, end in _jpeg_segments(data) if kind == 0xE0), 2)
    content = text.encode("latin-1")
    return data[:at] + struct.pack(">BBH", 0xFF, _JPEG_COMMENT, len(content) + 2) + content + data[at:]


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of every segment of a JPEG file before its picture."""
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("it is not a JPEG")
    at = 2
    while data[at : at + 2] != b"\xff\xda":
        if len(data) < at + 4 or data[at] != 0xFF:
            raise ValueError("its header is damaged")
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        yield data[at + 1], at, end
        at = end


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
