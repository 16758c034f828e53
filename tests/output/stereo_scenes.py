"""Two-depth scenes for the tests of stereo, and how far apart the eyes' pictures are."""

from __future__ import annotations

import math

import bpy
import cv2
import numpy as np

from addon import spec as specs
from addon.output import job

WIDTH, HEIGHT, FOV = 160, 120, 60.0
TAN = 2 * math.tan(math.radians(FOV) / 2)
PANEL = (slice(35, 85), slice(50, 110))
NEAR, FAR = 2.0, 8.0


def noise(height=HEIGHT, width=WIDTH, seed=0):
    """Soft noise, whose shifts can be measured to a small share of a pixel."""
    field = cv2.GaussianBlur(np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 1.5)
    return np.clip((field - field.mean()) * 4 + 128, 0, 255).astype(np.uint8)


def two_depths(tmp_path, *, behind=FAR, grey=False):
    """A panel two metres away before a wall, both of soft noise."""
    picture = noise()
    picture[PANEL] = noise(seed=1)[PANEL]
    if grey:
        picture = np.repeat(picture[..., :1], 3, -1)
    depth = np.full((HEIGHT, WIDTH), behind, np.float32)
    depth[PANEL] = NEAR
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    np.save(tmp_path / "depth.npy", depth)
    return picture, depth


def settings(tmp_path, frames=1, **given):
    stereo_given = {k: given.pop(k) for k in list(given) if k in specs.StereoSpec.__dataclass_fields__}
    render_given = {k: given.pop(k) for k in list(given) if k in specs.RenderSpec.__dataclass_fields__}
    spec = specs.SceneSpec(
        photo=specs.PhotoSpec(fov=FOV),
        depth=specs.DepthSpec(file=str(tmp_path / "depth.npy"), kind="depth", **given.pop("depth_given", {})),
        move=specs.MoveSpec(frames=frames, **given),
        stereo=specs.StereoSpec(**stereo_given),
        render=specs.RenderSpec(**render_given),
    )
    return specs.check(spec)


def shoot(tmp_path, spec, name="out_####.png", before=lambda built: None, *, warp=False):
    """The frames of `spec` as arrays, what was noted, and the built scene. warp: drawn without a render engine."""
    output = job.parse_output(str(tmp_path / name))
    facts = {}
    more = {"suffix": output.path.suffix, "camera_alone": True} if warp else {}
    built = job.make_scene(tmp_path / "photo.png", spec, bpy.context.scene, lambda share, text: None, film=output.film, **more)
    assert (built.warp is not None) == warp
    before(built)
    made = list(job.render(built, spec, bpy.context.scene, output, noted=facts.update))
    frames = [] if output.film else [cv2.imread(str(frame.path), cv2.IMREAD_UNCHANGED) for frame in made]
    return frames, facts, built


def slide(left, right, part, alike=60):
    """By how many pixels what `part` of the left picture shows lies further right in the right picture, to about 0.02 px."""
    rows, columns = part
    patch = left[rows, columns].astype(np.float64)

    def error(shift):
        x, y = np.meshgrid(np.arange(columns.start, columns.stop) + shift, np.arange(rows.start, rows.stop))
        seen = cv2.remap(right.astype(np.float32), x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC)
        return float(np.mean((seen - patch) ** 2))

    coarse = min(np.arange(-14, 14.1, 0.5), key=error)
    best = min(np.arange(coarse - 0.5, coarse + 0.51, 0.02), key=error)
    assert error(best) < alike, "nothing was found there"
    return best


def halves(frame):
    width = frame.shape[1] // 2
    return frame[:, :width], frame[:, width:]


MIDDLE = (slice(44, 76), slice(64, 96))
WALL = (slice(92, 112), slice(40, 120))
