"""Depth painted in a real window, on a virtual screen, with a real mouse; see window_paint.py for what is checked.

STILLSCAPE_WINDOW is what window_shell.py takes it for.
"""

from __future__ import annotations

from pathlib import Path

from .window_shell import MARKS, ROOT, installed, shell

WORK = ROOT / "build" / "test-window"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = MARKS


def test_depth_is_painted_in_a_window(extension_zip: Path) -> None:
    resources, folder = installed(extension_zip, WORK), WORK / "paint"
    said = shell("python3", ROOT / "tests" / "install" / "window_paint.py", "drive", folder, resources=resources)
    assert "all checks passed" in said and "the reopened file holds every stroke" in said and "it renders" in said, said
    assert (folder / "7-side.png").exists()
