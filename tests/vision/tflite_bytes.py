"""The smallest files that are TensorFlow Lite: flat buffers written by hand, so that no test needs the tflite package.

They take and give what MediaPipe's networks do, and are none of them: what they find is a patch of red.
"""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

AVERAGE_POOL, CONCATENATION, CONVOLUTION, RESHAPE, CUSTOM = 1, 2, 3, 22, 32
SAME, VALID = 0, 1


class Int(int):
    """A field of four bytes; a plain int takes one."""


class Union(tuple):
    """(kind, table): two fields of which the first says what the second is."""


class Writer:
    """Writes tables (lists of fields), vectors (lists of tables, arrays, texts) one after the other."""

    def __init__(self):
        self.out = bytearray()

    def align(self, to):
        self.out += b"\0" * (-len(self.out) % to)

    def table(self, fields):
        sizes = [0 if f is None else 1 if type(f) in (int, bool) else 4 for f in fields]
        places, at = [0] * len(fields), 4
        for i in sorted(range(len(fields)), key=lambda i: -sizes[i]):
            if sizes[i]:
                places[i], at = at, at + sizes[i]
        self.align(4)
        vtable = len(self.out)
        self.out += struct.pack(f"<HH{len(fields)}H", 4 + 2 * len(fields), at, *places)
        self.align(4)
        start = len(self.out)
        self.out += struct.pack("<i", start - vtable) + b"\0" * (at - 4)
        for field, place, size in zip(fields, places, sizes):
            if size == 1:
                struct.pack_into("<b", self.out, start + place, field)
            elif isinstance(field, Int):
                struct.pack_into("<i", self.out, start + place, field)
        for field, place, size in zip(fields, places, sizes):
            if size == 4 and not isinstance(field, Int):
                self.align(4)
                child = self.value(field)
                struct.pack_into("<I", self.out, start + place, child - start - place)
        return start

    def value(self, value):
        if isinstance(value, tuple):
            return self.table(list(value))
        if isinstance(value, str):
            value = value.encode()
            start = self.vector(len(value), value + b"\0")
            return start
        if isinstance(value, bytes):
            self.out += b"\0" * (-(len(self.out) + 4) % 16)
            return self.vector(len(value), value)
        if isinstance(value, np.ndarray):
            return self.vector(len(value), value.astype("<i4").tobytes())
        start = self.vector(len(value), b"\0" * 4 * len(value))
        for i, item in enumerate(value):
            self.align(4)
            child = self.value(item)
            struct.pack_into("<I", self.out, start + 4 + 4 * i, child - (start + 4 + 4 * i))
        return start

    def vector(self, count, content):
        start = len(self.out)
        self.out += struct.pack("<I", count) + content
        return start


class Model:
    """Collects tensors, weights and operators of one network."""

    def __init__(self):
        self.tensors, self.buffers, self.codes, self.operators = [], [(None,)], [], []

    def tensor(self, name, shape, values=None):
        number = 0
        kind = 0
        if values is not None:
            values = np.asarray(values)
            kind = 2 if values.dtype.kind == "i" else 0
            self.buffers.append((values.astype("<i4" if kind else "<f4").tobytes(),))
            number = len(self.buffers) - 1
        self.tensors.append((np.array(shape), kind, Int(number), name))
        return len(self.tensors) - 1

    def operator(self, code, inputs, output, kind, options, custom=None):
        if (code, custom) not in self.codes:
            self.codes.append((code, custom))
        index = self.codes.index((code, custom))
        self.operators.append((Int(index), np.array(inputs), np.array([output]), kind, options))
        return output

    def convolution(self, name, given, shape, weights, bias, stride):
        w = self.tensor(name + "/w", weights.shape, weights.astype(np.float32))
        b = self.tensor(name + "/b", bias.shape, bias.astype(np.float32))
        out = self.tensor(name, shape)
        return self.operator(CONVOLUTION, [given, w, b], out, 1, (VALID, Int(stride), Int(stride), 0, Int(1), Int(1)))

    def pool(self, name, given, shape, side):
        out = self.tensor(name, shape)
        return self.operator(AVERAGE_POOL, [given], out, 5, (VALID, Int(side), Int(side), Int(side), Int(side), 0))

    def reshape(self, name, given, shape):
        target = self.tensor(name + "/shape", [len(shape)], np.array(shape, np.int32))
        out = self.tensor(name, shape)
        return self.operator(RESHAPE, [given, target], out, 17, (np.array(shape),))

    def joined(self, name, given, shape, axis):
        out = self.tensor(name, shape)
        return self.operator(CONCATENATION, given, out, 10, (Int(axis), 0))

    def bytes(self, inputs, outputs):
        codes = [(code, custom, Int(1), Int(code)) for code, custom in self.codes]
        graph = (self.tensors, np.array(inputs), np.array(outputs), self.operators, "main")
        writer = Writer()
        writer.out += b"\0\0\0\0TFL3"
        root = writer.table([Int(3), codes, [graph], "test", self.buffers])
        struct.pack_into("<I", writer.out, 0, root)
        return bytes(writer.out)


def detector(side=128, strides=((8, 2), (16, 6)), keys=6, extent=48.0, places=None):
    """A network that takes patches of red for what a detector finds: a box `extent` pixels wide around each, and its points."""
    model = Model()
    image = model.tensor("image", (1, side, side, 3))
    boxes, scores = [], []
    wide = 4 + 2 * keys
    values = np.zeros(wide)
    values[2:4] = extent
    values[4:] = np.ravel(places if places is not None else np.zeros((keys, 2)))
    total = 0
    for stride, each in strides:
        cells = side // stride
        count = cells * cells * each
        total += count
        weights = np.zeros((each * wide, stride, stride, 3))
        bias = np.tile(values, each)
        raw = model.convolution(f"b{stride}", image, (1, cells, cells, each * wide), weights, bias, stride)
        boxes.append(model.reshape(f"rb{stride}", raw, (1, count, wide)))
        red = np.zeros((each, stride, stride, 3))
        red[0] = np.array((40.0, -40.0, -40.0)) / stride**2
        bias = np.full(each, -100.0)
        bias[0] = -60.0
        raw = model.convolution(f"s{stride}", image, (1, cells, cells, each), red, bias, stride)
        scores.append(model.reshape(f"rs{stride}", raw, (1, count, 1)))
    if len(strides) > 1:
        ends = [model.joined("regressors", boxes, (1, total, wide), 1), model.joined("classificators", scores, (1, total, 1), 1)]
    else:
        ends = [boxes[0], scores[0]]
    return model.bytes([image], ends)


def constant_points(values, side=192, flag=5.0, more=()):
    """A network that gives the same numbers for every picture, but for its flag, which says that there is something if it is bright."""
    model = Model()
    image = model.tensor("image", (1, side, side, 3))
    mean = model.pool("mean", image, (1, 1, 1, 3), side)
    ends = []
    for name, bias in (("points", np.ravel(values)), *more):
        bias = np.asarray(bias, float)
        ends.append(model.convolution(name, mean, (1, 1, 1, len(bias)), np.zeros((len(bias), 1, 1, 3)), bias, 1))
    ends.append(model.convolution("flag", mean, (1, 1, 1, 1), np.full((1, 1, 1, 3), 4 * flag / 3), np.array([-flag]), 1))
    return model.bytes([image], ends)


def with_custom_operator(side=192):
    """What a network with an operator of its own looks like."""
    model = Model()
    image = model.tensor("image", (1, side, side, 3))
    out = model.tensor("points", (1, 1, 1, 1404))
    model.operator(CUSTOM, [image], out, 0, None, "Landmarks2TransformMatrix")
    return model.bytes([image], [out])


def archive(**files):
    """A `.task` file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(f"{name}.tflite", content)
        packed.writestr("metadata.txt", "about")
    return out.getvalue()
