"""After dark: floodlit towers and monuments, rockets on their pads, fairgrounds. The sky stays sky; lamps near the ground do the rest.

What is lit stands about the origin on z = 0; the photographer stands at -y. Used by `streets`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.modelling import Mesh, ball, joined, lathe, tube

from . import plants, sight, skies, town
from .kit import Kit, Part, Shot
from .plants import Stamp
from .shapes import rod
from .textures import Colour, any_colour, hsv


def scene(kit: Kit) -> list[Shot]:
    """One such place and its shots."""
    sorts: list[Callable[[Kit], list[Shot]]] = [tower, launch_pad, fair]
    return sorts[int(kit.rng.choice(3, p=[0.45, 0.28, 0.27]))](kit)


# Parts


def truss(wide: Sequence[float], heights: Sequence[float], thick: float, turn: float = 45.0) -> Mesh:
    """A square lattice mast: half widths at the heights, legs, rings and diagonals."""
    rods: list[Mesh] = []
    a = np.radians(turn + 90 * np.arange(4))
    rings = [np.stack([w * np.cos(a), w * np.sin(a), np.full(4, z)], 1) for w, z in zip(wide, heights)]
    for low, high in zip(rings, rings[1:]):
        for k in range(4):
            rods.append(rod(low[k], high[k], thick, None, 5))
            rods.append(rod(low[k], high[(k + 1) % 4], thick * 0.5, None, 4))
            rods.append(rod(low[(k + 1) % 4], high[k], thick * 0.5, None, 4))
            rods.append(rod(high[k], high[(k + 1) % 4], thick * 0.7, None, 4))
    return joined(rods)


def floods(kit: Kit, around: Sequence[float], radius: float, high: float, count: int, colour: Colour) -> None:
    """Lamps on the ground in a ring that shine up at what stands in its middle, `high` metres tall."""
    rng = kit.rng
    first = rng.uniform(0, 2 * np.pi)
    for k in range(count):
        a = first + 2 * np.pi * k / count + rng.normal(0, 0.2)
        at = np.array([around[0] + radius * math.cos(a), around[1] + radius * math.sin(a), around[2] + 0.4])
        aim = (around[0], around[1], around[2] + high * rng.uniform(0.3, 0.75))
        far = float(np.linalg.norm(np.subtract(aim, at)))
        kit.lamp(at, far**2 * rng.uniform(3, 9), aim=aim, size=max(0.06 * radius, 0.4), colour=colour)


def _tint(kit: Kit) -> Colour:
    """The light of floodlights: warm mostly, white, or of any colour."""
    rng = kit.rng
    return hsv(rng.uniform(0.05, 0.13), rng.uniform(0.05, 0.55), 1) if rng.random() < 0.75 else hsv(rng.random(), rng.uniform(0, 0.7), 1)


def _land(kit: Kit, half: float, kinds: Sequence[str]) -> None:
    """Level ground to the horizon and, farther off, dark woods or lit houses."""
    rng = kit.rng
    kind = str(rng.choice(list(kinds)))
    look = kit.surface(kind, metres=rng.uniform(2, 8), bump=False)
    kit.add([(town.slab([(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)], 0.5), look)])
    far = kit.surface("grass", hsv(0.25, 0.3, 0.15), metres=60, bump=False)
    kit.add([(town.slab([(-9e3, -9e3, -0.4), (9e3, -9e3, -0.4), (9e3, 9e3, -0.4), (-9e3, 9e3, -0.4)], 0.5), far)])


def _lit_town(kit: Kit, near: float, far: float, count: int) -> None:
    """Houses with lit windows beyond, and trees."""
    rng = kit.rng
    look = town.Look(kit, True)
    houses = [Stamp(kit, town.house(look, str(rng.choice(["town", "old", "tower", "hall", "villa"]))).parts) for _ in range(3)]
    trees = [Stamp(kit, plants.tree(kit, rng.uniform(5, 11))) for _ in range(2)]
    for _ in range(count):
        y, x = rng.uniform(near, far), rng.uniform(-1.3, 1.3)
        (houses if rng.random() < 0.55 else trees)[int(rng.integers(2))].put((x * y, y, -0.1), rng.choice([0.0, 180.0]) + rng.normal(0, 15))
    for _ in range(int(rng.integers(2, 7))):
        y = rng.uniform(near * 0.8, far)
        kit.lamp((rng.uniform(-1, 1) * y, y - 8, 5.0), rng.uniform(300, 1500), size=0.8, colour=hsv(0.09, rng.uniform(0.2, 0.6), 1))


def _street_lamps(kit: Kit, places: Sequence[Sequence[float]]) -> None:
    """Lanterns that glow and light the ground."""
    rng = kit.rng
    warm = hsv(rng.uniform(0.07, 0.12), rng.uniform(0.1, 0.5), 1)
    high = rng.uniform(3, 5)
    iron, glow = kit.painted((0.1, 0.1, 0.1), rough=0.5), kit.painted(warm, glow=2.5)
    post: list[Part] = [
        (lathe([(0.12, 0), (0.05, 0.5), (0.04, high - 0.3)], (0, 0, 0), 8), iron),
        (ball((0, 0, high), (0.2, 0.2, 0.26), 12), glow),
    ]
    stamp = Stamp(kit, post)
    for at in places:
        stamp.put(at, 0.0)
        kit.lamp((at[0], at[1], at[2] + high), rng.uniform(60, 220), size=0.5, colour=warm)


def _shots(kit: Kit, high: float, wide: float, count: int, *, low: float = 1.3, top: float = 1.9, near: float = 0.6, far: float = 1.7,
           lens: tuple[float, float] = (30, 72)) -> list[Shot]:  # fmt: skip
    """From the ground, the lit thing whole or cut off, aside or in the middle. near, far: how much more than it the picture is high."""
    rng = kit.rng
    made: list[Shot] = []
    for _ in range(count * 5):
        fov = rng.uniform(*lens)
        upright = math.tan(math.radians(fov) / 2) * kit.size[0] / kit.size[1]
        d = max(high / (2 * upright) * rng.uniform(near, far), 0.7 * wide + 2.5)
        a = rng.uniform(-0.9, 0.9)
        eye = rng.uniform(low, top) if rng.random() < 0.85 else rng.uniform(3, 0.3 * high + 4)
        at = np.array([d * math.sin(a), -d * math.cos(a), eye])
        aside = rng.normal(0, 0.25) * d * math.tan(math.radians(fov) / 2)
        aim = np.array([aside * math.cos(a), aside * math.sin(a), max(high * rng.uniform(0.25, 0.5), 1.0)])
        made.append(Shot(at, aim, float(fov), float(rng.normal(0, 1.5))))
    return sight.worthwhile(kit, made, count, nearest=0.4, sky=0.84)


# Places


def tower(kit: Kit) -> list[Shot]:
    """A tower, spire, lattice tower, obelisk or monument in floodlight, on a square or lawn with lamps, people and houses."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, "dusk" if rng.random() < 0.3 else "night")
    kind = str(rng.choice(["tiers", "spire", "lattice", "monument", "columns"], p=[0.27, 0.2, 0.15, 0.28, 0.1]))
    stone = kit.surface(
        str(rng.choice(["rock", "bricks", "concrete", "plaster"])), hsv(u(0.06, 0.13), u(0, 0.35), u(0.5, 0.9)), metres=u(2, 5), bump=False
    )
    dark = kit.painted((0.03, 0.03, 0.04), rough=0.4)
    parts: list[Part] = []
    high, half = u(14, 60), 0.0
    if kind in ("tiers", "spire"):
        half = high * u(0.07, 0.14)
        z, w, tiers = 0.0, half, int(rng.integers(2, 6))
        square = rng.random() < 0.6
        shares = rng.dirichlet(np.linspace(3, 1.5, tiers) * 3) * high * (0.65 if kind == "spire" else 1)
        glow = kit.painted((1.0, 0.85, 0.55), glow=1.5) if rng.random() < 0.4 else dark
        for t in shares:
            sides = 4 if square else 20
            ring = lathe(
                [(0, z), (w * 1.42, z), (w * 1.38, z + t * 0.97), (w * 1.5, z + t * 0.97), (w * 1.5, z + t), (0, z + t)], (0, 0, 0), sides
            )
            parts.append((town.moved(ring, turn=45.0 if square else 0.0), stone))
            rows = max(int(t / 5), 1)
            for k in range(rows):
                for face in range(4):
                    n = int(rng.integers(1, 4))
                    for x in (np.arange(n) - (n - 1) / 2) * w * 1.4 / n:
                        hole = town.boxes(
                            [(x, -w * (1.0 if square else 1.36), z + (k + 0.5) * t / rows)], (w * 0.3, 0.12 * w, t / rows * 0.5)
                        )
                        parts.append((town.moved(hole, turn=90.0 * face), glow))
            z, w = z + t, w * u(0.75, 0.97)
        tip = high - z if kind == "spire" else u(0, 0.15) * high
        parts.append(
            (
                town.moved(lathe([(w * 1.45, z), (w * 0.7, z + tip * 0.35), (0.01, z + tip)], (0, 0, 0), 4 if square else 16), turn=45.0),
                stone,
            )
        )
        high = z + tip
    elif kind == "lattice":
        t = np.linspace(0, 1, 13)
        half = high * u(0.13, 0.2)
        parts.append(
            (truss(half * 1.4 * np.exp(-3 * t), t * high, high * 0.006), kit.painted(hsv(0.08, u(0, 0.6), u(0.3, 0.8)), rough=0.6))
        )
        for k in (3, 7):
            w = half * math.exp(-3 * t[k]) * 1.15
            parts.append((town.boxes([(0, 0, t[k] * high)], (2.2 * w, 2.2 * w, high * 0.02)), parts[0][1]))
    elif kind == "monument":
        made, high = town.monument(kit)
        grow = u(1, 3.5)
        parts = [(town.moved((m[0] * grow, m[1])), s) for m, s in made]
        high, half = high * grow, 0.8 * grow
    else:
        high, n = u(5, 14), int(rng.choice([4, 6, 8]))
        shaft = town.column(rng, high * 0.75, high * 0.05)
        half = n * high * 0.11
        xs = np.linspace(-half, half, n)
        parts.append((joined([town.moved(shaft, (x, y, 0.6)) for x in xs for y in (0, half)]), stone))
        parts.append(
            (
                town.boxes(
                    [(0, half / 2, 0.3), (0, half / 2, high * 0.75 + 0.6 + high * 0.1)],
                    [(2.2 * half, 1.5 * half, 0.6), (2.2 * half, 1.4 * half, high * 0.2)],
                ),
                stone,
            )
        )
    kit.add(parts, (0, 0, 0), u(-40, 40))
    _land(kit, 150, ["tiles", "tiles", "asphalt", "grass", "gravel", "concrete"])
    floods(kit, (0, 0, 0), max(half * 2.2, 3) + 0.3 * high, high, int(rng.integers(3, 7)), _tint(kit))
    _lit_town(kit, max(25.0, 0.8 * high), 140, int(rng.integers(4, 28)))
    reach = max(high, 10)
    _street_lamps(kit, [(u(-0.8, 0.8) * reach, -u(0.2, 1.2) * reach, 0.0) for _ in range(int(rng.integers(1, 6)))])
    crowd = Stamp(kit, town.walker(kit), smooth=True)
    for _ in range(int(rng.integers(0, 9))):
        crowd.put((u(-0.8, 0.8) * reach, -u(0.3, 1.1) * reach, 0), u(0, 360))
    return _shots(kit, high, 2 * half, int(rng.integers(4, 7)))


def launch_pad(kit: Kit) -> list[Shot]:
    """A rocket with boosters beside its gantry, on a mount, masts around, in strong light; grass or water before it."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, "night" if rng.random() < 0.65 else "dusk")
    high = u(30, 100)
    r = high * u(0.028, 0.06)
    white = kit.painted(hsv(0.1, 0.03, u(0.75, 0.95)), rough=0.5)
    trim = kit.painted(any_colour(rng) if rng.random() < 0.5 else (0.08, 0.08, 0.09), rough=0.5)
    steel = kit.painted(hsv(0.03, u(0, 0.6), u(0.25, 0.6)), rough=0.6)
    base = u(4, 12)
    bulge = u(0.85, 1.25)
    body = [(0, 0), (r, 0), (r, 0.62 * high), (r * bulge, 0.66 * high), (r * bulge, 0.85 * high), (r * 0.5, 0.96 * high), (0.01, high)]
    parts: list[Part] = [(lathe(body, (0, 0, base), 24), white)]
    for z in rng.uniform(0.1, 0.7, int(rng.integers(1, 5))):
        parts.append((lathe([(r * 1.01, z * high), (r * 1.01, (z + u(0.01, 0.08)) * high)], (0, 0, base), 24), trim))
    n, tall = int(rng.choice([0, 2, 2, 4])), u(0.35, 0.7) * high
    thin = r * u(0.4, 0.8)
    for k in range(n):
        a = 2 * math.pi * k / n + 0.4
        side = lathe([(0, 0), (thin, 0), (thin, tall * 0.88), (0.01, tall)], ((r + thin) * math.cos(a), (r + thin) * math.sin(a), base), 16)
        parts.append((side, white if rng.random() < 0.6 else trim))
    parts.append((town.boxes([(0, 0, base / 2)], (r * 9, r * 7, base)), kit.surface("concrete", metres=5)))
    side = float(rng.choice([-1, 1]))
    beside, levels = side * r * u(3.4, 5), int(rng.integers(8, 16))
    mast = truss([high * u(0.03, 0.06)] * (levels + 1), np.linspace(0, high * u(0.9, 1.2), levels + 1), high * 0.0035)
    parts.append((town.moved(mast, (beside, 0, base)), steel))
    for z in rng.uniform(0.25, 0.9, int(rng.integers(2, 6))):  # arms
        parts.append((town.boxes([((beside + side * -r) / 2, 0, base + z * high)], (abs(beside) - r, 0.02 * high, 0.02 * high)), steel))
    kit.add(parts, turn=u(-60, 60))
    for _ in range(int(rng.integers(0, 5))):  # lightning masts, water tower
        a, far = u(0, 2 * math.pi), high * u(0.5, 1.0)
        tip = high * u(1.0, 1.4)
        kit.add(
            [(truss(np.linspace(0.03, 0.004, 9) * high, np.linspace(0, tip, 9), high * 0.003), steel)],
            (far * math.cos(a), abs(far * math.sin(a)), 0),
        )
    for _ in range(int(rng.integers(1, 7))):  # sheds, tanks
        at = (u(-1.6, 1.6) * high, u(-0.2, 2.5) * high, 0)
        size = rng.uniform((6, 5, 3), (30, 15, 12))
        thing = town.boxes([(0, 0, size[2] / 2)], size) if rng.random() < 0.6 else ball((0, 0, size[2] * 0.6), (size[2] * 0.6,) * 3, 20)
        if math.hypot(at[0], at[1]) > 0.35 * high:
            kit.add([(thing, white)], at, u(0, 90))
    _land(kit, high * 0.9, ["concrete", "asphalt", "grass", "gravel"])
    floods(kit, (0, 0, 0), high * u(0.45, 0.8), high * 1.1, int(rng.integers(3, 6)), hsv(u(0.08, 0.6), u(0, 0.15), 1))
    for _ in range(3):  # light that falls on the ground around
        at = (u(-0.8, 0.8) * high, -u(0.1, 0.9) * high, 0.5 * high)
        kit.lamp(at, high**2 * u(0.3, 3), aim=(at[0] * 0.5, at[1] * 0.5, 0), size=0.05 * high)
    bush = Stamp(kit, plants.bush(kit, 1.5))
    for _ in range(int(rng.integers(0, 40))):
        bush.put((u(-1.5, 1.5) * high, -u(0.9, 3) * high, -0.3), u(0, 360), scale=u(0.6, 3))
    return _shots(kit, high + base, 6 * r, int(rng.integers(4, 7)), lens=(16, 62), near=0.3, far=1.15)


def fair(kit: Kit) -> list[Shot]:
    """A big wheel, a roundabout, stalls with lit fronts, strings of bulbs, people."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, "dusk" if rng.random() < 0.45 else "night")
    _land(kit, 90, ["asphalt", "asphalt", "gravel", "tiles", "grass"])
    neon = [kit.painted(hsv(rng.random(), u(0.4, 0.9), 1.0), glow=float(u(1.0, 2.5))) for _ in range(4)] + [
        kit.painted((1.0, 0.85, 0.6), glow=2.0)
    ]
    white, paints = kit.painted((0.85, 0.85, 0.85)), [kit.painted(any_colour(rng), rough=0.5) for _ in range(4)]
    radius = u(8, 25)
    hub, many = radius + u(2, 4), int(rng.integers(10, 24))
    wheel: list[Part] = [(town.ring(radius, 0.14, (x, 0, 0), 48), neon[0] if x > 0 else white) for x in (-0.8, 0.8)]
    wheel.append((town.ring(radius * 0.6, 0.09, (0.8, 0, 0), 40), neon[1]))
    spokes, cabins = [], []
    for k in range(many):
        a = 2 * math.pi * k / many
        rim = (0.0, radius * math.cos(a), radius * math.sin(a))
        spokes += [rod((x, 0, 0), (x, rim[1], rim[2]), 0.06, None, 5) for x in (-0.8, 0.8)]
        cabins.append(town.boxes([(0, rim[1], rim[2] - 0.9)], (1.3, 1.2, 1.3)))
    wheel += [(joined(spokes), neon[2] if rng.random() < 0.6 else white), (joined(cabins), paints[0])]
    legs = [rod((x, s * radius * 0.45, -hub), (x * 0.6, 0, 0), 0.25, None, 6) for x in (-2.0, 2.0) for s in (-1, 1)]
    kit.add([*wheel, (joined(legs), white)], (u(-8, 8), u(8, 30), hub), 90 + u(-45, 45))
    at = (rng.choice([-1, 1]) * u(7, 14), u(0, 12), 0.0)  # a roundabout
    wide = u(4, 6.5)
    deck = [
        (lathe([(0, 0.5), (wide, 0.5), (wide, 0)], (0, 0, 0), 30), paints[1]),
        (lathe([(wide * 1.05, 3.4), (wide * 1.05, 4.0), (wide * 0.6, 5.0), (0.01, 6.2)], (0, 0, 0), 24), paints[2]),
        (lathe([(wide * 1.06, 3.5), (wide * 1.06, 3.8)], (0, 0, 0), 30), neon[3]),
        (lathe([(1.2, 0.5), (1.2, 4)], (0, 0, 0), 12), neon[4]),
    ]
    poles = [
        rod((0.8 * wide * math.cos(a), 0.8 * wide * math.sin(a), 0.5), (0.8 * wide * math.cos(a), 0.8 * wide * math.sin(a), 3.9), 0.05)
        for a in np.arange(0, 6.2, 0.52)
    ]
    seats = [ball((0.8 * wide * math.cos(a), 0.8 * wide * math.sin(a), 1.6), (0.35, 0.35, 0.5), 10) for a in np.arange(0, 6.2, 0.52)]
    kit.add([*deck, (joined(poles), white), (joined(seats), paints[3])], at)
    for k in range(8):
        a = 2 * math.pi * k / 8
        kit.lamp((at[0] + 0.7 * wide * math.cos(a), at[1] + 0.7 * wide * math.sin(a), 3.2), u(30, 90), size=0.5, colour=hsv(0.1, 0.3, 1))
    busy = [(at[0], at[1], wide + 1.5)]
    for _ in range(int(rng.integers(4, 14))):  # stalls
        x, y, turn = u(-22, 22), u(-14, 26), float(rng.choice([0, 90, -90])) + rng.normal(0, 10)
        if any(math.hypot(x - a, y - b) < c + 3 for a, b, c in busy) or (abs(x) < 3 and y < 4):
            continue
        busy.append((x, y, 2.2))
        w, d, h = u(2.5, 5), u(2, 3), u(2.4, 3.2)
        body: list[Part] = [
            (town.boxes([(0, d / 2, h / 2)], (w, 0.1, h)), paints[int(rng.integers(4))]),
            (town.boxes([(s * w / 2, 0, h / 2) for s in (-1, 1)], (0.1, d, h)), paints[int(rng.integers(4))]),
            (town.boxes([(0, -d / 2 + 0.2, 0.5)], (w, 0.4, 1.0)), paints[int(rng.integers(4))]),
            (lathe([(0.75 * max(w, d), h), (0.01, h + u(0.6, 1.6))], (0, 0, 0), 4), kit.surface("fabric", metres=1.5, bump=False)),
            (town.boxes([(0, -d / 2 - 0.05, h + 0.05)], (w, 0.08, 0.35)), neon[int(rng.integers(5))]),
            (town.boxes([(0, d / 2 - 0.08, h * 0.62)], (w * 0.9, 0.05, h * 0.4)), kit.surface("picture", metres=1.5, glow=0.6, bump=False)),
        ]
        body[3] = (town.moved(body[3][0], turn=45.0), body[3][1])
        kit.add(body, (x, y, 0), turn)
        kit.lamp((x, y, h - 0.3), u(40, 160), size=0.6, colour=hsv(u(0.05, 0.15), u(0.1, 0.5), 1))
    lights = [kit.painted((1.0, 0.9, 0.7), glow=3.0), *neon[:2]]
    for _ in range(int(rng.integers(1, 5))):  # strings of bulbs
        a, b = np.array([u(-16, -2), u(-10, 14), u(3.5, 6)]), np.array([u(2, 16), u(-10, 14), u(3.5, 6)])
        t = np.linspace(0, 1, 24)[:, None]
        line = a + (b - a) * t - [0, 0, 1] * (4 * u(0.3, 1.2) * t * (1 - t))
        bulbs = joined([ball(q, (0.07,) * 3, 6) for q in line])
        kit.add([(tube(line, 0.012, 4), paints[0]), (bulbs, lights[int(rng.integers(3))])])
        kit.add([(rod((*q[:2], 0), q, 0.06), white) for q in (a, b)])
    crowd = [Stamp(kit, town.walker(kit), smooth=True) for _ in range(3)]
    for _ in range(int(rng.integers(5, 36))):
        x, y = u(-14, 14), u(-14, 20)
        if all(math.hypot(x - a, y - b) > c for a, b, c in busy):
            crowd[int(rng.integers(3))].put((x, y, 0), u(0, 360))
    for _ in range(4):
        kit.lamp((u(-15, 15), u(-12, 15), u(4, 7)), u(100, 500), size=0.8, colour=hsv(rng.random(), u(0, 0.5), 1))
    _lit_town(kit, 45, 120, int(rng.integers(3, 16)))
    shots = _shots(kit, hub + radius, 8, 3, near=0.6, far=1.5)
    for _ in range(25):  # among the stalls
        eye = np.array([u(-8, 8), -u(2, 20), u(1.4, 1.8)])
        if all(math.hypot(eye[0] - a, eye[1] - b) > c + 0.5 for a, b, c in busy):
            shots.append(Shot.looking(eye, u(-50, 50), u(-14, 5), u(38, 75), rng.normal(0, 1.5)))
    return sight.worthwhile(kit, shots, int(rng.integers(4, 7)), nearest=0.5, sky=0.84)
