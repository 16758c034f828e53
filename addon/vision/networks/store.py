"""Where depth networks lie on this computer: finding, verifying and downloading them. docs/models.md tells it to users.

A network is a folder of its publisher's files. What of them is not known beforehand (models.json) is trusted on first use and
noted in `stillscape.json` beside them; from then on it must not change. Standard library only.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...errors import InputError, StorageError, UsageError
from ..files import shown
from . import transfer
from .asking import NotPublished, Wanted, host_of, is_allowed
from .catalogue import NEWEST, Model, ModelFile
from .lock import locked
from .pins import BY_HAND, LARGEST_TEXT, PINS, Pin, Pins, inspect, lenient_pins, looks_right, read_pins, size_of, stamp_of, write_pins

HUB = "https://huggingface.co"
LOCK = "stillscape.lock"

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a few words; may raise to cancel."""

_RESERVE = 64_000_000
"""Bytes of the disk that a download leaves free."""
_OFTEN = 0.1

_log = logging.getLogger(__name__)


def models_folder(cache: str) -> Path:
    """The folder that networks lie in: the user's own if `cache` names one, else one in the system's place for caches.

    Raises StorageError if this user has no home folder.
    """
    try:
        if cache:
            return Path(cache).expanduser()
        if sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        elif os.name == "nt":
            base = _absolute("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        else:
            base = _absolute("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise StorageError("There is no home folder to keep depth networks in; name a folder for them.") from error
    return base / "stillscape" / "models"


def describe(model: Model) -> str:
    """One line for people: name, size, license, and whether that allows commercial work."""
    terms = model.licence if model.licence != "not stated" else "license not stated"
    return f"{model.label} ({size_text(model.bytes)}, {terms}{'' if model.commercial else ': not for commercial work'})"


def size_text(size: int) -> str:
    """A number of bytes for people: "99 MB", "1.3 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 999_500_000 else f"{size / 1e6:.0f} MB" if size >= 1_000_000 else f"{size / 1e3:.1f} kB"


def find(model: Model, folder: Path) -> Path | None:
    """The folder of a network that is there and whole, by names and sizes; None if there is none. `verify` looks inside.

    Looked for are FOLDER/<name of the network>, FOLDER/<last part of its repository's name>, and what the hub's own programs
    leave in a FOLDER that is their cache.
    """
    return next((place for place in _places(model, folder) if not _faults(model, place)), None)


def verify(model: Model, path: Path, progress: Progress | None = None) -> None:
    """Check the files of a network against the published hashes, or against what was noted when it was first used.

    The first time all files are read (about a second for each gigabyte) and noted in `stillscape.json` beside them; after
    that a file is read again only if its size or time of change differs. Raises InputError that names the file if one is
    missing, damaged or another one. Where the folder cannot be written, nothing is remembered.
    """
    pins = read_pins(path / PINS)
    noted = dict(pins.files) if pins else {}
    done, total = 0, sum(size_of(path / file.name) or 0 for file in model.files) or 1
    now: dict[str, Pin] = {}
    for file in model.files:
        place = path / file.name
        stamp = stamp_of(place)
        if stamp is None and file.optional:
            continue
        if stamp is None:
            raise InputError(f"{shown(place)}: this file of {model.label} is missing; download it, or copy it there.")
        pin = noted.get(file.name)
        if pin is not None and (pin.bytes, pin.mtime_ns) == stamp and file.sha256 in (None, pin.sha256) and file.bytes in (None, pin.bytes):
            now[file.name] = pin
        else:
            start = done

            def tell(there: int, start: int = start) -> None:
                if progress is not None:
                    progress(min((start + there) / total, 1.0), f"Verifying {model.label}")

            now[file.name] = inspect(file, place, stamp, pin, tell)
        done += stamp.bytes
    if pins is None or now != noted:
        base = pins or Pins(model.name, None, BY_HAND, _today())
        _remember(path, replace(base, files=now))


def download(
    model: Model,
    folder: Path,
    progress: Progress,
    *,
    offline: bool = False,
    host: str | None = None,
    waits: tuple[float, ...] = transfer.WAITS,
    timeout: float = transfer.TIMEOUT,
) -> Path:
    """Return the folder of a network, downloading what is missing or damaged of it; verified either way.

    host: the server, else HF_ENDPOINT of the environment, else the hub. waits: the pauses in seconds before a transfer that
    broke off is tried again. timeout: seconds without an answer. `progress` gets the share and a few words and may raise to
    cancel; what was fetched is kept, and the next call goes on from there. Processes that want the same network wait for
    the one that fetches it.

    Raises UsageError if it is missing and `offline`, or for a host that is not https; StorageError if there is no room;
    InputError if the server has another file or none, or asks for permission; asking.DownloadError if it cannot be reached.
    """
    target = folder / model.name
    present = find(model, folder)
    if present is not None:
        try:
            verify(model, present, progress)
        except InputError:
            # Damaged. Ours is mended below; what lies elsewhere is another program's.
            if offline or present != target:
                raise
        else:
            progress(1.0, f"{model.label} is here")
            return present
    remedy = f"copy the files of {model.repository} by hand to {shown(target)}"
    if offline:
        what = _faults(model, target)
        raise UsageError(
            f"{model.label} is not on this computer ({what[0]}), and Stillscape is offline: allow it to go online (in Blender: "
            f"Preferences > System > Network > Allow Online Access, or start it with --online-mode; on the command line: leave out --offline), or {remedy}."
        )
    base = _host(host)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"{shown(target)}: cannot be made ({reason}); choose another folder for networks.") from error

    def wait() -> None:
        progress(0.0, f"Waiting for another Stillscape that downloads {model.label}")

    with locked(target / LOCK, wait) as beat:
        _Download(model, target, base, remedy, progress, beat).run(waits, timeout)
        verify(model, target)
    progress(1.0, f"{model.label} is here")
    return target


class _Download:
    """One network on its way into one folder."""

    def __init__(self, model: Model, target: Path, base: str, remedy: str, progress: Progress, beat: Callable[[], None]) -> None:
        self._model = model
        self._target = target
        self._base = base
        self._remedy = remedy
        self._progress = progress
        self._beat = beat
        self._sizes = _expected_sizes(model)
        self._done: dict[str, int] = {}
        self._told = (0.0, float("-inf"))

    def run(self, waits: tuple[float, ...], timeout: float) -> None:
        """Fetch what is missing or wrong, then note what was fetched."""
        model, target = self._model, self._target
        notes = target / f"{PINS}.part"
        noted = lenient_pins(notes) or lenient_pins(target / PINS)
        pins = _usable_pins(model, noted)
        if noted is None:
            _unlink(target / PINS)  # damaged, if it is there at all
        revision = model.revision
        if revision == NEWEST:
            # All files must be of one commit, also those of a download that was begun earlier.
            commits = [pins.revision if pins else None, *(transfer.remembered_commit(target / file.name) for file in model.files)]
            revision = next((commit for commit in commits if commit), NEWEST)
        kept = {file.name: pin for file in model.files if (pin := self._keep(file, noted)) is not None}
        for name, pin in kept.items():
            self._done[name] = self._sizes[name] = pin.bytes
        missing = [file for file in model.files if file.name not in kept]
        self._check_room()
        for file in missing:
            expected = file.sha256 or (pins.files[file.name].sha256 if pins and file.name in pins.files else None)
            title = f"{model.label}: {file.name}"
            received = self._fetch(file, title, revision, expected, waits, timeout)
            if received is None:
                continue
            stamp = stamp_of(target / file.name)
            if expected is None and not looks_right(target / file.name, received.bytes):
                _unlink(target / file.name)
                raise InputError(f"{title}: what {host_of(self._base)} sent is not the published file and was deleted; {self._remedy}.")
            if stamp is None or stamp.bytes != received.bytes:
                raise StorageError(f"{shown(target / file.name)}: was changed by another program while it was fetched; start again.")
            kept[file.name] = Pin(stamp.bytes, received.sha256, stamp.mtime_ns)
            if revision == NEWEST and received.commit:
                revision = received.commit
            known = revision if revision != NEWEST else None
            pins = Pins(model.name, known, f"{self._base}/{model.repository}", _today(), {**(pins.files if pins else {}), **kept})
            write_pins(notes, pins)
        if pins is not None:
            write_pins(target / PINS, replace(pins, files=kept))
        _unlink(notes)

    def _keep(self, file: ModelFile, noted: Pins | None) -> Pin | None:
        """What a file is that is there already and right; None if it has to be fetched."""
        place = self._target / file.name
        stamp = stamp_of(place)
        if stamp is None:
            return None
        listed = self._model.revision
        if noted is not None and noted.revision is not None and listed not in (NEWEST, noted.revision):
            # Of a commit that is no longer the listed one: what says nothing about itself may have changed with it.
            if file.sha256 is None:
                return None
            noted = None
        pin = noted.files.get(file.name) if noted else None
        if pin is not None and (pin.bytes, pin.mtime_ns) == stamp and file.sha256 in (None, pin.sha256):
            return pin
        try:
            return inspect(file, place, stamp, pin, lambda _: self._beat())
        except InputError as error:
            _log.info("%s", error)
            return None

    def _fetch(
        self, file: ModelFile, title: str, revision: str, expected: str | None, waits: tuple[float, ...], timeout: float
    ) -> transfer.Received | None:
        """Fetch one file; None for an optional one that is not published."""
        url = f"{self._base}/{self._model.repository}/resolve/{revision}/{file.name}"
        wanted = Wanted(url, title, _limit(file, self._sizes[file.name]), file.bytes, expected, self._remedy)
        announced = False

        def tick(there: int, whole: int | None) -> None:
            nonlocal announced
            self._beat()
            self._done[file.name] = there
            if whole is not None and not announced:
                announced = True
                self._sizes[file.name] = whole
                self._check_room()
            self._tell()

        path = self._target / file.name
        try:
            received = transfer.fetch(wanted, path, tick, waits=waits, timeout=timeout)
        except NotPublished:
            if not file.optional:
                raise
            transfer.drop_part(path)
            self._sizes[file.name] = self._done[file.name] = 0
            return None
        self._sizes[file.name] = self._done[file.name] = received.bytes
        return received

    def _check_room(self) -> None:
        """Raises StorageError if what is still to come does not fit on the disk."""
        need = sum(max(self._sizes[file.name] - self._here(file), 0) for file in self._model.files)
        try:
            free = shutil.disk_usage(self._target).free
        except OSError as error:
            raise StorageError(f"{shown(self._target)}: cannot be read ({error.strerror or error}); choose another folder.") from error
        if need and free < need + _RESERVE:
            raise StorageError(
                f"{shown(self._target)}: {self._model.label} needs {size_text(need + _RESERVE)} of free disk space and "
                f"{size_text(free)} are left; free some room or choose another folder for networks."
            )

    def _here(self, file: ModelFile) -> int:
        return max(self._done.get(file.name, 0), size_of(transfer.part_of(self._target / file.name)) or 0)

    def _tell(self) -> None:
        """Report to whoever is watching, not more often than can be seen, and never less than before."""
        share, when = self._told
        now = time.monotonic()
        if now - when < _OFTEN:
            return
        total = max(sum(self._sizes.values()), 1)
        done = sum(self._done.values())
        self._told = (max(share, min(done / total, 1.0)), now)
        unit, name = (1e9, "GB") if total >= 1e9 else (1e6, "MB")
        digits = 2 if unit == 1e9 else 1 if total < 1e7 else 0
        words = f"Downloading {self._model.label}: {min(done, total) / unit:.{digits}f} of {total / unit:.{digits}f} {name}"
        self._progress(self._told[0], words)


def _places(model: Model, folder: Path) -> list[Path]:
    """Where a network may lie, the likeliest first."""
    owner, _, last = model.repository.partition("/")
    places = [folder / model.name, folder / last]
    cached = folder / f"models--{owner}--{last}"
    revision = model.revision
    if revision == NEWEST:
        try:
            revision = (cached / "refs" / NEWEST).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return places
    return [*places, cached / "snapshots" / revision] if re.fullmatch(r"[0-9a-f]{40}", revision) else places


def _faults(model: Model, path: Path) -> list[str]:
    """What keeps `path` from being a whole network, by names and sizes; empty if nothing does."""
    if not _is_folder(path):
        return [f"there is no folder {shown(path)}"]
    pins = _usable_pins(model, lenient_pins(path / PINS))
    faults = []
    for file in model.files:
        size = size_of(path / file.name)
        pin = pins.files.get(file.name) if pins else None
        right = file.bytes if file.bytes is not None else pin.bytes if pin and file.sha256 in (None, pin.sha256) else None
        if size is None and not file.optional:
            faults.append(f"{shown(path / file.name)} is missing")
        elif size is not None and (size == 0 or (right is not None and size != right)):
            faults.append(f"{shown(path / file.name)} is not whole")
    return faults


def _expected_sizes(model: Model) -> dict[str, int]:
    """About how long each file is: text is short, and what is not known shares what is left of the whole."""
    sizes = {file.name: file.bytes if file.bytes is not None else 4000 for file in model.files}
    unknown = [file.name for file in model.files if file.bytes is None and not file.name.endswith(".json")]
    left = max(model.bytes - sum(sizes.values()), 0)
    for name in unknown:
        sizes[name] = max(left // len(unknown), 1)
    return sizes


def _limit(file: ModelFile, expected: int) -> int:
    """The most that a server may send for a file: it must not be able to fill the disk."""
    if file.bytes is not None:
        return file.bytes
    return LARGEST_TEXT if file.name.endswith(".json") else 3 * expected + 1_000_000


def _host(host: str | None) -> str:
    """The server's address without a slash at its end. Raises UsageError if it may not be used."""
    named = host or os.environ.get("HF_ENDPOINT", "").strip() or HUB
    base = named.rstrip("/")
    if not is_allowed(base, loopback=True) or re.search(r"[\s?#@\\]", base) or not base.isascii():
        raise UsageError(
            f"The server for networks {shown(named)!r} cannot be used: give an address that begins with https:// (HF_ENDPOINT)."
        )
    return base


def _usable_pins(model: Model, pins: Pins | None) -> Pins | None:
    """The notes if they tell what a new download has to be: of the commit that is listed, or of one that is known."""
    if pins is None or pins.revision is None:
        return None
    return pins if model.revision in (NEWEST, pins.revision) else None


def _remember(path: Path, pins: Pins) -> None:
    """Note what was verified; a folder that may only be read is verified anew each time."""
    try:
        write_pins(path / PINS, pins)
    except StorageError as error:
        _log.info("What was verified is not remembered: %s", error)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{shown(path)}: cannot be deleted ({error.strerror or error}); delete it yourself.") from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _absolute(variable: str) -> Path | None:
    """The folder that an environment variable names; a relative one counts for nothing, as the XDG specification has it."""
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None


def _today() -> str:
    return time.strftime("%Y-%m-%d")
