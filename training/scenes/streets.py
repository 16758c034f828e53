"""Streets, squares and courtyards: on foot, from a car on the road, from a window, looking up at a front."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Mesh, joined, lathe, sheet, tube

from . import night, plants, sight, skies, town
from .grounds import patchy
from .kit import Kit, Part, Shot
from .plants import Stamp
from .textures import green, hsv
from .town import Look, boxes, slab

WEIGHT = 0.17
NIGHTS = 0.12
"""Share of the floodlit places of `night`; of the others, too, one in ten is seen after sunset."""

Floats = NDArray[np.float64]


class Lane:
    """The middle line of a road: bends and slopes, by metres from its beginning (negative ones too)."""

    def __init__(self, bend: Sequence[float], slope: float, swell: float, first: float, last: float) -> None:
        """bend: degrees per 100 m, at even distances along it; slope: rise per metre; swell: height of its waves in metres."""
        self.s = np.arange(first, last + 2.0, 2.0)
        per_metre = np.interp(self.s, np.linspace(0, last, len(bend)), bend) / 100
        turned = np.concatenate([[0], np.cumsum(per_metre[:-1] * 2)])
        self.heading = turned - np.interp(0, self.s, turned)
        h = np.radians(self.heading)
        xy = np.concatenate([[(0, 0)], np.cumsum(np.stack([-np.sin(h), np.cos(h)], 1)[:-1] * 2, 0)])
        self.xy = xy - np.array([np.interp(0, self.s, xy[:, 0]), np.interp(0, self.s, xy[:, 1])])
        z = slope * self.s + swell * np.sin(self.s / 71) * np.sin(self.s / 173 + 1)
        self.z = z - np.interp(0, self.s, z)

    def turn(self, s: float) -> float:
        """Degrees to the left of +y."""
        return float(np.interp(s, self.s, self.heading))

    def at(self, s: Any, off: Any, up: Any = 0.0) -> Floats:
        """Places (..., 3), `off` metres to the right and `up` above the road."""
        s, off, up = np.broadcast_arrays(np.asarray(s, float), off, up)
        h = np.radians(np.interp(s, self.s, self.heading))
        return np.stack(
            [
                np.interp(s, self.s, self.xy[:, 0]) + np.cos(h) * off,
                np.interp(s, self.s, self.xy[:, 1]) + np.sin(h) * off,
                np.interp(s, self.s, self.z) + up,
            ],
            -1,
        )

    def strip(self, s0: float, s1: float, offs: Sequence[float], ups: Sequence[float], step: float = 4.0) -> Mesh:
        """A band along the road through the given offsets at the given heights."""
        s = np.linspace(s0, s1, max(int((s1 - s0) / step), 1) + 1)
        return sheet(self.at(s[:, None], np.asarray(offs)[None], np.asarray(ups)[None]))


@dataclass
class Place:
    """A scene in the making, and what stands where, so that no camera stands in it."""

    kit: Kit
    look: Look
    night: bool
    busy: list[tuple[float, float, float]] = field(default_factory=list)

    def take(self, at: Sequence[float], radius: float) -> bool:
        """Claim a round spot; False if something stands there."""
        if not self.free(at, radius):
            return False
        self.busy.append((float(at[0]), float(at[1]), radius))
        return True

    def free(self, at: Sequence[float], radius: float) -> bool:
        return all(math.hypot(at[0] - x, at[1] - y) > r + radius for x, y, r in self.busy)


def far_land(kit: Kit, level: float, clear: float) -> None:
    """The land around: flat to `clear` metres, then rising to hills, with a rim of trees."""
    rng = kit.rng
    radii = np.concatenate([[0.5], np.geomspace(clear, 6000, 22)])
    a = np.linspace(0, 2 * np.pi, 97)
    high = rng.choice([0.01, 0.04, 0.1]) * rng.uniform(0.5, 1.5)
    waves = sum(rng.normal() * np.sin(k * a[None] + rng.uniform(0, 6) + radii[:, None] / 900) / k**0.7 for k in range(1, 14))
    z = level + np.maximum(radii[:, None] - clear, 0) * high * np.clip(0.5 + 0.5 * waves, 0.02, 2)  # type: ignore[operator]
    land = np.stack([radii[:, None] * np.cos(a), radii[:, None] * np.sin(a), z], -1)
    kit.add(
        [
            (
                sheet(land),
                kit.surface(str(rng.choice(["grass", "foliage", "earth"])), green(rng), metres=rng.uniform(30, 90), rough=1, bump=False),
            )
        ]
    )


def rim_of_trees(kit: Kit, stamps: Sequence[Stamp], middle: Sequence[float], radius: float, level: float, count: int) -> None:
    rng = kit.rng
    for _ in range(count):
        a, r = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1, 1.5)
        stamps[int(rng.integers(len(stamps)))].put(
            (middle[0] + math.cos(a) * r, middle[1] + math.sin(a) * r, level - 0.2), rng.uniform(0, 360), scale=rng.uniform(0.7, 1.5)
        )


@dataclass(frozen=True)
class Street:
    """road: half of its width; park: a parked lane's width on each side or 0; walk: pavement; garden: to the fronts; all in metres."""

    road: float
    park: float
    walk: float
    garden: float
    houses: tuple[str, ...]
    gaps: float
    trees: float
    long: float

    @property
    def kerb(self) -> float:
        return self.road + self.park

    @property
    def front(self) -> float:
        return self.kerb + self.walk + self.garden


def _plan(rng: np.random.Generator, kind: str) -> Street:
    u = rng.uniform
    if kind == "town":
        return Street(
            u(2.6, 5),
            float(rng.choice([0, 2.1])),
            u(1.5, 4),
            0,
            ("town", "town", "town", "old", "tower"),
            u(0, 0.15),
            float(rng.choice([0, 0.3, 0.7])),
            u(90, 260),
        )
    if kind == "old":
        return Street(u(1.0, 2.2), 0, u(0.4, 1.4), 0, ("old", "old", "old", "town"), u(0, 0.1), 0, u(40, 110))
    if kind == "suburb":
        return Street(
            u(2.6, 4),
            float(rng.choice([0, 2.1])),
            u(1.0, 2.2),
            u(2.5, 10),
            ("villa", "villa", "villa", "hall", "town"),
            u(0.3, 0.9),
            u(0.2, 0.9),
            u(250, 520),
        )
    if kind == "avenue":
        return Street(
            u(5.5, 10),
            2.3,
            u(3, 7),
            float(rng.choice([0, 3.0])),
            ("town", "tower", "tower", "town", "hall"),
            u(0, 0.4),
            u(0.5, 1),
            u(250, 500),
        )
    return Street(u(2.8, 4.5), 0, 0, u(12, 40), ("villa", "hall", "villa"), u(4, 12), u(0.2, 0.9), u(450, 700))


def street(kit: Kit, kind: str) -> list[Shot]:
    """A road between houses. kind: "town", "old", "suburb", "avenue", "country"."""
    rng = kit.rng
    plan = _plan(rng, kind)
    lane = Lane(
        rng.normal(0, {"old": 40, "town": 9, "suburb": 9, "avenue": 1.5, "country": 8}[kind], 4) * (rng.random() < 0.7),
        rng.normal(0, 0.03) if kind in ("town", "old") else 0.0, abs(rng.normal(0, 2)) if kind in ("country", "suburb") else 0.0, -60, plan.long,
    )  # fmt: skip
    sky = skies.put(kit, facing=0, night=0.12 if kind != "country" else 0.02)
    night = sky in ("dusk", "night")
    place = Place(kit, Look(kit, night), night)
    _ground(place, lane, plan, kind)
    trees = [
        Stamp(kit, plants.tree(kit, rng.uniform(5, 9) if kind in ("town", "old") else rng.uniform(7, 15)))
        for _ in range(2 if kind in ("town", "old") else 4)
    ]
    fronts = _houses(place, lane, plan, trees)
    _border(place, lane, plan, kind, trees)
    _traffic(place, lane, plan, kind)
    level = float(lane.z.min()) - 0.6
    middle = lane.at(plan.long / 2, 0)
    far_land(kit, level, float(np.abs(lane.xy).max()) * 1.05 + 20)
    rim_of_trees(kit, trees, middle, plan.long * (0.62 if kind != "country" else 0.75), level, 90)
    if night:
        for s in np.arange(6, 90, 16):
            side = float(rng.choice([-1, 1]))
            kit.lamp(
                lane.at(s, side * (plan.kerb - 0.3), rng.uniform(4, 7)),
                rng.uniform(250, 900),
                size=0.5,
                colour=hsv(0.09, rng.uniform(0.15, 0.6), 1),
            )
    return _cameras(place, lane, plan, kind, fronts)


def _ground(place: Place, lane: Lane, plan: Street, kind: str) -> None:
    kit, rng = place.kit, place.kit.rng
    first, last = float(lane.s[0]), float(lane.s[-1])
    k, w = plan.kerb, plan.kerb + plan.walk
    if kind == "old":
        road = kit.surface(
            str(rng.choice(["bricks", "tiles", "gravel", "rock"])),
            hsv(0.1, rng.uniform(0, 0.2), rng.uniform(0.25, 0.6)),
            metres=rng.uniform(0.8, 1.6),
            bump=True,
        )
    else:
        road = kit.surface("asphalt", hsv(0.6, rng.uniform(0, 0.08), rng.uniform(0.22, 0.55)), metres=rng.uniform(2, 5), bump=False)
    patchy(kit, road)
    parts: list[Part] = [(lane.strip(first, last, (-k, 0, k), (0, 0.04, 0), 2.0), road)]
    step = rng.uniform(0.06, 0.16) if kind != "country" else -0.02
    pave = kit.surface(
        str(rng.choice(["tiles", "concrete", "asphalt", "bricks"])),
        hsv(0.1, rng.uniform(0, 0.12), rng.uniform(0.35, 0.7)),
        metres=rng.uniform(1.2, 2.4),
        bump=False,
    )
    kerb = kit.painted((0.55, 0.54, 0.52), rough=0.85)
    green_ = patchy(kit, kit.surface("grass", bump=False))
    if rng.random() < 0.6:
        patchy(kit, pave, rng.uniform(5, 15))
    yard = green_ if kind in ("suburb", "country") or plan.garden > 2 else pave
    for s in (-1, 1):
        if plan.walk:
            parts.append((lane.strip(first, last, (s * k, s * k), (0, step), 2.0), kerb))
            parts.append((lane.strip(first, last, (s * k, s * (k + 0.14)), (step, step), 2.0), kerb))
            parts.append((lane.strip(first, last, (s * (k + 0.14), s * w), (step, step + 0.02), 2.0), pave))
        wide = 160 if kind == "country" else 60
        offs = np.array([w, w + 0.5 * plan.garden + 1, w + plan.garden + 10, w + wide])
        ups = np.full(4, step + 0.02)
        if kind == "country":
            ups = np.array([0, rng.uniform(-0.6, 1.0), rng.uniform(-0.5, 1.5), rng.uniform(-1, 4)])
        parts.append((lane.strip(first, last, s * offs, ups, 6.0), yard))
    parts += _markings(place, lane, plan, kind)
    kit.add(parts)


def _markings(place: Place, lane: Lane, plan: Street, kind: str) -> list[Part]:
    kit, rng = place.kit, place.kit.rng
    if kind == "old":
        return []
    white = kit.painted((0.8, 0.8, 0.78) if rng.random() < 0.85 else (0.8, 0.65, 0.2), rough=0.7)
    first, last = float(lane.s[0]), float(lane.s[-1])
    made: list[Mesh] = []
    up = 0.012

    def line(off: float, dash: float, gap: float, wide: float = 0.12) -> None:
        rise = 0.04 * (1 - abs(off) / plan.kerb) + up
        if gap == 0:
            made.append(lane.strip(first, last, (off - wide / 2, off + wide / 2), (rise, rise), 4.0))
            return
        a = np.arange(first, last - dash, dash + gap)
        ends = np.stack([a, a, a + dash, a + dash], 1)
        offs = np.array([off - wide / 2, off + wide / 2, off + wide / 2, off - wide / 2])
        made.append(town.quads(lane.at(ends, offs[None], rise)))

    if plan.road > 2.7 and rng.random() < 0.85:
        line(0.0, *((3.0, rng.uniform(3, 9)) if rng.random() < 0.75 else (1.0, 0.0)))
    if plan.road > 5.4:
        for off in (-plan.road / 2, plan.road / 2):
            line(off, 3.0, 6.0)
    if plan.park or rng.random() < 0.5:
        for s in (-1, 1):
            line(s * (plan.road - 0.1), 1.0, 0.0 if rng.random() < 0.6 else 1.0)
    if plan.walk and rng.random() < 0.6:
        s0 = rng.uniform(8, 50)
        offs = np.arange(-plan.kerb + 0.3, plan.kerb - 0.5, 1.0)
        corner = np.array([(0, 0), (0, 0.5), (3, 0.5), (3, 0)])
        made.append(town.quads(lane.at(s0 + corner[None, :, 0], offs[:, None] + corner[None, :, 1], 0.055)))
    holes = [lathe([(0.32, 0.0), (0, 0.0)], lane.at(rng.uniform(2, 60), rng.uniform(-0.7, 0.7) * plan.road, 0.05), 16) for _ in range(4)]
    parts: list[Part] = [(joined(holes), kit.painted((0.15, 0.15, 0.16), rough=0.5))]
    patches = []
    for _ in range(int(rng.integers(0, 8))):
        s0, o, long, wide = rng.uniform(0, 80), rng.uniform(-0.8, 0.5) * plan.road, rng.uniform(1, 12), rng.uniform(0.5, 2)
        patches.append(lane.strip(s0, s0 + long, (o, o + wide), (0.046, 0.046), 2.0))
    if patches:
        dark = float(rng.uniform(0.12, 0.5))
        parts.append((joined(patches), kit.painted((dark, dark, dark * 1.02), rough=0.9)))
    return [*parts, (joined(made), white)] if made else parts


def _houses(place: Place, lane: Lane, plan: Street, trees: Sequence[Stamp]) -> list[tuple[float, float, float]]:
    """Houses along both sides; (side, distance along, height) of each."""
    kit, rng = place.kit, place.kit.rng
    stock = [town.house(place.look, str(rng.choice(plan.houses))) for _ in range(5 if plan.gaps < 1 else 3)]
    stamps = [Stamp(kit, h.parts) for h in stock]
    fronts = []
    open_side = float(rng.choice([-1, 1])) if rng.random() < 0.12 and plan.walk > 1.5 else 0.0
    for side in (-1.0, 1.0):
        s = float(rng.uniform(-45, -30))
        if side == open_side:
            for at in np.arange(-30, plan.long, 5):
                trees[int(rng.integers(len(trees)))].put(
                    lane.at(at + rng.normal(0, 3), side * (plan.front + rng.uniform(4, 25))),
                    rng.uniform(0, 360),
                    scale=rng.uniform(0.7, 1.3),
                )
            continue
        while s < min(plan.long - 5, 330):
            i = int(rng.integers(len(stock)))
            h = stock[i]
            back = plan.front + (abs(rng.normal(0, 0.25 * plan.garden)) if plan.garden else 0)
            if plan.gaps < 0.2 and rng.random() < 0.06:
                s += rng.uniform(4, 12)  # a side street
            mid = s + h.width / 2
            low = min(float(lane.at(s, 0)[2]), float(lane.at(s + h.width, 0)[2])) + 0.12
            if side > 0:
                at = lane.at(s + h.width, back)
                turn = lane.turn(mid) - 90
            else:
                at = lane.at(s, -back)
                turn = lane.turn(mid) + 90
            stamps[i].put((at[0], at[1], low if plan.walk else at[2]), turn)
            fronts.append((side, mid, h.high))
            s += h.width + (plan.gaps * rng.uniform(2, 12) if plan.gaps > 0.2 else float(rng.choice([0, 0, 0, 0.5])))
    if kitten := [f for f in fronts if f[1] > 0]:
        return kitten
    return [(1.0, 10.0, 8.0)]


def _border(place: Place, lane: Lane, plan: Street, kind: str, trees: Sequence[Stamp]) -> None:
    """What stands on the pavements and in the front gardens."""
    kit, rng = place.kit, place.kit.rng
    u = rng.uniform
    every = u(7, 18)
    row = [s for s in (-1, 1) if rng.random() < 0.8]
    if plan.trees and rng.random() < 0.9:
        for side in row:
            for s in np.arange(u(-40, -30), plan.long, every):
                if rng.random() < plan.trees:
                    off = plan.kerb + (0.8 if plan.walk > 1.8 else plan.walk + u(0.6, 1.5) if plan.garden else 0.5)
                    if kind == "country":
                        off = plan.kerb + u(2, 9)
                    elif plan.walk <= 1.8 and not plan.garden:
                        continue
                    at = lane.at(s + rng.normal(0, 0.5), side * off)
                    if place.take(at, 0.35):
                        trees[int(rng.integers(len(trees)))].put(at, u(0, 360), scale=u(0.75, 1.2))
    goods: list[tuple[Callable[[], list[Part]], float, float]] = [
        (lambda: town.street_lamp(kit), 0.35, u(18, 35)), (lambda: town.sign_post(kit, place.look), 0.3, u(15, 60)), (lambda: town.bollard(kit), 0.25, float(rng.choice([2.0, 60.0]))),
        (lambda: town.bin_(kit), 0.5, u(15, 60)), (lambda: town.traffic_light(kit), 0.4, 70.0 if kind != "country" else 900.0), (lambda: town.bicycle(kit), 0.7, u(8, 60)), (lambda: town.bench(kit), 0.7, u(25, 80)),
    ]  # fmt: skip
    for make, radius, gap in goods:
        if rng.random() < (0.6 if kind != "country" else 0.25):
            stamp = Stamp(kit, make())
            for side in (-1, 1):
                for s in np.arange(u(-5, 12), min(plan.long, 200), gap):
                    at = lane.at(
                        s + rng.normal(0, 0.4),
                        side * (plan.kerb + min(0.45, plan.walk * 0.35) + (1.2 if kind == "country" else 0)),
                        0.1 if plan.walk else 0,
                    )
                    if s < 90 or radius < 0.36:
                        if place.take(at, radius):
                            stamp.put(at, lane.turn(s) + (0 if side < 0 else 180 if gap > 20 and make is goods[0][0] else 0))
    if kind in ("town", "avenue") and rng.random() < 0.3:
        stamp = Stamp(kit, town.parasol(kit))
        for s in np.arange(u(3, 20), 60, 3.4):
            at = lane.at(s, plan.kerb + plan.walk - 1.2, 0.12)
            if plan.walk > 2.6 and place.take(at, 1.0):
                stamp.put(at, u(0, 360))
    if plan.garden > 2:
        _gardens(place, lane, plan, kind)
    if kind == "country":
        if rng.random() < 0.35:
            stamp = Stamp(kit, town.guard_rail(kit, 4.0))
            side = float(rng.choice([-1, 1]))
            for s in np.arange(-20, 300, 4.0):
                stamp.put(lane.at(s, side * (plan.kerb + 0.6)), lane.turn(s + 2))
    if rng.random() < (0.35 if kind in ("suburb", "country") else 0.1):
        side, off = float(rng.choice([-1, 1])), plan.kerb + max(plan.walk * 0.4, 0.8) + (1.5 if kind == "country" else 0)
        pole = Stamp(
            kit,
            [
                (
                    joined([tube(np.array([(0, 0, 0), (0, 0, 4), (0, 0, 8.0)]), 0.12, 8), boxes([(0, 0, 7.5)], (1.8, 0.1, 0.12))]),
                    kit.painted((0.35, 0.28, 0.22), rough=0.9),
                )
            ],
        )
        spots = np.arange(-30, min(plan.long, 400), 33.0)
        for s in spots:
            place.take(lane.at(s, side * off), 0.3)
            pole.put(lane.at(s, side * off), lane.turn(s))
        t = np.linspace(0, 1, 9)
        wires = [
            tube(lane.at(a + (b - a) * t, side * off + dx, 7.6 - 4 * 0.9 * t * (1 - t)), 0.016, 4)
            for a, b in zip(spots[:-1], spots[1:])
            for dx in (-0.8, 0, 0.8)
        ]
        kit.add([(joined(wires), kit.painted((0.06, 0.06, 0.06)))])


def _gardens(place: Place, lane: Lane, plan: Street, kind: str) -> None:
    """Hedges, fences, bushes and flowers before the houses."""
    kit, rng = place.kit, place.kit.rng
    edge = plan.kerb + plan.walk + 0.4
    long = 6.0
    sorts = [Stamp(kit, plants.hedge(kit, (long, rng.uniform(0.5, 1), rng.uniform(0.7, 2)))), Stamp(kit, [(town.moved(m, (-long / 2, 0, 0)), s) for m, s in town.fence(kit, long, rng.uniform(0.7, 1.7))]),
             Stamp(kit, [(town.moved(m, (-long / 2, 0, 0)), s) for m, s in town.fence(kit, long, rng.uniform(0.5, 1.5))])]  # fmt: skip
    shrubs = [Stamp(kit, plants.bush(kit, rng.uniform(0.6, 2.2), many=1000)) for _ in range(2)] + [Stamp(kit, plants.flowers(kit))]
    for side in (-1, 1):
        sort = int(rng.integers(3))
        for s in np.arange(-30, 220, long):
            if rng.random() < 0.12:
                sort = int(rng.integers(3))
            if rng.random() < (0.8 if kind == "suburb" else 0.3):
                sorts[sort].put(lane.at(s, side * edge, 0.08), lane.turn(s) + 90)
            for _ in range(int(rng.integers(0, 4)) if s < 100 else 0):
                at = lane.at(s + rng.uniform(0, long), side * (edge + rng.uniform(0.8, max(plan.garden - 1.5, 1.2))), 0.08)
                if place.take(at, 0.5):
                    shrubs[int(rng.integers(3))].put(at, rng.uniform(0, 360), scale=rng.uniform(0.6, 1.2))


def _traffic(place: Place, lane: Lane, plan: Street, kind: str) -> None:
    """Parked and driving cars, people on foot."""
    kit, rng = place.kit, place.kit.rng
    if kind == "old" and rng.random() < 0.7:
        cars: list[Stamp] = []
    else:
        cars = [Stamp(kit, town.car(kit), smooth=False) for _ in range(5)]
    if plan.park and cars:
        for side in (-1, 1):
            if rng.random() < 0.25:
                continue
            full = rng.uniform(0.3, 1)
            for s in np.arange(-40 + rng.uniform(0, 5), min(plan.long, 260), rng.uniform(5.1, 6.5)):
                if rng.random() < full:
                    at = lane.at(s + rng.normal(0, 0.2), side * (plan.road + plan.park / 2 + rng.normal(0, 0.08)))
                    place.busy += [(*lane.at(s + d, side * (plan.road + 1.0))[:2].tolist(), 1.1) for d in (-1.5, 0, 1.5)]  # type: ignore[misc]
                    cars[int(rng.integers(len(cars)))].put(at, lane.turn(s) + (180 if side < 0 else 0) + rng.normal(0, 1))
    if plan.road > 2.5 and cars and rng.random() < 0.75:
        vans = Stamp(kit, town.lorry(kit)) if rng.random() < 0.35 else cars[0]
        for _ in range(int(rng.integers(1, 9))):
            s, side = rng.uniform(14, 180) if rng.random() < 0.8 else rng.uniform(-40, 5), float(rng.choice([-1, 1]))
            at = lane.at(s, side * plan.road * 0.5)
            if all(place.free(lane.at(s + d, side * plan.road * 0.5), 2.0) for d in (-2, 2)):
                place.busy.append((float(at[0]), float(at[1]), 3.5))
                (vans if rng.random() < 0.15 else cars[int(rng.integers(5))]).put(at, lane.turn(s) + (0 if side > 0 else 180))
    if plan.walk and rng.random() < 0.7:
        crowd = [Stamp(kit, town.walker(kit), smooth=True) for _ in range(3)]
        for _ in range(int(rng.integers(1, 14))):
            s, off = rng.uniform(9, 70), rng.choice([-1, 1]) * (plan.kerb + max(plan.walk, 0.6) * rng.uniform(0.3, 0.7))
            at = lane.at(s, off, 0.12)
            if place.take(at, 0.4):
                crowd[int(rng.integers(3))].put(at, lane.turn(s) + rng.choice([0, 180]) + rng.normal(0, 15))


def _cameras(place: Place, lane: Lane, plan: Street, kind: str, fronts: Sequence[tuple[float, float, float]]) -> list[Shot]:
    rng = place.kit.rng
    u = rng.uniform
    p = {
        "town": (0.25, 0.33, 0.14, 0.12, 0.16),
        "old": (0, 0.6, 0.2, 0.1, 0.1),
        "suburb": (0.5, 0.3, 0.12, 0.04, 0.04),
        "avenue": (0.45, 0.25, 0.12, 0.1, 0.08),
        "country": (0.75, 0.25, 0, 0, 0),
    }[kind]
    count = int(rng.integers(4, 7))
    kinds = rng.choice(5, count + 5, p=p)
    shots: list[Shot] = []
    for what in kinds:
        for _ in range(12):
            s, side = u(-3, min(0.3 * plan.long, 110)), float(rng.choice([-1, 1]))
            if what > 0:
                s = min(s, u(-3, 45))
            if what == 0:  # driving
                off = plan.road * 0.5 if rng.random() < 0.85 else -plan.road * 0.5 * rng.random()
                at = lane.at(s, off, u(1.25, 1.8))
                ok = place.free(at, 1.0) and place.free(lane.at(s + 4, off), 1.0)
                shot = Shot.looking(at, lane.turn(s + 12) + rng.normal(0, 3), u(-4, 6), u(58, 92), rng.normal(0, 0.8))
            elif what == 1:  # on foot
                off = (
                    side * u(max(plan.kerb - 1, 0.2), plan.kerb + max(plan.walk, 1.0) * 0.85)
                    if rng.random() < 0.75
                    else u(-1, 1) * plan.road
                )
                at = lane.at(s, off, u(1.45, 1.8))
                yaw = lane.turn(s + 8) + rng.normal(0, 22) + (180 if rng.random() < 0.2 else 0)
                ok = place.free(at, 0.45)
                shot = Shot.looking(at, yaw, u(-14, 9), u(35, 82), rng.normal(0, 1.5))
            elif what == 2:  # a front across the street, on the level or upwards
                side, mid, high = fronts[int(rng.integers(len(fronts)))]
                if mid > 70:
                    continue
                at = lane.at(mid + rng.normal(0, 4), -side * u(0.2, 0.95) * (plan.kerb + plan.walk * 0.8), u(1.4, 1.8))
                ok = place.free(at, 0.5)
                aim = lane.at(mid + rng.normal(0, 3), side * plan.front, u(1.5, max(high * 0.8, 3)))
                shot = Shot(at, aim, u(30, 80), rng.normal(0, 1.5))
            elif what == 3:  # upwards along the fronts
                at = lane.at(s, side * u(0.2, 0.9) * plan.kerb, u(1.3, 1.8))
                ok = place.free(at, 0.5)
                shot = Shot.looking(at, lane.turn(s) + rng.normal(0, 45), -u(10, 32), u(45, 85), rng.normal(0, 3))
            else:  # from a window
                at = lane.at(s, side * (plan.front - u(0.3, 1.0)), u(4, 13))
                ok = True
                shot = Shot.looking(at, lane.turn(s) + side * u(10, 90), u(3, 28), u(45, 80), rng.normal(0, 1.5))
            if ok:
                shots.append(shot)
                break
    if kind != "avenue" and rng.random() < 0.3:  # from a tower, a hill or a drone
        for _ in range(2):
            s = u(0, 40)
            at = lane.at(s - u(20, 60), u(-45, 45), u(18, 65))
            shots.insert(0, Shot(at, lane.at(s + u(0, 20), u(-15, 15), u(0, 8)), u(32, 68), rng.normal(0, 3)))
    return sight.worthwhile(place.kit, shots, count)


# Squares and courtyards


def square(kit: Kit) -> list[Shot]:
    """A place or a court with houses around and something in its middle."""
    rng = kit.rng
    u = rng.uniform
    small = rng.random() < 0.45
    wide, deep = (u(9, 20), u(9, 22)) if small else (u(24, 60), u(26, 75))
    sky = skies.put(kit, facing=0, night=0.1)
    night = sky in ("dusk", "night")
    place = Place(kit, Look(kit, night), night)
    ground = kit.surface(str(rng.choice(["tiles", "bricks", "gravel", "concrete", "rock", "grass"], p=[0.3, 0.25, 0.2, 0.1, 0.05, 0.1])),
                         hsv(rng.uniform(0.05, 0.14), rng.uniform(0, 0.22), rng.uniform(0.3, 0.75)) if rng.random() < 0.9 else None, metres=rng.uniform(1.2, 3))  # fmt: skip
    x = wide / 2
    patchy(kit, ground, rng.uniform(6, 25))
    kit.add([(slab([(-x - 30, -40, 0), (x + 30, -40, 0), (x + 30, deep + 40, 0), (-x - 30, deep + 40, 0)], 0.5), ground)])
    sorts = ("old", "town", "old") if small else ("town", "town", "old", "hall", "tower")
    houses = [town.house(place.look, str(rng.choice(sorts))) for _ in range(5)]
    stamps = [Stamp(kit, h.parts) for h in houses]
    rows = [
        ((-x, deep), (x, deep), 0.0, 0.97),
        ((x, deep), (x, -5), -90.0, 0.9),
        ((-x, -5), (-x, deep), 90.0, 0.9),
        ((x, -22), (-x, -22), 180.0, 0.7),
    ]
    tops: list[float] = []
    for a, b, turn, full in rows:
        s, long = 0.0, math.hypot(b[0] - a[0], b[1] - a[1])
        way = np.array([(b[0] - a[0]) / long, (b[1] - a[1]) / long])
        while s < long - 1.5:
            i = int(rng.integers(5))
            h = houses[i]
            if rng.random() < full:
                at = np.asarray(a) + way * s
                stamps[i].put((at[0], at[1], 0.0), turn)
                tops.append(h.high)
            s += h.width + (u(2, 6) if rng.random() < 0.15 else 0)
    for _ in range(14):  # what shows through the gaps
        a, far = u(0, 2 * np.pi), u(1.6, 2.4)
        spot = np.array([math.cos(a) * (x + 12) * far, deep / 2 + math.sin(a) * (deep / 2 + 20) * far])
        stamps[int(rng.integers(5))].put((spot[0], spot[1], -0.2), float(rng.choice([0, 90, 180, 270])))
    rim_of_trees(kit, [Stamp(kit, plants.tree(kit, u(7, 13))) for _ in range(2)], (0, deep / 2, 0), max(x, deep / 2) + 45, -0.2, 60)
    if rng.random() < 0.4:
        _portico(place, wide, deep, small)
    middle = _pieces(place, wide, deep, small)
    far_land(kit, -0.3, 200)
    if night:
        for _ in range(5):
            kit.lamp((u(-x, x), u(2, deep - 2), u(3.5, 5)), u(150, 600), size=0.5, colour=hsv(0.09, u(0.15, 0.6), 1))
    shots: list[Shot] = []
    count = int(rng.integers(4, 7))
    for _ in range(count + 5):
        for _ in range(15):
            at = np.array([u(-0.85, 0.85) * x, u(-3, 0.75 * deep), u(1.35, 1.8)])
            if not place.free(at, 0.7):
                continue
            if middle and rng.random() < 0.6:  # what stands there, from near
                target = middle[int(rng.integers(len(middle)))]
                far = u(2.2, 11)
                round_ = u(0, 2 * np.pi)
                at = np.array([target[0] + math.cos(round_) * far, target[1] + math.sin(round_) * far, u(1.2, 1.8)])
                if not (abs(at[0]) < x - 0.7 and -15 < at[1] < deep - 1 and place.free(at, 0.6)):
                    continue
                aim = np.array([target[0] + rng.normal(0, 0.3), target[1] + rng.normal(0, 0.3), target[2] * u(0.4, 0.85)])
                shots.append(Shot(at, aim, u(30, 70), rng.normal(0, 1.5)))
            else:
                yaw = math.degrees(math.atan2(at[0], deep / 2 - at[1])) + rng.normal(0, 50)
                shots.append(Shot.looking(at, yaw, u(-18, 12), u(35, 85), rng.normal(0, 1.5)))
            break
    if rng.random() < 0.3:  # from above
        for _ in range(2):
            at = (u(-1.2, 1.2) * wide, -u(15, 70), u(18, 60))
            shots.insert(0, Shot(at, (u(-0.3, 0.3) * wide, u(0.1, 0.7) * deep, u(0, 8)), u(32, 68), rng.normal(0, 3)))
    return sight.worthwhile(kit, shots, count)


def _portico(place: Place, wide: float, deep: float, small: bool) -> None:
    """Columns on steps under a gable before the far side."""
    kit, rng = place.kit, place.kit.rng
    n = int(rng.choice([2, 4]) if small else rng.choice([4, 6, 8]))
    high = rng.uniform(2.5, 4.5) if small else rng.uniform(5, 11)
    radius, gap = high * rng.uniform(0.05, 0.07), high * rng.uniform(0.28, 0.42)
    half = (n - 1) * gap / 2
    mid = rng.uniform(-0.2, 0.2) * wide
    count = int(rng.integers(2, 10))
    stone = town.look_stone(kit)
    run, rise = 0.32, 0.16
    front = deep - gap * 1.2 - 1.0
    shaft = town.column(rng, high, radius)
    base = rise * count
    parts: list[Part] = [
        (town.moved(town.steps(2 * half + 2, count), (mid, front - run * count, 0)), stone),
        (boxes([(mid, (front + deep) / 2 + 0.3, base / 2)], (2 * half + 2, deep - front + 0.6, base)), stone),
    ]
    parts.append((joined([town.moved(shaft, (mid + x, front + radius * 2, base)) for x in np.linspace(-half, half, n)]), stone))
    top = base + high
    beam = high * 0.17
    parts.append((boxes([(mid, (front + deep) / 2, top + beam / 2)], (2 * half + 1.2, deep - front, beam)), stone))
    w, g = half + 0.9, (half + 0.9) * rng.uniform(0.25, 0.42)
    v = np.array(
        [(mid - w, y, top + beam) for y in (front - 0.2, deep)]
        + [(mid + w, y, top + beam) for y in (front - 0.2, deep)]
        + [(mid, y, top + beam + g) for y in (front - 0.2, deep)]
    )
    parts.append(((v, np.array([(0, 2, 4, 4), (1, 3, 5, 5), (0, 1, 5, 4), (2, 3, 5, 4), (0, 1, 3, 2)])), stone))
    wall = facing_wall(place, mid, deep - 0.15, half + 0.8, base, top)
    kit.add(parts + wall)
    place.busy += [(mid + x, front - 0.5, 1.5) for x in np.linspace(-half - 0.5, half + 0.5, 2 * n)]


def facing_wall(place: Place, mid: float, y: float, half: float, low: float, high: float) -> list[Part]:
    """A wall with a door between `low` and `high`."""
    wall = place.look.pick(place.look.walls)
    tall = high - low
    door = np.array([[mid - tall * 0.14, mid + tall * 0.14, low, low + tall * 0.62]])
    return [(town.facing(np.array([[mid - half, mid + half, low, high]]), y), wall), (town.facing(door, y - 0.02), place.kit.painted((0.25, 0.15, 0.1), rough=0.5)),
            (town.bars(door, y - 0.05, 0.18, 1, 2), place.look.pick(place.look.stone))]  # fmt: skip


def _pieces(place: Place, wide: float, deep: float, small: bool) -> list[Floats]:
    """Monuments, fountains, trees, tables, planters, cars; the places worth a picture, with their heights."""
    kit, rng = place.kit, place.kit.rng
    u = rng.uniform
    x = wide / 2
    seen: list[Floats] = []

    def spot(margin: float) -> Floats:
        return np.array([u(-1, 1) * max(x - margin, 0.3), u(1, max(deep - margin, 2)), 0.0])

    for _ in range(int(rng.integers(1, 3))):
        at = spot(2.5)
        if rng.random() < 0.3 and not small:
            parts, radius = town.fountain(kit)
            if place.take(at, radius):
                kit.add(parts, at, u(0, 360), smooth=False)
                seen.append(at + [0, 0, 2.2])
        else:
            parts, high = town.monument(kit)
            if place.take(at, 0.9):
                kit.add(parts, at, math.degrees(math.atan2(at[0], 8)) + rng.normal(0, 40))
                seen.append(at + [0, 0, high])
    things: list[tuple[Stamp, float, int, float]] = []
    if rng.random() < 0.7:
        things.append(
            (Stamp(kit, plants.tree(kit, u(3, 6) if small else u(5, 11), fine=small)), 0.5, int(rng.integers(1, 3 if small else 8)), 2.5)
        )
    if rng.random() < 0.5:
        things.append((Stamp(kit, town.bench(kit)), 0.9, int(rng.integers(1, 5)), 0.8))
    if rng.random() < 0.4:
        things.append((Stamp(kit, town.parasol(kit)), 1.3, int(rng.integers(1, 3 if small else 7)), 2.6))
    if rng.random() < 0.5:
        r = u(0.25, 0.6)
        pot: list[Part] = [
            (
                lathe(
                    [
                        (r * 0.7, 0),
                        (r, r * 1.3),
                        (r * 1.08, r * 1.3),
                        (r * 1.08, r * 1.5),
                        (r * 0.9, r * 1.5),
                        (r * 0.85, r * 1.3),
                        (0, r * 1.3),
                    ],
                    (0, 0, 0),
                    20,
                ),
                kit.painted(hsv(0.05, u(0, 0.6), u(0.3, 0.8)), rough=0.8),
            )
        ]
        pot += [(town.moved(m, (0, 0, r * 1.3)), s) for m, s in plants.bush(kit, r * u(1.5, 3.5), many=1200, blossom=0.6)]
        things.append((Stamp(kit, pot), r * 1.1, int(rng.integers(1, 9)), 0.6))
    if rng.random() < 0.45:
        for _ in range(2):
            things.append((Stamp(kit, town.car(kit)), 2.3, int(rng.integers(0, 3 if small else 6)), 2.4))
    if rng.random() < 0.4:
        things.append((Stamp(kit, town.bicycle(kit)), 0.7, int(rng.integers(1, 7)), 0.4))
    if rng.random() < 0.4:
        things.append((Stamp(kit, town.bollard(kit)), 0.2, int(rng.integers(3, 12)), 1.0))
    if rng.random() < 0.5:
        things.append((Stamp(kit, town.street_lamp(kit, u(3, 4.8))), 0.3, int(rng.integers(1, 5)), 1.0))
    if rng.random() < 0.5 and not small:
        things.append((Stamp(kit, town.walker(kit), smooth=True), 0.4, int(rng.integers(1, 9)), 1.0))
    for stamp, radius, count, margin in things:
        for _ in range(count):
            at = spot(margin)
            if rng.random() < 0.5:
                at[0] = math.copysign(max(x - margin, 0.3), at[0])
            if place.take(at, radius):
                stamp.put(at, float(rng.choice([0, 90, 180, 270])) + rng.normal(0, 8), scale=u(0.92, 1.08))
                seen.append(at + [0, 0, u(1, 2)])
    if rng.random() < 0.4:  # ivy on one side
        side = plants.ivy(kit, u(2, 7), u(2, 6))
        kit.add(side, (-x + u(0, 2), deep, 0.0))
    if rng.random() < 0.35:
        kit.add(town.fence(kit, u(3, max(wide * 0.5, 4)), u(0.8, 2.2)), (-x, u(0.6, 0.9) * deep, 0))
    return seen


def build(kit: Kit) -> list[Shot]:
    if kit.rng.random() < NIGHTS:
        return night.scene(kit)
    kind = str(kit.rng.choice(["town", "old", "suburb", "avenue", "country", "square"], p=[0.23, 0.11, 0.2, 0.08, 0.12, 0.26]))
    return square(kit) if kind == "square" else street(kit, kind)
