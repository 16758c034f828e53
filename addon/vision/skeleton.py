"""The bones of a person at rest: from the face that was fitted to the photo, its landmarks, and the joints of the body that are known.

Axes of the bones' own, by which they are posed and limited:
- spine, chest, neck, head, limbs: y along the bone; of the first four x to the subject's left, z out of the chest or face (Rigify's). So
  +rx nods, +ry turns to the subject's left, +rz tilts the head to its right.
- jaw, eyes, lids point out of the face, x to the subject's right, z up: +rx lifts (the lids open, the jaw shuts), +rz turns to the left.
- brows, lips, cheeks, nose, the eyes' target point up: x to the subject's left, y up, z out of the face.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import canonical
from .geometry import RayMap
from .landmarks import CHIN, INNER_LIPS, LEFT_EYE, NOSE_TIP, OUTER_LIPS, RIGHT_EYE, Person
from .rigging import Bone, Part

Array = NDArray[np.float64]


class Fitted(Protocol):
    """What bones and weights need of a `face_fit.FaceFit`."""

    @property
    def rotation(self) -> Array: ...
    @property
    def origin(self) -> Array: ...
    @property
    def scale(self) -> float: ...
    @property
    def rays(self) -> RayMap: ...
    def to_layer(self, canonical: Array) -> Array: ...


Relief = Callable[[Array], Array]
"""From places of the photo (N×2 in shares from the left and the top) to the mesh there, N×3 metres; NaN beside it."""

HEAD_TURN, HEAD_NOD, HEAD_TILT = 15.0, 12.0, 12.0
"""Degrees either way. What the photo does not show comes into sight beyond."""
JAW_OPEN = 20.0
LOOK_UP, LOOK_ASIDE = 20.0, 25.0
MEET = 0.2  # of the opening, above the lower lid: where closed lids meet
_SPARE = 1.2  # how much further lids turn than their middle needs: somewhere the opening is wider, and weights make it exact
_WIDE = 10.0  # degrees that an upper lid opens beyond rest
_SIDES = (("L", 1.0), ("R", -1.0))
_LIMBS = (
    ("upper_arm", "shoulder", "elbow", "shoulder", 60.0),
    ("forearm", "elbow", "wrist", "upper_arm", 60.0),
    ("thigh", "hip", "knee", "spine", 40.0),
    ("shin", "knee", "ankle", "thigh", 40.0),
)  # bone, joints at its head and tail, parent, degrees either way
_DEEP = {"shoulder": 0.045, "elbow": 0.04, "wrist": 0.025, "hip": 0.08, "knee": 0.05, "ankle": 0.035}
"""Metres that joints lie inside the flesh."""


def _tuple(p: Array) -> tuple[float, float, float]:
    return float(p[0]), float(p[1]), float(p[2])


def _turns(x: float, y: float, z: float) -> dict[str, tuple[float, float]]:
    """Limits of rotations, degrees either way."""
    return {axis: (-math.radians(a), math.radians(a)) for axis, a in (("rx", x), ("ry", y), ("rz", z)) if a}


def _unit(v: Array) -> Array:
    return v / max(float(np.linalg.norm(v)), 1e-12)


def bones_for(
    person: Person, fit: Fitted | None, *, body: bool = False, relief: Relief | None = None, eyes: Mapping[Part, Any] | None = None
) -> tuple[Bone, ...]:
    """All bones of a person, parents before children.

    fit: of the person's face, moved to the relief; None if no face is seen, whose bones are then left out. body: with limbs, as far as joints are
    known; without it spine, chest and neck only. relief: where the mesh is; without it landmarks lie as deep as the average face has them.
    eyes: by part, eyeballs with `centre` (3,) and `radius` in metres; without it those of the average face, moved to the lids. Everything in
    layer axes. Raises ValueError if there is neither a face nor the joints of head and neck.
    """
    frame = _Frame(person, fit, relief)
    bones = [*_trunk(frame, body)]
    if fit is not None and person.face is not None:
        bones += [*_jaw(frame), *_eyes(frame, eyes or {}), *_soft(frame)]
    if body:
        bones += _limbs(frame)
    names = {b.name for b in bones}
    # A limb whose upper part is not seen hangs on what there is.
    held = [b if b.parent is None or b.parent in names else replace(b, parent="chest", connected=False) for b in bones]
    order: list[Bone] = []
    while held:
        done = {b.name for b in order}
        order += [b for b in held if b.parent is None or b.parent in done]
        held = [b for b in held if not (b.parent is None or b.parent in done)]
    return tuple(order)


class _Frame:
    """Where things are: the face's axes, the trunk's, and the photo's places in space."""

    def __init__(self, person: Person, fit: Fitted | None, relief: Relief | None) -> None:
        self.person, self._fit, self.relief = person, fit, relief
        if fit is None or person.face is None:
            self._without_face()
            return
        self.scale = float(fit.scale)
        self.axes = np.asarray(fit.rotation, np.float64)
        self.depth = float(fit.origin[1])
        points = np.asarray(person.face.points, np.float64)
        usual = fit.to_layer(canonical.POINTS)
        self.points = self.placed(points, usual[:, 1])
        # The mesh is asked for how deep a landmark lies, but a hole or a hand before the face is not believed.
        strange = np.abs(self.points[:, 1] - usual[:, 1]) > 0.04 * self.scale
        self.points[strange] = self._on_ray(points[strange], usual[strange, 1])
        self.pivot = fit.to_layer(np.array([canonical.NECK_PIVOT]))[0]
        self.crown = fit.to_layer(np.array([canonical.CROWN]) * (0, 1, 0) + np.array([canonical.NECK_PIVOT]) * (1, 0, 1))[0]
        self.trunk = self._upright()
        self.base = self.pivot + self.scale * self.trunk @ (np.array(canonical.NECK_BASE) - canonical.NECK_PIVOT)
        pit = self.joint("neck", 0.045)
        if pit is not None:
            above = self.scale * (canonical.NECK_BASE[1] - canonical.PIT[1]) * self.trunk[:, 1]
            self.base = self.base * (0, 1, 0) + (pit + above) * (1, 0, 1)

    @property
    def fit(self) -> Fitted:
        if self._fit is None:
            raise ValueError("there is no face")
        return self._fit

    def _without_face(self) -> None:
        joints = self.person.joints
        if "head" not in joints or "neck" not in joints or self.relief is None:
            raise ValueError("a rig needs a face, or the joints of head and neck on a relief")
        ends = self.relief(np.array([joints["head"], joints["neck"]]))
        if not np.isfinite(ends).all():
            raise ValueError("the joints of head and neck lie beside the person")
        length = float(np.linalg.norm(ends[0] - ends[1]))
        self.scale, self.depth = length / 0.33, float(ends[:, 1].mean())
        up = _unit((ends[0] - ends[1]) * (1, 0, 1))
        self.axes = np.stack([np.array([up[2], 0, -up[0]]), up, np.array([0.0, -1.0, 0.0])], 1)
        self.trunk = self.axes
        inside = np.array([0.0, 0.06 * self.scale, 0.0])
        self.crown, self.base = ends[0] + inside, ends[1] + inside
        self.pivot = self.base + (self.crown - self.base) * 0.35

    def _upright(self) -> Array:
        """Axes of the trunk: upright in the picture, whichever way up that is, and facing the camera."""
        up = self.axes[:, 1]
        turn = round(math.atan2(up[0], up[2]) / (math.pi / 2)) * (math.pi / 2)
        y = np.array([math.sin(turn), 0.0, math.cos(turn)])
        z = np.array([0.0, -1.0, 0.0])
        return np.stack([np.cross(y, z), y, z], 1)

    def _on_ray(self, shares: Array, depth: Array) -> Array:
        if self._fit is None:
            return np.full((len(shares), 3), np.nan)
        tangents = np.stack(self._fit.rays.uv_to_ray(shares[:, 0], 1 - shares[:, 1]), -1)
        return np.stack([tangents[:, 0] * depth, depth, tangents[:, 1] * depth], 1)

    def placed(self, shares: Array, depth: Array) -> Array:
        """Places of the photo in space: on the mesh, or where it is not at the given distances."""
        result = self._on_ray(shares, depth)
        if self.relief is not None:
            found = np.asarray(self.relief(shares), np.float64)
            known = np.isfinite(found).all(1)
            result[known] = found[known]
        return result

    def joint(self, name: str, deep: float) -> Array | None:
        """A joint of the body, `deep` metres (of a person of the usual size) inside of the mesh; None if it is not known."""
        if name not in self.person.joints:
            return None
        at = self.placed(np.array([self.person.joints[name]]), np.array([self.depth]))[0]
        if not np.isfinite(at).all():
            return None
        # Inwards along the ray, so that the photo shows it in the same place.
        return at * (1 + deep * self.scale / max(float(at[1]), 1e-6))

    def face(self, point: tuple[float, float, float]) -> Array:
        return self.fit.to_layer(np.array([point]))[0]

    def out(self, x: float, y: float, z: float) -> Array:
        """A direction of the face in layer axes."""
        return self.axes @ np.array([x, y, z])


def _trunk(frame: _Frame, body: bool) -> list[Bone]:
    s, up, front = frame.scale, frame.trunk[:, 1], frame.trunk[:, 2]
    below = frame.base + s * frame.trunk @ (np.array(canonical.CHEST) - canonical.NECK_BASE)
    hips = frame.base + s * frame.trunk @ (np.array(canonical.HIPS) - canonical.NECK_BASE)
    seat = frame.joint("spine", 0.09) if body else None
    if seat is not None:
        hips, below = seat, seat + (frame.base - seat) * 0.62
    z = _tuple(front)
    root = hips
    tail = hips - front * 0.2 * s
    small = 0.008 * s
    breathing = {"ty": (-small, small), "tz": (-small, small)}
    head_z = _tuple(frame.axes[:, 2])
    bones = [
        Bone("root", _tuple(root), _tuple(tail), _tuple(up), deform=False, limits={**_turns(5, 5, 5), **dict.fromkeys(("tx", "ty", "tz"), (-0.1 * s, 0.1 * s))}),
        Bone("base", _tuple(root), _tuple(root - front * 0.05 * s), _tuple(up), "root", collection="Mechanism"),
        Bone("spine", _tuple(hips), _tuple(below), z, "root", limits=_turns(2, 3, 2)),
        Bone("chest", _tuple(below), _tuple(frame.base), z, "spine", limits={**_turns(2.5, 4, 2.5), **breathing}),
        Bone("neck", _tuple(frame.base), _tuple(frame.pivot), z, "chest", connected=True, limits=_turns(6, 8, 6)),
        Bone("head", _tuple(frame.pivot), _tuple(frame.crown), head_z, "neck", connected=True, limits=_turns(HEAD_NOD, HEAD_TURN, HEAD_TILT)),
    ]  # fmt: skip
    for side, sign in _SIDES:
        tip = frame.joint(f"shoulder.{side}", _DEEP["shoulder"]) if body else None
        if tip is None:
            tip = frame.base + s * frame.trunk @ ((np.array(canonical.SHOULDER) - canonical.NECK_BASE) * (sign, 1, 1))
        inner = frame.base + s * frame.trunk @ ((np.array(canonical.PIT) - canonical.NECK_BASE) + np.array([sign * 0.02, 0, 0]))
        bones.append(Bone(f"shoulder.{side}", _tuple(inner), _tuple(tip), z, "chest", limits=_turns(6, 0, 8)))
    return bones


def _jaw(frame: _Frame) -> list[Bone]:
    joint = frame.face((0.0, canonical.JAW_JOINT[1], canonical.JAW_JOINT[2]))
    chin = frame.points[CHIN]
    # Across the face the joint lies in the middle of the real one.
    s = frame.scale
    limits = {
        "rx": (-math.radians(JAW_OPEN), math.radians(1.5)),
        "rz": (-math.radians(5), math.radians(5)),
        "ty": (-0.003 * s, 0.006 * s),
    }
    return [Bone("jaw", _tuple(joint), _tuple(chin), _tuple(frame.out(0, 1, 0)), "head", collection="Mouth", limits=limits)]


def _eyes(frame: _Frame, eyes: Mapping[Part, Any]) -> list[Bone]:
    s, up, out = frame.scale, frame.out(0, 1, 0), frame.out(0, 0, 1)
    bones = []
    centres = []
    for index, (side, part, ring) in enumerate((("R", Part.EYE_RIGHT, RIGHT_EYE), ("L", Part.EYE_LEFT, LEFT_EYE))):
        lids = frame.points[ring]
        if part in eyes:
            centre = np.asarray(eyes[part].centre, np.float64)
        else:
            usual = frame.fit.to_layer(canonical.POINTS[ring])
            moved = (lids - usual).mean(0)
            centre = frame.fit.to_layer(canonical.EYE_CENTRES[index : index + 1])[0] + moved - out * (moved @ out)
        centres.append(centre)
        limits = {"rx": (-math.radians(LOOK_UP), math.radians(LOOK_UP)), "rz": (-math.radians(LOOK_ASIDE), math.radians(LOOK_ASIDE))}
        tip = centre + out * 0.028 * s
        bones.append(Bone(f"eye.{side}", _tuple(centre), _tuple(tip), _tuple(up), "head", collection="Eyes", limits=limits))
        upper, lower = lids[[1, 2]].mean(0), lids[[4, 5]].mean(0)
        meeting = lower + MEET * (upper - lower)

        def height(p: Array, centre: Array = centre) -> float:
            """The angle above the eyeball's middle at which a place is seen from its centre."""
            return math.atan2(float((p - centre) @ up), max(float((p - centre) @ out), 1e-6))

        top, bottom, shut = height(upper), height(lower), height(meeting)
        wide = math.radians(_WIDE)
        for name, at, least, most in (
            ("T", upper, min(_SPARE * (shut - top), -0.02), wide),
            ("B", lower, -0.5 * wide, max(_SPARE * (shut - bottom), 0.02)),
        ):
            # The bone lies in the plane in which the lid turns, so that its x axis is the face's.
            place = at - frame.axes[:, 0] * float((at - centre) @ frame.axes[:, 0])
            bones.append(
                Bone(
                    f"lid.{name}.{side}", _tuple(centre), _tuple(place), _tuple(up), "head", collection="Eyes", limits={"rx": (least, most)}
                )
            )
    target = np.mean(centres, 0) + out * 0.45 * s
    reach = {axis: (-0.2 * s, 0.2 * s) for axis in ("tx", "ty", "tz")}
    bones.append(
        Bone("eyes", _tuple(target), _tuple(target + up * 0.04 * s), _tuple(out), "head", deform=False, collection="Eyes", limits=reach)
    )
    return bones


def _soft(frame: _Frame) -> list[Bone]:
    """Bones that move no vertices by themselves: their way from rest drives shape keys."""
    p, s = frame.points, frame.scale
    up, out = frame.out(0, 1, 0), frame.out(0, 0, 1)

    def bone(name: str, at: Array, collection: str, parent: str = "head", **limits: tuple[float, float]) -> Bone:
        metres = {axis: (a * s / 1000, b * s / 1000) for axis, (a, b) in limits.items()}
        tail = at + up * 0.012 * s
        return Bone(name, _tuple(at), _tuple(tail), _tuple(out), parent, deform=False, collection=collection, limits=metres)

    right, left = (range(17, 22), range(22, 27))
    bones = []
    for side, brow, corner, eye, wing in (
        ("L", list(left), OUTER_LIPS.start + 6, LEFT_EYE, 35),
        ("R", list(right)[::-1], OUTER_LIPS.start, RIGHT_EYE, 31),
    ):
        inner, middle, outer = p[brow[:2]].mean(0), p[brow[2]], p[brow[3:]].mean(0)
        for name, at in (("", inner), (".001", middle), (".002", outer)):
            bones.append(bone(f"brow.T.{side}{name}", at, "Face", tx=(-4, 4), ty=(-8, 8)))
        bones.append(bone(f"lips.{side}", p[corner], "Mouth", tx=(-8, 8), ty=(-8, 8), tz=(-5, 5)))
        # Below the eye, beside the nose's wing.
        cheek = p[eye][[4, 5]].mean(0) * 0.45 + p[wing] * 0.35 + p[corner] * 0.2
        cheek = cheek + frame.out(0.012 if side == "L" else -0.012, 0, 0) * s
        bones.append(bone(f"cheek.B.{side}", cheek, "Face", ty=(-3, 8), tz=(-4, 10)))
    upper, lower = p[INNER_LIPS.start + 2], p[INNER_LIPS.start + 6]
    bones.append(bone("lip.T", (upper + p[OUTER_LIPS.start + 3]) / 2, "Mouth", tx=(-6, 6), ty=(-5, 8), tz=(-5, 8)))
    bones.append(bone("lip.B", (lower + p[OUTER_LIPS.start + 9]) / 2, "Mouth", "jaw", tx=(-6, 6), ty=(-10, 5), tz=(-5, 8)))
    bones.append(bone("nose", p[NOSE_TIP], "Face", tx=(-3, 3), ty=(-3, 5)))
    return bones


def _limbs(frame: _Frame) -> list[Bone]:
    bones = []
    s = frame.scale
    for side, _ in _SIDES:
        joints = {name: frame.joint(f"{name}.{side}", deep) for name, deep in _DEEP.items()}
        for name, start, end, parent, degrees in _LIMBS:
            head, tail = joints[start], joints[end]
            if head is None or tail is None:
                continue
            # A relief is no witness of how a limb points to the camera: one that seems to do so much lies across its view.
            if abs(tail[1] - head[1]) > 0.25 * s:
                tail = joints[end] = tail * (head[1] / max(float(tail[1]), 1e-6))
            above = "spine" if parent == "spine" else f"{parent}.{side}"
            turns = {"rz": (-math.radians(degrees), math.radians(degrees)), **_turns(15, 15, 0)}
            known = {b.name: b for b in bones}
            connected = above in known and np.allclose(known[above].tail, head)
            bones.append(Bone(f"{name}.{side}", _tuple(head), _tuple(tail), (0.0, -1.0, 0.0), above, connected, limits=turns))
            if name == "forearm":
                tip = tail + _unit(tail - head) * 0.17 * s
                bones.append(
                    Bone(f"hand.{side}", _tuple(tail), _tuple(tip), (0.0, -1.0, 0.0), f"forearm.{side}", True, limits=_turns(20, 20, 35))
                )
            if name == "shin":
                tip = tail + np.array([0.0, -0.10, -0.05]) * s
                bones.append(
                    Bone(f"foot.{side}", _tuple(tail), _tuple(tip), (0.0, 0.0, 1.0), f"shin.{side}", True, limits=_turns(15, 10, 15))
                )
    return bones
