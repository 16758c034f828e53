"""The folder in which a session keeps layered photos, and what sessions that were killed have left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.spec import SceneSpec
from addon.ui import results

DAY = 86400.0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of temporary files, and a session that has no folder yet."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(results, "_folder", None)
    yield place
    results._clear()


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def alive() -> Iterator[int]:
    """The number of another process that runs."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.communicate()


def left(place: Path, name: str, days: float = 0.0) -> Path:
    """A folder with one photo's layers, untouched for so many days."""
    layers = place / name / "0123456789abcdef0123"
    layers.mkdir(parents=True)
    (layers / "layers.json").write_text("{}")
    for path in (layers, layers.parent):
        when = path.stat().st_mtime - days * DAY
        os.utime(path, (when, when))
    return layers.parent


def names(process: int) -> str:
    return f"stillscape-layers-{process}-{results._mark()}-abc_1234"


def test_a_session_has_one_folder_that_names_its_process_and_goes_with_it(temporary: Path) -> None:
    spec = SceneSpec()
    first, second = (results.place_of(temporary / name, spec) for name in ("a.png", "b.png"))
    (folder,) = temporary.iterdir()
    assert first.parent == second.parent == folder and first != second
    assert folder.name.startswith(f"stillscape-layers-{os.getpid()}-")
    results._clear()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="here nothing tells whether a process runs")
def test_what_killed_sessions_have_left_goes_with_the_next_session(temporary: Path, ended: int, alive: int) -> None:
    killed, running = left(temporary, names(ended)), left(temporary, names(alive))
    elsewhere = left(temporary, f"stillscape-layers-{ended}-00000000-abc_1234", 2)  # another machine's number
    unnamed, old = left(temporary, "stillscape-layers-abc_1234", 2), left(temporary, "stillscape-layers-xyz_1234", 8)
    touched = left(temporary, "stillscape-layers-again123", 8)
    os.utime(touched / "0123456789abcdef0123")  # its photo was cut anew
    other, aside = left(temporary, "stillscape-frames-abc", 30), left(temporary / "deeper", names(ended), 30)
    results.place_of(temporary / "a.png", SceneSpec())
    assert not killed.exists() and not old.exists()
    assert all(p.is_dir() for p in (running, elsewhere, unnamed, touched, other, aside, results._session()))


@pytest.mark.skipif(os.name != "posix", reason="links need a right of their own here")
def test_links_and_files_of_such_names_stay(temporary: Path, tmp_path: Path, ended: int) -> None:
    kept = left(tmp_path, "kept", 30)
    link, file = temporary / names(ended), temporary / f"{names(ended)}.txt"
    link.symlink_to(kept, target_is_directory=True)
    file.write_text("mine")
    results.clear_forsaken()
    assert link.is_symlink() and (kept / "0123456789abcdef0123" / "layers.json").is_file() and file.read_text() == "mine"


def test_without_signs_of_life_only_age_counts(ended: int) -> None:
    name = names(ended)
    assert not results.is_forsaken(name, 2.9 * DAY, told=False) and results.is_forsaken(name, 3.1 * DAY, told=False)
    old_form = "stillscape-layers-abc_1234"
    assert not results.is_forsaken(old_form, 6.9 * DAY, told=False) and results.is_forsaken(old_form, 7.1 * DAY, told=False)
    assert results.is_forsaken(names(os.getpid()), 7.1 * DAY)
