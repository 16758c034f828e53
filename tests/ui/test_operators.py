"""The operators as a script calls them, in background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon import moves, ui
from addon.output import film as film_module
from addon.output import job
from addon.output.matroska import read_matroska
from addon.output.mp4 import read_film
from addon.scene import amount, compat
from addon.scene import camera as cameras
from addon.spec import MoveSpec
from addon.ui import amount as ui_amount
from addon.ui import film, process, results, scenery
from addon.vision import worker_process

from .photos import the_photo
from .test_registration import Recorder


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    ui.register()
    settings = bpy.context.scene.stillscape
    settings.depth.estimator = "plane"
    settings.relief.max_vertices = 600
    settings.move.frames = 4
    settings.render.samples = 1
    yield
    ui.unregister()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return picture(tmp_path / "tiny.png", (64, 48))


def picture(path: Path, size: tuple[int, int]) -> Path:
    pixels = np.random.default_rng(0).integers(20, 235, (size[1], size[0], 1), np.uint8).repeat(3, 2)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


def state(scene: bpy.types.Scene) -> dict[str, object]:
    """What an artist would miss, were it changed."""
    found: dict[str, object] = {"camera": scene.camera, "world": scene.world, "frame": scene.frame_current}
    for name in ("render", "cycles", "eevee", "display", "view_settings", "display_settings"):
        group = getattr(scene, name, None)
        for p in group.bl_rna.properties if group is not None else ():
            if p.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM") and not getattr(p, "is_array", False):
                found[f"{name}.{p.identifier}"] = getattr(group, p.identifier)
    for name in ("frame_start", "frame_end", "name"):
        found[name] = getattr(scene, name)
    return found


def contents() -> dict[str, list[str]]:
    kinds = ("objects", "meshes", "images", "materials", "collections", "scenes", "cameras", "node_groups", "actions", "worlds")
    return {kind: sorted(getattr(bpy.data, kind).keys()) for kind in kinds}


def bare_error(message: pytest.ExceptionInfo[RuntimeError]) -> str:
    return str(message.value).removeprefix("Error: ").splitlines()[0]


@pytest.mark.versions
def test_a_photo_becomes_a_scene_and_no_setting_changes(photo: Path) -> None:
    scene = bpy.context.scene
    before = state(scene)
    assert bpy.ops.stillscape.import_photo(filepath=str(photo)) == {"FINISHED"}
    assert state(scene) == before
    made = the_photo()
    assert made.collection.name == "tiny" and made.notes.size == (64, 48) and made.notes.frames == 4
    assert bpy.context.view_layer.objects.active == made.layers[0] and made.layers[0].select_get()
    assert all(i.packed_file is not None for i in bpy.data.images if "stillscape_role" in i)


def test_what_the_caller_sets_beats_the_scenes_settings_and_is_kept(photo: Path) -> None:
    settings = bpy.context.scene.stillscape
    settings.move.amount = 0.5
    bpy.ops.stillscape.import_photo(filepath=str(photo), strength=0.25, move="truck")
    assert the_photo().root["Strength"] == 0.25
    assert (settings.relief.strength, settings.move.move, settings.move.amount) == (0.25, "truck", 0.5)


def test_an_import_finds_the_amount_if_it_is_asked_to(photo: Path) -> None:
    assert bpy.ops.stillscape.import_photo(filepath=str(photo), move="truck", use_amount=False) == {"FINISHED"}
    safe = amount.noted(the_photo().root)
    assert safe is not None and safe.move == "truck" and safe.most > 0
    assert not bpy.context.scene.stillscape.move.use_amount
    bpy.context.scene.frame_set(4)
    wanted = moves.plan(MoveSpec(name="truck", amount=safe.most, frames=4), scenery.stage(the_photo())).keyframes[-1].location[0]
    assert the_photo().camera.location.x == pytest.approx(wanted, rel=1e-3)


def test_the_safe_amount_is_found_and_shown(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    settings = bpy.context.scene.stillscape.move
    settings.move, settings.amount = "pan", 5.0
    assert bpy.ops.stillscape.find_amount() == {"FINISHED"}
    safe = amount.noted(the_photo().root)
    assert safe is not None and settings.use_amount and settings.amount == pytest.approx(safe.most) and 0 < safe.most < 5
    assert safe.least == pytest.approx(-safe.most, rel=0.1)
    layout = Recorder()
    ui_amount.draw_safe(layout, the_photo(), settings)
    assert {"flaws", "stillscape.find_amount"} <= set(layout.seen)
    assert ui_amount.range_text(safe) == f"Safe: {safe.least:g} to {safe.most:g}"
    settings.use_amount = False
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    bpy.context.scene.frame_set(4)
    assert the_photo().camera.rotation_euler.y != 0


def test_several_photos_in_one_go(photo: Path, tmp_path: Path) -> None:
    other = picture(tmp_path / "other.png", (40, 50))
    bpy.ops.stillscape.import_photo(directory=str(tmp_path), files=[{"name": photo.name}, {"name": other.name}])
    assert {"tiny", "other"} <= set(bpy.data.collections.keys())
    assert the_photo().collection.name == "other"


def test_setting_up_the_render_on_import(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo), set_up_render=True)
    scene = bpy.context.scene
    assert scene.camera == the_photo().camera
    assert (scene.render.resolution_x, scene.render.resolution_y, scene.frame_end) == (64, 48, 4)


def test_the_second_time_needs_no_new_depth(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    monkeypatch.setattr("addon.ui.importing.make_layers", None)
    assert bpy.ops.stillscape.import_photo(filepath=str(photo), strength=0.5) == {"FINISHED"}


def test_a_changed_photo_needs_one(photo: Path) -> None:
    settings = bpy.context.scene.stillscape
    from addon.ui.properties import to_spec

    spec = to_spec(settings)
    place = results.place_of(photo, spec)
    settings.move.amount = 2
    settings.relief.strength = 0.5
    assert results.place_of(photo, to_spec(settings)) == place
    settings.depth.use_near = True
    assert results.place_of(photo, to_spec(settings)) != place
    picture(photo, (66, 48))
    assert results.place_of(photo, spec) != place


@pytest.mark.versions
def test_what_is_wrong_is_one_sentence_and_nothing_is_built(tmp_path: Path) -> None:
    before = contents()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    for path, words in ((tmp_path / "nowhere.png", "there is no such file"), (broken, "broken.png")):
        with pytest.raises(RuntimeError) as caught:
            bpy.ops.stillscape.import_photo(filepath=str(path))
        assert words in bare_error(caught) and bare_error(caught).endswith(".")
    with pytest.raises(RuntimeError, match="No photo was chosen"):
        bpy.ops.stillscape.import_photo()
    assert contents() == before


def test_buttons_without_a_photo_say_what_to_do() -> None:
    for name in ("apply_move", "render_film", "set_up_render"):
        with pytest.raises(RuntimeError, match="Select a photo"):
            getattr(bpy.ops.stillscape, name)()


@pytest.mark.versions
def test_render_film_leaves_the_scene_as_it_was(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []

    def noted(files: list[Path], *rest: object, **more: object) -> None:
        frames.extend(cv2.imread(str(f)).astype(float) for f in files)
        film_module.encode_film(files, *rest, **more)

    monkeypatch.setattr(job, "encode_film", noted)
    scene = bpy.context.scene
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    scene.frame_set(2)
    before, data = state(scene), contents()
    made = the_photo()
    layer_material = made.layers[0].data.materials[0]
    targets = [t.id for c in layer_material.node_tree.animation_data.drivers for v in c.driver.variables for t in v.targets]
    location = made.camera.matrix_world.copy()
    target = tmp_path / "out" / "film.mp4"
    assert bpy.ops.stillscape.render_film(filepath=str(target)) == {"FINISHED"}
    info = read_film(target)
    assert info.frames == 4
    assert state(scene) == before and contents() == data
    assert [t.id for c in layer_material.node_tree.animation_data.drivers for v in c.driver.variables for t in v.targets] == targets
    assert made.camera.matrix_world == location
    # The first frame is the photo, although the scene's own resolution is another: the drivers followed the film.
    assert np.abs(frames[0] - cv2.imread(str(photo))).max() <= 1
    assert np.abs(frames[3] - frames[0]).max() > 1
    shown, first = cv2.VideoCapture(str(target)).read()
    luma = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float) for picture in (first, cv2.imread(str(photo)))]
    assert shown and 10 * np.log10(255**2 / np.mean((luma[0] - luma[1]) ** 2)) > 26


def test_a_film_of_another_size_leaves_the_camera_as_it_was(photo: Path, tmp_path: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    bpy.context.scene.stillscape.render.use_size = True
    bpy.context.scene.stillscape.render.size = (32, 48)
    made = the_photo()
    lens = cameras.lens_state(made.camera.data)
    bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4"))
    assert cameras.lens_state(made.camera.data) == lens
    reader = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert reader.read()[1].shape[:2] == (48, 32)


def test_a_film_that_fails_leaves_nothing(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    before, data = state(bpy.context.scene), contents()
    (tmp_path / "file").write_text("")
    for target, words in ((tmp_path / "file" / "film.mp4", "cannot be"), (tmp_path / "film.mp4", "--frame-range")):
        with pytest.raises(RuntimeError, match=words):
            bpy.ops.stillscape.render_film(filepath=str(target))
        bpy.context.scene.stillscape.render.frame_range = "9"
    assert state(bpy.context.scene) == before and contents() == data
    assert not (tmp_path / "film.mp4").exists()


def test_where_the_film_goes(tmp_path: Path) -> None:
    scene = bpy.context.scene
    assert film.film_path(scene, "a/b#").name == "a_b_.mp4"
    scene.stillscape.output = str(tmp_path / "out")
    assert film.film_path(scene, "photo") == tmp_path / "out.mp4"
    scene.stillscape.output = str(tmp_path)
    assert film.film_path(scene, "photo") == tmp_path / "photo.mp4"
    scene.stillscape.output = "//film.mp4"
    with pytest.raises(Exception, match="save the file first"):
        film.film_path(scene, "photo")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert film.film_path(bpy.context.scene, "photo") == tmp_path / "film.mp4"
    bpy.context.scene.stillscape.output = ""
    assert film.film_path(bpy.context.scene, "photo") == tmp_path / "photo.mp4"


@pytest.mark.versions
def test_apply_move_animates_anew(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    camera = the_photo().camera
    before = {c.data_path for c in compat.fcurves(camera)}
    move = bpy.context.scene.stillscape.move
    move.move, move.frames = "orbit", 9
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    after = compat.fcurves(camera)
    assert before == {"location"} and {c.data_path for c in after} == {"location", "rotation_euler"}
    assert max(p.co[0] for c in after for p in c.keyframe_points) == 9
    assert the_photo().notes.frames == 9


def test_a_move_knows_what_the_artist_did_to_the_depth(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    made = the_photo()
    before = scenery.stage(made)
    for name in ("Near", "Far"):
        made.root[name] *= 2
    after = scenery.stage(made)
    assert after.close == pytest.approx(2 * before.close, rel=1e-4) and after.focus == pytest.approx(2 * before.focus, rel=1e-4)
    made.root["Strength"] = 0.0
    assert scenery.stage(made).close == pytest.approx(made.root["Far"], rel=1e-4)


def test_use_for_render_gives_the_scene_the_film(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    scene = bpy.context.scene
    scene.stillscape.render.use_size = True
    scene.stillscape.render.size = (40, 40)
    bpy.ops.stillscape.set_up_render()
    made = the_photo()
    assert scene.camera == made.camera and scene.render.resolution_x == 40 and scene.frame_end == 4
    assert made.notes.film == (40, 40) and scene.view_settings.view_transform == "Standard"


@pytest.mark.versions
def test_the_panel_shows_the_live_relief(photo: Path) -> None:
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    seen: list[str] = []
    panel = bpy.types.VIEW3D_PT_stillscape_depth
    panel.draw(type("Panel", (), {"layout": Recorder(seen), "settings": panel.settings})(), bpy.context)
    assert len([name for name in seen if name == "value" or name.startswith("[")]) == 3
    assert "stillscape.paint_depth" in seen


# The worker, as the window uses it


def wait(worker: process.Worker, kind: str) -> dict:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for message in worker.poll():
            if message["type"] == kind:
                return message
            assert message["type"] not in ("done", "error"), message
        time.sleep(0.02)
    raise AssertionError(kind)


@pytest.mark.versions
def test_the_window_finds_a_python_for_the_worker_and_keeps_it(photo: Path, tmp_path: Path) -> None:
    worker = process.take()
    for name in ("one", "two"):
        worker.send(photo, tmp_path / name, {"depth": {"estimator": "plane"}})
        assert wait(worker, "done")["folder"] == str(tmp_path / name)
    process.give_back(worker)
    assert bpy.app.timers.is_registered(process._tend)
    assert process.take() is worker
    process.give_back(worker)
    folder = worker.folder
    process.shut_down()
    assert not worker.running() and not folder.exists()


@pytest.mark.parametrize("grace", [worker_process.GRACE, 0.0])
def test_a_stopped_worker_is_gone_soon_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grace: float) -> None:
    monkeypatch.setattr(worker_process, "GRACE", grace)  # none: it is killed before it can tidy up
    photo = picture(tmp_path / "large.png", (4000, 3000))
    worker = process.take()
    worker.send(photo, tmp_path / "out" / "layers", {"depth": {"estimator": "plane"}})
    wait(worker, "progress")
    if grace == 0:
        (tmp_path / "out" / f".layers.{worker._process.pid}.half.tmp").mkdir(parents=True)
    process.end(worker)
    asked = time.monotonic()
    while worker in process._ending:
        process._tend()
        time.sleep(0.02)
    assert time.monotonic() - asked < worker_process.GRACE + 2
    assert not worker.running() and not worker.folder.exists()
    assert process._ending == []
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_worker_that_dies_is_an_error(photo: Path, tmp_path: Path) -> None:
    worker = process.take()
    wait(worker, "status")
    worker._process.kill()
    worker._process.wait()
    worker.send(photo, tmp_path / "out", {})
    message = worker.poll()[-1]
    assert message["type"] == "error" and "killed by the system, most likely because memory ran out" in message["message"]
    process.give_back(worker)
    assert process.take() is not worker


@pytest.mark.parametrize("name", ["film.webp", "film.mov", "film.webm"])
def test_render_film_writes_other_formats(photo: Path, tmp_path: Path, name: str) -> None:
    settings = bpy.context.scene.stillscape
    settings.film.alpha, settings.film.quality = True, 60
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    assert bpy.ops.stillscape.render_film(filepath=str(tmp_path / name)) == {"FINISHED"}
    if name == "film.webp":
        assert len(cv2.imreadanimation(str(tmp_path / name))[1].frames) == 4
    elif name == "film.mov":
        assert (read_film(tmp_path / name).codec, read_film(tmp_path / name).frames) == ("ap4h", 4)
    else:
        info = read_matroska(tmp_path / name)
        assert info.alpha and info.frames == 4


def test_what_the_settings_of_a_film_exclude_is_said_before_rendering(photo: Path, tmp_path: Path) -> None:
    settings = bpy.context.scene.stillscape
    bpy.ops.stillscape.import_photo(filepath=str(photo))
    for name, change, words in (
        ("a.mp4", {"alpha": True}, "no alpha"),
        ("a.webm", {"codec": "h265"}, "cannot be H.265"),
        ("a.mp4", {"audio": str(tmp_path / "none.wav")}, "no such file"),
        ("a.mp4", {"grain": 1.0}, "import it again"),
    ):
        for key, value in change.items():
            setattr(settings.film, key, value)
        with pytest.raises(RuntimeError, match=words):
            bpy.ops.stillscape.render_film(filepath=str(tmp_path / name))
        for key in change:
            settings.film.property_unset(key)
    assert not list(tmp_path.glob("a.*"))


def test_sizes_by_name(photo: Path) -> None:
    assert bpy.ops.stillscape.film_size(size="9:16") == {"FINISHED"}
    settings = bpy.context.scene.stillscape.render
    assert settings.use_size and tuple(settings.size) == (1080, 1920)
