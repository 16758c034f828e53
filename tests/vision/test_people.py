"""Whom the settings want to be rigged, from the photo to the layered photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon import spec as specs
from addon.errors import InputError
from addon.vision.face_edit import from_clicks
from addon.vision.landmarks import FILE, Person, to_json
from addon.vision.layered import read_layered
from addon.vision.people import files_of
from addon.vision.pipeline import make_layered_photo, recut_layers
from addon.vision.subject import people_of

SIZE = 96, 72
CLICKS = (0.42, 0.4), (0.58, 0.4), (0.45, 0.58), (0.55, 0.58), (0.5, 0.7)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A bright oval, nearer than the dark wall behind it."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    oval = ((x - 48) / 20) ** 2 + ((y - 38) / 26) ** 2 < 1
    picture = np.where(oval[..., None], (120, 150, 220), (60, 50, 40)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    np.save(tmp_path / "depth.npy", np.where(oval, 1.0, 4.0).astype(np.float32))
    return tmp_path / "photo.png"


def spec_of(photo: Path, **rig: object) -> specs.SceneSpec:
    spec = specs.SceneSpec()
    return replace(spec, depth=replace(spec.depth, file=str(photo.with_name("depth.npy")), kind="depth"), rig=specs.RigSpec(**rig))  # type: ignore[arg-type]


def quiet(share: float, text: str) -> None:
    del share, text


def test_landmarks_of_a_file_go_into_the_layered_photo_and_stay(photo, tmp_path):
    person = Person("Ada", from_clicks(SIZE, *CLICKS))
    (tmp_path / "people.json").write_text(to_json((person,)))
    spec = spec_of(photo, kind="face", landmarks=str(tmp_path / "people.json"))
    made = make_layered_photo(photo, spec, tmp_path / "out", quiet)
    assert made.landmarks == FILE and [p.name for p in people_of(read_layered(tmp_path / "out"))] == ["Ada"]
    assert [layer.person for layer in made.layers if layer.person] == ["Ada"]
    again = recut_layers(tmp_path / "out", spec, tmp_path / "again", quiet)
    assert [p.name for p in people_of(again)] == ["Ada"] and "Ada" in [layer.person for layer in again.layers]


def test_without_a_rig_nobody_is_looked_for(photo, tmp_path):
    made = make_layered_photo(photo, spec_of(photo), tmp_path / "out", quiet)
    assert made.landmarks is None and people_of(made) == () and not any(layer.person for layer in made.layers)


@pytest.mark.parametrize("kind", ["face", "body"])
def test_nobody_to_be_rigged_is_told(photo, tmp_path, kind):
    with pytest.raises(InputError, match=r"photo.png: no face was found in it; .* five clicks .* --landmarks"):
        make_layered_photo(photo, spec_of(photo, kind=kind), tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()
    (tmp_path / "people.json").write_text(to_json(()))
    with pytest.raises(InputError, match=r"people.json: no face was found"):
        make_layered_photo(photo, spec_of(photo, kind=kind, landmarks=str(tmp_path / "people.json")), tmp_path / "out", quiet)


def test_networks_go_where_they_belong():
    files = files_of(specs.RigSpec(face_network="a.task", face_detector="yunet.ONNX", pose_network="p.task"))
    assert (files.faces, files.face_points, files.yunet, files.body) == (None, Path("a.task"), Path("yunet.ONNX"), Path("p.task"))
    files = files_of(specs.RigSpec(face_detector="short.tflite"))
    assert (files.faces, files.face_points, files.yunet, files.body) == (Path("short.tflite"), None, None, None)
