"""Each house rule goes red on a bad sample and stays green on a good one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_imports import check_source, check_text, check_tree

ROOT = Path(__file__).resolve().parents[1]

# Put together here, so that this file keeps the rules that it tests.
SHARED = ".." + "/shared"
WORK = "/" + "work/"
HOST = "pypi" + ".org"

BAD = [
    # Imports point one way.
    ("addon/vision/layers.py", "from ..scene import build", "`vision` must not import `scene`"),
    ("addon/vision/depth/midas.py", "from ...output.render import frames", "`vision` must not import `output`"),
    ("addon/scene/build.py", "def f():\n    from ..output import film", "`scene` must not import `output`"),
    ("addon/scene/build.py", "from .. import ui", "`scene` must not import `ui`"),
    ("addon/output/film.py", "from ..ui.panels import x", "`output` must not import `ui`"),
    ("addon/spec.py", "from .moves import moves", "`spec` must not import `moves`"),
    ("addon/errors.py", "from . import spec", "`errors` must not import `spec`"),
    ("addon/moves.py", "from .vision import layered", "`moves` must not import `vision`"),
    ("addon/vision/x.py", "import headless.farm", "by an absolute name"),
    ("addon/scene/x.py", "from addon.vision import layered", "by an absolute name"),
    ("addon/scene/x.py", "import scripts", "by an absolute name"),
    ("headless/stillscape.py", "from addon.ui import panels", "`headless` must not import `ui`"),
    ("headless/farm/job.py", "import addon.ui", "`headless` must not import `ui`"),
    ("headless/farm/job.py", "import importlib\nimportlib.import_module('addon.ui')", "`headless` must not import `ui`"),
    ("addon/__init__.py", "from . import spec", "imports at module level"),
    ("addon/tools.py", "", "no part of the project"),
    ("addon/tools/x.py", "", "no part of the project"),
    # Blender.
    ("addon/vision/photo.py", "import bpy", "imports `bpy`"),
    ("addon/vision/photo.py", "def f():\n    from mathutils import Matrix", "imports `mathutils`"),
    ("addon/vision/photo.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bpy.types", "imports `bpy`"),
    ("addon/moves.py", "import bpy", "works without Blender"),
    ("addon/spec.py", "from bpy import props", "works without Blender"),
    ("addon/errors.py", "import bpy", "works without Blender"),
    ("addon/scene/build.py", "import bpy\nbpy.ops.object.mode_set(mode='EDIT')", "uses `bpy.ops`"),
    ("addon/scene/build.py", "import bpy as b\nx = b.ops", "uses `bpy.ops`"),
    ("addon/scene/build.py", "from bpy import ops", "uses `bpy.ops`"),
    ("addon/scene/build.py", "import bpy\nif bpy.app.version >= (5, 0, 0): x = 1", "`bpy.app.version`"),
    ("addon/output/render.py", "from bpy.app import version", "`bpy.app.version`"),
    ("addon/ui/panels.py", "from bpy import app\nx = app.version[0]", "`bpy.app.version`"),
    ("headless/stillscape.py", "import bpy\nx = bpy.app.version", "`bpy.app.version`"),
    ("addon/ui/preferences.py", "x = 'bl_ext.user_default.stillscape'", "writes a package name out"),
    ("headless/stillscape.py", "x = f'bl_ext.{1}'", "writes a package name out"),
    # What reviewers refuse, and what hides errors.
    ("addon/ui/work.py", "import threading", "imports `threading`"),
    ("addon/ui/work.py", "from threading import Thread", "imports `threading`"),
    ("addon/ui/work.py", "__import__('threading')", "imports `threading`"),
    ("addon/ui/work.py", "import pip._internal", "imports `pip`"),
    ("addon/ui/work.py", "import ensurepip", "imports `ensurepip`"),
    ("addon/ui/work.py", "import subprocess\nsubprocess.run(['python', '-m', 'pip', 'install', 'x'])", "names `pip`"),
    ("addon/ui/work.py", "import sys\nsys.path.append('x')", "uses `sys.path`"),
    ("addon/ui/work.py", "import sys as s\ns.modules.pop('x')", "uses `sys.modules`"),
    ("addon/ui/work.py", "from sys import path", "uses `sys.path`"),
    ("addon/ui/work.py", "exec('x')", "uses `exec`"),
    ("addon/ui/work.py", "x = list(map(eval, []))", "uses `eval`"),
    ("addon/ui/work.py", "print('x')", "prints"),
    ("addon/vision/layers.py", "print('x')", "prints"),
    ("addon/ui/work.py", "try:\n    x = 1\nexcept:\n    x = 2", "catches everything"),
    ("addon/ui/work.py", "try:\n    x = 1\nexcept ValueError:\n    pass", "swallows an exception"),
    ("addon/ui/work.py", "try:\n    x = 1\nexcept ValueError:\n    ...", "swallows an exception"),
    ("addon/ui/work.py", "def f(:", "is no Python"),
]

GOOD = [
    ("addon/__init__.py", "from __future__ import annotations\ndef register():\n    from . import ui\n    ui.register()"),
    ("addon/spec.py", "from .errors import UsageError"),
    ("addon/moves.py", "from .spec import MoveSpec\nfrom . import errors"),
    ("addon/vision/layered.py", "import numpy as np\nfrom ..errors import InputError\nfrom . import photo\nfrom .depth import x"),
    (
        "addon/scene/build.py",
        "import bpy\nfrom ..vision.layered import LayeredPhoto\nfrom .compat import x\nbpy.data.objects.new('a', None)",
    ),
    ("addon/scene/rig.py", "import bpy\nbpy.ops.object.mode_set(mode='EDIT')"),
    ("addon/scene/compat.py", "import bpy\nx = bpy.app.version"),
    ("addon/output/render.py", "import bpy\nfrom ..scene import build\nbpy.ops.render.render()\nx = bpy.app.version_string"),
    ("addon/ui/preferences.py", "from .. import __package__ as root\nfrom ..output import film\nfrom . import panels"),
    ("addon/vision/worker.py", "print('{}')"),
    ("addon/ui/work.py", '"""Speaks of bl_ext.user_default and pip."""\ntry:\n    x = 1\nexcept ValueError as e:\n    x = e'),
    ("addon/vision/network.py", "def f(model):\n    return model.eval()"),
    ("headless/stillscape.py", "import sys\nsys.path.insert(0, 'x')\nfrom addon import spec\nfrom addon.output import render\nprint('x')"),
    ("headless/farm/job.py", "from headless import stillscape"),
]


@pytest.mark.parametrize(("path", "source", "sentence"), BAD)
def test_a_bad_sample_is_found(path: str, source: str, sentence: str) -> None:
    found = [str(breach) for breach in check_source(path, source)]
    assert any(sentence in line and line.startswith(f"{path}:") for line in found), found


@pytest.mark.parametrize(("path", "source"), GOOD)
def test_a_good_sample_is_left_alone(path: str, source: str) -> None:
    assert check_source(path, source) == []


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("tests/test_x.py", f"x = '{SHARED}/data'", "shared folder"),
        ("docs/x.md", "see shared" + "/tools/novel_view.py", "shared folder"),
        ("README.md", f"cd {WORK}main", "path of one machine"),
        ("addon/x.py", f'x = "{"/" + "root"}/.cache"', "path of one machine"),
        ("Makefile", f"pip install -i https://{HOST}/simple x", "registry's host"),
    ],
)
def test_bad_text_is_found(path: str, text: str, sentence: str) -> None:
    (breach,) = check_text(path, "first line\n" + text)
    assert breach.line == 2 and sentence in breach.sentence


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".ci/run", f"{SHARED}/tools/novel_view.py"),
        ("benchmarks/second_view.py", f"{SHARED}/data"),
        ("docs/x.md", "a shared folder, the work/ folder, network/root/x, the root, $HOME" + WORK),
    ],
)
def test_good_text_is_left_alone(path: str, text: str) -> None:
    assert check_text(path, text) == []


def test_the_program_lists_every_breach_and_fails(tmp_path: Path) -> None:
    for name, text in [
        ("addon/vision/x.py", "import bpy\nimport threading\n"),
        ("addon/__init__.py", ""),
        (".venv/lib/x.py", WORK),
        ("build/x.txt", WORK),
        ("docs/x.md", WORK),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    program = str(ROOT / "scripts" / "check_imports.py")
    done = subprocess.run([sys.executable, program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == [
        "addon/vision/x.py:1:",
        "addon/vision/x.py:2:",
        "docs/x.md:1:",
        "3",
    ]
    (tmp_path / "docs/x.md").unlink()
    (tmp_path / "addon/vision/x.py").write_text("")
    assert check_tree(tmp_path) == []
    assert subprocess.run([sys.executable, program, str(tmp_path)], capture_output=True).returncode == 0


def test_this_project_keeps_the_rules() -> None:
    assert [str(breach) for breach in check_tree(ROOT)] == []
