"""The built-in network: what its file gives, run by OpenCV, and the depth map that is made of it.

The files here follow the real one's contract, but are single convolutions whose answers can be computed.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import InputError
from addon.spec import DepthSpec, PhotoSpec, SceneSpec
from addon.vision.depth import built_in as source
from addon.vision.depth import choose, estimators, is_network
from addon.vision.depth.built_in import BuiltInDepth, helped_out, look, side_of
from addon.vision.layered import DepthKind, DepthMap
from addon.vision.networks import Prediction, built_in
from addon.vision.networks.predicting import mean_with_mirrored
from addon.vision.photo import Photo, read_photo
from addon.vision.pipeline import make_layered_photo
from tests.vision.built_in_file import FOV, HORIZON, ROLL, SKY
from tests.vision.built_in_file import built_in as network_bytes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "built_in.onnx"
    path.write_bytes(network_bytes())
    return path


def silent(share: float, text: str) -> None:
    del share, text


def picture(height: int, width: int) -> np.ndarray:
    """Smooth colours: float32 H×W×3."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    return np.stack([0.5 + 0.4 * np.sin(5 * x), 0.3 + 0.2 * np.cos(4 * y), 0.9 - y], 2).astype(np.float32)


def landscape(height: int = 240, width: int = 320) -> np.ndarray:
    """A blue sky above a gray plain, with a red box on it: uint8 H×W×3."""
    colour = np.full((height, width, 3), (60, 40, 90), np.uint8)
    colour[: height // 3] = (90, 60, 250)
    colour[height // 2 : height * 3 // 4, width // 4 : width // 2] = (250, 40, 90)
    return colour


def photo(pixels: np.ndarray, fov: float | None = None) -> Photo:
    return Photo(Path("photo.png"), pixels, None, fov, "")


def estimated(file: Path, pixels: np.ndarray, **settings: object) -> DepthMap:
    return BuiltInDepth(file).estimate(photo(pixels), DepthSpec(**settings), silent)  # type: ignore[arg-type]


# The network -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [True, False])
def test_it_gives_what_its_file_computes(tmp_path: Path, half: bool) -> None:
    (tmp_path / "net.onnx").write_bytes(network_bytes(half))
    network = built_in.load(tmp_path / "net.onnx")
    for height, width, size in ((192, 256, (192, 256)), (256, 192, (256, 192)), (288, 384, (192, 256)), (192, 500, (192, 512))):
        image = picture(height, width)
        made = network.predict(image, 192, None)
        small = cv2.resize(image, (size[1] // 2, size[0] // 2), interpolation=cv2.INTER_AREA)
        rows = np.linspace(-1, 1, size[0]).reshape(-1, 2).mean(1)[:, None]
        assert made.values.shape == small.shape[:2] and made.kind is DepthKind.AFFINE_DISPARITY
        assert made.sky is not None and made.edges is not None and made.confidence is not None
        inner = np.s_[2:-2, 2:-2]
        np.testing.assert_allclose(made.values[inner], (2 * small[..., 0] + rows + 3)[inner], atol=0.01)
        np.testing.assert_allclose(made.sky[inner], (1 / (1 + np.exp(-40 * (small[..., 2] - SKY))))[inner], atol=0.08)
        np.testing.assert_allclose(made.edges[inner], (1 / (1 + np.exp(6 - 12 * (small[..., 0] + small[..., 1]))))[inner], atol=0.02)
        error = np.exp(4 * small[..., 1] - 3)
        np.testing.assert_allclose(made.confidence[inner], (1 / (1 + error**2))[inner], atol=0.02)
        assert made.horizon == pytest.approx(HORIZON, abs=1e-3) and made.roll == pytest.approx(ROLL, abs=1e-3)
        assert made.fov == pytest.approx(FOV, abs=0.1)


def test_the_mirrored_picture_takes_roll_and_horizon_along(file: Path) -> None:
    network = built_in.load(file)
    image = picture(192, 256)
    straight = network.predict(image, 192, None)
    mirrored = network.predict(np.ascontiguousarray(image[:, ::-1]), 192, None)
    mean = mean_with_mirrored(straight, mirrored)
    # This network says the same roll of both pictures, so that they contradict each other.
    assert mean.roll == pytest.approx(0, abs=1e-6) and mean.horizon == pytest.approx(HORIZON, abs=1e-3)
    for name in ("values", "sky", "edges", "confidence"):
        np.testing.assert_allclose(getattr(mean, name), getattr(straight, name), atol=5e-3)


def test_it_stays_loaded_until_the_file_changes(file: Path) -> None:
    first = built_in.load(file)
    assert built_in.load(file) is first and first.device == "CPU"
    file.write_bytes(network_bytes(half=False))
    assert built_in.load(file) is not first


def test_a_missing_damaged_or_other_file_is_one_sentence(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    cases = {
        "missing": None,
        "damaged": whole[:-40],
        "not the": network_bytes(outputs=("maps", "other")),
        "OpenCV cannot run": whole.replace(b"GlobalAveragePool", b"GlobalAveragePoox"),
    }
    for reason, data in cases.items():
        place = tmp_path / f"{reason.split()[0]}.onnx"
        if data is not None:
            place.write_bytes(data)
        with pytest.raises(InputError, match=reason) as caught:
            built_in.load(place)
        assert str(caught.value).startswith(str(place)) and "install the Stillscape extension again" in str(caught.value)
    empty = network_bytes(weights=[[float("nan")] * 4] * 4)
    file.write_bytes(empty)
    with pytest.raises(InputError, match="gives no depth"):
        built_in.load(file).predict(picture(192, 256), 192, None)


# The depth map -----------------------------------------------------------------------------------------------------------


def test_it_stands_first_in_the_menu_and_runs_in_blender() -> None:
    names = list(estimators())
    assert names[0] == "built-in" and choose(DepthSpec(estimator="built-in")).label == "Built-in (Fast, Rough)"
    assert not is_network(DepthSpec(estimator="built-in"))


def test_it_is_what_auto_takes_without_a_depth_map_and_a_network() -> None:
    assert choose(DepthSpec()) is source.ESTIMATOR
    assert choose(DepthSpec(file="depth.png")).name == "file" and choose(DepthSpec(network="net.onnx")).name == "network"


def test_the_file_that_comes_along_sees_a_floor_below_a_wall() -> None:
    """A tiled floor in perspective before a plain wall: whatever else the network is, it must see this, and in time."""
    height, width = 360, 480
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down = np.maximum(y - 0.45 * height, 1)
    tiles = (np.floor(4000 / down) + np.floor((x - width / 2) / down * 8)) % 2
    shade = np.where(y > 0.45 * height, 90 + 90 * tiles, 170 + 20 * x / width)
    pixels = (shade[..., None] * np.float32([1, 0.9, 0.75])).astype(np.uint8)
    made = BuiltInDepth().estimate(photo(pixels), DepthSpec(), silent)
    rows = made.values.mean(1)
    assert rows[-20:].mean() > rows[240:260].mean() > rows[:120].mean()
    assert made.fov is not None and 20 < made.fov < 110 and made.horizon is not None and 0 < made.horizon < 0.9


def test_the_file_that_comes_along_sees_a_person_before_a_wall_and_a_cup_on_a_table() -> None:
    """Two real photos: means of parts of them, in deviations of the whole."""
    from skimage import data

    made = BuiltInDepth().estimate(photo(data.astronaut()), DepthSpec(), silent)
    standard = (made.values - made.values.mean()) / made.values.std()
    assert standard[300:, 100:350].mean() > standard[:200, 300:].mean() + 1.5  # the suit, the wall beside the head
    assert standard[100:200, 180:260].mean() > standard[100:200, 430:].mean()  # the face, the wall
    assert len(made.faces) == 1
    made = BuiltInDepth().estimate(photo(data.coffee()), DepthSpec(), silent)
    standard = (made.values - made.values.mean()) / made.values.std()
    assert standard[50:250, 200:420].mean() > max(standard[:150, :100].mean(), standard[:150, 520:].mean()) + 1


def test_a_photo_becomes_a_depth_map(file: Path) -> None:
    made = estimated(file, landscape())
    assert made.values.shape == (240, 320) and made.values.dtype == np.float32 and np.isfinite(made.values).all()
    assert made.kind is DepthKind.AFFINE_DISPARITY and made.made_by == "built-in"
    assert made.fov == pytest.approx(FOV, abs=0.1) and made.horizon == pytest.approx(HORIZON, abs=0.01)
    assert made.confidence is not None and made.confidence.shape == (240, 320) and made.faces == ()
    assert made.sky is not None and made.sky[:76].all() and not made.sky[84:].any()
    assert (made.values[made.sky] == 0).all()
    box, left, below = made.values[150, 120], made.values[150, 40], made.values[230, 120]
    assert box > left + 1 and below > made.values[190, 120]  # red is near, and so is what is low


def test_the_edges_are_the_photos(file: Path) -> None:
    """The box of a photo of a thousand pixels has its silhouette within two pixels, which the network's map has not."""
    row = estimated(file, landscape(750, 1000)).values[450]
    near, far = float(row[375]), float(row[600])
    inside = row > (near + far) / 2
    assert abs(int(np.flatnonzero(inside)[0]) - 250) <= 2 and abs(int(np.flatnonzero(inside)[-1]) - 499) <= 2
    between = (row > far + 0.15 * (near - far)) & (row < near - 0.15 * (near - far))
    assert np.count_nonzero(between) <= 4


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 300), (40, 900), (700, 30), (33, 47)])
@pytest.mark.parametrize("settings", [{}, {"tiles": True, "flip": True}, {"network_size": 100, "sharpen": False}])
def test_photos_of_any_shape_and_settings(file: Path, height: int, width: int, settings: dict[str, object]) -> None:
    made = estimated(file, (picture(height, width) * 255).clip(0, 255).astype(np.uint8), **settings)
    assert made.values.shape == (height, width) and np.isfinite(made.values).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_photos_give_the_same_depth(file: Path, dtype: type) -> None:
    eight = landscape(96, 128)
    linear = np.where(eight / 255 <= 0.04045, eight / 255 / 12.92, ((eight / 255 + 0.055) / 1.055) ** 2.4).astype(np.float32)
    deep = eight.astype(np.uint16) * 257 if dtype is np.uint16 else linear
    np.testing.assert_allclose(estimated(file, deep).values, estimated(file, eight).values, atol=0.02)


def test_the_inputs_have_about_the_same_number_of_pixels_whatever_the_shape() -> None:
    for size in ((400, 300), (300, 400), (1600, 900), (500, 500), (6000, 1000)):
        short = side_of(size, 49152)
        assert short * short * max(size) / min(size) == pytest.approx(49152, rel=0.05)
    assert side_of((100_000, 100), 49152) == side_of((8, 1), 49152)


def test_larger_photos_are_seen_at_two_sizes(file: Path) -> None:
    network = built_in.load(file)
    small = look(network, (picture(150, 200) * 255).astype(np.uint8), DepthSpec(), silent)
    large = look(network, (picture(600, 800) * 255).clip(0, 255).astype(np.uint8), DepthSpec(), silent)
    assert small.values.shape == (96, 128) and large.values.shape == (144, 192)
    assert (
        look(network, (picture(600, 800) * 255).clip(0, 255).astype(np.uint8), DepthSpec(network_size=480), silent).values.shape[0] == 240
    )
    assert large.roll == pytest.approx(0, abs=1e-6) and large.horizon == pytest.approx(HORIZON, abs=1e-3)


def test_a_cancelled_estimate_stops_at_once(file: Path) -> None:
    class Stop(Exception):
        pass

    def cancel(share: float, text: str) -> None:
        raise Stop

    with pytest.raises(Stop):
        BuiltInDepth(file).estimate(photo(landscape()), DepthSpec(), cancel)


def test_a_false_sky_is_left_out() -> None:
    colour = np.full((96, 128, 3), 120, np.uint8)
    values = np.repeat(np.linspace(0, 1, 48, dtype=np.float32)[:, None], 64, 1)
    sky = np.zeros((48, 64), np.float32)
    sky[30:40, 20:40] = 1
    made = helped_out(Prediction(values, DepthKind.AFFINE_DISPARITY, sky=sky, horizon=0.4), colour, ())
    assert made.sky is None
    np.testing.assert_array_equal(made.values, values)


def test_it_becomes_a_layered_photo(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.ESTIMATOR, "source", file)
    cv2.imwrite(str(tmp_path / "photo.png"), landscape()[..., ::-1])
    layered = make_layered_photo(tmp_path / "photo.png", SceneSpec(depth=DepthSpec(estimator="built-in")), tmp_path / "layers", silent)
    assert layered.made["estimator"] == "built-in" and layered.camera.fov == pytest.approx(FOV, abs=0.1)
    assert layered.layers[-1].sky
    assert layered.camera.pitch == pytest.approx(math.degrees(math.atan((HORIZON - 0.5) * 2 * math.tan(math.radians(30)) * 0.75)), abs=0.3)
    fixed = SceneSpec(photo=PhotoSpec(fov=40.0), depth=DepthSpec(estimator="built-in"))
    assert make_layered_photo(tmp_path / "photo.png", fixed, tmp_path / "fixed", silent).camera.fov == 40


def test_without_its_file_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), landscape()[..., ::-1])
    with pytest.raises(InputError, match="built_in.onnx: the built-in depth network is missing .*install the Stillscape extension again"):
        BuiltInDepth(tmp_path / "built_in.onnx").estimate(read_photo(tmp_path / "photo.png"), DepthSpec(), silent)
