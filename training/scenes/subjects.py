"""People and animals as the subjects of pictures: portraits, full figures, groups, at tables, on sofas, in streets and gardens, pets, statues.

The subject stands about the origin on z = 0 and faces -y, where the photographer stands. People need the kit's `human` folder; without it
statues and animals take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import bpy
import numpy as np

from benchmarks.modelling import sheet

from . import pets, plants, skies, small
from .humans import someone
from .kit import Kit, Shot
from .small import Parts, block, extent, shifted, standing
from .tabletop import board, clear, furniture, ground, muted, pictures, put, walls, window
from .textures import any_colour, hsv, noise, wall_colour

WEIGHT = 0.14


class Subject(NamedTuple):
    """What a camera may be pointed at. at: its middle on the ground; top: height of its highest point; head: height of what to look at,
    metres; turn: degrees that it is turned; size: metres that a picture of all of it takes."""

    at: tuple[float, float, float]
    top: float
    head: float
    turn: float
    size: float


# Surroundings


def _cover(kit: Kit, size: float, kinds: Sequence[str]) -> None:
    kind = str(kit.rng.choice(list(kinds)))
    kit.add([(block((size, size, 0.2), (0, size * 0.3, -0.1), 0.001), kit.surface(kind))], turn=kit.rng.uniform(-20, 20))


def indoors(kit: Kit, back: float | None = None) -> float:
    """A room whose far wall is `back` metres behind the origin; returns that."""
    rng = kit.rng
    y = back or float(rng.choice([rng.uniform(0.35, 0.9), rng.uniform(0.9, 2.5), rng.uniform(2.5, 7)]))
    left, right = -rng.uniform(1.5, 4), rng.uniform(1.5, 4)
    ground(kit, 0)
    walls(kit, y, left, right, 0, high=rng.uniform(2.4, 3.2))
    if y > 1.5 or (y > 0.9 and rng.random() < 0.5):
        furniture(kit, 0, y, left, right)
    elif rng.random() < 0.5:
        pictures(kit, y, (left + 0.5, right - 0.5), (1.2, 1.9), int(rng.integers(1, 5)))
    if rng.random() < 0.4:
        window(kit, (rng.uniform(left, right) * 0.6, y - 0.03, 1.5), rng.uniform(0.8, 2), rng.uniform(0.9, 1.4), glow=rng.uniform(1, 8))
    for _ in range(int(rng.integers(0, 3))):  # things along the side walls
        s = rng.choice([-1, 1])
        x = (left if s < 0 else right) - s * 0.3
        size = (rng.uniform(0.4, 0.6), rng.uniform(0.5, 1.4), rng.choice([rng.uniform(0.4, 0.9), rng.uniform(1.4, 2.1)]))
        put(kit, [(standing(size), board(kit))], (x, rng.uniform(-1.2, max(y - 0.8, -1)), 0))
    side = rng.choice([-1, 1])
    kind = rng.random()
    warm = hsv(rng.uniform(0.07, 0.13), rng.uniform(0.03, 0.35), 1)
    if kind < 0.5:  # a window at the side
        kit.lamp((side * rng.uniform(1.4, 2.6), min(rng.uniform(-1.8, 0.8), y - 0.6), rng.uniform(1.3, 1.8)), rng.uniform(80, 260), aim=(0, 0, 1.1),
                 size=rng.uniform(0.8, 2), height=rng.uniform(1, 1.8), colour=hsv(rng.uniform(0.5, 0.62), rng.uniform(0, 0.12), 1))  # fmt: skip
        kit.even_light(warm, rng.uniform(0.1, 0.6))
    elif kind < 0.85:  # lamps above
        for _ in range(int(rng.integers(1, 4))):
            kit.lamp(
                (rng.uniform(-1.4, 1.4), min(rng.uniform(-1.5, 1.0), y - 0.6), rng.uniform(2.1, 2.4)),
                rng.uniform(40, 110),
                size=rng.uniform(0.25, 0.6),
                colour=warm,
            )
        if rng.random() < 0.4:
            kit.lamp(
                (side * rng.uniform(0.8, 1.6), min(rng.uniform(-0.3, 0.8), y - 0.5), rng.uniform(0.6, 1.5)),
                rng.uniform(8, 30),
                size=0.25,
                colour=warm,
            )
        kit.even_light(warm, rng.uniform(0.08, 0.5))
    else:  # a flash
        kit.lamp((0.1, -2.2, 1.6), rng.uniform(60, 160), aim=(0, 0, 1.2), size=0.25)
        kit.lamp((rng.uniform(-1, 1), min(1.0, y - 0.5), 2.2), rng.uniform(10, 50), size=0.4, colour=warm)
        kit.even_light(warm, rng.uniform(0.05, 0.3))
    if y > 2:
        kit.lamp((rng.uniform(-1, 1), y * 0.7, 2.2), rng.uniform(20, 120), size=0.4, colour=warm)
    return y


def studio(kit: Kit) -> float:
    """A paper backdrop that runs out over the floor, soft boxes, the bare room beyond its edges; how far behind the origin it is free."""
    rng = kit.rng
    deep, half, bend = rng.uniform(0.8, 2.5), rng.uniform(1.1, 2.2), rng.uniform(0.2, 0.8)
    a = np.linspace(0, np.pi / 2, 16)
    y = np.concatenate([[-4, deep - bend], deep - bend + bend * np.sin(a), [deep]])
    z = np.concatenate([[0.004, 0.004], 0.004 + bend * (1 - np.cos(a)), [2.9]])
    tone = any_colour(rng) if rng.random() < 0.4 else hsv(0.1, 0.04, rng.choice([0.07, 0.3, 0.55, 0.93]))
    look = kit.painted(tone, rough=0.95) if rng.random() < 0.6 else kit.surface("plaster", tone, metres=2.0)
    kit.add([(sheet(np.stack([np.stack([np.full(len(y), x), y, z], 1) for x in (-half, half)])), look)], smooth=True)
    ground(kit, 0)
    walls(kit, deep + rng.uniform(0.2, 1.5), -3.5, 3.5, 0, high=3.0)
    side = rng.choice([-1, 1])
    kit.lamp((side * rng.uniform(1.1, 2), -rng.uniform(0.6, 2), rng.uniform(1.6, 2.3)), 160, aim=(0, 0, 1.2), size=rng.uniform(0.5, 1.2))
    kit.lamp((-side * rng.uniform(1.3, 2.2), -rng.uniform(0, 1.5), rng.uniform(1.0, 2)), rng.uniform(8, 80), aim=(0, 0, 1.2), size=1.0)
    if rng.random() < 0.4:
        kit.lamp((rng.normal(0, 0.5), deep * 0.7, 2.5), rng.uniform(20, 90), aim=(0, 0, 1.2), size=0.5)
    kit.even_light((1, 1, 1), rng.uniform(0.04, 0.3))
    return 0.5


def facade(kit: Kit, y: float, wide: float = 24, high: float = 9) -> None:
    """A house front along x: wall, plinth, rows of windows, a few doors, perhaps a shop window."""
    rng = kit.rng
    wall = kit.surface(
        str(rng.choice(["bricks", "plaster", "paint", "rock", "concrete", "planks"])), wall_colour(rng) if rng.random() < 0.5 else None
    )
    frame = kit.painted((0.88, 0.87, 0.84) if rng.random() < 0.6 else any_colour(rng))
    pane, dim = kit.painted((0.06, 0.08, 0.1), rough=0.08), kit.painted(hsv(rng.uniform(0.05, 0.15), 0.1, rng.uniform(0.4, 0.8)), rough=0.3)
    parts: Parts = [
        (block((wide, 0.4, high), (0, 0.2, high / 2), 0.001), wall),
        (standing((wide, 0.44, rng.uniform(0.3, 0.9)), (0, 0.2, 0)), small.stone(kit)),
    ]
    step, w, h = rng.uniform(1.6, 3.2), rng.uniform(0.8, 1.3), rng.uniform(1.2, 2)
    for x in np.arange(-wide / 2 + 1, wide / 2 - 1, step):
        for k in range(int(high / 3)):
            z = 3 * k + 1.0
            door = k == 0 and rng.random() < 0.2
            low, tall = (0.05, 2.1) if door else (z, h)
            parts.append((block((w + 0.16, 0.06, tall + 0.16), (x, -0.01, low + tall / 2), 0.001), frame))
            parts.append(
                (block((w, 0.05, tall), (x, -0.03, low + tall / 2), 0.001), frame if door else (pane if rng.random() < 0.7 else dim))
            )
            if not door:
                parts.append((block((0.05, 0.06, tall), (x, -0.04, low + tall / 2), 0.001), frame))
                parts.append((block((w + 0.25, 0.16, 0.06), (x, -0.06, low - 0.06), 0.001), frame))
    kit.add(parts, (0, y, 0), smooth=True)


def outdoors(kit: Kit) -> float:
    """A garden, park, street, yard, meadow or shore under a sky; returns how far behind the origin it is free."""
    rng = kit.rng
    skies.put(kit, facing=0.0)
    kind = str(rng.choice(["garden", "park", "street", "yard", "field", "shore"], p=[0.26, 0.22, 0.24, 0.1, 0.12, 0.06]))
    if kind in ("garden", "park", "field"):
        _cover(kit, 400, ["grass", "grass", "grass", "earth", "gravel"])
    elif kind == "shore":
        kit.add([(block((600, 30, 0.2), (0, 8, -0.1)), kit.surface("gravel", hsv(0.11, 0.3, 0.75)))])
        kit.add([(block((6000, 3000, 0.2), (0, 1515, -0.13)), kit.surface("marble", hsv(0.55, 0.5, 0.4), metres=20, rough=0.15))])
    else:
        _cover(kit, 200, ["asphalt", "tiles", "gravel", "concrete", "bricks", "tiles"])
    free = 3.0
    if kind in ("garden", "yard"):
        free = rng.uniform(0.8, 5)
        if rng.random() < 0.4:
            kit.add(plants.hedge(kit, (rng.uniform(6, 16), 0.8, rng.uniform(1, 2.6))), (rng.normal(0, 1), free + 0.5, 0))
        elif rng.random() < 0.6:
            wall = kit.surface(str(rng.choice(["bricks", "rock", "plaster", "planks", "concrete"])))
            kit.add([(block((30, 0.3, rng.uniform(1, 3.2)), (0, free + 0.5, 1), 0.005), wall)], smooth=True)
        else:
            facade(kit, free + 0.5, 16, rng.choice([3.2, 6.2]))
        bushes = [kit.add(plants.bush(kit, rng.uniform(0.5, 1.8)), (rng.uniform(-4, 4), free - 0.4, 0)) for _ in range(3)]
        for _ in range(int(rng.integers(1, 7))):
            kit.again(
                bushes[int(rng.integers(3))],
                (rng.uniform(-6, 6), free + rng.uniform(-0.6, 0.2), 0),
                rng.uniform(0, 360),
                scale=rng.uniform(0.6, 1.3),
            )
    if kind in ("park", "garden", "field", "shore"):
        first = 14 if kind == "field" else 5
        free = max(free, first - 2) if kind != "garden" else free
        sorts = [
            kit.add(
                plants.tree(kit, rng.uniform(4, 12)),
                (rng.choice([-1, 1]) * rng.uniform(2, 9), rng.uniform(first, 14) + free * (kind == "garden"), 0),
            )
            for _ in range(2)
        ]
        for _ in range(int(rng.integers(6, 22)) if kind != "shore" else 0):
            y = rng.uniform(first + 3, 70)
            kit.again(
                sorts[int(rng.integers(2))], (rng.uniform(-0.9, 0.9) * (y + 4), y, 0), rng.uniform(0, 360), scale=rng.uniform(0.6, 1.5)
            )
    if kind == "field" or rng.random() < 0.25:  # hills
        n = 60
        x, t = np.meshgrid(np.linspace(-900, 900, n), np.linspace(0, 1, 24))
        z = np.sin(np.pi * np.clip(t, 0, 1)) * (30 + 25 * noise(rng, 1.6, side=64)[None, 0, :n] + 6 * noise(rng, 1.5, side=64)[:24, :n]) - 4
        kit.add([(sheet(np.dstack([x, 300 + 400 * t, z])), kit.surface("foliage", metres=60))], smooth=True)
    if kind == "street":
        free = rng.uniform(1.0, 12)
        facade(kit, free + 0.3, 60, rng.choice([6.2, 9.2, 12.2]))
        if rng.random() < 0.5:
            kit.add([(block((0.4, 40, 9), (rng.choice([-1, 1]) * rng.uniform(4, 8), free - 20, 4.5), 0.001), kit.surface("plaster"))])
        for _ in range(int(rng.integers(0, 4))):
            kind_ = rng.random()
            at = (rng.uniform(-5, 5), rng.uniform(0.5, max(free - 0.4, 0.6)), 0)
            if kind_ < 0.4:
                put(
                    kit,
                    [
                        (small.spun([(0.06, 0), (0.05, 4.2), (0, 4.2)], 12), small.dark(kit)),
                        (small.ball((0, 0, 4.3), (0.2,) * 3, 14), kit.painted((0.9, 0.9, 0.85))),
                    ],
                    at,
                )
            elif kind_ < 0.7:
                put(kit, small.pot_plant(kit, rng.uniform(0.6, 1.4)), at)
            else:
                put(kit, [(standing((1.7, 0.45, 0.05), (0, 0, 0.4)), small.wooden(kit)), (block((1.7, 0.05, 0.4), (0, 0.22, 0.7)), small.wooden(kit)),
                          *((standing((0.06, 0.4, 0.4), (x, 0, 0)), small.dark(kit)) for x in (-0.7, 0.7))], at)  # fmt: skip
    return float(free)


def anywhere(kit: Kit) -> float:
    """Some surroundings; how far behind the origin they are free."""
    kind = kit.rng.random()
    if kind < 0.5:
        return indoors(kit)
    return studio(kit) if kind < 0.6 else outdoors(kit)


# Subjects


def stander(
    kit: Kit, at: tuple[float, float, float] = (0, 0, 0), turn: float | None = None, pose: str = "standing", *, far: bool = False
) -> Subject:
    """A person (or, without the base mesh, a statue) on a place."""
    rng = kit.rng
    turn = float(rng.normal(0, 22)) if turn is None else turn
    if kit.human is None:
        parts = small.figure(kit, rng.uniform(1.5, 1.85))
        put(kit, parts, at, turn)
        top = float(extent(parts)[1][2])
        return Subject(at, at[2] + top, at[2] + top - 0.15, turn, top)
    who = someone(kit, pose, at, turn, far=far)
    return Subject(at, at[2] + who.top, at[2] + who.top - 0.13, turn, who.top - (who.seat or 0) * 0.6)


def sitter(kit: Kit, at: tuple[float, float, float], turn: float, pose: str = "sit") -> Subject:
    """A person on a seat 0.45 m above `at`; without the base mesh a dog beside it on the seat."""
    if kit.human is None:
        seat = (at[0], at[1], at[2] + 0.45)
        parts = small.beast(kit, small.DOG, "sit")
        put(kit, parts, seat, turn)
        top = seat[2] + float(extent(parts)[1][2])
        return Subject(at, top, top - 0.1, turn, 0.7)
    return stander(kit, at, turn, pose)


def chair(kit: Kit, at: Sequence[float], turn: float) -> bpy.types.Object:
    """A chair whose seat is 0.45 m high, its front towards -y before it is turned."""
    rng = kit.rng
    look = board(kit)
    soft = look if rng.random() < 0.5 else kit.surface("fabric")
    high = rng.uniform(0.82, 1.05)
    parts: Parts = [
        (block((0.44, 0.44, 0.04), (0, 0.02, 0.43)), soft),
        (block((0.42, 0.03, high - 0.6), (0, 0.235, (high + 0.6) / 2)), soft),
    ]
    parts += [(standing((0.035, 0.035, 0.42 if y < 0 else high), (x, y, 0)), look) for x in (-0.2, 0.2) for y in (-0.17, 0.23)]
    return kit.add(parts, at, turn, smooth=True)


def sofa(kit: Kit, seats: int, *, bench: bool) -> float:
    """A sofa or a bench for so many, its seats 0.45 m high, about the origin; its width."""
    rng = kit.rng
    w = 0.62 * seats + 0.1
    if not bench:
        cover = (
            kit.surface("fabric", muted(kit) if rng.random() < 0.7 else None)
            if rng.random() < 0.7
            else small.paint(kit, muted(kit), rough=0.4)
        )
        parts: Parts = [(standing((w, 0.85, 0.3), (0, 0.1, 0.05)), cover)]
        for k in range(seats):
            x = (k + 0.5) * w / seats - w / 2
            parts.append((small.moved(small.pillow((w / seats, 0.75, 0.2), 7), (x, 0.02, 0.355)), cover))
            parts.append((small.moved(small.pillow((w / seats, 0.24, 0.55), 6), (x, 0.34, 0.66), lean=-8), cover))
        parts += [(small.moved(small.pillow((0.24, 0.9, 0.62), 7), (s * (w / 2 + 0.1), 0.1, 0.31)), cover) for s in (-1, 1)]
    else:
        look = small.wooden(kit)
        parts = [(block((w, 0.11, 0.035), (0, y, 0.432)), look) for y in (-0.14, 0, 0.14)]
        parts += [(block((w, 0.03, 0.1), (0, 0.24, z)), look) for z in (0.6, 0.75)]
        parts += [(standing((0.06, 0.4, 0.42), (x, 0.02, 0)), small.dark(kit)) for x in (-w * 0.4, w * 0.4)]
    kit.add(parts, smooth=True)
    return w


# Cameras


def framed(
    kit: Kit, aim: Sequence[float], tall: float, *, yaw: float, height: float, fov: float, least: float = 0.5, aside: float | None = None
) -> Shot:
    """A camera at that height and yaw from which `tall` metres about the aim fill the picture from top to bottom. aside: how far the aim is
    off the middle, in shares of the picture's width."""
    rng = kit.rng
    h, w = kit.size
    half = np.tan(np.radians(fov) / 2)
    distance = float(np.clip(tall / (2 * half * h / w), least, 9.0))
    rise = np.clip(height - aim[2], -0.9 * distance, 0.9 * distance)
    flat = np.sqrt(distance**2 - rise**2)
    y = np.radians(yaw)
    at = np.array([aim[0] + flat * np.sin(y), aim[1] - flat * np.cos(y), max(aim[2] + rise, 0.12)])
    aside = float(rng.choice([0.0, rng.normal(0, 0.14)])) if aside is None else aside
    across = 2 * half * distance * aside
    to = np.asarray(aim, float) + [across * np.cos(y), across * np.sin(y), rng.normal(0, 0.04) * tall]
    return Shot(at.tolist(), to.tolist(), fov, float(rng.normal(0, 1.6)))


def shots_of(kit: Kit, subjects: Sequence[Subject], count: int, *, back: float = 3.0, low: bool = False, wide: float = 0.0) -> list[Shot]:
    """Different cameras about the subjects: heads, half and whole figures, the whole group. low: animals, looked down upon.
    wide: width of the group in metres."""
    rng = kit.rng
    made: list[Shot] = []
    styles = ["head", "half", "whole", "place"]
    order, apart = rng.permutation(4), rng.choice([-1, 1])
    for k in range(count):
        style = styles[int(order[k % 4])]
        for _ in range(8):
            who = subjects[int(rng.integers(len(subjects)))]
            x, y, _z = who.at
            side = 64 * ((k + rng.random()) / count - 0.5) if rng.random() < 0.85 else float(rng.uniform(-85, 85))
            yaw = side * apart + 0.5 * who.turn
            if style == "head":
                tall = who.size * rng.uniform(0.28, 0.5) if not low else who.size * rng.uniform(0.7, 1.2)
                aim, fov = (x, y, who.head - tall * rng.uniform(0.02, 0.18) * (not low)), rng.uniform(22, 46)
                height = who.head + rng.normal(0.02, 0.14) if not low else who.head + rng.uniform(-0.1, 1.0) * who.size
            elif style == "half":
                tall = who.size * rng.uniform(0.5, 0.8) if not low else who.size * rng.uniform(1.1, 2)
                aim, fov = (x, y, who.top - tall * rng.uniform(0.36, 0.5) if not low else who.head * 0.7), rng.uniform(26, 56)
                height = rng.uniform(1.1, 1.7) if not low else rng.uniform(0.15, 1.5)
            elif style == "whole":
                tall = who.size * rng.uniform(1.05, 1.7) if not low else who.size * rng.uniform(1.8, 3.5)
                aim, fov = (x, y, who.top * 0.5), rng.uniform(30, 64)
                height = rng.uniform(0.6, 1.8) if not low else rng.uniform(0.3, 1.65)
            else:
                tall = max(who.size * rng.uniform(1.6, 3), 0.8)
                aim, fov = (x + rng.normal(0, 0.4), y, who.top * rng.uniform(0.35, 0.7)), rng.uniform(40, 70)
                height = rng.uniform(1.0, 1.9)
            if wide and style in ("whole", "place"):
                tall = max(tall, wide * rng.uniform(0.9, 1.4) * kit.size[0] / kit.size[1])
                aim = (rng.normal(0, 0.1) * wide, float(np.mean([s.at[1] for s in subjects])), aim[2])
            shot = framed(kit, aim, float(tall), yaw=yaw, height=float(height), fov=float(fov), least=0.55 if not low else 0.4)
            if clear(kit, shot):
                made.append(shot)
                break
    return made


# Scenes


def alone(kit: Kit) -> list[Shot]:
    """One person, or two close together."""
    rng = kit.rng
    back = anywhere(kit)
    y = -rng.uniform(0, 0.4)
    whom = [stander(kit, (0, y, 0))]
    if rng.random() < 0.25:
        whom.append(stander(kit, (rng.choice([-1, 1]) * rng.uniform(0.45, 0.7), y + rng.uniform(-0.1, 0.3), 0)))
    if rng.random() < 0.12:
        parts = small.dog(kit)
        put(kit, parts, (rng.choice([-1, 1]) * rng.uniform(0.5, 0.9), y - 0.2, 0), rng.normal(0, 40))
    if rng.random() < 0.3 and back > 1.5:  # somebody behind
        stander(kit, (rng.uniform(-1.6, 1.6), rng.uniform(0.8, back), 0), rng.uniform(0, 360), far=True)
    return shots_of(kit, whom, int(rng.integers(4, 7)), back=back)


def group(kit: Kit) -> list[Shot]:
    """Two to six people in a row, for a picture, or scattered in depth."""
    rng = kit.rng
    count = int(rng.integers(2, 7))
    row = rng.random() < 0.5
    back = anywhere(kit)
    whom = []
    for k in range(count):
        if row:
            at = ((k - (count - 1) / 2) * 0.58 + rng.normal(0, 0.04), rng.normal(0, 0.12), 0)
            whom.append(stander(kit, at, -14 * (k - (count - 1) / 2) / count + rng.normal(0, 12), far=count > 3))
        else:
            y = -1.2 + (min(back, 5.0) + 1.0) * k / count
            at = (rng.uniform(-1, 1) * (1.0 + 0.25 * (y + 1.2)), y, 0)
            whom.append(stander(kit, at, rng.normal(0, 60) if rng.random() < 0.7 else rng.uniform(0, 360), far=k > 1))
    return shots_of(kit, whom, int(rng.integers(4, 6)), back=back, wide=0.58 * count if row else 2.2)


def at_table(kit: Kit) -> list[Shot]:
    """One to five people around a laid or cluttered table."""
    rng = kit.rng
    w, d = rng.uniform(0.8, 1.9), rng.uniform(0.7, 0.95)
    indoors(kit, rng.uniform(1.4, 5)) if rng.random() < 0.8 else outdoors(kit)
    # Table things are made for z = 0; here the top is 0.75 m high
    makers = [small.TABLE, small.DESK, small.KITCHEN][int(rng.integers(3))]
    look = board(kit)
    parts: Parts = [(block((w, d, 0.03), (0, 0, 0.735), 0.004), look)]
    parts += [(standing((0.06, 0.06, 0.72), (x * (w / 2 - 0.06), y * (d / 2 - 0.06), 0)), look) for x in (-1, 1) for y in (-1, 1)]
    kit.add(parts, smooth=True)
    places: list[tuple[float, float, float]] = [(x, d / 2 + 0.22, 0.0) for x in np.arange(-w / 2 + 0.4, w / 2 - 0.25, 0.6)]
    places += [(s * (w / 2 + 0.22), 0.0, -90.0 * s) for s in (-1, 1)]
    if rng.random() < 0.4:
        places.append((0.0, -d / 2 - 0.22, 180.0))
    places = [places[int(i)] for i in rng.permutation(len(places))]
    many = int(rng.integers(1, min(len(places), 5) + 1))
    whom = []
    for k, (x, y, turn) in enumerate(places):
        if k < many or rng.random() < 0.5:
            chair(kit, (x, y, 0), turn)
        if k < many:
            whom.append(sitter(kit, (x, y, 0), turn + rng.normal(0, 4), "sit_table"))
    for x, y, turn in places[:many]:
        if rng.random() < 0.7:
            inward = np.array([x * (abs(x) > w / 2) * 0.65, y * (abs(y) > d / 2) * 0.5]) + [x * (abs(x) <= w / 2), 0]
            kit.add(small.setting(kit) if rng.random() < 0.4 else small.some(kit, [small.mug, small.open_book, small.laptop, small.papers, small.phone]),
                    (*inward, 0.75), 180 + turn, smooth=True)  # fmt: skip
    for _ in range(int(rng.integers(1, 6))):
        put(kit, small.some(kit, makers), (rng.uniform(-0.3, 0.3) * w, rng.uniform(-0.12, 0.12) * d, 0.75), rng.uniform(0, 360))
    return shots_of(kit, whom, int(rng.integers(4, 6)), wide=w + 0.6)


def seated(kit: Kit) -> list[Shot]:
    """People, a pet or both on a sofa, bench or chair."""
    rng = kit.rng
    inside = bool(rng.random() < 0.7)
    indoors(kit) if inside else outdoors(kit)
    seats = int(rng.integers(1, 4))
    whom: list[Subject] = []
    if seats == 1 and rng.random() < 0.6:
        chair(kit, (0, 0, 0), 0)
        w = 0.5
    else:
        w = sofa(kit, seats, bench=not inside or bool(rng.random() < 0.15))
    pet = False
    for k in range(seats):
        x = (k + 0.5) * w / seats - w / 2
        if rng.random() < 0.75 or (k == seats - 1 and not whom):
            pose = str(rng.choice(["sit", "sit_phone", "sit_lean", "sit"]))
            whom.append(sitter(kit, (x, -0.06, 0), rng.normal(0, 6), pose))
        elif rng.random() < 0.6:
            parts = small.beast(kit, small.CAT if rng.random() < 0.6 else small.DOG, str(rng.choice(["lie", "curl", "sit"])))
            put(kit, parts, (x, -0.05, 0.45), rng.uniform(-60, 60))
            pet = True
            whom.append(Subject((x, -0.05, 0.45), 0.75, 0.66, 0, 1.1))
        else:
            put(kit, small.cushion(kit), (x, 0.1, 0.45), rng.normal(0, 15))
    if rng.random() < 0.4:
        put(
            kit,
            [(standing((rng.uniform(0.6, 1.1), 0.5, 0.04), (0, 0, 0.38)), look := small.wooden(kit)), (standing((0.4, 0.3, 0.38)), look)],
            (rng.normal(0, 0.3), -1.0, 0),
        )
        put(kit, small.some(kit, small.TABLE), (rng.normal(0, 0.2), -1.0, 0.42))
    return shots_of(kit, whom, int(rng.integers(4, 6)), wide=w + 0.5, low=pet and len(whom) == 1)


def audience(kit: Kit) -> list[Shot]:
    """Rows of people seen from behind or from the front, something to look at beyond."""
    rng = kit.rng
    back = indoors(kit, rng.uniform(4, 7)) if rng.random() < 0.6 else outdoors(kit)
    sits = kit.human is not None and rng.random() < 0.5
    kinds = [stander(kit, (0, -60, 0), 0, "sit" if sits else "standing", far=True) for _ in range(6)]
    things = kit_objects(6)
    seat = chair(kit, (0, -60, 0), 0) if sits else things[0]
    turned = 180.0 if rng.random() < 0.7 else 0.0
    whom = []
    for r in range(int(rng.integers(2, 6))):
        y = -0.8 + 0.85 * r
        if y > back - 1:
            break
        for c in range(-3, 4):
            if rng.random() < 0.25:
                continue
            at = (0.58 * c + rng.normal(0, 0.05) + 0.25 * (r % 2), y + rng.normal(0, 0.05), 0)
            i = int(rng.integers(6))
            if sits:
                kit.again(seat, at, turned + rng.normal(0, 4))
            turn = turned + rng.normal(0, 14)
            kit.again(things[i], at, turn, scale=rng.uniform(0.94, 1.04))
            whom.append(Subject(at, kinds[i].top, kinds[i].head, 0, 1.4))
    stander(kit, (rng.normal(0, 0.6), min(back - 0.5, 4.2), 0), rng.normal(0, 20))
    near = [s for s in whom if s.at[1] < 0.4] or whom
    return shots_of(kit, near, int(rng.integers(3, 5)), wide=2.4)


def kit_objects(count: int) -> list[bpy.types.Object]:
    """The objects that were put into the scene last, oldest first."""
    return list(bpy.context.scene.collection.objects)[-count:]


def pet(kit: Kit) -> list[Shot]:
    """A cat or dog on a floor, rug, lawn or pavement, rarely a bird; perhaps somebody's legs."""
    rng = kit.rng
    back = indoors(kit) if rng.random() < 0.6 else outdoors(kit)
    whom = []
    for k in range(1 if rng.random() < 0.75 else 2):
        parts = small.cat(kit) if rng.random() < 0.45 else small.dog(kit) if rng.random() < 0.85 else small.bird(kit)
        at, turn = (0.7 * k + rng.normal(0, 0.1), rng.normal(-0.1, 0.2) + 0.2 * k, 0.0), float(rng.normal(0, 40))
        put(kit, parts, at, turn)
        low, high = extent(parts)
        whom.append(Subject(at, float(high[2]), float(high[2]) * 0.8, turn, float(max(high[2], 0.5 * np.hypot(*(high - low)[:2])))))
    for _ in range(int(rng.integers(0, 5))):
        put(
            kit,
            small.some(kit, [*small.TOYS, *small.WEAR]),
            (rng.choice([-1, 1]) * rng.uniform(0.4, 1.6), rng.uniform(-0.6, min(back, 1.5)), 0),
            rng.uniform(0, 360),
        )
    if rng.random() < 0.3:
        stander(kit, (rng.choice([-1, 1]) * rng.uniform(0.5, 0.9), rng.uniform(-0.2, 0.5), 0))
    return shots_of(kit, whom, int(rng.integers(4, 6)), back=back, low=True)


def pet_close(kit: Kit) -> list[Shot]:
    """A cat's or dog's head and shoulders filling the picture, on a bed, sofa, floor, lawn or lap, from 0.3 to 1 m."""
    rng = kit.rng
    where = str(rng.choice(["bed", "sofa", "floor", "lawn", "lap"], p=[0.27, 0.25, 0.23, 0.15, 0.1]))
    base = 0.0
    if where == "lawn":
        outdoors(kit)
    else:
        indoors(kit, rng.uniform(0.9, 3.5))
    y = 0.0
    if where == "bed":
        base, wide = rng.uniform(0.3, 0.55), rng.uniform(1.4, 2.2)
        cover = kit.surface("fabric", muted(kit) if rng.random() < 0.6 else None, metres=rng.uniform(0.2, 0.9))
        kit.add([(standing((wide, 2.0, base - 0.03), (0, -0.1, 0), 0.05), cover)], smooth=True)
        a, b = np.meshgrid(np.linspace(-wide / 2, wide / 2, 50), np.linspace(-1.1, 0.9, 50))
        folds = noise(rng, 2.0, side=128)[:50, :50] * rng.uniform(0.004, 0.025)
        kit.add([(sheet(np.dstack([a, b, base - 0.02 + np.maximum(folds, -0.008)])), cover)], smooth=True)
        for _ in range(int(rng.integers(0, 4))):
            put(kit, small.cushion(kit), (rng.uniform(-0.6, 0.6), rng.uniform(0.4, 0.75), base), rng.normal(0, 30))
    elif where == "sofa":
        base, y = 0.45, -0.12
        sofa(kit, int(rng.integers(1, 4)), bench=False)
        if rng.random() < 0.5:
            put(kit, small.cushion(kit), (rng.choice([-1, 1]) * rng.uniform(0.3, 0.45), 0.12, 0.45), rng.normal(0, 20))
    elif where == "lap":
        base, y = 0.6, -0.2
        sofa(kit, 2, bench=False)
        sitter(kit, (0, 0, 0), rng.normal(0, 6), "sit")
    elif where == "floor" and rng.random() < 0.6:
        size = (rng.uniform(0.6, 2.0), rng.uniform(0.5, 1.5), 0.015)
        put(kit, [(standing(size), kit.surface("carpet"))], (rng.normal(0, 0.2), rng.normal(0, 0.2), 0), rng.normal(0, 15))
    whom: list[Subject] = []
    for k in range(1 if rng.random() < 0.85 else 2):
        turn = float(rng.normal(0, 25))
        parts, head, radius = pets.close_up(
            kit, "cat" if rng.random() < 0.55 else "dog", "lie" if where == "lap" or rng.random() < 0.65 else "sit"
        )
        at = (k * rng.choice([-1, 1]) * rng.uniform(0.3, 0.5) + rng.normal(0, 0.03), y + rng.normal(0, 0.05) + 0.2 * k, base)
        kit.add(parts, at, turn, smooth=True)
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        face = (at[0] + c * head[0] - s * head[1], at[1] + s * head[0] + c * head[1], base)
        whom.append(Subject(face, base + head[2] + radius, base + head[2], turn, radius))
    for _ in range(int(rng.integers(0, 4))):
        thing = small.some(kit, [*small.TOYS, small.cushion, small.cloth, small.book, small.shoes])
        put(kit, thing, (rng.choice([-1, 1]) * rng.uniform(0.25, 0.6), y + rng.uniform(-0.3, 0.3), base), rng.uniform(0, 360))
    shots: list[Shot] = []
    count = int(rng.integers(4, 7))
    for k in range(count):
        for _ in range(8):
            who = whom[0] if rng.random() < 0.8 else whom[-1]
            tall, fov = who.size * rng.choice([rng.uniform(2.4, 4), rng.uniform(3.5, 7)]), float(rng.uniform(28, 62))
            yaw = 110 * ((k + rng.random()) / count - 0.5) + who.turn
            aim = (who.at[0], who.at[1], who.head - rng.uniform(-0.1, 0.8) * who.size)
            far = np.clip(tall / (2 * np.tan(np.radians(fov) / 2) * kit.size[0] / kit.size[1]), 0.3, 1.1)
            height = aim[2] + far * np.sin(np.radians(rng.uniform(-4, 38)))
            shot = framed(kit, aim, float(tall), yaw=yaw, height=float(height), fov=fov, least=0.3)
            if clear(kit, shot):
                shots.append(shot)
                break
    return shots


def herd(kit: Kit) -> list[Shot]:
    """Horses, cows or sheep on a meadow, scattered in depth."""
    rng = kit.rng
    skies.put(kit, facing=0.0)
    _cover(kit, 600, ["grass"])
    sort = [small.SHEEP, small.HORSE, small.COW, small.SHEEP][int(rng.integers(4))]
    whom, things = [], []
    for k in range(int(rng.integers(1, 9))):
        y = 0.0 if k == 0 else rng.uniform(-1.5, 30)
        at, turn = (
            (rng.normal(0, 0.4) if k == 0 else rng.uniform(-1, 1) * (3 + 0.4 * y), float(y), 0.0),
            float(rng.choice([-80, 80]) + rng.normal(0, 45)),
        )
        if k < 3:
            parts = small.beast(kit, sort, "stand" if rng.random() < 0.8 else "lie")
            things.append(kit.add(parts, at, turn, smooth=True))
            high = float(extent(parts)[1][2])
            whom.append(Subject(at, high, high * 0.75, 0.0, high * 2.3))
        else:
            kit.again(things[int(rng.integers(len(things)))], at, turn, scale=rng.uniform(0.9, 1.1))
    if rng.random() < 0.5:
        n, y = 24, rng.uniform(2, 14)
        post, look = standing((0.1, 0.1, 1.2)), small.wooden(kit)
        kit.add([*((small.moved(post, (2.2 * (k - n / 2), 0, 0)), look) for k in range(n)), *((block((2.2 * n, 0.03, 0.1), (0, -0.05, z)), look) for z in (0.5, 0.95))],
                (0, y, 0), rng.normal(0, 8), smooth=True)  # fmt: skip
    sorts = [kit.add(plants.tree(kit, rng.uniform(5, 12)), (rng.uniform(-12, 12), rng.uniform(14, 40), 0)) for _ in range(2)]
    for _ in range(int(rng.integers(3, 20))):
        y = rng.uniform(20, 90)
        kit.again(sorts[int(rng.integers(2))], (rng.uniform(-1, 1) * y, y, 0), rng.uniform(0, 360), scale=rng.uniform(0.6, 1.5))
    return shots_of(kit, whom[:2], int(rng.integers(3, 5)))


def statue(kit: Kit) -> list[Shot]:
    """A statue, bust or vase on its plinth in a park, a yard, a hall."""
    rng = kit.rng
    back = outdoors(kit) if rng.random() < 0.65 else indoors(kit)
    kind = rng.random()
    if kind < 0.55:
        parts = small.figure(kit, rng.uniform(1.2, 2.6))
    elif kind < 0.85:
        parts = small.bust(kit, rng.uniform(0.5, 0.9))
    else:
        parts = shifted(small.sculpture(kit), scale=rng.uniform(2, 4))
    base = rng.uniform(0.02, 1.4)
    low, high = extent(parts)
    look, wide = small.stone(kit), float((high - low)[:2].max())
    plinth: Parts = [(standing((wide * 1.05, wide * 1.05, base)), look), (standing((wide * 1.35, wide * 1.35, base * 0.15)), look)]
    if base > 0.5:
        plinth.append((standing((wide * 1.2, wide * 1.2, 0.06), (0, 0, base - 0.06)), look))
    kit.add(plinth, smooth=True)
    turn = float(rng.normal(0, 30))
    put(kit, parts, (0, 0, base), turn)
    top = base + float(high[2])
    whom = [Subject((0, 0, 0), top, top - 0.12 * float(high[2]), turn, float(high[2]) * 1.1)]
    if rng.random() < 0.3 and back > 0.8:
        stander(kit, (rng.choice([-1, 1]) * rng.uniform(0.8, 2), rng.uniform(-0.6, 0.6), 0), far=True)
    return shots_of(kit, whom, int(rng.integers(4, 6)), back=back)


SCENES: list[tuple[float, Callable[[Kit], list[Shot]]]] = [
    (0.36, alone), (0.17, group), (0.1, at_table), (0.1, seated), (0.04, audience), (0.08, pet), (0.15, pet_close), (0.04, herd), (0.07, statue),
]  # fmt: skip


def build(kit: Kit) -> list[Shot]:
    share = np.array([s for s, _ in SCENES])
    return SCENES[int(kit.rng.choice(len(SCENES), p=share / share.sum()))][1](kit)
