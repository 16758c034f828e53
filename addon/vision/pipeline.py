"""From a photo to a layered photo: the one call that the command line, the worker and tests share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, RenderError, UsageError
from ..spec import SceneSpec
from . import depth as depth_sources
from .amounts import Depths, plan_ahead
from .attention import encode_attention, kinds_of, look_for
from .coverage import view
from .cv import cv
from .distances import shape_faces, to_metres
from .faces import find_faces
from .files import shown, write_atomically
from .focus import Focus, depth_at, find_focus
from .geometry import even, frame_photo, pitch_from_horizon, ray_map
from .grain import measure_grain, without_grain
from .landmarks import FILE as LANDMARKS
from .landmarks import to_json
from .layered import DepthMap, Disparity, FilmTexture, LayeredPhoto, PhotoCamera, read_layered, to_disparity, write_layered
from .layering import MOST_PIXELS, as_planned, cut_layers, find_sky, grid_size, make_layers, photo_colour, tear_threshold
from .mattes import read_grey
from .normals import normals_from_depth
from .people import wanted
from .photo import Photo, read_photo
from .planning import shot, stage_of, texture_key, view_pixels
from .texture import average_down, encode_texture

DEFAULT_FOV = 50.0
_LOOKED_AT = 1_000_000  # pixels in which faces are looked for
NO_HORIZON_HEIGHT = 1.6  # metres: eye level


def estimate_depth(path: Path, spec: SceneSpec, progress: depth_sources.Progress) -> tuple[Photo, DepthMap]:
    """Read the photo at `path` (a field of view that was set goes before its EXIF) and estimate its depth. Raises a StillscapeError that says what to do."""
    progress(0.0, "Reading the photo")
    photo = read_photo(path, max_megapixels=spec.photo.max_megapixels)
    if spec.photo.fov is not None:  # estimators that work in metres must know it, too
        photo = replace(photo, fov=spec.photo.fov)
    estimator = depth_sources.choose(spec.depth)
    progress(0.2, f"Depth: {estimator.label}")
    depth = estimator.estimate(photo, spec.depth, lambda share, text: progress(0.2 + 0.3 * share, text), spec.machine)
    return photo, shape_faces(to_metres(depth, spec.depth, photo.fov), spec.depth, photo.fov)


def write_depth(path: Path, spec: SceneSpec, folder: Path, progress: depth_sources.Progress) -> tuple[float, float, str]:
    """Estimate the depth of `path` and leave d as float32 H×W in `folder`/depth.npy; return near, far and what made it.

    Raises like `make_layered_photo`.
    """
    _, depth = estimate_depth(path, spec, progress)
    disparity = to_disparity(depth, near=spec.depth.near, far=spec.depth.far)

    def save(target: Path) -> None:
        with open(target, "wb") as f:
            np.save(f, disparity.d)

    write_atomically(folder / "depth.npy", save)
    progress(1.0, "Depth written")
    return disparity.near, disparity.far, depth.made_by


def film_pixels(spec: SceneSpec, photo: tuple[int, int], *, film: bool, fov: float = DEFAULT_FOV) -> tuple[int, int]:
    """Width and height to render: as set, else the photo's; even for a film file. fov: of the photo, in degrees; it counts for VR180."""
    size = view_pixels(spec, photo, fov) or spec.render.size or photo
    return even(size) if film else (int(size[0]), int(size[1]))


def make_layered_photo(path: Path, spec: SceneSpec, folder: Path, progress: depth_sources.Progress, *, film: bool = True) -> LayeredPhoto:
    """Make the layered photo of `path` in `folder` (whole or not at all) and return it.

    film: its texture is made for a film file, whose size is even, rather than for frames.

    Raises InputError, StorageError or UsageError with a sentence for the user; whatever `progress` raises to cancel.
    """
    photo, depth = estimate_depth(path, spec, progress)
    progress(0.5, "Scaling the depth")
    disparity = to_disparity(depth, near=spec.depth.near, far=spec.depth.far)
    photo, made = _degrained(photo, spec, film=film)
    if _is_planned(spec) or (depth.faces is None and spec.focus.at is None):
        colour = photo_colour(photo, grid_size(photo.size, _LOOKED_AT))
        depth = depth if depth.faces is not None else replace(depth, faces=find_faces(colour))
        depth = look_for(colour, disparity.d, depth) if _is_planned(spec) else depth
    camera, kinds = photo_camera(photo, depth, spec), kinds_of(depth, photo.size)
    focus: Focus | None = None
    if _is_planned(spec):
        small = cv().resize(disparity.d, grid_size(photo.size, _LOOKED_AT), interpolation=cv().INTER_NEAREST)
        focus = choose_focus(depth, small, spec)
        spec, planned = _planned_ahead(spec, photo, camera, disparity, kinds, focus, film=film)
        made = {**made, **planned}
    found = wanted(photo, disparity.d, spec.rig, depth.faces)
    layering = make_layers(photo, disparity.d, find_sky(depth), spec, lambda share, text: progress(0.5 + 0.3 * share, text), found.masks)
    focus = focus or choose_focus(depth, layering.d, spec)
    original = f"photo{path.suffix.lower() or '.img'}"
    layered = LayeredPhoto(
        folder=folder,
        name=path.stem,
        size=photo.size,
        camera=camera,
        near=disparity.near,
        far=disparity.far,
        close=close_distance(disparity),
        focus=_distance(disparity, focus.d),
        aim=(focus.x, focus.y),
        photo=original,
        depth="depth.npy",
        grid=(layering.d.shape[1], layering.d.shape[0]),
        layers=layering.layers,
        levels=layering.levels,
        made={"estimator": depth.made_by, "photo_sha256": photo.sha256, **made},
        transparent=photo.alpha is not None,
        deep=photo.pixels.dtype != np.uint8,
    )
    progress(0.8, "Filtering the photo")
    pixels = film_pixels(spec, photo.size, film=film, fov=layered.camera.fov)
    key = texture_key(layered, shot(layered, spec.move), pixels, spec.render.crop)
    suffix, texture = encode_texture(photo, key._replace(degrained=False))  # which the photo is by now
    layered = replace(layered, texture=FilmTexture(f"texture{suffix}", key))
    progress(0.9, "Writing the layers")
    normals = depth.normals
    if normals is None:
        normals = normals_from_depth(layering.d, disparity.near, disparity.far, ray_map(layered.camera, layered.size))
    layered, more = replace(layered, normals="normals.png"), {"normals.png": encode_normals(normals)}
    if kinds is not None:
        layered, more["attention.png"] = replace(layered, attention="attention.png"), encode_attention(kinds)
    if found.people:
        layered, more[LANDMARKS] = replace(layered, landmarks=LANDMARKS), to_json(found.people).encode()
    write_layered(layered, {original: path.read_bytes(), "depth.npy": layering.d, f"texture{suffix}": texture, **more, **layering.files})
    progress(1.0, "Layers ready")
    return layered


def _degrained(photo: Photo, spec: SceneSpec, *, film: bool) -> tuple[Photo, dict[str, list[float]]]:
    """The photo without its grain, and the grain that it has at the film's size, if the settings ask for fresh grain."""
    if not spec.film.grain:
        return photo, {}
    if photo.pixels.dtype == np.float32:
        raise UsageError(f"{shown(photo.path)}: --grain is for photos of 8 or 16 bits; leave it out for linear ones.")
    size = film_pixels(spec, photo.size, film=film)
    scale = min(1.0, max(f / p for f, p in zip(size, photo.size)))
    small = average_down(photo.pixels, (max(1, round(photo.size[0] * scale)), max(1, round(photo.size[1] * scale))))
    clean = without_grain(photo.pixels, measure_grain(photo.pixels))
    return replace(photo, pixels=clean), {"grain": measure_grain(small).to_list()}


def _is_planned(spec: SceneSpec) -> bool:
    """Whether the amount of the move is to be worked out."""
    return spec.move.amount is None and not spec.move.camera_path


def _planned_ahead(
    spec: SceneSpec, photo: Photo, camera: PhotoCamera, disparity: Disparity, kinds: NDArray[np.uint8] | None, focus: Focus, *, film: bool
) -> tuple[SceneSpec, dict[str, float]]:
    """The settings with an amount of the move that is worked out, and the reserve that it needs; and both for `made`."""
    size = film_pixels(spec, photo.size, film=film)
    rays = ray_map(camera, photo.size)
    one_sheet = spec.layers.mode == "off" or photo.alpha is not None
    tear = None if one_sheet else tear_threshold(spec, grid_size(photo.size, MOST_PIXELS))
    nothing = np.zeros((1, 1), np.uint8)
    given = Depths(disparity.d, disparity.near, disparity.far, nothing if kinds is None else kinds, rays, tear, spec.relief.margin)
    stage = stage_of(close_distance(disparity), _distance(disparity, focus.d), rays, (focus.x, focus.y))
    found = plan_ahead(given, view(frame_photo(camera, photo.size, size, spec.render.crop), size), spec.move, stage)
    made = {"amount": found.amount}
    if spec.layers.reserve is None:
        made["reserve"] = found.reserve
    return replace(as_planned(spec, made), move=replace(spec.move, amount=found.amount)), made


def recut_layers(place: Path, spec: SceneSpec, folder: Path, progress: depth_sources.Progress) -> LayeredPhoto:
    """Cut the layered photo at `place` anew, by its depth as it stands there, and write the result to `folder`.

    Its photo must be 8-bit and of the size of its grid. If its only layer is marked as sky, what is infinitely far is sky. Layers that are
    people's are kept apart along their mattes.
    Raises InputError or StorageError with a sentence for the user; whatever `progress` raises to cancel.
    """
    given = read_layered(place)
    pixels = read_photo(given.path(given.photo), max_megapixels=spec.photo.max_megapixels).pixels
    d = given.read_depth()
    if pixels.dtype != np.uint8 or pixels.shape[:2] != d.shape:
        raise InputError(f"{place}: the photo and its depth do not fit each other; import the photo again.")
    sky = d <= 0 if given.layers[0].sky else None
    layering = cut_layers(pixels, d, sky, spec, lambda share, text: progress(0.9 * share, text), silhouettes_of(given))
    layered = replace(given, folder=folder, layers=layering.layers, levels=layering.levels)
    kept = {name: given.path(name).read_bytes() for name in (given.photo, given.landmarks) if name is not None}
    write_layered(layered, {**kept, "depth.npy": layering.d, **layering.files})
    progress(1.0, "Layers ready")
    return layered


def silhouettes_of(given: LayeredPhoto) -> dict[str, NDArray[np.bool_]]:
    """The silhouettes of the people whose layers a layered photo has, nearest first: bool over its grid.

    In a photo without levels, a layer that tells whose it is needs a matte for that, no other file. Raises InputError if one is damaged.
    """
    found: dict[str, NDArray[np.bool_]] = {}
    width, height = given.grid
    levels = None if given.levels is None else read_grey(given.path(given.levels))
    for number, layer in enumerate(given.layers):
        if layer.person is None:
            continue
        if levels is not None:
            found[layer.person] = levels == number
        elif layer.matte is not None:
            left, top, right, bottom = layer.box
            mask = np.zeros((height, width), bool)
            rows, columns = slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))
            matte = read_grey(given.path(layer.matte))
            mask[rows, columns] = matte[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] == 255
            found[layer.person] = mask
    return found


def encode_normals(normals: NDArray[np.float32]) -> bytes:
    """Normals (float32 h×w×3, OpenCV's camera axes) as an RGB PNG of (n + 1) / 2 in the scene's axes: x right, y away, z up."""
    turned = normals[..., (0, 2, 1)] * np.array((1, 1, -1), np.float32)
    pixels = np.rint(np.clip((turned + 1) / 2, 0, 1) * 255).astype(np.uint8)
    done, data = cv().imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    if not done:
        raise RenderError("The normals could not be packed; choose a smaller photo.")
    return data.tobytes()


def photo_camera(photo: Photo, depth: DepthMap, spec: SceneSpec) -> PhotoCamera:
    """The photo's camera: the field of view that was set, else the EXIF's, else the estimator's, else 50 degrees."""
    fov = next(f for f in (photo.fov, depth.fov, DEFAULT_FOV) if f is not None)
    level = PhotoCamera(fov, spec.photo.lens_shift)
    pitch = 0.0 if depth.horizon is None else pitch_from_horizon(depth.horizon, level, photo.size)
    height = NO_HORIZON_HEIGHT if depth.camera_height is None else depth.camera_height
    return PhotoCamera(fov, spec.photo.lens_shift, pitch, height)


def close_distance(disparity: Disparity) -> float:
    """Metres to where the nearest fiftieth of the picture ends."""
    return _distance(disparity, float(np.quantile(disparity.d, 0.98)))


def choose_focus(depth: DepthMap, d: NDArray[np.float32], spec: SceneSpec) -> Focus:
    """Where to aim: the point that was set, else the one that is found. d: float32 h×w in [0, 1], the photo's depth."""
    if spec.focus.at is not None:
        x, y = spec.focus.at
        return Focus(x, y, depth_at(d, x, y), "set")
    return find_focus(d, depth.faces or ())


def _distance(disparity: Disparity, d: float) -> float:
    return 1 / (d * (1 / disparity.near - 1 / disparity.far) + 1 / disparity.far)
