"""What kind of picture a file is, told by its content: size, profile and EXIF block before anything is decoded.

All readers are bounded by the bytes at hand and raise `Unusable` with the part of a sentence that follows the file's
name. Formats: ITU T.81 (JPEG), W3C PNG, RFC 9649 (WebP), TIFF 6.0 and BigTIFF, BITMAPINFOHEADER, OpenEXR 2.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from dataclasses import dataclass

from .foreign import DEVELOP, foreign
from .ifd import Directory, directory, tiff_frame

log = logging.getLogger(__name__)

MOST_ICC = 16 * 2**20  # bytes; real profiles have up to about 4 MB


class Unusable(Exception):
    """Why a file cannot be used: the rest of a sentence that begins with its name."""


@dataclass(frozen=True)
class Header:
    """What a picture says about itself before it is decoded.

    kind: "JPEG", "PNG", "WebP", "TIFF", "BMP" or "EXR". size: (width, height) as stored. colours: number of colour
    channels as stored, 1, 3 or 4 (CMYK). premultiplied: the decoder gives colour times alpha. inverted: it gives black
    for white. no_photo: why it cannot be used as a photo (it may still be a depth map), "" if it can. icc, exif: the
    raw blocks, b"" if there are none.
    """

    kind: str
    size: tuple[int, int]
    colours: int = 3
    premultiplied: bool = False
    inverted: bool = False
    no_photo: str = ""
    icc: bytes = b""
    exif: bytes = b""


def inspect(data: bytes) -> Header:
    """Read the header of a picture. Raises Unusable if it is of no kind that can be read, damaged or cut short."""
    check_kind(data)
    try:
        header = _READERS[kind_of(data)](data)
    except (struct.error, IndexError) as error:
        raise Unusable(f"the {kind_of(data)} file is cut short; copy it again from where it came.") from error
    if min(header.size) < 1:
        raise Unusable(f"the {header.kind} file is damaged (it has no size); copy it again from where it came.")
    return header


def check_kind(start: bytes) -> None:
    """Raise Unusable, naming what it is, unless a file that starts with these bytes is one that `inspect` reads."""
    if not kind_of(start):
        raise Unusable(f"{foreign(start)}.")


def kind_of(data: bytes) -> str:
    """The kind of picture by its first bytes: one that `inspect` reads, or ""."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if tiff_frame(data) is not None:
        return "TIFF"
    if data[:2] == b"BM" and len(data) > 18 and struct.unpack_from("<I", data, 14)[0] in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return "EXR" if data[:4] == b"\x76\x2f\x31\x01" else ""


# ---- JPEG

_FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_CUT_JPEG = "the JPEG file is cut short; copy it again from where it came."


def _jpeg(data: bytes) -> Header:
    size, colours, icc, exif = (0, 0), 3, {}, b""
    at = 2
    while True:
        marker, at = _jpeg_marker(data, at)
        if marker == 0xD9:
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        length = struct.unpack_from(">H", data, at)[0]
        body = data[at + 2 : at + length]
        if length < 2 or at + length > len(data):
            raise Unusable(_CUT_JPEG)
        if marker in _FRAME_MARKERS and size == (0, 0):
            if body[0] != 8:
                raise Unusable(f"this is a JPEG of {body[0]} bits per channel, which cannot be read: save it as a PNG or 8-bit JPEG first.")
            (height, width), colours = struct.unpack(">HH", body[1:5]), body[5]
            size = (width, height)
        elif marker == 0xE1 and body.startswith(b"Exif\0") and not exif:
            exif = body[6:]
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
            icc.setdefault(body[12], (body[13], body[14:]))
        at += length
        if marker == 0xDA:
            found = _AFTER_SCAN.search(data, at)
            if found is None:
                raise Unusable(_CUT_JPEG)
            at = found.start()
    return Header("JPEG", size, colours if colours in (1, 4) else 3, icc=_join_icc(icc), exif=exif)


def _jpeg_marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at or after `at` and where it ends. Fill bytes and stray bytes between segments are skipped as libjpeg does."""
    at = data.find(b"\xff", at)
    while 0 <= at < len(data) - 1 and data[at + 1] in (0x00, 0xFF):
        at = data.find(b"\xff", at + 1)
    if at < 0 or at >= len(data) - 1:
        raise Unusable(_CUT_JPEG)
    return data[at + 1], at + 2


def _join_icc(parts: dict[int, tuple[int, bytes]]) -> bytes:
    """The profile from its numbered segments, b"" if one is missing."""
    if not parts:
        return b""
    count = next(iter(parts.values()))[0]
    if sorted(parts) != list(range(1, count + 1)):
        log.warning("The photo's color profile is incomplete and was ignored.")
        return b""
    return b"".join(parts[i][1] for i in range(1, count + 1))


# ---- PNG

_CUT_PNG = "the PNG file is cut short; copy it again from where it came."


def _png(data: bytes) -> Header:
    size, colours, icc, exif = (0, 0), 3, b"", b""
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise Unusable(_CUT_PNG)
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise Unusable(_CUT_PNG)
        body = memoryview(data)[at + 8 : at + 8 + length]
        critical = not kind[0] & 32
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            if critical:
                raise Unusable("the PNG file is damaged (a checksum is wrong); copy it again from where it came.")
        elif kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
            size, colours = (width, height), 3 if body[9] & 2 else 1
        elif kind == b"acTL" and struct.unpack(">I", body[:4])[0] > 1:
            raise Unusable("this is an animated PNG; save one frame of it as a PNG first.")
        elif kind == b"iCCP":
            icc = _inflate_icc(bytes(body))
        elif kind == b"eXIf":
            exif = bytes(body)
        at += 12 + length
    return Header("PNG", size, colours, icc=icc, exif=exif)


def _inflate_icc(body: bytes) -> bytes:
    """The profile in an iCCP chunk (name, 0, method, deflated bytes), b"" if it does not inflate or is far too large."""
    packed = body[body.find(b"\0") + 2 :]
    inflate = zlib.decompressobj()
    try:
        icc = inflate.decompress(packed, MOST_ICC)
    except zlib.error:
        icc = b""
    if not icc or inflate.unconsumed_tail:
        log.warning("The photo's color profile is damaged and was ignored.")
        return b""
    return icc


# ---- WebP


def _webp(data: bytes) -> Header:
    if len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise Unusable("the WebP file is cut short; copy it again from where it came.")
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    size, icc, exif = (0, 0), b"", b""
    at = 12
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : min(at + 8 + length, end)]
        if kind == b"VP8X":
            if body[0] & 2:
                raise Unusable("this is an animated WebP; save one frame of it as a PNG first.")
            size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
        elif kind == b"VP8 ":
            w, h = struct.unpack_from("<HH", body, 6)
            size = max(size, (w & 0x3FFF, h & 0x3FFF))
        elif kind == b"VP8L":
            bits = struct.unpack_from("<I", body, 1)[0]
            size = max(size, (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
        elif kind == b"ICCP":
            icc = body
        elif kind == b"EXIF":
            exif = body.removeprefix(b"Exif\0\0")
        at += 8 + length + (length & 1)
    return Header("WebP", size, icc=icc, exif=exif)


# ---- TIFF

_CUT_TIFF = "the TIFF file is damaged or cut short; copy it again from where it came."


def _tiff(data: bytes) -> Header:
    frame = tiff_frame(data)
    main = directory(data, frame, frame.first) if frame else None
    if frame is None or main is None:
        raise Unusable(_CUT_TIFF)
    if _is_raw(data, main):
        raise Unusable(f"{DEVELOP}.")
    width, height = main.number(256) or 0, main.number(257) or 0
    if width < 1 or height < 1:
        raise Unusable(_CUT_TIFF)
    photometric = int(main.number(262) or 0)
    bits = max((int(b) for b in main.numbers(258) if b == b and b < 1e6), default=1)
    icc = main.raw(34675)
    return Header(
        "TIFF",
        (int(width), int(height)),
        {0: 1, 1: 1, 5: 4}.get(photometric, 3),
        # 1 is associated alpha. OpenCV reads 8-bit TIFFs through libtiff's RGBA interface, which multiplies the others too.
        premultiplied=main.number(338) == 1 or (main.number(338) == 2 and bits == 8),
        inverted=photometric == 0 and bits == 16,  # libtiff turns "white is zero" round for 8 bits only
        no_photo=_no_photo(photometric, bits, main),
        icc=icc if len(icc) <= MOST_ICC else b"",
        exif=data,
    )


def _no_photo(photometric: int, bits: int, main: Directory) -> str:
    """Why a TIFF cannot be used as a photo: what OpenCV would decode to wrong colours without a word."""
    sample, samples, planes = (int(main.number(tag) or 1) for tag in (339, 277, 284))
    if photometric in (8, 9, 10):
        return "this is a TIFF in Lab colors, which cannot be read; save it in sRGB first."
    if photometric == 5 and bits != 8:
        return "this is a CMYK TIFF of more than 8 bits, which cannot be read; save it in sRGB first."
    if planes == 2 and samples > 1 and bits != 8:
        return "this TIFF stores its colors in separate planes, which cannot be read; save it with interleaved channels."
    if samples == 2 and bits != 8:
        return "this TIFF holds two channels of more than 8 bits, which cannot be read; save it as a PNG."
    if sample == 2 or sample >= 5 or (sample == 1 and bits > 16):
        return "this TIFF holds numbers that are no picture; save it with 8 or 16 bits per channel or as 32-bit float."
    return ""


def _is_raw(data: bytes, main: Directory) -> bool:
    """DNG, CR2, NEF, ARW and their like are TIFF files whose first directory is a thumbnail or a sensor mosaic."""
    photometric, thumbnail = main.number(262), main.number(254) == 1
    return (
        50706 in main.tags  # DNGVersion
        or data[8:10] == b"CR"
        or photometric in (32803, 34892)  # color filter array, linear raw
        or (330 in main.tags and thumbnail)  # SubIFDs beside a thumbnail: NEF, ARW
    )


# ---- BMP and OpenEXR


def _bmp(data: bytes) -> Header:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header("BMP", (width, abs(height)))


def exr_attributes(data: bytes) -> dict[str, tuple[str, bytes]]:
    """The attributes of an OpenEXR file's first header, (type, bytes) by name. Raises Unusable if they do not end."""
    found: dict[str, tuple[str, bytes]] = {}
    at = 8
    while at < len(data) and data[at]:
        name_end = data.find(b"\0", at, at + 256)
        type_end = data.find(b"\0", name_end + 1, name_end + 257)
        if name_end < 0 or type_end < 0:
            break
        length = struct.unpack_from("<I", data, type_end + 1)[0]
        body = data[type_end + 5 : type_end + 5 + length]
        if len(body) != length:
            break
        found[data[at:name_end].decode("latin-1")] = (data[name_end + 1 : type_end].decode("latin-1"), body)
        at = type_end + 5 + length
    else:
        if at < len(data):
            return found
    raise Unusable("the OpenEXR file is damaged or cut short; copy it again from where it came.")


def exr_channels(attributes: dict[str, tuple[str, bytes]]) -> tuple[str, ...]:
    """Names of the channels, in the file's order."""
    body = attributes.get("channels", ("", b""))[1]
    names, at = [], 0
    while at < len(body) and body[at]:
        end = body.find(b"\0", at)
        if end < 0:
            break
        names.append(body[at:end].decode("latin-1"))
        at = end + 17  # the name's 0, then type, linearity and sampling
    return tuple(names)


def _exr(data: bytes) -> Header:
    attributes = exr_attributes(data)
    left, top, right, bottom = struct.unpack("<iiii", attributes.get("dataWindow", ("", b""))[1])
    channels = set(exr_channels(attributes))
    no_photo = ""
    if not channels & {"R", "G", "B", "Y"}:
        no_photo = f"this OpenEXR file holds no plain picture (its channels are {_listed(channels)}); save it with R, G and B."
    colours = 1 if len(channels - {"A"}) == 1 else 3
    return Header("EXR", (right - left + 1, bottom - top + 1), colours, premultiplied=True, no_photo=no_photo)


def _listed(channels: set[str]) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in ", ".join(sorted(channels)[:6]))
    return shown[:120] or "none"


_READERS = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "TIFF": _tiff, "BMP": _bmp, "EXR": _exr}
