"""Files are written whole or not at all, and named in messages so that they cannot break a line."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError, StorageError


def shown(path: Path | str) -> str:
    """The path as it may stand in a message: a newline or another control character in a file's name is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(path))


def write_atomically(path: Path, write: Callable[[Path], None], verify: Callable[[Path], None] | None = None) -> None:
    """Let `write` make a file under a temporary name beside `path`, `verify` it, then rename it to `path`.

    The temporary name keeps the suffix, because many writers choose the format by it, and names host and process, so
    that machines that share a folder do not meet. Raises StorageError on any OSError and passes on whatever `write` or
    `verify` raises; the temporary file is removed either way, and `path` is then as it was before.
    """
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with open(temporary, "rb+") as f:
            os.fsync(f.fileno())
        if verify is not None:
            verify(temporary)
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"{shown(path)}: cannot be written ({reason}); free some room or choose another place.") from error
    finally:
        _remove(temporary)


def temporary_name(path: Path) -> Path:
    """The temporary name of `path` on this host and in this process, `.<name>.<host>.<pid>.tmp<suffix>`."""
    host = re.sub(r"[^A-Za-z0-9-]", "_", socket.gethostname())[:40]
    # File systems allow 255 bytes; a long name is cut, which host and process still make unique enough within a folder.
    name = path.name.encode("utf-8", "surrogateescape")[:120].decode("utf-8", "ignore")
    suffix = path.suffix if len(path.suffix) <= 16 else ""
    return path.parent / f".{name}.{host}.{os.getpid()}.tmp{suffix}"


def read_file(path: Path, *, limit: int, accept: Callable[[bytes], None] | None = None) -> bytes:
    """The bytes of an ordinary file. `accept` sees its first 4096 bytes and may raise before a long video is read.

    Raises InputError if it is missing, unreadable, not a file, empty or above `limit` bytes.
    """
    try:
        if path.is_dir():
            raise InputError(f"{shown(path)}: this is a folder; name a file inside it.")
        if path.exists() and not path.is_file():
            raise InputError(f"{shown(path)}: this is a device or a pipe, not a file; save it as a file first.")
        if accept is not None:
            with open(path, "rb") as f:
                start = f.read(4096)
            if start:
                accept(start)
        size = path.stat().st_size
        if size > limit:
            raise InputError(f"{shown(path)}: the file is too large ({size / 1e6:.0f} MB); save a smaller copy.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{shown(path)}: there is no such file; check the name.") from error
    except PermissionError as error:
        raise InputError(f"{shown(path)}: the file may not be read (permission denied); change its permissions.") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{shown(path)}: the file cannot be read ({reason}); check the name.") from error
    if not data:
        raise InputError(f"{shown(path)}: the file is empty; copy or save it again.")
    return data


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # nothing more can be done about a leftover, and the first error matters more
