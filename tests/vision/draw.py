"""A plain rasteriser for tests: triangles from the photo's own camera, nearest in front, each pixel looked up in the photo along `ray`."""

from __future__ import annotations

import cv2
import numpy as np

from addon.vision.geometry import RayMap


def draw(
    position: np.ndarray, ray: np.ndarray, triangles: np.ndarray, rays: RayMap, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which triangle each pixel's middle shows (int32 H×W, -1 for none) and which UV of the photo (float32 H×W×2), which is right in
    perspective: (u·z, v·z, z) goes linearly over a triangle in space."""
    width, height = size
    z = position[:, 1].astype(np.float64)
    places = np.column_stack([
        (position[:, 0] / z / rays.width + rays.u0) * width, (1 - (position[:, 2] / z / rays.height + rays.v0)) * height
    ])  # fmt: skip
    shown = np.full((height, width), -1, np.float32)
    order = np.argsort(-z[triangles].mean(1), kind="stable")  # far first
    corners = np.round((places[triangles] - 0.5) * 256).astype(np.int32)
    fill = cv2.fillConvexPoly
    for i, triangle in zip(order.astype(float).tolist(), corners[order]):
        fill(shown, triangle, i, lineType=8, shift=8)
    which = shown.astype(np.int32)
    uv = np.zeros((height, width, 2), np.float32)
    ys, xs = np.nonzero(which >= 0)
    t = triangles[which[ys, xs]]
    # Where the pixel's ray meets the triangle's plane, as weights of its corners.
    way = np.column_stack(
        [((xs + 0.5) / width - rays.u0) * rays.width, np.ones(len(xs)), (1 - (ys + 0.5) / height - rays.v0) * rays.height]
    )
    matrix = position[t].astype(np.float64).transpose(0, 2, 1)
    weight = np.linalg.solve(matrix + 1e-12 * np.eye(3), way[..., None])[..., 0]
    found = np.einsum("nk,nkc->nc", weight, ray[t].astype(np.float64))
    uv[ys, xs] = found[:, :2] / found[:, 2:]
    return which, uv


def distances(position: np.ndarray, triangles: np.ndarray, which: np.ndarray, rays: RayMap) -> np.ndarray:
    """How far along the camera's axis what `draw` shows is: float64 H×W, infinite for nothing."""
    height, width = which.shape
    out = np.full(which.shape, np.inf)
    ys, xs = np.nonzero(which >= 0)
    corners = position[triangles[which[ys, xs]]].astype(np.float64)
    way = np.column_stack(
        [((xs + 0.5) / width - rays.u0) * rays.width, np.ones(len(xs)), (1 - (ys + 0.5) / height - rays.v0) * rays.height]
    )
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out[ys, xs] = (normal * corners[:, 0]).sum(1) / (normal * way).sum(1)
    return out


def looked_up(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """A picture over the whole photo at UV places H×W×2."""
    h, w = picture.shape[:2]
    return cv2.remap(picture, uv[..., 0] * w - 0.5, (1 - uv[..., 1]) * h - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def turned(position: np.ndarray, which: np.ndarray, pivot: np.ndarray, degrees: float) -> np.ndarray:
    """Positions with the chosen share of each vertex turned about an upright axis through the pivot."""
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    local = position - pivot
    moved = np.column_stack([local[:, 0] * c - local[:, 1] * s, local[:, 0] * s + local[:, 1] * c, local[:, 2]]) + pivot
    return position + which[:, None] * (moved - position)
