"""Seconds and memory that layers and fill take, without Blender, for photos of 2, 12 and 48 megapixels.

    python benchmarks/layering.py

The photo is Cones (../shared/data/depth-dev) enlarged, with noise so that nothing compresses well, and its measured
disparity, whose many small things give six layers. Each row is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import novel_views
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from addon.spec import SceneSpec  # noqa: E402
from addon.vision.layering import make_layers  # noqa: E402
from addon.vision.photo import read_photo  # noqa: E402

MEGAPIXELS = (2, 12, 48)


def measure(path: Path, mode: str, fill: str) -> str:
    """One row: layers, seconds, and peak memory of this process over what it held before."""
    photo = read_photo(path, max_megapixels=100)
    d = novel_views.nv.fill_rows(novel_views.nv.read_disparity(novel_views.CONES, "left"))
    d = cv2.resize(((d - d.min()) / np.ptp(d)).astype(np.float32), photo.size, interpolation=cv2.INTER_NEAREST)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    spec = SceneSpec()
    made = make_layers(photo, d, None, replace(spec, layers=replace(spec.layers, mode=mode, fill=fill)), lambda share, text: None)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{len(made.layers)} | {seconds:.1f} s | {peak / 2**20:.2f} GB ({(peak - before) / 2**20:.2f} more)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=3, metavar=("FILE", "LAYERS", "FILL"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(Path(args.one[0]), *args.one[1:]))
        return
    novel_views.OUT.mkdir(parents=True, exist_ok=True)
    left = cv2.imread(str(novel_views.CONES / "left.png"))
    print("| photo | --layers | --fill | layers | time | peak memory |\n|---|---|---|---|---|---|")
    for megapixels in MEGAPIXELS:
        width = round((megapixels * 1e6 * 1.2) ** 0.5)
        large = cv2.resize(left, (width, round(width / 1.2)), interpolation=cv2.INTER_CUBIC)
        noise = np.random.default_rng(0).normal(0, 4, large.shape).astype(np.float32)
        path = novel_views.OUT / "large.jpg"
        cv2.imwrite(str(path), np.clip(large + noise, 0, 255).astype(np.uint8))
        for mode, fill in (("many", "texture"), ("two", "texture"), ("many", "smooth")):
            done = subprocess.run([sys.executable, __file__, "--one", str(path), mode, fill], capture_output=True, text=True)
            print(f"| {megapixels} MP | {mode} | {fill} | {done.stdout.strip() or done.stderr[-200:]} |", flush=True)
        path.unlink()


if __name__ == "__main__":
    main()
