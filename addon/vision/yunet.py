"""YuNet, a small detector of faces that a user brings as an .onnx file: boxes and five points, run by OpenCV's own class for it.

Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector"; `face_detection_yunet_2023mar.onnx` of opencv/opencv_zoo (MIT).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import read_file, shown
from .networks.onnx_graph import read_graph

_LARGEST_FILE = 50_000_000
_LONGEST = 800  # pixels of the photo's longer side that it is shown
_LEAST_SCORE, _OVERLAP, _MOST = 0.7, 0.3, 500
_OUTPUTS = {f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)}


class FiveFace(NamedTuple):
    """points: float64 5×2 in pixels: the subject's right eye, left eye, tip of the nose, right and left corner of the mouth. score: 0 to 1."""

    points: NDArray[np.float64]
    score: float


def detect_five(path: Path, colour: NDArray[np.uint8]) -> list[FiveFace]:
    """The faces that the network in the file `path` finds, largest first. colour: uint8 H×W×3, sRGB.

    Raises InputError, naming the file, if it is damaged or another network.
    """
    cv2 = cv()
    data = read_file(path, limit=_LARGEST_FILE)
    height, width = colour.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA) if scale < 1 else colour
    _check(path)
    if not hasattr(cv2, "FaceDetectorYN"):
        raise InputError(f"{shown(path)}: this OpenCV cannot run YuNet; use the OpenCV of the extension (4.11).")
    try:
        # By content, since OpenCV opens no name that is not ASCII on Windows.
        network: Any = cv2.FaceDetectorYN.create(
            "onnx", np.frombuffer(data, np.uint8), np.zeros(0, np.uint8), size, _LEAST_SCORE, _OVERLAP, _MOST
        )
        _, rows = network.detect(np.ascontiguousarray(small[..., ::-1]))
    except cv2.error as error:
        raise _refusal(path) from error
    if rows is None:
        return []
    rows = np.asarray(rows, np.float64)
    rows = rows[np.isfinite(rows).all(1)]
    ratio = np.array((width / size[0], height / size[1]))
    order = np.argsort(-rows[:, 2] * rows[:, 3], kind="stable")
    return [FiveFace(rows[i, 4:14].reshape(5, 2) * ratio, float(rows[i, 14])) for i in order]


def _check(path: Path) -> None:
    """Raises InputError unless the file is whole and gives what YuNet does: OpenCV ends the process on some damaged files."""
    try:
        graph = read_graph(path)
    except InputError as error:
        raise _refusal(path) from error
    if not _OUTPUTS <= {v.name for v in graph.outputs}:
        raise _refusal(path)


def _refusal(path: Path) -> InputError:
    return InputError(f"{shown(path)}: not a YuNet file, or a damaged one; download face_detection_yunet_2023mar.onnx again.")
