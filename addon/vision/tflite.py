"""TensorFlow Lite files that a user brings, looked through before OpenCV runs them, and `.task` files, which are archives of them.

The format is a flat buffer (docs of FlatBuffers, "Internals"); the fields are those of tensorflow's `schema.fbs`, as OpenCV
4.11 holds it (opencv/opencv, modules/dnn/src/tflite/schema.fbs, commit 08b809d4). OpenCV checks the tables, but neither that
weights are as long as their shapes say nor that it knows the operators.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cv import cv
from .files import read_file, shown

LARGEST_FILE = 200_000_000  # bytes
_MOST_TABLES = 100_000
_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1, 10: 8}  # of TensorType
_FLOAT32 = 0
_OPTIONS = {0: 11, 1: 5, 2: 10, 3: 1, 4: 2, 9: 8, 17: 5, 18: 21, 23: 15, 25: 9}
"""By BuiltinOperator, the kind of BuiltinOptions that it has: sums, pools, joins, convolutions, full connections, products, resizing."""
_CUSTOM = 32
_INPUTS = {0: 2, 3: 2, 4: 2, 9: 2, 18: 2, 23: 2}  # by BuiltinOperator, how many it has at least


class Tensor(NamedTuple):
    """An input or output: its name and shape (the first number being the batch's)."""

    name: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


class Signature(NamedTuple):
    """What a file takes and gives. custom: names of operators that are none of TensorFlow Lite's own."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    custom: tuple[str, ...]

    @property
    def side(self) -> int | None:
        """The side in pixels of the one square colour picture that it takes, or None if it takes something else."""
        shape = self.inputs[0].shape if len(self.inputs) == 1 else ()
        return shape[1] if len(shape) == 4 and shape[0] == 1 and shape[1] == shape[2] and shape[3] == 3 else None

    @property
    def counts(self) -> tuple[int, ...]:
        """How many numbers each output holds."""
        return tuple(o.count for o in self.outputs)


class Part(NamedTuple):
    """One network of a file: the file's path, its name for messages, its bytes, and what it takes and gives."""

    path: Path
    label: str
    data: bytes
    signature: Signature


def read_parts(path: Path) -> tuple[list[Part], list[InputError]]:
    """The networks in a `.tflite` file (one) or a `.task` archive that can be read, and why others in it cannot.

    Raises InputError with a sentence that names the file if it is no such file, damaged or too large.
    """
    data = read_file(path, limit=LARGEST_FILE)
    if data[4:8] == b"TFL3":
        return [Part(path, shown(path), data, read_signature(data, shown(path)))], []
    # MediaPipe's own archives begin with a few zeros, which align the networks in them.
    if b"PK\x03\x04" not in data[:64]:
        raise InputError(f"{shown(path)}: neither a .tflite nor a .task file of MediaPipe; download it again.")
    parts: list[Part] = []
    refused: list[InputError] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".tflite"):
                    if info.file_size > LARGEST_FILE:
                        megabytes = info.file_size / 1e6
                        raise InputError(f"{shown(path)}: a network in it is too large ({megabytes:.0f} MB); use MediaPipe's own file.")
                    label = f"{shown(path)} ({shown(info.filename)})"
                    content = archive.read(info)
                    try:
                        parts.append(Part(path, label, content, read_signature(content, label)))
                    except InputError as error:  # face_landmarker.task holds one for expressions, which OpenCV could not run
                        refused.append(error)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{shown(path)}: this .task file is damaged or incomplete; download it again.") from error
    if not parts and not refused:
        raise InputError(f"{shown(path)}: there is no .tflite network in this archive; choose a .task file of MediaPipe.")
    return parts, refused


def read_signature(data: bytes, label: str) -> Signature:
    """What a TensorFlow Lite file takes and gives. Raises InputError, naming `label`, if it is damaged, incomplete or of no use."""
    try:
        return _signature(_Buffer(data), label)
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(f"{label}: this .tflite file is damaged or incomplete; download it again.") from error


class _Buffer:
    """Tables, vectors and texts of a flat buffer; struct.error or ValueError where they leave it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.read = data, 0

    def number(self, form: str, at: int) -> int:
        if at < 0:
            raise ValueError("an offset points before the file")
        return struct.unpack_from("<" + form, self.data, at)[0]

    def field(self, table: int, index: int) -> int | None:
        """Where a table's field is, or None if it is left out."""
        self.read += 1
        if self.read > _MOST_TABLES * 8:
            raise ValueError("tables without end")
        fields = table - self.number("i", table)
        if 4 + 2 * index + 2 > self.number("H", fields):
            return None
        offset = self.number("H", fields + 4 + 2 * index)
        return table + offset if offset else None

    def followed(self, at: int) -> int:
        return at + self.number("I", at)

    def vector(self, table: int, index: int, width: int) -> tuple[int, int]:
        """Where a vector's first element is, and how many there are."""
        at = self.field(table, index)
        if at is None:
            return 0, 0
        at = self.followed(at)
        count = self.number("I", at)
        if at + 4 + count * width > len(self.data):
            raise ValueError("a vector is longer than the file")
        return at + 4, count

    def tables(self, table: int, index: int) -> list[int]:
        start, count = self.vector(table, index, 4)
        if count > _MOST_TABLES:
            raise ValueError("too many tables")
        return [self.followed(start + 4 * i) for i in range(count)]

    def integers(self, table: int, index: int) -> tuple[int, ...]:
        start, count = self.vector(table, index, 4)
        return struct.unpack_from(f"<{count}i", self.data, start)

    def text(self, table: int, index: int) -> str:
        start, count = self.vector(table, index, 1)
        return self.data[start : start + count].decode("utf-8")


def _signature(file: _Buffer, label: str) -> Signature:
    root = file.followed(0)
    graphs, buffers = file.tables(root, 2), file.tables(root, 4)
    if not graphs:
        raise ValueError("no network")
    graph = graphs[0]
    tensors: list[Tensor] = []
    constant: set[int] = set()
    for table in file.tables(graph, 0):
        shape = file.integers(table, 0)
        kind, buffer = (file.field(table, i) for i in (1, 2))
        number = file.number("I", buffer) if buffer is not None else 0
        size = file.vector(buffers[number], 0, 1)[1] if number else 0
        dtype = file.number("b", kind) if kind is not None else _FLOAT32
        if file.field(table, 6) is not None:
            raise InputError(
                f"{label}: its weights are sparse, which OpenCV cannot read; for faces use face_detection_short_range.tflite, "
                "for bodies pose_landmark_full.tflite alone."
            )
        if not size and (file.field(table, 3) is None or file.field(table, 0) is None):  # constants may be plain numbers
            raise ValueError("a tensor without a name or a shape")
        if size and (dtype not in _BYTES or any(n < 0 for n in shape) or size < prod(shape) * _BYTES[dtype]):
            raise ValueError("weights are missing")
        if size:
            constant.add(len(tensors))
        tensors.append(Tensor(file.text(table, 3), tuple(shape)))
    ends = [tuple(tensors[i] for i in file.integers(graph, field) if _within(i, tensors)) for field in (1, 2)]
    if not all(ends):
        raise ValueError("nothing goes in or comes out")
    _check_operators(file, root, graph, len(tensors), constant)
    custom = tuple(name for name in (file.text(code, 1) for code in file.tables(root, 1)) if name)
    return Signature(ends[0], ends[1], custom)


def _check_operators(file: _Buffer, root: int, graph: int, tensors: int, constant: set[int]) -> None:
    """What OpenCV takes for granted, and ends the process where it is not so; ValueError then."""
    codes = file.tables(root, 1)
    made = set(constant)
    made.update(file.integers(graph, 1))
    operators = file.tables(graph, 3)
    if not operators:
        raise ValueError("nothing is done")
    for operator in operators:
        at = file.field(operator, 0)
        code = codes[file.number("I", at) if at is not None else 0]
        at = file.field(code, 0)
        kind = file.number("b", at) if at is not None else 0
        if kind == _CUSTOM and not file.text(code, 1):
            raise ValueError("an operator without a name")
        inputs, outputs = file.integers(operator, 1), file.integers(operator, 2)
        if not inputs or not outputs or any(not 0 <= i < tensors for i in outputs):
            raise ValueError("an operator without input or output")
        if any(i != -1 and (not 0 <= i < tensors or i not in made) for i in inputs):
            raise ValueError("an operator takes what nothing gives")
        at = file.field(operator, 3)
        options = file.number("B", at) if at is not None else 0
        if (kind in _OPTIONS and options != _OPTIONS[kind]) or (options and file.field(operator, 4) is None):
            raise ValueError("an operator without its options")
        if len(inputs) < _INPUTS.get(kind, 1):
            raise ValueError("an operator without its weights")
        made.update(outputs)


def _within(index: int, tensors: list[Any]) -> bool:
    if not 0 <= index < len(tensors):
        raise ValueError("a tensor is missing")
    return True


class Network:
    """A network of a file, run by OpenCV. Raises InputError if OpenCV cannot."""

    def __init__(self, part: Part) -> None:
        self.part = part
        cv2 = cv()
        if not hasattr(cv2.dnn, "readNetFromTFLite"):
            raise InputError(f"{part.label}: this OpenCV cannot run .tflite files; use the OpenCV of the extension (4.11).")
        try:
            self._net: Any = cv2.dnn.readNetFromTFLite(np.frombuffer(part.data, np.uint8))
            self._names: list[str] = list(self._net.getUnconnectedOutLayersNames())
        except cv2.error as error:
            raise InputError(f"{part.label}: OpenCV cannot run this network ({_reason(error, part)}); {_REMEDY}") from error

    def run(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for a picture, float32 1×H×W×3, each as one row of numbers, the longest first. Raises InputError if it gives none."""
        cv2 = cv()
        try:
            self._net.setInput(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
            outputs = [np.asarray(o, np.float32).ravel() for o in self._net.forward(self._names)]
        except cv2.error as error:
            raise InputError(f"{self.part.label}: OpenCV cannot run this network ({_reason(error, self.part)}); {_REMEDY}") from error
        if not all(np.isfinite(o).all() for o in outputs):
            raise InputError(f"{self.part.label}: this network gives no numbers; download it again.")
        return sorted(outputs, key=len, reverse=True)


_REMEDY = "use face_landmarker.task, or face_landmark.tflite and face_detection_short_range.tflite of MediaPipe."


def _reason(error: Exception, part: Part) -> str:
    if part.signature.custom:
        return f"it lacks the operator {part.signature.custom[0]}"
    text = str(getattr(error, "err", "") or error).strip()
    return text.splitlines()[-1].strip()[:120] if text else "no reason given"
