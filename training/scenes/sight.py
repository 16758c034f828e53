"""Whether a camera of a finished scene sees something worth a picture, by a few rays: not the inside of a bush, not only the sky."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from .kit import Kit, Shot

ACROSS, DOWN = 9, 7


def distances(shot: Shot, shape: float) -> NDArray[np.float64]:
    """How far a grid of DOWN × ACROSS rays goes, metres along the optical axis; inf where it meets nothing. shape: height / width."""
    scene = bpy.context.scene
    graph = bpy.context.evaluated_depsgraph_get()
    matrix = shot.matrix()
    turn = matrix.to_3x3()
    at = matrix.translation
    half = math.tan(math.radians(shot.fov) / 2)
    found = np.full((DOWN, ACROSS), np.inf)
    for j, v in enumerate(np.linspace(0.94, -0.94, DOWN)):
        for i, u in enumerate(np.linspace(-0.94, 0.94, ACROSS)):
            ray = Vector((u * half, v * half * shape, -1.0))
            hit, where, *_ = scene.ray_cast(graph, at, turn @ ray.normalized())
            if hit:
                found[j, i] = (where - at).length / ray.length
    return found


def _alike(a: Shot, b: Shot) -> bool:
    """Whether two shots are from nearly the same place in nearly the same direction."""
    ahead = [(np.asarray(s.aim, float) - s.at) / np.linalg.norm(np.asarray(s.aim, float) - s.at) for s in (a, b)]
    apart = float(np.linalg.norm(np.asarray(a.at, float) - b.at))
    return math.degrees(math.acos(float(np.clip(ahead[0] @ ahead[1], -1, 1)))) < 25 - 2.5 * apart


def worthwhile(kit: Kit, shots: Sequence[Shot], most: int, *, nearest: float = 0.6, sky: float = 0.72, spread: float = 1.25) -> list[Shot]:
    """The first `most` shots with a fair view: hardly anything nearer than `nearest` metres, not too much sky, some depth, no two alike."""
    kept: list[Shot] = []
    for shot in shots:
        if any(_alike(shot, k) for k in kept):
            continue
        z = distances(shot, kit.size[0] / kit.size[1])
        seen = z[np.isfinite(z)]
        if (z < nearest).mean() > 0.05 or (z < 2 * nearest).mean() > 0.4 or np.isinf(z).mean() > sky:
            continue
        if np.percentile(seen, 90) < spread * np.percentile(seen, 10):
            continue
        kept.append(shot)
        if len(kept) == most:
            break
    return kept
