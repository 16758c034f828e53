"""People for the training scenes. Those made from the human base mesh need its folder: STILLSCAPE_HUMAN names it."""

import os
from pathlib import Path

import numpy as np
import pytest

from training.scenes import people, people_body, people_mesh, people_pose, people_wear

GRID = people_mesh.lattice(5, 5, closed=False)


def grid() -> np.ndarray:
    """A 4 × 4 sheet of points in x and y, seen from +z."""
    y, x = np.mgrid[0:5, 0:5].astype(float)
    return np.stack([x.ravel(), y.ravel(), np.zeros(25)], 1)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Six times what a closed mesh encloses; positive where its faces look outwards."""
    a, b, c, d = (vertices[faces[:, i]] for i in range(4))
    return float((np.cross(a, b) * c).sum() + (np.cross(a, c) * d).sum())


def area(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c, d = (vertices[faces[:, i]] for i in range(4))
    return float((np.linalg.norm(np.cross(b - a, c - a), axis=1) + np.linalg.norm(np.cross(c - a, d - a), axis=1)).sum() / 2)


# Meshes


def test_normals_of_a_sheet_look_to_its_front():
    assert np.allclose(people_mesh.normals(grid(), GRID), [0, 0, 1])


def test_a_sheet_has_its_rim_as_boundary():
    rim = np.unique(people_mesh.boundary(GRID))
    inner = {6, 7, 8, 11, 12, 13, 16, 17, 18}
    assert set(range(25)) - set(rim.tolist()) == inner


def test_a_closed_ball_has_no_boundary_but_its_poles_and_faces_outwards():
    vertices, faces = people_mesh.ball(np.zeros(3), 1.0, 12, 24)
    assert volume(vertices, faces) / 6 == pytest.approx(4 / 3 * np.pi, rel=0.04)


@pytest.mark.parametrize("closed", [False, True])
def test_tubes_face_outwards(closed):
    a = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    path = np.stack([np.cos(a), 0 * a, np.sin(a)], 1) if closed else np.stack([0 * a, 0 * a, a], 1)
    vertices, faces = people_mesh.tube(path, 0.1, 8, closed=closed)
    middle = path[faces[:, 0] // 8]
    out = vertices[faces].mean(1) - middle
    p = vertices[faces]
    assert ((np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]) * out).sum(1) > 0).mean() > 0.95


def test_subdivision_keeps_a_flat_sheet_flat_and_whole():
    fine = people_mesh.Subdivision(GRID, 25)
    vertices = fine(grid())
    assert len(fine.faces) == 4 * len(GRID)
    assert area(vertices, fine.faces) == pytest.approx(16)
    assert np.allclose(people_mesh.normals(vertices, fine.faces), [0, 0, 1])


def test_subdivision_rounds_a_corner_off():
    bent = grid()
    bent[:, 2] = np.abs(bent[:, 0] - 2)
    fine = people_mesh.Subdivision(GRID, 25)
    valley = np.isclose(fine(bent)[:, 0], 2) & (fine(bent)[:, 1] > 0.9) & (fine(bent)[:, 1] < 3.1)
    assert fine(bent)[valley, 2].min() > 0.1
    assert fine.linear(bent)[:, 2].min() == 0


@pytest.mark.parametrize("line", [0.3, 1.5, 2.75])
def test_a_cut_leaves_exactly_what_lies_on_one_side(line):
    vertices = grid()
    piece = people_mesh.cut(GRID, vertices[:, 0] + 0.5 * vertices[:, 1] - line)
    points = piece(vertices)
    whole = np.linspace(0.002, 3.998, 1000)
    x, y = np.meshgrid(whole, whole)
    assert area(points, piece.faces) == pytest.approx(16 * (x + 0.5 * y >= line).mean(), abs=0.03)
    used = points[np.unique(piece.faces)]
    assert (used[:, 0] + 0.5 * used[:, 1]).min() >= line - 1e-9
    p = points[piece.faces]
    assert (np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])[:, 2] >= -1e-12).all()


def test_cuts_carry_other_values_along():
    vertices = grid()
    piece = people_mesh.cut(GRID, 2.5 - vertices[:, 0])
    assert np.allclose(piece(vertices[:, 0] * 10.0), piece(vertices)[:, 0] * 10)


def test_a_hem_hangs_on_the_rim_and_looks_outwards():
    vertices = grid()
    extra, strip, rim = people_mesh.hem(vertices, GRID, np.tile([0.0, 0, 1], (25, 1)), 0.2)
    assert len(rim) == 16
    assert np.allclose(extra, vertices[rim] - [0, 0, 0.2])
    whole = np.concatenate([vertices, extra])
    p = whole[strip]
    out = p.mean(1) - [2, 2, 0]
    assert ((np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]) * out).sum(1) > 0).all()


def test_points_behind_a_surface_come_out_in_front_of_it():
    surface, up = grid(), np.tile([0.0, 0, 1], (25, 1))
    points = np.array([[1.0, 1, -0.03], [2, 2, 0.001], [3, 3, 0.5], [1, 2, -0.5]])
    out = people_mesh.pushed_out(points, surface, up, 0.01)
    assert np.allclose(out[:, 2], [0.01, 0.01, 0.5, -0.5])


def test_smoothing_keeps_a_constant_and_calms_noise():
    near = people_mesh.neighbours(GRID, 25)
    noise = np.random.default_rng(0).normal(size=25)
    assert np.allclose(people_mesh.smooth(np.ones(25), near, 9), 1)
    assert people_mesh.smooth(noise, near, 9).std() < 0.5 * noise.std()


# Poses


def test_two_bones_reach_what_they_can_and_keep_their_lengths():
    start = np.zeros(3)
    for end in ([0.3, -0.2, 0.1], [0.0, 0.0, -0.55], [2.0, 0, 0]):
        joint, reached, hinge = people_pose.two_bones(start, np.array(end), 0.3, 0.28, np.array([0.0, 1, 0.3]))
        assert np.linalg.norm(joint) == pytest.approx(0.3)
        assert np.linalg.norm(reached - joint) == pytest.approx(0.28)
        assert abs(hinge @ reached) < 1e-9
        if np.linalg.norm(end) < 0.57:
            assert np.allclose(reached, end)


def test_swing_and_twist_make_the_rotation_again():
    rng = np.random.default_rng(1)
    for _ in range(20):
        r = people_pose.turn(rng.normal(size=3), rng.uniform(-3, 3))
        axis = people_mesh.unit(rng.normal(size=3))
        swing, twist = people_pose.swing_twist(r, axis)
        assert np.allclose(swing @ people_pose.turn(axis, twist), r)
        again, left = people_pose.swing_twist(swing, axis)
        assert left == pytest.approx(0, abs=1e-6)


def test_skinning_turns_what_hangs_on_a_bone_about_its_head():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32)
    weights = np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32)
    rest = np.array([[0.0, 0, 0], [1, 0, 0]])
    turned = np.stack([np.eye(3), people_pose.turn((0, 0, 1), np.pi / 2)])
    posed = people_pose.skin(vertices, weights, rest, turned, rest)
    assert np.allclose(posed, [[0, 0, 0], [1, 0, 0], [1, 1, 0]], atol=1e-6)


# Bodies


def test_macro_targets_of_each_family_sum_to_one():
    rng = np.random.default_rng(3)
    for _ in range(50):
        targets = people_body.macro_targets(people_body.draw_traits(rng))
        universal = sum(w for n, w in targets.items() if "universal" in n)
        races = sum(w for n, w in targets.items() if "universal" not in n)
        # What is below one per cent is left out.
        assert 0.9 < universal <= 1.0001
        assert 0.9 < races <= 1.0001


def test_heights_are_those_of_people():
    rng = np.random.default_rng(4)
    everyone = [people_body.draw_traits(rng) for _ in range(2000)]
    heights = np.array([t.height for t in everyone])
    grown = np.array([t.age >= 18 for t in everyone])
    men = np.array([t.female < 0.5 for t in everyone])
    assert heights.min() >= 1.0 and heights.max() <= 1.95
    assert 1.70 < heights[grown & men].mean() < 1.80
    assert 1.57 < heights[grown & ~men].mean() < 1.67
    assert 0.1 < (~grown).mean() < 0.3


def test_a_folder_without_the_mesh_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="base.obj"):
        people.person(np.random.default_rng(0), tmp_path)


def test_an_unknown_pose_is_told(tmp_path):
    with pytest.raises(ValueError, match="cartwheel"):
        people.person(np.random.default_rng(0), tmp_path, pose="cartwheel")


# People, from the human base mesh


@pytest.fixture(scope="module")
def folder() -> Path:
    name = os.environ.get("STILLSCAPE_HUMAN", "")
    if not name or not (Path(name) / "base.obj").is_file():
        pytest.skip("STILLSCAPE_HUMAN does not name the folder of the human base mesh")
    return Path(name)


@pytest.fixture(scope="module")
def crowd(folder) -> list[people.Person]:
    return [people.person(np.random.default_rng(k), folder, pose=pose) for k, pose in enumerate(people.POSES)]


def test_the_same_seed_makes_the_same_person(folder):
    a, b = (people.person(np.random.default_rng(5), folder) for _ in range(2))
    assert np.array_equal(a.vertices, b.vertices) and a.parts == b.parts and a.pose == b.pose


def test_people_are_sound_meshes(crowd):
    for p in crowd:
        assert np.isfinite(p.vertices).all()
        assert p.vertices.dtype == np.float32 and p.part.dtype == np.uint8
        assert p.faces.min() == 0 and p.faces.max() < len(p.vertices)
        assert len(p.part) == len(p.faces) == len(p.uv)
        assert p.part.max() == len(p.parts) - 1
        assert np.isfinite(p.uv).all()
        assert 8000 < len(p.faces) < 25500
        names = {q.name for q in p.parts}
        assert names >= {"skin", "eyes"} and names & {"top", "dress"}
        edges = np.linalg.norm(p.vertices[p.faces[:, 0]] - p.vertices[p.faces[:, 1]], axis=1)
        assert edges.max() < 0.25, p.pose


def test_standing_people_stand_on_the_floor_at_their_height(crowd):
    for p in crowd:
        if p.seat is not None:
            continue
        assert p.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)
        head = p.vertices[np.unique(p.faces[p.part == [q.name for q in p.parts].index("eyes")])]
        # Eyes are some 7 % below the crown; poses, shoes and tilted heads take or add a little.
        assert 0.84 < head[:, 2].mean() / p.traits.height < 1.0, p.pose
        assert np.abs(p.vertices[:, :2].mean(0)).max() < 0.25


def test_people_face_the_camera_roughly(crowd):
    for p in crowd:
        names = [q.name for q in p.parts]
        pupils = p.vertices[np.unique(p.faces[p.part == names.index("pupils")])].mean(0)
        balls = p.vertices[np.unique(p.faces[p.part == names.index("eyes")])].mean(0)
        assert (pupils - balls)[1] < 0


def test_who_sits_rests_on_the_seat_with_feet_near_the_floor(folder):
    for k in range(12):
        p = people.person(np.random.default_rng(k), folder, pose="sitting")
        assert p.seat is not None and p.seat == people.SEAT
        low = p.vertices[:, 2].min()
        assert -0.03 < low < 0.35
        if p.traits.height > 1.6:
            assert low < 0.05
        # Nothing of the trunk hangs through the seat, and something touches it.
        behind = p.vertices[(np.abs(p.vertices[:, 0]) < 0.1) & (p.vertices[:, 1] > 0.0) & (p.vertices[:, 2] > 0.3)]
        assert p.seat - 0.09 < behind[:, 2].min() < p.seat + 0.04


def test_skin_weights_are_shares_and_stay_on_their_side(folder):
    human = people_body.load(folder)
    assert np.allclose(human.weights.sum(1), 1, atol=1e-5)
    left_arm = human.weights[:, [i for n, i in people_body.BONE.items() if n.startswith("l-arm") or n.startswith("l-fore")]].sum(1)
    assert left_arm[human.vertices[:, 0] < -0.02].max() < 0.01
    hand = (human.kind == 0) & (human.regions.arm > 2.1)
    assert hand.sum() > 1000


def test_no_joint_collapses(folder):
    """Edges of the posed skin keep their lengths but for folds: what a collapsed elbow or an exploding hand would break."""
    human = people_body.load(folder)
    body = human.vertices
    rest = people_pose.Rest(*human.joints(body))
    edges = people_mesh.edges(human.body_faces)
    before = np.linalg.norm(body[edges[:, 0]] - body[edges[:, 1]], axis=1)
    trunk = body[(human.kind == 0) & (human.regions.armness < 0.3)]
    shape = people_pose.Shape(trunk, 0.18, 0.01)
    for k, kind in enumerate(people.POSES):
        posed = people_pose.pose(rest, shape, kind, np.random.default_rng(k))
        after = people_pose.skin(body, human.weights, rest.heads, posed.rotation, posed.at)
        ratio = np.linalg.norm(after[edges[:, 0]] - after[edges[:, 1]], axis=1) / np.maximum(before, 2e-3)
        assert np.quantile(ratio, 0.995) < 2.2 and ratio.max() < 8, kind
        assert np.quantile(ratio, 0.01) > 0.3, kind


def test_hands_stay_out_of_trunk_and_legs(folder):
    """The pose of a person takes arms out of the body that the pose alone would put into it."""
    human = people_body.load(folder)
    outfit = people_wear.Outfit(thickness=0.012)
    alone, fitted = [], []
    for k in range(5):
        for pose in ("contrapposto", "hips", "clasped", "sit"):
            rng = np.random.default_rng(k)
            traits = people_body.draw_traits(rng)
            body, _, _ = people._body(human, traits, rng)
            rest = people_pose.Rest(*human.joints(body))
            posed = people._posed(human, body, rest, outfit, pose, rng)
            fitted.append(max(np.linalg.norm(people._sunk(human, body, rest, posed, 0.0, side)) for side in "lr"))
            plain = people_pose.pose(rest, people_pose.Shape(body[human.regions.armness < 0.1], 0.15, 0.0), pose, np.random.default_rng(k))
            alone.append(max(np.linalg.norm(people._sunk(human, body, rest, plain, 0.0, side)) for side in "lr"))
    assert max(fitted) < 0.045
    assert np.mean(fitted) < 0.004 < 0.01 < np.mean(alone)


def test_faces_look_outwards(crowd):
    for p in crowd:
        for name in ("skin", "hair", "shoes", "glasses", "hat"):
            chosen = [i for i, q in enumerate(p.parts) if q.name == name]
            if not chosen:
                continue
            f = p.faces[np.isin(p.part, chosen)]
            v = p.vertices - p.vertices[np.unique(f)].mean(0)
            assert volume(v, f) > 0, (p.pose, name)


def test_people_far_away_have_fewer_faces(folder):
    near, far = (people.person(np.random.default_rng(9), folder, simplify=s) for s in (False, True))
    assert len(far.faces) < 0.75 * len(near.faces)
    assert far.top == pytest.approx(near.top, abs=0.02)
