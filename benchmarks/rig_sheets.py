"""Contact sheets of actions: two portraits that come with Python packages, rigged and moved, to be looked at.

    .venv/bin/python benchmarks/rig_sheets.py [--out docs] [--photo PORTRAIT ...] [--actions blink nod ...]

scikit-image's astronaut (Eileen Collins, NASA) and matplotlib's grace_hopper.jpg (US Navy), both in the public domain. A row for each
action: frames spread evenly over its film, the head twice as large as in the photo. Only these are rendered. Leaves rig-NAME.jpg in OUT, and the frames in build/benchmarks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "benchmarks" / "rig"
ACTIONS = ("blink", "look-left", "slow-smile", "nod", "surprise", "talk", "turn")
FRAMES, SHOWN = 14, 6
SIDE = 230  # pixels of a picture of the sheet
DRIVER = ROOT / "headless" / "stillscape.py"


def portraits() -> dict[str, Path]:
    """The two photos as PNG files."""
    try:
        import matplotlib.cbook
        from skimage import data
    except ImportError as error:
        raise SystemExit(
            f"{error.name} is not installed here; install matplotlib and scikit-image, or name portraits with --photo."
        ) from error

    OUT.mkdir(parents=True, exist_ok=True)
    found = {}
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        hopper = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_COLOR)
    for name, pixels in (("astronaut", data.astronaut()[..., ::-1]), ("grace-hopper", hopper)):
        cv2.imwrite(str(OUT / f"{name}.png"), pixels)
        found[name] = OUT / f"{name}.png"
    return found


def run(*command: object) -> None:
    done = subprocess.run([sys.executable, str(DRIVER), *map(str, command)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1500:])


def head_box(people: Path, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a square about the largest face."""
    points = np.array(json.loads(people.read_text())["people"][0]["face"]["points"]) * size
    half = min(0.8 * float(np.ptp(points, 0).max()), size[0] / 2, size[1] / 2)
    x, y = (int(np.clip(m, half, full - half)) for m, full in zip(points.mean(0), size))
    half = int(half)
    return slice(y - half, y + half), slice(x - half, x + half)


def film(photo: Path, people: Path, action: str) -> list[np.ndarray]:
    """The frames of an action that a row shows, BGR."""
    folder = OUT / f"{photo.stem}-{action}"
    shutil.rmtree(folder, ignore_errors=True)
    run(
        "render", photo, "--rig", "face", "--consent", "--landmarks", people, "--action", action, "--move", "static",
        "--frames", FRAMES, "--frame-range", ",".join(str(i + 1) for i in shown()), "-o", folder / "####.png",
    )  # fmt: skip
    return [cv2.imread(str(path)) for path in sorted(folder.glob("*.png"))]


def shown() -> list[int]:
    """The frames of a film that a row shows, counted from 0."""
    return [round(i) for i in np.linspace(0, FRAMES - 1, SHOWN + 1)[:-1]]


def row(frames: list[np.ndarray], box: tuple[slice, slice], title: str) -> np.ndarray:
    pictures = [cv2.resize(frame[box], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for frame in frames]
    label = np.full((SIDE, 110, 3), 255, np.uint8)
    cv2.putText(label, title, (6, SIDE // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([label, *pictures])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--photo", type=Path, nargs="+", help="portraits of your own instead")
    parser.add_argument("--actions", nargs="+", default=ACTIONS)
    args = parser.parse_args()
    for name, photo in ({p.stem: p for p in args.photo} if args.photo else portraits()).items():
        OUT.mkdir(parents=True, exist_ok=True)
        people = OUT / f"{name}.json"
        run("landmarks", photo, "-o", people)
        height, width = cv2.imread(str(photo)).shape[:2]
        box = head_box(people, (width, height))
        sheet = np.vstack([row(film(photo, people, action), box, action) for action in args.actions])
        cv2.imwrite(str(args.out / f"rig-{name}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 74])
        print(args.out / f"rig-{name}.jpg")


if __name__ == "__main__":
    main()
