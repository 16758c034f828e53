"""Views of shards: labels that follow crop, turn and mirror, photos that stay photos, scores, and a whole short run."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from addon.errors import InputError  # noqa: E402
from training import data, formation, network, score, train  # noqa: E402

torch.set_num_threads(1)

H, W = 168, 224


def floor(pitch: float, roll: float, fov: float, height: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Disparity of a floor, and its normal in the camera's axes; `roll` turns the camera clockwise."""
    p, r = np.radians(pitch), np.radians(roll)
    # Down, in the axes of a camera that looks down by p and is turned clockwise by r (x right, y down, z forward).
    down = np.array([np.cos(p) * np.sin(r), np.cos(p) * np.cos(r), np.sin(p)])
    f = W / 2 / np.tan(np.radians(fov) / 2)
    y, x = np.mgrid[0:H, 0:W] + 0.5
    rays = np.dstack([(x - W / 2) / f, (y - H / 2) / f, np.ones((H, W))])
    return np.maximum(rays @ down / height, 0).astype(np.float32), -down


def make_shard(folder, name="floor-1", pitch=12.0, roll=5.0, fov=60.0, views=2):
    shard = folder / name
    shard.mkdir(parents=True)
    disparity, normal = floor(pitch, roll, fov)
    light = np.full((H, W, 3), 0.2) + 0.3 * (disparity == 0)[..., None]
    np.save(shard / "colour.npy", np.stack([np.round(65535 * np.sqrt(light / 16)).astype(np.uint16)] * views))
    np.save(shard / "disparity.npy", np.stack([disparity.astype(np.float16)] * views))
    solid = (disparity > 0)[..., None] * np.round(normal * 127)
    np.save(shard / "normal.npy", np.stack([solid.astype(np.int8)] * views))
    about = {"family": "floor", "seed": 1, "views": [{"fov": fov, "pitch": pitch, "roll": roll}] * views}
    (shard / "about.json").write_text(json.dumps(about))
    os.utime(shard / "about.json", (time.time() - 60,) * 2)
    return shard


WINDOWS = [
    data.Window((112, 84), 1.0, 0.0, False),
    data.Window((112, 84), 1.0, 0.0, True),
    data.Window((100, 95), 0.6, 0.1, False),
    data.Window((125, 90), 0.6, -0.08, True),
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("pitch", "roll"), [(12.0, 5.0), (-4.0, -7.0)])
def test_horizon_roll_fov_and_normals_are_those_of_the_floor_that_a_view_shows(tmp_path, window, pitch, roll) -> None:
    shard = data.open_shard(make_shard(tmp_path, pitch=pitch, roll=roll))
    light, full, truth = data.seen(shard, 0, window, (160, 192))
    assert light.shape == (160, 192, 3) and full.shape == (160, 192) and truth.disparity.shape == (80, 96)
    d = truth.disparity
    y, x = np.mgrid[0:80, 0:96] + 0.5
    seen = d > 0.02
    a, b, c = np.linalg.lstsq(np.stack([x[seen] - 48, y[seen] - 40, np.ones(seen.sum())], 1), d[seen], rcond=None)[0]
    length = np.hypot(a, b)
    horizon, turn, tangent = truth.view
    assert horizon == pytest.approx(0.5 - c / length / 80, abs=0.01)
    assert turn == pytest.approx(np.arctan2(a, b), abs=0.01)
    # n · ray · z = -height: along the picture, disparity rises by -n / (height * focal length) a pixel.
    normal, focal = truth.normals[seen].mean(0) / 127, 48 / np.exp(tangent)
    assert [a, b] == pytest.approx(-normal[:2] / 1.5 / focal, abs=0.02 * length)


def test_windows_stay_in_the_picture_and_shares_of_mirrored_ones_are_even() -> None:
    random = np.random.default_rng(0)
    chosen = [data.choose_window((H, W), (160, 192), random) for _ in range(300)]
    for x, y in (window.middle for window in chosen):
        assert 0 < x < W and 0 < y < H
    assert all(0.49 < window.step * 192 / W <= 1.01 for window in chosen)
    assert 100 < sum(window.flip for window in chosen) < 200


def test_edges_lie_on_the_nearer_side_and_not_on_floors() -> None:
    d, _ = floor(12.0, 0.0, 60.0)
    d = np.ascontiguousarray(d[::2, ::2])
    assert data.edges(d)[50:].sum() == 0
    d[30:70, 40:50] = 1.0
    found = data.edges(d)
    assert found[35:65, 40].all() and found[35:65, 49].all() and found[30, 41:49].all()
    assert not found[35:65, 39].any() and not found[35:65, 50].any() and not found[35:65, 42:48].any()
    d[:, 60:] = -1
    assert not data.edges(d)[:, 60:].any()


@pytest.mark.parametrize(
    "effect", [formation.grey, formation.aged, formation.mixed, formation.painted, formation.lettered, formation.framed]
)
def test_effects_keep_the_shape(effect) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    for seed in range(8):
        got = effect(picture, np.random.default_rng(seed))
        assert got.shape == picture.shape and got.dtype == np.uint8


def test_photos_of_all_kinds_stay_photos() -> None:
    disparity, _ = floor(12.0, 5.0, 60.0)
    disparity[60:120, 80:120] = 1.0
    y = np.linspace(0, 40, W)
    light = (0.25 + 0.2 * np.sin(y)[None, :, None] * np.ones((H, 1, 3)) + 3.0 * (disparity == 1.0)[..., None]).astype(np.float32)
    means, spreads = [], []
    for seed in range(150):
        picture = formation.photo(light, disparity, np.random.default_rng(seed), 2.0)
        assert picture.shape == light.shape and picture.dtype == np.uint8
        means.append(picture.mean())
        spreads.append(picture.std())
    assert 60 < np.mean(means) < 200 and np.min(spreads) > 3
    again = formation.photo(light, disparity, np.random.default_rng(7), 2.0)
    assert np.array_equal(again, formation.photo(light, disparity, np.random.default_rng(7), 2.0))


def test_tone_curves_rise() -> None:
    for seed in range(60):
        table = formation.tone_table(np.random.default_rng(seed))
        assert table.min() >= 0 and table.max() <= 1 and table[-1] - table[0] > 0.5 and np.diff(table).min() > -1e-3


def test_new_shards_are_found_and_held_out_ones_are_not_trained_on(tmp_path, monkeypatch) -> None:
    names = [f"floor-{i}" for i in range(200)]
    held = next(name for name in names if data.is_held_out(tmp_path / name))
    trained = [name for name in names if not data.is_held_out(tmp_path / name)]
    make_shard(tmp_path, held)
    batches = data.Batches(tmp_path)
    request = data.Request(3, (160, 192), 4, 1.0)
    with pytest.raises(InputError, match="no finished shards"):
        batches[request]
    make_shard(tmp_path, trained[0], views=1)
    make_shard(tmp_path, trained[1], views=2)
    first = batches[request]
    assert first["image"].shape == (4, 3, 160, 192) and first["image"].dtype == torch.uint8
    assert first["normals"].shape == (4, 3, 80, 96) and first["view"].shape == (4, 3)
    assert all(torch.equal(value, batches[request][name]) for name, value in first.items())
    assert sum(len(b["image"]) for b in data.validation(tmp_path)) == 2
    with pytest.raises(InputError, match="gone"):
        data.find(tmp_path / "gone")


def test_a_photo_is_fed_in_its_own_shape() -> None:
    assert score.fitting(480, 640) == (192, 256) and score.fitting(640, 480) == (256, 192)
    assert score.fitting(375, 1242) == (128, 416)
    ramp = score.as_input(np.zeros((64, 32, 3), np.float32))[0, 3, :, 0]
    assert ramp[0] == -1 and ramp[-1] == 1


LOAD = """
import numpy as np
def items():
    ramp = np.repeat(np.linspace(0.1, 1, 96, dtype=np.float32)[:, None], 128, 1)
    yield "ramp", (ramp[..., None] * np.array([255, 200, 100])).astype(np.uint8), ramp, ramp > 0
def absrel_delta1(pred, truth, valid):
    return float(np.abs(pred - truth)[valid].mean()), float((np.abs(pred - truth) < 0.1)[valid].mean())
def ordinal(pred, truth, valid):
    return float(np.corrcoef(pred[valid], truth[valid])[0, 1])
"""


def test_photos_are_scored_through_the_folders_own_measures(tmp_path) -> None:
    (tmp_path / "load.py").write_text(LOAD)

    def brightness(image):
        maps = np.zeros((1, 4, image.shape[2] // 2, image.shape[3] // 2), np.float32)
        maps[0, 0] = image[0, 0, ::2, ::2]
        return maps, np.zeros((1, 3), np.float32)

    found = score.development(brightness, tmp_path, flip=True, second=1.5)
    assert found["mean"].ordinal > 0.99
    assert score.development(None, tmp_path)["ramp"].absrel == pytest.approx(0.05, abs=0.01)
    with pytest.raises(InputError, match="load.py"):
        score.development(None, tmp_path / "nowhere")


def test_a_run_trains_scores_and_goes_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(train, "Plan", lambda: network.Plan(widths=(8, 8, 8, 16, 16), blocks=(1, 1, 1, 1), decoder=(8, 8, 8, 8)))
    for i in range(60, 70):  # the last but one is held out
        make_shard(tmp_path / "data", f"floor-{i}", pitch=5 + i % 20, views=1)
    (tmp_path / "load.py").write_text(LOAD)
    command = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"), "--dev", str(tmp_path), "--workers", "0", "--batch", "2"]
    assert train.main([*command, "--minutes", "0.02", "--cores", "1"]) == 0
    for name in ("last.safetensors", "best.safetensors", "checkpoint.pt", "curve.png", "preview.png"):
        assert (tmp_path / "run" / name).stat().st_size > 500
    assert train.main([*command, "--minutes", "0.04", "--cores", "1"]) == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 2 and lines[1]["steps"] > lines[0]["steps"] and lines[1]["minutes"] > lines[0]["minutes"]
    assert np.isfinite([lines[1]["loss"], lines[1]["dev_absrel"], lines[1]["held_out"]]).all()
    assert train.main([*command, "--init", str(tmp_path / "gone.safetensors")]) == 3
