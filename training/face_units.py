"""What a face's muscles do, distilled from MakeHuman's expression units into small fields over the face of average size.

    python -m training.face_units --human FOLDER      writes addon/vision/face_units.npz and addon/vision/canonical.py

The units are MakeHuman's morph targets `expression/units` for the base mesh hm08 (CC0 1.0; Data Collection AB, Joel Palmius, Jonas
Hauquier and the MakeHuman community, www.makehumancommunity.org), the mean of those for its three origins, on the average adult of
`canonical_face`. Each becomes a displacement for every place of the face as seen from the front, smoothed, on a grid: no vertex and no
face of the mesh is in the file. Lips part, so a field is a mean of both sides and half their difference, which is zero away from the
mouth. `addon/vision/face_units.py` makes shape keys of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.vision.canonical import LIP_LINE
from addon.vision.face_units import COLUMNS, LEFT, PITCH, QUANTUM, ROWS, TOP, ramp, within_face
from training.canonical_face import Average, average, text
from training.scenes.people_body import RACES

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """What becomes one field. units: those that it sums, with their strengths. floor: the height below which it has faded away.

    only: +1 or -1 if just the upper or the lower lip keeps it. closed: both lips move alike where they meet. fine, broad: metres of smoothing at the lips and away from them; the mesh's
    faces are 2 mm wide there, 8 mm in cheeks and forehead, where its units end within one of them.
    """

    units: dict[str, float]
    floor: float
    only: int = 0
    closed: bool = False
    fine: float = 0.0016
    broad: float = 0.0045


FIELDS = {
    "brow_down": Field({"eyebrows-left-down": 1.1}, -0.03, broad=0.005),
    "brow_inner": Field({"eyebrows-left-inner-up": 1.5}, -0.03, broad=0.0065),
    "brow_outer": Field({"eyebrows-left-extern-up": 1.2}, -0.03, broad=0.0065),
    "sneer": Field({"nose-left-elevation": 1.0, "nose-left-dilatation": 0.7}, -0.07, broad=0.0025),
    "smile": Field({"mouth-corner-puller": 1.0}, -0.115, closed=True),
    "frown": Field({"mouth-depression": 1.0}, -0.115, closed=True),
    "stretch": Field({"neck-platysma": 1.0}, -0.105, closed=True, fine=0.0025, broad=0.007),
    "dimple": Field({"mouth-retraction": 1.0}, -0.115, closed=True),
    "raise": Field({"mouth-elevation": 1.0}, -0.115, 1),
    "drop": Field({"mouth-depression-retraction": 1.0}, -0.12, -1),
    "funnel": Field({"mouth-protusion": 1.0}, -0.12),
    "pucker": Field({"mouth-pursing": 1.0}, -0.12, closed=True),
}

FINE = PITCH / 2  # metres a pixel while rasterising
MARGIN = 10 * PITCH  # beyond the grid


def displaced(head: Average, units: dict[str, float]) -> Array:
    """How far the vertices move, N×3, canonical axes."""
    result = np.zeros_like(head.vertices)
    for name, strength in units.items():
        for race in RACES:
            index, delta = head.human.target(f"expression/units/{race}/{name}")
            d = delta.astype(np.float64)
            result[index] += np.stack([d[:, 0], d[:, 2], -d[:, 1]], 1) * (strength * head.scale / len(RACES))
    return result


def rasterised(head: Average, values: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Values N×K of the vertices as the viewer sees them, rows × columns × K, and where there is any skin."""
    left, top = LEFT - MARGIN, TOP + MARGIN
    columns, rows = (round(((n - 1) * PITCH + 2 * MARGIN) / FINE) + 1 for n in (COLUMNS, ROWS))
    image = np.zeros((rows, columns, values.shape[1]))
    near = np.full((rows, columns), -np.inf)
    quads = head.human.body_faces
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    p = head.vertices[triangles]
    p2 = np.stack([(p[..., 0] - left) / FINE, (top - p[..., 1]) / FINE], -1)
    inside = (p2.min(1) < [columns, rows]).all(1) & (p2.max(1) > 0).all(1) & (p[..., 2].max(1) > -0.12)
    for t, q, z in zip(triangles[inside], p2[inside], p[inside][..., 2]):
        (ax, ay), (bx, by), (cx, cy) = q
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area >= -1e-9:  # rows go down: what faces the viewer turns the other way
            continue
        x0, y0 = np.maximum(np.ceil(q.min(0)).astype(int), 0)
        x1, y1 = np.minimum(np.floor(q.max(0)).astype(int), (columns - 1, rows - 1))
        if x1 < x0 or y1 < y0:
            continue
        x, y = np.meshgrid(np.arange(x0, x1 + 1), np.arange(y0, y1 + 1))
        b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
        c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
        a = 1 - b - c
        depth = a * z[0] + b * z[1] + c * z[2]
        window = near[y0 : y1 + 1, x0 : x1 + 1]
        seen = (np.minimum(np.minimum(a, b), c) >= -1e-9) & (depth > window)
        window[seen] = depth[seen]
        shares = np.stack([a[seen], b[seen], c[seen]], 1)
        image[y0 : y1 + 1, x0 : x1 + 1][seen] = shares @ values[t]
    return image, np.isfinite(near)


def spread(image: Array, known: NDArray[np.bool_], sigma: float) -> Array:
    """A Gaussian mean (sigma in pixels) of what is known, carried on where nothing is."""
    result = np.zeros_like(image)
    weight = np.zeros(known.shape)
    share = 1.0
    for widening in (1.0, 2.5, 6.0, 15.0):
        k = cv2.GaussianBlur(known.astype(np.float64), (0, 0), sigma * widening)
        v = cv2.GaussianBlur(image * known[..., None], (0, 0), sigma * widening)
        here = (1 - weight) * np.clip(k / 0.2, 0, 1) * share
        result += v / np.maximum(k, 1e-9)[..., None] * here[..., None]
        weight += here
    return result / np.maximum(weight, 1e-9)[..., None]


def fields(head: Average) -> dict[str, tuple[Array, Array]]:
    """Each field's mean of the sides and half their difference, ROWS × COLUMNS × 3 metres."""
    values = np.concatenate([displaced(head, field.units) for field in FIELDS.values()], 1)
    image, skin = rasterised(head, values)
    rows, columns = skin.shape
    x, y = np.meshgrid(LEFT - MARGIN + FINE * np.arange(columns), TOP + MARGIN - FINE * np.arange(rows))
    line = np.interp(np.abs(x), LIP_LINE[:, 0], LIP_LINE[:, 1])
    above = y - line
    corner = LIP_LINE[-1, 0]
    beyond = np.abs(x) > corner
    # Fine about the lips, where the mesh is fine; broad in the cheeks, whose faces are a centimetre wide.
    away = ramp((np.hypot(np.maximum(np.abs(x) - corner, 0), above) - 0.008) / 0.02)[..., None]
    every = round(PITCH / FINE)
    first = round(MARGIN / FINE)
    result = {}
    for k, (name, field) in enumerate(FIELDS.items()):
        only = field.only
        own = image[..., 3 * k : 3 * k + 3]
        sides = []
        for sign in (1, -1):
            known = skin & ((sign * above > 0) | beyond)
            fine, broad = (spread(own, known, s / FINE) for s in (field.fine, field.broad))
            side = fine * (1 - away) + broad * away
            sides.append(side if only in (0, sign) else np.zeros_like(side))
        upper, lower = sides
        fade = ramp((0.012 - np.abs(above)) / 0.007) * ramp((corner + 0.001 - np.abs(x)) / 0.005)
        half = (upper - lower) / 2 * fade[..., None]
        if only:  # the other lip stays; beyond the corner the field ends at its height, softly
            wide = 0.003 + 0.6 * np.maximum(np.abs(x) - corner, 0)
            kept = np.where(beyond, ramp((only * above + wide) / (2 * wide)), only * above > 0)
            own_side = (upper if only > 0 else lower) * kept[..., None]
        else:
            own_side = np.where(above[..., None] > 0, upper, lower)
        mean = own_side - np.sign(above)[..., None] * half
        if field.closed:
            half = np.zeros_like(half)
        size = np.linalg.norm(mean, axis=-1, keepdims=True) + np.linalg.norm(half, axis=-1, keepdims=True)
        calm = ramp((size - 0.00004) / 0.0003) * (ramp((y - field.floor) / 0.012) * within_face(np.stack([x, y], -1)))[..., None]
        out = []
        for v in (mean, half):
            v = cv2.GaussianBlur(v * calm, (0, 0), 0.4 * every)[first::every, first::every][:ROWS, :COLUMNS]
            out.append(v)
        result[name] = (out[0], out[1])
    return result


def packed(found: dict[str, tuple[Array, Array]]) -> dict[str, NDArray[np.int16]]:
    """Whole numbers of QUANTUM, 2 × 3 × ROWS × COLUMNS, each the difference from its left neighbour: zip makes more of those."""
    result = {}
    for name, pair in found.items():
        whole = np.round(np.stack(pair).transpose(0, 3, 1, 2) / QUANTUM).astype(np.int16)
        result[name] = np.diff(whole, axis=-1, prepend=np.int16(0))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human", type=Path, required=True, metavar="FOLDER", help="holds base.obj and targets/")
    parser.add_argument("--out", type=Path, default=Path("addon/vision"))
    options = parser.parse_args()
    head = average(options.human)
    (options.out / "canonical.py").write_text(text(head), encoding="utf-8")
    file = options.out / "face_units.npz"
    np.savez_compressed(file, **packed(fields(head)))
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
