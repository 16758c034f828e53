"""How right the network is on photos with true depth.

    python -m training.score NETWORK --dev PATH [--flip] [--second 1.5] [--area 49152]

NETWORK is a .safetensors file (run by torch) or an .onnx file (run by OpenCV). PATH is a folder with a `load.py` that offers
`items()` (name, BGR uint8, inverse depth, valid), `absrel_delta1(pred, truth, valid)` and `ordinal(pred, truth, valid)`; its
photos are only ever looked at. A vertical ramp is scored beside the network.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.errors import InputError, StillscapeError
from addon.vision.files import read_file, shown

from .export import Runner, opencv, pytorch
from .network import MULTIPLE, load

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

AREA = 192 * 256
"""Pixels of the network's input."""


class Score(NamedTuple):
    """AbsRel of depth, share of pixels within a factor of 1.25, share of pairs ordered rightly."""

    absrel: float
    delta1: float
    ordinal: float


@lru_cache(maxsize=4)
def _pairs(folder: Path) -> ModuleType:
    """The module `load.py` of a folder. Raises InputError if there is none."""
    file = folder / "load.py"
    spec = importlib.util.spec_from_file_location("training_development_pairs", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise InputError(
            f"{shown(file)}: there is no such file; --dev names a folder of photos with true depth and a load.py that reads them."
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=4)
def _items(folder: Path) -> list[tuple[str, Bytes, Floats, NDArray[np.bool_]]]:
    return list(_pairs(folder).items())


def fitting(height: int, width: int, area: float = AREA) -> tuple[int, int]:
    """Height and width for the network, multiples of 32, of about `area` pixels and the picture's aspect."""
    h = np.sqrt(area * height / width)
    fit = (max(1, round(float(n) / MULTIPLE)) * MULTIPLE for n in (h, h * width / height))
    return next(fit), next(fit)


def as_input(picture: Floats) -> Floats:
    """float32 1×4×H×W from R'G'B' in [0, 1], H×W×3."""
    ramp = np.linspace(-1, 1, picture.shape[0], dtype=np.float32)
    ramp = np.broadcast_to(ramp[:, None, None], (*picture.shape[:2], 1))
    return np.ascontiguousarray(np.concatenate([picture, ramp], 2).transpose(2, 0, 1)[None], np.float32)


def disparity(run: Runner, photo: Bytes, *, flip: bool = False, second: float = 0.0, area: float = AREA) -> Floats:
    """The network's disparity (any scale and shift) of a BGR photo, at the photo's size.

    flip: the mean with that of the mirrored photo. second: the mean with that at a size so many times larger, 0 for none.
    """
    h, w = photo.shape[:2]
    results: list[Floats] = []
    for factor in [1.0] + [second] * (second > 0):
        rows, columns = fitting(h, w, area * factor**2)
        colour = cv2.cvtColor(photo, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        shrunk = cv2.resize(colour, (columns, rows), interpolation=cv2.INTER_AREA)
        result = run(as_input(shrunk))[0][0, 0]
        if flip:
            result = (result + run(as_input(shrunk[:, ::-1]))[0][0, 0][:, ::-1]) / 2
        large = cv2.resize(result, (w, h), interpolation=cv2.INTER_LINEAR)
        if results:
            slope, shift = np.polyfit(large.ravel()[::7], results[0].ravel()[::7], 1)
            large = (slope * large + shift).astype(np.float32)
        results.append(large)
    return np.mean(results, axis=0, dtype=np.float32)


def ramp(photo: Bytes) -> Floats:
    """Disparity that rises from the top row to the bottom one."""
    return np.repeat(np.linspace(0, 1, photo.shape[0], dtype=np.float32)[:, None], photo.shape[1], 1)


def development(run: Runner | None, folder: Path, *, flip: bool = False, second: float = 0.0, area: float = AREA) -> dict[str, Score]:
    """Scores by photo, and their "mean"; of the ramp if `run` is None. Raises InputError."""
    pairs = _pairs(folder)
    scores: dict[str, Score] = {}
    for name, photo, truth, valid in _items(folder):
        if photo.shape[:2] != truth.shape:
            photo = cv2.resize(photo, truth.shape[::-1], interpolation=cv2.INTER_AREA)
        found = ramp(photo) if run is None else disparity(run, photo, flip=flip, second=second, area=area)
        scores[name] = Score(*pairs.absrel_delta1(found, truth, valid), pairs.ordinal(found, truth, valid))
    scores["mean"] = Score(*(float(np.mean([score[i] for score in scores.values()])) for i in range(3)))
    return scores


def runner(network: Path) -> Runner:
    """What runs a .safetensors or .onnx file. Raises InputError."""
    if network.suffix == ".safetensors":
        return pytorch(load(network))
    if network.suffix != ".onnx":
        raise InputError(f"{shown(network)}: this is neither a .safetensors nor an .onnx file; name one that training wrote.")
    return opencv(read_file(network, limit=2**31))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("network", type=Path, help="a .safetensors or .onnx file")
    parser.add_argument("--dev", type=Path, required=True, metavar="PATH", help="the folder of photos with true depth")
    parser.add_argument("--flip", action="store_true", help="the mean with the mirrored photo")
    parser.add_argument("--second", type=float, default=0.0, metavar="FACTOR", help="the mean with an input so many times larger")
    parser.add_argument("--area", type=float, default=AREA, help="pixels of the network's input")
    options = parser.parse_args(arguments)
    try:
        ours = development(runner(options.network), options.dev, flip=options.flip, second=options.second, area=options.area)
        ramps = development(None, options.dev)
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{'':18s}  AbsRel  delta1  ordinal   ramp: AbsRel  delta1  ordinal")
    for name, score in ours.items():
        print(f"{name:18s}  {score.absrel:6.3f}  {score.delta1:6.3f}  {score.ordinal:7.3f}         ", end="")
        print("{:6.3f}  {:6.3f}  {:7.3f}".format(*ramps[name]))
    better = sum(ours[name].absrel < ramps[name].absrel for name in ours if name != "mean")
    print(f"better than the ramp on {better} of {len(ours) - 1}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
