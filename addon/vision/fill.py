"""Fills what a photo does not show, from given samples and nothing else.

What lies behind a silhouette is told apart into what can be guessed and what cannot. Broad colour continues smoothly from
the samples around (push-pull: nothing of those tried predicts the truth better). Texture cannot be predicted but must
be there, or the place looks smeared: it is taken from the photo itself, mirrored across the nearest rim, without its
broad colour, and with as much strength as the texture of the surroundings has. Grain continues with it.

benchmarks/README.md compares this with patch matching and with what OpenCV offers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import shown

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ENERGY = 0.5
"""Gradient energy of a filled place as a share of its surroundings'; where sheets meet in the film, some is added."""
_BROAD = 450  # broad colour is what is left in a picture this many pixels wide
_FOLDS = (1.0, 0.6, 0.35, 0.2, 0.1, 0.0)
_NETWORK_SIDE = 512
_PATIENCE = 8.0  # how soon push-pull trusts few samples near by over many far away


def fill(colour: Bytes, source: Mask, domain: Mask, *, method: str = "patch") -> Bytes:
    """Fill `domain` from the pixels in `source`.

    colour: uint8 H×W×3, sRGB. source, domain: bool H×W, disjoint. Pixels in neither are never read. method: "patch" for
    broad colour with mirrored texture, "smooth" for broad colour alone. Returns a copy. Raises ValueError if there is
    nothing to fill from.
    """
    if not source.any():
        raise ValueError("there is no pixel to fill from")
    out = colour.copy()
    if not domain.any():
        return out
    broad = push_pull(colour, source)
    if method == "patch":
        broad = broad + _texture(colour, source, domain, broad)
    np.copyto(out, np.clip(np.rint(broad), 0, 255).astype(np.uint8), where=domain[..., None])
    return out


def push_pull(values: NDArray, source: Mask) -> Floats:
    """Smooth colours everywhere, from the pixels in `source` alone: float32 H×W×C, exact in the source.

    Averages over coarser and coarser neighbourhoods, each as far as it has samples (Gortler et al. 1996, The Lumigraph).
    """
    weight = source.astype(np.float32)
    return _pull(np.where(source[..., None], values, 0).astype(np.float32), weight)


def _pull(values: Floats, weight: Floats) -> Floats:
    cv2 = cv()
    h, w = weight.shape
    channels = values.shape[2]
    if min(h, w) <= 2:
        mean = (values * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-9)
        return np.broadcast_to(mean.astype(np.float32), values.shape).copy()
    down = cv2.pyrDown(
        cv2.merge([*cv2.split(values * weight[..., None]), weight]) if channels > 1 else np.dstack([values[..., 0] * weight, weight])
    )
    share = down[..., channels]
    coarse = down[..., :channels] / np.maximum(share, 1e-9)[..., None]
    up = cv2.pyrUp(_pull(np.ascontiguousarray(coarse), np.minimum(1, share * _PATIENCE)), dstsize=(w, h)).reshape(h, w, channels)
    return values * weight[..., None] + up * (1 - weight)[..., None]


def _texture(colour: Bytes, source: Mask, domain: Mask, broad: Floats) -> Floats:
    """What the domain lacks of its surroundings' texture: float32 H×W×3, 0 outside the domain."""
    ys, xs = np.nonzero(domain)
    picture = broad.copy()  # the source as it is; elsewhere a smooth guess
    picture[ys, xs] = colour[_mirrored(source, ys, xs)]
    step = max(1, round(max(source.shape) / _BROAD))
    near = source & _grown(domain, 4 * step)
    missing = max(0.0, ENERGY * _energy(broad, near if near.any() else source) - _energy(broad, domain))
    # As fine as does: every coarser octave is farther from the truth that nobody knows.
    for octave in (1, 2, 4, 8):
        detail = picture - _broad(picture, source | domain, step * octave)
        detail[~domain] = 0
        strength = float(np.sqrt(missing / max(_energy(detail, domain), 1e-9)))
        if strength <= 1:
            break
    return detail * np.float32(min(1.0, strength))


def _mirrored(source: Mask, ys: NDArray[np.intp], xs: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For the pixels (ys, xs), those of the source that lie as far behind the nearest rim, or nearer to it if there are none."""
    cv2 = cv()
    h, w = source.shape
    _, labels = cv2.distanceTransformWithLabels((~source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.zeros(int(labels.max()) + 1, np.int64)
    places[labels[source]] = np.flatnonzero(source)
    rim_y, rim_x = np.divmod(places[labels[ys, xs]], w)
    out_y, out_x = rim_y.copy(), rim_x.copy()
    open_ = np.arange(len(ys))
    for fold in _FOLDS[:-1]:
        y = np.rint(rim_y[open_] + fold * (rim_y[open_] - ys[open_])).astype(np.intp)
        x = np.rint(rim_x[open_] + fold * (rim_x[open_] - xs[open_])).astype(np.intp)
        good = (y >= 0) & (y < h) & (x >= 0) & (x < w)
        good &= source[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]
        out_y[open_[good]], out_x[open_[good]] = y[good], x[good]
        open_ = open_[~good]
        if len(open_) == 0:
            break
    return out_y, out_x


def _broad(picture: Floats, known: Mask, step: int) -> Floats:
    """Gaussian means with a standard deviation of `step` pixels; only known pixels count."""
    cv2 = cv()
    h, w = known.shape
    size = (max(1, -(-w // step)), max(1, -(-h // step)))
    weight = known.astype(np.float32)
    stacked = cv2.resize(cv2.merge([*cv2.split(picture * weight[..., None]), weight]), size, interpolation=cv2.INTER_AREA)
    stacked = cv2.GaussianBlur(stacked, (0, 0), 1.0)
    means = stacked[..., :3] / np.maximum(stacked[..., 3:], 1e-6)
    return cv2.resize(np.ascontiguousarray(means), (w, h), interpolation=cv2.INTER_LINEAR)


def _energy(picture: Floats, where: Mask) -> float:
    """Mean squared gradient of the luma over pixels all of whose four neighbours are in `where` too."""
    cv2 = cv()
    inner = cv2.erode(where.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not inner.any():
        return 0.0
    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    across, down = np.zeros_like(luma), np.zeros_like(luma)
    across[:, 1:-1] = (luma[:, 2:] - luma[:, :-2]) / 2
    down[1:-1] = (luma[2:] - luma[:-2]) / 2
    return float((across**2 + down**2)[inner].mean())


def _grown(mask: Mask, radius: int) -> Mask:
    side = 2 * radius + 1
    return cv().blur(mask.astype(np.float32), (side, side)) > 1e-6


def fill_with_network(path: Path, colour: Bytes, source: Mask, domain: Mask) -> Bytes:
    """Fill `domain` by an inpainting network that the user has: LaMa or alike as ONNX, run by OpenCV.

    Inputs "image" (1×3×512×512, RGB in 0..1) and "mask" (1×1×512×512, 1 is to be filled); output an image of that size in
    0..1 or 0..255. The foreground is replaced by a smooth fill first, so that nothing of it can come back. Raises
    InputError if the file cannot be read or is no such network, ValueError if there is nothing to fill from.
    """
    cv2 = cv()
    smooth = fill(colour, source, ~source, method="smooth")
    if not domain.any():
        return colour.copy()
    if not path.is_file():
        raise InputError(f"{shown(path)}: the fill network is not there; check --fill-network.")
    try:
        network = cv2.dnn.readNetFromONNX(str(path))
        side = (_NETWORK_SIDE, _NETWORK_SIDE)
        network.setInput(cv2.dnn.blobFromImage(smooth, 1 / 255, side), "image")
        asked = cv2.resize(domain.astype(np.float32), side, interpolation=cv2.INTER_AREA) > 0
        network.setInput(asked.astype(np.float32)[None, None], "mask")
        answer = np.asarray(network.forward(), np.float32)
    except cv2.error as error:
        reason = " ".join(str(error.err or error).split())[:120]
        raise InputError(
            f"{shown(path)}: OpenCV cannot run this fill network ({reason}); use LaMa as ONNX with 512 by 512 inputs."
        ) from error
    if answer.ndim != 4 or answer.shape[1] != 3 or not np.isfinite(answer).all():
        raise InputError(f"{shown(path)}: this network gives no picture (its output is {answer.shape}); use LaMa as ONNX.")
    picture = np.moveaxis(answer[0], 0, 2) * (255 if answer.max() <= 2 else 1)
    picture = cv2.resize(np.ascontiguousarray(picture), (domain.shape[1], domain.shape[0]), interpolation=cv2.INTER_CUBIC)
    out = colour.copy()
    np.copyto(out, np.clip(np.rint(picture), 0, 255).astype(np.uint8), where=domain[..., None])
    return out
