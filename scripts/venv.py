"""Make a virtual environment from pinned requirements, once.

    python scripts/venv.py FOLDER REQUIREMENTS... [--bpy VERSION]

REQUIREMENTS are files of requirements/, without `.txt`; `run` takes the one of this Python. A stamp in FOLDER says what
was installed, so that a second call costs nothing and a changed pin is noticed. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"

LIBRARIES = (
    "Debian, Ubuntu: apt install libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libice6 libgl1 libegl1 libxxf86vm1; "
    "Fedora: dnf install libX11 libXrender libXfixes libXi libxkbcommon libSM libICE mesa-libGL mesa-libEGL libXxf86vm"
)


class SetupError(Exception):
    """One sentence for the user."""


def requirements_text(name: str, bpy: str | None) -> str:
    """The pins of one requirements file; `bpy` replaces the pin of Blender itself."""
    if name == "run":
        name = f"run-{sys.version_info.major}.{sys.version_info.minor}"
    path = REQUIREMENTS / f"{name}.txt"
    if not path.exists():
        raise SetupError(f"Stillscape needs Python 3.11 or 3.13, and {sys.executable} is {sys.version.split()[0]}.")
    text = path.read_text(encoding="utf-8")
    return re.sub(r"(?m)^bpy==.*$", f"bpy=={bpy}", text) if bpy else text


def python_of(folder: Path) -> Path:
    posix = folder / "bin" / "python"
    return posix if posix.exists() or sys.platform != "win32" else folder / "Scripts" / "python.exe"


def ensure_made(folder: Path) -> None:
    """Make the environment, or make it anew where its Python is gone or another one."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if folder.exists():
        ask = [str(python_of(folder)), "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"]
        try:
            answer = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
        except OSError:
            answer = ""
        if answer == here:
            return
        shutil.rmtree(folder)
    done = subprocess.run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(folder)], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        sys.stderr.write(done.stdout + done.stderr)
        raise SetupError(f"Python {here} cannot make virtual environments: install its venv module (Debian, Ubuntu: python{here}-venv).")


def install(folder: Path, text: str, what: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        pins = Path(temporary) / "requirements.txt"
        pins.write_text(text, encoding="utf-8")
        command = [str(python_of(folder)), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        done = subprocess.run([*command, "--only-binary=:all:", "-r", str(pins)])
    if done.returncode:
        where = "; Blender as a Python module exists for Linux (x86, glibc 2.28 or later), Windows and Apple's own processors"
        raise SetupError(f"Could not install {what} (above is what pip says): check the network{where if 'bpy==' in text else ''}.")


def check_imports(folder: Path) -> None:
    """Loading Blender needs libraries of the system that pip cannot bring."""
    done = subprocess.run([str(python_of(folder)), "-c", "import bpy, cv2"], capture_output=True, text=True)
    if done.returncode == 0:
        return
    missing = re.search(r"ImportError: (\S+): cannot open shared object file", done.stderr)
    if missing:
        raise SetupError(f"Blender needs {missing[1].rstrip(':')} from the system: install it ({LIBRARIES}).")
    sys.stderr.write(done.stderr)
    raise SetupError("Blender as a Python module does not load here (above is what Python says).")


def ensure(folder: Path, names: list[str], bpy: str | None = None) -> None:
    """Make `folder` hold what the named requirements files pin."""
    texts = {name: requirements_text(name, bpy) for name in names}
    stamps = {name: folder / f".installed-{name}" for name in names}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    ensure_made(folder)
    stale = [name for name in names if not stamps[name].exists() or stamps[name].read_text() != digests[name]]
    if not stale:
        return
    label = folder.name if folder.parent == ROOT else folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    if "run" in stale:
        version = re.search(r"(?m)^bpy==(\S+)", texts["run"])
        name = version[1] if version else "?"
        print(f"Downloading Blender {name} as a Python module into {label} (about 350 MB, once)...", flush=True)
    else:
        print(f"Installing the pinned {' and '.join(stale)} tools into {label} (once)...", flush=True)
    # One call for all of them, so that pip sees a conflict between two files.
    install(folder, "\n".join(texts[name] for name in stale), f"the pinned packages ({', '.join(stale)})")
    if "run" in stale:
        check_imports(folder)
    for name in stale:
        stamps[name].write_text(digests[name])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", nargs="+")
    parser.add_argument("--bpy", metavar="VERSION", help="this Blender in place of the pinned one")
    arguments = parser.parse_args()
    try:
        ensure(arguments.folder.resolve(), arguments.requirements, arguments.bpy)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
