"""The edge stage: soft silhouettes of enlarged maps become the photo's, and nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.vision.layered import DepthKind
from addon.vision.sharpen import sharpen_edges, upsample_prediction, upsample_sky

HEIGHT, WIDTH, FACTOR = 240, 320, 4
INVERSE_KINDS = (DepthKind.AFFINE_DISPARITY, DepthKind.METRIC_DISPARITY)


def picture():
    """A floor with a post, a thin rod and a disc before a wall: inverse depth and a photo of it, with some noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    d = np.maximum((y - 130) / 110, 0.1).astype(np.float32)
    photo = np.where((y < 141)[..., None], (150, 140, 120), (90, 110, 80)).astype(np.float32)
    for thing, depth, colour in (
        ((np.abs(x - 80) < 12) & (y > 40) & (y < 180), 0.5, (40, 50, 170)),
        ((np.abs(x - 160) < 3) & (y > 30) & (y < 170), 0.4, (230, 220, 60)),
        (((x - 250) ** 2 + (y - 90) ** 2 < 40**2), 0.7, (30, 120, 40)),
    ):
        d = np.where(thing, np.float32(depth), d)
        photo[thing] = colour
    return d, np.clip(photo + rng.normal(0, 3, photo.shape), 0, 255).astype(np.uint8)


def as_a_network(d, factor=FACTOR, sigma=0.7):
    """What a network of `factor` times fewer pixels a side would give."""
    small = cv2.resize(d, (d.shape[1] // factor, d.shape[0] // factor), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), sigma)


def soft_and_photo(factor=FACTOR):
    d, photo = picture()
    return d, cv2.resize(as_a_network(d, factor), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), photo


def boundary_f1(found, truth, ratio=1.15):
    """Neighbours apart by `ratio` in both maps, the same way round."""
    hits = some = all_ = 0
    for axis in (0, 1):
        a, b = (np.diff(np.log(np.maximum(m, 1e-3)), axis=axis) for m in (found, truth))
        one, other = (np.sign(v) * (np.abs(v) > np.log(ratio)) for v in (a, b))
        hits, some, all_ = hits + ((one == other) & (one != 0)).sum(), some + (one != 0).sum(), all_ + (other != 0).sum()
    return 2 * hits / max(some + all_, 1)


@pytest.mark.parametrize(("factor", "least"), [(2, 0.95), (4, 0.9), (8, 0.7)])
def test_silhouettes_become_those_of_the_photo(factor, least):
    d, soft, photo = soft_and_photo(factor)
    sharp = sharpen_edges(soft, photo, factor=factor)
    assert boundary_f1(sharp, d) > least > 0.4 > boundary_f1(soft, d)
    assert np.abs(sharp - d).mean() < 0.5 * np.abs(soft - d).mean()


def test_silhouettes_that_lie_beside_the_photos_are_moved_there():
    d, _, photo = soft_and_photo()
    soft = cv2.resize(as_a_network(np.roll(d, 2, axis=1)), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    sharp = sharpen_edges(soft, photo, factor=FACTOR)
    assert boundary_f1(sharp, d) > 0.6 > 0.1 > boundary_f1(np.roll(d, 2, axis=1), d)


def outline(mask):
    """1 along the boundary of a region, as a network tells it; 0 elsewhere."""
    return cv2.morphologyEx(mask.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))


def test_where_a_network_says_what_is_an_edge_only_that_is_sharpened():
    d, soft, photo = soft_and_photo()
    disc, post = d == np.float32(0.7), d == np.float32(0.5)
    only_disc = sharpen_edges(soft, photo, factor=FACTOR, edges=outline(disc))
    near = cv2.dilate(disc.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.abs(only_disc - d)[near].mean() < 0.5 * np.abs(soft - d)[near].mean()
    around_post = cv2.dilate(post.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.array_equal(only_disc[around_post], soft[around_post])
    assert np.array_equal(sharpen_edges(soft, photo, factor=FACTOR, edges=np.zeros_like(soft)), soft)


def test_a_rough_network_leaves_neither_shallow_steps_nor_specks():
    d = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    d[:, WIDTH // 2 :] = 0.6  # a shallow step: a fifth
    d[:80] = 1.5
    photo = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    photo[:80] = (60, 160, 60)
    photo[:, WIDTH // 2 :] //= 2
    photo[72:78:5, 20:300:9] = 250  # glints on what is near, close to its rim
    soft = cv2.resize(as_a_network(d), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    everywhere = np.ones_like(soft)
    sharp = sharpen_edges(soft, photo, factor=FACTOR, edges=everywhere)
    assert np.array_equal(sharp[120:], soft[120:])
    assert not np.array_equal(sharpen_edges(soft, photo, factor=FACTOR)[120:], soft[120:])
    front = (sharp > 1).astype(np.uint8)
    assert cv2.connectedComponents(front)[0] == cv2.connectedComponents(1 - front)[0] == 2  # two pieces: one near, one far


def test_a_thin_rod_stands_where_the_photo_shows_it():
    _, soft, photo = soft_and_photo()
    row = sharpen_edges(soft, photo, factor=FACTOR)[80, 140:180]
    assert soft[80, 140:180].max() < 0.36
    assert np.array_equal(np.flatnonzero(row > row.max() / 2) + 140, [158, 159, 160, 161, 162])


@pytest.mark.parametrize("factor", [1.0, 1.2, 2.0, 4.0, 10.0])
def test_sharp_depth_is_left_alone_bit_for_bit(factor):
    d, photo = picture()
    assert np.array_equal(sharpen_edges(d, photo, factor=factor), d)
    blocky = np.repeat(np.repeat(d[::4, ::4], 4, 0), 4, 1)
    assert np.array_equal(sharpen_edges(blocky, photo, factor=factor), blocky)
    assert np.array_equal(sharpen_edges(np.full_like(d, 0.4), photo, factor=factor), np.full_like(d, 0.4))


def test_a_map_that_was_hardly_enlarged_is_left_alone():
    _, soft, photo = soft_and_photo()
    assert np.array_equal(sharpen_edges(soft, photo, factor=1.2), soft)


def test_slopes_keep_every_bit_however_steep_they_are():
    photo = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    ball = np.sqrt(np.maximum(1 - ((x - 160) ** 2 + (y - 120) ** 2) / 300**2, 0)).astype(np.float32)
    for slope in (
        np.maximum(y - 100, 0) / 140,
        x / WIDTH,
        0.2 + np.abs(x - 100) / 100,
        2 - np.abs(x - 100) / 120,
        x * y / 5e4 + 0.02,
        ball,
    ):
        soft = cv2.resize(as_a_network(slope.astype(np.float32)), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        assert np.array_equal(sharpen_edges(soft, photo, factor=FACTOR), soft)


def test_a_floor_beside_things_stays_smooth():
    _, soft, photo = soft_and_photo()
    sharp = sharpen_edges(soft, photo, factor=FACTOR)
    assert np.array_equal(sharp[190:], soft[190:])
    steps = np.abs(np.diff(sharp, axis=0))[145:235, [20, 40, 120, 200, 300]]
    assert steps.max() < 2 / 110


def test_the_result_stays_within_the_depths_around():
    _, soft, photo = soft_and_photo()
    sharp = sharpen_edges(soft, photo, factor=FACTOR)
    window = np.ones((41, 41), np.uint8)
    assert (sharp <= cv2.dilate(soft, window) + 1e-4).all() and (sharp >= cv2.erode(soft, window) - 1e-4).all()


def test_the_unit_does_not_matter():
    _, soft, photo = soft_and_photo()
    one, thousand = (sharpen_edges(soft * np.float32(k), photo, factor=FACTOR) for k in (1, 1024))
    assert np.allclose(one * 1024, thousand, rtol=1e-3)


def test_disparity_that_reaches_zero_has_its_edges_sharpened_too():
    d, soft, photo = soft_and_photo()
    soft, d = soft - soft.min(), d - d.min()
    sharp = sharpen_edges(soft, photo, factor=FACTOR)
    assert sharp.min() == 0 and np.isfinite(sharp).all()
    assert np.abs(sharp - d).mean() < 0.5 * np.abs(soft - d).mean()


# What is not a number, and what is the sky


def test_pixels_without_a_value_stay_so_and_spoil_nothing():
    _, soft, photo = soft_and_photo()
    holes = soft.copy()
    holes[60:70, 60:130], holes[200, 200], holes[0, 0] = np.nan, np.inf, -np.inf
    sharp = sharpen_edges(holes, photo, factor=FACTOR)
    gone = ~np.isfinite(holes)
    assert np.array_equal(sharp[gone], holes[gone], equal_nan=True) and np.isfinite(sharp[~gone]).all()
    away = cv2.dilate(gone.astype(np.uint8), np.ones((81, 81), np.uint8)) == 0
    assert np.allclose(sharp[away], sharpen_edges(soft, photo, factor=FACTOR)[away], atol=0.01)
    nothing = np.full_like(soft, np.nan)
    assert np.isnan(sharpen_edges(nothing, photo, factor=FACTOR)).all()


def skyline():
    """Hills and a mast before the sky: inverse depth (0 in the sky), the sky and a photo."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    land = y > 120 + 25 * np.sin(x / 30)
    mast = (np.abs(x - 200) < 5) & (y > 30)
    d = np.where(mast, 0.6, np.where(land, 0.2, 0)).astype(np.float32)
    photo = np.where(land[..., None], (70, 100, 60), (180, 200, 240)).astype(np.uint8)
    photo[mast] = (90, 30, 30)
    return d, d == 0, photo


def test_the_sky_is_exactly_zero_and_does_not_bleed_into_the_horizon():
    d, sky, photo = skyline()
    soft = cv2.resize(as_a_network(d), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    sharp = sharpen_edges(soft, photo, factor=FACTOR, sky=sky)
    assert (sharp[sky] == 0).all()
    rim = ~sky & (cv2.dilate(sky.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & (d == d[HEIGHT - 1, 0])
    assert soft[rim].min() < 0.1
    assert np.percentile(np.abs(sharp[rim] / 0.2 - 1), 95) < 0.1
    assert sharp[40:80, 196:205].min() > 0.95 * soft[40:80, 200].max() > 1.2 * soft[40:80, 196].max()


def test_a_sharp_map_changes_only_in_the_sky():
    d, sky, photo = skyline()
    d = d + np.float32(0.05)
    assert np.array_equal(sharpen_edges(d, photo, factor=FACTOR, sky=sky), np.where(sky, 0, d))
    everything = np.ones_like(sky)
    assert not sharpen_edges(d, photo, factor=FACTOR, sky=everything).any()


def test_land_without_a_soft_skyline_is_not_touched():
    """Networks that leave the sky out give clean values up to it."""
    d, sky, photo = skyline()
    flat = np.where(sky, np.float32(np.nan), np.float32(0.2))
    assert np.array_equal(sharpen_edges(flat, photo, factor=FACTOR, sky=sky), np.where(sky, 0, np.float32(0.2)))


# Confidence


def test_what_the_network_is_unsure_of_counts_less():
    d, soft, photo = soft_and_photo()
    unsure = np.ones_like(soft)
    wrong = soft.copy()
    wrong[60:80, 88:98], unsure[60:80, 88:98] = 0.9, 0  # beside the post, nearer than it
    trusted, doubted = (sharpen_edges(wrong, photo, factor=FACTOR, confidence=c) for c in (None, unsure))
    place = np.s_[60:80, 94:98]
    assert np.abs(doubted - d)[place].mean() < 0.5 * np.abs(trusted - d)[place].mean()
    assert np.allclose(
        sharpen_edges(soft, photo, factor=FACTOR, confidence=np.full_like(soft, 0.5)), sharpen_edges(soft, photo, factor=FACTOR), atol=0.02
    )


def test_confidence_may_be_anything():
    _, soft, photo = soft_and_photo()
    for strange in (np.zeros_like(soft), np.full_like(soft, np.nan), np.full_like(soft, 7)):
        assert np.isfinite(sharpen_edges(soft, photo, factor=FACTOR, confidence=strange)).all()


# Sizes, dtype, determinism


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 3), (7, 5), (33, 61), (101, 4)])
@pytest.mark.parametrize("factor", [1.0, 3.0, 12.0])
def test_any_size_and_noise(shape, factor):
    rng = np.random.default_rng(3)
    d = rng.random(shape, np.float32)
    before = d.copy()
    photo = rng.integers(0, 256, (*shape, 3), np.uint8)
    sky = rng.random(shape) < 0.2
    for given in (None, sky):
        out = sharpen_edges(d, photo, factor=factor, sky=given)
        assert out.shape == shape and out.dtype == np.float32
        assert 0 <= out.min() and out.max() <= d.max() + 1e-5
        assert given is None or (out[given] == 0).all()
    assert np.array_equal(d, before)


def test_the_same_in_the_same_out():
    _, soft, photo = soft_and_photo()
    assert np.array_equal(sharpen_edges(soft, photo, factor=FACTOR), sharpen_edges(soft.copy(), photo.copy(), factor=FACTOR))


def test_a_photo_of_another_size_is_refused():
    _, soft, photo = soft_and_photo()
    with pytest.raises(ValueError, match="same size"):
        sharpen_edges(soft, photo[:-1], factor=FACTOR)
    with pytest.raises(ValueError, match="uint8"):
        sharpen_edges(soft, photo.astype(np.float32), factor=FACTOR)


# From a network's map to the photo


def in_kind(inverse, kind):
    if kind is DepthKind.AFFINE_DISPARITY:
        return inverse * 3 - 1
    return inverse if kind is DepthKind.METRIC_DISPARITY else 1 / inverse


@pytest.mark.parametrize("kind", list(DepthKind))
def test_a_prediction_of_every_kind_comes_to_the_photos_size_and_edges(kind):
    d, photo = picture()
    small = as_a_network(d)
    out = upsample_prediction(in_kind(small, kind), kind, None, None, photo, (WIDTH, HEIGHT))
    assert out.shape == (HEIGHT, WIDTH) and out.dtype == np.float32
    inverse = out / 3 + small.min() if kind is DepthKind.AFFINE_DISPARITY else out if kind in INVERSE_KINDS else 1 / out
    assert boundary_f1(inverse, d) > 0.8
    assert kind is not DepthKind.AFFINE_DISPARITY or out.min() == 0


@pytest.mark.parametrize("kind", list(DepthKind))
def test_the_sky_of_a_prediction(kind):
    d, sky, photo = skyline()
    small, share = as_a_network(d), as_a_network(sky.astype(np.float32))
    values = in_kind(np.maximum(small, 1e-4), kind)
    values[share > 0.9] = np.nan  # as some networks have it
    for size in ((WIDTH, HEIGHT), (2 * WIDTH + 1, 2 * HEIGHT + 1)):
        out = upsample_prediction(values, kind, share, None, photo, size)
        above = upsample_sky(share, photo)
        large = out == (0 if kind in INVERSE_KINDS else np.inf)
        scaled = cv2.resize(above.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
        assert np.count_nonzero(scaled != large) < 0.001 * scaled.size
        assert np.isfinite(out[~large]).all()
        assert out.shape == (size[1], size[0])
        if kind is DepthKind.METRIC_DISPARITY:
            assert out[~large].min() > 0.1
    given = upsample_prediction(values, kind, above, None, photo, (WIDTH, HEIGHT))
    assert np.array_equal(given, upsample_prediction(values, kind, share, None, photo, (WIDTH, HEIGHT)))


def test_the_skyline_is_that_of_the_photo():
    _, sky, photo = skyline()
    share = as_a_network(sky.astype(np.float32))
    linear = cv2.resize(share, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) > 0.5
    assert (upsample_sky(share, photo) != sky).mean() < 0.1 * (linear != sky).mean()
    assert upsample_sky(np.ones_like(share), photo).all() and not upsample_sky(np.zeros_like(share), photo).any()


def test_what_a_prediction_lacks_stays_missing_and_does_not_grow():
    d, photo = picture()
    small = as_a_network(d)
    small[:20, 60:] = np.nan
    out = upsample_prediction(small, DepthKind.METRIC_DISPARITY, None, None, photo, (WIDTH, HEIGHT))
    expected = np.zeros_like(d, bool)
    expected[:80, 240:] = True
    assert np.count_nonzero(np.isnan(out) != expected) < 3  # a corner is rounded
    nothing = upsample_prediction(np.full_like(small, np.nan), DepthKind.METRIC_DEPTH, None, None, photo, (WIDTH, HEIGHT))
    assert np.isnan(nothing).all()


def test_a_map_finer_than_the_photo_is_brought_down():
    d, photo = picture()
    small_photo = cv2.resize(photo, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    out = upsample_prediction(d, DepthKind.METRIC_DISPARITY, None, np.ones_like(d), small_photo, (WIDTH // 2, HEIGHT // 2))
    assert np.abs(out - cv2.resize(d, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_NEAREST)).mean() < 0.01


def test_a_large_photo_gets_the_edges_of_a_coarser_grid():
    d, photo = picture()
    size = (WIDTH * 3, HEIGHT * 3)
    out = upsample_prediction(as_a_network(d), DepthKind.METRIC_DISPARITY, None, None, photo, size)
    truth = cv2.resize(d, size, interpolation=cv2.INTER_NEAREST)
    assert out.shape == truth.shape and np.abs(out - truth).mean() < 0.02
