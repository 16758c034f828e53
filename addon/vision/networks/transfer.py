"""One file comes from a server: resumed where it broke off, never longer than agreed, hashed as it is read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from ...errors import InputError, StorageError
from ..files import shown
from .asking import Answer, BrokeOff, DownloadError, Wanted, host_of, later, number_of, opened, words_of

BLOCK = 1 << 18
WAITS = (0.5, 2.0, 5.0)
"""Seconds before each new try after a transfer broke off; then it is given up."""
TIMEOUT = 30.0
_WORTH_A_TRY = 8_000_000
"""A try that brought this many bytes does not count as failed."""
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Tick(Protocol):
    """Called often with the bytes that are there and how many there will be, if that is known; may raise to cancel."""

    def __call__(self, there: int, whole: int | None) -> None: ...


class Received(NamedTuple):
    """What came; `commit` is the revision that the server said it is of, if it did."""

    bytes: int
    sha256: str
    commit: str | None


@dataclass
class _State:
    """What is remembered beside a part, so that the rest can be asked for: all of it is the server's word."""

    url: str
    etag: str | None = None
    linked: str | None = None
    bytes: int | None = None
    commit: str | None = None


class _StartOver(Exception):
    """What is there does not belong to what the server has now, or cannot be told to."""


class _TooLong(InputError):
    """The server sends more than the file can have."""


class _Disk(Exception):
    """The disk, not the network, raised the OSError that is its cause."""


def part_of(path: Path) -> Path:
    """Where the beginning of `path` lies while it is fetched."""
    return path.with_name(path.name + ".part")


def state_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def remembered_commit(path: Path) -> str | None:
    """The commit that the part of `path` is of, if there is one."""
    state = _read_state(part_of(path))
    return state.commit if state else None


def drop_part(path: Path) -> None:
    """Remove what was fetched of `path`, as far as that is possible."""
    for file in (part_of(path), state_of(part_of(path))):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def fetch(wanted: Wanted, path: Path, tick: Tick, *, waits: tuple[float, ...] = WAITS, timeout: float = TIMEOUT) -> Received:
    """Fetch a file into `part_of(path)`, going on where an earlier call stopped, and put it at `path` once it is whole and right.

    Raises NotPublished if the server has no such file, InputError if it has another one or asks for permission, DownloadError
    if it cannot be reached or keeps breaking off, StorageError if the disk is full, and what `tick` raises. What was fetched
    stays for the next time, but for a wrong file and a full disk.
    """
    part = part_of(path)
    failures, restarts, answered = 0, 0, False
    while True:
        before = _size(part)
        try:
            return _try(wanted, path, tick, timeout)
        except _StartOver as again:
            _remove(part)
            restarts += 1
            reason, hopeless = str(again), restarts > len(waits)
        except BrokeOff as broken:
            answered = answered or not broken.early
            failures = 1 if _size(part) - before >= _WORTH_A_TRY else failures + 1
            # With no network at all there is nothing to wait for.
            reason, hopeless = str(broken), failures > len(waits) or not answered
        except _TooLong:
            drop_part(path)
            raise
        except _Disk as error:
            raise _disk_error(wanted, part, error.__cause__) from error
        if hopeless:
            raise DownloadError(f"{wanted.title}: the download from {host_of(wanted.url)} failed ({reason}); {later(wanted)}.")
        _sleep(waits[max(failures, restarts) - 1], lambda: tick(_size(part), None))


def _try(wanted: Wanted, path: Path, tick: Tick, timeout: float) -> Received:
    """One connection's worth of `fetch`."""
    part = part_of(path)
    state = _read_state(part)
    if state is None or not _can_resume(wanted, state):
        _remove(part)
        state = _State(wanted.url)
    digest = hashlib.sha256()
    there = _hash_part(part, digest, tick)
    whole = _agreed(wanted.bytes, state.bytes)
    if whole is not None and there > whole:
        raise _StartOver("more was fetched than there should be")
    resumed = there > 0
    if not there or there != whole:
        headers = {"User-Agent": "Stillscape", "Accept": "*/*", "Accept-Encoding": "identity"}
        if there:
            headers["Range"] = f"bytes={there}-"
            if state.etag:
                headers["If-Range"] = state.etag
        with opened(wanted, headers, timeout) as answer:
            if answer.status == 416:
                raise _StartOver("the server does not go on where the download stopped")
            new = _new_state(wanted, answer)
            if answer.status == 206:
                _check_continues(answer, there, state, new)
                new.bytes = _agreed(new.bytes, state.bytes)
            elif there:  # all of it, from the start: the file changed, or the server knows no ranges
                digest, there, resumed = hashlib.sha256(), 0, False
            state = new
            whole = _agreed(wanted.bytes, state.bytes)
            tick(there, whole)
            with _disk():
                f = open(part, "r+b" if there else "wb", buffering=0)
            with f:
                with _disk():
                    _write_state(part, state)
                    f.seek(there)
                there = _receive(answer.body, f, digest, there, wanted, whole, tick)
                with _disk():
                    os.fsync(f.fileno())
        if whole is not None and there < whole:
            raise BrokeOff(f"the connection ended at {there} of {whole} bytes")
    return _accept(wanted, path, state, digest.hexdigest(), there, resumed=resumed)


def _accept(wanted: Wanted, path: Path, state: _State, sha256: str, size: int, *, resumed: bool) -> Received:
    """Rename the part that is whole to its name, if it is what it should be."""
    part = part_of(path)
    expected = wanted.sha256 or state.linked
    if not size or (expected is not None and sha256 != expected):
        if resumed:
            # The beginning may have been another file's, or damaged on this disk.
            raise _StartOver("what was fetched is damaged")
        drop_part(path)
        raise InputError(
            f"{wanted.title}: what {host_of(wanted.url)} sent is damaged or not the published file, and was deleted; "
            f"try again, or {wanted.remedy}."
        )
    with _disk():
        os.replace(part, path)
        _sync_folder(path.parent)
        state_of(part).unlink(missing_ok=True)
    return Received(size, sha256, state.commit)


def _receive(body: http.client.HTTPResponse, f: Any, digest: Any, there: int, wanted: Wanted, whole: int | None, tick: Tick) -> int:
    """Write what comes to `f` until it ends; returns how many bytes are there then."""
    most = whole if whole is not None else wanted.limit
    while True:
        try:
            block = body.read1(BLOCK)
        except http.client.IncompleteRead as error:
            raise BrokeOff("the connection ended early") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BrokeOff(words_of(error)) from error
        if not block:
            return there
        if there + len(block) > most:
            raise _too_long(wanted, most)
        rest = memoryview(block)
        while rest:
            with _disk():
                rest = rest[f.write(rest) :]
        digest.update(block)
        there += len(block)
        tick(there, whole)


def _too_long(wanted: Wanted, most: int) -> _TooLong:
    return _TooLong(
        f"{wanted.title}: {host_of(wanted.url)} sends more than the {most} bytes that this file can have, "
        f"so it is not the published file; {wanted.remedy}."
    )


def _new_state(wanted: Wanted, answer: Answer) -> _State:
    """What the server says about the file now. Raises InputError if that cannot be the file that is wanted."""
    headers = answer.body.headers
    if headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise DownloadError(f"{wanted.title}: {host_of(wanted.url)} sends the file packed, which cannot be verified; {wanted.remedy}.")
    if answer.status == 206:
        found = re.fullmatch(r"bytes \d+-\d+/(\d+)", headers.get("Content-Range", "").strip())
        size = int(found[1]) if found and len(found[1]) < 19 else None
    else:
        size = number_of(headers.get("Content-Length")) if not headers.get("Transfer-Encoding") else None
    size = size if size is not None else answer.linked_size
    etag = headers.get("ETag", "").strip()
    # A weak one does not promise equal bytes.
    strong = etag if re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else None
    if wanted.sha256 and answer.linked and answer.linked != wanted.sha256:
        raise InputError(f"{wanted.title}: {host_of(wanted.url)} now has another file than the one that was published; {wanted.remedy}.")
    if size is not None and wanted.bytes is not None and size != wanted.bytes:
        raise InputError(
            f"{wanted.title}: {host_of(wanted.url)} has a file of {size} bytes, the published one has {wanted.bytes}; {wanted.remedy}."
        )
    if size is not None and size > wanted.limit:
        raise _too_long(wanted, wanted.limit)
    return _State(wanted.url, strong, answer.linked, size, answer.commit)


def _can_resume(wanted: Wanted, state: _State) -> bool:
    """Whether a wrong continuation would be noticed."""
    same = _tail(state.url) == _tail(wanted.url) or (state.commit is not None and f"/resolve/{state.commit}/" in wanted.url)
    return same and bool(state.etag or state.linked or wanted.sha256)


def _tail(url: str) -> str:
    """What is asked for, whichever server it is asked of."""
    return urlsplit(url).path


def _check_continues(answer: Answer, there: int, old: _State, new: _State) -> None:
    """Raises _StartOver unless the answer is the rest of the same file."""
    found = re.match(r"bytes (\d+)-", answer.body.headers.get("Content-Range", "").strip())
    same = all(a is None or b is None or a == b for a, b in ((old.etag, new.etag), (old.linked, new.linked), (old.bytes, new.bytes)))
    if not there or not found or found[1] != str(there) or not same:
        raise _StartOver("the file changes while it is fetched")


def _hash_part(part: Path, digest: Any, tick: Tick) -> int:
    """Feed the bytes that are there to `digest`; returns how many."""
    there = 0
    try:
        with open(part, "rb") as f:
            while block := f.read(BLOCK * 4):
                digest.update(block)
                there += len(block)
                tick(there, None)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StorageError(f"{shown(part)}: cannot be read ({error.strerror or error}); delete it and start again.") from error
    return there


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Keep the errors of the disk apart from those of the network, which are OSErrors as well."""
    try:
        yield
    except OSError as error:
        raise _Disk from error


def _disk_error(wanted: Wanted, part: Path, error: BaseException | None) -> StorageError:
    """Word what the disk says. On a full disk the part is removed: all programs suffer from that, and it can be fetched again."""
    if isinstance(error, OSError) and error.errno in _FULL:
        _remove(part)
        return StorageError(
            f"{shown(part.parent)}: the disk or your share of it is full, {wanted.title} does not fit; free some room and start again."
        )
    reason = getattr(error, "strerror", None) or error
    return StorageError(f"{shown(part)}: cannot be written ({reason}); free some room or choose another folder for networks.")


def _read_state(part: Path) -> _State | None:
    try:
        data = json.loads(state_of(part).read_text(encoding="utf-8"))
        state = _State(**data)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (state.etag, state.linked, state.commit)
    right = isinstance(state.url, str) and all(t is None or isinstance(t, str) for t in texts)
    return state if right and (state.bytes is None or isinstance(state.bytes, int)) else None


def _write_state(part: Path, state: _State) -> None:
    state_of(part).write_text(json.dumps(asdict(state)), encoding="utf-8")


def _remove(part: Path) -> None:
    for file in (part, state_of(part)):
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{shown(file)}: cannot be deleted ({error.strerror or error}); delete it yourself.") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a loss of power, where the system lets one do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sleep(seconds: float, look: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        look()
        time.sleep(min(left, 0.1))


def _agreed(first: int | None, second: int | None) -> int | None:
    return first if first is not None else second
