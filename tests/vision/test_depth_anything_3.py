"""Depth Anything 3 gives what upstream's own code gives, and refuses files that are not what they should be.

`data/depth_anything_3.npz` was made with ByteDance-Seed/Depth-Anything-3 at commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a
(its modules model.da3, model.dinov2, model.dpt, model.dualdpt, model.cam_enc, model.cam_dec and utils.io.input_processor, on
torch 2.13.0, CPU, float32): small networks of the shapes in NETWORKS below, whose weights `weights_of` gives by name and shape,
were run on the pictures in the file. picture_*: uint8 H×W×3. <network>_<picture>_depth, _confidence and _sky: the heads'
outputs before upstream's treatment of the sky, float32 h×w; _fov: degrees, from upstream's intrinsics. input_<side>:
picture_odd as upstream's input processor ("lower_bound_resize") hands it over, before the mean is taken off, uint8 h×w×3.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.networks
safetensors = pytest.importorskip("safetensors.torch")

from addon.errors import DeviceError, InputError, StillscapeError  # noqa: E402
from addon.vision.layered import DepthKind  # noqa: E402
from addon.vision.networks import depth_anything_3 as da3  # noqa: E402
from addon.vision.networks.depth_anything_3_config import read_architecture  # noqa: E402
from addon.vision.networks.depth_anything_3_net import DepthAnything3Net  # noqa: E402
from addon.vision.networks.dpt_heads import position_embedding  # noqa: E402

STORED = np.load(Path(__file__).parent / "data" / "depth_anything_3.npz")


def configuration(
    name: str, backbone: dict, starts: int | tuple[int, int, int], taps: list[int], features: int, channels: list[int]
) -> dict:
    """A config.json as it is published, keys in the published order."""

    def part(path: str, kind: str) -> dict:
        return {"__object__": {"path": f"depth_anything_3.model.{path}", "name": kind, "args": "as_params"}}

    width = {"vits": 384, "vitb": 768, "vitl": 1024}.get(backbone.get("name", ""), backbone.get("embed_dim"))
    dual = name in ("da3-small", "da3-base")
    alternate, qk_norm, rope = (starts,) * 3 if isinstance(starts, int) else starts
    net = {"out_layers": taps, "alt_start": alternate, "qknorm_start": qk_norm, "rope_start": rope, "cat_token": dual}
    tokens = 2 * width if dual else width
    head = {"dim_in": tokens, "output_dim": 2 if dual else 1, "features": features, "out_channels": channels}
    config = part("da3", "DepthAnything3Net")
    config["net"] = {**part("dinov2.dinov2", "DinoV2"), **backbone, **net}
    config["head"] = {**part(*(("dualdpt", "DualDPT") if dual else ("dpt", "DPT"))), **head}
    if dual:
        config["cam_enc"] = {**part("cam_enc", "CameraEnc"), "dim_out": width}
        config["cam_dec"] = {**part("cam_dec", "CameraDec"), "dim_in": tokens}
    return {"model_name": name, "config": config}


def small(depth: int) -> dict:
    return {"embed_dim": 32, "depth": depth, "num_heads": 2}


NETWORKS = {
    "mono": configuration("da3mono-large", small(4), -1, [0, 1, 2, 3], 16, [8, 12, 16, 20]),
    "small": configuration("da3-small", small(6), 2, [2, 3, 4, 5], 16, [8, 12, 16, 20]),
    "mixed": configuration("da3-small", small(6), (3, 1, 2), [1, 3, 4, 5], 16, [8, 12, 16, 20]),
}
METRIC = {**NETWORKS["mono"], "model_name": "da3metric-large"}
# With what sha256sum says of the config.json beside the published weights.
PUBLISHED = {
    "da3-small": (
        configuration("da3-small", {"name": "vits"}, 4, [5, 7, 9, 11], 64, [48, 96, 192, 384]),
        "a486e29e82b7ab4a7d4cefc1ea4526cfe2ae438a572c8ca98917cfbcde7447d2",
    ),
    "da3-base": (
        configuration("da3-base", {"name": "vitb"}, 4, [5, 7, 9, 11], 128, [96, 192, 384, 768]),
        "5e34115ebc17bd2d8d43033c5f72e9446ac8833fd61d3fa160b7e67e0bb5b7b5",
    ),
    "da3metric-large": (
        configuration("da3metric-large", {"name": "vitl"}, -1, [4, 11, 17, 23], 256, [256, 512, 1024, 1024]),
        "a336f3e76fe375aaae17a9aed9130c9f2aa061535d317ec57dcb2f1f02e1dd53",
    ),
    "da3mono-large": (
        configuration("da3mono-large", {"name": "vitl"}, -1, [4, 11, 17, 23], 256, [256, 512, 1024, 1024]),
        "",  # nobody told
    ),
}


def weights_of(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Weights that depend on nothing but their name, as upstream's networks had them when the file was made."""
    numbers = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).random(shape) * 2 - 1
    if name.endswith(("token", "pos_embed")):
        numbers *= 0.5
    elif len(shape) > 1:
        numbers *= (3 / np.prod(shape[1:])) ** 0.5
    elif name.endswith("bias"):
        numbers *= 0.3
    else:
        numbers = 1 + numbers * 0.3
    if name.endswith("fc_fov.0.weight"):
        numbers *= 0.2
    if name.endswith("fc_fov.0.bias"):
        numbers += 1
    return numbers.astype(np.float32)


def published(folder: Path, config: dict, prefix: str = "model.", **changed) -> Path:
    """A folder as it is downloaded; `changed` replaces tensors by name (None leaves one out)."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    with torch.device("meta"):
        net = DepthAnything3Net(read_architecture(folder / "config.json"))
    tensors = {name: torch.from_numpy(weights_of(name, tuple(t.shape))) for name, t in net.state_dict().items()}
    if config["model_name"] in ("da3-small", "da3-base"):
        for name in ("cam_enc.token_norm.weight", "cam_dec.fc_t.bias", "head.scratch.output_conv2_aux.0.2.weight"):
            tensors[name] = torch.ones(3)
    tensors.update(changed)
    safetensors.save_file({prefix + n: t.contiguous() for n, t in tensors.items() if t is not None}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("da3")
    return {name: published(place / name, config) for name, config in {**NETWORKS, "metric": METRIC}.items()}


@pytest.fixture(scope="module")
def networks(folders) -> dict[str, da3.DepthAnything3]:
    return {name: da3.load(folder, "cpu") for name, folder in folders.items()}


def picture(name: str) -> np.ndarray:
    return STORED[f"picture_{name}"].astype(np.float32) / 255


# ---- the network


@pytest.mark.parametrize("aspect", ["wide", "tall"])
@pytest.mark.parametrize("name", ["small", "mixed"])
def test_small_and_base_agree_with_upstream(networks, name, aspect):
    made = networks[name].predict(picture(aspect), min(picture(aspect).shape[:2]), None)
    assert made.kind is DepthKind.AFFINE_DEPTH and made.sky is None and made.normals is None
    assert made.values.dtype == np.float32
    np.testing.assert_allclose(made.values, STORED[f"{name}_{aspect}_depth"], rtol=0, atol=1e-4)
    confidence = STORED[f"{name}_{aspect}_confidence"]
    np.testing.assert_allclose(made.confidence, 1 - 1 / confidence, rtol=0, atol=1e-4)
    assert made.fov == pytest.approx(float(STORED[f"{name}_{aspect}_fov"]), abs=1e-3)


@pytest.mark.parametrize("aspect", ["wide", "tall"])
def test_mono_agrees_with_upstream(networks, aspect):
    made = networks["mono"].predict(picture(aspect), min(picture(aspect).shape[:2]), None)
    depth, sky = STORED[f"mono_{aspect}_depth"], STORED[f"mono_{aspect}_sky"]
    assert made.kind is DepthKind.AFFINE_DEPTH and made.fov is None and made.confidence is None
    np.testing.assert_allclose(made.sky, np.minimum(sky, 1), rtol=0, atol=1e-4)
    there = sky >= 0.3
    assert 10 < np.count_nonzero(there) < there.size - 10  # or this would say nothing about either
    assert np.isposinf(made.values[there]).all()
    np.testing.assert_allclose(made.values[~there], depth[~there], rtol=0, atol=1e-4)


@pytest.mark.parametrize("focal", [None, 0.8])
def test_metric_depth_follows_the_focal_length(networks, focal):
    made = networks["metric"].predict(picture("wide"), 42, focal)
    share = 0.5 / math.tan(math.radians(25)) if focal is None else focal
    known = np.isfinite(made.values)
    expected = STORED["mono_wide_depth"] * (share * 70) / 300
    assert made.kind is DepthKind.METRIC_DEPTH and known.any()
    np.testing.assert_allclose(made.values[known], expected[known], rtol=0, atol=1e-4)


def test_focal_pixels_are_those_of_the_input():
    # A 100x200 picture at 42x98: its pixels are a little wider than high, and upstream takes the mean.
    assert da3.focal_pixels(1.0, (100, 200), (42, 98)) == pytest.approx((98 + 200 * 0.42) / 2)


def test_wide_pictures_of_other_sizes_run(networks):
    made = networks["small"].predict(np.random.default_rng(1).random((20, 200, 3), dtype=np.float32), 28, None)
    assert made.values.shape == (28, 280) and np.isfinite(made.values).all()


def test_names_without_the_wrapper_and_half_weights_load(folders, networks, tmp_path):
    tensors = safetensors.load_file(folders["small"] / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folders["small"] / "config.json").read_bytes())
    lean = {n.removeprefix("model."): t.to(torch.bfloat16) for n, t in tensors.items() if "_aux" not in n}
    safetensors.save_file(lean, tmp_path / "small.safetensors")
    made = da3.load(tmp_path / "small.safetensors", "cpu").predict(picture("wide"), 42, None)
    whole = networks["small"].predict(picture("wide"), 42, None)
    # bfloat16 keeps three digits of a weight
    assert 0 < np.abs(np.log(made.values / whole.values)).mean() < 0.02


def test_half_precision_as_on_a_graphics_card_stays_near(networks):
    net = networks["small"]._net
    image = torch.from_numpy(da3.prepared(picture("wide"), 42))[None]
    with torch.inference_mode():
        full, half = net(image).dense.depth, net(image, torch.bfloat16).dense.depth
    assert half.dtype == torch.float32
    assert 0 < float((half / full - 1).abs().mean()) < 0.02


def test_what_the_network_is_for_people(networks):
    network = networks["small"]
    assert (network.device, network.side, network.fixed) == ("CPU", 504, False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory that the system keeps")
def test_too_little_memory_is_told_and_breaks_nothing(folders):
    script = f"""
import resource
from pathlib import Path
import numpy as np
from addon.vision.networks import OutOfMemory
from addon.vision.networks.depth_anything_3 import load
network = load(Path({str(folders["mono"])!r}), "cpu")
picture = np.random.default_rng(0).random((56, 56, 3), dtype=np.float32)
network.predict(picture, 70, None)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
# Room enough for what torch makes for every new size, which must not fail; too little for one array of the input.
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, resource.RLIM_INFINITY))
try:
    network.predict(picture, 14 * 1500, None)
except OutOfMemory as error:
    assert network.predict(picture, 56, None).values.shape == (56, 56)
    print("told", error)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("told"), done.stderr


# ---- what goes in, what comes out


@pytest.mark.parametrize("side", [28, 41, 63])
def test_pictures_are_prepared_as_upstream_does(side):
    image = da3.prepared(picture("odd"), side)
    expected = STORED[f"input_{side}"]
    assert image.shape == (3, *expected.shape[:2]) and image.dtype == np.float32 and image.flags.c_contiguous
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    grey = (image.transpose(1, 2, 0) * deviation + mean) * 255
    # upstream rounds to 8 bits after each of two steps
    assert np.abs(grey - expected).max() < 1.5 and np.abs(grey - expected).mean() < 0.4


@pytest.mark.parametrize(("length", "expected"), [(1, 14), (20, 14), (21, 28), (28, 28), (504, 504), (510, 504), (511, 518)])
def test_sides_are_multiples_of_the_patch(length, expected):
    assert da3.nearest_multiple(length) == expected


def test_position_embedding_by_hand():
    # Four channels: sine and cosine of the place across, then of the place down, a tenth of each.
    got = position_embedding(torch.zeros(1, 4, 2, 2), aspect=1.0).numpy()
    place = 0.5 / math.sqrt(2)
    across = np.array([[-place, place]] * 2)
    expected = 0.1 * np.stack([np.sin(across), np.cos(across), np.sin(across.T), np.cos(across.T)])
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_few_pixels_of_sky_change_nothing():
    depth, sky = np.full((5, 5), 2, np.float32), np.zeros((5, 5), np.float32)
    sky[:2] = 0.9
    made = da3.prediction(da3.Raw(depth, sky=sky), DepthKind.AFFINE_DEPTH, 1.0)
    assert np.isfinite(made.values).all() and made.sky is not None and made.sky[0, 0] == np.float32(0.9)
    sky[2, 0] = 0.3
    made = da3.prediction(da3.Raw(depth, sky=sky), DepthKind.AFFINE_DEPTH, 1.0)
    assert np.isposinf(made.values).sum() == 11
    made = da3.prediction(da3.Raw(depth, sky=np.full_like(sky, 5)), DepthKind.AFFINE_DEPTH, 1.0)
    assert np.isfinite(made.values).all() and made.sky is not None and made.sky.max() == 1


def test_confidence_rises_with_the_networks_own():
    own = np.array([[1, 1.5, 3, 1000]], np.float32)
    made = da3.prediction(da3.Raw(np.ones_like(own), confidence=own), DepthKind.AFFINE_DEPTH, 1.0)
    assert made.confidence is not None
    assert (np.diff(made.confidence) > 0).all() and made.confidence.min() >= 0 and made.confidence.max() <= 1


def test_what_is_no_number_and_no_camera_is_left_out():
    depth = np.array([[1, np.inf, np.nan]], np.float32)
    made = da3.prediction(da3.Raw(depth, fov=0.0), DepthKind.AFFINE_DEPTH, 1.0)
    assert np.isnan(made.values).tolist() == [[False, True, True]] and made.fov is None


# ---- configurations


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations_are_read(tmp_path, name):
    config, digest = PUBLISHED[name]
    text = json.dumps(config, indent=2)
    assert digest in ("", hashlib.sha256(text.encode()).hexdigest())
    (tmp_path / "config.json").write_text(text)
    architecture = read_architecture(tmp_path / "config.json")
    assert (architecture.metric, architecture.dual) == (name == "da3metric-large", name in ("da3-small", "da3-base"))
    with torch.device("meta"):
        net = DepthAnything3Net(architecture)
    millions = sum(p.numel() for p in net.parameters()) / 1e6
    assert millions == pytest.approx({"da3-small": 26.17, "da3-base": 103.01}.get(name, 334.17), abs=0.01)


def changed(config: dict, path: str, value) -> dict:
    """A copy of the configuration in which one setting is another; "-" takes it away."""
    config = copy.deepcopy(config)
    *parents, last = path.split(".")
    part = config
    for parent in parents:
        part = part[parent]
    if value == "-":
        del part[last]
    else:
        part[last] = value
    return config


HOSTILE = [
    ("model_name", "da3-giant"),
    ("model_name", ["da3-small"]),
    ("model_name", "da3metric-large"),
    ("model_name", "-"),
    ("config", "-"),
    ("config", {"anyview": {}, "metric": {}}),
    ("config.gs_head", {}),
    ("config.net", None),
    ("config.net.name", "vitg"),
    ("config.net.name", ["vits"]),
    ("config.net.__object__", {"name": "System"}),
    ("config.net.__object__", "DinoV2"),
    ("config.net.out_layers", [5, 7, 9, 12]),
    ("config.net.out_layers", [-1, 7, 9, 11]),
    ("config.net.out_layers", [7, 5, 9, 11]),
    ("config.net.out_layers", list(range(10**5))),
    ("config.net.out_layers", [5, 7, 9, True]),
    ("config.net.alt_start", 1e300),
    ("config.net.alt_start", -2),
    ("config.net.rope_start", "4"),
    ("config.net.cat_token", 1),
    ("config.net.cat_token", False),
    ("config.net.embed_dim", 384),
    ("config.net.unheard_of", 1),
    ("config.net.unheard_of\nby anybody", 1),
    ("config.head.dim_in", 10**30),
    ("config.head.output_dim", 3),
    ("config.head.features", 10**9),
    ("config.head.features", 60),
    ("config.head.features", float("nan")),
    ("config.head.out_channels", [48, 96, 192, 2**62]),
    ("config.head.out_channels", [48, 96, 192]),
    ("config.head.out_channels", [48, 96, 192, 385]),
    ("config.head.activation", "linear"),
    ("config.head.pos_embed", 1),
    ("config.head.__object__", {"name": "DPT"}),
    ("config.cam_dec", {"dim_in": 0}),
    ("config.cam_dec", 5),
]


@pytest.mark.parametrize(("path", "value"), HOSTILE, ids=lambda v: str(v)[:30].encode("unicode_escape").decode())
def test_hostile_configurations_give_one_sentence(tmp_path, path, value):
    (tmp_path / "config.json").write_text(json.dumps(changed(PUBLISHED["da3-small"][0], path, value)))
    (tmp_path / "model.safetensors").write_bytes(b"")
    refused(tmp_path, "cpu", "config.json")


@pytest.mark.parametrize("sizes", [(10**9, 12, 6), (384, 10**6, 6), (384, 12, 0), (380, 12, 6), (-384, 12, 6), ("384", 12, 6)])
def test_absurd_transformers_are_not_built(tmp_path, sizes):
    config = copy.deepcopy(PUBLISHED["da3-small"][0])
    config["config"]["net"].update(zip(("embed_dim", "depth", "num_heads"), sizes, strict=True))
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    refused(tmp_path, "cpu", "config.json")


NO_CONFIGURATIONS = [b"", b"[]", b"{", b"\xff\xfe\x00", b"[" * 50_000, b" " * 2**17, b"9" * 10_000, b'{"model_name": NaN}']


@pytest.mark.parametrize("data", NO_CONFIGURATIONS, ids=lambda data: repr(data[:8]))
def test_what_is_no_configuration_gives_one_sentence(tmp_path, data):
    (tmp_path / "config.json").write_bytes(data)
    refused(tmp_path, "cpu", "config.json")


# ---- weights


def refused(source: Path, device: str, names: str, kind: type[StillscapeError] = InputError) -> str:
    """What `load` says when it refuses: one sentence on one line that names the file."""
    with pytest.raises(kind) as caught:
        da3.load(source, device)
    said = str(caught.value)
    assert names in said and said.endswith(".") and "\n" not in said and len(said) < 500
    return said


def test_missing_files_are_named(folders, tmp_path):
    refused(tmp_path, "cpu", str(tmp_path / "config.json"))
    (tmp_path / "config.json").write_text(json.dumps(NETWORKS["small"]))
    refused(tmp_path, "cpu", str(tmp_path / "model.safetensors"))
    refused(tmp_path / "nothing", "cpu", "nothing")
    (tmp_path / "model.pth").write_bytes(b"\x80\x02")
    assert "model.safetensors" in refused(tmp_path / "model.pth", "cpu", "model.pth")


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.01, 0.5, 0.999])
def test_truncated_weights(folders, tmp_path, share):
    copied = copy_of(folders["small"], tmp_path)
    data = copied.read_bytes()
    copied.write_bytes(data[: int(len(data) * share)])
    refused(tmp_path, "cpu", str(copied))


def test_a_flipped_byte_in_the_header(folders, tmp_path):
    copied = copy_of(folders["small"], tmp_path)
    data = bytearray(copied.read_bytes())
    length = int.from_bytes(data[:8], "little")
    for place in (0, 3, 7, 8, 9, 30, 8 + length // 2, 8 + length - 3):
        flipped = bytearray(data)
        flipped[place] ^= 0x41
        copied.write_bytes(flipped)
        refused(tmp_path, "cpu", str(copied))


def test_a_flipped_byte_among_the_numbers(folders, tmp_path):
    copied = copy_of(folders["small"], tmp_path)
    data = bytearray(copied.read_bytes())
    length = int.from_bytes(data[:8], "little")
    begin = json.loads(data[8 : 8 + length])["model.head.norm.weight"]["data_offsets"][0]
    place = 8 + length + begin
    number = np.frombuffer(bytes(data[place : place + 4]), "<f4")[0]
    assert 0.5 < number < 2  # whose exponent is all ones but for one bit
    data[place + 3] ^= 0x40
    data[place + 2] |= 0x80
    copied.write_bytes(data)
    assert "head.norm.weight" in refused(tmp_path, "cpu", str(copied))


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("head.projects.0.weight", None),
        ("backbone.pretrained.blocks.6.norm1.weight", torch.ones(32)),
        ("gs_head.norm.weight", torch.ones(32)),
        ("head.norm.weight", torch.ones(32)),
        ("head.norm.weight", torch.ones(64, dtype=torch.int32)),
        ("backbone.pretrained.camera_token", torch.ones(1, 1, 32)),
    ],
)
def test_weights_of_another_network(tmp_path, name, tensor):
    published(tmp_path, NETWORKS["small"], **{name: tensor})
    assert name in refused(tmp_path, "cpu", str(tmp_path / "model.safetensors"))


def test_weights_of_one_network_under_the_configuration_of_another(folders, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(NETWORKS["mono"]))
    (tmp_path / "model.safetensors").write_bytes((folders["small"] / "model.safetensors").read_bytes())
    refused(tmp_path, "cpu", str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta", "meta\nx"])
def test_devices_that_are_not_there(folders, device):
    refused(folders["mono"], device, "device", DeviceError)


def copy_of(folder: Path, to: Path) -> Path:
    (to / "config.json").write_bytes((folder / "config.json").read_bytes())
    (to / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    return to / "model.safetensors"
