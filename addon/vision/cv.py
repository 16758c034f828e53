"""The one place where OpenCV is imported: late, quiet, and able to read OpenEXR."""

from __future__ import annotations

import os
from functools import lru_cache
from types import ModuleType

from ..errors import UsageError


@lru_cache(maxsize=1)
def cv() -> ModuleType:
    """Return the cv2 module. Raises UsageError if it is not installed.

    OpenCV reads OpenEXR only if the variable is set before its first use, and its log would stand beside our own
    sentence about the same file, so both are settled here.
    """
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    try:
        import cv2
    except ImportError as error:
        raise UsageError(
            f"OpenCV cannot be loaded ({error}); install the Stillscape extension in this Blender, "
            "or for plain Python run: pip install opencv-python-headless==4.11.0.86."
        ) from error
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    return cv2
