"""Networks that transformers' Auto classes know: what ours says of a picture is what the library says of it.

All with random weights: nobody's published ones are here.
"""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.networks

from addon.errors import DeviceError, InputError  # noqa: E402
from addon.vision.layered import DepthKind  # noqa: E402
from addon.vision.networks import auto, hub_folder  # noqa: E402
from addon.vision.networks.inputs import prepare, unpadded  # noqa: E402
from tests.vision import tiny_networks as tiny  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def picture(height=90, width=120, seed=0):
    """A float picture with broad and fine detail."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(9 * x + 5 * y + c) * np.cos(7 * y - c) for c in range(3)]
    return np.clip(0.5 + 0.35 * np.stack(waves, 2) + 0.05 * rng.standard_normal((height, width, 3)), 0, 1).astype(np.float32)


def of_bytes(height, width, seed=0):
    """The same as 8-bit values, which the library's image processors take, and as ours."""
    data = np.rint(picture(height, width, seed) * 255).astype(np.uint8)
    return data, data.astype(np.float32) / 255


MODELS = {
    "depth_anything": lambda: tiny.depth_anything(),
    "dpt": lambda: tiny.dpt(),
    "dpt-hybrid": lambda: tiny.dpt_hybrid(),
    "dpt-swinv2": lambda: tiny.dpt_swinv2(),
    "dpt-beit": lambda: tiny.dpt(tiny.beit()),
    "dpt-dinov2": lambda: tiny.dpt(tiny.dinov2(image_size=56)),
    "zoedepth": lambda: tiny.zoedepth(2),
    "depth_pro": lambda: tiny.depth_pro(),
    "glpn": lambda: tiny.glpn(),
    "tipsv2_dpt": lambda: tiny.tipsv2(),
}


@pytest.fixture
def hub(tmp_path):
    """Make the folder of a network."""

    def make(name, model=None, **preprocessor):
        model = MODELS[name]() if model is None else model
        return tiny.saved(tmp_path / name, model, {**tiny.PREPROCESSORS[name], **preprocessor}), model

    return make


def said(model, network, view, side=None):
    """What the library's own model says of our pixel values."""
    values = prepare(view, network.folder.recipe, side or network.side)
    with torch.no_grad():
        out = model(pixel_values=torch.from_numpy(values)[None])
    return out.predicted_depth[0].numpy(), out, values.shape[1:]


# The answer ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [False, True])
def test_depth_anything(hub, metric):
    entries = {"depth_estimation_type": "metric", "max_depth": 20} if metric else {}
    folder, model = hub("depth_anything", tiny.depth_anything(**entries))
    network = auto.load(folder, "cpu")
    assert (network.device, network.side, network.fixed) == ("CPU", 70, False)
    answer = network.predict(picture(), network.side, None)
    expected, _, size = said(model, network, picture())
    assert size == (70, 98) == answer.values.shape and answer.values.dtype == np.float32
    assert answer.kind is (DepthKind.METRIC_DEPTH if metric else DepthKind.AFFINE_DISPARITY)
    assert np.ptp(expected) > 0.1 and np.abs(answer.values - expected).max() < 1e-4
    assert answer.fov is None and (not metric or answer.values.max() <= 20)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dpt", DepthKind.AFFINE_DISPARITY),
        ("dpt-hybrid", DepthKind.AFFINE_DISPARITY),
        ("dpt-swinv2", DepthKind.AFFINE_DISPARITY),
        ("dpt-beit", DepthKind.AFFINE_DISPARITY),
        ("dpt-dinov2", DepthKind.METRIC_DEPTH),
        ("glpn", DepthKind.METRIC_DEPTH),
        ("tipsv2_dpt", DepthKind.METRIC_DEPTH),
    ],
)
def test_networks_that_need_no_more_than_their_pixels(hub, name, kind):
    folder, model = hub(name)
    network = auto.load(folder, "cpu")
    side = 64 if name == "glpn" else network.side
    answer = network.predict(picture(), side, None)
    expected, _, size = said(model, network, picture(), side)
    assert answer.kind is kind and answer.values.shape == expected.shape and not network.fixed
    assert np.ptp(expected) > 0.01 and np.abs(answer.values - expected).max() < 1e-4
    assert (size[0] == size[1]) == (name in ("dpt", "dpt-hybrid", "tipsv2_dpt"))  # these are published for square inputs


@pytest.mark.parametrize("heads", [1, 2])
def test_zoedepth_without_its_border(hub, heads):
    folder, model = hub("zoedepth", tiny.zoedepth(heads))
    network = auto.load(folder, "cpu")
    answer = network.predict(picture(180, 240), network.side, None)
    expected, _, size = said(model, network, picture(180, 240))
    assert answer.kind is DepthKind.METRIC_DEPTH and network.side == 64
    # The border is int(sqrt(90) · 3) = 28 rows above and below and int(sqrt(120) · 3) = 32 columns at the sides.
    top, left = 28 / (180 + 56) * size[0], 32 / (240 + 64) * size[1]
    assert answer.values.shape == (round(size[0] - 2 * top), round(size[1] - 2 * left))
    middle = answer.values.shape[0] // 2
    y = top + (middle + 0.5) * (size[0] - 2 * top) / answer.values.shape[0] - 0.5
    x = left + 0.5 * (size[1] - 2 * left) / answer.values.shape[1] - 0.5
    rows = expected[int(y)] * (1 - y % 1) + expected[int(y) + 1] * (y % 1)
    assert abs(answer.values[middle, 0] - (rows[int(x)] * (1 - x % 1) + rows[int(x) + 1] * (x % 1))) < 1e-4


def test_what_is_left_of_a_border_lies_where_the_picture_lay():
    shape, (height, width) = (180, 240), (64, 96)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    ramp = (rows + 0.5) / height * (180 + 56) - 28  # each pixel says at which of the photo's rows its middle lies
    inner = unpadded(ramp, shape)
    expected = (np.arange(inner.shape[0]) + 0.5) / inner.shape[0] * 180
    assert np.abs(inner - expected[:, None]).max() < 1e-3
    sideways = unpadded((columns + 0.5) / width * (240 + 64) - 32, shape)
    assert np.abs(sideways - ((np.arange(sideways.shape[1]) + 0.5) / sideways.shape[1] * 240)).max() < 1e-3


def metres_by_the_librarys_formula(canonical, fov, width):
    """The steps of DepthProImageProcessor.post_process_depth_estimation of transformers 5.23.0, which itself needs torchvision."""
    focal_length = 0.5 * width / torch.tan(0.5 * torch.deg2rad(fov))
    return (1.0 / torch.clamp(canonical * width / focal_length, min=1e-4, max=1e4)).numpy()


def test_depth_pro(hub):
    model = tiny.depth_pro()
    model.fov_model.head.layers[-1].bias.data += 55  # degrees; a random head says about 0
    model.head.layers[-2].bias.data += 0.5  # a positive inverse depth
    folder, _ = hub("depth_pro", model)
    network = auto.load(folder, "cpu")
    assert network.fixed and network.side == 64
    answer = network.predict(picture(), 32, None)  # the side is its own
    canonical, out, size = said(model, network, picture())
    fov = out.field_of_view[0]
    assert size == (64, 64) and 50 < float(fov) < 60 and answer.fov == pytest.approx(float(fov), abs=1e-3)
    assert answer.kind is DepthKind.METRIC_DEPTH and np.ptp(answer.values) > 1e-3
    expected = metres_by_the_librarys_formula(torch.from_numpy(canonical), fov, 4000)
    assert np.abs(answer.values / expected - 1).max() < 1e-4
    # A focal length that is known is believed before the network's.
    known = network.predict(picture(), 64, 1.5)
    assert known.fov == pytest.approx(math.degrees(2 * math.atan(1 / 3)))
    assert np.allclose(known.values, 1.5 / np.clip(canonical, 1.5e-4, None), rtol=1e-4)


def test_depth_pro_without_a_field_of_view_knows_no_scale(hub):
    model = tiny.depth_pro(use_fov_model=False)
    model.head.layers[-2].bias.data += 0.5
    network = auto.load(hub("depth_pro", model)[0], "cpu")
    answer = network.predict(picture(), 64, None)
    assert answer.kind is DepthKind.AFFINE_DEPTH and answer.fov is None and (answer.values > 0).all()
    assert network.predict(picture(), 64, 0.8).kind is DepthKind.METRIC_DEPTH


def test_the_side_that_is_asked_for(hub):
    network = auto.load(hub("depth_anything")[0], "cpu")
    assert network.predict(picture(90, 120), 42, None).values.shape == (42, 56)
    assert network.predict(picture(120, 90), 100, None).values.shape == (140, 98)
    assert network.predict(picture(1, 5), 14, None).values.shape == (14, 70)
    assert network.predict(picture(1, 500), 14, None).values.shape == (14, 14 * 8)  # a strip is squeezed
    square = auto.load(hub("dpt")[0], "cpu")
    assert square.predict(picture(90, 120), 40, None).values.shape == (32, 32)


def test_half_precision_is_left_where_it_overflows(hub):
    # What happens on a graphics card, done here on the CPU, which computes in half precision too.
    folder, model = hub("depth_anything")
    network = auto.load(folder, "cpu")
    exact = network.predict(picture(), 70, None).values
    network.model.half()
    near = network.predict(picture(), 70, None).values
    assert next(network.model.parameters()).dtype == torch.float16 and 0 < np.abs(near - exact).max() < 0.05
    model.head.conv2.weight.data *= 1e5  # beyond 65504
    model.head.conv3.weight.data *= 1e-5
    other = auto.load(tiny.saved(folder, model, tiny.PREPROCESSORS["depth_anything"]), "cpu")
    expected = other.predict(picture(), 70, None).values
    other.model.half()
    assert np.isfinite(expected).all() and np.abs(other.predict(picture(), 70, None).values - expected).max() < 0.05


# The pixels ------------------------------------------------------------------------------------------------------------


def library_pixels(name, module, folder, data):
    pytest.importorskip("PIL")
    processor = getattr(__import__(f"transformers.models.{module}", fromlist=[name]), name)
    own = json.loads((folder / "preprocessor_config.json").read_text())
    own = {k: v for k, v in own.items() if k not in ("image_processor_type", "feature_extractor_type")}
    return np.asarray(processor(**own)(images=data, return_tensors="np")["pixel_values"])[0]


# Where Pillow resamples, the library rounds to bytes after each of the two axes; ours does not round. In units of the pixel
# values that is at most one byte and a half, and everything else (sizes, filter, mean, deviation) must agree to 1e-4.
ROUNDING = 1.5 / 255 / 0.224


@pytest.mark.parametrize("shape", [(300, 400), (400, 300), (211, 333), (1080, 1920)])
def test_pixels_of_depth_anything_are_the_librarys(hub, shape):
    folder, _ = hub("depth_anything")
    data, view = of_bytes(*shape)
    ours = prepare(view, hub_folder.read(folder).recipe, 70)
    theirs = library_pixels("DPTImageProcessorPil", "dpt.image_processing_pil_dpt", folder, data)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < ROUNDING
    assert abs((ours - theirs).mean()) < 1e-3 * ROUNDING + 5e-4


def test_pixels_are_the_librarys_to_the_last_digit_where_it_does_not_resample(hub):
    for name, module, processor, size in (
        ("depth_anything", "dpt.image_processing_pil_dpt", "DPTImageProcessorPil", (70, 98)),
        ("dpt", "dpt.image_processing_pil_dpt", "DPTImageProcessorPil", (64, 64)),
        ("dpt-beit", "dpt.image_processing_pil_dpt", "DPTImageProcessorPil", (64, 96)),
        ("glpn", "glpn.image_processing_pil_glpn", "GLPNImageProcessorPil", (64, 96)),
        ("dpt-dinov2", "dpt.image_processing_pil_dpt", "DPTImageProcessorPil", (56, 84)),
    ):
        folder, _ = hub(name)
        data, view = of_bytes(*size)
        ours = prepare(view, hub_folder.read(folder).recipe, min(size))
        theirs = library_pixels(processor, module, folder, data)
        assert ours.shape == theirs.shape == (3, *size), name
        assert np.abs(ours - theirs).max() < 1e-4, name


@pytest.mark.parametrize("filter", ["bilinear", "bicubic", "lanczos"])
def test_reducing_is_pillows(filter):
    image = pytest.importorskip("PIL.Image")
    from addon.vision.networks.inputs import resample

    view = picture(311, 207)
    for size in ((70, 98), (400, 500), (14, 300)):
        theirs = [np.asarray(image.fromarray(view[..., c]).resize(size[::-1], getattr(image, filter.upper()))) for c in range(3)]
        assert np.abs(resample(view, size, filter, antialias=True) - np.stack(theirs, 2)).max() < 1e-5


@pytest.mark.parametrize("shape", [(180, 240), (123, 321)])
def test_pixels_of_zoedepth_are_the_librarys(hub, shape):
    folder, _ = hub("zoedepth")
    data, view = of_bytes(*shape)
    recipe = hub_folder.read(folder).recipe
    theirs = library_pixels("ZoeDepthImageProcessorPil", "zoedepth.image_processing_pil_zoedepth", folder, data)
    ours = prepare(view, recipe, 64)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-4


def test_pixels_of_zoedepth_for_a_portrait_are_the_librarys_at_its_side(hub):
    # The library makes the wider side of its usual size the shorter side of a portrait: that can be asked for.
    folder, _ = hub("zoedepth")
    data, view = of_bytes(333, 200)
    theirs = library_pixels("ZoeDepthImageProcessorPil", "zoedepth.image_processing_pil_zoedepth", folder, data)
    ours = prepare(view, hub_folder.read(folder).recipe, 96)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-4


def test_pixels_of_depth_pro_are_the_librarys(hub):
    # Its processor exists for torchvision only, which is not here: its steps (DepthProImageProcessor._preprocess of
    # transformers 5.23.0: rescale, normalise, then resize without antialiasing, which is torch's interpolate) by hand.
    folder, _ = hub("depth_pro")
    data, view = of_bytes(333, 200)
    tensor = (torch.from_numpy(data).permute(2, 0, 1)[None].float() / 255 - 0.5) / 0.5
    theirs = torch.nn.functional.interpolate(tensor, (64, 64), mode="bilinear", align_corners=False)[0].numpy()
    assert np.abs(prepare(view, hub_folder.read(folder).recipe, 64) - theirs).max() < 1e-4


def test_sixteen_bits_are_not_rounded_to_eight(hub):
    recipe = hub_folder.read(hub("depth_anything")[0]).recipe
    fine = np.full((70, 70, 3), 100.25 / 255, np.float32)
    assert np.allclose(prepare(fine, recipe, 70)[0], (100.25 / 255 - 0.485) / 0.229, atol=1e-5)


# What is wrong with a folder -------------------------------------------------------------------------------------------


def refused(source, match, error=InputError):
    with pytest.raises(error, match=match) as caught:
        auto.load(source, "cpu")
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".") and len(str(caught.value)) < 600
    return str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(hub, name):
    folder, _ = hub("depth_anything")
    (folder / name).unlink()
    refused(folder, name)


def test_without_a_preprocessor_it_is_the_published_ones(hub):
    folder, _ = hub("depth_anything")
    (folder / "preprocessor_config.json").unlink()
    network = auto.load(folder, "cpu")
    recipe = network.folder.recipe
    assert (network.side, recipe.keep, recipe.multiple) == (518, True, 14) and recipe.mean == (0.485, 0.456, 0.406)
    assert network.predict(picture(), 70, None).values.shape == (70, 98)


def test_a_hybrid_whose_config_does_not_name_its_backbone(hub):
    folder, _ = hub("dpt-hybrid")
    config = json.loads((folder / "config.json").read_text())
    assert config["backbone_config"].pop("model_type") == "bit"
    (folder / "config.json").write_text(json.dumps(config))
    assert np.isfinite(auto.load(folder, "cpu").predict(picture(), 64, None).values).all()


def test_no_folder(tmp_path):
    refused(tmp_path / "nothing", "nothing")


def test_a_file_of_the_folder_stands_for_it(hub):
    assert auto.load(hub("depth_anything")[0] / "model.safetensors", "cpu").side == 70


def test_pickled_weights_are_never_read(hub, tmp_path):
    folder, model = hub("depth_anything")
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    assert "model.safetensors" in refused(folder, "pytorch_model.bin.*pickled")


@pytest.mark.parametrize("left", [0, 7, 8, 500, -1])
def test_weights_that_are_cut_short(hub, left):
    folder, _ = hub("depth_anything")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    refused(folder, "model.safetensors")


def test_a_pointer_instead_of_the_weights(hub):
    folder, _ = hub("depth_anything")
    (folder / "model.safetensors").write_text("version https://git-lfs.example/spec/v1\noid sha256:00\nsize 99\n")
    refused(folder, "Git LFS")


def test_flipped_bytes_are_refused_or_harmless(hub):
    # Anywhere in the table of the weights and in both JSON files; in the weights themselves a flip need not show.
    folder, _ = hub("depth_anything")
    rng = np.random.default_rng(0)
    weights = folder / "model.safetensors"
    length = struct.unpack("<Q", weights.read_bytes()[:8])[0]
    outcomes = []
    for file, end in ((weights, 8 + length), (folder / "config.json", None), (folder / "preprocessor_config.json", None)):
        whole = file.read_bytes()
        for place in rng.integers(0, len(whole) if end is None else end, 12):
            broken = bytearray(whole)
            broken[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(broken)
            try:
                auto.load(folder, "cpu").predict(picture(), 70, None)
                outcomes.append(True)
            except InputError as error:
                assert "\n" not in str(error)
                outcomes.append(False)
        file.write_bytes(whole)
    assert outcomes.count(False) > 12


def test_weights_that_are_no_numbers(hub):
    model = tiny.depth_anything()
    model.head.conv1.weight.data[0, 0, 0, 0] = math.nan
    refused(hub("depth_anything", model)[0], "damaged")


def test_weights_of_another_network(hub):
    folder, _ = hub("depth_anything")
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["head.conv3.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    refused(folder, "head.conv3.bias")
    config = json.loads((folder / "config.json").read_text())
    config["head_hidden_size"] = 12
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "depth_anything")


def test_weights_that_are_missing_and_never_used(hub):
    # As in Intel/dpt-large: the first fusion layer has no second input.
    folder, model = hub("dpt")
    from safetensors.torch import load_file, save_file

    weights = {k: v for k, v in load_file(folder / "model.safetensors").items() if "fusion_stage.layers.0.residual_layer1" not in k}
    assert len(weights) < len(model.state_dict())
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    network = auto.load(folder, "cpu")
    expected, _, _ = said(model, network, picture())
    assert np.abs(network.predict(picture(), 64, None).values - expected).max() < 1e-4


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model_type": "llama"}, "llama"),
        ({"model_type": "prompt_depth_anything"}, "LiDAR"),
        ({"model_type": None}, "no stated type"),
        ({"model_type": "x" * 10**5}, "not known"),
        ({"backbone_config": None, "backbone": "someone/else"}, "elsewhere"),
        ({"backbone_config": None, "use_timm_backbone": True, "backbone": "resnet18"}, "elsewhere"),
        ({"backbone_config": {"model_type": "timm_backbone"}}, "not known"),
        ({"backbone_config": []}, "config.json|cannot load"),
        ({"head_hidden_size": 10**9}, "head_hidden_size"),
        ({"reassemble_factors": [4, 2, 1, 1e308]}, "reassemble_factors"),
        ({"neck_hidden_sizes": [8] * 10**5}, "neck_hidden_sizes"),
        ({"neck_hidden_sizes": "many"}, "cannot load"),
        ({"patch_size": 0}, "patches"),
        ({"depth_estimation_type": "guess"}, "cannot load"),
        ({"fusion_hidden_size": -1}, "depth_anything"),
    ],
)
def test_a_config_that_no_network_has(hub, change, match):
    folder, _ = hub("depth_anything")
    config = {**json.loads((folder / "config.json").read_text()), **change}
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, match)


def test_a_config_that_fails_only_when_it_runs(hub):
    folder, _ = hub("depth_anything")
    config = {**json.loads((folder / "config.json").read_text()), "head_in_index": 77}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="config.json"):
        auto.load(folder, "cpu").predict(picture(), 70, None)


@pytest.mark.parametrize(
    "name", ["DepthAnythingConfig", "DPTConfig", "ZoeDepthConfig", "DepthProConfig", "GLPNConfig", "Tipsv2DptConfig", "hybrid"]
)
def test_configs_of_the_size_of_the_published_ones_pass(name, tmp_path):
    config = transformers.DPTConfig(is_hybrid=True, readout_type="project") if name == "hybrid" else getattr(transformers, name)()
    data = json.loads(config.to_json_string(use_diff=False))
    clean = hub_folder._harmless(data, tmp_path / "config.json")
    assert clean["model_type"] == config.model_type
    recipe = hub_folder._recipe(hub_folder.FAMILIES[config.model_type], clean, {}, tmp_path / "preprocessor_config.json")
    assert min(recipe.size) >= 384


def test_more_layers_than_any_network_has(hub):
    folder, _ = hub("depth_anything")
    config = json.loads((folder / "config.json").read_text())
    config["backbone_config"]["num_hidden_layers"] = 10_000
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "num_hidden_layers")


@pytest.mark.parametrize(
    "change",
    [
        {"size": {"height": 10**9, "width": 1}}, {"size": "large"}, {"size": {}}, {"image_mean": [0.5]}, {"image_std": [0, 1, 1]},
        {"resample": 99}, {"ensure_multiple_of": 10**6}, {"rescale_factor": "x"}, {"size": {"height": 0, "width": 0}},
    ],
)  # fmt: skip
def test_a_preprocessor_that_makes_no_sense(hub, change):
    refused(hub("depth_anything", None, **change)[0], "preprocessor_config.json")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10**5, "\xff", '{"size": NaN}'])
def test_json_that_is_none(hub, text):
    folder, _ = hub("depth_anything")
    (folder / "preprocessor_config.json").write_text(text, encoding="latin-1")
    refused(folder, "preprocessor_config.json")


def test_code_in_the_folder_never_runs(hub, tmp_path):
    folder, _ = hub("depth_anything")
    trace = tmp_path / "ran"
    (folder / "modeling_own.py").write_text(f"open({str(trace)!r}, 'w').close()\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "modeling_own.Config", "AutoModelForDepthEstimation": "modeling_own.Model"}
    config["_attn_implementation"] = config["attn_implementation"] = "someone/kernel"
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    (folder / "config.json").write_text(json.dumps(config))
    assert np.isfinite(auto.load(folder, "cpu").predict(picture(), 70, None).values).all()
    assert not trace.exists()


def test_a_device_that_is_not_there(hub):
    folder, _ = hub("depth_anything")
    for name in ("cuda:99", "quantum", "cuda:x"):
        with pytest.raises(DeviceError, match=name):
            auto.load(folder, name)


def in_another_process(code, *arguments):
    """Run `code` in this Python, in the repository; what it prints."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_nothing_is_printed(hub):
    code = (
        "import sys; from pathlib import Path; import numpy as np; from addon.vision.networks import auto\n"
        "auto.load(Path(sys.argv[1]), 'auto').predict(np.full((80, 90, 3), 0.5, np.float32), 70, None)\n"
    )
    assert in_another_process(code, hub("depth_anything")[0]) == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux bounds the memory of a process")
def test_too_little_memory(hub):
    code = (
        "import resource, sys; from pathlib import Path; import numpy as np\n"
        "from addon.vision.networks import OutOfMemory, auto\n"
        "network = auto.load(Path(sys.argv[1]), 'cpu')\n"
        "view = np.full((80, 90, 3), 0.5, np.float32)\n"
        "network.predict(view, 70, None)\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        # Room enough for what torch makes for every new size, which must not fail; too little for one array of the input.
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, -1))\n"
        "try:\n"
        "    network.predict(view, 14 * 1500, None)\n"
        "except OutOfMemory as error:\n"
        "    print('told')\n"
        "print(network.predict(view, 70, None).values.shape)\n"
    )
    assert in_another_process(code, hub("depth_anything")[0]).split("\n")[:2] == ["told", "(70, 84)"]


def test_without_transformers_the_remedy_is_named(hub, tmp_path):
    # A Python that has torch's place taken by a module that cannot be imported.
    broken = tmp_path / "path" / "transformers"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('not built for this Python')\n")
    code = (
        "import sys; from pathlib import Path; from addon.errors import UsageError; from addon.vision.networks import auto\n"
        "try:\n"
        "    auto.load(Path(sys.argv[1]), 'cpu')\n"
        "except UsageError as error:\n"
        "    print(error)\n"
    )
    folder, _ = hub("depth_anything")
    environment = {**os.environ, "PYTHONPATH": str(broken.parent)}
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment)
    assert (
        "transformers" in done.stdout
        and "choose a Python" in done.stdout
        and sys.executable in done.stdout
        and done.stdout.count("\n") == 1
    )
