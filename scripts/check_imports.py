"""Hold the house rules that no ready-made linter knows.

    python scripts/check_imports.py [FOLDER]

Which part of the project may import which (imports point one way: ui, headless -> output -> scene -> vision -> moves,
spec, errors), what the reviewers of Blender's extension platform refuse, and which names of machines may not stand in
any file. Every breach is listed as `file:line: sentence`; the exit status is 1 if there is one. Standard library only.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RANKS = {
    "errors": 0,
    "spec": 1,
    "rig_map": 1,
    "move_easing": 1,
    "move_paths": 2,
    "moves": 3,
    "rig_actions": 2,
    "rigify_map": 2,
    "vision": 4,
    "rig_voice": 5,
    "rig_capture": 5,
    "scene": 6,
    "output": 7,
    "ui": 8,
    "headless": 8,
}
"""A part may import from lower ranks; `ui` and `headless` never from each other."""

BLENDER_MODULES = {"bpy", "bpy_extras", "bmesh", "mathutils", "gpu", "gpu_extras", "blf", "bl_ui", "addon_utils", "aud", "idprop"}
WITHOUT_BLENDER = {
    "errors", "spec", "move_easing", "move_paths", "moves", "vision", "rig_map", "rig_actions", "rigify_map", "rig_voice", "rig_capture",
}  # fmt: skip

OPERATORS_ALLOWED = {"addon/scene/rig.py"}
"""Under scene/, only these call operators: bones exist in edit mode only, and only an operator switches modes."""

PRINT_ALLOWED = {"addon/vision/worker.py"}
"""The worker speaks JSON lines on stdout; nobody else does."""

VERSION_ALLOWED = {"addon/scene/compat.py"}

BANNED_MODULES = {"threading", "_thread", "pip", "ensurepip"}
BANNED_NAMES = {"sys.path", "sys.modules"}
BANNED_CALLS = {"exec", "eval"}

OUTSIDE = {"addon", "headless", "scripts", "tests", "training", "benchmarks"}
"""Inside the extension the package is called otherwise, so that these names lead nowhere."""

SKIPPED_FOLDERS = {"__pycache__", "build", "dist", "wheels"}
HIDDEN_FOLDERS = {".ci", ".github"}
"""The only hidden folders that hold files of the project; the others are environments and caches."""
MAY_NAME_SHARED = (".ci/run", "benchmarks/")

# Written so that no pattern matches its own line.
TEXT_RULES = (
    (re.compile(r"[.][.]/shared\b|\bshared[/](?:tools|data|reference)\b"), "names the workshop's shared folder", MAY_NAME_SHARED),
    (re.compile(r"(?<![\w.$}/-])/(?:work|root)[/]"), "names a path of one machine", ()),
    (re.compile(r"\b(?:pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|anaconda[.](?:org|com))\b"), "names a registry's host", ()),
)


class Breach(NamedTuple):
    """One broken rule; `path` is relative to the root, with forward slashes."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


class Imported(NamedTuple):
    """One imported name, with relative imports resolved: ("addon.scene.build", line, True)."""

    name: str
    line: int
    relative: bool


def imports_of(tree: ast.AST, package: list[str]) -> Iterator[Imported]:
    """Everything that is imported anywhere in the file, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, node.lineno, False)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Imported(f"{prefix}.{alias.name}", node.lineno, node.level > 0)
        elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Imported(first.value, node.lineno, False)


def names_of(tree: ast.AST) -> dict[str, str]:
    """What each name bound by an absolute import stands for: {"ops": "bpy.ops"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`bpy.app.version` for that expression, whatever its first name was imported as; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def room_of(path: str) -> str:
    """The part that a file belongs to: "scene" for addon/scene/build.py, "spec" for addon/spec.py."""
    parts = path.removesuffix(".py").split("/")
    return parts[1] if parts[0] == "addon" and len(parts) > 1 else parts[0]


def within(name: str, banned: set[str]) -> bool:
    return any(name == b or name.startswith(b + ".") for b in banned)


def check_arrows(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Imports point one way, and only the upper parts know Blender."""
    room = room_of(path)
    in_addon = path.startswith("addon/")
    if path == "addon/__init__.py":
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
                yield Breach(path, node.lineno, "imports at module level; only register() and unregister() may")
        return
    if room not in RANKS:
        yield Breach(path, 1, f"`{room}` is no part of the project; the parts stand in RANKS of scripts/check_imports.py")
        return
    # The package a relative import starts from is the file's folder, for an __init__.py as well.
    package = path.split("/")[:-1]
    for name, line, relative in imports_of(tree, package):
        top, _, rest = name.partition(".")
        if in_addon and not relative and top in OUTSIDE:
            yield Breach(path, line, f"imports `{name}` by an absolute name; inside the extension only relative imports lead anywhere")
            continue
        target = rest.partition(".")[0] if top == "addon" else top if top == "headless" else ""
        if target in RANKS and target != room and RANKS[target] >= RANKS[room]:
            yield Breach(path, line, f"`{room}` must not import `{target}`")
        if room in WITHOUT_BLENDER and top in BLENDER_MODULES:
            yield Breach(path, line, f"imports `{top}`; `{room}` works without Blender")


def check_blender(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Operators stay out of scene/, versions are compared in one place."""
    names = names_of(tree)
    operators = path.startswith("addon/scene/") and path not in OPERATORS_ALLOWED
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = dotted(node, names)
            if operators and name == "bpy.ops":
                yield Breach(path, node.lineno, "uses `bpy.ops`; scene/ works on data, without operators")
            if name == "bpy.app.version" and path not in VERSION_ALLOWED:
                yield Breach(path, node.lineno, "asks for `bpy.app.version`; features are detected, in scene/compat.py")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if operators and within(name, {"bpy.ops"}):
                    yield Breach(path, node.lineno, "uses `bpy.ops`; scene/ works on data, without operators")
                if name == "bpy.app.version" and path not in VERSION_ALLOWED:
                    yield Breach(path, node.lineno, "asks for `bpy.app.version`; features are detected, in scene/compat.py")


def docstrings_of(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are text about the code."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def check_package_names(path: str, tree: ast.Module) -> Iterator[Breach]:
    """An extension is called differently in every repository it is installed from."""
    docstrings = docstrings_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "bl_ext." in node.value and id(node) not in docstrings:
            yield Breach(path, node.lineno, "writes a package name out; use `__package__` of the root")


def check_bans(path: str, tree: ast.Module) -> Iterator[Breach]:
    """What the extension platform refuses, and what hides errors."""
    names = names_of(tree)
    docstrings = docstrings_of(tree)
    for name, line, relative in imports_of(tree, path.split("/")[:-1]):
        if not relative and name.partition(".")[0] in BANNED_MODULES:
            yield Breach(path, line, f"imports `{name.partition('.')[0]}`")
        if not relative and name in BANNED_NAMES:
            yield Breach(path, line, f"uses `{name}`")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node, names)) in BANNED_NAMES:
            yield Breach(path, node.lineno, f"uses `{name}`")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id in BANNED_CALLS:
                yield Breach(path, node.lineno, f"uses `{node.id}`")
            if node.id == "print" and path not in PRINT_ALLOWED:
                yield Breach(path, node.lineno, "prints; use logging, or a report to the user")
        elif isinstance(node, ast.Constant) and node.value in {"pip", "ensurepip"} and id(node) not in docstrings:
            yield Breach(path, node.lineno, f"names `{node.value}`; the addon installs nothing")
        elif isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield Breach(path, node.lineno, "catches everything; name the exception")
            if all(
                isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and s.value.value is Ellipsis)
                for s in node.body
            ):
                yield Breach(path, node.lineno, "swallows an exception; handle it, or say contextlib.suppress")


def check_source(path: str, source: str) -> list[Breach]:
    """Every breach in one Python file of addon/ or headless/."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [Breach(path, error.lineno or 1, f"is no Python: {error.msg}")]
    checks = [check_arrows, check_blender, check_package_names]
    if path.startswith("addon/"):
        checks.append(check_bans)
    return [breach for check in checks for breach in check(path, tree)]


def check_text(path: str, text: str) -> list[Breach]:
    """Every breach in one text file, whatever it is."""
    breaches = []
    for pattern, sentence, allowed in TEXT_RULES:
        if path.startswith(allowed):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if found := pattern.search(line):
                breaches.append(Breach(path, number, f"{sentence}: {found[0]}"))
    return breaches


def files_of(root: Path) -> Iterator[Path]:
    """The files of the project: no environments, no build outputs."""
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name in HIDDEN_FOLDERS or not (path.name.startswith(".") or path.name in SKIPPED_FOLDERS):
                yield from files_of(path)
        elif path.is_file() and path.stat().st_size < 4_000_000:
            yield path


def check_tree(root: Path) -> list[Breach]:
    """Every breach under `root`, in the order of files and lines."""
    breaches = []
    for file in files_of(root):
        path = file.relative_to(root).as_posix()
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        breaches += check_text(path, text)
        if path.endswith(".py") and path.startswith(("addon/", "headless/")):
            breaches += check_source(path, text)
    return sorted(set(breaches))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).resolve().parent.parent)
    breaches = check_tree(parser.parse_args().folder)
    for breach in breaches:
        print(breach)
    if breaches:
        print(f"{len(breaches)} broken house rule{'s' if len(breaches) > 1 else ''}; what they are stands in scripts/check_imports.py.")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
