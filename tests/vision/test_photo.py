"""Photos of every kind come in upright, in sRGB, at full depth; everything else gets one sentence."""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.errors import InputError, StillscapeError
from addon.vision import icc as icc_module
from addon.vision.exif import field_of_view, parse_exif
from addon.vision.photo import read_photo
from tests.vision import picture_files as files

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
SMOOTH = np.dstack([*np.meshgrid(np.arange(48) * 5, np.arange(32) * 7), np.full((32, 48), 90)]).astype(np.uint8)
P3 = files.rgb_profile(files.DISPLAY_P3, files.SRGB_CURVE)
LOSSLESS_WEBP = (64, 101)  # cv2.IMWRITE_WEBP_QUALITY above 100


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """EXIF orientation by its definition: where the stored row 0 and column 0 belong."""
    out = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    top_left = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}[orientation]
    return out[:: top_left[0], :: top_left[1]]


def read(tmp_path: Path, data: bytes, name: str = "photo", **more):
    path = tmp_path / name
    path.write_bytes(data)
    return read_photo(path, **more)


def complaint(tmp_path: Path, data: bytes, name: str = "photo", **more) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, data, name, **more)
    text = str(caught.value)
    assert text.startswith(str(tmp_path / name)) and text.endswith((".", ")")) and "\n" not in text
    return text


# ---- kinds


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp", ".webp"])
def test_lossless_formats_come_in_as_stored(tmp_path, suffix):
    data = files.encode(suffix, RGB, *(LOSSLESS_WEBP if suffix == ".webp" else ()))
    photo = read(tmp_path, data)
    assert photo.pixels.dtype == np.uint8 and np.array_equal(photo.pixels, RGB)
    assert photo.alpha is None and photo.fov is None and photo.size == (30, 20)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()


def test_jpeg_by_content_whatever_its_name(tmp_path):
    photo = read(tmp_path, files.encode(".jpg", SMOOTH, 1, 95), "photo.png")
    assert photo.size == (48, 32) and abs(photo.pixels.astype(int) - SMOOTH).mean() < 3


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_stay_sixteen(tmp_path, suffix):
    deep = RNG.integers(0, 65536, (12, 16, 3)).astype(np.uint16)
    photo = read(tmp_path, files.encode(suffix, deep))
    assert photo.pixels.dtype == np.uint16 and np.array_equal(photo.pixels, deep)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_becomes_three_equal_channels(tmp_path, dtype):
    gray = RNG.integers(0, np.iinfo(dtype).max, (12, 16)).astype(dtype)
    photo = read(tmp_path, files.encode(".png", gray))
    assert photo.pixels.dtype == dtype and np.array_equal(photo.pixels, np.repeat(gray[:, :, None], 3, 2))


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_with_alpha(tmp_path, bits):
    stored = RNG.integers(0, 2**bits, (9, 10, 2)).astype(f">u{bits // 8}")
    photo = read(tmp_path, files.png_raw(10, 9, bits, 4, b"".join(b"\0" + row.tobytes() for row in stored)))
    assert np.array_equal(photo.pixels[:, :, 1], stored[:, :, 0]) and np.array_equal(photo.alpha, stored[:, :, 1])


def test_one_bit_and_palette(tmp_path):
    rows = b"".join(b"\0" + bytes([0b10101010, 0b11110000]) for _ in range(8))
    assert np.array_equal(read(tmp_path, files.png_raw(16, 8, 1, 0, rows)).pixels[0, :4, 0], [255, 0, 255, 0])
    palette = files.png_chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50]))
    see_through = files.png_chunk(b"tRNS", bytes([0]))
    photo = read(tmp_path, files.png_raw(8, 8, 8, 3, (b"\0" + bytes([0, 1] * 4)) * 8, more=palette))
    assert photo.pixels[0, 0].tolist() == [10, 20, 30] and photo.pixels[0, 1].tolist() == [200, 100, 50] and photo.alpha is None
    photo = read(tmp_path, files.png_raw(8, 8, 8, 3, (b"\0" + bytes([0, 1] * 4)) * 8, more=palette + see_through))
    assert photo.alpha is not None and photo.alpha[0, :2].tolist() == [0, 255]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_keeps_straight_colors(tmp_path, suffix):
    rgba = RNG.integers(1, 256, (12, 16, 4)).astype(np.uint8)
    photo = read(tmp_path, files.encode(suffix, rgba, *(LOSSLESS_WEBP if suffix == ".webp" else ())))
    assert np.array_equal(photo.pixels, rgba[:, :, :3]) and np.array_equal(photo.alpha, rgba[:, :, 3])


@pytest.mark.parametrize("extra", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_alpha_is_straight_whichever_way_it_is_stored(tmp_path, dtype, extra):
    top = np.iinfo(dtype).max
    straight = np.full((12, 16, 4), top * 0.8).astype(dtype)
    straight[:, :, 3] = np.linspace(top * 0.2, top, 16).astype(dtype)
    stored = straight.copy()
    if extra == 1:
        stored[:, :, :3] = np.rint(straight[:, :, :3] * (straight[:, :, 3:] / top))
    photo = read(tmp_path, files.tiff(stored, tags={338: (3, (extra,))}))
    assert np.array_equal(photo.alpha, straight[:, :, 3])
    assert abs(photo.pixels.astype(float) - straight[:, :, :3]).max() <= 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_tiff(tmp_path, dtype, order):
    gray = RNG.integers(0, np.iinfo(dtype).max, (12, 16)).astype(dtype)
    photo = read(tmp_path, files.tiff(gray, order=order, photometric=0))
    assert np.array_equal(photo.pixels[:, :, 0], np.iinfo(dtype).max - gray)


def test_float_pictures_are_linear_and_finite(tmp_path):
    linear = RNG.random((12, 16, 3)).astype(np.float32) * 4
    linear[0, 0], linear[0, 1] = np.nan, np.inf
    for data in (files.encode(".exr", linear), files.tiff(linear)):
        photo = read(tmp_path, data)
        assert photo.pixels.dtype == np.float32 and np.isfinite(photo.pixels).all()
        assert photo.pixels[0, 0, 0] == 0 and photo.pixels[0, 1, 0] == 65504 and np.array_equal(photo.pixels[1:], linear[1:])


@pytest.mark.parametrize("compression", [0, 3])
def test_exr_of_few_channels(tmp_path, compression):
    y = RNG.random((12, 16)).astype(np.float32)
    photo = read(tmp_path, files.exr({"Y": y}, compression=compression))
    assert photo.alpha is None and np.array_equal(photo.pixels, np.repeat(y[:, :, None], 3, 2))
    photo = read(tmp_path, files.exr({"Y": y, "A": np.full_like(y, 0.5)}, compression=compression))
    assert np.allclose(photo.alpha, 0.5) and np.allclose(photo.pixels[:, :, 2], y * 2)
    assert "channels are Z" in complaint(tmp_path, files.exr({"Z": y}))


def test_cmyk_jpeg_without_profile(tmp_path):
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("CMYK", (32, 32), (10, 200, 30, 40)).save(out, "JPEG", quality=95)
    assert abs(read(tmp_path, out.getvalue()).pixels[5, 5].astype(int) - [207, 46, 190]).max() <= 3


@pytest.mark.parametrize("name", ["Überblick 東京.jpg", "two words.jpg", "a\nb.jpg", "'quoted\".jpg"])
def test_any_name(tmp_path, name):
    if os.name == "nt" and set(name) & set('\n"'):
        pytest.skip("not a name on Windows")
    assert read(tmp_path, files.encode(".jpg", SMOOTH), name).size == (48, 32)


def test_a_newline_in_a_name_does_not_break_the_message(tmp_path):
    with pytest.raises(InputError) as caught:
        read_photo(tmp_path / "a\nb.jpg")
    assert "a\\nb.jpg" in str(caught.value) and "\n" not in str(caught.value)


# ---- orientation and field of view


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff8", "tiff16"])
def test_every_orientation_is_applied_once(tmp_path, kind, orientation):
    block = files.exif_block(orientation, order=">" if orientation % 2 else "<")
    source = RGB.astype(np.uint16) * 257 if kind == "tiff16" else RGB
    if kind == "jpeg":
        plain = files.encode(".jpg", SMOOTH)
        data, source = files.jpeg_with(plain, exif=block), read(tmp_path, plain).pixels
    elif kind == "png":
        data = files.png_with(files.encode(".png", RGB), exif=block)
    elif kind == "webp":
        data = files.webp_with(files.encode(".webp", RGB, *LOSSLESS_WEBP), (30, 20), exif=block)
    else:
        data = files.tiff(source, tags={274: (3, (orientation,))})
    photo = read(tmp_path, data)
    assert np.array_equal(photo.pixels, turned(source, orientation))


def test_alpha_turns_with_the_colors(tmp_path):
    rgba = RNG.integers(1, 256, (12, 16, 4)).astype(np.uint8)
    photo = read(tmp_path, files.png_with(files.encode(".png", rgba), exif=files.exif_block(6)))
    assert np.array_equal(photo.alpha, turned(rgba[:, :, 3], 6))


def test_field_of_view_of_a_full_frame_photo_is_the_textbook_one():
    exif = parse_exif(files.exif_block(focal_35mm=50))
    assert field_of_view(exif, (6000, 4000)) == pytest.approx(2 * math.degrees(math.atan(18 / 50)), abs=1e-3)
    # The same camera held upright sees 24 mm across.
    upright = parse_exif(files.exif_block(6, focal_35mm=50))
    assert field_of_view(upright, (4000, 6000)) == pytest.approx(2 * math.degrees(math.atan(12 / 50)), abs=1e-3)


def test_field_of_view_of_a_phone_in_both_directions(tmp_path):
    plain = files.encode(".jpg", SMOOTH)
    wide = read(tmp_path, files.jpeg_with(plain, exif=files.exif_block(1, focal_35mm=26)))
    tall = read(tmp_path, files.jpeg_with(plain, exif=files.exif_block(6, focal_35mm=26)))
    assert wide.size == (48, 32) and tall.size == (32, 48)
    assert math.tan(math.radians(wide.fov / 2)) / math.tan(math.radians(tall.fov / 2)) == pytest.approx(48 / 32)


def test_field_of_view_from_the_focal_plane():
    details = {"focal": 50, "plane_x": (6000, 36), "plane_unit": 4, "pixels_x": 6000, "pixels_y": 4000}
    for orientation, size, half in ((1, (6000, 4000), 18), (1, (1500, 1000), 18), (6, (4000, 6000), 12)):
        fov = field_of_view(parse_exif(files.exif_block(orientation, **details)), size)
        assert fov == pytest.approx(2 * math.degrees(math.atan(half / 50)), abs=0.01)


@pytest.mark.parametrize(
    "details",
    [
        {"focal_35mm": 0},
        {"focal": (0, 0), "plane_x": (100, 1)},
        {"focal": (50, 0), "plane_x": (100, 1)},
        {"focal": (50, 1), "plane_x": (0, 1)},
        {"focal": (50, 1)},
        {"focal": (1, 4000000000), "plane_x": (100, 1)},
        {"focal_35mm": 50, "pixels_x": 6000, "pixels_y": 2000},  # cropped since
        {"focal_35mm": 5000},  # half a degree
    ],
)
def test_implausible_focal_data_are_ignored(details):
    assert field_of_view(parse_exif(files.exif_block(**details)), (6000, 4000)) is None


@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_no_exif_block_breaks_the_parser(noise, place, byte):
    block = bytearray(files.exif_block(6, focal_35mm=26, focal=4.2, plane_x=1000))
    block[place % len(block)] = byte
    for candidate in (bytes(block), b"II*\0" + noise, bytes(block[:place])):
        exif = parse_exif(candidate)
        assert 1 <= exif.orientation <= 8
        fov = field_of_view(exif, (640, 480))
        assert fov is None or 1 <= fov <= 160


# ---- color profiles


def with_profile(kind: str, rgb: np.ndarray, icc: bytes) -> bytes:
    if kind == "png":
        return files.png_with(files.encode(".png", rgb), icc=icc)
    if kind == "webp":
        return files.webp_with(files.encode(".webp", rgb, *LOSSLESS_WEBP), (rgb.shape[1], rgb.shape[0]), icc=icc)
    return files.tiff(rgb, icc=icc)


def srgb_light(code: float) -> float:
    return code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_display_p3_becomes_srgb(tmp_path, kind):
    # sRGB red, as Display P3 writes it (Apple's color-sync calculator): 0.9175, 0.2003, 0.1387
    patch = np.full((10, 10, 3), (234, 51, 35), np.uint8)
    photo = read(tmp_path, with_profile(kind, patch, files.rgb_profile(files.DISPLAY_P3, files.SRGB_CURVE)))
    assert abs(photo.pixels[3, 3].astype(int) - [255, 0, 0]).max() <= 4
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 8, 0).repeat(3, 2)
    photo = read(tmp_path, with_profile(kind, grays, files.rgb_profile(files.DISPLAY_P3, files.SRGB_CURVE)))
    assert np.array_equal(photo.pixels, grays)  # the gray axis is common to both


def test_adobe_rgb_green_is_clipped_into_srgb(tmp_path):
    patch = np.zeros((10, 10, 3), np.uint8)
    patch[:5, :, 1], patch[5:] = 255, (100, 150, 60)
    photo = read(tmp_path, with_profile("png", patch, files.rgb_profile(files.ADOBE_RGB, files.curv(563))))
    assert photo.pixels[0, 0].tolist() == [0, 255, 0]
    assert abs(photo.pixels[9, 9].astype(int) - [66, 151, 48]).max() <= 2  # as littleCMS gives it


def test_adobe_rgb_by_exif_alone(tmp_path):
    """As cameras write it: interoperability index R03 and no profile."""
    interop = struct.pack("<HHHI4sI", 1, 1, 2, 4, b"R03\0", 0)
    details = struct.pack("<HHHIII", 1, 0xA005, 4, 1, 44, 0)
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0) + details + interop
    icc = files.rgb_profile(files.ADOBE_RGB, files.curv(563))
    plain = files.encode(".png", RGB)
    said, profiled = read(tmp_path, files.png_with(plain, exif=block)), read(tmp_path, files.png_with(plain, icc=icc))
    assert abs(said.pixels.astype(int) - profiled.pixels).max() <= 1 and not np.array_equal(said.pixels, RGB)
    both, p3 = read(tmp_path, files.png_with(plain, exif=block, icc=P3)), read(tmp_path, files.png_with(plain, icc=P3))
    assert np.array_equal(both.pixels, p3.pixels)  # a profile counts more


@pytest.mark.parametrize(
    "curve",
    [
        files.curv(563),
        files.curv(*(round(65535 * (i / 1023) ** 1.8) for i in range(1024))),
        files.curv(),
        files.para(0, 2.2),
        files.para(1, 2.2, 1.0, 0.0),
        files.para(2, 2.0, 0.93, 0.02, 0.05),
        files.SRGB_CURVE,
        files.para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0),
    ],
)
@pytest.mark.parametrize("primaries", [files.DISPLAY_P3, files.ADOBE_RGB])
def test_every_kind_of_curve_agrees_with_littlecms(tmp_path, primaries, curve):
    image, cms = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageCms")
    icc = files.rgb_profile(primaries, curve)
    photo = read(tmp_path, with_profile("png", RGB, icc))
    source, target = cms.ImageCmsProfile(io.BytesIO(icc)), cms.createProfile("sRGB")
    expected = cms.profileToProfile(image.fromarray(RGB), source, target, renderingIntent=1)
    assert abs(photo.pixels.astype(int) - np.asarray(expected)).max() <= 1


def test_sixteen_bit_conversion_is_finer_than_eight(tmp_path):
    ramp = np.repeat(np.linspace(0, 65535, 512).astype(np.uint16)[None, :, None], 8, 0).repeat(3, 2)
    photo = read(tmp_path, with_profile("png", ramp, files.rgb_profile(files.ADOBE_RGB, files.para(0, 2.2))))
    x = ramp[0, :, 0] / 65535
    linear = x**2.2
    expected = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 65535
    assert photo.pixels.dtype == np.uint16 and abs(photo.pixels[0, :, 0] - expected).max() <= 4


@pytest.mark.parametrize("curve", [files.SRGB_CURVE, files.curv(*(round(65535 * srgb_light(i / 1023)) for i in range(1024)))])
def test_srgb_profiles_leave_the_pixels_alone(tmp_path, curve):
    assert np.array_equal(read(tmp_path, with_profile("png", RGB, files.rgb_profile(files.SRGB, curve))).pixels, RGB)


def test_a_profile_in_many_jpeg_segments(tmp_path):
    icc = files.rgb_profile(files.DISPLAY_P3, files.SRGB_CURVE)
    plain = files.encode(".jpg", SMOOTH, 1, 95)
    whole = read(tmp_path, files.jpeg_with(plain, icc=icc))
    assert np.array_equal(whole.pixels, read(tmp_path, files.jpeg_with(plain, icc=icc, part=50)).pixels)
    assert not np.array_equal(whole.pixels, read(tmp_path, plain).pixels)


def test_gray_gamma(tmp_path):
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None], 8, 0)
    data = files.png_with(files.encode(".png", gray), icc=files.profile({b"kTRC": files.curv(461)}, b"GRAY"))
    linear = (np.arange(256) / 255) ** (461 / 256)
    expected = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    assert abs(read(tmp_path, data).pixels[0, :, 1] - expected).max() <= 0.6


def test_a_table_profile_needs_pillow(tmp_path, monkeypatch):
    data = with_profile("png", RGB, files.table_profile(b"RGB "))
    if icc_module.pillow_modules() is not None:
        bright = read(tmp_path, with_profile("png", np.full((9, 9, 3), 255, np.uint8), files.table_profile(b"RGB "))).pixels
        assert bright.min() >= 250 and not np.array_equal(read(tmp_path, data).pixels, RGB)
    monkeypatch.setattr(icc_module, "pillow_modules", lambda: None)
    assert "convert the photo to sRGB" in complaint(tmp_path, data)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_turned_once_with_a_profile_and_without(tmp_path, kind, orientation):
    image = pytest.importorskip("PIL.Image")
    ink = np.zeros((16, 32, 4), np.uint8)
    ink[:8, :16] = 255
    exif = image.Exif()
    exif[274] = orientation
    for more in ({}, {"icc_profile": files.table_profile(b"CMYK")}):
        out = io.BytesIO()
        image.merge("CMYK", [image.fromarray(plane) for plane in np.moveaxis(ink, 2, 0)]).save(out, kind, exif=exif, **more)
        photo = read(tmp_path, out.getvalue())
        dark = turned(ink[:, :, 0], orientation) > 0
        assert photo.pixels[dark].max() < 40 and photo.pixels[~dark].min() > 215 and photo.size == dark.shape[::-1]


def test_cmyk_with_a_profile_needs_pillow(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("CMYK", (32, 32), (0, 0, 0, 0)).save(out, "JPEG", icc_profile=files.table_profile(b"CMYK"))
    assert read(tmp_path, out.getvalue()).pixels.min() >= 250
    monkeypatch.setattr(icc_module, "pillow_modules", lambda: None)
    assert "convert the photo to sRGB" in complaint(tmp_path, out.getvalue())


@pytest.mark.parametrize(
    "icc",
    [
        b"not a profile" * 20,
        files.rgb_profile(files.DISPLAY_P3, files.SRGB_CURVE)[:300],
        files.rgb_profile(files.DISPLAY_P3, files.curv(*[0] * 100)),
        files.rgb_profile(((0, 0, 0),) * 3, files.SRGB_CURVE),
        files.rgb_profile(files.DISPLAY_P3, files.para(0, -300.0)),
        files.rgb_profile(files.DISPLAY_P3, files.para(9, 1.0)),
        files.profile({b"kTRC": files.curv(461)}, b"GRAY"),
        files.profile({}),
    ],
)
def test_a_damaged_profile_is_ignored_and_logged(tmp_path, caplog, icc):
    with caplog.at_level(logging.WARNING):
        photo = read(tmp_path, with_profile("png", RGB, icc))
    assert np.array_equal(photo.pixels, RGB) and "profile" in caplog.text


@given(st.integers(0, 600), st.binary(min_size=1, max_size=8))
@settings(deadline=None, max_examples=300)
def test_no_profile_breaks_the_reader(place, noise):
    icc = bytearray(files.rgb_profile(files.DISPLAY_P3, files.curv(*range(0, 65536, 4096))))
    icc[place : place + len(noise)] = noise
    out = icc_module.to_srgb(RGB.copy(), bytes(icc[: max(place, 200)] if place % 3 == 0 else icc), gray=False)
    assert out.shape == RGB.shape and out.dtype == np.uint8


# ---- what cannot be read


RAW_TIFF = {254: (4, (1,)), 330: (4, (8,))}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a" + bytes(50), "GIF"),
        (b"8BPS\0\1" + bytes(50), "Photoshop"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw photo"),
        (b"\0\0\0\x18ftypisom\0\0\0\1isommp42", "video"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(50), "raw photo"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(8) + struct.pack("<HHHIII", 1, 256, 4, 1, 10, 0), "raw photo"),
        (files.tiff(RGB, tags={50706: (1, (1, 4, 0, 0))}), "raw photo"),
        (files.tiff(RGB, tags=RAW_TIFF), "raw photo"),
        (files.tiff(RGB[:, :, 0], photometric=32803), "raw photo"),
        (b"\xff\x0a" + bytes(50), "JPEG XL"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "SVG"),
        ("just some words, also in Ünicode\n".encode() * 300, "text file"),
        (b"", "empty"),
        (bytes(200), "not a picture"),
        (b"\x93NUMPY\1\0" + bytes(100), "--depth"),
        (b"RIFF\x10\0\0\0AVI LIST", "video"),
    ],
)
def test_foreign_files_are_named(tmp_path, data, words):
    assert words in complaint(tmp_path, data)


def test_folders_missing_and_locked_files(tmp_path):
    assert "folder" in message(tmp_path)
    assert "no such file" in message(tmp_path / "missing.jpg")
    assert message(Path("bad\0name.jpg"))
    locked = tmp_path / "locked.jpg"
    locked.write_bytes(files.encode(".jpg", SMOOTH))
    locked.chmod(0)
    if not os.access(locked, os.R_OK):
        assert "permission" in message(locked)
    if os.path.exists("/dev/zero"):
        assert "not a file" in message(Path("/dev/zero"))


def message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_photo(path)
    return str(caught.value)


def test_animations(tmp_path):
    animated = files.png_with(files.encode(".png", RGB), more=files.png_chunk(b"acTL", struct.pack(">II", 3, 0)))
    assert "animated PNG" in complaint(tmp_path, animated)
    still = files.png_with(files.encode(".png", RGB), more=files.png_chunk(b"acTL", struct.pack(">II", 1, 0)))
    assert np.array_equal(read(tmp_path, still).pixels, RGB)
    assert "animated WebP" in complaint(tmp_path, files.webp_with(files.encode(".webp", RGB), (30, 20), flags=2))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff", ".bmp", ".exr"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, -2])
def test_cut_files(tmp_path, suffix, share):
    rgb = RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = files.encode(suffix, rgb.astype(np.float32) / 255 if suffix == ".exr" else rgb)
    cut = data[: int(len(data) * share)] if share > 0 else data[:share]
    assert any(word in complaint(tmp_path, cut) for word in ("cut short", "damaged"))


def test_a_cut_jpeg_with_a_whole_thumbnail_and_one_with_a_trailer(tmp_path):
    plain = files.encode(".jpg", SMOOTH)
    thumbnail = files.jpeg_with(plain, exif=files.exif_block() + plain)
    assert "cut short" in complaint(tmp_path, thumbnail[:-40])
    assert np.array_equal(read(tmp_path, plain + b"motion photo" * 1000).pixels, read(tmp_path, plain).pixels)
    assert np.array_equal(read(tmp_path, plain + plain).pixels, read(tmp_path, plain).pixels)  # MPO


def test_a_progressive_jpeg_is_walked_scan_by_scan(tmp_path):
    data = files.encode(".jpg", SMOOTH, 2, 1)  # cv2.IMWRITE_JPEG_PROGRESSIVE
    assert read(tmp_path, data).size == (48, 32)
    assert "cut short" in complaint(tmp_path, data[:-30])


def test_a_flipped_bit_in_a_png(tmp_path):
    data = bytearray(files.encode(".png", RGB))
    data[len(data) // 2] ^= 4
    assert "damaged" in complaint(tmp_path, bytes(data))


def test_size_limits_hold_before_decoding(tmp_path):
    assert "--max-megapixels" in complaint(tmp_path, files.encode(".png", RGB), max_megapixels=0.0005)
    assert "7x40" in complaint(tmp_path, files.encode(".png", np.zeros((40, 7, 3), np.uint8)))
    assert read(tmp_path, files.encode(".png", np.zeros((8, 8, 3), np.uint8))).size == (8, 8)
    assert "400.0 megapixels" in complaint(tmp_path, files.png_raw(20000, 20000, 8, 2, b"\0"))
    assert "at all" in complaint(tmp_path, files.png_raw(60000, 60000, 8, 2, b"\0"), max_megapixels=10000)
    assert "at all" in complaint(tmp_path, files.png_raw(2**21, 8, 8, 2, b"\0"), max_megapixels=10000)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"photometric": 8}, "Lab"),
        ({"tags": {284: (3, (2,))}}, "planes"),
    ],
)
def test_tiffs_that_would_come_in_wrong(tmp_path, more, word):
    assert word in complaint(tmp_path, files.tiff(RGB.astype(np.uint16), **more))
    assert "numbers" in complaint(tmp_path, files.tiff(RGB.astype(np.int16)))


SEEDS = [
    files.jpeg_with(files.encode(".jpg", SMOOTH), exif=files.exif_block(6, focal_35mm=26), icc=P3),
    files.png_with(files.encode(".png", RGB), exif=files.exif_block(3)),
    files.webp_with(files.encode(".webp", RGB), (30, 20), exif=files.exif_block(5)),
    files.tiff(RGB),
    files.encode(".bmp", RGB),
    files.exr({name: RGB[:, :, i].astype(np.float32) for i, name in enumerate("RGB")}, compression=3),
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6), st.integers(0, 6000))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_breaks_the_reader(tmp_path, seed, changes, keep):
    data = bytearray(seed)
    for place, byte in changes:
        data[place % len(data)] = byte
    path = tmp_path / "broken"
    path.write_bytes(bytes(data[: max(keep, 1)]))
    try:
        photo = read_photo(path, max_megapixels=1)
    except StillscapeError as error:
        assert "\n" not in str(error)
    else:
        assert photo.pixels.ndim == 3 and photo.pixels.shape[2] == 3
