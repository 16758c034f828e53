"""Small things of true size for the training scenes: vessels, food, books, toys, tools, clothes, plants, statues, animals.

Every maker takes the kit and returns parts (mesh, surface) that stand on z = 0 about the origin, their front towards -y, in metres. Meshes are
made for smooth shading (`kit.add(parts, smooth=True)`): edges that must stay sharp have their vertices doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from benchmarks.modelling import Floats, Mesh, ball, joined, lathe, sheet, tube

from .kit import Kit, Part, rounded
from .textures import Colour, Rng, any_colour, green, hsv, noise

Parts = list[Part]
Surface = bpy.types.Material
Maker = Callable[[Kit], Parts]

_UP = np.array([0, 0, 1.0])


# Shapes


def split(mesh: Mesh) -> Mesh:
    """The same mesh with corners of its own for every face, so that smooth shading leaves it flat."""
    vertices, faces = mesh
    own = np.arange(faces.size).reshape(-1, 4)
    triangle = faces[:, 2] == faces[:, 3]
    own[triangle, 3] = own[triangle, 2]
    return vertices[faces].reshape(-1, 3), own


def block(size: Sequence[float], centre: Sequence[float] = (0, 0, 0), edge: float | None = None) -> Mesh:
    """A box with slightly rounded edges."""
    return split(rounded(size, 0.04 * float(min(size)) if edge is None else edge, centre))


def standing(size: Sequence[float], at: Sequence[float] = (0, 0, 0), edge: float | None = None) -> Mesh:
    """A block whose underside's middle is `at`."""
    return block(size, (at[0], at[1], at[2] + size[2] / 2), edge)


def curve(points: Sequence[Sequence[float]], steps: int = 24) -> Floats:
    """A smooth line (Catmull-Rom) through points K×D: steps×D."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, len(p) - 3 - 1e-9, steps)
    i = t.astype(int)
    u = (t - i)[:, None]
    a, b, c, d = (p[i + k] for k in range(4))
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)


def spun(profile: Sequence[Sequence[float]] | Floats, segments: int = 28) -> Mesh:
    """A lathe whose bends of more than 35 degrees stay sharp."""
    p = np.asarray(profile, float)
    along = np.diff(p, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    sharp = np.concatenate([[False], (along[1:] * along[:-1]).sum(1) < 0.82, [False]])
    return lathe([tuple(q) for q in np.repeat(p, np.where(sharp, 2, 1), axis=0)], (0, 0, 0), segments)


def hollow(outer: Sequence[Sequence[float]] | Floats, wall: float, segments: int = 28) -> Mesh:
    """A vessel: the outer profile from the bottom's middle up to the rim, and the inside back down."""
    p = np.asarray(outer, float)
    inner = p[::-1] * [1, 1]
    inner[:, 0] = np.maximum(inner[:, 0] - wall, 0)
    inner[1:, 1] = np.maximum(inner[1:, 1], wall)
    return spun(np.concatenate([p, inner]), segments)


def pipe(path: Sequence[Sequence[float]] | Floats, radius: float | Floats, segments: int = 8) -> Mesh:
    """A tube with closed ends."""
    path = np.asarray(path, float)
    r = np.broadcast_to(np.asarray(radius, float), len(path))
    ends = np.concatenate([path[:1] - 1e-5 * (path[1:2] - path[:1]), path, path[-1:] + 1e-5 * (path[-1:] - path[-2:-1])])
    return tube(ends, np.concatenate([[0], r, [0]]), segments)


def moved(mesh: Mesh, at: Sequence[float] = (0, 0, 0), turn: float = 0.0, *, lean: float = 0.0, roll: float = 0.0,
          scale: float | Sequence[float] = 1.0) -> Mesh:  # fmt: skip
    """Scaled, turned about x (lean), y (roll) and z (turn), all in degrees, and shifted."""
    a, b, c = np.radians([lean, roll, turn])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (mesh[0] * scale) @ (z @ y @ x).T + np.asarray(at), mesh[1]


def shifted(parts: Parts, at: Sequence[float] = (0, 0, 0), turn: float = 0.0, **kinds: Any) -> Parts:
    """`moved` for all parts of a thing."""
    return [(moved(m, at, turn, **kinds), s) for m, s in parts]


def extent(parts: Parts) -> tuple[Floats, Floats]:
    """The least and the largest coordinates."""
    v = np.concatenate([m[0] for m, _ in parts])
    return v.min(0), v.max(0)


def settled(parts: Parts) -> Parts:
    """Set down on z = 0 with its middle over the origin."""
    low, high = extent(parts)
    return shifted(parts, (-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]))


def rippled(mesh: Mesh, rng: Rng, size: float, amount: float) -> Mesh:
    """Pushed about by waves of about `size` metres by about `amount` metres."""
    v = mesh[0]
    push = np.zeros_like(v)
    for _ in range(6):
        way = rng.normal(size=3)
        way *= 2 * np.pi / size * rng.uniform(0.6, 1.8) / np.linalg.norm(way)
        push += np.sin(v @ way + rng.uniform(0, 6.3))[:, None] * rng.normal(size=3)
    return v + amount * 0.4 * push, mesh[1]


def pillow(size: Sequence[float], square: float = 4.0, steps: int = 20) -> Mesh:
    """A superellipsoid of that size about the origin; square: 2 = round, 8 = nearly a box."""
    v, f = ball((0, 0, 0), (1, 1, 1), steps)
    r = (np.abs(v) ** square).sum(1, keepdims=True) ** (1 / square)
    return v / np.maximum(r, 1e-9) * (np.asarray(size) / 2), f


class Bone(NamedTuple):
    """From one point to another with a radius at either end, metres."""

    a: Sequence[float]
    b: Sequence[float]
    ra: float
    rb: float


def merged(bones: Sequence[Bone], blend: float, cells: int = 46) -> Mesh:
    """One skin around round cones that flow into each other (a smooth union by exponentials); blend: metres."""
    ends = np.array([[b.a, b.b] for b in bones], float)
    radii = np.array([[b.ra, b.rb] for b in bones], float)
    low = (ends - radii[..., None]).min((0, 1)) - 1.6 * blend
    high = (ends + radii[..., None]).max((0, 1)) + 1.6 * blend
    step = float((high - low).max()) / cells
    axes = [np.arange(low[k], high[k] + step, step, dtype=np.float32) for k in range(3)]
    total = np.full([len(a) for a in axes], 1e-7, np.float32)
    reach = 6 * blend
    for (a, b), (ra, rb) in zip(ends, radii):
        near, far = np.minimum(a, b) - max(ra, rb) - reach, np.maximum(a, b) + max(ra, rb) + reach
        cut = tuple(slice(int(np.searchsorted(x, n)), int(np.searchsorted(x, f))) for x, n, f in zip(axes, near, far))
        p = [axes[k][cut[k]].reshape([-1 if j == k else 1 for j in range(3)]) - np.float32(a[k]) for k in range(3)]
        d = (b - a).astype(np.float32)
        t = np.clip((p[0] * d[0] + p[1] * d[1] + p[2] * d[2]) / max(float(d @ d), 1e-12), 0, 1)
        away = np.sqrt((p[0] - t * d[0]) ** 2 + (p[1] - t * d[1]) ** 2 + (p[2] - t * d[2]) ** 2)
        total[cut] += np.exp(np.minimum((ra + t * (rb - ra) - away) / blend, 60))
    v, f, _, _ = marching_cubes(np.log(total), 0.0)
    return v * step + low, np.concatenate([f, f[:, 2:]], 1).astype(np.int64)


def leaves(base: Floats, way: Floats, long: NDArray[Any] | float, wide: NDArray[Any] | float, droop: float = 0.3) -> Mesh:
    """N bent, folded leaves from base N×3 along way N×3 (unit length); droop: how far the tip sinks in shares of its length."""
    n = len(base)
    long, wide = (np.broadcast_to(np.asarray(x, float), n)[:, None, None] for x in (long, wide))
    t = np.linspace(0, 1, 5)[None, :, None]
    side = np.cross(way, _UP + 1e-3)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    above = np.cross(side, way)
    line = base[:, None] + way[:, None] * long * t - _UP * long * droop * t**2
    half = side[:, None] * wide / 2 * np.sin(np.pi * np.clip(t * 0.94 + 0.05, 0, 1))
    lift = above[:, None] * wide * 0.12 * np.sin(np.pi * t)
    points = np.stack([line - half + lift, line, line + half + lift], 2)  # N, 5, 3, 3
    one = sheet(np.zeros((5, 3, 3)))[1]
    return points.reshape(-1, 3), (one[None] + 15 * np.arange(n)[:, None, None]).reshape(-1, 4)


# Surfaces


def paint(kit: Kit, colour: Colour | None = None, rough: float | None = None, metallic: float = 0.0) -> Surface:
    """One colour: glazed, plastic or matt."""
    rng = kit.rng
    return kit.painted(colour or any_colour(rng), rough=float(rng.uniform(0.08, 0.8)) if rough is None else rough, metallic=metallic)


def steel(kit: Kit) -> Surface:
    return paint(kit, hsv(kit.rng.random(), 0.04, kit.rng.uniform(0.45, 0.85)), float(kit.rng.uniform(0.15, 0.45)), 0.9)


def ceramic(kit: Kit) -> Surface:
    """White, coloured, or patterned glaze."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.35:
        return paint(kit, hsv(0.1, rng.uniform(0, 0.12), rng.uniform(0.75, 0.97)), rng.uniform(0.08, 0.4))
    if kind < 0.7:
        return paint(kit, None, rng.uniform(0.08, 0.6))
    kinds = ("marble", "fabric", "plaster", "plain", "picture", "carpet")
    return kit.surface(str(rng.choice(kinds)), metres=rng.uniform(0.08, 0.4), rough=rng.uniform(0.1, 0.6))


def wooden(kit: Kit) -> Surface:
    return kit.surface("wood", metres=kit.rng.uniform(0.15, 0.5))


def anything(kit: Kit) -> Surface:
    """Any surface that a small thing may have."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.45:
        return paint(kit)
    if kind < 0.6:
        return wooden(kit)
    return kit.surface(str(rng.choice(["plain", "fabric", "metal", "marble", "plaster", "picture", "writing", "carpet", "gravel"])),
                       metres=rng.uniform(0.1, 0.5))  # fmt: skip


def printed(kit: Kit, metres: float = 0.2) -> Surface:
    """A label, a cover."""
    return kit.surface("writing" if kit.rng.random() < 0.6 else "picture", metres=metres * kit.rng.uniform(0.7, 1.6))


def dark(kit: Kit) -> Surface:
    return paint(kit, hsv(kit.rng.random(), 0.1, kit.rng.uniform(0.03, 0.14)), kit.rng.uniform(0.2, 0.7))


def _colour(rng: Rng, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    return hsv(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value))


# Vessels


def mug(kit: Kit) -> Parts:
    """A mug or cup with a handle, often filled, now and then on a saucer."""
    rng = kit.rng
    r, h = rng.uniform(0.034, 0.05), rng.uniform(0.06, 0.115)
    foot = r * rng.uniform(0.55, 1)
    body = [(0, 0), (foot, 0), *curve([(foot, 0.002), (r * rng.uniform(0.9, 1.05), h * 0.5), (r, h)], 10)]
    look = ceramic(kit)
    parts: Parts = [(hollow(body, 0.003), look)]
    a = np.linspace(-0.5, 0.5, 10) * np.pi
    out = rng.uniform(0.018, 0.035)
    loop = np.stack([r * 0.94 + out * np.cos(a), 0 * a, h * 0.5 + h * 0.33 * np.sin(a)], 1)
    parts.append((moved(tube(loop, rng.uniform(0.003, 0.006), 8), turn=rng.uniform(0, 360)), look))
    if rng.random() < 0.6:
        level = h * rng.uniform(0.7, 0.92)
        parts.append((spun([(0, level), (r * 0.93, level)]), paint(kit, _colour(rng, (0.04, 0.1), (0.3, 0.8), (0.08, 0.7)), 0.1)))
    if rng.random() < 0.3:
        parts = shifted(parts, (0, 0, 0.008))
        parts.append((hollow([(0, 0), (r * 0.7, 0), (r * 1.3, 0.008), (r * 1.8, 0.016)], 0.003), look))
    return parts


def cup_and_saucer(kit: Kit) -> Parts:
    """A wide cup with its handle on a saucer, mostly filled, with a spoon beside it, perhaps a biscuit or a lump of sugar."""
    rng = kit.rng
    r, h = rng.uniform(0.036, 0.058), rng.uniform(0.042, 0.075)
    look = _crockery(kit)
    foot = r * rng.uniform(0.45, 0.65)
    body = [(0, 0), (foot, 0), (foot, 0.004), *curve([(foot, 0.005), (r * rng.uniform(0.75, 1.0), h * 0.4), (r, h)], 12)]
    rim = r * rng.uniform(1.65, 2.1)
    dish = [(0, 0), (rim * 0.5, 0), (rim * 0.55, 0.004), (rim * 0.8, 0.008), (rim * 0.98, rng.uniform(0.014, 0.024)), (rim, 0.02)]
    parts: Parts = [(hollow(dish, 0.003, 40), look)]
    inner: Parts = [(hollow(body, 0.003, 40), look)]
    a = np.linspace(-0.5, 0.5, 10) * np.pi
    out = rng.uniform(0.016, 0.028)
    loop = np.stack([r * 0.9 + out * np.cos(a), 0 * a, h * 0.55 + h * 0.3 * np.sin(a)], 1)
    turn = rng.uniform(0, 360)
    inner.append((moved(tube(loop, rng.uniform(0.0028, 0.0045), 8), turn=turn), look))
    if rng.random() < 0.85:
        level = h * rng.uniform(0.7, 0.93)
        tone = _colour(rng, (0.04, 0.1), (0.35, 0.85), (0.07, 0.5))
        drink = paint(kit, tone, 0.08)
        inner.append((spun([(0, level), (r * 0.95, level)], 36), drink))
        if rng.random() < 0.5:  # foam, or a figure in it
            pale = paint(kit, _colour(rng, (0.07, 0.1), (0.1, 0.35), (0.75, 0.97)), 0.6)
            disc = ball((0, 0, 0), (r * rng.uniform(0.4, 0.88), r * rng.uniform(0.3, 0.88), 0.004), 24)
            inner.append((moved(rippled(disc, rng, r * 0.5, r * 0.05), (rng.normal(0, 0.1) * r, 0, level), rng.uniform(0, 360)), pale))
    parts += shifted(inner, (0, 0, 0.006))
    if rng.random() < 0.75:
        metal = steel(kit)
        y = np.linspace(0, 1, 10)
        handle = pipe(np.stack([0 * y, -0.05 + 0.075 * y, 0.018 + 0.006 * np.sin(3 * y)], 1), 0.0024, 6)
        v, f = ball((0, 0, 0), (0.013, 0.021, 0.007), 16)
        v[:, 2] = np.minimum(v[:, 2], 0) * 0.9
        spoon: Parts = [(handle, metal), ((v + [0, 0.044, 0.024], f), metal)]
        lies = np.radians(turn + rng.uniform(60, 300))
        parts += shifted(
            spoon, ((r + 0.013) * np.cos(lies), (r + 0.013) * np.sin(lies), 0.002), float(np.degrees(lies)) + rng.normal(0, 12)
        )
    if rng.random() < 0.35:
        lies = rng.uniform(0, 2 * np.pi)
        at = ((r + rim) / 2 * np.cos(lies), (r + rim) / 2 * np.sin(lies), 0.012)
        sweet = block((0.03, 0.018, 0.012), edge=0.003) if rng.random() < 0.5 else ball((0, 0, 0), (0.017, 0.017, 0.006), 16)
        parts.append((moved(sweet, np.add(at, (0, 0, 0.006)), rng.uniform(0, 360)), bread_surface(kit)))
    return parts


def glass(kit: Kit) -> Parts:
    """A tumbler or a wine glass, clear, often with something in it."""
    rng = kit.rng
    clear = kit.glass()
    if rng.random() < 0.5:
        r, h, base = rng.uniform(0.03, 0.045), rng.uniform(0.08, 0.15), 0.006
        parts: Parts = [(hollow([(0, 0), (r * 0.85, 0), (r, h)], 0.002), clear)]
        inside = [(0, base), (r * 0.83, base), (r * 0.9, h * 0.6), (0, h * 0.6)]
    else:
        r, stem, h = rng.uniform(0.03, 0.048), rng.uniform(0.06, 0.1), rng.uniform(0.07, 0.12)
        bowl = curve([(0.004, stem), (r * 0.9, stem + 0.3 * h), (r, stem + 0.55 * h), (r * 0.75, stem + h)], 14)
        parts = [(hollow([(0, 0), (r * 0.9, 0), (0.006, 0.004), (0.004, stem * 0.5), *bowl], 0.0015), clear)]
        inside = [*(bowl[:7] * [0.94, 1] + [0, 0.002]), (0, float(bowl[6][1]) + 0.002)]
    if rng.random() < 0.7:
        parts.append(
            (spun(inside), paint(kit, hsv(rng.choice([0.98, 0.1, 0.13, 0.07, 0.3]), rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.9)), 0.1))
        )
    return parts


def bottle(kit: Kit) -> Parts:
    """Wine, beer, oil, shampoo, cleaner: body, shoulder, neck, cap and mostly a label."""
    rng = kit.rng
    r, h = rng.uniform(0.022, 0.048), rng.uniform(0.14, 0.34)
    neck, shoulder = r * rng.uniform(0.28, 0.6), h * rng.uniform(0.45, 0.72)
    side = curve([(r, shoulder), (r * 0.85, shoulder + (h - shoulder) * 0.25), (neck, shoulder + (h - shoulder) * 0.6), (neck, h)], 12)
    tint = rng.random()
    if tint < 0.15:
        look = kit.glass()
    elif tint < 0.5:
        look = paint(kit, hsv(rng.choice([0.08, 0.3, 0.37, 0.07]), rng.uniform(0.4, 0.9), rng.uniform(0.05, 0.25)), 0.1)
    else:
        look = paint(kit)
    parts: Parts = [(spun([(0, 0), (r * 0.94, 0), (r, 0.006), *side, (0, h)]), look)]
    if rng.random() < 0.8:
        low, high = shoulder * rng.uniform(0.1, 0.3), shoulder * rng.uniform(0.7, 0.97)
        parts.append((spun([(r * 1.01, low), (r * 1.01, high)]), printed(kit, 0.12)))
    if rng.random() < 0.8:
        parts.append((spun([(0, h * 0.93), (neck * 1.2, h * 0.93), (neck * 1.2, h * 1.01), (0, h * 1.01)], 16), paint(kit)))
    return parts


def jar(kit: Kit) -> Parts:
    """A jar or tin with a lid and a label."""
    rng = kit.rng
    r, h = rng.uniform(0.03, 0.06), rng.uniform(0.06, 0.18)
    lid = rng.uniform(0.8, 1.04) * r
    parts: Parts = [
        (
            spun([(0, 0), (r * 0.95, 0), (r, 0.005), (r, h * 0.82), (lid * 0.9, h * 0.88)]),
            steel(kit) if rng.random() < 0.3 else anything(kit),
        ),
        (spun([(lid, h * 0.86), (lid, h * 0.99), (lid * 0.96, h), (0, h)]), paint(kit, metallic=float(rng.random() < 0.4))),
    ]
    if rng.random() < 0.7:
        parts.append((spun([(r * 1.01, h * 0.1), (r * 1.01, h * 0.75)]), printed(kit, 0.12)))
    return parts


def vase(kit: Kit, high: float | None = None) -> Parts:
    """A turned vessel of any outline."""
    rng = kit.rng
    h = high or rng.uniform(0.1, 0.4)
    radii = h * rng.uniform(0.12, 0.36, 5)
    radii[-2] *= 0.7
    side = curve(np.stack([radii, np.linspace(0, h, 5)], 1).tolist(), 22)
    side[:, 0] = np.maximum(side[:, 0], 0.05 * h)
    return [(hollow([(0, 0), *side], 0.006), ceramic(kit))]


def bowl(kit: Kit, r: float | None = None) -> Parts:
    rng = kit.rng
    r = r or rng.uniform(0.06, 0.17)
    h = r * rng.uniform(0.35, 0.75)
    return [(hollow([(0, 0), (r * 0.4, 0), *curve([(r * 0.45, 0.004), (r * 0.85, h * 0.5), (r, h)], 10)], 0.004), _crockery(kit))]


def plate(kit: Kit, r: float | None = None) -> Parts:
    r = r or kit.rng.uniform(0.08, 0.15)
    return [(hollow([(0, 0), (r * 0.6, 0), (r * 0.7, 0.006), (r * 0.97, 0.018), (r, 0.02)], 0.003, 36), _crockery(kit))]


def _crockery(kit: Kit) -> Surface:
    rng = kit.rng
    return (
        paint(kit, hsv(0.1, rng.uniform(0, 0.08), rng.uniform(0.8, 0.97)), rng.uniform(0.1, 0.35)) if rng.random() < 0.5 else ceramic(kit)
    )


def teapot(kit: Kit) -> Parts:
    """A teapot, kettle or jug: belly, spout, handle, lid with a knob."""
    rng = kit.rng
    r, h = rng.uniform(0.06, 0.1), rng.uniform(0.09, 0.2)
    look = steel(kit) if rng.random() < 0.3 else ceramic(kit)
    top = r * rng.uniform(0.4, 0.8)
    side = curve([(r * 0.7, 0), (r, h * 0.4), (top, h)], 14)
    parts: Parts = [(spun([(0, 0), *side, (top * 0.9, h * 1.04), (top * 0.3, h * 1.1), (0, h * 1.1)]), look)]
    parts.append((ball((0, 0, h * 1.15), (top * 0.2,) * 3, 12), look))
    spout = curve([(-r * 0.8, 0, h * 0.35), (-r * 1.3, 0, h * 0.55), (-r * 1.65, 0, h * 0.98)], 10)
    parts.append((tube(spout, np.linspace(r * 0.24, r * 0.1, 10), 10), look))
    if rng.random() < 0.6:
        handle = curve([(r * 0.75, 0, h * 0.85), (r * 1.5, 0, h * 0.75), (r * 1.45, 0, h * 0.35), (r * 0.9, 0, h * 0.22)], 12)
    else:
        a = np.linspace(0.1, np.pi - 0.1, 14)
        handle = np.stack([r * 0.85 * np.cos(a), 0 * a, h * 0.95 + r * 1.1 * np.sin(a)], 1)
    parts.append((tube(handle, 0.007, 8), look))
    return shifted(parts, turn=rng.uniform(0, 360))


def pan(kit: Kit) -> Parts:
    """A frying pan or a saucepan, perhaps with food or a lid."""
    rng = kit.rng
    r, h = rng.uniform(0.08, 0.15), rng.choice([rng.uniform(0.03, 0.05), rng.uniform(0.08, 0.16)])
    look = dark(kit) if rng.random() < 0.5 else steel(kit)
    parts: Parts = [(hollow([(0, 0), (r * 0.88, 0), (r, h)], 0.003), look)]
    if rng.random() < 0.7:
        long = rng.uniform(0.14, 0.22)
        parts.append((pipe([(r * 0.97, 0, h * 0.8), (r + 0.05, 0, h + 0.005), (r + long, 0, h + 0.025)], 0.009), dark(kit)))
    else:
        for s in (-1, 1):
            a = np.linspace(-1, 1, 8)
            grip = np.stack([s * (r + 0.03 * np.cos(a * 1.5)), 0.045 * a, np.full(8, h * 0.85)], 1)
            parts.append((tube(grip, 0.006), look))
    if h > 0.07 and rng.random() < 0.5:
        parts.append((spun([(r * 1.02, h), (r * 0.6, h + 0.02), (0, h + 0.028)]), look))
        parts.append((ball((0, 0, h + 0.04), (0.016,) * 3, 12), dark(kit)))
    elif rng.random() < 0.6:
        parts += shifted(heap(kit, r * 0.85), (0, 0, 0.006))
    return shifted(parts, turn=rng.uniform(0, 360))


def basket(kit: Kit) -> Parts:
    rng = kit.rng
    r, h = rng.uniform(0.08, 0.2), rng.uniform(0.08, 0.3)
    wicker = kit.surface("bricks", _colour(rng, (0.06, 0.11), (0.3, 0.6), (0.3, 0.75)), metres=rng.uniform(0.06, 0.12), bump=True)
    parts: Parts = [(hollow([(0, 0), (r * 0.85, 0), (r, h)], 0.008), wicker)]
    if rng.random() < 0.4:
        a = np.linspace(0, np.pi, 20)
        parts.append((tube(np.stack([r * np.cos(a), 0 * a, h * 0.95 + r * 1.1 * np.sin(a)], 1), 0.009), wicker))
    if rng.random() < 0.6:
        parts += shifted(fruits(kit, r * 0.8, int(rng.integers(4, 10))), (0, 0, h * 0.7))
    return parts


# Food


def fruit(kit: Kit) -> Parts:
    """One apple, orange, pear, lemon, banana, tomato, pepper, egg or potato."""
    rng = kit.rng
    kind = int(rng.integers(9))
    tones = [((-0.03, 0.25), (0.5, 0.85), (0.4, 0.85)), ((0.06, 0.09), (0.75, 0.95), (0.75, 0.95)), ((0.12, 0.22), (0.5, 0.7), (0.5, 0.75)),
             ((0.13, 0.16), (0.7, 0.9), (0.75, 0.95)), ((0.12, 0.16), (0.6, 0.85), (0.65, 0.9)), ((0.0, 0.04), (0.8, 0.95), (0.5, 0.8)),
             ((0.0, 0.33), (0.7, 0.95), (0.4, 0.85)), ((0.06, 0.1), (0.05, 0.4), (0.7, 0.95)), ((0.08, 0.12), (0.3, 0.55), (0.35, 0.7))]  # fmt: skip
    tone = _colour(rng, *tones[kind])
    look = (
        kit.surface("plaster", tone, metres=0.12, rough=rng.uniform(0.2, 0.6))
        if rng.random() < 0.4
        else paint(kit, tone, rng.uniform(0.2, 0.6))
    )
    if kind == 4:
        a = np.linspace(-1, 1, 12)
        path = np.stack([0.085 * np.sin(a), 0.085 * (1 - np.cos(a)), np.full(12, 0.018)], 1)
        return [(pipe(path, 0.018 * np.clip(1.25 - a**4, 0.25, 1), 8), look)]
    r = rng.uniform(0.03, 0.045) * (0.75 if kind in (7, 8) else 1)
    if kind in (0, 5, 6):  # dimpled
        t = np.linspace(0, np.pi, 14)
        side = np.stack([r * np.sin(t) * (1 + 0.12 * np.cos(t)), r * (1 - np.cos(t) * (1 - 0.35 * np.exp(-((t - np.pi) ** 2) / 0.1)))], 1)
        parts: Parts = [(lathe([tuple(p) for p in np.maximum(side, 0)], (0, 0, 0), 20), look)]
        parts.append((pipe([(0, 0, 1.6 * r), (0.002, 0, 2.15 * r)], 0.0018, 5), paint(kit, (0.25, 0.17, 0.08), 0.8)))
    elif kind == 2:
        parts = [(lathe([tuple(p) for p in curve([(0, 0), (r * 0.9, r * 0.5), (r, r), (r * 0.5, r * 2), (r * 0.3, r * 2.6), (0, r * 2.75)], 16)],
                        (0, 0, 0), 20), look)]  # fmt: skip
    else:
        parts = [(ball((0, 0, r), (r * rng.uniform(1, 1.3), r, r), 20), look)]
        if kind in (3, 8):
            parts = [(rippled(parts[0][0], rng, r * 2, r * 0.12), look)]
    lean = rng.choice([0.0, rng.uniform(-90, 90)])
    return settled(shifted(parts, turn=rng.uniform(0, 360), lean=lean))


def fruits(kit: Kit, r: float, count: int) -> Parts:
    """A heap of mostly one or two sorts of fruit within a radius."""
    rng = kit.rng
    sorts = [fruit(kit) for _ in range(int(rng.integers(1, 4)))]
    parts: Parts = []
    for i in range(count):
        a, d = i * 2.4 + rng.normal(0, 0.2), r * 0.75 * np.sqrt((i % 7) / 7)
        parts += shifted(sorts[int(rng.integers(len(sorts)))], (d * np.cos(a), d * np.sin(a), 0.05 * (i // 7)), rng.uniform(0, 360))
    return parts


def heap(kit: Kit, r: float) -> Parts:
    """Cooked or cut food that fills a round of radius r: stew, rice, noodles, salad, peas, soup."""
    rng = kit.rng
    tone = _colour(rng, (0.02, 0.14), (0.3, 0.85), (0.25, 0.9))
    kind = rng.random()
    if kind < 0.3:  # a mound
        v, f = ball((0, 0, 0), (r, r, r * rng.uniform(0.15, 0.5)), 28)
        v[:, 2] = np.maximum(v[:, 2], 0)
        look = kit.surface(str(rng.choice(["gravel", "rock", "plaster", "earth"])), tone, metres=0.08, rough=0.5)
        parts: Parts = [(rippled((v, f), rng, r * 0.4, r * 0.06), look)]
    elif kind < 0.45:  # noodles
        look = paint(kit, _colour(rng, (0.09, 0.13), (0.3, 0.6), (0.7, 0.95)), 0.4)
        parts = []
        strands = []
        for _ in range(26):
            t = np.linspace(0, 6, 26)[:, None]
            p = r * 0.62 * np.sin(t * rng.uniform(0.5, 1.4, 3) + rng.uniform(0, 6.3, 3)) * [1, 1, 0.3]
            p[:, 2] = np.abs(p[:, 2]) * (1 - np.hypot(p[:, 0], p[:, 1]) / r) + 0.004
            strands.append(tube(p, 0.0022, 5))
        parts.append((joined(strands), look))
        if rng.random() < 0.6:
            v, f = ball((0, 0, r * 0.12), (r * 0.45, r * 0.45, r * 0.15), 20)
            parts.append((rippled((v, f), rng, r * 0.3, r * 0.05), paint(kit, _colour(rng, (0, 0.06), (0.6, 0.9), (0.3, 0.7)), 0.3)))
    elif kind < 0.65:  # leaves
        n = 60
        a, d = rng.uniform(0, 6.3, n), r * 0.8 * np.sqrt(rng.random(n))
        base = np.stack([d * np.cos(a), d * np.sin(a), 0.02 * (1 - d / r) * rng.random(n) + 0.006], 1)
        way = rng.normal(size=(n, 3)) * [1, 1, 0.35] + [0, 0, 0.3]
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        parts = []
        for k in range(2):
            one = leaves(base[k::2], way[k::2], r * rng.uniform(0.3, 0.6, n // 2), r * rng.uniform(0.15, 0.35, n // 2), 0.3)
            one[0][:, 2] = np.maximum(one[0][:, 2], 0.003)
            parts.append((one, kit.surface("foliage", metres=0.1) if k else paint(kit, green(rng), 0.5)))
    elif kind < 0.85:  # pieces
        small = rng.uniform(0.006, 0.016)
        n = int(min(90, 1.1 * (r / small) ** 2))
        looks = [paint(kit, _colour(rng, (0.0, 0.35), (0.4, 0.85), (0.35, 0.9)), 0.4) for _ in range(3)]
        sets: list[list[Mesh]] = [[], [], []]
        boxes = rng.random() < 0.5
        for _ in range(n):
            a, d = rng.uniform(0, 6.3), r * 0.85 * np.sqrt(rng.random())
            at = (d * np.cos(a), d * np.sin(a), small * (0.6 + 1.6 * rng.random() * (1 - d / r)))
            one = block((small * 1.6, small * 1.3, small), edge=small * 0.2) if boxes else ball((0, 0, 0), (small * 0.8,) * 3, 8)
            sets[int(rng.integers(3))].append(moved(one, at, rng.uniform(0, 360), lean=rng.uniform(-40, 40)))
        parts = [(joined(s), look) for s, look in zip(sets, looks) if s]
    else:  # soup
        parts = [(spun([(0, r * 0.3), (r * 0.9, r * 0.3), (r * 0.9, 0)]), kit.surface("plaster", tone, metres=0.1, rough=0.15))]
        for _ in range(int(rng.integers(0, 8))):
            a, d = rng.uniform(0, 6.3), r * 0.6 * np.sqrt(rng.random())
            parts.append((ball((d * np.cos(a), d * np.sin(a), r * 0.3), (0.012, 0.009, 0.006), 10), paint(kit, green(rng), 0.4)))
    return parts


def served(kit: Kit) -> Parts:
    """A plate or bowl with a dish on it."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.25:
        r = rng.uniform(0.07, 0.13)
        deep = bowl(kit, r)
        top = extent(deep)[1][2]
        return deep + shifted(heap(kit, r * 0.8), (0, 0, top * rng.uniform(0.4, 0.7)))
    r = rng.uniform(0.1, 0.15)
    parts = plate(kit, r)
    base = (0, 0, 0.008)
    if kind < 0.4:
        return parts + shifted(heap(kit, r * 0.7), base)
    if kind < 0.6:  # meat with two sides
        for k in range(3):
            a = 2.1 * k + rng.normal(0, 0.2)
            at = (r * 0.36 * np.cos(a), r * 0.36 * np.sin(a), 0.008)
            if k == 0:
                lump = rippled(pillow((r * 0.8, r * 0.6, r * 0.25), 3), rng, r * 0.5, r * 0.06)
                look = kit.surface("rock", _colour(rng, (0.02, 0.08), (0.4, 0.7), (0.2, 0.5)), metres=0.12, rough=0.4)
                parts += shifted(settled([(lump, look)]), at, rng.uniform(0, 360))
            else:
                parts += shifted(heap(kit, r * 0.32), at)
        return parts
    if kind < 0.68:
        return parts + shifted(pizza(kit, r * 0.9), base)
    if kind < 0.78:
        return parts + shifted(cake(kit, r * 0.7), base)
    if kind < 0.86:
        return parts + shifted(burger(kit), base)
    if kind < 0.93:  # rolls, biscuits, sushi in rows
        n, look, top = int(rng.integers(3, 9)), bread_surface(kit), paint(kit, _colour(rng, (0, 0.12), (0.5, 0.9), (0.5, 0.9)), 0.4)
        for i in range(n):
            at = (r * 0.4 * (i % 3 - 1), r * 0.4 * (i // 3 - 1) + 0.01, 0.008)
            parts.append((moved(pillow((0.05, 0.03, 0.024), 4, 12), np.add(at, (0, 0, 0.012)), rng.normal(0, 12)), look))
            parts.append((moved(pillow((0.052, 0.028, 0.01), 3, 12), np.add(at, (0, 0, 0.026)), rng.normal(0, 12)), top))
        return parts
    return parts + shifted(fruits(kit, r * 0.6, int(rng.integers(3, 8))), base)


def bread_surface(kit: Kit) -> Surface:
    return kit.surface("plaster", _colour(kit.rng, (0.06, 0.1), (0.4, 0.7), (0.35, 0.8)), metres=0.15, rough=0.7)


def pizza(kit: Kit, r: float = 0.15) -> Parts:
    rng = kit.rng
    parts: Parts = [
        (spun([(0, 0), (r, 0), *curve([(r, 0.003), (r * 0.97, 0.02), (r * 0.88, 0.01)], 6), (0, 0.01)], 36), bread_surface(kit)),
        (
            spun([(0, 0.0115), (r * 0.87, 0.0115)], 36),
            kit.surface("plaster", _colour(rng, (0.02, 0.12), (0.6, 0.9), (0.6, 0.9)), metres=0.07),
        ),
    ]
    looks = [paint(kit, _colour(rng, h, (0.5, 0.9), (0.2, 0.8)), 0.4) for h in ((0, 0.05), (0.2, 0.35), (0.02, 0.1))]
    for _ in range(int(rng.integers(8, 26))):
        a, d, s = rng.uniform(0, 6.3), r * 0.8 * np.sqrt(rng.random()), rng.uniform(0.006, 0.02)
        parts.append((moved(pillow((s * 2, s * 2, 0.007), 3, 10), (d * np.cos(a), d * np.sin(a), 0.014)), looks[int(rng.integers(3))]))
    return parts


def cake(kit: Kit, r: float = 0.11) -> Parts:
    """A round cake in layers, whole or with a piece missing, or one slice of it."""
    rng = kit.rng
    h = rng.uniform(0.04, 0.1)
    share = float(rng.choice([2 * np.pi, rng.uniform(4, 5.6), rng.uniform(0.5, 0.8)]))
    looks = [bread_surface(kit), paint(kit, _colour(rng, (-0.05, 0.12), (0.05, 0.6), (0.3, 0.97)), 0.4)]
    layers = int(rng.integers(1, 4)) * 2
    a = np.linspace(0, share, 30)
    parts: Parts = []
    for k in range(layers):
        z0, z1 = h * k / layers, h * (k + 1) / layers
        ring = np.stack([r * np.cos(a), r * np.sin(a)], 1)
        if share < 6.2:
            ring = np.concatenate([[[0, 0]], ring, [[0, 0]]])
        wall = np.stack([np.c_[ring, np.full(len(ring), z)] for z in (z0, z1)])
        lid = np.stack([np.c_[ring, np.full(len(ring), z1)], np.c_[0 * ring, np.full(len(ring), z1)]])
        parts += [(split(sheet(wall)), looks[k % 2]), (sheet(lid), looks[1])]
    if rng.random() < 0.5:
        for i in range(int(rng.integers(3, 10))):
            b = share * (i + 0.5) / 10
            parts.append(
                (ball((r * 0.75 * np.cos(b), r * 0.75 * np.sin(b), h + 0.008), (0.01,) * 3, 12), paint(kit, (0.6, 0.08, 0.1), 0.2))
            )
    return settled(parts)


def burger(kit: Kit) -> Parts:
    """Bread with things between, round or a loaf's slices."""
    rng = kit.rng
    square, w = float(rng.choice([2.2, 5])), rng.uniform(0.09, 0.12)
    bun = bread_surface(kit)
    parts: Parts = []
    z = 0.0
    hues = ((0.02, 0.08), (0.2, 0.35), (0.1, 0.14), (0, 0.03))
    for k in range(int(rng.integers(4, 7))):
        tall = 0.028 if k == 0 else rng.uniform(0.006, 0.02)
        look = bun if k == 0 else paint(kit, _colour(rng, hues[int(rng.integers(4))], (0.4, 0.9), (0.25, 0.85)), 0.5)
        layer = pillow((w * rng.uniform(0.95, 1.08), w * rng.uniform(0.95, 1.08), tall), max(square, 3), 24)
        parts.append((moved(rippled(layer, rng, 0.03, 0.003), (0, 0, z + tall / 2)), look))
        z += tall * 0.85
    v, f = pillow((w, w, 0.07), square if square < 3 else 4, 24)
    v[:, 2] = np.maximum(v[:, 2], -0.01)
    parts.append(((v + [0, 0, z + 0.01], f), bun))
    return parts


def loaf(kit: Kit) -> Parts:
    """A loaf, roll or baguette, perhaps on a board."""
    rng = kit.rng
    size = (rng.uniform(0.1, 0.45), rng.uniform(0.07, 0.14), rng.uniform(0.06, 0.12))
    parts = settled([(rippled(pillow(size, rng.uniform(2.2, 3.5), 24), rng, 0.06, 0.006), bread_surface(kit))])
    if rng.random() < 0.5:
        parts = [*shifted(parts, (0, 0, 0.018)), (standing((size[0] + 0.1, size[1] + 0.1, 0.018)), wooden(kit))]
    return shifted(parts, turn=rng.uniform(0, 360))


def cutlery(kit: Kit) -> Parts:
    """A knife, fork, spoon or a pair of chopsticks lying along y."""
    rng = kit.rng
    look = steel(kit) if rng.random() < 0.75 else paint(kit)
    kind = int(rng.integers(4))
    y = np.linspace(-0.1, 0.1, 16)
    handle = pipe(np.stack([0 * y, y - 0.02, 0.004 + 0.006 * np.clip(y * 10, 0, 1)], 1), 0.0042, 6)
    if kind == 0:
        return [(handle, look), (block((0.018, 0.11, 0.0018), (0.004, 0.12, 0.009)), look)]
    if kind == 1:
        tines = [
            pipe([(x, 0.1, 0.009), (x * 1.3, 0.13, 0.006), (x * 1.2, 0.165, 0.011)], 0.0016, 5) for x in (-0.009, -0.003, 0.003, 0.009)
        ]
        return [(joined([handle, *tines, block((0.02, 0.02, 0.002), (0, 0.095, 0.009))]), look)]
    if kind == 2:
        v, f = ball((0, 0, 0), (0.021, 0.033, 0.012), 16)
        v[:, 2] = np.minimum(v[:, 2], 0) * 0.9
        return [(handle, look), ((v + [0, 0.115, 0.012], f), look)]
    return [(pipe([(x, -0.12, 0.004), (x * 0.4, 0.12, 0.006)], 0.0035, 6), look) for x in (-0.008, 0.012)]


def setting(kit: Kit) -> Parts:
    """What lies before one guest: a served plate, cutlery, a glass or cup, perhaps a napkin or mat."""
    rng = kit.rng
    parts: Parts = served(kit)
    if rng.random() < 0.4:
        cloth = kit.surface("fabric", metres=0.3)
        parts = shifted(parts, (0, 0, 0.003)) + [(standing((0.44, 0.32, 0.003), edge=0.001), cloth)]
    for x in (-0.17, 0.17, 0.195):
        if rng.random() < 0.8:
            parts += shifted(cutlery(kit), (x + rng.normal(0, 0.006), rng.normal(0, 0.01), 0.003), rng.normal(0, 6))
    if rng.random() < 0.8:
        parts += shifted(glass(kit) if rng.random() < 0.5 else mug(kit), (rng.uniform(0.1, 0.2), rng.uniform(0.16, 0.24), 0))
    if rng.random() < 0.4:
        parts += shifted(bowl(kit, 0.06), (-rng.uniform(0.14, 0.2), rng.uniform(0.14, 0.2), 0))
    return parts


# Paper, boxes, desk


def book(kit: Kit, look: Surface | None = None) -> Parts:
    """A book lying flat, its spine along y at -x."""
    rng = kit.rng
    w, h, t = rng.uniform(0.1, 0.24), rng.uniform(0.16, 0.31), rng.uniform(0.008, 0.05)
    look = look or (printed(kit) if rng.random() < 0.6 else paint(kit))
    c = 0.0025 if rng.random() < 0.6 else 0.0006
    pages = paint(kit, _colour(rng, (0.1, 0.14), (0.02, 0.2), (0.75, 0.95)), 0.9)
    return [
        (block((w - 0.004, h - 0.008, t - 2 * c), (0, 0, t / 2), 0.0003), pages),
        (
            joined(
                [
                    block((w, h, c), (0, 0, c / 2), 0.0003),
                    block((w, h, c), (0, 0, t - c / 2), 0.0003),
                    block((c, h, t), (-w / 2, 0, t / 2), 0.0003),
                ]
            ),
            look,
        ),
    ]


def upright_book(kit: Kit, look: Surface | None = None) -> Parts:
    """A book that stands, its spine to the front."""
    return settled(shifted([(m, s) for m, s in book(kit, look)], lean=90, turn=90))


def books(kit: Kit) -> Parts:
    """A stack of two to eight books."""
    rng = kit.rng
    parts: Parts = []
    z = 0.0
    for _ in range(int(rng.integers(2, 9))):
        one = book(kit)
        parts += shifted(one, (rng.normal(0, 0.01), rng.normal(0, 0.01), z), rng.choice([0, 90, 180]) + rng.normal(0, 8))
        z += float(extent(one)[1][2])
    return parts


def row_of_books(kit: Kit, wide: float, high: float, looks: Sequence[Surface], deep: float = 0.25) -> Parts:
    """Books side by side along x, their spines to -y, in a compartment of that width and height."""
    rng = kit.rng
    parts: Parts = []
    x = 0.0
    usual = high * rng.uniform(0.65, 0.9)
    while True:
        t = rng.uniform(0.012, 0.055)
        if x + t > wide:
            return parts
        h, d = min(usual * rng.uniform(0.75, 1.08), high * 0.97), min(deep, rng.uniform(0.12, 0.22))
        lean = float(np.degrees(np.arctan2(rng.uniform(0.02, 0.08), h))) if rng.random() < 0.06 else 0.0
        one = moved(standing((t * 0.97, d, h), (0, d / 2 + rng.uniform(0, 0.03), 0), 0.002), (x + t / 2, 0, 0), roll=lean)
        parts.append((one, looks[int(rng.integers(len(looks)))]))
        x += t + (h * np.sin(np.radians(lean)) if lean else 0)


def open_book(kit: Kit) -> Parts:
    rng = kit.rng
    w, h = rng.uniform(0.12, 0.22), rng.uniform(0.18, 0.3)
    x = np.linspace(-1, 1, 24)
    z = 0.012 + 0.02 * np.abs(x) ** 0.5 * (1 - np.abs(x)) * 2.2
    top = np.stack([np.stack([x * w, np.full(24, y), z], 1) for y in (-h / 2, h / 2)])
    return [(sheet(top), kit.surface("writing", (0.93, 0.91, 0.86), metres=w)), (standing((2 * w + 0.01, h + 0.01, 0.011)), paint(kit))]


def papers(kit: Kit) -> Parts:
    """Sheets of paper lying over each other."""
    rng = kit.rng
    look, parts = kit.surface("writing", (0.93, 0.93, 0.91), metres=0.25), []
    for k in range(int(rng.integers(1, 7))):
        flat = np.stack(np.meshgrid(np.linspace(-0.105, 0.105, 5), np.linspace(-0.148, 0.148, 7)), -1)
        curl = rng.uniform(0, 0.012) * (np.abs(flat).sum(2) / 0.25) ** 3
        at = (*rng.normal(0, 0.05, 2), 0.0008 * (k + 1))
        parts.append((moved(sheet(np.dstack([flat, curl])), at, rng.normal(0, 25)), look))
    return parts


def parcel(kit: Kit) -> Parts:
    """A cardboard box, closed with tape or open."""
    rng = kit.rng
    size = rng.uniform(0.07, 0.24, 3) * (1, 1, 0.8) * rng.choice([1, 1, 2])
    card = kit.surface("plain", _colour(rng, (0.07, 0.1), (0.3, 0.55), (0.5, 0.78)), metres=0.5)
    if rng.random() < 0.7:
        parts: Parts = [(standing(size, edge=0.002), card)]
        if rng.random() < 0.7:
            parts.append((standing((0.05, size[1] * 1.004, size[2] * 1.004), edge=0.0005), paint(kit, (0.75, 0.62, 0.4), 0.3)))
        if rng.random() < 0.5:
            parts.append((block((size[0] * 0.4, 0.002, size[2] * 0.4), (0, -size[1] / 2, size[2] * 0.5), 0.0002), printed(kit)))
        return parts
    w, d, h = size
    t = 0.005
    walls = [standing((w, t, h), (0, s * d / 2, 0)) for s in (-1, 1)] + [standing((t, d, h), (s * w / 2, 0, 0)) for s in (-1, 1)]
    flaps = [moved(block((w, d * 0.5, t), (0, -d * 0.25, 0)), (0, -d / 2, h), lean=rng.uniform(-30, 70)),
             moved(block((w, d * 0.5, t), (0, -d * 0.25, 0)), (0, d / 2, h), 180, lean=rng.uniform(-30, 70))]  # fmt: skip
    return [(joined([*walls, *flaps, standing((w, d, t))]), card)]


def packet(kit: Kit) -> Parts:
    """A printed carton: cereal, a game, tea, medicine, milk."""
    rng = kit.rng
    size = np.sort(rng.uniform(0.04, 0.3, 3))[[1, 0, 2]]
    if rng.random() < 0.2:
        size = size[[0, 2, 1]]
    return [(standing(size, edge=0.0015), printed(kit) if rng.random() < 0.75 else paint(kit))]


def laptop(kit: Kit) -> Parts:
    rng = kit.rng
    w, d = rng.uniform(0.29, 0.38), rng.uniform(0.2, 0.25)
    case = paint(kit, hsv(0.6, 0.04, rng.choice([0.08, 0.6, 0.75])), 0.4, 0.3)
    screen = kit.surface("picture" if rng.random() < 0.5 else "writing", metres=w, glow=rng.choice([0.0, rng.uniform(0.4, 1.5)]))
    lid = [(block((w, 0.006, d), (0, 0, d / 2)), case), (block((w - 0.02, 0.002, d - 0.024), (0, -0.0035, d / 2 + 0.002), 0.0003), screen)]
    keys = [block((w / 17, 0.013, 0.003), ((i - 6.5) * w / 15, 0.07 - 0.018 * j, 0.0165), 0.0005) for j in range(5) for i in range(14)]
    parts: Parts = [(standing((w, d, 0.016)), case), (joined(keys), dark(kit))]
    parts.append((block((0.1, 0.06, 0.001), (0, -0.06, 0.0165), 0.0003), paint(kit, (0.3, 0.3, 0.32), 0.4)))
    return parts + shifted(lid, (0, d / 2, 0.014), lean=-rng.uniform(5, 35))


def monitor(kit: Kit) -> Parts:
    rng = kit.rng
    w = rng.uniform(0.45, 0.75)
    h, z, case = w * rng.choice([0.58, 0.63]), rng.uniform(0.08, 0.16), dark(kit)
    screen = dark(kit) if rng.random() < 0.3 else kit.surface(str(rng.choice(["picture", "writing"])), metres=w, glow=rng.uniform(0.5, 2))
    return [
        (block((w, 0.03, h), (0, 0, z + h / 2)), case),
        (block((w - 0.025, 0.004, h - 0.025), (0, -0.015, z + h / 2), 0.0005), screen),
        (standing((0.05, 0.03, z + 0.1), (0, 0.03, 0)), case),
        (standing((0.24, 0.18, 0.014), (0, 0.03, 0)), case),
    ]


def keyboard(kit: Kit) -> Parts:
    rng = kit.rng
    keys = [block((0.016, 0.016, 0.008), (i * 0.019 - 0.2, j * 0.019 - 0.04, 0.021), 0.002) for j in range(5) for i in range(22)]
    case = paint(kit, hsv(0.6, 0.03, rng.choice([0.05, 0.2, 0.85])), 0.5)
    return [(standing((0.44, 0.13, 0.018)), case), (joined(keys), case if rng.random() < 0.6 else paint(kit))]


def phone(kit: Kit) -> Parts:
    rng = kit.rng
    s = rng.choice([1.0, 1.0, 1.7, 2.2])
    look = kit.surface("picture", metres=0.1, rough=0.1, glow=rng.uniform(0.2, 1)) if rng.random() < 0.4 else dark(kit)
    return [(standing((0.072 * s, 0.15 * s, 0.008)), dark(kit)), (block((0.066 * s, 0.14 * s, 0.0006), (0, 0, 0.0083), 0.0001), look)]


def mouse(kit: Kit) -> Parts:
    v, f = pillow((0.062, 0.11, 0.07), 2.5, 18)
    v[:, 2] = np.maximum(v[:, 2], 0)
    return [((v, f), paint(kit))]


def pens(kit: Kit) -> Parts:
    """A cup of pens, pencils, brushes or kitchen tools."""
    rng = kit.rng
    r, h = rng.uniform(0.03, 0.055), rng.uniform(0.08, 0.15)
    parts: Parts = [(hollow([(0, 0), (r * 0.95, 0), (r, h)], 0.003), anything(kit))]
    for _ in range(int(rng.integers(3, 11))):
        a, b = rng.uniform(0, 6.3, 2)
        foot = np.array([0.5 * r * np.cos(a), 0.5 * r * np.sin(a), 0.006])
        tip = np.array([0.92 * r * np.cos(b), 0.92 * r * np.sin(b), h])
        end = foot + (tip - foot) * rng.uniform(1.3, 2.1)
        thick = rng.uniform(0.003, 0.006)
        parts.append((pipe([foot, end], thick, 7), paint(kit)))
        if rng.random() < 0.5:
            parts.append((ball(end, (thick * rng.uniform(1, 4),) * 2 + (thick * rng.uniform(2, 6),), 10), paint(kit)))
    return parts


def pencils(kit: Kit) -> Parts:
    """Pens lying about."""
    rng = kit.rng
    made: Parts = []
    for _ in range(int(rng.integers(1, 5))):
        one = pipe([(0, -0.075, 0.004), (0, 0.065, 0.004), (0, 0.08, 0.004)], np.array([0.004, 0.004, 0.0006]), 7)
        made.append((moved(one, (*rng.normal(0, 0.03, 2), 0), rng.uniform(0, 360)), paint(kit)))
    return made


# Toys


def cone(kit: Kit) -> Parts:
    """A cone of paper, felt or plastic, plain or with a foot."""
    rng = kit.rng
    h = rng.uniform(0.12, 0.5)
    r = h * rng.uniform(0.15, 0.4)
    parts: Parts = [(spun([(r, 0), (r * rng.uniform(0.02, 0.15), h), (0, h)], 32), anything(kit))]
    if rng.random() < 0.25:
        parts.append((standing((r * 2.5, r * 2.5, 0.015)), paint(kit)))
    return parts


def blocks(kit: Kit) -> Parts:
    """Building blocks in a small construction or scattered."""
    rng = kit.rng
    unit, looks = rng.uniform(0.025, 0.06), [paint(kit) for _ in range(4)] + [wooden(kit)]
    parts: Parts = []
    for column in range(int(rng.integers(2, 7))):
        z, at = 0.0, (rng.normal(0, 2.2 * unit), rng.normal(0, 2.2 * unit))
        for _ in range(int(rng.integers(1, 6))):
            size = unit * rng.choice([1, 1, 2], 3) * (1, 1, rng.choice([0.5, 1]))
            turn = rng.normal(0, 10) + 25 * column
            parts.append((moved(standing(size, edge=0.05 * unit), (*at, z), turn), looks[int(rng.integers(5))]))
            z += float(size[2])
    return parts


def toy_ball(kit: Kit) -> Parts:
    r = kit.rng.choice([kit.rng.uniform(0.025, 0.05), kit.rng.uniform(0.08, 0.13)])
    return [(ball((0, 0, r), (r,) * 3, 28), anything(kit))]


def teddy(kit: Kit) -> Parts:
    """A sitting soft toy: bear, rabbit, monkey."""
    rng = kit.rng
    s = rng.uniform(0.12, 0.45)
    ear, long = rng.uniform(0.07, 0.1), rng.choice([0.0, 0.0, rng.uniform(0.1, 0.3)])
    bones = [Bone((0, 0, 0.2), (0, 0, 0.42), 0.19, 0.14), Bone((0, -0.02, 0.68), (0, -0.02, 0.7), 0.18, 0.18)]
    for x in (-1, 1):
        bones.append(Bone((0.12 * x, 0, 0.48), (0.3 * x, -rng.uniform(0, 0.2), rng.uniform(0.2, 0.45)), 0.07, 0.06))
        bones.append(Bone((0.12 * x, -0.05, 0.1), (0.22 * x, -0.36, 0.08), 0.09, 0.085))
        bones.append(Bone((0.13 * x, 0, 0.83), (0.15 * x, 0, 0.85 + long), ear, ear * 0.9))
    fur = kit.surface("gravel", _colour(rng, (0.02, 0.14), (0.1, 0.6), (0.2, 0.9)), metres=rng.uniform(0.5, 1))
    parts: Parts = [(merged(bones, 0.02), fur), (ball((0, -0.18, 0.64), (0.09, 0.08, 0.07), 14), paint(kit, (0.8, 0.7, 0.55), 0.9))]
    parts += [(ball((x, -0.17, 0.74), (0.02,) * 3, 8), dark(kit)) for x in (-0.07, 0.07)] + [
        (ball((0, -0.25, 0.67), (0.03, 0.02, 0.02), 8), dark(kit))
    ]
    return settled(shifted(parts, scale=s))


def toy_car(kit: Kit) -> Parts:
    """A car, van or lorry that drives towards -y."""
    rng = kit.rng
    s, look = rng.uniform(0.06, 0.3), paint(kit, rough=rng.uniform(0.1, 0.5))
    w, high = rng.uniform(0.38, 0.5), rng.uniform(0.16, 0.24)
    cab = rng.uniform(0.35, 0.75)
    middle = rng.uniform(-0.1, 0.2)
    parts: Parts = [
        (moved(pillow((w, 1, high), 8), (0, 0, 0.08 + high / 2)), look),
        (moved(pillow((w * 0.9, cab, rng.uniform(0.25, 0.5)), 6), (0, middle, 0.08 + high)), dark(kit) if rng.random() < 0.4 else look),
    ]
    wheel = moved(spun([(0, -0.05), (0.1, -0.05), (0.1, 0.05), (0, 0.05)], 18), roll=90)
    parts += [(moved(wheel, (x * w / 2, y, 0.1)), dark(kit)) for x in (-1, 1) for y in (-0.3, 0.3)]
    return shifted(parts, scale=s, turn=rng.uniform(0, 360))


def pawn(kit: Kit) -> Parts:
    """A turned figure: chess piece, nutcracker, doll, skittle."""
    rng = kit.rng
    h = rng.choice([rng.uniform(0.05, 0.12), rng.uniform(0.12, 0.35)])
    r = h * rng.uniform(0.15, 0.28)
    side = curve([(r, 0), (r * rng.uniform(0.7, 1.1), h * 0.25), (r * rng.uniform(0.35, 0.9), h * 0.5), (r * 0.4, h * 0.66)], 14)
    look = anything(kit)
    parts: Parts = [(spun([(0, 0), *side, (0, h * 0.67)], 20), look)]
    parts.append(
        (ball((0, 0, h * 0.8), (r * 0.65, r * 0.65, h * 0.17), 18), look if rng.random() < 0.4 else paint(kit, (0.8, 0.6, 0.45), 0.6))
    )
    if rng.random() < 0.4:
        parts.append((spun([(r * 0.8, h * 0.9), (r * 0.5, h * 0.92), (r * 0.4, h), (0, h * 1.02)], 16), paint(kit)))
    return parts


def rings(kit: Kit) -> Parts:
    """A tower of rings, or one roll of tape."""
    rng = kit.rng
    count = int(rng.integers(1, 7))
    parts: Parts = []
    z, r = 0.0, rng.uniform(0.03, 0.07)
    thick = r * rng.uniform(0.2, 0.45)
    a = np.linspace(0, 2 * np.pi, 26)
    for k in range(count):
        size = r * (1 - 0.6 * k / max(count, 4))
        parts.append((tube(np.stack([size * np.cos(a), size * np.sin(a), 0 * a + z + thick * 0.5], 1), thick * 0.5, 10), paint(kit)))
        z += thick
    return parts


def robot(kit: Kit) -> Parts:
    """A figure of blocks."""
    rng = kit.rng
    looks = [paint(kit) for _ in range(3)]
    w = rng.uniform(0.25, 0.45)
    parts: Parts = [(block((w, 0.25, 0.4), (0, 0, 0.5)), looks[0]), (block((0.26, 0.24, 0.24), (0, 0, 0.85)), looks[1])]
    for x in (-1, 1):
        parts.append((standing((w * 0.4, 0.25, 0.32), (x * w * 0.27, -0.02, 0)), looks[2]))
        parts.append((moved(block((0.1, 0.12, 0.42), (0, 0, -0.17)), (x * (w / 2 + 0.055), 0, 0.66), lean=rng.uniform(-120, 20)), looks[1]))
        parts.append((ball((x * 0.06, -0.12, 0.88), (0.03, 0.02, 0.03), 10), dark(kit)))
    return settled(shifted(parts, scale=rng.uniform(0.08, 0.4)))


def mask(kit: Kit) -> Parts:
    """A face to hang up or lean on something: carved, painted or plaster; its back at y = 0."""
    rng = kit.rng
    h = rng.uniform(0.16, 0.4)
    w = h * rng.uniform(0.6, 0.85)
    r, a = np.meshgrid(np.linspace(0, 1, 28), np.linspace(0, 2 * np.pi, 49))
    x, z = r * np.cos(a), r * np.sin(a)

    def bump(cx: float, cz: float, sx: float, sz: float) -> Any:
        return np.exp(-(((x - cx) / sx) ** 2) - ((z - cz) / sz) ** 2)

    out = 0.75 * np.sqrt(np.clip(1.02 - r**2, 0, 1)) + rng.uniform(0.2, 0.5) * bump(0, -0.08, 0.12, 0.25)
    eye, wide = rng.uniform(0.2, 0.32), rng.uniform(0.08, 0.16)
    for s in (-1, 1):
        out = out - rng.uniform(0.15, 0.3) * bump(s * eye, 0.16, wide, 0.08) + 0.12 * bump(s * 0.4, -0.15, 0.2, 0.2)
    out = out - 0.15 * bump(0, -0.5, 0.25, 0.05) + 0.1 * bump(0, -0.58, 0.2, 0.05) + 0.1 * bump(0, 0.3, 0.5, 0.06)
    face = np.dstack([x * w / 2 * (1 - 0.12 * z), -out * w * 0.45, z * h / 2 + h / 2])
    look = anything(kit)
    parts: Parts = [(sheet(face), look)]
    paint_eyes = dark(kit)
    parts += [(ball((s * eye * w / 2, -0.55 * w * 0.45, h * 0.58), (wide * w * 0.45, 0.02 * w, 0.03 * h), 12), paint_eyes) for s in (-1, 1)]
    return parts


# Clothes and bags


def shoes(kit: Kit) -> Parts:
    """A pair of shoes or boots, or one lying over."""
    rng = kit.rng
    long, high = rng.uniform(0.2, 0.3), rng.choice([rng.uniform(0.03, 0.06), rng.uniform(0.08, 0.25)])
    bones = [Bone((0, -0.42, 0.1), (0, -0.3, 0.14), 0.1, 0.13), Bone((0, -0.3, 0.14), (0, 0.1, 0.22), 0.13, 0.12),
             Bone((0, 0.1, 0.2), (0, 0.36, 0.2), 0.12, 0.11), Bone((0, 0.28, 0.25), (0, 0.3, 0.25 + high / long), 0.14, 0.15)]  # fmt: skip
    v, f = merged([Bone(np.multiply(b.a, long), np.multiply(b.b, long), b.ra * long, b.rb * long) for b in bones], 0.012, 36)
    v[:, 2] = np.clip(v[:, 2], 0, (0.33 * long) + high)
    look = anything(kit)
    sole = moved(pillow((0.27 * long, 1.02 * long, 0.03), 3, 18), (0, -0.01 * long, 0.012))
    hole = moved(spun([(0, 0), (0.12 * long, 0)], 16), (0, 0.3 * long, 0.33 * long + high + 0.001))
    one: Parts = [((v, f), look), (sole, paint(kit)), (hole, dark(kit))]
    other = shifted(one, (rng.uniform(0.1, 0.16), rng.normal(0, 0.05), 0), rng.normal(0, 20))
    if rng.random() < 0.2:
        other = shifted(settled(shifted(one, roll=90)), (0.2, 0, 0), rng.uniform(0, 90))
    return one + other


def bag(kit: Kit) -> Parts:
    """A handbag, shopping bag, suitcase or rucksack."""
    rng = kit.rng
    w, d, h = rng.uniform(0.2, 0.45), rng.uniform(0.08, 0.2), rng.uniform(0.18, 0.5)
    look = anything(kit)
    v, f = pillow((w, d, h), rng.uniform(3, 8), 24)
    v = v * np.stack([np.ones(len(v)), 1 - 0.35 * (v[:, 2] / h + 0.5), np.ones(len(v))], 1)
    parts: Parts = [(rippled((v, f), rng, 0.2, rng.uniform(0, 0.02)), look)]
    if rng.random() < 0.5:
        parts.append(
            (moved(pillow((w * 0.7, d * 0.5, h * 0.45), 5, 16), (0, -d * 0.42, -h * 0.15)), look if rng.random() < 0.6 else paint(kit))
        )
    a = np.linspace(0, np.pi, 16)
    for y in (-0.25, 0.25) if rng.random() < 0.5 else (0.0,):
        loop = np.stack([w * 0.28 * np.cos(a), np.full(16, y * d), h * 0.46 + rng.uniform(0.3, 0.9) * w * 0.5 * np.sin(a)], 1)
        parts.append((tube(loop, rng.uniform(0.004, 0.01), 7), paint(kit) if rng.random() < 0.5 else look))
    return settled(parts)


def hat(kit: Kit) -> Parts:
    """A brimmed hat, a cap or a bobble hat."""
    rng = kit.rng
    look, kind = anything(kit), rng.random()
    if kind < 0.5:
        brim = rng.uniform(0.12, 0.2)
        return [(spun([(brim, rng.uniform(0, 0.03)), (0.098, 0.006), (0.09, 0.09), (0.07, rng.uniform(0.1, 0.13)), (0, 0.1)]), look)]
    v, f = ball((0, 0, 0), (0.09, 0.105, 0.13 if kind < 0.75 else 0.2), 24)
    v[:, 2] = np.maximum(v[:, 2], 0)
    parts: Parts = [((v, f), look)]
    if kind < 0.75:
        parts.append((moved(pillow((0.16, 0.13, 0.008), 2.4, 20), (0, -0.12, 0.012)), look))
    else:
        parts.append((ball((0, 0, 0.21), (0.03,) * 3, 12), paint(kit)))
    return parts


def cloth(kit: Kit) -> Parts:
    """A crumpled or folded cloth."""
    rng = kit.rng
    w, d, high = rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.6), rng.uniform(0.01, 0.06)
    n = 44
    y, x = np.mgrid[0:n, 0:n] / (n - 1) - 0.5
    z = noise(rng, rng.uniform(1.6, 2.4), side=64)[:n, :n] * high * 0.5
    z = np.abs(z) * np.clip((0.5 - np.maximum(np.abs(x), np.abs(y))) * 10, 0.05, 1) + 0.003
    waver = noise(rng, 2.2, side=64)[:n, :n]
    return [(sheet(np.dstack([(x + 0.05 * waver) * w, (y - 0.05 * waver.T) * d, z])), kit.surface("fabric"))]


def folded(kit: Kit) -> Parts:
    """A pile of folded laundry, towels or blankets."""
    rng = kit.rng
    parts: Parts = []
    z = 0.0
    w, d = rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.35)
    for _ in range(int(rng.integers(1, 7))):
        t = rng.uniform(0.02, 0.06)
        one = rippled(pillow((w * rng.uniform(0.92, 1.05), d * rng.uniform(0.92, 1.05), t), 5, 22), rng, 0.15, 0.006)
        parts.append(
            (moved(one, (0, 0, z + t * 0.5), rng.normal(0, 2)), kit.surface("fabric") if rng.random() < 0.5 else paint(kit, rough=0.95))
        )
        z += t * 0.93
    return parts


def cushion(kit: Kit) -> Parts:
    """A cushion that stands, leaning back."""
    rng = kit.rng
    w = rng.uniform(0.3, 0.55)
    g = np.linspace(-1, 1, 18)
    x, y = np.meshgrid(g, g)
    swell = 0.08 * np.sqrt(np.clip((1 - x**4) * (1 - y**4), 0, 1))
    inset = 1 - 0.06 * (1 - np.abs(x * y))
    sides = [sheet(np.dstack([x * w / 2 * inset, s * swell, y * w / 2 * inset])) for s in (-1, 1)]
    return settled([(moved(joined(sides), lean=-rng.uniform(8, 35)), kit.surface("fabric"))])


# Tools and devices


def tool(kit: Kit) -> Parts:
    """A hammer, screwdriver, spanner, saw, drill or brush that lies there."""
    rng = kit.rng
    kind, grip = int(rng.integers(6)), paint(kit)
    iron = steel(kit)
    if kind == 0:
        parts: Parts = [
            (pipe([(0, -0.15, 0.02), (0, 0.13, 0.02)], 0.014, 8), wooden(kit)),
            (block((0.11, 0.03, 0.03), (0, 0.13, 0.02)), iron),
        ]
    elif kind == 1:
        parts = [(pipe([(0, -0.1, 0.015), (0, 0, 0.015)], 0.014, 8), grip), (pipe([(0, 0, 0.015), (0, 0.13, 0.015)], 0.003, 6), iron)]
    elif kind == 2:
        a = np.linspace(0.6, 2 * np.pi - 0.6, 14) + np.pi / 2
        jaw = np.stack([0.014 * np.cos(a), 0.09 + 0.014 * np.sin(a), 0 * a + 0.006], 1)
        parts = [(block((0.018, 0.17, 0.007), (0, 0, 0.006)), iron), (tube(jaw, 0.006, 6), iron)]
    elif kind == 3:
        parts = [(block((0.1, 0.4, 0.002), (0, 0.1, 0.006)), iron), (block((0.09, 0.12, 0.022), (0, -0.15, 0.011), 0.008), grip)]
    elif kind == 4:
        body = merged([Bone((0, -0.04, 0.19), (0, 0.12, 0.19), 0.035, 0.03), Bone((0, 0, 0.17), (0, -0.03, 0.06), 0.02, 0.022)], 0.008, 30)
        parts = [
            (body, grip),
            (standing((0.07, 0.1, 0.05), (0, -0.03, 0)), dark(kit)),
            (pipe([(0, 0.14, 0.19), (0, 0.22, 0.19)], 0.01, 10), iron),
        ]
    else:
        parts = [
            (pipe([(0, -0.12, 0.01), (0, 0.02, 0.01)], 0.01, 8), wooden(kit)),
            (block((0.06, 0.07, 0.014), (0, 0.06, 0.01)), paint(kit, (0.2, 0.15, 0.1), 0.9)),
        ]
    return shifted(parts, turn=rng.uniform(0, 360))


def paint_can(kit: Kit) -> Parts:
    rng = kit.rng
    r, h = rng.uniform(0.04, 0.13), rng.uniform(0.08, 0.3)
    a = np.linspace(0, np.pi, 14)
    handle = np.stack([r * np.cos(a), 0.3 * r * np.sin(a), h * 0.85 + r * rng.uniform(-0.6, 0.9) * np.sin(a)], 1)
    parts: Parts = [
        (spun([(0, 0), (r, 0), (r, h), (r * 0.92, h), (r * 0.9, h * 0.97), (0, h * 0.97)]), steel(kit)),
        (tube(handle, 0.003, 6), steel(kit)),
    ]
    parts.append((spun([(r * 1.01, h * 0.1), (r * 1.01, h * 0.9)]), printed(kit)))
    return parts


def toolbox(kit: Kit) -> Parts:
    rng = kit.rng
    w, d, h = rng.uniform(0.3, 0.55), rng.uniform(0.16, 0.25), rng.uniform(0.14, 0.25)
    parts: Parts = [(standing((w, d, h)), paint(kit)), (standing((w * 1.02, d * 1.04, 0.03), (0, 0, h * 0.75)), dark(kit))]
    parts.append(
        (tube(curve([(-w * 0.2, 0, h), (-w * 0.18, 0, h + 0.05), (w * 0.18, 0, h + 0.05), (w * 0.2, 0, h)], 14), 0.011), dark(kit))
    )
    return parts


def camera(kit: Kit) -> Parts:
    rng = kit.rng
    w, h = rng.uniform(0.1, 0.15), rng.uniform(0.06, 0.09)
    r, long = h * rng.uniform(0.3, 0.46), rng.uniform(0.02, 0.12)
    lens = moved(
        spun([(0, 0.02), (r * 0.75, 0.02), (r * 0.8, long * 0.9), (r, long), (r, 0.4 * long), (r * 1.02, 0)], 24),
        (0, -0.02, h * 0.48),
        lean=90,
    )
    front = moved(spun([(0, 0), (r * 0.8, 0)], 20), (0, -0.02 - long * 0.85, h * 0.48), lean=90)
    return [
        (standing((w, 0.05, h), edge=0.006), dark(kit)), (standing((w * 0.35, 0.05, 0.02), (0, 0, h), 0.006), steel(kit)),
        (lens, dark(kit)), (front, paint(kit, (0.1, 0.1, 0.2), 0.05)),
    ]  # fmt: skip


def clock(kit: Kit) -> Parts:
    """A clock that stands, its face to the front."""
    rng = kit.rng
    r = rng.uniform(0.04, 0.14)
    disc = moved(spun([(0, 0), (r, 0), (r, r * 0.4), (r * 0.93, r * 0.4), (r * 0.92, r * 0.36)], 30), (0, r * 0.2, r * 1.06), lean=90)
    face = moved(spun([(0, 0), (r * 0.93, 0)], 30), (0, -r * 0.17, r * 1.06), lean=90)
    parts: Parts = [(disc, paint(kit)), (face, paint(kit, (0.93, 0.92, 0.88), 0.5))]
    for long, turn in ((0.75, rng.uniform(0, 360)), (0.5, rng.uniform(0, 360))):
        parts.append((moved(block((0.05 * r, 0.004, long * r), (0, 0, long * r / 2)), (0, -r * 0.18, r * 1.06), roll=turn), dark(kit)))
    for k in range(12):
        parts.append((moved(block((0.04 * r, 0.003, 0.12 * r), (0, 0, r * 0.8)), (0, -r * 0.172, r * 1.06), roll=30 * k), dark(kit)))
    parts += [(standing((0.2 * r, r * 0.4, 0.2 * r), (x * r * 0.6, 0, 0)), dark(kit)) for x in (-1, 1)]
    return parts


def speaker(kit: Kit) -> Parts:
    """A loudspeaker or radio."""
    rng = kit.rng
    w, d, h = rng.uniform(0.1, 0.3), rng.uniform(0.08, 0.25), rng.uniform(0.1, 0.4)
    parts: Parts = [(standing((w, d, h)), wooden(kit) if rng.random() < 0.5 else dark(kit))]
    r = min(w, h) * 0.38
    for k in range(1 if h < 1.5 * w else 2):
        size = r * (1 if k == 0 else 0.55)
        cup = moved(
            spun([(size, 0.004), (size * 0.85, 0.002), (size * 0.3, -0.018), (0, -0.01)], 24),
            (0, -d / 2 - 0.001, r * 1.2 + k * 1.7 * r),
            lean=90,
        )
        parts.append((cup, paint(kit, (0.12, 0.12, 0.13), 0.7)))
    return parts


def candle(kit: Kit) -> Parts:
    """Candles, some in a holder, some alight."""
    rng = kit.rng
    parts: Parts = []
    for k in range(int(rng.integers(1, 4))):
        r, h = rng.choice([rng.uniform(0.009, 0.013), rng.uniform(0.025, 0.04)]), rng.uniform(0.05, 0.25)
        stem = rng.uniform(0.03, 0.25) if r < 0.02 else 0.0
        one: Parts = [
            (moved(spun([(0, 0), (r, 0), (r, h), (r * 0.8, h - 0.002), (0, h - 0.004)], 18), (0, 0, stem)), paint(kit, rough=0.5))
        ]
        one.append((pipe([(0, 0, stem + h - 0.005), (0.001, 0, stem + h + 0.01)], 0.001, 4), dark(kit)))
        if stem:
            side = curve([(0.045, 0), (0.012, 0.02), (0.01, stem * 0.6), (0.02, stem)], 12)
            one.append((spun([(0, 0), *side, (0, stem)], 20), steel(kit)))
        if rng.random() < 0.4:
            one.append((ball((0, 0, stem + h + 0.018), (0.005, 0.005, 0.014), 8), kit.painted((1, 0.75, 0.35), glow=2.9)))
        parts += shifted(one, (0.08 * k, rng.normal(0, 0.03), 0))
    return parts


def lamp(kit: Kit, lit: bool | None = None) -> Parts:
    """A table lamp with a shade, or a jointed desk lamp; alight it glows but gives little light (put a `kit.lamp` beneath)."""
    rng = kit.rng
    glow = rng.uniform(1, 2.9) if (rng.random() < 0.5 if lit is None else lit) else 0.0
    if rng.random() < 0.6:
        h, r = rng.uniform(0.18, 0.4), rng.uniform(0.1, 0.22)
        side = curve([(r * 0.45, 0), (r * rng.uniform(0.15, 0.5), h * 0.3), (r * rng.uniform(0.1, 0.45), h * 0.6), (0.012, h)], 14)
        shade = [(r, h - 0.02), (r * rng.uniform(0.45, 1), h + r * rng.uniform(0.9, 1.3))]
        tone = _colour(rng, (0.07, 0.13), (0.05, 0.4), (0.7, 0.97))
        return [(spun([(0, 0), *side], 24), ceramic(kit)), (spun(shade, 28), kit.surface("fabric", tone, glow=glow))]
    look = paint(kit)
    lower, upper = rng.uniform(0.2, 0.3), rng.uniform(0.18, 0.3)
    elbow = np.array([0.08 * rng.normal(), 0.08, lower])
    head = elbow + upper * np.array([rng.normal(0, 0.2), -0.8, 0.45])
    cap = moved(spun([(0.065, 0), (0.05, 0.05), (0.02, 0.09), (0, 0.1)], 20), head - [0, 0, 0.05], lean=-rng.uniform(10, 40))
    return [(spun([(0, 0), (0.085, 0), (0.085, 0.02), (0, 0.025)]), look), (pipe([(0, 0, 0.02), elbow, head], 0.008, 6), look), (cap, look)]


# Plants


def _spread(rng: Rng, n: int, rise: tuple[float, float]) -> Floats:
    """N unit directions around the vertical; rise: their least and largest sine."""
    z, a = rng.uniform(*rise, n), np.arange(n) * 2.4 + rng.normal(0, 0.3, n)
    flat = np.sqrt(np.maximum(1 - z**2, 0))
    return np.stack([flat * np.cos(a), flat * np.sin(a), z], 1)


def foliage(kit: Kit, size: float) -> Parts:
    """What grows from a pot's earth at z = 0, about `size` metres high."""
    rng = kit.rng
    kind = rng.random()
    look = kit.surface("foliage", metres=rng.uniform(0.1, 0.4)) if rng.random() < 0.5 else paint(kit, green(rng), rng.uniform(0.3, 0.7))
    if kind < 0.3:  # long leaves from the middle
        n = int(rng.integers(12, 40))
        way = _spread(rng, n, (0.25, 0.98))
        return [
            (
                leaves(0.03 * way * [1, 1, 0], way, size * rng.uniform(0.5, 1.1, n), size * rng.uniform(0.06, 0.22), rng.uniform(0.1, 0.7)),
                look,
            )
        ]
    if kind < 0.65:  # stems with leaves
        stems: list[Mesh] = []
        base, ways = [], []
        for way in _spread(rng, int(rng.integers(4, 10)), (0.6, 1.0)):
            t = np.linspace(0, 1, 10)[:, None]
            path = way * size * rng.uniform(0.6, 1) * t + np.array([rng.normal(0, 0.1), rng.normal(0, 0.1), 0]) * size * t**2
            stems.append(tube(path, 0.004 * (0.5 + size), 5))
            for k in range(2, 10):
                for _ in range(int(rng.integers(1, 4))):
                    base.append(path[k])
                    out = rng.normal(size=3) + [0, 0, 0.3]
                    ways.append(out / np.linalg.norm(out))
        n, broad = len(base), rng.uniform(0.1, 0.25)
        made = leaves(np.array(base), np.array(ways), size * broad * rng.uniform(0.6, 1.4, n), size * broad * rng.uniform(0.4, 0.8), 0.3)
        return [(joined(stems), paint(kit, (0.25, 0.22, 0.1), 0.8)), (made, look)]
    if kind < 0.78:  # blades
        n = int(rng.integers(6, 16))
        base = rng.normal(0, 0.03, (n, 3)) * [1, 1, 0]
        return [(leaves(base, _spread(rng, n, (0.9, 1.0)), size * rng.uniform(0.5, 1.1, n), size * 0.12, 0.02), look)]
    if kind < 0.88:  # cactus
        bones = [Bone((0, 0, 0), (0, 0, size * 0.6), size * 0.12, size * 0.1)]
        for s in (-1, 1):
            if rng.random() < 0.6:
                z = size * rng.uniform(0.2, 0.4)
                bones += [Bone((0, 0, z), (s * size * 0.22, 0, z + 0.03), size * 0.06, size * 0.06)]
                bones += [Bone((s * size * 0.22, 0, z + 0.03), (s * size * 0.24, 0, z + size * 0.25), size * 0.06, size * 0.055)]
        return [(merged(bones, size * 0.015, 36), kit.surface("fabric", green(rng), metres=0.2))]
    parts: Parts = []
    for k in range(4):  # rosette
        n = 12 - 2 * k
        way = _spread(rng, n, (0.15 + 0.22 * k, 0.3 + 0.22 * k))
        parts.append((leaves(0 * way, way, size * (0.5 - 0.08 * k), size * 0.16, -0.1), look))
    return parts


def pot_plant(kit: Kit, size: float | None = None) -> Parts:
    """A plant in a pot; size: metres of what grows."""
    rng = kit.rng
    size = size or rng.uniform(0.12, 0.6)
    r = size * rng.uniform(0.18, 0.3) + 0.02
    h = r * rng.uniform(1.2, 2)
    clay = paint(kit, (0.6, 0.33, 0.2), 0.9) if rng.random() < 0.4 else ceramic(kit)
    parts: Parts = [(hollow([(0, 0), (r * 0.7, 0), (r, h * 0.85), (r * 1.06, h * 0.85), (r * 1.06, h)], 0.006), clay)]
    parts.append((spun([(0, h * 0.88), (r * 0.97, h * 0.88)]), paint(kit, (0.16, 0.11, 0.07), 1.0)))
    return parts + shifted(foliage(kit, size), (0, 0, h * 0.88))


def flowers(kit: Kit) -> Parts:
    """A vase with a bunch of flowers."""
    rng = kit.rng
    h = rng.uniform(0.12, 0.28)
    parts = vase(kit, h)
    n, tall = int(rng.integers(3, 14)), rng.uniform(0.15, 0.35)
    ways = _spread(rng, n, (0.72, 1.0))
    foot = np.array([0, 0, h * 0.5])
    heads = foot + ways * (h * 0.5 + tall * rng.uniform(0.7, 1.1, (n, 1)))
    stalks = [tube(np.array([foot, foot * 0.4 + head * 0.6 + [0, 0, 0.01], head]), 0.0022, 5) for head in heads]
    leaf = leaves(foot + ways * h * 0.75, _spread(rng, n, (0.3, 0.8)), tall * 0.5, tall * 0.14, 0.4)
    look = paint(kit, green(rng), 0.6)
    parts += [(joined(stalks), look), (leaf, look)]
    tones = [paint(kit, _colour(rng, (0.75, 1.18), (0.05, 0.85), (0.6, 0.95)), 0.6) for _ in range(2)]
    kind, size = rng.random(), rng.uniform(0.018, 0.045)
    for head in heads:
        tone = tones[int(rng.integers(2))]
        if kind < 0.5:
            parts.append((leaves(np.repeat(head[None], 14, 0), _spread(rng, 14, (-0.1, 0.8)), size * 1.3, size * 0.8, 0.1), tone))
            parts.append((ball(head, (size * 0.35,) * 3, 10), paint(kit, (0.75, 0.55, 0.1), 0.8)))
        elif kind < 0.8:
            parts.append((rippled(ball(head, (size, size, size * 0.9), 14), rng, size, size * 0.2), tone))
        else:
            v, f = ball((0, 0, 0), (size * 0.6, size * 0.6, size * 1.3), 12)
            parts.append(((v + head, f), tone))
    return parts


# Statues


def figure_bones(rng: Rng) -> list[Bone]:
    """A standing figure one metre high in some pose, about 7.5 heads; its front towards -y."""
    sway = rng.normal(0, 0.02)
    hip, chest, neck = np.array([sway, 0, 0.52]), np.array([-sway, 0, 0.74]), np.array([-sway, 0.005, 0.85])
    head = neck + [rng.normal(0, 0.01), rng.normal(-0.01, 0.01), 0.085]
    bones = [
        Bone(hip, chest, 0.085, 0.1),
        Bone(chest + [-0.06, 0, 0.04], chest + [0.06, 0, 0.04], 0.055, 0.055),
        Bone(chest, neck, 0.05, 0.035),
    ]
    bones += [
        Bone(neck, head, 0.032, 0.05),
        Bone(head, head + [0, -0.008, 0.02], 0.052, 0.055),
        Bone(head + [0, -0.055, -0.005], head + [0, -0.06, -0.01], 0.012, 0.014),
    ]
    for s in (-1, 1):
        knee = hip + [s * 0.06 + rng.normal(0, 0.015), -abs(rng.normal(0, 0.05)), -0.25]
        foot = np.array([s * 0.06 + rng.normal(0, 0.03), knee[1] + abs(rng.normal(0, 0.05)), 0.035])
        bones += [
            Bone(hip + [s * 0.05, 0, -0.03], knee, 0.07, 0.045),
            Bone(knee, foot, 0.046, 0.028),
            Bone(foot, foot + [0, -0.08, -0.012], 0.03, 0.022),
        ]
        shoulder = chest + [s * 0.11, 0, 0.06]
        a, b, c = rng.uniform(-0.3, 1.2), rng.uniform(-0.3, 1.2), rng.uniform(0, 1.8)
        if rng.random() < 0.15:
            a = rng.uniform(1.5, 2.8)
        elbow = shoulder + 0.17 * np.array([s * np.sin(a) * 0.6 + 0.1 * s, -np.sin(a) * np.sin(b), -np.cos(a)])
        hand = elbow + 0.16 * np.array([-s * 0.3 * np.sin(c), -np.sin(c) * 0.8, -np.cos(c)])
        bones += [Bone(shoulder, elbow, 0.038, 0.03), Bone(elbow, hand, 0.03, 0.022), Bone(hand, hand + (hand - elbow) * 0.2, 0.024, 0.02)]
    return bones


def stone(kit: Kit) -> Surface:
    """What statues are made of: marble, sandstone, bronze, plaster, wood."""
    rng = kit.rng
    kind = rng.random()
    if kind < 0.25:
        return kit.surface("metal", _colour(rng, (0.05, 0.5), (0.1, 0.5), (0.1, 0.4)), rough=rng.uniform(0.3, 0.6), metallic=0.8)
    return kit.surface(str(rng.choice(["marble", "plaster", "rock", "concrete", "wood"])), metres=rng.uniform(0.5, 2))


def figure(kit: Kit, high: float | None = None) -> Parts:
    """A statue or figurine of a person, some in a robe, on a plinth."""
    rng = kit.rng
    h = high or rng.uniform(0.12, 0.5)
    bones = figure_bones(rng)
    if rng.random() < 0.4:
        bones.append(Bone((0, 0, 0.06), (0, 0, 0.55), rng.uniform(0.1, 0.2), 0.09))
    v, f = rippled(merged(bones, 0.013, 60), rng, 0.07, 0.006)
    v[:, 2] = np.maximum(v[:, 2], 0)
    look = stone(kit)
    if rng.random() < 0.6:
        base = rng.uniform(0.03, 0.5)
        wide = 0.34 * rng.uniform(0.9, 1.3)
        plinth = standing((wide, wide, base)) if rng.random() < 0.6 else spun([(0, 0), (wide / 2, 0), (wide / 2, base), (0, base)])
        parts: Parts = [((v + [0, 0, base], f), look), (plinth, stone(kit) if rng.random() < 0.4 else look)]
    else:
        parts = [((v, f), look), (standing((0.36, 0.34, 0.02)), look)]
    return shifted(parts, scale=h)


def bust(kit: Kit, high: float | None = None) -> Parts:
    """Head and shoulders on a foot; high: metres, 0.5 is life size."""
    rng = kit.rng
    h = high or rng.uniform(0.15, 0.55)
    turn = rng.normal(0, 0.03)
    head = np.array([turn, -0.02, 0.76])
    bones = [Bone((-0.2, 0.02, 0.4), (0.2, 0.02, 0.4), 0.12, 0.12), Bone((0, 0, 0.2), (0, 0.02, 0.4), 0.1, 0.17), Bone((0, 0.03, 0.45), head, 0.09, 0.085),
             Bone(head + [0, 0.03, 0.06], head + [0, -0.02, 0.08], 0.125, 0.12), Bone(head + [0, -0.03, -0.02], head + [0, -0.06, -0.09], 0.1, 0.055),
             Bone(head + [0, -0.125, 0.05], head + [0, -0.155, -0.01], 0.014, 0.022), Bone(head + [-0.04, -0.115, 0.075], head + [0.04, -0.115, 0.075], 0.02, 0.02),
             Bone(head + [-0.022, -0.125, -0.055], head + [0.022, -0.125, -0.055], 0.014, 0.014)]  # fmt: skip
    for s in (-1, 1):
        bones.append(Bone(head + [s * 0.125, 0.03, 0.0], head + [s * 0.13, 0.03, 0.05], 0.018, 0.024))
    if rng.random() < 0.6:
        for _ in range(16):  # hair
            a = rng.normal(size=3) * [1, 0.8, 0.6] + [0, 0.5, 0.7]
            a = a / np.linalg.norm(a) * [0.12, 0.13, 0.13] + head + [0, 0.01, 0.07]
            bones.append(Bone(a, a + rng.normal(0, 0.025, 3), 0.03, 0.025))
    look = stone(kit)
    body = rippled(merged(bones, 0.012, 60), rng, 0.1, 0.004)
    foot = spun([(0, 0), (0.13, 0), (0.12, 0.04), (0.06, 0.08), (0.07, 0.14), (0.1, 0.2)], 20)
    return shifted([(body, look), (foot, look)], scale=h)


def sculpture(kit: Kit) -> Parts:
    """An abstract carving, an urn, a stack of stones."""
    rng = kit.rng
    look, s = stone(kit), rng.uniform(0.1, 0.5)
    kind = rng.random()
    if kind < 0.4:
        points = np.cumsum(rng.normal(0, 0.22, (6, 3)) + [0, 0, 0.13], 0)
        points = curve(np.concatenate([[[0, 0, 0]], points]).tolist(), 24)
        bones = [Bone(a, b, rng.uniform(0.05, 0.14), rng.uniform(0.05, 0.14)) for a, b in zip(points[:-1:3], points[1::3])]
        return shifted(settled([(merged([*bones, Bone(points[0], points[-1], 0.05, 0.05)], 0.05, 40), look)]), scale=s)
    if kind < 0.7:
        return [(m, look) for m, _ in vase(kit, s)]
    parts: Parts = []
    z = 0.0
    for k in range(int(rng.integers(2, 6))):
        w = s * 0.5 * 0.8**k
        tall = w * rng.uniform(0.4, 0.8)
        one = rippled(pillow((w, w * rng.uniform(0.7, 1), tall), rng.uniform(2, 3), 20), rng, w * 0.6, w * 0.05)
        parts.append((moved(one, (0, 0, z + tall * 0.5), rng.uniform(0, 360)), look))
        z += tall * 0.95
    return parts


# Animals


class Beast(NamedTuple):
    """An animal on four legs. Metres: body (chest to hip), leg, girth (radius), neck, head (radius), muzzle, tail; ears: their length; up: ears
    that stand; limb: radius of a leg."""

    body: float
    leg: float
    girth: float
    neck: float
    head: float
    muzzle: float
    tail: float
    ears: float
    up: bool
    limb: float


CAT = Beast(0.27, 0.15, 0.068, 0.07, 0.045, 0.035, 0.27, 0.045, True, 0.02)
DOG = Beast(0.45, 0.3, 0.115, 0.14, 0.075, 0.1, 0.28, 0.09, False, 0.034)
SHEEP = Beast(0.62, 0.36, 0.23, 0.2, 0.09, 0.14, 0.12, 0.1, False, 0.045)
HORSE = Beast(1.15, 0.85, 0.3, 0.75, 0.14, 0.36, 0.6, 0.13, True, 0.085)
COW = Beast(1.3, 0.65, 0.38, 0.4, 0.17, 0.3, 0.75, 0.18, False, 0.1)


def beast(kit: Kit, sort: Beast, pose: str = "stand", scale: float = 1.0) -> Parts:
    """An animal with its head towards -y. pose: stand, sit, lie or curl."""
    rng = kit.rng
    n = sort._replace(**{k: getattr(sort, k) * rng.uniform(0.9, 1.12) for k in ("body", "leg", "girth", "neck", "muzzle", "limb", "ears")})
    b, g, leg = n.body, n.girth, n.limb
    bones: list[Bone] = []
    if pose == "sit":
        hip = np.array([0, 0.3 * b, g * 0.95])
        chest = hip + b * np.array([0, -0.55, 0.72])
        for s in (-1, 1):
            knee, foot = hip + [s * g * 0.85, -0.32 * b, 0.1 * g], hip + [s * g * 0.9, -0.5 * b, 0]
            foot[2] = leg * 0.8
            bones += [
                Bone(hip + [s * g * 0.5, 0, 0], knee, g * 0.62, g * 0.4),
                Bone(knee, foot, leg * 1.1, leg),
                Bone(foot, foot + [0, -leg * 1.5, 0], leg, leg * 0.9),
            ]
            paw = np.array([s * g * 0.5, chest[1] - 0.02 * b, leg * 0.8])
            bones += [
                Bone(chest + [s * g * 0.55, 0, -g * 0.3], paw, leg * 1.35, leg * 0.9),
                Bone(paw, paw + [0, -leg * 1.6, 0], leg * 0.95, leg * 0.85),
            ]
        way = np.array([rng.normal(0, 0.25), -0.45, 0.9])
        tail = [hip + [0, g * 0.7, -g * 0.6], hip + [g * 1.2, g * 1.4, -g * 0.8], hip + [g * 2, -g * 0.5, -g * 0.8]]
    elif pose in ("lie", "curl"):
        z = g * 0.88
        hip, chest = np.array([0, 0.5 * b, z]), np.array([0, -0.5 * b, z * 1.1])
        if pose == "curl":
            hip, chest = np.array([0.28 * b, 0.2 * b, z]), np.array([0.15 * b, -0.4 * b, z])
            bones.append(Bone((-0.3 * b, 0.0, z), hip, g * 0.85, g))
            bones.append(Bone((-0.3 * b, 0.0, z), chest, g * 0.85, g * 0.9))
        for s in (-1, 1):
            thigh = hip + [s * g * 0.75, -0.05 * b, -0.2 * g]
            bones += [
                Bone(thigh, thigh + [s * 0.1 * g, -0.2 * b, -0.1 * g], g * 0.55, g * 0.4),
                Bone(thigh + [0, -0.25 * b, -g * 0.4], thigh + [s * g * 0.1, -0.42 * b, -g * 0.45], leg, leg),
            ]
            elbow = chest + [s * g * 0.7, 0, -g * 0.45]
            bones.append(Bone(elbow, elbow + [s * rng.normal(0, 0.1) * g, -n.leg * 0.75, -g * 0.2], leg * 1.1, leg * 0.9))
        way = np.array([rng.normal(0, 0.3), -0.7, rng.choice([0.1, 0.8])])
        tail = [hip + [0, g * 0.8, -g * 0.4], hip + [g, g * 1.6, -g * 0.65], hip + [g * 2, g * 0.8, -g * 0.65]]
    else:
        hip, chest = np.array([0, 0.5 * b, n.leg + g * 0.75]), np.array([0, -0.5 * b, n.leg + g * 0.75])
        for s in (-1, 1):
            for end, bend in ((hip, 1), (chest, -0.5)):
                step = rng.normal(0, 0.12) * n.leg
                top = end + [s * g * 0.5, 0.1 * g * bend, -g * 0.3]
                knee = np.array([s * g * 0.52, top[1] + step * 0.5 - bend * 0.06 * n.leg, n.leg * 0.52])
                foot = np.array([s * g * 0.5, top[1] + step + bend * 0.05 * n.leg, leg * 0.7])
                bones += [
                    Bone(top, knee, leg * 1.9, leg * 1.05),
                    Bone(knee, foot, leg, leg * 0.75),
                    Bone(foot, foot + [0, -leg * 0.8, 0], leg * 0.85, leg * 0.75),
                ]
        down = rng.random() < 0.2 and sort.neck > 0.15
        way = np.array([rng.normal(0, 0.25), -0.75, -0.9 if down else rng.uniform(0.4, 1.0)])
        tail = [hip + [0, g * 0.85, g * 0.3], hip + [rng.normal(0, g * 0.3), g * 0.85 + n.tail * 0.4, rng.uniform(-0.5, 0.6) * n.tail],
                hip + [rng.normal(0, g * 0.5), g * 0.85 + n.tail * 0.6, rng.uniform(-0.8, 0.9) * n.tail]]  # fmt: skip
        tail[2][2] = max(tail[2][2], 0.05)
    way = way / np.linalg.norm(way)
    nape = chest + [0, -g * 0.35, g * 0.35]
    head = nape + way * (n.neck + g * 0.3)
    head[2] = max(head[2], n.head * 1.05)
    look_to = np.array([way[0] + rng.normal(0, 0.3), -1.0, rng.normal(-0.3, 0.15)])
    look_to /= np.linalg.norm(look_to)
    bones += [
        Bone(hip, chest, g * 0.92, g),
        Bone(nape, head, g * 0.62, n.head * 0.85),
        Bone(head, head + look_to * n.head * 0.3, n.head, n.head * 0.92),
    ]
    nose = head + look_to * (n.head * 0.7 + n.muzzle) - _UP * n.head * 0.3
    bones.append(Bone(head + look_to * n.head * 0.4 - _UP * n.head * 0.2, nose, n.head * 0.62, n.head * 0.42))
    path = curve([list(t) for t in tail], 8)
    thick = leg * (0.75 if sort.leg < 0.5 else 0.45)
    bones += [Bone(p, q, thick, thick) for p, q in zip(path[:-1], path[1:])]
    side = np.cross(look_to, _UP)
    side /= np.linalg.norm(side)
    for s in (-1, 1):
        root = head + s * side * n.head * 0.62 + _UP * n.head * 0.62
        tip = root + (_UP * n.ears + s * side * n.ears * 0.15 if n.up else s * side * n.ears * 0.45 - _UP * n.ears * 0.8)
        bones.append(Bone(root, tip, n.head * 0.3, n.head * (0.08 if n.up else 0.25)))
    skin = merged(bones, g * 0.1, 64)
    woolly = sort.girth > 0.2 and sort.leg < 0.5
    skin = rippled(skin, rng, g * 0.5, g * (0.04 if woolly else 0.03))
    tone = _colour(rng, (0.03, 0.13), (0.05, 0.6), (0.12, 0.9)) if rng.random() < 0.7 else hsv(0.1, 0.05, rng.choice([0.06, 0.5, 0.92]))
    if woolly:
        tone = _colour(rng, (0.08, 0.13), (0.05, 0.25), (0.6, 0.9))
    coat = kit.surface(
        str(rng.choice(["grass", "gravel", "plaster", "foliage" if woolly else "rock"])),
        tone,
        metres=sort.body * rng.uniform(0.8, 2.2),
        rough=0.9,
    )
    parts: Parts = [(skin, coat)]
    eye = head + look_to * n.head * 0.75 + _UP * n.head * 0.28
    black = paint(kit, (0.03, 0.025, 0.02), 0.15)
    parts += [(ball(eye + s * side * n.head * 0.5, (n.head * 0.17,) * 3, 10), black) for s in (-1, 1)]
    parts.append((ball(nose + look_to * n.head * 0.36, (n.head * 0.16,) * 3, 10), black))
    low = extent(parts)[0][2]
    return shifted(parts, (0, 0, -low * scale), scale=scale)


def cat(kit: Kit) -> Parts:
    return beast(kit, CAT, str(kit.rng.choice(["stand", "sit", "sit", "lie", "curl"])), kit.rng.uniform(0.85, 1.15))


def dog(kit: Kit) -> Parts:
    rng = kit.rng
    sort = DOG._replace(
        up=bool(rng.random() < 0.4), muzzle=rng.uniform(0.04, 0.13), leg=rng.uniform(0.14, 0.36), body=rng.uniform(0.38, 0.52)
    )
    return beast(kit, sort, str(rng.choice(["stand", "stand", "sit", "sit", "lie"])), rng.uniform(0.6, 1.3))


def bird(kit: Kit) -> Parts:
    """A bird, 0.1 to 0.5 m, standing."""
    rng = kit.rng
    leg, neck = rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.7) * (rng.random() < 0.4) + 0.12
    z = leg + 0.25
    head = np.array([rng.normal(0, 0.03), -0.3 - neck * 0.3, z + 0.15 + neck])
    bones = [Bone((0, -0.15, z + 0.03), (0, 0.2, z), 0.2, 0.13), Bone((0, 0.2, z), (0, 0.6, z - 0.05), 0.1, 0.04),
             Bone((0, -0.2, z + 0.08), head, 0.12, 0.085), Bone(head, head, 0.1, 0.1)]  # fmt: skip
    tone = any_colour(rng)
    parts: Parts = [(merged(bones, 0.03, 40), kit.surface("plaster", tone, metres=0.6, rough=0.8))]
    parts += [
        (moved(ball((0, 0, 0), (0.04, 0.3, 0.13), 16), (s * 0.18, 0.1, z + 0.03), lean=-8), kit.surface("plaster", metres=0.5))
        for s in (-1, 1)
    ]
    parts.append(
        (tube(np.array([head + [0, -0.07, 0], head + [0, -0.2, -0.02]]), np.array([0.045, 0.004]), 8), paint(kit, (0.7, 0.5, 0.15), 0.5))
    )
    parts += [(ball(head + [s * 0.085, -0.04, 0.03], (0.018,) * 3, 8), dark(kit)) for s in (-1, 1)]
    for s in (-1, 1):
        parts.append(
            (
                pipe([(s * 0.08, 0, z - 0.1), (s * 0.08, 0.02, leg * 0.5), (s * 0.08, 0, 0.01), (s * 0.08, -0.1, 0.01)], 0.014, 6),
                paint(kit, (0.5, 0.3, 0.15), 0.7),
            )
        )
    return shifted(parts, scale=rng.uniform(0.1, 0.45))


# What lies about where


KITCHEN: list[Maker] = [
    mug,
    mug,
    glass,
    bottle,
    bottle,
    jar,
    jar,
    bowl,
    plate,
    teapot,
    pan,
    basket,
    fruit,
    loaf,
    packet,
    packet,
    pens,
    pot_plant,
    cutlery,
    cloth,
]
TABLE: list[Maker] = [
    mug,
    glass,
    bottle,
    jar,
    vase,
    bowl,
    served,
    teapot,
    fruit,
    loaf,
    flowers,
    candle,
    books,
    open_book,
    papers,
    pot_plant,
    basket,
    phone,
    cloth,
]
DESK: list[Maker] = [
    mug,
    glass,
    book,
    books,
    open_book,
    papers,
    laptop,
    keyboard,
    phone,
    mouse,
    pens,
    pencils,
    lamp,
    packet,
    pot_plant,
    camera,
    clock,
    speaker,
]
TOYS: list[Maker] = [cone, blocks, toy_ball, teddy, toy_car, pawn, rings, robot, books, parcel, packet, bird]
DECOR: list[Maker] = [
    vase,
    vase,
    flowers,
    candle,
    lamp,
    pot_plant,
    pot_plant,
    bust,
    figure,
    sculpture,
    clock,
    books,
    teapot,
    basket,
    jar,
    bird,
    mask,
]
WEAR: list[Maker] = [shoes, bag, hat, folded, cushion, parcel, basket]
WORK: list[Maker] = [tool, tool, tool, paint_can, toolbox, jar, bottle, parcel, packet, rings, pens, cloth, speaker]
ANY: list[Maker] = [*KITCHEN, *TABLE, *DESK, *TOYS, *DECOR, *WEAR, *WORK]


def some(kit: Kit, makers: Sequence[Maker]) -> Parts:
    """One thing of a list."""
    return makers[int(kit.rng.integers(len(makers)))](kit)
