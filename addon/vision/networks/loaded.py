"""The network that stays loaded from one photo to the next, and how a file or folder is told to be one."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError, RenderError
from ..files import shown
from . import Network, OutOfMemory
from .devices import empty_cache, torch_device
from .hub_folder import read_json

BACKENDS = ("auto", "moge", "depth_anything_3", "onnx")


class _Key(NamedTuple):
    backend: str
    source: Path
    state: tuple[tuple[str, int, int], ...]
    device: str


_kept: tuple[_Key, Network] | None = None


def load(backend: str, source: Path, device: str) -> Network:
    """The network in `source` (a file or a folder), run by `backend`; the one of the last call if it is the same.

    device: as the setting --network-device. Raises a StillscapeError with one sentence if it cannot be loaded.
    """
    global _kept
    # OpenCV runs .onnx files without torch, which may not be there.
    name = _onnx_device(device) if backend == "onnx" else torch_device(device)
    key = _Key(backend, source.resolve(), _state(source), name)
    if _kept is not None and _kept[0] == key:
        return _kept[1]
    if _kept is not None:  # two large networks may not fit side by side
        old = _kept[0].device
        _kept = None
        empty_cache(old)
    try:
        network: Network = importlib.import_module(f"{__package__}.{backend}").load(source, name)
    except OutOfMemory as error:
        raise RenderError(
            f"{shown(source)}: there is not enough memory to load this network ({name}); choose a smaller one, close other programs, "
            "or set the network device to CPU."
        ) from error
    _kept = key, network
    return network


def _onnx_device(device: str) -> str:
    """A device for an .onnx file: the card that was chosen for the large networks where onnxruntime can use it, else the processor."""
    if device == "cuda" and importlib.util.find_spec("onnxruntime"):
        return device if "CUDAExecutionProvider" in importlib.import_module("onnxruntime").get_available_providers() else "cpu"
    return "auto" if device == "auto" else "cpu"


def is_loaded(backend: str, source: Path) -> bool:
    """Whether the next `load` of it takes no time."""
    return _kept is not None and _kept[0][:3] == (backend, source.resolve(), _state(source))


def _state(source: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes if the files do."""
    try:
        files = sorted(p for p in source.iterdir() if p.is_file()) if source.is_dir() else [source]
        return tuple((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files)
    except OSError as error:
        raise InputError(f"{shown(source)}: the network cannot be read ({error.strerror or error}); check the name.") from error


def tell_backend(source: Path) -> tuple[str, Path]:
    """(backend, file or folder to load) for a network of the user's own. Raises InputError if it is none that we can run."""
    if not source.exists():
        raise InputError(f"{shown(source)}: there is no such network file or folder; check the name.")
    if source.is_dir():
        if (source / "config.json").is_file():
            return ("auto" if "model_type" in read_json(source / "config.json") else "depth_anything_3"), source
        found = sorted(source.glob("*.onnx")) + sorted(source.glob("*.pt"))
        if len(found) != 1:
            raise InputError(
                f"{shown(source)}: this folder holds no network; it needs a config.json and weights, a model.pt or one .onnx file."
            )
        source = found[0]
    suffix = source.suffix.lower()
    if suffix == ".onnx":
        return "onnx", source
    if suffix == ".pt":
        return "moge", source
    if suffix == ".safetensors" and (source.parent / "config.json").is_file():
        return tell_backend(source.parent)
    raise InputError(
        f"{shown(source)}: not a network that Stillscape can run; choose an .onnx file, a model.pt of MoGe, or a folder with a config.json."
    )
