"""The amount that is found on layers in Blender."""

from __future__ import annotations

from dataclasses import replace

import bpy
import cv2
import numpy as np
import pytest

from addon.output import job
from addon.scene import amount, notes
from addon.scene.build import stage_of
from addon.spec import DepthSpec, SceneSpec, override
from addon.vision import amounts, coverage
from addon.vision.geometry import frame_photo

pytestmark = pytest.mark.versions
WIDTH, HEIGHT = 96, 72


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    random = np.random.default_rng(0)
    pixels = cv2.resize(random.integers(40, 220, (9, 12, 3)).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), pixels)
    return path


def near_square() -> np.ndarray:
    depth = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    depth[20:56, 34:62] = 1.5
    return depth


def build(path, depth, **sections):
    np.save(path.parent / "depth.npy", depth.astype(np.float32))
    source = DepthSpec(estimator="file", file=str(path.parent / "depth.npy"), kind="depth")
    spec = override(replace(SceneSpec(), depth=source), sections)
    return job.make_scene(path, spec, bpy.context.scene, lambda share, text: None, film=False)


def notes_of(built):
    found = notes.read_notes(built.root)
    assert found is not None
    return found


def test_sheets_stand_where_the_meshes_are(photo):
    """What the nodes make of the layers, and what the search believes, are the same points."""
    built = build(photo, near_square())
    assert len(built.layers) == 2
    built.root["Strength"] = 0.7
    built.root.update_tag()
    graph = bpy.context.evaluated_depsgraph_get()
    scene = amount.look_at(built.root, built.layers, notes_of(built)).relief
    for layer, sheet in zip(built.layers, scene.sheets):
        mesh = layer.evaluated_get(graph).to_mesh()
        points = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", points)
        x, z, y = points.reshape(-1, 3).T
        columns = np.abs(sheet.tx[:, None] - x / z).argmin(0)
        rows = np.abs(sheet.ty[:, None] - y / z).argmin(0)
        assert np.allclose(sheet.tx[columns], x / z, atol=1e-5) and np.allclose(sheet.ty[rows], y / z, atol=1e-5)
        assert np.allclose(sheet.q[rows, columns], 1 / z, rtol=1e-4)


def test_a_truck_is_ended_by_what_the_limits_say_and_keyed(photo):
    built = build(photo, np.minimum(near_square(), 1.8), move={"name": "truck", "amount": None, "frames": 6})
    found = built.safe
    assert found is not None and 0.2 < found.amount < amounts.MOST and found.limit == "outside"
    last = built.shot.keyframes[-1]
    assert last.location[0] == pytest.approx(
        amounts.planned(replace(SceneSpec().move, name="truck"), stage_of(built.root), found.amount).keyframes[-1].location[0]
    )
    scene = bpy.context.scene
    scene.frame_set(6)
    assert built.camera.location.x == pytest.approx(last.location[0], rel=1e-4)
    kept = amount.noted(built.root)
    assert kept is not None and (kept.move, kept.most, kept.limit) == ("truck", found.amount, found.limit)
    again = notes_of(built)
    measure = amounts.looked_at(amount.look_at(built.root, built.layers, again).relief)
    film = coverage.view(frame_photo(again.camera, again.size, again.film), again.film)
    seen = amounts.worst(measure(film, pose) for pose in coverage.poses(built.shot, stage_of(built.root), 6))
    assert amounts.excess(seen, amounts.LIMITS)[0] <= 1


def test_a_deeper_relief_and_stricter_limits_allow_less(photo):
    built = build(photo, near_square(), layers={"mode": "off"})
    stage, move = stage_of(built.root), replace(SceneSpec().move, name="truck")
    film = notes_of(built).film

    def most(**more) -> float:
        return amount.find(built.root, built.layers, notes_of(built), stage, replace(move, **more), film, 0.0)[0].amount

    usual = most()
    assert most(flaws=0.4) < usual < most(flaws=3.0)
    built.root["Strength"] = 0.5
    assert most() > usual
    assert amount.find(built.root, built.layers, notes_of(built), stage, move, film, 0.0, both_ways=True)[1].least < 0


def test_a_layer_that_is_not_rendered_is_not_there(photo):
    built = build(photo, near_square())
    film = coverage.view(frame_photo(notes_of(built).camera, (WIDTH, HEIGHT), (WIDTH, HEIGHT)), (WIDTH, HEIGHT))
    # The wall goes on behind the square as far as the reserve, so that little of it is missing.
    for layer, least, most in zip(built.layers, (0.001, 0.8), (0.03, 0.9)):
        layer.hide_render = True
        found = coverage.shares(amount.look_at(built.root, built.layers, notes_of(built)).relief, film, coverage.REST_POSE)
        assert least < found.uncovered < most
        layer.hide_render = False


def test_what_people_look_at_comes_along(photo, monkeypatch):
    from addon.vision import pipeline
    from addon.vision.faces import Face

    face = Face(0.5, 0.5, 0.2, 0.35, 0.0, None)  # as far as the rim of the square
    monkeypatch.setattr(pipeline, "look_for", lambda colour, d, depth: replace(depth, faces=(face,)))
    given = {"move": {"name": "truck", "amount": None, "frames": 4}, "layers": {"mode": "off"}}
    built = build(photo, near_square(), **given)
    kinds = amount.attention(built.root)
    assert kinds[kinds.shape[0] // 2, kinds.shape[1] // 2] == coverage.FACE and kinds[0, 0] == coverage.REST
    # A face is of what is stretched here, so that less is allowed than without it.
    monkeypatch.undo()
    other = build(photo, near_square(), **given)
    assert built.safe is not None and other.safe is not None and built.safe.amount < other.safe.amount
    image = built.root[amount.ATTENTION]
    image.pixels.foreach_set(np.zeros(len(image.pixels), np.float32))  # an artist who does not care
    assert (amount.attention(built.root) == coverage.REST).all()


def test_layers_go_on_as_far_as_the_amount_needs(photo):
    reserves = []
    for flaws in (0.1, 2.0):
        built = build(photo, near_square(), move={"name": "truck", "amount": None, "flaws": flaws, "frames": 4})
        reserves.append(built.root["stillscape_reserve"])
        assert len(built.layers) == 2
    assert reserves[0] < reserves[1]
    fixed = build(photo, near_square(), move={"name": "truck", "amount": None, "frames": 4}, layers={"reserve": 0.1})
    assert "stillscape_reserve" not in fixed.root


def test_a_saved_scene_keeps_what_people_look_at(photo, tmp_path, monkeypatch):
    from addon.vision import pipeline
    from addon.vision.faces import Face

    monkeypatch.setattr(pipeline, "look_for", lambda colour, d, depth: replace(depth, faces=(Face(0.5, 0.5, 0.2, 0.2, 0.0, None),)))
    build(photo, near_square(), move={"name": "truck", "amount": None, "frames": 4})
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    root = next(o for o in bpy.data.objects if o.get("stillscape_role") == "root")
    assert (amount.attention(root) == coverage.FACE).any()
    assert amount.noted(root) is not None


@pytest.mark.parametrize("wide", [2, 28])
def test_frames_as_they_will_be_drawn_reveal_what_geometry_says(photo, wide):
    """Bars before a wall: what stood behind them comes to light as far as they move against it, but no farther than they are wide."""
    depth = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    starts = range(14, 80, 12) if wide == 2 else (34,)
    for left in starts:
        depth[20:56, left : left + wide] = 1.5
    built = build(photo, depth)
    again = notes_of(built)
    film = coverage.view(frame_photo(again.camera, again.size, (WIDTH, HEIGHT)), (WIDTH, HEIGHT))
    exact = amount.look_at(built.root, built.layers, again).exact
    parallax = 4  # pixels between the bars and the wall
    step = film.framing.tan_width / WIDTH * parallax / (1 / 1.5 - 1 / 4)
    found = exact(film, coverage.Pose((step, 0, 0), (0, 0, 0)))
    assert found.revealed == pytest.approx(len(starts) * 36 * min(parallax, wide) / (WIDTH * HEIGHT), rel=0.15)
    assert found.uncovered < 0.002 and found.stretched < 0.01
    assert found.outside == pytest.approx(step / 4 / film.framing.tan_width, rel=0.25)  # what the wall shows past the border
    still = exact(film, coverage.REST_POSE)
    assert still.revealed == still.outside == still.uncovered == 0


@pytest.mark.parametrize("move", ["zoom", "dolly-zoom", "push-in"])
def test_in_a_film_framed_for_the_subject_it_stays_in_its_place(photo, move):
    from bpy_extras.object_utils import world_to_camera_view

    built = build(
        photo, near_square(), move={"name": move, "amount": 1.0, "frames": 5}, render={"size": (40, 72)}, focus={"at": (0.8, 0.4)}
    )  # fmt: skip
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = built.film_size
    seen = []
    for frame in (1, 3, 5):
        scene.frame_set(frame)
        seen.append(world_to_camera_view(scene, built.camera, built.aim.matrix_world.translation))
    assert notes_of(built).framed is not None and abs(seen[0][0] - 0.5) < 0.1  # the film shows it near its middle
    assert all(abs(at[k] - seen[0][k]) < 0.004 for at in seen for k in (0, 1)), seen
