"""The description of a network that a MoGe-2 weight file carries: read strictly, since such files come from anywhere.

The entries are the arguments of moge/model/v2.py and moge/model/modules.py of github.com/microsoft/MoGe at commit
07444410f1e33f402353b99d6ccd26bd31e469e8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from ...errors import InputError

LEVELS = 5
"""Resolutions that necks and heads work at: 1, 2, 4, 8 and 16 times the patches."""
BACKBONES = {"dinov2_vits14": (384, 12), "dinov2_vitb14": (768, 12), "dinov2_vitl14": (1024, 24)}
"""Length of a token and number of blocks of each transformer that MoGe-2 is published with."""
REMAPS = ("linear", "sinh", "exp", "sinh_exp")
RESAMPLERS = ("pixel_shuffle", "nearest", "bilinear", "conv_transpose")
"""Those that double the size; upstream's others halve it, which no network of this shape can use."""
NORMS = ("layer_norm", "group_norm", "instance_norm", "none")
ACTIVATIONS = ("relu", "leaky_relu", "silu", "elu")

_WIDEST = 4096  # channels; MoGe-2 Large has 1024
_MOST_BLOCKS = 16
_MOST_TOKENS = 16384
_GROUP = 32  # channels of a group in "group_norm"


@dataclass(frozen=True)
class Stack:
    """A neck or head: one entry for each of the 5 levels, from coarse to fine; `resamplers` lead from each to the next.

    inputs, outputs: channels, None where features pass as they are. widths: channels inside. blocks: number of residual
    blocks, each with `hidden` times the channels in its middle.
    """

    inputs: tuple[int | None, ...]
    widths: tuple[int, ...]
    outputs: tuple[int | None, ...]
    resamplers: tuple[str, ...]
    blocks: tuple[int, ...]
    hidden: int
    norm_in: str
    norm_hidden: str
    activation: str


@dataclass(frozen=True)
class MogeConfig:
    """A MoGe-2 network.

    backbone: one of BACKBONES. layers: the blocks whose outputs are used, from 0. features: channels that they come to.
    mask, normal, scale: None where the network lacks that head; scale: widths of its layers. remap: one of REMAPS, what turns
    the points head's output into points. tokens: fewest and most patches of a picture.
    """

    backbone: str
    layers: tuple[int, ...]
    features: int
    neck: Stack
    points: Stack
    mask: Stack | None
    normal: Stack | None
    scale: tuple[int, ...] | None
    remap: str
    tokens: tuple[int, int]


@dataclass(frozen=True)
class _Reader:
    """Reads one dictionary; `file` and `place` are for the message."""

    file: str
    place: str
    entries: dict[str, Any]

    def refuse(self, what: str) -> NoReturn:
        raise InputError(
            f"{self.file}: its description of the network is not one of MoGe-2 ({what} in {self.place}); get the file model.pt of a MoGe-2."
        )

    def inside(self, name: str, value: object, known: frozenset[str], needed: frozenset[str]) -> _Reader:
        """The reader of an entry that is a dictionary itself."""
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            self.refuse(f"{name} is no table")
        reader = _Reader(self.file, name, value)
        unknown, missing = sorted(value.keys() - known), sorted(needed - value.keys())
        if unknown:
            reader.refuse(f"the unknown entry {unknown[0][:40]!r}")
        if missing:
            reader.refuse(f"no entry {missing[0]!r}")
        return reader

    def number(self, name: str, value: object, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(f"{name} is not a whole number from {low} to {high}")
        return value

    def numbers(self, name: str, value: object, low: int, high: int, count: tuple[int, int]) -> tuple[int, ...]:
        if not isinstance(value, (list, tuple)) or not count[0] <= len(value) <= count[1]:
            self.refuse(f"{name} is no list of the right length")
        return tuple(self.number(name, item, low, high) for item in value)

    def choice(self, name: str, value: object, choices: tuple[str, ...]) -> str:
        if not isinstance(value, str) or value not in choices:
            self.refuse(f"{name} is none of {', '.join(choices)}")
        return value

    def levels(self, name: str, value: object, read: Callable[[object], Any]) -> tuple[Any, ...]:
        """One entry for each level, or one for all."""
        if not isinstance(value, (list, tuple)):
            return (read(value),) * LEVELS
        if len(value) != LEVELS:
            self.refuse(f"{name} has {len(value)} entries instead of {LEVELS}")
        return tuple(read(item) for item in value)

    def width(self, name: str, value: object) -> int | None:
        return None if value is None else self.number(name, value, 1, _WIDEST)


_CONFIG_NEEDED = frozenset({"encoder", "neck", "points_head"})
_CONFIG_KNOWN = _CONFIG_NEEDED | {"mask_head", "normal_head", "scale_head", "remap_output", "num_tokens_range"}
_ENCODER = frozenset({"backbone", "intermediate_layers", "dim_out"})
_STACK_NEEDED = frozenset({"dim_in", "dim_res_blocks", "dim_out", "resamplers"})
_STACK_KNOWN = _STACK_NEEDED | {
    "dim_times_res_block_hidden",
    "num_res_blocks",
    "res_block_in_norm",
    "res_block_hidden_norm",
    "activation",
}


def read_config(config: object, file: str) -> MogeConfig:
    """Check the entry `model_config` of a weight file; `file` names it in messages.

    Every number is bounded and every part fits the next, so that a network of this description can be built and run. Raises
    InputError with one sentence if it is not a description of a MoGe-2, with one of its own for MoGe-1.
    """
    if isinstance(config, dict) and isinstance(config.get("encoder"), str):
        raise InputError(f"{file}: this is a MoGe-1, which knows no metres; get the file model.pt of a MoGe-2 instead.")
    top = _Reader(file, "the file", {}).inside("model_config", config, _CONFIG_KNOWN, _CONFIG_NEEDED)
    encoder = top.inside("encoder", top.entries["encoder"], _ENCODER, _ENCODER)
    backbone = encoder.choice("backbone", encoder.entries["backbone"], tuple(BACKBONES))
    length, depth = BACKBONES[backbone]
    layers = encoder.entries["intermediate_layers"]
    if isinstance(layers, (list, tuple)):
        layers = encoder.numbers("intermediate_layers", layers, 0, depth - 1, (1, depth))
        if list(layers) != sorted(set(layers)):
            encoder.refuse("intermediate_layers is not in rising order")
    else:
        layers = tuple(range(depth - encoder.number("intermediate_layers", layers, 1, depth), depth))
    features = encoder.number("dim_out", encoder.entries["dim_out"], 1, _WIDEST)
    # The neck gets the features, and at every level the two coordinates of each pixel.
    neck = _read_stack(top, "neck", (features + 2, 2, 2, 2, 2))
    given = tuple(w if out is None else out for w, out in zip(neck.widths, neck.outputs))
    optional = {name: entry for name in ("mask_head", "normal_head", "scale_head") if (entry := top.entries.get(name)) is not None}
    scale = None
    if "scale_head" in optional:
        head = top.inside("scale_head", optional["scale_head"], frozenset({"dims"}), frozenset({"dims"}))
        scale = head.numbers("dims", head.entries["dims"], 1, _WIDEST, (2, _MOST_BLOCKS))
        if scale[0] != length or scale[-1] != 1:
            head.refuse(f"dims does not lead from {length} to 1")
    tokens = top.numbers("num_tokens_range", top.entries.get("num_tokens_range", [1200, 3600]), 1, _MOST_TOKENS, (2, 2))
    if tokens[0] > tokens[1]:
        top.refuse("num_tokens_range does not rise")
    return MogeConfig(
        backbone=backbone,
        layers=layers,
        features=features,
        neck=neck,
        points=_read_stack(top, "points_head", given, 3),
        mask=_read_stack(top, "mask_head", given, 1) if "mask_head" in optional else None,
        normal=_read_stack(top, "normal_head", given, 3) if "normal_head" in optional else None,
        scale=scale,
        remap=top.choice("remap_output", top.entries.get("remap_output", "linear"), REMAPS),
        tokens=(tokens[0], tokens[1]),
    )


def _read_stack(top: _Reader, name: str, given: tuple[int, ...], channels: int | None = None) -> Stack:
    """A neck or head that gets `given` channels at each level; a head must give `channels` at the last."""
    stack = top.inside(name, top.entries[name], _STACK_KNOWN, _STACK_NEEDED)
    entries = stack.entries
    one, resamplers = stack.levels, entries["resamplers"]
    if not isinstance(resamplers, (list, tuple)) or len(resamplers) != LEVELS - 1:
        stack.refuse(f"resamplers is no list of {LEVELS - 1}")
    result = Stack(
        inputs=one("dim_in", entries["dim_in"], lambda v: stack.width("dim_in", v)),
        widths=stack.numbers("dim_res_blocks", entries["dim_res_blocks"], 1, _WIDEST, (LEVELS, LEVELS)),
        outputs=one("dim_out", entries["dim_out"], lambda v: stack.width("dim_out", v)),
        resamplers=tuple(stack.choice("resamplers", v, RESAMPLERS) for v in resamplers),
        blocks=one("num_res_blocks", entries.get("num_res_blocks", 1), lambda v: stack.number("num_res_blocks", v, 0, _MOST_BLOCKS)),
        hidden=stack.number("dim_times_res_block_hidden", entries.get("dim_times_res_block_hidden", 1), 1, 8),
        norm_in=stack.choice("res_block_in_norm", entries.get("res_block_in_norm", "layer_norm"), NORMS),
        norm_hidden=stack.choice("res_block_hidden_norm", entries.get("res_block_hidden_norm", "group_norm"), NORMS),
        activation=stack.choice("activation", entries.get("activation", "relu"), ACTIVATIONS),
    )
    for gets, takes, width in zip(given, result.inputs, result.widths):
        if gets != (width if takes is None else takes):
            stack.refuse("dim_in does not fit what comes in")
    if channels is not None and (result.widths[-1] if result.outputs[-1] is None else result.outputs[-1]) != channels:
        stack.refuse(f"dim_out does not end with {channels}")
    for norm, factor in ((result.norm_in, 1), (result.norm_hidden, result.hidden)):
        if norm == "group_norm":
            for width, blocks in zip(result.widths, result.blocks):
                if blocks and (width * factor < _GROUP or width * factor % (width * factor // _GROUP)):
                    stack.refuse(f"{width * factor} channels make no groups")
    return result
