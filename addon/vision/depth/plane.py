"""A ground plane: no network, no guess about the picture, always the same."""

from __future__ import annotations

import math

import numpy as np

from ...spec import DepthSpec, MachineSpec
from ..layered import DepthKind, DepthMap
from ..photo import Photo
from . import Progress

CAMERA_HEIGHT = 1.6  # metres: the eyes of someone standing
HORIZON = 0.45  # from the top: photos of places are mostly taken tilted slightly down, which lifts the horizon above the middle
FOV = 50.0  # degrees across, where EXIF says nothing: a phone's main camera is wider, a portrait lens narrower
FAR = 60.0  # metres: what lies above the horizon, and the end of the floor


class GroundPlane:
    """The floor as a pinhole camera sees it, with a wall at the far end."""

    name = "plane"
    label = "Ground Plane"
    help = "A level floor up to the horizon and a far wall above it; needs nothing and suits streets and landscapes"

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress, machine: MachineSpec | None = None) -> DepthMap:
        """Return metric disparity that rises linearly from the horizon to the bottom edge.

        A camera at height h that looks down by t sees the floor point at v (down from the axis, in focal lengths) where
        z · (v · cos t + sin t) = h, so 1/z = cos t · (v − v_horizon) / h with v_horizon = −tan t: exactly linear.
        """
        progress(0.0, "Laying a ground plane")
        width, height = photo.size
        focal = width / 2 / math.tan(math.radians(photo.fov or FOV) / 2)
        v = (np.arange(height) + 0.5 - height / 2) / focal
        v_horizon = (HORIZON - 0.5) * height / focal
        inverse = np.cos(np.arctan(v_horizon)) * (v - v_horizon) / CAMERA_HEIGHT
        far = settings.far if settings.far is not None else FAR if settings.near is None else max(FAR, settings.near * 2)
        nearest = 1 / settings.near if settings.near is not None else np.inf
        column = np.clip(inverse, 1 / far, nearest).astype(np.float32)
        values = np.repeat(column[:, None], width, 1)
        progress(1.0, "Ground plane laid")
        return DepthMap(values, DepthKind.METRIC_DISPARITY, self.name, horizon=HORIZON, camera_height=CAMERA_HEIGHT)


ESTIMATOR = GroundPlane()
