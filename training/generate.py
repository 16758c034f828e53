"""Draw training scenes without end, each from its own seed.

    python -m training.generate --out DIR [--minutes N] [--scenes N] [--family NAME ...] [--human FOLDER] [--processes 2]
    python -m training.generate --sheet SHEET.png --family rooms        a contact sheet to be looked at

A scene becomes a folder DIR/<family>-<seed> of arrays (see README.md); its `about.json` is written last. The same seed gives the same
scene on the same version of Blender, but for the pictures on its surfaces, some of which come from earlier scenes. Light is path traced with
few samples and denoised. Runs may be stopped at any time and go on where they stopped.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.vision.texture import linear_to_srgb

from . import scenes
from .scenes.kit import Kit, View, begin, render

SIZES = ((168, 224), (168, 224), (168, 224), (160, 240), (144, 256), (192, 192), (224, 168))  # about 36,000 pixels, as photos are shaped
SAMPLES = 3
BRIGHTEST = 16.0  # linear light that the file's largest number stands for
MEAN = 0.2


def families() -> dict[str, Any]:
    """Every file of `scenes` that builds scenes, by name."""
    names = [m.name for m in pkgutil.iter_modules(scenes.__path__)]
    found = {n: importlib.import_module(f"{scenes.__name__}.{n}") for n in names}
    return {n: m for n, m in found.items() if hasattr(m, "build")}


def exposed(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light scaled as a camera's meter would: the mean of what is not glaring becomes `MEAN`."""
    light = colour.mean(2)
    return colour * np.float32(MEAN / max(float(np.minimum(light, np.percentile(light, 90)).mean()), 1e-4))


def is_usable(view: View) -> bool:
    """Whether a view shows a scene: not black, not the inside of a thing, not one bare surface close by."""
    d = view.disparity
    if view.colour.mean() < 1e-3 or (d == 0).mean() > 0.85 or (d > 5).mean() > 0.3:
        return False
    seen = d[d > 0]
    return bool(np.percentile(seen, 97) > 1.35 * np.percentile(seen, 3))


def draw(family: str, build: Any, seed: int, *, human: Path | None, threads: int, samples: int = SAMPLES) -> list[View]:
    """The usable views of one scene."""
    rng = np.random.default_rng([seed, sum(family.encode())])
    size = SIZES[int(rng.integers(len(SIZES)))]
    begin(size, threads, samples)
    kit = Kit(rng, size, human)
    shots = build(kit)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        views = [render(shot, Path(folder) / "view.exr") for shot in shots]
    return [v for v in views if is_usable(v)]


def write(views: list[View], folder: Path, family: str, seed: int) -> None:
    """One scene's views as a folder of arrays; `about.json` comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    light = np.stack([exposed(v.colour) for v in views])
    np.save(folder / "colour.npy", np.round(65535 * np.sqrt(np.minimum(light, BRIGHTEST) / BRIGHTEST)).astype(np.uint16))
    np.save(folder / "disparity.npy", np.stack([v.disparity for v in views]).astype(np.float16))
    np.save(folder / "normal.npy", np.round(np.stack([v.normal for v in views]) * 127).astype(np.int8))
    about = [{"fov": float(v.shot.fov), "pitch": float(v.shot.pitch), "roll": float(v.shot.roll)} for v in views]
    (folder / "about.json").write_text(json.dumps({"family": family, "seed": seed, "views": about}))


def run(out: Path, chosen: list[str], first: int, step: int, *, until: float, most: int, human: Path | None, threads: int) -> int:
    """Draw scenes of the seeds first, first + step, ... until the clock or the number is reached; how many views came."""
    known = families()
    names = chosen or list(known)
    share = np.array([known[n].WEIGHT for n in names], float)
    total, seed = 0, first
    for _ in range(most):
        if time.monotonic() > until:
            break
        family = names[int(np.random.default_rng(seed).choice(len(names), p=share / share.sum()))]
        folder = out / f"{family}-{seed:06d}"
        if not (folder / "about.json").exists():
            try:
                views = draw(family, known[family].build, seed, human=human, threads=threads)
            except (
                ArithmeticError,
                IndexError,
                KeyError,
                RuntimeError,
                ValueError,
            ):  # one scene in thousands must not end a night's work; its seed makes it fail again
                print(f"{folder.name} could not be built:", file=sys.stderr)
                traceback.print_exc()
                views = []
            if views:
                write(views, folder, family, seed)
            total += len(views)
        seed += step
    return total


def picture(view: View) -> NDArray[np.uint8]:
    """A view beside its disparity, uint8 RGB, plainly exposed."""
    shown = linear_to_srgb(exposed(view.colour) * 1.2)
    d = view.disparity
    high = np.percentile(d, 98)
    depth = cv2.applyColorMap(np.clip(d / max(high, 1e-6) * 255, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.concatenate([(shown * 255).astype(np.uint8), depth], 1)


def sheet(path: Path, chosen: list[str], first: int, count: int, human: Path | None) -> None:
    """A contact sheet of `count` scenes."""
    known = families()
    cells: list[NDArray[np.uint8]] = []
    started, views = time.monotonic(), 0
    for i in range(count):
        family = (chosen or list(known))[i % len(chosen or known)]
        for view in draw(family, known[family].build, first + i, human=human, threads=2):
            views += 1
            if len(cells) < 3 * (count if count > 8 else 24):
                cells.append(
                    cv2.copyMakeBorder(picture(view), 0, 224 - view.colour.shape[0], 0, 512 - 2 * view.colour.shape[1], cv2.BORDER_CONSTANT)
                )
    cells = cells[:60]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % 4)
    rows = [np.concatenate(cells[i : i + 4], 1) for i in range(0, len(cells), 4)]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])
    print(f"{views} views of {count} scenes in {time.monotonic() - started:.1f} s: {path}")


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--out", type=Path, help="folder of the scenes")
    ask.add_argument("--minutes", type=float, default=30)
    ask.add_argument("--scenes", type=int, default=10**9, help="how many scenes at most, in each process")
    ask.add_argument("--family", nargs="*", default=[], help="only these families")
    ask.add_argument("--seed", type=int, default=0, help="the first seed")
    ask.add_argument("--human", type=Path, help="folder of the MakeHuman base mesh and targets; without it there are no people")
    ask.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    ask.add_argument("--step", type=int, default=1, help=argparse.SUPPRESS)
    ask.add_argument("--sheet", type=Path, help="write a contact sheet instead")
    given = ask.parse_args()
    if given.sheet:
        sheet(given.sheet, given.family, given.seed, min(given.scenes, 12), given.human)
        return 0
    if given.out is None:
        ask.error("--out is missing")
    if given.processes == 1:
        until = time.monotonic() + 60 * given.minutes
        total = run(given.out, given.family, given.seed, given.step, until=until, most=given.scenes, human=given.human, threads=1)
        print(f"{total} views")
        return 0
    command = [sys.executable, "-m", "training.generate", "--out", str(given.out), "--minutes", str(given.minutes), "--processes", "1"]
    command += ["--step", str(given.processes), "--scenes", str(given.scenes)] + (["--human", str(given.human)] if given.human else [])
    command += ["--family", *given.family] if given.family else []
    workers = [subprocess.Popen([*command, "--seed", str(given.seed + i)], stdout=subprocess.DEVNULL) for i in range(given.processes)]
    return max(worker.wait() for worker in workers)


if __name__ == "__main__":
    sys.exit(main())
