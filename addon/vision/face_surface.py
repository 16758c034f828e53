"""The skin of the face of average size, as far as a few dozen measured places tell: how far out of the face a place seen from the front lies.

A thin-plate spline (Bookstein, "Principal warps", 1989) through the tables of `canonical`, kept on a grid.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .canonical import LIP_LINE, LOWER_LID, POINTS, SURFACE, UPPER_LID

Array = NDArray[np.float64]

_LEFT, _TOP, _STEP, _COLUMNS, _ROWS = -0.09, 0.11, 0.0015, 121, 181  # the grid: metres, from the left above


def _mirrored(points: Array) -> Array:
    return np.concatenate([points, (points * [-1, 1, 1])[points[:, 0] > 0]])


def _spline(squares: Array) -> Array:
    """r² log r of squared distances."""
    return 0.5 * squares * np.log(np.maximum(squares, 1e-18))


@lru_cache(maxsize=1)
def _grid() -> Array:
    known = np.concatenate([POINTS, *(_mirrored(t) for t in (SURFACE, LIP_LINE, UPPER_LID, LOWER_LID))])
    _, first = np.unique(np.round(known[:, :2] / 0.0012), axis=0, return_index=True)  # landmarks are in two of the tables
    known = known[np.sort(first)]
    xy, z = known[:, :2] * 10, known[:, 2]
    squares = ((xy[:, None] - xy[None]) ** 2).sum(-1)
    ones = np.concatenate([np.ones((len(xy), 1)), xy], 1)
    matrix = np.block([[_spline(squares) + 1e-3 * np.eye(len(xy)), ones], [ones.T, np.zeros((3, 3))]])
    solved = np.linalg.solve(matrix, np.concatenate([z, np.zeros(3)]))
    x, y = np.meshgrid(_LEFT + _STEP * np.arange(_COLUMNS), _TOP - _STEP * np.arange(_ROWS))
    at = np.stack([x.ravel(), y.ravel()], 1) * 10
    values = np.concatenate([np.ones((len(at), 1)), at], 1) @ solved[-3:]
    for k in range(len(xy)):
        values += solved[k] * _spline(((at - xy[k]) ** 2).sum(1))
    return values.reshape(_ROWS, _COLUMNS)


def bilinear(grid: NDArray, column: Array, row: Array) -> Array:
    """Sample a grid (rows × columns, or × channels) at fractional places, N; beyond the border its last values go on."""
    rows, columns = grid.shape[:2]
    column, row = np.clip(column, 0, columns - 1), np.clip(row, 0, rows - 1)
    c, r = np.minimum(column.astype(int), columns - 2), np.minimum(row.astype(int), rows - 2)
    u, v = column - c, row - r
    if grid.ndim == 3:
        u, v = u[:, None], v[:, None]
    return (grid[r, c] * (1 - u) + grid[r, c + 1] * u) * (1 - v) + (grid[r + 1, c] * (1 - u) + grid[r + 1, c + 1] * u) * v


def depth(xy: Array) -> Array:
    """How far out of the face the skin lies at places seen from the front.

    xy: N×2, canonical metres, finite. Returns float64 N, canonical z, with about 2 mm of error inside the face; beyond the jaw and the
    hairline it goes on in some smooth way and is not to be trusted.
    """
    xy = np.asarray(xy, np.float64)
    return bilinear(_grid(), (xy[:, 0] - _LEFT) / _STEP, (_TOP - xy[:, 1]) / _STEP)
