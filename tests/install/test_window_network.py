"""Photos whose depth a network finds in a Python of the user's, imported in a real window; see window_import.py.

STILLSCAPE_WINDOW is what test_window_paint.py takes it for; STILLSCAPE_WORKER_PYTHON names a Python with torch and transformers
that runs in that place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .test_window_paint import ROOT, shell

WORK = ROOT / "build" / "test-window-network"
PYTHON = os.environ.get("STILLSCAPE_WORKER_PYTHON", "")
MAKE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import tiny_networks as t; "
    "t.saved(Path(sys.argv[2]), t.depth_anything(), t.PREPROCESSORS['depth_anything'])"
)

pytestmark = [
    pytest.mark.blender,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (os.environ.get("STILLSCAPE_WINDOW") and PYTHON), reason="no shell with a Blender and a screen, or no Python with torch"
    ),
]


def test_a_network_works_beside_a_window(extension_zip: Path) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    resources, folder, network = WORK / "resources", WORK / "import", WORK / "tiny"
    resources.mkdir(parents=True)
    subprocess.run([PYTHON, "-c", MAKE, str(ROOT / "tests" / "vision"), str(network)], check=True)
    zip_inside = WORK / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    install = ("--command", "extension", "install-file", "-r", "user_default", "-e", zip_inside)
    shell("blender", "--offline-mode", *install, resources=resources)
    window = ROOT / "tests" / "install" / "window_import.py"
    said = shell("python3", window, "drive", folder, "--network", network, "--worker-python", PYTHON, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "n2-imported.png").exists()
