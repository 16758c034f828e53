"""People (and animals) in a photo: their faces' points, their bodies' joints and their silhouettes, by the best means at hand.

What finds faces: MediaPipe's detector or YuNet, if the user has their files, else OpenCV's cascades (`faces`). What places the
points: MediaPipe's mesh, else the network that comes along (`face_network`), else the average face laid on what points there are.
"""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, StillscapeError
from .canonical import POINTS
from .cv import cv
from .eye_edges import on_eyes
from .face_fit import points_of_some
from .faces import EYES, HALF_WIDTH, Face, face_of_eyes, find_faces, find_more_faces
from .files import read_file, shown
from .jaw_edges import on_jaw
from .joints import Joints, guessed_joints, joints_of_pose
from .landmarks import COUNT, LEFT_PUPIL, NOSE_TIP, RIGHT_PUPIL, FacePoints, Person, from_json
from .layered import LayeredPhoto
from .lip_edges import on_lips
from .mediapipe import Box, Files, Square, body_points, body_square, detect, face_points, face_square, open_files, square_of_eyes
from .person_mask import person_mask, person_masks
from .yunet import detect_five

__all__ = [
    "FoundPeople",
    "SubjectFiles",
    "find_people",
    "on_edges_of_photo",
    "people_for",
    "people_of",
    "person_mask",
    "person_masks",
    "read_people",
]

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_DOUBT = 0.15  # mean confidence of eyes, nose and mouth, below which there is no face where the network looked
_CERTAIN = 0.5  # the same for faces whose eyes no cascade has seen where they are upright: on true ones it is above 0.7
_SURE = 0.5  # how likely a network must hold what it found
_SURE_OF_DOUBTFUL = 0.9  # the same where what was found may be no face; a cat's gets 0.5
_DOUBTFUL_BOX = 0.7  # MediaPipe's detector gives true faces .79 and more in photos of people, and flags, hands and sleeves up to .66
_EYES, _BOX, _OTHERS = (
    0.6,
    0.35,
    0.2,
)  # confidence where only the eyes are known, or only a square around the face: of them, and of the rest
_KEYS, _REST = 0.8, 0.4  # where five points are known: of them, and of the rest
_TURNS, _TURNED_AT = (
    ((18.0, -18.0), (36.0, -36.0)),
    512,
)  # degrees, and pixels of the photo's longer side, in which tilted faces are looked for
_LARGEST_LANDMARKS = 20_000_000  # bytes


@dataclass(frozen=True)
class SubjectFiles:
    """Networks that the user has; None for those that are not there.

    faces: MediaPipe's face detector (`face_detection_short_range.tflite`) or `face_landmarker.task`, which holds both. face_points: its
    face mesh (`face_landmark.tflite`). yunet: `face_detection_yunet_2023mar.onnx`. body: MediaPipe's `pose_landmarker.task`, or
    `pose_landmark_full.tflite`. What a file is for is seen by what is in it, so that MediaPipe's may stand in each other's places.
    """

    faces: Path | None = None
    face_points: Path | None = None
    yunet: Path | None = None
    body: Path | None = None


class _Found(NamedTuple):
    """A face before its points are placed. known: landmarks' numbers and their places in pixels, from the detector. unsure: it is a face
    only if a network for points is certain of it, where there is one."""

    face: Face
    known: dict[int, tuple[float, float]]
    square: Square | None
    source: str
    unsure: bool = False


def find_people(
    colour: Bytes, files: SubjectFiles | None = None, *, body: bool = False, faces: tuple[Face, ...] | None = None
) -> tuple[Person, ...]:
    """Everyone whose face is found in a photo, the largest face first, named "Person 1" and so on.

    colour: uint8 H×W×3, sRGB. body: also find joints: by the pose network, if there is one, else crown and neck from the face (with the
    silhouette `people_for` guesses shoulders, too). faces: what `find_faces` has found in it already. Someone seen from the side alone has no face here, only joints. Raises InputError,
    naming the file, if one of the user's files cannot be used.
    """
    files = files or SubjectFiles()
    networks = open_files((files.faces, files.face_points, files.body))
    height, width = colour.shape[:2]
    people: list[tuple[float, FacePoints | None, Face]] = []
    for attempt in _faces(colour, files, networks, faces):
        for found in attempt:
            points = _points(colour, found, networks)
            if points is not None or found.face.eyes is None:
                people.append((_size(found.face, points, (width, height)), points, found.face))
        if people:
            break
    people.sort(key=lambda entry: -entry[0])
    named = []
    for number, (_, points, face) in enumerate(_distinct(people, (width, height)), 1):
        joints: Joints = {}
        if points is None:
            joints = _joints_beside(face)
        elif body:
            joints = guessed_joints(points, (width, height))
        named.append(Person(f"Person {number}", points, joints))
    return _with_bodies(colour, tuple(named), networks) if body else tuple(named)


class FoundPeople(NamedTuple):
    """people: largest face first. masks: their silhouettes by name, nearest first, bool H×W each; those that could be told."""

    people: tuple[Person, ...]
    masks: dict[str, Mask]


def people_for(
    colour: Bytes,
    d: Floats,
    files: SubjectFiles | None = None,
    *,
    body: bool = False,
    landmarks: Path | None = None,
    faces: tuple[Face, ...] | None = None,
) -> FoundPeople:
    """The people to rig in a photo and their silhouettes: those of a landmarks file as they stand there, else those that are found.

    colour: uint8 H×W×3, sRGB. d: float32 of any size in [0, 1] over it, 1 near. body, faces: as in `find_people`; with `body`,
    shoulders that no network sees are guessed from the silhouettes. Raises InputError, naming the file, if a file cannot be used.
    """
    people = find_people(colour, files, body=body, faces=faces) if landmarks is None else read_people(landmarks)
    masks = person_masks(colour, d, people)
    if body and landmarks is None:
        size = colour.shape[1], colour.shape[0]
        people = tuple(p if p.face is None or _is_measured(p) else _with_guesses(p, p.face, size, masks.get(p.name)) for p in people)
    return FoundPeople(people, masks)


def _with_guesses(person: Person, face: FacePoints, size: tuple[int, int], mask: Mask | None) -> Person:
    return replace(person, joints=guessed_joints(face, size, mask))


def _is_measured(person: Person) -> bool:
    """Whether a pose network has seen the body: a guess without silhouette knows no limbs."""
    return any("." in joint for joint in person.joints)


def read_people(path: Path) -> tuple[Person, ...]:
    """The people of a landmarks file. Raises InputError, naming it, if it is none."""
    try:
        return from_json(read_file(path, limit=_LARGEST_LANDMARKS).decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)}: not a file of landmarks; write it with the Subject panel or the landmarks command.") from error


def people_of(layered: LayeredPhoto) -> tuple[Person, ...]:
    """The people of a layered photo, none if it was made without. Raises InputError if its file of them is damaged."""
    return () if layered.landmarks is None else read_people(layered.path(layered.landmarks))


# Faces ---------------------------------------------------------------------------------------------------------------------


def _faces(colour: Bytes, files: SubjectFiles, networks: Files, known: tuple[Face, ...] | None) -> Iterator[list[_Found]]:
    """What each detector finds, the best first; the next is of use if nobody is among what the last one found."""
    size = colour.shape[1], colour.shape[0]
    if networks.faces is not None:
        yield [_of_box(box, size) for box in detect(networks.faces, colour)]
    if files.yunet is not None:
        found = []
        for face in detect_five(files.yunet, colour):
            right, left, nose, right_mouth, left_mouth = (tuple(p) for p in face.points.tolist())
            places = {RIGHT_PUPIL: right, LEFT_PUPIL: left, NOSE_TIP: nose, 48: right_mouth, 54: left_mouth}
            if math.dist(right, left) > 2:
                found.append(_Found(face_of_eyes(right, left, size), places, None, "yunet"))
        yield found
    seen = find_faces(colour) if known is None else known
    frontal = tuple(f for f in seen if f.eyes is not None)
    unsure = find_more_faces(colour, frontal)
    upright = (*frontal, *unsure)
    tilted = tuple(f for f in _tilted_faces(colour, _TURNS[:1] if upright else _TURNS) if not any(_same(f, g, size) for g in upright))
    sides = tuple(f for f in seen if f.eyes is None and not any(_same(f, g, size) for g in (*upright, *tilted)))
    found = [_Found(f, {}, None, "cascade") for f in (*frontal, *sides)]
    found += [_Found(f, {}, None, "cascade", True) for f in tilted] + [_Found(f, {}, None, "box", True) for f in unsure]
    yield found


def _tilted_faces(colour: Bytes, turns: tuple[tuple[float, float], ...]) -> tuple[Face, ...]:
    """Faces that a cascade sees once the photo is turned, with both eyes: by the first pair of angles (degrees) that shows any."""
    cv2 = cv()
    height, width = colour.shape[:2]
    scale = min(1.0, _TURNED_AT / max(height, width))
    if min(height, width) * scale < 24:
        return ()
    small = cv2.resize(colour, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    side = math.ceil(math.hypot(*small.shape[:2]))
    found: list[Face] = []
    for degrees in (d for pair in turns for d in pair):
        if found and degrees > 0:  # a pair of angles has shown somebody
            break
        turn = cv2.getRotationMatrix2D((small.shape[1] / 2, small.shape[0] / 2), degrees, 1.0)
        turn[:, 2] += (side - small.shape[1]) / 2, (side - small.shape[0]) / 2
        back = cv2.invertAffineTransform(turn)
        for face in find_faces(cv2.warpAffine(small, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)):
            if face.eyes is None:
                continue
            a, b = ((back @ (eye.x * side, eye.y * side, 1)) / scale for eye in face.eyes)
            one = face_of_eyes((float(a[0]), float(a[1])), (float(b[0]), float(b[1])), (width, height))
            if 0 < one.x < 1 and 0 < one.y < 1 and not any(_same(one, other, (width, height)) for other in found):
                found.append(one)
    return tuple(found)


def _of_box(box: Box, size: tuple[int, int]) -> _Found:
    right, left, nose, mouth = ((float(x), float(y)) for x, y in box.keys[:4])
    known = {RIGHT_PUPIL: right, LEFT_PUPIL: left, NOSE_TIP: nose, 62: mouth}
    return _Found(face_of_eyes(right, left, size), known, face_square(box), "mediapipe", box.score < _DOUBTFUL_BOX)


def _points(colour: Bytes, found: _Found, networks: Files) -> FacePoints | None:
    """The 70 points of a face by the best means, or None where it is seen from the side and nothing can place them."""
    size = colour.shape[1], colour.shape[0]
    eyes = None if found.face.eyes is None else [(e.x * size[0], e.y * size[1]) for e in found.face.eyes]
    refused = False
    if networks.face_points is not None and (eyes is not None or found.square is not None):
        square = found.square or square_of_eyes(eyes[0], eyes[1])  # type: ignore[index]
        points, chance = face_points(networks.face_points, colour, square)
        if chance >= (_SURE_OF_DOUBTFUL if found.unsure else _SURE) and np.isfinite(points).all():
            return FacePoints(points / size, np.full(COUNT, chance), "mediapipe")
        log.info("MediaPipe's mesh is not certain of the face that was found (%.2f)", chance)
        found, refused = found._replace(unsure=True), True
    looked, points = _by_our_network(colour, found.face, _CERTAIN if found.unsure else _DOUBT)
    if points is not None:
        return points
    if eyes is None or (found.unsure and (looked or refused)):
        return None
    if found.known:
        return points_of_some(size, found.known, found.source, (_KEYS, _REST))
    return points_of_eyes(size, eyes[0], eyes[1], found.source)


def _by_our_network(colour: Bytes, face: Face, least: float) -> tuple[bool, FacePoints | None]:
    """Whether the network that comes along is there, and its points if it sees the face. least: mean confidence."""
    try:
        network: Any = importlib.import_module(".face_network", __package__)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.endswith("face_network"):
            raise
        return False, None
    try:
        points: FacePoints = network.find_points(colour, face)
    except StillscapeError as error:
        log.warning("The points of a face are only guessed: %s", error)
        return False, None
    if not _is_a_face(points, face, (colour.shape[1], colour.shape[0]), least):
        return True, None
    return True, on_edges_of_photo(colour, points)


def on_edges_of_photo(colour: Bytes, points: FacePoints) -> FacePoints:
    """A network's landmarks with eyes, lips and jaw on the edges that the photo (uint8 H×W×3, sRGB) shows beside them."""
    return on_lips(colour, on_eyes(colour, on_jaw(colour, points)))


def _is_a_face(points: FacePoints, face: Face, size: tuple[int, int], least: float) -> bool:
    """Whether points can be those of the face that they were looked for in: eyes apart, the mouth on their one side, and near it."""
    at = points.pixels(size)
    if not np.isfinite(at).all() or float(np.mean(points.confidence[27:])) < least:
        return False
    expected = face.half_width * size[0] * EYES / HALF_WIDTH
    across, mouth = at[LEFT_PUPIL] - at[RIGHT_PUPIL], at[48:60].mean(0)
    down = mouth - at[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    below = float(across[0] * down[1] - across[1] * down[0])  # above 0 in a face that is no mirror image
    away = math.hypot(at[27:48, 0].mean() - face.x * size[0], at[27:48, 1].mean() - face.y * size[1])
    return below > 0.15 * expected**2 and np.hypot(*down) < 4 * expected and away < 2 * expected


def points_of_eyes(size: tuple[int, int], right: tuple[float, float], left: tuple[float, float], source: str) -> FacePoints:
    """The average face laid on two pupils (in pixels of a photo of `size`), which alone deserve some trust."""
    a, b = np.array(right), np.array(left)
    across = b - a
    down = np.array((-across[1], across[0]))
    scale = POINTS[LEFT_PUPIL, 0] * 2
    points = (a + b) / 2 + POINTS[:, :1] / scale * across - POINTS[:, 1:2] / scale * down
    confidence = np.full(COUNT, _OTHERS)
    confidence[36:48] = confidence[[RIGHT_PUPIL, LEFT_PUPIL]] = _BOX if source == "box" else _EYES
    return FacePoints(points / size, confidence, source)


def _size(face: Face, points: FacePoints | None, size: tuple[int, int]) -> float:
    """Pixels of half a face's width, by which people are ordered."""
    return face.half_width * size[0] if points is None else max(points.eye_distance(size) * 1.19, face.half_width * size[0] / 2)


def _same(a: Face, b: Face, size: tuple[int, int]) -> bool:
    return math.hypot((a.x - b.x) * size[0], (a.y - b.y) * size[1]) < 0.9 * max(a.half_width, b.half_width) * size[0]


def _distinct(people: list[tuple[float, FacePoints | None, Face]], size: tuple[int, int]) -> list[tuple[float, FacePoints | None, Face]]:
    """Without faces whose points came to lie on another's."""
    kept: list[tuple[float, FacePoints | None, Face]] = []
    for entry in people:
        middle = _middle(entry, size)
        if all(math.dist(middle, _middle(other, size)) > 0.6 * max(other[0], entry[0]) for other in kept):
            kept.append(entry)
    return kept


def _middle(entry: tuple[float, FacePoints | None, Face], size: tuple[int, int]) -> tuple[float, float]:
    if entry[1] is None:
        return entry[2].x * size[0], entry[2].y * size[1]
    x, y = entry[1].pixels(size)[36:].mean(0)
    return float(x), float(y)


# Bodies --------------------------------------------------------------------------------------------------------------------


def _joints_beside(face: Face) -> Joints:
    """Crown and neck of someone whose face is seen from the side."""
    return {"head": (face.x, face.y - 1.1 * face.half_height), "neck": (face.x, face.y + 1.45 * face.half_height)}


def _with_bodies(colour: Bytes, people: tuple[Person, ...], networks: Files) -> tuple[Person, ...]:
    """People with the joints that the user's pose network sees."""
    if networks.body_points is None:
        return people
    size = colour.shape[1], colour.shape[0]
    squares = []
    if networks.bodies is not None:
        squares = [body_square(box.keys[0], box.keys[1]) for box in detect(networks.bodies, colour, tiled=False)]
    named = list(people)
    for i, person in enumerate(people):
        square = _nearest(person, squares, size) or _square_below(person, size)
        if square is None:
            continue
        points, seen, chance = body_points(networks.body_points, colour, square)
        if chance >= _SURE and np.isfinite(points).all() and (joints := joints_of_pose(points, seen, size)):
            named[i] = replace(person, joints={**person.joints, **joints})
    return tuple(named)


def _nearest(person: Person, squares: list[Square], size: tuple[int, int]) -> Square | None:
    """The body whose square holds a person's face nearest to where its head would be."""
    at = _head_of(person, size)
    if at is None:
        return None
    best, least = None, 0.3
    for square in squares:
        # A body's square is centred on the hips, and its head lies near the upper side.
        head = square.x + 0.3 * square.side * math.sin(square.turn), square.y - 0.3 * square.side * math.cos(square.turn)
        away = math.dist(head, at) / square.side
        if away < least:
            best, least = square, away
    return best


def _square_below(person: Person, size: tuple[int, int]) -> Square | None:
    """Where a body must be below a face, if nothing has detected it."""
    if person.face is None:
        return None
    at, between = person.face.pixels(size)[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0), person.face.eye_distance(size)
    metre = between / 0.063
    return Square(float(at[0]), float(at[1]) + 0.7 * metre, 2.2 * metre, 0.0)


def _head_of(person: Person, size: tuple[int, int]) -> tuple[float, float] | None:
    if person.face is not None:
        x, y = person.face.pixels(size)[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
        return float(x), float(y)
    at = person.joints.get("head")
    return None if at is None else (at[0] * size[0], at[1] * size[1])
