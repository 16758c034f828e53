"""The photo's camera as a Blender camera, and a shot as its keyframes."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

import bpy
from mathutils import Matrix

from ..move_easing import ELASTIC_AMPLITUDE, ELASTIC_PERIOD, OVERSHOOT
from ..moves import BY_SLOPES, Marker, Shot, channels_at_key
from ..vision.geometry import Framing
from . import compat

SENSOR = 36.0  # mm along the longer side, so that lens lengths read as on a full-frame camera

_EASINGS = {"in": "EASE_IN", "out": "EASE_OUT", "in-out": "EASE_IN_OUT"}
_MOVED = {"location", "rotation_euler"}
_LENS = {"lens", "shift_x", "shift_y"}
"""What a move keys on the camera object and on its data; other animation there is the artist's."""


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


class _Curve(NamedTuple):
    """One channel of a move: whose it is, its values at the keys, and what they are in units of `moves.Channels`."""

    owner: bpy.types.ID
    path: str
    index: int
    values: list[float]
    scale: float
    channel: int


def animate(camera: bpy.types.Object, shot: Shot) -> None:
    """Replace the camera's move by the shot's keyframes. A shot of one keyframe is a still and is not animated.

    Only channels that change are keyed; zoom becomes lens keyframes relative to the lens at rest, which the camera must
    have before. Drivers and other animated channels of the camera stay.
    """
    data = camera.data
    camera.rotation_mode = "XYZ"
    rest_lens, rest_shift, tan_rest = _rest(data)
    compat.remove_fcurves(camera, _MOVED)
    compat.remove_fcurves(data, _LENS)
    keys = shot.keyframes
    channels = [channels_at_key(key, 2 * tan_rest) for key in keys]
    tangent = SENSOR / rest_lens  # of the fitted side, in whose lengths Blender counts shifts
    curves = [_Curve(camera, "location", i, [c[i] for c in channels], 1.0, i) for i in range(3)]
    curves += [_Curve(camera, "rotation_euler", i, [math.radians(c[3 + i]) for c in channels], math.radians(1), 3 + i) for i in range(3)]
    curves.append(_Curve(data, "lens", -1, [rest_lens * c[6] for c in channels], rest_lens, 6))
    for i, path in enumerate(("shift_x", "shift_y")):
        curves.append(_Curve(data, path, -1, [rest_shift[i] * c[6] + c[7 + i] / tangent for c in channels], 1 / tangent, 7 + i))
    for curve in curves:
        _set(curve, curve.values[0])
        if any(abs(value - curve.values[0]) > 1e-9 * curve.scale for value in curve.values):
            _key(curve, shot, rest_shift)


def _set(curve: _Curve, value: float) -> None:
    if curve.index < 0:
        setattr(curve.owner, curve.path, value)
    else:
        getattr(curve.owner, curve.path)[curve.index] = value


def _key(curve: _Curve, shot: Shot, rest_shift: tuple[float, float]) -> None:
    """Key one channel; the joins of the shot become interpolation, easing and handles of Blender's."""
    keys = shot.keyframes
    curve.owner.keyframe_insert(curve.path, index=curve.index, frame=keys[0].frame, group="Camera Move")
    found = next(c for c in compat.fcurves(curve.owner) if c.data_path == curve.path and c.array_index == max(curve.index, 0))
    points = found.keyframe_points
    points.add(len(keys) - 1)
    for point, key, value in zip(points, keys, curve.values):
        point.co = (key.frame, value)
        point.handle_left_type = point.handle_right_type = "AUTO_CLAMPED"
        # One easing for all channels: they must not come apart.
        point.back, point.amplitude, point.period = OVERSHOOT, 0.0, 0.0
    for point, following, key in zip(points, points[1:], keys):
        ease, name = key.join or (shot.ease, "sine")
        if ease in ("smooth", BY_SLOPES[0]):
            point.interpolation = "BEZIER"
        else:
            point.interpolation = "LINEAR" if ease == "linear" else name.upper()
            point.easing = _EASINGS.get(ease, "AUTO")
        point.amplitude = ELASTIC_AMPLITUDE * abs(following.co[1] - point.co[1])
        point.period = ELASTIC_PERIOD * (following.co[0] - point.co[0])
    for i, (point, key) in enumerate(zip(points, keys)):
        sides = [_slope(curve, slopes, rest_shift) for slopes in key.slopes]
        if sides == [None, None]:
            continue
        near, x, y = [points[max(0, i - 1)].co, points[min(len(keys) - 1, i + 1)].co], *point.co
        for name, other, slope in zip(("left", "right"), near, sides):
            flat = slope if slope is not None else next(s for s in sides if s is not None)
            reach = (other[0] - x) / 3 or (x - near[1 if name == "left" else 0][0]) / 3
            setattr(point, f"handle_{name}_type", "FREE")
            setattr(point, f"handle_{name}", (x + reach, y + flat * reach))
        known = [slope for slope in sides if slope is not None]
        if max(known) - min(known) <= 1e-3 * max(map(abs, known)) + 1e-9 * curve.scale:  # which they stay when an artist drags one
            point.handle_left_type = point.handle_right_type = "ALIGNED"
    found.update()


def _slope(curve: _Curve, slopes: tuple[float, ...] | None, rest_shift: tuple[float, float]) -> float | None:
    """Change per frame of a channel in Blender's units."""
    if slopes is None:
        return None
    # What a lens is shifted by at rest grows with the zoom.
    own = rest_shift[curve.channel - 7] * slopes[6] if curve.channel >= 7 else 0.0
    return slopes[curve.channel] * curve.scale + own


def _rest(data: bpy.types.Camera) -> tuple[float, tuple[float, float], float]:
    """Lens and shift of the camera at rest, and half the photo's width in tangents."""
    lens = float(data.get("stillscape_lens", data.lens))
    shift = tuple(data.get("stillscape_shift", (data.shift_x, data.shift_y)))
    return lens, (float(shift[0]), float(shift[1])), float(data.get("stillscape_tan", 0.0)) or SENSOR / lens / 2


def zoom_now(data: bpy.types.Camera) -> tuple[float, tuple[float, float]]:
    """Zoom and offset of a photo's camera at the scene's frame, as a `moves.Keyframe` counts them."""
    lens, shift, _ = _rest(data)
    x, y = (now * SENSOR / data.lens - rest * SENSOR / lens for now, rest in zip((data.shift_x, data.shift_y), shift))
    return data.lens / lens, (x, y)


def remember_rest(data: bpy.types.Camera, photo_tan_width: float) -> None:
    """Note lens and shift at rest and half the photo's width in tangents, so that a later zoom knows what it is against."""
    data["stillscape_lens"] = data.lens
    data["stillscape_shift"] = [data.shift_x, data.shift_y]
    data["stillscape_tan"] = photo_tan_width / 2


def reframe(data: bpy.types.Camera, framing: Framing, near: float, far: float, photo_tan_width: float) -> None:
    """`frame_camera` for a camera that has its move already: zooms and shifts that are keyed go along."""
    lens, shift, _ = _rest(data)
    zoom_curve = next((c for c in compat.fcurves(data) if c.data_path == "lens"), None)
    zooms = {} if zoom_curve is None else {f: zoom_curve.evaluate(f) / lens for c in compat.fcurves(data) for f in _frames(c)}
    frame_camera(data, framing, near, far)
    remember_rest(data, photo_tan_width)
    ratio = data.lens / lens
    for curve in compat.fcurves(data):
        if curve.data_path not in _LENS:
            continue
        axis = {"shift_x": 0, "shift_y": 1}.get(curve.data_path)
        rest = None if axis is None else (shift[axis], float(data["stillscape_shift"][axis]))
        for point in curve.keyframe_points:
            for name in _POINT:
                x, y = getattr(point, name)
                # A shift is (that at rest + what the move adds) times the zoom; what it adds counts in lengths of the fitted side.
                new = y * ratio if rest is None else y * ratio + (rest[1] - rest[0] * ratio) * zooms.get(x, zooms.get(point.co[0], 1.0))
                setattr(point, name, (x, new))
        curve.update()


class LensState(NamedTuple):
    """What `reframe` changes of a camera: its properties, its rest, and the points of its lens curves by path."""

    values: dict[str, Any]
    rest: dict[str, Any]
    keys: dict[str, list[tuple[tuple[float, ...], ...]]]


_FRAMED = ("lens", "sensor_fit", "sensor_width", "sensor_height", "shift_x", "shift_y", "clip_start", "clip_end")
_REST = ("stillscape_lens", "stillscape_shift", "stillscape_tan")
_POINT = ("handle_left", "co", "handle_right")


def lens_state(data: bpy.types.Camera) -> LensState:
    """The state to put back later, in plain values."""
    rest = {name: list(data[name]) if name == "stillscape_shift" else float(data[name]) for name in _REST if name in data}
    keys = {
        curve.data_path: [tuple(tuple(getattr(point, name)) for name in _POINT) for point in curve.keyframe_points]
        for curve in compat.fcurves(data)
        if curve.data_path in _LENS
    }
    return LensState({name: getattr(data, name) for name in _FRAMED}, rest, keys)


def put_lens_back(data: bpy.types.Camera, state: LensState) -> None:
    """Undo `reframe`. Curves that have got other keys since stay as they are."""
    for name, value in state.values.items():
        setattr(data, name, value)
    for name, value in state.rest.items():
        data[name] = value
    for curve in compat.fcurves(data):
        kept = state.keys.get(curve.data_path, [])
        if len(kept) == len(curve.keyframe_points):
            for point, places in zip(curve.keyframe_points, kept):
                for name, place in zip(_POINT, places):
                    setattr(point, name, place)
            curve.update()


def _frames(curve: bpy.types.FCurve) -> set[float]:
    return {getattr(point, name)[0] for point in curve.keyframe_points for name in _POINT}


_MARKERS = "stillscape_markers"


def mark(scene: bpy.types.Scene, root: bpy.types.Object, shot: Shot) -> None:
    """Give `scene` the shot's markers in place of those of the photo's former shot; markers that were moved or renamed stay."""
    ours = [Marker(*entry) for entry in json.loads(root.get(_MARKERS, "[]"))]
    for marker in [m for m in scene.timeline_markers if Marker(m.name, m.frame) in ours]:
        scene.timeline_markers.remove(marker)
    for name, frame in shot.markers:
        scene.timeline_markers.new(name, frame=frame)
    if shot.markers or ours:
        root[_MARKERS] = json.dumps(shot.markers)
