"""Films in Blender's import."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from addon import ui
from addon.output.mp4 import read_film
from addon.scene import relief
from addon.ui import scenery
from tests.vision.film_files import pan, write_film, write_sequence

from .photos import imported

COUNT = 5


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    ui.register()
    settings = bpy.context.scene.stillscape
    settings.depth.estimator = "plane"
    settings.relief.max_vertices = 600
    settings.render.samples = 1
    yield
    ui.unregister()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_film(tmp_path / "clip.mp4", pan(COUNT), 30)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The open file has a name."""
    path = tmp_path / "project" / "work.blend"
    path.parent.mkdir()
    settings = bpy.context.scene.stillscape
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert settings.relief.max_vertices == 600
    return path


def test_a_file_without_a_name_is_to_be_saved_first(clip: Path) -> None:
    with pytest.raises(RuntimeError, match=r"clip\.mp4 is a film, whose frames are kept beside the \.blend file; save the file first"):
        bpy.ops.stillscape.import_photo(filepath=str(clip))
    assert len(bpy.data.objects) == 0 and len(bpy.data.images) == 0


@pytest.mark.versions
def test_the_frames_lie_beside_the_file_and_the_move_keeps_the_films_length(clip: Path, saved: Path) -> None:
    found = imported(clip)
    assert found.notes.clip and (found.notes.frames, found.notes.fps) == (COUNT, 30)
    images = [i for i in bpy.data.images if i.source == "SEQUENCE"]
    assert len(images) == 2 and all(i.filepath_raw.startswith("//work_clip_film/") for i in images)
    assert (saved.parent / "work_clip_film" / f"depth_{COUNT:04d}.png").is_file()
    bpy.context.scene.stillscape.move.move = "truck"
    assert bpy.ops.stillscape.apply_move() == {"FINISHED"}
    found = scenery.active_scenery(bpy.context)
    assert found is not None and (found.notes.frames, found.notes.fps) == (COUNT, 30)
    assert found.layers[0].modifiers[0].node_group.name == relief.FILM_GROUP


def test_a_second_import_has_a_folder_of_its_own(clip: Path, saved: Path) -> None:
    imported(clip)
    imported(clip)
    assert sorted(p.name for p in saved.parent.glob("*_film*")) == ["work_clip_film", "work_clip_film_2"]


def test_a_sequence_by_its_pattern(saved: Path, tmp_path: Path) -> None:
    imported(write_sequence(tmp_path, pan(2)))
    assert (saved.parent / "work_shot_film" / "texture_0002.png").is_file()
    assert bpy.context.scene.collection.children[0].name == "shot"


def test_what_a_film_cannot_do_is_said(clip: Path, saved: Path) -> None:
    imported(clip)
    assert not bpy.ops.stillscape.paint_depth.poll()
    with pytest.raises(RuntimeError, match="is a film, which stays in one sheet"):
        bpy.ops.stillscape.rebuild_layers()


def test_render_film(clip: Path, saved: Path, tmp_path: Path) -> None:
    imported(clip)
    bpy.context.scene.stillscape.output = str(tmp_path / "out.mp4")
    assert bpy.ops.stillscape.render_film() == {"FINISHED"}
    info = read_film(tmp_path / "out.mp4")
    assert (info.frames, round(info.fps), info.size) == (COUNT, 30, (96, 64))


def test_a_damaged_film_is_one_sentence(clip: Path, saved: Path) -> None:
    clip.write_bytes(clip.read_bytes()[:-100])
    with pytest.raises(RuntimeError, match="cut short") as message:
        bpy.ops.stillscape.import_photo(filepath=str(clip))
    assert "Traceback" not in str(message.value)
    assert [p.name for p in saved.parent.iterdir()] == ["work.blend"] and len(bpy.data.collections) == 0
