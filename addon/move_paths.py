"""The path of every camera move, in space only: where the camera stands after a share of the way. Standard library only.

Positions are metres in the photo camera's own axes: x right, y up, z towards the viewer, zero where the photo was taken.
Directions in the picture are tangents: right and up of the optical axis, at distance 1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from .spec import MoveSpec

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
"""Rows of a rotation; its columns are the camera's own axes."""

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Stage(NamedTuple):
    """What a move must know of the scene.

    close: metres to what is nearest (all but a fiftieth of the picture is farther). focus: metres to the subject along
    the optical axis. tan_width, tan_height: the photo's size in tangents of its camera (a height of 0: as high as wide).
    middle_x, middle_y: the photo's middle, in tangents; not zero for cropped photos. aim_x, aim_y: the subject, likewise.
    """

    close: float
    focus: float
    tan_width: float
    tan_height: float = 0.0
    middle_x: float = 0.0
    middle_y: float = 0.0
    aim_x: float = 0.0
    aim_y: float = 0.0


class Pose(NamedTuple):
    """A camera: place, turn, how much larger it shows things than at rest, and what it shows in its middle.

    offset: the middle of the picture, in tangents from that at rest.
    """

    place: Vector = (0.0, 0.0, 0.0)
    turn: Matrix = IDENTITY
    zoom: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)


Path = Callable[[float], Pose]
"""From a share of the way to a pose. Some easings go a little past 0 and 1."""


def amount_of(settings: MoveSpec) -> float:
    """The amount as set; one that is to be worked out counts as 1 until it is."""
    return 1.0 if settings.amount is None else settings.amount


# What amount 1 means. Beyond these, what a single photo does not show begins to be missed; most viewers keep to 2 to 4 %
# of the picture's width as parallax (docs/moves.md).
PUSH_IN = 0.2  # of the subject's distance
PUSH_IN_CLOSE = 0.35  # but no more than this share of the way to the nearest
PARALLAX = 0.04  # of the picture's width, between the nearest and what stays in place
ORBIT_DEGREES = 8.0
TURN = 0.04  # of the picture's width: pan and tilt
ROLL_DEGREES = 3.0
ZOOM = 0.25
DOLLY_ZOOM = 0.15  # of the subject's distance
DOLLY_SHRINK = 0.08  # that the nearest loses of its size, at most
SPIRAL_PUSH = 0.75  # of a push-in
SWAY = 0.01  # of the picture's width, that the nearest sways by
SWAY_TURN = 0.006  # of the picture's width, that everything sways by
SWAY_ROLL = 0.25  # degrees
SWAY_BAND = (0.2, 1.5)  # cycles a second, of hands that hold a camera
CLOSEST = 0.8  # whatever the amount, never go farther than this share of the way to the nearest
_SMALLEST_ZOOM = 0.05
_WAVES = 7


def times(m: Matrix, v: Vector) -> Vector:
    """m·v."""
    return tuple(sum(a * b for a, b in zip(row, v)) for row in m)  # type: ignore[return-value]


def transposed(m: Matrix) -> Matrix:
    """The inverse of a rotation."""
    return tuple(zip(*m))  # type: ignore[return-value]


def product(a: Matrix, b: Matrix) -> Matrix:
    """a·b."""
    columns = transposed(b)
    return tuple(tuple(sum(x * y for x, y in zip(row, column)) for column in columns) for row in a)  # type: ignore[return-value]


def plus(a: Vector, b: Vector, factor: float = 1.0) -> Vector:
    """a + factor·b."""
    return (a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2])


def rotation(v: Vector) -> Matrix:
    """The rotation about the axis `v` by its length in radians (Rodrigues)."""
    angle = math.hypot(*v)
    if angle == 0:
        return IDENTITY
    x, y, z = (c / angle for c in v)
    c, s = math.cos(angle), math.sin(angle)
    k = 1 - c
    return (
        (c + x * x * k, x * y * k - z * s, x * z * k + y * s),
        (y * x * k + z * s, c + y * y * k, y * z * k - x * s),
        (z * x * k - y * s, z * y * k + x * s, c + z * z * k),
    )


def euler(m: Matrix) -> Vector:
    """XYZ Euler angles in degrees, as Blender counts them: first about x, then y, then z."""
    flat = math.hypot(m[0][0], m[1][0])
    y = math.atan2(-m[2][0], flat)
    if flat > 1e-9:
        x, z = math.atan2(m[2][1], m[2][2]), math.atan2(m[1][0], m[0][0])
    else:  # looking along x: the other two turn about the same axis
        x, z = math.atan2(-m[1][2], m[1][1]), 0.0
    return math.degrees(x), math.degrees(y), math.degrees(z)


def from_euler(degrees: Vector) -> Matrix:
    """The rotation of XYZ Euler angles in degrees."""
    x, y, z = (math.radians(d) for d in degrees)
    return product(product(rotation((0, 0, z)), rotation((0, y, 0))), rotation((x, 0, 0)))


def subject(stage: Stage) -> Vector:
    """Where the subject is."""
    return (stage.aim_x * stage.focus, stage.aim_y * stage.focus, -stage.focus)


def parallax(stage: Stage) -> float:
    """1/metres: how much nearer than the subject the nearest is; not less than a quarter of what the subject is itself."""
    return max(1 / stage.close - 1 / stage.focus, 0.25 / stage.focus)


def _towards(stage: Stage, metres: float) -> Pose:
    return Pose(plus((0.0, 0.0, 0.0), subject(stage), min(metres, CLOSEST * stage.close) / stage.focus))


def _around(stage: Stage, right: float, up: float, nearer: float = 0.0) -> Pose:
    """On the sphere around the subject, by radians to the right and up, `nearer` by a share of its radius; the subject stays in place."""
    turn = rotation((-up, right, 0.0))
    there = subject(stage)
    return Pose(plus(there, times(turn, there), nearer - 1), turn)


def _zoomed(stage: Stage, zoom: float, place: Vector = (0.0, 0.0, 0.0)) -> Pose:
    """Everything `zoom` times as large, the subject staying in place."""
    zoom = max(_SMALLEST_ZOOM, zoom)
    rest = 1 - 1 / zoom
    return Pose(place, IDENTITY, zoom, ((stage.aim_x - stage.middle_x) * rest, (stage.aim_y - stage.middle_y) * rest))


def _direction(settings: MoveSpec, more: float = 0.0) -> tuple[float, float]:
    angle = math.radians(settings.direction + more)
    return math.cos(angle), math.sin(angle)


def push_in_metres(stage: Stage) -> float:
    """How far a push-in of amount 1 goes."""
    return min(PUSH_IN * stage.focus, PUSH_IN_CLOSE * stage.close)


def orbit_angle(stage: Stage) -> float:
    """Radians of an orbit of amount 1."""
    sideways = PARALLAX * stage.tan_width / parallax(stage) / stage.focus
    return math.asin(min(sideways, math.sin(math.radians(ORBIT_DEGREES))))


def _angle(settings: MoveSpec, stage: Stage, share: float = 1.0) -> float:
    return max(-1.0, min(1.0, amount_of(settings) * share * orbit_angle(stage)))


def _static(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    return lambda s: Pose()


def _push_in(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    far = min(amount_of(settings) * push_in_metres(stage), CLOSEST * stage.close)
    return lambda s: _towards(stage, s * far)


def _pull_back(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    return _backwards(_push_in(settings, stage, seconds))


def _backwards(path: Path) -> Path:
    return lambda s: path(1 - s)


def _truck(settings: MoveSpec, stage: Stage, seconds: float, more: float = 0.0) -> Path:
    right, up = _direction(settings, more)
    far = amount_of(settings) * PARALLAX * stage.tan_width * stage.close
    return lambda s: Pose((s * far * right, s * far * up, 0.0))


def _pedestal(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    return _truck(_plain(settings), stage, seconds, 90.0)


def _plain(settings: MoveSpec) -> MoveSpec:
    """Without the direction, which means nothing to a move that has one of its own."""
    return MoveSpec(amount=settings.amount)


def _pan(settings: MoveSpec, stage: Stage, seconds: float, more: float = 0.0) -> Path:
    right, up = _direction(settings, more)
    far = max(-1.5, min(1.5, amount_of(settings) * math.atan(TURN * stage.tan_width)))
    return lambda s: Pose(turn=rotation((s * far * up, -s * far * right, 0.0)))


def _tilt(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    return _pan(_plain(settings), stage, seconds, 90.0)


def _roll(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    axis = (-stage.middle_x, -stage.middle_y, 1.0)
    unit = math.radians(amount_of(settings) * ROLL_DEGREES) / math.hypot(*axis)
    return lambda s: Pose(turn=rotation((s * unit * axis[0], s * unit * axis[1], s * unit * axis[2])))


def _orbit(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    right, up = _direction(settings)
    far = _angle(settings, stage)
    return lambda s: _around(stage, s * far * right, s * far * up)


def _arc(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    right, up = _direction(settings)
    far = _angle(settings, stage)
    return lambda s: _around(stage, (s - 0.5) * far * right, (s - 0.5) * far * up)


def _spiral(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    far = _angle(settings, stage, 0.5)
    nearer = min(amount_of(settings) * SPIRAL_PUSH * push_in_metres(stage), CLOSEST * stage.close) / stage.focus
    start = math.radians(settings.direction)

    def pose(s: float) -> Pose:
        angle = start + 2 * math.pi * s
        return _around(stage, s * far * math.cos(angle), s * far * math.sin(angle), s * nearer)

    return pose


def _dolly_zoom(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    shrink = max(parallax(stage) - DOLLY_SHRINK / stage.close, 1e-9)
    back = max(amount_of(settings) * min(DOLLY_ZOOM * stage.focus, DOLLY_SHRINK / shrink), -CLOSEST * stage.close) / stage.focus
    there = subject(stage)
    return lambda s: _zoomed(stage, 1 + s * back, plus((0.0, 0.0, 0.0), there, -s * back))


def _zoom(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    far = max(amount_of(settings) * ZOOM, -0.8)
    return lambda s: _zoomed(stage, 1 + s * far)


def _ken_burns(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    height = stage.tan_height or stage.tan_width

    def view(center: tuple[float, float], size: float) -> Vector:
        zoom = 1 / size
        return zoom, (center[0] - 0.5) * stage.tan_width * zoom, (0.5 - center[1]) * height * zoom

    first = view(settings.start_center, settings.start_size)
    last = view(settings.end_center, settings.end_size)

    def pose(s: float) -> Pose:
        # What is interpolated in a straight line is the picture itself: one point of it, in the frame or outside, stays in place.
        zoom, x, y = (a + s * amount_of(settings) * (b - a) for a, b in zip(first, last))
        zoom = max(_SMALLEST_ZOOM, zoom)
        return Pose(zoom=zoom, offset=(x / zoom, y / zoom))

    return pose


def _noise(seed: str, seconds: float, loop: bool) -> Callable[[float], float]:
    """Band-limited noise over 0..1, zero at 0, at most 1; seamless if `loop`."""
    dice = random.Random(seed)
    low, high = SWAY_BAND
    if loop:
        whole = range(max(1, math.ceil(low * seconds)), max(1, math.floor(high * seconds)) + 1)
        rates = [float(k) for k in dice.sample(whole, min(_WAVES, len(whole)))]
    else:
        rates = [seconds * low * (high / low) ** ((k + dice.random()) / _WAVES) for k in range(_WAVES)]
    # Slow sway is wider than tremor.
    waves = [(2 * math.pi * rate, dice.uniform(0.5, 1) / math.sqrt(max(rate, 1e-9)), dice.uniform(0, 2 * math.pi)) for rate in rates]
    start = sum(size * math.sin(phase) for _, size, phase in waves)

    def value(s: float) -> float:
        return sum(size * math.sin(rate * s + phase) for rate, size, phase in waves) - start

    steps = max(64, round(8 * high * seconds))
    largest = max(abs(value(k / steps)) for k in range(steps + 1)) or 1.0
    return lambda s: value(s) / largest


def _handheld(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    noise = [_noise(f"{settings.seed} {channel}", seconds, settings.loop) for channel in range(6)]
    step = amount_of(settings) * SWAY * stage.tan_width * stage.close / math.sqrt(3)
    turn = amount_of(settings) * math.atan(SWAY_TURN * stage.tan_width) / math.sqrt(2)
    roll = amount_of(settings) * math.radians(SWAY_ROLL)

    def pose(s: float) -> Pose:
        x, y, z, a, b, c = (wave(s) for wave in noise)
        return Pose((step * x, step * y, step * z), rotation((turn * a, turn * b, roll * c)))

    return pose


def _swing(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    right, up = _direction(settings)
    far = _angle(settings, stage, 0.5)

    def pose(s: float) -> Pose:
        angle = far * math.sin(2 * math.pi * s)
        return _around(stage, angle * right, angle * up)

    return pose


def _circle(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    far = _angle(settings, stage, 0.5)
    start = math.radians(settings.direction)

    def pose(s: float) -> Pose:
        angle = start + 2 * math.pi * s
        return _around(stage, far * math.cos(angle), far * math.sin(angle))

    return pose


_PATHS: dict[str, Callable[[MoveSpec, Stage, float], Path]] = {
    "static": _static, "push-in": _push_in, "pull-back": _pull_back, "truck": _truck, "pedestal": _pedestal, "pan": _pan,
    "tilt": _tilt, "roll": _roll, "orbit": _orbit, "arc": _arc, "spiral": _spiral, "dolly-zoom": _dolly_zoom, "zoom": _zoom,
    "ken-burns": _ken_burns, "handheld": _handheld, "swing": _swing, "circle": _circle,
}  # fmt: skip


def is_periodic(settings: MoveSpec) -> bool:
    """Whether the move ends where it began by itself."""
    return settings.name in ("swing", "circle") or (settings.name == "handheld" and settings.loop)


def knots(settings: MoveSpec) -> tuple[float, ...]:
    """Shares of the way at which a key is best to edit: where a swing turns round."""
    return (0.25, 0.75) if settings.name == "swing" else ()


def path_of(settings: MoveSpec, stage: Stage, seconds: float) -> Path:
    """The path of one move. seconds: how long it takes, for those that sway at a rate of their own."""
    path = _PATHS[settings.name](settings, stage, seconds)
    return _backwards(path) if settings.reverse else path


def joined(base: Pose, path: Path) -> Path:
    """`path` carried on from `base`: it begins there, whatever it begins with by itself."""
    first = path(0.0)
    back = transposed(first.turn)

    def pose(s: float) -> Pose:
        p = path(s)
        place = times(back, plus(p.place, first.place, -1))
        offset = tuple(b + now - was for b, now, was in zip(base.offset, p.offset, first.offset))
        return Pose(
            plus(base.place, times(base.turn, place)),
            product(base.turn, product(back, p.turn)),
            base.zoom * p.zoom / first.zoom,
            (offset[0], offset[1]),
        )

    return pose


def stage_from(stage: Stage, base: Pose) -> Stage:
    """The stage as a camera at `base` sees it."""
    x, y, z = times(transposed(base.turn), plus(subject(stage), base.place, -1))
    focus = max(-z, 0.05 * stage.focus)
    return Stage(
        max(stage.close + base.place[2], (1 - CLOSEST) * stage.close),
        focus,
        stage.tan_width / base.zoom,
        stage.tan_height / base.zoom,
        stage.middle_x + base.offset[0],
        stage.middle_y + base.offset[1],
        x / focus,
        y / focus,
    )
