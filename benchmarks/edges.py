"""Edges of depth: what the edge stage (addon/vision/sharpen.py) makes of maps as soft as a network's.

    python benchmarks/edges.py [--only maps views] [--scenes] [--python PY]

maps: boundary F1 and the usual measures on photos with true depth (../shared/data/depth-dev), which is made as small and
soft as a network's and enlarged again in several ways, with its silhouettes where they are ("ideal") and three pixels beside
("jittered"). views: second views from such maps. `--scenes` adds the five scenes that Blender renders, whose depth is
exact. Prints Markdown and writes it to build/benchmarks/edges.md. Run it with a Python that has bpy; `--python` is the one
that runs the product's command line.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import novel_views
import numpy as np
import product
from depth_scores import Bytes, Floats, Pair, boundary_f1, dev, dev_pairs, edge_error, flying, jittered, scene_pairs, softened

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from addon.spec import DepthSpec  # noqa: E402
from addon.vision.depth.plane import ESTIMATOR as PLANE  # noqa: E402
from addon.vision.guided import fast_global_smooth, fit_to_colour  # noqa: E402
from addon.vision.layered import DepthKind  # noqa: E402
from addon.vision.photo import Photo  # noqa: E402
from addon.vision.sharpen import upsample_prediction  # noqa: E402

FACTOR = 4  # photo to network's map, along one side
JITTER = 3  # pixels
VIEWS = ("right 4 %", "up 4 %")
OURS = "**edge stage**"


# Ways to enlarge a network's map. Each: (map, photo) -> float32 of the photo's size, inverse depth.


def linear(small: Floats, photo: Bytes, kind: int = cv2.INTER_LINEAR) -> Floats:
    return cv2.resize(small, photo.shape[1::-1], interpolation=kind)


def toggled(d: Floats, diameter: int) -> Floats:
    """The reference recipe's first step, everywhere."""
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    high, low = cv2.dilate(d, window), cv2.erode(d, window)
    return np.where(high > 1.08 * low, np.where(high - d < d - low, high, low), d)


def confident_smooth(d: Floats, photo: Bytes) -> Floats:
    """The reference recipe's second step: FGS(d·c)/FGS(c) with little confidence near edges."""
    window = np.ones((9, 9), np.uint8)
    c = np.exp(-12 * np.maximum(cv2.dilate(d, window) / cv2.erode(d, window) - 1.03, 0)).astype(np.float32)
    spread, count = fast_global_smooth(np.stack([d * c, c]), photo, strength=200, sigma=4, passes=3)
    return spread / np.maximum(count, 1e-12)


def edge_stage(small: Floats, photo: Bytes) -> Floats:
    return upsample_prediction(small, DepthKind.METRIC_DISPARITY, None, None, photo, photo.shape[1::-1])


METHODS: dict[str, Callable[[Floats, Bytes], Floats]] = {
    "bilinear": linear,
    "bicubic": lambda s, p: np.maximum(linear(s, p, cv2.INTER_CUBIC), s.min()),
    "colour guided filter r8": lambda s, p: np.maximum(fit_to_colour(linear(s, p), p, radius=8, epsilon=1e-3), s.min()),
    "FGS": lambda s, p: fast_global_smooth(linear(s, p)[None], p, strength=100, sigma=4, passes=3)[0],
    "FGS-conf": lambda s, p: confident_smooth(linear(s, p), p),
    "toggle": lambda s, p: toggled(linear(s, p), 11),
    "toggle + FGS-conf": lambda s, p: confident_smooth(toggled(linear(s, p), 11), p),
    OURS: edge_stage,
}


class Score(NamedTuple):
    """Of one map of one photo."""

    absrel: float
    delta1: float
    ordinal: float
    f1: float
    edge: float
    flying: float
    seconds: float


def score(found: Floats, pair: Pair, seconds: float) -> Score:
    truth, valid = pair.truth, pair.valid
    absrel, delta1 = dev.absrel_delta1(found, truth, valid)
    edges = (measure(found, truth, valid) for measure in (boundary_f1, edge_error, flying))
    return Score(absrel, delta1, dev.ordinal(found, truth, valid), *edges, seconds)


def plane(pair: Pair) -> Score:
    """The estimator without a network, fitted to the truth as its disparity is known up to scale and shift only."""
    photo = Photo(Path(pair.name), pair.photo, None, None, "")
    started = time.perf_counter()
    values = PLANE.estimate(photo, DepthSpec(), lambda share, text: None).values
    seconds = time.perf_counter() - started
    fitted = np.maximum(dev.align(values, pair.truth, pair.valid), pair.truth.min()).astype(np.float32)
    return score(fitted, pair, seconds)


def measured(pair: Pair, jitter: float) -> dict[str, Score]:
    """Every method's score on one photo."""
    small = softened(jittered(pair.truth, jitter) if jitter else pair.truth, FACTOR)
    found = {}
    for name, method in METHODS.items():
        started = time.perf_counter()
        values = method(small, pair.photo)
        found[name] = score(values, pair, time.perf_counter() - started)
    return found


def mean(scores: Iterable[Score]) -> Score:
    return Score(*np.nanmean(np.array(list(scores)), axis=0))


def maps_part(args: argparse.Namespace) -> str:
    """Tables of all measures, and boundary F1 photo by photo."""
    head = ["AbsRel", "delta-1", "ordinal", "F1", "edge", "flying", "F1, jittered", "edge, jittered", "ms"]
    parts = []
    groups = {"Real photos": list(dev_pairs())}
    if args.scenes:
        groups["Scenes that Blender renders"] = list(scene_pairs())
    for title, pairs in groups.items():
        ideal, beside = ([measured(p, j) for p in pairs] for j in (0, JITTER))
        flat = mean(plane(p) for p in pairs)
        rows = {"plane (no network)": [*(f"{v:.3f}" for v in flat[:6]), "", "", f"{1000 * flat.seconds:.0f}"]}
        for name in METHODS:
            a, b = mean(scores[name] for scores in ideal), mean(scores[name] for scores in beside)
            rows[name] = [*(f"{v:.3f}" for v in (*a[:6], b.f1, b.edge)), f"{1000 * a.seconds:.0f}"]
        parts.append(f"### {title}, mean of {len(pairs)}\n\n" + novel_views.table(head, rows))
        shown = ("bilinear", "toggle", "FGS-conf", "toggle + FGS-conf", OURS)
        rows = {p.name: [_both(one[n].f1, two[n].f1) for n in shown] + [_shift(p)] for p, one, two in zip(pairs, ideal, beside)}
        parts.append("\nBoundary F1 by photo: ideal / jittered\n\n" + novel_views.table([*shown, "moved by"], rows))
    return "\n".join(parts)


def _both(ideal: float, beside: float) -> str:
    return f"{ideal:.3f} / {beside:.3f}"


def _shift(pair: Pair) -> str:
    return "" if pair.shift == (0, 0) else f"{pair.shift[0]}, {pair.shift[1]}"


# Second views


def enlarged(truth: Floats, photo: Bytes, sky: Floats | None = None) -> dict[str, Floats]:
    """Maps by what was done to them: softened and enlarged linearly, and with the edge stage; 0 in the sky."""
    found = {}
    for label, jitter in (("ideal", 0), ("jittered", JITTER)):
        source = jittered(truth, jitter) if jitter else truth
        above = None if sky is None else softened(jittered(sky, jitter) if jitter else sky, FACTOR)
        small = softened(source, FACTOR)
        soft = linear(small, photo)
        found[f"softened, {label}"] = soft if above is None else np.where(linear(above, photo) > 0.5, np.float32(0), soft)
        found[f"{OURS}, {label}"] = upsample_prediction(small, DepthKind.METRIC_DISPARITY, above, None, photo, photo.shape[1::-1])
    return found


def views_part(args: argparse.Namespace) -> str:
    """Second views of Cones and, if asked for, of the rendered scenes."""
    work = novel_views.OUT / "work" / "edges"
    source, left, right, d_left, d_right = novel_views.cones_source(work)
    classes = novel_views.nv.masks(d_left, d_right)
    focal = left.shape[1] / 2 / np.tan(np.radians(novel_views.nv.FOV_DEG / 2))
    maps = {**enlarged(d_left, np.ascontiguousarray(left[..., ::-1])), "true depth": d_left}
    rows, tiles = {}, [("truth", right)]
    for name, disparity in maps.items():
        np.save(source.depth, (focal * novel_views.nv.BASELINE / np.maximum(disparity, 0.1)).astype(np.float32))
        (image,), _ = product.render_views(source, [(novel_views.nv.BASELINE, 0, 0)], work, python=args.python)
        rows[name] = list(novel_views.scores(image, right, classes).values())
        tiles.append((name.replace("*", ""), image))
    novel_views.contact_sheet(novel_views.OUT / "edges_cones.png", tiles, columns=3)
    parts = ["### Second view of Cones, dB\n\n" + novel_views.table([*classes, "SSIM"], rows)]
    if args.scenes:
        parts.append(scene_views(args.python))
    return "\n".join(parts)


def scene_views(python: str) -> str:
    """Second views of the rendered scenes, mean over scenes and views."""
    import scenes

    found: dict[str, list[dict[str, float]]] = {}
    for name in scenes.SCENES:
        scene = scenes.load(name)
        seconds = [s for s in scene.seconds if s.view.name in VIEWS]
        sky = ~np.isfinite(scene.depth)
        inverse = np.where(sky, 0, 1 / scene.depth).astype(np.float32)
        photo = np.ascontiguousarray(scene.photo[..., ::-1])
        maps = {**enlarged(inverse, photo, sky.astype(np.float32) if sky.any() else None), "true depth": inverse}
        work = novel_views.OUT / "work" / f"{name}_edges"
        work.mkdir(parents=True, exist_ok=True)
        own = product.Source(scene.folder / "photo.png", work / "depth.npy", scene.fov)
        farthest = inverse[~sky].min() / 2
        for label, values in maps.items():
            np.save(own.depth, np.where(values == 0, np.inf, 1 / np.maximum(values, farthest)).astype(np.float32))
            images, _ = product.render_views(own, [s.view.offset for s in seconds], work, python=python)
            found.setdefault(label, []).extend(novel_views.scores(i, s.image, s.masks) for i, s in zip(images, seconds))
            print(f"{name}: {label}", file=sys.stderr, flush=True)
    columns = ("all", "visible", "hidden", "edge", "sky", "ssim")
    means = {label: novel_views.mean_of(rows) for label, rows in found.items()}
    rows: dict[str, Sequence[float]] = {label: [m.get(c, float("nan")) for c in columns] for label, m in means.items()}
    return "### Second views of the rendered scenes (right 4 % and up 4 %), dB\n\n" + novel_views.table(columns, rows)


PARTS = {"maps": maps_part, "views": views_part}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--scenes", action="store_true", help="also the scenes that Blender renders")
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    novel_views.OUT.mkdir(parents=True, exist_ok=True)
    text = "\n".join(PARTS[name](args) for name in PARTS if name in args.only)
    (novel_views.OUT / "edges.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
