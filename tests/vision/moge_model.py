"""Two small MoGe-2 networks and the pictures they are shown, all made from formulas, for test_moge.py and make_moge_data.py.

The weights are no training's, but the points head is led to give about the ray of each pixel, so that a camera fits.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


def _stack(inputs: list[Any], widths: list[int], outputs: Any, blocks: list[int], **more: Any) -> dict[str, Any]:
    return {
        "dim_in": inputs,
        "dim_out": outputs,
        "dim_res_blocks": widths,
        "num_res_blocks": blocks,
        "res_block_in_norm": "none",
        "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"],
        **more,
    }


_WIDTHS = [32, 24, 16, 12, 8]
PLAIN = {
    "encoder": {"backbone": "dinov2_vits14", "intermediate_layers": [5, 11], "dim_out": 32},
    "neck": _stack([34, 2, 2, 2, 2], _WIDTHS, None, [0, 1, 1, 1, 0]),
    "points_head": _stack(_WIDTHS, _WIDTHS, [None, None, None, None, 3], [0, 1, 1, 1, 0]),
    "normal_head": _stack(_WIDTHS, _WIDTHS, [None, None, None, None, 3], [0, 1, 1, 1, 0]),
    "mask_head": _stack(_WIDTHS, _WIDTHS, [None, None, None, None, 1], [0, 1, 1, 1, 0]),
    "scale_head": {"dims": [384, 24, 16, 1]},
    "remap_output": "exp",
    "num_tokens_range": [6, 60],
}
"""As published: the kinds of layers of MoGe-2 Small, with fewer channels."""

_ODD = [64, 32, 64, 32, 32]
ODD = {
    "encoder": {"backbone": "dinov2_vits14", "intermediate_layers": 3, "dim_out": 40},
    "neck": _stack(
        [42, 2, 2, 2, 2], _ODD, [48, None, None, 16, None], [1, 2, 0, 1, 1],
        res_block_in_norm="layer_norm", res_block_hidden_norm="group_norm", activation="silu", dim_times_res_block_hidden=2,
        resamplers=["pixel_shuffle", "nearest", "conv_transpose", "bilinear"],
    ),
    "points_head": _stack(
        [48, None, 64, 16, 32], _ODD, [7, None, None, None, 3], [1, 0, 1, 0, 1],
        res_block_in_norm="group_norm", res_block_hidden_norm="instance_norm", activation="leaky_relu", resamplers=["nearest"] * 4,
    ),
    "mask_head": _stack(
        [48, 32, 64, 16, 32], _ODD, [None, None, None, None, 1], [0, 1, 0, 0, 0],
        res_block_in_norm="instance_norm", res_block_hidden_norm="layer_norm", activation="elu", resamplers=["bilinear"] * 4,
    ),
    "remap_output": "sinh_exp",
    "num_tokens_range": [6, 60],
}  # fmt: skip
"""Every kind of layer that upstream can build and the published networks do not use; no scale, no normals."""


class Case(NamedTuple):
    """A picture of width×height pixels that is cut into `tokens` patches, with `fov` degrees across if they are known."""

    width: int
    height: int
    tokens: int
    fov: float | None = None

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}-{self.tokens}"


RAW_CASES = {
    "plain": [Case(96, 64, 24), Case(83, 50, 30), Case(50, 83, 7), Case(5, 7, 12), Case(300, 40, 20), Case(337, 337, 36), Case(64, 64, 60)],
    "odd": [Case(90, 61, 15)],
}
"""For what the network itself gives, at the picture's size."""
# Upstream looks for the camera at the picture's size. Ours does so at the network's, 16 pixels a patch: here they are the same.
CAMERA_CASES = [
    Case(96, 64, 24), Case(64, 96, 24), Case(80, 80, 25), Case(144, 48, 27), Case(160, 96, 60),
    Case(96, 64, 24, 40.0), Case(64, 96, 24, 75.0), Case(160, 96, 60, 100.0),
]  # fmt: skip
"""For the finished prediction."""
STRIDE = 7
"""Every seventh pixel down and across is kept of upstream's results, from the first."""


def picture(width: int, height: int) -> NDArray[np.float32]:
    """Something with edges, slopes and grain: float32 height×width×3 in [0, 1]."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    slopes = np.stack([0.5 + 0.4 * np.sin(9 * x + 4 * y), 0.7 - 0.6 * y, 0.3 + 0.5 * x * y], axis=-1)
    disc = np.hypot(x - 0.4 * width / max(width, height), y - 0.5 * height / max(width, height)) < 0.2
    grain = (_noise(f"{width}x{height}", width * height * 3) * 0.08).reshape(height, width, 3)
    return np.clip(np.where(disc[..., None], 0.9 - slopes, slopes) + grain, 0, 1).astype(np.float32)


def weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """The weights of a network whose parameters have these names and shapes, the same on every machine."""
    return {key: _weight(key, tuple(shape)) for key, shape in shapes.items()}


_ROAD = {
    f"{part}.weight"
    for part in (
        "neck.input_blocks.4", "neck.resamplers.3.1", "points_head.input_blocks.4", "points_head.resamplers.3.1", "points_head.output_blocks.4",
    )
}  # fmt: skip
"""Where the first two channels carry a pixel's place through the plain network, little disturbed."""


def _weight(key: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if key == "encoder.image_mean":
        return np.float32([0.485, 0.456, 0.406]).reshape(shape)
    if key == "encoder.image_std":
        return np.float32([0.229, 0.224, 0.225]).reshape(shape)
    noise = _noise(key, int(np.prod(shape))).reshape(shape)
    if key.endswith("gamma"):
        return 0.3 + 0.2 * noise
    if len(shape) == 1:
        # The scales of norms stand about 1, biases and the rest about 0; the mask's bias makes it a part of the picture.
        return 0.1 * noise + np.float32(key.endswith("weight")) + np.float32(0.4 if key == "mask_head.output_blocks.4.bias" else 0)
    if len(shape) == 3 or key.endswith("mask_token"):
        return 0.5 * noise
    fan = shape[0] if ".resamplers." in key and shape[2:] == (2, 2) else int(np.prod(shape[1:]))
    value = noise * np.float32(np.sqrt(3 / fan))
    if key in _ROAD:
        value[:2] *= np.float32(0.05)
        if shape[2:] == (1, 1):
            value[[0, 1], [0, 1]] += np.float32(1.2)
    if key == "points_head.output_blocks.4.weight":
        value[2] *= np.float32(0.3)
    return value


def _noise(key: str, count: int) -> NDArray[np.float32]:
    """Evenly spread numbers in [-1, 1) that `key` decides: the finaliser of MurmurHash3 on a counter."""
    x = np.arange(count, dtype=np.uint32)
    x *= np.uint32(0x9E3779B1)
    x ^= np.uint32(zlib.crc32(key.encode()))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - 1
