"""MediaPipe's networks for faces and bodies, from files that a user brings, decoded as MediaPipe's own graphs do it.

Sources, all in google-ai-edge/mediapipe: anchors `mediapipe/calculators/tflite/ssd_anchors_calculator.cc` (commit 78814a90), boxes
and suppression `mediapipe/modules/face_detection/face_detection_short_range_common.pbtxt` (13923709), the square around a face
`mediapipe/modules/face_landmark/face_detection_front_detection_to_roi.pbtxt` (13923709), its points
`mediapipe/tasks/cc/vision/face_landmarker/face_landmarks_detector_graph.cc` (43313dcc), the square around a body
`mediapipe/modules/pose_landmark/pose_landmarks_to_roi.pbtxt` (a9b643e0), its points
`mediapipe/modules/pose_landmark/tensors_to_pose_landmarks_and_segmentation.pbtxt` (710fb3de).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import shown
from .tflite import Network, Part, read_parts

log = logging.getLogger(__name__)

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Floats64 = NDArray[np.float64]

ANCHORS = {(128, 896): (8, 16, 16, 16), (256, 896): (16, 32, 32, 32), (192, 2304): (4,), (224, 2254): (8, 16, 32, 32, 32)}
"""Strides of a detector's maps by its picture's side and how many boxes it gives: faces near, faces from afar, both kinds of the latter,
and bodies."""
POINTS = (468, 478)  # of a face: without and with irises
POSE_POINTS = 39  # of a body: 33 and 6 that only help
FACE_KEYS, POSE_KEYS = 6, 4  # points that the detectors give: eyes, nose, mouth, ears; hips and size, shoulders and size
_LEAST_SCORE, _OVERLAP = 0.5, 0.3
_FACE_SQUARE, _POSE_SQUARE = 1.5, 1.25  # times what was found
_ROUND_FACE = 4.2, 0.5  # eye distances: the side of the square around a face of which only the eyes are known, and its middle below them

FROM_MEDIAPIPE = (
    # The jaw's contour, the brows, the nose.
    127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    6, 197, 5, 1, 98, 97, 2, 326, 327,
    # The eyes, the lips.
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip
"""For each of the 68 landmarks the point of MediaPipe's mesh that lies there; its contours stand in
`mediapipe/modules/face_landmark/tensors_to_face_landmarks_with_attention.pbtxt` (9a4a0fb7)."""
IRISES = 468, 473  # the right's and the left's middle, of 478 points


class Files(NamedTuple):
    """The networks among a user's files; None for what is not there."""

    faces: Network | None = None
    face_points: Network | None = None
    bodies: Network | None = None
    body_points: Network | None = None


class Box(NamedTuple):
    """What a detector found, in pixels of the photo. box: left, top, width, height. keys: float64 K×2. score: in [0, 1]."""

    score: float
    box: tuple[float, float, float, float]
    keys: Floats64


class Square(NamedTuple):
    """A square of the photo, in pixels: its middle, its side and by how much it is turned (radians, clockwise as it is seen)."""

    x: float
    y: float
    side: float
    turn: float


def open_files(paths: Iterable[Path | None]) -> Files:
    """The networks in `.tflite` and `.task` files, told apart by what they give. Raises InputError, naming the file, for one that is none."""
    found: dict[str, Network] = {}
    for path in paths:
        if path is None:
            continue
        stat = path.stat() if path.is_file() else None
        opened = _opened(path, stat.st_mtime_ns if stat else 0)
        for role, network in opened:
            found.setdefault(role, network)
    return Files(**found)


@lru_cache(maxsize=4)
def _opened(path: Path, changed: int) -> tuple[tuple[str, Network], ...]:
    parts, refused = read_parts(path)
    opened: list[tuple[str, Network]] = []
    for part in parts:
        role = _role(part)
        if role is not None:
            try:
                opened.append((role, Network(part)))
            except InputError as error:
                refused.append(error)
    if not opened and refused:
        raise refused[0]
    if not opened:
        got = " and ".join(str(n) for n in parts[0].signature.counts[:6])
        raise InputError(
            f"{shown(path)}: not a network of MediaPipe for faces or bodies (it gives {got} numbers); choose face_landmarker.task, "
            "face_detection_short_range.tflite, face_landmark.tflite or pose_landmarker.task."
        )
    for error in refused:
        log.info("Passed over: %s", error)
    return tuple(opened)


def _role(part: Part) -> str | None:
    """What a network is for, of the fields of Files, or None: by its picture and its outputs alone, since files get renamed."""
    side, counts = part.signature.side, part.signature.counts
    if side is None:
        return None
    if len(counts) == 2 and (side, min(counts)) in ANCHORS:
        keys = max(counts) / min(counts)
        return {4 + 2 * FACE_KEYS: "faces", 4 + 2 * POSE_KEYS: "bodies"}.get(int(keys)) if keys == int(keys) else None
    if any(3 * n in counts for n in POINTS):
        return "face_points"
    return "body_points" if 5 * POSE_POINTS in counts else None


# Detectors -----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def anchors(side: int, count: int) -> Floats64:
    """The middles of a detector's boxes in shares of its picture, float64 count×2."""
    strides = ANCHORS[side, count]
    rows = []
    for stride in dict.fromkeys(strides):
        cells = math.ceil(side / stride)
        each = strides.count(stride) * (1 if len(strides) == 1 else 2)  # two sizes a map, of which only the number counts
        middle = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(middle, middle)
        rows.append(np.repeat(np.stack((x.ravel(), y.ravel()), -1), each, axis=0))
    return np.vstack(rows)


def detect(network: Network, colour: Bytes, *, tiled: bool = True) -> list[Box]:
    """What a detector of faces or bodies finds, the best first.

    colour: uint8 H×W×3, sRGB. tiled: also look at overlapping squares of the photo, since these networks miss what is small in it.
    """
    height, width = colour.shape[:2]
    windows = [(0.0, 0.0, float(max(width, height)))]
    windows[0] = ((width - windows[0][2]) / 2, (height - windows[0][2]) / 2, windows[0][2])
    if tiled:
        for side in (min(width, height), max(min(width, height) / 2, 1)):
            columns, rows = (max(1, math.ceil((n - side) / (side / 2)) + 1) for n in (width, height))
            if side < max(width, height) and columns * rows <= 40:
                windows += [
                    ((width - side) * i / max(columns - 1, 1), (height - side) * j / max(rows - 1, 1), float(side))
                    for i in range(columns)
                    for j in range(rows)
                ]
    found = [box for window in windows for box in _detect_in(network, colour, window)]
    return suppressed(found)


def _detect_in(network: Network, colour: Bytes, window: tuple[float, float, float]) -> list[Box]:
    """Boxes in a square (left, top, side) of the photo; what is past its border is black, as MediaPipe has it."""
    side = network.part.signature.side or 128
    left, top, extent = window
    picture = _cut(colour, Square(left + extent / 2, top + extent / 2, extent, 0.0), side, black=True)
    outputs = network.run((picture.astype(np.float32) / np.float32(127.5) - 1)[None])
    count = min(network.part.signature.counts)
    scores, raw = _of_length(network, outputs, count), _of_length(network, outputs, max(network.part.signature.counts))
    raw = raw.reshape(count, -1).astype(np.float64)
    chance = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -100, 100)))
    middle = anchors(side, count)
    found = []
    for i in np.nonzero(chance >= _LEAST_SCORE)[0]:
        centre, extents = raw[i, :2] / side + middle[i], raw[i, 2:4] / side
        keys = raw[i, 4:].reshape(-1, 2) / side + middle[i]
        corner = (centre - extents / 2) * extent + (left, top)
        box = (float(corner[0]), float(corner[1]), float(extents[0] * extent), float(extents[1] * extent))
        if min(box[2:]) > 0:
            found.append(Box(float(chance[i]), box, keys * extent + (left, top)))
    return suppressed(found)


def suppressed(found: list[Box]) -> list[Box]:
    """Boxes that overlap made one, the mean of them weighted by their scores (`algorithm: WEIGHTED`), the best first."""
    left = sorted(found, key=lambda b: -b.score)
    kept = []
    while left:
        best = left[0]
        alike = [overlap(b.box, best.box) > _OVERLAP for b in left]
        same = [b for b, is_same in zip(left, alike) if is_same] or [best]
        left = [b for b, is_same in zip(left[1:], alike[1:]) if not is_same]
        weights = np.array([b.score for b in same])
        boxes = np.array([b.box for b in same])
        keys = np.array([b.keys for b in same])
        mean = (weights[:, None] * boxes).sum(0) / weights.sum()
        kept.append(Box(best.score, tuple(mean.tolist()), (weights[:, None, None] * keys).sum(0) / weights.sum()))
    return kept


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes (left, top, width, height)."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)


# Points --------------------------------------------------------------------------------------------------------------------


def face_square(box: Box) -> Square:
    """The square in which the points of a detected face are looked for, turned so that its eyes are level."""
    right, left = box.keys[0], box.keys[1]
    x, y, width, height = box.box
    turn = math.atan2(left[1] - right[1], left[0] - right[0])
    return Square(x + width / 2, y + height / 2, _FACE_SQUARE * max(width, height), turn)


def square_of_eyes(right: tuple[float, float], left: tuple[float, float]) -> Square:
    """The same for a face of which only the eyes (in pixels) are known."""
    between, turn = math.hypot(left[0] - right[0], left[1] - right[1]), math.atan2(left[1] - right[1], left[0] - right[0])
    down = _ROUND_FACE[1] * between
    x, y = (left[0] + right[0]) / 2 - down * math.sin(turn), (left[1] + right[1]) / 2 + down * math.cos(turn)
    return Square(x, y, _ROUND_FACE[0] * between, turn)


def face_points(network: Network, colour: Bytes, square: Square) -> tuple[Floats64, float]:
    """The 70 landmarks of the face in a square, in pixels of the photo (70×2), and how likely there is one in it (0 to 1).

    Looks twice, the second time in the square that the points themselves give, as MediaPipe does from frame to frame.
    """
    mesh, chance = _mesh(network, colour, square)
    mesh, chance = _mesh(network, colour, _square_of(mesh))
    points = np.empty((70, 2))
    points[:68] = mesh[list(FROM_MEDIAPIPE)]
    if len(mesh) > IRISES[1]:
        points[68:] = mesh[list(IRISES)]
    else:  # without irises: the middle of the opening
        points[68], points[69] = points[36:42].mean(0), points[42:48].mean(0)
    return points, chance


def _mesh(network: Network, colour: Bytes, square: Square) -> tuple[Floats64, float]:
    side = network.part.signature.side or 192
    outputs = network.run((_cut(colour, square, side)[None] / 255).astype(np.float32))
    mesh = _of_length(network, outputs, *(3 * n for n in POINTS)).reshape(-1, 3)[:, :2]
    flags = [float(o[0]) for o in outputs if len(o) == 1]
    chance = 1 / (1 + math.exp(-max(-50.0, min(50.0, flags[0])))) if flags else 1.0
    return _back(mesh.astype(np.float64) / side, square), chance


def _square_of(mesh: Floats64) -> Square:
    right, left = mesh[33], mesh[263]
    turn = math.atan2(left[1] - right[1], left[0] - right[0])
    # Along the face's own axes; MediaPipe takes the photo's, which makes the square of a tilted face larger than the detector's.
    axes = np.array(((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))))
    low, high = (mesh @ axes.T).min(0), (mesh @ axes.T).max(0)
    x, y = (low + high) / 2 @ axes
    return Square(float(x), float(y), max(_FACE_SQUARE * float((high - low).max()), 1.0), turn)


def body_square(middle: Floats64, edge: Floats64) -> Square:
    """The square around a body from the middle of its hips and a point of the circle around it, in pixels."""
    way = edge - middle
    turn = math.atan2(way[1], way[0]) + math.pi / 2  # upright, the second lies above the first
    return Square(float(middle[0]), float(middle[1]), 2 * _POSE_SQUARE * max(float(np.hypot(*way)), 1.0), turn)


def body_points(network: Network, colour: Bytes, square: Square, *, rounds: int = 2) -> tuple[Floats64, Floats64, float]:
    """The 33 points of the body in a square: pixels of the photo (33×2), how likely each is seen (33), and that there is one (0 to 1)."""
    side = network.part.signature.side or 256
    points, seen, chance = np.zeros((POSE_POINTS, 2)), np.zeros(POSE_POINTS), 0.0
    for _ in range(rounds):
        outputs = network.run((_cut(colour, square, side)[None] / 255).astype(np.float32))
        raw = _of_length(network, outputs, 5 * POSE_POINTS).reshape(-1, 5).astype(np.float64)
        flags = [float(o[0]) for o in outputs if len(o) == 1]
        # The graph takes this flag as it stands.
        chance = max(0.0, min(1.0, flags[0])) if flags else 1.0
        points = _back(raw[:, :2] / side, square)
        seen = 1 / (1 + np.exp(-np.clip(raw[:, 3], -50, 50)))
        square = body_square(points[33], points[34])
    return points[:33], seen[:33], chance


def _of_length(network: Network, outputs: list[Floats], *lengths: int) -> Floats:
    """The output of one of these lengths. Raises InputError if there is none."""
    for output in outputs:
        if len(output) in lengths:
            return output
    raise InputError(f"{network.part.label}: this network gives other numbers than its file says; download it again.")


def _cut(colour: Bytes, square: Square, side: int, *, black: bool = False) -> Bytes:
    """A square of the photo as a picture of `side` pixels; past the border black, or the border's own pixels."""
    cv2 = cv()
    scale = square.side / side
    cos, sin = math.cos(square.turn) * scale, math.sin(square.turn) * scale
    half = (side - 1) / 2
    # From the picture's pixels to the photo's, whose places count from the corner of the first pixel.
    matrix = np.array(((cos, -sin, square.x - 0.5 - half * (cos - sin)), (sin, cos, square.y - 0.5 - half * (sin + cos))), np.float64)
    if scale > 2:  # otherwise pixels would be left out
        less = 1 / (scale / 1.5)
        width, height = (max(1, round(n * less)) for n in colour.shape[1::-1])
        small = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)
        ratio = np.array((width / colour.shape[1], height / colour.shape[0]))
        matrix[:, :2] *= ratio[:, None]
        matrix[:, 2] = (matrix[:, 2] + 0.5) * ratio - 0.5
        colour = small
    border = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
    return cv2.warpAffine(colour, matrix, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)


def _back(shares: Floats64, square: Square) -> Floats64:
    """Places in a square (shares of its side, N×2) as pixels of the photo."""
    cos, sin = math.cos(square.turn), math.sin(square.turn)
    x, y = ((shares - 0.5) * square.side).T
    return np.stack((square.x + x * cos - y * sin, square.y + x * sin + y * cos), -1)
