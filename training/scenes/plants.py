"""Trees, bushes, grass and flowers for the training scenes: tubes for wood, small flat leaves in clumps. Metres; a plant stands on z = 0."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Mesh, cards, joined, lathe, tube

from .kit import Kit, Part, rounded
from .textures import Colour, Rng, green, hsv

Floats = NDArray[np.float64]


class Stamp:
    """A thing to be put in many places; only the first one costs memory."""

    def __init__(self, kit: Kit, parts: Sequence[Part], *, smooth: bool = False) -> None:
        self.kit, self.parts, self.smooth = kit, parts, smooth
        self.first: bpy.types.Object | None = None

    def put(self, at: Sequence[float], turn: float = 0.0, *, scale: float | Sequence[float] = 1.0, tilt: Sequence[float] = (0, 0)) -> None:
        if self.first is None:
            self.first = self.kit.add(self.parts, at, turn, scale=scale, tilt=tilt, smooth=self.smooth)
        else:
            self.kit.again(self.first, at, turn, scale=scale, tilt=tilt)


def _unit(v: Floats) -> Floats:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def leaves(rng: Rng, at: Floats, size: float, *, slim: float = 0.6, lie: float = 0.5) -> Mesh:
    """Flat leaves around N×3 places. size: metres from end to end, about; lie: 0 = turned anyhow, 1 = flat to the sky."""
    n = len(at)
    normal = _unit(rng.normal(size=(n, 3)) * (1 - lie) + np.array([0, 0, lie]))
    along = _unit(np.cross(normal, rng.normal(size=(n, 3))))
    s = size * rng.uniform(0.6, 1.35, (n, 1)) / 2
    return cards(at, np.cross(normal, along) * s * slim, along * s)


def blades(rng: Rng, foot: Floats, height: Floats, width: float, bend: float) -> Mesh:
    """Upright blades of grass or reed from N×3 feet, tapering, bent over by `bend` of their height."""
    n, t = len(foot), np.linspace(0, 1, 4)
    lean = rng.normal(size=(n, 1, 3)) * [1, 1, 0]
    path = foot[:, None] + height[:, None, None] * (t[None, :, None] * [0, 0, 1.0] + lean * bend * (t**2)[None, :, None])
    side = _unit(np.cross(lean, [0, 0, 1.0]) + 1e-6) * width / 2 * (1 - 0.85 * t)[None, :, None]
    vertices = np.stack([path - side, path + side], 2)
    i = (np.arange(n)[:, None] * 4 + np.arange(3)[None]).ravel() * 2
    return vertices.reshape(-1, 3), np.stack([i, i + 1, i + 3, i + 2], 1)


def limb(rng: Rng, start: Floats, way: Floats, length: float, points: int = 6, wild: float = 0.25, lift: float = 0.2) -> Floats:
    """A bent branch: points × 3 from `start`, setting out along `way` and turning upwards by `lift`."""
    steps = np.empty((points, 3))
    d = _unit(way)
    steps[0] = 0
    for k in range(1, points):
        d = _unit(d + rng.normal(0, wild, 3) * 0.6 + np.array([0, 0, lift]) * 0.3)
        steps[k] = d
    return start + np.cumsum(steps, 0) * length / (points - 1)


def skeleton(rng: Rng, height: float, *, stem: float, spread: float, lift: float, levels: int = 2, arms: int = 11, thick: float = 0.022,
             wild: float = 0.25) -> tuple[list[Mesh], Floats]:  # fmt: skip
    """Trunk and branches; and the places where leaves grow, N×3. stem: share of the height below the first branch; spread: length of the
    longest branches in heights; levels: how often branches branch."""
    r0 = height * thick * rng.uniform(0.8, 1.25)
    trunk = limb(rng, np.zeros(3), np.array([rng.normal(0, 0.06), rng.normal(0, 0.06), 1.0]), height * 0.92, 9, wild * 0.4, 0.25)
    t = np.linspace(0, 1, 9)
    flare = 1 + 0.5 * np.exp(-t * 22)
    meshes = [tube(trunk, r0 * flare * (1 - 0.9 * t), 9)]
    tips: list[Floats] = [trunk[-2:]]
    front = []
    for k in range(arms):
        at = stem + (1 - stem) * (k + rng.uniform(0, 0.8)) / arms * 0.95
        f = at * 8
        i = min(int(f), 7)
        start = trunk[i] + (trunk[i + 1] - trunk[i]) * (f - i)
        round_ = k * 2.4 + rng.normal(0, 0.4)
        shape = 0.35 + 0.65 * np.sin(np.pi * np.clip((1 - at) / (1 - stem) * 0.8 + 0.12, 0, 1))
        way = np.array([np.cos(round_), np.sin(round_), lift + 0.5 * (at - stem)])
        front.append((start, way, height * spread * shape * rng.uniform(0.75, 1.15), r0 * (1 - 0.85 * at) * 0.55))
    for level in range(levels):
        after = []
        for start, way, length, r in front:
            path = limb(rng, start, way, length, 6 if level == 0 else 4, wild, lift)
            meshes.append(tube(path, np.linspace(r, r * 0.25, len(path)), 5 if level == 0 else 4))
            tips.append(path[len(path) // 2 :])
            for _ in range(int(rng.integers(2, 5)) if level + 1 < levels else 0):
                j = int(rng.integers(len(path) // 3, len(path)))
                turn = _unit(path[j] - path[j - 1] + rng.normal(0, 0.7, 3))
                after.append((path[j], turn, length * rng.uniform(0.3, 0.55), r * 0.45))
        front = after
    return meshes, np.concatenate(tips)


def bark(kit: Kit, *, pale: bool = False) -> bpy.types.Material:
    rng = kit.rng
    if pale:
        return kit.surface("rock", hsv(0.1, 0.05, 0.88), metres=rng.uniform(0.5, 1.2), rough=0.9, bump=False)
    return kit.surface("wood", hsv(rng.uniform(0.04, 0.1), rng.uniform(0.1, 0.45), rng.uniform(0.18, 0.42)), metres=rng.uniform(0.3, 0.8),
                       turned=True, rough=0.95)  # fmt: skip


def season(rng: Rng) -> Colour:
    """A leaf's colour: green mostly, now and then autumn's or a blossom's."""
    kind = rng.random()
    if kind < 0.8:
        return hsv(rng.uniform(0.17, 0.33), rng.uniform(0.35, 0.75), rng.uniform(0.28, 0.6))
    if kind < 0.93:
        return hsv(rng.uniform(0.02, 0.14), rng.uniform(0.5, 0.85), rng.uniform(0.4, 0.8))
    return hsv(rng.uniform(0.85, 1.05), rng.uniform(0.1, 0.4), rng.uniform(0.75, 0.95))


def leafage(kit: Kit, colour: Colour | None = None) -> bpy.types.Material:
    rng = kit.rng
    return kit.surface("foliage", colour or season(rng), metres=rng.uniform(0.5, 2.5), rough=rng.uniform(0.5, 0.8), bump=False)


def tree(kit: Kit, height: float, kind: str | None = None, *, fine: bool = False, stem: float | None = None) -> list[Part]:
    """A tree of 3 to 10 thousand faces. kind: of `TREES`, else a broad-leaved one mostly. fine: smaller and more leaves, to stand near.
    stem: share of the height without branches."""
    rng = kit.rng
    kind = kind or str(rng.choice(list(TREES), p=list(TREES.values())))
    many = 11000 if fine else 4500
    if kind in ("broad", "birch", "poplar", "bare", "orchard"):
        look = {
            "broad": dict(
                stem=rng.uniform(0.18, 0.35), spread=rng.uniform(0.26, 0.45), lift=rng.uniform(0.1, 0.5), arms=int(rng.integers(9, 15))
            ),
            "birch": dict(stem=0.25, spread=0.26, lift=0.5, arms=14, thick=0.012),
            "poplar": dict(stem=0.1, spread=rng.uniform(0.12, 0.2), lift=1.6, arms=22),
            "bare": dict(stem=0.22, spread=0.4, lift=rng.uniform(0.2, 0.6), arms=13, levels=3),
            "orchard": dict(stem=0.28, spread=0.5, lift=0.15, arms=9, thick=0.03, wild=0.45),
        }[kind]
        if stem is not None:
            look["stem"], look["thick"] = stem, rng.uniform(0.007, 0.015)
        wood, tips = skeleton(rng, height, **look)  # type: ignore[arg-type]
        parts: list[Part] = [(joined(wood), bark(kit, pale=kind == "birch"))]
        if kind == "bare":
            return parts
        clump = height * (0.05 if kind == "birch" else 0.065)
        clumps = tips[rng.integers(len(tips), size=many // 28)] + rng.normal(0, clump * 0.8, (many // 28, 3))
        swell = np.repeat(rng.uniform(0.5, 1.3, (len(clumps), 1)), 28, 0)
        at = np.repeat(clumps, 28, 0) + rng.normal(0, clump, (len(clumps) * 28, 3)) * swell * [1, 1, 0.7]
        at = at[at[:, 2] > height * 0.08]
        size = (0.08 + 0.0135 * height if fine else 0.034 * height) * rng.uniform(0.8, 1.25)
        colour = season(rng)
        dark = rng.random(len(at)) < 0.3
        other = hsv(rng.uniform(0.17, 0.33), 0.6, 0.35) if rng.random() < 0.5 else colour
        parts.append((leaves(rng, at[~dark], size, lie=0.3), leafage(kit, colour)))
        parts.append((leaves(rng, at[dark], size, lie=0.3), kit.painted(tuple(float(c) * 0.8 for c in other), rough=0.6)))  # type: ignore[arg-type]
        return parts
    if kind == "conifer":
        return _conifer(kit, height, many, stem)
    return _palm(kit, height)


TREES = {"broad": 0.52, "birch": 0.09, "poplar": 0.07, "bare": 0.1, "orchard": 0.06, "conifer": 0.13, "palm": 0.03}


def _conifer(kit: Kit, height: float, many: int, stem: float | None) -> list[Part]:
    """Whorls of drooping boughs with short needles' sprays."""
    rng = kit.rng
    bare = rng.uniform(0.03, 0.3) if stem is None else stem * 0.7
    wide = height * rng.uniform(0.12, 0.26)
    droop = rng.uniform(-0.1, 0.5)
    rounds = int(rng.integers(14, 24))
    trunk = tube(np.stack([np.zeros(8), np.zeros(8), np.linspace(0, height, 8)], 1), np.linspace(height * 0.016, 0.01, 8), 8)
    starts, ends = [], []
    for k in range(rounds):
        share = (k + rng.uniform(0, 0.5)) / rounds
        z = height * (bare + (0.98 - bare) * share)
        n = int(rng.integers(5, 9))
        angle = rng.uniform(0, 6.28) + np.arange(n) * 6.283 / n + rng.normal(0, 0.15, n)
        length = wide * (1 - share) ** 0.85 * rng.uniform(0.75, 1.1, n) + 0.04 * height * (1 - share)
        starts.append(np.tile([0, 0, z], (n, 1)))
        ends.append(np.stack([np.cos(angle) * length, np.sin(angle) * length, z - droop * length + 0.02 * height], 1))
    a, b = np.concatenate(starts), np.concatenate(ends)
    length = np.linalg.norm(b - a, axis=1)
    which = rng.choice(len(a), many, p=length / length.sum())
    t = rng.uniform(0.12, 1.02, (many, 1))
    sag = np.array([0, 0, -1.0]) * (0.12 * length[which][:, None] * t**2)
    at = a[which] + (b - a)[which] * t + sag + rng.normal(0, height * 0.006, (many, 3))
    out = _unit((b - a)[which] + rng.normal(0, 0.55, (many, 3)) * length[which][:, None])
    side = _unit(np.cross(out, [0, 0, 1.0] + rng.normal(0, 0.3, (many, 3))))
    s = (0.05 + 0.0065 * height if many > 8000 else height * 0.025) * rng.uniform(0.6, 1.4, (many, 1))
    colour = hsv(rng.uniform(0.22, 0.42), rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.42))
    return [(trunk, bark(kit)), (cards(at, side * s * 0.32, out * s), leafage(kit, colour))]


def _palm(kit: Kit, height: float) -> list[Part]:
    rng = kit.rng
    t = np.linspace(0, 1, 12)
    lean = rng.normal(0, 0.1, 2) * height
    trunk = np.stack([lean[0] * t**2, lean[1] * t**2, height * 0.85 * t], 1)
    meshes = [tube(trunk, height * 0.02 * (1 - 0.35 * t), 8)]
    top, green_parts = trunk[-1], []
    for k in range(int(rng.integers(16, 26))):
        angle, rise = k * 2.4, rng.uniform(-0.3, 1.1)
        long = height * rng.uniform(0.28, 0.4)
        s = np.linspace(0, 1, 22)[:, None]
        way = np.array([np.cos(angle), np.sin(angle), 0])
        rib = top + way * s * long * (1 - 0.25 * s) + np.array([0, 0, 1.0]) * long * (rise * s - 1.1 * s**2)
        across = np.cross(way, [0, 0, 1.0])
        for sign in (-1, 1):
            out = _unit(sign * across + 0.5 * way - np.array([0, 0, 0.45])) * long * 0.16 * np.sin(np.pi * np.clip(s + 0.12, 0, 1))
            green_parts.append(cards(rib + out, np.broadcast_to(way * long * 0.022, rib.shape), out))
    return [(joined(meshes), bark(kit)), (joined(green_parts), leafage(kit, green(rng)))]


def bush(kit: Kit, height: float, *, many: int = 1800, blossom: float = 0.3) -> list[Part]:
    """A bush about as wide as high, of leaves in clumps, now and then in blossom."""
    rng = kit.rng
    wide = rng.uniform(0.7, 1.5) * height
    n = many // 25
    way = _unit(rng.normal(size=(n, 3)) * [1, 1, 0.8] + [0, 0, 0.25])
    hub = way * rng.uniform(0.55, 1, (n, 1)) ** 0.6 * [wide / 2, wide / 2, height * 0.52] + [0, 0, height * 0.45]
    at = np.repeat(hub, 25, 0) + rng.normal(0, height * 0.09, (n * 25, 3))
    at = at[at[:, 2] > 0.02 * height]
    size = height * rng.uniform(0.05, 0.1)
    parts: list[Part] = [(leaves(rng, at, size, slim=rng.uniform(0.3, 0.8), lie=0.35), leafage(kit))]
    stems = [tube(limb(rng, np.zeros(3), h * [1, 1, 1.2], float(np.linalg.norm(h)) * 0.9, 4), height * 0.012, 4) for h in hub[:9]]
    parts.append((joined(stems), kit.painted(hsv(0.08, 0.35, 0.3), rough=0.9)))
    if rng.random() < blossom:
        many_ = int(rng.integers(30, 200))
        flowers = at[rng.integers(len(at), size=many_)] * 1.04
        parts.append((leaves(rng, flowers, size * 1.1, slim=1, lie=0.5), kit.painted(petal(rng), rough=0.6)))
    return parts


def petal(rng: Rng) -> Colour:
    """A flower's colour."""
    return hsv(
        rng.choice([rng.uniform(0.75, 1.05), rng.uniform(0.1, 0.17), rng.uniform(0.6, 0.75)]), rng.uniform(0.0, 0.9), rng.uniform(0.7, 1)
    )


def hedge(kit: Kit, size: Sequence[float], *, many: int = 2500) -> list[Part]:
    """A clipped hedge, size: metres along x, y, z."""
    rng = kit.rng
    x, y, z = size
    share = np.array([x * z, x * z, y * z, y * z, x * y])
    face = rng.choice(5, many, p=share / share.sum())
    p = rng.uniform(-0.5, 0.5, (many, 3)) * [x, y, z] + [0, 0, z / 2]
    depth = np.abs(rng.normal(0, 0.03, many)) - 0.02
    p[:, 1] = np.where(face == 0, -y / 2 + depth, np.where(face == 1, y / 2 - depth, p[:, 1]))
    p[:, 0] = np.where(face == 2, -x / 2 + depth, np.where(face == 3, x / 2 - depth, p[:, 0]))
    p[:, 2] = np.where(face == 4, z - depth, p[:, 2])
    skin = leafage(kit, green(rng))
    leaf = float(np.clip(np.sqrt(share.sum() / many) * 1.5, 0.04, 0.22))
    return [(rounded((x - 0.06, y - 0.06, z - 0.03), 0.08, (0, 0, z / 2 - 0.015)), skin), (leaves(rng, p, leaf, lie=0.1), skin)]


def tuft(kit: Kit, height: float, *, many: int = 60, wide: float = 0.4, colour: Colour | None = None) -> list[Part]:
    """Grass; `wide` metres across."""
    rng = kit.rng
    foot = rng.normal(0, wide / 2, (many, 3)) * [0.6, 0.6, 0]
    skin = kit.painted(colour or hsv(rng.uniform(0.13, 0.3), rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.6)), rough=0.7)
    return [(blades(rng, foot, height * rng.uniform(0.4, 1.15, many), height * 0.03 + 0.004, rng.uniform(0.1, 0.4)), skin)]


def flowers(kit: Kit, *, many: int = 120, wide: float = 1.5, height: float = 0.4) -> list[Part]:
    """A patch of flowers: stems, leaves, blossoms of some colours."""
    rng = kit.rng
    foot = rng.uniform(-0.5, 0.5, (many, 3)) * [wide, wide, 0]
    tall = height * rng.uniform(0.55, 1.1, many)
    skin = kit.painted(green(rng), rough=0.7)
    at = (
        np.repeat(foot, 7, 0)
        + rng.normal(0, 0.06, (many * 7, 3)) * [1, 1, 0]
        + np.repeat(tall, 7)[:, None] * rng.uniform(0.1, 0.8, (many * 7, 1)) * [0, 0, 1]
    )
    parts: list[Part] = [
        (blades(rng, foot, tall, 0.012, 0.02), skin),
        (leaves(rng, at, height * 0.28, slim=0.35, lie=0.2), skin),
    ]
    heads = foot + tall[:, None] * [0, 0, 1.0]
    sort = rng.integers(0, 3, many)
    radius = rng.uniform(0.018, 0.05)
    for k in range(3):
        own = heads[sort == k]
        if len(own):
            shape, faces = lathe([(0, 0), (radius, 0.3 * radius), (0.8 * radius, radius), (0, 0.6 * radius)], (0, 0, 0), 6)
            v = (own[:, None] + shape[None]).reshape(-1, 3)
            f = (np.arange(len(own))[:, None, None] * len(shape) + faces[None]).reshape(-1, 4)
            parts.append(((v, f), kit.painted(petal(rng), rough=0.6)))
    return parts


def reeds(kit: Kit, height: float, *, many: int = 150, wide: float = 2.0) -> list[Part]:
    """Reeds or tall grass with ears."""
    rng = kit.rng
    foot = rng.uniform(-0.5, 0.5, (many, 3)) * [wide, wide * 0.6, 0]
    tall = height * rng.uniform(0.6, 1.1, many)
    dry = rng.random() < 0.4
    skin = kit.painted(hsv(rng.uniform(0.1, 0.15), 0.45, 0.65) if dry else green(rng), rough=0.7)
    parts: list[Part] = [(blades(rng, foot, tall, 0.025, 0.12), skin)]
    own = foot[: many // 4]
    shape, faces = lathe([(0, 0), (0.014, 0.02), (0.014, 0.14), (0, 0.16)], (0, 0, 0), 6)
    v = (own[:, None] + shape[None] + (tall[: many // 4, None] * [0, 0, 0.97])[:, None]).reshape(-1, 3)
    parts.append(
        ((v, (np.arange(len(own))[:, None, None] * len(shape) + faces[None]).reshape(-1, 4)), kit.painted((0.3, 0.2, 0.12), rough=0.9))
    )
    return parts


def ivy(kit: Kit, wide: float, high: float, *, many: int = 2500) -> list[Part]:
    """Leaves on a wall: the wall is the plane y = 0 and looks along -y; from x = 0 to `wide`."""
    rng = kit.rng
    n = many // 20
    hub = np.stack([rng.uniform(0, wide, n), np.full(n, -0.06), high * rng.uniform(0, 1, n) ** 1.4], 1)
    hub[:, 2] *= 0.6 + 0.4 * np.sin(hub[:, 0] / wide * 9 + rng.uniform(0, 6))
    at = np.repeat(hub, 20, 0) + rng.normal(0, 1, (n * 20, 3)) * [0.22, 0.05, 0.22]
    at[:, 1] = -np.abs(at[:, 1])
    return [(leaves(rng, at[at[:, 2] > 0], 0.15, slim=0.8, lie=0.05), leafage(kit, season(rng)))]
