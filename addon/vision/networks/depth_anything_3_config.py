"""What the configuration beside the weights of Depth Anything 3 says, checked before anything is built from it.

The published folders hold `config.json` (upstream's model name, and its YAML configuration of that name as JSON) and
`model.safetensors`; both are written by huggingface_hub's PyTorchModelHubMixin, see src/depth_anything_3/api.py and
src/depth_anything_3/configs of ByteDance-Seed/Depth-Anything-3 at commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files import read_file, shown

PATCH = 14
TRAINED_SIDE = 518  # pixels; decides the size of the position embedding

MONO, METRIC, DUAL = "da3mono-large", "da3metric-large", ("da3-small", "da3-base", "da3-large")
NAMES = (MONO, METRIC, *DUAL)

_MOST_BYTES = 2**16  # the published ones have about 1200
_BACKBONES = {"vits": (384, 12, 6), "vitb": (768, 12, 12), "vitl": (1024, 24, 16)}
_FETCH = "download config.json and model.safetensors again from one of the depth-anything/DA3 pages"

# What upstream's constructors take beside what its configurations say; only what they take unasked is built here.
_HEAD_DEFAULTS: Mapping[str, Any] = {
    "patch_size": PATCH,
    "activation": "exp",
    "conf_activation": "expp1",
    "down_ratio": 1,
}
_DPT_DEFAULTS: Mapping[str, Any] = {
    **_HEAD_DEFAULTS,
    "pos_embed": False,
    "head_name": "depth",
    "use_sky_head": True,
    "sky_name": "sky",
    "sky_activation": "relu",
    "use_ln_for_heads": False,
    "norm_type": "idt",
    "fusion_block_inplace": False,
}
_DUAL_DEFAULTS: Mapping[str, Any] = {
    **_HEAD_DEFAULTS,
    "pos_embed": True,
    "aux_pyramid_levels": 4,
    "aux_out1_conv_num": 5,
    "head_names": ["depth", "ray"],
}


@dataclass(frozen=True)
class Architecture:
    """The shape of a network.

    name: upstream's name of it. metric: it tells metres. dual: depth and confidence instead of depth and sky. width, depth,
    heads: of the transformer. taps: its blocks that the head looks at. paired: the head gets two blocks' tokens side by
    side. features, channels: of the head. camera: it tells its field of view. The rest: from which block on queries and
    keys are normalised, turned by their place, and every other block looks at all pictures; None: from none.
    """

    name: str
    metric: bool
    dual: bool
    width: int
    depth: int
    heads: int
    taps: tuple[int, ...]
    paired: bool
    features: int
    channels: tuple[int, ...]
    camera: bool
    qk_norm_from: int | None = None
    rope_from: int | None = None
    alternate_from: int | None = None

    @property
    def tokens(self) -> int:
        """The length of the tokens that the head gets."""
        return 2 * self.width if self.paired else self.width


def read_architecture(path: Path) -> Architecture:
    """Read a `config.json`. Raises InputError with one sentence that names it if it is not of a network that can be built."""
    try:
        data = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: this is not the configuration of a network ({type(error).__name__}); {_FETCH}.") from error
    try:
        return _architecture(_section(data, "the file"))
    except _Unfit as error:
        raise InputError(f"{shown(path)}: {error}; {_FETCH}.") from error


def _text(path: Path) -> bytes:
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{shown(path)}: this is not the configuration of a network (it has {path.stat().st_size} bytes); {_FETCH}.")
    return read_file(path, limit=_MOST_BYTES)


class _Unfit(Exception):
    """What is wrong with a configuration: the middle of a sentence."""


def _architecture(data: dict[str, Any]) -> Architecture:
    name = data.get("model_name")
    if name not in NAMES:
        raise _Unfit(f"model_name is {_brief(name)}, and only {', '.join(NAMES)} can be run")
    if "config" not in data:
        raise _Unfit("it has no part 'config'")
    parts = _section(data["config"], "config")
    _known(parts, {"net", "head", "cam_enc", "cam_dec"}, "config")
    dual = name in DUAL

    net = _section(parts.get("net"), "net")
    _is_a(net, "DinoV2", "net")
    sizes = ("embed_dim", "depth", "num_heads")  # our own: networks of a size that upstream has no name for
    _known(net, {"name", "out_layers", "alt_start", "qknorm_start", "rope_start", "cat_token", *sizes}, "net")
    if any(key in net for key in sizes):
        width, depth, heads = (_number(net, key, 1, most) for key, most in zip(sizes, (2048, 64, 64)))
    elif isinstance(net.get("name"), str) and net["name"] in _BACKBONES:
        width, depth, heads = _BACKBONES[net["name"]]
    else:
        raise _Unfit(f"net.name is {_brief(net.get('name'))}, and only {', '.join(_BACKBONES)} can be run")
    if width % (4 * heads):
        raise _Unfit(f"net.embed_dim ({width}) is no multiple of four times net.num_heads ({heads})")
    taps = _numbers(net, "out_layers", 0, depth - 1)
    if list(taps) != sorted(set(taps)):
        raise _Unfit("net.out_layers does not rise")
    alternate, qk_norm, rope = (_number(net, key, -1, depth) for key in ("alt_start", "qknorm_start", "rope_start"))
    paired = net.get("cat_token")
    if not isinstance(paired, bool):
        raise _Unfit("net.cat_token is neither true nor false")

    head = _section(parts.get("head"), "head")
    _is_a(head, "DualDPT" if dual else "DPT", "head")
    defaults = _DUAL_DEFAULTS if dual else _DPT_DEFAULTS
    _known(head, {"dim_in", "output_dim", "features", "out_channels", *defaults}, "head")
    for key, value in defaults.items():
        if key in head and (head[key] != value or type(head[key]) is not type(value)):
            raise _Unfit(f"head.{key} is {_brief(head[key])}, and only {_brief(value)} can be run")
    features, channels = _number(head, "features", 8, 1024), _numbers(head, "out_channels", 4, 4096)
    if features % 8 or any(c % 4 for c in channels):
        raise _Unfit("head.features is no multiple of 8 or one of head.out_channels none of 4")
    tokens = 2 * width if paired else width
    _number(head, "dim_in", tokens, tokens)
    _number(head, "output_dim", 1 + dual, 1 + dual)

    camera = parts.get("cam_dec") is not None
    if camera:
        decoder = _section(parts["cam_dec"], "cam_dec")
        _is_a(decoder, "CameraDec", "cam_dec")
        _known(decoder, {"dim_in"}, "cam_dec")
        _number(decoder, "dim_in", tokens, tokens)

    def start(number: int) -> int | None:
        return None if number < 0 else number

    return Architecture(
        name,
        name == METRIC,
        dual,
        width,
        depth,
        heads,
        taps,
        paired,
        features,
        channels,
        camera,
        start(qk_norm),
        start(rope),
        start(alternate),
    )


def _section(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unfit(f"{name} is no group of settings")
    return value


def _is_a(section: Mapping[str, Any], expected: str, name: str) -> None:
    """Check upstream's class, where the section names it."""
    kind = section.get("__object__")
    if kind is not None and _section(kind, f"{name}.__object__").get("name") != expected:
        raise _Unfit(f"{name} is {_brief(kind.get('name'))} instead of {expected}")


def _known(section: Mapping[str, Any], keys: set[str], name: str) -> None:
    for key in section:
        if key not in keys and key != "__object__":
            raise _Unfit(f"{name} has a setting {_brief(key)} that is not known here")


def _number(section: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = section.get(key)
    if type(value) is not int or not least <= value <= most:
        wanted = f"{least}" if least == most else f"a whole number from {least} to {most}"
        raise _Unfit(f"{key} is {_brief(value)} instead of {wanted}")
    return value


def _numbers(section: Mapping[str, Any], key: str, least: int, most: int) -> tuple[int, ...]:
    values = section.get(key)
    if not isinstance(values, list) or len(values) != 4 or any(type(v) is not int or not least <= v <= most for v in values):
        raise _Unfit(f"{key} is {_brief(values)} instead of four whole numbers from {least} to {most}")
    return tuple(values)


def _brief(value: Any) -> str:
    """A value as it may stand in a sentence."""
    text = "missing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
