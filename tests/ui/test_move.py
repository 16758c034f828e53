"""The Camera Move panel, and what becomes of a move that an artist has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from addon import moves, ui
from addon.output import render
from addon.scene import compat
from addon.spec import MOVES, MoveSpec, fields, move_settings
from addon.ui import film, scenery
from addon.ui.properties import attribute

from .photos import H, W, imported, red_square, the_photo
from .test_registration import Recorder

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    ui.register()
    settings = bpy.context.scene.stillscape
    settings.relief.max_vertices = 5_000
    settings.move.frames = 8
    settings.render.samples = 1
    yield
    ui.unregister()


@pytest.fixture
def photo(tmp_path: Path) -> scenery.Scenery:
    """An imported picture of a square 2 m away before a wall 6 m away."""
    return imported(red_square(tmp_path))


def keyed(photo: scenery.Scenery) -> dict:
    """Every keyframe of the camera."""
    curves = [c for owner in (photo.camera, photo.camera.data) for c in compat.fcurves(owner)]
    return {
        (c.data_path, c.array_index): [(*p.co, *p.handle_left, *p.handle_right, p.interpolation, p.easing) for p in c.keyframe_points]
        for c in curves
    }


def drawn(**settings: object) -> set[str]:
    group = bpy.context.scene.stillscape.move
    for name, value in settings.items():
        setattr(group, name, value)
    seen: list[str] = []
    panel = bpy.types.VIEW3D_PT_stillscape_move
    panel.draw(type("Panel", (), {"layout": Recorder(seen), "settings": panel.settings})(), bpy.context)
    return set(seen)


@pytest.mark.parametrize("name", [m[0] for m in MOVES])
def test_the_panel_shows_what_matters_to_the_move(name: str) -> None:
    attributes = {f.name: attribute(f) for f in fields(MoveSpec)}
    always = {attributes[n] for n in ("name", "frames", "seconds", "fps", "then", "camera_path")}
    expected = always | {attributes[n] for n in move_settings(name)} | {"use_seconds", "stillscape.apply_move"}
    expected |= {"flaws"} if "amount" in move_settings(name) else set()  # of Find Safe Amount
    assert {n for n in drawn(move=name) if n in {*attributes.values(), *expected}} == expected


def test_the_panel_leaves_out_what_another_setting_makes_idle() -> None:
    assert "ease_curve" in drawn(move="orbit", ease="in") and "ease_curve" not in drawn(ease="linear")
    seen = drawn(camera_path="//path.json")
    assert {"camera_path", "fps", "ease"} <= seen and not seen & {"move", "amount", "frames", "then"}


@pytest.mark.parametrize("name", ["push-in", "ken-burns", "circle"])
def test_a_move_changed_by_hand_outlives_a_rebuild_until_it_is_replaced(photo: scenery.Scenery, name: str) -> None:
    bpy.context.scene.stillscape.move.move = name
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    curve = next(c for owner in (photo.camera, photo.camera.data) for c in compat.fcurves(owner))
    curve.keyframe_points[-1].co[1] += 0.125
    photo.camera.keyframe_insert("scale", frame=3)
    before = keyed(photo)
    bpy.context.scene.stillscape.move.move = "truck"  # for the next time only
    photo.root["Near"] *= 0.8
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    assert keyed(the_photo()) == before
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    after = keyed(the_photo())
    assert {path for path, _ in after} == {"location", "scale"} and after[("scale", 0)] == before[("scale", 0)]


def test_a_second_import_of_the_photo_leaves_the_move_of_the_first(photo: scenery.Scenery, tmp_path: Path) -> None:
    first = photo.camera.name
    photo.camera.location.x = 0.25
    photo.camera.keyframe_insert("location", index=0, frame=5)
    before = keyed(photo)
    assert bpy.ops.stillscape.import_photo(filepath=str(tmp_path / "two.png"), move="orbit") == {"FINISHED"}
    assert the_photo().camera.name != first
    camera = bpy.data.objects[first]
    assert keyed(photo._replace(camera=camera)) == before


def test_a_chain_marks_its_parts(photo: scenery.Scenery) -> None:
    scene = bpy.context.scene
    assert not scene.timeline_markers
    scene.stillscape.move.then = "orbit 10 ease=in; zoom 6"
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    assert [(m.name, m.frame) for m in scene.timeline_markers] == [("Push In", 1), ("Orbit", 9), ("Zoom", 19)]
    assert the_photo().notes.frames == 24
    scene.stillscape.move.then = "fly 10"
    before = keyed(the_photo())
    with pytest.raises(RuntimeError, match="there is no move 'fly'"):
        bpy.ops.stillscape.apply_move()
    assert keyed(the_photo()) == before and len(scene.timeline_markers) == 3
    scene.stillscape.move.then = ""
    bpy.ops.stillscape.apply_move()
    assert not scene.timeline_markers


def test_a_zoom_is_framed_anew_with_the_film_and_put_back(photo: scenery.Scenery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film of another size shows the same middle of every view; the scene's own camera stays as it was."""
    scene = bpy.context.scene
    move = scene.stillscape.move
    move.move, move.frames, move.end_size, move.end_center = "ken-burns", 4, 0.5, (0.6, 0.4)
    bpy.ops.stillscape.apply_move()
    scene.frame_set(3)
    before = keyed(photo)
    scene.stillscape.render.use_size = True
    scene.stillscape.render.size = (32, 48)
    scene.stillscape.film.framing = "middle"
    seen: list[tuple[float, float]] = []
    render_frames = render.render_frames

    def noted(stage: bpy.types.Scene, pattern: str, numbers: list[int], **more: object) -> Iterator[render.Frame]:
        for frame in render_frames(stage, pattern, numbers, **more):
            data = the_photo().camera.data
            seen.append((data.lens, data.shift_x))
            yield frame

    monkeypatch.setattr(film.render, "render_frames", noted)
    assert bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4")) == {"FINISHED"}
    assert keyed(the_photo()) == before
    assert seen[3][0] == pytest.approx(2 * seen[0][0], rel=1e-4)
    # The middle of the view, a tenth of the photo's width to the right, in heights of the film: that side is fitted.
    assert seen[3][1] == pytest.approx(0.1 * W / H * 2, rel=1e-3)
    assert the_photo().camera.data["stillscape_lens"] == pytest.approx(photo.camera.data["stillscape_lens"])


def test_the_move_knows_where_the_photos_middle_is(photo: scenery.Scenery) -> None:
    stage = scenery.stage(photo)
    assert stage.tan_height == pytest.approx(stage.tan_width * H / W) and (stage.middle_x, stage.middle_y) == (0, 0)
    for name in moves.Stage._fields[3:]:
        del photo.root[f"stillscape_{name}"]  # a file from before there was such a thing
    assert scenery.stage(photo) == moves.Stage(*stage[:3])
