"""A scene becomes frames: render settings that keep the rest pose exact, and frames that are verified before they count."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import bpy

from ..errors import RenderError, StorageError, UsageError
from ..moves import Shot
from ..scene import compat
from ..scene.camera import zoom_now
from ..spec import RenderSpec
from ..vision.files import shown, write_atomically
from .frames import FrameKind, clean_png, frame_name, verify_frame

KINDS: dict[str, FrameKind] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".exr": "exr"}
_FORMATS = {"png": "PNG", "jpeg": "JPEG", "exr": "OPEN_EXR"}  # Blender's names
_LAYERS = "OPEN_EXR_MULTILAYER"
_DITHER, KEPT_PASSES = "stillscape_dither", "stillscape_passes"
_AT_REST = 1e-6  # metres, and of a turn


class Frame(NamedTuple):
    """One finished frame: its number, file, and seconds to render and write it."""

    number: int
    path: Path
    seconds: float


def set_up_render(
    scene: bpy.types.Scene, camera: bpy.types.Object, shot: Shot, settings: RenderSpec, size: tuple[int, int], *, transparent: bool = False
) -> None:
    """Give `scene` the settings under which the film's first frame is the photo.

    size: (width, height) in pixels. transparent: keep an alpha channel, for photos that have one.
    """
    render = scene.render
    scene.camera = camera
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.use_border = False
    scene.frame_start, scene.frame_end = 1, shot.frames
    whole = round(shot.fps)
    render.fps = whole
    render.fps_base = whole / shot.fps
    # Standard shows the photo's own colours (the default, AgX, is a film look); dither is noise on top of them.
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    render.dither_intensity = 0.0
    render.film_transparent = transparent
    render.use_motion_blur = False
    render.use_freestyle = False  # runs scripts
    render.use_persistent_data = True  # the scene is static: build it once, not for every frame
    compat.no_compositing(scene)
    _no_stamps(render)
    _ENGINES[settings.engine](scene, settings.samples)


def _cycles(scene: bpy.types.Scene, samples: int) -> None:
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.seed, cycles.use_animated_seed = 0, False
    # The film pixel is the mean over the pixel and nothing else; a wider filter would blur the rest pose.
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1.0
    # The photo is light to the camera and to nothing else.
    cycles.max_bounces = 0
    cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, 16)
    cycles.use_light_tree = False
    cycles.caustics_reflective = cycles.caustics_refractive = False


def _eevee(scene: bpy.types.Scene, samples: int) -> None:
    scene.render.engine = compat.eevee_identifier(scene)
    scene.eevee.taa_render_samples = samples
    scene.render.filter_size = 1.0


def _workbench(scene: bpy.types.Scene, samples: int) -> None:
    scene.render.engine = "BLENDER_WORKBENCH"
    shading = scene.display.shading
    shading.light, shading.color_type = "FLAT", "TEXTURE"
    shading.show_object_outline = shading.show_shadows = shading.show_cavity = shading.show_specular_highlight = False
    scene.display.render_aa = "OFF" if samples == 1 else next((f"{n}" for n in (5, 8, 11, 16) if samples <= n), "32")


_ENGINES: dict[str, Callable[[bpy.types.Scene, int], None]] = {
    "auto": _cycles,
    "warp": _cycles,
    "cycles": _cycles,
    "eevee": _eevee,
    "workbench": _workbench,
}


def _no_stamps(render: bpy.types.RenderSettings) -> None:
    """Dates, paths and times in a frame make equal frames differ and tell strangers where it was made."""
    for name in render.bl_rna.properties.keys():
        if name.startswith("use_stamp"):
            setattr(render, name, False)


def set_note(scene: bpy.types.Scene, text: str) -> None:
    """Let Blender write `text` into the files of the scene's frames, as their "Note"; nothing of it is in the picture."""
    render = scene.render
    render.use_stamp = False
    render.use_stamp_note, render.stamp_note_text = bool(text), text


def set_format(
    scene: bpy.types.Scene, suffix: str, *, deep: bool, transparent: bool, quality: int = 95, layers: bool = False, dither: bool = False
) -> None:
    """Set the file format of frames by suffix (".png", ".jpg", ".exr").

    deep: 16 bits, for photos of more than 8 and for films of 10. quality: of JPEG, 0 to 100. layers: EXR with depth (metres along
    the optical axis) and motion vectors beside the picture. dither: break up bands in 8-bit frames, but not while the camera
    rests where the photo was taken, which stays the photo. Raises UsageError if the scene cannot be rendered with `layers`.
    """
    settings, suffix = scene.render.image_settings, suffix.lower()
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE" if layers else "IMAGE"
    if hasattr(settings, "use_exr_interleave"):
        settings.use_exr_interleave = True  # all layers in one part, which more programs can read
    settings.file_format = _LAYERS if layers else _FORMATS[KINDS[suffix]]
    settings.color_mode = "RGBA" if layers or (transparent and suffix in (".png", ".exr")) else "RGB"
    if suffix == ".png":
        settings.color_depth, settings.compression = "16" if deep else "8", 15
    elif suffix == ".exr":
        settings.color_depth, settings.exr_codec = "16", "ZIP"  # depth and vectors keep their 32
    else:
        settings.quality = quality
    scene[_DITHER] = 1.0 if dither and not (deep and suffix == ".png") and suffix != ".exr" else 0.0
    _set_passes(scene, layers)


def _set_passes(scene: bpy.types.Scene, on: bool) -> None:
    """Depth and vectors of what covers at least half of a pixel's ray: what a matte leaves is seen through, as in the picture."""
    if on and scene.render.use_motion_blur:
        raise UsageError("--exr-layers: Blender gives no motion vectors along with motion blur; leave out one of the two.")
    if on and scene.render.engine == "BLENDER_WORKBENCH":
        raise UsageError("--exr-layers: Workbench gives no motion vectors; choose --engine cycles or eevee.")
    for layer in scene.view_layers:
        if on:
            layer.pass_alpha_threshold = 0.5
        if on or KEPT_PASSES in layer:
            layer.use_pass_z = layer.use_pass_vector = on
            layer[KEPT_PASSES] = on


def render_frames(
    scene: bpy.types.Scene, pattern: str, numbers: Iterable[int], *, stop: Callable[[], bool] = lambda: False
) -> Iterable[Frame]:
    """Render frames one by one, yielding each once its file is complete, verified and under its final name.

    pattern: path whose name holds `####`. The format must have been set. stop: asked before each frame; True ends.
    Raises RenderError if Blender gives no frame or a broken one, StorageError if it cannot be written. Blender itself
    reports success for a truncated file on a full disk, hence the reading back.
    """
    render = scene.render
    before = render.filepath, render.use_file_extension
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        try:
            for number in numbers:
                if stop():
                    return
                started = time.monotonic()
                target = frame_name(pattern, number)
                # Rendered under a name of ours: Blender expands `#` and, since 5.0, `{}` in names.
                raw = Path(folder) / f"frame{target.suffix.lower()}"
                render_one(scene, number, raw)
                _take(scene, raw, target)
                yield Frame(number, target, time.monotonic() - started)
        finally:
            render.filepath, render.use_file_extension = before


def start_frame(scene: bpy.types.Scene, number: int, raw: Path) -> None:
    """Begin to render a frame beside the window: Blender's own render job, which Esc ends. `raw` must be of a plain name.

    The scene of the context must be `scene`: Blender takes the frame's number from there. Raises RenderError.
    """
    _prepare(scene, number, raw)
    _stopped.clear()
    if _note_stop not in bpy.app.handlers.render_cancel:
        bpy.app.handlers.render_cancel.append(_note_stop)
    try:
        bpy.ops.render.render("INVOKE_DEFAULT", write_still=True)
    except RuntimeError as error:
        raise RenderError(f"Frame {number} could not be rendered: {_one_line(error)}") from error


def is_rendering() -> bool:
    """Whether a frame that `start_frame` began is still being rendered."""
    return bpy.app.is_job_running("RENDER")


def was_stopped() -> bool:
    """Whether the frame that `start_frame` began has ended by Esc, which Blender may keep to itself; ask once, at its end."""
    if _note_stop in bpy.app.handlers.render_cancel:
        bpy.app.handlers.render_cancel.remove(_note_stop)
    return bool(_stopped)


_stopped: list[str] = []


def _note_stop(scene: bpy.types.Scene, *_: object) -> None:
    _stopped.append(scene.name)


def take_frame(scene: bpy.types.Scene, raw: Path, target: Path) -> None:
    """Verify the frame that `start_frame` left at `raw` and put it to `target`. Raises RenderError or StorageError."""
    if not raw.exists():
        raise RenderError(f"{shown(target.name)}: the frame was not finished; render it again.")
    _take(scene, raw, target)


def _size(scene: bpy.types.Scene) -> tuple[int, int]:
    render = scene.render
    return render.resolution_x * render.resolution_percentage // 100, render.resolution_y * render.resolution_percentage // 100


def _prepare(scene: bpy.types.Scene, number: int, raw: Path) -> None:
    raw.unlink(missing_ok=True)
    scene.frame_set(number)
    scene.render.dither_intensity = 0.0 if _is_at_rest(scene) else float(scene.get(_DITHER, 0.0))
    scene.render.filepath, scene.render.use_file_extension = str(raw), False


def _is_at_rest(scene: bpy.types.Scene) -> bool:
    """Whether the camera stands where the photo was taken and sees what it saw then; of a camera that is not ours: no."""
    graph = scene.view_layers[0].depsgraph
    if scene.camera is None or scene.camera.parent is None or graph is None:
        return False
    # Evaluated: of a scene that no window shows, the objects themselves do not hear of the frame.
    camera = scene.camera.evaluated_get(graph)
    rest = camera.parent.matrix_world @ camera.matrix_parent_inverse
    moved = max(abs(a - b) for ours, theirs in zip(camera.matrix_world, rest) for a, b in zip(ours, theirs))
    zoom, offset = zoom_now(camera.data)
    return max(moved, abs(zoom - 1), *map(abs, offset)) <= _AT_REST


def render_one(scene: bpy.types.Scene, number: int, raw: Path) -> None:
    """Render a frame to `raw`, a plain name, as it comes from Blender. Raises RenderError or StorageError."""
    _prepare(scene, number, raw)
    try:
        bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise RenderError(f"Frame {number} could not be rendered: {_one_line(error)}") from error
    if not raw.exists() or raw.stat().st_size == 0:
        raise StorageError(f"{raw.parent}: no room for frame {number}; free some room or set another temporary folder (TMPDIR).")


def _take(scene: bpy.types.Scene, raw: Path, target: Path) -> None:
    """Put the frame that Blender left at `raw` to `target`, without its notes."""
    layers = scene.render.image_settings.file_format == _LAYERS
    content = raw.read_bytes()
    try:
        content = clean_png(content) if target.suffix.lower() == ".png" else content
    except ValueError as error:
        raise StorageError(f"{raw.parent}: Blender left a broken frame there, most likely for want of room; free some room.") from error
    deliver(content, target, _size(scene), layers=layers)


def deliver(content: bytes, target: Path, size: tuple[int, int], *, layers: bool = False) -> None:
    """Put a frame's file to `target`, whole or not at all, and decode it to be sure. layers: it is an EXR with passes.

    Raises RenderError or StorageError.
    """
    kind: FrameKind = "layers" if layers else KINDS[target.suffix.lower()]
    write_atomically(target, lambda path: _write(path, content), lambda path: _verify(path, size, kind))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _verify(path: Path, size: tuple[int, int], kind: FrameKind) -> None:
    verify_frame(path, size, kind=kind)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).replace("Error:", " ").split())
