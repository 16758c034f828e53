"""Cats and dogs to be seen from near: a head with muzzle, eyes and ears, neck, shoulders and forelegs in fur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.modelling import Floats, Mesh, ball, sheet

from . import small
from .kit import Kit
from .small import Bone, Parts, Surface, extent, merged, moved, paint, pillow, pipe, rippled, shifted
from .textures import Colour, Rng, hsv


def _scoop(wide: float, high: float, deep: float, point: float, fold: float = 0.0) -> Mesh:
    """An upright ear's shell from z = 0 to `high`, open towards -y. point: 1 a triangle, less a round tip; fold: how much of its tip hangs
    forwards, 0 to 1."""
    u, v = np.meshgrid(np.linspace(-1, 1, 11), np.linspace(0, 1, 14))
    across = wide * u * (1 - v ** (1 + 2 * (1 - point))) ** point
    y = deep * (1 - u**2) * (1 - 0.8 * v)
    z = v * high
    bent = np.maximum(v - (1 - fold), 0) * high
    return sheet(np.dstack([across, y - 1.1 * bent, z - 1.35 * bent]))


def _coats(kit: Kit) -> tuple[Surface, Surface | None]:
    """The coat, and what bib, muzzle and paws have if they differ."""
    rng = kit.rng
    kind = rng.random()
    tone: Colour = hsv(0.1, 0.05, float(rng.choice([0.06, 0.1, 0.35, 0.5, 0.9])))
    if kind < 0.6:
        tone = hsv(rng.uniform(0.045, 0.11), rng.uniform(0.15, 0.65), rng.uniform(0.2, 0.9))
    coat = kit.surface(
        "fur", tone, metres=rng.uniform(0.12, 0.3), rough=0.9, turned=bool(rng.random() < 0.5), bump=bool(rng.random() < 0.5)
    )
    pale = hsv(0.1, rng.uniform(0, 0.15), rng.uniform(0.75, 0.95)) if rng.random() < 0.8 else hsv(0.08, 0.3, 0.15)
    return coat, kit.surface("fur", pale, metres=0.25, rough=0.9, bump=False) if rng.random() < 0.55 else None


def _halved(mesh: Mesh, mask: NDArray[np.bool_]) -> tuple[Mesh, Mesh]:
    """The faces outside and inside of a mask."""
    v, f = mesh
    return (v, f[~mask]), (v, f[mask])


def _tufts(rng: Rng, mesh: Mesh, many: int, long: float) -> Mesh:
    """Locks of hair that lie on a skin, pointing down and back, only their tips standing off."""
    v, f = mesh
    chosen = f[rng.integers(len(f), size=many)]
    a, b, c = v[chosen[:, 0]], v[chosen[:, 1]], v[chosen[:, 2]]
    n = np.cross(b - a, c - a)
    n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12)
    n *= np.sign((n * ((a + b + c) / 3 - v.mean(0))).sum(1, keepdims=True) + 1e-9)
    down = np.array([0.0, 0.5, -0.9]) + rng.normal(0, 0.35, (many, 3))
    way = down - n * (down * n).sum(1, keepdims=True)
    way = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9) + 0.38 * n
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = long * rng.uniform(0.5, 1.2, many)
    return small.leaves((a + b + c) / 3 - 0.1 * long * n, way, length, length * 0.2, 0.15)


def close_up(kit: Kit, sort: str, pose: str) -> tuple[Parts, Sequence[float], float]:
    """sort: "cat" or "dog"; pose: "lie" or "sit". Its parts, facing -y, set down on z = 0 with the head about over the origin; the head's middle;
    its radius in metres."""
    rng = kit.rng
    cat = sort == "cat"
    r = rng.uniform(0.043, 0.055) if cat else rng.uniform(0.05, 0.1)
    snout = rng.uniform(0.0, 0.12) if cat else rng.uniform(0.15, 1.1)
    slim = rng.uniform(0.85, 1.1)
    bones: list[tuple[Sequence[float], Sequence[float], float, float]] = [
        ((0, 0.32, 0.1), (0, 0.1, 0.1), 0.95, 0.88),
        *(((s * 0.3, -0.25, -0.25), (s * 0.36, -0.35, -0.3), 0.55 * slim, 0.5 * slim) for s in (-1, 1)),
        *(((s * 0.3, -0.55, 0.36), (s * 0.36, -0.5, 0.36), 0.28, 0.28) for s in (-1, 1)),
        ((0, -0.5, 0.15), (0, -0.95 - snout, -0.14 - 0.12 * snout), 0.4, 0.2 if cat else 0.24),
    ]
    if cat:
        bones += [((s * 0.15, -0.8 - snout, -0.36), (s * 0.19, -0.84 - snout, -0.38), 0.25, 0.23) for s in (-1, 1)]
        bones.append(((0, -0.7 - snout, -0.6), (0, -0.74 - snout, -0.6), 0.2, 0.18))
    else:
        end = -0.85 - snout
        bones += [((s * 0.12, -0.5, -0.28), (s * 0.14, end, -0.4), 0.42, 0.27) for s in (-1, 1)]
        bones.append(((0, -0.5, -0.55), (0, end + 0.12, -0.66), 0.34, 0.2))
    yaw, nod, tilt = rng.normal(0, 22), rng.normal(8 if pose == "lie" else 2, 10), rng.normal(0, 9)

    def turned(p: Sequence[float] | Floats) -> Floats:
        """From the head's own axes, in radii, to metres."""
        return moved((np.atleast_2d(np.asarray(p, float)) * r, np.zeros((0, 4), int)), turn=yaw, lean=nod, roll=tilt)[0]

    skull = [Bone(turned(a)[0], turned(b)[0], ra * r, rb * r) for a, b, ra, rb in bones]
    thick = rng.uniform(1.05, 1.35)
    if pose == "lie":
        legs = [((s * 0.8, 0.9, -1.35), (s * rng.uniform(0.4, 0.9), rng.uniform(-1.3, -0.5), -1.95)) for s in (-1, 1)]
        trunk = [((0, 0.25, -0.2), (0, 1.2, -0.95), 0.85, 1.1), ((0, 1.2, -0.95), (rng.normal(0, 0.6), 4.4, -0.85), thick, thick * 1.15)]
        trunk += [((s * 0.75, 4.0, -1.3), (s * 1.3, 3.4, -1.6), 0.75, 0.55) for s in (-1, 1)]
    else:
        deep = -rng.uniform(4.2, 5.4)
        legs = [((s * 0.7, 0.8, -2.0), (s * 0.5, 0.45, deep + 0.4)) for s in (-1, 1)]
        trunk = [((0, 0.2, -0.2), (0, 0.8, -1.3), 0.8, 0.95), ((0, 0.8, -1.5), (0, 2.4, deep + 1.3), thick, thick * 1.25)]
        trunk += [((s * 0.9, 2.2, deep + 1.0), (s * 1.25, 1.2, deep + 0.45), 0.85, 0.5) for s in (-1, 1)]
    body = [Bone(np.multiply(a, r), np.multiply(b, r), ra * r, rb * r) for a, b, ra, rb in trunk]
    for a, b in legs:
        paw = np.add(b, (0, -0.45, -0.02))
        body += [
            Bone(np.multiply(a, r), np.multiply(b, r), 0.52 * r, 0.36 * r),
            Bone(np.multiply(b, r), paw * r, 0.36 * r, 0.4 * r),
        ]
    skin = rippled(merged(skull, 0.09 * r, 44), rng, 0.5 * r, 0.012 * r)
    trunk_skin = rippled(merged(body, 0.16 * r, 52), rng, 0.8 * r, rng.uniform(0.02, 0.06) * r)
    coat, other = _coats(kit)
    parts: Parts = [(skin, coat), (trunk_skin, coat)]
    if other is not None:  # a muzzle, blaze, bib and paws of another colour
        own = moved((skin[0] / r, skin[1]), turn=0)[0] @ np.linalg.inv(turned(np.eye(3)).T / r).T
        middle = own[skin[1]].mean(1)
        blaze = rng.uniform(0.0, 0.35)
        ragged = 0.06 * np.sin(17 * middle[:, 2]) + 0.05 * np.sin(23 * middle[:, 0] + 5 * middle[:, 2])
        mask = (middle[:, 1] < -0.45) & (np.abs(middle[:, 0]) < np.where(middle[:, 2] < -0.12, 0.55, blaze) + ragged)
        a, b = _halved(skin, mask)
        low = trunk_skin[0][trunk_skin[1]].mean(1) / r
        bib = (np.abs(low[:, 0] + 0.08 * np.sin(9 * low[:, 2])) < 0.65) & (low[:, 1] < 1.0) | (low[:, 1] < -0.2)
        c, d = _halved(trunk_skin, bib)
        parts = [(a, coat), (b, other), (c, coat), (d, other)]
    if rng.random() < 0.4:
        parts.append((_tufts(rng, trunk_skin, 4000, rng.uniform(0.22, 0.5) * r), coat))
        parts.append((_tufts(rng, skin, 900, rng.uniform(0.1, 0.2) * r), coat))

    def stuck(mesh: Mesh, look: Surface) -> None:
        parts.append(((turned(mesh[0]), mesh[1]), look))

    black = paint(kit, (0.025, 0.02, 0.02), 0.12)
    iris = (
        hsv(rng.choice([0.13, 0.2, 0.3, 0.55]), rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.85))
        if cat
        else hsv(0.06, 0.7, rng.uniform(0.08, 0.35))
    )
    apart, size = (0.4, 0.185) if cat else (0.4, 0.15)
    for s in (-1, 1):
        eye = np.array([s * apart, -0.73 if cat else -0.74, 0.1])
        ahead = np.array([s * 0.28, -0.95, 0.05])
        ahead /= np.linalg.norm(ahead)
        stuck(ball(eye - 0.02 * ahead, (size * 1.12,) * 3, 14), black)
        stuck(ball(eye + 0.045 * ahead, (size * 0.98,) * 3, 14), paint(kit, iris, 0.06))
        round_ = (0.6, 0.6, 0.85) if cat else (0.7, 0.7, 0.7)
        stuck(ball(eye + (0.045 + size * 0.42) * ahead, np.multiply(round_, size).tolist(), 12), black)
    tip = np.array([0, -1.0 - snout - (0.1 if cat else 0.2), -0.18 - 0.12 * snout])
    nose = black if not cat or rng.random() < 0.3 else paint(kit, hsv(0.99, rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.85)), 0.4)
    stuck(moved(pillow((0.24, 0.14, 0.17) if cat else (0.36, 0.26, 0.27), 2.6, 12), tip), nose)
    low = tip + (0, 0.08 if cat else 0.1, -0.3)
    stuck(pipe([tip + (0, 0.0, -0.08), low], 0.015, 5), black)
    for s in (-1, 1):
        stuck(pipe([low, low + (s * 0.14, 0.02, -0.07), low + (s * 0.3, 0.18 + 0.3 * snout, -0.02)], 0.015, 5), black)
    if not cat and rng.random() < 0.3:
        stuck(moved(pillow((0.26, 0.1, 0.5), 3, 12), low + (0, 0.05, -0.3), lean=-20), paint(kit, (0.85, 0.4, 0.42), 0.3))
    inside = kit.painted(hsv(0.02, rng.uniform(0.15, 0.4), rng.uniform(0.45, 0.85)), rough=0.8)
    upright = cat or rng.random() < 0.4
    if upright:
        wide, high, point = (
            (rng.uniform(0.42, 0.55), rng.uniform(0.8, 1.1), 0.8) if cat else (0.42, rng.uniform(0.8, 1.4), rng.uniform(0.6, 0.9))
        )
        fold = float(rng.choice([0, rng.uniform(0.2, 0.5)])) if not cat else 0.0
        for s in (-1, 1):
            for scale, shift, look in ((1.0, 0.0, coat), (0.8, -0.05, inside)):
                ear = moved(
                    _scoop(wide * scale, high * scale, 0.24, point, fold), (s * 0.56, 0.02 + shift, 0.55), turn=s * 22, roll=s * 20, lean=-4
                )
                stuck(ear, look)
    else:
        long = rng.uniform(1.1, 1.9)
        for s in (-1, 1):
            flap = rippled(pillow((0.2, 0.72, long), 2.4, 18), rng, 0.5, 0.04)
            stuck(moved(flap, (s * 0.98, 0.15, 0.5 - long * 0.42), roll=-s * 10, lean=rng.normal(0, 8)), coat)
    foot = float(extent(parts)[0][2])
    return shifted(parts, (0, 0, -foot)), (0.0, 0.0, -foot), r
