"""Sound becomes as long as the film, without a seam where it repeats."""

from __future__ import annotations

import wave
from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.errors import InputError, UsageError
from addon.output.sound import Sound, _read_wav, check_sound, envelope, read_sound, sound_of, write_sound
from addon.spec import FilmSpec

can = pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this Blender was built without sound")
RATE = 8000


def write(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setparams((samples.shape[1], 2, RATE, 0, "NONE", ""))
        out.writeframes(samples.astype("<i2").tobytes())
    return path


def read(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as source:
        assert source.getframerate() == RATE
        return np.frombuffer(source.readframes(source.getnframes()), "<i2").reshape(-1, source.getnchannels()).astype(int)


def tone(seconds: float) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.stack([12000 * np.sin(2 * np.pi * 100 * at), 6000 * np.cos(2 * np.pi * 50 * at)], -1)


@can
@pytest.mark.versions
def test_repeated_without_a_seam(tmp_path: Path) -> None:
    """A tone of whole periods goes on as if it were one."""
    source = write(tmp_path / "a.wav", tone(0.1))
    write_sound(Sound(source), 1.03, tmp_path / "b.wav")
    assert np.abs(read(tmp_path / "b.wav") - tone(1.03)).max() <= 3


@can
def test_cut_padded_and_made_louder(tmp_path: Path) -> None:
    source = write(tmp_path / "a.wav", tone(0.5))
    write_sound(Sound(source), 0.2, tmp_path / "b.wav")
    assert np.abs(read(tmp_path / "b.wav") - tone(0.2)).max() <= 3
    write_sound(Sound(source, loop=False), 0.8, tmp_path / "b.wav")
    padded = read(tmp_path / "b.wav")
    assert len(padded) == 0.8 * RATE and np.abs(padded[: RATE // 2] - tone(0.5)).max() <= 3 and not padded[RATE // 2 :].any()
    write_sound(Sound(source, volume=10), 0.5, tmp_path / "b.wav")
    assert np.abs(read(tmp_path / "b.wav")).max() == 32767  # cut off, not wrapped around


@can
def test_fades(tmp_path: Path) -> None:
    source = write(tmp_path / "a.wav", np.full((RATE, 1), 10000))
    write_sound(Sound(source, fade_in=0.5, fade_out=1.0), 2.0, tmp_path / "b.wav")
    heard = read(tmp_path / "b.wav")[:, 0] / 10000
    assert np.allclose(heard, np.interp(np.arange(2 * RATE) / RATE, (0, 0.5, 1, 2), (0, 1, 1, 0)), atol=2e-3)
    write_sound(Sound(source, fade_out=0.5, loop=False), 3.0, tmp_path / "b.wav")
    heard = read(tmp_path / "b.wav")[:, 0] / 10000  # it fades at its own end, not at the film's
    assert (
        heard[RATE // 4] == pytest.approx(1, abs=0.01) and heard[3 * RATE // 4] == pytest.approx(0.5, abs=0.01) and not heard[RATE:].any()
    )


def test_fades_longer_than_the_film() -> None:
    loud = envelope(np.linspace(0, 1, 50), 1.0, Sound(Path("a"), fade_in=4, fade_out=4))
    assert loud.max() < 0.1 and loud.min() >= 0


@can
def test_what_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no sound at all" * 100)
    with pytest.raises(InputError, match=r"a\.mp3.*no sound"):
        check_sound(Sound(tmp_path / "a.mp3"))
    (tmp_path / "b.wav").write_bytes(write(tmp_path / "c.wav", tone(0.1)).read_bytes()[:30])
    with pytest.raises(InputError, match=r"b\.wav"):
        check_sound(Sound(tmp_path / "b.wav"))
    write(tmp_path / "d.wav", np.zeros((0, 1)))
    with pytest.raises(InputError, match=r"d\.wav"):
        check_sound(Sound(tmp_path / "d.wav"))
    with pytest.raises(InputError, match="no such file"):
        sound_of(FilmSpec(audio=str(tmp_path / "none.wav")))
    assert sound_of(FilmSpec()) is None
    with pytest.raises(UsageError, match="hours"):
        write_sound(Sound(tmp_path / "c.wav"), 1e6, tmp_path / "e.wav")


@can
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_files_can_be_read_without_blenders_help(tmp_path: Path, width: int) -> None:
    values = np.rint(tone(0.5) / 32768 * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    raw = (values + 128).astype("u1").tobytes() if width == 1 else values.astype("<i8").view("u1").reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((2, width, RATE, 0, "NONE", ""))
        out.writeframes(raw)
    for seconds, count in ((0.1, 800), (9.0, 4000)):
        ours, rate = _read_wav(tmp_path / "a.wav", seconds)
        theirs, their_rate = read_sound(tmp_path / "a.wav", seconds)
        assert rate == their_rate == RATE and ours.shape == theirs.shape == (count, 2)
        assert np.abs(ours - theirs).max() <= 2 / 2 ** (8 * min(width, 3) - 1)


def test_what_is_no_wav_is_told(tmp_path: Path) -> None:
    for content in (b"RIFF", b"RIFF\x24\0\0\0WAVEfmt ", b"no sound"):
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.wav: there is no sound in it"):
            _read_wav(tmp_path / "a.wav", 1.0)
