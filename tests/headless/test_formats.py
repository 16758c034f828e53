"""Every format from the command line: made, probed, and its first and last frame compared with the PNG of the same frame."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.output.matroska import read_matroska
from addon.output.mp4 import read_film
from addon.vision.containers import exr_attributes, exr_channels
from addon.vision.exr import read_channel

PLANE = ("--estimator", "plane")
COUNT = 4
SIZE = (64, 64)  # AV1 takes few small sizes
SHOT = ("--frames", COUNT, "--fps", 12, "--move", "truck", "--amount", 4, "--samples", 1, *PLANE)
needs_ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe and ffmpeg are not installed")

# name, --codec, then codec, pixel format, and sound's codec as ffprobe calls them
FILMS = [
    ("a.mp4", "auto", "h264", "yuv420p", "aac"),
    ("b.mp4", "h265", "hevc", "yuv420p10le", "aac"),
    ("c.mp4", "av1", "av1", "yuv420p10le", "aac"),
    ("d.mov", "auto", "prores", "yuv422p10le", "pcm_s16le"),
    ("e.mov", "h264", "h264", "yuv420p", "pcm_s16le"),
    ("f.mov", "h265", "hevc", "yuv420p10le", "pcm_s16le"),
    ("g.webm", "auto", "vp9", "yuv420p", "opus"),
    ("h.webm", "av1", "av1", "yuv420p10le", "opus"),
    ("i.mkv", "auto", "h264", "yuv420p", "opus"),
    ("j.mkv", "h265", "hevc", "yuv420p10le", "opus"),
    ("k.mkv", "vp9", "vp9", "yuv420p", "opus"),
    ("l.mkv", "av1", "av1", "yuv420p10le", "opus"),
]


def probe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def decoded(path: Path, pixels: str = "bgr24", *options: str) -> np.ndarray:
    """Every picture by ffmpeg, which minds the film's colour tags: N×H×W×C."""
    kind, channels = {"bgr24": (np.uint8, 3), "rgb48le": ("<u2", 3), "rgba64le": ("<u2", 4), "rgba": (np.uint8, 4)}[pixels]
    command = ["ffmpeg", "-v", "error", *options, "-i", str(path), "-f", "rawvideo", "-pix_fmt", pixels, "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, kind).reshape(-1, SIZE[1], SIZE[0], channels)


def write_tone(path: Path, seconds: float = 0.15, rate: int = 44100) -> Path:
    """A tone of 1 kHz at half of full scale."""
    samples = np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 1000 / rate) * 16000
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def has_sound() -> bool:
    import bpy

    return bool(bpy.app.build_options.audaspace)


def smooth_photo(path: Path) -> Path:
    """Soft enough for chroma at half the resolution."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] / SIZE[0]
    photo = np.stack([60 + 120 * x, 50 + 100 * y, 200 - 80 * x], -1)
    cv2.circle(photo, (20, 30), 9, (90, 60, 160), -1, cv2.LINE_AA)
    cv2.imwrite(str(path), cv2.GaussianBlur(photo, (0, 0), 1.5).astype(np.uint8))
    return path


def still_frames(stillscape, tmp_path_factory, photo: Path) -> Path:
    """The folder of the first and the last frame as PNG, made once."""
    folder = tmp_path_factory.getbasetemp() / "still_frames"
    if not (folder / f"f_{COUNT}.png").exists():
        run = stillscape("render", photo, "-o", folder / "f_#.png", "--frame-range", f"1,{COUNT}", "--no-dither", *SHOT)
        assert run.code == 0, run.err
    return folder


@needs_ffprobe
@pytest.mark.versions
@pytest.mark.parametrize(("name", "codec", "called", "pixels", "sound"), FILMS, ids=[f"{f[1]}{f[0][1:]}" for f in FILMS])
def test_films(stillscape, psnr, tmp_path, tmp_path_factory, has_sound, name, codec, called, pixels, sound):
    photo, target = smooth_photo(tmp_path / "photo.png"), tmp_path / name
    audio = ("--audio", write_tone(tmp_path / "tone.wav"), "--audio-fade-out", 0) if has_sound else ()
    run = stillscape("render", photo, "-o", target, "--codec", codec, "--no-dither", *audio, *SHOT)
    if run.code == 2 and "cannot encode" in run.err:
        assert not target.exists() and len(run.err.strip().splitlines()) == 1
        pytest.skip(run.err.strip())
    assert run.code == 0, run.err
    frames = still_frames(stillscape, tmp_path_factory, photo)
    streams = {s["codec_type"]: s for s in probe(target)["streams"]}
    video = streams["video"]
    info = read_film(target) if target.suffix in (".mp4", ".mov") else read_matroska(target)
    deep = pixels.endswith("10le") and info.bits != 8  # 4.2 encodes 8 bits
    assert (video["codec_name"], video["pix_fmt"]) == (called, pixels if deep else pixels.replace("10le", ""))
    assert (video["width"], video["height"], int(video["nb_read_frames"])) == (*SIZE, COUNT)
    assert video["r_frame_rate"] == "12/1" and info.fps == pytest.approx(12, rel=1e-3)
    if info.colour is not None:
        tags = {video.get(name) for name in ("color_space", "color_transfer", "color_primaries")}
        # 4.2 leaves the tags to us, and those of MOV files do not tell the range
        assert video.get("color_range", "tv") == "tv" and (tags == {"bt709"} or info.colour.matrix == 6)
    assert ("audio" in streams) == has_sound
    if has_sound:
        assert (streams["audio"]["codec_name"], streams["audio"]["sample_rate"], streams["audio"]["channels"]) == (sound, "48000", 2)
        assert info.sound is not None and info.sound.rate == 48000 and info.sound.channels == 2
    if info.colour is None:  # an untagged film of 4.2's in Matroska, which is BT.601, as ffmpeg takes it
        assert target.suffix in (".webm", ".mkv")
    pictures = decoded(target)
    for n in (1, COUNT):
        assert psnr(pictures[n - 1], cv2.imread(str(frames / f"f_{n}.png"))) >= 34
    assert psnr(pictures[0], pictures[-1]) < 40  # and it moves


def gradient_photo(path: Path) -> np.ndarray:
    """A sky that 8 bits would show in steps: 16 bits, the whole width only as much as 8 steps of 8 bits."""
    row = np.linspace(30000, 32056, SIZE[0])
    photo = np.repeat(np.repeat(row[None, :, None], SIZE[1], 0), 3, 2).astype(np.uint16)
    cv2.imwrite(str(path), photo)
    return photo


@needs_ffprobe
@pytest.mark.parametrize("codec", ["prores", "h265"])
def test_no_bands_from_16_bits(stillscape, tmp_path, codec):
    """A 10-bit film shows four levels for every one of 8 bits."""
    gradient_photo(tmp_path / "sky.png")
    target = tmp_path / f"film.{'mov' if codec == 'prores' else 'mp4'}"
    run = stillscape("render", tmp_path / "sky.png", "-o", target, "--codec", codec, "--frames", 3, "--samples", 1, "--amount", 0, *PLANE)
    assert run.code == 0, run.err
    levels = [len(np.unique(p[32, :, 1] >> 6)) for p in decoded(target, "rgb48le")]
    assert min(levels) >= 24, levels  # of the 33 that 10 bits can show; 8 bits have 9
    run = stillscape(
        "render", tmp_path / "sky.png", "-o", tmp_path / "h.mp4", "--no-dither", "--frames", 3, "--samples", 1, "--amount", 0, *PLANE
    )
    assert run.code == 0, run.err
    assert max(len(np.unique(p[32, :, 1] >> 8)) for p in decoded(tmp_path / "h.mp4", "rgb48le")) <= 10


def cut_photo(path: Path) -> np.ndarray:
    photo = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    photo[..., :3] = (30, 120, 220)
    photo[:, 16:40, 3] = 255
    cv2.imwrite(str(path), photo)
    return photo


@needs_ffprobe
@pytest.mark.parametrize(("name", "pixels", "options"), [("a.mov", "rgba64le", ()), ("b.webm", "rgba", ("-c:v", "libvpx-vp9"))])
def test_alpha_in_films(stillscape, tmp_path, name, pixels, options):
    cut_photo(tmp_path / "cut.png")
    run = stillscape("render", tmp_path / "cut.png", "-o", tmp_path / name, "--alpha", *SHOT, "--amount", 0)
    assert run.code == 0, run.err
    stream = probe(tmp_path / name)["streams"][0]
    assert stream["pix_fmt"] == "yuva444p12le" or stream["tags"]["alpha_mode"] == "1"
    top = 65535 if pixels == "rgba64le" else 255
    for picture in decoded(tmp_path / name, pixels, *options).astype(float) / top:
        assert picture[:, 20:36, 3].min() > 0.97 and picture[:, 46:60, 3].max() < 0.03
        assert np.abs(picture[:, 20:36, :3] * 255 - (220, 120, 30)).max() < 6
    run = stillscape("render", tmp_path / "cut.png", "-o", tmp_path / "c.mp4", "--alpha", *SHOT)
    assert run.code == 2 and "has no alpha" in run.err and not (tmp_path / "c.mp4").exists()


def test_an_animated_webp(stillscape, psnr, tmp_path):
    photo = smooth_photo(tmp_path / "photo.png")
    run = stillscape("render", photo, "-o", tmp_path / "a.webp", "--loop", *SHOT)
    assert run.code == 0, run.err
    assert stillscape("render", photo, "-o", tmp_path / "f_#.png", "--loop", *SHOT).code == 0
    done, animation = cv2.imreadanimation(str(tmp_path / "a.webp"))
    assert done and len(animation.frames) == COUNT and list(animation.durations) == [83, 84, 83, 83] and animation.loop_count == 0
    for n in (1, COUNT):
        assert psnr(animation.frames[n - 1], cv2.imread(str(tmp_path / f"f_{n}.png"))) >= 33
    cut_photo(tmp_path / "cut.png")
    run = stillscape("render", tmp_path / "cut.png", "-o", tmp_path / "b.webp", "--alpha", *SHOT, "--amount", 0)
    assert run.code == 0, run.err
    clear = cv2.imreadanimation(str(tmp_path / "b.webp"))[1].frames[-1]
    assert clear.shape[2] == 4 and clear[:, 20:36, 3].min() == 255 and clear[:, 46:60, 3].max() == 0


def test_an_animated_gif(stillscape, psnr, tmp_path):
    photo = smooth_photo(tmp_path / "photo.png")
    run = stillscape("render", photo, "-o", tmp_path / "a.gif", *SHOT)
    try:
        from PIL import Image
    except ImportError:
        assert run.code == 2 and "Pillow" in run.err and ".webp" in run.err and not (tmp_path / "a.gif").exists()
        return
    assert run.code == 0, run.err
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (COUNT, SIZE, 0)
        image.seek(COUNT - 1)
        last = np.asarray(image.convert("RGB"))[..., ::-1]
    assert stillscape("render", photo, "-o", tmp_path / "f_#.png", "--frame-range", COUNT, *SHOT).code == 0
    assert psnr(last, cv2.imread(str(tmp_path / f"f_{COUNT}.png"))) >= 28


@pytest.mark.versions
def test_exr_layers(stillscape, camera_path, tmp_path):
    """A box before a wall: depth in metres of what is seen, also beside the box's matte, and vectors in pixels."""
    size, near, far, fov = (96, 64), 2.0, 8.0, 50.0
    photo, z = np.full((64, 96, 3), (60, 160, 60), np.uint8), np.full((64, 96), far, np.float32)
    photo[20:44, 36:60], z[20:44, 36:60] = (30, 30, 220), near
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    np.save(tmp_path / "z.npy", z)
    step = 0.02  # metres to the right, for each frame
    path = camera_path(*((n, (step * (n - 1), 0, 0)) for n in (1, 2, 3)))
    run = stillscape(
        "render", tmp_path / "photo.png", "-o", tmp_path / "f_#.exr", "--exr-layers", "--depth", tmp_path / "z.npy", "--depth-kind", "depth",
        "--fov", fov, "--camera-path", path, "--ease", "linear", "--samples", 8,
    )  # fmt: skip
    assert run.code == 0, run.err
    data = (tmp_path / "f_2.exr").read_bytes()
    channels = {name.split(".", 1)[1]: read_channel(data, name).astype(np.float64) for name in exr_channels(exr_attributes(data))}
    assert {f"Combined.{c}" for c in "RGBA"} | {"Depth.Z"} | {f"Vector.{c}" for c in "XYZW"} <= set(channels)
    depth = channels["Depth.Z"]
    pixels = size[0] / (2 * np.tan(np.radians(fov) / 2))  # a metre at a distance of one
    left = 36 - step * pixels / near
    inside, outside = slice(int(left) + 3, int(left) + 21), (slice(0, 14), slice(50, 64))
    assert np.abs(depth[24:40, inside] - near).max() < 0.02
    assert all(np.abs(depth[rows, 10:80] - far).max() < 0.1 for rows in outside)
    # What the picture shows red is near and what it shows green is far: the matte decides for both.
    red = channels["Combined.R"] > channels["Combined.G"]
    wrong = (red & (depth > (near + far) / 2)) | (~red & (depth < (near + far) / 2))
    assert wrong[:, 4:-4].sum() <= 2 * 24  # a column on each side of the box, where both share a pixel
    # X, Y: from here to where the point was a frame before; Z, W: from where it will be to here. Pixels, right and up.
    for name, sign in (("Vector.X", 1), ("Vector.Z", 1)):
        assert np.median(sign * channels[name][24:40, inside]) == pytest.approx(step * pixels / near, abs=0.05)
        assert np.median(sign * channels[name][:14, 10:80]) == pytest.approx(step * pixels / far, abs=0.05)
    assert np.abs(channels["Vector.Y"][24:40, inside]).max() < 0.02
    for name in ("f_#.png", "f.mp4"):
        run = stillscape("render", tmp_path / "photo.png", "-o", tmp_path / name, "--exr-layers", *SHOT)
        assert run.code == 2 and "--exr-layers" in run.err


def test_dither_stays_off_the_photo(stillscape, psnr, tmp_path):
    """8-bit frames of a soft gradient have no steps as wide as without dither; frame 1 is the photo all the same."""
    photo = gradient_photo(tmp_path / "sky.png")
    small = np.rint(photo / 257).astype(np.uint8)
    common = ("render", tmp_path / "sky.png", "--size", "64x64", "--frames", 3, "--samples", 1, "--quality", 100, *PLANE)
    for name, more in (("on", ()), ("off", ("--no-dither",))):
        run = stillscape(*common, "-o", tmp_path / f"{name}_#.jpg", *more)
        assert run.code == 0, run.err
    on, off = (cv2.imread(str(tmp_path / f"{name}_3.jpg"))[..., 1] for name in ("on", "off"))
    assert (np.abs(np.diff(off.astype(int), axis=0)) > 0).mean() < 0.02 < 0.2 < (np.abs(np.diff(on.astype(int), axis=0)) > 0).mean()
    assert psnr(cv2.imread(str(tmp_path / "on_1.jpg")), small) >= 50
    assert np.array_equal(*(cv2.imread(str(tmp_path / f"{name}_1.jpg")) for name in ("on", "off")))


def grainy_photo(path: Path, sigma: float = 6.0) -> np.ndarray:
    """Soft shapes with grain of `sigma` of 255; returns them without it."""
    y, x = np.mgrid[0:120, 0:160] / 160
    clean = np.stack([120 + 60 * np.sin(4 * x + k) * np.cos(3 * y - k) for k in range(3)], -1)
    grain = np.random.default_rng(5).normal(0, sigma, clean.shape)
    cv2.imwrite(str(path), np.clip(clean + grain, 0, 255).astype(np.uint8))
    return clean


def test_fresh_grain(stillscape, tmp_path):
    """Every frame has grain of its own, as strong as the photo's; the same seed gives the same."""
    clean = grainy_photo(tmp_path / "photo.png")
    flat = ("--frames", 3, "--samples", 1, "--amount", 0, "--no-dither", *PLANE)
    for name, more in (("a", ("--grain", 1)), ("b", ("--grain", 1)), ("c", ("--grain", 1, "--grain-seed", 2)), ("d", ())):
        run = stillscape("render", tmp_path / "photo.png", "-o", tmp_path / f"{name}_#.png", *flat, *more)
        assert run.code == 0, run.err
    read = {f"{n}{i}": cv2.imread(str(tmp_path / f"{n}_{i}.png")).astype(float) for n in "abcd" for i in (1, 2)}
    assert np.array_equal(read["d1"], read["d2"])
    assert np.array_equal(read["a1"], read["b1"]) and not np.array_equal(read["a1"], read["c1"])
    first, second = read["a1"] - clean, read["a2"] - clean
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.15  # of the old grain little is left
    assert 4.0 < first.std() < 8.0
    run = stillscape("render", tmp_path / "photo.png", "-o", tmp_path / "film.mp4", *flat, "--grain", 1)
    assert run.code == 0, run.err
    run = stillscape("render", tmp_path / "photo.png", "-o", tmp_path / "x_#.exr", *flat, "--grain", 1)
    assert run.code == 2 and "--grain" in run.err


def test_sizes_by_name(stillscape, tmp_path):
    photo = smooth_photo(tmp_path / "photo.png")
    spec = tmp_path / "spec.json"
    for name, size in (("1080p", [1920, 1080]), ("4K", [3840, 2160]), ("9:16", [1080, 1920]), ("1:1", [1080, 1080])):
        assert stillscape("render", photo, "--size", name, "--write-spec", spec).code == 0
        assert json.loads(spec.read_text())["render"]["size"] == size
    run = stillscape("render", photo, "--size", "5k", "-o", tmp_path / "f_#.png")
    assert run.code == 2 and "1080p" in run.err


@pytest.mark.parametrize("engine", ["cycles", "warp"])
def test_a_face_stays_in_the_picture(stillscape, psnr, tmp_path, engine):
    """A person at the side of a wide photo is not cut off in an upright film, whatever draws it."""
    data = pytest.importorskip("skimage.data")
    photo = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)[:300, 60:]
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    common = ("render", tmp_path / "photo.png", "--size", "150x300", "--frames", 1, "--engine", engine)
    for name, more in (("face", ()), ("middle", ("--framing", "middle"))):
        run = stillscape(*common, "-o", tmp_path / f"{name}_#.png", *more)
        assert run.code == 0, run.err
    lefts = {}
    for name in ("face", "middle"):
        frame = cv2.imread(str(tmp_path / f"{name}_1.png"))
        match = cv2.matchTemplate(photo, frame, cv2.TM_CCOEFF_NORMED)
        lefts[name] = cv2.minMaxLoc(match)[3][0]
        assert match.max() > 0.99
        assert psnr(frame, photo[:, lefts[name] : lefts[name] + 150]) >= 30  # the window may begin within a pixel
    assert abs(lefts["middle"] - (photo.shape[1] - 150) / 2) <= 1
    assert abs(lefts["face"] + 75 - 163) < 15  # where the nose is


@needs_ffprobe
def test_sound_fades_and_repeats(stillscape, tmp_path, has_sound):
    photo, tone = smooth_photo(tmp_path / "photo.png"), write_tone(tmp_path / "tone.wav", 0.3)
    target = tmp_path / "film.mov"
    film = ("render", photo, "-o", target, "--codec", "h264", "--frames", 24, "--fps", 24, "--samples", 1, "--size", "32x32", *PLANE)
    if not has_sound:
        run = stillscape(*film, "--audio", tone)
        assert run.code == 2 and "without sound" in run.err and not target.exists()
        return

    def heard(*more: object) -> np.ndarray:
        run = stillscape(*film, "--audio", tone, *more)
        assert run.code == 0, run.err
        command = ["ffmpeg", "-v", "error", "-i", str(target), "-f", "f32le", "-ac", "1", "-ar", "48000", "-"]
        samples = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
        assert len(samples) == pytest.approx(48000, abs=2000)
        parts = samples[: len(samples) // 20 * 20].reshape(20, -1)
        return np.sqrt((parts**2).mean(1)) / (16000 / 32768 / np.sqrt(2))

    loud = heard("--audio-fade-in", 0.25, "--audio-fade-out", 0.5)
    assert np.allclose(loud, np.interp((np.arange(20) + 0.5) / 20, (0, 0.25, 0.5, 1), (0, 1, 1, 0)), atol=0.06)
    assert np.allclose(heard("--audio-fade-out", 0, "--audio-volume", 0.5)[1:-1], 0.5, atol=0.03)
    once = heard("--audio-fade-out", 0, "--no-audio-loop")
    assert np.allclose(once[1:5], 1, atol=0.05) and once[8:].max() < 0.01


def test_sound_that_cannot_be_read(stillscape, tmp_path, has_sound):
    photo = smooth_photo(tmp_path / "photo.png")
    (tmp_path / "noise.mp3").write_bytes(np.random.default_rng(0).bytes(3000))
    (tmp_path / "empty.wav").write_bytes(b"")
    for name, words, code in (
        ("none.wav", "no such file", 3),
        ("empty.wav", "is empty", 3),
        ("noise.mp3", "no sound", 3),
        ("photo.png", "no sound", 3),
    ):
        run = stillscape("render", photo, "-o", tmp_path / "f.mp4", "--audio", tmp_path / name, *SHOT)
        if not has_sound and words == "no sound":
            words, code = "without sound", 2
        assert run.code == code and words in run.err and name in run.err and len(run.err.strip().splitlines()) == 1
        assert not (tmp_path / "f.mp4").exists()
    run = stillscape("render", photo, "-o", tmp_path / "f.webp", "--audio", tmp_path / "none.wav", *SHOT)
    assert run.code == 2 and "--audio" in run.err
