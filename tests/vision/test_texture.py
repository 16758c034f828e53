"""The film texture: exact in the middle of every film pixel, smooth between, free of what the film cannot show."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision import texture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [3, 4])
def test_every_third_texel_is_the_photo(dtype, channels):
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 1, (13, 17, channels)).astype(np.float32)
    photo = pixels if dtype == np.float32 else (pixels * np.iinfo(dtype).max).astype(dtype)
    texels = texture.film_texture(photo, (17, 13))
    assert texels.shape == (39, 51, channels) and texels.dtype == dtype
    assert np.array_equal(texels[1::3, 1::3], photo)


def test_detail_for_a_nearing_camera_leaves_the_rest_pose_alone():
    photo = np.random.default_rng(1).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    rest = texture.average_down(photo, (40, 30))
    plain = texture.film_texture(photo, (40, 30))
    near = texture.film_texture(photo, (40, 30), magnification=2)
    for texels in (plain, near):
        assert np.array_equal(texels[1::3, 1::3], rest)
    assert near.astype(float).std() > plain.astype(float).std()  # it has more of the photo's detail


@pytest.mark.parametrize("shape", [(64, 48), (61, 47), (64, 47)])
def test_averaging_keeps_the_light(shape):
    photo = np.zeros((*shape, 3), np.uint8)
    photo[:, ::2] = 255
    for size in ((shape[1] // 3, shape[0] // 3), (shape[1] // 2, shape[0] // 2)):
        small = texture.average_down(photo, size)
        light = texture.srgb_to_linear(small / 255).mean()
        assert light == pytest.approx(texture.srgb_to_linear(photo / 255).mean(), abs=0.01)


def test_srgb_round_trip():
    values = np.arange(65536) / 65535
    assert np.abs(texture.linear_to_srgb(texture.srgb_to_linear(values)) - values).max() < 1e-6


def test_too_large_photos_get_one_texel_a_pixel(monkeypatch):
    monkeypatch.setattr(texture, "MOST_TEXELS", 100)
    photo = np.random.default_rng(1).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    assert np.array_equal(texture.film_texture(photo, (16, 12)), photo)
