"""The zip in a real Blender, which STILLSCAPE_BLENDER starts; `make test-blender` sets that."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "test-blender"
"""Everything the tests write, inside the project: a Blender in a container sees that much."""

pytestmark = [
    pytest.mark.blender,
    pytest.mark.skipif(not os.environ.get("STILLSCAPE_BLENDER"), reason="STILLSCAPE_BLENDER names no Blender (make test-blender)"),
]


def blender(*arguments: str, resources: Path) -> subprocess.CompletedProcess[str]:
    """Run the Blender in question with a folder of user settings of our own; exit status and files decide, not stderr."""
    command = [*shlex.split(os.environ["STILLSCAPE_BLENDER"]), *arguments]
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLENDER"))}
    env = {**keep, "BLENDER_USER_RESOURCES": str(resources)}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    done.stdout = f"{shlex.join(command)}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def resources(extension_zip: Path) -> Path:
    """User settings of a Blender that the zip was installed into, by Blender's own command line."""
    shutil.rmtree(WORK, ignore_errors=True)
    folder = WORK / "resources"
    folder.mkdir(parents=True)
    zip_inside = WORK / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    done = blender(
        "--offline-mode", "--command", "extension", "install-file", "-r", "user_default", "-e", str(zip_inside), resources=folder
    )
    assert done.returncode == 0, done.stdout
    assert (folder / "extensions" / "user_default" / "stillscape" / "blender_manifest.toml").exists(), done.stdout
    return folder


def run_checks(resources: Path, *before: str, enabled: bool) -> None:
    program = str(Path(__file__).parent / "run_in_blender.py")
    last = ["--enabled"] if enabled else []
    done = blender(
        "-b", *before, "--offline-mode", "--python-exit-code", "4", "-P", program, "--", "--resources", str(resources), *last,
        resources=resources,
    )  # fmt: skip
    assert done.returncode == 0 and "all checks passed" in done.stdout, done.stdout


def test_a_fresh_start_has_it_enabled(resources: Path) -> None:
    run_checks(resources, enabled=True)


def test_factory_settings_can_enable_it(resources: Path) -> None:
    run_checks(resources, "--factory-startup", enabled=False)


def test_the_installed_driver_renders(resources: Path, tiny_photo: Path) -> None:
    folder = WORK / "render"
    shutil.copytree(tiny_photo.parent, folder)
    driver = resources / "extensions" / "user_default" / "stillscape" / "headless" / "stillscape.py"
    done = blender(
        "-b", "--factory-startup", "--offline-mode", "--python-exit-code", "4", "-P", str(driver), "--",
        "render", str(folder / "tiny.png"), "--frames", "2", "--frame-range", "1", "--samples", "1", "-o", str(folder / "frame_####.png"),
        resources=resources,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    frame = cv2.imread(str(folder / "frame_0001.png"))
    assert frame is not None and frame.shape == (48, 64, 3), done.stdout
    assert frame.std() > 10


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float)) ** 2))))


def test_its_frames_are_those_of_the_wheels(resources: Path) -> None:
    """The repository's driver, as the README runs it: the rest pose, the frame of every other version, and the saved scene."""
    folder = WORK / "golden"
    shutil.copytree(ROOT / "tests" / "headless" / "golden", folder)
    done = blender(
        "-b", "--factory-startup", "--python-exit-code", "4", "-P", "headless/stillscape.py", "--",
        "render", str(folder / "photo.png"), "--depth", str(folder / "depth.png"), "--near", "1.5", "--far", "12", "--move", "orbit", "--frames", "5", "--samples", "16", "--engine", "cycles",
        "--frame-range", "1,5", "-o", str(folder / "f_####.png"), "--save-blend", str(folder / "scene.blend"),
        resources=resources,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    last = cv2.imread(str(folder / "f_0005.png"))
    assert psnr(cv2.imread(str(folder / "f_0001.png")), cv2.imread(str(folder / "photo.png"))) >= 60
    assert psnr(last, cv2.imread(str(folder / "orbit.png"))) >= 45
    # Bare: without the extension, with Blender's own -f.
    done = blender("-b", str(folder / "scene.blend"), "-o", str(folder / "bare_####"), "-f", "5", resources=WORK / "nothing installed")
    assert done.returncode == 0, done.stdout
    assert psnr(cv2.imread(str(folder / "bare_0005.png")), last) >= 50


def test_a_film(resources: Path) -> None:
    done = blender(
        "-b", "--factory-startup", "--python-exit-code", "4", "-P", "headless/stillscape.py", "--",
        "render", str(ROOT / "tests" / "headless" / "golden" / "photo.png"), "--frames", "4", "-o", str(WORK / "film.mp4"),
        resources=resources,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    film = cv2.VideoCapture(str(WORK / "film.mp4"))
    assert [film.read()[0] for _ in range(5)] == [True] * 4 + [False]


def test_a_bad_setting_ends_with_its_own_exit_status(resources: Path) -> None:
    driver = resources / "extensions" / "user_default" / "stillscape" / "headless" / "stillscape.py"
    done = blender(
        "-b", "--factory-startup", "--offline-mode", "--python-exit-code", "4", "-P", str(driver), "--",
        "render", str(WORK / "there is no such photo.png"), "-o", str(WORK / "none_####.png"),
        resources=resources,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout
    assert not list(WORK.glob("none_*"))
