"""Round-trip masks: how well a fill guesses pixels whose truth is known, on any photo.

A move of the camera hides some of the photo's pixels behind what is nearer. These have the shape of what the opposite
move would uncover, but the photo itself is their truth: take them out, let a fill put them back from what lies behind,
and compare.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Fill = Callable[[Bytes, Mask, Mask], Bytes]
"""(colour H×W×3, source, domain) to colour: fill the domain from the source."""

AMOUNTS = (0.25, 0.5, 1.0, 1.5)
HIDING = 1.5  # pixels of disparity by which what lands on a pixel must be nearer
BEHIND = 3.0  # pixels of disparity by which background may exceed the smallest around


def round_trip_mask(disparity: NDArray[np.float32], t: float) -> Mask:
    """Pixels that the move by `t` hides: bool H×W. disparity: float32 H×W, pixels at t = 1."""
    h, w = disparity.shape
    to = np.rint(np.arange(w)[None] - t * disparity).astype(np.int64)
    inside = (to >= 0) & (to < w)
    at = np.arange(h)[:, None] * w + np.clip(to, 0, w - 1)
    nearest = np.full(h * w, -np.inf, np.float32)
    np.maximum.at(nearest, at[inside], disparity[inside])
    hidden = inside & (nearest[at] > disparity + HIDING)
    return cv2.morphologyEx(hidden.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8), iterations=2) > 0


def background(disparity: NDArray[np.float32]) -> Mask:
    """Pixels that are not in front of anything within ten pixels: what a hole may be filled from."""
    return disparity <= cv2.erode(disparity, np.ones((21, 21), np.uint8)) + BEHIND


def row_fill(disparity: NDArray[np.float32]) -> Fill:
    """Every pixel takes the farther of its row's nearest two source pixels."""

    def fill(colour: Bytes, source: Mask, domain: Mask) -> Bytes:
        out = colour.copy()
        for y in np.flatnonzero(domain.any(1)):
            known, wanted = np.flatnonzero(source[y]), np.flatnonzero(domain[y])
            if not len(known):
                continue
            after = np.clip(np.searchsorted(known, wanted), 0, len(known) - 1)
            before = np.clip(after - 1, 0, len(known) - 1)
            a, b = known[before], known[after]
            out[y, wanted] = colour[y, np.where(disparity[y, a] < disparity[y, b], a, b)]
        return out

    return fill


def push_pull(colour: Bytes, source: Mask, domain: Mask) -> Bytes:
    """Means over coarser and coarser neighbourhoods, as far as they have samples."""
    weight = source.astype(np.float32)
    filled = _push_pull(colour * weight[..., None], weight)
    return np.where(domain[..., None], np.clip(np.rint(filled), 0, 255).astype(np.uint8), colour)


def _push_pull(total: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """total: sums of samples, weight: how many, up to one. Returns a colour everywhere."""
    own = total / np.maximum(weight, 1e-6)[..., None]
    h, w = weight.shape
    if min(h, w) < 2 or weight.min() >= 1:
        return own
    small = ((w + 1) // 2, (h + 1) // 2)
    size = (small[0] * 2, small[1] * 2)
    even_total = cv2.copyMakeBorder(total, 0, size[1] - h, 0, size[0] - w, cv2.BORDER_CONSTANT)
    even_weight = cv2.copyMakeBorder(weight, 0, size[1] - h, 0, size[0] - w, cv2.BORDER_CONSTANT)
    mean, count = (4 * cv2.resize(a, small, interpolation=cv2.INTER_AREA) for a in (even_total, even_weight))
    share = np.minimum(1, count) / np.maximum(count, 1e-6)
    coarse = _push_pull((mean * share[..., None]).astype(np.float32), np.minimum(1, count))
    up = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)[:h, :w]
    return own * weight[..., None] + up * (1 - weight)[..., None]


def fills(disparity: NDArray[np.float32]) -> dict[str, tuple[Fill, bool]]:
    """The fills that are compared: name to (fill, whether its source is the background alone)."""
    found: dict[str, tuple[Fill, bool]] = {
        "far-side row": (row_fill(disparity), False),
        "push-pull, unrestricted": (push_pull, False),
        "push-pull, background only": (push_pull, True),
    }
    try:
        from addon.vision.fill import fill
    except ImportError as error:
        print(f"addon.vision.fill is left out: {error}", file=sys.stderr)
        return found
    for method in ("smooth", "patch"):
        found[f"Stillscape, {method}"] = (lambda c, s, d, method=method: fill(c, s, d, method=method), True)
    return found


def gradient_energy(image: Bytes, mask: Mask) -> float:
    """Mean squared gradient of the brightness inside a mask."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    energy = cv2.Sobel(grey, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(grey, cv2.CV_32F, 0, 1) ** 2
    return float(energy[mask].mean()) if mask.any() else float("nan")


def score(
    photo: Bytes, disparity: NDArray[np.float32], psnr: Callable[[Bytes, Bytes, Mask], float]
) -> dict[str, list[tuple[float, float]]]:
    """For every fill and amount: dB inside the mask, and its gradient energy there as a share of the truth's.

    The photo's masked pixels are set to grey before, so that no fill can read them.
    """
    behind, rows = background(disparity), {}
    for name, (fill, restricted) in fills(disparity).items():
        row = []
        for t in AMOUNTS:
            domain = round_trip_mask(disparity, t)
            given = photo.copy()
            given[domain] = 128
            filled = fill(given, ~domain & behind if restricted else ~domain, domain)
            inner = cv2.erode(domain.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            row.append((psnr(filled, photo, domain), gradient_energy(filled, inner) / gradient_energy(photo, inner)))
        rows[name] = row
    return rows
