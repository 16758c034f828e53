"""The extension's zip for this machine, built once for all the tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip named by STILLSCAPE_ZIP, or one that is built now, with the program that `make extension` runs."""
    if named := os.environ.get("STILLSCAPE_ZIP"):
        return Path(named).resolve()
    out = tmp_path_factory.mktemp("dist")
    # A process of its own: Blender, once imported, hides the folder that its builder lies in.
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "extension.py"), "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.zip"))


@pytest.fixture
def tiny_photo(tmp_path: Path) -> Path:
    """A 64x48 picture with something in the middle, in a folder of its own."""
    folder = tmp_path / "photo"
    folder.mkdir()
    rows, columns = np.mgrid[0:48, 0:64]
    picture = np.dstack([columns * 4, rows * 5, 255 - columns * 3]).astype(np.uint8)
    cv2.circle(picture, (32, 26), 12, (40, 220, 250), -1)
    path = folder / "tiny.png"
    assert cv2.imwrite(str(path), picture)
    return path
