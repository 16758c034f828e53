"""Depth networks: what they give, and what a back-end that runs one offers.

A back-end is one file of this folder. It loads a network from files on this disk and runs it on one picture; it never
downloads, resizes the result, averages flips or tiles a picture: that is the same for all of them and stands in
`predicting.py`. What is heavy (torch, transformers, onnxruntime) is imported inside functions, since Blender's own Python
reads these files too and has none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..layered import DepthKind

Floats = NDArray[np.float32]


class OutOfMemory(Exception):
    """The device has not enough memory for this input; a smaller one may fit. Never reaches the user as it is."""


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture, all arrays of one size h×w, which is the network's own.

    values: float32 h×w; what they mean is `kind`; NaN where the network gives no value (the sky, a masked pixel).
    fov: horizontal field of view in degrees, if it tells. normals: float32 h×w×3, unit length, pointing to the camera, in
    OpenCV's camera axes (x right, y down, z forward), if it tells. sky: float32 h×w in [0, 1], the share of sky, if it tells.
    confidence: float32 h×w in [0, 1], if it tells. edges: float32 h×w in [0, 1], how likely one thing ends before another
    there, if it tells. horizon: 0.5 plus how far the horizon is below the picture's middle, in shares of its height and measured
    across the horizon, so that it is the row where a camera is upright; if it tells. roll: radians by which the camera is
    turned clockwise, so that the horizon rises to the right; if it tells.
    """

    values: Floats
    kind: DepthKind
    fov: float | None = None
    normals: Floats | None = None
    sky: Floats | None = None
    confidence: Floats | None = None
    edges: Floats | None = None
    horizon: float | None = None
    roll: float | None = None


class Network(Protocol):
    """A network that is loaded and stays loaded."""

    device: str
    """Where it runs, for people: "CPU", or the name of the graphics card."""
    side: int
    """The length in pixels that `predict` takes where none is asked for."""
    fixed: bool
    """Whether it takes inputs of one size only, so that a smaller one cannot help against a lack of memory."""

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it on one picture.

        picture: float32 H×W×3, R'G'B' as displayed (sRGB curve), in [0, 1]. side: the wished length of the input's shorter
        side in pixels; the back-end rounds it to what its network takes and keeps the picture's aspect where it can. focal:
        the focal length in shares of the picture's width where it is known, for networks that need it for metres.
        Raises OutOfMemory; anything else that torch or OpenCV raises is the caller's to word.
        """
        ...
