"""Small things for the training scenes: they stand on the ground, have the size of the real thing, and their meshes hold together."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("OpenEXR")
pytest.importorskip("skimage")

from training.scenes import kit as kits  # noqa: E402
from training.scenes import small  # noqa: E402
from training.scenes.small import Bone  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def scene() -> None:
    kits.begin((96, 128), 1, 1)


@pytest.mark.parametrize("maker", sorted(set(small.ANY), key=lambda m: m.__name__), ids=lambda m: m.__name__)
def test_things_stand_on_the_ground_and_have_a_true_size(maker: small.Maker) -> None:
    for seed in range(3):
        parts = maker(kits.Kit(np.random.default_rng(seed), (96, 128)))
        low, high = small.extent(parts)
        assert np.isfinite([low, high]).all()
        assert abs(low[2]) < 0.015, "it hovers, or sinks in"
        assert 0.02 < (high - low).max() < 1.3
        for vertices, faces in (mesh for mesh, _ in parts):
            assert faces.min() >= 0 and faces.max() < len(vertices)
        assert sum(len(faces) for (_, faces), _ in parts) < 40_000


def test_the_same_seed_makes_the_same_thing() -> None:
    one, two = (small.cat(kits.Kit(np.random.default_rng(5), (96, 128))) for _ in range(2))
    assert all(np.array_equal(a[0], b[0]) for (a, _), (b, _) in zip(one, two))


def test_bones_become_one_closed_skin_of_their_thickness() -> None:
    vertices, faces = small.merged([Bone((0, 0, 0), (1, 0, 0), 0.2, 0.2), Bone((1, 0, 0), (1, 0, 0.6), 0.2, 0.1)], 0.01)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    middle = np.abs(vertices[:, 0] - 0.5) < 0.1
    assert np.allclose(np.hypot(vertices[middle, 1], vertices[middle, 2]), 0.2, atol=0.01)
    assert vertices[:, 2].max() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("pose", ["stand", "sit", "lie", "curl"])
def test_animals_are_as_high_as_their_pose(pose: str) -> None:
    parts = small.beast(kits.Kit(np.random.default_rng(1), (96, 128)), small.DOG, pose)
    high = small.extent(parts)[1][2]
    assert (0.45 < high < 0.95) if pose in ("stand", "sit") else (0.15 < high < 0.6)


def test_sharp_bends_of_a_lathe_have_corners_of_their_own() -> None:
    tin = small.spun([(0, 0), (1, 0), (1, 2), (0, 2)], 12)
    assert len(tin[0]) == 12 * 6  # both rims twice
    side = tin[0][(np.abs(tin[0][:, 2] - 2) < 1e-9) & (np.hypot(tin[0][:, 0], tin[0][:, 1]) > 0.9)]
    assert len(side) == 24
