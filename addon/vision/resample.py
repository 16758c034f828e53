"""Brings a depth map to another size without making up depths that are neither near nor far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_JUMP_RATIO = 1.06  # depth: neighbours farther apart than this lie on different things
_JUMP_SHARE = 0.03  # disparity: the same, as a share of the map's range
_STRIP = 2**20  # pixels at a time, which bounds the memory


class _Axis(NamedTuple):
    """For each new row or column: the old ones before and after it, the nearest, and how far it lies between them."""

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    nearest: NDArray[np.intp]
    share: Floats


def resample(values: Floats, size: tuple[int, int], *, depth: bool) -> Floats:
    """Return float32 `values` (H×W) at `size` (width, height); the same array if it has that size already.

    Linear between four old pixels that lie on one thing; where they do not, or one of them is NaN or infinite, the
    nearest is taken, so that silhouettes stay sharp and missing values do not spread. `depth` says that the values are
    distances, whose steps are judged by ratio, rather than disparity.
    """
    if values.shape == (size[1], size[0]):
        return values
    columns, rows = _axis(values.shape[1], size[0]), _axis(values.shape[0], size[1])
    jump = 0.0 if depth else _JUMP_SHARE * _extent(values)
    out = np.empty((size[1], size[0]), np.float32)
    step = max(1, _STRIP // size[0])
    for start in range(0, size[1], step):
        part = slice(start, start + step)
        strip = _Axis(rows.before[part], rows.after[part], rows.nearest[part], rows.share[part])
        _fill(out[part], values, strip, columns, jump)
    return out


def _fill(out: Floats, values: Floats, rows: _Axis, columns: _Axis, jump: float) -> None:
    """Write the new rows `rows` into `out`; `jump` is the largest step of disparity, 0 for depth."""
    nearest = values[rows.nearest][:, columns.nearest]
    above, below = values[rows.before], values[rows.after]
    a, b = above[:, columns.before], above[:, columns.after]
    c, d = below[:, columns.before], below[:, columns.after]
    with np.errstate(invalid="ignore"):  # NaN and infinities compare false or come out NaN: then the nearest counts
        low = np.minimum(np.minimum(a, b), np.minimum(c, d))
        high = np.maximum(np.maximum(a, b), np.maximum(c, d))
        joined = high - low <= jump if jump > 0 else high <= low * _JUMP_RATIO
        joined &= np.isfinite(high) & np.isfinite(low)
        upper, lower = a + (b - a) * columns.share, c + (d - c) * columns.share
        linear = upper + (lower - upper) * rows.share[:, None]
    out[...] = np.where(joined, linear, nearest)


def _axis(old: int, new: int) -> _Axis:
    """Places of `new` pixel centres among `old` ones, both spread over the same length."""
    place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    before = np.minimum(np.floor(place).astype(np.intp), max(old - 2, 0))
    after = np.minimum(before + 1, old - 1)
    nearest = np.clip(np.floor(place + 0.5).astype(np.intp), 0, old - 1)
    return _Axis(before, after, nearest, (place - before).astype(np.float32))


def _extent(values: Floats) -> float:
    """The range of the finite values without their rarest hundredths; the full range where that is nothing."""
    some = values.ravel()[:: max(1, values.size // 100_000)]  # all of them would take longer than the rest of the work
    known = some[np.isfinite(some)]
    low, high = np.percentile(known, (1, 99)) if known.size else (0.0, 0.0)
    if high > low:
        return float(high - low)
    known = values[np.isfinite(values)]
    return (float(known.max() - known.min()) or 1.0) if known.size else 0.0
