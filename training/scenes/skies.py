"""Skies for the training scenes: pictures of all that is above, drawn from gradients and noise, and the sun that goes with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .kit import Kit, linear
from .textures import Colour, Rng, hsv, noise

Floats = NDArray[np.float32]

ROWS = 320  # of the whole picture, half of them below the horizon
KINDS = {"clear": 0.2, "fair": 0.3, "cloudy": 0.12, "overcast": 0.23, "low": 0.15}
"""How often `put` chooses which sky by day."""


def _directions() -> tuple[Floats, Floats, Floats]:
    """Unit vectors of the upper half's pixels: east (+x), north (+y), up; +y in the middle column."""
    up = np.radians(90 - (np.arange(ROWS // 2) + 0.5) * 180 / ROWS)[:, None]
    around = np.radians((np.arange(2 * ROWS) + 0.5) * 180 / ROWS - 180)[None]
    return (
        (np.sin(around) * np.cos(up)).astype(np.float32),
        (np.cos(around) * np.cos(up)).astype(np.float32),
        np.broadcast_to(np.sin(up), (ROWS // 2, 2 * ROWS)).astype(np.float32),
    )


def _mix(a: Any, b: Any, t: Floats) -> Floats:
    t = t[..., None] if t.ndim == 2 else t
    return (np.asarray(a, np.float32) * (1 - t) + np.asarray(b, np.float32) * t).astype(np.float32)


def towards(height: float, azimuth: float) -> NDArray[np.float64]:
    """The unit vector to the sun. height: degrees; azimuth: degrees to the left of +y."""
    h, a = math.radians(height), math.radians(azimuth)
    return np.array([-math.sin(a) * math.cos(h), math.cos(a) * math.cos(h), math.sin(h)])


def sunlight(height: float, rng: Rng) -> Colour:
    """The sun's colour (sRGB): white high up, orange near the horizon."""
    low = math.exp(-max(height, 0) / 11)
    return hsv(0.11 - 0.05 * low, min(0.06 + 0.75 * low + rng.uniform(0, 0.06), 0.9), 1.0)


def clear(rng: Rng, height: float, azimuth: float) -> Floats:
    """A cloudless sky with the sun's glow; also what shows between clouds. float32 ROWS/2 × 2 ROWS × 3, linear."""
    x, y, z = _directions()
    low = math.exp(-max(height, 0) / 7)
    haze = rng.uniform(0, 1)
    zenith = np.asarray(linear(hsv(rng.uniform(0.56, 0.62), 0.75 - 0.4 * haze, 0.5 + 0.2 * haze))) * (1 - 0.55 * low)
    horizon = np.asarray(linear(hsv(rng.uniform(0.52, 0.6), 0.28 - 0.2 * haze, rng.uniform(0.75, 0.95)))) * (1 - 0.3 * low)
    made = _mix(zenith, horizon, np.exp(-z * rng.uniform(2.5, 5)))
    angle = np.degrees(np.arccos(np.clip(np.tensordot(towards(height, azimuth), np.stack([x, y, z]), 1), -1, 1))).astype(np.float32)
    warm = np.asarray(linear(sunlight(height, rng)))
    glow = 0.55 * np.exp(-angle / rng.uniform(12, 30)) + 3.5 * np.exp(-angle / rng.uniform(2.0, 5))
    if low > 0.2:  # the warm band over the place where the sun sets
        band = np.exp(-z * rng.uniform(5, 11)) * np.exp(-angle / rng.uniform(35, 90)) * low
        made = _mix(made, np.asarray(linear(hsv(rng.uniform(0.02, 0.1), rng.uniform(0.4, 0.75), 0.95))), np.clip(1.3 * band, 0, 1))
    return made + (glow[..., None] * warm * rng.uniform(0.4, 1)).astype(np.float32)


def clouds(rng: Rng, sky: Floats, cover: float, height: float, azimuth: float) -> Floats:
    """The sky with clouds before it. cover: share of the sky that they hide, 0 to 1."""
    x, y, z = _directions()
    sheet = noise(rng, rng.uniform(1.35, 1.75), side=512)
    fine = noise(rng, rng.uniform(0.9, 1.2))
    across = rng.uniform(45, 200)  # noise pixels for as far as the clouds are high
    shift = rng.uniform(0, 512, 2)

    def at(plane: Floats, scale: float, off: Sequence[float] = (0, 0)) -> Floats:
        side = plane.shape[0]
        u = (x / (z + 0.07) * across * scale + shift[0] + off[0]) % side
        v = (y / (z + 0.07) * across * scale * flat + shift[1] + off[1]) % side
        wrapped = np.concatenate([np.concatenate([plane, plane[:, :1]], 1), np.concatenate([plane[:1], plane[:1, :1]], 1)], 0)
        return cv2.remap(wrapped, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)

    flat = rng.uniform(0.7, 1.4)
    sun = towards(height, azimuth)
    body = at(sheet, 1) + 0.12 * at(fine, 3)
    aside = at(sheet, 1, sun[:2] * 14) + 0.12 * at(fine, 3, sun[:2] * 30)
    threshold = float(np.quantile(sheet, 1 - np.clip(cover, 0.02, 0.98)))
    thick = np.clip((body - threshold) * rng.uniform(0.9, 2.2), 0, 1)
    veil = np.clip((body - threshold) * rng.uniform(2.5, 7), 0, 1)
    lit = np.clip(0.62 - 0.38 * thick + rng.uniform(0.4, 0.9) * (body - aside), 0, 1)
    low = math.exp(-max(height, 0) / 9)
    bright = np.asarray(linear(sunlight(height, rng))) * rng.uniform(1.0, 1.7) * (1 - 0.35 * low)
    dark = np.asarray(linear(hsv(rng.uniform(0.56, 0.66), rng.uniform(0.03, 0.18), rng.uniform(0.5, 0.74)))) * (1 - 0.5 * low)
    cloud = _mix(dark, bright, lit)
    far = np.exp(-z * rng.uniform(6, 14))  # haze before the far ones
    cloud = _mix(cloud, sky[-1].mean(0), np.clip(far * rng.uniform(0.5, 1), 0, 1))
    return _mix(sky, cloud, veil * (1 - 0.4 * far))


def starry(rng: Rng) -> Floats:
    """The sky of the night: black to deep blue, paler towards the horizon, often with stars, a moon, or clouds that a town lights from below.
    float32 ROWS/2 × 2 ROWS × 3, linear."""
    x, y, z = _directions()
    deep = np.asarray(linear(hsv(rng.uniform(0.58, 0.68), rng.uniform(0.2, 0.85), rng.uniform(0.0, 0.28))))
    low = np.asarray(
        linear(hsv(rng.choice([rng.uniform(0.03, 0.12), rng.uniform(0.55, 0.72)]), rng.uniform(0.2, 0.6), rng.uniform(0.05, 0.5)))
    )
    made = _mix(deep, low, np.exp(-z * rng.uniform(3, 12)))
    kind = rng.random()
    if kind < 0.4:
        many = int(rng.integers(60, 900))
        rows, columns = rng.integers(0, ROWS // 2 - 4, many), rng.integers(0, 2 * ROWS, many)
        made[rows, columns] += (rng.uniform(0.02, 0.06) * (1 + rng.pareto(1.5, many)).clip(0, 6))[:, None].astype(np.float32)
    elif kind < 0.75:
        sheet_, across = noise(rng, rng.uniform(1.3, 1.7)), rng.uniform(25, 110)
        u, v = ((x / (z + 0.1)) * across + 128) % 255, ((y / (z + 0.1)) * across + 128) % 255
        cover = np.clip(
            0.7 * cv2.remap(sheet_, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR) + rng.uniform(-0.2, 0.6), 0, 1
        )
        lit = np.asarray(
            linear(hsv(rng.choice([rng.uniform(0.03, 0.11), rng.uniform(0.58, 0.7)]), rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.5)))
        )
        made = _mix(made, lit, np.clip(cover * (0.35 + np.exp(-z * 4)), 0, 1))
    if rng.random() < 0.35:
        to = towards(rng.uniform(6, 50), rng.uniform(0, 360))
        angle = np.degrees(np.arccos(np.clip(np.tensordot(to, np.stack([x, y, z]), 1), -1, 1))).astype(np.float32)
        disc = np.clip(1.3 - angle / rng.uniform(0.7, 1.3), 0, 1) * rng.uniform(1, 5) + 0.06 * np.exp(-angle / rng.uniform(2, 8))
        made += disc[..., None] * np.asarray(linear(hsv(rng.uniform(0.08, 0.15), rng.uniform(0, 0.3), 1)), np.float32)
    return made.astype(np.float32)


def overcast(rng: Rng) -> Floats:
    """A closed cover: brighter overhead (the CIE's overcast sky), with folds."""
    x, y, z = _directions()
    made = ((1 + rng.uniform(0.6, 2) * z) / 2.2)[..., None] * np.asarray(linear(hsv(rng.uniform(0.55, 0.65), rng.uniform(0, 0.1), 0.97)))
    sheet = noise(rng, rng.uniform(1.3, 1.8))
    across = rng.uniform(25, 90)
    u, v = ((x / (z + 0.09)) * across + 128) % 255, ((y / (z + 0.09)) * across + 128) % 255
    folds = cv2.remap(sheet, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR) * np.clip(3 * z, 0, 1)
    return (made * np.clip(1 + rng.uniform(0.02, 0.2) * folds, 0.4, 1.6)[..., None]).astype(np.float32)


def whole(upper: Floats, ground: Colour) -> Floats:
    """With the lower half: what the ground sends back (sRGB), hidden by the scene's own ground mostly."""
    return np.concatenate([upper, np.broadcast_to(np.asarray(linear(ground), np.float32), upper.shape)])


def put(kit: Kit, kind: str | None = None, *, facing: float | None = None, night: float = 0.0) -> str:
    """Put a sky and its sun into the scene; the name of the sky. facing: the yaw of the scene's main view in degrees, behind or beside
    which the sun mostly stands. night: how often it is night, "dusk" (after sunset) or "night", when the scene should have lamps."""
    rng = kit.rng
    if kind is None:
        if rng.random() < night:
            kind = "dusk" if rng.random() < 0.6 else "night"
        else:
            kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    azimuth = float(rng.uniform(0, 360))
    if facing is not None and rng.random() < 0.8:
        azimuth = facing + float(rng.choice([-1, 1]) * rng.uniform(35, 165))
    ground = hsv(rng.uniform(0.07, 0.2), rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.5))
    height = float(rng.uniform(14, 65))
    if kind in ("clear", "fair", "cloudy", "low"):
        if kind == "low":
            height = float(rng.uniform(2.5, 12))
        upper = clear(rng, height, azimuth)
        strength = rng.uniform(2.8, 5.0) * (0.45 + 0.55 * min(height / 20, 1))
        soft = float(rng.uniform(0.5, 1.2))
        if kind == "fair" or (kind == "low" and rng.random() < 0.6):
            upper = clouds(rng, upper, rng.uniform(0.08, 0.5), height, azimuth)
        if kind == "cloudy":
            upper = clouds(rng, upper, rng.uniform(0.55, 0.93), height, azimuth)
            strength, soft = rng.uniform(0.4, 3), float(rng.uniform(1, 12))
        kit.sky(whole(upper, ground), rng.uniform(0.8, 1.25))
        kit.sun(height, azimuth, strength, soft=soft, colour=sunlight(height, rng))
    elif kind == "overcast":
        kit.sky(whole(overcast(rng), ground), rng.uniform(0.8, 1.2))
        kit.sun(rng.uniform(35, 75), azimuth, rng.uniform(0.2, 1.4), soft=rng.uniform(20, 55), colour=(1, 0.99, 0.98))
    elif kind == "night" and rng.random() < 0.6:
        kit.sky(whole(starry(rng), (0.1, 0.1, 0.12)), 0.06 * 8 ** rng.random())
    else:
        upper = clear(rng, rng.uniform(-3, 1), azimuth)
        if rng.random() < 0.6:
            upper = clouds(rng, upper, rng.uniform(0.1, 0.7), 2.0, azimuth)
        if kind == "dusk":
            kit.sky(whole(upper, ground), rng.uniform(0.1, 0.35))
        else:
            blue = np.asarray(linear(hsv(rng.uniform(0.58, 0.68), rng.uniform(0.15, 0.5), 1.0)), np.float32)
            kit.sky(whole(upper.mean(2, keepdims=True) * blue, (0.15, 0.15, 0.18)), rng.uniform(0.015, 0.06))
    return kind
