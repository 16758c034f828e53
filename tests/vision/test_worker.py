"""The worker process: JSON lines on standard output whatever happens, and nothing half-made after a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from addon.vision.layered import read_layered

ROOT = Path(__file__).resolve().parents[2]
PLANE = {"spec": {"depth": {"estimator": "plane"}}}


class Running:
    """A worker at the other end of two pipes."""

    def __init__(self, code: str = "") -> None:
        start = ["-c", code] if code else ["-m", "addon.vision.worker"]
        pipe = subprocess.PIPE
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, *start], stdin=pipe, stdout=pipe, stderr=pipe, env=environment, text=True)
        self.seen: list[dict[str, Any]] = []

    def send(self, line: object) -> None:
        assert self.process.stdin
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        self.process.stdin.flush()

    def until(self, *kinds: str) -> dict[str, Any]:
        """Read messages up to one of these types; every line must be one."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
            if self.seen[-1]["type"] in kinds:
                return self.seen[-1]
        raise AssertionError(f"the worker ended: {self.process.communicate()[1]}")

    def ended(self) -> int:
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def worker() -> Iterator[Running]:
    running = Running()
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "höhe und tiefe.png"
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


def test_a_photo_becomes_a_layered_photo_and_progress_never_goes_back(worker: Running, photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "result" / "layers"
    worker.send({"photo": str(photo), "folder": str(folder), "spec": {"depth": {"estimator": "plane", "near": 2.0, "far": 30.0}}})
    done = worker.until("done", "error")
    assert (done["type"], done["folder"], done["name"], done["size"]) == ("done", str(folder), photo.stem, [64, 48])
    layered = read_layered(folder)
    assert (layered.near, layered.far) == (2.0, 30.0)
    assert [p.name for p in folder.parent.iterdir()] == ["layers"]
    assert worker.seen[0]["type"] == "status"
    shares = [m["share"] for m in worker.seen if m["type"] == "progress"]
    assert len(shares) >= 3 and shares == sorted(shares) and shares[-1] == 1.0
    assert all(m["message"] for m in worker.seen if m["type"] == "progress")


def test_it_stays_for_the_next_job_and_ends_with_its_input(worker: Running, photo: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        worker.send({"photo": str(photo), "folder": str(tmp_path / name), **PLANE})
        assert worker.until("done", "error")["folder"] == str(tmp_path / name)
    assert worker.ended() == 0
    assert [m["type"] for m in worker.seen].count("status") == 1


@pytest.mark.parametrize(
    ("change", "exit_code", "words"),
    [
        ({"photo": "nowhere.jpg"}, 3, "nowhere.jpg: there is no such file"),
        ({"spec": {"depth": {"near": -1}}}, 2, "--near -1 is out of range"),
        ({"spec": {"depht": {}}}, 3, "unknown setting depht"),
        ({"spec": {"depth": {"estimator": "oracle"}}}, 2, "'oracle' is not known"),
        ({"spec": {"depth": {"near": "close"}}}, 2, "needs a number"),
        ({"spec": []}, 2, "not a job"),
        ({"photo": 3}, 2, '"photo"'),
        ({"folder": ""}, 2, '"folder"'),
    ],
)
def test_what_is_wrong_comes_as_one_sentence(
    worker: Running, photo: Path, tmp_path: Path, change: dict[str, Any], exit_code: int, words: str
) -> None:
    worker.send({"photo": str(photo), "folder": str(tmp_path / "layers"), **change})
    error = worker.until("error", "done")
    assert (error["type"], error["exit_code"]) == ("error", exit_code)
    assert words in error["message"] and error["message"].endswith(".") and "\n" not in error["message"]
    assert not (tmp_path / "layers").exists()


@pytest.mark.parametrize("line", ["garbage", "[1, 2]", "7", '"photo"', "{", "\x00\xff", "[" * 100_000])
def test_garbage_is_answered_and_the_next_job_works(worker: Running, photo: Path, tmp_path: Path, line: str) -> None:
    worker.send(line)
    error = worker.until("error")
    assert error["exit_code"] == 2 and error["message"].endswith(".")
    worker.send("")
    worker.send({"photo": str(photo), "folder": str(tmp_path / "layers"), **PLANE})
    assert worker.until("done", "error")["type"] == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process otherwise")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_job_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    photo, folder = tmp_path / "large.png", tmp_path / "out" / "layers"
    pixels = np.random.default_rng(0).integers(0, 255, (3000, 4000, 3), np.uint8)
    photo.write_bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
    worker = Running()
    worker.send({"photo": str(photo), "folder": str(folder), **PLANE})
    while worker.until("progress")["share"] < 0.9:  # about to write
        pass
    asked = time.monotonic()
    worker.process.send_signal(number)
    assert worker.ended() == 75
    assert time.monotonic() - asked < 5
    assert not folder.parent.exists() or list(folder.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process otherwise")
def test_a_signal_while_it_waits_ends_it(worker: Running) -> None:
    worker.until("status")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == 75


def test_a_fault_of_the_program_is_one_sentence_with_the_traceback_elsewhere(photo: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from addon.vision import pipeline, worker\n"
        "def broken(*arguments, **named):\n"
        "    print('stray')\n"
        "    os.write(1, b'from C\\n')\n"
        "    raise ZeroDivisionError('by\\nzero')\n"
        "pipeline.make_layered_photo = broken\n"
        "sys.exit(worker.main())\n"
    )
    worker = Running(code)
    worker.send({"photo": str(photo), "folder": str(tmp_path / "layers")})
    error = worker.until("error")
    assert "ZeroDivisionError: by zero" in error["message"] and error["exit_code"] == 4
    out, text = worker.process.communicate()
    assert out == ""
    assert "Traceback" in text and "stray" in text and "from C" in text
    assert worker.process.returncode == 0


def test_what_our_modules_log_as_a_warning_is_passed_on(photo: Path, tmp_path: Path) -> None:
    code = (
        "import logging, sys\n"
        "from addon.vision import pipeline, worker\n"
        "inner = pipeline.make_layered_photo\n"
        "def warned(*arguments, **named):\n"
        "    logging.getLogger('addon.vision.depth.some').warning('odd\\n%s', 'photo')\n"
        "    return inner(*arguments, **named)\n"
        "pipeline.make_layered_photo = warned\n"
        "sys.exit(worker.main())\n"
    )
    worker = Running(code)
    worker.send({"photo": str(photo), "folder": str(tmp_path / "layers"), **PLANE})
    assert worker.until("warning", "done", "error")["message"] == "odd photo"
    assert worker.until("done", "error")["type"] == "done"
    worker.process.communicate()


def test_it_does_without_blender(photo: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['bpy'] = None\nfrom addon.vision import worker\nsys.exit(worker.main())"
    other = Running(code)
    other.send({"photo": str(photo), "folder": str(tmp_path / "layers"), **PLANE})
    assert other.until("done", "error")["type"] == "done"
    other.process.communicate()
