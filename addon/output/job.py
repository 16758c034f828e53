"""The whole way from a photo to a scene, frames or a film: the call that the command line and the window share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ..errors import UsageError
from ..scene import amount
from ..scene import camera as cameras
from ..scene.build import Built, build, build_camera
from ..spec import FilmSpec, SceneSpec
from ..vision import focus
from ..vision.depth import Progress
from ..vision.files import shown
from ..vision.layered import LayeredPhoto
from ..vision.pipeline import film_pixels
from ..vision.video import is_film
from ..vision.worker_process import make_layers
from . import people, spherical, stereo, warped
from . import render as rendering
from .devices import use_device
from .effects import set_up_effects
from .film import check_film, deep_films, encode_film
from .finish import with_grain
from .formats import LOOPS, SUFFIXES, FilmFormat, film_format, rate_factor
from .frames import frame_name, note_frame, parse_frame_range
from .loops import check_loop, encode_loop
from .mp4 import Node
from .sound import Sound, sound_of


class Output(NamedTuple):
    """Where the frames go: a film (or an animated picture), or frames under the pattern `path`."""

    path: Path
    film: bool

    @property
    def loop(self) -> bool:
        """Whether it is an animated picture, which repeats."""
        return self.film and self.path.suffix.lower() in LOOPS


def parse_output(text: str) -> Output:
    """What OUT on the command line means. Raises UsageError with the forms that there are."""
    path = Path(text)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return Output(path, True)
    if suffix in rendering.KINDS and "#" in path.name:
        return Output(path, False)
    if suffix in rendering.KINDS:
        raise UsageError(f"{shown(path)}: frames need a place for their number, for example {path.stem}_####{path.suffix}.")
    raise UsageError(f"{shown(path)}: name a film ({', '.join(SUFFIXES)}) or frames (name_####.png, .jpg or .exr).")


def check_output(output: Output, film: FilmSpec) -> None:
    """Find out before minutes of work whether `output` can be made with these settings.

    Raises UsageError or InputError with what to change.
    """
    suffix = output.path.suffix.lower()
    if film.exr_layers and suffix != ".exr":
        raise UsageError(f"{shown(output.path)}: --exr-layers are for frames named name_####.exr; leave it out, or name them so.")
    if film.grain and suffix == ".exr":
        raise UsageError(f"{shown(output.path)}: --grain is for films and for frames as .png or .jpg; leave it out for EXR.")
    if film.audio and (not output.film or output.loop):
        raise UsageError(f"{shown(output.path)}: --audio is for films (.mp4, .mov, .webm, .mkv); leave it out here.")
    if output.loop:
        check_loop(output.path, (1, 1))
        if film.alpha and suffix == ".gif":
            raise UsageError(f"{shown(output.path)}: GIF has no soft alpha; name the film .webp, or leave out --alpha.")
        if film.codec != "auto":
            raise UsageError(f"{shown(output.path)}: --codec is for films (.mp4, .mov, .webm, .mkv); leave it out here.")
    elif output.film:
        check_film(output.path, film_format(output.path, film.codec, alpha=film.alpha), None)
        sound_of(film)


def wanted_size(spec: SceneSpec, layered: LayeredPhoto, *, film: bool) -> tuple[int, int]:
    """Width and height in pixels: the set size, else the photo's; even for a film."""
    return film_pixels(spec, layered.size, film=film, fov=layered.camera.fov)


@contextmanager
def frames_folder(photo: Path, blend: Path | None) -> Iterator[Path | None]:
    """Where the frames of a film that comes in stay while its scene is used: beside the .blend file that is to be saved, else in
    a temporary folder. None for a photo, all of which goes into the scene.
    """
    if not is_film(photo):
        yield None
    elif blend is not None:
        place = blend.with_name(f"{blend.stem}_film")
        there = place.exists()
        try:
            yield place
        except BaseException:
            if not there:  # no scene will look for it
                shutil.rmtree(place, ignore_errors=True)
            raise
    else:
        with tempfile.TemporaryDirectory(prefix="stillscape-film-") as folder:
            yield Path(folder) / "film"


def make_scene(
    photo: Path,
    spec: SceneSpec,
    scene: bpy.types.Scene,
    progress: Progress,
    *,
    film: bool,
    frames: Path | None = None,
    suffix: str = "",
    camera_alone: bool = False,
    consent: bool = False,
) -> Built:
    """Photo or film to scene in the given Blender scene, render settings included.

    frames: of a film, the folder in which its frames stay; the scene needs them. suffix: of the frames that are to be rendered, if
    any: where they can be drawn without an engine, they will be. camera_alone: then nothing else need be in the scene. consent: the
    user has the right to animate the people in it; UsageError without it if somebody is to be rigged.
    """
    people.check(spec, photo, consent=consent)
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        place = frames or Path(folder) / "layers"
        layered = make_layers(photo, spec, place, lambda share, text: progress(share * 0.7, text), film=film)
        layered = focus.aimed(layered, spec.focus.at)
        progress(0.7, "Building the scene")
        warps = bool(suffix) and warped.wants_warp(spec, suffix)
        built = build_scene(layered, spec, scene, film=film, camera_alone=warps and camera_alone)
        if warps:
            built = replace(built, warp=warped.make_drawing(layered, spec, built.shot, built.film_size))
        if people.add_people(layered, spec, built, photo):
            rendering.set_note(scene, people.NOTE)
            scene.frame_set(1)
    progress(1.0, "Scene ready")
    return built


def build_scene(layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, *, film: bool, camera_alone: bool = False) -> Built:
    """Layered photo to scene in the given Blender scene, render settings included. camera_alone: without the layers."""
    size = wanted_size(spec, layered, film=film)
    alone = camera_alone and not amount.is_asked(spec.move)  # an amount is worked out on the layers
    built = (build_camera if alone else build)(layered, spec, scene, size)
    if amount.is_asked(spec.move):
        built = amount.settle(built, layered, spec.move)
    transparent = spec.film.alpha or (layered.transparent and not film)
    rendering.set_up_render(scene, built.camera, built.shot, spec.render, size, transparent=transparent)
    set_up_effects(scene, built.root, built.camera, spec.focus)
    rendering.set_format(scene, ".png", deep=layered.deep and not film, transparent=transparent)
    cameras.mark(scene, built.root, built.shot)
    scene.render.filepath = f"//{_plain(layered.name)}_####"
    scene.frame_set(1)
    return built


def _plain(name: str) -> str:
    """A name without what Blender expands in output paths."""
    return "".join("_" if c in "#{}/\\" else c for c in name)


def render(
    built: Built,
    spec: SceneSpec,
    scene: bpy.types.Scene,
    output: Output,
    *,
    stop: Callable[[], bool] = lambda: False,
    device_taken: Callable[[str], None] = lambda text: None,
    encoding: Callable[[float], None] = lambda share: None,
    noted: Callable[[dict[str, Any]], None] = lambda facts: None,
) -> Iterator[rendering.Frame]:
    """Render what `spec` asks for, yielding every frame as it is done; a film is complete when the iterator ends.

    Frames of a film are temporary. noted: told what the result should say of stereo and depth, see `stereo.rigged`. Raises DeviceError before the first frame if the named device is not there.
    """
    numbers = parse_frame_range(spec.render.frame_range, 1, built.shot.frames)
    device_taken("CPU, without a render engine" if built.warp is not None else use_device(scene, spec.machine.device))
    settings = scene.render.image_settings
    note = people.note_of(built.root)
    size = stereo.frame_size(spec, stereo.view_size(scene, built.root, spec))
    dither = spec.film.dither and built.shot.frames > 1
    if not output.film:
        rendering.set_format(
            scene,
            output.path.suffix,
            deep=settings.color_depth == "16",
            transparent=settings.color_mode == "RGBA",
            quality=spec.film.quality,
            layers=spec.film.exr_layers,
            dither=dither,
        )
        for frame in _frames(built, spec, scene, str(output.path), numbers, stop, noted):
            if note:
                note_frame(frame.path, note)
            yield frame
        return
    sound, form = check_film_of(output, spec.film, size)
    rendering.set_format(scene, ".png", deep=form is not None and is_deep(form), transparent=spec.film.alpha, dither=dither)
    with tempfile.TemporaryDirectory(prefix="stillscape-frames-") as folder:
        pattern = str(Path(folder) / "frame_######.png")
        yield from _frames(built, spec, scene, pattern, numbers, stop, noted)
        if stop():
            return
        files = [frame_name(pattern, n) for n in numbers]
        edit = spherical.describe(spec.stereo.mode, spec.stereo.first)
        fps = built.shot.fps
        encode(files, output, spec.film, fps=fps, size=size, form=form, sound=sound, progress=encoding, edit=edit, note=note)


def check_film_of(output: Output, film: FilmSpec, size: tuple[int, int]) -> tuple[Sound | None, FilmFormat | None]:
    """The sound and the format of a film of this size, both found to be possible; no format for an animated picture.

    Raises UsageError or InputError with what to change.
    """
    if output.loop:
        check_loop(output.path, size)
        return None, None
    form = film_format(output.path, film.codec, alpha=film.alpha)
    check_film(output.path, form, size)
    return sound_of(film), form


def is_deep(form: FilmFormat) -> bool:
    """Whether films of this format have 10 bits here, and their frames 16."""
    return form.facts.deep and deep_films()


def encode(
    frames: Sequence[Path],
    output: Output,
    film: FilmSpec,
    *,
    fps: float,
    size: tuple[int, int],
    form: FilmFormat | None,
    sound: Sound | None = None,
    progress: Callable[[float], None] | None = None,
    edit: Callable[[Node], None] | None = None,
    note: str = "",
) -> None:
    """Make the film or animated picture of the frames. form, sound: as `check_film_of` gave them. edit, note: see `encode_film`."""
    if form is None:
        encode_loop(frames, output.path, fps=fps, size=size, quality=film.quality, alpha=film.alpha, progress=progress, note=note)
    else:
        factor = rate_factor(film.quality)
        more: dict[str, Any] = {"form": form, "sound": sound, "edit": edit, "note": note}
        encode_film(frames, output.path, fps=fps, size=size, quality=factor, progress=progress, **more)


def _frames(
    built: Built,
    spec: SceneSpec,
    scene: bpy.types.Scene,
    pattern: str,
    numbers: Sequence[int],
    stop: Callable[[], bool],
    noted: Callable[[dict[str, Any]], None],
) -> Iterator[rendering.Frame]:
    """The frames as they are drawn, by an engine or without one, in one view or several, with fresh grain if that was asked for."""
    with ExitStack() as stack:
        if built.warp is not None:
            renderer = _warping(built, spec, scene, noted)
        else:
            renderer = stack.enter_context(stereo.shooting(scene, built.root, spec, noted))
        if spec.film.grain > 0 and not spec.stereo.depth:
            yield from with_grain(renderer, built.root, spec.film, scene, pattern, numbers, stop)
        else:
            yield from renderer(scene, pattern, numbers, stop=stop)


def _warping(
    built: Built, spec: SceneSpec, scene: bpy.types.Scene, noted: Callable[[dict[str, Any]], None]
) -> Callable[..., Iterable[rendering.Frame]]:
    """`render.render_frames` for frames that are drawn without an engine."""
    warp = built.warp
    assert warp is not None
    views = stereo.warped_views(scene, built.root, spec, noted, sky=warp.sky)

    def draw(scene: bpy.types.Scene, pattern: str, numbers: Sequence[int], *, stop: Callable[[], bool]) -> Iterable[rendering.Frame]:
        settings = scene.render.image_settings
        return warped.render_frames(
            warp,
            built.camera,
            scene,
            pattern,
            numbers,
            deep=settings.color_depth == "16",
            transparent=settings.color_mode == "RGBA",
            quality=settings.quality,
            dither=spec.film.dither and built.shot.frames > 1,
            stop=stop,
            views=views,
        )

    return draw


__all__ = [
    "Output", "build_scene", "check_film_of", "check_output", "encode", "frames_folder", "is_deep", "make_scene", "parse_output", "render",
    "wanted_size",
]  # fmt: skip
