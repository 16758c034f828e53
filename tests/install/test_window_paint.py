"""Depth painted in a real window, on a virtual screen, with a real mouse; see window_paint.py for what is checked.

STILLSCAPE_WINDOW is what a command line is handed to where blender, Xvfb, xdotool, ffmpeg and python3 are: "sh -c" if
that is here, or the entry of a container that sees this repository at the same path.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "test-window"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = [
    pytest.mark.blender,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("STILLSCAPE_WINDOW"), reason="STILLSCAPE_WINDOW names no shell with a Blender and a screen"),
]


def shell(*command: object, resources: Path) -> str:
    """Run a command there, with a folder of user settings of our own; all that it said."""
    line = f"BLENDER_USER_RESOURCES={shlex.quote(str(resources))} {shlex.join(map(str, command))}"
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLENDER"))}
    program = [*shlex.split(os.environ["STILLSCAPE_WINDOW"]), line]
    done = subprocess.run(program, env=keep, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    said = f"{line}\nexit status {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, said
    return said


def test_depth_is_painted_in_a_window(extension_zip: Path) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    resources, folder = WORK / "resources", WORK / "paint"
    resources.mkdir(parents=True)
    zip_inside = WORK / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    install = ("--command", "extension", "install-file", "-r", "user_default", "-e", zip_inside)
    shell("blender", "--offline-mode", *install, resources=resources)
    said = shell("python3", ROOT / "tests" / "install" / "window_paint.py", "drive", folder, resources=resources)
    assert "all checks passed" in said and "the reopened file holds every stroke" in said and "it renders" in said, said
    assert (folder / "7-side.png").exists()
