"""Film grain that lies on the film, not on the surfaces: fresh for every frame, as strong and as coarse as the photo's own.

`addon/vision/grain.py` measures it and takes it out of the film texture.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..vision.cv import cv
from ..vision.grain import LEVELS, Grain, bands, from_ycc, to_ycc

Floats = NDArray[np.float32]


def add_grain(pixels: NDArray[np.generic], grain: Grain, number: int, *, strength: float = 1.0, seed: int = 1) -> NDArray[np.generic]:
    """Return the frame with grain on it: H×W×3 or H×W×4 (R, G, B, straight alpha, which stays) of uint8, uint16 or float32.

    uint8 and uint16 are sRGB-encoded, float32 is too and goes from 0 to 1. number: of the frame; the same number and seed give the
    same grain, any other a different one. strength: 1 is as `grain` was measured.
    """
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    ycc = to_ycc(pixels[..., :3].astype(np.float32) / np.float32(top))
    noise = fresh_noise(ycc[..., 0], grain, number, seed)
    grown = from_ycc(ycc + noise * np.float32(strength)) * np.float32(top)
    out = pixels.copy()
    out[..., :3] = np.clip(grown, 0, top) if top == 1 else np.clip(np.rint(grown), 0, top)
    return out


def fresh_noise(luma: Floats, grain: Grain, number: int, seed: int) -> Floats:
    """Noise for a picture of this luma (float32 H×W in [0, 1]): float32 H×W×3 (luma, Cb, Cr), in shares of white.

    White noise of the picture's size, of half and of a quarter, enlarged, each as strong as it takes for the bands to have the
    strengths of `grain`.
    """
    gains = _gains(grain)
    random = np.random.default_rng((seed, number))
    total = np.zeros((*luma.shape, 3), np.float32)
    for level, (w, h) in enumerate(_sizes(luma.shape[1], luma.shape[0])):
        white = random.standard_normal((h, w, 3), np.float32)
        grown = _enlarged(white, (luma.shape[1], luma.shape[0]))
        for channel in range(3):
            if gains.sigma[level, :, channel].any():
                total[..., channel] += grown[..., channel] * gains.at(luma, level, channel)
    return total


def _sizes(width: int, height: int) -> list[tuple[int, int]]:
    return [(max(2, -(-width >> level)), max(2, -(-height >> level))) for level in range(LEVELS)]


def _enlarged(noise: Floats, size: tuple[int, int]) -> Floats:
    return noise if noise.shape[1::-1] == size else cv().resize(noise, size, interpolation=cv().INTER_CUBIC)


@lru_cache(maxsize=1)
def _spread() -> Floats:
    """LEVELS×LEVELS: the variance that white noise of each size (column) has in each band (row), measured on a sample."""
    random = np.random.default_rng(0)
    found = np.zeros((LEVELS, LEVELS), np.float32)
    for level, (w, h) in enumerate(_sizes(512, 512)):
        parts = bands(_enlarged(random.standard_normal((h, w, 3), np.float32), (512, 512)))
        found[:, level] = [part.var() for part in parts]
    return found


def _gains(grain: Grain) -> Grain:
    """How strong the noise of each size must be at each brightness."""
    wanted = grain.sigma.reshape(LEVELS, -1).astype(np.float64) ** 2
    gains = np.zeros_like(wanted)
    # From coarse to fine: each takes what the finer bands alone cannot explain, so that no gain is negative.
    spread = _spread().astype(np.float64)
    solved = np.linalg.solve(spread, wanted)
    for level in reversed(range(LEVELS)):
        gains[level] = np.clip(solved[level], 0, None)
        if level:
            solved[:level] = np.linalg.solve(spread[:level, :level], (wanted - spread[:, level:] @ gains[level:])[:level])
    return Grain(np.sqrt(gains).reshape(grain.sigma.shape).astype(np.float32))


__all__ = ["Grain", "add_grain", "fresh_noise"]
