"""The silhouettes of people in a photo: cut out by colour from where the face, the body's joints and the depth say that they are.

GrabCut (Rother, Kolmogorov and Blake 2004) on a small picture, whose pixels are settled as far as face, joints and depth settle them, and
the guided filter (`guided`) for the photo's own edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .faces import EYES
from .guided import fast_global_smooth, fit_to_colour
from .joints import neck_pit, pixels_per_metre, shoulder_width
from .landmarks import CHIN, LEFT_PUPIL, NOSE_TIP, RIGHT_PUPIL, Person

Floats = NDArray[np.float32]
Floats64 = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LOOKED_AT = 256  # pixels of the longer side that silhouettes are looked for in
_SMALLEST = 3.0  # pixels between the pupils in it, below which nothing can be told
_ROUNDS = 3
_CERTAIN, _NEVER = 5.0, 8.0  # logarithms of the odds
_SETTLED = 3.0  # from which on GrabCut is not asked
_SPREAD, _EDGE = 40.0, 14.0  # of the smoothing along what has one colour
_TELLING = 0.15  # of the whole depth: a smaller step from the face to what is around it tells less
_HEAD = 0.098, 0.142, 0.012  # metres: a head's half width and half height with its hair, and its middle above the pupils
_LIMBS = {  # metres: half as thick as they are
    ("neck", "spine"): 0.07, ("shoulder.R", "shoulder.L"): 0.07, ("hip.R", "hip.L"): 0.09,
    ("shoulder.R", "elbow.R"): 0.045, ("elbow.R", "wrist.R"): 0.035, ("hip.R", "knee.R"): 0.065, ("knee.R", "ankle.R"): 0.045,
    ("shoulder.L", "elbow.L"): 0.045, ("elbow.L", "wrist.L"): 0.035, ("hip.L", "knee.L"): 0.065, ("knee.L", "ankle.L"): 0.045,
}  # fmt: skip
_LEAST = 1.2  # times the face, that a silhouette must have
_HOLE, _BEHIND = 0.0004, -1.0  # of the picture: smaller holes are closed, and others of which the depth does not say so clearly
_EPSILON = 1e-4  # of the guided filter


class Body(NamedTuple):
    """A person in pixels. metre: pixels that a metre takes at the face. middle: between the pupils. up: the direction of the head's top.
    turned: metres from there to the middle of the head, as it is turned. neck: its pit. face, joints: as placed."""

    metre: float
    middle: Floats64
    up: Floats64
    turned: Floats64
    neck: Floats64
    face: Floats64 | None
    joints: dict[str, Floats64]


def person_mask(colour: Bytes, d: Floats, person: Person, others: Sequence[Person] = ()) -> Mask | None:
    """The silhouette of a person, bool H×W, or None if it cannot be told from the rest.

    colour: uint8 H×W×3, sRGB. d: float32 of any size in [0, 1] over the same photo, 1 near. others: people whose faces are not this
    person's. A person without face and joints has none. Deterministic; sets the seed of OpenCV's random numbers.
    """
    cv2 = cv()
    height, width = colour.shape[:2]
    scale = min(1.0, LOOKED_AT / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    body = _body(person, size)
    if body is None or min(size) < 16:
        return None
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    near = cv2.resize(d, size, interpolation=cv2.INTER_AREA)
    found = _cut(small, near, body, [b for o in others if (b := _body(o, size)) is not None])
    return None if found is None else _refined(found, colour)


def person_masks(colour: Bytes, d: Floats, people: Sequence[Person]) -> dict[str, Mask]:
    """The silhouettes of several people by name, from the nearest to the farthest; no pixel is in two. For the rest as `person_mask`.

    Where two overlap, the pixel is whose face is nearer, unless it lies closer to the other's own depth there.
    """
    found = {}
    for person in people:
        mask = person_mask(colour, d, person, [p for p in people if p is not person])
        if mask is not None:
            found[person.name] = mask
    if not found:
        return {}
    cv2 = cv()
    height, width = colour.shape[:2]
    near = d if d.shape == (height, width) else cv2.resize(d, (width, height), interpolation=cv2.INTER_LINEAR)
    level = {p.name: _level(near, p, found[p.name]) for p in people if p.name in found}
    ordered = sorted(found, key=lambda name: -level[name])
    taken = np.zeros((height, width), bool)
    masks = {}
    for name in ordered:
        mask = found[name] & ~taken
        for other in ordered:
            if other != name and level[other] < level[name]:
                both = mask & found[other]
                if both.any():  # a farther person's face shows through nobody
                    closer = np.abs(near - np.float32(level[other])) < np.abs(near - np.float32(level[name])) * np.float32(0.5)
                    mask &= ~(both & closer)
        masks[name] = mask
        taken |= mask
    return {name: mask for name, mask in masks.items() if mask.any()}


def _level(d: Floats, person: Person, mask: Mask) -> float:
    """The depth of a person's face, else of the whole silhouette."""
    if person.face is not None:
        hull = _hull(d.shape, person.face.pixels((d.shape[1], d.shape[0])))
        if (hull & mask).any():
            return float(np.median(d[hull & mask]))
    return float(np.median(d[mask]))


def _body(person: Person, size: tuple[int, int]) -> Body | None:
    joints = {name: np.array(at) * size for name, at in person.joints.items()}
    if person.face is not None:
        pixels = person.face.pixels(size)
        metre, middle, up = _of_face(pixels)
        if not metre * EYES >= _SMALLEST:
            return None
        neck = joints.get("neck")
        across = np.array((-up[1], up[0]))
        # The nose stands out 3 cm before the eyes, and the middle of the head lies as far behind them as twice that.
        turned = -2 * across * float((pixels[NOSE_TIP] - middle) @ across) / metre
        turned *= min(1.0, 0.05 / max(float(np.hypot(*turned)), 1e-9))
        return Body(metre, middle, up, turned, neck_pit(middle, up, metre) if neck is None else neck, pixels, joints)
    neck = joints.get("neck")
    if neck is None:
        return None
    wide = shoulder_width(joints)
    head = joints.get("head")
    if wide is not None:
        metre = wide / 0.36
    elif head is not None:
        metre = float(np.hypot(*(neck - head))) / 0.33
    else:
        return None
    if not metre * EYES >= _SMALLEST:
        return None
    up = np.array((0.0, -1.0)) if head is None else (head - neck) / max(float(np.hypot(*(head - neck))), 1e-9)
    return Body(metre, neck + up * 0.19 * metre, up, np.zeros(2), neck, None, joints)


def _of_face(pixels: Floats64) -> tuple[float, Floats64, Floats64]:
    """Pixels a metre, the middle between the pupils, and the way up, of a face's points in pixels."""
    middle = pixels[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    long = middle - pixels[CHIN]
    return pixels_per_metre(pixels), middle, long / max(float(np.hypot(*long)), 1e-9)


def _cut(colour: Bytes, d: Floats, body: Body, others: list[Body]) -> Mask | None:
    cv2 = cv()
    shape = d.shape
    head = _head(shape, body)
    face = _hull(shape, body.face) if body.face is not None else head < 0.6
    if np.count_nonzero(face) < 9:
        return None
    place = _place(shape, body, head)
    rivals = [_place(shape, other, _head(shape, other)) for other in others]
    for rival in rivals:
        place = np.minimum(place, place - np.clip(rival, 0, None))
    place[face] = _CERTAIN
    deep = _depth(d, face, head, [_head(shape, o) for o in others])
    odds = place + deep
    guide = cv2.cvtColor(colour, cv2.COLOR_RGB2LAB)
    total = odds
    for _ in range(_ROUNDS):
        known = np.clip(odds, -_CERTAIN, _CERTAIN)
        total = odds + _likeness(guide, np.clip(known - 1, 0, 1), np.clip(-known - 1, 0, 1))
        total = fast_global_smooth(total[None].astype(np.float32), colour, strength=_SPREAD, sigma=_EDGE)[0]
        odds = place + 0.5 * (odds - place) + 0.5 * (total - place)
    trimap = np.where(total > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[total < -_SETTLED] = cv2.GC_BGD
    trimap[(total > _SETTLED) | (place >= _CERTAIN)] = cv2.GC_FGD  # the face, the head's core and the limbs as well
    if np.count_nonzero(trimap == cv2.GC_BGD) > 30:
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(np.ascontiguousarray(colour), trimap, None, *models, 2, cv2.GC_INIT_WITH_MASK)
    found = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    found = _of_one_piece(_opened(found), face)
    if np.count_nonzero(found) < _LEAST * np.count_nonzero(face):
        return None
    return _without_holes(found, deep)


def _place(shape: tuple[int, ...], body: Body, head: Floats) -> Floats:
    """What the place alone says: the logarithm of the odds that a pixel is of the person, float32 H×W."""
    y, x = (np.mgrid[: shape[0], : shape[1]] + 0.5).astype(np.float32)
    beside = np.abs(x - body.neck[0]) / body.metre
    below = (y - body.neck[1]) / body.metre
    odds = np.clip((1 - head) * 12, -_NEVER, _CERTAIN)
    # Shoulders slope down to 0.22 m beside the neck; arms and skirts may be wider.
    half = np.clip(0.06 + 0.75 * (below + 0.03), 0.06, 0.22)
    # What is far below may be a table as well.
    most = np.clip(3.2 - 5 * (below - 0.35), 1, 3.2)
    trunk = np.where(beside < half, np.minimum(25 * (half - beside), most), -np.minimum(9 * (beside - half), _NEVER))
    trunk = np.where(below > -0.03, trunk, -_NEVER)
    neck = _capsule(shape, body.middle - body.up * 0.1 * body.metre, body.neck, 0.04 * body.metre)
    odds = np.maximum(odds, trunk)
    odds[neck] = np.maximum(odds[neck], 3)
    odds[_limbs(shape, body)] = _CERTAIN
    return odds.astype(np.float32)


def _depth(d: Floats, face: Mask, head: Floats, others: list[Floats]) -> Floats:
    """What the depth says, the same way: float32 H×W."""
    level = float(np.median(d[face]))
    ring = (head > 1.35) & (head < 2.2)
    for other in others:
        ring &= other > 1.5
    rows = np.nonzero(face.any(1))[0]
    ring[rows[-1] :] = False  # below the chin are shoulders
    back = float(np.percentile(d[ring], 30)) if np.count_nonzero(ring) > 30 else float(np.percentile(d, 10))
    step = max(level - back, 0.05)
    share = (d - back) / step  # 1 at the face, 0 at what is around it
    odds = np.clip(5 * share - 2.5, -2.5, 1.5)
    odds = np.where(share > 1.6, np.clip(1.5 - 1.5 * (share - 1.6), -1.5, 1.5), odds)
    # Small networks often set hair back.
    odds = np.where((head < 1.3) & (odds < 0), 0.3 * odds, odds)
    return (odds * min(1.0, step / _TELLING)).astype(np.float32)


def _likeness(lab: Bytes, own: Floats, other: Floats) -> Floats:
    """What the colours say: the logarithm of how much more often a pixel's colour is among the person's than among the rest."""
    cv2 = cv()
    small = (lab // np.array((16, 8, 8), np.uint8)).astype(np.intp)
    index = (small[..., 0] * 32 + small[..., 1]) * 32 + small[..., 2]
    found = []
    for weight in (own, other):
        counts = np.bincount(index.ravel(), weight.ravel(), minlength=16 * 32 * 32).reshape(16, 32, 32).astype(np.float32)
        # Smoothed, so that a colour beside a bin's border is not another one.
        for axis in range(3):
            padded = np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
            taken = [np.take(padded, np.arange(counts.shape[axis]) + shift, axis) for shift in (0, 1, 2)]
            counts = (taken[0] + 2 * taken[1] + taken[2]) / 4
        found.append(counts.ravel() / max(float(counts.sum()), 1e-6))
    least = 2.0 / max(lab.shape[0] * lab.shape[1], 1)
    ratio = np.log((found[0] + least) / (found[1] + least))[index]
    return np.clip(cv2.GaussianBlur(ratio.astype(np.float32), (0, 0), 0.7), -3, 3)


def _refined(found: Mask, colour: Bytes) -> Mask:
    """The silhouette on the photo's own pixels."""
    cv2 = cv()
    height, width = colour.shape[:2]
    if found.shape == (height, width):
        return found
    ratio = width / found.shape[1]
    soft = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    rows, columns = (np.nonzero(found.any(axis))[0] for axis in (1, 0))
    pad = 6
    top, bottom = int(max(0, rows[0] - pad) * ratio), int(min(height, (rows[-1] + pad) * ratio))
    left, right = int(max(0, columns[0] - pad) * ratio), int(min(width, (columns[-1] + pad) * ratio))
    part = np.s_[top:bottom, left:right]
    fitted = fit_to_colour(soft[part], colour[part], radius=max(2, round(1.5 * ratio)), epsilon=_EPSILON)
    # Only the band that the small picture leaves open: elsewhere colours alike must not eat into the silhouette.
    open_ = (soft[part] > 0.02) & (soft[part] < 0.98)
    result = soft > 0.5
    result[part] = np.where(open_, fitted > 0.5, soft[part] > 0.5)
    return _of_one_piece(result, result)


# Shapes --------------------------------------------------------------------------------------------------------------------


def _head(shape: tuple[int, ...], body: Body) -> Floats:
    """How far each pixel is from the middle of the head, 1 on the ellipse that holds it with its hair."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    middle = body.middle + (body.up * _HEAD[2] + body.turned) * body.metre
    along = (x - middle[0]) * body.up[0] + (y - middle[1]) * body.up[1]
    across = (x - middle[0]) * body.up[1] - (y - middle[1]) * body.up[0]
    return (np.hypot(across / _HEAD[0], along / _HEAD[1]) / body.metre).astype(np.float32)


def _hull(shape: tuple[int, ...], pixels: Floats64) -> Mask:
    """The inner face: the convex hull of its points, drawn in by a tenth towards the nose, so that no background is in it."""
    cv2 = cv()
    inner = pixels[NOSE_TIP] + 0.9 * (pixels - pixels[NOSE_TIP])
    mask = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(inner.astype(np.float32))
    cv2.fillConvexPoly(mask, np.rint(np.clip((hull - 0.5) * 16, -1e6, 1e6)).astype(np.int32), 1, shift=4)
    return mask > 0


def _capsule(shape: tuple[int, ...], a: Floats64, b: Floats64, radius: float) -> Mask:
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    way = b - a
    along = np.clip(((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(float(way @ way), 1e-9), 0, 1)
    return np.hypot(x - a[0] - along * way[0], y - a[1] - along * way[1]) < radius


def _limbs(shape: tuple[int, ...], body: Body) -> Mask:
    mask = np.zeros(shape[:2], bool)
    for (a, b), thick in _LIMBS.items():
        if a in body.joints and b in body.joints:
            mask |= _capsule(shape, body.joints[a], body.joints[b], thick * body.metre)
    return mask


def _opened(mask: Mask) -> Mask:
    """Without threads a pixel wide that lead elsewhere."""
    return cv().morphologyEx(mask.astype(np.uint8), cv().MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0


def _of_one_piece(mask: Mask, sure: Mask) -> Mask:
    """The connected piece of a mask that has most of what is sure."""
    count, pieces = cv().connectedComponents(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return mask
    held = np.bincount(pieces[mask & sure], minlength=count)
    held[0] = 0
    return pieces == int(np.argmax(held)) if held.any() else np.zeros_like(mask)


def _without_holes(mask: Mask, deep: Floats) -> Mask:
    """The mask with the holes that are small, or that do not lie behind it (buttons and badges; between arm and body they do)."""
    count, pieces, stats, _ = cv().connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    area = stats[:, cv().CC_STAT_AREA]
    mean = np.bincount(pieces.ravel(), deep.ravel(), minlength=count) / np.maximum(area, 1)
    border = np.unique(np.concatenate((pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1])))
    closed = (area < max(4.0, _HOLE * mask.size)) | (mean > _BEHIND)
    closed[border] = False
    closed[0] = False
    return mask | closed[pieces]
