"""Furniture and parts of rooms, of true sizes and endless variety.

A `Thing` stands on z = 0 about the origin, its back towards +y (a wall), its front towards -y (who looks at it). Lengths in metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import bpy
import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Mesh, ball, cards, joined, lathe, sheet, tube

from .kit import Kit
from .textures import Colour, Rng, any_colour, hsv, noise, wood_colour

Material: TypeAlias = "bpy.types.Material"
Span = tuple[float, float]


class Top(NamedTuple):
    """A level place of a thing that others can stand on: x and y from, to; its height; how high the space above it is."""

    x: Span
    y: Span
    z: float
    clear: float = 0.6


@dataclass
class Thing:
    """parts: mesh, surface, smooth or not. size: width, depth, height of its box about the origin. tops: what can be put on it."""

    name: str
    parts: list[tuple[Mesh, Material, bool]]
    size: tuple[float, float, float]
    tops: list[Top] = field(default_factory=list)


def put(kit: Kit, thing: Thing, at: Sequence[float], turn: float = 0.0, tilt: Sequence[float] = (0.0, 0.0)) -> bpy.types.Object:
    """A thing into the scene as one object."""
    made = kit.add([(m, s) for m, s, _ in thing.parts], at, turn, tilt=tilt)
    made.data.polygons.foreach_set("use_smooth", np.repeat([s for *_, s in thing.parts], [len(m[1]) for m, *_ in thing.parts]))
    return made


# Surfaces of one household


def muted(rng: Rng) -> Colour:
    """As large cloths and furniture are coloured."""
    if rng.random() < 0.35:
        grey = rng.choice([rng.uniform(0.06, 0.25), rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.93)])
        return hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.1), float(grey))
    if rng.random() < 0.75:
        return hsv(rng.uniform(0, 1), rng.uniform(0.08, 0.4), rng.uniform(0.2, 0.75))
    return hsv(rng.choice([rng.uniform(0, 0.1), rng.uniform(0.55, 0.68)]), rng.uniform(0.3, 0.75), rng.uniform(0.2, 0.7))


class Palette:
    """The surfaces that a scene's things share: a few of every sort, drawn when first asked for."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.rng = kit.rng
        self._pools: dict[str, list[Material]] = {}
        self._wood = wood_colour(kit.rng)
        self.bright = float(kit.rng.random())  # a household of white boards or of dark wood

    def _of(self, name: str, most: int) -> Material | None:
        pool = self._pools.setdefault(name, [])
        return pool[int(self.rng.integers(most))] if len(pool) >= most else None

    def _kept(self, name: str, made: Material) -> Material:
        self._pools[name].append(made)
        return made

    def wood(self, turned: bool = False) -> Material:
        rng = self.rng
        name = "wood upright" if turned else "wood"
        shade = tuple(float(np.clip(c * rng.uniform(0.75, 1.25), 0, 1)) for c in self._wood)
        colour: Any = shade if rng.random() < 0.6 else None
        return self._of(name, 2) or self._kept(
            name, self.kit.surface("wood", colour, metres=rng.uniform(0.15, 0.7), turned=turned, bump=False)
        )

    def board(self, turned: bool = False) -> Material:
        """Of what cabinets, shelves and tables are made."""
        if self.rng.random() < 0.25 + 0.5 * self.bright:
            return self.lacquer()
        return self.wood(turned)

    def lacquer(self) -> Material:
        rng = self.rng
        grey = float(rng.choice([rng.uniform(0.8, 0.95), rng.uniform(0.5, 0.8), rng.uniform(0.04, 0.2)], p=[0.65, 0.2, 0.15]))
        colour = hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.12), grey) if rng.random() < 0.8 else muted(rng)
        return self._of("lacquer", 2) or self._kept("lacquer", self.kit.surface("plain", colour, rough=rng.uniform(0.15, 0.7), bump=False))

    def cloth(self) -> Material:
        rng = self.rng
        made = self._of("cloth", 5)
        if made:
            return made
        if rng.random() < 0.15:
            return self._kept("cloth", self.kit.surface("plain", muted(rng), rough=rng.uniform(0.3, 0.5), metres=0.6))  # leather
        return self._kept("cloth", self.kit.surface("fabric", muted(rng) if rng.random() < 0.7 else None))

    def linen(self) -> Material:
        rng = self.rng
        colour = hsv(rng.random(), rng.uniform(0, 0.15), rng.uniform(0.75, 0.95)) if rng.random() < 0.5 else muted(rng)
        return self._of("linen", 3) or self._kept("linen", self.kit.surface("fabric", colour, metres=rng.uniform(0.25, 0.9)))

    def metal(self) -> Material:
        rng = self.rng
        grey = rng.uniform(0.35, 0.8)
        return self._of("metal", 2) or self._kept(
            "metal", self.kit.painted((grey, grey, grey), rough=rng.uniform(0.15, 0.45), metallic=1.0 if rng.random() < 0.7 else 0.0)
        )

    def dark(self) -> Material:
        """Black and dark grey plastic."""
        rng = self.rng
        grey = rng.uniform(0.03, 0.16)
        return self._of("dark", 3) or self._kept("dark", self.kit.painted((grey, grey, grey * 1.05), rough=rng.uniform(0.2, 0.6)))

    def white(self) -> Material:
        rng = self.rng
        grey = rng.uniform(0.82, 0.95)
        return self._of("white", 3) or self._kept(
            "white", self.kit.painted((grey, grey, grey * rng.uniform(0.92, 1)), rough=rng.uniform(0.15, 0.7))
        )

    def plastic(self) -> Material:
        rng = self.rng
        return self._of("plastic", 9) or self._kept("plastic", self.kit.painted(any_colour(rng), rough=rng.uniform(0.2, 0.8)))

    def paper(self) -> Material:
        return self._of("paper", 4) or self._kept("paper", self.kit.surface("writing", bump=False))

    def art(self) -> Material:
        return self._of("art", 5) or self._kept("art", self.kit.surface("picture", bump=False))

    def screen(self, on: bool) -> Material:
        if on:
            kind = "writing" if self.rng.random() < 0.5 else "picture"
            return self._of("on", 2) or self._kept("on", self.kit.surface(kind, glow=self.rng.uniform(0.4, 1.6), bump=False))
        return self._of("off", 1) or self._kept("off", self.kit.painted((0.02, 0.02, 0.025), rough=0.12))

    def carton(self) -> Material:
        rng = self.rng
        return self._of("carton", 2) or self._kept(
            "carton", self.kit.surface("plain", hsv(rng.uniform(0.07, 0.1), rng.uniform(0.3, 0.5), rng.uniform(0.45, 0.75)), rough=0.9)
        )

    def leaf(self) -> Material:
        rng = self.rng
        return self._of("leaf", 2) or self._kept(
            "leaf", self.kit.surface("foliage", hsv(rng.uniform(0.2, 0.38), rng.uniform(0.3, 0.75), rng.uniform(0.2, 0.55)), metres=0.5)
        )

    def clay(self) -> Material:
        rng = self.rng
        if rng.random() < 0.5:
            return self.plastic()
        return self._of("clay", 2) or self._kept(
            "clay", self.kit.surface("plaster", hsv(0.05, rng.uniform(0.1, 0.6), rng.uniform(0.3, 0.8)), metres=0.5)
        )

    def glow(self, colour: Colour, strength: float) -> Material:
        made = self.kit.painted(tuple(round(c, 2) for c in colour), glow=round(strength, 1))  # type: ignore[arg-type]
        made.cycles.emission_sampling = "NONE"
        return made


# Meshes

_SIGN = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_CUBE = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])


def boxes(low: Any, high: Any) -> Mesh:
    """N boxes from their corners, N×3 each (or one)."""
    lo, hi = np.atleast_2d(np.asarray(low, float)), np.atleast_2d(np.asarray(high, float))
    v = (lo + hi)[:, None] / 2 + _SIGN[None] * (hi - lo)[:, None] / 2
    return v.reshape(-1, 3), (np.arange(len(lo))[:, None, None] * 8 + _CUBE).reshape(-1, 4)


def _bevelled() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    from .kit import rounded

    v, f = rounded((2, 2, 2), 0.5)
    return np.sign(v), np.isclose(np.abs(v), 0.5).astype(float), f


_B: list[Any] = []


def block(low: Sequence[float], high: Sequence[float], edge: float = 0.004) -> Mesh:
    """A box with its edges cut off."""
    if not _B:
        _B.extend(_bevelled())
    sign, inner, faces = _B
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    half = (hi - lo) / 2
    return (lo + hi) / 2 + sign * (half - np.minimum(edge, half * 0.9) * inner), faces


def moved(mesh: Mesh, by: Any = (0, 0, 0), turn: float = 0.0, tip: float = 0.0) -> Mesh:
    """tip: degrees about x, first; turn: degrees about z."""
    v = mesh[0]
    if tip:
        c, s = math.cos(math.radians(tip)), math.sin(math.radians(tip))
        v = v @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    if turn:
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        v = v @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return v + np.asarray(by), mesh[1]


def turned(profile: Sequence[tuple[float, float]], centre: Sequence[float] = (0, 0, 0), segments: int = 20) -> Mesh:
    """A lathe whose sharp corners stay sharp when smoothed."""
    p = np.asarray(profile, float)
    keep = [p[0]]
    for a, b, c in zip(p, p[1:], p[2:]):
        u, v = b - a, c - b
        sharp = u @ v < 0.75 * np.linalg.norm(u) * np.linalg.norm(v)
        keep += [b, b] if sharp else [b]
    keep.append(p[-1])
    return lathe([(float(r), float(z)) for r, z in keep], centre, segments)


def rod(a: Any, b: Any, radius: float, end: float | None = None, segments: int = 8) -> Mesh:
    """A straight bar, closed, from a to b; `end`: its radius there."""
    p, q = np.asarray(a, float), np.asarray(b, float)
    d = (q - p) * 1e-4
    r1 = radius if end is None else end
    return tube(np.array([p - d, p, q, q + d]), np.array([1e-4, radius, r1, 1e-4]), segments)


def pillow(size: Sequence[float], centre: Sequence[float] = (0, 0, 0), boxy: float = 0.35, segments: int = 16) -> Mesh:
    """A stuffed body; boxy: 1 an ellipsoid, towards 0 a box with round edges."""
    v, f = ball((0, 0, 0), (1, 1, 1), segments)
    flat = np.linalg.norm(v[:, :2], axis=1)
    angle = np.arctan2(v[:, 1], v[:, 0])
    e = boxy
    around = np.stack([np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** e, np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** e], 1)
    out = np.column_stack([around * (flat[:, None] ** e), np.sign(v[:, 2]) * np.abs(v[:, 2]) ** min(1.0, e * 1.6)])
    return out * np.asarray(size, float) / 2 + np.asarray(centre), f


def cushion(rng: Rng, width: float, thick: float) -> Mesh:
    """A scatter cushion lying flat on z = 0: pointed corners, thick middle."""
    n = 12
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    swell = np.sqrt(np.clip((1 - u**2) * (1 - v**2), 0, 1)) ** 0.8 * thick / 2
    pinch = 1 - 0.08 * (1 - np.abs(u * v))
    x, y = u * pinch * width / 2, v * pinch * width / 2
    bump = 0.06 * thick * _patch(rng, n, n)
    up = sheet(np.dstack([x, y, thick / 2 + swell + bump]))
    down = sheet(np.dstack([x, y, thick / 2 - swell])[:, ::-1])
    return joined([up, down])


def _patch(rng: Rng, rows: int, columns: int, power: float = 1.6, side: int = 64) -> NDArray[np.float32]:
    """Smooth noise, rows × columns, about unit deviation."""
    return noise(rng, power, side=max(side, rows, columns))[:rows, :columns]


def drape(rng: Rng, width: float, length: float, top: float, hang: float, folds: float = 0.03, foot: float = 0.0) -> Mesh:
    """A cloth over a body `width` across x, from y = 0 to `length` along y, whose top is at z `top`: hangs down `hang` at both sides and `foot`
    at y = 0. One that reaches no edge takes hang 0."""
    n, m = 34, 40
    side = width / 2
    s = np.linspace(-side - hang, side + hang, n) if hang else np.linspace(-side, side, n)
    t = np.linspace(-foot, length, m)
    u, v = np.meshgrid(s, t)
    wild = folds * _patch(rng, m, n, rng.uniform(1.3, 2.0)) + 0.4 * folds * _patch(rng, m, n, 1.0)
    over_x, over_y = np.clip(np.abs(u) - side, 0, None), np.clip(-v, 0, None)
    ripple = 0.02 * np.sin(v * rng.uniform(8, 16) + rng.uniform(0, 6)) * np.clip(over_x * 6, 0, 1)
    x = np.sign(u) * (np.minimum(np.abs(u), side) + np.clip(over_x * 2, 0, 0.025) + np.abs(ripple))
    y = np.maximum(v, 0) - np.clip(over_y * 2, 0, 0.025) - 0.02 * np.abs(np.sin(u * 11)) * np.clip(over_y * 6, 0, 1)
    z = top + 0.012 + np.maximum(wild + folds * 0.8, 0) * np.exp(-4 * (over_x + over_y)) - np.maximum(over_x, over_y)
    return sheet(np.dstack([x, y, np.maximum(z, 0.01)]))


def heap(rng: Rng, width: float, depth: float, height: float) -> Mesh:
    """Something soft thrown down."""
    n = 28
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    r = np.hypot(u, v) + 0.15 * _patch(rng, n, n)
    z = height * np.clip(1 - r**2, 0, 1) ** 0.6 * (1 + 0.35 * _patch(rng, n, n, 1.3))
    return sheet(np.dstack([u * width / 2, v * depth / 2, np.clip(z, 0, None) + 0.002]))


class Make:
    """A thing in the making."""

    def __init__(self) -> None:
        self.parts: list[tuple[Mesh, Material, bool]] = []
        self._boxes: dict[Material, list[Mesh]] = {}
        self._count = 0

    def box(self, x: Span, y: Span, z: Span, surface: Material, edge: float = 0.0) -> None:
        self._count += 1
        e = 0.00012 * (self._count % 7)  # faces that would fall together are black where they do
        lo, hi = (x[0] + e, y[0] + e, z[0] + e), (x[1] - e, y[1] - e, z[1] - e)
        self._boxes.setdefault(surface, []).append(block(lo, hi, edge) if edge else boxes(lo, hi))

    def flat(self, mesh: Mesh, surface: Material) -> None:
        self._boxes.setdefault(surface, []).append(mesh)

    def soft(self, mesh: Mesh, surface: Material) -> None:
        self.parts.append((mesh, surface, True))

    def take(self, other: Thing, at: Sequence[float] = (0, 0, 0), turn: float = 0.0, tip: float = 0.0) -> None:
        self.parts += [(moved(m, at, turn, tip), s, f) for m, s, f in other.parts]

    def thing(self, name: str, size: tuple[float, float, float], tops: Sequence[Top] = ()) -> Thing:
        return Thing(name, [(joined(m), s, False) for s, m in self._boxes.items()] + self.parts, size, list(tops))


def _legs(m: Make, rng: Rng, w: float, d: float, top: float, surface: Material, inset: float = 0.03) -> None:
    """Four legs below a board."""
    kind, t = rng.random(), rng.uniform(0.025, 0.07)
    splay = rng.uniform(0, 0.08) if rng.random() < 0.4 else 0.0
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (w / 2 - inset - t / 2), sy * (d / 2 - inset - t / 2)
            if kind < 0.5 and not splay:
                m.box((x - t / 2, x + t / 2), (y - t / 2, y + t / 2), (0, top), surface)
            else:
                m.soft(rod((x, y, top), (x + sx * splay, y + sy * splay, 0), t / 2, t * 0.32, 10), surface)
    if rng.random() < 0.4:
        h = rng.uniform(0.04, 0.1)
        for sy in (-1, 1):
            m.box(
                (-w / 2 + inset + t, w / 2 - inset - t),
                (sy * (d / 2 - inset - t / 2) - 0.01, sy * (d / 2 - inset - t / 2) + 0.01),
                (top - h, top),
                surface,
            )
        for sx in (-1, 1):
            m.box(
                (sx * (w / 2 - inset - t / 2) - 0.01, sx * (w / 2 - inset - t / 2) + 0.01),
                (-d / 2 + inset + t, d / 2 - inset - t),
                (top - h, top),
                surface,
            )


# Tables and seats


def table(p: Palette, w: float | None = None, d: float | None = None, h: float | None = None) -> Thing:
    rng = p.rng
    w, d, h = w or rng.uniform(0.8, 2.0), d or rng.uniform(0.65, 0.95), h or rng.uniform(0.71, 0.77)
    m, thick = Make(), rng.uniform(0.018, 0.05)
    board = p.board()
    frame = board if rng.random() < 0.5 else (p.metal() if rng.random() < 0.5 else p.board())
    if rng.random() < 0.25:
        r = min(w, d) / 2
        w = d = 2 * r
        m.soft(turned([(0, h - thick), (r, h - thick), (r, h), (0, h)], segments=36), board)
        if rng.random() < 0.6:
            foot = rng.uniform(0.2, 0.35) * min(1, r * 2)
            m.soft(turned([(0, 0), (foot, 0), (foot, 0.02), (0.04, 0.05), (0.035, h - thick)], segments=20), frame)
        else:
            _legs(m, rng, w * 0.75, d * 0.75, h - thick, frame)
        return m.thing("table", (w, d, h), [Top((-r * 0.7, r * 0.7), (-r * 0.7, r * 0.7), h)])
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (h - thick, h), board, min(thick / 3, 0.006))
    if rng.random() < 0.15:
        for s in (-1, 1):
            m.box((s * (w / 2 - 0.02) - 0.015, s * (w / 2 - 0.02) + 0.015), (-d / 2 + 0.02, d / 2 - 0.02), (0, h - thick), frame)
    else:
        _legs(m, rng, w, d, h - thick, frame, rng.uniform(0.0, 0.08))
    if rng.random() < 0.18:
        m.soft(drape(rng, w + 0.01, d, h, rng.uniform(0.1, 0.3), 0.003)[:2], p.linen())
        m.parts[-1] = (moved(m.parts[-1][0], (0, -d / 2, -0.008)), m.parts[-1][1], True)
    return m.thing("table", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h)])


def coffee_table(p: Palette) -> Thing:
    rng = p.rng
    made = table(p, rng.uniform(0.6, 1.2), rng.uniform(0.45, 0.7), rng.uniform(0.35, 0.5))
    w, d, _ = made.size
    if rng.random() < 0.4:
        m = Make()
        m.box((-w / 2 + 0.08, w / 2 - 0.08), (-d / 2 + 0.08, d / 2 - 0.08), (0.12, 0.135), p.board())
        made.parts += m.thing("", made.size).parts
        made.tops.append(Top((-w / 2 + 0.1, w / 2 - 0.1), (-d / 2 + 0.1, d / 2 - 0.1), 0.135, 0.15))
    return made


def desk(p: Palette, w: float | None = None) -> Thing:
    rng = p.rng
    w, d, h = w or rng.uniform(1.0, 1.8), rng.uniform(0.6, 0.8), rng.uniform(0.71, 0.76)
    made = table(p, w, d, h) if rng.random() < 0.5 else None
    m, board = Make(), p.board()
    if made is None:
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (h - 0.025, h), board, 0.003)
        m.box((-w / 2, -w / 2 + 0.02), (-d / 2 + 0.03, d / 2), (0, h - 0.025), board)
        m.box((w / 2 - 0.02, w / 2), (-d / 2 + 0.03, d / 2), (0, h - 0.025), board)
        m.box((-w / 2 + 0.02, w / 2 - 0.02), (d / 2 - 0.1, d / 2 - 0.085), (h * 0.45, h - 0.025), board)
    else:
        w, d, h = made.size
        m.take(made)
    if rng.random() < 0.6 and w > 1.0:
        side = float(rng.choice([-1, 1]))
        _fronts(
            m,
            p,
            (side * (w / 2 - 0.23) - 0.2, side * (w / 2 - 0.23) + 0.2),
            (-d / 2 + 0.06, d / 2 - 0.06),
            (0.02, h - 0.05),
            board,
            drawers=True,
        )
    return m.thing("desk", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h)])


def chair(p: Palette) -> Thing:
    """With four legs and a back."""
    rng = p.rng
    w, d, seat, h = rng.uniform(0.38, 0.5), rng.uniform(0.4, 0.5), rng.uniform(0.43, 0.48), rng.uniform(0.76, 1.05)
    m, thin = Make(), rng.uniform(0.018, 0.032)
    frame = p.metal() if rng.random() < 0.3 else p.wood(turned=True) if rng.random() < 0.7 else p.lacquer()
    cover = p.cloth() if rng.random() < 0.5 else frame if rng.random() < 0.5 else p.plastic()
    lean = rng.uniform(0.02, 0.1)
    for s in (-1, 1):
        x = s * (w / 2 - thin)
        m.flat(rod((x, -d / 2 + thin, seat), (x + s * 0.01, -d / 2 + 0.005, 0), thin, thin * 0.8, 6), frame)
        m.flat(rod((x, d / 2 - thin, seat), (x + s * 0.01, d / 2 + 0.02, 0), thin, thin * 0.8, 6), frame)
        m.flat(rod((x, d / 2 - thin, seat - 0.02), (x, d / 2 - thin + lean, h), thin, thin * 0.8, 6), frame)
    if rng.random() < 0.5:
        m.soft(pillow((w, d, 0.07), (0, 0, seat), 0.3, 14), cover)
    else:
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (seat - 0.02, seat + 0.01), cover, 0.008)
    kind = rng.random()

    def back(z: float) -> float:
        return d / 2 - thin + lean * (z - seat) / (h - seat)

    if kind < 0.35:
        for x in np.linspace(-w / 2 + 2 * thin, w / 2 - 2 * thin, int(rng.integers(4, 8)))[1:-1]:
            m.flat(rod((x, back(seat), seat), (x, back(h - 0.03), h - 0.03), 0.009, None, 6), frame)
        m.flat(moved(block((-w / 2, -0.012, -0.035), (w / 2, 0.012, 0.035)), (0, back(h - 0.03), h - 0.03)), frame)
    elif kind < 0.65:
        for z in np.linspace(seat + 0.12, h - 0.04, int(rng.integers(2, 5))):
            m.flat(block((-w / 2 + thin, back(z) - 0.009, z - 0.03), (w / 2 - thin, back(z) + 0.009, z + 0.03)), frame)
    else:
        low = seat + rng.uniform(0.03, 0.2)
        tall = h - low
        m.soft(
            moved(
                pillow((w - 0.01, rng.uniform(0.03, 0.07), tall), (0, 0, 0), 0.25, 12),
                (0, back((low + h) / 2), (low + h) / 2),
                0,
                -math.degrees(lean / (h - seat)),
            ),
            cover,
        )
    return m.thing("chair", (w + 0.02, d + lean, h), [Top((-w / 2 + 0.08, w / 2 - 0.08), (-d / 2 + 0.05, d / 2 - 0.1), seat + 0.02, 0.3)])


def office_chair(p: Palette) -> Thing:
    rng = p.rng
    seat, h = rng.uniform(0.44, 0.54), rng.uniform(0.9, 1.25)
    w = rng.uniform(0.44, 0.52)
    m = Make()
    base = p.dark() if rng.random() < 0.7 else p.metal()
    cover = p.cloth() if rng.random() < 0.6 else p.dark()
    first = rng.uniform(0, 72)
    for k in range(5):
        a = math.radians(first + 72 * k)
        x, y = 0.29 * math.cos(a), 0.29 * math.sin(a)
        m.soft(rod((0, 0, 0.12), (x, y, 0.075), 0.026, 0.018), base)
        m.soft(moved(turned([(0, -0.022), (0.027, -0.022), (0.027, 0.022), (0, 0.022)], segments=12), (0, 0, 0), 0, 90), base)
        m.parts[-1] = (moved(m.parts[-1][0], (x, y, 0.027), math.degrees(a) + rng.uniform(-60, 60)), base, True)
    m.soft(rod((0, 0, 0.08), (0, 0, seat - 0.05), 0.028, 0.02), base)
    m.soft(pillow((w, w, 0.09), (0, 0, seat), 0.4), cover)
    tall = h - seat - 0.12
    m.soft(moved(pillow((w * 0.92, 0.07, tall), (0, 0, 0), 0.35), (0, w / 2 + 0.02, seat + 0.12 + tall / 2), 0, -rng.uniform(2, 10)), cover)
    m.soft(rod((0, w * 0.2, seat - 0.03), (0, w / 2 + 0.05, seat + 0.25), 0.02), base)
    if rng.random() < 0.6:
        for s in (-1, 1):
            x = s * (w / 2 + 0.03)
            m.soft(rod((s * w * 0.3, 0, seat - 0.04), (x, 0.02, seat - 0.03), 0.016), base)
            m.soft(rod((x, 0.02, seat - 0.04), (x, 0.02, seat + 0.2), 0.016), base)
            m.soft(pillow((0.07, 0.26, 0.035), (x, 0, seat + 0.21), 0.4, 10), base)
    return m.thing("chair", (0.62, 0.62, h), [Top((-0.14, 0.14), (-0.14, 0.14), seat + 0.04, 0.4)])


def stool(p: Palette) -> Thing:
    rng = p.rng
    h, r = float(rng.choice([rng.uniform(0.4, 0.5), rng.uniform(0.6, 0.78)])), rng.uniform(0.15, 0.21)
    m, frame = Make(), p.wood(turned=True) if rng.random() < 0.5 else p.metal()
    m.soft(turned([(0, h - 0.03), (r, h - 0.03), (r, h - 0.005), (r - 0.01, h), (0, h)]), frame if rng.random() < 0.5 else p.cloth())
    n = int(rng.choice([3, 4]))
    for k in range(n):
        a = 2 * math.pi * (k + 0.5) / n
        m.soft(
            rod((0.7 * r * math.cos(a), 0.7 * r * math.sin(a), h - 0.03), (1.1 * r * math.cos(a), 1.1 * r * math.sin(a), 0), 0.016, 0.012),
            frame,
        )
    return m.thing("stool", (2.2 * r, 2.2 * r, h), [Top((-0.6 * r, 0.6 * r), (-0.6 * r, 0.6 * r), h)])


def sofa(p: Palette, seats: int | None = None) -> Thing:
    """A sofa, or with one seat an armchair, with loose cushions and perhaps a throw."""
    rng = p.rng
    seats = seats or int(rng.choice([2, 3, 3, 4]))
    each, arm = rng.uniform(0.56, 0.72), rng.uniform(0.08, 0.26)
    w, d = seats * each + 2 * arm, rng.uniform(0.78, 1.0)
    seat, h, side = rng.uniform(0.38, 0.46), rng.uniform(0.72, 0.95), rng.uniform(0.5, 0.68)
    back = rng.uniform(0.14, 0.24)
    m, cover, boxy = Make(), p.cloth(), rng.uniform(0.15, 0.4)
    foot = float(rng.choice([0.0, rng.uniform(0.05, 0.16)]))
    m.box((-w / 2 + 0.01, w / 2 - 0.01), (-d / 2 + 0.03, d / 2), (foot, seat - 0.12), cover, 0.02)
    if foot > 0.05:
        for sx in (-1, 1):
            for y in (-d / 2 + 0.1, d / 2 - 0.1):
                m.soft(rod((sx * (w / 2 - 0.1), y, foot), (sx * (w / 2 - 0.08), y, 0), 0.025, 0.016), p.wood())
    for s in (-1, 1):
        m.soft(pillow((arm, d, side - foot), (s * (w - arm) / 2, 0, (side + foot) / 2), boxy * 0.8), cover)
    m.soft(pillow((w - arm, back, h - foot), (0, d / 2 - back / 2, (h + foot) / 2), boxy * 0.7), cover)
    for k in range(seats):
        x = (k - (seats - 1) / 2) * each
        deep = d - back
        m.soft(pillow((each - 0.005, deep, 0.17), (x, -d / 2 + deep / 2 - 0.005, seat - 0.06), boxy), cover)
        tall = h - seat + rng.uniform(-0.02, 0.06)
        m.soft(
            moved(
                pillow((each - 0.01, 0.17, tall), (0, 0, 0), boxy * 1.2),
                (x, d / 2 - back - 0.05, seat + tall / 2),
                rng.normal(0, 2),
                -rng.uniform(4, 14),
            ),
            cover,
        )
    for _ in range(int(rng.integers(0, seats + 2))):
        size, x = rng.uniform(0.35, 0.5), rng.uniform(-1, 1) * (w / 2 - arm - 0.2)
        thick = rng.uniform(0.1, 0.16)
        m.soft(
            moved(cushion(rng, size, thick), (x, d / 2 - back - 0.14, seat + 0.02 + size * 0.46), rng.normal(0, 15), rng.uniform(60, 80)),
            p.cloth(),
        )
        m.parts[-1] = (_grounded(m.parts[-1][0], seat + 0.01), m.parts[-1][1], True)
    if rng.random() < 0.25:
        cloth = moved(
            drape(rng, rng.uniform(0.4, 0.8), d * 0.5, 0, 0, 0.02),
            (rng.uniform(-0.4, 0.4) * (w - 2 * arm - 0.8), -d / 2 + 0.05, seat + 0.01),
        )
        m.soft(cloth, p.cloth())
    reach = w / 2 - arm - 0.1
    return m.thing(
        "sofa" if seats > 1 else "armchair", (w, d, h), [Top((-reach, reach), (-d / 2 + 0.08, d / 2 - back - 0.3), seat + 0.025, 0.3)]
    )


def _grounded(mesh: Mesh, z: float) -> Mesh:
    return mesh[0] + np.array([0, 0, z - mesh[0][:, 2].min()]), mesh[1]


def bed(p: Palette) -> Thing:
    """Head at +y."""
    rng = p.rng
    w, length = float(rng.choice([0.9, 1.0, 1.2, 1.4, 1.6, 1.8])), rng.uniform(1.95, 2.1)
    base, thick = rng.uniform(0.18, 0.36), rng.uniform(0.14, 0.28)
    top, frame = base + thick, p.board()
    m = Make()
    head = top + rng.uniform(0.05, 0.6)
    y0, y1 = -length / 2, length / 2
    if rng.random() < 0.8:
        cover = p.cloth() if rng.random() < 0.3 else frame
        m.box((-w / 2 - 0.03, w / 2 + 0.03), (y1, y1 + rng.uniform(0.03, 0.1)), (0.0, head), cover, 0.01)
    if rng.random() < 0.3:
        m.box((-w / 2 - 0.03, w / 2 + 0.03), (y0 - 0.04, y0), (0.0, top + rng.uniform(-0.1, 0.3)), frame, 0.008)
    low = rng.uniform(0.0, base - 0.12)
    m.box((-w / 2 - 0.02, w / 2 + 0.02), (y0 - 0.01, y1), (low, base + 0.03), frame, 0.006)
    for sx in (-1, 1):
        for y in (y0 + 0.05, y1 - 0.05):
            m.box((sx * (w / 2 - 0.03) - 0.03, sx * (w / 2 - 0.03) + 0.03), (y - 0.03, y + 0.03), (0, low + 0.02), frame)
    m.soft(pillow((w, length, thick), (0, 0, base + thick / 2), 0.12, 20), p.linen())
    across = 1 if w < 1.3 else 2
    linen = p.linen()
    for k in range(across):
        for layer in range(int(rng.integers(1, 3))):
            x = (k - (across - 1) / 2) * w / 2 + rng.normal(0, 0.04)
            size = (min(w / across * 0.9, rng.uniform(0.5, 0.8)), rng.uniform(0.38, 0.55), rng.uniform(0.11, 0.18))
            body = pillow(size, (0, 0, 0), rng.uniform(0.4, 0.6))
            body = (body[0] + 0.012 * rng.normal(size=3) * np.sin(9 * body[0][:, [1, 2, 0]]), body[1])
            tip = rng.choice([0, -18, -60]) if layer else rng.choice([0, 0, -10])
            m.soft(
                _grounded(
                    moved(body, (x, y1 - 0.27 + 0.05 * layer, 0), rng.normal(0, 8), float(tip)), top - 0.02 + 0.1 * layer * (tip > -40)
                ),
                linen if rng.random() < 0.7 else p.cloth(),
            )
    if rng.random() < 0.9:
        cover, cloth = rng.uniform(0.55, 0.95) * (length - 0.45), p.linen() if rng.random() < 0.6 else p.cloth()
        wild = rng.uniform(0.008, 0.05)
        m.soft(
            moved(
                drape(rng, w + 0.02, cover, top, rng.uniform(0.05, min(0.4, top - 0.03)), wild, rng.uniform(0.02, 0.3)), (0, y0 - 0.01, 0)
            ),
            cloth,
        )
        if rng.random() < 0.5:  # turned back, or a plaid
            width = rng.uniform(0.25, 0.6)
            m.soft(
                moved(
                    drape(rng, w + 0.05, width, top + 0.02 + wild, rng.uniform(0.03, 0.3), wild),
                    (0, y0 + rng.uniform(0.1, 1) * (cover - width), 0),
                ),
                p.linen(),
            )
    if rng.random() < 0.4:
        m.soft(
            moved(
                heap(rng, rng.uniform(0.4, 1.0), rng.uniform(0.4, 0.9), rng.uniform(0.1, 0.3)),
                (rng.uniform(-0.2, 0.2) * w, rng.uniform(-0.6, 0.2), top),
            ),
            p.cloth(),
        )
    return m.thing(
        "bed", (w + 0.08, length + 0.16, max(top, head)), [Top((-w / 2 + 0.1, w / 2 - 0.1), (y0 + 0.1, y1 - 0.7), top + 0.045, 0.4)]
    )


# Cabinets


def _handle(m: Make, p: Palette, x: float, y: float, z: float, upright: bool, kind: int, surface: Material) -> None:
    if kind == 0:
        m.soft(turned([(0, 0), (0.008, 0), (0.008, 0.015), (0.015, 0.025), (0, 0.03)], segments=10), surface)
        m.parts[-1] = (moved(m.parts[-1][0], (x, y, z), 0, 90), surface, True)
    elif kind == 1:
        a, b = ((0, 0, -0.06), (0, 0, 0.06)) if upright else ((-0.06, 0, 0), (0.06, 0, 0))
        m.soft(rod(np.add(a, (x, y - 0.025, z)), np.add(b, (x, y - 0.025, z)), 0.006), surface)
        for q in (a, b):
            c = np.add(np.multiply(q, 0.85), (x, y, z))
            m.soft(rod(c, c - (0, 0.025, 0), 0.005), surface)


def _fronts(m: Make, p: Palette, x: Span, y: Span, z: Span, body: Material, *, drawers: bool, columns: int = 1) -> None:
    """A carcass with doors or drawers towards -y."""
    rng = p.rng
    m.box(x, (y[0] + 0.02, y[1]), z, body)
    front = body if rng.random() < 0.7 else p.board()
    kind, metal = int(rng.integers(0, 3)), p.metal() if rng.random() < 0.7 else p.dark()
    wide = (x[1] - x[0]) / columns
    for c in range(columns):
        a, b = x[0] + c * wide + 0.003, x[0] + (c + 1) * wide - 0.003
        rows = max(1, round((z[1] - z[0]) / rng.uniform(0.16, 0.3))) if drawers else 1
        tall = (z[1] - z[0]) / rows
        framed = not drawers and rng.random() < 0.35
        for r in range(rows):
            lo, hi = z[0] + r * tall + 0.003, z[0] + (r + 1) * tall - 0.003
            pulled = rng.uniform(0.03, 0.15) if drawers and rng.random() < 0.06 else 0.0
            m.box((a, b), (y[0] - pulled, y[0] + 0.019 - pulled), (lo, hi), front, 0.002)
            if framed and b - a > 0.2 and hi - lo > 0.3:
                m.box((a + 0.06, b - 0.06), (y[0] - 0.006, y[0]), (lo + 0.06, hi - 0.06), front, 0.005)
            if kind < 2:
                hx = (a + b) / 2 if drawers else (b - 0.05 if c % 2 == 0 and columns > 1 else a + 0.05)
                hz = (lo + hi) / 2 if drawers or hi - lo > 1.2 else (hi - 0.1 if z[0] < 0.8 else lo + 0.1)
                _handle(m, p, hx, y[0] - pulled, hz, not drawers, kind, metal)


def cabinet(p: Palette, w: float | None = None, d: float | None = None, h: float | None = None) -> Thing:
    """A sideboard, chest of drawers, bedside table, wardrobe, by its size."""
    rng = p.rng
    w, d, h = w or rng.uniform(0.4, 1.6), d or rng.uniform(0.35, 0.5), h or rng.uniform(0.45, 1.1)
    m, foot, body = Make(), float(rng.choice([0.0, rng.uniform(0.04, 0.18)])) if h < 1.3 else 0.0, p.board(turned=h > 1.3)
    thick = 0.02
    z = (foot if foot else 0.0, h - thick)
    if foot:
        for sx in (-1, 1):
            for sy in (-1, 1):
                m.soft(
                    rod((sx * (w / 2 - 0.06), sy * (d / 2 - 0.06), foot), (sx * (w / 2 - 0.05), sy * (d / 2 - 0.05), 0), 0.022, 0.014),
                    p.metal() if foot < 0.1 else body,
                )
    columns = max(1, round(w / rng.uniform(0.38, 0.6)))
    split = rng.random()
    if h > 1.3 or split < 0.45:
        _fronts(m, p, (-w / 2, w / 2), (-d / 2, d / 2), z, body, drawers=False, columns=columns)
    elif split < 0.8:
        _fronts(m, p, (-w / 2, w / 2), (-d / 2, d / 2), z, body, drawers=True, columns=1 if w < 0.9 else 2)
    else:
        cut = rng.uniform(-0.2, 0.2) * w
        _fronts(m, p, (-w / 2, cut), (-d / 2, d / 2), z, body, drawers=True)
        _fronts(m, p, (cut, w / 2), (-d / 2, d / 2), z, body, drawers=False)
    m.box((-w / 2 - 0.005, w / 2 + 0.005), (-d / 2 - 0.005, d / 2), (h - thick, h), body if rng.random() < 0.7 else p.board(), 0.003)
    return m.thing("wardrobe" if h > 1.3 else "cabinet", (w + 0.01, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h)])


def book_row(p: Palette, m: Make, x: Span, y: float, z: float, tallest: float, deep: float) -> None:
    """Books side by side from x[0] on, backs at -y; y: where they end behind."""
    rng = p.rng
    at, paints = x[0], [p.plastic() for _ in range(6)] + [p.paper()]
    los: dict[int, list[Any]] = {}
    run = rng.uniform(0.5, 1)
    while at < x[0] + (x[1] - x[0]) * run:
        thick = float(rng.choice([rng.uniform(0.008, 0.02), rng.uniform(0.02, 0.045), rng.uniform(0.05, 0.08)], p=[0.4, 0.45, 0.15]))
        if at + thick > x[1]:
            break
        tall, depth = min(rng.uniform(0.17, 0.32), tallest - 0.01), min(rng.uniform(0.12, 0.23), deep)
        ahead = rng.uniform(0, max(deep - depth, 0))
        los.setdefault(int(rng.integers(7)), []).append(((at, y - ahead - depth, z), (at + thick * 0.97, y - ahead, z + tall)))
        at += thick + (rng.uniform(0.02, 0.15) if rng.random() < 0.04 else 0)
    for k, pairs in los.items():
        m.flat(boxes([a for a, _ in pairs], [b for _, b in pairs]), paints[k])
    if rng.random() < 0.4 and at + 0.08 < x[1]:
        tall, lean = min(rng.uniform(0.18, 0.28), tallest - 0.02), rng.uniform(8, 20)
        book = moved(boxes((0, -min(0.18, deep), 0), (0.025, 0, tall)), (0, 0, 0), 90, 0)
        book = moved(book, (0, 0, 0), -90, 0)
        c, s = math.cos(math.radians(-lean)), math.sin(math.radians(-lean))
        v = book[0] @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
        v[:, 2] -= v[:, 2].min()
        v[:, 0] -= v[:, 0].min()
        m.flat((v + (at, y, z), book[1]), paints[0])


def shelf(p: Palette, w: float | None = None, h: float | None = None, d: float | None = None, fill: float | None = None) -> Thing:
    """Open shelves with books and things; what stays free is in `tops`."""
    rng = p.rng
    w, d, h = w or rng.uniform(0.5, 1.2), d or rng.uniform(0.24, 0.4), h or rng.uniform(0.8, 2.2)
    fill = rng.uniform(0.3, 0.95) if fill is None else fill
    m, t, board = Make(), rng.uniform(0.016, 0.03), p.board()
    columns = 1 if w < 0.9 else int(rng.integers(1, 4))
    rows = max(2, round(h / rng.uniform(0.28, 0.42)))
    open_back, posts = rng.random() < 0.3, rng.random() < 0.2
    metal = p.metal()
    for k in range(columns + 1):
        x = -w / 2 + t / 2 + k * (w - t) / columns
        if posts:
            for y in (-d / 2 + 0.02, d / 2 - 0.02):
                m.box((x - 0.015, x + 0.015), (y - 0.015, y + 0.015), (0, h), metal)
        else:
            m.box((x - t / 2, x + t / 2), (-d / 2, d / 2), (0, h), board)
    levels = np.linspace(0.02 if posts else rng.uniform(0.03, 0.1), h - t / 2, rows + 1)
    for z in levels:
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (z - t / 2, z + t / 2), board)
    if not open_back and not posts:
        m.box((-w / 2, w / 2), (d / 2 - 0.008, d / 2), (0, h), board if rng.random() < 0.7 else p.board())
    tops = [Top((-w / 2, w / 2), (-d / 2, d / 2), h)]
    for a, b in zip(levels, levels[1:]):
        for k in range(columns):
            x0, x1 = (-w / 2 + t + (k + j) * (w - t) / columns for j in (0, 1))
            x1 -= t
            clear = float(b - a - t)
            if rng.random() < fill and clear > 0.15:
                book_row(p, m, (x0 + 0.005, x1), d / 2 - 0.01, float(a + t / 2), clear, d - 0.03)
            else:
                tops.append(Top((float(x0), float(x1)), (-d / 2, d / 2), float(a + t / 2), clear))
    return m.thing("shelf", (w, d, h), tops)


def wall_board(p: Palette) -> Thing:
    """One board on brackets; its back touches the wall, z = 0 is its under side."""
    rng = p.rng
    w, d, t = rng.uniform(0.5, 1.3), rng.uniform(0.14, 0.28), rng.uniform(0.018, 0.035)
    m = Make()
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.0, t), p.board(), 0.002)
    for s in (-1, 1):
        m.box((s * w * 0.35 - 0.01, s * w * 0.35 + 0.01), (d / 2 - 0.02, d / 2), (-0.12, 0), p.metal())
    x = -w / 2 + rng.uniform(0, 0.3) * w
    if rng.random() < 0.6:
        book_row(p, m, (x, w / 2), d / 2 - 0.005, t, 0.32, d - 0.01)
        return m.thing("wall board", (w, d, t), [])
    return m.thing("wall board", (w, d, t), [Top((-w / 2, w / 2), (-d / 2, d / 2), t, 0.3)])


# Kitchen and bath


def kitchen(p: Palette, length: float, *, wall_units: bool = True, ceiling: float = 2.5) -> Thing:
    """A run of units along a wall: counter, sink, stove, wall units, hood. Width about `length`."""
    rng = p.rng
    n = max(2, round(length / 0.6))
    w = length / n
    m, h, d = Make(), rng.uniform(0.86, 0.94), rng.uniform(0.58, 0.64)
    x0 = -length / 2
    body, top, metal = (
        p.board(),
        p.kit.surface(str(rng.choice(["marble", "plain", "wood", "gravel"])), rough=rng.uniform(0.15, 0.5)),
        p.metal(),
    )
    deep = d / 2
    sink = int(rng.integers(n))
    stove = int(rng.choice([k for k in range(n) if k != sink]))
    tops = []
    m.box((x0, x0 + length), (-deep + 0.07, deep), (0, 0.1), p.dark())
    for k in range(n):
        a, b = x0 + k * w, x0 + (k + 1) * w
        if k == stove:
            m.box((a, b), (-deep + 0.03, deep), (0.1, h - 0.04), p.metal() if rng.random() < 0.5 else p.white())
            m.box((a + 0.06, b - 0.06), (-deep + 0.02, -deep + 0.03), (0.25, h - 0.25), p.screen(False))
            m.soft(rod((a + 0.06, -deep - 0.01, h - 0.2), (b - 0.06, -deep - 0.01, h - 0.2), 0.009), metal)
            for x in np.linspace(a + 0.1, b - 0.1, 5):
                m.soft(moved(turned([(0.02, 0), (0.018, 0.025), (0, 0.025)], segments=10), (x, -deep + 0.03, h - 0.1), 0, 90), p.dark())
            m.box((a + 0.02, b - 0.02), (-deep + 0.06, deep - 0.06), (h, h + 0.006), p.screen(False) if rng.random() < 0.6 else metal)
            for sx in (0.28, 0.72):
                for y in (-0.14, 0.14):
                    r = rng.uniform(0.07, 0.1)
                    m.soft(
                        turned([(r, h + 0.006), (r, h + 0.01), (r - 0.008, h + 0.01), (r - 0.008, h + 0.006)], (a + sx * w, y, 0), 18),
                        p.dark(),
                    )
        else:
            _fronts(m, p, (a, b), (-deep + 0.01, deep), (0.1, h - 0.04), body, drawers=bool(rng.random() < 0.35))
        if k == sink:
            inner = (a + 0.08, b - 0.08), (-deep + 0.1, deep - 0.14)
            (p0, p1), (q0, q1) = inner
            for x, y in (((a, p0), (-deep, deep)), ((p1, b), (-deep, deep)), ((p0, p1), (-deep, q0)), ((p0, p1), (q1, deep))):
                m.box(x, y, (h - 0.04, h), top)
            steel = metal if rng.random() < 0.8 else p.white()
            for x, y, z in (((p0, p1), (q0, q1), (h - 0.19, h - 0.18)), ((p0 - 0.01, p0), (q0, q1), (h - 0.19, h + 0.004)), ((p1, p1 + 0.01), (q0, q1), (h - 0.19, h + 0.004)),
                            ((p0, p1), (q0 - 0.01, q0), (h - 0.19, h + 0.004)), ((p0, p1), (q1, q1 + 0.01), (h - 0.19, h + 0.004))):  # fmt: skip
                m.box(x, y, z, steel)
            x, high = (a + b) / 2, rng.uniform(0.15, 0.35)
            m.soft(tap((x, q1 + 0.05, h), high), metal)
        else:
            m.box((a, b), (-deep - 0.015, deep), (h - 0.04, h), top, 0.002)
            if k != stove:
                tops.append(Top((a, b), (-deep, deep), h, 0.45))
            elif rng.random() < 0.6:
                tops.append(Top((a + 0.1, b - 0.1), (-0.2, 0.2), h + 0.01, 0.3))
    low = h + rng.uniform(0.45, 0.6)
    if wall_units:
        high, out = min(low + rng.uniform(0.5, 0.8), ceiling - 0.02), rng.uniform(0.3, 0.36)
        for k in range(n):
            a, b = x0 + k * w, x0 + (k + 1) * w
            if k == stove:
                _hood(m, p, (a, b), deep, low, ceiling)
            elif rng.random() < 0.85:
                _fronts(m, p, (a, b), (deep - out, deep), (low, high), body, drawers=False, columns=1 if w < 0.65 else 2)
            else:
                m.box((a, b), (deep - 0.2, deep), (low + 0.1, low + 0.125), body)
                tops.append(Top((a, b), (deep - 0.19, deep), low + 0.125, 0.25))
    tile = p.kit.surface("tiles", hsv(rng.random(), rng.uniform(0, 0.2), rng.uniform(0.6, 0.95)), metres=rng.uniform(0.5, 0.9))
    if rng.random() < 0.7:
        m.box((x0, x0 + length), (deep - 0.008, deep), (h, low + 0.02), tile)
    return m.thing("kitchen", (length, d, low if wall_units else h), tops)


def tap(at: Sequence[float], high: float, reach: float = 0.17) -> Mesh:
    a = np.linspace(0, np.pi, 8)
    path = np.concatenate(
        [
            [(0, 0, 0)],
            np.stack([a * 0, -reach / 2 * (1 - np.cos(a)), high - reach / 2 + reach / 2 * np.sin(a)], 1),
            [(0, -reach, high - reach / 2 - 0.05)],
        ]
    )
    return tube(path + np.asarray(at), 0.012, 8)


def _hood(m: Make, p: Palette, x: Span, deep: float, low: float, ceiling: float) -> None:
    rng, metal = p.rng, p.metal() if p.rng.random() < 0.7 else p.white()
    a, b = x
    c = (a + b) / 2
    if rng.random() < 0.5:
        foot = np.array([(a, deep - 0.48, low), (b, deep - 0.48, low), (b, deep, low), (a, deep, low)])
        head = np.array(
            [
                (c - 0.13, deep - 0.28, low + 0.25),
                (c + 0.13, deep - 0.28, low + 0.25),
                (c + 0.13, deep, low + 0.25),
                (c - 0.13, deep, low + 0.25),
            ]
        )
        m.flat(
            (np.concatenate([foot, head]), np.array([(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)])),
            metal,
        )
    else:
        m.box((a, b), (deep - 0.48, deep), (low, low + 0.06), metal, 0.004)
    m.box((c - 0.13, c + 0.13), (deep - 0.28, deep), (low + 0.05, ceiling), metal)


def fridge(p: Palette) -> Thing:
    rng = p.rng
    w, d, h = rng.uniform(0.55, 0.75), rng.uniform(0.58, 0.7), rng.uniform(1.35, 2.0)
    m, body = Make(), p.white() if rng.random() < 0.6 else p.metal()
    cut = rng.uniform(0.3, 0.7) * h
    m.box((-w / 2, w / 2), (-d / 2 + 0.06, d / 2), (0, h), body, 0.01)
    for z in ((0.05, cut), (cut + 0.008, h)):
        m.box((-w / 2, w / 2), (-d / 2, -d / 2 + 0.055), z, body, 0.012)
    for z in ((cut - 0.35, cut - 0.05), (cut + 0.06, min(cut + 0.36, h - 0.05))):
        m.soft(rod((-w / 2 + 0.06, -d / 2 - 0.03, z[0]), (-w / 2 + 0.06, -d / 2 - 0.03, z[1]), 0.01), p.metal())
    for _ in range(int(rng.integers(0, 7))):
        x, z, s = rng.uniform(-0.3, 0.3) * w, rng.uniform(0.9, h - 0.15), rng.uniform(0.03, 0.1)
        m.box((x - s, x + s), (-d / 2 - 0.002, -d / 2), (z - s, z + s), p.paper() if rng.random() < 0.6 else p.art())
    return m.thing("fridge", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h, 0.3)])


def washer(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d, h = 0.6, rng.uniform(0.5, 0.62), 0.85
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, h), p.white(), 0.01)
    ring = turned([(0.0, 0.02), (0.13, 0.02), (0.15, 0.035), (0.18, 0.03), (0.19, 0)], segments=28)
    m.soft(moved(ring, (0, -d / 2, 0.42), 0, 90), p.dark() if rng.random() < 0.6 else p.metal())
    m.box((-w / 2 + 0.02, -0.1), (-d / 2 - 0.005, -d / 2), (h - 0.13, h - 0.03), p.white())
    m.box((0.05, 0.2), (-d / 2 - 0.004, -d / 2), (h - 0.11, h - 0.06), p.screen(False))
    return m.thing("washer", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h)])


def basin(p: Palette) -> Thing:
    """A washbasin on a wall, a pedestal or a cabinet."""
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.45, 0.75), rng.uniform(0.4, 0.5), rng.uniform(0.82, 0.9)
    white = p.white()
    s = np.linspace(0, 1, 9)
    bowl = lathe(
        [
            (float(a), float(b))
            for a, b in zip(np.r_[0.5, 0.5 - 0.06 * s, 0.44 * np.cos(s * np.pi / 2)], np.r_[0, 0 * s, -np.sin(s * np.pi / 2)])
        ],
        (0, 0, 0),
        28,
    )
    m.soft((bowl[0] * (w, d * 0.8, 0.13) + (0, -d * 0.08, h), bowl[1]), white)
    under = lathe([(0.5, 0), (0.47, -0.5), (0.2, -1.1), (0, -1.1)], (0, 0, 0), 28)
    m.soft((under[0] * (w, d * 0.8, 0.15) + (0, -d * 0.08, h), under[1]), white)
    m.box((-w / 2, w / 2), (d / 2 - 0.14, d / 2), (h - 0.1, h + 0.002), white, 0.01)
    kind = rng.random()
    if kind < 0.4:
        m.soft(turned([(0.1, 0), (0.07, 0.2), (0.08, h - 0.15)], (0, 0.05, 0)), white)
    elif kind < 0.8:
        _fronts(
            m,
            p,
            (-w / 2 + 0.02, w / 2 - 0.02),
            (-d / 2 + 0.1, d / 2),
            (0.2, h - 0.16),
            p.board(),
            drawers=bool(rng.random() < 0.5),
            columns=2,
        )
    m.soft(tap((0, d / 2 - 0.08, h), 0.15, 0.12), p.metal())
    return m.thing("basin", (w, d, h), [Top((-w / 2, w / 2), (d / 2 - 0.14, d / 2), h, 0.3)])


def toilet(p: Palette) -> Thing:
    rng, m, white = p.rng, Make(), p.white()
    m.soft(_oval([(0.0, 0), (0.11, 0), (0.1, 0.15), (0.17, 0.34), (0.185, 0.39), (0.0, 0.39)], 1.3, -0.08), white)
    m.soft(_oval([(0.19, 0.39), (0.195, 0.42), (0.0, 0.43)], 1.3, -0.08), white)
    if rng.random() < 0.6:
        m.box((-0.19, 0.19), (0.17, 0.33), (0.38, 0.78), white, 0.02)
    if rng.random() < 0.3:
        m.soft(moved(_oval([(0.0, 0), (0.19, 0.0), (0.19, 0.02), (0, 0.02)], 1.2, 0), (0, 0.17, 0.65), 0, 80), white)
    return m.thing("toilet", (0.4, 0.68, 0.43), [])


def _oval(profile: Sequence[tuple[float, float]], long: float, y: float) -> Mesh:
    v, f = turned(profile, segments=24)
    return v * (1, long, 1) + (0, y, 0), f


def tub(p: Palette) -> Thing:
    rng, m, white = p.rng, Make(), p.white()
    w, d, h = rng.uniform(1.5, 1.8), rng.uniform(0.7, 0.8), rng.uniform(0.5, 0.6)
    outer = p.kit.surface("tiles") if rng.random() < 0.4 else white
    for x, y in (
        ((-w / 2, w / 2), (-d / 2, -d / 2 + 0.07)),
        ((-w / 2, w / 2), (d / 2 - 0.07, d / 2)),
        ((-w / 2, -w / 2 + 0.1), (-d / 2 + 0.07, d / 2 - 0.07)),
        ((w / 2 - 0.1, w / 2), (-d / 2 + 0.07, d / 2 - 0.07)),
    ):
        m.box(x, y, (0, h - 0.012), outer)
        m.box(x, y, (h - 0.012, h), white)
    n = 14
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    deep = np.clip(1 - np.maximum(np.abs(u), np.abs(v)) ** 5, 0, 1)
    m.soft(sheet(np.dstack([u * (w / 2 - 0.09), v * (d / 2 - 0.065), h - 0.005 - 0.42 * deep])), white)
    m.soft(tap((w / 2 - 0.06, 0, h), 0.18, 0.14), p.metal())
    return m.thing("tub", (w, d, h), [Top((-w / 2, w / 2), (d / 2 - 0.07, d / 2), h, 0.3)])


# Electric things


def television(p: Palette, on: bool = False) -> Thing:
    rng, m = p.rng, Make()
    w = rng.uniform(0.7, 1.4)
    h, z, black = w * 9 / 16, rng.uniform(0.05, 0.1), p.dark()
    m.box((-w / 2, w / 2), (-0.02, 0.02), (z, z + h), black, 0.003)
    m.box((-w / 2 + 0.012, w / 2 - 0.012), (-0.0215, -0.02), (z + 0.02, z + h - 0.012), p.screen(on))
    if rng.random() < 0.5:
        m.box((-w * 0.2, w * 0.2), (-0.12, 0.12), (0, 0.012), black, 0.003)
        m.box((-0.04, 0.04), (0.0, 0.03), (0.01, z + 0.1), black)
    else:
        for s in (-1, 1):
            m.flat(rod((s * w * 0.32, 0, z + 0.02), (s * w * 0.34, -0.12, 0.005), 0.008), black)
            m.flat(rod((s * w * 0.32, 0, z + 0.02), (s * w * 0.34, 0.12, 0.005), 0.008), black)
    return m.thing("television", (w, 0.24, z + h), [])


def monitor(p: Palette, on: bool | None = None) -> Thing:
    rng, m = p.rng, Make()
    w = rng.uniform(0.4, 0.68)
    h, z = w * rng.choice([0.75, 0.6, 9 / 16], p=[0.15, 0.3, 0.55]), rng.uniform(0.08, 0.18)
    case = p.dark() if rng.random() < 0.75 else p.metal()
    edge, thick = rng.uniform(0.006, 0.025), rng.uniform(0.02, 0.05)
    tip = -rng.uniform(-2, 10)
    m.flat(moved(block((-w / 2, 0, -h / 2), (w / 2, thick, h / 2)), (0, 0, z + h / 2), 0, tip), case)
    m.flat(
        moved(boxes((-w / 2 + edge, -0.0015, -h / 2 + edge), (w / 2 - edge, 0.001, h / 2 - edge)), (0, 0, z + h / 2), 0, tip),
        p.screen(bool(rng.random() < 0.6) if on is None else on),
    )
    m.flat(rod((0, thick + 0.03, 0.01), (0, thick + 0.03, z + h * 0.5), rng.uniform(0.015, 0.03)), case)
    m.box((-0.03, 0.03), (0.01, thick + 0.03), (z + h * 0.4, z + h * 0.55), case)
    if rng.random() < 0.5:
        m.box((-0.12, 0.12), (-0.06, 0.14), (0, 0.012), case, 0.004)
    else:
        m.soft(turned([(0, 0), (0.12, 0), (0.12, 0.008), (0.03, 0.02)], (0, 0.05, 0)), case)
    return m.thing("monitor", (w, 0.28, z + h), [])


def laptop(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w = rng.uniform(0.28, 0.38)
    d, case = w * rng.uniform(0.66, 0.75), p.metal() if rng.random() < 0.5 else p.dark()
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.014), case, 0.003)
    m.box((-w / 2 + 0.02, w / 2 - 0.02), (-d * 0.1, d / 2 - 0.02), (0.014, 0.0155), p.dark())
    m.box((-w * 0.15, w * 0.15), (-d / 2 + 0.015, -d * 0.15), (0.014, 0.0147), p.metal())
    tip = -rng.uniform(5, 35)
    m.flat(moved(block((-w / 2, 0, 0), (w / 2, 0.007, d), 0.002), (0, d / 2, 0.012), 0, tip), case)
    m.flat(
        moved(boxes((-w / 2 + 0.008, -0.001, 0.012), (w / 2 - 0.008, 0.001, d - 0.01)), (0, d / 2, 0.012), 0, tip),
        p.screen(bool(rng.random() < 0.6)),
    )
    made = m.thing("laptop", (w, d + 0.12, d), [])
    made.parts = [(moved(mesh, (0, -0.06, 0)), surface, smooth) for mesh, surface, smooth in made.parts]
    return made


def keyboard(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d = rng.uniform(0.28, 0.45), rng.uniform(0.11, 0.17)
    base = p.dark() if rng.random() < 0.65 else p.white()
    key = base if rng.random() < 0.4 else (p.dark() if rng.random() < 0.6 else p.white())
    m.flat(moved(block((-w / 2, -d / 2, 0), (w / 2, d / 2, 0.014)), (0, 0, 0.004), 0, 3), base)
    rows, columns = 5, int(w / 0.0195)
    cx, cy = np.meshgrid(np.linspace(-w / 2 + 0.015, w / 2 - 0.015, columns), np.linspace(-d / 2 + 0.017, d / 2 - 0.017, rows))
    gone = rng.random(cx.size) < 0.05
    c = np.column_stack([cx.ravel(), cy.ravel()])[~gone]
    half = np.array([0.0082, (d - 0.02) / rows / 2 - 0.0015])
    m.flat(
        moved(
            boxes(np.column_stack([c - half, np.full(len(c), 0.012)]), np.column_stack([c + half, np.full(len(c), 0.021)])),
            (0, 0, 0.004),
            0,
            3,
        ),
        key,
    )
    return m.thing("keyboard", (w, d, 0.03), [])


def mouse(p: Palette) -> Thing:
    m = Make()
    v, f = ball((0, 0, 0), (0.031, 0.055, 0.036), 16)
    m.soft((np.column_stack([v[:, :2], np.maximum(v[:, 2], 0)]), f), p.dark() if p.rng.random() < 0.6 else p.white())
    return m.thing("mouse", (0.062, 0.11, 0.036), [])


def printer(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.38, 0.5), rng.uniform(0.34, 0.45), rng.uniform(0.16, 0.35)
    case = p.white() if rng.random() < 0.5 else p.dark()
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, h), case, 0.02)
    m.box((-w / 2 + 0.07, w / 2 - 0.07), (-d / 2 - 0.09, -d / 2 + 0.02), (h * 0.3, h * 0.3 + 0.012), p.dark())
    m.box((-w / 2 + 0.05, w / 2 - 0.05), (-d / 2 - 0.002, -d / 2 + 0.02), (h * 0.36, h * 0.62), p.screen(False))
    if rng.random() < 0.5:
        m.flat(moved(boxes((-0.1, 0, 0), (0.1, 0.003, 0.2)), (0, d / 2 - 0.08, h - 0.01), 0, -20), p.white())
    return m.thing("printer", (w, d + 0.1, h), [Top((-w / 2 + 0.03, w / 2 - 0.03), (-d / 2 + 0.03, d / 2 - 0.1), h, 0.2)])


def computer(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.16, 0.22), rng.uniform(0.38, 0.48), rng.uniform(0.35, 0.48)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, h), p.dark(), 0.006)
    m.box((-w / 2 + 0.015, w / 2 - 0.015), (-d / 2 - 0.008, -d / 2), (0.02, h - 0.01), p.dark() if rng.random() < 0.7 else p.metal(), 0.005)
    m.box((-w / 2 + 0.03, w / 2 - 0.03), (-d / 2 - 0.01, -d / 2 - 0.006), (h - 0.09, h - 0.05), p.metal())
    return m.thing("computer", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h, 0.3)])


def speaker(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, h = rng.uniform(0.1, 0.25), rng.uniform(0.2, 0.9)
    case = p.dark() if rng.random() < 0.6 else p.wood(turned=True)
    m.box((-w / 2, w / 2), (-w * 0.55, w * 0.55), (0, h), case, 0.004)
    for z, r in ((0.3, 0.38), (0.7, 0.28)):
        m.soft(
            moved(turned([(0.0, -0.01), (r * w * 0.8, 0.002), (r * w, 0.006), (r * w, 0)], segments=18), (0, -w * 0.55, h * z), 0, 90),
            p.dark(),
        )
    return m.thing("speaker", (w, w * 1.1, h), [Top((-w / 2, w / 2), (-w / 2, w / 2), h, 0.3)])


def fan(p: Palette) -> Thing:
    rng, m, white = p.rng, Make(), p.white() if p.rng.random() < 0.6 else p.dark()
    h, r = rng.uniform(0.4, 1.2), rng.uniform(0.14, 0.21)
    m.soft(turned([(0, 0), (0.17, 0), (0.17, 0.02), (0.02, 0.03)]), white)
    m.soft(rod((0, 0, 0.02), (0, 0.03, h), 0.013), white)
    for k in range(7):
        a = np.linspace(0, 2 * np.pi, 24)
        q = r * (0.2 + 0.8 * k / 6)
        y = -0.05 + 0.05 * (k / 6) ** 2
        m.flat(tube(np.stack([q * np.cos(a), a * 0 + y, h + q * np.sin(a)], 1), 0.0025, 4), white)
    m.soft(moved(turned([(0.03, 0.1), (0.05, 0.0), (0, -0.0)], segments=14), (0, 0.05, h), 0, 90), white)
    for k in range(3):
        a = np.linspace(0, 1, 5)[:, None] * np.array([0, 0, r * 0.9])
        blade = np.stack([a + (-0.04, 0.01, 0), a + (0.06, -0.02, 0)], 1)
        c, s = math.cos(2.1 * k), math.sin(2.1 * k)
        blade = blade @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        m.flat(sheet(blade + (0, 0, h)), p.plastic())
    return m.thing("fan", (2 * r, 0.35, h + r), [])


def radiator(p: Palette) -> Thing:
    """On a wall; the back touches it."""
    rng, m, white = p.rng, Make(), p.white()
    w, h, z = rng.uniform(0.5, 1.6), rng.uniform(0.4, 0.65), rng.uniform(0.1, 0.2)
    if rng.random() < 0.5:
        m.box((-w / 2, w / 2), (-0.02, 0.03), (z, z + h), white, 0.01)
        x = np.arange(-w / 2 + 0.02, w / 2 - 0.02, 0.035)
        m.flat(
            boxes(np.column_stack([x, x * 0 - 0.028, x * 0 + z + 0.03]), np.column_stack([x + 0.02, x * 0 - 0.018, x * 0 + z + h - 0.03])),
            white,
        )
    else:
        for x in np.arange(-w / 2, w / 2 - 0.04, 0.055):
            m.flat(block((x, -0.05, z), (x + 0.045, 0.03, z + h), 0.015), white)
    m.soft(rod((w / 2, 0, z + 0.05), (w / 2 + 0.06, 0, z + 0.05), 0.01), white)
    m.soft(rod((w / 2 + 0.05, 0, z + 0.05), (w / 2 + 0.05, 0, 0), 0.009), white)
    return m.thing("radiator", (w + 0.1, 0.1, z + h), [])


# Lamps (the bulb's height is the last number of the name's tuple)


def shade_light(p: Palette, on: float) -> Material:
    rng = p.rng
    if on:
        return p.glow(hsv(rng.uniform(0.07, 0.13), rng.uniform(0.15, 0.45), 1.0), on)
    return p.cloth()


def table_lamp(p: Palette, on: float = 0.0) -> Thing:
    rng, m = p.rng, Make()
    if rng.random() < 0.4:  # jointed
        metal = p.metal() if rng.random() < 0.5 else p.plastic()
        a, b = np.array((0, 0, 0.02)), np.array((0, rng.uniform(0.02, 0.15), rng.uniform(0.25, 0.4)))
        c = b + (0, -rng.uniform(0.15, 0.35), rng.uniform(0.0, 0.2))
        m.soft(turned([(0, 0), (0.09, 0), (0.09, 0.015), (0.0, 0.025)]), metal)
        m.soft(rod(a, b, 0.007), metal)
        m.soft(rod(b, c, 0.007), metal)
        m.soft(moved(turned([(0.025, 0.07), (0.035, 0.03), (0.08, -0.06)], segments=18), c, 0, rng.uniform(-30, 40)), metal)
        return m.thing("lamp", (0.2, 0.45, float(c[2]) + 0.05), [])
    h, r = rng.uniform(0.3, 0.6), rng.uniform(0.08, 0.2)
    foot = p.clay() if rng.random() < 0.6 else p.metal()
    s = h * rng.uniform(0.35, 0.5)
    q = rng.uniform(0.02, 0.09, 5)
    m.soft(turned([(0, 0), (0.06, 0), *((float(a), 0.01 + (h - s) * k / 5) for k, a in enumerate(q)), (0.01, h - s)]), foot)
    m.soft(turned([(r, h - s), (r * rng.uniform(0.5, 1), h)], segments=24), shade_light(p, on))
    return m.thing("lamp", (2 * r, 2 * r, h), [])


def floor_lamp(p: Palette, on: float = 0.0) -> Thing:
    rng, m = p.rng, Make()
    h, r, metal = rng.uniform(1.35, 1.8), rng.uniform(0.14, 0.26), p.metal() if rng.random() < 0.6 else p.dark()
    if rng.random() < 0.3:
        for k in range(3):
            m.flat(rod((0, 0, h - 0.3), (0.28 * math.cos(2.1 * k), 0.28 * math.sin(2.1 * k), 0), 0.013), metal)
    else:
        m.soft(turned([(0, 0), (0.14, 0), (0.14, 0.02), (0.012, 0.03), (0.012, h - 0.2), (0, h - 0.2)]), metal)
    s = rng.uniform(0.18, 0.35)
    if rng.random() < 0.75:
        m.soft(turned([(r, h - s), (r * rng.uniform(0.5, 1), h)], segments=26), shade_light(p, on))
    else:
        m.soft(turned([(0.02, h - 0.22), (0.18, h - 0.05), (0.18, h - 0.045)], segments=24), metal)
    return m.thing("lamp", (2 * r, 2 * r, h), [])


def pendant(p: Palette, drop: float, on: float = 0.0) -> Thing:
    """Hangs below z = 0 by `drop`."""
    rng, m = p.rng, Make()
    m.flat(rod((0, 0, 0), (0, 0, -drop + 0.1), 0.004, None, 5), p.dark())
    m.soft(turned([(0.05, 0), (0.05, -0.03), (0.005, -0.05)], segments=14), p.white())
    r = rng.uniform(0.1, 0.28)
    kind = rng.random()
    surface = shade_light(p, on) if kind < 0.6 or not on else p.metal()
    if kind < 0.4:
        m.soft(ball((0, 0, -drop), (r, r, r * rng.uniform(0.6, 1)), 20), surface)
    else:
        m.soft(turned([(0.02, -drop + 0.12), (r * rng.uniform(0.3, 0.9), -drop + 0.1), (r, -drop - 0.05)], segments=24), surface)
        if on:
            m.soft(ball((0, 0, -drop), (0.05, 0.05, 0.05), 12), p.glow((1, 0.95, 0.85), on * 2))
    return m.thing("pendant", (2 * r, 2 * r, drop), [])


def ceiling_light(p: Palette, on: float = 0.0) -> Thing:
    """Flat under the ceiling, below z = 0: dome, tube, or panel."""
    rng, m = p.rng, Make()
    kind = rng.random()
    lit = p.glow(hsv(rng.uniform(0.08, 0.6), rng.uniform(0, 0.12), 1.0), on) if on else p.white()
    if kind < 0.4:
        r = rng.uniform(0.14, 0.25)
        m.soft(turned([(r, 0), (r, -0.03), (r * 0.8, -0.07), (r * 0.4, -0.1), (0, -0.11)], segments=24), lit)
        return m.thing("ceiling light", (2 * r, 2 * r, 0.11), [])
    if kind < 0.7:
        w = rng.uniform(0.6, 1.5)
        m.box((-w / 2, w / 2), (-0.06, 0.06), (-0.05, 0), p.white())
        for y in (-0.03, 0.03):
            m.soft(rod((-w / 2 + 0.02, y, -0.065), (w / 2 - 0.02, y, -0.065), 0.015), lit)
        return m.thing("ceiling light", (w, 0.12, 0.08), [])
    w = float(rng.choice([0.3, 0.6]))
    m.box((-0.3, 0.3), (-w, w), (-0.02, 0), lit)
    return m.thing("ceiling light", (0.6, 2 * w, 0.02), [])


# Parts of rooms


def door(p: Palette, w: float, h: float, thick: float, opened: float = 0.0) -> Thing:
    """Leaf and frame for an opening w × h in a wall; the wall's inner face is y = 0 and it goes on to y = thick. opened: degrees, into the room;
    less than 0: no leaf."""
    rng, m = p.rng, Make()
    frame = p.white() if rng.random() < 0.55 else p.wood(turned=True)
    leaf = frame if rng.random() < 0.8 else p.board(turned=True)
    f = rng.uniform(0.05, 0.1)
    for y in (-0.015, thick):
        for s in (-1, 1):
            m.box((s * (w / 2 + f / 2 - 0.01) - f / 2, s * (w / 2 + f / 2 - 0.01) + f / 2), (y, y + 0.015), (0, h + f - 0.01), frame)
        m.box((-w / 2 - f + 0.01, w / 2 + f - 0.01), (y, y + 0.015), (h - 0.01, h + f - 0.01), frame)
    for s in (-1, 1):
        m.box((s * w / 2 - 0.02, s * w / 2 + 0.02), (0, thick), (0, h), frame)
    m.box((-w / 2, w / 2), (0, thick), (h - 0.02, h + 0.02), frame)
    if opened >= 0:
        a = Make()
        width = w - 0.045
        a.box((0, width), (0, 0.04), (0.01, h - 0.025), leaf, 0.003)
        style = rng.random()
        if style < 0.5:
            rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
            for i in range(rows):
                for j in range(columns):
                    cw, ch = (width - 0.1 - 0.08 * columns) / columns, (h - 0.2 - 0.1 * rows) / rows
                    x0, z0 = 0.09 + j * (cw + 0.08), 0.15 + i * (ch + 0.1)
                    for y in ((-0.006, 0.0), (0.04, 0.046)):
                        a.box((x0, x0 + cw), y, (z0, z0 + ch), leaf, 0.005)
        metal = p.metal()
        for y, s in ((0.0, -1), (0.04, 1)):
            a.soft(rod((width - 0.06, y, 1.03), (width - 0.06, y + s * 0.05, 1.03), 0.01), metal)
            a.soft(rod((width - 0.06, y + s * 0.05, 1.03), (width - 0.18, y + s * 0.05, 1.03), 0.009), metal)
        body = a.thing("leaf", (width, 0.1, h))
        mirrored = rng.random() < 0.5
        for mesh, surface, smooth in body.parts:
            v = moved(mesh, (0, 0, 0), -opened)[0] + (-w / 2 + 0.022, 0.0, 0)
            faces = mesh[1]
            m.parts.append(((v * ((-1, 1, 1) if mirrored else (1, 1, 1)), faces), surface, smooth))
    return m.thing("door", (w, thick, h), [])


def window(p: Palette, w: float, h: float, thick: float) -> Thing:
    """Frame, bars and sill for an opening whose lower edge is z = 0; the wall's inner face is y = 0."""
    rng, m = p.rng, Make()
    frame = p.white() if rng.random() < 0.7 else p.wood() if rng.random() < 0.6 else p.dark()
    y, f = thick * rng.uniform(0.4, 0.8), rng.uniform(0.04, 0.08)
    for s in (-1, 1):
        m.box((s * (w / 2 - f / 2) - f / 2, s * (w / 2 - f / 2) + f / 2), (y - 0.03, y + 0.03), (0, h), frame)
    for z in ((0.0, f), (h - f, h)):
        m.box((-w / 2, w / 2), (y - 0.03, y + 0.03), z, frame)
    for k in range(1, max(1, round(w / rng.uniform(0.6, 1.1)))):
        x = -w / 2 + k * w / max(1, round(w / 0.8))
        if x < w / 2 - 0.1:
            m.box((x - f / 2, x + f / 2), (y - 0.028, y + 0.028), (0, h), frame)
    if rng.random() < 0.35:
        for z in np.linspace(0, h, int(rng.integers(3, 5)))[1:-1]:
            m.box((-w / 2, w / 2), (y - 0.015, y + 0.015), (z - 0.015, z + 0.015), frame)
    out = rng.uniform(0.02, 0.2)
    m.box((-w / 2 - 0.04, w / 2 + 0.04), (-out, y), (-0.03, 0.005), frame if rng.random() < 0.5 else p.white())
    return m.thing("window", (w, thick, h), [Top((-w / 2, w / 2), (-out, max(y - 0.03, -out + 0.05)), 0.005, 0.4)])


def curtain(p: Palette, w: float, h: float) -> Thing:
    """Hangs from z = h to z = 0, w wide when drawn as it is."""
    rng, m = p.rng, Make()
    n = max(12, int(w * 40))
    x = np.linspace(-w / 2, w / 2, n)
    z = np.linspace(0, h, 10)
    u, v = np.meshgrid(x, z)
    k, phase = rng.uniform(25, 60), rng.uniform(0, 6)
    y = rng.uniform(0.02, 0.045) * np.sin(k * u + phase + 0.5 * np.sin(3 * v)) + 0.01 * _patch(rng, 10, n)
    m.soft(sheet(np.dstack([u + 0.02 * np.sin(k * 2 * u), y, v])), p.linen() if rng.random() < 0.5 else p.cloth())
    return m.thing("curtain", (w, 0.1, h), [])


def blinds(p: Palette, w: float, h: float) -> Thing:
    """Slats from z = h down."""
    rng, m = p.rng, Make()
    step, tip = rng.uniform(0.025, 0.05), rng.uniform(10, 60)
    z = np.arange(0, h, step)
    slat = moved(boxes((-w / 2, -step * 0.5, -0.001), (w / 2, step * 0.5, 0.001)), (0, 0, 0), 0, tip)
    m.flat(joined([moved(slat, (0, 0, float(q))) for q in z]), p.white() if rng.random() < 0.7 else p.wood())
    m.box((-w / 2, w / 2), (-0.03, 0.03), (h - 0.04, h), p.white())
    return m.thing("blinds", (w, 0.06, h), [])


def framed(p: Palette, w: float | None = None, h: float | None = None, mirror: bool = False) -> Thing:
    """A picture (or a mirror, which here is a picture too) for a wall: its back at y = 0, its middle at z = 0."""
    rng, m = p.rng, Make()
    w, h = w or rng.uniform(0.2, 1.1), h or rng.uniform(0.2, 0.9)
    f, t = rng.uniform(0.01, 0.05), rng.uniform(0.012, 0.04)
    border = p.wood() if rng.random() < 0.4 else p.dark() if rng.random() < 0.5 else p.white()
    if rng.random() < 0.2:
        m.box((-w / 2, w / 2), (-0.004, 0), (-h / 2, h / 2), p.art() if rng.random() < 0.5 else p.paper())
        return m.thing("poster", (w, 0.01, h), [])
    for s in (-1, 1):
        m.box((s * (w / 2 - f / 2) - f / 2, s * (w / 2 - f / 2) + f / 2), (-t, 0), (-h / 2, h / 2), border)
        m.box((-w / 2 + f, w / 2 - f), (-t, 0), (s * (h / 2 - f / 2) - f / 2, s * (h / 2 - f / 2) + f / 2), border)
    mat = rng.uniform(0.02, 0.08) if min(w, h) > 0.3 and rng.random() < 0.5 else 0.0
    if mat:
        m.box((-w / 2 + f, w / 2 - f), (-t * 0.4, 0), (-h / 2 + f, h / 2 - f), p.white())
    m.box(
        (-w / 2 + f + mat, w / 2 - f - mat),
        (-t * 0.45, 0),
        (-h / 2 + f + mat, h / 2 - f - mat),
        p.screen(False) if mirror and rng.random() < 0.3 else p.art(),
    )
    return m.thing("picture", (w, t, h), [])


def pinboard(p: Palette) -> Thing:
    """A board or whiteboard with papers: its back at y = 0, its middle at z = 0."""
    rng, m = p.rng, Make()
    w, h = rng.uniform(0.6, 1.8), rng.uniform(0.5, 1.1)
    white = rng.random() < 0.4
    ground = p.white() if white else p.kit.surface("earth", hsv(rng.uniform(0.05, 0.1), 0.4, rng.uniform(0.4, 0.7)), metres=0.5)
    frame = p.metal() if white or rng.random() < 0.3 else p.wood()
    m.box((-w / 2, w / 2), (-0.014, 0), (-h / 2, h / 2), ground)
    for s in (-1, 1):
        m.box((s * w / 2 - 0.012, s * w / 2 + 0.012), (-0.02, 0), (-h / 2 - 0.012, h / 2 + 0.012), frame)
        m.box((-w / 2, w / 2), (-0.02, 0), (s * h / 2 - 0.012, s * h / 2 + 0.012), frame)
    for k in range(int(rng.integers(0, 5 if white else 16))):
        a, b = (0.21, 0.297) if rng.random() < 0.5 else tuple(rng.uniform(0.07, 0.2, 2))
        x, z = rng.uniform(-0.5, 0.5) * (w - a), rng.uniform(-0.5, 0.5) * (h - b)
        m.box(
            (x - a / 2, x + a / 2),
            (-0.016 - 0.0005 * k, -0.013),
            (z - b / 2, z + b / 2),
            p.paper() if rng.random() < 0.6 else p.art() if rng.random() < 0.5 else p.plastic(),
        )
    return m.thing("pinboard", (w, 0.02, h), [])


def rug(p: Palette, w: float | None = None, d: float | None = None) -> Thing:
    rng, m = p.rng, Make()
    w, d, t = w or rng.uniform(0.8, 3.0), d or rng.uniform(0.6, 2.0), rng.uniform(0.004, 0.02)
    pile = p.kit.surface("carpet", muted(rng) if rng.random() < 0.6 else None)
    if rng.random() < 0.15:
        m.soft(turned([(d / 2, 0), (d / 2, t), (0, t)], segments=40), pile)
        return m.thing("rug", (d, d, t), [])
    n = 14
    u, v = np.meshgrid(np.linspace(-w / 2, w / 2, n), np.linspace(-d / 2, d / 2, n))
    pile_up = t + 0.004 * np.clip(_patch(rng, n, n), 0, 3).astype(float)
    m.soft(sheet(np.dstack([u, v, pile_up])), pile)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, t * 0.9), pile)
    return m.thing("rug", (w, d, t), [])


def carton(p: Palette, size: Any = None) -> Thing:
    """A cardboard box, closed or open with its flaps."""
    rng, m = p.rng, Make()
    w, d, h = size if size is not None else rng.uniform((0.2, 0.18, 0.12), (0.6, 0.5, 0.5))
    brown = p.carton()
    if rng.random() < 0.6:
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, h), brown, 0.004)
        m.box((-0.025, 0.025), (-d / 2 - 0.001, d / 2 + 0.001), (0.7 * h, h + 0.001), p.paper() if rng.random() < 0.5 else p.carton())
        if rng.random() < 0.5:
            m.box((-w * 0.35, w * 0.1), (-d / 2 - 0.001, -d / 2), (h * 0.3, h * 0.7), p.paper())
        return m.thing("carton", (w, d, h), [Top((-w / 2, w / 2), (-d / 2, d / 2), h, 0.4)])
    t = 0.005
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, t), brown)
    for s in (-1, 1):
        m.box((s * w / 2 - t / 2, s * w / 2 + t / 2), (-d / 2, d / 2), (0, h), brown)
        m.box((-w / 2, w / 2), (s * d / 2 - t / 2, s * d / 2 + t / 2), (0, h), brown)
        m.flat(moved(moved(boxes((-w / 2, 0, -t / 2), (w / 2, d * 0.45, t / 2)), (0, 0, 0), 0, rng.uniform(-75, 80)), (0, s * d / 2, h), 0) if s > 0
               else moved(moved(boxes((-w / 2, -d * 0.45, -t / 2), (w / 2, 0, t / 2)), (0, 0, 0), 0, rng.uniform(-80, 75)), (0, s * d / 2, h), 0), brown)  # fmt: skip
    m.soft(moved(heap(rng, w * 0.95, d * 0.95, h * 0.5), (0, 0, h * 0.2)), p.cloth())
    return m.thing("carton", (w, d, h), [])


def bag(p: Palette) -> Thing:
    """A rucksack, handbag, sack."""
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.22, 0.45), rng.uniform(0.12, 0.25), rng.uniform(0.25, 0.5)
    cover = p.cloth() if rng.random() < 0.6 else p.plastic()
    v, f = pillow((w, d, h), (0, 0, h / 2), rng.uniform(0.4, 0.7), 20)
    v = v + 0.02 * np.sin(v[:, [1, 2, 0]] * rng.uniform(8, 20, 3) + rng.uniform(0, 6, 3))
    v[:, 2] = np.maximum(v[:, 2] - v[:, 2].min() - 0.02, 0)
    m.soft((v, f), cover)
    if rng.random() < 0.5:
        m.soft(pillow((w * 0.7, d * 0.4, h * 0.4), (0, -d * 0.42, h * 0.3), 0.4, 12), cover)
    a = np.linspace(0, np.pi, 12)
    y = rng.uniform(-0.05, 0.05)
    m.soft(tube(np.stack([w * 0.25 * np.cos(a), y + 0 * a, h * 0.95 + rng.uniform(0.05, 0.2) * np.sin(a)], 1), 0.01, 6), p.dark())
    return m.thing("bag", (w, d + 0.05, h), [])


def bin(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    h, r = rng.uniform(0.25, 0.65), rng.uniform(0.11, 0.2)
    k = rng.uniform(0.7, 1)
    if rng.random() < 0.7:
        m.soft(
            turned([(0, 0.002), (r * k, 0.002), (r, h), (r - 0.006, h), (r * k - 0.006, 0.02), (0, 0.02)]),
            p.plastic() if rng.random() < 0.5 else p.dark(),
        )
        if rng.random() < 0.5:
            m.soft(moved(heap(rng, 1.7 * r * k, 1.7 * r * k, 0.12), (0, 0, h * 0.6)), p.white())
    else:
        m.soft(turned([(0, 0), (r, 0), (r, h - 0.08), (r * 0.9, h - 0.03), (0, h)]), p.metal() if rng.random() < 0.5 else p.white())
    return m.thing("bin", (2 * r, 2 * r, h), [])


def plant(p: Palette, h: float | None = None) -> Thing:
    """A pot with something green."""
    rng, m = p.rng, Make()
    h = h or float(rng.choice([rng.uniform(0.15, 0.45), rng.uniform(0.6, 1.7)]))
    r = np.clip(h * rng.uniform(0.14, 0.3), 0.05, 0.2)
    pot = float(r * rng.uniform(1.2, 1.9))
    k = rng.uniform(0.65, 1)
    m.soft(turned([(0, 0), (r * k, 0), (r, pot), (r * 0.9, pot), (r * 0.88, pot * 0.9), (0, pot * 0.9)]), p.clay())
    leaf = p.leaf()
    kind, rise = rng.random(), h - pot * 0.9
    if kind < 0.35:  # blades out of the pot
        n = int(rng.integers(10, 36))
        a, out = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.2, 0.9, n) * rise * rng.uniform(0.3, 1)
        t = np.linspace(0, 1, 8)
        tall = rise * rng.uniform(0.5, 1, n)
        droop = rng.uniform(0, 0.7, n)
        radial = t[None] ** 1.5 * out[:, None]
        z = pot * 0.9 + tall[:, None] * (t - droop[:, None] * t**3)
        mid = np.stack([radial * np.cos(a)[:, None], radial * np.sin(a)[:, None], z], -1)
        wide = (0.012 + 0.03 * rng.random()) * (1 + h) * np.sin(np.pi * (0.12 + 0.86 * t))
        side = np.stack([-np.sin(a), np.cos(a), 0 * a], -1)[:, None] * wide[None, :, None] / 2
        for one in range(n):
            m.flat(sheet(np.stack([mid[one] - side[one], mid[one] + side[one]], 1)), leaf)
    else:  # stems and leaves
        stems, size = int(rng.integers(2, 8)), rng.uniform(0.025, 0.09) * (0.6 + h * 0.7)
        centre, side, up = [], [], []
        for _ in range(stems):
            t = np.linspace(0, 1, 8)[:, None]
            lean = rng.normal(0, 0.22, 2) * rise
            path = np.concatenate([t**1.4 * lean, pot * 0.85 + t * rise * rng.uniform(0.6, 0.95)], 1)
            m.flat(tube(path, 0.004 + 0.006 * h, 5), leaf if rng.random() < 0.5 else p.wood())
            n = int(rng.integers(8, 40))
            s = rng.uniform(0.25, 1, n)
            base = np.stack([np.interp(s, t[:, 0], path[:, k]) for k in range(3)], 1)
            a = rng.uniform(0, 2 * np.pi, n)
            along = np.stack([np.cos(a), np.sin(a), rng.uniform(-0.5, 0.8, n)], 1) * size * rng.uniform(0.6, 1.3, (n, 1))
            across = np.cross(along, (0, 0, 1)) + rng.normal(0, 0.2, (n, 3)) * size
            centre.append(base + along * 1.1)
            side.append(across * rng.uniform(0.3, 0.6))
            up.append(along)
        m.flat(cards(np.concatenate(centre), np.concatenate(side), np.concatenate(up)), leaf)
    wide = float(2 * r + 0.05 + 0.25 * h)
    return m.thing("plant", (wide, wide, h), [])


def hung_clothes(p: Palette) -> Thing:
    """A coat or towel on a hook: its back at y = 0, the hook at z = 0."""
    rng, m = p.rng, Make()
    w, h = rng.uniform(0.3, 0.55), rng.uniform(0.5, 1.1)
    n, rows = 24, 16
    t = np.linspace(0, 1, rows)[:, None]
    a = np.linspace(0, np.pi, n)[None]
    wide = w / 2 * (0.15 + 0.85 * np.clip(t * rng.uniform(1.5, 5), 0, 1)) * (1 + 0.15 * np.sin(5 * t))
    out = (0.05 + 0.09 * np.clip(3 * t, 0, 1)) * (1 + 0.35 * np.sin(a * rng.uniform(6, 14) + 2 * t))
    m.soft(sheet(np.dstack([wide * np.cos(a), -out * np.sin(a) - 0.005, -h * t + 0 * a])), p.cloth())
    m.soft(rod((0, 0, 0.01), (0, -0.06, 0.02), 0.008), p.metal())
    return m.thing("clothes", (w, 0.15, h), [])


def cable(p: Palette, a: Any, b: Any, sag: float, floor: float) -> Thing:
    """A lead from a to b that hangs or lies, never below `floor`."""
    rng, m = p.rng, Make()
    t = np.linspace(0, 1, 24)[:, None]
    path = np.asarray(a, float) * (1 - t) + np.asarray(b, float) * t
    path = path + np.sin(np.pi * t) * rng.normal(0, 0.08, 3) * (1, 1, 0) + np.sin(3 * np.pi * t) * rng.normal(0, 0.04, 3) * (1, 1, 0)
    path[:, 2] = np.maximum(path[:, 2] - sag * 4 * (t * (1 - t))[:, 0], floor + 0.004)
    m.flat(tube(path, rng.uniform(0.0025, 0.005), 6), p.dark() if rng.random() < 0.7 else p.white())
    return m.thing("cable", (0, 0, 0), [])


def stairs(p: Palette, w: float, high: float) -> Thing:
    """Up towards +y, `high` metres, about the middle of its length."""
    rng, m, board = p.rng, Make(), p.wood() if p.rng.random() < 0.6 else p.kit.surface("concrete")
    steps = max(3, round(high / rng.uniform(0.16, 0.19)))
    rise, run = high / steps, rng.uniform(0.24, 0.3)
    solid, y0, metal = rng.random() < 0.6, -steps * run / 2, p.metal()
    for k in range(steps):
        y, z = y0 + k * run, (k + 1) * rise
        m.box((-w / 2, w / 2), (y - 0.02, y + run), (z - 0.04, z), board, 0.004)
        if solid:
            m.box((-w / 2, w / 2), (y, y + run), (0, z - 0.04), p.white())
    each = 1 if rng.random() < 0.5 else 2
    last = max(1, steps - round(1.0 / rise))  # the rail ends at the ceiling
    for s in (-1, 1):
        x = s * (w / 2 - 0.03)
        m.flat(
            moved(boxes((-0.02, 0, -0.2), (0.02, math.hypot(steps * run, high), 0)), (x, y0, 0.06), 0, math.degrees(math.atan2(rise, run))),
            board,
        )
        m.flat(rod((x, y0, rise + 0.9), (x, y0 + last * run, (last + 1) * rise + 0.9), 0.02), metal)
        for k in range(0, last, each):
            y = y0 + (k + 0.5) * run
            m.flat(rod((x, y, (k + 1) * rise), (x, y, (k + 1.5) * rise + 0.9), 0.009), metal)
    return m.thing("stairs", (w, steps * run, high), [Top((-w / 2, w / 2), (y0, y0 + run), rise, 0.5)])


def corner_sofa(p: Palette) -> Thing:
    """A sofa with one seat drawn out in front."""
    rng = p.rng
    base = sofa(p, int(rng.integers(2, 4)))
    w, d, h = base.size
    m, side, out, wide = Make(), float(rng.choice([-1, 1])), rng.uniform(0.5, 0.9), rng.uniform(0.7, 0.9)
    cover = base.parts[0][1]
    seat = base.tops[0].z - 0.025
    x = side * (w / 2 - wide / 2)
    m.take(base, (0, out / 2, 0))
    y = -d / 2 + out / 2
    m.box((x - wide / 2, x + wide / 2), (y - out, y + 0.1), (0.04, seat - 0.1), cover, 0.02)
    m.soft(pillow((wide, out + 0.2, 0.18), (x, y - out / 2 + 0.08, seat - 0.06), 0.2), cover)
    top = Top((x - wide / 2 + 0.1, x + wide / 2 - 0.1), (y - out + 0.1, y), seat + 0.025, 0.4)
    first = base.tops[0]
    return m.thing("sofa", (w, d + out, h), [Top(first.x, (first.y[0] + out / 2, first.y[1] + out / 2), first.z, 0.3), top])


def drying_rack(p: Palette) -> Thing:
    """With laundry over its bars."""
    rng, m, metal = p.rng, Make(), p.metal() if p.rng.random() < 0.6 else p.white()
    w, d, h = rng.uniform(0.9, 1.5), rng.uniform(0.5, 0.6), rng.uniform(0.8, 1.05)
    bars = np.linspace(-d / 2, d / 2, 8)
    for y in bars:
        m.flat(rod((-w / 2, y, h), (w / 2, y, h), 0.004, None, 5), metal)
    for x in (-w / 2, w / 2):
        m.flat(rod((x, -d / 2, h), (x, d / 2, h), 0.006, None, 6), metal)
        m.flat(rod((x, -d / 2, 0), (x, d / 2, h - 0.1), 0.008, None, 6), metal)
        m.flat(rod((x, d / 2, 0), (x, -d / 2, h - 0.1), 0.008, None, 6), metal)
    for _ in range(int(rng.integers(2, 9))):
        y, wide = float(rng.choice(bars)), rng.uniform(0.15, 0.6)
        x = rng.uniform(-0.5, 0.5) * (w - wide)
        u, t = np.meshgrid(np.linspace(-wide / 2, wide / 2, 10), np.linspace(-1, 1, 12))
        fall, fold = rng.uniform(0.2, min(0.6, h - 0.1)), 0.012 * np.sin(u * rng.uniform(15, 40))
        m.soft(
            sheet(np.dstack([x + u, y + np.sign(t) * (0.008 + np.abs(fold)) * np.minimum(np.abs(t) * 6, 1), h + 0.006 - fall * np.abs(t)])),
            p.cloth(),
        )
    return m.thing("rack", (w, d, h), [])


def suitcase(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.3), rng.uniform(0.5, 0.75)
    cover = p.plastic() if rng.random() < 0.6 else p.cloth()
    m.soft(pillow((w, d, h), (0, 0, h / 2 + 0.04), 0.18), cover)
    for s in (-1, 1):
        m.soft(ball((s * w * 0.4, 0, 0.03), (0.02, 0.03, 0.03), 10), p.dark())
        m.flat(rod((s * 0.08, d * 0.35, h), (s * 0.08, d * 0.35, h + 0.3), 0.007), p.metal())
    m.flat(rod((-0.09, d * 0.35, h + 0.3), (0.09, d * 0.35, h + 0.3), 0.014), p.dark())
    return m.thing("suitcase", (w, d, h + 0.3), [])


def column(p: Palette, high: float) -> Thing:
    rng, m = p.rng, Make()
    r = rng.uniform(0.12, 0.3)
    surface = p.kit.surface(str(rng.choice(["paint", "concrete", "bricks", "marble"])))
    if rng.random() < 0.5:
        m.box((-r, r), (-r, r), (0, high), surface)
    else:
        m.soft(turned([(r, 0), (r, high)], segments=32), surface)
    return m.thing("column", (2 * r, 2 * r, high - 0.002), [])


def ladder(p: Palette) -> Thing:
    """A step ladder, open."""
    rng, m, metal = p.rng, Make(), p.metal() if p.rng.random() < 0.6 else p.wood()
    n, w = int(rng.integers(3, 8)), rng.uniform(0.4, 0.5)
    h = 0.24 * n
    for s in (-1, 1):
        m.flat(rod((s * w / 2, -h * 0.3, 0), (s * w * 0.4, 0, h), 0.016, None, 4), metal)
        m.flat(rod((s * w / 2, h * 0.3, 0), (s * w * 0.4, 0, h), 0.012, None, 4), metal)
    for k in range(1, n + 1):
        y, half = -h * 0.3 * (1 - k / n), w / 2 - 0.1 * w * k / n
        m.box((-half, half), (y - 0.04, y + 0.04), (0.24 * k - 0.02, 0.24 * k), metal)
    return m.thing("ladder", (w, 0.6 * h, h), [])


def ironing_board(p: Palette) -> Thing:
    rng, m, metal = p.rng, Make(), p.metal()
    h = rng.uniform(0.78, 0.95)
    v, f = pillow((1.2, 0.36, 0.05), (0, 0, h - 0.03), 0.5, 20)
    m.soft((v * np.column_stack([np.ones(len(v)), 1 - 0.5 * np.clip(v[:, 0], 0, 1), np.ones(len(v))]), f), p.linen())
    for y in (-0.1, 0.1):
        m.flat(rod((-0.45, y, 0), (0.3, y, h - 0.05), 0.011), metal)
        m.flat(rod((0.45, y, 0), (-0.3, y, h - 0.05), 0.011), metal)
    return m.thing("ironing board", (1.2, 0.36, h), [Top((-0.5, 0.3), (-0.14, 0.14), h - 0.003, 0.4)])


def armchair(p: Palette) -> Thing:
    """With a wooden frame and slim cushions, or a round tub."""
    rng = p.rng
    if rng.random() < 0.5:
        return sofa(p, 1)
    m, cover, frame = Make(), p.cloth(), p.wood()
    w, d, seat, h = rng.uniform(0.6, 0.75), rng.uniform(0.65, 0.8), rng.uniform(0.36, 0.43), rng.uniform(0.75, 1.0)
    if rng.random() < 0.5:
        a = np.linspace(math.radians(-15), math.radians(195), 26)
        tall = seat + 0.2 + (h - seat - 0.2) * np.clip(np.sin(a), 0, 1) ** 2
        r = w / 2
        rows = [
            np.stack([(r - t) * np.cos(a), (r - t) * np.sin(a) * d / w, z], 1)
            for t, z in (
                (0.0, tall * 0 + 0.08),
                (-0.01, tall * 0.6),
                (0.0, tall),
                (0.06, tall + 0.015),
                (0.11, tall - 0.01),
                (0.11, tall * 0 + seat - 0.1),
            )
        ]
        m.soft(sheet(np.stack(rows)), cover)
        m.soft(pillow((w - 0.16, d - 0.12, 0.18), (0, -0.04, seat - 0.07), 0.5), cover)
        m.soft(turned([(0, 0.0), (r * 0.75, 0), (r * 0.75, seat - 0.1), (0, seat - 0.1)], segments=24), cover)
    else:
        for s in (-1, 1):
            x = s * (w / 2 - 0.025)
            m.flat(rod((x, -d / 2 + 0.05, 0), (x, -d / 2 + 0.08, seat + 0.2), 0.02), frame)
            m.flat(rod((x, d / 2, 0), (x, d / 2 - 0.15, seat + 0.2), 0.02), frame)
            m.box((x - 0.03, x + 0.03), (-d / 2, d / 2 - 0.08), (seat + 0.2, seat + 0.225), frame, 0.006)
            m.box((x - 0.012, x + 0.012), (-d / 2 + 0.06, d / 2 - 0.1), (seat - 0.13, seat - 0.07), frame)
        m.soft(moved(pillow((w - 0.1, d - 0.12, 0.14), (0, 0, 0), 0.3), (0, -0.03, seat - 0.03), 0, 5), cover)
        m.soft(moved(pillow((w - 0.1, 0.14, h - seat + 0.05), (0, 0, 0), 0.3), (0, d / 2 - 0.16, (h + seat) / 2), 0, -16), cover)
    return m.thing("armchair", (w, d, h), [Top((-0.2, 0.2), (-d / 2 + 0.1, d / 2 - 0.3), seat + 0.03, 0.3)])
