"""Finds the camera of a point map that is known up to a shift along its axis.

MoGe gives points (x, y, z) whose z lacks a constant. With it, a pinhole camera whose axis meets the picture's middle sees
every point at its own pixel: f·x / (z + s) = u and f·y / (z + s) = v. Focal length and shift are those that come closest in
the sense of least squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

SAMPLES = 64
"""Points along each side that are looked at; more change the result by less than networks err."""
FALLBACK_FOV = 60.0
"""Degrees across, for the shift where no camera fits. The picture is then a wall or a mess, and any common lens will do."""


class Camera(NamedTuple):
    """focal: focal length in shares of the picture's width; None if no camera fits. shift: what z lacks, in its own unit;
    0 if nothing tells."""

    focal: float | None
    shift: float


@dataclass(frozen=True)
class _Problem:
    """Residuals f·(x, y) / (z + s) − (u, v); `focal` f as a share of half the diagonal, None for the best at each s."""

    uv: Doubles
    xy: Doubles
    z: Doubles
    focal: float | None

    def best_focal(self, shift: float) -> float:
        """The f that fits best at this shift; NaN if none does."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            seen = self.xy / (self.z + shift)[:, None]
            return float((seen * self.uv).sum() / np.square(seen).sum())

    def __call__(self, shift: float) -> tuple[Doubles, Doubles]:
        """The residuals at a shift and their derivatives by it."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            distance = (self.z + shift)[:, None]
            seen = self.xy / distance
            change = -seen / distance
            if self.focal is not None:
                return (self.focal * seen - self.uv).ravel(), (self.focal * change).ravel()
            # f = (seen·uv) / (seen·seen) moves with the shift too.
            square = np.square(seen).sum()
            focal = (seen * self.uv).sum() / square
            slope = ((change * self.uv).sum() - 2 * focal * (seen * change).sum()) / square
            return (focal * seen - self.uv).ravel(), (focal * change + slope * seen).ravel()


def find_camera(points: NDArray[np.float32], valid: NDArray[np.bool_] | None, aspect: float, focal: float | None = None) -> Camera:
    """Find focal length and shift of a point map.

    points: float32 h×w×3, x right, y down, z along the axis but for a constant. valid: bool h×w, the points that count; None
    for all. aspect: width by height of the picture, whose pixels are square; those of the map need not be. focal: the focal
    length in shares of the picture's width if it is known: it is returned as it is and only the shift is sought.

    Looks at a grid of 64 by 64 points as MoGe does (moge/utils/geometry_torch.py and geometry_numpy.py of
    github.com/microsoft/MoGe at commit 07444410f1e33f402353b99d6ccd26bd31e469e8), which also says when to stop: on a distant
    or flat subject the sum hardly depends on the shift, and going on would follow noise.
    """
    height, width = points.shape[:2]
    diagonal = math.hypot(aspect, 1)  # all lengths in the picture are in halves of its diagonal
    per_share = 2 * aspect / diagonal
    rows, columns = (np.arange(SAMPLES) * n // SAMPLES for n in (height, width))
    # A coarse map has fewer points than the grid; the repeated ones weigh evenly.
    u = (2 * columns + 1 - width) / width * (aspect / diagonal)
    v = (2 * rows + 1 - height) / height / diagonal
    uv = np.stack(np.broadcast_arrays(u, v[:, None]), axis=-1).reshape(-1, 2)
    chosen = points[rows[:, None], columns].reshape(-1, 3).astype(np.float64)
    counts = np.isfinite(chosen).all(axis=1) & (chosen[:, 2] != 0)
    if valid is not None:
        counts &= valid[rows[:, None], columns].ravel()
    if np.count_nonzero(counts) < 2:
        return Camera(focal, 0.0)
    xy, z, uv = chosen[counts, :2], chosen[counts, 2], uv[counts]
    if focal is None:
        problem = _Problem(uv, xy, z, None)
        shift = minimise(problem)
        found = problem.best_focal(shift)
        if math.isfinite(found) and found > 0 and _in_front(z, shift):
            return Camera(found / per_share, shift)
    share = focal if focal is not None else 0.5 / math.tan(math.radians(FALLBACK_FOV) / 2)
    shift = minimise(_Problem(uv, xy, z, share * per_share))
    return Camera(focal, shift if _in_front(z, shift) else 0.0)


def _in_front(z: Doubles, shift: float) -> bool:
    """Whether most points lie before the camera; a sum may also be least where all of them lie behind it."""
    return bool(np.count_nonzero(z + shift > 0) * 2 > z.size)


def minimise(problem: Callable[[float], tuple[Doubles, Doubles]], tolerance: float = 1e-3) -> float:
    """Where a sum of squares is least, started at 0, by the Levenberg-Marquardt method in one variable.

    problem: gives the residuals at a place and their derivatives. The steps, their bounds and the tests that end them are
    those of Moré 1978, "The Levenberg-Marquardt algorithm: implementation and theory" (MINPACK's lmder): it ends where a step
    lowers the sum, and was expected to lower it, by less than its share `tolerance`. Returns 0 if the sum is no number there.
    """
    place, reach = 0.0, 100.0  # a step reaches at most as far
    residuals, slopes = problem(place)
    norm = float(np.linalg.norm(residuals))
    if not math.isfinite(norm):
        return 0.0
    first = True
    for _ in range(200):
        gradient, curvature = float(slopes @ residuals), float(slopes @ slopes)
        if norm == 0 or curvature == 0 or not math.isfinite(curvature) or abs(gradient) <= 1e-8 * math.sqrt(curvature) * norm:
            break
        damping = 0.0
        if abs(gradient) / curvature > 1.1 * reach:
            damping = abs(gradient) / reach - curvature
        step = -gradient / (curvature + damping)
        if first:
            reach, first = min(reach, abs(step)), False
        tried = problem(place + step)
        new = float(np.linalg.norm(tried[0]))
        gained = 1 - (new / norm) ** 2 if 0.1 * new < norm else -1.0
        straight, damped = curvature * (step / norm) ** 2, damping * (step / norm) ** 2
        expected, slope = straight + 2 * damped, -(straight + damped)
        ratio = gained / expected
        if ratio <= 0.25:
            shrink = 0.5 if gained >= 0 else 0.5 * slope / (slope + 0.5 * gained)
            if 0.1 * new >= norm or shrink < 0.1 or not math.isfinite(new):
                shrink = 0.1
            reach = shrink * min(reach, 10 * abs(step))
        elif damping == 0 or ratio >= 0.75:
            reach = 2 * abs(step)
        if ratio >= 1e-4:
            place += step
            norm, (residuals, slopes) = new, tried
        if (abs(gained) <= tolerance and expected <= tolerance and ratio <= 2) or reach <= 1e-8 * abs(place):
            break
    return place
