"""The user's own depth map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ...spec import DepthSpec, MachineSpec
from ..depth_io import DepthInfo, read_depth_file
from ..dequantise import dequantise, level_step
from ..files import shown
from ..gaps import close_gaps
from ..layered import DepthKind, DepthMap
from ..photo import Photo
from ..resample import resample
from . import Progress

_ASPECT = 0.02


class DepthFile:
    """Reads `settings.file`; what its numbers mean is decided by `settings.kind`, see docs/photos.md."""

    name = "file"
    label = "Depth Map"
    help = "A depth map of your own: PNG, TIFF, OpenEXR, NPY or PFM"

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress, machine: MachineSpec | None = None) -> DepthMap:
        """Return the depth map at the photo's size. Raises InputError if it does not suit the photo, UsageError without a file."""
        if not settings.file:
            raise UsageError("The depth source 'file' needs a depth map; name it with --depth.")
        path = Path(settings.file)
        progress(0.0, "Reading the depth map")
        return self.fit(path, *read_depth_file(path), photo, settings, progress)

    def fit(
        self, path: Path, values: NDArray[np.float32], info: DepthInfo, photo: Photo, settings: DepthSpec, progress: Progress
    ) -> DepthMap:
        """`estimate` for numbers (float32 H×W, as `info` says) that were read from `path` already."""
        _check_aspect(path, values.shape, photo.size)
        kind = resolve_kind(values, info, settings.kind)
        metres = kind is DepthKind.METRIC_DEPTH
        progress(0.3, f"The depth map is taken as {'depth in metres' if metres else 'disparity (near is large)'}")
        missing = _missing(values, info, settings) if metres else ~np.isfinite(values)
        # Pixels without a value must neither count as a level nor be joined to one.
        values = np.where(missing, np.float32(np.nan), values) if missing.any() else values
        step = level_step(values, integer=info.integer)
        if step is not None:
            progress(0.4, "Smoothing the steps of the depth map")
            values = dequantise(values, step)
        if metres:
            values = _metres(path, values, info, settings)
        progress(0.8, "Fitting the depth map to the photo")
        fitted = resample(close_gaps(values), photo.size, depth=kind is DepthKind.METRIC_DEPTH)
        progress(1.0, "Depth map read")
        return DepthMap(fitted, kind, self.name)


def resolve_kind(values: NDArray[np.float32], info: DepthInfo, kind: str) -> DepthKind:
    """What the numbers mean: as the user says or, for "auto", disparity unless positive floats exceed 1."""
    if kind == "auto":
        known = values[np.isfinite(values)]
        metres = not info.integer and known.size > 0 and float(known.min()) > 0 and float(known.max()) > 1
        kind = "depth" if metres else "disparity"
    return DepthKind.METRIC_DEPTH if kind == "depth" else DepthKind.AFFINE_DISPARITY


def _is_stretched(info: DepthInfo, settings: DepthSpec) -> bool:
    """Whether an integer map's whole range runs from near to far, rather than counting millimetres."""
    return info.integer and settings.near is not None and settings.far is not None


def _missing(values: NDArray[np.float32], info: DepthInfo, settings: DepthSpec) -> NDArray[np.bool_]:
    """Where a map of depth has no value: nothing is nearer than the camera, except in a stretched range."""
    return np.isnan(values) if _is_stretched(info, settings) else ~(values > 0)


def _metres(path: Path, values: NDArray[np.float32], info: DepthInfo, settings: DepthSpec) -> NDArray[np.float32]:
    """Depth in metres from the numbers of a depth file; NaN stays NaN."""
    if not info.integer:
        return values
    if settings.near is not None and settings.far is not None:
        share = values / np.float32(info.top)
        return np.clip(settings.near + share * (settings.far - settings.near), settings.near, settings.far).astype(np.float32)
    if info.bits <= 8:
        raise InputError(f"{shown(path)}: 8-bit depth says nothing about metres; give --near and --far, or --depth-kind disparity.")
    # Kinect, RealSense and Redwood write millimetres; a full 16-bit counter means that it is beyond their range.
    full = values >= 65535 - 0.5 if info.bits == 16 else np.zeros(values.shape, bool)
    return np.where(full, np.float32(np.inf), values / 1000).astype(np.float32)


def _check_aspect(path: Path, shape: tuple[int, ...], size: tuple[int, int]) -> None:
    height, width = shape[:2]
    if abs((width / height) / (size[0] / size[1]) - 1) > _ASPECT:
        raise InputError(
            f"{shown(path)}: the depth map is {width}x{height}, the photo {size[0]}x{size[1]}: not the same picture; "
            "make the depth map from the upright, uncropped photo."
        )


ESTIMATOR = DepthFile()
