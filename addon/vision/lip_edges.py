"""The lips' inner edges as the photo has them, near where a network has placed them.

A landmark network is off by some hundredths of the eyes' distance, which is a whole lip's height in a smile: what would be cut then is the
lip itself, and teeth would take its colour. Shut lips meet in the darkest valley between them; parted ones end where their red does, at teeth
or at the dark of the mouth. Both are found as smooth paths of least cost (dynamic programming) across the mouth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .edge_paths import cheapest_path, lab_at
from .landmarks import FacePoints

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

_UNIT = 100  # rows of the strip in the distance of the eyes: a row is a hundredth of it
_COLUMNS = 81  # of the strip, across the mouth and a little beyond
_BEYOND = 0.06  # of the mouth's width that the strip goes on past each corner
_ABOVE, _BELOW = 35, 55  # rows above and below the line from corner to corner
_LEAST = 24.0  # pixels between the eyes below which a photo tells nothing better than the network
_SHUT = 0.05  # of the eyes' distance: lips that a network sees no farther apart may be shut
_NEAR = 4  # rows that the line of shut lips may be off
_UP, _DOWN = (4, 8), (11, 4)  # rows that the edges of parted lips may be off, upper and lower: upwards and downwards
_DEEP, _WIDE = 3.0, 10.0  # a line of shut lips is darker by so much (L*) than the lips, and so many rows wide at most
_CORNER = 9.0  # rows that a corner of parted lips may be off
_CLEAR = 2.5  # by how much the red of a lip's edge changes, at least
_STEEP = 2  # rows that a path may rise from one column to the next
_BEND, _STAY = 0.8, 0.08  # cost of a row's rise, and of a row's distance from where the network has it
_UPPER, _LOWER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)


class _Strip(NamedTuple):
    """What lies about the mouth, straightened. lab: rows × _COLUMNS × 3, CIE L*a*b*. origin, across, down: pixels of the photo at row 0
    and column 0, in the mouth's width and in a row."""

    lab: Doubles
    origin: Doubles
    across: Doubles
    down: Doubles

    def rows(self, points: Doubles) -> tuple[Doubles, Doubles]:
        """Column and row of points N×2."""
        to = np.linalg.inv(np.column_stack([self.across, self.down]))
        share, row = (points - self.origin) @ to.T[:, 0], (points - self.origin) @ to.T[:, 1]
        return (share + _BEYOND) / (1 + 2 * _BEYOND) * (_COLUMNS - 1), row

    def points(self, columns: Doubles, rows: Doubles) -> Doubles:
        share = columns / (_COLUMNS - 1) * (1 + 2 * _BEYOND) - _BEYOND
        return self.origin + share[:, None] * self.across + rows[:, None] * self.down


def on_lips(colour: Bytes, face: FacePoints) -> FacePoints:
    """The face with the inner points of its lips (60 to 67) on the edges that the photo shows beside them.

    colour: uint8 H×W×3, sRGB. Where the photo shows none, or the face is smaller than 24 pixels from eye to eye, points stay. Shut lips
    get one line: their upper and lower points lie in the same place.
    """
    size = (colour.shape[1], colour.shape[0])
    points, unit = face.pixels(size).copy(), face.eye_distance(size)
    if unit < _LEAST or np.hypot(*(points[64] - points[60])) < 0.2 * unit:
        return face
    strip = _strip(colour, points, unit)
    columns = np.arange(_COLUMNS, dtype=np.float64)
    marks = {half: strip.rows(points[list(half)]) for half in (_UPPER, _LOWER)}
    upper, lower = (np.interp(columns, *marks[half]) for half in (_UPPER, _LOWER))
    line = _meeting(strip, upper, lower) if float(np.max(lower - upper)) < _SHUT * _UNIT else None
    if line is not None:
        for a, b in ((61, 67), (62, 66), (63, 65)):
            column = strip.rows(points[[a, b]])[0].mean()[None]
            points[[a, b]] = strip.points(column, np.interp(column, columns, line))
        for corner in (60, 64):
            column = strip.rows(points[[corner]])[0]
            points[corner] = strip.points(column, np.interp(column, columns, line))[0]
        return replace(face, points=points / size)
    if float(np.max(lower - upper)) < _SHUT * _UNIT:
        return face
    red = _redness(strip)
    step = _steps(red)
    edges = {_UPPER: _path(-step, upper, *_UP), _LOWER: _path(step, lower, *_DOWN)}
    inner = slice(_COLUMNS // 4, -(_COLUMNS // 4))
    if np.median((edges[_LOWER] - edges[_UPPER])[inner]) < 1:
        return face
    moved = False
    for half, sign in ((_UPPER, -1), (_LOWER, 1)):
        path = edges[half]
        clear = sign * step[np.round(path).astype(int), np.arange(_COLUMNS)]
        if np.median(clear[inner]) < _CLEAR:
            continue
        at = list(half[1:-1])
        column = strip.rows(points[at])[0]
        points[at] = strip.points(column, np.interp(column, columns, path - _ABOVE))
        moved = True
    if moved:
        for corner in (60, 64):
            points[corner] = _corner(strip, points[corner])
    return replace(face, points=points / size)


def _strip(colour: Bytes, points: Doubles, unit: float) -> _Strip:
    across = points[64] - points[60]
    down = np.array([-across[1], across[0]]) / np.hypot(*across) * unit / _UNIT
    empty = _Strip(np.zeros((1, 1, 3)), points[60].copy(), across, down)
    c, r = (i.ravel().astype(np.float64) for i in np.meshgrid(np.arange(_COLUMNS), np.arange(-_ABOVE, _BELOW)))
    at = empty.points(c, r)
    places = at.reshape(_ABOVE + _BELOW, _COLUMNS, 2)
    found = lab_at(colour, places, 0.5 * unit / _UNIT if unit > _UNIT else 0.0)
    return empty._replace(lab=found.astype(np.float64))


def _meeting(strip: _Strip, upper: Doubles, lower: Doubles) -> Doubles | None:
    """The rows of the darkest valley between shut lips, or None if there is none or it is as wide as an opening."""
    light = cv().GaussianBlur(strip.lab[..., 0], (0, 0), 0.8)
    around = cv().blur(light, (1, 17))
    path = _path(around - light, (upper + lower) / 2, *(2 * [round(_NEAR + float(np.max(lower - upper)) / 2)]))
    widths, depths = [], []
    for column in range(_COLUMNS // 5, _COLUMNS - _COLUMNS // 5):
        values, row = light[:, column], round(path[column])
        above, below = values[max(row - 8, 0) : row + 1].max(), values[row : row + 9].max()
        depth = min(above, below) - values[row]
        dark = values < values[row] + depth / 2
        first, last = row, row
        while first > 0 and dark[first - 1]:
            first -= 1
        while last + 1 < len(dark) and dark[last + 1]:
            last += 1
        depths.append(depth)
        widths.append(last - first + 1)
    if np.median(depths) < _DEEP or np.median(widths) > _WIDE:
        return None
    return path - _ABOVE


def _corner(strip: _Strip, at: Doubles) -> Doubles:
    """Where near the point `at` (pixels) parted lips meet: there the mouth is dark. The same point where nothing is."""
    light = cv().GaussianBlur(strip.lab[..., 0], (0, 0), 0.8)
    column, row = (float(v[0]) for v in strip.rows(at[None]))
    # A column is wider than a row: both count as they lie in the photo.
    wide = float(np.hypot(*strip.across)) * (1 + 2 * _BEYOND) / (_COLUMNS - 1) / float(np.hypot(*strip.down))
    c, r = np.meshgrid(np.arange(_COLUMNS), np.arange(len(light)) - _ABOVE)
    away = np.hypot((c - column) * wide, r - row)
    darker = cv().blur(light, (17, 17)) - light - 0.8 * away
    darker[away > _CORNER] = -np.inf
    best = int(darker.argmax())
    if darker.flat[best] < _DEEP:
        return at
    return strip.points(np.array([float(best % _COLUMNS)]), np.array([float(best // _COLUMNS - _ABOVE)]))[0]


def _redness(strip: _Strip) -> Doubles:
    """High on lips, low on teeth and in the dark between the lips."""
    light, red = strip.lab[..., 0], strip.lab[..., 1]
    dark = 0.5 * float(np.median(light))
    return cv().GaussianBlur(red - 0.7 * np.maximum(dark - light, 0), (0, 0), 0.8)


def _steps(values: Doubles) -> Doubles:
    """How much larger values are just below a place than just above, from the means of three rows each."""
    mean = cv().blur(values, (3, 3))
    step = np.zeros_like(values)
    step[2:-2] = mean[4:] - mean[:-4]
    return step


def _path(gain: Doubles, near: Doubles, up: int, down: int) -> Doubles:
    """For each column the row, from the strip's top, of the smooth path with the most gain within `up` rows above and `down` below `near`."""
    r = np.arange(len(gain))[:, None]
    own = near + _ABOVE
    cost = -gain + _STAY * np.abs(r - own)
    cost = np.where((r < own - up - 0.5) | (r > own + down + 0.5), 1e6, cost)
    return cheapest_path(cost, bend=_BEND, smooth=1.6, steep=_STEEP)
