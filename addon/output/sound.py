"""Sound under a film: a file of the user's becomes exactly as long as the film, faded and repeated, for Blender's sequencer.

Strips of the sequencer begin and end on whole frames, so that repeating them would leave a jump of up to a frame at every
seam. Hence the samples are joined here, and the sequencer gets one strip.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, StorageError, UsageError
from ..spec import FilmSpec
from ..vision.files import shown
from ..vision.video import read_file_start

_CHUNK = 1 << 18  # samples written at a time
_LONGEST = 6 * 3600.0  # seconds
_RATES = 1000, 384_000
_CHANNELS = 8


class Sound(NamedTuple):
    """file: what to play. volume: 1 is as recorded. fade_in, fade_out: seconds. loop: repeat it if it is too short."""

    file: Path
    volume: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    loop: bool = True


def sound_of(film: FilmSpec) -> Sound | None:
    """The sound that the settings ask for, checked; None if they ask for none.

    Raises InputError if the file cannot be read or holds no sound, UsageError if this Blender has no sound at all.
    """
    if not film.audio:
        return None
    sound = Sound(Path(film.audio), film.audio_volume, film.audio_fade_in, film.audio_fade_out, film.audio_loop)
    check_sound(sound)
    return sound


def check_sound(sound: Sound) -> None:
    """Raise what `sound_of` raises."""
    read_file_start(sound.file)
    _read(sound.file, 0.1)


def write_sound(sound: Sound, seconds: float, target: Path) -> None:
    """Write what is heard under a film of `seconds` to `target`, a WAV file of 16 bits.

    Raises InputError as `check_sound` does, StorageError if there is no room.
    """
    if seconds > _LONGEST:
        raise UsageError(
            f"{shown(sound.file)}: a film with sound has at most {_LONGEST / 3600:g} hours; leave out --audio or make it in parts."
        )
    samples, rate = _read(sound.file, seconds)
    length = round(seconds * rate)
    heard = length if sound.loop else min(length, len(samples))
    try:
        with wave.open(str(target), "wb") as out:
            out.setnchannels(samples.shape[1])
            out.setsampwidth(2)
            out.setframerate(rate)
            for start in range(0, length, _CHUNK):
                at = np.arange(start, min(length, start + _CHUNK))
                piece = samples[at % len(samples)] * (envelope(at / rate, heard / rate, sound) * (at < heard))[:, None]
                out.writeframes(np.rint(np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes())
    except OSError as error:
        raise StorageError(f"{target.parent}: no room for the sound ({error.strerror or error}); free some room.") from error


def envelope(at: NDArray[np.float64], seconds: float, sound: Sound) -> NDArray[np.float64]:
    """The loudness at the times `at` (seconds) of a sound that is heard for `seconds`: rises and falls in straight lines."""
    share = np.full_like(at, sound.volume)
    if sound.fade_in > 0:
        share = share * np.clip(at / sound.fade_in, 0, 1)
    if sound.fade_out > 0:
        share = share * np.clip((seconds - at) / sound.fade_out, 0, 1)
    return share


def read_sound(file: Path, seconds: float) -> tuple[NDArray[np.float32], int]:
    """The first `seconds` of a sound, or all of it if it is shorter: float32 N×channels, and samples per second.

    WAV files can be read by every Blender, the others by one that was built with sound. Raises InputError or UsageError.
    """
    read_file_start(file)
    if not bpy.app.build_options.audaspace and file.suffix.lower() == ".wav":
        return _read_wav(file, seconds)
    return _read(file, seconds)


def _read_wav(file: Path, seconds: float) -> tuple[NDArray[np.float32], int]:
    """`read_sound` for WAV files of whole numbers, without Blender's help."""
    try:
        with wave.open(str(file), "rb") as sound:
            rate, channels, width = sound.getframerate(), sound.getnchannels(), sound.getsampwidth()
            if not (_RATES[0] <= rate <= _RATES[1] and 1 <= channels <= _CHANNELS and width in (1, 2, 3, 4)):
                raise ValueError(f"{rate} samples per second, {channels} channels")
            data = sound.readframes(min(sound.getnframes(), max(1, round(seconds * rate))))
    except (wave.Error, EOFError, ValueError) as error:
        raise InputError(f"{shown(file)}: there is no sound in it that can be read; convert it to WAV of 16 bits.") from error
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 3:  # to the upper three bytes of four
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        values = padded.view("<i4")[:, 0].astype(np.float32) / 2**31
    elif width == 1:
        values = (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    else:
        values = np.frombuffer(data, f"<i{width}").astype(np.float32) / 2 ** (8 * width - 1)
    if not len(values):
        raise InputError(f"{shown(file)}: there is no sound in it that can be read; convert it to WAV of 16 bits.")
    return values.reshape(-1, channels), rate


def _read(file: Path, seconds: float) -> tuple[NDArray[np.float32], int]:
    """The first `seconds` of a sound, or all of it if it is shorter: float32 N×channels, and samples per second."""
    aud = _audaspace(file)
    try:
        sound: Any = aud.Sound.file(str(file.absolute()))
        rate, channels = sound.specs
        known = _RATES[0] <= rate <= _RATES[1] and 1 <= channels <= _CHANNELS
        samples = np.asarray(sound.limit(0, seconds).data(), np.float32) if known else np.zeros((0, 1), np.float32)
    except (aud.error, RuntimeError) as error:
        raise InputError(f"{shown(file)}: there is no sound in it that can be read; convert it to WAV, FLAC, OGG or MP3.") from error
    if samples.ndim == 1:
        samples = samples[:, None]
    if not len(samples) or not np.isfinite(samples).all():
        raise InputError(f"{shown(file)}: there is no sound in it that can be read; convert it to WAV, FLAC, OGG or MP3.")
    return samples, round(rate)


# feature detection, see scene/compat.py
def _audaspace(file: Path) -> Any:
    if not bpy.app.build_options.audaspace:
        raise UsageError(
            f"{shown(file)}: this Blender ({bpy.app.version_string}) was built without sound; leave out --audio, or use another Blender."
        )
    import aud

    return aud
