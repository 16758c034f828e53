"""The edge band: every mixed pixel of a depth map and of the photo decided for one side of its silhouette.

Depth networks draw a silhouette as a slope of two to seven pixels, and a photo's own rim pixels are mixtures of both
sides' colours. Both are taken apart here, before the layers are cut: depth snaps to one of two extrapolated sides, and a
rim pixel becomes a share of the front's colour over the background's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .parallel import map_parallel

EDGE = 0.03  # a difference of d between neighbours that is an edge rather than a slope
REACH = 4  # pixels: half of the widest edge band
_GATHERED = 6_000  # pixels whose neighbourhoods are gathered at a time, which bounds the memory
_AT_ONCE = 4  # times that many

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def take_rims_to_front(d: Floats) -> Floats:
    """Grow the nearer side of every edge by one pixel.

    d: float32 H×W in [0, 1], near is large; returns the same. The pixels along a silhouette are mixtures of both sides'
    colours. Left with the far side they are smeared over what a moving camera uncovers; taken to the front they travel
    with the object that they outline. Slopes stay as they are. (A 3×3 maximum of disparity, taken by pixels that are on
    the far side of a range above EDGE: the dilation of depth-image-based rendering, gated by edges.) For a single sheet;
    layers have a matte instead.
    """
    cv2 = cv()
    around = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.dilate(d, around), cv2.erode(d, around)
    on_far_side = nearest - d > 2 * (d - farthest)  # on a slope, d is half-way
    return np.where(on_far_side & (nearest - farthest > EDGE), nearest, d)


# Depth -----------------------------------------------------------------------------------------------------------------


def decide_mixed_depths(d: Floats, colour: Floats, *, edge: float = EDGE, reach: int = REACH) -> Floats:
    """Give every pixel on the slope of a silhouette the depth of one of its two sides.

    d: float32 H×W in [0, 1]. colour: float32 H×W×3, linear light, of the same size. edge: the least difference of d
    between the sides of a silhouette. reach: half the widest slope, in pixels. Returns float32 H×W; pixels on no such
    slope are untouched bit for bit, and so is a depth map whose silhouettes are sharp on the whole.

    A pixel is mixed if it has a clearly nearer and a clearly farther neighbour and both sides' plateaus lie within
    reach. Its side is the one that its depth is closer to, corrected by its colour where the sides' colours differ; its
    depth is carried over from that side, neighbour by neighbour (two-sided extrapolation, as layered depth images are
    made from stereo).
    """
    cv2 = cv()
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    # The ends of a slope are nearly flat; what is flat beside the whole of it is a plateau.
    between = _between(d, np.maximum(edge / 4, _FLAT * (cv2.dilate(d, window) - cv2.erode(d, window))))
    around = np.ones((3, 3), np.uint8)
    edges = np.count_nonzero(cv2.dilate(d, around) - cv2.erode(d, around) > edge)
    if np.count_nonzero(between) <= _IDEAL * edges:
        return d
    near = cv2.dilate(np.where(between, np.float32(-1), d), window)
    far = cv2.erode(np.where(between, np.float32(2), d), window)
    mixed = (
        between
        & (cv2.boxFilter(between.astype(np.float32), -1, (5, 5), normalize=False) >= _LEAST_BAND)
        & (near - d > edge / 8)
        & (d - far > edge / 8)
        & (near - far > edge)
        & (far < 2)
        & (near >= 0)
    )
    ys, xs = np.nonzero(mixed)
    if len(ys) == 0:
        return d
    share = (d - far)[mixed] / (near - far)[mixed]
    alpha, contrast = _colour_share(colour, d, ~between, (ys, xs), near[mixed], far[mixed], reach + 1)
    to_front = (1 - contrast) * share + contrast * alpha > 0.5
    # The plateau's own value, carried over from its nearest pixels so that a slanted side stays slanted.
    goal = np.where(to_front, near[mixed], far[mixed])
    out, settled = d.copy(), ~mixed
    tolerance = np.maximum((near - far)[mixed] / 2, edge / 2)
    for _ in range(2 * reach):
        total, count = np.zeros(len(ys), np.float32), np.zeros(len(ys), np.float32)
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
            y, x = np.clip(ys + dy, 0, d.shape[0] - 1), np.clip(xs + dx, 0, d.shape[1] - 1)
            value = out[y, x]
            fits = settled[y, x] & (np.abs(value - goal) < tolerance)
            total += np.where(fits, value, 0)
            count += fits
        now = (count > 0) & ~settled[ys, xs]
        out[ys[now], xs[now]] = total[now] / count[now]
        settled[ys[now], xs[now]] = True
    lost = ~settled[ys, xs]
    out[ys[lost], xs[lost]] = goal[lost]
    return out


_IDEAL = 0.25
"""Pixels between two depths for each pixel at an edge, up to which a depth map's silhouettes are taken as sharp."""
_FLAT = 0.08  # differences between neighbours, as a share of the range around them, up to which they lie on one side
_LEAST_BAND = 5
"""Pixels between two depths in 5×5 around one that is mixed: a soft silhouette is a band of them, the corner where three
things meet is not."""


def _between(d: Floats, least: Floats) -> Mask:
    """Pixels with a neighbour nearer by `least` (H×W) and, right opposite, one farther by as much."""
    padded = np.pad(d, 1, mode="edge")
    h, w = d.shape
    found = np.zeros(d.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one = padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w] - d
        other = padded[1 - dy : 1 - dy + h, 1 - dx : 1 - dx + w] - d
        found |= (np.maximum(one, other) > least) & (np.minimum(one, other) < -least)
    return found


def _colour_share(
    colour: Floats, d: Floats, pure: Mask, at: tuple[NDArray[np.intp], NDArray[np.intp]], near: Floats, far: Floats, radius: int
) -> tuple[Floats, Floats]:
    """How much of the near side's colour the pixels `at` have (0..1), and how far that can be trusted (0..1)."""
    alpha, trust = np.empty(len(near), np.float32), np.empty(len(near), np.float32)
    middle = ((near + far) / 2).astype(np.float32)
    for part in _parts(len(near)):
        ys, xs = at[0][part], at[1][part]

        def is_front(places: NDArray[np.intp], m: Floats = middle[part]) -> tuple[Mask, Mask]:
            usable, front = pure.take(places), d.take(places) > m[:, None]
            return usable & front, usable & ~front

        front, back = _side_means(colour, (ys, xs), is_front, radius, radius / 2)
        difference = front.colour - back.colour
        contrast = (difference**2).sum(-1)
        projected = ((colour[ys, xs] - back.colour) * difference).sum(-1) / np.maximum(contrast, 1e-9)
        known = (front.weight > 0) & (back.weight > 0)
        alpha[part] = np.clip(projected, 0, 1)
        trust[part] = np.where(known, contrast / (contrast + 0.01), 0)
    return alpha, trust


# Colour ----------------------------------------------------------------------------------------------------------------


class Rims(NamedTuple):
    """What the mixed pixels along the far side of every silhouette are made of; N of them.

    y, x: int N. front: int N, the level that covers them in part. alpha: float32 N in [0, 1], by how much. colour:
    float32 N×3, the front's, behind: float32 N×3, the background's, linear light.
    """

    y: NDArray[np.intp]
    x: NDArray[np.intp]
    front: NDArray[np.intp]
    alpha: Floats
    colour: Floats
    behind: Floats


_PRIOR = 0.35
"""The front's share of a pixel just outside its silhouette where colours say nothing."""
_PRIOR_WEIGHT = 0.02  # squared colour difference, linear light, at which colours and the prior count the same
_LEAST_ALPHA = 0.04  # less comes from the prior, and taking it out of a dark background would tint it
_SPREAD = 1.0  # pixels: standard deviation of the weights of the pure pixels near by


def matte_rims(colour: Floats, levels: NDArray[np.int32], near: Mask, far: Mask) -> Rims:
    """Estimate the soft matte of every silhouette in the pixels just outside it.

    colour: float32 H×W×3, linear light. levels: int32 H×W, 0 in front. near, far: the pixels on either side of the cuts
    (layers.Cuts). The colours of both sides are the weighted means of pure pixels within four pixels; alpha is the
    pixel's place between them (the projection of Chuang et al. 2001's compositing equation), drawn towards a fixed
    share where the two are alike. In linear light, which is what a lens mixes.
    """
    cv2 = cv()
    least = cv2.erode(np.where(near, levels, levels.max() + 1).astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    places = np.flatnonzero(far & (least < levels))
    ys, xs = np.divmod(places, levels.shape[1])
    fronts, own = least.take(places), levels.take(places)
    count = len(ys)
    rims = Rims(ys, xs, fronts, np.empty(count, np.float32), np.empty((count, 3), np.float32), np.empty((count, 3), np.float32))
    pure = ~(near | far)

    def estimate(part: slice) -> None:
        def sides(places: NDArray[np.intp]) -> tuple[Mask, Mask]:
            level = levels.take(places)
            return (level == fronts[part][:, None]) & ~near.take(places), (level >= own[part][:, None]) & pure.take(places)

        at = ys[part], xs[part]
        front, back = _side_means(colour, at, sides, 4, _SPREAD)
        here = colour[at]
        difference = front.colour - back.colour
        contrast = (difference**2).sum(-1)
        alpha = (((here - back.colour) * difference).sum(-1) + _PRIOR_WEIGHT * _PRIOR) / (contrast + _PRIOR_WEIGHT)
        alpha = np.where(alpha < _LEAST_ALPHA, 0, alpha)
        # A side too thin to have pure pixels: the pixel itself is the best that is known of it.
        alpha = np.where(back.weight <= 0, 0, np.where(front.weight <= 0, _PRIOR, np.clip(alpha, 0, 1)))[:, None].astype(np.float32)
        seen = np.where(front.weight[:, None] > 0, front.colour, here)
        behind = np.where(back.weight[:, None] > 0, back.colour, here)
        without = np.clip((here - alpha * seen) / np.maximum(1 - alpha, 0.05), 0, 1)
        certain = np.clip(1 - 1.5 * alpha, 0, 1)  # dividing by little: better the mean of the pure pixels
        rims.alpha[part] = alpha[:, 0]
        rims.colour[part] = seen
        rims.behind[part] = without * certain + behind * (1 - certain)

    map_parallel(estimate, _parts(count), _AT_ONCE)
    return rims


class _Side(NamedTuple):
    colour: Floats
    weight: Floats


def _side_means(colour: Floats, at: tuple[NDArray[np.intp], NDArray[np.intp]], sides, radius: int, sigma: float) -> tuple[_Side, _Side]:  # noqa: ANN001
    """Gaussian-weighted mean colours of two kinds of pixels around N places; `sides` tells which of N×K (flat indices) they are."""
    steps = np.arange(-radius, radius + 1)
    dy, dx = (a.ravel() for a in np.meshgrid(steps, steps, indexing="ij"))
    weight = np.exp(-(dy**2 + dx**2) / (2 * sigma**2)).astype(np.float32)
    height, width = colour.shape[:2]
    y, x = at[0][:, None] + dy, at[1][:, None] + dx
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    places = np.clip(y, 0, height - 1) * width + np.clip(x, 0, width - 1)
    around = colour.reshape(-1, colour.shape[2]).take(places, 0)
    means = []
    for chosen in sides(places):
        w = weight * (chosen & inside)
        total = w.sum(1)
        means.append(_Side(np.einsum("nk,nkc->nc", w, around) / np.maximum(total, 1e-12)[:, None], total))
    return means[0], means[1]


def _parts(count: int) -> list[slice]:
    return [slice(i, min(i + _GATHERED, count)) for i in range(0, count, _GATHERED)]
