"""Registering leaves nothing behind, and the properties are the settings of spec.py."""

from __future__ import annotations

from dataclasses import fields, replace

import bpy
import pytest

from addon import spec as specs
from addon import ui
from addon.errors import UsageError
from addon.ui import importing, layout, live, process, properties

pytestmark = pytest.mark.versions


def traces() -> set[str]:
    found = set(dir(bpy.types)) | {f"operator {name}" for name in dir(bpy.ops.stillscape)}
    found |= {f"Scene.{name}" for name in dir(bpy.types.Scene)} | set(bpy.types.Scene.bl_rna.properties.keys())
    for name in dir(bpy.app.handlers):
        functions = getattr(bpy.app.handlers, name)
        if isinstance(functions, list):
            found |= {f"{name}: {getattr(f, '__qualname__', f)}" for f in functions}
    found |= {f"timer {f.__qualname__}" for f in (live.watch, process._tend) if bpy.app.timers.is_registered(f)}
    for menu in ("TOPBAR_MT_file_import", "VIEW3D_MT_image_add", "VIEW3D_MT_add"):
        draw = getattr(bpy.types, menu).draw
        found |= {f"{menu}: {f.__module__}.{f.__qualname__}" for f in getattr(draw, "_draw_funcs", ()) if "ui.menus" in f.__module__}
    return found


def test_registering_and_unregistering_leaves_nothing_twice() -> None:
    before = traces()
    ui.register()
    during = traces()
    process._watch()  # as after an import
    ui.unregister()
    assert traces() == before
    ui.register()
    assert traces() == during
    ui.unregister()
    assert traces() == before
    new = during - before
    assert {"operator import_photo", "operator paint_depth", "operator render_film", "operator apply_move", "Scene.stillscape"} <= new
    assert {"VIEW3D_PT_stillscape", "TOPBAR_MT_file_import: addon.ui.menus._draw_import"} <= new


def test_the_default_properties_are_the_default_settings(registered: None) -> None:
    assert properties.to_spec(bpy.context.scene.stillscape) == specs.SceneSpec()


FULL = specs.SceneSpec(
    photo=specs.PhotoSpec(fov=63.25, lens_shift=(0.125, -0.3), max_megapixels=12.5),
    depth=specs.DepthSpec(estimator="file", file="/tmp/a b/tiefe.png", kind="depth", near=0.1, far=23.976),
    relief=replace(specs.ReliefSpec(), strength=0.7, max_vertices=1234),
    move=specs.MoveSpec(name="orbit", amount=-1.1, frames=7, fps=29.97, ease="out", loop=True, camera_path="/tmp/path.json"),
    render=specs.RenderSpec(engine="eevee", samples=3, size=(640, 360), frame_range="1-3:2"),
)


def test_settings_survive_the_way_there_and_back(registered: None) -> None:
    settings = bpy.context.scene.stillscape
    properties.from_spec(settings, FULL)
    assert properties.to_spec(settings) == FULL
    properties.from_spec(settings, specs.SceneSpec())
    assert properties.to_spec(settings) == specs.SceneSpec()


def test_settings_are_saved_with_the_file(registered: None, tmp_path) -> None:
    properties.from_spec(bpy.context.scene.stillscape, FULL)
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert properties.to_spec(bpy.context.scene.stillscape) == FULL


def test_what_the_settings_have_wrong_is_said(registered: None) -> None:
    depth = bpy.context.scene.stillscape.depth
    depth.use_near = depth.use_far = True
    depth.near, depth.far = 5, 2
    with pytest.raises(UsageError, match="must be smaller than"):
        properties.to_spec(bpy.context.scene.stillscape)


def test_every_setting_has_a_property_of_its_own() -> None:
    names = [properties.attribute(f) for _, section in properties.sections() for f in fields(section)]
    assert len(names) == len(set(names))
    assert not set(names) & set(bpy.types.PropertyGroup.bl_rna.properties.keys())


def test_labels_and_descriptions_follow_blenders_rules(registered: None) -> None:
    kinds = [getattr(bpy.types, name) for name in dir(bpy.types) if "stillscape" in name.lower()]
    assert len(kinds) > 12
    for kind in kinds:
        for p in kind.bl_rna.properties:
            assert not p.description.endswith(".") or p.identifier.startswith("bl_"), (kind, p.identifier)
        if issubclass(kind, (bpy.types.Operator, bpy.types.Panel)):
            assert kind.bl_label[0].isupper()
            if issubclass(kind, bpy.types.Operator):
                assert kind.bl_description and not kind.bl_description.endswith("."), kind


class Recorder:
    """Stands for a UILayout and notes which properties and operators are drawn."""

    def __init__(self, seen: list[str] | None = None) -> None:
        self.__dict__["seen"] = [] if seen is None else seen

    def __setattr__(self, name: str, value: object) -> None:
        pass

    def prop(self, data: object, name: str, **how: object) -> None:
        assert name.startswith("[") or hasattr(data, name), name
        self.seen.append(name)

    def operator(self, name: str, **how: object) -> Recorder:
        self.seen.append(name)
        return self

    def panel(self, name: str, **how: object) -> tuple[Recorder, Recorder]:
        return self, self

    def __getattr__(self, name: str):
        return lambda *arguments, **how: Recorder(self.seen)


def test_a_section_is_drawn_whole(registered: None) -> None:
    recorder = Recorder()
    settings = bpy.context.scene.stillscape
    for name, section in properties.sections():
        layout.draw_section(recorder, getattr(settings, name), section)
    expected = {properties.attribute(f) for _, s in properties.sections() for f in fields(s)}
    assert expected <= set(recorder.seen)


def test_the_panels_draw_without_a_photo(registered: None) -> None:
    seen: list[str] = []
    for name in ("", "_photo", "_depth", "_move", "_render"):
        panel = getattr(bpy.types, f"VIEW3D_PT_stillscape{name}")
        stand_in = type("Panel", (), {"layout": Recorder(seen), "settings": panel.settings if name else None})()
        panel.draw(stand_in, bpy.context)
    assert {"stillscape.import_photo", "stillscape.apply_move", "stillscape.render_film", "near", "strength", "move", "output"} <= set(seen)


def test_the_import_offers_what_needs_no_new_depth(registered: None) -> None:
    offered = set(bpy.ops.stillscape.import_photo.get_rna_type().properties.keys())
    assert {"filepath", "directory", "files", "filter_glob", "set_up_render", "strength", "move", "frames"} <= offered
    assert importing.STILLSCAPE_OT_import_photo.bl_label == "Photo as 3D Scene"
