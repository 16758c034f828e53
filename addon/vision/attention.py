"""What people look at in a photo: faces, and persons or other clear subjects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError
from .coverage import FACE, SUBJECT
from .cv import cv
from .faces import ellipse_radius
from .layered import DepthMap
from .priors.subject import LOOKED_AT, find_subject

LONGEST = 256  # pixels
_EDGE = 0.15  # of the whole depth: neighbours that differ by so much are not of one thing
_GREY = np.array((0, 128, 255), np.uint8)


def look_for(colour: NDArray[np.uint8], d: NDArray[np.float32], depth: DepthMap) -> DepthMap:
    """The depth map, whose faces have been looked for, with the clear subject of its photo, where whoever made it has found none.

    colour: uint8 H×W×3, sRGB; d: float32 of any size in [0, 1]; both of the whole photo.
    """
    if depth.subject is not None:
        return depth
    cv2 = cv()
    scale = min(1.0, LOOKED_AT / max(colour.shape[:2]))
    size = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    small, near = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (colour, d))
    square = np.ones((3, 3), np.uint8)
    edges = np.clip((cv2.dilate(near, square) - cv2.erode(near, square)) / _EDGE, 0, 1)
    return replace(depth, subject=find_subject(small, near, edges, depth.faces or ()))


def kinds_of(depth: DepthMap, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """REST, SUBJECT or FACE over a photo of `size` (width, height): uint8, LONGEST pixels or less; None if it is all the rest."""
    if depth.subject is None and not depth.faces:
        return None
    scale = min(1.0, LONGEST / max(size))
    width, height = (max(1, round(n * scale)) for n in size)
    kinds = np.zeros((height, width), np.uint8)
    if depth.subject is not None:
        kinds[cv().resize(depth.subject.astype(np.uint8), (width, height), interpolation=cv().INTER_NEAREST) > 0] = SUBJECT
    for face in depth.faces or ():
        kinds[ellipse_radius((height, width), face) < 1] = FACE
    return kinds


def encode_attention(kinds: NDArray[np.uint8]) -> bytes:
    """The kinds as a grey PNG: 255 on faces, 128 on subjects, 0 elsewhere."""
    done, data = cv().imencode(".png", _GREY[kinds])
    if not done:
        raise RenderError("The picture of faces and subjects could not be packed; choose a smaller photo.")
    return data.tobytes()
