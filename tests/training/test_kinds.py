"""Close pets, walkers' snapshots, round dishes and places at night: what their cameras and shapes promise."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("OpenEXR")

from training.scenes import kit as kits  # noqa: E402
from training.scenes import night, pets, shapes, skies, small, snapshots, tabletop  # noqa: E402


def fresh(seed: int, size: tuple[int, int] = (96, 128)) -> kits.Kit:
    kits.begin(size, 1, 1)
    return kits.Kit(np.random.default_rng(seed), size)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_snapshots_are_taken_as_by_a_walker(seed: int) -> None:
    kit = fresh(seed, (224, 168))
    shots = snapshots.snapshots(kit, shapes.Palette(kit))
    assert shots and kit.size == (168, 224)
    for shot in shots:
        assert 1.2 <= shot.at[2] <= 1.7 and -4 < shot.pitch < 25 and abs(shot.fov - 57) < 6


def test_a_resized_scene_is_rendered_at_its_new_size(tmp_path) -> None:
    kit = fresh(0)
    kit.resize(48, 64)
    kit.add([(kits.rounded((4, 4, 0.1), 0.01), kit.painted((0.5, 0.5, 0.5)))])
    view = kits.render(kits.Shot.looking((0, -1, 1), 0, 40, 50), tmp_path / "view.exr")
    assert view.disparity.shape == (48, 64) and view.disparity.max() > 0


@pytest.mark.parametrize("sort", ["cat", "dog"])
@pytest.mark.parametrize("pose", ["lie", "sit"])
def test_a_pet_stands_on_the_ground_with_its_head_where_it_says(sort: str, pose: str) -> None:
    parts, head, radius = pets.close_up(fresh(5), sort, pose)
    low, high = small.extent(parts)
    assert low[2] == pytest.approx(0, abs=1e-9)
    assert head[2] + 0.6 * radius < high[2] < head[2] + 3 * radius
    skull = parts[0][0][0]
    assert np.linalg.norm(skull - head, axis=1).max() < 3.2 * radius  # the snout's tip is farthest


def test_a_cup_is_round_and_stands_on_its_saucer() -> None:
    parts = small.cup_and_saucer(fresh(2))
    low, high = small.extent(parts)
    across = (high - low)[:2]
    assert low[2] >= -1e-9 and 0.045 < high[2] < 0.1
    assert 0.11 < across.min() <= across.max() < 0.3


def test_dishes_are_seen_from_above_and_near() -> None:
    shots = tabletop.dishes(fresh(4))
    assert shots and all(8 < s.pitch < 85 and 0.1 < s.at[2] < 0.75 for s in shots)


def test_a_starry_sky_is_darker_than_the_day(tmp_path) -> None:
    rng = np.random.default_rng(0)
    day = skies.clear(rng, 40, 0).mean()
    assert all(0 <= s.min() and s.mean() < 0.5 * day for s in (skies.starry(np.random.default_rng(k)) for k in range(12)))


@pytest.mark.parametrize("sort", [night.tower, night.launch_pad, night.fair])
def test_a_place_at_night_has_sky_and_light(sort, tmp_path) -> None:
    kit = fresh(3)
    shots = sort(kit)
    assert len(shots) >= 2
    view = kits.render(shots[0], tmp_path / "view.exr")
    sky = view.disparity == 0
    assert 0.02 < sky.mean() < 0.9
    assert view.colour[~sky].mean() > 0.003 and (view.normal[sky] == 0).all()
