"""What players must know of a film for two eyes: the boxes st3d and sv3d of an MP4.

Source: Google's "Spherical Video V2 RFC" (google/spatial-media, docs/spherical-video-v2-rfc.md). Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .mp4 import Node, video_entries

_STEREO_MODES = {
    ("top-bottom", "left"): 1,
    ("half-top-bottom", "left"): 1,
    ("side-by-side", "left"): 2,
    ("half-side-by-side", "left"): 2,
    ("side-by-side", "right"): 4,
    ("half-side-by-side", "right"): 4,
    ("vr180", "left"): 2,
    ("vr180", "right"): 2,  # VR180 is always left first
}
_BEFORE = (b"avcC", b"hvcC", b"av1C", b"esds", b"vpcC")
"""The boxes of a sample entry that are not optional; st3d and sv3d come right behind them."""


def describe(mode: str, first: str = "left") -> Callable[[Node], None] | None:
    """What `mp4.move_moov_first` is to do with the index of a film packed as `mode`; None if players need not know anything.

    There is no number for a top-bottom film with the right eye on top, which therefore says nothing of itself.
    """
    stereo = _STEREO_MODES.get((mode, first))
    if stereo is None:
        return None
    boxes = [st3d(stereo)]
    if mode == "vr180":
        boxes.append(sv3d())

    def edit(moov: Node) -> None:
        for entry in video_entries(moov):
            children = entry.children
            if children is None:
                continue
            children[:] = [child for child in children if child.kind not in (b"st3d", b"sv3d")]
            at = 1 + max((i for i, child in enumerate(children) if child.kind in _BEFORE), default=-1)
            children[at:at] = [Node(box.kind, box.payload, box.children) for box in boxes]

    return edit


def st3d(stereo_mode: int) -> Node:
    """The box that says how two views share a picture: 1 left on top, 2 left on the left, 4 right on the left."""
    return Node(b"st3d", struct.pack(">IB", 0, stereo_mode))


def sv3d(source: str = "Stillscape") -> Node:
    """The box that says that a picture is equirectangular and covers the half sphere before the viewer."""
    quarter = 1 << 30  # of the whole turn, as a fraction of 2^32: cut off at the left and at the right
    header = Node(b"svhd", struct.pack(">I", 0) + source.encode() + b"\0")
    pose = Node(b"prhd", struct.pack(">Iiii", 0, 0, 0, 0))
    projection = Node(b"equi", struct.pack(">IIIII", 0, 0, 0, quarter, quarter))
    return Node(b"sv3d", b"", [header, Node(b"proj", b"", [pose, projection])])
