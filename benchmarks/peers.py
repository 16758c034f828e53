"""What other programs do with a photo and its depth, in numpy: forward warps through a z-buffer into a second camera.

Every method is a displaced lattice with a vertex in the middle of each photo pixel, drawn as triangles; they differ in
how the depth is prepared, where the lattice is cut and how the cuts are filled. `METHODS` names them:

- one sheet: the lattice as it is, which stretches across every depth edge (what a displaced grid does);
- dilated sheet: depth blurred (Gaussian 0.6) and grown (5×5 maximum) first, then one sheet, as DepthFlow does;
- torn sheet: faces across a jump are left out, and holes take the colour of the farther end of the motion's line;
- grown sheet: the same with the front grown by a pixel (3×3 maximum) first, and the fill lightly smoothed.

Approximate: colour is interpolated evenly in the film rather than in perspective, which differs only in stretched faces,
and DepthFlow marches rays through its height field where this draws it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_CHUNK = 3_000_000  # pixel tests at a time


class Move(NamedTuple):
    """A second camera. focal: pixels. offset: metres in the photo camera's axes (x right, y up, z towards the viewer).
    rotation: XYZ Euler angles in degrees, as camera paths have them. cut: difference in 1/depth between neighbours at which
    a lattice is torn; whoever tears does so once, whatever the move."""

    focal: float
    offset: tuple[float, float, float]
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cut: float = 2.0

    def project(self, nearness: Floats) -> tuple[Floats, Floats, Floats]:
        """Photo pixels with 1/depth to (x, y) in the second view, pixel centres whole numbers, and 1/depth from there.

        Points are taken times their 1/depth, so that the sky, where it is 0, needs no case of its own.
        """
        h, w = nearness.shape
        cx, cy = (w - 1) / 2, (h - 1) / 2
        x = (np.arange(w)[None] - cx) / self.focal - self.offset[0] * nearness
        y = (cy - np.arange(h)[:, None]) / self.focal - self.offset[1] * nearness
        points = np.stack([x, y, -1 - self.offset[2] * nearness], -1) @ _rotation(self.rotation)
        depth = np.maximum(-points[..., 2], 1e-3)
        u, v = points[..., 0] / depth * self.focal + cx, cy - points[..., 1] / depth * self.focal
        return u.astype(np.float32), v.astype(np.float32), (nearness / depth).astype(np.float32)

    def direction(self, size: tuple[int, int], step: int) -> tuple[Floats, Floats]:
        """Unit vectors (x, y) at every pixel of a view `step` times as fine along which near things move: H×W each.

        Without regard to rotation.
        """
        h, w = size
        tx, ty, tz = self.offset
        x = (np.arange(w)[None] - (w - 1) / 2) / step
        y = (np.arange(h)[:, None] - (h - 1) / 2) / step
        dx, dy = -self.focal * tx - tz * x, self.focal * ty - tz * y
        dx, dy = np.broadcast_arrays(dx, dy)
        length = np.maximum(np.hypot(dx, dy), 1e-9)
        return (dx / length).astype(np.float32), (dy / length).astype(np.float32)


def _rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Camera axes to the photo camera's, as columns."""
    made = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        c, s = np.cos(angle), np.sin(angle)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = c
        turn[i, j], turn[j, i] = -s, s
        made = turn @ made
    return made


@dataclass
class Drawn:
    """A lattice drawn in a second view, S times as fine. near: 1/depth, -1 where nothing is. x, y: which photo pixel is
    seen. stretch: its face's area in the film over that in the photo, apart from the change of size. All float32."""

    near: Floats
    x: Floats
    y: Floats
    stretch: Floats

    @property
    def covered(self) -> Mask:
        return self.near >= 0


def draw(u: Floats, v: Floats, near: Floats, photo_near: Floats, kept: Mask, fine: int) -> Drawn:
    """Draw the lattice of H×W vertices at film positions (u, v), 1/depth `near`, nearest wins.

    photo_near: 1/depth as the photo's camera has it. kept: bool (H-1)×(W-1), faces that are drawn. fine: samples a pixel
    along one side.
    """
    h, w = u.shape
    size = (h * fine, w * fine)
    buffer = Drawn(*(np.full(size, start, np.float32) for start in (-1, 0, 0, 0)))
    flat = [a.ravel() for a in ((u + 0.5) * fine - 0.5, (v + 0.5) * fine - 0.5, near, photo_near)]
    corner = np.arange(h * w, dtype=np.int32).reshape(h, w)
    a, b, c, d = (q[kept] for q in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([d, c, b], 1)])
    px, py = flat[0][triangles], flat[1][triangles]
    x0, x1 = np.clip(np.ceil(px.min(1)), 0, size[1]), np.clip(np.floor(px.max(1)), -1, size[1] - 1)
    y0, y1 = np.clip(np.ceil(py.min(1)), 0, size[0]), np.clip(np.floor(py.max(1)), -1, size[0] - 1)
    seen = (x1 >= x0) & (y1 >= y0)
    triangles, px, py = triangles[seen], px[seen], py[seen]
    x0, y0 = x0[seen].astype(np.int32), y0[seen].astype(np.int32)
    across = x1[seen].astype(np.int32) - x0 + 1
    tests = across.astype(np.int64) * (y1[seen].astype(np.int32) - y0 + 1)
    ends = np.cumsum(tests)
    first = 0
    while first < len(tests):
        last = max(first + 1, int(np.searchsorted(ends, (ends[first - 1] if first else 0) + _CHUNK)))
        part = slice(first, last)
        _draw_part(buffer, triangles[part], px[part], py[part], x0[part], y0[part], across[part], tests[part], flat, w, fine)
        first = last
    return buffer


def _draw_part(
    buffer: Drawn,
    triangles: NDArray,
    px: Floats,
    py: Floats,
    x0: NDArray,
    y0: NDArray,
    across: NDArray,
    tests: NDArray,
    flat: list[Floats],
    width: int,
    fine: int,
) -> None:
    """Test every pixel of every triangle's box, and keep what is nearest."""
    which = np.repeat(np.arange(len(tests)), tests)
    count = np.arange(len(which)) - np.repeat(np.cumsum(tests) - tests, tests)
    row = count // across[which]
    x, y = x0[which] + (count - row * across[which]), y0[which] + row
    ax, ay = px[:, 0], py[:, 0]
    bx, by, cx, cy = px[:, 1] - ax, py[:, 1] - ay, px[:, 2] - ax, py[:, 2] - ay
    area = bx * cy - by * cx
    area = np.where(np.abs(area) < 1e-9, np.float32(np.inf), area)
    dx, dy = x - ax[which], y - ay[which]
    s = (dx * cy[which] - dy * cx[which]) / area[which]
    t = (dy * bx[which] - dx * by[which]) / area[which]
    hit = np.flatnonzero((s >= -1e-5) & (t >= -1e-5) & (s + t <= 1 + 1e-5))
    which, s, t = which[hit], s[hit], t[hit]
    at = y[hit] * buffer.near.shape[1] + x[hit]

    def mixed(values: NDArray) -> Floats:
        return values[:, 0][which] * (1 - s - t) + values[:, 1][which] * s + values[:, 2][which] * t

    near = mixed(flat[2][triangles]).astype(np.float32)
    np.maximum.at(buffer.near.ravel(), at, near)
    won = np.flatnonzero(buffer.near.ravel()[at] == near)
    at, which, s, t = at[won], which[won], s[won], t[won]
    buffer.x.ravel()[at] = mixed((triangles % width).astype(np.float32))
    buffer.y.ravel()[at] = mixed((triangles // width).astype(np.float32))
    # Size goes with the square of 1/depth; the sky keeps its size.
    before, after = flat[3][triangles].mean(1), flat[2][triangles].mean(1)
    size = np.where(before > 1e-6, after / np.maximum(before, 1e-6), 1.0)
    stretch = np.where(np.isfinite(area), np.abs(area), 0) / fine**2 / size**2
    buffer.stretch.ravel()[at] = stretch[which]


def pieces(nearness: Floats, cut: float) -> Mask:
    """Faces whose corners differ by at most `cut` in 1/depth: bool (H-1)×(W-1)."""
    corners = np.stack([nearness[:-1, :-1], nearness[:-1, 1:], nearness[1:, :-1], nearness[1:, 1:]])
    return np.ptp(corners, axis=0) <= cut


def far_side(drawn: Drawn, move: Move, fine: int) -> None:
    """Fill holes in place: each takes over the photo position of the farther of the two ends of the motion's line."""
    h, w = drawn.near.shape
    hole_y, hole_x = np.nonzero(~drawn.covered)
    dx, dy = move.direction((h, w), fine)
    dx, dy = dx[hole_y, hole_x], dy[hole_y, hole_x]
    ends = [_march(drawn.covered, hole_x, hole_y, dx * sign, dy * sign) for sign in (1, -1)]
    nears = [np.where(e >= 0, drawn.near.ravel()[np.maximum(e, 0)], np.inf) for e in ends]
    end = np.where(nears[0] < nears[1], ends[0], ends[1])
    found = end >= 0
    to = hole_y[found] * w + hole_x[found]
    for values in (drawn.near, drawn.x, drawn.y):
        values.ravel()[to] = values.ravel()[end[found]]
    drawn.stretch.ravel()[to] = 1


def _march(covered: Mask, x: NDArray, y: NDArray, dx: Floats, dy: Floats) -> NDArray[np.int64]:
    """From (x, y) along (dx, dy) to the first covered pixel: its flat index, -1 if the picture ends before."""
    h, w = covered.shape
    found = np.full(len(x), -1, np.int64)
    active = np.arange(len(x))
    step = 0
    while len(active):
        step += 1
        px, py = np.rint(x[active] + step * dx[active]).astype(np.int64), np.rint(y[active] + step * dy[active]).astype(np.int64)
        inside = (px >= 0) & (px < w) & (py >= 0) & (py < h)
        active, px, py = active[inside], px[inside], py[inside]
        there = covered[py, px]
        found[active[there]] = py[there] * w + px[there]
        active = active[~there]
    return found


@dataclass(frozen=True)
class Film:
    """A second view. image: uint8 H×W×3; uncovered: share of every pixel that nothing covered before the fill; stretched:
    share that faces cover which look more than twice as long; both float32 H×W."""

    image: NDArray[np.uint8]
    uncovered: Floats
    stretched: Floats


def _shown(photo: NDArray[np.uint8], drawn: Drawn, holes: Mask, fine: int, smooth: float) -> Film:
    """The drawn lattice with the photo's colours, averaged to pixels. smooth: blur of the holes in film pixels."""
    image = cv2.remap(photo, drawn.x, drawn.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    image[~drawn.covered] = 0
    if smooth:
        image = np.where(holes[..., None], cv2.GaussianBlur(image, (0, 0), smooth * fine), image)
    h, w = photo.shape[:2]

    def pixels(values: NDArray) -> Floats:
        return cv2.resize(values.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)

    stretched = pixels(drawn.covered & ~holes & (drawn.stretch > 2))
    return Film(np.clip(np.rint(pixels(image)), 0, 255).astype(np.uint8), pixels(holes), stretched)


def _warp(photo: NDArray[np.uint8], nearness: Floats, move: Move, fine: int, torn: bool = False, smooth: float = 0.0) -> Film:
    u, v, near = move.project(nearness)
    drawn = draw(u, v, near, nearness, pieces(nearness, move.cut if torn else np.inf), fine)
    holes = ~drawn.covered
    far_side(drawn, move, fine)  # of one sheet only what lies past the photo's border, which other programs repeat
    return _shown(photo, drawn, holes, fine, smooth)


def one_sheet(photo: NDArray[np.uint8], nearness: Floats, move: Move, fine: int) -> Film:
    return _warp(photo, nearness, move, fine)


def dilated_sheet(photo: NDArray[np.uint8], nearness: Floats, move: Move, fine: int) -> Film:
    grown = cv2.dilate(cv2.GaussianBlur(nearness, (0, 0), 0.6), np.ones((5, 5), np.uint8))
    return _warp(photo, grown, move, fine)


def torn_sheet(photo: NDArray[np.uint8], nearness: Floats, move: Move, fine: int) -> Film:
    return _warp(photo, nearness, move, fine, torn=True)


def grown_sheet(photo: NDArray[np.uint8], nearness: Floats, move: Move, fine: int) -> Film:
    return _warp(photo, cv2.dilate(nearness, np.ones((3, 3), np.uint8)), move, fine, torn=True, smooth=1.0)


Method = Callable[[NDArray[np.uint8], Floats, Move, int], Film]
METHODS: dict[str, Method] = {
    "one sheet": one_sheet,
    "dilated sheet (DepthFlow)": dilated_sheet,
    "torn sheet, far-side fill": torn_sheet,
    "grown by 1 px, torn, far-side fill": grown_sheet,
}


def stereo_move(offset: float = 1.0) -> Move:
    """The move under which disparity is its own 1/depth: a point with disparity d goes d·offset pixels to the left."""
    return Move(1.0, (offset, 0.0, 0.0))


__all__ = ["METHODS", "Drawn", "Film", "Method", "Move", "draw", "far_side", "pieces", "stereo_move"]
