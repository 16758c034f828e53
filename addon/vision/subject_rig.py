"""A person of a layered photo, ready for Blender: mesh, keys, bones, weights and pictures from one call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .canonical import EYE_CENTRES, EYE_RADIUS, LIP_LINE
from .cv import cv
from .face_fit import FaceFit
from .face_parts import Shape, pocket, teeth, tongue
from .face_surface import depth
from .face_units import units
from .face_warp import inverses
from .landmarks import Person
from .rigging import Bone, Part, SubjectMesh
from .skeleton import bones_for
from .subject_depth import Source
from .subject_eyes import Eyeball, front_of
from .subject_mesh import EYES, LIPS, Subject, make_subject
from .subject_pictures import Picture, Pictures, make_pictures
from .subject_weights import weigh
from .texture import linear_to_srgb, srgb_to_linear
from .unfold import picture_areas, unfolded

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

_GAP = 0.0003  # metres that a lid passes before the eyeball
_BEHIND = 0.013  # metres that the mouth's bag lies farther in where lips are parted: what the photo shows stands before it
_TEETH_BEHIND = 0.003  # and that teeth and tongue do
_BESIDE = 0.0035  # metres about a point of the mouth's inside within which it lies behind all of the skin
_CLEAR = 0.0012  # metres that the mouth's inside lies behind the skin, at least
_DEEPER = {Part.POCKET: 0.004, Part.TONGUE: 0.0025}  # and so much farther what lies behind the teeth
_AROUND = 1.15  # how much wider than parted lips the mouth begins behind them
_FOLLOWS = (0.6, 1.7)  # by how much an eye may move more or less than the average one because it is wider or narrower
_EYE = (0.018, 0.032)  # metres from an eye: up to where that counts wholly, and from where not at all
_LEAST_JAW = 8.0  # degrees that a jaw opens on any face
_FOLDS = 0.1  # of the skin below the chin that goes with the jaw: so much may go out of sight behind it
_LIDS = ("eyeBlink", "eyeSquint", "eyeWide", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "cheekSquint")


@dataclass(frozen=True)
class RigData:
    """All that `scene.rig` makes a rig of.

    mesh: with weights and keys. bones. pictures: by part, of eyes and of what is seen between parted lips. colours: float32 N×3, sRGB, of vertices inside the mouth in
    the photo's light (white elsewhere). subject: as `make_subject` gives it; its mesh is the first part of this one. Without a face: no keys.
    """

    mesh: SubjectMesh
    bones: tuple[Bone, ...]
    pictures: dict[Part, Picture]
    colours: Floats
    subject: Subject


def rig_subject(photo: NDArray[np.uint8], source: Source, person: Person, fit: FaceFit | None, *, body: bool = False) -> RigData:
    """Mesh, keys, bones, weights and pictures of a person.

    photo: uint8 H×W×3, sRGB. source: of the person's layer. fit: of the face (`fit_face`), None if none is seen. body: with limbs, where joints
    are known. Raises ValueError if the layer is empty or there is neither a face nor the joints of head and neck.
    """
    subject = make_subject(source, person, fit)
    made = Pictures() if person.face is None or fit is None else make_pictures(photo, subject, person.face, source)
    mesh, places, colours = _completed(subject, np.array(made.light))
    bones = bones_for(person, subject.fit, body=body, eyes=subject.eyes)
    mesh = replace(mesh, weights=weigh(mesh, bones, subject.fit, _colours(photo, mesh)))
    bones = tuple(limited_jaw(b, mesh) if b.name == "jaw" else b for b in bones)
    if subject.fit is not None:
        mesh = replace(mesh, keys=face_keys(mesh, subject, places))
    pictures = dict(made.eyes)
    if made.mouth is not None:
        pictures[Part.POCKET] = made.mouth
    return RigData(mesh, bones, pictures, colours, subject)


def _colours(photo: NDArray[np.uint8], mesh: SubjectMesh) -> Floats:
    """What the photo shows at each vertex, float32 N×3 in CIE L*a*b*."""
    cv2 = cv()
    ray = mesh.ray.astype(np.float64)
    at = np.column_stack([ray[:, 0] / ray[:, 2], 1 - ray[:, 1] / ray[:, 2]]) * (photo.shape[1], photo.shape[0]) - 0.5
    at = np.clip(np.round(at), 0, (photo.shape[1] - 1, photo.shape[0] - 1)).astype(int)
    pixels = cv2.GaussianBlur(photo, (0, 0), 1.0)[at[:, 1], at[:, 0]]
    return cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


def limited_jaw(jaw: Bone, mesh: SubjectMesh) -> Bone:
    """The bone `jaw` with a limit at which the chin does not yet come before the throat: before much of the skin between them folds over in the picture.

    mesh: with weights. It opens by 8 degrees on any face.
    """
    least, most = jaw.limits["rx"]
    joint, tip = (np.array(p) for p in (jaw.head, jaw.tail))
    y = (tip - joint) / max(float(np.linalg.norm(tip - joint)), 1e-12)
    x = np.cross(y, np.array(jaw.z_axis))
    x /= max(float(np.linalg.norm(x)), 1e-12)
    weight = mesh.weights["jaw"].astype(np.float64)
    position = mesh.position.astype(np.float64)
    # Lips and what is in them part and roll; the throat lies lower than the jaw's tip.
    skin = mesh.triangles[mesh.part == Part.SKIN]
    low = (position[skin] - tip).mean(1) @ np.array(jaw.z_axis) < 0
    skin = skin[low & (weight[skin] > 0).any(1)]
    if not len(skin):
        return jaw
    rest = picture_areas(position, skin)
    away = position - joint
    for degrees in np.arange(round(-np.degrees(least)), _LEAST_JAW, -1.0):
        angle = -np.radians(degrees)
        # Rodrigues' formula about the bone's x axis, as much as the weight says.
        turned = away * np.cos(angle) + np.cross(x, away) * np.sin(angle) + np.outer(away @ x, x) * (1 - np.cos(angle))
        areas = picture_areas(position + weight[:, None] * (turned - away), skin)
        folded = rest[(areas < 0) & (rest > 0)].sum()
        if folded <= _FOLDS * rest.sum():
            return replace(jaw, limits={**jaw.limits, "rx": (max(least, float(angle)), most)})
    return replace(jaw, limits={**jaw.limits, "rx": (-float(np.radians(_LEAST_JAW)), most)})


# The inside of the mouth ---------------------------------------------------------------------------------------------------------


def _completed(subject: Subject, light: Doubles) -> tuple[SubjectMesh, Doubles, Floats]:
    """The mesh with the mouth's inside, the canonical places of all vertices (N×3, NaN where unknown), and colours (N×3, sRGB)."""
    mesh, fit = subject.mesh, subject.fit
    places = np.column_stack([mesh.canonical.astype(np.float64), np.full(len(mesh.position), np.nan)])
    white = np.ones((len(mesh.position), 3), np.float32)
    if fit is None:
        return mesh, places, white
    for part, ball in subject.eyes.items():
        mine = np.unique(mesh.triangles[mesh.part == part])
        places[mine] = _in_ball(mesh.position[mine], ball, fit, part)
    if not (subject.rows[:, 0] == LIPS).any():
        return replace(mesh, canonical=places[:, :2].astype(np.float32)), places, white
    mouth = _Mouth.of(subject)
    shapes = [(pocket(mouth.rim), True), (teeth(False), False), (tongue(), False)]
    if subject.shut:
        shapes.insert(1, (teeth(True), False))
    positions, more, sides, triangles, parts, colours = [], [], [], [], [], []
    count = len(mesh.position)
    for shape, at_lips in shapes:
        at = _behind(mouth.placed(shape, at_lips), mesh, subject, len(mouth.seen) if at_lips else 0, _CLEAR + _DEEPER.get(shape.part, 0.0))
        positions.append(at)
        more.append(shape.vertices)
        sides.append(shape.side)
        triangles.append(shape.triangles + count)
        parts.append(np.full(len(shape.triangles), shape.part, np.uint8))
        colours.append(linear_to_srgb(srgb_to_linear(shape.colours) * light.astype(np.float32)))
        count += len(at)
    added = np.concatenate(positions)
    rays = fit.rays
    uv = np.column_stack([added[:, 0] / added[:, 1] / rays.width + rays.u0, added[:, 2] / added[:, 1] / rays.height + rays.v0])
    z = added[:, 1]
    places = np.concatenate([places, *more])
    whole = SubjectMesh(
        position=np.concatenate([mesh.position, added.astype(np.float32)]),
        ray=np.concatenate([mesh.ray, np.column_stack([uv[:, 0] * z, uv[:, 1] * z, z]).astype(np.float32)]),
        triangles=np.concatenate([mesh.triangles, *triangles]).astype(np.int32),
        part=np.concatenate([mesh.part, *parts]),
        canonical=places[:, :2].astype(np.float32),
        side=np.concatenate([mesh.side, *sides]).astype(np.int8),
        seams=mesh.seams,
    )
    return whole, places, np.concatenate([white, *colours]).astype(np.float32)


def _behind(at: Doubles, mesh: SubjectMesh, subject: Subject, free: int, clear: float) -> Doubles:
    """Points N×3 of the mouth's inside moved away from the camera, on their rays, until they lie behind the skin there.

    free: so many of the first ones are let be. clear: metres that they lie behind it, at least.
    """
    assert subject.fit is not None
    near = np.abs(mesh.canonical[:, 0]) < 0.06
    near &= np.abs(mesh.canonical[:, 1] - LIP_LINE[0, 1]) < 0.055
    skin = mesh.position[near]
    tangents = (skin[:, (0, 2)] / skin[:, 1:2]).astype(np.float32)
    own = (at[:, (0, 2)] / at[:, 1:2]).astype(np.float32)
    depth_ = np.empty(len(at))
    within = (_BESIDE * subject.fit.scale / float(np.median(skin[:, 1]))) ** 2
    for start in range(0, len(at), 512):
        part = own[start : start + 512]
        away = (tangents[:, 0] - part[:, :1]) ** 2 + (tangents[:, 1] - part[:, 1:]) ** 2
        # The nearest vertex alone does not tell of a slope beside it, as under a nose.
        beside = np.where(away < np.maximum(within, away.min(1, keepdims=True) * 1.0001), skin[:, 1], 0.0).max(1)
        depth_[start : start + 512] = np.maximum(skin[away.argmin(1), 1], beside)
    least = depth_ + clear * subject.fit.scale
    more = np.maximum(least / at[:, 1], 1.0)
    more[:free] = 1.0
    return at * more[:, None]


def _in_ball(position: NDArray[np.floating], ball: Eyeball, fit: FaceFit, part: Part) -> Doubles:
    """Where the vertices of an eyeball lie in that of the average face: N×3."""
    own = (position.astype(np.float64) - ball.centre) @ fit.rotation
    return EYE_CENTRES[int(part == Part.EYE_LEFT)] + own * (EYE_RADIUS / ball.radius)


@dataclass(frozen=True)
class _Mouth:
    """Where the mouth of a subject is. rim: canonical K×3, where the lips meet, and seen: the lips' edges in layer axes, (2·K−2)×3, from the right
    corner along the upper to the left and back along the lower. middle: of the average
    mouth, own: of this one, canonical (3,). larger: than the average mouth, times. parted: whether the lips are; drop: how far below
    the upper lip's edge the lower one's is in the middle, canonical metres, at most 0."""

    fit: FaceFit
    rim: Doubles
    seen: Doubles
    middle: Doubles
    own: Doubles
    larger: float
    parted: bool
    drop: float

    @classmethod
    def of(cls, subject: Subject) -> _Mouth:
        fit, mesh = subject.fit, subject.mesh
        assert fit is not None
        rows, n = subject.rows, subject.half[LIPS]
        here = np.flatnonzero((rows[:, 0] == LIPS) & (rows[:, 1] == 0))
        first = np.full(2 * n - 2, -1)
        first[rows[here[::-1], 2]] = here[::-1]
        if subject.shut:
            first[n:] = first[n - 2 : 0 : -1]
        above = np.unique(np.append(np.arange(0, n, 2), n - 1))
        upper, lower = first[above], first[(2 * n - 2 - above[-2:0:-1])]
        seen = mesh.position[upper].astype(np.float64)
        flat = mesh.canonical[upper].astype(np.float64)
        rim = np.column_stack([flat, depth(flat)])
        loop = np.concatenate([seen, mesh.position[lower].astype(np.float64)])
        own = (seen - fit.origin) @ fit.rotation / fit.scale
        width = float(np.hypot(*(own[-1, :2] - own[0, :2])))
        larger = float(np.clip(width / (2 * LIP_LINE[-1, 0]), 0.75, 1.4))
        half = len(own) // 2
        corners, usual = (own[0] + own[-1]) / 2, np.array((0.0, *LIP_LINE[-1, 1:]))
        forwards = own[half, 2] - corners[2] - larger * (LIP_LINE[0, 2] - LIP_LINE[-1, 2])
        low = (mesh.position[lower[len(lower) // 2]].astype(np.float64) - fit.origin) @ fit.rotation / fit.scale
        drop = 0.0 if subject.shut else min(0.0, float(low[1] - own[half, 1]))
        return cls(fit, rim, loop, usual, corners + (0, 0, min(0.0, forwards)), larger, not subject.shut, drop)

    def placed(self, shape: Shape, at_lips: bool) -> Doubles:
        """A shape of the mouth's inside in layer axes, metres; at_lips: its first rows are the rim and go over into the rest."""
        own = self.own + (shape.vertices - self.middle) * self.larger
        if self.parted:
            # Lower teeth and tongue are as high above the lower lip as where lips are shut.
            own -= (0, 0, _BEHIND) if at_lips else (0, -self.drop, _TEETH_BEHIND)
        at = self.fit.to_layer(own)
        if at_lips:
            count = len(self.seen)
            # Right behind the lips, which cover it at rest; or behind and around what is seen between them.
            way = self.seen / np.linalg.norm(self.seen, axis=1, keepdims=True)
            rim = self.seen + way * (_CLEAR * self.fit.scale)
            if self.parted:
                middle = self.seen.mean(0)
                rim = middle + (self.seen - middle) * _AROUND + way * (_BEHIND * self.fit.scale)
            miss = rim - at[:count]
            for k in range(4):
                at[k * count : (k + 1) * count] += miss * (1 - k / 4)
        return at


# Keys --------------------------------------------------------------------------------------------------------------------------------


def face_keys(mesh: SubjectMesh, subject: Subject, places: Doubles) -> dict[str, Floats]:
    """The 52 keys of a mesh, metres in layer axes: those of the average face, moved to this one.

    places: canonical N×3 of the vertices. About the eyes they go by the map between this face's pixels and the average face, so that lids close
    though an eye is wide or narrow. Lids pass before the eyeball and meet exactly.
    """
    fit = subject.fit
    assert fit is not None
    part = np.zeros(len(mesh.position), np.int64)
    part[mesh.triangles] = mesh.part[:, None]
    moved = units(places, mesh.side, part)
    turn = _turns(mesh, subject, part)
    skin = mesh.triangles[mesh.part == Part.SKIN]
    lids = np.zeros(len(mesh.position), bool)
    lids[: len(subject.rows)] = (subject.rows[:, 0] >= 0) & (subject.rows[:, 0] != LIPS) & (subject.rows[:, 1] == 0)
    keys: dict[str, Floats] = {}
    for name, step in moved.items():
        at = np.flatnonzero((step != 0).any(1))
        out = np.zeros_like(step)
        out[at] = np.einsum("nij,nj->ni", turn[at], step[at].astype(np.float64))
        if name.startswith(_LIDS):
            for eye, ball in subject.eyes.items():
                if name.endswith("Left" if eye == Part.EYE_LEFT else "Right"):
                    _over_ball(out, mesh, subject, ball, EYES.index(eye), close=name.startswith("eyeBlink"))
        else:
            out = unfolded(mesh.position, skin, mesh.seams, out, lids)
        keys[name] = out
    return keys


def _turns(mesh: SubjectMesh, subject: Subject, part: NDArray[np.int64]) -> Doubles:
    """From a step in the average face to one in layer axes, for every vertex: N×3×3."""
    fit = subject.fit
    assert fit is not None
    out = np.broadcast_to(fit.scale * fit.rotation, (len(part), 3, 3)).copy()
    for eye, ball in subject.eyes.items():
        out[part == eye] = fit.rotation * (ball.radius / EYE_RADIUS)
    skin = np.flatnonzero((part == Part.SKIN) & np.isfinite(mesh.canonical).all(1))
    ray = mesh.ray[skin].astype(np.float64)
    shares = np.column_stack([ray[:, 0] / ray[:, 2], 1 - ray[:, 1] / ray[:, 2]])
    slopes = fit.warp.slopes(shares * fit.size)
    rigid = fit.scale * fit.rotation[np.ix_((0, 2), (0, 1))]
    if abs(np.linalg.det(rigid)) < 0.2 * fit.scale**2:  # seen from the side the map says nothing
        return out
    # Metres aside and up of a pixel at each vertex.
    pixel = ray[:, 2, None] * np.array((fit.rays.width / fit.size[0], -fit.rays.height / fit.size[1]))
    weak = np.abs(np.linalg.det(slopes)) < 1e-3 * np.median(np.abs(np.linalg.det(slopes)))
    slopes[weak] = np.eye(2)
    ratio = pixel[:, :, None] * inverses(slopes) @ np.linalg.inv(rigid)
    u, s, v = np.linalg.svd(ratio)
    ratio = (u * np.clip(s, *_FOLLOWS)[:, None]) @ v
    ratio[weak | (np.linalg.det(ratio) < 0)] = np.eye(2)
    # About the eyes, where lids must meet; elsewhere a face moves as its own size lets it.
    flat = np.abs(mesh.canonical[skin].astype(np.float64))
    away = np.hypot(flat[:, 0] - EYE_CENTRES[1, 0], flat[:, 1])
    share = np.clip((_EYE[1] - away) / (_EYE[1] - _EYE[0]), 0, 1)[:, None, None]
    aside = (np.eye(2) + share * (ratio - np.eye(2))) @ rigid
    out[skin[:, None, None], np.array((0, 2))[:, None], np.array((0, 1))] = aside
    return out


def _over_ball(out: Floats, mesh: SubjectMesh, subject: Subject, ball: Eyeball, slot: int, *, close: bool) -> None:
    """Let lids pass before an eyeball, and meet if they are to close; `out`, the displacements, is changed in place."""
    rows, n = subject.rows, subject.half[slot]
    mine = np.flatnonzero(rows[:, 0] == slot)
    k, i = rows[mine, 1], rows[mine, 2]
    base = mesh.position[mine].astype(np.float64)
    at = base + out[mine]
    if close:
        first = np.zeros((2 * n - 2, 3))
        first[i[k == 0]] = at[k == 0]
        upper = np.arange(1, n - 1)
        lower = 2 * n - 2 - upper
        meeting = (first[upper] + first[lower]) / 2
        shift = np.zeros_like(first)
        shift[upper], shift[lower] = meeting - first[upper], meeting - first[lower]
        at += subject.falloff[slot][k][:, None] * shift[i]
    rays = at[:, (0, 2)] / at[:, 1:2]
    front = front_of(ball, rays)
    way = np.column_stack([rays[:, 0], np.ones(len(rays)), rays[:, 1]])
    squared = (way**2).sum(1)
    hits = (way @ ball.centre) ** 2 > squared * (ball.centre @ ball.centre - ball.radius**2)
    assert subject.fit is not None
    least = front - _GAP * subject.fit.scale
    nearer = np.where(hits & (at[:, 1] > least), least / at[:, 1], 1.0)
    out[mine] = at * nearer[:, None] - base
