"""From what an estimator says to metres: the floor tells the horizon and how deep the scene is, a known size its scale.

A depth network mostly gives disparity of unknown scale and shift: α·d + β = 1/z. Planes stay planes under every choice of
the two, so the flatness of a floor cannot tell them; its horizon can. A level floor is at infinity exactly on the horizon:
there 1/z = 0, which gives β/α, and with it the ratio of far to near. What is left is the scale, which no single picture
holds: the camera is taken to be at eye level, unless a size is known. (Hoiem, Efros and Hebert, "Putting Objects in
Perspective", 2008, for the horizon and the camera's height; Xian et al. 2020 and Yin et al. 2021 for the shift.)
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..spec import DepthSpec
from .faces import eye_distances, with_relief
from .layered import AFFINE_FAR, AFFINE_NEAR, DepthKind, DepthMap, inverted

Floats = NDArray[np.float32]

EYE_LEVEL = 1.6  # metres
RATIOS = 2.5, 30.0  # far to near: what a floor may make of a picture without metres
_HORIZON, _HORIZON_SPREAD = 0.4, 0.2  # of the height, from the top: where photos that show a floor have their horizon
_RATIO, _RATIO_SPREAD = 6.0, 0.6  # far to near of photos, and the deviation of its logarithm
DEFAULT_FOV = 50.0

_LOOKED_AT = 300_000  # pixels at most
_SAMPLES = 6000  # pixels among which the floor is looked for
_TRIES = 300
_NEAR_PLANE = 0.015  # of the spread of 1/z: what counts as on the plane
_ROLL = math.tan(math.radians(12))  # a floor leans no more to the side in a photo
_LEAST_SHARE = 0.3  # of the lower half, on the plane
_LEAST_RISE = 0.15  # of the spread of 1/z, from the middle of the picture to its bottom edge
_PITCH = 45.0  # degrees: a camera that looks farther up or down sees no horizon worth levelling by
_CAMERA_HEIGHTS = 0.2, 20.0  # metres above a floor: what faces may make of the camera's height
_FACE_SCALES = 0.1, 10.0  # how many times larger faces may make a scene than it would be without them
_OUTLIERS = 0.05  # per cent of the pixels that a network may put too near


class Floor(NamedTuple):
    """A plane in the picture: 1/z (in any scale and shift) is across·u + down·v + middle.

    u, v: right and down of the picture's middle, in shares of its width. share: of the picture's lower half, that lies on it.
    """

    across: float
    down: float
    middle: float
    share: float


def find_floor(inverse: Floats, *, seed: int = 0) -> Floor | None:
    """The plane of a level floor in the lower half of a picture, or None.

    inverse: float32 H×W, linear in 1/z; NaN has no value. A plane is a floor if it comes nearer towards the bottom edge, leans
    little to the side, and a good part of the picture's lower half lies on it (random sample consensus, Fischler and
    Bolles 1981, then least squares).
    """
    height, width = inverse.shape
    step = max(1, math.isqrt(height * width // _LOOKED_AT))
    seen = inverse[::step, ::step]
    everything = seen[np.isfinite(seen)]
    half = -(-height // 2 // step)  # the first row looked at in the lower half
    known = np.flatnonzero(np.isfinite(seen[half:]))
    if known.size < 100:
        return None
    low, high = np.percentile(everything, (1, 99))
    spread = float(high - low)
    if spread <= 0:
        return None
    random = np.random.default_rng(seed)
    chosen = random.choice(known, min(_SAMPLES, known.size), replace=False)
    row, column = np.divmod(chosen, seen.shape[1])
    u = (column * step + 0.5 - width / 2) / width
    v = ((row + half) * step + 0.5 - height / 2) / width
    z = seen[half:].ravel()[chosen].astype(np.float64)
    terms = np.stack([u, v, np.ones_like(u)], 1)
    best, count = None, 0
    for _ in range(_TRIES):
        three = random.choice(len(z), 3, replace=False)
        try:
            plane = np.linalg.solve(terms[three], z[three])
        except np.linalg.LinAlgError:  # three in a line
            continue
        if not _is_level(plane, spread, height / width):
            continue
        on = np.abs(terms @ plane - z) < _NEAR_PLANE * spread
        if on.sum() > count:
            best, count = on, int(on.sum())
    if best is None or count < _LEAST_SHARE * len(z):
        return None
    plane = np.linalg.lstsq(terms[best], z[best], rcond=None)[0]
    return Floor(float(plane[0]), float(plane[1]), float(plane[2]), count / len(z)) if _is_level(plane, spread, height / width) else None


def _is_level(plane: NDArray[np.floating], spread: float, aspect: float) -> bool:
    return plane[1] * aspect / 2 > _LEAST_RISE * spread and abs(plane[0]) < _ROLL * plane[1]


def to_metres(depth: DepthMap, settings: DepthSpec, fov: float | None) -> DepthMap:
    """Return `depth` with everything in it settled that the picture and `settings` tell: metres, horizon, camera height.

    fov: horizontal field of view of the photo in degrees where it is known. Where near and far are both set, disparity of
    unknown scale is left as it is, for it is stretched between them. Otherwise the result is metric disparity with an
    infinitely far sky. Raises InputError if no pixel has a value, or if the known size lies where there is no depth.
    """
    focal = 0.5 / math.tan(math.radians(fov or depth.fov or DEFAULT_FOV) / 2)
    if depth.kind is DepthKind.AFFINE_DISPARITY:
        if settings.near is not None and settings.far is not None:
            return depth
        settled = _from_affine(depth, settings, focal)
    else:
        settled = _from_depth(depth, settings, focal)
    if settings.known_size is not None:
        return _scaled(settled, known_scale(settled.values, settings, focal))
    told = settings.near is not None or settings.far is not None or depth.kind in (DepthKind.METRIC_DEPTH, DepthKind.METRIC_DISPARITY)
    scale = None if told else face_scale(settled, focal)
    return settled if scale is None else _scaled(settled, scale)


def _scaled(depth: DepthMap, scale: float) -> DepthMap:
    """Metric disparity of a scene that is `scale` times as large."""
    height = None if depth.camera_height is None else depth.camera_height * scale
    return replace(depth, values=depth.values / np.float32(scale), camera_height=height)


def face_scale(depth: DepthMap, focal: float) -> float | None:
    """How many times larger the scene must be for the eyes of its faces to be as far apart as eyes are, on the median.

    depth: metric disparity with faces. focal: in shares of the picture's width. None if no face shows both eyes, or if the
    scene or the camera's height above the floor became what no photo has: a poster, a doll, a mistake.
    """
    scales = []
    for length in eye_distances(depth.faces or ()):
        size = _length(depth.values, length.start, length.end, focal)
        if size is not None:
            scales.append(length.metres / size)
    if not scales:
        return None
    scale = float(np.median(scales))
    height = depth.camera_height
    if not _FACE_SCALES[0] < scale < _FACE_SCALES[1]:
        return None
    return scale if height is None or _CAMERA_HEIGHTS[0] < height * scale < _CAMERA_HEIGHTS[1] else None


def shape_faces(depth: DepthMap, settings: DepthSpec, fov: float | None) -> DepthMap:
    """Return `depth`, as `to_metres` gives it, with the relief that faces have. fov: as there."""
    if not depth.faces:
        return depth
    focal = 0.5 / math.tan(math.radians(fov or depth.fov or DEFAULT_FOV) / 2)
    if depth.kind is not DepthKind.AFFINE_DISPARITY:
        return replace(depth, values=with_relief(depth.values, depth.faces, focal))
    if settings.near is None or settings.far is None:
        return depth
    # Stretched between near and far: relief needs the zero that they give it, and stays between them.
    known = np.isfinite(depth.values)
    if not known.any():
        return depth
    low, high = float(depth.values[known].min()), float(depth.values[known].max())
    per = np.float32((1 / settings.near - 1 / settings.far) / (high - low)) if high > low else np.float32(0)
    if not per > 0:
        return depth
    shaped = with_relief((depth.values - np.float32(low)) * per + np.float32(1 / settings.far), depth.faces, focal)
    return replace(depth, values=np.clip((shaped - np.float32(1 / settings.far)) / per + np.float32(low), low, high).astype(np.float32))


def _from_affine(depth: DepthMap, settings: DepthSpec, focal: float) -> DepthMap:
    """Metric disparity from disparity of unknown scale and shift."""
    known = np.isfinite(depth.values) if depth.sky is None else np.isfinite(depth.values) & ~depth.sky
    if not known.any():
        raise InputError(f"The depth from {depth.made_by} holds no number at all; choose another depth map.")
    low, high = float(depth.values[known].min()), float(depth.values[known].max())
    d = ((depth.values - low) / (high - low) if high > low else np.zeros_like(depth.values)).astype(np.float32)
    d = np.where(known, d, np.float32(np.nan))
    height, width = d.shape
    floor, horizon = find_floor(d), depth.horizon
    if floor is not None and horizon is None:
        horizon = likely_horizon(floor, height / width, settings.ratio)
    v_horizon = 0.0 if horizon is None else (horizon - 0.5) * height / width
    ratio = settings.ratio
    if ratio is None:
        ratio = AFFINE_FAR / AFFINE_NEAR if floor is None else ratio_from_floor(floor, v_horizon)
    inverse = d * np.float32(1 - 1 / ratio) + np.float32(1 / ratio)  # 1 at the nearest point
    camera_height = depth.camera_height
    if settings.near is not None:
        scale = settings.near
    elif settings.far is not None:
        scale = settings.far / ratio
    elif floor is not None:
        camera_height = EYE_LEVEL if camera_height is None else camera_height
        scale = camera_height * _rise(floor, 1 - 1 / ratio) * focal / math.cos(math.atan(v_horizon / focal))
    else:
        scale = AFFINE_NEAR
    values = np.where(np.isnan(inverse), 0 if depth.sky is not None else 1 / ratio, inverse) / np.float32(scale)
    if depth.sky is not None:
        values = np.where(depth.sky, 0, np.where(np.isnan(inverse), 1 / (ratio * scale), values))
    return replace(
        depth,
        values=values.astype(np.float32),
        kind=DepthKind.METRIC_DISPARITY,
        horizon=horizon,
        camera_height=camera_height,
    )


def likely_horizon(floor: Floor, aspect: float, ratio: float | None = None) -> float:
    """Where the horizon of a picture with this floor most likely is, as a share of its height from the top.

    floor: of disparity stretched over [0, 1]. aspect: height over width of the picture. ratio: far to near, if it is known;
    otherwise the horizon and the ratio that goes with it are weighed against what photos have (normal and log-normal).
    """
    horizons = np.linspace(-0.5, 1.0, 1501)
    infinite = floor.down * (horizons - 0.5) * aspect + floor.middle
    ratios = np.where(infinite < 0, (1 - infinite) / np.maximum(-infinite, 1e-9), 1e9)
    wanted, spread = (_RATIO, _RATIO_SPREAD) if ratio is None else (ratio, 0.01)
    cost = ((horizons - _HORIZON) / _HORIZON_SPREAD) ** 2 + (np.log(ratios / wanted) / spread) ** 2
    return float(horizons[np.argmin(cost)])


def ratio_from_floor(floor: Floor, v_horizon: float) -> float:
    """Far to near of a picture whose floor meets its horizon at `v_horizon`, within RATIOS.

    floor: of disparity stretched over [0, 1]. On the horizon the floor's disparity is that of infinity, d∞; then 1/z is
    proportional to d − d∞, and far to near is (1 − d∞) / (0 − d∞).
    """
    infinite = floor.down * v_horizon + floor.middle
    if infinite >= 0:  # something in the picture is farther than the floor's own end
        return RATIOS[1]
    return min(max((1 - infinite) / -infinite, RATIOS[0]), RATIOS[1])


def _rise(floor: Floor, share: float) -> float:
    """How fast 1/z of the floor rises downwards, where the nearest point has 1/z = 1."""
    return floor.down * share


def _from_depth(depth: DepthMap, settings: DepthSpec, focal: float) -> DepthMap:
    """Metric disparity from depth or disparity that is known but for its scale, or known altogether."""
    inverse = inverted(depth.values, depth.kind)
    inverse = np.where(inverse >= 0, inverse, np.float32(np.nan))
    solid = np.isfinite(inverse) & (inverse > 0) if depth.sky is None else np.isfinite(inverse) & (inverse > 0) & ~depth.sky
    if not solid.any():
        raise InputError(f"The depth from {depth.made_by} holds no usable distance; choose another depth map or set --depth-kind.")
    horizon, camera_height = depth.horizon, depth.camera_height
    height, width = inverse.shape
    floor = find_floor(np.where(solid, inverse, np.float32(np.nan))) if horizon is None else None
    if floor is not None:
        v_horizon = -floor.middle / floor.down
        pitch = math.atan(v_horizon / focal)
        if abs(math.degrees(pitch)) < _PITCH:
            horizon = 0.5 + v_horizon * width / height
            camera_height = math.cos(pitch) / (floor.down * focal)
    if depth.kind is DepthKind.AFFINE_DEPTH:
        nearest = float(np.percentile(inverse[solid], 100 - _OUTLIERS))
        if settings.near is not None:
            scale = settings.near * nearest
        elif settings.far is not None:
            scale = settings.far * float(np.percentile(inverse[solid], _OUTLIERS))
        else:
            scale = EYE_LEVEL / camera_height if camera_height else AFFINE_NEAR * nearest
        inverse = inverse / np.float32(scale)
        camera_height = None if camera_height is None else camera_height * scale
    if depth.sky is not None:
        inverse = np.where(depth.sky, 0, inverse).astype(np.float32)
    return replace(depth, values=inverse, kind=DepthKind.METRIC_DISPARITY, horizon=horizon, camera_height=camera_height)


def known_scale(inverse: Floats, settings: DepthSpec, focal: float) -> float:
    """How many times larger the scene must be for the known size to be right.

    inverse: float32 H×W, 1/z. The two points of the settings are the ends of something that stands upright before the
    camera, at the median distance of what lies between them. Raises InputError if there is nothing but sky, or no distance.
    """
    assert settings.known_size is not None
    size = _length(inverse, settings.known_from, settings.known_to, focal)
    if size is None:
        raise InputError(
            "The known size must reach from one point of a thing to another, not over the sky; set --known-from and --known-to."
        )
    return settings.known_size / size


def _length(inverse: Floats, start: tuple[float, float], end: tuple[float, float], focal: float) -> float | None:
    """How long in the unit of 1/inverse what reaches from `start` to `end` is, in shares of the picture; None if nothing does."""
    height, width = inverse.shape
    share = np.linspace(0.02, 0.98, 200)[:, None]
    points = np.asarray(start) + share * (np.asarray(end) - np.asarray(start))
    x = np.clip((points[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip((points[:, 1] * height).astype(int), 0, height - 1)
    between = inverse[y, x]
    between = between[np.isfinite(between) & (between > 0)]
    across, down = end[0] - start[0], (end[1] - start[1]) * height / width
    length = math.hypot(across, down)
    if between.size == 0 or length < 2 / width:
        return None
    return length / focal / float(np.median(between))
