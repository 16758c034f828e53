"""Which films there are, and what a Matroska file says."""

from __future__ import annotations

from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon.errors import RenderError, UsageError
from addon.output import film
from addon.output.film import check_film, deep_films, encode_film
from addon.output.formats import CODECS, CONTAINERS, FilmFormat, film_format, prores_profile, rate_factor
from addon.output.matroska import read_matroska
from addon.output.mp4 import Colour, Node, read_film, tag_prores

SIZE = (64, 48)


def write_frames(folder: Path, count: int = 3, *, alpha: bool = False) -> list[Path]:
    files = []
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    for number in range(count):
        picture = np.stack([9000 + 400 * x, 12000 + 500 * y, np.full(x.shape, 8000 + 9000 * number)], -1).astype(np.uint16)
        if alpha:
            picture = np.dstack([picture, np.where(x < 32, 65535, 20000).astype(np.uint16)])
        files.append(folder / f"{number}.png")
        cv2.imwrite(str(files[-1]), picture)
    return files


def test_the_suffix_chooses_the_codec() -> None:
    assert [film_format(Path(f"a{s}")).codec for s in CONTAINERS] == ["h264", "prores", "vp9", "h264"]
    assert film_format(Path("A.MP4"), "h265").container.blender == "MPEG4"
    assert film_format(Path("a.mov"), alpha=True).alpha
    for name, codec, alpha, words in (
        ("a.webm", "h264", False, "choose --codec vp9, av1"),
        ("a.mp4", "prores", False, "name the film .mov"),
        ("a.mp4", "auto", True, "no alpha"),
        ("a.mkv", "vp9", True, "no alpha"),
        ("a.mov", "h264", True, "no alpha"),
    ):
        with pytest.raises(UsageError, match=words):
            film_format(Path(name), codec, alpha=alpha)


def test_one_number_for_the_quality() -> None:
    factors = [rate_factor(q) for q in range(0, 101, 5)]
    assert factors == sorted(factors, reverse=True) and (factors[0], factors[-1]) == (32, 17)
    assert film._rate_factor(rate_factor(95)) == "PERC_LOSSLESS"
    profiles = [prores_profile(f, alpha=False) for f in (17, 21, 25, 32)]
    assert profiles == ["422_HQ", "422_STD", "422_LT", "422_PROXY"] and prores_profile(32, alpha=True) == "4444"


@pytest.mark.versions
@pytest.mark.parametrize("form", [FilmFormat(s, c) for s, container in CONTAINERS.items() for c in container.codecs if c != "av1"])
def test_every_film_says_what_it_is(tmp_path: Path, form: FilmFormat) -> None:
    target = tmp_path / f"film{form.suffix}"
    try:
        check_film(target, form, SIZE)
    except UsageError as error:
        assert not deep_films() and form.facts.label in str(error)
        pytest.skip(str(error))
    encode_film(write_frames(tmp_path), target, fps=23.976, size=SIZE, form=form)
    info = read_film(target) if form.boxes else read_matroska(target)
    assert info.codec in form.facts.entries and (info.size, info.frames) == (SIZE, 3) and info.moov_first
    assert info.fps == pytest.approx(24000 / 1001, rel=1e-4)
    if info.chroma:
        assert (info.chroma, info.bits) == ("4:2:2" if form.codec == "prores" else "4:2:0", 10 if form.facts.deep else 8)
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".png"] == [target.name]


@pytest.mark.parametrize("name", ["a.mov", "a.webm"])
def test_alpha_is_told(tmp_path: Path, name: str) -> None:
    form = film_format(tmp_path / name, alpha=True)
    if form.codec == "prores" and not deep_films():
        pytest.skip("this Blender has no ProRes")
    encode_film(write_frames(tmp_path, alpha=True), tmp_path / name, fps=24, size=SIZE, form=form)
    if name == "a.mov":
        assert read_film(tmp_path / name).codec == "ap4h" and tag_prores(tmp_path / name, Colour(1, 1, 1, False))
    else:
        assert read_matroska(tmp_path / name).alpha


def test_boxes_can_be_added(tmp_path: Path) -> None:
    def add(moov: Node) -> None:
        assert moov.children is not None
        moov.children.append(Node(b"free", b"our own"))

    encode_film(write_frames(tmp_path), tmp_path / "a.mp4", fps=24, size=SIZE, edit=add)
    assert b"our own" in (tmp_path / "a.mp4").read_bytes() and read_film(tmp_path / "a.mp4").frames == 3


def test_av1_where_it_can(tmp_path: Path) -> None:
    """Its encoder takes 64x64 and not 64x48; what it cannot is said before anything is rendered. OpenCV cannot decode it, Blender can."""
    frames = []
    for number, frame in enumerate(write_frames(tmp_path)):
        frames.append(tmp_path / f"square{number}.png")
        cv2.imwrite(str(frames[-1]), cv2.resize(cv2.imread(str(frame), cv2.IMREAD_UNCHANGED), (64, 64)))
    target, form = tmp_path / "a.mkv", FilmFormat(".mkv", "av1")
    try:
        check_film(target, form, (64, 64))
    except UsageError as error:
        pytest.skip(str(error))
    encode_film(frames, target, fps=24, size=(64, 64), form=form)
    info = read_matroska(target)
    assert (info.codec, info.frames, info.chroma, info.bits) == ("av01", 3, "4:2:0", 10 if deep_films() else 8)
    assert next(film._pictures(target), None) is None and len(list(film._pictures_by_blender(target, (64, 64), 9))) == 3
    with pytest.raises(RenderError, match="picture 1 is not"):
        film._verify_film(
            target, frames[::-1], target, fps=24, size=(64, 64), tell=film._silent, info=info, form=form, heard=False, raw=target
        )  # fmt: skip
    with pytest.raises(UsageError, match="another --size or --codec"):
        check_film(target, form, (64, 48))


def test_a_codec_that_this_blender_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODECS, "h265", CODECS["h265"]._replace(blender="NOT_THERE"))
    with pytest.raises(UsageError, match=r"cannot encode H\.265; choose --codec h264 or av1"):
        check_film(tmp_path / "a.mp4", FilmFormat(".mp4", "h265"), SIZE)


def test_damaged_matroska(tmp_path: Path) -> None:
    encode_film(write_frames(tmp_path), tmp_path / "a.webm", fps=24, size=SIZE, form=FilmFormat(".webm", "vp9"))
    data = (tmp_path / "a.webm").read_bytes()
    for cut in (0, 3, 20, 60, 200, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.webm").write_bytes(data[:cut])
        with pytest.raises(RenderError, match=r"cut\.webm"):
            read_matroska(tmp_path / "cut.webm")
    for seed in range(200):  # whatever the damage, one sentence or a reading
        random = np.random.default_rng(seed)
        broken = bytearray(data)
        for at in random.integers(0, min(len(data), 600), 4):
            broken[at] = int(random.integers(256))
        (tmp_path / "cut.webm").write_bytes(broken)
        try:
            read_matroska(tmp_path / "cut.webm")
        except RenderError as error:
            assert "cut.webm" in str(error)


@pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this Blender was built without sound")
def test_a_film_without_its_sound_is_refused(tmp_path: Path) -> None:
    frames, target = write_frames(tmp_path), tmp_path / "a.mp4"
    encode_film(frames, target, fps=24, size=SIZE)
    with pytest.raises(RenderError, match="no sound"):
        film._verify_film(
            target, frames, target, fps=24, size=SIZE, tell=film._silent, info=read_film(target), form=film.H264, heard=True, raw=target
        )  # fmt: skip
