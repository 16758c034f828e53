"""What all tests share: each test that touches Blender starts from an empty file, and none touches the user's settings."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOMS_WITH_BLENDER = ("scene", "output", "ui", "headless")
"""Only these folders of tests may import bpy; the others run without it and should not wait for it."""

# Blender reads this when it is imported, and a process that a test starts inherits it.
_resources = tempfile.mkdtemp(prefix="stillscape-blender-")
atexit.register(shutil.rmtree, _resources, ignore_errors=True)
os.environ["BLENDER_USER_RESOURCES"] = _resources


@pytest.fixture(autouse=True)
def empty_file(request: pytest.FixtureRequest) -> None:
    """Load an empty file with factory settings before each test of those folders, where Blender can be imported."""
    room = request.path.relative_to(Path(__file__).parent).parts[0]
    if room in ROOMS_WITH_BLENDER and importlib.util.find_spec("bpy"):
        import bpy

        # Not read_factory_settings: with the settings it forgets which extensions are enabled, and removes their wheels.
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
