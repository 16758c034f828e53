"""How steady a film is: what changes at a point of the scene from frame to frame, though nothing there moves.

The photo's pixels are points with known depth, and the camera's path is known, so that their places in every frame are.
Each frame is read there, and what differs between frames is flicker: sampling noise, crawling edges, texture that swims.
Reading between pixels costs something by itself; the ideal film (the photo resampled at the exact places) has that too
and is the figure to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import peers
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
RIM = 3  # pixels around a depth edge that are counted apart


class Track(NamedTuple):
    """Where every photo pixel is in a frame (x, y: float32 H×W) and whether it can be seen there (bool H×W)."""

    x: Floats
    y: Floats
    seen: NDArray[np.bool_]


class Flicker(NamedTuple):
    """Mean absolute difference of 0..255 between successive frames: of points inside surfaces, and near depth edges."""

    inside: float
    rim: float


def orbit(still: peers.Move, near: float, width: int, frames: int, share: float = 0.02) -> list[peers.Move]:
    """A swing about the point straight ahead at twice the nearest distance.

    still: the photo's own camera. near: metres to the nearest point. share: how far the nearest point moves to each side against the farthest, in parts of the width.
    """
    aim = 2 * near
    reach = share * width / still.focal * near
    moves = []
    for angle in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        x = reach * np.sin(angle)
        moves.append(still._replace(offset=(float(x), 0.0, 0.0), rotation=(0.0, float(np.degrees(np.arctan2(x, aim))), 0.0)))
    return moves


def ideal_film(photo: Bytes, nearness: Floats, moves: Sequence[peers.Move]) -> list[Bytes]:
    """The photo on its depth as one sheet, resampled without noise."""
    film = []
    for move in moves:
        u, v, near = move.project(nearness)
        drawn = peers.draw(u, v, near, nearness, peers.pieces(nearness, np.inf), 1)
        film.append(cv2.remap(photo, drawn.x, drawn.y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return film


def track(nearness: Floats, moves: Sequence[peers.Move]) -> list[Track]:
    """The photo's pixels in the frames of `moves`. nearness: float32 H×W, their 1/depth."""
    h, w = nearness.shape
    own_x, own_y = np.arange(w)[None], np.arange(h)[:, None]
    found = []
    for move in moves:
        u, v, near = move.project(nearness)
        drawn = peers.draw(u, v, near, nearness, peers.pieces(nearness, move.cut), 1)
        x, y = np.rint(u).astype(int), np.rint(v).astype(int)
        inside = (x >= 1) & (x < w - 1) & (y >= 1) & (y < h - 1)
        x, y = np.clip(x, 0, w - 1), np.clip(y, 0, h - 1)
        found.append(Track(u, v, inside & (np.abs(drawn.x[y, x] - own_x) < 1.5) & (np.abs(drawn.y[y, x] - own_y) < 1.5)))
    return found


def near_edges(nearness: Floats, focal: float, reach: float) -> NDArray[np.bool_]:
    """Pixels within RIM of a depth edge that opens by more than a pixel when the camera moves `reach` metres."""
    jump = cv2.dilate(nearness, np.ones((2, 2), np.uint8)) - cv2.erode(nearness, np.ones((2, 2), np.uint8))
    return cv2.dilate((jump * focal * reach > 1).astype(np.uint8), np.ones((2 * RIM + 1,) * 2, np.uint8)) > 0


def flicker(film: Sequence[Bytes], tracks: Sequence[Track], rim: NDArray[np.bool_]) -> Flicker:
    """The flicker of frames BGR H×W×3 in which the photo's pixels are at `tracks`. rim: bool H×W, those near edges."""
    total, count, before = np.zeros(2), np.zeros(2), None
    for frame, at in zip(film, tracks):
        colours = cv2.remap(frame, at.x, at.y, cv2.INTER_LINEAR).astype(np.float32)
        if before is not None:
            change = np.abs(colours - before[0]).mean(2)
            for i, where in enumerate((~rim, rim)):
                both = at.seen & before[1] & where
                total[i] += change[both].sum()
                count[i] += both.sum()
        before = colours, at.seen
    return Flicker(*(float(a) for a in total / np.maximum(count, 1)))
