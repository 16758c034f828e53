"""Our own depth network, run by OpenCV.

What goes in and comes out of its file is fixed: input `image`, float32 1×4×H×W with H and W multiples of 32, which holds
R'G'B' in [0, 1] and a channel that rises linearly from -1 in the first row to 1 in the last; outputs `maps`, float32
1×4×H/2×W/2, with disparity (near large, of any scale and shift), the logits of sky and of occlusion edges and the logarithm
of the disparity's expected error in units of its spread, and `view`, float32 1×3, with the horizon, the roll
(`networks.Prediction` says how they count) and log(tan(fov / 2)).
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..cv import cv
from ..files import read_file, shown
from ..layered import DepthKind
from . import Floats, Network, OutOfMemory, Prediction
from .inputs import Recipe, prepare
from .onnx import lacks_memory
from .onnx_graph import read_graph

OUTPUTS = ("maps", "view")
SIDE = 192
"""Pixels of the shorter side for a photo of 4:3, as the network was trained."""
_RECIPE = Recipe((SIDE, 256), multiple=32, mean=(0.0,) * 3, std=(1.0,) * 3, filter="bilinear")
_LARGEST_FILE = 64_000_000
_REMEDY = "install the Stillscape extension again"
_FOVS = 5.0, 150.0  # degrees: nothing else is believed
_ROLL = math.radians(45)


def load(source: Path) -> Network:
    """The network in the file `source`, kept for the next photo. It always runs on the processor.

    Raises InputError with one sentence if the file is missing, damaged or another network.
    """
    try:
        state = source.stat()
    except OSError as error:
        raise InputError(f"{shown(source)}: the built-in depth network is missing from this installation; {_REMEDY}.") from error
    return _loaded(source, (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=1)
def _loaded(source: Path, state: tuple[int, int]) -> BuiltInNetwork:
    del state
    return BuiltInNetwork(source)


class BuiltInNetwork:
    """The loaded network; `networks.Network` says what it offers."""

    device = "CPU"
    side = SIDE
    fixed = False

    def __init__(self, source: Path) -> None:
        self._source = source
        try:
            graph = read_graph(source)  # OpenCV ends the process on some damaged files
        except InputError as error:
            raise InputError(f"{shown(source)}: the built-in depth network is damaged; {_REMEDY}.") from error
        if [value.name for value in graph.inputs] != ["image"] or not {*OUTPUTS} <= {value.name for value in graph.outputs}:
            raise InputError(f"{shown(source)}: this is not the built-in depth network; {_REMEDY}.")
        data = np.frombuffer(read_file(source, limit=_LARGEST_FILE), np.uint8)  # not the name: it may not be ASCII
        try:
            self._network: Any = cv().dnn.readNetFromONNX(data)
        except cv().error as error:
            raise self._refusal(error) from error

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it; see `networks.Network`. The maps are half as large as the input. Raises InputError if it does not work."""
        del focal
        try:
            colours = prepare(picture, _RECIPE, side)
            rows = np.linspace(-1, 1, colours.shape[1], dtype=np.float32)
            image = np.concatenate([colours, np.broadcast_to(rows[:, None], (1, *colours.shape[1:]))])[None]
            self._network.setInput(np.ascontiguousarray(image), "image")
            maps, view = self._network.forward(OUTPUTS)
        except MemoryError as error:
            raise OutOfMemory(str(error)) from error
        except cv().error as error:
            raise self._refusal(error) from error
        expected = (1, 4, image.shape[2] // 2, image.shape[3] // 2)
        if maps.shape != expected or view.size != 3 or not (np.isfinite(maps).all() and np.isfinite(view).all()):
            raise InputError(f"{shown(self._source)}: the built-in depth network gives no depth; {_REMEDY}.")
        disparity, sky, edges, error = maps[0]
        horizon, roll, log_tangent = (float(n) for n in view.ravel())
        fov = math.degrees(2 * math.atan(math.exp(min(max(log_tangent, -10.0), 10.0))))
        return Prediction(
            disparity.copy(),
            DepthKind.AFFINE_DISPARITY,
            fov=min(max(fov, _FOVS[0]), _FOVS[1]),
            sky=_sigmoid(sky),
            confidence=_sigmoid(-2 * error),  # 1 / (1 + e²), e being the expected error in units of the spread
            edges=_sigmoid(edges),
            horizon=min(max(horizon, -1.0), 2.0),
            roll=min(max(roll, -_ROLL), _ROLL),
        )

    def _refusal(self, error: Exception) -> Exception:
        if lacks_memory(error):
            return OutOfMemory(str(error)[:200])
        return InputError(f"{shown(self._source)}: OpenCV cannot run the built-in depth network; {_REMEDY}.")


def _sigmoid(x: NDArray[np.float32]) -> Floats:
    return (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)
