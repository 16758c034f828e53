"""Poses: rotations of every bone from where hands, feet and head should be, and skinning.

Limbs are solved from their ends (two bones and a pole direction for elbow or knee), so that a pose fits bodies of any
proportions; the twist between shoulder and hand is spread over the bones between, as in a real forearm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from training.scenes.people_body import BONE, BONES, PARENT
from training.scenes.people_mesh import Floats, unit

STANDING = (
    "stand",
    "contrapposto",
    "walk",
    "crossed",
    "hips",
    "wave",
    "point",
    "phone",
    "call",
    "clasped",
    "behind",
    "raised",
    "cup",
    "portrait",
)
SITTING = ("sit", "sit_table", "sit_phone", "sit_lean")
POSES = STANDING + SITTING
SEAT = 0.45


# Rotations (3×3, columns are images of the axes; v' = R @ v)


def turn(axis: Floats | tuple[float, float, float], angle: float) -> Floats:
    """Rotation by `angle` radians about `axis` (Rodrigues)."""
    x, y, z = unit(np.asarray(axis, float))
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def euler(bow: float, lean: float, yaw: float) -> Floats:
    """Bow forward (about x), lean to the left (about y), then turn to the left (about z); radians."""
    return turn((0, 0, 1), yaw) @ turn((0, 1, 0), lean) @ turn((1, 0, 0), bow)


def frame(along: Floats, hinge: Floats) -> Floats:
    """The rotation whose first column is `along` and whose second is `hinge` made square to it."""
    a = unit(along)
    h = unit(hinge - a * (a @ hinge))
    return np.stack([a, h, np.cross(a, h)], 1)


def swing_twist(r: Floats, axis: Floats) -> tuple[Floats, float]:
    """Split `r` = swing @ turn(axis, twist): returns the swing and the twist in -pi..pi."""
    w = 0.5 * np.sqrt(max(1e-12, 1 + np.trace(r)))
    v = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]]) / (4 * w)
    twist = 2 * np.arctan2(v @ axis, w)
    twist = float((twist + np.pi) % (2 * np.pi) - np.pi)
    return r @ turn(axis, -twist), twist


def angle_of(r: Floats) -> float:
    return float(np.arccos(np.clip((np.trace(r) - 1) / 2, -1, 1)))


def limited(r: Floats, most: float) -> Floats:
    """`r` about its own axis, by at most `most` radians."""
    angle = angle_of(r)
    if angle <= most:
        return r
    axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    return turn(axis, most)


def two_bones(start: Floats, end: Floats, a: float, b: float, pole: Floats) -> tuple[Floats, Floats, Floats]:
    """Elbow or knee, the end as far as it can be reached, and the hinge's axis of two bones of lengths `a` and `b`."""
    d = end - start
    far = np.clip(np.linalg.norm(d), abs(a - b) + 0.25 * min(a, b), 0.992 * (a + b))
    d = unit(d)
    cosine = np.clip((a * a + far * far - b * b) / (2 * a * far), -1, 1)
    p = unit(pole - d * (d @ pole))
    return start + d * a * cosine + p * a * np.sqrt(1 - cosine * cosine), start + d * far, np.cross(p, d)


# Skeleton at rest


@dataclass
class Rest:
    """A person's bones at rest: heads and tails B×3, and which way palms and fingers look."""

    heads: Floats
    tails: Floats
    palm: dict[str, Floats] = field(default_factory=dict)
    along: dict[str, Floats] = field(default_factory=dict)
    curl: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for s in "lr":
            h = {n[2:]: self.heads[i] for n, i in BONE.items() if n[0] == s and n[1] == "-"}
            along = unit(h["finger31"] - h["hand"])
            across = h["finger51"] - h["finger21"]
            palm = unit(np.cross(along, across))
            bend = unit(h["finger33"] - h["finger32"]) - unit(h["finger32"] - h["finger31"])
            # Fingers bend towards the palm.
            palm = palm if palm @ bend > 0 else -palm
            self.along[s], self.palm[s], self.curl[s] = along, palm, np.cross(along, palm)

    def head(self, name: str) -> Floats:
        return self.heads[BONE[name]]

    def length(self, name: str, other: str) -> float:
        return float(np.linalg.norm(self.head(name) - self.head(other)))


class Figure:
    """A pose in the making: world rotation of each bone, and from these where each bone's head is."""

    def __init__(self, rest: Rest, push: Mapping[str, Floats] | None = None) -> None:
        self.rest = rest
        self._push = push or {}
        self._rotation = np.tile(np.eye(3), (len(BONES), 1, 1))
        self._at = rest.heads.astype(float).copy()
        self._offset = [rest.heads[i] - rest.heads[p] for i, p in enumerate(PARENT)]
        self._given = np.zeros(len(BONES), bool)
        self._where = rest.head("root").astype(float)
        self._stale = False

    def set(self, name: str, rotation: Floats) -> None:
        """Give a bone its world rotation; bones below it that were not given any follow it."""
        self._rotation[BONE[name]] = rotation
        self._given[BONE[name]] = True
        self._stale = True

    def move(self, by: Floats) -> None:
        """Move the whole figure."""
        self._where = self._where + by
        self._stale = True

    def _update(self) -> None:
        r, at = self._rotation, self._at
        for i, parent in enumerate(PARENT):
            if parent < 0:
                at[i] = self._where
                continue
            if not self._given[i]:
                r[i] = r[parent]
            at[i] = at[parent] + r[parent] @ self._offset[i]
        self._stale = False

    @property
    def rotation(self) -> Floats:
        """World rotations B×3×3."""
        if self._stale:
            self._update()
        return self._rotation

    @property
    def at(self) -> Floats:
        """Where the bones' heads are, B×3."""
        if self._stale:
            self._update()
        return self._at

    def head(self, name: str) -> Floats:
        return self.at[BONE[name]]

    def world(self, bone: str, point: Floats) -> Floats:
        """A point of the body at rest, carried along by a bone."""
        return self.at[BONE[bone]] + self.rotation[BONE[bone]] @ (point - self.rest.heads[BONE[bone]])

    def torso(self, bow: float, lean: float, yaw: float) -> None:
        """Bend the spine above the pelvis by these angles in all, a third in each part."""
        r = self.rotation[BONE["root"]]
        for name in ("spine1", "spine2", "chest"):
            r = r @ euler(bow / 3, lean / 3, yaw / 3)
            self.set(name, r)

    def look(self, bow: float, lean: float, yaw: float) -> None:
        """Turn head and neck against the chest."""
        r = self.rotation[BONE["chest"]]
        self.set("neck", r @ euler(bow * 0.4, lean * 0.5, yaw * 0.35))
        self.set("head", r @ euler(bow, lean, yaw))

    def shrug(self, side: str, up: float, forward: float) -> None:
        s = 1 if side == "l" else -1
        self.set(f"{side}-clavicle", self.rotation[BONE["chest"]] @ turn((0, 0, 1), -s * forward) @ turn((0, 1, 0), -s * up))

    def arm(self, side: str, wrist: Floats, elbow: Floats, fingers: Floats | None = None, palm: Floats | None = None) -> None:
        """Put a wrist at a point of the world with the elbow towards a direction.

        `fingers` and `palm` say where the hand points and its palm looks; without them the hand continues the forearm,
        turned as it hangs.
        """
        rest, n = self.rest, f"{side}-"
        d1, d2 = unit(rest.head(n + "fore1") - rest.head(n + "arm1")), unit(rest.head(n + "hand") - rest.head(n + "fore1"))
        hinge0 = unit(np.cross(d1, d2))
        upper, lower = rest.length(n + "arm1", n + "fore1"), rest.length(n + "fore1", n + "hand")
        start = self.head(n + "arm1")
        joint, end, hinge = two_bones(start, wrist + self._push.get(side, 0.0), upper, lower, elbow)
        arm = frame(joint - start, hinge) @ frame(d1, hinge0).T
        fore = frame(end - joint, hinge) @ frame(d2, hinge0).T
        base = self.rotation[BONE[n + "clavicle"]]
        swing, twist = swing_twist(base.T @ arm, d1)
        self.set(n + "arm1", base @ swing @ turn(d1, 0.45 * twist))
        self.set(n + "arm2", arm)
        u = unit(end - joint) if fingers is None else unit(fingers)
        if palm is None:
            hand = fore @ turn(d2, 0.0)
        else:
            hand = frame(u, palm) @ frame(rest.along[side], rest.palm[side]).T
        bend, spin = swing_twist(fore.T @ hand, d2)
        spin = float(np.clip(spin, -1.7, 1.7))
        self.set(n + "fore1", fore @ turn(d2, 0.3 * spin))
        self.set(n + "fore2", fore @ turn(d2, 0.8 * spin))
        self.set(n + "hand", fore @ limited(bend, 1.0) @ turn(d2, spin))

    def fingers(self, side: str, curls: tuple[float, ...], spread: float = 0.0, thumb: float = 0.2) -> None:
        """Bend fingers 2 to 5 by these angles (radians, at each joint) and the thumb."""
        hand = self.rotation[BONE[f"{side}-hand"]]
        axis, palm = self.rest.curl[side], self.rest.palm[side]
        for k, c in zip((2, 3, 4, 5), curls):
            r = hand @ turn(palm, spread * (k - 3.3) * (1 if side == "l" else -1))
            for j, share in ((1, 0.9), (2, 1.1), (3, 0.8)):
                r = r @ turn(axis, c * share)
                self.set(f"{side}-finger{k}{j}", r)
        r = hand
        for j, share in ((1, 0.6), (2, 0.8), (3, 0.8)):
            r = r @ turn(0.5 * axis + 0.5 * self.rest.along[side] * (-1 if side == "l" else 1), thumb * share)
            self.set(f"{side}-finger1{j}", r)

    def leg(self, side: str, ankle: Floats, knee: Floats, foot: Floats) -> None:
        """Put an ankle at a point of the world with the knee towards a direction; `foot` is the foot's own rotation."""
        rest, n = self.rest, f"{side}-"
        d1, d2 = unit(rest.head(n + "shin") - rest.head(n + "leg1")), unit(rest.head(n + "foot") - rest.head(n + "shin"))
        across = np.array([1.0, 0, 0])
        start = self.head(n + "leg1")
        joint, end, hinge = two_bones(start, ankle, rest.length(n + "leg1", n + "shin"), rest.length(n + "shin", n + "foot"), knee)
        leg = frame(joint - start, hinge) @ frame(d1, across).T
        base = self.rotation[BONE["root"]]
        swing, twist = swing_twist(base.T @ leg, d1)
        self.set(n + "leg1", base @ swing @ turn(d1, 0.5 * twist))
        self.set(n + "leg2", leg)
        self.set(n + "shin", frame(end - joint, hinge) @ frame(d2, across).T)
        self.set(n + "foot", foot)


def skin(vertices: Floats, weights: Floats, rest: Floats, rotation: Floats, at: Floats) -> Floats:
    """Linear blend skinning: N×3 by weights N×B, with bones' rest heads B×3, rotations B×3×3 and posed heads B×3.

    The joints' twists are spread over several bones beforehand, which avoids this method's collapsing elbows.
    """
    moved = at - np.einsum("bij,bj->bi", rotation, rest)
    matrix = np.concatenate([rotation.reshape(-1, 9), moved], 1).astype(np.float32)
    blended = weights @ matrix
    r = blended[:, :9].reshape(-1, 3, 3)
    return (np.matmul(r, vertices[:, :, None].astype(np.float32))[:, :, 0] + blended[:, 9:]).astype(np.float32)


# Poses


@dataclass(frozen=True)
class Shape:
    """What a pose must keep clear of, measured at rest: torso points K×3 (with room for clothes), hips' half width."""

    torso: Floats
    hips: float
    clothes: float

    def support(self, z: float, direction: Floats, band: float = 0.04) -> float:
        """How far the torso reaches in a horizontal direction at height z of the body at rest."""
        near = self.torso[np.abs(self.torso[:, 2] - z) < band]
        return float((near @ direction).max()) + self.clothes if len(near) else 0.15


@dataclass(frozen=True)
class Posed:
    """A finished pose: world rotations B×3×3 and heads B×3; things held as (what, where, axes)."""

    rotation: Floats
    at: Floats
    seated: bool
    props: tuple[tuple[str, Floats, Floats], ...]

    def moved(self, by: Floats) -> Posed:
        """The same pose elsewhere."""
        return Posed(self.rotation, self.at + by, self.seated, tuple((what, at + by, axes) for what, at, axes in self.props))


def pose(
    rest: Rest,
    shape: Shape,
    kind: str,
    rng: np.random.Generator,
    *,
    ankle: float = 0.08,
    clearance: float = 0.085,
    push: Mapping[str, Floats] | None = None,
) -> Posed:
    """A pose of POSES with chance in it. Heights are the rest's own: the caller sets feet or seat on their level.

    `ankle`: the ankle joint's height over the ground when standing; `clearance`: the hip joints' height over the seat;
    `push`: by how much to move the wrists of sides "l" and "r" (metres, world), where they would be in the body.
    """
    f = Figure(rest, push)
    seated = kind in SITTING
    yaw = float(rng.normal(0, 0.15))
    if kind == "portrait":
        yaw = float(rng.uniform(-0.7, 0.7))
    if seated:
        _sit(f, rng, yaw, kind, ankle, clearance)
    elif kind == "walk":
        _walk(f, rng, yaw)
    else:
        _stand(f, rng, yaw, 1.0 if kind == "contrapposto" else float(rng.uniform(0, 0.7)))
    # People mostly look to where they face or to the camera.
    to_camera = -yaw * float(rng.choice((0.0, 0.5, 0.9)))
    f.look(float(rng.normal(0.05, 0.13)), float(rng.normal(0, 0.1)), float(np.clip(to_camera + rng.normal(0, 0.2), -0.6, 0.6)))
    props = _arms(f, shape, kind, rng)
    return Posed(f.rotation.copy(), f.at.copy(), seated, tuple(props))


def _stand(f: Figure, rng: np.random.Generator, yaw: float, sway: float) -> None:
    rest = f.rest
    leg = rest.length("l-leg1", "l-shin") + rest.length("l-shin", "l-foot")
    favoured = rng.choice((-1, 1))
    root = turn((0, 0, 1), yaw) @ turn((0, 1, 0), -favoured * sway * 0.09)
    width = abs(rest.head("l-leg1")[0])
    apart = width * rng.uniform(0.7, 1.4)
    f.set("root", root)
    # The weight goes over the favoured leg; the other foot stands ahead and outward with its knee loose.
    f.move(root @ np.array([favoured * sway * 0.035, 0, 0]))
    flat = turn((0, 0, 1), yaw)
    target = {}
    for side, s in (("l", 1), ("r", -1)):
        loose = sway if s != favoured else 0.0
        floor = rest.head(f"{side}-foot")[2]
        target[side] = flat @ np.array([s * (apart * (1 + 0.25 * loose)), -0.12 * loose * rng.uniform(0.2, 1) + rng.normal(0, 0.01), 0]) + [
            0,
            0,
            floor,
        ]
    _settle(f, target, leg)
    for side, s in (("l", 1), ("r", -1)):
        loose = sway if s != favoured else 0.0
        out = yaw + s * rng.uniform(0.02, 0.25 + 0.2 * loose)
        f.leg(side, target[side], turn((0, 0, 1), out) @ np.array([0.0, -1, 0]), turn((0, 0, 1), out))
    f.torso(rng.normal(0.0, 0.04), favoured * sway * 0.16 + rng.normal(0, 0.02), rng.normal(0, 0.08))


def _settle(f: Figure, target: dict[str, Floats], leg: float) -> None:
    """Lower or raise the pelvis so that both feet are within reach, the straighter leg almost straight."""
    room = []
    for side, end in target.items():
        hip = f.head(f"{side}-leg1")
        flat = np.linalg.norm((hip - end)[:2])
        room.append(end[2] + np.sqrt(max((0.985 * leg) ** 2 - flat**2, 0.01)) - hip[2])
    f.move(np.array([0, 0, min(room)]))


def _walk(f: Figure, rng: np.random.Generator, yaw: float) -> None:
    rest = f.rest
    leg = rest.length("l-leg1", "l-shin") + rest.length("l-shin", "l-foot")
    stride, ahead = rng.uniform(0.16, 0.34) * leg, rng.choice((-1, 1))
    flat = turn((0, 0, 1), yaw)
    f.set("root", flat @ turn((0, 0, 1), ahead * -0.12))
    target, foot = {}, {}
    for side, s in (("l", 1), ("r", -1)):
        front = s == ahead
        lift = 0.0 if front else 0.16 * leg * rng.uniform(0.5, 1.0)
        floor = rest.head(f"{side}-foot")[2]
        target[side] = flat @ np.array([s * 0.075, -stride if front else stride, 0]) + [0, 0, floor + lift * 0.6 + (0.02 if front else 0)]
        foot[side] = flat @ turn((1, 0, 0), -0.25 if front else lift / leg * 4.5)
    _settle(f, target, leg)
    for side in "lr":
        f.leg(side, target[side], flat @ np.array([0.0, -1, 0.2]), foot[side])
    f.torso(rng.uniform(0.02, 0.1), 0.0, ahead * 0.2)


def _sit(f: Figure, rng: np.random.Generator, yaw: float, kind: str, ankle_height: float, clearance: float) -> None:
    rest = f.rest
    flat = turn((0, 0, 1), yaw)
    back = {"sit_lean": rng.uniform(0.1, 0.3), "sit_table": rng.uniform(-0.25, 0.0)}.get(kind, rng.normal(-0.02, 0.1))
    f.set("root", flat @ turn((1, 0, 0), -0.12 - max(back, 0) * 0.6))
    thigh, shin = rest.length("l-leg1", "l-shin"), rest.length("l-shin", "l-foot")
    # Hips of a person whose seat is at SEAT; children's feet do not reach the floor and hang.
    hip, reach = SEAT + clearance, ankle_height
    crossed = kind != "sit_table" and rng.random() < 0.15
    for side, s in (("l", 1), ("r", -1)):
        start = f.head(f"{side}-leg1")
        down = min(hip - reach, shin * 1.02)
        forward = thigh * rng.uniform(0.82, 1.05)
        wide = s * rng.uniform(0.0, 0.09)
        ankle = start + flat @ np.array([wide, -forward, -down])
        out = s * rng.uniform(0.0, 0.3)
        foot = turn((0, 0, 1), yaw + out)
        if crossed and s > 0:
            ankle = start + flat @ np.array([-0.24, -forward - 0.1, -down * 0.72])
            foot = turn((0, 0, 1), yaw - 0.3) @ turn((1, 0, 0), 0.3)
        # Feet that do not reach the floor point down.
        foot = foot @ turn((1, 0, 0), float(np.clip((hip - reach - down) * 4, 0, 0.4)))
        f.leg(side, ankle, flat @ np.array([wide * 2 if not (crossed and s > 0) else 0.0, -1.0, 1.2]), foot)
    f.torso(-back * 0.5 + 0.1, rng.normal(0, 0.04), rng.normal(0, 0.08))


def _arms(f: Figure, shape: Shape, kind: str, rng: np.random.Generator) -> list[tuple[str, Floats, Floats]]:
    rest = f.rest
    base = f.rotation[BONE["root"]]
    trunk = f.rotation[BONE["chest"]]
    scale = (rest.length("l-arm1", "l-fore1") + rest.length("l-fore1", "l-hand")) / 0.52
    props: list[tuple[str, Floats, Floats]] = []
    main = str(rng.choice(("l", "r"), p=(0.3, 0.7)))
    other = "r" if main == "l" else "l"
    swing = 0.0
    if kind == "walk":
        swing = float(np.sign(f.head("l-foot") @ base[:, 1] - f.head("r-foot") @ base[:, 1])) * rng.uniform(0.5, 1.2)

    def sign(side: str) -> int:
        return 1 if side == "l" else -1

    def relaxed(side: str) -> None:
        s = sign(side)
        shoulder = f.head(f"{side}-arm1")
        long = (rest.length(f"{side}-arm1", f"{side}-fore1") + rest.length(f"{side}-fore1", f"{side}-hand")) * rng.uniform(0.93, 0.975)
        wide = max(shape.hips + shape.clothes + 0.045, abs((base.T @ (shoulder - f.head("root")))[0]) + 0.02)
        away = wide + rng.uniform(0.0, 0.06)
        centre = f.head("root")
        # A hand swings ahead while the foot of its side is behind.
        local = np.array([s * away, base.T[1] @ (shoulder - centre) - 0.03 - s * swing * 0.17 - rng.uniform(0, 0.07), 0])
        flat = np.linalg.norm((local - base.T @ (shoulder - centre))[:2])
        local[2] = (base.T @ (shoulder - centre))[2] - np.sqrt(max(long**2 - flat**2, 0.01))
        f.shrug(side, -0.06, 0.0)
        down = base @ np.array([-s * 0.06, -0.12, -1.0])
        f.arm(
            side, centre + base @ local, base @ np.array([s * 0.5, 1.0, 0.0]), down, base @ np.array([-s, 0.35 + rng.normal(0, 0.2), 0.0])
        )
        c = rng.uniform(0.12, 0.45)
        f.fingers(side, (c, c * 1.1, c * 1.2, c * 1.25))

    def on_torso(z_share: float, direction: Floats, gap: float) -> Floats:
        """A world point in front of (or beside) the torso: z between hips (0) and neck (1)."""
        low, high = rest.head("l-leg1")[2], rest.head("neck")[2]
        z = low + (high - low) * z_share
        d = unit(np.array([*direction, 0.0]))
        bone = "chest" if z_share > 0.6 else "spine1" if z_share > 0.25 else "root"
        return f.world(bone, d * (shape.support(z, d) + gap) + [0, 0, z])

    def wrist_for(side: str) -> None:
        s = sign(side)
        if kind == "hips":
            low = rng.uniform(0.22, 0.36)
            at = on_torso(low, np.array([s * 1.0, -0.1]), 0.035 * scale)
            f.shrug(side, 0.05, 0.0)
            f.arm(
                side,
                at + base @ np.array([s * 0.03, 0.03, 0.03]),
                base @ np.array([s * 1.0, 0.45, 0.0]),
                base @ np.array([-s * 0.35, -0.7, -0.6]),
                base @ np.array([-s * 1.0, 0.3, -0.2]),
            )
            f.fingers(side, (0.15, 0.2, 0.25, 0.3), thumb=-0.3)
        elif kind == "crossed":
            over = side == main
            at = on_torso(0.60 if over else 0.565, np.array([-s * 0.38, -1.0]), (0.075 if over else 0.03) * scale)
            f.shrug(side, 0.0, 0.2)
            f.arm(
                side,
                at,
                trunk @ np.array([s * 0.5, -0.15, -1.0]),
                trunk @ np.array([-s * 1.0, 0.25 if over else 0.05, 0.12]),
                trunk @ np.array([0.0, 1.0, -0.1]),
            )
            f.fingers(side, (0.3, 0.3, 0.3, 0.3))
        elif kind == "clasped":
            at = on_torso(0.05 + 0.03 * (side == main), np.array([s * 0.12, -1.0]), (0.05 if side == main else 0.035) * scale)
            at = at + base @ np.array([s * 0.05, 0, 0])
            f.arm(
                side,
                at,
                base @ np.array([s * 1.0, 0.6, 0.0]),
                base @ np.array([-s * 0.8, -0.25, -0.7]),
                base @ np.array([-s * 0.2, 1.0, 0.0]),
            )
            f.fingers(side, (0.45, 0.45, 0.45, 0.45))
        elif kind == "behind":
            at = on_torso(0.08 + 0.04 * (side == main), np.array([s * 0.2, 1.0]), 0.03 * scale)
            f.shrug(side, 0.0, -0.12)
            f.arm(
                side,
                at + base @ np.array([s * 0.05, 0, 0]),
                base @ np.array([s * 1.0, 0.7, 0.0]),
                base @ np.array([-s * 0.8, 0.1, -0.6]),
                base @ np.array([0.0, 1.0, 0.2]),
            )
            f.fingers(side, (0.4, 0.4, 0.4, 0.4))

    if kind in ("hips", "crossed", "clasped", "behind"):
        both = kind != "hips" or rng.random() < 0.6
        wrist_for(main)
        if both:
            wrist_for(other)
        else:
            relaxed(other)
        return props
    s = sign(main)
    shoulder = f.head(f"{main}-arm1")
    if kind in ("wave", "raised"):
        f.shrug(main, 0.3, 0.0)
        high = rng.uniform(0.22, 0.42) if kind == "wave" else rng.uniform(0.4, 0.5)
        shoulder = f.head(f"{main}-arm1")
        at = shoulder + trunk @ np.array([s * rng.uniform(0.12, 0.24), -rng.uniform(0.05, 0.15), high]) * scale
        f.arm(
            main,
            at,
            trunk @ np.array([s * 1.0, 0.2, -0.8]),
            trunk @ np.array([s * 0.1, -0.05, 1.0]),
            trunk @ np.array([-s * 0.1, -1.0, 0.0]),
        )
        f.fingers(main, (0.05, 0.05, 0.07, 0.1), spread=0.12)
        if kind == "raised" and rng.random() < 0.6:
            f.shrug(other, 0.3, 0.0)
            at = f.head(f"{other}-arm1") + trunk @ np.array([-s * 0.2, -0.1, 0.44]) * scale
            f.arm(
                other,
                at,
                trunk @ np.array([-s * 1.0, 0.2, -0.8]),
                trunk @ np.array([-s * 0.1, 0.0, 1.0]),
                trunk @ np.array([s * 0.1, -1.0, 0.0]),
            )
            f.fingers(other, (0.1, 0.1, 0.1, 0.1), spread=0.12)
        else:
            relaxed(other)
    elif kind == "point":
        f.shrug(main, 0.12, 0.1)
        shoulder = f.head(f"{main}-arm1")
        way = unit(trunk @ np.array([s * rng.uniform(0.1, 1.0), -rng.uniform(0.2, 1.0), rng.uniform(-0.15, 0.35)]))
        f.arm(main, shoulder + way * 0.51 * scale, trunk @ np.array([s * 0.7, 0.2, -1.0]), way, trunk @ np.array([-s * 0.6, 0.0, -0.7]))
        f.fingers(main, (0.05, 1.2, 1.25, 1.25), thumb=0.5)
        relaxed(other)
    elif kind in ("phone", "sit_phone", "cup"):
        at = f.world("chest", np.array([s * rng.uniform(0.05, 0.14), 0, rest.head("chest")[2] + rng.uniform(-0.06, 0.08)]))
        front = shape.support(rest.head("chest")[2], np.array([0.0, -1.0, 0.0]))
        at = at + trunk @ np.array([0, -front - rng.uniform(0.12, 0.2) * scale, 0])
        f.arm(
            main,
            at,
            trunk @ np.array([s * 0.6, 0.2, -1.0]),
            trunk @ np.array([-s * 0.35, -0.5, 0.8]),
            trunk @ np.array([-s * 0.4, 0.85, 0.3]),
        )
        f.fingers(main, (0.55, 0.6, 0.6, 0.6), thumb=0.5)
        centre = f.world(
            f"{main}-hand", rest.head(f"{main}-finger31") * 0.7 + rest.head(f"{main}-finger32") * 0.3 + rest.palm[main] * 0.028
        )
        if kind == "cup":
            props.append(("cup", centre + trunk @ np.array([0, 0, 0.0]), np.eye(3)))
            other_kind = "relaxed"
        else:
            hand = f.rotation[BONE[f"{main}-hand"]]
            up, out = hand @ rest.along[main], -(hand @ rest.palm[main])
            props.append(("phone", centre, np.stack([np.cross(out, up), out, up])))
            f.look(0.32 + rng.normal(0, 0.06), float(rng.normal(0, 0.05)), s * 0.1)
            other_kind = "support" if rng.random() < 0.35 else "relaxed"
        if kind == "sit_phone":
            _hand_on_lap(f, other, sign(other), rng)
        elif other_kind == "support":
            t = -s
            f.arm(
                other,
                at + trunk @ np.array([t * 0.13, 0.02, -0.05]),
                trunk @ np.array([t * 0.6, 0.2, -1.0]),
                trunk @ np.array([-t * 0.5, -0.4, 0.6]),
                trunk @ np.array([-t * 0.75, 0.6, 0.2]),
            )
            f.fingers(other, (0.5, 0.5, 0.5, 0.5), thumb=0.4)
        else:
            relaxed(other)
    elif kind == "call":
        ear = f.world("head", np.array([s * 0.105 * scale, rest.head("head")[1] - 0.0, rest.head("head")[2] + 0.0]))
        f.shrug(main, 0.1, 0.1)
        turned = f.rotation[BONE["head"]]
        f.arm(
            main,
            ear + turned @ np.array([s * 0.035, -0.07, -0.09]) * scale,
            trunk @ np.array([s * 0.9, -0.3, -1.0]),
            turned @ np.array([-s * 0.1, 0.55, 0.85]),
            turned @ np.array([-s * 1.0, 0.0, -0.1]),
        )
        f.fingers(main, (0.5, 0.55, 0.6, 0.6), thumb=0.4)
        centre = f.world(
            f"{main}-hand", rest.head(f"{main}-finger31") * 0.8 + rest.head(f"{main}-finger32") * 0.2 + rest.palm[main] * 0.025
        )
        hand = f.rotation[BONE[f"{main}-hand"]]
        up, out = hand @ rest.along[main], hand @ rest.palm[main]
        props.append(("phone", centre, np.stack([np.cross(out, up), out, up])))
        relaxed(other)
    elif kind == "sit_table":
        for side in "lr":
            t = sign(side)
            front = shape.support(rest.head("spine1")[2], np.array([0.0, -1.0, 0.0]))
            low = f.head("l-leg1")[2] + (0.76 - SEAT - 0.085)
            at = f.head("root") + base @ np.array([t * rng.uniform(0.02, 0.16), -front - rng.uniform(0.14, 0.26) * scale, 0])
            at[2] = low
            f.arm(side, at, base @ np.array([t * 1.0, 0.3, -0.6]), base @ np.array([-t * 0.4, -1.0, 0.0]), np.array([0.0, 0.0, -1.0]))
            f.fingers(side, (0.25, 0.25, 0.3, 0.3))
    elif kind in ("sit", "sit_lean"):
        for side in "lr":
            _hand_on_lap(f, side, sign(side), rng)
    else:
        relaxed("l")
        relaxed("r")
    return props


def _hand_on_lap(f: Figure, side: str, s: int, rng: np.random.Generator) -> None:
    """A hand on its own thigh, or nearer to the middle of the lap."""
    base = f.rotation[BONE["root"]]
    hip, knee = f.head(f"{side}-leg1"), f.head(f"{side}-shin")
    along = unit(knee - hip)
    thick = 0.082 * f.rest.length("l-leg1", "l-shin") / 0.42 + 0.03
    at = hip + (knee - hip) * rng.uniform(0.45, 0.72) + np.array([0, 0, thick]) + base @ np.array([-s * rng.uniform(0, 0.05), 0, 0])
    f.shrug(side, -0.03, 0.05)
    f.arm(
        side,
        at,
        base @ np.array([s * 1.0, 0.5, -0.3]),
        along + base @ np.array([-s * rng.uniform(0.1, 0.7), 0, -0.1]),
        np.array([0.0, 0.0, -1.0]) + base @ np.array([-s * 0.2, 0.0, 0.0]),
    )
    f.fingers(side, (0.2, 0.22, 0.25, 0.28))
