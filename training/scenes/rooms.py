"""Rooms of all sorts as people furnish them: things along the walls and in groups, clutter on what is level, doors and windows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from . import household, shapes, snapshots
from .interior import Placed, Room, look
from .kit import Kit, Shot
from .shapes import Palette, Thing
from .textures import Rng

WEIGHT = 0.32
SNAPSHOTS = 0.4
"""Share of `snapshots`, the rest being seen by all kinds of cameras."""


def build(kit: Kit) -> list[Shot]:
    rng = kit.rng
    p = Palette(kit)
    if rng.random() < SNAPSHOTS:
        return snapshots.snapshots(kit, p)
    names = list(SORTS)
    share = np.array([SORTS[n][1] for n in names])
    room = SORTS[names[int(rng.choice(len(names), p=share / share.sum()))]][0](kit, p)
    room.sills(household.TABLE)
    return room.cameras(int(rng.integers(4, 8)))


def empty(
    kit: Kit,
    p: Palette,
    w: float,
    d: float,
    *,
    windows: int,
    doors: int,
    h: float | None = None,
    wet: bool = False,
    bare: bool = False,
    knee: float | None = None,
) -> Room:
    """Four walls with their openings; the doors lead away from the windows."""
    rng = kit.rng
    h = h or float(rng.uniform(2.3, 2.9))
    finish = look(kit, p, wet=wet, bare=bare)
    finish.knee = knee
    if rng.random() < 0.5:
        w, d = d, w
    room = Room(kit, p, float(w), float(d), h, finish)
    room.plan(windows, doors)
    room.raise_walls()
    room.radiators()
    return room


def seated(room: Room, base: Placed, makers: list[Callable[[Palette], Thing]], full: float) -> None:
    """Chairs around a table, pushed under it, pulled out or turned away; things on it."""
    rng = room.rng
    w, d, _ = base.thing.size
    kind = makers[int(rng.integers(len(makers)))]
    one = kind(room.p)
    under = rng.uniform(-0.2, 0.12)
    for sx, sy in ((0, -1), (0, 1), (-1, 0), (1, 0)):
        side, deep = (w, d) if sy else (d, w)
        n = max(1, round((side - 0.1) / 0.68)) if side > 0.6 or sy else 0
        for k in range(n):
            if rng.random() < 0.12:
                continue
            chair = one if rng.random() < 0.9 else kind(room.p)
            along = (k + 0.5) / n * side - side / 2 + rng.normal(0, 0.04)
            out = deep / 2 + chair.size[1] / 2 + under + abs(rng.normal(0, 0.12))
            x, y = (along, sy * out) if sy else (sx * out, along)
            facing = {(0, -1): 180.0, (0, 1): 0.0, (-1, 0): 90.0, (1, 0): -90.0}[sx, sy]
            q = base.point(x, y)
            where = room._boxed(chair, q, base.turn + facing)
            others = [o for o in room.placed if o is not base]
            room.placed, kept = others, room.placed
            ok = room.free(where.low, where.high)
            room.placed = kept
            if ok:
                made = room.put(chair, float(q[0]), float(q[1]), base.turn + facing + rng.normal(0, 12 if under > -0.1 else 4), check=False)
                if made and rng.random() < 0.08:
                    room.strew(made, household.SEAT, 8)
    room.strew(base, household.TABLE, full)


def workplace(room: Room, base: Placed, full: float) -> None:
    """Monitor, keyboard, mouse, papers on a desk; its chair; the computer and cables below."""
    rng, p = room.rng, room.p
    w, d, h = base.thing.size
    taken = []
    x0 = rng.uniform(-0.2, 0.2) * w
    if rng.random() < 0.78:
        screens = 2 if rng.random() < 0.3 and w > 1.2 else 1
        for k in range(screens):
            x = x0 + (k - (screens - 1) / 2) * 0.58
            room.on(base, shapes.monitor(p), x, d / 2 - rng.uniform(0.17, 0.3), h, rng.normal(0, 8) + (k - (screens - 1) / 2) * -22)
            taken.append((x, d / 2 - 0.22, 0.26))
        keys = shapes.keyboard(p)
        room.on(base, keys, x0, -d / 2 + rng.uniform(0.15, 0.28), h, rng.normal(0, 5))
        room.on(base, shapes.mouse(p), x0 + 0.32, -d / 2 + rng.uniform(0.15, 0.28), h, rng.normal(0, 15))
        taken += [(x0 - 0.12, -d / 2 + 0.2, 0.14), (x0 + 0.12, -d / 2 + 0.2, 0.14), (x0 + 0.32, -d / 2 + 0.2, 0.06)]
        if rng.random() < 0.7:
            a, b = (
                base.point(x0 + 0.1, d / 2 - 0.12, h + 0.05),
                base.point(rng.uniform(-0.5, 0.5) * w, d / 2 - 0.03, h - rng.uniform(0, 0.4)),
            )
            shapes.put(room.kit, shapes.cable(p, a, b, 0.05, 0.0), (0, 0, 0))
        if rng.random() < 0.5:
            tower = shapes.computer(p)
            side = rng.choice([-1, 1])
            room.on(base, tower, side * (w / 2 - 0.35), 0.05, 0.0, rng.normal(0, 4))
    else:
        room.on(base, shapes.laptop(p), x0, -0.05, h, rng.normal(0, 12))
        taken.append((x0, 0, 0.22))
    if rng.random() < 0.9:
        chair = shapes.office_chair(p) if rng.random() < 0.7 else shapes.chair(p)
        out = -d / 2 - chair.size[1] / 2 + rng.uniform(-0.05, 0.25)
        q = base.point(x0 + rng.normal(0, 0.12), out)
        if 0.3 < q[0] < room.w - 0.3 and 0.3 < q[1] < room.d - 0.3:
            made = room.put(chair, float(q[0]), float(q[1]), base.turn + 180 + rng.normal(0, 35), check=False)
            if made and rng.random() < 0.15:
                room.strew(made, household.SEAT, 8)
    if rng.random() < 0.25:
        printer = shapes.printer(p)
        x = (w / 2 - 0.28) * rng.choice([-1, 1])
        if all(math.hypot(x - a, 0.1 - b) > 0.45 for a, b, _ in taken):
            room.on(base, printer, float(x), 0.1, h, rng.normal(0, 5))
            taken.append((float(x), 0.1, 0.3))
    room.strew(base, household.DESK, full, taken=taken)


def fill(room: Room, count: int, *, kinds: str = "home") -> None:
    """What else stands along the walls, and the things on it."""
    rng, p = room.rng, room.p
    for _ in range(count):
        k = rng.random()
        busy = rng.uniform(4, 28)
        if k < 0.3:
            made = room.against(shapes.shelf(p), subject=0.6)
            if made:
                room.strew(made, household.SHELF if kinds != "store" else household.STOCK, busy)
        elif k < 0.55:
            made = room.against(shapes.cabinet(p), subject=0.8)
            if made:
                room.strew(made, household.TABLE if kinds == "home" else household.DESK, busy)
        elif k < 0.62:
            room.against(shapes.cabinet(p, rng.uniform(0.8, 1.8), rng.uniform(0.5, 0.62), rng.uniform(1.8, 2.15)))
        elif k < 0.72:
            room.against(shapes.plant(p), gap=0.05)
        elif k < 0.8:
            made = room.against(shapes.chair(p), gap=0.03)
            if made and rng.random() < 0.5:
                room.strew(made, household.SEAT, 8)
        elif k < 0.86:
            lamp = shapes.floor_lamp(p, on := float(rng.uniform(2, 8) * (rng.random() < 0.4)))
            made = room.against(lamp, gap=0.08)
            if made and on:
                room.bulbs.append(made.at + (0, 0, lamp.size[2] - 0.05))
        elif k < 0.92:
            made = room.against(shapes.table(p, rng.uniform(0.5, 1.0), rng.uniform(0.4, 0.6)), subject=0.8)
            if made:
                room.strew(made, household.TABLE, busy)
        elif k < 0.95:
            room.against(shapes.bin(p), gap=0.05)
        else:
            odd = [
                shapes.fan,
                shapes.drying_rack,
                shapes.suitcase,
                shapes.ladder,
                shapes.ironing_board,
                shapes.armchair,
                shapes.speaker,
                shapes.computer,
            ]
            room.against(odd[int(rng.integers(len(odd)))](p), gap=0.05)


def climb(room: Room) -> None:
    """Stairs along a wall, or a column."""
    rng = room.rng
    if rng.random() < 0.5:
        room.anywhere(shapes.column(room.p, room.h), turn=0.0)
        return
    flight = shapes.stairs(room.p, rng.uniform(0.75, 1.1), room.h - 0.01)
    wall = int(rng.integers(4))
    out = flight.size[0] / 2 + 0.02
    length = room.length(wall)
    if length < flight.size[1] + 1.2:
        return
    u = rng.uniform(flight.size[1] / 2 + 0.9, length - flight.size[1] / 2)
    x, y, _ = room.on_wall(wall, float(u), out)
    room.put(flight, float(x), float(y), (0.0, -90.0, 180.0, 90.0)[wall] + float(rng.choice([-90, 90])), subject=1)


def stack(room: Room, count: int) -> None:
    """Boxes upon boxes."""
    rng = room.rng
    for _ in range(count):
        size = rng.uniform((0.3, 0.25, 0.2), (0.6, 0.5, 0.45))
        base = room.against(shapes.carton(room.p, size), gap=0.02)
        z = float(size[2])
        while base and rng.random() < 0.5 and z < 1.5 and base.thing.tops:
            smaller = size * rng.uniform(0.7, 1.0, 3)
            room.on(base, shapes.carton(room.p, smaller), rng.normal(0, 0.02), rng.normal(0, 0.02), z, rng.normal(0, 6))
            z += float(smaller[2])


# Sorts of rooms


def living(kit: Kit, p: Palette, knee: float | None = None) -> Room:
    rng = kit.rng
    room = empty(
        kit, p, rng.uniform(3.4, 5.5), rng.uniform(3.8, 7.5), windows=int(rng.integers(1, 4)), doors=int(rng.integers(1, 3)), knee=knee
    )
    if rng.random() < 0.12 and knee is None:
        climb(room)
    lounge(room)
    if rng.random() < 0.35 and min(room.w, room.d) > 3.8:
        base = room.anywhere(shapes.table(p), subject=1.5, turn=float(rng.choice([0, 90])))
        if base:
            seated(room, base, [shapes.chair], rng.uniform(3, 22))
    fill(room, int(rng.integers(5, 13)))
    room.pictures(int(rng.integers(3, 11)))
    room.dress(household.FLOOR, int(rng.integers(2, 16)))
    room.light()
    return room


def lounge(room: Room) -> None:
    """A sofa, what it faces, and what is between."""
    rng, p = room.rng, room.p
    couch = shapes.sofa(p) if rng.random() < 0.75 else shapes.corner_sofa(p)
    made = room.against(couch, gap=float(rng.choice([0.03, rng.uniform(0.2, 1.2)])), subject=2, tries=20)
    if made is None:
        made = room.against(shapes.sofa(p, 2), subject=2, tries=20)
    if made is None:
        return
    if rng.random() < 0.5:
        room.strew(made, household.SEAT, 3)
    reach = made.thing.size[1] / 2
    gap = rng.uniform(0.3, 0.55)
    low = shapes.coffee_table(p)
    q = made.point(rng.normal(0, 0.1), -reach - gap - low.size[1] / 2)
    if rng.random() < 0.6:
        carpet = shapes.rug(p)
        c = made.point(0, -reach - 0.7)
        half = max(carpet.size[:2]) / 2
        if half < c[0] < room.w - half and half < c[1] < room.d - half:
            room.put(carpet, float(c[0]), float(c[1]), made.turn + rng.normal(0, 2), check=False)
    if rng.random() < 0.8:
        table = room.put(low, float(q[0]), float(q[1]), made.turn + rng.normal(0, 4), subject=1.6)
        if table:
            room.strew(table, household.TABLE, rng.uniform(6, 30))
    wall = [0.0, -90.0, 180.0, 90.0].index(made.turn if made.turn != -180 else 180.0)
    stand = shapes.cabinet(p, rng.uniform(1.0, 1.9), rng.uniform(0.35, 0.45), rng.uniform(0.35, 0.6))
    opposite = room.against(stand, (wall + 2) % 4, subject=1.5)
    if opposite:
        if rng.random() < 0.8:
            tv = shapes.television(p, bool(rng.random() < 0.3))
            room.on(opposite, tv, rng.normal(0, 0.1), 0.05, stand.size[2], rng.normal(0, 4))
            room.strew(opposite, household.SHELF, 5, taken=[(x, 0.05, 0.2) for x in np.linspace(-0.5, 0.5, 4) * tv.size[0]])
        else:
            room.strew(opposite, household.SHELF, 12)
    for _ in range(int(rng.integers(0, 3))):
        seat = shapes.armchair(p)
        side = float(rng.choice([-1, 1]))
        a = made.point(side * rng.uniform(0.9, 1.5), -reach - rng.uniform(0.7, 1.6))
        room.put(seat, float(a[0]), float(a[1]), made.turn - side * rng.uniform(50, 110), subject=1)
    for side in (-1, 1):
        if rng.random() < 0.4:
            small = shapes.table(p, rng.uniform(0.35, 0.5), rng.uniform(0.35, 0.5), rng.uniform(0.4, 0.6))
            a = made.point(side * (made.thing.size[0] / 2 + small.size[0] / 2 + 0.05), 0.15)
            base = room.put(small, float(a[0]), float(a[1]), made.turn, subject=1)
            if base:
                on = float(rng.uniform(2, 8) * (rng.random() < 0.5))
                lamp = shapes.table_lamp(p, on)
                room.on(base, lamp, 0, 0.05, small.size[2], rng.uniform(0, 360))
                if on:
                    room.bulbs.append(base.at + (0, 0, small.size[2] + lamp.size[2] + 0.02))
                room.strew(base, household.TABLE, 12, taken=[(0, 0.05, 0.12)])


def bedroom(kit: Kit, p: Palette, knee: float | None = None) -> Room:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.7, 4.2), rng.uniform(3.0, 5.2), windows=int(rng.integers(1, 3)), doors=1, knee=knee)
    berth = shapes.bed(p)
    made = room.against(berth, gap=0.0, subject=3, tries=40)
    if made:
        room.strew(made, household.SEAT, 1.5)
        for side in (-1, 1):
            w = rng.uniform(0.35, 0.55)
            stand = shapes.cabinet(p, w, rng.uniform(0.33, 0.42), rng.uniform(0.4, 0.62)) if rng.random() < 0.75 else shapes.stool(p)
            a = made.point(side * (made.thing.size[0] / 2 + stand.size[0] / 2 + 0.05), made.thing.size[1] / 2 - stand.size[1] / 2 - 0.02)
            base = room.put(stand, float(a[0]), float(a[1]), made.turn, subject=0.8)
            if base:
                if rng.random() < 0.7 and stand.name == "cabinet":
                    on = float(rng.uniform(2, 8) * (rng.random() < 0.4))
                    lamp = shapes.table_lamp(p, on)
                    room.on(base, lamp, 0, 0.05, stand.size[2], rng.uniform(-40, 40))
                    if on:
                        room.bulbs.append(base.at + (0, 0, stand.size[2] + lamp.size[2] + 0.02))
                room.strew(base, household.TABLE, 25, taken=[(0, 0.05, 0.1)])
        if rng.random() < 0.4:
            beside = made.point(rng.normal(0, 0.6), -0.9)
            room.put(shapes.rug(p, 1.6, 1.0), float(beside[0]), float(beside[1]), made.turn, check=False)
    room.against(shapes.cabinet(p, rng.uniform(0.9, 2.0), rng.uniform(0.55, 0.62), rng.uniform(1.85, 2.2)), tries=20)
    if rng.random() < 0.5:
        base = room.against(shapes.desk(p, rng.uniform(0.9, 1.3)), subject=1.5)
        if base:
            workplace(room, base, rng.uniform(10, 40))
    fill(room, int(rng.integers(3, 10)))
    room.pictures(int(rng.integers(3, 10)))
    room.dress(household.FLOOR, int(rng.integers(2, 16)))
    room.light()
    return room


def kitchen(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.4, 4.0), rng.uniform(3.0, 5.0), windows=1, doors=1, wet=True)
    walls = [int(k) for k in rng.permutation(4)]
    for wall in walls[: int(rng.integers(1, 3))]:
        clear = not any(o.kind == "window" for o in room.openings[wall])
        doors = [o for o in room.openings[wall] if o.kind != "window"]
        length = rng.uniform(0.5, 1.0) * (room.length(wall) - 0.7) if not doors else rng.uniform(1.2, 2.0)
        if length < 1.2:
            continue
        unit = shapes.kitchen(p, float(length), wall_units=clear and rng.random() < 0.85, ceiling=room.h)
        made = room.against(unit, wall, subject=3)
        if made is None and not clear:
            unit.size = (unit.size[0], unit.size[1], 0.93)
            made = room.against(unit, wall, subject=3)
        if made:
            made.high[2] = min(made.high[2], 1.0) if not clear else made.high[2]
            room.strew(made, household.KITCHEN, rng.uniform(6, 30))
    cold = room.against(shapes.fridge(p), subject=0.8, tries=20, beside=0.0)
    if cold:
        room.strew(cold, household.STOCK, 5)
    if rng.random() < 0.25:
        room.against(shapes.washer(p))
    if rng.random() < 0.7:
        table = shapes.table(p, rng.uniform(0.7, 1.4), rng.uniform(0.6, 0.85))
        base = (
            room.anywhere(table, subject=2, turn=float(rng.choice([0, 90])), tries=20)
            if rng.random() < 0.5
            else room.against(table, subject=2)
        )
        if base:
            seated(room, base, [shapes.chair, shapes.chair, shapes.stool], rng.uniform(6, 30))
    fill(room, int(rng.integers(0, 4)))
    room.pictures(int(rng.integers(0, 5)))
    room.dress(household.FLOOR, int(rng.integers(0, 5)))
    room.light()
    return room


def dining(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(3.2, 5.0), rng.uniform(3.6, 6.5), windows=int(rng.integers(1, 4)), doors=int(rng.integers(1, 3)))
    table = shapes.table(p, rng.uniform(1.2, 2.2), rng.uniform(0.75, 1.0))
    base = room.put(
        table, room.w / 2 + rng.normal(0, 0.3), room.d / 2 + rng.normal(0, 0.3), float(rng.choice([0, 90])) + rng.normal(0, 3), subject=3
    )
    if base:
        if rng.random() < 0.3:
            room.put(shapes.rug(p, 2.2, 1.7), float(base.at[0]), float(base.at[1]), base.turn, check=False)
        seated(room, base, [shapes.chair], rng.uniform(3, 22))
    fill(room, int(rng.integers(5, 12)))
    room.pictures(int(rng.integers(3, 10)))
    room.dress(household.FLOOR, int(rng.integers(0, 5)))
    room.light()
    return room


def office(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(2.8, 5.5), rng.uniform(3.5, 8.0), windows=int(rng.integers(0, 4)), doors=1, bare=True)
    width = rng.uniform(1.2, 1.7)
    for _ in range(int(rng.integers(1, 7))):
        table = shapes.desk(p, width)
        base = room.against(table, subject=2, tries=6)
        if base is None and rng.random() < 0.6:
            base = room.anywhere(table, subject=2, turn=float(rng.choice([0, 90, 180, 270])))
        if base:
            workplace(room, base, rng.uniform(8, 40))
    fill(room, int(rng.integers(3, 10)), kinds="office")
    if rng.random() < 0.4:
        base = room.anywhere(shapes.table(p), subject=1, turn=float(rng.choice([0, 90])))
        if base:
            seated(room, base, [shapes.chair, shapes.office_chair], rng.uniform(3, 12))
    for _ in range(int(rng.integers(1, 4))):
        wall = int(rng.integers(4))
        room.hang(shapes.pinboard(p), wall, rng.uniform(0.5, room.length(wall) - 0.5), rng.uniform(1.4, 1.65))
    room.pictures(int(rng.integers(0, 4)))
    stack(room, int(rng.integers(0, 4)))
    room.dress(
        [household.bag, household.carton, household.binder, household.pile, household.shoes, shapes.bin, household.papers],
        int(rng.integers(1, 7)),
    )
    room.light(office=True)
    return room


def corridor(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    finish = look(kit, p, bare=bool(rng.random() < 0.6))
    w, d = float(rng.uniform(1.3, 2.6)), float(rng.uniform(5, 14))
    room = Room(kit, p, w, d, float(rng.uniform(2.3, 3.2)), finish)
    for wall in (1, 3):
        for _ in range(int(rng.integers(1, 5))):
            room.opening(str(rng.choice(["door", "ajar", "arch"], p=[0.7, 0.2, 0.1])), wall, 0.88, 0.0, 2.02)
    for wall in (0, 2):
        if rng.random() < 0.6:
            room.opening(str(rng.choice(["window", "door", "arch"])), wall, 0.9, 0.0, 2.05, u=room.w / 2)
    room.raise_walls()
    for _ in range(int(rng.integers(1, 6))):
        made = room.against(
            shapes.cabinet(p, None, rng.uniform(0.25, 0.4)) if rng.random() < 0.6 else shapes.shelf(p, None, None, 0.28),
            int(rng.choice([1, 3])),
            subject=0.7,
        )
        if made:
            room.strew(made, household.SHELF, rng.uniform(3, 12))
    if rng.random() < 0.5:
        length = rng.uniform(1.5, 4)
        room.put(shapes.rug(p, 0.8, length), w / 2 + rng.normal(0, 0.05), rng.uniform(length / 2, d - length / 2), 0, check=False)
    for _ in range(int(rng.integers(0, 5))):
        room.hang(shapes.hung_clothes(p), int(rng.choice([1, 3])), rng.uniform(0.5, d - 0.5), 1.65)
    if rng.random() < 0.25 and w > 2.0:
        climb(room)
    stack(room, int(rng.integers(0, 3)))
    room.pictures(int(rng.integers(3, 11)))
    room.dress(household.FLOOR, int(rng.integers(1, 8)))
    room.light("lamps" if rng.random() < 0.7 else None, office=bool(rng.random() < 0.6))
    return room


def classroom(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = empty(
        kit, p, rng.uniform(5, 7.5), rng.uniform(6, 10), windows=int(rng.integers(2, 5)), doors=1, h=float(rng.uniform(2.7, 3.6)), bare=True
    )
    if rng.random() < 0.4:
        climb(room)
    table = shapes.table(p, rng.uniform(0.7, 1.6), rng.uniform(0.5, 0.7))
    chair = shapes.chair(p) if rng.random() < 0.8 else shapes.office_chair(p)
    w, d, _ = table.size
    gap_x, gap_y = w + rng.uniform(0.2, 0.7), d + rng.uniform(0.6, 0.9)
    for y in np.arange(1.6, room.d - 1.2, gap_y):
        for x in np.arange(0.9 + w / 2, room.w - w / 2 - 0.4, gap_x):
            if rng.random() < 0.06:
                continue
            base = room.put(table, float(x + rng.normal(0, 0.03)), float(y + rng.normal(0, 0.03)), rng.normal(0, 1.5), subject=0.5)
            if base is None:
                continue
            room.strew(base, household.DESK[:9], rng.uniform(0, 3))
            for k in range(2 if w > 1.1 else 1):
                q = base.point((k - 0.5) * w / 2 if w > 1.1 else 0.0, -d / 2 - 0.15 + rng.normal(0, 0.1))
                room.put(chair, float(q[0]), float(q[1]), 180 + rng.normal(0, 12), check=False)
    front = room.against(shapes.desk(p), 0, gap=rng.uniform(0.4, 1.2), subject=1)
    if front:
        workplace(room, front, 8)
    for wall in (0, 2):
        room.hang(shapes.pinboard(p), wall, room.w * rng.uniform(0.35, 0.65), 1.5)
    fill(room, int(rng.integers(1, 6)), kinds="office")
    room.pictures(int(rng.integers(1, 6)))
    room.light(office=True)
    return room


def store(kit: Kit, p: Palette) -> Room:
    """A shop, a library, a storeroom: rows of shelves."""
    rng = kit.rng
    room = empty(
        kit,
        p,
        rng.uniform(3.5, 6.5),
        rng.uniform(5, 10),
        windows=int(rng.integers(0, 3)),
        doors=1,
        h=float(rng.uniform(2.5, 3.8)),
        bare=True,
    )
    library = rng.random() < 0.4
    goods = household.SHELF if library else household.STOCK if rng.random() < 0.6 else household.KITCHEN
    h, deep = rng.uniform(1.4, 2.3), rng.uniform(0.28, 0.5)
    units = [shapes.shelf(p, rng.uniform(0.8, 1.3), h, deep, fill=0.9 if library else 0.05) for _ in range(3)]
    room.stock.each = 4

    def stand(x: float, y: float, turn: float) -> None:
        made = room.put(units[int(rng.integers(3))], x, y, turn, subject=0.5)
        if made:
            room.strew(made, goods, 8 if library else rng.uniform(12, 26))

    aisle = rng.uniform(0.9, 1.6)
    for x in np.arange(deep / 2 + 0.02, room.w - deep / 2, aisle + 2 * deep + 0.02):
        for y in np.arange(1.3, room.d - 0.8, 1.32):
            stand(float(x), float(y), -90.0)
            if x + deep < room.w - aisle:
                stand(float(x + deep + 0.02), float(y), 90.0)
    base = room.against(shapes.table(p), subject=1.5)
    if base:
        room.strew(base, household.TABLE + household.STOCK, 14)
    stack(room, int(rng.integers(0, 6)))
    room.dress(household.STOCK, int(rng.integers(0, 8)))
    room.pictures(2)
    room.light("lamps" if rng.random() < 0.8 else None, office=True)
    return room


def bathroom(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = empty(kit, p, rng.uniform(1.9, 3.0), rng.uniform(2.2, 3.8), windows=int(rng.integers(0, 2)), doors=1, wet=True)
    if rng.random() < 0.75:
        made = room.against(shapes.tub(p), subject=1.5, tries=20)
        if made:
            room.strew(made, household.BATH, 8)
    wash = room.against(shapes.basin(p), subject=2, tries=20)
    if wash:
        room.strew(wash, household.BATH, 25)
        wall = [0.0, -90.0, 180.0, 90.0].index(wash.turn)
        u = {0: wash.at[0], 1: room.d - wash.at[1], 2: room.w - wash.at[0], 3: wash.at[1]}[wall]
        room.hang(shapes.framed(p, rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.8), mirror=True), wall, float(u), 1.5)
    room.against(shapes.toilet(p), gap=0.0, subject=1, tries=20)
    if rng.random() < 0.4:
        made = room.against(shapes.washer(p), subject=1)
        if made:
            room.strew(made, household.BATH, 12)
    for _ in range(int(rng.integers(1, 4))):
        wall = int(rng.integers(4))
        room.hang(shapes.hung_clothes(p), wall, rng.uniform(0.4, room.length(wall) - 0.4), rng.uniform(1.3, 1.7))
    fill(room, int(rng.integers(0, 3)))
    if rng.random() < 0.6:
        room.anywhere(shapes.rug(p, 0.8, 0.5), turn=float(rng.choice([0, 90])))
    room.dress([household.clothes, household.basket, household.bottle, household.folded, shapes.bin], int(rng.integers(1, 5)))
    room.light()
    return room


def attic(kit: Kit, p: Palette) -> Room:
    rng: Rng = kit.rng
    knee = float(rng.uniform(0.7, 1.3))
    return living(kit, p, knee) if rng.random() < 0.5 else bedroom(kit, p, knee)


SORTS: dict[str, tuple[Callable[[Kit, Palette], Room], float]] = {
    "living": (living, 0.22),
    "bedroom": (bedroom, 0.19),
    "kitchen": (kitchen, 0.14),
    "dining": (dining, 0.07),
    "office": (office, 0.16),
    "corridor": (corridor, 0.05),
    "classroom": (classroom, 0.04),
    "store": (store, 0.05),
    "bathroom": (bathroom, 0.05),
    "attic": (attic, 0.03),
}
