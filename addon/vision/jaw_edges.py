"""The points of the lower jaw on the outline that the photo shows below a face, and the chin's farther towards where that is lowest.

A beard, a shadow or a second chin may be taken for the chin's edge by a landmark network, and where along the jaw a chin lies it tells less well
than how low it is. The outline is found as a smooth path of least cost (dynamic programming) along the network's jaw, where colours change
across it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .edge_paths import cheapest_path, lab_at, smoothed
from .landmarks import CHIN, JAW, FacePoints, frame_of

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_LEAST = 24.0  # pixels between the eyes below which a photo tells nothing better than the network
_UNIT = 100  # rows of the strip in the distance of the eyes
_REACH, _ROWS = 14, 22  # rows that the jaw may be off, and that are looked at on either side
_COLUMNS = 61  # of the strip, along the jaw
_FIRST, _LAST = 4, 12  # points between which the jaw is looked at
_LINE = 0.12  # of the eyes' distance: how far the line through the points is smoothed
_LIGHT = 0.6  # what a step in lightness counts beside one in colour: shadows are steps too
_ENOUGH = 12.0  # a step of so much counts as much as any larger one
_CLEAR = 6.0  # the step that an outline has in its middle, at least
_STAY, _BEND = 0.03, 0.8  # cost of a place so many rows off (squared), and of a row's rise
_ASIDE = 1.5  # eyes' distances that the outline must be lower for the chin to be one eyes' distance aside of where the network has it; grows squared
_FADE = 15  # columns from either end of the strip over which points begin to move


def on_jaw(colour: Bytes, face: FacePoints) -> FacePoints:
    """The face with points 5 to 11 of the jaw on the outline that the photo shows beside them; of those the chin is also moved along it,
    some way towards its lowest place, and its neighbours with it.

    colour: uint8 H×W×3, sRGB. Where the photo shows no clear outline or ends, or the face is smaller than 24 pixels from eye to eye, points stay.
    """
    size = (colour.shape[1], colour.shape[0])
    points = face.pixels(size).copy()
    _, _, unit, tilt = frame_of(points)
    if unit < _LEAST:
        return face
    line, across, places = _line(points, unit)
    rows, columns = np.arange(-_ROWS, _ROWS + 1), np.arange(_COLUMNS)
    at = line + (rows / _UNIT * unit)[:, None, None] * across
    inside = ((at > 0) & (at < size)).all(2)
    whole = np.asarray(inside.all(0))
    lab = lab_at(colour, at, 0.7 * unit / _UNIT if unit > _UNIT / 2 else 0.0)
    # Past its border the photo goes on as streaks, which are no outline.
    step = np.where(cv().erode(inside.astype(np.uint8), np.ones((9, 5), np.uint8)) > 0, _steps(lab), 0.0)
    cost = np.where(np.abs(rows)[:, None] > _REACH, 1e6, _STAY * rows[:, None] ** 2 - step)
    path = cheapest_path(cost, bend=_BEND, smooth=2.5) - _ROWS
    middle = slice(_COLUMNS // 3, -(_COLUMNS // 3))
    clear = step[np.round(path).astype(int) + _ROWS, columns]
    if np.median(clear[middle]) < _CLEAR:
        return face
    path *= np.clip(np.minimum(columns, columns[::-1]) / _FADE, 0, 1)  # the jaw goes on from where it was
    edge = line + (path / _UNIT * unit)[:, None] * across
    chin = places[CHIN - _FIRST]
    moved = np.interp(places, [0, chin, _COLUMNS - 1], [0, _lower(edge, chin, unit, tilt), _COLUMNS - 1])
    for i in range(_FIRST + 1, _LAST):
        if whole[round(float(moved[i - _FIRST]))]:
            points[i] = _at(edge, moved[i - _FIRST])
    return replace(face, points=points / size)


def _line(points: Doubles, unit: float) -> tuple[Doubles, Doubles, Doubles]:
    """A smooth line along the jaw, C×2 in pixels, the unit vectors across it, and each point's column (_FIRST to _LAST)."""
    jaw = points[JAW]
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(jaw, axis=0).T))])
    fine = np.linspace(0, at[-1], 400)
    spread = max(_LINE * unit / max(fine[1], 1e-6), 1e-3)
    even = np.stack([np.interp(fine, at, jaw[:, k]) for k in (0, 1)], 1)
    smooth = smoothed(even, spread, min(int(3 * spread) + 1, len(fine) - 1), mode="reflect", reflect_type="odd")
    columns = np.linspace(at[_FIRST], at[_LAST], _COLUMNS)
    line = np.stack([np.interp(columns, fine, smooth[:, k]) for k in (0, 1)], 1)
    along = np.gradient(line, axis=0)
    across = np.stack([along[:, 1], -along[:, 0]], 1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return line, across, np.interp(at[_FIRST : _LAST + 1], columns, np.arange(_COLUMNS))


def _steps(lab: Floats) -> Doubles:
    """How much colours differ between the two sides of a place of the strip, R×C."""
    mean = cv().blur(lab.astype(np.float64) * (_LIGHT, 1, 1), (5, 3))
    step = np.zeros(lab.shape[:2])
    step[4:-4] = np.linalg.norm(mean[7:-1] - mean[1:-7], axis=2)
    return np.minimum(step, _ENOUGH)


def _at(edge: Doubles, column: Doubles | float) -> Doubles:
    """Places of the outline at columns, …×2."""
    return np.stack([np.interp(column, np.arange(len(edge)), edge[:, k]) for k in (0, 1)], -1)


def _lower(edge: Doubles, chin: float, unit: float, tilt: float) -> float:
    """The column of the lowest place of the outline that is not too far from column `chin`."""
    right = np.array([math.cos(tilt), math.sin(tilt)])
    down = np.array([-right[1], right[0]])
    columns = np.linspace(0, len(edge) - 1, 8 * len(edge))
    away = _at(edge, columns) - _at(edge, chin)
    return float(columns[np.argmax(away @ down / unit - _ASIDE * (away @ right / unit) ** 2)])
