"""Focus and light in the window's panels."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector

from addon.scene.aim import find_aim
from addon.ui import focus, scenery
from addon.ui.clicking import share_of

from .photos import before_a_wall, imported
from .test_registration import Recorder

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("registered")]
WIDTH, HEIGHT = 96, 72


@pytest.fixture
def photo(tmp_path: Path) -> scenery.Scenery:
    """A photo of something at 2 m before a wall at 6 m, as a scene."""
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    bpy.context.scene.stillscape.move.frames = 4
    return imported(before_a_wall(tmp_path / "photo.png", picture, np.s_[20:44, 60:84]))


def test_the_subject_is_found_and_the_aim_is_there(photo):
    aim = scenery.aim(photo)
    assert aim is not None and aim["stillscape_id"] == photo.collection["stillscape_id"] and aim.name == "photo Aim"
    assert aim.location.y == pytest.approx(2.0, rel=0.02)
    seen = scenery.stage(photo)
    assert seen.focus == pytest.approx(2.0, rel=0.02) and seen.aim_x > 0.05


def test_a_picked_point_moves_the_aim_and_the_next_move(photo):
    assert bpy.ops.stillscape.pick_focus(at=(0.2, 0.8)) == {"FINISHED"}
    aim, seen = scenery.aim(photo), scenery.stage(photo)
    assert aim.location.y == pytest.approx(6.0, rel=0.02) and seen.focus == pytest.approx(6.0, rel=0.02)
    assert seen.aim_x == pytest.approx(-0.3 * seen.tan_width, rel=0.02) and seen.aim_y == pytest.approx(
        -0.3 * seen.tan_width * 0.75, rel=0.02
    )
    assert photo.camera.data.dof.focus_object == aim
    assert bpy.ops.stillscape.find_focus() == {"FINISHED"}
    assert scenery.stage(photo).focus == pytest.approx(2.0, rel=0.02)


def test_a_point_of_the_photo_is_where_the_photo_shows_it(photo):
    assert share_of(photo, focus.point_at(bpy.context, photo, (0.2, 0.8))) == pytest.approx((0.2, 0.8), abs=1e-5)
    assert share_of(photo, Vector((0, 3, 0))) == pytest.approx((0.5, 0.5))


def test_an_aim_moved_by_hand_counts(photo):
    scenery.aim(photo).location = (0.5, 4.0, -1.0)
    seen = scenery.stage(photo)
    assert (seen.focus, seen.aim_x, seen.aim_y) == pytest.approx((4.0, 0.125, -0.25))
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    assert tuple(scenery.aim(photo).location) == pytest.approx((0.5, 4.0, -1.0))


def test_the_aim_goes_with_the_relief_when_the_move_is_made_anew(photo):
    before = scenery.stage(photo)
    for name in ("Near", "Far"):
        photo.root[name] *= 2
    photo.root.update_tag()
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    assert scenery.aim(photo).location.y == pytest.approx(2 * before.focus, rel=1e-3)
    assert bpy.ops.stillscape.pick_focus(at=(0.2, 0.8)) == {"FINISHED"}
    assert scenery.stage(photo).focus == pytest.approx(12.0, rel=0.02)


def test_a_file_without_aim_and_light_still_works(photo):
    """As it was built before there were any."""
    bpy.data.objects.remove(scenery.aim(photo))
    for name in [k for k in photo.root.keys() if k in ("Relight", "Haze", "stillscape_aim_x", "stillscape_aim_y")]:
        del photo.root[name]
    seen = scenery.stage(photo)
    assert (seen.aim_x, seen.aim_y) == (0, 0) and seen.focus == pytest.approx(2.0, rel=0.02)
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="import the photo again to light it"):
        bpy.ops.stillscape.apply_light()
    assert bpy.ops.stillscape.pick_focus(at=(0.2, 0.8)) == {"FINISHED"}
    assert find_aim(photo.root) is not None


def test_light_is_put_up_changed_and_taken_away(photo):
    settings = bpy.context.scene.stillscape.light
    settings.light, settings.light_side = "sun", 0.5
    assert bpy.ops.stillscape.apply_light() == {"FINISHED"}
    lamp = bpy.data.objects["photo Light"]
    assert lamp.data.type == "SUN" and photo.root["Relight"] == pytest.approx(0.7) and lamp.location.x > scenery.aim(photo).location.x
    photo.root["Relight"] = 0.4
    settings.light = "window"
    assert bpy.ops.stillscape.apply_light() == {"FINISHED"}
    assert bpy.data.objects["photo Light"].data.type == "AREA" and photo.root["Relight"] == pytest.approx(0.4)
    settings.light = "none"
    assert bpy.ops.stillscape.apply_light() == {"FINISHED"}
    assert "photo Light" not in bpy.data.objects and photo.root["Relight"] == 0


def test_the_panels_are_drawn(photo):
    seen: list[str] = []
    for name in ("focus", "light"):
        panel = getattr(bpy.types, f"VIEW3D_PT_stillscape_{name}")
        panel.draw(type("Panel", (), {"layout": Recorder(seen), "settings": getattr(panel, "settings", None)})(), bpy.context)
    assert {"stillscape.pick_focus", "stillscape.find_focus", "stillscape.apply_light", '["Haze"]', '["Relight"]'} <= set(seen)


def test_use_for_render_brings_what_the_light_needs(photo):
    scene = bpy.context.scene
    scene.stillscape.light.light = "area"
    bpy.ops.stillscape.apply_light()
    bpy.ops.stillscape.set_up_render()
    assert scene.cycles.samples >= 32 and scene.cycles.use_adaptive_sampling
    scene.stillscape.light.light = "none"
    bpy.ops.stillscape.apply_light()
    bpy.ops.stillscape.set_up_render()
    assert scene.cycles.samples == scene.stillscape.render.samples and not scene.cycles.use_adaptive_sampling
