"""Make the demonstration: a film, the scene behind it, and a contact sheet of photo, depth and four frames.

    python headless/demo.py [--photo my.jpg] [--out build]

Calls the command line's own `depth` and `render`, so that it shows what they do.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
LONGEST_SIDE = 960  # keeps a large photo's film under three minutes on two cores
MARGIN = 12
FRAMES = 72


def bundled_photo(folder: Path) -> Path:
    """scikit-image's photo of an astronaut (NASA, public domain) as a PNG file."""
    from skimage import data

    path = folder / "astronaut.png"
    cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    return path


def stillscape(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    return subprocess.call([sys.executable, str(HERE / "stillscape.py"), *arguments])


def contact_sheet(photo: NDArray[np.uint8], depth: NDArray[np.uint8], frames: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Photo, depth and four frames in two rows, each with its name."""
    height, width = frames[0].shape[:2]
    scale = 480 / width
    cell = (480, round(height * scale))
    titles = ("Photo", "Depth (white is near)", "First frame", "A third in", "Two thirds in", "Last frame")
    pictures = []
    for title, picture in zip(titles, (photo, depth, *frames)):
        small = cv2.resize(picture, cell, interpolation=cv2.INTER_AREA)
        labelled = np.full((cell[1] + 30, cell[0], 3), 24, np.uint8)
        labelled[30:] = small
        cv2.putText(labelled, title, (8, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (235, 235, 235), 1, cv2.LINE_AA)
        pictures.append(labelled)
    rows = [pictures[:3], pictures[3:]]
    gap = np.full((pictures[0].shape[0], MARGIN, 3), 24, np.uint8)
    joined = [np.hstack([x for p in row for x in (gap, p)] + [gap]) for row in rows]
    return np.vstack(joined)


def film_size(photo: NDArray[np.uint8]) -> list[str]:
    """The --size option for photos that are larger than the demonstration needs."""
    height, width = photo.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    return [] if scale == 1.0 else ["--size", f"{round(width * scale)}x{round(height * scale)}"]


def main() -> int:
    """Make everything and say where it lies; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make build/demo.mp4, build/demo.blend and build/demo.png.")
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build"))
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    photo = arguments.photo or bundled_photo(out)
    depth = out / "demo_depth.png"
    code = stillscape("depth", str(photo), "-o", str(depth))
    if code:
        return code

    sys.path.insert(0, str(HERE.parent))
    from addon.vision.photo import read_photo

    pixels = read_photo(photo).pixels
    shown = pixels if pixels.dtype == np.uint8 else np.clip(pixels / (pixels.max() or 1) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    film, scene, sheet = out / "demo.mp4", out / "demo.blend", out / "demo.png"
    options = ("--move", "push-in", "--amount", "auto", "--frames", str(FRAMES), *film_size(picture))
    code = stillscape("render", str(photo), "-o", str(film), "--save-blend", str(scene), *options)
    if code:
        return code
    shown_frames = (1, FRAMES // 3, 2 * FRAMES // 3, FRAMES)
    frames = str(out / "demo_frame_####.png")
    code = stillscape("render", str(photo), "-o", frames, "--frame-range", ",".join(map(str, shown_frames)), *options)
    if code:
        return code
    depth_picture = cv2.cvtColor((cv2.imread(str(depth), cv2.IMREAD_UNCHANGED) / 257).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    cv2.imwrite(str(sheet), contact_sheet(picture, depth_picture, [cv2.imread(frames.replace("####", f"{n:04d}")) for n in shown_frames]))
    sys.stdout.write(f"Film:          {film.resolve()}\nScene:         {scene.resolve()}\nContact sheet: {sheet.resolve()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
