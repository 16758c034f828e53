"""The edge stage for depth that comes from networks, whose silhouettes are blurred slopes several pixels wide.

Slopes that are edges are told from slopes that are surfaces by how their steepness is spread. Around edges every pixel
is given to the near or the far side: first by its depth, then by what colours the two sides have in the photo, then by
what it hangs together with in the photo. Everything happens on inverse depth, which is what a network blurs linearly.
Away from edges nothing changes, bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .guided import fast_global_smooth, fit_to_colour
from .layered import DepthKind, inverted
from .resample import resample

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEAST_FACTOR = 1.25  # upsampling by less leaves edges that refine.decide_mixed_depths takes apart by itself
WIDEST_RANGE = 30.0
"""Nearest over farthest, as which the range of an inverse depth counts where it is larger, or has no zero of its own: an
offset keeps ratios away from zero, so that the faintest steps far away are no edges. It is taken off again at the end."""
EDGE_RATIO = 1.08  # near side over far side of a slope from which on it is an edge
ROUGH_RATIO = 1.25  # the same for a rough network, which draws patterns of a surface as shallow steps
_ROUGH_EDGE = 0.42  # how likely an edge must be for it to be sharpened, where a network says how likely edges are
_ROUGH_REACH = 2.0  # how far beside such a place, in pixels of the network's map
_SPECKS = 5  # diameter of the median that takes specks out, which nothing of a rough network's map can mean

# All lengths are in pixels of the network's map, and so grow with the factor by which that was enlarged. A network's edge
# is about as soft as a Gaussian of standard deviation _SOFTNESS of them once it has been enlarged linearly.
_SOFTNESS = 0.85
_SMOOTH = 0.4  # standard deviation of what takes the kinks of linear interpolation out of gradients
_AROUND = 1.0  # standard deviation of the mean that an edge's gradient must exceed,
_STEEPER = 1.15  # and by how much: a slope that is a surface is as steep around as in its middle
_GOING_ON = (2.0, 4.0)  # how far up or down
_SAME_SLOPE = 0.5  # as steep as this share of its middle, a slope is the same one farther on
_WIDTH = 2.4  # near minus far side of a soft edge over its steepest gradient
_ZONE = 2.0  # how far from the middle of a soft edge pixels are decided
_WINDOW = 2.25  # diameter in which a pixel's near and far side are looked for
_COLOURS = 2.0  # half the window in which colours tell sides apart

_FRONT = 0.55  # how far towards the near side's colours a pixel must be: the rim's mixtures belong behind (refine.matte_rims)
_OWN = 0.15  # what a pixel's own depth counts for against its colours
_COLOUR_NOISE = 1e-4  # variance of colour, in shares of white, that says nothing
_SPREAD, _CONTRAST = 100.0, 3.0  # of the last smoothing: its strength, and the difference in 8-bit colour that stops it
_DOUBT = 6.0  # how fast confidence falls as depths in 3×3 differ: exp(-_DOUBT · (ratio - _AGREED))
_AGREED = 1.03
_JUMP = 0.6  # share of the range around that lies between two neighbours where an edge is sharp
_SHARP = 0.6
"""Share of the edges, by steepness, that must be sharp for a map to be left alone. Measured depth has 0.8 to 1, a map enlarged
linearly by 1.5 up to 0.47, by 4 none."""


def sharpen_edges(
    disparity: Floats,
    colour: Bytes,
    *,
    factor: float,
    confidence: Floats | None = None,
    sky: Mask | None = None,
    edges: Floats | None = None,
) -> Floats:
    """Make the silhouettes of an enlarged network's map as sharp as the photo has them.

    disparity: float32 H×W, inverse depth ≥ 0 with 0 infinitely far, or, where its zero is unknown, counted from its
    farthest pixel; NaN and infinities are pixels without a value and stay as they are. colour: uint8 H×W×3, sRGB. factor:
    how many of its pixels one pixel of the network's map has become, along one side. confidence: float32 H×W in [0, 1],
    of the network. sky: bool H×W, infinitely far. edges: float32 H×W in [0, 1], how likely one thing ends before another, of a
    rough network that tells: then only clear steps where it says so are sharpened, and no specks are left. Returns float32 H×W; sky is exactly 0, and pixels farther than two of
    the network's pixels from every soft edge are untouched bit for bit. So is a map whose edges are sharp on the whole,
    or that was hardly enlarged.

    1. Find the soft edges (`_edge_zone`). 2. Toggle: a pixel becomes the nearest or the farthest depth around it,
    whichever is closer (Kramer and Bruckner 1975). 3. Fit depths to colours in every window (the guided filter's local
    linear model), and toggle again by what the colours say: this moves an edge that lies beside the photo's, and draws
    again what is too thin for the network's map. 4. Smooth along the photo's colours, with the depths on either side of
    an edge counting little: FGS(d·c)/FGS(c) (Min et al. 2014), which closes what is frayed.
    """
    cv2 = cv()
    if colour.shape != (*disparity.shape, 3) or colour.dtype != np.uint8:
        raise ValueError(f"colour is {colour.dtype} {colour.shape}, the depth {disparity.shape}: it must be uint8 of the same size")
    finite = np.isfinite(disparity)
    above = np.zeros(disparity.shape, bool) if sky is None else sky
    result = np.where(above, np.float32(0), disparity).astype(np.float32)
    known = finite & ~above
    if factor < LEAST_FACTOR or min(disparity.shape) < 3 or not known.any():
        return result
    before = _nearest(disparity.astype(np.float32), finite)
    offset = _offset(before)
    d = before + offset
    ratio = EDGE_RATIO if edges is None else ROUGH_RATIO
    at = known if edges is None else known & (cv2.dilate(edges, _square(_ROUGH_REACH * factor)) > _ROUGH_EDGE)
    zone = _edge_zone(d, factor, ratio) & at
    if not zone.any():
        return result
    if above.any():
        result = np.where(known, _without_sky(before, above, factor), result)
        offset = _offset(result[known])
        d = _nearest(result, known) + offset
        zone = _edge_zone(d, factor, ratio) & at
    window = _disc(_WINDOW * factor)
    high, low = cv2.dilate(d, window), cv2.erode(d, window)
    sides = np.where(zone & (high > ratio * low), np.where(high - d < d - low, high, low), d)
    trust = None if confidence is None else np.clip(np.nan_to_num(confidence), 1e-3, 1).astype(np.float32)
    fit = fit_to_colour(sides, colour, radius=max(2, round(_COLOURS * factor)), epsilon=_COLOUR_NOISE, weight=trust)
    by_colour = (1 - _OWN) * fit + _OWN * sides
    high, low = cv2.dilate(sides, window), cv2.erode(sides, window)
    sides = np.where(zone & (high > ratio * low), np.where(by_colour - low > _FRONT * (high - low), high, low), sides)
    around = np.ones((3, 3), np.uint8)
    contrast = cv2.dilate(sides, around) / cv2.erode(sides, around)
    certain = np.maximum(np.exp(-_DOUBT * np.maximum(contrast - _AGREED, 0)), 1e-4) * (1 if trust is None else trust)
    spread, count = fast_global_smooth(np.stack([sides * certain, certain]).astype(np.float32), colour, strength=_SPREAD, sigma=_CONTRAST)
    sharp = np.where(zone, np.maximum(spread / count - offset, result[known].min()), result).astype(np.float32)
    if edges is None:
        return sharp
    smooth = _nearest(sharp, known)
    for _ in range(2):
        smooth = cv2.medianBlur(smooth, _SPECKS)
    return np.where(zone, smooth, sharp)


def _offset(known: Floats) -> np.float32:
    """What to add to a map so that its nearest is at most WIDEST_RANGE times its farthest."""
    low, high = float(known.min()), float(np.percentile(known[:: max(1, known.size // 100_000)], 99.5))
    high = high if high > low else float(known.max())
    return np.float32(max(0.0, (high - WIDEST_RANGE * low) / (WIDEST_RANGE - 1)))


def _edge_zone(d: Floats, factor: float, ratio: float) -> Mask:
    """The pixels around soft edges, bool H×W; none if most edges are sharp. d: float32 H×W > 0.

    An edge is where a map is steeper than around and than farther up and down the same slope, by which it is told from
    floors, walls and their corners, and where the sides that its steepness speaks of differ by `ratio`.
    """
    cv2 = cv()
    smooth = cv2.GaussianBlur(d, (0, 0), _SMOOTH * factor)
    right, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    steepness = cv2.magnitude(right, down)
    around = _square(factor)
    high, low = cv2.dilate(d, around), cv2.erode(d, around)
    middle = steepness > _STEEPER * cv2.GaussianBlur(steepness, (0, 0), _AROUND * factor)
    middle &= steepness * (_WIDTH * factor) > (ratio - 1) * low
    y, x = np.nonzero(middle)
    middle[y, x] = ~_goes_on(right, down, steepness, (y, x), factor)
    if not middle.any():
        return middle
    step = np.zeros_like(d)
    for one, other, out in ((d[:, 1:], d[:, :-1], step[:, 1:]), (d[1:], d[:-1], step[1:])):
        np.maximum(out, np.abs(one - other), out=out)
    jump = (step > _JUMP * (high - low)) & (step > (ratio - 1) * low)
    if float(steepness[middle & (cv2.dilate(jump.astype(np.uint8), around) > 0)].sum()) >= _SHARP * float(steepness[middle].sum()):
        return np.zeros_like(middle)
    return _within(middle, _ZONE * factor)


def _goes_on(right: Floats, down: Floats, steepness: Floats, at: tuple[NDArray[np.intp], NDArray[np.intp]], factor: float) -> Mask:
    """Whether the slope at N places goes on, at least half as steep, all the way up or all the way down from there: bool N."""
    y, x = at
    dy, dx = down[at] / steepness[at], right[at] / steepness[at]
    found = np.zeros(len(y), bool)
    for way in (1, -1):
        steep = np.ones(len(y), bool)
        for distance in _GOING_ON:
            step = way * distance * factor
            there = (
                np.clip(np.rint(y + step * dy).astype(np.intp), 0, steepness.shape[0] - 1),
                np.clip(np.rint(x + step * dx).astype(np.intp), 0, steepness.shape[1] - 1),
            )
            steep &= down[there] * dy + right[there] * dx > _SAME_SLOPE * steepness[at]
        found |= steep
    return found


def _without_sky(d: Floats, sky: Mask, factor: float) -> Floats:
    """The map as if nothing were behind its skyline: what the network mixed into the land beside it is taken out.

    A land pixel beside the sky is (1 - s) of land and s of sky, s being the mask as soft as the network's map is. What
    the land's share says is trusted up to the nearest depth around. Pixels far from the sky stay as they are.
    """
    cv2 = cv()
    share = cv2.GaussianBlur(sky.astype(np.float32), (0, 0), _SOFTNESS * factor)
    beyond = cv2.erode(np.where(sky, d, np.float32(np.inf)), _square(3 * factor))
    nearest = cv2.dilate(np.where(sky, np.float32(-np.inf), d), _square(2 * factor))
    mixed = ~sky & (share > 0.01) & np.isfinite(beyond)
    land = (d - share * np.where(mixed, beyond, 0)) / np.maximum(1 - share, 0.1)
    return np.where(mixed, np.clip(land, d, np.maximum(nearest, d)), d).astype(np.float32)


def _nearest(values: Floats, known: Mask) -> Floats:
    """The values with every unknown pixel as the nearest known one; at least one must be."""
    if known.all():
        return values
    _, labels = cv().distanceTransformWithLabels((~known).astype(np.uint8), cv().DIST_L2, 5, labelType=cv().DIST_LABEL_PIXEL)
    found = np.zeros(int(labels.max()) + 1, np.float32)
    found[labels[known]] = values[known]
    return np.where(known, values, found[labels])


def _within(mask: Mask, reach: float) -> Mask:
    """The pixels that are at most `reach` from one of the mask."""
    return cv().distanceTransform((~mask).astype(np.uint8), cv().DIST_L2, 3) <= reach


def _square(reach: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(reach)) + 1
    return np.ones((side, side), np.uint8)


def _disc(diameter: float) -> NDArray[np.uint8]:
    side = max(5, 2 * round((diameter - 1) / 2) + 1)
    return cv().getStructuringElement(cv().MORPH_ELLIPSE, (side, side))


# From a network's map to the photo ------------------------------------------------------------------------------------


def upsample_prediction(
    values: Floats,
    kind: DepthKind,
    sky: Floats | Mask | None,
    confidence: Floats | None,
    colour: Bytes,
    size: tuple[int, int],
    edges: Floats | None = None,
) -> Floats:
    """Bring what a network gave to the size of the photo, with the photo's silhouettes.

    values: float32 h×w of any `kind`, NaN where the network gives none. sky: its share of sky, float32 h×w in [0, 1], or
    bool of colour's size, as upsample_sky gives it. confidence: float32 h×w in [0, 1]. colour: uint8 H×W×3, sRGB: the
    photo on the grid that edges are to be sharpened on, which is the photo's own or a coarser one (what is finer than
    the grid that layers are cut on is of no use). size: the photo's (width, height). edges: float32 h×w in [0, 1], see
    `sharpen_edges`. Returns float32 of that size and of
    the same kind; an affine disparity is moved so that its farthest pixel is 0, which is the same map. In the sky a
    disparity is exactly 0, a depth infinite.
    """
    grid = (colour.shape[1], colour.shape[0])
    inverse = _inverse(values, kind)
    known = np.isfinite(inverse)
    if not known.any():
        return np.full((size[1], size[0]), np.nan, np.float32)
    above = None if sky is None else sky.astype(bool) if sky.dtype == np.bool_ else upsample_sky(sky.astype(np.float32), colour)
    factor = _factor(values, grid)
    if factor < LEAST_FACTOR:
        d = resample(inverse, grid, depth=False)
    else:
        d = _enlarged(_nearest(inverse, known), grid)
        if not known.all():
            d = np.where(_enlarged((~known).astype(np.float32), grid) > 0.5, np.float32(np.nan), d)
    trust = None if confidence is None else np.clip(_enlarged(np.nan_to_num(confidence), grid), 0, 1)
    likely = None if edges is None else _enlarged(edges, grid)
    d = sharpen_edges(d, colour, factor=factor, confidence=trust, sky=above, edges=likely)
    if grid != size:
        if above is None:
            d = resample(d, size, depth=False)
        else:  # what is NaN is not interpolated with: nothing lies between the land and the sky
            land = resample(np.where(above, np.float32(np.nan), d), size, depth=False)
            d = np.where(resample(above.astype(np.float32), size, depth=False) > 0.5, np.float32(0), land)
    if not kind.is_depth:
        return d
    with np.errstate(divide="ignore"):
        return (1 / d).astype(np.float32)


def upsample_sky(sky: Floats, colour: Bytes) -> Mask:
    """Bring a network's share of sky to the photo's grid, along the photo's own skyline.

    sky: float32 h×w in [0, 1]; NaN is no sky. colour: uint8 H×W×3, sRGB. Returns bool H×W. Within two of the network's
    pixels of its skyline colours decide (fit_to_colour).
    """
    grid = (colour.shape[1], colour.shape[0])
    mask = _enlarged(np.nan_to_num(sky), grid) > 0.5
    factor = _factor(sky, grid)
    if factor < LEAST_FACTOR or not mask.any() or mask.all():
        return mask
    by_colour = fit_to_colour(mask.astype(np.float32), colour, radius=max(2, round(_COLOURS * factor)), epsilon=_COLOUR_NOISE)
    skyline = _within(mask, 1.5) & _within(~mask, 1.5)
    return np.where(_within(skyline, _ZONE * factor), by_colour > 0.5, mask)


def _factor(values: Floats, grid: tuple[int, int]) -> float:
    return float(np.sqrt(grid[0] * grid[1] / values.size))


def _enlarged(values: Floats, grid: tuple[int, int]) -> Floats:
    return cv().resize(values.astype(np.float32), grid, interpolation=cv().INTER_LINEAR)


def _inverse(values: Floats, kind: DepthKind) -> Floats:
    """Inverse depth with 0 infinitely far, or for an affine disparity 0 at its farthest pixel; NaN where there is none."""
    if kind is DepthKind.AFFINE_DISPARITY:
        known = np.isfinite(values)
        return np.where(known, values - (values[known].min() if known.any() else 0), np.float32(np.nan)).astype(np.float32)
    inverse = inverted(values, kind)
    return np.where(np.isfinite(inverse) & (inverse >= 0), inverse, np.float32(np.nan))
