"""From a film to a layered photo with frames."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from addon.errors import InputError, StillscapeError, UsageError
from addon.spec import DepthSpec, SceneSpec
from addon.vision.layered import read_layered
from addon.vision.layered_film import make_layered, make_layered_film
from tests.vision.film_files import flat, pan, write_film, write_sequence

SIZE = (96, 64)


def quiet(share, text):
    assert 0 <= share <= 1 and text


def spec_of(depth=None, **sections):
    found = DepthSpec(estimator="plane") if depth is None else DepthSpec(file=str(depth), kind=sections.pop("kind", "auto"))
    spec = SceneSpec(depth=found)
    return replace(spec, **{name: replace(getattr(spec, name), **values) for name, values in sections.items()})


def depths_of(layered):
    frames = layered.frames
    files = [layered.path(frames.file(frames.depth, n)) for n in range(1, frames.count + 1)]
    return np.stack([cv2.imread(str(f), cv2.IMREAD_UNCHANGED) for f in files]) / 65535


def ramps(count):
    """Disparity that rises to the right and, from frame to frame, everywhere."""
    return [np.tile(np.linspace(0, 1, SIZE[0], dtype=np.float32), (SIZE[1], 1)) + 0.1 * i for i in range(count)]


def test_a_film_becomes_a_layered_photo_that_reads_back(tmp_path):
    path = write_film(tmp_path / "clip.mp4", pan(5), 25)
    made = make_layered(path, spec_of(), tmp_path / "layers", quiet)
    assert read_layered(tmp_path / "layers") == made and made.frames.count == 5 and made.frames.fps == 25
    assert (made.name, made.size, len(made.layers)) == ("clip", SIZE, 1)
    assert not (tmp_path / "layers" / "work").exists()
    first = cv2.imread(str(made.path(made.photo)))
    texture = cv2.imread(str(made.path(made.frames.file(made.frames.texture, 1))))
    assert texture.shape == (3 * SIZE[1], 3 * SIZE[0], 3)
    assert np.abs(texture[1::3, 1::3].astype(int) - first).mean() < 1
    d = depths_of(made)
    assert np.allclose(d, d[0]) and np.allclose(made.read_depth(), d[0]) and d[0, -1, 0] == 1 and d[0, 0, 0] == 0


def test_a_photo_goes_the_photos_way(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), pan(1)[0])
    assert make_layered(tmp_path / "a.png", spec_of(), tmp_path / "layers", quiet).frames is None
    assert '"frames"' not in (tmp_path / "layers" / "layers.json").read_text()


def test_one_scale_for_the_whole_shot(tmp_path):
    """Left as they are, the maps of all frames share near and far: the first frame ends where the last one goes on."""
    for n, d in enumerate(ramps(4), 7):
        np.save(tmp_path / f"depth_{n:03d}.npy", d)
    pattern = write_sequence(tmp_path, pan(4), first=7)
    spec = spec_of(tmp_path / "depth_###.npy", kind="disparity", video={"steady": "off"})
    made = make_layered_film(pattern, spec, tmp_path / "layers", quiet)
    d = depths_of(made)
    assert d.min() == 0 and d.max() == 1
    assert np.allclose(d[:, 32, 48] - d[0, 32, 48], np.arange(4) * 0.1 / 1.3, atol=2e-3)
    assert made.frames.fps == 24 and made.frames.texture.endswith(".png")  # of pictures exact copies


def test_pumping_is_taken_out(tmp_path):
    rng = np.random.default_rng(0)
    wall = ramps(1)[0]
    maps = tmp_path / "maps"
    maps.mkdir()
    for n in range(12):
        np.save(maps / f"d{n}.npy", wall * (1 + rng.normal(0, 0.05)) + rng.normal(0, 0.05))
    path = write_film(tmp_path / "clip.avi", pan(1) * 12)
    jumps = {}
    for steady in ("on", "off", "auto"):
        made = make_layered_film(path, spec_of(maps, kind="disparity", video={"steady": steady}), tmp_path / steady, quiet)
        jumps[steady] = np.abs(np.diff(depths_of(made), axis=0)).mean()
    assert jumps["on"] < 0.15 * jumps["off"] and jumps["auto"] == jumps["on"]


def test_metres_of_ones_own_are_left_as_they_are(tmp_path):
    for n in range(1, 5):
        np.save(tmp_path / f"depth_{n:04d}.npy", np.full((SIZE[1], SIZE[0]), 2.0 * n, np.float32))
    pattern = write_sequence(tmp_path, pan(4))
    made = make_layered_film(pattern, spec_of(tmp_path / "depth_####.npy"), tmp_path / "layers", quiet)
    assert (made.near, made.far) == pytest.approx((2, 8))
    z = 1 / (depths_of(made)[:, 0, 0] * (1 / made.near - 1 / made.far) + 1 / made.far)
    assert z == pytest.approx([2, 4, 6, 8], rel=1e-3)


def test_depth_may_be_one_map_or_a_film(tmp_path):
    path = write_film(tmp_path / "clip.mp4", pan(1) * 3)
    np.save(tmp_path / "one.npy", ramps(1)[0])
    one = depths_of(make_layered_film(path, spec_of(tmp_path / "one.npy", kind="disparity"), tmp_path / "a", quiet))
    assert np.allclose(one, one[0], atol=2e-3)
    grey = write_film(tmp_path / "depth.avi", [np.full((*d.shape, 3), d[..., None] * 180 + 10, np.uint8) for d in ramps(3)])
    filmed = depths_of(make_layered_film(path, spec_of(grey, video={"steady": "off"}), tmp_path / "b", quiet))
    assert np.all(np.diff(filmed[:, 32, 48]) > 0.03)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 3, 4)])
def test_a_missing_depth_map_is_named(tmp_path, numbers):
    for n in numbers:
        np.save(tmp_path / f"depth_{n:04d}.npy", ramps(1)[0])
    pattern = write_sequence(tmp_path, pan(3))
    with pytest.raises(InputError, match=f"no depth map for number {({1, 2, 3} - set(numbers)).pop()}"):
        make_layered_film(pattern, spec_of(tmp_path / "depth_####.npy"), tmp_path / "layers", quiet)
    assert not list(tmp_path.glob("*layers*"))


def test_fewer_frames_and_another_speed(tmp_path):
    path = write_film(tmp_path / "clip.mp4", flat(6))
    made = make_layered_film(path, spec_of(video={"frames": 2, "fps": 12.0}), tmp_path / "layers", quiet)
    assert made.frames.count == 2 and made.frames.fps == 12 and not made.path("texture_0003.jpg").exists()
    with pytest.raises(UsageError, match="at most 6"):
        make_layered_film(path, spec_of(video={"frames": 7}), tmp_path / "more", quiet)


def test_a_cut_does_not_mix_two_shots(tmp_path):
    """Two shots of different depth: neither takes anything of the other's."""
    near, far = np.full((SIZE[1], SIZE[0]), 0.9, np.float32), ramps(1)[0] * 0.3
    for n in range(1, 9):
        np.save(tmp_path / f"depth_{n:04d}.npy", near if n <= 4 else far)
    pattern = write_sequence(tmp_path, [*(pan(1, seed=1) * 4), *(pan(1, seed=2) * 4)])
    d = depths_of(make_layered_film(pattern, spec_of(tmp_path / "depth_####.npy", kind="disparity"), tmp_path / "layers", quiet))
    assert np.allclose(d[:4], d[0], atol=1e-3) and np.allclose(d[4:], d[4], atol=1e-3) and d[3].mean() > 0.9 > 0.4 > d[4].mean()


def test_a_film_of_one_frame(tmp_path):
    path = write_film(tmp_path / "clip.avi", flat(1))
    made = make_layered_film(path, spec_of(video={"steady": "on"}), tmp_path / "layers", quiet)
    assert made.frames.count == 1 and depths_of(made).shape == (1, 48, 64)


def test_stopping_leaves_nothing(tmp_path):
    path = write_film(tmp_path / "clip.mp4", flat(3))

    def stop(share, text):
        if share > 0.4:
            raise StillscapeError("stopped")

    with pytest.raises(StillscapeError, match="stopped"):
        make_layered_film(path, spec_of(), tmp_path / "layers", stop)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_missing_frame_is_noticed_when_it_is_read(tmp_path):
    path = write_film(tmp_path / "clip.mp4", flat(3))
    make_layered_film(path, spec_of(), tmp_path / "layers", quiet)
    (tmp_path / "layers" / "depth_0002.png").unlink()
    with pytest.raises(InputError, match="depth_0002.png is missing"):
        read_layered(tmp_path / "layers")


def test_a_film_stands_on_the_same_floor_as_its_first_frame_would(tmp_path):
    """Disparity of unknown scale: horizon, camera height, near and far come from the floor, as for a photo."""
    v = (np.arange(SIZE[1]) + 0.5) / SIZE[1]
    floor = np.repeat(np.maximum(3 * (v - 0.3), 0.3)[:, None], SIZE[0], 1).astype(np.float32)
    maps = tmp_path / "maps"
    maps.mkdir()
    for n in range(4):
        np.save(maps / f"d{n}.npy", floor)
    frames = pan(1) * 4
    cv2.imwrite(str(tmp_path / "first.png"), frames[0])
    film = make_layered(write_film(tmp_path / "clip.avi", frames), spec_of(maps, kind="disparity"), tmp_path / "film", quiet)
    photo = make_layered(tmp_path / "first.png", spec_of(maps / "d0.npy", kind="disparity"), tmp_path / "photo", quiet)
    assert film.camera == photo.camera and film.camera.height == 1.6 and film.camera.pitch != 0
    assert (film.near, film.far) == pytest.approx((photo.near, photo.far), rel=0.02)
    spec = spec_of(maps, kind="disparity")
    spec = replace(spec, depth=replace(spec.depth, known_size=10.0, known_from=(0.5, 0.5), known_to=(0.5, 0.9)))
    larger = make_layered(tmp_path / "clip.avi", spec, tmp_path / "known", quiet)
    assert larger.far / larger.near == pytest.approx(film.far / film.near, rel=0.02) and abs(larger.near / film.near - 1) > 0.1
