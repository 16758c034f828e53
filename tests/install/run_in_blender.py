"""Checks of the installed extension that only run inside Blender; exits 4 at the first one that fails.

    blender -b --factory-startup --python-exit-code 4 -P tests/install/run_in_blender.py -- --resources FOLDER
    python tests/install/run_in_blender.py --resources FOLDER --zip FILE

FOLDER is BLENDER_USER_RESOURCES of this run. With --zip the extension is installed first, by Blender's operator (Blender
as a Python module has no command line); otherwise it must be there. No pytest here: a Blender has none.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

PACKAGE = "bl_ext.user_default.stillscape"
EXTENDED = ("Scene", "Object", "Image", "Camera", "Material", "Collection", "WindowManager", "Window", "Screen")
"""The types that an addon could hang properties on."""


def is_ours(function: object) -> bool:
    return str(getattr(function, "__module__", "")).startswith(PACKAGE)


def draw_functions() -> Iterator[str]:
    """What was appended to the menus, panels and headers, ours and others'."""
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        draw = kind.__dict__.get("draw") if isinstance(kind, type) else None
        for function in getattr(draw, "_draw_funcs", ()):
            # The first one is the menu's own; Blender leaves it in a list of one after the last removal.
            if function.__module__.startswith(("bl_ui", "bl_operators")) and function.__qualname__.startswith(name):
                continue
            yield f"{name} draws {function.__module__}.{function.__qualname__}"


def handlers() -> Iterator[str]:
    for name in dir(bpy.app.handlers):
        functions = getattr(bpy.app.handlers, name)
        if isinstance(functions, list):
            for function in functions:
                yield f"{name} calls {getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', function)}"


def timers() -> Iterator[str]:
    """Blender lists no timers, but answers for a function: so every function of ours is asked about."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(PACKAGE):
            for name, value in list(vars(module).items()):
                if callable(value) and is_ours(value) and not isinstance(value, type) and bpy.app.timers.is_registered(value):
                    yield f"a timer calls {module_name}.{name}"


def keymaps() -> Iterator[str]:
    for config in (bpy.context.window_manager.keyconfigs.addon, bpy.context.window_manager.keyconfigs.user):
        for keymap in config.keymaps if config else ():
            for item in keymap.keymap_items:
                if item.idname.startswith("stillscape."):
                    yield f"{keymap.name} has a key for {item.idname}"


def traces() -> set[str]:
    """Everything in Blender that an addon can leave behind, one line for each."""
    found = {f"the type {name}" for name in dir(bpy.types)}
    # Properties of an ID class appear on the class, not in its bl_rna, when they were assigned in Python.
    found |= {f"{kind}.{name}" for kind in EXTENDED for name in dir(getattr(bpy.types, kind))}
    found |= {f"{kind}.{name}" for kind in EXTENDED for name in getattr(bpy.types, kind).bl_rna.properties.keys()}
    found |= {f"the operator stillscape.{name}" for name in dir(bpy.ops.stillscape)}
    found |= {*draw_functions(), *handlers(), *timers(), *keymaps()}
    return found


def expect(true: object, sentence: str) -> None:
    """Say that a check passed, or stop."""
    if not true:
        raise AssertionError(sentence)
    print(f"ok: {sentence}", flush=True)


def enable() -> None:
    """What the check box in the preferences does: unlike addon_utils, the operator also brings the wheels back."""
    result = bpy.ops.preferences.addon_enable(module=PACKAGE)
    expect(result == {"FINISHED"} and PACKAGE in bpy.context.preferences.addons, "the extension can be enabled")


def disable() -> None:
    bpy.ops.preferences.addon_disable(module=PACKAGE)
    expect(PACKAGE not in bpy.context.preferences.addons, "the extension can be disabled")


def check_registration(before: set[str]) -> None:
    """Enable, disable, enable, disable: nothing stays behind, and the second time finds what the first found."""
    if PACKAGE in bpy.context.preferences.addons:
        disable()
    left = traces() - before
    expect(not left, f"disabling it leaves nothing behind {sorted(left) or ''}")
    enable()
    with_it = traces()
    expect(with_it - before, "enabling it adds something to Blender")
    disable()
    left = traces() - before
    expect(not left, f"disabling it leaves nothing behind {sorted(left) or ''}")
    lost = before - traces()
    expect(not lost, f"disabling it takes nothing else away {sorted(lost) or ''}")
    enable()
    differing = with_it ^ traces()
    expect(not differing, f"enabling it again gives the same {sorted(differing) or ''}")
    disable()
    left = traces() - before
    expect(not left, f"disabling it again leaves nothing behind {sorted(left) or ''}")
    enable()


def check_wheel(resources: Path) -> None:
    """OpenCV is the one from the zip, and it works."""
    import cv2
    import numpy as np

    place = Path(cv2.__file__).resolve()
    # It was disabled and enabled before, which removes the wheel's files and brings them back.
    expect(place.is_relative_to(resources / "extensions") and place.exists(), f"cv2 is the extension's own ({place})")
    expect(cv2.__version__ == "4.11.0", f"cv2 is 4.11.0 ({cv2.__version__})")
    wide = cv2.resize(np.eye(4, dtype=np.uint8), (8, 4))
    expect(wide.shape == (4, 8) and wide.any(), f"cv2 works with numpy {np.__version__} on Python {sys.version.split()[0]}")


def check_quiet() -> None:
    """The extension's own modules know which package they are in, and nothing of ours is outside it."""
    modules = [name for name in sys.modules if name.startswith(PACKAGE)]
    expect(len(modules) > 2, f"{len(modules)} modules of the extension are loaded")
    outside = [name for name in sys.modules if name == "addon" or name.startswith("addon.")]
    expect(not outside, f"none is loaded a second time under another name {outside or ''}")


def main() -> None:
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("--resources", type=Path, required=True)
    parser.add_argument("--zip", type=Path, help="install this first")
    parser.add_argument("--enabled", action="store_true", help="it was installed and enabled before: Blender must have started with it")
    options = parser.parse_args(arguments)
    resources = options.resources.resolve()
    print(f"Blender {bpy.app.version_string}, Python {sys.version.split()[0]}", flush=True)
    # Before the extension was ever enabled, where that can be had.
    before = traces()
    if options.enabled:
        expect(PACKAGE in bpy.context.preferences.addons, "Blender started with it enabled")
        disable()
        before = traces()
    expect(not bpy.app.online_access, "Blender is offline")
    if options.zip:
        result = bpy.ops.extensions.package_install_files(filepath=str(options.zip), repo="user_default", enable_on_install=True)
        expect(result == {"FINISHED"}, "the zip can be installed")
    if options.zip:
        expect(PACKAGE in bpy.context.preferences.addons, "it is enabled after the installation")
    place = resources / "extensions" / "user_default" / "stillscape"
    expect((place / "blender_manifest.toml").exists(), f"it lies in {place}")
    check_registration(before)
    check_wheel(resources)
    check_quiet()
    print("all checks passed", flush=True)


if __name__ == "__main__":
    main()
