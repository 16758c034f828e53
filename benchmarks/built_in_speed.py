"""Seconds and peak memory of the built-in depth network, step by step, for 0.3, 2, 12 and 48 megapixels.

    python benchmarks/built_in_speed.py [--network built_in.onnx]

The photo is that of stages.py. Each size is a process of its own; memory is the peak of that process up to the end of the
step. "again" is a second photo of that size with the network loaded, from its pixels to its depth.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from stages import large_photo  # noqa: E402

from addon.spec import DepthSpec  # noqa: E402
from addon.vision.depth.built_in import FILE, BuiltInDepth  # noqa: E402
from addon.vision.distances import shape_faces, to_metres  # noqa: E402
from addon.vision.photo import read_photo  # noqa: E402

MEGAPIXELS = (0.3, 2, 12, 48)


def measure(path: Path, network: Path) -> list[tuple[str, float, float]]:
    """(step, seconds, peak memory in GB at its end) of one photo."""
    rows: list[tuple[str, float, float]] = []
    started = time.monotonic()
    step = "read the photo"

    def now(after: str) -> None:
        nonlocal started, step
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        if step.split(" (")[0] != after.split(" (")[0]:
            rows.append((step, time.monotonic() - started, peak))
            started, step = time.monotonic(), after

    photo = read_photo(path)
    estimator = BuiltInDepth(network)
    depth = estimator.estimate(photo, DepthSpec(), lambda share, text: now(text))
    now("find distances")
    shape_faces(to_metres(depth, DepthSpec(), photo.fov), DepthSpec(), photo.fov)
    now("again")
    estimator.estimate(photo, DepthSpec(), lambda share, text: None)
    now("")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", type=Path, default=FILE)
    parser.add_argument("--photo", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.photo is not None:
        for step, seconds, peak in measure(arguments.photo, arguments.network):
            print(f"{step}\t{seconds:.3f}\t{peak:.2f}")
        return
    table: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as place:
        for megapixels in MEGAPIXELS:
            path = Path(place) / "large.jpg"
            large_photo(path, megapixels)
            command = [sys.executable, __file__, "--network", str(arguments.network), "--photo", str(path)]
            for line in subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
                step, seconds, peak = line.split("\t")
                table.setdefault(step, []).append(f"{float(seconds):.2f} s, {peak} GB")
    print(f"| step | {' | '.join(f'{m} MP' for m in MEGAPIXELS)} |\n|---|{'---|' * len(MEGAPIXELS)}")
    for step, cells in table.items():
        print(f"| {step[:1].lower()}{step[1:].split(' (')[0]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
