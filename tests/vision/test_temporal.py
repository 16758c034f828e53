"""Depth of a film made steady."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.vision import temporal
from addon.vision.temporal import Affine, Link, accumulate, align, join, links, pull, small_grey, steady
from tests.vision.film_files import flat, pan


def grey(frames):
    return [small_grey(f[..., ::-1].copy()) for f in frames]


def still(shape):
    return Link(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32))


def test_flow_finds_what_a_pan_moved():
    a, b = grey(pan(2, (192, 128), step=3))
    to_a, to_b = links(a, b)
    inner = np.s_[16:-16, 16:-16]
    assert np.abs(to_a.flow[inner] - (3, 0)).mean() < 0.3 and np.abs(to_b.flow[inner] - (-3, 0)).mean() < 0.3
    assert to_a.trust[inner].mean() > 0.7
    assert to_a.trust[:, -1].mean() < 0.2  # has just come in
    assert np.abs(pull(a.astype(np.float32), to_a) - b)[inner].mean() < 3


def test_a_cut_has_no_link():
    a, b = grey([pan(1, seed=1)[0], pan(1, seed=2)[0]])
    assert links(a, b) is None


def test_a_changed_brightness_is_not_trusted():
    a = grey(pan(1, (192, 128)))[0]
    b = a.copy()
    b[40:80, 60:120] = np.clip(b[40:80, 60:120].astype(int) + 90, 0, 255)
    to_a, _ = links(a, b)
    assert to_a.trust[50:70, 75:105].mean() < 0.2 < 0.7 < to_a.trust[100:, :40].mean()


def test_a_changed_exposure_is_no_cut():
    a, b = grey(pan(2, (192, 128)))
    found = links(a, np.clip(b * 0.8 + 40, 0, 255).astype(np.uint8))
    assert found is not None and found[0].trust[16:-16, 16:-16].mean() > 0.5


def test_alignment_finds_scale_and_shift_despite_what_moves():
    rng = np.random.default_rng(0)
    truth = cv2.resize(rng.random((8, 12)).astype(np.float32), (96, 64), interpolation=cv2.INTER_CUBIC)
    own = 1.1 * truth + 0.07 + rng.normal(0, 0.004, truth.shape).astype(np.float32)
    own[10:30, 20:50] += 0.8  # something else there
    fit = align(own, truth, still(truth.shape))
    assert fit.scale == pytest.approx(1 / 1.1, rel=0.01) and fit.shift == pytest.approx(-0.07 / 1.1, abs=0.006)
    assert align(own, truth, still(truth.shape), shift=False).shift == 0
    assert align(own, truth, Link(still(truth.shape).flow, np.zeros(truth.shape, np.float32))) == temporal.STILL


def test_noise_does_not_shrink_the_scale():
    rng = np.random.default_rng(1)
    truth = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (64, 1))
    noisy = [truth + rng.normal(0, 0.1, truth.shape).astype(np.float32) for _ in range(20)]
    scales = [align(a, b, still(truth.shape)).scale for a, b in zip(noisy, noisy[1:])]
    assert np.prod(scales) == pytest.approx(1, abs=0.03)


def test_pumping_goes_and_a_slow_change_stays():
    rng = np.random.default_rng(2)
    n = 60
    true_scale = np.exp(np.linspace(0, 0.5, n))  # something comes nearer all the time
    scale, shift = true_scale * np.exp(rng.normal(0, 0.05, n)), rng.normal(0, 0.05, n)
    steps: list[Affine | None] = [None]
    for t in range(1, n):
        ratio = (scale[t - 1] / scale[t]) * 1.0
        steps.append(Affine(ratio, shift[t - 1] - ratio * shift[t]))
    fixed = steady(steps, pivot=0.5, reach=24)
    for value in (0.2, 0.8):
        seen = np.array([f.scale * (s * value + o) + f.shift for f, s, o in zip(fixed, scale, shift)])
        jumps, before = np.diff(seen), np.diff(scale * value + shift)
        assert jumps.std() < 0.1 * before.std()
        assert seen[-5:].mean() / seen[:5].mean() > 1.25


def test_a_cut_starts_anew():
    steps = [None, Affine(1, 0), Affine(1, 0), None, Affine(1, 0)]
    assert all(np.allclose(f, temporal.STILL) for f in steady(steps, 0.5, 10))


def both_ways(depths, pair):
    """depths with the link of neighbouring frames, smoothed as layered_film does it."""
    past = list(accumulate(((d, None if i == 0 else pair[0]) for i, d in enumerate(depths)), 0.1))
    future = list(accumulate(((d, None if i == 0 else pair[1]) for i, d in enumerate(reversed(depths))), 0.1))[::-1]
    return [join(d, a, b) for d, a, b in zip(depths, past, future)]


def test_flicker_goes():
    rng = np.random.default_rng(3)
    depths = [np.full((32, 48), 0.5, np.float32) + rng.normal(0, 0.02, (32, 48)).astype(np.float32) for _ in range(20)]
    link = still((32, 48))
    found = both_ways(depths, (link, link))
    assert np.mean([f.std() for f in found[4:-4]]) < 0.45 * 0.02
    assert np.mean([np.abs(b - a).mean() for a, b in zip(found, found[1:])]) < 0.2 * np.mean(
        [np.abs(b - a).mean() for a, b in zip(depths, depths[1:])]
    )


def test_a_steady_approach_does_not_lag():
    depths = [np.full((32, 48), 0.2 + 0.01 * t, np.float32) for t in range(40)]
    link = still((32, 48))
    found = both_ways(depths, (link, link))
    assert np.abs(np.array([f.mean() for f in found[16:-16]]) - [d.mean() for d in depths[16:-16]]).max() < 2e-4


def test_a_moving_edge_leaves_no_trail():
    """The link says that nothing moves, which is wrong for the square: its depth alone must keep it apart."""
    depths = []
    for t in range(12):
        d = np.full((40, 80), 0.1, np.float32)
        d[10:30, 4 * t : 4 * t + 20] = 0.9
        depths.append(d)
    link = still((40, 80))
    for before, after in zip(depths, both_ways(depths, (link, link))):
        assert np.abs(before - after).max() < 1e-3


def test_small_grey_of_every_kind_of_frame():
    eight = flat(1, (1024, 768))[0]
    assert small_grey(eight).shape == (384, 512) and small_grey(eight)[0, 0] == 20
    assert small_grey(eight.astype(np.uint16) * 257)[0, 0] == 20
    linear = np.full((16, 16, 3), 0.25, np.float32)
    assert small_grey(linear).dtype == np.uint8 and abs(int(small_grey(linear)[0, 0]) - 128) <= 1


def test_tiny_frames_have_links_too():
    a, b = grey(flat(1, (8, 8)) * 2)
    found = links(a, b)
    assert found is not None and found[0].flow.shape == (8, 8, 2) and not found[0].flow.any()
