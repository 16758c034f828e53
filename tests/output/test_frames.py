"""Frames as files: names, ranges, verification, and PNG files without notes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.errors import RenderError, UsageError
from addon.output.frames import clean_png, frame_name, parse_frame_range, strip_png, verify_frame
from addon.vision.cv import cv

SIZE = (20, 10)


def picture(size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3), np.uint8)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bytes() -> bytes:
    return cv2.imencode(".png", picture())[1].tobytes()


def with_notes(data: bytes) -> bytes:
    """`data` with one chunk of every telltale kind behind IHDR and one to keep."""
    notes = b"".join(chunk(kind, b"Date\0" + bytes(range(20))) for kind in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"))
    return data[:33] + notes + chunk(b"pHYs", bytes(9)) + data[33:]


# names


@pytest.mark.parametrize(
    ("pattern", "number", "name"),
    [
        ("view_####.png", 1, "view_0001.png"),
        ("view_####.png", 12345, "view_12345.png"),
        ("view_####.png", -1, "view_-001.png"),
        ("view_#.png", 10, "view_10.png"),
        ("#a_##.exr", 7, "#a_07.exr"),
        ("out#/view_###.png", 7, "out#/view_007.png"),
        ("{x}_##.png", 7, "{x}_07.png"),
        ("####", 3, "0003"),
    ],
)
def test_the_last_run_of_hashes_in_the_name_becomes_the_number(pattern: str, number: int, name: str) -> None:
    assert frame_name(pattern, number) == Path(name)


@pytest.mark.parametrize("pattern", ["view.png", "folder_##/view.png", ""])
def test_a_pattern_without_a_place_for_the_number_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="####"):
        frame_name(pattern, 1)


@given(st.lists(st.integers(-9999, 99999), unique=True, max_size=50))
def test_different_frames_have_different_names(numbers: list[int]) -> None:
    assert len({frame_name("a_####.png", n) for n in numbers}) == len(numbers)


# ranges


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1-10", list(range(1, 11))),
        ("1..10", list(range(1, 11))),
        ("1-10:2", [1, 3, 5, 7, 9]),
        ("1..10:4", [1, 5, 9]),
        ("1,5,9-12", [1, 5, 9, 10, 11, 12]),
        ("1-1", [1]),
        ("9-12,1,5,9", [1, 5, 9, 10, 11, 12]),
        (" 3 , 4 - 5", None),
        (" 3 , 4-5 ", [3, 4, 5]),
        ("-5--3", [-5, -4, -3]),
        ("-5..-3", [-5, -4, -3]),
        ("-1-1", [-1, 0, 1]),
        ("-2", [-2]),
        ("", list(range(-10, 21))),
    ],
)
def test_ranges(text: str, frames: list[int] | None) -> None:
    if frames is None:
        with pytest.raises(UsageError):
            parse_frame_range(text, -10, 20)
    else:
        assert parse_frame_range(text, -10, 20) == frames


@pytest.mark.parametrize(
    "text",
    ["a", "1-", "-", "1,,2", ",", "1-2-3", "1:2", "5-1", "1-5:0", "1-5:-1", "1.5", "1e3", "٣", "1-999999999999", "1-999999999",
     "0", "11", "1-11", "9" * 5000, "1," * 60_000 + "1", "1\n2", "--1"],
)  # fmt: skip
def test_other_texts_are_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_frame_range(text, 1, 10)
    message = str(caught.value)
    assert message.startswith("--frame-range ") and message.endswith(".")
    assert "\n" not in message and len(message) < 250


def test_naming_a_long_film_over_and_over_is_refused_early() -> None:
    with pytest.raises(UsageError, match="over and over"):
        parse_frame_range(",".join(["1-1000000"] * 5000), 1, 1_000_000)


@given(st.text(alphabet="0123456789-.:, a", max_size=30))
def test_any_text_gives_frames_of_the_film_or_a_usage_error(text: str) -> None:
    try:
        frames = parse_frame_range(text, -50, 50)
    except UsageError:
        return
    assert frames == sorted(set(frames)) and frames and -50 <= frames[0] and frames[-1] <= 50


@given(st.sets(st.integers(-50, 50), min_size=1))
def test_what_is_written_out_is_what_is_read(frames: set[int]) -> None:
    assert parse_frame_range(",".join(map(str, frames)), -50, 50) == sorted(frames)


# verification


def written(path: Path, kind: str) -> Path:
    pixels = picture().astype(np.float32) / 255 if kind == "exr" else picture()
    assert cv().imwrite(str(path), pixels)
    return path


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpeg", ".jpg"), ("exr", ".exr")])
def test_a_whole_frame_passes_and_comes_back_decoded(tmp_path: Path, kind: str, suffix: str) -> None:
    pixels = verify_frame(written(tmp_path / f"ä b{suffix}", kind), SIZE, kind=kind)
    assert pixels.shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize(("kind", "suffix"), [("png", ".png"), ("jpeg", ".jpg"), ("exr", ".exr")])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_cut_frame_is_refused(tmp_path: Path, kind: str, suffix: str, share: float) -> None:
    path = written(tmp_path / f"cut{suffix}", kind)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(RenderError, match="cut"):
        verify_frame(path, SIZE, kind=kind)


def test_missing_wrong_sized_and_wrong_kinds_of_frames_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", "png")
    with pytest.raises(RenderError, match=r"missing\.png.*again"):
        verify_frame(tmp_path / "missing.png", SIZE, kind="png")
    with pytest.raises(RenderError, match="20x10.*10x20"):
        verify_frame(path, (10, 20), kind="png")
    with pytest.raises(RenderError, match="JPEG"):
        verify_frame(path, SIZE, kind="jpeg")
    with pytest.raises(RenderError):
        verify_frame(tmp_path, SIZE, kind="png")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_frame_gives_pixels_or_a_render_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("damaged") / "f.png"
    damaged = bytearray(png_bytes())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    with pytest.raises(RenderError):  # every byte stands under a checksum, the signature or a length
        verify_frame(path, SIZE, kind="png")


# notes


def test_notes_go_and_everything_else_stays_byte_for_byte() -> None:
    clean = clean_png(with_notes(png_bytes()) + b"hidden behind the end")
    assert clean == png_bytes()[:33] + chunk(b"pHYs", bytes(9)) + png_bytes()[33:]
    assert clean_png(clean) == clean


def test_a_file_is_rewritten_whole_and_only_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "f.png"
    path.write_bytes(with_notes(png_bytes()))
    strip_png(path)
    assert b"Date" not in path.read_bytes()
    assert np.array_equal(cv2.imread(str(path)), picture())
    inode = path.stat().st_ino
    strip_png(path)
    assert path.stat().st_ino == inode
    assert [p.name for p in tmp_path.iterdir()] == ["f.png"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_whole_png_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.png"
    path.write_bytes(content)
    with pytest.raises(RenderError, match=r"f\.png"):
        strip_png(path)
    assert path.read_bytes() == content
    with pytest.raises(ValueError):
        clean_png(content)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_png_gives_a_value_error(data: st.DataObject) -> None:
    damaged = bytearray(with_notes(png_bytes()))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError):
        clean_png(bytes(damaged))


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_signature_give_a_value_error_at_worst(content: bytes) -> None:
    with pytest.raises(ValueError):
        clean_png(b"\x89PNG\r\n\x1a\n" + content)
