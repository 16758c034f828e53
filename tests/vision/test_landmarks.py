"""Landmarks are written and read back, and a damaged file is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from addon.errors import InputError
from addon.vision import landmarks as lm
from addon.vision.rigging import ARKIT


def face(points: np.ndarray) -> lm.FacePoints:
    return lm.FacePoints(points, np.linspace(0, 1, lm.COUNT), "clicks")


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, (lm.COUNT, 2), elements=st.floats(-1, 2)))
def test_what_is_written_is_read_back(points: np.ndarray) -> None:
    people = (lm.Person("Person 1", face(points), {"neck": (0.5, 0.25)}), lm.Person("Person 2"))
    read = lm.from_json(lm.to_json(people), Path("landmarks.json"))
    assert [p.name for p in read] == ["Person 1", "Person 2"] and read[1].face is None
    assert read[0].joints == {"neck": (0.5, 0.25)} and read[0].face is not None
    np.testing.assert_allclose(read[0].face.points, points, atol=1e-6)
    np.testing.assert_allclose(read[0].face.confidence, np.linspace(0, 1, lm.COUNT), atol=1e-6)


def test_the_mirror_of_the_mirror_is_the_face_and_swaps_sides() -> None:
    order = np.array(lm.MIRROR)
    np.testing.assert_array_equal(order[order], np.arange(lm.COUNT))
    assert order[lm.CHIN] == lm.CHIN and order[lm.NOSE_TIP] == lm.NOSE_TIP and order[lm.RIGHT_PUPIL] == lm.LEFT_PUPIL
    assert set(order[lm.RIGHT_EYE]) == set(range(42, 48)) and order[36] == 45 and order[39] == 42
    assert order[48] == 54 and order[60] == 64 and order[51] == 51 and order[62] == 62 and order[57] == 57 and order[66] == 66


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(schema=9),
        lambda d: d.pop("people"),
        lambda d: d["people"][0]["face"]["points"].pop(),
        lambda d: d["people"][0]["face"]["points"].__setitem__(3, [float("nan"), 0]),
        lambda d: d["people"][0]["face"]["points"].__setitem__(3, [1e9, 0]),
        lambda d: d["people"][0]["face"]["confidence"].__setitem__(3, 2),
        lambda d: d["people"][0].update(joints={"wing": [0, 0]}),
        lambda d: d["people"].append(d["people"][0]),
        lambda d: d.update(people=7),
    ],
)
def test_a_damaged_file_is_one_sentence_that_names_it(change) -> None:  # noqa: ANN001
    data = json.loads(lm.to_json((lm.Person("Person 1", face(np.full((lm.COUNT, 2), 0.5))),)))
    change(data)
    with pytest.raises(InputError, match=r"bad\.json: not a file of landmarks"):
        lm.from_json(json.dumps(data), Path("bad.json"))


def test_there_are_52_shapes_of_different_names() -> None:
    assert len(set(ARKIT)) == 52 and list(ARKIT) == sorted(ARKIT)


def test_every_point_has_a_name_of_its_own_and_its_mirror_image_the_other_sides() -> None:
    names = [lm.name_of(i) for i in range(lm.COUNT)]
    assert len(set(names)) == lm.COUNT and names[lm.CHIN] == "Chin" and names[36] == "Eye.R 1" and names[lm.LEFT_PUPIL] == "Pupil.L"
    sides = {".R": ".L", ".L": ".R"}
    for i, name in enumerate(names):
        group, other = name.split(" ")[0], names[lm.MIRROR[i]].split(" ")[0]
        assert (group[:-2] + sides[group[-2:]] == other) if group[-2:] in sides else not other.endswith((".R", ".L"))
