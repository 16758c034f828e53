"""Arrangements of small things: stereo sets, still lifes, meals, product shots, workbenches, shelves, floors, one thing before a far room.

The top that things stand on is z = 0 and its middle about the origin; the photographer stands at -y.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy
import numpy as np

from benchmarks.modelling import sheet

from . import small
from .kit import Kit, Shot
from .small import Maker, Parts, Surface, block, extent, settled, shifted, spun, standing
from .textures import Colour, Rng, any_colour, hsv, noise, wall_colour

WEIGHT = 0.12
INSIDE = ("plain", "paint", "plaster", "tiles", "bricks", "planks", "wood", "fabric", "concrete")


# Cameras


def seen(rng: Rng, aim: Sequence[float], distance: float, yaw: float, pitch: float, fov: float, *, loose: float = 0.06) -> Shot:
    """A camera at that distance from what it looks at, looking yaw degrees to the left of +y and pitch degrees down; loose: how far the aim
    is off, in shares of the distance."""
    y, p = np.radians([yaw, pitch])
    forward = np.array([-np.sin(y) * np.cos(p), np.cos(y) * np.cos(p), -np.sin(p)])
    at = np.asarray(aim, float) - distance * forward
    off = np.asarray(aim, float) + rng.normal(0, loose, 3) * distance * (1, 1, 0.7)
    return Shot(at.tolist(), off.tolist(), fov, float(rng.normal(0, 1.5)))


def filling(wide: float, fov: float, share: float) -> float:
    """The distance at which `wide` metres take that share of the picture's width."""
    return wide / share / (2 * np.tan(np.radians(fov) / 2))


def clear(kit: Kit, shot: Shot) -> bool:
    """Whether nothing close by stands in a camera's way: rays through the picture's parts, compared with the distance of the aim."""
    scene = bpy.context.scene
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    turn = np.array(shot.matrix().to_3x3())
    half = np.tan(np.radians(shot.fov) / 2)
    reach = float(np.linalg.norm(np.subtract(shot.aim, shot.at)))
    grid = [(u, v) for v in np.linspace(-0.8, 0.8, 5) for u in np.linspace(-0.85, 0.85, 7)]
    away = np.full(len(grid), np.inf)
    for i, (u, v) in enumerate(grid):
        hit, where, *_ = scene.ray_cast(graph, shot.at, (turn @ [u * half, v * half * kit.size[0] / kit.size[1], -1.0]).tolist())
        if hit:
            away[i] = np.linalg.norm(np.subtract(where, shot.at))
    middle = np.array([abs(u) < 0.4 and abs(v) < 0.5 for u, v in grid])
    return bool(away.min() > 0.12 and (away < 0.5 * reach).mean() < 0.35 and (away[middle] < 0.6 * reach).mean() < 0.4)


def around(kit: Kit, aim: Sequence[float], wide: float, count: int, *, yaw: float = 35, pitch: tuple[float, float] = (4, 30),
           share: tuple[float, float] = (0.6, 1.4), near: float = 0.35, fov: tuple[float, float] = (26, 62)) -> list[Shot]:  # fmt: skip
    """Clearly different cameras about one arrangement of that width."""
    rng = kit.rng
    made = []
    for k in range(count):
        for _ in range(8):
            lens = float(rng.uniform(*fov))
            to = np.asarray(aim, float) + (rng.normal(0, 0.16, 3) * wide * (1, 0.5, 0.3))
            side = yaw * (2 * (k + rng.random()) / count - 1)
            shot = seen(rng, to, max(filling(wide, lens, rng.uniform(*share)), near), side, rng.uniform(*pitch), lens)
            if clear(kit, shot):
                made.append(shot)
                break
    return [made[int(i)] for i in rng.permutation(len(made))]


# What things stand on and before


def put(kit: Kit, parts: Parts, at: Sequence[float] = (0, 0, 0), turn: float = 0.0) -> None:
    """A thing set down with its lowest point on `at`."""
    kit.add(parts, (at[0], at[1], at[2] - float(extent(parts)[0][2])), turn, smooth=True)


def ground(kit: Kit, z: float, far: float = 9.0) -> None:
    kind = str(kit.rng.choice(["planks", "wood", "tiles", "carpet", "concrete", "plain", "marble"]))
    kit.add([(block((2 * far, 2 * far, 0.1), (0, 0, z - 0.05)), kit.surface(kind))], turn=kit.rng.choice([0, 90]) + kit.rng.normal(0, 5))


def table(kit: Kit, w: float, d: float, tall: float, *, look: Surface | None = None) -> None:
    """A table, chest, pedestal or cloth-covered table whose top's surface is z = 0."""
    rng = kit.rng
    look = look or kit.surface(str(rng.choice(["wood", "wood", "planks", "plain", "plain", "marble", "metal", "tiles", "plaster"])))
    kind = rng.random()
    if kind < 0.45:
        t, leg = rng.uniform(0.018, 0.05), rng.uniform(0.03, 0.08)
        legs = [standing((leg, leg, tall - t), (x * (w / 2 - leg), y * (d / 2 - leg), -tall)) for x in (-1, 1) for y in (-1, 1)]
        kit.add([(block((w, d, t), (0, 0, -t / 2), 0.004), look), *((m, look) for m in legs)], smooth=True)
    elif kind < 0.6:
        r = max(w, d) / 2
        top = spun([(0, -0.03), (r * 0.99, -0.03), (r, -0.015), (r * 0.99, 0), (0, 0)], 48)
        foot = spun([(0.25 * r + 0.15, -tall), (0.06, -tall + 0.05), (0.05, -0.03)], 20)
        kit.add([(top, look), (foot, look)], smooth=True)
    elif kind < 0.8:
        kit.add([(block((w, d, tall), (0, 0, -tall / 2), 0.006), look)], smooth=True)
        if rng.random() < 0.6:  # drawers or doors
            n = int(rng.integers(2, 5))
            fronts = [block((w / n - 0.02, 0.02, tall * 0.85), ((i + 0.5) * w / n - w / 2, -d / 2, -tall * 0.5)) for i in range(n)]
            kit.add([(m, look) for m in fronts], smooth=True)
    else:
        spread(kit, w, d, tall * rng.uniform(0.2, 0.95))


def spread(kit: Kit, w: float, d: float, hang: float) -> None:
    """A tablecloth over a table, hanging down in folds."""
    rng = kit.rng
    n = 120
    a = np.linspace(0, 2 * np.pi, n)
    rim = np.stack([np.cos(a), np.sin(a)], 1)
    rim = rim / (np.abs(rim) ** 8).sum(1, keepdims=True) ** (1 / 8) * [w / 2, d / 2]
    out = rim / np.linalg.norm(rim, axis=1, keepdims=True)
    folds = np.sin(a * rng.integers(9, 22) + 2 * np.sin(3 * a))
    rows = [np.c_[0 * rim, np.zeros(n)], np.c_[rim * 0.985, np.zeros(n)]]
    for t in np.linspace(0.02, 1, 8):
        rows.append(np.c_[rim + out * (0.012 + (0.03 * folds[:, None] + 0.03) * t), np.full(n, -hang * t)])
    kit.add([(sheet(np.stack(rows)), kit.surface("fabric"))], smooth=True)


def drape(kit: Kit, y: float, wide: float, top: float, bottom: float) -> None:
    """A cloth that hangs behind, in folds."""
    rng = kit.rng
    n = 110
    x, t = np.meshgrid(np.linspace(-wide / 2, wide / 2, n), np.linspace(0, 1, 30))
    wave = 0.25 * noise(rng, 1.5, side=128)[0, :n] + np.sin(x[0] * rng.uniform(4, 25) + 3 * np.sin(x[0] * 2))
    deep = rng.uniform(0.01, 0.07)
    lower = 0.5 * noise(rng, 2.0, side=128)[:30, :n]
    points = np.dstack([x, y + deep * (wave[None] * (0.4 + 0.6 * t) + lower), top + (bottom - top) * t])
    kit.add([(sheet(points), kit.surface("fabric", metres=rng.uniform(0.3, 1.5)))], smooth=True)


def lattice(kit: Kit, y: float, wide: float, bottom: float, top: float) -> None:
    """A trellis of laths before a wall."""
    rng = kit.rng
    gap, lath, look = rng.uniform(0.08, 0.25), rng.uniform(0.012, 0.035), small.wooden(kit)
    parts: Parts = [
        (block((lath, 0.008, top - bottom), (x, y, (top + bottom) / 2), 0.001), look) for x in np.arange(-wide / 2, wide / 2, gap)
    ]
    parts += [(block((wide, 0.008, lath), (0, y + 0.009, z), 0.001), look) for z in np.arange(bottom, top, gap)]
    kit.add(parts, smooth=True, tilt=(0, 0) if rng.random() < 0.5 else (0, 45))


def pictures(kit: Kit, y: float, x: tuple[float, float], z: tuple[float, float], count: int) -> None:
    """Framed pictures, notes or posters on a wall."""
    rng = kit.rng
    for k in range(count):
        w, h = rng.uniform(0.12, 0.7, 2)
        at = (x[0] + (x[1] - x[0]) * (k + rng.uniform(0.2, 0.8)) / count, y, rng.uniform(*z))
        parts: Parts = [
            (block((w, 0.004, h), (0, -0.014, 0), 0.0003), kit.surface("picture" if rng.random() < 0.75 else "writing", metres=max(w, h)))
        ]
        if rng.random() < 0.75:
            parts.append((block((w + 0.05, 0.026, h + 0.05), edge=0.004), small.anything(kit)))
        kit.add(parts, at, smooth=True)


def walls(kit: Kit, y: float, left: float, right: float, floor: float, *, high: float = 2.6, look: Surface | None = None) -> None:
    """A back wall and two side walls from the floor up, a skirting board, perhaps a ceiling."""
    rng = kit.rng
    look = look or kit.surface(
        str(rng.choice(INSIDE, p=[0.3, 0.2, 0.15, 0.06, 0.08, 0.05, 0.04, 0.05, 0.07])), wall_colour(rng) if rng.random() < 0.75 else None
    )
    back = block((right - left + 0.2, 0.1, high), ((left + right) / 2, y + 0.05, floor + high / 2), 0.001)
    sides = [block((0.1, 16, high), (x, y - 8, floor + high / 2), 0.001) for x in (left - 0.05, right + 0.05)]
    kit.add([(back, look)])
    kit.add([(m, look) for m in sides])
    if rng.random() < 0.6:
        kit.add([(block((right - left, 0.02, 0.08), ((left + right) / 2, y - 0.01, floor + 0.04)), kit.painted((0.9, 0.89, 0.86)))])
    if rng.random() < 0.8:
        kit.add(
            [(block((right - left + 0.2, 7, 0.1), ((left + right) / 2, y - 3.5, floor + high + 0.05)), kit.painted((0.92, 0.91, 0.89)))]
        )


def window(kit: Kit, at: Sequence[float], w: float, h: float, *, glow: float) -> None:
    """A window as seen from inside, in a wall that faces -y: frame, bars, a bright pane."""
    rng = kit.rng
    view = kit.surface("plaster", hsv(rng.uniform(0.5, 0.62), rng.uniform(0, 0.25), 0.97), metres=3.0, glow=glow, bump=False)
    below = kit.surface(
        "foliage" if rng.random() < 0.6 else "bricks", metres=rng.uniform(0.4, 2), glow=glow * rng.uniform(0.2, 0.6), bump=False
    )
    low = h * rng.uniform(0.0, 0.6)
    frame = kit.painted((0.9, 0.9, 0.88) if rng.random() < 0.7 else (0.3, 0.2, 0.13))
    bars = [block((0.05, 0.05, h), (x * w / 2, 0, 0)) for x in (-1, 0, 1)] + [block((w, 0.05, 0.05), (0, 0, z * h / 2)) for z in (-1, 1)]
    panes = [
        (block((w, 0.004, h), (0, 0.012, 0), 0.0005), view),
        (block((w, 0.004, low + 0.002), (0, 0.009, (low - h) / 2), 0.0005), below),
    ]
    kit.add([*panes, *((m, frame) for m in bars)], at, smooth=True)


def muted(kit: Kit) -> Colour:
    """As furniture and large cloths are coloured: mostly white, grey, black or dull."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.55:
        return hsv(
            rng.uniform(0.05, 0.15),
            rng.uniform(0, 0.12),
            float(rng.choice([rng.uniform(0.04, 0.2), rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.95)])),
        )
    return hsv(rng.random(), rng.uniform(0.1, 0.45), rng.uniform(0.2, 0.8)) if kind < 0.92 else any_colour(rng)


def board(kit: Kit) -> Surface:
    """Of what cupboards are made."""
    return small.wooden(kit) if kit.rng.random() < 0.5 else small.paint(kit, muted(kit))


def furniture(kit: Kit, floor: float, y: float, left: float, right: float) -> None:
    """A further room's things along its back wall: cupboards, a sofa, shelves, doors, a plant, a lamp; seen from afar."""
    rng = kit.rng
    x = left + rng.uniform(0, 0.6)
    while x < right - 0.5:
        kind, w = rng.random(), rng.uniform(0.5, 1.7)
        look = board(kit)
        at = (x + w / 2, y - 0.3, floor)
        if kind < 0.3:
            h, d = rng.choice([rng.uniform(0.5, 1), rng.uniform(1.6, 2.2)]), rng.uniform(0.35, 0.6)
            put(kit, [(standing((w, d, h)), look), (block((w / 2 - 0.02, 0.02, h * 0.9), (-w / 4, -d / 2, h / 2)), look),
                      (block((w / 2 - 0.02, 0.02, h * 0.9), (w / 4, -d / 2, h / 2)), look)], at)  # fmt: skip
            if h < 1.2:
                put(kit, small.some(kit, small.DECOR), (at[0], at[1], floor + h))
        elif kind < 0.5:
            cover = kit.surface("fabric", muted(kit))
            w = max(w, 1.3)
            at = (x + w / 2, y - 0.5, floor)
            put(kit, [(small.moved(small.pillow((w, 0.85, 0.42), 8), (0, 0, 0.21)), cover), (small.moved(small.pillow((w, 0.25, 0.5), 7), (0, 0.35, 0.6)), cover),
                      *((small.moved(small.pillow((0.22, 0.85, 0.62), 7), (s * w / 2, 0, 0.31)), cover) for s in (-1, 1))], at)  # fmt: skip
        elif kind < 0.62:
            put(kit, small.pot_plant(kit, rng.uniform(0.6, 1.3)), at)
        elif kind < 0.75:
            put(kit, [(standing((0.9, 0.06, 2.05)), look), (block((0.78, 0.02, 1.9), (0, -0.03, 1.0)), look)], (at[0], y - 0.02, floor))
            w = max(w, 1.0)
        elif kind < 0.9:
            looks = [small.paint(kit) for _ in range(5)]
            h = rng.uniform(1.2, 2.1)
            w = min(w, 1.1)
            parts: Parts = [(standing((0.03, 0.3, h), (s * w / 2, 0, 0)), look) for s in (-1, 1)]
            for z in np.arange(0.05, h, 0.36):
                parts.append((standing((w, 0.3, 0.025), (0, 0, float(z))), look))
                parts += shifted(small.row_of_books(kit, w * rng.uniform(0.3, 0.95), 0.33, looks), (-w / 2 + 0.02, -0.14, float(z) + 0.025))
            put(kit, parts, (x + w / 2, y - 0.2, floor))
        x += w + rng.uniform(0.05, 1.2)
    if rng.random() < 0.6:
        pictures(kit, y, (left + 0.4, right - 0.4), (floor + 1.4, floor + 1.9), int(rng.integers(1, 5)))


# Light


def daylight(kit: Kit, aim: Sequence[float] = (0, 0, 0.1), *, from_y: tuple[float, float] = (-1.6, 0.1)) -> None:
    """A window to one side, out of the picture, and what the room gives back."""
    rng = kit.rng
    side = rng.choice([-1, 1])
    at = (side * rng.uniform(1.1, 2.3), rng.uniform(*from_y), rng.uniform(0.3, 1.4))
    kit.lamp(
        at,
        rng.uniform(40, 140),
        aim=aim,
        size=rng.uniform(0.5, 1.8),
        height=rng.uniform(0.7, 1.6),
        colour=hsv(rng.uniform(0.5, 0.62), rng.uniform(0, 0.15), 1),
    )
    kit.even_light(hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.2), 1), rng.uniform(0.08, 0.6))
    if rng.random() < 0.25:
        kit.sun(rng.uniform(15, 50), -side * rng.uniform(-140, -40), rng.uniform(1.5, 6), soft=0.6)


def lamplight(kit: Kit, above: float = 1.4) -> None:
    """Lamps of the evening: one or two above, warm, perhaps one low at the side."""
    rng = kit.rng
    warm = hsv(rng.uniform(0.07, 0.13), rng.uniform(0.05, 0.4), 1)
    for _ in range(int(rng.integers(1, 3))):
        kit.lamp(
            (rng.uniform(-0.9, 0.9), rng.uniform(-1.2, 0.0), above * rng.uniform(0.8, 1.2)),
            rng.uniform(25, 70),
            size=rng.uniform(0.2, 0.5),
            colour=warm,
        )
    if rng.random() < 0.4:
        kit.lamp(
            (rng.choice([-1, 1]) * rng.uniform(0.7, 1.5), rng.uniform(-0.6, 0.05), rng.uniform(0.3, 0.7)),
            rng.uniform(4, 14),
            size=0.2,
            colour=warm,
        )
    kit.even_light(warm, rng.uniform(0.05, 0.4))


def studio(kit: Kit) -> None:
    """A large soft box, a weaker one opposite, perhaps one from behind."""
    rng = kit.rng
    side = rng.choice([-1, 1])
    kit.lamp((side * rng.uniform(0.8, 1.4), rng.uniform(-1.2, 0.3), rng.uniform(0.7, 1.6)), 60, aim=(0, 0, 0.1), size=rng.uniform(0.4, 1.0))
    kit.lamp((-side * rng.uniform(0.9, 1.5), rng.uniform(-1.0, 0.2), rng.uniform(0.4, 1.2)), rng.uniform(5, 30), aim=(0, 0, 0.1), size=0.8)
    if rng.random() < 0.4:
        kit.lamp((rng.normal(0, 0.4), 1.0, 1.3), rng.uniform(10, 50), aim=(0, 0, 0.1), size=0.5)
    kit.even_light((1, 1, 1), rng.uniform(0.05, 0.4))


def flash(kit: Kit) -> None:
    """A flash from about the camera's place and a dim room."""
    rng = kit.rng
    kit.lamp((rng.normal(0, 0.2), -1.6, 0.9), rng.uniform(20, 60), aim=(0, 0.3, 0.1), size=0.2)
    kit.lamp((rng.uniform(-1, 1), 0.5, 1.6), rng.uniform(5, 30), size=0.3, colour=(1, 0.85, 0.65))
    kit.even_light((1, 0.93, 0.85), rng.uniform(0.05, 0.4))


def any_light(kit: Kit) -> None:
    kind = kit.rng.random()
    if kind < 0.5:
        daylight(kit)
    elif kind < 0.85:
        lamplight(kit)
    elif kind < 0.93:
        studio(kit)
    else:
        flash(kit)


# Arranging


def scatter(kit: Kit, makers: Sequence[Maker], count: int, w: float, d: float, *, z: float = 0.0, gap: float = 0.012, loose: float = 30,
            sorted_by_height: bool = False, middle: Sequence[float] = (0, 0)) -> float:  # fmt: skip
    """Things put down on w × d metres without going through each other. Returns the greatest height.

    loose: deviation of their turn in degrees; sorted_by_height: the tall ones rather behind.
    """
    rng = kit.rng
    things = [settled(small.some(kit, makers)) for _ in range(count)]
    sizes = [extent(t)[1] for t in things]
    order = np.argsort([-float(s[0] * s[1]) for s in sizes])
    taken: list[tuple[float, float, float]] = []
    tallest = 0.0
    for i in order:
        size = sizes[i]
        r = float(np.hypot(size[0], size[1])) * 0.78
        for _ in range(25):
            x, y = rng.uniform(-w / 2, w / 2), rng.uniform(-d / 2, d / 2)
            if sorted_by_height:
                y = float(np.clip(d * (size[2] / 0.35 - 0.5) + rng.normal(0, 0.2 * d), -d / 2, d / 2))
            if abs(x) + 0.7 * r > w / 2 + 0.03 or abs(y) + 0.7 * r > d / 2 + 0.03:
                continue
            if all(np.hypot(x - a, y - b) > r + c + gap for a, b, c in taken):
                taken.append((x, y, r))
                put(kit, things[i], (x + middle[0], y + middle[1], z), rng.normal(0, loose))
                tallest = max(tallest, float(size[2]))
                break
    return tallest


def stacked_box(kit: Kit, at: Sequence[float]) -> None:
    """One or two boxes or piles of books that something stands on."""
    rng = kit.rng
    z = float(at[2])
    for _ in range(int(rng.integers(1, 4))):
        size = (rng.uniform(0.18, 0.4), rng.uniform(0.15, 0.3), rng.uniform(0.04, 0.3))
        put(kit, [(standing(size, edge=0.003), small.anything(kit))], (at[0] + rng.normal(0, 0.02), at[1], z), rng.normal(0, 20))
        z += size[2]
    put(kit, small.some(kit, small.ANY), (at[0], at[1], z), rng.normal(0, 40))


# Scenes


def stereo_set(kit: Kit) -> list[Shot]:
    """Many things of one or two sorts at different depths before a wall that fills the frame, as on stereo benchmarks."""
    rng = kit.rng
    wall = rng.uniform(0.7, 2.0)
    table(kit, 3.2, 2 * wall, 0.8) if rng.random() < 0.5 else ground(kit, 0)
    floor = -0.8
    ground(kit, floor)
    walls(kit, wall, -2.2, 2.2, floor, look=kit.surface(str(rng.choice(["picture", "plaster", "wood", "fabric", "planks", "bricks", "writing", "plain", "paint"])),
                                                       metres=rng.uniform(0.5, 2.5)))  # fmt: skip
    extra = rng.random()
    if extra < 0.3:
        lattice(kit, wall - rng.uniform(0.05, 0.3), 3, 0, 1.8)
    elif extra < 0.55:
        drape(kit, wall - 0.15, rng.uniform(1, 3), 1.6, 0)
    elif extra < 0.85:
        pictures(kit, wall, (-1.2, 1.2), (0.3, 1.2), int(rng.integers(2, 7)))
    sets: list[list[Maker]] = [[small.cone, small.cone, small.cone, small.mask], [small.mask, small.book, small.packet], small.TOYS, small.TOYS, small.DECOR,
                               small.ANY, small.WORK, [small.pens, small.books, small.paint_can, small.bust, small.figure], [small.teddy, small.toy_ball, small.blocks],
                               [small.pot_plant, small.vase, small.flowers, small.basket], [small.bust, small.figure, small.sculpture]]  # fmt: skip
    chosen = sets[int(rng.integers(len(sets)))]
    deep = wall * rng.uniform(0.8, 1.4)
    for _ in range(int(rng.integers(2, 6))):
        stacked_box(kit, (rng.uniform(-0.9, 0.9), wall - rng.uniform(0.2, deep), 0))
    scatter(
        kit, chosen, int(rng.integers(14, 34)), 2.0, deep, middle=(0, wall - 0.05 - deep / 2), sorted_by_height=bool(rng.random() < 0.4)
    )
    if small.mask in chosen:
        for _ in range(int(rng.integers(2, 7))):
            kit.add(small.mask(kit), (rng.uniform(-1, 1), wall - 0.02, rng.uniform(0.3, 1.0)), smooth=True)
    any_light(kit)
    return around(
        kit,
        (0, wall - deep * 0.5, rng.uniform(0.15, 0.35)),
        1.6,
        int(rng.integers(3, 6)),
        yaw=25,
        pitch=(0, 25),
        share=(0.8, 1.5),
        near=1.0,
        fov=(24, 48),
    )


def behind(kit: Kit, floor: float, d: float) -> None:
    """Some background for a table of depth d: a wall near by, a cloth, a window, a further room."""
    rng = kit.rng
    kind = rng.random()
    ground(kit, floor)
    left, right = -rng.uniform(1.3, 3.5), rng.uniform(1.3, 3.5)
    if kind < 0.45:
        y = d / 2 + rng.choice([0.01, 0.02, rng.uniform(0.05, 1.2)])
        walls(kit, y, left, right, floor)
        if rng.random() < 0.45:
            pictures(kit, y, (left + 0.3, right - 0.3), (0.3, 1.2), int(rng.integers(1, 6)))
        elif rng.random() < 0.35:
            window(
                kit,
                (rng.normal(0, 0.5), y - 0.03, rng.uniform(0.6, 0.9)),
                rng.uniform(0.7, 1.5),
                rng.uniform(0.7, 1.1),
                glow=rng.uniform(1, 8),
            )
    elif kind < 0.55:
        y = d / 2 + rng.uniform(0.02, 0.5)
        walls(kit, y + 0.3, left, right, floor)
        drape(kit, y, rng.uniform(1.5, 4), 1.6, floor if rng.random() < 0.5 else -0.02)
    else:
        y = d / 2 + rng.uniform(1.2, 5)
        left, right = left - rng.uniform(0, 1.5), right + rng.uniform(0, 1.5)
        walls(kit, y, left, right, floor)
        furniture(kit, floor, y, left, right)
        if rng.random() < 0.5:
            window(kit, (rng.uniform(left, right) * 0.6, y - 0.03, 0.7), rng.uniform(0.8, 2), rng.uniform(0.9, 1.3), glow=rng.uniform(1, 8))
        if rng.random() < 0.7:
            kit.lamp(
                (rng.uniform(-1, 1), y * 0.6, floor + 2.3),
                rng.uniform(20, 90),
                size=0.4,
                colour=hsv(rng.uniform(0.07, 0.14), rng.uniform(0, 0.3), 1),
            )


def still_life(kit: Kit) -> list[Shot]:
    """A few to many things on a table or chest, at eye height or from above."""
    rng = kit.rng
    w, d, tall = rng.uniform(0.6, 1.8), rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.95)
    table(kit, w, d, tall)
    behind(kit, -tall, d)
    makers = [small.TABLE, small.DECOR, small.KITCHEN, small.DESK, small.ANY][int(rng.integers(5))]
    use = min(w, rng.uniform(0.5, 1.2))
    high = scatter(kit, makers, int(rng.integers(3, 18)), use, d * 0.9, sorted_by_height=bool(rng.random() < 0.5))
    any_light(kit)
    return around(kit, (0, 0, high * 0.35), use, int(rng.integers(3, 6)), pitch=(2, 40), share=(0.55, 1.5))


def meal(kit: Kit) -> list[Shot]:
    """Food on a table from 20 to 70 degrees above, near."""
    rng = kit.rng
    w, d = rng.uniform(0.8, 2.0), rng.uniform(0.7, 1.0)
    table(kit, w, d, 0.74)
    behind(kit, -0.74, d)
    if rng.random() < 0.3:
        put(kit, [(standing((w, 0.4, 0.003), edge=0.001), kit.surface("fabric"))])
    guests = int(rng.integers(1, 5))
    for k in range(guests):
        x = (k - (guests - 1) / 2) * 0.5
        kit.add(small.setting(kit), (x + rng.normal(0, 0.03), -d / 2 + 0.22, 0), rng.normal(0, 5), smooth=True)
        if rng.random() < 0.6:
            kit.add(small.setting(kit), (x + rng.normal(0, 0.03), d / 2 - 0.22, 0), 180 + rng.normal(0, 5), smooth=True)
    scatter(
        kit,
        [small.served, small.bottle, small.bowl, small.loaf, small.flowers, small.candle, small.teapot, small.jar, small.basket],
        6,
        w * 0.9,
        0.3,
    )
    any_light(kit)
    shots = []
    for _ in range(int(rng.integers(4, 7))):
        fov, k = float(rng.uniform(30, 66)), int(rng.integers(guests))
        aim = ((k - (guests - 1) / 2) * 0.5 + rng.normal(0, 0.06), -d / 2 + 0.25 + rng.uniform(0, 0.12), 0.03)
        shot = seen(rng, aim, max(filling(rng.uniform(0.25, 1.0), fov, 0.9), 0.32), rng.uniform(-40, 40), rng.uniform(18, 72), fov)
        if clear(kit, shot):
            shots.append(shot)
    return shots


def dishes(kit: Kit) -> list[Shot]:
    """A cup with its saucer, a plate or a bowl from 25 to 70 degrees above and 30 to 60 cm away, filling the picture or cut off by it."""
    rng = kit.rng
    w, d = rng.uniform(0.7, 1.6), rng.uniform(0.6, 1.0)
    look = kit.surface(str(rng.choice(["wood", "wood", "planks", "marble", "plain", "fabric", "plaster", "tiles", "metal"])))
    if rng.random() < 0.25:
        spread(kit, w, d, 0.3)
    else:
        table(kit, w, d, 0.74, look=look)
    behind(kit, -0.74, d)
    main = [small.cup_and_saucer, small.cup_and_saucer, small.served, small.served, small.served, small.bowl, small.mug, small.plate]
    placed: list[tuple[float, float, float]] = []

    def lay(maker: Maker, at: tuple[float, float] | None) -> None:
        """Set a thing down there, or somewhere beside what lies already."""
        thing = settled(maker(kit))
        size = extent(thing)[1]
        r = float(max(size[0], size[1]))
        for _ in range(8):
            beside = placed[int(rng.integers(len(placed)))] if placed else (0.0, 0.0, 0.0)
            a, gap = rng.uniform(0, 2 * np.pi), beside[2] + r + rng.uniform(0.006, 0.12)
            x, y = at or (beside[0] + gap * np.cos(a), beside[1] + gap * np.sin(a))
            if abs(x) < w / 2 - r and abs(y) < d / 2 - r and all(np.hypot(x - a, y - b) > r + c + 0.005 for a, b, c in placed):
                kit.add(thing, (x, y, 0.002), rng.uniform(0, 360) if r > 0.05 else rng.normal(0, 20), smooth=True)
                placed.append((x, y, r))
                return

    lay(main[int(rng.integers(len(main)))], (0.0, 0.0))
    if rng.random() < 0.35:  # a mat, a napkin, a tray, a menu below or beside it
        size = rng.uniform((0.2, 0.15), (0.46, 0.34))
        mat = small.printed(kit) if rng.random() < 0.25 else kit.surface("fabric" if rng.random() < 0.7 else "wood", metres=0.3)
        kit.add(
            [(standing((*size, 0.003), edge=0.001), mat)], (rng.normal(0, 0.08), rng.normal(0, 0.06), 0.0), rng.normal(0, 12), smooth=True
        )
    others = [small.cup_and_saucer, small.served, small.mug, small.glass, small.bowl, small.plate, small.cutlery, small.cutlery, small.phone,
              small.jar, small.papers, small.loaf, small.candle, small.fruit, small.open_book, small.flowers, small.bottle]  # fmt: skip
    for _ in range(int(rng.integers(0, 11))):
        lay(others[int(rng.integers(len(others)))], None)
    any_light(kit)
    shots = []
    for _ in range(int(rng.integers(4, 7))):
        for _ in range(6):
            x, y, r = placed[0] if rng.random() < 0.75 else placed[int(rng.integers(len(placed)))]
            off = rng.normal(0, 0.5, 2) * r * (rng.random() < 0.6)
            fov = float(rng.uniform(30, 66))
            far = max(filling(2 * r, fov, rng.uniform(0.45, 1.35)), 0.26)
            shot = seen(rng, (x + off[0], y + off[1], 0.02), min(far, 0.65), rng.uniform(-60, 60), rng.uniform(25, 70), fov, loose=0.04)
            if clear(kit, shot):
                shots.append(shot)
                break
    return shots


def product(kit: Kit) -> list[Shot]:
    """One to five things on a paper sweep, a bare table or a pedestal in soft light."""
    rng = kit.rng
    tone = any_colour(rng) if rng.random() < 0.6 else hsv(0.1, 0.03, rng.choice([0.06, 0.5, 0.93]))
    t = np.linspace(0, 1, 40)
    deep, bend = rng.uniform(0.25, 0.9), rng.uniform(0.05, 0.5)
    y = np.where(t < 0.5, -1.2 + (1.2 + deep) * t * 2, deep + bend * np.sin(np.clip((t - 0.5) * 4, 0, 1) * np.pi / 2))
    z = np.where(t < 0.5, 0, bend * (1 - np.cos(np.clip((t - 0.5) * 4, 0, 1) * np.pi / 2)) + np.clip(t - 0.75, 0, 1) * 6)
    half = rng.uniform(0.7, 1.8)
    kit.add([(sheet(np.stack([np.stack([np.full(40, x), y, z], 1) for x in (-half, half)])), kit.painted(tone, rough=0.9))], smooth=True)
    if half < 1.2:
        ground(kit, -0.9)
        walls(kit, deep + bend + rng.uniform(0.3, 2), -2.5, 2.5, -0.9)
    makers = [small.DECOR, small.WEAR, small.KITCHEN, small.TOYS, small.DESK, small.WORK][int(rng.integers(6))]
    count = int(rng.integers(1, 6))
    first = settled(small.some(kit, makers))
    size = extent(first)[1]
    wide = float(max(np.hypot(size[0], size[1]) * 2, size[2], 0.1))
    if count == 1:
        put(kit, first, turn=rng.uniform(-50, 50))
    else:
        wide = rng.uniform(0.3, 0.8)
        size = np.array([0, 0, scatter(kit, makers, count, wide, wide * 0.7, loose=50)])
    studio(kit)
    return around(
        kit, (0, 0, float(size[2]) * 0.45), wide, int(rng.integers(3, 5)), yaw=60, pitch=(3, 50), share=(0.35, 0.95), near=0.3, fov=(20, 50)
    )


def workplace(kit: Kit) -> list[Shot]:
    """A workbench or desk against a wall, things on it, things hung above it."""
    rng = kit.rng
    w, d, tall = rng.uniform(1.1, 2.2), rng.uniform(0.55, 0.85), rng.uniform(0.7, 0.95)
    table(kit, w, d, tall, look=small.wooden(kit) if rng.random() < 0.7 else None)
    ground(kit, -tall)
    wall = d / 2 + 0.01
    walls(kit, wall, -rng.uniform(1.2, 3), rng.uniform(1.2, 3), -tall)
    office = rng.random() < 0.6
    if office:
        put(kit, small.monitor(kit) if rng.random() < 0.7 else small.laptop(kit), (rng.normal(0, 0.25), d * 0.2, 0), rng.normal(0, 12))
        put(kit, small.keyboard(kit), (rng.normal(0, 0.1), -d * 0.22, 0), rng.normal(0, 6))
        pictures(kit, wall, (-w / 2, w / 2), (0.5, 1.1), int(rng.integers(0, 7)))
    elif rng.random() < 0.6:  # a board with tools
        board = kit.surface("tiles" if rng.random() < 0.3 else "wood")
        kit.add([(block((w, 0.02, 0.8), (0, wall - 0.011, 0.75)), board)])
        for _ in range(int(rng.integers(4, 12))):
            kit.add(small.tool(kit), (rng.uniform(-w / 2, w / 2) * 0.9, wall - 0.03, rng.uniform(0.5, 1.05)), tilt=(90, 0), smooth=True)
    if rng.random() < 0.5:
        z, looks = rng.uniform(0.45, 0.7), [small.paint(kit) for _ in range(4)]
        put(kit, [(standing((w * 0.8, 0.22, 0.025)), small.wooden(kit))], (0, wall - 0.11, z))
        kit.add(small.row_of_books(kit, w * rng.uniform(0.2, 0.5), 0.3, looks, 0.18), (-w * 0.38, wall - 0.2, z + 0.025), smooth=True)
        scatter(kit, [*small.DECOR, *small.WORK], 5, w * 0.35, 0.2, z=z + 0.025, middle=(w * 0.2, wall - 0.11))
    scatter(kit, small.DESK if office else small.WORK, int(rng.integers(6, 20)), w * 0.95, d * 0.9, loose=40)
    if rng.random() < 0.4:  # a chair's back before it
        seat = small.paint(kit)
        put(kit, [(standing((0.45, 0.45, 0.05), (0, 0, 0.44)), seat), (small.moved(small.pillow((0.44, 0.06, 0.5), 6), (0, -0.22, 0.75)), seat),
                  (standing((0.06, 0.06, 0.44)), small.steel(kit)), (standing((0.5, 0.5, 0.04)), small.dark(kit))], (rng.normal(0, 0.3), -d / 2 - 0.3, -tall), rng.normal(0, 40))  # fmt: skip
    kit.lamp((rng.uniform(-0.6, 0.6), -0.1, 0.55), rng.uniform(3, 15), size=0.2, colour=(1, 0.85, 0.6)) if rng.random() < 0.4 else None
    any_light(kit)
    return around(kit, (0, 0.05, 0.12), w * 0.75, int(rng.integers(3, 6)), pitch=(5, 45), share=(0.5, 1.4), near=0.5, fov=(34, 70))


def shelf(kit: Kit) -> list[Shot]:
    """A bookcase, kitchen shelf or shop rack, frontal or aslant."""
    rng = kit.rng
    w, d, rows = rng.uniform(0.8, 2.4), rng.uniform(0.22, 0.4), int(rng.integers(3, 7))
    each, t = rng.uniform(0.26, 0.42), rng.uniform(0.012, 0.03)
    look = board(kit)
    columns = int(rng.integers(1, 4))
    parts: Parts = [(block((w, d, t), (0, 0, k * each), 0.002), look) for k in range(rows + 1)]
    if rng.random() < 0.8:
        parts += [(standing((t, d, rows * each), (x, 0, 0)), look) for x in np.linspace(-w / 2, w / 2, columns + 1)]
    if rng.random() < 0.7:
        parts.append((block((w, 0.01, rows * each), (0, d / 2, rows * each / 2), 0.001), look))
    base = rng.uniform(0, 0.3)
    kit.add(parts, (0, 0, base), smooth=True)
    ground(kit, 0)
    walls(kit, d / 2 + 0.01, -rng.uniform(1.4, 3), rng.uniform(1.4, 3), 0)
    looks = [small.paint(kit) for _ in range(7)] + [small.printed(kit) for _ in range(2)]
    makers = [small.DECOR, small.KITCHEN, small.TOYS, small.WORK, small.ANY][int(rng.integers(5))]
    full, bookish = rng.uniform(0.3, 1), rng.uniform(0, 1)
    for k in range(rows):
        for c in range(columns):
            left, wide = -w / 2 + c * w / columns + t, w / columns - 2 * t
            z = base + k * each + t / 2
            if rng.random() > full:
                continue
            if rng.random() < bookish:
                share = rng.choice([1, rng.uniform(0.3, 0.9)])
                kit.add(small.row_of_books(kit, wide * share, each - t, looks, d * 0.9), (left, -d / 2 + 0.01, z), smooth=True)
                if share > 0.8:
                    continue
                left, wide = left + wide * share, wide * (1 - share)
            x, misfits = left, 0
            while misfits < 4:
                thing = settled(small.some(kit, makers))
                size = extent(thing)[1]
                fit = min(1.0, (each - t) * 0.93 / float(size[2]), d * 0.48 / float(size[1]))
                if fit < 0.55 or x + 2 * size[0] * fit > left + wide:
                    misfits += 1
                    continue
                kit.add(
                    shifted(thing, scale=fit), (x + size[0] * fit, rng.uniform(-0.2, 0.1) * d * (1 - size[1] * fit / d * 2), z), smooth=True
                )
                x += 2 * float(size[0]) * fit + rng.uniform(0.005, 0.1)
    any_light(kit)
    middle = base + rows * each / 2
    return around(
        kit,
        (0, -d / 2, middle + rng.normal(0, 0.2)),
        w * 0.8,
        int(rng.integers(3, 6)),
        yaw=50,
        pitch=(-12, 20),
        share=(0.6, 1.6),
        near=0.6,
        fov=(34, 66),
    )


def close_by(kit: Kit) -> list[Shot]:
    """One thing or two, near, before a far room."""
    rng = kit.rng
    w, d, tall = rng.uniform(0.5, 1.4), rng.uniform(0.3, 0.8), rng.uniform(0.45, 1.1)
    table(kit, w, d, tall)
    ground(kit, -tall)
    y = d / 2 + rng.uniform(2, 7)
    left, right = -rng.uniform(2, 4), rng.uniform(2, 4)
    walls(kit, y, left, right, -tall)
    furniture(kit, -tall, y, left, right)
    if rng.random() < 0.6:
        window(kit, (rng.uniform(left, right) * 0.6, y - 0.03, 0.7), rng.uniform(0.8, 2), 1.2, glow=rng.uniform(1, 8))
    for _ in range(int(rng.integers(0, 4))):  # things between
        put(
            kit,
            [(standing((rng.uniform(0.3, 1), rng.uniform(0.3, 1), rng.uniform(0.3, 1))), small.anything(kit))],
            (rng.uniform(left, right), rng.uniform(d + 0.5, y - 0.8), -tall),
        )
    first = settled(small.some(kit, small.ANY))
    size = extent(first)[1]
    put(kit, first, (0, -0.1, 0), rng.uniform(-60, 60))
    wide = float(max(np.hypot(size[0], size[1]) * 1.6, size[2]))
    for s in (-1, 1):
        if rng.random() < 0.35:
            second = settled(small.some(kit, small.ANY))
            put(kit, second, (s * (float(size[0] + extent(second)[1][0]) * 1.3 + 0.06), rng.uniform(-0.1, 0.15), 0), rng.uniform(-60, 60))
    kit.lamp(
        (rng.uniform(-1, 1), y * 0.6, 2.3 - tall),
        rng.uniform(40, 120),
        size=0.4,
        colour=hsv(rng.uniform(0.07, 0.14), rng.uniform(0, 0.3), 1),
    )
    any_light(kit)
    return around(
        kit,
        (0, -0.1, float(size[2]) * 0.5),
        wide,
        int(rng.integers(3, 6)),
        yaw=40,
        pitch=(-3, 22),
        share=(0.3, 0.9),
        near=0.3,
        fov=(24, 56),
    )


def floor_things(kit: Kit) -> list[Shot]:
    """Toys, shoes, bags, parcels, clothes on a floor, from a standing or kneeling person's height."""
    rng = kit.rng
    ground(kit, 0)
    y = rng.uniform(0.5, 2.5)
    left, right = -rng.uniform(1.2, 3), rng.uniform(1.2, 3)
    walls(kit, y, left, right, 0)
    if rng.random() < 0.7:
        furniture(kit, 0, y, left, right)
    if rng.random() < 0.5:
        put(
            kit,
            [(standing((rng.uniform(1, 2.4), rng.uniform(0.8, 1.6), 0.012)), kit.surface("carpet"))],
            (rng.normal(0, 0.2), rng.normal(0, 0.2), 0),
            rng.normal(0, 15),
        )
    makers = [
        small.TOYS,
        small.WEAR,
        [*small.WEAR, *small.TOYS, small.books],
        [small.parcel, small.parcel, small.bag, small.packet],
        [*small.WORK, small.bag],
    ]
    scatter(kit, makers[int(rng.integers(5))], int(rng.integers(5, 24)), rng.uniform(1, 2), rng.uniform(0.8, 1.5), z=0.012, loose=90)
    if rng.random() < 0.3:
        put(
            kit,
            small.cat(kit) if rng.random() < 0.6 else small.dog(kit),
            (rng.uniform(-0.6, 0.6), rng.uniform(0.2, 0.5), 0.012),
            rng.uniform(-90, 90),
        )
    any_light(kit)
    return around(kit, (0, 0, 0.1), 1.3, int(rng.integers(3, 6)), yaw=60, pitch=(8, 58), share=(0.55, 1.5), near=0.6, fov=(34, 68))


SCENES: list[tuple[float, Callable[[Kit], list[Shot]]]] = [
    (0.26, stereo_set), (0.17, still_life), (0.12, meal), (0.14, dishes), (0.07, product), (0.13, workplace), (0.08, shelf), (0.08, close_by), (0.09, floor_things),
]  # fmt: skip


def build(kit: Kit) -> list[Shot]:
    share = np.array([s for s, _ in SCENES])
    return SCENES[int(kit.rng.choice(len(SCENES), p=share / share.sum()))][1](kit)
