"""The sidebar tab "Stillscape"."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..output.formats import LOOPS
from ..scene.relief import NUMBERS
from ..scene.rig_play import rigs_under
from ..spec import FilmSpec, LayersSpec, PhotoSpec, ReliefSpec, RenderSpec, RigSpec
from . import tasks
from .amount import draw_safe
from .depth import draw_depth
from .focus import draw_focus
from .layers import draw_layers
from .layout import draw_section
from .light import draw_light
from .move import draw_move
from .scenery import active_scenery
from .stereo import draw_stereo
from .subject import draw_actions, draw_subject


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Stillscape"

    def settings(self, layout: bpy.types.UILayout) -> bpy.types.UILayout:
        """The column in which settings are drawn, with their names on the left."""
        layout.use_property_split, layout.use_property_decorate = True, False
        return layout.column()


class _SubPanel(_Panel):
    bl_parent_id = "VIEW3D_PT_stillscape"


class VIEW3D_PT_stillscape(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape"
    bl_label = "Stillscape"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        task = tasks.current()
        if task is not None:
            layout.progress(factor=task.share, text=f"{task.share:.0%}  {task.message}", type="BAR")
            layout.label(text="Esc: Cancel")
            return
        layout.operator("stillscape.import_photo", text="Import Photo…", icon="FILE_IMAGE")
        photo = active_scenery(context)
        layout.label(text=photo.collection.name if photo is not None else "No photo is selected", icon="IMAGE_PLANE", translate=False)


class VIEW3D_PT_stillscape_photo(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_photo"
    bl_label = "Photo"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        column.label(text="For the next import:")
        draw_section(column, context.scene.stillscape.photo, PhotoSpec)


class VIEW3D_PT_stillscape_depth(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_depth"
    bl_label = "Depth"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        photo = active_scenery(context)
        if photo is None:
            settings = context.scene.stillscape
            column.label(text="For the next import:")
            draw_depth(column, settings.depth)
            draw_section(column, settings.relief, ReliefSpec)
            return
        for name in NUMBERS[:3]:
            column.prop(photo.root, f'["{name}"]', text=name)
        row = column.row(align=True)
        if context.mode == "PAINT_TEXTURE":
            row.operator("stillscape.stop_painting", icon="CHECKMARK")
        else:
            row.operator("stillscape.paint_depth", icon="BRUSH_DATA")
        row.operator("stillscape.edit_depth_image", text="", icon="IMAGE_DATA")


class VIEW3D_PT_stillscape_next_depth(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_next_depth"
    bl_parent_id = "VIEW3D_PT_stillscape_depth"
    bl_label = "Next Import"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_scenery(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        draw_depth(column, context.scene.stillscape.depth)
        draw_section(column, context.scene.stillscape.relief, ReliefSpec)


class VIEW3D_PT_stillscape_layers(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_layers"
    bl_label = "Layers"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        photo = active_scenery(context)
        settings = context.scene.stillscape.layers
        if photo is None:
            column.label(text="For the next import:")
            draw_section(column, settings, LayersSpec)
            return
        draw_layers(column, photo)
        column.separator()
        if len(photo.layers) > 1:
            column.prop(photo.root, '["Tear"]', text="Tear Now")
            column.separator()
        draw_section(column, settings, LayersSpec)
        column.operator("stillscape.rebuild_layers", icon="FILE_REFRESH")
        column.operator("stillscape.bake_layers", icon="MESH_GRID")


class VIEW3D_PT_stillscape_subject(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_subject"
    bl_label = "Subject"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        photo = active_scenery(context)
        if photo is None:
            column.label(text="Select a photo, or import one")
            return
        draw_subject(column, context, photo)


class VIEW3D_PT_stillscape_actions(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_actions"
    bl_parent_id = "VIEW3D_PT_stillscape_subject"
    bl_label = "Actions"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        photo = active_scenery(context)
        return photo is not None and bool(rigs_under(photo.root))

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        draw_actions(layout, context)


class VIEW3D_PT_stillscape_networks(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_subject_networks"
    bl_parent_id = "VIEW3D_PT_stillscape_subject"
    bl_label = "Networks of Your Own"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_section(
            self.settings(self.layout), context.scene.stillscape.rig, RigSpec, only=("face_network", "face_detector", "pose_network")
        )


class VIEW3D_PT_stillscape_move(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_move"
    bl_label = "Camera Move"
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        settings = context.scene.stillscape.move
        draw_move(column, settings)
        draw_safe(column, active_scenery(context), settings)
        column.operator("stillscape.apply_move", icon="VIEW_CAMERA")


class VIEW3D_PT_stillscape_focus(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_focus"
    bl_parent_id = "VIEW3D_PT_stillscape_move"
    bl_label = "Focus"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_focus(self.settings(self.layout), context)


class VIEW3D_PT_stillscape_light(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_light"
    bl_label = "Light"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        draw_light(self.settings(self.layout), context)


class VIEW3D_PT_stillscape_render(_SubPanel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_render"
    bl_label = "Render"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        settings = context.scene.stillscape
        draw_section(column, settings.render, RenderSpec, only=("engine", "samples", "size"))
        column.operator_menu_enum("stillscape.film_size", "size", text="Size by Name")
        draw_section(column, settings.film, FilmSpec, only=("framing",))
        draw_section(column, settings.render, RenderSpec, without=("engine", "samples", "size"))
        column.prop(settings, "output")
        column.separator()
        column.operator("stillscape.render_film", icon="RENDER_ANIMATION")
        column.operator("stillscape.set_up_render", icon="SCENE")


class VIEW3D_PT_stillscape_format(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_format"
    bl_parent_id = "VIEW3D_PT_stillscape_render"
    bl_label = "Film"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        film = context.scene.stillscape.film
        suffix = Path(context.scene.stillscape.output).suffix.lower() or ".mp4"
        row = column.row()
        row.active = suffix not in LOOPS
        row.prop(film, "codec")
        draw_section(column, film, FilmSpec, only=("quality",))
        row = column.row()
        row.active = suffix in (".mov", ".webm", ".webp")
        row.prop(film, "alpha")
        draw_section(column, film, FilmSpec, only=("dither", "grain"))
        row = column.row()
        row.active = film.grain > 0
        row.prop(film, "grain_seed")


class VIEW3D_PT_stillscape_sound(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_sound"
    bl_parent_id = "VIEW3D_PT_stillscape_render"
    bl_label = "Sound"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        column = self.settings(self.layout)
        film = context.scene.stillscape.film
        column.prop(film, "audio")
        more = column.column()
        more.active = bool(film.audio)
        draw_section(more, film, FilmSpec, only=("audio_volume", "audio_fade_in", "audio_fade_out", "audio_loop"))


class VIEW3D_PT_stillscape_stereo(_Panel, bpy.types.Panel):
    bl_idname = "VIEW3D_PT_stillscape_stereo"
    bl_parent_id = "VIEW3D_PT_stillscape_render"
    bl_label = "Stereo and VR"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        draw_stereo(self.settings(self.layout), context, active_scenery(context))


_CLASSES = (
    VIEW3D_PT_stillscape,
    VIEW3D_PT_stillscape_photo,
    VIEW3D_PT_stillscape_depth,
    VIEW3D_PT_stillscape_next_depth,
    VIEW3D_PT_stillscape_layers,
    VIEW3D_PT_stillscape_subject,
    VIEW3D_PT_stillscape_actions,
    VIEW3D_PT_stillscape_networks,
    VIEW3D_PT_stillscape_move,
    VIEW3D_PT_stillscape_focus,
    VIEW3D_PT_stillscape_light,
    VIEW3D_PT_stillscape_render,
    VIEW3D_PT_stillscape_format,
    VIEW3D_PT_stillscape_sound,
    VIEW3D_PT_stillscape_stereo,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)
