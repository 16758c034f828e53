"""Which files there are for moving pictures, by suffix and codec: pure facts, no Blender."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from ..vision.files import shown


class Codec(NamedTuple):
    """label: for people. blender: Blender's name. entries: sample entries in MP4 and MOV. deep: 10 bits where Blender can.
    alpha: may have an alpha channel."""

    label: str
    blender: str
    entries: tuple[str, ...]
    deep: bool = False
    alpha: bool = False


CODECS: dict[str, Codec] = {
    "h264": Codec("H.264", "H264", ("avc1", "avc3")),
    "h265": Codec("H.265", "H265", ("hvc1", "hev1"), deep=True),
    "prores": Codec("ProRes", "PRORES", ("apco", "apcs", "apcn", "apch", "ap4h", "ap4x"), deep=True, alpha=True),
    "vp9": Codec("VP9", "WEBM", ("vp09",), alpha=True),
    "av1": Codec("AV1", "AV1", ("av01",), deep=True),
}


class Container(NamedTuple):
    """blender: Blender's name. codecs: the usual one first. audio: Blender's name of the codec for sound."""

    blender: str
    codecs: tuple[str, ...]
    audio: str


CONTAINERS: dict[str, Container] = {
    ".mp4": Container("MPEG4", ("h264", "h265", "av1"), "AAC"),
    ".mov": Container("QUICKTIME", ("prores", "h264", "h265"), "PCM"),
    ".webm": Container("WEBM", ("vp9", "av1"), "OPUS"),
    ".mkv": Container("MKV", ("h264", "h265", "vp9", "av1"), "OPUS"),
}
LOOPS = (".webp", ".gif")
"""Animated pictures, which repeat without end and have no sound."""
SUFFIXES = (*CONTAINERS, *LOOPS)


class FilmFormat(NamedTuple):
    """How a film is written. codec: a key of CODECS. alpha: with an alpha channel."""

    suffix: str
    codec: str
    alpha: bool = False

    @property
    def container(self) -> Container:
        return CONTAINERS[self.suffix]

    @property
    def facts(self) -> Codec:
        return CODECS[self.codec]

    @property
    def boxes(self) -> bool:
        """Whether the file is made of boxes, as MP4 and MOV are; else it is Matroska."""
        return self.suffix in (".mp4", ".mov")


H264 = FilmFormat(".mp4", "h264")


def film_format(target: Path, codec: str = "auto", *, alpha: bool = False) -> FilmFormat:
    """The format of a film called `target`. codec: a key of CODECS or "auto". Raises UsageError with what to choose instead."""
    suffix = target.suffix.lower()
    if suffix not in CONTAINERS:
        raise UsageError(f"{shown(target)}: the ending says what to make; name the film {', '.join(SUFFIXES)}.")
    container = CONTAINERS[suffix]
    chosen = container.codecs[0] if codec == "auto" else codec
    if chosen not in container.codecs:
        known = ", ".join(container.codecs)
        others = " or ".join(s for s, c in CONTAINERS.items() if chosen in c.codecs)
        raise UsageError(
            f"{shown(target)}: a {suffix} film cannot be {CODECS[chosen].label}; choose --codec {known}, or name the film {others}."
        )
    if alpha and (not CODECS[chosen].alpha or suffix not in (".mov", ".webm")):
        raise UsageError(
            f"{shown(target)}: {CODECS[chosen].label} in {suffix} has no alpha; name the film .mov (ProRes), .webm (VP9) or .webp, "
            "or leave out --alpha."
        )
    return FilmFormat(suffix, chosen, alpha)


def rate_factor(quality: int) -> int:
    """x264's constant rate factor for a quality of 0 to 100: 32 to 17."""
    return round(32 - 15 * quality / 100)


def prores_profile(factor: int, *, alpha: bool) -> str:
    """Blender's name of the ProRes profile for a rate factor: the quality chooses among the four of 4:2:2."""
    if alpha:
        return "4444"
    return "422_HQ" if factor <= 19 else "422_STD" if factor <= 22 else "422_LT" if factor <= 26 else "422_PROXY"
