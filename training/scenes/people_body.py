"""MakeHuman's base mesh hm08 as a body of any age, build and face: morph targets, skeleton, skin weights, regions.

The mesh, its targets and its skeleton are MakeHuman's (hm08; released as CC0 1.0 by Data Collection AB, Joel Palmius and
Jonas Hauquier, www.makehumancommunity.org), read from a folder that holds `base.obj`, `basemesh_vertex_groups.json`
and `targets/**.target.gz`. Here everything is in metres, z up, the person facing -y, its left towards +x; the base mesh's
own origin (about the hip) is kept until a person is set on its feet.

How macro targets combine is MakeHuman's rule (mpfb2, src/mpfb/services/targetservice.py): `race-sex-age` weighs
race * sex * age, `universal-sex-age-muscle-weight` the product of its four; ages 1 (baby), 12 (child), 25 (young) and
90 (old) years are mixed linearly, muscle and weight from least over average to most.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.scenes.people_mesh import Floats, Subdivision, neighbours, ramp, smooth, unit

RACES = ("african", "asian", "caucasian")
SEXES = ("female", "male")
AGES = ((1.0, "baby"), (12.0, "child"), (25.0, "young"), (90.0, "old"))

# name, parent, joint or joints (their mean) at the head, the same at the tail, radius of the flesh at both ends.
_SPINE = [
    ("root", "", "pelvis", "spine-4", 0.13, 0.12),
    ("spine1", "root", "spine-4", "spine-2", 0.12, 0.12),
    ("spine2", "spine1", "spine-2", "spine-1", 0.12, 0.14),
    ("chest", "spine2", "spine-1", "neck", 0.14, 0.07),
    ("neck", "chest", "neck", "head", 0.055, 0.06),
    ("head", "neck", "head", "head-2", 0.09, 0.09),
]
_SIDE = [
    ("clavicle", "chest", "clavicle", "shoulder", 0.06, 0.06),
    ("arm1", "clavicle", "shoulder", "shoulder elbow", 0.055, 0.05),
    ("arm2", "arm1", "shoulder elbow", "elbow", 0.05, 0.045),
    ("fore1", "arm2", "elbow", "elbow hand", 0.045, 0.04),
    ("fore2", "fore1", "elbow hand", "hand", 0.04, 0.03),
    ("hand", "fore2", "hand", "finger-3-1", 0.03, 0.03),
    *(
        (f"finger{k}{j}", f"finger{k}{j - 1}" if j > 1 else "hand", f"finger-{k}-{j}", f"finger-{k}-{j + 1}", 0.01, 0.009)
        for k in range(1, 6)
        for j in range(1, 4)
    ),
    ("leg1", "root", "upper-leg", "upper-leg knee", 0.085, 0.075),
    ("leg2", "leg1", "upper-leg knee", "knee", 0.075, 0.06),
    ("shin", "leg2", "knee", "ankle", 0.06, 0.04),
    ("foot", "shin", "ankle", "foot-1", 0.045, 0.035),
    ("toes", "foot", "foot-1", "foot-2", 0.035, 0.03),
]


def _sided(side: str) -> list[tuple[str, str, str, str, float, float]]:
    def joints(names: str) -> str:
        return " ".join(f"{side}-{n}" for n in names.split())

    shared = {row[0] for row in _SPINE}
    return [(f"{side}-{n}", p if p in shared else f"{side}-{p}", joints(a), joints(b), r0, r1) for n, p, a, b, r0, r1 in _SIDE]


BONES = [*_SPINE, *_sided("l"), *_sided("r")]
BONE = {row[0]: i for i, row in enumerate(BONES)}
PARENT = [BONE[row[1]] if row[1] else -1 for row in BONES]


@dataclass(frozen=True)
class Regions:
    """Where on the body each vertex of the base mesh lies; made once on the base mesh, metres or shares of a limb.

    `arm`: 0 shoulder, 1 elbow, 2 wrist, beyond 2 the hand; -1 off the arms. `leg`: 0 hip, 1 knee, 2 ankle; -1 above.
    `armness`: share of skin weight that the arm has. `height`: 0 at the hip joints, 1 at the waist, 2 at the neck's
    joint. `place`: the base mesh's own position.
    """

    arm: Floats
    leg: Floats
    armness: Floats
    height: Floats
    place: Floats


class Human:
    """The base mesh with what is worked out on it once; its targets are read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vertices, self.uv, self.faces, self.uv_faces = _read_obj(folder / "base.obj")
        groups = json.loads((folder / "basemesh_vertex_groups.json").read_text())
        self.groups = {name: np.concatenate([np.arange(a, b + 1) for a, b in spans]) for name, spans in groups.items()}
        size = len(self.vertices)
        self.joint_index = {n.removeprefix("joint-"): i for n, i in self.groups.items() if n.startswith("joint-")}
        self.kind = np.full(size, -1)
        wanted = ("body", "helper-tights", "helper-skirt", "helper-upper-teeth", "helper-lower-teeth")
        for number, name in enumerate(wanted):
            self.kind[self.groups[name]] = number
        of_face = self.kind[self.faces].max(1)
        self.part_faces = {name: np.flatnonzero(of_face == number) for number, name in enumerate(wanted)}
        self._targets: dict[str, tuple[NDArray[np.uint16], NDArray[np.float16]]] = {}
        self.near = neighbours(self.faces, size)
        self.weights = self._weights()
        self.regions = self._regions()
        self.body_faces = self.faces[self.part_faces["body"]]
        self.fine = {name: Subdivision(self.faces[self.part_faces[name]], size) for name in ("helper-tights", "helper-skirt")}
        self._fine_values: dict[tuple[str, str], Floats] = {}

    def joints(self, vertices: Floats) -> tuple[Floats, Floats]:
        """Heads and tails B×3 of the bones in a morphed mesh."""
        at = {name: vertices[index].mean(0) for name, index in self.joint_index.items()}

        def point(names: str) -> Floats:
            return np.mean([at[n] for n in names.split()], 0)

        return np.array([point(row[2]) for row in BONES]), np.array([point(row[3]) for row in BONES])

    def target(self, name: str) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
        """A morph target: vertex numbers K and how far each moves, K×3 (metres; half precision)."""
        if name not in self._targets:
            text = gzip.decompress((self.folder / "targets" / f"{name}.target.gz").read_bytes())
            if b"#" in text:
                text = b"\n".join(line for line in text.splitlines() if not line.startswith(b"#"))
            rows = np.array(text.split(), np.float32).reshape(-1, 4)
            moved = _turned(rows[:, 1:])
            self._targets[name] = rows[:, 0].astype(np.uint16), moved.astype(np.float16)
        return self._targets[name]

    def morphed(self, strengths: dict[str, float]) -> Floats:
        """The mesh N×3 float32 with each named target at its strength."""
        result = self.vertices.copy()
        for name, strength in strengths.items():
            if abs(strength) > 1e-3:
                index, delta = self.target(name)
                result[index] += delta.astype(np.float32) * np.float32(strength)
        return result

    def reach(self, name: str) -> Floats:
        """How far a target moves each vertex (N, metres): names a region, such as an ear, without a list of vertices."""
        index, delta = self.target(name)
        result = np.zeros(len(self.vertices), np.float32)
        result[index] = np.linalg.norm(delta.astype(np.float32), axis=1)
        return result

    def fine_value(self, shell: str, name: str) -> Floats:
        """A region's field or the skin weights ("weights") on the subdivided helper shell."""
        key = (shell, name)
        if key not in self._fine_values:
            value = self.weights if name == "weights" else getattr(self.regions, name)
            self._fine_values[key] = self.fine[shell].linear(value).astype(np.float32)
        return self._fine_values[key]

    def _weights(self) -> Floats:
        """Skin weights N×B: each vertex goes to the bone whose flesh it is in, on its own side, then spreads over the mesh.

        "In the flesh" is the distance to a bone's segment over the flesh's radius there, so that a chest vertex near the
        armpit stays with the chest although the arm's bone is nearer.
        """
        v = self.vertices
        heads, tails = self.joints(v)
        best = np.full(len(v), np.inf, np.float32)
        owner = np.zeros(len(v), int)
        extra = [("root", BONE["root"], heads[BONE["root"]], heads[BONE[f"{s}-leg1"]], 0.12, 0.095) for s in "lr"]
        rows = [(row[0], i, heads[i], tails[i], row[4], row[5]) for i, row in enumerate(BONES)]
        for name, i, a, b, r0, r1 in rows + extra:
            t = np.clip((v - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            d = np.linalg.norm(v - (a + t[:, None] * (b - a)), axis=1) / (r0 + (r1 - r0) * t)
            if name[:2] in ("l-", "r-"):
                d = np.where((v[:, 0] > 0) == (name[0] == "l"), d, d + 9)
            closer = d < best
            owner[closer], best[closer] = i, d[closer]
        # The face hangs on the head, however far it is from the head's bone; lower jaw and throat divide at the chin.
        face = (v[:, 2] > 0.625) & (np.abs(v[:, 0]) < 0.12)
        owner[face & (v[:, 1] < -0.06)] = BONE["head"]
        w = np.zeros((len(v), len(BONES)), np.float32)
        w[np.arange(len(v)), owner] = 1
        w = smooth(w, self.near, 14)
        skirt = self.kind == 2
        w[skirt] = smooth(w, self.near, 40)[skirt]
        for name in ("helper-upper-teeth", "helper-lower-teeth"):
            w[self.groups[name]] = np.eye(len(BONES), dtype=np.float32)[BONE["head"]]
        return w / w.sum(1, keepdims=True)

    def _regions(self) -> Regions:
        v = self.vertices
        heads, tails = self.joints(v)

        def chain(upper: str, lower: str) -> Floats:
            a, b, c = heads[BONE[upper]], heads[BONE[lower]], tails[BONE[lower]]
            if "fore" in lower:
                c = heads[BONE[upper[:2] + "hand"]]
            past = (v - b) @ (unit(b - a) + unit(c - b)) > 0
            return np.where(
                past, 1 + np.maximum((v - b) @ (c - b) / ((c - b) @ (c - b)), 0), np.minimum((v - a) @ (b - a) / ((b - a) @ (b - a)), 1)
            )

        left = v[:, 0] > 0
        armness = self.weights[:, [i for n, i in BONE.items() if n[2:5] in ("arm", "for", "han", "fin")]].sum(1)
        arm = np.where(left, chain("l-arm1", "l-fore1"), chain("r-arm1", "r-fore1"))
        arm = np.where(armness > 0.25, arm, np.minimum(arm, -0.2) * 0 - 1)
        leg = np.where(left, chain("l-leg1", "l-shin"), chain("r-leg1", "r-shin"))
        leg = np.where((armness > 0.5) | (v[:, 2] > heads[BONE["l-leg1"], 2] + 0.1), -1, leg)
        hip, waist, neck = heads[BONE["l-leg1"], 2], self.vertices[self.joint_index["spine-3"]].mean(0)[2], heads[BONE["neck"], 2]
        height = np.interp(v[:, 2], [hip - 1, hip, waist, neck, neck + 1], [-1 / (waist - hip), 0, 1, 2, 2 + 1 / (neck - waist)])
        return Regions(arm.astype(np.float32), leg.astype(np.float32), armness.astype(np.float32), height.astype(np.float32), v)


@lru_cache(maxsize=2)
def _load(folder: str) -> Human:
    return Human(Path(folder))


def load(folder: Path) -> Human:
    """The base mesh in `folder`, read once. Raises FileNotFoundError where the folder lacks it."""
    if not (folder / "base.obj").is_file():
        raise FileNotFoundError(f"{folder} does not hold MakeHuman's base.obj; give the folder of the human base mesh")
    return _load(str(folder.resolve()))


def _turned(points: Floats) -> Floats:
    """MakeHuman's decimetres (y up, facing +z) as metres (z up, facing -y)."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1).astype(np.float32) * np.float32(0.1)


def _read_obj(path: Path) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    v, vt, f = [], [], []
    for line in path.read_text().splitlines():
        if line.startswith("v "):
            v.append(line.split()[1:4])
        elif line.startswith("vt "):
            vt.append(line.split()[1:3])
        elif line.startswith("f "):
            f.append([corner.split("/")[:2] for corner in line.split()[1:]])
    corners = np.array(f, np.int64) - 1
    return _turned(np.array(v, float)), np.array(vt, np.float32), corners[..., 0], corners[..., 1]


# Who it is


@dataclass(frozen=True)
class Traits:
    """What a body is made from. `races` sums to 1 (RACES' order); `female`, `muscle`, `weight` 0..1; `height` metres."""

    age: float
    female: float
    races: tuple[float, float, float]
    muscle: float
    weight: float
    height: float


def draw_traits(rng: np.random.Generator) -> Traits:
    """Someone at random: one in five a child of 4 to 15 years, two sexes, mixed origins, heights as they occur."""
    female = float(np.clip(rng.normal(0.93, 0.08), 0, 1)) if rng.random() < 0.5 else float(np.clip(rng.normal(0.07, 0.08), 0, 1))
    if rng.random() < 0.2:
        age = rng.uniform(4, 15)
    else:
        age = float(np.clip(18 + rng.gamma(2.2, 11), 18, 85))
    races = rng.dirichlet([0.35, 0.35, 0.35])
    weight = float(np.clip(rng.normal(0.54, 0.21), 0.1, 1))
    muscle = float(np.clip(rng.normal(0.45 + 0.1 * (female < 0.5), 0.15), 0.05, 1))
    # Median heights by age (WHO growth references, rounded), then a spread of 4.5 %.
    years, tall, small = [4, 6, 8, 10, 12, 14, 16, 18, 60, 85], [1.03, 1.16, 1.27, 1.38, 1.49, 1.63, 1.73, 1.76, 1.74, 1.69], 0
    small = [1.02, 1.15, 1.27, 1.38, 1.51, 1.59, 1.62, 1.63, 1.61, 1.56]
    median = (1 - female) * np.interp(age, years, tall) + female * np.interp(age, years, small)
    height = float(np.clip(median * (1 + rng.normal(0, 0.042)), 1.0, 1.95))
    return Traits(float(age), female, (float(races[0]), float(races[1]), float(races[2])), muscle, weight, height)


def _between(x: float) -> dict[str, float]:
    return {"min": max(0.0, 1 - 2 * x), "average": 1 - abs(2 * x - 1), "max": max(0.0, 2 * x - 1)}


def macro_targets(traits: Traits) -> dict[str, float]:
    """The macro targets of a body with their strengths; each of the two families sums to 1."""
    at = np.clip(traits.age, AGES[0][0], AGES[-1][0])
    k = int(np.clip(np.searchsorted([a for a, _ in AGES], at, side="right") - 1, 0, len(AGES) - 2))
    t = (at - AGES[k][0]) / (AGES[k + 1][0] - AGES[k][0])
    ages = {AGES[k][1]: 1 - t, AGES[k + 1][1]: t}
    sexes = {"female": traits.female, "male": 1 - traits.female}
    result = {}
    for age, wa in ages.items():
        for sex, ws in sexes.items():
            for race, wr in zip(RACES, traits.races):
                result[f"macrodetails/{race}-{sex}-{age}"] = wa * ws * wr
            for muscle, wm in _between(traits.muscle).items():
                for weight, ww in _between(traits.weight).items():
                    result[f"macrodetails/universal-{sex}-{age}-{muscle}muscle-{weight}weight"] = wa * ws * wm * ww
    return {name: float(w) for name, w in result.items() if w > 0.01}


# Pairs of opposite targets, with how strongly they may act: the torso gently, faces more freely.
_PAIRS = [
    *((f"torso/torso-{n}", "decr", "incr", 0.35) for n in ("scale-horiz", "scale-depth", "vshape", "muscle-pectoral", "muscle-dorsi")),
    *((f"torso/measure-{n}", "decr", "incr", 0.4) for n in ("shoulder-dist", "waist-circ", "hips-circ", "bust-circ")),
    *((f"neck/{n}", "decr", "incr", 0.5) for n in ("neck-scale-horiz", "neck-scale-vert", "measure-neck-circ")),
    *((f"head/head-{n}", "decr", "incr", 0.45) for n in ("scale-horiz", "scale-vert", "scale-depth", "fat", "back-scale-depth")),
    ("forehead/forehead-temple", "decr", "incr", 0.6),
    ("forehead/forehead-scale-vert", "decr", "incr", 0.5),
    ("eyebrows/eyebrows-trans", "down", "up", 0.6),
    ("eyebrows/eyebrows-angle", "down", "up", 0.6),
    *((f"nose/nose-{n}", "decr", "incr", 0.8) for n in ("scale-horiz", "scale-vert", "scale-depth", "width1", "width2", "width3", "hump")),
    ("nose/nose-point", "down", "up", 0.6),
    ("nose/nose-curve", "concave", "convex", 0.6),
    *((f"mouth/mouth-{n}", "decr", "incr", 0.7) for n in ("scale-horiz", "scale-vert", "upperlip-volume", "lowerlip-volume")),
    ("mouth/mouth-trans", "down", "up", 0.4),
    *((f"chin/chin-{n}", "decr", "incr", 0.7) for n in ("width", "height", "prominent", "bones")),
]
_BOTH_SIDES = [
    ("cheek/{}-cheek-bones", "decr", "incr", 0.7),
    ("cheek/{}-cheek-volume", "decr", "incr", 0.7),
    ("eyes/{}-eye-scale", "decr", "incr", 0.5),
    ("eyes/{}-eye-trans", "in", "out", 0.4),
    ("ears/{}-ear-scale", "decr", "incr", 0.7),
    ("ears/{}-ear-wing", "decr", "incr", 0.6),
]
_SHAPES = ("oval", "round", "square", "rectangular", "triangular", "diamond", "invertedtriangular")


def detail_targets(rng: np.random.Generator) -> dict[str, float]:
    """Random details of torso, neck and face: about half of the pairs act on anyone."""
    result = {}

    def pair(name: str, low: str, high: str, most: float, sides: tuple[str, ...]) -> None:
        if rng.random() < 0.5:
            strength = float(np.clip(rng.normal(0, 0.5), -1, 1)) * most
            for side in sides:
                result[f"{name.format(side)}-{high if strength > 0 else low}"] = abs(strength)

    for row in _PAIRS:
        pair(*row, ("",))
    for row in _BOTH_SIDES:
        pair(*row, ("l", "r"))
    result[f"head/head-{rng.choice(_SHAPES)}"] = float(rng.uniform(0, 0.6))
    if rng.random() < 0.5:
        result[f"asym/asym-{rng.choice(('jaw-1', 'mouth-1', 'nose-1', 'brown-1', 'eye-1', 'cheek-1'))}-{rng.choice(('l', 'r'))}"] = float(
            rng.uniform(0, 0.4)
        )
    return result


def expression_targets(rng: np.random.Generator, races: tuple[float, float, float]) -> tuple[dict[str, float], bool]:
    """A random expression, and whether the mouth is open enough to show teeth."""
    race = RACES[int(np.argmax(races))]
    unit_of = f"expression/units/{race}/"
    result: dict[str, float] = {}

    def add(*names: str, strength: float) -> None:
        for name in names:
            result[unit_of + name] = strength

    mood = rng.choice(("calm", "smile", "grin", "talk", "frown", "surprise"), p=(0.45, 0.28, 0.11, 0.08, 0.06, 0.02))
    opened = False
    if mood in ("smile", "grin"):
        add("mouth-corner-puller", strength=float(rng.uniform(0.4, 1.0)))
        add("eye-left-slit", "eye-right-slit", strength=float(rng.uniform(0, 0.5)))
    if mood == "grin":
        opened = True
        add("mouth-part-later", strength=float(rng.uniform(0.3, 0.8)))
        add("mouth-open", strength=float(rng.uniform(0.1, 0.35)))
    if mood == "talk":
        opened = True
        add("mouth-open", strength=float(rng.uniform(0.15, 0.6)))
        add(str(rng.choice(("mouth-pursing", "mouth-retraction", "mouth-protusion"))), strength=float(rng.uniform(0, 0.4)))
    if mood == "frown":
        add("eyebrows-left-down", "eyebrows-right-down", strength=float(rng.uniform(0.4, 1)))
        add("mouth-depression", strength=float(rng.uniform(0, 0.7)))
    if mood == "surprise":
        opened = True
        add("eyebrows-left-up", "eyebrows-right-up", "eye-left-opened-up", "eye-right-opened-up", strength=float(rng.uniform(0.4, 0.9)))
        add("mouth-open", strength=float(rng.uniform(0.3, 0.9)))
    elif rng.random() < 0.3:
        add("eyebrows-left-up", "eyebrows-right-up", strength=float(rng.uniform(0, 0.5)))
    if rng.random() < 0.06:
        add("eye-left-closure", "eye-right-closure", strength=1.0)
    return result, opened


def face_fields(human: Human) -> dict[str, Floats]:
    """Fields N over the base mesh for parts of the head: "ear" and "lips" 0..1, "scalp", "beard" in metres, >= 0 inside."""
    return _face_fields(str(human.folder.resolve()))


@lru_cache(maxsize=2)
def _face_fields(folder: str) -> dict[str, Floats]:
    human = _load(folder)
    ear = human.reach("ears/l-ear-wing-incr") + human.reach("ears/r-ear-wing-incr")
    ear = ramp(ear / ear.max(), 0.0, 0.15)
    lips = human.reach("mouth/mouth-upperlip-volume-incr") + human.reach("mouth/mouth-lowerlip-volume-incr")
    x, y, z = human.vertices.T
    # Azimuth about the skull's middle, 0 at the nose and 180 at the nape; the lines are read off the base mesh.
    azimuth = np.degrees(np.arctan2(np.abs(x), -(y + 0.055)))
    hairline = np.interp(
        azimuth, [0, 25, 45, 58, 70, 88, 100, 115, 135, 180], [0.815, 0.817, 0.812, 0.79, 0.755, 0.735, 0.735, 0.70, 0.672, 0.662]
    )
    scalp = np.minimum(z - hairline, 0.03 - 0.06 * ear)
    upper = np.interp(azimuth, [0, 12, 24, 40, 60, 80, 92, 100], [0.676, 0.678, 0.672, 0.672, 0.69, 0.72, 0.735, 0.60])
    lower = np.interp(azimuth, [0, 60, 95], [0.612, 0.625, 0.66])
    beard = np.minimum(np.minimum(upper - z, z - lower), 0.03 - 0.06 * ear)
    return {"ear": ear, "lips": lips / lips.max(), "scalp": scalp.astype(np.float32), "beard": beard.astype(np.float32)}
