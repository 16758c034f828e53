"""Conversions between photo pixels, UV, rays and Blender's axes, each in one place.

Three frames meet here:
- photo: u from left to right and v from bottom to top, both in [0, 1], as Blender's UV maps count.
- ray: tangents (x/f, y/f), right and up of the optical axis.
- layer: the local axes of a layer object, x right, y along the optical axis, z up (metres).
The photo camera's own axes (x right, y up, z towards the viewer) are those of a Blender camera object.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .layered import PhotoCamera


class RayMap(NamedTuple):
    """The affine map between ray tangents and photo UV: u = tx/width + u0, v = ty/height + v0."""

    width: float  # tangent units that the photo's width spans
    height: float
    u0: float  # where the optical axis meets the photo
    v0: float

    def uv_to_ray(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ray tangents (right, up) of photo positions."""
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


def frame_photo(camera: PhotoCamera, photo: tuple[int, int], film: tuple[int, int]) -> Framing:
    """The window of a photo that a film of another size shows.

    Of the same size, or one less to be even, a film pixel is a photo pixel and the last column or row is cut off;
    otherwise the photo covers the film and what sticks out is cut off evenly.
    """
    if all(0 <= p - f <= 1 for p, f in zip(photo, film)):
        scale, left, top = 1.0, 0.0, 0.0
    else:
        scale = min(photo[0] / film[0], photo[1] / film[1])
        left, top = (photo[0] - film[0] * scale) / 2, (photo[1] - film[1] * scale) / 2
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
    """A regular sheet of quads over the photo at depth 1.

    position: float32 N×3 in layer axes (x/f, 1, y/f). uv: float32 N×2 in the photo. faces: int32 M×4 vertex indices,
    counter-clockwise as the photo's camera sees them.
    """

    position: NDArray[np.float32]
    uv: NDArray[np.float32]
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


def photo_grid(camera: PhotoCamera, size: tuple[int, int], max_vertices: int, margin: float = 0.0) -> Grid:
    """A grid with vertices on pixel centres (every pixel if `max_vertices` allows).

    margin: how far the sheet reaches past the photo's border on every side, in shares of the longer side; UV leave
    [0, 1] there.
    """
    w, h = size
    outside = margin * max(w, h)
    step = max(1.0, math.sqrt((w + 2 * outside) * (h + 2 * outside) / max_vertices))
    while True:
        xs, ys = (_samples(n, step, outside, off) for n, off in zip(size, _OFF_CENTRE))
        if len(xs) * len(ys) <= max(max_vertices, 64):
            break
        step *= 1.01
    u, v = np.meshgrid(xs / w, 1 - ys / h)
    tx, ty = ray_map(camera, size).uv_to_ray(u, v)
    position = np.stack([tx, np.ones_like(tx), ty], -1).reshape(-1, 3).astype(np.float32)
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    i = np.arange(len(ys) * len(xs), dtype=np.int32).reshape(len(ys), len(xs))
    faces = np.stack([i[1:, :-1], i[1:, 1:], i[:-1, 1:], i[:-1, :-1]], -1).reshape(-1, 4)
    return Grid(position, uv, faces)
