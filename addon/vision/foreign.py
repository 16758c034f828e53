"""What a file is that cannot be read as a picture, so that its sentence can say what to do with it."""

from __future__ import annotations

_PNG = "save it as a PNG or JPEG first"
DEVELOP = "this is a raw photo, develop it first and save it as a 16-bit TIFF or a JPEG"
_MAGIC = (
    (b"GIF8", f"this is a GIF picture, which cannot be read: {_PNG}"),
    (b"8BPS", f"this is a Photoshop document, which cannot be read: {_PNG}"),
    (b"%PDF", "this is a PDF document, not a photo: save the page or picture in it as a PNG first"),
    (b"%!PS", "this is a PostScript document, not a photo: save it as a PNG first"),
    (b"\xff\x0a", f"this is a JPEG XL picture, which cannot be read: {_PNG}"),
    (b"\0\0\0\x0cJXL ", f"this is a JPEG XL picture, which cannot be read: {_PNG}"),
    (b"\0\0\0\x0cjP  ", f"this is a JPEG 2000 picture, which cannot be read: {_PNG}"),
    (b"\xff\x4f\xff\x51", f"this is a JPEG 2000 picture, which cannot be read: {_PNG}"),
    (b"#?RADIANCE", "this is a Radiance HDR picture, which cannot be read: save it as an OpenEXR file first"),
    (b"#?RGBE", "this is a Radiance HDR picture, which cannot be read: save it as an OpenEXR file first"),
    (b"FUJIFILMCCD-RAW", DEVELOP),
    (b"IIRO", DEVELOP),
    (b"IIRS", DEVELOP),
    (b"MMOR", DEVELOP),
    (b"IIU\0", DEVELOP),
    (b"FOVb", DEVELOP),
    (b"\0MRM", DEVELOP),
    (b"DDS ", f"this is a DDS texture, which cannot be read: {_PNG}"),
    (b"BLENDER", "this is a Blender file, not a photo: choose a photo"),
    (b"PK\x03\x04", "this is a ZIP archive, not a photo: unpack it first"),
    (b"\x1aE\xdf\xa3", "this is a video, not a photo: save one frame of it as a PNG"),
    (b"\x93NUMPY", "this is a NumPy array, not a photo: choose a photo, or hand it over as a depth map with --depth"),
)


def foreign(data: bytes) -> str:
    """Say what a file that starts with `data` is and what to do with it, without the full stop."""
    for magic, sentence in _MAGIC:
        if data.startswith(magic):
            return sentence
    if data[4:8] == b"ftyp":
        return _movie_like(data)
    if data[:4] == b"RIFF":
        return "this is a sound or video file, not a photo: save one frame of it as a PNG"
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"<svg" in start:
        return "this is an SVG drawing, not a photo: export it as a PNG first"
    if _is_text(data[:4096]):
        return "this is a text file, not a photo: choose a JPEG, PNG, WebP, TIFF, BMP or OpenEXR file"
    return "this is not a picture of a known kind: choose a JPEG, PNG, WebP, TIFF, BMP or OpenEXR file"


def _movie_like(data: bytes) -> str:
    brands = data[8:64]
    if b"crx " in brands:
        return DEVELOP
    if b"avif" in brands or b"avis" in brands:
        return f"this is an AVIF picture, which cannot be read: {_PNG}"
    if any(brand in brands for brand in (b"hei", b"hev", b"mif1", b"msf1")):
        return "this is a HEIC picture, which cannot be read: save it as a JPEG or PNG first (phones can be set to take JPEG)"
    return "this is a video, not a photo: save one frame of it as a PNG"


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:  # a character cut at the end does not count
            return False
        text = data[: error.start].decode("utf-8")
    return all(c.isprintable() or c.isspace() for c in text)
