"""Frames a second beside DepthFlow 1.0.1: the same photo and depth, whole films from the command line, in turn and in one run.

    .venv/bin/python benchmarks/depthflow.py --depthflow PYTHON [--photo PHOTO --depth DEPTH] [--rounds 3]

PYTHON is an environment of its own with depthflow 1.0.1 (pip install torch==2.13.0 first, or it takes gigabytes; it needs no
model, as the depth is given). Without --photo, the left picture of Cones and its true disparity. Both make H.264 films of 1280×720 and 1920×1080
at their default quality, DepthFlow with its "Horizontal" example, Stillscape with a truck; each film twice, of few and of many frames, so
that the start of the programs drops out: seconds a frame are the difference in time over that in frames. Prints a table for benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import novel_views
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((1280, 720), (1920, 1080))
FEW, MANY = 6, 30
FPS = 24
HORIZONTAL = """
import math, sys
from depthflow.scene import DepthScene

class Horizontal(DepthScene):
    def update(self):
        self.state.offset = (0.80 * math.sin(self.cycle), 0.0)
        self.state.isometric = 0.60
        self.state.steady = 0.30

photo, depth, out, width, height, fps, frames = sys.argv[1:]
scene = Horizontal(backend="headless")
scene.input(image=photo, depth=depth)
scene.main(width=int(width), height=int(height), fps=float(fps), time=int(frames) / float(fps), output=out)
"""
"""The example of that name in DepthFlow 1.0.1, made to render a film."""


def cones(folder: Path) -> tuple[Path, Path]:
    """The photo and its disparity as a grey PNG."""
    pair = novel_views.SHARED / "data" / "depth-dev" / "cones"
    disparity = np.nan_to_num(cv2.imread(str(pair / "disp_left.tif"), cv2.IMREAD_UNCHANGED), posinf=0)
    cv2.imwrite(str(folder / "depth.png"), np.rint(np.clip(disparity / disparity.max(), 0, 1) * 255).astype(np.uint8))
    return pair / "left.png", folder / "depth.png"


def seconds(command: list[str], out: Path) -> float:
    """How long a program takes to write a film."""
    out.unlink(missing_ok=True)
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "WINDOW_BACKEND": "headless"})
    taken = time.monotonic() - started
    if done.returncode or not out.is_file():
        raise SystemExit(f"{' '.join(command[:3])}: {done.stderr[-1500:]}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--depthflow", required=True, help="the Python of an environment with depthflow 1.0.1")
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--depth", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", nargs="*", default=["auto"], help="of Stillscape; auto is the default, cycles the ray tracer")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, depth = (arguments.photo, arguments.depth) if arguments.photo else cones(folder)
        script, out = folder / "horizontal.py", folder / "film.mp4"
        script.write_text(HORIZONTAL, encoding="utf-8")

        def depthflow(size: tuple[int, int], frames: int) -> list[str]:
            return [arguments.depthflow, str(script), *map(str, (photo, depth, out, *size, FPS, frames))]

        def ours(engine: str):
            def command(size: tuple[int, int], frames: int) -> list[str]:
                return [sys.executable, str(ROOT / "headless" / "stillscape.py"), "render", str(photo), "--depth", str(depth),
                        "--depth-kind", "disparity", "--move", "truck", "--frames", str(frames), "--fps", str(FPS), "--size",
                        f"{size[0]}x{size[1]}", "--engine", engine, "-o", str(out)]  # fmt: skip

            return command

        makers = {"DepthFlow 1.0.1": depthflow, **{f"Stillscape, {e}": ours(e) for e in arguments.engine}}
        found: dict[str, dict[tuple[int, int], list[tuple[float, float]]]] = {maker: {size: [] for size in SIZES} for maker in makers}
        for _ in range(arguments.rounds):
            for size in SIZES:
                for maker, command in makers.items():  # in turn, since other work on the machine comes and goes
                    few, many = (seconds(command(size, n), out) for n in (FEW, MANY))
                    found[maker][size].append(((many - few) / (MANY - FEW), few - FEW * (many - few) / (MANY - FEW)))
    print("| | " + " | ".join(f"{w}×{h}: frames a second (start, s)" for w, h in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    for maker, sizes in found.items():
        cells = []
        for pairs in sizes.values():
            frame, start = (statistics.median(values) for values in zip(*pairs))
            cells.append(f"{1 / max(frame, 1e-6):.2f} ({start:.1f})")
        print(f"| {maker} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
