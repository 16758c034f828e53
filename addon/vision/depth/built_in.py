"""The built-in depth network, with what is known of photos helping it out: quick, rough, and there from the start."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...spec import DepthSpec, MachineSpec
from ..cv import cv
from ..faces import Face, find_faces
from ..layered import DepthMap
from ..layering import grid_size, photo_colour
from ..networks import Floats, Network, Prediction, built_in, predicting
from ..networks.inputs import LONGEST
from ..networks.scales import join_scales
from ..photo import Photo
from ..priors.ground import lean_on_ground
from ..priors.sky import beyond_everything, likely_sky
from ..priors.subject import LOOKED_AT, complete_sides, find_subject
from ..texture import average_down
from . import Progress
from .network import SEEN, depth_map

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FILE = Path(__file__).with_name("built_in.onnx")

SCENE, DETAIL = 192 * 256, 288 * 384
"""Pixels of the inputs of the two runs, whatever the photo's proportions."""
_FINER = 1.25  # how many times longer than the scene's input a photo must be for a larger one to show more


class BuiltInDepth:
    """Our own network at two sizes, each mirrored as well; then sky, ground, subject and faces."""

    name = "built-in"
    label = "Built-in (Fast, Rough)"
    help = "A small depth network that comes along: a second for any photo, nothing to install, rougher than the large ones"

    def __init__(self, source: Path = FILE) -> None:
        """source: the network's file."""
        self.source = source

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress, machine: MachineSpec | None = None) -> DepthMap:
        """Return affine disparity with field of view, horizon, sky, confidence and faces; nothing of `machine` matters.

        Raises InputError if the network's file is missing or damaged, RenderError if memory does not suffice.
        """
        del machine
        progress(0.0, "Loading the built-in depth network")
        network = built_in.load(self.source)
        colour = photo_colour(photo, grid_size(photo.size, SEEN))
        prediction = look(network, colour, settings, lambda share, text: progress(0.1 + 0.5 * share, text))
        progress(0.6, "Looking for faces and subjects")
        faces = find_faces(colour)
        prediction, subject = _helped_out(prediction, colour, faces)
        progress(0.8, "Sharpening the edges" if settings.sharpen else "Fitting the depth to the photo")
        found = depth_map(prediction, photo, colour, self.name, sharpen=settings.sharpen)
        return replace(found, horizon=_at_the_middle(prediction), faces=faces, subject=subject)


def look(network: Network, colour: Bytes, settings: DepthSpec, progress: Progress) -> Prediction:
    """What the network says of a picture (uint8 H×W×3, sRGB), at two sizes, each averaged with the mirrored picture.

    settings: `tiles` adds tiles at the larger size; `network_size` is the shorter side of the larger input.
    """
    height, width = colour.shape[:2]
    detail = settings.network_size or side_of((width, height), DETAIL)
    scene = min(round(detail * math.sqrt(SCENE / DETAIL)) if settings.network_size else side_of((width, height), SCENE), detail)
    several = min(height, width) > _FINER * scene
    # Averaged in linear light as far as needed; the network's own reduction does the rest.
    small = (
        colour
        if settings.tiles
        else average_down(colour, grid_size((width, height), 4 * detail * detail * max(height, width) // min(height, width)))
    )
    picture = (small / np.float32(255)).astype(np.float32)

    def run(side: int, tiles: bool, share: float) -> Prediction:
        return predicting.predict(
            network, picture, side=side, focal=None, flip=True, tiles=tiles, progress=lambda done, text: progress(share + done / 2, text)
        )

    whole = run(scene, settings.tiles and not several, 0.0)
    return join_scales(whole, run(detail, settings.tiles, 0.5)) if several else whole


def side_of(size: tuple[int, int], pixels: int) -> int:
    """The shorter side of an input of so many pixels with the proportions of a picture of `size`, at most LONGEST to 1."""
    aspect = min(max(size) / min(size), LONGEST)
    return max(64, round(math.sqrt(pixels / aspect)))


def _at_the_middle(prediction: Prediction) -> float | None:
    """The row where the horizon, as it is rolled, crosses the middle column."""
    if prediction.horizon is None:
        return None
    return 0.5 + (prediction.horizon - 0.5) / math.cos(prediction.roll or 0.0)


def helped_out(prediction: Prediction, colour: Bytes, faces: tuple[Face, ...]) -> Prediction:
    """A prediction of the built-in network with a consistent sky, the ground where it was unsure, and a clear subject cut out.

    colour: uint8 H×W×3, sRGB, the photo.
    """
    return _helped_out(prediction, colour, faces)[0]


def _helped_out(prediction: Prediction, colour: Bytes, faces: tuple[Face, ...]) -> tuple[Prediction, Mask | None]:
    """The same with the silhouette of the subject, at any size, if there is a clear one."""
    values, subject = prediction.values, None
    sky = None if prediction.sky is None else likely_sky(prediction.sky, values, prediction.horizon)
    values = beyond_everything(values, sky)
    if prediction.confidence is not None and prediction.horizon is not None:
        values = lean_on_ground(values, prediction.confidence, prediction.horizon, prediction.roll or 0.0, sky)
    if prediction.edges is not None:
        values, subject = _with_subject(values, prediction.edges, colour, faces)
    return replace(prediction, values=values, sky=sky), subject


def _with_subject(values: Floats, edges: Floats, colour: Bytes, faces: tuple[Face, ...]) -> tuple[Floats, Mask | None]:
    cv2 = cv()
    scale = min(1.0, LOOKED_AT / max(colour.shape[:2]))
    size = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA) if scale < 1 else colour
    larger = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (values, edges)]
    subject = find_subject(small, larger[0], larger[1], faces)
    if subject is None:
        return values, None
    share = cv2.resize(subject.astype(np.float32), values.shape[::-1], interpolation=cv2.INTER_AREA)
    return complete_sides(values, share), subject


ESTIMATOR = BuiltInDepth()
