"""What can be sky, and that nothing is beyond it."""

from __future__ import annotations

import numpy as np

from addon.vision.priors.sky import beyond_everything, likely_sky

SHAPE = (60, 80)


def land() -> np.ndarray:
    return np.repeat(np.linspace(0, 1, SHAPE[0], dtype=np.float32)[:, None], SHAPE[1], 1)


def with_sky(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    sky = np.full(SHAPE, 0.02, np.float32)
    for top, bottom, left, right in boxes:
        sky[top:bottom, left:right] = 0.97
    return sky


def test_a_true_sky_is_untouched() -> None:
    sky = with_sky((0, 20, 0, 80))
    assert likely_sky(sky, land(), 0.35) is sky
    assert likely_sky(sky, land(), None) is sky


def test_lakes_shirts_and_specks_are_no_sky() -> None:
    values = land()
    assert likely_sky(with_sky((35, 45, 10, 60)), values, 0.35) is None  # below the horizon
    near = values.copy()
    near[0:20, 20:50] = 0.9
    assert likely_sky(with_sky((0, 20, 20, 50)), near, 0.5) is None  # nearer than most of the land
    assert likely_sky(with_sky((0, 3, 0, 3)), values, 0.5) is None
    assert likely_sky(with_sky(), values, 0.5) is None


def test_the_piece_that_is_sky_stays_when_another_goes() -> None:
    sky = with_sky((0, 15, 0, 80), (40, 50, 20, 60))
    kept = likely_sky(sky, land(), 0.3)
    assert kept is not None
    np.testing.assert_array_equal(kept[:20], sky[:20])
    assert (kept[38:52] == 0).all()


def test_nothing_is_beyond_the_sky() -> None:
    values = land() + 0.1
    values[:20] = 0.15  # the sky's, which a ridge beside it would be beyond
    values[18:20, 10:20] = 0.02
    sky = with_sky((0, 18, 0, 80))
    made = beyond_everything(values, sky)
    assert (made[:18] == made[0, 0]).all() and made.min() == made[0, 0]
    np.testing.assert_array_equal(made[25:], values[25:])
    assert beyond_everything(values, None) is values
    assert beyond_everything(values, with_sky()) is values


def test_a_sky_that_is_seen_too_near_does_not_flatten_the_land() -> None:
    values = land()
    values[:10] = 0.4
    made = beyond_everything(values, with_sky((0, 10, 0, 80)))
    changed = made[10:] != values[10:]
    assert changed.mean() < 0.06 and made[0, 0] < 0.3
