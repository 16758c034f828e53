"""Frames become a film, encoded by Blender's own FFmpeg, checked by decoding it again. `formats.py` says which films there are."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError, StorageError, UsageError
from ..vision.cv import cv
from ..vision.files import shown, temporary_name, write_atomically
from ..vision.geometry import even
from .formats import CODECS, H264, FilmFormat, prores_profile
from .matroska import read_matroska
from .mp4 import Colour, FilmInfo, Node, move_moov_first, read_film, set_colour, set_comment, tag_prores
from .sound import Sound, write_sound

Progress = Callable[[float], None]

# Blender's names for x264's constant rate factor, from movie_write / BKE_writeffmpeg; the exact number is a setting only
# in newer versions, and one film should look the same from all of them
_RATE_FACTORS = ((17, "PERC_LOSSLESS"), (20, "HIGH"), (23, "MEDIUM"), (26, "LOW"), (29, "VERYLOW"), (32, "LOWEST"))
_BEST_RATE_FACTOR = 17
_MAX_FRAMES = 1_048_574  # the last frame that Blender counts to
_LEAST_SIDE = 16  # pixels; below it Blender says "Image too small"
_ROOM = 1 << 20  # bytes
_MAX_GOP = 500
_MAX_FPS_NUMBER = 32767  # of scene.render.fps
_LONGEST_NAME = 250  # bytes; Blender keeps 255 and 767
_LONGEST_FOLDER = 700
_STRIP_FRAMES = 256  # adding a picture to a strip copies the strip's list, so a long film takes many strips

# An untagged film of Blender's has BT.601 numbers: what swscale does where nobody asks for anything else
_UNTAGGED = Colour(primaries=1, transfer=1, matrix=6, full_range=False)
_BT709 = Colour(primaries=1, transfer=1, matrix=1, full_range=False)
_MATRIX_BT709 = 1
_AUDIO_RATE, _AUDIO_BITRATE = 48000, 192  # samples and kilobits per second
_DEEP = "10"  # bits, as Blender names them
_LEAST_RESEMBLANCE = 24.0  # dB between thumbnails; even noise at the lowest quality has more than 30
_THUMBNAIL = 64  # pixels at most
_LEAST_BLOCK = 8  # pixels of the film to one of the thumbnail: fine detail, above all in colour, does not survive
_SOUND_OFF = 0.2  # seconds that sound may be longer or shorter than the pictures: codecs pad it
_ENCODING_SHARE = 0.8  # of the time; the rest is decoding


def film_size(width: int, height: int) -> tuple[int, int]:
    """Return the largest size within `width`×`height` pixels that a film can have: both even, at least 2."""
    return even((width, height))


def encode_film(
    frames: Sequence[Path],
    target: Path,
    *,
    fps: float,
    size: tuple[int, int],
    quality: int = _BEST_RATE_FACTOR,
    progress: Progress | None = None,
    form: FilmFormat = H264,
    sound: Sound | None = None,
    edit: Callable[[Node], None] | None = None,
    note: str = "",
) -> None:
    """Encode PNG files of one size into the film `target` (BT.709; MP4 and MOV with the index in front).

    frames: the pictures in order, already verified; their names and folders do not matter. fps: pictures per second;
    23.976, 29.97 and so on mean the exact NTSC rates. size: (width, height) in pixels, both even, see `film_size`.
    quality: x264's constant rate factor, 17 (no visible loss) to 32, rounded to the next better step that Blender has; for
    ProRes it chooses the profile. progress: called with the share done, 0 to 1. Blocks until the film is there.
    form: container, codec and alpha; for codecs of 10 bits the frames should have 16. sound: what to lay under the film.
    edit: may change the index of an MP4 or MOV film before it is written, for instance to add boxes for stereo.
    note: a sentence for the film's file to keep, which players show as its comment.

    The film is decoded picture by picture before it takes its name; until then whatever was called `target` stays.
    Blender's scenes, windows and current frames stay as they were.
    Raises RenderError if a frame is missing or Blender does not deliver the film that was asked for, StorageError if
    there is no room for it, UsageError if this Blender cannot make such films, InputError if the sound cannot be read;
    nothing is left behind then.
    """
    frames = [Path(frame) for frame in frames]
    _check_request(frames, target, fps, size)
    _check_codec(target, form)
    tell = progress or _silent
    with _work_folder(target) as folder:
        raw = folder / f"film{form.suffix}"
        heard = None
        if sound is not None:
            heard = folder / "sound.wav"
            whole, base = _fps_and_base(fps)
            write_sound(sound, len(frames) * base / whole, heard)
        _render(frames, raw, target, fps=fps, size=size, quality=quality, tell=tell, form=form, heard=heard, note=note)
        try:
            alpha = form.codec == "prores" and tag_prores(raw, _BT709)
        except OSError as error:
            raise _no_room(raw, error) from error

        def tag(moov: Node) -> None:
            _tag_colours(moov, quicktime=form.suffix == ".mov")
            if note:
                set_comment(moov, note, quicktime=form.suffix == ".mov")
            if edit is not None:
                edit(moov)

        def write(film: Path) -> None:
            if form.boxes:
                move_moov_first(raw, film, edit=tag)
            else:
                shutil.copyfile(raw, film)

        def verify(film: Path) -> None:
            info = replace(_read_info(film, form), alpha=alpha) if form.codec == "prores" else _read_info(film, form)
            if note and info.comment != note:
                raise _wrong(target, "its comment is missing")
            _verify_film(film, frames, target, fps=fps, size=size, tell=tell, info=info, form=form, heard=heard is not None, raw=raw)

        write_atomically(target, write, verify)


def check_film(target: Path, form: FilmFormat, size: tuple[int, int] | None) -> None:
    """Find out before minutes of rendering whether this Blender can make such a film.

    size: (width, height) in pixels; None if it is not known yet. Raises UsageError with what to choose instead.
    """
    _check_codec(target, form)
    if form.codec != "av1" or size is None or min(size) < _LEAST_SIDE:
        return
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:  # its encoder takes some sizes and not others
        frame = Path(folder) / "frame.png"
        frame.write_bytes(cv().imencode(".png", np.zeros((size[1], size[0], 3), np.uint8))[1].tobytes())
        try:
            _render([frame], Path(folder) / f"film{form.suffix}", target, fps=24, size=size, quality=32, tell=_silent, form=form)
        except RenderError as error:
            raise UsageError(
                f"{shown(target)}: this Blender ({bpy.app.version_string}) cannot encode AV1 at {size[0]}x{size[1]}; "
                "choose another --size or --codec."
            ) from error


def _check_codec(target: Path, form: FilmFormat) -> None:
    known = {item.identifier for item in bpy.types.FFmpegSettings.bl_rna.properties["codec"].enum_items}
    if form.facts.blender not in known:
        can = [name for name in form.container.codecs if CODECS[name].blender in known]
        instead = f"choose --codec {' or '.join(can)}" if can else "name the film .mp4"
        raise UsageError(
            f"{shown(target)}: this Blender ({bpy.app.version_string}) cannot encode {form.facts.label}; {instead}, or use Blender 4.5 or later."
        )


def _read_info(film: Path, form: FilmFormat) -> FilmInfo:
    return read_film(film) if form.boxes else read_matroska(film)


def _silent(share: float) -> None:
    del share


def _check_request(frames: Sequence[Path], target: Path, fps: float, size: tuple[int, int]) -> None:
    if not frames:
        raise RenderError(f"{shown(target)}: there are no frames to make a film of; render them first.")
    if len(frames) > _MAX_FRAMES:
        raise RenderError(f"{shown(target)}: a film has at most {_MAX_FRAMES} frames; make it in parts.")
    if not (math.isfinite(fps) and 1 <= fps <= 1000):
        raise RenderError(f"{shown(target)}: a film cannot have {fps:g} frames per second; choose 1 to 1000.")
    width, height = size
    if min(size) < _LEAST_SIDE or width % 2 or height % 2:
        raise RenderError(f"{shown(target)}: a film cannot be {width}x{height}; choose even numbers from {_LEAST_SIDE} up.")
    if "\0" in str(target) or not _is_utf8(target):
        # OpenCV, which checks the film, takes no other names
        raise RenderError(f"{shown(target)}: a film cannot have a path that is not UTF-8; choose another name or folder.")
    missing = [frame for frame in frames if not frame.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RenderError(f"{shown(missing[0])}: the frame{more} is missing, so there is no film; render it again.")
    odd = next((frame for frame in frames if not _blender_can_name(frame)), None)
    if odd is not None:
        raise RenderError(f"{shown(odd)}: Blender cannot open a frame with such a long or unreadable path; move the frames elsewhere.")


def _is_utf8(path: Path) -> bool:
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True


def _blender_can_name(path: Path) -> bool:
    """Blender keeps paths in UTF-8 and cuts long ones, and a frame that it does not find is black."""
    if not _is_utf8(path):
        return False
    return len(path.name.encode()) <= _LONGEST_NAME and len(str(path.absolute().parent).encode()) <= _LONGEST_FOLDER


@contextmanager
def _work_folder(target: Path) -> Iterator[Path]:
    """A folder for Blender's raw film on the target's disk, or in the system's where Blender would misread the path."""
    parent = target.parent.absolute()
    place: Path | None = parent
    if any(c in "#{}" or not c.isprintable() for c in str(parent)) or not _blender_can_name(parent / "film.mp4"):
        place = None  # Blender fills frame numbers and path templates into its output path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=f"{temporary_name(Path('film')).name}.", dir=place)
    except OSError as error:
        raise _no_room(target, error) from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _no_room(target: Path, error: OSError) -> StorageError:
    return StorageError(f"{shown(target)}: cannot be written ({error.strerror or error}); free some room or choose another place.")


# encoding


def _render(
    frames: Sequence[Path],
    raw: Path,
    target: Path,
    *,
    fps: float,
    size: tuple[int, int],
    quality: int,
    tell: Progress,
    form: FilmFormat = H264,
    heard: Path | None = None,
    note: str = "",
) -> None:
    complaint = ""
    with _film_scene() as scene:
        _set_output(scene, raw, fps=fps, size=size, quality=quality)
        _choose_codec(scene.render, form, quality, sound=heard is not None)
        if not form.boxes:  # the others get it in a box of ours, which tells players what it is
            scene.render.use_stamp_note, scene.render.stamp_note_text = bool(note), note
        _set_colours(scene)
        _add_strips(scene, frames)
        if heard is not None:
            _strips(scene.sequence_editor).new_sound(name="Sound", filepath=str(heard), channel=2, frame_start=1)
        with _progress_of(scene, len(frames), lambda share: tell(share * _ENCODING_SHARE)):
            try:
                bpy.ops.render.render(animation=True, scene=scene.name)
            except RuntimeError as error:
                complaint = " ".join(str(error).split())
    # FINISHED says nothing: with a full disk Blender can report success, so the file alone decides
    try:
        whole = _read_info(raw, form).frames == len(frames)
    except RenderError:
        whole = False
    if not whole:
        _check_room(raw, target)
        raise RenderError(f"{shown(target)}: Blender did not encode the film ({complaint or 'pictures are missing'}); try again.")


def _check_room(raw: Path, target: Path) -> None:
    """Raise StorageError if the disk is what stopped Blender: then it takes no more either."""
    try:
        with raw.open("ab", buffering=0) as stream:
            for _ in range(4):
                if stream.write(bytes(_ROOM)) < _ROOM:
                    stream.write(b"\0")  # says why
    except OSError as error:
        beside = raw.parent.parent == target.parent.absolute()
        raise _no_room(target if beside else raw, error) from error


@contextmanager
def _film_scene() -> Iterator[bpy.types.Scene]:
    """A scene for the film, gone afterwards with everything that it brought along."""
    before = {item.session_uid for kind in (bpy.data.images, bpy.data.sounds) for item in kind}
    scene = bpy.data.scenes.new("Stillscape Film")
    try:
        yield scene
    finally:
        bpy.data.scenes.remove(scene)
        for kind in (bpy.data.images, bpy.data.sounds):
            for item in [item for item in kind if item.session_uid not in before]:
                kind.remove(item)  # "Render Result", the sound


def _set_output(scene: bpy.types.Scene, raw: Path, *, fps: float, size: tuple[int, int], quality: int) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.fps, render.fps_base = _fps_and_base(fps)
    render.use_sequencer = True
    render.use_compositing = False
    render.use_border = False
    render.dither_intensity = 0
    render.filepath = str(raw)
    render.use_file_extension = False  # or Blender may write the frame range into the name
    for name in _stamps(render):
        setattr(render, name, False)  # they tell date, machine and path to whoever gets the film
    _choose_film(render.image_settings)
    ffmpeg = render.ffmpeg
    ffmpeg.constant_rate_factor = _rate_factor(quality)
    ffmpeg.ffmpeg_preset = "GOOD"
    ffmpeg.gopsize = max(1, min(_MAX_GOP, round(fps)))
    ffmpeg.audio_codec = "NONE"


def _choose_codec(render: bpy.types.RenderSettings, form: FilmFormat, quality: int, *, sound: bool) -> None:
    ffmpeg, image = render.ffmpeg, render.image_settings
    ffmpeg.format = form.container.blender
    ffmpeg.codec = form.facts.blender
    if form.codec == "prores":
        ffmpeg.ffmpeg_prores_profile = prores_profile(quality, alpha=form.alpha)
    image.color_mode = "RGBA" if form.alpha else "RGB"
    image.color_depth = _DEEP if form.facts.deep and deep_films() else "8"
    if sound:
        ffmpeg.audio_codec = form.container.audio
        ffmpeg.audio_bitrate, ffmpeg.audio_mixrate, ffmpeg.audio_channels = _AUDIO_BITRATE, _AUDIO_RATE, "STEREO"


# feature detection, see scene/compat.py
def deep_films() -> bool:
    """Whether this Blender encodes films of 10 bits: since 4.5, along with ProRes."""
    return hasattr(bpy.types.FFmpegSettings.bl_rna.properties.get("ffmpeg_prores_profile"), "enum_items")


def _set_colours(scene: bpy.types.Scene) -> None:
    """The frames are pictures as they should be seen: nothing may touch their colours."""
    scene.display_settings.display_device = "sRGB"
    scene.sequencer_colorspace_settings.name = "sRGB"
    view = scene.view_settings
    view.view_transform = "Standard"
    view.look = "None"
    view.exposure = 0
    view.gamma = 1
    view.use_curve_mapping = False


def _add_strips(scene: bpy.types.Scene, frames: Sequence[Path]) -> None:
    editor = scene.sequence_editor_create()
    for name in _caches(editor):
        setattr(editor, name, False)  # each picture is shown once
    scene.frame_start = 1
    scene.frame_end = len(frames)
    at = 1
    for _, group in groupby((frame.absolute() for frame in frames), key=lambda frame: frame.parent):
        folder = list(group)
        for first in range(0, len(folder), _STRIP_FRAMES):
            part = folder[first : first + _STRIP_FRAMES]
            strip = _strips(editor).new_image(name="Frames", filepath=str(part[0]), channel=1, frame_start=at, fit_method="ORIGINAL")
            for frame in part[1:]:
                strip.elements.append(frame.name)
            strip.blend_type = "REPLACE"
            strip.colorspace_settings.name = "sRGB"
            strip.transform.filter = "NEAREST"
            at += len(part)


def _fps_and_base(fps: float) -> tuple[int, float]:
    """Blender's pair of a whole number and a divisor; near enough to an NTSC rate means exactly that."""
    whole = max(1, round(fps))
    if math.isclose(fps, whole / 1.001, rel_tol=2e-4):
        return whole, 1.001
    # Blender cuts the divisor after a few decimals (13 / 1.04 became 13 / 1.03), so it must be a whole number
    exact = Fraction(fps).limit_denominator(int(_MAX_FPS_NUMBER / (fps + 1)))
    return exact.numerator, float(exact.denominator)


def _rate_factor(quality: int) -> str:
    better = [name for factor, name in _RATE_FACTORS if factor <= quality]
    return better[-1] if better else _RATE_FACTORS[0][1]


@contextmanager
def _progress_of(scene: bpy.types.Scene, count: int, tell: Progress) -> Iterator[None]:
    done = 0
    name = scene.name

    def count_frame(rendered: bpy.types.Scene, _depsgraph: Any = None) -> None:
        nonlocal done
        if rendered.name == name:
            done += 1
            tell(min(1.0, done / count))

    bpy.app.handlers.render_post.append(count_frame)
    try:
        yield
    finally:
        bpy.app.handlers.render_post.remove(count_frame)


# feature detection, see scene/compat.py
def _strips(editor: bpy.types.SequenceEditor) -> Any:
    return editor.strips if hasattr(editor, "strips") else editor.sequences


# feature detection, see scene/compat.py
def _choose_film(settings: bpy.types.ImageFormatSettings) -> None:
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    settings.color_mode = "RGB"


# feature detection, see scene/compat.py
def _stamps(render: bpy.types.RenderSettings) -> list[str]:
    switches = [p for p in render.bl_rna.properties if p.type == "BOOLEAN" and not p.is_readonly]
    return [p.identifier for p in switches if p.identifier.startswith("use_stamp")]


# feature detection, see scene/compat.py
def _caches(editor: bpy.types.SequenceEditor) -> list[str]:
    names = ("use_cache_raw", "use_cache_preprocessed", "use_cache_composite", "use_cache_final", "use_prefetch")
    return [name for name in names if hasattr(editor, name)]


# checking


def _tag_colours(moov: Node, *, quicktime: bool = False) -> None:
    """Say what colours an untagged film has: players take large untagged films for BT.709 and shift them."""
    set_colour(moov, _UNTAGGED, quicktime=quicktime)


def _sampling_of(form: FilmFormat) -> tuple[str, int]:
    """Chroma format and bits that a film must have."""
    if form.codec == "prores":
        return ("4:4:4", 12) if form.alpha else ("4:2:2", 10)
    return "4:2:0", 10 if form.facts.deep and deep_films() else 8


def _verify_film(
    film: Path,
    frames: Sequence[Path],
    target: Path,
    *,
    fps: float,
    size: tuple[int, int],
    tell: Progress,
    info: FilmInfo,
    form: FilmFormat,
    heard: bool,
    raw: Path,
) -> None:
    """Raise RenderError unless every picture of `film` decodes and the first, middle and last ones are the frames.

    raw: a file with the same pictures under a name that Blender can open. heard: there must be sound.
    """
    if (info.size, info.frames) != (tuple(size), len(frames)) or info.codec not in form.facts.entries:
        raise _wrong(target, f"it has {info.frames} pictures of {info.size[0]}x{info.size[1]}, {info.codec}")
    if info.chroma and (info.chroma, info.bits) != _sampling_of(form):
        raise _wrong(target, f"its pictures are {info.chroma} with {info.bits} bits")
    if form.alpha and not info.alpha:
        raise _wrong(target, "it has no alpha")
    whole, base = _fps_and_base(fps)
    if abs(info.seconds * whole / base - len(frames)) > 0.5:
        raise _wrong(target, f"it runs for {info.seconds:g} s")
    if heard and (info.sound is None or abs(info.sound.seconds - info.seconds) > _SOUND_OFF):
        raise _wrong(target, "it has no sound" if info.sound is None else f"its sound runs for {info.sound.seconds:g} s")
    to_compare = {0, len(frames) // 2, len(frames) - 1}
    count = 0
    for count, picture in enumerate(_decoded(film, raw, size, len(frames)), start=1):
        if picture.shape[:2] != (size[1], size[0]):
            raise _wrong(target, f"picture {count} has another size")
        if count - 1 in to_compare and not _resembles(picture, frames[count - 1], info, alpha=form.alpha):
            raise _wrong(target, f"picture {count} is not {shown(frames[count - 1])}")
        tell(_ENCODING_SHARE + (1 - _ENCODING_SHARE) * min(1.0, count / len(frames)))
    if count != len(frames):
        raise _wrong(target, f"only {count} of {len(frames)} pictures can be decoded")


def _wrong(target: Path, what: str) -> RenderError:
    return RenderError(f"{shown(target)}: Blender encoded a wrong film ({what}); try again.")


def _decoded(film: Path, raw: Path, size: tuple[int, int], most: int) -> Iterator[NDArray[np.uint8]]:
    """Every picture by OpenCV or, where that does not know the codec (AV1), by Blender."""
    pictures = _pictures(film)
    first = next(pictures, None)
    if first is None:
        yield from _pictures_by_blender(raw, size, most)
    else:
        yield first
        yield from pictures


def _pictures_by_blender(film: Path, size: tuple[int, int], most: int) -> Iterator[NDArray[np.uint8]]:
    """Decode the film with Blender's FFmpeg, as B, G, R; at most `most` pictures, none if Blender cannot open it either."""
    cv2 = cv()
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder, _film_scene() as scene:
        _set_colours(scene)
        scene.render.use_sequencer, scene.render.use_compositing, scene.render.dither_intensity = True, False, 0
        scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = *size, 100
        _choose_still(scene.render.image_settings)
        try:
            strip = _strips(scene.sequence_editor_create()).new_movie(
                name="Film", filepath=str(film), channel=1, frame_start=1, fit_method="ORIGINAL"
            )
        except RuntimeError:  # Blender cannot open it: the caller says that there are no pictures
            return
        strip.colorspace_settings.name = "sRGB"
        still = Path(folder) / "still.png"
        scene.render.filepath, scene.render.use_file_extension = str(still), False
        for number in range(1, min(most, _length(strip)) + 1):
            scene.frame_set(number)
            with bpy.context.temp_override(scene=scene):  # from which Blender takes the frame's number
                bpy.ops.render.render(write_still=True, scene=scene.name)
            picture = cv2.imread(str(still))
            if picture is None:
                return
            yield picture


# feature detection, see scene/compat.py
def _length(strip: bpy.types.MovieStrip) -> int:
    return int(strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration)


# feature detection, see scene/compat.py
def _choose_still(settings: bpy.types.ImageFormatSettings) -> None:
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"


def _pictures(film: Path) -> Iterator[NDArray[np.uint8]]:
    """Decode the film; OpenCV gives every picture as B, G, R."""
    cv2 = cv()
    capture = cv2.VideoCapture(str(film), cv2.CAP_FFMPEG)
    try:
        while True:
            whole, picture = capture.read()
            if not whole:
                return
            yield picture
    finally:
        capture.release()


def _resembles(picture: NDArray[np.uint8], frame: Path, info: FilmInfo, *, alpha: bool = False) -> bool:
    """Whether a decoded picture can be the frame; OpenCV may or may not have minded the film's colour matrix.

    alpha: the picture's colours are not on black, as the frame's are; what is see-through has none that could be compared.
    """
    wanted = _read_frame(frame)
    readings = [wanted]
    if info.colour is not None and info.colour.matrix == _MATRIX_BT709:
        readings.append(np.clip(wanted @ _bt709_seen_as_bt601().T, 0, 255))
    decoded = picture.astype(np.float32)
    seen = _thumbnail(decoded * _coverage(frame) if alpha else decoded)
    return any(_psnr(_thumbnail(reading), seen) >= _LEAST_RESEMBLANCE for reading in readings)


def _read_frame(frame: Path) -> NDArray[np.float32]:
    """The frame as the film shows it, on black: float32 H×W×3 in 0..255, B, G, R."""
    values = _frame_values(frame)
    if values.ndim == 2:
        return np.repeat(values[:, :, None], 3, axis=2)
    if values.shape[2] == 4:
        return values[:, :, :3] * (values[:, :, 3:] / 255)
    return values


def _coverage(frame: Path) -> NDArray[np.float32]:
    """The frame's alpha, float32 H×W×1 in 0..1."""
    values = _frame_values(frame)
    return values[:, :, 3:] / 255 if values.ndim == 3 and values.shape[2] == 4 else np.ones((*values.shape[:2], 1), np.float32)


def _frame_values(frame: Path) -> NDArray[np.float32]:
    cv2 = cv()
    try:
        pixels = cv2.imdecode(np.fromfile(frame, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as error:
        raise RenderError(f"{shown(frame)}: the frame cannot be read ({error}); render it again.") from error
    if pixels is None:
        raise RenderError(f"{shown(frame)}: the frame cannot be decoded; render it again.")
    return pixels.astype(np.float32) / (257 if pixels.dtype == np.uint16 else 1)


def _thumbnail(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    cv2 = cv()
    height, width = pixels.shape[:2]
    scale = min(1 / _LEAST_BLOCK, _THUMBNAIL / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _bt709_seen_as_bt601() -> NDArray[np.float32]:
    """The 3×3 matrix from B, G, R to what a reader shows that takes BT.709's numbers for BT.601's, as OpenCV 4 does."""
    return (_bgr_from_ycc(0.299, 0.114) @ np.linalg.inv(_bgr_from_ycc(0.2126, 0.0722))).astype(np.float32)


def _bgr_from_ycc(kr: float, kb: float) -> NDArray[np.float64]:
    """ITU-R BT.601 and BT.709: B, G, R from Y, Cb, Cr for the luma weights of red and blue."""
    kg = 1 - kr - kb
    return np.array([[1, 2 - 2 * kb, 0], [1, -(2 - 2 * kb) * kb / kg, -(2 - 2 * kr) * kr / kg], [1, 0, 2 - 2 * kr]])


def _psnr(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    if a.shape != b.shape:
        return 0.0
    error = float(np.mean((a - b) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
