"""The film texture: the photo, filtered for the size at which it is filmed.

The photo material looks the texture up once for every pixel of the film, at the pixel's centre (scene/material.py
explains why), so the texture must be smooth between its texels and free of detail finer than a film pixel. Both
follow from its making: the photo is averaged down to the film's resolution, then interpolated to three texels a pixel.
The middle one of each three by three is the pixel itself, which keeps the rest pose exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError
from .cv import cv
from .grain import measure_grain, without_grain
from .layered import TextureKey
from .photo import Photo

SUPERSAMPLING = 3  # odd, so that one texel stands on the pixel's centre
MOST_TEXELS = 90_000_000  # of 8 bits; beyond that, one texel a pixel
_AS_FINE = 1.05  # a texture is as good as one that is larger by no more
MOST_FLOAT_TEXELS = 30_000_000  # 16 bits and float take four times the memory in Blender


def srgb_to_linear(values: NDArray[Any]) -> NDArray[np.float32]:
    """Decode sRGB (IEC 61966-2-1) in [0, 1] to linear light, float32."""
    x = np.asarray(values, np.float32)
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(values: NDArray[Any]) -> NDArray[np.float32]:
    """Encode linear light as sRGB, float32; values are clipped to [0, 1]."""
    x = np.clip(np.asarray(values, np.float32), 0, 1)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def average_down(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Average H×W×C pixels (uint8/uint16 sRGB, or linear float32) down to `size` (width, height), in linear light.

    Averaging encoded values would darken fine bright detail (a fence against the sky). Works in bands of rows, so that
    a large photo does not need a float copy of itself.
    """
    h, w = pixels.shape[:2]
    if (w, h) == size:
        return pixels
    cv2 = cv()
    if pixels.dtype == np.float32:
        return _keep_channels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), pixels)
    top = float(np.iinfo(pixels.dtype).max)
    table = srgb_to_linear(np.arange(int(top) + 1) / top)
    out = np.empty((size[1], size[0], *pixels.shape[2:]), pixels.dtype)
    # Bands must start on whole output rows and cover whole input rows: their boundaries share factors of both heights.
    parts = math.gcd(h, size[1])
    if parts < 8:  # no common rows to cut at: shrink the columns first, in bands, then the rows
        narrow = np.concatenate(
            [
                _keep_channels(cv2.resize(_looked_up(b, table), (size[0], b.shape[0]), interpolation=cv2.INTER_AREA), b)
                for b in _bands(pixels)
            ]
        )
        small = _keep_channels(cv2.resize(narrow, size, interpolation=cv2.INTER_AREA), pixels)
        return np.rint(linear_to_srgb(small) * top).astype(pixels.dtype)
    rows_in, rows_out = h // parts, size[1] // parts
    step = max(1, parts // 16)
    for p in range(0, parts, step):
        n = min(step, parts - p)
        band = _looked_up(pixels[p * rows_in : (p + n) * rows_in], table)
        small = _keep_channels(cv2.resize(band, (size[0], n * rows_out), interpolation=cv2.INTER_AREA), band)
        out[p * rows_out : (p + n) * rows_out] = np.rint(linear_to_srgb(small) * top)
    return out


def decoded(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 sRGB pixels, H×W×C, in linear light: float32 H×W×C in [0, 1]."""
    return _looked_up(pixels, srgb_to_linear(np.arange(256) / 255))


def _looked_up(pixels: NDArray[Any], table: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv().LUT(pixels, table).reshape(pixels.shape) if pixels.dtype == np.uint8 else table[pixels]


def _bands(pixels: NDArray[Any]) -> list[NDArray[Any]]:
    return [pixels[i : i + 256] for i in range(0, len(pixels), 256)]


def _keep_channels(resized: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """cv2.resize drops a last axis of length one."""
    return resized[..., None] if resized.ndim < like.ndim else resized


def suits(made: TextureKey, wanted: TextureKey) -> bool:
    """Whether a texture shows what another would: of the same size, with or without grain alike, and of as much detail or hardly less."""
    return made[:2] == wanted[:2] and made.degrained == wanted.degrained and made.magnification * _AS_FINE >= wanted.magnification


def encode_texture(photo: Photo, key: TextureKey, *, lossy: bool = False) -> tuple[str, bytes]:
    """The film texture of a photo as a file: its suffix and content, PNG of 8 or 16 bits, or EXR for scene-linear photos.

    Alpha, where there is one, is the fourth channel. lossy: a JPEG that is about 50 dB from it, a third the size and a tenth
    the time, for opaque 8-bit frames of a film, of which there are hundreds. Raises RenderError if it cannot be encoded.
    """
    cv2 = cv()
    texels = photo_texels(photo, key)
    bgr = cv2.cvtColor(texels, cv2.COLOR_RGB2BGR if photo.alpha is None else cv2.COLOR_RGBA2BGRA)
    suffix = ".exr" if texels.dtype == np.float32 else ".jpg" if lossy and bgr.dtype == np.uint8 and photo.alpha is None else ".png"
    # No level for PNG: OpenCV's own way takes half the time of the quickest level that can be asked for, and is about as small.
    how = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 98, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]}
    done, data = cv2.imencode(suffix, bgr, how.get(suffix, []))
    if not done:
        raise RenderError(f"{photo.path}: the film texture could not be encoded; choose a smaller --size.")
    return suffix, data.tobytes()


def photo_texels(photo: Photo, key: TextureKey) -> NDArray[Any]:
    """The film texture of a photo: H×W×3 or, with alpha, ×4, of the photo's dtype."""
    pixels = photo.pixels if photo.alpha is None else np.concatenate([photo.pixels, photo.alpha[..., None]], -1)
    if key.degrained:
        pixels = np.concatenate([without_grain(pixels[..., :3], measure_grain(pixels[..., :3])), pixels[..., 3:]], -1)
    return film_texture(pixels, (key.width, key.height), magnification=key.magnification)


def film_texture(pixels: NDArray[Any], film: tuple[int, int], *, magnification: float = 1.0) -> NDArray[Any]:
    """Make the texture for a film whose rest pose shows the whole photo at `film` (width, height) pixels.

    pixels: H×W×C, uint8 or uint16 sRGB-encoded or float32 linear. magnification: how much larger than at rest the
    camera's move will show the subject (1 or more); photos finer than the film then keep that much more detail.
    Returns the same dtype and channels, three texels a film pixel (one where that would be too many). Photos coarser
    than the film are interpolated from their own pixels.
    """
    cv2 = cv()
    h, w = pixels.shape[:2]
    base = (max(1, min(w, film[0])), max(1, min(h, film[1])))
    most = MOST_TEXELS if pixels.dtype == np.uint8 else MOST_FLOAT_TEXELS
    rest = average_down(pixels, base)
    if base[0] * base[1] * SUPERSAMPLING**2 > most:
        return rest
    fine = (base[0] * SUPERSAMPLING, base[1] * SUPERSAMPLING)
    detail = (min(w, fine[0], round(base[0] * max(1.0, magnification))), min(h, fine[1], round(base[1] * max(1.0, magnification))))
    # INTER_LANCZOS4 interpolates: every third texel is the pixel of `rest`, bit for bit.
    smooth = _keep_channels(cv2.resize(rest, fine, interpolation=cv2.INTER_LANCZOS4), rest)
    if detail[0] > base[0] * _AS_FINE:
        smooth = _add_detail(smooth, rest, average_down(pixels, detail))
    return smooth


def _add_detail(smooth: NDArray[Any], rest: NDArray[Any], detail: NDArray[Any]) -> NDArray[Any]:
    """Put the finer photo between the texels of `rest`, which stay as they are."""
    cv2 = cv()
    fine = (smooth.shape[1], smooth.shape[0])
    sharp = _keep_channels(cv2.resize(detail, fine, interpolation=cv2.INTER_LANCZOS4), detail).astype(np.float32)
    middle = SUPERSAMPLING // 2
    error = rest.astype(np.float32) - sharp[middle::SUPERSAMPLING, middle::SUPERSAMPLING]
    sharp += _keep_channels(cv2.resize(error, fine, interpolation=cv2.INTER_LINEAR), sharp)
    if smooth.dtype != np.float32:
        sharp = np.clip(np.rint(sharp), 0, np.iinfo(smooth.dtype).max)
    out = sharp.astype(smooth.dtype)
    out[middle::SUPERSAMPLING, middle::SUPERSAMPLING] = rest
    return out
