"""Photos for the tests of the panels, and the scene that an import makes of one."""

from __future__ import annotations

from pathlib import Path

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from addon.ui import scenery

W, H = 64, 48
"""Pixels of `red_square`."""


def before_a_wall(path: Path, picture: NDArray[np.uint8], nearer: tuple[slice, slice]) -> Path:
    """Write a photo of something at 2 m before a wall at 6 m, and let the scene's next import take these distances.

    picture: uint8 H×W×3, BGR. nearer: its rows and columns that are at 2 m. Returns `path`, beside which depth.npy lies then.
    """
    assert cv2.imwrite(str(path), picture)
    metres = np.full(picture.shape[:2], 6.0, np.float32)
    metres[nearer] = 2.0
    depth = path.with_name("depth.npy")
    np.save(depth, metres)
    settings = bpy.context.scene.stillscape.depth
    settings.depth, settings.depth_kind = str(depth), "depth"
    return path


def red_square(folder: Path) -> Path:
    """two.png in `folder`: a red square 2 m away before a wall 6 m away; see `before_a_wall`."""
    picture = np.random.default_rng(0).integers(40, 200, (H, W, 3)).astype(np.uint8)
    square = np.s_[12:36, 20:44]
    picture[square] = (30, 30, 220)
    return before_a_wall(folder / "two.png", picture, square)


def imported(path: Path) -> scenery.Scenery:
    """Import a photo or a film with the scene's settings; it is the active one then."""
    assert bpy.ops.stillscape.import_photo(filepath=str(path)) == {"FINISHED"}
    return the_photo()


def the_photo() -> scenery.Scenery:
    """The photo that the panels mean."""
    found = scenery.active_scenery(bpy.context)
    assert found is not None
    return found
