"""The Subject panel: people found, placed, corrected, rigged and moved, as a script calls its operators."""

from __future__ import annotations

import importlib
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon.output import people as acting
from addon.scene import compat, landmark_handles, notes, rig_play
from addon.scene import rig as rig_scene
from addon.ui import layers, scenery
from addon.vision.landmarks import CHIN, COUNT, LEFT_PUPIL, MIRROR, RIGHT_PUPIL, FacePoints, Person, from_json, to_json
from tests.scene.rig_armature import make_armature
from tests.test_rig_actions import live_link

from .photos import before_a_wall, imported, the_photo
from .test_registration import Recorder

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("registered")]
WIDTH, HEIGHT = 96, 72
CLICKS = (0.4, 0.4, 0.6, 0.4, 0.43, 0.62, 0.57, 0.62, 0.5, 0.75)
RIGGED = pytest.mark.skipif(
    not hasattr(importlib.import_module("addon.scene.rig"), "build_rigs"), reason="this tree cannot make rigs of found people yet"
)


@pytest.fixture
def photo(tmp_path: Path) -> scenery.Scenery:
    """Something at 2 m before a wall at 6 m, as a scene."""
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture[:, 48:] = 200  # an edge down the middle
    settings = bpy.context.scene.stillscape
    settings.relief.max_vertices = 5000
    settings.move.frames = 48
    return imported(before_a_wall(tmp_path / "photo.png", picture, np.s_[15:64, 20:76]))


@pytest.fixture
def placed(photo: scenery.Scenery) -> scenery.Scenery:
    assert bpy.ops.stillscape.place_face(clicks=CLICKS) == {"FINISHED"}
    return photo


def face_of(photo: scenery.Scenery, number: int = 0) -> FacePoints:
    face = notes.people_of(photo.root)[number].face
    assert face is not None
    return face


def test_five_clicks_place_a_face(photo):
    assert notes.people_of(photo.root) == ()
    assert bpy.ops.stillscape.place_face(clicks=CLICKS, kind="cat") == {"FINISHED"}
    assert bpy.ops.stillscape.place_face(clicks=CLICKS) == {"FINISHED"}
    people = notes.people_of(photo.root)
    assert [p.name for p in people] == ["Person 1", "Person 2"]
    face = face_of(photo)
    assert face.source == "clicks" and face.points[RIGHT_PUPIL] == pytest.approx((0.4, 0.4), abs=1e-5)
    assert face.points[LEFT_PUPIL] == pytest.approx((0.6, 0.4), abs=1e-5) and face.points[CHIN] == pytest.approx((0.5, 0.75), abs=1e-5)
    moved = (*CLICKS[:8], 0.5, 0.8)
    assert bpy.ops.stillscape.place_face(clicks=moved, person="Person 2") == {"FINISHED"}
    assert len(notes.people_of(photo.root)) == 2 and face_of(photo, 1).points[CHIN][1] == pytest.approx(0.8, abs=1e-5)
    with pytest.raises(RuntimeError, match="These five points are no face"):
        bpy.ops.stillscape.place_face(clicks=(0.5,) * 10)


def test_landmarks_stand_where_the_photo_shows_them(placed):
    assert bpy.ops.stillscape.show_landmarks() == {"FINISHED"}
    handles = landmark_handles.handles(placed.root)
    assert len(handles) == COUNT and len({o.name for o in handles}) == COUNT
    points = face_of(placed).points
    for o in handles:
        assert landmark_handles.place_of(o, placed.notes) == pytest.approx(points[o["stillscape_landmark"]], abs=1e-4)
        assert 1.8 < o.location.y < 2.1 and o.hide_render
    assert bpy.ops.stillscape.show_landmarks() == {"FINISHED"}
    assert landmark_handles.handles(placed.root) == []


def drag(photo: scenery.Scenery, index: int, by: tuple[float, float], push: float = 1.0) -> None:
    """Move a handle in the picture by shares of the photo; push: and along the ray of sight."""
    o = next(o for o in landmark_handles.handles(photo.root) if o["stillscape_landmark"] == index)
    place = landmark_handles.place_of(o, photo.notes)
    assert place is not None
    o.location = landmark_handles._ray(photo.notes, (place[0] + by[0], place[1] + by[1])) * o.location.y * push


def test_a_rig_is_out_of_the_way_of_landmarks(rig, placed):
    assert bpy.ops.stillscape.show_landmarks() == {"FINISHED"}
    assert not rig.visible_get() and bpy.context.active_object in landmark_handles.handles(placed.root)
    drag(placed, CHIN, (0.0, 0.01))
    bpy.ops.stillscape.apply_landmarks()
    assert not rig.visible_get()
    assert bpy.ops.stillscape.show_landmarks() == {"FINISHED"} and rig.visible_get() and not landmark_handles.handles(placed.root)
    rig.hide_set(True)  # by the artist
    bpy.ops.stillscape.show_landmarks()
    bpy.ops.stillscape.show_landmarks()
    assert not rig.visible_get()


def test_a_dragged_landmark_is_taken_over_wherever_it_is_in_depth(placed):
    before = face_of(placed).points.copy()
    bpy.ops.stillscape.show_landmarks()
    with pytest.raises(RuntimeError, match="No landmark was dragged"):
        bpy.ops.stillscape.apply_landmarks()
    drag(placed, 48, (-0.02, 0.01), push=0.5)
    assert bpy.ops.stillscape.apply_landmarks() == {"FINISHED"}
    after = face_of(placed)
    expected = before.copy()
    expected[48] += (-0.02, 0.01)
    assert after.points == pytest.approx(expected, abs=1e-4) and after.confidence[48] == 1
    # the handles stand at the new places, so that nothing counts as dragged any more
    with pytest.raises(RuntimeError, match="No landmark was dragged"):
        bpy.ops.stillscape.apply_landmarks()


def test_the_other_side_goes_along(placed):
    before = face_of(placed).points.copy()
    bpy.ops.stillscape.show_landmarks()
    drag(placed, 48, (-0.02, 0.01))
    assert bpy.ops.stillscape.apply_landmarks(mirror=True) == {"FINISHED"}
    after = face_of(placed).points
    assert after[MIRROR[48]] - before[MIRROR[48]] == pytest.approx((0.02, 0.01), abs=2e-3)


def test_a_landmark_snaps_to_an_edge(placed):
    bpy.ops.stillscape.show_landmarks()
    at = face_of(placed).points[CHIN]
    drag(placed, CHIN, (0.512 - at[0], 0.0))
    assert bpy.ops.stillscape.apply_landmarks(snap=True) == {"FINISHED"}
    assert face_of(placed).points[CHIN][0] == pytest.approx(0.5, abs=0.006)


def test_landmarks_are_saved_loaded_and_undone(placed, tmp_path):
    path = tmp_path / "people.json"
    assert bpy.ops.stillscape.save_landmarks(filepath=str(path)) == {"FINISHED"}
    assert from_json(path.read_text(), path)[0].name == "Person 1"
    people = (Person("A", None, {"neck": (0.5, 0.5)}), Person("B", face_of(placed)))
    path.write_text(to_json(people))
    assert bpy.ops.stillscape.load_landmarks(filepath=str(path)) == {"FINISHED"}
    assert [p.name for p in notes.people_of(placed.root)] == ["A", "B"]
    path.write_text("{}")
    with pytest.raises(RuntimeError, match="not a file of landmarks"):
        bpy.ops.stillscape.load_landmarks(filepath=str(path))
    assert [p.name for p in notes.people_of(placed.root)] == ["A", "B"]


def test_consent_is_kept_with_the_file_for_this_photo_alone(placed, tmp_path):
    assert not notes.consents(placed.root)
    assert bpy.ops.stillscape.confirm_rights() == {"FINISHED"}
    assert notes.consents(placed.root)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    root = the_photo().root
    assert notes.consents(root) and len(str(root["stillscape_photo"])) == 64
    root["stillscape_photo"] = "another photo"
    assert not notes.consents(root)
    assert bpy.ops.stillscape.confirm_rights(given=True) == {"FINISHED"} and notes.consents(root)
    assert bpy.ops.stillscape.confirm_rights(given=False) == {"FINISHED"} and not notes.consents(root)


def test_refusals_say_what_to_do(photo):
    for operator, sentence in (
        ("rig_face", "Nobody is known in this photo yet"),
        ("show_landmarks", "Nobody is known in this photo yet"),
        ("save_landmarks", "Nobody is known in this photo yet"),
        ("apply_landmarks", "Nobody is known in this photo yet"),
        ("add_action", "Nobody is rigged in this photo yet"),
        ("remove_rig", "Nobody is rigged in this photo yet"),
        ("rebuild_subject", "Nobody is rigged in this photo yet"),
        ("make_rig_assets", "Nobody is rigged in this photo yet"),
        ("unfollow_rigify", "Nobody is rigged in this photo yet"),
    ):
        with pytest.raises(RuntimeError, match=sentence):
            getattr(bpy.ops.stillscape, operator)()
    bpy.ops.stillscape.place_face(clicks=CLICKS)
    with pytest.raises(RuntimeError, match="Confirm first, in the Subject panel: I have the right"):
        bpy.ops.stillscape.rig_face()
    with pytest.raises(RuntimeError, match="no landmarks to apply"):
        bpy.ops.stillscape.apply_landmarks()


def test_without_a_photo_the_buttons_are_grey():
    for name in ("find_people", "place_face", "rig_face", "add_action", "load_capture", "confirm_rights"):
        assert not getattr(bpy.ops.stillscape, name).poll()


@pytest.fixture
def rig(placed: scenery.Scenery) -> bpy.types.Object:
    armature = make_armature(placed.root)
    armature["stillscape_id"] = placed.root["stillscape_id"]
    bpy.context.view_layer.objects.active = armature
    return armature


def paths(rig: bpy.types.Object) -> set[str]:
    return {curve.data_path for curve in compat.fcurves(rig)}


def test_actions_are_added_at_the_current_frame(rig):
    bpy.context.scene.frame_set(10)
    assert bpy.ops.stillscape.add_action(action="slow-smile", amount=0.5) == {"FINISHED"}
    curve = next(c for c in compat.fcurves(rig) if c.data_path == '["mouthSmileLeft"]')
    frames = [p.co[0] for p in curve.keyframe_points]
    assert frames[0] == 10 and frames[-1] == 10 + round(3.6 * 24) + 1 and 0.3 < max(p.co[1] for p in curve.keyframe_points) < 0.4
    assert bpy.ops.stillscape.add_action(action="breathe") == {"FINISHED"}
    assert bpy.ops.stillscape.add_action(action="talk", seconds=1.0, seed=4) == {"FINISHED"}
    assert {'["jawOpen"]', 'pose.bones["chest"].location'} <= paths(rig)


def test_a_talk_follows_the_films_sound(rig, tmp_path):
    import wave

    rate = 8000
    sound = np.concatenate([np.zeros(rate), 0.8 * np.sin(np.arange(rate) * 2 * np.pi * 250 / rate)])
    with wave.open(str(tmp_path / "voice.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((sound * 32767).astype("<i2").tobytes())
    bpy.context.scene.stillscape.film.audio = str(tmp_path / "voice.wav")
    assert bpy.ops.stillscape.add_action(action="talk", seconds=2.0) == {"FINISHED"}
    jaw = next(c for c in compat.fcurves(rig) if c.data_path == '["jawOpen"]')
    assert jaw.evaluate(15) < 0.05 < 0.3 < jaw.evaluate(40)
    bpy.context.scene.stillscape.rig.voice = str(tmp_path / "none.wav")
    with pytest.raises(RuntimeError, match="none.wav"):
        bpy.ops.stillscape.add_action(action="talk")


def test_a_capture_plays(rig, tmp_path):
    take = live_link(tmp_path / "take.csv", jaw=lambda t: min(1, t), yaw=lambda t: 0.1 * t)
    assert bpy.ops.stillscape.load_capture(filepath=str(take)) == {"FINISHED"}
    assert {'["jawOpen"]', 'pose.bones["head"].rotation_euler'} <= paths(rig)
    bpy.context.scene.frame_set(49)
    assert rig["jawOpen"] == pytest.approx(1, abs=0.02)
    take.write_text("no capture\n1\n")
    with pytest.raises(RuntimeError, match="not a face capture"):
        bpy.ops.stillscape.load_capture(filepath=str(take))


def test_only_the_active_person_acts(rig, placed):
    other = make_armature(placed.root, "Person 2")
    bpy.context.view_layer.objects.active = other
    assert bpy.ops.stillscape.add_action(action="blink") == {"FINISHED"}
    assert compat.fcurves(other) and not compat.fcurves(rig)
    bpy.context.view_layer.objects.active = placed.root
    assert bpy.ops.stillscape.add_action(action="nod") == {"FINISHED"}
    assert compat.fcurves(rig)


def test_assets_and_films_know_of_the_rig(rig, placed):
    assert bpy.ops.stillscape.make_rig_assets() == {"FINISHED"}
    assert len([a for a in bpy.data.actions if a.asset_data is not None]) == 22
    assert acting.note_of(placed.root) == acting.NOTE
    bpy.ops.stillscape.set_up_render()
    assert bpy.context.scene.render.use_stamp_note and bpy.context.scene.render.stamp_note_text == acting.NOTE
    assert not bpy.context.scene.render.use_stamp
    bpy.data.objects.remove(rig)
    assert acting.note_of(placed.root) == "" and rig_play.rigs_under(placed.root) == []


def test_render_film_says_that_a_person_was_animated(rig, placed, tmp_path):
    from addon.output.mp4 import read_film

    scene = bpy.context.scene
    scene.stillscape.render.samples = 1
    scene.stillscape.render.frame_range = "1-2"
    assert bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4")) == {"FINISHED"}
    assert read_film(tmp_path / "film.mp4").comment == acting.NOTE


def test_assets_have_catalogs_beside_the_saved_file(rig, tmp_path):
    catalogs = tmp_path / rig_play.CATALOG_FILE
    assert bpy.ops.stillscape.make_rig_assets() == {"FINISHED"}
    assert not catalogs.exists()  # nowhere to put them yet
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    theirs = "# mine\nVERSION 1\n\n11111111-2222-3333-4444-555555555555:Props:Props\n"
    catalogs.write_text(theirs)
    for _ in range(2):
        assert bpy.ops.stillscape.make_rig_assets() == {"FINISHED"}
        text = catalogs.read_text()
        assert text.startswith(theirs) and all(text.count(i) == 1 for i in rig_play.CATALOGS.values())
    catalogs.unlink()
    bpy.ops.stillscape.make_rig_assets()
    assert "VERSION 1" in catalogs.read_text()
    catalogs.write_text("VERSION 7\n")
    with pytest.raises(RuntimeError, match=r"blender_assets.cats.txt: cannot be added to .*VERSION 7"):
        bpy.ops.stillscape.make_rig_assets()
    assert catalogs.read_text() == "VERSION 7\n"


def test_following_needs_a_rigify_rig(rig):
    with pytest.raises(RuntimeError, match="Select the rig that Rigify has generated"):
        bpy.ops.stillscape.follow_rigify()
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Bare", bpy.data.armatures.new("Bare")))
    with pytest.raises(RuntimeError, match="none of the controls"):
        bpy.ops.stillscape.follow_rigify(rig="Bare")
    with pytest.raises(RuntimeError, match="does not follow another rig"):
        bpy.ops.stillscape.unfollow_rigify()


def drawn(name: str) -> list[str]:
    seen: list[str] = []
    panel = getattr(bpy.types, name)
    panel.draw(type("Panel", (), {"layout": Recorder(seen), "settings": getattr(panel, "settings", None)})(), bpy.context)
    return seen


def test_the_panel_is_drawn(rig, placed):
    seen = drawn("VIEW3D_PT_stillscape_subject")
    assert {"stillscape.find_people", "stillscape.confirm_rights", "stillscape.rig_face", "stillscape.rebuild_subject"} <= set(seen)
    assert "stillscape.apply_landmarks" not in seen
    bpy.ops.stillscape.show_landmarks()
    assert "stillscape.apply_landmarks" in drawn("VIEW3D_PT_stillscape_subject")
    assert bpy.types.VIEW3D_PT_stillscape_actions.poll(bpy.context)
    assert {"stillscape.load_capture", "stillscape.follow_rigify", "voice"} <= set(drawn("VIEW3D_PT_stillscape_actions"))
    assert set(drawn("VIEW3D_PT_stillscape_subject_networks")) == {"face_network", "face_detector", "pose_network"}


@RIGGED
def test_a_portrait_is_found_rigged_corrected_and_unrigged(tmp_path):
    data = pytest.importorskip("skimage.data")
    cv2.imwrite(str(tmp_path / "portrait.png"), cv2.resize(data.astronaut()[..., ::-1], (256, 256), interpolation=cv2.INTER_AREA))
    settings = bpy.context.scene.stillscape
    settings.depth.estimator = "auto"
    settings.relief.max_vertices = 20_000
    assert bpy.ops.stillscape.import_photo(filepath=str(tmp_path / "portrait.png")) == {"FINISHED"}
    assert bpy.ops.stillscape.find_people() == {"FINISHED"}
    photo = the_photo()
    assert notes.people_of(photo.root)
    bpy.ops.stillscape.confirm_rights()
    assert bpy.ops.stillscape.rig_face() == {"FINISHED"}
    photo = the_photo()
    rigs = rig_play.rigs_under(photo.root)
    assert len(rigs) == len(notes.people_of(photo.root))
    assert bpy.ops.stillscape.add_action(action="surprise") == {"FINISHED"}
    before = paths(rigs[0])
    bpy.ops.stillscape.show_landmarks()
    drag(photo, CHIN, (0.0, 0.01))
    assert bpy.ops.stillscape.apply_landmarks() == {"FINISHED"}
    assert bpy.ops.stillscape.rebuild_subject() == {"FINISHED"}
    photo = the_photo()
    assert paths(rig_play.rigs_under(photo.root)[0]) == before
    assert bpy.ops.stillscape.remove_rig() == {"FINISHED"}
    assert rig_play.rigs_under(the_photo().root) == []


@pytest.fixture
def two(tmp_path: Path) -> scenery.Scenery:
    """Two people before one wall, of whom the first is rigged."""
    data = pytest.importorskip("skimage.data")
    one = cv2.resize(data.astronaut()[:400, 40:440, ::-1], (200, 200), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "pair.png"), np.hstack([one, one[:, ::-1]]))
    settings = bpy.context.scene.stillscape
    settings.depth.estimator = "auto"
    settings.relief.max_vertices = 20_000
    assert bpy.ops.stillscape.import_photo(filepath=str(tmp_path / "pair.png")) == {"FINISHED"}
    assert bpy.ops.stillscape.find_people() == {"FINISHED"}
    photo = the_photo()
    people = notes.people_of(photo.root)
    assert len(people) == 2
    bpy.ops.stillscape.confirm_rights()
    notes.note_people(photo.root, people[:1])
    assert bpy.ops.stillscape.rig_face() == {"FINISHED"}
    photo = the_photo()
    notes.note_people(photo.root, people)
    return photo


def seen_layers(photo: scenery.Scenery) -> dict[str, bool]:
    """By the layer's owner, or its name: whether its live sheet is shown."""
    return {str(o.get("stillscape_owner", o.name)): not (o.hide_viewport or o.hide_render) for o in photo.layers}


@RIGGED
def test_rigs_follow_whatever_is_cut_anew(two):
    (first,) = rig_scene.rigs_of(two.root)
    name = first.person
    assert seen_layers(two)[name] is False and scenery.shown(two)[-1][0] == two.layers[-1]
    armature, order = first.armature, [o.name for o in two.layers]
    assert order == sorted(order)  # "pair 1 ...", "pair 2 ..."
    bpy.ops.stillscape.add_action(action="blink")
    moving = paths(armature)

    # the other person is rigged beside the first, who stays
    assert bpy.ops.stillscape.rig_face() == {"FINISHED"}
    rigs = rig_scene.rigs_of(the_photo().root)
    assert len(rigs) == 2 and armature in [r.armature for r in rigs] and paths(armature) == moving
    assert all(r.mesh[rig_scene.LAYER].get("stillscape_owner") == r.person for r in rigs)
    seen = seen_layers(the_photo())
    assert [seen.pop(r.person) for r in rigs] == [False, False] and all(seen.values())
    with pytest.raises(RuntimeError, match="Everybody in this photo is rigged already"):
        bpy.ops.stillscape.rig_face()

    # layers cut in another way: both rigs go along
    bpy.context.scene.stillscape.layers.layers = "two"
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    photo = the_photo()
    assert {r.armature for r in rig_scene.rigs_of(photo.root)} == {r.armature for r in rigs} and paths(armature) == moving
    seen = seen_layers(photo)
    assert [seen.pop(r.person) for r in rigs] == [False, False] and seen and all(seen.values())
    bpy.context.scene.stillscape.layers.layers = "off"
    with pytest.raises(RuntimeError, match="set Layers to Many"):
        bpy.ops.stillscape.rebuild_layers()
    bpy.context.scene.stillscape.layers.layers = "many"

    # one alone: what is seen of a person is the rig
    own = rig_scene.layer_of(rigs[0])
    assert own is not None
    assert bpy.ops.stillscape.solo_layer(name=own.name) == {"FINISHED"}
    assert layers.is_solo(photo, own.name) and own.hide_viewport and not rigs[0].mesh.hide_viewport and rigs[1].mesh.hide_render
    bpy.ops.stillscape.solo_layer(name=own.name)
    assert own.hide_viewport and not rigs[1].mesh.hide_render

    # baked: the sheets, not what a rig stands for
    assert bpy.ops.stillscape.bake_layers() == {"FINISHED"}
    baked = bpy.data.collections[f"{photo.collection.name} Baked"]
    assert len(baked.objects) == len(photo.layers) - 2
    assert all(o.hide_viewport and o.hide_render for o in photo.layers) and not any(r.mesh.hide_render for r in rigs)


@RIGGED
def test_people_keep_their_layers_without_a_rig(two):
    assert bpy.ops.stillscape.remove_rig() == {"FINISHED"}
    photo = the_photo()
    owner = notes.people_of(photo.root)[0].name
    sheet = next(o for o in photo.layers if o.get("stillscape_owner") == owner)
    assert all(seen_layers(photo).values())
    assert bpy.ops.stillscape.rebuild_layers() == {"FINISHED"}
    photo = the_photo()
    mine = [o for o in photo.layers if "stillscape_owner" in o]
    assert mine == [sheet] and sheet["stillscape_owner"] == owner and all(seen_layers(photo).values())
