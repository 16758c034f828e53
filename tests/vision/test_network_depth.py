"""From a photo through a real (small, random) network to a layered photo: camera, metres, sky and normals arrive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import UsageError
from addon.spec import DepthSpec, MachineSpec, PhotoSpec, SceneSpec
from addon.vision import environment
from addon.vision.depth import choose, estimators, is_network
from addon.vision.depth.network import depth_map
from addon.vision.layered import DepthKind, read_layered
from addon.vision.networks import Prediction, devices
from addon.vision.networks.catalogue import catalogue
from addon.vision.photo import Photo
from addon.vision.pipeline import make_layered_photo
from tests.vision.onnx_bytes import brightness


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8))
    return path


def silent(share: float, text: str) -> None:
    del share, text


def test_every_listed_network_is_a_depth_source_after_the_built_in_ones() -> None:
    names = list(estimators())
    assert set(catalogue()) | {"built-in", "file", "plane", "network"} == set(names)
    assert names.index("built-in") < names.index("file") < names.index("plane") < min(names.index(n) for n in catalogue())
    assert choose(DepthSpec(estimator="moge-2-small")).label == "MoGe-2 Small"
    assert not is_network(DepthSpec()) and is_network(DepthSpec(network="x.onnx")) and is_network(DepthSpec(estimator="depth-pro"))
    with pytest.raises(UsageError, match="depth-anything-v2-small"):
        choose(DepthSpec(estimator="depth-anything-v9"))


def test_an_onnx_file_becomes_a_layered_photo(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "bright.onnx").write_bytes(brightness(48, 64))
    spec = SceneSpec(depth=DepthSpec(estimator=str(tmp_path / "bright.onnx"), tiles=True, flip=True))
    layered = make_layered_photo(photo, spec, tmp_path / "layers", silent)
    assert read_layered(tmp_path / "layers").made["estimator"] == "bright.onnx"
    assert layered.path(layered.normals or "").is_file() and layered.camera.fov == 50


def test_a_prediction_becomes_a_depth_map_of_the_photos_size(photo: Path) -> None:
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[:40] = 255
    values = np.full((30, 40), 4, np.float32)
    sky = np.zeros((30, 40), np.float32)
    values[:10], sky[:10] = np.inf, 1
    normals = np.zeros((30, 40, 3), np.float32) + np.float32((0, 0, -1))
    prediction = Prediction(values, DepthKind.METRIC_DEPTH, fov=66.0, normals=normals, sky=sky, confidence=np.ones((30, 40), np.float32))
    for sharpen in (True, False):
        made = depth_map(prediction, Photo(photo, pixels, None, None, ""), pixels, "test", sharpen=sharpen)
        assert made.values.shape == (120, 160) and made.fov == 66 and made.kind is DepthKind.METRIC_DEPTH
        assert made.sky is not None and made.sky[:38].all() and not made.sky[42:].any()
        np.testing.assert_allclose(made.values[44:], 4, rtol=1e-4)
        assert np.isposinf(made.values[:36]).all()
        assert made.normals is not None and made.normals.shape == (120, 160, 3)


@pytest.mark.networks
def test_moge_sets_camera_metres_and_normals(photo: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from addon.vision.networks import moge
    from addon.vision.networks.moge_config import read_config
    from addon.vision.networks.moge_net import MogeNet

    from .moge_model import PLAIN, weights  # type: ignore[import-not-found]

    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in MogeNet(read_config(PLAIN, "model.pt")).state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in weights(shapes).items()}
    torch.save({"model_config": PLAIN, "model": state}, tmp_path / "model.pt")
    spec = SceneSpec(depth=DepthSpec(network=str(tmp_path / "model.pt")), machine=MachineSpec(network_device="cpu"))
    layered = make_layered_photo(photo, spec, tmp_path / "layers", silent)
    picture = cv2.imread(str(photo))[..., ::-1].astype(np.float32) / 255
    told = moge.load(tmp_path / "model.pt", "cpu").predict(np.ascontiguousarray(picture), 10_000, None)
    assert layered.camera.fov == pytest.approx(told.fov or 50, abs=0.5)
    assert layered.normals is not None and layered.path(layered.normals).is_file()
    fixed = replace(spec, photo=PhotoSpec(fov=40.0))
    assert make_layered_photo(photo, fixed, tmp_path / "fixed", silent).camera.fov == 40


def test_what_a_check_says_and_how_an_environment_is_made() -> None:
    found = environment.report()
    assert found["versions"]["numpy"] == np.__version__ and ("torch" in found["missing"]) == (found["versions"]["torch"] is None)
    command = environment.setup_command("/home/an artist/nets", windows=False)
    assert command.startswith('python3 -m venv "/home/an artist/nets" && "/home/an artist/nets/bin/python" -m pip install torch ')
    assert '; & "C:\\nets\\Scripts\\python" -m pip install' in environment.setup_command("C:\\nets", windows=True)
    if found["versions"]["torch"] is None:
        with pytest.raises(UsageError, match="--worker-python"):
            devices.torch_device("auto")
