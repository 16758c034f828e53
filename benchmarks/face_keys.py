"""Draws the 52 shape keys on the face of average size, to be looked at.

python -m benchmarks.face_keys docs/rig-keys.jpg [--keys jawOpen jawOpen+tongueOut ...] [--columns 9] [--zoom 1.0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from addon.vision import face_units
from addon.vision.canonical import LIP_LINE, POINTS
from addon.vision.face_parts import all_parts
from addon.vision.rigging import ARKIT, Part
from tests.vision.face_meshes import relief

BOX = (-0.088, 0.088, -0.175, 0.052)  # metres: x from, to, y from, to
LIGHT = np.array([0.35, 0.55, 0.75]) / np.linalg.norm([0.35, 0.55, 0.75])


def painted(at: np.ndarray) -> np.ndarray:
    """Colours N×3 of skin with brows and lips."""
    x, y = np.abs(at[:, 0]), at[:, 1]
    colours = np.tile([0.86, 0.68, 0.58], (len(at), 1))
    brow = np.abs(y - np.interp(x, POINTS[22:27, 0], POINTS[22:27, 1])) < 0.003
    colours[brow & (x > 0.011) & (x < 0.052)] = (0.25, 0.17, 0.12)
    line = np.interp(x, LIP_LINE[:, 0], LIP_LINE[:, 1])
    over, under = np.interp(x, [0, 0.006, 0.0175, 0.0255], [6.6, 7.2, 4, 0]), np.interp(x, [0, 0.006, 0.0175, 0.0255], [9.3, 9, 5.6, 0])
    colours[(y < line + over / 1000) & (y > line - under / 1000) & (x < 0.0255)] = (0.72, 0.42, 0.40)
    return colours


def drawn(at: np.ndarray, triangles: np.ndarray, colours: np.ndarray, scale: float) -> np.ndarray:
    """uint8 H×W×3 BGR: from the front, far triangles first."""
    corners = at[triangles]
    normal = np.zeros_like(at)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for k in range(3):
        np.add.at(normal, triangles[:, k], faces)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-15)
    lit = ((0.25 + 0.8 * np.clip(normal @ LIGHT, 0, 1))[:, None] * colours)[triangles].mean(1)
    left, right, low, high = BOX
    image = np.full((round((high - low) * scale), round((right - left) * scale), 3), (200, 190, 180), np.uint8)
    seen = np.flatnonzero((faces[:, 2] > 0) & (corners[:, :, 1].max(1) > low))
    seen = seen[np.argsort(corners[seen, :, 2].mean(1))]
    place = np.stack([(corners[..., 0] - left) * scale * 16, (high - corners[..., 1]) * scale * 16], -1).astype(np.int32)
    bgr = np.clip(lit, 0, 1)[:, ::-1] * 255
    for i in seen:
        cv2.fillConvexPoly(image, place[i], bgr[i].tolist(), shift=4)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keys", nargs="*", default=["", *ARKIT], help="names, some of them joined by +")
    parser.add_argument("--columns", type=int, default=9)
    parser.add_argument("--zoom", type=float, default=1.0)
    options = parser.parse_args()
    skin, shapes = relief(0.0016), all_parts()
    starts = np.cumsum([len(skin.vertices), *(len(s.vertices) for s in shapes)])
    at = np.concatenate([skin.vertices, *(s.vertices for s in shapes)])
    triangles = np.concatenate([skin.triangles, *(s.triangles + n for s, n in zip(shapes, starts))])
    part = np.concatenate([np.full(len(skin.vertices), Part.SKIN), *(np.full(len(s.vertices), s.part) for s in shapes)])
    colours = np.concatenate([painted(skin.vertices), *(s.colours for s in shapes)])
    known = at.copy()
    known[part == Part.SKIN, 2] = np.nan
    keys = face_units.units(known, np.concatenate([skin.side, *(s.side for s in shapes)]), part)
    pictures = []
    for names in options.keys:
        moved = at + sum((keys[n] for n in names.split("+") if n), np.zeros_like(at))
        picture = drawn(moved, triangles, colours, 950 * options.zoom)
        pictures.append(cv2.putText(picture, names or "neutral", (3, 13), 0, 0.42, (0, 0, 0), 1, cv2.LINE_AA))
    pictures += [np.full_like(pictures[0], 255)] * (-len(pictures) % options.columns)
    rows = [np.hstack(pictures[i : i + options.columns]) for i in range(0, len(pictures), options.columns)]
    cv2.imwrite(str(options.out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
