"""Photos whose depth a network finds in a Python of the user's, imported in a real window; see window_import.py.

STILLSCAPE_WINDOW is what window_shell.py takes it for; STILLSCAPE_WORKER_PYTHON names a Python with torch and transformers
that runs in that place.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .window_shell import MARKS, ROOT, installed, shell

WORK = ROOT / "build" / "test-window-network"
PYTHON = os.environ.get("STILLSCAPE_WORKER_PYTHON", "")
MAKE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import tiny_networks as t; "
    "t.saved(Path(sys.argv[2]), t.depth_anything(), t.PREPROCESSORS['depth_anything'])"
)

pytestmark = [*MARKS, pytest.mark.skipif(not PYTHON, reason="STILLSCAPE_WORKER_PYTHON names no Python with torch")]


def test_a_network_works_beside_a_window(extension_zip: Path) -> None:
    resources, folder, network = installed(extension_zip, WORK), WORK / "import", WORK / "tiny"
    subprocess.run([PYTHON, "-c", MAKE, str(ROOT / "tests" / "vision"), str(network)], check=True)
    window = ROOT / "tests" / "install" / "window_import.py"
    said = shell("python3", window, "drive", folder, "--network", network, "--worker-python", PYTHON, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "n2-imported.png").exists()
