"""The store of networks against a real server on this machine: nothing half-made, nothing wrong, nothing fetched twice."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from addon.errors import InputError, StillscapeError, StorageError, UsageError
from addon.vision.networks import store
from addon.vision.networks.asking import DownloadError
from addon.vision.networks.catalogue import Model, ModelFile
from addon.vision.networks.lock import locked

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "someone/Tiny-Net"
COMMIT = "c" * 40
WAITS = (0.0, 0.0)


def safetensors(seed: int, size: int = 1_500_000) -> bytes:
    """A file of that kind with nothing but noise in it."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + np.random.default_rng(seed).bytes(size)


WEIGHTS = safetensors(1)
CONFIG = b'{"model_type": "tiny"}'


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model(**changes: Any) -> Model:
    """The network of these tests, of which nothing is known but its name and about its size."""
    files = (
        ModelFile("config.json", None, None),
        ModelFile("preprocessor_config.json", None, None, optional=True),
        ModelFile("model.safetensors", changes.pop("size", None), changes.pop("sha256", None)),
    )
    values = {"name": "tiny-net", "label": "Tiny Net", "help": "Tiny", "backend": "auto", "repository": REPOSITORY, "revision": "main"}
    values |= {"licence": "MIT", "commercial": True, "note": "", "bytes": 1_500_000, "files": files, "side": 28, "memory": 1}
    return Model(**{**values, **changes})


class Hub:
    """One of the hubs of hub_server.py."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.host = f"http://127.0.0.1:{port}/{folder.name}"
        self.put("config.json", CONFIG)
        self.put("model.safetensors", WEIGHTS)

    def put(self, name: str, data: bytes) -> None:
        (self.folder / REPOSITORY).mkdir(parents=True, exist_ok=True)
        (self.folder / REPOSITORY / name).write_bytes(data)

    def weights(self, **rule: Any) -> None:
        """How the file of weights misbehaves from now on."""
        (self.folder / "behavior.new").write_text(json.dumps({"model.safetensors": rule}))
        os.replace(self.folder / "behavior.new", self.folder / "behavior.json")

    def requests(self, name: str = "model.safetensors") -> list[dict[str, Any]]:
        """What was asked for one file so far, in order."""
        # The server answers this once it has written down all that it did.
        with socket.create_connection(("127.0.0.1", self.port)) as asking:
            asking.sendall(b"GET /settled HTTP/1.0\r\n\r\n")
            assert b"200" in asking.recv(1000)
        lines = (self.folder / "requests.jsonl").read_text().splitlines() if (self.folder / "requests.jsonl").exists() else []
        entries = sorted(map(json.loads, lines), key=lambda entry: entry["number"])
        return [entry for entry in entries if entry["path"].endswith("/" + name)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    folder = tmp_path_factory.mktemp("hubs")
    command = [sys.executable, str(Path(__file__).with_name("hub_server.py")), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield folder, int(process.stdout.readline())
        process.kill()


@pytest.fixture
def hub(server: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return Hub(server[0] / tmp_path.name, server[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "größe und tiefe" / "models"


class Watcher:
    """A progress that remembers, and that gives up once `stop` says so."""

    def __init__(self, stop: Callable[[float, str], bool] = lambda share, text: False) -> None:
        self.seen: list[tuple[float, str]] = []
        self._stop = stop

    def __call__(self, share: float, text: str) -> None:
        self.seen.append((share, text))
        if self._stop(share, text):
            raise KeyboardInterrupt


def get(hub: Hub, folder: Path, wanted: Model | None = None, progress: store.Progress | None = None, **more: Any) -> Path:
    return store.download(wanted or model(), folder, progress or Watcher(), **{"host": hub.host, "waits": WAITS, **more})


def fails(kind: type[StillscapeError], words: str, hub: Hub, folder: Path, wanted: Model | None = None, **more: Any) -> str:
    """Downloading raises exactly `kind`, with one sentence that says `words`."""
    with pytest.raises(StillscapeError) as caught:
        get(hub, folder, wanted, **more)
    message = str(caught.value)
    assert isinstance(caught.value, kind), repr(caught.value)
    assert re.search(words, message), message
    assert "\n" not in message and message.endswith(".") and len(message) < 700
    return message


def names(path: Path) -> set[str]:
    return {p.name for p in path.iterdir()} if path.is_dir() else set()


WHOLE = {"config.json", "model.safetensors", "stillscape.json"}


def test_a_whole_download(hub: Hub, folder: Path) -> None:
    watcher = Watcher()
    path = get(hub, folder, progress=watcher)
    assert path == folder / "tiny-net" == store.find(model(), folder)
    assert names(path) == WHOLE
    assert (path / "model.safetensors").read_bytes() == WEIGHTS and (path / "config.json").read_bytes() == CONFIG
    shares = [share for share, _ in watcher.seen]
    assert shares == sorted(shares) and shares[-1] == 1.0 and all(0 <= share <= 1 for share in shares)
    assert any(re.fullmatch(r"Downloading Tiny Net: \d\.\d of 1\.5 MB", text) for _, text in watcher.seen), watcher.seen
    notes = json.loads((path / "stillscape.json").read_text())
    assert (notes["revision"], notes["source"], notes["model"]) == (COMMIT, f"{hub.host}/{REPOSITORY}", "tiny-net")
    assert notes["files"]["model.safetensors"]["sha256"] == sha(WEIGHTS)
    assert notes["files"]["config.json"]["bytes"] == len(CONFIG)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", notes["date"])


def test_all_files_are_of_the_commit_that_the_first_one_was_of(hub: Hub, folder: Path) -> None:
    get(hub, folder)
    assert [r["path"].split("/")[5] for r in hub.requests("config.json")] == ["main"]
    assert [r["path"].split("/")[5] for r in hub.requests()] == [COMMIT]


def test_a_listed_commit_is_what_is_asked_for(hub: Hub, folder: Path) -> None:
    get(hub, folder, model(revision="a" * 40))
    assert {r["path"].split("/")[5] for name in ("config.json", "model.safetensors") for r in hub.requests(name)} == {"a" * 40}


def test_the_second_run_needs_no_network(hub: Hub, folder: Path) -> None:
    path = get(hub, folder)
    assert get(hub, folder) == path
    assert get(hub, folder, offline=True) == path
    assert get(hub, folder, host="https://nowhere.invalid") == path
    assert len(hub.requests()) == len(hub.requests("config.json")) == 1


def test_a_cut_connection_is_resumed(hub: Hub, folder: Path) -> None:
    hub.weights(cut=[400_000, 500_000])
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS and names(path) == WHOLE
    asked = hub.requests()
    assert [r["range"] for r in asked] == [None, "bytes=400000-", "bytes=900000-"]
    assert asked[1]["if_range"] == f'"{sha(WEIGHTS)[:40]}"'
    assert sum(r["sent"] for r in asked) == len(WEIGHTS)


def test_a_cut_chunked_answer_is_resumed(hub: Hub, folder: Path) -> None:
    hub.weights(cut=[400_000], chunked=True)
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert int(hub.requests()[1]["range"][6:-1]) > 300_000


def test_a_server_that_knows_no_ranges_starts_over(hub: Hub, folder: Path) -> None:
    hub.weights(cut=[400_000], ignore_range=True)
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert [r["status"] for r in hub.requests()] == [200, 200]


def begin(hub: Hub, folder: Path, wanted: Model | None = None) -> Path:
    """Leave a download that was given up after 400,000 bytes; returns the part."""
    hub.weights(always_cut=400_000)
    fails(DownloadError, "the connection ended at 400000 of", hub, folder, wanted, waits=())
    part = folder / "tiny-net" / "model.safetensors.part"
    assert part.read_bytes() == WEIGHTS[:400_000]
    assert store.find(model(), folder) is None
    hub.weights()
    return part


def test_what_was_given_up_is_resumed_by_the_next_call(hub: Hub, folder: Path) -> None:
    begin(hub, folder)
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS and names(path) == WHOLE
    assert hub.requests()[-1]["range"] == "bytes=400000-"
    assert len(hub.requests("config.json")) == 1


def test_cancelled_then_resumed(hub: Hub, folder: Path) -> None:
    hub.weights(slow=0.06)
    with pytest.raises(KeyboardInterrupt):
        get(hub, folder, progress=Watcher(lambda share, text: share > 0.3))
    part = folder / "tiny-net" / "model.safetensors.part"
    there = part.read_bytes()
    assert 300_000 < len(there) < len(WEIGHTS) and WEIGHTS.startswith(there)
    assert "stillscape.lock" not in names(part.parent)
    hub.weights()
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS and names(path) == WHOLE
    assert [r["range"] for r in hub.requests()] == [None, f"bytes={len(there)}-"]


@pytest.mark.parametrize(
    "rule", [{}, {"ignore_if_range": True}, {"ignore_if_range": True, "linked": None}, {"etag": None}, {"etag": 'W/"weak"'}]
)
def test_a_file_that_changed_in_between_starts_over(hub: Hub, folder: Path, rule: dict[str, Any]) -> None:
    begin(hub, folder)
    other = safetensors(2)
    hub.put("model.safetensors", other)
    hub.weights(**rule)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == other


def test_a_part_of_another_revision_starts_over(hub: Hub, folder: Path) -> None:
    """Also where nothing but the address tells them apart."""
    hub.weights(always_cut=400_000, etag='"1"', linked=None, ignore_if_range=True)
    fails(DownloadError, "the connection ended", hub, folder, model(revision="a" * 40), waits=())
    other = safetensors(2)
    hub.put("model.safetensors", other)
    hub.weights(etag='"1"', linked=None, ignore_if_range=True)
    assert (get(hub, folder, model(revision="b" * 40)) / "model.safetensors").read_bytes() == other


def test_a_part_without_notes_or_with_the_wrong_bytes_starts_over(hub: Hub, folder: Path) -> None:
    part = begin(hub, folder)
    part.write_bytes(b"x" * 400_000)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS
    assert [r["range"] for r in hub.requests()] == [None, "bytes=400000-", None]
    (folder / "tiny-net" / "model.safetensors").unlink()
    part.write_bytes(b"x" * 400_000)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.requests()[-1]["range"] is None


@pytest.mark.parametrize("notes", ["", "{", "[]", '{"url": 1}', '{"url": "x", "bytes": "many"}', "[" * 100_000, "null"])
def test_damaged_notes_beside_a_part_start_over(hub: Hub, folder: Path, notes: str) -> None:
    part = begin(hub, folder)
    part.with_name(part.name + ".json").write_text(notes)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_part_that_is_whole_or_too_long_is_not_asked_for(hub: Hub, folder: Path) -> None:
    part = begin(hub, folder)
    part.write_bytes(WEIGHTS)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS
    assert len(hub.requests()) == 1
    shutil.rmtree(folder)
    part = begin(hub, folder)
    part.write_bytes(WEIGHTS + b"more")
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("known", [{"sha256": sha(WEIGHTS)}, {}], ids=["listed", "of the hub"])
def test_a_flipped_bit_is_noticed(hub: Hub, folder: Path, known: dict[str, Any]) -> None:
    hub.weights(flip=True)
    fails(InputError, "model.safetensors: what 127.0.0.1:.* sent is damaged or not the published file", hub, folder, model(**known))
    assert names(folder / "tiny-net") == {"config.json", "stillscape.json.part"}
    assert len(hub.requests()) == 1
    hub.weights()
    assert names(get(hub, folder, model(**known))) == WHOLE


def test_another_file_than_the_listed_one_is_not_even_fetched(hub: Hub, folder: Path) -> None:
    hub.weights(slow=0.02)
    fails(InputError, "now has another file", hub, folder, model(sha256="0" * 64))
    hub.weights(slow=0.02, linked=None)
    fails(InputError, f"of {len(WEIGHTS)} bytes, the published one has 1000", hub, folder, model(size=1000))
    assert all(r["dropped"] for r in hub.requests())
    fails(InputError, "damaged or not the published file", hub, folder, model(sha256="0" * 64))


def test_a_server_that_always_breaks_off_is_given_up(hub: Hub, folder: Path) -> None:
    hub.weights(always_cut=100_000)
    message = fails(DownloadError, f"the connection ended at 300000 of {len(WEIGHTS)} bytes", hub, folder)
    assert str(folder / "tiny-net") in message and REPOSITORY in message and "goes on from where it stopped" in message
    assert len(hub.requests()) == 3


@pytest.mark.parametrize(
    ("status", "kind", "words", "tries"),
    [
        (401, InputError, "only to people who asked for it", 1),
        (403, InputError, "only to people who asked for it", 1),
        (404, InputError, "has no such file", 1),
        (410, InputError, "has no such file", 1),
        (418, DownloadError, "HTTP 418", 1),
        (204, DownloadError, "HTTP 204", 1),
        (304, DownloadError, "HTTP 304", 1),
        (416, DownloadError, "does not go on", 3),
        (206, DownloadError, "changes while it is fetched", 3),
        (429, DownloadError, "HTTP 429", 3),
        (500, DownloadError, "HTTP 500", 3),
        (503, DownloadError, "HTTP 503", 3),
    ],
)
def test_what_servers_answer(hub: Hub, folder: Path, status: int, kind: type[StillscapeError], words: str, tries: int) -> None:
    hub.weights(statuses=[status] * 9)
    message = fails(kind, words, hub, folder)
    assert "model.safetensors" in message and f"127.0.0.1:{hub.port}" in message
    assert len(hub.requests()) == tries
    assert "model.safetensors" not in names(folder / "tiny-net")


def test_a_short_trouble_of_the_server_passes(hub: Hub, folder: Path) -> None:
    hub.weights(statuses=[503, None, 500], cut=[400_000])
    assert (get(hub, folder, waits=(0.0, 0.05, 0.0)) / "model.safetensors").read_bytes() == WEIGHTS
    assert [r["status"] for r in hub.requests()] == [503, 200, 500, 206]


def test_an_optional_file_may_be_missing_or_there(hub: Hub, folder: Path) -> None:
    assert names(get(hub, folder)) == WHOLE
    assert [r["status"] for r in hub.requests("preprocessor_config.json")] == [404]
    shutil.rmtree(folder)
    hub.put("preprocessor_config.json", b"{}")
    assert names(get(hub, folder)) == WHOLE | {"preprocessor_config.json"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_followed_also_when_resuming(hub: Hub, folder: Path, status: int) -> None:
    hub.weights(redirect="http://localhost:{port}/cdn{path}", redirect_status=status, cut=[400_000])
    path = get(hub, folder)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    served = [r for r in hub.requests() if r["path"].startswith("/cdn")]
    assert [r["range"] for r in served] == [None, "bytes=400000-"]
    assert {r["host"] for r in served} == {f"localhost:{hub.port}"}
    assert json.loads((path / "stillscape.json").read_text())["revision"] == COMMIT


def test_the_hubs_word_counts_before_that_of_where_it_sends_us(hub: Hub, folder: Path) -> None:
    hub.weights(redirect="/cdn{path}", flip=True)
    fails(InputError, "damaged or not the published file", hub, folder)


@pytest.mark.parametrize(
    "target",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://example.invalid/x", "", "http://[bad", "http://127.0.0.1:port/x", "data:,x"],
)
def test_redirections_to_elsewhere_are_refused(hub: Hub, folder: Path, target: str) -> None:
    hub.weights(redirect=target)
    fails(DownloadError, "not allowed", hub, folder)


def test_redirections_in_a_circle_end(hub: Hub, folder: Path) -> None:
    hub.weights(redirect="{path}")
    fails(DownloadError, "round in circles", hub, folder)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"headers": 200}, "makes no sense"),
        ({"headers": 2, "header": 100_000}, "makes no sense"),
        ({"encoding": "gzip"}, "packed"),
        ({"length": 10**13}, "sends more than"),
        ({"length": -5, "etag": None, "endless": True}, "sends more than"),
        ({"endless": True}, "sends more than"),
        ({"endless": True, "linked": None}, "sends more than"),
        ({"cut": [400_000], "content_range": "bytes 5-9/10"}, None),
        ({"cut": [400_000], "content_range": "bytes nonsense"}, None),
        ({"cut": [400_000], "content_range": "bytes 400000-1500079/" + "9" * 5000}, None),
    ],
)
def test_hostile_answers(hub: Hub, folder: Path, rule: dict[str, Any], words: str | None) -> None:
    hub.weights(**rule)
    if words:
        fails(StillscapeError, words, hub, folder)
        assert not [name for name in names(folder / "tiny-net") if name.startswith("model")]
    else:  # the file is had in the end, in one piece
        assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_page_instead_of_the_file_is_not_trusted(hub: Hub, folder: Path, name: str) -> None:
    hub.put(name, b"<html>Please log in to the wireless network</html>")
    hub.weights(linked=None)
    fails(InputError, f"{name}: .*not the published file", hub, folder)
    assert store.find(model(), folder) is None and name not in names(folder / "tiny-net")


def test_a_length_that_is_not_told_is_no_hindrance(hub: Hub, folder: Path) -> None:
    hub.weights(no_length=True, linked=None)
    assert (get(hub, folder) / "model.safetensors").read_bytes() == WEIGHTS


def test_no_answer_in_time(hub: Hub, folder: Path) -> None:
    hub.weights(hang=3)
    fails(DownloadError, "no answer in time", hub, folder, timeout=0.3, waits=())


def test_no_server_no_name_no_encryption(hub: Hub, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = free.getsockname()[1]

    def give_up(share: float, text: str) -> bool:
        raise AssertionError("there is nothing to wait for")

    once: dict[str, Any] = {"waits": (600.0,), "progress": Watcher(give_up)}
    fails(DownloadError, "failed \\(.*refused", hub, folder, host=f"http://127.0.0.1:{nobody}", **once)
    fails(DownloadError, "failed \\(", hub, folder, host=f"https://127.0.0.1:{hub.port}", **once)
    fails(DownloadError, "is there a network", hub, folder, host="https://nowhere.invalid", **once)
    assert hub.requests("config.json") == []


def test_an_unverified_certificate_is_refused(hub: Hub, folder: Path, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"]
    subprocess.run([*command, "-subj", "/CN=localhost"], cwd=tmp_path, check=True, capture_output=True)
    code = (
        "import ssl, socket\n"
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        "context.load_cert_chain('cert.pem', 'key.pem')\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "while True:\n"
        "    try:\n"
        "        context.wrap_socket(listener.accept()[0], server_side=True)\n"
        "    except OSError:\n"
        "        continue\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = server.stdout.readline().strip()
        fails(
            DownloadError,
            "the certificate of localhost:\\d+ cannot be verified .*SSL_CERT_FILE",
            hub,
            folder,
            host=f"https://localhost:{port}",
        )
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize(
    "host", ["http://hub.example", "ftp://hub.example", "hub.example", "https://", "https://a b", "https://u:p@hub.example", "file:///x"]
)
def test_only_https_servers_are_asked(hub: Hub, folder: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(UsageError, "begins with https://", hub, folder, host=host)
    monkeypatch.setenv("HF_ENDPOINT", host)
    fails(UsageError, "HF_ENDPOINT", hub, folder, host=None)


def test_the_environment_names_the_server(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.host + "/")
    assert names(get(hub, folder, host=None)) == WHOLE


def test_offline_says_how_to_get_it(hub: Hub, folder: Path) -> None:
    message = fails(UsageError, "Allow Online Access", hub, folder, offline=True)
    assert "--offline" in message and str(folder / "tiny-net") in message and REPOSITORY in message
    begin(hub, folder)
    fails(UsageError, "model.safetensors is missing", hub, folder, offline=True)
    assert len(hub.requests()) == 1


def test_no_room_is_said_before_anything_is_fetched(hub: Hub, folder: Path) -> None:
    message = fails(StorageError, "Tiny Net needs 1000000000.1 GB of free disk space and .* are left", hub, folder, model(bytes=10**18))
    assert str(folder) in message
    assert hub.requests("config.json") == []


LIMITED = """
import resource, sys
from addon.errors import StillscapeError
from tests.vision.test_store import model, store
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    if sys.argv[2] == "verify":
        store.verify(model(), Path(sys.argv[1]))
    else:
        store.download(model(), Path(sys.argv[1]), lambda share, text: None, host=sys.argv[2], waits=())
except StillscapeError as error:
    print(type(error).__name__, error.exit_code, error)
"""


def python(code: str, *arguments: object, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_disk_that_runs_full_underway(hub: Hub, folder: Path) -> None:
    """A limit of the size of files stands in for a full disk: the same error at the same call, only its number differs."""
    said = python(LIMITED, folder, hub.host, 500_000).communicate()[0]
    assert re.fullmatch(r"StorageError 5 .*tiny-net: the disk or your share of it is full, .* free some room and start again\.\n", said), (
        said
    )
    assert names(folder / "tiny-net") == {"config.json", "stillscape.json.part"}
    assert names(get(hub, folder)) == WHOLE


def test_a_place_that_cannot_be_a_folder(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    fails(StorageError, "cannot be made", hub, tmp_path / "file")


def copied(path: Path, weights: bytes = WEIGHTS, config: bytes = CONFIG) -> Path:
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(weights)
    (path / "config.json").write_bytes(config)
    return path


@pytest.mark.parametrize("name", ["tiny-net", "Tiny-Net"])
def test_a_folder_that_was_copied_by_hand(hub: Hub, folder: Path, name: str) -> None:
    path = copied(folder / name)
    assert get(hub, folder, offline=True) == path
    notes = json.loads((path / "stillscape.json").read_text())
    assert (notes["revision"], notes["source"]) == (None, "copied by hand")
    assert notes["files"]["model.safetensors"]["sha256"] == sha(WEIGHTS)
    assert hub.requests("config.json") == []


@pytest.mark.parametrize("revision", ["main", "a" * 40])
def test_the_cache_of_the_hubs_own_programs(hub: Hub, folder: Path, revision: str) -> None:
    cached = folder / "models--someone--Tiny-Net"
    (cached / "blobs").mkdir(parents=True)
    snapshot = cached / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    for name, data in (("config.json", CONFIG), ("model.safetensors", WEIGHTS)):
        (cached / "blobs" / sha(data)).write_bytes(data)
        (snapshot / name).symlink_to(cached / "blobs" / sha(data))
    if revision == "main":
        assert store.find(model(), folder) is None
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("a" * 40)
    assert get(hub, folder, model(revision=revision), offline=True) == snapshot
    (cached / "blobs" / sha(WEIGHTS)).unlink()
    assert store.find(model(revision=revision), folder) is None


def test_references_of_a_cache_lead_nowhere_else(folder: Path) -> None:
    copied(folder / "elsewhere")
    (folder / "models--someone--Tiny-Net" / "refs").mkdir(parents=True)
    (folder / "models--someone--Tiny-Net" / "snapshots").mkdir()
    (folder / "models--someone--Tiny-Net" / "refs" / "main").write_text("../../elsewhere")
    assert store.find(model(), folder) is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"weights": b"version https://git-lfs.example/spec/v1\noid sha256:0\nsize 1500070\n"}, "model.safetensors"),
        ({"weights": WEIGHTS[:-1]}, "model.safetensors"),
        ({"weights": b"<html>"}, "model.safetensors"),
        ({"weights": b"\xff" * 100}, "model.safetensors"),
        ({"config": b"[1]"}, "config.json"),
        ({"config": b"\xff\xfe"}, "config.json"),
        ({"config": b"[" * 200_000}, "config.json"),
    ],
)
def test_a_copy_that_cannot_be_right_is_not_trusted(hub: Hub, folder: Path, change: dict[str, bytes], name: str) -> None:
    path = copied(folder / "tiny-net", **change)
    reason = "only a pointer of git-lfs" if b"git-lfs" in change.get("weights", b"") else "damaged or not the published file"
    with pytest.raises(InputError, match=f"{name}: this .*{reason}; delete it and download"):
        store.verify(model(), path)
    fails(InputError, name, hub, folder, offline=True)
    # Online it is simply fetched; the good one stays.
    assert names(get(hub, folder)) == WHOLE
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert len(hub.requests()) + len(hub.requests("config.json")) == 1


def test_a_copy_is_compared_with_the_list(folder: Path) -> None:
    path = copied(folder / "tiny-net")
    store.verify(model(sha256=sha(WEIGHTS), size=len(WEIGHTS)), path)
    with pytest.raises(InputError, match="model.safetensors: this file is damaged or not the published file"):
        store.verify(model(sha256="0" * 64), path)
    with pytest.raises(InputError, match="model.safetensors: this file is damaged or not the published file"):
        store.verify(model(size=1000), path)
    assert store.find(model(size=1000), folder) is None
    (path / "config.json").unlink()
    with pytest.raises(InputError, match="config.json: this file of Tiny Net is missing"):
        store.verify(model(), path)
    assert store.find(model(), folder) is None


def flip(path: Path) -> None:
    """Change one byte, keeping size and time of change."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_hashes_are_remembered_by_size_and_time(hub: Hub, folder: Path) -> None:
    path = get(hub, folder)
    weights = path / "model.safetensors"
    flip(weights)
    store.verify(model(), path)  # which shows that the file was not read again
    os.utime(weights)
    with pytest.raises(InputError, match="damaged or not the published file; delete it and download it again"):
        store.verify(model(), path)
    flip(weights)
    store.verify(model(), path)
    after = (path / "stillscape.json").read_text()
    store.verify(model(), path)
    assert (path / "stillscape.json").read_text() == after
    watcher = Watcher()
    os.utime(weights)
    store.verify(model(), path, watcher)
    assert {text for _, text in watcher.seen} == {"Verifying Tiny Net"} and watcher.seen[-1][0] == 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_folder_that_cannot_be_written_is_verified_all_the_same(folder: Path) -> None:
    path = copied(folder / "tiny-net")
    said = python(LIMITED, path, "verify", 0).communicate()[0]
    assert said == "" and names(path) == {"config.json", "model.safetensors"}


@pytest.mark.parametrize("by_hand", [True, False])
def test_downloading_mends_what_is_damaged_and_nothing_else(hub: Hub, folder: Path, by_hand: bool) -> None:
    path = copied(folder / "tiny-net") if by_hand else get(hub, folder)
    store.verify(model(), path)
    before = (len(hub.requests()), len(hub.requests("config.json")))
    flip(path / "model.safetensors")
    os.utime(path / "model.safetensors")
    fails(InputError, "delete it and download it again", hub, folder, offline=True)
    assert get(hub, folder) == path
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert (len(hub.requests()), len(hub.requests("config.json"))) == (before[0] + 1, before[1])


def test_what_was_pinned_on_first_use_stays_pinned(hub: Hub, folder: Path) -> None:
    path = get(hub, folder)
    (path / "model.safetensors").unlink()
    hub.put("model.safetensors", safetensors(2))
    fails(InputError, "now has another file", hub, folder)
    assert hub.requests()[-1]["path"].split("/")[5] == COMMIT
    hub.put("model.safetensors", WEIGHTS)
    assert names(get(hub, folder)) == WHOLE


def test_a_new_revision_in_the_list_replaces_what_is_there(hub: Hub, folder: Path) -> None:
    path = get(hub, folder, model(revision=COMMIT, sha256=sha(WEIGHTS)))
    new = safetensors(3)
    hub.put("model.safetensors", new)
    hub.put("config.json", b'{"model_type": "newer"}')
    listed = model(revision="d" * 40, sha256=sha(new))
    fails(InputError, "damaged or not the published", hub, folder, listed, offline=True)
    assert get(hub, folder, listed) == path
    assert (path / "model.safetensors").read_bytes() == new and b"newer" in (path / "config.json").read_bytes()
    assert json.loads((path / "stillscape.json").read_text())["revision"] == "d" * 40


@pytest.mark.parametrize("notes", ["", "{}", "[]", '{"schema": 1, "files": {"a": 1}}', '{"schema": 2}', "\x00"])
def test_damaged_notes_get_a_sentence_and_a_download_mends_them(hub: Hub, folder: Path, notes: str) -> None:
    path = get(hub, folder)
    (path / "stillscape.json").write_text(notes)
    with pytest.raises(InputError, match="stillscape.json: these notes .* delete this file"):
        store.verify(model(), path)
    get(hub, folder)
    store.verify(model(), path)
    assert len(hub.requests()) == 1


DOWNLOAD = """
import sys
from pathlib import Path
from tests.vision.test_store import model, store
def progress(share, text):
    print(share, text, flush=True)
print(store.download(model(), Path(sys.argv[1]), progress, host=sys.argv[2]))
"""


def test_two_processes_fetch_it_once(hub: Hub, folder: Path) -> None:
    hub.weights(slow=0.06)
    running = [python(DOWNLOAD, folder, hub.host) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert all(text.strip().endswith(str(folder / "tiny-net")) for text in said)
    assert sum("Waiting for another Stillscape that downloads Tiny Net" in text for text in said) == 1, said
    assert len(hub.requests()) == 1 and len(hub.requests("config.json")) == 1
    assert names(folder / "tiny-net") == WHOLE


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process by a signal")
def test_a_process_that_was_killed_hinders_nobody(hub: Hub, folder: Path) -> None:
    hub.weights(slow=0.1)
    process = python(DOWNLOAD, folder, hub.host)
    part = folder / "tiny-net" / "model.safetensors.part"
    while not (part.exists() and part.stat().st_size > 300_000):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "stillscape.lock" in names(part.parent)
    size = part.stat().st_size
    hub.weights()
    assert names(get(hub, folder)) == WHOLE
    assert (folder / "tiny-net" / "model.safetensors").read_bytes() == WEIGHTS
    assert [r["range"] for r in hub.requests()] == [None, f"bytes={size}-"]


def test_a_lock_of_another_machine_holds_until_it_falls_silent(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text('{"machine": "elsewhere", "process": 1, "token": "t"}')
    signs = 5

    def wait() -> None:
        nonlocal signs
        assert path.exists()
        if signs:
            signs -= 1
            os.utime(path)

    with locked(path, wait, silence=0.3):
        assert signs == 0
        assert json.loads(path.read_text())["process"] == os.getpid()
    assert names(tmp_path) == set()


def test_waiting_for_a_lock_can_be_given_up_and_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text('{"machine": "elsewhere", "process": 1, "token": "t"}')

    def wait() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), locked(path, wait):
        raise AssertionError
    assert "elsewhere" in path.read_text() and names(tmp_path) == {"x.lock"}


def test_an_owner_who_lost_the_lock_stops_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"

    def wait() -> None:
        raise AssertionError

    with pytest.raises(StorageError, match="took this folder over"), locked(path, wait, beat_every=0) as beat:
        beat()
        path.write_text("someone else's")
        beat()
    assert path.read_text() == "someone else's"


def test_the_folder_for_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.models_folder(str(tmp_path / "mine")) == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.models_folder("~/networks") == tmp_path / "networks"
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert store.models_folder("") == tmp_path / "cache" / "stillscape" / "models"
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        assert store.models_folder("") == tmp_path / ".cache" / "stillscape" / "models"
        monkeypatch.setattr(sys, "platform", "darwin")
        assert store.models_folder("") == tmp_path / "Library" / "Caches" / "stillscape" / "models"


def test_one_line_for_people() -> None:
    assert store.describe(model(bytes=99_200_000)) == "Tiny Net (99 MB, MIT)"
    large = model(bytes=1_340_000_000, licence="CC-BY-NC-4.0", commercial=False)
    assert store.describe(large) == "Tiny Net (1.3 GB, CC-BY-NC-4.0: not for commercial work)"
    unstated = replace(large, licence="not stated")
    assert store.describe(unstated) == "Tiny Net (1.3 GB, license not stated: not for commercial work)"
    assert [store.size_text(n) for n in (900, 1_000_000, 999_400_000, 999_600_000)] == ["0.9 kB", "1 MB", "999 MB", "1.0 GB"]


def test_only_the_standard_library_is_needed() -> None:
    for name in ("asking", "catalogue", "lock", "pins", "store", "transfer"):
        tree = ast.parse((ROOT / "addon" / "vision" / "networks" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert {m.partition(".")[0] for m in modules} <= sys.stdlib_module_names, name
