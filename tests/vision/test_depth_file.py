"""A depth map of the user's own means what its file says, at the photo's size, without terraces."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from addon.errors import InputError, StillscapeError, StorageError, UsageError
from addon.spec import DepthSpec
from addon.vision import files as files_module
from addon.vision.depth import choose
from addon.vision.depth.file import ESTIMATOR
from addon.vision.depth_io import read_depth_file, write_depth_file
from addon.vision.dequantise import dequantise, level_step
from addon.vision.files import write_atomically
from addon.vision.layered import DepthKind
from addon.vision.photo import Photo
from addon.vision.resample import resample
from tests.vision import picture_files as files

RNG = np.random.default_rng(3)
SHARES = RNG.random((20, 30)).astype(np.float32)
METRES = SHARES * 8 + 0.5


def photo(width: int = 30, height: int = 20) -> Photo:
    return Photo(Path("photo.jpg"), np.zeros((height, width, 3), np.uint8), None, None, "")


def estimate(path: Path, of: Photo | None = None, **more):
    said: list[str] = []
    depth = ESTIMATOR.estimate(of or photo(), DepthSpec(file=str(path), **more), lambda share, words: said.append(words))
    return depth, " / ".join(said)


def saved(tmp_path: Path, array: np.ndarray, suffix: str) -> Path:
    """The array as the usual tools write it."""
    path = tmp_path / f"depth{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".pfm":
        path.write_bytes(b"Pf\n%d %d\n-1\n" % array.shape[::-1] + array[::-1].astype("<f4").tobytes())
    else:
        path.write_bytes(files.encode(suffix, array))
    return path


# ---- reading and writing


@pytest.mark.parametrize("suffix", [".npy", ".pfm", ".tiff", ".exr"])
def test_float_maps_come_in_as_stored(tmp_path, suffix):
    holey = METRES.copy()
    holey[0, 0], holey[1, 1] = np.nan, np.inf
    values, info = read_depth_file(saved(tmp_path, holey, suffix))
    assert values.dtype == np.float32 and np.array_equal(values, holey, equal_nan=True)
    assert not info.integer and info.bits == 32 and info.format.lower() in suffix + "tiff"


@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, ".png"), (np.uint16, ".png"), (np.uint8, ".tiff"), (np.uint16, ".tiff")])
def test_integer_maps_come_in_as_stored(tmp_path, dtype, suffix):
    stored = RNG.integers(0, np.iinfo(dtype).max, (20, 30)).astype(dtype)
    values, info = read_depth_file(saved(tmp_path, stored, suffix))
    assert np.array_equal(values, stored) and info.integer and info.bits == np.iinfo(dtype).bits


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<i4", ">u2", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_real_kind(tmp_path, dtype, order):
    stored = np.asarray(SHARES * 200 if dtype != "?" else SHARES > 0.5, dtype=dtype, order=order)
    values, _ = read_depth_file(saved(tmp_path, stored, ".npy"))
    assert np.array_equal(values, stored.astype(np.float32))
    values, _ = read_depth_file(saved(tmp_path, stored[:, :, None], ".npy"))
    assert values.shape == (20, 30)


def test_pfm_of_both_byte_orders_and_in_color(tmp_path):
    path = tmp_path / "d.pfm"
    path.write_bytes(b"Pf\n30 20\n1.0\n" + METRES[::-1].astype(">f4").tobytes())
    assert np.array_equal(read_depth_file(path)[0], METRES)
    path.write_bytes(b"PF 30 20\n-1.0\n" + np.repeat(METRES[::-1, :, None], 3, 2).astype("<f4").tobytes())
    assert np.array_equal(read_depth_file(path)[0], METRES)


@pytest.mark.parametrize("compression", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "names",
    ["Z", "V", "R", "Y", "depth.Z", "ViewLayer.Depth.Z", "Z R G B A", "A Y", "Combined.R Combined.G Combined.B Depth.V"],
)
def test_exr_channels_by_name(tmp_path, names, compression):
    every = names.split()
    wanted = next(n for n in every if n.split(".")[-1] in "ZVY" or len(every) == 1)
    path = tmp_path / "d.exr"
    flat = np.full_like(METRES, 2)
    path.write_bytes(files.exr({n: METRES if n == wanted else flat for n in every}, compression=compression))
    assert np.array_equal(read_depth_file(path)[0], METRES)


@pytest.mark.parametrize("dtype", [np.float16, np.uint32])
def test_exr_channels_of_other_types(tmp_path, dtype):
    path = tmp_path / "d.exr"
    stored = (METRES * 100).astype(dtype)
    path.write_bytes(files.exr({"Z": stored, "A": np.ones_like(METRES)}, compression=3))
    assert np.array_equal(read_depth_file(path)[0], stored.astype(np.float32))


def test_equal_colors_are_one_map_and_others_are_not(tmp_path):
    gray = (SHARES * 255).astype(np.uint8)
    assert np.array_equal(read_depth_file(saved(tmp_path, np.repeat(gray[:, :, None], 3, 2), ".png"))[0], gray)
    covered = np.dstack([gray, gray, gray, np.full_like(gray, 255)])
    assert np.array_equal(read_depth_file(saved(tmp_path, covered, ".png"))[0], gray)
    with pytest.raises(InputError, match="color picture, not a depth map"):
        read_depth_file(saved(tmp_path, np.dstack([gray, gray, gray + 1]), ".png"))


@pytest.mark.parametrize("suffix", [".npy", ".pfm", ".tiff", ".tif", ".exr"])
def test_what_is_written_reads_back(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    write_depth_file(path, METRES)
    assert np.array_equal(read_depth_file(path)[0], METRES)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_png_is_stretched_to_sixteen_bits(tmp_path):
    path = tmp_path / "out.png"
    holey = METRES.copy()
    holey[3, 3] = np.nan
    write_depth_file(path, holey)
    values, info = read_depth_file(path)
    assert info.bits == 16 and values.min() == 0 and values.max() == 65535 and values[3, 3] == 0
    low, high = np.nanmin(holey), np.nanmax(holey)
    assert np.nanmax(abs(values / 65535 * (high - low) + low - np.where(np.isnan(holey), np.nan, holey))) < 1e-3
    write_depth_file(path, np.full((20, 30), 3, np.float32))
    assert not read_depth_file(path)[0].any()


def test_writing_says_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match=r"\.npy"):
        write_depth_file(tmp_path / "out.jpg", METRES)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        write_depth_file(tmp_path / "file" / "out.npy", METRES)


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + body


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"), "cut short"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }", bytes(16)), "shape"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", bytes(64)), "not numbers"),
        (npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 2), }", bytes(64)), "not numbers"),
        (npy("__import__('os').getcwd()"), "damaged"),
        (npy("(" * 3000), "damaged"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", bytes(16)), "rows and columns"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", b"\0\0\xc0\x7f" * 4), "no number at all"),
        (b"Pf\n30 20\n-1.0\n" + bytes(10), "cut short"),
        (b"Pf\n30 20\nx\n" + bytes(10), "damaged"),
        (b"PK\x03\x04" + bytes(50), "numpy.save"),
        (files.encode(".jpg", (SHARES * 255).astype(np.uint8)), "JPEG"),
        (b"hello", "not a depth map"),
        (files.exr({"Z": METRES})[:-100], "damaged"),
        (files.exr({"U": METRES, "W": METRES}), "channel"),
        (files.encode(".png", (SHARES * 255).astype(np.uint8))[:-20], "cut short"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, data, words):
    path = tmp_path / "depth"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        read_depth_file(path)
    assert str(path) in str(caught.value)


def test_no_array_is_unpickled(tmp_path):
    path = tmp_path / "depth.npy"
    np.save(path, np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        read_depth_file(path)


@given(
    st.sampled_from([".npy", ".pfm", ".png", ".tiff", ".z.exr"]),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=5),
    st.integers(1, 4000),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_breaks_the_reader(tmp_path, suffix, changes, keep):
    path = tmp_path / f"depth{suffix}"
    if suffix == ".z.exr":
        path.write_bytes(files.exr({"Z": METRES, "A": METRES}, compression=3))
    else:
        write_depth_file(path, METRES)
    data = bytearray(path.read_bytes())
    for place, byte in changes:
        data[place % len(data)] = byte
    path.write_bytes(bytes(data[:keep]))
    try:
        values, _ = read_depth_file(path)
    except StillscapeError as error:
        assert "\n" not in str(error)
    else:
        assert values.ndim == 2 and values.dtype == np.float32


# ---- what the numbers mean


def test_auto_takes_integers_as_disparity(tmp_path):
    depth, said = estimate(saved(tmp_path, (SHARES * 60000).astype(np.uint16), ".png"))
    assert depth.kind is DepthKind.AFFINE_DISPARITY and "disparity" in said and depth.made_by == "file"


@pytest.mark.parametrize("suffix", [".npy", ".pfm", ".tiff", ".exr"])
def test_auto_takes_positive_floats_above_one_as_metres(tmp_path, suffix):
    depth, said = estimate(saved(tmp_path, METRES, suffix))
    assert depth.kind is DepthKind.METRIC_DEPTH and "metres" in said and np.array_equal(depth.values, METRES)
    for relative in (SHARES, METRES - 1):
        depth, said = estimate(saved(tmp_path, relative, suffix))
        assert depth.kind is DepthKind.AFFINE_DISPARITY and "disparity" in said


def test_auto_source_is_the_file_when_there_is_one():
    assert choose(DepthSpec(file="x.png")) is ESTIMATOR
    with pytest.raises(UsageError, match="--depth"):
        ESTIMATOR.estimate(photo(), DepthSpec(estimator="file"), lambda *_: None)


def beside(values, y, x):
    """Whether a pixel has the value of one of its neighbours."""
    return values[y, x] in (values[y - 1, x], values[y + 1, x], values[y, x - 1], values[y, x + 1])


def test_sixteen_bit_depth_counts_millimetres(tmp_path):
    stored = (METRES * 1000).astype(np.uint16)
    stored[0, 1:3] = 65535, 1500
    stored[5, 5] = 0
    depth, _ = estimate(saved(tmp_path, stored, ".png"), kind="depth")
    assert depth.kind is DepthKind.METRIC_DEPTH
    assert np.isposinf(depth.values[0, 1]) and depth.values[0, 2] == pytest.approx(1.5)
    assert beside(depth.values, 5, 5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_depth_between_near_and_far(tmp_path, dtype):
    top = np.iinfo(dtype).max
    stored = np.tile(np.array([0, top], dtype), (20, 15))
    depth, _ = estimate(saved(tmp_path, stored, ".png"), kind="depth", near=2.0, far=10.0)
    assert depth.values[0, 0] == pytest.approx(2) and depth.values[0, 1] == pytest.approx(10)


def test_eight_bit_depth_needs_near_and_far(tmp_path):
    with pytest.raises(InputError, match="--near and --far"):
        estimate(saved(tmp_path, (SHARES * 255).astype(np.uint8), ".png"), kind="depth")


def test_nothing_is_not_near(tmp_path):
    holey = METRES.copy()
    holey[5, 3:9:2] = 0, -1, np.nan
    depth, _ = estimate(saved(tmp_path, holey, ".npy"), kind="depth")
    assert all(beside(depth.values, 5, x) for x in (3, 5, 7))
    holey[:, 20:] = 0  # as large as a sky
    depth, _ = estimate(saved(tmp_path, holey, ".npy"), kind="depth")
    assert np.isnan(depth.values[:, 20:]).all()
    matched = SHARES.copy()
    matched[5, 5] = np.inf  # stereo programs write infinity where nothing matched
    depth, _ = estimate(saved(tmp_path, matched, ".npy"), kind="disparity")
    assert beside(depth.values, 5, 5)


def test_another_picture_is_refused(tmp_path):
    with pytest.raises(InputError, match="is 30x20, the photo 20x30: not the same picture"):
        estimate(saved(tmp_path, METRES, ".npy"), photo(20, 30))
    depth, _ = estimate(saved(tmp_path, METRES, ".npy"), photo(301, 200))
    assert depth.values.shape == (200, 301)


# ---- another size


@pytest.mark.parametrize("depth", [True, False])
@pytest.mark.parametrize("size", [(333, 222), (90, 60), (45, 31), (10, 7), (1, 1)])
def test_resampling_makes_up_no_depth_between_two_things(size, depth):
    near_far = np.full((40, 60), 10, np.float32)
    near_far[10:30, 20:41] = 2
    near_far[0, 0] = np.nan
    out = resample(near_far, size, depth=depth)
    assert out.shape == size[::-1] and set(np.unique(out[np.isfinite(out)])) <= {2, 10}
    assert np.isnan(out).mean() <= 4 / near_far.size + 1 / out.size


def test_resampling_is_linear_on_a_slope_and_the_identity_at_the_same_size():
    y, x = np.mgrid[:40, :60].astype(np.float32)
    slope = 5 + x / 30 + y / 50
    out = resample(slope, (240, 160), depth=True)
    fine_y, fine_x = (np.mgrid[:160, :240].astype(np.float32) + 0.5) / 4 - 0.5
    inner = np.s_[2:-2, 2:-2]
    assert np.allclose(out[inner], (5 + fine_x / 30 + fine_y / 50)[inner], atol=1e-4)
    assert resample(slope, (60, 40), depth=True) is slope


# ---- terraces


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(a ramp with a bump and a sharp step, in levels of 8 bits; where it is smooth)."""
    y, x = np.mgrid[:height, :width] / height
    smooth = 40 + 60 * y + 8 * x + 12 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.03)
    raised = (x > 0.9) & (y > 0.3)
    return smooth + 70 * raised, raised


def test_terraces_go_and_edges_stay():
    true, raised = scene(600, 800)
    stored = np.rint(true).astype(np.float32)
    out = dequantise(stored, 1.0)
    assert out.dtype == np.float32 and abs(out - stored).max() <= 0.5
    rms = np.sqrt(np.mean((out - true) ** 2)) / np.sqrt(np.mean((stored - true) ** 2))
    assert rms < 0.25
    assert (abs(np.diff(out, axis=0)) < 1e-4).mean() < 0.001 < 0.8 < (np.diff(stored, axis=0) == 0).mean()
    jump = abs(np.diff(out, axis=1)) > 30
    assert np.array_equal(jump, abs(np.diff(raised.astype(int), axis=1)) == 1)


@pytest.mark.parametrize("width", [5, 20, 60, 150])
def test_wide_terraces_become_a_slope(width):
    true = np.tile(np.arange(width * 12) / width, (64, 1))
    stored = np.rint(true).astype(np.float32)
    out = dequantise(stored, 1.0)
    inner = np.s_[:, width:-width]
    assert np.sqrt(np.mean((out - true)[inner] ** 2) / np.mean((stored - true)[inner] ** 2)) < 0.3
    slopes = np.diff(out, axis=1)[inner] * width
    assert slopes.min() > 0.2 and slopes.max() < 3


def test_flat_things_stay_flat_and_lone_pixels_stay():
    flat = np.full((50, 70), 7, np.float32)
    flat[:, 40:] = 90
    flat[10, 10], flat[20, 20] = np.nan, np.inf
    assert np.array_equal(dequantise(flat, 1.0), flat, equal_nan=True)


@given(
    arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)),
    st.sampled_from([1.0, 257.0, 1 / 255]),
)
@settings(deadline=None, max_examples=60)
def test_the_bound_holds_for_any_map(stored, step):
    values = stored.astype(np.float32) * np.float32(step)
    out = dequantise(values, step)
    assert out.shape == values.shape and np.isfinite(out).all()
    assert (abs(out.astype(np.float64) - values) <= step / 2 * (1 + 1e-6) + 1e-6 * abs(values)).all()


@pytest.mark.parametrize(
    ("values", "integer", "step"),
    [
        (np.arange(256) * 1.0, True, 1.0),
        (np.arange(256) * 257.0, True, 257.0),
        (np.rint(np.arange(200) * 65535 / 199), True, 65535 / 199),
        (np.arange(0, 256, 4) * 1.0, True, 4.0),
        (np.arange(256) / 255, False, 1 / 255),
        (np.arange(3000) * 1.0, True, None),
        (np.array([0.0, 65535.0]), True, None),
        (np.array([0.0, 255.0]), True, 1.0),
        (np.arange(256) ** 2.2, False, None),
        (np.array([5.0]), True, None),
        (np.array([np.nan]), False, None),
    ],
)
def test_spacing_of_levels(values, integer, step):
    found = level_step(np.tile(values.astype(np.float32), (4, 1)), integer=integer)
    assert found == (None if step is None else pytest.approx(step, rel=1e-3))


def test_eight_bits_in_a_sixteen_bit_file_are_smoothed(tmp_path):
    true, _ = scene(200, 300)
    path = tmp_path / "d.png"
    path.write_bytes(files.encode(".png", (np.rint(true) * 257).astype(np.uint16)))
    depth, said = estimate(path, photo(300, 200))
    assert "steps" in said
    assert np.sqrt(np.mean((depth.values / 257 - true) ** 2)) < 0.4 * np.sqrt(np.mean((np.rint(true) - true) ** 2))


# ---- files written whole or not at all


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"before")

    def half(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_atomically(path, half)

    def wrong(temporary: Path) -> None:
        raise ValueError("not what was meant")

    with pytest.raises(ValueError, match="not what was meant"):
        write_atomically(path, lambda temporary: temporary.write_bytes(b"x") and None, wrong)
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["out.png"]


def test_the_temporary_name_keeps_the_suffix_and_is_short_enough(tmp_path):
    seen: list[Path] = []

    def write(temporary: Path) -> None:
        seen.append(temporary)
        temporary.write_bytes(b"x")

    for name in ("frame_0001.png", "ü" * 120 + ".exr"):
        write_atomically(tmp_path / name, write)
        assert (tmp_path / name).read_bytes() == b"x"
        assert seen[-1].name.startswith(".") and f".{os.getpid()}.tmp" in seen[-1].name and seen[-1].suffix == Path(name).suffix


def test_shown_escapes_what_breaks_a_line():
    assert files_module.shown(Path("a\nb\x1b[2J é.png")) == "a\\nb\\x1b[2J é.png"
