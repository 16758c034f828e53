"""Second views from one photo and its true depth: the product and other methods, scored against the truth.

    python benchmarks/novel_views.py [--only cones masks scenes moves temporal] [--quick] [--python PY]

cones: a stereo pair of photos (../shared/data/depth-dev). scenes: five scenes that Blender renders itself (scenes.py).
moves: what is left uncovered and stretched as moves grow. masks: fills alone, on pixels whose truth is known. temporal:
flicker. Prints Markdown and writes it with contact sheets to build/benchmarks. `--python` is the Python with bpy that
runs the product's command line; this one needs bpy, OpenCV and scikit-image too.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import masks
import numpy as np
import peers
import product  # before cv2: lets it read OpenEXR
import temporal

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "benchmarks"
SHARED = ROOT / ".." / "shared"
CONES = SHARED / "data" / "depth-dev" / "cones"
PRODUCT = "**Stillscape**"
CLASSES = ("all", "visible", "hidden", "edge", "out", "sky")
FINE = 1  # samples a pixel of the peers along one side: more cost them accuracy, as the photo is interpolated first
QUICK_SCENES = ("room", "fence")
CONES_MOVES = (1, 2, 4, 6, 8)  # % of the width
TEAR_AT = 0.08  # share of the width between the nearest and the farthest point: about that of Cones
FEW = 30  # pixels below which a class says nothing


def shared_tool(name: str, folder: str = "tools") -> ModuleType:
    """A module from ../shared/tools, or another folder of ../shared."""
    found = importlib.util.spec_from_file_location(name, SHARED / folder / f"{name}.py")
    if found is None or found.loader is None or not Path(found.origin or "").exists():
        raise SystemExit(f"{SHARED / folder / name}.py is missing: the benchmark measures with it.")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


nv = shared_tool("novel_view")


# Scores


def scores(image: np.ndarray, truth: np.ndarray, classes: Mapping[str, np.ndarray]) -> dict[str, float]:
    """dB for every class with enough pixels, and SSIM over `all`."""
    found = {name: nv.psnr(image, truth, mask) for name, mask in classes.items() if mask.sum() >= FEW}
    return {**found, "ssim": nv.ssim(image, truth, classes["all"])}


def mean_of(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every column over the rows that have it."""
    columns = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            columns[name].append(value)
    return {name: float(np.mean(values)) for name, values in columns.items()}


def table(head: Sequence[str], rows: Mapping[str, Sequence[Any]]) -> str:
    """Markdown: the first column is each row's name."""

    def shown(value: Any) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:.3f}" if abs(value) < 2 else f"{value:.2f}"
        return "" if value is None else str(value)

    lines = ["| | " + " | ".join(head) + " |", "|" + "---|" * (len(head) + 1)]
    lines += [f"| {name} | " + " | ".join(shown(v) for v in row) + " |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


# Contact sheets


def contact_sheet(path: Path, tiles: Sequence[tuple[str, np.ndarray]], columns: int, scale: int = 2) -> None:
    """Pictures of one size in rows of `columns`, `scale` times as large and labelled, as a PNG at `path`."""
    made = []
    for label, image in tiles:
        tile = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(tile, label, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, thick, cv2.LINE_AA)
        made.append(tile)
    while len(made) % columns:
        made.append(np.zeros_like(made[0]))
    rows = [np.hstack(made[i : i + columns]) for i in range(0, len(made), columns)]
    cv2.imwrite(str(path), np.vstack(rows))


def busiest(mask: np.ndarray, size: tuple[int, int]) -> tuple[slice, slice]:
    """The window of `size` (width, height) with most of the mask in it."""
    w, h = size
    height, width = mask.shape
    density = cv2.boxFilter(mask.astype(np.float32), -1, (w, h), normalize=False, borderType=cv2.BORDER_CONSTANT)
    y, x = np.unravel_index(int(density.argmax()), density.shape)
    top, left = int(np.clip(y - h // 2, 0, height - h)), int(np.clip(x - w // 2, 0, width - w))
    return slice(top, top + h), slice(left, left + w)


def extremes(path: Path, source: product.Source, near: float, far: float, width: int, python: str) -> None:
    """Render the product's frames at the ends of moves and lay them out at 200 %. near, far: metres; width: pixels."""
    focal = width / 2 / np.tan(np.radians(source.fov / 2))
    step = 0.08 * width / focal / (1 / near - 1 / far)
    ends = {
        "8 % left": (-step, 0.0, 0.0),
        "8 % right": (step, 0.0, 0.0),
        "4 % up": (0.0, step / 2, 0.0),
        "forward": (0.0, 0.0, -0.15 * near),
    }
    frames, _ = product.render_views(source, list(ends.values()), OUT / "work" / path.stem, python=python)
    contact_sheet(path, list(zip(ends, frames)), columns=2)


# Cones


def cones_source(folder: Path) -> tuple[product.Source, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The pair for the product: (source, left, right, disparity of the left eye, of the right eye)."""
    folder.mkdir(parents=True, exist_ok=True)
    left, right = (cv2.imread(str(CONES / f"{s}.png")) for s in ("left", "right"))
    d_left, d_right = nv.fill_rows(nv.read_disparity(CONES, "left")), nv.read_disparity(CONES, "right")
    focal = left.shape[1] / 2 / np.tan(np.radians(nv.FOV_DEG / 2))
    np.save(folder / "depth.npy", (focal * nv.BASELINE / np.maximum(d_left, 0.1)).astype(np.float32))
    return product.Source(CONES / "left.png", folder / "depth.npy", nv.FOV_DEG), left, right, d_left, d_right


def cones(args: argparse.Namespace) -> str:
    """The right view from the left photo: every method's dB and SSIM."""
    work = OUT / "work" / "cones"
    source, left, right, d_left, d_right = cones_source(work)
    classes = nv.masks(d_left, d_right)
    whole = np.ones(left.shape[:2], bool)
    move, rows, tiles = peers.stereo_move(), {}, [("truth", right)]
    for name, method in peers.METHODS.items():
        image = method(left, d_left, move, FINE).image
        rows[name] = [*scores(image, right, classes).values(), None]
        tiles.append((name, image))
    try:
        (image, rest), _ = product.render_views(source, [(nv.BASELINE, 0, 0), (0, 0, 0)], work, python=args.python)
        rows[PRODUCT] = [*scores(image, right, classes).values(), nv.psnr(rest, left, whole)]
        tiles.append(("Stillscape", image))
        near, far = (float(v) for v in np.percentile(np.load(source.depth), (0.5, 99.5)))
        extremes(OUT / "cones_ends.png", source, near, far, left.shape[1], args.python)
    except product.Failed as error:
        rows[PRODUCT] = [f"failed: {str(error).splitlines()[0][:40]}"]
        print(error, file=sys.stderr)
    contact_sheet(OUT / "cones.png", tiles, columns=3)
    return "### Cones, dB\n\n" + table([*classes, "SSIM", "rest"], rows)


# Scenes


def scene_names(args: argparse.Namespace) -> Sequence[str]:
    import scenes

    return QUICK_SCENES if args.quick else tuple(scenes.SCENES)


def load_scene(name: str) -> Any:
    import scenes

    return scenes.load(name)


def source_of(scene: Any) -> product.Source:
    return product.Source(scene.folder / "photo.png", scene.folder / "depth.npy", scene.fov)


def nearness_of(scene: Any) -> np.ndarray:
    return (1 / scene.depth).astype(np.float32)


def move_of(scene: Any, offset: product.Offset) -> peers.Move:
    """The peers' camera; they tear where neighbours come apart by two pixels in a move of TEAR_AT."""
    width = scene.photo.shape[1]
    cut = 2 * (1 / scene.near - 1 / scene.far) / (TEAR_AT * width)
    return peers.Move(width / 2 / np.tan(np.radians(scene.fov / 2)), offset, cut=cut)


def scene_frames(scene: Any, args: argparse.Namespace) -> dict[str, list[peers.Film | np.ndarray]]:
    """Every method's pictures of every second view of a scene."""
    near = nearness_of(scene)
    frames: dict[str, list[np.ndarray]] = {}
    for name, method in peers.METHODS.items():
        frames[name] = [method(scene.photo, near, move_of(scene, s.view.offset), FINE).image for s in scene.seconds]
    try:
        offsets = [s.view.offset for s in scene.seconds]
        made, seconds = product.render_views(source_of(scene), [*offsets, (0, 0, 0)], OUT / "work" / scene.name, python=args.python)
        frames[PRODUCT] = made[:-1]
        rest = nv.psnr(made[-1], scene.photo, np.ones(scene.depth.shape, bool))
        print(f"{scene.name}: {len(made)} frames in {seconds:.0f} s, rest pose {rest:.1f} dB", file=sys.stderr, flush=True)
    except product.Failed as error:
        print(f"{scene.name}: the product failed, its rows lack this scene: {error}", file=sys.stderr)
    return frames


def scenes_part(args: argparse.Namespace) -> str:
    """All methods on all second views of the rendered scenes."""
    found: dict[str, dict[tuple[str, str], dict[str, float]]] = defaultdict(dict)
    holes: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    names = scene_names(args)
    for name in names:
        scene = load_scene(name)
        frames = scene_frames(scene, args)
        for i, second in enumerate(scene.seconds):
            key = (name, second.view.name)
            for method, images in frames.items():
                found[method][key] = scores(images[i], second.image, second.masks)
                holes[method][key] = hole_energy(images[i], second.masks)
            holes["the truth"][key] = hole_energy(second.image, second.masks)
        scene_sheets(scene, frames)
    views = list(dict.fromkeys(view for rows in found.values() for _, view in rows))
    parts = ["### Scenes, dB, mean over scenes and views\n"]
    rows = {m: mean_of(r.values()) for m, r in found.items()}
    parts.append(table([*CLASSES, "SSIM"], {m: [r.get(c, float("nan")) for c in (*CLASSES, "ssim")] for m, r in rows.items()}))
    for title, keys, pick in (("scene", names, 0), ("view", views, 1)):
        parts.append(f"\nBy {title}: all / hidden / edge\n")
        rows = {}
        for method, own in found.items():
            means = [mean_of(r for key, r in own.items() if key[pick] == k) for k in keys]
            rows[method] = [" / ".join(f"{m[c]:.1f}" if c in m else "-" for c in ("all", "hidden", "edge")) for m in means]
        parts.append(table(keys, rows))
    parts.append("\nGradient energy of hidden pixels in % of the ring around them\n")
    rows = {m: [f"{np.nanmean([e for key, e in own.items() if key[1] == v]):.0f}" for v in views] for m, own in holes.items()}
    parts.append(table(views, rows))
    return "\n".join(parts)


def hole_energy(image: np.ndarray, classes: Mapping[str, np.ndarray]) -> float:
    """Gradient energy of the hidden pixels in per cent of that of the visible ones within 8 pixels."""
    hole = classes["hidden"]
    if hole.sum() < FEW:
        return float("nan")
    ring = (cv2.dilate(hole.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0) & ~classes["edge"] & classes["all"]
    return 100 * masks.gradient_energy(image, hole) / max(masks.gradient_energy(image, ring), 1e-6)


def scene_sheets(scene: Any, frames: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Contact sheets of a scene: the ends of its moves, and the same window of every method where most is uncovered."""
    ends = [i for i, s in enumerate(scene.seconds) if s.view.name in ("right 8 %", "up 4 %", "forward")]
    tiles = []
    for i in ends:
        second = scene.seconds[i]
        tiles.append((f"{second.view.name}: truth", second.image))
        tiles += [(f"{second.view.name}: Stillscape", frames[PRODUCT][i])] if PRODUCT in frames else []
    contact_sheet(OUT / f"{scene.name}_ends.png", tiles, columns=2 if PRODUCT in frames else 1)
    tiles = []
    for i in ends:
        second = scene.seconds[i]
        window = busiest(second.masks["hidden"], (200, 150))
        tiles += [(name.strip("*"), image[window]) for name, image in (("truth", second.image), *((m, f[i]) for m, f in frames.items()))]
    contact_sheet(OUT / f"{scene.name}_details.png", tiles, columns=1 + len(frames))


# Holes and stretch


def moves_part(args: argparse.Namespace) -> str:
    """Uncovered and stretched pixels over growing moves, within the photo's moved frame."""
    parts = ["### Uncovered, and covered by faces that look more than twice as long, in % of the pixels in frame\n"]
    parts.append(_as_moves("Cones, right", [f"{p} %" for p in CONES_MOVES], cones_moves()))
    sideways: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    views: list[str] = []
    for name in scene_names(args):
        scene = load_scene(name)
        views = [s.view.name for s in scene.seconds]
        for method, row in scene_moves(scene).items():
            sideways[method].append(row)
    means = {m: [tuple(np.mean([r[i] for r in rows], 0)) for i in range(len(views))] for m, rows in sideways.items()}
    parts.append(_as_moves("Scenes, mean", views, means))
    return "\n".join(parts)


def _as_moves(title: str, head: Sequence[str], rows: Mapping[str, Sequence[tuple[float, ...]]]) -> str:
    shown = {m: [" / ".join(f"{100 * v:.2f}" for v in pair) for pair in row] for m, row in rows.items()}
    return f"\n{title}: uncovered / stretched\n\n" + table(head, shown)


def cones_moves() -> dict[str, list[tuple[float, float]]]:
    """(uncovered, stretched) of every method for each of CONES_MOVES."""
    work = OUT / "work" / "cones"
    source, left, _, d_left, _ = cones_source(work)
    span = float(np.ptp(np.percentile(d_left, (1, 99))))
    amounts = [p / 100 * left.shape[1] / span for p in CONES_MOVES]
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    frames = []
    for t in amounts:
        move = peers.stereo_move(t)
        films = {name: method(left, d_left, move, FINE) for name, method in peers.METHODS.items()}
        frames.append(films["one sheet"].uncovered < 0.5)  # the whole of the moved photo
        for name, film in films.items():
            rows[name].append((film.uncovered[frames[-1]].mean(), film.stretched[frames[-1]].mean()))
    covered = product.coverage(source, [(t * nv.BASELINE, 0.0, 0.0) for t in amounts], work)
    rows[PRODUCT] = [(c.uncovered[f].mean(), c.stretched[f].mean()) for c, f in zip(covered, frames)]
    return rows


def scene_moves(scene: Any) -> dict[str, list[tuple[float, float]]]:
    """(uncovered, stretched) of every method for each second view of a scene."""
    near, rows = nearness_of(scene), {}
    inside = [s.masks["all"] for s in scene.seconds]
    for name, method in peers.METHODS.items():
        films = [method(scene.photo, near, move_of(scene, s.view.offset), FINE) for s in scene.seconds]
        rows[name] = [(f.uncovered[m].mean(), f.stretched[m].mean()) for f, m in zip(films, inside)]
    covered = product.coverage(source_of(scene), [s.view.offset for s in scene.seconds], OUT / "work" / scene.name)
    rows[PRODUCT] = [(c.uncovered[m].mean(), c.stretched[m].mean()) for c, m in zip(covered, inside)]
    return rows


# Fills


def masks_part(args: argparse.Namespace) -> str:
    """Fills on the round-trip masks of Cones and of the rendered photos."""
    _, left, _, d_left, _ = cones_source(OUT / "work" / "cones")
    inputs = {"Cones": (left, d_left)}
    for name in scene_names(args):
        scene = load_scene(name)
        near = nearness_of(scene)
        # As if the whole range of depth made the parallax that it makes in Cones: an eighth of the width at t = 1.
        inputs[name] = scene.photo, (near * scene.near * 0.125 * scene.photo.shape[1]).astype(np.float32)
    head = [f"t {t:g}" for t in masks.AMOUNTS]
    parts = ["### Round-trip masks: dB in the mask (gradient energy in % of the truth's)\n"]
    sums: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    for name, (photo, disparity) in inputs.items():
        rows = masks.score(photo, disparity, nv.psnr)
        if name == "Cones":
            parts.append("Cones\n\n" + table(head, _as_fills(rows)))
        else:
            for fill, row in rows.items():
                sums[fill].append(row)
    parts.append("Scenes, mean\n\n" + table(head, _as_fills({f: np.mean(rows, 0) for f, rows in sums.items()})))
    return "\n".join(parts)


def _as_fills(rows: Mapping[str, Any]) -> dict[str, list[str]]:
    return {fill: [f"{db:.2f} ({100 * energy:.0f})" for db, energy in row] for fill, row in rows.items()}


# Temporal


def small(scene: Any, folder: Path) -> tuple[product.Source, np.ndarray, np.ndarray]:
    """A scene at half its size: (source, photo, 1/depth). Of four depths the nearest is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    h, w = scene.depth.shape
    photo = cv2.resize(scene.photo, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    depth = scene.depth.reshape(h // 2, 2, w // 2, 2).min((1, 3))
    cv2.imwrite(str(folder / "photo.png"), photo)
    np.save(folder / "depth.npy", depth)
    return product.Source(folder / "photo.png", folder / "depth.npy", scene.fov), photo, (1 / depth).astype(np.float32)


def orbit_films(scene: Any, args: argparse.Namespace) -> dict[str, temporal.Flicker]:
    """The flicker of an orbit: of the ideal film, and of the product's at several numbers of samples."""
    frames, samples = (12, (1, 4)) if args.quick else (48, (1, 4, 16))
    work = OUT / "work" / f"{scene.name}_orbit"
    source, photo, near = small(scene, work)
    still = move_of(scene, (0.0, 0.0, 0.0))
    still = still._replace(focal=still.focal / 2)
    moves = temporal.orbit(still, scene.near, photo.shape[1], frames)
    films: dict[str, Any] = {"ideal: the photo resampled": temporal.ideal_film(photo, near, moves)}
    ways = {f"{PRODUCT}, without an engine (the default)": ()}
    ways |= {f"{PRODUCT}, {n} sample{'s' if n > 1 else ''}": ("--engine", "cycles", "--samples", str(n)) for n in samples}
    for label, extra in ways.items():
        try:
            films[label], _ = product.render_views(
                source, [m.offset for m in moves], work / "frames", python=args.python, extra=extra, rotations=[m.rotation for m in moves]
            )
        except product.Failed as error:
            print(error, file=sys.stderr)
    tracks = temporal.track(near, moves)
    rim = temporal.near_edges(near, still.focal, max(abs(m.offset[0]) for m in moves))
    return {label: temporal.flicker(film, tracks, rim) for label, film in films.items()}


def temporal_part(args: argparse.Namespace) -> str:
    """Flicker of an orbit through the product at several numbers of samples."""
    title = "### Flicker: mean |difference| of 0..255 at points of the scene from frame to frame, inside surfaces / at depth edges\n"
    names = ("room",) if args.quick else ("room", "portrait")
    rows: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for label, measured in orbit_films(load_scene(name), args).items():
            rows[label].append(f"{measured.inside:.2f} / {measured.rim:.2f}")
    return "\n".join([title, table(names, rows)])


PARTS = {"cones": cones, "scenes": scenes_part, "moves": moves_part, "masks": masks_part, "temporal": temporal_part}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="two scenes, a short orbit")
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    report = []
    for name in PARTS:
        if name in args.only:
            started = time.monotonic()
            report.append(PARTS[name](args))
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    text = "\n".join(report)
    (OUT / ("novel_views.md" if len(args.only) == len(PARTS) else f"novel_views_{'_'.join(args.only)}.md")).write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
