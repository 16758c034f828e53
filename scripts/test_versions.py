"""Run the tests marked "versions" on several versions of Blender, each in an environment of its own.

    python scripts/test_versions.py [--python PYTHON] [--pytest ARGUMENTS] VERSION...

The environments lie in .venvs/VERSION and stay. One line is printed for each version; what pytest says is in
build/test-versions/VERSION.log and is shown when it fails. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_for(blender: str) -> str:
    """The Python version that the bpy wheel of one Blender version is built for."""
    major, minor = (int(part) for part in blender.split(".")[:2])
    return "3.11" if (major, minor) < (5, 1) else "3.13"


def find_python(version: str, named: str) -> str | None:
    """The path of such a Python, or None after a sentence on stderr."""
    if named:
        ask = [named, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(ask, capture_output=True, text=True).stdout.strip() != version:
            named = ""  # It was named for other versions; this one is looked for.
    done = subprocess.run(["sh", str(ROOT / "scripts" / "find_python.sh"), version, named], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def run_version(version: str, named: str, arguments: list[str]) -> tuple[bool, str]:
    """Test one version; returns whether it passed, and a few words."""
    python = find_python(python_for(version), named)
    if python is None:
        return False, f"needs Python {python_for(version)}"
    folder = ROOT / ".venvs" / version
    made = subprocess.run([python, str(ROOT / "scripts" / "venv.py"), str(folder), "run", "test", "--bpy", version])
    if made.returncode:
        return False, "could not be installed"
    log = ROOT / "build" / "test-versions" / f"{version}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(folder / "bin" / "python"), "-m", "pytest", "-m", "versions", "-o", f"cache_dir=build/test-versions/{version}"]
    with log.open("wb") as out:
        done = subprocess.run([*command, *arguments], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    text = log.read_text(encoding="utf-8", errors="replace")
    summary = text.strip().rpartition("\n")[2].strip("= ")
    if done.returncode:
        print(text, flush=True)
    return done.returncode == 0, summary


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("versions", nargs="+", metavar="VERSION")
    parser.add_argument("--python", default="", help="the Python to use for the versions that it fits")
    parser.add_argument("--pytest", default="", help="more arguments for pytest")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)
    passed = True
    for version in arguments.versions:
        start = time.monotonic()
        good, words = run_version(version, arguments.python, shlex.split(arguments.pytest))
        print(f"Blender {version}  {'passed' if good else 'FAILED'}  {words}  ({time.monotonic() - start:.0f} s)", flush=True)
        passed &= good
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
