"""Builders of picture files for the tests, byte by byte where no library writes what is needed."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import numpy as np

from addon.vision.cv import cv

# XYZ of red, green and blue, adapted to D50, as real profiles have them.
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def encode(suffix: str, rgb: np.ndarray, *options: int) -> bytes:
    """Gray, RGB or RGBA in any of OpenCV's formats."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(rgb.shape[2] if rgb.ndim == 3 else 0)
    done, data = cv().imencode(suffix, np.ascontiguousarray(rgb[:, :, order] if order else rgb), list(options))
    assert done
    return data.tobytes()


# ---- color profiles


def xyz(v) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(c * 65536) for c in v))


def para(kind: int, *numbers: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}i", kind, 0, *(round(c * 65536) for c in numbers))


def curv(*table: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(table)}H", len(table), *table)


SRGB_CURVE = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(tags: dict[bytes, bytes], space: bytes = b"RGB ", connection: bytes = b"XYZ ", device: bytes = b"mntr") -> bytes:
    tags = {**tags, b"wtpt": xyz((0.9642, 1, 0.8249)), b"desc": b"desc\0\0\0\0\0\0\0\1\0" + b"\0" * 80, b"cprt": b"text\0\0\0\0x\0"}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s6H4s", start + len(body), b"test", 0x02400000, device, space, connection, 2024, 1, 1, 0, 0, 0, b"acsp")
    return (head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + table + body


def rgb_profile(primaries, *curves: bytes) -> bytes:
    curves = curves * 3 if len(curves) == 1 else curves
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    return profile(dict(zip(names, (*map(xyz, primaries), *curves), strict=True)))


def table_profile(space: bytes) -> bytes:
    """A profile with a table of 2 points on each axis: the brighter the sum, the lighter; for CMYK the darker."""
    inputs = {b"RGB ": 3, b"CMYK": 4}[space]
    corners = np.array(np.unravel_index(np.arange(2**inputs), (2,) * inputs)).sum(0) / inputs
    lightness = corners if space == b"RGB " else 1 - corners
    clut = np.stack([np.rint(lightness * 255), np.full(2**inputs, 128), np.full(2**inputs, 128)], 1).astype("u1").tobytes()
    ramp = bytes(range(256))
    tag = b"mft1\0\0\0\0" + struct.pack(">BBBx9i", inputs, 3, 2, *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    return profile({b"A2B0": tag + ramp * inputs + clut + ramp * 3}, space, b"Lab ", b"prtr")


# ---- EXIF and containers


def exif_block(orientation: int = 1, order: str = "<", **details) -> bytes:
    """An EXIF block with its orientation and the tags `focal_35mm`, `focal`, `plane_x`, `plane_unit`, `pixels_x`, `pixels_y`."""
    tags = {"focal": 0x920A, "pixels_x": 0xA002, "pixels_y": 0xA003, "plane_x": 0xA20E, "plane_unit": 0xA210, "focal_35mm": 0xA405}
    entries, heap = [], b""
    heap_at = 8 + 2 + 24 + 4 + 2 + 12 * len(details) + 4
    for name in sorted(details, key=tags.__getitem__):
        value = details[name]
        if name in ("focal", "plane_x"):
            pair = value if isinstance(value, tuple) else Fraction(value).limit_denominator(10000).as_integer_ratio()
            entries.append(struct.pack(f"{order}HHII", tags[name], 5, 1, heap_at + len(heap)))
            heap += struct.pack(f"{order}II", *pair)
        else:
            entries.append(struct.pack(f"{order}HHIHxx", tags[name], 3, 1, value))
    main = struct.pack(f"{order}HHHIHxxHHIII", 2, 0x0112, 3, 1, orientation, 0x8769, 4, 1, 38, 0)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return head + main + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4) + heap


def jpeg_with(data: bytes, *, exif: bytes = b"", icc: bytes = b"", part: int = 60000) -> bytes:
    """A JPEG with an EXIF segment and a profile in segments of `part` bytes."""
    segments = [b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif] if exif else []
    parts = [icc[i : i + part] for i in range(0, len(icc), part)]
    for i, piece in enumerate(parts):
        segments.append(b"\xff\xe2" + struct.pack(">H", len(piece) + 16) + b"ICC_PROFILE\0" + bytes((i + 1, len(parts))) + piece)
    return data[:2] + b"".join(segments) + data[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(data: bytes, *, exif: bytes = b"", icc: bytes = b"", more: bytes = b"") -> bytes:
    """A PNG with chunks after its header."""
    chunks = png_chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)) if icc else b""
    chunks += png_chunk(b"eXIf", exif) if exif else b""
    return data[:33] + chunks + more + data[33:]


def png_raw(width: int, height: int, bits: int, kind: int, rows: bytes, *, more: bytes = b"") -> bytes:
    """A PNG from unfiltered rows, each with its leading 0."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + more + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def webp_with(data: bytes, size: tuple[int, int], *, exif: bytes = b"", icc: bytes = b"", flags: int = 0) -> bytes:
    """A WebP in the extended container."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)

    flags |= (8 if exif else 0) | (32 if icc else 0)
    head = struct.pack("<I", flags) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    body = chunk(b"VP8X", head) + (chunk(b"ICCP", icc) if icc else b"") + data[12:] + (chunk(b"EXIF", exif) if exif else b"")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


Tags = dict[int, tuple[int, tuple]]


def tiff(pixels: np.ndarray, *, order: str = "<", photometric: int | None = None, tags: Tags | None = None, icc: bytes = b"") -> bytes:
    """An uncompressed TIFF. `tags` adds or replaces {tag: (type, values)}."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    sample = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    body = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    every: Tags = {
        256: (4, (width,)), 257: (4, (height,)), 258: (3, (8 * pixels.dtype.itemsize,) * channels), 259: (3, (1,)),
        262: (3, (photometric if photometric is not None else 2 if channels >= 3 else 1,)), 273: (4, (8,)), 277: (3, (channels,)),
        278: (4, (height,)), 279: (4, (len(body),)), 284: (3, (1,)), 339: (3, (sample,) * channels), **(tags or {}),
    }  # fmt: skip
    if icc:
        every[34675] = (7, tuple(icc))
    start = 8 + len(body) + len(body) % 2
    heap_at, heap, entries = start + 2 + 12 * len(every) + 4, b"", b""
    for tag in sorted(every):
        kind, values = every[tag]
        raw = struct.pack(f"{order}{len(values)}{ {1: 'B', 3: 'H', 4: 'I', 7: 'B'}[kind] }", *values)
        if len(raw) > 4:
            entries += struct.pack(f"{order}HHII", tag, kind, len(values), heap_at + len(heap))
            heap += raw + b"\0" * (len(raw) & 1)
        else:
            entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + raw.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start)
    return head + body + b"\0" * (len(body) % 2) + struct.pack(f"{order}H", len(every)) + entries + bytes(4) + heap


def exr(channels: dict[str, np.ndarray], *, compression: int = 0) -> bytes:
    """A scanline OpenEXR file of float32, float16 or uint32 channels; compression 0 none, 1 RLE, 2 ZIPS, 3 ZIP."""
    names = sorted(channels)
    height, width = channels[names[0]].shape
    kinds = {"uint32": 0, "float16": 1, "float32": 2}
    chlist = b"".join(n.encode() + b"\0" + struct.pack("<IIII", kinds[str(channels[n].dtype)], 0, 1, 1) for n in names) + b"\0"
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = (
        ("channels", "chlist", chlist), ("compression", "compression", bytes([compression])), ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box), ("lineOrder", "lineOrder", b"\0"), ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", bytes(8)), ("screenWindowWidth", "float", struct.pack("<f", 1)),
    )  # fmt: skip
    head = b"\x76\x2f\x31\x01\x02\0\0\0"
    head += b"".join(n.encode() + b"\0" + t.encode() + b"\0" + struct.pack("<I", len(b)) + b for n, t, b in attributes) + b"\0"
    rows = 16 if compression == 3 else 1
    chunks = []
    for y in range(0, height, rows):
        raw = b"".join(channels[n][r].tobytes() for r in range(y, min(y + rows, height)) for n in names)
        packed = _pack(raw, compression)
        packed = packed if len(packed) < len(raw) else raw
        chunks.append(struct.pack("<iI", y, len(packed)) + packed)
    places = np.cumsum([len(head) + 8 * len(chunks)] + [len(c) for c in chunks[:-1]])
    return head + struct.pack(f"<{len(chunks)}Q", *places) + b"".join(chunks)


def _pack(raw: bytes, compression: int) -> bytes:
    if compression == 0:
        return raw
    halves = np.frombuffer(raw, "u1").astype(int)
    halves = np.concatenate([halves[::2], halves[1::2]])
    delta = halves.copy()
    delta[1:] = (np.diff(halves) + 128) & 255
    packed = delta.astype("u1").tobytes()
    return zlib.compress(packed) if compression > 1 else _runs(packed)


def _runs(data: bytes) -> bytes:
    out, at = b"", 0
    while at < len(data):
        run = 1
        while at + run < len(data) and run < 127 and data[at + run] == data[at]:
            run += 1
        out += bytes([run - 1, data[at]]) if run > 2 else bytes([256 - run]) + data[at : at + run]
        at += run
    return out
