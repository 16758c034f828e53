"""How loud and how bright a voice is in every frame, for a mouth to follow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .rig_actions import Voice

_QUIET = 0.06  # of the loud passages: below it is silence
_RISE, _FALL = 0.75, 0.4  # how much of the way to a louder or quieter value a frame goes, at 24 frames per second
_DARK, _BRIGHT = 500.0, 2600.0  # hertz: where the middle of the spectrum of an "oo" and of an "ee" or "s" lies


def voice_of(samples: NDArray[np.float32], rate: int, fps: float, frames: int) -> Voice:
    """The voice in a sound. samples: float32 N or N×channels in [-1, 1]. rate: samples per second. frames: how many of the film.

    Loudness is the effective value of each frame's samples against the loud passages of the sound (its 95th percentile), rising quicker
    than it falls, as a mouth does. Where the sound is over, it is silent. A sound without a single loud sample gives silence.
    """
    mono = np.asarray(samples, np.float32)
    mono = mono.mean(axis=1) if mono.ndim == 2 else mono
    loud, bright = np.zeros(frames), np.full(frames, 0.5)
    window = max(64, round(1.5 * rate / fps))
    for i in range(frames):
        middle = (i + 0.5) * rate / fps
        piece = mono[max(0, int(middle - window / 2)) : int(middle + window / 2)]
        if len(piece) >= 32:
            loud[i] = math.sqrt(float(np.mean(np.square(piece, dtype=np.float64))))
            bright[i] = _brightness(piece, rate)
    heard = loud[loud > 0]
    top = float(np.percentile(heard, 95)) if heard.size else 0.0
    if top < 1e-4:
        return Voice((0.0,) * frames, (0.5,) * frames)
    level = np.clip((loud / top - _QUIET) / (1 - _QUIET), 0, 1) ** 0.7
    return Voice(tuple(_followed(level, fps)), tuple(float(b) for b in np.convolve(np.pad(bright, 1, "edge"), np.ones(3) / 3, "valid")))


def _brightness(piece: NDArray[np.float32], rate: int) -> float:
    """Where the middle of the spectrum lies between dark (0) and bright (1), by octaves."""
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    total = float(power.sum())
    if total <= 0:
        return 0.5
    middle = float((power * np.fft.rfftfreq(len(piece), 1 / rate)).sum() / total)
    return float(np.clip(math.log(max(middle, 1.0) / _DARK) / math.log(_BRIGHT / _DARK), 0, 1))


def _followed(level: NDArray[np.float64], fps: float) -> list[float]:
    rise, fall = (1 - (1 - share) ** (24 / fps) for share in (_RISE, _FALL))
    found, now = [], 0.0
    for value in level:
        now += (float(value) - now) * (rise if value > now else fall)
        found.append(now)
    return found
