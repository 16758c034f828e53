"""The whole way from a photo to a scene, frames or a film: the call that the command line and the window share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import bpy

from ..errors import UsageError
from ..scene.build import Built, build
from ..spec import SceneSpec
from ..vision.depth import Progress
from ..vision.files import shown
from ..vision.layered import LayeredPhoto
from ..vision.pipeline import film_pixels
from ..vision.video import is_film
from ..vision.worker_process import make_layers
from . import render as rendering
from .devices import use_device
from .effects import set_up_effects
from .film import encode_film
from .frames import frame_name, parse_frame_range

FILM = ".mp4"


class Output(NamedTuple):
    """Where the frames go: a film, or frames under `pattern`."""

    path: Path
    film: bool


def parse_output(text: str) -> Output:
    """What OUT on the command line means. Raises UsageError with the forms that there are."""
    path = Path(text)
    suffix = path.suffix.lower()
    if suffix == FILM:
        return Output(path, True)
    if suffix in rendering.KINDS and "#" in path.name:
        return Output(path, False)
    if suffix in rendering.KINDS:
        raise UsageError(f"{shown(path)}: frames need a place for their number, for example {path.stem}_####{path.suffix}.")
    raise UsageError(f"{shown(path)}: name a film (.mp4) or frames (name_####.png, .jpg or .exr).")


def wanted_size(spec: SceneSpec, layered: LayeredPhoto, *, film: bool) -> tuple[int, int]:
    """Width and height in pixels: the set size, else the photo's; even for a film."""
    return film_pixels(spec, layered.size, film=film)


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
    photo: Path, spec: SceneSpec, scene: bpy.types.Scene, progress: Progress, *, film: bool, frames: Path | None = None
) -> Built:
    """Photo or film to scene in the given Blender scene, render settings included.

    frames: of a film, the folder in which its frames stay; the scene needs them.
    """
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        place = frames or Path(folder) / "layers"
        layered = make_layers(photo, spec, place, lambda share, text: progress(share * 0.7, text), film=film)
        progress(0.7, "Building the scene")
        built = build_scene(layered, spec, scene, film=film)
    progress(1.0, "Scene ready")
    return built


def build_scene(layered: LayeredPhoto, spec: SceneSpec, scene: bpy.types.Scene, *, film: bool) -> Built:
    """Layered photo to scene in the given Blender scene, render settings included."""
    size = wanted_size(spec, layered, film=film)
    built = build(layered, spec, scene, size)
    transparent = layered.transparent
    rendering.set_up_render(scene, built.camera, built.shot, spec.render, size, transparent=transparent and not film)
    set_up_effects(scene, built.root, built.camera, spec.focus)
    rendering.set_format(scene, ".png", deep=layered.deep and not film, transparent=transparent and not film)
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
) -> Iterator[rendering.Frame]:
    """Render what `spec` asks for, yielding every frame as it is done; a film is complete when the iterator ends.

    Frames of a film are temporary. Raises DeviceError before the first frame if the named device is not there.
    """
    numbers = parse_frame_range(spec.render.frame_range, 1, built.shot.frames)
    device_taken(use_device(scene, spec.machine.device))
    if not output.film:
        suffix = output.path.suffix
        settings = scene.render.image_settings
        deep = settings.color_depth == "16"
        rendering.set_format(scene, suffix, deep=deep, transparent=settings.color_mode == "RGBA")
        yield from rendering.render_frames(scene, str(output.path), numbers, stop=stop)
        return
    with tempfile.TemporaryDirectory(prefix="stillscape-frames-") as folder:
        pattern = str(Path(folder) / "frame_######.png")
        yield from rendering.render_frames(scene, pattern, numbers, stop=stop)
        if stop():
            return
        files = [frame_name(pattern, n) for n in numbers]
        size = (scene.render.resolution_x, scene.render.resolution_y)
        encode_film(files, output.path, fps=built.shot.fps, size=size, progress=encoding)


__all__ = ["Output", "build_scene", "frames_folder", "make_scene", "parse_output", "render", "wanted_size"]
