"""The smallest files that are ONNX: protocol buffers written by hand, so that no test needs the onnx package."""

from __future__ import annotations

import struct


def varint(n):
    n &= 2**64 - 1
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def value_info(name, shape, kind=1):
    """An input or output; an axis that is a text is free."""
    dims = b"".join(block(1, block(2, n) if isinstance(n, str) else number(1, n)) for n in shape)
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, dims)))


def integers(name, values):
    """An attribute."""
    return block(1, name) + b"".join(number(8, n) for n in values) + number(20, 7)


def node(kind, inputs, output, *attributes):
    return b"".join(block(1, i) for i in inputs) + block(2, output) + block(4, kind) + b"".join(block(5, a) for a in attributes)


def constant(name, value, shape=(1, 1, 1, 1)):
    """A tensor of floats."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return b"".join(number(1, n) for n in shape) + number(2, 1) + block(8, name) + block(9, struct.pack(f"<{len(values)}f", *values))


def whole(name, values):
    """A tensor of 64-bit integers."""
    return number(1, len(values)) + number(2, 7) + block(8, name) + block(9, struct.pack(f"<{len(values)}q", *values))


def model(nodes, constants, inputs, outputs, opset=13):
    parts = [block(1, n) for n in nodes] + [block(2, "net")] + [block(5, c) for c in constants]
    graph = b"".join([*parts, *(block(11, i) for i in inputs), *(block(12, o) for o in outputs)])
    return number(1, 8) + block(7, graph) + block(8, number(2, opset))


def brightness(height, width):
    """A whole file: a depth network of a fixed size that takes bright for near, as one 1×1 convolution."""
    nodes = [node("Conv", ("image", "weights"), "depth", integers("kernel_shape", [1, 1]))]
    weights = constant("weights", [1 / 3] * 3, (1, 3, 1, 1))
    return model(nodes, [weights], [value_info("image", (1, 3, height, width))], [value_info("depth", (1, 1, height, width))])
