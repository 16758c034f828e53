"""The worker from outside, in another Python: whatever that Python does, it is one sentence and nothing is left."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import InputError, StillscapeError, UsageError
from addon.spec import DepthSpec, MachineSpec, SceneSpec
from addon.vision.layered import read_layered
from addon.vision.worker_process import Worker, error_of, make_depth, make_layers
from tests.vision.onnx_bytes import brightness

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins for Python are shell scripts")

PLANE = asdict(SceneSpec(depth=DepthSpec(estimator="plane")))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    return path


def python(tmp_path: Path, before: str = "", instead: str = "") -> str:
    """A program that stands in for a Python: runs `before`, then this Python, or `instead` of it."""
    path = tmp_path / "python with spaces"
    path.write_text(f'#!/bin/sh\n{before}\n{instead or f"""exec {sys.executable} "$@" """}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def answer(worker: Worker, kind: str = "", limit: float = 30) -> dict:
    """The next message that ends a job, or of `kind`."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        for message in worker.poll():
            if message["type"] in (kind, "error", "done", "check"):
                return message
        time.sleep(0.02)
    raise AssertionError("the worker says nothing")


def gone(worker: Worker) -> None:
    worker.stop()
    until = time.monotonic() + 5
    while not worker.tidy():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert not worker.folder.exists() and not worker.running()


def test_a_python_of_the_users_does_the_work_and_stays_for_the_next(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    for name in ("one", "two"):
        worker.send(photo, tmp_path / name, PLANE)
        assert answer(worker)["type"] == "done"
        assert read_layered(tmp_path / name).size == (64, 48)
    gone(worker)


def test_it_tells_what_it_has(tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    worker.ask()
    found = answer(worker)
    assert found["type"] == "check" and found["python"] == sys.version.split()[0]
    assert found["versions"]["numpy"] == np.__version__ and found["versions"]["cv2"] == cv2.__version__
    assert set(found["missing"]) <= {"torch", "transformers", "safetensors"}
    gone(worker)


@pytest.mark.parametrize(
    ("program", "words"),
    [("nowhere/python", "cannot be started"), ("", "cannot be started"), ("a\0b", "cannot be started")],
)
def test_what_is_no_program_is_refused(tmp_path: Path, program: str, words: str) -> None:
    given = program or str(tmp_path)  # a folder
    with pytest.raises(UsageError, match=words) as caught:
        Worker(given)
    assert "--worker-python" in str(caught.value)


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ("exit 3", "does not start in this Python (exit code 3)"),
        ("echo 'No module named numpy' >&2; exit 1", "does not start in this Python (No module named numpy)"),
        ("kill -9 $$", "does not start in this Python (exit code -9)"),
        ('echo \'{"type": "status"}\'; kill -9 $$', "killed by the system, most likely because memory ran out"),
    ],
)
def test_a_python_that_ends_at_once_is_one_sentence(photo: Path, tmp_path: Path, instead: str, words: str) -> None:
    worker = Worker(python(tmp_path, instead=instead))
    worker.send(photo, tmp_path / "out", {})
    error = answer(worker, "error")
    assert words in error["message"]
    assert error["message"].endswith(".") and "\n" not in error["message"]
    gone(worker)


def test_a_greeting_before_the_first_word_is_passed_over(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path, before="echo 'Welcome to your environment'; echo '[1, 2]'; echo '{\"type\": 3}'"))
    worker.send(photo, tmp_path / "out", PLANE)
    assert answer(worker)["type"] == "done"
    gone(worker)


@pytest.mark.parametrize("noise", ["garbage", '{"type": "progress", "message": "no share"}', '{"no": "type"}', "\\303\\050 \\001"])
def test_garbage_in_the_middle_ends_it_with_one_sentence(photo: Path, tmp_path: Path, noise: str) -> None:
    ready = '{"type": "status", "message": "Ready"}'
    worker = Worker(python(tmp_path, instead=f"echo '{ready}'; printf '{noise}\\n'; sleep 60"))
    worker.send(photo, tmp_path / "out", {})
    error = answer(worker, "error")
    assert error["type"] == "error" and "said something unreadable" in error["message"] and "\n" not in error["message"]
    assert not worker.running()
    gone(worker)


def test_silence_ends_it(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path, instead="sleep 60"), patience=0.3)
    worker.send(photo, tmp_path / "out", {})
    assert "no sign of life for 0.3 seconds" in answer(worker)["message"]
    assert not worker.running()
    gone(worker)


def test_one_that_ignores_signals_is_killed_within_a_second_and_its_leavings_go(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path, before="trap '' INT TERM", instead="while true; do sleep 0.1; done"))
    worker.send(photo, tmp_path / "out" / "layers", {})
    half = tmp_path / "out" / f".layers.{worker._process.pid}.abc.tmp"
    others = tmp_path / "out" / ".layers.1.abc.tmp"
    half.mkdir(parents=True)
    others.mkdir()
    time.sleep(0.2)
    asked = time.monotonic()
    gone(worker)
    assert time.monotonic() - asked < 2
    assert not half.exists() and others.exists()  # what another process makes under that name is its own


def spec(program: str) -> SceneSpec:
    return SceneSpec(depth=DepthSpec(estimator="network", network="missing.onnx"), machine=MachineSpec(worker_python=program))


def test_the_error_of_the_other_process_is_raised_here_with_its_kind(photo: Path, tmp_path: Path) -> None:
    given = spec(python(tmp_path))
    with pytest.raises(InputError, match=r"missing\.onnx: there is no such network"):
        make_layers(photo, given, tmp_path / "out", lambda share, text: None)
    with pytest.raises(InputError, match=r"missing\.onnx: there is no such network"):
        make_depth(photo, given, lambda share, text: None)
    with pytest.raises(InputError, match=r"nowhere\.png"):
        make_layers(tmp_path / "nowhere.png", given, tmp_path / "out", lambda share, text: None)
    assert not (tmp_path / "out").exists()


def test_only_networks_go_to_the_other_python(photo: Path, tmp_path: Path) -> None:
    plain = replace(spec(python(tmp_path, instead="exit 3")), depth=DepthSpec(estimator="plane"))
    assert make_layers(photo, plain, tmp_path / "out", lambda share, text: None).size == (64, 48)
    with pytest.raises(StillscapeError, match="does not start"):
        make_layers(photo, spec(python(tmp_path, instead="exit 3")), tmp_path / "out", lambda share, text: None)


def test_cancelling_here_ends_the_other_process(photo: Path, tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def cancel(share: float, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_layers(photo, spec(python(tmp_path, before=f"echo $$ > '{note}'")), tmp_path / "out", cancel)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_names_mean_what_they_mean_where_they_were_typed(photo: Path, tmp_path: Path) -> None:
    """A relative photo, network and Python, from a folder with a space and an umlaut in its name."""
    here = tmp_path / "mein ördner"
    here.mkdir()
    (here / "net.onnx").write_bytes(brightness(48, 64))
    photo.rename(here / "photo.png")
    Path(python(tmp_path)).rename(here / "python")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(root / "headless" / "stillscape.py"), "depth", "photo.png", "-o", "d.npy", "--estimator", "net.onnx"]
    done = subprocess.run([*command, "--worker-python", "./python"], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.load(here / "d.npy").shape == (48, 64)


def test_a_python_without_numpy_says_so(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path, instead=f'exec {sys.executable} -S -s "$@"'))  # without its site-packages
    worker.ask()
    found = answer(worker)
    assert found["type"] == "check" and "numpy" in found["missing"] and found["device"] is None
    worker.send(photo, tmp_path / "out", {})
    error = answer(worker)
    assert error["exit_code"] == 2 and "lacks numpy" in error["message"] and "report" not in error["message"]
    gone(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system for the process's children")
def test_a_worker_whose_parent_is_killed_ends_by_itself(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.random.default_rng(0).integers(0, 255, (2400, 3200, 3), np.uint8))
    note = tmp_path / "note"
    code = (
        "import sys, time; from pathlib import Path; from addon.vision.worker_process import Worker\n"
        f"w = Worker({python(tmp_path)!r}); w.send(Path({str(large)!r}), Path({str(tmp_path / 'out')!r}), {PLANE!r})\n"
        "while not any(m['type'] == 'progress' for m in w.poll()): time.sleep(0.02)\n"
        f"Path({str(note)!r}).write_text(f'{{w._process.pid}} {{w.folder}}'); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    until = time.monotonic() + 30
    while not (note.exists() and len(note.read_text().split()) == 2):
        assert time.monotonic() < until and parent.poll() is None
        time.sleep(0.02)
    pid, folder = note.read_text().split()
    parent.kill()
    parent.wait()
    while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not Path(folder).exists() and not (tmp_path / "out").exists()


def test_a_depth_job_leaves_a_depth_file(photo: Path, tmp_path: Path) -> None:
    worker = Worker(python(tmp_path))
    worker.send(photo, tmp_path / "depth", PLANE, depth=True)
    done = answer(worker)
    assert done["type"] == "done" and done["estimator"] == "plane" and 0 < done["near"] < done["far"]
    d = np.load(tmp_path / "depth" / "depth.npy")
    assert d.shape == (48, 64) and d.dtype == np.float32 and d.min() >= 0 and d.max() <= 1
    gone(worker)


def test_exit_codes_come_back_as_the_errors_that_have_them() -> None:
    for code in (2, 3, 4, 5, 6):
        assert error_of({"message": "No.", "exit_code": code}).exit_code == code
    assert type(error_of({"message": "No.", "exit_code": 75})) is StillscapeError


def test_the_command_line_stops_the_other_process_at_a_signal(photo: Path, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    slow = python(tmp_path, before=f"echo $$ > '{note}'", instead='echo \'{"type": "status", "message": "Ready"}\'; exec sleep 60')
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "headless/stillscape.py", "depth", str(photo), "-o", str(tmp_path / "d.npy"), "--network", "missing.onnx"]
    command += ["--worker-python", slow]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (note.exists() and note.read_text().strip()):
        assert time.monotonic() < until and process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 75 and "Interrupted" in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
    assert not (tmp_path / "d.npy").exists()
