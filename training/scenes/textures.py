"""Pictures of surfaces for the training scenes, drawn from noise: no photo and no file is used.

Every function returns uint8 H×W×3 sRGB that repeats without a seam where the real thing would. One picture covers as many metres as
its entry in `KINDS` says. Pictures instead of procedural shaders: Cycles looks a picture up twenty times faster than it works a noise out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Rng = np.random.Generator
Colour = tuple[float, float, float]
"""sRGB in [0, 1]."""

SIDE = 256


# Colours


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour by hue in turns, saturation and value in [0, 1]."""
    h = (hue % 1) * 6
    rgb = np.array([abs(h - 3) - 1, 2 - abs(h - 2), 2 - abs(h - 4)]).clip(0, 1)
    r, g, b = value * (1 - saturation * (1 - rgb))
    return float(r), float(g), float(b)


def any_colour(rng: Rng) -> Colour:
    """As things are coloured: mostly muted, some white, grey or black, now and then gaudy."""
    kind = rng.random()
    if kind < 0.3:
        grey = float(rng.choice([rng.uniform(0.03, 0.2), rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.97)]))
        tint = rng.normal(0, 0.02, 3)
        return tuple(np.clip(grey + tint, 0, 1))  # type: ignore[return-value]
    if kind < 0.75:
        return hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.9))
    return hsv(rng.random(), rng.uniform(0.5, 0.95), rng.uniform(0.3, 0.95))


def wall_colour(rng: Rng) -> Colour:
    """As walls are painted: pale, mostly white to beige."""
    if rng.random() < 0.75:
        return hsv(rng.uniform(0.05, 0.17), rng.uniform(0, 0.22), rng.uniform(0.7, 0.97))
    return hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.35, 0.9))


def wood_colour(rng: Rng) -> Colour:
    return hsv(rng.uniform(0.045, 0.105), rng.uniform(0.25, 0.7), rng.uniform(0.18, 0.8))


def green(rng: Rng) -> Colour:
    return hsv(rng.uniform(0.16, 0.36), rng.uniform(0.3, 0.75), rng.uniform(0.15, 0.55))


# Noise


def noise(rng: Rng, power: float = 1.0, stretch: float = 1.0, side: int = SIDE) -> Floats:
    """1/f^power noise that repeats, zero mean, unit deviation. stretch: how much longer its grain is along x."""
    fy = np.fft.fftfreq(side)[:, None] * side
    fx = np.fft.rfftfreq(side)[None] * side * stretch
    f = np.hypot(fx, fy)
    f[0, 0] = np.inf
    spectrum = (rng.normal(size=f.shape) + 1j * rng.normal(size=f.shape)) / f**power
    made = np.fft.irfft2(spectrum, (side, side))
    return ((made - made.mean()) / (made.std() + 1e-9)).astype(np.float32)


def _tinted(value: Floats, dark: Colour, light: Colour) -> Floats:
    t = np.clip(value, 0, 1)[..., None]
    return (np.asarray(dark, np.float32) * (1 - t) + np.asarray(light, np.float32) * t).astype(np.float32)


def _shade(colour: Colour, by: float) -> Colour:
    return tuple(float(np.clip(c * by, 0, 1)) for c in colour)  # type: ignore[return-value]


def _bytes(picture: Floats) -> Bytes:
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def _grid(side: int = SIDE) -> tuple[Floats, Floats]:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    return x, y


# Surfaces


def plain(rng: Rng, colour: Colour | None = None) -> Bytes:
    """One colour with the faint unevenness of paint, plastic or plaster."""
    colour = colour or any_colour(rng)
    v = 1 + rng.uniform(0.005, 0.05) * noise(rng, rng.uniform(0.4, 1.6))[..., None]
    return _bytes(np.asarray(colour, np.float32) * v)


def mottled(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Stone, concrete, earth, worn plaster: clouds and grain."""
    colour = colour or hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.35), rng.uniform(0.2, 0.85))
    v = 0.5 + rng.uniform(0.08, 0.25) * noise(rng, rng.uniform(0.9, 1.8)) + rng.uniform(0.03, 0.12) * noise(rng, 0.3)
    return _bytes(_tinted(v, _shade(colour, rng.uniform(0.45, 0.85)), _shade(colour, rng.uniform(1.0, 1.3))))


def wood(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Grain along x."""
    colour = colour or wood_colour(rng)
    warp = noise(rng, 1.8, stretch=rng.uniform(4, 10))
    _, y = _grid()
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.integers(3, 12) * y + rng.uniform(0.1, 0.5) * warp))
    v = 0.6 * rings ** rng.uniform(0.7, 2) + 0.25 + rng.uniform(0.05, 0.15) * noise(rng, 0.7, stretch=12)
    return _bytes(_tinted(v, _shade(colour, rng.uniform(0.55, 0.85)), _shade(colour, 1.12)))


def planks(rng: Rng, colour: Colour | None = None) -> Bytes:
    """A floor or wall of boards along x."""
    colour = colour or wood_colour(rng)
    rows = int(rng.integers(4, 9))
    tall = SIDE // rows
    made = np.empty((SIDE, SIDE, 3), np.float32)
    for r in range(rows):
        top, end = r * tall, SIDE if r == rows - 1 else (r + 1) * tall
        board = wood(rng, _shade(colour, rng.uniform(0.8, 1.15))).astype(np.float32) / 255
        made[top:end] = np.roll(board, int(rng.integers(SIDE)), 1)[top:end]
        made[top : top + 1] *= 0.45
        joint = int(rng.integers(SIDE))
        made[top:end, joint : joint + 2] *= 0.5
    return _bytes(made)


def tiles(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Square or oblong tiles with joints, some of them chequered."""
    colour = colour or hsv(rng.random(), rng.uniform(0, 0.35), rng.uniform(0.4, 0.95))
    nx, ny = (int(n) for n in rng.choice([2, 3, 4, 6, 8], 2)) if rng.random() < 0.4 else (int(rng.choice([2, 4, 6, 8])),) * 2
    x, y = _grid()
    i, j = (x * nx).astype(int), (y * ny).astype(int)
    each = 1 + rng.uniform(0, 0.12) * rng.normal(size=(ny, nx))
    if rng.random() < 0.3:
        each = each * np.where((np.add.outer(np.arange(ny), np.arange(nx)) % 2) == 0, 1.0, rng.uniform(0.15, 0.7))
    v = each[j, i][..., None] * np.asarray(colour) * (1 + rng.uniform(0, 0.08) * noise(rng, 1.3)[..., None])
    gap = rng.uniform(0.01, 0.04)
    joint = (np.abs((x * nx) % 1 - 0.5) > 0.5 - gap * nx / 4) | (np.abs((y * ny) % 1 - 0.5) > 0.5 - gap * ny / 4)
    v[joint] = np.asarray(_shade(colour, rng.uniform(0.35, 1.3)))
    return _bytes(v.astype(np.float32))


def bricks(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Courses of brick or ashlar."""
    colour = colour or hsv(rng.uniform(0.0, 0.1), rng.uniform(0.15, 0.65), rng.uniform(0.3, 0.8))
    courses = int(rng.choice([6, 8, 10, 12, 14]))
    across = max(courses // int(rng.choice([2, 3])), 2)
    x, y = _grid()
    row = (y * courses).astype(int)
    xs = (x * across + 0.5 * (row % 2)) % across
    each = 1 + rng.uniform(0.05, 0.2) * rng.normal(size=(courses, across))
    v = np.clip(each[row, xs.astype(int)], 0.4, 1.5)[..., None] * np.asarray(colour)
    v = v * (1 + rng.uniform(0.03, 0.1) * noise(rng, 0.7)[..., None])
    joint = (np.abs(xs % 1 - 0.5) > 0.46) | (np.abs((y * courses) % 1 - 0.5) > 0.42)
    v[joint] = np.asarray(hsv(0.1, 0.1, rng.uniform(0.35, 0.85)))
    return _bytes(v.astype(np.float32))


def fabric(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Weave, stripes, checks or plain cloth."""
    colour = colour or any_colour(rng)
    x, y = _grid()
    v = np.ones((SIDE, SIDE, 3), np.float32) * np.asarray(colour, np.float32)
    other = np.asarray(any_colour(rng) if rng.random() < 0.5 else _shade(colour, rng.uniform(0.4, 1.6)), np.float32)
    style = rng.random()
    n = int(rng.integers(3, 24))
    if style < 0.2:
        v = np.where((((x if rng.random() < 0.5 else y) * n) % 1 < rng.uniform(0.15, 0.6))[..., None], other, v)
    elif style < 0.35:
        v = (v * (1 + ((x * n) % 1 < 0.4)[..., None]) + other * ((y * n) % 1 < 0.4)[..., None]) / 2.2
    elif style < 0.5:
        spots = noise(rng, 1.2) > rng.uniform(0.3, 1.4)
        v = np.where(spots[..., None], other, v)
    weave = 0.06 * np.sin(2 * np.pi * 64 * x) * np.sin(2 * np.pi * 64 * y)
    return _bytes(v * (1 + weave + rng.uniform(0.02, 0.1) * noise(rng, 0.9))[..., None].astype(np.float32))


def carpet(rng: Rng, colour: Colour | None = None) -> Bytes:
    """A pile, or the ornaments of a rug."""
    colour = colour or hsv(rng.random(), rng.uniform(0.05, 0.6), rng.uniform(0.2, 0.75))
    v = np.ones((SIDE, SIDE, 3), np.float32) * np.asarray(colour, np.float32)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(2, 5))):
            quarter = noise(rng, 1.6, side=SIDE // 2)
            figure = np.block([[quarter, quarter[:, ::-1]], [quarter[::-1], quarter[::-1, ::-1]]])
            v = np.where((figure > rng.uniform(0.4, 1.2))[..., None], np.asarray(any_colour(rng), np.float32), v)
    return _bytes(v * (1 + rng.uniform(0.05, 0.2) * noise(rng, 0.2)[..., None]))


def grass(rng: Rng, colour: Colour | None = None) -> Bytes:
    """A lawn, a meadow, moss."""
    colour = colour or green(rng)
    v = 0.5 + 0.2 * noise(rng, 1.4) + rng.uniform(0.15, 0.3) * noise(rng, 0.2)
    made = _tinted(v, _shade(colour, 0.5), _shade(colour, 1.5))
    if rng.random() < 0.4:  # bare or dry patches
        dry = np.asarray(hsv(rng.uniform(0.07, 0.14), rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.65)), np.float32)
        t = np.clip(0.5 * noise(rng, 1.8) - rng.uniform(-0.2, 0.6), 0, 1)[..., None]
        made = made * (1 - t) + dry * t
    return _bytes(made)


def gravel(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Pebbles, asphalt, sand."""
    colour = colour or hsv(rng.uniform(0.05, 0.14), rng.uniform(0, 0.3), rng.uniform(0.2, 0.75))
    v = 0.5 + rng.uniform(0.1, 0.3) * noise(rng, rng.uniform(0, 0.6)) + rng.uniform(0.05, 0.12) * noise(rng, 1.6)
    return _bytes(_tinted(v, _shade(colour, 0.55), _shade(colour, 1.25)))


def rock(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Cliffs and boulders: strata and cracks."""
    colour = colour or hsv(rng.uniform(0.03, 0.14), rng.uniform(0.03, 0.35), rng.uniform(0.25, 0.7))
    v = 0.5 + 0.2 * noise(rng, 1.3, stretch=rng.uniform(1, 5)) - 0.35 * np.clip(1 - np.abs(noise(rng, 1.3)) * 6, 0, 1)
    return _bytes(_tinted(v + 0.06 * noise(rng, 0.3), _shade(colour, 0.35), _shade(colour, 1.25)))


def foliage(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Leaves seen from afar: clumps of light and dark."""
    colour = colour or green(rng)
    v = 0.45 + 0.28 * noise(rng, 0.9) + 0.18 * noise(rng, 0.1)
    return _bytes(_tinted(v, _shade(colour, 0.25), _shade(colour, 1.6)))


def metal(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Brushed or worn sheet metal."""
    colour = colour or hsv(rng.uniform(0, 1), rng.uniform(0, 0.15), rng.uniform(0.3, 0.85))
    v = 1 + 0.06 * noise(rng, 0.5, stretch=rng.choice([1.0, 20.0])) + 0.05 * noise(rng, 1.6)
    return _bytes(np.asarray(colour, np.float32) * v[..., None])


def marble(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Veins."""
    colour = colour or hsv(rng.random(), rng.uniform(0, 0.2), rng.uniform(0.5, 0.95))
    v = 1 - 0.6 * np.clip(1 - np.abs(noise(rng, 1.7)) * rng.uniform(2, 8), 0, 1) + 0.05 * noise(rng, 1)
    return _bytes(np.asarray(colour, np.float32) * np.clip(v, 0, 1.2)[..., None])


def shingles(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Roof tiles in courses."""
    colour = colour or hsv(rng.choice([rng.uniform(0, 0.06), rng.uniform(0.5, 0.65)]), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.6))
    x, y = _grid()
    n = int(rng.choice([8, 10, 14]))
    row = (y * n).astype(int)
    xs = (x * n * 0.7 + 0.5 * (row % 2)) % (n * 0.7)
    each = 1 + 0.12 * rng.normal(size=(n, n + 1))
    v = each[row, xs.astype(int)] * (0.6 + 0.5 * ((y * n) % 1)) * np.where(xs % 1 < 0.06, 0.6, 1)
    return _bytes(np.asarray(colour, np.float32) * v[..., None].astype(np.float32))


def writing(rng: Rng, colour: Colour | None = None) -> Bytes:
    """A printed page, a label, a sign: lines of glyphs, headings and boxes on a ground."""
    paper = np.asarray(
        colour or (hsv(0.12, rng.uniform(0, 0.2), rng.uniform(0.8, 1)) if rng.random() < 0.6 else any_colour(rng)), np.float32
    )
    v = np.ones((SIDE, SIDE, 3), np.float32) * paper
    for _ in range(int(rng.integers(0, 4))):
        a, b = rng.integers(0, SIDE, 2), rng.integers(0, SIDE, 2)
        cv2.rectangle(v, tuple(int(c) for c in a), tuple(int(c) for c in b), tuple(float(c) for c in any_colour(rng)), -1)
    ink = tuple(float(c) for c in (_shade(tuple(paper), 0.15) if paper.mean() > 0.4 else hsv(0.1, 0.1, 0.95)))
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&%!?"
    y = int(rng.integers(10, 40))
    while y < SIDE - 6:
        size = float(rng.choice([0.3, 0.35, 0.5, 0.9, 1.6], p=[0.4, 0.3, 0.15, 0.1, 0.05]))
        words = " ".join("".join(rng.choice(list(letters), int(rng.integers(2, 9)))) for _ in range(int(rng.integers(1, 6))))
        cv2.putText(v, words, (int(rng.integers(4, 24)), y), int(rng.integers(0, 5)), size, ink, 1 if size < 0.8 else 2, cv2.LINE_AA)
        y += int(26 * size + rng.integers(4, 12))
    return _bytes(v)


def picture(rng: Rng, colour: Colour | None = None) -> Bytes:
    """What hangs framed on walls or shows on screens: a landscape, an abstract, a portrait of blobs. Flat, however deep it looks."""
    v = np.ones((SIDE, SIDE, 3), np.float32) * np.asarray(colour or any_colour(rng), np.float32)
    style = rng.random()
    if style < 0.4:  # sky, hills behind hills, a foreground
        x, y = _grid()
        v = _tinted(y * rng.uniform(0.8, 2), hsv(rng.uniform(0.5, 0.65), 0.5, 0.8), hsv(rng.uniform(0.05, 0.6), 0.2, 0.95))
        for k in range(int(rng.integers(2, 6))):
            line = np.cumsum(rng.normal(0, 1, SIDE))
            line = cv2.GaussianBlur(line[None].astype(np.float32), (0, 0), 4)[0]
            line = (line - line.mean()) / (np.ptp(line) + 1e-6) * 0.25 + 0.35 + 0.12 * k
            ground = np.asarray(hsv(rng.uniform(0.05, 0.6), rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.7)), np.float32)
            v = np.where((y > line[None])[..., None], ground * (1 + 0.15 * noise(rng, 1))[..., None], v)
    else:
        for _ in range(int(rng.integers(4, 40))):
            c = tuple(int(n) for n in rng.integers(0, SIDE, 2))
            r = tuple(int(n) for n in SIDE * rng.uniform(0.02, 0.35, 2))
            paint = tuple(float(n) for n in any_colour(rng))
            if rng.random() < 0.5:
                cv2.ellipse(v, c, r, float(rng.uniform(0, 180)), 0, 360, paint, -1, cv2.LINE_AA)
            else:
                cv2.rectangle(v, c, (c[0] + r[0], c[1] + r[1]), paint, -1)
        v = cv2.GaussianBlur(v, (0, 0), float(rng.uniform(0.5, 4)))
        v = v * (1 + 0.08 * noise(rng, 1)[..., None])
    return _bytes(v.astype(np.float32))


def fur(rng: Rng, colour: Colour | None = None) -> Bytes:
    """Hair along x: plain, banded across as a tabby's, or in patches; paler and darker strands."""
    colour = colour or hsv(rng.uniform(0.04, 0.11), rng.uniform(0.05, 0.6), rng.uniform(0.12, 0.9))
    _, y = _grid()
    strands = noise(rng, 0.6, stretch=9)
    v = np.full((SIDE, SIDE), 0.62, np.float32)
    kind = rng.random()
    if kind < 0.4:
        waves = np.sin(2 * np.pi * rng.integers(3, 9) * y + rng.uniform(0.5, 1.6) * noise(rng, 1.9) + 0.25 * strands)
        v -= rng.uniform(0.15, 0.5) * np.clip(waves * 2, 0, 1)
    elif kind < 0.65:
        v -= rng.uniform(0.3, 0.6) * np.clip(3 * (noise(rng, 1.9) - rng.uniform(-0.3, 0.8)) + 0.3 * strands, 0, 1)
    v = v + rng.uniform(0.06, 0.14) * strands + 0.08 * noise(rng, 1.2)
    return _bytes(_tinted(v, _shade(colour, rng.uniform(0.15, 0.5)), _shade(colour, rng.uniform(1.05, 1.4))))


class Kind(NamedTuple):
    """A sort of surface: who draws it, how many metres one picture covers (from, to), its roughness (from, to), metallic share."""

    draw: Callable[..., Bytes]
    metres: tuple[float, float]
    rough: tuple[float, float]
    metallic: float = 0.0


KINDS: dict[str, Kind] = {
    "plain": Kind(plain, (0.3, 2.0), (0.15, 0.9)),
    "paint": Kind(plain, (0.5, 3.0), (0.4, 0.95)),
    "plaster": Kind(mottled, (0.8, 3.0), (0.7, 1.0)),
    "concrete": Kind(mottled, (1.0, 4.0), (0.7, 1.0)),
    "earth": Kind(mottled, (1.0, 6.0), (0.9, 1.0)),
    "wood": Kind(wood, (0.3, 1.2), (0.25, 0.8)),
    "planks": Kind(planks, (0.6, 1.4), (0.15, 0.8)),
    "tiles": Kind(tiles, (0.6, 2.4), (0.08, 0.6)),
    "bricks": Kind(bricks, (0.7, 1.5), (0.8, 1.0)),
    "fabric": Kind(fabric, (0.15, 0.8), (0.8, 1.0)),
    "carpet": Kind(carpet, (0.5, 2.5), (0.9, 1.0)),
    "grass": Kind(grass, (1.0, 6.0), (0.9, 1.0)),
    "gravel": Kind(gravel, (0.5, 3.0), (0.8, 1.0)),
    "asphalt": Kind(gravel, (0.6, 4.0), (0.6, 1.0)),
    "rock": Kind(rock, (1.0, 12.0), (0.8, 1.0)),
    "foliage": Kind(foliage, (0.3, 2.0), (0.6, 1.0)),
    "metal": Kind(metal, (0.3, 2.0), (0.15, 0.6), 0.8),
    "marble": Kind(marble, (0.5, 2.0), (0.1, 0.5)),
    "shingles": Kind(shingles, (1.5, 3.0), (0.7, 1.0)),
    "writing": Kind(writing, (0.15, 0.5), (0.4, 0.9)),
    "fur": Kind(fur, (0.1, 0.4), (0.8, 1.0)),
    "picture": Kind(picture, (0.3, 1.5), (0.2, 0.8)),
}
