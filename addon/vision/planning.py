"""What a film needs of a layered photo, worked out alike by the worker, which makes the texture, and by the scene."""

from __future__ import annotations

from dataclasses import replace

from .. import moves
from ..errors import UsageError
from ..spec import MoveSpec
from .geometry import RayMap, frame_photo, photo_in_film, ray_map
from .layered import LayeredPhoto, TextureKey


def stage(layered: LayeredPhoto) -> moves.Stage:
    """What a camera move must know of the photo."""
    return stage_of(layered.close, layered.focus, ray_map(layered.camera, layered.size))


def stage_of(close: float, focus: float, rays: RayMap) -> moves.Stage:
    """The same of a photo that has no layers yet: metres to what is nearest and to the subject, and its camera."""
    middle = (0.5 - rays.u0) * rays.width, (0.5 - rays.v0) * rays.height
    return moves.Stage(close, focus, rays.width, rays.height, *middle, *middle)


def shot(layered: LayeredPhoto, settings: MoveSpec) -> moves.Shot:
    """The shot that `settings` ask for; of a film, as long and as fast as the film. An amount that is to be worked out is taken as
    it was planned when the layers were made.

    Raises UsageError if a camera path, or a chain of moves, goes on after the film has ended.
    """
    if settings.amount is None:
        settings = replace(settings, amount=float(layered.made.get("amount", 1.0)))
    if layered.frames is None:
        return moves.shot(settings, stage(layered))
    frames, fps = layered.frames.count, layered.frames.fps
    found = moves.shot(moves.fitted(settings, frames, fps), stage(layered))
    if found.frames > frames:
        raise UsageError(f"{settings.camera_path}: the camera path has {found.frames} frames, the film only {frames}; shorten the path.")
    return found._replace(frames=frames, fps=fps)


def texture_key(layered: LayeredPhoto, shot: moves.Shot, film: tuple[int, int], crop: float) -> TextureKey:
    """Which film texture a shot at `film` (width, height) pixels needs. crop: see `frame_photo`."""
    width, height = photo_in_film(layered.size, film, frame_photo(layered.camera, layered.size, film, crop))
    seen_by = stage(layered)
    # Rounded, as two Pythons must agree on it.
    return TextureKey(width, height, round(moves.magnification(moves.sampled(shot, seen_by), seen_by), 4))
