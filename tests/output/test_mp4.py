"""The boxes of a film: moving the index in front, reading it back, and damaged files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.errors import RenderError
from addon.output import mp4
from addon.output.mp4 import Box, Colour, Node, boxes, move_moov_first, read_film, set_colour, video_entries

KINDS = [b"ftyp", b"moov", b"mdat", b"trak", b"avc1", b"stsd", b"\xff\0\n\x1b"]
PICTURES = [b"first picture", b"second", b"the third one"]


def box(kind: bytes, content: bytes = b"", *, wide: bool = False, open_end: bool = False) -> bytes:
    if open_end:
        return struct.pack(">I4s", 0, kind) + content
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full(kind: bytes, *numbers: int, version: int = 0, letter: str = "I") -> bytes:
    return box(kind, bytes([version, 0, 0, 0]) + struct.pack(f">{len(numbers)}{letter}", *numbers))


def index(offsets: list[int], *, wide: bool = False) -> bytes:
    """A moov of one H.264 track, one picture of one second to each chunk."""
    count = len(offsets)
    avcc = box(b"avcC", bytes((1, 100, 0, 10, 0xFF, 0xE1, 0, 2, 1, 2, 1, 0, 1, 3, 0xFD, 0xF8, 0xF8, 0)))
    entry = box(b"avc1", bytes(24) + struct.pack(">HH", 64, 48) + bytes(50) + avcc)
    chunks = box(b"co64" if wide else b"stco", bytes(4) + struct.pack(f">I{count}{'Q' if wide else 'I'}", count, *offsets))
    stbl = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1) + entry)
        + full(b"stts", 1, count, 500)
        + full(b"stsz", 0, count, *map(len, PICTURES))
        + chunks,
    )
    tkhd = full(b"tkhd", *[0] * 18, 64 << 16, 48 << 16)
    media = full(b"mdhd", 0, 0, 1000, 500 * count, 0) + box(b"hdlr", bytes(8) + b"vide" + bytes(13)) + box(b"minf", stbl)
    return box(b"moov", full(b"mvhd", *[0] * 24) + box(b"trak", tkhd + box(b"mdia", media)))


def film_bytes(*, wide_mdat: bool = False, wide_offsets: bool = False, open_end: bool = False, extra: bytes = b"") -> bytes:
    """A film as Blender leaves it: ftyp, free, mdat, moov."""
    front = box(b"ftyp", b"isom" + bytes(4)) + box(b"free") + extra
    at = len(front) + (16 if wide_mdat else 8)
    offsets = []
    for picture in PICTURES:
        offsets.append(at)
        at += len(picture)
    mdat = box(b"mdat", b"".join(PICTURES), wide=wide_mdat)
    moov = index(offsets, wide=wide_offsets)
    return front + mdat + (struct.pack(">I", 0) + moov[4:] if open_end else moov)


def pictures_of(path: Path) -> list[bytes]:
    """What the index of the film points at."""
    data = path.read_bytes()
    found = []
    for kind, letter in ((b"stco", "I"), (b"co64", "Q")):
        at = data.find(kind)
        if at >= 0:
            (count,) = struct.unpack_from(">I", data, at + 8)
            offsets = struct.unpack_from(f">{count}{letter}", data, at + 12)
            found = [data[o : o + len(p)] for o, p in zip(offsets, PICTURES, strict=True)]
    return found


def moved(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "in.mp4").write_bytes(data)
    move_moov_first(tmp_path / "in.mp4", tmp_path / "out.mp4")
    return tmp_path / "out.mp4"


@pytest.mark.parametrize("wide_mdat", [False, True])
@pytest.mark.parametrize("wide_offsets", [False, True])
@pytest.mark.parametrize("open_end", [False, True])
def test_the_index_comes_first_and_still_points_at_the_pictures(
    tmp_path: Path, wide_mdat: bool, wide_offsets: bool, open_end: bool
) -> None:
    data = film_bytes(wide_mdat=wide_mdat, wide_offsets=wide_offsets, open_end=open_end, extra=box(b"uuid", bytes(20)))
    out = moved(tmp_path, data)
    assert pictures_of(tmp_path / "in.mp4") == PICTURES
    assert [b.kind for b in boxes(out)] == [b"ftyp", b"moov", b"uuid", b"mdat"]
    assert pictures_of(out) == PICTURES
    assert out.stat().st_size == len(data) - 8  # nothing but the padding is gone


def test_moving_twice_changes_nothing(tmp_path: Path) -> None:
    once = moved(tmp_path, film_bytes())
    move_moov_first(once, tmp_path / "twice.mp4")
    assert (tmp_path / "twice.mp4").read_bytes() == once.read_bytes()


def test_pictures_that_reach_to_the_end_of_the_file(tmp_path: Path) -> None:
    data = moved(tmp_path, film_bytes()).read_bytes()
    at = data.index(b"mdat") - 4
    out = moved(tmp_path, data[:at] + bytes(4) + data[at + 4 :])
    assert boxes(out)[-1].kind == b"mdat" and pictures_of(out) == PICTURES


def test_boxes_lists_places_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(box(b"ftyp", bytes(4)) + box(b"mdat", bytes(5), wide=True) + box(b"free", bytes(3), open_end=True))
    assert boxes(tmp_path / "a.mp4") == [Box(b"ftyp", 0, 12, 8), Box(b"mdat", 12, 21, 16), Box(b"free", 33, 11, 8)]


def test_the_index_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(film_bytes())
    info = read_film(tmp_path / "a.mp4")
    assert (info.codec, info.size, info.shown_size, info.frames, info.seconds, info.fps) == ("avc1", (64, 48), (64.0, 48.0), 3, 1.5, 2.0)
    assert (info.moov_first, info.chroma, info.bits, info.colour) == (False, "4:2:0", 8, None)
    assert read_film(moved(tmp_path, film_bytes())).moov_first


def test_boxes_can_be_added_to_the_video_entry_on_the_way(tmp_path: Path) -> None:
    colour = Colour(primaries=1, transfer=1, matrix=6, full_range=False)

    def edit(moov: Node) -> None:
        set_colour(moov, colour)
        set_colour(moov, Colour(9, 9, 9, True))  # it says so already
        for entry in video_entries(moov):
            assert entry.children is not None
            entry.children.append(Node(b"st3d", b"\0\0\0\0\2"))

    (tmp_path / "in.mp4").write_bytes(film_bytes())
    move_moov_first(tmp_path / "in.mp4", tmp_path / "out.mp4", edit=edit)
    assert read_film(tmp_path / "out.mp4").colour == colour
    assert pictures_of(tmp_path / "out.mp4") == PICTURES
    assert b"\0\0\0\x0dst3d\0\0\0\0\2" in (tmp_path / "out.mp4").read_bytes()


def tables(*offsets: int) -> Node:
    """An index with one track for each offset."""
    tracks = []
    for offset in offsets:
        node = Node(b"stco", struct.pack(">III", 0, 1, offset))
        for kind in (b"stbl", b"minf", b"mdia", b"trak"):
            node = Node(kind, b"", [node])
        tracks.append(node)
    return Node(b"moov", b"", tracks)


def place(front: list[Box], rest: list[Box], moov: Node) -> list[tuple[bytes, int]]:
    mp4._move_offsets(moov, front, rest)
    found = []
    for trak in moov.children or ():
        table = next(child for stbl in [trak.find(b"mdia", b"minf", b"stbl")] for child in stbl.children)
        found.append((table.kind, mp4._offsets(table)[0]))
    return found


def test_offsets_past_4_gib_get_a_wide_table() -> None:
    ftyp, mdat = Box(b"ftyp", 0, 20, 8), Box(b"mdat", 20, 5 << 30, 16)
    last_narrow = 0xFFFFFFFF
    moov = tables(100, last_narrow)
    found = place([ftyp], [mdat], moov)
    size = len(moov.to_bytes())
    assert size == moov.size()
    assert found == [(b"stco", 100 + size), (b"co64", last_narrow + size)]


def test_a_table_that_widens_can_push_another_one_over_the_limit() -> None:
    ftyp, mdat = Box(b"ftyp", 0, 20, 8), Box(b"mdat", 20, 5 << 30, 16)
    narrow_size = tables(0, 0).size()
    just_fits = 0xFFFFFFFF - narrow_size
    assert place([ftyp], [mdat], tables(just_fits, 100)) == [(b"stco", 0xFFFFFFFF), (b"stco", 100 + narrow_size)]
    moov = tables(just_fits, just_fits + 1)
    found = place([ftyp], [mdat], moov)
    assert found == [(b"co64", just_fits + moov.size()), (b"co64", just_fits + 1 + moov.size())]


# damaged files


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"abc", "cut off"),
        (b"GIF89a not a film at all", "cut off"),
        (box(b"ftyp"), "no index"),
        (box(b"moov") + box(b"moov"), "more than one index"),
        (box(b"ftyp") + box(b"moov") + box(b"moof"), "fragments"),
        (struct.pack(">I4s", 4, b"ftyp"), "impossible"),
        (struct.pack(">I4sQ", 1, b"ftyp", 8), "impossible"),
        (struct.pack(">I4s", 1, b"ftyp"), "cut off"),
        (struct.pack(">I4sQ", 1, b"ftyp", 1 << 63), "cut off"),
        (film_bytes()[:-1], "cut off"),
        (box(b"free") * 10_001, "too many"),
        (box(b"moov", box(b"free") * 100_001), "too many"),
    ],
)
def test_damaged_files_get_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    for use in (read_film, lambda p: move_moov_first(p, tmp_path / "out.mp4")):
        with pytest.raises(RenderError, match=rf"bad\.mp4.*{reason}.*again\.$"):
            use(path)
    assert not (tmp_path / "out.mp4").exists()


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    data = b""
    for _ in range(2000):
        data = box(b"trak", data)
    (tmp_path / "bad.mp4").write_bytes(box(b"moov", data))
    with pytest.raises(RenderError, match="deep"):
        read_film(tmp_path / "bad.mp4")


def test_offsets_outside_every_box_are_refused(tmp_path: Path) -> None:
    data = bytearray(film_bytes())
    struct.pack_into(">I", data, data.index(b"stco") + 12, 1 << 30)
    (tmp_path / "bad.mp4").write_bytes(data)
    with pytest.raises(RenderError, match="no picture"):
        move_moov_first(tmp_path / "bad.mp4", tmp_path / "out.mp4")


def test_missing_files_and_rewriting_in_place(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"none\.mp4"):
        boxes(tmp_path / "none.mp4")
    with pytest.raises(RenderError):
        read_film(tmp_path)
    (tmp_path / "a.mp4").write_bytes(film_bytes())
    with pytest.raises(ValueError, match="onto itself"):
        move_moov_first(tmp_path / "a.mp4", tmp_path / "a.mp4")
    with pytest.raises(OSError):
        move_moov_first(tmp_path / "a.mp4", tmp_path / "no folder" / "a.mp4")


def survives(folder: Path, data: bytes) -> None:
    path = folder / "damaged.mp4"
    path.write_bytes(data)
    for use in (boxes, read_film, lambda p: move_moov_first(p, folder / "out.mp4")):
        try:
            use(path)
        except RenderError as error:
            assert str(path) in str(error)


quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(st.data())
def test_a_film_with_wrong_bytes_gives_a_film_or_a_render_error(tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(film_bytes(wide_mdat=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.sampled_from([0, 1, 2, 7, 8, 127, 255]))
    survives(tmp_path, bytes(damaged))


@quick
@given(st.data())
def test_a_film_with_a_piece_missing_gives_a_film_or_a_render_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = film_bytes()
    a, b = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    survives(tmp_path, whole[:a] + whole[b:])


@quick
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=40)), max_size=6))
def test_any_row_of_boxes_gives_a_film_or_a_render_error(tmp_path: Path, row: list[tuple[bytes, bytes]]) -> None:
    survives(tmp_path, b"".join(box(kind, content) for kind, content in row))
