"""Weights sum to one, are smooth, and bones move what hangs on them and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from addon.vision import canonical
from addon.vision.mesh_graph import distances, mesh_graph
from addon.vision.rigging import Part
from addon.vision.skeleton import bones_for
from addon.vision.subject_rig import limited_jaw
from addon.vision.subject_weights import weigh, weights_at
from addon.vision.unfold import picture_areas
from tests.vision import face_meshes

EYES = canonical.PUPIL_DISTANCE
MOVES, STAYS = 0.02 * EYES, 0.002 * EYES


class Rigged:
    """A bust with bones and weights; `at` in canonical axes."""

    def __init__(self, fit=None, joints=None):
        self.fit = fit or face_meshes.fitted()
        mesh = face_meshes.face_mesh(self.fit, 0.002)
        relief = None if joints is None else face_meshes.relief_of(mesh)
        self.bones = bones_for(face_meshes.person(self.fit, joints), self.fit, body=joints is not None, relief=relief)
        self.mesh = replace(mesh, weights=weigh(mesh, self.bones, self.fit))
        self.part = face_meshes.vertex_parts(mesh)
        self.rest = self.own(mesh.position)
        self.limits = {b.name: b.limits for b in self.bones}
        self.relief = face_meshes.relief(0.002)

    def own(self, at):
        return (np.asarray(at, np.float64) - self.fit.origin) @ self.fit.rotation / self.fit.scale

    def turned(self, **turns):
        """Where the vertices go; names with dots as double underscores."""
        return self.own(face_meshes.posed(self.mesh, self.bones, {n.replace("__", "."): t for n, t in turns.items()}))

    def moved(self, **turns):
        return np.linalg.norm(self.turned(**turns) - self.rest, axis=1)


@pytest.fixture(scope="module", params=["frontal", "turned and large"])
def rig(request):
    return Rigged(None if request.param == "frontal" else face_meshes.fitted(20, -8, 1.25, (0.3, 1.4, 0.2)))


def test_weights_sum_to_one_in_every_vertex(rig):
    weights = rig.mesh.weights
    assert set(weights) == {b.name for b in rig.bones if b.deform}
    total = np.sum([w.astype(np.float64) for w in weights.values()], axis=0)
    assert np.abs(total - 1).max() < 1e-5
    assert all(w.dtype == np.float32 and w.min() >= 0 and w.max() <= 1 for w in weights.values())
    unused = [n for n, w in weights.items() if w.max() < 0.5]
    assert unused == ["base"]  # a bust without limbs stands on its spine


def test_weights_are_smooth(rig):
    """Along the skin weights change by at most 0.08 a millimetre, except at the lids and lips that part."""
    t = rig.mesh.triangles[rig.mesh.part == Part.SKIN]
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    length = np.linalg.norm(rig.mesh.position[edges[:, 0]] - rig.mesh.position[edges[:, 1]], axis=1)
    y = rig.rest[:, 1]
    parting = (np.abs(rig.rest[:, 0]) < 0.03) & (np.abs(y + 0.074) < 0.012) | (
        rig.mesh.weights["lid.T.L"] + rig.mesh.weights["lid.T.R"] > 0
    )
    parting |= rig.mesh.weights["lid.B.L"] + rig.mesh.weights["lid.B.R"] > 0
    for name, values in rig.mesh.weights.items():
        if name.startswith(("eye", "lid")):
            continue
        change = np.abs(values[edges[:, 0]] - values[edges[:, 1]]) / np.maximum(length, 0.002)
        beside = parting[edges].any(1) if name in ("jaw", "head") else np.zeros(len(edges), bool)
        assert change[~beside].max() < 0.08 / 0.001, name


def test_the_head_takes_face_and_hair_along_and_leaves_the_shoulders(rig):
    moved = rig.moved(head=("ry", rig.limits["head"]["ry"][1]))
    x, y = rig.rest[:, 0], rig.rest[:, 1]
    head = rig.part != Part.SKIN
    head |= (y > -0.05) | (np.abs(x) < 0.03) & (y > -0.11)
    assert moved[rig.part == Part.SKIN].max() > 20 * MOVES / 2
    assert moved[(y < -0.20) & (rig.part == Part.SKIN)].max() < STAYS
    # Rigid: eyes, teeth, crown and chin keep their distances.
    after = rig.turned(head=("ry", rig.limits["head"]["ry"][1]))
    chosen = np.flatnonzero(head)[:: max(1, head.sum() // 300)]
    before = np.linalg.norm(rig.rest[chosen][:, None] - rig.rest[chosen], axis=-1)
    assert np.abs(np.linalg.norm(after[chosen][:, None] - after[chosen], axis=-1) - before).max() < 0.0015


@pytest.mark.parametrize("axis", ["rx", "ry", "rz"])
@pytest.mark.parametrize("end", [0, 1])
def test_nothing_turns_over_when_the_head_turns(axis, end):
    rig = Rigged()
    after = rig.turned(head=(axis, rig.limits["head"][axis][end]))
    t = rig.mesh.triangles[rig.mesh.part == Part.SKIN]

    def normals(at):
        n = np.cross(at[t[:, 1]] - at[t[:, 0]], at[t[:, 2]] - at[t[:, 0]])
        return n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-15)

    # Towards the viewer before: not away from where they looked, which is what a fold would be.
    assert ((normals(rig.rest) * normals(after)).sum(1) > 0).all()


def test_the_jaw_opens_the_mouth_and_leaves_the_collar(rig):
    opened = rig.turned(jaw=("rx", rig.limits["jaw"]["rx"][0]))
    moved = np.linalg.norm(opened - rig.rest, axis=1)
    pairs = rig.relief.seams
    gap = (opened[pairs[:, 0]] - opened[pairs[:, 1]])[:, 1]
    assert 0.022 < gap.max() < 0.042 and gap.min() > 0
    y = rig.rest[:, 1]
    skin = rig.part == Part.SKIN
    chin = np.argmin(np.linalg.norm(rig.rest - canonical.POINTS[8], axis=1) + np.where(skin, 0, 1))
    assert moved[chin] > 10 * MOVES
    throat = skin & (np.abs(rig.rest[:, 0]) < 0.01) & (y < -0.125) & (y > -0.14)
    assert moved[throat].max() > MOVES
    assert moved[skin & (y < -0.165)].max() < STAYS  # the collar
    assert moved[skin & (y > -0.045)].max() < 4 * MOVES and moved[skin & (y > -0.02)].max() < STAYS
    assert moved[rig.part == Part.TEETH_LOWER].min() > MOVES and moved[rig.part == Part.TEETH_UPPER].max() < 1e-6


def test_a_jaw_opens_only_until_the_skin_of_the_throat_would_fold(rig):
    jaw = next(b for b in rig.bones if b.name == "jaw")
    assert limited_jaw(jaw, rig.mesh).limits == jaw.limits
    # Without a way from chin to throat over which to be pressed together.
    own, head = rig.mesh.weights["jaw"], rig.mesh.weights["head"]
    hard = np.where(rig.part == Part.SKIN, (own > 0.6).astype(np.float32), own)
    rigid = replace(rig.mesh, weights={**rig.mesh.weights, "jaw": hard, "head": np.maximum(head + own - hard, 0)})
    limited = limited_jaw(jaw, rigid)
    least = limited.limits["rx"][0]
    assert jaw.limits["rx"][0] < least <= -np.radians(8) + 1e-6
    assert limited.limits["rx"][1] == jaw.limits["rx"][1] and {**limited.limits, "rx": 0} == {**jaw.limits, "rx": 0}
    skin = rig.mesh.triangles[(rig.mesh.part == Part.SKIN) & (rig.own(rig.mesh.position)[rig.mesh.triangles, 1] < -0.11).all(1)]
    folded = [
        (picture_areas(face_meshes.posed(rigid, rig.bones, {"jaw": ("rx", angle)}), skin) < 0).sum()
        for angle in (jaw.limits["rx"][0], least)
    ]
    assert folded[0] > folded[1]


def test_lids_turned_to_their_limits_meet(rig):
    for side in "LR":
        turns = {f"lid__{n}__{side}": ("rx", rig.limits[f"lid.{n}.{side}"]["rx"][end]) for n, end in (("T", 0), ("B", 1))}
        closed = rig.turned(**turns)
        pairs = rig.relief.lids[(rig.rest[rig.relief.lids[:, 0], 0] > 0) == (side == "L")]
        before = (rig.rest[pairs[:, 0]] - rig.rest[pairs[:, 1]])[:, 1]
        gap = closed[pairs[:, 0]] - closed[pairs[:, 1]]
        assert before.max() > 0.008
        assert np.abs(gap[:, 1]).max() < 0.0002 and np.abs(gap[:, 0]).max() < 0.0002
        moved = np.linalg.norm(closed - rig.rest, axis=1)
        own = np.abs(rig.rest[:, :2] - [0.0316 * (1 if side == "L" else -1), 0]) < [0.016, 0.019]
        assert moved[~own.all(1)].max() < STAYS
        ball = rig.part == (Part.EYE_LEFT if side == "L" else Part.EYE_RIGHT)
        assert moved[ball].max() < 1e-6


def test_each_bone_moves_its_region_and_nothing_else(rig):
    """Deforming bones of the face, turned to a limit: at least 2 % of the eye distance there, at most 0.2 % elsewhere."""
    for side, sign in (("L", 1), ("R", -1)):
        moved = rig.moved(**{f"shoulder__{side}": ("rz", rig.limits[f"shoulder.{side}"]["rz"][1])})
        assert moved.max() > 5 * MOVES
        assert moved[(sign * rig.rest[:, 0] < 0.03) | (rig.rest[:, 1] > -0.14)].max() < STAYS
    for side, part in (("L", Part.EYE_LEFT), ("R", Part.EYE_RIGHT)):
        moved = rig.moved(**{f"eye__{side}": ("rz", rig.limits[f"eye.{side}"]["rz"][1])})
        assert moved[rig.part == part].max() > MOVES and moved[rig.part != part].max() < 1e-6
        for lid in "TB":
            for end in (0, 1):
                limit = rig.limits[f"lid.{lid}.{side}"]["rx"][end]
                moved = rig.moved(**{f"lid__{lid}__{side}": ("rx", limit)})
                near = np.abs(rig.rest[:, 0] - (0.0316 if side == "L" else -0.0316)) < 0.017
                assert moved[~near].max() < STAYS
                if (lid, end) in (("T", 0), ("T", 1), ("B", 1)):
                    assert moved.max() > MOVES, (lid, end)


def test_left_and_right_are_alike_on_a_frontal_face():
    rig = Rigged()
    order = np.lexsort(np.round(rig.rest, 5).T)
    mirrored = np.lexsort(np.round(rig.rest * [-1, 1, 1], 5).T)
    for name, values in rig.mesh.weights.items():
        twin = name.replace(".L", ".R") if ".L" in name else name.replace(".R", ".L")
        assert np.abs(np.sort(values) - np.sort(rig.mesh.weights[twin])).max() < 0.06, name
        same = np.linalg.norm(rig.rest[order] - (rig.rest * [-1, 1, 1])[mirrored], axis=1) < 1e-4
        assert same.mean() > 0.9
        assert np.abs(values[order] - rig.mesh.weights[twin][mirrored])[same].mean() < 0.004, name


def test_a_hand_before_the_chin_is_no_part_of_the_jaw():
    """A sheet that covers the lower face and hangs on the skin far down: near in the picture, far along the mesh."""
    fit = face_meshes.fitted()
    mesh = face_meshes.face_mesh(fit, 0.003)
    own = (mesh.position - fit.origin) @ fit.rotation
    rows, columns = 60, 20
    hand = np.stack(np.broadcast_arrays(np.linspace(-0.03, 0.03, columns), np.linspace(-0.075, -0.25, rows)[:, None], 0.05), -1).reshape(
        -1, 3
    )
    grid = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, :-1].ravel(), grid[1:, 1:].ravel()
    sheet = np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)]) + len(own)
    skin = np.flatnonzero(
        (face_meshes.vertex_parts(mesh) == Part.SKIN) & (own[:, 1] < -0.24) & (own[:, 1] > -0.26) & (np.abs(own[:, 0]) < 0.03)
    )
    bridge = np.array([[grid[-1, k] + len(own), skin[k % len(skin)], grid[-1, k + 1] + len(own)] for k in range(columns - 1)])
    joined = replace(
        mesh,
        position=np.concatenate([mesh.position, fit.to_layer(hand)]).astype(np.float32),
        triangles=np.concatenate([mesh.triangles, sheet, bridge]).astype(np.int32),
        part=np.concatenate([mesh.part, np.zeros(len(sheet) + len(bridge), np.uint8)]),
        canonical=np.concatenate([mesh.canonical, hand[:, :2]]).astype(np.float32),
        side=np.concatenate([mesh.side, np.zeros(len(hand), np.int8)]),
    )
    weights = weigh(joined, bones_for(face_meshes.person(fit), fit), fit)
    upper = slice(len(own), len(own) + 30 * columns)
    chin = np.argmin(np.linalg.norm(own - canonical.POINTS[8], axis=1))
    assert weights["jaw"][chin] > 0.95
    assert weights["jaw"][upper].max() < 0.02


def test_arms_take_what_is_in_their_flesh():
    joints = {"neck": (0.0, -0.21, -0.05), "shoulder.L": (0.15, -0.26, -0.1), "elbow.L": (0.185, -0.38, -0.1)}
    rig = Rigged(joints=joints)
    skin = rig.part == Part.SKIN
    arm = rig.mesh.weights["upper_arm.L"]
    at_elbow = skin & (np.abs(rig.rest[:, 0] - 0.185) < 0.01) & (np.abs(rig.rest[:, 1] + 0.37) < 0.01)
    assert arm[at_elbow].min() > 0.7 and arm[skin & (rig.rest[:, 0] < 0.02)].max() < 0.02
    assert np.abs(np.sum(list(rig.mesh.weights.values()), axis=0) - 1).max() < 1e-5


def test_somebody_without_a_face_gets_weights_from_joints():
    fit = face_meshes.fitted()
    mesh = face_meshes.face_mesh(fit, 0.004)
    keep = mesh.part == Part.SKIN
    mesh = replace(mesh, triangles=mesh.triangles[keep], part=mesh.part[keep], canonical=np.full_like(mesh.canonical, np.nan))

    def relief(at):
        tangents = np.stack(fit.rays.uv_to_ray(at[:, 0], 1 - at[:, 1]), -1)
        return np.stack([tangents[:, 0] * 1.2, np.full(len(at), 1.2), tangents[:, 1] * 1.2], 1)

    person = face_meshes.person(fit, {"head": (0.0, 0.115, 0.0), "neck": (0.0, -0.2, 0.0)})
    bones = bones_for(replace(person, face=None), None, relief=relief)
    weights = weigh(mesh, bones, None)
    used = np.unique(mesh.triangles)
    y = ((mesh.position - fit.origin) @ fit.rotation)[used, 1]
    assert weights["head"][used][y > 0].min() > 0.99 and weights["head"][used][y < -0.25].max() < 0.01
    assert np.abs(np.sum(list(weights.values()), axis=0) - 1).max() < 1e-5


def test_other_layers_go_along_where_they_touch(rig):
    """Behind the head the head's weights, behind the chest the chest's, and farther away none."""
    points = np.array([[0, 0.05, -0.1], [0.03, -0.02, -0.12], [0, -0.25, -0.2], [0.4, 0.3, -0.1]])
    at = rig.fit.to_layer(points * [1, 1, 0] + [0, 0, -0.03])
    away = at * 1.1  # on the same rays, behind
    found = weights_at(rig.mesh, rig.mesh.weights, away)
    assert np.abs(np.sum(list(found.values()), axis=0) - 1).max() < 1e-5
    assert found["head"][:2].min() > 0.97 and found["head"][2:].max() < 0.03
    assert found["chest"][2] > 0.7 and found["base"][3] > 0.99
    same = weights_at(rig.mesh, rig.mesh.weights, rig.mesh.position[rig.part == Part.SKIN])
    assert np.abs(same["head"] - rig.mesh.weights["head"][rig.part == Part.SKIN]).mean() < 0.02


def test_distances_run_along_the_mesh():
    """Around a slit: on a sheet that is cut in half but for its upper end."""
    n = 61
    x, y = np.meshgrid(np.linspace(0, 0.3, n), np.linspace(0, 0.3, n))
    at = np.stack([x.ravel(), y.ravel(), np.zeros(n * n)], 1)
    grid = np.arange(n * n).reshape(n, n)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, :-1].ravel(), grid[1:, 1:].ravel()
    t = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    middle = at[t].mean(1)
    t = t[~((np.abs(middle[:, 0] - 0.15) < 0.006) & (middle[:, 1] < 0.25))]
    graph = mesh_graph(at, t.astype(np.int32))
    seeds = np.zeros(n * n, bool)
    seeds[grid[0, 0]] = True
    found = distances(graph, seeds, 0.012)
    straight = np.linalg.norm(at, axis=1)
    left = (at[:, 0] < 0.14) & (straight > 0.03)
    assert (found[left] >= straight[left] - 1e-9).all() and (found[left] < 1.2 * straight[left] + 0.002).all()
    over = grid[0, -1]
    way = 2 * np.hypot(0.15, 0.25)
    assert way * 0.98 < found[over] < 1.2 * way
    lonely = np.concatenate([at, [[9.0, 9, 9]]])
    assert np.isinf(distances(mesh_graph(lonely, t.astype(np.int32)), np.append(seeds, False), 0.012)[-1])
