"""The joints of a body: from a pose network's points, or guessed from a face and a silhouette."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .faces import EYES
from .landmarks import CHIN, LEFT_PUPIL, RIGHT_PUPIL, FacePoints

Floats64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Joints = dict[str, tuple[float, float]]

_NOSE_BASE, _EYES_TO_NOSE = 33, 0.058  # metres down from the pupils, in a face with a long nose
SEEN = 0.5  # how likely a pose network must hold a point to be seen
_CROWN, _PIT = 0.12, 0.19  # metres above and below the pupils: the top of the head, and the pit of the neck
_SHOULDER_DOWN, _SHOULDER_OUT = 0.05, 0.175  # metres from the pit of the neck to the joint of a shoulder
_LEAST_OUT = 0.1  # metres beside the neck that the silhouette must reach for there to be a shoulder
_SPINE = 0.5  # metres from the pit of the neck to between the hips

_OF_POSE = {
    "shoulder.L": 11, "shoulder.R": 12, "elbow.L": 13, "elbow.R": 14, "wrist.L": 15, "wrist.R": 16,
    "hip.L": 23, "hip.R": 24, "knee.L": 25, "knee.R": 26, "ankle.L": 27, "ankle.R": 28,
}  # fmt: skip
"""MediaPipe's numbers (tensors_to_pose_landmarks_and_segmentation.pbtxt, google-ai-edge/mediapipe, commit 710fb3de)."""
_NOSE, _EARS, _MOUTH = 0, (7, 8), (9, 10)


def pixels_per_metre(face: Floats64) -> float:
    """How many pixels a metre takes at a face, from its 70 points in pixels.

    A turned face is narrow and a nodding one short, so that the larger of both tells; the chin does not, since mouths open.
    """
    across = float(np.hypot(*(face[LEFT_PUPIL] - face[RIGHT_PUPIL])))
    down = float(np.hypot(*(face[_NOSE_BASE] - face[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0))))
    return max(across / EYES, down / _EYES_TO_NOSE)


def neck_pit(middle: Floats64, up: Floats64, metre: float) -> Floats64:
    """Where the pit of the neck is: half along the head's own axis and half straight down, since a head tilts on its neck.

    middle: between the pupils, in pixels. up: the head's direction, of length 1. metre: pixels a metre.
    """
    return middle + (0.09 * -up + 0.1 * np.array((0.0, 1.0))) / 0.19 * _PIT * metre


def shoulder_width(joints: dict[str, Floats64]) -> float | None:
    """Pixels between the shoulders, or None."""
    if "shoulder.R" not in joints or "shoulder.L" not in joints:
        return None
    return float(np.hypot(*(joints["shoulder.L"] - joints["shoulder.R"])))


def joints_of_pose(points: Floats64, seen: Floats64, size: tuple[int, int]) -> Joints:
    """Joints from the 33 points of MediaPipe's body: those that are likely enough seen, in shares of the photo.

    points: float64 33×2, pixels of a photo of `size` (width, height). seen: float64 33 in [0, 1].
    """
    found = {name: points[i] for name, i in _OF_POSE.items() if seen[i] >= SEEN}
    if {"shoulder.L", "shoulder.R"} <= found.keys():
        middle = (found["shoulder.L"] + found["shoulder.R"]) / 2
        if seen[_NOSE] >= SEEN and all(seen[i] >= SEEN for i in _MOUTH):
            mouth = points[list(_MOUTH)].mean(0)
            found["neck"] = middle + 0.12 * (mouth - middle)
            eyes = points[[2, 5]].mean(0)
            up = eyes - mouth
            found["head"] = eyes + up * (_CROWN / 0.07)
        else:
            found["neck"] = middle
    if {"hip.L", "hip.R"} <= found.keys():
        found["spine"] = (found["hip.L"] + found["hip.R"]) / 2
    return {name: (float(at[0] / size[0]), float(at[1] / size[1])) for name, at in found.items()}


def guessed_joints(face: FacePoints, size: tuple[int, int], mask: Mask | None = None) -> Joints:
    """Joints from a face alone, and from the person's silhouette where there is one: crown, neck, shoulders, and between the hips.

    mask: bool H×W over the photo. The crown is where the silhouette ends above the eyes; a shoulder is told where the silhouette reaches
    out beside the neck; hips only in a photo that goes down so far. In shares of the photo's width and height; all but the
    shoulders may lie past its border.
    """
    pixels = face.pixels(size)
    middle = pixels[[RIGHT_PUPIL, LEFT_PUPIL]].mean(0)
    long = middle - pixels[CHIN]
    metre = pixels_per_metre(pixels)
    up = long / max(float(np.hypot(*long)), 1e-9)
    neck = neck_pit(middle, up, metre)
    found = {"head": middle + up * _crown(middle, up, metre, size, mask) * metre, "neck": neck}
    if mask is not None:
        for name, way in (("shoulder.R", -1), ("shoulder.L", 1)):
            out = _reach(neck + (0, _SHOULDER_DOWN * metre), way, metre, size, mask)
            if out is not None:
                found[name] = neck + np.array((way * out, _SHOULDER_DOWN)) * metre
    spine = neck + np.array((0.0, _SPINE * metre))
    if spine[1] < size[1] and (mask is None or _at(mask, spine, size)):
        found["spine"] = spine
    return {name: (float(at[0] / size[0]), float(at[1] / size[1])) for name, at in found.items()}


def _at(mask: Mask, place: Floats64, size: tuple[int, int]) -> bool:
    x, y = int(place[0] / size[0] * mask.shape[1]), int(place[1] / size[1] * mask.shape[0])
    return 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] and bool(mask[y, x])


def _crown(middle: Floats64, up: Floats64, metre: float, size: tuple[int, int], mask: Mask | None) -> float:
    """Metres from between the pupils to the top of the head, within what heads are, hair and hats apart."""
    if mask is None:
        return _CROWN
    inside = [h for h in np.arange(0.02, 0.2, 0.005) if _at(mask, middle + up * h * metre, size)]
    return float(np.clip(max(inside, default=_CROWN), 0.09, 0.15))


def _reach(start: Floats64, way: int, metre: float, size: tuple[int, int], mask: Mask) -> float | None:
    """Metres beside the neck to a shoulder's joint: a little inside of where the silhouette ends, at most as far as shoulders are."""
    last = 0.0
    for out in np.arange(0.0, 0.34, 0.005):
        # A little lower the farther out, as shoulders slope.
        if _at(mask, start + np.array((way * out, 0.25 * out)) * metre, size):
            last = float(out)
        elif out - last > 0.03:
            break
    return None if last < _LEAST_OUT else min(last - 0.03, _SHOULDER_OUT)
