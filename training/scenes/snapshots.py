"""Rooms as somebody who walks through them holds a depth camera: 57 degrees across, 4:3, at 1.2 to 1.7 m, level to 20 degrees down.

Something stands close by at one side or along the lower edge, the far wall is 3 to 7 m away, and everything is full of things. Used by `rooms`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import cellars, household, shapes
from .interior import TURN, Look, Placed, Room, bounce_everywhere, look
from .kit import Kit, Shot
from .shapes import Make, Palette, Thing, Top
from .textures import hsv

FOV = 57.0
_SEAT_TURN = {(0, -1): 180.0, (0, 1): 0.0, (-1, 0): 90.0, (1, 0): -90.0}


def snapshots(kit: Kit, p: Palette) -> list[Shot]:
    """One such room and its shots."""
    rng = kit.rng
    kit.resize(168, 224)
    names = list(SORTS)
    share = np.array([SORTS[n][1] for n in names])
    name = names[int(rng.choice(len(names), p=share / share.sum()))]
    room = SORTS[name][0](kit, p)
    room.sills(household.TABLE)
    if rng.random() < 0.65:
        _foreground(room)
    flash = bool(rng.random() < (0.65 if name == "cellar" else 0.2))
    shots = cameras(room, int(rng.integers(4, 8)), within=1.3 if flash else math.inf)
    _light(room, shots if flash else [])
    return shots


# Cameras


def cameras(room: Room, count: int, *, within: float = math.inf) -> list[Shot]:
    """The best of many: a near thing at one side or below, the far wall well away, many things in sight; no two alike. within: how far they
    may be from the first, metres."""
    rng = room.rng
    tried: list[tuple[float, Shot]] = []
    for _ in range(150 if within == math.inf else 350):
        shot = _shot(room)
        if room.stands(shot, near=0.35):
            tried.append((_worth(room, shot), shot))
    shots: list[Shot] = []
    for _, shot in sorted(tried, key=lambda t: -t[0]):
        if len(shots) == count:
            break
        if shots and np.linalg.norm(np.subtract(shot.at, shots[0].at)) > within:
            continue
        if all(_apart(shot, s) for s in shots):
            shots.append(shot)
    rng.shuffle(shots)  # type: ignore[arg-type]
    return shots


def _shot(room: Room) -> Shot:
    """From somewhere, towards the far end, an opening, a thing that matters, or anywhere."""
    rng = room.rng
    at = np.array([rng.uniform(0.25, room.w - 0.25), rng.uniform(0.25, room.d - 0.25), rng.uniform(1.2, 1.7)])
    kind = rng.random()
    doors = [(k, o) for k in range(4) for o in room.openings[k] if o.kind in ("ajar", "arch")]
    if kind < 0.2 and doors:
        wall, o = doors[int(rng.integers(len(doors)))]
        aim = room.on_wall(wall, o.u, 0.0)
    elif kind < 0.5 and room.subjects:
        one = room.subjects[int(rng.integers(len(room.subjects)))][0]
        aim = (one.low + one.high) / 2
    else:
        aim = np.array([room.w, room.d, 0]) - at + rng.normal(0, 0.7, 3)
    yaw = math.degrees(math.atan2(-(aim[0] - at[0]), aim[1] - at[1])) + rng.normal(0, 9)
    return Shot.looking(
        at.tolist(), yaw, float(np.clip(rng.normal(9, 6.5), -3, 24)), FOV + float(rng.normal(0, 1.5)), float(rng.normal(0, 1.6))
    )


def _worth(room: Room, shot: Shot) -> float:
    """How much a view is like those of the walks: near at a side, far in the middle, full."""
    z, which = room._cast(shot, 11, 9)
    z, which = z.reshape(9, 11), which.reshape(9, 11)
    sides = [np.percentile(z[:, :3], 25), np.percentile(z[:, -3:], 25), np.percentile(z[-3:], 25)]
    near, far = float(min(sides)), float(np.percentile(z, 92))
    worth = 1.5 * (0.55 < near < 1.4) + 1.0 * (3.0 < far < 7.5) + min(far / max(near, 0.3), 6) / 6
    worth += min(len(np.unique(which)), 14) / 7 - 2.0 * (near < 0.45) - 2.0 * ((z < 0.8).mean() > 0.3)
    most = float(np.unique(which, return_counts=True)[1].max()) / which.size
    bare = float((z < 1.5)[:6].mean())  # a door's leaf or a cupboard's side before one's nose
    return worth - 4 * max(most - 0.42, 0) - 2 * max(bare - 0.45, 0) + float(room.rng.normal(0, 0.35))


def _apart(a: Shot, b: Shot) -> bool:
    ahead: list[NDArray[Any]] = [np.asarray(s.aim, float) - np.asarray(s.at, float) for s in (a, b)]
    return bool(ahead[0] @ ahead[1] < math.cos(math.radians(32)) or np.linalg.norm(np.subtract(a.at, b.at)) > 1.5)


def _foreground(room: Room) -> None:
    """Backs of chairs, an armchair, a table's edge standing about, as what is near the camera and cut off by the picture."""
    rng, p = room.rng, room.p
    makers = [shapes.chair, shapes.chair, shapes.office_chair, shapes.armchair, shapes.floor_lamp, shapes.plant, shapes.stool]
    for _ in range(int(rng.integers(1, 5))):
        room.anywhere(makers[int(rng.integers(len(makers)))](p), subject=0.3)


def _light(room: Room, flashes: list[Shot]) -> None:
    """Day, lamps, harsh panels; or, if there are cameras with a flash, a dim room and theirs."""
    rng, kit = room.rng, room.kit
    if flashes:
        room.light("dim")
        for shot in flashes:
            kit.lamp(np.add(shot.at, (0, 0, 0.12)), rng.uniform(25, 70) / len(flashes), size=0.15)
    elif rng.random() < 0.45:
        room.light()
    else:
        room.light("lamps" if rng.random() < 0.6 else "both", office=bool(rng.random() < 0.7))
    if rng.random() < 0.3:
        bounce_everywhere(distance=float(rng.uniform(0.4, 1.2)))  # darker corners


# Rooms


def shell(kit: Kit, p: Palette, w: float, d: float, *, windows: int, doors: int, h: float | None = None, wet: bool = False,
          bare: bool = False, finish: Look | None = None) -> Room:  # fmt: skip
    """Walls with openings; the place beyond an open door is furnished."""
    rng = kit.rng
    finish = finish or look(kit, p, wet=wet, bare=bare)
    if rng.random() < 0.5:
        w, d = d, w
    room = Room(kit, p, float(w), float(d), h or float(rng.uniform(2.3, 2.8)), finish)
    room.plan(windows, 0)
    for _ in range(doors):
        kind = str(rng.choice(["door", "ajar", "arch"], p=[0.25, 0.4, 0.35]))
        room.opening(
            kind, int(rng.integers(4)), float(rng.uniform(0.75, 0.95 if kind != "arch" else 1.6)), 0.0, float(rng.uniform(1.96, 2.1))
        )
    room.raise_walls()
    room.radiators()
    return room


def cram(
    room: Room, makers: list[Callable[[Palette], Thing]], goods: list[household.Maker], tries: int, full: tuple[float, float] = (10, 35)
) -> None:
    """Stand things along the walls as long as there is room, and clutter on them."""
    rng = room.rng
    for _ in range(tries):
        made = room.against(makers[int(rng.integers(len(makers)))](room.p), subject=0.8, tries=6)
        if made:
            room.strew(made, goods, rng.uniform(*full))


def island(p: Palette, w: float, d: float, h: float) -> Thing:
    """A counter that stands free, closed all around, its top overhanging."""
    m, rng = Make(), p.rng
    top = p.kit.surface(str(rng.choice(["marble", "plain", "wood", "gravel"])), rough=float(rng.uniform(0.15, 0.5)))
    m.box((-w / 2 + 0.04, w / 2 - 0.04), (-d / 2 + 0.1, d / 2 - 0.03), (0.08, h - 0.035), p.board())
    m.box((-w / 2 + 0.08, w / 2 - 0.08), (-d / 2 + 0.15, d / 2 - 0.08), (0, 0.08), p.dark())
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (h - 0.035, h), top, 0.004)
    return m.thing("island", (w, d, h), [Top((-w / 2 + 0.03, w / 2 - 0.03), (-d / 2 + 0.03, d / 2 - 0.03), h)])


def kitchen(kit: Kit, p: Palette) -> Room:
    """Counters along two or three walls, full of appliances, or an island or peninsula to look across."""
    rng = kit.rng
    room = shell(kit, p, rng.uniform(2.2, 3.8), rng.uniform(3.6, 6.0), windows=1, doors=2, wet=True)
    for wall in [int(k) for k in rng.permutation(4)][: int(rng.integers(2, 4))]:
        clear = not any(o.kind == "window" for o in room.openings[wall])
        for _ in range(3):
            length = float(rng.uniform(0.35, 1.0) * (room.length(wall) - 0.65))
            if length < 1.2:
                continue
            unit = shapes.kitchen(p, length, wall_units=clear and rng.random() < 0.9, ceiling=room.h)
            if not clear:
                unit.size = (unit.size[0], unit.size[1], 0.93)
            made = room.against(unit, wall, subject=2)
            if made:
                room.strew(made, household.KITCHEN + [household.machine, household.kettle], rng.uniform(12, 40))
                break
    cold = room.against(shapes.fridge(p), subject=0.6, tries=20, beside=0.0)
    if cold:
        room.strew(cold, household.STOCK, 8)
    if rng.random() < 0.45:
        bar = room.anywhere(island(p, rng.uniform(1.0, 1.9), rng.uniform(0.6, 0.95), rng.uniform(0.88, 1.05)), subject=2,
                            turn=float(rng.choice([0, 90])), tries=20)  # fmt: skip
        if bar:
            room.strew(bar, household.KITCHEN + household.TABLE, rng.uniform(8, 30))
            _stools(room, bar)
    else:
        base = room.anywhere(shapes.table(p, rng.uniform(0.7, 1.3), rng.uniform(0.6, 0.85)), subject=1.5, turn=float(rng.choice([0, 90])))
        if base:
            _chairs(room, base)
            room.strew(base, household.TABLE + household.KITCHEN, rng.uniform(8, 35))
    cram(room, [shapes.shelf, shapes.cabinet, shapes.bin, shapes.chair], household.KITCHEN, int(rng.integers(1, 4)))
    _hangings(room, int(rng.integers(2, 7)))
    return room


def _stools(room: Room, base: Placed) -> None:
    one = shapes.stool(room.p)
    w, d, _ = base.thing.size
    for x in np.arange(-w / 2 + 0.3, w / 2 - 0.2, 0.55):
        q = base.point(float(x), -d / 2 - 0.25)
        room.put(one, float(q[0]), float(q[1]), base.turn + 180 + room.rng.normal(0, 10))


def _chairs(room: Room, base: Placed) -> None:
    """Chairs around a table, some pulled out."""
    rng = room.rng
    one = shapes.chair(room.p)
    w, d, _ = base.thing.size
    for (sx, sy), facing in _SEAT_TURN.items():
        side, deep = (w, d) if sy else (d, w)
        for k in range(max(1, round(side / 0.7))):
            along = (k + 0.5) / max(1, round(side / 0.7)) * side - side / 2
            out = deep / 2 + one.size[1] / 2 + 0.03 + abs(rng.normal(0, 0.15))
            q = base.point(*((along, sy * out) if sy else (sx * out, along)))
            if rng.random() < 0.85:
                room.put(one, float(q[0]), float(q[1]), base.turn + facing + rng.normal(0, 12))


def _hangings(room: Room, count: int) -> None:
    """Pictures, boards with things, clothes on the walls; no mirrors."""
    rng = room.rng
    for _ in range(count):
        wall, kind = int(rng.integers(4)), rng.random()
        u = rng.uniform(0.3, room.length(wall) - 0.3)
        if kind < 0.55:
            room.hang(shapes.framed(room.p), wall, u, rng.uniform(1.35, 1.8))
        elif kind < 0.7:
            room.hang(shapes.pinboard(room.p), wall, u, rng.uniform(1.4, 1.7))
        elif kind < 0.9:
            board = shapes.wall_board(room.p)
            if room.hang(board, wall, u, rng.uniform(1.2, 1.8), deep=board.size[1] / 2):
                room.strew(room.placed[-1], household.SHELF, 20)
        else:
            room.hang(shapes.hung_clothes(room.p), wall, u, rng.uniform(1.5, 1.8))


def bathroom(kit: Kit, p: Palette) -> Room:
    rng = kit.rng
    room = shell(kit, p, rng.uniform(1.8, 2.8), rng.uniform(2.6, 4.2), windows=int(rng.integers(0, 2)), doors=2, wet=True)
    for maker, share, gap in ((shapes.tub, 0.8, 0.015), (shapes.basin, 1.0, 0.015), (shapes.toilet, 0.95, 0.0), (shapes.basin, 0.2, 0.015)):
        if rng.random() < share:
            made = room.against(maker(p), gap=gap, subject=2, tries=20)
            if made:
                room.strew(made, household.BATH, 25)
                wall = _behind(made)
                if maker is shapes.basin and wall is not None:  # a cupboard over it, and a board
                    u = float((made.at[0], room.d - made.at[1], room.w - made.at[0], made.at[1])[wall])
                    chest = shapes.cabinet(p, rng.uniform(0.4, 0.7), 0.16, rng.uniform(0.45, 0.7))
                    room.hang(chest, wall, u, rng.uniform(1.3, 1.5), deep=0.08, check=False)
    if rng.random() < 0.5 and room.subjects:  # a shower's curtain beside the tub
        tub = room.subjects[0][0]
        cloth = shapes.curtain(p, max(tub.thing.size[0] * rng.uniform(0.25, 0.6), 0.5), 1.8)
        q = tub.point(rng.uniform(-0.2, 0.2), -tub.thing.size[1] / 2 - 0.02, 0.2)
        shapes.put(kit, cloth, q, tub.turn)
    cram(room, [shapes.cabinet, shapes.washer, shapes.shelf, shapes.bin, shapes.stool], household.BATH, int(rng.integers(1, 5)), (15, 40))
    for _ in range(int(rng.integers(2, 6))):
        wall = int(rng.integers(4))
        room.hang(shapes.hung_clothes(p), wall, rng.uniform(0.3, room.length(wall) - 0.3), rng.uniform(1.2, 1.7))
    if rng.random() < 0.6:
        room.anywhere(shapes.rug(p, 0.8, 0.5), turn=float(rng.choice([0, 90])))
    room.dress([household.clothes, household.basket, household.bottle, household.folded, shapes.bin], int(rng.integers(1, 6)))
    return room


def _behind(made: Placed) -> int | None:
    """The wall that a thing has its back to."""
    return TURN.index(made.turn) if made.turn in TURN else None


def bedroom(kit: Kit, p: Palette) -> Room:
    """A bed to be seen along its length, close to the camera, drawers, wardrobe, desk, clothes."""
    rng = kit.rng
    room = shell(kit, p, rng.uniform(2.8, 4.2), rng.uniform(3.6, 5.5), windows=int(rng.integers(1, 3)), doors=int(rng.integers(1, 3)))
    for _ in range(1 if rng.random() < 0.75 else 2):
        made = room.against(shapes.bed(p), gap=0.0, subject=3, tries=40)
        if not made:
            continue
        room.strew(made, household.SEAT, rng.uniform(1, 5))
        for side in (-1, 1):
            stand = shapes.cabinet(p, rng.uniform(0.35, 0.55), 0.4, rng.uniform(0.4, 0.65))
            a = made.point(side * (made.thing.size[0] / 2 + stand.size[0] / 2 + 0.05), made.thing.size[1] / 2 - stand.size[1] / 2 - 0.02)
            base = room.put(stand, float(a[0]), float(a[1]), made.turn, subject=0.5)
            if base:
                on = float(rng.uniform(2, 8) * (rng.random() < 0.3))
                lamp = shapes.table_lamp(p, on)
                room.on(base, lamp, 0, 0.05, stand.size[2], rng.uniform(-40, 40))
                if on:
                    room.bulbs.append(base.at + (0, 0, stand.size[2] + lamp.size[2] + 0.02))
                room.strew(base, household.TABLE, 30, taken=[(0, 0.05, 0.1)])
        if rng.random() < 0.4:  # a chest at its foot
            foot = shapes.cabinet(p, rng.uniform(0.7, 1.2), 0.4, rng.uniform(0.4, 0.5))
            a = made.point(0, -made.thing.size[1] / 2 - 0.25)
            base = room.put(foot, float(a[0]), float(a[1]), made.turn)
            if base:
                room.strew(base, household.SEAT, 12)
    room.against(shapes.cabinet(p, rng.uniform(0.9, 2.0), 0.6, rng.uniform(1.85, 2.2)), tries=20)
    desk = room.against(shapes.desk(p, rng.uniform(0.9, 1.3)), subject=1) if rng.random() < 0.6 else None
    if desk:
        room.strew(desk, household.DESK, rng.uniform(15, 45))
        q = desk.point(rng.normal(0, 0.15), -desk.thing.size[1] / 2 - rng.uniform(0.2, 0.5))
        room.put(shapes.chair(p), float(q[0]), float(q[1]), desk.turn + 180 + rng.normal(0, 30))
    cram(room, [shapes.cabinet, shapes.shelf, shapes.chair, shapes.armchair, shapes.plant, shapes.floor_lamp, shapes.drying_rack, shapes.suitcase],
         household.SHELF + household.SEAT, int(rng.integers(3, 9)))  # fmt: skip
    _hangings(room, int(rng.integers(3, 10)))
    room.dress(household.FLOOR, int(rng.integers(3, 16)))
    return room


def study(kit: Kit, p: Palette) -> Room:
    """A workroom: desks, shelves on all walls, boxes, a sofa; densely full."""
    rng = kit.rng
    room = shell(kit, p, rng.uniform(2.8, 4.5), rng.uniform(3.4, 6.0), windows=int(rng.integers(1, 3)), doors=int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 4))):
        base = room.against(shapes.desk(p), subject=2)
        if not base:
            continue
        taken = []
        for x in rng.permutation([-0.35, 0.0, 0.35])[: int(rng.integers(1, 3))]:
            screen = shapes.monitor(p) if rng.random() < 0.7 else shapes.laptop(p)
            room.on(base, screen, float(x), 0.08, base.thing.size[2], rng.normal(0, 12))
            taken.append((float(x), 0.05, 0.3))
        room.strew(base, household.DESK, rng.uniform(20, 60), taken=taken)
        chair = shapes.office_chair(p) if rng.random() < 0.75 else shapes.chair(p)
        q = base.point(rng.normal(0, 0.2), -base.thing.size[1] / 2 - rng.uniform(0.3, 0.6))
        room.put(chair, float(q[0]), float(q[1]), base.turn + 180 + rng.normal(0, 45))
    for _ in range(int(rng.integers(2, 7))):
        made = room.against(shapes.shelf(p, None, rng.uniform(1.5, 2.2), None, rng.uniform(0.5, 1.0)), subject=0.8)
        if made:
            room.strew(made, household.SHELF + household.DESK, rng.uniform(10, 30))
    cram(room, [shapes.cabinet, shapes.sofa, shapes.armchair, shapes.table, shapes.printer, shapes.carton, shapes.plant, shapes.speaker, shapes.bin],
         household.DESK + household.SHELF, int(rng.integers(3, 9)), (15, 45))  # fmt: skip
    _hangings(room, int(rng.integers(3, 10)))
    room.dress([household.pile, household.pile, household.carton, household.bag, household.papers, household.binder, household.shoes],
               int(rng.integers(2, 12)))  # fmt: skip
    return room


def den(kit: Kit, p: Palette) -> Room:
    """A living room with a dining corner and an open doorway, crammed."""
    rng = kit.rng
    room = shell(kit, p, rng.uniform(3.4, 5.0), rng.uniform(4.2, 7.0), windows=int(rng.integers(1, 4)), doors=int(rng.integers(1, 4)))
    for maker, subject in ((shapes.sofa, 2.0), (shapes.corner_sofa if rng.random() < 0.4 else shapes.sofa, 1.5)):
        made = (
            room.against(maker(p), gap=float(rng.choice([0.03, rng.uniform(0.2, 1.0)])), subject=subject, tries=20)
            if rng.random() < 0.7
            else room.anywhere(maker(p), subject=subject, turn=float(rng.choice([0, 90, 180, 270])))
        )
        if not made:
            continue
        room.strew(made, household.SEAT, 4)
        low = shapes.coffee_table(p)
        q = made.point(rng.normal(0, 0.1), -made.thing.size[1] / 2 - rng.uniform(0.3, 0.5) - low.size[1] / 2)
        table = room.put(low, float(q[0]), float(q[1]), made.turn + rng.normal(0, 4), subject=1)
        if table:
            room.strew(table, household.TABLE, rng.uniform(12, 40))
    base = room.anywhere(shapes.table(p), subject=1.5, turn=float(rng.choice([0, 90])))
    if base:
        _chairs(room, base)
        room.strew(base, household.TABLE, rng.uniform(8, 30))
    stand = room.against(shapes.cabinet(p, rng.uniform(1.0, 1.8), 0.42, rng.uniform(0.4, 0.6)), subject=1)
    if stand:
        room.on(stand, shapes.television(p, bool(rng.random() < 0.2)), rng.normal(0, 0.1), 0.05, stand.thing.size[2], rng.normal(0, 4))
    cram(room, [shapes.shelf, shapes.shelf, shapes.cabinet, shapes.armchair, shapes.plant, shapes.floor_lamp, shapes.chair, shapes.table],
         household.SHELF + household.TABLE, int(rng.integers(5, 13)))  # fmt: skip
    _hangings(room, int(rng.integers(4, 11)))
    room.dress(household.FLOOR, int(rng.integers(2, 14)))
    return room


def bookshop(kit: Kit, p: Palette) -> Room:
    """Aisles of high shelves full of books or goods, tables with piles, signs from the ceiling."""
    rng = kit.rng
    room = shell(
        kit,
        p,
        rng.uniform(3.6, 6.5),
        rng.uniform(5.5, 9),
        windows=int(rng.integers(0, 2)),
        doors=1,
        h=float(rng.uniform(2.5, 3.4)),
        bare=True,
    )
    books = rng.random() < 0.6
    goods = (
        [household.pile, household.upright, household.upright, household.book, household.open_book]
        if books
        else household.STOCK + household.KITCHEN
    )
    room.stock.each = 5
    h, deep, wide = rng.uniform(1.3, 2.3), rng.uniform(0.25, 0.4), rng.uniform(0.8, 1.2)
    units = [shapes.shelf(p, wide, h, deep, fill=0.93 if books else 0.1) for _ in range(4)]
    full = 10 if books else rng.uniform(15, 32)
    for wall in range(4):  # all around
        for u in np.arange(wide / 2 + deep, room.length(wall) - wide / 2 - deep, wide + 0.01):
            made = room.against(units[int(rng.integers(4))], wall, u=float(u), tries=1, beside=0.0)
            if made:
                room.strew(made, goods, full)
    aisle = rng.uniform(0.9, 1.5)
    tables = rng.random() < 0.4
    low = [shapes.table(p, rng.uniform(0.9, 1.6), rng.uniform(0.7, 1.0), rng.uniform(0.7, 0.85)) for _ in range(2)]
    for x in np.arange(deep + aisle + deep / 2, room.w - deep - aisle, aisle + (2 * deep if not tables else 1.0)):
        for y in np.arange(aisle + deep + wide / 2, room.d - deep - aisle, wide + (0.02 if not tables else 0.9)):
            if tables:
                made = room.put(low[int(rng.integers(2))], float(x), float(y), 90 + rng.normal(0, 4), subject=1)
                if made:
                    room.strew(made, goods, rng.uniform(20, 45))
                continue
            for s in (-1, 1):
                made = room.put(units[int(rng.integers(4))], float(x + s * (deep / 2 + 0.005)), float(y), s * 90.0, gap=0.0, subject=0.3)
                if made:
                    room.strew(made, goods, full)
    for _ in range(int(rng.integers(0, 6))):  # signs
        m = Make()
        m.box((-0.35, 0.35), (-0.01, 0.01), (-0.5, -0.15), p.paper() if rng.random() < 0.6 else p.plastic())
        m.box((-0.3, -0.295), (-0.003, 0.003), (-0.15, 0), p.metal())
        m.box((0.295, 0.3), (-0.003, 0.003), (-0.15, 0), p.metal())
        where = (rng.uniform(0.6, room.w - 0.6), rng.uniform(0.6, room.d - 0.6), room.h)
        shapes.put(kit, m.thing("sign", (0.7, 0.02, 0.5)), where, float(rng.choice([0, 90])))
    room.dress([household.carton, household.basket, household.pile, shapes.stool], int(rng.integers(1, 7)))
    return room


def furniture_shop(kit: Kit, p: Palette) -> Room:
    """Sofas, chairs, beds, tables and lamps for sale, in rows and groups, with low partitions and pictures."""
    rng = kit.rng
    room = shell(
        kit, p, rng.uniform(5, 8), rng.uniform(6, 9.5), windows=int(rng.integers(0, 3)), doors=1, h=float(rng.uniform(2.6, 3.6)), bare=True
    )
    for _ in range(int(rng.integers(0, 2))):  # partitions
        m, long = Make(), rng.uniform(1.5, 3.2)
        high = rng.uniform(1.3, 2.4)
        m.box(
            (-long / 2, long / 2),
            (-0.05, 0.05),
            (0, high),
            kit.surface("paint", hsv(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.5, 0.95))),
        )
        room.anywhere(m.thing("partition", (long, 0.1, high)), turn=float(rng.choice([0, 90])))
    sorts: list[Callable[[Palette], Thing]] = [shapes.sofa, shapes.armchair, shapes.chair, shapes.table, shapes.coffee_table, shapes.cabinet, shapes.bed,
                                               shapes.office_chair, shapes.shelf, shapes.desk, shapes.corner_sofa]  # fmt: skip
    for _ in range(int(rng.integers(5, 9))):  # a row of one sort, or one thing and what belongs to it
        maker = sorts[int(rng.integers(len(sorts)))]
        things = [maker(p) for _ in range(int(rng.integers(1, 4)))]
        turn = float(rng.choice([0, 90, 180, 270]))
        step = max(t.size[0] for t in things) + rng.uniform(0.1, 0.5)
        first = room.anywhere(things[0], subject=1, turn=turn)
        for k in range(1, int(rng.integers(1, 6))):
            if first:
                q = first.point(k * step, 0)
                room.put(things[k % len(things)], float(q[0]), float(q[1]), turn + rng.normal(0, 3), subject=0.5)
    for made in list(room.placed):
        if made.thing.tops and rng.random() < 0.6:
            room.strew(made, household.TABLE if made.thing.size[2] > 0.6 else household.SEAT, rng.uniform(2, 12))
    makers = [shapes.shelf, shapes.cabinet, shapes.floor_lamp, shapes.plant, shapes.armchair, shapes.chair, shapes.table]
    cram(room, makers, household.SHELF, int(rng.integers(6, 16)))
    for _ in range(int(rng.integers(2, 12))):
        one = makers[int(rng.integers(2, len(makers)))](p)
        room.anywhere(one, subject=0.3)
    lamp = shapes.pendant(p, rng.uniform(0.4, 1.1), float(rng.choice([0.0, 3.0])))
    for _ in range(int(rng.integers(0, 8))):
        shapes.put(kit, lamp, (rng.uniform(0.5, room.w - 0.5), rng.uniform(0.5, room.d - 0.5), room.h))
    _hangings(room, int(rng.integers(4, 12)))
    return room


def cellar(kit: Kit, p: Palette) -> Room:
    return cellars.cellar(kit, p, shell)


SORTS: dict[str, tuple[Callable[[Kit, Palette], Room], float]] = {
    "kitchen": (kitchen, 0.2),
    "bathroom": (bathroom, 0.13),
    "bedroom": (bedroom, 0.2),
    "study": (study, 0.13),
    "den": (den, 0.16),
    "bookshop": (bookshop, 0.09),
    "furniture shop": (furniture_shop, 0.09),
    "cellar": (cellar, 0.25),
}
