"""Edges of depth maps."""

from __future__ import annotations

import numpy as np

from addon.vision.refine import take_rims_to_front


def test_the_front_grows_by_one_pixel_and_nothing_else_changes():
    d = np.full((20, 20), 0.2, np.float32)
    d[5:15, 5:15] = 0.8
    grown = take_rims_to_front(d)
    expected = np.full((20, 20), 0.2, np.float32)
    expected[4:16, 4:16] = 0.8
    assert np.array_equal(grown, expected)


def test_slopes_stay_as_they_are():
    for steps in (12, 200):
        ramp = np.repeat(np.linspace(0, 1, steps, dtype=np.float32)[:, None], 10, 1)
        assert np.array_equal(take_rims_to_front(ramp)[1:-1], ramp[1:-1])
