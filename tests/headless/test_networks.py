"""Depth networks from the command line: an ONNX file in this Python, a large one in a Python of the user's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision.onnx_bytes import brightness

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("STILLSCAPE_WORKER_PYTHON", "")
MAKE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import tiny_networks as t; "
    "t.saved(Path(sys.argv[2]), t.depth_anything(), t.PREPROCESSORS['depth_anything'])"
)
in_another_python = [pytest.mark.networks, pytest.mark.skipif(not PYTHON, reason="STILLSCAPE_WORKER_PYTHON names no Python with torch")]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    y, x = np.mgrid[0:72, 0:96]
    cv2.imwrite(str(path), np.stack([x * 2, y * 3, 255 - x], 2).astype(np.uint8))
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks") / "tiny"
    subprocess.run([PYTHON, "-c", MAKE, str(ROOT / "tests" / "vision"), str(folder)], check=True)
    return folder


def brightness_network(path: Path) -> Path:
    """An ONNX file whose answer is the mean of red, green and blue, as one 1×1 convolution."""
    path.write_bytes(brightness(48, 64))
    return path


def test_an_onnx_file_needs_no_torch(stillscape, photo: Path, tmp_path: Path) -> None:
    network = brightness_network(tmp_path / "bright.onnx")
    (tmp_path / "bright.json").write_text(json.dumps({"mean": [0, 0, 0], "std": [1, 1, 1]}))
    run = stillscape("depth", photo, "-o", tmp_path / "d.npy", "--estimator", network, "--near", 1, "--far", 5, "--no-sharpen")
    assert run.code == 0, run.err
    d = np.load(tmp_path / "d.npy")
    bright = cv2.imread(str(photo)).mean(2)
    assert d.shape == bright.shape
    assert np.corrcoef(d.ravel(), bright.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--estimator", "depth-anything-v2-small", "--offline"), 2, "Depth Anything V2 Small is not on this computer"),
        (("--estimator", "network"), 2, "name its file or folder with --network"),
        (("--network", "nowhere.onnx"), 3, "nowhere.onnx: there is no such network"),
        (("--network", "broken.onnx"), 3, "broken.onnx"),
        (("--network", "photo.png"), 3, "photo.png: not a network"),
        (("--network", "empty"), 3, "holds no network"),
    ],
)
def test_what_is_wrong_with_a_network_is_one_sentence(stillscape, photo: Path, tmp_path: Path, arguments, code: int, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07" + b"\xff" * 100)
    run = stillscape("depth", photo, "-o", tmp_path / "d.npy", "--models", tmp_path / "models", *arguments, cwd=tmp_path)
    assert run.code == code, run.err
    assert words in run.err and "Traceback" not in run.err
    assert not (tmp_path / "d.npy").exists()


def test_a_large_network_without_torch_says_where_it_can_run(stillscape, photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "depth_anything"}')
    run = stillscape("depth", photo, "-o", tmp_path / "d.npy", "--estimator", folder)
    assert run.code == 2 and "--worker-python" in run.err and "Traceback" not in run.err


class TestInAnotherPython:
    pytestmark = in_another_python

    def test_depth_and_frames(self, stillscape, photo: Path, network: Path, tmp_path: Path) -> None:
        run = stillscape("depth", photo, "-o", tmp_path / "d.npy", "--estimator", network, "--worker-python", PYTHON)
        assert run.code == 0, run.err
        d = np.load(tmp_path / "d.npy")
        assert d.shape == (72, 96) and 0 <= d.min() < d.max() <= 1
        run = stillscape(
            "render", photo, "-o", tmp_path / "f_####.png", "--network", network, "--worker-python", PYTHON, "--frames", 2, "--samples", 1,
            "--json", "-",
        )  # fmt: skip
        assert run.code == 0, run.err
        assert (tmp_path / "f_0002.png").stat().st_size > 100
        texts = [e.get("text", "") for e in map(json.loads, run.out.splitlines()) if e["event"] == "progress"]
        assert any("Estimating depth on" in text for text in texts)

    def test_a_damaged_weight_file_is_one_sentence(self, stillscape, photo: Path, network: Path, tmp_path: Path) -> None:
        broken = tmp_path / "broken"
        broken.mkdir()
        for file in network.iterdir():
            content = file.read_bytes()
            (broken / file.name).write_bytes(content[: len(content) // 2] if file.suffix == ".safetensors" else content)
        run = stillscape("depth", photo, "-o", tmp_path / "d.npy", "--estimator", broken, "--worker-python", PYTHON)
        assert run.code == 3 and "model.safetensors" in run.err and "Traceback" not in run.err
