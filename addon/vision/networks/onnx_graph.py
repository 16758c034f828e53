"""What an ONNX file says of its inputs and outputs, read without the onnx package.

The file is one message of protocol buffers (protobuf.dev/programming-guides/encoding); the numbers of the fields are those of
`onnx/onnx.proto` of the package onnx 1.23.2. Every length is checked against what holds it: the bytes may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ..files import read_file, shown

FLOAT, UINT8, FLOAT16 = 1, 2, 10
"""Types of elements that pictures come in, as ONNX numbers them."""

LARGEST_FILE = 2**31
"""Bytes of one message of protocol buffers."""

_MOST_FIELDS = 2_000_000
_LONGEST_NAME = 2000
_MOST_AXES = 16
_LARGEST_AXIS = 2**31


class _Damaged(ValueError):
    pass


@dataclass(frozen=True)
class Value:
    """An input or output. kind: ONNX's number of its type, 0 if it is no tensor. shape: None for what is not fixed; None as a
    whole if nothing is said."""

    name: str
    kind: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Graph:
    """inputs: those that must be given. opset: version of ONNX's own operators. stride: the largest stride of its first
    convolution, 1 if there is none; a vision transformer's patch. external: the names of the files beside it that hold
    weights."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opset: int
    stride: int
    external: tuple[str, ...]


def read_graph(path: Path) -> Graph:
    """Read the graph of an ONNX file. Raises InputError if the file is missing, empty, or no whole ONNX file."""
    if not path.exists():
        raise InputError(f"{shown(path)}: there is no such network; check the name.")
    try:
        return _model(read_file(path, limit=LARGEST_FILE))
    except _Damaged as error:
        raise InputError(f"{shown(path)}: this is no ONNX network, or it is cut short ({error}); copy or export it again.") from error


# The wire format -------------------------------------------------------------------------------------------------------

_Field = tuple[int, int, int]
"""A field's number, then the place and end of its bytes; for a number, the number and −1."""


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise _Damaged("a number has no end")


def _fields(data: bytes, at: int, end: int) -> Iterator[_Field]:
    for _ in range(_MOST_FIELDS):
        if at == end:
            return
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if not 0 < number < 2**29:
            raise _Damaged("a field has no number")
        if wire == 0:
            value, at = _varint(data, at, end)
            yield number, value, -1
            continue
        if wire == 2:
            length, at = _varint(data, at, end)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise _Damaged("a field is of no known kind")
        if length > end - at:
            raise _Damaged("a part reaches past its end")
        yield number, at, at + length
        at += length
    raise _Damaged("there are too many fields")


def _parts(data: bytes, field: _Field) -> Iterator[_Field]:
    _, start, end = field
    if end < 0:
        raise _Damaged("a number stands where a part should")
    return _fields(data, start, end)


def _text(data: bytes, field: _Field) -> str:
    _, start, end = field
    if end < 0 or end - start > _LONGEST_NAME:
        raise _Damaged("a name is none")
    try:
        return data[start:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Damaged("a name is no text") from error


def _whole(field: _Field) -> int:
    _, value, end = field
    if end >= 0:
        raise _Damaged("a part stands where a number should")
    return value - 2**64 if value >= 2**63 else value


# The messages ----------------------------------------------------------------------------------------------------------


def _model(data: bytes) -> Graph:
    graph: _Field | None = None
    opset = 0
    for field in _fields(data, 0, len(data)):
        if field[0] == 7:
            graph = field
        elif field[0] == 8:
            opset = max(opset, _opset(data, field))
    if graph is None:
        raise _Damaged("it holds no graph")
    inputs: list[Value] = []
    outputs: list[Value] = []
    given: set[str] = set()
    external: set[str] = set()
    nodes: list[_Node] = []
    stride = 0
    for field in _parts(data, graph):
        if field[0] == 1:
            node = _node(data, field)
            stride = stride or node.stride
            nodes.append(node)
        elif field[0] == 5:
            name, elsewhere = _initializer(data, field)
            given.add(name)
            external.update(elsewhere)
        elif field[0] == 15:
            given.update(_initializer(data, inner)[0] for inner in _parts(data, field) if inner[0] == 1)
        elif field[0] == 11:
            inputs.append(_value(data, field))
        elif field[0] == 12:
            outputs.append(_value(data, field))
    asked = tuple(value for value in inputs if value.name not in given)
    if not asked or not outputs:
        raise _Damaged("it has no input or no output")
    _check_names(nodes, given | {value.name for value in inputs}, outputs)
    return Graph(asked, tuple(outputs), opset, max(1, stride), tuple(sorted(external)))


def _opset(data: bytes, field: _Field) -> int:
    domain, version = "", 0
    for part in _parts(data, field):
        if part[0] == 1:
            domain = _text(data, part)
        elif part[0] == 2:
            version = _whole(part)
    return version if domain in ("", "ai.onnx") else 0


def _value(data: bytes, field: _Field) -> Value:
    name, kind, shape = "", 0, None
    for part in _parts(data, field):
        if part[0] == 1:
            name = _text(data, part)
        elif part[0] == 2:
            for inner in _parts(data, part):
                if inner[0] == 1:  # a tensor; a sequence or a map is nothing that a picture comes in
                    kind, shape = _tensor_type(data, inner)
    return Value(name, kind, shape)


def _tensor_type(data: bytes, field: _Field) -> tuple[int, tuple[int | None, ...] | None]:
    kind, shape = 0, None
    for part in _parts(data, field):
        if part[0] == 1:
            kind = _whole(part)
        elif part[0] == 2:
            shape = tuple(_axis(data, axis) for axis in _parts(data, part) if axis[0] == 1)
            if len(shape) > _MOST_AXES:
                raise _Damaged("an input has too many axes")
    return kind, shape


def _axis(data: bytes, field: _Field) -> int | None:
    length: int | None = None
    for part in _parts(data, field):
        if part[0] == 1:
            length = _whole(part)
            if length > _LARGEST_AXIS:
                raise _Damaged("an axis is too long")
    return length if length is not None and length > 0 else None


# Bytes of one number of each of ONNX's types, and the field that holds them where they are not in the field for raw bytes.
_STORED = {
    1: (4, 4),
    2: (1, 5),
    3: (1, 5),
    4: (2, 5),
    5: (2, 5),
    6: (4, 5),
    7: (8, 7),
    9: (1, 5),
    10: (2, 5),
    11: (8, 10),
    12: (4, 11),
    13: (8, 11),
}
_RAW = 9


def _initializer(data: bytes, field: _Field) -> tuple[str, list[str]]:
    """The name of a tensor, and the files that it lies in. OpenCV trusts a tensor to be as long as its shape says."""
    name, kind, count = "", 0, 1
    files: list[str] = []
    stored: dict[int, int] = {}
    for part in _parts(data, field):
        if part[0] == 1:
            for length in [_whole(part)] if part[2] < 0 else _packed(data, part):
                if not 0 <= length <= _LARGEST_AXIS:
                    raise _Damaged("a tensor has an impossible shape")
                count = min(count * length, 2**62)
        elif part[0] == 2:
            kind = _whole(part)
        elif part[0] == 8:
            name = _text(data, part)
        elif part[0] == 13:
            entry = {inner[0]: _text(data, inner) for inner in _parts(data, part) if inner[0] in (1, 2)}
            if entry.get(1) == "location":
                files.append(entry.get(2, ""))
        else:
            stored[part[0]] = stored.get(part[0], 0) + (part[2] - part[1] if part[2] >= 0 else 1)
    width, place = _STORED.get(kind, (0, 0))
    if width and not files:
        whole = stored[_RAW] == count * width if _RAW in stored else stored.get(place, 0) >= count if count else True
        if not whole or (kind == FLOAT and _RAW not in stored and stored.get(place, 0) != count * width):
            raise _Damaged("a tensor is not as long as its shape says")
    return name, files


@dataclass(frozen=True)
class _Node:
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stride: int


def _node(data: bytes, field: _Field) -> _Node:
    """What a node reads and writes, and its largest stride if it is a convolution, else 0."""
    inputs: list[str] = []
    outputs: list[str] = []
    kind, strides = "", [1]
    for part in _parts(data, field):
        if part[0] == 1:
            inputs.append(_text(data, part))
        elif part[0] == 2:
            outputs.append(_text(data, part))
        elif part[0] == 4:
            kind = _text(data, part)
        elif part[0] == 7 and not re.fullmatch(r"[\w.-]*", _text(data, part)):
            raise _Damaged("a part is of no known kind")
        elif part[0] == 5:
            name, numbers = "", []
            for inner in _parts(data, part):
                if inner[0] == 1:
                    name = _text(data, inner)
                elif inner[0] == 8:
                    numbers += [_whole(inner)] if inner[2] < 0 else _packed(data, inner)
            if name == "strides":
                strides = numbers or [1]
    return _Node(tuple(inputs), tuple(outputs), max(strides) if kind == "Conv" else 0)


def _check_names(nodes: list[_Node], known: set[str], outputs: list[Value]) -> None:
    """Whether every node reads what there is by then: OpenCV ends the whole process where one does not."""
    known = known | {""}  # an input that is left out
    for node in nodes:
        if not known.issuperset(node.inputs):
            raise _Damaged("a part reads what nothing has written")
        known.update(node.outputs)
    if not known.issuperset(value.name for value in outputs):
        raise _Damaged("nothing writes its output")


def _packed(data: bytes, field: _Field) -> list[int]:
    _, at, end = field
    numbers = []
    while at < end:
        number, at = _varint(data, at, end)
        numbers.append(number)
    return numbers
