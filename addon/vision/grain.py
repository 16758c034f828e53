"""The grain of a photo: how strong it is at every brightness and how coarse, and a photo without it.

Both work on a pyramid of bands (Burt and Adelson 1983, "The Laplacian pyramid as a compact image code"): grain is what even the
flattest places of a band hold, and what exceeds it is the picture. The second is the local Wiener filter (Lee 1980,
"Digital image enhancement and noise filtering by use of local statistics").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cv import cv

LEVELS = 3
"""Bands of grain: details of about 2, 4 and 8 pixels. What is coarser is left to the picture."""
BINS = 8
"""Steps of brightness at which it is measured."""
_WINDOW = 7  # pixels: what counts as a place
_FLATTEST = 0.1  # share of the places of one brightness that are taken for flat
_STEP = 4  # pixels between places
_FEWEST = 120  # places of one brightness
_ALIKE = 1.5  # how much less flat the last of the flattest may be than the third of them
_NOTHING = 1e-7  # variance that is none
_MOST = 0.06  # of white: more is no grain but the picture
_LEAST_LUMA, _MOST_LUMA = 0.02, 0.98  # beyond, values are clipped and their grain with them
_BAND_ROWS = 1024
_MARGIN = 64  # rows around a band of rows, for the pyramid

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Grain:
    """sigma: float32 LEVELS×BINS×3, the standard deviation of each band at each brightness in luma, Cb and Cr, in shares of white."""

    sigma: Floats

    def at(self, luma: Floats, level: int, channel: int) -> Floats:
        """The standard deviation at every pixel of a luma in [0, 1]: float32 of its shape."""
        middles = (np.arange(BINS) + 0.5) / BINS
        table = np.interp(np.linspace(0, 1, 256), middles, self.sigma[level, :, channel]).astype(np.float32)
        return table[np.clip(luma * 255, 0, 255).astype(np.uint8)]

    def to_list(self) -> list[float]:
        """As plain numbers, to be written down."""
        return [round(float(s), 7) for s in self.sigma.ravel()]

    @classmethod
    def from_list(cls, numbers: list[float]) -> Grain:
        """What `to_list` gave. Raises ValueError if it is not of this form."""
        return cls(np.asarray(numbers, np.float32).reshape(LEVELS, BINS, 3))


def to_ycc(rgb: Floats) -> Floats:
    """Luma, Cb and Cr of R, G, B (ITU-R BT.601, full range, around 0), float32 H×W×3."""
    return rgb @ _TO_YCC.T


def from_ycc(ycc: Floats) -> Floats:
    """What `to_ycc` was made of."""
    return ycc @ _FROM_YCC.T


_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_FROM_YCC = np.linalg.inv(_TO_YCC.astype(np.float64)).astype(np.float32)


def levels_of(size: tuple[int, int]) -> int:
    """How many bands a picture of this size has."""
    return min(LEVELS, max(1, min(size).bit_length() - 3))


def bands(picture: Floats) -> list[Floats]:
    """The bands of a picture (float32 H×W×C), finest first, each half the size of the one before, without the rest."""
    return _split(picture)[0]


def join(parts: list[Floats], rest: Floats | None = None) -> Floats:
    """The picture of its bands; `rest` is what was coarser than all of them."""
    cv2 = cv()
    picture = rest
    for part in reversed(parts):
        picture = part if picture is None else part + cv2.pyrUp(picture, dstsize=part.shape[1::-1]).reshape(part.shape)
    assert picture is not None
    return picture


def _split(picture: Floats) -> tuple[list[Floats], Floats]:
    cv2 = cv()
    parts = []
    for _ in range(levels_of(picture.shape[1::-1])):
        small = cv2.pyrDown(picture)
        parts.append(picture - cv2.pyrUp(small, dstsize=picture.shape[1::-1]))
        picture = small
    return parts, picture


def measure_grain(pixels: NDArray[Any]) -> Grain:
    """The grain of a photo, H×W×3 R, G, B, sRGB-encoded uint8 or uint16, or float32 from 0 to 1.

    A photo without flat places, or without grain, gives little or none.
    """
    sigma = np.zeros((LEVELS, BINS, 3), np.float32)
    ycc = to_ycc(_shares(pixels))
    luma = ycc[..., 0]
    for level, part in enumerate(bands(ycc)):
        if luma.shape != part.shape[:2]:
            luma = cv().resize(ycc[..., 0], part.shape[1::-1], interpolation=cv().INTER_AREA)
        sigma[level] = _flat_spread(part, luma)
    return Grain(sigma)


def _flat_spread(part: Floats, luma: Floats) -> Floats:
    """BINS×3: the spread of a band at each brightness in the flattest places; those of too few are taken from their neighbours."""
    cv2 = cv()
    places_at = slice(_WINDOW // 2, None, _STEP), slice(_WINDOW // 2, None, _STEP)
    variance = np.maximum(cv2.blur(part * part, (_WINDOW, _WINDOW))[places_at], 0)  # running sums can end below 0
    level = cv2.blur(luma, (_WINDOW, _WINDOW))[places_at]
    which = np.clip((level * BINS).astype(int), 0, BINS - 1)
    usable = (level > _LEAST_LUMA) & (level < _MOST_LUMA)
    found = np.full((BINS, 3), np.nan, np.float32)
    crowded = np.bincount(which[usable], minlength=BINS).max() >= _FEWEST
    for b in range(BINS):
        places = variance[usable & ((which == b) | (not crowded))]  # of a tiny picture all brightnesses together
        if len(places) < _FEWEST // 3 or (crowded and len(places) < _FEWEST):
            continue
        order = np.argsort(places.sum(1))
        flat = places[order[: max(8, int(len(places) * _FLATTEST))]]
        few = flat[: max(3, int(len(flat) * 0.3))]
        # Where grain is all there is, flat places hardly differ; in hair or grass each is a little less flat than the one before.
        if flat[-1].sum() <= _ALIKE * few[-1].sum() + _NOTHING:
            found[b] = np.sqrt(np.median(flat, axis=0) / np.float32(_FLAT_BIAS))
    known = np.flatnonzero(np.isfinite(found[:, 0]))
    if not len(known):
        return np.zeros((BINS, 3), np.float32)
    filled = np.stack([np.interp(np.arange(BINS), known, found[known, c]) for c in range(3)], -1)
    return np.where(filled > _MOST, 0, filled).astype(np.float32)


_FLAT_BIAS = 0.75
"""Median variance of the flattest tenth of places of 7×7 pixels over the true one, for white noise in a band of the pyramid."""


def without_grain(pixels: NDArray[Any], grain: Grain) -> NDArray[Any]:
    """The photo with its grain taken out, of the same shape and dtype; H×W×3 R, G, B as `measure_grain` takes it.

    Works in bands of rows, so that a large photo takes little memory.
    """
    out = np.empty_like(pixels)
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    for start in range(0, len(pixels), _BAND_ROWS):
        first = max(0, start - _MARGIN)
        band = _shares(pixels[first : start + _BAND_ROWS + _MARGIN])
        clean = _cleaned(band, grain)[start - first :][:_BAND_ROWS] * np.float32(top)
        out[start : start + len(clean)] = clean if top == 1 else np.clip(np.rint(clean), 0, top)
    return out


def _cleaned(rgb: Floats, grain: Grain) -> Floats:
    cv2 = cv()
    ycc = to_ycc(rgb)
    parts, rest = _split(ycc)
    luma = ycc[..., 0]
    for level, part in enumerate(parts):
        if luma.shape != part.shape[:2]:
            luma = cv2.resize(ycc[..., 0], part.shape[1::-1], interpolation=cv2.INTER_AREA)
        for channel in range(3):
            noise = grain.at(luma, level, channel) ** 2
            variance = cv2.blur(part[..., channel] ** 2, (_WINDOW, _WINDOW))
            part[..., channel] *= np.clip((variance - noise * np.float32(_KEEN)) / np.maximum(variance, 1e-12), 0, 1)
    return np.clip(from_ycc(join(parts, rest)), 0, None if rgb.max() > 1 else 1)


_KEEN = 1.25  # how much of the measured variance counts as grain: a place's own scatters around it


def _shares(pixels: NDArray[Any]) -> Floats:
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    return pixels[..., :3].astype(np.float32) / np.float32(top)
