"""Gaps in measured depth."""

from __future__ import annotations

import numpy as np

from addon.vision.gaps import close_gaps


def test_thin_gaps_are_closed_and_a_sky_stays():
    values = np.full((90, 120), 2.0, np.float32)
    values[:, 60:] = 5.0
    truth = values.copy()
    values[:, :4] = np.nan  # the border of a depth camera
    values[40:60, 57:60] = np.nan  # a shadow beside something
    values[:30, 70:] = np.nan  # a sky
    closed = close_gaps(values)
    sky = np.zeros(values.shape, bool)
    sky[:30, 70:] = True
    assert np.isnan(closed[sky]).all() and not np.isnan(closed[~sky]).any()
    known = ~np.isnan(values)
    assert np.array_equal(closed[known], values[known]) and np.array_equal(closed[:, :50], truth[:, :50])
    assert set(np.unique(closed[40:60, 57:60])) <= {2.0, 5.0}


def test_nothing_to_do_and_nothing_to_do_it_with():
    full, empty = np.ones((5, 6), np.float32), np.full((5, 6), np.nan, np.float32)
    assert close_gaps(full) is full and close_gaps(empty) is empty
