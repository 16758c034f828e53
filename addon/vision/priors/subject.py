"""Clear subjects: one connected piece of depth with the silhouette that the photo shows.

What a small network draws of a person is a blob: a dark coat goes with the dark wall behind it, hair is half as far away as
the face. Where its near region has a boundary that the network takes for an edge nearly all around, the region is cut out
by colour (GrabCut, Rother, Kolmogorov and Blake 2004), and the depths of both sides are completed each from its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cv import cv
from ..faces import Face, ellipse_radius

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LOOKED_AT = 256  # pixels of the longer side that silhouettes are looked for in

_LEVELS = np.arange(0.3, 0.92, 0.04)  # of the disparity's range, where a region may end
_AREA = 0.02, 0.65  # share of the picture that a subject may take
_CERTAIN = 0.5  # the likelihood from which on an edge counts as one in full
_EDGE = 0.75  # mean of what counts along a region's boundary for it to be a subject
_AROUND = 0.012  # of the longer side: an edge counts this far beside a boundary
_SURE = 0.03  # of the longer side: what is farther inside or outside is not asked
_ROUNDS = 4
_SAME = 0.85  # how much of it GrabCut's result must share with the region that it began with (intersection over union)
_STILL_EDGE = 0.7  # of the edges along the region's boundary, that the result's boundary must keep
_STEP, _FEW, _FLAT = 1.3, 0.2, 0.08
"""How large the step of disparity across the silhouette must be, over the deviation inside (at least _FLAT of the range), all
around but for a fifth: a table top with things on it is no subject."""
_APART = 0.4  # Hellinger distance of the colours inside and outside, close to the silhouette
_BINS = 8  # of each of three channels, for these
_HAIR, _NECK = 1.2, 0.7  # a head with its hair, and half a neck, in half axes of the face
_SHOULDERS = 2.3, 1.6  # half width in half widths of the face, and where they begin below its middle in half heights

_BAND = 2.5  # pixels of the network's map, on either side of a silhouette, that are completed from their own side
_HOLE = 0.5  # how far towards the outside a pixel inside must lie to be a hole


def find_subject(colour: Bytes, values: Floats, edges: Floats, faces: tuple[Face, ...] = ()) -> Mask | None:
    """The silhouette of a clear subject, or None.

    colour: uint8 H×W×3, sRGB, at most about LOOKED_AT pixels long, since it takes time. values: float32 H×W, disparity of any
    scale and shift. edges: float32 H×W in [0, 1], how likely one thing ends before another. faces: of the picture. Returns
    bool H×W. A subject is clear if edges run along its boundary, if its colours differ from those beside it, and if colours
    and depth mean nearly the same region. Deterministic; sets the seed of OpenCV's random numbers.
    """
    cv2 = cv()
    height, width = values.shape
    low, high = np.percentile(values, (1, 99))
    if not high > low or min(height, width) < 24:
        return None
    d = ((values - low) / (high - low)).astype(np.float32)
    near = _disc(_AROUND * max(height, width))
    likely = cv2.dilate(edges.astype(np.float32), near)
    along = np.minimum(likely / np.float32(_CERTAIN), 1)
    started = max(_candidates(d, faces), key=lambda mask: _mean_along(mask, likely), default=None)
    if started is None:
        return None
    strength = _mean_along(started, along)
    if strength < _EDGE:
        return None
    found = _cut(colour, started, faces)
    if found is None:
        return None
    union = np.count_nonzero(found | started)
    if np.count_nonzero(found & started) < _SAME * union or _mean_along(found, along) < _STILL_EDGE * strength:
        return None
    steps = _steps(d, found)
    if steps.size == 0 or float(np.quantile(steps, _FEW)) < _STEP * max(float(d[found].std()), _FLAT):
        return None
    return found if _colours_apart(colour, found) >= _APART else None


def _candidates(d: Floats, faces: tuple[Face, ...]) -> list[Mask]:
    """Regions that may be a subject: the largest connected pieces nearer than some level, and what belongs to a face."""
    cv2 = cv()
    found = []
    for level in _LEVELS:
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((d > level).astype(np.uint8), connectivity=4)
        if count < 2:
            continue
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        found.append(_without_holes(pieces == largest))
    for face in faces:
        radius = ellipse_radius(d.shape, face)
        if not (radius < 0.8).any():
            continue
        level = float(np.median(d[radius < 0.8])) - 0.2
        body = ((radius < _HAIR) | _below_head(d.shape, face)) & (d > level)
        found.append(_without_holes(body))
    return [mask for mask in found if _AREA[0] < mask.mean() < _AREA[1]]


def _below_head(shape: tuple[int, int], face: Face) -> Mask:
    """Neck and shoulders: what is below a face and not wider than they are, down to the picture's border."""
    height, width = shape
    y, x = np.ogrid[:height, :width]
    across = np.abs((x + 0.5) / width - face.x) / max(face.half_width, 1e-6)
    down = ((y + 0.5) / height - face.y) / max(face.half_height, 1e-6)
    return ((across < _NECK) & (down > 0)) | ((across < _SHOULDERS[0]) & (down > _SHOULDERS[1]))


def _without_holes(mask: Mask) -> Mask:
    """The mask with what it encloses."""
    padded = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, pieces = cv().connectedComponents(padded, connectivity=4)
    return (pieces != pieces[0, 0])[1:-1, 1:-1]


def _boundary(mask: Mask) -> Mask:
    """The pixels of the mask beside others; the picture's border is no boundary."""
    return mask & (cv().erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv().BORDER_REPLICATE) == 0)


def _mean_along(mask: Mask, values: Floats) -> float:
    boundary = _boundary(mask)
    return float(values[boundary].mean()) if boundary.any() else 0.0


def _cut(colour: Bytes, started: Mask, faces: tuple[Face, ...]) -> Mask | None:
    """GrabCut with what is well inside and well outside of a region settled; None if nothing is left of it."""
    cv2 = cv()
    reach = _SURE * max(started.shape)
    inside, outside = _distance(started), _distance(~started)
    trimap = np.where(started, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[inside > reach] = cv2.GC_FGD
    trimap[outside > reach] = cv2.GC_BGD
    for face in faces:
        head = ellipse_radius(started.shape, face) < 0.75
        if np.count_nonzero(head & started) * 2 > np.count_nonzero(head):
            trimap[head] = cv2.GC_FGD
    if not ((trimap == cv2.GC_FGD).any() and (trimap == cv2.GC_BGD).any()):
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(colour), trimap, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    mask = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    return _without_holes(pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _distance(mask: Mask) -> Floats:
    """How far each pixel of the mask is from the others, the picture's border being none; large everywhere if there are none."""
    return cv().distanceTransform(mask.astype(np.uint8), cv().DIST_L2, 5)


def _colours_apart(colour: Bytes, mask: Mask) -> float:
    """The Hellinger distance of the colours on either side of a silhouette: 0 for the same, 1 for none in common."""
    reach = 3 * _SURE * max(mask.shape)
    band = _distance(mask) < reach, _distance(~mask) < reach
    sides = []
    for side in (mask & band[0], ~mask & band[1]):
        histogram = cv().calcHist([colour], [0, 1, 2], side.astype(np.uint8), [_BINS] * 3, [0, 256] * 3)
        # Smoothed, so that a colour beside a bin's border is not another one.
        for axis in range(3):
            padded = np.pad(histogram, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
            taken = [np.take(padded, np.arange(_BINS) + shift, axis) for shift in (0, 1, 2)]
            histogram = (taken[0] + 2 * taken[1] + taken[2]) / 4
        sides.append(histogram / max(float(histogram.sum()), 1e-9))
    return float(np.sqrt(max(0.0, 1 - float(np.sqrt(sides[0] * sides[1]).sum()))))


def _steps(d: Floats, mask: Mask) -> Floats:
    """How much nearer the subject is than what is beside it, at each pixel of its boundary; empty if either side is thin."""
    reach = _SURE * max(mask.shape)
    own, other = (_spread(d, side & (_distance(side) > reach)) for side in (mask, ~mask))
    boundary = _boundary(mask)
    return (own - other)[boundary] if own is not None and other is not None else np.zeros(0, np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return cv().getStructuringElement(cv().MORPH_ELLIPSE, (side, side))


# Completing --------------------------------------------------------------------------------------------------------------


def complete_sides(values: Floats, subject: Floats) -> Floats:
    """Make a network's map break at a silhouette: what is close to it takes the depth of its own side, and holes close.

    values: float32 h×w, disparity of any scale and shift. subject: float32 h×w in [0, 1], the share of each pixel that the
    subject covers. Returns float32 h×w. Inside nothing becomes farther, outside nothing nearer, and nothing changes outside
    farther than _BAND pixels from the silhouette. Where subject and surroundings touch, as feet and floor do, both have one depth
    and stay joined.
    """
    inside = subject > 0.5
    if not inside.any() or inside.all():
        return values
    own = _spread(values, inside & (_distance(inside) > _BAND))
    other = _spread(values, ~inside & (_distance(~inside) > _BAND))
    if own is None or other is None:
        return values
    close = _distance(inside) + _distance(~inside) <= _BAND
    result = np.where(inside & close, np.maximum(values, own), np.where(~inside & close, np.minimum(values, other), values))
    level = _mean_of(result, inside & (result > own - 1e-6) | (inside & ~close))
    hole = inside & (level > other) & (result < level - _HOLE * (level - other))
    result = np.where(hole, level, result)
    return result.astype(np.float32)


def _spread(values: Floats, known: Mask) -> Floats | None:
    """Every pixel with the value of the nearest known one, slightly smoothed beyond them; None if there is none."""
    cv2 = cv()
    if not known.any():
        return None
    _, label = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    found = np.zeros(int(label.max()) + 1, np.float32)
    found[label[known]] = values[known]
    spread = found[label]
    return np.where(known, values, cv2.GaussianBlur(spread, (0, 0), 1.0)).astype(np.float32)


def _mean_of(values: Floats, known: Mask) -> Floats:
    """Means of the known values over a tenth of the picture."""
    cv2 = cv()
    sigma = 0.1 * max(values.shape)
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma)
    return cv2.GaussianBlur(np.where(known, values, 0).astype(np.float32), (0, 0), sigma) / np.maximum(weight, 1e-4)
