"""A person's layer as a mesh: exact at rest, whole, dense where it must be, cut where it opens, and it can turn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from addon.vision import canonical
from addon.vision.carry import carry_over
from addon.vision.face_fit import fit_face
from addon.vision.geometry import ray_map
from addon.vision.landmarks import FacePoints, Person
from addon.vision.layered import LayeredPhoto, PhotoCamera, write_layered
from addon.vision.rigging import ARKIT, Part
from addon.vision.subject_depth import Source, behind_the_chin, layer_distances, most_distances, source_of, with_round_head, without_cliffs
from addon.vision.subject_eyes import eyeball, front_of
from addon.vision.subject_mesh import MOST, Subject, make_subject
from addon.vision.subject_pictures import Pictures, make_pictures
from addon.vision.subject_rig import RigData, rig_subject
from addon.vision.triangulate import edges_of, inside, triangulate, twice_areas
from tests.vision import draw as plain
from tests.vision import portrait
from tests.vision.face_meshes import turned

_MADE: dict[tuple[bool, bool], Subject] = {}


def subject(*, shut: bool = False, blind: bool = False) -> Subject:
    key = shut, blind
    if key not in _MADE:
        _MADE[key] = make_subject(portrait.source(blind=blind), portrait.person(shut=shut), portrait.fit(shut=shut))
    return _MADE[key]


def uv_of(mesh) -> np.ndarray:
    return mesh.ray[:, :2].astype(np.float64) / mesh.ray[:, 2:]


def of_part(mesh, part: Part) -> np.ndarray:
    return mesh.triangles[mesh.part == part]


CASES = [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize(("shut", "blind"), CASES)
def test_every_vertex_lies_on_its_ray(shut: bool, blind: bool) -> None:
    mesh, rays = subject(shut=shut, blind=blind).mesh, portrait.source().rays
    uv, position = uv_of(mesh), mesh.position.astype(np.float64)
    seen = np.column_stack(
        [position[:, 0] / position[:, 1] / rays.width + rays.u0, position[:, 2] / position[:, 1] / rays.height + rays.v0]
    )
    assert np.abs(seen - uv).max() * 512 < 1e-3  # pixels
    assert np.abs(mesh.ray[:, 2] - mesh.position[:, 1]).max() < 1e-6


@pytest.mark.parametrize(("shut", "blind"), CASES)
def test_at_rest_every_pixel_of_the_layer_shows_itself(shut: bool, blind: bool) -> None:
    mesh, source = subject(shut=shut, blind=blind).mesh, portrait.source(blind=blind)
    which, uv = plain.draw(mesh.position, mesh.ray, mesh.triangles, source.rays, source.size)
    y, x = np.mgrid[:512, :512]
    assert (which[portrait.silhouette()] >= 0).all()
    off = np.hypot(uv[..., 0] * 512 - x - 0.5, (1 - uv[..., 1]) * 512 - y - 0.5)[which >= 0]
    assert off.max() < 0.02  # pixels: inside of triangles too, whatever their depths


@pytest.mark.parametrize(("shut", "blind"), CASES)
def test_the_skin_is_whole_but_for_its_cuts(shut: bool, blind: bool) -> None:
    made = subject(shut=shut, blind=blind)
    mesh, uv = made.mesh, uv_of(made.mesh)
    skin = of_part(mesh, Part.SKIN)
    edges, which = edges_of(skin)
    times = np.bincount(which.ravel(), minlength=len(edges))
    assert set(times) <= {1, 2}
    # Whatever has one side only is part of a closed line.
    ends = np.bincount(edges[times == 1].ravel(), minlength=len(uv))
    assert set(ends) <= {0, 2}
    border = edges[times == 1]
    middle = uv[border].mean(1)
    shares = np.column_stack([middle[:, 0], 1 - middle[:, 1]])
    matte = np.zeros((512, 512), np.uint8)
    matte[portrait.silhouette()] = 255
    cut = np.zeros(len(border), bool)
    for polygon in made.openings.values():
        grown = polygon.mean(0) + (polygon - polygon.mean(0)) * 1.02
        cut |= inside(shares, grown)
    seam = np.isin(border, mesh.seams).any(1)
    # All other borders lie outside of the silhouette or at the photo's own.
    away = cv2.distanceTransform((matte == 0).astype(np.uint8), cv2.DIST_L2, 5)
    at = np.clip((shares[~cut & ~seam] * 512).astype(int), 0, 511)
    at_border = ((shares[~cut & ~seam] < 0.01) | (shares[~cut & ~seam] > 0.99)).any(1)
    assert (away[at[:, 1], at[:, 0]][~at_border] > 0).all()
    assert cut.sum() > 100 and (seam.sum() > 60) == shut


@pytest.mark.parametrize(("shut", "blind"), CASES)
def test_triangles_face_the_camera_and_none_is_degenerate(shut: bool, blind: bool) -> None:
    mesh = subject(shut=shut, blind=blind).mesh
    assert twice_areas(uv_of(mesh) * 512, mesh.triangles).min() > 1e-4
    corners = mesh.position[mesh.triangles].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((normal * corners.mean(1)).sum(1) < 0).all() and np.isfinite(mesh.position).all()


def test_it_is_dense_where_it_must_be_and_nowhere_too_dense() -> None:
    made = subject()
    mesh, fit = made.mesh, made.fit
    assert fit is not None and len(mesh.position) <= MOST
    skin = of_part(mesh, Part.SKIN)
    edges, _ = edges_of(skin)
    length = np.hypot(*((uv_of(mesh)[edges[:, 0]] - uv_of(mesh)[edges[:, 1]]) * 512).T) * 0.063 / 44.1  # metres
    place = mesh.canonical[edges].mean(1)
    lid = np.hypot(place[:, 0] - 0.0316, place[:, 1] + 0.002) < 0.016
    lips = (np.abs(place[:, 0]) < 0.022) & (np.abs(place[:, 1] + 0.0735) < 0.009)
    cheek = np.hypot(place[:, 0] - 0.04, place[:, 1] + 0.04) < 0.012
    outside = np.isnan(place[:, 0])
    medians = [float(np.median(length[part])) for part in (lid, lips, cheek, outside)]
    assert medians[0] < 0.0011 and medians[1] < 0.0011 and 0.0015 < medians[2] < 0.003 and medians[3] > 0.005


def test_rings_lie_about_both_eyes() -> None:
    """Points at equal steps around: on each of several rings there is a closed way about the eye."""
    mesh = subject().mesh
    skin = of_part(mesh, Part.SKIN)
    edges, which = edges_of(skin)
    times = np.bincount(which.ravel(), minlength=len(edges))
    for part in (Part.EYE_RIGHT, Part.EYE_LEFT):
        polygon = subject().openings[part]
        shares = np.column_stack([uv_of(mesh)[:, 0], 1 - uv_of(mesh)[:, 1]])
        at_edge = np.unique(edges[times == 1])
        near = at_edge[np.sqrt(((shares[at_edge, None] - polygon) ** 2).sum(-1)).min(1) * 512 < 0.05]
        assert len(near) >= 40  # vertices on the opening's own edge
        assert {1, -1} == set(mesh.side[near][mesh.side[near] != 0])


def test_shut_lips_are_cut_from_corner_to_corner() -> None:
    mesh = subject(shut=True).mesh
    a, b = mesh.seams.T
    assert len(a) > 60 and np.array_equal(mesh.position[a], mesh.position[b]) and np.array_equal(mesh.ray[a], mesh.ray[b])
    assert (mesh.side[a] == 1).all() and (mesh.side[b] == -1).all()
    # No triangle has corners on both sides: apart from the corners of the mouth the halves do not hang together.
    upper, lower = np.isin(mesh.triangles, a).any(1), np.isin(mesh.triangles, b).any(1)
    assert upper.sum() > 100 and lower.sum() > 100 and not (upper & lower).any()
    middle = uv_of(mesh)[mesh.triangles].mean(1)
    line = uv_of(mesh)[a][np.argsort(uv_of(mesh)[a][:, 0])]
    height = np.interp(middle[:, 0], line[:, 0], line[:, 1])
    within = (middle[:, 0] > line[0, 0]) & (middle[:, 0] < line[-1, 0])
    assert (middle[upper & within, 1] > height[upper & within]).all() and (middle[lower & within, 1] < height[lower & within]).all()
    # The line is that of the landmarks.
    marks = portrait.person(shut=True).face.points[[61, 62, 63]]  # type: ignore[union-attr]
    away = np.abs(np.interp(marks[:, 0], line[:, 0], line[:, 1]) - (1 - marks[:, 1])) * 512
    assert away.max() < 0.15


def test_parted_lips_have_an_opening_and_what_is_seen_in_it_behind() -> None:
    made = subject()
    assert not made.shut and len(made.mesh.seams) == 0 and Part.POCKET in made.openings
    middle = uv_of(made.mesh)[of_part(made.mesh, Part.SKIN)].mean(1)
    assert not inside(np.column_stack([middle[:, 0], 1 - middle[:, 1]]), made.openings[Part.POCKET]).any()
    assert len(of_part(made.mesh, Part.POCKET)) > 100


@pytest.mark.parametrize("part", [Part.EYE_RIGHT, Part.EYE_LEFT])
def test_eyeballs_lie_just_behind_their_lids_and_fill_the_opening(part: Part) -> None:
    made = subject()
    mesh, ball = made.mesh, made.eyes[part]
    found = eyeball(mesh, part)
    assert found is not None and np.abs(found.centre - ball.centre).max() < 1e-4 and abs(found.radius - ball.radius) < 1e-4
    assert 0.010 < ball.radius / made.fit.scale < 0.022  # type: ignore[union-attr]
    skin = np.unique(of_part(mesh, Part.SKIN))
    shares = np.column_stack([uv_of(mesh)[:, 0], 1 - uv_of(mesh)[:, 1]])
    polygon = made.openings[part]
    edge = skin[np.sqrt(((shares[skin, None] - polygon) ** 2).sum(-1)).min(1) * 512 < 0.05]
    tangents = mesh.position[edge][:, (0, 2)].astype(np.float64) / mesh.position[edge][:, 1:2]
    behind = front_of(ball, tangents) - mesh.position[edge, 1]
    assert (behind > 0).all() and np.median(behind) < 0.001
    # Nowhere does it come through the skin.
    away = mesh.position[skin][:, (0, 2)].astype(np.float64) / mesh.position[skin][:, 1:2]
    way = np.column_stack([away[:, 0], np.ones(len(away)), away[:, 1]])
    over = np.linalg.norm(np.cross(way, ball.centre), axis=1) / np.linalg.norm(way, axis=1) < ball.radius
    assert over.sum() > 300 and (front_of(ball, away) > mesh.position[skin, 1])[over].all()
    # The ball's outline lies well outside of the opening.
    own = shares[np.unique(of_part(mesh, part))]
    middle, radius = own.mean(0), np.hypot(*(own - own.mean(0)).T).max()
    assert np.hypot(*(polygon - middle).T).max() < 0.97 * radius


def test_away_from_the_face_depths_are_the_layers_own() -> None:
    made, source = subject(), portrait.source()
    mesh = made.mesh
    skin = np.unique(of_part(mesh, Part.SKIN))
    shares = np.column_stack([uv_of(mesh)[:, 0], 1 - uv_of(mesh)[:, 1]])[skin]
    z = layer_distances(source)
    at = (shares * 512 - 0.5 - source.box[:2]).astype(np.float32)
    live = (
        1
        / cv2.remap((1 / z).astype(np.float32), at[:, :1].copy(), at[:, 1:].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    )
    body = (shares[:, 1] > 0.58) & np.isnan(mesh.canonical[skin, 0])  # below the chest
    same = np.abs(mesh.position[skin, 1] / live - 1) < 1e-3
    assert body.sum() > 1000 and same[body].mean() > 0.97


def test_the_face_is_round_even_where_the_depth_is_flat() -> None:
    made = subject(blind=True)
    mesh, fit = made.mesh, made.fit
    assert fit is not None
    skin = np.unique(of_part(mesh, Part.SKIN))

    def deep(x: float, y: float) -> float:
        near = skin[np.nanargmin(np.hypot(mesh.canonical[skin, 0] - x, mesh.canonical[skin, 1] - y))]
        return float(mesh.position[near, 1])

    nose, cheek, brow = deep(0, -0.038), deep(0.04, -0.03), deep(0.025, 0.015)
    assert nose < brow - 0.01 * fit.scale and nose < cheek - 0.018 * fit.scale


def test_someone_in_the_wall_comes_out_of_it_far_enough_to_turn() -> None:
    source, made = portrait.source(blind=True), subject(blind=True)
    wall = layer_distances(source)
    skin = np.unique(of_part(made.mesh, Part.SKIN))
    head = skin[uv_of(made.mesh)[skin, 1] > 0.65]
    assert made.mesh.position[head, 1].max() < np.quantile(wall, 0.2) - 0.03


def _turned(made: Subject, degrees: float) -> np.ndarray:
    assert made.fit is not None
    position = made.mesh.position.astype(np.float64)
    own = (position - made.fit.origin) @ made.fit.rotation / made.fit.scale
    head = np.clip((own[:, 1] + 0.17) / 0.06, 0, 1)
    return plain.turned(position, head, made.fit.to_layer(np.array([canonical.NECK_PIVOT]))[0], degrees)


def _over(layering, what: str) -> np.ndarray:
    """The subject's matte, or the ground's, over the photo."""
    layer = next(x for x in layering.layers if (x.person is None) == (what == "ground"))
    matte = portrait.picture(layering, layer.matte)
    left, top, right, bottom = layer.box
    out = np.zeros((512, 512), np.uint8)
    out[max(0, top) : bottom, max(0, left) : right] = matte[max(0, -top) : 512 - top, max(0, -left) : 512 - left]
    return out


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("degrees", [-15, 15])
def test_a_head_that_turns_uncovers_nothing_that_is_not_filled_and_folds_nowhere(degrees: int, blind: bool) -> None:
    made, source, layering = subject(blind=blind), portrait.source(blind=blind), portrait.layering(blind=blind)
    assert [layer.name for layer in layering.layers][:2] == ["1 Subject", "2 Background"]
    position = _turned(made, degrees)
    moved = np.abs(position - made.mesh.position).max(1)
    assert moved.max() > 0.01  # metres
    skin = of_part(made.mesh, Part.SKIN)
    corners = position[skin]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((normal * corners.mean(1)).sum(1) < 0).all()
    which, uv = plain.draw(position, made.mesh.ray, made.mesh.triangles, source.rays, source.size)
    opaque = (which >= 0) & (plain.looked_up(_over(layering, "subject"), uv) > 127)
    ground = _over(layering, "ground") == 255
    assert np.count_nonzero(~opaque & ~ground) == 0
    changed = opaque != portrait.silhouette()
    assert changed.sum() > 100  # it has turned


def test_someone_without_a_face_is_a_mesh_as_well() -> None:
    made = make_subject(portrait.source(), Person(portrait.NAME))
    assert made.fit is None and not made.eyes and 500 < len(made.mesh.position) < MOST and np.isnan(made.mesh.canonical).all()
    which, _ = plain.draw(made.mesh.position, made.mesh.ray, made.mesh.triangles, portrait.source().rays, portrait.SIZE)
    assert (which[portrait.silhouette()] >= 0).all()


def test_an_eye_outside_of_the_layer_is_not_cut() -> None:
    source = portrait.source()
    left, top = source.box[:2]
    matte = source.matte.copy()
    matte[90 - top : 115 - top, 230 - left : 262 - left] = 0  # the left eye
    made = make_subject(source._replace(matte=matte), portrait.person(), portrait.fit())
    assert set(made.eyes) == {Part.EYE_RIGHT} and len(made.mesh.position) > 1000


# Faces turned, far, near and cut off --------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 480, 360
TURNS = [(0, 0, 0, 1.0), (35, 0, 0, 0.8), (-45, 10, 0, 0.8), (20, -20, 90, 0.8), (60, 0, 0, 0.8), (0, 0, 0, 9.0), (0, 0, 0, 0.45)]


def bust(yaw: float, pitch: float, roll: float, away: float, aside: float = 0.0) -> tuple[Source, Person, np.ndarray]:
    """The average face, turned by degrees and so many metres away, on a flat head and shoulders, with exact landmarks."""
    rays = ray_map(PhotoCamera(40.0), (WIDTH, HEIGHT))
    a = np.radians(roll)
    rotation = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]) @ turned(yaw, pitch)
    origin = np.array([aside * away, away, 0.0])
    at = origin + canonical.POINTS @ rotation.T
    shares = np.column_stack([at[:, 0] / at[:, 1] / rays.width + rays.u0, 1 - (at[:, 2] / at[:, 1] / rays.height + rays.v0)])
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    tx, ty = ((x + 0.5) / WIDTH - rays.u0) * rays.width, (1 - (y + 0.5) / HEIGHT - rays.v0) * rays.height
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for place, radius in (((0, 0, -0.06), 0.14), ((0, -0.35, -0.1), 0.2)):
        cx, cy, cz = origin + rotation @ np.array(place)
        mask |= np.hypot(tx - cx / cy, ty - cz / cy) < radius / cy
    near, far = 0.7 * away, 3 * away
    d = np.where(mask, (1 / away - 1 / far) / (1 / near - 1 / far), 0.1).astype(np.float32)
    levels, matte = np.where(mask, 0, 1).astype(np.uint8), mask.astype(np.uint8) * np.uint8(255)
    source = Source(d, levels, 0, (0, 0, WIDTH, HEIGHT), matte, None, rays, near, far, 1.0, (WIDTH, HEIGHT))
    return source, Person("Ann", FacePoints(shares, np.ones(70), "exact")), mask


@pytest.mark.parametrize("turn", TURNS)
def test_faces_are_whole_however_they_are_turned_and_however_large(turn: tuple[float, float, float, float]) -> None:
    source, person, mask = bust(*turn)
    assert person.face is not None
    made = rig_subject(
        np.full((HEIGHT, WIDTH, 3), 128, np.uint8), source, person, fit_face(person.face, PhotoCamera(40.0), (WIDTH, HEIGHT))
    )
    mesh, shown = made.mesh, len(made.subject.mesh.triangles)
    assert len(mesh.position) < 30_000 and set(made.subject.eyes) == {Part.EYE_RIGHT, Part.EYE_LEFT}
    assert (twice_areas(uv_of(mesh), mesh.triangles[:shown]) > 0).all()
    which, _ = plain.draw(mesh.position, mesh.ray, mesh.triangles, source.rays, source.size)
    assert (which[mask] >= 0).all()  # eyes fill their openings up to the corners
    # What is inside the mouth is hidden at rest: where the painter's order of triangles shows it, the skin is nearer all the same.
    inner = which >= shown
    assert inner.sum() < 20
    if inner.any():
        before, _ = plain.draw(mesh.position, mesh.ray, mesh.triangles[:shown], source.rays, source.size)
        skin = plain.distances(mesh.position, mesh.triangles[:shown], before, source.rays)
        assert (skin < plain.distances(mesh.position, mesh.triangles, which, source.rays))[inner].all()
    edges, at = edges_of(of_part(made.subject.mesh, Part.SKIN))
    assert set(np.bincount(edges[np.bincount(at.ravel()) == 1].ravel())) <= {0, 2}
    for values in mesh.keys.values():
        assert np.isfinite(values).all() and values.shape == mesh.position.shape


def test_a_face_that_the_photos_border_cuts_off_keeps_what_is_seen() -> None:
    source, person, mask = bust(0, 0, 0, 0.6, 0.35)
    assert person.face is not None and person.face.points[:, 0].max() > 1
    made = make_subject(source, person, fit_face(person.face, PhotoCamera(40.0), (WIDTH, HEIGHT)))
    assert set(made.eyes) == {Part.EYE_RIGHT}
    which, _ = plain.draw(made.mesh.position, made.mesh.ray, made.mesh.triangles, source.rays, source.size)
    assert (which[mask] >= 0).all()


# The whole rig -----------------------------------------------------------------------------------------------------------------

_RIGS: dict[bool, RigData] = {}


def rig(*, shut: bool) -> RigData:
    if shut not in _RIGS:
        _RIGS[shut] = rig_subject(portrait.photo(), portrait.source(), portrait.person(shut=shut), portrait.fit(shut=shut))
    return _RIGS[shut]


def test_the_suits_ring_is_no_part_of_the_head() -> None:
    """Beside the neck, on the height of the chin, it is told from hair by its colour; a photo without colours leaves it to the head."""
    grey = rig_subject(np.full_like(portrait.photo(), 128), portrait.source(), portrait.person(), portrait.fit()).mesh
    ray = grey.ray.astype(np.float64)
    x, y = ray[:, 0] / ray[:, 2] * 512, (1 - ray[:, 1] / ray[:, 2]) * 512
    ring = (x > 150) & (x < 178) & (y > 148) & (y < 156)
    hair = (y < 130) & np.isfinite(x)
    before, after = (made.weights["head"] + made.weights["neck"] for made in (grey, rig(shut=False).mesh))
    assert ring.sum() > 10 and before[ring].mean() > 0.99 and after[ring].mean() < 0.7
    assert np.abs(after - before)[hair].max() < 0.05


@pytest.mark.parametrize("shut", [False, True])
def test_a_rig_comes_whole(shut: bool) -> None:
    made = rig(shut=shut)
    mesh = made.mesh
    assert set(mesh.keys) == set(ARKIT) and {b.name for b in made.bones if b.deform} >= set(mesh.weights) >= {
        "head",
        "jaw",
        "eye.L",
        "base",
    }
    assert np.abs(sum(mesh.weights.values()) - 1).max() < 1e-5
    assert set(np.unique(mesh.part)) >= {
        int(p) for p in (Part.SKIN, Part.EYE_LEFT, Part.EYE_RIGHT, Part.POCKET, Part.TEETH_LOWER, Part.TONGUE)
    }
    assert (Part.TEETH_UPPER in mesh.part) == shut  # of parted lips the photo's own are seen
    assert set(made.pictures) == {Part.EYE_RIGHT, Part.EYE_LEFT, *([] if shut else [Part.POCKET])}
    count = len(made.subject.mesh.position)
    assert np.array_equal(mesh.position[:count], made.subject.mesh.position) and (made.colours[:count] == 1).all()
    assert made.colours.shape == mesh.position.shape and (made.colours[count:].max(0) > 0.2).all()
    rays, uv = portrait.source().rays, uv_of(mesh)
    seen = np.column_stack(
        [
            mesh.position[:, 0] / mesh.position[:, 1] / rays.width + rays.u0,
            mesh.position[:, 2] / mesh.position[:, 1] / rays.height + rays.v0,
        ]
    )
    assert np.abs(seen - uv).max() < 1e-5


@pytest.mark.parametrize("shut", [False, True])
@pytest.mark.parametrize(("side", "part"), [("Left", Part.EYE_LEFT), ("Right", Part.EYE_RIGHT)])
def test_lids_close_to_no_gap_before_the_eyeball(shut: bool, side: str, part: Part) -> None:
    made = rig(shut=shut)
    mesh, subject_ = made.mesh, made.subject
    slot = (Part.EYE_RIGHT, Part.EYE_LEFT).index(part)
    at = mesh.position.astype(np.float64) + mesh.keys[f"eyeBlink{side}"]
    rows = subject_.rows[: len(subject_.mesh.position)]
    edge = np.flatnonzero((rows[:, 0] == slot) & (rows[:, 1] == 0))
    n = subject_.half[slot]
    by = dict(zip(rows[edge, 2].tolist(), edge.tolist()))
    gaps = [float(np.linalg.norm(at[by[i]] - at[by[2 * n - 2 - i]])) for i in range(1, n - 1)]
    assert len(gaps) > 10 and max(gaps) < 1e-5  # metres
    ball = subject_.eyes[part]
    lids = np.flatnonzero(rows[:, 0] == slot)
    clear = front_of(ball, at[lids][:, (0, 2)] / at[lids][:, 1:2]) - at[lids, 1]
    away = np.linalg.norm(np.cross(at[lids], ball.centre), axis=1) / np.linalg.norm(at[lids], axis=1)
    assert clear[away < 0.99 * ball.radius].min() > 0
    # Nothing of the eye is seen any more: where it was, the skin is whole and lies before the ball.
    rays = portrait.source().rays
    skin = of_part(mesh, Part.SKIN)
    # Only what may reach the opening is drawn.
    places = np.column_stack([at[:, 0] / at[:, 1] / rays.width + rays.u0, 1 - (at[:, 2] / at[:, 1] / rays.height + rays.v0)])[skin]
    low, high = subject_.openings[part].min(0) - 0.01, subject_.openings[part].max(0) + 0.01
    skin = skin[((places.max(1) > low) & (places.min(1) < high)).all(1)]
    which, _ = plain.draw(at, mesh.ray, skin, rays, (1024, 1024))
    y, x = np.mgrid[:1024, :1024] + 0.5
    within = inside(np.column_stack([x.ravel(), y.ravel()]) / 1024, subject_.openings[part]).reshape(1024, 1024)
    assert within.sum() > 200 and (which[within] >= 0).all()
    tangents = np.column_stack([(x[within] / 1024 - rays.u0) * rays.width, (1 - y[within] / 1024 - rays.v0) * rays.height])
    assert (plain.distances(at, skin, which, rays)[within] < front_of(ball, tangents)).mean() > 0.995


def test_the_jaw_opens_the_mouth_onto_what_is_behind() -> None:
    made = rig(shut=True)
    mesh = made.mesh
    upper, lower = mesh.seams.T
    at = mesh.position.astype(np.float64) + mesh.keys["jawOpen"]
    gap = np.linalg.norm(at[upper] - at[lower], axis=1)
    assert 0.015 < gap.max() / made.subject.fit.scale < 0.045  # type: ignore[union-attr]
    which, _ = plain.draw(at, mesh.ray, mesh.triangles, portrait.source().rays, portrait.SIZE)
    assert (which[portrait.silhouette()] >= 0).all()
    shown = np.bincount(mesh.part[which[which >= 0]], minlength=7)
    assert shown[Part.POCKET] + shown[Part.TONGUE] > 100 and shown[Part.TEETH_LOWER] + shown[Part.TEETH_UPPER] > 20


def test_eyes_turn_about_their_own_middle() -> None:
    made = rig(shut=False)
    mesh = made.mesh
    for name, part in (("eyeLookOutLeft", Part.EYE_LEFT), ("eyeLookDownRight", Part.EYE_RIGHT)):
        mine = np.unique(of_part(mesh, part))
        ball = made.subject.eyes[part]
        at = mesh.position[mine].astype(np.float64) + mesh.keys[name][mine]
        away = np.linalg.norm(at - ball.centre, axis=1)
        assert np.abs(away - ball.radius).max() < 0.002 * ball.radius
        assert np.linalg.norm(mesh.keys[name][mine], axis=1).max() > 0.2 * ball.radius


# Pieces --------------------------------------------------------------------------------------------------------------------


def test_edges_are_kept_where_delaunay_alone_would_not_have_them() -> None:
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    loop = np.column_stack([50 + 30 * np.cos(t), 50 + 1.5 * np.sin(t)])
    points = np.concatenate([loop, np.random.default_rng(1).random((2000, 2)) * 100])
    edges = np.stack([np.arange(40), (np.arange(40) + 1) % 40], 1).astype(np.int32)
    made = triangulate(points, edges)
    found = {tuple(e) for e in edges_of(made.triangles)[0]}
    assert all(tuple(sorted(e)) in found for e in made.edges.tolist()) and len(made.halves) > 0
    assert (twice_areas(made.points, made.triangles) > 0).all()
    # The parts of an edge make the whole of it.
    for origin in range(40):
        part = made.edges[made.origin == origin]
        length = np.hypot(*(made.points[part[:, 0]] - made.points[part[:, 1]]).T).sum()
        assert length == pytest.approx(np.hypot(*(loop[origin] - loop[(origin + 1) % 40])), abs=1e-4)
    with pytest.raises(ValueError, match="cross"):
        triangulate(np.array([(0.0, 0), (2, 2), (0, 2), (2, 0)]), np.array([(0, 1), (2, 3)], np.int32))


def test_cliffs_become_slopes_and_nothing_else_changes() -> None:
    x, y = (a.ravel().astype(np.float64) for a in np.meshgrid(np.arange(20), np.arange(20)))
    rays = np.column_stack([x, y]) * 0.01
    made = triangulate(np.column_stack([x, y]) + np.random.default_rng(0).random((400, 2)) * 0.01, np.zeros((0, 2), np.int32))
    z = np.where(x < 10, 1.0, 2.0)
    soft = without_cliffs(z, rays, made.triangles, 1.5)
    assert np.array_equal(soft[x < 10], z[x < 10]) and (soft <= z).all()
    edges, _ = edges_of(made.triangles)
    a, b = soft[edges].T
    apart = np.hypot(*(rays[edges[:, 0]] - rays[edges[:, 1]]).T)
    assert (np.abs(a - b) <= 1.5 * np.minimum(a, b) * apart * 1.001).all()
    flat = 1 + 0.001 * x
    assert np.array_equal(without_cliffs(flat, rays, made.triangles), flat)


def test_what_is_painted_is_carried_to_another_mesh() -> None:
    old = subject(shut=True).mesh
    face = portrait.person(shut=True)
    assert face.face is not None
    points = face.face.points.copy()
    points[36:48, 1] += 0.002  # both eyes a pixel lower
    moved = Person(face.name, replace(face.face, points=points))
    new = make_subject(portrait.source(), moved, portrait.fit(shut=True)).mesh
    assert len(new.position) != len(old.position) or not np.array_equal(new.ray, old.ray)
    uv = uv_of(old)
    values = np.column_stack(
        [uv[:, 0], 3 * uv[:, 1] - uv[:, 0], old.side, np.isin(np.arange(len(uv)), old.triangles[old.part == Part.EYE_LEFT])]
    )
    carried = carry_over(old, values, new)
    goal = uv_of(new)
    skin = np.unique(of_part(new, Part.SKIN))
    assert carried.shape == (len(new.position), 4) and carried.dtype == np.float32
    off = np.abs(carried[skin, :2] - np.column_stack([goal[skin, 0], 3 * goal[skin, 1] - goal[skin, 0]])).max(1)
    assert np.quantile(off, 0.8) < 1e-4 and off.max() < 0.01
    upper, lower = new.seams.T
    assert (carried[upper, 2] >= 0.99).all() and (carried[lower, 2] <= -0.99).all()  # nothing leaks across the lips
    ball = np.unique(of_part(new, Part.EYE_LEFT))
    assert (carried[ball, 3] > 0.999).all() and (carried[skin, 3] == 0).all()
    same = carry_over(old, values, old)
    assert np.abs(same - values).max() < 1e-4


def test_the_outline_of_a_head_goes_no_farther_back_than_the_joint_about_which_it_turns() -> None:
    """So that it stays in place as the head turns; what is nearer stays where the relief has it, and so does what is below the chin."""
    made = portrait.fit()
    eyes = made.origin[[0, 2]] / made.origin[1]
    tangents = eyes + np.column_stack([a.ravel() for a in np.meshgrid(np.linspace(-0.3, 0.3, 121), np.linspace(-0.3, 0.3, 121))])

    def canonical_of(z: np.ndarray) -> np.ndarray:
        at = np.column_stack([tangents[:, 0] * z, z, tangents[:, 1] * z])
        return (at - made.origin) @ made.rotation / made.scale

    wall = np.full(len(tangents), made.origin[1] + 0.4 * made.scale)
    after = with_round_head(made, tangents, wall)
    x, y, _ = canonical_of(wall).T
    out = np.hypot(x / 0.09, y / 0.13)
    rim, below, far = (out > 1.0) & (out < 1.2) & (y > -0.07), y < -0.145, out > 2.25
    assert all(m.sum() > 5 for m in (rim, below, far))
    assert np.abs(canonical_of(after)[rim, 2] - canonical.NECK_PIVOT[2]).max() < 0.05
    assert np.array_equal(after[below], wall[below]) and np.array_equal(after[far], wall[far])
    near = np.full(len(tangents), made.origin[1] - 0.05 * made.scale)
    assert np.array_equal(with_round_head(made, tangents, near), near)


def test_jaw_and_throat_do_not_come_before_the_face() -> None:
    """A relief that comes nearer from brow to collar, as depth maps have portraits."""
    made = subject().fit
    assert made is not None
    x, y = (a.ravel() for a in np.meshgrid(np.linspace(-0.14, 0.14, 15), np.linspace(0.05, -0.4, 46)))
    front = made.to_layer(np.column_stack([x, y, np.zeros(len(x))]))
    tangents = front[:, [0, 2]] / front[:, 1:2]
    tilted = front[:, 1] + 0.8 * made.scale * np.minimum(y, 0)
    after = behind_the_chin(made, tangents, tilted)
    assert (after >= tilted).all()
    chin, face, chest, beside = (np.abs(x) < 0.03) & (np.abs(y + 0.11) < 0.01), y > -0.05, y < -0.33, np.abs(x) > 0.12
    assert np.abs(after[chin] - front[chin, 1]).max() < 0.012 * made.scale and (tilted[chin] < front[chin, 1] - 0.07 * made.scale).all()
    assert all(np.array_equal(after[part], tilted[part]) for part in (face, chest, beside))
    falls = np.diff(tilted.reshape(46, 15)[:, 7]) < 0
    assert np.diff(after.reshape(46, 15)[:, 7])[falls].min() > -0.05 * made.scale  # no step on the way to the chest
    most = np.full(len(x), float(np.median(tilted[chin])))
    held = behind_the_chin(made, tangents, tilted, most)
    assert (held <= np.maximum(tilted, most) + 1e-12).all() and (held >= tilted).all() and (held[chin] < after[chin]).all()


def test_what_stands_behind_a_person_is_known(tmp_path) -> None:
    """The wall, hidden or seen; the person's own depth and what stands before do not count."""
    made = portrait.layering()
    photo = LayeredPhoto(
        tmp_path / "layers", "portrait", portrait.SIZE, portrait.CAMERA, portrait.NEAR, portrait.FAR, 0.5, 1.0,
        "photo.png", "depth.npy", (512, 512), made.layers, made.levels,
    )  # fmt: skip
    write_layered(photo, {**made.files, "depth.npy": made.d, "photo.png": b""})
    found = source_of(photo, portrait.source().rays, portrait.NAME)
    assert found is not None and found.behind is not None
    own = found.levels == found.level
    assert np.array_equal(found.behind[found.levels > found.level], made.d[found.levels > found.level])
    assert (found.behind[own] < made.d[own]).all() and (found.behind[own] > 0).any()
    places = np.array(((224.0, 105.0), (20.0, 20.0)))
    most = most_distances(found, places, 0.01)
    assert most is not None and most[1] == pytest.approx(found.metres(found.behind[:47, :47].max()) - 0.01, rel=1e-4)
    assert most_distances(portrait.source(), places, 0.01) is None


# Pictures --------------------------------------------------------------------------------------------------------------------


def pictures() -> Pictures:
    face = portrait.person().face
    assert face is not None
    return make_pictures(portrait.photo(), subject(), face, portrait.source())


def test_the_iris_is_found_where_it_is() -> None:
    found = pictures().irises
    assert all(iris.certain for iris in found.values())
    right, left = found[Part.EYE_RIGHT], found[Part.EYE_LEFT]
    assert abs(right.x - 202.9) < 1.2 and abs(right.y - 100.3) < 1.5 and 3.2 < right.radius < 5.2
    assert abs(left.x - 246.3) < 1.2 and abs(left.y - 102.7) < 1.5 and 3.2 < left.radius < 5.2


def test_pictures_keep_the_photo_where_it_shows_and_paint_the_rest() -> None:
    made = pictures()
    for part, picture in made.eyes.items():
        h, w = picture.cover.shape
        box = np.array(picture.box) * 512
        assert np.allclose(box, np.round(box))
        left, top, right, bottom = np.round(box).astype(int)
        crop = cv2.resize(portrait.photo()[top:bottom, left:right], (w, h), interpolation=cv2.INTER_CUBIC)
        kept = (picture.cover == 0) & (picture.rim == 0)
        assert kept.sum() > 100 and np.array_equal(picture.colour[kept], crop[kept])
        y, x = np.mgrid[:h, :w]
        shares = np.column_stack(
            [(left + (x.ravel() + 0.5) / w * (right - left)) / 512, (top + (y.ravel() + 0.5) / h * (bottom - top)) / 512]
        )
        within = inside(shares, subject().openings[part]).reshape(h, w)
        assert ((picture.cover == 0) != within).mean() < 0.01
        # A round iris in a white: dark all around its middle, brighter beyond, also under the lids.
        iris = made.irises[part]
        ix, iy, r = (iris.x - left) * w / (right - left), (iris.y - top) * h / (bottom - top), iris.radius * w / (right - left)
        luma = picture.colour.mean(-1)
        out = np.hypot(x - ix, y - iy) / r
        up = y < iy
        assert luma[(out < 0.8) & up].mean() < 0.6 * luma[(out > 1.25) & (out < 1.7) & up].mean()
        assert luma[(out > 1.3)].std() < 0.12 * luma[out > 1.3].mean()  # no skin, no lashes
    assert made.mouth is not None and (made.mouth.cover == 0).sum() > 100


def test_a_synthetic_eye_is_completed() -> None:
    """Half an iris under a lid of another colour: the ring is whole in the picture, and nothing of the lid is left."""
    from addon.vision.subject_pictures import eye_picture

    photo = np.full((120, 160, 3), (200, 140, 110), np.uint8)
    y, x = np.mgrid[:120, :160]
    t = np.linspace(0, np.pi, 40)
    opening = np.concatenate(
        [np.column_stack([80 - 40 * np.cos(t), 60 - 12 * np.sin(t)]), np.column_stack([80 + 40 * np.cos(t), 60 + 14 * np.sin(t)])]
    )
    within = inside(np.column_stack([x.ravel() + 0.5, y.ravel() + 0.5]), opening).reshape(120, 160)
    eye = np.full_like(photo, (225, 220, 215))
    eye[np.hypot(x + 0.5 - 82, y + 0.5 - 60) < 18] = (60, 90, 120)
    eye[np.hypot(x + 0.5 - 82, y + 0.5 - 60) < 7] = (10, 10, 12)
    photo[within] = eye[within]
    picture, iris = eye_picture(photo, opening, np.array((80.0, 60.0)), (80.0, 60.0, 46.0))
    assert iris.certain and abs(iris.x - 82) < 1.5 and abs(iris.y - 60) < 2.5 and abs(iris.radius - 18) < 2
    scale = picture.colour.shape[1] / ((picture.box[2] - picture.box[0]) * 160)
    at = ((np.array((82, 60 - 15.5)) - (picture.box[0] * 160, picture.box[1] * 120)) * scale).astype(int)
    assert np.abs(picture.colour[at[1], at[0]].astype(int) - (60, 90, 120)).max() < 25
    far = ((np.array((50, 35)) - (picture.box[0] * 160, picture.box[1] * 120)) * scale).astype(int)
    assert np.ptp(picture.colour[far[1], far[0]].astype(int)) < 25  # white, not skin


def drawn_eye(radius: float, skin: tuple[int, int, int] = (205, 150, 120)) -> tuple[np.ndarray, np.ndarray]:
    """A photo of one eye in the middle, its iris brown, and the outline of its opening."""
    photo = np.full((120, 160, 3), skin, np.uint8)
    y, x = np.mgrid[:120, :160] + 0.5
    t = np.linspace(0, 2 * np.pi, 80)
    opening = np.column_stack([80 - 40 * np.cos(t), 60 - 16 * np.sin(t)])
    within = np.hypot((x - 80) / 40, (y - 60) / 16) < 1
    photo[within] = (220, 214, 208)
    photo[within & (np.hypot(x - 80, y - 60) < radius)] = (70, 45, 30)
    return photo, opening


def test_two_eyes_have_irises_of_one_size() -> None:
    """One eye's edge is plain, the other's is hardly to be seen beside a plainer one of something smaller: it goes by the first."""
    from addon.vision.subject_pictures import Look, find_irises

    photo, opening = drawn_eye(21.0)
    y, x = np.mgrid[:120, :160] + 0.5
    unclear = photo.copy()
    unclear[(np.hypot(x - 80, y - 60) > 14) & (photo.max(-1) < 80)] = (185, 178, 172)
    first, second = (Look.at(p, opening, np.array((80.0, 60.0)), (80.0, 60.0, 46.0)) for p in (photo, unclear))
    alone = find_irises([second])[0]
    together = find_irises([first, second])
    assert alone.certain and alone.radius < 16
    assert all(iris.certain and abs(iris.radius - 21) < 1.5 for iris in together)


def test_the_white_is_darker_under_the_lids() -> None:
    from addon.vision.subject_pictures import eye_picture

    photo, opening = drawn_eye(17.0)
    picture, _ = eye_picture(photo, opening, np.array((80.0, 60.0)), (80.0, 60.0, 46.0))
    scale = picture.colour.shape[1] / ((picture.box[2] - picture.box[0]) * 160)
    places = np.array(((55, 60), (55, 42), (55, 74))) - (picture.box[0] * 160, picture.box[1] * 120)  # seen, above and below
    seen, above, below = (picture.colour[y, x].mean() for x, y in (places * scale).astype(int))
    assert seen > 200 and 0.6 * seen < above < 0.9 * seen and 0.6 * seen < below < 0.9 * seen


def test_lids_that_an_outline_lets_in_are_no_part_of_the_iris() -> None:
    from addon.vision.subject_pictures import eye_picture

    photo, opening = drawn_eye(22.0)
    photo[:52] = photo[70:] = (205, 150, 120)  # lids over the iris, within the outline
    picture, iris = eye_picture(photo, opening, np.array((80.0, 60.0)), (80.0, 60.0, 46.0))
    scale = picture.colour.shape[1] / ((picture.box[2] - picture.box[0]) * 160)
    y, x = np.mgrid[: picture.colour.shape[0], : picture.colour.shape[1]] / scale
    x, y = x + picture.box[0] * 160 - iris.x, y + picture.box[1] * 120 - iris.y
    hidden = (np.hypot(x, y) < 0.8 * iris.radius) & (picture.cover == 255)
    assert hidden.any() and picture.colour[hidden].mean() < 110


@pytest.mark.parametrize("skin", [(225, 160, 125), (120, 78, 58)])
def test_an_eye_that_shows_no_white_gets_one_that_is_no_skin(skin: tuple[int, int, int]) -> None:
    """Beside the iris nothing is seen but the red shade of lids: what comes to light when the eye turns is off-white all the same, and not bright."""
    from addon.vision.subject_pictures import eye_picture

    photo = np.full((120, 160, 3), skin, np.uint8)
    y, x = np.mgrid[:120, :160] + 0.5
    t = np.linspace(0, 2 * np.pi, 80)
    opening = np.column_stack([80 - 40 * np.cos(t), 60 - 13 * np.sin(t)])
    photo[np.hypot((x - 80) / 40, (y - 60) / 13) < 1] = np.array(skin) * 6 // 10
    photo[np.hypot(x - 80, y - 60) < 17] = (30, 22, 20)
    photo[47 - 8 : 47] = skin
    picture, _ = eye_picture(photo, opening, np.array((80.0, 60.0)), (80.0, 60.0, 46.0))
    scale = picture.colour.shape[1] / ((picture.box[2] - picture.box[0]) * 160)
    at = ((np.array(((50, 60), (112, 62), (55, 45))) - (picture.box[0] * 160, picture.box[1] * 120)) * scale).astype(int)
    for colour in picture.colour[at[:, 1], at[:, 0]].astype(float):
        assert np.ptp(colour) / colour.max() < 0.6 * np.ptp(skin) / max(skin)
        assert 0.5 * np.mean(skin) < colour.mean() < 1.5 * np.mean(skin)


def test_the_light_in_the_mouth_follows_the_photos() -> None:
    from addon.vision.subject_pictures import light_of

    face = portrait.person(shut=True).face
    assert face is not None
    bright = np.array(light_of(portrait.photo(), face))
    dark = np.array(light_of((portrait.photo() // 3), face))
    assert (dark < 0.4 * bright).all() and (bright > 0.1).all() and (bright <= 1.2).all()
