"""A face rigged in a real window, on a virtual screen, with a real mouse; see window_subject.py for what is checked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .test_window_paint import ROOT, shell

WORK = ROOT / "build" / "test-window-subject"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = [
    pytest.mark.blender,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("STILLSCAPE_WINDOW"), reason="STILLSCAPE_WINDOW names no shell with a Blender and a screen"),
]


def test_a_face_is_rigged_in_a_window(extension_zip: Path) -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    resources, folder = WORK / "resources", WORK / "subject"
    resources.mkdir(parents=True)
    zip_inside = WORK / extension_zip.name
    shutil.copyfile(extension_zip, zip_inside)
    install = ("--command", "extension", "install-file", "-r", "user_default", "-e", zip_inside)
    shell("blender", "--offline-mode", *install, resources=resources)
    said = shell("python3", ROOT / "tests" / "install" / "window_subject.py", "drive", folder, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "5-undone.png").exists()
