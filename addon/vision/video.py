"""Films and image sequences, read frame by frame: never more than one frame is kept.

A film is what FFmpeg, as it comes with OpenCV, decodes; told apart from a photo by its content. An image sequence is named
by a pattern, `shot_####.png`. docs/video.md describes what is done with colours, rotation, speed and alpha.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import read_file, shown
from .photo import SMALLEST, Photo, read_photo

log = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".3gp")
"""Of files that may be films, for a file browser; what a file is decides its content."""

_PICTURES = (b"avif", b"avis", b"heic", b"heix", b"heif", b"hevc", b"mif1", b"msf1", b"crx ")
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"skip", b"free")
_STARTS = (b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
_MOST_INDEX = 2**26  # bytes of an MP4's index that are looked at; an hour of film has about 2 MB
_MOST_HEAD = 2**16
_EARLY = 0.25  # frames that one may come before its time; times are rounded in files
_HDR = (16, 18)  # transfer: PQ and HLG
_BT709, _BT601 = (0.2126, 0.0722), (0.299, 0.114)


@dataclass(frozen=True)
class Film:
    """A film or an image sequence. size: (width, height) in pixels, upright. fps: frames per second, None for a sequence.

    count: frames as the file says, which for some kinds of file is an estimate, or files of the sequence. files: those of
    a sequence by number. undo: 3×3, B, G, R from what OpenCV makes of the film's numbers; None where it is right.
    """

    path: Path
    size: tuple[int, int]
    fps: float | None
    count: int
    files: dict[int, Path] | None = None
    undo: NDArray[np.float32] | None = None
    max_megapixels: float = 100.0

    @property
    def name(self) -> str:
        """Its name without suffix and number."""
        return film_name(self.path)

    def photos(self) -> Iterator[Photo]:
        """Every frame in order, at the film's speed. Raises InputError where one cannot be read or is of another size."""
        return _sequence_photos(self) if self.files is not None else _film_photos(self)


def is_film(path: Path) -> bool:
    """Whether `path` is a film by its content, or a pattern (`shot_####.png`) of an image sequence; False if it cannot be read."""
    if is_pattern(path):
        return True
    try:
        with open(path, "rb") as f:
            return is_film_start(f.read(4096))
    except (OSError, ValueError):
        return False


def film_name(path: Path) -> str:
    """The name of a film or sequence without suffix and number."""
    return (re.sub(r"[ ._-]*#+", "", path.stem) if is_pattern(path) else path.stem) or "Film"


def is_film_start(data: bytes) -> bool:
    """Whether a file that begins with these bytes is a film."""
    if data[4:8] == b"ftyp":
        return not any(brand in data[8:64] for brand in _PICTURES)
    if data[:4] == b"RIFF":
        return data[8:12] == b"AVI "
    return data[4:8] in _OLD_QUICKTIME or data.startswith(_STARTS) or (data[:1] == b"\x47" and data[188:189] == b"\x47")


def is_pattern(path: Path | str) -> bool:
    """Whether a path names an image sequence: it has `#` in its name, and there is no file of just that name."""
    path = Path(path)
    return "#" in path.name and not path.exists()


def numbered_files(pattern: Path) -> dict[int, Path]:
    """The files that a pattern names, by number, in order. The last run of `#` stands for a number of that many digits or more.

    Raises InputError if there is none or one is missing in between.
    """
    run = list(re.finditer("#+", pattern.name))[-1]
    digits = run.end() - run.start()
    wanted = re.compile(re.escape(pattern.name[: run.start()]) + rf"(\d{{{digits},}})" + re.escape(pattern.name[run.end() :]))
    try:
        found = {int(m[1]): p for p in pattern.parent.iterdir() if (m := wanted.fullmatch(p.name)) and f"{int(m[1]):0{digits}d}" == m[1]}
    except OSError as error:
        raise InputError(f"{shown(pattern.parent)}: the folder cannot be read ({error.strerror or error}); check the name.") from error
    if not found:
        example = f"{pattern.name[: run.start()]}{1:0{digits}d}{pattern.name[run.end() :]}"
        raise InputError(f"{shown(pattern)}: there is no such image sequence; its files would be called {shown(example)} and so on.")
    numbers = sorted(found)
    gap = next((a + 1 for a, b in zip(numbers, numbers[1:]) if b != a + 1), None)
    if gap is not None:
        raise InputError(f"{shown(pattern)}: number {gap} is missing from the image sequence; add it or renumber the files.")
    return {n: found[n] for n in numbers}


def open_film(path: Path, *, max_megapixels: float = 100) -> Film:
    """Look at a film or, for a pattern, an image sequence. Raises InputError with one sentence if it cannot be used."""
    path = Path(path)
    if is_pattern(path):
        files = numbered_files(path)
        first = read_photo(next(iter(files.values())), max_megapixels=max_megapixels)
        return Film(path, first.size, None, len(files), files, max_megapixels=max_megapixels)
    read_file_start(path)
    _check_whole(path)
    capture = _open(path)
    try:
        read, pixels = capture.read()
        if not read:
            raise InputError(f"{shown(path)}: not one frame of the film can be decoded; convert it to an MP4 with H.264.")
        size = (pixels.shape[1], pixels.shape[0])
        _check_film_size(path, size, max_megapixels)
        fps = float(capture.get(cv().CAP_PROP_FPS))
        count = int(capture.get(cv().CAP_PROP_FRAME_COUNT))
        code = int(capture.get(cv().CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
    finally:
        capture.release()
    if not 0 < fps <= 1000:
        raise InputError(f"{shown(path)}: the film does not say how many frames it has per second; convert it to an MP4 with H.264.")
    undo = _seen_as_bt601() if _is_bt709(path, size, code) else None
    return Film(path, size, fps, max(count, 1), None, undo, max_megapixels)


def read_file_start(path: Path) -> None:
    """Raise InputError if the film's file is missing, unreadable or empty."""

    class _Enough(Exception):
        pass

    def stop(start: bytes) -> None:
        raise _Enough

    try:
        read_file(path, limit=0, accept=stop)
    except _Enough:
        return


def _open(path: Path) -> Any:
    """A cv2.VideoCapture. Raises InputError if FFmpeg does not know the film."""
    cv2 = cv()
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise InputError(f"{shown(path)}: the film cannot be read (damaged, or of a kind not known here); convert it to an MP4 with H.264.")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones film upright pictures lying on their side
    return capture


def _check_film_size(path: Path, size: tuple[int, int], max_megapixels: float) -> None:
    if min(size) < SMALLEST:
        raise InputError(f"{shown(path)}: the film is only {size[0]}x{size[1]} pixels; it takes at least {SMALLEST} on each side.")
    if size[0] * size[1] > max_megapixels * 1e6:
        raise InputError(
            f"{shown(path)}: the film is {size[0]}x{size[1]}, more than {max_megapixels:g} megapixels; "
            "raise the limit with --max-megapixels or convert it to a smaller size."
        )


# Frames


def _sequence_photos(film: Film) -> Iterator[Photo]:
    assert film.files is not None
    alpha: bool | None = None
    for path in film.files.values():
        photo = read_photo(path, max_megapixels=film.max_megapixels)
        _check_same(path, photo.size, film)
        alpha = photo.alpha is not None if alpha is None else alpha
        yield photo if alpha else replace(photo, alpha=None)


def _film_photos(film: Film) -> Iterator[Photo]:
    for bgr in _steady_rate(film):
        if film.undo is not None:
            bgr = cv().transform(bgr, film.undo)
        pixels = cv().cvtColor(bgr, cv().COLOR_BGR2RGB)
        yield Photo(film.path, pixels, None, None, hashlib.sha256(pixels).hexdigest())


def _steady_rate(film: Film) -> Iterator[NDArray[np.uint8]]:
    """Frames at even times: of a film of uneven speed (phones), some are shown twice or left out, as a player would.

    A frame stays until the next is due, to a quarter of a frame of the average speed.
    """
    assert film.fps is not None
    shown_until, before, before_at = 0, None, 0.0
    start: float | None = None
    for bgr, seconds in _decoded(film):
        start = seconds if start is None else start
        at = (seconds - start) * film.fps
        if before is not None:
            # Times that do not go on are broken; then every frame is one frame.
            until = math.ceil(at - _EARLY) if at > before_at else shown_until + 1
            for _ in range(min(until - shown_until, 1000)):
                yield before
            shown_until = max(shown_until, until)
            at = max(at, before_at)
        before, before_at = bgr, at
    if before is not None:
        yield before


def _decoded(film: Film) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Every frame as B, G, R with its time in seconds."""
    capture = _open(film.path)
    done = 0
    try:
        while True:
            read, bgr = capture.read()
            if not read:
                break
            seconds = float(capture.get(cv().CAP_PROP_POS_MSEC)) / 1000
            _check_same(film.path, (bgr.shape[1], bgr.shape[0]), film)
            done += 1
            yield bgr, seconds
        if done < 0.9 * film.count - 2:
            log.warning("%s: only %d of %d frames could be decoded; the rest is left out.", shown(film.path), done, film.count)
    finally:
        capture.release()


def _check_same(path: Path, size: tuple[int, int], film: Film) -> None:
    if size != film.size:
        raise InputError(
            f"{shown(path)}: a frame is {size[0]}x{size[1]}, the first one {film.size[0]}x{film.size[1]}; give all frames one size."
        )


# What the file says about itself


def _check_whole(path: Path) -> None:
    """Raise InputError if an MP4, MOV or AVI ends before its end."""
    size = path.stat().st_size
    with open(path, "rb") as f:
        start = f.read(12)
        if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
            cut = struct.unpack("<I", start[4:8])[0] + 8 > size
        elif start[4:8] in (b"ftyp", *_OLD_QUICKTIME):
            found = list(_boxes(f, size))
            cut = any(end > size for _, _, end in found) or all(kind not in (b"moov", b"moof") for kind, _, _ in found)
        else:
            return
    if cut:
        raise InputError(f"{shown(path)}: the film is cut short; copy it again from where it came.")


def _boxes(f: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """The top-level boxes of an MP4 (ISO/IEC 14496-12): kind, where the content starts, where it ends by its own account."""
    at = 0
    while at + 8 <= size:
        f.seek(at)
        length, kind = struct.unpack(">I4s", f.read(8))
        header = 8
        if length == 1:
            large = f.read(8)
            length, header = (struct.unpack(">Q", large)[0] if len(large) == 8 else size), 16
        end = size if length == 0 else at + length
        yield kind, at + header, end
        if length and length < header:
            return
        at = end


def _is_bt709(path: Path, size: tuple[int, int], code: bytes) -> bool:
    """Whether the film's Y'CbCr numbers are meant as BT.709: as it is tagged or, untagged, as players guess by its size.

    OpenCV decodes all films as BT.601 (docs/film.md).
    """
    matrix, transfer = _tags(path)
    if transfer in _HDR:
        log.warning("%s: the film is HDR; its colours will look flat. Convert it to SDR (BT.709) first.", shown(path))
    if matrix in (1, 9, 10):  # BT.2020 is nearer to BT.709 than to BT.601
        return True
    if matrix in (4, 5, 6, 7):
        return False
    motion_jpeg = code.upper() in (b"MJPG", b"JPEG", b"AVRN")
    rgb = matrix == 0 or code[:3] in (b"RGB", b"png", b"PNG") or code in (b"RLE ", b"\0\0\0\0")
    return not motion_jpeg and not rgb and (size[0] >= 1280 or size[1] > 576)


def _tags(path: Path) -> tuple[int | None, int | None]:
    """Matrix and transfer by the numbers of ITU-T H.273, from the `colr` box of an MP4 or the Colour element of a Matroska file."""
    with open(path, "rb") as f:
        head = f.read(_MOST_HEAD)
        if head[:4] == b"\x1aE\xdf\xa3":
            matrix, transfer = (re.search(mark + rb"\x81(.)", head, re.S) for mark in (rb"\x55\xb1", rb"\x55\xba"))
            return (matrix[1][0] if matrix else None), (transfer[1][0] if transfer else None)
        if head[4:8] not in (b"ftyp", *_OLD_QUICKTIME):
            return None, None
        for kind, start, end in _boxes(f, path.stat().st_size):
            if kind == b"moov":
                f.seek(start)
                found = re.search(rb"colrncl[xc](..)(..)(..)", f.read(min(end - start, _MOST_INDEX)), re.S)
                return (int.from_bytes(found[3], "big"), int.from_bytes(found[2], "big")) if found else (None, None)
    return None, None


def _seen_as_bt601() -> NDArray[np.float32]:
    """The 3×3 matrix to B, G, R from what a reader shows that takes BT.709's numbers for BT.601's."""
    return (_bgr_from_ycc(*_BT709) @ np.linalg.inv(_bgr_from_ycc(*_BT601))).astype(np.float32)


def _bgr_from_ycc(kr: float, kb: float) -> NDArray[np.float64]:
    """ITU-R BT.601 and BT.709: B, G, R from Y, Cb, Cr for the luma weights of red and blue."""
    kg = 1 - kr - kb
    return np.array([[1, 2 - 2 * kb, 0], [1, -(2 - 2 * kb) * kb / kg, -(2 - 2 * kr) * kr / kg], [1, 0, 2 - 2 * kr]])


__all__ = ["SUFFIXES", "Film", "film_name", "is_film", "is_film_start", "is_pattern", "numbered_files", "open_film"]
