"""Draw heads for the landmark network without end, each from its own seed.

    python -m training.heads --human FOLDER --out DIR [--minutes N] [--seed N] [--processes 2]
    python -m training.heads --human FOLDER --sheet SHEET.png [--points]      a contact sheet to be looked at

A scene is one person with one expression under one light, seen by VIEWS cameras from up to 50 degrees aside and 32 above or below.
It becomes a folder DIR/<seed> of arrays; what is written last is `points.npy`, a folder without it is unfinished:
`light.npy` uint16 N×S×S×3, linear radiance L, times the coverage, as round(65535 * sqrt(min(L, 16) / 16)), exposed so that what is
covered has a mean of about 0.2; `cover.npy` uint8 N×S×S, 255 where there is somebody (backgrounds come in training); `points.npy` float32 N×70×2,
the landmarks in pixels. The picture is about five times the distance of the pupils across.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import OpenEXR
from mathutils import Vector
from numpy.typing import NDArray

from addon.vision.landmarks import LEFT_PUPIL, RIGHT_PUPIL
from addon.vision.texture import linear_to_srgb, srgb_to_linear
from benchmarks.modelling import fill_mesh

from .heads_mesh import BRIGHTEST, Head, eyeball, head, landmarks
from .scenes.humans import embodied
from .scenes.kit import Kit, Shot, begin
from .scenes.people import Person
from .scenes.people_wear import box_uv
from .scenes.textures import hsv

Floats = NDArray[np.float32]
Rng = np.random.Generator

SIDE = 176  # pixels
VIEWS = 5
SAMPLES = 2
PUPILS = 35.0  # pixels between the pupils, seen from the front
MEAN = 0.2


def draw(seed: int, human: Path, *, threads: int, views: int = VIEWS) -> tuple[Floats, Floats, Floats]:
    """One scene: light N×S×S×3 linear (times coverage), coverage N×S×S, landmarks N×70×2 in pixels; all float32."""
    rng = np.random.default_rng([seed, 70])
    begin((SIDE, SIDE), threads, SAMPLES)
    scene = bpy.context.scene
    scene.render.film_transparent = True
    scene.view_layers[0].use_pass_z = scene.view_layers[0].use_pass_normal = False
    scene.cycles.max_bounces = scene.cycles.diffuse_bounces = 1
    someone = head(human, rng)
    kit = Kit(rng, (SIDE, SIDE), human)
    eyes = _build(kit, someone)
    middle = someone.points[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    lamps = _light(kit, middle)
    light, cover, points = [], [], []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        for _ in range(views):
            _relight(lamps, rng, middle)
            shot = _shot(rng, someone, middle)
            gaze = _look(eyes, someone, shot, rng)
            colour, alpha = _render(shot, Path(scratch) / "view.exr")
            light.append(_exposed(colour, alpha))
            cover.append(alpha)
            points.append(landmarks(someone, projection(shot), gaze))
    return np.array(light, np.float32), np.array(cover, np.float32), np.array(points, np.float32)


def projection(shot: Shot) -> NDArray[np.float64]:
    """3×4, from the world to pixels times depth; (0, 0) is the corner of the first pixel."""
    world = np.array(shot.matrix().inverted())[:3]
    camera = np.diag([1.0, -1.0, -1.0]) @ world
    focal = SIDE / 2 / math.tan(math.radians(shot.fov) / 2)
    return np.array([[focal, 0, SIDE / 2], [0, focal, SIDE / 2], [0, 0, 1]]) @ camera


def _shot(rng: Rng, h: Head, middle: Floats) -> Shot:
    if rng.random() < 0.6:
        yaw, pitch = rng.normal(0, 16), rng.normal(0, 9)
    else:
        yaw, pitch = rng.uniform(-50, 50), rng.uniform(-32, 32)
    yaw, pitch = np.radians(np.clip(yaw, -50, 50)), np.radians(np.clip(pitch, -32, 32))
    distance = float(np.exp(rng.uniform(np.log(0.4), np.log(3.0))))
    towards = np.array([math.sin(yaw) * math.cos(pitch), -math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
    aim = middle + np.array([0, 0.02, -0.5 * h.pupils]) + rng.normal(0, 0.08 * h.pupils, 3)
    across = SIDE / (PUPILS * rng.uniform(0.88, 1.12)) * h.pupils
    return Shot(aim + towards * distance, aim, math.degrees(2 * math.atan(across / 2 / distance)))


# The scene ---------------------------------------------------------------------------------------------------------------


def _build(kit: Kit, h: Head) -> list[bpy.types.Object]:
    """Everything of a person; the right and the left eye."""
    rng = kit.rng
    _coloured("skin", h.skin, h.skull.faces, h.colours, h.rough, float(rng.uniform(0.2, 0.6)))
    vertices, faces, colours = eyeball(h, rng)
    eyes = []
    for centre in h.eyes:
        eyes.append(_coloured("eye", vertices, faces, colours, 0.04, 0.5))
        eyes[-1].location = centre
    if h.pieces:
        embodied(kit, _worn(h))
    return eyes


def _worn(h: Head) -> Person:
    """Hair, clothes and the rest as training/scenes' people are made of."""
    bones = h.skull.human.joints(h.skull.human.vertices)
    parts, starts = [], np.cumsum([0] + [len(p.vertices) for p in h.pieces])
    for piece in h.pieces:
        if piece.part not in parts:
            parts.append(piece.part)
    uvs = [p.uv if p.uv is not None else box_uv(p.vertices, p.faces, p.weights, *bones) for p in h.pieces]
    number = np.concatenate([np.full(len(p.faces), parts.index(p.part), np.uint8) for p in h.pieces])
    whole = np.concatenate([p.vertices for p in h.pieces]).astype(np.float32)
    faces = np.concatenate([p.faces + s for p, s in zip(h.pieces, starts)])
    uv = np.concatenate(uvs).astype(np.float32)
    return Person(whole, faces, number, tuple(parts), uv, "stand", None, float(whole[:, 2].max()), h.traits)


def _coloured(name: str, vertices: Floats, faces: NDArray[np.int64], colours: Floats, rough: float, shine: float) -> bpy.types.Object:
    """An object with a colour (sRGB) at every vertex."""
    data = bpy.data.meshes.new(name)
    fill_mesh(data, (vertices, faces), True)
    layer = data.color_attributes.new("colour", "FLOAT_COLOR", "POINT")
    rgba = np.ones((len(vertices), 4), np.float32)
    rgba[:, :3] = srgb_to_linear(colours)
    layer.data.foreach_set("color", rgba.ravel())
    look = bpy.data.materials.new(name)
    look.use_nodes = True
    tree = look.node_tree
    shader, attribute = tree.nodes["Principled BSDF"], tree.nodes.new("ShaderNodeAttribute")
    attribute.attribute_name = "colour"
    tree.links.new(attribute.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Specular IOR Level"].default_value = shine
    data.materials.append(look)
    made = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(made)
    return made


def _look(eyes: list[bpy.types.Object], h: Head, shot: Shot, rng: Rng) -> NDArray[np.float64]:
    """Turn the eyes: to the camera, or aside. Returns where they look, 2×3."""
    toward = np.asarray(shot.at) - h.eyes.mean(0)
    if rng.random() < 0.45:
        toward = np.array([0, -1.0, 0])
        yaw, pitch = rng.normal(0, 0.35), rng.normal(0, 0.16)
    else:
        yaw, pitch = rng.normal(0, 0.06, 2)
    level = math.atan2(toward[0], -toward[1])
    level, up = np.clip(level + yaw, -0.75, 0.75), np.clip(math.atan2(toward[2], math.hypot(toward[0], toward[1])) + pitch, -0.4, 0.4)
    aim = np.array([math.sin(level) * math.cos(up), -math.cos(level) * math.cos(up), math.sin(up)])
    for eye in eyes:
        eye.rotation_euler = Vector(-aim).to_track_quat("Y", "Z").to_euler()
    return np.array([aim, aim])


def _light(kit: Kit, middle: Floats) -> list[Any]:
    """A surrounding of soft light and up to three lamps, of which `_relight` changes place and strength."""
    rng = kit.rng
    up, down = (np.array(hsv(rng.uniform(0, 1), rng.uniform(0, 0.35), 1)) * rng.uniform(0.02, 1) for _ in range(2))
    t = np.linspace(1, 0, 24, dtype=np.float32)[:, None, None]
    sky = np.broadcast_to(up * t + down * (1 - t), (24, 48, 3)).astype(np.float32).copy()
    y, x = np.mgrid[0:24, 0:48]
    for _ in range(int(rng.integers(0, 4))):
        wide = rng.uniform(1.5, 6)
        gap = (x - rng.uniform(0, 48) + 24) % 48 - 24
        sky += (np.exp(-(gap**2 + (y - rng.uniform(2, 17)) ** 2) / (2 * wide**2)) * rng.uniform(0.5, 8))[..., None] * np.array(
            hsv(rng.uniform(0.05, 0.65), rng.uniform(0, 0.4), 1)
        )
    kit.sky(sky, float(np.exp(rng.uniform(np.log(0.05), np.log(1.2)))))
    lamps = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.12, 0.4, 0.33, 0.15]))):
        kit.lamp(middle + [0, -1, 0], 30, aim=middle, size=0.5)
        lamps.append(bpy.context.scene.objects[-1])
    return lamps


def _relight(lamps: list[Any], rng: Rng, middle: Floats) -> None:
    for number, lamp in enumerate(lamps):
        behind = number > 0 and rng.random() < 0.35
        azimuth = rng.uniform(100, 260) if behind else np.clip(rng.normal(0, 50), -110, 110)
        height = np.clip(rng.normal(25, 25), -40, 80)
        a, e = math.radians(azimuth), math.radians(height)
        distance = rng.uniform(0.8, 2.5)
        at = middle + distance * np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])
        lamp.location = at
        lamp.rotation_euler = (Vector(middle) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        lamp.data.size = lamp.data.size_y = float(np.exp(rng.uniform(np.log(0.06), np.log(1.5))))
        lamp.data.energy = 18.0 * distance**2 * (rng.uniform(0.5, 1.5) if number == 0 else rng.uniform(0.05, 1.2))
        lamp.data.color = srgb_to_linear(
            np.array(hsv(float(rng.choice([rng.uniform(0.05, 0.13), rng.uniform(0.5, 0.65)])), rng.uniform(0, 0.35), 1))
        )


def _render(shot: Shot, scratch: Path) -> tuple[Floats, Floats]:
    """Radiance times coverage H×W×3, and coverage H×W."""
    scene = bpy.context.scene
    camera: Any = scene.camera
    camera.data.lens = 18.0 / math.tan(math.radians(shot.fov) / 2)
    camera.matrix_world = shot.matrix()
    scene.cycles.seed = (scene.cycles.seed * 1103515245 + 12345) % 2**31
    scene.render.filepath, scene.render.use_file_extension = str(scratch), False
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(scratch), separate_channels=True) as file:
        channels = {name.split(".", 1)[1]: np.asarray(c.pixels, np.float32) for name, c in file.channels().items()}
    os.unlink(scratch)
    return np.nan_to_num(np.maximum(np.dstack([channels[f"Combined.{c}"] for c in "RGB"]), 0)), np.clip(channels["Combined.A"], 0, 1)


def _exposed(colour: Floats, alpha: Floats) -> Floats:
    """What is covered with a mean of MEAN."""
    light = colour.mean(2)[alpha > 0.5]
    if light.size == 0:
        return colour
    return colour * np.float32(MEAN / max(float(np.minimum(light, np.percentile(light, 95)).mean()), 1e-4))


# Files -------------------------------------------------------------------------------------------------------------------


def write(folder: Path, light: Floats, cover: Floats, points: Floats) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "light.npy", np.round(65535 * np.sqrt(np.minimum(light, BRIGHTEST) / BRIGHTEST)).astype(np.uint16))
    np.save(folder / "cover.npy", np.round(255 * cover).astype(np.uint8))
    np.save(folder / "points.npy", points)


def run(out: Path, first: int, step: int, *, until: float, most: int, human: Path, threads: int) -> int:
    """Draw scenes first, first + step, ... until the clock or the number is reached; how many came."""
    done, seed = 0, first
    for _ in range(most):
        if time.monotonic() > until:
            break
        folder = out / f"{seed:06d}"
        if not (folder / "points.npy").exists():
            try:
                write(folder, *draw(seed, human, threads=threads))
                done += 1
            except (ArithmeticError, IndexError, KeyError, RuntimeError, ValueError):  # one scene of thousands must not end the work
                print(f"{folder.name} could not be built:", file=sys.stderr)
                traceback.print_exc()
        seed += step
    return done


def sheet(path: Path, first: int, count: int, human: Path, marked: bool) -> None:
    """A contact sheet of `count` scenes, with their landmarks if `marked`."""
    rows, started = [], time.monotonic()
    for seed in range(first, first + count):
        cells = []
        for light, cover, points in zip(*draw(seed, human, threads=2)):
            shown = linear_to_srgb(np.clip(light * 1.2 + (1 - cover[..., None]) * 0.15, 0, 1))
            cell = np.ascontiguousarray((shown * 255).astype(np.uint8))
            if marked:
                cell = cv2.resize(cell, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
                for x, y in points * 1.5 - 0.5:
                    cv2.circle(cell, (round(float(x) * 8), round(float(y) * 8)), 10, (0, 255, 0), -1, cv2.LINE_AA, 3)
            cells.append(cell)
        rows.append(np.concatenate(cells, 1))
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])
    print(f"{count} scenes of {VIEWS} views in {time.monotonic() - started:.1f} s: {path}")


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--human", type=Path, required=True, help="folder of the MakeHuman base mesh and targets")
    ask.add_argument("--out", type=Path, help="folder of the scenes")
    ask.add_argument("--minutes", type=float, default=30)
    ask.add_argument("--scenes", type=int, default=10**9, help="how many scenes at most, in each process")
    ask.add_argument("--seed", type=int, default=0, help="the first seed")
    ask.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    ask.add_argument("--step", type=int, default=1, help=argparse.SUPPRESS)
    ask.add_argument("--sheet", type=Path, help="write a contact sheet instead")
    ask.add_argument("--points", action="store_true", help="mark the landmarks on it")
    given = ask.parse_args()
    if given.sheet:
        sheet(given.sheet, given.seed, min(given.scenes, 10), given.human, given.points)
        return 0
    if given.out is None:
        ask.error("--out is missing")
    if given.processes == 1:
        until = time.monotonic() + 60 * given.minutes
        done = run(given.out, given.seed, given.step, until=until, most=given.scenes, human=given.human, threads=1)
        print(f"{done} scenes")
        return 0
    command = [
        sys.executable,
        "-m",
        "training.heads",
        "--human",
        str(given.human),
        "--out",
        str(given.out),
        "--minutes",
        str(given.minutes),
    ]
    command += ["--processes", "1", "--step", str(given.processes), "--scenes", str(given.scenes)]
    workers = [subprocess.Popen([*command, "--seed", str(given.seed + i)], stdout=subprocess.DEVNULL) for i in range(given.processes)]
    return max(worker.wait() for worker in workers)


if __name__ == "__main__":
    sys.exit(main())
