"""Clear subjects are cut out along the photo's silhouettes; what is not clear stays as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.vision.faces import Eye, Face
from addon.vision.priors.subject import complete_sides, find_subject

HEIGHT, WIDTH = 192, 256


def figure() -> np.ndarray:
    """A head on shoulders, bool."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (128, 60), 28, 1, -1)
    cv2.rectangle(mask, (114, 75), (142, 115), 1, -1)
    cv2.ellipse(mask, (128, 191), (70, 90), 0, 180, 360, 1, -1)
    return mask > 0


def noisy(colour: np.ndarray, seed: int = 0) -> np.ndarray:
    """With noise and soft shading, as photos are."""
    random = np.random.default_rng(seed)
    shade = cv2.resize(random.normal(0, 12, (5, 7, 3)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return (colour + shade + random.normal(0, 6, colour.shape)).clip(0, 255).astype(np.uint8)


def photo(mask: np.ndarray, inside=(190, 90, 60), outside=(70, 110, 130)) -> np.ndarray:
    return noisy(np.where(mask[..., None], np.float32(inside), np.float32(outside)))


def seen(mask: np.ndarray, dent: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What a network makes of it: a blob beside the silhouette, and its edges."""
    moved = cv2.warpAffine(mask.astype(np.float32), np.float32([[1, 0, 4], [0, 1, 3]]), (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)  # type: ignore[call-overload]
    values = cv2.GaussianBlur(moved, (0, 0), 6) + 0.3 * np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None]
    if dent:
        values[140:165, 110:145] -= 0.9
        values = cv2.GaussianBlur(values, (0, 0), 3)
    edges = cv2.morphologyEx(cv2.GaussianBlur(moved, (0, 0), 2), cv2.MORPH_GRADIENT, np.ones((5, 5)))
    return values.astype(np.float32), (edges / edges.max()).astype(np.float32)


def shared(one: np.ndarray, other: np.ndarray) -> float:
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def test_a_figure_is_cut_out_where_the_photo_has_it() -> None:
    mask = figure()
    values, edges = seen(mask)
    found = find_subject(photo(mask), values, edges)
    assert found is not None
    assert shared(found, mask) > 0.97 > 0.93 > shared(values > (values[mask].mean() + values[~mask].mean()) / 2, mask)
    again = find_subject(photo(mask), values, edges)
    assert again is not None and (again == found).all()
    scaled = find_subject(photo(mask), 40 * values - 7, edges)
    assert scaled is not None and (scaled == found).all()


def test_what_is_not_clear_is_no_subject() -> None:
    mask = figure()
    values, edges = seen(mask)
    assert find_subject(photo(mask, (90, 100, 110), (86, 103, 112)), values, edges) is None  # no colours of its own
    assert find_subject(photo(mask), values, np.zeros_like(edges)) is None  # no edges
    assert find_subject(photo(mask), np.ones_like(values), edges) is None  # no depth
    floor = np.repeat(np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None], WIDTH, 1)
    assert find_subject(photo(mask), floor, edges) is None  # a floor is not one
    elsewhere = np.roll(mask, 90, 1)
    assert find_subject(photo(elsewhere), values, edges) is None  # colours and depth mean different things


def test_a_face_tells_the_subject_where_something_else_is_near_too() -> None:
    mask = figure()
    values, edges = seen(mask)
    values[:, 205:] = values[mask].mean()  # a near wall at the side, larger than the figure, in whose colours it ends
    values[:90, 170:] = values[mask].mean()
    face = Face(128 / WIDTH, 64 / HEIGHT, 28 / WIDTH, 34 / HEIGHT, 0.0, (Eye(0.45, 0.28), Eye(0.55, 0.28)))
    assert find_subject(photo(mask), values, edges) is None
    found = find_subject(photo(mask), values, edges, (face,))
    assert found is not None and shared(found, mask) > 0.9


@pytest.mark.parametrize("dent", [False, True])
def test_each_side_is_completed_from_its_own(dent: bool) -> None:
    mask = cv2.resize(figure().astype(np.uint8), (128, 96), interpolation=cv2.INTER_AREA) > 0
    values, _ = seen(figure(), dent)
    values = cv2.resize(values, (128, 96), interpolation=cv2.INTER_AREA)
    made = complete_sides(values, mask.astype(np.float32))
    assert (made[mask] >= values[mask] - 1e-6).all() and (made[~mask] <= values[~mask] + 1e-6).all()
    # Between two neighbours on either side of the silhouette there is most of the step that took several pixels.
    rows, left = np.arange(60, 85), [int(np.flatnonzero(mask[y])[0]) for y in range(60, 85)]
    step = [made[y, x] - made[y, x - 1] for y, x in zip(rows, left)]
    slope = [values[y, x] - values[y, x - 1] for y, x in zip(rows, left)]
    assert float(np.median(step)) > 3 * float(np.median(slope))
    far = ~mask & (cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) > 4)
    np.testing.assert_array_equal(made[far], values[far])
    if dent:
        assert float(made[76, 64]) > float(values[76, 64]) + 0.25


def test_no_subject_changes_nothing() -> None:
    values = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert complete_sides(values, np.zeros((20, 30), np.float32)) is values
    assert complete_sides(values, np.ones((20, 30), np.float32)) is values
    speck = np.zeros((20, 30), np.float32)
    speck[3, 3] = 1  # too thin to have an inside
    assert complete_sides(values, speck) is values
