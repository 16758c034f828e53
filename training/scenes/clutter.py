"""Things that float or lie about without order: no layout to lean on, only occlusion, shading and size (after dead leaves in 3D)."""

from __future__ import annotations

import numpy as np

from benchmarks.modelling import Mesh, ball, lathe, tube

from .kit import Kit, Shot, rounded
from .textures import KINDS, any_colour

WEIGHT = 0.06
VIEWS = 4


def solid(kit: Kit) -> Mesh:
    """A simple body of about a metre."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.4:
        size = rng.uniform(0.15, 1, 3)
        return rounded(size, rng.uniform(0.005, 0.2) * size.min())
    if kind < 0.65:
        return ball((0, 0, 0), rng.uniform(0.15, 0.6, 3), 24)
    if kind < 0.85:
        heights = np.linspace(-0.5, 0.5, 12)
        radii = np.abs(0.25 + 0.12 * np.cumsum(rng.normal(0, 0.4, 12))) + 0.03
        return lathe([(0, -0.5), *zip(radii, heights), (0, 0.5)], (0, 0, 0), 24)
    t = np.linspace(0, 1, 24)[:, None]
    bend = rng.normal(0, 0.35, (3, 3))
    return tube(t * bend[0] + np.sin(3 * t) * bend[1] + np.cos(5 * t) * bend[2], rng.uniform(0.02, 0.12), 10)


def build(kit: Kit) -> list[Shot]:
    rng = kit.rng
    surfaces = [kit.surface(str(rng.choice(list(KINDS)))) for _ in range(14)]
    shapes = [kit.add([(solid(kit), surfaces[int(rng.integers(14))])], (0, -500, 0), smooth=bool(rng.random() < 0.5)) for _ in range(14)]
    fov = float(rng.uniform(35, 80))
    deep = float(rng.uniform(4, 40))
    for _ in range(int(rng.integers(25, 110))):
        z = 0.7 * (deep / 0.7) ** rng.random()
        spread = z * np.tan(np.radians(fov / 2)) * 1.3
        size = float(np.clip(0.25 * rng.pareto(1.8) + 0.08, 0.08, 3)) * min(1, 0.25 + z / 4)
        at = (rng.uniform(-spread, spread), z, rng.uniform(-0.8, 0.8) * spread)
        kit.again(shapes[int(rng.integers(14))], at, rng.uniform(0, 360), scale=size, tilt=rng.uniform(0, 360, 2))
    wall = rounded((deep * 4, 0.2, deep * 4), 0.01, (0, deep * 1.1, 0))
    if rng.random() < 0.8:
        kit.add([(wall, surfaces[0])], tilt=(rng.uniform(-25, 25), 0), turn=rng.uniform(-30, 30))
    if rng.random() < 0.5:
        kit.add([(rounded((deep * 4, deep * 4, 0.2), 0.01, (0, deep * 1.5, -rng.uniform(0.6, 3))), surfaces[1])])
    kit.even_light(any_colour(rng) if rng.random() < 0.2 else (0.95, 0.97, 1), rng.uniform(0.2, 0.8))
    kit.sun(rng.uniform(20, 80), rng.uniform(0, 360), rng.uniform(0.5, 4), soft=rng.uniform(0.5, 40))
    shots = []
    for _ in range(VIEWS):
        at = rng.normal(0, 0.25, 3) * (1, 1, 0.6)
        shots.append(Shot.looking(at, rng.uniform(-20, 20), rng.uniform(-15, 15), fov * rng.uniform(0.7, 1), rng.normal(0, 6)))
    return shots
