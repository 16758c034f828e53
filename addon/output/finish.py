"""Frames get fresh film grain before they are verified and take their names."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..errors import RenderError, UsageError
from ..scene.notes import grain_of
from ..spec import FilmSpec
from ..vision.cv import cv
from ..vision.files import shown
from ..vision.grain import Grain
from . import render as rendering
from .frames import frame_name
from .grain import add_grain

_JPEG_FIRST = ".png"  # what is rendered where the frames will be JPEG, which must not be compressed twice


def known_grain(root: bpy.types.Object) -> Grain:
    """The grain of the photo whose root empty this is. Raises UsageError if it was not measured."""
    grain = grain_of(root)
    if grain is None:
        raise UsageError("Film Grain: this photo was made into a scene with its own grain; import it again with Film Grain set.")
    return grain


def with_grain(
    renderer: Callable[..., Iterable[rendering.Frame]],
    root: bpy.types.Object,
    film: FilmSpec,
    scene: bpy.types.Scene,
    pattern: str,
    numbers: Sequence[int],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[rendering.Frame]:
    """`renderer` (`render.render_frames` or one of its kind), whose frames get grain; they go to `pattern` when they have it.

    They are PNG or JPEG. Raises UsageError if the grain is not known, and whatever `renderer` raises.
    """
    grain = known_grain(root)
    suffix = Path(pattern).suffix.lower()
    quality = scene.render.image_settings.quality
    if suffix != ".png":
        rendering.set_format(scene, _JPEG_FIRST, deep=False, transparent=False, dither=film.dither)
    with tempfile.TemporaryDirectory(prefix="stillscape-grain-") as folder:
        for frame in renderer(scene, str(Path(folder) / f"frame_######{_JPEG_FIRST}"), numbers, stop=stop):
            started = time.monotonic()
            target = frame_name(pattern, frame.number)
            content, size = grown(frame.path, grain, frame.number, film, suffix=suffix, quality=quality)
            rendering.deliver(content, target, size)
            frame.path.unlink()
            yield rendering.Frame(frame.number, target, frame.seconds + time.monotonic() - started)


def grown(
    path: Path, grain: Grain, number: int, film: FilmSpec, *, suffix: str = ".png", quality: int = 95
) -> tuple[bytes, tuple[int, int]]:
    """The PNG frame at `path` with grain, as a PNG or JPEG file, and its (width, height). Raises RenderError."""
    cv2 = cv()
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise RenderError(f"{shown(path)}: the frame cannot be decoded; render it again.")
    order = [2, 1, 0, *range(3, pixels.shape[2])]
    grown = add_grain(np.ascontiguousarray(pixels[..., order]), grain, number, strength=film.grain, seed=film.grain_seed)
    how: list[Any] = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix != ".png" else []
    done, data = cv2.imencode(suffix, np.ascontiguousarray(grown[..., order]), how)
    if not done:
        raise RenderError(f"{shown(path)}: the frame cannot be encoded; render it again.")
    return data.tobytes(), (pixels.shape[1], pixels.shape[0])
