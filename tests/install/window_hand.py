"""What the scripts that check a real window of Blender share: the virtual screen, the hand that works in it, and the steps that ask for it.

`drive` is plain Python: it opens a virtual screen, starts Blender in it with the calling script, and does with xdotool what Blender's
part asks for. That part, `inside`, runs steps from a timer. Needs Xvfb, xdotool and ffmpeg.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import shlex
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

WIDTH, HEIGHT = 1600, 900
WANT = "WANT "
EXTENSION = "bl_ext.user_default.stillscape"


def arguments(doc: str | None, parts: tuple[str, ...] = ("drive", "inside")) -> argparse.ArgumentParser:
    """What all these scripts are told. doc: the script's own docstring. parts: of it, one outside Blender and the others inside."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("part", choices=parts)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blender", default="blender", help="what starts Blender")
    parser.add_argument("--package", default=EXTENSION + ".addon", help="the package to import; the installed extension's if left out")
    parser.add_argument("--path", action="append", default=[], help="more folders for Blender's Python")
    parser.add_argument("--display", type=int, help="number of the virtual screen; a free one if left out")
    return parser


def given() -> list[str]:
    """The words of the command line that are meant for the script, in Blender or not."""
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]


# Outside Blender -------------------------------------------------------------------------------------------------------


def emptied(folder: Path) -> Path:
    """A folder without files of an earlier run, as an absolute path."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        if old.is_file():
            old.unlink()
    return folder


@contextlib.contextmanager
def virtual_screen(display: int | None) -> Iterator[dict[str, str] | None]:
    """An X server for the length of a `with` block: the environment of programs on it, or None if it did not start.

    display: its number; None: a free one.
    """
    read_end, write_end = os.pipe()
    # Without a number the server picks a free one; it says which.
    number = [f":{display}"] if display else []
    server = subprocess.Popen(
        ["Xvfb", *number, "-displayfd", str(write_end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        found = os.fdopen(read_end).readline().strip()
        if not found:
            print("Xvfb did not start; is that screen in use?", flush=True)
        yield {**os.environ, "DISPLAY": f":{found}"} if found else None
    finally:
        server.terminate()
        server.wait()


def in_window(options: argparse.Namespace, script: Path, part: str, folder: Path, more: tuple[object, ...] = ()) -> list[str]:
    """The command that starts Blender with a window as large as the screen and lets it run `part` of a script. more: words for that."""
    start = [*shlex.split(options.blender), "--gpu-backend", "opengl", "--offline-mode", "--factory-startup", "--no-window-focus"]
    size = ["--window-geometry", "0", "0", str(WIDTH), str(HEIGHT), "--python-exit-code", "4"]
    inner = [str(script.resolve()), "--", part, str(folder), "--package", options.package]
    for path in options.path:
        inner += ["--path", path]
    return [*start, *size, "-P", *inner, *map(str, more)]


def drive(options: argparse.Namespace, script: Path, more: tuple[object, ...] = ()) -> int:
    """Run Blender on a virtual screen and be its hand. script: whose `inside` part Blender runs; more: words for that."""
    folder = emptied(options.folder)
    with virtual_screen(options.display) as env:
        return 1 if env is None else follow(in_window(options, script, "inside", folder, more), env, folder)


def follow(command: list[str], env: dict[str, str], folder: Path) -> int:
    """Start Blender and do what its lines ask for; its exit status, or 1 if it did not get to the end."""
    blender = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert blender.stdout is not None
    passed = False
    try:
        for line in blender.stdout:
            if line.startswith(WANT):
                want = json.loads(line.removeprefix(WANT))
                act(want, env, folder)
                (folder / f"done-{want['number']}").touch()
            else:
                print(line, end="", flush=True)
                passed |= line.strip() == "all checks passed"
        return blender.wait() if passed else blender.wait() or 1
    finally:
        if blender.poll() is None:
            blender.kill()
            blender.wait()


def act(want: dict, env: dict[str, str], folder: Path) -> None:
    """One thing that a hand does. Coordinates are the screen's, y down."""

    def xdotool(*words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], env=env, check=True)

    if want["do"] == "drag":
        points = want["points"]
        xdotool("mousemove", *points[0])
        time.sleep(0.3)
        xdotool("mousedown", 1)
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            for i in range(1, 9):
                time.sleep(0.02)
                xdotool("mousemove", round(x0 + (x1 - x0) * i / 8), round(y0 + (y1 - y0) * i / 8))
        time.sleep(want["hold"])
        xdotool("mouseup", 1)
    elif want["do"] == "key":
        xdotool("mousemove", *want["at"])
        time.sleep(0.3)
        xdotool("key", want["key"])
    elif want["do"] == "picture":
        grab = ["ffmpeg", "-y", "-loglevel", "error", "-f", "x11grab", "-video_size", f"{WIDTH}x{HEIGHT}", "-i", env["DISPLAY"]]
        subprocess.run([*grab, "-frames:v", "1", str(folder / f"{want['name']}.png")], env=env, check=True)


# Inside Blender --------------------------------------------------------------------------------------------------------


def expect(true: object, sentence: str) -> None:
    """Say that a check passed, or stop."""
    if not true:
        raise AssertionError(sentence)
    print(f"ok: {sentence}", flush=True)


class Window:
    """Mixin for steps: Blender's window and its editors."""

    WAIT = 0.05  # seconds between two looks

    @property
    def window(self):
        import bpy

        return bpy.context.window_manager.windows[0]

    def area(self, kind: str = "VIEW_3D"):
        """The largest editor of a kind."""
        return max((a for a in self.window.screen.areas if a.type == kind), key=lambda a: a.width * a.height)

    def region(self, region: str = "WINDOW", kind: str = "VIEW_3D"):
        return next(r for r in self.area(kind).regions if r.type == region)

    def override(self, kind: str = "VIEW_3D"):
        import bpy

        return bpy.context.temp_override(window=self.window, area=self.area(kind), region=self.region(kind=kind))

    def until(self, true: Callable[[], object], what: str, seconds: float = 300) -> Iterator[float]:
        """Wait for something, or stop."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{seconds} s have passed without this: {what}")
            yield self.WAIT


def inside(options: argparse.Namespace, steps_of: Callable[[Path, str], Iterator]) -> None:
    """In Blender's window: run the steps from a timer, for between them the window must go on.

    steps_of: the steps, for a folder and the name of the package.
    """
    import bpy

    folder, package = options.folder, options.package
    sys.path[:0] = options.path
    if package.startswith("bl_ext."):
        bpy.ops.preferences.addon_enable(module=EXTENSION)
    else:
        importlib.import_module(package + ".ui").register()
    number = 0
    waiting: Path | None = None
    steps = steps_of(folder, package)

    def tick() -> float | None:
        nonlocal number, waiting
        if waiting is not None and not waiting.exists():
            return 0.01
        waiting = None
        failed = True
        try:
            want = next(steps, None)
            failed = False
        finally:
            if failed:  # otherwise Blender would drop this timer and wait for a hand that does nothing more
                traceback.print_exc(file=sys.stdout)
                end(4)
        if want is None:
            print("all checks passed", flush=True)
            end(0)
        if isinstance(want, dict):
            number += 1
            waiting = folder / f"done-{number}"
            print(WANT + json.dumps({"number": number, **want}), flush=True)
            return 0.01
        return want

    def end(status: int) -> None:
        importlib.import_module(package + ".ui.process").shut_down()
        sys.stdout.flush()
        os._exit(status)  # Blender would ask about unsaved work

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
