"""What a camera shows that the photo did not, judged on the frames themselves: the layers drawn as `warp` draws them, in colours that
tell what each pixel is.

Slower than `coverage`, which is for searching, and exact: soft rims, openings and pixels that several layers share count as they are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .amounts import Measure
from .coverage import FACE, REST, WEIGHTS, Points, Pose, Shares, View, lost, rotation_matrix
from .cv import cv
from .geometry import STRETCHED, RayMap
from .warp import Floats, Sheet, Warp, sampled
from .warp import Pose as Place

_STRETCHED, _OUTSIDE, _REVEALED = range(3)


class _Judge(Warp):
    """Draws what pixels are instead of what they show: stretched, past the border, not in the photo, times their weight."""

    weights: Floats  # H×W over the photo

    def moving_at(self, pixel: float) -> None:
        """What has moved by so many tangents counts as moved: a pixel of a film that is finer than what is drawn here."""
        self._moves_at = pixel

    def _colours(self, sheet: Sheet, met: Any) -> tuple[NDArray[Any], Floats]:
        found = np.zeros((len(met.x), 3), np.float32)
        h, w = self.weights.shape
        row, column = (np.clip((at * n).astype(int), 0, n - 1) for at, n in ((met.down, h), (met.across, w)))
        weight = self.weights[row, column]
        outside = np.maximum(np.abs(met.across - 0.5), np.abs(met.down - 0.5)) > 0.5
        found[:, _OUTSIDE] = outside * weight
        if sheet.hidden is not None:
            found[:, _REVEALED] = (_at(sheet.hidden, met.x, met.y) & ~outside) * weight
        if not sheet.sky:
            found[:, _STRETCHED] = (self._stretch(sheet, met.x, met.y, met.ex, met.ey)[0] > STRETCHED) * weight
        return found, np.ones(len(met.x), np.float32)


def _at(mask: NDArray[np.uint8], x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Where the most part of a mask's four pixels around each of N places is set."""
    return sampled(mask, x, y, cv().BORDER_REPLICATE) > 127


def judged(
    sheets: Sequence[Sheet], grid: tuple[float, float], points: Points, kinds: NDArray[np.uint8], rays: RayMap, near: float, far: float
) -> Measure:
    """The measure of layers as they will be drawn.

    sheets: from front to back, with their `hidden`, counted in `grid` (width, height) for the photo. points: for what leaves the film.
    kinds: uint8 H×W over the photo, REST, SUBJECT or FACE. rays: of the photo's camera. near, far: metres.
    """
    weights = WEIGHTS[np.clip(kinds, REST, FACE)]
    nothing = np.zeros((1, 1, 3), np.float32)
    ready: dict[View, _Judge] = {}

    def measure(film: View, pose: Pose) -> Shares:
        if film not in ready:
            judge = ready[film] = _Judge(list(sheets), nothing, grid, rays, film.framing, film.size, near, far)
            judge.weights = weights
            if film.pixel > 0:
                judge.moving_at(film.pixel)
        right, up, forward = pose.place
        place = Place((right, up, -forward), rotation_matrix(pose.rotation), 1 / pose.zoom, pose.offset)
        frame = ready[film].frame(place)
        alpha = frame[..., 3]
        stretched, outside, revealed = (float((frame[..., kind] * alpha).mean()) for kind in (_STRETCHED, _OUTSIDE, _REVEALED))
        return Shares(float((1 - alpha).mean()), stretched, outside, revealed, *lost(points, film, pose))

    return measure
