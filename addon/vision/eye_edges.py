"""The eyes' points where the photo has iris and lids, near where a network has placed them.

A landmark network is off by some hundredths of the eyes' distance, most behind glasses: that is half an iris. What would be cut open then is
the skin below the eye, and half of the iris would stay on the lid. The iris is the dark disc that becomes brighter outwards on both sides
(Daugman 1993's operator on the sectors that lids leave free); above and below it the lids' edges are where that dark ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .edge_paths import lab_at
from .landmarks import LEFT_EYE, LEFT_PUPIL, RIGHT_EYE, RIGHT_PUPIL, FacePoints

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_UNIT = 160  # samples of the patch in the distance of the eyes
_LEAST = 24.0  # pixels between the eyes below which a photo tells nothing better than the network
_USUAL = 0.0935  # of the eyes' distance: the radius of an iris
_HALF = 56  # samples from the middle of the patch to its border
_OFF = 0.085  # of the eyes' distance: how far the iris may lie from where the network has it
_STAY = 6.0  # L* that a place so far off must be better by
_CLEAR = 7.0  # L* by which the outside is brighter than the disc on both sides, at least
_UP, _DOWN = (0.35, 1.25), (0.45, 1.35)  # radii from the iris' middle within which the upper and the lower lid are looked for
_USUAL_UP, _USUAL_DOWN = 0.80, 0.90  # where they usually are
_STAYS = 0.55, 1.15  # radii below the middle of the iris at which a lower lid is left where the network has it
_SHUT = 0.35  # and nearer than so an eye is shut, and what was found is its lashes
_USUALLY = 4.0  # L* that an edge three tenths of a radius beside that must be better by
_LASHES = 0.22  # radii that the edge of the upper lid lies below that of the dark
_EDGE = 4.0  # L* across the edge of a lid, at least
_LIDS_OFF = 0.075  # of the eyes' distance: how far a lid moves at most


class _Patch(NamedTuple):
    """What lies about an eye, upright and _UNIT samples from eye to eye. light: L*, blurred. middle: pixels of the photo in its middle.
    across, down: pixels of a sample."""

    light: Floats
    middle: Doubles
    across: Doubles
    down: Doubles

    def samples(self, points: Doubles) -> Doubles:
        """Pixels of the photo N×2 as samples right of and below the patch's middle."""
        return (points - self.middle) @ np.linalg.inv(np.stack([self.across, self.down]))

    def pixels(self, samples: Doubles) -> Doubles:
        return self.middle + samples @ np.stack([self.across, self.down])

    def at(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> Floats:
        """L* at samples right of and below the middle."""
        flat = [np.ascontiguousarray((v + _HALF).reshape(len(v), -1), np.float32) for v in (x, y)]
        return cv().remap(self.light, *flat, cv().INTER_LINEAR, borderMode=cv().BORDER_REPLICATE).reshape(x.shape)


def on_eyes(colour: Bytes, face: FacePoints) -> FacePoints:
    """The face with pupils and lids where the photo shows iris and lids.

    colour: uint8 H×W×3, sRGB. An eye whose iris is not seen clearly, and those of a face smaller than 24 pixels from eye to eye, stay.
    """
    size = (colour.shape[1], colour.shape[0])
    points, unit = face.pixels(size).copy(), face.eye_distance(size)
    if unit < _LEAST:
        return face
    for ring, pupil in ((RIGHT_EYE, RIGHT_PUPIL), (LEFT_EYE, LEFT_PUPIL)):
        found = _moved(_patch(colour, points, ring, pupil), points[ring], points[pupil])
        if found is not None:
            points[ring], points[pupil] = found
    return replace(face, points=points / size)


def _patch(colour: Bytes, points: Doubles, ring: slice, pupil: int) -> _Patch:
    cv2 = cv()
    way = points[LEFT_PUPIL] - points[RIGHT_PUPIL]
    across = way / _UNIT
    down = np.array([-across[1], across[0]])
    middle = (points[ring].mean(0) + points[pupil]) / 2
    c, r = np.meshgrid(np.arange(-_HALF, _HALF + 1.0), np.arange(-_HALF, _HALF + 1.0))
    at = middle + c[..., None] * across + r[..., None] * down
    scale = float(np.hypot(*across))
    light = lab_at(colour, at, 0.5 * scale if scale > 1 else 0.0)[..., 0]
    # Lights on the cornea are smaller than an iris, and no lid.
    light = cv2.morphologyEx(light, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    return _Patch(cv2.GaussianBlur(light, (0, 0), 1.2), middle, across, down)


def _moved(patch: _Patch, ring: Doubles, pupil: Doubles) -> tuple[Doubles, Doubles] | None:
    """An eye's six points and its pupil (pixels of the photo) on what the patch shows; None if that tells nothing."""
    own, guess = patch.samples(ring), patch.samples(pupil[None])[0]
    centre = (guess + own.mean(0)) / 2
    disc = _iris(patch, centre)
    if disc is None:
        return None
    x, y, radius = disc
    # At the iris, where the landmarks have the lids: between the two marks of each half.
    was = [float(np.interp(x, *own[order].T)) for order in ([0, 1, 2, 3], [0, 5, 4, 3])]
    if was[1] - y < _SHUT * radius:
        return None
    most = _LIDS_OFF * _UNIT
    up, low = (float(np.clip(now - then, -most, most)) for now, then in zip(_lids(patch, x, y, radius, was[1]), was))
    both = float(np.sign(up)) * min(abs(up), abs(low)) if up * low > 0 else 0.0
    shift = np.array([both, up, up, both, low, low])
    return patch.pixels(own + np.column_stack([np.zeros(6), shift])), patch.pixels(np.array([[x, y]]))[0]


def _iris(patch: _Patch, centre: Doubles) -> tuple[float, float, float] | None:
    """The middle (x, y) and radius of the iris, in samples; None if there is none."""
    reach = _OFF * _UNIT
    steps = np.arange(-np.ceil(reach), np.ceil(reach) + 1)
    dx, dy, radius = (a.ravel() for a in np.meshgrid(steps, steps, _USUAL * _UNIT * np.linspace(0.8, 1.2, 7), indexing="ij"))
    inside = np.hypot(dx, dy) <= reach
    dx, dy, radius = dx[inside], dy[inside], radius[inside]
    x, y = centre[0] + dx, centre[1] + dy
    angle = np.radians(np.linspace(-25, 40, 12))  # from above to below the horizontal; lids cover the rest
    sides = []
    for sign in (-1, 1):
        near, far = (
            patch.at(x[:, None] + sign * s * radius[:, None] * np.cos(angle), y[:, None] + s * radius[:, None] * np.sin(angle))
            for s in (0.82, 1.2)
        )
        sides.append((far - near).mean(1))
    weaker, both = np.minimum(*sides), sides[0] + sides[1]
    spots = np.array([(0, 0), (0.4, 0.1), (-0.4, 0.1), (0, 0.5), (0, -0.3)])
    dark = patch.at(x[:, None] + radius[:, None] * spots[:, 0], y[:, None] + radius[:, None] * spots[:, 1]).mean(1)
    score = (
        weaker
        + 0.5 * both
        - 0.35 * (dark - dark.min())
        - _STAY * ((dx**2 + dy**2) / reach**2 + ((radius / (_USUAL * _UNIT) - 1) / 0.2) ** 2)
    )
    best = int(np.argmax(score))
    if weaker[best] < _CLEAR:
        return None
    return float(x[best]), float(y[best]), float(radius[best])


def _lids(patch: _Patch, x: float, y: float, radius: float, lower: float) -> tuple[float, float]:
    """How far below the patch's middle the lids' edges are above and below an iris, in samples.

    lower: where the landmarks have the lower one, which they do well unless they miss the whole eye. Where no edge is clear a lid is where it usually
    is.
    """
    columns = x + radius * np.linspace(-0.5, 0.5, 9)
    edges: list[float] = []
    for sign, (least, most), usual in ((-1, _UP, _USUAL_UP), (1, _DOWN, _USUAL_DOWN)):
        out = np.linspace(least - 0.2, most + 0.2, 60)
        rows = y + sign * radius * out
        light = np.median(patch.at(*np.meshgrid(columns, rows)), 1)
        gap = 6  # of 60: about a sixth of the radius
        rise = light[2 * gap :] - light[: -2 * gap]
        place = out[gap:-gap]
        allowed = (place >= least) & (place <= most)
        gain = np.where(allowed, rise - _USUALLY * ((place - usual) / 0.3) ** 2, -np.inf)
        best = int(np.argmax(gain))
        edges.append(y + sign * radius * (float(place[best]) if rise[best] >= _EDGE else usual))
    beside = (lower - y) / radius
    # The lashes, which are as dark as the iris, are the lid's.
    return edges[0] + _LASHES * radius, lower if _STAYS[0] <= beside <= _STAYS[1] else edges[1]
