"""Cellars, garages, lumber rooms and laundries: bare walls, pipes under a low ceiling, columns, tanks, shelves of boxes, and a flash. Used by `snapshots`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import household, shapes
from .interior import Look, Room
from .kit import Kit
from .shapes import Make, Palette, Thing, Top
from .textures import hsv


def finish(kit: Kit, p: Palette) -> Look:
    """Concrete, whitewashed stone, bricks, bare boards; a floor of concrete; a ceiling of dark boards or of paint."""
    rng = kit.rng

    def wall() -> shapes.Material:
        kind = str(rng.choice(["concrete", "rock", "bricks", "planks", "plaster", "paint"], p=[0.2, 0.2, 0.2, 0.15, 0.1, 0.15]))
        grey = hsv(rng.uniform(0.04, 0.14), rng.uniform(0, 0.3), rng.uniform(0.25, 0.9))
        return kit.surface(kind, grey if rng.random() < 0.75 else None)

    walls = wall()
    other = walls if rng.random() < 0.4 else wall()
    grey = hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.15), rng.uniform(0.2, 0.6))
    floor = kit.surface(str(rng.choice(["concrete", "concrete", "plain", "tiles", "gravel"])), grey, metres=float(rng.uniform(1.5, 4)))
    above = (
        kit.surface("planks", hsv(0.08, rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.4)))
        if rng.random() < 0.6
        else kit.painted((0.8, 0.8, 0.78))
    )
    made = Look(walls, other, floor, above)
    made.skirting = False
    return made


# Things


def tank(p: Palette) -> Thing:
    """A water heater: a cylinder with a collar, a valve and two pipes to the ceiling."""
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.2, 0.32), rng.uniform(0.9, 1.6)
    foot = rng.uniform(0.05, 0.3)
    body = p.white() if rng.random() < 0.6 else p.lacquer()
    m.soft(
        shapes.turned(
            [(0, foot), (r * 0.96, foot), (r, foot + 0.03), (r, foot + h - 0.05), (r * 0.9, foot + h), (0, foot + h)], segments=28
        ),
        body,
    )
    m.flat(shapes.turned([(r * 1.01, foot + h * 0.3), (r * 1.01, foot + h * 0.3 + 0.02)], segments=28), p.dark())
    for a in np.radians((30, 150, 270)):
        m.flat(
            shapes.rod((r * 0.8 * np.cos(a), r * 0.8 * np.sin(a), 0), (r * 0.8 * np.cos(a), r * 0.8 * np.sin(a), foot + 0.02), 0.02),
            p.metal(),
        )
    for x in (-0.5, 0.5):
        m.soft(shapes.rod((x * r, 0, foot + h - 0.02), (x * r, 0, foot + h + rng.uniform(0.2, 0.7)), 0.014), p.metal())
    m.box((-0.08, 0.08), (-r - 0.05, -r + 0.02), (foot + 0.1, foot + 0.32), p.dark())
    return m.thing("tank", (2 * r, 2 * r, foot + h))


def boiler(p: Palette) -> Thing:
    """A furnace: a tall sheet-metal box with a duct that rises and turns."""
    m, rng = Make(), p.rng
    w, d, h = rng.uniform(0.45, 0.8), rng.uniform(0.5, 0.8), rng.uniform(1.0, 1.7)
    body = p.kit.painted(hsv(rng.uniform(0.5, 0.65), rng.uniform(0, 0.3), rng.uniform(0.3, 0.8)), rough=0.5)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.03, h), body, 0.01)
    for z in np.linspace(0.15, h * 0.6, int(rng.integers(3, 9))):
        m.box((-w * 0.35, w * 0.35), (-d / 2 - 0.006, -d / 2), (z, z + 0.015), p.dark())
    r = rng.uniform(0.06, 0.16)
    m.soft(shapes.rod((0, 0, h - 0.02), (0, 0, h + 0.45), r, None, 16), p.metal())
    m.soft(shapes.rod((0, 0, h + 0.4), (rng.uniform(-1.2, 1.2), d / 2, h + rng.uniform(0.4, 0.6)), r, None, 16), p.metal())
    return m.thing("boiler", (w, d, h))


def tub(p: Palette) -> Thing:
    """A plastic box with a lid that overhangs, or an open crate."""
    m, rng = Make(), p.rng
    w, d, h = rng.uniform(0.3, 0.65), rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.42)
    body = p.plastic() if rng.random() < 0.7 else p.kit.painted((0.75, 0.8, 0.82), rough=0.3)
    m.box((-w / 2 + 0.02, w / 2 - 0.02), (-d / 2 + 0.02, d / 2 - 0.02), (0, h - 0.02), body, 0.02)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (h - 0.04, h), body if rng.random() < 0.5 else p.plastic(), 0.01)
    return m.thing("tub", (w, d, h), [Top((-w / 2 + 0.03, w / 2 - 0.03), (-d / 2 + 0.03, d / 2 - 0.03), h)])


def stacked(p: Palette) -> Thing:
    """Tubs or cartons on each other, none quite above the other."""
    rng = p.rng
    maker: Callable[[Palette], Thing] = tub if rng.random() < 0.55 else shapes.carton
    m, z = Make(), 0.0
    wide = deep = 0.0
    for _ in range(int(rng.integers(2, 6))):
        one = maker(p)
        turn, by = rng.normal(0, 5), (rng.normal(0, 0.02), rng.normal(0, 0.02), z)
        m.take(one, by, turn)
        wide, deep, z = max(wide, one.size[0]), max(deep, one.size[1]), z + one.size[2]
        if z > 1.5:
            break
    return m.thing("stack", (wide + 0.06, deep + 0.06, z))


def rack(p: Palette) -> Thing:
    """An open rack of steel or boards, deep boards far apart, for boxes."""
    m, rng = Make(), p.rng
    w, d, h = rng.uniform(0.8, 1.8), rng.uniform(0.35, 0.6), rng.uniform(1.4, 2.0)
    post, board = (p.metal(), p.metal()) if rng.random() < 0.5 else (p.wood(True), p.wood())
    tops = []
    for x in (-w / 2 + 0.02, w / 2 - 0.02):
        for y in (-d / 2 + 0.02, d / 2 - 0.02):
            m.box((x - 0.02, x + 0.02), (y - 0.02, y + 0.02), (0, h), post)
    levels = np.linspace(rng.uniform(0.05, 0.25), h - 0.03, int(rng.integers(3, 6)))
    for k, z in enumerate(levels):
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (z, z + 0.025), board)
        clear = float(levels[k + 1] - z - 0.05) if k + 1 < len(levels) else 0.5
        tops.append(Top((-w / 2 + 0.06, w / 2 - 0.06), (-d / 2 + 0.05, d / 2 - 0.05), float(z) + 0.025, clear))
    return m.thing("rack", (w, d, h), tops)


def covered_rail(p: Palette) -> Thing:
    """A wardrobe of cloth on poles: light below, dark or clear above, a zip in the middle."""
    m, rng = Make(), p.rng
    w, d, h = rng.uniform(0.7, 1.3), rng.uniform(0.45, 0.6), rng.uniform(1.5, 1.9)
    cloth, upper = p.linen(), p.linen() if rng.random() < 0.5 else p.kit.painted((0.12, 0.13, 0.14), rough=0.15)
    split = rng.uniform(0.3, 0.6) * h
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.08, split), cloth, 0.02)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (split, h - 0.12), upper, 0.02)
    m.box((-w / 2 - 0.01, w / 2 + 0.01), (-d / 2 - 0.01, d / 2 + 0.01), (h - 0.12, h), cloth, 0.02)
    m.box((-0.012, 0.012), (-d / 2 - 0.012, -d / 2), (0.1, h - 0.1), p.dark())
    for x in (-w / 2 + 0.02, w / 2 - 0.02):
        m.flat(shapes.rod((x, -d / 2 + 0.02, 0), (x, -d / 2 + 0.02, 0.1), 0.012), p.metal())
    return m.thing("rail", (w, d, h), [Top((-w / 2 + 0.1, w / 2 - 0.1), (-d / 2 + 0.05, d / 2 - 0.05), h)])


def leaning(p: Palette) -> Thing:
    """Boards, pipes or a rolled carpet leaning against a wall, which is behind."""
    m, rng = Make(), p.rng
    long, out = rng.uniform(1.2, 2.1), rng.uniform(0.15, 0.45)
    for _ in range(int(rng.integers(1, 6))):
        x = rng.uniform(-0.3, 0.3)
        a, b = (x, -out, 0.02), (x + rng.normal(0, 0.08), out - 0.05, long * rng.uniform(0.8, 1.0))
        kind = rng.random()
        if kind < 0.5:
            m.flat(shapes.rod(a, b, rng.uniform(0.02, 0.05), None, 4), p.wood())
        else:
            m.soft(shapes.rod(a, b, rng.uniform(0.015, 0.1), None, 12), p.metal() if kind < 0.75 else p.cloth())
    return m.thing("leaning", (0.8, 2 * out, long))


def _overhead(room: Room) -> None:
    """Joists, pipes, ducts and cables under the ceiling."""
    rng, p, kit = room.rng, room.p, room.kit
    m = Make()
    if rng.random() < 0.6:
        wood = p.wood()
        deep = rng.uniform(0.12, 0.24)
        for x in np.arange(0.2, room.w, rng.uniform(0.38, 0.62)):
            m.box((x - 0.022, x + 0.022), (0, room.d), (room.h - deep, room.h), wood)
    for _ in range(int(rng.integers(1, 7))):
        along, z, r = rng.random() < 0.5, room.h - rng.uniform(0.06, 0.3), float(rng.choice([0.012, 0.03, rng.uniform(0.05, 0.16)]))
        u = rng.uniform(0.1, 0.9)
        a, b = ((u * room.w, 0, z), (u * room.w, room.d, z)) if along else ((0, u * room.d, z), (room.w, u * room.d, z))
        m.soft(shapes.rod(a, b, r, None, 12), p.metal() if rng.random() < 0.7 else p.white())
    if rng.random() < 0.35:  # a flat duct
        u, wide = rng.uniform(0.2, 0.8) * room.w, rng.uniform(0.3, 0.7)
        m.box((u - wide / 2, u + wide / 2), (0, room.d), (room.h - 0.3, room.h - 0.05), p.metal())
    shapes.put(kit, m.thing("overhead", (1, 1, 1)), (0, 0, 0))


def cellar(kit: Kit, p: Palette, shell: Callable[..., Room]) -> Room:
    """One such room. shell: `snapshots.shell`, which this module must not import."""
    rng = kit.rng
    wide, long = rng.uniform(3.0, 6.0), rng.uniform(4.5, 8.5)
    room = shell(kit, p, wide, long, windows=int(rng.integers(0, 2)), doors=int(rng.integers(1, 3)), h=float(rng.uniform(2.05, 2.6)), finish=finish(kit, p))  # fmt: skip
    _overhead(room)
    for _ in range(int(rng.integers(0, 4))):  # columns stand free, close to the camera or far
        high, r = room.h, rng.uniform(0.04, 0.1)
        m = Make()
        steel = p.dark() if rng.random() < 0.5 else p.metal()
        m.soft(shapes.rod((0, 0, 0), (0, 0, high), r, None, 14), steel)
        m.box((-2 * r, 2 * r), (-2 * r, 2 * r), (0, 0.012), steel)
        room.anywhere(m.thing("column", (3 * r, 3 * r, high)), subject=0.5)
    goods: list[household.Maker] = [tub, shapes.carton, tub, household.small_box, household.basket, household.can, household.bottle, household.pile,
                                    household.bag, household.kettle, household.pan, household.shoes]  # fmt: skip
    bench = room.against(shapes.table(p, rng.uniform(1.2, 2.2), rng.uniform(0.55, 0.75), rng.uniform(0.8, 0.95)), subject=1.5)
    if bench:
        room.strew(bench, goods + household.DESK, rng.uniform(15, 50))
    for _ in range(int(rng.integers(1, 5))):
        made = room.against(rack(p), subject=1)
        if made:
            room.strew(made, goods, rng.uniform(8, 26))
    makers = [tank, boiler, stacked, stacked, covered_rail, leaning, leaning, shapes.washer, shapes.washer, shapes.fridge, shapes.cabinet, shapes.ladder,
              shapes.suitcase, shapes.ironing_board, shapes.drying_rack, shapes.bin, shapes.sofa, shapes.shelf]  # fmt: skip
    for _ in range(int(rng.integers(6, 18))):
        made = room.against(makers[int(rng.integers(len(makers)))](p), subject=1, tries=6)
        if made and made.thing.tops:
            room.strew(made, goods, rng.uniform(5, 20))
    for _ in range(int(rng.integers(1, 8))):  # and in the middle
        loose = [stacked, stacked, tub, shapes.carton, shapes.chair, shapes.stool, covered_rail, shapes.suitcase, shapes.drying_rack]
        room.anywhere(loose[int(rng.integers(len(loose)))](p), subject=0.6)
    for _ in range(int(rng.integers(0, 4))):
        room.hang(shapes.hung_clothes(p), int(rng.integers(4)), rng.uniform(0.4, 2.5), rng.uniform(1.3, 1.7))
    room.dress([shapes.carton, tub, household.bag, household.bottle, household.basket, household.shoes, household.clothes, shapes.bin, household.pan],
               int(rng.integers(4, 18)))  # fmt: skip
    return room
