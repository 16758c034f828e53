"""A head that is easy to know: half an ellipsoid before a wall, with eyes to be closed and a mouth to be opened, and its bones."""

from __future__ import annotations

import atexit
import math
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import bpy
import cv2
import numpy as np

from addon.output import job
from addon.scene.build import Built
from addon.scene.relief import RAY
from addon.spec import SceneSpec
from addon.vision.focus import aimed
from addon.vision.geometry import RayMap, ray_map
from addon.vision.layered import LayeredPhoto, PhotoCamera
from addon.vision.pipeline import make_layered_photo
from addon.vision.rigging import ARKIT, Bone, Part, SubjectMesh

FOV = 25.0
AWAY = 0.75  # metres to the ears
WALL = 2.0
HALF = (0.07, 0.09, 0.06)  # metres of the head: across, up, and out of the face
EYES = (0.03, 0.02)  # metres off the middle, and up
LID = (0.012, 0.006)  # half of an eye's opening
BALL = 0.013
MOUTH = (0.022, -0.035)  # half its width, and its height
LIMIT = math.radians


class Picture(NamedTuple):
    """As rig_material.Picture."""

    box: tuple[float, float, float, float]
    colour: np.ndarray
    cover: np.ndarray
    rim: np.ndarray


@dataclass(frozen=True)
class Subject:
    """All that a rig is made of."""

    mesh: SubjectMesh
    bones: tuple[Bone, ...]
    pictures: dict[Part, Picture]
    rays: RayMap


def face_at(size, centre=(0.0, 0.0)):
    """Depth in metres of every pixel, float32 H×W, of a head whose middle is `centre` metres off the optical axis."""
    rays = ray_map(PhotoCamera(FOV), size)
    u, v = np.meshgrid((np.arange(size[0]) + 0.5) / size[0], 1 - (np.arange(size[1]) + 0.5) / size[1])
    tx, ty = rays.uv_to_ray(u, v)
    flat = ((tx * AWAY - centre[0]) / HALF[0]) ** 2 + ((ty * AWAY - centre[1]) / HALF[1]) ** 2
    return np.where(flat < 1, AWAY - HALF[2] * np.sqrt(np.maximum(0, 1 - flat)), WALL).astype(np.float32)


def photograph(folder: Path, size=(160, 120), seed=3) -> Path:
    """A colourful picture in which head, eyes and mouth can be told apart."""
    rng = np.random.default_rng(seed)
    rays = ray_map(PhotoCamera(FOV), size)
    v, u = np.mgrid[0 : size[1], 0 : size[0]] / max(size)
    picture = np.stack([140 + 90 * np.sin(9 * u + k) * np.cos(7 * v - k) for k in range(3)], -1).astype(np.float32)
    head = face_at(size) < 1

    def pixel(x, y):
        return int((x / AWAY / rays.width + rays.u0) * size[0]), int((1 - (y / AWAY / rays.height + rays.v0)) * size[1])

    def span(metres):
        return max(1, round(metres / AWAY / rays.width * size[0]))

    skin = np.array((140, 170, 220), np.float32) + 25 * np.cos(12 * u)[..., None]
    picture = np.where(head[..., None], skin, picture)
    for side in (-1, 1):
        at = pixel(side * EYES[0], EYES[1])
        cv2.ellipse(picture, at, (span(LID[0]), span(LID[1])), 0, 0, 360, (235, 235, 235), -1, cv2.LINE_AA)
        cv2.circle(picture, at, span(0.005), (90, 50, 30), -1, cv2.LINE_AA)
        cv2.line(picture, pixel(side * 0.045, 0.042), pixel(side * 0.015, 0.045), (40, 50, 60), 2, cv2.LINE_AA)
    cv2.line(picture, pixel(-MOUTH[0], MOUTH[1]), pixel(MOUTH[0], MOUTH[1]), (80, 60, 150), 3, cv2.LINE_AA)
    picture += rng.normal(0, 3, picture.shape)
    path = folder / "photo.png"
    cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8))
    return path


def build_head(folder: Path, size=(160, 120), centre=(0.0, 0.0), **sections) -> Built:
    """The scene of the photo of the head, in layers, not rigged yet."""
    folder.mkdir(exist_ok=True)
    photo = photograph(folder, size)
    np.save(folder / "depth.npy", face_at(size, centre))
    spec = replace(
        SceneSpec(),
        photo=replace(SceneSpec().photo, fov=FOV),
        depth=replace(SceneSpec().depth, file=str(folder / "depth.npy"), kind="depth", estimator="file"),
        move=replace(SceneSpec().move, name="static", amount=0.0),
        render=replace(SceneSpec().render, engine="cycles", samples=1),
    )
    for name, values in sections.items():
        spec = replace(spec, **{name: replace(getattr(spec, name), **values)})
    return job.build_scene(_layered(photo, spec, (size, centre)), spec, bpy.context.scene, film=False)


_LAYERED: dict[tuple, LayeredPhoto] = {}


def _layered(photo: Path, spec: SceneSpec, what: tuple) -> LayeredPhoto:
    """The photo of the head in layers: made once for all tests of a process, in a folder of their own."""
    key = what, replace(spec, depth=replace(spec.depth, file=""))
    if key not in _LAYERED:
        folder = Path(tempfile.mkdtemp(prefix="stillscape-head-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = make_layered_photo(photo, spec, folder / "layers", lambda share, text: None, film=False)
        _LAYERED[key] = aimed(made, spec.focus.at)
    return _LAYERED[key]


def subject_of(built: Built, layer: bpy.types.Object, size=(160, 120)) -> Subject:
    """The head cut out of its live layer."""
    rays = ray_map(PhotoCamera(FOV), size)
    sheet = layer.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    count = len(sheet.vertices)
    position, ray = (np.empty(count * 3, np.float32) for _ in range(2))
    sheet.vertices.foreach_get("co", position)
    sheet.attributes[RAY].data.foreach_get("vector", ray)
    position, ray = position.reshape(-1, 3), ray.reshape(-1, 3)
    corners = np.empty(len(sheet.loops), np.int32)
    sheet.loops.foreach_get("vertex_index", corners)
    quads = corners.reshape(-1, 4)

    def place(at):  # metres across and up on the plane of the ears
        return at[:, 0] / at[:, 1] * AWAY, at[:, 2] / at[:, 1] * AWAY

    x, y = place(position)
    middle_x, middle_y = x[quads].mean(1), y[quads].mean(1)
    open_ = np.zeros(len(quads), bool)
    for side in (-1, 1):
        open_ |= ((middle_x - side * EYES[0]) / LID[0]) ** 2 + ((middle_y - EYES[1]) / LID[1]) ** 2 < 1
    # The lip line: the row of vertices nearest to the mouth, doubled between the corners.
    rows = np.unique(np.round(y, 5))
    line = rows[np.abs(rows - MOUTH[1]).argmin()]
    on_line = np.flatnonzero((np.abs(y - line) < 2e-5) & (np.abs(x) < MOUTH[0]))
    twin = np.arange(count)
    twin[on_line] = count + np.arange(len(on_line))
    below = middle_y < line
    quads = np.where(below[:, None], twin[quads], quads)[~open_]
    position, ray = (np.concatenate([a, a[on_line]]) for a in (position, ray))
    side = np.zeros(len(position), np.int8)
    side[on_line], side[count:] = 1, -1
    seams = np.stack([on_line, twin[on_line]], -1).astype(np.int32)
    x, y = place(position)
    rim = np.flatnonzero(np.any([((x - s * EYES[0]) / LID[0]) ** 2 + ((y - EYES[1]) / LID[1]) ** 2 < 2.5 for s in (-1, 1)], 0))
    side[rim] = np.where(y[rim] > EYES[1], 1, -1)
    triangles = [np.concatenate([quads[:, :3], quads[:, (0, 2, 3)]])]
    parts = [np.full(len(triangles[0]), int(Part.SKIN), np.uint8)]
    positions, rays_ = [position], [ray]

    def add(part, points, faces):
        start = sum(len(p) for p in positions)
        z = points[:, 1]
        uv = np.stack([points[:, 0] / z / rays.width + rays.u0, points[:, 2] / z / rays.height + rays.v0], -1)
        positions.append(points.astype(np.float32))
        rays_.append(np.stack([uv[:, 0] * z, uv[:, 1] * z, z], -1).astype(np.float32))
        triangles.append(faces + start)
        parts.append(np.full(len(faces), int(part), np.uint8))

    balls = {}
    for part, s in ((Part.EYE_RIGHT, -1), (Part.EYE_LEFT, 1)):
        away = AWAY - HALF[2] * math.sqrt(1 - (EYES[0] / HALF[0]) ** 2 - (EYES[1] / HALF[1]) ** 2)
        scale = away / AWAY
        centre = np.array((s * EYES[0] * scale, away + BALL + 0.002, EYES[1] * scale))
        balls[part] = centre
        across, up = np.meshgrid(np.linspace(-1.4, 1.4, 24), np.linspace(-1.4, 1.4, 24))
        points = centre + BALL * np.stack([np.sin(across) * np.cos(up), -np.cos(across) * np.cos(up), np.sin(up)], -1).reshape(-1, 3)
        add(part, points, _sheet(24, 24))
    across, up = np.meshgrid(np.linspace(-1.2, 1.2, 12), np.linspace(-1, 1, 8))
    lips = AWAY - HALF[2] * math.sqrt(1 - (MOUTH[1] / HALF[1]) ** 2)
    for part, height, wide, back in (
        (Part.POCKET, 0.02, 0.03, 0.03), (Part.TEETH_UPPER, 0.003, 0.018, 0.006), (Part.TEETH_LOWER, 0.003, 0.018, 0.007),
        (Part.TONGUE, 0.005, 0.012, 0.014),
    ):  # fmt: skip
        lift = {Part.TEETH_UPPER: 0.004, Part.TEETH_LOWER: -0.005, Part.TONGUE: -0.006}.get(part, 0.0)
        bulge = 0.02 * (across / 1.2) ** 2
        points = np.stack([wide / 1.2 * across, lips + back + 0.3 * bulge, MOUTH[1] * lips / AWAY + lift + height * up], -1).reshape(-1, 3)
        add(part, points, _sheet(12, 8))
    position, ray = np.concatenate(positions), np.concatenate(rays_)
    side = np.concatenate([side, np.zeros(len(position) - len(side), np.int8)])
    mesh = SubjectMesh(
        position,
        ray,
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(parts),
        np.stack(place(position), -1).astype(np.float32),
        side,
        seams=seams,
    )
    mesh = replace(mesh, weights=_weights(mesh), keys=_keys(mesh, balls))
    return Subject(mesh, bones(balls), {p: _eye_picture(c, rays) for p, c in balls.items()}, rays)


def _sheet(columns, rows):
    i = np.arange(columns * rows).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (i[:-1, :-1], i[:-1, 1:], i[1:, 1:], i[1:, :-1]))
    return np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).astype(np.int32)


def _eye_picture(centre, rays):
    """White with red veins, clear where the photo shows the eye."""
    half = BALL / centre[1] / rays.width, BALL / centre[1] / rays.height
    u, v = centre[0] / centre[1] / rays.width + rays.u0, centre[2] / centre[1] / rays.height + rays.v0
    colour = np.full((64, 64, 3), 255, np.uint8)
    colour[..., 1:] = 215
    at = np.linspace(-1, 1, 64)
    x, y = np.meshgrid(at * BALL / LID[0], -at * BALL / LID[1])
    away = np.hypot(x, y)
    cover = (np.clip((away - 1.1) * 8, 0, 1) * 255).astype(np.uint8)
    rim = (np.where((away > 0.95) & (away < 1.2), 255, 0)).astype(np.uint8)
    return Picture((u - half[0], 1 - v - half[1], u + half[0], 1 - v + half[1]), colour, cover, rim)


def _smooth(low, high, values):
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _weights(mesh):
    x, y = mesh.canonical[:, 0], mesh.canonical[:, 1]
    part_of = np.zeros(len(x), int)
    part_of[mesh.triangles] = mesh.part[:, None]
    skin = part_of == Part.SKIN
    head = np.where(skin, _smooth(-0.085, -0.07, y), 1.0)
    under = _smooth(MOUTH[1], MOUTH[1] - 0.03, y) * np.exp(-((x / 0.045) ** 4))
    at_mouth = np.abs(y - MOUTH[1]) < 0.01
    lower = (y < MOUTH[1]) & ~((mesh.side > 0) & at_mouth) | (mesh.side < 0) & at_mouth
    under = np.where((np.abs(x) < MOUTH[0]) & lower & (y > -0.075), np.maximum(under, 0.9), under)
    jaw = np.where(skin, np.where(lower, under, 0), 0.0)
    jaw[(part_of == Part.TEETH_LOWER) | (part_of == Part.TONGUE)] = 1
    weights = {"jaw": jaw * head}
    for letter, s in (("L", 1), ("R", -1)):
        near = np.exp(-(((x - s * EYES[0]) / 0.014) ** 2) - ((y - EYES[1]) / 0.008) ** 2) * skin * (1 - weights["jaw"])
        weights[f"lid.T.{letter}"] = near * (y > EYES[1])
        weights[f"lid.B.{letter}"] = near * (y <= EYES[1]) * 0.5
        weights[f"eye.{letter}"] = (part_of == (Part.EYE_LEFT if s > 0 else Part.EYE_RIGHT)).astype(float)
    taken = sum(weights.values())
    weights["head"] = np.maximum(head - taken, 0)
    weights["base"] = np.maximum(1 - taken - weights["head"], 0)
    total = sum(weights.values())
    return {name: (w / total).astype(np.float32) for name, w in weights.items()}


def _keys(mesh, balls):
    x, y = mesh.canonical[:, 0], mesh.canonical[:, 1]
    part_of = np.zeros(len(x), int)
    part_of[mesh.triangles] = mesh.part[:, None]
    skin = part_of == Part.SKIN
    keys = {}

    def bump(at, radius, by):
        near = np.exp(-(((x - at[0]) ** 2 + (y - at[1]) ** 2) / radius**2)) * skin
        return (near[:, None] * np.float32(by)).astype(np.float32)

    for number, name in enumerate(ARKIT):
        s = 1 if name.endswith("Left") else -1 if name.endswith("Right") else 0
        turn = 0.4 * number
        keys[name] = bump((s * (0.02 + 0.0005 * number), 0.03 * math.sin(turn)), 0.015, (0, 0.004 * math.sin(turn), 0.004 * math.cos(turn)))
    for word, s in (("Left", 1), ("Right", -1)):
        lid = (np.abs(x - s * EYES[0]) < 1.6 * LID[0]) & (y > EYES[1]) & (y < EYES[1] + 0.02) & skin
        fall = np.exp(-(((y - EYES[1] - LID[1]) / 0.006).clip(0) ** 2)) * (1 - ((x - s * EYES[0]) / (1.6 * LID[0])) ** 2).clip(0)
        by = np.zeros((len(x), 3), np.float32)
        by[:, 2] = -np.where(lid, 2 * LID[1] * fall, 0)
        by[:, 1] = -np.where(lid, 0.004 * fall, 0)
        keys[f"eyeBlink{word}"] = by
        keys[f"mouthSmile{word}"] = bump((s * MOUTH[0], MOUTH[1]), 0.015, (s * 0.004, 0.0, 0.009))
        keys[f"browOuterUp{word}"] = bump((s * 0.038, 0.042), 0.012, (0, 0, 0.008))
        ball = part_of == (Part.EYE_LEFT if s > 0 else Part.EYE_RIGHT)
        keys[f"eyeLookUp{word}"] = (ball[:, None] * np.float32((0, 0, 0.003))).astype(np.float32)
    keys["browInnerUp"] = bump((0, 0.045), 0.015, (0, 0, 0.008))
    lower = mesh.weights["jaw"] if mesh.weights else _weights(mesh)["jaw"]
    keys["jawOpen"] = (lower[:, None] * np.float32((0, 0.004, -0.02))).astype(np.float32)
    return keys


def bones(balls) -> tuple[Bone, ...]:
    """Face bones with Rigify's names, the face looking along -y."""
    turn = {"rx": (LIMIT(-15), LIMIT(15)), "ry": (LIMIT(-20), LIMIT(20)), "rz": (LIMIT(-10), LIMIT(10))}
    soft = {f"t{c}": (-0.012, 0.012) for c in "xyz"}
    free = {f"t{c}": (-math.inf, math.inf) for c in "xyz"}
    scale = (AWAY - HALF[2]) / AWAY
    front = AWAY - HALF[2] - 0.002
    made = [
        Bone("root", (0, AWAY, -0.15), (0, AWAY - 0.1, -0.15), (0, 0, 1), None, False, False, "Body", {**free, **turn}),
        Bone("base", (0, AWAY, -0.14), (0, AWAY, -0.12), parent="root", collection="Mechanism"),
        Bone("neck", (0, AWAY, -0.12), (0, AWAY, -0.08), parent="root", limits=turn),
        Bone("head", (0, AWAY, -0.08), (0, AWAY, 0.1), parent="neck", connected=True, limits=turn),
        Bone("jaw", (0, AWAY - 0.01, -0.02), (0, front, -0.075), parent="head", collection="Mouth", limits={"rx": (LIMIT(-25), LIMIT(25))}),
        Bone("eyes", (0, AWAY - 0.45, EYES[1]), (0, AWAY - 0.5, EYES[1]), (0, 0, 1), "head", False, False, "Eyes", free),
        Bone("nose", (0, front, -0.005), (0, front, 0.01), parent="head", deform=False, collection="Face", limits=soft),
        Bone("lip.T", (0, front, -0.032), (0, front, -0.022), parent="head", deform=False, collection="Mouth", limits=soft),
        Bone("lip.B", (0, front, -0.038), (0, front, -0.028), parent="jaw", deform=False, collection="Mouth", limits=soft),
    ]
    for letter, s, part in (("L", 1, Part.EYE_LEFT), ("R", -1, Part.EYE_RIGHT)):
        centre = tuple(float(c) for c in balls[part])
        ahead = (centre[0], centre[1] - BALL, centre[2])
        gaze = {"rx": (LIMIT(-25), LIMIT(25)), "rz": (LIMIT(-30), LIMIT(30))}
        made.append(Bone(f"eye.{letter}", centre, ahead, (0, 0, 1), "head", False, True, "Eyes", gaze))
        for kind, up in (("T", 0.005), ("B", -0.005)):
            made.append(
                Bone(
                    f"lid.{kind}.{letter}",
                    centre,
                    (ahead[0], ahead[1], ahead[2] + up),
                    (0, 0, 1),
                    "head",
                    False,
                    True,
                    "Eyes",
                    {"rx": (LIMIT(-40), LIMIT(40))},
                )  # fmt: skip
            )
        for suffix, at in (("", 0.014), (".001", 0.028), (".002", 0.042)):
            head = (s * at * scale, front + 0.01, 0.045 * scale)
            made.append(
                Bone(f"brow.T.{letter}{suffix}", head, (head[0], head[1], head[2] + 0.01), (0, -1, 0), "head", False, False, "Face", soft)
            )
        for name, at in ((f"lips.{letter}", (s * MOUTH[0], MOUTH[1])), (f"cheek.B.{letter}", (s * 0.04, -0.01))):
            head = (at[0] * scale, front + 0.005, at[1] * scale)
            made.append(Bone(name, head, (head[0], head[1], head[2] + 0.01), (0, -1, 0), "head", False, False, "Face", soft))
    return tuple(made)
