"""Depth that is painted: operators to start, a watcher that lets the mesh follow, a handler that keeps the strokes.

The relief reads its depth image whenever Blender evaluates it, but not everything that changes pixels tells Blender to:
scripts do not, and not every brush in every version (5.2 tags a stroke in the 3D viewport; older sources ask only for a
redraw). So a timer looks at the images that are being painted and tags those whose pixels have changed. Saving forgets unsaved
pixels of packed images; a handler packs them before.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from logging import getLogger

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ..scene import compat, relief
from ..scene.build import ID, ROLE

logger = getLogger(__name__)

STROKE = "PAINT_OT_image_paint"
BUSY = 0.1
"""Seconds between two looks at what the artist is doing, while depth is painted."""
IDLE = 1.0
SETTLED = 0.5
"""Seconds at least between two comparisons of pixels, unless a stroke has just ended."""
SHARE = 0.03
"""At most this share of the time goes into comparing pixels, however large the image is."""
SOFT_BRUSH = "brushes/essentials_brushes-mesh_texture.blend/Brush/Paint Soft"


def depth_of(layer: bpy.types.Object) -> bpy.types.Image | None:
    """The depth image that a layer follows; None if the object is no layer of ours, has lost its image, or is of a film."""
    modifier = relief.relief_modifier(layer)
    image = None if modifier is None else compat.get_modifier_input(modifier, "Depth")
    return None if image is None or image.source == "SEQUENCE" else image


def layer_to_paint(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object if it is a layer, else a visible layer of the same photo, else the scene's only visible one."""
    active = context.view_layer.objects.active
    if active is not None and depth_of(active) is not None:
        return active if active.visible_get() else None
    layers = [o for o in context.view_layer.objects if o.get(ROLE) == "layer" and o.visible_get() and depth_of(o) is not None]
    same = [o for o in layers if active is not None and ID in active and o.get(ID) == active[ID]]
    if same:
        return same[0]
    return layers[0] if len(layers) == 1 else None


# What is painted -------------------------------------------------------------------------------------------------------


def _is_depth(image: bpy.types.Image | None) -> bool:
    return image is not None and image.get(ROLE) == "depth"


def painted_images() -> Iterator[bpy.types.Image]:
    """The depth images that a brush can reach now, in any window; one may come twice."""
    for window in bpy.context.window_manager.windows:
        active = window.view_layer.objects.active
        tool = window.scene.tool_settings.image_paint
        if active is not None and active.mode == "TEXTURE_PAINT" and tool.mode == "IMAGE" and _is_depth(tool.canvas):
            yield tool.canvas
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "IMAGE_EDITOR" and space.mode == "PAINT" and _is_depth(space.image):
                yield space.image


def _stroke_is_running() -> bool:
    return any(o.bl_idname == STROKE for w in bpy.context.window_manager.windows for o in w.modal_operators)


class _Watcher:
    """What is known of the painted images' pixels. Images are known by Blender's number for them, never by reference."""

    def __init__(self) -> None:
        self.sums: dict[int, int] = {}
        self.buffer: NDArray[np.float32] | None = None
        self.stroke = False
        self.next = 0.0

    def forget(self) -> None:
        self.sums.clear()
        self.buffer = None
        self.stroke = False
        self.next = 0.0

    def look(self) -> float:
        """Let the mesh follow what was painted since the last look; returns the seconds until the next one."""
        # A stroke in the viewport holds on to the mesh that it began on, so nothing may move before it has ended.
        if _stroke_is_running():
            self.stroke = True
            return BUSY
        painted = {image.session_uid: image for image in painted_images()}
        gone = self.sums.keys() - painted.keys()
        if gone:
            # The artist has just stopped painting, or has undone that far.
            self.compare([i for i in bpy.data.images if i.session_uid in gone and _is_depth(i)])
            for uid in gone:
                del self.sums[uid]
        if not painted:
            self.forget()
            return IDLE
        now = time.monotonic()
        if self.stroke or now >= self.next or painted.keys() - self.sums.keys():
            self.stroke = False
            self.compare(painted.values())
            taken = time.monotonic() - now
            self.next = now + max(SETTLED, taken / SHARE)
        return BUSY

    def compare(self, images: Iterator[bpy.types.Image] | list[bpy.types.Image]) -> None:
        for image in images:
            known, found = self.sums.get(image.session_uid), self.checksum(image)
            self.sums[image.session_uid] = found
            # An image that was not watched before may have been painted in the meantime: better once too often.
            if found != known:
                image.update_tag()

    def checksum(self, image: bpy.types.Image) -> int:
        """A number that changes with the pixels: 12 to 20 ms for 4 megapixels, most of it the sum itself."""
        size = len(image.pixels)
        if self.buffer is None or self.buffer.size != size:
            self.buffer = np.empty(size, np.float32)
        if size:
            image.pixels.foreach_get(self.buffer)
        return zlib.crc32(self.buffer)


_watcher = _Watcher()


def watch() -> float:
    """The timer. Blender drops a timer that raises, and then no stroke would ever be seen again."""
    try:
        return _watcher.look()
    except (AttributeError, ReferenceError, RuntimeError):
        logger.exception("Painted depth could not be looked at")
        _watcher.forget()
        return IDLE


@persistent
def look_soon(*_: object) -> None:
    """After undo and redo: look again at the next tick."""
    _watcher.next = 0.0


@persistent
def forget(*_: object) -> None:
    """After another file was loaded."""
    _watcher.forget()


@persistent
def keep_strokes(*_: object) -> None:
    """Before saving: pack those images of ours whose pixels are newer than what is packed."""
    for image in bpy.data.images:
        if ROLE in image and image.is_dirty and image.library is None:
            try:
                image.pack()
            except RuntimeError:
                logger.exception("%s: its painted pixels could not be packed", image.name)


# Operators -------------------------------------------------------------------------------------------------------------


def _set_up_colours(context: bpy.types.Context) -> None:
    """White and black for the scene, once: while a depth image is the canvas, the artist's own choices stay."""
    settings = context.scene.tool_settings
    tool = settings.image_paint
    # Black and white make sense for depth, and strokes that move things a little. All of it belongs to the scene, so that
    # no brush of the artist's is changed.
    unified = getattr(tool, "unified_paint_settings", None) or settings.unified_paint_settings  # the tool's own since 5.0
    unified.use_unified_color = unified.use_unified_strength = True
    unified.color, unified.secondary_color = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    unified.strength = 0.2
    # Faces between near and far are seen at a grazing angle; they would keep their old depth and stand out as splinters.
    tool.use_normal_falloff = False


def _take_soft_brush(context: bpy.types.Context) -> None:
    """Only in Texture Paint mode: before it Blender may crash when it is given a brush."""
    if hasattr(context.scene.tool_settings.image_paint, "brush_asset_reference"):  # assets since 4.3; before, the standard one is soft
        try:
            bpy.ops.brush.asset_activate(asset_library_type="ESSENTIALS", relative_asset_identifier=SOFT_BRUSH)
        except RuntimeError:
            logger.info("Blender's soft brush is not there; the current one is used")


def _image_editors(context: bpy.types.Context) -> Iterator[bpy.types.Area]:
    if context.screen is not None:
        yield from (area for area in context.screen.areas if area.type == "IMAGE_EDITOR")


def _hide_edges(context: bpy.types.Context, depth: bpy.types.Image) -> None:
    """Let the picture be seen where it is shown, and not the edges of a mesh with as many faces as it has pixels."""
    for area in _image_editors(context):
        space = area.spaces.active
        if space.image == depth:
            name = "show_uv" if hasattr(space.uv_editor, "show_uv") else "show_texpaint"  # renamed in 4.5
            setattr(space.uv_editor, name, False)


def _keep_off_the_margin(mesh: bpy.types.Mesh) -> None:
    """Hide the faces past the photo's border, as far as painting is concerned: Blender shows and renders them all the same.

    Their UV leave the image, and a brush that touches them would come in again on the image's opposite side.
    """
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[relief.PHOTO_UV].data.foreach_get("uv", uv)
    first = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", first)
    if len(first) == 0:
        return
    outside = ((uv < 0) | (uv > 1)).reshape(-1, 2).any(1)
    mesh.polygons.foreach_set("hide", np.logical_or.reduceat(outside, first))
    mesh.update()


def _to_object_mode(context: bpy.types.Context) -> None:
    active = context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


class STILLSCAPE_OT_paint_depth(bpy.types.Operator):
    bl_idname = "stillscape.paint_depth"
    bl_label = "Paint Depth"
    bl_description = "Paint the depth map of this layer in the 3D viewport: white comes nearer, black goes away, and X swaps the two"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if layer_to_paint(context) is not None:
            return True
        cls.poll_message_set("Select a visible layer of a photo that Stillscape has made into a scene")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = layer_to_paint(context)
        depth = layer and depth_of(layer)
        if layer is None or depth is None:
            self.report({"ERROR"}, "Select a visible layer of a photo that Stillscape has made into a scene.")
            return {"CANCELLED"}
        if not depth.is_editable:
            self.report({"ERROR"}, f"{depth.name} is linked from another file; make it local to paint it.")
            return {"CANCELLED"}
        _to_object_mode(context)
        for other in context.view_layer.objects:
            if other is not layer and other.select_get():
                other.select_set(False)
        layer.select_set(True)
        context.view_layer.objects.active = layer
        own = layer.data.uv_layers.get(relief.PHOTO_UV)
        if own is not None:
            layer.data.uv_layers.active = own
            _keep_off_the_margin(layer.data)
        tool = context.scene.tool_settings.image_paint
        first = not (tool.mode == "IMAGE" and _is_depth(tool.canvas))
        tool.mode = "IMAGE"
        tool.canvas = depth
        bpy.ops.object.mode_set(mode="TEXTURE_PAINT")
        if first:
            _set_up_colours(context)
            _take_soft_brush(context)
        _hide_edges(context, depth)
        return {"FINISHED"}


class STILLSCAPE_OT_stop_painting(bpy.types.Operator):
    bl_idname = "stillscape.stop_painting"
    bl_label = "Stop Painting"
    bl_description = "Leave Texture Paint mode"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        active = context.view_layer.objects.active
        if active is not None and active.mode == "TEXTURE_PAINT":
            return True
        cls.poll_message_set("Nothing is being painted in the 3D viewport")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        _to_object_mode(context)
        look_soon()
        return {"FINISHED"}


class STILLSCAPE_OT_edit_depth_image(bpy.types.Operator):
    bl_idname = "stillscape.edit_depth_image"
    bl_label = "Show Depth in Image Editor"
    bl_description = "Show the depth map of this layer in an Image Editor, ready to be painted"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if layer_to_paint(context) is None:
            cls.poll_message_set("Select a visible layer of a photo that Stillscape has made into a scene")
            return False
        if next(_image_editors(context), None) is None:
            cls.poll_message_set("Change one of the areas of this window to an Image Editor first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = layer_to_paint(context)
        area = next(_image_editors(context), None)
        depth = layer and depth_of(layer)
        if depth is None or area is None:
            self.report({"ERROR"}, "Select a layer of a photo, and change one of the areas of this window to an Image Editor.")
            return {"CANCELLED"}
        space = area.spaces.active
        if space.image != depth and not _is_depth(context.scene.tool_settings.image_paint.canvas):
            _set_up_colours(context)
        space.image = depth
        space.mode = "PAINT"
        _hide_edges(context, depth)
        area.tag_redraw()
        return {"FINISHED"}


CLASSES = (STILLSCAPE_OT_paint_depth, STILLSCAPE_OT_stop_painting, STILLSCAPE_OT_edit_depth_image)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(CLASSES)
_HANDLERS = (("save_pre", keep_strokes), ("load_post", forget), ("undo_post", look_soon), ("redo_post", look_soon))


def register() -> None:
    """Register the operators, the handlers and the timer."""
    _register_classes()
    for name, function in _HANDLERS:
        getattr(bpy.app.handlers, name).append(function)
    bpy.app.timers.register(watch, first_interval=IDLE, persistent=True)


def unregister() -> None:
    """Take away all that `register` has added."""
    if bpy.app.timers.is_registered(watch):
        bpy.app.timers.unregister(watch)
    for name, function in reversed(_HANDLERS):
        getattr(bpy.app.handlers, name).remove(function)
    _unregister_classes()
    _watcher.forget()
