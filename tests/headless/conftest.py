"""What the tests of the command line share: a way to run it, and photos with known content."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    """What a run of the command line left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def stillscape() -> Callable[..., Run]:
    """Run the command line with the given arguments under this Python."""

    def run(*arguments: object, **options: object) -> Run:
        command = [sys.executable, str(ROOT / "headless" / "stillscape.py"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
        return Run(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def make_photo(tmp_path: Path) -> Callable[..., Path]:
    """A sharp, colourful picture with smooth shading, fine lines, disks and noise, as a PNG."""

    def make(width: int = 160, height: int = 120, name: str = "photo.png", seed: int = 3) -> Path:
        rng = np.random.default_rng(seed)
        v, u = np.mgrid[0:height, 0:width] / max(width, height)
        picture = np.stack([140 + 90 * np.sin(7 * u + k) * np.cos(5 * v - k) for k in range(3)], -1).astype(np.float32)
        for _ in range(12):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.circle(picture, centre, int(rng.integers(4, 25)), rng.uniform(0, 255, 3).tolist(), -1, cv2.LINE_AA)
            end = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.line(picture, centre, end, rng.uniform(0, 255, 3).tolist(), 1, cv2.LINE_AA)
        picture += rng.normal(0, 3, picture.shape)
        path = tmp_path / name
        cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8))
        return path

    return make


@pytest.fixture
def camera_path(tmp_path: Path) -> Callable[..., Path]:
    """A camera path file from keyframes given as (frame, location) or with rotation and fov as well."""

    def make(*keys: tuple[object, ...], name: str = "path.json") -> Path:
        frames = []
        for frame, location, *more in keys:
            entry = {"frame": frame, "location": list(location), "rotation": list(more[0]) if more else [0, 0, 0]}  # type: ignore[call-overload]
            if len(more) > 1:
                entry["fov"] = more[1]
            frames.append(entry)
        path = tmp_path / name
        path.write_text(json.dumps({"fps": 24, "keyframes": frames}))
        return path

    return make


@pytest.fixture
def psnr() -> Callable[[np.ndarray, np.ndarray], float]:
    """Peak signal-to-noise ratio in dB of two 8-bit pictures of one size."""

    def measure(a: np.ndarray, b: np.ndarray) -> float:
        assert a.shape == b.shape
        return float(10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float)) ** 2))))

    return measure
