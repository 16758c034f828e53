"""What people wear and grow: clothes cut from MakeHuman's tights and skirt shells, shoes, hair, beards, hats, glasses.

Everything is made on the body at rest and moves with the body's skin weights. A garment is a field over the body (metres,
>= 0 where the cloth is); its zero line is where the cloth is cut, and the skin well inside it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.scenes.people_body import BONE, BONES, Human, Traits, face_fields, load
from training.scenes.people_mesh import (
    Floats,
    Neighbours,
    Subdivision,
    ball,
    compact,
    cut,
    hem,
    lattice,
    nearest,
    neighbours,
    normals,
    ramp,
    smooth,
    tube,
    unit,
    waves,
    within,
)

TIGHTS, SKIRT = "helper-tights", "helper-skirt"
HEAD = np.eye(len(BONES), dtype=np.float32)[BONE["head"]]
CHEST = np.eye(len(BONES), dtype=np.float32)[BONE["chest"]]


@dataclass(frozen=True)
class Part:
    """A material to be: colours sRGB 0..1, and which texture suits: skin, plain, stripes, checks, print, denim, knit,
    leather, hair, eye, gloss. `second` is for patterns."""

    name: str
    colour: tuple[float, float, float]
    texture: str = "plain"
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)


@dataclass
class Piece:
    """A mesh on the body at rest: vertices, skin weights N×B, faces M×4 and texture coordinates M×4×2.

    `clear`: how far it must stay off the posed body's tights shell (metres), where it hangs freely; 0: it fits the body.
    """

    part: Part
    vertices: Floats
    weights: Floats
    faces: NDArray[np.int64]
    uv: Floats | None = None
    clear: float = 0.0


@dataclass
class Outfit:
    """Pieces, and a field over the base mesh that says how deep skin is below cloth (metres; negative: bare)."""

    pieces: list[Piece] = field(default_factory=list)
    covered: Floats | None = None
    thickness: float = 0.01
    sole: float = 0.0

    def cover(self, where: Floats) -> None:
        self.covered = where if self.covered is None else np.maximum(self.covered, where)


class Plain:
    """Stands in for a Subdivision where the coarse mesh will do."""

    def __init__(self, faces: NDArray[np.int64]) -> None:
        self.faces = faces

    def linear(self, values: Floats) -> Floats:
        return values

    __call__ = linear


@dataclass
class Cloth:
    """A helper shell on one person: positions and outward normals, with the fields that garments are cut by."""

    faces: NDArray[np.int64]
    vertices: Floats
    normals: Floats
    weights: Floats
    fields: Any


def cloth(human: Human, body: Floats, shell: str, *, loose: int, fine: bool) -> Cloth:
    """The shell around a morphed body; `loose` rounds of smoothing let the cloth span hollows, never cut into the body."""
    mesh = human.fine[shell] if fine else Plain(human.faces[human.part_faces[shell]])
    coarse, used, near = compact_shell(str(human.folder.resolve()), shell)
    points = body[used]
    if loose:
        out = normals(points, coarse)
        spanned = smooth(points, near, loose)
        points = points + out * np.maximum(((spanned - points) * out).sum(1, keepdims=True), 0)
    whole = body.copy()
    whole[used] = points
    vertices = mesh(whole)
    names = ("arm", "leg", "armness", "height", "place")
    if fine:
        fields = SimpleNamespace(**{n: human.fine_value(shell, n) for n in names})
        weights = human.fine_value(shell, "weights")
    else:
        fields, weights = human.regions, human.weights
    return Cloth(mesh.faces, vertices, normals(vertices, mesh.faces), weights, fields)


@lru_cache(maxsize=8)
def compact_shell(folder: str, shell: str) -> tuple[NDArray[np.int64], NDArray[np.int64], Neighbours]:
    """A helper shell's faces numbered over its own vertices, these vertices, and their neighbours."""
    human = load(Path(folder))
    faces, used = compact(human.faces[human.part_faces[shell]])
    return faces, used, neighbours(faces, len(used))


def box_uv(vertices: Floats, faces: NDArray[np.int64], weights: Floats, heads: Floats, tails: Floats) -> Floats:
    """Texture coordinates M×4×2 in metres: each limb turned to hang straight down, then seen from front or side."""
    owner = weights[faces[:, 0]].argmax(1)
    straight = np.tile(np.eye(3), (len(BONES), 1, 1))
    for name, i in BONE.items():
        if name[1:2] == "-" and name[2:5] in ("arm", "for", "leg", "shi"):
            d = unit(tails[i] - heads[i])
            axis = np.cross(d, [0, 0, -1.0])
            s, c = np.linalg.norm(axis), -d[2]
            x, y, z = axis / max(s, 1e-6)
            k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            straight[i] = np.eye(3) + s * k + (1 - c) * (k @ k)
    r = straight[owner].astype(np.float32)
    p = np.einsum("mij,mkj->mki", r, vertices[faces] - heads[owner][:, None].astype(np.float32))
    n = np.abs(np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]))
    front = (n[:, 1] >= n[:, 0])[:, None, None]
    top = (n[:, 2] > 1.5 * np.maximum(n[:, 0], n[:, 1]))[:, None, None]
    uv = np.where(top, p[..., :2], np.where(front, p[..., [0, 2]], p[..., [1, 2]]))
    return uv.astype(np.float32)


def sewn(c: Cloth, where: Floats, part: Part, thick: Floats | float, *, edge: float = 0.05, shift: Floats | None = None) -> Piece:
    """A garment: the shell where the field is >= 0, pushed out by `thick`, with turned-in hems."""
    t = np.broadcast_to(np.asarray(thick, np.float32), len(c.vertices))
    vertices = c.vertices + c.normals * t[:, None]
    if shift is not None:
        vertices = vertices + shift
    part_of = cut(c.faces, where)
    faces, used = compact(part_of.faces)
    vertices, weights, out = part_of(vertices)[used], part_of(c.weights)[used], unit(part_of(c.normals)[used])
    extra, strip, rim = hem(vertices, faces, out, np.minimum(part_of(t.astype(np.float32))[used] * 0.9, max(edge, 0.002)))
    return Piece(part, np.concatenate([vertices, extra]), np.concatenate([weights, weights[rim]]), np.concatenate([faces, strip]))


# Garments as fields


def _sleeve(r: Any, end: float) -> Floats:
    return np.where(r.armness > 0.02, (end - r.arm) * 0.25, 0.5) if end > 0.1 else (0.45 - r.armness) * 0.15


def _neckline(r: Any, drop: float, vee: float, wide: float) -> Floats:
    x, y, z = r.place.T
    front = ramp(-y, -0.02, 0.06)
    level = 0.585 - drop * front - vee * front * np.maximum(0, 1 - np.abs(x) / 0.055)
    # The hole ends on the slope of the shoulders.
    return level - z + 0.035 * np.minimum(np.abs(x) / wide, 4) ** 4


def _top(r: Any, low: float, sleeve: float, drop: float, vee: float = 0.0, wide: float = 0.07) -> Floats:
    return within(np.where(r.armness > 0.3, 0.5, r.place[:, 2] - low), _sleeve(r, sleeve), _neckline(r, drop, vee, wide))


def _trousers(r: Any, high: float, end: float) -> Floats:
    leg = np.where(r.place[:, 2] < 0.0, (end - r.leg) * 0.4, 0.5)
    return within(high - r.place[:, 2], leg, (0.3 - r.armness) * 0.3)


def _open_front(r: Any, gap: float, flare: float) -> Floats:
    x, y, z = r.place.T
    return np.where(y < -0.0, np.abs(x) - gap - flare * np.maximum(0, 0.5 - z), 0.5)


def _colour(rng: np.random.Generator, *, pale: float = 0.25, dark: float = 0.35) -> tuple[float, float, float]:
    """A cloth's colour, sRGB: often white, grey, black or navy, else any hue at moderate strength."""
    kind = rng.random()
    if kind < pale:
        base = np.full(3, rng.uniform(0.7, 0.95)) + rng.normal(0, 0.03, 3)
    elif kind < pale + dark:
        base = np.full(3, rng.uniform(0.06, 0.3)) + np.array([0, 0.01, 0.06]) * rng.uniform(-0.5, 2)
    else:
        hue, sat, value = rng.random(), rng.uniform(0.25, 0.9), rng.uniform(0.3, 0.9)
        k = (np.array([5, 3, 1]) + hue * 6) % 6
        base = value - value * sat * np.clip(np.minimum(k, 4 - k), 0, 1)
    a, b, c = np.clip(base, 0.03, 0.97)
    return float(a), float(b), float(c)


def _pattern(rng: np.random.Generator, choices: tuple[str, ...], p: tuple[float, ...]) -> str:
    return str(rng.choice(choices, p=np.array(p) / sum(p)))


def dress(human: Human, body: Floats, traits: Traits, rng: np.random.Generator, *, scale: float, simple: bool = False) -> Outfit:
    """Random clothes and shoes for a morphed body at rest."""
    outfit = Outfit()
    woman = traits.female > 0.5
    child = traits.age < 16
    fine = not simple
    look = str(
        rng.choice(
            ("casual", "shirt", "knit", "jacket", "coat", "dress", "skirt", "suit", "sport"),
            p=(0.27, 0.16, 0.12, 0.13, 0.09, 0.09, 0.09, 0.0, 0.05) if woman else (0.32, 0.2, 0.12, 0.14, 0.08, 0.0, 0.0, 0.07, 0.07),
        )
    )
    if child and look in ("coat", "suit"):
        look = "casual"
    loose = int(rng.integers(1, 8))
    ease = float(rng.uniform(0.002, 0.014))
    r = human.regions
    inner = look in ("jacket", "coat", "suit")

    def wrinkled(c: Cloth, base: Floats | float, strength: Floats | float) -> Floats:
        limb = np.maximum(ramp(-np.abs(c.fields.arm - 1), -0.5, -0.1), ramp(-np.abs(c.fields.leg - 1), -0.4, -0.1))
        folds = waves(c.vertices, rng, 0.11 * scale, 7, (2.0, 2.0, 0.8)) * (0.5 + limb) + 0.5 * waves(c.vertices, rng, 0.05 * scale, 6)
        return np.asarray(base + strength * np.maximum(folds, -0.8), np.float32)

    # Tops
    low = float(rng.uniform(0.0, 0.13))
    tucked = bool(rng.random() < (0.4 if look in ("shirt", "suit", "skirt") else 0.12))
    sleeve = {"knit": 1.95, "shirt": float(rng.choice((1.93, 1.3, 0.5))), "sport": float(rng.choice((0.0, 0.45)))}.get(
        look, float(rng.choice((0.38, 0.5, 0.62, 1.4, 1.93)))
    )
    if look in ("dress", "skirt") and rng.random() < 0.35:
        sleeve = 0.0
    if inner:
        sleeve = 0.5
    drop = float(rng.uniform(0.0, 0.04)) if look != "knit" else float(rng.uniform(-0.045, 0.01))
    vee = float(rng.uniform(0.04, 0.1)) if rng.random() < 0.25 else 0.0
    wide = float(rng.uniform(0.065, 0.1)) if woman else 0.068
    top_texture = {
        "shirt": _pattern(rng, ("plain", "checks", "stripes"), (0.45, 0.3, 0.25)),
        "knit": "knit",
        "dress": _pattern(rng, ("plain", "print", "stripes"), (0.5, 0.4, 0.1)),
    }.get(look, _pattern(rng, ("plain", "print", "stripes"), (0.6, 0.25, 0.15)))
    top_part = Part("dress" if look == "dress" else "top", _colour(rng), top_texture, _colour(rng))
    c = cloth(human, body, TIGHTS, loose=loose, fine=fine and not inner)
    ease_top = (0.004 if tucked else 0.009) + ease + (0.005 if look == "knit" else 0)
    if look in ("dress", "skirt"):
        low, tucked, ease_top = 0.12, True, 0.006
    if inner:
        ease, ease_top = min(ease, 0.004), 0.005
    hang = ramp(-c.fields.place[:, 2], -0.45, 0.0) * (0.0 if tucked else ease)
    cuff = np.where(sleeve < 1.2, ramp(c.fields.arm, 0.1, 0.5), 0) * ease * 0.8
    thick = wrinkled(c, (ease_top * (1 - 0.35 * ramp(c.fields.armness, 0.2, 0.9)) + hang + cuff) * scale, (0.0012 + 0.12 * ease) * scale)
    outfit.pieces.append(sewn(c, _top(c.fields, low, sleeve, drop, vee, wide), top_part, thick))
    outfit.thickness = float(np.quantile(thick, 0.9))
    outfit.cover(_top(r, low, sleeve, drop, vee, wide))

    # Legs
    legs_bare = look in ("dress", "skirt") and rng.random() < 0.7
    short = not legs_bare and look in ("casual", "sport") and rng.random() < (0.5 if child else 0.28)
    end = float(rng.uniform(0.45, 1.0)) if short else float(rng.choice((1.96, 1.9, 1.75), p=(0.6, 0.25, 0.15)))
    high = float(rng.uniform(0.1, 0.19))
    if not legs_bare:
        tight = bool(woman and rng.random() < 0.5) or look in ("dress", "skirt")
        slack = 0.0 if tight else float(rng.uniform(0.002, 0.024))
        base = (0.008 if tucked and look != "dress" else 0.003) + (0.0 if tight else 0.003)
        texture = "plain" if look in ("suit", "sport", "dress", "skirt") else _pattern(rng, ("denim", "plain", "checks"), (0.5, 0.45, 0.05))
        colour = (0.13, 0.18, 0.3) if texture == "denim" else _colour(rng, pale=0.1, dark=0.6)
        if texture == "denim":
            a, b, d = np.clip(np.array(colour) * rng.uniform(0.6, 2.2) + rng.normal(0, 0.02, 3), 0.03, 0.8)
            colour = (float(a), float(b), float(d))
        legs = Part("tights" if look in ("dress", "skirt") else "shorts" if short else "trousers", colour, texture, _colour(rng))
        c = cloth(human, body, TIGHTS, loose=0 if tight else loose if tucked else min(loose, 2), fine=fine)
        spread = ramp(c.fields.leg, 0.2, 1.9) * slack
        thick = wrinkled(c, (base + spread) * scale, (0.0006 if tight else 0.0025) * scale * ramp(c.fields.leg, 0.0, 0.3))
        outfit.pieces.append(sewn(c, _trousers(c.fields, high, end), legs, thick))
        outfit.cover(_trousers(r, high, end))

    # Skirts and the lower part of dresses and coats
    if look in ("dress", "skirt", "coat"):
        length = float(rng.uniform(-0.62, -0.12)) if look != "coat" else float(rng.uniform(-0.35, -0.1))
        c = cloth(human, body, SKIRT, loose=3, fine=fine and look != "coat")
        down = np.maximum(0, 0.18 - c.fields.place[:, 2])
        flare = float(rng.uniform(-0.05, 0.3)) if look != "coat" else float(rng.uniform(0.0, 0.12))
        azimuth = np.arctan2(c.fields.place[:, 0], -c.fields.place[:, 1])
        count = int(rng.integers(6, 14))
        pleats = (
            np.sin(count * azimuth + 2 * np.sin(azimuth * 2 + rng.uniform(0, 6)))
            * ramp(down, 0.1, 0.7)
            * float(rng.uniform(0, 0.025))
            * (flare > 0)
        )
        out = np.where(c.fields.place[:, 2] > 0.05, 0.004, 0.0) + (0.022 if look == "coat" else 0.012)
        shift = c.normals * ((flare * down * 0.45 + pleats) * scale)[:, None]
        where = within(c.fields.place[:, 2] - length, np.full(len(c.vertices), 0.5))
        part = (
            top_part
            if look == "dress"
            else Part("skirt", _colour(rng), _pattern(rng, ("plain", "print", "checks", "denim"), (0.5, 0.2, 0.2, 0.1)), _colour(rng))
        )
        if look == "coat":
            coat = Part(
                "coat", _colour(rng, pale=0.1, dark=0.5), _pattern(rng, ("plain", "knit", "checks"), (0.75, 0.1, 0.15)), _colour(rng)
            )
            part = coat
            where = within(where, np.where(c.fields.place[:, 1] < 0, np.abs(c.fields.place[:, 0]) - 0.012 - 0.1 * down, 0.5))
        skirt = sewn(c, where, part, (out * scale).astype(np.float32), edge=0.01, shift=shift.astype(np.float32))
        skirt.clear = (0.028 if look == "coat" else 0.014) * scale
        outfit.pieces.append(skirt)

    # Jackets and the upper part of coats
    if inner:
        if look != "coat":
            coat = Part(
                "jacket",
                _colour(rng, pale=0.12, dark=0.5),
                _pattern(rng, ("plain", "denim", "leather", "knit", "checks"), (0.55, 0.15, 0.1, 0.1, 0.1)),
                _colour(rng),
            )
            if look == "suit":
                coat = Part("jacket", _colour(rng, pale=0.05, dark=0.8), "plain")
        c = cloth(human, body, TIGHTS, loose=loose + 4, fine=fine)
        low = float(rng.uniform(-0.02, 0.1)) if look != "coat" else 0.05
        gap = float(rng.choice((0.0, 0.03, 0.06)))
        collar = float(rng.uniform(-0.03, 0.01))

        def jacket(f: Any) -> Floats:
            front = _open_front(f, 0.004 + gap, 0.06 + gap)
            return (
                within(_top(f, low, 1.97, collar), np.where(f.armness > 0.2, 0.5, front))
                if look != "coat" or gap
                else _top(f, low, 1.97, collar)
            )

        arm = ramp(c.fields.armness, 0.2, 0.9)
        thick = wrinkled(c, (ease_top * (1 - 0.4 * arm) + 0.012 - 0.005 * arm + ease * 0.6 * (1 - 0.6 * arm)) * scale, 0.0028 * scale)
        outfit.pieces.append(sewn(c, jacket(c.fields), coat, thick))
        outfit.thickness = float(np.quantile(thick, 0.9))
        # The sleeves hide the arms.
        outfit.cover(np.where(r.armness > 0.5, jacket(r), -1))

    # Shoes
    if rng.random() > 0.03:
        boot = rng.random() < 0.15
        edge = 1.55 if boot else float(rng.choice((1.9, 1.93)))
        c = cloth(human, body, TIGHTS, loose=0, fine=fine and not inner)
        floor = float(body[human.groups[TIGHTS], 2].min())
        sunk = ramp(-(c.vertices[:, 2] - floor) / scale, -0.03, -0.012)
        sole_thick = float(rng.uniform(0.008, 0.025)) * scale
        thick = np.asarray((0.006 + (0.004 if boot else 0)) * scale + sunk * 0.003, np.float32)
        shift = np.zeros_like(c.vertices)
        bottom = floor - sole_thick
        # Under the foot everything goes down to one level: a sole.
        shift[:, 2] = sunk * (bottom - c.vertices[:, 2] - c.normals[:, 2] * thick)
        colour = _colour(rng, pale=0.35, dark=0.45)
        shoe = sewn(c, (c.fields.leg - edge) * 0.4, Part("shoes", colour, "leather"), thick, shift=shift)
        level = shoe.vertices[shoe.faces][..., 2].mean(1) < bottom + 0.55 * sole_thick + 0.004
        pale = rng.random() < 0.5
        soles = Part("soles", (0.85, 0.84, 0.8) if pale else (0.08, 0.07, 0.07), "plain")
        for part, chosen in ((shoe.part, ~level), (soles, level)):
            faces, used = compact(shoe.faces[chosen])
            outfit.pieces.append(Piece(part, shoe.vertices[used], shoe.weights[used], faces))
        outfit.cover((r.leg - edge) * 0.4)
        outfit.sole = sole_thick
    return outfit


# Heads


@lru_cache(maxsize=8)
def _patch(folder: str, name: str, low: float):
    """The body's faces about a field of the face, small and subdivided: (subdivision, old vertices, field, weights, azimuth)."""
    human = load(Path(folder))
    f = face_fields(human)[name]
    inside = (f[human.body_faces] > low).all(1) & (human.vertices[human.body_faces][..., 2].min(1) > 0.58)
    # Inner mouth, nostrils and eye sockets lie deep: keep what faces away from the skull's middle.
    p = human.vertices[human.body_faces]
    n = np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1])
    inside &= ((p.mean(1) - [0, -0.055, 0.74 if name == "scalp" else 0.68]) * n).sum(1) > 0
    faces, used = compact(human.body_faces[inside])
    # The lower face is fine enough as it is.
    fine = Subdivision(faces, len(used)) if name == "scalp" else Plain(faces)
    return (
        fine,
        used,
        fine.linear(f[used]),
        fine.linear(human.weights[used]),
        fine.linear(human.vertices[used]),
        neighbours(faces, len(used)),
    )


def skull(human: Human, body: Floats) -> Floats:
    """The middle of a morphed head."""
    top, base = (body[human.joint_index[n]].mean(0) for n in ("head-2", "head"))
    return 0.6 * base + 0.4 * top - np.array([0, 0.3 * (top - base)[2], 0])


def _shell(human: Human, body: Floats, name: str, part: Part, where: Floats, thick: Floats, *, round_off: int = 4) -> Piece:
    fine, used, _, weights, _, near = _patch(str(human.folder.resolve()), name, -0.03)
    coarse = fine.coarse if isinstance(fine, Subdivision) else fine.faces
    rounded = smooth(body[used], near, round_off)
    out = normals(rounded, coarse)
    base = fine(body[used])
    c = Cloth(fine.faces, base, unit(fine(out)), weights, None)
    return sewn(c, where, part, thick.astype(np.float32), edge=0.012)


HAIR_COLOURS = [
    (0.07, 0.05, 0.04),
    (0.12, 0.08, 0.06),
    (0.22, 0.14, 0.09),
    (0.36, 0.24, 0.14),
    (0.62, 0.46, 0.28),
    (0.8, 0.66, 0.43),
    (0.5, 0.22, 0.1),
]


def hair_part(traits: Traits, rng: np.random.Generator) -> Part:
    """Hair's colour: dark for most, greying with age, sometimes dyed."""
    fair = traits.races[2]
    p = np.array([0.4 - 0.2 * fair, 0.3 - 0.1 * fair, 0.2, 0.05 + 0.2 * fair, 0.02 + 0.12 * fair, 0.01 + 0.1 * fair, 0.01 + 0.06 * fair])
    colour = np.array(HAIR_COLOURS[rng.choice(len(p), p=p / p.sum())]) * rng.uniform(0.8, 1.25)
    grey = np.clip((traits.age - rng.normal(52, 9)) / 20, 0, 1)
    colour = colour * (1 - grey) + np.full(3, rng.uniform(0.55, 0.85)) * grey
    if rng.random() < 0.02:
        colour = rng.uniform(0.2, 0.9, 3)
    a, b, c = np.clip(colour, 0.02, 0.95)
    return Part("hair", (float(a), float(b), float(c)), "hair")


def hair(human: Human, body: Floats, traits: Traits, rng: np.random.Generator, *, scale: float) -> list[Piece]:
    """Hair (or none), perhaps a beard, a hat, glasses."""
    woman, man = traits.female > 0.5, traits.female <= 0.5 and traits.age > 19
    part = hair_part(traits, rng)
    pieces: list[Piece] = []
    curly = rng.random() < 0.25 + 0.6 * traits.races[0]
    if woman:
        style = str(
            rng.choice(("short", "bob", "long", "tail", "bun", "afro"), p=_weights(0.12, 0.18, 0.34, 0.18, 0.12, 0.25 * traits.races[0]))
        )
    else:
        style = str(
            rng.choice(
                ("buzz", "short", "full", "bald", "fringe", "long", "afro"),
                p=_weights(0.2, 0.42, 0.2, 0.03 + 0.05 * (traits.age > 40), 0.12 * (traits.age > 42), 0.05, 0.15 * traits.races[0]),
            )
        )
        if traits.age < 18 and style in ("bald", "fringe"):
            style = "short"
    hat = ""
    if rng.random() < 0.14:
        hat = str(rng.choice(("cap", "beanie", "brim")))
        style = {"afro": "short", "full": "short", "bun": "tail"}.get(style, style)
    fine, used, field_, _, place, _ = _patch(str(human.folder.resolve()), "scalp", -0.03)
    x, y, z = place.T
    azimuth = np.degrees(np.arctan2(np.abs(x), -(y + 0.055)))
    upper = ramp(z, 0.72, 0.84)
    sides, top = {
        "buzz": (0.003, 0.005),
        "short": (rng.uniform(0.006, 0.012), rng.uniform(0.012, 0.03)),
        "full": (rng.uniform(0.012, 0.022), rng.uniform(0.025, 0.05)),
        "afro": (rng.uniform(0.03, 0.06), rng.uniform(0.05, 0.09)),
        "fringe": (rng.uniform(0.005, 0.015), 0.0),
        "bob": (rng.uniform(0.014, 0.022), rng.uniform(0.015, 0.03)),
        "long": (rng.uniform(0.012, 0.02), rng.uniform(0.012, 0.028)),
        "tail": (0.007, rng.uniform(0.008, 0.014)),
        "bun": (0.007, rng.uniform(0.008, 0.014)),
    }.get(style, (0.0, 0.0))
    if hat:
        sides, top = min(sides, 0.014), min(top, 0.007)
    where = field_.copy()
    if style == "fringe":
        where = np.minimum(where, 0.79 - z + 0.02 * ramp(azimuth, 120, 180))
        where = np.where(azimuth < 60, -0.03, where)
    if style not in ("bald", "buzz") and not hat and rng.random() < 0.35 and style in ("short", "full", "bob", "long"):
        # A fringe over the forehead.
        where = np.where(azimuth < 60, field_ + rng.uniform(0.008, 0.02) * ramp(-azimuth, -60, -30), where)
    taper = 0.01 if style in ("afro", "bob", "long") else float(rng.uniform(0.008, 0.03))
    if style != "bald":
        thick = (sides + (top - sides) * upper) * (0.2 + 0.8 * ramp(where, 0.0, taper))
        if style in ("short", "full", "bob", "long") and not hat:
            parting = float(rng.choice((-1, 0, 1))) * 0.03
            thick = thick * (1 - 0.3 * np.exp(-(((x - parting) / 0.012) ** 2)) * (y < 0.0) * (style != "short"))
        lumps = waves(place, rng, 0.03 if curly else 0.045, 8, (1, 1, 1) if curly else (0.6, 1.6, 1.6))
        strands = np.sin(np.degrees(np.arctan2(x, -(y + 0.02))) * 0.6 + 2 * waves(place, rng, 0.08))
        thick = thick * (1 + (0.35 if curly else 0.2) * lumps + (0.0 if curly else 0.1) * strands)
        pieces.append(_shell(human, body, "scalp", part, where, np.maximum(thick, 0.0015) * scale))
    if style in ("long", "bob"):
        length = float(rng.uniform(0.22, 0.42)) if style == "long" else float(rng.uniform(0.1, 0.18))
        pieces.append(_curtain(human, body, part, rng, length, sides, scale, curly))
    if style in ("tail", "bun"):
        pieces.append(_tail(human, body, part, rng, scale, bun=style == "bun"))
    if man and rng.random() < 0.3:
        pieces.append(_beard(human, body, part, rng, scale))
    if hat:
        pieces += _hat(human, body, rng, hat, scale, max(sides, top))
    if rng.random() < (0.12 + 0.25 * (traits.age > 50)):
        pieces += _glasses(human, body, rng, scale)
    return pieces


def _weights(*p: float) -> Floats:
    return np.array(p) / sum(p)


def _radii(points: Floats, middle: Floats, levels: Floats, azimuths: Floats) -> Floats:
    """How far points reach from a vertical axis, levels × azimuths (radians), each bin with the greatest about it."""
    d = points - middle
    step = levels[0] - levels[1]
    row = np.rint((levels[0] - points[:, 2]) / step).astype(int)
    turn_ = 2 * np.pi / len(azimuths)
    column = np.rint((np.arctan2(d[:, 0], -d[:, 1]) - azimuths[0]) / turn_).astype(int) % len(azimuths)
    table = np.zeros((len(levels), len(azimuths)))
    ok = (row >= 0) & (row < len(levels))
    np.maximum.at(table, (row[ok], column[ok]), np.hypot(d[ok, 0], d[ok, 1]))
    wide = np.maximum.reduce([np.roll(table, k, 1) for k in (-1, 0, 1)])
    tall = np.pad(wide, ((1, 1), (0, 0)), mode="edge")
    table = np.where(table > 0, table, np.maximum(np.maximum(tall[:-2], tall[2:]), wide))
    return np.maximum(table, 0.25 * (np.roll(table, 1, 1) + np.roll(table, -1, 1)) + 0.5 * table)


def _curtain(
    human: Human, body: Floats, part: Part, rng: np.random.Generator, length: float, thick: float, scale: float, curly: bool
) -> Piece:
    """Hair that hangs: a sheet around the head from temple to temple, over the back, or before the shoulders."""
    middle = skull(human, body)
    kind = (human.kind == 0) & (human.regions.armness < 0.6) & (human.regions.place[:, 2] > 0.1)
    ear = face_fields(human)["ear"] < 0.5
    step = 0.02 * scale
    start = middle[2] + 0.05 * scale
    levels = start - step * np.arange(int((length + 0.05) * scale / step) + 6)
    azimuths = np.radians(np.arange(0, 360, 12.0))
    table = _radii(body[kind & ear], middle, levels, azimuths)
    rows = 18
    first = rng.uniform(72, 95)
    columns = np.radians(np.linspace(first, 360 - first, 44))
    signed = (columns + np.pi) % (2 * np.pi) - np.pi
    front = rng.random() < 0.5
    away = np.degrees(np.abs(signed))
    # Below the chin strands part: before the shoulder or behind it.
    low = np.where((away < 100) & front, away - 38, np.maximum(away, np.minimum(away + 30, 125)))
    share = np.linspace(0, 1, rows)[:, None]
    hang = (
        np.array([np.interp(away, np.degrees(azimuths[:16]), np.maximum(table[1:6, :16].max(0), 0.065 * scale))])[0]
        + (thick * 0.7 - 0.004) * scale
    )
    z_end = np.full(len(columns), start - length * scale)

    def body_radius(angle: Floats, z: Floats) -> Floats:
        level = np.clip((levels[0] - z) / step, 0, len(levels) - 1.001)
        col = (np.radians(angle) / (azimuths[1] - azimuths[0])) % len(azimuths)
        i, j = level.astype(int), col.astype(int)
        a, b = level - i, col - j
        j0, j1 = j % len(azimuths), (j + 1) % len(azimuths)
        return (table[i, j0] * (1 - b) + table[i, j1] * b) * (1 - a) + (table[i + 1, j0] * (1 - b) + table[i + 1, j1] * b) * a

    lowered = np.linspace(0, 1, 40)[:, None]
    for _ in range(2):
        z = start + (z_end - start) * lowered
        angle = away + (low - away) * ramp((start - z) / scale, 0.06, 0.2)
        blocked = body_radius(angle, z) > hang + 0.03 * scale
        stop = np.where(blocked.any(0), z[np.argmax(blocked, 0), np.arange(len(columns))], z_end)
        padded = np.pad(stop, 2, mode="edge")
        z_end = np.maximum(z_end, np.convolve(padded, np.ones(5) / 5, "valid"))
    z_end = z_end + np.abs(rng.normal(0, 0.006, len(columns))) * scale
    z = start + (z_end - start) * share
    angle = away + (low - away) * ramp((start - z) / scale, 0.06, 0.2)
    # In front it lies against the cheeks.
    inward = float(rng.uniform(0, 0.25)) + 0.2 * ramp(-away, -110, -85)
    radius = np.maximum(hang * (1 - inward * ramp((start - z) / scale, 0.08, 0.22)), body_radius(angle, z) + 0.006 * scale)
    radius = np.minimum(radius, hang + 0.035 * scale)
    # It grows out of the hair on the skull.
    grown = ramp((start - z) / scale, 0.0, 0.07)
    radius = radius * grown + np.minimum(radius, body_radius(away, z) - 0.006 * scale) * (1 - grown)
    # Strands: ripples around, waves along for curls.
    ripple = np.sin(np.arange(len(columns)) * 1.9 + rng.uniform(0, 6)) + 0.6 * np.sin(np.arange(len(columns)) * 0.7 + 3 * share)
    radius = radius + ripple * 0.0022 * scale * (0.3 + share)
    if curly:
        radius = radius + 0.006 * scale * np.sin(share * length * 90 + signed * 5) * share
    bearing = np.radians(angle) * np.sign(signed)
    points = middle + np.stack([np.sin(bearing) * radius, -np.cos(bearing) * radius, z - middle[2]], -1)
    vertices = points.reshape(-1, 3).astype(np.float32)
    # Columns run from the left temple round the back to the right one; seen from outside that is clockwise from above.
    faces = lattice(rows, len(columns), closed=False)
    out = normals(vertices, faces)
    if ((vertices - middle) * out)[:, :2].sum() < 0:
        faces, out = faces[:, ::-1], -out
    extra, strip, rim = hem(vertices, faces, out, 0.008 * scale)
    whole = np.concatenate([vertices, extra])
    hold = ramp(-(whole[:, 2] - middle[2]) / scale, 0.12, 0.24)[:, None]
    return Piece(
        part,
        whole.astype(np.float32),
        ((1 - hold) * HEAD + hold * CHEST).astype(np.float32),
        np.concatenate([faces, strip]),
        clear=0.016 * scale,
    )


def _tail(human: Human, body: Floats, part: Part, rng: np.random.Generator, scale: float, *, bun: bool) -> Piece:
    middle = skull(human, body)
    back = body[human.kind == 0]
    back = back[np.abs(back[:, 0]) < 0.05 * scale]
    up = rng.uniform(-0.03, 0.06) if not bun else rng.uniform(0.0, 0.085)
    z = middle[2] + up * scale
    y = back[np.abs(back[:, 2] - z) < 0.035 * scale][:, 1].max()
    if bun:
        r = rng.uniform(0.03, 0.045) * scale
        vertices, faces = ball(np.array([0, y + 0.55 * r, z]), r * np.array([1.1, 0.9, 1.0]), 10, 16)
        vertices = vertices + waves(vertices, rng, 0.02 * scale)[:, None] * unit(vertices - [0, y, z]) * 0.002
        return Piece(part, vertices.astype(np.float32), np.tile(HEAD, (len(vertices), 1)), faces)
    length = rng.uniform(0.15, 0.32) * scale
    t = np.linspace(0, 1, 14)
    path = np.stack(
        [
            0.01 * np.sin(3 * t) * rng.normal(),
            y - 0.01 + 0.045 * scale * np.sin(np.minimum(t * 3, 1) * np.pi / 2) + 0.02 * scale * t,
            z + 0.012 * np.sin(np.minimum(t * 4, 1) * np.pi) - length * np.maximum(t - 0.06, 0) ** 1.1,
        ],
        1,
    )
    radius = scale * 0.026 * np.sin(np.clip(0.25 + t * 0.72, 0, 0.985) * np.pi) ** 0.6
    vertices, faces = tube(path, radius, 10)
    hold = ramp(-(vertices[:, 2] - middle[2]) / scale, 0.1, 0.25)[:, None]
    return Piece(part, vertices.astype(np.float32), ((1 - hold) * HEAD + hold * CHEST).astype(np.float32), faces)


def _beard(human: Human, body: Floats, part: Part, rng: np.random.Generator, scale: float) -> Piece:
    fine, used, where, _, place, _ = _patch(str(human.folder.resolve()), "beard", -0.03)
    lips = fine.linear(face_fields(human)["lips"][used])
    where = np.minimum(where, (0.25 - lips) * 0.03)
    x, y, z = place.T
    if rng.random() < 0.3:
        where = np.minimum(where, 0.035 - np.abs(x))
    depth = float(rng.uniform(0.003, 0.02))
    thick = (0.002 + depth * ramp(where, 0, 0.02) * ramp(-z, -0.68, -0.62)) * (1 + 0.3 * waves(place, rng, 0.02))
    shade = tuple(float(c) * 0.85 for c in part.colour)
    return _shell(human, body, "beard", Part("beard", (shade[0], shade[1], shade[2]), "hair"), where, thick * scale, round_off=1)


def _hat(human: Human, body: Floats, rng: np.random.Generator, kind: str, scale: float, under: float) -> list[Piece]:
    fine, used, _, weights, place, near = _patch(str(human.folder.resolve()), "scalp", -0.03)
    x, y, z = place.T
    tilt = 0.25 if kind != "beanie" else 0.75
    line = (0.795 if kind != "beanie" else 0.792) - tilt * (y + 0.13) * 0.5
    part = Part("hat", _colour(rng), "knit" if kind == "beanie" else "plain", _colour(rng))
    where = np.minimum(z - line, 0.5)
    ear = fine.linear(face_fields(human)["ear"][used])
    where = np.where(ear > 0.3, np.minimum(where, -0.001), where)
    base = under + (0.006 if kind != "beanie" else 0.01)
    if kind == "beanie":
        thick = base + 0.025 * ramp(z, 0.82, 0.85) * rng.random() + 0.0015 * np.sin(np.arctan2(x, -y - 0.05) * 60)
    else:
        thick = base + 0.012 * ramp(z, 0.8, 0.84)
    crown = _shell(human, body, "scalp", part, where, thick * scale, round_off=8)
    result = [crown]
    if kind != "beanie":
        # The brim starts at the crown's rim.
        middle = skull(human, body)
        rim = crown.vertices
        # The rim follows the tilted line; fit it as height over y.
        spread = 140 if kind == "brim" else 62
        a = np.radians(np.linspace(-180, 180, 49) if kind == "brim" else np.linspace(-spread, spread, 25))
        lowest = rim[rim[:, 2] < np.quantile(rim[:, 2], 0.3)]
        bearing = np.arctan2(lowest[:, 0] - middle[0], -(lowest[:, 1] - middle[1]))
        order = np.argsort(bearing)
        reach = np.hypot(*(lowest[:, :2] - middle[:2]).T)
        edge_r = np.interp(a, bearing[order], smooth_line(reach[order]), period=2 * np.pi)
        edge_z = np.interp(a, bearing[order], smooth_line(lowest[order, 2]), period=2 * np.pi)
        wide = rng.uniform(0.05, 0.09) if kind == "brim" else rng.uniform(0.06, 0.075)
        t = np.linspace(0, 1, 5)[:, None]
        width = wide * scale * (np.ones_like(a) if kind == "brim" else np.sqrt(np.clip(1 - (np.degrees(a) / spread) ** 2, 0, 1)))
        r = edge_r - 0.006 * scale + t * width
        sag = (0.12 if kind == "brim" else 0.25) * t**1.5 * width + (
            0.0 if kind == "brim" else 0.012 * scale * (np.degrees(a) / spread) ** 2 * t
        )
        points = np.stack([middle[0] + np.sin(a) * r, middle[1] - np.cos(a) * r, edge_z + 0.004 * scale - sag], -1)
        vertices = points.reshape(-1, 3).astype(np.float32)
        faces = lattice(5, len(a), closed=False)
        out = normals(vertices, faces)
        if out[:, 2].sum() < 0:
            faces, out = faces[:, ::-1], -out
        below = vertices - np.array([0, 0, 0.003 * scale], np.float32)
        extra = faces[:, ::-1] + len(vertices)
        whole = np.concatenate([vertices, below])
        result.append(Piece(part, whole, np.tile(HEAD, (len(whole), 1)), np.concatenate([faces, extra])))
    return result


def smooth_line(values: Floats) -> Floats:
    """A closed row of values, each the mean of nine about it."""
    n = min(4, (len(values) - 1) // 2)
    padded = np.concatenate([values[-n:], values, values[:n]]) if n else values
    return np.convolve(padded, np.ones(2 * n + 1) / (2 * n + 1), "valid")


def _glasses(human: Human, body: Floats, rng: np.random.Generator, scale: float) -> list[Piece]:
    dark = rng.random() < 0.3
    part = Part("glasses", (0.05, 0.05, 0.05) if rng.random() < 0.6 else tuple(float(c) for c in rng.uniform(0.1, 0.7, 3)), "gloss")  # type: ignore[arg-type]
    lens = Part("lenses", (0.03, 0.03, 0.035), "gloss")
    eye = {s: body[human.joint_index[f"{s}-eye"]].mean(0) for s in "lr"}
    skin = body[human.kind == 0]
    skin = skin[skin[:, 2] > eye["l"][2] - 0.2 * scale]
    level = skin[np.abs(skin[:, 2] - eye["l"][2]) < 0.02 * scale]
    thick = rng.uniform(0.001, 0.0022) * scale
    a = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    round_ = rng.uniform(2.0, 4.0)
    wide, tall = rng.uniform(0.024, 0.028) * scale, rng.uniform(0.017, 0.023) * scale
    cx = np.sign(np.cos(a)) * np.abs(np.cos(a)) ** (2 / round_) * wide
    cz = np.sign(np.sin(a)) * np.abs(np.sin(a)) ** (2 / round_) * tall
    pieces: list[tuple[Part, Floats, NDArray[np.int64]]] = []
    front = min(body[human.joint_index[f"{s}-eye"]].mean(0)[1] for s in "lr") - 0.032 * scale
    ears = face_fields(human)["ear"] > 0.6
    for s, sign in (("l", 1), ("r", -1)):
        centre = np.array([eye[s][0] + sign * 0.002 * scale, front, eye[s][2] - 0.003 * scale])
        rim = centre + np.stack([cx, 0.18 * np.abs(cx) * (sign * cx > 0), cz], 1)
        pieces.append((part, *tube(rim, thick, 5, closed=True)))
        if dark:
            fan = np.concatenate([rim, centre[None] - [0, 0.002 * scale, 0]])
            k = np.arange(20)
            faces = np.stack([k, (k + 1) % 20, np.full(20, 20), np.full(20, 20)], 1)
            pieces.append((lens, fan, faces))
        side = np.abs(level[:, 0]).max() if len(level) else 0.075 * scale
        mine = ears & (human.kind == 0) & (np.sign(body[:, 0]) == sign)
        ear = body[mine]
        root = ear[ear[:, 1] < np.quantile(ear[:, 1], 0.3)].mean(0)
        hinge = centre + [sign * wide, 0.008 * scale, 0.008 * scale]
        # Temple arms run along the outside of the head to the top of the ear.
        temple = skin[(np.abs(skin[:, 2] - hinge[2]) < 0.012 * scale) & (skin[:, 1] < root[1]) & (skin[:, 1] > root[1] - 0.04 * scale)]
        out = sign * max(min(side, np.abs(temple[:, 0]).max() if len(temple) else side) + 0.003 * scale, abs(hinge[0]))
        path = np.array(
            [
                hinge,
                [out, hinge[1] + 0.02 * scale, hinge[2]],
                [out, (hinge[1] + root[1]) / 2, hinge[2]],
                [out, root[1] + 0.012 * scale, hinge[2] + 0.002],
            ]
        )
        pieces.append((part, *tube(path, thick, 5)))
    gap = abs(eye["l"][0] - eye["r"][0]) / 2 - wide + 0.002 * scale
    t = np.linspace(-1, 1, 7)
    bridge = np.stack(
        [t * gap, front - 0.004 * scale * (1 - t**2), np.full(7, eye["l"][2] + 0.003 * scale) + 0.004 * scale * (1 - t**2)], 1
    )
    pieces.append((part, *tube(bridge, thick, 5)))
    return [Piece(p, v.astype(np.float32), np.tile(HEAD, (len(v), 1)), f) for p, v, f in pieces]


# Faces

_EYE_RINGS = np.concatenate([np.radians([0, 13, 30]), np.linspace(np.radians(50), np.radians(125), 4)])


def eyes(human: Human, body: Floats, rng: np.random.Generator, traits: Traits) -> list[Piece]:
    """Eyeballs with iris and pupil as faces of their own, looking a little aside."""
    iris = [(0.2, 0.11, 0.06), (0.3, 0.18, 0.09), (0.32, 0.42, 0.5), (0.3, 0.38, 0.25)]
    fair = traits.races[2]
    pick = iris[rng.choice(4, p=_weights(0.6 - 0.3 * fair, 0.4, 0.25 * fair, 0.12 * fair))]
    parts = [Part("pupils", (0.02, 0.02, 0.02), "eye"), Part("irises", pick, "eye"), Part("eyes", (0.9, 0.88, 0.85), "eye")]
    gaze = rng.normal(0, 0.12, 2)
    pieces = []
    for s in "lr":
        shape = body[human.groups[f"helper-{s}-eye"]]
        radius = float(np.ptp(shape[:, 0])) / 2
        centre = shape.mean(0)
        v, f = ball(np.zeros(3), radius, _EYE_RINGS, 14)
        c0, s0, c1, s1 = np.cos(gaze[0]), np.sin(gaze[0]), np.cos(gaze[1] * 0.5), np.sin(gaze[1] * 0.5)
        v = v @ np.array([[1, 0, 0], [0, c1, s1], [0, -s1, c1]]) @ np.array([[c0, s0, 0], [-s0, c0, 0], [0, 0, 1]]) + centre
        ring = np.repeat(np.arange(len(_EYE_RINGS) - 1), 14)
        for part, chosen in zip(parts, (ring == 0, ring == 1, ring > 1)):
            faces, used = compact(f[chosen])
            pieces.append(Piece(part, v[used].astype(np.float32), np.tile(HEAD, (len(used), 1)), faces))
    return pieces


@lru_cache(maxsize=2)
def _brow_anchors(folder: str):
    """Points of both eyebrows over the base mesh, 2 sides × 3 rows × 9: nearest vertices with weights."""
    human = load(Path(folder))
    v = human.vertices
    front = np.flatnonzero((human.kind == 0) & (v[:, 1] < -0.1) & (v[:, 2] > 0.72) & (v[:, 2] < 0.79))
    t = np.linspace(0, 1, 9)
    result = []
    for s in "lr":
        eye = v[human.joint_index[f"{s}-eye"]].mean(0)
        sign = 1 if s == "l" else -1
        across = eye[0] + sign * (-0.017 + 0.043 * t)
        rise = eye[2] + 0.0195 + 0.006 * np.sin(t * 2.2) - 0.004 * t
        half = 0.0042 * (1 - 0.65 * t)
        rows = np.stack([np.stack([across, np.zeros(9), rise + k * half], 1) for k in (-1, 0, 1)])
        result.append(rows)
    points = np.concatenate([p.reshape(-1, 3) for p in result])
    near = nearest(points[:, [0, 2]], v[front][:, [0, 2]], 4)
    d = np.linalg.norm(points[:, None, [0, 2]] - v[front[near]][..., [0, 2]], axis=2)
    w = 1 / (d + 1e-3) ** 2
    w = w / w.sum(1, keepdims=True)
    # What nearest points leave over in the plane of the face moves along unchanged.
    rest = points - (v[front[near]] * w[..., None]).sum(1)
    rest[:, 1] = 0
    return front[near], w.astype(np.float32), rest.astype(np.float32)


def brows(human: Human, body: Floats, part: Part, scale: float) -> list[Piece]:
    """Eyebrows: two thin raised strips that follow the face."""
    index, w, rest = _brow_anchors(str(human.folder.resolve()))
    p = (body[index] * w[..., None]).sum(1) + rest * scale
    raise_ = np.tile(np.repeat([0.0005, 0.0025, 0.0005], 9), 2)
    p[:, 1] -= raise_ * scale + 0.0008 * scale
    faces = []
    for side, flip in ((0, 1), (1, -1)):
        f = lattice(3, 9, closed=False) + side * 27
        faces.append(f[:, ::flip])
    colour = tuple(float(c) * 0.7 for c in part.colour)
    return [
        Piece(Part("brows", (colour[0], colour[1], colour[2]), "hair"), p.astype(np.float32), np.tile(HEAD, (54, 1)), np.concatenate(faces))
    ]
