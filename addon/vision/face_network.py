"""The landmarks of a face by our own network, run by OpenCV.

What goes in and comes out of its file is fixed: input `image`, float32 1×3×SIDE×SIDE, R'G'B' (sRGB as displayed) in [0, 1] of an
upright square about a face (`Window`); outputs `maps`, float32 1×70×CELLS×CELLS, the logarithm (plus any constant) of how likely each
landmark lies in each cell of the square, and `error`, float32 1×70, the logarithm of the distance to be expected between
landmark and truth, in distances of the pupils. A landmark is the mean place over its map (integral regression: Sun et al. 2018).
training/README.md says what the network has learnt from.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .faces import EYES, HALF_WIDTH, Face
from .files import read_file, shown
from .landmarks import CHIN, COUNT, INNER_LIPS, LEFT_EYE, LEFT_PUPIL, MIRROR, OUTER_LIPS, RIGHT_EYE, RIGHT_PUPIL, FacePoints, frame_of
from .networks.onnx_graph import read_graph

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Bytes = NDArray[np.uint8]

FILE = Path(__file__).with_name("landmarks.onnx")
SIDE, CELLS = 112, 28
REACH = 3.5
"""How wide the square is, in distances of the pupils of a face seen from the front."""
DOWN = 0.58
"""How far its middle lies below the middle between the eyes, in the same unit."""
MOUTH_DOWN = 1.2
"""The same of a square about mouth and chin."""
_PROFILE_EYES = 0.025 / EYES  # from the middle of a profile up to its eye, in the same unit (`faces`)
_PASSES = 3
_EYES_CLOSE, _MOUTH_CLOSE = 0.6, 0.7
"""How large the squares of the last looks are, of a whole one: at the eyes, and at mouth and chin."""
_AT_EYES = [*range(RIGHT_EYE.start, LEFT_EYE.stop), RIGHT_PUPIL, LEFT_PUPIL]
_AT_MOUTH = [CHIN, *range(OUTER_LIPS.start, INNER_LIPS.stop)]
_OUTPUTS = ("maps", "error")
_SURE = 0.1
"""Expected error, in distances of the pupils, at which the confidence is one half."""
_LARGEST_FILE = 8_000_000
_REMEDY = "install the Stillscape extension again"


class Window(NamedTuple):
    """An upright face in a picture: the middle between the eyes in pixels ((0, 0) is the corner of the first one), the distance of
    the pupils, in pixels, if it were turned to the viewer, and its tilt in radians, clockwise as the viewer sees it."""

    x: float
    y: float
    unit: float
    tilt: float

    def close(self, share: float, down: float | None = None) -> Window:
        """A smaller square of the same face, `share` as large. down: how far its middle lies below the middle between the eyes, in
        distances of the pupils; None leaves the eyes where they are on a whole face."""
        shift = 0.0 if down is None else (down - DOWN * share) * self.unit
        return self._replace(x=self.x - shift * math.sin(self.tilt), y=self.y + shift * math.cos(self.tilt), unit=share * self.unit)

    def matrix(self, *, mirrored: bool = False) -> Points:
        """2×3: from the picture's pixels to those of the network's square, SIDE across."""
        k = SIDE / (REACH * self.unit)
        c, s = math.cos(self.tilt) * k, math.sin(self.tilt) * k
        turn = np.array([[c, s], [-s, c]])
        at = np.array([SIDE / 2, SIDE * (0.5 - DOWN / REACH)]) - turn @ np.array([self.x, self.y])
        result = np.column_stack([turn, at])
        if mirrored:
            result[0] = [0, 0, SIDE] - result[0]
        return result


def window_of_face(face: Face, size: tuple[int, int]) -> Window:
    """Where the network looks first. size: (width, height) of the picture."""
    width, height = size
    if face.eyes is not None:
        (ax, ay), (bx, by) = ((e.x * width, e.y * height) for e in face.eyes)
        return Window((ax + bx) / 2, (ay + by) / 2, max(math.hypot(bx - ax, by - ay), 2.0), math.atan2(by - ay, bx - ax))
    unit = max(face.half_width * width * EYES / HALF_WIDTH, 2.0)
    up = _PROFILE_EYES * unit
    return Window(face.x * width + up * math.sin(face.tilt), face.y * height - up * math.cos(face.tilt), unit, face.tilt)


def window_of_points(points: Points) -> Window:
    """The window of known landmarks, 70×2 in pixels."""
    return Window(*frame_of(points))


def cut(colour: Bytes, window: Window, *, mirrored: bool = False) -> Bytes:
    """The network's square of a picture: uint8 SIDE×SIDE×3; what lies past the picture's border repeats it."""
    cv2 = cv()
    matrix = window.matrix(mirrored=mirrored)
    shrink = REACH * window.unit / SIDE
    if shrink > 1.5:  # averaged first, so that nothing flickers
        reach = 0.8 * REACH * window.unit
        height, width = colour.shape[:2]
        left, top = max(0, int(window.x - reach)), max(0, int(window.y - reach))
        right, bottom = min(width, math.ceil(window.x + reach)), min(height, math.ceil(window.y + reach))
        if right - left > 1 and bottom - top > 1:
            size = max(1, round((right - left) / shrink)), max(1, round((bottom - top) / shrink))
            colour = cv2.resize(np.ascontiguousarray(colour[top:bottom, left:right]), size, interpolation=cv2.INTER_AREA)
            scale = np.array([(right - left) / size[0], (bottom - top) / size[1]])
            matrix = np.column_stack([matrix[:, :2] * scale, matrix[:, 2] + matrix[:, :2] @ np.array([left, top])])
    middles = matrix.copy()  # OpenCV counts from the middle of the first pixel
    middles[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return cv2.warpAffine(colour, middles, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def places(maps: Floats) -> Points:
    """Mean places N×2, in shares of the square, of maps N×CELLS×CELLS of log-likelihoods."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    share = np.exp(flat - flat.max(1, keepdims=True))
    share = (share / share.sum(1, keepdims=True)).reshape(maps.shape)
    at = (np.arange(CELLS) + 0.5) / CELLS
    return np.stack([share.sum(1) @ at, share.sum(2) @ at], 1)


class LandmarkNetwork:
    """The network in a file. Raises InputError if the file is missing, damaged or another network."""

    def __init__(self, source: Path) -> None:
        self.source = source
        try:
            graph = read_graph(source)  # OpenCV ends the process on some damaged files
            data = np.frombuffer(read_file(source, limit=_LARGEST_FILE), np.uint8)  # not the name: it may not be ASCII
            self._network: Any = cv().dnn.readNetFromONNX(data)
        except (InputError, cv().error) as error:
            raise self._refusal() from error
        if [value.name for value in graph.inputs] != ["image"] or not {*_OUTPUTS} <= {value.name for value in graph.outputs}:
            raise self._refusal()

    def look(self, colour: Bytes, window: Window) -> tuple[Points, Points]:
        """Landmarks 70×2 in pixels of the picture and their expected errors (70, in distances of the pupils), of the square and
        its mirror image together."""
        found, errors = [], []
        for mirrored in (False, True):
            square = cut(colour, window, mirrored=mirrored)
            image = np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
            try:
                self._network.setInput(image, "image")
                maps, error = self._network.forward(_OUTPUTS)
            except cv().error as failure:
                raise self._refusal() from failure
            if maps.shape != (1, COUNT, CELLS, CELLS) or error.size != COUNT or not (np.isfinite(maps).all() and np.isfinite(error).all()):
                raise self._refusal()
            matrix = window.matrix(mirrored=mirrored)
            at = (places(maps[0]) * SIDE - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
            order = list(MIRROR) if mirrored else list(range(COUNT))
            found.append(at[order])
            errors.append(np.clip(error.ravel().astype(np.float64), -10, 5)[order])
        return (found[0] + found[1]) / 2, np.exp((errors[0] + errors[1]) / 2)

    def find(self, colour: Bytes, face: Face) -> FacePoints:
        """See `find_points`. Looks three times, each time at where the face was found the time before, then closely
        at the eyes, and at mouth and chin. The chin is in the middle of where it is seen from near and from afar."""
        height, width = colour.shape[:2]
        points, errors = self.look(colour, window_of_face(face, (width, height)))
        for _ in range(_PASSES - 1):
            points, errors = self.look(colour, window_of_points(points))
        window, chin = window_of_points(points), points[CHIN].copy()
        for near, which in ((window.close(_EYES_CLOSE), _AT_EYES), (window.close(_MOUTH_CLOSE, MOUTH_DOWN), _AT_MOUTH)):
            closely, expected = self.look(colour, near)
            points[which], errors[which] = closely[which], expected[which]
        points[CHIN] = (points[CHIN] + chin) / 2
        return FacePoints(points / np.array([width, height]), 1 / (1 + (errors / _SURE) ** 2), "network")

    def _refusal(self) -> InputError:
        return InputError(f"{shown(self.source)}: OpenCV cannot run the landmark network; {_REMEDY}.")


@lru_cache(maxsize=1)
def _loaded(source: Path, state: tuple[int, int]) -> LandmarkNetwork:
    del state
    return LandmarkNetwork(source)


def load(source: Path = FILE) -> LandmarkNetwork:
    """The network in the file `source`, kept for the next face. Raises InputError if the file is missing or damaged."""
    try:
        state = source.stat()
    except OSError as error:
        raise InputError(f"{shown(source)}: the landmark network is missing from this installation; {_REMEDY}.") from error
    return _loaded(source, (state.st_size, state.st_mtime_ns))


def find_points(colour: Bytes, face: Face) -> FacePoints:
    """The landmarks of a face that `faces.find_faces` found.

    colour: uint8 H×W×3, sRGB, the picture that it was found in. The confidence of a landmark falls from 1 with the error that the network
    expects, and is one half at a tenth of the pupils' distance. Raises InputError if the network's file is missing or damaged.
    """
    return load().find(colour, face)
