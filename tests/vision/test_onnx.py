"""Depth networks as .onnx files: what is found out about them, and what OpenCV and onnxruntime make of them.

OpenCV 4.11 runs plain convolutional networks, and Depth Anything exported by scripts/export_onnx.py. It does not run Depth
Anything as torch exports it by itself (its position embeddings are resized bicubically), nor any vision transformer of free
size; onnxruntime runs all of them.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import DeviceError, InputError
from addon.vision.layered import DepthKind
from addon.vision.networks import OutOfMemory, onnx
from addon.vision.networks.inputs import IMAGENET_MEAN, IMAGENET_STD, prepare
from addon.vision.networks.onnx_graph import read_graph
from tests.vision import onnx_bytes as raw

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = "onnxruntime" if importlib.util.find_spec("onnxruntime") else "OpenCV"
LUMA = [0.2, 0.5, 0.3]


def picture(height=60, width=80, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def convolutions(path, shape=(1, 3, 32, 48), kind=1, outputs=("depth",), seed=1):
    """A small network: 3×3 to 4 channels, ReLU, 1×1 to one; other outputs are the negative of the first."""
    random = np.random.default_rng(seed)
    first, second = random.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32), random.normal(0, 0.5, (1, 4, 1, 1)).astype(np.float32)
    image = "image"
    nodes = []
    if kind != 1:
        nodes.append(raw.node("Cast", ("image",), "cast", raw.block(1, "to") + raw.number(3, 1) + raw.number(20, 2)))
        image = "cast"
    nodes += [
        raw.node("Conv", (image, "first"), "features", raw.integers("pads", [1, 1, 1, 1]), raw.integers("kernel_shape", [3, 3])),
        raw.node("Relu", ("features",), "kept"),
        raw.node("Conv", ("kept", "second"), outputs[0], raw.integers("kernel_shape", [1, 1])),
        *(raw.node("Neg", (outputs[0],), name) for name in outputs[1:]),
    ]
    constants = [raw.constant("first", first.ravel().tolist(), first.shape), raw.constant("second", second.ravel().tolist(), second.shape)]
    size = (1, 1, *shape[2:])
    found = [raw.value_info(name, size) for name in outputs]
    path.write_bytes(raw.model(nodes, constants, [raw.value_info("image", shape, kind)], found))
    return path, lambda values: computed(values, first, second)


def computed(values, first, second):
    """The same network in numpy: float32 3×h×w to h×w."""
    height, width = values.shape[1:]
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    features = np.maximum(np.einsum("chwij,ocij->ohw", windows, first), 0)
    return np.einsum("ohw,o->hw", features, second[0, :, 0, 0]).reshape(height, width)


def luma_last(path, shape=(1, 32, 48, 3)):
    """A network whose input has its colours last: the weighted sum of the three."""
    nodes = [raw.node("MatMul", ("image", "weights"), "disparity")]
    found = [raw.value_info("disparity", (*shape[:-1], 1))]
    path.write_bytes(raw.model(nodes, [raw.constant("weights", LUMA, (3, 1))], [raw.value_info("image", shape)], found))
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "net.onnx"


# What a file says ------------------------------------------------------------------------------------------------------


def test_the_graph_is_read_without_the_onnx_package(file):
    convolutions(file, (1, 3, "height", 48), outputs=("depth", "other"))
    graph = read_graph(file)
    assert [(v.name, v.kind, v.shape) for v in graph.inputs] == [("image", 1, (1, 3, None, 48))]  # weights are no inputs
    assert [v.name for v in graph.outputs] == ["depth", "other"]
    assert (graph.opset, graph.stride, graph.external) == (13, 1, ())


def test_weights_that_are_listed_as_inputs_are_none(file):
    constant = raw.constant("weights", 1.0)
    inputs = [raw.value_info("image", (1, 3, 8, 8)), raw.value_info("weights", (1, 1, 1, 1))]
    file.write_bytes(raw.model([raw.node("Mul", ("image", "weights"), "out")], [constant], inputs, [raw.value_info("out", (1, 3, 8, 8))]))
    assert [v.name for v in read_graph(file).inputs] == ["image"]


def test_the_graph_is_read_as_the_onnx_package_reads_it(tmp_path):
    package = pytest.importorskip("onnx")
    helper = package.helper
    tensor = helper.make_tensor("w", 1, [8, 3, 16, 16], np.zeros(8 * 3 * 256, np.float32).tobytes(), raw=True)
    image = helper.make_tensor_value_info("pixels", 1, ["batch", 3, "h", "w"])
    out = helper.make_tensor_value_info("y", 1, None)
    node = helper.make_node("Conv", ["pixels", "w"], ["y"], strides=[16, 16], kernel_shape=[16, 16])
    model = helper.make_model(helper.make_graph([node], "g", [image], [out], [tensor]), opset_imports=[helper.make_opsetid("", 17)])
    package.save(model, tmp_path / "a.onnx")
    graph = read_graph(tmp_path / "a.onnx")
    assert graph.inputs[0].shape == (None, 3, None, None) and graph.outputs[0].shape is None
    assert (graph.opset, graph.stride) == (17, 16)
    package.save(model, tmp_path / "b.onnx", save_as_external_data=True, location="b.bin", size_threshold=0)
    assert read_graph(tmp_path / "b.onnx").external == ("b.bin",)


def test_no_bytes_make_the_reader_stumble(file):
    convolutions(file)
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for trial in range(1500):
        if trial % 3 == 0:
            data = whole[: random.integers(len(whole))]
        elif trial % 3 == 1:
            data = bytearray(whole)
            for place in random.integers(0, len(data), 1 + trial % 4):
                data[place] = random.integers(256)
        else:
            data = random.integers(0, 256, random.integers(1, 300)).astype(np.uint8).tobytes()
        file.write_bytes(bytes(data))
        try:
            read_graph(file)
        except InputError as error:
            refused += 1
            assert file.name in str(error) and "\n" not in str(error)
    assert refused > 900


def test_flipped_bytes_give_a_sentence_or_an_answer(file):
    convolutions(file, (1, 3, 8, 8))
    code = (  # in a process of its own: what a runtime does with such a file is not in our hands
        "import sys; from pathlib import Path; import numpy as np; from addon.errors import InputError\n"
        "from addon.vision.networks import OutOfMemory, onnx\n"
        "path = Path(sys.argv[1]); whole = path.read_bytes(); random = np.random.default_rng(1)\n"
        "view = random.random((8, 8, 3), np.float32)\n"
        "for _ in range(150):\n"
        "    data = bytearray(whole); data[random.integers(len(data))] ^= 1 << random.integers(8); path.write_bytes(data)\n"
        "    try:\n"
        "        onnx.load(path, 'cpu').predict(view, 8, None); print('answer')\n"
        "    except (InputError, OutOfMemory) as error:\n"
        "        print('sentence')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    said = done.stdout.split()
    assert len(said) == 150 and said.count("answer") > 20 and said.count("sentence") > 10


# The answer ------------------------------------------------------------------------------------------------------------


def test_a_network_of_convolutions(file):
    _, compute = convolutions(file)
    network = onnx.load(file, "cpu")
    assert (network.device, network.side, network.fixed, network.runtime) == ("CPU", 32, True, RUNTIME)
    view = picture(32, 48)
    answer = network.predict(view, 500, None)  # one size only, whatever is asked for
    expected = compute(np.moveaxis((view - IMAGENET_MEAN) / IMAGENET_STD, 2, 0).astype(np.float32))
    assert answer.kind is DepthKind.AFFINE_DISPARITY and answer.values.shape == (32, 48) and np.ptp(expected) > 1
    assert np.abs(answer.values - expected).max() < 1e-4
    larger = network.predict(picture(300, 400), 32, None).values
    assert np.abs(larger - compute(prepare(picture(300, 400), network._plan.recipe, 32))).max() < 1e-4


@pytest.mark.parametrize("runtime", ["OpenCV", "onnxruntime"])
def test_each_runtime_gives_the_same(file, runtime):
    if runtime == "onnxruntime":
        pytest.importorskip("onnxruntime")
    _, compute = convolutions(file)
    graph = read_graph(file)
    plan = onnx._plan(file, graph)
    opened = dict(onnx._runners(file, graph, plan, "cpu"))[runtime]()
    inputs = np.random.default_rng(2).standard_normal((1, 3, 32, 48)).astype(np.float32)
    assert np.abs(np.squeeze(opened.run(inputs)) - compute(inputs[0])).max() < 1e-4


def test_opencv_takes_over_what_onnxruntime_refuses(file):
    pytest.importorskip("onnxruntime")
    _, compute = convolutions(file)
    file.write_bytes(file.read_bytes().replace(raw.block(8, raw.number(2, 13)), raw.block(8, raw.number(2, 120))))  # an opset to come
    network = onnx.load(file, "cpu")
    expected = compute(prepare(picture(), network._plan.recipe, 32))
    assert network.runtime == "OpenCV" and np.abs(network.predict(picture(), 32, None).values - expected).max() < 1e-4


def test_an_input_of_free_size_keeps_the_aspect(file):
    _, compute = convolutions(file, (1, 3, "height", "width"))
    network = onnx.load(file, "cpu")
    assert not network.fixed and network.side == 384
    for side, size in ((64, (64, 96)), (96, (96, 128))):
        answer = network.predict(picture(), side, None)
        assert answer.values.shape == size
        assert np.abs(answer.values - compute(prepare(picture(), network._plan.recipe, side))).max() < 1e-4


def test_colours_last(file):
    network = onnx.load(luma_last(file), "cpu")
    view = picture(32, 48)
    expected = ((view - IMAGENET_MEAN) / IMAGENET_STD) @ LUMA
    assert np.abs(network.predict(view, 32, None).values - expected).max() < 1e-4


def test_bytes_and_half_precision(file):
    _, compute = convolutions(file, kind=2)
    view = np.rint(picture(32, 48) * 255).astype(np.float32) / 255
    expected = compute(np.moveaxis(view * 255, 2, 0))
    assert np.abs(onnx.load(file, "cpu").predict(view, 32, None).values - expected).max() < 1e-4 * np.ptp(expected)
    _, compute = convolutions(file, kind=10)
    expected = compute(np.moveaxis((view - IMAGENET_MEAN) / IMAGENET_STD, 2, 0).astype(np.float32))
    assert np.abs(onnx.load(file, "cpu").predict(view, 32, None).values - expected).max() < 1e-2


def test_the_json_file_beside_it(file):
    _, compute = convolutions(file, (1, 3, "height", "width"), outputs=("first", "second"))
    said = {"size": [64, 32], "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 1], "kind": "metric-depth", "output": "second", "multiple": 16}
    file.with_suffix(".json").write_text(json.dumps(said))
    network = onnx.load(file, "cpu")
    view = picture(64, 32)
    answer = network.predict(view, network.side, None)
    expected = -compute(np.moveaxis((view - 0.5) / [0.25, 0.5, 1], 2, 0).astype(np.float32))
    assert answer.kind is DepthKind.METRIC_DEPTH and np.abs(answer.values - expected).max() < 1e-4
    file.with_suffix(".json").write_text('{"size": 48, "multiple": 16}')
    assert onnx.load(file, "cpu").predict(picture(60, 100), 48, None).values.shape == (48, 80)


def test_the_output_that_is_called_depth(file):
    _, compute = convolutions(file, outputs=("features_out", "predicted_depth", "confidence"))
    view = picture(32, 48)
    expected = -compute(prepare(view, onnx.load(file, "cpu")._plan.recipe, 32))
    assert np.abs(onnx.load(file, "cpu").predict(view, 32, None).values - expected).max() < 1e-4


def test_the_hubs_files_around_it(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "config.json").write_text('{"model_type": "depth_anything", "depth_estimation_type": "metric"}')
    preprocessor = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 4], "size": {"height": 56, "width": 56}, "ensure_multiple_of": 14}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**preprocessor, "keep_aspect_ratio": True, "resample": 3}))
    _, compute = convolutions(tmp_path / "onnx" / "model.onnx", (1, 3, "h", "w"))
    network = onnx.load(tmp_path / "onnx" / "model.onnx", "cpu")
    view = picture(56, 84)
    answer = network.predict(view, network.side, None)
    expected = compute(np.moveaxis((view - [0.1, 0.2, 0.3]) / [1, 2, 4], 2, 0).astype(np.float32))
    assert network.side == 56 and answer.kind is DepthKind.METRIC_DEPTH and np.abs(answer.values - expected).max() < 1e-4


# What is wrong ---------------------------------------------------------------------------------------------------------


def refused(path, match):
    with pytest.raises(InputError, match=match) as caught:
        onnx.load(path, "cpu").predict(picture(), 32, None)
    assert path.stem in str(caught.value) and "\n" not in str(caught.value) and str(caught.value).endswith(".")
    return str(caught.value)


@pytest.mark.parametrize("data", [b"", b"not a network", b"\x08\x08", b"\x3a\xff\xff\xff\xff\x0f"])
def test_files_that_are_no_networks(file, data):
    file.write_bytes(data)
    refused(file, "net.onnx")


def test_a_missing_file_and_a_folder(file):
    refused(file, "no such network")
    file.mkdir()
    refused(file, "this is a folder")


@pytest.mark.parametrize("shape", [(1, 4, 32, 32), (2, 3, 32, 32), (1, 10), (1, 3, 10**6, 10**6), (1, 3, 32, 32, 32), ()])
def test_inputs_that_are_no_pictures(file, shape):
    file.write_bytes(raw.model([raw.node("Relu", ("image",), "out")], [], [raw.value_info("image", shape)], [raw.value_info("out", shape)]))
    refused(file, "input|side of")


def test_more_inputs_than_a_picture(file):
    inputs = [raw.value_info("image", (1, 3, 8, 8)), raw.value_info("mask", (1, 1, 8, 8))]
    file.write_bytes(raw.model([raw.node("Mul", ("image", "mask"), "out")], [], inputs, [raw.value_info("out", (1, 3, 8, 8))]))
    refused(file, "image, mask")


def test_an_answer_that_is_no_map(file):
    file.write_bytes(
        raw.model([raw.node("Relu", ("image",), "out")], [], [raw.value_info("image", (1, 3, 8, 8))], [raw.value_info("out", (1, 3, 8, 8))])
    )
    refused(file, "no map of depth")


@pytest.mark.parametrize(("factor", "match"), [(0.0, "same everywhere"), (float("nan"), "no numbers"), (1e30, "absurd")])
def test_an_answer_that_cannot_be_meant(file, factor, match):
    shape = (1, 3, 16, 16)
    sums = raw.node("Conv", ("image", "weights"), "sum", raw.integers("kernel_shape", [1, 1]))
    constants = [raw.constant("weights", [factor] * 3, (1, 3, 1, 1))]
    file.write_bytes(raw.model([sums], constants, [raw.value_info("image", shape)], [raw.value_info("sum", (1, 1, 16, 16))]))
    text = refused(file, match)
    assert "OpenCV: " in text and ("onnxruntime: " in text) == (RUNTIME == "onnxruntime")
    if factor == 0.0:  # of a picture that is the same everywhere it may be the same everywhere
        assert np.ptp(onnx.load(file, "cpu").predict(np.full((9, 9, 3), 0.5, np.float32), 16, None).values) == 0


def test_an_operator_that_nobody_knows(file):
    nodes = [raw.node("Hallucinate", ("image",), "out")]
    file.write_bytes(raw.model(nodes, [], [raw.value_info("image", (1, 3, 8, 8))], [raw.value_info("out", (1, 1, 8, 8))]))
    text = refused(file, "Hallucinate")
    assert ("onnxruntime" if RUNTIME == "OpenCV" else "export it again") in text


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"sizes": 3}, "no entry"), ({"size": 0}, "size"), ({"size": [3]}, "size"), ({"size": True}, "size"), ({"size": 10**9}, "size"),
        ({"mean": [1, 2]}, "mean"), ({"std": [0, 1, 1]}, "std"), ({"mean": ["a", 1, 1]}, "mean"), ({"kind": "guess"}, "kind"),
        ({"output": "elsewhere"}, "elsewhere.*depth"), ({"output": 3}, "output"), ({"multiple": 0}, "multiple"),
        ({"size": 99}, "32 rows of 48"),
    ],
)  # fmt: skip
def test_a_json_file_that_makes_no_sense(file, said, match):
    convolutions(file)
    file.with_suffix(".json").write_text(json.dumps(said))
    refused(file, match)


def test_weights_in_another_file(tmp_path):
    package = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path, compute = convolutions(tmp_path / "net.onnx")
    package.save(package.load(path), path, save_as_external_data=True, location="net.onnx_data", size_threshold=0)
    network = onnx.load(path, "cpu")
    view = picture(32, 48)
    expected = compute(prepare(view, network._plan.recipe, 32))
    assert network.runtime == "onnxruntime" and np.abs(network.predict(view, 32, None).values - expected).max() < 1e-4
    (tmp_path / "net.onnx_data").unlink()
    refused(path, "net.onnx_data")


def test_a_device_that_is_not_there(file):
    convolutions(file)
    for name in ("cuda:7", "quantum"):
        if name == "cuda:7" and RUNTIME == "onnxruntime":
            runtime = pytest.importorskip("onnxruntime")
            if "CUDAExecutionProvider" in runtime.get_available_providers():
                continue
        with pytest.raises(DeviceError):
            onnx.load(file, name)


def test_a_file_whose_name_is_not_ascii(tmp_path):
    path, compute = convolutions(tmp_path / "Tiefe – 深度.onnx")
    graph = read_graph(path)
    plan = onnx._plan(path, graph)
    inputs = prepare(picture(), plan.recipe, 32)
    opened = dict(onnx._runners(path, graph, plan, "cpu"))["OpenCV"]()
    assert np.abs(np.squeeze(opened.run(inputs[None])) - compute(inputs)).max() < 1e-4


def test_too_little_memory_is_told_apart():
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((2, 2, 3), np.float32), (2**21, 2**21))
    assert isinstance(onnx._refusal(caught.value), OutOfMemory)
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((2, 2, 3), np.float32), (-1, 2))
    assert not isinstance(onnx._refusal(caught.value), OutOfMemory)


# Depth Anything --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def depth_anything(tmp_path_factory):
    """A random Depth Anything in the hub's format, its torch model, and what is needed to export it."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("onnx")
    from tests.vision import tiny_networks as tiny

    folder = tmp_path_factory.mktemp("da")
    model = tiny.depth_anything()
    return torch, tiny.saved(folder, model, tiny.PREPROCESSORS["depth_anything"]), model


def by_torch(torch, model, plan, view):
    inputs = prepare(view, plan.recipe, min(plan.recipe.size))
    with torch.no_grad():
        return model(pixel_values=torch.from_numpy(inputs)[None]).predicted_depth[0].numpy()


@pytest.mark.parametrize("runtime", ["OpenCV", "onnxruntime"])
def test_depth_anything_exported_for_opencv(depth_anything, file, runtime):
    torch, folder, model = depth_anything
    if runtime == "onnxruntime":
        pytest.importorskip("onnxruntime")
    from scripts.export_onnx import export

    assert export(folder, file, 84, 112) < 1e-4
    graph = read_graph(file)
    plan = onnx._plan(file, graph)
    assert plan.recipe.size == (84, 112) and plan.fixed and graph.stride == 14
    opened = dict(onnx._runners(file, graph, plan, "cpu"))[runtime]()
    view = picture(90, 120)
    answer = np.squeeze(opened.run(prepare(view, plan.recipe, 84)[None]))
    expected = by_torch(torch, model, plan, view)
    assert answer.shape == expected.shape == (84, 112) and np.ptp(expected) > 0.1
    assert np.abs(answer - expected).max() < 1e-3
    # And through the front, with what the JSON file beside it says: as the network itself says of that picture.
    from addon.vision.networks import auto

    whole = onnx.load(file, "cpu").predict(picture(84, 112), 84, None)
    direct = auto.load(folder, "cpu").predict(picture(84, 112), 84, None)
    assert whole.kind is direct.kind and np.abs(whole.values - direct.values).max() < 1e-3


def test_depth_anything_as_torch_exports_it_needs_onnxruntime(depth_anything, file):
    torch, _, model = depth_anything

    class Depth(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            return self.model(pixel_values=pixel_values).predicted_depth

    free = {"pixel_values": {0: "batch", 2: "height", 3: "width"}, "predicted_depth": {0: "batch", 1: "height", 2: "width"}}
    model.set_attn_implementation("eager")  # the same numbers; torch's own attention cannot be exported this way
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Depth(), (torch.zeros(1, 3, 70, 98),), str(file), opset_version=17, dynamo=False, input_names=["pixel_values"],
            output_names=["predicted_depth"], dynamic_axes=free,
        )  # fmt: skip
    graph = read_graph(file)
    plan = onnx._plan(file, graph)
    assert not plan.fixed and plan.recipe.multiple == 14 and plan.recipe.size == (518, 518)  # the patch was found
    with pytest.raises(onnx._Refused, match="cannot compute"):
        dict(onnx._runners(file, graph, plan, "cpu"))["OpenCV"]().run(np.zeros((1, 3, 70, 98), np.float32))
    pytest.importorskip("onnxruntime")
    network = onnx.load(file, "cpu")
    answer = network.predict(picture(90, 120), 70, None)
    with torch.no_grad():
        expected = model(pixel_values=torch.from_numpy(prepare(picture(90, 120), plan.recipe, 70))[None]).predicted_depth[0].numpy()
    assert network.runtime == "onnxruntime" and np.abs(answer.values - expected).max() < 1e-3
