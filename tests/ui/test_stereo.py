"""Stereo in the window: the panel says what the eyes will see, and Render Film makes it and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from addon import ui
from addon.output import render
from addon.output.mp4 import read_film
from addon.scene import camera as cameras
from addon.ui import film, scenery
from addon.ui import stereo as panel

from .photos import imported
from .test_operators import contents, picture, state
from .test_registration import Recorder


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    ui.register()
    settings = bpy.context.scene.stillscape
    settings.depth.estimator = "plane"
    settings.relief.max_vertices = 600
    settings.move.frames = 2
    settings.move.move = "truck"
    settings.render.samples = 1
    yield
    ui.unregister()


@pytest.fixture
def photo(tmp_path: Path) -> scenery.Scenery:
    return imported(picture(tmp_path / "tiny.png", (64, 48)))


class Words(Recorder):
    """Notes the labels, too."""

    def label(self, text: str = "", **how: object) -> None:
        self.seen.append(text)

    def __getattr__(self, name: str):
        return lambda *arguments, **how: Words(self.seen)


def drawn(photo: scenery.Scenery | None) -> list[str]:
    seen: list[str] = []
    panel.draw_stereo(Words(seen), bpy.context, photo)
    return seen


@pytest.mark.versions
@pytest.mark.parametrize(("mode", "size"), [("side-by-side", (128, 48)), ("half-top-bottom", (64, 48)), ("vr180", (96, 48))])
def test_render_film_in_stereo_leaves_the_scene_as_it_was(photo: scenery.Scenery, tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    settings = bpy.context.scene.stillscape
    settings.stereo.stereo = mode
    if mode == "vr180":
        settings.render.use_size, settings.render.size = True, (48, 48)
    data = photo.camera.data
    camera = cameras.lens_state(data), data.type
    before, there = state(bpy.context.scene), contents()
    assert bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4")) == {"FINISHED"}
    info = read_film(tmp_path / "film.mp4")
    assert (info.size, info.frames) == (size, 2)
    assert b"st3d" in (tmp_path / "film.mp4").read_bytes()
    assert state(bpy.context.scene) == before and contents() == there
    assert (cameras.lens_state(data), data.type) == camera
    assert not photo.camera.constraints


def test_view_by_view_beside_the_window(photo: scenery.Scenery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the window does it, but that each view is rendered at once: the job that runs beside a window needs one."""
    monkeypatch.setattr(render, "start_frame", render.render_one)
    settings = bpy.context.scene.stillscape
    settings.stereo.stereo = "side-by-side"
    settings.stereo.use_interaxial, settings.stereo.interaxial = True, 0.3
    before, there = state(bpy.context.scene), contents()
    made = film.Film(bpy.context, tmp_path / "film.mp4")
    steps, left_and_right = 0, []
    while made.done < len(made.numbers):
        made.start_next()
        made.take()
        steps += 1
        if made.done and not left_and_right:
            left_and_right = np.split(cv2.imread(str(film.frame_name(made._pattern, 1))), 2, axis=1)
    made.encode()
    made.end()
    assert steps == 4 and read_film(tmp_path / "film.mp4").size == (128, 48)
    assert np.abs(left_and_right[0].astype(int) - left_and_right[1]).max() > 20
    assert state(bpy.context.scene) == before and contents() == there
    assert "comfortable" in made.warning


def test_what_cannot_be_is_one_sentence_and_changes_nothing(photo: scenery.Scenery, tmp_path: Path) -> None:
    settings = bpy.context.scene.stillscape
    settings.stereo.stereo, settings.render.engine = "vr180", "workbench"
    before, there = state(bpy.context.scene), contents()
    with pytest.raises(RuntimeError, match="rendered by Cycles only"):
        bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4"))
    assert state(bpy.context.scene) == before and contents() == there


def test_a_quilt_is_named_as_displays_want_it(photo: scenery.Scenery, tmp_path: Path) -> None:
    settings = bpy.context.scene.stillscape
    settings.stereo.stereo, settings.stereo.quilt = "quilt", (2, 1)
    settings.render.use_size, settings.render.size = True, (36, 48)
    bpy.ops.stillscape.render_film(filepath=str(tmp_path / "film.mp4"))
    assert read_film(tmp_path / "film_qs2x1a0.75.mp4").size == (72, 48)


@pytest.mark.versions
def test_the_panel_tells_the_parallax_and_warns(photo: scenery.Scenery) -> None:
    group = bpy.context.scene.stillscape.stereo
    assert drawn(photo) == ["stereo", "depth_film"]
    group.stereo = "anaglyph"
    words = " ".join(drawn(photo))
    assert "Parallax: " in words and "3.3%" in words and "comfortable" not in words
    group.use_interaxial, group.interaxial = True, 1.0
    words = " ".join(drawn(photo))
    assert "Cameras: 1 m apart" in words and "bring the eyes closer together" in words
    group.stereo = "vr180"
    assert "surround" in drawn(None) and "convergence" not in drawn(None)
    whole = bpy.types.VIEW3D_PT_stillscape_stereo
    whole.draw(type("Panel", (), {"layout": Recorder([]), "settings": whole.settings})(), bpy.context)
