"""Ten windows, at 200 %, from the far ends of moves on two real photos with measured depth: to be looked at.

    python benchmarks/extremes.py

Writes benchmarks/extremes.jpg; the list of defects stands in benchmarks/README.md. The photos are of BlendedMVS and TUM
RGB-D (../shared/data/depth-dev), both CC BY 4.0.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import novel_views
import numpy as np
import product

FOV = {"blendedmvg_979": 60.0, "tum_1": 63.0}
ENDS = {"rest": (0, 0, 0), "right 8 %": (1, 0, 0), "left 8 %": (-1, 0, 0), "up 6 %": (0, 0.7, 0), "down 6 %": (0, -0.7, 0)}
FORWARD = 0.25  # of the way to the nearest
WINDOW = (320, 240)
WINDOWS = (
    ("blendedmvg_979", "right 8 %", 380, 0), ("blendedmvg_979", "left 8 %", 370, 0), ("blendedmvg_979", "left 8 %", 200, 180),
    ("blendedmvg_979", "right 8 %", 360, 180), ("blendedmvg_979", "up 6 %", 360, 40), ("blendedmvg_979", "down 6 %", 0, 330),
    ("tum_1", "right 8 %", 80, 40), ("tum_1", "right 8 %", 200, 100), ("tum_1", "up 6 %", 200, 60), ("tum_1", "forward", 60, 80),
)  # fmt: skip


def frames_of(name: str, photo: np.ndarray, inverse: np.ndarray, valid: np.ndarray) -> dict[str, np.ndarray]:
    """The frames at all ends, where the nearest and the farthest come apart by 8 % of the width."""
    folder = novel_views.OUT / "work" / name
    folder.mkdir(parents=True, exist_ok=True)
    if inverse.shape != photo.shape[:2]:
        photo = cv2.resize(photo, inverse.shape[::-1], interpolation=cv2.INTER_AREA)
    z = np.where(valid, 1 / np.maximum(inverse, 1e-9), np.nan).astype(np.float32)
    cv2.imwrite(str(folder / "photo.png"), photo)
    np.save(folder / "depth.npy", z)
    near, far = np.nanpercentile(z, (1, 99))
    step = 0.08 * 2 * np.tan(np.radians(FOV[name] / 2)) / (1 / near - 1 / far)
    offsets = {end: tuple(float(step * a) for a in direction) for end, direction in ENDS.items()}
    offsets["forward"] = (0.0, 0.0, float(-FORWARD * near))
    source = product.Source(folder / "photo.png", folder / "depth.npy", FOV[name])
    frames, _ = product.render_views(source, list(offsets.values()), folder, python=sys.executable)
    return dict(zip(offsets, frames))


def main() -> None:
    data = novel_views.SHARED / "data" / "depth-dev"
    found = importlib.util.spec_from_file_location("load", data / "load.py")
    assert found and found.loader
    load = importlib.util.module_from_spec(found)
    found.loader.exec_module(load)
    frames = {name: frames_of(name, photo, inverse, valid) for name, photo, inverse, valid in load.items() if name in FOV}
    w, h = WINDOW
    tiles = []
    for i, (name, end, x, y) in enumerate(WINDOWS, 1):
        tiles.append((f"{i}: {end}", frames[name][end][y : y + h, x : x + w]))
    sheet = novel_views.OUT / "extremes.png"
    novel_views.contact_sheet(sheet, tiles, columns=2)
    cv2.imwrite(str(Path(__file__).with_suffix(".jpg")), cv2.imread(str(sheet)), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
