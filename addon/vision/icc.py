"""Color profiles: what a photo's numbers mean, turned into sRGB.

Profiles made of three primaries and tone curves, and gray profiles, are computed here with numpy (ICC.1:2022, sections
9 and 10); profiles made of tables and those for CMYK need Pillow, which Blender does not have.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .containers import Unusable
from .cv import cv

log = logging.getLogger(__name__)

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Encoded value in [0, 1] to linear light."""

# Columns: XYZ of the red, green and blue of sRGB, adapted to D50 by Bradford's method, as in the ICC's own profile.
_SRGB_D50 = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
_ADOBE_RGB_D50 = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
_MOST_TAGS = 200
_STRIP = 2**20  # pixels converted at a time, which bounds the memory


@dataclass(frozen=True)
class Profile:
    """A profile that numpy can apply: tone curves (one for gray, else three) and linear RGB to linear sRGB, 3×3."""

    curves: tuple[Curve, ...]
    matrix: NDArray[np.float64]


class Damaged(Exception):
    """A profile that makes no sense; the photo is then taken as sRGB."""


class NeedsTables(Exception):
    """A sound profile that only a full color engine can apply."""


def adobe_rgb_to_srgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Convert H×W×3 Adobe RGB (1998), uint8 or uint16, to sRGB in place and return it."""
    curve = _power(563 / 256)
    _convert(pixels, Profile((curve, curve, curve), _matrix(_ADOBE_RGB_D50)))
    return pixels


def to_srgb(pixels: NDArray[Any], icc: bytes, *, gray: bool) -> NDArray[Any]:
    """Convert H×W×3 RGB, uint8 or uint16, from its profile to sRGB; colors outside its gamut are clipped.

    `pixels` may be changed in place. Without a profile, with one that is sRGB, or with a damaged one (which is logged)
    they come back as they are. float32 pixels are scene-linear and left alone. Raises Unusable if the profile needs
    Pillow, which is not installed.
    """
    if not icc or pixels.dtype == np.float32:
        return pixels
    try:
        with np.errstate(all="ignore"):  # a hostile curve may overflow; it is then found not to rise
            profile = parse_profile(icc, gray=gray)
            if _is_srgb(profile):
                return pixels
    except NeedsTables:
        return _through_pillow(pixels, icc)
    except (Damaged, struct.error, ValueError, IndexError, OverflowError) as error:
        log.warning("The photo's color profile was ignored: %s.", error)
        return pixels
    _convert(pixels, profile)
    return pixels


def parse_profile(icc: bytes, *, gray: bool) -> Profile:
    """Read a profile. Raises Damaged (or struct.error, ValueError) if it makes no sense, NeedsTables if numpy cannot apply it."""
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise Damaged("it is not an ICC profile")
    space, connection = icc[16:20], icc[20:24]
    if icc[12:16] in (b"link", b"abst", b"nmcl"):
        raise Damaged("it is no profile of a device")
    if space != (b"GRAY" if gray else b"RGB "):
        raise Damaged(f"it is for {space.decode('latin-1').strip()!r} colors, which the photo has not")
    tags = _tags(icc)
    if gray and b"kTRC" in tags:
        curve = _curve(tags[b"kTRC"])
        return Profile((_lightness_curve(curve) if connection == b"Lab " else curve,), np.eye(3))
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    if all(name in tags for name in names) and connection == b"XYZ ":
        primaries = np.array([_xyz(tags[name]) for name in names[:3]]).T
        return Profile(tuple(_curve(tags[name]) for name in names[3:]), _matrix(primaries))
    if b"A2B0" in tags:
        raise NeedsTables
    raise Damaged("it holds neither primaries nor tables")


def _tags(icc: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", icc, 128)[0]
    found = {}
    for i in range(min(count, _MOST_TAGS)):
        name, offset, size = struct.unpack_from(">4sII", icc, 132 + 12 * i)
        if offset + size > len(icc):
            raise Damaged("it is cut short")
        found[name] = icc[offset : offset + size]
    return found


def _xyz(tag: bytes) -> tuple[float, ...]:
    if tag[:4] != b"XYZ ":
        raise Damaged("a primary is of the wrong type")
    return tuple(n / 65536 for n in struct.unpack_from(">iii", tag, 8))


def _matrix(primaries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB of the profile to linear sRGB; its white stays white."""
    matrix = np.linalg.inv(_SRGB_D50) @ primaries
    white = matrix.sum(1)
    if abs(np.linalg.det(primaries)) < 1e-4 or not ((white > 0.5) & (white < 1.5)).all():
        raise Damaged("its primaries make no white")
    # The numbers of both profiles are rounded: without this, 255 could come out as 254.
    return matrix / white[:, None] if (abs(white - 1) < 0.02).all() else matrix


def _curve(tag: bytes) -> Curve:
    """The tone curve of a `curv` or `para` tag, checked to rise from dark to light."""
    kind = tag[:4]
    if kind not in (b"curv", b"para"):
        raise Damaged("a tone curve is of the wrong type")
    curve = _sampled_curve(tag) if kind == b"curv" else _parametric_curve(tag)
    with np.errstate(all="ignore"):
        probe = curve(np.linspace(0, 1, 257))
    if not np.isfinite(probe).all() or probe[-1] - probe[0] < 0.5 or (np.diff(probe) < -1e-3).any():
        raise Damaged("a tone curve does not rise")
    return curve


def _sampled_curve(tag: bytes) -> Curve:
    count = struct.unpack_from(">I", tag, 8)[0]
    if count == 0:
        return lambda x: x
    if count == 1:
        return _power(struct.unpack_from(">H", tag, 12)[0] / 256)
    if count * 2 > len(tag) - 12:
        raise Damaged("a tone curve is cut short")
    table = np.frombuffer(tag, ">u2", count, 12) / 65535
    places = np.linspace(0, 1, count)
    return lambda x: np.interp(x, places, table)


def _power(gamma: float) -> Curve:
    return lambda x: x**gamma


def _parametric_curve(tag: bytes) -> Curve:
    """Types 0 to 4 of `parametricCurveType`, section 10.18: (ax + b)^g + e from d upward, cx + f below."""
    kind = struct.unpack_from(">H", tag, 8)[0]
    if kind > 4:
        raise Damaged("a tone curve is of an unknown type")
    p = [n / 65536 for n in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    g, a, b, c, d, e, f = p[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind >= 1:
        a, b = p[1:3]
        d = -b / a if a else 0.0
    if kind == 2:
        e = f = p[3]
    if kind >= 3:
        c, d = p[3:5]
    if kind == 4:
        e, f = p[5:7]
    return lambda x: np.clip(np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f), 0, 1)


def _lightness_curve(curve: Curve) -> Curve:
    """A gray profile that speaks CIELAB: its curve gives L*/100, which is turned into light."""

    def light(x: NDArray[np.float64]) -> NDArray[np.float64]:
        t = (curve(x) * 100 + 16) / 116
        return np.where(t > 6 / 29, t**3, 3 * (6 / 29) ** 2 * (t - 4 / 29))

    return light


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1: linear light in [0, 1] to its sRGB code in [0, 1]."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def _is_srgb(profile: Profile) -> bool:
    """Whether the profile changes no color by more than one step of 8 bits. Most photos say sRGB: they stay untouched."""
    axis = np.linspace(0, 1, 18)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    if len(profile.curves) == 1:
        grid = np.repeat(axis[:, None], 3, 1)
    linear = np.stack([profile.curves[i % len(profile.curves)](grid[:, i]) for i in range(3)], 1)
    changed = encode_srgb(np.clip(linear @ profile.matrix.T, 0, 1))
    return bool(abs(changed - grid).max() < 1 / 255)


@lru_cache(maxsize=2)
def _encoder(top: int) -> NDArray[Any]:
    """sRGB codes 0..top by the square root of the light in 65536 steps, which are finer than the codes everywhere."""
    codes = encode_srgb(np.linspace(0, 1, 65536) ** 2) * top
    return np.rint(codes).astype(np.uint8 if top == 255 else np.uint16)


def _convert(pixels: NDArray[Any], profile: Profile) -> None:
    """Apply a profile in place, strip by strip."""
    top = int(np.iinfo(pixels.dtype).max)
    codes = np.linspace(0, 1, top + 1)
    with np.errstate(all="ignore"):
        tables = [np.nan_to_num(np.clip(curve(codes), 0, 1)).astype(np.float32) for curve in profile.curves]
    encoder = _encoder(top)
    if len(tables) == 1:
        mapping = encoder[np.rint(np.sqrt(tables[0]) * 65535).astype(np.uint16)]
        tables = []
    rows = max(1, _STRIP // pixels.shape[1])
    for start in range(0, len(pixels), rows):
        strip = pixels[start : start + rows]
        if not tables:
            strip[...] = mapping[strip]
            continue
        linear = np.stack([table[strip[:, :, i]] for i, table in enumerate(tables)], -1)
        linear = cv().transform(linear, profile.matrix.astype(np.float32))
        np.clip(linear, 0, 1, out=linear)
        np.sqrt(linear, out=linear)
        linear *= 65535
        linear += 0.5
        strip[...] = encoder[linear.astype(np.uint16)]


def pillow_modules() -> tuple[Any, Any] | None:
    """(PIL.Image, PIL.ImageCms) where Pillow is installed with its color engine, else None."""
    try:
        from PIL import Image, ImageCms, features
    except ImportError:
        return None
    return (Image, ImageCms) if features.check("littlecms2") else None


def _through_pillow(pixels: NDArray[Any], icc: bytes) -> NDArray[Any]:
    modules = pillow_modules()
    if modules is None or pixels.dtype != np.uint8:
        raise Unusable("its color profile is made of tables, which cannot be applied here; convert the photo to sRGB first (8 bits).")
    image, cms = modules
    try:
        source, target = cms.ImageCmsProfile(io.BytesIO(icc)), cms.createProfile("sRGB")
        transform = cms.buildTransform(source, target, "RGB", "RGB")
        return np.asarray(transform.apply(image.fromarray(pixels))).copy()
    except (cms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.warning("The photo's color profile was ignored: %s.", error)
        return pixels


def cmyk_to_srgb(data: bytes, icc: bytes) -> NDArray[np.uint8] | None:
    """Decode an 8-bit CMYK file with its profile to H×W×3 sRGB, rows as OpenCV gives them; None if the profile is damaged.

    Raises Unusable if Pillow is not installed or cannot read the file.
    """
    if len(icc) < 132 or icc[36:40] != b"acsp" or icc[16:20] != b"CMYK":
        log.warning("The photo's color profile was ignored: it is no CMYK profile.")
        return None
    modules = pillow_modules()
    if modules is None:
        raise Unusable("it is in CMYK with a color profile, which cannot be applied here; convert the photo to sRGB first.")
    image, cms = modules
    try:
        source, target = cms.ImageCmsProfile(io.BytesIO(icc)), cms.createProfile("sRGB")
        transform = cms.buildTransform(source, target, "CMYK", "RGB")
    except (cms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.warning("The photo's color profile was ignored: %s.", error)
        return None
    try:
        image.init()  # Pillow knows only its commonest formats before
        with image.open(io.BytesIO(data), formats=("JPEG", "TIFF")) as opened:
            opened.load()
            # OpenCV turns TIFF files upright by itself, Pillow from some version on: this makes both agree.
            turned = _turned(opened) if opened.format == "TIFF" else opened
            return np.asarray(transform.apply(turned.convert("CMYK"))).copy()
    except (OSError, ValueError, cms.PyCMSError, image.DecompressionBombError) as error:
        raise Unusable("the CMYK picture cannot be decoded; convert the photo to sRGB first.") from error


def _turned(opened: Any) -> Any:
    """A Pillow image with its orientation applied, once."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(opened)
