"""The canonical face: landmarks and proportions, measured on an average adult of MakeHuman's base mesh.

    python -m training.canonical_face --human FOLDER          writes addon/vision/canonical.py

The mesh is hm08, its targets MakeHuman's (CC0 1.0; Data Collection AB, Joel Palmius, Jonas Hauquier and the MakeHuman community,
www.makehumancommunity.org). The average has equal shares of the three origins and both sexes, is 32 years old and of middling build.
What is written down is a table of seventy points, two lines and a few lengths, none of the mesh.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from addon.vision.landmarks import COUNT, LEFT_EYE, LEFT_PUPIL, MIRROR, RIGHT_PUPIL
from training.scenes.people_body import Human, Traits, load, macro_targets

Points = NDArray[np.float64]

EYE = (0.0316, -0.002)  # the middle of the left eye's opening, about

AVERAGE = Traits(age=32.0, female=0.5, races=(1 / 3, 1 / 3, 1 / 3), muscle=0.5, weight=0.5, height=1.7)
PUPILS = 0.063  # metres between the pupils

# Vertices of hm08 on the subject's left half. The rim of the lids goes once around; what divides it are the two corners.
LIDS = (6850, 6847, 6886, 6844, 6841, 6838, 6785, 6784, 6790, 6793, 6796, 6799, 6802, 6805)  # upper, from the inner corner outwards
LOWER_LIDS = (6850, 6853, 6856, 6837, 11695, 6834, 6831, 6828, 6825, 6820, 6817, 6814, 11693, 6811, 6808, 6805)
UPPER_LIP = (474, 7229, 7228, 7227, 7226, 11964, 7225, 7179, 7178, 7193, 10400, 7191)  # where the lips meet, from the middle outwards
LOWER_LIP = (493, 7242, 7236, 7230, 7197, 7204, 10375, 7192, 7191)
SINGLE: dict[int, tuple[int, ...]] = {
    27: (133,), 28: (135,), 29: (164,), 30: (294,), 33: (317, 343), 34: (7120, 7095), 35: (7119, 7057), 51: (466, 467), 52: (7219, 7220),
    53: (7207, 7208), 54: (7182,), 55: (7233,), 56: (7245, 7239), 57: (496,), 64: (7188,),
}  # fmt: skip
"""Landmarks that are one vertex, or lie between two of them."""
MIDDLE = (8, 27, 28, 29, 30, 33, 51, 57, 62, 66)
"""Landmarks that both halves of the face share."""
# The jaw from below the chin to the lobe, then the face's side up to the eyes' height: metres from the pupils' middle, seen from the front.
JAW = (
    (0.0, -0.1175), (0.015, -0.1160), (0.0230, -0.1140), (0.0300, -0.1110), (0.0385, -0.1060), (0.0455, -0.1005), (0.0510, -0.0945),
    (0.0560, -0.0865), (0.0610, -0.0765), (0.0650, -0.0650), (0.0680, -0.0520), (0.0700, -0.0350), (0.0708, -0.0180), (0.0705, -0.0010),
)  # fmt: skip
# The middle of the brow's hairs, which the bare mesh does not have: a judgement between its brow ridge and the forehead above.
BROW = ((0.0115, 0.0155), (0.0205, 0.0200), (0.0310, 0.0220), (0.0415, 0.0205), (0.0515, 0.0150))


@dataclass(frozen=True)
class Average:
    """The average head in canonical axes. human: the mesh it is made from. vertices: float64 N×3, metres, origin between the pupils.

    scale: what its own size was multiplied by, so that the pupils are PUPILS apart.
    """

    human: Human
    vertices: Points
    scale: float


@lru_cache(maxsize=1)
def average(folder: Path) -> Average:
    """Morph the base mesh of `folder` to the average adult. Raises FileNotFoundError where the folder lacks it."""
    human = load(folder)
    v = human.morphed(macro_targets(AVERAGE)).astype(np.float64)
    v = np.stack([v[:, 0], v[:, 2], -v[:, 1]], 1)  # z up, facing -y: to y up, facing +z
    left, right = (v[human.groups[f"helper-{s}-eye"]] for s in "lr")
    scale = PUPILS / float(left[:, 0].mean() - right[:, 0].mean())
    origin = np.array([0.0, (left[:, 1].mean() + right[:, 1].mean()) / 2, left[:, 2].max()])
    return Average(human, (v - origin) * scale, scale)


def front(head: Average, at: Points) -> Points:
    """The nearest place of the face to the viewer at `at` (N×2): float64 N×3, off the mesh the nearest vertex's depth."""
    v, quads = head.vertices, head.human.body_faces
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    p = v[triangles]
    e1, e2 = p[:, 1, :2] - p[:, 0, :2], p[:, 2, :2] - p[:, 0, :2]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    ahead = area > 1e-12
    p, e1, e2, area = p[ahead], e1[ahead], e2[ahead], area[ahead]
    depth = np.empty(len(at))
    for i, q in enumerate(at):
        d = q - p[:, 0, :2]
        b = (d[:, 0] * e2[:, 1] - d[:, 1] * e2[:, 0]) / area
        c = (e1[:, 0] * d[:, 1] - e1[:, 1] * d[:, 0]) / area
        inside = (b >= 0) & (c >= 0) & (b + c <= 1)
        if inside.any():
            depth[i] = (p[:, 0, 2] + b * (p[:, 1, 2] - p[:, 0, 2]) + c * (p[:, 2, 2] - p[:, 0, 2]))[inside].max()
        else:
            near = v[np.unique(quads)]
            depth[i] = near[np.argmin(((near[:, :2] - q) ** 2).sum(1)), 2]
    return np.concatenate([at, depth[:, None]], 1)


def along(line: Points, shares: list[float]) -> Points:
    """Places at shares of a polyline's length."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return np.stack([np.interp(np.array(shares) * length[-1], length, line[:, k]) for k in range(line.shape[1])], 1)


def eye_rim(upper: Points, lower: Points) -> Points:
    """The six landmarks of the left eye (or the right one in a mirror), from the edges of its lids, from the inner corner outwards."""
    return np.array([upper[0], *along(upper, [0.35, 0.68]), upper[-1], *along(lower, [0.66, 0.34])])


def _at_x(line: Points, x: Points) -> Points:
    """Places of a line at given x; its x must rise."""
    return np.stack([x, np.interp(x, line[:, 0], line[:, 1]), np.interp(x, line[:, 0], line[:, 2])], 1)


def lips(head: Average, count: int = 12) -> Points:
    """Where closed lips meet, left half from the middle to the corner: count×3. The base mesh's lips stand a hair apart."""
    v = head.vertices
    corner = v[SINGLE[64][0]]
    upper, lower = (v[list(rows)] for rows in (UPPER_LIP, LOWER_LIP))
    upper, lower = (np.maximum.accumulate(line * [1, 0, 0], 0) + line * [0, 1, 1] for line in (upper, lower))
    x = np.linspace(0, corner[0], count)
    line = (_at_x(upper, x) + _at_x(lower, x)) / 2
    share = (x / corner[0])[:, None] ** 4
    return line * (1 - share) + np.concatenate([x[:, None], np.broadcast_to(corner[1:], (count, 2))], 1) * share


def points(head: Average) -> Points:
    """The seventy landmarks, float64 70×3."""
    v = head.vertices

    result = np.full((COUNT, 3), np.nan)
    side = front(head, along(np.array(JAW), [i / 8 for i in range(9)]))
    result[8:17] = side
    result[22:27] = front(head, np.array(BROW))
    for i, ids in SINGLE.items():
        result[i] = v[list(ids)].mean(0)
    upper, lower = v[list(LIDS)], v[list(LOWER_LIDS)]
    result[LEFT_EYE] = eye_rim(upper, lower)
    line = lips(head)
    result[62] = result[66] = line[0]
    result[63] = result[65] = along(line, [0.5])[0]
    result[64] = line[-1]
    result[LEFT_PUPIL] = (PUPILS / 2, 0.0, 0.0)
    result[list(MIDDLE), 0] = 0
    for i in range(COUNT):
        if np.isnan(result[i, 0]):
            result[i] = result[MIRROR[i]] * [-1, 1, 1]
    if np.isnan(result).any() or result[RIGHT_PUPIL, 0] != -PUPILS / 2:
        raise ValueError("a landmark has no place")
    return result


def surface(head: Average) -> Points:
    """Places of the skin between the landmarks, left half and middle: coarse, closer about the nose; the throat below. K×3."""
    rows = [(x, y) for y in np.arange(-0.108, 0.1, 0.016) for x in (0.0, 0.016, 0.032, 0.046, 0.058, 0.066)]
    rows += [(x, y) for y in np.arange(-0.056, 0.016, 0.008) for x in (0.0, 0.006, 0.012, 0.02, 0.028)]
    rows += [(x, y) for y in (-0.13, -0.145, -0.16) for x in (0.0, 0.025, 0.045)]
    at = np.array(rows)
    eye = ((at - EYE) / (0.0155, 0.0065)) ** 2
    lips = np.abs(at - (0.0, -0.074)) < (0.024, 0.004)
    jaw = np.array(JAW)
    beside = (at[:, 1] > -0.12) & (at[:, 0] > np.interp(at[:, 1], jaw[:, 1], jaw[:, 0]) - 0.002)
    at = at[(eye.sum(1) > 1) & ~lips.all(1) & ~beside]
    found = front(head, at)
    step = 0.001
    dx, dy = (front(head, at + d)[:, 2] - found[:, 2] for d in ((step, 0.0), (0.0, step)))
    facing = (np.abs(dx) < 3 * step) & (np.abs(dy) < 3 * step) | (at[:, 1] < -0.12)
    return found[facing]


def _rows(values: Points, indent: str = "        ") -> str:
    return "".join(f"{indent}({', '.join(f'{x:.4f}' for x in row)}),\n" for row in np.round(values, 4) + 0.0)


def text(head: Average) -> str:
    """The module that is written."""
    v = head.vertices
    joints = {n: v[head.human.joint_index[n]].mean(0) for n in ("head", "neck", "l-shoulder", "l-clavicle", "spine-1", "pelvis")}
    body = np.unique(head.human.body_faces)
    crown = v[body[np.argmax(v[body, 1])]]
    eye = v[head.human.groups["helper-l-eye"]]
    centre = (eye.min(0) + eye.max(0)) / 2
    centre[1] = 0
    ear = head.human.reach("ears/l-ear-scale-incr")
    ear[v[:, 0] < 0] = 0
    shell = v[(ear > 0.3 * ear.max()) & (v[:, 0] > 0.076)]  # what stands off the head
    tragus = np.array([0.0715, float(shell[:, 1].mean()), float(shell[:, 2].max())])

    def one(p: Points) -> str:
        return f"({', '.join(f'{x:.4f}' for x in np.round(p, 4) + 0.0)})"

    # The body keeps its own size: the average's pupils are nearer together than PUPILS, and that is no reason for longer arms.
    def below(name: str) -> str:
        return one(joints["head"] + (joints[name] - joints["head"]) / head.scale)

    joint = tragus + [-0.0195, -0.002, 0.008]
    return f'''"""The face of average size: where an adult's landmarks lie whose pupils are 63 mm apart, and the joints behind them.

Written by `python -m training.canonical_face`; change that, not this. Measured on an average adult of MakeHuman's base mesh (CC0 1.0,
www.makehumancommunity.org), of which only these proportions are here; the brows, which that mesh has no hairs for, are a judgement.

Metres. The origin is the middle between the pupils; x towards the subject's left, which the viewer sees on the right, y up, z out of the
face. The order of the points is that of `landmarks`.
"""

from __future__ import annotations

import numpy as np

POINTS = np.array(
    [
{_rows(points(head))}    ],
    np.float64,
)
"""float64 70×3."""

PUPIL_DISTANCE = {PUPILS}

EYE_CENTRES = np.array([({", ".join(f"{x:.4f}" for x in centre * [-1, 1, 1])}), {one(centre)}], np.float64)
"""Centres of the right and the left eyeball, 2×3."""
EYE_RADIUS = {(eye.max(0) - eye.min(0))[:2].mean() / 2:.4f}
"""Of the eyeball with the conjunctiva about it, on whose surface the lids slide."""
IRIS_RADIUS = 0.0059

UPPER_LID = np.array(
    [
{_rows(along(v[list(LIDS)], [i / 12 for i in range(13)]))}    ],
    np.float64,
)
"""The left upper lid's edge from the inner to the outer corner, 13×3; the right one is its mirror image."""
LOWER_LID = np.array(
    [
{_rows(along(v[list(LOWER_LIDS)], [i / 12 for i in range(13)]))}    ],
    np.float64,
)
"""The left lower lid's edge likewise, 13×3."""
LIP_LINE = np.array(
    [
{_rows(lips(head))}    ],
    np.float64,
)
"""Where the closed lips meet, from the middle to the left corner, 12×3; the right half is its mirror image."""

SURFACE = np.array(
    [
{_rows(surface(head))}    ],
    np.float64,
)
"""Coarse places of the skin between the landmarks, K×3: the middle and the left half; the right one is its mirror image."""

JAW_JOINT = {one(joint)}
"""The left temporomandibular joint: 20 mm inwards of the tragus and 8 mm before it."""
NECK_PIVOT = {one(joints["head"])}
"""About which the head turns and nods: the uppermost joint of the neck."""
NECK_BASE = {below("neck")}
EAR = {one(tragus)}
"""The left ear where it meets the face (tragus)."""
CROWN = {one(crown)}
PIT = {one(joints["head"] + (joints["l-clavicle"] * [0, 1, 1] - joints["head"]) / head.scale)}
"""Between the collar bones, inside. This and what follows keep the body's own size."""
SHOULDER = {below("l-shoulder")}
"""The left shoulder's joint."""
CHEST = {below("spine-1")}
"""The middle of the chest, at the spine."""
HIPS = {below("pelvis")}
"""Between the hips."""
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human", type=Path, required=True, metavar="FOLDER", help="holds base.obj and targets/")
    parser.add_argument("--out", type=Path, default=Path("addon/vision/canonical.py"))
    options = parser.parse_args()
    options.out.write_text(text(average(options.human)), encoding="utf-8")


if __name__ == "__main__":
    main()
