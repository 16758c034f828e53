"""Running a network on a photo: less memory, mirrored, tiles. The networks here are small functions of the picture itself."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from addon.errors import RenderError
from addon.vision.cv import cv
from addon.vision.layered import DepthKind, inverted
from addon.vision.networks import OutOfMemory, Prediction
from addon.vision.networks.predicting import fit_affine, mean_with_mirrored, predict


def inverse(prediction: Prediction) -> np.ndarray:
    return inverted(prediction.values, prediction.kind)


class Brightness:
    """Takes the red channel for 1/z, at its own resolution; its memory holds inputs up to `most` pixels on the shorter side."""

    device, fixed = "Test device", False

    def __init__(self, side: int = 64, most: int = 10_000, kind: DepthKind = DepthKind.AFFINE_DISPARITY, skew: float = 0.0) -> None:
        self.side, self.most, self.kind, self.skew = side, most, kind, skew
        self.sizes: list[tuple[int, float | None]] = []

    def predict(self, picture: np.ndarray, side: int, focal: float | None) -> Prediction:
        self.sizes.append((side, focal))
        if side > self.most:
            raise OutOfMemory("no")
        height, width = picture.shape[:2]
        scale = side / min(height, width)
        small = cv().resize(picture, (round(width * scale), round(height * scale)), interpolation=cv().INTER_AREA)
        values = small[..., 0] + self.skew * np.linspace(0, 1, small.shape[1], dtype=np.float32)
        if self.kind in (DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DEPTH):
            values = 1 / (values + 0.1)
        normals = np.zeros((*values.shape, 3), np.float32) + np.float32((0.6, 0, -0.8))
        return Prediction(
            values.astype(np.float32), self.kind, fov=50 + 10 * self.skew, normals=normals, sky=(small[..., 2] > 0.9).astype(np.float32)
        )


def picture(height: int, width: int) -> np.ndarray:
    """A gradient with fine stripes in red."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red = 0.5 * y / height + 0.3 * (np.sin(x / 2) > 0)
    return np.stack([red, 0 * red, (y < height / 8).astype(np.float32)], 2).astype(np.float32)


def run(network: Brightness, photo: np.ndarray, **settings: object) -> Prediction:
    given = {"side": None, "focal": None, "flip": False, "tiles": False, "progress": lambda share, text: None, **settings}
    return predict(network, photo, **given)  # type: ignore[arg-type]


def test_the_networks_own_size_unless_another_is_asked_for() -> None:
    network = Brightness(64)
    assert run(network, picture(200, 300)).values.shape == (64, 96)
    assert run(network, picture(200, 300), side=100, focal=0.9).values.shape == (100, 150)
    assert network.sizes == [(64, None), (100, 0.9)]


def test_less_memory_means_a_smaller_input_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    network = Brightness(512, most=300)
    with caplog.at_level(logging.WARNING):
        made = run(network, picture(600, 800))
    assert [side for side, _ in network.sizes] == [512, 384, 288]
    assert "Test device has not enough memory" in caplog.text and "288" in caplog.text
    assert made.values.shape == (288, 384)
    caplog.clear()
    run(network, picture(600, 800))  # the next frame of a film
    assert network.sizes[-1][0] == 288 and len(network.sizes) == 4 and not caplog.text


def test_no_memory_at_all_is_one_sentence() -> None:
    with pytest.raises(RenderError, match="Test device has not enough memory for this network; choose a smaller network"):
        run(Brightness(512, most=10), picture(600, 800))
    fixed = Brightness(512, most=300)
    fixed.fixed = True
    with pytest.raises(RenderError):
        run(fixed, picture(600, 800))
    assert len(fixed.sizes) == 1


@pytest.mark.parametrize("kind", list(DepthKind))
def test_the_mirrored_picture_takes_out_what_leans(kind: DepthKind) -> None:
    photo = picture(128, 192)
    true = inverse(run(Brightness(kind=kind), photo))
    plain, both = (inverse(run(Brightness(kind=kind, skew=0.4), photo, flip=flip)) for flip in (False, True))

    def error(values: np.ndarray) -> float:
        a, b = fit_affine(values, true)
        return float(np.abs(a * values + b - true).mean())

    assert error(both) < 0.2 * error(plain)


def test_mirrored_normals_and_numbers() -> None:
    straight = Prediction(
        np.ones((4, 6), np.float32), DepthKind.METRIC_DEPTH, 40.0, np.zeros((4, 6, 3), np.float32) + np.float32((0.6, 0, -0.8))
    )
    mirrored = Prediction(np.full((4, 6), 0.5, np.float32), DepthKind.METRIC_DEPTH, 50.0, straight.normals)
    made = mean_with_mirrored(straight, mirrored)
    np.testing.assert_allclose(made.values, 1 / 1.5)  # the mean of 1/z
    assert made.fov == 45 and made.normals is not None
    np.testing.assert_allclose(made.normals, np.broadcast_to(np.float32((0, 0, -1)), (4, 6, 3)), atol=1e-6)


def test_missing_values_are_taken_from_the_other_half() -> None:
    hole = np.ones((4, 6), np.float32)
    hole[1, 2] = np.nan
    made = mean_with_mirrored(
        Prediction(hole, DepthKind.AFFINE_DISPARITY), Prediction(np.ones((4, 6), np.float32), DepthKind.AFFINE_DISPARITY)
    )
    assert np.isfinite(made.values).all()
    both = mean_with_mirrored(Prediction(hole, DepthKind.METRIC_DEPTH), Prediction(hole[:, ::-1], DepthKind.METRIC_DEPTH))
    assert np.isnan(both.values[1, 2]) and np.isnan(both.values).sum() == 1


@pytest.mark.parametrize("kind", list(DepthKind))
def test_tiles_bring_back_the_detail_of_a_large_photo(kind: DepthKind) -> None:
    photo = picture(400, 600)
    network, plain = Brightness(100, kind=kind), Brightness(100, kind=kind)
    tiled, whole = run(network, photo, tiles=True, focal=1.0), run(plain, photo)
    assert len(network.sizes) == 10 and network.sizes[0] == (100, 1.0)
    assert network.sizes[1][1] == pytest.approx(2.5, rel=0.01)  # a tile sees less, so its focal length is more of its width
    assert tiled.values.shape == (250, 375)
    true = inverse(run(Brightness(250, kind=kind), photo))

    def error(values: np.ndarray) -> float:
        return float(np.abs(cv().resize(inverse(Prediction(values, kind)), (375, 250)) - true)[20:-20, 20:-20].mean())

    assert error(tiled.values) < 0.6 * error(whole.values)
    assert tiled.sky is not None and tiled.sky.shape == (250, 375) and tiled.normals is not None and tiled.normals.shape == (250, 375, 3)


def test_a_tile_that_sees_something_else_is_left_out() -> None:
    class Lying(Brightness):
        def predict(self, picture: np.ndarray, side: int, focal: float | None) -> Prediction:
            made = super().predict(picture, side, focal)
            if len(self.sizes) == 1:
                return made
            return Prediction(np.random.default_rng(0).random(made.values.shape, np.float32), made.kind)

    photo = picture(400, 600)
    tiled, whole = run(Lying(100), photo, tiles=True), run(Brightness(100), photo)
    np.testing.assert_allclose(tiled.values, cv().resize(whole.values, (375, 250)), atol=1e-6)


def test_small_photos_have_no_tiles() -> None:
    network = Brightness(100)
    run(network, picture(120, 160), tiles=True)
    assert len(network.sizes) == 1


def test_progress_counts_the_runs_and_may_cancel() -> None:
    seen: list[float] = []

    def progress(share: float, text: str) -> None:
        seen.append(share)
        if len(seen) == 3:
            raise KeyboardInterrupt

    network = Brightness(100)
    with pytest.raises(KeyboardInterrupt):
        run(network, picture(400, 600), tiles=True, flip=True, progress=progress)
    assert seen == [0, 1 / 20, 2 / 20] and len(network.sizes) == 2


def test_fit_affine_takes_the_majoritys_word() -> None:
    random = np.random.default_rng(1)
    x = random.random((50, 60), np.float32)
    y = 3 * x - 1
    y[:15] = 40
    x[20, 3] = np.nan
    assert fit_affine(x, y) == pytest.approx((3, -1), abs=0.05)
    assert fit_affine(x, 2 * x, offset=False) == pytest.approx((2, 0))
    assert fit_affine(np.ones((3, 3), np.float32), np.full((3, 3), 5, np.float32)) == (1.0, 4.0)
    assert fit_affine(np.full((3, 3), np.nan, np.float32), np.ones((3, 3), np.float32)) == (1.0, 0.0)
