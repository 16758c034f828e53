"""What a camera shows that the photo did not: how much of a film pixel by pixel is uncovered, stretched or out of frame.

A relief is a height field over the photo: with q = 1/z, a point at tangents (x, y) stands from a camera at c (right, up,
forward) at ((x − cx·q)/(1 − cz·q), (y − cy·q)/(1 − cz·q)), and turning the camera or its zoom changes the picture by a
homography only. So sheets are drawn without rotation, each cell of their lattice as a box, the nearest wins, and the film
looks its pixels up in that. What is counted is what `benchmarks/product.py` measures on rendered frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..moves import Keyframe, Shot, Stage, sampled, zoom_of
from .geometry import MOVED, OPENS, PARTED, STRETCHED, Framing, RayMap

Floats = NDArray[Any]
"""float32 throughout. The stubs of NumPy take every product with a number for float64, hence Any."""
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FILM = 256  # pixels of the film's longer side that are looked at
MOST_VERTICES = 400_000  # that are drawn; a finer lattice is thinned out to this
_CLOSEST = 0.02  # of the way to what is nearest is left: nearer is not drawn
WEIGHTS = np.array((1, 2, 4), np.float32)
"""By what a pixel shows: the rest, a person or another clear subject, a face."""
REST, SUBJECT, FACE = 0, 1, 2


class Sheet(NamedTuple):
    """One layer: a lattice of vertices over the photo and past its border.

    tx, ty: float32 C and R, tangents of the columns (to the right) and of the rows (up), from the photo's top row down.
    u, v: float32 C and R, the same in the photo's UV. q: float32 R×C, 1/metres; NaN where there is no vertex. backed: bool R×C,
    where another layer goes on behind. shown: bool (R-1)×(C-1), which faces are opaque; hidden: float32 of that shape, how much of
    each the photo shows something else of. tear: the least difference of q across a face that is torn. endless: infinitely far, and never moving against the
    camera.
    """

    tx: Floats
    ty: Floats
    u: Floats
    v: Floats
    q: Floats
    backed: Mask
    shown: Mask
    hidden: Floats
    tear: float = math.inf
    endless: bool = False


class Points(NamedTuple):
    """What the photo shows, evenly sampled: tangents to the right and up, 1/metres, and REST, SUBJECT or FACE; N each."""

    tx: Floats
    ty: Floats
    q: Floats
    kind: Bytes


class Pose(NamedTuple):
    """A camera: metres to the right, up and forward; XYZ Euler degrees; the film's width in that at rest; and how far its middle is
    from that at rest, in tangents to the right and up."""

    place: tuple[float, float, float]
    rotation: tuple[float, float, float]
    zoom: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)


class Shares(NamedTuple):
    """What a camera shows, in shares of the film's pixels, of which those of a subject count twice and those of a face four times:

    uncovered: nothing is there. stretched: faces look more than STRETCHED times as long as in the photo. outside: it lies past the photo's
    border. revealed: it was hidden in the photo. And how much that the film showed at rest has left it, in shares of themselves:
    faces, subject and the whole photo.
    """

    uncovered: float = 0.0
    stretched: float = 0.0
    outside: float = 0.0
    revealed: float = 0.0
    faces_lost: float = 0.0
    subject_lost: float = 0.0
    photo_lost: float = 0.0


class Relief(NamedTuple):
    """A scene that is ready to be looked at, made by `relief`."""

    sheets: tuple[_Drawn, ...]
    points: Points
    rays: RayMap
    nearest: float
    farthest: float


class _Drawn(NamedTuple):
    """A sheet, thinned out for drawing. The rest is one for each of its cells.

    cells: flat numbers in (R-1)×(C-1). look: what they show. hidden: how much of them the photo does not. x, y, deep: tangents and 1/z of
    their middle. across, up: slopes of 1/z over the tangents. steep: how many times steeper the steepest face in them is. backed: the
    share that something is behind. torn: whether a face is.
    """

    tx: Floats
    ty: Floats
    q: Floats  # R×C, 0 where there is none
    endless: bool
    cells: NDArray[np.int64]
    look: Bytes
    hidden: Floats
    x: Floats
    y: Floats
    deep: Floats
    across: Floats
    up: Floats
    steep: Floats
    backed: Floats
    torn: Mask


# Preparing ---------------------------------------------------------------------------------------------------------------


def relief(sheets: Iterable[Sheet], points: Points, kinds: Bytes, rays: RayMap) -> Relief:
    """Get sheets ready to be looked at. kinds: uint8 H×W over the photo, REST, SUBJECT or FACE. rays: of the photo's camera.

    No sheet: nothing is covered.
    """
    given = tuple(sheets)
    count = sum(int(np.count_nonzero(np.isfinite(s.q))) for s in given)
    every = max(1, math.ceil(math.sqrt(count / MOST_VERTICES)))
    drawn = tuple(_drawn(s, kinds, every) for s in given)
    known = [d.deep for d in drawn if d.deep.size and not d.endless]
    nearest = max((float(deep.max()) for deep in known), default=1e-6)
    return Relief(drawn, points, rays, max(nearest, 1e-6), min((float(deep.min()) for deep in known), default=0.0))


def _drawn(sheet: Sheet, kinds: Bytes, every: int) -> _Drawn:
    thin, steepest = _thinned(sheet, every)
    known = np.isfinite(thin.q)
    cells = np.flatnonzero(_all_corners(known) & thin.shown)
    u, v = (thin.u[1:] + thin.u[:-1]) / 2, (thin.v[1:] + thin.v[:-1]) / 2
    look = _kinds_at(kinds, u, v)
    y, x = np.divmod(cells, max(1, thin.q.shape[1] - 1))
    a, b, c, d = (thin.q[y + i, x + j] for i in (0, 1) for j in (0, 1))  # upper left, upper right, lower left, lower right
    wide, high = np.diff(thin.tx), -np.diff(thin.ty)
    across, up = ((b - a) + (d - c)) / (2 * wide[x]), ((a - c) + (b - d)) / (2 * high[y])
    steep = np.ones(len(cells), np.float32)
    if steepest is not None:
        steep = np.clip(steepest.ravel()[cells] / np.maximum(np.hypot(across, up), 1e-12), 1, every)
    spread = np.stack([a, b, c, d]).std(0) if len(cells) else np.empty(0, np.float32)
    backed = np.stack([thin.backed[y + i, x + j] for i in (0, 1) for j in (0, 1)]).mean(0, dtype=np.float32)
    return _Drawn(
        thin.tx, thin.ty, np.where(known, thin.q, 0), sheet.endless, cells, look.ravel()[cells], thin.hidden.ravel()[cells],
        ((thin.tx[1:] + thin.tx[:-1]) / 2)[x], ((thin.ty[1:] + thin.ty[:-1]) / 2)[y], (a + b + c + d) / 4,
        across, up, steep, backed, 2 * spread > sheet.tear,
    )  # fmt: skip


def _all_corners(mask: Mask) -> Mask:
    return mask[1:, 1:] & mask[1:, :-1] & mask[:-1, 1:] & mask[:-1, :-1]


def _kinds_at(kinds: Bytes, u: Floats, v: Floats) -> Bytes:
    """What stands at columns u and rows v of the photo's UV; past the border, what stands at the border."""
    h, w = kinds.shape
    return kinds[np.clip(((1 - v) * h).astype(int), 0, h - 1)[:, None], np.clip((u * w).astype(int), 0, w - 1)]


def _thinned(sheet: Sheet, every: int) -> tuple[Sheet, Floats | None]:
    """Every n-th vertex (where that is missing, another of the same n×n), and the steepest slope in each of the larger faces."""
    if every == 1 or min(sheet.q.shape) < 2:
        return sheet, None
    rows, columns = (np.unique(np.append(np.arange(0, n - 1, every), n - 1)) for n in sheet.q.shape)
    q = sheet.q[np.ix_(rows, columns)]
    for dy in range(every):
        for dx in range(every):
            at = np.ix_(np.minimum(rows + dy, sheet.q.shape[0] - 1), np.minimum(columns + dx, sheet.q.shape[1] - 1))
            np.copyto(q, sheet.q[at], where=np.isnan(q))
    middle = np.ix_((rows[:-1] + rows[1:]) // 2, (columns[:-1] + columns[1:]) // 2)
    across, up = np.diff(sheet.q, axis=1) / np.diff(sheet.tx), np.diff(sheet.q, axis=0) / np.diff(sheet.ty)[:, None]
    steep = np.nan_to_num(np.hypot(across[:-1], up[:, :-1]))
    steepest = np.maximum.reduceat(np.maximum.reduceat(steep, rows[:-1], axis=0), columns[:-1], axis=1)
    thin = sheet._replace(
        tx=sheet.tx[columns], ty=sheet.ty[rows], u=sheet.u[columns], v=sheet.v[rows], q=q, backed=sheet.backed[np.ix_(rows, columns)],
        shown=sheet.shown[middle], hidden=sheet.hidden[middle],
    )  # fmt: skip
    return thin, steepest


# Looking -----------------------------------------------------------------------------------------------------------------


class View(NamedTuple):
    """A film: its framing at rest, its size in pixels that are looked at (width, height), and its own pixels in tangents. What is
    hidden comes to be seen as the camera moves by such a pixel; 0: at once, and at rest as well."""

    framing: Framing
    size: tuple[int, int]
    pixel: float = 0.0


def view(framing: Framing, film: tuple[int, int], longest: int = FILM) -> View:
    """The view of a film of `film` (width, height) pixels, at `longest` pixels or less."""
    scale = min(1.0, longest / max(film))
    return View(framing, (max(1, round(film[0] * scale)), max(1, round(film[1] * scale))), framing.tan_width / film[0])


def rotation_matrix(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """3×3, of XYZ Euler angles as Blender counts them."""
    (a, b, c), (d, e, f) = (np.cos(np.radians(degrees)), np.sin(np.radians(degrees)))
    x = np.array([[1, 0, 0], [0, a, -d], [0, d, a]])
    y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    return z @ y @ x


def shares(scene: Relief, film: View, pose: Pose) -> Shares:
    """What is to be seen from `pose`. A camera that is turned so far that part of its film looks back shows nothing but holes."""
    w, h = film.size
    turn = rotation_matrix(pose.rotation)
    window = _film_rays(film, pose, turn)
    if window is None:
        return Shares(uncovered=1.0, faces_lost=1.0, subject_lost=1.0, photo_lost=1.0)
    look, outside, revealed, stretched = _look(scene, film, pose, window, turn)
    empty = look == 255
    weight = np.where(empty, 1, WEIGHTS[np.minimum(look, FACE)])
    total = float(w * h)
    # A pixel that nothing covers among others that are covered is one that fell between two boxes.
    return Shares(
        float(np.count_nonzero(_squares(empty))) / total,
        float((weight * stretched).sum()) / total,
        float(weight[outside].sum()) / total,
        float((weight * np.where(outside, 0, revealed)).sum()) / total,
        *lost(scene.points, film, pose),
    )


def _squares(mask: Mask) -> Mask:
    """Pixels that belong to a full square of two by two."""
    square = _all_corners(mask)
    found = np.zeros_like(mask)
    for rows in (slice(1, None), slice(None, -1)):
        for columns in (slice(1, None), slice(None, -1)):
            found[rows, columns] |= square
    return found


class _Window(NamedTuple):
    """Where in the picture without rotation every film pixel looks: row and column, int64 H×W, and that picture's size, upper left
    corner and pixel in tangents."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    size: tuple[int, int]
    left: float
    top: float
    pixel: float


def _film_rays(film: View, pose: Pose, turn: NDArray[np.float64]) -> _Window | None:
    f, (w, h) = film.framing, film.size
    x = f.tan_x + pose.offset[0] + ((np.arange(w) + 0.5) / w - 0.5) * f.tan_width * pose.zoom
    y = f.tan_y + pose.offset[1] + (0.5 - (np.arange(h) + 0.5) / h) * f.tan_height * pose.zoom
    away = -(turn[2, 0] * x + turn[2, 1] * y[:, None] - turn[2, 2])
    if away.min() < 0.05:
        return None
    right = (turn[0, 0] * x + turn[0, 1] * y[:, None] - turn[0, 2]) / away
    up = (turn[1, 0] * x + turn[1, 1] * y[:, None] - turn[1, 2]) / away
    pixel = f.tan_width * pose.zoom / w
    left, top = float(right.min()) - pixel / 2, float(up.max()) + pixel / 2
    columns = np.floor((right - left) / pixel + 1e-6).astype(np.int64)
    rows = np.floor((top - up) / pixel + 1e-6).astype(np.int64)
    size = int(columns.max()) + 1, int(rows.max()) + 1
    # A film at the edge of what a camera can see would need a picture without end.
    return None if size[0] * size[1] > 40 * w * h else _Window(rows, columns, size, left, top, pixel)


def _look(scene: Relief, film: View, pose: Pose, window: _Window, turn: NDArray[np.float64]) -> tuple[Bytes, Mask, Floats, Floats]:
    """What every film pixel shows (255: nothing), whether that lies past the photo's border, and how much of it the photo does not show
    and is stretched, H×W each."""
    w, h = window.size
    depth = np.full(w * h, -1, np.float32)
    sheets, cells = np.full(w * h, -1, np.int16), np.zeros(w * h, np.int64)
    for number, sheet in enumerate(scene.sheets):
        pixels, q, cell = _boxes(sheet, pose, window)
        # Radix sort: far first, so that what is nearer is written over it.
        order = np.argsort(np.clip(q * (30000 / scene.nearest), 0, 65535).astype(np.uint16), kind="stable")
        pixels, q, cell = pixels[order], q[order], cell[order]
        own = np.full(w * h, -1, np.float32)
        own[pixels], own_cells = q, np.zeros(w * h, np.int64)
        own_cells[pixels] = cell
        nearer = own > depth
        depth[nearer], cells[nearer], sheets[nearer] = own[nearer], own_cells[nearer], number
    at = window.rows * w + window.columns
    shown, cells, depth = sheets[at], cells[at], depth[at]
    outside = np.zeros(at.shape, bool)
    look, revealed, stretched = np.full(at.shape, 255, np.uint8), np.zeros(at.shape, np.float32), np.zeros(at.shape, np.float32)
    for number, sheet in enumerate(scene.sheets):
        here = shown == number
        look[here] = sheet.look[cells[here]]
        outside[here], moved = _seen_in_photo(scene, film, sheet, depth[here], pose, window, here)
        own, opened = sheet.hidden[cells[here]], 0.0
        if not sheet.endless:
            stretched[here], opened = _stretched(sheet, cells[here], pose, turn)
        revealed[here] = moved * np.maximum(own, opened)  # behind a face that has opened is what the photo does not show
    return look, outside, revealed, stretched


def _seen_in_photo(
    scene: Relief, film: View, sheet: _Drawn, depth: Floats, pose: Pose, window: _Window, here: Mask
) -> tuple[Mask, Floats | float]:
    """Whether film pixels (`here`, H×W) that show a sheet at 1/z `depth` from the camera look past the photo's border, and how far, from
    0 to 1, they have moved by a film pixel against what is nearest or farthest (see `_moved` of the photo material)."""
    rays, moved = scene.rays, 1.0
    x = window.left + (window.columns[here] + 0.5) * window.pixel
    y = window.top - (window.rows[here] + 0.5) * window.pixel
    if not sheet.endless:
        right, up, forward = pose.place
        # Back from the camera's place to the photo's.
        share = 1 + forward * depth
        x, y, q = (x + right * depth) / share, (y + up * depth) / share, depth / share
        if film.pixel > 0:
            apart = np.hypot(right - x * forward, up - y * forward) * np.maximum(scene.nearest - q, q - scene.farthest)
            moved = np.clip((apart / (film.pixel * pose.zoom) - MOVED[0]) / (MOVED[1] - MOVED[0]), 0, 1)
    return np.maximum(abs(x / rays.width + rays.u0 - 0.5), abs(y / rays.height + rays.v0 - 0.5)) > 0.5, moved


def _stretched(sheet: _Drawn, cells: NDArray[np.int64], pose: Pose, turn: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """How much of these cells looks stretched, and how much of what would has opened instead."""
    right, up, forward = (np.float32(p) for p in pose.place)
    x, y, q = sheet.x[cells], sheet.y[cells], sheet.deep[cells]
    share = np.maximum(1 - forward * q, np.float32(_CLOSEST))
    # The area of a face in the film over that in the photo, apart from its size: see `_stretch` of the photo material.
    stretch = 1 - (sheet.across[cells] * (right - x * forward) + sheet.up[cells] * (up - y * forward)) / share
    axis = turn[2, 2] - turn[0, 2] * (x - right * q) / share - turn[1, 2] * (y - up * q) / share
    steep = sheet.steep[cells]
    most = (1 + steep * (stretch - 1)) / np.maximum(axis, 1e-3).astype(np.float32)  # of its steepest face
    part = np.clip(most / (steep * np.maximum(stretch, 1e-3)), 0, 1)  # of the cell, that the steepest face takes
    ramp = np.where(sheet.torn[cells], (most - PARTED[0]) / (PARTED[1] - PARTED[0]), (most - OPENS[0]) / (OPENS[1] - OPENS[0]))
    opening = sheet.backed[cells] * np.clip(ramp, 0, 1)
    return np.where(most > STRETCHED, part * (1 - opening), 0), part * opening


def _boxes(sheet: _Drawn, pose: Pose, window: _Window) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """The pixels whose middle a cell covers: their flat number, 1/z, and which of `sheet.cells` it is."""
    x, y, q = _projected(sheet, pose)
    x = (x - np.float32(window.left)) / np.float32(window.pixel) - np.float32(0.5)
    y = (np.float32(window.top) - y) / np.float32(window.pixel) - np.float32(0.5)
    columns = sheet.q.shape[1]
    row, column = np.divmod(sheet.cells, columns - 1)
    a = row * columns + column  # upper left
    x, y, q = x.ravel(), y.ravel(), q.ravel()
    b, c, d = a + 1, a + columns, a + columns + 1
    w, h = window.size

    def bound(values: Floats, i: NDArray[np.int64], j: NDArray[np.int64], most: int) -> NDArray[np.int32]:
        return np.clip(np.ceil((values[i] + values[j]) * np.float32(0.5)), 0, most).astype(np.int32)

    left, top = bound(x, a, c, w), bound(y, a, b, h)
    wide, high = bound(x, b, d, w) - left, bound(y, c, d, h) - top
    seen = np.flatnonzero((wide > 0) & (high > 0) & (np.minimum(np.minimum(q[a], q[b]), np.minimum(q[c], q[d])) >= 0))
    left, top, wide, high = left[seen], top[seen], wide[seen], high[seen]
    deep = (q[a[seen]] + q[b[seen]] + q[c[seen]] + q[d[seen]]) * np.float32(0.25)
    count = wide.astype(np.int64) * high
    several = np.flatnonzero(count > 1)
    single = np.flatnonzero(count == 1)
    which = np.repeat(several, count[several])
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count[several]) - count[several], count[several])
    down, across = np.divmod(nth, np.maximum(wide[which], 1))
    pixels = np.concatenate([top[single].astype(np.int64) * w + left[single], (top[which] + down) * w + left[which] + across])
    which = np.concatenate([single, which])
    return pixels, deep[which], seen[which]


def _projected(sheet: _Drawn, pose: Pose) -> tuple[Floats, Floats, Floats]:
    """Tangents (right, up) and 1/z of the vertices from the camera's place without its rotation; 1/z is -1 behind the camera."""
    if sheet.endless:
        return np.broadcast_to(sheet.tx, sheet.q.shape), np.broadcast_to(sheet.ty[:, None], sheet.q.shape), np.zeros_like(sheet.q)
    right, up, forward = (np.float32(p) for p in pose.place)
    share = 1 - forward * sheet.q
    near = share < _CLOSEST
    np.maximum(share, np.float32(_CLOSEST), out=share)
    x, y = (sheet.tx - right * sheet.q) / share, (sheet.ty[:, None] - up * sheet.q) / share
    return x, y, np.where(near, np.float32(-1), sheet.q / share)


def in_film(
    x: Floats, y: Floats, film: View, pose: Pose, turn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Film pixels (right, down) of tangents without rotation, and how far along the film's axis a point one away without it is."""
    across, up, axis = (turn[0, i] * x + turn[1, i] * y - turn[2, i] for i in range(3))
    axis = -axis
    f, (w, h) = film.framing, film.size
    safe = np.where(axis > 1e-3, axis, 1e-3)
    right = (across / safe - f.tan_x - pose.offset[0]) / (f.tan_width * pose.zoom)
    down = (up / safe - f.tan_y - pose.offset[1]) / (f.tan_height * pose.zoom)
    return (right + 0.5) * w, (0.5 - down) * h, axis


REST_POSE = Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def lost(points: Points, film: View, pose: Pose) -> tuple[float, float, float]:
    """Of what the film showed at rest, the shares of the faces, of subjects with their faces, and of all that have left it."""
    turn = rotation_matrix(pose.rotation)
    before = _inside(points, film, REST_POSE, np.eye(3))
    now = before & _inside(points, film, pose, turn)
    found = []
    for chosen in (points.kind == FACE, points.kind >= SUBJECT, np.ones(len(points.kind), bool)):
        count = np.count_nonzero(before & chosen)
        found.append(1 - np.count_nonzero(now & chosen) / count if count else 0.0)
    return found[0], found[1], found[2]


def _inside(points: Points, film: View, pose: Pose, turn: NDArray[np.float64]) -> Mask:
    right, up, forward = pose.place
    share = 1 - forward * points.q
    safe = np.maximum(share, _CLOSEST)
    x, y, axis = in_film((points.tx - right * points.q) / safe, (points.ty - up * points.q) / safe, film, pose, turn)
    return (share > _CLOSEST) & (axis > 1e-3) & (x >= 0) & (x <= film.size[0]) & (y >= 0) & (y <= film.size[1])


# Poses of a shot ---------------------------------------------------------------------------------------------------------


def pose_of(key: Keyframe, tan_width: float) -> Pose:
    """A keyframe as a pose. tan_width: the photo's width in tangents."""
    x, y, z = key.location
    return Pose((x, y, -z), key.rotation, 1 / zoom_of(key, tan_width), key.offset)


def poses(shot: Shot, stage: Stage, most: int) -> list[Pose]:
    """The poses of a shot, each once: at `most` frames that are spread evenly, and at its keyframes."""
    return list(dict.fromkeys(pose_of(key, stage.tan_width) for key in sampled(shot, stage, most)))


def extremes(given: Sequence[Pose], most: int = 8) -> list[Pose]:
    """Those of many poses that are farthest in some direction: what a camera shows at its worst is to be seen from one of them."""
    if len(given) <= most:
        return list(given)
    values = np.array([(*p.place, *p.rotation, math.log(p.zoom), *p.offset) for p in given])
    values = values / np.maximum(np.abs(values).max(0), 1e-12)
    farthest = np.argsort(-(values**2).sum(1), kind="stable")
    used = np.abs(values).max(0) > 0
    axes = np.eye(values.shape[1])[used]
    directions = np.concatenate([axes, -axes])
    chosen = dict.fromkeys([int(farthest[0]), *(int(np.argmax(values @ d)) for d in directions), *map(int, farthest)])
    return [given[i] for i in list(chosen)[:most]]
