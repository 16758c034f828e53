"""Photos imported in a real window, on a virtual screen, with real keys; see window_import.py for what is checked.

STILLSCAPE_WINDOW is what window_shell.py takes it for.
"""

from __future__ import annotations

from pathlib import Path

from .window_shell import MARKS, ROOT, installed, shell

WORK = ROOT / "build" / "test-window-import"
"""Everything the test writes, inside the project: a container sees that much. The pictures of the screen stay there."""

pytestmark = MARKS


def test_photos_are_imported_in_a_window(extension_zip: Path) -> None:
    resources, folder = installed(extension_zip, WORK), WORK / "import"
    said = shell("python3", ROOT / "tests" / "install" / "window_import.py", "drive", folder, resources=resources)
    assert "all checks passed" in said, said
    assert (folder / "7-film.png").exists()
