"""DINOv2, the vision transformer under MoGe and Depth Anything.

Written from the papers (Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"; Touvron et al. 2021 for the layer scale;
Oquab et al. 2024, "DINOv2") and from the names in published weight files, which the parameters here keep, so that such a
file loads with nothing missing and nothing left over. Checked against moge/model/dinov2/models/vision_transformer.py of
github.com/microsoft/MoGe at commit 07444410f1e33f402353b99d6ccd26bd31e469e8, and what Depth Anything 3 adds (normalised and turned
queries and keys, a camera token) against src/depth_anything_3/model/dinov2 of github.com/ByteDance-Seed/Depth-Anything-3 at
commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a. It only runs, it does not train: no dropout, no stochastic depth.

This module imports torch: import it inside functions only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]


@dataclass(frozen=True)
class Config:
    """The shape of a transformer.

    embed_dim: length of a token. depth: number of blocks. heads: of the attention; they share a token evenly. mlp_ratio:
    width of a block's hidden layer in lengths of a token. patch: side of a patch in pixels. image_side: side in pixels of
    the pictures that it was trained on, which decides the size of the position embedding. layerscale: what the layer scale
    starts with, None if there is none. registers: number of register tokens. mask_token: whether the file has the token
    that training put in the place of hidden patches; running needs none. norm_eps: epsilon of the blocks' layer norms, end_eps:
    of the last one, None for the same. position_offset, position_antialias: how the position embedding is brought to another
    size (`positions`).

    For Depth Anything 3, the numbers of the first blocks that do what others do not, None where none does: qk_norm_from:
    queries and keys are normalised. rope_from: they are turned by their patch's place, see `turns`. alternate_from: the class
    token gives way to the camera token, and from there on the blocks of odd numbers look at all pictures of a scene.
    """

    embed_dim: int
    depth: int
    heads: int
    mlp_ratio: float = 4.0
    patch: int = 14
    image_side: int = 518
    layerscale: float | None = 1.0
    registers: int = 0
    mask_token: bool = True
    norm_eps: float = 1e-6
    end_eps: float | None = None
    position_offset: float = 0.1
    position_antialias: bool = False
    qk_norm_from: int | None = None
    rope_from: int | None = None
    alternate_from: int | None = None


ROPE_BASE = 100.0
"""How much slower the slowest pair of channels turns than the fastest, about."""

SMALL = Config(embed_dim=384, depth=12, heads=6)
BASE = Config(embed_dim=768, depth=12, heads=12)
LARGE = Config(embed_dim=1024, depth=24, heads=16)


class Features(NamedTuple):
    """What comes out of one block: float B×(rows·columns)×C, row by row, and the class token, float B×C."""

    patches: Tensor
    class_token: Tensor


class Turn(NamedTuple):
    """By how much queries and keys are turned: the angles' cosines and sines, float32 N×(length of a head)."""

    cos: Tensor
    sin: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Turn B×heads×N×L: the first half of L by the place down, the second by the place across, halves of each in pairs."""
        a, b, c, d = x.chunk(4, dim=-1)
        return (x * self.cos + torch.cat([-b, a, -d, c], dim=-1) * self.sin).to(x.dtype)


class PatchEmbedding(nn.Module):
    """Cuts pictures, float B×3×H×W, into patches and makes a token of each: B×(rows·columns)×C."""

    def __init__(self, config: Config):
        super().__init__()
        self.proj = nn.Conv2d(3, config.embed_dim, kernel_size=config.patch, stride=config.patch)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Every token looks at every other; B×N×C to B×N×C."""

    def __init__(self, config: Config, qk_norm: bool = False):
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.embed_dim, 3 * config.embed_dim)
        self.q_norm = nn.LayerNorm(config.embed_dim // config.heads) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(config.embed_dim // config.heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(config.embed_dim, config.embed_dim)

    def forward(self, x: Tensor, turn: Turn | None = None) -> Tensor:
        batch, count, length = x.shape
        q, k, v = self.qkv(x).reshape(batch, count, 3, self.heads, length // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if turn is not None:
            q, k = turn(q), turn(k)
        seen = F.scaled_dot_product_attention(q, k, v)
        return self.proj(seen.transpose(1, 2).reshape(batch, count, length))


class Mlp(nn.Module):
    """Two layers on each token by itself."""

    def __init__(self, config: Config):
        super().__init__()
        hidden = int(config.embed_dim * config.mlp_ratio)
        self.fc1 = nn.Linear(config.embed_dim, hidden)
        self.fc2 = nn.Linear(hidden, config.embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """Weighs each channel of what a block adds."""

    def __init__(self, length: int, start: float):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((length,), start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """Attention, then the two layers, each added to what came in."""

    def __init__(self, config: Config, qk_norm: bool = False):
        super().__init__()
        length, start = config.embed_dim, config.layerscale
        self.norm1 = nn.LayerNorm(length, eps=config.norm_eps)
        self.attn = Attention(config, qk_norm)
        self.ls1 = nn.Identity() if start is None else LayerScale(length, start)
        self.norm2 = nn.LayerNorm(length, eps=config.norm_eps)
        self.mlp = Mlp(config)
        self.ls2 = nn.Identity() if start is None else LayerScale(length, start)

    def forward(self, x: Tensor, turn: Turn | None = None) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x), turn))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Transformer(nn.Module):
    """The whole of it. A picture's sides must be multiples of `config.patch`."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        length, side = config.embed_dim, config.image_side // config.patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, length))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, length))
        if config.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, config.registers, length))
        if config.mask_token:
            self.mask_token = nn.Parameter(torch.zeros(1, length))
        if config.alternate_from is not None:
            self.camera_token = nn.Parameter(torch.zeros(1, 2, length))  # of the picture that gives the axes, and of all others
        self.patch_embed = PatchEmbedding(config)
        self.blocks = nn.ModuleList([Block(config, reached(number, config.qk_norm_from)) for number in range(config.depth)])
        self.norm = nn.LayerNorm(length, eps=config.norm_eps if config.end_eps is None else config.end_eps)

    def positions(self, rows: int, columns: int) -> Tensor:
        """The position embedding of rows×columns patches with the class token before them, float32 1×(1 + rows·columns)×C.

        Trained for a square, it is stretched by bicubic interpolation. DINOv2 hands the interpolation the ratio
        (n + 0.1) / side rather than the size n, and networks were trained with the slight shift that this makes.
        """
        side = math.isqrt(self.pos_embed.shape[1] - 1)
        if rows == side and columns == side:
            return self.pos_embed
        embedding, offset = self.pos_embed.float(), self.config.position_offset
        square = embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        size = {"scale_factor": ((rows + offset) / side, (columns + offset) / side)} if offset else {"size": (rows, columns)}
        stretched = F.interpolate(square, mode="bicubic", antialias=self.config.position_antialias, **size)
        return torch.cat([embedding[:, :1], stretched.flatten(2).transpose(1, 2)], dim=1)

    def tokens(self, images: Tensor) -> Tensor:
        """What the first block gets: class token, register tokens, then the patches of `images`, float B×3×H×W."""
        batch, _, height, width = images.shape
        patches = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(batch, -1, -1), patches], dim=1)
        x = x + self.positions(height // self.config.patch, width // self.config.patch).to(x.dtype)
        if self.config.registers:
            x = torch.cat([x[:, :1], self.register_tokens.expand(batch, -1, -1), x[:, 1:]], dim=1)
        return x

    def get_intermediate_layers(self, images: Tensor, layers: int | Sequence[int], norm: bool = True) -> list[Features]:
        """What the blocks `layers` give for `images`, float B×3×H×W, already normalised to the training's mean and deviation.

        layers: numbers from 0, or how many of the last ones. The results come in the blocks' order. norm: whether the last
        layer norm is applied to each.
        """
        wanted = set(range(len(self.blocks))[-layers:] if isinstance(layers, int) else layers)
        found: list[Features] = []
        for number, x, _ in self.run(images):
            if number in wanted:
                out = self.norm(x) if norm else x
                found.append(Features(out[:, 1 + self.config.registers :], out[:, 0]))
        return found

    def run(self, images: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Every block's number, what it gives and what the last block that looks at one picture only gave, B×tokens×C each.

        images: float B×3×H×W, normalised; each is a scene of its own, so that blocks that look at all pictures of a scene
        differ from the others only in the turning of their patches, which they turn alike wherever these lie.
        """
        config = self.config
        x = local = self.tokens(images)
        rows, columns = images.shape[2] // config.patch, images.shape[3] // config.patch
        placed = None if config.rope_from is None else self.turns(rows, columns, placed=True)
        alike = None if config.rope_from is None else self.turns(rows, columns, placed=False)
        for number, block in enumerate(self.blocks):
            if number == config.alternate_from:
                x = local = torch.cat([self.camera_token[:, :1].expand(x.shape[0], -1, -1), x[:, 1:]], dim=1)
            everywhere = reached(number, config.alternate_from) and number % 2 == 1
            x = block(x, (alike if everywhere else placed) if reached(number, config.rope_from) else None)
            if not everywhere:
                local = x
            yield number, x, local

    def turns(self, rows: int, columns: int, placed: bool) -> Turn:
        """The turning of all tokens of rows×columns patches (rotary embedding in two dimensions, Heo et al. 2024).

        The class token and its like lie at (0, 0), the patches at their row and column from 1, or all at (1, 1) if not `placed`.
        """
        config, device = self.config, self.cls_token.device
        count = config.embed_dim // config.heads // 4
        speeds = ROPE_BASE ** -(torch.arange(count, dtype=torch.float32, device=device) / count)
        patches = torch.cartesian_prod(torch.arange(rows, device=device), torch.arange(columns, device=device)) + 1
        places = torch.cat([patches.new_zeros(1 + config.registers, 2), patches if placed else torch.ones_like(patches)])
        angles = (places[:, :, None] * speeds)[:, :, None].expand(-1, -1, 2, -1).flatten(1)
        return Turn(angles.cos(), angles.sin())


def reached(number: int, first: int | None) -> bool:
    """Whether a block's number is at or beyond the first that does something, None where none does."""
    return first is not None and number >= first
