"""What a film needs of a layered photo, worked out alike by the worker, which makes the texture, and by the scene."""

from __future__ import annotations

from dataclasses import replace

from .. import moves
from ..errors import UsageError
from ..spec import MoveSpec
from .geometry import frame_photo, photo_in_film, ray_map
from .layered import LayeredPhoto, TextureKey


def stage(layered: LayeredPhoto) -> moves.Stage:
    """What a camera move must know of the photo."""
    rays = ray_map(layered.camera, layered.size)
    aim = (0.0, 0.0) if layered.aim is None else rays.uv_to_ray(layered.aim[0], 1 - layered.aim[1])
    return moves.Stage(layered.close, layered.focus, rays.width, aim_x=float(aim[0]), aim_y=float(aim[1]))


def shot(layered: LayeredPhoto, settings: MoveSpec) -> moves.Shot:
    """The shot that `settings` ask for; of a film, as long and as fast as the film.

    Raises UsageError if a camera path goes on after the film has ended.
    """
    if layered.frames is None:
        return moves.shot(settings, stage(layered))
    frames, fps = layered.frames.count, layered.frames.fps
    found = moves.shot(replace(settings, frames=frames, fps=fps), stage(layered))
    if found.frames > frames:
        raise UsageError(f"{settings.camera_path}: the camera path has {found.frames} frames, the film only {frames}; shorten the path.")
    return found._replace(frames=frames, fps=fps)


def texture_key(layered: LayeredPhoto, shot: moves.Shot, film: tuple[int, int], crop: float) -> TextureKey:
    """Which film texture a shot at `film` (width, height) pixels needs. crop: see `frame_photo`."""
    width, height = photo_in_film(layered.size, film, frame_photo(layered.camera, layered.size, film, crop))
    return TextureKey(width, height, moves.magnification(shot.keyframes, stage(layered)))
