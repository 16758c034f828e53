"""Frames become a film, through Blender's own FFmpeg."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.errors import RenderError, StorageError
from addon.output import film
from addon.output.film import encode_film, film_size
from addon.output.mp4 import boxes, read_film

pytestmark = pytest.mark.versions

SIZE = (64, 48)
COUNT = 10
ROOT = Path(__file__).parents[2]


def scene_picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Soft colours that brighten from frame to frame, so that their order shows."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([40 + 80 * x / width, 60 + 60 * y / height, np.full((height, width), 40 + 15 * number)], axis=-1).astype(np.uint8)


def noise(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), np.uint8)


def write_frames(folder: Path, count: int = COUNT, picture: Any = scene_picture, **options: Any) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    frames = [folder / f"view {(number * 7) % 97} é.png" for number in range(count)]  # names out of order
    for number, frame in enumerate(frames):
        frame.write_bytes(cv2.imencode(".png", picture(number, **options))[1].tobytes())
    return frames


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    return write_frames(tmp_path / "frames")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "film.mp4"


def state() -> dict[str, Any]:
    """Everything in Blender that an artist could notice."""
    window = bpy.context.window
    kinds = ("scenes", "images", "worlds", "objects", "actions", "sounds")
    data = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}
    current = bpy.context.scene
    return {
        **data,
        "scene": current.name,
        "frame": current.frame_current,
        "path": current.render.filepath,
        "window": window and window.scene.name,
        "handlers": len(bpy.app.handlers.render_post),
    }


@pytest.fixture(autouse=True)
def untouched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, the user's scene is as it was before."""
    bpy.context.scene.frame_set(7)
    before = state()
    yield
    assert state() == before


def decoded(path: Path) -> np.ndarray:
    """All pictures as OpenCV decodes them, but with the film's own colour matrix: float N×H×W×3 (B, G, R)."""
    pictures = np.stack([picture.astype(np.float32) for picture in film._pictures(path)])
    colour = read_film(path).colour
    assert colour is not None
    return np.clip(pictures @ np.linalg.inv(film._bt709_seen_as_bt601()).T, 0, 255) if colour.matrix == 1 else pictures


def test_the_film_is_what_was_asked_for(frames: list[Path], target: Path) -> None:
    told: list[float] = []
    encode_film(frames, target, fps=24, size=SIZE, progress=told.append)
    info = read_film(target)
    assert (info.codec, info.size, info.shown_size, info.frames) == ("avc1", SIZE, SIZE, COUNT)
    assert (info.chroma, info.bits, info.moov_first) == ("4:2:0", 8, True)
    assert info.fps == pytest.approx(24) and info.seconds == pytest.approx(COUNT / 24)
    assert [box.kind for box in boxes(target)] == [b"ftyp", b"moov", b"mdat"]
    reds = decoded(target)[..., 2].mean((1, 2))
    assert np.allclose(reds, [40 + 15 * n for n in range(COUNT)], atol=3)
    assert os.listdir(target.parent) == ["film.mp4"]
    assert told == sorted(told) and len(told) == 2 * COUNT and told[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (23.976, 24000 / 1001),
        (23.98, 24000 / 1001),
        (29.97, 30000 / 1001),
        (59.94, 60000 / 1001),
        (25, 25),
        (12.5, 12.5),
        (1, 1),
        (240, 240),
        (7.3, 7.3),
    ],
)
def test_the_speed_is_exact(frames: list[Path], target: Path, fps: float, exact: float) -> None:
    encode_film(frames, target, fps=fps, size=SIZE)
    assert read_film(target).fps == pytest.approx(exact, rel=1e-7)


def test_colours_pass_through(tmp_path: Path, target: Path) -> None:
    size = (192, 128)
    colours = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (16, 16, 16), (200, 120, 40), (60, 90, 120)]

    def patches(number: int) -> np.ndarray:
        rows = [np.concatenate([np.full((64, 64, 3), c, np.uint8) for c in colours[i : i + 3]], axis=1) for i in (0, 3)]
        return np.concatenate(rows)

    encode_film(write_frames(tmp_path / "patches", 3, patches), target, fps=24, size=size)
    # Blender's own reader minds the film's colour tags, as players do
    image = bpy.data.images.load(str(target))
    try:
        seen = np.array(image.pixels[:], np.float32).reshape(128, 192, -1)[::-1, :, 2::-1] * 255
    finally:
        bpy.data.images.remove(image)
    for place, colour in enumerate(colours):
        x, y = place % 3 * 64, place // 3 * 64
        assert np.abs(seen[y + 16 : y + 48, x + 16 : x + 48].mean((0, 1)) - colour).max() <= 2.1, colour


@pytest.mark.parametrize("colour", [(0, 255, 0), (255, 0, 0), (0, 0, 255), (255, 45, 255), (0, 0, 0)])
def test_extreme_colours_are_recognized(tmp_path: Path, target: Path, colour: tuple[int, int, int]) -> None:
    encode_film(write_frames(tmp_path / "flat", 3, lambda number: np.full((48, 64, 3), colour, np.uint8)), target, fps=24, size=SIZE)
    assert read_film(target).frames == 3


def test_a_photo_keeps_its_quality(tmp_path: Path, target: Path) -> None:
    size = (320, 240)
    texture = cv2.GaussianBlur(noise(1, (400, 240)).astype(np.float32), (0, 0), 2)
    texture = np.clip((texture - 127) * 3 + 127, 0, 255).astype(np.uint8)
    frames = write_frames(tmp_path / "p", 4, lambda number: texture[:, 4 * number : 4 * number + 320])
    encode_film(frames, target, fps=24, size=size)
    luma = np.array([0.0722, 0.7152, 0.2126] if read_film(target).colour.matrix == 1 else [0.114, 0.587, 0.299])
    for number, picture in enumerate(decoded(target)):
        wanted = texture[:, 4 * number : 4 * number + 320].astype(np.float32)
        assert film._psnr(picture @ luma, wanted @ luma) >= 38  # chroma is at half resolution, so luma is what can be kept


def test_a_lower_quality_makes_a_smaller_film(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "p", 5, noise)
    sizes = []
    for quality in (17, 23, 32):
        encode_film(frames, tmp_path / f"{quality}.mp4", fps=24, size=SIZE, quality=quality)
        sizes.append((tmp_path / f"{quality}.mp4").stat().st_size)
    assert sizes == sorted(sizes, reverse=True) and sizes[2] < sizes[0] / 2
    assert [film._rate_factor(q) for q in (0, 17, 19, 20, 99)] == ["PERC_LOSSLESS", "PERC_LOSSLESS", "PERC_LOSSLESS", "HIGH", "LOWEST"]


def test_the_film_tells_nothing_about_its_maker(frames: list[Path], target: Path) -> None:
    encode_film(frames, target, fps=24, size=SIZE)
    first = target.read_bytes()
    assert b"\xa9day" not in first and b"Stillscape Film" not in first and str(target.parent).encode() not in first
    encode_film(frames, target, fps=24, size=SIZE)
    assert target.read_bytes() == first


@pytest.mark.parametrize(
    "name",
    ["{x}.mp4", "a#b##.mp4", "it's $(id) %04d.mp4", "日本.mp4", "film", "-" + "n" * 200 + ".mp4", "{camera_name} #/{x} ##.mp4"],
)
def test_names_are_taken_as_they_are(tmp_path: Path, frames: list[Path], name: str) -> None:
    target = tmp_path / "named" / name
    encode_film(frames, target, fps=24, size=SIZE)
    assert read_film(target).frames == COUNT
    assert [entry.name for entry in target.parent.iterdir()] == [target.name]


def test_frames_may_lie_in_several_folders_and_be_many(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "_STRIP_FRAMES", 3)
    frames = write_frames(tmp_path / "a {x} #")
    other = tmp_path / "b"
    other.mkdir()
    frames[4] = frames[4].rename(other / "moved.png")
    encode_film(frames, target, fps=24, size=SIZE)
    assert np.allclose(decoded(target)[..., 2].mean((1, 2)), [40 + 15 * n for n in range(COUNT)], atol=3)


@pytest.mark.parametrize("kind", ["16 bit", "alpha", "grey"])
def test_other_kinds_of_png(tmp_path: Path, target: Path, kind: str) -> None:
    def picture(number: int) -> np.ndarray:
        plain = scene_picture(number)
        if kind == "16 bit":
            return plain.astype(np.uint16) * 257
        return np.dstack([plain, np.full(plain.shape[:2], 255, np.uint8)]) if kind == "alpha" else plain[:, :, 2]

    encode_film(write_frames(tmp_path / "k", 4, picture), target, fps=24, size=SIZE)
    assert np.allclose(decoded(target)[..., 2].mean((1, 2)), [40 + 15 * n for n in range(4)], atol=3)


def test_one_frame_makes_a_film(frames: list[Path], target: Path) -> None:
    encode_film(frames[:1], target, fps=24, size=SIZE)
    assert read_film(target).frames == 1


def test_the_current_scene_may_have_a_sequencer_of_its_own(frames: list[Path], target: Path) -> None:
    other = bpy.data.scenes.new("Stillscape Film")
    try:
        other.sequence_editor_create()
        encode_film(frames, target, fps=24, size=SIZE)
        assert bpy.data.scenes["Stillscape Film"] == other
    finally:
        bpy.data.scenes.remove(other)


@pytest.mark.parametrize(
    ("given", "even"),
    [((64, 48), (64, 48)), ((65, 49), (64, 48)), ((1, 1), (2, 2)), ((3, 2), (2, 2)), ((1919, 1080), (1918, 1080))],
)
def test_sizes_are_rounded_down_to_even(given: tuple[int, int], even: tuple[int, int]) -> None:
    assert film_size(*given) == even


# failures


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": 0}, "frames per second"),
        ({"fps": float("nan")}, "frames per second"),
        ({"size": (65, 48)}, "even"),
        ({"size": (0, 0)}, "even"),
        ({"size": (32, 48)}, "is not"),
    ],
)
def test_what_cannot_be_a_film_is_refused(frames: list[Path], target: Path, change: dict[str, Any], message: str) -> None:
    target.write_text("the old film")
    with pytest.raises(RenderError, match=message):
        encode_film(frames, target, **{"fps": 24, "size": SIZE, **change})
    assert target.read_text() == "the old film" and os.listdir(target.parent) == ["film.mp4"]


def test_missing_frames_are_named(frames: list[Path], target: Path) -> None:
    frames[3].unlink()
    frames[5].unlink()
    with pytest.raises(RenderError, match=f"{frames[3].name}.* and 1 more"):
        encode_film(frames, target, fps=24, size=SIZE)
    with pytest.raises(RenderError, match="no frames"):
        encode_film([], target, fps=24, size=SIZE)
    assert os.listdir(target.parent) == []


@pytest.mark.skipif(sys.platform != "linux", reason="names as Linux allows them")
def test_paths_that_blender_or_opencv_cannot_take(tmp_path: Path, frames: list[Path], target: Path) -> None:
    """Blender would show such frames black without a word, and OpenCV would crash on such a film."""
    odd = tmp_path / os.fsdecode(b"\xff")
    long = tmp_path / "/".join(["x" * 100] * 8)
    for folder in (odd, long):
        with pytest.raises(RenderError, match="move the frames"):
            encode_film(write_frames(folder, 2), target, fps=24, size=SIZE)
    for name in (odd / "film.mp4", odd.with_suffix(".mp4"), tmp_path / "a\0b.mp4"):
        with pytest.raises(RenderError, match="UTF-8"):
            encode_film(frames, name, fps=24, size=SIZE)
    encode_film(frames, long / "film.mp4", fps=24, size=SIZE)
    assert sorted(p.name for p in long.iterdir() if p.suffix == ".mp4") == ["film.mp4"]


@pytest.mark.parametrize("step", ["_set_output", "_set_colours", "_add_strips", "_choose_film"])
def test_nothing_is_left_behind_when_something_breaks(frames: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(film, step, broken)
    with pytest.raises(RuntimeError, match="broken"):
        encode_film(frames, target, fps=24, size=SIZE)
    assert os.listdir(target.parent) == []


def test_a_film_of_other_pictures_is_refused(frames: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_strips = film._add_strips
    monkeypatch.setattr(film, "_add_strips", lambda scene, pictures: add_strips(scene, pictures[::-1]))
    with pytest.raises(RenderError, match="picture 1 is not"):
        encode_film(frames, target, fps=24, size=SIZE)
    assert os.listdir(target.parent) == []


def test_a_film_with_too_few_pictures_is_refused(frames: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_strips = film._add_strips
    monkeypatch.setattr(film, "_add_strips", lambda scene, pictures: add_strips(scene, pictures[:-1]))
    with pytest.raises(RenderError, match=r"film\.mp4.*pictures are missing"):
        encode_film(frames, target, fps=24, size=SIZE)
    assert os.listdir(target.parent) == []


def test_blender_that_delivers_nothing_is_found_out(frames: list[Path], target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_output = film._set_output

    def elsewhere(scene: bpy.types.Scene, raw: Path, **options: Any) -> None:
        set_output(scene, raw, **options)
        scene.render.filepath = "/dev/null/nowhere/film.mp4"

    monkeypatch.setattr(film, "_set_output", elsewhere)
    with pytest.raises(RenderError, match=r"film\.mp4"):
        encode_film(frames, target, fps=24, size=SIZE)
    assert os.listdir(target.parent) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, frames: list[Path]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"film\.mp4"):
        encode_film(frames, tmp_path / "file" / "film.mp4", fps=24, size=SIZE)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can make a tiny disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
@pytest.mark.parametrize("count", [2, 20, 80])
def test_a_full_disk_is_named_and_left_clean(tmp_path: Path, tiny_disk: Path, count: int) -> None:
    """2 frames fit; of 20 Blender's film fits and ours does not; of more not even Blender's."""
    frames = write_frames(tmp_path / "noise", count, noise)
    target = tiny_disk / "film.mp4"
    if count == 2:
        encode_film(frames, target, fps=24, size=SIZE)
        assert read_film(target).frames == 2
        return
    target.write_text("old")
    with pytest.raises(StorageError, match=r"film\.mp4.*free some room"):
        encode_film(frames, target, fps=24, size=SIZE)
    assert target.read_text() == "old" and os.listdir(tiny_disk) == ["film.mp4"]


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_a_limit_on_file_sizes_is_a_storage_error(tmp_path: Path, target: Path) -> None:
    frames = write_frames(tmp_path / "noise", 20, noise)
    script = f"""
        import resource, sys
        sys.path.insert(0, {str(ROOT)!r})
        import bpy
        from pathlib import Path
        from addon.errors import StorageError
        from addon.output.film import encode_film
        frames = [Path(p) for p in {[str(p) for p in frames]!r}]
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            encode_film(frames, Path({str(target)!r}), fps=24, size={SIZE!r})
        except StorageError as error:
            sys.stderr.write("refused: " + str(error))
        sys.stderr.flush()
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert "refused: " + str(target) in run.stderr, run.stderr
    assert os.listdir(target.parent) == []
