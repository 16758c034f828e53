"""The 52 shapes of ARKit as displacements of the face of average size.

Brows, nose and most of the mouth are sums of fields in `face_units.npz`, distilled from MakeHuman's expression units (CC0 1.0; Data
Collection AB, Joel Palmius, Jonas Hauquier and the MakeHuman community, www.makehumancommunity.org) by `training/face_units.py`. Lids,
eyes, jaw, tongue, and what must meet exactly, are formulas of our own. What each name means is ARKit's
(developer.apple.com/documentation/arkit/arfaceanchor/blendshapelocation).

Everything is worked out for the subject's left half and mirrored, so that left and right agree exactly. All lengths are canonical metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .canonical import EYE_CENTRES, EYE_RADIUS, JAW_JOINT, LIP_LINE, LOWER_LID, POINTS, UPPER_LID
from .face_surface import bilinear, depth
from .landmarks import CHIN
from .rigging import ARKIT, Part

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

# The grid of the distilled fields: metres from the left above.
LEFT, TOP, PITCH, COLUMNS, ROWS = -0.03, 0.06, 0.00125, 93, 153
QUANTUM = 0.00002

FILE = Path(__file__).with_name("face_units.npz")

JAW_ANGLE = np.radians(18.0)  # of jawOpen: about 30 mm between the lips, most of what an adult can
GAZE_UP, GAZE_DOWN, GAZE_SIDE = np.radians(17.0), np.radians(20.0), np.radians(25.0)
MEET = 0.2  # closed lids meet this share of the opening above the lower lid
SHUT = 0.3  # lips closed over an open jaw meet this share of the way down

CORNER = float(LIP_LINE[-1, 0])
_INNER, _OUTER = float(UPPER_LID[0, 0]), float(UPPER_LID[-1, 0])  # the eye's corners
_LID_REACH = 0.012  # how far from its edge a lid takes the skin along
_EDGE = 0.88  # where the edge of the jaw lies on the oval from its middle
_LIP_HEIGHTS = np.array([(0.0, 0.0066, 0.0093), (0.006, 0.0072, 0.0090), (0.0175, 0.0040, 0.0056), (0.0255, 0.0, 0.0)])


def ramp(t: Array) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _eased(t: Array) -> Array:
    """0 below 0, 1 above 1, and between them nearly straight, rounded at both ends: 1.2 steep at most."""
    t = np.clip(t, 0, 1)
    k = 1 / 6
    low, high = t * t / (2 * k), 1 - k - (1 - t) ** 2 / (2 * k)
    return np.where(t < k, low, np.where(t > 1 - k, high, t - k / 2)) / (1 - k)


@dataclass(frozen=True)
class _Places:
    """Where the vertices are, N each. x, y, z: canonical. eye, mouth: on which side of the lids' or lips' opening, +1 above, -1 below.

    part: of Part. line: the height at which the lips meet. side: as given, 0 where there is no choice. centre: (3,), of the left eyeball.
    """

    x: Array
    y: Array
    z: Array
    side: Array
    part: NDArray[np.int64]
    eye: Array
    mouth: Array
    line: Array
    centre: Array


def _lid_line(x: Array, table: Array, column: int) -> Array:
    return np.interp(x, table[:, 0], table[:, column])


def _lip_line(x: Array, column: int) -> Array:
    return np.interp(np.abs(x), LIP_LINE[:, 0], LIP_LINE[:, column])


def _places(x: Array, y: Array, z: Array, side: Array, part: NDArray[np.int64], centre: Array = EYE_CENTRES[1]) -> _Places:
    line = _lip_line(x, 1)
    middle = (_lid_line(np.abs(x), UPPER_LID, 1) + _lid_line(np.abs(x), LOWER_LID, 1)) / 2
    # A side that is given counts only beside the opening that it belongs to.
    eye = np.where((side != 0) & (np.abs(y - middle) < 0.02), side, np.where(y >= middle, 1.0, -1.0))
    mouth = np.where((side != 0) & (np.abs(y - line) < 0.015), side, np.where(y >= line, 1.0, -1.0))
    return _Places(x, y, z, side, part, eye, mouth, line, centre)


def _vectors(x: Array | float, y: Array | float, z: Array | float, like: Array) -> Array:
    result = np.empty((len(like), 3))
    result[:, 0], result[:, 1], result[:, 2] = x, y, z
    return result


def _bump(at: _Places, x: float, y: float, width: float, height: float) -> Array:
    """1 in the middle of an ellipse with these half axes, 0 from its border on, smooth."""
    r = ((at.x - x) / width) ** 2 + ((at.y - y) / height) ** 2
    return np.maximum(1 - r, 0) ** 2


# The distilled fields


@lru_cache(maxsize=1)
def _fields() -> dict[str, NDArray[np.float32]]:
    """name to ROWS × COLUMNS × 6: the mean of both sides and half their difference, metres."""
    with np.load(FILE) as data:
        return {
            name: (np.cumsum(data[name], axis=-1).astype(np.float32) * np.float32(QUANTUM)).reshape(6, ROWS, COLUMNS).transpose(1, 2, 0)
            for name in data.files
        }


def _field(at: _Places, name: str, both: bool = False) -> Array:
    """A field at the vertices, N×3. both: a movement of the whole mouth, of which the grid is used from the middle to the left."""
    x = np.abs(at.x) if both else at.x
    column, row = (x - LEFT) / PITCH, (TOP - at.y) / PITCH
    inside = (column >= 0) & (column <= COLUMNS - 1) & (row >= 0) & (row <= ROWS - 1)
    values = np.zeros((len(x), 6))
    values[inside] = bilinear(_fields()[name], column[inside], row[inside])
    result = values[:, :3] + at.mouth[:, None] * values[:, 3:]
    if both:
        result[:, 0] *= np.where(at.x < 0, -1, 1)
    return result


def _left_half(x: Array, blend: float = 0.010) -> Array:
    """1 on the subject's left, 0 on the right; with the mirrored one it sums to 1."""
    return ramp((x + blend) / (2 * blend))


# Lids and eyes


@dataclass(frozen=True)
class _Lids:
    """Of the left eye, N each: how much of the upper and of the lower lid's movement a vertex takes, the opening there, both edges."""

    upper: Array
    lower: Array
    gap: Array
    top: Array
    bottom: Array
    span: Array


def _lids(at: _Places) -> _Lids:
    top, bottom = _lid_line(at.x, UPPER_LID, 1), _lid_line(at.x, LOWER_LID, 1)
    gap = np.where((at.x > _INNER) & (at.x < _OUTER), top - bottom, 0)
    near = np.abs(at.y - (top + bottom) / 2) < 0.02
    upper = (1 - ramp((at.y - top) / _LID_REACH)) * (near & (at.eye > 0))
    lower = (1 - ramp((bottom - at.y) / _LID_REACH)) * (near & (at.eye < 0))
    widest = float(np.max(np.interp(UPPER_LID[:, 0], UPPER_LID[:, 0], UPPER_LID[:, 1]) - _lid_line(UPPER_LID[:, 0], LOWER_LID, 1)))
    span = np.clip(gap / widest, 0, 1) ** 0.7
    return _Lids(upper, lower, gap, top, bottom, span)


def lid_shares(xy: Array, side: NDArray, *, left: bool) -> tuple[Array, Array]:
    """How much of the movement of one eye's upper and lower lid the skin takes.

    xy: N×2 canonical metres. side: N, as in `units`. Returns two float64 N in [0, 1]: 1 at the lid's edge, 0 from 12 mm off it and beside the eye.
    """
    x = xy[:, 0] if left else -xy[:, 0]
    lids = _lids(_places(x, xy[:, 1], np.zeros(len(x)), side, np.zeros(len(x), np.int64)))
    within = lids.gap > 0
    return lids.upper * within, lids.lower * within


def _blink(at: _Places, lids: _Lids) -> Array:
    """Both edges to one line; a vertex that lies within the opening goes there too, wherever its edge was drawn."""
    meeting = lids.bottom + MEET * lids.gap
    open_here = lids.gap > 0
    beyond_top, beyond_bottom = np.minimum(at.y - lids.top, 0), np.minimum(lids.bottom - at.y, 0)
    down = lids.upper * (meeting - lids.top) - np.where(lids.upper > 0, beyond_top, 0)
    up = lids.lower * (meeting - lids.bottom) + np.where(lids.lower > 0, beyond_bottom, 0)
    z_top, z_bottom = _lid_line(at.x, UPPER_LID, 2), _lid_line(at.x, LOWER_LID, 2)
    z_meeting = z_bottom + MEET * (z_top - z_bottom)
    # The lid's skin bends over the ball: what is between its edge and the fold comes forwards a little.
    z = lids.upper * (z_meeting - z_top) + lids.lower * (z_meeting - z_bottom) + 0.0008 * 4 * lids.upper * (1 - lids.upper) * lids.span
    return _vectors(0, (down + up) * open_here, z * open_here, at.x)


def _gaze(at: _Places, pitch: float, yaw: float) -> Array:
    """The left eyeball turned about its centre: upwards by `pitch`, towards the subject's left by `yaw`."""
    result = np.zeros((len(at.x), 3))
    ball = at.part == Part.EYE_LEFT
    p = np.stack([at.x, at.y, at.z], 1)[ball] - at.centre
    up = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    aside = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    result[ball] = p @ (aside @ up).T - p
    return result


# Jaw and lips


def within_face(xy: Array) -> Array:
    """1 on the face, fading to 0 from 1.08 to 1.32 of an oval about it: a photo's mesh knows its place in the average face up to 1.35."""
    x, y = xy[..., 0], xy[..., 1]
    out = np.hypot(x / 0.068, (y + 0.022) / np.where(y > -0.022, 0.092, 0.103))
    return 1 - ramp((out - 1.08) / 0.24)


def jaw_share(xy: Array, side: NDArray) -> Array:
    """How much of the jaw's movement the skin takes.

    xy: N×2 canonical metres. side: N, +1 on the upper lip's side of the mouth's line, -1 on the lower's, 0 by the height. Returns float64 N
    in [0, 1]: 1 at chin and lower lip, a half at the mouth's corners, 0 from the nose up, at the ears, and below the throat.
    """
    x, y = np.abs(xy[:, 0]), xy[:, 1]
    line = _lip_line(x, 1)
    sign = np.where((side != 0) & (np.abs(y - line) < 0.015), side, np.where(y >= line, 1.0, -1.0))
    half = line + np.maximum(x - CORNER, 0) * 0.55  # the height at which the cheek takes half of it rises towards the joint
    width = 0.016 + 0.25 * np.maximum(x - CORNER, 0)
    cheek = ramp((half - y) / width / 2 + 0.5)
    towards_corner = ramp((x / CORNER - 0.2) / 0.8)
    lips = np.where(sign > 0, cheek * towards_corner, 1 - (1 - cheek) * towards_corner)
    # The chin goes down before the throat: what is between them is pressed together over so long a way that nothing folds.
    out = np.hypot(x / 0.068, np.minimum(y + 0.022, 0) / 0.103)
    throat = np.minimum(within_face(np.stack([x, np.maximum(y, -0.10)], -1)), _eased((1.34 - out) / 0.40))
    # Beside the ear nothing moves, whatever the fit makes of it.
    ear = 1 - ramp((x - 0.062) / 0.010) * ramp((y + 0.062) / 0.02)
    neck = 1 - ramp((x - 0.068) / 0.02)
    return lips * throat * ear * neck


def _on_lips(at: _Places) -> Array:
    """Where vertices are seen from the front, N×2; those of the pocket are taken to the lips, on which they hang."""
    pocket = at.part == Part.POCKET
    return np.stack([np.where(pocket, np.clip(at.x, -CORNER, CORNER), at.x), np.where(pocket, at.line, at.y)], 1)


def _jaw(at: _Places) -> Array:
    """How much every vertex goes with the jaw."""
    share = jaw_share(_on_lips(at), at.side)
    pocket = np.where(at.side == 0, 0.5, at.side < 0)
    behind = ramp((_lip_line(at.x, 2) - at.z) / 0.012)
    share = np.where(at.part == Part.POCKET, share + (pocket - share) * behind, share)
    share = np.where(at.part == Part.TEETH_LOWER, 1.0, share)
    share = np.where(at.part == Part.TONGUE, 0.9, share)
    fixed = (at.part == Part.TEETH_UPPER) | (at.part == Part.EYE_LEFT) | (at.part == Part.EYE_RIGHT)
    return np.where(fixed, 0.0, share)


def jaw_turned(points: Array, angle: float) -> Array:
    """How far points N×3 move when a jaw opens by `angle` (radians) about the temporomandibular joints."""
    y, z = points[:, 1] - JAW_JOINT[1], points[:, 2] - JAW_JOINT[2]
    c, s = np.cos(angle) - 1, np.sin(angle)
    return _vectors(0, y * c - z * s, y * s + z * c, y)


def _pushed(points: Array, at: _Places) -> Array:
    """For each vertex the point whose way on the jaw it takes: its own, but below the jaw's edge that of the edge.

    The throat lies far behind the chin: turned along it would rise, and the chin, which goes down, would fold the skin over in the picture.
    """
    out = np.hypot(at.x / 0.068, np.minimum(at.y + 0.022, 0) / 0.103)
    below = (at.part == Part.SKIN) & (out > _EDGE) & (at.y < -0.022)
    if not below.any():
        return points
    result = points.copy()
    edge = np.stack([at.x, at.y + 0.022], 1)[below] * (_EDGE / out[below])[:, None] - (0, 0.022)
    result[below] = np.column_stack([edge, depth(edge)])
    return result


@dataclass(frozen=True)
class _Lips:
    """N each. upper, lower: which lip, 1 or 0. away: distance from the line. tall: how high the lip's red is there. across: 1 in the
    middle of the mouth, 0 beyond its corners. shallow: 1 on the skin, fading into the pocket."""

    upper: Array
    lower: Array
    away: Array
    tall: Array
    across: Array


def _lips(at: _Places) -> _Lips:
    upper = (at.mouth > 0).astype(float)
    x = np.abs(at.x)
    tall = np.where(upper > 0, np.interp(x, _LIP_HEIGHTS[:, 0], _LIP_HEIGHTS[:, 1]), np.interp(x, _LIP_HEIGHTS[:, 0], _LIP_HEIGHTS[:, 2]))
    away = np.maximum(at.mouth * (at.y - at.line), 0)
    return _Lips(upper, 1 - upper, away, tall, 1 - ramp((x / CORNER - 0.45) / 0.6))


def _towards_line(lips: _Lips, reach: float) -> Array:
    """0 at the lips' line, 1 at the red's border, 0 again `reach` beyond it."""
    inner = ramp(lips.away / np.maximum(lips.tall, 1e-4))
    return inner * (1 - ramp((lips.away - lips.tall) / reach))


def _mouth(at: _Places) -> dict[str, Array]:
    """Shapes of the mouth that are formulas: those of the left half and the symmetric ones."""
    lips = _lips(at)
    none = np.zeros_like(at.x)
    up = lips.upper - lips.lower
    rim = 1 - ramp(lips.away / 0.014)
    left = _left_half(at.x)
    skin = np.stack([at.x, at.y, at.z], 1)
    opened = jaw_turned(skin, JAW_ANGLE)
    on_line = np.stack([at.x, at.line], 1)
    shares = [jaw_share(on_line, np.full(len(at.x), s)) for s in (1.0, -1.0)]
    meeting = shares[0] + SHUT * (shares[1] - shares[0])
    own = np.where(at.mouth > 0, shares[0], shares[1])
    closing = 1 - ramp(lips.away / np.where(at.mouth > 0, 0.018, 0.034))
    thin = _towards_line(lips, 0.010)
    corner = _bump(at, 0.030, -0.0745, 0.016, 0.016)
    shift = _bump(at, 0.0, -0.0745, 0.052, 0.036)
    low, high = lips.lower * lips.across, lips.upper * lips.across
    return {
        "mouthClose": opened * ((meeting - own) * closing)[:, None],
        "mouthLeft": _vectors(0.011 * shift, none, none, at.x),
        "mouthPressLeft": _vectors(
            -0.0004 * corner, -up * (0.42 * lips.tall * thin) * left, -(0.0022 * rim * lips.across * left + 0.0030 * corner), at.x
        ),
        "mouthRollUpper": _vectors(none, -0.60 * lips.tall * thin * high, -0.0050 * rim * high, at.x),
        "mouthRollLower": _vectors(none, 0.58 * lips.tall * thin * low, -0.0050 * rim * low, at.x),
        "mouthShrugUpper": _vectors(
            none, (0.0012 * (1 - ramp(lips.away / 0.02)) + 0.0024 * thin) * high, 0.0034 * (1 - ramp(lips.away / 0.012)) * high, at.x
        ),
        "mouthShrugLower": _vectors(
            none,
            0.0042 * (1 - ramp(lips.away / 0.04)) * low + 0.0035 * _bump(at, 0.0, -0.104, 0.026, 0.018),
            0.0035 * (1 - ramp(lips.away / 0.014)) * low,
            at.x,
        ),
        "tongueOut": _vectors(none, (0.0018 * high - 0.0042 * low) * (1 - ramp(lips.away / 0.016)), none, at.x),
    }


def _left_and_both(at: _Places) -> dict[str, Array]:
    """The keys of the subject's left half, and those that are the same on both, N×3 each."""
    skin = ((at.part == Part.SKIN) | (at.part == Part.POCKET)).astype(float)[:, None]
    jaw = _jaw(at)
    points = np.stack([at.x, at.y, at.z], 1)
    within, at = at, replace(at, x=_on_lips(at)[:, 0], y=_on_lips(at)[:, 1])
    left = _left_half(at.x)[:, None]
    lids = _lids(at)
    none = np.zeros_like(at.x)

    def lid(up: float, low: float, aside: float = 0.0) -> Array:
        """Lids moved along (metres, upwards and towards the subject's left)."""
        return _vectors(aside * (lids.upper + lids.lower) * lids.span, (up * lids.upper + low * lids.lower) * lids.span, none, at.x)

    def towards(top: float, bottom: float) -> Array:
        """Lids closed by shares of the opening."""
        return _vectors(none, (bottom * lids.lower - top * lids.upper) * lids.gap, none, at.x)

    apple = _bump(at, 0.037, -0.027, 0.027, 0.022)
    puffed = sum(_bump(at, s * 0.045, -0.067, 0.030, 0.034) for s in (-1, 1))
    keys = {
        "browDownLeft": _field(at, "brow_down"),
        "browOuterUpLeft": _field(at, "brow_outer") + _vectors(none, 0.0025 * _bump(at, 0.030, 0.022, 0.020, 0.022), none, at.x),
        "browInnerUp": _field(at, "brow_inner") + _mirrored_field(at, "brow_inner"),
        "cheekPuff": _vectors(
            0.35 * 0.008 * puffed * np.sign(at.x), none, 0.008 * puffed + 0.002 * _bump(at, 0, -0.074, 0.03, 0.022), at.x
        ),
        "cheekSquintLeft": _vectors(none, 0.0055 * apple + 0.0010 * lids.lower * lids.span, 0.0018 * apple, at.x),
        "eyeBlinkLeft": _blink(at, lids),
        "eyeSquintLeft": towards(0.10, 0.30) + _vectors(none, 0.0016 * _bump(at, 0.036, -0.014, 0.022, 0.012), none, at.x),
        "eyeWideLeft": lid(0.0026, -0.0009),
        "eyeLookUpLeft": lid(0.0024, 0.0008),
        "eyeLookDownLeft": towards(0.38, 0.0) + lid(0.0, -0.0011),
        "eyeLookOutLeft": lid(0.0002, 0.0, 0.0009),
        "eyeLookInLeft": lid(0.0002, 0.0, -0.0009),
        "mouthDimpleLeft": _field(at, "dimple", True) * left,
        "mouthFrownLeft": _field(at, "frown", True) * left,
        "mouthFunnel": 0.6 * _field(at, "funnel", True),
        "mouthPucker": 0.75 * _field(at, "pucker", True),
        "mouthLowerDownLeft": 0.75 * _field(at, "drop", True) * left,
        "mouthUpperUpLeft": 0.85 * _field(at, "raise", True) * left,
        "mouthSmileLeft": _field(at, "smile", True) * left,
        "mouthStretchLeft": _field(at, "stretch", True) * left + _vectors(0.004 * _bump(at, 0.030, -0.075, 0.026, 0.022), none, none, at.x),
        "noseSneerLeft": _field(at, "sneer") + _vectors(none, 0.0024 * _bump(at, 0.012, -0.020, 0.011, 0.018), none, at.x),
        **_mouth(at),
    }
    keys = {name: moved * skin for name, moved in keys.items()}
    gazes = {"Up": (GAZE_UP, 0.0), "Down": (-GAZE_DOWN, 0.0), "Out": (0.0, GAZE_SIDE), "In": (0.0, -GAZE_SIDE)}
    for way, (pitch, yaw) in gazes.items():
        keys[f"eyeLook{way}Left"] += _gaze(within, pitch, yaw)
    # The pocket hangs on the lips: what it has of their movement ends a centimetre inside.
    pocket = at.part == Part.POCKET
    if pocket.any():
        fading = 1 - ramp((_lip_line(at.x[pocket], 2) - at.z[pocket]) / 0.012)
        for moved in keys.values():
            moved[pocket] *= fading[:, None]
    share = jaw[:, None]
    keys["jawOpen"] = share * jaw_turned(_pushed(points, within), JAW_ANGLE)
    keys["jawForward"] = share * [0.0, -0.0010, 0.0055]
    # Sideways the jaw turns about the joints' middle: the chin goes far, the angle hardly.
    keys["jawLeft"] = share * _vectors(0.0085 * np.clip((at.z - JAW_JOINT[2]) / (POINTS[CHIN, 2] - JAW_JOINT[2]), 0, 1.2), none, none, at.x)
    tongue = at.part == Part.TONGUE
    if tongue.any():
        out = ramp((at.z[tongue] + 0.035) / 0.04)
        keys["tongueOut"][tongue] = _vectors(0, 0.003 * out - 0.012 * out**2, 0.038 * out, out)
    return keys


def _mirrored_field(at: _Places, name: str) -> Array:
    mirrored = _places(-at.x, at.y, at.z, at.side, at.part)
    return _field(mirrored, name) * [-1, 1, 1]


def units(canonical: NDArray, side: NDArray, part: NDArray, eyes: Mapping[Part, Array] | None = None) -> dict[str, Floats]:
    """The 52 keys at a value of 1: how far every vertex moves, canonical metres and axes.

    canonical: N×2 or N×3, where the vertices lie in the face of average size (x to the subject's left, y up); a third column gives how far
    out of the face, which vertices of eyeballs, teeth, pocket and tongue need (`face_parts` knows it) and which otherwise is taken from
    the average skin or eyeball. NaN: outside the face, does not move. side: int N, +1 above and -1 below the opening of lids or lips, 0 where
    there is no choice. part: N, of rigging.Part. eyes: by part, where eyeballs have their centres, (3,) canonical, if not as usual. Returns name to float32 N×3, in the order of rigging.ARKIT.

    eyeBlink brings both edges of the lids of the average opening to one line (a face whose eyes are more open wants it in proportion);
    jawOpen turns about the joints by JAW_ANGLE.
    """
    canonical = np.asarray(canonical, np.float64)
    result = {name: np.zeros((len(canonical), 3), np.float32) for name in ARKIT}
    seen = np.isfinite(canonical[:, :2]).all(1)
    if not seen.any():
        return result
    x, y = canonical[seen, 0], canonical[seen, 1]
    parts = np.asarray(part)[seen].astype(np.int64)
    sides = np.asarray(side)[seen].astype(np.float64)
    z = depth(np.stack([x, y], 1))
    centres = []
    for k, eye in enumerate((Part.EYE_RIGHT, Part.EYE_LEFT)):
        centre = np.asarray((eyes or {}).get(eye, EYE_CENTRES[k]), np.float64)
        flat = ((np.stack([x, y], 1) - centre[:2]) ** 2).sum(1)
        z = np.where(parts == eye, centre[2] + np.sqrt(np.maximum(EYE_RADIUS**2 - flat, 0)), z)
        centres.append(centre)
    if canonical.shape[1] > 2:
        given = canonical[seen, 2]
        z = np.where(np.isfinite(given), given, z)
    other = np.select([parts == Part.EYE_LEFT, parts == Part.EYE_RIGHT], [int(Part.EYE_RIGHT), int(Part.EYE_LEFT)], parts)
    left = _left_and_both(_places(x, y, z, sides, parts, centres[1]))
    right = _left_and_both(_places(-x, y, z, sides, other, centres[0] * [-1, 1, 1]))
    for name in ARKIT:
        if name.endswith("Right"):
            moved = right[name.removesuffix("Right") + "Left"] * [-1, 1, 1]
        else:
            moved = left[name]
        result[name][seen] = moved
    return result


def points_moved(name: str) -> Array:
    """How far a key moves the 70 landmarks of the face of average size (float64 70×3), those of the lower lip and lids on their side."""
    side = np.zeros(len(POINTS))
    side[[37, 38, 43, 44, 61, 62, 63]] = 1
    side[[40, 41, 46, 47, 65, 66, 67]] = -1
    return units(POINTS, side, np.zeros(len(POINTS)))[name].astype(np.float64)
