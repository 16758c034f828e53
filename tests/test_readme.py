"""Every command that the README shows works, or is run by CI."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision.film_files import pan, write_film

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
COMMANDS = [line for block in BLOCKS for line in block.strip().splitlines()]
OURS = [c for c in COMMANDS if c.startswith(".venv/bin/python headless/stillscape.py")]


def test_every_other_command_is_run_by_ci():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in set(COMMANDS) - set(OURS):
        words = command.split()
        if words[0] == "make":
            assert f"make {words[1]}" in ci and f"\n{words[1]}:" in makefile, command
        else:  # tests/install runs it in a real Blender
            assert command.startswith("blender -b --factory-startup --python-exit-code 4 -P headless/stillscape.py -- ")
    assert len(OURS) >= 5


@pytest.mark.parametrize("command", OURS)
def test_the_command_line(command, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (36, 48, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.jpg"), picture)
    cv2.imwrite(str(tmp_path / "depth.png"), picture[..., 0])
    write_film(tmp_path / "clip.mp4", pan(4, (48, 36)))
    words = shlex.split(command)
    words[:2] = [sys.executable, str(ROOT / "headless" / "stillscape.py")]
    if "render" in words and "--help" not in words:  # as written, but a few small frames
        words += ["--frames", "3", "--samples", "1"]
        words = [w if "x" not in w or not w.replace("x", "").isdigit() else "48x36" for w in words]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if "-o" in words:
        out = words[words.index("-o") + 1].replace("####", "0003")
        assert (tmp_path / out).stat().st_size > 100
