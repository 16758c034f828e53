"""How much each bone moves each vertex of a person's mesh.

The head holds the face, and what is on its height: hair and ears. From there to the shoulders it hands over to the neck and the chest by the
distances along the mesh, so that hair that hangs down goes along and ends at the collar without a step. Jaw and lids take their parts of
the face by where a vertex lies in the average face; a hand before the chin is no part of it, since the way to it along the mesh is long.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import canonical
from .face_units import jaw_share, lid_shares, ramp
from .mesh_graph import Graph, distances, mesh_graph
from .rigging import Bone, Part, SubjectMesh
from .skeleton import MEET, Fitted

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_CELL = 0.008  # metres: cubes for distances
_SMOOTH = 12  # rounds over the head's and trunk's shares
_BESIDE = 0.055  # metres: farther aside below the eyes is hair, or something that someone wears
_UNLIKE, _RARE = 20.0, 0.012  # L*a*b*, and a share: a colour so far from all but so few of the head's is none of its (an iris has odd ones)
_SAMPLES, _AGREE = 512, 3  # colours of the head that count, and rounds over neighbours which must agree
_FLESH = {"upper_arm": 0.055, "forearm": 0.042, "hand": 0.045, "thigh": 0.085, "shin": 0.06, "foot": 0.05, "shoulder": 0.05}
_LIMBS = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")


def weigh(mesh: SubjectMesh, bones: Sequence[Bone], fit: Fitted | None, colours: Floats | None = None) -> dict[str, Floats]:
    """Each deforming bone's weights, float32 N in [0, 1]; over all bones they sum to 1 in every vertex.

    bones: of `skeleton.bones_for`. fit: of the face, moved to the relief; None if there is none. What no bone moves is `base`'s. Bones that
    move nothing are in it with zeros. colours: float32 N×3, what the photo shows at each vertex (CIE L*a*b*), which tells a collar beside the neck from
    hair; without it both go with the head.
    """
    at = {b.name: b for b in bones}
    n = len(mesh.position)
    part = np.full(n, -1)
    part[mesh.triangles] = mesh.part[:, None]
    skin = part == Part.SKIN
    result = {b.name: np.zeros(n) for b in bones if b.deform}
    position = mesh.position.astype(np.float64)
    triangles = mesh.triangles[mesh.part == Part.SKIN]
    graph = mesh_graph(position, triangles)
    for name, share in _trunk(position, mesh, graph, at, fit, skin, colours).items():
        result[name] = share
    if fit is not None and "jaw" in at:
        scale = float(fit.scale)
        known = np.asarray(np.isfinite(mesh.canonical).all(1))
        jaw = _jaw(mesh, part, graph, known, scale) * (1 - np.where(skin, result["chest"] + result["spine"], 0))
        inner = known | (~skin & (part >= 0))
        taken = np.where(inner, jaw, 0)
        for side, eye in (("L", Part.EYE_LEFT), ("R", Part.EYE_RIGHT)):
            for name, share in _lids(mesh, position, at, fit, side, skin & known).items():
                result[name] = share
                taken = taken + share
            ball = part == eye
            result[f"eye.{side}"][ball] = 1
            taken = np.where(ball, 1.0, taken)
        result["jaw"] = np.where(inner, jaw, 0)
        behind = (part > 0) & (part != Part.EYE_LEFT) & (part != Part.EYE_RIGHT)
        for name in ("head", "neck", "chest", "spine"):
            result[name] = np.where(part > 0, 0.0, result[name]) * (1 - taken)
        result["head"] = np.where(behind, 1 - taken, result["head"])
    total = sum(result[name] for name in result if name != "base")
    over = np.maximum(np.asarray(total), 1.0)
    result = {name: values / over for name, values in result.items()}
    result["base"] = np.maximum(1 - np.sum([v for name, v in result.items() if name != "base"], axis=0), 0)
    return {name: values.astype(np.float32) for name, values in result.items()}


def _segment(position: Array, bone: Bone) -> Array:
    """Distances of points N×3 from a bone."""
    head, tail = np.array(bone.head), np.array(bone.tail)
    way = tail - head
    t = np.clip((position - head) @ way / max(float(way @ way), 1e-12), 0, 1)
    return np.linalg.norm(position - (head + t[:, None] * way), axis=1)


def _trunk(
    position: Array,
    mesh: SubjectMesh,
    graph: Graph,
    at: dict[str, Bone],
    fit: Fitted | None,
    skin: NDArray[np.bool_],
    colours: Floats | None,
) -> dict[str, Array]:
    """Shares of head, neck, chest, spine and limbs of the skin; they sum to 1 but for what stands on the ground, which is base's."""
    base, pivot, hips = (np.array(at[n].head) for n in ("neck", "head", "spine"))
    middle = np.array(at["chest"].head)
    up = (base - middle) / max(float(np.linalg.norm(base - middle)), 1e-12)
    if fit is not None:
        scale = float(fit.scale)
        own = (position - fit.origin) @ fit.rotation / scale
        x, y = own[:, 0], own[:, 1]
        out = np.hypot(x / 0.072, (y + 0.022) / np.where(y > -0.022, 0.12, 0.098))
        upper, sure = skin & ((y > -0.055) | (out < 1)), skin & ((y > 0) | (out < 0.85))
    else:
        scale = float(np.linalg.norm(pivot - base)) / 0.11
        own_up = (position - pivot) @ up / scale
        x = (position - pivot) @ np.cross(up, (0.0, -1.0, 0.0)) / scale
        upper = sure = skin & (own_up > -0.02)
    height = (position - base) @ up / scale  # above the neck's base, which lies two centimetres over the shoulders' slope
    aside = np.abs((position - base) @ np.cross(up, (0.0, -1.0, 0.0))) / scale
    lower = skin & ~upper & ((height < -0.035) | ((height < 0.0) & (aside > 0.075)))
    if colours is not None:
        worn = skin & ~sure & (aside > _BESIDE) & _strange(mesh, graph, np.asarray(colours, np.float64), sure, skin)
        upper, lower = upper & ~worn, lower | worn
    far = [distances(graph, seeds, _CELL * scale) for seeds in (upper, lower)]
    both = np.isfinite(far[0]) & np.isfinite(far[1])
    share = np.where(np.isfinite(far[0]), 0.0, 1.0)
    share[both] = far[0][both] / np.maximum(far[0][both] + far[1][both], 1e-9)
    # A piece that hangs on neither goes by its height.
    lone = ~np.isfinite(far[0]) & ~np.isfinite(far[1])
    share = np.where(lone, ramp(0.5 - height / 0.1), share)
    share = graph.smoothed(share, _SMOOTH)
    head, trunk = ramp(1 - 2 * share), ramp(2 * share - 1)
    along = (position - hips) @ up / max(float((middle - hips) @ up), 1e-6)
    chest = ramp((along - 0.72) / 0.5)
    standing = ramp(-along / 0.25)  # below the hips
    shares = {
        "head": head,
        "neck": 1 - head - trunk,
        "chest": trunk * chest,
        "spine": trunk * (1 - chest) * (1 - standing),
    }
    if any(b.split(".")[0] in _LIMBS for b in at):
        shares = _with_limbs(position, mesh, graph, at, scale, trunk, shares)
    for name in (n for n in at if n.startswith("shoulder.")):
        own = shares["chest"] * _shoulder(position, at[name], scale)
        shares[name], shares["chest"] = own, shares["chest"] - own
    return shares


def _strange(mesh: SubjectMesh, graph: Graph, colours: Array, own: NDArray[np.bool_], skin: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which vertices have colours that are nowhere on the head: a collar, a helmet's ring, a scarf. own: the head's vertices."""
    triangles = mesh.triangles[mesh.part == Part.SKIN].astype(np.int64)
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    inner = np.ones(len(own))
    inner[unique[times == 1]] = 0
    # At its outline a mesh shows something of the ground: what is beside there counts.
    total = np.maximum(np.bincount(graph.owner, inner[graph.other], len(own)), 1e-9)
    beside = np.stack([np.bincount(graph.owner, (inner * c)[graph.other], len(own)) / total for c in colours.T], 1)
    clean = np.where(inner[:, None] > 0, colours, beside)
    picked = np.flatnonzero(own & (inner > 0))
    samples = clean[picked[:: max(1, len(picked) // _SAMPLES)]]
    alike = np.zeros(len(own))
    for start in range(0, len(samples), 64):
        alike += (np.linalg.norm(clean[:, None] - samples[None, start : start + 64], axis=2) < _UNLIKE).sum(1)
    share = graph.smoothed(np.where(skin & (alike < _RARE * len(samples)), 1.0, 0.0), _AGREE)
    return skin & (share > 0.5)


def _shoulder(position: Array, bone: Bone, scale: float) -> Array:
    """How much of the chest's share a shoulder has: growing along it, fading away from it."""
    head, tail = np.array(bone.head), np.array(bone.tail)
    way = tail - head
    along = (position - head) @ way / max(float(way @ way), 1e-12)
    aside = (position - head - along[:, None] * way)[:, (0, 2)]  # in the picture: how deep the skin lies before the bone does not count
    return 0.9 * ramp((along - 0.2) / 0.8) * (1 - ramp(np.hypot(aside[:, 0], aside[:, 1]) / (0.16 * scale)))


def _with_limbs(
    position: Array, mesh: SubjectMesh, graph: Graph, at: dict[str, Bone], scale: float, trunk: Array, shares: dict[str, Array]
) -> dict[str, Array]:
    """Arms and legs take from the trunk what is in their flesh: by distance to a bone over how thick the limb is."""
    names = [n for n in at if n.split(".")[0] in _LIMBS]
    limb = [_segment(position, at[n]) / (_FLESH[n.split(".")[0]] * scale) for n in names]
    core = [_segment(position, at[n]) / (0.15 * scale) for n in ("spine", "chest")]
    core += [_segment(position, at[n]) / (_FLESH["shoulder"] * scale) for n in at if n.startswith("shoulder.")]
    pull = [1 / np.maximum(d, 0.15) ** 6 for d in [np.min(core, axis=0), *limb]]
    total = np.sum(pull, axis=0)
    shares = dict(shares)
    taken = np.zeros(len(position))
    for name, p in zip(names, pull[1:]):
        own = graph.smoothed(p / total, 6) * trunk
        shares[name] = own
        taken += own
    # Legs keep what would have been the ground's.
    for name in ("chest", "spine"):
        shares[name] = shares[name] * (1 - np.clip(taken / np.maximum(trunk, 1e-9), 0, 1))
    return shares


def _jaw(mesh: SubjectMesh, part: NDArray, graph: Graph, known: NDArray[np.bool_], scale: float) -> Array:
    """The jaw's share of every vertex, before the chest's is taken off."""
    n = len(part)
    result = np.zeros(n)
    skin = known & (part == Part.SKIN)
    share = np.zeros(n)
    share[skin] = jaw_share(mesh.canonical[skin].astype(np.float64), mesh.side[skin])
    lips = _lower_lip(mesh, skin)
    if lips.any():
        # As far along the mesh as it looks from the lips, and some: over the chin to the throat, but not along an arm to a hand before it.
        position = mesh.position.astype(np.float64)
        middle = position[lips].mean(0)
        straight = np.linalg.norm(position - middle, axis=1) / scale
        away = distances(graph, lips, _CELL * scale) / scale
        share = share * (1 - ramp((away - 1.4 * straight - 0.015) / 0.035))
    result[skin] = share[skin]
    pocket = part == Part.POCKET
    if pocket.any():
        result[pocket] = _pocket(mesh, pocket)
    result[part == Part.TEETH_LOWER] = 1
    result[part == Part.TONGUE] = 0.9
    return result


def _lower_lip(mesh: SubjectMesh, skin: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Vertices of the lower lip's middle: those that are marked so, or without a cut those that lie there."""
    xy = np.where(skin[:, None], mesh.canonical, 9.0)
    middle = (np.abs(xy[:, 0]) < 0.015) & (np.abs(xy[:, 1] - canonical.LIP_LINE[0, 1]) < 0.012)
    marked = middle & (mesh.side < 0)
    return marked if marked.any() else middle & (xy[:, 1] < canonical.LIP_LINE[0, 1])


def _pocket(mesh: SubjectMesh, pocket: NDArray[np.bool_]) -> Array:
    """The mouth's inside: its rim moves as the lips that it hangs on, its floor with the jaw."""
    xy, side = mesh.canonical[pocket].astype(np.float64), mesh.side[pocket]
    rim = np.stack([xy[:, 0], np.interp(np.abs(xy[:, 0]), canonical.LIP_LINE[:, 0], canonical.LIP_LINE[:, 1])], 1)
    share = jaw_share(rim, side)
    position = mesh.position[pocket].astype(np.float64)
    triangles = mesh.triangles[mesh.part == Part.POCKET]
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, times = np.unique(edges, axis=0, return_counts=True)
    border = np.zeros(len(pocket), bool)
    border[unique[times == 1]] = True
    at_rim = position[border[pocket]]
    if not len(at_rim):
        return np.where(side == 0, 0.5, (side < 0).astype(float))
    away = np.sqrt(((position[:, None] - at_rim[None]) ** 2).sum(-1).min(1))
    inner = np.where(side == 0, 0.5, (side < 0).astype(float))
    return share + (inner - share) * ramp(away / 0.012)


def _lids(mesh: SubjectMesh, position: Array, at: dict[str, Bone], fit: Fitted, side: str, known: NDArray[np.bool_]) -> dict[str, Array]:
    """Weights of an eye's two lids such that both, turned to their limits, bring their edges to one line.

    A vertex with weight w moves by w of what the whole turn would move it (linear blend skinning), so that w is what is needed over that.
    """
    left = side == "L"
    result = {f"lid.{n}.{side}": np.zeros(len(known)) for n in "TB"}
    xy = mesh.canonical.astype(np.float64)
    near = np.flatnonzero(known & (np.abs(np.where(known, xy[:, 1], 1)) < 0.03))
    if not len(near):
        return result
    sides = mesh.side[near]
    shares = lid_shares(xy[near], sides, left=left)
    chosen = np.flatnonzero((shares[0] > 0) | (shares[1] > 0))
    near, sides = near[chosen], sides[chosen]
    upper, lower = shares[0][chosen], shares[1][chosen]
    own = (position[near] - np.array(at[f"lid.T.{side}"].head)) @ fit.rotation
    x = np.abs(xy[near, 0])
    edges = []
    for sign, table in ((1, canonical.UPPER_LID), (-1, canonical.LOWER_LID)):
        above = sign * (xy[near, 1] - np.interp(x, table[:, 0], table[:, 1]))
        rim = np.flatnonzero((sides == sign) & (above < 0.0005))
        if len(rim) >= 5:
            rim = rim[np.argsort(x[rim])]
            edges.append(np.interp(x, x[rim], own[rim, 1]))
        else:
            edges.append(np.interp(x, table[:, 0], table[:, 1] - canonical.EYE_CENTRES[1, 1]) * fit.scale)
    meeting = edges[1] + MEET * (edges[0] - edges[1])
    for name, share, need, sign in (("T", upper, edges[0] - meeting, 1), ("B", lower, meeting - edges[1], -1)):
        least, most = at[f"lid.{name}.{side}"].limits["rx"]
        angle = -least if sign > 0 else most
        lever = sign * own[:, 1] * (1 - np.cos(angle)) + own[:, 2] * np.sin(angle)
        wanted = share * np.maximum(need, 0) / np.maximum(lever, 1e-6)
        result[f"lid.{name}.{side}"][near] = np.clip(np.where(lever > 1e-5, wanted, 0), 0, 1)
    return result


def weights_at(mesh: SubjectMesh, weights: dict[str, Floats], points: Array, reach: float = 0.03) -> dict[str, Floats]:
    """Weights for what goes along with a person without being of its mesh, such as another layer's sheet: glasses, a hand, hair behind.

    points: K×3 in layer axes. reach: metres over which the weights of the person's border fade into base's. Returns float32 K for each bone,
    summing to 1. They are those of the skin that the photo's camera sees in the same direction, or nearest to it.
    """
    from .cv import cv

    cv2 = cv()
    used = np.unique(mesh.triangles[mesh.part == Part.SKIN])
    flat = mesh.position[used][:, (0, 2)].astype(np.float64) / mesh.position[used][:, 1:2]
    depth = float(np.median(mesh.position[used][:, 1]))
    low, high = flat.min(0), flat.max(0)
    pixel = float((high - low).max()) / 240
    margin = int(np.ceil(reach / depth / pixel)) + 2
    size = np.ceil((high - low) / pixel).astype(int) + 1 + 2 * margin
    cell = np.floor((flat - low) / pixel).astype(int) + margin
    index = cell[:, 1] * size[0] + cell[:, 0]
    count = np.bincount(index, minlength=int(size.prod())).reshape(size[1], size[0])
    _, labels = cv2.distanceTransformWithLabels((count == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    away = cv2.distanceTransform(
        (cv2.morphologyEx((count > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9))) == 0).astype(np.uint8), cv2.DIST_L2, 5
    )
    keep = 1 - ramp(away * pixel * depth / reach)
    row_of = np.zeros(labels.max() + 1, np.int64)
    row_of[labels[count > 0]] = np.flatnonzero(count.ravel() > 0)
    nearest = row_of[labels]
    points = np.asarray(points, np.float64)
    where = ((points[:, (0, 2)] / points[:, 1:2] - low) / pixel + margin - 0.5).astype(np.float32)
    where = np.clip(where, 0, size - 1).astype(np.float32)
    result = {}
    for name, values in weights.items():
        if name == "base":
            continue
        mean = np.bincount(index, values[used], minlength=count.size) / np.maximum(count.ravel(), 1)
        picture = cv2.GaussianBlur((mean[nearest] * keep).astype(np.float32), (0, 0), 1.0)
        sampled = [
            cv2.remap(
                picture,
                where[i : i + 30_000, :1].copy(),
                where[i : i + 30_000, 1:].copy(),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for i in range(0, len(where), 30_000)
        ]
        result[name] = np.clip(np.concatenate(sampled)[:, 0], 0, 1)
    total = np.maximum(np.sum(list(result.values()), axis=0), 1.0)
    result = {name: (values / total).astype(np.float32) for name, values in result.items()}
    if "base" in weights:
        result["base"] = (1 - np.sum(list(result.values()), axis=0)).clip(0, 1).astype(np.float32)
    return result
