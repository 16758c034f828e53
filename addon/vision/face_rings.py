"""Where a face is cut, and the rings of vertices around that: the openings of the eyes and the line or opening of the lips.

Curves have the shape that they have in the average face and pass through the photo's own landmarks. Upper and lower half have as many
points each, one opposite the other, so that Delaunay's triangulation keeps them however thin the opening is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canonical import LIP_LINE, LOWER_LID, POINTS, UPPER_LID
from .face_fit import FaceFit
from .landmarks import LEFT_EYE, RIGHT_EYE, FacePoints

Floats = NDArray[np.float64]

SHUT_LIPS = 0.025  # of the eye distance: lips that are nowhere further apart are shut
_SHUT_LIDS = 0.012  # of the eye distance: an opening is made at least so high in its middle
_GROWTH = 1.28  # from one ring to the next
_LID_REACH, _LIP_REACH = 0.008, 0.008  # metres that rings go out from the lids' and from the outer lips' edge
_UPPER_LIPS, _LOWER_LIPS = (48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54)
_UPPER_INNER, _LOWER_INNER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)
_OUTER = np.concatenate([np.arange(48, 60)])


@dataclass(frozen=True)
class Rings:
    """Rings of points around a cut, each of 2n−2 points: from one corner along the upper half to the other and back along the lower.

    The corners are points 0 and n−1. points: float64 R×(2n−2)×2, pixels of the photo (x right, y down), the innermost ring being the cut
    itself. canonical: of the same shape, metres, their places in the average face. shut: the innermost ring's halves are one line.
    """

    points: Floats
    canonical: Floats
    shut: bool = False

    @property
    def half(self) -> int:
        """n: how many points a half has with its corners."""
        return self.points.shape[1] // 2 + 1

    @property
    def sides(self) -> NDArray[np.int8]:
        """+1 for the points of the upper half, −1 for those of the lower, 0 for the corners."""
        n = self.half
        return np.array([0, *[1] * (n - 2), 0, *[-1] * (n - 2)], np.int8)


def eye_rings(face: FacePoints, fit: FaceFit, *, left: bool, step: float) -> Rings:
    """The rings around one eye's opening. step: metres between points of the opening."""
    corners = LEFT_EYE if left else RIGHT_EYE
    marks = list(range(corners.start, corners.stop))
    # Of the left eye the corner on the viewer's left is the inner one, as in the tables; of the right it is the outer.
    upper, lower = UPPER_LID[:, :2], LOWER_LID[:, :2]
    if not left:
        upper, lower = upper[::-1] * (-1, 1), lower[::-1] * (-1, 1)
    length = float(np.hypot(*np.diff(upper, axis=0).T).sum())
    n = _points(length / step, 12, 96)
    flat = [_resampled(half, _even(n)) for half in (upper, lower)]
    flat = [np.concatenate([flat[0], flat[1][-2:0:-1]])]
    given = face.pixels(fit.size)
    around = _hit(flat[0], POINTS[marks, :2], given[marks])
    around = _opened(around, n, _SHUT_LIDS * face.eye_distance(fit.size))
    pixel = pixels_per_metre(fit)
    rings = [around, *_outward(around, n, step * pixel * 0.9, _LID_REACH * pixel)]
    # Near the opening the rings of the average face's own, farther out the map of pixels, which knows this face's brow.
    canonical = fit.canonical_xy(np.concatenate(rings[1:]) / fit.size).reshape(-1, *around.shape)
    usual = np.stack(_outward(flat[0] * (1, -1), n, step * 0.9, _LID_REACH)) * (1, -1)
    share = np.linspace(1, 0, len(usual))[:, None, None] ** 0.5
    return Rings(np.stack(rings), np.concatenate([flat[0][None], share * usual + (1 - share) * canonical]))


def lip_rings(face: FacePoints, fit: FaceFit, *, step: float) -> Rings:
    """The rings around the line of shut lips or the opening of parted ones, over the lips and a little beyond. step: metres."""
    given, between = face.pixels(fit.size), face.eye_distance(fit.size)
    pixel = pixels_per_metre(fit)
    line = np.concatenate([LIP_LINE[:0:-1] * (-1, 1, 1), LIP_LINE])[:, :2]
    width = float(np.hypot(*(given[64] - given[60]))) / pixel
    n = _points(width / step, 16, 128)
    gap = max(float(np.hypot(*(given[a] - given[b]))) for a, b in ((61, 67), (62, 66), (63, 65)))
    shut = gap < SHUT_LIPS * between
    even = _even(n)
    flat = _resampled(line, even)
    if shut:
        marks = np.stack([given[60], *(given[[a, b]].mean(0) for a, b in ((61, 67), (62, 66), (63, 65))), given[64]])
        upper = _spline(marks, even)
        inner = np.concatenate([upper, upper[-2:0:-1]])
    else:
        halves = [_spline(given[list(which)], even) for which in (_UPPER_INNER, _LOWER_INNER)]
        inner = np.concatenate([halves[0], halves[1][-2:0:-1]])
    whole = np.concatenate([flat, flat[-2:0:-1]])
    edge = [_spline(given[list(which)], even) for which in (_UPPER_LIPS, _LOWER_LIPS)]
    outer = np.concatenate([edge[0], edge[1][-2:0:-1]])
    height = float(np.median(np.hypot(*(outer - inner).T)))
    count = max(3, math.ceil(math.log(1 + height / (step * pixel) * (_GROWTH - 1)) / math.log(_GROWTH)))
    shares = np.cumsum(_GROWTH ** np.arange(count))
    rings = [inner, *(inner + s * (outer - inner) for s in shares / shares[-1])]
    last = height * (shares[-1] - shares[-2]) / shares[-1]
    rings += _outward(outer, n, last, _LIP_REACH * pixel)
    # Over the lips, ring by ring as in the photo: the map of pixels says little between lips that are parted.
    rim = [_spline(POINTS[list(which), :2], even) for which in (_UPPER_LIPS, _LOWER_LIPS)]
    around = np.concatenate([rim[0], rim[1][-2:0:-1]])
    lips = [whole, *(whole + s * (around - whole) for s in shares / shares[-1])]
    beyond = fit.canonical_xy(np.concatenate(rings[len(lips) :]) / fit.size).reshape(-1, *inner.shape)
    return Rings(np.stack(rings), np.concatenate([np.stack(lips), beyond]), shut)


def _ring_count(step: float) -> int:
    """How many rings lie within a reach of 1, the first `step` away."""
    return max(2, int(math.log(1 + (_GROWTH - 1) / max(step, 1e-9)) / math.log(_GROWTH) + 1e-6))


def _points(wanted: float, least: int, most: int) -> int:
    """About so many points of a half, with both corners, so that every second, fourth or eighth may be left out."""
    return int(np.clip(8 * round(wanted / 8), 8 * -(-least // 8), most)) + 1


def pixels_per_metre(fit: FaceFit) -> float:
    """Photo pixels in a metre of the average face where a face is, however it is turned."""
    return fit.scale * fit.size[0] / (fit.rays.width * float(fit.origin[1]))


def _even(n: int) -> Floats:
    """n shares from 0 to 1, closer at both ends, where halves meet."""
    t = np.linspace(0, 1, n)
    return 0.8 * t + 0.2 * (1 - np.cos(np.pi * t)) / 2


def _resampled(curve: Floats, at: Floats) -> Floats:
    """A curve (K×2) at shares `at` of its extent across, which keeps its ends and turns smoothly."""
    return _spline(curve, at)


def _spline(points: Floats, at: Floats) -> Floats:
    """The natural cubic spline through points K×2 at shares of its length (by its chords): n×2."""
    place = np.concatenate([[0.0], np.cumsum(np.maximum(np.hypot(*np.diff(points, axis=0).T), 1e-9))])
    place /= place[-1]
    step = np.diff(place)
    k = len(points)
    matrix, right = np.eye(k), np.zeros((k, 2))
    for i in range(1, k - 1):
        matrix[i, i - 1 : i + 2] = step[i - 1], 2 * (step[i - 1] + step[i]), step[i]
        right[i] = 6 * ((points[i + 1] - points[i]) / step[i] - (points[i] - points[i - 1]) / step[i - 1])
    bend = np.linalg.solve(matrix, right)
    i = np.clip(np.searchsorted(place, at, side="right") - 1, 0, k - 2)
    h, t = step[i][:, None], (at - place[i])[:, None]
    slope = (points[i + 1] - points[i]) / h - h * (2 * bend[i] + bend[i + 1]) / 6
    return points[i] + slope * t + bend[i] / 2 * t**2 + (bend[i + 1] - bend[i]) / (6 * h) * t**3


def _hit(flat: Floats, marks: Floats, pixels: Floats) -> Floats:
    """A closed line of the average face (canonical N×2) in pixels of the photo, such that its marks (canonical K×2) lie on their pixels exactly.

    Stretched and sheared as a whole; by what the marks are missed then is carried over along the line.
    """
    middle = marks.mean(0)
    affine = np.linalg.lstsq(marks - middle, pixels - pixels.mean(0), rcond=None)[0]
    found = (flat - middle) @ affine + pixels.mean(0)
    nearest = ((flat[:, None] - marks) ** 2).sum(-1).argmin(0)
    miss = pixels - found[nearest]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
    order = np.argsort(along[nearest])
    whole = along[-1] + float(np.hypot(*(flat[0] - flat[-1])))
    at, miss = np.append(along[nearest][order], along[nearest][order[0]] + whole), np.concatenate([miss[order], miss[order[:1]]])
    return found + np.column_stack([np.interp(along, at, miss[:, i]) for i in range(2)])


def _opened(around: Floats, n: int, least: float) -> Floats:
    """Part the halves where they are closer than `least` pixels in the middle (less towards the corners), or pass each other."""
    lower = np.concatenate([around[:1], around[: n - 2 : -1]])
    upper = around[:n]
    across = upper[-1] - upper[0]
    up = np.array((across[1], -across[0])) / max(float(np.hypot(*across)), 1e-9)
    gap = ((upper - lower) @ up)[1:-1]
    short = np.clip(least * np.sin(np.pi * np.linspace(0, 1, n)[1:-1]) ** 0.5 - gap, 0, None)[:, None] * up / 2
    out = around.copy()
    out[1 : n - 1] += short
    out[n:] = (lower[1:-1] - short)[::-1]
    return out


def _outward(around: Floats, n: int, step: float, reach: float) -> list[Floats]:
    """Rings outside of one, `step` pixels away and farther and farther, up to `reach`. They leave it like those of an ellipse."""
    across = around[n - 1] - around[0]
    across = across / max(float(np.hypot(*across)), 1e-9)
    up = np.array((across[1], -across[0]))
    angle = np.pi * np.linspace(0, 1, n)
    half = -np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * up
    back = -np.cos(angle)[:, None] * across - np.sin(angle)[:, None] * up
    way = np.concatenate([half, back[-2:0:-1]])
    rings, out = [], 0.0
    for k in range(_ring_count(step / reach)):
        out += step * _GROWTH**k
        rings.append(around + out * way)
    return rings
