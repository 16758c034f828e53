"""Frames drawn by vision/warp.py instead of a render engine: the photo's layers, bent to where the camera stands."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import lru_cache
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError, UsageError
from ..moves import Shot
from ..scene.camera import zoom_now
from ..spec import SceneSpec
from ..vision.cv import cv
from ..vision.geometry import frame_photo, ray_map
from ..vision.layered import LayeredPhoto
from ..vision.layering import as_planned, tear_threshold
from ..vision.mattes import read_colour
from ..vision.parallel import worker_count, workers
from ..vision.photo import read_photo
from ..vision.planning import framed_for, texture_key
from ..vision.texture import linear_to_srgb, photo_texels, srgb_to_linear, suits
from ..vision.warp import Drawing, Pose, Warp, frame_sheet, make_sheets
from .frames import frame_name
from .render import KINDS, Frame, deliver

SUFFIXES = (".png", ".jpg", ".jpeg")
_MOST_WORKERS = 8  # each needs the memory of a frame in the making, about 100 bytes a pixel
_STILL = 1e-6
_MOST_MEGAPIXELS = 2000  # the photo was admitted when its layers were made


def can_warp(spec: SceneSpec) -> bool:
    """Whether all of what `spec` asks for can be drawn by bending layers: no light but the photo's own, no blur of lens or shutter,
    no panorama, no depth and nobody rigged."""
    light, focus = spec.light, spec.focus
    lit = light.lamp != "none" or any(value is not None and value > 0 for value in (light.relight, light.haze, light.vignette))
    blurred = focus.f_stop is not None or focus.motion_blur > 0
    return not lit and not blurred and spec.rig.kind == "none" and spec.stereo.mode != "vr180" and not spec.stereo.depth


def wants_warp(spec: SceneSpec, suffix: str) -> bool:
    """Whether frames of this `suffix` are to be drawn so: as asked, or, left to us, where it can be done and no device was named.

    Raises UsageError if it was asked for and cannot be done.
    """
    possible = can_warp(spec) and suffix.lower() in SUFFIXES
    if spec.render.engine == "warp":
        if not possible:
            raise UsageError(
                "--engine warp draws PNG and JPEG frames and films of the photo alone, sharp and in its own light; choose --engine cycles."
            )
        if spec.machine.device not in ("auto", "cpu"):
            raise UsageError(
                f"--device {spec.machine.device} is a choice for Cycles; leave it out for --engine warp, which takes the processor."
            )
        return True
    return spec.render.engine == "auto" and possible and spec.machine.device in ("auto", "cpu")


def make_warp(layered: LayeredPhoto, spec: SceneSpec, shot: Shot, film: tuple[int, int]) -> Warp:
    """What draws the frames of a layered photo at `film` (width, height) pixels. Raises InputError if a file of it is damaged."""
    key = texture_key(layered, shot, film, spec.render.crop)
    if layered.texture is not None and suits(layered.texture.key, key):
        texture = read_colour(layered.path(layered.texture.file))
    else:
        texture = photo_texels(read_photo(layered.path(layered.photo), max_megapixels=_MOST_MEGAPIXELS), key)
    tear = tear_threshold(as_planned(spec, layered.made), layered.grid)
    return Warp(
        make_sheets(layered, strength=spec.relief.strength, tear=tear), texture, layered.grid, ray_map(layered.camera, layered.size),
        frame_photo(layered.camera, layered.size, film, spec.render.crop, framed_for(layered, spec)), film, layered.near, layered.far,
    )  # fmt: skip


def make_drawing(layered: LayeredPhoto, spec: SceneSpec, shot: Shot, film: tuple[int, int]) -> Drawing:
    """What draws the frames of a shot; of a film that came in, its folder must stay. Raises InputError if a file of it is damaged."""
    frames = layered.frames
    if frames is None:
        warp = make_warp(layered, spec, shot, film)
        return Drawing(film, any(sheet.sky for sheet in warp.sheets), lambda number: warp)
    framing = frame_photo(layered.camera, layered.size, film, spec.render.crop, framed_for(layered, spec))
    rays = ray_map(layered.camera, layered.size)

    def at(number: int) -> Warp:
        number = min(max(number, 1), frames.count)
        texture = read_colour(layered.path(frames.file(frames.texture, number)))
        sheet = frame_sheet(layered, number, strength=spec.relief.strength)
        return Warp([sheet], texture, layered.grid, rays, framing, film, layered.near, layered.far)

    return Drawing(film, False, at)


def pose_of(camera: bpy.types.Object) -> Pose:
    """Where a photo's camera stands at the scene's frame, in its own axes at rest."""
    matrix = np.array(camera.matrix_basis, np.float64)
    return Pose((float(matrix[0, 3]), float(matrix[1, 3]), float(matrix[2, 3])), matrix[:3, :3], *zoom_now(camera.data))


class Views(NamedTuple):
    """Several views of a frame: where each is seen from, given where the camera stands; how they become one picture (RGBA H×W×4
    each); and that picture's (width, height)."""

    poses: Callable[[Pose], list[Pose]]
    join: Callable[[list[NDArray[Any]]], NDArray[Any]]
    size: tuple[int, int]


def render_frames(
    drawing: Drawing,
    camera: bpy.types.Object,
    scene: bpy.types.Scene,
    pattern: str,
    numbers: Iterable[int],
    *,
    deep: bool,
    transparent: bool,
    quality: int = 95,
    dither: bool = False,
    stop: Callable[[], bool] = lambda: False,
    views: Views | None = None,
) -> Iterable[Frame]:
    """Draw frames one by one, yielding each once its file is complete, verified and under its final name.

    pattern: path whose name holds `####`. deep: PNG of 16 bits; transparent: keep alpha, in PNG. quality: of JPEG.
    dither: break up bands where photos of more than 8 bits become 8, except at rest. stop: asked before each frame.
    views: what makes a frame of several views.
    Raises RenderError if a frame cannot be packed, StorageError if it cannot be written.
    """
    waiting: deque[tuple[int, float, Future[bytes]]] = deque()

    def draw(number: int, poses: list[Pose], name: str, kind: str) -> bytes:
        warp = drawing.at(number)
        drawn = [warp.frame(pose) for pose in poses]
        noisy = dither and not (len(poses) == 1 and _is_at_rest(poses[0]))
        more = {"transparent": transparent and kind == "png", "quality": quality, "dither": noisy}
        return encode_frame(drawn[0] if views is None else views.join(drawn), kind, deep=deep, name=name, **more)

    def finished() -> Frame:
        number, started, made = waiting.popleft()
        target = frame_name(pattern, number)
        deliver(made.result(), target, drawing.film if views is None else views.size)
        return Frame(number, target, time.monotonic() - started)

    most = worker_count(_MOST_WORKERS)
    # They touch arrays and nothing of Blender; NumPy and OpenCV let each other work meanwhile.
    with workers(most) as pool:
        for number in numbers:
            if stop():
                return
            scene.frame_set(number)
            target = frame_name(pattern, number)
            started = time.monotonic()
            poses = [pose_of(camera)] if views is None else views.poses(pose_of(camera))
            waiting.append((number, started, pool.submit(draw, number, poses, target.name, KINDS[target.suffix.lower()])))
            if len(waiting) > most:
                yield finished()
        while waiting and not stop():
            yield finished()


def _is_at_rest(pose: Pose) -> bool:
    away = max(abs(pose.zoom - 1), *map(abs, (*pose.location, *pose.offset)))
    return away < _STILL and bool(np.allclose(pose.rotation, np.eye(3), atol=_STILL))


@lru_cache(maxsize=2)
def _noise(height: int, width: int) -> NDArray[np.float32]:
    """Triangular noise in [-1, 1]."""
    return np.random.default_rng(0).random((2, height, width), np.float32).sum(0) - 1


def _dithered(pixels: NDArray[Any]) -> NDArray[Any]:
    """Pixels of 16 bits with noise of up to one step of 8 bits on the colours, the same for every frame."""
    noise = _noise(*pixels.shape[:2])
    out = pixels.astype(np.float32)
    out[..., :3] = np.clip(out[..., :3] + 257 * noise[..., None], 0, 65535)
    return np.rint(out).astype(np.uint16)


def encode_frame(
    pixels: NDArray[Any], kind: str, *, deep: bool, transparent: bool, name: str, quality: int = 95, dither: bool = False
) -> bytes:
    """RGBA (H×W×4: uint8, uint16, or linear float32) as a PNG or JPEG file. Raises RenderError if it cannot be packed.

    quality: of JPEG. dither: put fine noise on what loses bits.
    """
    cv2 = cv()
    wide = deep and kind == "png"
    if pixels.dtype == np.float32:
        top = 65535 if wide or dither else 255
        colour = linear_to_srgb(pixels[..., :3])
        pixels = np.rint(np.concatenate([colour, np.clip(pixels[..., 3:], 0, 1)], -1) * top).astype(np.uint16 if top > 255 else np.uint8)
    if pixels.dtype == np.uint16 and not wide:
        pixels = _dithered(pixels) if dither else pixels
        pixels = np.rint(pixels / np.float32(257)).astype(np.uint8)
    if pixels.dtype == np.uint8 and wide:
        pixels = pixels.astype(np.uint16) * np.uint16(257)
    if transparent:
        shown = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
    else:  # what is see-through is black
        top = np.iinfo(pixels.dtype).max
        clear = pixels[..., 3] < top
        if clear.any():
            pixels = pixels.copy()
            light = srgb_to_linear(pixels[clear, :3] / np.float32(top)) * (pixels[clear, 3:] / np.float32(top))
            pixels[clear, :3] = np.rint(linear_to_srgb(light) * top).astype(pixels.dtype)
        shown = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGR)
    # No level for PNG: OpenCV's own way takes half the time of the quickest level that can be asked for.
    done, data = cv2.imencode(".png" if kind == "png" else ".jpg", shown, [] if kind == "png" else [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RenderError(f"{name}: the frame could not be packed; choose a smaller --size.")
    return data.tobytes()
