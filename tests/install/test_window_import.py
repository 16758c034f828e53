"""Photos imported in a real window, on a virtual screen, with real keys; see window_import.py for what is checked.

STILLSCAPE_WINDOW is what test_window_paint.py takes it for.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .test_window_paint import ROOT, shell

WORK = ROOT / "build" / "test-window-import"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = [
    pytest.mark.blender,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("STILLSCAPE_WINDOW"), reason="STILLSCAPE_WINDOW names no shell with a Blender and a screen"),
]


def test_photos_are_imported_in_a_window(extension_zip: Path) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    resources, folder = WORK / "resources", WORK / "import"
    resources.mkdir(parents=True)
    zip_inside = WORK / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    install = ("--command", "extension", "install-file", "-r", "user_default", "-e", zip_inside)
    shell("blender", "--offline-mode", *install, resources=resources)
    said = shell("python3", ROOT / "tests" / "install" / "window_import.py", "drive", folder, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "7-film.png").exists()
