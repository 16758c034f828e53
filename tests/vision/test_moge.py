"""MoGe-2 gives what upstream's own code gives, and a file that is anything else is refused in one sentence.

data/moge.npz holds upstream's results for small networks whose weights come from formulas (moge_model.py); make_moge_data.py
made it with github.com/microsoft/MoGe at commit 07444410f1e33f402353b99d6ccd26bd31e469e8 and torch 2.13.0.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.networks
from torch.nn import functional as F  # noqa: E402

from addon.errors import DeviceError, InputError  # noqa: E402
from addon.vision.layered import DepthKind  # noqa: E402
from addon.vision.networks import OutOfMemory, moge  # noqa: E402
from addon.vision.networks.moge_config import read_config  # noqa: E402
from addon.vision.networks.moge_net import MogeNet, remap  # noqa: E402
from addon.vision.networks.torch_device import within_memory  # noqa: E402
from addon.vision.networks.torch_file import read_torch_file  # noqa: E402
from tests.vision.moge_model import CAMERA_CASES, ODD, PLAIN, RAW_CASES, STRIDE, Case, picture, weights  # noqa: E402

UPSTREAM = np.load(Path(__file__).parent / "data" / "moge.npz")
CONFIGS = {"plain": PLAIN, "odd": ODD}


def state(config: dict) -> dict:
    """The weights of a network of that description, as upstream saves them."""
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in MogeNet(read_config(config, "model.pt")).state_dict().items()}
    return {key: torch.from_numpy(value) for key, value in weights(shapes).items()}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Pictures as small as these gain nothing from more, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Weight files of both networks in upstream's format."""
    folder = tmp_path_factory.mktemp("moge")
    for name, config in CONFIGS.items():
        (folder / name).mkdir()
        torch.save({"model_config": config, "model": state(config)}, folder / name / "model.pt")
    return {name: folder / name / "model.pt" for name in CONFIGS}


@pytest.fixture(scope="module")
def networks(files) -> dict[str, moge.Moge]:
    return {name: moge.load(path.parent, "cpu") for name, path in files.items()}


def side_of(case: Case) -> int:
    """The side that asks for the patches of a case."""
    aspect = case.width / case.height
    return math.ceil(moge.PATCH * math.sqrt(case.tokens / max(aspect, 1 / aspect)))


def close(ours, theirs, share: float = 1e-4) -> bool:
    return np.allclose(ours, theirs, rtol=share, atol=share * float(np.abs(theirs[np.isfinite(theirs)]).max()))


# What upstream gives


@pytest.mark.parametrize(("which", "case"), [(which, case) for which, cases in RAW_CASES.items() for case in cases], ids=str)
def test_the_network_gives_what_upstreams_gives(networks, which, case):
    net, config = networks[which]._net, networks[which].config
    image = torch.from_numpy(picture(case.width, case.height)).permute(2, 0, 1)[None]
    rows, columns = moge.grid(case.tokens, case.width / case.height)
    with torch.inference_mode():
        small = F.interpolate(image, (rows * 14, columns * 14), mode="bilinear", antialias=True)
        raw = net(small, case.width / case.height)
        assert raw.points.shape[2:] == (rows * 16, columns * 16)
        points, mask, normal = (
            None if m is None else F.interpolate(m, (case.height, case.width), mode="bilinear")[..., ::STRIDE, ::STRIDE]
            for m in (raw.points, raw.mask, raw.normal)
        )
        points, mask = remap(points, config.remap), mask.sigmoid()
    name = f"{which}/{case.name}"
    assert close(points[0].permute(1, 2, 0).numpy(), UPSTREAM[f"{name}/points"])
    assert close(mask[0, 0].numpy(), UPSTREAM[f"{name}/mask"])
    if which == "odd":
        assert normal is None and raw.scale is None and f"{name}/normal" not in UPSTREAM
    else:
        assert close(F.normalize(normal, dim=1)[0].permute(1, 2, 0).numpy(), UPSTREAM[f"{name}/normal"])
        assert float(raw.scale[0].exp()) == pytest.approx(float(UPSTREAM[f"{name}/metric_scale"]), rel=1e-4)


@pytest.mark.parametrize("case", CAMERA_CASES, ids=str)
def test_depth_and_field_of_view_are_upstreams(networks, case):
    focal = None if case.fov is None else 0.5 / math.tan(math.radians(case.fov) / 2)
    found = networks["plain"].predict(picture(case.width, case.height), side_of(case), focal)
    assert found.values.shape == (case.height, case.width) and found.values.dtype == np.float32
    name = f"camera/{case.name}/{case.fov}"
    depth, share = UPSTREAM[f"{name}/depth"], float(UPSTREAM[f"{name}/focal"])
    ours = found.values[::STRIDE, ::STRIDE]
    assert 0.5 < np.isfinite(depth).mean() < 0.9
    assert np.array_equal(np.isfinite(ours), np.isfinite(depth))
    assert np.allclose(ours[np.isfinite(depth)], depth[np.isfinite(depth)], rtol=1e-4)
    assert found.fov == pytest.approx(math.degrees(2 * math.atan(0.5 / share)), abs=1e-3)
    assert case.fov is None or found.fov == pytest.approx(case.fov, abs=1e-9)


def test_a_prediction_is_what_the_interface_promises(networks):
    network = networks["plain"]
    found = network.predict(picture(120, 80), 60, None)
    h, w = found.values.shape
    assert found.kind is DepthKind.METRIC_DEPTH and (network.device, network.fixed) == ("CPU", False)
    assert found.normals.shape == (h, w, 3) and np.allclose(np.linalg.norm(found.normals, axis=2), 1, atol=1e-5)
    assert found.sky.shape == (h, w) and found.sky.min() >= 0 and found.sky.max() <= 1
    assert np.array_equal(np.isposinf(found.values), found.sky >= 0.5)
    assert all(a.dtype == np.float32 for a in (found.values, found.normals, found.sky))
    assert 0 < found.fov < 180 and found.confidence is None


def test_a_network_without_scale_and_normals_tells_depth_up_to_its_scale(networks):
    found = networks["odd"].predict(picture(120, 80), 60, None)
    assert found.kind is DepthKind.AFFINE_DEPTH and found.normals is None and found.sky is not None


def test_pictures_of_any_shape_keep_their_aspect_as_far_as_patches_go(networks):
    limits = networks["plain"].config.tokens
    for width, height in [(1, 1), (2, 300), (300, 2), (640, 480), (31, 33)]:
        found = networks["plain"].predict(picture(width, height), 70, None)
        h, w = found.values.shape
        assert h % 16 == 0 and w % 16 == 0 and found.values.size
        if 0.5 <= width / height <= 2:
            assert limits[0] * 0.8 <= h * w / 256 <= limits[1] * 1.2
            assert w / h == pytest.approx(width / height, rel=0.25)


def test_the_side_becomes_patches_within_the_networks_range():
    assert moge.tokens(518, 1.0, (1200, 3600)) == 37 * 37
    assert moge.tokens(518, 1.5, (1200, 3600)) == moge.tokens(518, 1 / 1.5, (1200, 3600)) == round(37 * 37 * 1.5)
    assert moge.tokens(100, 1.5, (1200, 3600)) == 1200 and moge.tokens(5000, 1.5, (1200, 3600)) == 3600
    assert moge.grid(1200, 4 / 3) == (30, 40) and moge.grid(20, 1000.0) == (1, 141)


def test_the_side_of_a_loaded_network_asks_for_its_most_patches(networks):
    assert all(moge.tokens(networks["plain"].side, aspect, (6, 60)) >= 59 for aspect in (0.5, 1.0, 1.78))


# Files


def refused(path: Path, *words: str) -> str:
    """The one sentence in which the file is refused."""
    with pytest.raises(InputError) as caught:
        moge.load(path, "cpu")
    said = str(caught.value)
    assert path.name in said and "\n" not in said and said.endswith(".") and len(said) < 400
    assert all(word in said for word in words), said
    return said


def saved(tmp_path: Path, content: object, name: str = "net.pt") -> Path:
    torch.save(content, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(files, tmp_path, share):
    whole = files["plain"].stat().st_size
    with open(files["plain"], "rb") as f:
        (tmp_path / "cut.pt").write_bytes(f.read(int(whole * share)))
    refused(tmp_path / "cut.pt", "not complete", "again")


@pytest.mark.parametrize("share", [0.3, 0.77])
def test_one_flipped_bit_in_the_weights_is_noticed(files, tmp_path, share):
    path = Path(shutil.copy(files["plain"], tmp_path / "flipped.pt"))
    with open(path, "r+b") as f:
        f.seek(int(path.stat().st_size * share))
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 4]))
    refused(path, "damaged")


class Harmful:
    """What unpickling this does is make a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("where", ["beside", "model", "config", "all"])
def test_a_file_that_would_run_code_runs_none(tmp_path, where):
    harm = Harmful(tmp_path / "harmed")
    content = {
        "beside": {"model_config": PLAIN, "model": {}, "extra": harm},
        "model": {"model_config": PLAIN, "model": {"encoder.image_mean": harm}},
        "config": {"model_config": {**PLAIN, "remap_output": harm}, "model": {}},
        "all": harm,
    }[where]
    refused(saved(tmp_path, content), "not loaded", "mkdir")
    assert not (tmp_path / "harmed").exists()


def test_older_and_bare_pickles_run_no_code_either(tmp_path):
    harm = Harmful(tmp_path / "harmed")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(harm))
    refused(tmp_path / "bare.pt")
    torch.save(harm, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    refused(tmp_path / "old.pt")
    assert not (tmp_path / "harmed").exists()


def rewritten(path: Path, change) -> Path:
    """The archive again, with `change` applied to its pickle and checksums that are right."""
    with zipfile.ZipFile(path) as archive:
        content = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, change(data) if name.endswith("data.pkl") else data)
    return path


def test_a_tensor_that_claims_more_than_the_file_has_is_refused(tmp_path):
    path = saved(tmp_path, {"model_config": PLAIN, "model": {"a": torch.arange(10.0)}})
    huge = b"\x8a\x06" + (2**40).to_bytes(6, "little")
    rewritten(path, lambda data: data.replace(b"K\x0at", huge + b"t").replace(b"K\x0a\x85", huge + b"\x85"))
    refused(path, "not loaded")


def test_an_archive_that_unpacks_to_more_than_it_is_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * 10_000_000)
    refused(tmp_path / "bomb.pt", "not written by PyTorch")


@pytest.mark.parametrize("content", [{}, [], 3, None, {"state_dict": {}}, {"model": {}}], ids=repr)
def test_another_networks_file_is_refused(tmp_path, content):
    refused(saved(tmp_path, content), "MoGe-2")


def test_what_is_no_weight_file_is_refused(tmp_path):
    (tmp_path / "text.pt").write_text("version https://git-lfs.github.com/spec/v1\n")
    refused(tmp_path / "text.pt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="model.pt: there is no such file"):
        moge.load(tmp_path / "empty", "cpu")


@pytest.mark.filterwarnings("ignore::UserWarning")  # nested tensors are a prototype of torch's
def test_weights_that_do_not_fit_the_description_are_refused(tmp_path):
    good = {key: torch.zeros(1).expand(value.shape) for key, value in state(PLAIN).items()}  # takes next to no room

    def refused_with(model: object, *words: str) -> None:
        refused(saved(tmp_path, {"model_config": PLAIN, "model": model}), *words)

    mean = "encoder.image_mean"
    refused_with({key: value for key, value in good.items() if key != mean}, mean, "is missing")
    refused_with({**good, "encoder.extra": torch.zeros(1)}, "encoder.extra", "is too many")
    refused_with({**good, 7: torch.zeros(1)}, "7 is too many")
    refused_with({**good, mean: torch.zeros(1, 3, 1)}, mean, "(1, 3, 1)")
    for odd in (
        torch.zeros(1, 3, 1, 1, dtype=torch.int64),
        torch.zeros(1, 3, 1, 1, dtype=torch.complex64),
        torch.zeros(1, 3, 1, 1).to_sparse(),
        torch.zeros(1, 3, 1, 1, device="meta"),
        torch.nested.nested_tensor([torch.zeros(3, 1, 1)]),
    ):
        refused_with({**good, mean: odd}, mean, "no table of fractional numbers")
    refused_with({**good, mean: "zeros"}, "no table of tensors")
    refused_with([], "no table of tensors")
    refused_with(good, "too short")  # the numbers would be there, but no training's: one of them repeated


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    model = state(PLAIN)
    model["neck.input_blocks.2.bias"][3] = math.nan
    refused(saved(tmp_path, {"model_config": PLAIN, "model": model}), "neck.input_blocks.2.bias", "no number")


def test_the_largest_network_that_can_be_described_allocates_nothing(tmp_path):
    config = copy.deepcopy(PLAIN)
    config["encoder"]["dim_out"] = 4094
    wide = {"dim_res_blocks": [4096] * 5, "num_res_blocks": 16, "dim_times_res_block_hidden": 8, "dim_out": None}
    config["neck"] |= {**wide, "dim_in": [4096, 2, 2, 2, 2]}
    for head, channels in (("points_head", 3), ("mask_head", 1), ("normal_head", 3)):
        config[head] |= {**wide, "dim_in": [4096] * 5, "dim_out": [None, None, None, None, channels]}
    with torch.device("meta"):
        net = MogeNet(read_config(config, "net.pt"))
    assert sum(value.numel() * 4 for value in net.state_dict().values()) > 2**40
    model = {key: torch.zeros(1).expand(value.shape) for key, value in net.state_dict().items()}
    refused(saved(tmp_path, {"model_config": config, "model": model}), "too short")


def test_checksums_that_were_never_written_are_not_compared(tmp_path):
    if not hasattr(torch.serialization, "set_crc32_options"):
        pytest.skip("this torch always writes them")
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path, {"numbers": torch.arange(3.0)})
    finally:
        torch.serialization.set_crc32_options(True)
    assert read_torch_file(path)["numbers"].tolist() == [0, 1, 2]


def test_half_precision_files_load_as_well(files, tmp_path, networks):
    content = read_torch_file(files["plain"])
    content["model"] = {key: value.half() for key, value in content["model"].items()}
    network = moge.load(saved(tmp_path, content), "cpu")
    ours = network.predict(picture(96, 64), 56, None)
    assert ours.fov == pytest.approx(networks["plain"].predict(picture(96, 64), 56, None).fov, rel=0.02)
    assert all(value.dtype == torch.float32 for value in network._net.state_dict().values())


def test_the_loaded_network_no_longer_needs_its_file(files, tmp_path):
    path = Path(shutil.copy(files["plain"], tmp_path / "model.pt"))
    network = moge.load(tmp_path, "cpu")
    before = network.predict(picture(96, 64), 56, None)
    os.truncate(path, 0)
    after = network.predict(picture(96, 64), 56, None)
    assert np.array_equal(before.values, after.values)


# Memory and devices


def test_a_lack_of_memory_is_told_as_such(networks):
    network = networks["plain"]
    # So many patches that no machine can address one array of them.
    limitless = moge.Moge(network._net, dataclasses.replace(network.config, tokens=(1, 2**50)), torch.device("cpu"), "CPU")
    with pytest.raises(OutOfMemory):
        limitless.predict(picture(4, 4), 2**30, None)
    with pytest.raises(OutOfMemory):
        within_memory(lambda: np.empty(2**62, np.uint8), torch.device("cpu"))
    with pytest.raises(OutOfMemory):
        within_memory(lambda: torch.empty(2**60, dtype=torch.uint8), torch.device("cpu"))
    with pytest.raises(ZeroDivisionError):
        within_memory(lambda: 1 // 0, torch.device("cpu"))


@pytest.mark.parametrize("name", ["cuda:99", "quantum", "cpu\n"])
def test_a_device_that_is_not_there_is_an_error_of_its_own(files, name):
    with pytest.raises(DeviceError) as caught:
        moge.load(files["plain"], name)
    assert "\n" not in str(caught.value) and "choose another" in str(caught.value)
