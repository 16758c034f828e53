"""--rig, --action, --consent and --landmarks: what is refused before any work, and what a run leaves."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.output.frames import comments
from addon.output.mp4 import read_film
from addon.output.people import NOTE
from addon.vision.landmarks import COUNT, FacePoints, Person, to_json
from headless.arguments import make_parser
from tests.test_rig_actions import live_link
from tests.vision.film_files import pan, write_film

RIGGED = pytest.mark.skipif(
    not hasattr(importlib.import_module("addon.scene.rig"), "build_rigs"), reason="this tree cannot make rigs of found people yet"
)


@pytest.fixture
def landmarks(tmp_path: Path) -> Path:
    """A file of one person whose face is seen."""
    points = np.random.default_rng(0).uniform(0.3, 0.7, (COUNT, 2))
    path = tmp_path / "people.json"
    path.write_text(to_json((Person("Person 1", FacePoints(points, np.ones(COUNT), "clicks")),)))
    return path


@pytest.fixture
def faceless(tmp_path: Path) -> Path:
    path = tmp_path / "joints.json"
    path.write_text(to_json((Person("Person 1", None, {"neck": (0.5, 0.4)}),)))
    return path


def refused(run, code: int, *words: str) -> None:
    assert run.code == code, run.err
    assert run.err.startswith("Stillscape: ") and run.err.count("\n") == 1 and "Traceback" not in run.err
    for word in words:
        assert word in run.err


@pytest.mark.parametrize("kind", ["face", "body"])
@pytest.mark.parametrize("command", ["render", "scene"])
def test_nobody_is_rigged_without_consent(stillscape, make_photo, tmp_path, landmarks, kind, command):
    out = tmp_path / ("film.mp4" if command == "render" else "scene.blend")
    for more in ((), ("--landmarks", landmarks)):
        refused(stillscape(command, make_photo(), "-o", out, "--rig", kind, *more), 2, f"--rig {kind}", "photo.png", "add --consent")
    assert not out.exists()


def test_consent_cannot_come_from_a_settings_file(stillscape, make_photo, tmp_path):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"schema": 1, "rig": {"kind": "face", "consent": True}}))
    refused(stillscape("render", make_photo(), "-o", tmp_path / "film.mp4", "--spec", settings), 3, "unknown setting rig.consent")
    run = stillscape("render", make_photo(), "--rig", "face", "--consent", "--write-spec")
    assert run.code == 0 and "consent" not in run.out and json.loads(run.out)["rig"]["kind"] == "face"
    settings.write_text(run.out)
    refused(stillscape("render", make_photo(), "-o", tmp_path / "film.mp4", "--spec", settings), 2, "add --consent")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--action", "blink"], 2, ["add --rig face"]),
        (["--rig", "face", "--consent", "--engine", "warp"], 2, ["--engine warp", "--engine cycles"]),
        (["--rig", "face", "--consent", "--action", "dance; nod"], 2, ["'dance' is not known", "look-left", "CSV"]),
        (["--rig", "face", "--consent", "--landmarks", "missing.json"], 3, ["missing.json", "there is no such file"]),
        (["--rig", "face", "--consent", "--action", "missing.csv"], 3, ["missing.csv", "there is no such file"]),
        (["--rig", "face", "--consent", "--action", "talk", "--voice", "missing.wav"], 3, ["missing.wav"]),
        (["--rig", "face", "--action-amount", "9"], 2, ["--action-amount 9", "from 0 to 4"]),
    ],
)
def test_what_does_not_go_together_is_told(stillscape, make_photo, tmp_path, landmarks, options, code, words):
    more = [] if "--landmarks" in options else ["--landmarks", landmarks] if "--consent" in options else []
    refused(stillscape("render", make_photo(), "-o", tmp_path / "film.mp4", *options, *more, cwd=tmp_path), code, *words)
    assert not (tmp_path / "film.mp4").exists()


def test_broken_files_are_told(stillscape, make_photo, tmp_path, landmarks, faceless):
    photo, out = make_photo(), tmp_path / "film.mp4"
    (tmp_path / "broken.json").write_text('{"schema": 1, "people": [{"name": "A"}]}')
    refused(
        stillscape("render", photo, "-o", out, "--rig", "face", "--consent", "--landmarks", tmp_path / "broken.json"),
        3,
        "broken.json",
        "not a file of landmarks",
    )
    refused(
        stillscape("render", photo, "-o", out, "--rig", "face", "--consent", "--landmarks", faceless),
        3,
        "joints.json",
        "no face was found",
        "five clicks",
        "--landmarks",
    )
    (tmp_path / "take.csv").write_text("a,b\n1,2\n")
    refused(
        stillscape("render", photo, "-o", out, "--rig", "face", "--consent", "--landmarks", landmarks, "--action", tmp_path / "take.csv"),
        3, "take.csv", "not a face capture",
    )  # fmt: skip


def test_a_film_cannot_be_rigged(stillscape, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_film(clip, pan(4, (48, 36)))
    refused(stillscape("render", clip, "-o", tmp_path / "film.mp4", "--rig", "face", "--consent"), 2, "clip.mp4 is a film")
    refused(stillscape("landmarks", clip, "-o", tmp_path / "people.json"), 2, "not in films")


def test_landmarks_go_to_json_files(stillscape, make_photo, tmp_path):
    refused(stillscape("landmarks", make_photo(), "-o", tmp_path / "people.txt"), 2, "people.txt", ".json")
    refused(stillscape("landmarks", make_photo()), 2, "say with -o")


def test_the_film_is_as_long_as_the_capture(stillscape, make_photo, tmp_path):
    take = live_link(tmp_path / "take.csv")
    common = ("render", make_photo(), "--rig", "face", "--action", take, "--write-spec")
    assert json.loads(stillscape(*common).out)["move"]["frames"] == 49
    assert json.loads(stillscape(*common, "--fps", "60").out)["move"]["frames"] == 121
    assert json.loads(stillscape(*common, "--frames", "7").out)["move"]["frames"] == 7


def test_the_options_are_those_of_the_settings():
    given = vars(make_parser().parse_args(["scene", "p.png", "--rig", "body", "--action", "nod", "--action-seed", "3", "--consent"]))
    assert given["rig.kind"] == "body" and given["rig.seed"] == 3 and given["consent"] is True
    assert vars(make_parser().parse_args(["render", "p.png"]))["consent"] is False


@RIGGED
def test_a_portrait_is_found_corrected_rigged_and_told(stillscape, tmp_path):
    data = pytest.importorskip("skimage.data")
    photo = tmp_path / "portrait.png"
    cv2.imwrite(str(photo), cv2.resize(data.astronaut()[..., ::-1], (256, 256), interpolation=cv2.INTER_AREA))
    people = tmp_path / "portrait.json"
    run = stillscape("landmarks", photo, "-o", people)
    assert run.code == 0, run.err
    common = (
        "--rig",
        "face",
        "--landmarks",
        people,
        "--action",
        "surprise",
        "--consent",
        "--frames",
        "7",
        "--move",
        "static",
        "--samples",
        "1",
    )
    run = stillscape("render", photo, "-o", tmp_path / "shot_####.png", *common)
    assert run.code == 0, run.err
    frames = [cv2.imread(str(tmp_path / f"shot_{n:04d}.png")).astype(float) for n in range(1, 8)]
    assert comments((tmp_path / "shot_0004.png").read_bytes()) == [NOTE]
    still = cv2.imread(str(photo)).astype(float)
    assert np.mean(np.abs(frames[0] - still).max(-1) > 3) < 0.003
    assert np.abs(frames[3] - frames[0]).max() > 40
    run = stillscape("render", photo, "-o", tmp_path / "film.mp4", *common)
    assert run.code == 0 and read_film(tmp_path / "film.mp4").comment == NOTE


def test_a_photo_without_a_face_says_what_to_do(stillscape, make_photo, tmp_path):
    for run in (
        stillscape("landmarks", make_photo(), "-o", tmp_path / "people.json"),
        stillscape("render", make_photo(), "-o", tmp_path / "film.mp4", "--rig", "face", "--consent"),
    ):
        refused(run, 3, "photo.png", "no face was found", "five clicks")


@RIGGED
def test_a_rigged_portrait_at_rest_is_the_photo(stillscape, tmp_path, psnr):
    data = pytest.importorskip("skimage.data")
    photo = tmp_path / "portrait.png"
    cv2.imwrite(str(photo), cv2.resize(data.astronaut()[..., ::-1], (256, 256), interpolation=cv2.INTER_AREA))
    run = stillscape("render", photo, "-o", tmp_path / "shot_####.png", "--rig", "face", "--consent", "--frames", "1", "--samples", "1")
    assert run.code == 0, run.err
    assert psnr(cv2.imread(str(tmp_path / "shot_0001.png")), cv2.imread(str(photo))) >= 60
