"""Reads weight files that torch wrote (.pt, .pth), as files that came from anywhere: nothing in them is run."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ..files import shown

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports]

_CHUNK = 2**22


def read_torch_file(path: Path) -> Any:
    """What torch.save wrote: tables, lists, numbers, text and tensors. The tensors are views of the file, to be copied.

    The file's own checksums are compared first (about a second a gigabyte), since torch ignores them and a flipped bit would
    only show as a strange depth. Then torch reads it with `weights_only`, which knows no classes and no functions but those
    that make tensors, and with `mmap`, which holds every tensor to what the file has.
    Raises InputError with one sentence if the file is missing, damaged, or holds anything but weights.
    """
    name = shown(path)
    if not path.is_file():
        raise InputError(f"{name}: there is no such file; name the network's weight file.")
    _check_archive(path, name)
    import torch  # pyright: ignore[reportMissingImports]

    try:
        return torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a forged file can bring the reader to raise anything
        reason = _reason(error)
        raise InputError(
            f"{name}: it holds other things than weights or is damaged, and was not loaded ({reason}); get it from its publisher."
        ) from error


def _reason(error: Exception) -> str:
    """The part of torch's many sentences that says what it met."""
    said = " ".join(str(error).split())
    if called := re.search(r"GLOBAL (\S+)", said):
        return shown(f"it asks for {called[1]}")[:120]
    said = said.partition("WeightsUnpickler error: ")[2] or said
    return shown(re.split(r"[.:;] ", said)[0]).rstrip(".")[:120] or type(error).__name__


def _check_archive(path: Path, name: str) -> None:
    """Raise InputError if `path` is not a whole archive of uncompressed files whose checksums are right."""
    damaged = f"{name}: the weight file is damaged or not complete; get it again."
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if not stored or sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise InputError(f"{name}: this archive was not written by PyTorch; name the network's weight file itself.")
            if not any(entry.CRC for entry in entries):
                return  # torch can be told to write none
            for entry in entries:
                with archive.open(entry) as stream:
                    while stream.read(_CHUNK):
                        continue
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(damaged) from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error}); choose a file that can.") from error


def load_weights(net: torch.nn.Module, weights: object, path: Path, what: str) -> None:
    """Fill `net`, built on torch's device "meta", with float32 copies of `weights`, a table of names and tensors.

    Nothing is allocated before names and shapes are found to be the network's and the file is found to hold as much. Raises
    InputError with one sentence if they are not, or if a weight is not a finite number; `what` names the network.
    """
    import torch  # pyright: ignore[reportMissingImports]

    name = shown(path)
    wrong = f"{name}: these are not the weights of {what} that the file describes"
    remedy = "get the file again from its publisher."
    if not isinstance(weights, dict) or not all(isinstance(t, torch.Tensor) for t in weights.values()):
        raise InputError(f"{wrong} (no table of tensors); {remedy}")
    wanted = net.state_dict()
    for problem, names in (("is missing", wanted.keys() - weights.keys()), ("is too many", weights.keys() - wanted.keys())):
        if names:
            raise InputError(f"{wrong} ({shown(sorted(map(str, names))[0])[:80]} {problem}); {remedy}")
    for key, tensor in weights.items():
        # A file can also hold tensors without numbers, sparse ones and lists of several.
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and not tensor.is_nested and tensor.device.type == "cpu"
        if not plain or tensor.layout != torch.strided or not tensor.dtype.is_floating_point:
            raise InputError(f"{wrong} ({key} is no table of fractional numbers); {remedy}")
        if tensor.shape != wanted[key].shape:
            raise InputError(f"{wrong} ({key} has the shape {tuple(tensor.shape)}, not {tuple(wanted[key].shape)}); {remedy}")
    # A view that repeats one number takes no room in a file and any in memory.
    if sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) > path.stat().st_size:
        raise InputError(f"{wrong} (the file is too short for them); {remedy}")
    copies = {key: tensor.detach().to(torch.float32, copy=True) for key, tensor in weights.items()}
    for key, tensor in copies.items():
        if not torch.isfinite(tensor).all():
            raise InputError(f"{name}: {key} holds what is no number; {remedy}")
    net.load_state_dict(copies, strict=True, assign=True)
