"""Small films and image sequences for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.output import mp4

Bytes = NDArray[np.uint8]


def flat(count: int, size: tuple[int, int] = (64, 48)) -> list[Bytes]:
    """Frames of one grey each, 20 apart."""
    return [np.full((size[1], size[0], 3), 20 * (i + 1), np.uint8) for i in range(count)]


def pan(count: int, size: tuple[int, int] = (96, 64), step: int = 3, seed: int = 0) -> list[Bytes]:
    """A camera that trucks along a wall with soft detail."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(
        rng.integers(0, 256, (size[1] // 4, size[0] // 2, 3)).astype(np.uint8), (size[0] * 2, size[1]), interpolation=cv2.INTER_CUBIC
    )
    return [wall[:, i * step : i * step + size[0]].copy() for i in range(count)]


def write_film(path: Path, frames: Sequence[Bytes], fps: float = 25.0) -> Path:
    """A film of B, G, R frames: Motion JPEG for .avi, MPEG-4 for .mp4."""
    code = cv2.VideoWriter_fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), code, fps, (frames[0].shape[1], frames[0].shape[0]))
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def write_sequence(folder: Path, frames: Sequence[NDArray[np.generic]], first: int = 1, name: str = "shot") -> Path:
    """PNG files; returns their pattern."""
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{name}_{first + i:04d}.png"), frame)
    return folder / f"{name}_####.png"


def edited(source: Path, target: Path, edit: Callable[[mp4.Node], None]) -> Path:
    """A copy of an MP4 with another index."""
    mp4.move_moov_first(source, target, edit=edit)
    return target
