"""What a film needs of a layered photo, worked out alike by the worker, which makes the texture, and by the scene."""

from __future__ import annotations

from .. import moves
from .geometry import frame_photo, photo_in_film, ray_map
from .layered import LayeredPhoto, TextureKey


def stage(layered: LayeredPhoto) -> moves.Stage:
    """What a camera move must know of the photo."""
    return moves.Stage(layered.close, layered.focus, ray_map(layered.camera, layered.size).width)


def texture_key(layered: LayeredPhoto, shot: moves.Shot, film: tuple[int, int], crop: float) -> TextureKey:
    """Which film texture a shot at `film` (width, height) pixels needs. crop: see `frame_photo`."""
    width, height = photo_in_film(layered.size, film, frame_photo(layered.camera, layered.size, film, crop))
    return TextureKey(width, height, moves.magnification(shot.keyframes, stage(layered)))
