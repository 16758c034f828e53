"""A small hub of networks for the tests, a process of its own: `python hub_server.py FOLDER`, which prints its port.

FOLDER/<hub>/<owner>/<name>/<file> is served at /<hub>/<owner>/<name>/resolve/<revision>/<file>, with the headers of the real
one; there may be any number of <hub>. Its behavior.json, read anew for each request, says by file name what goes wrong (see
`Hub`), its requests.jsonl what was asked and what was sent.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
LOCK = threading.Lock()
TURNS: dict[str, int] = {}
ACTIVE: set[int] = set()
NUMBERS = itertools.count()


def turn(key: str, values: list[Any]) -> Any:
    """The next of a list's values, None after the last."""
    with LOCK:
        number = TURNS.get(key, 0)
        TURNS[key] = number + 1
    return values[number] if number < len(values) else None


class Hub(BaseHTTPRequestHandler):
    """How a file behaves, all optional.

    statuses: for one request after the other, null for a good answer. cut: bytes after which the connection ends, likewise.
    always_cut: the same for all. etag, linked, commit, length, content_range, encoding: what the headers say; null for none.
    no_length, chunked, endless, ignore_range, ignore_if_range, flip (one bit): true. redirect: a location, in which {port} and
    {path} are filled in; redirect_status. headers: how many more, header: their length. hang: seconds before the answer.
    slow: seconds before each 64 kB.
    """

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        del format, args

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path == "/settled":
            while ACTIVE:
                time.sleep(0.005)
            self.entry = {"sent": 0}
            return self.answer(200, {}, b"")
        ACTIVE.add(id(self))
        try:
            self.respond()
        finally:
            ACTIVE.discard(id(self))

    def respond(self) -> None:
        found = re.fullmatch(r"/(cdn/)?([^/]+)/([^/]+/[^/]+)/resolve/([^/]+)/([^/]+)", self.path)
        self.hub = FOLDER / found[2] if found else FOLDER
        try:
            rules: dict[str, Any] = json.loads((self.hub / "behavior.json").read_text())
        except FileNotFoundError:
            rules = {}
        self.entry: dict[str, Any] = {
            "number": next(NUMBERS),
            "path": self.path,
            "range": self.headers.get("Range"),
            "if_range": self.headers.get("If-Range"),
        }
        self.entry |= {"host": self.headers.get("Host"), "sent": 0}
        try:
            if found is None or not (self.hub / found[3] / found[5]).is_file():
                self.answer(404, {}, b"")
            else:
                self.serve(found, rules.get(found[5], {}))
        except (BrokenPipeError, ConnectionResetError):
            self.entry["dropped"] = True
        finally:
            with LOCK, open(self.hub / "requests.jsonl", "a") as f:
                f.write(json.dumps(self.entry) + "\n")

    def serve(self, found: re.Match[str], rule: dict[str, Any]) -> None:
        name = found[5]
        data = (self.hub / found[3] / name).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        etag = rule.get("etag", f'"{digest[:40]}"')
        headers = {"X-Repo-Commit": rule.get("commit", "c" * 40)}
        linked = rule.get("linked", digest if name.endswith(".safetensors") else None)
        if linked:
            headers |= {"X-Linked-Etag": f'"{linked}"', "X-Linked-Size": str(len(data))}
        if not found[1] and "redirect" in rule:
            headers["Location"] = rule["redirect"].format(port=self.server.server_address[1], path=self.path)
            return self.answer(rule.get("redirect_status", 302), headers, b"")
        if found[1]:
            headers = {}
        time.sleep(rule.get("hang", 0))
        if status := turn(f"{self.hub}/{name} status", rule.get("statuses", [])):
            return self.answer(status, headers, b"no")
        if etag:
            headers["ETag"] = etag
        if "encoding" in rule:
            headers["Content-Encoding"] = rule["encoding"]
        headers |= {f"X-More-{i}": "x" * rule.get("header", 10) for i in range(rule.get("headers", 0))}
        if rule.get("flip"):
            data = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        valid = self.headers.get("If-Range") in (None, etag) or rule.get("ignore_if_range")
        if asked and valid and not rule.get("ignore_range"):
            start, status = int(asked[1]), 206
            if start >= len(data):
                return self.answer(416, headers | {"Content-Range": f"bytes */{len(data)}"}, b"")
            headers["Content-Range"] = rule.get("content_range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        body = data[start:]
        if rule.get("chunked"):
            headers["Transfer-Encoding"] = "chunked"
            body = (
                b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[i : i + 50_000] for i in range(0, len(body), 50_000))) + b"0\r\n\r\n"
            )
        elif not rule.get("no_length") and not rule.get("endless"):
            headers["Content-Length"] = str(rule.get("length", len(body)))
        cut = turn(f"{self.hub}/{name} cut", rule.get("cut", []))
        if rule.get("always_cut") is not None:
            cut = rule["always_cut"]
        self.answer(status, headers, body if cut is None else body[:cut], pause=rule.get("slow", 0))
        while rule.get("endless"):
            self.send(bytes(1 << 16))

    def answer(self, status: int, headers: dict[str, str], body: bytes, pause: float = 0) -> None:
        self.entry["status"] = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not body and "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        for i in range(0, len(body), 1 << 16):
            time.sleep(pause)
            self.send(body[i : i + (1 << 16)])

    def send(self, block: bytes) -> None:
        self.wfile.write(block)
        self.wfile.flush()
        self.entry["sent"] += len(block)


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
print(server.server_address[1], flush=True)
server.serve_forever()
