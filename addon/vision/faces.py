"""Faces: how large they are is known, so that they tell how far away they are, and so is their shape.

Found by the cascades of boosted features that OpenCV brings along (Viola and Jones 2001; Lienhart and Maydt 2002). These also
see faces where there are none, so that a face counts only with what else belongs to one: a pair of eyes in their places (in
a profile one), contrast, and in colour pictures the colour of skin.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

EYES = 0.063
"""Metres between the pupils of adults on the average (Dodgson 2004, "Variation and extrema of human interpupillary distance")."""
HALF_WIDTH, HALF_HEIGHT = 0.075, 0.105  # metres: a face's half axes, from ear to ear and from the hair to the chin
DEPTH = 0.1  # metres from the ears to the nose
_BELOW_EYES = 0.025  # metres from between the eyes down to the middle of the face

_LOOKED_AT, _PROFILE_AT = 512, 320  # pixels of the longer side that faces are searched in, and those from the side
_STEP = 1.12  # from one size of faces to the next
_SMALLEST = 0.045, 0.08  # of the shorter side, the same two
_FACE = 180  # pixels across, at which eyes are searched in a face
_EYE_LINE, _EYE_PLACES = 0.38, (0.27, 0.73)  # of a cascade's square: where eyes are
_CONTRAST = 14.0  # standard deviation of a face's luma, of 255
_SKIN = 0.4  # share of a face that must be of the colour of skin
_COLOURED = 12.0  # mean distance of Cb and Cr from grey from which on a picture counts as coloured

_ALIKE = 0.25  # how far 1/z in a face may be from its median to be of the face
_ONE_SURFACE = 0.6  # share of a face that must be
_MIDDLE = 0.65  # of the half axes: the part that is made flat before it is made round
_FEWEST = 12  # pixels
_ROUND = 0.7  # an ellipsoid has 0.5, and a rim that falls off vertically
_DEEPEST = 0.4  # of the face's distance: nearer than that nobody takes photos


class Eye(NamedTuple):
    """Where a pupil is, in shares of the picture's width and height, from the left and the top."""

    x: float
    y: float


class Face(NamedTuple):
    """A face, in shares of the picture's width (x, half_width) and height (y, half_height), before it is tilted.

    x, y: its middle. half_width, half_height: the half axes of its ellipse, from ear to ear and from the hair to the chin. tilt:
    radians, clockwise as the viewer sees it. eyes: both pupils, from left to right in the picture; None in a profile.
    """

    x: float
    y: float
    half_width: float
    half_height: float
    tilt: float
    eyes: tuple[Eye, Eye] | None


class Length(NamedTuple):
    """Two places of the picture, in shares of its width and height, and the metres between them."""

    start: tuple[float, float]
    end: tuple[float, float]
    metres: float


def eye_distances(faces: tuple[Face, ...]) -> tuple[Length, ...]:
    """What the faces that show both eyes tell of the scene's scale."""
    return tuple(
        Length((face.eyes[0].x, face.eyes[0].y), (face.eyes[1].x, face.eyes[1].y), EYES) for face in faces if face.eyes is not None
    )


# Finding -----------------------------------------------------------------------------------------------------------------


def find_faces(colour: Bytes) -> tuple[Face, ...]:
    """The faces in a picture, largest first.

    colour: uint8 H×W×3, sRGB. Returns none where OpenCV has no cascades (5.0 and later, which the extension does not bring).
    """
    frontal, profile = _cascade("haarcascade_frontalface_alt2"), _cascade("haarcascade_profileface")
    if frontal is None or profile is None:
        return ()
    found: list[tuple[float, Face]] = []
    taken: list[tuple[float, float, float]] = []
    for cascade, is_profile, mirrored in ((frontal, False, False), (profile, True, False), (profile, True, True)):
        for box in _boxes(cascade, colour, _PROFILE_AT if is_profile else _LOOKED_AT, _SMALLEST[is_profile], mirrored):
            x, y, side = box
            if any(abs(x - a) < (side + c) / 2 and abs(y - b) < (side + c) / 2 for a, b, c in taken):
                continue
            face = _face_in(colour, box, is_profile)
            if face is not None:
                taken.append(box)
                found.append((side, face))
    return tuple(face for _, face in sorted(found, key=lambda item: -item[0]))


def find_more_faces(colour: Bytes, known: tuple[Face, ...]) -> tuple[Face, ...]:
    """Faces besides the `known` ones whose eyes no cascade sees, as behind glasses or in the shadow of a hat, largest first.

    colour: uint8 H×W×3, sRGB. What two of three cascades take for a face in one place is one; its eyes are where they are in most faces.
    For what is worth a second look or a person's word, not for measuring distances.
    """
    height, width = colour.shape[:2]
    boxes: list[list[tuple[float, float, float]]] = []
    for name in ("haarcascade_frontalface_alt2", "haarcascade_frontalface_alt", "haarcascade_frontalface_default"):
        cascade = _cascade(name)
        if cascade is None:
            return ()
        boxes.append(_boxes(cascade, colour, _LOOKED_AT, _SMALLEST[0], False))
    found: list[tuple[float, Face]] = []
    taken = [(f.x * width, f.y * height, 2 * f.half_width * width) for f in known]
    for i, some in enumerate(boxes[:2]):
        for x, y, side in some:
            agreed = any(
                abs(x + side / 2 - a - c / 2) < side / 5 and abs(y + side / 2 - b - c / 2) < side / 5 and 0.7 < side / c < 1.4
                for other in boxes[i + 1 :]
                for a, b, c in other
            )
            middle = x + side / 2, y + side / 2
            if not agreed or any(math.hypot(middle[0] - a, middle[1] - b) < (side + c) / 2.5 for a, b, c in taken):
                continue
            part = colour[max(0, int(y)) : round(y + side), max(0, int(x)) : round(x + side)]
            if min(part.shape[:2]) < 16 or float(cv().cvtColor(part, cv().COLOR_RGB2GRAY).std()) < _CONTRAST:
                continue
            eyes = [(x + share * side, y + _EYE_LINE * side) for share in _EYE_PLACES]
            found.append((side, face_of_eyes(eyes[0], eyes[1], (width, height))))
            taken.append((*middle, side))
    return tuple(face for _, face in sorted(found, key=lambda item: -item[0]))


def _boxes(cascade: Any, colour: Bytes, longest: int, least: float, mirrored: bool) -> list[tuple[float, float, float]]:
    """(left, top, side) in pixels of `colour` of the squares that a cascade takes for faces, those without skin left out."""
    cv2 = cv()
    height, width = colour.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA) if scale < 1 else colour
    grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    if mirrored:
        grey = np.ascontiguousarray(grey[:, ::-1])
    skin = _skin(small)
    smallest = max(24, round(least * min(size)))
    boxes = []
    for x, y, side, _ in cascade.detectMultiScale(grey, _STEP, 4, minSize=(smallest, smallest)):
        x = size[0] - x - side if mirrored else x
        inner = (slice(int(y + 0.25 * side), int(y + 0.9 * side)), slice(int(x + 0.2 * side), int(x + 0.8 * side)))
        if skin is None or (skin[inner].size > 0 and float(skin[inner].mean()) >= _SKIN):
            boxes.append((x / scale, y / scale, side / scale))
    return boxes


def _face_in(colour: Bytes, box: tuple[float, float, float], is_profile: bool) -> Face | None:
    """The face in a square that a cascade found (left, top, side in pixels), or None if eyes or contrast are missing."""
    cv2 = cv()
    x, y, side = box
    height, width = colour.shape[:2]
    left, top = max(0, int(x)), max(0, int(y))
    part = colour[top : min(height, round(y + side)), left : min(width, round(x + side))]
    if min(part.shape[:2]) < 16:
        return None
    grow = _FACE / side
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if float(grey.std()) < _CONTRAST:
        return None
    how = cv2.INTER_AREA if grow < 1 else cv2.INTER_CUBIC
    grey = cv2.equalizeHist(cv2.resize(grey, None, fx=grow, fy=grow, interpolation=how))
    eyes = _eyes(grey)
    if is_profile:
        if not eyes:
            return None
        centre, metre = (x + side / 2, y + 0.52 * side), side / 0.19
    else:
        places = _pair(eyes, side * grow)
        if places is None:
            return None
        a, b = ((left + px / grow, top + py / grow) for px, py in places)
        return face_of_eyes(a, b, (width, height))
    return Face(centre[0] / width, centre[1] / height, HALF_WIDTH * metre / width, HALF_HEIGHT * metre / height, 0.0, None)


def face_of_eyes(a: tuple[float, float], b: tuple[float, float], size: tuple[int, int]) -> Face:
    """The face that pupils belong to. a, b: in pixels of a picture of `size` (width, height); in an upright face from left to right."""
    width, height = size
    tilt = math.atan2(b[1] - a[1], b[0] - a[0])
    metre = math.hypot(b[0] - a[0], b[1] - a[1]) / EYES
    down = _BELOW_EYES * metre
    x, y = (a[0] + b[0]) / 2 - down * math.sin(tilt), (a[1] + b[1]) / 2 + down * math.cos(tilt)
    pair = Eye(a[0] / width, a[1] / height), Eye(b[0] / width, b[1] / height)
    return Face(x / width, y / height, HALF_WIDTH * metre / width, HALF_HEIGHT * metre / height, tilt, pair)


def _eyes(grey: Bytes) -> list[tuple[float, float, float]]:
    """(x, y, width) of what may be eyes in the upper part of a face that is about _FACE pixels across."""
    upper = np.ascontiguousarray(grey[: round(0.62 * grey.shape[0])])
    found: list[tuple[float, float, float]] = []
    for name in ("haarcascade_eye_tree_eyeglasses", "haarcascade_eye"):
        cascade = _cascade(name)
        if cascade is None:
            continue
        sides = round(0.13 * _FACE), round(0.4 * _FACE)
        for x, y, w, h in cascade.detectMultiScale(upper, 1.07, 4, minSize=(sides[0],) * 2, maxSize=(sides[1],) * 2):
            found.append((x + w / 2, y + h / 2, float(w)))
        if _pair(found, _FACE) is not None:
            break
    return found


def _pair(eyes: list[tuple[float, float, float]], side: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The two of them that lie as eyes do in a frontal face in a square of `side` pixels, left one first; None if there are none."""
    best, cost = None, math.inf
    for a in eyes:
        for b in eyes:
            apart, down = (b[0] - a[0]) / side, (b[1] - a[1]) / side
            middle, height = (a[0] + b[0]) / 2 / side, (a[1] + b[1]) / 2 / side
            if not (0.28 < apart < 0.56 and abs(down) < 0.36 * apart and abs(middle - 0.5) < 0.1 and 0.24 < height < 0.52):
                continue
            if max(a[2], b[2]) > 1.7 * min(a[2], b[2]):
                continue
            off = abs(apart - 0.4) + abs(down) + abs(middle - 0.5) + abs(height - 0.38)
            if off < cost:
                best, cost = ((a[0], a[1]), (b[0], b[1])), off
    return best


def _skin(colour: Bytes) -> NDArray[np.bool_] | None:
    """Where colours are those of skin, bool H×W; None for a picture without colours, in which they tell nothing.

    The bounds in Cb and Cr are those of Chai and Ngan 1999, "Face segmentation using skin-color map in videophone
    applications", somewhat widened for warm light.
    """
    cv2 = cv()
    _, cr, cb = cv2.split(cv2.cvtColor(colour, cv2.COLOR_RGB2YCrCb))
    if float(np.mean(np.abs(cr.astype(np.float32) - 128) + np.abs(cb.astype(np.float32) - 128))) < _COLOURED / 2:
        return None
    return (cr >= 131) & (cr <= 180) & (cb >= 70) & (cb <= 130)


@lru_cache(maxsize=8)
def _cascade(name: str) -> Any:
    """A cascade that comes with OpenCV, or None."""
    cv2 = cv()
    folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
    file = Path(folder) / f"{name}.xml" if folder else None
    if file is None or not file.is_file() or not hasattr(cv2, "CascadeClassifier"):
        log.info("This OpenCV has no cascade %s: faces are not looked for", name)
        return None
    cascade = cv2.CascadeClassifier()
    # By content, since OpenCV opens no name that is not ASCII on Windows.
    storage = cv2.FileStorage(file.read_text(encoding="utf-8"), cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    read = cascade.read(storage.getFirstTopLevelNode())
    return cascade if read and not cascade.empty() else None


# Shaping -----------------------------------------------------------------------------------------------------------------


def ellipse_radius(shape: tuple[int, int], face: Face, box: tuple[slice, slice] | None = None) -> Floats:
    """How far each pixel is from a face's middle, 1 on its ellipse: float32 H×W for a picture of `shape` (height, width), or of a box of it."""
    height, width = shape
    y, x = np.ogrid[box or np.s_[:height, :width]]
    right = (x + 0.5 - face.x * width).astype(np.float32)
    down = (y + 0.5 - face.y * height).astype(np.float32)
    cos, sin = math.cos(face.tilt), math.sin(face.tilt)
    across = (right * cos + down * sin) / np.float32(max(face.half_width * width, 1e-6))
    along = (down * cos - right * sin) / np.float32(max(face.half_height * height, 1e-6))
    return np.hypot(across, along).astype(np.float32)


def with_relief(inverse: Floats, faces: tuple[Face, ...], focal: float) -> Floats:
    """Give faces the shape of a head: half an ellipsoid of true proportions, instead of what little or wrong relief is there.

    inverse: float32 H×W, 1/z in any unit, with 0 infinitely far; NaN stays. focal: in shares of the picture's width. How deep
    a face is follows from its width, whatever its distance. Only pixels whose depth is near the face's median take part, so
    that a hand before it stays where it is, and a face whose pixels lie on no one surface is left out; so does its rim.
    A profile gets half the depth. Returns float32 H×W, a new array if anything changes; all outside of faces is as it was.
    """
    result = inverse
    for face in faces:
        box = _box(inverse.shape, face)
        part = result[box]
        radius = ellipse_radius(inverse.shape, face, box)
        inside = (radius < 1) & np.isfinite(part) & (part > 0)
        middle_part = part[inside & (radius < _MIDDLE)]
        if middle_part.size < _FEWEST:
            continue
        middle = np.float32(np.median(middle_part))
        ratio = np.where(inside, part / middle, np.float32(0)).astype(np.float32)
        alike = np.exp(-(((ratio - 1) / _ALIKE) ** 4)) * inside
        if float(np.mean(alike[inside] > 0.5)) < _ONE_SURFACE:
            continue
        flat = part + np.clip((1 - radius) / (1 - _MIDDLE), 0, 1) * alike * (middle - np.where(inside, part, middle))
        dome = np.maximum(1 - radius**2, 0) ** np.float32(_ROUND)
        deep = DEPTH * face.half_width / HALF_WIDTH / focal  # in shares of the face's distance
        deep = min(deep if face.eyes else deep / 2, _DEEPEST)
        if result is inverse:
            result = inverse.copy()
        result[box] = np.where(inside, flat / (1 - np.float32(deep) * dome * alike), part)
    return result


def _box(shape: tuple[int, ...], face: Face) -> tuple[slice, slice]:
    """The rows and columns that a face's ellipse, tilted at will, may reach."""
    height, width = shape[:2]
    reach = max(face.half_width * width, face.half_height * height) + 1
    x, y = face.x * width, face.y * height
    return (
        slice(max(0, int(y - reach)), max(0, min(height, int(y + reach) + 1))),
        slice(max(0, int(x - reach)), max(0, min(width, int(x + reach) + 1))),
    )
