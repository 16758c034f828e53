"""What each of the 52 keys does on the face of average size: its own region moves, the rest stays, lids and lips meet."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision import canonical, face_parts, face_surface, face_units
from addon.vision.landmarks import MIRROR
from addon.vision.rigging import ARKIT, Part
from tests.vision import face_meshes

EYES = canonical.PUPIL_DISTANCE
MOVES, STAYS = 0.02 * EYES, 0.002 * EYES

# Of keys of the left half and the symmetric ones: the box about the region, millimetres of the average face, x from, to, y from, to.
LIDS = (17, 47, -17, 15)
MOUTH = (-52, 52, -122, -34)
LEFT_MOUTH = (-9, 66, -114, -22)
JAW = (-77, 77, -165, -2)
REGIONS = {
    "browDownLeft": (-8, 46, -6, 50),
    "browInnerUp": (-46, 46, -6, 60),
    "browOuterUpLeft": (10, 78, -6, 60),
    "cheekPuff": (-76, 76, -102, -32),
    "cheekSquintLeft": (9, 65, -50, 0),
    "eyeBlinkLeft": LIDS,
    "eyeLookDownLeft": LIDS,
    "eyeLookInLeft": LIDS,
    "eyeLookOutLeft": LIDS,
    "eyeLookUpLeft": LIDS,
    "eyeSquintLeft": (13, 59, -27, 15),
    "eyeWideLeft": LIDS,
    "jawForward": JAW,
    "jawLeft": JAW,
    "jawOpen": JAW,
    "mouthClose": (-26, 26, -110, -52),
    "mouthDimpleLeft": LEFT_MOUTH,
    "mouthFrownLeft": LEFT_MOUTH,
    "mouthFunnel": MOUTH,
    "mouthLeft": MOUTH,
    "mouthLowerDownLeft": (-10, 50, -106, -63),
    "mouthPressLeft": (-9, 48, -96, -54),
    "mouthPucker": MOUTH,
    "mouthRollLower": (-26, 26, -95, -72),
    "mouthRollUpper": (-26, 26, -75, -53),
    "mouthShrugLower": (-27, 27, -123, -72),
    "mouthShrugUpper": (-26, 26, -75, -53),
    "mouthSmileLeft": LEFT_MOUTH,
    "mouthStretchLeft": LEFT_MOUTH,
    "mouthUpperUpLeft": (-10, 50, -80, -22),
    "noseSneerLeft": (-2, 43, -70, -1),
    "tongueOut": (-26, 26, -92, -56),
}


@pytest.fixture(scope="module")
def face():
    """(vertices N×3 canonical, part N, triangles, keys in canonical axes, Relief)."""
    fit = face_meshes.fitted()
    mesh = face_meshes.face_mesh(fit, keys=True)
    vertices = (mesh.position - fit.origin) @ fit.rotation / fit.scale
    keys = {name: moved.astype(np.float64) @ fit.rotation for name, moved in mesh.keys.items()}
    return vertices, face_meshes.vertex_parts(mesh), mesh.triangles, keys, face_meshes.relief()


def box(name: str) -> tuple[int, int, int, int]:
    if name in REGIONS:
        return REGIONS[name]
    left, right, low, high = REGIONS[name.removesuffix("Right") + "Left"]
    return -right, -left, low, high


def test_every_key_is_there_and_small_in_the_package(face):
    assert tuple(face[3]) == ARKIT
    assert face_units.FILE.stat().st_size < 600_000


@pytest.mark.parametrize("name", ARKIT)
def test_a_key_moves_its_region_and_nothing_else(face, name):
    vertices, part, _, keys, _ = face
    length = np.linalg.norm(keys[name], axis=1)
    left, right, low, high = np.array(box(name)) / 1000
    x, y = vertices[:, 0], vertices[:, 1]
    inside = (x > left) & (x < right) & (y > low) & (y < high)
    skin = part == Part.SKIN
    own = {"eyeLook": (Part.EYE_RIGHT, Part.EYE_LEFT), "tongue": (Part.TONGUE,)}
    moving = next((np.isin(part, parts) for start, parts in own.items() if name.startswith(start)), skin)
    assert length[inside & moving].max() > MOVES
    assert length[skin & ~inside].max() < STAYS
    # What lies behind moves with the jaw and the mouth only.
    if name.startswith("eyeLook"):
        ball = part == (Part.EYE_LEFT if name.endswith("Left") else Part.EYE_RIGHT)
        assert (length[~skin & ~ball] == 0).all()
    elif not name.startswith(("jaw", "mouth", "cheekPuff", "tongue")):
        assert (length[~skin] == 0).all()


def test_a_key_fades_away_before_the_border_of_what_is_known(face):
    angle = np.linspace(0, 2 * np.pi, 400)
    rim = np.stack([1.35 * 0.068 * np.cos(angle), -0.022 + 1.35 * np.where(np.sin(angle) > 0, 0.092, 0.103) * np.sin(angle)], 1)
    keys = face_units.units(rim, np.zeros(400), np.zeros(400))
    assert max(float(np.abs(moved).max()) for moved in keys.values()) < 1e-6
    beside = face_units.units(np.full((3, 2), np.nan), np.zeros(3), np.zeros(3))
    assert all((moved == 0).all() for moved in beside.values())


def test_no_two_keys_are_alike(face):
    flat = np.stack([moved.ravel() for moved in face[3].values()])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    alike = flat @ flat.T - np.eye(len(flat))
    assert alike.max() < 0.9


def test_left_mirrors_right_exactly():
    rng = np.random.default_rng(0)
    at = rng.uniform([-0.08, -0.15, -0.06], [0.08, 0.06, 0.03], (4000, 3))
    side, part = rng.integers(-1, 2, 4000), rng.integers(0, 7, 4000)
    other = np.select([part == Part.EYE_LEFT, part == Part.EYE_RIGHT], [Part.EYE_RIGHT, Part.EYE_LEFT], part)
    one, mirrored = face_units.units(at, side, part), face_units.units(at * [-1, 1, 1], side, other)
    for name in ARKIT:
        twin = name.replace("Left", "Right") if name.endswith("Left") else name.replace("Right", "Left")
        assert np.array_equal(one[name], mirrored[twin] * np.float32([-1, 1, 1])), name


def test_the_points_of_the_average_face_are_symmetrical():
    assert np.allclose(canonical.POINTS[list(MIRROR)] * [-1, 1, 1], canonical.POINTS)
    assert np.allclose(np.linalg.norm(canonical.POINTS[69] - canonical.POINTS[68]), EYES)


def test_the_surface_passes_through_the_landmarks():
    inner = canonical.POINTS[17:]
    assert np.abs(face_surface.depth(inner[:, :2]) - inner[:, 2]).max() < 0.0015


def test_blinking_closes_the_lids_to_no_gap(face):
    vertices, _, _, keys, relief = face
    open_by = (vertices[relief.lids[:, 0]] - vertices[relief.lids[:, 1]])[:, 1]
    assert open_by.max() > 0.008
    closed = vertices + keys["eyeBlinkLeft"] + keys["eyeBlinkRight"]
    gap = closed[relief.lids[:, 0]] - closed[relief.lids[:, 1]]
    assert np.abs(gap[:, :2]).max() < 1e-5 and np.abs(gap[:, 2]).max() < 0.0006
    one = vertices + keys["eyeBlinkLeft"]
    left = vertices[relief.lids[:, 0], 0] > 0
    gap = (one[relief.lids[:, 0]] - one[relief.lids[:, 1]])[:, 1]
    assert np.abs(gap[left]).max() < 1e-5 and np.allclose(gap[~left], open_by[~left])
    # Closed lids lie on the eyeball, not in it.
    lids = closed[relief.lids].reshape(-1, 3)
    centre = canonical.EYE_CENTRES[(lids[:, 0] > 0).astype(int)]
    assert (np.linalg.norm(lids - centre, axis=1) > canonical.EYE_RADIUS - 0.0015).all()


def test_an_open_jaw_opens_the_lips_and_moves_what_hangs_on_it(face):
    vertices, part, _, keys, relief = face
    opened = vertices + keys["jawOpen"]
    gap = (opened[relief.seams[:, 0]] - opened[relief.seams[:, 1]])[:, 1]
    x = np.abs(vertices[relief.seams[:, 0], 0])
    assert 0.020 < gap.max() < 0.040 and gap[x < 0.004].min() > 0.95 * gap.max() and (gap > 0).all()
    assert gap[x > 0.021].max() < 0.45 * gap.max()
    moved = np.linalg.norm(keys["jawOpen"], axis=1)
    assert moved[part == Part.TEETH_LOWER].min() > 0.012 and moved[part == Part.TONGUE].min() > 0.008
    assert (moved[part == Part.TEETH_UPPER] == 0).all()
    collar = (part == Part.SKIN) & (vertices[:, 1] < -0.165)
    assert (moved[collar] == 0).all()
    # Seen through the open lips there is the pocket: its rim goes with both.
    shape = face_parts.pocket()
    pocket = face_units.units(shape.vertices, shape.side, np.full(len(shape.vertices), Part.POCKET))["jawOpen"]
    rim = shape.vertices[:48] + pocket[:48]
    line = vertices[relief.seams[:, 0]]
    for signed, rows, column in ((1, slice(1, 24), 0), (-1, slice(25, 48), 1)):
        at = rim[rows]
        order = np.argsort(line[:, 0])
        lips = opened[relief.seams[order, column]]
        assert np.abs(np.interp(at[:, 0], lips[:, 0], lips[:, 1]) - at[:, 1]).max() < 0.0008, signed


def test_closing_the_mouth_undoes_what_the_open_jaw_did_to_the_lips(face):
    vertices, _, _, keys, relief = face
    both = vertices + keys["jawOpen"] + keys["mouthClose"]
    gap = both[relief.seams[:, 0]] - both[relief.seams[:, 1]]
    assert np.abs(gap).max() < 1e-5
    chin = np.argmin(np.linalg.norm(vertices - canonical.POINTS[8], axis=1))
    assert both[chin, 1] < vertices[chin, 1] - 0.015


@pytest.mark.parametrize("name", ["mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress"])
def test_lips_stay_together_where_the_key_does_not_part_them(face, name):
    keys, relief = face[3], face[4]
    moved = keys[name + "Left"] + keys[name + "Right"]
    assert np.linalg.norm(moved[relief.seams[:, 0]] - moved[relief.seams[:, 1]], axis=1).max() < 0.0003


def test_nothing_turns_over(face):
    vertices, part, triangles, keys, _ = face
    skin = triangles[part[triangles[:, 0]] == Part.SKIN]

    def areas(at):
        a, b, c = (at[skin[:, i], :2] for i in range(3))
        return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])

    facing = areas(vertices) > 1e-9
    for name, moved in keys.items():
        turned = (areas(vertices + moved) < 0) & facing
        assert not turned.any(), name


def test_eyes_turn_about_their_middle(face):
    vertices, part, _, keys, _ = face
    ball = part == Part.EYE_LEFT
    middle = canonical.EYE_CENTRES[1]
    before = np.linalg.norm(vertices[ball] - middle, axis=1)
    for name, axis, sign in (("Up", 1, 1), ("Down", 1, -1), ("Out", 0, 1), ("In", 0, -1)):
        after = vertices[ball] + keys[f"eyeLook{name}Left"][ball]
        assert np.allclose(np.linalg.norm(after - middle, axis=1), before, atol=1e-6)
        pupil = np.argmax(vertices[ball][:, 2])
        assert sign * (after[pupil, axis] - vertices[ball][pupil, axis]) > 0.003
    # A ball that lies elsewhere turns about its own middle.
    shift = np.array([0.002, -0.001, 0.003])
    at = vertices[ball] + shift
    moved = face_units.units(at, np.zeros(len(at)), np.full(len(at), Part.EYE_LEFT), {Part.EYE_LEFT: middle + shift})
    assert np.allclose(moved["eyeLookUpLeft"], keys["eyeLookUpLeft"][ball], atol=1e-6)


def test_the_tongue_comes_out_between_the_lips(face):
    vertices, part, _, keys, relief = face
    tongue = part == Part.TONGUE
    out = vertices + keys["jawOpen"] * 0.4 + keys["tongueOut"]
    lips = out[relief.seams]
    tip = out[tongue][np.argmax(out[tongue][:, 2])]
    middle = np.abs(vertices[relief.seams[:, 0], 0]) < 0.002
    assert tip[2] > lips[middle][..., 2].max() + 0.008
    root = tongue & (vertices[:, 2] < -0.040)
    assert np.linalg.norm(keys["tongueOut"][root], axis=1).max() < 0.001


def test_parts_are_small_and_face_the_right_way():
    for shape in face_parts.all_parts():
        v, t = shape.vertices, shape.triangles
        assert 200 < len(v) <= 2000 and t.max() == len(v) - 1
        normal = np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]])
        assert (np.linalg.norm(normal, axis=1) > 1e-12).all()
        outwards = ((normal * (v[t].mean(1) - v.mean(0))).sum(1) > 0).mean()
        if shape.part == Part.POCKET:
            assert outwards < 0.1
        elif shape.part in (Part.TEETH_UPPER, Part.TEETH_LOWER):
            assert outwards > 0.8
        else:
            assert outwards > 0.97
        assert shape.colours.min() >= 0 and shape.colours.max() <= 1


def test_at_rest_everything_lies_behind_the_skin():
    for shape in face_parts.all_parts():
        if shape.part in (Part.EYE_LEFT, Part.EYE_RIGHT):
            continue
        inner = shape.vertices[48:] if shape.part == Part.POCKET else shape.vertices
        assert (inner[:, 2] < face_surface.depth(inner[:, :2]) + 1e-4).all(), shape.part
