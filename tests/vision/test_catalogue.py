"""The list of networks: every entry is right, a damaged list gets one sentence, and the page that shows it agrees."""

from __future__ import annotations

import json
import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from addon.errors import InputError, UsageError
from addon.vision.networks import catalogue as module
from addon.vision.networks.catalogue import catalogue, find_model, read_catalogue
from addon.vision.networks.store import HUB, describe, size_text

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "addon" / "vision" / "networks" / "models.json"
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")


def test_the_networks_that_are_known() -> None:
    models = catalogue()
    metric = {f"depth-anything-v2-metric-{place}-{size}" for place in ("indoor", "outdoor") for size in ("small", "base", "large")}
    assert set(models) == metric | {
        *(f"depth-anything-v2-{size}" for size in ("small", "base", "large")),
        *(f"moge-2-{size}" for size in ("small", "base", "large")),
        *(f"depth-anything-3-{size}" for size in ("small", "base", "mono-large", "metric-large")),
        *("dpt-large", "dpt-hybrid-midas", "zoedepth-nyu-kitti", "depth-pro"),
    }
    assert all(name == model.name for name, model in models.items())
    assert len({model.label for model in models.values()}) == len(models)


def test_what_is_published_is_listed() -> None:
    small = find_model("depth-anything-v2-small")
    assert (small.repository, small.revision) == (
        "depth-anything/Depth-Anything-V2-Small-hf",
        "5426e4f0f36572d16453bbda7a8389317b1bef99",
    )
    hashes = {file.name: file.sha256 for file in small.files}
    assert hashes["model.safetensors"] == "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70"
    (weights,) = find_model("moge-2-large").files
    assert (weights.bytes, weights.sha256 or "") == (1_323_815_904, "280741fd09bc3f403ccff9967784c2a391b52d2c0742ae3efdb21d9f90cc1a01")
    assert find_model("moge-2-large").revision == "cb0e8bbd6b1e243589717c78e750b1ba4c093acf"


def test_commercial_work_needs_a_license_that_plainly_allows_it() -> None:
    for model in catalogue().values():
        assert model.commercial == (model.licence in {"Apache-2.0", "MIT"}), model.name
        assert ("not for commercial work" in describe(model)) is not model.commercial
    assert {n for n, m in catalogue().items() if m.licence == "CC-BY-NC-4.0"} == {"depth-anything-v2-base", "depth-anything-v2-large"}
    assert "research" in find_model("depth-pro").note


def test_only_formats_that_run_no_code_or_are_read_without_running_it() -> None:
    for model in catalogue().values():
        suffixes = {file.name.rpartition(".")[2] for file in model.files}
        assert suffixes <= ({"pt"} if model.backend == "moge" else {"json", "safetensors"}), model.name


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    assert find_model("dpt-large").label == "DPT Large"
    with pytest.raises(UsageError, match="'depth-anything-v2-smal' is not known: choose one of depth-anything-v2-small,.*"):
        find_model("depth-anything-v2-smal")
    with pytest.raises(UsageError, match="choose one of depth-anything-v2-small, .*depth-pro\\.$"):
        find_model("\nqqq")


def changed(change: dict[str, Any], file: dict[str, Any] | None = None) -> str:
    """The list's first entry with some fields set, or removed where the value is ..., as a list of its own."""
    entry = deepcopy(json.loads(LIST.read_text(encoding="utf-8"))["models"][0])
    for target, fields in ((entry, change), (entry["files"][0], file or {})):
        for name, value in fields.items():
            if value is ...:
                del target[name]
            else:
                target[name] = value
    return json.dumps({"schema": 1, "models": [entry]})


def test_a_list_of_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(changed({}))
    (model,) = read_catalogue(tmp_path / "list.json")
    assert model == find_model("depth-anything-v2-small")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[]", "schema 1"),
        ("[" * 200_000, "damaged"),
        ('{"schema": 2, "models": []}', "schema 1"),
        ('{"schema": 1, "models": {}}', "list of models"),
        ('{"schema": 1, "models": [1]}', "entry 1 has no name"),
        ('{"schema": 1, "models": [{}]}', "entry 1 has no name"),
        (changed({"name": "../up"}), "name cannot be right"),
        (changed({"name": "Upper"}), "name cannot be right"),
        (changed({"label": ""}), "label cannot"),
        (changed({"help": "A sentence."}), "help cannot"),
        (changed({"help": ...}), "help missing"),
        (changed({"extra": 1}), "extra missing or unknown"),
        (changed({"backend": "pickle"}), "backend cannot"),
        (changed({"repository": "x/../y"}), "repository cannot"),
        (changed({"repository": "x"}), "repository cannot"),
        (changed({"repository": "x/.."}), "repository cannot"),
        (changed({"revision": "dev"}), "revision cannot"),
        (changed({"revision": "A" * 40}), "revision cannot"),
        (changed({"commercial": 1}), "commercial should be of type bool"),
        (changed({"bytes": True}), "bytes should be of type int"),
        (changed({"bytes": 0}), "bytes cannot"),
        (changed({"side": -1}), "side cannot"),
        (changed({"memory": 0}), "memory cannot"),
        (changed({"memory": "1"}), "memory should be of type int"),
        (changed({"files": []}), "files cannot"),
        (changed({"files": [{"name": "a.json", "bytes": None, "sha256": None, "optional": True}]}), "files cannot"),
        (changed({"files": [{"name": n, "bytes": None, "sha256": None} for n in ("a.json", "A.json")]}), "files cannot"),
        (changed({"files": [3]}), "a file has no name"),
        (changed({}, {"name": "../config.json"}), "no plain file name"),
        (changed({}, {"name": "a/config.json"}), "no plain file name"),
        (changed({}, {"name": "a\\config.json"}), "no plain file name"),
        (changed({}, {"name": "C:config.json"}), "no plain file name"),
        (changed({}, {"name": ".hidden"}), "no plain file name"),
        (changed({}, {"name": "config..json"}), "no plain file name"),
        (changed({}, {"name": "config.json\n"}), "no plain file name"),
        (changed({}, {"name": "stillscape.json"}), "no plain file name"),
        (changed({}, {"name": "x.part"}), "no plain file name"),
        (changed({}, {"name": 3}), "a file has no name"),
        (changed({}, {"sha256": "0"}), "sha256 cannot"),
        (changed({}, {"sha256": ...}), "sha256 missing"),
        (changed({}, {"bytes": 0}), "bytes cannot"),
        (changed({}, {"bytes": 10**12}), "bytes cannot"),
        (changed({}, {"bytes": 1.5}), "bytes should be of type int"),
    ],
)
def test_a_damaged_list_gets_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_catalogue(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and message.endswith("install Stillscape again.") and "\n" not in message


def test_two_networks_never_share_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    entry = json.loads(changed({}))["models"][0]
    for other in ({"name": "other", "repository": "else/depth-anything-v2-small-HF"}, {"repository": "else/Else"}):
        path.write_text(json.dumps({"schema": 1, "models": [entry, {**entry, **other}]}))
        with pytest.raises(InputError, match="would share the folder"):
            read_catalogue(path)


def test_the_page_shows_the_list() -> None:
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in PAGE.partition("\n## Where the networks come from\n")[2].partition("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert rows == [
        [m.name, m.label, m.licence, "yes" if m.commercial else "no", size_text(m.bytes), size_text(m.memory), m.repository]
        for m in catalogue().values()
    ]
    words = " ".join(PAGE.split())
    for model in catalogue().values():
        assert model.note in words, model.name


def test_the_page_says_which_files_to_copy() -> None:
    copied = PAGE.partition("\n## Copying by hand\n")[2].partition("\n## ")[0]
    for model in catalogue().values():
        for file in model.files:
            assert f"`{file.name}`" in copied
    assert set(re.findall(r"`([a-z_]+\.(?:json|safetensors|pt))`", copied)) == {f.name for m in catalogue().values() for f in m.files}


def test_the_hub_is_named_in_one_place() -> None:
    host = HUB.partition("://")[2]
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git working tree")
    sources = [name for name in tracked.stdout.splitlines() if (ROOT / name).is_file() and not name.startswith("docs/")]
    naming = {name for name in sources if host.encode() in (ROOT / name).read_bytes()}
    assert naming == {"addon/vision/networks/store.py"}


def test_the_list_is_read_once() -> None:
    first = catalogue()
    first.clear()
    assert catalogue() and module.catalogue()["dpt-large"] is find_model("dpt-large")
