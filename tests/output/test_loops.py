"""Animated WebP and GIF."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import RenderError, UsageError
from addon.output import loops
from addon.output.loops import durations, encode_loop


def write_frames(folder: Path, count: int = 5, *, alpha: bool = False) -> list[Path]:
    files = []
    y, x = np.mgrid[0:30, 0:41]
    for number in range(count):
        picture = np.stack([60 + 2 * x, 90 + y, np.full(x.shape, 50 + 30 * (number // 2))], -1).astype(np.uint8)
        if alpha:
            picture = np.dstack([picture, np.where(x < 20, 255, 6 * number).astype(np.uint8)])
        files.append(folder / f"{number}.png")
        cv2.imwrite(str(files[-1]), picture)
    return files


@pytest.mark.parametrize(("count", "fps", "step"), [(24, 24, 1), (100, 23.976, 1), (50, 30, 10), (7, 12.5, 10), (9, 240, 10)])
def test_the_length_is_kept(count: int, fps: float, step: int) -> None:
    lengths = durations(count, fps, step)
    assert len(lengths) == count and min(lengths) >= step and all(n % step == 0 for n in lengths)
    assert sum(lengths) == pytest.approx(max(count * 1000 / fps, count * step), abs=step)


@pytest.mark.parametrize("alpha", [False, True])
def test_webp_with_an_odd_size(tmp_path: Path, alpha: bool) -> None:
    frames = write_frames(tmp_path, alpha=alpha)
    told: list[float] = []
    encode_loop(frames, tmp_path / "a.webp", fps=24, size=(41, 30), alpha=alpha, progress=told.append)
    done, animation = cv2.imreadanimation(str(tmp_path / "a.webp"))
    assert done and len(animation.frames) == 5 and list(animation.durations) == durations(5, 24, 1)
    for picture, frame in zip(animation.frames, frames):
        wanted = cv2.imread(str(frame), cv2.IMREAD_UNCHANGED)
        assert picture.shape == wanted.shape
        if alpha:
            assert np.array_equal(picture[..., 3], wanted[..., 3])
        assert np.abs(picture[:, :18, :3].astype(int) - wanted[:, :18, :3]).mean() < 4
    assert told == sorted(told) and told[-1] == pytest.approx(1)


def test_lower_quality_is_smaller(tmp_path: Path) -> None:
    sizes = []
    noise = np.random.default_rng(0).integers(0, 255, (30, 41, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "n.png"), noise)
    for quality in (0, 50, 100):
        loops._write_webp(
            tmp_path / "a.webp", loops._Job((tmp_path / "n.png",), tmp_path / "a.webp", [40], (41, 30), quality, False, print)
        )
        sizes.append((tmp_path / "a.webp").stat().st_size)
    assert sizes == sorted(sizes) and sizes[0] < sizes[2] / 2


def test_a_wrong_animation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = write_frames(tmp_path)
    write = loops._write_webp
    (tmp_path / "a.webp").write_text("old")
    monkeypatch.setattr(loops, "_write_webp", lambda path, job: write(path, job._replace(frames=job.frames[::-1])))
    with pytest.raises(RenderError, match="picture 1 is not"):
        encode_loop(frames, tmp_path / "a.webp", fps=24, size=(41, 30))
    monkeypatch.setattr(loops, "_write_webp", lambda path, job: write(path, job._replace(frames=job.frames[:-1])))
    with pytest.raises(RenderError, match="4 pictures"):
        encode_loop(frames, tmp_path / "a.webp", fps=24, size=(41, 30))
    assert (tmp_path / "a.webp").read_text() == "old" and len(list(tmp_path.iterdir())) == 6


def test_what_cannot_be(tmp_path: Path) -> None:
    frames = write_frames(tmp_path)
    with pytest.raises(UsageError, match="16383"):
        encode_loop(frames, tmp_path / "a.webp", fps=24, size=(20000, 30))
    with pytest.raises(RenderError, match="another size"):
        encode_loop(frames, tmp_path / "a.webp", fps=24, size=(40, 30))
    with pytest.raises(RenderError, match="no frames"):
        encode_loop([], tmp_path / "a.webp", fps=24, size=(40, 30))


def test_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = pytest.importorskip("PIL.Image")
    frames = write_frames(tmp_path)
    encode_loop(frames, tmp_path / "a.gif", fps=24, size=(41, 30))
    with image.open(tmp_path / "a.gif") as made:
        assert made.info["loop"] == 0 and made.n_frames == 3  # equal pictures are one, shown longer
        last = []
        for n in range(made.n_frames):
            made.seek(n)
            last.append(made.info["duration"])
    assert sum(last) == sum(durations(5, 24, 10))
    write = loops._write_gif
    monkeypatch.setattr(loops, "_write_gif", lambda path, job: write(path, job._replace(frames=job.frames[::-1])))
    with pytest.raises(RenderError, match="picture 1 is not"):
        encode_loop(frames, tmp_path / "a.gif", fps=24, size=(41, 30))


def test_gif_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match="Pillow"):
        loops.check_loop(tmp_path / "a.gif", (41, 30))
