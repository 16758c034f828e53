"""The layers of MoGe-2.

Wang et al. 2025, "MoGe-2: Accurate Monocular Geometry with Metric Scale and Sharp Details" (arXiv 2507.02546). Written to
give what moge/model/v2.py and moge/model/modules.py of github.com/microsoft/MoGe (MIT) give at commit
07444410f1e33f402353b99d6ccd26bd31e469e8, with parameters of the same names. It only runs, it does not train.

This module imports torch: import it inside functions only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from . import dinov2
from .moge_config import LEVELS, MogeConfig, Stack

TRANSFORMERS = {"dinov2_vits14": dinov2.SMALL, "dinov2_vitb14": dinov2.BASE, "dinov2_vitl14": dinov2.LARGE}
PATCH = 14


class Raw(NamedTuple):
    """What the heads give, float32, for maps of 16 by 16 pixels a patch; None for a head that the network lacks.

    points, normal: B×3×h×w, the points before `remap`, the normals not of unit length. mask: B×1×h×w before the sigmoid.
    scale: B, the logarithm of what makes metres of the points.
    """

    points: Tensor
    mask: Tensor | None
    normal: Tensor | None
    scale: Tensor | None


def _float32(device: torch.device) -> AbstractContextManager[object]:
    """Where nothing is computed in half precision."""
    # Elsewhere nothing is anyway, and older versions of torch refuse to be asked.
    return torch.autocast(device.type, enabled=False) if device.type in ("cpu", "cuda") else nullcontext()


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, padding_mode="replicate")


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "group_norm":
        return nn.GroupNorm(channels // 32, channels)
    if kind == "layer_norm":
        return nn.GroupNorm(1, channels)
    return nn.InstanceNorm2d(channels) if kind == "instance_norm" else nn.Identity()


def _activation(kind: str) -> nn.Module:
    if kind == "leaky_relu":
        return nn.LeakyReLU(0.2)
    return {"relu": nn.ReLU, "silu": nn.SiLU, "elu": nn.ELU}[kind]()


class ResidualBlock(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, channels: int, stack: Stack):
        super().__init__()
        hidden = channels * stack.hidden
        self.layers = nn.Sequential(
            _norm(stack.norm_in, channels),
            _activation(stack.activation),
            _convolution(channels, hidden),
            _norm(stack.norm_hidden, hidden),
            _activation(stack.activation),
            _convolution(hidden, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _resampler(kind: str, inputs: int, outputs: int) -> nn.Sequential:
    """Doubles both sides."""
    if kind == "pixel_shuffle":
        return nn.Sequential(_convolution(inputs, 4 * outputs), nn.PixelShuffle(2), _convolution(outputs, outputs))
    if kind == "conv_transpose":
        return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, kernel_size=2, stride=2), _convolution(outputs, outputs))
    smooth = None if kind == "nearest" else False
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind, align_corners=smooth), _convolution(inputs, outputs))


class ConvStack(nn.Module):
    """A neck or head: from coarse to fine, each level adds what it gets to what comes from the level before."""

    def __init__(self, stack: Stack):
        super().__init__()
        widths = stack.widths
        self.input_blocks = nn.ModuleList(
            nn.Identity() if inputs is None else nn.Conv2d(inputs, width, 1) for inputs, width in zip(stack.inputs, widths)
        )
        self.resamplers = nn.ModuleList(_resampler(kind, *pair) for kind, *pair in zip(stack.resamplers, widths, widths[1:]))
        self.res_blocks = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width, stack) for _ in range(count))) for width, count in zip(widths, stack.blocks)
        )
        self.output_blocks = nn.ModuleList(
            nn.Identity() if outputs is None else nn.Conv2d(width, outputs, 1) for outputs, width in zip(stack.outputs, widths)
        )

    def forward(self, features: Sequence[Tensor], last_only: bool = False) -> list[Tensor]:
        """What each level gives, or the last one alone, in float32 then."""
        given: list[Tensor] = []
        x = features[0]
        for level, blocks in enumerate(self.res_blocks):
            came = self.input_blocks[level](features[level])
            x = blocks(self.resamplers[level - 1](x) + came if level else came)
            if not last_only:
                given.append(self.output_blocks[level](x))
        if last_only:
            # Half precision would cut the logarithm of the depth into steps of a tenth of a percent.
            with _float32(x.device):
                given.append(self.output_blocks[-1](x.float()))
        return given


class Encoder(nn.Module):
    """The transformer, and what makes one map of several of its blocks' outputs."""

    def __init__(self, config: MogeConfig):
        super().__init__()
        shape = TRANSFORMERS[config.backbone]
        self.layers = config.layers
        self.backbone = dinov2.Transformer(shape)
        self.output_projections = nn.ModuleList(nn.Conv2d(shape.embed_dim, config.features, 1) for _ in config.layers)
        self.register_buffer("image_mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("image_std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of pictures in [0, 1], float32 B×3×14r×14c: the features, B×C×r×c, and the class token, B×C'."""
        size = images.shape[2] // PATCH, images.shape[3] // PATCH
        found = self.backbone.get_intermediate_layers((images - self.image_mean) / self.image_std, self.layers)
        maps = [project(f.patches.transpose(1, 2).unflatten(2, size)) for project, f in zip(self.output_projections, found)]
        return torch.stack(maps).sum(dim=0), found[-1].class_token


class MogeNet(nn.Module):
    """The network; `MogeConfig` tells its shape."""

    def __init__(self, config: MogeConfig):
        super().__init__()
        self.encoder = Encoder(config)
        self.neck = ConvStack(config.neck)
        self.points_head = ConvStack(config.points)
        if config.mask is not None:
            self.mask_head = ConvStack(config.mask)
        if config.normal is not None:
            self.normal_head = ConvStack(config.normal)
        if config.scale is not None:
            layers = [layer for pair in zip(config.scale, config.scale[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
            self.scale_head = nn.Sequential(*layers[:-1])

    def forward(self, images: Tensor, aspect: float) -> Raw:
        """Run it on pictures in [0, 1], float32 B×3×14r×14c, of width by height `aspect` before they were resized to that."""
        features, token = self.encoder(images)
        rows, columns = features.shape[2:]
        places = [coordinates(rows << level, columns << level, aspect).to(images.device) for level in range(LEVELS)]
        places = [place.expand(len(images), -1, -1, -1) for place in places]
        shared = self.neck([torch.cat([features, places[0]], dim=1), *places[1:]])
        points, mask, normal = (
            getattr(self, name)(shared, last_only=True)[0] if hasattr(self, name) else None
            for name in ("points_head", "mask_head", "normal_head")
        )
        assert points is not None
        scale = None
        if hasattr(self, "scale_head"):
            with _float32(images.device):
                scale = self.scale_head(token.float())[:, 0]
        return Raw(points, mask, normal, scale)


def coordinates(rows: int, columns: int, aspect: float) -> Tensor:
    """The middles of the pixels of a map, right and down of its own middle in halves of its diagonal, float32 1×2×rows×columns."""
    diagonal = math.hypot(aspect, 1)
    across, down = aspect / diagonal * (columns - 1) / columns, 1 / diagonal * (rows - 1) / rows
    v, u = torch.meshgrid(torch.linspace(-down, down, rows), torch.linspace(-across, across, columns), indexing="ij")
    return torch.stack([u, v])[None]


def remap(points: Tensor, how: str) -> Tensor:
    """Make points, still without their shift, of what the points head gives; float32 B×3×h×w both. `how`: one of REMAPS."""
    if how == "linear":
        return points
    if how == "sinh":
        return torch.sinh(points)
    xy, z = points[:, :2], torch.exp(points[:, 2:])
    return torch.cat([xy * z if how == "exp" else torch.sinh(xy), z], dim=1)
