"""The built-in depth network: a convolutional encoder and decoder of about four million parameters.

Input `image`: float32 B×4×H×W, H and W multiples of 32; R'G'B' (sRGB as displayed) in [0, 1] and a channel that rises
linearly from -1 in the first row to +1 in the last. Outputs: `maps`, float32 B×4×H/2×W/2: affine-invariant disparity (near
large), sky logit, occlusion-edge logit, log-uncertainty; `view`, float32 B×3: horizon (shares of H from the top), roll in
radians (the camera's, clockwise: the horizon rises to the right), log(tan(fov_x / 2)). Scale and meaning of each are in training/README.md.

Only operations that OpenCV 4.11's dnn computes rightly are used, and `torch.fx` can trace `forward`, which training/export.py
builds on. Residual blocks of two 3×3 convolutions: He et al. 2016; squeeze-excite: Hu et al. 2018; strip pooling: Hou et al.
2020; decoder: the feature pyramid of Lin et al. 2017.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from addon.errors import InputError
from addon.vision.files import shown, write_atomically

MULTIPLE = 32
"""Heights and widths are multiples of it."""
MAPS = 4
NORMALS = 3


@dataclass(frozen=True)
class Plan:
    """Channels at /2, /4, /8, /16, /32; residual blocks at /4, /8, /16, /32; channels of the decoder at /16, /8, /4, /2."""

    widths: tuple[int, ...] = field(default=(32, 56, 96, 160, 224))
    blocks: tuple[int, ...] = field(default=(1, 2, 4, 2))
    decoder: tuple[int, ...] = field(default=(96, 64, 48, 32))


class Unit(nn.Sequential):
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(self, before: int, after: int, size: int = 3, stride: int = 1, relu: bool = True) -> None:
        conv = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(conv, nn.BatchNorm2d(after), *([nn.ReLU(inplace=True)] if relu else []))


class Block(nn.Module):
    """Two 3×3 convolutions around which the input is passed on."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Unit(width, width)
        self.second = Unit(width, width, relu=False)
        nn.init.zeros_(self.second[1].weight)  # a block begins as the identity  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class Context(nn.Module):
    """Lets every place see the whole picture: means of its row, of its column and of everything, and a gate on channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.row = nn.Conv2d(width, inner, 1)
        self.column = nn.Conv2d(width, inner, 1)
        self.whole = nn.Conv2d(width, inner, 1)
        self.out = Unit(inner, width, 1, relu=False)
        self.gate = nn.Conv2d(inner, width, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 2.0)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole(x.mean((2, 3), keepdim=True))
        seen = F.relu(self.row(x.mean((3,), keepdim=True)) + self.column(x.mean((2,), keepdim=True)) + whole)
        return F.relu(x * torch.sigmoid(self.gate(F.relu(whole))) + self.out(seen))


class Stage(nn.Sequential):
    """Halves the resolution, then `blocks` blocks, then, if asked, a context."""

    def __init__(self, before: int, after: int, blocks: int, context: bool) -> None:
        parts: list[nn.Module] = [Unit(before, after, stride=2)]
        for number in range(blocks):
            parts.append(Block(after))
            if context and number == (blocks - 1) // 2 and blocks > 1:
                parts.append(Context(after))
        if context:
            parts.append(Context(after))
        super().__init__(*parts)


class Up(nn.Module):
    """One step of the decoder: what comes from below, twice as large, plus what the encoder has at this size."""

    def __init__(self, below: int, beside: int, width: int) -> None:
        super().__init__()
        self.below = Unit(below, width, 1, relu=False)
        self.beside = Unit(beside, width, 1, relu=False)
        self.mix = Unit(width, width)

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        small = self.below(below)
        return self.mix(F.relu(F.interpolate(small, scale_factor=2.0, mode="nearest") + self.beside(beside)))


class Network(nn.Module):
    """The network; see the module's docstring. In training mode `maps` has three more channels, normals (not unit length)."""

    def __init__(self, plan: Plan | None = None) -> None:
        super().__init__()
        self.plan = plan = plan or Plan()
        widths, blocks, decoder = plan.widths, plan.blocks, plan.decoder
        # Colours to about mean 0 and deviation 1, the ramp as it is; a convolution so that padding stays the mean colour.
        self.centre = nn.Conv2d(4, 4, 1)
        with torch.no_grad():
            self.centre.weight.copy_(torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0]))[:, :, None, None])
            self.centre.bias.copy_(torch.tensor([-1.8, -1.8, -1.8, 0.0]))  # type: ignore[union-attr]
        self.centre.requires_grad_(False)
        self.stem = Unit(4, widths[0], stride=2)
        self.stages = nn.ModuleList(Stage(widths[i], widths[i + 1], blocks[i], context=i >= 2) for i in range(4))
        self.ups = nn.ModuleList(
            Up(below, widths[3 - i], decoder[i]) for i, below in enumerate((widths[4], decoder[0], decoder[1], decoder[2]))
        )
        self.head = nn.Conv2d(decoder[3], MAPS + NORMALS, 3, padding=1)
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.view = nn.Sequential(nn.Conv2d(widths[4], 128, 1), nn.ReLU(), nn.Conv2d(128, 3, 1))
        nn.init.normal_(self.view[2].weight, 0.0, 0.02)  # type: ignore[arg-type]
        with torch.no_grad():
            self.view[2].bias.copy_(torch.tensor([0.45, 0.0, math.log(0.55)]))  # type: ignore[operator]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = [self.stem(self.centre(image))]
        for stage in self.stages:
            features.append(stage(features[-1]))
        x = features[4]
        view = self.view(x.mean((2, 3), keepdim=True)).flatten(1)
        for up, beside in zip(self.ups, features[3::-1]):
            x = up(x, beside)
        return self.head(x), view


def fused(network: Network) -> Network:
    """A copy for running only: batch normalisation folded into the convolutions, the channels for normals left out.

    It computes what `network.eval()` computes, up to rounding.
    """
    copy = Network(network.plan)
    copy.load_state_dict({name: value.float() for name, value in network.state_dict().items()})
    copy.eval()
    for unit in [module for module in copy.modules() if isinstance(module, Unit)]:
        unit[0] = nn.utils.fuse_conv_bn_eval(unit[0], unit[1])  # type: ignore[arg-type]
        unit[1] = nn.Identity()
    head = nn.Conv2d(copy.head.in_channels, MAPS, 3, padding=1)
    with torch.no_grad():
        head.weight.copy_(copy.head.weight[:MAPS])
        head.bias.copy_(copy.head.bias[:MAPS])  # type: ignore[union-attr, index]
    copy.head = head
    return copy.requires_grad_(False)


def save(network: Network, path: Path) -> None:
    """Write the weights as float16 safetensors, the plan among its metadata. Raises StorageError."""
    from safetensors.torch import save_file

    tensors = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    metadata = {"plan": json.dumps(asdict(network.plan))}
    write_atomically(path, lambda temporary: save_file(tensors, str(temporary), metadata))


def load(path: Path) -> Network:
    """Read a network that `save` wrote. Raises InputError if the file is missing, damaged or holds another network."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{shown(path)}: there is no such file; name the weights that training wrote (best.safetensors).")
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            plan = json.loads((file.metadata() or {})["plan"])
            network = Network(Plan(**{key: tuple(value) for key, value in plan.items()}))
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}
            missing, extra = network.load_state_dict(tensors, strict=False)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{shown(path)}: these are no weights of the built-in network ({error}); choose another file.") from error
    if extra or any(not name.endswith("num_batches_tracked") for name in missing):
        raise InputError(f"{shown(path)}: these weights belong to another version of the network; choose another file.")
    return network
