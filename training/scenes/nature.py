"""Landscapes, forests, lakes, shores, parks and gardens: from flowers half a metre away to mountains thirty kilometres off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Mesh, ball, joined, lathe, sheet, tube

from . import plants, sight, skies, town
from .grounds import patchy
from .kit import Kit, Part, Shot, rounded
from .plants import Stamp
from .textures import Colour, any_colour, green, hsv, noise, wood_colour

WEIGHT = 0.13

Floats = NDArray[np.float64]
FAR = 30000.0


def _step(v: Any, a: float, b: float) -> Any:
    """0 below a, 1 above b, smooth between."""
    t = np.clip((v - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _lookup(tile: NDArray[np.float32], x: Floats, y: Floats) -> Floats:
    """A repeating tile at x, y in its pixels, bilinear."""
    n = tile.shape[0]
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = y - i, x - j
    i, j = i % n, j % n
    i1, j1 = (i + 1) % n, (j + 1) % n
    return (tile[i, j] * (1 - fx) + tile[i, j1] * fx) * (1 - fy) + (tile[i1, j] * (1 - fx) + tile[i1, j1] * fx) * fy


@dataclass
class Land:
    """The ground: heights in metres by place, the viewer's surroundings about the origin.

    rough: unevenness underfoot; roll: the waves of the next 100 m; hills: height of those of the next kilometres; peaks: of the mountains;
    drop: how deep the land falls off beyond the first metres (a lookout); path: (width, phase) of a path or None; slope: rise along +y per metre.
    """

    kit: Kit
    rough: float
    roll: float
    hills: float
    peaks: float
    drop: float = 0.0
    path: tuple[float, float] | None = None
    slope: float = 0.0
    water: float | None = None
    tiles: list[NDArray[np.float32]] = field(default_factory=list)
    busy: list[tuple[float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = self.kit.rng
        self.tiles = [noise(rng, p, side=128) for p in (1.6, 2.0, 2.1, 1.9)]
        self.shift = rng.uniform(0, 128, (4, 2))
        self.base = 0.0
        self.base = float(self.height(np.zeros(1), np.zeros(1))[0])

    def along(self, s: Any) -> Floats:
        """The path's middle line at s metres, (..., 2)."""
        s = np.asarray(s, float)
        phase = self.path[1] if self.path else 0.0
        return np.stack(
            [1.2 * np.sin(s / 9 + phase) * _step(np.abs(s), 2, 30) + 5 * np.sin(s / 31 + phase * 2) * _step(np.abs(s), 6, 60) + 0.6, s], -1
        )

    def height(self, x: Any, y: Any) -> Floats:
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        d = np.hypot(x, y)
        t = self.tiles

        def at(k: int, period: float) -> Floats:
            return _lookup(t[k], x / period * 128 + self.shift[k, 0], y / period * 128 + self.shift[k, 1])

        level = self.rough
        if self.path:
            level = level * _step(np.abs(x - self.along(y)[..., 0]), self.path[0] * 0.5, self.path[0] * 1.5)
        z = level * at(0, 14.0) + self.roll * at(1, 170.0) * _step(d, 2, 90) + self.slope * y * (1 - _step(d, 60, 200))
        z = z + self.hills * (0.5 + 0.6 * at(2, 2600.0)) * _step(d, 120, 1600)
        if self.peaks:
            ridge = 1 - np.abs(at(3, 17000.0))
            z = z + self.peaks * np.clip(ridge, -0.2, 1) ** 2 * _step(d, 1500, 9000)
            z = z + 0.12 * self.peaks * (1 - np.abs(at(2, 3700.0))) * _step(d, 1800, 6000)
        if self.drop:
            z = z - self.drop * _step(d, 7, 90 + self.drop * 1.5)
        return z - self.base

    def put(
        self,
        stamp: Stamp,
        at: Sequence[float],
        turn: float | None = None,
        *,
        scale: float | Sequence[float] = 1.0,
        sink: float = 0.03,
        lean: float = 0.0,
    ) -> None:
        rng = self.kit.rng
        z = float(self.height(at[0], at[1])) - sink
        stamp.put(
            (float(at[0]), float(at[1]), z),
            rng.uniform(0, 360) if turn is None else turn,
            scale=scale,
            tilt=rng.normal(0, lean, 2) if lean else (0, 0),
        )

    def take(self, at: Sequence[float], radius: float) -> bool:
        if self.free(at, radius):
            self.busy.append((float(at[0]), float(at[1]), radius))
            return True
        return False

    def free(self, at: Sequence[float], radius: float) -> bool:
        return all(math.hypot(at[0] - x, at[1] - y) > r + radius for x, y, r in self.busy)

    def dry(self, at: Sequence[float]) -> bool:
        return self.water is None or float(self.height(at[0], at[1])) > self.water + 0.03

    def off_path(self, at: Sequence[float], margin: float) -> bool:
        return self.path is None or abs(at[0] - float(self.along(at[1])[..., 0])) > self.path[0] / 2 + margin

    def lay(self, near: bpy.types.Material, middle: bpy.types.Material, far: bpy.types.Material, cap: bpy.types.Material | None = None, snow: float = 0.6,
            shore: bpy.types.Material | None = None) -> None:  # fmt: skip
        """Put the ground into the scene: surfaces of the first 150 m, of the next 2.5 km, of the mountains and of their tops and steep sides."""
        radii = np.concatenate([[0.02], np.geomspace(0.4, FAR, 168)])
        a = np.linspace(0, 2 * np.pi, 289)
        x, y = radii[:, None] * np.cos(a), radii[:, None] * np.sin(a)
        z = self.height(x, y)
        v, f = sheet(np.stack([x, y, z], -1))
        p = v[f]
        mid = p.mean(1)
        d = np.hypot(mid[:, 0], mid[:, 1])
        n = np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1])
        steep = 1 - np.abs(n[:, 2]) / np.maximum(np.linalg.norm(n, axis=1), 1e-9)
        which = np.where(d < 150, 0, np.where(d < 2500, 1, 2))
        if cap is not None:
            line = snow * max(self.peaks, 1)
            ragged = line * (1 + 0.2 * _lookup(self.tiles[0], mid[:, 0] / 40, mid[:, 1] / 40))
            which = np.where((d > 2500) & (mid[:, 2] > ragged) & (steep < 0.35), 3, which)
        if shore is not None and self.water is not None:
            which = np.where((d < 400) & (mid[:, 2] < self.water + 0.35), 4, which)
        skins = [near, middle, far, cap or far, shore or near]
        parts: list[Part] = []
        for k, skin in enumerate(skins):
            own = f[which == k]
            if len(own):
                used, index = np.unique(own, return_inverse=True)
                parts.append(((v[used], index.reshape(-1, 4)), skin))
        self.kit.add(parts, smooth=True)

    def lay_path(self, skin: bpy.types.Material, edge: bool) -> None:
        if not self.path:
            return
        s = np.concatenate([np.arange(-40, 60, 0.7), np.arange(60, 200, 2.5)])
        mid = self.along(s)
        w = self.path[0] / 2
        offs = np.array([-w - 0.25, -w, -w / 2, 0, w / 2, w, w + 0.25])
        x, y = mid[:, None, 0] + offs[None], np.broadcast_to(mid[:, None, 1], (len(s), 7))
        z = self.height(x, y) + np.array([-0.12, 0.03, 0.04, 0.045, 0.04, 0.03, -0.12])[None]
        parts: list[Part] = [(sheet(np.stack([x, y, z], -1)), skin)]
        if edge:
            stone = self.kit.painted((0.5, 0.48, 0.45), rough=0.9)
            near = s < 45
            for side in (-1, 1):
                o = side * (w + np.array([0.0, 0.0, 0.12, 0.12]))
                ex, ey = mid[near][:, None, 0] + o[None], np.broadcast_to(mid[near][:, None, 1], (int(near.sum()), 4))
                ez = self.height(ex, ey) + np.array([0, 0.1, 0.1, 0])[None]
                parts.append((sheet(np.stack([ex, ey, ez], -1)), stone))
        self.kit.add(parts)

    def lay_water(self, colour: Colour, rough: float) -> None:
        assert self.water is not None
        a = np.linspace(0, 2 * np.pi, 49)
        radii = np.array([0.5, 20, 200, 2000, FAR * 1.5])
        v = np.stack([radii[:, None] * np.cos(a), radii[:, None] * np.sin(a), np.full((5, 49), self.water)], -1)
        skin = self.kit.surface("plaster", colour, metres=self.kit.rng.uniform(1.5, 6), rough=rough, bump=True, metallic=0.0)
        self.kit.add([(sheet(v), skin)])


def boulder(rng: np.random.Generator, fine: int = 22) -> Mesh:
    """A stone of about a metre: a ball with flats cut off, its foot at z = 0 about."""
    v, f = ball((0, 0, 0), (1, 1, 1), fine)
    way = rng.normal(size=(14, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    for n, d in zip(way, rng.uniform(0.55, 0.9, 14)):
        v = v - np.maximum(v @ n - d, 0)[:, None] * n * 0.93
    v = v * rng.uniform(0.5, 1.3, 3) * [1, 1, 0.7]
    v = v * (1 + sum(rng.normal(0, 0.05) * np.sin(v @ rng.normal(0, k, 3) + rng.uniform(0, 6)) for k in (3, 5, 8, 13)))[:, None]
    return v * 0.6 + [0, 0, 0.22], f


def ring_of(rng: np.random.Generator, near: float, far: float, yaw: float = 0.0, spread: float = 360.0) -> Floats:
    """A place between two distances; yaw: degrees to the left of +y about which it lies, `spread` wide."""
    d = near * (far / near) ** rng.random()
    a = math.radians(yaw + rng.uniform(-spread / 2, spread / 2))
    return np.array([-math.sin(a) * d, math.cos(a) * d])


@dataclass
class Stock:
    """Things of one scene, made when first wanted."""

    kit: Kit
    land: Land
    made: dict[str, list[Stamp]] = field(default_factory=dict)

    def some(self, name: str) -> Stamp:
        kit, rng = self.kit, self.kit.rng
        u = rng.uniform
        if name not in self.made:
            if name == "tree":
                stamps = [Stamp(kit, plants.tree(kit, u(6, 16))) for _ in range(3)]
            elif name == "near tree":
                stamps = [Stamp(kit, plants.tree(kit, u(5, 12), fine=True)) for _ in range(2)]
            elif name == "tall":
                kinds = [str(rng.choice(["broad", "birch", "conifer", "broad"]))] * 2 + [str(rng.choice(["broad", "conifer", "bare"]))]
                stamps = [Stamp(kit, plants.tree(kit, u(13, 24), k, stem=u(0.3, 0.6), fine=True)) for k in kinds]
            elif name == "bush":
                stamps = [Stamp(kit, plants.bush(kit, u(0.6, 1.8))) for _ in range(2)]
            elif name == "near bush":
                stamps = [Stamp(kit, plants.bush(kit, u(0.7, 1.6), many=5000, blossom=0.6))]
            elif name == "grass":
                tone = hsv(u(0.12, 0.3), u(0.35, 0.7), u(0.3, 0.6))
                high = float(rng.choice([0.12, 0.25, 0.5]))
                stamps = [Stamp(kit, plants.tuft(kit, high * u(0.7, 1.3), many=170, wide=u(0.8, 1.4), colour=tone)) for _ in range(2)]
            elif name == "flowers":
                stamps = [Stamp(kit, plants.flowers(kit, many=int(u(60, 160)), wide=u(1, 2), height=u(0.2, 0.6))) for _ in range(2)]
            elif name == "reeds":
                stamps = [Stamp(kit, plants.reeds(kit, u(0.8, 2.2)))]
            elif name == "stone":
                skin = kit.surface("rock", metres=u(0.6, 2), bump=True)
                stamps = [Stamp(kit, [(boulder(rng), skin)], smooth=bool(rng.random() < 0.5)) for _ in range(3)]
            elif name == "monument":
                parts, high = town.monument(kit)
                stamps = [Stamp(kit, parts)]
                self.high = high
            elif name == "bench":
                stamps = [Stamp(kit, town.bench(kit))]
            elif name == "lamp":
                stamps = [Stamp(kit, town.street_lamp(kit, u(3, 4.5)))]
            elif name == "walker":
                stamps = [Stamp(kit, town.walker(kit), smooth=True) for _ in range(2)]
            elif name == "pot":
                r = u(0.2, 0.5)
                pot: list[Part] = [
                    (
                        lathe(
                            [(r * 0.7, 0), (r, r * 1.4), (r * 1.1, r * 1.4), (r * 1.1, r * 1.6), (r * 0.9, r * 1.6), (0, r * 1.45)],
                            (0, 0, 0),
                            20,
                        ),
                        kit.surface("plaster", hsv(0.05, u(0.1, 0.6), u(0.35, 0.8)), bump=False),
                    )
                ]
                pot += [(town.moved(m, (0, 0, r * 1.4)), s) for m, s in plants.bush(kit, r * u(1.5, 3), many=1500, blossom=0.7)]
                stamps = [Stamp(kit, pot)]
            elif name == "table":
                stamps = [Stamp(kit, town.parasol(kit))]
            elif name == "log":
                long = u(1.5, 5)
                t = np.linspace(-long / 2, long / 2, 6)
                stamps = [
                    Stamp(kit, [(tube(np.stack([t, rng.normal(0, 0.04, 6), np.full(6, 0.18)], 1), u(0.14, 0.25), 12), plants.bark(kit))])
                ]
            elif name == "fern":
                stamps = [Stamp(kit, fern(kit)) for _ in range(2)]
            else:
                raise ValueError(name)
            self.made[name] = stamps
        stamps = self.made[name]
        return stamps[int(rng.integers(len(stamps)))]

    def scatter(self, name: str, count: int, near: float, far: float, *, radius: float = 0.3, yaw: float = 0.0, spread: float = 360.0, size: tuple[float, float] = (0.7, 1.3),
                sink: float = 0.03, clear: float = 0.3, lean: float = 0.0) -> list[Floats]:  # fmt: skip
        """Put `count` of a thing around; where they stand. clear: metres from the path's edge."""
        rng, land = self.kit.rng, self.land
        stood = []
        for _ in range(count):
            at = ring_of(rng, near, far, yaw, spread)
            if land.dry(at) and land.off_path(at, clear) and (radius == 0 or math.hypot(*at) > 40 or land.take(at, radius)):
                land.put(self.some(name), at, scale=rng.uniform(*size), sink=sink, lean=lean)
                stood.append(at)
        return stood


def fern(kit: Kit) -> list[Part]:
    rng = kit.rng
    skin = plants.leafage(kit, green(rng))
    made = []
    for k in range(int(rng.integers(8, 14))):
        a, long = k * 2.4, rng.uniform(0.4, 0.8)
        s = np.linspace(0.12, 1, 16)[:, None]
        way = np.array([math.cos(a), math.sin(a), 0])
        rib = way * s * long * 0.8 + np.array([0, 0, 1.0]) * long * (0.9 * s - 0.75 * s**2)
        across = np.cross(way, [0, 0, 1.0])
        for side in (-1, 1):
            out = (side * across + 0.3 * way) * long * 0.17 * (1.05 - s)
            made.append(plants.cards(rib + out, np.broadcast_to(way * long * 0.02, rib.shape), out))
    return [(joined(made), skin)]


def ground(kit: Kit, kind: str) -> tuple[bpy.types.Material, bpy.types.Material, bpy.types.Material, bpy.types.Material | None]:
    """Surfaces of near, middle, mountains, their caps. kind: "grass", "sand", "rock", "snow", "forest"."""
    rng = kit.rng
    u = rng.uniform
    tone = green(rng) if rng.random() < 0.8 else hsv(u(0.1, 0.15), u(0.3, 0.5), u(0.45, 0.7))
    if kind == "sand":
        tan = hsv(u(0.07, 0.13), u(0.2, 0.45), u(0.6, 0.9))
        return (
            kit.surface("gravel", tan, metres=u(2, 5), bump=True),
            kit.surface("earth", tan, metres=u(20, 80)),
            kit.surface("rock", metres=u(300, 900), bump=False),
            None,
        )
    if kind == "snow":
        white = (0.9, 0.92, 0.95)
        return (
            patchy(kit, kit.surface("paint", white, metres=u(2, 8), rough=0.7)),
            kit.surface("paint", white, metres=60),
            kit.surface("rock", metres=u(400, 900), bump=False),
            kit.painted(white, rough=0.8),
        )
    if kind == "rock":
        near = kit.surface(
            str(rng.choice(["rock", "gravel", "earth"])), hsv(u(0.03, 0.13), u(0.05, 0.4), u(0.35, 0.7)), metres=u(2, 6), bump=True
        )
    elif kind == "forest":
        near = kit.surface(
            str(rng.choice(["earth", "foliage", "gravel"])), hsv(u(0.05, 0.2), u(0.3, 0.6), u(0.2, 0.45)), metres=u(1, 3), bump=True
        )
    else:
        near = kit.surface("grass", tone, metres=u(1.2, 4), bump=False)
    middle = kit.surface(
        str(rng.choice(["foliage", "grass", "earth"], p=[0.5, 0.35, 0.15])),
        green(rng) if kind != "rock" else None,
        metres=u(25, 90),
        rough=1,
        bump=False,
    )
    far = kit.surface(
        str(rng.choice(["rock", "foliage"])), None if rng.random() < 0.5 else green(rng), metres=u(300, 1200), rough=1, bump=False
    )
    patchy(kit, near)
    patchy(kit, middle, u(150, 500))
    return near, middle, far, kit.painted((0.9, 0.92, 0.95), rough=0.8) if rng.random() < 0.5 else None


@dataclass
class Scene:
    """What the cameras go by: subjects (x, y, height, distance from, to)."""

    land: Land
    subjects: list[tuple[float, float, float, float, float]] = field(default_factory=list)


def landscape(kit: Kit) -> Scene:
    """Meadows, hills, mountains, lookouts, deserts, snow."""
    rng = kit.rng
    u = rng.uniform
    kind = str(rng.choice(["grass", "rock", "sand", "snow"], p=[0.66, 0.17, 0.08, 0.09]))
    skies.put(kit, night=0.03)
    land = Land(
        kit, u(0.03, 0.2) * (2 if kind == "rock" else 1), u(0.3, 4), u(5, 160), float(rng.choice([0, 0, u(200, 800), u(800, 2600)])),
        drop=u(15, 160) if rng.random() < 0.35 else 0.0, path=(u(0.6, 3.0), u(0, 6)) if rng.random() < 0.5 else None, slope=rng.normal(0, 0.05),
    )  # fmt: skip
    if rng.random() < 0.25:
        land.water = float(-u(3, 12) - land.drop * 0.8)
    land.lay(*ground(kit, kind), snow=u(0.3, 0.9))
    if land.water is not None:
        land.lay_water(hsv(u(0.5, 0.62), u(0.3, 0.7), u(0.1, 0.3)), u(0.03, 0.15))
    land.lay_path(
        kit.surface(str(rng.choice(["gravel", "earth", "asphalt"])), hsv(u(0.06, 0.13), u(0, 0.35), u(0.35, 0.75)), bump=False), False
    )
    stock = Stock(kit, land)
    scene = Scene(land)
    if kind == "grass":
        stock.scatter("grass", int(u(60, 260)), 1.2, 16, radius=0, clear=0.2)
        if rng.random() < 0.4:
            for at in stock.scatter("flowers", int(u(3, 25)), 1.5, 20, radius=0):
                scene.subjects.append((*at, 0.4, 1.2, 3.5))  # type: ignore[arg-type]
    elif rng.random() < 0.7:
        stock.scatter("grass", int(u(15, 90)), 1.5, 20, radius=0, clear=0.2)
    if kind in ("rock", "snow", "sand") or rng.random() < 0.3:
        for at in stock.scatter("stone", int(u(5, 45)), 2.0, 60, radius=0.5, size=(0.3, 2.2), sink=0.1, lean=12):
            scene.subjects.append((*at, 0.5, 2, 7))  # type: ignore[arg-type]
    if kind != "sand" or rng.random() < 0.5:
        for at in stock.scatter("bush", int(u(4, 30)), 3, 60, radius=0.9, size=(0.5, 1.5)):
            scene.subjects.append((*at, 1.0, 2.5, 8))  # type: ignore[arg-type]
    if kind != "sand":
        for at in stock.scatter("near tree", int(u(1, 16)), 5, 50, radius=0.6, clear=1.0):
            scene.subjects.append((*at, 5.0, 5, 20))  # type: ignore[arg-type]
        woods(stock, int(u(80, 420)))
    if rng.random() < 0.25:
        _fence_row(kit, land)
    if rng.random() < 0.35:
        _farm(kit, land)
    return scene


def woods(stock: Stock, count: int) -> None:
    """Groups of trees at 50 to 1500 m."""
    rng, land = stock.kit.rng, stock.land
    groups = [ring_of(rng, 60, 1100) for _ in range(int(rng.integers(4, 14)))]
    for _ in range(count):
        hub = groups[int(rng.integers(len(groups)))]
        at = hub + rng.normal(0, 0.16, 2) * np.linalg.norm(hub) * [1.6, 0.8]
        if math.hypot(*at) > 35 and land.dry(at):
            land.put(stock.some("tree"), at, scale=rng.uniform(0.8, 1.5), sink=0.2)


def _fence_row(kit: Kit, land: Land) -> None:
    rng = kit.rng
    stamp = Stamp(
        kit,
        [
            (town.moved(m, (-2.0, 0, 0)), s)
            for m, s in town.fence(kit, 4.0, rng.uniform(0.9, 1.3), str(rng.choice(["rails", "wire", "pickets", "wall"])))
        ],
    )
    off, a = rng.uniform(3, 12), math.radians(rng.uniform(0, 360))
    way, side = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
    for s in np.arange(-60, 80, 4.0):
        at = side * off + way * s
        ahead = at + way * 2
        tilt = math.degrees(math.atan2(float(land.height(*ahead)) - float(land.height(*(at - way * 2))), 4.0))
        if land.off_path(at, 1.6) and land.dry(at):
            land.busy += [(at[0] + way[0] * d, at[1] + way[1] * d, 0.4) for d in (-1.5, 0, 1.5)]
            stamp.put((at[0], at[1], float(land.height(*at)) - 0.05), math.degrees(a), tilt=(0, -tilt))


def _farm(kit: Kit, land: Land) -> None:
    rng = kit.rng
    look = town.Look(kit)
    hub = ring_of(rng, 40, 300)
    for _ in range(int(rng.integers(1, 4))):
        h = town.house(look, str(rng.choice(["villa", "old", "hall"])))
        at = hub + rng.normal(0, 12, 2)
        if land.dry(at):
            kit.add(h.parts, (*at, float(land.height(*at)) - 0.3), rng.uniform(0, 360))
            land.busy.append((*at, 14.0))  # type: ignore[arg-type]


def shore(kit: Kit) -> Scene:
    """A lake or the sea: banks, reeds, stones, beaches, a jetty, a far bank or none."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, night=0.05)
    sea = rng.random() < 0.45
    sandy = sea and rng.random() < 0.7
    land = Land(kit, u(0.02, 0.1), u(0.1, 0.5), u(10, 120), 0.0 if sea else float(rng.choice([0, u(300, 1800)])), slope=-u(0.05, 0.14))
    land.water = -u(0.3, 1.1)
    if sea:
        land.hills = -u(30, 60)
        land.roll = u(0.1, 0.3)
    skins = ground(kit, "sand" if sandy else str(rng.choice(["grass", "rock", "grass"])))
    bank = kit.surface("gravel", hsv(u(0.07, 0.13), u(0.1, 0.4), u(0.4, 0.85)), metres=u(1, 4))
    land.lay(*skins, snow=u(0.3, 0.9), shore=bank)
    land.lay_water(hsv(u(0.48, 0.62), u(0.3, 0.7), u(0.1, 0.35)), u(0.03, 0.2))
    stock, scene = Stock(kit, land), Scene(land)
    if not sandy:
        stock.scatter("grass", int(u(40, 180)), 1.2, 14, radius=0)
    elif rng.random() < 0.6:
        stock.scatter("grass", int(u(10, 60)), 2, 25, radius=0, yaw=180, spread=160)
    for at in stock.scatter("stone", int(u(4, 50)), 1.5, 30, radius=0.4, size=(0.2, 1.6), sink=0.1, lean=15):
        scene.subjects.append((*at, 0.4, 1.5, 6))  # type: ignore[arg-type]
    if not sea:
        for _ in range(int(u(0, 14))):
            at = np.array([rng.normal(0, 10), (land.water + 0.1) / land.slope + u(-1, 2.5)])
            if land.take(at, 0.6):
                stock.some("reeds").put((*at, float(land.height(*at))), u(0, 360), scale=u(0.7, 1.2))
                scene.subjects.append((*at, 1.0, 2.5, 8))  # type: ignore[arg-type]
    for at in stock.scatter("near tree", int(u(0, 10)), 5, 40, radius=0.6):
        scene.subjects.append((*at, 4.0, 5, 16))  # type: ignore[arg-type]
    if not sea:
        woods(stock, int(u(100, 400)))
    elif sandy and rng.random() < 0.6:
        for at in stock.scatter("table", int(u(1, 10)), 4, 35, radius=1.5):
            scene.subjects.append((*at, 1.5, 4, 12))  # type: ignore[arg-type]
    if rng.random() < 0.35:
        at_y = (land.water + 0.25) / land.slope
        x0, long = rng.normal(0, 4), u(5, 14)
        wood = kit.surface("planks", wood_colour(rng), bump=False)
        z = land.water + u(0.3, 0.6)
        legs = [(x0 + sx * 0.6, at_y + y, z - 0.8) for sx in (-1, 1) for y in np.arange(0.5, long, 2)]
        kit.add([(rounded((1.5, long, 0.08), 0.01, (x0, at_y + long / 2 - 0.5, z)), wood), (town.boxes(legs, (0.14, 0.14, 2.4)), wood)])
        land.busy += [(x0, at_y + k, 0.9) for k in np.arange(0, long, 1.5)]
        scene.subjects.append((x0, float(at_y + 2), 0.3, 3, 8))
    for _ in range(int(rng.integers(0, 4))):
        at = np.array([rng.normal(0, 25), u(12, 150)])
        if float(land.height(*at)) < land.water - 0.3:
            boat(kit, (*at, land.water))  # type: ignore[arg-type]
    return scene


def boat(kit: Kit, at: tuple[float, float, float]) -> None:
    """A rowing or sailing boat on the water."""
    rng = kit.rng
    long = rng.uniform(3.5, 8)
    t = np.linspace(0, 1, 14)
    half = long * 0.17 * np.sin(np.pi * np.clip(t * 0.86 + 0.14, 0, 1)) ** 0.7
    rise = 0.12 * long * (0.5 + 0.5 * (2 * t - 1) ** 2)
    ring = np.stack(
        [
            np.stack([s * half * w, (t - 0.5) * long, z * rise - 0.15], 1)
            for s, w, z in ((-1, 1, 1), (-1, 0.7, 0.0), (1, 0.7, 0.0), (1, 1, 1))
        ],
        1,
    )
    parts: list[Part] = [
        (sheet(ring), kit.painted(any_colour(rng), rough=0.4)),
        (town.boxes([(0, -long * 0.15, 0.2), (0, long * 0.15, 0.2)], (long * 0.3, 0.3, 0.04)), kit.painted((0.5, 0.35, 0.2))),
    ]
    if rng.random() < 0.5:
        mast = long * 1.1
        parts.append((town.boxes([(0, 0, mast / 2)], (0.08, 0.08, mast)), kit.painted((0.8, 0.8, 0.8))))
        sail = np.array([(0.05, -0.1, 0.8), (0.5, -long * 0.42, 0.8), (0.05, -0.1, mast * 0.97), (0.05, -0.1, mast * 0.97)])
        parts.append(((sail, np.array([(0, 1, 2, 2)])), kit.painted((0.92, 0.9, 0.86), rough=0.8)))
    kit.add(parts, at, rng.uniform(0, 360))


def forest(kit: Kit) -> Scene:
    """Among trunks."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, night=0.0)
    land = Land(
        kit,
        u(0.05, 0.25),
        u(0.5, 4),
        u(5, 60),
        0.0,
        path=(u(0.8, 3.5), u(0, 6)) if rng.random() < 0.65 else None,
        slope=rng.normal(0, 0.05),
    )
    land.lay(*ground(kit, str(rng.choice(["forest", "forest", "grass", "snow"], p=[0.45, 0.25, 0.22, 0.08]))))
    land.lay_path(kit.surface(str(rng.choice(["gravel", "earth"])), hsv(u(0.06, 0.13), u(0.1, 0.35), u(0.3, 0.65)), bump=False), False)
    stock, scene = Stock(kit, land), Scene(land)
    dense = u(0.35, 1)
    tall = stock.scatter("tall", int(200 * dense) + 20, 2.2, 45, radius=u(0.5, 1.3), size=(0.7, 1.25), sink=0.15, clear=0.8, lean=1.5)
    scene.subjects.extend((float(a[0]), float(a[1]), 1.6, 2.0, 7.0) for a in tall)
    stock.scatter("tall", int(380 * dense) + 60, 40, 170, size=(0.7, 1.25), sink=0.15, clear=0.8)
    if rng.random() < 0.6:
        stock.scatter("bush", int(u(20, 120)), 14, 70, radius=0, size=(0.6, 2.2), clear=0.3)
    for name, most in (("fern", 60), ("grass", 140), ("bush", 25), ("stone", 20)):
        if rng.random() < 0.55:
            for at in stock.scatter(name, int(u(5, most)), 1.3, 18, radius=0.25 if name != "grass" else 0, size=(0.5, 1.2)):
                scene.subjects.append((*at, 0.4, 1, 4))  # type: ignore[arg-type]
    if rng.random() < 0.5:
        for at in stock.scatter("log", int(u(1, 5)), 2, 14, radius=0.9):
            scene.subjects.append((*at, 0.2, 1.5, 6))  # type: ignore[arg-type]
    return scene


def park(kit: Kit) -> Scene:
    """Lawns, paths, benches, statues, beds, hedges, a house behind."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, night=0.03)
    land = Land(
        kit,
        u(0.01, 0.04),
        u(0.2, 1.2),
        u(2, 60),
        0.0 if rng.random() < 0.8 else u(200, 1200),
        path=(u(1.2, 4), u(0, 6)) if rng.random() < 0.85 else None,
    )
    land.lay(*ground(kit, "grass"))
    land.lay_path(
        kit.surface(
            str(rng.choice(["gravel", "tiles", "asphalt", "earth", "bricks"])), hsv(u(0.06, 0.13), u(0, 0.3), u(0.4, 0.8)), bump=False
        ),
        bool(rng.random() < 0.4),
    )
    stock, scene = Stock(kit, land), Scene(land)

    def seen(places: Sequence[Floats], high: float, near: float, far: float) -> None:
        scene.subjects.extend((float(a[0]), float(a[1]), high, near, far) for a in places)

    if rng.random() < 0.6:
        stock.some("monument")
        for _ in range(int(rng.integers(1, 4))):
            at = ring_of(rng, 4, 18)
            if land.off_path(at, 0.8) and land.take(at, 1.0):
                land.put(stock.some("monument"), at, math.degrees(math.atan2(at[0], -at[1])) + 180 + rng.normal(0, 50))
                seen([at] * 4, stock.high, 2.5, 9)
    if rng.random() < 0.25:
        parts, radius = town.fountain(kit)
        at = ring_of(rng, 7, 16)
        if land.off_path(at, radius) and land.take(at, radius):
            kit.add(parts, (*at, float(land.height(*at)) - 0.1))
            seen([at] * 2, 2.0, 5, 12)
    side = float(rng.choice([-1, 1]))
    for name, gap, off in (("bench", u(6, 15), 0.7), ("lamp", u(9, 20), 0.8), ("near tree", u(5, 10), u(1.2, 2.5))):
        if land.path and rng.random() < 0.6:
            for s in np.arange(u(-10, -3), 60, gap):
                at = land.along(s) + [side * (land.path[0] / 2 + off), 0]
                if land.take(at, 0.7):
                    land.put(stock.some(name), at, -90 * side + rng.normal(0, 4) if name != "near tree" else None)
                    seen([at], 1.0 if name == "bench" else 3.0, 2, 8)
    seen(stock.scatter("near tree", int(u(4, 26)), 7, 55, radius=1.0, clear=1), 4.0, 5, 18)
    seen(stock.scatter("near tree", int(u(0, 3)), 3, 9, radius=0.6, clear=0.8), 2.5, 2, 7)
    seen(stock.scatter("bush", int(u(0, 18)), 3, 30, radius=1.0, clear=0.5), 0.8, 1.5, 6)
    if rng.random() < 0.6:
        seen(stock.scatter("flowers", int(u(2, 14)), 2, 14, radius=0.8, clear=0.5), 0.4, 1.0, 4)
    stock.scatter("grass", int(u(0, 60)), 1.2, 14, radius=0, size=(0.25, 0.6))
    stock.scatter("tree", int(u(8, 45)), 22, 75, radius=0, clear=1.5)
    stock.scatter("bush", int(u(0, 40)), 16, 60, radius=0, size=(0.6, 2.0), clear=0.8)
    if rng.random() < 0.5:
        long = u(4, 12)
        row = Stamp(kit, plants.hedge(kit, (long, u(0.5, 1.1), u(0.6, 2.4)), many=3500))
        y0, a = u(6, 22), u(0, 360)
        for k in range(int(rng.integers(1, 6))):
            at = np.array([math.cos(math.radians(a)), math.sin(math.radians(a))]) * (k - 2) * long + ring_of(rng, y0, y0 + 0.1, a)
            if land.off_path(at, 1) and land.take(at, long * 0.4):
                land.put(row, at, a)
    if rng.random() < 0.4:
        stock.scatter("walker", int(u(1, 7)), 9, 40, radius=0.4, size=(0.95, 1.05), clear=-1)
    if rng.random() < 0.5:
        _farm(kit, land)
    if rng.random() < 0.35:
        _fence_row(kit, land)
    woods(stock, int(u(60, 260)))
    return scene


def garden(kit: Kit) -> Scene:
    """Behind a house: lawn, terrace, furniture, beds, fences, walls, pots."""
    rng = kit.rng
    u = rng.uniform
    skies.put(kit, night=0.05)
    land = Land(kit, u(0.005, 0.03), u(0.1, 0.6), u(2, 40), 0.0, path=(u(0.6, 1.4), u(0, 6)) if rng.random() < 0.5 else None)
    land.lay(*ground(kit, "grass"))
    land.lay_path(kit.surface(str(rng.choice(["gravel", "tiles", "bricks"])), bump=False), False)
    stock, scene = Stock(kit, land), Scene(land)

    def seen(places: Sequence[Floats], high: float, near: float, far: float) -> None:
        scene.subjects.extend((float(a[0]), float(a[1]), high, near, far) for a in places)

    look = town.Look(kit)
    h = town.house(look, "villa")
    back = u(5, 11)
    kit.add(h.parts, (-h.width / 2 + rng.normal(0, 2), back, -0.05), 0)
    land.busy += [(x, back + y, 1.5) for x in np.arange(-h.width / 2, h.width / 2 + 1, 1.5) for y in (1.0, 4.0)]
    if rng.random() < 0.7:
        wide, deep = u(3, 8), u(2.5, 4)
        kit.add(
            [
                (
                    rounded((wide, deep, 0.3), 0.01, (u(-2, 2), back - deep / 2 - 0.1, 0.0)),
                    kit.surface(str(rng.choice(["tiles", "planks", "concrete"])), metres=u(1, 2)),
                )
            ]
        )
    wide = u(6, 12)
    sort = str(rng.choice(["hedge", "fence", "wall"]))
    for side in (-1, 1):
        for y in np.arange(-14, back, 5.0):
            if sort == "hedge" or rng.random() < 0.15:
                stamp = Stamp(kit, plants.hedge(kit, (5.0, u(0.6, 1), u(1.2, 2.4)))) if y == -14 else stamp  # noqa: F821
            elif y == -14:
                stamp = Stamp(
                    kit,
                    [(town.moved(m, (-2.5, 0, 0)), s) for m, s in town.fence(kit, 5.0, u(0.9, 2.0), "wall" if sort == "wall" else None)],
                )
            stamp.put((side * wide, y + 2.5, 0), 90)
            land.busy += [(side * wide, y + k, 0.8) for k in (0.5, 2.5, 4.5)]
    end = Stamp(kit, town.fence(kit, 2 * wide, u(0.9, 1.9)))
    end.put((-wide, -14, 0))
    seen(stock.scatter("near tree", int(u(0, 3)), 3, 8, radius=0.6, size=(0.5, 0.9)), 2, 2, 6)
    seen(stock.scatter("near bush", int(u(1, 7)), 2, 9, radius=0.8, size=(0.6, 1.3)), 0.7, 0.9, 4)
    seen(stock.scatter("flowers", int(u(1, 9)), 1.5, 8, radius=0.7), 0.4, 0.7, 3)
    seen(stock.scatter("pot", int(u(0, 7)), 1.5, 8, radius=0.5, size=(0.6, 1.2)), 0.6, 0.8, 3)
    seen(stock.scatter("table", int(u(0, 2.4)), 2.5, 7, radius=1.4, size=(0.95, 1.05)), 1.0, 2, 6)
    seen(stock.scatter("bench", int(u(0, 2.4)), 2.5, 8, radius=0.9, size=(0.95, 1.05)), 0.6, 1.5, 5)
    seen(stock.scatter("stone", int(u(0, 6)), 1.5, 8, radius=0.4, size=(0.2, 0.6)), 0.2, 0.7, 3)
    stock.scatter("grass", int(u(10, 90)), 1.0, 9, radius=0, size=(0.2, 0.5))
    if rng.random() < 0.4:
        kit.add(plants.ivy(kit, u(1.5, 4), u(2, 5)), (u(-3, 1), back, 0))
    if rng.random() < 0.3:
        stock.some("monument")
        at = ring_of(rng, 3, 7)
        if land.take(at, 0.8):
            land.put(stock.some("monument"), at, 180, scale=u(0.5, 0.8))
            seen([at] * 2, stock.high * 0.65, 1.8, 5)
    stock.scatter("tree", int(u(4, 14)), 16, 60, radius=1.0)
    return scene


def cameras(scene: Scene, kit: Kit, count: int) -> list[Shot]:
    """Views of the whole, of a subject with what is behind it, of the ground before one's feet, up into a tree."""
    rng, land = kit.rng, scene.land
    u = rng.uniform
    shots: list[Shot] = []
    for _ in range(count + 6):
        for _ in range(14):
            kind = rng.random()
            if kind < 0.5 and scene.subjects:
                x, y, high, near, far = scene.subjects[int(rng.integers(len(scene.subjects)))]
                d, a = near * (far / near) ** rng.random(), u(0, 2 * np.pi)
                at = np.array([x + math.cos(a) * d, y + math.sin(a) * d])
                if math.hypot(*at) > 45:
                    continue
                up = u(0.35, 1.5) if high < 1.1 and rng.random() < 0.6 else u(1.3, 1.8)
                floor = float(land.height(x, y))
                aside = rng.normal(0, 0.14, 2) * d
                aim = np.array([x + aside[0], y + aside[1], floor + high * u(0.3, 0.9)])
                fov = u(25, 68)
            else:
                at = rng.normal(0, 3.5, 2)
                up = u(1.4, 1.8) if rng.random() < 0.8 else u(0.4, 1.2)
                yaw, pitch = math.radians(u(0, 360)), math.radians(rng.normal(4, 8))
                fov = u(35, 85)
                floor = float(land.height(*at))
                aim = np.array([at[0] - math.sin(yaw) * 10, at[1] + math.cos(yaw) * 10, floor + up - 10 * math.tan(pitch)])
            if not land.free(at, 0.35) or not land.dry(at):
                continue
            eye = np.array([*at, float(land.height(*at)) + up])
            tilt = math.degrees(math.atan2(aim[2] - eye[2], math.hypot(*(aim - eye)[:2])))
            if not -28 < tilt < 34:
                continue
            shots.append(Shot(eye, aim, fov, rng.normal(0, 1.6)))
            break
    return sight.worthwhile(kit, shots, count, nearest=0.4)


def build(kit: Kit) -> list[Shot]:
    kind = kit.rng.choice(5, p=[0.3, 0.16, 0.16, 0.22, 0.16])
    scene = (landscape, shore, forest, park, garden)[int(kind)](kit)
    return cameras(scene, kit, int(kit.rng.integers(4, 7)))
