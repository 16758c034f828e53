"""How far each part of a subject is: as its layer shows it, a face round, nothing so steep that it would fold over when it turns."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .canonical import NECK_PIVOT
from .cv import cv
from .face_fit import FaceFit
from .face_surface import depth
from .face_units import ramp
from .geometry import ASIDE, RayMap, depth_places
from .layered import LayeredPhoto
from .mattes import read_grey
from .refine import Floats
from .triangulate import edges_of

Doubles = NDArray[np.float64]

STEEPEST = 1.6
"""Metres farther per metre aside. An edge so steep comes to stand on edge when it is turned by 32 degrees."""
_CLEAR = 0.10  # metres that the ground beside a head lies behind it, at least
_ROUNDS = 80
_CORE, _OVAL = 0.72, 1.0  # of the face's oval: where its depth is the average face's alone, and where it ends
_ACROSS, _UP, _DOWN, _MIDDLE = 0.068, 0.092, 0.103, -0.022  # metres: the oval's half axes and how high its middle lies
_HEAD_ACROSS, _HEAD_UP, _HEAD_DEEP = 0.090, 0.130, 0.100  # metres: half axes of a head with its hair, about a middle behind the pupils
_HAIR, _FAR_HAIR = 1.4, 2.2  # half axes: up to where hair and hats surely are as far back as the outline, and up to where they may be
_LIPS, _CHEST = -0.055, -0.28  # metres above the pupils: between which jaw and throat may not come before the face
_THROAT = ((-0.15, -0.02), (-0.118, 0.005), (-0.1, 0.009), (-0.06, 0.018))  # how high, and how far before the pupils they may come, metres
_BESIDE = 0.05  # of the grid's longer side: so far beside it, what stands behind a chin comes before it when it turns
_JAW_WIDE = (0.075, 0.11)  # metres aside: up to where that holds, and from where not at all
_CHIN, _BELOW = -0.08, -0.14  # metres above the pupils: from where on up a head is round, and from where on down it is not


class Source(NamedTuple):
    """A subject's layer in a layered photo.

    d: float32 H×W, the visible depth as it is now. levels: uint8 H×W, which layer each pixel shows. level: the subject's own. box: (left,
    top, right, bottom) of the layer in pixels of that grid. matte: uint8 h×w. own_d: float32 h×w where it is hidden, or None. rays: of
    the photo's camera. near, far: metres. strength: of the relief. size: (width, height) of the photo in pixels. behind: float32 H×W, d of what
    is nearest of the layers behind it, 0 where there is none; None if that is not known.
    """

    d: Floats
    levels: NDArray[np.uint8]
    level: int
    box: tuple[int, int, int, int]
    matte: NDArray[np.uint8]
    own_d: Floats | None
    rays: RayMap
    near: float
    far: float
    strength: float
    size: tuple[int, int]
    behind: Floats | None = None

    @property
    def grid(self) -> tuple[int, int]:
        """Width and height of the grid."""
        return self.d.shape[1], self.d.shape[0]

    def metres(self, d: Floats | Doubles) -> Doubles:
        """The distance along the camera's axis of d, as scene/relief.py makes it."""
        return 1 / (np.clip(d, 0, 1).astype(np.float64) * self.strength * (1 / self.near - 1 / self.far) + 1 / self.far)


def source_of(layered: LayeredPhoto, rays: RayMap, person: str, *, d: Floats | None = None, strength: float = 1.0,
              near: float | None = None, far: float | None = None) -> Source | None:  # fmt: skip
    """The source of a person's layer; None if nobody of that name has one. d, near, far: in place of the folder's, as they are now in
    the scene. Raises InputError if a file is damaged."""
    for level, layer in enumerate(layered.layers):
        if layer.person == person and layer.matte is not None and layered.levels is not None:
            d = layered.read_depth() if d is None else d
            levels = read_grey(layered.path(layered.levels))
            return Source(
                d, levels, level, layer.box, read_grey(layered.path(layer.matte)), layered.read_hidden_depth(layer), rays,
                near or layered.near, far or layered.far, strength, layered.size, _behind(layered, level, d, levels),
            )  # fmt: skip
    return None


def _behind(layered: LayeredPhoto, level: int, d: Floats, levels: NDArray[np.uint8]) -> Floats:
    """The nearest of the layers behind one, seen or hidden: float32 H×W of d, 0 where there is none."""
    h, w = d.shape
    nearest = np.where(levels > level, d, np.float32(0))
    for layer in layered.layers[level + 1 :]:
        own = layered.read_hidden_depth(layer)
        if own is None or layer.matte is None:
            continue
        left, top, right, bottom = layer.box
        x, y = slice(max(left, 0), min(right, w)), slice(max(top, 0), min(bottom, h))
        here = slice(y.start - top, y.stop - top), slice(x.start - left, x.stop - left)
        there_is = (read_grey(layered.path(layer.matte))[here] > 0) & (levels[y, x] <= level)
        np.maximum(nearest[y, x], np.where(there_is, own[here], np.float32(0)), out=nearest[y, x])
    return nearest


def most_distances(source: Source, places: Doubles, clear: float) -> Doubles | None:
    """How far away the subject may be at places of the photo (N×2 pixels): float64 N metres, `clear` metres before what stands behind it there or beside.

    None if that is not known.
    """
    if source.behind is None:
        return None
    reach = max(1, round(_BESIDE * max(source.grid)))
    nearest = cv().dilate(source.behind, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    at = np.clip((places * np.array(source.grid) / source.size).astype(int), 0, np.array(source.grid) - 1)
    return source.metres(nearest[at[:, 1], at[:, 0]]) - clear


def layer_distances(source: Source) -> Doubles:
    """Metres along the camera's axis of every pixel of the layer's box, float64 h×w: what the live layer's vertex there has."""
    h, w = source.matte.shape
    left, top = source.box[:2]
    at = (np.arange(h)[:, None], np.arange(w))
    places = depth_places(source.box, source.matte, source.levels, source.level, source.own_d, source.d, False, at)
    rows, columns = np.clip(np.arange(h) + top, 0, source.grid[1] - 1), np.clip(np.arange(w) + left, 0, source.grid[0] - 1)
    own = source.d[rows[:, None], columns]
    d = np.where(places.elsewhere, own, own[places.y, places.x])
    if source.own_d is not None:
        d = np.where(places.hidden, source.own_d[places.y, places.x], d)
    return source.metres(d) * np.where(places.elsewhere, 1 + ASIDE, 1)


def oval(places: Doubles) -> Doubles:
    """How far out canonical places (N×2, metres) lie in a face: 0 in its middle, 1 on the oval from ear to ear and chin to hair."""
    x, y = places[:, 0] / _ACROSS, places[:, 1] - _MIDDLE
    return np.hypot(x, y / np.where(y > 0, _UP, _DOWN))


def on_relief(fit: FaceFit, places: Doubles, z: Doubles) -> FaceFit:
    """The fit moved along its ray to where the relief has the face, and made as much larger: it looks the same in the photo.

    places: canonical N×2 of vertices, z: their distances in the layer, metres. What lies in the middle of the face counts.
    """
    core = oval(places) < _CORE
    if np.count_nonzero(core) < 8:
        return fit
    here = fit.to_layer(np.column_stack([places[core], depth(places[core])]))[:, 1]
    share = float(np.median(z[core] / np.maximum(here, 1e-6)))
    return replace(fit, origin=fit.origin * share, scale=fit.scale * share)


def rounded(fit: FaceFit, places: Doubles, z: Doubles) -> Doubles:
    """The distances z of vertices with the average face's in place of the relief's within the face, which goes over into it at its rim.

    fit: as `on_relief` makes it. places: canonical N×2 of the same vertices, NaN outside the face.
    """
    near = oval(np.nan_to_num(places, nan=9.0)) < _OVAL
    out = z.copy()
    if not near.any():
        return out
    at = places[near]
    share = ramp((_OVAL - oval(at)) / (_OVAL - _CORE))
    round_ = fit.to_layer(np.column_stack([at, depth(at)]))[:, 1]
    out[near] = share * round_ + (1 - share) * z[near]
    return out


def with_round_head(fit: FaceFit, rays: Doubles, z: Doubles) -> Doubles:
    """The distances z of vertices, where the relief goes back behind a head those of a round head: its outline beside the joint about which it turns.

    A relief often falls back to the wall beside a face: the head's outline would swing aside as it turns, and take the neck along. Hair and hats
    go as far back as the head's outline; below the chin the relief stays, and nothing goes farther back than it was, where the ground may be.
    fit: as `on_relief` makes it. rays: N×2 tangents. z: metres, N. Returns float64 N, nowhere larger than z.
    """
    at = np.column_stack([rays[:, 0] * z, z, rays[:, 1] * z])
    x, y, _ = ((at - fit.origin) @ fit.rotation / fit.scale).T
    out = np.hypot(x / _HEAD_ACROSS, y / _HEAD_UP)
    deep = NECK_PIVOT[2] + _HEAD_DEEP * np.sqrt(np.clip(1 - out * out, 0, 1))
    share = ramp((_FAR_HAIR - out) / (_FAR_HAIR - _HAIR)) * ramp((y - _BELOW) / (_CHIN - _BELOW))
    round_ = fit.to_layer(np.column_stack([x, y, deep]))[:, 1]
    return z + share * np.minimum(round_ - z, 0)


def behind_the_chin(fit: FaceFit, rays: Doubles, z: Doubles, most: Doubles | None = None) -> Doubles:
    """The distances z of vertices, where jaw and throat come before the face those of a jaw and a throat below it, less and less towards the chest.

    A depth map often lets a portrait come nearer from brow to collar: the jaw would swing out as the head turns, and draw the neck along. Nothing goes
    farther back than the front of the face itself. fit: as `on_relief` makes it. rays: N×2 tangents. z: metres, N. most: metres, N, beyond which
    something else stands; None if nothing does. Returns float64 N, nowhere smaller than z.
    """
    ways = np.column_stack([rays[:, 0], np.ones(len(rays)), rays[:, 1]])
    normal = fit.rotation[:, 2]
    # Where the rays meet the plane of the face: the relief's own distance is what is in doubt.
    facing = ways @ normal
    t = float(fit.origin @ normal) / np.where(np.abs(facing) > 0.1, facing, np.inf)
    x, y, _ = ((ways * t[:, None] - fit.origin) @ fit.rotation / fit.scale).T
    share = ramp((_JAW_WIDE[1] - np.abs(x)) / (_JAW_WIDE[1] - _JAW_WIDE[0])) * ramp((_LIPS - y) / (_LIPS - _CHIN))
    share *= ramp((y - _CHEST) / (_THROAT[0][0] - _CHEST)) * (t > 0)
    front = fit.to_layer(np.column_stack([x, y, np.interp(y, *np.array(_THROAT).T)]))[:, 1]
    moved = z + share * np.maximum(front - z, 0)
    return moved if most is None else np.maximum(z, np.minimum(moved, most))


def without_cliffs(z: Doubles, rays: Doubles, triangles: NDArray[np.int32], steepest: float = STEEPEST) -> Doubles:
    """Distances at which no edge of a mesh goes away from the camera by more than `steepest` metres per metre aside: the far end comes nearer.

    z: N metres. rays: N×2 tangents. Returns float64 N, nowhere larger than z.
    """
    edges, _ = edges_of(triangles)
    a, b = edges[:, 0], edges[:, 1]
    slope = steepest * np.hypot(*(rays[a] - rays[b]).T)
    z = z.copy()
    for _ in range(_ROUNDS):
        za, zb = z[a], z[b]
        # From the nearer end: z_far ≤ z_near + slope·z_near.
        most = np.minimum(za, zb) * (1 + slope)
        steep = np.maximum(za, zb) > most * (1 + 1e-6)
        if not steep.any():
            break
        far = np.where(za > zb, a, b)[steep]
        np.minimum.at(z, far, most[steep])
    return z


def room(source: Source, z: Doubles, head: NDArray[np.bool_] | None, metres: float) -> float:
    """The factor (1 or a little less) by which a subject is to come nearer so that its head stands clear of the ground beside it.

    z: float64 h×w of the layer's box, metres. head: bool h×w of the box, what belongs to the head; None: all. metres: how large a metre
    of the subject is in the layer's own metres. A depth map that does not see a person leaves it in the wall, in which it cannot turn.
    """
    cv2 = cv()
    h, w = source.matte.shape
    left, top = source.box[:2]
    rows, columns = np.clip(np.arange(top, top + h), 0, source.grid[1] - 1), np.clip(np.arange(left, left + w), 0, source.grid[0] - 1)
    shown = source.levels[rows[:, None], columns]
    own = shown == source.level
    part = own if head is None else own & head
    if not part.any():
        return 1.0
    band = max(3, round(0.01 * max(source.grid)))
    around = np.ones((2 * band + 1, 2 * band + 1), np.uint8)
    beside = (cv2.dilate(part.astype(np.uint8), around) > 0) & (shown > source.level)
    rim = part & (cv2.dilate((~own).astype(np.uint8), around) > 0)
    if not beside.any() or not rim.any():
        return 1.0
    ground = float(np.quantile(source.metres(source.d[rows[:, None], columns][beside]), 0.2))
    here = float(np.median(z[rim]))
    return float(np.clip((ground - _CLEAR * metres) / here, 0.7, 1.0))
