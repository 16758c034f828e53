"""The command line as a view of the settings: every option below `render` comes from addon/spec.py."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from addon import spec as specs
from addon.vision.depth import estimators

_EPILOG = """examples:
  %(prog)s render photo.jpg -o film.mp4
  %(prog)s render photo.jpg -o frames/shot_####.png --move orbit --frames 48
  %(prog)s render photo.jpg -o film.mp4 --depth depth.png --near 1 --far 30 --size 1920x1080
  %(prog)s depth photo.jpg -o depth.png
  %(prog)s render clip.mp4 -o film.mp4 --depth depth_####.png
  %(prog)s scene photo.jpg -o scene.blend
  %(prog)s landmarks portrait.jpg -o portrait.json
  %(prog)s render portrait.jpg -o film.mp4 --rig face --action "slow-smile; blink" --consent

exit codes: 0 everything is there and verified, 2 wrong usage, 3 bad input, 4 render error,
5 no room or no permission, 6 the named device is missing, 75 interrupted
"""


class _Size(argparse.Action):
    """WIDTHxHEIGHT, or the name of a size."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        known = specs.SIZES.get(str(values).lower())
        parts = [str(n) for n in known] if known else str(values).lower().replace("×", "x").split("x")
        if len(parts) != 2 or not all(p.isdigit() and len(p) < 7 for p in parts):
            names = ", ".join(specs.SIZES)
            parser.error(f"{option_string} {values!r} is not a size: write it as 1920x1080, or one of {names}.")
        setattr(namespace, self.dest, (int(parts[0]), int(parts[1])))


class _Point(argparse.Action):
    """X,Y."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        try:
            x, y = (float(part) for part in str(values).split(","))
        except ValueError:
            parser.error(f"{option_string} {values!r} is not a point: write it as 0.5,0.4 (from the left, from the top).")
        setattr(namespace, self.dest, (x, y))


class _Colour(argparse.Action):
    """#rrggbb, the number sign may be missing."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        text = str(values).removeprefix("#")
        if len(text) != 6 or any(c not in "0123456789abcdefABCDEF" for c in text):
            parser.error(f"{option_string} {values!r} is not a color: write it as #c0d0e0.")
        setattr(namespace, self.dest, tuple(round(int(text[i : i + 2], 16) / 255, 6) for i in (0, 2, 4)))


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="stillscape",
        description="Turn one photo into a 3D scene and a film.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    render = _command(
        commands,
        "render",
        "render a film or frames",
        "film.mp4 (.mov, .webm, .mkv), a loop (.webp, .gif), or frames as name_####.png, .jpg or .exr",
    )
    _settings(
        render, ("photo", "depth", "layers", "relief", "move", "focus", "light", "video", "render", "film", "stereo", "rig", "machine")
    )
    render.add_argument("--save-blend", metavar="FILE", help="also save the scene as a .blend file")
    depth = _command(commands, "depth", "estimate the depth map alone, without Blender", "depth.npy, .png (16 bit), .exr, .tiff or .pfm")
    _settings(depth, ("photo", "depth", "video", "machine"))
    scene = _command(commands, "scene", "build the scene without rendering it", "the .blend file")
    _settings(
        scene, ("photo", "depth", "layers", "relief", "move", "focus", "light", "video", "render", "film", "stereo", "rig", "machine")
    )
    landmarks = _command(
        commands,
        "landmarks",
        "find the people of a photo and write where their faces and joints are",
        "the .json file, to be corrected and given to --landmarks",
    )
    _settings(landmarks, ("photo",))
    _settings(landmarks, ("rig",), only=("kind", "face_network", "face_detector", "pose_network"))
    for command in (render, scene):
        command.add_argument(
            "--consent",
            action="store_true",
            help="you have the right to animate the people whom --rig rigs; never taken from a settings file",
        )
    for command in (render, depth, scene, landmarks):
        _files(command)
    return parser


def _command(commands: Any, name: str, help: str, out: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "photo", metavar="PHOTO", help="JPEG, PNG, WebP, TIFF, BMP or EXR; or a film, or an image sequence as shot_####.png"
    )
    command.add_argument("-o", "--output", metavar="OUT", help=out)
    return command


def _files(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("settings and reports")
    group.add_argument("--spec", metavar="FILE", help="read settings from this JSON file; options on the command line override it")
    group.add_argument(
        "--write-spec",
        metavar="FILE",
        nargs="?",
        const="-",
        help="write every setting as JSON (to standard output without FILE); alone, without -o, do just that",
    )
    group.add_argument("--json", metavar="FILE", help="report progress and result as JSON lines, to a file or with - to standard output")
    group.add_argument("--verbose", action="store_true", help="show Blender's own messages")


def _settings(command: argparse.ArgumentParser, sections: Iterable[str], *, only: tuple[str, ...] = ()) -> None:
    known = dict(specs.sections())
    for name in sections:
        group = command.add_argument_group(f"{name} settings")
        for f in fields(known[name]):
            if not only or f.name in only:
                _option(group, name, f)


def _option(group: Any, section: str, f: Any) -> None:
    m = specs.meta(f)
    names = (f"--{specs.flag(f)}",)
    text = m.help + _default(f, m)
    common: dict[str, Any] = {"dest": f"{section}.{f.name}", "default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
    if m.kind == "bool":
        group.add_argument(*names, action=argparse.BooleanOptionalAction, **common)
    elif m.kind == "choice":
        group.add_argument(*names, choices=[c[0] for c in m.choices], **common)
    elif m.kind == "size":
        group.add_argument(*names, action=_Size, metavar="WxH", **common)
    elif m.kind == "point":
        group.add_argument(*names, action=_Point, metavar="X,Y", **common)
    elif m.kind == "colour":
        group.add_argument(*names, action=_Colour, metavar="COLOR", **common)
    elif m.kind == "pair":
        group.add_argument(*names, type=float, nargs=2, metavar=("X", "Y"), **common)
    elif (section, f.name) == ("depth", "estimator"):
        common["help"] += " (" + ", ".join(["auto", *estimators()]) + ")"
        group.add_argument(*names, metavar="NAME", **common)
    else:
        metavar = {"float": {"m": "METRES", "deg": "DEGREES"}.get(m.unit, "NUMBER"), "int": "N", "file": "FILE", "folder": "FOLDER"}.get(
            m.kind, "TEXT"
        )
        kind: Any = {"float": float, "int": int}.get(m.kind, str)
        if m.optional and m.kind in ("float", "int"):
            kind, metavar = _Automatic(kind), f"{metavar}|auto"
        group.add_argument(*names, type=kind, metavar=metavar, **common)


class _Automatic:
    """A number, or the word "auto" for None: it is worked out."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.__name__ = f"{kind.__name__} or auto"  # argparse names it when a value does not fit

    def __call__(self, text: str) -> Any:
        return None if text == "auto" else self.kind(text)


def _default(f: Any, m: specs.Meta) -> str:
    if m.kind in ("bool", "pair", "colour", "text", "file", "folder") or f.default is None:
        return ""
    return f" (default {f.default:g})" if isinstance(f.default, (int, float)) else f" (default {f.default})"


def given_settings(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """{section: {field: value}} of the settings that stand on the command line."""
    given: dict[str, dict[str, Any]] = {}
    for key, value in vars(arguments).items():
        section, dot, name = key.partition(".")
        if dot:
            given.setdefault(section, {})[name] = tuple(value) if isinstance(value, list) else value
    return given
