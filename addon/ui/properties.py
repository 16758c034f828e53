"""The settings of `spec.py` as Blender properties, generated, and back.

A setting that may be None becomes two properties: `use_<name>` and `<name>`. Property names are those of the command line
with underscores, so that none meets a name of Blender's own (`name`).
"""

from __future__ import annotations

import zlib
from dataclasses import Field, asdict, fields
from math import degrees, radians
from typing import Any

import bpy

from .. import spec as specs
from ..scene import compat
from ..vision.depth import estimators

_FIRST_VALUES: dict[str, Any] = {
    "fov": 50.0, "near": 1.5, "far": 12.0, "ratio": 8.0, "known_size": 1.8, "network_size": 518, "size": (1920, 1080),
    "frames": 72, "seconds": 3.0, "fps": 24.0, "interaxial": 0.063, "convergence": 3.0, "cone": 35.0, "reserve": 0.08,
    "at": (0.5, 0.5), "f_stop": 2.8, "relight": 0.7,
}  # fmt: skip
"""What an optional setting shows once it is switched on."""

_PATHS = {"file": "FILE_PATH", "folder": "DIR_PATH"}

_AUTOMATIC = ("auto", "Automatic", "The depth map if one is given, else the best that is there")


def attribute(f: Field) -> str:
    """The name of a setting's property."""
    return specs.flag(f).replace("-", "_")


def choices(f: Field) -> specs.Choices:
    """What a menu offers for a setting: its own choices or, for the depth source, what is installed."""
    if f.name == "estimator":
        return (_AUTOMATIC, *((e.name, e.label, e.help) for e in estimators().values()))
    return specs.meta(f).choices


def annotations_of(section: type, **more: Any) -> dict[str, Any]:
    """The annotations of a class that holds the settings of one section; `more` goes to every property."""
    found: dict[str, Any] = {}
    for f in fields(section):
        m = specs.meta(f)
        if m.optional:
            text = f"Set {m.label} instead of having it worked out"
            found[f"use_{attribute(f)}"] = bpy.props.BoolProperty(
                name=f"Use {m.label}", description=text, default=f.default is not None, **more
            )
        found[attribute(f)] = _property(f, **more)
    return found


def _property(f: Field, **more: Any) -> Any:
    m = specs.meta(f)
    default = f.default if f.default is not None else _FIRST_VALUES[f.name]
    common: dict[str, Any] = {"name": m.label, "description": m.help.rstrip("."), **more}
    options = choices(f)
    if options:
        # The number is what a .blend file keeps, so it must not depend on what else is installed.
        items = [(key, label, text, "NONE", zlib.crc32(key.encode()) & 0x7FFFFFFF) for key, label, text in options]
        return bpy.props.EnumProperty(items=items, default=default, **common)
    turn = radians if m.unit == "deg" else float
    if m.kind == "colour":
        return bpy.props.FloatVectorProperty(size=3, default=default, min=0, max=1, subtype="COLOR_GAMMA", **common)
    if m.kind in ("float", "pair", "point"):
        limits = {"min": turn(m.minimum), "max": turn(m.maximum)} if m.minimum is not None and m.maximum is not None else {}
        if m.kind in ("pair", "point"):
            return bpy.props.FloatVectorProperty(size=2, default=default, **limits, **common)
        unit = {"m": {"subtype": "DISTANCE"}, "deg": {"subtype": "ANGLE"}}.get(m.unit, {})
        return bpy.props.FloatProperty(default=turn(default), **limits, **unit, **common)
    if m.kind in ("int", "size"):
        limits = {"min": int(m.minimum), "max": int(m.maximum)} if m.minimum is not None and m.maximum is not None else {}
        if m.kind == "size":
            return bpy.props.IntVectorProperty(size=2, default=default, **limits, **common)
        return bpy.props.IntProperty(default=default, **limits, **common)
    if m.kind == "bool":
        return bpy.props.BoolProperty(default=default, **common)
    if m.kind in _PATHS:
        common["options"] = compat.path_options() | common.get("options", {"ANIMATABLE"})
        common["subtype"] = _PATHS[m.kind]
    return bpy.props.StringProperty(default=default, **common)


def values_of(group: Any, section: type) -> dict[str, Any]:
    """The values of one section by field name, as the settings have them."""
    return {f.name: _value(group, f) for f in fields(section)}


def _value(group: Any, f: Field) -> Any:
    m = specs.meta(f)
    name = attribute(f)
    if m.optional and not getattr(group, f"use_{name}"):
        return None
    value = getattr(group, name)
    if m.kind == "float":
        return _decimal(degrees(value) if m.unit == "deg" else value)
    if m.kind in ("pair", "point", "colour", "size"):
        return tuple(int(v) if m.kind == "size" else _decimal(v) for v in value)
    return bpy.path.abspath(value) if m.kind in _PATHS and value else value


def _decimal(value: float) -> float:
    """What was typed: Blender keeps single precision, which would turn 0.1 into 0.10000000149."""
    return float(f"{value:.6g}")


def set_values(group: Any, section: type, values: Any) -> None:
    """Set the properties of one section from an object of its dataclass."""
    for f in fields(section):
        m = specs.meta(f)
        value = getattr(values, f.name)
        if m.optional:
            setattr(group, f"use_{attribute(f)}", value is not None)
        if value is not None:
            setattr(group, attribute(f), radians(value) if m.unit == "deg" else value)


def to_spec(settings: Any, machine: Any = None) -> specs.SceneSpec:
    """The settings of a scene (`scene.stillscape`), with those of this machine, checked.

    Raises UsageError with every error that they have.
    """
    built = {name: cls(**values_of(getattr(settings, name), cls)) for name, cls in sections()}
    if machine is not None:
        values = values_of(machine, specs.MachineSpec)
        built["machine"] = specs.MachineSpec(**{**values, "offline": values["offline"] or not bpy.app.online_access})
    return specs.check(specs.SceneSpec(**built))


def from_spec(settings: Any, spec: specs.SceneSpec) -> None:
    """Set the settings of a scene from `spec`; those of the machine stay with the machine."""
    for name, cls in sections():
        set_values(getattr(settings, name), cls, getattr(spec, name))


def sections() -> list[tuple[str, type]]:
    """The sections that belong to a scene."""
    return [(name, cls) for name, cls in specs.sections() if cls is not specs.MachineSpec]


def same(a: Any, b: Any) -> bool:
    """Whether two objects of one dataclass hold the same values."""
    return asdict(a) == asdict(b)


def _group(name: str, section: type) -> type[bpy.types.PropertyGroup]:
    body = {"__doc__": section.__doc__, "__module__": __name__, "__annotations__": annotations_of(section)}
    return type(f"STILLSCAPE_PG_{name}", (bpy.types.PropertyGroup,), body)


_GROUPS = {name: _group(name, cls) for name, cls in sections()}


class STILLSCAPE_PG_settings(bpy.types.PropertyGroup):
    """The settings of a scene."""

    __annotations__ = {
        **{name: bpy.props.PointerProperty(type=group) for name, group in _GROUPS.items()},
        "output": bpy.props.StringProperty(
            name="Film",
            description="Where the film goes; the ending chooses the format (.mp4, .mov, .webm, .mkv, .webp or .gif). Left empty: beside the .blend file, under the photo's name",
            subtype="FILE_PATH",
            options=compat.path_options() | {"ANIMATABLE"},
        ),
        "landmark_mirror": bpy.props.BoolProperty(name="X Mirror", description="Move the point on the other side of the face along"),
        "landmark_snap": bpy.props.BoolProperty(name="Snap to Edge", description="Move dragged points onto the nearest edge of the photo"),
    }


_register_classes, _unregister_classes = bpy.utils.register_classes_factory((*_GROUPS.values(), STILLSCAPE_PG_settings))


def register() -> None:
    _register_classes()
    bpy.types.Scene.stillscape = bpy.props.PointerProperty(type=STILLSCAPE_PG_settings, name="Stillscape")


def unregister() -> None:
    del bpy.types.Scene.stillscape
    _unregister_classes()
