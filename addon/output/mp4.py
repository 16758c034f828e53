"""The boxes of an MP4 film: list them, read what they say, and put the index in front.

Blender writes its index (`moov`) behind the pictures, so a browser must load the whole film before it can show the first
one, and it writes no boxes of its own for stereo or VR. Both take a change of a few boxes and none of the pictures.
Source of the layouts: ISO/IEC 14496-12 (the boxes), 14496-15 (`avcC`, `hvcC`), AV1 in ISOBMFF (`av1C`).
Standard library only.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..errors import RenderError
from ..vision.files import shown

_MAX_TOP_BOXES = 10_000
_MAX_INDEX = 64 * 1024 * 1024  # bytes of a moov box; a film of a million frames has about 20 MB
_MAX_NODES = 100_000
_MAX_DEPTH = 16
_COPY = 1024 * 1024  # bytes at a time
_LARGEST_STCO = 0xFFFFFFFF

_PLAIN_CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"))
_PRORES = {b"apco": "4:2:2", b"apcs": "4:2:2", b"apcn": "4:2:2", b"apch": "4:2:2", b"ap4h": "4:4:4", b"ap4x": "4:4:4"}
_VIDEO_ENTRIES = frozenset((b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"vp09", *_PRORES))
# what stands between the header of a container and its first child: stsd counts its entries, and a video entry has the
# fields of VisualSampleEntry
_PREFIX = {b"stsd": 8, **dict.fromkeys(_VIDEO_ENTRIES, 78)}
_PADDING = frozenset((b"free", b"skip", b"wide"))


class Box(NamedTuple):
    """Where a box lies in its file."""

    kind: bytes  # four letters
    start: int  # of its header, in bytes from the start of the file
    size: int  # in bytes, header included
    header: int  # bytes of its header: 8, or 16 where the size takes 64 bits

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass
class Node:
    """A box of the index in memory; change `children` or `payload` and `to_bytes` gives the changed box.

    payload: the content of a box without children; for one with children, what stands in front of the first.
    """

    kind: bytes
    payload: bytes = b""
    children: list[Node] | None = None

    def find(self, *kinds: bytes) -> Node | None:
        """The first box along the path `kinds` below this one."""
        return next(self.find_all(*kinds), None)

    def find_all(self, *kinds: bytes) -> Iterator[Node]:
        """Every box along the path `kinds` below this one."""
        for child in self.children or ():
            if child.kind == kinds[0]:
                if len(kinds) == 1:
                    yield child
                else:
                    yield from child.find_all(*kinds[1:])

    def size(self) -> int:
        """Bytes of the box when written, header included."""
        content = len(self.payload) + sum(child.size() for child in self.children or ())
        return content + (8 if content + 8 <= 0xFFFFFFFF else 16)

    def to_bytes(self) -> bytes:
        """The box as it stands in a file."""
        content = self.payload + b"".join(child.to_bytes() for child in self.children or ())
        size = len(content) + 8
        if size <= 0xFFFFFFFF:
            return struct.pack(">I4s", size, self.kind) + content
        return struct.pack(">I4sQ", 1, self.kind, size + 8) + content


class Colour(NamedTuple):
    """How the numbers of a film become colours: code points of ITU-T H.273 (1 is BT.709, matrix 6 is BT.601)."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


class SoundInfo(NamedTuple):
    """What the index says about the sound. codec: the sample entry's four letters. rate: samples per second."""

    codec: str
    channels: int
    rate: int
    seconds: float


@dataclass(frozen=True)
class FilmInfo:
    """What the index of a film says about its picture track."""

    codec: str  # "avc1" is H.264
    size: tuple[int, int]  # width, height of the coded picture in pixels
    shown_size: tuple[float, float]  # width, height at which players show it
    frames: int
    seconds: float
    moov_first: bool  # the index stands before the pictures
    chroma: str  # "4:2:0", or "" where the codec does not say
    bits: int  # per sample, or 0
    colour: Colour | None  # None: the container does not say, and players guess
    sound: SoundInfo | None = None
    alpha: bool = False  # as far as the container says
    comment: str = ""

    @property
    def fps(self) -> float:
        """Frames per second, on average."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


def boxes(path: Path) -> list[Box]:
    """Return the top-level boxes of the MP4 file at `path` in order.

    Raises RenderError, with one sentence that names the file, if it cannot be read or is not a row of whole boxes.
    """
    with _reading(path) as stream:
        return _top_boxes(stream)


def read_film(path: Path) -> FilmInfo:
    """Return what the index of the film at `path` says.

    Raises RenderError, with one sentence that names the file, if there is no whole index with one picture track in it.
    """
    with _reading(path) as stream:
        top = _top_boxes(stream)
        moov = _read_index(stream, _index_box(top))
        kinds = [box.kind for box in top]
        return _film_info(moov, moov_first=b"mdat" in kinds and kinds.index(b"moov") < kinds.index(b"mdat"))


def move_moov_first(source: Path, target: Path, *, edit: Callable[[Node], None] | None = None) -> None:
    """Write the film `source` to `target` with its index in front of the pictures, so that it plays while it loads.

    Top-level padding is dropped, everything else keeps its order and its bytes; only the chunk offsets change (and
    become 64 bits wide where they must). The pictures are copied piece by piece, never held in memory.
    edit: may change the tree of the index before it is written, for instance to add boxes to a video's sample entry.
    Raises RenderError, with one sentence that names `source`, if that is not a whole MP4 file, ValueError if `source` and
    `target` are one file, and OSError if `target` cannot be written: call it inside `write_atomically`.
    """
    if target.exists() and target.samefile(source):
        raise ValueError(f"{shown(target)}: the film cannot be rewritten onto itself; give another name.")
    with _reading(source) as stream:
        top = _top_boxes(stream)
        index = _index_box(top)
        moov = _read_index(stream, index)
        if edit is not None:
            edit(moov)
        kept = [box for box in top if box is not index and box.kind not in _PADDING]
        front = [box for box in kept[:1] if box.kind == b"ftyp"]
        rest = kept[len(front) :]
        _move_offsets(moov, front, rest)
    with source.open("rb") as stream, target.open("wb") as sink:
        for box in front:
            _copy(stream, box, sink)
        sink.write(moov.to_bytes())
        for box in rest:
            _copy(stream, box, sink)


def set_colour(moov: Node, colour: Colour, *, quicktime: bool = False) -> None:
    """Say in every video entry of the index `moov` what its colours are, unless it says so already.

    quicktime: in the form of MOV files, which does not tell the range.
    """
    data = struct.pack(">HHH", colour.primaries, colour.transfer, colour.matrix)
    data = b"nclc" + data if quicktime else b"nclx" + data + (b"\x80" if colour.full_range else b"\0")
    for entry in video_entries(moov):
        if entry.children is not None and entry.find(b"colr") is None:
            entry.children.append(Node(b"colr", data))


def set_comment(moov: Node, text: str, *, quicktime: bool = False) -> None:
    """Write `text` into the index `moov` as the film's comment, which players and media libraries show.

    As iTunes has it (udta, meta, ilst, ©cmt), which every program reads in MP4 files; quicktime: as QuickTime user data (udta, ©cmt) for
    MOV files. Sources: "QuickTime File Format Specification" (Apple, 2012), User Data Atoms and Metadata; ISO/IEC 14496-12, 8.11.1.
    What else the index says about the film stays.
    """
    data = text.encode("utf-8")
    assert moov.children is not None
    udta = moov.find(b"udta")
    if udta is None:
        udta = Node(b"udta")
        moov.children.append(udta)
    _open_up(udta)
    if quicktime:
        _put(udta, Node(_CMT, struct.pack(">HH", len(data), _ENGLISH) + data))
        return
    meta = udta.find(b"meta")
    if meta is None:
        handler = Node(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
        meta = Node(b"meta", bytes(4), [handler])
        _put(udta, meta)
    ilst = meta.find(b"ilst")
    if ilst is None:
        ilst = Node(b"ilst", b"", [])
        _put(meta, ilst)
    _put(ilst, Node(_CMT, b"", [Node(b"data", struct.pack(">II", _UTF8, 0) + data)]))


def comment_of(moov: Node) -> str:
    """What `set_comment` has written, in either form; empty if the index has no comment."""
    udta = moov.find(b"udta")
    if udta is None:
        return ""
    if udta.children is None:
        udta = Node(udta.kind, udta.payload)
        _open_up(udta)
    plain, tagged = udta.find(_CMT), udta.find(b"meta", b"ilst", _CMT, b"data")
    if tagged is not None:
        return tagged.payload[8:].decode("utf-8", "replace")
    return "" if plain is None or len(plain.payload) < 4 else plain.payload[4:].decode("utf-8", "replace")


_CMT = b"\xa9cmt"
_UTF8 = 1  # of the types of values in an ilst
_ENGLISH = 0x15C7  # packed ISO 639-2/T: "eng"


def _put(parent: Node, child: Node) -> None:
    """Add a box, in place of one of its kind."""
    parent.children = [*(c for c in parent.children or () if c.kind != child.kind), child]


def _open_up(udta: Node) -> None:
    """Read the boxes within user data, as deep as a comment may be. Raises ValueError if they are damaged."""
    if udta.children is not None:
        return
    content = udta.payload
    if content[-4:] == bytes(4) and _is_row(content[:-4]):  # QuickTime may end the list with a zero
        content = content[:-4]
    udta.payload, udta.children = b"", _Parser().children(content, 1)
    for meta in udta.find_all(b"meta"):
        # ISO's box has version and flags in front of its boxes, QuickTime's has not
        at = 4 if meta.payload[:4] == bytes(4) else 0
        meta.payload, meta.children = meta.payload[:at], _Parser().children(meta.payload[at:], 2)
        for ilst in meta.find_all(b"ilst"):
            ilst.payload, ilst.children = b"", _Parser().children(ilst.payload, 3)
            for item in ilst.children:
                if item.kind == _CMT:
                    item.payload, item.children = b"", _Parser().children(item.payload, 4)


def _is_row(content: bytes) -> bool:
    try:
        _Parser().children(content, 1)
    except ValueError:
        return False
    return True


def tag_prores(path: Path, colour: Colour) -> bool:
    """Say in every picture of the ProRes film at `path` what its colours are, in place; return whether all have alpha.

    Blender's encoder leaves "unknown" in the pictures' headers, which players take for more than the box beside them. Layout:
    SMPTE RDD 36, 5.1.1. Raises RenderError if it is not such a film, OSError if it cannot be written.
    """
    alpha = True
    with _reading(path) as stream:
        moov = _read_index(stream, _index_box(_top_boxes(stream)))
        starts = list(_sample_starts(next(t for t in moov.find_all(b"trak") if _is_video(t))))
    with path.open("r+b") as stream:
        for start in starts:
            stream.seek(start)
            head = stream.read(26)
            if head[4:8] != b"icpf" or len(head) < 26:
                raise RenderError(f"{shown(path)}: the film is not a whole ProRes film; make it again.")
            stream.seek(start + 22)
            stream.write(bytes((colour.primaries, colour.transfer, colour.matrix)))
            alpha = alpha and bool(head[25] & 15)
    return alpha


def _sample_starts(track: Node) -> Iterator[int]:
    """Where in the file every sample of a track begins (ISO/IEC 14496-12, 8.7.4)."""
    table = _only(track, b"mdia", b"minf", b"stbl")
    stsz, stsc = _only(table, b"stsz"), _only(table, b"stsc")
    one_size, count = _unpack(stsz, ">II", 4)
    sizes = [one_size] * count if one_size else _unpack(stsz, f">{count}I", 12)
    chunks = _offsets(next(node for node in table.children or () if node.kind in (b"stco", b"co64")))
    (entries,) = _unpack(stsc, ">I", 4)
    runs = [_unpack(stsc, ">II", 8 + 12 * i) for i in range(entries)]
    sample = run = 0
    for chunk, at in enumerate(chunks, start=1):
        if run + 1 < len(runs) and runs[run + 1][0] == chunk:
            run += 1
        for size in sizes[sample : sample + runs[run][1]]:
            yield at
            at += size
            sample += 1


def video_entries(moov: Node) -> Iterator[Node]:
    """Yield the sample entries (`avc1` and so on) of the index's video tracks; boxes for stereo and VR go into these."""
    for stsd in moov.find_all(b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        for entry in stsd.children or ():
            if entry.kind in _VIDEO_ENTRIES:
                yield entry


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """Open the film at `path`; what is wrong with it becomes one sentence."""
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise RenderError(f"{shown(path)}: the film cannot be read ({error.strerror or error}); make it again.") from error
    except ValueError as error:
        raise RenderError(f"{shown(path)}: the film is not a whole MP4 file ({error}); make it again.") from error


# From here on ValueError says what is wrong with the file, without its name and without a full stop.


def _header(data: bytes, room: int) -> tuple[bytes, int, int]:
    """The (kind, size, bytes of the header) of the box whose first bytes are `data` and that has `room` bytes at most."""
    if len(data) < 8:
        raise ValueError("it is cut off")
    size, kind = struct.unpack_from(">I4s", data)
    header = 8
    if size == 1:
        if len(data) < 16:
            raise ValueError("it is cut off")
        size = struct.unpack_from(">Q", data, 8)[0]
        header = 16
    elif size == 0:  # to the end
        size = room
    if size < header:
        raise ValueError(f"its box {_name(kind)} has an impossible size")
    if size > room:
        raise ValueError(f"its box {_name(kind)} is cut off")
    return kind, size, header


def _name(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))


def _top_boxes(stream: BinaryIO) -> list[Box]:
    length = stream.seek(0, 2)
    found: list[Box] = []
    at = 0
    while at < length:
        if len(found) >= _MAX_TOP_BOXES:
            raise ValueError("it has too many boxes")
        stream.seek(at)
        kind, size, header = _header(stream.read(16), length - at)
        found.append(Box(kind, at, size, header))
        at += size
    if not found:
        raise ValueError("it is empty")
    return found


def _index_box(top: list[Box]) -> Box:
    if any(box.kind == b"moof" for box in top):
        raise ValueError("it is in fragments")
    indices = [box for box in top if box.kind == b"moov"]
    if len(indices) != 1:
        raise ValueError("it has no index" if not indices else "it has more than one index")
    if indices[0].size > _MAX_INDEX:
        raise ValueError("its index is too large")
    return indices[0]


def _read_index(stream: BinaryIO, box: Box) -> Node:
    stream.seek(box.start + box.header)
    content = stream.read(box.size - box.header)
    if len(content) != box.size - box.header:
        raise ValueError("it is cut off")
    return Node(b"moov", b"", _Parser().children(content, 1))


class _Parser:
    """Reads the tree of the index; counts the boxes so that a hostile file costs little."""

    def __init__(self) -> None:
        self.nodes = 0

    def children(self, data: bytes, depth: int) -> list[Node]:
        if depth > _MAX_DEPTH:
            raise ValueError("its boxes are nested too deep")
        found: list[Node] = []
        at = 0
        while at < len(data):
            self.nodes += 1
            if self.nodes > _MAX_NODES:
                raise ValueError("it has too many boxes")
            kind, size, header = _header(data[at : at + 16], len(data) - at)
            found.append(self._node(kind, data[at + header : at + size], depth))
            at += size
        return found

    def _node(self, kind: bytes, content: bytes, depth: int) -> Node:
        if kind in _PLAIN_CONTAINERS:
            return Node(kind, b"", self.children(content, depth + 1))
        if kind in _PREFIX:
            skip = _PREFIX[kind]
            if len(content) < skip:
                raise ValueError(f"its box {_name(kind)} is cut off")
            return Node(kind, content[:skip], self.children(content[skip:], depth + 1))
        return Node(kind, content)


def _unpack(node: Node, layout: str, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(node.payload):
        raise ValueError(f"its box {_name(node.kind)} is cut off")
    return struct.unpack_from(layout, node.payload, at)


def _only(node: Node, *kinds: bytes) -> Node:
    found = node.find(*kinds)
    if found is None:
        raise ValueError(f"its box {_name(kinds[-1])} is missing")
    return found


def _film_info(moov: Node, *, moov_first: bool) -> FilmInfo:
    tracks = [t for t in moov.find_all(b"trak") if _is_video(t)]
    if len(tracks) != 1:
        raise ValueError("it has no picture track" if not tracks else "it has more than one picture track")
    track = tracks[0]
    entry = next(iter(_only(track, b"mdia", b"minf", b"stbl", b"stsd").children or ()), None)
    if entry is None or entry.children is None:
        raise ValueError("its codec is not known")
    table = _only(track, b"mdia", b"minf", b"stbl")
    frames = _sample_count(_only(table, b"stsz"))
    ticks = _ticks(_only(table, b"stts"), frames)
    width, height = _unpack(entry, ">HH", 24)
    chroma, bits = sampling(entry)
    return FilmInfo(
        codec=entry.kind.decode("latin-1"),
        size=(width, height),
        shown_size=_shown_size(_only(track, b"tkhd")),
        frames=frames,
        seconds=ticks / _timescale(_only(track, b"mdia", b"mdhd")),
        moov_first=moov_first,
        chroma=chroma,
        bits=bits,
        colour=_colour(entry.find(b"colr")),
        sound=_sound(moov),
        comment=comment_of(moov),
    )


def _sound(moov: Node) -> SoundInfo | None:
    """The first track of sound, if there is one."""
    track = next((t for t in moov.find_all(b"trak") if _handler(t) == b"soun"), None)
    if track is None:
        return None
    entry = next(iter(_only(track, b"mdia", b"minf", b"stbl", b"stsd").children or ()), None)
    if entry is None:
        raise ValueError("the codec of its sound is not known")
    (channels,) = _unpack(entry, ">H", 16)
    (rate,) = _unpack(entry, ">I", 24)
    mdhd = _only(track, b"mdia", b"mdhd")
    version = _unpack(mdhd, ">B", 0)[0]
    (length,) = _unpack(mdhd, ">Q", 24) if version == 1 else _unpack(mdhd, ">I", 16)
    return SoundInfo(entry.kind.decode("latin-1"), channels, rate >> 16, length / _timescale(mdhd))


def _handler(track: Node) -> bytes:
    handler = track.find(b"mdia", b"hdlr")
    return b"" if handler is None else handler.payload[8:12]


def _is_video(track: Node) -> bool:
    return _handler(track) == b"vide"


def _sample_count(stsz: Node) -> int:
    one_size, count = _unpack(stsz, ">II", 4)
    if one_size == 0 and len(stsz.payload) < 12 + 4 * count:
        raise ValueError("its box 'stsz' is cut off")
    return count


def _ticks(stts: Node, frames: int) -> int:
    """The length of all samples together in units of the timescale."""
    (entries,) = _unpack(stts, ">I", 4)
    if len(stts.payload) < 8 + 8 * entries:
        raise ValueError("its box 'stts' is cut off")
    counts_and_lengths = struct.unpack_from(f">{2 * entries}I", stts.payload, 8)
    counts = counts_and_lengths[0::2]
    if sum(counts) != frames:
        raise ValueError("its boxes 'stts' and 'stsz' count different numbers of pictures")
    return sum(n * length for n, length in zip(counts, counts_and_lengths[1::2], strict=True))


def _timescale(mdhd: Node) -> int:
    version = _unpack(mdhd, ">B", 0)[0]
    (timescale,) = _unpack(mdhd, ">I", 20 if version == 1 else 12)
    if timescale == 0:
        raise ValueError("its box 'mdhd' has a timescale of 0")
    return timescale


def _shown_size(tkhd: Node) -> tuple[float, float]:
    version = _unpack(tkhd, ">B", 0)[0]
    width, height = _unpack(tkhd, ">II", 88 if version == 1 else 76)
    return width / 65536, height / 65536


_CHROMA = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")


def sampling(entry: Node) -> tuple[str, int]:
    """(chroma format, bits) of a video entry from its decoder configuration; ("", 0) if that does not say.

    ISO/IEC 14496-15, 5.3.3.1 (`avcC`) and 8.3.3.1 (`hvcC`); "AV1 Codec ISO Media File Format Binding", 2.3 (`av1C`). A ProRes
    track says its chroma by its name, and has 10 bits, or 12 in the kinds of 4:4:4.
    """
    if entry.kind in _PRORES:
        return _PRORES[entry.kind], 12 if entry.kind in (b"ap4h", b"ap4x") else 10
    hvcc, av1c = entry.find(b"hvcC"), entry.find(b"av1C")
    if hvcc is not None:
        chroma, bits = _unpack(hvcc, ">BB", 16)
        return _CHROMA[chroma & 3], (bits & 7) + 8
    if av1c is not None:
        (flags,) = _unpack(av1c, ">B", 2)
        chroma = "4:0:0" if flags & 16 else {12: "4:2:0", 8: "4:2:2"}.get(flags & 12, "4:4:4")
        return chroma, 8 if not flags & 64 else 12 if flags & 32 else 10
    return _avc_sampling(entry.find(b"avcC"))


def _avc_sampling(avcc: Node | None) -> tuple[str, int]:
    if avcc is None:
        return "", 0
    profile = _unpack(avcc, ">B", 1)[0]
    if profile not in (100, 110, 122, 144, 244):
        return "4:2:0", 8  # the other profiles have nothing else
    at = 5
    for mask in (31, 255):  # the sequence parameter sets, then the picture parameter sets
        count = _unpack(avcc, ">B", at)[0] & mask
        at += 1
        for _ in range(count):
            at += 2 + _unpack(avcc, ">H", at)[0]
    if at + 2 > len(avcc.payload):
        return "", 0  # old writers leave it out
    chroma, bits = _unpack(avcc, ">BB", at)
    return _CHROMA[chroma & 3], (bits & 7) + 8


def _colour(colr: Node | None) -> Colour | None:
    if colr is None or colr.payload[:4] not in (b"nclx", b"nclc"):
        return None
    primaries, transfer, matrix = _unpack(colr, ">HHH", 4)
    full = colr.payload[:4] == b"nclx" and bool(_unpack(colr, ">B", 10)[0] & 0x80)
    return Colour(primaries, transfer, matrix, full)


# writing


def _move_offsets(moov: Node, front: list[Box], rest: list[Box]) -> None:
    """Make the chunk offsets in `moov` right for a file of `front`, `moov` and `rest` in this order."""
    for stbl in moov.find_all(b"trak", b"mdia", b"minf", b"stbl"):
        if stbl.find(b"saio") is not None:
            raise ValueError("it is encrypted")
    tables = [
        node
        for stbl in moov.find_all(b"trak", b"mdia", b"minf", b"stbl")
        for node in stbl.children or ()
        if node.kind in (b"stco", b"co64")
    ]
    old = [_offsets(table) for table in tables]
    # a table that becomes wider moves the pictures, which can make another one too narrow: each pass widens or ends
    while True:
        shifts = _shifts(front, rest, moov.size())
        widened = False
        for table, offsets in zip(tables, old, strict=True):
            moved = [_moved(offset, shifts) for offset in offsets]
            if table.kind == b"stco" and max(moved, default=0) > _LARGEST_STCO:
                table.kind = b"co64"
                widened = True
            width = "Q" if table.kind == b"co64" else "I"
            table.payload = table.payload[:8] + struct.pack(f">{len(moved)}{width}", *moved)
        if not widened:
            return


def _offsets(table: Node) -> tuple[int, ...]:
    (count,) = _unpack(table, ">I", 4)
    width, letter = (8, "Q") if table.kind == b"co64" else (4, "I")
    if len(table.payload) < 8 + width * count:
        raise ValueError(f"its box {_name(table.kind)} is cut off")
    return struct.unpack_from(f">{count}{letter}", table.payload, 8)


class _Shift(NamedTuple):
    start: int  # of the box in the old file
    end: int
    by: int  # bytes


def _shifts(front: Iterable[Box], rest: Iterable[Box], index_size: int) -> list[_Shift]:
    shifts: list[_Shift] = []
    at = 0
    for box in front:
        shifts.append(_Shift(box.start, box.end, at - box.start))
        at += box.size
    at += index_size
    for box in rest:
        shifts.append(_Shift(box.start, box.end, at - box.start))
        at += box.size
    return shifts


def _moved(offset: int, shifts: list[_Shift]) -> int:
    place = bisect_right(shifts, offset, key=lambda shift: shift.start) - 1
    if place < 0 or offset >= shifts[place].end:
        raise ValueError("its index points at no picture")
    return offset + shifts[place].by


def _copy(source: BinaryIO, box: Box, sink: BinaryIO) -> None:
    source.seek(box.start)
    left = box.size
    while left:
        data = source.read(min(left, _COPY))
        if not data:
            raise RenderError(f"{shown(source.name)}: the film became shorter while it was read; make it again.")
        sink.write(data)
        left -= len(data)
