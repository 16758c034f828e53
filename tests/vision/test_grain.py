"""A photo's grain: how much there is, taken out, and put on anew."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.output.grain import add_grain
from addon.vision.grain import Grain, bands, from_ycc, join, measure_grain, to_ycc, without_grain


def shapes(height: int = 240, width: int = 320) -> np.ndarray:
    """Soft shading with sharp disks, float64 in 0..1."""
    y, x = np.mgrid[0:height, 0:width] / width
    picture = np.stack([0.5 + 0.3 * np.sin(7 * x + k) * np.cos(5 * y - k) for k in range(3)], -1)
    random = np.random.default_rng(1)
    for _ in range(12):
        cv2.circle(
            picture, (int(random.integers(width)), int(random.integers(height))), 20, random.uniform(0.1, 0.9, 3).tolist(), -1, cv2.LINE_AA
        )
    return picture


def grain(sigma: float, coarse: float, shape: tuple[int, ...]) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    if coarse:
        noise = cv2.GaussianBlur(noise, (0, 0), coarse)
    return sigma * noise / noise.std()


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(1 / max(1e-12, float(np.mean((a - b) ** 2)))))


def neighbours(noise: np.ndarray) -> float:
    """Correlation of horizontally neighbouring values."""
    return float(np.mean(noise[:, 1:] * noise[:, :-1]) / noise.var())


@pytest.mark.parametrize(("sigma", "coarse", "gain"), [(0.02, 0.0, 8), (0.03, 0.8, 6), (0.01, 0.0, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grain_is_measured_taken_out_and_put_back(sigma: float, coarse: float, gain: float, dtype: type) -> None:
    clean = shapes()
    top = np.iinfo(dtype).max
    photo = np.rint(np.clip(clean + grain(sigma, coarse, clean.shape), 0, 1) * top).astype(dtype)
    found = measure_grain(photo)
    bare = without_grain(photo, found)
    assert bare.dtype == photo.dtype and bare.shape == photo.shape
    assert psnr(bare / top, clean) > psnr(photo / top, clean) + gain
    again = add_grain(bare, found, 1)
    assert again.dtype == photo.dtype
    fresh, old = (again.astype(float) - bare)[..., 1] / top, photo[..., 1] / top - clean[..., 1]
    assert fresh.std() == pytest.approx(old.std(), rel=0.3)
    assert neighbours(fresh) == pytest.approx(neighbours(old), abs=0.2)  # shading is taken for a little coarse grain
    assert abs(np.corrcoef(fresh.ravel(), old.ravel())[0, 1]) < 0.05


def test_every_frame_has_grain_of_its_own() -> None:
    clean = np.full((120, 160, 3), 128, np.uint8)
    found = measure_grain(np.clip(clean + 255 * grain(0.02, 0.6, clean.shape), 0, 255).astype(np.uint8))
    made = [add_grain(clean, found, n, seed=s).astype(float) - 128 for n, s in ((1, 1), (1, 1), (2, 1), (1, 2))]
    assert np.array_equal(made[0], made[1])
    for other in made[2:]:
        assert abs(np.corrcoef(made[0].ravel(), other.ravel())[0, 1]) < 0.03
    twice = add_grain(clean, found, 1, strength=2).astype(float) - 128
    assert twice.std() == pytest.approx(2 * made[0].std(), rel=0.05)
    assert np.array_equal(add_grain(clean, found, 1, strength=0), clean)


def test_grain_follows_the_brightness() -> None:
    """Grain in the shadows only stays there."""
    photo = np.full((200, 200, 3), 60.0)
    photo[:, 100:] = 190
    photo[:, :100] += 255 * grain(0.03, 0.0, (200, 100, 3))
    found = measure_grain(np.clip(photo, 0, 255).astype(np.uint8))
    flat = np.full((200, 200, 3), 60, np.uint8)
    flat[:, 100:] = 190
    made = add_grain(flat, found, 1).astype(float) - flat
    assert made[:, :95].std() > 4 and made[:, 105:].std() < 0.8


def test_without_grain_nothing_changes() -> None:
    flat = np.rint(shapes() * 255).astype(np.uint8)
    found = measure_grain(flat)
    assert found.sigma.max() < 0.004
    assert psnr(without_grain(flat, found) / 255, flat / 255) > 45


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (1100, 12)])
def test_any_size(size: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    found = measure_grain(photo)
    assert np.isfinite(found.sigma).all()
    assert without_grain(photo, found).shape == photo.shape and add_grain(photo, found, 3).shape == photo.shape
    alpha = np.dstack([photo, np.full(size, 77, np.uint8)])
    assert (add_grain(alpha, found, 3)[..., 3] == 77).all()


def test_written_down_and_read_back() -> None:
    found = measure_grain(np.random.default_rng(0).integers(100, 120, (64, 64, 3)).astype(np.uint8))
    assert np.allclose(Grain.from_list(found.to_list()).sigma, found.sigma, atol=1e-6)
    with pytest.raises(ValueError):
        Grain.from_list([1.0, 2.0])


def test_bands_add_up() -> None:
    picture = np.random.default_rng(0).random((37, 50, 3)).astype(np.float32)
    parts, rest = bands(picture), picture
    for _ in parts:
        rest = cv2.pyrDown(rest)
    assert np.allclose(join(parts, rest), picture, atol=1e-5) and np.allclose(from_ycc(to_ycc(picture)), picture, atol=1e-5)
