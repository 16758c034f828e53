"""What we write as a film comes in again with its colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.output.film import encode_film
from addon.vision.video import open_film


@pytest.mark.parametrize("colour", [(60, 200, 60), (200, 30, 60), (128, 128, 128)])
def test_bt709_colours(tmp_path, colour):
    files = []
    for n in range(3):
        files.append(tmp_path / f"f{n}.png")
        cv2.imwrite(str(files[-1]), np.full((64, 96, 3), colour, np.uint8))
    encode_film(files, tmp_path / "film.mp4", fps=24, size=(96, 64))
    film = open_film(tmp_path / "film.mp4")
    pixels = [p.pixels for p in film.photos()]
    assert len(pixels) == 3 and film.fps == 24
    assert np.abs(pixels[1][32, 48].astype(int) - colour[::-1]).max() <= 4
