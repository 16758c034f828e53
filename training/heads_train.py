"""Train the landmark network on what training/heads.py has drawn.

    python -m training.heads_train --data DIR --out RUN --minutes 15 [--init WEIGHTS.safetensors]

Writes RUN/last.safetensors (the running mean of the weights) every minute and at the end, and a line of RUN/log.jsonl with the losses
and, on scenes held out, the mean distance between landmark and truth in per cent of the pupils' distance.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from addon.errors import StillscapeError
from addon.vision.face_network import CELLS
from addon.vision.landmarks import MIRROR

from .heads_data import Samples, find
from .heads_network import LandmarkNet, load, places, save

_SPREAD = 0.9
"""Cells: the standard deviation of the blob that a map is drawn towards."""


def weights() -> Tensor:
    """How much each landmark counts: eyes and mouth most, the jaw, which nobody places exactly, least."""
    result = torch.ones(70)
    result[:17] = 0.6
    result[8] = 1.2
    result[17:27] = 0.8
    result[36:48] = 1.5
    result[[48, 54, 60, 64]] = 1.5
    result[68:] = 1.5
    return result / result.mean()


def losses(maps: Tensor, error: Tensor, points: Tensor, unit: Tensor) -> dict[str, Tensor]:
    """`distance`: mean over landmarks inside the square, in distances of the pupils; `map`: cross entropy to a blob about the truth;
    `error`: the negative logarithm of a Laplace likelihood of the distance."""
    inside = ((points > 0.01) & (points < 0.99)).all(2).float() * weights()
    count = inside.sum().clamp(min=1)
    distance = (places(maps) - points).norm(dim=2) / unit[:, None]
    at = (torch.arange(CELLS, dtype=points.dtype) + 0.5) / CELLS
    spread = _SPREAD / CELLS
    across = torch.exp(-((at - points[..., :1]) ** 2) / (2 * spread**2))
    down = torch.exp(-((at - points[..., 1:]) ** 2) / (2 * spread**2))
    target = (down[..., :, None] * across[..., None, :]).flatten(2)
    target = target / target.sum(2, keepdim=True).clamp(min=1e-9)
    entropy = -(target * maps.flatten(2).log_softmax(2)).sum(2)
    likelihood = distance.detach() * torch.exp(-error) + error
    return {name: (value * inside).sum() / count for name, value in (("distance", distance), ("map", entropy), ("error", likelihood))}


def step(network: LandmarkNet, batch: list[Tensor], *, half: bool) -> dict[str, Tensor]:
    """The losses of a batch, and their sum as "loss"."""
    pictures, points, unit = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        maps, error = network((pictures.float() / 255).contiguous(memory_format=torch.channels_last))
    found = losses(maps.float(), error.float(), points, unit)
    return {**found, "loss": 8 * found["distance"] + 0.25 * found["map"] + 0.1 * found["error"]}


def mirrored(batch: list[Tensor]) -> list[Tensor]:
    """The same pictures in a mirror, with the landmarks' sides exchanged."""
    pictures, points, unit = batch
    points = points[:, list(MIRROR)] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    return [pictures.flip(3), points, unit]


def held_out(network: LandmarkNet, batches: list[list[Tensor]]) -> dict[str, float]:
    """Mean distances on batches, in per cent: all landmarks, eyes, corners of the mouth, chin."""
    network.eval()
    rows = []
    with torch.inference_mode():
        for pictures, points, unit in batches:
            maps, _ = network(pictures.float() / 255)
            distance = (places(maps) - points).norm(dim=2) / unit[:, None]
            rows.append(torch.where(((points > 0) & (points < 1)).all(2), distance, torch.nan))
    network.train()
    d = 100 * torch.cat(rows).numpy()
    groups = {"all": range(70), "eyes": (*range(36, 48), 68, 69), "mouth": (48, 54), "chin": (8,)}
    return {name: round(float(np.nanmean(d[:, list(ids)])), 2) for name, ids in groups.items()}


def train(data: Path, out: Path, *, minutes: float, rate: float, size: int, init: Path | None, workers: int, half: bool) -> LandmarkNet:
    """Train for so many minutes and return the running mean. Raises InputError if there is nothing to learn from."""
    torch.manual_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    network = load(init) if init else LandmarkNet()
    network = network.to(memory_format=torch.channels_last).train()
    mean = copy.deepcopy(network)
    learnt = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, rate, weight_decay=0.02)
    check = Samples(find(data, held_out=True), 1, length=192)
    checks = list(DataLoader(check, 64))
    samples = Samples(find(data, held_out=False), int(time.time()), length=1 << 24)
    print(f"{len(samples.views)} views to learn from", flush=True)
    batches = DataLoader(samples, size, num_workers=workers, prefetch_factor=4 if workers else None)
    started = noted = time.monotonic()
    seen, recent = 0, []
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        for number, batch in enumerate(batches):
            share = (time.monotonic() - started) / (60 * minutes)
            if share >= 1:
                break
            warm = min(1.0, (number + 1) / 60)
            for group in optimizer.param_groups:
                group["lr"] = rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
            # Making a sample takes as long as learning from it, so that each is seen a second time, in the mirror.
            for view in (batch, mirrored(batch)):
                found = step(network, view, half=half)
                optimizer.zero_grad(set_to_none=True)
                found["loss"].backward()
                torch.nn.utils.clip_grad_norm_(learnt, 5.0)
                optimizer.step()
                recent.append({k: float(v.detach()) for k, v in found.items()})
            keep = min(0.995, (number + 1) / (number + 20))
            with torch.no_grad():
                for kept, now in zip(mean.state_dict().values(), network.state_dict().values()):
                    if kept.is_floating_point():
                        kept.lerp_(now, 1 - keep)
                    else:
                        kept.copy_(now)
            seen += 2 * len(batch[0])
            if time.monotonic() - noted > 60:
                noted = time.monotonic()
                line = {"minutes": round((noted - started) / 60, 1), "seen": seen}
                line |= {k: round(float(np.mean([r[k] for r in recent])), 4) for k in recent[0]} | {"held_out": held_out(mean, checks)}
                recent = []
                print(json.dumps(line), file=log, flush=True)
                print(json.dumps(line), flush=True)
                save(mean, out / "last.safetensors")
    save(mean, out / "last.safetensors")
    return mean


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--minutes", type=float, default=15)
    ask.add_argument("--rate", type=float, default=2e-3)
    ask.add_argument("--batch", type=int, default=24)
    ask.add_argument("--init", type=Path, help="weights to go on from")
    ask.add_argument("--workers", type=int, default=1, help="processes that make batches")
    ask.add_argument("--cores", type=int, default=1, help="threads that learn; more suffer where other programs want the same cores")
    ask.add_argument("--full", action="store_true", help="convolutions in float32 instead of bfloat16")
    given = ask.parse_args()
    torch.set_num_threads(given.cores)
    try:
        mean = train(
            given.data, given.out, minutes=given.minutes, rate=given.rate, size=given.batch, init=given.init, workers=given.workers, half=not given.full
        )  # fmt: skip
        checks = list(DataLoader(Samples(find(given.data, held_out=True), 2, length=384), 64))
        print(json.dumps({"held_out": held_out(mean, checks)}))
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
