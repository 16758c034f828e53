"""Frames become an animated picture that repeats without end: WebP by OpenCV and a writer of its container, GIF by Pillow where that is.

OpenCV's own writer of animations wants all pictures in memory at once. Here each is encoded by itself and put into the
container as it comes; while a camera moves, hardly anything could be taken over from the picture before.
Source of the layout: "WebP Container Specification" (developers.google.com/speed/webp/docs/riff_container), RFC 9649.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError, UsageError
from ..vision.cv import cv
from ..vision.files import shown, write_atomically

_MOST_SIDE = {".webp": 16383, ".gif": 65535}  # pixels
_LEAST_RESEMBLANCE = {".webp": 24.0, ".gif": 20.0}  # dB; a GIF has 256 colours
_ALPHA, _ANIMATION, _XMP = 0x10, 0x02, 0x04  # flags of VP8X
_WHOLE = 0x02  # flag of ANMF: the picture takes the place of what was there, see-through parts too
_MOST_BYTES = 2**32 - 2
_ENCODING_SHARE = 0.8

Progress = Callable[[float], None]


def check_loop(target: Path, size: tuple[int, int]) -> None:
    """Find out before minutes of rendering whether such a file can be made. Raises UsageError with what to choose instead."""
    suffix = target.suffix.lower()
    if max(size) > _MOST_SIDE[suffix]:
        raise UsageError(f"{shown(target)}: a {suffix} file has at most {_MOST_SIDE[suffix]} pixels on a side; choose a smaller --size.")
    if suffix == ".gif":
        _pillow(target)


def encode_loop(
    frames: Sequence[Path],
    target: Path,
    *,
    fps: float,
    size: tuple[int, int],
    quality: int = 95,
    alpha: bool = False,
    progress: Progress | None = None,
    note: str = "",
) -> None:
    """Make PNG files of one size into the animated picture `target` (.webp or .gif), which repeats without end.

    fps: pictures per second; each lasts a whole number of milliseconds (WebP) or hundredths of a second (GIF), chosen so
    that no more than one of these is lost over the whole. size: (width, height) in pixels. quality: 0 to 100, for WebP.
    alpha: keep what is see-through (WebP); else it becomes black. Every picture is decoded and the first, middle and last
    are compared before the file takes its name. note: a sentence for the file to keep beside its pictures.
    Raises UsageError if such a file cannot be made here, RenderError if a frame cannot be read or the file turns out
    wrong, StorageError if there is no room.
    """
    if not frames:
        raise RenderError(f"{shown(target)}: there are no frames to make a film of; render them first.")
    check_loop(target, size)
    suffix = target.suffix.lower()
    tell = progress or (lambda share: None)
    make, check = (_write_webp, _check_webp) if suffix == ".webp" else (_write_gif, _check_gif)
    job = _Job(tuple(frames), target, durations(len(frames), fps, 1 if suffix == ".webp" else 10), size, quality, alpha, tell, note)
    write_atomically(target, lambda path: make(path, job), lambda path: check(path, job))


class _Job(NamedTuple):
    frames: tuple[Path, ...]
    target: Path
    durations: list[int]  # milliseconds
    size: tuple[int, int]
    quality: int
    alpha: bool
    tell: Progress
    note: str = ""

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Every frame, H×W×3 (B, G, R) on black, or H×W×4 with alpha."""
        for number, frame in enumerate(self.frames, start=1):
            yield read_picture(frame, self.size, alpha=self.alpha)
            self.tell(_ENCODING_SHARE * number / len(self.frames))

    def wrong(self, what: str) -> RenderError:
        return RenderError(f"{shown(self.target)}: the animation was written wrongly ({what}); try again.")

    def check_picture(self, number: int, picture: NDArray[np.uint8]) -> None:
        """Raise RenderError if the decoded picture `number` (from 0) is not its frame; the first, middle and last are compared."""
        self.tell(_ENCODING_SHARE + (1 - _ENCODING_SHARE) * (number + 1) / len(self.frames))
        if picture.shape[1::-1] != self.size:
            raise self.wrong(f"picture {number + 1} has another size")
        if number not in (0, len(self.frames) // 2, len(self.frames) - 1):
            return
        wanted = read_picture(self.frames[number], self.size, alpha=self.alpha)
        if _psnr(_on_black(wanted), _on_black(picture)) < _LEAST_RESEMBLANCE[self.target.suffix.lower()]:
            raise self.wrong(f"picture {number + 1} is not {shown(self.frames[number])}")


def durations(count: int, fps: float, step: int) -> list[int]:
    """Milliseconds that each of `count` pictures is shown, multiples of `step` that together are the film's length."""
    ends = [max(n, round(n * 1000 / fps / step)) for n in range(count + 1)]
    return [(b - a) * step for a, b in zip(ends, ends[1:])]


def read_picture(frame: Path, size: tuple[int, int], *, alpha: bool) -> NDArray[np.uint8]:
    """A PNG frame of 8 or 16 bits as uint8 H×W×3 (B, G, R) on black, or H×W×4 with alpha. Raises RenderError."""
    cv2 = cv()
    try:
        pixels = cv2.imdecode(np.fromfile(frame, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as error:
        raise RenderError(f"{shown(frame)}: the frame cannot be read ({error}); render it again.") from error
    if pixels is None or pixels.shape[1::-1] != tuple(size):
        raise RenderError(f"{shown(frame)}: the frame cannot be decoded, or is of another size; render it again.")
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    if alpha:
        return pixels if pixels.shape[2] == 4 else cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    return _on_black(pixels)


def _on_black(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.shape[2] == 3:
        return pixels
    return np.rint(pixels[..., :3] * (pixels[..., 3:] / np.float32(255))).astype(np.uint8)


def _psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = float(np.mean((a.astype(np.float32) - b) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


# WebP


def _write_webp(path: Path, job: _Job) -> None:
    cv2 = cv()
    with path.open("wb") as out:
        out.write(b"RIFF\0\0\0\0WEBP")
        flags = _ANIMATION | (_ALPHA if job.alpha else 0) | (_XMP if job.note else 0)
        out.write(_chunk(b"VP8X", struct.pack("<I", flags) + _u24(job.size[0] - 1) + _u24(job.size[1] - 1)))
        out.write(_chunk(b"ANIM", struct.pack("<IH", 0, 0)))  # see-through background; repeats without end
        for milliseconds, picture in zip(job.durations, job.pictures()):
            done, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, max(1, job.quality)])
            if not done:
                raise RenderError(f"{shown(job.target)}: a frame could not be encoded; choose a smaller --size.")
            image = b"".join(_chunk(kind, body) for kind, body in _chunks(data.tobytes()) if kind in (b"ALPH", b"VP8 ", b"VP8L"))
            head = _u24(0) + _u24(0) + _u24(job.size[0] - 1) + _u24(job.size[1] - 1) + _u24(milliseconds) + bytes((_WHOLE,))
            out.write(_chunk(b"ANMF", head + image))
        if job.note:
            out.write(_chunk(b"XMP ", xmp(job.note)))
        length = out.tell()
        if length - 8 > _MOST_BYTES:
            raise UsageError(
                f"{shown(job.target)}: the animation would be larger than a WebP file can be; make it shorter or a film (.webm)."
            )
        out.seek(4)
        out.write(struct.pack("<I", length - 8))


def xmp(note: str) -> bytes:
    """A description as XMP (ISO 16684-1), which picture programs show."""
    text = escape(note)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        f'{text}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _check_webp(path: Path, job: _Job) -> None:
    cv2 = cv()
    number, shown_for = 0, 0
    canvas: tuple[int, int] | None = None
    told = b""
    repeats: int | None = None
    for kind, body in _chunks(path.read_bytes()):
        if kind == b"VP8X":
            canvas = _int24(body, 4) + 1, _int24(body, 7) + 1
        elif kind == b"ANIM":
            repeats = struct.unpack_from("<H", body, 4)[0]
        elif kind == b"ANMF":
            if number == len(job.frames):
                raise job.wrong("it has too many pictures")
            shown_for += _int24(body, 12)
            picture = cv2.imdecode(np.frombuffer(_still(body[16:], job), np.uint8), cv2.IMREAD_UNCHANGED)
            if picture is None:
                raise job.wrong(f"picture {number + 1} cannot be decoded")
            job.check_picture(number, picture)
            number += 1
        elif kind == b"XMP ":
            told = body
    if job.note and told != xmp(job.note):
        raise job.wrong("what it should say of its pictures is missing")
    if (number, shown_for, canvas, repeats) != (len(job.frames), sum(job.durations), job.size, 0):
        raise job.wrong(f"it has {number} pictures in {shown_for / 1000:g} s")


def _still(image: bytes, job: _Job) -> bytes:
    """The chunks of one picture as a file of their own."""
    if image[:4] == b"ALPH":
        image = _chunk(b"VP8X", struct.pack("<I", _ALPHA) + _u24(job.size[0] - 1) + _u24(job.size[1] - 1)) + image
    return b"RIFF" + struct.pack("<I", 4 + len(image)) + b"WEBP" + image


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _u24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _int24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


# GIF


def _pillow(target: Path) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise UsageError(
            f"{shown(target)}: GIF files need Pillow, which this Python does not have; name the film .webp instead."
        ) from error
    return Image


def _write_gif(path: Path, job: _Job) -> None:
    images = (_pillow(job.target).fromarray(p[..., ::-1].copy()).quantize(256) for p in job.pictures())
    first = next(images)
    more = {"comment": job.note} if job.note else {}
    first.save(str(path), format="GIF", save_all=True, append_images=images, duration=job.durations, loop=0, optimize=False, **more)


def _check_gif(path: Path, job: _Job) -> None:
    number, shown_for = 0, 0
    with _pillow(job.target).open(str(path)) as image:
        if image.info.get("loop") != 0:
            raise job.wrong("it does not repeat")
        for at in range(image.n_frames):
            image.seek(at)
            length = int(image.info["duration"])
            # pictures that equal the one before are left out, and that one is shown longer
            while number < len(job.frames) and length > 0:
                if number in (0, len(job.frames) // 2, len(job.frames) - 1) or length == int(image.info["duration"]):
                    job.check_picture(number, np.asarray(image.convert("RGB"))[..., ::-1])
                length -= job.durations[number]
                number += 1
            shown_for += int(image.info["duration"])
    if (number, shown_for) != (len(job.frames), sum(job.durations)):
        raise job.wrong(f"it has {number} pictures in {shown_for / 1000:g} s")
