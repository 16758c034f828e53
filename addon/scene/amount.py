"""The right amount of a move, found on the layers as they stand in Blender: their grids, mattes and depths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import moves
from ..spec import MoveSpec
from ..vision import amounts, warp
from ..vision.coverage import Mask, Pose, Relief, Shares, Sheet, View, relief, view
from ..vision.cv import cv
from ..vision.geometry import ASIDE, RayMap, ray_map
from ..vision.judging import judged
from ..vision.layered import LayeredPhoto
from ..vision.planning import shot as shot_of
from . import camera as cameras
from . import compat
from .build import ATTENTION, Built, stage_of
from .notes import Notes, note_shot, read_notes, window
from .rebuild import seen_depth
from .relief import BACKED, LOOKUP, numbers, relief_modifier

FOUND = "stillscape_safe"
"""Custom property of the root empty: what was found last, for the panel."""
_OPAQUE = 0.5


class Safe(NamedTuple):
    """What a photo allows a move: amounts from `least` (0 or below) to `most`, what is in the way of more, and what to do instead."""

    move: str
    least: float
    most: float
    limit: str
    advice: str


# The layers as sheets ------------------------------------------------------------------------------------------------------


class Scene(NamedTuple):
    """The layers as they are now: ready for a quick search, and measured exactly, as they will be drawn."""

    relief: Relief
    exact: amounts.Measure


def look_at(root: bpy.types.Object, layers: Sequence[bpy.types.Object], notes: Notes) -> Scene:
    """The layers as they are now, ready to be looked at; those hidden in renders are left out."""
    rays = ray_map(notes.camera, notes.size)
    near, far, strength = numbers(root)
    kinds = attention(root)
    shown = [layer for layer in layers if not layer.hide_render and relief_modifier(layer) is not None]
    depths: dict[str, NDArray[np.float32]] = {}
    lattices: list[_Lattice] = []
    for layer in shown:
        modifier = relief_modifier(layer)
        found = [compat.get_modifier_input(modifier, name) for name in ("Depth", "Hidden Depth")]
        for image in found:
            if image is not None and image.name not in depths and image.size[0] > 0:
                depths[image.name] = seen_depth(image)
        d, own = (None if image is None else depths.get(image.name) for image in found)
        if d is not None:
            lattices.append(_lattice(layer, d, own, rays, (near, far, strength)))
    tear = float(root["Tear"]) * (1 / near - 1 / far)
    points = _points(depths, shown, rays, (near, far, strength), kinds)
    mattes = [lattice.matte for lattice in lattices]
    sheets = [_sheet(one, tear, mattes[: i + 1], i == len(lattices) - 1) for i, one in enumerate(lattices)]
    exact: list[amounts.Measure] = []

    def exactly(film: View, pose: Pose) -> Shares:
        if not exact:
            warped, grid = _warp_sheets(lattices, tear)
            exact.append(judged(warped, grid, points, kinds, rays, near, far))
        return exact[0](film, pose)

    return Scene(relief(sheets, points, kinds, rays), exactly)


def attention(root: bpy.types.Object) -> NDArray[np.uint8]:
    """REST, SUBJECT or FACE over the photo, as marked on the image beside the scene; REST everywhere without one."""
    image = root.get(ATTENTION)
    if image is None or image.size[0] == 0:
        return np.zeros((1, 1), np.uint8)
    grey = seen_depth(image)
    return (grey > 0.25).astype(np.uint8) * amounts.SUBJECT + (grey > 0.75).astype(np.uint8) * (amounts.FACE - amounts.SUBJECT)


def _inverse(d: NDArray[np.float32], numbers_: tuple[float, float, float]) -> NDArray[np.float32]:
    """1/metres, as the relief's nodes have it."""
    near, far, strength = numbers_
    return (np.clip(d, 0, 1) * np.float32(strength * (1 / near - 1 / far)) + np.float32(1 / far)).astype(np.float32)


class _Lattice(NamedTuple):
    """The vertices of a layer on the lattice that they stand on, R×C.

    u, v: float32 C and R, in the photo, rows from the top down; tx, ty: their tangents. q: float32 1/metres, NaN where there is none. backed:
    where another layer goes on behind. hidden: where the photo does not show the layer. own_pixel: whether it stands on a pixel
    that shows the layer. matte: None of one that is opaque. endless: infinitely far.
    """

    u: NDArray[np.float32]
    v: NDArray[np.float32]
    tx: NDArray[np.float32]
    ty: NDArray[np.float32]
    q: NDArray[np.float32]
    backed: Mask
    hidden: Mask
    own_pixel: Mask
    matte: _Matte | None
    endless: bool


def _lattice(
    layer: bpy.types.Object,
    d: NDArray[np.float32],
    own: NDArray[np.float32] | None,
    rays: RayMap,
    relief_numbers: tuple[float, float, float],
) -> _Lattice:
    mesh = layer.data
    count = len(mesh.vertices)
    position, lookup = _values(mesh.vertices, "co", count, 3), _values(mesh.attributes[LOOKUP].data, "vector", count, 3)
    columns, tx = _lines(position[:, 0])
    rows, ty = _lines(-position[:, 2])
    ty = -ty
    kind = lookup[:, 2]
    value = _looked_up(d, lookup)
    if own is not None:
        value = np.where(kind > 0.5, _looked_up(own, lookup), value)
    u, v = tx / np.float32(rays.width) + np.float32(rays.u0), ty / np.float32(rays.height) + np.float32(rays.v0)
    texel = np.abs(lookup[:, :2] - np.stack([u[columns], v[rows]], -1)) * (d.shape[1], d.shape[0])

    def laid_out(values: NDArray, empty: float | bool) -> NDArray:
        dense = np.full((len(ty), len(tx)), empty, values.dtype)
        dense[rows, columns] = values
        return dense

    return _Lattice(
        u.astype(np.float32), v.astype(np.float32), tx, ty,
        laid_out((_inverse(value, relief_numbers) / (1 + np.float32(ASIDE) * (kind < -0.5))).astype(np.float32), np.nan),
        laid_out(_values(mesh.attributes[BACKED].data, "value", count, 1)[:, 0] > 0.5, False),
        laid_out(kind > 0.5, False), laid_out((kind < 0.5) & (texel.max(1) < 1), False),
        _matte(layer), any(c.type == "COPY_LOCATION" for c in layer.constraints),
    )  # fmt: skip


def _sheet(lattice: _Lattice, tear: float, mattes: Sequence[_Matte | None], last: bool) -> Sheet:
    """One layer for the search. mattes: those of the layers before it, and last its own. last: there is none behind it."""
    u, v = lattice.u, lattice.v
    # Where the photo shows a layer before it, that is, with a matte that is opaque there: what one shows the other hides.
    middle_u, middle_v = (u[1:] + u[:-1]) / 2, (v[1:] + v[:-1]) / 2
    covered = np.zeros((len(middle_v), len(middle_u)), bool)
    for matte in mattes[:-1]:
        covered |= False if matte is None else matte.opaque(middle_u, middle_v)
    hidden, own_pixel = lattice.hidden, lattice.own_pixel
    covered &= hidden[1:, 1:] | hidden[1:, :-1] | hidden[:-1, 1:] | hidden[:-1, :-1]
    unseen = covered.astype(np.float32)
    opaque = np.ones(covered.shape, bool)
    if lattice.matte is not None:
        grey = lattice.matte.at(middle_u, middle_v)
        opaque = grey >= _OPAQUE
        if not last:
            # Through soft rims of its own pixels one sees what the photo does not show behind them.
            inside = own_pixel[1:, 1:] & own_pixel[1:, :-1] & own_pixel[:-1, 1:] & own_pixel[:-1, :-1]
            unseen = np.where(inside & opaque, np.maximum(unseen, 1 - grey), unseen)
    return Sheet(lattice.tx, lattice.ty, u, v, lattice.q, lattice.backed, opaque, unseen, tear=tear, endless=lattice.endless)


def _warp_sheets(lattices: Sequence[_Lattice], tear: float) -> tuple[list[warp.Sheet], tuple[float, float]]:
    """The layers as `vision/warp.py` draws them, pixels being the squares of their common lattice, and how many of those the photo has."""
    steps = [float(np.median(np.abs(np.diff(lines)))) for one in lattices for lines in (one.u, one.v) if len(lines) > 1]
    if not steps:
        return [], (1.0, 1.0)
    across, down = 1 / min(steps[::2]), 1 / min(steps[1::2])
    sheets = []
    for one in lattices:
        columns, rows = (np.rint((a - a[0]) * n).astype(int) for a, n in ((one.u, across), (-one.v, down)))
        shape = int(rows[-1]) + 1, int(columns[-1]) + 1
        place = np.ix_(rows, columns)

        def spread(values: NDArray, empty: float | bool, place=place, shape=shape) -> NDArray:  # noqa: ANN001
            whole = np.full(shape, empty, values.dtype)
            whole[place] = values
            return whole

        w = spread(one.q, np.nan)
        area = np.isfinite(w)
        grey = np.full(one.q.shape, 255, np.uint8) if one.matte is None else np.rint(one.matte.at(one.u, one.v) * 255).astype(np.uint8)
        left, top = float(one.u[0]) * across - 0.5, float(1 - one.v[0]) * down - 0.5
        w = np.where(area, w, 0).astype(np.float32)
        known = np.where(area, w, np.float32(np.median(w[area]) if area.any() else 0))
        sheets.append(
            warp.Sheet(
                (left, top, left + shape[1], top + shape[0]), w, spread(grey, 0), area, warp.openings(known, spread(one.backed, False), tear), None,
                ring=((False, False), (False, False)), sky=one.endless, hidden=spread(one.hidden, False),
            )
        )  # fmt: skip
    return sheets, (across, down)


def _values(data: bpy.types.bpy_prop_collection, name: str, count: int, width: int) -> NDArray[np.float32]:
    values = np.empty(count * width, np.float32)
    data.foreach_get(name, values)
    return values.reshape(count, width)


def _lines(values: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which line of the lattice every vertex stands on, and where the lines are, rising. Vertices of one line have one value."""
    low, high = float(values.min()), float(values.max())
    # No lattice has a million lines; sorting a million vertices would take longer.
    fine = 1 << 22
    at = ((values - low) * (fine / max(high - low, 1e-9))).astype(np.int64)
    used = np.zeros(fine + 2, bool)
    used[at] = True
    line = np.cumsum(used) - 1
    found = line[at]
    places = np.empty(int(line[-1]) + 1, np.float32)
    places[found] = values
    return found, places


def _looked_up(d: NDArray[np.float32], lookup: NDArray[np.float32]) -> NDArray[np.float32]:
    """The closest texel at UV, the border's beyond it."""
    h, w = d.shape
    return d[np.clip(((1 - lookup[:, 1]) * h).astype(np.int64), 0, h - 1), np.clip((lookup[:, 0] * w).astype(np.int64), 0, w - 1)]


class _Matte(NamedTuple):
    """A layer's matte, float32 H×W in [0, 1], and the scale and offset that lead from the photo's UV to its own."""

    grey: NDArray[np.float32]
    scale: tuple[float, float]
    offset: tuple[float, float]

    def opaque(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> Mask:
        """Where it is opaque, at columns u and rows v of the photo's UV; not past its border."""
        u, v = u * self.scale[0] + self.offset[0], v * self.scale[1] + self.offset[1]
        return ((v >= 0) & (v <= 1))[:, None] & ((u >= 0) & (u <= 1)) & (self._at(u, v) >= _OPAQUE)

    def at(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float32]:
        """Its values there, float32 R×C; past its border those of the border."""
        return self._at(u * self.scale[0] + self.offset[0], v * self.scale[1] + self.offset[1])

    def _at(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float32]:
        h, w = self.grey.shape
        rows, columns = np.floor((1 - v) * h).astype(int), np.floor(u * w).astype(int)
        return self.grey[np.clip(rows, 0, h - 1)[:, None], np.clip(columns, 0, w - 1)]


def _matte(layer: bpy.types.Object) -> _Matte | None:
    """The matte of a layer; None if it has none, and is opaque."""
    nodes = layer.data.materials[0].node_tree.nodes if layer.data.materials and layer.data.materials[0] is not None else {}
    image = nodes["Matte"].image if "Matte" in nodes else None
    grey = None if image is None else _grey(image)
    if grey is None or "Place" not in nodes:
        return None
    scale, offset = nodes["Place"].inputs[1].default_value, nodes["Place"].inputs[2].default_value
    return _Matte(grey, (scale[0], scale[1]), (offset[0], offset[1]))


def _grey(image: bpy.types.Image) -> NDArray[np.float32] | None:
    """An image's red in [0, 1], top row first; from its file where that is what it shows, which is quicker."""
    if image.packed_file is not None and not image.is_dirty:
        pixels = cv().imdecode(np.frombuffer(image.packed_file.data, np.uint8), cv().IMREAD_GRAYSCALE)
        if pixels is not None:
            return pixels.astype(np.float32) / 255
    return seen_depth(image) if image.size[0] > 0 else None


def _points(depths: dict[str, NDArray[np.float32]], layers: Sequence[bpy.types.Object], rays: RayMap, relief_numbers: tuple[float, float, float], kinds: NDArray[np.uint8]) -> amounts.Points:  # fmt: skip
    image = next((i for i in (compat.get_modifier_input(relief_modifier(layer), "Depth") for layer in layers) if i is not None), None)
    d = np.zeros((1, 1), np.float32) if image is None else depths.get(image.name, np.zeros((1, 1), np.float32))
    h, w = d.shape
    large = cv().resize(kinds, (w, h), interpolation=cv().INTER_NEAREST)
    tx, ty = rays.uv_to_ray((np.arange(w) + 0.5) / w, 1 - (np.arange(h) + 0.5) / h)
    return amounts.sampled(tx, ty, _inverse(d, relief_numbers), large)


# Finding -------------------------------------------------------------------------------------------------------------------


def find(
    root: bpy.types.Object,
    layers: Sequence[bpy.types.Object],
    notes: Notes,
    stage: moves.Stage,
    move: MoveSpec,
    film: tuple[int, int],
    crop: float,
    *,
    both_ways: bool = False,
) -> tuple[amounts.Found, Safe]:
    """The largest amount of `move` that keeps to the limits, and what to tell the artist.

    film: (width, height) of the film in pixels; crop: see `frame_photo`. both_ways: also how far the move may go the other way.
    """
    scene = look_at(root, layers, notes)
    measure = amounts.looked_at(scene.relief)
    most = amounts.limits(move.flaws)

    def film_of(cropped: float) -> View:
        return view(window(notes, film, cropped), film)

    found = amounts.largest(measure, film_of(crop), move, stage, most, exact=scene.exact)
    found = found._replace(advice=amounts.advice(found, measure, film_of, crop, move, stage, most))
    least = amounts.largest(measure, film_of(crop), move, stage, most, -1.0, scene.exact).amount if both_ways else 0.0
    return found, Safe(move.name, least, found.amount, found.limit, found.advice)


def note(root: bpy.types.Object, safe: Safe) -> None:
    """Keep what was found on the root empty, for the panel."""
    root[FOUND] = safe._asdict()


def noted(root: bpy.types.Object) -> Safe | None:
    """What was found last; None if nothing was, or it is not ours."""
    kept = root.get(FOUND)
    try:
        return Safe(str(kept["move"]), float(kept["least"]), float(kept["most"]), str(kept["limit"]), str(kept["advice"]))
    except (KeyError, TypeError, ValueError):
        return None


def is_asked(move: MoveSpec) -> bool:
    """Whether the amount is to be worked out; a camera path has none."""
    return move.amount is None and not move.camera_path


def settle(built: Built, layered: LayeredPhoto, move: MoveSpec) -> Built:
    """Find the amount that `built` allows and give its camera the move of this amount."""
    notes = read_notes(built.root)
    assert notes is not None
    if layered.frames is not None:
        move = moves.fitted(move, layered.frames.count, layered.frames.fps)
    found, safe = find(built.root, built.layers, notes, stage_of(built.root), move, notes.film, notes.crop)
    shot = shot_of(layered, replace(move, amount=found.amount), window(notes) if notes.framed is not None else None)
    cameras.animate(built.camera, shot)
    note_shot(built.root, shot)
    note(built.root, safe)
    return replace(built, shot=shot, safe=found)


__all__ = ["ATTENTION", "Safe", "attention", "find", "is_asked", "note", "noted", "look_at", "settle"]
