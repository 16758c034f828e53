"""Films and frames say that a person was animated, in every format, and nothing else of them changes."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon.errors import RenderError
from addon.output import frames as framing
from addon.output import render as rendering
from addon.output.film import deep_films, encode_film
from addon.output.formats import film_format
from addon.output.frames import clean_png, comments, note_frame
from addon.output.loops import encode_loop, xmp
from addon.output.matroska import read_matroska
from addon.output.mp4 import Node, comment_of, move_moov_first, read_film, set_comment
from addon.output.people import NOTE
from tests.output.test_film import scene_picture
from tests.output.test_mp4 import film_bytes

pytestmark = pytest.mark.versions
SIZE = (64, 48)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"frame{number}.png" for number in range(4)]
    for number, path in enumerate(made):
        cv2.imwrite(str(path), scene_picture(number))
    return made


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_frame_keeps_its_pixels_and_gets_a_comment(tmp_path, suffix):
    path = tmp_path / f"frame{suffix}"
    cv2.imwrite(str(path), scene_picture(1))
    before = cv2.imread(str(path))
    assert comments(path.read_bytes()) == []
    note_frame(path, NOTE)
    note_frame(path, NOTE)
    assert comments(path.read_bytes()) == [NOTE] and NOTE.encode() in path.read_bytes()
    assert np.array_equal(cv2.imread(str(path)), before)
    framing.verify_frame(path, SIZE, kind="png" if suffix == ".png" else "jpeg")
    if suffix == ".png":
        assert comments(clean_png(path.read_bytes())) == []


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_damaged_frame_is_told(tmp_path, suffix):
    path = tmp_path / f"frame{suffix}"
    with pytest.raises(RenderError, match="cannot be read"):
        note_frame(path, NOTE)
    path.write_bytes(b"no picture at all")
    with pytest.raises(RenderError, match="damaged"):
        note_frame(path, NOTE)
    assert path.read_bytes() == b"no picture at all"


def test_other_frames_are_left_alone(tmp_path):
    path = tmp_path / "frame.exr"
    path.write_bytes(b"anything")
    note_frame(path, NOTE)
    assert path.read_bytes() == b"anything"


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mp4", "auto"), ("film.mov", "h264"), ("film.mov", "prores"), ("film.mkv", "auto"), ("film.webm", "auto")]
)
def test_a_film_says_it_and_its_pictures_are_those_without(tmp_path, pictures, name, codec):
    if codec == "prores" and not deep_films():
        pytest.skip("this Blender has no ProRes")
    target = tmp_path / name
    form = film_format(target, codec)
    encode_film(pictures, target, fps=24, size=SIZE, form=form, note=NOTE)
    read = read_film if form.boxes else read_matroska
    info = read(target)
    assert info.comment == NOTE and info.frames == 4
    encode_film(pictures, tmp_path / f"plain_{name}", fps=24, size=SIZE, form=form)
    plain = read(tmp_path / f"plain_{name}")
    assert plain.comment == "" and NOTE.encode() not in (tmp_path / f"plain_{name}").read_bytes()
    assert replace(info, comment="") == plain
    probe = shutil.which("ffprobe")
    if probe:
        told = subprocess.run([probe, "-v", "error", "-show_format", str(target)], capture_output=True, text=True, check=True).stdout
        assert NOTE in told and ("comment" in told.lower() or "note" in told.lower())


def test_an_index_with_user_data_of_its_own_keeps_it(tmp_path):
    (tmp_path / "in.mp4").write_bytes(film_bytes())
    tool = struct.pack(">I4s", 20, b"data") + struct.pack(">II", 1, 0) + b"tool"
    ilst = struct.pack(">I4s", 8 + 8 + len(tool), b"ilst") + struct.pack(">I4s", 8 + len(tool), b"\xa9too") + tool
    meta = struct.pack(">I4sI", 12 + len(ilst), b"meta", 0) + ilst

    def edit(moov: Node) -> None:
        assert moov.children is not None
        moov.children.append(Node(b"udta", meta))
        set_comment(moov, "earlier")
        set_comment(moov, NOTE)
        assert comment_of(moov) == NOTE

    move_moov_first(tmp_path / "in.mp4", tmp_path / "out.mp4", edit=edit)
    assert read_film(tmp_path / "out.mp4").comment == NOTE
    content = (tmp_path / "out.mp4").read_bytes()
    assert b"tool" in content and b"earlier" not in content and content.count(b"\xa9cmt") == 1


@pytest.mark.parametrize("content", [b"\0\0\0\x09meta", b"\0\0\0\x10meta\0\0\0\0\0\0\0\x01", b"abc"])
def test_damaged_user_data_is_no_traceback(tmp_path, content):
    (tmp_path / "in.mp4").write_bytes(film_bytes())

    def edit(moov: Node) -> None:
        assert moov.children is not None
        moov.children.append(Node(b"udta", content))

    move_moov_first(tmp_path / "in.mp4", tmp_path / "out.mp4", edit=edit)
    with pytest.raises(RenderError, match="not a whole MP4 file"):
        read_film(tmp_path / "out.mp4")


def test_an_animated_webp_says_it(tmp_path, pictures):
    target = tmp_path / "loop.webp"
    encode_loop(pictures, target, fps=10, size=SIZE, note=NOTE)
    data = target.read_bytes()
    assert xmp(NOTE) in data and struct.unpack_from("<I", data, 4)[0] == len(data) - 8 and data[20] & 0x04
    encode_loop(pictures, tmp_path / "plain.webp", fps=10, size=SIZE)
    assert b"XMP " not in (tmp_path / "plain.webp").read_bytes()


def test_an_animated_gif_says_it(tmp_path, pictures):
    pytest.importorskip("PIL")
    encode_loop(pictures, tmp_path / "loop.gif", fps=10, size=SIZE, note=NOTE)
    assert NOTE.encode() in (tmp_path / "loop.gif").read_bytes()


@pytest.mark.parametrize("suffix", [".exr", ".jpg", ".png"])
def test_blenders_own_frames_say_it(tmp_path, suffix):
    scene = bpy.context.scene
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    scene.render.resolution_x, scene.render.resolution_y = 32, 24
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    rendering.set_format(scene, suffix, deep=False, transparent=False)
    for text in (NOTE, ""):
        rendering.set_note(scene, text)
        raw = tmp_path / f"frame{suffix}"
        rendering.render_one(scene, 1, raw)
        assert (NOTE.encode() in raw.read_bytes()) == bool(text)
