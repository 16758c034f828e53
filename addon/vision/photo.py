"""Reading a photo: whatever a camera, a phone or an editor writes becomes upright sRGB pixels and a field of view."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .containers import Header, Unusable, check_kind, inspect
from .cv import cv
from .exif import Exif, field_of_view, parse_exif
from .files import read_file, shown
from .icc import adobe_rgb_to_srgb, cmyk_to_srgb, to_srgb

SMALLEST = 8  # pixels on a side; less shows nothing and breaks every filter
_OPENCV_PIXELS, _OPENCV_SIDE = 2**30, 2**20  # what OpenCV decodes at most


@dataclass(frozen=True)
class Photo:
    """A photo as the rest of the program sees it.

    pixels: H×W×3 RGB, upright. uint8 or uint16: sRGB-encoded; float32: scene-linear Rec. 709 (OpenEXR, float TIFF).
    alpha: H×W of the same dtype, straight (not multiplied into the colours); None if every pixel is opaque.
    fov: horizontal field of view of the upright picture in degrees as EXIF gives it; None if unknown.
    sha256: of the file's bytes, in hexadecimal.
    """

    path: Path
    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    fov: float | None
    sha256: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def read_photo(path: Path, *, max_megapixels: float = 100) -> Photo:
    """Read a JPEG, PNG, WebP, TIFF, BMP or OpenEXR file, told apart by content; docs/photos.md describes what is done.

    Raises InputError with one sentence if it is none of these, damaged, cut short, animated, smaller than 8 pixels on
    a side or larger than `max_megapixels`, which is checked before decoding.
    """
    path = Path(path)
    try:
        data = read_file(path, limit=int(max_megapixels * 16e6) + 2**30, accept=check_kind)
        header = inspect(data)
        if header.no_photo:
            raise Unusable(header.no_photo)
        check_size(header, max_megapixels)
        exif = parse_exif(header.exif)
        pixels, alpha = _decode(data, header, exif)
    except Unusable as error:
        raise InputError(f"{shown(path)}: {error}") from error
    if header.kind != "TIFF":  # OpenCV turns TIFF files upright by itself, and no other
        pixels = upright(pixels, exif.orientation)
        alpha = upright(alpha, exif.orientation) if alpha is not None else None
    size = (pixels.shape[1], pixels.shape[0])
    return Photo(path, pixels, alpha, field_of_view(exif, size), hashlib.sha256(data).hexdigest())


def check_size(header: Header, max_megapixels: float) -> None:
    """Raise Unusable if the picture is too small or too large to be decoded."""
    width, height = header.size
    if min(width, height) < SMALLEST:
        raise Unusable(f"it is only {width}x{height} pixels; choose a picture of at least {SMALLEST} pixels on each side.")
    megapixels = width * height / 1e6
    if width * height > _OPENCV_PIXELS or max(width, height) > _OPENCV_SIDE:
        raise Unusable(f"it is {width}x{height} ({megapixels:.0f} megapixels), more than can be read at all; save a smaller copy.")
    if megapixels > max_megapixels:
        raise Unusable(
            f"it is {width}x{height} ({megapixels:.1f} megapixels), more than {max_megapixels:g}; "
            "raise the limit with --max-megapixels or save a smaller copy."
        )


def decode_raw(data: bytes, kind: str) -> NDArray[Any]:
    """Decode with OpenCV as stored: H×W, H×W×3 BGR or H×W×4 BGRA. Raises Unusable if it does not decode."""
    cv2 = cv()
    try:
        # IMREAD_UNCHANGED keeps bit depth and alpha, and leaves the orientation to us (TIFF excepted).
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError) as error:
        raise Unusable(f"the {kind} file cannot be decoded ({_first_line(error)}); save it again as a PNG.") from error
    if pixels is None:
        raise Unusable(f"the {kind} file is damaged or of a rare kind that cannot be decoded; save it again as a PNG.")
    return pixels


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def _decode(data: bytes, header: Header, exif: Exif) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """(RGB in sRGB or scene-linear, alpha or None) with rows and columns as OpenCV gives them."""
    if header.colours == 4 and header.icc:
        converted = cmyk_to_srgb(data, header.icc)
        if converted is not None:
            return converted, None
    stored = decode_raw(data, header.kind)
    if stored.dtype == np.float64:
        stored = stored.astype(np.float32)
    if stored.dtype not in (np.uint8, np.uint16, np.float32):
        raise Unusable(f"the {header.kind} file holds {stored.dtype} numbers, not a picture; save it with 8 or 16 bits per channel.")
    if header.inverted:
        np.subtract(np.iinfo(stored.dtype).max, stored, out=stored)
    alpha = _alpha(stored)
    pixels = _rgb(stored)
    del stored
    if alpha is not None and header.premultiplied:
        _straighten(pixels, alpha)
    if pixels.dtype == np.float32:
        _clean(pixels)
        return pixels, alpha
    if header.colours == 4:
        return pixels, alpha
    if exif.adobe_rgb and header.colours == 3 and not header.icc:
        return adobe_rgb_to_srgb(pixels), alpha
    return to_srgb(pixels, header.icc, gray=header.colours == 1), alpha


def _alpha(stored: NDArray[Any]) -> NDArray[Any] | None:
    if stored.ndim == 2 or stored.shape[2] not in (2, 4):
        return None
    alpha = np.ascontiguousarray(stored[:, :, -1])
    if alpha.dtype == np.float32:
        np.nan_to_num(alpha, copy=False, nan=1.0, posinf=1.0, neginf=0.0)
        np.clip(alpha, 0, 1, out=alpha)
    return alpha if _see_through(alpha) else None


def _rgb(stored: NDArray[Any]) -> NDArray[Any]:
    cv2 = cv()
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    code = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}.get(channels)
    if code is None:
        return np.repeat(stored[:, :, :1], 3, 2)
    return cv2.cvtColor(stored, code)


def _straighten(pixels: NDArray[Any], alpha: NDArray[Any]) -> None:
    """Divide colours by alpha in place, row by row so that little memory is needed."""
    top = 1.0 if alpha.dtype == np.float32 else float(np.iinfo(alpha.dtype).max)
    for row, cover in zip(pixels, alpha, strict=True):
        straight = row * (top / np.maximum(cover, 1e-6 if top == 1 else 1).astype(np.float32))[:, None]
        row[...] = straight if top == 1 else np.minimum(np.rint(straight), top)


def _clean(pixels: NDArray[Any]) -> None:
    """Make every number of a linear picture finite: nothing for NaN, the largest half float for infinity."""
    for row in pixels:
        np.nan_to_num(row, copy=False, nan=0.0, posinf=65504.0, neginf=0.0)


def _see_through(alpha: NDArray[Any]) -> bool:
    opaque = 1.0 if alpha.dtype == np.float32 else np.iinfo(alpha.dtype).max
    return bool((alpha < opaque).any())


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored rows and columns as EXIF's orientation 1 to 8 asks."""
    cv2 = cv()  # several times faster than numpy here
    if orientation >= 5:
        pixels = cv2.transpose(pixels)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cv2.flip(pixels, flip)


__all__ = ["SMALLEST", "Photo", "check_size", "decode_raw", "read_photo", "upright"]
