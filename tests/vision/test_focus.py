"""Where a camera aims by itself."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from addon.spec import DepthSpec, FocusSpec, SceneSpec
from addon.vision import focus
from addon.vision.faces import Face
from addon.vision.layered import read_layered
from addon.vision.pipeline import make_layered_photo
from addon.vision.planning import stage

HEIGHT, WIDTH = 90, 120


def floor() -> np.ndarray:
    """A floor that comes nearer downwards, below a far wall."""
    return np.clip(np.linspace(-0.8, 0.9, HEIGHT), 0.05, 1)[:, None].repeat(WIDTH, 1).astype(np.float32)


def with_square(d: np.ndarray, x: int, y: int, side: int, value: float) -> np.ndarray:
    d = d.copy()
    d[y : y + side, x : x + side] = value
    return d


@pytest.mark.parametrize("ground", [np.full((HEIGHT, WIDTH), 0.1, np.float32), floor()], ids=["wall", "floor"])
def test_a_near_square_is_found_on_a_wall_and_on_a_floor(ground):
    found = focus.find_focus(with_square(ground, 70, 30, 24, 0.7))
    assert found.found == "subject" and found.d == pytest.approx(0.7)
    assert 70 < found.x * WIDTH < 94 and 30 < found.y * HEIGHT < 54


def test_of_two_the_nearer_and_the_more_central_one():
    wall = np.full((HEIGHT, WIDTH), 0.1, np.float32)
    assert focus.find_focus(with_square(with_square(wall, 20, 35, 20, 0.5), 80, 35, 20, 0.9)).d == pytest.approx(0.9)
    assert focus.find_focus(with_square(with_square(wall, 2, 2, 20, 0.8), 55, 35, 20, 0.7)).d == pytest.approx(0.7)


@pytest.mark.parametrize(
    "d", [floor(), np.full((HEIGHT, WIDTH), 0.4, np.float32), np.zeros((3, 5), np.float32)], ids=["floor", "wall", "tiny"]
)
def test_where_nothing_stands_out_it_is_the_middle(d):
    found = focus.find_focus(d)
    h = d.shape[0]
    assert (found.x, found.y, found.found) == (0.5, 0.5, "middle")
    assert d[h // 3 : h - h // 3].min() <= found.d <= d[h // 3 : h - h // 3].max()


def test_a_face_goes_first_at_its_own_depth():
    d = with_square(with_square(np.full((HEIGHT, WIDTH), 0.1, np.float32), 60, 30, 40, 0.9), 10, 10, 20, 0.3)
    found = focus.find_focus(d, (Face(20 / WIDTH, 20 / HEIGHT, 8 / WIDTH, 8 / HEIGHT, 0.0, None),))
    assert found.found == "face" and found.d == pytest.approx(0.3) and found.x * WIDTH == pytest.approx(20, abs=0.01)


def test_depth_at_a_point_ignores_a_stray_pixel():
    d = with_square(np.full((HEIGHT, WIDTH), 0.2, np.float32), 60, 45, 1, 1.0)
    assert focus.depth_at(d, 60.5 / WIDTH, 45.5 / HEIGHT) == pytest.approx(0.2)
    assert focus.depth_at(d, 1.0, 1.0) == pytest.approx(0.2) and focus.depth_at(d, 0.0, 0.0) == pytest.approx(0.2)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    metres = np.full((HEIGHT, WIDTH), 8.0, np.float32)
    metres[20:50, 75:105] = 2.0
    np.save(tmp_path / "depth.npy", metres)
    return path


def test_it_is_kept_in_the_layered_photo_and_reaches_the_moves(photo, tmp_path):
    spec = SceneSpec(depth=DepthSpec(file=str(tmp_path / "depth.npy"), kind="depth"))
    made = make_layered_photo(photo, spec, tmp_path / "layers", lambda share, text: None)
    assert read_layered(made.folder) == made and made.aim is not None and made.normals is not None
    assert made.focus == pytest.approx(2.0, rel=0.01) and 75 / WIDTH < made.aim[0] < 105 / WIDTH and 20 / HEIGHT < made.aim[1] < 50 / HEIGHT
    known = stage(made)
    assert known.aim_x == pytest.approx((made.aim[0] - 0.5) * known.tan_width)
    assert known.aim_y == pytest.approx((0.5 - made.aim[1]) * known.tan_width * HEIGHT / WIDTH) and known.aim_y > 0
    # Of an older file, which has none, the subject is on the optical axis.
    older = stage(replace(made, aim=None))
    assert (older.aim_x, older.aim_y, older.focus) == (0.0, 0.0, known.focus)


def test_a_point_that_was_set_goes_first(photo, tmp_path):
    spec = SceneSpec(depth=DepthSpec(file=str(tmp_path / "depth.npy"), kind="depth"), focus=FocusSpec(at=(0.1, 0.9)))
    made = make_layered_photo(photo, spec, tmp_path / "layers", lambda share, text: None)
    assert made.aim == (0.1, 0.9) and made.focus == pytest.approx(8.0, rel=0.01)
    moved = focus.aimed(made, (90 / WIDTH, 35 / HEIGHT))
    assert moved.focus == pytest.approx(2.0, rel=0.01) and focus.aimed(made, None) is made and focus.aimed(made, (0.1, 0.9)) is made
