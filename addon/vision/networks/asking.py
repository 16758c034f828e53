"""Asking a server for a file: over https only, with every kind of answer looked at and worded."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import importlib.util
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from ...errors import InputError, StillscapeError
from ..files import shown

_HOPS = 8
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class DownloadError(StillscapeError):
    """A server cannot be reached or breaks off; another time may help."""

    exit_code = 4


class NotPublished(InputError):
    """The server has no such file."""


@dataclass(frozen=True)
class Wanted:
    """A file to be fetched.

    url: where it is. title: what it is called in messages. limit: the most bytes that are taken. bytes, sha256: what it must
    be, where that is known. remedy: what else the user can do, as the end of a sentence.
    """

    url: str
    title: str
    limit: int
    bytes: int | None
    sha256: str | None
    remedy: str


class BrokeOff(Exception):
    """The transfer ended early, for the reason in the message; `early` if no answer came at all."""

    def __init__(self, reason: str, *, early: bool = False) -> None:
        super().__init__(reason)
        self.early = early


def is_allowed(url: str, *, loopback: bool) -> bool:
    """Whether `url` may be asked: https, and plain http on this machine itself where `loopback` says so."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (loopback and parts.scheme == "http" and host in _LOOPBACK))


def is_loopback(url: str) -> bool:
    return is_allowed(url, loopback=True) and urlsplit(url).hostname in _LOOPBACK


class Answer(NamedTuple):
    """The last of a row of redirections, and what the first server said about the file."""

    status: int
    body: http.client.HTTPResponse
    linked: str | None
    commit: str | None
    linked_size: int | None


@contextlib.contextmanager
def opened(wanted: Wanted, headers: dict[str, str], timeout: float) -> Iterator[Answer]:
    """Ask for the file and follow redirections. Any answer but 200, 206 and 416 is raised as the error that it stands for."""
    url, commit, linked, linked_size = wanted.url, None, None, None
    for _ in range(_HOPS):
        body = _ask(wanted, url, headers, timeout)
        with contextlib.closing(body):
            # Only the hub's own word about the file counts, not that of wherever it sends us.
            if host_of(url) == host_of(wanted.url):
                commit = commit or _match(r"[0-9a-f]{40}", body.headers.get("X-Repo-Commit"))
                linked = linked or _match(r"[0-9a-f]{64}", _plain_etag(body.headers.get("X-Linked-Etag")))
                linked_size = linked_size or number_of(body.headers.get("X-Linked-Size"))
            if body.status in (301, 302, 303, 307, 308):
                url = _redirected(wanted, url, body.headers.get("Location", ""))
                continue
            _check_status(wanted, body.status)
            yield Answer(body.status, body, linked, commit, linked_size)
            return
    raise DownloadError(f"{wanted.title}: {host_of(wanted.url)} sends round in circles ({_HOPS} redirections); {wanted.remedy}.")


def _redirected(wanted: Wanted, url: str, location: str) -> str:
    """The address that `url` sends us on to. Raises DownloadError if it may not be asked."""
    try:
        target = urljoin(url, location) if location else ""
    except ValueError:
        target = ""
    if not is_allowed(target, loopback=is_loopback(wanted.url)):
        raise DownloadError(
            f"{wanted.title}: {host_of(wanted.url)} sends on to an address that is not allowed ({shown(location)[:200]!r}), "
            f"only https is followed; {wanted.remedy}."
        )
    return target


def _ask(wanted: Wanted, url: str, headers: dict[str, str], timeout: float) -> http.client.HTTPResponse:
    try:
        return _opener().open(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise DownloadError(
                f"{wanted.title}: the certificate of {host_of(url)} cannot be verified ({reason.verify_message or 'no reason given'}); "
                "check this computer's clock, or name your network's own certificates in SSL_CERT_FILE."
            ) from error
        raise BrokeOff(words_of(reason if isinstance(reason, Exception) else error), early=True) from error
    except (OSError, http.client.HTTPException) as error:
        # The connection stood, and then broke before the answer's first line or gave none that makes sense.
        raise BrokeOff(words_of(error), early=isinstance(error, ssl.SSLError)) from error
    except ValueError as error:
        raise BrokeOff(f"the address {shown(url)[:200]} makes no sense", early=True) from error


def later(wanted: Wanted) -> str:
    return f"try again later, it goes on from where it stopped, or {wanted.remedy}"


def _check_status(wanted: Wanted, status: int) -> None:
    host = host_of(wanted.url)
    if status in (200, 206, 416):
        return
    if status in (401, 403):
        raise InputError(
            f"{wanted.title}: {host} gives this file only to people who asked for it (HTTP {status}); ask there, then {wanted.remedy}."
        )
    if status in (404, 410):
        raise NotPublished(f"{wanted.title}: {host} has no such file (HTTP {status}); {wanted.remedy}.")
    if status == 429 or status >= 500:
        raise BrokeOff(f"the server answers with HTTP {status}")
    raise DownloadError(f"{wanted.title}: {host} answers with HTTP {status}; {later(wanted)}.")


class _AsItIs(urllib.request.HTTPErrorProcessor):
    """Redirections and errors are answers like any other: they are looked at above."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


@lru_cache(maxsize=1)
def _opener() -> urllib.request.OpenerDirector:
    """Only http and https, with the proxies of the environment; urllib's usual opener also reads files and FTP."""
    opener = urllib.request.OpenerDirector()
    http_only: list[urllib.request.BaseHandler] = [
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_certificates()),
        _AsItIs(),
    ]
    for handler in http_only:
        opener.add_handler(handler)
    return opener


def _certificates() -> ssl.SSLContext:
    """The system's certificates, or where this Python has none (macOS) those of certifi, which Blender brings along."""
    try:
        context = ssl.create_default_context()
    except ssl.SSLError:  # one bad certificate in Windows' store spoils them all
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Those in a folder are read when they are needed, and do not count among the loaded ones.
    folder = ssl.get_default_verify_paths().capath
    if not context.get_ca_certs() and not (folder and _has_entries(folder)) and importlib.util.find_spec("certifi"):
        context.load_verify_locations(cafile=importlib.import_module("certifi").where())
    return context


def _has_entries(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except OSError:
        return False


def words_of(error: Exception) -> str:
    """The reason of an error of the network in a few words, on one line."""
    if isinstance(error, socket.gaierror):
        return "its name cannot be found: is there a network?"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return f"an answer that makes no sense: {type(error).__name__}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(shown(str(text)).split())[:200]


def host_of(url: str) -> str:
    return shown(urlsplit(url).netloc.rpartition("@")[2])


def _match(pattern: str, value: str | None) -> str | None:
    return value if value is not None and re.fullmatch(pattern, value) else None


def _plain_etag(value: str | None) -> str | None:
    return value.strip().removeprefix("W/").strip('"') if value is not None else None


def number_of(value: str | None) -> int | None:
    """A header's count of bytes; None for nonsense."""
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,18}", value.strip()) else None
