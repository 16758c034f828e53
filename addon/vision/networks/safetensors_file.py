"""Reads weights from a safetensors file, which unlike a pickle can hold nothing but numbers, and checks that they fit.

Imports torch and safetensors: import this only inside functions. The format: a length, a JSON header of names, types and
shapes, then the numbers (github.com/huggingface/safetensors).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch  # pyright: ignore[reportMissingImports]
from safetensors import SafetensorError, safe_open  # pyright: ignore[reportMissingImports]
from torch import Tensor  # pyright: ignore[reportMissingImports]

from ...errors import InputError
from ..files import shown

_AGAIN = "download it again"


def read_weights(
    path: Path, shapes: Mapping[str, tuple[int, ...]], *, what: str, prefix: str = "", unused: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """Read the tensors named in `shapes`, float32 on the CPU, each of the shape given there.

    The file must hold all of them and nothing else but names that start with one of `unused`. prefix: what the file's names
    may begin with before those of `shapes` and `unused`. what: the network's name, for messages.
    Raises InputError with one sentence that names the file if it is missing, no safetensors file, cut short, of another
    network, or holds a number that is not finite. Nothing is read before names, types and shapes are found to fit.
    """
    if not path.is_file():
        raise InputError(f"{shown(path)}: there is no such file; the weights of {what} are needed there, as a safetensors file.")
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            names = {key.removeprefix(prefix): key for key in file.keys()}
            _check_names(path, set(names), set(shapes), unused, what)
            for name, shape in shapes.items():
                part = file.get_slice(names[name])
                if tuple(part.get_shape()) != shape or part.get_dtype() not in ("F64", "F32", "F16", "BF16"):
                    raise InputError(
                        f"{shown(path)}: these are not the weights of {what} ({name} is {part.get_dtype()} "
                        f"{_size(part.get_shape())} instead of float {_size(shape)}); choose the file that belongs to the config.json."
                    )
            weights = {name: file.get_tensor(names[name]).to(torch.float32) for name in shapes}
    except SafetensorError as error:
        raise InputError(f"{shown(path)}: no whole safetensors file ({error}); {_AGAIN}.") from error
    except OSError as error:
        raise InputError(f"{shown(path)}: the weights cannot be read ({error.strerror or error}); check the file.") from error
    for name, weight in weights.items():
        if not bool(torch.isfinite(weight).all()):
            raise InputError(f"{shown(path)}: the weights are damaged ({name} holds no numbers in places); {_AGAIN}.")
    return weights


def _check_names(path: Path, found: set[str], wanted: set[str], unused: tuple[str, ...], what: str) -> None:
    missing = sorted(wanted - found)
    extra = sorted(name for name in found - wanted if not name.startswith(unused))
    if missing or extra:
        wrong = f"{missing[0]} is missing" if missing else f"{shown(extra[0])[:80]} does not belong there"
        more = len(missing) + len(extra) - 1
        raise InputError(
            f"{shown(path)}: these are not the weights of {what} ({wrong}{f', and {more} more' if more else ''}); "
            "choose the file that belongs to the config.json."
        )


def _size(shape: tuple[int, ...] | list[int]) -> str:
    return "×".join(str(n) for n in shape) or "1"
