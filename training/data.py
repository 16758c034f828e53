"""Reads shards (training/README.md says what they are) and makes batches of views of them.

A view is a part of a rendered picture, enlarged, turned a little, mirrored or not, with the truth at half its size. Shards
are looked for again every minute, so that a generator may go on writing while the network trains.
"""

from __future__ import annotations

import json
import signal
import time
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from addon.errors import InputError
from addon.vision.files import shown

from . import formation

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Random = np.random.Generator
Size = tuple[int, int]

SIZES: tuple[Size, ...] = ((160, 224), (160, 192), (128, 224), (192, 192), (192, 160), (224, 160), (160, 160))
"""Height and width of batches; about as many pixels as the shards' pictures have."""
CHANCES = (0.34, 0.22, 0.12, 0.1, 0.12, 0.05, 0.05)
SMALL: tuple[Size, ...] = ((96, 128), (128, 160), (128, 96), (96, 160), (128, 128))
SMALL_CHANCES = (0.4, 0.25, 0.15, 0.1, 0.1)
"""For the beginning of a run: layout is learnt from few pixels, three times as many views in the same time."""
LARGE: tuple[Size, ...] = ((192, 256), (192, 224), (160, 256), (224, 224), (224, 192), (256, 192))
"""For the end of a run: nearer to what the network meets in use."""
LARGE_CHANCES = (0.4, 0.2, 0.1, 0.1, 0.1, 0.1)

HELD_OUT = 25
"""One shard of so many is kept for validation."""
_LOOK_AGAIN = 60.0
_SETTLED = 2.0
"""Seconds between looking for shards, and since one was finished."""
_MOST = 1.5
"""How many times the usual number of views a batch of small ones has at most: more steps teach more than larger batches."""
_EDGE = 1.1
_LEAST_EDGE = 0.05
"""Of the median disparity: near the horizon the floor's neighbouring pixels differ as much in ratio, but hardly in disparity."""
_OUTSIDE = -1.0
"""Disparity where a turned view shows what no picture has."""


class Shard(NamedTuple):
    """colour, disparity, normal: as in the files, memory-mapped. views: what about.json says of each."""

    colour: NDArray[np.uint16]
    disparity: NDArray[np.float16]
    normal: NDArray[np.int8]
    views: list[Mapping[str, float]]


class Truth(NamedTuple):
    """What a view shows, at half its size h×w: disparity float32 (1/metres, 0 = sky, -1 = unknown), edges uint8 0 or 1, normals
    int8 h×w×3; horizon (shares of the height from the top), roll (radians) and log(tan(fov/2)) as float32 3."""

    disparity: Floats
    edges: Bytes
    normals: NDArray[np.int8]
    view: Floats


def find(folder: Path) -> list[Path]:
    """The finished shards of a folder, sorted. Raises InputError if the folder is missing.

    One that was finished this very moment is left for later: its last file may be half written.
    """
    if not folder.is_dir():
        raise InputError(f"{shown(folder)}: there is no such folder; make data with python -m training.generate --out {shown(folder)}.")
    latest = time.time() - _SETTLED
    return sorted(file.parent for file in folder.glob("*/about.json") if file.stat().st_mtime < latest)


def is_held_out(shard: Path) -> bool:
    """Whether a shard is for validation; decided by its name, so that it stays so."""
    return zlib.crc32(shard.name.encode()) % HELD_OUT == 0


@lru_cache(maxsize=128)
def open_shard(folder: Path) -> Shard:
    """Open a finished shard. Raises InputError if its files do not fit each other."""
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        colour, disparity, normal = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("colour", "disparity", "normal"))
        shard = Shard(colour, disparity, normal, about["views"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{shown(folder)}: this shard cannot be read ({error}); delete it.") from error
    shape = disparity.shape
    if colour.shape != (*shape, 3) or normal.shape != (*shape, 3) or len(shard.views) != shape[0] or colour.dtype != np.uint16:
        raise InputError(f"{shown(folder)}: the files of this shard do not fit each other; delete it.")
    return shard


# One view --------------------------------------------------------------------------------------------------------------


class Window(NamedTuple):
    """The part of a picture that a view shows: its middle in pixels of the picture, pixels of the picture per pixel of the view,
    how far the content is turned clockwise in radians, and whether it is mirrored afterwards."""

    middle: tuple[float, float]
    step: float
    angle: float
    flip: bool


def choose_window(source: Size, size: Size, random: Random) -> Window:
    """A part of at least a half of a picture of `source` (height, width) that fills a view of `size`."""
    widest = min(source[1] / size[1], source[0] / size[0])
    step = widest * (1 - 0.45 * random.random() ** 2.5)
    angle = float(np.clip(random.normal(0, np.radians(2.5)), -0.14, 0.14)) if random.random() < 0.5 else 0.0
    slack = [(n - step * m) / 2 for n, m in ((source[1], size[1]), (source[0], size[0]))]
    x, y = (n / 2 + random.uniform(-s, s) for n, s in zip(source[::-1], slack))
    return Window((x, y), step, angle, bool(random.random() < 0.5))


def whole_window(source: Size, size: Size) -> Window:
    """The largest middle part."""
    return Window((source[1] / 2, source[0] / 2), min(source[1] / size[1], source[0] / size[0]), 0.0, False)


def _matrix(window: Window, size: Size, scale: float) -> Floats:
    """From pixels of a view of `size` (times `scale`) to those of the picture, for cv2.warpAffine with WARP_INVERSE_MAP."""
    h, w = size[0] * scale, size[1] * scale
    k = window.step / scale
    cos, sin = np.cos(window.angle) * k, np.sin(window.angle) * k
    turn = np.array([[cos, sin], [-sin, cos]])
    if window.flip:
        turn[:, 0] *= -1
    corner = np.array([0.5 - w / 2, 0.5 - h / 2])  # the first pixel's middle, seen from the view's
    shift = turn @ corner + window.middle - 0.5
    return np.concatenate([turn, shift[:, None]], 1).astype(np.float32)


def seen(shard: Shard, index: int, window: Window, size: Size) -> tuple[Floats, Floats, Truth]:
    """Cut a view out: linear radiance float32 H×W×3, disparity float32 H×W, and the truth at half the size."""
    h, w = size
    code = shard.colour[index].astype(np.float32)
    light = cv2.warpAffine(
        code * code * np.float32(16 / 65535**2),
        _matrix(window, size, 1.0),
        (w, h),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    solid = shard.disparity[index].astype(np.float32)
    nearest = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    full = cv2.warpAffine(solid, _matrix(window, size, 1.0), (w, h), flags=nearest, borderMode=cv2.BORDER_REFLECT)
    half = _matrix(window, size, 0.5)
    disparity = cv2.warpAffine(solid, half, (w // 2, h // 2), flags=nearest, borderMode=cv2.BORDER_CONSTANT, borderValue=_OUTSIDE)
    normals = cv2.warpAffine(shard.normal[index].view(np.uint8), half, (w // 2, h // 2), flags=nearest)
    normals = turned(normals.view(np.int8), window)
    view = view_labels(shard.views[index], solid.shape, window, size)
    return light, full, Truth(disparity, edges(disparity), normals, view)


def turned(normals: NDArray[np.int8], window: Window) -> NDArray[np.int8]:
    """Normals as the camera of the view sees them."""
    if not window.flip and window.angle == 0:
        return normals
    cos, sin = np.float32(np.cos(window.angle)), np.float32(np.sin(window.angle))
    x, y = normals[..., 0].astype(np.float32), normals[..., 1].astype(np.float32)
    result = normals.copy()
    sign = np.float32(-1 if window.flip else 1)
    result[..., 0] = np.rint(sign * (x * cos - y * sin))
    result[..., 1] = np.rint(x * sin + y * cos)
    return result


def view_labels(about: Mapping[str, float], source: Size, window: Window, size: Size) -> Floats:
    """Horizon, roll and log(tan(fov/2)) of a view.

    The horizon is the distance of the horizon's line from the view's middle (downwards positive, measured across the line) in
    shares of the height, plus 0.5: for an upright camera the row where it lies. Roll is positive where the camera is turned
    clockwise, so that the horizon rises to the right.
    """
    tangent = np.tan(np.radians(about["fov"]) / 2)
    roll = np.radians(about["roll"])
    down = np.array([np.sin(roll), np.cos(roll)])
    line = -np.tan(np.radians(about["pitch"])) / (2 * tangent) * source[1]  # pixels below the picture's middle
    line -= float(down @ (np.array(window.middle) - np.array(source[::-1]) / 2))
    horizon = 0.5 + line / window.step / size[0]
    roll = roll - window.angle
    tangent = tangent * size[1] * window.step / source[1]
    return np.array([np.clip(horizon, -1.5, 2.5), -roll if window.flip else roll, np.log(tangent)], np.float32)


def edges(disparity: Floats) -> Bytes:
    """Where something nearer ends: 1 on the nearer of two neighbours whose disparities differ by more than a tenth.

    Disparity is linear along a plane, so that a step which goes on as large on either side is a surface seen at a grazing angle
    and no edge. Against the sky everything ends.
    """
    found = np.zeros(disparity.shape, np.uint8)
    solid = disparity[disparity > 0]
    least = _LEAST_EDGE * float(np.median(solid)) if solid.size else 0.0
    for axis in (0, 1):
        d = np.moveaxis(disparity, axis, 0)
        out = np.moveaxis(found, axis, 0)
        step = np.diff(d, axis=0)
        before = np.concatenate([step[:1] * 0, step[:-1]])
        after = np.concatenate([step[1:], step[-1:] * 0])
        size = np.abs(step) * np.float32(0.5)
        low, high = np.minimum(d[:-1], d[1:]), np.maximum(d[:-1], d[1:])
        edge = (
            (high > _EDGE * low)
            & (low >= 0)
            & ((high - low > least) | (low == 0))
            & (np.abs(step - before) > size)
            & (np.abs(step - after) > size)
        )
        out[:-1] |= edge & (step < 0)
        out[1:] |= edge & (step > 0)
    return found


# Batches ---------------------------------------------------------------------------------------------------------------


class Request(NamedTuple):
    """What makes a batch: the seed decides everything but which shards there are. strength: of training/formation.py."""

    seed: int
    size: Size
    count: int
    strength: float


class Batches(Dataset[dict[str, Tensor]]):
    """Batches by `Request`: "image" uint8 B×3×H×W, "disparity" float32 B×h×w, "edges" uint8 B×h×w, "normals" int8 B×3×h×w, "view"
    float32 B×3, of the shards that are not held out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked = -_LOOK_AGAIN
        self._shards: list[Path] = []
        self._ends = np.zeros(0, np.int64)

    def _look(self) -> None:
        """Find new shards and count their views."""
        known = set(self._shards)
        new = [shard for shard in find(self._folder) if shard not in known and not is_held_out(shard)]
        counts = [len(open_shard(shard).views) for shard in new]
        start = self._ends[-1] if len(self._ends) else 0
        self._shards += new
        self._ends = np.concatenate([self._ends, start + np.cumsum(counts, dtype=np.int64)])
        if not self._shards:
            raise InputError(f"{shown(self._folder)}: there are no finished shards yet; wait for the generator or start it.")
        self._looked = time.monotonic()

    def __getitem__(self, request: Request) -> dict[str, Tensor]:  # type: ignore[override]
        if time.monotonic() - self._looked >= _LOOK_AGAIN:
            self._look()
        random = np.random.default_rng(request.seed)
        chosen = []
        for place in random.integers(0, self._ends[-1], request.count):
            number = int(np.searchsorted(self._ends, place, side="right"))
            chosen.append((self._shards[number], int(self._ends[number] - 1 - place)))
        return batch(chosen, request, random)


def batch(chosen: list[tuple[Path, int]], request: Request, random: Random | None) -> dict[str, Tensor]:
    """The batch of these views; without `random` the whole pictures as plain photos (of fixed seeds)."""
    photos, truths = [], []
    for number, (folder, index) in enumerate(chosen):
        shard = open_shard(folder)
        source = shard.disparity.shape[1:]
        window = whole_window(source, request.size) if random is None else choose_window(source, request.size, random)
        light, disparity, truth = seen(shard, index, window, request.size)
        photos.append(formation.photo(light, disparity, random or np.random.default_rng(number), request.strength))
        truths.append(truth)
    return {
        "image": torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).contiguous(),
        "disparity": torch.from_numpy(np.stack([t.disparity for t in truths])),
        "edges": torch.from_numpy(np.stack([t.edges for t in truths])),
        "normals": torch.from_numpy(np.stack([t.normals for t in truths])).permute(0, 3, 1, 2).contiguous(),
        "view": torch.from_numpy(np.stack([t.view for t in truths])),
    }


class Endless(Sampler[Request]):
    """Requests without end, of changing sizes. `small` and `large`, the shares of these sizes, and `strength` may be changed while it runs."""

    def __init__(self, seed: int, count: int) -> None:
        self._random = np.random.default_rng(seed)
        self._count = count
        self.small = self.large = 0.0
        self.strength = 1.0

    def __iter__(self) -> Iterator[Request]:
        while True:
            drawn = self._random.random()
            sizes, chances = SIZES, CHANCES
            if drawn < self.large:
                sizes, chances = LARGE, LARGE_CHANCES
            elif drawn > 1 - self.small:
                sizes, chances = SMALL, SMALL_CHANCES
            size = sizes[int(self._random.choice(len(sizes), p=chances))]
            pixels = SIZES[0][0] * SIZES[0][1]
            count = max(2, round(self._count * min(_MOST, pixels / (size[0] * size[1])) / 2) * 2)
            yield Request(int(self._random.integers(0, 2**62)), size, count, self.strength)


def _begin(_: int) -> None:
    """In each process that makes batches: one thread, and the trainer decides when it ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def loader(folder: Path, sampler: Endless, workers: int) -> DataLoader[dict[str, Tensor]]:
    """Batches as they come, made in processes of their own (none of them if `workers` is 0)."""
    # Started anew, not forked: a fork of a process whose libraries have threads may wait for one of them for ever.
    more = {"prefetch_factor": 4, "worker_init_fn": _begin, "multiprocessing_context": "spawn"} if workers else {}
    return DataLoader(Batches(folder), batch_size=None, sampler=sampler, num_workers=workers, **more)  # type: ignore[arg-type]


def validation(folder: Path, most: int = 128, count: int = 16) -> list[dict[str, Tensor]]:
    """Batches of views that are never trained on, at most `most`, spread over the held-out shards and always the same ones."""
    places = [(shard, i) for shard in find(folder) if is_held_out(shard) for i in range(len(open_shard(shard).views))]
    order = np.random.default_rng(1).permutation(len(places))[:most]
    by_size: dict[Size, list[tuple[Path, int]]] = {}
    for place in order:
        shard, index = places[int(place)]
        h, w = open_shard(shard).disparity.shape[1:]
        aspects = [abs(np.log(w / h) - np.log(size[1] / size[0])) for size in SIZES]
        by_size.setdefault(SIZES[int(np.argmin(aspects))], []).append((shard, index))
    return [
        batch(found[start : start + count], Request(0, size, count, 0.3), None)
        for size, found in by_size.items()
        for start in range(0, len(found), count)
    ]
