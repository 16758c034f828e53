"""From a film to a layered photo with frames: the depth of every frame, made steady, and its texture, a frame at a time.

The film is read twice, for depth and for textures, which depend on how near the camera will come. What has to be kept in between
lies in files, so that memory does not grow with the film.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError, StorageError, UsageError
from ..spec import SceneSpec
from . import temporal
from .cv import cv
from .depth import Progress
from .depth_sequence import frame_depths
from .distances import RATIOS, to_metres
from .files import shown
from .geometry import frame_photo, photo_in_film
from .layered import (
    DepthKind,
    DepthMap,
    FilmFrames,
    Layer,
    LayeredPhoto,
    TextureKey,
    inverted,
    to_disparity,
    whole_folder,
    write_files,
)
from .layering import grid_size
from .photo import Photo
from .pipeline import film_pixels, make_layered_photo, photo_camera
from .planning import shot, texture_key
from .refine import take_rims_to_front
from .resample import resample
from .texture import encode_texture
from .video import Film, is_film, open_film

MOST_PIXELS = 1_000_000
"""Of a frame's depth: the mesh is no finer, and Blender reads one such map for every frame."""
TOLERANCE = 0.08
"""Flicker of single surfaces, in shares of the whole depth."""
SLOW = 1.0
"""Seconds over which a change of the whole depth counts as motion."""
_TABLE = 257
_BINS = 4096
_TRIM = 0.002
"""Share of pixels nearer than near, and farther than far, where the depth is an estimate."""

Floats = NDArray[np.float32]


def make_layered(path: Path, spec: SceneSpec, folder: Path, progress: Progress, *, film: bool = True) -> LayeredPhoto:
    """`make_layered_photo`, or `make_layered_film` if `path` is a film or a pattern of an image sequence."""
    return (make_layered_film if is_film(path) else make_layered_photo)(path, spec, folder, progress, film=film)


def make_layered_film(path: Path, spec: SceneSpec, folder: Path, progress: Progress, *, film: bool = True) -> LayeredPhoto:
    """Make the layered photo of the film at `path` in `folder` (whole or not at all) and return it; it is in one sheet.

    film: its textures are made for a film file, whose size is even, rather than for frames.

    Raises InputError, StorageError or UsageError with a sentence for the user; whatever `progress` raises to cancel.
    """
    if spec.film.grain:
        raise UsageError(f"{shown(path)}: a film brings grain of its own, fresh in every frame; leave out --grain.")
    progress(0.0, "Opening the film")
    source = open_film(path, max_megapixels=spec.photo.max_megapixels)
    with whole_folder(folder) as place:
        work = _Work(place)
        first, found = _estimate(source, spec, work, lambda share, text: progress(0.5 * share, text))
        count = len(found.tables)
        fps = spec.video.fps or source.fps or spec.move.fps
        corrections = _corrections(found, fps)
        scale = _scale(found, corrections, spec)
        seen = _write_depths(work, found, corrections, scale, lambda share, text: progress(0.5 + 0.2 * share, text))
        layered = _layered(folder, source, first, found, scale, seen, spec)
        key = _texture_key(layered, spec, count, fps, film=film)
        progress(0.7, "Filtering the frames")
        suffix = ""
        for number, photo in enumerate(islice(source.photos(), count), 1):
            suffix, content = encode_texture(photo, key, lossy=source.files is None)
            work.write(f"texture_{number:04d}{suffix}", content)
            progress(0.7 + 0.3 * number / count, f"Filtering frame {number} of {count}")
        layered = replace(layered, frames=FilmFrames(count, fps, "depth_####.png", f"texture_####{suffix}", key))
        shot(layered, spec.move)  # raises if the camera path does not suit the film
        write_files(place, layered, {layered.photo: _first_file(source, first), "depth.npy": work.depth(1)})
        work.remove()
    progress(1.0, "Layers ready")
    return layered


class _Work:
    """Files of the folder that is being made, and a folder in it for what is needed only on the way."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._kept = place / "work"
        self._kept.mkdir()

    def write(self, name: str, content: bytes) -> None:
        (self.place / name).write_bytes(content)

    def write_depth(self, number: int, d: Floats) -> None:
        """d as grey PNG of 16 bits."""
        done, data = cv().imencode(".png", _sixteen_bits(d), [cv().IMWRITE_PNG_COMPRESSION, 1])
        if not done:
            raise RenderError("The depth of a frame could not be packed; choose a smaller film.")
        self.write(f"depth_{number:04d}.png", data.tobytes())

    def depth(self, number: int) -> Floats:
        """d of a frame as it was written."""
        data = np.frombuffer((self.place / f"depth_{number:04d}.png").read_bytes(), np.uint8)
        return cv().imdecode(data, cv().IMREAD_UNCHANGED).astype(np.float32) / 65535

    def keep(self, name: str, values: NDArray[Any]) -> None:
        np.save(self._kept / f"{name}.npy", values)

    def kept(self, name: str) -> NDArray[Any]:
        return np.load(self._kept / f"{name}.npy")

    def drop(self, name: str) -> None:
        (self._kept / f"{name}.npy").unlink()

    def remove(self) -> None:
        shutil.rmtree(self._kept)


@dataclass(frozen=True)
class _Found:
    """What the first reading of the film gave. tables: the quantiles of each frame's disparity. steps: for each frame, what
    brings its disparity to the one before; None after a cut and for the first. smooth: whether to take out flicker."""

    depth: DepthMap
    tables: list[NDArray[np.float64]]
    steps: list[temporal.Affine | None]
    fovs: list[float]
    smooth: bool
    metres: temporal.Affine | None

    @property
    def affine(self) -> bool:
        return self.depth.kind is DepthKind.AFFINE_DISPARITY


def _estimate(source: Film, spec: SceneSpec, work: _Work, progress: Progress) -> tuple[Photo, _Found]:
    """Read the film, keep the disparity of each frame, and see how each follows from the one before."""
    most = spec.video.frames
    total = max(1, min(source.count, most or source.count))
    depth_of = frame_depths(source, spec)
    grid = grid_size(source.size, MOST_PIXELS)
    first: Photo | None = None
    found: _Found | None = None
    before: tuple[NDArray[np.uint8], Floats] | None = None
    for index, photo in enumerate(islice(source.photos(), most)):
        number = f"Frame {index + 1} of {max(total, index + 1)}"

        def told(share: float, text: str, index: int = index, number: str = number) -> None:
            progress(min(1.0, (index + share) / total), f"{number}: {text}")

        depth = depth_of(index, photo, told)
        if found is None:
            first = photo
            settled, metres = _in_metres(depth, photo, spec)
            found = _Found(
                replace(settled, values=depth.values[:0], kind=depth.kind, sky=None, confidence=None, normals=None),
                [], [], [], _is_to_be_smoothed(depth, spec), metres,
            )  # fmt: skip
        values = resample(inverted(depth.values, depth.kind), grid, depth=False)
        if found.metres is not None:
            values = values * np.float32(found.metres.scale) + np.float32(found.metres.shift)
        found.tables.append(_table(values, depth))
        found.fovs.extend([] if depth.fov is None else [depth.fov])
        step = None
        if found.smooth:
            grey = temporal.small_grey(photo.pixels)
            if before is not None:
                both = temporal.links(before[0], grey)
                step = None if both is None else temporal.align(values, before[1], both[0], shift=found.affine)
            before = grey, values
            work.keep(f"grey{index}", grey)
        found.steps.append(step)
        work.keep(f"raw{index}", values)
        progress(min(1.0, (index + 1) / total), f"Depth of frame {index + 1} of {max(total, index + 1)}")
    if first is None or found is None:
        raise RenderError(f"{shown(source.path)}: the film has no frames; convert it to an MP4 with H.264.")
    if most is not None and len(found.tables) < most:
        raise UsageError(f"--frames {most} is more than the film has: leave it out, or name at most {len(found.tables)}.")
    return first, found


def _in_metres(depth: DepthMap, photo: Photo, spec: SceneSpec) -> tuple[DepthMap, temporal.Affine | None]:
    """What the first frame tells of the whole film: horizon and camera height, and how its disparity becomes 1/metres.

    None where near and far are given, between which disparity of unknown scale is stretched.
    """
    settled = to_metres(depth, spec.depth, photo.fov)
    if settled is depth:
        return depth, None
    raw = inverted(depth.values, depth.kind)
    known = np.isfinite(raw) & (settled.values > 0)
    if depth.sky is not None:
        known &= ~depth.sky
    if not known.any():
        return settled, None
    x, y = raw[known], settled.values[known]
    low, high = int(np.argmin(x)), int(np.argmax(x))
    if x[high] <= x[low]:  # a flat wall: only its scale can be told
        return settled, temporal.Affine(float(y[high] / x[high]), 0.0) if x[high] > 0 else None
    scale = float((y[high] - y[low]) / (x[high] - x[low]))
    return settled, temporal.Affine(scale, float(y[low] - scale * x[low]))


def _is_to_be_smoothed(depth: DepthMap, spec: SceneSpec) -> bool:
    if spec.video.steady != "auto":
        return spec.video.steady == "on"
    own_metres = depth.made_by == "file" and depth.kind is not DepthKind.AFFINE_DISPARITY
    return depth.made_by != "plane" and not own_metres


def _table(values: Floats, depth: DepthMap) -> NDArray[np.float64]:
    """The quantiles of a frame's disparity, from its least to its greatest value."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        to_disparity(depth)  # says so
        known = np.zeros(1, np.float32)
    table = np.quantile(known[:: max(1, known.size // 65536)], np.linspace(0, 1, _TABLE)).astype(np.float64)
    table[0], table[-1] = known.min(), known.max()
    return table


def _corrections(found: _Found, fps: float) -> list[temporal.Affine]:
    """What to do to each frame's disparity."""
    if not found.smooth:
        return [temporal.STILL] * len(found.tables)
    pivot = float(np.median(found.tables[0])) if found.affine else 0.0
    return temporal.steady(found.steps, pivot, SLOW * fps)


class _Scale(NamedTuple):
    """The one scale of a film: the disparities that become d = 0 and d = 1, and their metres."""

    low: float
    high: float
    near: float
    far: float

    def d(self, values: Floats) -> Floats:
        span = self.high - self.low
        with np.errstate(invalid="ignore", over="ignore"):
            d = (values - np.float32(self.low)) / np.float32(span) if span > 0 else np.zeros_like(values)
        return np.clip(np.nan_to_num(d, nan=0.0, posinf=1.0, neginf=0.0), 0, 1).astype(np.float32)


def _scale(found: _Found, corrections: list[temporal.Affine], spec: SceneSpec) -> _Scale:
    """Near and far of the whole film; of an estimate, without its rarest values."""
    tables = [c.scale * t + c.shift for t, c in zip(found.tables, corrections)]
    if found.smooth:
        pooled = np.quantile(np.concatenate(tables), (_TRIM, 0.5, 1 - _TRIM))
    else:
        pooled = np.array([min(t[0] for t in tables), np.median(tables[0]), max(t[-1] for t in tables)])
        if not found.affine:  # infinitely far is 0; the scale needs the least that is not
            positive = [t[t > 0].min() for t in tables if (t > 0).any()]
            pooled[0] = min(positive) if positive else pooled[0]
    stretched = found.affine and found.metres is None
    if found.affine and not stretched:  # what drifts below the horizon's 0 must not send far to infinity
        pooled[0] = max(pooled[0], pooled[-1] / RATIOS[1])
    kind = DepthKind.AFFINE_DISPARITY if stretched else DepthKind.METRIC_DISPARITY
    range_ = to_disparity(DepthMap(pooled.astype(np.float32)[None], kind, found.depth.made_by), near=spec.depth.near, far=spec.depth.far)
    if stretched:
        return _Scale(float(pooled[0]), float(pooled[-1]), range_.near, range_.far)
    return _Scale(1 / range_.far, 1 / range_.near, range_.near, range_.far)


class _Seen(NamedTuple):
    """How often each d was seen in the film, in _BINS steps: everywhere, and in the middle of the picture."""

    all: NDArray[np.int64]
    middle: NDArray[np.int64]

    @staticmethod
    def quantile(counts: NDArray[np.int64], share: float) -> float:
        return float(np.searchsorted(np.cumsum(counts), share * counts.sum()) + 0.5) / _BINS


def _write_depths(work: _Work, found: _Found, corrections: list[temporal.Affine], scale: _Scale, progress: Progress) -> _Seen:
    """Write d of every frame, smoothed along the motion if asked for: a way forth through the film and a way back."""
    count = len(found.tables)
    seen = _Seen(np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64))

    def own(index: int) -> Floats:
        c = corrections[index]
        return scale.d((np.float32(c.scale) * work.kept(f"raw{index}") + np.float32(c.shift)).astype(np.float32))

    def finish(index: int, d: Floats) -> None:
        d = take_rims_to_front(d)
        work.write_depth(index + 1, d)
        _count(seen, d)
        work.drop(f"raw{index}")

    if not found.smooth:
        for index in range(count):
            finish(index, own(index))
            progress((index + 1) / count, f"Depth map {index + 1} of {count}")
        return seen

    def linked(order: range) -> Iterator[tuple[Floats, temporal.Link | None]]:
        before: tuple[int, NDArray[np.uint8]] | None = None
        for index in order:
            grey, link = work.kept(f"grey{index}"), None
            if before is not None and found.steps[max(index, before[0])] is not None:
                both = temporal.links(before[1], grey)
                link = None if both is None else both[0]
            before = index, grey
            yield own(index), link

    for index, past in enumerate(temporal.accumulate(linked(range(count)), TOLERANCE)):
        work.keep(f"past{index}", _sixteen_bits(past.values))
        work.keep(f"weight{index}", np.rint((past.weight - 1) * 50).astype(np.uint8))  # below 1 / (1 - KEPT)
        progress(0.5 * (index + 1) / count, f"Smoothing the depth of frame {index + 1} of {count}")
    for done, future in enumerate(temporal.accumulate(linked(range(count - 1, -1, -1)), TOLERANCE), 1):
        index = count - done
        values, weight = work.kept(f"past{index}") / np.float32(65535), 1 + work.kept(f"weight{index}") / np.float32(50)
        past = temporal.Mean(values.astype(np.float32), weight.astype(np.float32))
        finish(index, np.clip(temporal.join(own(index), past, future), 0, 1))
        for name in ("past", "weight"):
            work.drop(f"{name}{index}")
        progress(0.5 + 0.5 * done / count, f"Smoothing the depth of frame {index + 1} of {count}")
    return seen


def _sixteen_bits(d: Floats) -> NDArray[np.uint16]:
    return np.rint(np.clip(d, 0, 1) * 65535).astype(np.uint16)


def _count(seen: _Seen, d: Floats) -> None:
    h, w = d.shape
    steps = np.minimum((d * _BINS).astype(np.int64), _BINS - 1)
    middle = steps[h // 3 : max(h // 3 + 1, h - h // 3), w // 3 : max(w // 3 + 1, w - w // 3)]
    seen.all[:] += np.bincount(steps.ravel(), minlength=_BINS)
    seen.middle[:] += np.bincount(middle.ravel(), minlength=_BINS)


def _layered(folder: Path, source: Film, first: Photo, found: _Found, scale: _Scale, seen: _Seen, spec: SceneSpec) -> LayeredPhoto:
    """The layered photo of the film, but for its frames."""

    def metres(d: float) -> float:
        return 1 / (d * (1 / scale.near - 1 / scale.far) + 1 / scale.far)

    grid = grid_size(source.size, MOST_PIXELS)
    depth = replace(found.depth, fov=float(np.median(found.fovs)) if found.fovs else None)
    fov = first.fov if spec.photo.fov is None else spec.photo.fov
    return LayeredPhoto(
        folder=folder,
        name=source.name,
        size=source.size,
        camera=photo_camera(replace(first, fov=fov), depth, spec),
        near=scale.near,
        far=scale.far,
        close=metres(_Seen.quantile(seen.all, 0.98)),
        focus=metres(_Seen.quantile(seen.middle, 0.5)),
        photo=f"photo{first.path.suffix.lower()}" if source.files is not None else "photo.png",
        depth="depth.npy",
        grid=grid,
        layers=(Layer("Photo", (0, 0, *grid)),),
        made={"estimator": found.depth.made_by, "photo_sha256": first.sha256, "smoothed": found.smooth},
        transparent=first.alpha is not None,
        deep=first.pixels.dtype != np.uint8,
    )


def _texture_key(layered: LayeredPhoto, spec: SceneSpec, count: int, fps: float, *, film: bool) -> TextureKey:
    size = film_pixels(spec, layered.size, film=film, fov=layered.camera.fov)
    width, height = photo_in_film(layered.size, size, frame_photo(layered.camera, layered.size, size, spec.render.crop))
    planned = replace(layered, frames=FilmFrames(count, fps, "", "", TextureKey(width, height, 1.0)))
    return texture_key(layered, shot(planned, spec.move), size, spec.render.crop)


def _first_file(source: Film, first: Photo) -> bytes:
    """The first frame as a file: of a sequence its own, of a film a PNG."""
    if source.files is not None:
        try:
            return first.path.read_bytes()
        except OSError as error:
            raise StorageError(f"{shown(first.path)}: the file cannot be read again ({error.strerror or error}).") from error
    done, data = cv().imencode(".png", cv().cvtColor(first.pixels, cv().COLOR_RGB2BGR), [cv().IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise RenderError(f"{shown(source.path)}: the first frame could not be packed; choose a smaller film.")
    return data.tobytes()


__all__ = ["MOST_PIXELS", "make_layered", "make_layered_film"]
