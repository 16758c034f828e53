"""Heads for the landmark network as plain meshes: MakeHuman's base mesh morphed, rounded, coloured, and where its landmarks are.

Pure numpy. The mesh is hm08 with its targets (CC0 1.0; Data Collection AB, Joel Palmius, Jonas Hauquier and the MakeHuman community,
www.makehumancommunity.org), read from a folder that the caller names. Axes are the mesh's own: metres, z up, facing -y, the
subject's left towards +x. What people wear and how their hair grows is training/scenes' people_head and people_wear.

Landmarks are vertices, or shares of rows of vertices (lids, lips). Those of the jaw follow what an annotator would do: each has an arc
over the skin from the edge of the jaw in towards the cheek, and counts where that arc is farthest out in the picture, which is the
edge itself on the side that is seen and the visible contour on the side that is turned away. The chin's point lies on that line below
the chin's front, where people who place points by hand put it; the skin at its lowest there is 13 mm farther back, which in a
turned face is a place aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from addon.vision.landmarks import COUNT, LEFT_EYE, LEFT_PUPIL, MIRROR, RIGHT_PUPIL
from training.canonical_face import (
    AVERAGE,
    BROW,
    JAW,
    LIDS,
    LOWER_LIDS,
    LOWER_LIP,
    MIDDLE,
    PUPILS,
    SINGLE,
    UPPER_LIP,
    along,
    eye_rim,
)  # fmt: skip
from training.scenes import people_body, people_head, people_wear
from training.scenes.people_body import Human, Traits, face_fields
from training.scenes.people_mesh import Subdivision, ball, compact, normals, pushed_out, ramp, waves
from training.scenes.people_wear import Part, Piece

Floats = NDArray[np.floating]
Rng = np.random.Generator

BRIGHTEST = 16.0  # linear light that the files' largest number stands for
LOWEST = 0.42  # metres above the mesh's origin: what is below is not seen
_ARC = 12
_INWARD = 0.62  # where an arc ends, as a share of the way from the face's middle to the edge of the jaw
_CHIN_FRONT = (0.0, -0.0993)  # where the chin comes out farthest (pogonion), metres below the pupils
_CHIN_ASIDE, _CHIN_ABOVE, _CHIN_STEP = (
    0.03,
    0.02,
    0.001,
)  # metres: how far its skin goes aside and up from the edge, and between its samples


@dataclass(frozen=True)
class Skull:
    """The head of the base mesh, rounded twice, with what is the same on every head.

    used: the base mesh's vertices; fine: the two subdivisions; at: where each of the K fine vertices lies on the average adult (K×3
    metres from between the pupils: x to its left, y up, z out of the face). lips, inner, beard: fields K, 0..1. arcs: the fine
    vertices of the jaw's arcs, 17×12. chin: those about the chin, the first of which is its front. brows: those of points 17 to 26. mirrored: of each base vertex the one on the other side.
    """

    human: Human
    used: NDArray[np.int64]
    fine: tuple[Subdivision, Subdivision]
    at: Floats
    lips: Floats
    inner: Floats
    beard: Floats
    rim: Floats
    arcs: NDArray[np.int64]
    chin: NDArray[np.int64]
    outward: Floats
    brows: NDArray[np.int64]
    mirrored: NDArray[np.int64]

    @property
    def faces(self) -> NDArray[np.int64]:
        return self.fine[1].faces

    def rounded(self, body: Floats) -> Floats:
        """The fine vertices K×3 of a morphed base mesh."""
        first, second = self.fine
        return second(first(body[self.used]))

    def of(self, vertices: Floats, ids: tuple[int, ...]) -> Floats:
        """Fine vertices by the numbers of the base mesh."""
        return vertices[np.searchsorted(self.used, ids)]


@lru_cache(maxsize=1)
def skull(folder: Path) -> Skull:
    """Read the base mesh in `folder` once. Raises FileNotFoundError where the folder lacks it."""
    human = people_body.load(folder)
    v = human.vertices
    faces, used = compact(human.body_faces[v[human.body_faces][..., 2].min(1) > LOWEST])
    first = Subdivision(faces, len(used))
    second = Subdivision(first.faces, first.count)

    def fine(values: Floats) -> Floats:
        return second.linear(first.linear(values[used]))

    average = human.morphed(people_body.macro_targets(AVERAGE)).astype(np.float64)
    eyes = [average[human.groups[f"helper-{s}-eye"]] for s in "rl"]
    scale = PUPILS / float(eyes[1][:, 0].mean() - eyes[0][:, 0].mean())
    origin = np.array([0.0, min(e[:, 1].min() for e in eyes), np.mean([e[:, 2].mean() for e in eyes])])
    p = (second(first(average[used])) - origin) * scale
    at = np.stack([p[:, 0], p[:, 2], -p[:, 1]], 1)

    mirrored = np.arange(len(v))
    body = np.unique(human.body_faces)
    near = people_head.nearest(v[body] * np.float32([-1, 1, 1]), v[body])[:, 0]
    mirrored[body] = body[near]

    index = {tuple(xy): _in_front(at, np.array(xy)) for xy in [*BROW, *((-x, y) for x, y in BROW)]}
    brows = np.array([index[-x, y] for x, y in BROW[::-1]] + [index[xy] for xy in BROW])
    edge = along(np.array(JAW), [i / 8 for i in range(9)])
    edge = np.concatenate([edge[:0:-1] * [-1, 1], edge])  # from the right ear to the left
    middle = np.stack([np.zeros(17), np.maximum(edge[:, 1], -0.05)], 1)
    arcs = np.array(
        [[_in_front(at, m + (1 - (1 - _INWARD) * k / (_ARC - 1)) * (e - m)) for k in range(_ARC)] for e, m in zip(edge, middle)]
    )
    tangent = np.gradient(edge, axis=0)
    outward = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)

    across = np.arange(-_CHIN_ASIDE, _CHIN_ASIDE + 1e-9, _CHIN_STEP)
    lowest = np.interp(np.abs(across), *np.array(JAW[:8]).T)
    above = np.arange(0, _CHIN_ABOVE + 1e-9, _CHIN_STEP)
    patch = {_in_front(at, np.array([x, y + up])) for x, y in zip(across, lowest) for up in above}
    front = _in_front(at, np.array(_CHIN_FRONT))
    chin = np.array([front, *sorted(patch - {front})])

    fields = face_fields(human)
    rim_ids = np.array(LIDS + LOWER_LIDS)
    rim_points = np.concatenate([at[np.searchsorted(used, ids)] for ids in (rim_ids, mirrored[rim_ids])])
    close = people_head.nearest(at, rim_points)[:, 0]
    return Skull(
        human, used, (first, second), at.astype(np.float32), ramp(fine(fields["lips"]), 0.3, 0.5), _inside(at),
        ramp(fine(fields["beard"]), -0.004, 0.006), np.linalg.norm(at - rim_points[close], axis=1).astype(np.float32), arcs,
        chin, outward, brows, mirrored,
    )  # fmt: skip


def _in_front(at: Floats, xy: Floats) -> int:
    """The fine vertex nearest to a place as seen from the front, of those that nothing hides."""
    d = np.linalg.norm(at[:, :2] - xy, axis=1)
    reach = max(0.0025, float(np.sort(d)[3]))
    near = np.flatnonzero(d <= reach)
    shown = near[at[near, 2] > at[near, 2].max() - 0.006]
    return int(shown[d[shown].argmin()])


def _inside(at: Floats) -> Floats:
    """How far within the mouth each fine vertex lies, 0..1: by how much of the face is before it."""
    region = np.flatnonzero((np.abs(at[:, 0]) < 0.036) & (at[:, 1] < -0.052) & (at[:, 1] > -0.1))
    cell = np.floor(at[region, :2] / 0.003).astype(int)
    key = (cell[:, 0] + 100) * 1000 + cell[:, 1] + 100
    front = np.full(200_000, -np.inf)
    np.maximum.at(front, key, at[region, 2])
    result = np.zeros(len(at), np.float32)
    result[region] = ramp(front[key] - at[region, 2], 0.004, 0.009)
    return result


# A head ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """One head with an expression. skin: fine vertices K×3; colours: K×3 sRGB. eyes: centres of the right and the left eyeball, 2×3;
    radius: metres. points: float64 70×3, of which those of the jaw stand for themselves only in `landmarks`. pieces: hair, clothes,
    teeth and what else there is."""

    skull: Skull
    skin: Floats
    colours: Floats
    rough: float
    eyes: Floats
    radius: float
    iris: tuple[float, float, float]
    points: Floats
    pieces: tuple[Piece, ...]
    traits: Traits

    @property
    def pupils(self) -> float:
        """Metres between the pupils."""
        return float(np.linalg.norm(self.points[LEFT_PUPIL] - self.points[RIGHT_PUPIL]))


def head(folder: Path, rng: Rng) -> Head:
    """Someone at random with an expression."""
    s = skull(folder)
    human = s.human
    traits = people_body.draw_traits(rng)
    strengths = people_body.macro_targets(traits) | people_body.detail_targets(rng) | features(rng)
    expression, opened, shut = expressions(rng, traits)
    body = human.morphed(strengths | expression)
    body = body * np.float32(traits.height / float(np.ptp(body[human.groups["body"], 2])))
    scale = traits.height / 1.67
    skin = s.rounded(body)
    eyeballs = [body[human.groups[f"helper-{side}-eye"]] for side in "rl"]
    centres = np.array([(e.min(0) + e.max(0)) / 2 for e in eyeballs])
    radius = float(np.mean([np.ptp(e[:, 0]) / 2 for e in eyeballs]))
    hair = people_head.hair_part(traits, rng)
    growth = people_head.hair(human, body, traits, rng, scale=scale)
    hair = next((p.part for p in growth if p.part.name == "hair"), hair)
    outfit = people_wear.dress(human, body, traits, rng, scale=scale, simple=True)
    pieces = [*growth, *outfit.pieces]
    for piece in pieces:
        if piece.clear and len(piece.faces):
            _push_off(human, body, piece, outfit.thickness + 0.006 * scale)
    pieces = [p for p in map(_upper, pieces) if p is not None]
    if opened:
        pieces += _mouth(human, body, rng)
    if rng.random() < 0.7:
        pieces.append(_lashes(human, body, rng, hair))
    raised = rng.uniform(0.0, 0.0012) * scale
    colours, strength = paint(s, traits, hair, rng, shut)
    skin = skin + normals(skin, s.faces) * (strength * raised)[:, None].astype(np.float32)
    return Head(
        s, skin.astype(np.float32), colours, float(rng.uniform(0.3, 0.65)), centres, radius, _iris(traits, rng),
        _points(s, skin, centres, radius), tuple(pieces), traits,
    )  # fmt: skip


def _points(s: Skull, skin: Floats, centres: Floats, radius: float) -> Floats:
    result = np.full((COUNT, 3), np.nan)
    result[17:27] = skin[s.brows]
    result[:17] = skin[s.arcs[:, 0]]

    def side(ids: tuple[int, ...], left: bool) -> Floats:
        return s.of(skin, ids if left else tuple(int(i) for i in s.mirrored[list(ids)]))

    for left in (True, False):
        upper, lower = side(LIDS, left), side(LOWER_LIDS, left)
        eye = eye_rim(upper, lower)
        above, below = side(UPPER_LIP, left), side(LOWER_LIP, left)
        found = {i: side(ids, left).mean(0) for i, ids in SINGLE.items()}
        found |= dict(zip(range(LEFT_EYE.start, LEFT_EYE.stop), eye))
        found |= {62: above[0], 63: along(above, [0.5])[0], 66: below[0], 65: along(below, [0.5])[0]}
        for i, place in found.items():
            if i in MIDDLE:  # these lie on both halves
                result[i] = place if left else (result[i] + place) / 2
            else:
                result[i if left else MIRROR[i]] = place
    for i, centre in ((RIGHT_PUPIL, centres[0]), (LEFT_PUPIL, centres[1])):
        result[i] = centre - [0, radius, 0]
    if np.isnan(result).any():
        raise ValueError("a landmark has no place")
    return result


def landmarks(head: Head, project: Floats, gaze: Floats) -> Floats:
    """The seventy points in a picture, float64 70×2. project: 3×4, from the mesh's axes to the picture times depth, in pixels.
    gaze: where both eyes look, 2×3 unit vectors."""

    def seen(p: Floats) -> Floats:
        q = np.concatenate([p, np.ones((*p.shape[:-1], 1))], -1) @ project.T
        return q[..., :2] / q[..., 2:]

    points = head.points.copy()
    points[[RIGHT_PUPIL, LEFT_PUPIL]] = head.eyes + gaze * head.radius
    result = seen(points)
    arcs = seen(head.skin[head.skull.arcs].astype(np.float64))
    up = seen(head.points[[27]] + [0, 0, 0.03])[0] - result[27]
    up /= np.linalg.norm(up)
    right = np.array([-up[1], up[0]])
    # Outward in the picture: as on the face seen from the front, turned with it.
    out = head.skull.outward[:, :1] * right + head.skull.outward[:, 1:] * up
    farthest = (arcs * out[:, None]).sum(-1).argmax(1)
    result[:17] = arcs[np.arange(17), farthest]
    chin = seen(head.skin[head.skull.chin].astype(np.float64)) - result[27]
    aside, low = chin @ right, -(chin @ up)
    below = np.abs(aside - aside[0]) < 0.025 * np.linalg.norm(result[LEFT_PUPIL] - result[RIGHT_PUPIL])
    result[8] = result[27] + aside[0] * right - low[below].max() * up
    return result


# Features ----------------------------------------------------------------------------------------------------------------

_ONE = (
    *((f"nose/nose-{n}", a, b, 0.6) for n, a, b in (
        ("base", "down", "up"), ("flaring", "decr", "incr"), ("nostrils-width", "decr", "incr"), ("point-width", "decr", "incr"),
        ("volume", "decr", "incr"), ("trans", "down", "up"), ("septumangle", "decr", "incr"), ("greek", "decr", "incr"))),
    *((f"mouth/mouth-{n}", a, b, 0.6) for n, a, b in (
        ("angles", "down", "up"), ("cupidsbow", "decr", "incr"), ("laugh-lines", "in", "out"), ("lowerlip-ext", "down", "up"),
        ("lowerlip-height", "decr", "incr"), ("upperlip-height", "decr", "incr"), ("upperlip-width", "decr", "incr"),
        ("scale-depth", "decr", "incr"), ("philtrum-volume", "decr", "incr"))),
    *((f"chin/chin-{n}", a, b, 0.6) for n, a, b in (
        ("jaw-drop", "decr", "incr"), ("prognathism", "decr", "incr"), ("cleft", "decr", "incr"))),
    ("head/head-angle", "in", "out", 0.5), ("head/head-age", "decr", "incr", 0.7),
)  # fmt: skip
_TWO = (
    *((f"eyes/{{}}-eye-{n}", a, b, 0.6) for n, a, b in (
        ("bag", "decr", "incr"), ("corner1", "down", "up"), ("corner2", "down", "up"), ("epicanthus", "in", "out"),
        ("eyefold", "down", "up"), ("eyefold-angle", "down", "up"), ("height1", "decr", "incr"), ("height2", "decr", "incr"),
        ("height3", "decr", "incr"), ("push1", "in", "out"), ("push2", "in", "out"))),
    *((f"cheek/{{}}-cheek-{n}", a, b, 0.6) for n, a, b in (("inner", "decr", "incr"), ("trans", "down", "up"))),
)  # fmt: skip
_ASYM = ("brown-2", "cheek-2", "eye-1", "eye-3", "eye-5", "eye-7", "jaw-2", "jaw-3", "mouth-2", "nose-2", "nose-3", "temple-1", "top-1")


def features(rng: Rng) -> dict[str, float]:
    """More random details of the face than bodies seen from afar need."""
    result: dict[str, float] = {}
    for rows, sides in ((_ONE, ("",)), (_TWO, ("l", "r"))):
        for name, low, high, most in rows:
            if rng.random() < 0.5:
                strength = float(np.clip(rng.normal(0, 0.5), -1, 1)) * most
                for side in sides:
                    result[f"{name.format(side)}-{high if strength > 0 else low}"] = abs(strength)
    for name in rng.choice(_ASYM, int(rng.integers(0, 4)), replace=False):
        result[f"asym/asym-{name}-{rng.choice(('l', 'r'))}"] = float(rng.uniform(0, 0.5))
    return result


def expressions(rng: Rng, traits: Traits) -> tuple[dict[str, float], bool, bool]:
    """Morph targets of a random expression, whether the mouth may be open, and whether the eyes are shut."""
    unit = f"expression/units/{people_body.RACES[int(np.argmax(traits.races))]}/"
    result: dict[str, float] = {}

    def add(low: float, high: float, *names: str) -> None:
        strength = float(rng.uniform(low, high))
        for name in names:
            result[unit + name] = strength

    mouth = str(
        rng.choice(("calm", "smile", "laugh", "talk", "gape", "press", "purse", "odd"), p=(0.26, 0.18, 0.28, 0.11, 0.04, 0.05, 0.04, 0.04))
    )
    opened = mouth in ("laugh", "talk", "gape") or (mouth in ("smile", "odd") and rng.random() < 0.4)
    if mouth in ("smile", "laugh"):
        add(0.35, 1.0, "mouth-corner-puller")
        if rng.random() < 0.5:
            add(0.0, 0.5, "mouth-retraction")
        if rng.random() < 0.7:  # cheeks push the lower lids up; who laughs hard screws the eyes up
            add(0.0, 0.6 if mouth == "smile" else 1.0, "eye-left-slit", "eye-right-slit")
    if opened and mouth in ("smile", "laugh"):
        add(0.2 if mouth == "smile" else 0.5, 1.0, "mouth-part-later")
        add(0.0, 0.15 if mouth == "smile" or rng.random() < 0.6 else 0.4, "mouth-open")
        if rng.random() < 0.5:
            add(0.1, 0.7, "mouth-upward-retraction")
    if mouth == "talk":
        add(0.1, 0.7, "mouth-open")
        add(
            0.0,
            0.6,
            str(
                rng.choice(
                    ("mouth-pursing", "mouth-retraction", "mouth-protusion", "mouth-upward-retraction", "mouth-depression-retraction")
                )
            ),
        )
    if mouth == "gape":
        add(0.6, 1.1, "mouth-open")
    if mouth == "press":
        add(0.3, 1.0, str(rng.choice(("mouth-compression", "mouth-elevation", "mouth-depression"))))
    if mouth == "purse":
        add(0.2, 0.9, str(rng.choice(("mouth-pursing", "mouth-protusion", "mouth-eversion"))))
    if mouth == "odd":
        add(0.2, 0.8, str(rng.choice(("mouth-depression-retraction", "mouth-upward-retraction", "mouth-parling", "nose-compression"))))
        if opened:
            add(0.1, 0.4, "mouth-open")
    shut = False
    eyes = rng.random()
    if eyes < 0.07:
        add(0.9, 1.0, "eye-left-closure", "eye-right-closure")
        shut = True
    elif eyes < 0.09:
        add(0.9, 1.0, f"eye-{rng.choice(('left', 'right'))}-closure")
    elif eyes < 0.45:
        add(0.05, 0.6, "eye-left-closure", "eye-right-closure")
    elif eyes < 0.57:
        add(0.2, 1.0, "eye-left-opened-up", "eye-right-opened-up")
    brow = rng.random()
    if brow < 0.2:
        add(0.2, 1.0, "eyebrows-left-up", "eyebrows-right-up")
    elif brow < 0.4:
        add(0.2, 1.0, "eyebrows-left-down", "eyebrows-right-down")
    elif brow < 0.5:
        add(0.2, 1.0, "eyebrows-left-inner-up", "eyebrows-right-inner-up")
    elif brow < 0.55:
        add(0.2, 1.0, f"eyebrows-{rng.choice(('left', 'right'))}-extern-up")
    return result, opened, shut


# Colours -----------------------------------------------------------------------------------------------------------------

_TONES = np.array([(0.36, 0.23, 0.16), (0.84, 0.66, 0.52), (0.9, 0.73, 0.63)])
_IRISES = np.array([(0.1, 0.06, 0.04), (0.22, 0.12, 0.06), (0.34, 0.22, 0.1), (0.32, 0.42, 0.5), (0.42, 0.5, 0.55), (0.3, 0.38, 0.25)])


def _iris(traits: Traits, rng: Rng) -> tuple[float, float, float]:
    fair = traits.races[2]
    p = np.array([0.4, 0.35, 0.15 + 0.1 * fair, 0.3 * fair, 0.2 * fair, 0.2 * fair])
    r, g, b = np.clip(_IRISES[rng.choice(6, p=p / p.sum())] * rng.uniform(0.7, 1.3), 0.02, 1)
    return float(r), float(g), float(b)


def paint(s: Skull, traits: Traits, hair: Part, rng: Rng, shut: bool) -> tuple[Floats, Floats]:
    """Colours K×3 (sRGB) of the skin with brows, lips, lash lines, stubble and blemishes, and how hairy its brows are (K, 0..1)."""
    at = s.at
    x, y, z = at.T
    tone = np.array(traits.races) @ _TONES * rng.uniform(0.75, 1.1) + rng.normal(0, 0.015, 3)
    colour = np.tile(np.clip(tone, 0.08, 0.97), (len(at), 1))

    def blend(to: Floats, share: Floats) -> None:
        colour[:] = colour + (to - colour) * np.clip(share, 0, 1)[:, None]

    def blob(cx: float, cy: float, size: float, stretch: float = 1.0) -> Floats:
        return np.exp(-((np.abs(x) - cx) ** 2 / stretch**2 + (y - cy) ** 2) / (2 * size**2)) * (z > -0.05)

    redder = colour * [1.0, 0.78, 0.76]
    flush = rng.uniform(0, 0.8) * (blob(0.042, -0.035, 0.014) + rng.uniform(0, 1) * blob(0.0, -0.036, 0.008))
    blend(redder, flush)
    blend(colour * [0.8, 0.72, 0.74], rng.uniform(0, 0.6) * blob(0.03, -0.014, 0.006, 1.8))
    blend(colour * 0.85, rng.uniform(0, 0.5) * blob(0.022, 0.006, 0.006, 2.0))
    colour *= 1 + rng.uniform(0.0, 0.04) * waves(at, rng, 0.03, 12)[:, None] + rng.uniform(0.0, 0.03) * waves(at, rng, 0.006, 24)[:, None]
    if rng.random() < 0.15:  # freckles
        blend(colour * [0.75, 0.62, 0.55], ramp(waves(at, rng, 0.003, 14), 0.55, 0.8) * (blob(0.03, -0.025, 0.02) + blob(0, -0.03, 0.012)))
    for _ in range(rng.poisson(1.0)):  # moles
        spot = np.array([rng.uniform(-0.06, 0.06), rng.uniform(-0.1, 0.05)])
        blend(colour * 0.45, np.exp(-(((at[:, :2] - spot) ** 2).sum(1)) / (2 * rng.uniform(0.0008, 0.0016) ** 2)))
    if rng.random() < 0.2 + 0.3 * (traits.age > 45):  # folds and furrows, as shades
        depth = rng.uniform(0.1, 0.4)
        fold = np.abs(np.abs(x) - (0.019 + 0.35 * (-0.045 - y))) / 0.0025
        blend(colour * 0.7, depth * np.exp(-(fold**2)) * (y < -0.045) * (y > -0.078) * (z > -0.01))
        lines = np.exp(-(((y - 0.04) % 0.009 - 0.0045) ** 2) / (2 * 0.001**2)) * (y > 0.03) * (y < 0.06) * (np.abs(x) < 0.045)
        blend(colour * 0.75, depth * lines)
    male = traits.female < 0.5 and traits.age > 18
    dark = np.array(hair.colour)
    if male and rng.random() < 0.55:
        grain = 0.75 + 0.25 * waves(at, rng, 0.002, 16)
        blend(colour * 0.35 + dark * 0.2 + [0.03, 0.035, 0.045], rng.uniform(0.05, 0.75) * s.beard * grain * (1 - s.lips))
    red = np.clip(tone * [1.0, rng.uniform(0.62, 0.9), rng.uniform(0.62, 0.88)] * rng.uniform(0.75, 1.02), 0.08, 0.95)
    if traits.female > 0.5 and traits.age > 15 and rng.random() < 0.4:
        red = np.array([rng.uniform(0.35, 0.85), rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.45)])
    blend(red, s.lips * rng.uniform(0.6, 1.0))
    # The dark line of the lashes along the rims, heavier above and when made up.
    made_up = traits.female > 0.5 and traits.age > 15 and rng.random() < 0.5
    width = rng.uniform(0.0008, 0.0014) + 0.0008 * made_up
    above = np.where(y > -0.0028, 1.0, 0.45)
    blend(np.full(3, 0.05) + 0.2 * dark, rng.uniform(0.35, 0.95) * above * np.exp(-((s.rim / width) ** 2)) * (1.0 if not shut else 0.9))
    if made_up:
        shade = np.clip(tone * 0.5 + rng.uniform(0, 0.5, 3), 0, 1)
        blend(shade, rng.uniform(0, 0.6) * blob(0.032, 0.006, 0.005, 2.0))
    brow = _brows(s, rng, traits)
    blend(np.clip(dark * rng.uniform(0.55, 1.0) * 0.8 + 0.2 * tone * rng.uniform(0.2, 0.8), 0.02, 0.9), brow)
    blend(np.array([0.3, 0.08, 0.08]), s.inner)
    return np.clip(colour, 0.015, 0.98).astype(np.float32), brow.astype(np.float32)


def _brows(s: Skull, rng: Rng, traits: Traits) -> Floats:
    """How densely brows grow on each fine vertex, 0..1."""
    x, y, z = s.at.T
    line = np.array(BROW)
    ends = rng.uniform(-0.004, 0.003), rng.uniform(-0.006, 0.004)
    half = rng.uniform(0.0018, 0.0042) * (1.0 if traits.female < 0.5 else 0.8)
    off = np.abs(x)
    middle = np.interp(off, line[:, 0], line[:, 1]) - 0.6 * np.maximum(off - line[-1, 0], 0)
    taper = 1 - 0.65 * np.clip((off - line[0, 0]) / (line[-1, 0] - line[0, 0]), 0, 1) ** 1.5
    across = np.exp(-(np.abs((y - middle) / (half * taper * 1.2)) ** 3))
    length = ramp(off, line[0, 0] + ends[0] - 0.003, line[0, 0] + ends[0] + 0.003) * (
        1 - ramp(off, line[-1, 0] + ends[1] - 0.004, line[-1, 0] + ends[1] + 0.002)
    )
    hairs = 0.85 + 0.25 * waves(s.at, rng, 0.0025, 14)
    return np.clip(rng.uniform(0.3, 1.1) * across * length * hairs * (z > -0.03), 0, 1)


def eyeball(h: Head, rng: Rng) -> tuple[Floats, NDArray[np.int64], Floats]:
    """A ball about the origin that looks along -y: vertices, faces and colours (sRGB) of its vertices."""
    rings = np.concatenate(
        [np.radians([0.0]), np.linspace(np.radians(4), np.radians(34), 16), np.linspace(np.radians(40), np.radians(125), 6)]
    )
    vertices, faces = ball(np.zeros(3), h.radius, rings, 28)
    angle = np.repeat(rings, 28)
    around = np.tile(np.arange(28), len(rings))
    edge = np.arcsin(min(rng.uniform(0.0056, 0.0064) / 0.063 * h.pupils / h.radius, 0.7))
    pupil = edge * rng.uniform(0.28, 0.6)
    white = np.clip(np.array([0.84, 0.81, 0.78]) * rng.uniform(0.6, 1.05) + rng.normal(0, 0.01, 3), 0, 1)
    colour = np.tile(white, (len(vertices), 1))
    far = ramp(angle, np.radians(35), np.radians(70))[:, None]
    colour = colour * (1 - far) + colour * [0.95, 0.72, 0.7] * far
    spokes = 1 + 0.2 * rng.normal(size=28)[around]
    iris = np.clip(np.array(h.iris) * spokes[:, None], 0, 1)
    iris = iris * (1 - 0.6 * ramp(angle, edge * 0.8, edge)[:, None])
    colour = np.where((angle < edge)[:, None], iris, colour)
    colour = np.where((angle < pupil)[:, None], 0.015, colour)
    return vertices.astype(np.float32), faces, colour.astype(np.float32)


# Pieces ------------------------------------------------------------------------------------------------------------------


def _upper(piece: Piece) -> Piece | None:
    """The part of it that is near the head, or None."""
    if not len(piece.faces):
        return None
    kept = piece.vertices[piece.faces][..., 2].max(1) > LOWEST
    if not kept.any():
        return None
    faces, used = compact(piece.faces[kept])
    return Piece(piece.part, piece.vertices[used], piece.weights[used], faces, None if piece.uv is None else piece.uv[kept])


def _push_off(human: Human, body: Floats, piece: Piece, gap: float) -> None:
    """Keep hair that hangs out of the shoulders and clothes, in place."""
    faces, used, _ = people_wear.compact_shell(str(human.folder.resolve()), people_wear.TIGHTS)
    surface = body[used]
    outward = normals(surface, faces)
    low, high = piece.vertices.min(0) - 0.05, piece.vertices.max(0) + 0.05
    near = ((surface > low) & (surface < high)).all(1)
    if near.any():
        piece.vertices[:] = pushed_out(piece.vertices, surface[near], outward[near], gap, 0.05)


def _mouth(human: Human, body: Floats, rng: Rng) -> list[Piece]:
    """Teeth and tongue."""
    pieces = []
    shade, lowered = rng.uniform(0.65, 1.0), rng.uniform(0.0, 1.0)
    for name, colour, texture in (
        ("helper-upper-teeth", (0.9 * shade, 0.87 * shade, 0.8 * shade), "gloss"),
        ("helper-lower-teeth", (0.88 * shade, 0.84 * shade, 0.76 * shade), "gloss"),
        ("helper-tongue", (0.62, 0.28, 0.27), "skin"),
    ):
        own = np.isin(human.faces, human.groups[name]).all(1)
        faces, used = compact(human.faces[own])
        vertices = body[used]
        if name == "helper-lower-teeth":  # most who laugh show the upper ones
            vertices = vertices + np.float32([0, 0.003, -0.006]) * np.float32(lowered)
        pieces.append(Piece(Part(name.removeprefix("helper-"), colour, texture), vertices, human.weights[used], faces))
    return pieces


def _lashes(human: Human, body: Floats, rng: Rng, hair: Part) -> Piece:
    """Lashes as strips, shorter than the base mesh has them."""
    names = [f"helper-{s}-eyelashes-{k}" for s in "lr" for k in (1, 2)]
    own = np.isin(human.faces, np.concatenate([human.groups[n] for n in names])).all(1)
    faces, used = compact(human.faces[own])
    vertices = body[used].copy()
    length = rng.uniform(0.15, 0.7)
    eyes = np.concatenate([s_.reshape(-1, 3) for s_ in (body[human.groups["helper-l-eye"]], body[human.groups["helper-r-eye"]])])
    centres = np.array([eyes[: len(eyes) // 2].mean(0), eyes[len(eyes) // 2 :].mean(0)])
    own_eye = centres[(vertices[:, 0] < 0).astype(int)]
    radius = np.ptp(eyes[: len(eyes) // 2, 0]) / 2
    d = vertices - own_eye
    far = np.linalg.norm(d, axis=1, keepdims=True)
    vertices = own_eye + d / far * np.where(far > 1.06 * radius, 1.06 * radius + length * (far - 1.06 * radius), far)
    r, g, b = np.array(hair.colour) * 0.3 + 0.03
    return Piece(Part("lashes", (float(r), float(g), float(b)), "plain"), vertices.astype(np.float32), human.weights[used], faces)
