"""What a film needs of a layered photo, worked out alike by the worker, which makes the texture, and by the scene."""

from __future__ import annotations

import math
from dataclasses import replace

from .. import moves
from ..errors import UsageError
from ..spec import MoveSpec, SceneSpec
from .geometry import Framing, RayMap, even, frame_photo, photo_in_film, ray_map
from .layered import LayeredPhoto, TextureKey

VR_MOST = 2880
"""Pixels of one eye's side in VR180, where the size is not set: what most headsets and players take."""
QUILT_WIDTH = 3360
QUILT_ASPECT = 0.75
"""Pixels across a quilt, where the size is not set, and the shape of its views: those of the Looking Glass Portrait."""


def vr_side(size: tuple[int, int] | None, photo_width: int, fov: float) -> int:
    """Pixels of the side of one eye's picture in VR180: the height of the size that was set, else as fine as the photo in its middle.

    fov: horizontal field of view of the photo in degrees.
    """
    if size is not None:
        return max(16, size[1] // 2 * 2)
    return max(16, min(VR_MOST, round(math.pi * photo_width / (2 * math.tan(math.radians(fov) / 2))) // 2 * 2))


def view_pixels(spec: SceneSpec, photo: tuple[int, int], fov: float) -> tuple[int, int] | None:
    """Width and height of the film that the photo's scene is made for, where its stereo decides that and not the size alone.

    In VR180 the photo fills a part of the view: the film whose pixels are as fine as those of the half sphere in its middle.
    """
    mode, size = spec.stereo.mode, spec.render.size
    if mode == "quilt" and size is None:
        width = max(2, QUILT_WIDTH // spec.stereo.quilt[0])
        return even((width, round(width / QUILT_ASPECT)))
    if mode == "vr180":
        width = vr_side(size, photo[0], fov) / math.pi * 2 * math.tan(math.radians(fov) / 2)
        return even((max(2, round(width)), max(2, round(width * photo[1] / photo[0]))))
    return None


def stage(layered: LayeredPhoto, framing: Framing | None = None) -> moves.Stage:
    """What a camera move must know of the photo. framing: of a film whose middle is not the photo's."""
    found = stage_of(layered.close, layered.focus, ray_map(layered.camera, layered.size), layered.aim)
    return found if framing is None else found._replace(middle_x=framing.tan_x, middle_y=framing.tan_y)


def stage_of(close: float, focus: float, rays: RayMap, aim: tuple[float, float] | None = None) -> moves.Stage:
    """The same of a photo that has no layers yet: metres to what is nearest and to the subject, its camera, and where the subject is, in
    shares from left and top."""
    middle = (0.5 - rays.u0) * rays.width, (0.5 - rays.v0) * rays.height
    at = middle if aim is None else ((aim[0] - rays.u0) * rays.width, (1 - aim[1] - rays.v0) * rays.height)
    return moves.Stage(close, focus, rays.width, rays.height, *middle, *at)


def shot(layered: LayeredPhoto, settings: MoveSpec, framing: Framing | None = None) -> moves.Shot:
    """The shot that `settings` ask for; of a film, as long and as fast as the film. An amount that is to be worked out is taken as
    it was planned when the layers were made. framing: see `stage`.

    Raises UsageError if a camera path, or a chain of moves, goes on after the film has ended.
    """
    if settings.amount is None:
        settings = replace(settings, amount=float(layered.made.get("amount", 1.0)))
    if layered.frames is None:
        return moves.shot(settings, stage(layered, framing))
    frames, fps = layered.frames.count, layered.frames.fps
    found = moves.shot(moves.fitted(settings, frames, fps), stage(layered, framing))
    if found.frames > frames:
        raise UsageError(f"{settings.camera_path}: the camera path has {found.frames} frames, the film only {frames}; shorten the path.")
    return found._replace(frames=frames, fps=fps)


def texture_key(layered: LayeredPhoto, shot: moves.Shot, film: tuple[int, int], crop: float) -> TextureKey:
    """Which film texture a shot at `film` (width, height) pixels needs. crop: see `frame_photo`."""
    width, height = photo_in_film(layered.size, film, frame_photo(layered.camera, layered.size, film, crop))
    seen_by = stage(layered)
    # Rounded, as two Pythons must agree on it.
    return TextureKey(width, height, round(moves.magnification(moves.sampled(shot, seen_by), seen_by), 4), "grain" in layered.made)


def framed_for(layered: LayeredPhoto, spec: SceneSpec) -> tuple[float, float] | None:
    """The point of the photo that a film of another shape keeps, as `frame_photo` takes it."""
    return layered.aim if spec.film.framing == "subject" else None
