"""Silhouettes of people: drawn ones, whose truth is known, and a photo."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.face_edit import from_clicks
from addon.vision.landmarks import Person
from addon.vision.person_mask import person_mask, person_masks

SIZE = (640, 480)


def drawn(x: float, y: float, metre: float, hair: tuple[int, int, int], coat: tuple[int, int, int]):
    """Head, hair, neck and coat of someone whose eyes are at (x, y) in pixels: masks by colour, and the person."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    across, down = (columns - x) / metre, (rows - y) / metre
    skull = np.hypot(across / 0.095, (down + 0.01) / 0.135) < 1
    face = np.hypot(across / 0.07, (down - 0.03) / 0.1) < 1
    neck = (np.abs(across) < 0.05) & (down > 0.05) & (down < 0.2)
    body = (down > 0.16) & (np.abs(across) < np.clip(0.06 + 0.8 * (down - 0.16), 0.06, 0.21))
    parts = [(skull, hair), (neck | face, (205, 160, 135)), (body, coat)]

    def at(right: float, up: float) -> tuple[float, float]:
        return (x + right * metre) / SIZE[0], (y - up * metre) / SIZE[1]

    clicks = at(-0.0315, 0), at(0.0315, 0), at(-0.025, -0.07), at(0.025, -0.07), at(0, -0.115)
    return parts, skull | face | neck | body, Person("Person", from_clicks(SIZE, *clicks))


def scene(*people, noise: float = 8.0):
    """Colours and depth of drawn people, from back to front, before a wall."""
    random = np.random.default_rng(0)
    columns = np.linspace(0, 1, SIZE[0])[None, :, None]
    colour = np.array((120, 140, 150)) + 40 * np.sin(columns * 9) + np.zeros((SIZE[1], 1, 1))
    d = np.full((SIZE[1], SIZE[0]), 0.15, np.float32)
    truth = []
    for (parts, whole, _), level in people:
        for mask, tone in parts:
            colour[mask] = tone
        d[whole] = level
        truth = [t & ~whole for t in truth] + [whole]
    colour = np.clip(colour + random.normal(0, noise, colour.shape), 0, 255).astype(np.uint8)
    return colour, d, truth


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / max(np.count_nonzero(a | b), 1)


@pytest.mark.parametrize("hair, coat", [((40, 30, 25), (150, 40, 40)), ((190, 170, 120), (50, 60, 90))])
def test_a_person_is_cut_out(hair: tuple[int, int, int], coat: tuple[int, int, int]) -> None:
    made = drawn(320, 170, 700, hair, coat)
    colour, d, truth = scene((made, 0.6))
    found = person_mask(colour, d, made[2])
    assert found is not None and found.dtype == bool and found.shape == d.shape
    assert likeness(found, truth[0]) > 0.96


def test_hair_that_the_depth_sets_back_stays_with_the_head() -> None:
    made = drawn(320, 170, 700, (40, 30, 25), (150, 40, 40))
    colour, d, truth = scene((made, 0.6))
    d[made[0][0][0] & ~made[0][1][0]] = 0.2
    found = person_mask(colour, d, made[2])
    assert found is not None and likeness(found, truth[0]) > 0.95


def test_depth_alone_parts_what_has_one_colour() -> None:
    made = drawn(320, 170, 700, (40, 30, 25), (128, 140, 150))
    colour, d, truth = scene((made, 0.6))
    found = person_mask(colour, d, made[2])
    assert found is not None and likeness(found, truth[0]) > 0.85


def test_colour_alone_parts_what_has_one_depth() -> None:
    made = drawn(320, 170, 700, (40, 30, 25), (150, 40, 40))
    colour, d, truth = scene((made, 0.6))
    found = person_mask(colour, np.full_like(d, 0.5), made[2])
    assert found is not None and likeness(found, truth[0]) > 0.9


def test_people_share_no_pixel_and_the_nearer_comes_first() -> None:
    far, near = drawn(250, 150, 520, (40, 30, 25), (60, 110, 60)), drawn(400, 190, 700, (190, 170, 120), (150, 40, 40))
    colour, d, truth = scene((far, 0.4), (near, 0.8))
    people = [Person("Far", far[2].face), Person("Near", near[2].face)]
    found = person_masks(colour, d, people)
    assert list(found) == ["Near", "Far"]
    assert not (found["Near"] & found["Far"]).any()
    assert likeness(found["Near"], truth[1]) > 0.93 and likeness(found["Far"], truth[0]) > 0.85


def test_joints_say_where_arms_are() -> None:
    made = drawn(320, 120, 500, (40, 30, 25), (150, 40, 40))
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    arm = (np.abs(rows - 230) < 14) & (columns > 400) & (columns < 600)
    parts = [*made[0], (arm, (150, 40, 40))]
    joints = {"shoulder.L": (390 / 640, 230 / 480), "elbow.L": (490 / 640, 230 / 480), "wrist.L": (590 / 640, 230 / 480)}
    person = Person("Person", made[2].face, joints)
    colour, d, truth = scene(((parts, made[1] | arm, person), 0.6))
    found = person_mask(colour, d, person)
    assert found is not None and found[230, 585] and likeness(found, truth[0]) > 0.9


def test_it_is_deterministic_and_of_any_size() -> None:
    made = drawn(320, 170, 700, (40, 30, 25), (150, 40, 40))
    colour, d, _ = scene((made, 0.6))
    first, second = person_mask(colour, d, made[2]), person_mask(colour, d, made[2])
    assert first is not None and second is not None and (first == second).all()
    smaller = person_mask(colour, np.ascontiguousarray(d[::4, ::4]), made[2])
    assert smaller is not None and likeness(first, smaller) > 0.95
    large = person_mask(np.repeat(np.repeat(colour, 2, 0), 2, 1), d, made[2])
    assert large is not None and large.shape == (960, 1280) and likeness(large[::2, ::2], first) > 0.95


def test_who_has_neither_face_nor_joints_has_no_silhouette() -> None:
    colour, d, _ = scene()
    assert person_mask(colour, d, Person("Nobody")) is None
    assert person_mask(colour, d, Person("Head", joints={"head": (0.5, 0.5)})) is None
    tiny = Person("Far away", from_clicks(SIZE, (0.5, 0.5), (0.502, 0.5), (0.5003, 0.503), (0.5017, 0.503), (0.501, 0.506)))
    assert person_mask(colour, d, tiny) is None
    assert person_masks(colour, d, [Person("Nobody")]) == {} and person_masks(colour, d, []) == {}


def test_an_astronaut_is_parted_from_the_flag_and_the_rocket() -> None:
    data = pytest.importorskip("skimage.data")
    colour = data.astronaut()
    clicks = ((203.2, 101.2), (247.0, 103.2), (204, 141), (245, 141), (224, 177))
    person = Person("Person 1", from_clicks((512, 512), *(tuple(np.array(c) / 512) for c in clicks)))
    d = np.full((512, 512), 0.1, np.float32)
    y, x = np.mgrid[:512, :512]
    d[np.hypot((x - 224) / 70, (y - 105) / 100) < 1] = 0.6
    d[(y > 180) & (np.abs(x - 200) < 60 + 0.75 * (y - 180))] = 0.7
    found = person_mask(colour, d, person)
    assert found is not None
    for inside in ((224, 130), (224, 40), (180, 300), (100, 330), (250, 400), (165, 60)):
        assert found[inside[1], inside[0]], inside
    for outside in ((20, 60), (420, 80), (350, 60), (130, 30), (300, 40), (480, 250)):
        assert not found[outside[1], outside[0]], outside
