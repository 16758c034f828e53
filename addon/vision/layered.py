"""What passes from vision to Blender: the depth of every pixel, and the layered photo.

A layered photo is a folder of plain files and `layers.json`; docs/layered-photo.md describes the format. It is written
whole or not at all, so that whoever finds the folder can trust it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, StorageError
from .faces import Face

log = logging.getLogger(__name__)

SCHEMA = 2
INDEX = "layers.json"


class DepthKind(str, Enum):
    """What the numbers of a depth map mean."""

    AFFINE_DISPARITY = "affine-disparity"  # a·(1/z) + b with unknown a > 0 and b; near is large
    METRIC_DISPARITY = "metric-disparity"  # 1/z in 1/metres
    METRIC_DEPTH = "metric-depth"  # z in metres along the optical axis
    AFFINE_DEPTH = "affine-depth"  # a·z with unknown a > 0: z up to its scale

    @property
    def is_depth(self) -> bool:
        """Whether far is large."""
        return self in (DepthKind.METRIC_DEPTH, DepthKind.AFFINE_DEPTH)


def inverted(values: NDArray[np.float32], kind: DepthKind) -> NDArray[np.float32]:
    """What rises towards the camera linearly with 1/z: disparity as it is, depth as 1/depth.

    float32 of any shape, both ways. Of depth, infinitely far becomes 0, and what is not above 0 has no value (NaN).
    """
    values = values.astype(np.float32, copy=False)
    if not kind.is_depth:
        return values
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(values > 0, 1 / values, np.float32(np.nan))


@dataclass(frozen=True)
class DepthMap:
    """The depth of every pixel as an estimator gives it.

    values: float32 H×W; what they mean is `kind`. Pixels without a value are NaN; +inf (depth) or 0 (metric
    disparity) is infinitely far.
    fov: horizontal field of view in degrees, if the estimator knows it.
    horizon: height of the horizon as a share of the picture's height from the top, if known (may lie outside 0..1).
    camera_height: metres of the camera above the floor, if known.
    sky: bool H×W, if known. confidence: float32 H×W in 0..1, if known. normals: float32 h×w×3 of any size, unit length,
    towards the camera, in OpenCV's camera axes (x right, y down, z forward), if known.
    faces: those in the photo, None if not looked for: they tell its scale where nothing else does, and get a face's relief.
    subject: the silhouette of a clear subject, bool h×w of any size, if one was found.
    made_by: the estimator's name.
    """

    values: NDArray[np.float32]
    kind: DepthKind
    made_by: str
    fov: float | None = None
    horizon: float | None = None
    camera_height: float | None = None
    sky: NDArray[np.bool_] | None = None
    confidence: NDArray[np.float32] | None = None
    normals: NDArray[np.float32] | None = None
    faces: tuple[Face, ...] | None = None
    subject: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Disparity:
    """Depth in the one form that the scene uses.

    d: float32 H×W in [0, 1], 1 at `near` and 0 at `far` (metres); z = 1 / (d·(1/near − 1/far) + 1/far).
    """

    d: NDArray[np.float32]
    near: float
    far: float


# An affine disparity says nothing about distances. These show a moderate relief; a person at arm's length to a house
# across the street.
AFFINE_NEAR, AFFINE_FAR = 1.5, 12.0
_MUCH = 0.3  # share of a picture
FARTHEST = 1e4  # metres; what is "infinitely far" stands here


def to_disparity(depth: DepthMap, *, near: float | None = None, far: float | None = None) -> Disparity:
    """Turn a depth map of any kind into d in [0, 1] between `near` and `far` metres.

    Metric kinds keep their metres: `near` and `far` default to the range that the values cover, and values outside a
    given range are clamped to it. For affine disparity the range of the values is stretched over near..far.
    Pixels without a value become far. Raises InputError if no pixel has a value or near ≥ far.
    """
    values = depth.values.astype(np.float32, copy=True)
    if depth.kind is DepthKind.AFFINE_DISPARITY:
        known = values[np.isfinite(values)]
        if known.size == 0:
            raise InputError(f"The depth from {depth.made_by} holds no number at all; choose another depth map.")
        low, high = float(known.min()), float(known.max())
        d = (values - low) / (high - low) if high > low else np.zeros_like(values)
        near = AFFINE_NEAR if near is None and far is None else near if near is not None else min(AFFINE_NEAR, far / 8)  # type: ignore[operator]
        far = far if far is not None else max(AFFINE_FAR, near * 8)
    else:
        inverse = inverted(values, depth.kind)
        known = inverse[np.isfinite(inverse) & (inverse >= 0)]
        if known.size == 0:
            raise InputError(f"The depth from {depth.made_by} holds no usable distance; choose another depth map or set --depth-kind.")
        near = near if near is not None else float(1 / max(known.max(), 1 / FARTHEST))
        positive = known[known > 0]
        measured_far = float(1 / positive.min()) if positive.size else FARTHEST
        far = far if far is not None else min(max(measured_far, near), FARTHEST)
        if far <= near:  # a flat wall: give it a range all the same
            far = near * (1 + 1e-3)
        with np.errstate(over="ignore", invalid="ignore"):
            d = (inverse - 1 / far) / (1 / near - 1 / far)
        outside = np.count_nonzero((d < -1e-4) | (d > 1 + 1e-4)) / max(1, np.count_nonzero(np.isfinite(d)))
        if outside > _MUCH:
            log.warning(
                "The depth is in metres, and %.0f %% of it lies outside near %g m to far %g m, where it becomes flat; "
                "leave near and far out to keep its own range.",
                100 * outside, near, far,
            )  # fmt: skip
    if not 0 < near < far:
        raise InputError(f"The nearest point ({near:g} m) must be nearer than the farthest ({far:g} m); set --near and --far.")
    d = np.nan_to_num(d, nan=0.0, posinf=1.0, neginf=0.0)
    return Disparity(np.clip(d, 0, 1).astype(np.float32), float(near), float(far))


@dataclass(frozen=True)
class PhotoCamera:
    """The camera that took the photo.

    fov: horizontal field of view in degrees of a photo whose optical axis meets its middle at this width.
    shift: where the optical axis meets the photo, right and up of its middle, in shares of its width.
    pitch: degrees that the camera looks up (positive) or down, from the horizon. height: metres above the floor.
    """

    fov: float
    shift: tuple[float, float] = (0.0, 0.0)
    pitch: float = 0.0
    height: float = 1.6


@dataclass(frozen=True)
class Layer:
    """One sheet; files relative to the folder.

    box: (left, top, right, bottom) in pixels of the layered photo's `grid`; it may reach past the photo's border.
    colour: RGBA PNG of the box; where it is opaque it takes the place of the photo. matte: grey PNG of the box. depth:
    .npy of the box, d where the sheet is hidden. A photo in one sheet has none of the three. sky: infinitely far. person: the name of
    the one (landmarks.Person) whose layer it is.
    """

    name: str
    box: tuple[int, int, int, int]
    colour: str | None = None
    matte: str | None = None
    depth: str | None = None
    sky: bool = False
    person: str | None = None


class TextureKey(NamedTuple):
    """What decides a film texture besides the photo: film pixels that the whole photo takes, the magnification, and its grain."""

    width: int
    height: int
    magnification: float
    degrained: bool = False  # made of the photo without its grain


@dataclass(frozen=True)
class FilmTexture:
    """The photo filtered for a film (vision/texture.py): its file and what it was made for."""

    file: str
    key: TextureKey


@dataclass(frozen=True)
class FilmFrames:
    """What a layered photo that was a film has for each of its frames, numbered from 1.

    count, fps: length and speed. depth, texture: names of the files with #### for the number: d as grey PNG of 16 bits (65535 is
    1), and the film texture. key: what the textures were made for.
    """

    count: int
    fps: float
    depth: str
    texture: str
    key: TextureKey

    def file(self, pattern: str, number: int) -> str:
        """The file of one frame."""
        return pattern.replace("####", f"{number:04d}")


@dataclass(frozen=True)
class LayeredPhoto:
    """A photo with its depth, in layers from front to back.

    photo: the photo's own file, not re-encoded. depth: .npy of d, float32 H×W in [0, 1]. grid: (width, height) of d and
    of `levels`, a grey PNG that tells which layer each pixel shows (None if there is one layer). size: (width, height) of the upright photo in pixels. near, far: metres to the nearest and farthest point; close:
    to where the nearest fiftieth of the picture ends; focus: to the subject. texture: made along with it, for the film that was planned; another
    film needs another. transparent: the photo has an alpha channel; deep: more than 8 bits. `made` says what made it (estimator, versions, hashes).
    frames: of a film, whose first frame all else is about; None of a photo. normals: RGB PNG of what the depth network saw of
    the surfaces' normals, (n + 1) / 2 in the scene's axes (x right, y away from the camera, z up), or of those of the smoothed
    depth; None in older files. aim: where in the photo the subject is that `focus` is the distance of, in shares from left and
    top; None in older files, and means the middle. attention: small grey PNG over the photo, 255 on faces, 128 on persons and other clear
    subjects, 0 elsewhere; None without any. landmarks: the people's points and joints (landmarks.py); None without any.
    """

    folder: Path
    name: str
    size: tuple[int, int]
    camera: PhotoCamera
    near: float
    far: float
    close: float
    focus: float
    photo: str
    depth: str
    grid: tuple[int, int]
    layers: tuple[Layer, ...]
    levels: str | None = None
    made: dict[str, Any] = field(default_factory=dict)
    texture: FilmTexture | None = None
    transparent: bool = False
    deep: bool = False
    frames: FilmFrames | None = None
    normals: str | None = None
    aim: tuple[float, float] | None = None
    attention: str | None = None
    landmarks: str | None = None

    def path(self, file: str) -> Path:
        """Absolute path of one of its files."""
        return self.folder / file

    def read_depth(self) -> NDArray[np.float32]:
        """d of what is seen, float32 H×W in [0, 1], on `grid`."""
        return np.load(self.path(self.depth)).astype(np.float32, copy=False)

    def read_hidden_depth(self, layer: Layer) -> NDArray[np.float32] | None:
        """d of a layer's box where it is hidden, float32 h×w in [0, 1]; None if it has none."""
        return None if layer.depth is None else np.load(self.path(layer.depth)).astype(np.float32, copy=False)


def write_layered(photo: LayeredPhoto, files: dict[str, bytes | NDArray[Any]]) -> LayeredPhoto:
    """Write `files` (bytes as they are, arrays as .npy) and `layers.json` into `photo.folder`, whole or not at all.

    An existing folder of that name is replaced. Raises StorageError if there is no room or no permission.
    """
    with whole_folder(photo.folder) as temporary:
        write_files(temporary, photo, files)
    return photo


def unfinished(target: Path, pid: int) -> str:
    """How the temporary name of `target` begins while the process `pid` makes it."""
    return f".{target.name[:40]}.{pid}."


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place in the end, or goes away with all that is in it.

    An existing folder of that name is replaced. Raises StorageError on any OSError.
    """
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=unfinished(target, os.getpid()), suffix=".tmp", dir=target.parent))
        yield temporary
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise StorageError(f"{target}: cannot be written ({error.strerror or error}); free some room or choose another folder.") from error
    finally:  # whatever ended it, a signal too
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write_files(folder: Path, photo: LayeredPhoto, files: dict[str, bytes | NDArray[Any]]) -> None:
    """Write `files` (bytes as they are, arrays as .npy) and `layers.json` into `folder`."""
    for name, content in files.items():
        with open(folder / name, "wb") as f:
            if isinstance(content, bytes):
                f.write(content)
            else:
                np.save(f, content)
            f.flush()
            os.fsync(f.fileno())
    index = {
        "schema": SCHEMA,
        **{
            k: v
            for k, v in asdict(photo).items()
            if k != "folder" and (v is not None or k not in ("frames", "normals", "aim", "attention", "landmarks"))
        },
    }
    index["layers"] = [{k: v for k, v in layer.items() if v is not None or k != "person"} for layer in index["layers"]]
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def read_layered(folder: Path) -> LayeredPhoto:
    """Read the layered photo in `folder`. Raises InputError if it is not one."""
    try:
        data = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise InputError(f"{folder}: this layered photo was made by another version; make it again from the photo.")
        layers = tuple(Layer(**{**layer, "box": tuple(layer["box"])}) for layer in data["layers"])
        camera = PhotoCamera(**{**data["camera"], "shift": tuple(data["camera"]["shift"])})
        texture, frames, normals, aim = data["texture"], data.get("frames"), data.get("normals"), data.get("aim")
        photo = LayeredPhoto(
            folder, data["name"], tuple(data["size"]), camera, data["near"], data["far"], data["close"], data["focus"],
            data["photo"], data["depth"], tuple(data["grid"]), layers, data["levels"], data["made"],
            None if texture is None else FilmTexture(texture["file"], TextureKey(*texture["key"])), bool(data["transparent"]), bool(data["deep"]),
            None if frames is None else FilmFrames(**{**frames, "key": TextureKey(*frames["key"])}), normals,
            None if aim is None else (float(aim[0]), float(aim[1])), data.get("attention"), data.get("landmarks"),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: not a layered photo ({error}); make it again from the photo.") from error
    files: list[str | None] = [photo.photo, photo.depth, photo.levels, photo.normals, photo.attention, photo.landmarks]
    files.append(photo.texture and photo.texture.file)
    files += [f for layer in photo.layers for f in (layer.colour, layer.depth, layer.matte)]
    if (film := photo.frames) is not None:
        files += [film.file(pattern, n) for pattern in (film.depth, film.texture) for n in range(1, film.count + 1)]
    missing = [f for f in files if f and not photo.path(f).is_file()]
    if missing:
        raise InputError(f"{folder}: {missing[0]} is missing from the layered photo; make it again from the photo.")
    return photo
