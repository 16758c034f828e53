"""Weights to an ONNX file that OpenCV 4.11's dnn runs.

    python -m training.export WEIGHTS.safetensors --out built_in.onnx

Batch normalisation is folded into the convolutions; the file's graph is built from what `torch.fx` traces, with the onnx
package only. The weights are float16 tensors, each followed by a Cast to float32, which OpenCV 4.11 resolves while it reads
the file. The file is compared with torch, run by OpenCV and by onnxruntime where that is installed, before it is written.

The file names 192×256 as its input's size: OpenCV 4.11 cannot read it with a free one (it takes the sizes of the encoder and
the decoder for 1 and finds that they do not fit). Read so, it runs any height and width that are multiples of 32, in turn and
without being read again, since the graph holds only scale factors and global means. onnxruntime insists on the size in the
file, so `freed` takes it out.
"""

from __future__ import annotations

import argparse
import operator
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import fx, nn
from torch.nn import functional as F

from addon.errors import InputError, StillscapeError
from addon.vision.files import write_atomically

from .network import MAPS, Network, fused, load

OPSET = 13
SIZES = ((192, 256), (288, 384), (256, 192), (160, 224))
TOLERANCE = 1e-2
"""Of an output's range."""

Floats = NDArray[np.float32]
Shape = Sequence[int | str]
"""Of a tensor; a name stands for a size that is free."""


class GraphBuilder:
    """Collects the nodes and tensors of an ONNX graph. half: weights are float16 tensors, each followed by a Cast to float32."""

    def __init__(self, half: bool) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self._half = half

    def weight(self, name: str, values: Floats) -> str:
        """Add weights; returns the name under which nodes take them as float32."""
        if not self._half:
            self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
            return name
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float16), f"{name}.half"))
        return self.node("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)

    def node(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node of one output; returns the name of that, which is the node's own."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name


def to_onnx(network: Network, *, half: bool = True) -> bytes:
    """The network as the bytes of an ONNX file, its input named as 192×256; `half`: the weights as float16."""
    outputs = {"maps": [1, MAPS, "half_height", "half_width"], "view": [1, 3]}
    return written(fused(network), "stillscape", [1, 4, *SIZES[0]], outputs, half=half)


def written(network: nn.Module, name: str, image: Shape, outputs: dict[str, Shape], *, half: bool) -> bytes:
    """A network of one input and several outputs as the bytes of an ONNX file, checked by the onnx package.

    network: for running only, normalisation folded in; its `forward` is traced by `torch.fx` and gives a tuple. name: of the graph. image:
    the input's shape, whose name is "image". outputs: name and shape of each, in the order of the tuple. half: see GraphBuilder.
    Raises InputError if `translate` does not know one of its steps.
    """
    traced = fx.symbolic_trace(network)
    modules = dict(traced.named_modules())
    builder = GraphBuilder(half)
    names: dict[fx.Node, str] = {}
    results: tuple[str, ...] = ()
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            names[node] = "image"
        elif node.op == "output":
            results = tuple(names[value] for value in node.args[0])
        else:
            names[node] = translate(builder, node, names, modules)
    final = dict(zip(results, outputs))
    for node in builder.nodes:
        node.output[:] = [final.get(value, value) for value in node.output]
        node.input[:] = [final.get(value, value) for value in node.input]
    graph = helper.make_graph(
        builder.nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape) for output, shape in outputs.items()],
        builder.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="stillscape")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def freed(data: bytes) -> bytes:
    """The same file with a free height and width, for onnxruntime."""
    model = onnx.load_from_string(data)
    for axis, name in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], ("height", "width")):
        axis.dim_param = name
    return model.SerializeToString()


def translate(builder: GraphBuilder, node: fx.Node, names: dict[fx.Node, str], modules: dict[str, nn.Module]) -> str:
    """Add what computes one traced step, and return the name of its result.

    names: of the results of the steps before. modules: of the traced network, by name. Raises InputError for a step that is not known.
    """
    given = [names[value] for value in node.args if isinstance(value, fx.Node)]
    name = node.name
    if node.op == "call_module":
        module = modules[str(node.target)]
        if isinstance(module, nn.Identity):
            return given[0]
        if isinstance(module, nn.ReLU):
            return builder.node("Relu", given, name)
        if isinstance(module, nn.Conv2d):
            return _convolution(builder, module, given[0], name)
    if node.target in (operator.add, torch.add):
        return builder.node("Add", given, name)
    if node.target in (operator.mul, torch.mul):
        return builder.node("Mul", given, name)
    if node.target is F.relu:
        return builder.node("Relu", given, name)
    if node.target is torch.sigmoid:
        return builder.node("Sigmoid", given, name)
    if node.target == "mean":
        axes = list(node.args[1])  # type: ignore[arg-type]
        if axes == [2, 3]:
            return builder.node("GlobalAveragePool", given, name)
        return builder.node("ReduceMean", given, name, axes=axes, keepdims=1)
    if node.target == "flatten":
        return builder.node("Flatten", given, name, axis=1)
    if node.target is F.interpolate:
        scales = np.array([1, 1, node.kwargs["scale_factor"], node.kwargs["scale_factor"]], np.float32)
        builder.tensors.append(numpy_helper.from_array(scales, f"{name}.scales"))
        return builder.node(
            "Resize",
            [given[0], "", f"{name}.scales"],
            name,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    raise InputError(f"The network contains {node.op} {node.target}, which training/export.py cannot write yet; add it there.")


def _convolution(builder: GraphBuilder, module: nn.Conv2d, given: str, name: str) -> str:
    weight = builder.weight(f"{name}.weight", module.weight.detach().numpy())
    inputs = [given, weight]
    if module.bias is not None:
        inputs.append(builder.weight(f"{name}.bias", module.bias.detach().numpy()))
    pads = [int(p) for p in module.padding] * 2  # type: ignore[union-attr]
    return builder.node(
        "Conv", inputs, name, kernel_shape=list(module.kernel_size), strides=list(module.stride), pads=pads, dilations=[1, 1], group=1
    )


# Running it ------------------------------------------------------------------------------------------------------------

Runner = Callable[[Floats], tuple[Floats, Floats]]
"""From an image (float32 1×4×H×W) to maps and view."""


def opencv(data: bytes) -> Runner:
    """Run the bytes of the file by OpenCV's dnn."""
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

    def run(image: Floats) -> tuple[Floats, Floats]:
        network.setInput(image, "image")
        maps, view = network.forward(["maps", "view"])
        return maps, view.reshape(1, 3)

    return run


def onnxruntime(data: bytes) -> Runner:
    """Run the bytes of the file by onnxruntime."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(freed(data), options, providers=["CPUExecutionProvider"])

    def run(image: Floats) -> tuple[Floats, Floats]:
        maps, view = session.run(["maps", "view"], {"image": image})
        return maps, view

    return run


def pytorch(network: Network) -> Runner:
    """Run the network itself, in float32."""
    network = network.eval()

    def run(image: Floats) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            maps, view = network(torch.from_numpy(image))
        return maps[:, :MAPS].numpy(), view.numpy()

    return run


def difference(wanted: tuple[Floats, Floats], got: tuple[Floats, Floats]) -> float:
    """The largest difference of any channel of the maps, as a share of the channel's range, or of a number of the view."""
    worst = float(np.abs(wanted[1] - got[1]).max())
    for a, b in zip(wanted[0][0], got[0][0]):
        worst = max(worst, float(np.abs(a - b).max()) / max(float(np.ptp(a)), 1e-6))
    return worst if np.isfinite(worst) else np.inf


def compare(network: Network, data: bytes, image: Floats) -> dict[str, float]:
    """`difference` from torch on one image, by runtime."""
    wanted = pytorch(network)(image)
    found = {"OpenCV": difference(wanted, opencv(data)(image))}
    try:
        found["onnxruntime"] = difference(wanted, onnxruntime(data)(image))
    except ImportError:
        print("onnxruntime is not installed; only OpenCV was compared.", file=sys.stderr)
    return found


def _trial() -> Floats:
    """An image of soft blobs and noise, float32 1×4×192×256."""
    random = np.random.default_rng(0)
    h, w = SIZES[0]
    picture = cv2.resize(random.random((h // 16, w // 16, 3), np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(picture + random.normal(0, 0.03, picture.shape), 0, 1).astype(np.float32)
    ramp = np.broadcast_to(np.linspace(-1, 1, h, dtype=np.float32)[:, None, None], (h, w, 1))
    return np.ascontiguousarray(np.concatenate([picture, ramp], 2).transpose(2, 0, 1)[None])


def _milliseconds(run: Runner, image: Floats) -> float:
    run(image)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("weights", type=Path, help="best.safetensors or last.safetensors of a run")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx")
    options = parser.parse_args(arguments)
    try:
        network = load(options.weights)
        data = to_onnx(network)
        worst: dict[str, float] = {}
        for h, w in SIZES:
            image = np.ascontiguousarray(cv2.resize(_trial()[0].transpose(1, 2, 0), (w, h)).transpose(2, 0, 1)[None])
            for name, value in compare(network, data, image).items():
                worst[name] = max(worst.get(name, 0.0), value)
        for name, value in worst.items():
            print(f"{name}: differs from torch by {value:.5f} of the range at most")
        if max(worst.values()) > TOLERANCE:
            raise InputError(f"{options.weights}: the exported network computes something else than torch; nothing was written.")
        write_atomically(options.out, lambda temporary: temporary.write_bytes(data))
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: {len(data) / 1e6:.2f} MB, {sum(p.numel() for p in fused(network).parameters()) / 1e6:.2f} million parameters")
    for h, w in SIZES[:2]:
        image = np.ascontiguousarray(cv2.resize(_trial()[0].transpose(1, 2, 0), (w, h)).transpose(2, 0, 1)[None])
        print(f"OpenCV, {h}×{w}: {_milliseconds(opencv(data), image):.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
