"""Photos with true depth, what a network would make of that depth, and measures of its edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import novel_views
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

dev = novel_views.shared_tool("load", "data/depth-dev")

SPARSE = ("kitti",)  # pairs with too few pixels side by side for edges
MOST_SHIFT = 3  # pixels
_CLEARLY = 1.1  # how much better a shift must be than none
WIDEST_RANGE = 50.0  # farther than nearest · WIDEST_RANGE is as far as that, so that ratios in a sky mean something


class Pair(NamedTuple):
    """A photo and its depth. photo: uint8 H×W×3 RGB. truth: float32 H×W, inverse depth > 0, gaps filled. valid: bool H×W,
    where it is measured. shift: (right, down), by how many pixels the measured depth was moved to lie on the photo's edges.
    sky: bool H×W or None."""

    name: str
    photo: Bytes
    truth: Floats
    valid: Mask
    shift: tuple[int, int] = (0, 0)
    sky: Mask | None = None


def dev_pairs(*, sparse: bool = False) -> Iterator[Pair]:
    """The pairs of ../shared/data/depth-dev, registered."""
    for name, image, truth, valid in dev.items():
        if name.startswith(SPARSE) and not sparse:
            continue
        if image.shape[:2] != truth.shape:
            image = cv2.resize(image, truth.shape[::-1], interpolation=cv2.INTER_AREA)
        # Cones' gaps are shadows, which belong to what is behind; those of depth cameras are anything.
        filled = novel_views.nv.fill_rows(truth) if name == "cones" else fill_nearest(truth, valid)
        shift = registration(image, filled, valid)
        filled, valid = moved(filled, shift), moved(valid.astype(np.uint8), shift) > 0
        yield Pair(name, np.ascontiguousarray(image[..., ::-1]), _in_range(filled), valid, shift)


def scene_pairs() -> Iterator[Pair]:
    """The scenes that Blender renders, whose depth is exact; needs bpy."""
    import scenes

    for name in scenes.SCENES:
        scene = scenes.load(name)
        sky = ~np.isfinite(scene.depth)
        truth = np.where(sky, 0, 1 / scene.depth).astype(np.float32)
        photo = np.ascontiguousarray(scene.photo[..., ::-1])
        yield Pair(name, photo, _in_range(truth), ~sky, sky=sky if sky.any() else None)


def _in_range(inverse: Floats) -> Floats:
    return np.maximum(inverse, inverse.max() / WIDEST_RANGE).astype(np.float32)


def fill_nearest(values: Floats, valid: Mask) -> Floats:
    """Pixels without truth as the nearest one with."""
    if valid.all():
        return values
    _, labels = cv2.distanceTransformWithLabels((~valid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    found = np.zeros(int(labels.max()) + 1, np.float32)
    found[labels[valid]] = values[valid]
    return found[labels]


# Registration ----------------------------------------------------------------------------------------------------------


def registration(image: Bytes, truth: Floats, valid: Mask) -> tuple[int, int]:
    """By how many pixels (right, down) to move measured depth so that its edges lie on the photo's.

    The shift of up to MOST_SHIFT at which the photo's gradient is largest along depth edges. A boundary score asks for
    single pixels; half of the measured maps lie beside their photo by more.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    logs = np.where(valid, np.log(truth), np.nan).astype(np.float32)
    # Both as differences to the next pixel, so that they lie on the same grid.
    steep = np.hypot(np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1]).astype(np.float32)
    edges = np.fmax(np.abs(np.diff(logs, axis=1)[:-1]), np.abs(np.diff(logs, axis=0)[:, :-1])) > np.log(1.15)
    reach = range(-MOST_SHIFT, MOST_SHIFT + 1)
    found = {(x, y): float(steep[moved(edges.astype(np.uint8), (x, y)) > 0].mean()) for x in reach for y in reach}
    best = max(found, key=lambda s: found[s])
    return best if found[best] > _CLEARLY * found[0, 0] else (0, 0)


def moved(values: NDArray, shift: tuple[int, int]) -> NDArray:
    """An array moved by (right, down) pixels, its border repeated."""
    move = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
    return cv2.warpAffine(values, move, values.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


# What a network does to depth -----------------------------------------------------------------------------------------


def softened(truth: Floats, factor: float, sigma: float = 0.7) -> Floats:
    """A network's map: `factor` times fewer pixels a side, each the mean of its area, blurred by `sigma` of them."""
    size = tuple(max(1, round(n / factor)) for n in truth.shape[::-1])
    return cv2.GaussianBlur(cv2.resize(truth, size, interpolation=cv2.INTER_AREA), (0, 0), sigma)


def jittered(truth: Floats, pixels: float = 3, seed: int = 0) -> Floats:
    """Depth whose silhouettes lie beside the photo's by `pixels` (root mean square), differently every ten pixels or so."""
    noise = np.random.default_rng(seed).normal(size=(2, *truth.shape)).astype(np.float32)
    smooth = [cv2.GaussianBlur(n, (0, 0), 10) for n in noise]
    dx, dy = (s * np.float32(pixels / np.sqrt(2) / s.std()) for s in smooth)
    x, y = np.meshgrid(np.arange(truth.shape[1], dtype=np.float32), np.arange(truth.shape[0], dtype=np.float32))
    return cv2.remap(truth, x + dx, y + dy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


# Measures -------------------------------------------------------------------------------------------------------------

_RATIOS = np.linspace(1.05, 1.25, 10)


def boundary_f1(found: Floats, truth: Floats, valid: Mask) -> float:
    """Scale-invariant boundary F1 (Bochkovskii et al. 2024, "Depth Pro", section on sharp boundaries), in [0, 1].

    Two neighbours are a boundary if one is nearer by more than a ratio; one that is found counts if the truth has it at
    the same place and the same way round. F1 over all neighbours across and down for ten ratios from 1.05 to 1.25, and their
    mean weighted with the ratio. Written anew from the paper, on pairs of valid pixels, pooled over directions.
    """
    logs = []
    for axis in (0, 1):
        both = valid[1:] & valid[:-1] if axis == 0 else valid[:, 1:] & valid[:, :-1]
        logs.append([np.diff(np.log(np.maximum(m, 1e-9)), axis=axis)[both] for m in (found, truth)])
    mine, true = (np.concatenate(parts) for parts in zip(*logs))
    scores = []
    for ratio in np.log(_RATIOS):
        a, b = (np.sign(v) * (np.abs(v) > ratio) for v in (mine, true))
        hits, total = np.count_nonzero((a == b) & (a != 0)), np.count_nonzero(a) + np.count_nonzero(b)
        scores.append(2 * hits / max(total, 1))
    return float(np.average(scores, weights=_RATIOS))


def edge_error(found: Floats, truth: Floats, valid: Mask, reach: int = 6) -> float:
    """Mean relative error of inverse depth within `reach` pixels of true edges."""
    around = np.ones((3, 3), np.uint8)
    edges = (cv2.dilate(truth, around) > 1.1 * cv2.erode(truth, around)) & valid
    near = (cv2.dilate(edges.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0) & valid
    return float((np.abs(found - truth)[near] / truth[near]).mean()) if near.any() else float("nan")


def flying(found: Floats, truth: Floats, valid: Mask) -> float:
    """Share of the pixels beside true edges that stand between both sides, by more than a fifth of their distance."""
    around, window = np.ones((3, 3), np.uint8), np.ones((9, 9), np.uint8)
    high, low = cv2.dilate(truth, window), cv2.erode(truth, window)
    edges = cv2.dilate(truth, around) > 1.15 * cv2.erode(truth, around)
    beside = (cv2.dilate(edges.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & valid & (high > 1.15 * low)
    share, true_share = ((m - low) / np.maximum(high - low, 1e-9) for m in (found, truth))
    beside &= (true_share < 0.1) | (true_share > 0.9)
    return float(((share > 0.2) & (share < 0.8))[beside].mean()) if beside.any() else float("nan")
