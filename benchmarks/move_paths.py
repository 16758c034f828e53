"""Every camera move drawn, and looked at.

    python benchmarks/move_paths.py                      docs/moves.png: the path from three sides, and what is seen
    python benchmarks/move_paths.py --sheet moves.jpg    first, middle and last frame of every move, rendered (needs Blender)
    python benchmarks/move_paths.py --keys               how many keys every move needs, as a table

The paths are those of amount 1 on a photo 4:3 of 50 degrees with the subject at 3 m and the nearest at 1.5 m.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from addon import move_paths, moves  # noqa: E402
from addon.spec import CURVES, MOVES, MoveSpec  # noqa: E402

TAN = 2 * math.tan(math.radians(25))
STAGE = moves.Stage(1.5, 3.0, TAN, TAN * 0.75)
FRAMES = 72
VIEW = (150, 130)
HEAD, GAP, FINE = 26, 10, 4
PAPER, INK, FAINT = (255, 255, 255), (60, 60, 60), (205, 205, 205)
FIRST, LAST = np.array((180, 110, 20.0)), np.array((40, 60, 220.0))


def colour(share: float) -> tuple[float, ...]:
    """From blue for the first frame to red for the last."""
    return tuple(float(c) for c in FIRST + share * (LAST - FIRST))


class View:
    """A drawing in metres or shares, four times as fine as it will be shown."""

    def __init__(self, title: str, low: tuple[float, float], high: tuple[float, float]) -> None:
        self.size = (VIEW[0] * FINE, VIEW[1] * FINE)
        self.picture = np.full((self.size[1], self.size[0], 3), PAPER, np.uint8)
        room = 22 * FINE
        self.scale = min((s - 2 * room) / max(b - a, 1e-6) for s, a, b in zip(self.size, low, high))
        self.middle = [(a + b) / 2 for a, b in zip(low, high)]
        self.title = title

    def at(self, point: tuple[float, float]) -> tuple[int, int]:
        x = self.size[0] / 2 + (point[0] - self.middle[0]) * self.scale
        y = self.size[1] / 2 - (point[1] - self.middle[1]) * self.scale
        return round(x), round(y)

    def line(self, a: tuple[float, float], b: tuple[float, float], ink: tuple[float, ...], thick: float = 1.5) -> None:
        cv2.line(self.picture, self.at(a), self.at(b), ink, round(thick * FINE), cv2.LINE_AA)

    def dot(self, at: tuple[float, float], ink: tuple[float, ...], radius: float) -> None:
        cv2.circle(self.picture, self.at(at), round(radius * FINE), ink, -1, cv2.LINE_AA)

    def done(self) -> np.ndarray:
        small = cv2.resize(self.picture, VIEW, interpolation=cv2.INTER_AREA)
        cv2.putText(small, self.title, (5, VIEW[1] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.33, INK, 1, cv2.LINE_AA)
        cv2.rectangle(small, (0, 0), (VIEW[0] - 1, VIEW[1] - 1), FAINT, 1)
        return small


AXES = {"top": (0, 2), "side": (2, 1), "front": (0, 1)}
"""By view, which axes go right and up: from above, from the right, and from behind the camera."""


def path_view(title: str, poses: list[move_paths.Pose], keys: list[move_paths.Pose]) -> View:
    """The path in centimetres, seen from one side."""

    def flat(v: move_paths.Vector) -> tuple[float, float]:
        cm = (v[0] * 100, v[1] * 100, -v[2] * 100)
        return cm[AXES[title][0]], cm[AXES[title][1]]

    points = [flat(p.place) for p in poses]
    low, high = (tuple(f([p[i] for p in points]) for i in (0, 1)) for f in (min, max))
    reach = max(high[0] - low[0], high[1] - low[1], 2.0)
    middle = [(a + b) / 2 for a, b in zip(low, high)]
    low, high = (tuple(m + sign * reach / 2 for m in middle) for sign in (-1, 1))
    view = View(f"{title}: {reach:.0f} cm", low, high)
    tick = 0.0 if title == "front" else 16 * FINE / view.scale
    for i, pose in enumerate(poses):
        ink = colour(i / (len(poses) - 1))
        ahead = [-c for c in (pose.turn[0][2], pose.turn[1][2], pose.turn[2][2])]
        if i in (0, len(poses) // 2, len(poses) - 1):
            towards = flat((ahead[0], ahead[1], ahead[2]))
            view.line(points[i], (points[i][0] + towards[0] / 100 * tick, points[i][1] + towards[1] / 100 * tick), ink, 1.0)
        if i:
            view.line(points[i - 1], points[i], ink)
    for pose in keys:
        view.dot(flat(pose.place), INK, 2.2)
    return view


def seen_view(poses: list[move_paths.Pose]) -> View:
    """What the first, the middle and the last frame show of the plane through the subject; grey is the photo."""
    outlines = []
    for pose in poses:
        corners = []
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            x = STAGE.middle_x + pose.offset[0] + sx * STAGE.tan_width / 2 / pose.zoom
            y = STAGE.middle_y + pose.offset[1] + sy * STAGE.tan_height / 2 / pose.zoom
            ray = move_paths.times(pose.turn, (x, y, -1.0))
            far = (-STAGE.focus - pose.place[2]) / ray[2]
            corners.append(((pose.place[0] + far * ray[0]) / STAGE.focus, (pose.place[1] + far * ray[1]) / STAGE.focus))
        outlines.append(corners)
    half = (STAGE.tan_width / 2, STAGE.tan_height / 2)
    view = View("seen of the photo", (-half[0] * 1.15, -half[1] * 1.15), (half[0] * 1.15, half[1] * 1.15))
    cv2.rectangle(view.picture, view.at((-half[0], half[1])), view.at((half[0], -half[1])), (228, 228, 228), -1)
    for i in (len(outlines) - 1, len(outlines) // 2, 0):
        for a, b in zip(outlines[i], outlines[i][1:] + outlines[i][:1]):
            view.line(a, b, colour(i / (len(outlines) - 1)), 1.3)
    return view


def drawing() -> np.ndarray:
    """All moves, four views each."""
    panels = []
    for name, label, _ in MOVES:
        shot = moves.plan(MoveSpec(name=name, frames=FRAMES), STAGE)
        poses = [moves.pose_of(moves.channels_at_key(k, TAN)) for k in moves.sampled(shot, STAGE)]
        keys = [moves.pose_of(moves.channels_at_key(k, TAN)) for k in shot.keyframes]
        views = [*(path_view(title, poses, keys) for title in AXES), seen_view(poses)]
        panel = np.full((HEAD + VIEW[1], len(views) * (VIEW[0] + 4) - 4, 3), PAPER, np.uint8)
        for i, view in enumerate(views):
            panel[HEAD:, i * (VIEW[0] + 4) :][:, : VIEW[0]] = view.done()
        keyed = "no keys" if len(keys) == 1 else f"{len(keys)} keys"
        cv2.putText(panel, f"{label} ({name}), {keyed}", (2, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.48, INK, 1, cv2.LINE_AA)
        panels.append(panel)
    panels += [np.full_like(panels[0], 255)] * (-len(panels) % 2)
    legend = np.full((52, 2 * panels[0].shape[1] + 3 * GAP, 3), PAPER, np.uint8)
    for i, text in enumerate((
        "Amount 1, 72 frames. Blue is the first frame, red the last; dots are keyframes, ticks where the camera looks, numbers how far the path",
        "reaches. Into the picture is up in top views and to the right in side views. Frames stand for what is seen of the plane of the subject.",
    )):  # fmt: skip
        cv2.putText(legend, text, (GAP, 20 + 19 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    rows = [legend]
    gap = np.full((panels[0].shape[0] + GAP, GAP, 3), PAPER, np.uint8)
    for a, b in zip(panels[::2], panels[1::2]):
        a, b = (np.vstack([p, np.full((GAP, p.shape[1], 3), PAPER, np.uint8)]) for p in (a, b))
        rows.append(np.hstack([gap, a, gap, b, gap]))
    return np.vstack(rows)


def keys_table() -> str:
    """Keys of every move at 72 frames, and of a wide orbit with every easing."""
    lines = ["| move | amount 1 | 2 | 4 |", "|---|---|---|---|"]
    for name, _, _ in MOVES:
        counts = [len(moves.plan(MoveSpec(name=name, frames=FRAMES, amount=a), STAGE).keyframes) for a in (1, 2, 4)]
        lines.append(f"| `{name}` | " + " | ".join("none" if n == 1 else str(n) for n in counts) + " |")
    lines += ["", "| easing | keys of an orbit of amount 4 |", "|---|---|"]
    for curve, _, _ in CURVES:
        lines.append(f"| `{curve}` | {len(moves.plan(MoveSpec(name='orbit', frames=FRAMES, amount=4, curve=curve), STAGE).keyframes)} |")
    return "\n".join(lines) + "\n"


def contact_sheet(photo: Path, width: int, amount: float) -> np.ndarray:
    """First, middle and last frame of every move of a photo, rendered in one scene."""
    import bpy

    from addon.output import job, render
    from addon.scene import camera as cameras
    from addon.scene.build import stage_of
    from addon.spec import RenderSpec, SceneSpec

    height = round(width * cv2.imread(str(photo)).shape[0] / cv2.imread(str(photo)).shape[1])
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    spec = SceneSpec(render=RenderSpec(size=(width, height)), move=MoveSpec(name="zoom"))
    built = job.make_scene(photo, spec, scene, lambda share, text: None, film=False)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, label, _ in MOVES:
            shot = moves.plan(MoveSpec(name=name, frames=FRAMES, amount=amount), stage_of(built.root))
            cameras.animate(built.camera, shot)
            # A third of the way round shows more of a swing or a circle than half of it.
            numbers = (1, FRAMES // 4 + 1 if name in ("swing", "circle") else FRAMES // 2, FRAMES)
            row = []
            for frame in render.render_frames(scene, str(Path(folder) / f"{name}_####.png"), numbers):
                tile = np.full((height + 24, width, 3), 24, np.uint8)
                tile[24:] = cv2.imread(str(frame.path))[..., :3]
                cv2.putText(tile, f"{label} {frame.number}", (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1, cv2.LINE_AA)
                row.append(tile)
            rows.append(np.hstack(row))
    rows += [np.full_like(rows[0], 24)] * (-len(rows) % 2)
    return np.vstack([np.hstack([a, np.full((a.shape[0], 12, 3), 24, np.uint8), b]) for a, b in zip(rows[::2], rows[1::2])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--keys", action="store_true")
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--amount", type=float, default=1.0)
    arguments = parser.parse_args()
    if arguments.keys:
        sys.stdout.write(keys_table())
    elif arguments.sheet:
        with tempfile.TemporaryDirectory() as folder:
            photo = arguments.photo
            if photo is None:
                from headless.demo import bundled_photo

                photo = bundled_photo(Path(folder))
            cv2.imwrite(str(arguments.sheet), contact_sheet(photo, arguments.width, arguments.amount))
    else:
        cv2.imwrite(str(ROOT / "docs" / "moves.png"), drawing(), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
