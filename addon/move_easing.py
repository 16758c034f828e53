"""Blender's easing as functions of time, so that a move can be evaluated without Blender. Standard library only.

The formulas are those of Blender's source/blender/blenlib/intern/easing.cc, with the settings that `addon/scene/camera.py`
gives the keys: overshoot 1.70158, elastic amplitude 0.8 of the change, elastic period 0.3 of the duration.
"""

from __future__ import annotations

import math
from collections.abc import Callable

OVERSHOOT = 1.70158
ELASTIC_AMPLITUDE = 0.8
ELASTIC_PERIOD = 0.3
_SMALLEST = 2.0**-10


def _expo(t: float) -> float:
    return (2 ** (10 * (t - 1)) - _SMALLEST) / (1 - _SMALLEST)


def _back(t: float, overshoot: float = OVERSHOOT) -> float:
    return t * t * ((overshoot + 1) * t - overshoot)


def _bounce(t: float) -> float:
    t = 1 - t
    for upto, middle, height in ((1 / 2.75, 0.0, 0.0), (2 / 2.75, 1.5, 0.75), (2.5 / 2.75, 2.25, 0.9375)):
        if t < upto:
            return 1 - (7.5625 * (t - middle / 2.75) ** 2 + height)
    return 1 - (7.5625 * (t - 2.625 / 2.75) ** 2 + 0.984375)


def _elastic_wave(before: float, length: float) -> float:
    """The dying wave `before` the end, in shares of `length`, itself in shares of the move."""
    shift = ELASTIC_PERIOD / 4
    fade = ELASTIC_AMPLITUDE
    reach = before * length
    if reach < shift:
        fade = fade * reach / shift + 1 - reach / shift
    return fade * 2 ** (-10 * before) * math.sin((-reach - shift) * 2 * math.pi / ELASTIC_PERIOD)


def _elastic(t: float) -> float:
    return -_elastic_wave(1 - t, 1.0)


_IN: dict[str, Callable[[float], float]] = {
    "sine": lambda t: 1 - math.cos(t * math.pi / 2),
    "quad": lambda t: t**2,
    "cubic": lambda t: t**3,
    "quart": lambda t: t**4,
    "quint": lambda t: t**5,
    "expo": _expo,
    "circ": lambda t: 1 - math.sqrt(max(0.0, 1 - t * t)),
    "back": _back,
    "bounce": _bounce,
    "elastic": _elastic,
    # A Bezier curve whose eased end is flat and whose other end points at the first: Blender's free and vector handles.
    "bezier": lambda t: t * t * (2 - t),
}

_BOTH: dict[str, Callable[[float], float]] = {
    "sine": lambda t: (1 - math.cos(math.pi * t)) / 2,
    "back": lambda t: _halves(lambda u: _back(u, OVERSHOOT * 1.525), t),
    "bezier": lambda t: t * t * (3 - 2 * t),
    "elastic": lambda t: _elastic_both(t),
}


def _elastic_both(t: float) -> float:
    wave = _elastic_wave(abs(2 * t - 1), 1.0) / 2
    return -wave if t < 0.5 else 1 + wave


def _halves(ease: Callable[[float], float], t: float) -> float:
    return ease(2 * t) / 2 if t < 0.5 else 1 - ease(2 - 2 * t) / 2


def eased(ease: str, curve: str, t: float) -> float:
    """How much of a move is done after the share `t` of its time. ease: linear, in, out or in-out; curve: see CURVES in spec.py."""
    t = min(1.0, max(0.0, t))
    if ease == "linear" or t in (0.0, 1.0):
        return t
    start = _IN[curve]
    if ease == "in":
        return start(t)
    if ease == "out":
        return 1 - start(1 - t)
    return _BOTH[curve](t) if curve in _BOTH else _halves(start, t)


MONOTONE = frozenset(_IN) - {"back", "bounce", "elastic"}
"""The curves that never go back."""
