"""What players read of films for two eyes: the boxes st3d and sv3d, found by a parser that shares nothing with ours."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy")
from addon.output import spherical  # noqa: E402
from addon.output.mp4 import Node  # noqa: E402
from tests.output.stereo_scenes import settings, shoot, two_depths  # noqa: E402

FIELDS = 6 + 2 + 16 + 2 + 2 + 4 + 4 + 4 + 2 + 32 + 2 + 2  # before the boxes of a VisualSampleEntry (ISO/IEC 14496-12)


def walk(data, start, end):
    """(kind, start of the content, end) of the boxes in data[start:end]."""
    while start < end:
        size = int.from_bytes(data[start : start + 4], "big")
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        assert size >= header and start + size <= end
        yield data[start + 4 : start + 8].decode("ascii"), start + header, start + size
        start += size
    assert start == end


def inside(data, *path):
    """Where the content of the box along `path` is."""
    start, end = 0, len(data)
    for kind in path:
        start, end = next((a, b) for k, a, b in walk(data, start, end) if k == kind)
        start += 8 if kind == "stsd" else FIELDS if kind == "avc1" else 0
    return start, end


def entry_of(film):
    data = film.read_bytes()
    start, end = inside(data, "moov", "trak", "mdia", "minf", "stbl", "stsd", "avc1")
    return data, list(walk(data, start, end))


@pytest.mark.versions
def test_a_vr180_film_says_what_it_is(tmp_path):
    two_depths(tmp_path)
    spec = settings(tmp_path, frames=2, mode="vr180", size=(64, 64), samples=1, name="truck")
    shoot(tmp_path, spec, name="film.mp4")
    data, boxes = entry_of(tmp_path / "film.mp4")
    kinds = [kind for kind, _, _ in boxes]
    # After what the codec needs, before what is optional; the sphere after the stereo.
    assert kinds[:3] == ["avcC", "st3d", "sv3d"]
    at = {kind: data[a:b] for kind, a, b in boxes}
    assert at["st3d"] == bytes(4) + b"\2"
    inner = {kind: (a, b) for kind, a, b in walk(at["sv3d"], 0, len(at["sv3d"]))}
    assert list(inner) == ["svhd", "proj"]
    header = at["sv3d"][slice(*inner["svhd"])]
    assert header[:4] == bytes(4) and header[4:] == b"Stillscape\0"
    projection = {kind: at["sv3d"][a:b] for kind, a, b in walk(at["sv3d"], *inner["proj"])}
    assert list(projection) == ["prhd", "equi"]
    assert struct.unpack(">I3i", projection["prhd"]) == (0, 0, 0, 0)
    flags, top, bottom, left, right = struct.unpack(">5I", projection["equi"])
    assert (flags, top, bottom) == (0, 0, 0)
    assert left / 2**32 == right / 2**32 == 0.25, "of the whole turn, a quarter is missing on either side"
    capture = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (128, 64)
    assert capture.read()[0] and capture.read()[0] and not capture.read()[0]


@pytest.mark.parametrize(
    ("mode", "first", "number"), [("side-by-side", "left", 2), ("half-top-bottom", "left", 1), ("half-side-by-side", "right", 4)]
)
def test_a_stereo_film_says_where_its_eyes_are(tmp_path, mode, first, number):
    two_depths(tmp_path)
    spec = settings(tmp_path, frames=2, mode=mode, first=first, size=(64, 48), samples=1, name="truck")
    shoot(tmp_path, spec, name="film.mp4")
    data, boxes = entry_of(tmp_path / "film.mp4")
    assert [(k, data[a:b]) for k, a, b in boxes][1] == ("st3d", bytes(4) + bytes([number]))
    assert "sv3d" not in [k for k, _, _ in boxes]
    if shutil.which("ffprobe"):
        say = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(tmp_path / "film.mp4")]
        stream = json.loads(subprocess.run(say, capture_output=True, text=True, check=True).stdout)["streams"][0]
        kinds = [side["type"] for side in stream.get("side_data_list", []) if side["side_data_type"] == "Stereo 3D"]
        assert kinds in ([], ["top and bottom" if number == 1 else "side by side"])


@pytest.mark.parametrize(("mode", "first"), [("off", "left"), ("anaglyph", "left"), ("quilt", "left"), ("top-bottom", "right")])
def test_what_players_show_as_it_is_says_nothing(mode, first):
    assert spherical.describe(mode, first) is None


def test_boxes_are_not_written_twice():
    entry = Node(b"avc1", bytes(78), [Node(b"avcC", b"x"), Node(b"colr", b"y")])
    moov = Node(b"moov")
    for kind in (b"stsd", b"stbl", b"minf", b"mdia", b"trak"):
        entry = Node(kind, b"", [entry])
    moov.children = [entry]
    edit = spherical.describe("vr180")
    edit(moov)
    edit(moov)
    found = next(moov.find_all(b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"))
    assert [child.kind for child in found.children] == [b"avcC", b"st3d", b"sv3d", b"colr"]


def test_a_depth_film(tmp_path):
    """Near is white, far is black, and its numbers are told."""
    _, depth = two_depths(tmp_path)
    spec = settings(tmp_path, frames=2, depth=True, samples=1, name="truck", amount=0.0)
    _, facts, _ = shoot(tmp_path, spec, name="film.mp4")
    assert facts == pytest.approx({"near": depth.min(), "far": depth.max()})
    picture = cv2.VideoCapture(str(tmp_path / "film.mp4")).read()[1]
    assert picture[44:76, 64:96].min() >= 250 and picture[4:30].max() <= 5
    assert np.ptp(picture.astype(int), axis=-1).max() <= 3
