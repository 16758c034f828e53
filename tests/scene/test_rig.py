"""A rigged subject as Blender data: what is made, how it looks, and what stays when it is rebuilt."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Vector

from addon.rig_map import SOFT, TERMS
from addon.scene import compat, rig
from addon.scene.relief import RAY
from addon.scene.rig_bones import AIM, FOLLOW, LOCATION, LOOK, ROTATION
from addon.scene.rig_keys import face_size, read_keys
from addon.scene.rig_mesh import read_weights
from addon.vision.rigging import ARKIT, Bone, Part
from tests.scene import rig_subject as heads

pytestmark = pytest.mark.versions
SIZE = (160, 120)


@pytest.fixture
def head(tmp_path):
    """(scene as built, what the rig is made of, the rig)."""
    built = heads.build_head(tmp_path, SIZE)
    subject = heads.subject_of(built, built.layers[0], SIZE)
    return built, subject, rigged(built, subject)


def rigged(built, subject, person="Person 1", layer=0):
    sheet = built.layers[layer]
    return rig.make_rig(subject.mesh, subject.bones, person, sheet, built.root, pictures=subject.pictures, behind=built.layers[layer + 1 :])


def shoot(tmp_path, samples=1):
    scene = bpy.context.scene
    scene.cycles.samples = samples
    scene.render.filepath = str(tmp_path / "shot.png")
    bpy.ops.render.render(write_still=True)
    return cv2.imread(str(tmp_path / "shot.png"))


def psnr(a, b):
    return 10 * math.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b) ** 2)))


def moved(o):
    """Positions as deformed, float32 N×3."""
    mesh = o.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def values(o):
    """The keys' values as driven."""
    blocks = o.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
    return {block.name: block.value for block in blocks}


def turn(armature, bone, *angles):
    armature.pose.bones[bone].rotation_euler = [math.radians(a) for a in angles]
    armature.update_tag()


@pytest.mark.parametrize("samples", [1, 16])
def test_the_neutral_pose_is_the_photo(head, tmp_path, samples):
    assert psnr(cv2.imread(str(tmp_path / "photo.png")), shoot(tmp_path, samples)) >= 60


def test_what_is_made(head):
    built, subject, made = head
    assert made.armature.name == "photo Person 1 Rig" and made.mesh.name == "photo 1 Front Rig"
    assert made.armature.parent == made.mesh.parent == built.root
    assert built.layers[0].hide_viewport and built.layers[0].hide_render and not built.layers[1].hide_render
    assert [m.type for m in made.mesh.modifiers] == ["ARMATURE"] and not made.mesh.modifiers[0].use_deform_preserve_volume
    assert [layer.name for layer in made.mesh.data.uv_layers] == ["UVMap", "Photo"]
    assert all(name in made.armature for name in ARKIT)
    assert {k.name for k in made.mesh.data.shape_keys.key_blocks} == {"Basis", *ARKIT} and made.mesh.data.shape_keys.use_relative
    assert [c.name for c in made.armature.data.collections] == ["Face", "Eyes", "Mouth", "Body", "Mechanism"]
    assert {b.name for b in subject.bones} <= {b.name for b in made.armature.data.bones}
    for bone in subject.bones:
        at = made.armature.data.bones[bone.name]
        assert (at.head_local - Vector(bone.head)).length < 1e-5 and (at.tail_local - Vector(bone.tail)).length < 1e-5
        along = (Vector(bone.tail) - Vector(bone.head)).normalized()
        wanted = Vector(bone.z_axis) - along * along.dot(Vector(bone.z_axis))
        assert at.matrix_local.col[2].to_3d().angle(wanted) < 1e-3
        assert made.armature.pose.bones[bone.name].custom_shape is not None or bone.name == "base"
    assert made.armature.data.use_mirror_x
    hidden = [c for c in built.collection.children if c.hide_viewport]
    assert len(hidden) == 1 and not any(o.visible_get() for o in hidden[0].objects)
    points = np.empty(len(made.mesh.data.vertices) * 3, np.float32)
    made.mesh.data.attributes[RAY].data.foreach_get("vector", points)
    assert np.array_equal(points.reshape(-1, 3), subject.mesh.ray)
    assert rig.rigs_of(built.root) == (made,)


def test_weights_sum_to_one(head):
    _, subject, made = head
    weights = read_weights(made.mesh)
    assert set(weights) <= {b.name for b in made.armature.data.bones if b.use_deform}
    assert np.abs(sum(weights.values()) - 1).max() < 1e-4
    counts = [len(v.groups) for v in made.mesh.data.vertices]
    assert min(counts) == 1 and all(g.weight > 0 for v in made.mesh.data.vertices for g in v.groups)
    for name, w in weights.items():
        assert np.abs(w - subject.mesh.weights[name]).max() < 1e-3


def test_at_rest_no_vertex_moves(head):
    _, subject, made = head
    assert np.abs(moved(made.mesh) - subject.mesh.position).max() < 2e-6


def test_sliders_and_bones_add_up_within_bounds(head):
    _, _, made = head
    armature = made.armature
    assert all(v == pytest.approx(0, abs=1e-4) for n, v in values(made.mesh).items() if n != "Basis")
    armature["mouthSmileLeft"] = 0.25
    armature.pose.bones["lips.L"].location.y = 0.004 * face_size(armature)
    armature.update_tag()
    found = values(made.mesh)
    assert found["mouthSmileLeft"] == pytest.approx(0.75, abs=1e-3)
    assert found["mouthSmileRight"] == pytest.approx(0, abs=1e-4)
    armature.pose.bones["lips.L"].location.y = 0.5  # the limit lets it go 0.012
    armature["jawOpen"] = 7.0
    armature["cheekPuff"] = -1.0
    armature.update_tag()
    found = values(made.mesh)
    assert found["mouthSmileLeft"] == 1 and found["jawOpen"] == 1 and found["cheekPuff"] == 0


def test_every_soft_bone_raises_its_keys(head):
    _, _, made = head
    for term in TERMS:
        pose = made.armature.pose.bones[term.bone]
        pose.location["xyz".index(term.channel)] = term.sign * 0.25 * term.metres * face_size(made.armature)
        made.armature.update_tag()
        assert values(made.mesh)[term.key] == pytest.approx(0.25, abs=2e-3), term
        pose.location = (0, 0, 0)
    assert not any(name in read_weights(made.mesh) for name in SOFT)


def test_soft_bones_that_lie_otherwise_are_driven_along_the_face(tmp_path):
    built = heads.build_head(tmp_path, SIZE)
    subject = heads.subject_of(built, built.layers[0], SIZE)
    bones = [
        replace(b, tail=(b.head[0] + 0.01, b.head[1], b.head[2]), z_axis=(0, 0, 1)) if b.name == "lips.L" else b for b in subject.bones
    ]
    made = rig.make_rig(subject.mesh, bones, "Person 1", built.layers[0], built.root)
    made.armature.pose.bones["lips.L"].location = (0, 0, 0.004 * face_size(made.armature))  # its z is up
    made.armature.update_tag()
    assert values(made.mesh)["mouthSmileLeft"] == pytest.approx(0.5, abs=1e-3)
    assert values(made.mesh)["mouthStretchLeft"] == pytest.approx(0, abs=1e-4)


def test_drivers_are_simple(head):
    _, _, made = head
    drivers = [c.driver for c in made.mesh.data.shape_keys.animation_data.drivers]
    assert len(drivers) == len(ARKIT)
    assert all(d.is_simple_expression and d.is_valid and len(d.expression) < 256 for d in drivers)


def test_bones_stay_within_their_limits(head):
    _, subject, made = head
    turn(made.armature, "head", 0, 80, 0)
    bpy.context.view_layer.update()
    bone = made.armature.pose.bones["head"]
    turned = bone.matrix.to_quaternion().rotation_difference(bone.bone.matrix_local.to_quaternion()).angle
    assert math.degrees(turned) == pytest.approx(20, abs=0.1)
    assert list(bone.lock_location) == [True] * 3 and list(bone.lock_rotation) == [False] * 3
    jaw = made.armature.pose.bones["jaw"]
    assert list(jaw.lock_rotation) == [False, True, True]
    assert all(made.armature.pose.bones["base"].lock_location) and all(made.armature.pose.bones["base"].lock_rotation)
    root = made.armature.pose.bones["root"]
    assert not any(root.lock_location) and LOCATION not in root.constraints  # without an end
    assert ROTATION in root.constraints


def test_the_eyes_look_at_their_target(head):
    _, subject, made = head
    armature = made.armature

    def gaze():
        bpy.context.view_layer.update()
        return [armature.pose.bones[f"eye.{s}"].matrix.to_3x3() @ Vector((0, 1, 0)) for s in "LR"]

    rest = gaze()
    armature.pose.bones["eyes"].location.x = 0.1
    armature.update_tag()
    there = gaze()
    target = [armature.pose.bones[f"eye_target.{s}"].head - armature.pose.bones[f"eye.{s}"].head for s in "LR"]
    for before, now, to in zip(rest, there, target):
        assert 8 < math.degrees(before.angle(now)) < 20
        assert now.angle(to) < 1e-3
    armature[FOLLOW] = 0.0
    armature.update_tag()
    assert all(a.angle(b, 0.0) < 1e-3 for a, b in zip(rest, gaze()))
    armature[FOLLOW] = 1.0
    turn(armature, "eye.L", 10, 0, 0)  # on top of looking
    assert math.degrees(there[0].angle(gaze()[0])) == pytest.approx(10, abs=0.5)


def test_gaze_and_turn_of_an_eye_stay_within_its_limits_together(head):
    _, _, made = head
    bones = made.armature.pose.bones

    def angles():
        bpy.context.view_layer.update()
        return [math.degrees(v) for v in (bones["eye_rest.L"].matrix.inverted() @ bones["eye.L"].matrix).to_euler("XYZ")]

    most = {c: math.degrees(getattr(bones["eye.L"].constraints[ROTATION], f"max_{c}")) for c in "xz"}
    bones["eyes"].location = (-0.1, 0.0, 0.0)  # aside, by less than the limit
    aside = angles()
    assert 5 < aside[2] < most["z"] - 2
    bones["eye.L"].rotation_euler = (0.0, 0.0, math.radians(most["z"] - aside[2]) / 2)
    both = angles()
    assert aside[2] + 1 < both[2] < most["z"]  # one comes on top of the other ...
    bones["eye.L"].rotation_euler = (math.radians(90), 0.0, math.radians(90))
    far = angles()
    assert far[2] == pytest.approx(most["z"], abs=0.1) and far[0] == pytest.approx(most["x"], abs=0.1)  # ... and no farther
    bones["head"].rotation_euler = (0.1, 0.2, 0.1)
    assert angles() == pytest.approx(far, abs=0.5)
    for name in ("eyes", "eye.L", "head"):
        bones[name].location, bones[name].rotation_euler = (0, 0, 0), (0, 0, 0)


def test_lids_turn_about_the_eyeball(head):
    _, subject, made = head
    rest = moved(made.mesh)
    weight = subject.mesh.weights["lid.T.L"]
    turn(made.armature, "lid.T.L", -20, 0, 0)
    by = np.linalg.norm(moved(made.mesh) - rest, axis=1)
    centre = np.array(next(b.head for b in subject.bones if b.name == "lid.T.L"))
    most = weight.argmax()
    radius = np.linalg.norm((rest[most] - centre)[1:])
    assert by[most] == pytest.approx(weight[most] * 2 * math.sin(math.radians(10)) * radius, rel=0.05)
    assert by[weight < 1e-4].max() < 1e-5


def test_the_mouth_opens_and_is_dark_inside(head, tmp_path):
    _, _, made = head
    rest = shoot(tmp_path)
    made.armature["jawOpen"] = 1.0
    made.armature.update_tag()
    opened = shoot(tmp_path)
    rays = heads.ray_map(heads.PhotoCamera(heads.FOV), SIZE)
    column = round(rays.u0 * SIZE[0])
    row = round((1 - (heads.MOUTH[1] - 0.008) / heads.AWAY / rays.height - rays.v0) * SIZE[1])
    assert rest[row, column].mean() > 100 and opened[row, column].mean() < 60


def test_what_moves_leaves_the_layer_behind_filled(head, tmp_path):
    """Where the head was, the wall behind is seen, not the photo of the head."""
    built, _, made = head
    photo = shoot(tmp_path)
    made.armature.pose.bones["root"].location = (0.03, 0, 0)
    made.armature.update_tag()
    shot = shoot(tmp_path)
    made.mesh.hide_render = True
    alone = shoot(tmp_path)
    made.mesh.hide_render = False
    gone = (slice(75, 90), slice(97, 104))  # the head's right rim has left it
    assert (heads.face_at(SIZE)[gone] < 1).all()
    assert psnr(shot[gone], alone[gone]) > 50 and psnr(shot[gone], photo[gone]) < 15
    made.armature.pose.bones["root"].location = (0, 0, 0)
    made.armature.update_tag()
    assert psnr(photo, shoot(tmp_path)) > 90


def test_a_closed_lid_is_not_faded_out(head, tmp_path):
    _, _, made = head
    made.armature["eyeBlinkLeft"] = 1.0
    made.armature.update_tag()
    shot = shoot(tmp_path)
    rays = heads.ray_map(heads.PhotoCamera(heads.FOV), SIZE)
    scale = 1 / heads.AWAY
    column = round((heads.EYES[0] * scale / rays.width + rays.u0) * SIZE[0])
    row = round((1 - heads.EYES[1] * scale / rays.height - rays.v0) * SIZE[1])
    at = shot[row - 1, column].astype(float)
    assert at[2] > 170 and at[2] - at[0] > 40  # skin, neither iris nor white


def test_removing_it_brings_the_layer_back(tmp_path):
    built = heads.build_head(tmp_path, SIZE)
    before = shoot(tmp_path)
    objects = {o.name for o in bpy.data.objects}
    nodes = {m.name: len(m.node_tree.nodes) for m in bpy.data.materials}
    images = {i.name for i in bpy.data.images}
    made = rigged(built, heads.subject_of(built, built.layers[0], SIZE))
    rig.remove_rig(made.armature)
    assert {o.name for o in bpy.data.objects} == objects and not bpy.data.armatures
    assert {m.name: len(m.node_tree.nodes) for m in bpy.data.materials} == nodes
    assert {i.name for i in bpy.data.images} - images <= {"Render Result"}
    assert not built.layers[0].hide_viewport and not built.layers[0].hide_render and rig.rigs_of(built.root) == ()
    assert np.array_equal(before, shoot(tmp_path))


def test_whatever_is_active_stays_so(tmp_path):
    built = heads.build_head(tmp_path, SIZE)
    subject = heads.subject_of(built, built.layers[0], SIZE)
    other = bpy.data.objects.new("Other", bpy.data.armatures.new("Other"))
    bpy.context.scene.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    other.select_set(True)
    built.camera.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    rigged(built, subject)
    assert bpy.context.view_layer.objects.active == other and other.mode == "EDIT"
    assert {o.name for o in bpy.context.view_layer.objects if o.select_get()} == {"Other", built.camera.name}
    bpy.ops.object.mode_set(mode="OBJECT")


def test_it_is_made_in_a_hidden_collection_and_beside_nothing_active(tmp_path):
    built = heads.build_head(tmp_path, SIZE)
    subject = heads.subject_of(built, built.layers[0], SIZE)
    bpy.context.view_layer.objects.active = None
    bpy.context.view_layer.layer_collection.children[built.collection.name].exclude = True
    made = rigged(built, subject)
    assert len(made.armature.data.bones) > 20 and bpy.context.view_layer.objects.active is None
    assert list(made.armature.users_collection) == [built.collection]


def test_bones_that_cannot_be_leave_nothing_behind(tmp_path):
    built = heads.build_head(tmp_path, SIZE)
    subject = heads.subject_of(built, built.layers[0], SIZE)
    objects = {o.name for o in bpy.data.objects}
    bad = [*subject.bones, Bone("extra", (0, 1, 0), (0, 1, 0), parent="head")]
    with pytest.raises(ValueError, match="extra has no length"):
        rig.make_rig(subject.mesh, bad, "Person 1", built.layers[0], built.root)
    assert {o.name for o in bpy.data.objects} == objects and not built.layers[0].hide_render


def test_a_saved_file_animates_without_the_addon_and_without_scripts(head, tmp_path):
    """In another Blender, with autoexec off: drivers, keys, bones and limits go on working, and the neutral pose is the photo."""
    _, _, made = head
    armature = made.armature
    for frame, value in ((1, 0.0), (11, 1.0)):
        armature["jawOpen"] = value
        armature.keyframe_insert('["jawOpen"]', frame=frame)
        armature.pose.bones["lips.L"].location.y = 0.01 * value
        armature.pose.bones["lips.L"].keyframe_insert("location", frame=frame)
        armature.pose.bones["head"].rotation_euler[1] = 0.2 * value
        armature.pose.bones["head"].keyframe_insert("rotation_euler", frame=frame)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "rig.blend"), compress=False)
    script = tmp_path / "look.py"
    script.write_text(
        "import bpy, json, sys\n"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[1], use_scripts=False)\n"
        "assert not bpy.app.autoexec_fail and 'addon' not in sys.modules\n"
        "s, found = bpy.context.scene, {}\n"
        "o = next(o for o in s.objects if o.get('stillscape_role') == 'rig mesh')\n"
        "for frame in (1, 11):\n"
        "    s.frame_set(frame)\n"
        "    e = o.evaluated_get(bpy.context.evaluated_depsgraph_get())\n"
        "    k = e.data.shape_keys.key_blocks\n"
        "    at = [v.co.copy() for v in e.to_mesh().vertices]\n"
        "    found[frame] = [k['jawOpen'].value, k['mouthSmileLeft'].value, max(c.z for c in at), max(c.x for c in at)]\n"
        "s.frame_set(1)\n"
        "s.render.filepath = sys.argv[2]\n"
        "bpy.ops.render.render(write_still=True)\n"
        "print('FOUND ' + json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "rig.blend"), str(tmp_path / "alone.png")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))[6:])
    assert found["1"][:2] == pytest.approx([0, 0], abs=1e-4) and found["11"][:2] == pytest.approx([1, 1], abs=1e-3)
    assert found["1"][2:] != found["11"][2:]
    assert psnr(cv2.imread(str(tmp_path / "photo.png")), cv2.imread(str(tmp_path / "alone.png"))) >= 60


def test_two_people_each_have_a_rig(head):
    built, subject, first = head
    second = rigged(built, subject, "Person 2", layer=1)
    assert [r.person for r in rig.rigs_of(built.root)] == ["Person 1", "Person 2"]
    assert second.armature != first.armature and second.armature.data != first.armature.data
    turn(second.armature, "head", 0, 10, 0)
    assert np.abs(moved(first.mesh) - subject.mesh.position).max() < 2e-6
    assert np.abs(moved(second.mesh) - subject.mesh.position).max() > 0.005
    rig.remove_rig(second.armature)
    assert rig.rigs_of(built.root) == (first,) and built.layers[0].hide_render and not built.layers[1].hide_render


def rebuilt(built, subject, made, folder):
    """The rig after the head was found 2 mm nearer and 3 mm to the side, with another density."""
    away = 1.002
    position = subject.mesh.position * away
    ray = subject.mesh.ray * away
    keys = {name: d * away for name, d in subject.mesh.keys.items()}
    order = np.random.default_rng(0).permutation(len(position))
    place = np.argsort(order)
    mesh = replace(
        subject.mesh,
        position=position[order],
        ray=ray[order],
        triangles=place[subject.mesh.triangles].astype(np.int32),
        canonical=subject.mesh.canonical[order],
        side=subject.mesh.side[order],
        weights={n: w[order] for n, w in subject.mesh.weights.items()},
        keys={n: d[order] for n, d in keys.items()},
        seams=place[subject.mesh.seams].astype(np.int32),
    )
    bones = tuple(
        replace(b, head=tuple(c * away + d for c, d in zip(b.head, (0.003, 0, 0))), tail=tuple(c * away + d for c, d in zip(b.tail, (0.003, 0, 0))))
        for b in subject.bones
    )  # fmt: skip
    return rig.rebuild_rig(made, mesh, bones, pictures=subject.pictures, behind=built.layers[1:]), mesh, bones, order


def test_rebuilding_keeps_what_the_artist_made(head, tmp_path):
    built, subject, made = head
    armature, o = made.armature, made.mesh
    armature.pose.bones["head"].rotation_euler = (0, 0.1, 0)
    armature.pose.bones["head"].keyframe_insert("rotation_euler", frame=1)
    armature["jawOpen"] = 0.5
    armature.keyframe_insert('["jawOpen"]', frame=1)
    action = armature.animation_data.action
    curves = len(compat.fcurves(armature))
    # The artist's: a bone, a constraint's number, a constraint, a painted group, a group, a key with a driver, a corrected key.
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    own = armature.data.edit_bones.new("ear")
    own.head, own.tail = (0.07, heads.AWAY, 0.0), (0.09, heads.AWAY, 0.0)
    own.parent = armature.data.edit_bones["head"]
    armature.data.edit_bones["jaw"].tail.z -= 0.01
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["head"].constraints[ROTATION].max_y = 1.0
    armature.pose.bones["neck"].constraints.new("COPY_ROTATION").name = "mine"
    cheek = np.flatnonzero(subject.mesh.canonical[:, 0] > 0.04)
    painted = o.vertex_groups["jaw"]
    painted.add(cheek.tolist(), 0.5, "REPLACE")
    o.vertex_groups.new(name="Freckles").add(cheek.tolist(), 0.75, "REPLACE")
    wink = o.shape_key_add(name="Wink", from_mix=False)
    wink.slider_max = 3.0
    for i in cheek[:50].tolist():
        wink.data[i].co.z += 0.02
    fixed = o.data.shape_keys.key_blocks["cheekPuff"]
    fixed.data[int(cheek[0])].co.y -= 0.03
    driver = o.data.shape_keys.driver_add('key_blocks["Wink"].value').driver
    driver.type, driver.expression = "SCRIPTED", "0.25"
    made_tail = Vector(next(b.tail for b in subject.bones if b.name == "jaw"))

    result, mesh, bones, order = rebuilt(built, subject, made, tmp_path)
    assert result.rigged == made and {"jaw", "Freckles", "Wink", "cheekPuff"} <= set(result.kept)
    assert armature.animation_data.action == action and len(compat.fcurves(armature)) == curves
    assert armature.pose.bones["head"].rotation_euler[1] == pytest.approx(0.1) and armature["jawOpen"] == 0.5
    at = armature.data.bones
    assert (at["head"].head_local - Vector(next(b.head for b in bones if b.name == "head"))).length < 1e-5
    assert at["ear"].head_local.x == pytest.approx(0.073, abs=1e-4) and at["ear"].parent.name == "head"
    shift = at["jaw"].tail_local - Vector(next(b.tail for b in bones if b.name == "jaw"))
    assert (shift - Vector((0, 0, -0.01))).length < 1e-5 and made_tail
    assert armature.pose.bones["head"].constraints[ROTATION].max_y == 1.0 and "mine" in armature.pose.bones["neck"].constraints
    weights, keys = read_weights(o), read_keys(o)
    place = np.argsort(order)
    inner = cheek[subject.mesh.canonical[cheek, 0] > 0.045]
    assert np.abs(weights["Freckles"][place[inner]] - 0.75).max() < 1e-3
    was = subject.mesh.weights["jaw"][inner]
    assert np.abs(was - 0.5).max() > 0.3 and np.abs(weights["jaw"][place[inner]] - 0.5).max() < 1e-3
    bones_only = sum(w for n, w in weights.items() if n != "Freckles")
    assert np.abs(bones_only - 1).max() < 1e-3
    assert np.abs(keys["Wink"][place[cheek[:20]], 2] - 0.02).max() < 2e-3
    assert keys["cheekPuff"][place[cheek[0]], 1] < -0.02
    assert np.abs(keys["jawOpen"] - mesh.keys["jawOpen"]).max() < 1e-6
    blocks = o.data.shape_keys
    assert blocks.key_blocks["Wink"].slider_max == 3 and values(o)["Wink"] == pytest.approx(0.25)
    assert len(blocks.animation_data.drivers) == len(ARKIT) + 1
    # And once more: what was changed by hand still counts as such.
    again, *_ = rebuilt(built, subject, made, tmp_path)
    assert {"jaw", "Freckles", "Wink", "cheekPuff"} == set(again.kept)
    assert len(bpy.data.meshes) == len({o.data for o in bpy.data.objects if o.type == "MESH"})


def test_rebuilding_is_exact_at_rest(head, tmp_path):
    built, subject, made = head
    result, *_ = rebuilt(built, subject, made, tmp_path)
    assert result.kept == ()
    assert psnr(cv2.imread(str(tmp_path / "photo.png")), shoot(tmp_path)) >= 60


def test_a_painted_eye_stays(head, tmp_path):
    built, subject, made = head
    image = made.mesh.data.materials[1].node_tree.nodes["Fill"].image
    pixels = np.ones(len(image.pixels), np.float32)
    image.pixels.foreach_set(pixels)
    image.update()
    image.pack()
    result, *_ = rebuilt(built, subject, made, tmp_path)
    assert result.kept == (image.name,) and made.mesh.data.materials[1].node_tree.nodes["Fill"].image == image
    left = made.mesh.data.materials[2].node_tree.nodes["Fill"].image
    assert left.name == "photo 1 Front Rig Left Eye" and len([i for i in bpy.data.images if "Left Eye" in i.name]) == 2


def test_parts_have_their_materials(head):
    _, subject, made = head
    mesh = made.mesh.data
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    for part, slot in ((Part.SKIN, 0), (Part.EYE_RIGHT, 1), (Part.EYE_LEFT, 2), (Part.POCKET, 3), (Part.TONGUE, 3)):
        assert set(slots[subject.mesh.part == part]) == {slot}
    assert all(m.node_tree.nodes["Photo Lookup"].inputs["Rigged"].default_value == 1 for m in mesh.materials)


def test_aims_are_straight_before_the_eyes(head):
    _, _, made = head
    for side in "LR":
        pose = made.armature.pose.bones[f"{AIM}.{side}"]
        assert LOOK in pose.constraints and pose.constraints[0].name == LOOK
        assert (pose.matrix.inverted() @ pose.bone.matrix_local).to_quaternion().angle < 1e-3
