"""A person's mesh of our own for tests: the relief of the face of average size on a bust, with open eyes, a cut between the lips, and
what a photo does not show behind them. Also what stands in for a photo's fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from addon.vision import canonical, face_parts, face_surface, face_units
from addon.vision.geometry import RayMap, ray_map
from addon.vision.landmarks import FacePoints, Person
from addon.vision.layered import PhotoCamera
from addon.vision.rigging import Bone, Part, SubjectMesh

FRONTAL = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # a face that looks into the camera


def turned(yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
    """FRONTAL, turned to the subject's left and up by degrees."""
    a, b = np.radians(yaw), np.radians(pitch)
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    return FRONTAL @ about_y @ about_x


@dataclass(frozen=True)
class Fit:
    """The parts of FaceFit that bones and weights ask for, of a camera at the origin that looks along y, 50° across."""

    rotation: np.ndarray
    origin: np.ndarray
    scale: float = 1.0
    rays: RayMap = field(default_factory=lambda: ray_map(PhotoCamera(50.0), (1000, 1000)))

    def to_layer(self, points: np.ndarray) -> np.ndarray:
        return self.origin + self.scale * np.asarray(points, np.float64) @ self.rotation.T


def fitted(yaw: float = 0.0, pitch: float = 0.0, scale: float = 1.0, place: tuple[float, float, float] = (0.05, 1.2, 0.1)) -> Fit:
    return Fit(turned(yaw, pitch), np.array(place), scale)


def shares(at: np.ndarray) -> np.ndarray:
    """Where points of layers (N×3) lie in a square photo that is 50° across, in shares from the left and the top."""
    half = np.tan(np.radians(25.0))
    return np.stack([at[:, 0] / at[:, 1], -at[:, 2] / at[:, 1]], 1) / (2 * half) + 0.5


def person(fit: Fit, joints: dict[str, tuple[float, float, float]] | None = None) -> Person:
    """Someone whose landmarks lie exactly where the fit has them. joints: name to a place in canonical metres."""
    points = shares(fit.to_layer(canonical.POINTS))
    seen = {n: tuple(shares(fit.to_layer(np.array([p])))[0].tolist()) for n, p in (joints or {}).items()}
    return Person("Person 1", FacePoints(points, np.ones(len(points)), "clicks"), seen)


@dataclass(frozen=True)
class Relief:
    """Skin in canonical metres. vertices N×3, triangles M×3, side N, seams K×2 (lips), rims: pairs of lid vertices one above the other."""

    vertices: np.ndarray
    triangles: np.ndarray
    side: np.ndarray
    seams: np.ndarray
    lids: np.ndarray


def _steps(*stops: float, pitch: float) -> np.ndarray:
    parts = [np.linspace(a, b, max(2, round((b - a) / pitch) + 1)) for a, b in zip(stops, stops[1:])]
    return np.unique(np.round(np.concatenate(parts), 7))


def _bust(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where the person is: head, neck and shoulders."""
    jaw = np.interp(
        y, [-0.125, -0.118, -0.106, -0.0865, -0.052, 0.0, 0.05, 0.09, 0.118], [0, 0.02, 0.045, 0.062, 0.075, 0.082, 0.078, 0.058, 0.0]
    )
    shoulders = np.interp(y, [-0.40, -0.28, -0.215, -0.18, -0.15, -0.10, -0.09], [0.20, 0.19, 0.13, 0.065, 0.056, 0.056, 0.0])
    return np.abs(x) <= np.maximum(jaw, shoulders)


def _depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Canonical z: the face's surface, rounded off to where the head's side and the throat are."""
    face = face_surface.depth(np.stack([x, y], 1))
    throat = -0.058 - 6.0 * x**2 + 0.15 * np.clip(-0.15 - y, 0, 0.05)
    below = face_units.ramp((-0.112 - y) / 0.02)
    return np.clip(face * (1 - below) + throat * below, -0.11, 0.05)


@lru_cache(maxsize=4)
def relief(pitch: float = 0.0016) -> Relief:
    """The bust's skin, a grid whose rows are bent along the lips' line and the lids."""
    lip_x, inner, outer = canonical.LIP_LINE[-1, 0], canonical.UPPER_LID[0, 0], canonical.UPPER_LID[-1, 0]
    half = _steps(0, inner, lip_x, outer, 0.09, 0.20, pitch=pitch)
    columns = np.concatenate([-half[:0:-1], half])
    lip_v, eye_v = -0.0735, -0.0026
    rows = _steps(-0.40, -0.16, lip_v, eye_v, 0.12, pitch=pitch)[::-1]
    x, v = (g.ravel() for g in np.meshgrid(columns, rows))
    lip = np.interp(np.abs(x), canonical.LIP_LINE[:, 0], canonical.LIP_LINE[:, 1])
    corners = canonical.UPPER_LID[[0, -1]]
    middle = np.interp(np.abs(x), corners[:, 0], corners[:, 1])

    def near(height: np.ndarray, reach: float) -> np.ndarray:
        return 1 - face_units.ramp(np.abs(v - height) / reach)

    y = v + (lip - lip_v) * near(np.full_like(v, lip_v), 0.03) + (middle - eye_v) * near(np.full_like(v, eye_v), 0.02)
    lips = np.flatnonzero((v == lip_v) & (np.abs(x) < lip_x - 1e-6))
    lids = np.flatnonzero((v == eye_v) & (np.abs(x) > inner + 1e-6) & (np.abs(x) < outer - 1e-6))
    slit = np.concatenate([lips, lids])
    first = len(x)
    x, y, v = (np.concatenate([a, a[slit]]) for a in (x, y, v))
    side = np.zeros(len(x), np.int8)
    side[slit], side[first:] = 1, -1
    # Vertices next to the lines have a side too: it is what the mesh of a photo has.
    for height in (lip_v, eye_v):
        beside = (side == 0) & (np.abs(v - height) < 0.004) & (v != height)
        side[beside] = np.sign(v - height)[beside]
    grid = np.arange(first).reshape(len(rows), len(columns))
    a, b, c, d = (g.ravel() for g in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]))
    triangles = np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)])
    copy = np.arange(first)
    copy[slit] = first + np.arange(len(slit))
    below = v[triangles].mean(1) < np.where(v[triangles].mean(1) < -0.04, lip_v, eye_v)
    cut = np.isin(triangles, slit).any(1) & below
    triangles[cut] = copy[triangles[cut]]
    # Open the eyes: what is above their cut goes up to the lid's edge, what is below down.
    upper = np.interp(np.abs(x), canonical.UPPER_LID[:, 0], canonical.UPPER_LID[:, 1])
    lower = np.interp(np.abs(x), canonical.LOWER_LID[:, 0], canonical.LOWER_LID[:, 1])
    between = np.interp(np.abs(x), corners[:, 0], corners[:, 1])
    up = np.where(side != 0, side, np.sign(v - eye_v))
    within = (np.abs(x) > inner) & (np.abs(x) < outer)
    fade = 1 - np.clip(np.abs(v - eye_v) / 0.014, 0, 1)
    y = y + np.where(within, np.where(up > 0, upper - between, lower - between), 0) * fade
    kept = _bust(x, y)[triangles].all(1)
    used = np.zeros(len(x), bool)
    used[triangles[kept]] = True
    number = np.cumsum(used) - 1
    pair = np.stack([slit, first + np.arange(len(slit))], 1)
    pair = number[pair[used[pair].all(1)]]
    x, y, side = x[used], y[used], side[used]
    lip_pair = y[pair].mean(1) < -0.04
    return Relief(
        np.stack([x, y, _depth(x, y)], 1), number[triangles[kept]].astype(np.int32), side, pair[lip_pair].astype(np.int32), pair[~lip_pair]
    )


def face_mesh(fit: Fit | None = None, pitch: float = 0.0016, *, keys: bool = False) -> SubjectMesh:
    """The bust as a SubjectMesh in layer axes, parts included; weights are empty, keys too unless asked for."""
    fit = fit or fitted()
    skin = relief(pitch)
    shapes = face_parts.all_parts()
    vertices = np.concatenate([skin.vertices, *(s.vertices for s in shapes)])
    starts = np.cumsum([len(skin.vertices), *(len(s.vertices) for s in shapes)])
    triangles = np.concatenate([skin.triangles, *(s.triangles + n for s, n in zip(shapes, starts))])
    of_vertex = np.concatenate([np.zeros(len(skin.vertices), np.int64), *(np.full(len(s.vertices), int(s.part)) for s in shapes)])
    of_face = np.concatenate([np.zeros(len(skin.triangles), np.uint8), *(np.full(len(s.triangles), int(s.part), np.uint8) for s in shapes)])
    side = np.concatenate([skin.side, *(s.side for s in shapes)])
    at = vertices[:, :2].copy()
    outside = (of_vertex == Part.SKIN) & ((at[:, 1] < -0.18) | (np.abs(at[:, 0]) > 0.10))
    at[outside] = np.nan
    place = fit.to_layer(vertices)
    made = {}
    if keys:
        flat = np.concatenate([at, np.where(of_vertex == Part.SKIN, np.nan, vertices[:, 2])[:, None]], 1)
        made = {n: (d @ fit.rotation.T * fit.scale).astype(np.float32) for n, d in face_units.units(flat, side, of_vertex).items()}
    uv = shares(place)
    ray = np.stack([uv[:, 0] * place[:, 1], (1 - uv[:, 1]) * place[:, 1], place[:, 1]], 1)
    return SubjectMesh(
        place.astype(np.float32), ray.astype(np.float32), triangles.astype(np.int32), of_face, at.astype(np.float32), side.astype(np.int8),
        keys=made, seams=skin.seams,
    )  # fmt: skip


def relief_of(mesh: SubjectMesh) -> Callable[[np.ndarray], np.ndarray]:
    """Where places of the photo (N×2 in shares) lie on a mesh's skin: its nearest vertex, N×3."""
    skin = mesh.position[vertex_parts(mesh) == Part.SKIN].astype(np.float64)
    seen = shares(skin)
    return lambda at: skin[[int(np.argmin(((seen - p) ** 2).sum(1))) for p in np.asarray(at)]]


def vertex_parts(mesh: SubjectMesh) -> np.ndarray:
    """The part of every vertex: N."""
    result = np.zeros(len(mesh.position), np.int64)
    result[mesh.triangles] = mesh.part[:, None]
    return result


def bone_matrix(bone: Bone) -> np.ndarray:
    """4×4 from a bone's own axes at rest to those of layers, as Blender has them: y along the bone, z as near as it can to its z axis."""
    y = np.subtract(bone.tail, bone.head)
    y = y / np.linalg.norm(y)
    z = np.array(bone.z_axis) - y * (y @ np.array(bone.z_axis))
    z = z / np.linalg.norm(z)
    result = np.eye(4)
    result[:3, 0], result[:3, 1], result[:3, 2], result[:3, 3] = np.cross(y, z), y, z, bone.head
    return result


def rotation(axis: str, angle: float) -> np.ndarray:
    """4×4 of a turn about a bone's own axis ("rx", "ry", "rz"), radians."""
    i, j = {"rx": (1, 2), "ry": (2, 0), "rz": (0, 1)}[axis]
    result = np.eye(4)
    result[i, i] = result[j, j] = np.cos(angle)
    result[i, j], result[j, i] = -np.sin(angle), np.sin(angle)
    return result


def posed(mesh: SubjectMesh, bones: Sequence[Bone], turns: dict[str, tuple[str, float]], moved: np.ndarray | None = None) -> np.ndarray:
    """The mesh's vertices N×3 with bones turned (name to axis and radians), by linear blend skinning as Blender's armature does it.

    moved: N×3, by shape keys before.
    """
    at = {b.name: b for b in bones}
    whole: dict[str, np.ndarray] = {}
    for bone in bones:
        rest = bone_matrix(bone)
        turn = rotation(*turns[bone.name]) if bone.name in turns else np.eye(4)
        above = whole[bone.parent] if bone.parent else np.eye(4)
        whole[bone.name] = above @ rest @ turn @ np.linalg.inv(rest)
    start = mesh.position.astype(np.float64) + (0 if moved is None else moved)
    result = np.zeros_like(start)
    for name, weight in mesh.weights.items():
        if name in at:
            result += weight[:, None] * (start @ whole[name][:3, :3].T + whole[name][:3, 3])
    return result
