"""A room in the making: walls with openings, what stands in it and where there is still space, its light, and places for cameras.

The floor is [0, w] × [0, d] at z = 0. Walls are numbered 0 north (+y), 1 east (+x), 2 south, 3 west; along a wall counts `u`, from left to right
as somebody in the room sees it, in metres.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import joined, sheet

from . import household, shapes
from .household import Maker, Stock
from .kit import Kit, Shot
from .shapes import Make, Palette, Thing, Top, boxes, put
from .textures import Colour, hsv, wall_colour

TURN = (0.0, -90.0, 180.0, 90.0)
FACING = {
    "laptop",
    "photo",
    "clock",
    "monitor",
    "books",
    "binders",
    "toaster",
    "coffee machine",
    "microwave",
    "lamp",
    "papers",
    "open book",
    "tray",
    "phone",
}


class Opening(NamedTuple):
    """kind: "window", "door" (shut), "ajar" (open, a place behind), "arch" (no leaf, a place behind)."""

    kind: str
    u: float
    width: float
    z: float
    height: float


@dataclass
class Placed:
    """A thing where it stands; low and high: its box in the room."""

    thing: Thing
    at: Any
    turn: float
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def point(self, x: float, y: float, z: float = 0.0) -> Any:
        """From its own axes to the room's."""
        c, s = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        return self.at + (c * x - s * y, s * x + c * y, z)


@dataclass
class Look:
    """How a room is finished. knee: where a sloping ceiling begins, metres up; None: a flat ceiling."""

    walls: bpy.types.Material
    other: bpy.types.Material
    floor: bpy.types.Material
    ceiling: bpy.types.Material
    tiled: bpy.types.Material | None = None
    tiled_to: float = 0.0
    skirting: bool = True
    knee: float | None = None


def look(kit: Kit, p: Palette, *, wet: bool = False, bare: bool = False) -> Look:
    """Walls, floor and ceiling that suit a home, a bath or kitchen (wet), an office or store (bare)."""
    rng = kit.rng
    colour = wall_colour(rng)
    kind = rng.random()
    if kind < 0.84:
        walls = kit.surface("paint", colour, bump=bool(rng.random() < 0.3))
    elif kind < 0.87:
        walls = kit.surface("plaster", hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.15), rng.uniform(0.7, 0.9)), metres=rng.uniform(2, 6))
    elif kind < 0.93:
        walls = kit.surface(
            "fabric", hsv(rng.random(), rng.uniform(0, 0.3), rng.uniform(0.6, 0.9)), metres=rng.uniform(0.3, 0.9)
        )  # wallpaper
    elif kind < 0.97:
        walls = kit.surface("bricks", hsv(rng.uniform(0, 0.1), rng.uniform(0, 0.5), rng.uniform(0.4, 0.9)))
    else:
        walls = kit.surface("planks", None, turned=True)
    other = walls if rng.random() < 0.8 else kit.surface("paint", wall_colour(rng) if rng.random() < 0.5 else shapes.muted(rng))
    kinds, share = ["planks", "tiles", "carpet", "plain", "concrete"], [0.55, 0.15, 0.2, 0.06, 0.04]
    if wet:
        share = [0.2, 0.65, 0.0, 0.1, 0.05]
    if bare:
        share = [0.15, 0.2, 0.35, 0.2, 0.1]
    floor = str(rng.choice(kinds, p=share))
    tint: Colour | None = None
    if floor in ("carpet", "plain"):
        tint = hsv(rng.choice([rng.uniform(0.04, 0.14), rng.uniform(0.5, 0.7)]), rng.uniform(0, 0.35), rng.uniform(0.2, 0.75))
    made = Look(
        walls,
        other,
        kit.surface(floor, tint, bump=None if floor != "planks" else False),
        kit.painted((0.93, 0.93, 0.91) if rng.random() < 0.8 else wall_colour(rng)),
    )
    if wet and rng.random() < 0.85:
        made.tiled = kit.surface(
            "tiles",
            hsv(rng.random(), rng.uniform(0, 0.1 if rng.random() < 0.75 else 0.4), rng.uniform(0.55, 0.95)),
            metres=rng.uniform(0.6, 1.6),
        )
        made.tiled_to = float(rng.choice([1.2, 1.5, 2.0, 3.0]))
    made.skirting = bool(rng.random() < 0.8) and not made.tiled
    return made


@dataclass
class Room:
    kit: Kit
    p: Palette
    w: float
    d: float
    h: float
    look: Look
    openings: list[list[Opening]] = field(default_factory=lambda: [[], [], [], []])
    placed: list[Placed] = field(default_factory=list)
    kept: list[tuple[float, float, float, float]] = field(default_factory=list)  # floor to keep free: x0, y0, x1, y1
    subjects: list[tuple[Placed, float]] = field(default_factory=list)
    bulbs: list[Any] = field(default_factory=list)
    thick: float = 0.2
    _objects: dict[int, bpy.types.Object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = self.kit.rng
        self.stock = Stock(self.p)
        self.thick = float(self.rng.uniform(0.12, 0.35))

    # Walls

    def length(self, wall: int) -> float:
        return self.w if wall % 2 == 0 else self.d

    def on_wall(self, wall: int, u: float, out: float, z: float = 0.0) -> Any:
        """A point `out` metres in front of a wall."""
        if wall == 0:
            return np.array([u, self.d - out, z])
        if wall == 1:
            return np.array([self.w - out, self.d - u, z])
        if wall == 2:
            return np.array([self.w - u, out, z])
        return np.array([out, u, z])

    def opening(self, kind: str, wall: int, width: float, z: float, height: float, u: float | None = None) -> bool:
        """Plan an opening where the wall is still whole."""
        length = self.length(wall)
        if length < width + 0.61 or z + height > self.h - 0.08:
            return False
        for _ in range(8):
            at = float(self.rng.uniform(0.3 + width / 2, length - 0.3 - width / 2)) if u is None else u
            if all(abs(at - o.u) > (width + o.width) / 2 + 0.25 for o in self.openings[wall]):
                self.openings[wall].append(Opening(kind, at, width, z, height))
                if kind != "window":
                    a, b = self.on_wall(wall, at - width / 2, 0), self.on_wall(wall, at + width / 2, 0.9)
                    self.kept.append((min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])))
                return True
        return False

    def plan(self, windows: int, doors: int, *, sill: float | None = None) -> None:
        """Windows in one or two walls, doors in others."""
        rng = self.rng
        order = rng.permutation(4)
        high = self.h - 0.25
        sill = float(rng.choice([0.0, rng.uniform(0.3, 0.6), rng.uniform(0.75, 1.1)], p=[0.15, 0.15, 0.7])) if sill is None else sill
        width, height = rng.uniform(0.7, 2.0), min(rng.uniform(1.0, 1.6) if sill else 2.1, high - sill)
        for k in range(windows):
            wall = int(order[0] if rng.random() < 0.7 else order[1])
            if self.look.knee:
                wall = 2 * (k % 2)
            self.opening("window", wall, float(min(width, self.length(wall) - 0.8)), sill, float(height))
        for k in range(doors):
            kind = str(rng.choice(["door", "ajar", "arch"], p=[0.5, 0.35, 0.15]))
            wall = int(order[-1 - (k % 3)])
            if self.look.knee:
                wall = 2 * (k % 2)
            wide = rng.uniform(0.75, 0.95) if kind != "arch" else rng.uniform(0.9, 1.6)
            self.opening(kind, wall, float(wide), 0.0, float(rng.uniform(1.96, 2.1)))

    def raise_walls(self) -> None:
        """Floor, walls, ceiling, windows, doors and what is behind them."""
        kit, p, rng, t = self.kit, self.p, self.rng, self.thick
        kit.add([(boxes((-t, -t, -0.1), (self.w + t, self.d + t, 0)), self.look.floor)])
        paint = p.white() if rng.random() < 0.6 else p.wood()
        high = rng.uniform(0.05, 0.12)
        for wall in range(4):
            length, m = self.length(wall), Make()
            surface = self.look.other if wall == int(rng.integers(4)) else self.look.walls
            cuts = sorted(self.openings[wall], key=lambda o: o.u)
            edge = -t
            for o in [*cuts, None]:
                start = length + t if o is None else o.u - o.width / 2
                m.flat(boxes((edge, 0, 0), (start, t, self.h)), surface)
                if self.look.skirting and start > edge:
                    m.box((max(edge, 0), min(start, length)), (-0.014, 0), (0, high), paint)
                if self.look.tiled:
                    m.box((max(edge, 0), min(start, length)), (-0.008, 0), (0, min(self.look.tiled_to, self.h)), self.look.tiled)
                if o is None:
                    break
                if o.z > 0:
                    m.flat(boxes((start, 0, 0), (start + o.width, t, o.z)), surface)
                    if self.look.skirting:
                        m.box((start, start + o.width), (-0.014, 0), (0, high), paint)
                    if self.look.tiled:
                        m.box((start, start + o.width), (-0.008, 0), (0, min(self.look.tiled_to, o.z)), self.look.tiled)
                m.flat(boxes((start, 0, o.z + o.height), (start + o.width, t, self.h)), surface)
                edge = start + o.width
            for _ in range(int(rng.integers(0, 4))):
                u, z = rng.uniform(0.1, length - 0.1), rng.choice([0.3, 0.3, 1.1])
                if all(abs(u - o.u) > o.width / 2 + 0.15 for o in cuts):
                    m.box((u - 0.04, u + 0.04 + 0.08 * (rng.random() < 0.3)), (-0.012, 0), (z - 0.04, z + 0.04), p.white(), 0.004)
            if rng.random() < 0.15:
                u, pipe = (rng.uniform(0.05, 0.2), p.white())
                m.flat(shapes.rod((u, -0.06, 0), (u, -0.06, self.h), rng.uniform(0.01, 0.05)), pipe)
            put(kit, m.thing("wall", (length, t, self.h)), self.on_wall(wall, 0, 0), TURN[wall])
            for o in cuts:
                self._fit(wall, o)
        if self.look.knee is None:
            kit.add([(boxes((-t, -t, self.h), (self.w + t, self.d + t, self.h + 0.1)), self.look.ceiling)])
            if rng.random() < 0.12:
                m, beam = Make(), p.wood()
                for x in np.arange(0.3, self.w, rng.uniform(0.6, 1.1)):
                    m.box((x - 0.06, x + 0.06), (0, self.d), (self.h - 0.14, self.h), beam)
                put(kit, m.thing("beams", (1, 1, 1)), (0, 0, 0))
        else:
            self._slopes(self.look.knee)

    def _slopes(self, knee: float) -> None:
        m, top, c = Make(), self.h, self.w / 2
        flat = self.rng.uniform(0.3, 0.45) * self.w / 2
        surface = self.look.walls if self.rng.random() < 0.6 else self.kit.surface("planks")
        for s in (-1, 1):
            eave, ridge = c + s * (self.w / 2 + 0.01), c + s * flat
            grid = np.array([[(eave, -0.1, knee), (eave, self.d + 0.1, knee)], [(ridge, -0.1, top), (ridge, self.d + 0.1, top)]])
            m.flat(sheet(grid), surface)
            if self.rng.random() < 0.7:
                for y in np.arange(0.6, self.d, 1.1)[: int(self.rng.integers(2, 6))]:
                    a, b = self.rng.uniform(0.25, 0.35), self.rng.uniform(0.65, 0.85)
                    q = np.array(
                        [
                            [(eave + (ridge - eave) * k - s * 0.03, yy, knee + (top - knee) * k - 0.03) for yy in (y, y + 0.7)]
                            for k in (a, b)
                        ]
                    )
                    self.kit.add([(sheet(q), self.p.glow((0.85, 0.92, 1.0), self.rng.uniform(3, 9)))])
                    frame = [
                        shapes.rod(q[i][j], q[k][n], 0.035, None, 6)
                        for i, j, k, n in ((0, 0, 0, 1), (0, 1, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0))
                    ]
                    m.flat(joined(frame), self.p.white() if self.rng.random() < 0.5 else self.p.wood())
                    mid = q.mean((0, 1))
                    self.kit.lamp(mid + (-s * 0.1, 0, -0.1), self.rng.uniform(10, 40), aim=mid + (-s * 1, 0, -1), size=0.7)
        m.box((c - flat, c + flat), (-0.1, self.d + 0.1), (top, top + 0.05), surface)
        put(self.kit, m.thing("roof", (1, 1, 1)), (0, 0, 0))

    def _fit(self, wall: int, o: Opening) -> None:
        kit, p, rng = self.kit, self.p, self.rng
        at, turn = self.on_wall(wall, o.u, 0, o.z), TURN[wall]
        if o.kind == "window":
            frame = shapes.window(p, o.width, o.height, self.thick)
            put(kit, frame, at, turn)
            self.placed.append(self._boxed(frame, at, turn, solid=False))
            kind = rng.random()
            if kind < 0.45:
                long = rng.random() < 0.6
                low = 0.03 if long else max(o.z - 0.15, 0.02)
                tall = min(o.z + o.height + 0.12, self.h - 0.03) - low
                for s in (-1, 1):
                    wide = o.width * (rng.uniform(0.12, 0.3) if rng.random() < 0.85 else 0.52)
                    cloth = shapes.curtain(p, wide, tall)
                    put(kit, cloth, self.on_wall(wall, o.u + s * (o.width / 2 + 0.08 - wide * 0.4), 0.1, low), turn)
                rail = shapes.rod((-o.width / 2 - 0.25, 0, 0), (o.width / 2 + 0.25, 0, 0), 0.012)
                kit.add([(rail, p.metal())], self.on_wall(wall, o.u, 0.1, low + tall), turn)
            elif kind < 0.65:
                part = rng.uniform(0.15, 1) * o.height
                put(kit, shapes.blinds(p, o.width - 0.02, part), self.on_wall(wall, o.u, 0.01, o.z + o.height - part), turn)
            return
        leaf = -1.0 if o.kind == "arch" else 0.0 if o.kind == "door" else float(rng.uniform(35, 110))
        put(kit, shapes.door(p, o.width, o.height, self.thick, leaf), at, turn)
        if o.kind == "door":
            m = Make()
            m.box((-o.width / 2 - 0.1, o.width / 2 + 0.1), (self.thick, self.thick + 0.05), (0, o.height + 0.1), p.white())
            put(kit, m.thing("back", (1, 1, 1)), at, turn)
        else:
            self._behind(wall, o)

    def _behind(self, wall: int, o: Opening) -> None:
        """The place that an open door shows."""
        kit, p, rng = self.kit, self.p, self.rng
        wide, deep, t = rng.uniform(1.6, 4.5), rng.uniform(1.2, 5), self.thick
        cut = rng.uniform(0.3, 0.7) * (wide - o.width) + o.width / 2
        x0, x1, y1 = -cut, wide - cut, t + deep
        m = Make()
        walls = self.look.walls if rng.random() < 0.5 else kit.surface("paint", wall_colour(rng))
        m.box((x0, x1), (t, y1), (-0.1, 0), self.look.floor if rng.random() < 0.6 else kit.surface("tiles"))
        m.box((x0, x1), (t, y1), (self.h, self.h + 0.1), self.look.ceiling)
        m.box((x0 - 0.1, x0), (t, y1), (0, self.h), walls)
        m.box((x1, x1 + 0.1), (t, y1), (0, self.h), walls)
        m.box((x0 - 0.1, x1 + 0.1), (y1, y1 + 0.1), (0, self.h), walls)
        at, turn = self.on_wall(wall, o.u, 0), TURN[wall]
        place = put(kit, m.thing("behind", (1, 1, 1)), at, turn)
        frame = Placed(Thing("", [], (0, 0, 0)), at, turn, at, at)
        makers = [shapes.cabinet, shapes.plant, shapes.shelf, shapes.chair, shapes.table, shapes.sofa, shapes.floor_lamp, shapes.fridge]
        x = x0 + rng.uniform(0, 0.8)
        for _ in range(int(rng.integers(0, 5))):  # along its far wall
            thing = makers[int(rng.integers(len(makers)))](p)
            w = thing.size[0]
            if x + w > x1:
                break
            put(kit, thing, frame.point(x + w / 2, y1 - thing.size[1] / 2 - 0.01 - rng.choice([0, rng.uniform(0, 0.3)])), turn)
            x += w + rng.uniform(0.02, 0.8)
        if rng.random() < 0.6:
            put(kit, shapes.framed(p), frame.point(rng.uniform(x0 + 0.5, x1 - 0.5), y1 - 0.003, 1.6), turn)
        if rng.random() < 0.75:
            kit.lamp(
                frame.point((x0 + x1) / 2, t + deep / 2, self.h - 0.3),
                rng.uniform(5, 60),
                size=0.4,
                colour=hsv(0.1, rng.uniform(0, 0.3), 1),
            )
        del place

    # Standing things

    def _boxed(self, thing: Thing, at: Any, turn: float, *, solid: bool = True) -> Placed:
        w, d, h = thing.size
        c, s = abs(math.cos(math.radians(turn))), abs(math.sin(math.radians(turn)))
        half = np.array([c * w + s * d, s * w + c * d]) / 2
        a = np.asarray(at, float)
        low, high = np.array([*(a[:2] - half), a[2]]), np.array([*(a[:2] + half), a[2] + h])
        if not solid:
            low, high = a, a
        return Placed(thing, a, turn, low, high)

    def free(self, low: Any, high: Any, gap: float = 0.02) -> bool:
        """Whether a box touches nothing that stands here, no wall, no doorway."""
        if low[0] < -0.005 or low[1] < -0.005 or high[0] > self.w + 0.005 or high[1] > self.d + 0.005 or high[2] > self.h:
            return False
        if self.look.knee is not None:
            k = self.look.knee
            slope = (self.h - k) / (self.w / 2 * 0.6)
            if high[2] > k + slope * min(low[0], self.w - high[0]) - 0.02:
                return False
        if low[2] < 1.9:
            for x0, y0, x1, y1 in self.kept:
                if low[0] < x1 and high[0] > x0 and low[1] < y1 and high[1] > y0:
                    return False
        for q in self.placed:
            if (low < q.high - 0.001 + gap).all() and (high > q.low + 0.001 - gap).all():
                return False
        return True

    def put(
        self,
        thing: Thing,
        x: float,
        y: float,
        turn: float = 0.0,
        z: float = 0.0,
        *,
        check: bool = True,
        gap: float = 0.02,
        subject: float = 0.0,
    ) -> Placed | None:
        """Stand a thing somewhere; None if there is no room. subject: how readily a camera looks at it."""
        made = self._boxed(thing, (x, y, z), turn)
        if check and not self.free(made.low, made.high, gap):
            return None
        if id(thing) in self._objects:
            self.kit.again(self._objects[id(thing)], made.at, turn)
        else:
            self._objects[id(thing)] = put(self.kit, thing, made.at, turn)
            self._keep.append(thing)
        if thing.size[2] > 0.03:
            self.placed.append(made)
        if subject:
            self.subjects.append((made, subject))
        return made

    _keep: list[Thing] = field(default_factory=list)

    def against(
        self,
        thing: Thing,
        wall: int | None = None,
        *,
        u: float | None = None,
        gap: float = 0.0,
        subject: float = 0.0,
        tries: int = 12,
        beside: float = 0.02,
    ) -> Placed | None:
        """Stand a thing with its back to a wall, below windows only if it is lower than the sill."""
        rng = self.rng
        for _ in range(tries):
            k = int(rng.integers(4)) if wall is None else wall
            length, half = self.length(k), thing.size[0] / 2
            if length < thing.size[0]:
                continue
            if u is None:
                corner = rng.random()
                at = rng.uniform(half, length - half)
                if corner < 0.3:
                    at = (half + 0.02) if corner < 0.15 else length - half - 0.02
            else:
                at = u
            if any(o.kind == "window" and abs(o.u - at) < half + o.width / 2 and thing.size[2] > o.z + 0.12 for o in self.openings[k]):
                continue
            x, y, _ = self.on_wall(k, float(at), thing.size[1] / 2 + gap + 0.015)
            made = self.put(thing, float(x), float(y), TURN[k], subject=subject, gap=beside)
            if made:
                return made
        return None

    def anywhere(self, thing: Thing, *, subject: float = 0.0, tries: int = 10, turn: float | None = None) -> Placed | None:
        rng = self.rng
        for _ in range(tries):
            r = max(thing.size[:2]) / 2
            if 2 * r > min(self.w, self.d):
                return None
            made = self.put(
                thing,
                rng.uniform(r, self.w - r),
                rng.uniform(r, self.d - r),
                rng.uniform(0, 360) if turn is None else turn,
                subject=subject,
            )
            if made:
                return made
        return None

    def hang(self, thing: Thing, wall: int, u: float, z: float, *, deep: float = 0.0, check: bool = True) -> bool:
        """A thing on a wall, its back at its own y = `deep`, its middle or foot at z."""
        w, _, h = thing.size
        length = self.length(wall)
        if u < w / 2 + 0.05 or u > length - w / 2 - 0.05:
            return False
        if any(abs(o.u - u) < (w + o.width) / 2 + 0.08 and z - h < o.z + o.height and z + h > o.z for o in self.openings[wall]):
            return False
        out = deep + (0.009 if self.look.tiled else 0.001)
        a, b = self.on_wall(wall, u - w / 2, 0.0, z - h * 0.55), self.on_wall(wall, u + w / 2, max(0.05, 2 * deep), z + h * 0.55)
        low, high = np.minimum(a, b), np.maximum(a, b)
        if check and (high[2] > self.h or any((low < q.high).all() and (high > q.low).all() for q in self.placed)):
            return False
        put(self.kit, thing, self.on_wall(wall, u, out, z), TURN[wall])
        self.placed.append(Placed(thing, self.on_wall(wall, u, out, z), TURN[wall], low, high))
        return True

    # Clutter

    def on(self, base: Placed, thing: Thing, x: float, y: float, z: float, turn: float = 0.0) -> Placed | None:
        """A thing on another, at a place in the other's axes."""
        q = base.point(x, y, z)
        return self.put(thing, float(q[0]), float(q[1]), base.turn + turn, float(q[2]), check=False)

    def strew(
        self,
        base: Placed,
        makers: list[Maker],
        full: float,
        *,
        taken: Sequence[tuple[float, float, float]] = (),
        tops: Sequence[Top] | None = None,
    ) -> None:
        """Clutter on all tops of a thing. full: about two thirds of the tries for each square metre. taken: circles (x, y, radius) to leave free."""
        rng = self.rng
        for top in base.thing.tops if tops is None else tops:
            (x0, x1), (y0, y1) = top.x, top.y
            area = (x1 - x0) * (y1 - y0)
            circles = list(taken)
            for _ in range(min(int(rng.poisson(1.5 * full * max(area, 0.04))), 50)):
                thing = self.stock.one(makers)
                w, d, h = thing.size
                facing = thing.name in FACING
                local = rng.normal(0, 18) if facing else rng.uniform(0, 360)
                if min(x1 - x0, y1 - y0) < 0.45 and not facing:
                    local = rng.choice([0, 90, 180, 270]) + rng.normal(0, 6)
                c, s = abs(math.cos(math.radians(local))), abs(math.sin(math.radians(local)))
                hx, hy = (c * w + s * d) / 2, (s * w + c * d) / 2
                if h > top.clear or 2 * hx > x1 - x0 or 2 * hy > y1 - y0 + 0.03:
                    continue
                for _ in range(5):
                    x = x0 + hx + rng.random() * max(x1 - x0 - 2 * hx, 0)
                    y = y0 + min(hy, (y1 - y0) / 2) + rng.random() * max(y1 - y0 - 2 * hy, 0)
                    if all(math.hypot(x - a, y - b) > 0.85 * (max(hx, hy) + r) for a, b, r in circles):
                        circles.append((x, y, max(hx, hy)))
                        self.on(base, thing, float(x), float(y), top.z, float(local))
                        break

    def dress(self, makers: list[Maker], count: int) -> None:
        """Things on the floor, more of them near walls and furniture."""
        rng = self.rng
        for _ in range(count):
            thing = self.stock.one(makers)
            for _ in range(6):
                x, y = rng.uniform(0.3, self.w - 0.3), rng.uniform(0.3, self.d - 0.3)
                if rng.random() < 0.6:
                    wall = int(rng.integers(4))
                    x, y, _ = self.on_wall(wall, rng.uniform(0.3, self.length(wall) - 0.3), rng.uniform(0.2, 0.45))
                if self.put(thing, float(x), float(y), float(rng.uniform(0, 360))):
                    break

    def pictures(self, count: int) -> None:
        rng = self.rng
        for _ in range(count):
            wall = int(rng.integers(4))
            kind = rng.random()
            if self.look.knee and wall % 2:
                continue
            if kind < 0.7:
                self.hang(
                    shapes.framed(self.p, mirror=kind < 0.1), wall, rng.uniform(0.3, self.length(wall) - 0.3), rng.uniform(1.35, 1.75)
                )
            elif kind < 0.85:
                thing = shapes.wall_board(self.p)
                z, u = rng.uniform(1.2, 1.8), rng.uniform(0.4, self.length(wall) - 0.4)
                if self.hang(thing, wall, u, z, deep=thing.size[1] / 2):
                    self.strew(self.placed[-1], household.SHELF, 14)
            else:
                self.hang(shapes.hung_clothes(self.p), wall, rng.uniform(0.4, self.length(wall) - 0.4), rng.uniform(1.5, 1.8))

    def radiators(self) -> None:
        for wall in range(4):
            for o in self.openings[wall]:
                if o.kind == "window" and o.z > 0.65 and self.rng.random() < 0.6:
                    self.against(shapes.radiator(self.p), wall, u=o.u, tries=1)

    def sills(self, makers: list[Maker]) -> None:
        for q in [q for q in self.placed if q.thing.name == "window"]:
            self.strew(q, makers, 12 * self.rng.random())

    # Light

    def light(self, kind: str | None = None, *, office: bool = False) -> None:
        """Windows, lamps and what many bounces would give. kind: day, lamps, both, dim."""
        kit, rng = self.kit, self.rng
        windows = [(k, o) for k in range(4) for o in self.openings[k] if o.kind == "window"]
        kind = kind or str(rng.choice(["day", "lamps", "both", "dim"], p=[0.42, 0.25, 0.25, 0.08]))
        if not windows and kind in ("day", "both"):
            kind = "lamps"
        warm = (
            hsv(rng.uniform(0.06, 0.12), rng.uniform(0.05, 0.35), 1.0)
            if not office
            else hsv(rng.uniform(0.1, 0.55), rng.uniform(0, 0.1), 1.0)
        )
        day = hsv(rng.uniform(0.5, 0.62), rng.uniform(0, 0.14), 1.0)
        area = self.w * self.d
        if windows:
            self._outside(windows, dark=kind == "lamps" and rng.random() < 0.6, day=day, shine=kind)
        if kind in ("lamps", "both", "dim") or self.bulbs:
            for q in self.bulbs:
                kit.lamp(q, rng.uniform(12, 40), size=rng.uniform(0.2, 0.4), colour=warm)
        if kind in ("lamps", "both"):
            self._ceiling_lamps(office, warm, area * rng.uniform(4, 9) * (0.4 if kind == "both" else 1))
        if kind == "dim" and not self.bulbs:
            kit.lamp((rng.uniform(0.5, self.w - 0.5), rng.uniform(0.5, self.d - 0.5), rng.uniform(1.2, 2)), area * 3, size=0.3, colour=warm)
        ambient = 0.1 * 7 ** rng.random() * (1.0 if kind != "dim" else 0.4)
        kit.even_light(day if kind == "day" else warm, ambient)
        bounce_everywhere(distance=float(rng.uniform(1.0, 3.0)))

    def _ceiling_lamps(self, office: bool, warm: Colour, watts: float) -> None:
        kit, p, rng = self.kit, self.p, self.rng
        glow = rng.uniform(3, 9)
        if office or rng.random() < 0.2:
            nx, ny = max(1, round(self.w / 2.4)), max(1, round(self.d / 2.4))
            one = shapes.ceiling_light(p, glow)
        elif rng.random() < 0.2:
            nx, ny, one = 2, 1, shapes.ceiling_light(p, glow)
        else:
            nx, ny, one = 1, 1, shapes.pendant(p, rng.uniform(0.3, 0.9), glow) if rng.random() < 0.5 else shapes.ceiling_light(p, glow)
        jitter = rng.normal(0, 0.25, 2) if nx * ny == 1 else (0.0, 0.0)
        for i in range(nx):
            for j in range(ny):
                x, y = self.w * (i + 0.5) / nx + jitter[0], self.d * (j + 0.5) / ny + jitter[1]
                if one.name == "pendant":
                    x, y = self._over_table(x, y)
                self.put(one, float(x), float(y), 0, self.h, check=False)
                self.placed[-1].low[2], self.placed[-1].high[2] = self.h - one.size[2] - 0.1, self.h
                z = self.h - one.size[2] - 0.12
                if one.name == "pendant":
                    kit.lamp((x, y, z - 0.1), watts / (nx * ny) * 0.8, size=0.35, colour=warm)
                    kit.lamp((x, y, self.h - 0.08), watts / (nx * ny) * 0.3, aim=(x, y, 0), size=0.8, colour=warm)
                else:
                    kit.lamp((x, y, z), watts / (nx * ny), size=min(max(one.size[0], 0.4), 0.8), colour=warm)

    def _over_table(self, x: float, y: float) -> tuple[float, float]:
        for q in self.placed:
            if q.thing.name == "table":
                return float(q.at[0]), float(q.at[1])
        return x, y

    def _outside(self, windows: list[tuple[int, Opening]], *, dark: bool, day: Colour, shine: str) -> None:
        """What the windows show and let in."""
        kit, rng = self.kit, self.rng
        strength = 2 * 4 ** rng.random()
        for wall in {k for k, _ in windows}:
            far = 8 * 6 ** rng.random()
            c = self.on_wall(wall, self.length(wall) / 2, 0)
            turn = TURN[wall]
            frame = Placed(Thing("", [], (0, 0, 0)), c, turn, c, c)
            glow = 0.0 if dark else strength * rng.uniform(0.3, 1)
            kind = str(rng.choice(["foliage", "foliage", "bricks", "plaster", "paint", "tiles"]))
            back = kit.surface(kind, metres=rng.uniform(2, 9), glow=glow or 0.02, bump=False)
            back.cycles.emission_sampling = "NONE"
            ground = rng.uniform(-8, 0) if rng.random() < 0.6 else 0.0
            roof = rng.uniform(0.5, 9)
            wide = far * 4
            facade = kit.add([(boxes((-wide, 0, ground - 1), (wide, 0.3, roof)), back)], frame.point(0, far + 1), turn)
            facade.visible_shadow = facade.visible_diffuse = False
            lawn = kit.surface("grass" if rng.random() < 0.5 else "asphalt", metres=5, glow=0.4 * glow or 0.01, bump=False)
            lawn.cycles.emission_sampling = "NONE"
            kit.add([(boxes((-wide, 0, -0.2), (wide, far + 1, 0)), lawn)], frame.point(0, 1.2, ground - 0.3), turn)
            if not dark:
                sky = self.p.glow(day, strength)
                dome = kit.add([(boxes((-600, 0, -100), (600, 1, 500)), sky)], frame.point(0, 300), turn)
                dome.visible_shadow = dome.visible_diffuse = False  # the panel in the window shines in its place
        if dark:
            return
        for wall, o in windows:
            mid = self.on_wall(wall, o.u, -self.thick - 0.05, o.z + o.height / 2)
            ahead = self.on_wall(wall, o.u, 1.5, o.z + o.height / 2 - rng.uniform(0, 1.0))
            kit.lamp(
                mid,
                o.width * o.height * rng.uniform(18, 60) * (0.35 if shine == "dim" else 1),
                aim=ahead,
                size=o.width,
                height=o.height,
                colour=day,
            )
        if rng.random() < 0.45 and shine != "dim":
            wall = windows[0][0]
            azimuth = TURN[wall] + rng.uniform(-60, 60)
            kit.sun(rng.uniform(18, 60), azimuth, rng.uniform(4, 20), soft=rng.uniform(0.5, 3))

    # Cameras

    def cameras(self, count: int, *, low: float = 0.6, high: float = 1.9, near: float = 0.9, far: float = 3.5) -> list[Shot]:
        """Different views of the room: from corners, at things, along it, at walls, from the middle."""
        shots: list[Shot] = []
        ways: list[Callable[[], Shot]] = [self._from_corner, self._at_wall, self._along, self._from_middle]
        for _ in range(count * 30):
            if len(shots) == count:
                break
            at_thing = self.subjects and self.rng.random() < 0.55
            shot = self._at_subject(near, far) if at_thing else ways[int(self.rng.integers(len(ways)))]()
            wanted = 3 if self.rng.random() < 0.85 else 1
            if self.stands(shot) and self.content(shot) >= wanted and all(_differ(shot, s) for s in shots):
                shots.append(shot)
        return shots

    def _height(self) -> float:
        rng = self.rng
        return float(np.clip(rng.normal(1.35, 0.28), 0.6, 1.9))

    def _made(self, at: Sequence[float], yaw: float, pitch: float) -> Shot:
        rng = self.rng
        fov = rng.uniform(45, 75)
        if self.kit.size[0] > self.kit.size[1]:
            fov *= 0.8
        return Shot.looking(at, yaw, float(np.clip(pitch, -10, 42)), float(fov), float(np.clip(rng.normal(0, 2.2), -6, 6)))

    def _from_corner(self) -> Shot:
        rng = self.rng
        sx, sy = rng.integers(0, 2, 2)
        x, y = (
            (rng.uniform(0.3, 1.0) if sx == 0 else self.w - rng.uniform(0.3, 1.0)),
            (rng.uniform(0.3, 1.0) if sy == 0 else self.d - rng.uniform(0.3, 1.0)),
        )
        aim = np.array([self.w, self.d]) * rng.uniform(0.3, 0.7, 2)
        yaw = math.degrees(math.atan2(-(aim[0] - x), aim[1] - y)) + rng.normal(0, 14)
        return self._made((x, y, self._height()), yaw, rng.normal(13, 8))

    def _at_wall(self) -> Shot:
        rng = self.rng
        wall = int(rng.integers(4))
        deep = self.d if wall % 2 == 0 else self.w
        out = rng.uniform(min(1.4, deep * 0.5), min(4.2, deep - 0.3))
        at = self.on_wall(wall, rng.uniform(0.15, 0.85) * self.length(wall), out)
        return self._made((at[0], at[1], self._height()), TURN[wall] + rng.normal(0, 17), rng.normal(10, 9))

    def _along(self) -> Shot:
        rng = self.rng
        wall = (0 if self.d > self.w else 1) + 2 * int(rng.integers(2))
        deep = max(self.w, self.d)
        at = self.on_wall(wall, rng.uniform(0.2, 0.8) * self.length(wall), deep - rng.uniform(0.3, 0.8))
        return self._made((at[0], at[1], self._height()), TURN[wall] + rng.normal(0, 12), rng.normal(9, 7))

    def _from_middle(self) -> Shot:
        rng = self.rng
        return self._made(
            (rng.uniform(0.3, self.w - 0.3), rng.uniform(0.3, self.d - 0.3), self._height()), rng.uniform(0, 360), rng.normal(15, 9)
        )

    def _at_subject(self, near: float, far: float) -> Shot:
        rng = self.rng
        weight = np.array([s for _, s in self.subjects])
        q = self.subjects[int(rng.choice(len(weight), p=weight / weight.sum()))][0]
        span = q.high - q.low
        aim = q.low + span * (*rng.uniform(0.15, 0.85, 2), 0) + (0, 0, span[2] * rng.uniform(0.4, 1.0))
        angle, out = rng.uniform(0, 2 * math.pi), near * (far / near) ** rng.random()
        at = aim[:2] + (out + 0.3 * span[:2].min()) * np.array([math.cos(angle), math.sin(angle)])
        z = self._height() + 0.15
        d = aim - (*at, z)
        pitch = math.degrees(math.atan2(-d[2], math.hypot(d[0], d[1])))
        yaw = math.degrees(math.atan2(-d[0], d[1]))
        return self._made((at[0], at[1], z), yaw + rng.normal(0, 8), pitch + rng.normal(-3, 6))

    def stands(self, shot: Shot, *, near: float = 0.5, wall: float = 0.18) -> bool:
        """Whether a camera is inside the room, outside of things, and sees more than the nearest thing."""
        x, y, z = shot.at
        if not (wall < x < self.w - wall and wall < y < self.d - wall and z < self.h - 0.15):
            return False
        if self.look.knee is not None and z > self.look.knee + (self.h - self.look.knee) / (self.w / 2 * 0.7) * min(x, self.w - x) - 0.2:
            return False
        low, high, at = *self._boxes(), np.asarray(shot.at, float)
        if len(low) and ((at > low - 0.12) & (at < high + 0.12)).all(1).any():
            return False
        seen, _ = self._cast(shot, 5, 5)
        return bool(seen[12] > near + 0.2 and (seen < near).mean() < 0.13 and seen.max() > 1.2)

    def content(self, shot: Shot) -> int:
        """How many different things a view shows, about."""
        _, which = self._cast(shot, 11, 8)
        hit, often = np.unique(which[which >= 0], return_counts=True)
        return int(len(hit[often >= 1]))

    def _boxes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        low = np.array([q.low for q in self.placed]).reshape(-1, 3)
        high = np.array([q.high for q in self.placed]).reshape(-1, 3)
        solid = (high - low).max(1) > 0.05 if len(low) else np.zeros(0, bool)
        return low[solid], high[solid]

    def _cast(self, shot: Shot, across: int, down: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Depth and number (-1: a wall) of what a grid of rays meets first."""
        low, high = self._boxes()
        at, turn, reach = np.asarray(shot.at, float), np.array(shot.matrix().to_3x3()), math.tan(math.radians(shot.fov / 2))
        a, b = np.meshgrid(np.linspace(-0.85, 0.85, across), np.linspace(-0.85, 0.85, down))
        ways = np.column_stack([a.ravel() * reach, b.ravel() * reach * self.kit.size[0] / self.kit.size[1], -np.ones(a.size)]) @ turn.T
        inv = 1 / np.where(np.abs(ways) < 1e-9, 1e-9, ways)
        out = np.maximum(-at * inv, (np.array([self.w, self.d, self.h]) - at) * inv).min(1)
        which = np.full(len(out), -1)
        if len(low):
            p, q = (low - at)[None] * inv[:, None], (high - at)[None] * inv[:, None]
            enter, leave = np.minimum(p, q).max(2), np.maximum(p, q).min(2)
            enter = np.where(leave > np.maximum(enter, 0), np.maximum(enter, 0), np.inf)
            first = enter.argmin(1)
            near = enter[np.arange(len(out)), first]
            which = np.where(near < out, first, -1)
            out = np.minimum(out, near)
        return out, which


def _differ(a: Shot, b: Shot) -> bool:
    da, db = (np.asarray(s.aim, float) - np.asarray(s.at, float) for s in (a, b))
    cos = da @ db / np.linalg.norm(da) / np.linalg.norm(db)
    return bool(np.linalg.norm(np.subtract(a.at, b.at)) > 1.2 or cos < math.cos(math.radians(35)))


def bounce_everywhere(distance: float) -> None:
    """Light from the world reaches into closed rooms in place of all bounces after the first, and less into corners; twice as fast as three."""
    scene: Any = bpy.context.scene
    scene.cycles.use_fast_gi = True
    scene.cycles.fast_gi_method, scene.cycles.ao_bounces_render = "REPLACE", 1
    scene.world.light_settings.ao_factor = 1.0
    scene.world.light_settings.distance = distance


__all__ = ["Look", "Opening", "Placed", "Room", "bounce_everywhere", "look"]
