"""Close by: a desk, a table, a counter, a shelf, a corner of a sofa or a bed, full of things, with what is before and behind it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from . import household, shapes
from .household import Maker
from .interior import Placed, Room
from .kit import Kit, Shot
from .rooms import empty, fill, lounge, seated, stack, workplace
from .shapes import Palette

WEIGHT = 0.16


def build(kit: Kit) -> list[Shot]:
    rng = kit.rng
    p = Palette(kit)
    names = list(SORTS)
    share = np.array([SORTS[n][1] for n in names])
    name = names[int(rng.choice(len(names), p=share / share.sum()))]
    room, targets = SORTS[name][0](kit, p)
    room.pictures(int(rng.integers(2, 9)))
    room.sills(household.TABLE)
    room.dress(household.FLOOR, int(rng.integers(0, 7)))
    room.light(office=name == "office" and rng.random() < 0.6)
    return close(room, targets, int(rng.integers(4, 9)))


def close(room: Room, targets: list[Placed], count: int) -> list[Shot]:
    """Cameras at half a metre to two and a half before what is on the targets, bent down to it."""
    rng = room.rng
    shots: list[Shot] = []
    if not targets:
        return room.cameras(count, near=0.6, far=2.0)
    for _ in range(count * 40):
        if len(shots) == count:
            break
        base = targets[int(rng.integers(len(targets)))]
        w, d, _ = base.thing.size
        top = base.thing.tops[int(rng.integers(len(base.thing.tops)))] if base.thing.tops else None
        z = top.z if top else base.thing.size[2]
        aim = base.point(rng.uniform(-0.42, 0.42) * w, rng.uniform(-0.3, 0.45) * d, z + rng.uniform(-0.05, 0.3) * (rng.random() < 0.7))
        out = 0.55 * (2.5 / 0.55) ** (rng.random() ** 0.8)
        pitch = float(np.clip(rng.normal(24, 13), 2, 52))
        yaw = base.turn + rng.normal(0, 32)
        if base.thing.name in ("table", "bed", "coffee") and rng.random() < 0.6:
            yaw = rng.uniform(0, 360)
        y, q = math.radians(yaw), math.radians(pitch)
        ahead = np.array([-math.sin(y) * math.cos(q), math.cos(y) * math.cos(q), -math.sin(q)])
        at = aim - out * ahead
        if not 0.25 < at[2] < 2.1:
            continue
        fov = rng.uniform(42, 70) * (0.8 if room.kit.size[0] > room.kit.size[1] else 1)
        shot = Shot.looking(
            at, yaw + rng.normal(0, 5), float(pitch + rng.normal(0, 4)), float(fov), float(np.clip(rng.normal(0, 3), -8, 8))
        )
        if (
            room.stands(shot, near=0.3, wall=0.1)
            and room.content(shot) >= (4 if rng.random() < 0.85 else 2)
            and all(_differ(shot, s) for s in shots)
        ):
            shots.append(shot)
    return shots


def _differ(a: Shot, b: Shot) -> bool:
    da, db = (np.asarray(s.aim, float) - np.asarray(s.at, float) for s in (a, b))
    cos = da @ db / np.linalg.norm(da) / np.linalg.norm(db)
    return bool(np.linalg.norm(np.subtract(a.at, b.at)) > 0.45 or cos < math.cos(math.radians(25)))


Scene = tuple[Room, list[Placed]]


def office_desk(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.6, 4.2), rng.uniform(2.8, 5.0), windows=int(rng.integers(0, 3)), doors=1, bare=True)
    room.stock.each = 3
    targets = []
    for _ in range(int(rng.integers(1, 4))):
        table = shapes.desk(p)
        base = room.against(table, gap=float(rng.choice([0, 0, 0.08, 0.3])), tries=20)
        if base:
            full = rng.uniform(15, 70)
            workplace(room, base, full)
            targets.append(base)
            wall = _wall(base)
            if wall is not None:
                u = _along(room, base, wall)
                kind = rng.random()
                if kind < 0.45:
                    room.hang(shapes.pinboard(p), wall, u + rng.normal(0, 0.15), rng.uniform(1.3, 1.6))
                elif kind < 0.7:
                    board = shapes.wall_board(p)
                    if room.hang(board, wall, u + rng.normal(0, 0.2), rng.uniform(1.2, 1.5), deep=board.size[1] / 2):
                        room.strew(room.placed[-1], household.SHELF, 30)
    fill(room, int(rng.integers(1, 5)), kinds="office")
    stack(room, int(rng.integers(0, 2)))
    return room, targets


def _wall(base: Placed) -> int | None:
    """The wall that a thing has its back to."""
    turn = base.turn % 360
    return {0: 0, 270: 1, 180: 2, 90: 3}.get(int(round(turn))) if abs(turn - round(turn)) < 1e-6 else None


def _along(room: Room, base: Placed, wall: int) -> float:
    x, y = base.at[:2]
    return float((x, room.d - y, room.w - x, y)[wall])


def kitchen_table(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(
        kit, p, rng.uniform(2.5, 4.5), rng.uniform(2.8, 5.0), windows=int(rng.integers(0, 3)), doors=1, wet=bool(rng.random() < 0.5)
    )
    room.stock.each = 3
    targets = []
    table = shapes.table(p)
    base = (
        room.against(table, gap=float(rng.choice([0.0, 0.4, 0.8])), tries=20)
        if rng.random() < 0.7
        else room.anywhere(table, turn=float(rng.choice([0, 90])))
    )
    if base:
        makers = household.KITCHEN + household.TABLE if rng.random() < 0.6 else household.TABLE
        seated(room, base, [shapes.chair, shapes.chair, shapes.stool], 0.0)
        room.strew(base, makers, rng.uniform(15, 70))
        targets.append(base)
    if rng.random() < 0.6:
        walls = [k for k in range(4) if not room.openings[k]]
        if walls:
            wall = walls[int(rng.integers(len(walls)))]
            unit = room.against(shapes.kitchen(p, min(room.length(wall) - 0.2, rng.uniform(1.2, 3.0)), ceiling=room.h), wall)
            if unit:
                room.strew(unit, household.KITCHEN, rng.uniform(8, 25))
                targets.append(unit)
    fill(room, int(rng.integers(2, 6)))
    return room, targets


def counter(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.2, 3.2), rng.uniform(2.6, 4.0), windows=int(rng.integers(0, 2)), doors=1, wet=True)
    room.stock.each = 3
    targets = []
    for wall in [int(k) for k in rng.permutation(4)]:
        if room.openings[wall] and targets:
            continue
        free = not room.openings[wall]
        length = rng.uniform(0.6, 0.95) * (room.length(wall) - 0.65)
        unit = shapes.kitchen(p, float(max(length, 1.2)), wall_units=free and rng.random() < 0.75, ceiling=room.h)
        if not free:
            unit.size = (unit.size[0], unit.size[1], 0.93)
        made = room.against(unit, wall, tries=20)
        if made:
            made.high[2] = 0.95  # a camera may look in between counter and wall units
            targets.append(made)
            room.strew(made, household.KITCHEN, rng.uniform(10, 40))
        if len(targets) == 2:
            break
    room.against(shapes.fridge(p), tries=20)
    fill(room, int(rng.integers(0, 3)))
    return room, targets


def bookcase(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.5, 4.5), rng.uniform(2.8, 5.0), windows=int(rng.integers(0, 3)), doors=1)
    room.stock.each = 3
    targets = []
    for _ in range(int(rng.integers(1, 4))):
        kind = rng.random()
        thing = shapes.shelf(p) if kind < 0.65 else shapes.cabinet(p)
        base = room.against(thing, tries=20)
        if base:
            room.strew(base, household.SHELF, rng.uniform(10, 40))
            targets.append(base)
    seat = room.anywhere(shapes.armchair(p)) if rng.random() < 0.5 else None
    if seat:
        room.strew(seat, household.SEAT, 4)
    fill(room, int(rng.integers(2, 6)))
    return room, targets


def couch(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(3.2, 4.8), rng.uniform(3.4, 5.5), windows=int(rng.integers(0, 3)), doors=1)
    lounge(room)
    targets = [q for q, _ in room.subjects if q.thing.name in ("sofa", "armchair", "table", "cabinet")]
    for q in targets:
        if q.thing.name in ("sofa", "armchair"):
            room.strew(q, household.SEAT, rng.uniform(0, 8))
    fill(room, int(rng.integers(2, 6)))
    return room, targets


def berth(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.6, 3.8), rng.uniform(2.9, 4.5), windows=int(rng.integers(0, 3)), doors=1)
    targets = []
    made = room.against(shapes.bed(p), tries=40)
    if made:
        room.strew(made, household.SEAT + household.TABLE[:4], rng.uniform(0, 8))
        targets.append(made)
        for side in (-1, 1):
            stand = shapes.cabinet(p, rng.uniform(0.35, 0.55), rng.uniform(0.33, 0.42), rng.uniform(0.4, 0.62))
            a = made.point(side * (made.thing.size[0] / 2 + stand.size[0] / 2 + 0.05), made.thing.size[1] / 2 - stand.size[1] / 2 - 0.02)
            base = room.put(stand, float(a[0]), float(a[1]), made.turn)
            if base:
                on = float(rng.uniform(2, 8) * (rng.random() < 0.4))
                lamp = shapes.table_lamp(p, on)
                room.on(base, lamp, 0, 0.05, stand.size[2], rng.uniform(-40, 40))
                if on:
                    room.bulbs.append(base.at + (0, 0, stand.size[2] + lamp.size[2] + 0.02))
                room.strew(base, household.TABLE, 40, taken=[(0, 0.05, 0.1)])
                targets.append(base)
    fill(room, int(rng.integers(2, 6)))
    return room, targets


BIG: list[Maker] = [household.toy, household.toy, household.globe, household.carton, household.basket, household.vase, household.bottle, household.pile, household.upright,
                    household.figurine, household.pot_plant, household.packet, household.small_box, household.table_lamp, household.machine, household.can, household.pan]  # fmt: skip


def arranged(kit: Kit, p: Palette) -> Scene:
    """Things of all sorts close together on a table before a wall."""
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.5, 4.0), rng.uniform(2.8, 4.5), windows=int(rng.integers(0, 2)), doors=int(rng.integers(0, 2)))
    room.stock.each = 3
    table = shapes.table(p, rng.uniform(1.0, 2.0), rng.uniform(0.7, 1.0))
    base = room.against(table, gap=rng.uniform(0.0, 0.6), tries=30)
    if base is None:
        return room, []
    room.strew(base, BIG + household.TABLE, rng.uniform(30, 100))
    wall = _wall(base)
    if wall is not None and rng.random() < 0.6:
        u = _along(room, base, wall)
        for du in rng.uniform(-0.9, 0.9, int(rng.integers(1, 5))):
            room.hang(shapes.framed(p) if rng.random() < 0.7 else shapes.pinboard(p), wall, u + float(du), rng.uniform(1.1, 1.6))
    if rng.random() < 0.5:
        front = base.point(rng.uniform(-0.6, 0.6), -base.thing.size[1] / 2 - 0.35)
        room.put(shapes.chair(p), float(front[0]), float(front[1]), base.turn + 180 + rng.normal(0, 30))
    fill(room, int(rng.integers(2, 6)))
    return room, [base]


def bath(kit: Kit, p: Palette) -> Scene:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(1.9, 2.8), rng.uniform(2.2, 3.4), windows=int(rng.integers(0, 2)), doors=1, wet=True)
    targets = []
    for thing, full in ((shapes.basin(p), 60), (shapes.washer(p), 20), (shapes.cabinet(p, 0.5, 0.35, 0.85), 25)):
        base = room.against(thing, tries=20)
        if base:
            room.strew(base, household.BATH, full)
            targets.append(base)
    room.against(shapes.toilet(p), tries=20)
    return room, targets


SORTS: dict[str, tuple[Callable[[Kit, Palette], Scene], float]] = {
    "office": (office_desk, 0.34),
    "kitchen": (kitchen_table, 0.14),
    "counter": (counter, 0.08),
    "bookcase": (bookcase, 0.1),
    "couch": (couch, 0.09),
    "berth": (berth, 0.07),
    "arranged": (arranged, 0.15),
    "bath": (bath, 0.03),
}
