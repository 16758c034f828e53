"""The dense heads of Depth Anything 3: from a transformer's tokens to a value for every pixel.

Imports torch: import this only inside functions. Module and parameter names are those of the published weights. Architecture
and constants: ByteDance-Seed/Depth-Anything-3, src/depth_anything_3/model/dpt.py, dualdpt.py, cam_dec.py and
utils/head_utils.py at commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a (Apache-2.0); the method is DPT, Ranftl et al.,
"Vision Transformers for Dense Prediction", ICCV 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

_LAST = 32  # channels before the last convolution
_EMBED_SHARE = 0.1  # how strongly positions are added
_EMBED_BASE = 100.0


class Dense(NamedTuple):
    """What a head gives, B×H×W each.

    depth: positive. confidence: above 1. sky: 0 and more, about 1 where there is sky.
    """

    depth: Tensor
    confidence: Tensor | None = None
    sky: Tensor | None = None


class ResidualUnit(nn.Module):
    """Two convolutions around which the input passes."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.relu(self.conv1(F.relu(x)))) + x


class FusionBlock(nn.Module):
    """Adds one scale to the coarser ones and brings the sum to the size of the next finer scale."""

    def __init__(self, features: int, *, has_lateral: bool = True) -> None:
        super().__init__()
        if has_lateral:
            self.resConfUnit1 = ResidualUnit(features)
        self.resConfUnit2 = ResidualUnit(features)
        self.out_conv = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor, lateral: Tensor | None, size: tuple[int, int]) -> Tensor:
        """x: B×C×h×w; lateral: B×C×h×w of this scale, None for the coarsest; returns B×C×size."""
        if lateral is not None:
            x = x + self.resConfUnit1(lateral)
        return self.out_conv(enlarge(self.resConfUnit2(x), size))


class _Head(nn.Module):
    """What both heads share: four sets of tokens become four scales, which are fused from coarse to fine."""

    positions: bool
    norm: nn.Module

    def __init__(self, width: int, features: int, channels: Sequence[int], patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.projects = nn.ModuleList(nn.Conv2d(width, c, 1) for c in channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(channels[0], channels[0], 4, stride=4),
                nn.ConvTranspose2d(channels[1], channels[1], 2, stride=2),
                nn.Identity(),
                nn.Conv2d(channels[3], channels[3], 3, stride=2, padding=1),
            ]
        )
        self.scratch = nn.Module()
        for number, c in enumerate(channels, 1):
            self.scratch.add_module(f"layer{number}_rn", nn.Conv2d(c, features, 3, padding=1, bias=False))
            self.scratch.add_module(f"refinenet{number}", FusionBlock(features, has_lateral=number < 4))
        self.scratch.add_module("output_conv1", nn.Conv2d(features, features // 2, 3, padding=1))

    def _last(self, features: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(features // 2, _LAST, 3, padding=1), nn.ReLU(), nn.Conv2d(_LAST, outputs, 1))

    def fused(self, tokens: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Return B×(features/2)×H×W from four B×N×width token sets of a picture of `size` (H, W)."""
        rows, columns = size[0] // self.patch, size[1] // self.patch
        aspect = size[1] / size[0]
        scales = []
        for number, (x, project, resize) in enumerate(zip(tokens, self.projects, self.resize_layers), 1):
            x = self.norm(x).transpose(1, 2).reshape(x.shape[0], -1, rows, columns)
            x = project(x)
            if self.positions:
                x = x + position_embedding(x, aspect)
            scales.append(self.scratch.get_submodule(f"layer{number}_rn")(resize(x)))
        x: Tensor = scales[3]
        for number in (4, 3, 2, 1):
            lateral = scales[number - 1]
            finer = scales[number - 2].shape[2:] if number > 1 else (2 * lateral.shape[2], 2 * lateral.shape[3])
            block = self.scratch.get_submodule(f"refinenet{number}")
            x = block(x, lateral if number < 4 else None, (int(finer[0]), int(finer[1])))
        x = enlarge(self.scratch.get_submodule("output_conv1")(x), (rows * self.patch, columns * self.patch))
        return x + position_embedding(x, aspect) if self.positions else x


class DPT(_Head):
    """Depth and sky: the head of DA3MONO and DA3METRIC."""

    positions = False

    def __init__(self, width: int, features: int, channels: Sequence[int], patch: int = 14) -> None:
        super().__init__(width, features, channels, patch)
        self.norm = nn.Identity()
        self.scratch.add_module("output_conv2", self._last(features, 1))
        self.scratch.add_module("sky_output_conv2", self._last(features, 1))

    def forward(self, tokens: Sequence[Tensor], size: tuple[int, int]) -> Dense:
        """tokens: four of B×N×width; size: (H, W) of the picture in pixels, multiples of the patch."""
        x = self.fused(tokens, size)
        depth = torch.exp(self.scratch.get_submodule("output_conv2")(x))
        sky = torch.relu(self.scratch.get_submodule("sky_output_conv2")(x))
        return Dense(depth[:, 0], sky=sky[:, 0])


class DualDPT(_Head):
    """Depth and its confidence: the head of DA3-SMALL, -BASE and -LARGE without its branch of rays.

    The rays serve to place several pictures in one space.
    """

    positions = True

    def __init__(self, width: int, features: int, channels: Sequence[int], patch: int = 14) -> None:
        super().__init__(width, features, channels, patch)
        self.norm = nn.LayerNorm(width)
        self.scratch.add_module("output_conv2", self._last(features, 2))

    def forward(self, tokens: Sequence[Tensor], size: tuple[int, int]) -> Dense:
        """tokens: four of B×N×width; size: (H, W) of the picture in pixels, multiples of the patch."""
        both = torch.exp(self.scratch.get_submodule("output_conv2")(self.fused(tokens, size)))
        return Dense(both[:, 0], confidence=both[:, 1] + 1)


class CameraDecoder(nn.Module):
    """Reads the fields of view off the camera's token; where the camera stands says nothing about a single picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.fc_fov = nn.Sequential(nn.Linear(width, 2), nn.ReLU())

    def forward(self, token: Tensor) -> Tensor:
        """token: B×width; returns B×2, the vertical and the horizontal field of view in radians."""
        return self.fc_fov(self.backbone(token))


def enlarge(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring B×C×h×w to B×C×size, bilinear, corner on corner."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def position_embedding(x: Tensor, aspect: float) -> Tensor:
    """What tells the pixels of x (B×C×h×w, C a multiple of 4) where they lie: C×h×w, of x's type.

    Sines and cosines of the place across and down, in a picture of `aspect` (width / height) whose half diagonal is 1.
    """
    channels, rows, columns = x.shape[1:]
    diagonal = (aspect**2 + 1) ** 0.5
    half_width, half_height = aspect / diagonal * (columns - 1) / columns, 1 / diagonal * (rows - 1) / rows
    across = _waves(torch.linspace(-half_width, half_width, columns, device=x.device), channels // 2)
    down = _waves(torch.linspace(-half_height, half_height, rows, device=x.device), channels // 2)
    embedding = torch.cat([across[:, None, :].expand(-1, rows, -1), down[:, :, None].expand(-1, -1, columns)])
    return (embedding * _EMBED_SHARE).to(x.dtype)


def _waves(places: Tensor, count: int) -> Tensor:
    """`count` sines, then cosines, of `places` (n): count×n."""
    steps = torch.arange(count // 2, dtype=torch.float32, device=places.device) / (count / 2)
    angles = places[None, :] / _EMBED_BASE ** steps[:, None]
    return torch.cat([angles.sin(), angles.cos()])
