"""Films and image sequences, read frame by frame."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from addon.errors import InputError
from addon.vision.video import is_film, open_film
from tests.vision.film_files import edited, flat, pan, write_film, write_sequence


def greys(film):
    return [round(float(p.pixels.mean())) for p in film.photos()]


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_every_frame_in_order_at_the_films_speed(tmp_path, name):
    path = write_film(tmp_path / name, flat(9), 23.976)
    assert is_film(path)
    film = open_film(path)
    assert film.size == (64, 48) and film.count == 9 and film.fps == pytest.approx(23.976, abs=1e-3) and film.name == "a"
    assert np.allclose(greys(film), np.arange(20, 181, 20), atol=4)
    assert next(film.photos()).pixels.dtype == np.uint8


def test_colours_are_red_green_blue(tmp_path):
    frames = [np.full((48, 64, 3), (20, 90, 200), np.uint8)] * 2
    pixels = next(open_film(write_film(tmp_path / "a.avi", frames)).photos()).pixels
    assert np.allclose(pixels.reshape(-1, 3).mean(0), (200, 90, 20), atol=3)


def test_large_untagged_films_count_as_bt709_and_tags_go_before_that(tmp_path):
    large = write_film(tmp_path / "large.mp4", [np.full((720, 1280, 3), (20, 200, 40), np.uint8)])
    small = write_film(tmp_path / "small.mp4", flat(1))
    assert open_film(large).undo is not None and open_film(small).undo is None
    for source, matrix, undone in ((small, 1, True), (large, 6, False), (large, 1, True)):

        def tag(moov, matrix=matrix):
            entry = next(n for n in walk(moov) if n.kind == b"mp4v")
            entry.payload += struct.pack(">I4s4sHHHB", 19, b"colr", b"nclx", matrix, matrix, matrix, 0)

        assert (open_film(edited(source, tmp_path / "tagged.mp4", tag)).undo is not None) is undone


def test_a_film_that_lies_on_its_side_is_turned(tmp_path):
    path = write_film(tmp_path / "a.mp4", pan(2, (64, 48)))

    def turn(moov):
        for track in (n for n in moov.children if n.kind == b"trak"):
            tkhd = track.find(b"tkhd")
            data = bytearray(tkhd.payload)
            data[40:76] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
            tkhd.payload = bytes(data)

    film = open_film(edited(path, tmp_path / "turned.mp4", turn))
    assert film.size == (48, 64)
    before, after = (next(f.photos()).pixels.astype(float) for f in (open_film(path), film))
    assert np.abs(cv2.rotate(before, cv2.ROTATE_90_CLOCKWISE) - after).mean() < 2


def test_uneven_times_become_even_ones(tmp_path):
    path = write_film(tmp_path / "a.mp4", flat(6), 10)

    def wait(moov):
        stts = next(n for n in walk(moov) if n.kind == b"stts")
        count, each = struct.unpack(">II", stts.payload[8:16])
        assert count == 6
        track = next(n for n in moov.children if n.kind == b"trak")
        track.children = [n for n in track.children if n.kind != b"edts"]  # says how long it all is
        # The third frame is shown for 0.7 seconds, the others for 0.1: 6 frames in 1.2 seconds, 5 a second.
        stts.payload = stts.payload[:4] + struct.pack(">I6I", 3, 2, each, 1, 7 * each, 3, each)

    film = open_film(edited(path, tmp_path / "uneven.mp4", wait))
    assert film.fps == pytest.approx(5, rel=0.02)
    assert [round(g / 20) for g in greys(film)] == [1, 3, 3, 3, 3, 5, 6]


def walk(node):
    yield node
    for child in node.children or ():
        yield from walk(child)


def test_a_sequence_is_read_by_number_with_alpha_and_16_bits(tmp_path):
    frames = [np.full((16, 16, 4), 1000 * i + 1, np.uint16) for i in range(9, 12)]
    pattern = write_sequence(tmp_path, frames, first=9)
    (tmp_path / "shot_notes.txt").write_text("no frame")
    assert is_film(pattern)
    film = open_film(pattern)
    assert film.count == 3 and film.fps is None and film.name == "shot"
    photos = list(film.photos())
    assert [p.pixels[0, 0, 0] for p in photos] == [9001, 10001, 11001] and photos[0].alpha is not None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: p / "missing.mp4", "no such file"),
        (lambda p: p / "none_####.png", "no such image sequence"),
        (
            lambda p: write_film(p / "a.mp4", flat(1)).rename(p / "empty.mp4") and (p / "empty.mp4").write_bytes(b"") or p / "empty.mp4",
            "empty",
        ),
    ],
)
def test_what_is_not_there_is_said(tmp_path, make, sentence):
    with pytest.raises(InputError, match=sentence):
        open_film(make(tmp_path))


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_film_that_is_cut_short_is_refused(tmp_path, name):
    path = write_film(tmp_path / name, pan(9))
    whole = path.read_bytes()
    for share in (0.3, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match="cut short"):
            open_film(path)


def test_garbage_behind_a_films_beginning_is_refused(tmp_path):
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1aE\xdf\xa3" + np.random.default_rng(0).bytes(5000))
    assert is_film(path)
    with pytest.raises(InputError, match="cannot be read|not one frame"):
        open_film(path)


def test_photos_are_no_films(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), flat(1)[0])
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert not is_film(tmp_path / "a.png") and not is_film(tmp_path / "a.heic") and not is_film(tmp_path / "missing.mp4")
    odd = tmp_path / "photo #1.png"
    cv2.imwrite(str(odd), flat(1)[0])
    assert not is_film(odd)


def test_frames_of_another_size_and_gaps_are_refused(tmp_path):
    pattern = write_sequence(tmp_path, [*flat(2), *flat(1, (32, 48))])
    with pytest.raises(InputError, match=r"shot_0003\.png: a frame is 32x48, the first one 64x48"):
        list(open_film(pattern).photos())
    (tmp_path / "shot_0002.png").unlink()
    with pytest.raises(InputError, match="number 2 is missing"):
        open_film(pattern)


def test_too_large_a_film_is_refused(tmp_path):
    path = write_film(tmp_path / "a.mp4", flat(1, (640, 480)))
    with pytest.raises(InputError, match="--max-megapixels"):
        open_film(path, max_megapixels=0.1)
