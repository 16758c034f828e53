"""Heads: hair, beards, hats, glasses, eyes and eyebrows, made on the body at rest."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.scenes.people_body import BONE, BONES, Human, Traits, face_fields, load
from training.scenes.people_mesh import (
    Floats,
    Subdivision,
    ball,
    compact,
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
)
from training.scenes.people_wear import Cloth, Part, Piece, Plain, cloth_colour, sewn

HEAD = np.eye(len(BONES), dtype=np.float32)[BONE["head"]]
CHEST = np.eye(len(BONES), dtype=np.float32)[BONE["chest"]]


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
    part = Part("hat", cloth_colour(rng), "knit" if kind == "beanie" else "plain", cloth_colour(rng))
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
