"""A folder in the hub's format (config.json, preprocessor_config.json, model.safetensors), looked at before anything heavy runs.

Everything in such a folder may be hostile or cut short. Here only JSON and the table at the start of a safetensors file are
read, with bounds, so that most of what can be wrong is said in a moment, and so that the libraries never see an entry that
would make them run code of the folder's, fetch something, or build a network of absurd size.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files import read_file, shown
from ..layered import DepthKind
from .inputs import IMAGENET_MEAN, IMAGENET_STD, Recipe

CONFIG, PREPROCESSOR, WEIGHTS, INDEX = "config.json", "preprocessor_config.json", "model.safetensors", "model.safetensors.index.json"

_JSON_LIMIT = 2**20
_TABLE_LIMIT = 2**26
_LARGEST_NUMBER = 16384  # of anything in a config: channels, pixels, labels
_MOST_LAYERS = 256
_DEEPEST = 8
_LARGEST_SIDE = 4096
_LARGEST_MULTIPLE = 512
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_RESAMPLE = {1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers

# What would make a library fetch or run something, or choose other code to run by.
_DROPPED = frozenset(
    "auto_map backbone use_timm_backbone use_pretrained_backbone backbone_kwargs quantization_config attn_implementation "
    "_attn_implementation _attn_implementation_internal experts_implementation dtype torch_dtype custom_pipelines "
    "_name_or_path trust_remote_code base_model_tp_plan base_model_pp_plan distributed_config use_kernels".split()
)
_BACKBONES = frozenset("beit bit dinov2 dinov2_with_registers dinov3_vit swin swinv2 tipsv2_vision_model vit".split())


@dataclass(frozen=True)
class Family:
    """What all networks of one `model_type` have in common.

    defaults: preprocessing entries that the library fills in where the folder's file is silent. published: what stands in the
    published folders' file beyond that, for a folder without one. half: whether it may compute
    in half precision. square: whether it takes square inputs only. fixed: whether it takes one size only. antialias: as in
    Recipe. mirrored: whether its pictures are padded and resampled as ZoeDepth's.
    """

    name: str
    defaults: Mapping[str, Any]
    published: Mapping[str, Any] = field(default_factory=dict)
    half: bool = True
    square: bool = False
    fixed: bool = False
    antialias: bool = True
    mirrored: bool = False


_HALVES = [0.5, 0.5, 0.5]
_DPT = {"size": 384, "resample": 3, "keep_aspect_ratio": False, "ensure_multiple_of": 1, "image_mean": _HALVES, "image_std": _HALVES}
FAMILIES = {
    "depth_anything": Family(
        "Depth Anything",
        _DPT,
        {"size": 518, "keep_aspect_ratio": True, "ensure_multiple_of": 14, "image_mean": IMAGENET_MEAN, "image_std": IMAGENET_STD},
    ),
    "dpt": Family("DPT", _DPT),
    "zoedepth": Family(
        "ZoeDepth",
        {**_DPT, "size": {"height": 384, "width": 512}, "resample": 2, "keep_aspect_ratio": True, "ensure_multiple_of": 32, "do_pad": True},
        # The choice between its heads counts positions beyond what half precision can tell apart.
        half=False,
        antialias=False,
        mirrored=True,
    ),
    "depth_pro": Family("Depth Pro", {**_DPT, "size": 1536, "resample": 2}, square=True, fixed=True, antialias=False),
    # GLPN has no size of its own: 480 is the height of the pictures that it was trained on.
    "glpn": Family("GLPN", {"size": 480, "resample": 2, "keep_aspect_ratio": True, "size_divisor": 32, "do_normalize": False}, half=False),
    "tipsv2_dpt": Family("TIPSv2", {"size": 448, "resample": 2, "do_normalize": False, "ensure_multiple_of": 14}),
}
_REFUSED = {
    "prompt_depth_anything": "needs a depth map of a phone's LiDAR beside the picture, which a photo does not bring",
    "chmv2": "measures the height of trees from above, not depth",
}


@dataclass(frozen=True)
class HubFolder:
    """A folder that has passed: its config without what is dangerous, and what its network wants and gives."""

    path: Path
    model_type: str
    family: Family
    config: dict[str, Any]
    recipe: Recipe
    kind: DepthKind


def read(source: Path) -> HubFolder:
    """Look at the folder `source` (or at the one that holds the file `source`, if that is one of its three).

    Raises InputError with one sentence if a file is missing, damaged or cut short, if the weights are pickled, or if the
    network is of a kind that cannot be used.
    """
    folder = source.parent if source.name in (CONFIG, PREPROCESSOR, WEIGHTS, INDEX) else source
    if not folder.is_dir():
        raise InputError(f"{shown(folder)}: there is no such folder; name the folder that holds {CONFIG} and {WEIGHTS}.")
    config = read_json(folder / CONFIG)
    model_type = config.get("model_type")
    if isinstance(model_type, str) and model_type in _REFUSED:
        raise InputError(f"{shown(folder)}: this network {_REFUSED[model_type]}; choose another network.")
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        known = ", ".join(family.name for family in FAMILIES.values())
        what = f'a network of the type "{shown(model_type[:40])}"' if isinstance(model_type, str) else "a network of no stated type"
        raise InputError(f"{shown(folder / CONFIG)}: this is {what}, which is not known here; choose one of {known}.")
    family = FAMILIES[model_type]
    config = _harmless(config, folder / CONFIG)
    recipe = _recipe(family, config, _entries(folder, family), folder / PREPROCESSOR)
    _check_weights(folder)
    return HubFolder(folder, model_type, family, config, recipe, _kind(model_type, config))


def beside(file: Path) -> tuple[Recipe, DepthKind] | None:
    """What the hub's files around an exported network say of its pictures and its answer; None if they say nothing.

    They lie beside `file`, or one folder higher if that folder is called onnx, as the hub's exports do. Only families whose
    answer needs no more than a change of name are believed. Raises InputError if one of the files is damaged.
    """
    folder = file.parent.parent if file.parent.name == "onnx" and not (file.parent / CONFIG).exists() else file.parent
    if not (folder / CONFIG).is_file():
        return None
    config = read_json(folder / CONFIG)
    model_type = config.get("model_type")
    if model_type not in ("depth_anything", "dpt", "glpn"):
        return None
    family = FAMILIES[model_type]
    recipe = _recipe(family, config, _entries(folder, family), folder / PREPROCESSOR)
    return recipe, _kind(model_type, config)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of at most a megabyte. Raises InputError if it cannot be read or holds anything else."""
    if not path.exists():
        raise InputError(f"{shown(path)}: this file is missing; copy all files of the network into one folder.")
    try:
        data = json.loads(read_file(path, limit=_JSON_LIMIT).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: this is not JSON ({_first_line(error)}); copy or download it again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{shown(path)}: this holds no settings; copy or download it again.")
    return data


def _kind(model_type: str, config: Mapping[str, Any]) -> DepthKind:
    if model_type == "depth_anything":
        metric = config.get("depth_estimation_type", "relative") == "metric"
    elif model_type == "dpt":
        # Those with DINOv2 were trained on metres (NYU, KITTI); the others are MiDaS's, trained on disparity.
        metric = _backbone(config).get("model_type") in ("dinov2", "dinov2_with_registers")
    else:
        metric = True
    return DepthKind.METRIC_DEPTH if metric else DepthKind.AFFINE_DISPARITY


# The config ------------------------------------------------------------------------------------------------------------


def _harmless(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """The config without what could fetch or run something. Raises InputError if it describes no network of sane size."""
    _check_sizes(config, path, "", 0)
    clean = {key: value for key, value in config.items() if key not in _DROPPED}
    for key, value in clean.items():
        if isinstance(value, dict):
            clean[key] = {k: v for k, v in value.items() if k not in _DROPPED}
            implied = "bit" if config.get("is_hybrid") else None  # the published file of DPT Hybrid may leave it out
            if (key == "backbone_config" or "model_type" in value) and value.get("model_type", implied) not in _BACKBONES:
                raise InputError(f"{shown(path)}: this network is built on one that is not known here; choose another network.")
    if clean.get("backbone_config") is None and (config.get("backbone") is not None or config.get("use_timm_backbone")):
        raise InputError(f"{shown(path)}: this network would fetch a part of itself from elsewhere; choose one that is whole.")
    return clean


def _check_sizes(value: Any, path: Path, name: str, depth: int) -> None:
    absurd = InputError(f'{shown(path)}: "{shown(name[:40])}" has no sensible value; copy or download the file again.')
    if depth > _DEEPEST:
        raise absurd
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        most = _MOST_LAYERS if "layers" in name or name == "depths" else _LARGEST_NUMBER
        if not math.isfinite(value) or abs(value) > most:
            raise absurd
    elif isinstance(value, dict):
        if len(value) > _LARGEST_NUMBER:
            raise absurd
        for key, inner in value.items():
            _check_sizes(inner, path, key, depth + 1)
    elif isinstance(value, list):
        if len(value) > _LARGEST_NUMBER:
            raise absurd
        for inner in value:
            _check_sizes(inner, path, name, depth + 1)


def _backbone(config: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = config.get("backbone_config")
    return inner if isinstance(inner, dict) else {}


# The preprocessing -----------------------------------------------------------------------------------------------------


def _entries(folder: Path, family: Family) -> Mapping[str, Any]:
    """What the folder says of the preprocessing. Its file may be missing: copies by hand often lack it."""
    return read_json(folder / PREPROCESSOR) if (folder / PREPROCESSOR).exists() else family.published


def _recipe(family: Family, config: Mapping[str, Any], entries: Mapping[str, Any], path: Path) -> Recipe:
    entries = {**family.defaults, **{key: value for key, value in entries.items() if value is not None}}
    try:
        height, width = _size(entries["size"])
        multiple = int(entries.get("ensure_multiple_of", 1)) or 1
        if not family.mirrored and (entries.get("do_pad") or "ensure_multiple_of" not in entries):
            # Where the library adds a black border up to that multiple, or cuts the picture's size down to it.
            multiple = math.lcm(multiple, int(entries.get("size_divisor") or 1))
        multiple, square = _steps(family, config, multiple)
        keep = (bool(entries.get("keep_aspect_ratio")) or _edge(entries["size"]) is not None) and not square
        if not (0 < multiple <= _LARGEST_MULTIPLE and 0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
            raise ValueError("a size is out of range")
        factor = float(entries.get("rescale_factor", 1 / 255)) if entries.get("do_rescale", True) else 1.0
        normalise = entries.get("do_normalize", True)
        mean = tuple(float(n) for n in entries["image_mean"]) if normalise else (0.0, 0.0, 0.0)
        std = tuple(float(n) for n in entries["image_std"]) if normalise else (1.0, 1.0, 1.0)
        if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, (*mean, *std, factor))) or min(std) <= 0 or factor <= 0:
            raise ValueError("the mean or deviation of colours is out of range")
        name = _RESAMPLE[int(entries["resample"])]
        return Recipe(
            (height, width), keep, multiple, 255 * factor, mean, std, name,
            family.antialias, family.mirrored, family.mirrored and bool(entries.get("do_pad")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"{type(error).__name__} {_first_line(error)}"
        raise InputError(f"{shown(path)}: this does not say how the network takes a picture ({reason}); download it again.") from error


def _size(size: Any) -> tuple[int, int]:
    if isinstance(size, dict):
        edge = _edge(size)
        return (int(edge), int(edge)) if edge is not None else (int(size["height"]), int(size["width"]))
    return int(size), int(size)


def _edge(size: Any) -> Any:
    return size.get("shortest_edge") if isinstance(size, dict) else None


def _steps(family: Family, config: Mapping[str, Any], multiple: int) -> tuple[int, bool]:
    """The multiple of both sides, and whether the network takes square inputs only."""
    inner = _backbone(config)
    patch = 1
    for entries in (config, inner):
        found = entries.get("patch_size")
        if isinstance(found, list) and found:
            found = found[0]
        if found is not None:
            if not isinstance(found, int) or not 0 < found <= _LARGEST_MULTIPLE:
                raise ValueError("the patches of config.json are out of range")
            patch = found
    if family is FAMILIES["dpt"]:
        if not inner or config.get("is_hybrid"):
            return math.lcm(multiple, patch), True  # the library folds its tokens into a square
        return math.lcm(multiple, 2 * patch), False  # an odd number of patches would be stretched over half a patch more
    return (multiple if family.fixed else math.lcm(multiple, patch)), family.square


# The weights -----------------------------------------------------------------------------------------------------------


def _check_weights(folder: Path) -> None:
    """Raises InputError unless all weights are there, whole, as safetensors."""
    if (folder / WEIGHTS).is_file():
        check_safetensors(folder / WEIGHTS)
        return
    if (folder / INDEX).is_file():
        names = read_json(folder / INDEX).get("weight_map")
        files = set(names.values()) if isinstance(names, dict) and all(isinstance(n, str) for n in names.values()) else set()
        if not files or any(Path(n).name != n or not n.endswith(".safetensors") for n in files):
            raise InputError(f"{shown(folder / INDEX)}: this does not name the files of the weights; download it again.")
        for name in sorted(files):
            check_safetensors(folder / name)
        return
    pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED)
    if pickled:
        raise InputError(
            f"{shown(folder / pickled[0])}: these weights are pickled Python, which can run anything when it is read; "
            f"use the network's {WEIGHTS} instead."
        )
    raise InputError(f"{shown(folder / WEIGHTS)}: the weights are missing; copy them into the folder.")


def check_safetensors(path: Path) -> None:
    """Compare the table at the start of a safetensors file with the file's size, without reading the weights.

    Raises InputError if the file is missing, cut short, or no safetensors. Damage inside the weights does not show here.
    The format: 8 bytes of length, a JSON table of that length, the numbers (github.com/huggingface/safetensors).
    """
    again = "copy or download it again"
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            if start == b"version ":
                raise InputError(f"{shown(path)}: this is a pointer of Git LFS, not the weights; download the file itself.")
            length = int.from_bytes(start, "little")
            if len(start) < 8 or not 2 <= length <= min(_TABLE_LIMIT, size - 8):
                raise InputError(f"{shown(path)}: this is no safetensors file, or only its first bytes; {again}.")
            table = json.loads(file.read(length).decode("utf-8"))
        ends = [0, *(int(entry["data_offsets"][1]) for name, entry in table.items() if name != "__metadata__")]
    except OSError as error:
        raise InputError(f"{shown(path)}: the weights cannot be read ({error.strerror or error}); {again}.") from error
    except (ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{shown(path)}: the table of this safetensors file is damaged; {again}.") from error
    if 8 + length + max(ends) != size:
        raise InputError(f"{shown(path)}: the file has {size} bytes instead of {8 + length + max(ends)}; {again}.")


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
