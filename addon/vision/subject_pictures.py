"""Pictures for what the photo does not show of a face: eyes behind their lids, the mouth behind its lips, and the light that falls on both.

Each is a crop of the photo with the rest painted. What the photo shows at rest stays the photo's own pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .canonical import EYE_RADIUS, IRIS_RADIUS
from .cv import cv
from .face_parts import TEETH
from .face_units import ramp
from .fill import push_pull
from .landmarks import LEFT_PUPIL, RIGHT_PUPIL, FacePoints
from .refine import Floats, Mask
from .rigging import Part
from .subject_depth import Source
from .subject_eyes import Eyeball
from .subject_mesh import Subject
from .texture import linear_to_srgb, srgb_to_linear

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

_ACROSS, _MOST = 160, 1024  # pixels that the crop of an eye has at least and at most; a small one is enlarged, up to _LARGER times
_LARGER = 6
_RIM = 0.14  # of an opening's height: how far in from its edge lashes and the lids' shadow are painted over
_SHUT = 0.10  # of an opening's width: eyes that are open by less show nothing of themselves
_SKIN = (1.35, 0.95, 0.70)  # linear: the tint of skin in white light
_LIKE_SKIN = 0.8  # how light the white of an eye is in the lids' shade, over the skin about it
_GREY = (0.35, 0.75)  # of the way from off-white to the skin's tint: up to where what is seen is believed, and from where not
# What light is left in the lids' shade has come by them: a neutral shade would look blue beside skin.
_WARM = np.array((0.86, 1.03, 1.1), np.float32)
_DARKER = 0.3  # how much darker the white of an eye becomes towards the rim of the ball
_SHADE = 0.45  # and under the lids, which keep light from it
_SHADE_UPPER, _SHADE_LOWER = 0.5, 0.2  # of an opening's height: how far that reaches from the upper and from the lower lid
_STEP, _SIZES = np.linspace(-0.24, 0.24, 9), np.linspace(0.7, 1.3, 13)  # where irises are looked for, in the radius of an average one
_INNER, _LEVEL, _LIGHTER = 0.5, 0.7, 1.5  # radii; rise over distance; times: where and from when on what is seen of an iris is a lid
_SCLERA = np.array((0.58, 0.52, 0.50), np.float32)  # linear: of white light, in the shadow of lids
_IRIS = np.array((0.06, 0.035, 0.02), np.float32)
_MOUTH_LIGHT = 0.55  # how much of the light on a face comes to the teeth
_BEHIND_LIPS = 0.35  # and to what lies under open lips


class Picture(NamedTuple):
    """A crop of the photo in which what it does not show is painted.

    box: (left, top, right, bottom) in shares of the photo from its left and top; it may reach past its border. colour: uint8 h×w×3, sRGB. cover: uint8
    h×w, 255 where `colour` takes the photo's place at all times, 0 where the photo shows it at rest. rim: uint8 h×w, 255 where at rest the
    photo shows lashes and shadows of the lids (or the lips), which are painted over in `colour`: to be faded in as what it is on moves.
    """

    box: tuple[float, float, float, float]
    colour: Bytes
    cover: Bytes
    rim: Bytes


class Iris(NamedTuple):
    """Where an iris is in the photo, in its pixels: the middle and the radius. certain: whether its edge was found."""

    x: float
    y: float
    radius: float
    certain: bool


@dataclass(frozen=True)
class Pictures:
    """eyes: by part. mouth: of parted lips, else None. light: linear (r, g, b) by which colours that are seen in white light (face_parts) are
    multiplied inside of the mouth. irises: by part."""

    eyes: dict[Part, Picture] = field(default_factory=dict)
    mouth: Picture | None = None
    light: tuple[float, float, float] = (_MOUTH_LIGHT, _MOUTH_LIGHT, _MOUTH_LIGHT)
    irises: dict[Part, Iris] = field(default_factory=dict)


def make_pictures(photo: Bytes, subject: Subject, face: FacePoints, source: Source) -> Pictures:
    """The pictures of a subject with a face. photo: uint8 H×W×3, sRGB, of the size that `source` tells or of the grid."""
    size = (photo.shape[1], photo.shape[0])
    looks = {}
    for part, ball in subject.eyes.items():
        pupil = face.pixels(size)[LEFT_PUPIL if part == Part.EYE_LEFT else RIGHT_PUPIL]
        looks[part] = Look.at(photo, subject.openings[part] * size, pupil, _circle(ball, source, size))
    irises = dict(zip(looks, find_irises(list(looks.values()))))
    eyes = {part: _painted(look, irises[part]) for part, look in looks.items()}
    opening = subject.openings.get(Part.POCKET)
    mouth = None if opening is None else mouth_picture(photo, opening * size)
    return Pictures(eyes, mouth, light_of(photo, face, None if opening is None else opening * size), irises)


def _circle(ball: Eyeball, source: Source, size: tuple[int, int]) -> tuple[float, float, float]:
    """The middle and radius of an eyeball in a photo of `size`, in pixels."""
    x, y, z = ball.centre
    u, v = x / y / source.rays.width + source.rays.u0, z / y / source.rays.height + source.rays.v0
    return u * size[0], (1 - v) * size[1], ball.radius / np.sqrt(max(y * y - ball.radius**2, 1e-9)) / source.rays.width * size[0]


# Eyes ----------------------------------------------------------------------------------------------------------------------


def eye_picture(photo: Bytes, opening: Doubles, pupil: Doubles, ball: tuple[float, float, float]) -> tuple[Picture, Iris]:
    """The picture of an eyeball and where its iris is.

    photo: uint8 H×W×3. opening: polygon K×2, pupil: (2,), ball: middle and radius of the eyeball, all in pixels of the photo. White and iris are
    continued from what is seen of them; an eye that is shut gets those of an average one.
    """
    look = Look.at(photo, opening, pupil, ball)
    iris = find_irises([look])[0]
    return _painted(look, iris), iris


class Look(NamedTuple):
    """What the photo shows of an eye.

    inside: bool h×w of the crop, within its opening. away: pixels of the crop from the opening's edge. seen: bool, what lids leave free. height: of the
    opening; pupil: (2,); ball: middle and radius, in pixels of the photo.
    """

    crop: _Crop
    inside: Mask
    away: Floats
    seen: Mask
    shut: bool
    height: float
    pupil: Doubles
    ball: tuple[float, float, float]

    @classmethod
    def at(cls, photo: Bytes, opening: Doubles, pupil: Doubles, ball: tuple[float, float, float]) -> Look:
        """As `eye_picture` is asked."""
        crop = _Crop.around(photo, (ball[0] - ball[2], ball[1] - ball[2], ball[0] + ball[2], ball[1] + ball[2]))
        inside = crop.filled(opening)
        height = float(np.ptp(opening[:, 1]))
        away = cv().distanceTransform(inside.astype(np.uint8), cv().DIST_L2, 5)
        seen = away > max(1.0, _RIM * height) * crop.scale
        shut = height < _SHUT * float(np.ptp(opening[:, 0]))
        return cls(crop, inside, away, seen, shut, height, pupil, ball)

    @property
    def usual(self) -> float:
        """The radius of an average iris, in pixels of the photo."""
        return self.ball[2] * IRIS_RADIUS / EYE_RADIUS


def _painted(look: Look, iris: Iris) -> Picture:
    """The picture of an eye, with what the photo hides of it."""
    crop, inside, seen, shut = look.crop, look.inside, look.seen, look.shut
    light = crop.light
    y, x = np.mgrid[: light.shape[0], : light.shape[1]].astype(np.float32)
    ix, iy = crop.to_crop(np.array([[iris.x, iris.y]]))[0]
    out = np.hypot(x - np.float32(ix), y - np.float32(iy)) / np.float32(iris.radius * crop.scale)
    known = np.zeros_like(seen) if shut else seen
    clean = known & (out > 1.15)
    plain = _plain_white(light, clean, ~inside & (out < 3))
    if not shut:
        # Lashes, shadow and skin that an outline a little off has let in are painted over like the rim.
        clean &= _is_white(light, clean, plain)
        strange = cv().dilate((seen & (out > 1.15) & ~clean).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        seen = _main_part(seen & ~(strange & (out > 1.1)), (ix, iy))
        known = known & seen
    white = _white(light, clean, plain, crop, look.ball)
    if not shut:
        white *= _shade(inside, look.away / np.float32(look.height * crop.scale))[..., None] ** _WARM
    disc, edge = _disc(light, known & (out < 0.97), out, (ix, iy))
    share = np.clip((1 - out) / edge + 0.5, 0, 1)[..., None]
    painted = white * (1 - share) + disc * share
    # Over a pixel or two at the rim of what is seen, or its outline would show when the eye turns.
    within = cv().distanceTransform(known.astype(np.uint8), cv().DIST_L2, 5) / max(1.0, 1.5 * crop.scale)
    own = np.clip(within, 0, 1)[..., None]
    kept = within >= 1
    colour = _bytes(light * own + painted * (1 - own))
    colour[kept] = crop.colour[kept]
    return Picture(crop.box, colour, _mask(~inside), _mask(inside & ~kept))


def _main_part(seen: Mask, middle: tuple[float, float]) -> Mask:
    """The part of a mask that is nearest to a place (x, y), without threads and islands."""
    cv2 = cv()
    whole = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    count, parts = cv2.connectedComponents(whole, connectivity=4)
    if count < 2:
        return np.zeros_like(seen)
    y, x = np.nonzero(parts)
    nearest = int(np.argmin((x - middle[0]) ** 2 + (y - middle[1]) ** 2))
    return parts == parts[y[nearest], x[nearest]]


class _Crop:
    """A part of a photo, enlarged if it is small; past the photo's border its last pixels go on."""

    def __init__(self, photo: Bytes, left: int, top: int, right: int, bottom: int) -> None:
        cv2 = cv()
        h, w = photo.shape[:2]
        rows, columns = np.clip(np.arange(top, bottom), 0, h - 1), np.clip(np.arange(left, right), 0, w - 1)
        part = np.ascontiguousarray(photo[rows[:, None], columns])
        most = max(part.shape[:2])
        self.scale = float(np.clip(-(-_ACROSS // most), 1, _LARGER)) if most < _ACROSS else min(1.0, _MOST / most)
        size = (max(1, round(part.shape[1] * self.scale)), max(1, round(part.shape[0] * self.scale)))
        how = cv2.INTER_CUBIC if self.scale > 1 else cv2.INTER_AREA
        self.colour: Bytes = part if self.scale == 1 else cv2.resize(part, size, interpolation=how)
        self.light: Floats = srgb_to_linear(self.colour.astype(np.float32) / 255)
        self.left, self.top = left, top
        self.box = (left / w, top / h, right / w, bottom / h)

    @classmethod
    def around(cls, photo: Bytes, box: tuple[float, float, float, float]) -> _Crop:
        left, top = (int(np.floor(v)) - 1 for v in box[:2])
        right, bottom = (int(np.ceil(v)) + 1 for v in box[2:])
        return cls(photo, left, top, max(right, left + 4), max(bottom, top + 4))

    def to_crop(self, places: Doubles) -> Doubles:
        """Pixels of the photo (N×2, corners at whole numbers) as places in the crop, pixels' middles at whole numbers."""
        return (places - (self.left, self.top)) * self.scale - 0.5

    def filled(self, polygon: Doubles) -> Mask:
        """Bool h×w: inside of a polygon in pixels of the photo."""
        mask = np.zeros(self.colour.shape[:2], np.uint8)
        cv().fillPoly(mask, [np.round(self.to_crop(polygon) * 256).astype(np.int32)], 1, shift=8)
        return mask > 0


def find_irises(looks: list[Look]) -> list[Iris]:
    """The circle about each pupil across which it becomes brightest outwards, to its left and right, where lids leave it free.

    Those of two eyes are as large as each other beside their eyeballs, so that one that is seen badly goes by the other.
    """
    scores = [None if look.shut else _circle_scores(look) for look in looks]
    sure = [score.max((0, 1)) for score in scores if score is not None and np.isfinite(score).any()]
    # Where one eye allows no circle of a size, the other decides.
    together = np.sum([np.where(np.isfinite(s), s, 0) for s in sure], 0) if sure else np.zeros(len(_SIZES))
    size = int(np.argmax(together))
    irises = []
    for look, score in zip(looks, scores):
        if score is None or not score[..., size].max() > 0:
            irises.append(Iris(float(look.pupil[0]), float(look.pupil[1]), look.usual, False))
            continue
        best = np.unravel_index(np.argmax(score[..., size]), score.shape[:2])
        x, y = look.pupil + np.array([_STEP[best[0]], _STEP[::2][best[1]]]) * look.usual
        irises.append(Iris(float(x), float(y), float(look.usual * _SIZES[size]), True))
    return irises


def _circle_scores(look: Look) -> Floats:
    """How well circles fit an iris, float32 9×5×13: over steps to the right and down and over sizes; -inf where lids hide too much."""
    crop, seen, pupil, usual = look.crop, look.seen, look.pupil, look.usual
    luma = crop.light.mean(-1)
    cv2 = cv()
    smooth = cv2.GaussianBlur(luma, (0, 0), max(0.6, 0.05 * usual * crop.scale))
    grid = np.meshgrid(_STEP * usual, _STEP[::2] * usual, usual * _SIZES, indexing="ij")
    dx, dy, radius = (a.ravel() for a in grid)
    angle = np.radians(np.concatenate([np.linspace(-50, 50, 15), np.linspace(130, 230, 15)]))
    rise, free = [], []
    for share in (0.82, 1.18):
        x = pupil[0] + dx[:, None] + share * radius[:, None] * np.cos(angle)
        y = pupil[1] + dy[:, None] + share * radius[:, None] * np.sin(angle)
        at = crop.to_crop(np.column_stack([x.ravel(), y.ravel()])).astype(np.float32).reshape(*x.shape, 2)
        rise.append(cv2.remap(smooth, at[..., 0].copy(), at[..., 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        free.append(
            cv2.remap(seen.astype(np.uint8), at[..., 0].copy(), at[..., 1].copy(), cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        )
    both = (free[0] > 0) & (free[1] > 0)
    half = both.shape[1] // 2
    # On both sides, or a dark corner of the eye would do.
    count = np.stack([both[:, :half].sum(1), both[:, half:].sum(1)])
    sides = [np.where(part, b - a, 0).sum(1) / np.maximum(part.sum(1), 1)
             for part, a, b in ((both[:, :half], rise[0][:, :half], rise[1][:, :half]), (both[:, half:], rise[0][:, half:], rise[1][:, half:]))]  # fmt: skip
    score = np.where((count >= 3).all(0), np.minimum(sides[0], sides[1]) + 0.5 * (sides[0] + sides[1]), -np.inf)
    # What is as likely is where the landmark and the average say.
    score = score - 0.01 * ((dx / usual) ** 2 + (dy / usual) ** 2 + (radius / usual - 1) ** 2) / 0.04
    return score.reshape(grid[0].shape).astype(np.float32)


def _plain_white(light: Floats, seen: Mask, around: Mask) -> Floats:
    """The colour of the white of an eye in the photo's light: linear (3,). light: linear h×w×3. seen: where the eye's white should be; around: skin.

    The brightest of what is seen, as far as it is greyer than the skin: where lids, shadows or an outline that is off leave nothing white to be seen, that
    has the skin's own tint. Then it is what an off-white surface would be in the light that makes the skin look as it does.
    """
    skin = light[around] if np.count_nonzero(around) >= 8 else np.full((1, 3), 0.4, np.float32)
    skin = np.quantile(skin, 0.6, axis=0)
    level = max(float(skin.mean()), 1e-3)
    # Of the skin's tint half is the light's, half its own, as in `light_of`.
    tint = np.sqrt(np.maximum(skin, 1e-4) / level / np.array(_SKIN)) * _SCLERA
    usual = tint / tint.mean()
    if np.count_nonzero(seen) < 8:
        return (usual * _LIKE_SKIN * level).astype(np.float32)
    luma = light.mean(-1)
    own = light[seen & (luma >= np.quantile(luma[seen], 0.6))].mean(0)
    bright = max(float(own.mean()), 1e-3)
    way = skin / level - usual
    alike = float((own / bright - usual) @ way / max(float(way @ way), 1e-6))
    share = float(np.clip((alike - _GREY[0]) / (_GREY[1] - _GREY[0]), 0, 1))
    # As dark as it is seen, as far as that is the white; the lids' shade comes on top.
    dim = bright ** (1 - share) * max(bright, _LIKE_SKIN * level) ** share
    found = (1 - share) * own / bright + share * usual
    return (found / found.mean() * dim).astype(np.float32)


def _is_white(light: Floats, seen: Mask, plain: Floats) -> Mask:
    """Which pixels are as bright and as grey as the white of an eye with its shading: bool h×w. light: linear h×w×3; seen: where to look; plain: the
    white's colour."""
    luma = light.mean(-1)
    if np.count_nonzero(seen) < 8:
        return seen
    bright = float(np.quantile(luma[seen], 0.9))
    tint = light / np.maximum(luma, 1e-4)[..., None]
    return (luma > 0.42 * bright) & (np.abs(tint - plain / plain.mean()).max(-1) < 0.35)


def _white(light: Floats, seen: Mask, plain: Floats, crop: _Crop, ball: tuple[float, float, float]) -> Floats:
    """The white of an eye over the whole crop: linear h×w×3. seen: where the photo shows it. plain: its colour."""
    white = np.broadcast_to(plain, light.shape)
    if np.count_nonzero(seen) >= 8:
        white = 0.4 * push_pull(light, seen) + 0.6 * white
    x, y = crop.to_crop(np.array([ball[:2]]))[0]
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    out = np.hypot(columns - x, rows - y) / (ball[2] * crop.scale)
    return (white * (1 - _DARKER * np.clip(out, 0, 1) ** 2)[..., None]).astype(np.float32)


def _shade(inside: Mask, away: Floats) -> Floats:
    """How much of the light the lids let through: h×w in [0, 1]. inside: where the opening is; away: distance from its edge in its heights.

    Without it whites look like eyes wide open. It turns with the eye, by a few degrees.
    """
    rows = np.arange(len(inside), dtype=np.float32)[:, None]
    middle = float((rows * inside).sum() / max(np.count_nonzero(inside), 1))
    half = max(0.25 * float(np.ptp(np.flatnonzero(inside.any(1)))), 1.0)
    lower = np.clip(0.5 + (rows - middle) / (2 * half), 0, 1)
    return (1 - _SHADE * (1 - ramp(away / (_SHADE_UPPER + (_SHADE_LOWER - _SHADE_UPPER) * lower)))).astype(np.float32)


def _disc(light: Floats, seen: Mask, out: Floats, middle: tuple[float, float]) -> tuple[Floats, float]:
    """The iris over the whole crop (linear h×w×3) and how soft its edge is, in radii.

    seen: where the photo shows it. out: radii from its middle. What lids cover is taken from the other half, mirrored; what neither shows, from the mean at
    that radius.
    """
    rings = np.clip((out * 12).astype(np.int64), 0, 12)
    # An outline that is a little off lets lids in, above and below: they are lighter than the iris is beside them.
    luma = light.mean(-1)
    rows = np.arange(len(out), dtype=np.float32)[:, None] - np.float32(middle[1])
    level = seen & (np.abs(rows) <= _LEVEL * np.hypot(rows, np.arange(out.shape[1], dtype=np.float32) - np.float32(middle[0])))
    beside = np.bincount(rings[level], luma[level], minlength=13) / np.maximum(np.bincount(rings[level], minlength=13), 1)
    seen = seen & ~((out > _INNER) & ~level & (beside[rings] > 0) & (luma > _LIGHTER * beside[rings]))
    count = np.bincount(rings[seen], minlength=13)
    if count.sum() < 12:
        pupil = np.clip((out - 0.36) / 0.08, 0, 1)[..., None]
        return (np.float32(0.002) * (1 - pupil) + _IRIS * pupil * np.where(out > 0.85, 0.5, 1)[..., None]).astype(np.float32), 0.15
    means = np.stack([np.bincount(rings[seen], light[..., c][seen], minlength=13) for c in range(3)], -1) / np.maximum(count, 1)[:, None]
    rows = np.arange(13)
    known = rows[count > 0]
    means = np.stack([np.interp(rows, known, means[known, c]) for c in range(3)], -1)
    place = np.clip(out * 12 - 0.5, 0, 11.999)
    i = place.astype(np.int64)
    share = (place - i)[..., None]
    disc = means[i] * (1 - share) + means[np.minimum(i + 1, 12)] * share
    flip = np.array([[1, 0, 0], [0, -1, 2 * middle[1]]], np.float32)
    size = (light.shape[1], light.shape[0])
    other = cv().warpAffine(light, flip, size, flags=cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE)
    there = cv().GaussianBlur(cv().warpAffine(seen.astype(np.float32), flip, size), (0, 0), max(1.0, 0.01 * max(size)))[..., None]
    disc = disc * (1 - there) + other * there
    here = cv().GaussianBlur(seen.astype(np.float32), (0, 0), max(1.0, 0.01 * max(size)))[..., None]
    return (disc * (1 - here) + light * here).astype(np.float32), 0.16


# Mouth and light ---------------------------------------------------------------------------------------------------------------


def mouth_picture(photo: Bytes, opening: Doubles) -> Picture:
    """What is seen between parted lips, going on into the dark under them. opening: polygon K×2 in pixels of the photo."""
    low, high = opening.min(0), opening.max(0)
    more = 0.35 * (high - low) + 2
    crop = _Crop.around(photo, (*(low - more), *(high + more)))  # type: ignore[arg-type]
    inside = crop.filled(opening)
    away = cv().distanceTransform(inside.astype(np.uint8), cv().DIST_L2, 5)
    seen = away > crop.scale
    light = crop.light
    if seen.any():
        beyond = cv().distanceTransform((~inside).astype(np.uint8), cv().DIST_L2, 5) / max(1.0, float(np.ptp(opening[:, 1])) * crop.scale)
        dim = np.maximum(_BEHIND_LIPS, 1 - 3 * beyond)[..., None]
        painted = push_pull(light, seen) * dim
    else:
        painted = light * np.float32(_BEHIND_LIPS)
    colour = _bytes(np.where(seen[..., None], light, painted))
    colour[seen] = crop.colour[seen]
    return Picture(crop.box, colour, _mask(~inside), _mask(inside & ~seen))


def light_of(photo: Bytes, face: FacePoints, opening: Doubles | None = None) -> tuple[float, float, float]:
    """By what colours seen in white light are to be multiplied inside of the mouth, linear (r, g, b).

    Where the photo shows bright teeth (opening: polygon K×2 in its pixels), they tell. Else the skin's brightest parts do: about what a white
    surface would have that is twice as light as skin, its tint halved, since skin has one of its own.
    """
    points = face.pixels((photo.shape[1], photo.shape[0]))
    if opening is not None and len(opening) > 2:
        teeth = _pixels(photo, opening)
        lips = _pixels(photo, points[48:60])
        if len(teeth) > 8:
            bright = np.quantile(teeth, 0.85, axis=0)
            if bright.mean() > 1.2 * np.median(lips.mean(1)):
                return _colour(bright / srgb_to_linear(np.array(TEETH)))
    skin = _pixels(photo, points[[36, 45, 54, 57, 48]])
    if not len(skin):
        return _MOUTH_LIGHT, _MOUTH_LIGHT, _MOUTH_LIGHT
    bright = np.quantile(skin, 0.7, axis=0)
    tint = np.sqrt(bright / max(float(bright.mean()), 1e-6) / np.array(_SKIN))
    level = float(np.clip(2 * bright.mean(), 0.05, 1.1)) * _MOUTH_LIGHT
    return _colour(level * tint)


def _colour(light: NDArray[np.floating]) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in np.clip(light, 0.01, 1.2))
    return r, g, b


def _pixels(photo: Bytes, polygon: Doubles) -> Floats:
    """The linear colours N×3 of a photo's pixels within a polygon; of a large one a part."""
    h, w = photo.shape[:2]
    left, top = np.clip(np.floor(polygon.min(0)).astype(int), 0, (w - 1, h - 1))
    right, bottom = np.clip(np.ceil(polygon.max(0)).astype(int) + 1, (left + 1, top + 1), (max(w, left + 1), max(h, top + 1)))
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv().fillPoly(mask, [np.round((polygon - (left + 0.5, top + 0.5)) * 256).astype(np.int32)], 1, shift=8)
    found = photo[top:bottom, left:right][mask > 0]
    return srgb_to_linear(found[:: max(1, len(found) // 20_000)].astype(np.float32) / 255)


def _bytes(light: Floats) -> Bytes:
    return np.rint(linear_to_srgb(light) * 255).astype(np.uint8)


def _mask(where: Mask) -> Bytes:
    return where.astype(np.uint8) * np.uint8(255)
