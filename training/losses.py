"""What the network is to learn, as one number for a batch.

Disparity is known up to scale and shift, after Ranftl et al. 2020 (MiDaS), and is judged as it will be: relatively, so that
what is far counts as much as what is near. All maps are B×h×w; everything is masked, float32 and free of loops over pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

_FLOOR = 0.1
"""Relative errors are taken of disparity plus this share of its median: what is farther than ten times that does not count more."""
_NEAR = 4.0
"""Disparities beyond this many medians are compressed, so that a thing right before the lens is not all that matters."""
_RANKED = 2000
_STEPS = ((0, 1), (1, 0), (2, 2), (2, -2), (0, 5), (5, 0), (7, 7), (7, -7))


class Weights(NamedTuple):
    """How much each part counts."""

    align: float = 1.0
    direct: float = 0.3
    gradient: float = 0.6
    local: float = 0.3
    rank: float = 0.1
    normals: float = 0.15
    sky: float = 0.1
    edge: float = 0.3
    view: float = 0.2
    uncertainty: float = 0.05


class Target(NamedTuple):
    """Truth made comparable. disparity: about 1 at the picture's median, 0 in the sky, compressed when near. valid, solid (valid
    and no sky): float 0 or 1. weight: 1 / (disparity + floor), of mean 1 over what is valid, 0 elsewhere."""

    disparity: Tensor
    valid: Tensor
    solid: Tensor
    weight: Tensor


def target(disparity: Tensor) -> Target:
    """From disparity in 1/metres, 0 in the sky and negative where unknown."""
    valid = disparity >= 0
    solid = disparity > 0
    known = torch.where(solid, disparity, torch.nan).flatten(1)
    median = torch.nan_to_num(known.nanmedian(1).values, nan=1.0).clamp(min=1e-6)[:, None, None]
    d = disparity.clamp(min=0) / median
    d = torch.where(d > _NEAR, _NEAR * (1 + torch.log(d.clamp(min=_NEAR) / _NEAR)), d)
    weight = valid / (d + _FLOOR)
    # The sky is far by definition, not by measure: an error there costs as much as one at a tenth of the median.
    weight = torch.where(solid, weight, 0.3 * weight)
    weight = weight / weight.sum((1, 2), keepdim=True).clamp(min=1e-6) * valid.sum((1, 2), keepdim=True)
    return Target(d, valid.float(), solid.float(), weight)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)


def _over(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of each picture, B×1×1."""
    return (values * weight).sum((1, 2), keepdim=True) / weight.sum((1, 2), keepdim=True).clamp(min=1e-6)


def aligned(d: Tensor, truth: Target) -> tuple[Tensor, Tensor]:
    """The prediction after the scale and shift that fit it best (weighted least squares), and the scale, B×1×1.

    The scale stays positive, or an inverted map would be as good as a right one.
    """
    weight = truth.weight
    mean_d, mean_t = _over(d, weight), _over(truth.disparity, weight)
    covariance = _over((d - mean_d) * (truth.disparity - mean_t), weight)
    variance = _over((d - mean_d) ** 2, weight)
    scale = (covariance / (variance + 1e-4)).clamp(min=0.02)
    return (d - mean_d) * scale + mean_t, scale


def standard(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Values minus their weighted mean, over their weighted mean deviation; and that deviation, B×1×1."""
    centred = values - _over(values, weight)
    deviation = _over(centred.abs(), weight).clamp(min=1e-3)
    return centred / deviation, deviation


def gradient(fit: Tensor, truth: Target, scales: int = 4) -> Tensor:
    """Differences between neighbours, at several scales, relative to the nearer of the two."""
    total = fit.new_zeros(())
    d, mask = truth.disparity, truth.valid
    for scale in range(scales):
        if scale:
            # Every second pixel, as MiDaS does: means would invent depths between near and far.
            fit, d, mask = fit[:, ::2, ::2], d[:, ::2, ::2], mask[:, ::2, ::2]
        for axis in (1, 2):
            error = (fit.diff(dim=axis) - d.diff(dim=axis)).abs()
            low, count = d.narrow(axis, 0, d.shape[axis] - 1), d.shape[axis] - 1
            high = d.narrow(axis, 1, count)
            both = mask.narrow(axis, 0, count) * mask.narrow(axis, 1, count)
            total = total + _mean(error / (torch.maximum(low, high) + 2 * _FLOOR), both)
    return total / scales


def local(fit: Tensor, truth: Target, sides: tuple[int, ...] = (8, 32)) -> Tensor:
    """Form within windows, each judged by its own mean and deviation."""
    total = fit.new_zeros(())
    for side in sides:
        rows, columns = fit.shape[1] // side, fit.shape[2] // side
        if not rows or not columns:
            continue

        def windows(values: Tensor, side: int = side, rows: int = rows, columns: int = columns) -> Tensor:
            cut = values[:, : rows * side, : columns * side].reshape(-1, rows, side, columns, side)
            return cut.permute(0, 1, 3, 2, 4).reshape(-1, side, side)

        p, d, mask = windows(fit), windows(truth.disparity), windows(truth.solid)
        mean_d = _over(d, mask)
        p, d = p - _over(p, mask), d - mean_d
        floor = 0.03 * (mean_d + _FLOOR)
        p = p / (_over(p.abs(), mask) + floor)
        d = d / (_over(d.abs(), mask) + floor)
        total = total + _mean((p - d).abs(), mask)
    return total / len(sides)


def ranking(normal: Tensor, truth: Target) -> Tensor:
    """Pairs in the right order (Chen et al. 2016), most of them a few pixels apart across edges (Xian et al. 2020).

    normal: the prediction with mean 0 and deviation 1.
    """
    d, mask = truth.disparity, truth.valid
    total, count = normal.new_zeros(()), normal.new_zeros(())

    def judge(p0: Tensor, p1: Tensor, d0: Tensor, d1: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        low, high = torch.minimum(d0, d1) + 0.02, torch.maximum(d0, d1) + 0.02
        apart = known * (high > 1.12 * low)
        return (F.softplus(-3 * (p0 - p1) * torch.sign(d0 - d1)) * apart).sum(), apart.sum()

    h, w = d.shape[1:]
    for dy, dx in _STEPS:
        a = (slice(None), slice(0, h - dy), slice(max(0, -dx), w - max(0, dx)))
        b = (slice(None), slice(dy, h), slice(max(0, dx), w - max(0, -dx)))
        loss, number = judge(normal[a], normal[b], d[a], d[b], mask[a] * mask[b])
        total, count = total + loss, count + number
    near = total / count.clamp(min=1)
    first = torch.randint(0, h * w, (d.shape[0], _RANKED), device=d.device)
    second = torch.randint(0, h * w, (d.shape[0], _RANKED), device=d.device)
    p, t, m = normal.flatten(1), d.flatten(1), mask.flatten(1)
    pairs = [values.gather(1, place) for values in (p, t, m) for place in (first, second)]
    loss, number = judge(pairs[0], pairs[1], pairs[2], pairs[3], pairs[4] * pairs[5])
    return near + loss / number.clamp(min=1)


def focal(logits: Tensor, wanted: Tensor, mask: Tensor, share: float = 0.75, power: float = 2.0) -> Tensor:
    """Binary cross-entropy that rare and hard places dominate (Lin et al. 2017), summed per 1 of `wanted`."""
    chance = torch.sigmoid(logits)
    missed = torch.where(wanted > 0.5, 1 - chance, chance)
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    balance = torch.where(wanted > 0.5, share, 1 - share)
    return (balance * missed**power * entropy * mask).sum() / (wanted * mask).sum().clamp(min=wanted.shape[0] * 20.0)


def losses(maps: Tensor, view: Tensor, truth: Mapping[str, Tensor], weights: Weights | None = None) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum, and each part by its name.

    maps: B×7×h×w or B×4×h×w, view: B×3, as training/network.py gives them. truth: a batch of training/data.py.
    """
    weights = weights or Weights()
    maps, view = maps.float(), view.float()
    wanted = target(truth["disparity"])
    d = maps[:, 0]
    fit, _ = aligned(d, wanted)
    normal, _ = standard(d, wanted.weight)
    goal, deviation = standard(wanted.disparity, wanted.weight)
    error = (fit - wanted.disparity).abs()
    sky = (truth["disparity"] == 0).float()
    spread = maps[:, 3].clamp(-6, 4)
    parts = {
        "align": _mean(error, wanted.weight),
        # Keeps the map itself, not only what a fit makes of it, at mean 0 and deviation 1, and the right way up.
        "direct": _mean((normal - goal).abs(), wanted.weight) + 0.2 * _mean((d - goal).abs(), wanted.weight),
        "gradient": gradient(fit, wanted),
        "local": local(fit, wanted),
        "rank": ranking(normal, wanted),
        "sky": _mean(F.binary_cross_entropy_with_logits(maps[:, 1], sky, reduction="none"), wanted.valid),
        "edge": focal(maps[:, 2], truth["edges"].float(), wanted.valid),
        "view": (F.smooth_l1_loss(view, truth["view"], reduction="none", beta=0.05) * view.new_tensor([2.0, 3.0, 1.0])).sum(1).mean(),
        "uncertainty": _mean(error.detach() / deviation * torch.exp(-spread) + spread, wanted.valid),
    }
    if maps.shape[1] > 4:
        normals = truth["normals"].float() / 127
        cosine = F.cosine_similarity(maps[:, 4:7], normals, dim=1, eps=1e-3)
        parts["normals"] = _mean(1 - cosine, wanted.solid)
    total = torch.stack([getattr(weights, name) * value for name, value in parts.items()]).sum()
    return total, parts
