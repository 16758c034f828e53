"""Where a face of a photo is in space, which way it looks, and which place of the average face each of its pixels is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .canonical import POINTS
from .cv import cv
from .face_warp import Warp, fit_warp
from .faces import EYES
from .geometry import RayMap, ray_map
from .landmarks import BRIDGE, CHIN, COUNT, INNER_LIPS, JAW, LEFT_PUPIL, MIRROR, NOSTRILS, OUTER_LIPS, RIGHT_PUPIL, FacePoints
from .layered import PhotoCamera

Floats64 = NDArray[np.float64]

LOW = 0.3  # confidence below which a point is not trusted for the map of pixels
_FEWEST = 12  # points for it, below which those of low confidence are taken too
_MET = 0.01  # of the eye distance: lips or lids that are this close are shut
_ONE_PLACE = 0.004  # of the eye distance: points so close are one
_ROBUST = 0.06  # of the eye distance: misses beyond this count less and less
_STRETCH = 0.07  # standard deviation of how long faces are for their width
_ROUNDS, _STARTS = 25, (0.0, -0.5, 0.5)  # radians of yaw
_MET_PAIRS = ((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46))
_SOFT = np.full(COUNT, 0.01)
"""How readily the map of pixels passes a point by where it would fold over; 1 for points of the jaw that are turned away."""
_SOFT[JAW], _SOFT[17:27], _SOFT[INNER_LIPS] = 0.2, 0.03, 0.03
_HEAD = np.array((0.0, -0.03, -0.075))  # the middle of the head, from which the jaw is seen to turn away


def _trust() -> Floats64:
    """How much each point tells of the head's pose: soft ones move with the expression, those of the jaw slide along the contour."""
    trust = np.ones(COUNT)
    trust[JAW] = 0.12
    trust[CHIN - 1 : CHIN + 2] = 0.25
    trust[17:27] = 0.4
    trust[BRIDGE] = trust[NOSTRILS] = 1.5
    trust[OUTER_LIPS], trust[INNER_LIPS] = 0.4, 0.2
    trust[[RIGHT_PUPIL, LEFT_PUPIL]] = 0.5
    return trust


@dataclass(frozen=True)
class FaceFit:
    """The average face laid on a face of a photo.

    rotation: float64 3×3, columns: the face's x (to the subject's left), y (up) and z (out of the face) in the axes of layers. origin:
    (3,) metres in them, between the pupils, at the distance at which pupils 63 mm apart look so far apart as these do. scale: how much
    larger than the average face this one then is. size: (width, height) of the photo in pixels. rays: of its camera. error: root mean
    square miss of the trusted points in shares of the eye distance. warp: from pixels to the average face, as `canonical_xy` uses it.
    """

    rotation: Floats64
    origin: Floats64
    scale: float
    size: tuple[int, int]
    rays: RayMap
    error: float
    warp: Warp

    @property
    def angles(self) -> tuple[float, float, float]:
        """Degrees that the face is turned: yaw (to the subject's left), pitch (up), roll (its head's top to the subject's left)."""
        x, _, z = self.rotation.T
        yaw = math.degrees(math.atan2(z[0], -z[1]))
        pitch = math.degrees(math.asin(max(-1.0, min(1.0, float(z[2])))))
        return yaw, pitch, -math.degrees(math.atan2(x[2], math.hypot(x[0], x[1])))

    def to_layer(self, canonical: Floats64) -> Floats64:
        """Points of the average face (N×3 metres) in the axes of layers, metres, N×3."""
        return self.origin + self.scale * np.asarray(canonical, np.float64) @ self.rotation.T

    def project(self, canonical: Floats64) -> Floats64:
        """Where points of the average face (N×3 metres) lie in the photo by its pose alone: N×2 in shares from the left and the top."""
        at = self.to_layer(canonical)
        return _shares(at[:, (0, 2)] / at[:, 1:2], self.rays)

    def canonical_xy(self, points: Floats64) -> Floats64:
        """Places of the photo (N×2 in shares) in the average face as seen from the front: N×2 metres, right and above of between the
        pupils. Takes the trusted landmarks to their places in it exactly, is smooth, and is affine far from the face."""
        return self.warp.at(np.asarray(points, np.float64) * self.size)

    def from_canonical(self, places: Floats64) -> Floats64:
        """The inverse of `canonical_xy`: N×2 metres to N×2 shares, good for outlines of the face (a thousandth of the eye distance)."""
        places = np.asarray(places, np.float64).reshape(-1, 2)
        return self.warp.inverted(places, self._back.at(places)) / self.size

    @cached_property
    def _back(self) -> Warp:
        return fit_warp(self.warp.at(self.warp.source), self.warp.source)


def fit_face(face: FacePoints, camera: PhotoCamera, size: tuple[int, int]) -> FaceFit:
    """Fit the average face to a face's landmarks.

    camera, size: of the photo; (width, height) in pixels. Raises InputError if the points lie in one place or on a line. The pose is
    found by damped least squares on the rays of the points, with robust weights (iteratively reweighted, Cauchy), how long the
    face is being found along with it, so that a long face is not taken for a lifted one.
    """
    pixels = face.pixels(size)
    between = face.eye_distance(size)
    extent = float(np.sqrt(np.linalg.eigvalsh(np.cov(pixels.T))[0])) if np.isfinite(pixels).all() else 0.0
    if not (between > 0.5 and extent > 0.1 * between):
        raise InputError(
            "The landmarks of a face lie in one place or on one line; place both eyes, the corners of the mouth and the chin anew."
        )
    rays = ray_map(camera, size)
    seen = np.stack(rays.uv_to_ray(face.points[:, 0], 1 - face.points[:, 1]), -1)
    unit = float(np.hypot(*(seen[LEFT_PUPIL] - seen[RIGHT_PUPIL])))
    found = [_pose(seen, unit, face.confidence, yaw) for yaw in _STARTS]
    rotation, place, _, error = min(found, key=lambda pose: pose[3])
    pupils = POINTS[[RIGHT_PUPIL, LEFT_PUPIL]] @ rotation.T + place
    shown = float(np.hypot(*np.diff(pupils[:, (0, 2)] / pupils[:, 1:2], axis=0)[0]))
    nearer = max(0.3, min(3.0, shown / unit))  # the pupils' distance says how far away it is, and the whole face how large it is
    return FaceFit(rotation, place * nearer, nearer, size, rays, error, _warp(face, size, rotation, place))


def _pose(seen: Floats64, unit: float, confidence: Floats64, yaw: float) -> tuple[Floats64, Floats64, float, float]:
    """Rotation, place (metres, for a face of the average size), length of the face, and the error in shares of the eye distance.

    seen: float64 70×2, tangents right and up. unit: the eye distance in them. yaw: radians, from which to start.
    """
    across = (seen[LEFT_PUPIL] - seen[RIGHT_PUPIL]) / unit
    tilt = np.array(((across[0], -across[1], 0), (0, 0, -1), (across[1], across[0], 0)))
    turn = np.array(((math.cos(yaw), 0, math.sin(yaw)), (0, 1, 0), (-math.sin(yaw), 0, math.cos(yaw))))
    middle = seen[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    rotation, stretch = tilt @ turn, 1.0
    place = np.array((middle[0], 1.0, middle[1])) * EYES * abs(math.cos(yaw)) / unit
    trust = _trust() * confidence
    damping, cost = 1e-3, math.inf
    weights = trust
    for _ in range(_ROUNDS):
        miss = _misses(seen, unit, rotation, place, stretch)
        length = np.sqrt((miss**2).sum(-1))
        weights = trust * _facing(rotation, place) / (1 + (length / _ROBUST) ** 2)
        cost = float((weights * length**2).sum() + ((stretch - 1) / _STRETCH) ** 2 * _ROBUST**2)
        slopes = np.empty((2 * COUNT, 7))
        for i in range(7):
            step = np.zeros(7)
            step[i] = 1e-6
            slopes[:, i] = (_misses(seen, unit, *_stepped(rotation, place, stretch, step)) - miss).ravel() / 1e-6
        weighted = slopes * np.repeat(weights, 2)[:, None]
        normal, pull = weighted.T @ slopes, weighted.T @ miss.ravel()
        normal[6, 6] += (_ROBUST / _STRETCH) ** 2
        pull[6] += (stretch - 1) * (_ROBUST / _STRETCH) ** 2
        for _ in range(6):
            step = -np.asarray(np.linalg.solve(normal + np.diag(damping * np.diag(normal) + 1e-12), pull), np.float64)
            tried = _stepped(rotation, place, stretch, step)
            length = np.sqrt((_misses(seen, unit, *tried) ** 2).sum(-1))
            if tried[1][1] > 0 and float((weights * length**2).sum() + ((tried[2] - 1) / _STRETCH) ** 2 * _ROBUST**2) < cost:
                rotation, place, stretch = tried
                damping = max(damping / 5, 1e-9)
                break
            damping *= 5
        else:
            break
    miss = (_misses(seen, unit, rotation, place, stretch) ** 2).sum(-1)
    return rotation, place, stretch, float(np.sqrt((trust * np.minimum(miss, 1)).sum() / max(float(trust.sum()), 1e-9)))


def _stepped(rotation: Floats64, place: Floats64, stretch: float, step: Floats64) -> tuple[Floats64, Floats64, float]:
    turn = cv().Rodrigues(np.ascontiguousarray(step[:3]))[0]
    return turn @ rotation, place * np.exp(step[4]) + np.array((step[3], 0, step[5])) * place[1], stretch + step[6]


def _misses(seen: Floats64, unit: float, rotation: Floats64, place: Floats64, stretch: float) -> Floats64:
    """How far the face's points lie from the seen ones, in eye distances: 70×2."""
    at = (POINTS * (1, stretch, 1)) @ rotation.T + place
    away = np.maximum(at[:, 1:2], 1e-3)
    return (at[:, (0, 2)] / away - seen) / unit


def _facing(rotation: Floats64, place: Floats64) -> Floats64:
    """1 for points that face the camera; the jaw's that do not lie on the contour, wherever that runs: 0."""
    facing = np.ones(COUNT)
    facing[JAW] = np.clip(0.5 + 2 * _towards(rotation, place)[JAW], 0, 1)
    return facing


def _towards(rotation: Floats64, place: Floats64) -> Floats64:
    """The cosine between the direction out of the head at each point and that to the camera: above 0 if it is seen."""
    out = (POINTS - _HEAD) @ rotation.T
    view = -place / np.linalg.norm(place)
    return out @ view / np.linalg.norm(out, axis=1)


def _warp(face: FacePoints, size: tuple[int, int], rotation: Floats64, place: Floats64) -> Warp:
    """From pixels to the average face. Points that lie in one place (shut lips and lids) are one there, too."""
    pixels, goals = face.pixels(size), POINTS[:, :2].copy()
    between = face.eye_distance(size)
    up = np.array((rotation[0, 1], -rotation[2, 1]))
    for upper, lower in _MET_PAIRS:
        if (pixels[upper] - pixels[lower]) @ up / max(float(np.hypot(*up)), 1e-9) < _MET * between:
            pixels[[upper, lower]] = pixels[[upper, lower]].mean(0)
            goals[[upper, lower]] = goals[[upper, lower]].mean(0)
    kept = face.confidence >= LOW
    if np.count_nonzero(kept) < _FEWEST:
        kept = np.ones(COUNT, bool)
    soft = _SOFT.copy()
    soft[JAW][_towards(rotation, place)[JAW] < 0] = 1.0
    pixels, goals, soft = _apart(_ONE_PLACE * between, pixels[kept], goals[kept], soft[kept])
    return fit_warp(pixels, goals, _inside(pixels), soft)


def _inside(points: Floats64) -> Floats64:
    """Places N×2 all over the convex hull of points."""
    cv2 = cv()
    low, high = points.min(0), points.max(0)
    hull = cv2.convexHull(((points - low) / np.maximum(high - low, 1e-9)).astype(np.float32))
    steps = (np.arange(32) + 0.5) / 32
    places = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    held = [cv2.pointPolygonTest(hull, (float(x), float(y)), False) > 0 for x, y in places]
    return low + places[held] * (high - low)


def _apart(least: float, points: Floats64, *more: Floats64) -> list[Floats64]:
    """The points, and other arrays of as many rows, with those closer than `least` to an earlier one joined into their mean."""
    group = np.arange(len(points))
    for i in range(len(points)):
        near = np.hypot(*(points[:i] - points[i]).T) < least
        if near.any():
            group[i] = group[int(np.argmax(near))]
    kept = np.unique(group)
    return [np.array([rows[group == g].mean(0) for g in kept]) for rows in (points, *more)]


def points_of_some(
    size: tuple[int, int],
    known: dict[int, tuple[float, float]],
    source: str,
    confidence: tuple[float, float] = (1.0, 0.5),
    fov: float = 50.0,
) -> FacePoints:
    """All 70 points of a face from a few: the average face as it is turned, then bent so that it passes them exactly.

    size: (width, height) of the photo in pixels. known: points' numbers and places in pixels, both pupils among them and one off the line
    through them. confidence: of these and of the rest. fov: horizontal field of view in degrees, which hardly counts. Raises InputError
    if they lie on one line.
    """
    chosen = list(known)
    places = np.array([known[i] for i in chosen], np.float64)
    between = math.dist(known[RIGHT_PUPIL], known[LEFT_PUPIL])
    if not np.isfinite(places).all() or between < 0.5 or _thin(places, between):
        raise InputError("The points of a face lie on one line; place both eyes, the corners of the mouth and the chin anew.")
    shares = np.full((COUNT, 2), 0.5)
    shares[chosen] = places / size
    trust = np.zeros(COUNT)
    trust[chosen] = 1.0
    rays = ray_map(PhotoCamera(fov), size)
    seen = np.stack(rays.uv_to_ray(shares[:, 0], 1 - shares[:, 1]), -1)
    unit = float(np.hypot(*(seen[LEFT_PUPIL] - seen[RIGHT_PUPIL])))
    rotation, place, stretch, _ = _pose(seen, unit, trust, 0.0)
    at = (POINTS * (1, stretch, 1)) @ rotation.T + place
    laid = _shares(at[:, (0, 2)] / at[:, 1:2], rays) * size
    points = fit_warp(laid[chosen], places).at(laid)
    points[chosen] = places
    return FacePoints(points / size, np.where(trust > 0, confidence[0], confidence[1]), source)


def _thin(places: Floats64, between: float) -> bool:
    return len(places) < 3 or float(np.sqrt(max(np.linalg.eigvalsh(np.cov(places.T))[0], 0))) < 0.05 * between


def mirrored(points: Floats64) -> Floats64:
    """The average face's points (70×2 or 70×3) seen in a mirror, in the landmarks' own order."""
    turned = points[list(MIRROR)].copy()
    turned[:, 0] *= -1
    return turned


def _shares(tangents: Floats64, rays: RayMap) -> Floats64:
    """Ray tangents right and up (N×2) as places of the photo in shares from the left and the top."""
    return np.stack((tangents[:, 0] / rays.width + rays.u0, 1 - (tangents[:, 1] / rays.height + rays.v0)), -1)
