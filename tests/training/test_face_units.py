"""The face of average size and its fields are what the recipe makes of the base mesh; STILLSCAPE_HUMAN names its folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from addon.vision import canonical, face_surface
from addon.vision.face_units import FILE, QUANTUM
from training import canonical_face, face_units


@pytest.fixture(scope="module")
def head():
    name = os.environ.get("STILLSCAPE_HUMAN", "")
    if not name:
        pytest.skip("STILLSCAPE_HUMAN does not name the folder of the human base mesh")
    return canonical_face.average(Path(name))


def test_the_shipped_table_is_what_is_measured(head):
    assert canonical_face.text(head) == Path(canonical.__file__).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_shipped_fields_are_what_is_distilled(head):
    made = face_units.packed(face_units.fields(head))
    with np.load(FILE) as shipped:
        assert set(shipped.files) == set(made) == set(face_units.FIELDS)
        for name, values in made.items():
            apart = np.cumsum(values, axis=-1, dtype=np.int64) - np.cumsum(shipped[name], axis=-1, dtype=np.int64)
            assert np.abs(apart).max() * QUANTUM <= 2 * QUANTUM, name


def test_the_surface_is_the_mesh_seen_from_the_front(head):
    at = np.random.default_rng(0).uniform([-0.045, -0.10], [0.045, 0.07], (150, 2))
    off = np.abs(face_surface.depth(at) - canonical_face.front(head, at)[:, 2])
    assert np.median(off) < 0.001 and np.percentile(off, 90) < 0.003


def test_a_mean_carries_on_where_nothing_is_known():
    known = np.zeros((40, 60), bool)
    known[:, :30] = True
    picture = np.repeat(np.where(known, 2.0, 0.0)[..., None], 3, axis=2)
    assert np.allclose(face_units.spread(picture, known, 3.0), 2.0)
