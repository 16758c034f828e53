"""The truth that training scenes come with: disparity, normals and horizon of a floor, of which all three are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("OpenEXR")

from training import generate  # noqa: E402
from training.scenes import kit as kits  # noqa: E402


def floor_seen(shot: kits.Shot, tmp_path, size=(96, 128)) -> kits.View:
    kits.begin(size, 1, 1)
    kit = kits.Kit(np.random.default_rng(0), size)
    kit.add([(kits.rounded((4000, 4000, 0.1), 0.01, (0, 0, -0.05)), kit.painted((0.5, 0.5, 0.5)))])
    kit.sun(50, 30)
    return kits.render(shot, tmp_path / "view.exr")


@pytest.mark.parametrize(("pitch", "roll", "fov"), [(10, 0, 60), (10, 8, 60), (-3, -5, 40), (35, 4, 80)])
def test_a_floor_vanishes_at_the_horizon_that_the_label_tells(tmp_path, pitch: float, roll: float, fov: float) -> None:
    shot = kits.Shot.looking((0, 0, 1.5), 20, pitch, fov, roll)
    assert shot.pitch == pytest.approx(pitch)
    view = floor_seen(shot, tmp_path)
    h, w = view.disparity.shape
    y, x = np.mgrid[0:h, 0:w] + 0.5
    seen = view.disparity > 0.02
    a, b, c = np.linalg.lstsq(np.stack([x[seen], y[seen], np.ones(seen.sum())], 1), view.disparity[seen], rcond=None)[0]
    angle = np.radians(fov / 2)
    # The horizon crosses the upright through the picture's middle where the camera's pitch says, and rises to the right by its roll.
    row = 0.5 - np.tan(np.radians(pitch)) / (2 * np.tan(angle)) * w / h / np.cos(np.radians(roll))
    assert -(a * w / 2 + c) / b / h == pytest.approx(row, abs=0.005)
    assert np.degrees(np.arctan(a / b)) == pytest.approx(roll, abs=0.1)
    # 1.5 metres above the floor: n · ray · z = −1.5.
    rays = np.dstack([(x - w / 2) * 2 * np.tan(angle) / w, (y - h / 2) * 2 * np.tan(angle) / w, np.ones_like(x)])
    distance = -(view.normal * rays).sum(2)[seen] / view.disparity[seen]
    assert np.allclose(distance, 1.5, atol=0.03)


def test_a_scene_is_written_whole_and_the_same_for_the_same_seed(tmp_path) -> None:
    for name in ("a", "b"):
        made = generate.run(tmp_path / name, ["clutter"], 3, 1, until=float("inf"), most=1, human=None, threads=1)
        assert made >= 1
    folder = tmp_path / "a" / "clutter-000003"
    about = json.loads((folder / "about.json").read_text())
    colour, disparity, normal = (np.load(folder / f"{n}.npy") for n in ("colour", "disparity", "normal"))
    assert len(about["views"]) == len(colour) == len(disparity) == len(normal) == made
    assert colour.dtype == np.uint16 and disparity.dtype == np.float16 and normal.dtype == np.int8
    assert colour.shape[:3] == disparity.shape == normal.shape[:3] and 30_000 < disparity[0].size < 40_000
    light = (colour / 65535.0) ** 2 * 16
    assert 0.05 < light.mean() < 0.6
    assert np.array_equal(disparity, np.load(tmp_path / "b" / "clutter-000003" / "disparity.npy"))
    assert generate.run(tmp_path / "a", ["clutter"], 3, 1, until=float("inf"), most=1, human=None, threads=1) == 0  # it is there


def test_what_shows_no_scene_is_left_out() -> None:
    shot = kits.Shot.looking((0, 0, 1), 0, 0, 50)
    ramp = np.repeat(np.linspace(0.1, 1, 50, dtype=np.float32)[:, None], 60, 1)
    lit = np.full((50, 60, 3), 0.2, np.float32)
    normal = np.zeros((50, 60, 3), np.float32)
    assert generate.is_usable(kits.View(shot, lit, ramp, normal))
    assert not generate.is_usable(kits.View(shot, lit * 0, ramp, normal))  # black
    assert not generate.is_usable(kits.View(shot, lit, np.full_like(ramp, 0.3), normal))  # one wall
    assert not generate.is_usable(kits.View(shot, lit, ramp * 20, normal))  # inside a thing
