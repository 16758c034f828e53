"""Seconds and memory that layers and fill take, without Blender, for photos of 2, 12 and 48 megapixels.

    python benchmarks/layering.py [--photos FILE ...]

The photo is Cones (../shared/data/depth-dev) enlarged, with noise so that nothing compresses well, and its measured
disparity, whose many small things give six layers. --photos: photos of yours instead, brought to these sizes, with the depth that
Stillscape finds in them. Each row is a process of its own, so that its peak memory is its own.
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
from addon.vision.layered import to_disparity  # noqa: E402
from addon.vision.layering import find_sky, make_layers  # noqa: E402
from addon.vision.photo import read_photo  # noqa: E402
from addon.vision.pipeline import estimate_depth  # noqa: E402

MEGAPIXELS = (2, 12, 48)


def measure(path: Path, mode: str, fill: str) -> str:
    """One row: layers, seconds, and peak memory of this process over what it held before."""
    spec = SceneSpec()
    sky = None
    if mode == "estimated":
        photo, depth = estimate_depth(path, spec, lambda share, text: None)
        d, sky, mode = to_disparity(depth).d, find_sky(depth), spec.layers.mode
    else:
        photo = read_photo(path, max_megapixels=100)
        d = novel_views.nv.fill_rows(novel_views.nv.read_disparity(novel_views.CONES, "left"))
        d = cv2.resize(((d - d.min()) / np.ptp(d)).astype(np.float32), photo.size, interpolation=cv2.INTER_NEAREST)
    spec = replace(spec, layers=replace(spec.layers, mode=mode, fill=fill))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    made = make_layers(photo, d, sky, spec, lambda share, text: None)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{len(made.layers)} | {seconds:.1f} s | {peak / 2**20:.2f} GB ({(peak - before) / 2**20:.2f} more)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", nargs="+", type=Path, metavar="FILE", help="photos of yours, with the depth that is found in them")
    parser.add_argument("--one", nargs=3, metavar=("FILE", "LAYERS", "FILL"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(Path(args.one[0]), *args.one[1:]))
        return
    novel_views.OUT.mkdir(parents=True, exist_ok=True)
    path = novel_views.OUT / "large.jpg"
    if args.photos:
        print("| photo | megapixels | layers | time | peak memory |\n|---|---|---|---|---|")
        for file in args.photos:
            picture = cv2.imread(str(file))
            for megapixels in MEGAPIXELS:
                scale = (megapixels * 1e6 / picture[..., 0].size) ** 0.5
                cv2.imwrite(str(path), cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
                print(f"| {file.parent.name}/{file.name} | {megapixels} | {_row(path, 'estimated', 'texture')} |", flush=True)
        path.unlink()
        return
    left = cv2.imread(str(novel_views.CONES / "left.png"))
    print("| photo | --layers | --fill | layers | time | peak memory |\n|---|---|---|---|---|---|")
    for megapixels in MEGAPIXELS:
        width = round((megapixels * 1e6 * 1.2) ** 0.5)
        large = cv2.resize(left, (width, round(width / 1.2)), interpolation=cv2.INTER_CUBIC)
        noise = np.random.default_rng(0).normal(0, 4, large.shape).astype(np.float32)
        cv2.imwrite(str(path), np.clip(large + noise, 0, 255).astype(np.uint8))
        for mode, fill in (("many", "texture"), ("two", "texture"), ("many", "smooth")):
            print(f"| {megapixels} MP | {mode} | {fill} | {_row(path, mode, fill)} |", flush=True)
        path.unlink()


def _row(path: Path, mode: str, fill: str) -> str:
    done = subprocess.run([sys.executable, __file__, "--one", str(path), mode, fill], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr[-200:]


if __name__ == "__main__":
    main()
