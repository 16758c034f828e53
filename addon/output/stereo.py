"""Frames for two eyes or more: each view is rendered by the photo's own camera, moved aside, and all are put into one picture.

The camera itself is moved, since the sky follows it and the photo's material looks at it: with a constraint after all of
its own, so that an aim keeps aiming where it did. docs/stereo.md says what the modes are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..errors import RenderError, UsageError
from ..scene import compat
from ..scene.build import ROLE, stage_of
from ..scene.material import can_show, showing
from ..scene.notes import Notes, distance_now, read_notes
from ..scene.relief import numbers, relief_modifier
from ..scene.rig import meshes_of
from ..spec import SceneSpec, StereoSpec
from ..vision import warp
from ..vision.cv import cv
from ..vision.files import write_atomically
from ..vision.layering import reserve_of
from ..vision.planning import vr_side
from . import parallax, render, vr180, warped
from .frames import FrameKind, frame_name, verify_frame
from .packing import pack, packed_size
from .parallax import Pose

Shoot = Callable[..., Iterable[render.Frame]]
"""A function like `render.render_frames`."""

_SAMPLES = 17  # frames of a shot at which distances are taken; of a film fewer, since each makes its mesh anew
_FILM_SAMPLES = 5
_SHIFT = "shift_x"


def frame_size(spec: SceneSpec, view: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a frame whose views have `view` pixels."""
    return packed_size(spec.stereo.mode, view, spec.stereo.quilt)


def view_size(scene: bpy.types.Scene, root: bpy.types.Object, spec: SceneSpec) -> tuple[int, int]:
    """Width and height of one view: those of `scene`, but for VR180, whose views are squares."""
    if spec.stereo.mode != "vr180":
        return _size(scene)
    notes = _notes(root)
    side = vr_side(spec.render.size, notes.size[0], notes.camera.fov)
    return side, side


def named(path: Path, spec: SceneSpec, view: tuple[int, int]) -> Path:
    """The name for a frame or film: a quilt's says how it is made up, as Looking Glass programs read it (_qs8x6a0.75)."""
    if spec.stereo.mode != "quilt" or "_qs" in path.stem:
        return path
    columns, rows = spec.stereo.quilt
    return path.with_name(f"{path.stem}_qs{columns}x{rows}a{view[0] / view[1]:.3g}{path.suffix}")


def check(spec: SceneSpec) -> None:
    """Raise UsageError for settings that do not go together."""
    if spec.stereo.depth and spec.stereo.mode == "anaglyph":
        raise UsageError("--depth-film has no colors for red and cyan glasses; choose another --stereo, for example side-by-side.")
    if spec.stereo.mode == "vr180" and spec.render.engine not in ("auto", "cycles"):
        raise UsageError("VR180 is rendered by Cycles only: set the engine to Cycles.")


# what the camera sees


def sky_is_there(root: bpy.types.Object) -> bool:
    """Whether a layer of the photo is infinitely far."""
    return any(c.type == "COPY_LOCATION" for layer in layers_of(root) for c in layer.constraints)


def layers_of(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The photo's layers."""
    return [o for o in root.children_recursive if o.get(ROLE) == "layer" and relief_modifier(o) is not None]


def rest_pose(root: bpy.types.Object, camera: bpy.types.Object, spec: StereoSpec, film: tuple[int, int]) -> Pose:
    """What the camera sees from where the photo was taken; cheap enough for a panel. Raises UsageError if the photo's notes are gone."""
    near, far, focus = _distances(root)
    return Pose(near, float("inf") if sky_is_there(root) else far, spec.convergence or focus, _tan_width(camera.data, film))


def poses(scene: bpy.types.Scene, root: bpy.types.Object, spec: StereoSpec, *, sky: bool | None = None) -> list[Pose]:
    """What the camera of `scene` sees over its whole shot, at a few frames that do not depend on which are rendered.

    sky: whether something is infinitely far; None: to be told by the photo's layers.
    """
    near, far, focus = _distances(root)
    notes = _notes(root)
    sky = sky_is_there(root) if sky is None else sky
    film = _size(scene)
    count = min(notes.frames, _FILM_SAMPLES if notes.clip else _SAMPLES)
    found = []
    for number in sorted({round(1 + i * (notes.frames - 1) / max(1, count - 1)) for i in range(count)}):
        scene.frame_set(number)
        camera = _evaluated(scene)
        depth = partial(_depth_of, camera, root)
        nearest = max(depth(near), near * 0.02)
        convergence = spec.convergence or max(depth(focus), nearest)
        found.append(Pose(nearest, float("inf") if sky else max(depth(far), nearest), convergence, _tan_width(camera.data, film)))
    return found


def _notes(root: bpy.types.Object) -> Notes:
    notes = read_notes(root)
    if notes is None:
        raise UsageError(f"{root.name}: what Stillscape noted about this photo is gone; import the photo again.")
    return notes


def _distances(root: bpy.types.Object) -> tuple[float, float, float]:
    """Metres from where the photo was taken to what is nearest, farthest and the subject, with the relief as it is now."""
    near, far, strength = numbers(root)
    far = max(far, near * 1.0001)
    nearest = 1 / (strength * (1 / near - 1 / far) + 1 / far)
    return nearest, far, distance_now(_notes(root), stage_of(root).focus, near, far, strength)


def _depth_of(camera: bpy.types.Object, root: bpy.types.Object, distance: float) -> float:
    """How far from the camera, along its axis and in the photo's metres, the point is that was `distance` before the photo's."""
    point = root.matrix_world @ Vector((0.0, distance, 0.0))
    forward = -camera.matrix_world.col[2].to_3d().normalized()
    return (point - camera.matrix_world.translation).dot(forward) / max(1e-9, root.matrix_world.to_scale()[0])


def _convergence(camera: bpy.types.Object, root: bpy.types.Object, spec: StereoSpec) -> float:
    """How far from the camera what is at the screen is: as set, else the subject, wherever the camera has gone."""
    if spec.convergence is not None:
        return spec.convergence
    near, _, focus = _distances(root)
    return max(_depth_of(camera, root, focus), _depth_of(camera, root, near), near * 0.02)


def _tangent(camera: bpy.types.Camera) -> float:
    """The fitted side of the sensor over the lens."""
    return (camera.sensor_height if camera.sensor_fit == "VERTICAL" else camera.sensor_width) / camera.lens


def _tan_width(camera: bpy.types.Camera, film: tuple[int, int]) -> float:
    tangent = _tangent(camera)
    tall = camera.sensor_fit == "VERTICAL" or (camera.sensor_fit == "AUTO" and film[1] > film[0])
    return tangent * film[0] / film[1] if tall else tangent


def _size(scene: bpy.types.Scene) -> tuple[int, int]:
    render_ = scene.render
    return render_.resolution_x * render_.resolution_percentage // 100, render_.resolution_y * render_.resolution_percentage // 100


def _evaluated(scene: bpy.types.Scene) -> bpy.types.Object:
    return scene.camera.evaluated_get(scene.view_layers[0].depsgraph)


def span(spec: SceneSpec, seen: list[Pose]) -> float:
    """Metres from the leftmost camera to the rightmost."""
    stereo = spec.stereo
    close = 0.5 * min(p.near for p in seen)
    if stereo.mode == "quilt":
        if stereo.cone is not None:
            return min(parallax.cone_span(stereo.cone, p.convergence) for p in seen)
        widest = min(parallax.cone_span(parallax.CONE, p.convergence) for p in seen)
        return min(widest, parallax.interaxial_within(2 * reserve_of(spec), seen))
    if stereo.interaxial is not None:
        return stereo.interaxial
    if stereo.mode == "vr180":
        return parallax.headset_interaxial(seen)
    return min(parallax.interaxial_within(parallax.COMFORT, seen), close)


# the cameras


class Rig:
    """The views of one photo's scene while they are rendered. It knows everything in Blender by name only."""

    def __init__(
        self, scene: bpy.types.Scene, eye: bpy.types.Object, spec: SceneSpec, offsets: list[float], root: bpy.types.Object
    ) -> None:
        self.spec = spec
        self.offsets = offsets
        self.view_size = _size(scene)
        self.size = frame_size(spec, self.view_size)
        self._scene, self._eye, self._root = scene.name, eye.name, root.name
        self._number: int | None = None
        self._base = (Vector((1.0, 0.0, 0.0)), 0.0, 1.0, 1.0)  # to the right, shift, tangent, convergence

    @property
    def views(self) -> int:
        """How many pictures make a frame."""
        return len(self.offsets)

    def place(self, number: int, view: int) -> None:
        """Move the camera to where `view` (from left to right) is seen from at frame `number`."""
        scene, eye = bpy.data.scenes.get(self._scene), bpy.data.objects.get(self._eye)
        root = bpy.data.objects.get(self._root)
        if scene is None or eye is None or root is None or scene.camera is None:
            raise RenderError(f"Frame {number} was stopped, because its camera was removed; render it again.")
        if number != self._number:
            self._measure(scene, eye, root, number)
            self._number = number
        right, shift, tangent, convergence = self._base
        eye.location = right * self.offsets[view]
        if self.spec.stereo.mode != "vr180":
            scene.camera.data.shift_x = shift + parallax.lens_shift(self.offsets[view], convergence, tangent)

    def _measure(self, scene: bpy.types.Scene, eye: bpy.types.Object, root: bpy.types.Object, number: int) -> None:
        eye.location = (0.0, 0.0, 0.0)
        _mute_shift(scene.camera.data, False)
        if self._number is not None:
            scene.camera.data.shift_x = self._base[1]
        scene.frame_set(number)
        camera = _evaluated(scene)
        scale = root.matrix_world.to_scale()[0]
        convergence = _convergence(camera, root, self.spec.stereo)
        right = camera.matrix_world.col[0].to_3d().normalized() * scale
        self._base = (right, camera.data.shift_x, _tangent(camera.data), convergence)
        _mute_shift(scene.camera.data, True)

    def deliver(self, raws: list[Path], target: Path) -> None:
        """Put the views' files `raws`, from left to right, into one picture, verify it and give it the name `target`.

        Raises RenderError for a broken view, StorageError if there is no room.
        """
        stereo = self.spec.stereo
        kind = render.KINDS[target.suffix.lower()]
        pictures = [verify_frame(raw, self.view_size, kind=render.KINDS[raw.suffix]) for raw in raws]
        if stereo.mode == "anaglyph":
            pictures = [_swapped(p) for p in pictures]
        picture = pack(stereo.mode, pictures, first=stereo.first, quilt=stereo.quilt)
        content = encode(
            _swapped(picture) if stereo.mode == "anaglyph" else picture,
            kind,
            quality=self.spec.film.quality,
            full_colour=stereo.mode == "anaglyph",
        )
        write_atomically(
            target, lambda path: path.write_bytes(content) and None, lambda path: verify_frame(path, self.size, kind=kind) is None
        )


def _swapped(pixels: NDArray[Any]) -> NDArray[Any]:
    """B, G, R for R, G, B and back; alpha stays."""
    return pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]]


def _mute_shift(camera: bpy.types.Camera, mute: bool) -> None:
    """Let the camera's keyframes of its shift rest, or act again."""
    for curve in compat.fcurves(camera):
        if curve.data_path == _SHIFT:
            curve.mute = mute


def encode(pixels: NDArray[Any], kind: FrameKind, *, quality: int = 95, full_colour: bool = False) -> bytes:
    """Pixels as OpenCV orders them as a file. quality: of a JPEG. full_colour: a JPEG keeps the colours of every pixel, as glasses want it."""
    cv2 = cv()
    how = {
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality]
        + ([cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444] if full_colour else []),
        "exr": [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF, cv2.IMWRITE_EXR_COMPRESSION, cv2.IMWRITE_EXR_COMPRESSION_ZIP],
    }[kind]
    suffix = {"png": ".png", "jpeg": ".jpg", "exr": ".exr"}[kind]
    try:
        done, data = cv2.imencode(suffix, np.ascontiguousarray(pixels), how)
    except cv2.error as error:
        raise RenderError(f"The views could not be put into one picture ({error.err}); choose a smaller --size.") from error
    if not done:
        raise RenderError("The views could not be put into one picture; choose a smaller --size.")
    return data.tobytes()


@contextmanager
def rigged(
    scene: bpy.types.Scene, root: bpy.types.Object, spec: SceneSpec, noted: Callable[[dict[str, Any]], None]
) -> Iterator[Rig | None]:
    """Prepare `scene`, whose camera is the photo's, for what `spec.stereo` asks for; everything is as before afterwards.

    Gives the rig that places the views, or None where there is one view that needs no placing. noted: told what a result
    should say: interaxial (metres), parallax (least and largest, in shares of the width) and a warning if that is
    uncomfortable; for a depth film near and far (metres of white and black). Raises UsageError if it cannot be done.
    """
    stereo = spec.stereo
    if stereo.mode == "off" and not stereo.depth:
        yield None
        return
    check(spec)
    layers = layers_of(root)
    materials = sorted(
        {s.material for o in [*layers, *meshes_of(root)] for s in o.material_slots if s.material is not None}, key=lambda m: m.name
    )
    if (stereo.depth or stereo.mode == "vr180") and not all(can_show(m) for m in materials):
        raise UsageError(f"{root.name}: this scene was made by an older Stillscape; import the photo again.")
    with ExitStack() as stack:
        seen = poses(scene, root, stereo)
        if stereo.depth:
            stack.enter_context(_depth_shown(scene, root, materials, seen, noted))
        if stereo.mode == "off":
            yield None
            return
        wide = span(spec, seen)
        if stereo.mode == "vr180":
            notes, side = _notes(root), view_size(scene, root, spec)[0]
            surround = "black" if stereo.depth else stereo.surround
            stack.enter_context(vr180.panorama(scene, root, notes, layers, materials, side=side, surround=surround))
            noted({"interaxial": wide})
        else:
            noted(_facts(spec, wide, seen))
        eye = stack.enter_context(_eye(scene))
        rig = Rig(scene, eye, spec, parallax.offsets(_count(spec), wide), root)
        noted({"size": rig.size})
        yield rig


def _count(spec: SceneSpec) -> int:
    return spec.stereo.quilt[0] * spec.stereo.quilt[1] if spec.stereo.mode == "quilt" else 2


def _facts(spec: SceneSpec, wide: float, seen: list[Pose]) -> dict[str, Any]:
    found = parallax.parallax_range(wide, seen)
    warning = parallax.complaint(found) if spec.stereo.mode != "quilt" else ""
    return {"interaxial": wide, "parallax": list(found), **({"warning": warning} if warning else {})}


def warped_views(
    scene: bpy.types.Scene, root: bpy.types.Object, spec: SceneSpec, noted: Callable[[dict[str, Any]], None], *, sky: bool
) -> warped.Views | None:
    """The views of `spec` for frames that are drawn without an engine; None for a single one. noted: see `rigged`.

    sky: whether something is infinitely far; the layers need not be in the scene.
    """
    stereo = spec.stereo
    if stereo.mode == "off":
        return None
    seen = poses(scene, root, stereo, sky=sky)
    wide = span(spec, seen)
    aside = parallax.offsets(_count(spec), wide)
    size = frame_size(spec, _size(scene))
    noted({**_facts(spec, wide, seen), "size": size})

    def around(pose: warp.Pose) -> list[warp.Pose]:
        convergence = _convergence(_evaluated(scene), root, stereo)
        right = pose.rotation[:, 0]
        return [
            pose._replace(
                location=tuple(float(a + offset * r) for a, r in zip(pose.location, right)),
                offset=(pose.offset[0] - offset / convergence, pose.offset[1]),
            )
            for offset in aside
        ]

    return warped.Views(around, lambda views: pack(stereo.mode, views, first=stereo.first, quilt=stereo.quilt), size)


@contextmanager
def _eye(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """An empty whose place is added to the camera's own, whatever moves that."""
    camera = scene.camera
    eye = bpy.data.objects.new("Stillscape Eye", None)
    scene.collection.objects.link(eye)
    aside = camera.constraints.new("COPY_LOCATION")
    aside.name = "Stillscape Eye"
    aside.target, aside.use_offset = eye, True
    names = camera.name, camera.data.name, eye.name
    shift = camera.data.shift_x
    try:
        yield eye
    finally:
        camera_, data, eye_ = bpy.data.objects.get(names[0]), bpy.data.cameras.get(names[1]), bpy.data.objects.get(names[2])
        if camera_ is not None and "Stillscape Eye" in camera_.constraints:
            camera_.constraints.remove(camera_.constraints["Stillscape Eye"])
        if data is not None:
            _mute_shift(data, False)
            data.shift_x = shift
        if eye_ is not None:
            bpy.data.objects.remove(eye_)


@contextmanager
def _depth_shown(
    scene: bpy.types.Scene,
    root: bpy.types.Object,
    materials: list[bpy.types.Material],
    seen: list[Pose],
    noted: Callable[[dict[str, Any]], None],
) -> Iterator[None]:
    """Disparity in grey, from white at the nearest of the whole shot to black at the farthest, its numbers as they are."""
    near = min(p.near for p in seen)
    far = max(_distances(root)[1], *(p.far for p in seen if p.far != float("inf")), near * 1.0001)
    noted({"near": near, "far": far})
    name, view = scene.name, scene.view_settings.view_transform
    settings = scene.render.image_settings
    camera, blurred = scene.camera.data.name, scene.camera.data.dof.use_dof
    moving, denoised = scene.render.use_motion_blur, scene.cycles.use_denoising
    before, dither = (settings.color_mode, settings.color_depth), scene.render.dither_intensity
    try:
        scene.view_settings.view_transform = "Raw"
        scene.render.dither_intensity = 0.0  # its noise would be distances
        # Distances that are mixed are those of nothing.
        scene.camera.data.dof.use_dof = scene.render.use_motion_blur = scene.cycles.use_denoising = False
        _as_depth(scene)
        with showing(materials, grey=(near, far)):
            yield
    finally:
        scene_ = bpy.data.scenes.get(name)
        if scene_ is not None:
            scene_.view_settings.view_transform = view
            scene_.render.dither_intensity = dither
            scene_.render.use_motion_blur, scene_.cycles.use_denoising = moving, denoised
            scene_.render.image_settings.color_mode, scene_.render.image_settings.color_depth = before
        data = bpy.data.cameras.get(camera)
        if data is not None:
            data.dof.use_dof = blurred


def _as_depth(scene: bpy.types.Scene) -> None:
    """Frames in 16 bits of grey, where the format has them; OpenCV does not read EXR files of one channel."""
    settings = scene.render.image_settings
    settings.color_mode = "RGB" if settings.file_format == "OPEN_EXR" else "BW"
    if settings.file_format in ("PNG", "OPEN_EXR"):
        settings.color_depth = "16"


@contextmanager
def shooting(
    scene: bpy.types.Scene, root: bpy.types.Object, spec: SceneSpec, noted: Callable[[dict[str, Any]], None] = lambda facts: None
) -> Iterator[Shoot]:
    """What renders the frames that `spec` asks for: `render.render_frames` itself or, for stereo, a function like it.

    The format of the frames must have been set. See `rigged`.
    """
    with rigged(scene, root, spec, noted) as rig:
        yield render.render_frames if rig is None else partial(render_frames, rig=rig)


def render_frames(
    scene: bpy.types.Scene, pattern: str, numbers: Iterable[int], *, stop: Callable[[], bool] = lambda: False, rig: Rig
) -> Iterable[render.Frame]:
    """Like `render.render_frames`, every frame made of all views of `rig`."""
    settings = scene.render
    before = settings.filepath, settings.use_file_extension
    as_before: str | None = None
    with tempfile.TemporaryDirectory(prefix="stillscape-views-") as folder:
        try:
            for number in numbers:
                started = time.monotonic()
                target = frame_name(pattern, number)
                lossy = render.KINDS[target.suffix.lower()] == "jpeg"
                if lossy and as_before is None:  # views are compressed once, as one picture
                    as_before = target.suffix.lower()
                    render.set_format(scene, ".png", deep=False, transparent=False)
                suffix = ".png" if lossy else target.suffix.lower()
                raws = [Path(folder) / f"view{view:03d}{suffix}" for view in range(rig.views)]
                for view, raw in enumerate(raws):
                    if stop():
                        return
                    rig.place(number, view)
                    render.render_one(scene, number, raw)
                rig.deliver(raws, target)
                yield render.Frame(number, target, time.monotonic() - started)
        finally:
            settings.filepath, settings.use_file_extension = before
            if as_before is not None:
                render.set_format(scene, as_before, deep=False, transparent=False)
