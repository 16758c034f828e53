"""Focus and light from the command line."""

from __future__ import annotations

import cv2


def test_everything_at_once_and_its_saved_scene(stillscape, make_photo, tmp_path):
    photo = make_photo(96, 72)
    run = stillscape(
        "render", photo, "-o", tmp_path / "f_####.png", "--frames", 1, "--estimator", "plane", "--focus", "0.2,0.8", "--f-stop", 2,
        "--motion-blur", 0.5, "--light", "window", "--light-side", -70, "--haze", 0.3, "--haze-color", "ff8800", "--vignette", 0.8,
        "--save-blend", tmp_path / "scene.blend",
    )  # fmt: skip
    assert run.code == 0, run.err
    given, made = cv2.imread(str(photo)), cv2.imread(str(tmp_path / "f_0001.png"))
    assert made.shape == given.shape and (tmp_path / "scene.blend").stat().st_size > 1000
    assert made[:4, :4].mean() < 0.8 * given[:4, :4].mean()  # the vignette
    # Orange haze takes blue away and adds red, in the middle.
    middle = [picture[30:42, 40:56].astype(float).mean((0, 1)) for picture in (given, made)]
    assert middle[1][2] - middle[1][0] > middle[0][2] - middle[0][0] + 10


def test_a_point_beside_the_photo_is_told(stillscape, make_photo, tmp_path):
    run = stillscape("render", make_photo(48, 36), "-o", tmp_path / "f_####.png", "--focus", "1.5,0.5")
    assert run.code == 2 and "--focus 1.5 is out of range" in run.err and not list(tmp_path.glob("f_*"))
