"""What people wear: clothes cut from MakeHuman's tights and skirt shells, and shoes.

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

from training.scenes.people_body import BONE, BONES, Human, Traits, load
from training.scenes.people_mesh import (
    Floats,
    Neighbours,
    compact,
    cut,
    hem,
    neighbours,
    normals,
    ramp,
    smooth,
    unit,
    waves,
    within,
)

TIGHTS, SKIRT = "helper-tights", "helper-skirt"


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


def cloth_colour(rng: np.random.Generator, *, pale: float = 0.25, dark: float = 0.35) -> tuple[float, float, float]:
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
    top_part = Part("dress" if look == "dress" else "top", cloth_colour(rng), top_texture, cloth_colour(rng))
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
        colour = (0.13, 0.18, 0.3) if texture == "denim" else cloth_colour(rng, pale=0.1, dark=0.6)
        if texture == "denim":
            a, b, d = np.clip(np.array(colour) * rng.uniform(0.6, 2.2) + rng.normal(0, 0.02, 3), 0.03, 0.8)
            colour = (float(a), float(b), float(d))
        legs = Part("tights" if look in ("dress", "skirt") else "shorts" if short else "trousers", colour, texture, cloth_colour(rng))
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
            else Part(
                "skirt", cloth_colour(rng), _pattern(rng, ("plain", "print", "checks", "denim"), (0.5, 0.2, 0.2, 0.1)), cloth_colour(rng)
            )
        )
        if look == "coat":
            coat = Part(
                "coat",
                cloth_colour(rng, pale=0.1, dark=0.5),
                _pattern(rng, ("plain", "knit", "checks"), (0.75, 0.1, 0.15)),
                cloth_colour(rng),
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
                cloth_colour(rng, pale=0.12, dark=0.5),
                _pattern(rng, ("plain", "denim", "leather", "knit", "checks"), (0.55, 0.15, 0.1, 0.1, 0.1)),
                cloth_colour(rng),
            )
            if look == "suit":
                coat = Part("jacket", cloth_colour(rng, pale=0.05, dark=0.8), "plain")
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
        colour = cloth_colour(rng, pale=0.35, dark=0.45)
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
