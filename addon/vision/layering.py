"""The layers of a photo as files: from pixels, depth and settings to what a layered photo holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import RenderError
from ..spec import SceneSpec
from .backing import back_up, find_frayed
from .cv import cv
from .fill import fill, fill_with_network
from .layered import DepthKind, DepthMap, Layer
from .layers import Bytes, find_cuts, find_levels, give_back, without_specks
from .people_layers import Owned, People, give_levels, owners, settle_depth
from .photo import Photo
from .refine import Floats, Mask, decide_mixed_depths, take_rims_to_front
from .resample import resample
from .sheets import Fill, Outline, Sheet, cut_sheets
from .texture import average_down, decoded, linear_to_srgb

MOST_PIXELS = 4_000_000  # of the grid that depth and layers live on; more, and Blender's brushes and the live relief become slow
MOST_LAYERS = 6
DEFAULT_RESERVE = 0.08  # of the width: room for every move at its usual amount
_LEAST_GAP = 1.2  # pixels
_STEEP = 0.45  # pixels: what opens by more at the reserve and is not cut becomes a slope
_LEAST_SKY = 0.002  # share of the picture; less is a gap in the depth map
_FINE_SIDE = 900  # pixels: for how large a photo holes are filled with cells of single pixels where they are small


class Layering(NamedTuple):
    """d: float32 H×W, the refined depth on the grid. layers: front to back. levels: file name or None. files: by name."""

    d: Floats
    layers: tuple[Layer, ...]
    levels: str | None
    files: dict[str, bytes | NDArray[Any]]


def make_layers(
    photo: Photo, d: Floats, sky: Mask | None, spec: SceneSpec, progress: Callable[[float, str], None], people: People | None = None
) -> Layering:
    """Cut a photo into layers as `spec.layers` says.

    d: float32 H×W in [0, 1]; sky: bool H×W or None. The grid that they are cut on is the photo's own, or one of
    MOST_PIXELS for larger photos. progress: called with a share and a text; may raise to cancel. people: names and silhouettes (bool
    H×W of any size over the photo), nearest first, each of whom gets a layer of its own. Raises InputError if the fill network
    cannot be used.
    """
    size = grid_size(photo.size, MOST_PIXELS)
    d = np.ascontiguousarray(np.clip(resample(d, size, depth=False), 0, 1))
    if photo.alpha is not None:
        # Of a see-through photo the same pixel would be seen through several layers. There is nothing behind a cut-out anyway.
        spec = replace(spec, layers=replace(spec.layers, mode="off"))
    return cut_layers(photo_colour(photo, size), d, sky, spec, progress, people)


def cut_layers(
    colour: Bytes, d: Floats, sky: Mask | None, spec: SceneSpec, progress: Callable[[float, str], None], people: People | None = None
) -> Layering:
    """`make_layers` for pixels that are on the grid already: colour uint8 H×W×3, sRGB, d float32 H×W in [0, 1]."""
    settings = spec.layers
    size = (d.shape[1], d.shape[0])
    if settings.mode == "off":
        return Layering(take_rims_to_front(d), (Layer("Photo", (0, 0, *size)),), None, {})
    progress(0.0, "Sharpening the edges")
    sky = None if sky is None else cv().resize(sky.astype(np.uint8), size, interpolation=cv().INTER_NEAREST) > 0
    d = decide_mixed_depths(d, decoded(colour))
    progress(0.1, "Finding the layers")
    tear = tear_threshold(spec, size)
    whose, names = owners(people or {}, size)
    if names:
        sky = None if sky is None or not (sky & (whose == 0)).any() else sky & (whose == 0)
        d = settle_depth(d, whose, tear, sky)
    cuts = find_cuts(d, tear, sky)
    d = without_specks(d, cuts, tear, min(tear, _STEEP / (reserve_of(spec) * size[0])))
    levels = find_levels(d, cuts, 2 if settings.mode == "two" else MOST_LAYERS, sky)
    reach, ring = reserve_pixels(spec, size)
    levels = give_back(levels, d, cuts, reach)
    owned = Owned(levels, cuts, {})
    if names:
        owned = give_levels(levels, d, cuts, whose, names, tear, sky)
        levels = owned.levels
    endless = sky is not None and bool(sky.any())

    def backing(outlines: list[Outline]) -> Sheet | None:
        # The sky goes on behind everything, and is what shows through leaves and fences.
        frayed = find_frayed(d, levels, outlines, min(tear, 1 / reach), reach) if settings.mode == "many" and not endless else None
        return None if frayed is None else back_up(colour, d, frayed, reach, partial(fill, method="smooth"))

    made, behind = cut_sheets(
        colour,
        d,
        owned.cuts,
        levels,
        sky=endless,
        reach=reach,
        ring=ring,
        fill=_filler(spec, max(size)),
        progress=lambda share: progress(0.2 + 0.8 * share, "Filling what is hidden"),
        then=sheet_files,
        meanwhile=backing,
        goes_on=whose > 0 if names else None,
    )
    sheets = [sheet for sheet, _ in made]
    files: dict[str, bytes | NDArray[Any]] = {"levels.png": _png(levels.astype(np.uint8))}
    for _, packed in made:
        files |= packed
    if behind is not None:
        sheets.append(behind)
        files |= sheet_files(len(sheets) - 1, behind)
    titles = layer_names(len(sheets), endless, tuple(sorted(owned.people)), behind is not None)
    layers = []
    for level, (sheet, title) in enumerate(zip(sheets, titles)):
        colour_file, matte_file, depth_file = _file_names(level)
        farthest = endless and level == len(sheets) - 1
        layers.append(
            Layer(title, sheet.box, colour_file, matte_file, depth_file if sheet.d is not None else None, farthest, owned.people.get(level))
        )
    return Layering(d, tuple(layers), "levels.png", files)


def _file_names(level: int) -> tuple[str, str, str]:
    """The names of a layer's colour, matte and depth. level: from 0, from front to back."""
    return f"layer{level + 1}.png", f"layer{level + 1}_matte.png", f"layer{level + 1}_depth.npy"


def sheet_files(level: int, sheet: Sheet) -> dict[str, bytes | NDArray[Any]]:
    """The files of a level's layer by name; of its depth only where it has one of its own."""
    cv2 = cv()
    colour, matte, depth = _file_names(level)
    shown = cv2.copyTo(sheet.colour, sheet.cover)  # what the photo shows anyway need not be stored
    bgra = np.empty((*sheet.cover.shape, 4), np.uint8)
    cv2.mixChannels([shown, sheet.cover], [bgra], [0, 2, 1, 1, 2, 0, 3, 3])
    files: dict[str, bytes | NDArray[Any]] = {colour: _png(bgra), matte: _png(sheet.matte)}
    if sheet.d is not None:
        files[depth] = sheet.d
    return files


def layer_names(count: int, sky: bool, people: tuple[int, ...] = (), backing: bool = False) -> list[str]:
    """Names in the order of the layers, numbered so that Blender's Outliner keeps it: "1 Front", "2 Middle", "3 Background", "4 Sky".

    people: which of the layers are people's, from front to back: "Subject", "Subject 2" and so on. backing: the last one but for the sky is what
    stands behind tangles.
    """
    solid = count - sky - backing
    names = _solid_names(solid, people) + ["Backing"] * backing + ["Sky"] * sky
    return [f"{i} {name}" for i, name in enumerate(names, 1)] if count > 1 else names


def _solid_names(count: int, people: tuple[int, ...]) -> list[str]:
    if not people:
        middle = [f"Middle {i}" for i in range(1, count - 1)] if count > 3 else ["Middle"]
        return ["Photo"] if count == 1 else ["Front", *middle[: count - 2], "Background"]
    others = [i for i in range(count) if i not in people]
    kinds = {i: "Subject" for i in people}
    # The last one is the background, if nobody stands behind it.
    kinds |= {i: "Front" if i < people[0] else "Background" if i == others[-1] and i > people[-1] else "Middle" for i in others}
    names, seen = [], dict.fromkeys(kinds.values(), 0)
    for i in range(count):
        seen[kinds[i]] += 1
        names.append(kinds[i] + (f" {seen[kinds[i]]}" if seen[kinds[i]] > 1 else ""))
    return names


def reserve_of(spec: SceneSpec) -> float:
    """The reserve in shares of the width: as set, else the default."""
    return DEFAULT_RESERVE if spec.layers.reserve is None else spec.layers.reserve


def as_planned(spec: SceneSpec, made: Mapping[str, Any]) -> SceneSpec:
    """The settings with the reserve that a layered photo was made with, if it was worked out. made: of the layered photo."""
    if spec.layers.reserve is not None or "reserve" not in made:
        return spec
    return replace(spec, layers=replace(spec.layers, reserve=float(made["reserve"])))


def reserve_pixels(spec: SceneSpec, grid: tuple[int, int]) -> tuple[int, int]:
    """How far layers go on behind each other, and past the photo's border, in pixels of the grid."""
    reach = math.ceil(reserve_of(spec) * grid[0])
    # A few more: a cut stands between pixels, and a film pixel looks at four texels.
    return reach + 4, min(reach, math.ceil(spec.relief.margin * max(grid)))


def tear_threshold(spec: SceneSpec, grid: tuple[int, int]) -> float:
    """The least difference of d that is cut: as set, but nothing that opens by hardly more than a pixel at the reserve."""
    return max(spec.layers.tear, _LEAST_GAP / (reserve_of(spec) * grid[0]))


def grid_size(photo: tuple[int, int], most: int) -> tuple[int, int]:
    """The photo's (width, height), or as much less of it as keeps it below `most` pixels."""
    w, h = photo
    scale = min(1.0, math.sqrt(most / (w * h)))
    return (w, h) if scale == 1 else (max(1, int(w * scale)), max(1, int(h * scale)))


def photo_colour(photo: Photo, size: tuple[int, int]) -> Bytes:
    """The photo's pixels as uint8 sRGB at `size` (width, height), averaged down in linear light."""
    small = average_down(photo.pixels, size)
    if small.dtype == np.float32:
        return np.rint(linear_to_srgb(small) * 255).astype(np.uint8)
    return small if small.dtype == np.uint8 else np.rint(small / 257.0).astype(np.uint8)


def find_sky(depth: DepthMap) -> Mask | None:
    """Where the sky is, bool H×W, as the estimator marked it or where a metric map is infinitely far; None if nowhere."""
    if depth.sky is not None:
        sky = depth.sky
    elif depth.kind is DepthKind.METRIC_DEPTH:
        sky = np.isposinf(depth.values)
    elif depth.kind is DepthKind.METRIC_DISPARITY:
        sky = depth.values == 0
    else:
        return None
    return sky if sky.mean() > _LEAST_SKY else None


def _filler(spec: SceneSpec, side: int) -> Fill:
    """What fills colours in a photo whose longer side is `side` pixels."""
    if spec.layers.fill_network:
        return partial(fill_with_network, Path(spec.layers.fill_network))
    method = "patch" if spec.layers.fill == "texture" else "smooth"
    # Of a large photo, small holes need no more care than the same holes of a small one.
    return partial(fill, method=method, texture=spec.layers.fill_texture, least_cell=max(1, round(side / _FINE_SIDE)))


def _png(pixels: NDArray[Any]) -> bytes:
    # No level: OpenCV's own way takes less than half the time of the quickest level that can be asked for, and is smaller.
    done, data = cv().imencode(".png", pixels)
    if not done:
        raise RenderError("A layer could not be packed; choose a smaller photo.")
    return data.tobytes()
