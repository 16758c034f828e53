"""The landmark network: a small convolutional encoder and decoder, and how it becomes the ONNX file that the add-on carries.

    python -m training.heads_network WEIGHTS.safetensors --out landmarks.onnx

addon/vision/face_network.py says what goes in and comes out; here batches are B×3×112×112 to B×70×28×28 and B×70. It is built from the same
units as the depth network, and exported the same way: batch normalisation folded in, weights of half precision before a Cast.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from addon.errors import InputError, StillscapeError
from addon.vision.face_network import CELLS, SIDE
from addon.vision.files import shown, write_atomically
from addon.vision.landmarks import COUNT

from .export import written
from .network import Block, Context, Unit, Up

WIDTHS = (24, 40, 64, 88)
"""Channels at /2, /4, /8, /16."""
DECODER = (64, 48)
"""At /8 and /4."""
TOLERANCE = 1e-2
"""Of an output's range: what half precision of the weights may change."""


class LandmarkNet(nn.Module):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.centre = nn.Conv2d(3, 3, 1)  # colours to about mean 0 and deviation 1
        with torch.no_grad():
            self.centre.weight.copy_(4 * torch.eye(3)[:, :, None, None])
            self.centre.bias.fill_(-1.8)  # type: ignore[union-attr]
        self.centre.requires_grad_(False)
        self.stem = Unit(3, a, stride=2)
        self.quarter = nn.Sequential(Unit(a, b, stride=2), Block(b))
        self.eighth = nn.Sequential(Unit(b, c, stride=2), Block(c))
        self.sixteenth = nn.Sequential(Unit(c, d, stride=2), Block(d), Context(d))
        self.up = nn.ModuleList((Up(d, c, DECODER[0]), Up(DECODER[0], b, DECODER[1])))
        self.maps = nn.Conv2d(DECODER[1], COUNT, 1)
        self.error = nn.Sequential(nn.Conv2d(d, 64, 1), nn.ReLU(), nn.Conv2d(64, COUNT, 1))
        nn.init.normal_(self.maps.weight, 0.0, 0.02)
        nn.init.zeros_(self.maps.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.error[2].weight, 0.0, 0.02)  # type: ignore[arg-type]
        nn.init.constant_(self.error[2].bias, -2.0)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        quarter = self.quarter(self.stem(self.centre(image)))
        eighth = self.eighth(quarter)
        deepest = self.sixteenth(eighth)
        x = self.up[1](self.up[0](deepest, eighth), quarter)
        return self.maps(x), self.error(deepest.mean((2, 3), keepdim=True)).flatten(1)


def places(maps: Tensor) -> Tensor:
    """Mean places B×N×2 in shares of the square; see addon's `face_network.places`."""
    share = maps.flatten(2).softmax(2).unflatten(2, maps.shape[2:])
    at = (torch.arange(maps.shape[2], dtype=share.dtype) + 0.5) / maps.shape[2]
    return torch.stack([share.sum(2) @ at, share.sum(3) @ at], 2)


def fused(network: LandmarkNet) -> LandmarkNet:
    """A copy for running only, batch normalisation folded into the convolutions."""
    copy = LandmarkNet()
    copy.load_state_dict({name: value.float() for name, value in network.state_dict().items()})
    copy.eval()
    for unit in [module for module in copy.modules() if isinstance(module, Unit)]:
        unit[0] = nn.utils.fuse_conv_bn_eval(unit[0], unit[1])  # type: ignore[arg-type]
        unit[1] = nn.Identity()
    return copy.requires_grad_(False)


def save(network: LandmarkNet, path: Path) -> None:
    """Write the weights as float16 safetensors. Raises StorageError."""
    from safetensors.torch import save_file

    tensors = {
        k: v.detach().to(torch.float16).contiguous() for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")
    }
    write_atomically(path, lambda temporary: save_file(tensors, str(temporary)))


def load(path: Path) -> LandmarkNet:
    """Read a network that `save` wrote. Raises InputError if the file is missing, damaged or holds another network."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise InputError(f"{shown(path)}: there is no such file; name the weights that training wrote (last.safetensors).")
    network = LandmarkNet()
    try:
        missing, extra = network.load_state_dict({k: v.float() for k, v in load_file(str(path)).items()}, strict=False)
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{shown(path)}: these are no weights of the landmark network ({error}); choose another file.") from error
    if extra or any(not name.endswith("num_batches_tracked") for name in missing):
        raise InputError(f"{shown(path)}: these weights belong to another version of the network; choose another file.")
    return network


# Export ------------------------------------------------------------------------------------------------------------------


def to_onnx(network: LandmarkNet) -> bytes:
    """The network as the bytes of an ONNX file."""
    return written(fused(network), "landmarks", [1, 3, SIDE, SIDE], {"maps": [1, COUNT, CELLS, CELLS], "error": [1, COUNT]}, half=True)


def run_opencv(data: bytes, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`maps` and `error` of one image (1×3×SIDE×SIDE) as OpenCV computes them."""
    network: Any = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(image, "image")
    maps, error = network.forward(["maps", "error"])
    return maps, error.reshape(1, COUNT)


def difference(network: LandmarkNet, data: bytes) -> float:
    """The greatest difference between OpenCV and torch, in shares of an output's range, on a random picture."""
    image = np.random.default_rng(0).random((1, 3, SIDE, SIDE), np.float32)
    image = cv2.blur(image[0].transpose(1, 2, 0), (9, 9)).transpose(2, 0, 1)[None].astype(np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(image))
    worst = 0.0
    for ours, theirs in zip(run_opencv(data, image), expected):
        worst = max(worst, float(np.abs(ours - theirs.numpy()).max() / max(float(np.ptp(theirs.numpy())), 1e-6)))
    return worst


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("weights", type=Path)
    ask.add_argument("--out", type=Path, required=True)
    given = ask.parse_args()
    try:
        network = load(given.weights)
        data = to_onnx(network)
        worst = difference(network, data)
        if worst > TOLERANCE:
            raise InputError(f"{shown(given.weights)}: OpenCV differs from torch by {worst:.4f} of the range; do not ship this file.")
        write_atomically(given.out, lambda temporary: temporary.write_bytes(data))
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{given.out}: {len(data) / 1e6:.2f} MB, OpenCV differs from torch by {worst:.5f} of the range")
    return 0


if __name__ == "__main__":
    sys.exit(main())
