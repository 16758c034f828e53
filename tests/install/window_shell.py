"""What the tests of a real window share: where the Blender is, and the extension installed in it. Their scripts share window_hand.py.

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

MARKS = [
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


def installed(extension_zip: Path, work: Path) -> Path:
    """Empty the folder `work` and install the extension with user settings of its own in there; returns the folder of those.

    work: inside the project, for a container sees that much.
    """
    shutil.rmtree(work, ignore_errors=True)
    resources = work / "resources"
    resources.mkdir(parents=True)
    zip_inside = work / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    install = ("--command", "extension", "install-file", "-r", "user_default", "-e", zip_inside)
    shell("blender", "--offline-mode", *install, resources=resources)
    return resources
