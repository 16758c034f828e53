"""The small things that lie and stand about on furniture: crockery, books, paper, toys, devices. All of true size, standing on z = 0."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from benchmarks.modelling import ball

from .shapes import (
    Make,
    Palette,
    Thing,
    bag,
    book_row,
    boxes,
    carton,
    cushion,
    framed,
    heap,
    keyboard,
    laptop,
    moved,
    plant,
    rod,
    table_lamp,
    turned,
)


def book(p: Palette) -> Thing:
    rng, m = p.rng, Make()
    w, d, h = rng.uniform(0.11, 0.24), rng.uniform(0.16, 0.31), rng.uniform(0.008, 0.05)
    cover, inner = (p.art() if rng.random() < 0.3 else p.paper() if rng.random() < 0.3 else p.plastic()), p.white()
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.002), cover)
    m.box((-w / 2, w / 2 - 0.004), (-d / 2 + 0.003, d / 2 - 0.003), (0.002, h - 0.002), inner)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (h - 0.002, h), cover)
    m.box((-w / 2 - 0.002, -w / 2), (-d / 2, d / 2), (0, h), cover)
    return m.thing("book", (w, d, h))


def pile(p: Palette) -> Thing:
    m, rng, z = Make(), p.rng, 0.0
    for _ in range(int(rng.integers(2, 9))):
        one = book(p)
        m.take(one, (*rng.normal(0, 0.012, 2), z), rng.normal(0, 8) + 90 * (rng.random() < 0.1))
        z += one.size[2]
    return m.thing("pile", (0.24, 0.3, z))


def upright(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w = rng.uniform(0.1, 0.5)
    book_row(p, m, (-w / 2, w / 2), 0.1, 0.0, 0.34, 0.2)
    return m.thing("books", (w, 0.2, 0.3))


def open_book(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w, d = rng.uniform(0.14, 0.22), rng.uniform(0.2, 0.3)
    x = np.linspace(-1, 1, 21)
    z = 0.004 + 0.022 * np.sin(np.pi * np.clip(np.abs(x), 0.0, 1) ** 0.6) * (1 - np.abs(x) * 0.3)
    grid = np.stack([np.stack([x * w, np.full(21, y), z], 1) for y in (-d / 2, d / 2)])
    from benchmarks.modelling import sheet

    m.soft(sheet(grid), p.paper())
    m.box((-w, w), (-d / 2, d / 2), (0, 0.004), p.plastic())
    return m.thing("open book", (2 * w, d, 0.03))


def papers(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    for k in range(int(rng.integers(1, 7))):
        sheet_ = boxes((-0.105, -0.1485, 0), (0.105, 0.1485, 0.0008))
        m.flat(moved(sheet_, (*rng.normal(0, 0.03, 2), 0.0009 * k), rng.normal(0, 12)), p.paper())
    return m.thing("papers", (0.26, 0.34, 0.006))


def mug(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h, k = rng.uniform(0.032, 0.05), rng.uniform(0.06, 0.12), rng.uniform(0.7, 1.05)
    glaze = p.plastic() if rng.random() < 0.6 else p.white()
    m.soft(turned([(0, 0), (r * k, 0), (r, h), (r - 0.004, h), (r * k - 0.004, 0.008), (0, 0.008)]), glaze)
    if rng.random() < 0.6:
        m.soft(turned([(0, h * 0.75), (r * 0.95, h * 0.75)]), p.dark())
    a = np.linspace(-1.3, 1.3, 9)
    from benchmarks.modelling import tube

    m.soft(tube(np.stack([r * 0.85 + 0.028 * np.cos(a), a * 0, h * 0.5 + h * 0.3 * np.sin(a)], 1), 0.005, 6), glaze)
    return m.thing("mug", (2 * r, 2 * r, h))


def drinking_glass(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.03, 0.042), rng.uniform(0.08, 0.16)
    m.soft(turned([(0, 0.0), (r * 0.85, 0.0), (r, h)]), p.kit.glass() if rng.random() < 0.5 else p.plastic())
    m.soft(turned([(0, 0.006), (r * 0.82, 0.006), (r * 0.9, h * 0.6), (0, h * 0.6)]), p.plastic())
    return m.thing("glass", (2 * r, 2 * r, h))


def bottle(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.028, 0.048), rng.uniform(0.18, 0.34)
    neck, s = r * rng.uniform(0.28, 0.5), rng.uniform(0.5, 0.75)
    m.soft(turned([(0, 0), (r, 0.002), (r, h * s), (r * 0.8, h * (s + 0.08)), (neck, h * (s + 0.18)), (neck, h * 0.94)]), p.plastic())
    m.soft(turned([(neck * 1.15, h * 0.9), (neck * 1.15, h), (0, h)], segments=12), p.plastic())
    if rng.random() < 0.7:
        m.soft(turned([(r + 0.0006, h * s * 0.25), (r + 0.0006, h * s * 0.8)]), p.paper() if rng.random() < 0.6 else p.white())
    return m.thing("bottle", (2 * r, 2 * r, h))


def bowl(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.06, 0.16), rng.uniform(0.04, 0.1)
    t = np.linspace(0.25, 1, 7)
    out = [(float(r * k), float(h * k**2.2)) for k in t]
    m.soft(
        turned([(0, 0), (r * 0.25, 0), *out, *[(a * 0.95, b + 0.004) for a, b in out[::-1]], (0, 0.01)], segments=26),
        p.clay() if rng.random() < 0.5 else p.white(),
    )
    if rng.random() < 0.5:
        fruit = p.plastic()
        for _ in range(int(rng.integers(2, 7))):
            s = rng.uniform(0.025, 0.042)
            a, q = rng.uniform(0, 6.28), rng.uniform(0, max(r * 0.6 - s * 0.3, 0.01))
            m.soft(
                ball((q * math.cos(a), q * math.sin(a), 0.02 + s * rng.uniform(0.9, 1.5)), (s, s, s * rng.uniform(0.85, 1.1)), 14),
                fruit if rng.random() < 0.7 else p.plastic(),
            )
    return m.thing("bowl", (2 * r, 2 * r, h))


def plate(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r = rng.uniform(0.08, 0.14)
    for k in range(int(rng.choice([1, 1, 1, 3, 6]))):
        m.soft(
            turned([(0, 0.004), (r * 0.6, 0.0), (r, 0.018), (r * 0.62, 0.006), (0, 0.006)], (0, 0, 0.008 * k), 26),
            p.white() if rng.random() < 0.7 else p.clay(),
        )
    if rng.random() < 0.4:
        m.soft(moved(heap(rng, r * 1.1, r * 1.0, 0.03), (0, 0, 0.006)), p.plastic())
    return m.thing("plate", (2 * r, 2 * r, 0.03))


def vase(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    h = rng.uniform(0.12, 0.4)
    q = np.clip(0.25 + np.cumsum(rng.normal(0, 0.1, 6)), 0.1, 0.5) * h * 0.7
    z = np.linspace(0.0, h, 6)
    m.soft(turned([(0, 0), *zip(q.tolist(), z.tolist())], segments=24), p.clay())
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(2, 9))):
            lean = rng.normal(0, 0.12, 2)
            end = (float(lean[0]), float(lean[1]), h + rng.uniform(0.08, 0.3))
            m.flat(rod((0, 0, h * 0.6), end, 0.003, None, 5), p.leaf())
            s = rng.uniform(0.015, 0.04)
            m.soft(ball(end, (s, s, s * 0.7), 10), p.plastic())
    return m.thing("vase", (2 * float(q.max()), 2 * float(q.max()), h))


def can(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = (0.033, 0.115) if rng.random() < 0.5 else (rng.uniform(0.03, 0.06), rng.uniform(0.06, 0.2))
    m.soft(
        turned([(0, 0), (r * 0.92, 0), (r, 0.008), (r, h - 0.01), (r * 0.88, h), (0, h - 0.004)]),
        p.art() if rng.random() < 0.4 else p.plastic(),
    )
    return m.thing("can", (2 * r, 2 * r, h))


def packet(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w, d, h = rng.uniform((0.05, 0.03, 0.04), (0.25, 0.16, 0.3))
    m.box(
        (-w / 2, w / 2),
        (-d / 2, d / 2),
        (0, h),
        p.paper() if rng.random() < 0.35 else p.art() if rng.random() < 0.3 else p.plastic(),
        0.002,
    )
    return m.thing("packet", (w, d, h))


def phone(p: Palette) -> Thing:
    m = Make()
    m.box((-0.036, 0.036), (-0.075, 0.075), (0, 0.009), p.dark(), 0.002)
    m.box((-0.033, 0.033), (-0.071, 0.071), (0.009, 0.0095), p.screen(False))
    return m.thing("phone", (0.075, 0.15, 0.01))


def remote(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    h = rng.uniform(0.14, 0.21)
    m.box((-0.024, 0.024), (-h / 2, h / 2), (0, 0.018), p.dark(), 0.005)
    c = np.array([(x, y) for x in (-0.012, 0.0, 0.012) for y in np.arange(-h / 2 + 0.02, h / 2 - 0.02, 0.016)])
    m.flat(boxes(np.column_stack([c - 0.004, np.full(len(c), 0.018)]), np.column_stack([c + 0.004, np.full(len(c), 0.02)])), p.white())
    return m.thing("remote", (0.05, h, 0.02))


def pens(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.035, 0.05), rng.uniform(0.08, 0.12)
    m.soft(turned([(0, 0), (r, 0), (r, h), (r - 0.003, h), (r - 0.003, 0.004), (0, 0.004)]), p.plastic())
    for _ in range(int(rng.integers(3, 10))):
        a, b = rng.uniform(0, 6.28), rng.uniform(0, 6.28)
        m.flat(
            rod(
                (0.6 * r * math.cos(a), 0.6 * r * math.sin(a), 0.006),
                (0.9 * r * math.cos(b), 0.9 * r * math.sin(b), rng.uniform(0.14, 0.19)),
                0.004,
                0.003,
                6,
            ),
            p.plastic(),
        )
    return m.thing("pens", (2 * r, 2 * r, 0.16))


def pencil(p: Palette) -> Thing:
    m = Make()
    m.flat(rod((-0.07, 0, 0.004), (0.07, 0, 0.004), 0.004, 0.003, 6), p.plastic())
    return m.thing("pen", (0.14, 0.02, 0.01))


def clock(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r = rng.uniform(0.04, 0.08)
    m.soft(
        moved(
            turned([(0, -0.03), (r, -0.03), (r, 0.025), (r - 0.006, 0.03), (r - 0.008, 0.024), (0, 0.024)], segments=24),
            (0, 0, r + 0.01),
            0,
            90,
        ),
        p.plastic(),
    )
    m.soft(moved(turned([(0, 0.0245), (r - 0.009, 0.0245)], segments=24), (0, 0, r + 0.01), 0, 90), p.white())
    m.box((-0.6 * r, 0.6 * r), (-0.02, 0.03), (0, 0.015), p.dark())
    m.flat(boxes((-0.002, -0.026, r + 0.01), (0.002, -0.0245, 1.7 * r + 0.01)), p.dark())
    m.flat(boxes((0, -0.026, r + 0.008), (0.5 * r, -0.0245, r + 0.012)), p.dark())
    return m.thing("clock", (2 * r, 0.06, 2 * r))


def globe(p: Palette) -> Thing:
    from benchmarks.modelling import tube

    m, rng = Make(), p.rng
    r = rng.uniform(0.08, 0.16)
    z = r + rng.uniform(0.05, 0.1)
    m.soft(ball((0, 0, z), (r, r, r), 28), p.art())
    a = np.linspace(-1.6, 1.6, 14) + 0.4
    m.flat(tube(np.stack([(r + 0.012) * np.cos(a), a * 0, z + (r + 0.012) * np.sin(a)], 1), 0.005, 6), p.metal())
    m.soft(turned([(0, 0), (r * 0.7, 0), (r * 0.6, 0.015), (0.012, 0.03), (0.012, z - r)]), p.wood())
    return m.thing("globe", (2 * r, 2 * r, z + r))


def toy(p: Palette) -> Thing:
    """A soft animal, blocks, a ball, a car."""
    m, rng, kind = Make(), p.rng, p.rng.random()
    if kind < 0.35:
        fur, s = p.cloth(), rng.uniform(0.1, 0.3)
        m.soft(ball((0, 0, 0.36 * s), (0.3 * s, 0.26 * s, 0.36 * s), 18), fur)
        m.soft(ball((0, -0.05 * s, 0.86 * s), (0.24 * s, 0.22 * s, 0.22 * s), 18), fur)
        for x in (-1, 1):
            m.soft(ball((x * 0.18 * s, 0, 1.05 * s), (0.09 * s, 0.05 * s, 0.09 * s), 10), fur)
            m.soft(ball((x * 0.28 * s, -0.12 * s, 0.45 * s), (0.09 * s, 0.2 * s, 0.1 * s), 12), fur)
            m.soft(ball((x * 0.2 * s, -0.3 * s, 0.1 * s), (0.1 * s, 0.24 * s, 0.1 * s), 12), fur)
            m.soft(ball((x * 0.09 * s, -0.25 * s, 0.92 * s), (0.025 * s,) * 3, 8), p.dark())
        return m.thing("toy", (0.6 * s, 0.6 * s, 1.1 * s))
    if kind < 0.6:
        s, low = rng.uniform(0.03, 0.07), []
        for _ in range(int(rng.integers(3, 12))):
            x, y = rng.uniform(-2.2, 2.2, 2) * s
            z = s if any(np.hypot(x - a, y - b) < 0.5 * s for a, b in low) else 0.0
            low.append((x, y))
            if z or all(np.hypot(x - a, y - b) > 1.45 * s for a, b in low[:-1]):
                m.flat(moved(boxes((-s / 2, -s / 2, 0), (s / 2, s / 2, s)), (x, y, z), rng.uniform(0, 90)), p.plastic())
        return m.thing("blocks", (5 * s, 5 * s, 2 * s))
    if kind < 0.8:
        r = rng.uniform(0.03, 0.13)
        m.soft(ball((0, 0, r), (r, r, r), 24), p.art() if rng.random() < 0.5 else p.plastic())
        return m.thing("ball", (2 * r, 2 * r, 2 * r))
    s, paint = rng.uniform(0.04, 0.14), p.plastic()
    m.box((-s, s), (-0.45 * s, 0.45 * s), (0.18 * s, 0.55 * s), paint, 0.12 * s)
    m.box((-0.5 * s, 0.6 * s), (-0.4 * s, 0.4 * s), (0.55 * s, 0.9 * s), p.dark() if rng.random() < 0.5 else paint, 0.15 * s)
    for x in (-0.6, 0.6):
        for y in (-0.45, 0.45):
            wheel = turned([(0, -0.07 * s), (0.2 * s, -0.07 * s), (0.2 * s, 0.07 * s), (0, 0.07 * s)], segments=14)
            m.soft(moved(wheel, (x * s, y * s, 0.2 * s), 0, 90), p.dark())
    return m.thing("car", (2 * s, s, 0.9 * s))


def candle(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.011, 0.04), rng.uniform(0.06, 0.25)
    m.soft(
        turned([(0, 0), (r + 0.025, 0), (r + 0.03, 0.012), (r, 0.012), (r, h), (r * 0.8, h - 0.005), (0, h - 0.006)]),
        p.white() if rng.random() < 0.5 else p.plastic(),
    )
    return m.thing("candle", (2 * r + 0.06, 2 * r + 0.06, h))


def basket(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h, k = rng.uniform(0.09, 0.2), rng.uniform(0.08, 0.3), rng.uniform(0.75, 1)
    m.soft(
        turned([(0, 0), (r * k, 0), (r, h), (r - 0.012, h), (r * k - 0.012, 0.02), (0, 0.02)]),
        p.kit.surface("fabric", (0.55, 0.42, 0.26), metres=0.15),
    )
    if rng.random() < 0.7:
        m.soft(moved(heap(rng, 1.6 * r, 1.6 * r, h * 0.4), (0, 0, h * 0.6)), p.cloth())
    return m.thing("basket", (2 * r, 2 * r, h))


def pan(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    r, h = rng.uniform(0.08, 0.15), rng.uniform(0.05, 0.18)
    metal = p.metal() if rng.random() < 0.6 else p.dark()
    m.soft(turned([(0, 0), (r * 0.95, 0), (r, 0.01), (r, h), (r - 0.004, h), (r - 0.004, 0.01), (0, 0.006)], segments=26), metal)
    if h > 0.1:
        if rng.random() < 0.6:
            m.soft(turned([(r + 0.002, h), (r * 0.6, h + 0.02), (0.012, h + 0.025), (0.02, h + 0.045), (0, h + 0.05)], segments=26), metal)
        for s in (-1, 1):
            m.soft(rod((s * (r - 0.01), -0.03, h * 0.8), (s * (r + 0.03), 0, h * 0.82), 0.007), p.dark())
    else:
        m.soft(rod((r - 0.01, 0, h * 0.8), (r + 0.18, 0, h + 0.02), 0.011), p.dark())
    return m.thing("pan", (2 * r, 2 * r, h))


def kettle(p: Palette) -> Thing:
    from benchmarks.modelling import tube

    m, rng = Make(), p.rng
    r, h = rng.uniform(0.07, 0.1), rng.uniform(0.17, 0.25)
    skin = p.metal() if rng.random() < 0.5 else p.white() if rng.random() < 0.5 else p.plastic()
    m.soft(turned([(0, 0), (r, 0), (r, 0.02), (r * 0.95, 0.02), (r * 0.8, h * 0.75), (r * 0.6, h * 0.9), (0, h * 0.95)], segments=24), skin)
    m.soft(ball((0, 0, h * 0.97), (0.014, 0.014, 0.014), 10), p.dark())
    m.soft(rod((-r * 0.6, 0, h * 0.65), (-r * 1.3, 0, h * 0.85), 0.02, 0.012), skin)
    a = np.linspace(-1.2, 1.3, 9)
    m.soft(tube(np.stack([r * 0.6 + 0.07 * np.cos(a), a * 0, h * 0.55 + h * 0.36 * np.sin(a)], 1), 0.011, 8), p.dark())
    return m.thing("kettle", (2.4 * r, 2 * r, h))


def machine(p: Palette) -> Thing:
    """A toaster, coffee maker, microwave."""
    m, rng, kind = Make(), p.rng, p.rng.random()
    skin = p.metal() if rng.random() < 0.4 else p.dark() if rng.random() < 0.5 else p.white()
    if kind < 0.35:
        m.box((-0.14, 0.14), (-0.085, 0.085), (0.01, 0.19), skin, 0.02)
        for y in (-0.03, 0.03):
            m.box((-0.1, 0.1), (y - 0.012, y + 0.012), (0.189, 0.191), p.dark())
        m.box((0.14, 0.155), (-0.015, 0.015), (0.1, 0.115), p.dark())
        return m.thing("toaster", (0.3, 0.17, 0.19))
    if kind < 0.65:
        w, d, h = rng.uniform(0.16, 0.3), rng.uniform(0.25, 0.38), rng.uniform(0.28, 0.4)
        m.box((-w / 2, w / 2), (-d / 2 + 0.15, d / 2), (0, h), skin, 0.01)
        m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.035), skin, 0.006)
        m.box((-w / 2, w / 2), (-d / 2 + 0.02, d / 2), (h * 0.72, h), skin, 0.01)
        m.soft(turned([(0, 0.036), (0.055, 0.036), (0.06, 0.12), (0.045, 0.15)], (0, -d / 2 + 0.075, 0), 16), p.dark())
        return m.thing("coffee machine", (w, d, h))
    w, d, h = rng.uniform(0.43, 0.5), rng.uniform(0.32, 0.4), rng.uniform(0.25, 0.3)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.012, h), skin, 0.006)
    m.box((-w / 2 + 0.02, w / 2 - 0.12), (-d / 2 - 0.006, -d / 2), (0.035, h - 0.02), p.screen(False), 0.002)
    m.box((w / 2 - 0.11, w / 2 - 0.01), (-d / 2 - 0.003, -d / 2), (0.035, h - 0.02), p.dark())
    m.soft(rod((w / 2 - 0.13, -d / 2 - 0.025, 0.05), (w / 2 - 0.13, -d / 2 - 0.025, h - 0.04), 0.007), p.metal())
    return m.thing("microwave", (w, d, h))


def tissues(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    h = rng.uniform(0.07, 0.13)
    m.box((-0.115, 0.115), (-0.06, 0.06), (0, h), p.art() if rng.random() < 0.5 else p.plastic(), 0.003)
    v, f = heap(rng, 0.1, 0.04, 0.07)
    m.soft((v + (0, 0, h), f), p.white())
    return m.thing("tissues", (0.23, 0.12, h))


def binder(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    n = int(rng.integers(1, 7))
    for k in range(n):
        x = (k - n / 2) * 0.078
        paint = p.plastic() if rng.random() < 0.6 else p.dark()
        m.box((x, x + 0.075), (-0.14, 0.14), (0, 0.32), paint, 0.003)
        m.box((x + 0.01, x + 0.065), (-0.1405, -0.14), (0.17, 0.28), p.white())
    return m.thing("binders", (n * 0.078, 0.28, 0.32))


def tray(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    paint = p.plastic() if rng.random() < 0.4 else p.dark()
    for k in range(int(rng.integers(1, 4))):
        z = 0.07 * k
        m.box((-0.13, 0.13), (-0.17, 0.17), (z, z + 0.004), paint)
        for s in (-1, 1):
            m.box((s * 0.13 - 0.002, s * 0.13 + 0.002), (-0.17, 0.17), (z, z + 0.066), paint)
        m.box((-0.13, 0.13), (0.168, 0.172), (z, z + 0.05), paint)
        m.box((-0.1, 0.11), (-0.16, 0.14), (z + 0.004, z + rng.uniform(0.008, 0.04)), p.paper())
    return m.thing("tray", (0.27, 0.35, 0.2))


def folded(p: Palette) -> Thing:
    """A stack of folded cloth."""
    from .shapes import pillow

    m, rng, z = Make(), p.rng, 0.0
    for _ in range(int(rng.integers(1, 6))):
        t = rng.uniform(0.02, 0.05)
        m.soft(
            moved(
                pillow((rng.uniform(0.24, 0.34), rng.uniform(0.22, 0.32), t * 1.1), (0, 0, 0), 0.25, 12),
                (*rng.normal(0, 0.01, 2), z + t / 2),
                rng.normal(0, 4),
            ),
            p.cloth(),
        )
        z += t
    return m.thing("folded", (0.34, 0.32, z))


def clothes(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w = rng.uniform(0.3, 0.8)
    for _ in range(int(rng.integers(1, 3))):
        m.soft(
            moved(heap(rng, w, w * rng.uniform(0.6, 1), rng.uniform(0.06, 0.22)), (*rng.normal(0, 0.06, 2), 0), rng.uniform(0, 360)),
            p.cloth(),
        )
    return m.thing("clothes", (w, w, 0.2))


def shoes(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    skin, sole = p.plastic() if rng.random() < 0.5 else p.dark(), p.white() if rng.random() < 0.5 else p.dark()
    for s in (-1, 1):
        a = rng.normal(0, 14)
        x = s * rng.uniform(0.06, 0.1)
        for mesh, paint in ((ball((0, 0, 0), (0.047, 0.14, 0.065), 16), skin), (ball((0, 0.07, 0.05), (0.042, 0.062, 0.07), 14), skin)):
            v = mesh[0].copy()
            v[:, 2] = np.maximum(v[:, 2], 0) + 0.02
            m.soft(moved((v, mesh[1]), (x, 0, 0), a), paint)
        m.flat(moved(boxes((-0.042, -0.12, 0), (0.042, 0.13, 0.022)), (x, 0, 0), a), sole)
    return m.thing("shoes", (0.3, 0.3, 0.14))


def scatter_cushion(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w = rng.uniform(0.35, 0.5)
    m.soft(cushion(rng, w, rng.uniform(0.1, 0.16)), p.cloth())
    return m.thing("cushion", (w, w, 0.14))


def photo_stand(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    w, h = rng.uniform(0.09, 0.25), rng.uniform(0.12, 0.3)
    one = framed(p, w, h)
    for mesh, s, f in one.parts:
        v, faces = moved((mesh[0] + (0, 0, h / 2), mesh[1]), (0, 0, 0), 0, -12)
        m.parts.append(((v, faces), s, f))
    return m.thing("photo", (w, 0.1, h))


def figurine(p: Palette) -> Thing:
    m, rng = Make(), p.rng
    h = rng.uniform(0.1, 0.4)
    q = np.clip(0.2 + np.cumsum(rng.normal(0, 0.07, 9)), 0.06, 0.34) * h
    m.soft(
        turned([(0, 0), *zip(q.tolist(), np.linspace(0, h * 0.8, 9).tolist()), (0, h * 0.82)], segments=18),
        p.clay() if rng.random() < 0.7 else p.metal(),
    )
    m.soft(ball((0, 0, h * 0.88), (h * 0.09, h * 0.1, h * 0.12), 14), p.clay())
    return m.thing("figurine", (0.4 * h, 0.4 * h, h))


def small_box(p: Palette) -> Thing:
    return carton(p, p.rng.uniform((0.12, 0.1, 0.06), (0.38, 0.3, 0.3)))


def pot_plant(p: Palette) -> Thing:
    return plant(p, p.rng.uniform(0.15, 0.5))


Maker = Callable[[Palette], Thing]

TABLE: list[Maker] = [book, pile, open_book, papers, papers, mug, mug, drinking_glass, bottle, bottle, bowl, plate, vase, can, packet, packet, phone, remote,
                      candle, tissues, toy, laptop, pot_plant, small_box, photo_stand, clothes, machine]  # fmt: skip
SHELF: list[Maker] = [
    pile,
    upright,
    upright,
    vase,
    packet,
    photo_stand,
    figurine,
    clock,
    pot_plant,
    toy,
    small_box,
    basket,
    binder,
    bottle,
    bowl,
    globe,
    can,
    folded,
]
DESK: list[Maker] = [book, pile, pile, open_book, papers, papers, papers, mug, bottle, drinking_glass, pens, pencil, pencil, phone, tray, binder, packet, clock,
                     table_lamp, photo_stand, pot_plant, can, keyboard, toy, small_box, tissues, upright, globe]  # fmt: skip
KITCHEN: list[Maker] = [
    mug,
    mug,
    drinking_glass,
    bottle,
    bottle,
    bowl,
    plate,
    plate,
    can,
    packet,
    packet,
    pan,
    pan,
    kettle,
    machine,
    machine,
    basket,
    pot_plant,
    papers,
    vase,
]
SEAT: list[Maker] = [scatter_cushion, clothes, book, papers, folded, toy, bag, laptop, remote]
FLOOR: list[Maker] = [shoes, shoes, bag, carton, clothes, toy, toy, pile, basket, pot_plant, scatter_cushion, small_box, bottle, papers]
BATH: list[Maker] = [bottle, bottle, can, mug, folded, packet, tissues, pot_plant, basket, candle]
STOCK: list[Maker] = [carton, small_box, small_box, packet, packet, can, bottle, binder, basket, folded, pan, pile, machine]


class Stock:
    """Things that are made once in a scene and then used again, for they are many. each: how many of one maker there may be."""

    def __init__(self, p: Palette, each: int = 2) -> None:
        self.p, self.each = p, each
        self._made: dict[Maker, list[Thing]] = {}

    def one(self, makers: list[Maker]) -> Thing:
        maker = makers[int(self.p.rng.integers(len(makers)))]
        kept = self._made.setdefault(maker, [])
        if len(kept) < self.each:
            kept.append(maker(self.p))
            return kept[-1]
        return kept[int(self.p.rng.integers(len(kept)))]
