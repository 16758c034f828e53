"""Build the extension's zip with Blender's own builder, and validate it.

    python scripts/extension.py [PLATFORM...] [--out dist]

PLATFORM is linux-x64, windows-x64, macos-x64, macos-arm64 or all; without one, this machine's. Runs in an environment
that has Blender as a Python module, whose builder it uses. Each platform's zip carries one wheel, its own: the tree is
staged with a manifest that names only that. Prints the path of each zip. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ROOT / "wheels"
PINS = ROOT / "requirements" / "wheels.txt"
MANIFEST = "blender_manifest.toml"

# What pip calls each of Blender's platforms.
TAGS = {
    "linux-x64": "manylinux2014_x86_64",
    "macos-arm64": "macosx_13_0_arm64",
    "macos-x64": "macosx_13_0_x86_64",
    "windows-x64": "win_amd64",
}

SHIPPED = ("__init__.py", "LICENSE", "addon/**/*.py", "addon/**/*.json", "addon/**/*.onnx", "addon/**/*.npz", "headless/**/*.py")
"""The zip's contents besides manifest and wheel; nothing else gets in."""
HELD_BACK = {"headless/demo.py"}


class BuildError(Exception):
    """One sentence for the user."""


def this_platform() -> str:
    machine = {"amd64": "x64", "x86_64": "x64", "arm64": "arm64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine())
    name = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(platform.system(), platform.system())
    return f"{name}-{machine}"


def builder() -> tuple[Path, Path]:
    """Blender's `blender_ext.py` and its list of valid tags, from the bpy wheel of this environment."""
    # find_spec, not import: the builder needs no running Blender, and starting one takes a second.
    spec = importlib.util.find_spec("bpy")
    folders = sorted(Path(next(iter(spec.submodule_search_locations or []))).glob("[0-9]*.[0-9]*")) if spec else []
    for folder in folders:
        program = folder / "scripts" / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
        tags = folder / "scripts" / "modules" / "_bpy_internal" / "extensions" / "tags.py"
        if program.exists():
            return program, tags
    raise BuildError("Building the extension needs Blender as a Python module: run it through `make extension`.")


def read_manifest() -> dict:
    return tomllib.loads((ROOT / MANIFEST).read_text(encoding="utf-8"))


def wheel_of(target: str, manifest: dict) -> Path:
    """Where the manifest says that the wheel of one platform lies."""
    for name in manifest["wheels"]:
        if TAGS[target] in name:
            return ROOT / name
    raise BuildError(f"{MANIFEST} lists no wheel for {target}.")


def is_pinned(wheel: Path) -> bool:
    return hashlib.sha256(wheel.read_bytes()).hexdigest() in PINS.read_text(encoding="utf-8")


def fetch_wheel(target: str, wheel: Path) -> None:
    """Download the wheel of one platform, unless the pinned file is there already."""
    if wheel.exists() and is_pinned(wheel):
        return
    print(f"Downloading OpenCV for {target} (about 50 MB, once)...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--platform", TAGS[target]]
    command += ["--python-version", "3.11", "--implementation", "cp", "--abi", "abi3", "--dest", str(WHEELS), "--requirement", str(PINS)]
    # A file of that name with another content would make pip stop, and is worth nothing.
    wheel.unlink(missing_ok=True)
    if subprocess.run(command).returncode or not wheel.exists() or not is_pinned(wheel):
        raise BuildError(f"Could not fetch {wheel.name} (above is what pip says): check the network.")


def list_value(manifest: str, key: str, values: list[str]) -> str:
    """The manifest's text with one list of strings replaced; Python's library reads TOML but does not write it."""
    listed = ", ".join(f'"{value}"' for value in values)
    text, count = re.subn(rf"(?ms)^{key} = \[.*?\]", lambda _: f"{key} = [{listed}]", manifest)
    if count != 1:
        raise BuildError(f"{MANIFEST} should have one list named `{key}`; it has {count}.")
    return text


def shipped_files() -> list[str]:
    """The names of the project's own files in the zip, sorted."""
    found = {path.relative_to(ROOT).as_posix() for pattern in SHIPPED for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(found - HELD_BACK)


def stage(target: str, wheel: Path) -> Path:
    """Lay out what one platform's zip is made from, under build/extension/."""
    folder = ROOT / "build" / "extension" / target
    shutil.rmtree(folder, ignore_errors=True)
    for name in shipped_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "wheels").mkdir()
    shutil.copyfile(wheel, folder / "wheels" / wheel.name)
    text = (ROOT / MANIFEST).read_text(encoding="utf-8")
    text = list_value(text, "platforms", [target])
    text = list_value(text, "wheels", [f"./wheels/{wheel.name}"])
    # What to leave out was decided above.
    text = re.sub(r"(?ms)^\[build\]$.*?(?=^\[|\Z)", "", text)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return folder


def run_builder(*arguments: str) -> None:
    """Run Blender's builder; what it says is shown only when it fails."""
    program, _ = builder()
    done = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise BuildError(f"Blender's builder refuses to {arguments[0]} the extension (above is what it says).")


def build(target: str, out: Path) -> Path:
    """Build and validate the zip of one platform; returns its path."""
    manifest = read_manifest()
    if target not in manifest["platforms"]:
        raise BuildError(f"There is no extension for {target}: the platforms are {', '.join(manifest['platforms'])}, or all.")
    wheel = wheel_of(target, manifest)
    fetch_wheel(target, wheel)
    folder = stage(target, wheel)
    out.mkdir(parents=True, exist_ok=True)
    result = out / f"{manifest['id']}-{manifest['version']}-{target}.zip"
    # Written beside and renamed, so that nobody installs half a file.
    partial = folder.parent / result.name
    partial.unlink(missing_ok=True)
    _, tags = builder()
    run_builder("build", "--source-dir", str(folder), "--output-filepath", str(partial), "--valid-tags", str(tags))
    run_builder("validate", str(partial), "--valid-tags", str(tags))
    shutil.move(partial, result)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("platforms", nargs="*", metavar="PLATFORM", help=f"{', '.join(TAGS)} or all; this machine's by default")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the zips")
    arguments = parser.parse_args()
    targets = list(TAGS) if "all" in arguments.platforms else arguments.platforms or [this_platform()]
    try:
        for target in targets:
            result = build(target, arguments.out)
            shown = result.relative_to(Path.cwd()) if result.is_relative_to(Path.cwd()) else result
            print(f"{shown}  {result.stat().st_size / 1e6:.1f} MB", flush=True)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
