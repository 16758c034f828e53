"""What towns are built of: houses with recessed windows, roofs, cars, lamps, signs, fences, columns, statues. Metres, z up.

A house stands with its front on the plane y = 0, looking along -y, from x = 0 to its width; vehicles look along +y about the origin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Mesh, ball, joined, lathe, sheet, tube

from .kit import Kit, Part, rounded
from .textures import Colour, Rng, any_colour, hsv, wall_colour

Floats = NDArray[np.float64]
_BOX = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_SIDES = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])


# Meshes


def boxes(centre: Sequence[Sequence[float]] | Floats, size: Sequence[Sequence[float]] | Sequence[float] | Floats) -> Mesh:
    """Many boxes at once: centres N×3, sizes N×3 or 3."""
    c = np.asarray(centre, float).reshape(-1, 3)
    s = np.broadcast_to(np.asarray(size, float), c.shape)
    return (c[:, None] + _BOX[None] * s[:, None]).reshape(-1, 3), (np.arange(len(c))[:, None, None] * 8 + _SIDES[None]).reshape(-1, 4)


def quads(corners: Floats) -> Mesh:
    """Separate quads N×4×3."""
    c = np.asarray(corners, float)
    return c.reshape(-1, 3), np.arange(4 * len(c)).reshape(-1, 4)


def slab(corners: Sequence[Sequence[float]], thick: float) -> Mesh:
    """A plate: four corners of its upper side, `thick` metres downwards."""
    top = np.asarray(corners, float)
    v = np.concatenate([top, top - [0, 0, thick]])
    return v, np.array([(0, 1, 2, 3), (7, 6, 5, 4), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0)])


def moved(mesh: Mesh, at: Sequence[float] = (0, 0, 0), turn: float = 0.0) -> Mesh:
    """A mesh turned by degrees about the vertical and put elsewhere."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return mesh[0] @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + np.asarray(at, float), mesh[1]


def pierced(xs: Floats, zs: Floats, holes: NDArray[np.bool_], deep: float) -> tuple[Mesh, Mesh, Floats]:
    """A wall on y = 0 between the lines xs and zs with openings (rows of zs × columns of xs), `deep` metres of reveal. The wall, the
    reveals and the openings as N×4 (x0, x1, z0, z1)."""
    x0, z0 = np.meshgrid(xs[:-1], zs[:-1])
    x1, z1 = np.meshgrid(xs[1:], zs[1:])
    rect = np.stack([x0, x1, z0, z1], -1)
    solid, open_ = rect[~holes], rect[holes]
    a, b, c, d = open_.T
    zero, in_ = np.zeros(len(open_)), np.full(len(open_), deep)

    def q(*p: Sequence[Floats]) -> Floats:
        return np.stack([np.stack(list(c), -1) for c in p], 1)

    sides = np.concatenate([
        q((a, zero, c), (a, in_, c), (a, in_, d), (a, zero, d)), q((b, zero, c), (b, zero, d), (b, in_, d), (b, in_, c)),
        q((a, zero, c), (b, zero, c), (b, in_, c), (a, in_, c)), q((a, zero, d), (a, in_, d), (b, in_, d), (b, zero, d)),
    ])  # fmt: skip
    return facing(solid, 0), quads(sides), open_


def facing(rect: Floats, y: float) -> Mesh:
    """Rectangles N×4 (x0, x1, z0, z1) on the plane of that y."""
    a, b, c, d = np.asarray(rect, float).reshape(-1, 4).T
    f = np.full(len(a), y)
    return quads(np.stack([np.stack([a, f, c], -1), np.stack([b, f, c], -1), np.stack([b, f, d], -1), np.stack([a, f, d], -1)], 1))


def bars(rect: Floats, y: float, wide: float, down: int, across: int) -> Mesh:
    """Window frames: a border and `down` upright and `across` level bars in each rectangle N×4."""
    a, b, c, d = np.asarray(rect, float).T
    w = np.full(len(a), wide)
    made = [(a, a + w, c, d), (b - w, b, c, d), (a, b, c, c + w), (a, b, d - w, d)]
    for k in range(down):
        m = a + (b - a) * (k + 1) / (down + 1)
        made.append((m - w / 2, m + w / 2, c, d))
    for k in range(across):
        m = c + (d - c) * (k + 1) / (across + 1)
        made.append((a, b, m - w / 2, m + w / 2))
    r = np.concatenate([np.stack(m, 1) for m in made])
    size = np.stack([r[:, 1] - r[:, 0], np.full(len(r), 0.05), r[:, 3] - r[:, 2]], 1)
    return boxes(np.stack([(r[:, 0] + r[:, 1]) / 2, np.full(len(r), y), (r[:, 2] + r[:, 3]) / 2], 1), size)


# Houses


@dataclass
class Look:
    """How the houses of one place are built: surfaces that they share."""

    kit: Kit
    night: bool = False
    walls: list[bpy.types.Material] = field(default_factory=list)
    roofs: list[bpy.types.Material] = field(default_factory=list)
    stone: list[bpy.types.Material] = field(default_factory=list)
    signs: list[bpy.types.Material] = field(default_factory=list)

    def __post_init__(self) -> None:
        kit, rng = self.kit, self.kit.rng
        brick = rng.random() * 0.7
        for _ in range(4):
            if rng.random() < brick:
                self.walls.append(kit.surface("bricks", bump=False))
            else:
                self.walls.append(
                    kit.surface(
                        str(rng.choice(["plaster", "paint", "paint", "concrete"])), street_colour(rng), metres=rng.uniform(2, 7), bump=False
                    )
                )
        for _ in range(2):
            kind = str(rng.choice(["shingles", "shingles", "shingles", "metal", "asphalt"]))
            self.roofs.append(kit.surface(kind, bump=False, rough=0.8))
        for _ in range(2):
            self.stone.append(
                kit.surface(
                    str(rng.choice(["concrete", "bricks", "plaster", "rock"])),
                    hsv(0.1, rng.uniform(0, 0.2), rng.uniform(0.35, 0.8)),
                    metres=2,
                    bump=False,
                )
            )
        self.signs = [kit.surface("writing", metres=rng.uniform(1.2, 3), glow=2.0 if self.night else 0.0) for _ in range(2)]

    def pick(self, of: list[bpy.types.Material]) -> bpy.types.Material:
        return of[int(self.kit.rng.integers(len(of)))]

    def panes(self) -> list[bpy.types.Material]:
        """What window panes look like from outside: dark and shiny, curtained, lit."""
        kit, rng = self.kit, self.kit.rng
        dark = float(rng.choice([0.04, 0.08, 0.16]))
        made = [kit.painted((dark, dark * 1.1, dark * 1.25), rough=0.04)] * 4 + [
            kit.painted((0.6, 0.58, 0.54), rough=0.1),
            kit.painted((0.25, 0.25, 0.24), rough=0.06),
        ]
        if self.night:
            made[2:4] = [kit.painted((1.0, 0.8, 0.5), glow=float(rng.choice([1.0, 2.0]))), kit.painted((1.0, 0.9, 0.75), glow=1.5)]
        return made

    def trim(self) -> bpy.types.Material:
        rng = self.kit.rng
        return self.kit.painted((0.88, 0.87, 0.84) if rng.random() < 0.6 else shop_colour(rng), rough=0.5)


def street_colour(rng: Rng) -> Colour:
    """Fronts: off-white, sand, ochre, grey, brick red, pastel."""
    return (
        wall_colour(rng)
        if rng.random() < 0.5
        else hsv(rng.choice([rng.uniform(0.02, 0.14), rng.random()]), rng.uniform(0.05, 0.45), rng.uniform(0.45, 0.9))
    )


def shop_colour(rng: Rng) -> Colour:
    """Shop fronts and doors: dark, grey, white, wood, rarely gaudy."""
    kind = rng.random()
    if kind < 0.15:
        return any_colour(rng)
    if kind < 0.4:
        return hsv(rng.random(), rng.uniform(0.2, 0.7), rng.uniform(0.08, 0.35))
    if kind < 0.65:
        return hsv(rng.uniform(0.04, 0.1), rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.55))
    return hsv(0.1, rng.uniform(0, 0.08), float(rng.choice([0.06, 0.2, 0.5, 0.9])))


def glazed(look: Look, rect: Floats, y: float, trim: bpy.types.Material) -> list[Part]:
    """Panes and frames in openings N×4, `y` behind the front."""
    rng = look.kit.rng
    if not len(rect):
        return []
    panes = look.panes()
    which = rng.integers(0, len(panes), len(rect))
    parts: list[Part] = [(facing(rect[which == k], y), panes[k]) for k in range(len(panes)) if (which == k).any()]
    parts.append((bars(rect, y - 0.03, rng.uniform(0.04, 0.08), int(rng.integers(0, 3)), int(rng.integers(0, 3))), trim))
    return parts


def storeys(
    look: Look, width: float, low: float, count: int, tall: float, wall: bpy.types.Material, *, bay: float, rich: float
) -> list[Part]:
    """`count` floors of windows from the height `low` up, on y = 0. rich: 0 bare to 1 with sills, lintels, shutters, balconies."""
    rng = look.kit.rng
    n = max(int(round(width / bay)), 1)
    share, top = rng.uniform(0.36, 0.7), rng.uniform(0.78, 0.92)
    sill = rng.uniform(0.02, 0.12) if rng.random() < 0.15 else rng.uniform(0.25, 0.36)
    step = width / n
    xs = np.sort(np.concatenate([[0, width], *[((k + 0.5 - share / 2) * step, (k + 0.5 + share / 2) * step) for k in range(n)]]))
    floors = [(low + (f + sill) * tall, low + (f + top) * tall) for f in range(count)]
    zs = np.concatenate([[low], *floors, [low + count * tall]])
    holes = np.zeros((len(zs) - 1, len(xs) - 1), bool)
    holes[1::2, 1::2] = True
    if n > 2 and rng.random() < 0.25:  # a blind bay
        holes[:, 2 * int(rng.integers(n)) + 1] = False
    deep = rng.uniform(0.08, 0.3)
    solid, sides, rect = pierced(xs, zs, holes, deep)
    trim = look.trim()
    parts: list[Part] = [(solid, wall), (sides, wall if rng.random() < 0.6 else trim), *glazed(look, rect, deep, trim)]
    if not len(rect):
        return parts
    a, b, c, d = rect.T
    mid = (a + b) / 2
    if rng.random() < 0.3 + rich:
        parts.append(
            (
                boxes(
                    np.stack([mid, np.full(len(a), -0.04), c - 0.04], 1),
                    np.stack([b - a + 0.16, np.full(len(a), 0.16), np.full(len(a), 0.08)], 1),
                ),
                trim,
            )
        )
    if rng.random() < rich:
        h = rng.uniform(0.1, 0.3)
        parts.append(
            (
                boxes(
                    np.stack([mid, np.full(len(a), -0.03), d + h / 2], 1),
                    np.stack([b - a + 0.25, np.full(len(a), 0.1), np.full(len(a), h)], 1),
                ),
                trim,
            )
        )
    if rng.random() < 0.5 * rich:
        w = np.minimum((b - a) / 2, step * (1 - share) / 2 - 0.03)
        leaf = look.kit.painted(any_colour(rng), rough=0.6)
        for x in (a - w / 2, b + w / 2):
            parts.append(
                (boxes(np.stack([x, np.full(len(a), -0.03), (c + d) / 2], 1), np.stack([w, np.full(len(a), 0.05), d - c], 1)), leaf)
            )
    if rng.random() < 0.35 * (0.5 + rich) and count > 1:
        some = np.flatnonzero(rng.random(len(rect)) < rng.choice([0.3, 1.0]))
        parts += balconies(look, np.stack([mid, c, b - a], 1)[some], min(step * 0.95, rng.uniform(1.6, 3.5)))
    if rng.random() < 0.5 * rich:
        z = low + np.arange(count + 1) * tall
        parts.append(
            (boxes(np.stack([np.full(len(z), width / 2), np.full(len(z), -0.05), z], 1), (width, 0.16, rng.uniform(0.12, 0.35))), trim)
        )
    return parts


def balconies(look: Look, at: Floats, wide: float) -> list[Part]:
    """Balconies under windows given by N×3 (middle x, sill z, window's width)."""
    rng, kit = look.kit.rng, look.kit
    if not len(at):
        return []
    out = rng.uniform(0.5, 1.4)
    floor = np.stack([at[:, 0], np.full(len(at), -out / 2), at[:, 1] - 0.5], 1)
    parts: list[Part] = [(boxes(floor, (wide, out, 0.14)), kit.painted((0.62, 0.6, 0.58), rough=0.8))]
    if rng.random() < 0.45:
        front = floor + [0, -out / 2 + 0.03, 0.5]
        sides = np.concatenate([floor + [s * (wide / 2 - 0.03), 0, 0.5] for s in (-1, 1)])
        skin = kit.painted(any_colour(rng), rough=0.6)
        return [*parts, (boxes(front, (wide, 0.06, 1.0)), skin), (boxes(sides, (0.06, out, 1.0)), skin)]
    step = 0.14
    n = int(wide / step)
    posts = (
        floor[:, None] + np.stack([np.linspace(-wide / 2, wide / 2, n), np.full(n, -out / 2 + 0.03), np.full(n, 0.52)], 1)[None]
    ).reshape(-1, 3)
    m = max(int(out / step), 2)
    for s in (-1, 1):
        more = floor[:, None] + np.stack([np.full(m, s * wide / 2), np.linspace(-out / 2, out / 2, m), np.full(m, 0.52)], 1)[None]
        posts = np.concatenate([posts, more.reshape(-1, 3)])
    iron = kit.painted((0.1, 0.1, 0.11), rough=0.5)
    rails = np.concatenate([floor + [0, -out / 2 + 0.03, 1.02]])
    return [*parts, (boxes(posts, (0.025, 0.025, 0.95)), iron), (boxes(rails, (wide, 0.05, 0.05)), iron)]


def ground_floor(look: Look, width: float, tall: float, wall: bpy.types.Material, use: str) -> list[Part]:
    """use: "home" (door and windows), "shop", "garage", "arches"."""
    rng, kit = look.kit.rng, look.kit
    trim = look.trim()
    if use == "arches":
        return arcade(look, width, tall, wall)
    if use == "home":
        n = max(int(round(width / rng.uniform(1.8, 2.8))), 2)
        step = width / n
        doors = {int(rng.integers(n))}
        if n > 5:
            doors.add(int(rng.integers(n)))
        parts: list[Part] = []
        xs, zs = [0.0], np.array([0.0, 0.15, 0.95, min(2.2, tall - 0.4), tall])
        kinds = []
        for k in range(n):
            w = 1.0 if k in doors else rng.uniform(0.9, min(1.5, step * 0.75))
            xs += [(k + 0.5) * step - w / 2, (k + 0.5) * step + w / 2]
            kinds.append(k in doors)
        holes = np.zeros((4, 2 * n + 1), bool)
        for k, is_door in enumerate(kinds):
            holes[2, 2 * k + 1] = True
            if is_door:
                holes[1, 2 * k + 1] = True
        solid, sides, rect = pierced(np.array([*xs, width]), zs, holes, 0.2)
        parts += [(solid, wall), (sides, trim)]
        middle = (rect[:, 0] + rect[:, 1]) / 2
        is_door = np.isin((middle / step).astype(int), list(doors))
        parts += glazed(look, rect[~is_door], 0.17, trim)
        door = kit.painted(shop_colour(rng), rough=0.4)
        parts.append((facing(rect[is_door], 0.18), door))
        steps = np.array([((k + 0.5) * step, -0.2, 0.07) for k in doors])
        parts.append((boxes(steps, (1.5, 0.45, 0.15)), look.pick(look.stone)))
        panels = np.concatenate([steps + [x, 0.37, z] for x in (-0.22, 0.22) for z in (0.6, 1.5)])
        parts.append((boxes(panels, (0.3, 0.03, 0.6)), door))
        return parts
    if use == "garage":
        n = max(int(width / 3.2), 1)
        step = width / n
        xs = np.sort(np.concatenate([[0, width], *[((k + 0.5) * step - 1.25, (k + 0.5) * step + 1.25) for k in range(n)]]))
        holes = np.zeros((2, 2 * n + 1), bool)
        holes[0, 1::2] = True
        solid, sides, rect = pierced(xs, np.array([0, 2.3, tall]), holes, 0.3)
        gate = kit.painted(shop_colour(rng), rough=0.5)
        slats = np.concatenate(
            [np.stack([(rect[:, 0] + rect[:, 1]) / 2, np.full(n, 0.28), np.full(n, z)], 1) for z in np.arange(0.1, 2.3, 0.2)]
        )
        return [(solid, wall), (sides, wall), (facing(rect, 0.3), gate), (boxes(slats, (2.4, 0.04, 0.16)), gate)]
    n = max(int(round(width / rng.uniform(2.8, 4.5))), 1)
    step, sill, top = width / n, rng.uniform(0.15, 0.6), tall - rng.uniform(0.7, 1.1)
    xs = np.sort(np.concatenate([[0, width], *[((k + 0.07) * step, (k + 0.93) * step) for k in range(n)]]))
    holes = np.zeros((3, 2 * n + 1), bool)
    holes[1, 1::2] = True
    deep = rng.uniform(0.15, 0.8)
    frame = kit.painted(shop_colour(rng), rough=0.4)
    solid, sides, rect = pierced(xs, np.array([0, sill, top, tall]), holes, deep)
    parts = [(solid, frame if rng.random() < 0.6 else wall), (sides, frame)]
    parts += glazed(look, rect, deep, frame)
    board = rng.uniform(0.35, 0.6)
    sign = look.pick(look.signs)
    for k in range(n):
        if rng.random() < 0.8:
            parts.append(
                (rounded((step * rng.uniform(0.5, 0.94), 0.12, board), 0.01, ((k + 0.5) * step, -0.06, top + 0.2 + board / 2)), sign)
            )
        if rng.random() < 0.3:
            x0, x1, z = (k + 0.05) * step, (k + 0.95) * step, top + 0.1
            out = rng.uniform(0.8, 1.8)
            cloth = kit.surface("fabric", metres=1.0, bump=False) if rng.random() < 0.5 else kit.painted(any_colour(rng), rough=0.8)
            parts.append((slab([(x0, -out, z - 0.5), (x1, -out, z - 0.5), (x1, 0, z + 0.1), (x0, 0, z + 0.1)], 0.05), cloth))
        if rng.random() < 0.2:
            parts.append((rounded((0.08, 0.9, 0.7), 0.02, ((k + rng.uniform(0.05, 0.95)) * step, -0.6, tall + 0.2)), look.pick(look.signs)))
    x = (rng.integers(n) + rng.uniform(0.3, 0.7)) * step
    parts.append((boxes([(x, deep - 0.05, (sill + 2.1) / 2)], (1.0, 0.06, 2.1)), frame))
    return parts


def arcade(look: Look, width: float, tall: float, wall: bpy.types.Material) -> list[Part]:
    """Arches on piers before a passage 3 m deep."""
    rng = look.kit.rng
    n = max(int(round(width / rng.uniform(2.6, 4.2))), 1)
    step = width / n
    clear = step * rng.uniform(0.62, 0.8)
    spring = min(tall - clear / 2 - 0.3, rng.uniform(1.8, 2.8))
    deep = rng.uniform(0.4, 0.8)
    parts: list[Part] = []
    t = np.linspace(0, np.pi, 17)
    for k in range(n):
        x0, x1, mid = k * step, (k + 1) * step, (k + 0.5) * step
        arch = np.stack([mid - np.cos(t) * clear / 2, spring + np.sin(t) * min(clear / 2, tall - spring - 0.2)], 1)
        inner = np.concatenate([[(mid - clear / 2, 0)], arch, [(mid + clear / 2, 0)]])
        outer = np.concatenate([[(x0, 0)], np.stack([np.linspace(x0, x1, 17), np.full(17, tall)], 1), [(x1, 0)]])
        outer[1, 1] = outer[-2, 1] = tall

        def at(p: Floats, y: float) -> Floats:
            return np.stack([p[:, 0], np.full(len(p), y), p[:, 1]], 1)

        parts.append((sheet(np.stack([at(outer, 0), at(inner, 0), at(inner, deep), at(outer, deep)])), wall))
    parts.append((boxes([(width / 2, 1.5 + deep, tall - 0.15)], (width, 3 + deep, 0.3)), wall))
    parts.append((moved(facing(np.array([[0, width, 0, tall]]), 0), (0, 3 + deep, 0)), look.pick(look.walls)))
    some = np.arange(n)[rng.random(n) < 0.6]
    parts += [
        (moved(m, (0, 3 + deep - 0.3, 0)), s)
        for m, s in glazed(look, np.stack([(some + 0.3) * step, (some + 0.7) * step, 0.1 + 0 * some, 2.3 + 0 * some], 1), 0.25, look.trim())
    ]
    if rng.random() < 0.5:
        caps = np.array([(k * step, deep / 2, spring) for k in range(n + 1)])
        parts.append((boxes(caps, (step - clear + 0.15, deep + 0.15, 0.18)), look.pick(look.stone)))
    return parts


def roofed(look: Look, width: float, deep: float, eave: float, wall: bpy.types.Material, kind: str) -> list[Part]:
    """kind: "eaves" (ridge along the front), "gable" (ridge away from it), "hip", "flat", "mansard"."""
    rng, kit = look.kit.rng, look.kit
    skin = look.pick(look.roofs)
    trim = look.trim()
    over = rng.uniform(0.15, 0.6)
    parts: list[Part] = []
    if kind == "flat":
        up = rng.uniform(0.2, 1.0)
        c = [
            (width / 2, 0.12, eave + up / 2),
            (width / 2, deep - 0.12, eave + up / 2),
            (0.12, deep / 2, eave + up / 2),
            (width - 0.12, deep / 2, eave + up / 2),
        ]
        parts.append((boxes(c, [(width, 0.24, up), (width, 0.24, up), (0.24, deep, up), (0.24, deep, up)]), wall))
        parts.append((boxes([(width / 2, 0.0, eave + up)], (width + 0.1, 0.5, 0.12)), trim))
        parts.append((facing(np.zeros((1, 4)), 0), skin))
        parts.append((boxes([(width / 2, deep / 2, eave)], (width, deep, 0.1)), skin))
        huts = rng.uniform((0.1 * width, 0.3 * deep, 0), (0.9 * width, 0.9 * deep, 0), (int(rng.integers(0, 4)), 3)) + [0, 0, eave + 0.8]
        if len(huts):
            parts.append((boxes(huts, rng.uniform(0.6, 2.6, (len(huts), 3))), kit.painted((0.55, 0.55, 0.55), rough=0.8)))
        return parts
    if kind == "mansard":
        h, inset = rng.uniform(2.0, 3.2), rng.uniform(0.5, 1.2)
        p = np.array([(0, 0, 0), (width, 0, 0), (width, deep, 0), (0, deep, 0)], float) + [0, 0, eave]
        q = p + np.array([(0, inset, h), (0, inset, h), (0, -inset, h), (0, -inset, h)])
        parts.append(((np.concatenate([p, q]), np.array([(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7)])), skin))
        n = max(int(width / rng.uniform(2, 3.5)), 1)
        x = (np.arange(n) + 0.5) * width / n
        parts.append((boxes(np.stack([x, np.full(n, 0.75), np.full(n, eave + 1.05)], 1), (1.3, 1.4, 1.7)), wall))
        parts.append((boxes(np.stack([x, np.full(n, 0.7), np.full(n, eave + 1.95)], 1), (1.6, 1.7, 0.12)), skin))
        parts += glazed(look, np.stack([x - 0.45, x + 0.45, np.full(n, eave + 0.5), np.full(n, eave + 1.75)], 1), 0.03, trim)
        parts.append((boxes([(width / 2, -0.1, eave)], (width, 0.5, 0.3)), trim))
        high = eave + h
    elif kind == "hip":
        pitch = math.tan(math.radians(rng.uniform(22, 42)))
        run = min(width, deep) / 2 + over
        h, o = run * pitch, over
        p = np.array([(-o, -o, 0), (width + o, -o, 0), (width + o, deep + o, 0), (-o, deep + o, 0)], float) + [0, 0, eave]
        if width >= deep:
            r = np.array([(run - o, deep / 2, eave + h), (width - run + o, deep / 2, eave + h)])
            f = [(0, 1, 5, 4), (1, 2, 5, 5), (2, 3, 4, 5), (3, 0, 4, 4), (3, 2, 1, 0)]
        else:
            r = np.array([(width / 2, run - o, eave + h), (width / 2, deep - run + o, eave + h)])
            f = [(0, 1, 4, 4), (1, 2, 5, 4), (2, 3, 5, 5), (3, 0, 4, 5), (3, 2, 1, 0)]
        parts.append(((np.concatenate([p, r]), np.array(f)), skin))
        high = eave + h
    else:
        pitch = math.tan(math.radians(rng.uniform(25, 52)))
        along = kind == "eaves"
        half = (deep if along else width) / 2
        h = half * pitch
        long = width if along else deep
        gable = np.array([(0, 0, eave), (0, 2 * half, eave), (0, half, eave + h)])
        ends = np.concatenate([gable, gable + [long, 0, 0]])
        ends_f = np.array([(0, 1, 2, 2), (3, 4, 5, 5)])
        t = 0.14
        slabs = joined([
            slab([(-over * along, -over, eave - over * pitch + t), (long + over * along, -over, eave - over * pitch + t),
                  (long + over * along, half, eave + h + t), (-over * along, half, eave + h + t)], t),
            slab([(-over * along, half, eave + h + t), (long + over * along, half, eave + h + t),
                  (long + over * along, 2 * half + over, eave - over * pitch + t), (-over * along, 2 * half + over, eave - over * pitch + t)], t),
        ])  # fmt: skip
        gable_mesh: Mesh = (ends, ends_f)
        if not along:  # its ridge runs away from the street: x and y change places
            swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
            gable_mesh, slabs = (ends @ swap, ends_f), (slabs[0] @ swap + [0, -0.2, 0], slabs[1])
            if h > 2.2:
                parts += glazed(look, np.array([[half - 0.45, half + 0.45, eave + 0.5, eave + 1.6]]), 0.02, trim)
        parts += [(gable_mesh, wall), (slabs, skin)]
        high = eave + h
        if along and rng.random() < 0.45 and h > 2:
            n = int(rng.integers(1, max(int(width / 3), 1) + 1))
            x = (np.arange(n) + 0.5) * width / n
            y = 1.0 / pitch
            parts.append((boxes(np.stack([x, np.full(n, y + 0.8), np.full(n, eave + 1.3)], 1), (1.4, 1.8, 1.5)), wall))
            parts.append((boxes(np.stack([x, np.full(n, y + 0.75), np.full(n, eave + 2.1)], 1), (1.7, 2.1, 0.12)), skin))
            parts += [
                (moved(m, (0, y - 0.15, 0)), s)
                for m, s in glazed(look, np.stack([x - 0.45, x + 0.45, np.full(n, eave + 0.8), np.full(n, eave + 1.9)], 1), 0.03, trim)
            ]
        if along:
            gutter = np.array(
                [
                    (-over, -over - 0.05, eave - over * pitch + 0.02),
                    (width / 2, -over - 0.05, eave - over * pitch),
                    (width + over, -over - 0.05, eave - over * pitch + 0.02),
                ]
            )
            parts.append((tube(gutter, 0.06, 6), kit.painted((0.4, 0.4, 0.42), rough=0.4)))
            parts.append(
                (
                    tube(np.array([(0.15, -0.08, 0.1), (0.15, -0.08, eave / 2), (0.15, -0.08, eave - 0.1)]), 0.05, 6),
                    kit.painted((0.4, 0.4, 0.42), rough=0.4),
                )
            )
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.35, 0.65) * deep
        parts.append(
            (
                boxes([(x, y, high - 0.3), (x, y, high + 0.75)], [(0.6, 0.5, 2.2), (0.75, 0.65, 0.12)]),
                wall if rng.random() < 0.5 else look.pick(look.stone),
            )
        )
    if rng.random() < 0.2:
        x = rng.uniform(0.2, 0.8) * width
        parts.append(
            (
                boxes(
                    [(x, deep / 2, high + 1), (x, deep / 2, high + 1.7), (x, deep / 2, high + 1.3)],
                    [(0.04, 0.04, 2.4), (0.03, 1.4, 0.03), (0.03, 1.0, 0.03)],
                ),
                kit.painted((0.5, 0.5, 0.5)),
            )
        )
    return parts


@dataclass
class House:
    parts: list[Part]
    width: float
    deep: float
    high: float


def house(look: Look, kind: str, width: float | None = None) -> House:
    """kind: "town" (a terrace), "old" (a small house of an old town), "villa" (detached, windows all around), "tower", "hall"."""
    rng = look.kit.rng
    wall, base = look.pick(look.walls), look.pick(look.stone)
    parts: list[Part] = []
    if kind == "tower":
        width = width or rng.uniform(14, 45)
        deep, count, tall, low = rng.uniform(12, 25), int(rng.integers(6, 22)), rng.uniform(2.8, 3.5), rng.uniform(3.2, 5)
        bay, rich, roof = rng.uniform(2.2, 4.5), rng.uniform(0, 0.5), "flat"
        use = str(rng.choice(["shop", "home", "arches"]))
    elif kind == "hall":
        width = width or rng.uniform(15, 40)
        deep, count, tall, low = rng.uniform(12, 25), 1, rng.uniform(3, 6), rng.uniform(2.8, 4)
        bay, rich, roof, use = rng.uniform(3, 6), 0.0, str(rng.choice(["flat", "eaves"])), str(rng.choice(["garage", "shop", "home"]))
    elif kind == "villa":
        width = width or rng.uniform(7.5, 15)
        deep, count, tall, low = rng.uniform(7, 12), int(rng.integers(0, 3)), rng.uniform(2.5, 3), rng.uniform(2.6, 3.1)
        bay, rich, roof, use = (
            rng.uniform(2.2, 4),
            rng.uniform(0, 0.7),
            str(rng.choice(["eaves", "gable", "hip", "hip", "flat"], p=[0.35, 0.25, 0.17, 0.13, 0.1])),
            "home",
        )
    elif kind == "old":
        width = width or rng.uniform(4, 9)
        deep, count, tall, low = rng.uniform(7, 12), int(rng.integers(1, 4)), rng.uniform(2.3, 2.9), rng.uniform(2.4, 3)
        bay, rich, roof = rng.uniform(1.6, 3), rng.uniform(0.2, 0.9), str(rng.choice(["eaves", "gable"]))
        use = str(rng.choice(["home", "home", "shop", "arches", "garage"], p=[0.35, 0.25, 0.2, 0.1, 0.1]))
    else:
        width = width or rng.uniform(6, 20)
        deep, count, tall, low = rng.uniform(9, 14), int(rng.integers(2, 6)), rng.uniform(2.8, 3.7), rng.uniform(3, 4.5)
        bay, rich, roof = (
            rng.uniform(1.8, 3.2),
            rng.uniform(0, 1),
            str(rng.choice(["eaves", "flat", "mansard", "gable"], p=[0.4, 0.3, 0.2, 0.1])),
        )
        use = str(rng.choice(["shop", "home", "arches"], p=[0.45, 0.47, 0.08]))
    eave = low + count * tall
    first = base if rng.random() < 0.3 else wall
    parts += ground_floor(look, width, low, first, use)
    if count:
        parts += storeys(look, width, low, count, tall, wall, bay=bay, rich=rich)
    under = boxes(
        [(width / 2, 0.01 if use == "arches" else -0.03, -0.6)],
        (width + 0.06, 0.14, 1.3 + 2 * (rng.uniform(0, 0.5) if use == "home" else 0)),
    )
    parts.append((under, base))
    if kind == "villa":
        for turn, at in ((90, (width, 0, 0)), (-90, (0, deep, 0))):
            both = ground_floor(look, deep, low, first, "home" if rng.random() < 0.4 else "garage" if rng.random() < 0.15 else "home")
            both += storeys(look, deep, low, count, tall, wall, bay=bay * 1.3, rich=rich * 0.5) if count else []
            parts += [(moved(m, at, turn), s) for m, s in both]
    else:
        for turn, at in ((90, (width, 0, 0)), (-90, (0, deep, 0))):
            if kind in ("tower", "hall"):
                parts += [(moved(m, at, turn), s) for m, s in storeys(look, deep, low, count, tall, wall, bay=bay * 1.2, rich=0)]
                parts.append((moved(facing(np.array([[0, deep, -1.2, low]]), 0), at, turn), base))
            else:
                parts.append((moved(facing(np.array([[0, deep, -1.2, eave]]), 0), at, turn), wall))
    parts.append((moved(facing(np.array([[0, width, -1.2, eave]]), 0), (width, deep, 0), 180), wall))
    parts += roofed(look, width, deep, eave, wall, roof)
    if use in ("home", "shop") and rng.random() < 0.3:  # quoins
        z = np.arange(0.3, eave, 0.7)
        c = np.concatenate([np.stack([np.full(len(z), x), np.full(len(z), 0.05), z], 1) for x in (0.15, width - 0.15)])
        parts.append((boxes(c, (0.36, 0.16, 0.42)), base))
    return House(parts, width, deep, eave)


# Vehicles

_CARS = {  # (share of the length from the front, height in metres): the lower body's upper edge, and the roof
    "hatch": (
        [(0, 0.55), (0.03, 0.72), (0.24, 0.93), (0.9, 0.98), (0.97, 0.95), (1, 0.7)],
        [(0.24, 0.9), (0.43, 1.42), (0.55, 1.47), (0.85, 1.4), (0.97, 0.98)],
    ),
    "saloon": (
        [(0, 0.5), (0.03, 0.68), (0.27, 0.88), (0.82, 0.98), (0.97, 0.96), (1, 0.65)],
        [(0.27, 0.88), (0.42, 1.36), (0.52, 1.42), (0.7, 1.38), (0.84, 0.99)],
    ),
    "estate": (
        [(0, 0.52), (0.03, 0.7), (0.25, 0.9), (0.95, 0.98), (1, 0.75)],
        [(0.25, 0.9), (0.4, 1.4), (0.55, 1.46), (0.9, 1.42), (0.985, 1.0)],
    ),
    "suv": (
        [(0, 0.65), (0.02, 0.9), (0.24, 1.08), (0.95, 1.12), (1, 0.85)],
        [(0.24, 1.08), (0.38, 1.62), (0.55, 1.7), (0.9, 1.64), (0.98, 1.12)],
    ),
    "mini": (
        [(0, 0.6), (0.04, 0.78), (0.18, 0.96), (0.96, 1.0), (1, 0.8)],
        [(0.18, 0.95), (0.36, 1.45), (0.6, 1.52), (0.9, 1.45), (0.985, 1.0)],
    ),
    "van": (
        [(0, 0.6), (0.02, 0.9), (0.12, 1.12), (0.98, 1.2), (1, 0.9)],
        [(0.12, 1.12), (0.24, 1.92), (0.3, 1.98), (0.97, 1.98), (0.995, 1.2)],
    ),
}


def _wheel(radius: float, wide: float) -> tuple[Mesh, Mesh]:
    """Tyre and rim about the x axis."""
    flip = np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]).T
    w = wide / 2
    tyre = lathe(
        [(radius * 0.62, -w), (radius * 0.95, -w), (radius, -w * 0.7), (radius, w * 0.7), (radius * 0.95, w), (radius * 0.62, w)],
        (0, 0, 0),
        22,
    )
    rim = lathe(
        [
            (0, -w * 0.8),
            (radius * 0.2, -w * 0.8),
            (radius * 0.55, -w * 0.55),
            (radius * 0.63, -w),
            (radius * 0.63, w),
            (radius * 0.55, w * 0.55),
            (radius * 0.2, w * 0.8),
            (0, w * 0.8),
        ],
        (0, 0, 0),
        14,
    )
    return (tyre[0] @ flip, tyre[1]), (rim[0] @ flip, rim[1])


def car(kit: Kit, kind: str | None = None) -> list[Part]:
    """A parked car or van of about 1500 faces, looking along +y, its wheels on z = 0."""
    rng = kit.rng
    kind = kind or str(rng.choice(list(_CARS), p=[0.28, 0.2, 0.16, 0.18, 0.08, 0.1]))
    long = {"hatch": 4.0, "saloon": 4.6, "estate": 4.6, "suv": 4.5, "mini": 3.5, "van": 5.1}[kind] * rng.uniform(0.95, 1.05)
    wide = {"mini": 1.62, "van": 1.95, "suv": 1.86}.get(kind, 1.77) * rng.uniform(0.97, 1.03)
    low, high = (np.array(p) for p in _CARS[kind])
    grown = rng.uniform(0.96, 1.05)
    t = np.unique(np.concatenate([np.linspace(0, 1, 27), low[:, 0], high[:, 0]]))
    belt = np.interp(t, low[:, 0], low[:, 1]) * grown
    roof = np.where((t >= high[0, 0]) & (t <= high[-1, 0]), np.interp(t, high[:, 0], high[:, 1]) * grown, 0)
    roof = np.maximum(roof, belt + 0.035)
    half = wide / 2 * np.interp(t, [0, 0.03, 0.12, 0.3, 0.85, 0.97, 1], [0.72, 0.88, 0.97, 1, 1, 0.94, 0.86])
    floor = np.interp(t, [0, 0.1, 0.9, 1], [0.28, 0.17, 0.19, 0.33])
    up = np.clip((roof - belt) / 0.45, 0, 1)
    section = [(half * 0.86, floor), (half * 0.985, floor + 0.06), (half, floor + 0.35), (half * 0.985, belt - 0.07), (half * 0.94, belt),
               (half * (0.86 - 0.1 * up), roof - 0.05 * up), (half * (0.6 - 0.02 * up), roof)]  # fmt: skip
    right = np.stack([np.stack([x, (0.5 - t) * long, z], -1) for x, z in section], 1)
    ring = np.concatenate([right, (right * [-1, 1, 1])[:, ::-1]], 1)
    n, k = ring.shape[:2]
    i, j = np.mgrid[0 : n - 1, 0:k].reshape(2, -1)
    faces = np.stack([i * k + j, i * k + (j + 1) % k, (i + 1) * k + (j + 1) % k, (i + 1) * k + j], 1)
    tall = roof - belt > 0.24
    mid = (t[i] + t[i + 1]) / 2
    front, back = high[1, 0], high[-2, 0]
    side = np.isin(j, (4, 8)) & tall[i] & tall[i + 1] & (mid > high[0, 0] + 0.07) & (mid < (0.45 if kind == "van" else high[-1, 0] - 0.06))
    side &= (np.abs(mid - (0.56 if kind != "van" else 0.3)) > 0.02) & (np.abs(mid - 0.78) > (0.015 if kind in ("estate", "suv") else 0.0))
    screen = (
        np.isin(j, (5, 6, 7))
        & (((mid > high[0, 0]) & (mid < front)) | ((mid > back) & (mid < high[-1, 0])))
        & (kind != "van" or mid[0] < 2)
    )
    if kind == "van":
        screen &= mid < 0.5
    glassy = side | screen
    caps = np.concatenate(
        [
            [(a, a + 1, k - 2 - a, k - 1 - a) for a in range(6)],
            [((n - 1) * k + a, (n - 1) * k + a + 1, n * k - 2 - a, n * k - 1 - a) for a in range(6)],
        ]
    )
    flat = ring.reshape(-1, 3)
    colour = (
        hsv(rng.random(), rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.75))
        if rng.random() < 0.4
        else hsv(0.6, rng.uniform(0, 0.08), float(rng.choice([0.06, 0.15, 0.35, 0.6, 0.75, 0.92])))
    )
    paint = kit.painted(tuple(round(c, 3) for c in colour), rough=rng.uniform(0.15, 0.35), metallic=float(rng.choice([0.0, 0.35])))  # type: ignore[arg-type]
    black, glass = kit.painted((0.045, 0.045, 0.05), rough=0.5), kit.painted((0.05, 0.06, 0.07), rough=0.03)
    parts: list[Part] = [((flat, np.concatenate([faces[~glassy], caps])), paint), ((flat + 0.0, faces[glassy]), glass)]
    radius = {"suv": 0.36, "van": 0.34}.get(kind, 0.315)
    tyre, rim = _wheel(radius, 0.2)
    axles = [(0.5 - 0.185) * long, (0.5 - 0.81) * long]
    at = [(s * (wide / 2 - 0.065), y, radius) for s in (-1, 1) for y in axles]
    parts.append((joined([moved(tyre, a) for a in at]), black))
    parts.append((joined([moved(rim, a) for a in at]), kit.painted((0.55, 0.56, 0.58), rough=0.35, metallic=0.5)))
    flip = np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]).T
    arch = lathe([(0, -0.13), (radius + 0.06, -0.13), (radius + 0.06, 0.13), (0, 0.13)], (0, 0, 0), 20)
    arch = (arch[0] @ flip, arch[1])
    parts.append((joined([moved(arch, (s * (wide / 2 - 0.125), y, radius)) for s in (-1, 1) for y in axles]), black))
    nose, tail, w = long / 2, -long / 2, wide / 2
    parts.append((boxes([(0, nose - 0.06, 0.42), (0, tail + 0.06, 0.42)], [(w * 1.3, 0.16, 0.2), (w * 1.3, 0.16, 0.16)]), black))
    z = belt[2] - 0.04
    parts.append(
        (
            joined([ball((s * w * 0.72, nose - 0.13, z), (0.17, 0.14, 0.075), 10) for s in (-1, 1)]),
            kit.painted((0.85, 0.87, 0.9), rough=0.1),
        )
    )
    parts.append(
        (
            boxes([(s * w * 0.78, tail + 0.06, belt[-3] - 0.1) for s in (-1, 1)], (0.2, 0.16, 0.2)),
            kit.painted((0.5, 0.03, 0.03), rough=0.15),
        )
    )
    parts.append((boxes([(0, nose + 0.01, 0.42), (0, tail - 0.01, 0.72)], (0.5, 0.05, 0.12)), kit.painted((0.85, 0.84, 0.75), rough=0.5)))
    parts.append(
        (
            joined(
                [
                    rounded((0.2, 0.1, 0.14), 0.04, (s * (w + 0.07), (0.5 - high[0, 0]) * long - 0.35, belt[len(t) // 2] + 0.06))
                    for s in (-1, 1)
                ]
            ),
            paint,
        )
    )
    return parts


def lorry(kit: Kit) -> list[Part]:
    """A box lorry or a bus."""
    rng = kit.rng
    skin = kit.surface("writing", metres=rng.uniform(2, 5)) if rng.random() < 0.3 else kit.painted(any_colour(rng), rough=0.4)
    black, glass = kit.painted((0.045, 0.045, 0.05), rough=0.5), kit.painted((0.05, 0.06, 0.07), rough=0.03)
    parts: list[Part] = []
    if rng.random() < 0.5:
        long, high = rng.uniform(9, 12), 3.0
        parts.append((rounded((2.5, long, high - 0.35), 0.15, (0, 0, 0.35 + (high - 0.35) / 2)), skin))
        n = int(long / 1.5)
        y = (np.arange(n) + 0.5) * (long - 0.6) / n - (long - 0.6) / 2
        parts.append((boxes([(s * 1.25, v, 1.9) for s in (-1, 1) for v in y], (0.04, (long - 0.6) / n - 0.12, 1.0)), glass))
        parts.append((boxes([(0, long / 2, 1.8), (0, -long / 2, 2.0)], [(2.2, 0.06, 1.5), (2.0, 0.06, 0.9)]), glass))
        axles = [long / 2 - 2.5, -long / 2 + 3]
    else:
        long, high = rng.uniform(6, 9), rng.uniform(2.8, 3.6)
        parts.append((rounded((2.4, long - 2, high - 0.9), 0.04, (0, -1, 0.9 + (high - 0.9) / 2)), skin))
        cab = kit.painted(any_colour(rng), rough=0.3)
        parts.append((rounded((2.2, 1.8, 2.0), 0.2, (0, long / 2 - 0.95, 1.45)), cab))
        parts.append(
            (
                boxes(
                    [(0, long / 2 - 0.06, 1.85), (1.1, long / 2 - 0.8, 1.85), (-1.1, long / 2 - 0.8, 1.85)],
                    [(1.9, 0.06, 0.75), (0.04, 0.8, 0.7), (0.04, 0.8, 0.7)],
                ),
                glass,
            )
        )
        parts.append((boxes([(0, 0, 0.7)], (1.0, long - 0.5, 0.3)), black))
        axles = [long / 2 - 1.1, -long / 2 + 1.6]
    tyre, rim = _wheel(0.48, 0.3)
    at = [(s * 1.05, y, 0.48) for s in (-1, 1) for y in axles]
    parts.append((joined([moved(tyre, a) for a in at]), black))
    parts.append((joined([moved(rim, a) for a in at]), kit.painted((0.5, 0.5, 0.5), rough=0.4)))
    parts.append((boxes([(s * 0.95, long / 2, 0.75) for s in (-1, 1)], (0.3, 0.1, 0.18)), kit.painted((0.85, 0.87, 0.9), rough=0.1)))
    parts.append((boxes([(s * 1.0, -long / 2, 0.8) for s in (-1, 1)], (0.25, 0.1, 0.25)), kit.painted((0.5, 0.03, 0.03), rough=0.15)))
    return parts


def ring(radius: float, thick: float, at: Sequence[float], segments: int = 24) -> Mesh:
    """A hoop in the yz plane."""
    a = np.linspace(0, 2 * np.pi, segments + 1)
    return tube(np.stack([np.zeros_like(a), np.cos(a) * radius, np.sin(a) * radius], 1) + np.asarray(at), thick, 6)


def bicycle(kit: Kit) -> list[Part]:
    """A bicycle looking along +y."""
    rng = kit.rng
    r = 0.34

    def rod(a: Sequence[float], b: Sequence[float], thick: float = 0.017) -> Mesh:
        return tube(np.linspace(a, b, 3), thick, 6)

    back, front, crank, seat, head = (0, -0.52, r), (0, 0.55, r), (0, -0.08, 0.3), (0, -0.22, 0.82), (0, 0.38, 0.84)
    frame = [
        rod(back, crank),
        rod(back, (0, -0.2, 0.75)),
        rod(crank, seat),
        rod(crank, (0, 0.4, 0.72)),
        rod((0, -0.19, 0.74), (0, 0.39, 0.8)),
        rod(head, front),
    ]
    bar = tube(np.array([(-0.29, 0.25, 1.0), (-0.15, 0.4, 1.03), (0, 0.37, 1.0), (0.15, 0.4, 1.03), (0.29, 0.25, 1.0)]), 0.014, 6)
    black = kit.painted((0.05, 0.05, 0.05), rough=0.6)
    spokes = [
        rod((0, h[1], h[2]), (0, h[1] + math.cos(a) * r, h[2] + math.sin(a) * r), 0.004)
        for h in (back, front)
        for a in np.arange(0, 6.28, 0.63)
    ]
    return [
        (joined(frame), kit.painted(any_colour(rng), rough=0.3)),
        (joined([ring(r, 0.02, back), ring(r, 0.02, front), bar, rounded((0.15, 0.26, 0.07), 0.03, (0, -0.24, 0.88))]), black),
        (joined([*spokes, rod(head, (0, 0.36, 1.02))]), kit.painted((0.6, 0.6, 0.62), rough=0.3)),
    ]


# Street furniture; each stands at the origin


def street_lamp(kit: Kit, high: float | None = None) -> list[Part]:
    """A lamp post: an arm over the road (towards +x), or a lantern."""
    rng = kit.rng
    high = high or rng.uniform(4, 9)
    iron = kit.painted(hsv(0.4, rng.uniform(0, 0.3), float(rng.choice([0.08, 0.25, 0.5]))), rough=0.5)
    if high > 5:
        t = np.linspace(0, 1, 8)
        arm = np.stack([1.6 * t**1.5, 0 * t, high - 0.9 + 0.9 * np.sin(t * 1.5)], 1)
        pole = np.concatenate([[(0, 0, 0), (0, 0, 1), (0, 0, high / 2)], arm])
        radius = np.concatenate([[0.1, 0.09, 0.075], np.linspace(0.06, 0.04, 8)])
        return [(tube(pole, radius, 8), iron), (rounded((0.75, 0.25, 0.13), 0.05, arm[-1] + [0.3, 0, 0]), kit.painted((0.6, 0.6, 0.6)))]
    foot = lathe([(0.16, 0), (0.14, 0.5), (0.06, 0.6), (0.045, high - 0.6), (0.1, high - 0.5), (0.02, high - 0.45)], (0, 0, 0), 10)
    lantern = lathe([(0.05, high - 0.5), (0.16, high - 0.1), (0.18, high), (0.02, high + 0.2)], (0, 0, 0), 6)
    return [(foot, iron), (lantern, kit.painted((0.9, 0.88, 0.8), rough=0.2))]


def sign_post(kit: Kit, look: Look) -> list[Part]:
    """A traffic sign or a board, its face towards -y."""
    rng = kit.rng
    high = rng.uniform(2.0, 3.0)
    parts: list[Part] = [
        (tube(np.array([(0, 0, 0), (0, 0, 1), (0, 0, high + 0.3)]), 0.035, 8), kit.painted((0.5, 0.5, 0.5), rough=0.4, metallic=0.5))
    ]
    kind = rng.random()
    red, blue, white = (
        kit.painted((0.75, 0.05, 0.06), rough=0.4),
        kit.painted((0.05, 0.2, 0.6), rough=0.4),
        kit.painted((0.92, 0.92, 0.9), rough=0.4),
    )
    n = 24 if kind < 0.4 else 3 if kind < 0.6 else 4
    a = np.linspace(0, 2 * np.pi, n, endpoint=False) + (np.pi / 2 if n == 3 else np.pi / 4)
    for radius, y, skin in (
        (0.32, -0.05, red if kind < 0.6 else blue),
        (0.24, -0.06, white if kind < 0.5 else kit.painted((0.95, 0.8, 0.1), rough=0.4)),
    ):
        p = np.stack([np.cos(a) * radius, np.full(n, y), np.sin(a) * radius + high], 1)
        v = np.concatenate([p, p + [0, 0.02, 0], [[0, y, high]]])
        f = [(i, (i + 1) % n, 2 * n, 2 * n) for i in range(n)] + [(i, i + n, (i + 1) % n + n, (i + 1) % n) for i in range(n)]
        parts.append(((v, np.array(f)), skin))
    if rng.random() < 0.4:
        parts.append((rounded((0.6, 0.03, 0.35), 0.01, (0, -0.05, high - 0.55)), look.pick(look.signs)))
    return parts


def traffic_light(kit: Kit) -> list[Part]:
    """On a post, or on an arm over the road towards +x; it shows towards -y."""
    rng = kit.rng
    grey, black = kit.painted((0.4, 0.42, 0.42), rough=0.5), kit.painted((0.04, 0.05, 0.05), rough=0.6)
    lit = int(rng.integers(3))
    colours = [(0.95, 0.08, 0.05), (0.95, 0.6, 0.05), (0.1, 0.9, 0.4)]
    heads = [(0.0, 2.7)]
    parts: list[Part] = [(tube(np.array([(0, 0, 0), (0, 0, 1), (0, 0, 3.4)]), 0.06, 8), grey)]
    if rng.random() < 0.5:
        parts.append((tube(np.array([(0, 0, 0), (0, 0, 4), (0, 0, 5.6), (0.4, 0, 6), (2.5, 0, 6.1), (4.2, 0, 6.1)]), 0.08, 8), grey))
        heads.append((4.0, 5.6))
    for x, z in heads:
        parts.append((rounded((0.3, 0.2, 0.95), 0.03, (x, -0.15, z)), black))
        for k in range(3):
            disc = ball((x, -0.25, z + 0.3 - 0.3 * k), (0.1, 0.03, 0.1), 12)
            parts.append((disc, kit.painted(colours[k], rough=0.3, glow=2.0) if k == lit else kit.painted((0.08, 0.07, 0.06), rough=0.3)))
    return parts


def bollard(kit: Kit) -> list[Part]:
    rng = kit.rng
    r, h = rng.uniform(0.05, 0.12), rng.uniform(0.7, 1.05)
    skin = kit.painted(hsv(0.1, rng.uniform(0, 0.2), float(rng.choice([0.08, 0.3, 0.65]))), rough=0.6)
    return [(lathe([(r * 1.3, 0), (r, 0.1), (r, h - r), (r * 1.1, h - r), (r * 0.9, h), (0, h + 0.03)], (0, 0, 0), 12), skin)]


def bin_(kit: Kit) -> list[Part]:
    rng = kit.rng
    if rng.random() < 0.5:
        skin = kit.painted(hsv(rng.choice([0.35, 0.6, 0.1]), rng.uniform(0, 0.7), rng.uniform(0.1, 0.4)), rough=0.5)
        return [
            (boxes([(0, 0, 0.55)], (0.55, 0.6, 0.95)), skin),
            (slab([(-0.3, -0.34, 1.05), (0.3, -0.34, 1.05), (0.3, 0.34, 1.12), (-0.3, 0.34, 1.12)], 0.06), skin),
        ]
    return [
        (
            lathe([(0.2, 0), (0.24, 0.8), (0.28, 0.82), (0.28, 0.9), (0.2, 0.9), (0.18, 0.3), (0, 0.3)], (0, 0, 0), 16),
            kit.painted((0.2, 0.22, 0.2), rough=0.6),
        )
    ]


def bench(kit: Kit, long: float = 1.7) -> list[Part]:
    """A bench looking along -y."""
    rng = kit.rng
    plank = kit.surface("wood", rough=0.7, bump=False)
    seat = [(0, y, 0.45) for y in (-0.2, -0.07, 0.06, 0.19)]
    parts: list[Part] = [(boxes(seat, (long, 0.1, 0.04)), plank)]
    leg = look_stone(kit) if rng.random() < 0.4 else kit.painted((0.1, 0.12, 0.11), rough=0.5)
    parts.append((boxes([(s * (long / 2 - 0.2), 0, 0.21) for s in (-1, 1)], (0.08, 0.42, 0.43)), leg))
    if rng.random() < 0.7:
        parts.append((boxes([(0, 0.27 + 0.03 * k, 0.6 + 0.13 * k) for k in range(3)], (long, 0.04, 0.1)), plank))
        parts.append((boxes([(s * (long / 2 - 0.2), 0.3, 0.65) for s in (-1, 1)], (0.06, 0.05, 0.5)), leg))
    return parts


def look_stone(kit: Kit) -> bpy.types.Material:
    rng = kit.rng
    return kit.surface(
        str(rng.choice(["concrete", "plaster", "rock", "marble"])),
        hsv(rng.uniform(0.07, 0.14), rng.uniform(0, 0.25), rng.uniform(0.4, 0.85)),
        metres=rng.uniform(0.8, 2),
        rough=0.8,
        bump=False,
    )


def fence(kit: Kit, long: float, high: float, kind: str | None = None) -> list[Part]:
    """From x = 0 to `long` on y = 0. kind: "pickets", "iron", "wire", "planks", "wall", "rails"."""
    rng = kit.rng
    kind = kind or str(rng.choice(["pickets", "iron", "wire", "planks", "wall", "rails"]))
    posts = np.arange(0, long + 0.1, 2.0)
    mid = long / 2
    if kind == "wall":
        skin = kit.surface(str(rng.choice(["bricks", "plaster", "rock", "concrete"])), bump=False)
        cap = look_stone(kit)
        return [(boxes([(mid, 0, high / 2)], (long, 0.28, high)), skin), (boxes([(mid, 0, high + 0.04)], (long, 0.38, 0.1)), cap)]
    colour = kit.painted(hsv(0.08, rng.uniform(0, 0.4), float(rng.choice([0.07, 0.35, 0.5, 0.9]))), rough=0.7)
    step, size = {
        "pickets": (0.16, (0.09, 0.025, high)),
        "iron": (0.13, (0.02, 0.02, high)),
        "wire": (0.35, (0.008, 0.008, high)),
        "planks": (0.15, (0.142, 0.02, high)),
        "rails": (2.0, (0.1, 0.1, high)),
    }[kind]
    x = np.arange(0, long, step) + step / 2
    parts: list[Part] = [(boxes(np.stack([x, 0 * x, np.full(len(x), high / 2)], 1), size), colour)]
    parts.append((boxes(np.stack([posts, np.full(len(posts), 0.05), np.full(len(posts), high / 2)], 1), (0.09, 0.09, high + 0.1)), colour))
    rails = [(mid, 0.03, high * s) for s in ((0.15, 0.9) if kind != "rails" else (0.35, 0.65, 0.95))]
    parts.append((boxes(rails, (long, 0.04, 0.07)), colour))
    return parts


def guard_rail(kit: Kit, long: float) -> list[Part]:
    """A steel crash barrier from y = 0 to `long`, on x = 0."""
    steel = kit.painted((0.55, 0.57, 0.58), rough=0.45, metallic=0.6)
    y = np.arange(0, long + 0.1, 2.0)
    profile = np.array([(0, 0.45), (0.04, 0.5), (0.04, 0.55), (0, 0.6), (0.04, 0.65), (0.04, 0.7), (0, 0.75)])
    band = np.stack([np.stack([profile[:, 0], np.full(7, v), profile[:, 1]], 1) for v in (0.0, long)])
    return [(sheet(band), steel), (boxes(np.stack([0 * y - 0.06, y, 0 * y + 0.35], 1), (0.06, 0.1, 0.7)), steel)]


def column(rng: Rng, high: float, radius: float) -> Mesh:
    """A column with base and capital, fluted or plain."""
    r = radius
    base = [(r * 1.45, 0), (r * 1.45, r * 0.35), (r * 1.25, r * 0.4), (r * 1.3, r * 0.6), (r * 1.05, r * 0.8)]
    t = np.linspace(0, 1, 5)
    shaft = list(zip(r * (1 - 0.15 * t**2), r * 0.9 + (high - r * 2) * t))
    top = [(r * 0.92, high - r * 1.0), (r * 1.15, high - r * 0.6), (r * 1.35, high - r * 0.4), (r * 1.4, high - r * 0.35), (r * 1.4, high)]
    v, f = lathe([*base, *shaft, *top], (0, 0, 0), 24)
    if rng.random() < 0.4:
        rows = v.reshape(-1, 24, 3)
        rows[6:10, ::2, :2] *= 0.92
        v = rows.reshape(-1, 3)
    return v, f


def figure(kit: Kit, high: float = 1.8) -> Mesh:
    """A draped standing figure of stone, looking along -y: head, torso, arms, robe. For statues."""
    rng = kit.rng
    s = high / 1.8
    turn = rng.uniform(-0.3, 0.3)
    hip, chest = np.array([0.03 * rng.normal(), 0, 0.95]), np.array([0.04 * rng.normal(), 0, 1.35])
    robe = rng.random() < 0.6
    made: list[Mesh] = []
    if robe:
        a = np.linspace(0, 2 * np.pi, 30, endpoint=False)
        z = np.linspace(0, 1.0, 9)
        wide = np.interp(z, [0, 0.5, 1], [0.3, 0.23, 0.17])[:, None] * (
            1 + 0.12 * np.sin(a * rng.integers(6, 11) + rng.uniform(0, 6) + 1.5 * z[:, None])
        )
        made.append(
            sheet(
                np.concatenate([np.stack([wide * np.cos(a), wide * np.sin(a) * 0.8, np.broadcast_to(z[:, None], wide.shape)], -1)], 1)[
                    :, list(range(30)) + [0]
                ]
            )
        )
    else:
        for side in (-1, 1):
            foot = np.array([side * rng.uniform(0.08, 0.16), rng.uniform(-0.15, 0.15), 0.04])
            knee = (foot + hip) / 2 + [0, -0.06, 0.03]
            made.append(tube(np.array([hip + [side * 0.08, 0, 0], knee, foot]), np.array([0.1, 0.065, 0.045]), 10))
            made.append(ball(foot + [0, -0.07, 0], (0.05, 0.13, 0.05), 10))
    made.append(
        tube(
            np.array([hip, (hip + chest) / 2, chest, chest + [0, 0, 0.12], chest + [0, 0, 0.25]]),
            np.array([0.17, 0.15, 0.19, 0.15, 0.06]),
            14,
        )
    )
    head = chest + np.array([turn * 0.1, -0.03, 0.36])
    made.append(ball(head, (0.085, 0.105, 0.125), 16))
    made.append(ball(head + [0, 0.02, 0.03], (0.1, 0.11, 0.12), 12))
    for side in (-1, 1):
        shoulder = chest + [side * 0.19, 0, 0.08]
        way = rng.uniform(-1, 1)
        elbow = shoulder + np.array(
            [side * rng.uniform(0.03, 0.2), rng.uniform(-0.15, 0.1), -0.26 if way < 0.6 else rng.uniform(-0.2, 0.15)]
        )
        hand = elbow + np.array([-side * rng.uniform(-0.15, 0.2), -rng.uniform(0.05, 0.22), rng.uniform(-0.22, 0.25)])
        made.append(tube(np.array([shoulder, elbow, hand]), np.array([0.065, 0.05, 0.035]), 8))
        made.append(ball(hand, (0.045, 0.045, 0.06), 8))
        made.append(ball(shoulder, (0.075, 0.07, 0.07), 10))
    v, f = joined(made)
    c, n = math.cos(turn), math.sin(turn)
    return v @ np.array([[c, n, 0], [-n, c, 0], [0, 0, 1]]) * s, f


def plinth(wide: float, high: float) -> Mesh:
    return joined([
        rounded((wide * 1.35, wide * 1.35, high * 0.12), 0.02, (0, 0, high * 0.06)), rounded((wide * 1.15, wide * 1.15, high * 0.15), 0.02, (0, 0, high * 0.19)),
        rounded((wide, wide, high * 0.64), 0.01, (0, 0, high * 0.58)), rounded((wide * 1.15, wide * 1.15, high * 0.1), 0.03, (0, 0, high * 0.95)),
    ])  # fmt: skip


def monument(kit: Kit) -> tuple[list[Part], float]:
    """A statue, bust, obelisk or urn on its plinth; and its height."""
    rng = kit.rng
    stone = look_stone(kit)
    bronze = kit.painted(hsv(rng.choice([0.08, 0.42]), rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.5)), rough=0.45, metallic=0.4)
    other = bronze if rng.random() < 0.5 else stone
    kind, high = rng.random(), rng.uniform(0.8, 3.2)
    wide = rng.uniform(0.6, 1.3)
    parts: list[Part] = [(plinth(wide, high), stone)]
    if kind < 0.6:
        tall = rng.uniform(1.5, 3.0)
        parts.append((moved(figure(kit, tall), (0, 0, high)), other))
    elif kind < 0.72:
        tall = rng.uniform(3, 12)
        w = wide * 0.35
        v = np.array(
            [
                (sx * w * k, sy * w * k, z)
                for k, z in ((1, 0), (0.65, tall * 0.92), (0.02, tall))
                for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        ) + [0, 0, high]
        parts.append(
            (
                (
                    v,
                    np.array(
                        [(4 * r + i, 4 * r + (i + 1) % 4, 4 * r + 4 + (i + 1) % 4, 4 * r + 4 + i) for r in range(2) for i in range(4)]
                    ),
                ),
                stone,
            )
        )
    elif kind < 0.86:
        tall = rng.uniform(0.8, 1.5)
        k = tall
        parts.append(
            (
                lathe(
                    [
                        (0.12 * k, 0),
                        (0.16 * k, 0.05 * k),
                        (0.06 * k, 0.15 * k),
                        (0.08 * k, 0.25 * k),
                        (0.3 * k, 0.5 * k),
                        (0.34 * k, 0.75 * k),
                        (0.2 * k, 0.9 * k),
                        (0.28 * k, 1.0 * k),
                        (0.24 * k, 1.0 * k),
                        (0, 0.85 * k),
                    ],
                    (0, 0, high),
                    24,
                ),
                other,
            )
        )
    else:
        tall = 0.9
        body = [
            ball((0, 0, high + 0.2), (0.3, 0.17, 0.28), 16),
            tube(np.array([(0, 0, high + 0.35), (0, -0.01, high + 0.47), (0, -0.02, high + 0.55)]), 0.08, 10),
            ball((0, -0.03, high + 0.66), (0.11, 0.13, 0.165), 18),
            ball((0, 0.02, high + 0.7), (0.125, 0.13, 0.15), 14),
        ]
        parts.append((joined(body), other))
    return parts, high + tall


def fountain(kit: Kit) -> tuple[list[Part], float]:
    """Basin, water, a shaft with bowls or a figure; and its radius."""
    rng = kit.rng
    stone = look_stone(kit)
    r, h = rng.uniform(1.5, 5), rng.uniform(0.4, 0.9)
    water = kit.painted((0.12, 0.2, 0.2), rough=0.03)
    n = int(rng.choice([6, 8, 32]))
    parts: list[Part] = [(lathe([(r + 0.5, 0), (r + 0.5, 0.15), (r + 0.12, 0.18), (r, h - 0.1), (r + 0.15, h - 0.05), (r + 0.15, h), (r - 0.25, h), (r - 0.25, 0.1), (0, 0.1)], (0, 0, 0), n), stone),
                         (lathe([(r - 0.2, h - 0.15), (0, h - 0.15)], (0, 0, 0), n), water)]  # fmt: skip
    z, bowl = 0.1, r * 0.45
    for _ in range(int(rng.integers(1, 4))):
        tall = rng.uniform(0.8, 1.6)
        parts.append(
            (
                lathe(
                    [
                        (bowl * 0.3, z),
                        (bowl * 0.14, z + tall * 0.3),
                        (bowl * 0.2, z + tall * 0.7),
                        (bowl * 0.3, z + tall),
                        (bowl, z + tall + bowl * 0.25),
                        (bowl * 0.97, z + tall + bowl * 0.28),
                        (0, z + tall + bowl * 0.1),
                    ],
                    (0, 0, 0),
                    24,
                ),
                stone,
            )
        )
        z, bowl = z + tall + bowl * 0.1, bowl * 0.6
    if rng.random() < 0.5:
        parts.append((moved(figure(kit, rng.uniform(0.8, 1.6)), (0, 0, z)), stone))
    return parts, r + 0.5


def steps(wide: float, count: int, rise: float = 0.16, run: float = 0.32) -> Mesh:
    """Stairs that rise along +y from y = 0, `wide` metres about x = 0."""
    k = np.arange(count)
    z = rise * (k + 1)
    c = np.stack([0 * k, run * k + run * (count - k) / 2, z / 2], 1)
    return boxes(c, np.stack([np.full(count, wide), run * (count - k), z], 1))


def parasol(kit: Kit) -> list[Part]:
    """A sunshade with a table and chairs under it."""
    rng = kit.rng
    cloth = kit.painted(any_colour(rng), rough=0.8)
    wood = kit.painted(hsv(0.08, rng.uniform(0, 0.5), rng.uniform(0.2, 0.7)), rough=0.5)
    n = int(rng.choice([4, 6, 8]))
    r = rng.uniform(1.1, 1.7)
    parts: list[Part] = [
        (lathe([(r, 2.2), (r * 0.98, 2.25), (0.02, 2.7)], (0, 0, 0), n), cloth),
        (lathe([(0.28, 0), (0.25, 0.08), (0.025, 0.1), (0.025, 2.7)], (0, 0, 0), 10), wood),
    ]
    parts.append((lathe([(0, 0.72), (0.4, 0.72), (0.4, 0.75), (0, 0.75)], (0, 0, 0), 20), wood))
    for k in range(int(rng.integers(2, 5))):
        parts += [
            (moved(m, (math.cos(k * 1.6) * 0.75, math.sin(k * 1.6) * 0.75, 0), 90 * k + rng.uniform(60, 120)), wood) for m in [chair()]
        ]
    return parts


def chair() -> Mesh:
    legs = [(sx * 0.19, sy * 0.19, 0.22) for sx in (-1, 1) for sy in (-1, 1)]
    return joined(
        [
            boxes(legs, (0.03, 0.03, 0.45)),
            boxes([(0, 0, 0.45), (0, 0.2, 0.72)], [(0.42, 0.42, 0.03), (0.42, 0.03, 0.3)]),
            boxes([(s * 0.19, 0.2, 0.6) for s in (-1, 1)], (0.03, 0.03, 0.4)),
        ]
    )


def walker(kit: Kit) -> list[Part]:
    """Somebody on foot, seen from ten metres or more; walks along +y."""
    rng = kit.rng
    s = rng.uniform(0.88, 1.08)
    swing = rng.uniform(-0.3, 0.3)
    skin = kit.painted(hsv(0.06, rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.9)), rough=0.6)
    coat, legs = kit.painted(any_colour(rng), rough=0.8), kit.painted(hsv(0.62, rng.uniform(0, 0.5), rng.uniform(0.05, 0.4)), rough=0.8)
    lower = [
        tube(
            np.array([(k * 0.09, 0, 0.92), (k * 0.1, k * swing * 0.5 + 0.03, 0.5), (k * 0.1, k * swing, 0.08)]),
            np.array([0.1, 0.07, 0.05]),
            8,
        )
        for k in (-1, 1)
    ]
    lower += [ball((k * 0.1, k * swing + 0.06, 0.05), (0.05, 0.14, 0.05), 8) for k in (-1, 1)]
    upper = [tube(np.array([(0, 0, 0.8), (0, 0, 1.1), (0, 0, 1.4), (0, 0, 1.5)]), np.array([0.19, 0.16, 0.19, 0.08]), 10)]
    upper += [
        tube(
            np.array([(k * 0.2, 0, 1.42), (k * 0.26, -k * swing * 0.5, 1.15), (k * 0.25, 0.12 - k * swing, 0.92)]),
            np.array([0.065, 0.05, 0.04]),
            7,
        )
        for k in (-1, 1)
    ]
    head = ball((0, 0.02, 1.65), (0.085, 0.1, 0.125), 12)
    hair = ball((0, -0.015, 1.68), (0.095, 0.105, 0.115), 10)
    parts = [
        (joined(lower), legs),
        (joined(upper), coat),
        (head, skin),
        (hair, kit.painted(hsv(0.07, 0.4, rng.uniform(0.05, 0.5)), rough=0.7)),
    ]
    if rng.random() < 0.4:
        parts.append((rounded((0.32, 0.18, 0.45), 0.06, (0, -0.24, 1.2)), kit.painted(any_colour(rng), rough=0.7)))
    return [((v * s, f), m) for (v, f), m in parts]
