"""The photo's camera as a Blender camera, and a shot as its keyframes."""

from __future__ import annotations

import math

import bpy
from mathutils import Matrix

from ..moves import Shot
from ..vision.geometry import Framing
from . import compat

SENSOR = 36.0  # mm along the longer side, so that lens lengths read as on a full-frame camera

# (interpolation, easing) of Blender's own for every ease of the settings. A sine is gentle enough for a slow camera.
_EASES = {
    "linear": ("LINEAR", "AUTO"),
    "in": ("SINE", "EASE_IN"),
    "out": ("SINE", "EASE_OUT"),
    "in-out": ("SINE", "EASE_IN_OUT"),
    "smooth": ("BEZIER", "AUTO"),
}


def frame_camera(data: bpy.types.Camera, framing: Framing, near: float, far: float) -> None:
    """Set lens, sensor, shift and clip distances so that the camera at rest sees exactly `framing`.

    near, far: metres to the nearest and farthest point of the scene.
    """
    landscape = framing.tan_width >= framing.tan_height
    tangent = framing.tan_width if landscape else framing.tan_height
    data.type = "PERSP"
    data.sensor_fit = "HORIZONTAL" if landscape else "VERTICAL"
    data.sensor_width = data.sensor_height = SENSOR
    data.lens_unit = "MILLIMETERS"
    data.lens = SENSOR / tangent
    # Blender counts shifts in lengths of the fitted side.
    data.shift_x = framing.tan_x / tangent
    data.shift_y = framing.tan_y / tangent
    data.clip_start = max(near * 0.02, 1e-4)
    data.clip_end = far * 4


def new_camera(name: str, root: bpy.types.Object, collection: bpy.types.Collection) -> bpy.types.Object:
    """A camera under `root` whose location and rotation are zero where the photo was taken.

    The root looks along y with z up; a camera looks along -z with y up. The turn between them is in the parent inverse,
    which keeps the animated channels in the photo camera's own axes.
    """
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    collection.objects.link(camera)
    camera.parent = root
    camera.matrix_parent_inverse = Matrix.Rotation(math.radians(90), 4, "X")
    camera.rotation_mode = "XYZ"
    return camera


def animate(camera: bpy.types.Object, shot: Shot) -> None:
    """Replace the camera's animation by the shot's keyframes. A shot of one keyframe is a still and is not animated.

    Only channels that change are keyed; `fov` becomes lens keyframes relative to the lens at rest, which the camera must
    have before.
    """
    camera.animation_data_clear()
    rest_lens = float(camera.data.get("stillscape_lens", camera.data.lens))
    tan_rest = float(camera.data.get("stillscape_tan", 0.0)) or SENSOR / rest_lens / 2
    camera.data.animation_data_clear()
    keys = shot.keyframes

    def lens(fov: float | None) -> float:
        return rest_lens if fov is None else rest_lens * tan_rest / math.tan(math.radians(fov) / 2)

    first = keys[0]
    camera.location = first.location
    camera.rotation_euler = tuple(math.radians(a) for a in first.rotation)
    camera.data.lens = lens(first.fov)
    if len(keys) == 1:
        return
    for key in keys:
        camera.location = key.location
        camera.rotation_euler = tuple(math.radians(a) for a in key.rotation)
        for path in ("location", "rotation_euler"):
            for axis in range(3):
                if any(_channel(k, path)[axis] != _channel(first, path)[axis] for k in keys):
                    camera.keyframe_insert(path, index=axis, frame=key.frame, group="Camera Move")
        if any(k.fov != first.fov for k in keys):
            camera.data.lens = lens(key.fov)
            camera.data.keyframe_insert("lens", frame=key.frame)
    interpolation, easing = _EASES[shot.ease]
    for curve in compat.fcurves(camera) + compat.fcurves(camera.data):
        for point in curve.keyframe_points:
            point.interpolation = interpolation
            point.easing = easing
        curve.update()


def _channel(key: object, path: str) -> tuple[float, float, float]:
    return key.location if path == "location" else key.rotation  # type: ignore[attr-defined]


def remember_rest(data: bpy.types.Camera, photo_tan_width: float) -> None:
    """Note the lens at rest and half the photo's width in tangents, so that a later `fov` keyframe knows what it is against."""
    data["stillscape_lens"] = data.lens
    data["stillscape_tan"] = photo_tan_width / 2
