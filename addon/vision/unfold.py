"""Shape keys that fold the skin over on one face are made smoother there, until no triangle turns its back to the camera.

The keys are an average face's. On a face that already smiles, corners of the mouth and the cheek beside them have less room.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .triangulate import Ints, edges_of

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

_LEAST = 0.04  # of its area at rest: what a triangle keeps
_ROUNDS = 40
_STEPS = (0.5, 1.0)  # values of a key that are looked at


def unfolded(position: Floats, triangles: Ints, seams: Ints, step: Floats, fixed: NDArray[np.bool_]) -> Floats:
    """A key's displacements N×3, smoothed about those triangles that it turns over as the camera in the origin sees them.

    position: N×3, layer axes, metres. triangles: M×3, of the skin. seams: K×2, vertices in one place at rest; those that move together go on doing so.
    fixed: N, vertices whose displacement stays. What cannot be mended by smoothing stays as it is; a key that folds nothing is given back itself.
    """
    moving = (step != 0).any(1)
    triangles = triangles[moving[triangles].any(1)]
    if len(triangles) == 0:
        return step
    rest = picture_areas(position.astype(np.float64), triangles)
    sound = rest > 0
    base, out = position.astype(np.float64), step.astype(np.float64)
    if not _turned(base, out, triangles, rest, sound).any():
        return step
    edges = edges_of(triangles)[0]
    together = seams[(np.abs(step[seams[:, 0]] - step[seams[:, 1]]) < 1e-6).all(1)] if len(seams) else seams
    degree = np.maximum(np.bincount(edges.ravel(), minlength=len(step)), 1)[:, None]
    for _ in range(_ROUNDS):
        bad = triangles[_turned(base, out, triangles, rest, sound)]
        if len(bad) == 0:
            break
        near = np.zeros(len(step), bool)
        near[bad] = True
        for _ in range(2):
            near[edges[near[edges].any(1)]] = True
        near &= ~fixed
        mean = np.zeros_like(out)
        for a, b in ((0, 1), (1, 0)):
            for k in range(3):
                mean[:, k] += np.bincount(edges[:, a], out[edges[:, b], k], minlength=len(step))
        mean /= degree
        out[near] += 0.6 * (mean - out)[near]
        if len(together):
            both = (out[together[:, 0]] + out[together[:, 1]]) / 2
            out[together[:, 0]], out[together[:, 1]] = both, both
    return out.astype(np.float32)


def picture_areas(at: Doubles, triangles: Ints) -> Doubles:
    """Twice the areas of triangles M×3 of points N×3 in the picture (tangents squared), float64 M, above 0 for those that face the camera."""
    seen = at[:, (0, 2)] / at[:, 1:2]
    a, b, c = (seen[triangles[:, i]] for i in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _turned(base: Doubles, step: Doubles, triangles: Ints, rest: Doubles, sound: NDArray[np.bool_]) -> NDArray[np.bool_]:
    turned = np.zeros(len(triangles), bool)
    for share in _STEPS:
        turned |= picture_areas(base + share * step, triangles) < _LEAST * rest
    return turned & sound
