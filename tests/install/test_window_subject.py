"""A face rigged in a real window, on a virtual screen, with a real mouse; see window_subject.py for what is checked."""

from __future__ import annotations

from pathlib import Path

from .window_shell import MARKS, ROOT, installed, shell

WORK = ROOT / "build" / "test-window-subject"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = MARKS


def test_a_face_is_rigged_in_a_window(extension_zip: Path) -> None:
    resources, folder = installed(extension_zip, WORK), WORK / "subject"
    said = shell("python3", ROOT / "tests" / "install" / "window_subject.py", "drive", folder, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "5-undone.png").exists()
