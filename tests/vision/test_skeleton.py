"""Bones lie where the face and the joints have them, mirror each other, and stay within what a photo allows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from addon.vision import canonical
from addon.vision.landmarks import Person
from addon.vision.rigging import Bone, Part
from addon.vision.skeleton import bones_for
from tests.vision import face_meshes

FACE = {
    "root", "base", "spine", "chest", "neck", "head", "shoulder.L", "shoulder.R", "jaw", "eye.L", "eye.R", "eyes",
    "lid.T.L", "lid.T.R", "lid.B.L", "lid.B.R", "brow.T.L", "brow.T.L.001", "brow.T.L.002", "brow.T.R", "brow.T.R.001", "brow.T.R.002",
    "lips.L", "lips.R", "lip.T", "lip.B", "cheek.B.L", "cheek.B.R", "nose",
}  # fmt: skip
SOFT = ("brow.", "lips.", "lip.", "cheek.", "nose")
JOINTS = {
    "neck": (0.0, -0.21, -0.07), "spine": (0.0, -0.66, -0.05),
    "shoulder.L": (0.17, -0.24, -0.08), "elbow.L": (0.25, -0.5, -0.08), "wrist.L": (0.2, -0.7, -0.05), "shoulder.R": (-0.17, -0.24, -0.08),
    "hip.L": (0.1, -0.70, -0.05), "knee.L": (0.11, -1.1, -0.05), "ankle.L": (0.11, -1.5, -0.1),
}  # fmt: skip


def rig(fit=None, joints=None, **more) -> dict[str, Bone]:
    fit = fit or face_meshes.fitted(place=(0.0, 1.2, 0.1))
    return {b.name: b for b in bones_for(face_meshes.person(fit, joints), fit, **more)}


def axes(bone: Bone) -> np.ndarray:
    return face_meshes.bone_matrix(bone)[:3, :3]


def test_a_face_has_all_its_bones_parents_first():
    bones = list(rig().values())
    assert {b.name for b in bones} == FACE
    seen: set[str] = set()
    for bone in bones:
        assert bone.parent is None or bone.parent in seen
        seen.add(bone.name)
        length = np.linalg.norm(np.subtract(bone.tail, bone.head))
        along = np.subtract(bone.tail, bone.head) / length
        assert length > 0.005 and abs(along @ np.array(bone.z_axis)) < 0.9
        assert bone.deform == (not bone.name.startswith(SOFT) and bone.name not in ("root", "eyes"))
        assert all(low <= 0 <= high and low < high for low, high in bone.limits.values())
        assert bool(bone.limits) == (bone.name != "base")


@pytest.mark.parametrize("yaw, pitch, scale", [(0, 0, 1.0), (25, -10, 1.3)])
def test_bones_lie_where_the_face_has_them(yaw, pitch, scale):
    fit = face_meshes.fitted(yaw, pitch, scale, (0.2, 1.5, -0.1))
    bones = rig(fit)

    def at(point):
        return fit.to_layer(np.array([point]))[0]

    joint = np.array(canonical.JAW_JOINT) * [0, 1, 1]
    points = canonical.POINTS
    for name, head in (
        ("jaw", joint), ("head", canonical.NECK_PIVOT), ("eye.L", canonical.EYE_CENTRES[1]), ("eye.R", canonical.EYE_CENTRES[0]),
        ("lips.L", points[54]), ("lips.R", points[48]), ("nose", points[30]), ("brow.T.R.001", points[19]),
    ):  # fmt: skip
        assert np.allclose(bones[name].head, at(head), atol=1e-6), name
    assert np.allclose(bones["jaw"].tail, at(points[8]), atol=1e-6)
    out = fit.rotation[:, 2]
    for side in "LR":
        assert axes(bones[f"eye.{side}"])[:, 1] @ out > 0.9999
    target = np.array(bones["eyes"].head) - at([0, 0, canonical.EYE_CENTRES[0, 2]])
    assert np.allclose(target, out * 0.45 * scale, atol=1e-6)
    # The trunk stands upright although the head is turned.
    assert np.allclose(axes(bones["spine"])[:, 2], [0, -1, 0], atol=0.12)
    assert np.allclose(np.array(bones["neck"].tail), bones["head"].head)


def test_axes_are_as_they_are_documented():
    fit = face_meshes.fitted(20, 5)
    bones = rig(fit)
    x, y, z = fit.rotation.T
    for name in ("head", *(n for n in bones if n.startswith(SOFT)), "eyes"):
        own = axes(bones[name])
        assert own[:, 0] @ x > 0.99 and own[:, 1] @ y > 0.98 and own[:, 2] @ z > 0.98, name
    for name in ("jaw", "eye.L", "lid.T.L", "lid.B.R"):
        own = axes(bones[name])
        assert own[:, 0] @ x < -0.99, name
    lifted = axes(bones["eye.L"]) @ face_meshes.rotation("rx", 0.2)[:3, :3]
    assert lifted[:, 1] @ y > 0.19
    turned = axes(bones["eye.L"]) @ face_meshes.rotation("rz", 0.2)[:3, :3]
    assert turned[:, 1] @ x > 0.19
    opened = axes(bones["jaw"]) @ face_meshes.rotation("rx", bones["jaw"].limits["rx"][0])[:3, :3]
    assert opened[:, 1] @ y < axes(bones["jaw"])[:, 1] @ y - 0.1
    nod = axes(bones["head"]) @ face_meshes.rotation("rx", 0.2)[:3, :3]
    assert nod[:, 2] @ y < -0.19
    turn = axes(bones["head"]) @ face_meshes.rotation("ry", 0.2)[:3, :3]
    assert turn[:, 2] @ x > 0.19


def test_a_frontal_face_has_mirrored_bones():
    bones = rig()
    for name, bone in bones.items():
        twin = bones[name.replace(".L", ".R") if ".L" in name else name.replace(".R", ".L")]
        assert np.allclose(np.array(bone.head) * [-1, 1, 1], twin.head, atol=1e-6), name
        assert np.allclose(np.array(bone.tail) * [-1, 1, 1], twin.tail, atol=1e-6), name
        mirrored = np.diag([-1, 1, 1]) @ axes(bone) @ np.diag([-1, 1, 1])
        assert np.allclose(mirrored, axes(twin), atol=1e-6), name
        assert {k: np.round(v, 6).tolist() for k, v in bone.limits.items()} == {k: np.round(v, 6).tolist() for k, v in twin.limits.items()}


def test_limits_are_what_a_photo_allows():
    bones = rig()

    def degrees(name, axis):
        return np.degrees(bones[name].limits[axis]).round(3).tolist()

    assert degrees("head", "ry") == [-15, 15] and degrees("head", "rx") == [-12, 12] and degrees("head", "rz") == [-12, 12]
    assert degrees("jaw", "rx") == [-20, 1.5]
    assert degrees("eye.L", "rx") == [-20, 20] and degrees("eye.R", "rz") == [-25, 25]
    assert np.allclose(bones["brow.T.L"].limits["ty"], [-0.008, 0.008]) and np.allclose(bones["lips.R"].limits["tx"], [-0.008, 0.008])
    big = rig(face_meshes.fitted(scale=1.5))
    assert np.allclose(big["brow.T.L"].limits["ty"], [-0.012, 0.012])


def test_places_are_asked_of_the_mesh_but_not_believed_blindly():
    fit = face_meshes.fitted(place=(0.0, 1.2, 0.1))
    person = face_meshes.person(fit)
    shares = person.face.points

    def relief(at):
        """The face two centimetres nearer; the nose's tip hidden by a hand, a corner of the mouth beside the mesh."""
        deep = fit.to_layer(canonical.POINTS)[:, 1] - 0.02
        index = [int(np.argmin(np.abs(shares - p).sum(1))) for p in at]
        deep = np.array([0.7 if i == 30 else np.nan if i == 54 else deep[i] for i in index])
        tangents = np.stack(fit.rays.uv_to_ray(at[:, 0], 1 - at[:, 1]), -1)
        return np.stack([tangents[:, 0] * deep, deep, tangents[:, 1] * deep], 1)

    bones = {b.name: b for b in bones_for(person, fit, relief=relief)}
    usual = rig(fit)
    assert bones["lips.R"].head[1] == pytest.approx(usual["lips.R"].head[1] - 0.02, abs=1e-6)
    assert bones["lips.L"].head[1] == pytest.approx(usual["lips.L"].head[1], abs=1e-6)
    assert bones["nose"].head[1] == pytest.approx(usual["nose"].head[1], abs=1e-6)


def test_eyeballs_of_the_mesh_are_where_its_eyes_turn():
    fit = face_meshes.fitted()
    centre = fit.to_layer(canonical.EYE_CENTRES[1:])[0] + [0.001, 0.004, -0.002]
    bones = {b.name: b for b in bones_for(face_meshes.person(fit), fit, eyes={Part.EYE_LEFT: SimpleNamespace(centre=centre, radius=0.013)})}
    for name in ("eye.L", "lid.T.L", "lid.B.L"):
        assert np.allclose(bones[name].head, centre)


def test_limbs_hang_on_the_joints_that_are_known():
    fit = face_meshes.fitted(place=(0.0, 2.6, 0.3))
    bones = rig(fit, JOINTS, body=True)
    assert set(bones) == FACE | {"upper_arm.L", "forearm.L", "hand.L", "thigh.L", "shin.L", "foot.L"}
    person = face_meshes.person(fit, JOINTS)
    for name, joint in (
        ("upper_arm.L", "shoulder.L"),
        ("forearm.L", "elbow.L"),
        ("hand.L", "wrist.L"),
        ("shin.L", "knee.L"),
        ("spine", "spine"),
    ):
        seen = face_meshes.shares(np.array([bones[name].head]))[0]
        assert np.allclose(seen, person.joints[joint], atol=1e-6), name
    assert bones["forearm.L"].parent == "upper_arm.L" and bones["upper_arm.L"].parent == "shoulder.L" and bones["thigh.L"].parent == "spine"
    assert np.allclose(bones["forearm.L"].head, bones["upper_arm.L"].tail) and bones["forearm.L"].connected
    without = rig(fit, {k: v for k, v in JOINTS.items() if k != "shoulder.L"}, body=True)
    assert without["forearm.L"].parent == "chest" and "upper_arm.L" not in without
    assert set(rig(fit, JOINTS)) == FACE


def test_somebody_without_a_face_needs_head_and_neck():
    def relief(at):
        return np.stack([(at[:, 0] - 0.5) * 2, np.full(len(at), 2.0), (0.5 - at[:, 1]) * 2], 1)

    animal = Person("Person 1", None, {"head": (0.5, 0.3), "neck": (0.5, 0.45), "spine": (0.52, 0.8)})
    bones = {b.name: b for b in bones_for(animal, None, body=True, relief=relief)}
    assert set(bones) == {"root", "base", "spine", "chest", "neck", "head", "shoulder.L", "shoulder.R"}
    assert bones["head"].tail[2] > bones["head"].head[2] > bones["neck"].head[2] > bones["spine"].head[2]
    with pytest.raises(ValueError, match="head and neck"):
        bones_for(Person("Person 1"), None, relief=relief)
