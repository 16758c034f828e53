"""Conversions between photo pixels, UV, rays and Blender's axes, each in one place.

Three frames meet here:
- photo: u from left to right and v from bottom to top, both in [0, 1], as Blender's UV maps count.
- ray: tangents (x/f, y/f), right and up of the optical axis.
- layer: the local axes of a layer object, x right, y along the optical axis, z up (metres).
The photo camera's own axes (x right, y up, z towards the viewer) are those of a Blender camera object.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .layered import PhotoCamera


class RayMap(NamedTuple):
    """The affine map between ray tangents and photo UV: u = tx/width + u0, v = ty/height + v0."""

    width: float  # tangent units that the photo's width spans
    height: float
    u0: float  # where the optical axis meets the photo
    v0: float

    def uv_to_ray(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Ray tangents (right, up) of photo positions: numbers or arrays of them."""
        return (u - self.u0) * self.width, (v - self.v0) * self.height


def ray_map(camera: PhotoCamera, size: tuple[int, int]) -> RayMap:
    """The ray map of a photo of `size` (width, height) pixels with square pixels, taken by `camera`."""
    width = 2 * math.tan(math.radians(camera.fov) / 2)
    aspect = size[0] / size[1]
    return RayMap(width, width / aspect, 0.5 + camera.shift[0], 0.5 + camera.shift[1] * aspect)


class Framing(NamedTuple):
    """What part of the photo the film shows at rest.

    left, top, width, height: the window in photo pixels. tan_width, tan_height: its extent in ray tangents.
    tan_x, tan_y: the ray through its middle.
    """

    left: float
    top: float
    width: float
    height: float
    tan_width: float
    tan_height: float
    tan_x: float
    tan_y: float


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The size rounded down to even sides (2 at least), as films need it."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def frame_photo(
    camera: PhotoCamera, photo: tuple[int, int], film: tuple[int, int], crop: float = 0.0, aim: tuple[float, float] | None = None
) -> Framing:
    """The window of a photo that a film of another size shows.

    Of the same size, or one less to be even, a film pixel is a photo pixel and the last column or row is cut off;
    otherwise the photo covers the film and what sticks out is cut off: evenly, or so that `aim` (shares of the photo from the
    left and the top) comes as near to the film's middle as the photo's border allows. crop: how much less of it is shown on
    every side, in shares of what would be.
    """
    if not crop and all(0 <= p - f <= 1 for p, f in zip(photo, film)):
        scale, left, top = 1.0, 0.0, 0.0
    else:
        whole = min(photo[0] / film[0], photo[1] / film[1])
        x, y = aim or (0.5, 0.5)
        left, top = (max(0.0, min(p - f * whole, at * p - f * whole / 2)) for p, f, at in zip(photo, film, (x, y)))
        scale = whole * (1 - 2 * crop)
        left, top = left + film[0] * (whole - scale) / 2, top + film[1] * (whole - scale) / 2
    width, height = film[0] * scale, film[1] * scale
    rays = ray_map(camera, photo)
    tan_x = ((left + width / 2) / photo[0] - rays.u0) * rays.width
    tan_y = (1 - (top + height / 2) / photo[1] - rays.v0) * rays.height
    return Framing(left, top, width, height, rays.width * width / photo[0], rays.height * height / photo[1], tan_x, tan_y)


def photo_in_film(photo: tuple[int, int], film: tuple[int, int], framing: Framing) -> tuple[int, int]:
    """Film pixels (width, height) that the whole photo would take at rest."""
    scale = film[0] / framing.width
    return max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))


def pitch_from_horizon(horizon: float, camera: PhotoCamera, size: tuple[int, int]) -> float:
    """Degrees that the camera looks up when the horizon lies at the share `horizon` of the height from the top."""
    rays = ray_map(camera, size)
    return -math.degrees(math.atan((1 - horizon - rays.v0) * rays.height))


class Grid(NamedTuple):
    """A sheet of quads at depth 1, over the photo or a part of it.

    position: float32 N×3 in layer axes (x/f, 1, y/f). uv: float32 N×2 in the photo. lookup: float32 N×3, where each
    vertex finds its depth: u and v in the photo's depth map, or in the layer's own where the last number is 1; where it
    is -1, in the photo's, and a little behind. backed: float32 N, 1 where another layer goes on behind. faces: int32 M×4 vertex indices, counter-clockwise as the photo's camera sees them.
    """

    position: NDArray[np.float32]
    uv: NDArray[np.float32]
    lookup: NDArray[np.float32]
    backed: NDArray[np.float32]
    faces: NDArray[np.int32]


# Vertices stand a little off the pixels' middles, differently across and down so that no edge of a face passes through
# a middle either: a ray that meets a vertex exactly, where steep faces join, is lost in Cycles and leaves a hole.
_OFF_CENTRE = (0.02, 0.05)


def _samples(n: int, step: float, margin: float, off_centre: float) -> NDArray[np.float64]:
    """Positions along one side of n pixels: pixel centres about `step` apart, continued by `margin` pixels on both sides."""
    count = max(2, round((n - 1) / step) + 1) if n > 1 else 1
    step = (n - 1) / max(1, count - 1)
    outside = math.ceil(margin / max(step, 1.0)) if margin > 0 else 0
    beyond = step * np.arange(1, outside + 1)
    centres = np.concatenate([0.5 - beyond[::-1], np.linspace(0.5, n - 0.5, count), n - 0.5 + beyond]) + off_centre
    # The first row of the photo's texels must lie in a face that does not reach past the border, like the last: painting.
    centres[outside] = 0.5 - off_centre
    return np.asarray(centres if outside else np.concatenate([[0.0], centres, [float(n)]]), np.float64)


ASIDE = 0.002
"""How far a sheet lies behind another of the same surface, as a share of the distance."""
STRETCHED = 2.0
"""What looks longer than so many times its length in the photo is seen to be stretched."""
OPENS = 1.8, 2.16
"""Between so many times its length in the photo a face opens, where another layer is behind."""
PARTED = 1.2, 1.6
"""Where a face between two depths opens."""
MOVED = 0.05, 1.0
"""Film pixels of parallax over which mattes, fill and openings take effect."""
_SAME_SURFACE = 0.01  # differences of d below this are a slope, not another surface


class Lattice(NamedTuple):
    """Where vertices may stand: x and y in photo pixels, float64, rising; the step between them is about `step`."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    step: float


def lattice(size: tuple[int, int], max_vertices: float, margin: float = 0.0) -> Lattice:
    """Vertices on the pixel centres of a photo of `size`, every pixel if `max_vertices` allows.

    margin: how far it reaches past the photo's border on every side, in shares of the longer side.
    """
    w, h = size
    outside = margin * max(w, h)
    step = max(1.0, math.sqrt((w + 2 * outside) * (h + 2 * outside) / max_vertices))
    while True:
        xs, ys = (_samples(n, step, outside, off) for n, off in zip(size, _OFF_CENTRE))
        if len(xs) * len(ys) <= max(max_vertices, 64):
            return Lattice(xs, ys, step)
        step *= 1.01


def photo_grid(camera: PhotoCamera, size: tuple[int, int], at: Lattice) -> Grid:
    """A grid over the whole lattice, for a photo in one sheet; past the border its depth is mirrored, like its colour."""
    u, v = np.meshgrid(at.x / size[0], 1 - at.y / size[1])
    i = np.arange(u.size, dtype=np.int32).reshape(u.shape)
    faces = np.stack([i[1:, :-1], i[1:, 1:], i[:-1, 1:], i[:-1, :-1]], -1).reshape(-1, 4)
    lookup = np.stack([1 - np.abs(1 - np.mod(u, 2)), 1 - np.abs(1 - np.mod(v, 2)), np.zeros_like(u)], -1)
    return _grid(camera, size, u, v, lookup.reshape(-1, 3), np.zeros(u.size), faces)


def layer_grid(
    camera: PhotoCamera,
    size: tuple[int, int],
    at: Lattice,
    box: tuple[int, int, int, int],
    matte: NDArray[np.uint8],
    backed: NDArray[np.bool_],
    levels: NDArray[np.uint8],
    level: int,
    own_d: NDArray[np.float32] | None,
    d: NDArray[np.float32],
    sky: bool = False,
) -> Grid:
    """A grid over one layer: the faces of the lattice that its matte touches.

    box: (left, top, right, bottom) in pixels of `levels`, H×W, the layer that each pixel of the photo shows. matte: uint8
    h×w of the box. backed: bool h×w, where another layer goes on behind. level: the layer's own number. own_d: float32 h×w, d where
    the layer is hidden, or None. d: float32 H×W, the photo's depth map. sky: infinitely far, and never the same surface as another.

    A vertex of the layer's visible part finds its depth in the photo's map, of its hidden part in the layer's own;
    beyond both, at the soft rim, it takes that of the nearest of its pixels. Where it goes on over a seam, it is the same
    surface as the next layer's and lies a little behind it: rays that pass through a transparent face find no other
    at the same place.
    """
    cv2 = cv()
    left, top, right, bottom = box
    grid_h, grid_w = levels.shape
    scale = (grid_w / size[0], grid_h / size[1])
    reach = max(1, math.ceil(at.step * max(scale)))
    area = cv2.dilate((matte > 0).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    # Which pixel of the box each line of the lattice stands on; past the box's border, the last one: there it goes on.
    columns, rows = (np.floor(a * s).astype(int) - start for a, s, start in zip((at.x, at.y), scale, (left, top)))
    ring = box_goes_on(box, levels.shape)
    inside_x, inside_y = (_inside(i, n, r) for i, n, r in ((columns, right - left, ring[0]), (rows, bottom - top, ring[1])))
    columns, rows = np.clip(columns, 0, right - left - 1), np.clip(rows, 0, bottom - top - 1)
    active = area[rows[:, None], columns] & inside_y[:, None] & inside_x
    here_x, here_y = np.clip(columns + left, 0, grid_w - 1), np.clip(rows + top, 0, grid_h - 1)
    py, px, hidden, elsewhere = depth_places(box, matte, levels, level, own_d, d, sky, at=(rows[:, None], columns))
    w, h = right - left, bottom - top
    lookup = np.stack(
        [
            np.where(elsewhere, (here_x + 0.5) / grid_w, np.where(hidden, (px + 0.5) / w, np.clip((px + left + 0.5) / grid_w, 0, 1))),
            1
            - np.where(
                elsewhere, ((here_y + 0.5) / grid_h)[:, None], np.where(hidden, (py + 0.5) / h, np.clip((py + top + 0.5) / grid_h, 0, 1))
            ),
            np.where(elsewhere, -1.0, hidden),
        ],
        -1,
    )
    u, v = np.meshgrid(at.x / size[0], 1 - at.y / size[1])
    i = np.arange(u.size, dtype=np.int32).reshape(u.shape)
    whole = active[1:, :-1] & active[1:, 1:] & active[:-1, 1:] & active[:-1, :-1]
    faces = np.stack([i[1:, :-1], i[1:, 1:], i[:-1, 1:], i[:-1, :-1]], -1)[whole]
    used = np.zeros(u.size, bool)
    used[faces] = True
    renumber = np.cumsum(used, dtype=np.int32) - 1
    kept = used.reshape(u.shape)
    return _grid(camera, size, u[kept], v[kept], lookup[kept], backed[rows[:, None], columns][kept], renumber[faces])


class DepthPlaces(NamedTuple):
    """Where each pixel of a layer's box finds its depth: y and x of a pixel of the box, int of any one shape; hidden: in the
    layer's own map; elsewhere: not there, but in the photo's map at the pixel itself, and a little behind it."""

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]


def depth_places(
    box: tuple[int, int, int, int],
    matte: NDArray[np.uint8],
    levels: NDArray[np.uint8],
    level: int,
    own_d: NDArray[np.float32] | None,
    d: NDArray[np.float32],
    sky: bool,
    at: tuple[NDArray[np.int_], NDArray[np.int_]],
) -> DepthPlaces:
    """Where the pixels `at` (rows and columns of the box, as indices that broadcast) find their depth; see `layer_grid` for the rest."""
    left, top, right, bottom = box
    grid_h, grid_w = levels.shape
    ys, xs = np.arange(top, bottom), np.arange(left, right)
    shown = levels[np.clip(ys, 0, grid_h - 1)[:, None], np.clip(xs, 0, grid_w - 1)]
    # What has a depth of its own: the soft rim lies over farther layers and has not.
    anchor = (matte > 0) & (shown <= level)
    if not anchor.any():
        anchor = np.ones_like(anchor)
    _, nearest = cv().distanceTransformWithLabels((~anchor).astype(np.uint8), cv().DIST_L2, 5, labelType=cv().DIST_LABEL_PIXEL)
    # By labels, of which there are as many as anchors: each is looked up once, however many pixels are nearest to it.
    place = np.flatnonzero(anchor)
    label = np.zeros(int(nearest.max()) + 1, np.int32)
    label[nearest[anchor]] = np.arange(len(place), dtype=np.int32)
    own = label[nearest[at]]
    py, px = np.divmod(place, right - left)
    seen_d = d[np.clip(py + top, 0, grid_h - 1), np.clip(px + left, 0, grid_w - 1)]
    here_d = d[np.clip(at[0] + top, 0, grid_h - 1), np.clip(at[1] + left, 0, grid_w - 1)]
    hidden = shown.ravel()[place] < level
    anchor_d = seen_d if own_d is None else np.where(hidden, own_d.ravel()[place], seen_d)
    elsewhere = (not sky) & (shown[at] != level) & (np.abs(here_d - anchor_d[own]) < _SAME_SURFACE)
    hidden, py, px = hidden[own], py[own], px[own]
    return DepthPlaces(py, px, hidden & ~elsewhere, elsewhere)


def box_goes_on(box: tuple[int, int, int, int], levels: tuple[int, ...]) -> tuple[tuple[bool, bool], tuple[bool, bool]]:
    """Whether a layer goes on past its box: it does where the box ends outside the photo. ((left, right), (top, bottom))"""
    left, top, right, bottom = box
    return (left < 0, right > levels[1]), (top < 0, bottom > levels[0])


def _inside(index: NDArray[np.int_], count: int, goes_on: tuple[bool, bool]) -> NDArray[np.bool_]:
    return ((index >= 0) | goes_on[0]) & ((index < count) | goes_on[1])


def _grid(
    camera: PhotoCamera, size: tuple[int, int], u: NDArray, v: NDArray, lookup: NDArray, backed: NDArray, faces: NDArray[np.int32]
) -> Grid:
    tx, ty = ray_map(camera, size).uv_to_ray(u.ravel(), v.ravel())
    position = np.stack([tx, np.ones_like(tx), ty], -1).astype(np.float32)
    uv = np.stack([u.ravel(), v.ravel()], -1).astype(np.float32)
    return Grid(position, uv, lookup.astype(np.float32), backed.astype(np.float32), faces)
