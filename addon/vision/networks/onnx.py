"""Any depth network as an .onnx file, run by onnxruntime where it is installed and by OpenCV where it is not: in Blender.

onnxruntime comes first because it is right whenever it answers; OpenCV 4.11 refuses some operators and has been seen to
compute nonsense with others, so that its answers are looked at, and another runtime is asked where they cannot be meant.
What the file does not say (mean and deviation of colours, what the output means) is taken from `<name>.json` beside it, or
from the hub's files around it, or assumed to be as most are; docs/networks.md describes the file.
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import DeviceError, InputError
from ..cv import cv
from ..files import read_file, shown
from ..layered import DepthKind
from . import Floats, Network, OutOfMemory, Prediction, hub_folder
from .inputs import Recipe, prepare
from .onnx_graph import FLOAT, FLOAT16, LARGEST_FILE, UINT8, Graph, Value, read_graph
from .quiet import quiet

KEYS = ("size", "multiple", "mean", "std", "kind", "output")
_LARGEST_SIDE = 4096
_ABSURD = 1e20
_DTYPES = {FLOAT: np.float32, FLOAT16: np.float16, UINT8: np.uint8}


def load(source: Path, device: str) -> Network:
    """Load the network in the file `source`.

    device: "auto", "cpu", "cuda" or "cuda:N"; only onnxruntime can use a graphics card. Raises InputError if the file, the
    JSON file beside it or the network cannot be used, DeviceError if the device is not there, UsageError without OpenCV.
    """
    graph = read_graph(source)
    plan = _plan(source, graph)
    for name in graph.external:
        if Path(name).name != name or not (source.parent / name).is_file():
            raise InputError(f"{shown(source)}: its weights lie in another file, {shown(name[:80])}, which is not beside it; copy both.")
    network = OnnxNetwork(source, plan, _runners(source, graph, plan, device))
    if device.startswith("cuda") and network.device == "CPU":
        raise DeviceError("onnxruntime cannot use the graphics card here; bring its CUDA libraries up to date, or choose the CPU.")
    return network


@dataclass(frozen=True)
class Plan:
    """How the network is fed and read.

    input: the input's name. axes: how many axes it has. last: whether colours are its last axis (NHWC) rather than the third
    from the end (NCHW). dtype: of its elements. fixed: whether it takes one size only. output: the name of what is read.
    several: whether it has other outputs.
    """

    input: str
    axes: int
    last: bool
    dtype: Any
    recipe: Recipe
    fixed: bool
    kind: DepthKind
    output: str
    several: bool


class OnnxNetwork:
    """A loaded network; `networks.Network` says what it offers. `runtime` is what runs it, "onnxruntime" or "OpenCV"."""

    device: str
    side: int
    fixed: bool
    runtime: str

    def __init__(self, path: Path, plan: Plan, runners: Openers) -> None:
        """Open the network with the first of `runners` that can. Raises InputError if none can."""
        self._path, self._plan, self._openers = path, plan, runners
        self.side, self.fixed = min(plan.recipe.size), plan.fixed
        reasons: dict[str, str] = {}
        for name, opened in runners:
            try:
                self._use(opened())
                return
            except _Refused as error:
                reasons[name] = str(error)
        raise self._unusable(reasons)

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it; see `networks.Network`. Raises InputError if no runtime can run it or its answer is no map of depth.

        A runtime that takes over from one that could not stays.
        """
        del focal
        plan = self._plan
        try:
            inputs = _shaped(prepare(picture, plan.recipe, self.side if plan.fixed else side), plan)
            reasons: dict[str, str] = {}
            place = [name for name, _ in self._openers].index(self.runtime)
            for name, opened in [(self.runtime, lambda: self._runner), *self._openers[place + 1 :]]:
                try:
                    runner = opened()
                    values = _as_map(runner.run(inputs))
                    _check_sense(values, picture)
                except _Refused as error:
                    reasons[name] = str(error)
                    continue
                self._use(runner)
                return Prediction(values, plan.kind)
        except MemoryError as error:
            raise OutOfMemory(str(error)) from error
        raise self._unusable(reasons)

    def _use(self, runner: Runner) -> None:
        self._runner = runner
        self.device, self.runtime = runner.device, runner.name

    def _unusable(self, reasons: Mapping[str, str]) -> InputError:
        remedy = "export it again, in another way"
        if _OnnxRuntime.name not in reasons:
            remedy = "install onnxruntime in the Python that runs the networks, or export it with a fixed size (docs/networks.md)"
        listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return InputError(f"{shown(self._path)}: this network cannot be run ({listed}); {remedy}.")


def _shaped(inputs: Floats, plan: Plan) -> NDArray[Any]:
    """From float32 3×h×w to what the network takes."""
    if plan.last:
        inputs = np.moveaxis(inputs, 0, 2)
    if plan.dtype == np.uint8:
        inputs = np.clip(np.rint(inputs), 0, 255)
    return np.ascontiguousarray(inputs.reshape((1,) * (plan.axes - 3) + inputs.shape), plan.dtype)


def _as_map(answer: NDArray[Any]) -> Floats:
    """The answer without its axes of length 1: float32 h×w."""
    shape = tuple(n for n in answer.shape if n != 1)
    if len(shape) != 2:
        raise _Refused(f"its answer has the shape {answer.shape}, which is no map of depth")
    return np.ascontiguousarray(answer.reshape(shape), np.float32)


def _check_sense(values: Floats, picture: Floats) -> None:
    """Raises _Refused if an answer cannot be meant."""
    known = values[np.isfinite(values)]
    if known.size * 2 < values.size:
        raise _Refused("most of its answer are no numbers")
    if max(float(known.max()), -float(known.min())) > _ABSURD:
        raise _Refused("its answer holds absurd numbers")
    if known.size > 1 and known.min() == known.max() and float(np.ptp(picture)) > 0.1:
        raise _Refused("its answer is the same everywhere")


# What runs it ----------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    """A runtime cannot run this network; the text says why."""


class Runner(Protocol):
    """A network opened by a runtime."""

    name: str
    device: str

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]: ...


Openers = list[tuple[str, Callable[[], Runner]]]
"""Runtimes by name, and what opens the network with them or raises _Refused."""


def _runners(path: Path, graph: Graph, plan: Plan, device: str) -> Openers:
    """What may run the network, best first. Raises DeviceError for a device that none of them can use."""
    if device not in ("auto", "cpu") and not re.fullmatch(r"cuda(:\d+)?", device):
        raise DeviceError(f'An ONNX network cannot run on "{device}"; choose "cpu" or "cuda".')
    runtime = _installed("onnxruntime")
    card = runtime is not None and "CUDAExecutionProvider" in runtime.get_available_providers()
    if device.startswith("cuda") and not card:
        raise DeviceError("There is no onnxruntime that can use a graphics card here; install onnxruntime-gpu, or choose the CPU.")
    runners: Openers = []
    if runtime is not None:
        number = int(device.partition(":")[2] or 0) if card and device != "cpu" else None
        runners.append((_OnnxRuntime.name, lambda: _OnnxRuntime(runtime, path, plan, number)))
    if not device.startswith("cuda"):
        runners.append((_OpenCV.name, lambda: _OpenCV(path, graph, plan)))
    return runners


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


class _OnnxRuntime:
    name = "onnxruntime"

    def __init__(self, runtime: Any, path: Path, plan: Plan, card: int | None) -> None:
        self._plan = plan
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        providers: list[Any] = ["CPUExecutionProvider"]
        if card is not None:
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": card}))
        try:
            with quiet():  # it prints where a provider fails
                self._session = runtime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # noqa: BLE001 - its exceptions have no common base of their own
            raise _refusal(error) from error
        # Where its libraries for the card are missing it goes on with the CPU.
        self.device = "Graphics card" if self._session.get_providers()[0] != "CPUExecutionProvider" else "CPU"

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        try:
            return self._session.run([self._plan.output], {self._plan.input: inputs})[0]
        except Exception as error:  # noqa: BLE001 - see above
            raise _refusal(error) from error


class _OpenCV:
    name = "OpenCV"
    device = "CPU"

    def __init__(self, path: Path, graph: Graph, plan: Plan) -> None:
        self._plan = plan
        cv2 = cv()
        if graph.external:
            raise _Refused("it cannot read weights that lie in another file")
        if plan.axes > 4:
            raise _Refused(f"it cannot feed an input of {plan.axes} axes")
        data = np.frombuffer(read_file(path, limit=LARGEST_FILE), np.uint8)  # not the name: it may not be ASCII
        try:
            self._network = cv2.dnn.readNetFromONNX(data)
        except cv2.error as error:
            raise _refusal(error) from error

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        cv2 = cv()
        try:
            self._network.setInput(inputs.astype(np.float32), self._plan.input)
            return np.asarray(self._network.forward(self._plan.output) if self._plan.several else self._network.forward())
        except cv2.error as error:
            raise _refusal(error) from error


def lacks_memory(error: Exception) -> bool:
    """Whether OpenCV or onnxruntime raised `error` because memory ran out."""
    text = str(getattr(error, "err", None) or error)
    return getattr(error, "code", 0) == -4 or bool(
        re.search(r"bad_?alloc|out of memory|failed to allocate|insufficient memory", text, re.I)
    )


def _refusal(error: Exception) -> Exception:
    """The reason in a few words. Returns OutOfMemory instead if that was it."""
    text = " ".join(str(getattr(error, "err", None) or error).split())
    if lacks_memory(error):
        return OutOfMemory(text[:200])
    node = re.search(r"Node \[([\w.]+)", text)
    return _Refused(f"it cannot compute {node[1]}" if node else text[:120])


# What the file and those around it say ---------------------------------------------------------------------------------


def _plan(path: Path, graph: Graph) -> Plan:
    """Find out how the network is fed and read. Raises InputError."""
    said = _said(path)
    given = _image_input(path, graph)
    last, height, width = _layout(path, given)
    recipe, kind = hub_folder.beside(path) or (Recipe((0, 0), multiple=0), DepthKind.AFFINE_DISPARITY)
    if "mean" in said or "std" in said:
        recipe = replace(recipe, scale=1.0, mean=said.get("mean", recipe.mean), std=said.get("std", recipe.std))
    if given.kind == UINT8:  # such networks normalise by themselves
        recipe = replace(recipe, scale=255.0, mean=(0.0,) * 3, std=(1.0,) * 3)
    fixed = height is not None or width is not None
    size = (height or width or 0, width or height or 0)
    if fixed:
        if said.get("size", size) != size:
            raise InputError(
                f"{shown(path)}: the network takes {size[0]} rows of {size[1]} pixels only; take size out of {_json_of(path).name}."
            )
        recipe = replace(recipe, size=size, keep=False, multiple=1)
    else:
        multiple = said.get("multiple") or math.lcm(
            recipe.multiple or 1, graph.stride if graph.stride >= 8 else 32 if not recipe.multiple else 1
        )
        usual = recipe.size if recipe.size[0] else (518, 518) if multiple % 14 == 0 else (384, 384)
        keep = len(set(said["size"])) == 1 if "size" in said else recipe.keep
        recipe = replace(recipe, size=said.get("size", usual), keep=keep, multiple=multiple)
    names = [value.name for value in graph.outputs]
    output = said.get("output") or next((n for n in names if re.search("depth|disp", n, re.I)), names[0])
    if output not in names:
        raise InputError(
            f"{shown(_json_of(path))}: the network has no output {output!r}; it has {', '.join(shown(n[:40]) for n in names[:8])}."
        )
    return Plan(
        given.name, len(given.shape or (0,) * 4), last, _DTYPES[given.kind], recipe, fixed, said.get("kind", kind), output, len(names) > 1
    )  # fmt: skip


def _image_input(path: Path, graph: Graph) -> Value:
    given, *more = graph.inputs
    if more:
        names = ", ".join(shown(value.name[:40]) for value in graph.inputs[:8])
        raise InputError(f"{shown(path)}: this network wants more than a picture ({names}); export it with the picture as its only input.")
    if given.kind not in _DTYPES:
        raise InputError(f"{shown(path)}: the input {shown(given.name[:40])} of this network is no picture; choose a depth network.")
    return given


def _layout(path: Path, given: Value) -> tuple[bool, int | None, int | None]:
    """Whether colours come last, and the height and width that the network insists on."""
    shape = list(given.shape or (None,) * 4)
    if 3 <= len(shape) <= 5 and all(n in (1, None) for n in shape[:-3]):
        channel, rest = shape[-3], shape[-2:]
        if channel == 3 or (channel is None and shape[-1] != 3):
            return False, _bounded(path, rest[0]), _bounded(path, rest[1])
        if shape[-1] == 3:
            return True, _bounded(path, shape[-3]), _bounded(path, shape[-2])
    shown_shape = "×".join("?" if n is None else str(n) for n in shape)
    raise InputError(f"{shown(path)}: the input of this network is {shown_shape}, not one colour picture; choose a depth network.")


def _bounded(path: Path, length: int | None) -> int | None:
    if length is not None and length > _LARGEST_SIDE:
        raise InputError(f"{shown(path)}: the network wants a picture with a side of {length} pixels; choose one for smaller pictures.")
    return length


def _json_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _said(path: Path) -> dict[str, Any]:
    """What the JSON file beside the network says, checked. Raises InputError that names the file and the entry."""
    file = _json_of(path)
    if not file.exists():
        return {}
    entries = hub_folder.read_json(file)
    said: dict[str, Any] = {}
    for key, value in entries.items():
        try:
            said[key] = _CHECKS[key](value)
        except KeyError as error:
            raise InputError(f"{shown(file)}: there is no entry {shown(key[:40])!r}; it may hold {', '.join(KEYS)}.") from error
        except (TypeError, ValueError, OverflowError) as error:
            text = json.dumps(value)[:60]
            raise InputError(f"{shown(file)}: {key} cannot be {text}; docs/networks.md says what it may be.") from error
    return said


def _checked_size(value: Any) -> tuple[int, int]:
    height, width = (value, value) if isinstance(value, int) else value
    return _whole(height, _LARGEST_SIDE), _whole(width, _LARGEST_SIDE)


def _whole(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise ValueError(value)
    return value


def _colours(value: Any) -> tuple[float, ...]:
    numbers = tuple(float(n) for n in value)
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError(value)
    return numbers


def _deviations(value: Any) -> tuple[float, ...]:
    numbers = _colours(value)
    if min(numbers) <= 0:
        raise ValueError(value)
    return numbers


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "size": _checked_size,
    "multiple": lambda value: _whole(value, 512),
    "mean": _colours,
    "std": _deviations,
    "kind": DepthKind,
    "output": _name,
}
