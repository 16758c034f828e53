"""Eyeballs: where they lie behind the lids, and their surface as a mesh."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .canonical import EYE_CENTRES, EYE_RADIUS, LOWER_LID, UPPER_LID
from .face_fit import FaceFit
from .rigging import Part, SubjectMesh
from .triangulate import Ints

Doubles = NDArray[np.float64]

_WIDEST = np.radians(84)  # from the middle of an eyeball's front to the rim of its mesh
_RINGS, _AROUND = 20, 56
_ROUNDS = 4
_FULL, _BRIM = 0.96, 1.12  # of the ball's outline: beyond what an opening needs a brim; of what it needs: how wide that is


class Eyeball(NamedTuple):
    """centre: (3,) metres in layer axes. radius: metres."""

    centre: Doubles
    radius: float


def eyeball(mesh: SubjectMesh, part: Part) -> Eyeball | None:
    """The eyeball of a mesh at rest, from its vertices (the sphere of least squares, without what lies off it); None if it has none."""
    used = np.unique(mesh.triangles[mesh.part == part])
    if len(used) < 4:
        return None
    points = mesh.position[used].astype(np.float64)
    for _ in range(6):
        middle = points.mean(0)
        local = points - middle
        solved = np.linalg.lstsq(np.hstack([2 * local, np.ones((len(local), 1))]), (local**2).sum(1), rcond=None)[0]
        centre, radius = middle + solved[:3], float(np.sqrt(solved[3] + (solved[:3] ** 2).sum()))
        off = np.abs(np.linalg.norm(points - centre, axis=1) - radius)
        if off.max() < 1e-3 * radius:
            break
        points = points[off <= np.quantile(off, 0.9)]
    return Eyeball(centre, radius)


def front_of(ball: Eyeball, rays: Doubles) -> Doubles:
    """Where rays (tangents N×2) meet an eyeball first: metres along the camera's axis. A ray that misses it: where it is nearest."""
    way = np.column_stack([rays[:, 0], np.ones(len(rays)), rays[:, 1]])
    squared = (way**2).sum(1)
    along = way @ ball.centre
    root = along**2 - squared * (ball.centre @ ball.centre - ball.radius**2)
    return (along - np.sqrt(np.maximum(root, 0))) / squared


def seated(fit: FaceFit, rays: Doubles, lids: Doubles, gap: float, *, left: bool) -> Eyeball:
    """The eyeball behind an opening.

    fit: moved to the relief. rays: tangents N×2 of the opening's edge, lids: its distances, float64 N (NaN where there is none), metres. gap:
    metres that lids stand before it. It lies as in the average face, aside by as much as this opening does, wide enough for it, and as far as its
    front fits the lids on the average.
    """
    table = EYE_CENTRES[1 if left else 0]
    edge = np.concatenate([UPPER_LID, LOWER_LID]) * ((1, 1, 1) if left else (-1, 1, 1))
    known = np.isfinite(lids)
    depth = np.where(known, lids, np.nanmean(lids))
    points = np.column_stack([rays[:, 0] * depth, depth, rays[:, 1] * depth])
    usual = fit.to_layer(edge)
    # Of rings the corners stand opposite each other.
    own, theirs = _extent(points, fit), _extent(usual, fit)
    radius = EYE_RADIUS * fit.scale * float(np.clip(own / max(theirs, 1e-9), 0.8, 1.5))
    centre = fit.to_layer(table[None])[0]
    aside = _middle(points, fit) - _middle(usual, fit)
    centre = centre + aside - fit.rotation[:, 2] * (aside @ fit.rotation[:, 2])
    for _ in range(_ROUNDS):
        ball = Eyeball(centre, radius)
        centre = centre * float(1 + np.mean(lids[known] + gap - front_of(ball, rays)[known]) / centre[1])
    return Eyeball(centre, radius)


def _extent(points: Doubles, fit: FaceFit) -> float:
    return float(np.ptp(points @ fit.rotation[:, 0]))


def _middle(points: Doubles, fit: FaceFit) -> Doubles:
    """The middle of the box around points in the face's own axes."""
    own = points @ fit.rotation
    return fit.rotation @ ((own.min(0) + own.max(0)) / 2)


def ball_mesh(ball: Eyeball, opening: Doubles | None = None) -> tuple[Doubles, Ints]:
    """The part of an eyeball that looks to the camera: points N×3 in layer axes and triangles M×3, counter-clockwise as the camera sees them.

    opening: tangents K×2 of the edge that it must fill. Of a face that is turned the corner of an eye may lie beside the ball: then a brim goes on
    from the ball's outline, square to the camera's view.
    """
    axis = -ball.centre / np.linalg.norm(ball.centre)
    right = np.cross(axis, (0.0, 0.0, 1.0))
    right = -right / np.linalg.norm(right)
    up = np.cross(axis, right)
    up = up if up[2] > 0 else -up
    right = np.cross(up, axis)  # right, up and to the viewer
    # A ray that only touches the ball stands square on its radius: nearer to the rim than that its back would be seen.
    widest = min(_WIDEST, float(np.arccos(ball.radius / np.linalg.norm(ball.centre))) - np.radians(2))
    angle = widest * (np.arange(1, _RINGS + 1) / _RINGS)
    turn = 2 * np.pi * np.arange(_AROUND) / _AROUND
    ring = np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * up
    points = [axis[None], *(np.cos(a) * axis + np.sin(a) * ring for a in angle)]
    if opening is not None:
        way = np.column_stack([opening[:, 0], np.ones(len(opening)), opening[:, 1]])
        beside = np.linalg.norm(np.cross(way, ball.centre), axis=1) / np.linalg.norm(way, axis=1) / ball.radius
        if beside.max() > _FULL * np.sin(widest):
            points += [np.cos(widest) * axis + r * ring for r in np.linspace(np.sin(widest), _BRIM * float(beside.max()), 4)[1:]]
    i = np.arange(_AROUND, dtype=np.int32)
    j = (i + 1) % _AROUND
    triangles = [np.stack([np.zeros_like(i), 1 + i, 1 + j], 1)]
    for k in range(len(points) - 2):
        a, b = 1 + k * _AROUND, 1 + (k + 1) * _AROUND
        triangles += [np.stack([a + i, b + i, b + j], 1), np.stack([a + i, b + j, a + j], 1)]
    return ball.centre + ball.radius * np.concatenate(points), np.concatenate(triangles).astype(np.int32)
