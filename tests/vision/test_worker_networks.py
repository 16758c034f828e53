"""A real depth network in a real worker: warm for the second photo, cancelled anywhere, short of memory, room or luck."""

from __future__ import annotations

import os
import shlex
import stat
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from addon.spec import DepthSpec, MachineSpec, SceneSpec
from addon.vision.layered import read_layered
from addon.vision.worker_process import Worker

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [pytest.mark.networks, pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set by a shell")]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from .tiny_networks import PREPROCESSORS, depth_anything, saved  # type: ignore[import-not-found]

    return saved(tmp_path_factory.mktemp("networks") / "tiny", depth_anything(), PREPROCESSORS["depth_anything"])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8))
    return path


def python(tmp_path: Path, limits: str = "") -> str:
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\n{limits}\nexec {shlex.quote(sys.executable)} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def spec(network: Path, **depth: Any) -> dict[str, Any]:
    return asdict(SceneSpec(depth=replace(DepthSpec(estimator=str(network)), **depth), machine=MachineSpec(network_device="cpu")))


def finished(worker: Worker, limit: float = 120) -> list[dict[str, Any]]:
    """All messages up to the end of the job."""
    seen: list[dict[str, Any]] = []
    until = time.monotonic() + limit
    while time.monotonic() < until:
        seen += worker.poll()
        if seen and seen[-1]["type"] in ("done", "error"):
            return seen
        time.sleep(0.02)
    raise AssertionError(seen)


def gone(worker: Worker) -> float:
    """Seconds that stopping took."""
    asked = time.monotonic()
    worker.stop()
    while not worker.tidy():
        time.sleep(0.02)
    assert not worker.folder.exists() and not worker.running()
    return time.monotonic() - asked


def test_the_second_photo_finds_the_network_loaded(network: Path, photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    texts = []
    for name in ("one", "two"):
        worker.send(photo, tmp_path / name, spec(network))
        seen = finished(worker)
        assert seen[-1]["type"] == "done", seen[-1]
        texts.append([m["message"] for m in seen if m["type"] == "progress"])
        layered = read_layered(tmp_path / name)
        assert layered.made["estimator"] == "tiny" and layered.size == (128, 96)
    assert any(t.startswith("Loading tiny") for t in texts[0]) and not any(t.startswith("Loading tiny") for t in texts[1])
    assert any("Estimating depth on CPU" in t for t in texts[1])
    np.testing.assert_array_equal(read_layered(tmp_path / "one").read_depth(), read_layered(tmp_path / "two").read_depth())
    gone(worker)


def test_cancelled_at_every_stage_nothing_is_left(network: Path, photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    worker.send(photo, tmp_path / "whole" / "layers", spec(network, tiles=True, flip=True, network_size=56))
    stages = [m["message"] for m in finished(worker) if m["type"] == "progress"]
    gone(worker)
    wanted = {stages.index(s) for s in stages}  # the first of each kind
    assert len(wanted) >= 8, stages
    for stage in sorted(wanted)[:: max(1, len(wanted) // 4)]:  # every start of torch takes seconds
        worker = Worker(python(tmp_path))
        out = tmp_path / f"cancelled{stage}"
        worker.send(photo, out / "layers", spec(network, tiles=True, flip=True, network_size=56))
        seen = 0
        until = time.monotonic() + 60
        while seen <= stage:
            assert time.monotonic() < until
            seen += sum(m["type"] == "progress" for m in worker.poll())
        assert gone(worker) < 2
        left = list(out.iterdir()) if out.exists() else []
        assert left == [] or [p.name for p in left] == ["layers"] and read_layered(left[0])  # it was quicker than we


def test_a_flipped_byte_and_a_truncated_file_are_one_sentence(network: Path, photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    weights = (network / "model.safetensors").read_bytes()
    for name, content in (("flipped", bytes([weights[0] ^ 0x40]) + weights[1:]), ("cut", weights[: len(weights) // 2])):
        broken = tmp_path / name
        broken.mkdir()
        for file in network.iterdir():
            (broken / file.name).write_bytes(content if file.name == "model.safetensors" else file.read_bytes())
        worker.send(photo, tmp_path / "out", spec(broken))
        error = finished(worker)[-1]
        assert error["type"] == "error" and error["exit_code"] == 3
        assert "model.safetensors" in error["message"] and error["message"].endswith(".") and "\n" not in error["message"]
    worker.send(photo, tmp_path / "out", spec(network))
    assert finished(worker)[-1]["type"] == "done"  # it goes on
    gone(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_without_memory_for_the_input_a_smaller_one_is_taken(network: Path, photo: Path, tmp_path: Path) -> None:
    import resource

    worker = Worker(python(tmp_path))
    worker.send(photo, tmp_path / "out", spec(network, network_size=56))
    assert finished(worker)[-1]["type"] == "done"
    pid = worker._process.pid
    used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (used + 500_000_000, resource.RLIM_INFINITY))
    worker.send(photo, tmp_path / "out", spec(network, network_size=2240))
    seen = finished(worker)
    if "exit code -11" in seen[-1].get("message", ""):
        pytest.skip("torch itself fell over for lack of memory, which is one sentence as well")
    assert seen[-1]["type"] == "done", seen[-1]
    warned = [m["message"] for m in seen if m["type"] == "warning"]
    assert any("CPU has not enough memory for an input of 2240 pixels" in w for w in warned), warned
    gone(worker)


def test_without_room_for_the_result_nothing_half_made_stays(network: Path, photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path, "ulimit -f 8"))  # 4 kB or 8 kB for any file
    worker.send(photo, tmp_path / "out" / "layers", spec(network))
    error = finished(worker)[-1]
    assert error["type"] == "error" and error["exit_code"] == 5, error
    assert "cannot be written" in error["message"] and "\n" not in error["message"]
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []
    gone(worker)
