"""The aim: an empty at the subject, which the camera is focused on and which a lamp of ours looks at."""

from __future__ import annotations

import bpy
from mathutils import Vector

from ..moves import Stage
from .relief import TORN

ROLE = "aim"
PLACED = "stillscape_aim"
"""Where we put it, on the empty itself: as long as it stands there, it goes with the relief's numbers."""
_LAYERS = 64  # surfaces that a ray may go through, torn faces included


def new_aim(name: str, root: bpy.types.Object, collection: bpy.types.Collection, stage: Stage) -> bpy.types.Object:
    """An empty under `root` at the stage's focus point."""
    aim = bpy.data.objects.new(name, None)
    aim.empty_display_type = "SPHERE"
    aim.hide_render = True
    collection.objects.link(aim)
    aim.parent = root
    aim["stillscape_role"] = ROLE
    place_aim(aim, stage)
    return aim


def place_aim(aim: bpy.types.Object, stage: Stage) -> None:
    """Put the aim to the stage's focus point."""
    aim.location = (stage.aim_x * stage.focus, stage.focus, stage.aim_y * stage.focus)
    aim[PLACED] = list(aim.location)
    aim.empty_display_size = 0.03 * stage.focus


def is_moved(aim: bpy.types.Object) -> bool:
    """Whether the artist has put the aim elsewhere."""
    placed = aim.get(PLACED)
    return placed is None or (Vector(aim.location) - Vector(placed)).length > 1e-4 * max(Vector(placed).length, 1e-4)


def find_aim(root: bpy.types.Object) -> bpy.types.Object | None:
    """The aim of the photo whose root this is; None in files of older versions."""
    return next((o for o in root.children if o.get("stillscape_role") == ROLE), None)


def aimed(stage: Stage, aim: bpy.types.Object | None) -> Stage:
    """The stage with its focus where the artist has put the aim; as it is if it was not moved or is behind the camera."""
    if aim is None or not is_moved(aim) or aim.location.y <= 1e-4:
        return stage
    x, y, z = aim.location
    return stage._replace(focus=y, aim_x=x / y, aim_y=z / y)


def set_lens(camera: bpy.types.Object, aim: bpy.types.Object | None, f_stop: float | None) -> None:
    """Focus the camera on the aim, with depth of field as a full-frame camera has it at `f_stop`; None for none.

    The sensor is 36 mm long, so that lens and f-stop mean what they mean to a photographer, as far as the scene's metres
    are right.
    """
    dof = camera.data.dof
    dof.use_dof = f_stop is not None
    dof.focus_object = aim
    if f_stop is not None:
        dof.aperture_fstop = f_stop


def seen_point(layers: tuple[bpy.types.Object, ...], depsgraph: bpy.types.Depsgraph, origin: Vector, direction: Vector) -> Vector | None:
    """The first point of the photo's surfaces on a ray in world space; faces between two depths do not count. None if it meets none."""
    best: tuple[float, Vector] | None = None
    for layer in layers:
        shape = layer.evaluated_get(depsgraph)
        back = shape.matrix_world.inverted()
        start = back @ origin
        way = (back.to_3x3() @ direction).normalized()
        torn = shape.data.attributes.get(TORN)
        for _ in range(_LAYERS):
            hit, place, _, face = shape.ray_cast(start, way)
            if not hit:
                break
            if torn is None or torn.domain != "FACE" or torn.data[face].value < 0.5:
                point = shape.matrix_world @ place
                distance = (point - origin).length
                if best is None or distance < best[0]:
                    best = distance, point
                break
            start = place + way * max(1e-6, 1e-5 * place.length)
    return None if best is None else best[1]
