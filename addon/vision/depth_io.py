"""Depth maps as files: PNG, TIFF, OpenEXR, NumPy arrays and PFM."""

from __future__ import annotations

import ast
import io
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UsageError
from .containers import Unusable, exr_attributes, exr_channels, inspect, kind_of
from .cv import cv
from .exr import depth_channel, read_channel
from .files import read_file, shown, write_atomically
from .photo import decode_raw

_NPY, _PFM_START = b"\x93NUMPY", re.compile(rb"P[fF]\s")
_NPY_HEADER = 4096  # characters; an array of plain numbers has about 100
MOST_PIXELS = 2**27  # 134 megapixels: half a gigabyte of float32
_KNOWN = "use a PNG, TIFF, OpenEXR, NPY or PFM file"


@dataclass(frozen=True)
class DepthInfo:
    """What a depth file is: its format, whether its numbers are integers, the bits of one number.

    top: the largest number that an integer map can hold: of its type up to 16 bits, else the largest one in it.
    """

    format: str  # "PNG", "TIFF", "EXR", "NPY" or "PFM"
    integer: bool
    bits: int
    top: float = 1.0


def read_depth_file(path: Path) -> tuple[NDArray[np.float32], DepthInfo]:
    """Read a depth map, told apart by content: (float32 H×W with the numbers as stored, what the file is).

    Float maps may hold NaN and infinities. Raises InputError with one sentence if it is no depth map.
    """
    path = Path(path)
    try:
        data = read_file(path, limit=2**32, accept=_check_start)
        stored, kind = _read(data)
        plane = _one_channel(stored)
        if plane.dtype.kind not in "buif":
            raise Unusable(f"the depth map holds {plane.dtype} numbers; save it as 8-bit, 16-bit or float numbers.")
        info = _describe(plane, kind)
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.ascontiguousarray(plane, dtype=np.float32)
    except Unusable as error:
        raise InputError(f"{shown(path)}: {error}") from error
    if not np.isfinite(values).any():
        raise InputError(f"{shown(path)}: the depth map holds no number at all; write it again.")
    return values, info


def _describe(plane: NDArray[Any], kind: str) -> DepthInfo:
    bits = 8 * plane.dtype.itemsize
    if plane.dtype.kind == "f":
        return DepthInfo(kind, False, bits)
    if plane.dtype.kind == "b":
        return DepthInfo(kind, True, 1, 1.0)
    top = float(np.iinfo(plane.dtype).max) if bits <= 16 else max(1.0, float(plane.max()))
    return DepthInfo(kind, True, bits, top)


def _check_start(start: bytes) -> None:
    """Raise Unusable unless a file that starts with these bytes may be a depth map."""
    if start.startswith(b"PK\x03\x04"):
        raise Unusable("this is an archive (perhaps .npz), not a depth map: save the array itself with numpy.save.")
    kind = kind_of(start)
    if kind in ("JPEG", "WebP", "BMP"):
        raise Unusable(f"a {kind} file is no good for depth; {_KNOWN}.")
    if not kind and not start.startswith(_NPY) and _PFM_START.match(start) is None:
        raise Unusable(f"this is not a depth map of a known kind: {_KNOWN}.")


def _read(data: bytes) -> tuple[NDArray[Any], str]:
    if data.startswith(_NPY):
        return _read_npy(data), "NPY"
    if _PFM_START.match(data):
        return _read_pfm(data), "PFM"
    kind = kind_of(data)
    header = inspect(data)
    if header.size[0] * header.size[1] > MOST_PIXELS:
        raise Unusable(f"the depth map is {header.size[0]}x{header.size[1]}, more than can be read; save a smaller one.")
    return _read_exr(data) if kind == "EXR" else decode_raw(data, kind), kind


def _read_exr(data: bytes) -> NDArray[Any]:
    """The depth channel of an OpenEXR file, or its colours where there is none by name."""
    names = exr_channels(exr_attributes(data))
    channel = depth_channel(names)
    if channel == "Y":
        return decode_raw(data, "OpenEXR")  # OpenCV knows every compression
    if channel is not None:
        return read_channel(data, channel)
    if not {"R", "G", "B"} <= set(names):
        raise Unusable("the OpenEXR file has no channel called Z, depth or Y; save the depth alone.")
    return decode_raw(data, "OpenEXR")


def _one_channel(stored: NDArray[Any]) -> NDArray[Any]:
    """The one plane of numbers in H×W or H×W×C. Raises Unusable if the channels differ."""
    if stored.ndim == 2:
        return stored
    if stored.ndim != 3 or stored.shape[2] not in (1, 2, 3, 4):
        raise Unusable(f"the array has the shape {'x'.join(map(str, stored.shape))}; a depth map has rows and columns only.")
    colours = stored[:, :, : 3 if stored.shape[2] >= 3 else 1]
    if not all(np.array_equal(colours[:, :, 0], colours[:, :, i], equal_nan=stored.dtype.kind == "f") for i in range(1, colours.shape[2])):
        raise Unusable("this is a color picture, not a depth map; save the depth as one gray channel.")
    return colours[:, :, 0]


def _read_npy(data: bytes) -> NDArray[Any]:
    """An array as numpy.save writes it (numpy.lib.format, versions 1 to 3), checked before any memory is asked for."""
    try:
        wide = data[6] > 1
        start = 12 if wide else 10
        end = start + struct.unpack_from("<I" if wide else "<H", data, 8)[0]
        header = ast.literal_eval(data[start : min(end, start + _NPY_HEADER)].decode("latin-1").strip())
        shape, fortran, dtype = tuple(map(int, header["shape"])), bool(header["fortran_order"]), np.dtype(str(header["descr"]))
    except (ValueError, TypeError, KeyError, IndexError, SyntaxError, struct.error, MemoryError, RecursionError) as error:
        raise Unusable("the NPY file is damaged; write it again with numpy.save.") from error
    if dtype.kind not in "buif":
        raise Unusable(f"the array holds {dtype.name} values, not numbers of depth; save it as float32.")
    if any(n < 1 for n in shape) or len(shape) not in (2, 3):
        form = "x".join(map(str, shape)) or "of a single number"
        raise Unusable(f"the array has the shape {form}; a depth map has rows and columns only.")
    count = math.prod(shape)
    if count > 4 * MOST_PIXELS or count * dtype.itemsize > len(data) - end:
        raise Unusable("the NPY file is cut short or damaged; write it again with numpy.save.")
    flat = np.frombuffer(data, dtype, count, end)
    return flat.reshape(shape, order="F" if fortran else "C")


_PFM_HEADER = re.compile(rb"P([fF])\s+(\d{1,9})\s+(\d{1,9})\s+([-+0-9.eE]{1,32})[ \t\r]*\n")


def _read_pfm(data: bytes) -> NDArray[Any]:
    """Rows run from the bottom up; a negative scale means little-endian."""
    header = _PFM_HEADER.match(data[:256])
    try:
        scale = float(header[4]) if header else 0.0
    except ValueError:
        scale = 0.0
    if header is None or scale == 0:
        raise Unusable("the PFM file is damaged; write it again.")
    width, height, channels = int(header[2]), int(header[3]), 3 if header[1] == b"F" else 1
    count = width * height * channels
    if count < 1 or count * 4 > len(data) - header.end():
        raise Unusable("the PFM file is cut short or damaged; write it again.")
    flat = np.frombuffer(data, "<f4" if scale < 0 else ">f4", count, header.end())
    return flat.reshape(height, width, channels)[::-1]


def write_depth_file(path: Path, values: NDArray[np.float32]) -> None:
    """Write float32 H×W to .npy, .exr, .tif/.tiff or .pfm as given, or to a 16-bit .png with its range stretched to 0..65535.

    The file appears whole or not at all. Raises UsageError for another suffix, StorageError if it cannot be written.
    """
    path = Path(path)
    content = _encode(path, np.ascontiguousarray(values, dtype=np.float32))

    def verify(written: Path) -> None:
        if written.read_bytes() != content:
            raise OSError("what was written reads back differently")

    write_atomically(path, lambda temporary: _write_bytes(temporary, content), verify)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _encode(path: Path, values: NDArray[np.float32]) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        stream = io.BytesIO()
        np.save(stream, values, allow_pickle=False)
        return stream.getvalue()
    if suffix == ".pfm":
        return b"Pf\n%d %d\n-1.0\n" % (values.shape[1], values.shape[0]) + values[::-1].astype("<f4").tobytes()
    if suffix not in (".png", ".exr", ".tif", ".tiff"):
        raise UsageError(f"{shown(path)}: a depth map cannot be written as {suffix!r}; use .npy, .png, .exr, .tiff or .pfm.")
    encoded, content = cv().imencode(suffix, _sixteen_bits(values) if suffix == ".png" else values)
    if not encoded:
        raise UsageError(f"{shown(path)}: OpenCV cannot write {suffix} here; use .npy.")
    return content.tobytes()


def _sixteen_bits(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The finite range stretched to 0..65535; NaN and -inf become 0, +inf 65535."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    scale = 65535 / (high - low) if high > low else 0.0
    with np.errstate(invalid="ignore"):
        scaled = (values - low) * scale
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0, posinf=65535, neginf=0.0), 0, 65535)).astype(np.uint16)
