"""The depth networks that Stillscape knows, by `models.json`: where each is published and what its license allows.

Standard library only, since Blender's Python, a user's Python and plain Python all read it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import InputError, UsageError
from ..files import read_file, shown

SCHEMA = 1
BACKENDS = ("auto", "moge", "depth_anything_3", "onnx")
NEWEST = "main"
"""The revision of a model whose commit is not known: what is there on the first download is noted and kept."""

_LIST = Path(__file__).with_name("models.json")
_MODEL_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
# No folders, no leading dot: the name is joined to paths and addresses as it stands.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OURS = (".part", "stillscape.json")
"""What the store itself writes beside the files."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a network. What is None is not known beforehand: it is noted on first use and must not change after."""

    name: str
    bytes: int | None
    sha256: str | None
    optional: bool = False
    """Whether the network runs without it, so that a publisher or a copy by hand may leave it out."""


@dataclass(frozen=True)
class Model:
    """A depth network that can be downloaded."""

    name: str
    """As on the command line."""
    label: str
    """As in a menu, in title case."""
    help: str
    """One sentence for tooltip and --help, without a full stop."""
    backend: str
    """Which file of this folder runs it: one of BACKENDS."""
    repository: str
    """OWNER/NAME on the hub."""
    revision: str
    """A commit (40 hexadecimal digits), or NEWEST where none is known."""
    licence: str
    """Of the weights, as an SPDX identifier where there is one, or "not stated"."""
    commercial: bool
    """Whether that license plainly allows commercial work."""
    note: str
    """What else should be known about the license; may be empty."""
    bytes: int
    """About the size of all files; where the publisher's number is not known, four bytes for each parameter."""
    files: tuple[ModelFile, ...]
    side: int
    """The length in pixels of the input's shorter side that it was made for."""
    memory: int
    """About the bytes of memory that one picture at `side` takes on the processor in float32, PyTorch included."""


@lru_cache(maxsize=1)
def _known() -> tuple[Model, ...]:
    return read_catalogue(_LIST)


def catalogue() -> dict[str, Model]:
    """Every known network by its name, in the order of menus. Raises InputError if the extension's own list is damaged."""
    return {model.name: model for model in _known()}


def find_model(name: str) -> Model:
    """The network called `name`. Raises UsageError with the nearest names if there is none."""
    models = catalogue()
    if name in models:
        return models[name]
    near = difflib.get_close_matches(name.lower(), models, n=3, cutoff=0.5)
    raise UsageError(f"The depth network {shown(name)!r} is not known: choose one of {', '.join(near or models)}.")


def read_catalogue(path: Path) -> tuple[Model, ...]:
    """The networks in a list such as models.json. Raises InputError that names the list and the entry if one is not right."""
    try:
        data = json.loads(read_file(path, limit=4_000_000).decode("utf-8"))
        if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("models"), list):
            raise ValueError(f"it should be an object with schema {SCHEMA} and a list of models")
        models = tuple(_model(entry, number) for number, entry in enumerate(data["models"], 1))
        _check_names(models)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path)}: the list of depth networks is damaged ({shown(str(error))}); install Stillscape again."
        ) from error
    return models


def _check_names(models: tuple[Model, ...]) -> None:
    """A folder of files is found by a model's name or by its repository's: both must lead to one model."""
    seen: dict[str, str] = {}
    for model in models:
        for name in {model.name, model.repository.partition("/")[2].lower()}:
            if name in seen:
                raise ValueError(f"{model.name} and {seen[name]} would share the folder {name}")
            seen[name] = model.name


def _model(entry: Any, number: int) -> Model:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(f"entry {number} has no name")
    name = entry["name"]
    fields = _take(
        entry,
        f"{name}: ",
        {"label": str, "help": str, "backend": str, "repository": str, "revision": str, "licence": str, "note": str}
        | {"name": str, "commercial": bool, "bytes": int, "files": list, "side": int, "memory": int},
    )
    files = tuple(_file(name, file) for file in fields.pop("files"))
    model = Model(files=files, **fields)
    wrong = [
        what
        for what, right in (
            ("name", _MODEL_NAME.fullmatch(name)),
            ("label", model.label),
            ("help", model.help and not model.help.endswith(".")),
            ("backend", model.backend in BACKENDS),
            ("repository", _REPOSITORY.fullmatch(model.repository) and ".." not in model.repository),
            ("revision", model.revision == NEWEST or _COMMIT.fullmatch(model.revision)),
            ("licence", model.licence),
            ("bytes", model.bytes > 0 and model.bytes >= sum(file.bytes or 0 for file in files)),
            ("side", model.side > 0),
            ("memory", model.memory > 0),
            ("files", any(not f.optional for f in files) and len({f.name.lower() for f in files}) == len(files)),
        )
        if not right
    ]
    if wrong:
        raise ValueError(f"{name}: {', '.join(wrong)} cannot be right")
    return model


def _file(model: str, entry: Any) -> ModelFile:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(f"{model}: a file has no name")
    where = f"{model}: {entry['name']}: "
    fields = _take({"optional": False, **entry}, where, {"name": str, "bytes": int, "sha256": str, "optional": bool}, ("bytes", "sha256"))
    file = ModelFile(**fields)
    if not _FILE_NAME.fullmatch(file.name) or file.name.lower().endswith(_OURS):
        raise ValueError(f"{where}this is no plain file name")
    if file.bytes is not None and file.bytes <= 0:
        raise ValueError(f"{where}bytes cannot be right")
    if file.sha256 is not None and not _SHA256.fullmatch(file.sha256):
        raise ValueError(f"{where}sha256 cannot be right")
    return file


def _take(entry: Mapping[str, Any], where: str, kinds: Mapping[str, type], nullable: tuple[str, ...] = ()) -> dict[str, Any]:
    """The entries named by `kinds`, each of its kind (or null); ValueError for one that is missing, unknown or another kind."""
    if odd := sorted(set(entry) ^ set(kinds)):
        raise ValueError(f"{where}{', '.join(odd)} missing or unknown")
    for name, kind in kinds.items():
        value = entry[name]
        if value is None and name in nullable:
            continue
        # In Python true is an int too.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{where}{name} should be of type {kind.__name__}")
    return {name: entry[name] for name in kinds}
