"""A smooth map of the plane that takes given points to given places, and goes on as a plain affine map far from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats64 = NDArray[np.float64]

REACH = 4.0
"""How far a point's own displacement is felt, in the spread of all points (root mean square distance from their middle)."""
_AT_ONCE = 8192  # places whose distances from all points are in memory at a time
_STIFFER = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
_TRIES = 6  # of Newton's steps in `inverted`


@dataclass(frozen=True)
class Warp:
    """source: float64 K×2, where the points are. weights: K×2, how much of each point's bump is added. affine: 3×2, of (x, y, 1).
    reach: how far bumps go. Call `at` with places N×2."""

    source: Floats64
    weights: Floats64
    affine: Floats64
    reach: float

    def at(self, places: Floats64) -> Floats64:
        """Where places go: float64 N×2 to N×2."""
        places = np.asarray(places, np.float64).reshape(-1, 2)
        out = places @ self.affine[:2] + self.affine[2]
        for start in range(0, len(places), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            out[part] += _bump(_distances(places[part], self.source) / self.reach) @ self.weights
        return out

    def slopes(self, places: Floats64) -> Floats64:
        """The derivative at places: float64 N×2×2, of (to x, to y) by (from x, from y)."""
        places = np.asarray(places, np.float64).reshape(-1, 2)
        out = np.empty((len(places), 2, 2))
        for start in range(0, len(places), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            step = places[part, None] - self.source  # n×K×2
            share = np.sqrt((step**2).sum(-1)) / self.reach
            fall = -20 * np.clip(1 - share, 0, None) ** 3 / self.reach**2  # the bump's derivative over its radius
            out[part] = np.einsum("nk,nkf,kt->ntf", fall, step, self.weights) + self.affine[:2].T
        return out

    def folds(self, places: Floats64) -> bool:
        """Whether it turns the plane over at any of the places that it keeps at the others."""
        turned = np.linalg.det(self.slopes(places)) * np.linalg.det(self.affine[:2].T)
        return bool((turned <= 0).any())

    def inverted(self, goals: Floats64, start: Floats64) -> Floats64:
        """Places that `at` takes to the goals, from first guesses, both float64 N×2: Newton's method with short steps."""
        found = np.array(start, np.float64)
        goals = np.asarray(goals, np.float64)
        for _ in range(_TRIES):
            miss = goals - self.at(found)
            slopes = self.slopes(found)
            weak = np.abs(np.linalg.det(slopes)) < 1e-2 * abs(np.linalg.det(self.affine[:2]))
            slopes[weak] = self.affine[:2].T
            step = (inverses(slopes) @ miss[..., None])[..., 0]
            length = np.sqrt((step**2).sum(-1, keepdims=True))
            found += step * np.minimum(1, self.reach / 8 / np.maximum(length, 1e-12))
        return found


def inverses(matrices: Floats64) -> Floats64:
    """The inverses of matrices N×2×2, by Cramer's rule: NumPy's own takes a hundred times as long for so small ones."""
    a, b, c, d = (matrices[:, i, j] for i in (0, 1) for j in (0, 1))
    return np.stack([d, -b, -c, a], -1).reshape(-1, 2, 2) / (a * d - b * c)[:, None, None]


def fit_warp(source: Floats64, target: Floats64, checked: Floats64 | None = None, soft: Floats64 | float = 1.0) -> Warp:
    """The map that takes `source` to `target` (float64 K×2 each, K ≥ 3, not on one line) exactly.

    An affine map by least squares, and what is left of each point by Wendland's function of smoothness C2 (Wendland 1995, "Piecewise
    polynomial, positive definite and compactly supported radial functions of minimal degree"), which ends at a distance. checked:
    places N×2 in which the plane must not fold over; where it would, the map is made stiffer and passes the points by a little, those
    of much softness (`soft`, float64 K) by most.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    ones = np.hstack([source, np.ones((len(source), 1))])
    affine = np.asarray(np.linalg.lstsq(ones, target, rcond=None)[0], np.float64)
    left = target - ones @ affine
    reach = REACH * float(np.sqrt(((source - source.mean(0)) ** 2).sum(-1).mean()))
    bumps = _bump(_distances(source, source) / reach)
    warp = Warp(source, np.zeros_like(source), affine, reach)
    for stiffer in _STIFFER:
        held = bumps + np.diag(stiffer * np.broadcast_to(soft, len(source)) + 1e-12)
        weights = np.asarray(np.linalg.solve(held, left), np.float64)
        warp = Warp(source, weights, affine, reach)
        if checked is None or not warp.folds(checked):
            return warp
    return Warp(source, np.zeros_like(source), affine, reach)


def _distances(a: Floats64, b: Floats64) -> Floats64:
    return np.sqrt(((a[:, None] - b) ** 2).sum(-1))


def _bump(share: Floats64) -> Floats64:
    return np.clip(1 - share, 0, None) ** 4 * (4 * share + 1)
