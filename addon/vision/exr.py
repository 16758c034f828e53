"""Single channels of OpenEXR files by name, which OpenCV does not offer: it knows R, G, B, A and Y only.

Depth passes are called Z, V, depth.Z or ViewLayer.Depth.Z. Scanline files without compression or with RLE, ZIPS or ZIP,
the usual ones for depth, are read here; the layout is that of "OpenEXR File Layout" (openexr.com).
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .containers import Unusable, exr_attributes, exr_channels

_TYPES = (np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4"))
_ROWS = {0: 1, 1: 1, 2: 1, 3: 16}  # scanlines per chunk: none, RLE, ZIPS, ZIP
_ODD_FILES = 0x200 | 0x800 | 0x1000  # tiled, deep, several parts
_DAMAGED = "the OpenEXR file is damaged or cut short; write it again."
_LIKELY = ("z", "depth", "disparity", "d", "v", "y")


class _Channel(NamedTuple):
    name: str
    dtype: np.dtype


def depth_channel(names: tuple[str, ...]) -> str | None:
    """The channel that holds depth; None for a plain RGB picture (whose channels may all be equal) or if none is likely."""
    if len(names) == 1:
        return names[0]
    for likely in _LIKELY:
        for name in names:
            layer, last = name[: -len(likely)], name[-len(likely) :].lower()
            if last != likely or (layer and layer[-1] not in "./"):
                continue
            # Beside R, G and B of the same layer, V and Y are brightness.
            if likely not in "vy" or not {layer + colour for colour in "RGB"} <= set(names):
                return name
    return None


def read_channel(data: bytes, name: str) -> NDArray[np.generic]:
    """Return channel `name`, H×W of its own dtype (uint32, float16 or float32).

    Raises Unusable if the file is damaged, or tiled, deep, in parts, subsampled or of another compression.
    """
    try:
        return _read(data, name)
    except (struct.error, ValueError, IndexError, zlib.error, OverflowError) as error:
        raise Unusable(_DAMAGED) from error


def _read(data: bytes, name: str) -> NDArray[np.generic]:
    attributes = exr_attributes(data)
    compression = attributes["compression"][1][0] if "compression" in attributes else 255
    if struct.unpack_from("<I", data, 4)[0] & _ODD_FILES or compression not in _ROWS:
        raise Unusable(f"the channel {name!r} of this OpenEXR file cannot be read; save it as scanlines with ZIP compression.")
    left, top, right, bottom = struct.unpack("<iiii", attributes["dataWindow"][1])
    width, height, rows = right - left + 1, bottom - top + 1, _ROWS[compression]
    channels = _layout(attributes)
    line = sum(c.dtype.itemsize for c in channels) * width
    index = [c.name for c in channels].index(name)
    before = sum(c.dtype.itemsize for c in channels[:index]) * width
    dtype = channels[index].dtype
    out = np.zeros((height, width), dtype)
    # Checked before anything is unpacked: a few bytes must not ask for gigabytes.
    chunks = -(-height // rows)
    offsets = struct.unpack_from(f"<{chunks}Q", data, _header_end(attributes))
    for offset in offsets:
        y, size = struct.unpack_from("<iI", data, offset)
        start = y - top
        if not 0 <= start < height or offset + 8 + size > len(data):
            raise Unusable(_DAMAGED)
        count = min(rows, height - start)
        raw = _unpack(data[offset + 8 : offset + 8 + size], compression, line * count)
        block = np.frombuffer(raw, np.uint8, line * count).reshape(count, line)
        out[start : start + count] = np.ascontiguousarray(block[:, before : before + dtype.itemsize * width]).view(dtype)
    return out


def _header_end(attributes: dict[str, tuple[str, bytes]]) -> int:
    """Where the table of offsets begins: after magic, version and every attribute with its names, and a 0."""
    return 9 + sum(len(name) + len(kind) + 6 + len(body) for name, (kind, body) in attributes.items())


def _layout(attributes: dict[str, tuple[str, bytes]]) -> list[_Channel]:
    body, at = attributes["channels"][1], 0
    found = []
    for name in exr_channels(attributes):
        at = body.index(b"\0", at) + 1
        kind, _, across, down = struct.unpack_from("<IIII", body, at)
        if kind >= len(_TYPES) or across != 1 or down != 1:
            raise Unusable("the OpenEXR file has subsampled channels, which cannot be read; save the depth alone.")
        found.append(_Channel(name, _TYPES[kind]))
        at += 16
    return found


def _unpack(packed: bytes, compression: int, size: int) -> bytes:
    """The bytes of one chunk. One that would not shrink is stored as it is."""
    if compression == 0 or len(packed) == size:
        raw = packed
    else:
        raw = _unpack_runs(packed, size) if compression == 1 else zlib.decompressobj().decompress(packed, size)
        if len(raw) == size:
            raw = _unpredict(raw)
    if len(raw) != size:
        raise Unusable(_DAMAGED)
    return raw


def _unpredict(raw: bytes) -> bytes:
    """Undo the delta between bytes and put the two halves back in turn."""
    delta = np.frombuffer(raw, np.uint8).astype(np.int64)
    delta[1:] -= 128
    flat = (np.cumsum(delta) & 255).astype(np.uint8)
    out = np.empty_like(flat)
    half = (len(flat) + 1) // 2
    out[::2], out[1::2] = flat[:half], flat[half:]
    return out.tobytes()


def _unpack_runs(packed: bytes, size: int) -> bytes:
    out = bytearray()
    at = 0
    while at < len(packed) and len(out) <= size:
        count = packed[at] - 256 if packed[at] > 127 else packed[at]
        if count < 0:
            out += packed[at + 1 : at + 1 - count]
            at += 1 - count
        else:
            out += packed[at + 1 : at + 2] * (count + 1)
            at += 2
    return bytes(out)
