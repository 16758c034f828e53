"""`--amount auto` through the command line."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest


def near_square(path, width=96, height=72):
    """Depth in metres: a square before a wall."""
    depth = np.full((height, width), 4.0, np.float32)
    depth[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3] = 1.5
    np.save(path, depth)
    return path


def result_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()][-1]


def run(stillscape, photo, tmp_path, *more):
    report = tmp_path / "report.jsonl"
    done = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--depth", near_square(tmp_path / "d.npy"), "--depth-kind", "depth", "--fov", 50,
        "--frames", 4, "--frame-range", "1,4", "--samples", 1, "--json", report, *more,
    )  # fmt: skip
    assert done.code == 0, done.err
    return done, result_of(report)


@pytest.mark.versions
def test_the_amount_is_told(stillscape, make_photo, psnr, tmp_path):
    photo = make_photo(96, 72)
    done, result = run(stillscape, photo, tmp_path, "--move", "truck", "--amount", "auto")
    assert 0 < result["amount"] <= 2 and f"Amount {result['amount']:g}" in done.out
    assert set(result["amount_shares"]) >= {"uncovered", "stretched", "outside", "revealed"}
    # It is the move of this amount, and its first frame is the photo.
    first, last = (cv2.imread(str(tmp_path / f"f_{n:04}.png")) for n in (1, 4))
    assert psnr(first, cv2.imread(str(photo))) >= 60
    _, again = run(stillscape, photo, tmp_path, "--move", "truck", "--amount", result["amount"])
    assert "amount" not in again
    assert psnr(last, cv2.imread(str(tmp_path / "f_0004.png"))) >= 35  # the reserve is another


def test_stricter_limits_give_less_and_crop_in_gives_more(stillscape, make_photo, tmp_path):
    photo = make_photo(96, 72)
    strict = ("--move", "pan", "--amount", "auto", "--flaws", "0.3")
    done, result = run(stillscape, photo, tmp_path, *strict)
    assert result["amount_limit"] == "outside" and "--crop" in result["advice"] and result["advice"] in done.out
    crop = result["advice"].split("--crop ")[1].split(")")[0]
    assert run(stillscape, photo, tmp_path, *strict, "--crop", crop)[1]["amount"] > 1.3 * result["amount"]


def test_a_settings_file_keeps_that_it_is_worked_out(stillscape, make_photo, tmp_path):
    done = stillscape("render", make_photo(96, 72), "--amount", "auto", "--write-spec", tmp_path / "s.json")
    assert done.code == 0
    assert json.loads((tmp_path / "s.json").read_text())["move"]["amount"] is None
    photo = tmp_path / "photo.png"
    report = tmp_path / "r.jsonl"
    done = stillscape("scene", photo, "-o", tmp_path / "s.blend", "--spec", tmp_path / "s.json", "--estimator", "plane", "--json", report)
    assert done.code == 0, done.err
    assert result_of(report)["amount"] > 0


def test_a_wrong_amount_gives_a_sentence(stillscape, make_photo, tmp_path):
    done = stillscape("render", make_photo(64, 48), "-o", tmp_path / "f_####.png", "--amount", "much")
    assert done.code == 2 and "--amount" in done.err and "auto" in done.err and "Traceback" not in done.err


def test_a_camera_path_has_no_amount(stillscape, make_photo, camera_path, tmp_path):
    path = camera_path((1, (0, 0, 0)), (4, (0.02, 0, 0)))
    photo = make_photo(96, 72)
    _, result = run(stillscape, photo, tmp_path, "--camera-path", path, "--amount", "auto")
    assert "amount" not in result
