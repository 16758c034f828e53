"""Contact sheet of the built-in depth network on photos without truth: photo, disparity, and both ends of an orbit.

    python benchmarks/built_in_sheets.py [--network built_in.onnx] [--photos MORE.jpg ...] [--estimator built-in] [--out sheet.jpg]

The photos are scikit-image's astronaut, coffee, cat (chelsea) and rocket, scikit-learn's china and flower where it is
installed, and those named. The frames are rendered by the product's command line, in process, so that --network can put
another file in the place of the built-in network's. Needs a Python with bpy, OpenCV and scikit-image. Writes one JPEG.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from addon.vision.depth import built_in  # noqa: E402
from headless.commands import main as stillscape  # noqa: E402

OUT = ROOT / "build" / "benchmarks" / "built_in.jpg"
NAMES = {"astronaut": "astronaut", "coffee": "coffee", "cat": "chelsea", "rocket": "rocket"}
LONGEST = 640  # pixels of the photos that are filmed
CELL = (360, 270)
FRAMES = 24


def photos(folder: Path, more: list[Path]) -> dict[str, Path]:
    """Every picture as a PNG of at most LONGEST pixels in `folder`, by its name."""
    from skimage import data

    pictures = {name: getattr(data, own)()[..., ::-1] for name, own in NAMES.items()}
    if importlib.util.find_spec("sklearn"):
        from sklearn.datasets import load_sample_images

        samples = load_sample_images()
        pictures |= {Path(name).stem: image[..., ::-1] for name, image in zip(samples.filenames, samples.images)}
    for path in more:
        found = cv2.imread(str(path))
        if found is None:
            raise SystemExit(f"{path} is no picture that OpenCV reads.")
        pictures[path.stem] = found
    made = {}
    for name, picture in pictures.items():
        scale = min(1.0, LONGEST / max(picture.shape[:2]))
        size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        made[name] = folder / f"{name}.png"
        cv2.imwrite(str(made[name]), cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return made


def run(*arguments: object) -> None:
    """One call of the command line; ends the benchmark if it fails."""
    code = stillscape(["stillscape", *map(str, arguments)])
    if code:
        raise SystemExit(f"stillscape {' '.join(map(str, arguments))}: exit code {code}")


def row(name: str, photo: Path, estimator: str, folder: Path) -> list[tuple[str, np.ndarray]]:
    """Photo, disparity and the frames at both ends of an orbit, with what stands on each."""
    source = ("--estimator", estimator)
    run("depth", photo, "-o", folder / "depth.npy", *source)
    d = np.load(folder / "depth.npy")
    tiles = [(name, cv2.imread(str(photo))), ("disparity", cv2.applyColorMap(np.rint(255 * d).astype(np.uint8), cv2.COLORMAP_INFERNO))]
    for label, amount in (("orbit, one way", 1.5), ("the other", -1.5)):
        move = ("--move", "orbit", "--amount", amount, "--frames", FRAMES, "--frame-range", FRAMES, "--samples", 4)
        run("render", photo, "-o", folder / "frame_####.png", *source, *move)
        tiles.append((label, cv2.imread(str(folder / f"frame_{FRAMES:04}.png"))))
    return tiles


def cell(label: str, picture: np.ndarray) -> np.ndarray:
    """A picture as large as fits into a cell, labelled."""
    scale = min(CELL[0] / picture.shape[1], CELL[1] / picture.shape[0])
    small = cv2.resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    tile = np.full((CELL[1], CELL[0], 3), 24, np.uint8)
    top, left = (CELL[1] - small.shape[0]) // 2, (CELL[0] - small.shape[1]) // 2
    tile[top : top + small.shape[0], left : left + small.shape[1]] = small
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(tile, label, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thick, cv2.LINE_AA)
    return tile


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", type=Path, help="another file in the place of the built-in network's")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="more photos, such as china.jpg and flower.jpg")
    parser.add_argument("--estimator", default="built-in", help="another depth source, to compare with")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    if arguments.network is not None:
        built_in.ESTIMATOR.source = arguments.network.resolve()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        rows = [row(name, photo, arguments.estimator, Path(place)) for name, photo in photos(Path(place), arguments.photos).items()]
    sheet = np.vstack([np.hstack([cell(*tile) for tile in tiles]) for tiles in rows])
    cv2.imwrite(str(arguments.out), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(arguments.out)


if __name__ == "__main__":
    main()
