"""The depth of a film's frames, one after the other: from an estimator, or from depth maps of the user's own matched by number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..spec import SceneSpec
from . import depth as depth_sources
from .depth import Progress
from .depth.file import ESTIMATOR as OWN_MAPS
from .depth_io import DepthInfo
from .files import shown
from .layered import DepthKind, DepthMap
from .photo import Photo
from .video import Film, is_film, is_pattern, numbered_files, open_film

_SUFFIXES = (".png", ".tif", ".tiff", ".exr", ".npy", ".pfm")
_FILM = DepthInfo("film", True, 8, 255.0)

Estimate = Callable[[int, Photo, Progress], DepthMap]
"""The depth of the frame with this place in the film (from 0); frames must be asked for in order."""


def frame_depths(film: Film, spec: SceneSpec) -> Estimate:
    """How to get the depth of each frame of `film`. Raises a StillscapeError that says what to do; so does what is returned.

    --depth may name one map for all frames, a sequence (`depth_####.png`), a folder of numbered maps, or a film of gray depth.
    What the numbers mean is decided for the first frame and holds for all.
    """
    estimator = depth_sources.choose(spec.depth)
    settings = spec.depth
    maps = _own_maps(film, Path(settings.file)) if estimator is OWN_MAPS and settings.file else None
    kind = settings.kind

    def estimate(index: int, photo: Photo, progress: Progress) -> DepthMap:
        nonlocal kind
        if spec.photo.fov is not None:
            photo = replace(photo, fov=spec.photo.fov)
        asked = replace(settings, kind=kind)
        if maps is None:
            found = estimator.estimate(photo, asked, progress, spec.machine)
        else:
            where, values = maps(index)
            if values is None:
                found = OWN_MAPS.estimate(photo, replace(asked, file=str(where)), _silent)
            else:
                found = OWN_MAPS.fit(where, values, _FILM, photo, asked, _silent)
        if estimator is OWN_MAPS:
            kind = "depth" if found.kind is DepthKind.METRIC_DEPTH else "disparity"
        return found

    return estimate


def _own_maps(film: Film, path: Path) -> Callable[[int], tuple[Path, NDArray[np.float32] | None]]:
    """For a frame's place in the film: the file of its depth map and, from a film, the numbers themselves."""
    if path.is_dir() or is_pattern(path):
        files = _numbered_in(path) if path.is_dir() else numbered_files(path)
        numbers = list(film.files) if film.files is not None else None
        first = min(files)

        def numbered(index: int) -> tuple[Path, None]:
            number = numbers[index] if numbers is not None else first + index
            if number not in files:
                frame = f"number {number}" if numbers is not None else f"frame {index + 1} of the film"
                raise InputError(f"{shown(path)}: there is no depth map for {frame}; add it or use fewer frames (--frames).")
            return files[number], None

        return numbered
    if is_film(path):
        pictures = enumerate(open_film(path).photos())

        def filmed(index: int) -> tuple[Path, NDArray[np.float32]]:
            for place, picture in pictures:
                if place == index:
                    return path, picture.pixels.mean(2, dtype=np.float32)
            raise InputError(f"{shown(path)}: the film of depth ends before the film itself; use fewer frames (--frames).")

        return filmed
    return lambda index: (path, None)


def _numbered_in(folder: Path) -> dict[int, Path]:
    """The depth maps in a folder by the last number in their names."""
    found: dict[int, Path] = {}
    for file in _listed(folder):
        digits = re.findall(r"\d+", file.stem)
        if file.suffix.lower() not in _SUFFIXES or not digits or file.name.startswith("."):
            continue
        number = int(digits[-1])
        if number in found:
            raise InputError(f"{shown(folder)}: two depth maps have the number {number}; name one sequence, for example depth_####.png.")
        found[number] = file
    if not found:
        raise InputError(f"{shown(folder)}: there are no numbered depth maps in the folder; call them depth_0001.png and so on.")
    return found


def _listed(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{shown(folder)}: the folder cannot be read ({error.strerror or error}); check the name.") from error


def _silent(share: float, text: str) -> None:
    del share, text
