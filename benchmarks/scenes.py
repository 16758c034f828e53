"""Five small scenes that Blender itself renders: a believable photo, its exact depth, and the truth from other cameras.

    python benchmarks/scenes.py [NAME ...]

renders what is not cached yet under build/benchmarks/scenes. `load` gives one scene as arrays, rendering it if need be.

The photo and its second views are path traced; the depth is a second render of one sample in the middle of every pixel
(distance along the optical axis, infinite in the sky), so that it has no mixed values at silhouettes. A second view's
pixel is told to be visible, hidden or out of the photo's frame by taking its true depth back into the first camera and
comparing with the photo's depth there, rendered three times as fine.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")

import bpy  # noqa: E402
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from mathutils import Euler, Matrix  # noqa: E402
from modelling import (  # noqa: E402
    Floats,
    Mesh,
    Paint,
    add,
    ball,
    box,
    cards,
    joined,
    lathe,
    light,
    material,
    ribbons,
    sheet,
    tube,
    world,
)
from numpy.typing import NDArray  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "benchmarks" / "scenes"
HUMAN = ROOT / ".." / "shared" / "data" / "human" / "base.obj"

WIDTH, HEIGHT = 512, 384
FOV = 50.0  # degrees, horizontal
FOCAL = WIDTH / 2 / np.tan(np.radians(FOV / 2))  # pixels
SAMPLES = 32
BOUNCES = 0  # light straight from sky and lamps: what bounces adds little here but noise
FINE = 3  # how much finer the depth is by which visibility is decided
SIDEWAYS = (1, 2, 4, 8)  # % of the width between the nearest and the farthest point
EDGE = 4  # pixels around a hole


class Pose(NamedTuple):
    """The photo's camera: metres in the world, and degrees that it looks down."""

    location: tuple[float, float, float]
    down: float = 0.0


# The scenes


def _walls(rng: np.random.Generator, back: float, left: float, right: float, height: float) -> None:
    """Back and side walls of a room with a skirting board."""
    plaster = material(
        "Plaster", lambda p: p.mix(0.35, p.noise(2.5, ((0.3, "c9bfae"), (0.7, "e4dccd"))), p.picture("gravel.png", 1.3), "SOFT_LIGHT")
    )
    papered = material(
        "Wallpaper",
        lambda p: p.mix(
            0.5,
            p.wave((9, 9, 0.1), ((0.2, "7f9a94"), (0.8, "93ada5")), 0.3),
            p.voronoi((14, 14, 14), ((0, "6f8f8c"), (1, "a8bdb0"))),
            "SOFT_LIGHT",
        ),
    )
    white = material("Skirting", lambda p: p.noise(8, ((0.3, "e6e2da"), (0.7, "f3f0ea"))), roughness=0.5)
    width = right - left
    add("Back Wall", box(((left + right) / 2, back + 0.05, height / 2), (width, 0.1, height)), papered)
    add("Left Wall", box((left - 0.05, back - 4, height / 2), (0.1, 8, height)), plaster)
    add("Right Wall", box((right + 0.05, back - 4, height / 2), (0.1, 8, height)), plaster)
    add(
        "Skirting",
        joined([box(((left + right) / 2, back - 0.01, 0.06), (width, 0.025, 0.12)), box((left + 0.01, back - 4, 0.06), (0.025, 8, 0.12))]),
        white,
    )


def _books(rng: np.random.Generator, start: float, end: float, y: float, z: float) -> Mesh:
    """A row of books on a shelf, from x = start to end."""
    books, x = [], start
    while x < end - 0.05:
        thick, high, deep = rng.uniform(0.018, 0.05), rng.uniform(0.19, 0.28), rng.uniform(0.15, 0.2)
        if rng.random() < 0.9:
            books.append(box((x + thick / 2, y + deep / 2, z + high / 2), (thick * 0.95, deep, high)))
        x += thick + (0.12 if rng.random() < 0.06 else 0.0)
    return joined(books)


def _shelf(rng: np.random.Generator, x: float, y: float, width: float, height: float) -> None:
    """A bookcase with its front at y."""
    wood = material("Shelf Wood", lambda p: p.wave((3, 30, 30), ((0.1, "6b452b"), (0.9, "8e6140")), 6))
    spines = material(
        "Spines",
        lambda p: p.mix(
            0.5,
            p.voronoi((22, 2, 3.2), ((0, "8c2f23"), (0.25, "1f3f5b"), (0.5, "d8c9a0"), (0.75, "2f5a3c"), (1, "b07a2c"))),
            p.noise((90, 90, 14), ((0.35, "3a3733"), (0.65, "f1ead8")), 2),
            "OVERLAY",
        ),
        roughness=0.6,
    )
    boards = [box((x + s * width / 2, y + 0.14, height / 2), (0.03, 0.28, height)) for s in (-1, 1)]
    levels = np.arange(0.08, height, 0.34)
    boards += [box((x, y + 0.14, z), (width, 0.28, 0.025)) for z in (*levels, height)]
    add("Shelf", joined(boards), wood)
    add("Shelf Back", box((x, y + 0.29, height / 2), (width, 0.02, height)), wood)
    for z in levels:
        add("Books", _books(rng, x - width / 2 + 0.03, x + width / 2 - 0.03, y + 0.05, z + 0.013), spines)


def _plant(rng: np.random.Generator, at: Sequence[float], size: float, leaves: int = 160) -> None:
    """A pot plant of `size` metres."""
    clay = material("Clay", lambda p: p.noise(25, ((0.3, "9b5233"), (0.7, "bb7048"))))
    green = material("Leaves", lambda p: p.noise(18, ((0.3, "234d1d"), (0.5, "3f7a2b"), (0.75, "7da24a"))), roughness=0.5)
    add(
        "Pot",
        lathe(((0.0, 0.0), (0.11, 0.0), (0.15, 0.26), (0.165, 0.26), (0.165, 0.3), (0.13, 0.3), (0.12, 0.24), (0, 0.24)), at),
        clay,
        smooth=False,
    )
    top = np.asarray(at) + (0, 0, 0.26)
    stems, centre, side, up = [], [], [], []
    for _ in range(leaves // 8):
        angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.55) * size
        t = np.linspace(0, 1, 7)[:, None]
        out = np.array([np.cos(angle), np.sin(angle), 0])
        path = top + out * lean * t**1.6 + [0, 0, 1] * (size * rng.uniform(0.6, 1.0) * t - 0.15 * size * t**3)
        stems.append(tube(path, np.linspace(0.008, 0.003, 7), 5))
        for k in rng.uniform(0.35, 1, 8):
            p = path[int(k * 6)]
            d = out * 0.6 + rng.normal(0, 0.6, 3)
            d /= np.linalg.norm(d)
            n = np.cross(d, rng.normal(0, 1, 3))
            long = size * rng.uniform(0.05, 0.11)
            centre.append(p + d * long)
            up.append(d * long)
            side.append(n / np.linalg.norm(n) * long * 0.42)
    add("Stems", joined(stems), green)
    add("Leaves", cards(np.array(centre), np.array(side), np.array(up)), green)


def _frame(name: str, centre: Sequence[float], size: tuple[float, float], *, aside: bool = False) -> None:
    """A framed picture of scikit-image's on a wall."""
    w, h = size
    black = material("Frame", lambda p: p.wave((40, 40, 4), ((0, "2a2019"), (1, "463527"))), roughness=0.4)
    shown = material(f"Picture {name}", lambda p: p.poster(name, centre, size, aside=aside), roughness=0.4)
    thick = (0.03, w + 0.08, h + 0.08) if aside else (w + 0.08, 0.03, h + 0.08)
    front = np.array((0.02, 0, 0) if aside else (0, -0.02, 0))
    add("Frame", box(centre, thick), black, bevel=0.006)
    add("Picture", box(np.asarray(centre) + front, (0.01, w, h) if aside else (w, 0.01, h)), shown)


def _table(at: Sequence[float], size: Sequence[float], turn: float, wood: bpy.types.Material) -> None:
    """A table: its top of `size` (width, depth) at height size[2]."""
    w, d, z = size
    c, s = np.cos(turn), np.sin(turn)
    legs = []
    for a in (-1, 1):
        for b in (-1, 1):
            x, y = a * (w / 2 - 0.05), b * (d / 2 - 0.05)
            legs.append(box((at[0] + c * x - s * y, at[1] + s * x + c * y, z / 2), (0.045, 0.045, z), turn))
    add("Table Legs", joined(legs), wood, bevel=0.005)
    add("Table", box((at[0], at[1], z), (w, d, 0.035), turn), wood, bevel=0.01)


def room() -> Pose:
    """A living room: furniture of thin and thick parts on a floor that runs from near to far."""
    rng = np.random.default_rng(1)
    oak = material(
        "Floor",
        lambda p: p.mix(
            0.6,
            p.bricks(1.1, 0.13, ("a87a4d", "7c5431", "3b2616"), turn=(0, 0, np.pi / 2), mortar=0.004),
            p.wave((35, 3, 3), ((0.1, "8a6a48"), (0.9, "e0c8a4")), 8),
            "SOFT_LIGHT",
        ),
        roughness=0.45,
    )
    wood = material("Walnut", lambda p: p.wave((4, 28, 28), ((0.1, "5b3a22"), (0.9, "85583a")), 7), roughness=0.45)
    pine = material("Pine", lambda p: p.wave((26, 26, 3), ((0.1, "b98a55"), (0.9, "d8b17c")), 5), roughness=0.5)
    cloth = material(
        "Sofa", lambda p: p.mix(0.5, p.voronoi(160, ((0, "23465a"), (1, "4c7f93"))), p.noise(3, ((0.3, "2d566a"), (0.7, "5b8ea2")))), bump=2
    )
    cushion = material("Cushion", lambda p: p.wave((22, 22, 22), ((0.4, "c8552f"), (0.6, "efd9a8")), 0.5), bump=1)
    rug = material(
        "Rug",
        lambda p: p.mix(
            0.5,
            p.voronoi((5, 5, 1), ((0, "7a1f24"), (0.4, "c8a467"), (0.7, "2c3b55"), (1, "a94436"))),
            p.picture("grass.png", 0.5),
            "OVERLAY",
        ),
    )
    white = material("China", lambda p: p.noise(9, ((0.4, "dfe3e4"), (0.6, "3f6ea3")), 2), roughness=0.3)
    shade = material("Shade", lambda p: p.noise((3, 3, 60), ((0.3, "e8d6b0"), (0.7, "f7ecd2"))))
    metal = material("Metal", lambda p: p.noise(30, ((0.3, "3a3a3c"), (0.7, "5a5a5c"))), roughness=0.35)
    add("Floor", box((0, 2.4, -0.05), (7, 8, 0.1)), oak)
    _walls(rng, 5.2, -2.8, 3.0, 2.7)
    add("Rug", box((0.45, 3.5, 0.008), (2.2, 1.3, 0.016), 0.06), rug)
    sofa = [box((0.9, 4.72, 0.25), (2.1, 0.8, 0.36)), box((0.9, 5.02, 0.62), (2.1, 0.25, 0.5))]
    add("Sofa", joined([*sofa, *(box((0.9 + s * 1.02, 4.7, 0.36), (0.2, 0.85, 0.6)) for s in (-1, 1))]), cloth, bevel=0.05)
    for x, turn in ((0.25, 0.3), (1.5, -0.25)):
        add("Cushion", box((x, 4.72, 0.6), (0.44, 0.15, 0.42), turn), cushion, bevel=0.06)
    _table((0.45, 3.15), (1.15, 0.6, 0.42), 0.15, wood)
    vase = ((0, 0), (0.05, 0), (0.085, 0.1), (0.05, 0.2), (0.04, 0.24), (0.055, 0.27))
    add("Vase", lathe(vase, (0.2, 3.15, 0.44)), white, smooth=True)
    twigs = []
    for _ in range(9):
        t = np.linspace(0, 1, 9)[:, None]
        twigs.append(
            tube(
                (0.2, 3.15, 0.62)
                + t * [rng.normal(0, 0.16), rng.normal(0, 0.12), rng.uniform(0.35, 0.6)]
                + rng.normal(0, 0.008, (9, 3)).cumsum(0),
                0.004,
                5,
            )
        )
    add("Twigs", joined(twigs), wood)
    add("Table Books", joined([box((0.75, 3.1, 0.45 + 0.03 * i), (0.24, 0.17, 0.028), 0.3 * i) for i in range(3)]), cushion)
    seat = (-1.15, 2.75)
    _table(seat, (0.44, 0.44, 0.46), 0.5, pine)
    c, s = np.cos(0.5), np.sin(0.5)
    back = [
        box((seat[0] + c * x - s * 0.19, seat[1] + s * x + c * 0.19, 0.72), (0.03, 0.03, 0.55), 0.5) for x in np.linspace(-0.19, 0.19, 6)
    ]
    back.append(box((seat[0] - s * 0.19, seat[1] + c * 0.19, 1.0), (0.46, 0.04, 0.07), 0.5))
    add("Chair Back", joined(back), pine, bevel=0.006)
    add(
        "Lamp Pole",
        joined(
            [
                tube(np.array([(-0.75, 4.75, z) for z in np.linspace(0.02, 1.6, 5)]), 0.014),
                lathe(((0, 0), (0.16, 0), (0.16, 0.02), (0, 0.03)), (-0.75, 4.75, 0.0)),
            ]
        ),
        metal,
    )
    add("Lamp Shade", lathe(((0.22, 0), (0.14, 0.3)), (-0.75, 4.75, 1.42)), shade, smooth=True)
    _shelf(rng, -1.95, 4.88, 1.2, 1.85)
    _plant(rng, (2.35, 4.1, 0), 1.15, 260)
    _frame("astronaut.png", (0.45, 5.18, 1.75), (0.62, 0.62))
    _frame("coffee.png", (1.45, 5.18, 1.72), (0.75, 0.5))
    _frame("chelsea.png", (-2.78, 3.6, 1.6), (0.8, 0.55), aside=True)
    _table((0.62, 1.78), (0.5, 0.42, 0.78), -0.2, wood)  # close to the camera
    add("Mug", lathe(((0, 0), (0.04, 0), (0.042, 0.1), (0.037, 0.1), (0.035, 0.01)), (0.5, 1.72, 0.8)), white, smooth=True)
    add("Bowl", lathe(((0, 0.005), (0.05, 0), (0.12, 0.075), (0.115, 0.078), (0.045, 0.012)), (0.71, 1.83, 0.8)), cloth, smooth=True)
    world(lambda p: "c9d3de", 0.75)
    light("Window", "AREA", 130, (2.7, 1.6, 2.4), (-0.6, 3.8, 0.3), size=1.6, colour="fff1dc")
    return Pose((0.0, 0.0, 1.4), 9)


def portrait() -> Pose:
    """Head and shoulders with loose strands of hair, a metre away, before a cluttered room."""
    rng = np.random.default_rng(2)
    _walls(rng, 3.6, -2.6, 2.4, 2.7)
    wood = material("Floor", lambda p: p.bricks(1.1, 0.13, ("a87a4d", "7c5431", "3b2616"), turn=(0, 0, np.pi / 2), mortar=0.004))
    add("Floor", box((0, 2, -0.05), (6, 8, 0.1)), wood)
    _shelf(rng, -1.0, 3.25, 1.5, 2.1)
    _plant(rng, (0.85, 2.6, 0.75), 0.75, 220)
    _table((0.85, 2.6), (0.9, 0.5, 0.74), 0.1, wood)
    _frame("astronaut.png", (0.75, 3.58, 1.75), (0.6, 0.6))
    _frame("rocket.jpg", (1.6, 3.58, 1.6), (0.6, 0.42))
    _person(rng, np.array((-0.05, 0.85, 1.44)))
    world(lambda p: "c6ccd6", 0.75)
    light("Window", "AREA", 45, (-1.9, -0.4, 2.3), (0, 1.1, 1.4), size=1.3, colour="fff0dd")
    light("Room", "AREA", 50, (1.4, 1.8, 2.6), (0, 3.4, 1.0), size=1.0)
    return Pose((0.0, 0.0, 1.43), 0)


def _person(rng: np.random.Generator, eyes: Floats) -> None:
    """The MakeHuman base mesh (CC0) with clothes and hair, `eyes` being the middle between its eyes."""
    vertices, faces = _read_obj(HUMAN)
    v = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], 1) * 0.1
    middle = (v[14598:14670].mean(0) + v[14670:14742].mean(0)) / 2
    v += eyes - middle

    def part(first: int, last: int) -> Mesh:
        return v, faces[((faces >= first) & (faces <= last)).all(1)]

    skin = material(
        "Skin",
        lambda p: p.mix(0.4, p.noise(55, ((0.3, "b97f63"), (0.7, "dba989"))), p.noise(7, ((0.35, "c98668"), (0.65, "e0b597")))),
        roughness=0.5,
    )
    white = material("Eye", lambda p: p.noise(40, ((0.3, "d9d4cf"), (0.7, "ece8e4"))), roughness=0.2)
    iris = material("Iris", lambda p: p.noise(900, ((0.3, "2f2015"), (0.7, "6a4c2d"))), roughness=0.2)
    shirt = material(
        "Shirt",
        lambda p: p.mix(
            0.5, p.wave((14, 14, 14), ((0.35, "23344f"), (0.65, "b6492f")), 0.6), p.voronoi(260, ((0, "4a4a4a"), (1, "c4c4c4"))), "OVERLAY"
        ),
        bump=0.6,
    )
    lashes = material("Brown", lambda p: "24170f")
    add("Body", part(0, 13379), skin, smooth=True)
    for first, last in ((14598, 14669), (14670, 14741)):
        add("Eye", part(first, last), white, smooth=True)
        front = v[first : last + 1]
        tip = front[front[:, 1].argmin()]
        add("Iris", ball(tip + (0, 0.004, 0), (0.0062, 0.0047, 0.0062), 20), iris, smooth=True)
    add("Lashes", part(14742, 14991), lashes)
    clothes = faces[((faces >= 15328) & (faces <= 18001)).all(1)]
    neck = np.hypot(v[:, 0] - eyes[0], v[:, 1] - eyes[1] - 0.09) < 0.085
    low = v[:, 2] < eyes[2] - np.where(neck, 0.22, 0.1)
    worn = clothes[low[clothes].all(1)]
    add("Shirt", (_puffed(v, worn, 0.006), worn), shirt, smooth=True)
    _hair(rng, eyes + (0, 0.085, 0.02))


def _puffed(v: Floats, faces: NDArray, by: float) -> Floats:
    """Vertices moved `by` metres along the normals of the given faces."""
    n = np.zeros_like(v)
    normal = np.cross(v[faces[:, 2]] - v[faces[:, 0]], v[faces[:, 3]] - v[faces[:, 1]])
    for k in range(4):
        np.add.at(n, faces[:, k], normal)
    return v + by * n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12)


def _hair(rng: np.random.Generator, centre: Floats) -> None:
    """Hair combed from the crown over an ellipsoid, then hanging, with single strands standing off."""
    strands, steps = 9000, 14
    radii = np.array([0.083, 0.108, 0.118])
    azimuth = rng.uniform(0, 2 * np.pi, strands)  # 0 is the back
    back = np.abs(np.angle(np.exp(1j * azimuth))) / np.pi  # 0 back, 1 front
    longest = np.where(back > 0.62, np.interp(back, (0.62, 0.72), (1.5, 0.82)), 2.25)  # radians from the crown
    length = longest * rng.uniform(0.85, 1.05, strands)
    lift = 1.0 + rng.uniform(0.0, 0.09, strands) + 0.12 * rng.random(strands) ** 14
    t = np.linspace(0, 1, steps)[None]
    polar = rng.uniform(0.0, 0.5, strands)[:, None] + t * length[:, None]
    swing = azimuth[:, None] + rng.normal(0, 0.12, strands)[:, None] * t + 0.05 * np.sin(9 * t + rng.uniform(0, 6, strands)[:, None])
    around = np.minimum(polar, 1.65)
    fall = (polar - around) * 0.11
    outward = lift[:, None] + 0.05 * t + 0.06 * rng.random(strands)[:, None] ** 6 * t
    path = np.stack([np.sin(swing) * np.sin(around), np.cos(swing) * np.sin(around), np.cos(around)], -1) * outward[..., None]
    path = path * radii + centre - np.stack([0 * fall, 0 * fall, fall], -1)
    width = np.broadcast_to(np.linspace(0.0011, 0.0006, steps), (strands, steps))
    brown = material("Hair", lambda p: p.noise((120, 120, 6), ((0.3, "2a180e"), (0.5, "54331d"), (0.75, "8a5a33")), 3), roughness=0.45)
    add("Hair", ribbons(path, width), brown)
    add("Scalp", ball(centre + (0, 0.012, 0.0), radii * (0.97, 0.93, 0.97)), brown, smooth=True)


def _read_obj(path: Path) -> Mesh:
    """Vertices and quads of a Wavefront file."""
    v, f = [], []
    for line in path.read_text().splitlines():
        if line.startswith("v "):
            v.append([float(x) for x in line.split()[1:4]])
        elif line.startswith("f "):
            corners = [int(x.split("/")[0]) - 1 for x in line.split()[1:]]
            f.append((*corners, corners[-1])[:4])
    return np.array(v), np.array(f)


def _hills(x: Floats, y: Floats) -> Floats:
    """Height of the land at (x, y) in metres: a meadow, then hills that rise with the distance."""
    far = np.clip((y - 25) / 200, 0, None)
    h = 0.25 * np.sin(0.6 * x + 1) * np.sin(0.5 * y) + 0.012 * x * np.sin(0.21 * y)
    h += far * (9 * np.sin(0.031 * x + 0.6 + 0.004 * y) + 6 * np.sin(0.013 * x - 1.2 + 0.021 * y) + 3 * np.sin(0.09 * x) * np.sin(0.06 * y))
    return h + 24 * np.clip(far - 0.2, 0, 3) ** 1.2 - 0.6 * np.exp(-(((x + 0.6 + 0.15 * y) / 1.2) ** 2)) * (y < 40)


def _tree(rng: np.random.Generator, leaves: int, bark: bpy.types.Material, green: bpy.types.Material) -> list[bpy.types.Object]:
    """A tree of 5 metres at the origin, to be copied."""
    trunk = [tube(np.array([(0.05 * np.sin(3 * t), 0, 2.6 * t) for t in np.linspace(0, 1, 6)]), np.linspace(0.17, 0.08, 6))]
    ends = []
    for _ in range(16):
        t = np.linspace(0, 1, 6)[:, None]
        out = rng.normal(0, 1, 3) * (1, 1, 0.5) + (0, 0, 0.6)
        out *= rng.uniform(1.0, 1.7) / np.linalg.norm(out)
        path = np.array((0, 0, rng.uniform(1.4, 2.6))) + t * out + t**2 * [0, 0, 0.7] + rng.normal(0, 0.03, (6, 3)).cumsum(0)
        trunk.append(tube(path, np.linspace(0.06, 0.015, 6), 6))
        ends += list(path[2:])
    ends = np.array(ends)
    c = ends[rng.integers(len(ends), size=leaves)] + rng.normal(0, 0.24, (leaves, 3))
    d = rng.normal(0, 1, (leaves, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    n = np.cross(d, rng.normal(0, 1, (leaves, 3)))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    size = rng.uniform(0.04, 0.085, (leaves, 1))
    return [add("Trunk", joined(trunk), bark, smooth=True), add("Crown", cards(c, n * size * 0.6, d * size), green)]


def landscape() -> Pose:
    """A path through a meadow, trees from near to far, hills, and a sky with clouds."""
    rng = np.random.default_rng(3)
    # Rows of ground grow longer with the distance, as they look.
    y = np.geomspace(1.5, 900, 260)
    u = np.linspace(-1, 1, 240)
    gx, gy = u[None] * (3 + 0.75 * y[:, None]), np.broadcast_to(y[:, None], (260, 240))
    ground = material(
        "Meadow",
        lambda p: p.mix(
            0.55,
            p.mix(
                p.noise(0.05, ((0.4, "000000"), (0.6, "ffffff")), 3),
                p.noise(1.2, ((0.3, "4a6126"), (0.5, "6f8436"), (0.7, "a3a052"))),
                p.noise(0.4, ((0.3, "2d4a22"), (0.7, "5d7a38"))),
            ),
            p.picture("grass.png", 1.4),
            "OVERLAY",
        ),
    )
    add("Ground", sheet(np.stack([gx, gy, _hills(gx, gy)], -1)), ground, smooth=True)
    bark = material(
        "Bark", lambda p: p.mix(0.5, p.noise((8, 8, 1.5), ((0.3, "2e241b"), (0.7, "6d5a47"))), p.picture("gravel.png", 0.5), "OVERLAY")
    )
    greens = [
        material(f"Crown {c}", lambda p, c=c: p.noise(1.6, ((0.3, c[0]), (0.5, c[1]), (0.7, c[2]))), roughness=0.6)
        for c in (("1f3d17", "3e6b26", "7d9a43"), ("2d4517", "5a7426", "a39a3c"), ("17351f", "2c5a33", "5b8a4c"))
    ]
    trees = [_tree(rng, 5200, bark, g) for g in greens]
    places = [(-2.9, 8.5, 0.95), (3.6, 11.0, 1.1), (-6.5, 17, 1.3), (7.5, 21, 1.2)]
    for _ in range(170):
        far = rng.uniform(26, 380)
        places.append((rng.choice((-1, 1)) * rng.uniform(0.1, 0.6) * far, far, rng.uniform(0.8, 1.7) * (1 + far / 260)))
    for i, (tx, ty, size) in enumerate(places):
        for part in trees[i % 3]:
            o = part if i < 3 else bpy.data.objects.new("Tree", part.data)
            if i >= 3:
                bpy.context.scene.collection.objects.link(o)
            o.location = (tx, ty, float(_hills(np.float64(tx), np.float64(ty))) - 0.1)
            o.rotation_euler = (0, 0, rng.uniform(0, 6))
            o.scale = (size,) * 3
    _rocks(rng)
    _posts(rng, bark)
    add(
        "Grass",
        _tufts(rng, 9000, (2.2, 9), lambda x, y: _hills(x, y), 0.9),
        material("Blades", lambda p: p.noise(2.2, ((0.3, "42601f"), (0.5, "76903a"), (0.75, "c0b968")))),
    )
    world(_sky, 1.0)
    light("Sun", "SUN", 3.2, (-6, -4, 9), (0, 6, 0), size=4, colour="fff0d6")
    return Pose((0.0, 0.0, 1.5), 1.5)


def _sky(p: Paint) -> object:
    """Blue to a pale horizon, with clouds that lie flat at a height."""
    parts = p.node("ShaderNodeSeparateXYZ")
    p.put(parts.inputs[0], p.where)
    blue = p.ramp(parts.outputs[2], ((0.0, "dfe6ea"), (0.12, "b8d0e2"), (0.45, "5f92c6")))
    p.where = p.at((1, 1, 3.2))
    clouds = p.noise(2.6, ((0.47, "000000"), (0.62, "ffffff")), 7)
    return p.mix(clouds, blue, "f4f2ee")


def _rocks(rng: np.random.Generator) -> None:
    stone = material("Stone", lambda p: p.mix(0.7, p.noise(4, ((0.3, "6f6a60"), (0.7, "a9a294"))), p.picture("gravel.png", 0.8), "OVERLAY"))
    for x, y, r in ((1.5, 4.6, 0.32), (1.95, 4.9, 0.2), (-1.9, 5.6, 0.36), (0.9, 9.0, 0.4), (-3.5, 12, 0.7)):
        vertices, faces = ball((0, 0, 0), (1, 0.9, 0.7), 28)
        bumps = 1 + 0.12 * np.sin(vertices @ rng.normal(0, 3, (3, 5)) + rng.uniform(0, 6, 5)).mean(1, keepdims=True) * 3
        add("Stone", (vertices * bumps * r + (x, y, float(_hills(np.float64(x), np.float64(y))) + 0.1 * r), faces), stone, smooth=True)


def _posts(rng: np.random.Generator, wood: bpy.types.Material) -> None:
    """A fence along the path."""
    feet = [np.array((1.9 + 0.12 * y, y, float(_hills(np.float64(1.9 + 0.12 * y), np.float64(y))))) for y in np.arange(5.5, 30, 2.2)]
    add("Posts", joined([box(f + (0, 0, 0.45), (0.11, 0.11, 1.1), rng.uniform(0, 1)) for f in feet]), wood)
    rails = [tube(np.array([a + (0, 0, z), b + (0, 0, z)]), 0.03, 6) for a, b in zip(feet, feet[1:]) for z in (0.45, 0.85)]
    add("Rails", joined(rails), wood)


def _tufts(
    rng: np.random.Generator,
    count: int,
    depth: tuple[float, float],
    height: Callable[[Floats, Floats], Floats],
    spread: float,
    *,
    long: float = 0.28,
    wide: float = 0.007,
) -> Mesh:
    """Blades of grass in tufts on the ground between two distances; `long` metres at most, `wide` at the root."""
    tufts = max(1, count // 40)
    ty = rng.uniform(*depth, tufts)
    tx = rng.uniform(-0.6, 0.6, tufts) * (ty + 0.6) * spread
    which = rng.integers(tufts, size=count)
    x, y = tx[which] + rng.normal(0, 0.07, count), ty[which] + rng.normal(0, 0.07, count)
    root = np.stack([x, y, height(x, y) - 0.02], -1)
    t = np.linspace(0, 1, 7)[None, :, None]
    size = long * rng.uniform(0.45, 1.0, (count, 1, 1)) * rng.uniform(0.6, 1, tufts)[which][:, None, None]
    lean = rng.normal(0, 0.45, (count, 1, 3)) * (1, 1, 0)
    paths = root[:, None] + size * (t * [0, 0, 1.0] + t**2 * lean - t**3 * [0, 0, 0.25])
    width = wide * (1 - np.linspace(0, 0.92, 7) ** 2) * rng.uniform(0.6, 1.2, (count, 1))
    return ribbons(paths, width)


def fence() -> Pose:
    """A railing and bare branches before a garden and a brick wall."""
    rng = np.random.default_rng(4)
    earth = material("Lawn", lambda p: p.mix(0.6, p.noise(2, ((0.3, "466128"), (0.7, "7c8f45"))), p.picture("grass.png", 0.9), "OVERLAY"))
    brick = material(
        "Brick",
        lambda p: p.mix(
            0.5,
            p.bricks(0.24, 0.075, ("9a4a34", "6f3526", "b9ae9d"), turn=(-np.pi / 2, 0, 0), mortar=0.008),
            p.picture("brick.png", 1.4),
            "SOFT_LIGHT",
        ),
        bump=4,
    )
    slabs = material(
        "Path",
        lambda p: p.mix(0.6, p.bricks(0.6, 0.45, ("a39c90", "8b857b", "5b564e"), mortar=0.012), p.picture("gravel.png", 0.7), "OVERLAY"),
    )
    iron = material("Iron", lambda p: p.noise(45, ((0.3, "202326"), (0.6, "33383c"), (0.8, "6a4a35"))), roughness=0.45)
    bark = material("Bark", lambda p: p.noise((25, 25, 8), ((0.3, "3a2d22"), (0.5, "6b5643"), (0.75, "9c8a74"))))
    leaf = material("Hedge", lambda p: p.noise(5, ((0.3, "1f3d1b"), (0.5, "3f6a2b"), (0.75, "86a04e"))), roughness=0.6)
    paint = material("Door", lambda p: p.mix(0.4, "2f5d6b", p.wave((30, 30, 2), ((0, "1f4450"), (1, "4d8290")), 3)), roughness=0.4)
    stone = material("Coping", lambda p: p.picture("gravel.png", 0.9))
    add("Lawn", box((0, 5, -0.05), (16, 14, 0.1)), earth)
    add("Path", box((0.7, 4.4, 0.005), (1.3, 9, 0.02)), slabs)
    add("Wall", box((0, 8.0, 1.3), (16, 0.3, 2.6)), brick)
    add("Coping", box((0, 7.97, 2.64), (16, 0.42, 0.1)), stone, bevel=0.01)
    add("Door", box((0.7, 7.84, 1.0), (0.95, 0.06, 2.0)), paint)
    add(
        "Door Frame",
        joined([box((0.7 + s * 0.54, 7.82, 1.03), (0.1, 0.1, 2.1)) for s in (-1, 1)] + [box((0.7, 7.82, 2.08), (1.18, 0.1, 0.1))]),
        stone,
        bevel=0.01,
    )
    c = rng.uniform(-1, 1, (9000, 3)) * (1.5, 0.35, 0.5)
    c *= np.minimum(1, 1.05 / np.maximum(np.linalg.norm(c / (1.5, 0.35, 0.5), axis=1), 1e-6))[:, None]
    d = rng.normal(0, 1, c.shape)
    n = np.cross(d, rng.normal(0, 1, c.shape))
    size = rng.uniform(0.02, 0.045, (len(c), 1))
    unit = lambda a: a / np.linalg.norm(a, axis=1, keepdims=True)  # noqa: E731
    for x, y in ((-1.9, 6.9), (3.2, 6.6)):
        add("Hedge", cards(c + (x, y, 0.5), unit(n) * size * 0.6, unit(d) * size), leaf)
        add("Hedge Inside", ball((x, y, 0.45), (1.35, 0.3, 0.45)), leaf)
    _plant(rng, (-0.6, 5.2, 0), 0.7, 200)
    _plant(rng, (1.9, 4.4, 0), 0.9, 260)
    add("Tufts", _tufts(rng, 4000, (3.2, 7.5), lambda x, y: 0 * x, 1.0, long=0.16), leaf)
    bars = [tube(np.array([(x, 2.4, z) for z in (0.05, 1.32)]), 0.009) for x in np.arange(-2.2, 0.35, 0.115)]
    bars += [tube(np.array([(x, 2.4, z) for x in (-2.3, 0.32)]), 0.014) for z in (0.12, 1.2)]
    bars += [ball((x, 2.4, 1.34), (0.018, 0.018, 0.035), 12) for x in np.arange(-2.2, 0.35, 0.115)]
    bars.append(box((0.36, 2.4, 0.72), (0.07, 0.07, 1.44)))
    add("Railing", joined(bars), iron, smooth=False)
    add("Branches", joined(_branches(rng, np.array((1.0, 1.7, 0.0)), np.array((-0.1, 0.05, 1.0)), 1.3, 0.035, 4)), bark, smooth=True)
    world(lambda p: p.noise(1.2, ((0.35, "9fb8d3"), (0.65, "e3e7ea")), 5), 0.8)
    light("Sun", "SUN", 2.4, (4, -3, 6), (0, 4, 0), size=6, colour="fff0d8")
    return Pose((0.0, 0.0, 1.35), 4)


def _branches(rng: np.random.Generator, start: Floats, along: Floats, length: float, radius: float, levels: int) -> list[Mesh]:
    """A branch and those that grow from it."""
    along = along / np.linalg.norm(along)
    t = np.linspace(0, 1, 8)[:, None]
    bend = rng.normal(0, 0.25, 3)
    path = start + length * (t * along + t**2 * bend) + rng.normal(0, 0.006 * length, (8, 3)).cumsum(0)
    made = [tube(path, np.linspace(radius, radius * 0.45, 8), 6)]
    if levels > 1:
        for k in rng.choice(np.arange(2, 8), 4, replace=False):
            turn = along + rng.normal(0, 0.55, 3) * (1.0, 0.6, 0.8)
            made += _branches(rng, path[k], turn, length * rng.uniform(0.45, 0.7), radius * 0.5, levels - 1)
    return made


def strands() -> Pose:
    """Tall grass and a long-haired toy before a poster, a crate and a textured wall."""
    rng = np.random.default_rng(5)
    gravel = material(
        "Gravel", lambda p: p.mix(0.6, p.noise(3, ((0.3, "8d7f6c"), (0.7, "b8aa93"))), p.picture("gravel.png", 0.6), "OVERLAY"), bump=4
    )
    wall = material(
        "Wall",
        lambda p: p.mix(
            0.55,
            p.noise(1.5, ((0.3, "b9a58a"), (0.5, "d3c3a8"), (0.7, "a8a79a"))),
            p.bricks(0.3, 0.09, ("c9a98a", "94765c", "d8d0c2"), turn=(-np.pi / 2, 0, 0)),
            "OVERLAY",
        ),
        bump=5,
    )
    planks = material(
        "Crate",
        lambda p: p.mix(
            0.5,
            p.bricks(3.0, 0.09, ("a67c4a", "8a6136", "2b1d10"), turn=(-np.pi / 2, 0, 0), mortar=0.006),
            p.wave((3, 3, 40), ((0, "7a5a36"), (1, "cba877")), 6),
            "SOFT_LIGHT",
        ),
    )
    add("Ground", box((0, 2, -0.05), (9, 8, 0.1)), gravel)
    add("Wall", box((0, 3.2, 1.2), (9, 0.2, 2.4)), wall)
    add("Crate", box((-0.75, 2.6, 0.28), (0.8, 0.6, 0.56), 0.15), planks, bevel=0.01)
    _frame("astronaut.png", (0.55, 3.08, 0.95), (0.8, 0.8))
    _frame("coffee.png", (-0.65, 3.08, 1.15), (0.75, 0.5))
    blades = material("Reed", lambda p: p.noise((5, 5, 2), ((0.3, "4d6a2a"), (0.5, "8a9a4a"), (0.75, "d6c88a"))))
    tall = _tufts(rng, 420, (1.05, 1.35), lambda x, y: 0 * x + 0.05, 1.1, long=0.95, wide=0.008)
    add("Reeds", tall, blades)
    add("Grass", _tufts(rng, 2500, (1.6, 2.9), lambda x, y: 0 * x, 1.0, long=0.22, wide=0.006), blades)
    fur = material("Fur", lambda p: p.noise((30, 30, 30), ((0.3, "6b3a1c"), (0.5, "b06a33"), (0.75, "e6b878")), 4), roughness=0.6)
    _fur_ball(rng, np.array((0.3, 1.55, 0.33)), 0.2, fur)
    eye = material("Button", lambda p: "0d0b0a", roughness=0.2)
    for x in (0.22, 0.37):
        add("Button", ball((x, 1.36, 0.4), (0.02, 0.014, 0.02), 16), eye, smooth=True)
    world(lambda p: "c8d4e2", 0.75)
    light("Sun", "SUN", 2.2, (-4, -4, 6), (0, 2, 0), size=8, colour="fff0da")
    return Pose((0.0, 0.0, 0.75), 6)


def _fur_ball(rng: np.random.Generator, centre: Floats, radius: float, fur: bpy.types.Material) -> None:
    count, steps = 8000, 8
    out = rng.normal(0, 1, (count, 1, 3))
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    t = np.linspace(0, 1, steps)[None, :, None]
    long = radius * rng.uniform(0.25, 0.75, (count, 1, 1))
    paths = centre + out * (radius + t * long) + t**2 * long * (rng.normal(0, 0.25, (count, 1, 3)) - [0, 0, 0.55])
    add("Fur", ribbons(paths, np.broadcast_to(np.linspace(0.0022, 0.0006, steps), (count, steps))), fur)
    add("Toy", ball(centre, (radius,) * 3), fur, smooth=True)


SCENES: dict[str, Callable[[], Pose]] = {"room": room, "portrait": portrait, "landscape": landscape, "fence": fence, "strands": strands}


# Rendering


class View(NamedTuple):
    """A second camera: its place in the photo camera's own axes (metres; x right, y up, z towards the viewer)."""

    name: str
    offset: tuple[float, float, float]


@dataclass(frozen=True)
class Second:
    """The truth from a second camera. image: uint8 H×W×3 BGR. depth: float32 H×W, metres. masks: bool H×W by class."""

    view: View
    image: NDArray
    depth: NDArray
    masks: dict[str, NDArray]


@dataclass(frozen=True)
class Scene:
    """A photo with everything known. photo: uint8 H×W×3 BGR; depth: float32 H×W metres along the axis, inf in the sky."""

    name: str
    folder: Path
    photo: NDArray
    depth: NDArray
    fov: float
    near: float
    far: float
    seconds: tuple[Second, ...]


def planned_views(near: float, far: float) -> list[View]:
    """The second cameras of a scene: sideways for each of SIDEWAYS, then up, then into the picture."""
    metres = WIDTH / FOCAL / (1 / near - 1 / far) / 100  # for one per cent of the width
    views = [View(f"right {p} %", (p * metres, 0.0, 0.0)) for p in SIDEWAYS]
    return [*views, View("up 4 %", (0.0, 4 * metres, 0.0)), View("forward", (0.0, 0.0, -0.15 * near))]


def near_and_far(depth: NDArray) -> tuple[float, float]:
    """Distances between which parallax is counted: without the nearest half per cent, which are a few single pixels."""
    near, far = np.percentile(1 / depth, (99.5, 0))
    return float(1 / near), float(1 / far) if far > 0 else float("inf")


def classes(depth: NDArray, offset: Sequence[float], first_fine: NDArray) -> dict[str, NDArray]:
    """Which of the second view's pixels the photo shows: bool H×W for each of the classes.

    depth: of the second view. first_fine: of the photo, FINE times as fine. A pixel is hidden if it lies farther than
    everything within a third of a pixel of where the photo would show it.
    """
    h, w = depth.shape
    sky = ~np.isfinite(depth)
    z = np.where(sky, 1e7, depth).astype(np.float64)
    x = (np.arange(w) + 0.5 - w / 2)[None] / FOCAL * z + offset[0]
    y = -(np.arange(h) + 0.5 - h / 2)[:, None] / FOCAL * z + offset[1]
    z1 = z - offset[2]
    u, v = x / z1 * FOCAL + w / 2, h / 2 - y / z1 * FOCAL
    inside = (u >= 0) & (u < w) & (v >= 0) & (v < h)
    farthest = cv2.dilate(np.where(np.isfinite(first_fine), first_fine, 1e7).astype(np.float32), np.ones((3, 3), np.uint8))
    at = farthest[np.clip((v * FINE).astype(int), 0, h * FINE - 1), np.clip((u * FINE).astype(int), 0, w * FINE - 1)]
    hidden = inside & (z1 > at * 1.002 + 1e-3)
    visible = inside & ~hidden & ~sky
    near_hole = cv2.dilate(hidden.astype(np.uint8), np.ones((2 * EDGE + 1,) * 2, np.uint8)) > 0
    return {"all": inside, "visible": visible, "hidden": hidden, "edge": inside & near_hole, "out": ~inside, "sky": inside & sky & ~hidden}


def _set_up(scene: bpy.types.Scene, width: int, height: int, samples: int, *, points: bool) -> None:
    """Render settings. points: one exact ray through the middle of every pixel."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.use_persistent_data = False
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    render.dither_intensity = 0.0
    cycles.samples, cycles.use_denoising = samples, False
    cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = not points, 0.02, 16
    cycles.max_bounces = BOUNCES
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.pixel_filter_type, cycles.filter_width = ("BOX", 0.01) if points else ("BLACKMAN_HARRIS", 1.5)
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.color_mode = "RGB"
    if points:
        settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR", "32", "ZIP"
    else:
        settings.file_format, settings.color_depth = "PNG", "8"


def _depth_material() -> bpy.types.Material:
    """Emits the distance along the camera's axis."""
    made = bpy.data.materials.new("Depth")
    if made.node_tree is None:
        made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    emission = nodes.new("ShaderNodeEmission")
    links.new(nodes.new("ShaderNodeCameraData").outputs["View Z Depth"], emission.inputs["Color"])
    links.new(emission.outputs[0], nodes.new("ShaderNodeOutputMaterial").inputs[0])
    made.cycles.emission_sampling = "NONE"
    return made


def _write(path: Path) -> None:
    scene = bpy.context.scene
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    bpy.ops.render.render(write_still=True)


def render_depth(scene: bpy.types.Scene, path: Path, fine: int = 1) -> NDArray[np.float32]:
    """Exact depth of what the camera sees: float32, metres, inf where there is nothing."""
    layer, own_world = scene.view_layers[0], scene.world
    _set_up(scene, WIDTH * fine, HEIGHT * fine, 1, points=True)
    layer.material_override, scene.world = _depth_material(), None
    _write(path)
    layer.material_override, scene.world = None, own_world
    z = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 2].astype(np.float32)
    path.unlink()
    return np.where(z > 0, z, np.inf).astype(np.float32)


def render_picture(scene: bpy.types.Scene, path: Path) -> None:
    _set_up(scene, WIDTH, HEIGHT, SAMPLES, points=False)
    _write(path)


def _camera(scene: bpy.types.Scene, pose: Pose) -> bpy.types.Object:
    data = bpy.data.cameras.new("Camera")
    data.sensor_width, data.lens = 36.0, 18.0 / np.tan(np.radians(FOV / 2))
    data.clip_start, data.clip_end = 0.01, 5000
    camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    camera.matrix_world = Matrix.Translation(pose.location) @ Euler((np.radians(90 - pose.down), 0, 0)).to_matrix().to_4x4()
    scene.camera = camera
    return camera


def render_scene(name: str, folder: Path) -> None:
    """Model a scene and render its photo, depths and second views into `folder`, which is complete once scene.json is there."""
    folder.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    camera = _camera(scene, SCENES[name]())
    bpy.context.view_layer.update()
    home = camera.matrix_world.copy()
    depth = render_depth(scene, folder / "depth.exr")
    np.save(folder / "depth.npy", depth)
    np.save(folder / "fine.npy", render_depth(scene, folder / "fine.exr", FINE))
    render_picture(scene, folder / "photo.png")
    near, far = near_and_far(depth)
    views = planned_views(near, far)
    for i, view in enumerate(views):
        camera.matrix_world = home @ Matrix.Translation(view.offset)
        np.save(folder / f"view_{i}.npy", render_depth(scene, folder / "depth.exr"))
        render_picture(scene, folder / f"view_{i}.png")
    (folder / "scene.json").write_text(json.dumps({"near": near, "far": far, "views": views}))


def folder_of(name: str) -> Path:
    """Where a scene is cached: under the hash of what makes it."""
    key = hashlib.sha256()
    for file in (Path(__file__), Path(__file__).with_name("modelling.py")):
        key.update(file.read_bytes())
    return CACHE / key.hexdigest()[:12] / name


def load(name: str) -> Scene:
    """A scene as arrays, rendered first if it is not cached."""
    folder = folder_of(name)
    if not (folder / "scene.json").exists():
        render_scene(name, folder)
    about = json.loads((folder / "scene.json").read_text())
    fine = np.load(folder / "fine.npy")
    seconds = []
    for i, (label, offset) in enumerate(about["views"]):
        depth = np.load(folder / f"view_{i}.npy")
        image = cv2.imread(str(folder / f"view_{i}.png"))
        seconds.append(Second(View(label, tuple(offset)), image, depth, classes(depth, offset, fine)))
    photo = cv2.imread(str(folder / "photo.png"))
    return Scene(name, folder, photo, np.load(folder / "depth.npy"), FOV, about["near"], about["far"], tuple(seconds))


def main() -> None:
    for name in sys.argv[1:] or SCENES:
        started = time.monotonic()
        scene = load(name)
        print(f"{name}: {scene.near:.2f} to {scene.far:.2f} m, {time.monotonic() - started:.0f} s, {scene.folder}", flush=True)
        for second in scene.seconds:
            shares = "  ".join(f"{k} {v.mean():.1%}" for k, v in second.masks.items())
            print(f"  {second.view.name:10} {second.view.offset}  {shares}")


if __name__ == "__main__":
    main()
