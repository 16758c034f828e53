"""A last layer behind what no numbering of layers can part: tangles of hair, fur, grass and twigs.

In a tangle every strand lies before another, more of them in a row than a photo has layers. Some cuts have one layer on both sides, and
where no other goes on behind, a face across such a cut would stretch instead of opening. There the backing goes on: as deep as the
farther sides of those cuts, in their colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .layers import Bytes
from .mattes import backed
from .refine import Floats, Mask
from .sheets import BEHIND, Fill, Outline, Sheet, continue_depth

_LEAST_SHARE = 0.002  # of the picture that would stretch; for less another object is not worth it
_DEEP = 3  # pixels about a step in which the farthest depth is what the backing has there
_CLOSE = 5  # pixels beside a step that are backed in any case
_BESIDE = 1  # pixels beside a step that are mixtures
_MARGIN = 4


class Frayed(NamedTuple):
    """Where faces would stretch for want of anything behind. far: bool H×W, their farther ends. floor: float32 H×W, the depth of the
    farthest sheet at each place."""

    far: Mask
    floor: Floats


def find_frayed(d: Floats, levels: NDArray[np.int32], sheets: Sequence[Outline], tear: float, reach: int) -> Frayed | None:
    """Where sheets have steps with no other behind; None if a move would stretch little there.

    d: float32 H×W in [0, 1]. levels: int32 H×W, the sheet that each place shows. sheets: from front to back. tear: the least step
    that opens. reach: pixels that a move may part what is nearest from what is farthest.
    """
    h, w = d.shape
    far, floor = np.zeros((h, w), bool), d.copy()
    opened = 0.0
    for level, (sheet, behind) in enumerate(zip(sheets, backed([s.box for s in sheets], [s.matte for s in sheets]))):
        left, top, right, bottom = sheet.box
        x, y = max(left, 0), max(top, 0)
        there = slice(y, min(bottom, h)), slice(x, min(right, w))
        here = slice(y - top, min(bottom, h) - top), slice(x - left, min(right, w) - left)
        depth = d[there] if sheet.d is None else sheet.d[here]
        # Over what is farther it has a soft rim only, which takes the depth of what is beside it.
        there_is, bare = (sheet.matte[here] > 0) & (levels[there] <= level), ~behind[here]
        np.copyto(floor[there], np.minimum(floor[there], depth), where=there_is)
        for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            step = depth[second] - depth[first]
            steep = (np.abs(step) > tear) & there_is[first] & there_is[second] & (bare[first] | bare[second])
            opened += float(np.abs(step[steep]).sum()) * reach / 2  # a move opens those of one side
            for side, farther in ((first, step > 0), (second, step < 0)):
                far[there][side] |= steep & farther
    return Frayed(far, floor) if opened > _LEAST_SHARE * d.size else None


def back_up(colour: Bytes, d: Floats, frayed: Frayed, reach: int, fill: Fill) -> Sheet:
    """The sheet behind what is frayed.

    colour: uint8 H×W×3, sRGB. d: float32 H×W in [0, 1]. reach: pixels that it goes on. fill: what fills colour.
    """
    cv2 = cv()
    away = cv2.distanceTransform((~frayed.far).astype(np.uint8), cv2.DIST_L2, 5)
    near = away <= reach
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    top, bottom = max(0, int(rows[0]) - _MARGIN), min(d.shape[0], int(rows[-1]) + 1 + _MARGIN)
    left, right = max(0, int(columns[0]) - _MARGIN), min(d.shape[1], int(columns[-1]) + 1 + _MARGIN)
    window = slice(top, bottom), slice(left, right)
    colour, d, away = np.ascontiguousarray(colour[window]), d[window], away[window]
    far, floor, near = frayed.far[window], np.ascontiguousarray(frayed.floor[window]), near[window]
    deep = cv2.erode(floor, np.ones((2 * _DEEP + 1, 2 * _DEEP + 1), np.uint8))
    behind = continue_depth(deep, far, near)
    least = np.float32(BEHIND / max(reach, 1))
    close = away <= _CLOSE  # right behind them in any case, or their ends would let the light through
    behind[close] = np.minimum(behind[close], floor[close] - least)
    behind = np.maximum(behind, 0)  # at the far end it comes to lie on the photo, whose depth it takes there
    area = close | (near & (floor - behind >= least * np.float32(0.99)))
    # Colours come from where the photo shows what is as deep as that; right beside a step they are mixed with the front's.
    source = near & (d < behind + 2 * least) & (away > _BESIDE)
    if not source.any():
        source = far
    filled = np.where(area[..., None], fill(colour, source, area & ~source), colour)
    cover = np.where(area, np.uint8(255), np.uint8(0))
    return Sheet((left, top, right, bottom), cover, behind, filled, cover)
