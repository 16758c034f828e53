"""Trains the built-in depth network on shards.

    python -m training.train --data DIR --out RUN [--minutes M] [--init WEIGHTS.safetensors] [--dev PATH]

The schedule follows the share of `--minutes` that is used up, so that a run always ends with a small learning rate. The same
command goes on where a run was stopped. RUN then holds last.safetensors (the running mean of the weights), best.safetensors
(the one that scored best on the photos of --dev), checkpoint.pt, log.jsonl, curve.png and preview.png.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from addon.errors import InputError, StillscapeError
from addon.vision.files import shown, write_atomically

from . import data, score
from .export import pytorch
from .losses import aligned, losses, target
from .network import Network, Plan, load, save

_BAD_STEPS = 50
_MOMENTUM = 0.999
_FIXED = 20_000
"""Steps after which the validation views stay the same."""


def keep_memory() -> None:
    """Let glibc keep what is freed: every step asks for the same again, and fresh pages cost a tenth of the time."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        for parameter, value in ((-1, 2**31 - 1), (-3, 2**30), (-2, 2**27)):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_TOP_PAD
            library.mallopt(parameter, value)


def as_images(photos: Tensor) -> Tensor:
    """The network's input, float32 B×4×H×W, from uint8 B×3×H×W."""
    ramp = torch.linspace(-1, 1, photos.shape[2])[None, None, :, None].expand(photos.shape[0], 1, -1, photos.shape[3])
    return torch.cat([photos.float() / 255, ramp], 1).contiguous(memory_format=torch.channels_last)


def rate(share: float, peak: float) -> float:
    """The learning rate when `share` of the time is used: a short rise, then half a cosine down to a hundredth."""
    if share < 0.02:
        return peak * (0.05 + 0.95 * share / 0.02)
    return peak * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, (share - 0.02) / 0.98))))


def optimiser(network: Network, peak: float) -> torch.optim.AdamW:
    """AdamW that lets only the convolutions decay."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": 0.05},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.99), foreach=True)


def step(network: nn.Module, optimise: torch.optim.Optimizer, truth: Mapping[str, Tensor], *, half: bool) -> dict[str, float]:
    """One step on one batch; `half`: convolutions in bfloat16. Returns the loss as "loss" and its parts.

    A loss that is no finite number changes nothing.
    """
    network.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        maps, view = network(as_images(truth["image"]))
    total, parts = losses(maps, view, truth)
    found = {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in parts.items()}}
    optimise.zero_grad(set_to_none=True)
    if math.isfinite(found["loss"]):
        total.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), 5.0, foreach=True)
        if bool(torch.isfinite(norm)):
            optimise.step()
        else:
            found["loss"] = math.nan
    return found


class Mean:
    """A running mean of a network's weights, as a network."""

    def __init__(self, network: Network) -> None:
        self.network = Network(network.plan).eval()
        self.network.load_state_dict(network.state_dict())
        self.network.requires_grad_(False)
        self.steps = 0

    def update(self, network: Network) -> None:
        self.steps += 1
        keep = min(_MOMENTUM, (1 + self.steps) / (10 + self.steps))
        mine, its = self.network.state_dict(), network.state_dict()
        names = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in names], [its[name].float() for name in names], 1 - keep)


def validate(network: Network, batches: list[dict[str, Tensor]]) -> dict[str, float]:
    """Mean parts of the loss on batches that are never trained on."""
    sums: dict[str, float] = {}
    count = 0
    network.eval()
    with torch.inference_mode():
        for truth in batches:
            maps, view = network(as_images(truth["image"]))
            total, parts = losses(maps, view, truth)
            for name, value in {"loss": total, **parts}.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(view)
            count += len(view)
    return {name: value / count for name, value in sums.items()} if count else {}


# Pictures to look at ---------------------------------------------------------------------------------------------------


def _depths(d: Tensor, low: Tensor, high: Tensor) -> NDArray[np.uint8]:
    values = ((d - low) / (high - low).clamp(min=1e-6)).clamp(0, 1).sqrt()
    return np.asarray(cv2.applyColorMap((values.numpy() * 255).astype(np.uint8), cv2.COLORMAP_INFERNO))


def preview(network: Network, truth: Mapping[str, Tensor], most: int = 8) -> NDArray[np.uint8]:
    """A contact sheet, uint8 BGR: photo, truth, prediction as it fits the truth, edges (truth red, prediction green), sky."""
    with torch.inference_mode():
        maps, _ = network.eval()(as_images(truth["image"][:most]))
        wanted = target(truth["disparity"][:most])
        fit, _ = aligned(maps[:, 0], wanted)
        edge, sky = torch.sigmoid(maps[:, 2]), torch.sigmoid(maps[:, 1])
    rows = []
    for i in range(len(maps)):
        h, w = fit.shape[1:]
        photo = cv2.resize(truth["image"][i].permute(1, 2, 0).numpy()[..., ::-1], (w, h), interpolation=cv2.INTER_AREA)
        d = wanted.disparity[i]
        edges = np.zeros((h, w, 3), np.uint8)
        edges[..., 1] = edge[i].numpy() * 255
        edges[..., 2] = truth["edges"][i].numpy() * 255
        heaven = np.repeat((sky[i].numpy() * 255).astype(np.uint8)[..., None], 3, 2)
        rows.append(np.hstack([photo, _depths(d, d.min(), d.max()), _depths(fit[i], d.min(), d.max()), edges, heaven]))
    return np.vstack(rows)


def curve(records: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """The log as a picture, uint8 BGR: loss and validation loss (above), AbsRel of the development photos (below)."""
    canvas = np.full((480, 720, 3), 255, np.uint8)
    last = max((record["minutes"] for record in records), default=1.0) or 1.0

    def draw(name: str, top: int, colour: tuple[int, int, int], place: int, bounds: tuple[float, float]) -> None:
        points = [(record["minutes"], record[name]) for record in records if name in record and math.isfinite(record[name])]
        if not points:
            return
        low, high = bounds
        pixels = [
            (int(50 + 650 * m / last), int(top + 190 - 180 * float(np.clip((v - low) / max(high - low, 1e-6), 0, 1)))) for m, v in points
        ]
        cv2.polylines(canvas, [np.array(pixels, np.int32)], False, colour, 1, cv2.LINE_AA)
        text = f"{name} {points[-1][1]:.3f} (lowest {min(v for _, v in points):.3f}; scale {low:.2f} to {high:.2f})"
        cv2.putText(canvas, text, (60, top + 16 + 16 * place), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)

    for top, names in ((10, ("loss", "held_out")), (240, ("dev_absrel",))):
        values = [record[name] for record in records for name in names if name in record and math.isfinite(record[name])]
        bounds = (min(values), float(np.percentile(values, 98))) if values else (0.0, 1.0)
        for place, (name, colour) in enumerate(zip(names, ((200, 80, 0), (0, 0, 220)))):
            draw(name, top, colour, place, bounds)
    cv2.putText(canvas, f"{last:.1f} minutes", (560, 470), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas


def _picture(path: Path, values: NDArray[np.uint8]) -> None:
    done, encoded = cv2.imencode(path.suffix, values)
    if not done:
        raise ValueError(f"OpenCV wrote no {path.suffix}")
    write_atomically(path, lambda temporary: temporary.write_bytes(encoded.tobytes()))


# A run -----------------------------------------------------------------------------------------------------------------


class Run:
    """A run and all that it needs to go on after a stop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.out: Path = options.out
        torch.manual_seed(options.seed)
        network = load(options.init) if options.init else Network(Plan())
        self.network = network.to(memory_format=torch.channels_last)
        self.optimise = optimiser(self.network, options.rate)
        self.mean = Mean(self.network)
        self.used, self.steps, self.seen, self.best = 0.0, 0, 0, math.inf
        self.checkpoint = self.out / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()

    def _resume(self) -> None:
        try:
            kept = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.network.load_state_dict(kept["network"])
            self.mean.network.load_state_dict(kept["mean"])
            self.optimise.load_state_dict(kept["optimiser"])
            self.mean.steps, self.used, self.steps = kept["mean_steps"], kept["used"], kept["steps"]
            self.seen, self.best = kept["seen"], kept["best"]
            torch.set_rng_state(kept["random"])
        except Exception as error:
            raise InputError(f"{shown(self.checkpoint)}: this checkpoint cannot be read ({error}); delete it to start anew.") from error

    def keep(self) -> None:
        """Write the checkpoint and last.safetensors. Raises StorageError."""
        kept = {
            "network": self.network.state_dict(),
            "mean": self.mean.network.state_dict(),
            "optimiser": self.optimise.state_dict(),
            "mean_steps": self.mean.steps,
            "used": self.used,
            "steps": self.steps,
            "seen": self.seen,
            "best": self.best,
            "random": torch.get_rng_state(),
        }
        write_atomically(self.checkpoint, lambda temporary: torch.save(kept, temporary))
        save(self.mean.network, self.out / "last.safetensors")

    def log(self, record: dict[str, Any]) -> None:
        with open(self.out / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def records(self) -> list[dict[str, Any]]:
        file = self.out / "log.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def report(self, recent: list[dict[str, float]], speed: float, held_out: list[dict[str, Tensor]]) -> None:
        """Score the running mean, log, draw, and keep what is best."""
        record: dict[str, Any] = {
            "minutes": round(self.used / 60, 2),
            "steps": self.steps,
            "seen": self.seen,
            "per_second": round(speed, 1),
        }
        record |= {name: round(float(np.nanmean([r[name] for r in recent])), 4) for name in (recent[0] if recent else {})}
        checked = validate(self.mean.network, held_out)
        if checked:
            record |= {"held_out": round(checked["loss"], 4), "held_out_parts": {n: round(v, 4) for n, v in checked.items()}}
        figure = checked.get("align", math.inf)
        if self.options.dev:
            found = score.development(pytorch(self.mean.network), self.options.dev)
            mean = found["mean"]
            record |= {"dev_absrel": round(mean.absrel, 4), "dev_delta1": round(mean.delta1, 4), "dev_ordinal": round(mean.ordinal, 4)}
            record["dev"] = {name: [round(v, 4) for v in value] for name, value in found.items()}
            figure = mean.absrel - 0.3 * mean.delta1 - 0.3 * mean.ordinal
        if figure < self.best:
            self.best = figure
            save(self.mean.network, self.out / "best.safetensors")
            record["best"] = True
        self.log(record)
        _picture(self.out / "curve.png", curve(self.records()))
        if held_out:
            _picture(self.out / "preview.png", preview(self.mean.network, held_out[0]))
        self.keep()
        brief = {name: value for name, value in record.items() if not isinstance(value, dict)}
        print(json.dumps(brief), flush=True)

    def go(self) -> None:
        """Train until the minutes are used up. A signal to end (SIGTERM, Ctrl-C) ends it with a checkpoint."""
        options, total = self.options, self.options.minutes * 60
        sampler = data.Endless(options.seed * 1_000_003 + self.steps, options.batch)
        batches: Iterator[dict[str, Tensor]] = iter(data.loader(options.data, sampler, options.workers))
        held_out = data.validation(options.data)
        stopped = [False]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.__setitem__(0, True))
        recent: list[dict[str, float]] = []
        reported, checked, bad = self.used, self.used, 0
        seen_then, waited, before = self.seen, 0.0, time.monotonic()
        while self.used < total and not stopped[0]:
            share = self.used / total
            sampler.small = 0.9 if share < 0.5 else 0.0
            sampler.large = 0.6 if share > 0.8 else 0.0
            sampler.strength = 1.0 if share < 0.8 else 0.6
            for group in self.optimise.param_groups:
                group["lr"] = rate(share, options.rate)
            asked = time.monotonic()
            truth = next(batches)
            waited += time.monotonic() - asked
            found = step(self.network, self.optimise, truth, half=not options.full)
            bad = 0 if math.isfinite(found["loss"]) else bad + 1
            if bad >= _BAD_STEPS:
                raise InputError(f"{shown(self.out)}: the loss is no number any more; start again with a smaller --rate.")
            if not bad:
                self.mean.update(self.network)
                recent.append(found)
            self.steps += 1
            self.seen += len(truth["image"])
            now = time.monotonic()
            self.used += now - before
            before = now
            if self.used - reported >= options.every * 60:
                speed = (self.seen - seen_then) / max(self.used - reported, 1e-6)
                print(f"waited {waited:.1f} s for data", file=sys.stderr, flush=True)
                if self.steps < _FIXED:  # held-out shards still come
                    held_out = data.validation(options.data)
                self.report(recent, speed, held_out)
                recent, reported, checked, seen_then, waited = [], self.used, self.used, self.seen, 0.0
            elif self.used - checked >= 120:
                self.keep()
                checked = self.used
        if recent:
            self.report(recent, (self.seen - seen_then) / max(self.used - reported, 1e-6), held_out)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shards; more may be written to it meanwhile")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the run; one that was stopped goes on")
    parser.add_argument("--minutes", type=float, default=240.0, help="minutes in all, those before a stop included")
    parser.add_argument("--init", type=Path, metavar="WEIGHTS", help="weights to start from instead of random ones")
    parser.add_argument("--dev", type=Path, metavar="PATH", help="photos with true depth to score now and then (training/score.py)")
    parser.add_argument("--every", type=float, default=4.0, metavar="MINUTES", help="minutes between reports")
    parser.add_argument("--batch", type=int, default=16, help="views in a batch of the commonest size")
    parser.add_argument("--rate", type=float, default=1e-3, help="the highest learning rate")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches")
    parser.add_argument("--cores", type=int, default=2, help="processor cores for the network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="convolutions in float32 instead of bfloat16")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.cores)
    keep_memory()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        Run(options).go()
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
