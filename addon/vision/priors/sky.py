"""The sky: only what can be sky is believed to be, and what is, is beyond everything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cv import cv

Floats = NDArray[np.float32]

_LEAST = 0.004  # share of the picture, of one piece of sky
_BELOW = 0.05  # of the height: sky may reach this far below the horizon
_BEYOND = 0.05  # share of the land that may be found beyond the sky
_FAR = 0.4  # share of the land that must be nearer than a piece of sky


def likely_sky(sky: Floats, values: Floats, horizon: float | None) -> Floats | None:
    """A network's share of sky without the pieces that cannot be sky; None if nothing is left.

    sky: float32 h×w in [0, 1]. values: float32 h×w, disparity of any scale and shift. horizon: its row in shares of the
    height from the top, if known. A piece is not believed if it is tiny, if most of it lies below the horizon, or if it is
    nearer than much of the land: a white wall, a lake, a shirt.
    """
    height = sky.shape[0]
    mask = sky > 0.5
    if not mask.any():
        return None
    land = values[~mask]
    near = float(np.quantile(land, _FAR)) if land.size else np.inf
    count, pieces, stats, _ = cv().connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    rows = np.arange(height)[:, None] / height
    kept = np.zeros(count, bool)
    for piece in range(1, count):
        here = pieces == piece
        large = stats[piece, cv().CC_STAT_AREA] >= _LEAST * mask.size
        above = horizon is None or float(np.mean((rows < horizon + _BELOW) & here) / np.mean(here)) > 0.5
        kept[piece] = large and above and float(np.median(values[here])) <= near
    if not kept.any():
        return None
    # The slope from sky to land belongs to the piece it borders on: only what is nearer to a piece that is left out goes.
    if not kept[1:].all():
        _, label = cv().distanceTransformWithLabels((~mask).astype(np.uint8), cv().DIST_L2, 5, labelType=cv().DIST_LABEL_PIXEL)
        owner = np.zeros(int(label.max()) + 1, np.int32)
        owner[label[mask]] = pieces[mask]
        return np.where(kept[owner[label]], sky, np.float32(0)).astype(np.float32)
    return sky


def beyond_everything(values: Floats, sky: Floats | None) -> Floats:
    """The values with no land beyond the sky, which is infinitely far: float32 h×w.

    values: float32 h×w, disparity of any scale and shift. sky: float32 h×w in [0, 1], or None. The sky's pixels take their
    median, or what hardly any land is below if that is less; land below it is lifted to it.
    """
    if sky is None or not (sky > 0.5).any():
        return values
    mask = sky > 0.5
    zero = float(np.median(values[mask]))
    if not mask.all():
        zero = min(zero, float(np.quantile(values[~mask], _BEYOND)))
    return np.where(mask, np.float32(zero), np.maximum(values, np.float32(zero))).astype(np.float32)
