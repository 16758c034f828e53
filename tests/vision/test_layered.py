"""Depth of any kind becomes one d in [0, 1]; a layered photo is a folder that is whole or not there."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from addon.errors import InputError, StorageError
from addon.vision.layered import (
    AFFINE_FAR,
    AFFINE_NEAR,
    FARTHEST,
    INDEX,
    DepthKind,
    DepthMap,
    FilmTexture,
    Layer,
    LayeredPhoto,
    PhotoCamera,
    TextureKey,
    read_layered,
    to_disparity,
    write_layered,
)

METRES = np.linspace(2, 20, 48, dtype=np.float32).reshape(6, 8)


def depth(values, kind: DepthKind = DepthKind.METRIC_DEPTH) -> DepthMap:
    return DepthMap(np.asarray(values, np.float32), kind, "test")


def back_to_metres(scene) -> np.ndarray:
    return 1 / (scene.d * (1 / scene.near - 1 / scene.far) + 1 / scene.far)


# ---- to_disparity


@pytest.mark.parametrize("kind", [DepthKind.METRIC_DEPTH, DepthKind.METRIC_DISPARITY])
def test_metres_survive(kind):
    values = METRES if kind is DepthKind.METRIC_DEPTH else 1 / METRES
    scene = to_disparity(depth(values, kind))
    assert scene.d.dtype == np.float32 and scene.near == pytest.approx(2) and scene.far == pytest.approx(20)
    assert scene.d.max() == 1 and scene.d.min() == pytest.approx(0, abs=1e-6)
    assert np.allclose(back_to_metres(scene), METRES, rtol=1e-4)


@pytest.mark.parametrize("kind", [DepthKind.METRIC_DEPTH, DepthKind.METRIC_DISPARITY])
def test_a_given_range_clamps_metres(kind):
    values = METRES if kind is DepthKind.METRIC_DEPTH else 1 / METRES
    scene = to_disparity(depth(values, kind), near=4, far=10)
    assert (scene.near, scene.far) == (4, 10)
    assert np.allclose(back_to_metres(scene), np.clip(METRES, 4, 10), rtol=1e-4)


def test_infinitely_far_is_bounded_and_nothing_is_far():
    values = METRES.copy()
    values[0, 0], values[0, 1], values[0, 2] = np.inf, np.nan, 0
    scene = to_disparity(depth(values))
    assert scene.far <= FARTHEST and np.all(scene.d[0, :3] <= 1e-6) and np.isfinite(scene.d).all()
    sky = 1 / METRES
    sky[0] = 0
    scene = to_disparity(depth(sky, DepthKind.METRIC_DISPARITY))
    assert scene.far == pytest.approx(20) and (scene.d[0] == 0).all()


def test_affine_disparity_is_stretched():
    for scale, shift in ((1, 0), (3, -7), (0.001, 100)):
        scene = to_disparity(depth(np.linspace(0, 1, 12).reshape(3, 4) * scale + shift, DepthKind.AFFINE_DISPARITY))
        assert (scene.near, scene.far) == (AFFINE_NEAR, AFFINE_FAR)
        assert np.allclose(scene.d.ravel(), np.linspace(0, 1, 12), atol=1e-2)


@pytest.mark.parametrize(("near", "far"), [(None, 3.0), (None, 1000.0), (0.2, None), (50.0, None), (3.0, 4.0)])
def test_affine_disparity_with_part_of_a_range(near, far):
    scene = to_disparity(depth(METRES, DepthKind.AFFINE_DISPARITY), near=near, far=far)
    assert 0 < scene.near < scene.far and scene.near == (near or scene.near) and scene.far == (far or scene.far)


def test_affine_disparity_without_a_value_is_far():
    values = METRES.copy()
    values[2, 2] = np.nan
    assert to_disparity(depth(values, DepthKind.AFFINE_DISPARITY)).d[2, 2] == 0


@pytest.mark.parametrize("kind", list(DepthKind))
def test_a_flat_wall(kind):
    scene = to_disparity(depth(np.full((4, 5), 3), kind))
    assert 0 < scene.near < scene.far and np.isfinite(scene.d).all()


@pytest.mark.parametrize("kind", list(DepthKind))
def test_no_value_at_all(kind):
    with pytest.raises(InputError, match="test"):
        to_disparity(depth(np.full((4, 5), np.nan), kind))


def test_depth_that_is_nowhere_positive():
    with pytest.raises(InputError, match="--depth-kind"):
        to_disparity(depth(-METRES))


def test_near_beyond_far():
    with pytest.raises(InputError, match="--near"):
        to_disparity(depth(METRES, DepthKind.AFFINE_DISPARITY), near=5, far=2)


def test_the_estimators_values_are_left_alone():
    values = METRES.copy()
    to_disparity(depth(values), near=4)
    assert np.array_equal(values, METRES)


@given(
    arrays.arrays(np.float32, (5, 7), elements=st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0])),
    st.sampled_from(list(DepthKind)),
    st.none() | st.floats(0.01, 100),
    st.none() | st.floats(0.01, 1e5),
)
@settings(deadline=None, max_examples=200)
def test_d_is_always_between_0_and_1_and_near_is_large(values, kind, near, far):
    try:
        scene = to_disparity(depth(values, kind), near=near, far=far)
    except InputError:
        return
    assert scene.d.dtype == np.float32 and scene.d.shape == values.shape
    assert np.isfinite(scene.d).all() and scene.d.min() >= 0 and scene.d.max() <= 1
    assert 0 < scene.near < scene.far
    known = np.isfinite(values) & (values > 0)
    order = np.argsort(values[known])
    d = scene.d[known][order]
    assert (np.diff(-d if kind in (DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DEPTH) else d) >= 0).all()


# ---- the folder


def layered(folder: Path) -> LayeredPhoto:
    given = {
        "folder": folder,
        "name": "photo",
        "size": (8, 6),
        "camera": PhotoCamera(50.0, (0.1, -0.2), -3.0, 1.7),
        "near": 2.0,
        "far": 20.0,
        "layers": (
            Layer("1 Front", (0, 0, 8, 6)),
            Layer("2 Sky", (-1, 2, 9, 6), "h.png", "m.png", "h.npy", sky=True),
        ),
        "photo": "photo.jpg",
        "depth": "depth.npy",
        "grid": (8, 6),
        "levels": "levels.png",
        "close": 2.5,
        "focus": 5.0,
        "made": {"estimator": "test"},
        "texture": FilmTexture("texture.png", TextureKey(8, 6, 1.25)),
        "transparent": True,
    }
    return LayeredPhoto(**given)


def content() -> dict[str, bytes | np.ndarray]:
    return {
        "photo.jpg": b"jpeg",
        "depth.npy": METRES,
        "h.png": b"h",
        "h.npy": METRES[:2],
        "m.png": b"m",
        "texture.png": b"t",
        "levels.png": b"l",
    }


def test_it_comes_back_as_it_was_written(tmp_path):
    photo = layered(tmp_path / "new" / "photo.layers")
    write_layered(photo, content())
    found = read_layered(photo.folder)
    assert found == photo
    assert (
        np.array_equal(found.read_depth(), METRES)
        and np.array_equal(found.read_hidden_depth(found.layers[1]), METRES[:2])
        and found.path("photo.jpg").read_bytes() == b"jpeg"
    )
    assert sorted(os.listdir(tmp_path / "new")) == ["photo.layers"]


def test_writing_again_replaces_the_folder(tmp_path):
    photo = layered(tmp_path / "p")
    write_layered(photo, {**content(), "old.bin": b"old"})
    write_layered(replace(photo, far=30.0), content())
    assert read_layered(photo.folder).far == 30 and not (photo.folder / "old.bin").exists()
    assert os.listdir(tmp_path) == ["p"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        write_layered(layered(tmp_path / "file" / "p"), content())


def test_what_is_no_layered_photo_says_so(tmp_path):
    with pytest.raises(InputError, match="not a layered photo"):
        read_layered(tmp_path)
    photo = layered(tmp_path / "p")
    write_layered(photo, content())
    index = json.loads((photo.folder / INDEX).read_text(encoding="utf-8"))
    for broken in ({**index, "schema": 99}, {k: v for k, v in index.items() if k != "near"}, {**index, "layers": [{}]}, [], 3):
        (photo.folder / INDEX).write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(InputError):
            read_layered(photo.folder)
    (photo.folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    (photo.folder / "m.png").unlink()
    with pytest.raises(InputError, match=r"m\.png"):
        read_layered(photo.folder)
