"""How steady the depth of a film becomes, and what that costs: error, lag at moving edges, sharpness.

    .venv/bin/python benchmarks/video.py [--out build/benchmarks/video]

A clip is made of sheets with known disparity and motion: a slanted ground and a wall that a trucking camera passes, a disk that
crosses the picture and one that comes nearer. As a network would, each frame's disparity is spoilt by a scale and a shift
of its own (3 %), and by a low-frequency shimmer of surfaces. The clip then goes through the same call as any film.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from addon.spec import DepthSpec, SceneSpec, VideoSpec
from addon.vision.layered_film import make_layered_film

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
SIZE = (480, 270)
FRAMES = 48
CAMERA = 260.0  # pixels that disparity 1 moves over the whole clip


class Clip(NamedTuple):
    """pictures: uint8 H×W×3 B, G, R. truth: float32 H×W disparity. sheet: which sheet is seen, 0 the background.
    flow: float32 H×W×2, where each pixel goes in the next frame."""

    pictures: list[Bytes]
    truth: list[Floats]
    sheet: list[Bytes]
    flow: list[Floats]


def texture(rng: np.random.Generator, size: tuple[int, int]) -> Bytes:
    """Detail at several scales, as real surfaces have."""
    total = np.zeros((size[1], size[0], 3), np.float32)
    for step, strength in ((2, 18), (6, 30), (24, 40), (80, 40)):
        small = rng.normal(0, strength, (size[1] // step + 2, size[0] // step + 2, 3)).astype(np.float32)
        total += cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + total, 0, 255).astype(np.uint8)


def make_clip(seed: int = 0, *, frames: int = FRAMES) -> Clip:
    """The clip and what is true of it."""
    rng = np.random.default_rng(seed)
    w, h = SIZE
    wide = (w * 3, h * 3)
    ground, crosser, comer = (texture(rng, wide) for _ in range(3))
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    back = np.where(rows < 0.45 * h, 0.12, 0.12 + 0.38 * (rows / h - 0.45) / 0.55).astype(np.float32)
    clip = Clip([], [], [], [])

    def state(t: int) -> list[tuple[float, float, float, float]]:
        """(x, y, radius, disparity) of both disks."""
        s = t / FRAMES
        return [(w * (0.1 + 0.8 * s), h * 0.4, 38.0, 0.7), (w * 0.72, h * 0.62, 26.0 * (1 + 0.9 * s), 0.45 * (1 + 0.9 * s))]

    for t in range(frames):
        camera = CAMERA * t / FRAMES
        picture = cv2.remap(ground, columns + camera * back + w * 0.5, rows + h, cv2.INTER_LINEAR)
        truth, sheet = back.copy(), np.zeros((h, w), np.uint8)
        flow = np.dstack([-CAMERA / FRAMES * back, np.zeros_like(back)]).astype(np.float32)
        for number, (now, after, surface) in enumerate(zip(state(t), state(t + 1), (crosser, comer)), 1):
            x, y, radius, disparity = now
            inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
            scale = radius / state(0)[number - 1][2]
            seen = cv2.remap(surface, (columns - x) / scale + w, (rows - y) / scale + h, cv2.INTER_LINEAR)
            picture[inside] = seen[inside]
            truth[inside], sheet[inside] = disparity, number
            growth = after[2] / radius
            for axis, (place, own, goal) in enumerate(((columns, x, after[0]), (rows, y, after[1]))):
                flow[..., axis][inside] = (goal + (place - own) * growth - place)[inside]
        noise = rng.normal(0, 2, picture.shape)
        clip.pictures.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
        clip.truth.append(truth)
        clip.sheet.append(sheet)
        clip.flow.append(flow)
    return clip


def spoil(truth: Sequence[Floats], seed: int = 1) -> list[Floats]:
    """What a network that sees each frame by itself gives."""
    rng = np.random.default_rng(seed)
    found = []
    for d in truth:
        h, w = d.shape
        shimmer = cv2.resize(rng.normal(0, 0.02, (h // 30 + 2, w // 30 + 2)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        found.append((cv2.GaussianBlur(d, (0, 0), 0.8) * (1 + rng.normal(0, 0.03)) + rng.normal(0, 0.03) + shimmer).astype(np.float32))
    return found


def through_stillscape(clip: Clip, depths: Sequence[Floats], steady: str) -> tuple[list[Floats], float]:
    """d of every frame as Blender gets it, and the seconds a frame took."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for n, (picture, depth) in enumerate(zip(clip.pictures, depths), 1):
            cv2.imwrite(str(place / f"shot_{n:04d}.png"), picture)
            np.save(place / f"depth_{n:04d}.npy", depth)
        spec = replace(SceneSpec(), depth=DepthSpec(file=str(place / "depth_####.npy"), kind="disparity"), video=VideoSpec(steady=steady))
        started = time.monotonic()
        layered = make_layered_film(place / "shot_####.png", spec, place / "layers", lambda share, text: None)
        seconds = (time.monotonic() - started) / len(depths)
        assert layered.frames is not None
        files = [layered.path(layered.frames.file(layered.frames.depth, n)) for n in range(1, len(depths) + 1)]
        return [cv2.imread(str(f), cv2.IMREAD_UNCHANGED).astype(np.float32) / 65535 for f in files], seconds


def plain_mean(depths: Sequence[Floats], kept: float = 0.8) -> list[Floats]:
    """What is often done instead: a running mean of each pixel, without flow."""
    found = [depths[0]]
    for d in depths[1:]:
        found.append(kept * found[-1] + (1 - kept) * d)
    return found


class Scores(NamedTuple):
    """In thousandths of the whole depth. flicker: mean change along the true motion that the truth has not. error: mean distance
    from the truth. edges: the same within 3 pixels of the disks' outlines. lag: how far the disk that comes nearer is behind."""

    flicker: float
    error: float
    edges: float
    lag: float


def score(clip: Clip, depths: Sequence[Floats]) -> Scores:
    """Against the truth, after one scale and one shift for the whole clip (least squares, away from outlines)."""
    inside = [~_rims(s) for s in clip.sheet]
    x, y = (np.concatenate([d[i][::7] for d, i in zip(maps, inside)]) for maps in (depths, clip.truth))
    scale, shift = np.polyfit(x.astype(np.float64), y.astype(np.float64), 1)
    span = 1000 / float(y.max() - y.min())
    off = [scale * d + shift - true for d, true in zip(depths, clip.truth)]
    h, w = off[0].shape
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    flicker = []
    for t in range(len(off) - 1):
        x, y = columns + clip.flow[t][..., 0], rows + clip.flow[t][..., 1]
        there = cv2.remap(off[t + 1].astype(np.float32), x, y, cv2.INTER_LINEAR)
        same = cv2.remap(clip.sheet[t + 1], x, y, cv2.INTER_NEAREST, borderValue=255) == clip.sheet[t]
        same &= ~_rims(clip.sheet[t])
        flicker.append(np.abs(there - off[t])[same].mean())
    inner = slice(len(off) // 6, -len(off) // 6)
    rims = [np.abs(o)[_rims(s)].mean() for o, s in zip(off, clip.sheet)]
    lags = [-float(np.median(o[s == 2])) for o, s in zip(off[inner], clip.sheet[inner]) if (s == 2).any()]
    return Scores(*(span * float(np.mean(v)) for v in (flicker, [np.abs(o).mean() for o in off], rims, lags)))


def _rims(sheet: Bytes) -> NDArray[np.bool_]:
    return cv2.morphologyEx(sheet, cv2.MORPH_GRADIENT, np.ones((7, 7), np.uint8)) > 0


def sheet_of_pictures(clip: Clip, versions: dict[str, list[Floats]]) -> Bytes:
    """Three frames of every version, and below each a column of pixels through all frames, where flicker shows as bars."""
    rows = []
    for depths in versions.values():
        low, high = np.quantile(np.stack(depths)[::6, ::4, ::4], (0.005, 0.995))
        shown = [np.clip((d - low) / (high - low) * 255, 0, 255).astype(np.uint8) for d in depths]
        slice_ = cv2.resize(np.stack([d[:, SIZE[0] // 4] for d in shown], 1), SIZE, interpolation=cv2.INTER_NEAREST)
        rows.append(np.hstack([shown[0], shown[len(shown) // 2], shown[-1], slice_]))
    pictures = [cv2.cvtColor(clip.pictures[i], cv2.COLOR_BGR2GRAY) for i in (0, len(clip.pictures) // 2, -1)]
    return np.vstack([np.hstack([*pictures, np.zeros_like(pictures[0])]), *rows])


def main() -> int:
    """Print the table, write the pictures."""
    parser = argparse.ArgumentParser(description="Measure the flicker of the depth of films.")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks/video"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    clip = make_clip()
    spoilt = spoil(clip.truth)
    off, _ = through_stillscape(clip, spoilt, "off")
    steady, seconds = through_stillscape(clip, spoilt, "on")
    true_off, _ = through_stillscape(clip, clip.truth, "off")
    true, _ = through_stillscape(clip, clip.truth, "on")
    versions = {"as estimated": off, "running mean": plain_mean(off), "steady": steady, "truth": true_off, "truth, steady": true}
    sys.stdout.write("| depth | flicker | error | at moving edges | lag |\n|---|---|---|---|---|\n")
    for name, depths in versions.items():
        s = score(clip, depths)
        sys.stdout.write(f"| {name} | {s.flicker:.1f} | {s.error:.1f} | {s.edges:.1f} | {s.lag:+.1f} |\n")
    sys.stdout.write(f"{seconds:.2f} s a frame of {SIZE[0]}x{SIZE[1]}\n")
    cv2.imwrite(str(out / "depth.png"), sheet_of_pictures(clip, {"truth": clip.truth, **versions}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
