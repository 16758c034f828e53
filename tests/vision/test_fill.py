"""Colour behind things."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.errors import InputError
from addon.vision import fill_patches
from addon.vision.fill import fill, fill_with_network, push_pull
from addon.vision.texture import linear_to_srgb, srgb_to_linear
from tests.vision.onnx_bytes import constant, model, node, value_info

H, W = 96, 128
ROWS, COLUMNS = np.mgrid[:H, :W]


def scene(seed=0):
    """A textured picture, a hole beside a foreground, and what may be read."""
    rng = np.random.default_rng(seed)
    colour = cv2.GaussianBlur(rng.integers(0, 256, (H, W, 3)).astype(np.uint8), (0, 0), 1.0)
    front = COLUMNS > 90
    domain = (COLUMNS > 70) & ~front
    return colour, ~front & ~domain, domain


@pytest.mark.parametrize("method", ["patch", "smooth"])
def test_the_foreground_is_never_read(method):
    colour, source, domain = scene()
    other = colour.copy()
    other[~source & ~domain] = (255, 0, 255)
    other[domain] = 7  # nor what stood in the hole before
    a, b = fill(colour, source, domain, method=method), fill(other, source, domain, method=method)
    assert np.array_equal(a[source | domain], b[source | domain])
    assert np.array_equal(a[~domain], colour[~domain])  # and nothing else is touched


def gradient_energy(picture, where):
    luma = picture @ np.array([0.299, 0.587, 0.114])
    gy, gx = np.gradient(luma)
    inner = cv2.erode(where.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return (gx**2 + gy**2)[inner].mean()


def test_texture_goes_on():
    colour, source, domain = scene()
    ring = source & (COLUMNS > 50)
    around = gradient_energy(colour, ring)
    strong, usual, none = (
        gradient_energy(fill(colour, source, domain, **more), domain) for more in ({"texture": 0.6}, {}, {"texture": 0.0})
    )
    assert 0.45 * around < strong < 0.8 * around
    assert none <= usual < 0.8 * strong  # what grain there is comes in any case
    assert gradient_energy(fill(colour, source, domain, method="smooth"), domain) < 0.2 * around


def test_the_grain_of_a_photo_goes_on_past_its_border():
    rng = np.random.default_rng(1)
    colour = np.clip(np.rint(128 + rng.normal(0, 8, (H, W, 3))), 0, 255).astype(np.uint8)
    inside = (ROWS >= 16) & (ROWS < H - 16) & (COLUMNS >= 16) & (COLUMNS < W - 16)
    filled = fill(colour, inside, ~inside)
    assert 5.5 < filled[~inside].std() < 9
    assert abs(filled[~inside].mean() - 128) < 1.5


def test_cells_are_as_large_as_asked_where_the_source_is_wide_enough(monkeypatch):
    steps = []
    made = fill_patches._make_grid
    monkeypatch.setattr(fill_patches, "_make_grid", lambda *given: steps.append(given[-1]) or made(*given))
    colour, source, domain = scene()
    shares = []
    fill(colour, source, domain, least_cell=4, progress=shares.append)
    assert steps and min(steps) == 4 and shares == sorted(shares) and shares[-1] == 1
    steps.clear()
    narrow = source & (COLUMNS == 70) | (COLUMNS == 69)
    filled = fill(colour, narrow, domain, least_cell=4)
    assert min(steps) == 1 and gradient_energy(filled, domain) > 0  # columns two pixels wide go on, too


def test_a_cell_that_lacks_a_pixel_of_source_is_not_copied_from():
    """In a panorama, whose cells are large."""
    colour = np.random.default_rng(0).integers(150, 256, (320, 8400, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:320, :8400]
    domain = (columns > 4000) & (columns < 4300)
    source = ~domain & ~((rows % 35 == 17) & (columns % 35 == 17))
    colour[~source & ~domain] = 0
    assert fill(colour, source, domain)[domain].min() > 60


def test_an_even_wall_stays_even():
    colour = np.full((H, W, 3), (200, 150, 100), np.uint8)
    _, source, domain = scene()
    assert np.array_equal(fill(colour, source, domain), colour)


def test_a_stripe_goes_on():
    colour = np.full((H, W, 3), 60, np.uint8)
    colour[40:56] = 220
    _, source, domain = scene()
    filled = fill(colour, source, domain)
    near = domain & (COLUMNS < 78)
    assert filled[45:51][near[45:51]].mean() > 170 and filled[:30][near[:30]].mean() < 90


def test_stripes_go_on_where_smooth_colour_has_lost_them():
    stripes = np.where((ROWS + COLUMNS) // 5 % 2, 200, 50).astype(np.uint8)  # aslant, so that mirroring would break them
    colour = np.repeat(stripes[..., None], 3, 2)
    _, source, domain = scene()
    deep = domain & (COLUMNS > 76)
    truth = colour[deep][:, 0] > 125
    right = {m: np.mean((fill(colour, source, domain, method=m)[deep][:, 0] > 125) == truth) for m in ("patch", "smooth")}
    assert right["patch"] > 0.9 and right["smooth"] < 0.75


def test_nothing_comes_from_afar_that_is_not_around():
    colour = np.full((H, W, 3), 90, np.uint8)
    colour[:, :30] = np.random.default_rng(2).integers(0, 256, (H, 30, 3))
    _, source, domain = scene()
    assert np.abs(fill(colour, source, domain)[domain].astype(int) - 90).max() <= 3


def test_it_gives_the_same_again():
    colour, source, domain = scene()
    filled = fill(colour, source, domain, seed=3)
    assert np.array_equal(filled, fill(colour, source, domain, seed=3))
    assert not np.array_equal(filled, fill(colour, source, domain, seed=4))


def test_linear_light_is_filled_alike():
    colour, source, domain = scene()
    linear = srgb_to_linear(np.arange(256) / 255)[colour]
    linear[~source] = np.nan  # nobody looks
    filled = fill(linear, source, domain)
    assert filled.dtype == np.float32 and np.array_equal(filled[source], linear[source])
    assert np.abs(linear_to_srgb(filled[domain]) * 255 - fill(colour, source, domain)[domain]).max() < 1


def test_progress_is_told_and_may_cancel():
    colour, source, domain = scene()
    told = []
    fill(colour, source, domain, progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 2

    def cancel(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(colour, source, domain, progress=cancel)


def test_nonsense_is_refused():
    colour, source, domain = scene()
    with pytest.raises(ValueError, match="both"):
        fill(colour, source | domain, domain)
    with pytest.raises(ValueError, match="method"):
        fill(colour, source, domain, method="magic")


def test_a_large_hole_with_a_narrow_source():
    colour = np.random.default_rng(5).integers(0, 256, (400, 600, 3)).astype(np.uint8)
    source = np.zeros((400, 600), bool)
    source[:, 299:301] = True
    filled = fill(colour, source, ~source)
    assert np.array_equal(filled[source], colour[source])
    assert abs(filled[~source].mean() - colour[source].mean()) < 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (300, 5)])
def test_any_size(shape):
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    source = np.zeros(shape, bool)
    source.flat[0] = True
    for method in ("patch", "smooth"):
        filled = fill(colour, source, ~source, method=method)
        assert np.abs(filled.astype(int) - colour.reshape(-1, 3)[0]).max() <= 1  # of one sample, that sample
        assert np.array_equal(fill(colour, source, np.zeros(shape, bool), method=method), colour)
    with pytest.raises(ValueError, match="nothing|no pixel"):
        fill(colour, np.zeros(shape, bool), ~source)


def test_push_pull_is_exact_where_it_knows():
    colour, source, _ = scene()
    assert np.allclose(push_pull(colour, source)[source], colour[source], atol=1e-3)


# A network of the user's -----------------------------------------------------------------------------------------------
# output = image · (1 − mask) + mask · grey.


def network(path, side=512, scale=1.0, mask="mask"):
    nodes = [
        node("Sub", ("one", mask), "keep"),
        node("Mul", ("image", "keep"), "kept"),
        node("Mul", (mask, "grey"), "painted"),
        node("Add", ("kept", "painted"), "sum"),
        node("Mul", ("sum", "scale"), "output"),
    ]
    constants = [constant("one", 1.0), constant("grey", 0.25), constant("scale", scale)]
    inputs = [value_info("image", (1, 3, side, side)), value_info(mask, (1, 1, side, side))]
    path.write_bytes(model(nodes, constants, inputs, [value_info("output", (1, 3, side, side))]))
    return path


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_a_network_of_the_users_fills(tmp_path, scale):
    colour, source, domain = scene()
    filled = fill_with_network(network(tmp_path / "lama é.onnx", scale=scale), colour, source, domain)
    inner = cv2.erode(domain.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.abs(filled[inner].astype(int) - 64).max() <= 2
    assert np.array_equal(filled[~domain], colour[~domain])


def test_a_network_never_sees_the_foreground(tmp_path):
    colour, source, domain = scene()
    other = colour.copy()
    other[~source & ~domain] = (255, 0, 255)
    path = network(tmp_path / "lama.onnx")
    assert np.array_equal(*(fill_with_network(path, c, source, domain)[domain] for c in (colour, other)))


def test_what_is_no_such_network_says_so(tmp_path):
    colour, source, domain = scene()
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(network(tmp_path / "whole.onnx").read_bytes()[:-20])
    for path in (tmp_path / "missing.onnx", broken, cut, network(tmp_path / "other.onnx", mask="noise")):
        with pytest.raises(InputError, match=path.name):
            fill_with_network(path, colour, source, domain)
