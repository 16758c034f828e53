"""Light other than the photo's own: what the materials follow on the root, and the lamp.

Everything that a film may change over time is a custom property of the root empty, or Blender's own on the lamp.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import bpy
import numpy as np

from ..spec import LightSpec
from ..vision.texture import srgb_to_linear
from . import compat

ROLE = "lamp"
KIND = "stillscape_lamp"
RELIGHT = "Relight"
FILL = "Fill Light"
HAZE = "Haze"
HAZE_DISTANCE = "Haze Distance"
HAZE_COLOUR = "Haze Color"
VIGNETTE = "Vignette"
RELIT = 0.7
"""Where a lamp was asked for and nothing said of how much it counts."""

_WARM, _COOL = (1.0, 0.5, 0.16), (0.45, 0.68, 1.0)  # linear; a candle, and a clear sky
_LUMA = (0.2126, 0.7152, 0.0722)


class _Kind(NamedTuple):
    """type: Blender's. away: distance in those of the subject. size: width and height, in shares of it. cool: a color of its own."""

    type: str
    away: float
    size: tuple[float, float]
    cool: float = 0.0


_KINDS = {
    "sun": _Kind("SUN", 1.0, (0.0, 0.0)),
    "area": _Kind("AREA", 1.0, (0.5, 0.5)),
    "window": _Kind("AREA", 0.9, (0.8, 1.4), 0.25),
}
_SUN_ANGLE = math.radians(8.0)  # much larger than the sun: the relief's own edges are rough


def set_numbers(root: bpy.types.Object, light: LightSpec, focus: float) -> None:
    """Write what the materials follow on the root, where a panel shows it. focus: metres to the subject."""
    relight = light.relight if light.relight is not None else RELIT if light.lamp != "none" else 0.0
    for name, value, high, text in (
        (RELIGHT, relight, 1.0, "0 shows the photo as shot, 1 a surface that only lamps and fill light show"),
        (FILL, light.fill, 1.0, "Light in the shadows, as a share of the photo's own"),
        (HAZE, light.haze, 10.0, "1 hides 63 % of what is at the haze distance"),
        (VIGNETTE, light.vignette, 1.0, "How much darker the corners of the picture are"),
    ):
        root[name] = float(value)
        root.id_properties_ui(name).update(min=0.0, max=high, soft_max=min(high, 1.0), description=text)
    root[HAZE_DISTANCE] = float(focus)
    root.id_properties_ui(HAZE_DISTANCE).update(min=1e-4, max=1e7, subtype="DISTANCE", description="Distance that the haze is measured by")
    root[HAZE_COLOUR] = [float(c) for c in linear(light.haze_colour)]
    root.id_properties_ui(HAZE_COLOUR).update(min=0.0, max=1.0, subtype="COLOR", description="Color of the haze")
    root.update_tag()


def linear(colour: tuple[float, float, float]) -> tuple[float, ...]:
    """A color of the settings (sRGB, 0 to 1) in linear light."""
    return tuple(float(c) for c in srgb_to_linear(np.asarray(colour, np.float32)))


def drive(surface: bpy.types.Node, root: bpy.types.Object, *, sky: bool) -> None:
    """Let a photo material's surface node follow the numbers on the root. sky: it shines itself and is never lit."""
    for socket, name in (("Relight", RELIGHT), ("Fill Light", FILL), ("Vignette", VIGNETTE)):
        if not (sky and socket == "Relight"):
            _follow(surface.inputs[socket].driver_add("default_value").driver, "value", root, ("value", f'["{name}"]'))
    density = surface.inputs["Haze"].driver_add("default_value").driver
    _follow(density, "haze / max(away, 0.0001)", root, ("haze", f'["{HAZE}"]'), ("away", f'["{HAZE_DISTANCE}"]'))
    for channel in range(3):
        driver = surface.inputs["Haze Color"].driver_add("default_value", channel).driver
        _follow(driver, "value", root, ("value", f'["{HAZE_COLOUR}"][{channel}]'))


def _follow(driver: bpy.types.Driver, expression: str, root: bpy.types.Object, *variables: tuple[str, str]) -> None:
    driver.type = "SCRIPTED"
    driver.expression = expression
    for name, path in variables:
        variable = driver.variables.new()
        variable.name = name
        variable.targets[0].id = root
        variable.targets[0].data_path = path


def has_numbers(root: bpy.types.Object) -> bool:
    """Whether the photo's materials know of light; not in files of older versions."""
    return RELIGHT in root


def find_lamp(root: bpy.types.Object) -> bpy.types.Object | None:
    """The lamp of ours of the photo whose root this is."""
    return next((o for o in root.children if o.get("stillscape_role") == ROLE), None)


def set_lamp(
    name: str, light: LightSpec, root: bpy.types.Object, aim: bpy.types.Object, collection: bpy.types.Collection
) -> bpy.types.Object | None:
    """Make, change or take away the photo's lamp as `light` says; returns it.

    It stands off the aim and looks at it. At strength 1 a white surface that faces it at the aim is as bright as white.
    """
    lamp = find_lamp(root)
    if light.lamp == "none":
        if lamp is not None:
            data = lamp.data
            bpy.data.objects.remove(lamp)
            if data.users == 0:
                bpy.data.lights.remove(data)
        return None
    kind = _KINDS[light.lamp]
    if lamp is None:
        lamp = bpy.data.objects.new(name, bpy.data.lights.new(name, kind.type))
        collection.objects.link(lamp)
        lamp.parent = root
        lamp["stillscape_role"] = ROLE
        look = lamp.constraints.new("TRACK_TO")
        look.target, look.track_axis, look.up_axis = aim, "TRACK_NEGATIVE_Z", "UP_Y"
        lamp.visible_camera = False
    lamp[KIND] = light.lamp
    if lamp.data.type != kind.type:
        lamp.data.type = kind.type
    data = lamp.data  # of another class since its type has changed
    focus = max(aim.location.y, 1e-4)
    distance = kind.away * focus
    side, up = math.radians(light.side), math.radians(light.height)
    to_lamp = (math.sin(side) * math.cos(up), -math.cos(side) * math.cos(up), math.sin(up))
    lamp.location = [a + distance * b for a, b in zip(aim.location, to_lamp)]
    data.color, brightness = lamp_colour(light.warmth - kind.cool)
    if kind.type == "SUN":
        data.angle = _SUN_ANGLE
        data.energy = math.pi * light.strength * brightness
    else:
        data.shape = "RECTANGLE"
        data.size, data.size_y = (s * focus for s in kind.size)
        data.energy = math.pi * light.strength * brightness * _watts(distance, data.size, data.size_y)
    return lamp


def lamp_colour(warmth: float) -> tuple[tuple[float, ...], float]:
    """(linear color with 1 as its largest part, factor that gives it the brightness of white) for -1 (cool) to 1 (warm)."""
    target = _WARM if warmth > 0 else _COOL
    share = min(1.0, abs(warmth))
    colour = [1 + (t - 1) * share for t in target]
    return tuple(colour), 1 / sum(c * w for c, w in zip(colour, _LUMA))


def _watts(distance: float, width: float, height: float) -> float:
    """What a rectangular lamp needs to light a surface that faces it from `distance` with 1 W/m².

    A lamp of P watts has the radiance P/(π·A); a rectangle seen straight on from its middle lights with the sum over its four
    quarters of L/2·(a/√(1+a²)·atan(b/√(1+a²)) + b/√(1+b²)·atan(a/√(1+b²))), a and b being half its sides over the distance.
    """
    a, b = width / 2 / distance, height / 2 / distance
    one, two = math.sqrt(1 + a * a), math.sqrt(1 + b * b)
    lit = 4 / 2 * (a / one * math.atan(b / one) + b / two * math.atan(a / two))
    return math.pi * width * height / lit


def is_relit(root: bpy.types.Object) -> bool:
    """Whether lamps count in any frame of the film."""
    if not has_numbers(root):
        return False
    path = f'["{RELIGHT}"]'
    animation = root.animation_data
    driven = animation is not None and any(curve.data_path == path for curve in animation.drivers)
    return float(root[RELIGHT]) > 0 or driven or any(curve.data_path == path for curve in compat.fcurves(root))
