"""The average adult face that every face of a photo is fitted to: the 70 landmarks in metres.

A table of our own proportions. It agrees with published means of adults (pupils 63 mm apart, Dodgson 2004; widths and heights of
faces, Farkas 1994), not with any one person, and is exactly symmetrical.
"""

from __future__ import annotations

import numpy as np

from .landmarks import COUNT, MIRROR

_HALF = {  # millimetres: the subject's right and the middle
    0: (-70, 1, -66), 1: (-70, -19, -63), 2: (-68, -38, -59), 3: (-63, -56, -53), 4: (-54, -74, -43),
    5: (-43, -88, -30), 6: (-31, -100, -15), 7: (-17, -108, -2), 8: (0, -111, 5),
    17: (-58, 17, -11), 18: (-50, 25, 0), 19: (-39, 28, 8), 20: (-27, 26, 13), 21: (-15, 22, 16),
    27: (0, 3, 15), 28: (0, -11, 23), 29: (0, -25, 32), 30: (0, -38, 38),
    31: (-14, -46, 19), 32: (-7.5, -49, 22), 33: (0, -50.5, 24),
    36: (-45.5, 0.5, -6), 37: (-37, 5.5, 1), 38: (-26.5, 5.3, 2.5), 39: (-17.5, -1.5, 0), 40: (-26, -5, 1), 41: (-37, -5, -1),
    48: (-25, -68, 7), 49: (-15, -62.5, 15), 50: (-6, -59.5, 20), 51: (0, -61, 21),
    57: (0, -78, 18), 58: (-7.5, -77, 17), 59: (-16, -73.5, 13),
    60: (-22, -68, 8.5), 61: (-8, -67.5, 16), 62: (0, -67.8, 17.5), 66: (0, -68.6, 17), 67: (-8, -68.3, 15.5),
    68: (-31.5, 0, 0),
}  # fmt: skip


def _both_sides() -> np.ndarray:
    table = np.full((COUNT, 3), np.nan)
    for index, (x, y, z) in _HALF.items():
        table[MIRROR[index]] = (-x, y, z)
        table[index] = (x, y, z)
    return table / 1000


POINTS = _both_sides()
"""float64 70×3, metres: x towards the subject's left, y up, z out of the face, from the middle between the pupils. Lips and lids as
in a face at rest with its mouth shut: those of the inner lips that face each other lie in nearly one place."""
POINTS.setflags(write=False)
