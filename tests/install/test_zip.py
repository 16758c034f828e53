"""What is in the zip, what its manifest says, and that Blender installs it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import cv2
import pytest

from scripts import extension

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "blender_manifest.toml"


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="session")
def manifest(extension_zip: Path) -> dict:
    with zipfile.ZipFile(extension_zip) as archive:
        return tomllib.loads(archive.read(MANIFEST).decode())


def test_only_known_names_are_in_the_zip(extension_zip: Path) -> None:
    known = re.compile(
        r"__init__\.py|blender_manifest\.toml|LICENSE|(addon|headless)/([a-z0-9_]+/)*[a-z0-9_]+\.py|wheels/[^/]+\.whl"
        r"|addon/vision/networks/models\.json|addon/vision/(depth/built_in|landmarks)\.onnx|addon/vision/face_units\.npz"
    )
    names = names_in(extension_zip)
    assert [name for name in sorted(names) if not known.fullmatch(name)] == []
    assert {
        "__init__.py",
        MANIFEST,
        "LICENSE",
        "addon/__init__.py",
        "addon/ui/__init__.py",
        "headless/stillscape.py",
        "addon/vision/networks/models.json",
        "addon/vision/depth/built_in.onnx",
        "addon/vision/face_units.npz",
        "addon/vision/landmarks.onnx",
    } <= names
    assert "headless/demo.py" not in names


def test_every_source_file_is_in_the_zip(extension_zip: Path) -> None:
    sources = {p.relative_to(ROOT).as_posix() for room in ("addon", "headless") for p in (ROOT / room).rglob("*.py")}
    assert sources - names_in(extension_zip) == {"headless/demo.py"} & sources


def test_our_own_networks_are_in_the_zip_as_they_are(extension_zip: Path) -> None:
    networks = {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in (ROOT / "addon").rglob("*.onnx")}
    with zipfile.ZipFile(extension_zip) as archive:
        assert {name: archive.read(name) for name in names_in(extension_zip) if name.endswith(".onnx")} == networks


def test_the_zip_has_one_wheel_unmodified(extension_zip: Path, manifest: dict) -> None:
    wheels = [name for name in names_in(extension_zip) if name.endswith(".whl")]
    assert [f"./{name}" for name in wheels] == manifest["wheels"]
    assert manifest["platforms"] == [extension.this_platform()]
    with zipfile.ZipFile(extension_zip) as archive:
        digest = hashlib.sha256(archive.read(wheels[0])).hexdigest()
    assert digest in (ROOT / "requirements" / "wheels.txt").read_text()


def test_the_zip_is_what_users_get_told_to_install(extension_zip: Path, manifest: dict) -> None:
    assert extension_zip.name == f"stillscape-{manifest['version']}-{extension.this_platform()}.zip"


def test_each_platform_has_its_wheel_and_each_wheel_its_hash() -> None:
    manifest = extension.read_manifest()
    assert sorted(manifest["platforms"]) == sorted(extension.TAGS)
    assert {extension.wheel_of(target, manifest).name for target in extension.TAGS} == {Path(name).name for name in manifest["wheels"]}
    assert len(manifest["wheels"]) == len(extension.TAGS)
    pins = (ROOT / "requirements" / "wheels.txt").read_text()
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", pins)) == len(manifest["wheels"])
    # The same OpenCV everywhere: in the zip, in the environments, in the tests.
    version = manifest["wheels"][0].split("-")[1]
    for name in ("wheels.txt", "run-3.11.txt", "run-3.13.txt", "lint.txt"):
        assert f"opencv-python-headless=={version}" in (ROOT / "requirements" / name).read_text(), name


def test_the_manifest_keeps_the_platforms_rules() -> None:
    """Blender's validator checks its own; these are the rules of the people who review."""
    manifest = extension.read_manifest()
    assert manifest["id"] == "stillscape"
    assert "blender" not in manifest["name"].lower()
    sentences = [manifest["tagline"], *manifest["permissions"].values()]
    assert all(len(s) <= 64 and re.search(r"[\w)\]}]$", s) for s in sentences), sentences
    assert set(manifest["permissions"]) == {"files", "network"}
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert manifest["blender_version_min"] == "4.2.0"
    assert "blender_version_max" not in manifest
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()


def test_a_build_without_the_makefile_ships_the_same_files(extension_zip: Path, tmp_path: Path) -> None:
    """`blender --command extension build` in the root goes by the manifest's own list of what to leave out."""
    left_out = shutil.ignore_patterns(".*", "build", "dist", "wheels")
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=left_out)
    manifest = extension.read_manifest()
    target = extension.this_platform()
    wheel = extension.wheel_of(target, manifest)
    (tree / "wheels").mkdir()
    shutil.copyfile(wheel, tree / "wheels" / wheel.name)
    text = extension.list_value((ROOT / MANIFEST).read_text(), "wheels", [f"./wheels/{wheel.name}"])
    (tree / MANIFEST).write_text(extension.list_value(text, "platforms", [target]))
    code = "import sys; from scripts import extension; print(*extension.builder(), sep='\\n')"
    program, tags = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).splitlines()
    built = tmp_path / "plain.zip"
    command = [sys.executable, program, "build", "--source-dir", str(tree), "--output-filepath", str(built), "--valid-tags", tags]
    subprocess.run(command, check=True, capture_output=True)
    assert names_in(built) == names_in(extension_zip)


def offline() -> list[str]:
    """A command prefix that takes the network away, where this user may do that; Blender itself is offline anyway."""
    if shutil.which("unshare"):
        for prefix in (["unshare", "-n"], ["unshare", "-rn"]):
            if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
                return prefix
    return []


@pytest.fixture
def packages_without_cv2(tmp_path: Path) -> Path:
    """This environment's packages, all but OpenCV: beside the environment's own, the zip's would never be asked for."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for package in Path(cv2.__file__).parents[1].iterdir():
        if not package.name.startswith(("cv2", "opencv")):
            (folder / package.name).symlink_to(package)
    return folder


def environment(resources: Path) -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLENDER"))}
    return {**keep, "BLENDER_USER_RESOURCES": str(resources), "HOME": str(resources)}


@pytest.mark.versions
def test_blender_installs_the_zip(extension_zip: Path, packages_without_cv2: Path, tmp_path: Path) -> None:
    """Install, enable, disable, enable, with the zip's OpenCV and without a network; then render from what was installed."""
    resources = tmp_path / "resources"
    resources.mkdir()
    program = Path(__file__).parent / "run_in_blender.py"
    command = [*offline(), sys.executable, "-S", "-W", "error::DeprecationWarning", str(program)]
    command += ["--resources", str(resources), "--zip", str(extension_zip)]
    hidden = {**environment(resources), "PYTHONPATH": str(packages_without_cv2)}
    done = subprocess.run(command, env=hidden, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tmp_path)
    assert done.returncode == 0 and "all checks passed" in done.stdout, done.stdout + done.stderr
    installed = resources / "extensions" / "user_default" / "stillscape"
    assert {p.relative_to(installed).as_posix() for p in installed.rglob("*.py")} == {
        n for n in names_in(extension_zip) if n.endswith(".py")
    }
    assert {p.suffix for p in installed.rglob("*") if p.is_file()} <= {".py", ".pyc", ".json", ".onnx", ".npz", ".toml", ".whl", ""}


@pytest.mark.versions
def test_the_driver_in_the_zip_renders(extension_zip: Path, tiny_photo: Path, tmp_path: Path) -> None:
    """The command line works from where the zip was unpacked, whatever the current folder is, without a network."""
    with zipfile.ZipFile(extension_zip) as archive:
        archive.extractall(tmp_path / "unpacked", [name for name in archive.namelist() if not name.endswith(".whl")])
    command = [*offline(), sys.executable, str(tmp_path / "unpacked" / "headless" / "stillscape.py"), "render", tiny_photo.name]
    command += ["--frames", "2", "--frame-range", "1", "--samples", "1", "-o", "frame_####.png"]
    resources = tmp_path / "resources"
    resources.mkdir()
    done = subprocess.run(
        command, env=environment(resources), capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tiny_photo.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    frame = cv2.imread(str(tiny_photo.parent / "frame_0001.png"))
    assert frame is not None and frame.shape == (48, 64, 3), done.stdout + done.stderr
    assert frame.std() > 10
