"""What a photo of a face does not show: eyeballs, the inside of the mouth, teeth and tongue, shapes of our own in the face of average size.

All functions give a `Shape` in canonical metres; `FaceFit.to_layer` takes it to the photo. Triangles look outwards, the pocket's into
the mouth, towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canonical import EYE_CENTRES, EYE_RADIUS, IRIS_RADIUS, LIP_LINE
from .rigging import Part

Array = NDArray[np.float64]

TEETH = (0.86, 0.82, 0.74)
GUMS = (0.52, 0.24, 0.23)
TONGUE = (0.60, 0.30, 0.29)
DARK = (0.10, 0.035, 0.03)
SCLERA = (0.84, 0.80, 0.77)
VEINED = (0.72, 0.50, 0.46)
PUPIL = (0.015, 0.012, 0.012)


@dataclass(frozen=True)
class Shape:
    """vertices: float64 N×3, canonical metres. triangles: int32 M×3, counter-clockwise from outside. part: of Part, for all of it.

    side: int8 N, as in SubjectMesh: +1 what hangs on the upper lip or lies on its side, -1 the lower. colours: float32 N×3, sRGB.
    """

    vertices: Array
    triangles: NDArray[np.int32]
    part: Part
    side: NDArray[np.int8]
    colours: NDArray[np.float32]

    @property
    def canonical(self) -> Array:
        """What `face_units.units` takes: the vertices themselves."""
        return self.vertices


def _lattice(rows: int, columns: int, closed: bool = False) -> NDArray[np.int32]:
    """Triangles of a grid of vertices, counter-clockwise where columns run right and rows run down. closed: the last column meets the first."""
    across = columns if closed else columns - 1
    r, c = (i.ravel() for i in np.mgrid[0 : rows - 1, 0:across])
    a, b = r * columns + c, r * columns + (c + 1) % columns
    return np.concatenate([np.stack([a, a + columns, b + columns], 1), np.stack([a, b + columns, b], 1)]).astype(np.int32)


def _coloured(colours: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(colours, np.float32)


def _mixed(a: tuple[float, ...], b: tuple[float, ...], share: Array) -> Array:
    share = np.clip(share, 0, 1)[:, None]
    return np.array(a) * (1 - share) + np.array(b) * share


def eyeball(
    left: bool, *, centre: Array | None = None, radius: float = EYE_RADIUS, iris: tuple[float, float, float] = (0.36, 0.25, 0.17)
) -> Shape:
    """An eyeball whose pupil looks along +z: rings about that axis, dense at the iris, 25 × 48 vertices and the pole.

    centre: (3,), of the ball, else that of the average face. iris: its colour, for where no photo tells it. The rear third is left out.
    """
    middle = EYE_CENTRES[int(left)] if centre is None else np.asarray(centre, np.float64)
    rim = float(np.arcsin(min(IRIS_RADIUS / EYE_RADIUS, 0.99)))
    angles = np.concatenate([np.linspace(0, rim, 10)[1:], np.linspace(rim, np.radians(125), 17)[1:]])
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    a, t = (i.ravel() for i in np.meshgrid(angles, around, indexing="ij"))
    ball = np.stack([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)], 1)
    # The lens stands a little proud of the ball: it catches the light, and a lid that passes over it bulges.
    proud = 1 + 0.03 * np.clip(1 - (a / rim) ** 2, 0, 1)
    vertices = np.concatenate([[[0, 0, 1.03]], ball * proud[:, None]]) * radius + middle
    fan = np.stack([np.zeros(48), 1 + np.arange(48), 1 + (np.arange(48) + 1) % 48], 1)
    rings = _lattice(len(angles), 48, closed=True) + 1
    angle = np.concatenate([[0.0], a])
    edge = rim * np.array([0.38, 0.46, 0.92, 1.06])
    colour = _mixed(SCLERA, VEINED, (angle - 0.9) / 1.0)
    colour = np.where(
        (angle < edge[3])[:, None], _mixed(tuple(0.45 * np.array(iris)), SCLERA, (angle - edge[2]) / (edge[3] - edge[2])), colour
    )
    colour = np.where(
        (angle < edge[2])[:, None], _mixed(iris, tuple(0.45 * np.array(iris)), (angle - edge[2] * 0.75) / (edge[2] * 0.25)), colour
    )
    colour = np.where((angle < edge[1])[:, None], _mixed(PUPIL, iris, (angle - edge[0]) / (edge[1] - edge[0])), colour)
    triangles = np.concatenate([fan, rings]).astype(np.int32)
    side = np.zeros(len(vertices), np.int8)
    return Shape(vertices, triangles, Part.EYE_LEFT if left else Part.EYE_RIGHT, side, _coloured(colour))


def lip_line(count: int) -> Array:
    """The line at which closed lips meet, from the right to the left corner: count×3."""
    x = np.linspace(-1, 1, count) * LIP_LINE[-1, 0]
    return np.stack([x, *(np.interp(np.abs(x), LIP_LINE[:, 0], LIP_LINE[:, k]) for k in (1, 2))], 1)


def pocket(rim: Array | None = None, *, deep: float = 0.042) -> Shape:
    """The inside of the mouth: a bag whose opening is the line of the lips, so that it opens with them.

    rim: K×3, the places where the lips meet, from the right corner to the left (K >= 3); without it those of the average face. The first
    2·K - 2 vertices are the rim: first the upper lip's from the right corner to the left (K, corners included), then the lower lip's,
    from the left to the right (K - 2). A mesh may merge them with its own. deep: how far behind the lips the bag ends.
    """
    line = lip_line(25) if rim is None else np.asarray(rim, np.float64)
    count = len(line)
    loop = np.concatenate([line, line[-2:0:-1]])
    upper = np.concatenate([np.ones(count), -np.ones(count - 2)])
    upper[[0, count - 1]] = 0
    middle, half = line.mean(0), float(np.ptp(line[:, 0]) / 2)
    share = np.clip((loop[:, 0] - middle[0]) / half, -1, 1)
    rows = []
    for t in np.linspace(0, 1, 9):
        # A little behind the lips the bag is as high as a mouth that is open; at rest it lies behind closed ones.
        wide = half * (1 + 0.25 * np.sin(np.pi * min(t * 1.2, 1.0)) - 0.25 * t**3)
        high = 0.021 * np.sin(np.pi / 2 * min(1.0, t * 2.2)) ** 0.8 * (1 - 0.25 * t**3)
        arch = np.sqrt(np.maximum(1 - share**2, 0))
        x = middle[0] + share * (wide * min(1.0, t * 6) + half * max(0.0, 1 - t * 6))
        y = loop[:, 1] * (1 - min(1.0, t * 3)) + middle[1] * min(1.0, t * 3) + upper * arch * high
        # Behind the lips the sides follow the curve of the teeth.
        z = loop[:, 2] - deep * t - 0.012 * share**2 * np.sin(np.pi * t)
        rows.append(np.stack([x, y, z], 1))
    back = np.array([[middle[0], middle[1], middle[2] - deep - 0.004]])
    vertices = np.concatenate([*rows, back])
    columns = len(loop)
    last = 8 * columns + np.arange(columns)
    cap = np.stack([last, np.roll(last, -1), np.full(columns, len(vertices) - 1)], 1)
    triangles = np.concatenate([_lattice(9, columns, closed=True), cap[:, ::-1]]).astype(np.int32)
    side = np.concatenate([np.tile(upper, 9), [0]])
    depth = np.concatenate([np.repeat(np.linspace(0, 1, 9), columns), [1.0]])
    red = _mixed((0.46, 0.20, 0.18), DARK, depth / 0.45)
    return Shape(vertices, triangles, Part.POCKET, side.astype(np.int8), _coloured(red))


_WIDTHS = {True: (8.4, 6.6, 7.6, 7.0, 6.8, 9.5), False: (5.3, 5.8, 6.8, 7.0, 7.2, 10.0)}  # millimetres, from the middle backwards
_HEIGHTS = {True: (10.2, 9.0, 9.8, 8.4, 7.6, 7.0), False: (8.6, 8.8, 9.8, 8.4, 7.8, 7.2)}


def teeth(upper: bool) -> Shape:
    """One row of twelve teeth with its gum, an arch behind the lips; sizes of adults' (Ash and Nelson, "Wheeler's Dental Anatomy")."""
    widths, heights = (np.array(t[upper]) / 1000 for t in (_WIDTHS, _HEIGHTS))
    length = float(widths.sum())
    arc = np.linspace(-length, length, 121)
    # A parabola is near enough to the arch: 26 mm to each side at 38 mm behind.
    x = np.linspace(-0.026, 0.026, 2001)
    bend = 38 / 26**2 * 1000
    run = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(bend * x**2)))])
    run -= run[1000]
    at = np.interp(arc, run, x)
    ends = np.concatenate([[0], np.cumsum(widths)])
    which = np.clip(np.searchsorted(ends, np.abs(arc), side="right") - 1, 0, 5)
    within = (np.abs(arc) - ends[which]) / widths[which] * 2 - 1  # -1 and 1 at a tooth's sides
    down = -1.0 if upper else 1.0
    high = heights[which] * (1 - 0.10 * np.abs(within) ** 4)
    round_ = 1 - np.abs(within) ** 6
    out = np.stack([2 * bend * at, np.ones_like(at)], 1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    line = lip_line(3)[1]
    # Upper teeth stand before the lower ones and show a little below the lip's line when it rises.
    y0 = line[1] + (0.0085 if upper else -0.0115)
    z0 = line[2] - (0.0095 if upper else 0.0120)
    rows, colours = [], []
    for share, thick, colour in (
        (-0.75, 0.000, GUMS), (-0.3, 0.0022, GUMS), (-0.04, 0.0020, GUMS), (0.0, 0.0010, TEETH), (0.3, 0.0022, TEETH),
        (0.7, 0.0020, TEETH), (0.95, 0.0010, TEETH), (1.0, -0.0010, TEETH), (0.9, -0.0035, TEETH), (0.0, -0.0060, GUMS),
    ):  # fmt: skip
        bulge = thick - 0.0008 * (1 - round_) * (share > 0)
        y = y0 + down * (high * share if share > 0 else 0.009 * share)
        rows.append(np.stack([at + out[:, 0] * bulge, np.broadcast_to(y, at.shape), z0 - bend * at**2 + out[:, 1] * bulge], 1))
        gap = 1 - 0.45 * np.clip((np.abs(within) - 0.86) / 0.14, 0, 1) * (colour == TEETH)
        dim = 1 - 0.35 * np.clip(np.abs(arc) / length, 0, 1)
        colours.append(np.array(colour) * (gap * dim)[:, None])
    vertices = np.concatenate(rows)
    triangles = _lattice(len(rows), len(arc))
    if not upper:
        triangles = triangles[:, ::-1]
    side = np.full(len(vertices), 1 if upper else -1, np.int8)
    return Shape(
        vertices, np.ascontiguousarray(triangles), Part.TEETH_UPPER if upper else Part.TEETH_LOWER, side, _coloured(np.concatenate(colours))
    )


def tongue() -> Shape:
    """The tongue at rest behind the lower teeth: a flattened tube with a furrow and a round tip, 22 rings of 24 vertices."""
    line = lip_line(3)[1]
    along = np.linspace(0, 1, 22)  # from the root to the tip
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    tip = np.sqrt(np.clip(1 - np.clip((along - 0.72) / 0.28, 0, 1) ** 2, 0, 1))
    half, thick = (0.021 - 0.004 * along) * tip, (0.0085 - 0.0040 * along) * (0.25 + 0.75 * tip)
    y = line[1] - 0.0085 + 0.0045 * np.sin(np.pi * np.clip(along * 0.9, 0, 1)) - 0.0015 * along
    z = line[2] - 0.062 + 0.0475 * along
    c, s = np.cos(around), np.sin(around)
    furrow = -0.0018 * np.exp(-((c / 0.22) ** 2)) * (s > 0)
    vertices = np.stack(
        [
            half[:, None] * (np.sign(c) * np.abs(c) ** 0.8),
            y[:, None] + thick[:, None] * s + furrow * tip[:, None],
            np.broadcast_to(z[:, None], (22, 24)),
        ],
        -1,
    ).reshape(-1, 3)
    end = np.array([[0, y[-1], z[-1] + 0.0008]])
    last = 21 * 24 + np.arange(24)
    cap = np.stack([last, np.roll(last, -1), np.full(24, 22 * 24)], 1)
    triangles = np.concatenate([_lattice(22, 24, closed=True), cap])[:, ::-1].astype(np.int32)
    vertices = np.concatenate([vertices, end])
    colour = np.array(TONGUE) * (0.35 + 0.65 * np.concatenate([np.repeat(along, 24), [1.0]]))[:, None]
    return Shape(vertices, triangles, Part.TONGUE, np.full(len(vertices), -1, np.int8), _coloured(colour))


def all_parts() -> list[Shape]:
    """Everything, for the average face: both eyeballs, the pocket, both rows of teeth, the tongue."""
    return [eyeball(False), eyeball(True), pocket(), teeth(True), teeth(False), tongue()]
