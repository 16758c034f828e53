"""A network of the built-in one's contract, written by hand, whose answers are known."""

from __future__ import annotations

import struct

import numpy as np

from tests.vision import onnx_bytes as raw

HORIZON, ROLL, FOV = 0.375, 0.125, 60.0
SKY = 0.75
"""Blue from which on a pixel is sky."""

# From R, G, B and the ramp to disparity, sky logit, edge logit and log-uncertainty, each of the mean of 2×2 pixels.
WEIGHTS = [[2, 0, 0, 1], [0, 0, 40, 0], [12, 12, 0, 0], [0, 4, 0, 0]]
BIAS = [3.0, -40 * SKY, -6.0, -3.0]


def halves(name, values):
    """A tensor of 16-bit floats."""
    values = np.asarray(values, np.float16)
    dims = b"".join(raw.number(1, n) for n in values.shape)
    return dims + raw.number(2, 10) + raw.block(8, name) + raw.block(9, values.tobytes())


def cast(given, result):
    return raw.node("Cast", (given,), result, raw.block(1, "to") + raw.number(3, 1) + raw.number(20, 2))


def built_in(half=True, outputs=("maps", "view"), weights=WEIGHTS):
    """The bytes of the file: a convolution for the maps, and a global mean and a convolution for the view.

    half: its weights as 16-bit floats behind a Cast, as the real one's.
    """
    kernel = np.repeat(np.repeat(np.asarray(weights, np.float32)[:, :, None, None], 2, 2), 2, 3) / 4
    view = np.zeros((3, 4, 1, 1), np.float32)
    level = [HORIZON, ROLL, float(np.log(np.tan(np.radians(FOV) / 2)))]
    tensors = {"kernel": kernel, "bias": np.array(BIAS), "look": view, "level": np.array(level)}
    nodes, constants = [], []
    for name, values in tensors.items():
        if half:
            constants.append(halves(f"{name}.half", values))
            nodes.append(cast(f"{name}.half", name))
        else:
            flat = np.asarray(values, np.float32).ravel()
            dims = b"".join(raw.number(1, n) for n in values.shape)
            constants.append(dims + raw.number(2, 1) + raw.block(8, name) + raw.block(9, struct.pack(f"<{flat.size}f", *flat)))
    nodes += [
        raw.node("Conv", ("image", "kernel", "bias"), outputs[0], raw.integers("kernel_shape", [2, 2]), raw.integers("strides", [2, 2])),
        raw.node("GlobalAveragePool", ("image",), "mean"),
        raw.node("Conv", ("mean", "look", "level"), "seen", raw.integers("kernel_shape", [1, 1])),
        raw.node("Flatten", ("seen",), outputs[1]),
    ]
    shapes = [raw.value_info(outputs[0], (1, 4, 96, 128)), raw.value_info(outputs[1], (1, 3))]
    return raw.model(nodes, constants, [raw.value_info("image", (1, 4, 192, 256))], shapes)
