"""Frames straight from a layered photo: what the scene in Blender shows of it, without Blender.

Where nothing but the photo's own light is in the picture, a frame is each layer's image warped to the camera's place and laid over what
is behind it. No rays need to bounce and no mesh to be built, so a frame takes a fraction of the time. What is drawn follows
scene/material.py: the same depths, lookups, mattes and openings, so that both give the same film but for the grain of samples.

The way of a pixel. With w = 1/z, the camera moved by c and turned, the film pixel's ray meets inverse depth w at the photo position

    s(w) = q + w · (c_xy + c_z · q),

q being where the ray would meet the photo from its own place: a straight line in w (the plane sweep of Collins 1996). The surface that is
seen is the largest w with W(s(w)) ≥ w, W being the layer's inverse depth: found by steps of at most a pixel (relief mapping, Policarpo, Oliveira
and Comba 2005), between bounds from a pyramid of least and greatest W, and then by the rule of false position. Layers are drawn from
front to back, and only where something still shows through.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .geometry import ASIDE, MOVED, OPENS, PARTED, Framing, RayMap, box_goes_on, depth_places
from .layered import LayeredPhoto
from .mattes import backed, read_colour, read_grey
from .texture import linear_to_srgb, srgb_to_linear

Floats = NDArray[Any]
"""float32 throughout. The stubs of NumPy take every product with a number for float64, hence Any."""
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_BLOCK = 8  # film pixels, of which one decides what must be looked at
_CELL = 8  # pixels of a layer that share bounds of its depth
_REACHES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)  # cells around for which bounds are kept
_AT_ONCE = 1 << 16  # points whose numbers fit into a processor's cache together
_ROW = 1024  # pixels in a row of a list of pixels: OpenCV's remap takes pictures
_STILL = 0.03  # pixels: less than this is no parallax
_CLOSE = 1.5  # pixels of parallax up to which a few substitutions find the surface
_STEPS = 96  # at most
_PEELS = 4  # surfaces of one layer behind each other
_EDGE = 0.6  # film pixels of parallax between neighbours that are an edge
_WITHIN = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))  # places within such a pixel: a rotated grid
_SEEN = 1 / 256  # of a pixel's light: less is nothing

_BACKED, _TORN = 1, 2


class Pose(NamedTuple):
    """Where the camera stands: metres and a rotation in the photo camera's own axes (x right, y up, z towards the viewer), and
    how many times narrower than at rest it looks. offset: what it shows in its middle, in tangents from what it shows there at rest."""

    location: tuple[float, float, float]
    rotation: NDArray[np.float64]  # 3×3, columns are the camera's axes
    zoom: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)


class Sheet:
    """One layer, ready to be drawn.

    Its maps lie on `box` of the grid and one pixel around. w: float32 h×w, 1/z in 1/metres. shape: uint8 h×w×3: matte, where the
    layer has a surface at all, and where it may open (255 behind it is another). fill: uint8 H×W×4 RGBA or None. hidden: bool H×W,
    where the photo does not show it; None if that is not asked.
    """

    def __init__(self, box: tuple[float, float, float, float], w: Floats, matte: NDArray[np.uint8], area: Mask, open_: NDArray[np.uint8],
                 fill: NDArray[np.uint8] | None, *, ring: tuple[tuple[bool, bool], tuple[bool, bool]], sky: bool,
                 hidden: Mask | None = None) -> None:  # fmt: skip
        cv2 = cv()
        left, top, right, bottom = box
        self.place = left - 1, top - 1  # of the maps' first pixel, in the grid
        self.size = right - left, bottom - top
        self.fill, self.sky, self.open = fill, sky, open_
        around = (1, 1, 1, 1)
        grey = None if hidden is None else hidden.astype(np.uint8) * np.uint8(255)
        self.hidden = None if grey is None else cv2.copyMakeBorder(grey, *around, cv2.BORDER_REPLICATE)
        here = cv2.copyMakeBorder(area.astype(np.uint8), *around, cv2.BORDER_REPLICATE)
        for (first, last), axis in ((ring[1], 0), (ring[0], 1)):
            edge = np.moveaxis(here, axis, 0)
            edge[0] &= np.uint8(first)
            edge[-1] &= np.uint8(last)
        w = cv2.copyMakeBorder(w, *around, cv2.BORDER_REPLICATE)
        known = w[here > 0]
        self.range = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        low, high = self.range
        # Where there is no surface it must not be met: it lies behind all of it.
        self.w = np.where(here > 0, w, np.float32(low - 0.05 * (high - low) - 1e-6)).astype(np.float32)
        self.shape = np.ascontiguousarray(
            np.stack([cv2.copyMakeBorder(matte, *around, cv2.BORDER_REPLICATE), here * np.uint8(255),
                      cv2.copyMakeBorder((open_ > 0).astype(np.uint8) * np.uint8(255), *around, cv2.BORDER_REPLICATE)], -1)
        )  # fmt: skip
        self.solid = bool((matte == 255).all() and area.all() and not open_.any() and fill is None)
        self._least = self._pooled(np.where(here > 0, w, np.float32(np.inf)), np.minimum)
        self._most = self._pooled(np.where(here > 0, w, np.float32(-np.inf)), np.maximum)
        self._bounds: dict[int, tuple[Floats, Floats]] = {}

    @staticmethod
    def _pooled(values: Floats, take: Any) -> Floats:
        """The least or greatest of every _CELL×_CELL pixels."""
        h, w = values.shape
        fill = np.inf if take is np.minimum else -np.inf
        padded = np.full((-(-h // _CELL) * _CELL, -(-w // _CELL) * _CELL), fill, np.float32)
        padded[:h, :w] = values
        blocks = padded.reshape(padded.shape[0] // _CELL, _CELL, padded.shape[1] // _CELL, _CELL)
        return take.reduce(take.reduce(blocks, axis=3), axis=1)

    def bounds(self, reach: int) -> tuple[Floats, Floats]:
        """Least and greatest w within so many cells around each; the first is above the second where there is no surface."""
        if reach not in self._bounds:
            cv2 = cv()
            window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
            big = np.float32(1e30)
            pad = [(reach, reach)] * 2  # past the border the outermost cells go on
            least, most = (np.pad(np.clip(a, -big, big), pad, mode="edge") for a in (self._least, self._most))
            inner = np.s_[reach : least.shape[0] - reach, reach : least.shape[1] - reach]
            self._bounds[reach] = cv2.erode(least, window)[inner], cv2.dilate(most, window)[inner]
        return self._bounds[reach]


def make_sheets(layered: LayeredPhoto, *, strength: float = 1.0, tear: float) -> list[Sheet]:
    """The layers of a photo from front to back.

    strength, tear: as the scene has them on its root. Raises InputError if a file of the layered photo is damaged.
    """
    d = layered.read_depth()
    span, zero = 1 / layered.near - 1 / layered.far, 1 / layered.far
    if layered.levels is None:
        return [_one_sheet(d, strength * span, zero)]
    levels = read_grey(layered.path(layered.levels))
    assert all(layer.matte and layer.colour for layer in layered.layers)
    mattes = [read_grey(layered.path(layer.matte or "")) for layer in layered.layers]
    behind = backed([layer.box for layer in layered.layers], mattes)
    sheets = []
    for level, (layer, matte, other) in enumerate(zip(layered.layers, mattes, behind)):
        own = layered.read_hidden_depth(layer)
        h, w = matte.shape
        places = depth_places(layer.box, matte, levels, level, own, d, layer.sky, (np.arange(h)[:, None], np.arange(w)))
        left, top = layer.box[:2]
        y, x = (np.where(places.elsewhere, here, there) for here, there in zip(np.mgrid[:h, :w], (places.y, places.x)))
        found = d[np.clip(y + top, 0, d.shape[0] - 1), np.clip(x + left, 0, d.shape[1] - 1)]
        if own is not None:
            found = np.where(places.hidden, own[y, x], found)
        found = (found * np.float32(strength)).astype(np.float32)
        inverse = (found * np.float32(span) + np.float32(zero)) / np.where(places.elsewhere, np.float32(1 + ASIDE), np.float32(1))
        area = cv().dilate((matte > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        fill = _bled(read_colour(layered.path(layer.colour or "")))
        sheets.append(
            Sheet(layer.box, inverse.astype(np.float32), matte, area, openings(found, other, tear), fill,
                  ring=box_goes_on(layer.box, levels.shape), sky=layer.sky)
        )  # fmt: skip
    return sheets


def frame_sheet(layered: LayeredPhoto, number: int, *, strength: float = 1.0) -> Sheet:
    """The one sheet of a frame of a film that came in. Raises InputError if its file is damaged."""
    assert layered.frames is not None
    d = read_grey(layered.path(layered.frames.file(layered.frames.depth, number)), deep=True) / np.float32(65535)
    return _one_sheet(d, strength * (1 / layered.near - 1 / layered.far), 1 / layered.far)


def _one_sheet(d: Floats, span: float, zero: float) -> Sheet:
    """A sheet over the whole photo, which goes on past its border."""
    w = (d * np.float32(span) + np.float32(zero)).astype(np.float32)
    box, ring = (0, 0, d.shape[1], d.shape[0]), ((True, True), (True, True))
    nothing, whole = np.zeros(d.shape, np.uint8), np.full(d.shape, 255, np.uint8)
    return Sheet(box, w, whole, np.ones(d.shape, bool), nothing, None, ring=ring, sky=False)


def _bled(fill: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGBA whose colours go on into what is see-through beside them, so that what is interpolated between is not darkened."""
    cv2 = cv()
    solid = (fill[..., 3] > 0).astype(np.float32)
    near = cv2.blur(fill[..., :3].astype(np.float32) * solid[..., None], (5, 5)) / np.maximum(cv2.blur(solid, (5, 5)), 1e-3)[..., None]
    colour = np.where(solid[..., None] > 0, fill[..., :3], np.rint(near).astype(np.uint8))
    return np.ascontiguousarray(np.concatenate([colour, fill[..., 3:]], -1))


def openings(d: Floats, behind: Mask, tear: float) -> NDArray[np.uint8]:
    """Where a layer may open, uint8: behind it is another (bool H×W), and besides where neighbouring depths d (float32 H×W) are further
    apart than `tear`."""
    # Of the square to the right and below of each pixel, as the faces of the scene's meshes have it: see `TORN` of scene/relief.py.
    here = np.pad(d.astype(np.float32), ((0, 1), (0, 1)), mode="edge")
    corners = np.stack([here[:-1, :-1], here[:-1, 1:], here[1:, :-1], here[1:, 1:]])
    torn = 2 * corners.std(0) > tear
    return np.where(behind, np.where(torn, _TORN, _BACKED), 0).astype(np.uint8)


class Warp:
    """Draws frames of one layered photo; several threads may at once."""

    def __init__(self, sheets: list[Sheet], texture: NDArray[Any], grid: tuple[float, float], rays: RayMap, framing: Framing,
                 film: tuple[int, int], near: float, far: float) -> None:  # fmt: skip
        """texture: the film texture (vision/texture.py), RGB or RGBA, over the whole photo. grid: (width, height) that sheets are counted
        in. film: (width, height) in pixels. near, far: metres."""
        self.sheets, self.texture, self.grid, self.rays = sheets, np.ascontiguousarray(texture), grid, rays
        self.film, self.framing, self.range = film, framing, (1 / near, 1 / far)
        width, height = film
        x = framing.tan_x + ((np.arange(width) + 0.5) / width - 0.5) * framing.tan_width
        y = framing.tan_y - ((np.arange(height) + 0.5) / height - 0.5) * framing.tan_height
        self._rays = x[None, :], y[:, None]
        self._pixel = framing.tan_width / width
        self._moves_at = self._pixel  # tangents of parallax at which mattes, fill and openings have taken effect
        across = -(-width // _BLOCK)
        self._block_of = (np.arange(height)[:, None] // _BLOCK * across + np.arange(width) // _BLOCK).astype(np.int32).ravel()
        self._top = 1.0 if self.texture.dtype == np.float32 else float(np.iinfo(self.texture.dtype).max)

    def frame(self, pose: Pose) -> NDArray[Any]:
        """One frame: H×W×4 RGBA of the texture's dtype, alpha not multiplied in; where nothing is seen it is black and see-through."""
        width, height = self.film
        q, e = self._lines(pose)
        blocks = [self._blocks(sheet, q, e) for sheet in self.sheets]
        points = _Points(q[0].ravel(), q[1].ravel(), e[0].ravel(), e[1].ravel(), self._block_of)
        out, seen = self._drawn(points, blocks, pose.zoom)
        at = np.flatnonzero(self._edges(e, seen.reshape(height, width), pose.zoom))
        if len(at):
            out[at] = self._smoothed(points, at, blocks, pose.zoom)
        return out.reshape(height, width, 4)

    def _drawn(self, points: _Points, blocks: list[_Blocks], zoom: float) -> tuple[NDArray[Any], Floats]:
        """RGBA of N points of the film, N×4, and the w of the nearest that is seen in each."""
        count = len(points.block)
        canvas = _Canvas(np.ones(count, np.float32), np.zeros((count, 4), self.texture.dtype), np.zeros(count, np.float32), [])
        still = np.zeros(count if any(sheet.sky for sheet in self.sheets) else 0, np.float32)
        for sheet, bounds in zip(self.sheets, blocks):
            self._draw(sheet, bounds, points._replace(ex=still, ey=still) if sheet.sky else points, zoom, canvas)
        if canvas.mixed:
            self._blend(canvas.mixed, canvas.out, self._top)
        return canvas.out, canvas.seen

    def _edges(self, e: Floats, seen: Floats, zoom: float) -> Mask:
        """The pixels in which something ends before something else, apart by parallax: bool H×W."""
        cv2 = cv()
        reach = np.hypot(*e)
        if not reach.any():
            return np.zeros(seen.shape, bool)
        pixel = self._pixel / zoom / self.rays.width * self.grid[0]
        around = np.ones((3, 3), np.uint8)
        return (cv2.dilate(seen, around) - cv2.erode(seen, around)) * reach > _EDGE * pixel

    def _smoothed(self, points: _Points, at: Ints, blocks: list[_Blocks], zoom: float) -> NDArray[Any]:
        """RGBA of some of the points, each the mean of several places within its pixel."""
        step = [self._pixel / zoom * n / t for n, t in zip(self.grid, self.rays[:2])]
        qx, qy = (
            np.concatenate([np.take(line, at) + np.float32(place[k] * step[k]) for place in _WITHIN])
            for k, line in enumerate((points.qx, points.qy))
        )
        ex, ey, block = (np.tile(np.take(line, at), len(_WITHIN)) for line in (points.ex, points.ey, points.block))
        within = _Points(qx, qy, ex, ey, block)
        part, _ = self._drawn(within, blocks, zoom)
        top = self._top
        share = part[:, 3:].astype(np.float32) / np.float32(top)
        total = np.concatenate([self._decoded(part[:, :3], top) * share, share], 1).reshape(len(_WITHIN), -1, 4).mean(0)
        colour = self._encoded(total[:, :3] / np.maximum(total[:, 3:], np.float32(1e-6)), top)
        alpha = total[:, 3:] * np.float32(top)
        return np.concatenate([colour, alpha if part.dtype == np.float32 else np.rint(np.minimum(alpha, top)).astype(part.dtype)], 1)

    def _lines(self, pose: Pose) -> tuple[Floats, Floats]:
        """q and e of every film pixel in pixels of the grid (x right, y down): float32 2×H×W each."""
        middle = (self.framing.tan_x, self.framing.tan_y)
        x, y = (a if pose.zoom == 1 and o == 0 else (a - m) / pose.zoom + (m + o) for a, m, o in zip(self._rays, middle, pose.offset))
        r = pose.rotation
        ray = [r[k, 0] * x + r[k, 1] * y - r[k, 2] for k in range(3)]
        ahead = np.maximum(-ray[2], 1e-6)
        c = pose.location
        q, e = np.empty((2, 2, self.film[1], self.film[0]), np.float32)
        rays = self.rays
        scales = self.grid[0] / rays.width, -self.grid[1] / rays.height
        for k, (scale, zero) in enumerate(zip(scales, (rays.u0 * self.grid[0], (1 - rays.v0) * self.grid[1]))):
            at = ray[k] / ahead
            q[k] = at * scale + zero
            e[k] = (c[k] + c[2] * at) * scale
        return q, e

    # One layer

    def _draw(self, sheet: Sheet, blocks: _Blocks, points: _Points, zoom: float, canvas: _Canvas) -> None:
        free = np.flatnonzero(canvas.rest > _SEEN)
        steps = np.take(blocks.steps, np.take(points.block, free))
        # Points of equal effort together; their bounds are those of their block.
        for least, most in ((0, 0), (1, 1), (2, 4), (5, 12), (13, 32), (33, _STEPS)):
            chosen = (steps >= least) & (steps <= most)
            if not chosen.any():
                continue
            wanted, effort = free[chosen], int(steps[chosen].max())
            for first in range(0, len(wanted), _AT_ONCE):
                self._draw_some(sheet, blocks, points, wanted[first : first + _AT_ONCE], effort, zoom, canvas)

    def _draw_some(self, sheet: Sheet, blocks: _Blocks, points: _Points, at: Ints, effort: int, zoom: float, canvas: _Canvas) -> None:
        start: Floats | None = None
        for _ in range(_PEELS if effort > 1 else 1):
            count = len(at)
            if count == 0:
                break
            if count > _ROW:  # whole rows
                extra = np.full(-count % _ROW, count - 1)
                at = np.concatenate([at, at[extra]])
                start = None if start is None else np.concatenate([start, start[extra]])
            at = at.reshape((-1, _ROW) if count > _ROW else (1, count))
            line = [np.take(a, at) for a in points[:4]]
            block = np.take(points.block, at)
            low, high = np.take(blocks.low, block), np.take(blocks.high, block)
            met = self._meet(sheet, line, low, high, effort, None if start is None else start.reshape(at.shape))
            alpha = self._shade(sheet, at, count, line, met, zoom, canvas)
            if met[3] is None:
                break
            # What is seen through goes on to what else of the same layer lies behind.
            on = (alpha < 1 - _SEEN) & met[3].ravel()[:count]
            at, start = at.ravel()[:count][on], met[2].ravel()[:count][on]

    def _blocks(self, sheet: Sheet, q: Floats, e: Floats) -> _Blocks:
        """What each block of film pixels must be searched for."""
        if sheet.sky:
            e = np.zeros_like(e)
        width, height = self.film
        rows = np.minimum(np.arange(_BLOCK // 2, height + _BLOCK // 2, _BLOCK), height - 1)
        columns = np.minimum(np.arange(_BLOCK // 2, width + _BLOCK // 2, _BLOCK), width - 1)
        at = np.ix_(rows, columns)
        q, e = np.stack([a[at] for a in q]), np.stack([a[at] for a in e])
        reach = np.hypot(*e)
        # How many pixels of the grid half a block spans; the moves that a camera makes here hardly change it.
        half = (
            _BLOCK
            / 2
            * math.sqrt(2)
            * max(np.abs(np.diff(q[0], axis=1)).max(initial=0), np.abs(np.diff(q[1], axis=0)).max(initial=0))
            / _BLOCK
        )
        low, high = (np.full(reach.shape, v, np.float32) for v in sheet.range)
        for _ in range(2):
            middle = (low + high) / 2
            length = reach * np.maximum(high - low, 0) / 2 + half
            cells = np.ceil(length / _CELL) + 1
            x, y = ((q[k] + middle * e[k] - sheet.place[k]) / _CELL for k in range(2))
            index = np.searchsorted(_REACHES, cells)
            new_low, new_high = low.copy(), high.copy()
            for i in np.unique(index):
                if i >= len(_REACHES):
                    continue  # the range of the whole layer stays
                here = index == i
                least, most = sheet.bounds(_REACHES[i])
                row = np.clip(np.floor(y[here]).astype(int), 0, least.shape[0] - 1)
                column = np.clip(np.floor(x[here]).astype(int), 0, least.shape[1] - 1)
                new_low[here], new_high[here] = least[row, column], most[row, column]
            low, high = np.maximum(low, new_low), np.minimum(high, new_high)
        parallax = reach * (high - low)
        steps = np.where(parallax <= _STILL, 0, np.where(parallax <= _CLOSE, 1, np.clip(np.ceil(parallax), 2, _STEPS))).astype(int)
        return _Blocks(low.ravel(), high.ravel(), np.where(low > high, -1, steps).ravel())

    def _meet(
        self, sheet: Sheet, line: list[Floats], low: Floats, high: Floats, steps: int, start: Floats | None = None
    ) -> tuple[Floats, Floats, Floats, Mask | None]:
        """Where rays meet the sheet first, or next after `start`: x and y in its maps, w, and whether they do (None: all)."""
        qx, qy, ex, ey = line
        qx, qy = qx - np.float32(sheet.place[0] + 0.5), qy - np.float32(sheet.place[1] + 0.5)

        def surface(w: Floats) -> Floats:
            return _look(sheet.w, qx + w * ex, qy + w * ey)

        if steps <= 1:
            w = (low + high) / 2
            for _ in range(1 if steps == 0 else 4):
                w = np.clip(surface(w), low, high)
            return qx + w * ex, qy + w * ey, w, None
        low = low - (high - low) * np.float32(1e-3) - np.float32(1e-7)  # what lies at the very end must not be missed by rounding
        inside = None if start is None else np.ones(low.shape, bool)  # behind the sheet, having passed it
        high = high if start is None else start
        step = np.maximum(high - low, 0) / np.float32(steps)
        first = np.full(low.shape, -1, np.int16)
        w = high.copy()
        for k in range(steps + 1):
            on = surface(w) >= w
            if inside is not None:
                inside &= on
                on &= ~inside
            np.copyto(first, np.int16(k), where=on & (first < 0))
            w -= step
            if k % 4 == 3 and first.min() >= 0:
                break
        hit = first >= 0
        far = high - first * step  # on the sheet or behind it
        near = np.where(first > 0, far + step, far + step * np.float32(1e-3))  # before it
        far_f, near_f = surface(far) - far, np.minimum(surface(near) - near, np.float32(-1e-9))
        for _ in range(4):  # Illinois' rule of false position
            w = far + (near - far) * np.clip(far_f / np.maximum(far_f - near_f, np.float32(1e-12)), 0.05, 0.95)
            f = surface(w) - w
            on = f >= 0
            far, far_f = np.where(on, w, far), np.where(on, f, far_f)
            near, near_f = np.where(on, near, w), np.where(on, near_f, f)
        return qx + far * ex, qy + far * ey, far, hit

    def _shade(self, sheet: Sheet, at: Ints, count: int, line: list[Floats], met: tuple[Floats, Floats, Floats, Mask | None], zoom: float,
               canvas: _Canvas) -> Floats:  # fmt: skip
        """Lay the colours of what was met over what is behind; returns their alpha, float32 `count`."""
        x, y, w, hit = met
        rest, out, seen, mixed = canvas
        top = self._top
        gw, gh = self.grid
        across, up = (x + np.float32(sheet.place[0] + 0.5)) / np.float32(gw), (y + np.float32(sheet.place[1] + 0.5)) / np.float32(gh)
        reach = np.hypot(line[2], line[3])
        if sheet.sky:
            moved: Any = np.float32(1)
        else:
            most = np.maximum(np.abs(w - np.float32(self.range[0])), np.abs(w - np.float32(self.range[1])))
            pixel = self._moves_at / zoom / self.rays.width * gw  # a film pixel in those of the grid
            moved = np.clip((reach * most / np.float32(pixel) - np.float32(MOVED[0])) / np.float32(MOVED[1] - MOVED[0]), 0, 1)
        if sheet.solid:
            alpha = np.ones_like(w)
        else:
            shape = cv().remap(sheet.shape, x, y, cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE)
            kept = shape[..., 0].astype(np.float32) * np.float32(1 / 255)
            if shape[..., 2].any():
                kept = kept * (1 - self._opened(sheet, x, y, line) * (shape[..., 2].astype(np.float32) * np.float32(1 / 255)))
            alpha = (shape[..., 1] > 127) * (1 - moved * (1 - kept))
        if hit is not None:
            alpha = alpha * hit
        found = alpha = alpha.astype(np.float32).ravel()[:count]
        index = at.ravel()[:count]
        left = rest[index]
        drawn = alpha > _SEEN
        if not drawn.all():
            index, alpha, left = index[drawn], alpha[drawn], left[drawn]

        def only(values: Any) -> Floats:
            values = np.broadcast_to(values, x.shape).ravel()[:count]
            return values if drawn.all() else values[drawn]

        if len(index) == 0:
            return found
        colour, opaque = self._colours(sheet, _Met(only(across), only(up), only(x), only(y), only(line[2]), only(line[3]), only(moved)))
        alpha = alpha * opaque
        here = w.ravel()[:count] if drawn.all() else w.ravel()[:count][drawn]
        seen[index] = np.maximum(seen[index], np.where(alpha > 0.5, here, 0))
        whole = (alpha > 1 - _SEEN) & (left > 1 - _SEEN)
        if whole.all():
            out[index, :3] = colour[:, :3]
            out[index, 3] = top
            rest[index] = 0
            return found
        out[index[whole], :3] = colour[whole, :3]
        out[index[whole], 3] = top
        part = ~whole
        share = left[part] * alpha[part]
        mixed.append((index[part], share, self._decoded(colour[part, :3], top) * share[:, None]))
        rest[index] = np.where(whole, 0, left * (1 - alpha))
        return found

    def _colours(self, sheet: Sheet, met: _Met) -> tuple[NDArray[Any], Floats]:
        """What a layer shows where it was met, N×3 or N×4 like the texture, and how opaque that is."""
        th, tw = self.texture.shape[:2]
        colour = _picture(self.texture, met.across * np.float32(tw) - np.float32(0.5), met.down * np.float32(th) - np.float32(0.5))
        opaque = np.ones(len(met.x), np.float32) if colour.shape[1] == 3 else colour[:, 3].astype(np.float32) / np.float32(self._top)
        if sheet.fill is None:
            return colour, opaque
        return self._filled(sheet, colour, opaque, met.across, met.down, met.moved, self._top)

    def _stretch(self, sheet: Sheet, x: Floats, y: Floats, ex: Floats, ey: Floats) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
        """How much longer a place looks than in the photo, 1 − ∇W·e, and its row and column in the sheet's maps."""
        h, w = sheet.w.shape
        column, row = np.clip(np.floor(x).astype(np.int32), 0, w - 2), np.clip(np.floor(y).astype(np.int32), 0, h - 2)
        first = row * w + column
        flat = sheet.w.ravel()
        right, below = np.take(flat, first + 1), np.take(flat, first + w)
        # A square is two triangles, parted from its lower left to its upper right: the faces of the scene's meshes.
        lower = (x - column) + (y - row) > 1
        third = np.take(flat, first + np.where(lower, w + 1, 0))
        across, down = np.where(lower, third - below, right - third), np.where(lower, third - right, below - third)
        slope = across * ex + down * ey
        return np.abs(1 - slope), row, column

    def _opened(self, sheet: Sheet, x: Floats, y: Floats, line: list[Floats]) -> Floats:
        """How far a place is open because it looks stretched."""
        h, w = sheet.w.shape
        stretch, row, column = self._stretch(sheet, x, y, line[2], line[3])
        inner = np.take(sheet.open.ravel(), np.clip(row - 1, 0, h - 3) * (w - 2) + np.clip(column - 1, 0, w - 3))

        def exceeds(least: float, most: float) -> Floats:
            return np.clip((stretch - np.float32(least)) / np.float32(most - least), 0, 1)

        stretched = exceeds(*OPENS)
        return np.where(inner == _TORN, np.maximum(exceeds(*PARTED), stretched), stretched)

    def _filled(
        self, sheet: Sheet, colour: NDArray[Any], opaque: Floats, across: Floats, up: Floats, moved: Floats, top: float
    ) -> tuple[NDArray[Any], Floats]:
        """The layer's own colours where they take the photo's place."""
        assert sheet.fill is not None
        gw, gh = self.grid
        fh, fw = sheet.fill.shape[:2]
        u = (across * np.float32(gw) - np.float32(sheet.place[0] + 1)) / np.float32(sheet.size[0])
        v = (up * np.float32(gh) - np.float32(sheet.place[1] + 1)) / np.float32(sheet.size[1])
        own = _picture(sheet.fill, u * np.float32(fw) - np.float32(0.5), v * np.float32(fh) - np.float32(0.5))
        beyond = (np.abs(across - np.float32(0.5)) > 0.5) | (np.abs(up - np.float32(0.5)) > 0.5)
        share = own[:, 3].astype(np.float32) * np.float32(1 / 255) * np.maximum(moved, beyond)
        some = share > _SEEN
        if not some.any():
            return colour, opaque
        colour = colour.copy()
        own_light = srgb_to_linear(own[some, :3].astype(np.float32) / 255)
        part = share[some, None]
        light = self._decoded(colour[some, :3], top) * (1 - part) + own_light * part
        colour[some, :3] = self._encoded(light, top)
        opaque = np.where(some, opaque * (1 - share) + share, opaque)
        return colour, opaque

    # Light

    def _decoded(self, colour: NDArray[Any], top: float) -> Floats:
        if colour.dtype == np.float32:
            return colour
        return srgb_to_linear(colour.astype(np.float32) / np.float32(top))

    def _encoded(self, light: Floats, top: float) -> NDArray[Any]:
        if self.texture.dtype == np.float32:
            return light
        return np.rint(linear_to_srgb(light) * np.float32(top)).astype(self.texture.dtype)

    def _blend(self, mixed: list[tuple[Ints, Floats, Floats]], out: NDArray[Any], top: float) -> None:
        """Put together the pixels in which several layers are seen, in linear light."""
        touched = np.unique(np.concatenate([index for index, _, _ in mixed]))
        light = np.zeros((len(touched), 3), np.float32)
        share = np.zeros(len(touched), np.float32)
        for index, part, colour in mixed:  # no index twice in one of them
            where = np.searchsorted(touched, index)
            light[where] += colour
            share[where] += part
        out[touched, :3] = self._encoded(light / np.maximum(share, np.float32(1e-6))[:, None], top)
        out[touched, 3] = share * top if out.dtype == np.float32 else np.rint(np.minimum(share, 1) * top).astype(out.dtype)


class _Points(NamedTuple):
    """N points of the film: their lines q + w·e in pixels of the grid, and the block that each lies in."""

    qx: Floats
    qy: Floats
    ex: Floats
    ey: Floats
    block: NDArray[np.int32]


class _Met(NamedTuple):
    """N points where rays met a sheet: in shares of the photo's width and height, right and down; in the sheet's maps; how a pixel of
    parallax lies there (e of `_Points`); and how far it has moved, 0 to 1."""

    across: Floats
    down: Floats
    x: Floats
    y: Floats
    ex: Floats
    ey: Floats
    moved: Floats


class _Canvas(NamedTuple):
    """What is being drawn on, of each of N points: how much light still comes from behind, RGBA, the w of the nearest that is
    seen; and of pixels in which several layers are seen, where they are, by how much, and that much of the light."""

    rest: Floats
    out: NDArray[Any]
    seen: Floats
    mixed: list[tuple[Ints, Floats, Floats]]


class Drawing(NamedTuple):
    """What draws the frames of a shot: their (width, height), whether something is infinitely far, and what draws a frame by its number."""

    film: tuple[int, int]
    sky: bool
    at: Callable[[int], Warp]


class _Blocks(NamedTuple):
    """Of every block of film pixels: least and greatest w that it may see, and how many steps it takes to find; -1: it sees nothing."""

    low: Floats
    high: Floats
    steps: NDArray[np.int_]


def _look(values: Floats, x: Floats, y: Floats) -> Floats:
    return cv().remap(values, x, y, cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE)


def sampled(picture: NDArray[Any], x: Floats, y: Floats, border: int) -> NDArray[Any]:
    """What a picture shows at N places, between its pixels: H×W or H×W×C to N or N×C, of its own type.

    x, y: float32 N, 0 at the middle of the first pixel. border: what lies past the edge, one of OpenCV's BORDER_REPLICATE and the like.
    """
    count = len(x)
    extra = -count % _ROW if count > _ROW else 0
    if extra:
        x, y = np.concatenate([x, np.repeat(x[-1:], extra)]), np.concatenate([y, np.repeat(y[-1:], extra)])
    shape = (-1, _ROW) if count > _ROW else (1, count)
    found = cv().remap(picture, x.reshape(shape), y.reshape(shape), cv().INTER_LINEAR, borderMode=border)
    return found.reshape(-1, *picture.shape[2:])[:count]


def _picture(picture: NDArray[Any], x: Floats, y: Floats) -> NDArray[Any]:
    """A picture's colours at N places, N×C; past the border it is mirrored."""
    return sampled(picture, x, y, cv().BORDER_REFLECT)
