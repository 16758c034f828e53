"""What a photo's EXIF block says about how it was held and how wide its lens saw."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from .ifd import Directory, directory, tiff_frame

log = logging.getLogger(__name__)

FULL_FRAME_DIAGONAL = math.hypot(36, 24)  # millimetres, 43.27
_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_FOCAL_LENGTH, _FOCAL_35MM = 0x920A, 0xA405
_PIXELS_X, _PIXELS_Y = 0xA002, 0xA003
_PLANE_X, _PLANE_UNIT = 0xA20E, 0xA210
_COLOR_SPACE, _SRGB = 0xA001, 1
_INTEROP_IFD, _INTEROP_INDEX = 0xA005, 0x0001
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


@dataclass(frozen=True)
class Exif:
    """The tags that matter here, None where absent or implausible.

    orientation: 1 to 8 as EXIF numbers them. focal_35mm, focal: millimetres. pixels: (width, height) as recorded, before
    the orientation. plane_resolution: sensor pixels per millimetre along the recorded width. adobe_rgb: the colours are
    Adobe RGB (1998), which cameras say in this way instead of with a profile (DCF 2.0, "R03").
    """

    orientation: int = 1
    focal_35mm: float | None = None
    focal: float | None = None
    pixels: tuple[float, float] | None = None
    plane_resolution: float | None = None
    adobe_rgb: bool = False


def parse_exif(block: bytes) -> Exif:
    """Read an EXIF block (a TIFF structure, without the "Exif" prefix). Whatever cannot be read is left at its default."""
    frame = tiff_frame(block)
    main = directory(block, frame, frame.first) if frame else None
    if frame is None or main is None:
        if block:
            log.warning("The photo's EXIF data are damaged and were ignored.")
        return Exif()
    at = main.number(_EXIF_IFD)
    details = directory(block, frame, int(at)) if at else None
    details = details or Directory(frame.order, {})
    at = details.number(_INTEROP_IFD)
    interop = directory(block, frame, int(at)) if at else None
    # Editors that convert to sRGB change the color space and often forget the index.
    adobe_rgb = interop is not None and interop.raw(_INTEROP_INDEX).startswith(b"R03") and details.number(_COLOR_SPACE) != _SRGB
    return _gather(main, details, adobe_rgb)


def _gather(main: Directory, details: Directory, adobe_rgb: bool) -> Exif:
    orientation = int(main.number(_ORIENTATION) or 1)
    resolution = _within(details.number(_PLANE_X), 1e-6, 1e9)
    unit = _UNIT_MM.get(int(details.number(_PLANE_UNIT) or 2))
    x, y = _within(details.number(_PIXELS_X), 1, 1e7), _within(details.number(_PIXELS_Y), 1, 1e7)
    return Exif(
        orientation if 1 <= orientation <= 8 else 1,
        _within(details.number(_FOCAL_35MM), 1, 10_000),
        _within(details.number(_FOCAL_LENGTH), 0.1, 10_000),
        (x, y) if x and y else None,
        resolution / unit if resolution and unit else None,
        adobe_rgb,
    )


def _within(value: float | None, low: float, high: float) -> float | None:
    return value if value is not None and low <= value <= high else None


def field_of_view(exif: Exif, size: tuple[int, int]) -> float | None:
    """Horizontal field of view in degrees of the upright picture of `size` (width, height); None if unknown.

    The 35 mm equivalent focal length comes first. CIPA DCG-001 defines it through the diagonal: the lens sees as much
    across the photo's diagonal as a lens of that focal length across 43.27 mm. So the focal length in pixels is
    f35 · diagonal / 43.27 whatever the aspect, and a portrait photo is narrower than the same photo in landscape.
    Otherwise focal length and focal-plane resolution give it. A photo whose aspect is not the recorded one was cropped
    after it was taken: how much of the view is left is not known. What lies outside 1 to 160 degrees is not believed.
    """
    width, height = size
    stored = (height, width) if exif.orientation >= 5 else size
    if exif.pixels is not None:
        recorded = max(exif.pixels) / min(exif.pixels)
        if abs(recorded / (max(size) / min(size)) - 1) > 0.02:
            return None
    if exif.focal_35mm is not None:
        focal = exif.focal_35mm * math.hypot(width, height) / FULL_FRAME_DIAGONAL
    elif exif.focal is not None and exif.plane_resolution is not None:
        # The resolution counts pixels of the recorded picture; a copy at another size has others.
        scale = max(stored) / max(exif.pixels) if exif.pixels else 1.0
        focal = exif.focal * exif.plane_resolution * scale
    else:
        return None
    fov = math.degrees(2 * math.atan(width / 2 / focal))
    return fov if 1 <= fov <= 160 else None
