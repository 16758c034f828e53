"""People as layers of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.spec import SceneSpec
from addon.vision.layered import INDEX, Layer, LayeredPhoto, PhotoCamera, read_layered, write_layered
from addon.vision.layering import Layering, cut_layers, layer_names
from addon.vision.pipeline import recut_layers, silhouettes_of
from addon.vision.texture import linear_to_srgb

H, W = 180, 240
ROWS, COLUMNS = np.mgrid[:H, :W]


def figure(x=120, scale=1.0) -> np.ndarray:
    """A head on shoulders that the lower border cuts off, bool."""
    mask = np.zeros((H, W), np.uint8)
    cv2.circle(mask, (x, 70), round(28 * scale), 1, -1)
    cv2.rectangle(mask, (x - 10, 90), (x + 10, 130), 1, -1)
    cv2.ellipse(mask, (x, 180), (round(60 * scale), round(70 * scale)), 0, 180, 360, 1, -1)
    return mask > 0


def picture() -> np.ndarray:
    """Noise about a colour for each thing would do; a photo's worth of it."""
    return np.random.default_rng(0).integers(60, 200, (H, W, 3)).astype(np.uint8)


def cut(
    d: np.ndarray, people: dict[str, np.ndarray] | None, colour: np.ndarray | None = None, sky: np.ndarray | None = None, **layers
) -> Layering:
    spec = SceneSpec()
    spec = replace(spec, layers=replace(spec.layers, fill="smooth", **layers))
    return cut_layers(picture() if colour is None else colour, d.astype(np.float32), sky, spec, lambda share, text: None, people)


def image(made: Layering, file: str) -> np.ndarray:
    content = made.files[file]
    return content if isinstance(content, np.ndarray) else cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def levels_of(made: Layering) -> np.ndarray:
    return image(made, "levels.png")


def on_photo(made: Layering, layer: Layer, file: str) -> np.ndarray:
    """A file of a layer over the photo's own area."""
    found = image(made, file)
    out = np.zeros((H, W, *found.shape[2:]), found.dtype)
    left, top, right, bottom = layer.box
    out[max(0, top) : bottom, max(0, left) : right] = found[
        max(0, -top) : max(0, -top) + min(H, bottom) - max(0, top), max(0, -left) : max(0, -left) + min(W, right) - max(0, left)
    ]
    return out


def person_layer(made: Layering, name="Ann") -> tuple[int, Layer]:
    return next((i, layer) for i, layer in enumerate(made.layers) if layer.person == name)


def wall_and_person(person=0.6) -> np.ndarray:
    d = 0.1 + 0.1 * COLUMNS / W
    d[figure()] = person
    return d


@pytest.mark.parametrize("nobody", [None, {}, {"Ann": np.zeros((H, W), bool)}])
def test_without_people_nothing_changes(nobody) -> None:
    d = wall_and_person()
    one, other = cut(d, None), cut(d, nobody)
    assert one.layers == other.layers and all(np.array_equal(image(one, f), image(other, f)) for f in one.files)
    assert np.array_equal(one.d, other.d) and all(layer.person is None for layer in other.layers)


def test_a_person_is_a_layer_along_the_silhouette_and_the_wall_goes_on_behind() -> None:
    mask = figure()
    made = cut(wall_and_person(), {"Ann": mask})
    assert [layer.name for layer in made.layers] == ["1 Subject", "2 Background"]
    number, layer = person_layer(made)
    assert number == 0 and np.array_equal(levels_of(made) == number, mask)
    wall = made.layers[1]
    matte = on_photo(made, wall, wall.matte or "")
    near = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) < 0.08 * W - 1
    assert (matte[mask & near] == 255).all() and (matte[~mask] == 255).all()


def test_a_person_on_a_chair_is_cut_out_all_around_and_meets_it_without_a_gap() -> None:
    d = wall_and_person()
    chair = (ROWS > 130) & (np.abs(COLUMNS - 120) < 90) & ~figure()
    d[chair] = 0.6  # as far as the person
    made = cut(d, {"Ann": figure()})
    number, layer = person_layer(made)
    levels = levels_of(made)
    assert np.array_equal(levels == number, figure()) and number == 0
    assert (levels[chair] > number).all()
    behind = np.zeros((H, W), bool)
    for other in made.layers[1:]:
        behind |= on_photo(made, other, other.matte or "") == 255
    # At rest every pixel is opaque in the layer that shows it: none shows through a seam.
    for i, other in enumerate(made.layers):
        assert (on_photo(made, other, other.matte or "")[levels == i] == 255).all()
    contact = figure() & (cv2.dilate(chair.astype(np.uint8), np.ones((9, 9))) > 0)
    assert contact.sum() > 100 and behind[contact].all()


def test_what_stands_before_a_person_stays_before_and_what_stands_before_that_too() -> None:
    d = wall_and_person()
    table = (ROWS > 150) & (COLUMNS > 40)
    d[table] = 0.8
    cup = (np.abs(ROWS - 160) < 12) & (np.abs(COLUMNS - 200) < 12)  # touches the table only
    d[cup] = 0.95
    mask = figure() & ~table & ~cup
    made = cut(d, {"Ann": mask})
    levels = levels_of(made)
    number, layer = person_layer(made)
    assert set(levels[mask]) == {number}
    assert (levels[table | cup] < number).all() and (levels[cup] == 0).mean() > 0.9
    assert levels[table & ~cup].mean() > 0.3  # a seam may run over the table, and a part of it lie as far in front as the cup
    assert (levels[(d < 0.3) & ~mask] > number).all()
    names = [layer.name for layer in made.layers]
    assert names[:3] == ["1 Front", "2 Front 2", "3 Subject"] and names[-1].endswith("Background")
    # The person goes on behind the table.
    matte = on_photo(made, layer, layer.matte or "")
    assert (matte[151:160, 100:140] == 255).all()
    assert (on_photo(made, layer, layer.depth or "")[152:158, 100:140] < 0.79).all()


def test_a_depth_map_that_does_not_see_the_person_still_gives_filled_ground_behind() -> None:
    d = 0.3 + 0.2 * COLUMNS / W
    mask = figure()
    colour = np.full((H, W, 3), (40, 120, 200), np.uint8)
    colour[mask] = (250, 10, 10)
    made = cut(d, {"Ann": mask}, colour)
    number, _ = person_layer(made)
    assert np.array_equal(levels_of(made) == number, mask) and len(made.layers) == 2
    wall = made.layers[1]
    near = mask & (cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) < 0.08 * W - 1)
    assert (on_photo(made, wall, wall.matte or "")[near] == 255).all()
    assert (on_photo(made, wall, wall.depth or "")[near] < made.d[near]).all()
    fill = on_photo(made, wall, wall.colour or "")
    assert (fill[near][:, 3] == 255).all() and np.abs(fill[near][:, 2::-1].astype(int) - (40, 120, 200)).max() < 12


def test_the_edge_of_the_depth_is_brought_to_the_silhouette() -> None:
    mask = figure()
    around = np.ones((5, 5), np.uint8)
    for seen in (cv2.dilate(mask.astype(np.uint8), around), cv2.erode(mask.astype(np.uint8), around)):
        d = 0.1 + 0.1 * COLUMNS / W
        d[seen > 0] = 0.6
        made = cut(d, {"Ann": mask})
        assert len(made.layers) == 2 and np.array_equal(levels_of(made) == 0, mask)
        assert made.d[mask].min() > 0.5 and made.d[~mask].max() < 0.25


def test_two_people_and_someone_between() -> None:
    one, two = figure(80), figure(150)
    d = 0.1 + 0.1 * COLUMNS / W
    d[two], d[one] = 0.5, 0.5
    made = cut(d, {"Near": one, "Far": two})
    assert [layer.name for layer in made.layers] == ["1 Subject", "2 Subject 2", "3 Background"]
    assert [layer.person for layer in made.layers] == ["Near", "Far", None]
    levels = levels_of(made)
    assert np.array_equal(levels == 0, one) and np.array_equal(levels == 1, two & ~one)
    # The farther goes on behind the nearer.
    layer = made.layers[1]
    close = cv2.distanceTransform((~(two & ~one)).astype(np.uint8), cv2.DIST_L2, 5) < 0.08 * W - 1
    hidden = on_photo(made, layer, layer.matte or "")[one & two & close]
    assert len(hidden) > 300 and (hidden == 255).mean() > 0.95
    pole = (np.abs(COLUMNS - 115) < 8) & ~one
    d[pole] = 0.7
    made = cut(d, {"Near": one & ~pole, "Far": two & ~pole & ~one})
    assert (levels_of(made)[pole] < person_layer(made, "Far")[0]).all()


def test_the_silhouette_is_soft() -> None:
    mask = figure()
    colour = np.zeros((H, W, 3), np.uint8)
    colour[mask] = 255
    colour = np.rint(linear_to_srgb(cv2.GaussianBlur(colour.astype(np.float32) / 255, (0, 0), 0.8)) * 255).astype(np.uint8)
    made = cut(0.3 + 0.2 * COLUMNS / W, {"Ann": mask}, colour)
    _, layer = person_layer(made)
    matte = on_photo(made, layer, layer.matte or "")
    rim = (cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0) & ~mask
    assert ((matte[rim] > 20) & (matte[rim] < 235)).mean() > 0.6


def test_the_sky_stays_the_last_layer() -> None:
    sky = ROWS < 100
    d = np.where(sky, 0.0, 0.2)
    d[figure()] = 0.7
    made = cut(d, {"Ann": figure()}, sky=sky)
    assert made.layers[-1].sky and made.layers[-1].name.endswith("Sky") and person_layer(made)[0] == 0
    assert (levels_of(made)[sky & ~figure()] == len(made.layers) - 1).all()


def test_noise_does_no_harm() -> None:
    d = np.random.default_rng(3).random((H, W))
    made = cut(d, {"Ann": figure(), "Bob": figure(60, 0.7)})
    assert {layer.person for layer in made.layers} >= {"Ann", "Bob"}
    assert np.array_equal(levels_of(made) == person_layer(made)[0], figure())


def test_names_tell_the_order() -> None:
    assert layer_names(3, False) == ["1 Front", "2 Middle", "3 Background"]
    assert layer_names(5, True, (1,)) == ["1 Front", "2 Subject", "3 Middle", "4 Background", "5 Sky"]
    assert layer_names(4, False, (0, 2)) == ["1 Subject", "2 Middle", "3 Subject 2", "4 Background"]
    assert layer_names(1, False, (0,)) == ["Subject"]


def test_whose_a_layer_is_survives_the_folder_and_a_new_cut(tmp_path: Path) -> None:
    colour, mask = picture(), figure()
    made = cut(wall_and_person(), {"Ann": mask}, colour)
    done, photo = cv2.imencode(".png", colour[..., ::-1])
    assert done
    place = tmp_path / "photo"
    given = LayeredPhoto(
        place, "photo", (W, H), PhotoCamera(50.0), 1.0, 5.0, 1.0, 2.0, "photo.png", "depth.npy", (W, H), made.layers, made.levels
    )
    write_layered(given, {"photo.png": photo.tobytes(), "depth.npy": made.d, **made.files})
    read = read_layered(place)
    assert read.layers == made.layers
    listed = json.loads((place / INDEX).read_text())["layers"]
    assert [layer.get("person") for layer in listed] == ["Ann", None] and "person" not in listed[1]
    found = silhouettes_of(read)
    assert list(found) == ["Ann"] and np.array_equal(found["Ann"], mask)
    again = recut_layers(place, SceneSpec(), tmp_path / "again", lambda share, text: None)
    assert [layer.person for layer in again.layers] == ["Ann", None]
