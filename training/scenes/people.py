"""Random people for the scenes that train the depth network: bodies, faces, clothes, hair and poses as plain meshes.

Made from MakeHuman's base mesh hm08 and its morph targets (CC0 1.0, Data Collection AB, Joel Palmius, Jonas Hauquier and
the MakeHuman community, www.makehumancommunity.org), read from a folder that the caller names; nothing of it is in this
repository. Pure numpy: the scene kit makes Blender objects of the result.

    person(np.random.default_rng(7), Path(...), pose="any") -> Person
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.scenes import people_body, people_head, people_pose, people_wear
from training.scenes.people_body import BONE, Human, Traits
from training.scenes.people_mesh import Floats, box, compact, lattice, nearest, normals, pushed_out
from training.scenes.people_wear import Outfit, Part, Piece

POSES = people_pose.POSES
STANDING = people_pose.STANDING
SITTING = people_pose.SITTING
SEAT = people_pose.SEAT


@dataclass(frozen=True)
class Person:
    """A person as one mesh, standing at the origin on z = 0 and facing about -y; metres, z up.

    `vertices` N×3 float32; `faces` M×4 int64, a triangle repeats its last corner, counter-clockwise seen from outside;
    `part` M uint8, each face's number in `parts`; `uv` M×4×2 float32: MakeHuman's own layout (0..1) for parts whose
    texture is "skin", metres for all others. Colours of parts are sRGB 0..1. `seat` is the height of the seat of who
    sits (the body's underside rests on it, hips above the origin), else None. `top` is the highest point (metres).
    """

    vertices: Floats
    faces: NDArray[np.int64]
    part: NDArray[np.uint8]
    parts: tuple[Part, ...]
    uv: Floats
    pose: str
    seat: float | None
    top: float
    traits: Traits


def person(rng: np.random.Generator, folder: Path, *, pose: str = "any", simplify: bool = False) -> Person:
    """A random person from the human base mesh in `folder`.

    `pose`: a name of POSES, or "any", "standing" or "sitting". `simplify` halves the faces, for people far away.
    Raises ValueError for another pose and FileNotFoundError where the folder lacks the base mesh.
    """
    groups = {"any": POSES, "standing": STANDING, "sitting": SITTING}
    if pose not in groups and pose not in POSES:
        raise ValueError(f"no pose is called {pose!r}; there are any, standing, sitting, {', '.join(POSES)}")
    kind = pose
    if pose in groups:
        names = groups[pose]
        often = np.array([{"stand": 4, "contrapposto": 3, "portrait": 3, "walk": 2, "raised": 0.5, "sit": 2}.get(n, 1.0) for n in names])
        kind = str(rng.choice(names, p=often / often.sum()))
    human = people_body.load(folder)
    traits = people_body.draw_traits(rng)
    body, scale, teeth = _body(human, traits, rng)
    outfit = people_wear.dress(human, body, traits, rng, scale=scale, simple=simplify)
    growth = people_head.hair(human, body, traits, rng, scale=scale)
    for piece in growth:
        piece.clear = piece.clear and outfit.thickness + 0.008 * scale
    hair_part = next((p.part for p in growth if p.part.name == "hair"), people_head.hair_part(traits, rng))
    pieces = [
        *_skin(human, body, traits, outfit, rng),
        *people_head.eyes(human, body, rng, traits),
        *people_head.brows(human, body, hair_part, scale),
        *growth,
        *outfit.pieces,
    ]
    if teeth:
        pieces += _teeth(human, body)
    rest = people_pose.Rest(*human.joints(body))
    posed = _posed(human, body, rest, outfit, kind, rng)
    return _assembled(human, body, pieces, rest, posed, kind, traits, scale, rng)


def _body(human: Human, traits: Traits, rng: np.random.Generator) -> tuple[Floats, float, bool]:
    """The morphed mesh at rest, its size against the base mesh, and whether the mouth shows teeth."""
    strengths = people_body.macro_targets(traits) | people_body.detail_targets(rng)
    expression, teeth = people_body.expression_targets(rng, traits.races)
    body = human.morphed(strengths | expression)
    tall = float(np.ptp(body[human.groups["body"], 2]))
    scale = traits.height / tall
    return body * np.float32(scale), traits.height / 1.67, teeth


def _skin(human: Human, body: Floats, traits: Traits, outfit: Outfit, rng: np.random.Generator) -> list[Piece]:
    """The skin that clothes do not hide, with lips as a part of their own."""
    tones = np.array([(0.36, 0.23, 0.16), (0.84, 0.66, 0.52), (0.9, 0.73, 0.63)])
    tone = np.array(traits.races) @ tones * rng.uniform(0.82, 1.08) + rng.normal(0, 0.01, 3)
    tone = np.clip(tone, 0.12, 0.96)
    red = np.clip(tone * [1.0, 0.72, 0.7] + [0.02 * traits.female, 0, 0], 0.1, 0.95)
    if traits.female > 0.5 and traits.age > 17 and rng.random() < 0.35:
        red = np.clip(np.array([rng.uniform(0.45, 0.8), rng.uniform(0.08, 0.3), rng.uniform(0.12, 0.35)]), 0, 1)
    index = human.part_faces["body"]
    faces = human.faces[index]
    bare = np.ones(len(faces), bool)
    if outfit.covered is not None:
        bare = ~(outfit.covered[faces] > 0.022).all(1)
    lip = people_body.face_fields(human)["lips"][faces].mean(1) > 0.38
    pieces = []
    for name, colour, chosen in (("skin", tone, bare & ~lip), ("lips", red, bare & lip)):
        small, used = compact(faces[chosen])
        uv = human.uv[human.uv_faces[index[chosen]]]
        pieces.append(
            Piece(Part(name, (float(colour[0]), float(colour[1]), float(colour[2])), "skin"), body[used], human.weights[used], small, uv)
        )
    return pieces


def _teeth(human: Human, body: Floats) -> list[Piece]:
    faces = np.concatenate([human.faces[human.part_faces[f"helper-{n}-teeth"]] for n in ("upper", "lower")])
    small, used = compact(faces)
    return [Piece(Part("teeth", (0.88, 0.85, 0.78), "gloss"), body[used], human.weights[used], small)]


def _posed(human: Human, body: Floats, rest: people_pose.Rest, outfit: Outfit, kind: str, rng: np.random.Generator) -> people_pose.Posed:
    """The pose, fitted to the body: who sits is posed twice, the second time with the seat's height measured."""
    trunk = (human.kind == 0) & (human.weights[:, [BONE[n] for n in ("root", "spine1", "spine2", "chest")]].sum(1) > 0.6)
    level = np.abs(body[:, 2] - rest.head("l-leg1")[2]) < 0.07
    hips = float(np.abs(body[trunk & level, 0]).max())
    shape = people_pose.Shape(body[trunk], hips, outfit.thickness)
    ankle = float(rest.head("l-foot")[2] - body[human.groups["body"], 2].min()) + outfit.sole
    before = copy.deepcopy(rng)
    posed = people_pose.pose(rest, shape, kind, rng, ankle=ankle)
    clearance = 0.085
    if posed.seated:
        under = _underside(human)
        points = people_pose.skin(body[under], human.weights[under], rest.heads, posed.rotation, posed.at)
        clearance = float(posed.at[[BONE["l-leg1"], BONE["r-leg1"]], 2].mean() - np.quantile(points[:, 2], 0.02)) + 0.006
        posed = people_pose.pose(rest, shape, kind, copy.deepcopy(before), ankle=ankle, clearance=clearance)
    push = {side: np.zeros(3) for side in "lr"}
    best = np.inf
    for _ in range(4):
        tried = (
            people_pose.pose(rest, shape, kind, copy.deepcopy(before), ankle=ankle, clearance=clearance, push=push)
            if best < np.inf
            else posed
        )
        lack = {side: _sunk(human, body, rest, tried, outfit.thickness, side) for side in "lr"}
        worst = max(float(np.linalg.norm(v)) for v in lack.values())
        if worst < best:
            best, posed = worst, tried
        if worst < 0.008:
            break
        push = {side: push[side] + lack[side] for side in "lr"}
    if posed.seated:
        hip = float(posed.at[[BONE["l-leg1"], BONE["r-leg1"]], 2].mean())
        return posed.moved(np.array([0, 0, SEAT + clearance - hip]) - posed.at[BONE["root"]] * [1, 1, 0])
    return posed


def _sunk(human: Human, body: Floats, rest: people_pose.Rest, posed: people_pose.Posed, cloth: float, side: str) -> Floats:
    """The way (3, metres) out of trunk and legs for the deepest part of a forearm or hand that is in them, or zero."""
    faces, used, _ = people_wear.compact_shell(str(human.folder.resolve()), people_wear.TIGHTS)
    surface = people_pose.skin(body[used], human.weights[used], rest.heads, posed.rotation, posed.at)
    outward = normals(surface, faces)
    trunk = human.regions.armness[used] < 0.05
    mine = (body[:, 0] > 0) == (side == "l")
    arm = np.flatnonzero((human.kind == 0) & mine & (human.regions.arm > 1.2) & (human.regions.armness > 0.9))[::5]
    points = people_pose.skin(body[arm], human.weights[arm], rest.heads, posed.rotation, posed.at)
    close = nearest(points, surface[trunk])[:, 0]
    apart = points - surface[trunk][close]
    depth = cloth * 0.5 - (apart * outward[trunk][close]).sum(1)
    depth[np.linalg.norm(apart, axis=1) > 0.1] = 0
    worst = int(depth.argmax())
    return outward[trunk][close[worst]] * max(float(depth[worst]), 0.0)


def _underside(human: Human) -> NDArray[np.int64]:
    """Vertices of buttocks and upper thighs, which a sitting person sits on."""
    w = human.weights[:, [BONE[n] for n in ("root", "l-leg1", "r-leg1")]].sum(1)
    return np.flatnonzero((human.kind == 0) & (w > 0.7) & (human.regions.leg < 0.45) & (human.vertices[:, 2] < 0.1))


def _assembled(
    human: Human,
    body: Floats,
    pieces: list[Piece],
    rest: people_pose.Rest,
    posed: people_pose.Posed,
    kind: str,
    traits: Traits,
    scale: float,
    rng: np.random.Generator,
) -> Person:
    parts: list[Part] = []
    vertices, weights, faces, number, uvs = [], [], [], [], []
    count = 0
    for piece in pieces:
        if not len(piece.faces):
            continue
        if piece.part not in parts:
            parts.append(piece.part)
        uv = piece.uv
        if uv is None:
            uv = people_wear.box_uv(piece.vertices, piece.faces, piece.weights, rest.heads, rest.tails)
        vertices.append(piece.vertices)
        weights.append(piece.weights)
        faces.append(piece.faces + count)
        number.append(np.full(len(piece.faces), parts.index(piece.part), np.uint8))
        uvs.append(uv)
        count += len(piece.vertices)
    points = people_pose.skin(np.concatenate(vertices), np.concatenate(weights), rest.heads, posed.rotation, posed.at)
    _keep_off(human, body, pieces, rest, posed, points)
    lift = 0.0 if posed.seated else -float(points[:, 2].min())
    points[:, 2] += np.float32(lift)
    points_list = [points]
    for what, centre, axes in posed.props:
        v, f, part = _prop(what, centre, axes, scale, rng)
        v = v + [0, 0, lift]
        parts.append(part)
        points_list.append(v.astype(np.float32))
        faces.append(f + count)
        number.append(np.full(len(f), len(parts) - 1, np.uint8))
        uvs.append(np.zeros((len(f), 4, 2), np.float32))
        count += len(v)
    whole = np.concatenate(points_list)
    return Person(
        whole,
        np.concatenate(faces),
        np.concatenate(number),
        tuple(parts),
        np.concatenate(uvs).astype(np.float32),
        kind,
        SEAT if posed.seated else None,
        float(whole[:, 2].max()),
        traits,
    )


def _keep_off(human: Human, body: Floats, pieces: list[Piece], rest: people_pose.Rest, posed: people_pose.Posed, points: Floats) -> None:
    """Push what hangs freely (skirts, long hair) out of the posed body, in place."""
    start = 0
    for piece in pieces:
        if not len(piece.faces):
            continue
        here = slice(start, start + len(piece.vertices))
        start += len(piece.vertices)
        if not piece.clear:
            continue
        faces, used, _ = people_wear.compact_shell(str(human.folder.resolve()), people_wear.TIGHTS)
        surface = people_pose.skin(body[used], human.weights[used], rest.heads, posed.rotation, posed.at)
        outward = normals(surface, faces)
        # Only what is near can touch it; the arms may go where they like.
        box_low, box_high = points[here].min(0) - 0.05, points[here].max(0) + 0.05
        near = ((surface > box_low) & (surface < box_high)).all(1) & (human.regions.armness[used] < 0.5)
        if near.any():
            points[here] = pushed_out(points[here], surface[near], outward[near], piece.clear, 0.05 if piece.part.name == "hair" else 0.1)


def _prop(what: str, centre: Floats, axes: Floats, scale: float, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64], Part]:
    """A thing in the hand: a phone or a cup."""
    if what == "phone":
        v, f = box(centre, axes, np.array([0.074, 0.009, 0.152]))
        return v, f, Part("phone", (0.04, 0.04, 0.05) if rng.random() < 0.6 else people_wear.cloth_colour(rng), "gloss")
    t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    profile = [(0.0, -0.05), (0.03, -0.05), (0.04, 0.055), (0.036, 0.055), (0.034, 0.03), (0.0, 0.03)]
    rings = [np.stack([r * np.cos(t), r * np.sin(t), np.full(16, z)], 1) for r, z in profile]
    return (
        np.concatenate(rings) + centre,
        lattice(len(profile), 16, closed=True),
        Part("cup", people_wear.cloth_colour(rng, pale=0.6), "gloss"),
    )


__all__ = ["POSES", "SEAT", "SITTING", "STANDING", "Part", "Person", "person"]
