"""The right amount of a move for a photo: the largest that shows little that the photo does not hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import moves
from ..spec import MOVES, MoveSpec
from .coverage import (
    FACE,
    REST,
    REST_POSE,
    SUBJECT,
    Floats,
    Points,
    Pose,
    Relief,
    Shares,
    Sheet,
    View,
    extremes,
    in_film,
    poses,
    relief,
    rotation_matrix,
    shares,
)
from .cv import cv
from .geometry import RayMap

Measure = Callable[[View, Pose], Shares]

LIMITS = Shares(uncovered=0.001, stretched=0.02, outside=0.04, revealed=0.08, faces_lost=0.05, subject_lost=0.3, photo_lost=0.6)
"""Of the film, with a subject counted twice and faces four times; of what it showed at rest for those that may be lost."""
MOST = 2.0
"""Beyond that no move is proposed, whatever the photo allows: 8 % of the width as parallax, twice what is comfortable to most."""
LITTLE = 0.5
"""An amount below this is hardly a move."""
CROPS = (0.03, 0.06, 0.1)
_SURE = 0.95  # of the limits is what the quick search keeps to: what is rendered may be a little more than what is drawn here
_STRETCHED_SURE = 0.9  # besides, of what may look stretched: an engine's faces stretch a little more than what is drawn here
_EXACT_SURE = 0.98  # the same of frames as they will be, between whose pixels and poses a little more may lie
_EXACT = 1.03  # how much larger an amount that is too large may be than the one that is found
_TRIED = 0.02  # an amount to begin with where the quick search finds none
_FRAMES = 24  # of the film, among which the worst are chosen
_LOOKS = 4, 8
RESERVES = 0.03, 0.3  # what a plan may ask for
_SPARE = 1.25  # times as much as the plan itself takes: the layers may allow more
_PLANNED = 320  # pixels of the longer side of a plan

WHY = {
    "uncovered": "something would be missing",
    "stretched": "too much would be stretched",
    "outside": "too much past the photo's border would be seen",
    "revealed": "too much that the photo hides would be seen",
    "faces_lost": "a face would leave the picture",
    "subject_lost": "too much of the subject would leave the picture",
    "photo_lost": "too much of the photo would leave the picture",
}
"""What is in the way of a larger amount, by the name of its limit."""


class Found(NamedTuple):
    """The largest amount within the limits. limit: which of them ends it, "" if none does before the move itself or MOST ends.

    shares: the worst of each at any frame. advice: a sentence about what to do instead where the amount is small, else "".
    """

    amount: float
    limit: str
    shares: Shares
    advice: str = ""


def limits(flaws: float = 1.0) -> Shares:
    """The limits, those on areas `flaws` times as large."""
    areas = {name: getattr(LIMITS, name) * flaws for name in ("uncovered", "stretched", "outside", "revealed")}
    return LIMITS._replace(**areas)


def worst(found: Iterable[Shares]) -> Shares:
    """The largest of each; none of anything if there are none."""
    return Shares(*(max(values) for values in zip(Shares(), *found)))


def excess(found: Shares, most: Shares) -> tuple[float, str]:
    """How many times its limit the share is that comes closest to it or exceeds it most, and its name."""
    return max((value / max(limit, 1e-9), name) for value, limit, name in zip(found, most, Shares._fields))


def largest(
    measure: Measure, film: View, move: MoveSpec, stage: moves.Stage, most: Shares, sign: float = 1.0, exact: Measure | None = None
) -> Found:
    """The largest amount of `move`, in the direction of `sign`, at which no pose of it exceeds `most`, or comes too near to be sure.

    measure: quick, for the search. exact: slower, has the last word. A move that does not move, whatever its amount, has 1.
    """
    look = _looker(measure, film, move, stage, sign)
    top = _where_it_ends(move, stage, sign)
    if top == 0:
        return Found(1.0, "", Shares())
    amount, above = 0.0, top
    for count in _LOOKS:
        # More the second time, only to make sure that nothing worse lies between.
        upper = top if count == _LOOKS[0] else amount
        amount, over = _bisected(lambda a, n=count: excess(look(a, n), most)[0] / _SURE, upper)
        above = over if over > amount else above
        if amount == 0:
            break
    if exact is not None:
        look = _looker(exact, film, move, stage, sign)
        amount, above = _corrected(look, most, max(amount, _TRIED), top)
    found = look(amount, _LOOKS[-1])
    limit = "" if amount >= top else excess(look(min(above, top), _LOOKS[-1]), most)[1]
    return Found(_short(amount) * (1.0 if sign > 0 else -1.0), limit, found)


def _looker(measure: Measure, film: View, move: MoveSpec, stage: moves.Stage, sign: float) -> Callable[[float, int], Shares]:
    """What is the worst at some poses of the move of an amount; no pose is measured twice."""
    seen: dict[Pose, Shares] = {REST_POSE: Shares()}

    def look(amount: float, count: int) -> Shares:
        shot = planned(move, stage, sign * amount)
        for pose in (chosen := extremes(poses(shot, stage, _FRAMES), count)):
            if pose not in seen:
                seen[pose] = measure(film, pose)
        return worst(seen[pose] for pose in chosen)

    return look


def _corrected(look: Callable[[float, int], Shares], most: Shares, guess: float, top: float) -> tuple[float, float]:
    """As `_bisected`, for a cost that takes long: around a guess that is nearly right."""

    most = most._replace(stretched=_STRETCHED_SURE * most.stretched)

    def cost(amount: float) -> float:
        return excess(look(amount, _LOOKS[0]), most)[0] / _EXACT_SURE

    low, high = 0.0, min(guess, top)
    value = cost(high)
    at_low = 0.0
    while value <= 1 and high < top:
        low, at_low = high, value
        high = min(top, high * min(max(1.05, 1.05 / max(value, 0.1)), 1.6))
        value = cost(high)
    if value > 1:
        low, high = _between(cost, low, high, at_low, value)
    else:
        low = high
    while low > 0 and excess(look(low, _LOOKS[-1]), most)[0] > _EXACT_SURE:  # something worse lies between
        low, high = (0.97 * low, low) if low > 1e-3 else (0.0, low)
    return low, high


def planned(move: MoveSpec, stage: moves.Stage, amount: float) -> moves.Shot:
    """The shot of a move of this amount."""
    return moves.plan(replace(move, amount=amount), stage)


def _short(amount: float) -> float:
    """Rounded down to two digits that count, or it would look more exact than it is."""
    step = 0.01 if amount >= 0.1 else 0.001
    return round(np.floor(amount / step + 1e-9) * step, 4)


def _where_it_ends(move: MoveSpec, stage: moves.Stage, sign: float) -> float:
    """The amount from which on a larger one makes no difference, at most MOST; 0 if none makes any."""

    def same(a: float, b: float) -> bool:
        one, other = (
            np.array([(*p.place, *p.rotation, p.zoom, *p.offset) for p in poses(planned(move, stage, sign * x), stage, _FRAMES)])
            for x in (a, b)
        )
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))

    if same(MOST, MOST / 2) and same(MOST, 0.0):
        return 0.0
    low, high = 0.0, MOST
    if not same(MOST, MOST * 0.99):
        return MOST
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if same(middle, MOST) else (middle, high)
    return high


def _bisected(cost: Callable[[float], float], top: float) -> tuple[float, float]:
    """The largest amount up to `top` whose cost is 1 or less, and the least that was too much. The cost rises with the amount."""
    value = cost(top)
    if value <= 1:
        return top, top
    return _between(cost, 0.0, top, 0.0, value)


def _between(cost: Callable[[float], float], low: float, high: float, at_low: float, at_high: float) -> tuple[float, float]:
    """The same between an amount that is not too much and one that is; their costs are `at_low` and `at_high`."""
    last = 0
    for _ in range(24):
        if high <= low * _EXACT or high < 1e-3:
            break
        # Areas grow about as the amount does, so that the secant is nearly there (Illinois' rule).
        guess = low + (high - low) * (1 - at_low) / (at_high - at_low)
        edge = 0.01 * (high - low) if low > 0 else 0.0
        guess = min(max(guess, low + edge, low * 1.01), high - edge, high * 0.99)
        value = cost(guess)
        if value <= 1:
            low, at_low = guess, value
            at_high = 1 + (at_high - 1) / 2 if last == 1 else at_high
            last = 1
        else:
            high, at_high = guess, value
            at_low = 1 - (1 - at_low) / 2 if last == 2 else at_low
            last = 2
    return low, high


def told(found: Found) -> str:
    """What was found, in one sentence or two."""
    if found.limit:
        text = f"Amount {found.amount:g}: with more, {WHY[found.limit]}."
    elif abs(found.amount) >= MOST:
        text = f"Amount {found.amount:g}, the most that is ever proposed."
    else:
        text = f"Amount {found.amount:g}: more makes no difference to this move."
    return f"{text} {found.advice}".strip()


# Advice ------------------------------------------------------------------------------------------------------------------


def advice(
    found: Found, measure: Measure, film_of: Callable[[float], View], crop: float, move: MoveSpec, stage: moves.Stage, most: Shares
) -> str:
    """What to do instead of a move that the photo hardly allows: one sentence, "" if it allows enough.

    film_of: the film with so much cropped in; crop: how much is now.
    """
    if abs(found.amount) >= LITTLE or not found.limit or not _sideways(planned(move, stage, found.amount or 0.1), stage):
        return ""
    offers = []
    if found.limit == "outside":
        for more in CROPS:
            if crop + more > 0.4:
                break
            better = largest(measure, film_of(crop + more), move, stage, most, 1.0 if found.amount >= 0 else -1.0)
            if (
                abs(better.amount) >= max(LITTLE, 1.3 * abs(found.amount))
                or more == CROPS[-1]
                and abs(better.amount) > 1.3 * abs(found.amount)
            ):
                offers.append(f"set Crop In to {crop + more:g} (--crop {crop + more:g}), which allows {better.amount:g}")
                break
    names = [name for name, *_ in MOVES]
    if "push-in" in names and move.name != "push-in":
        inwards = largest(measure, film_of(crop), replace(move, name="push-in"), stage, most)
        if inwards.amount >= LITTLE:
            offers.append(f"take Push In (--move push-in), which allows {inwards.amount:g}")
    label = next((label for name, label, _ in MOVES if name == move.name), move.name)
    what = " or ".join(offers) or "keep to a still"
    return f"This photo allows no more than {found.amount:g} of {label}, or {WHY[found.limit]}: {what}."


def _sideways(shot: moves.Shot, stage: moves.Stage) -> bool:
    """Whether a shot goes sideways, or turns, more than it goes in or out."""
    ends = poses(shot, stage, _FRAMES)
    aside = max((np.hypot(p.place[0], p.place[1]) / stage.focus + np.radians(np.abs(p.rotation).max())) for p in ends)
    along = max(abs(p.place[2]) / stage.focus + abs(np.log(p.zoom)) for p in ends)
    return bool(aside > along)


# Before there are layers -------------------------------------------------------------------------------------------------


def sampled(tx: NDArray, ty: NDArray, q: NDArray, kinds: NDArray[np.uint8], most: int = 64) -> Points:
    """Points of a map of 1/z (R×C; tx: C to the right, ty: R up, tangents) that is as large as `kinds`, about `most` a side."""
    rows, columns = (np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)) for n in q.shape)
    at = np.ix_(rows, columns)
    x, y = np.meshgrid(tx[columns], ty[rows])
    return Points(x.ravel().astype(np.float32), y.ravel().astype(np.float32), q[at].ravel().astype(np.float32), kinds[at].ravel())


class Planned(NamedTuple):
    """An amount before there are layers, and the reserve in shares of the width that they need for it."""

    amount: float
    reserve: float


class Depths(NamedTuple):
    """A photo whose layers are still to be made.

    d: float32 H×W in [0, 1], between near and far metres. kinds: REST, SUBJECT or FACE over the photo. rays: its camera.
    tear: the least difference of d at which layers are cut; None for a photo in one sheet. margin: in shares of the longer side.
    """

    d: NDArray[np.float32]
    near: float
    far: float
    kinds: NDArray[np.uint8]
    rays: RayMap
    tear: float | None
    margin: float


def plan_ahead(photo: Depths, film: View, move: MoveSpec, stage: moves.Stage) -> Planned:
    """The amount that the layers of a photo will allow, more or less, and the reserve that it takes.

    Of the depth alone: what opens at its cuts counts as revealed.
    """
    sheet, q, cut = _one_sheet(photo)
    h, w = q.shape
    tx, ty = photo.rays.uv_to_ray((np.arange(w) + 0.5) / w, 1 - (np.arange(h) + 0.5) / h)
    kinds = cv().resize(photo.kinds, (w, h), interpolation=cv().INTER_NEAREST)
    scene = relief([sheet], sampled(tx, ty, q, kinds), photo.kinds, photo.rays)
    amount = largest(_opened_since_rest(scene), film._replace(pixel=0.0), move, stage, limits(move.flaws)).amount
    shot = planned(move, stage, amount)
    ends = extremes(poses(shot, stage, _FRAMES))
    open_ = max((_opening(sheet, cut, pose) for pose in ends), default=0.0)
    past = max((_past(scene.points, film, pose) for pose in ends), default=0.0)
    needed = max(open_, past) / photo.rays.width
    return Planned(amount, round(min(max(_SPARE * needed, RESERVES[0]), RESERVES[1]), 3))


def _one_sheet(photo: Depths) -> tuple[Sheet, NDArray[np.float32], NDArray[np.bool_]]:
    """The photo as a sheet of at most _PLANNED pixels a side with its margin, 1/z without the margin, and where faces are cut."""
    height, width = photo.d.shape
    scale = min(1.0, _PLANNED / max(width, height))
    w, h = max(2, round(width * scale)), max(2, round(height * scale))
    d = cv().resize(photo.d, (w, h), interpolation=cv().INTER_NEAREST)
    q = (d * np.float32(1 / photo.near - 1 / photo.far) + np.float32(1 / photo.far)).astype(np.float32)
    ring = math.ceil(photo.margin * max(w, h))
    padded = np.pad(q, ring, mode="edge")
    u = (np.arange(-ring, w + ring) + 0.5) / w
    v = 1 - (np.arange(-ring, h + ring) + 0.5) / h
    tx, ty = photo.rays.uv_to_ray(u, v)
    corners = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    jump = np.ptp(corners, axis=0)
    least = math.inf if photo.tear is None else photo.tear * (1 / photo.near - 1 / photo.far)
    cut = jump > least
    backed = np.zeros(padded.shape, bool)
    for rows in (slice(1, None), slice(None, -1)):
        for columns in (slice(1, None), slice(None, -1)):
            backed[rows, columns] |= cut
    sheet = Sheet(
        tx.astype(np.float32),
        ty.astype(np.float32),
        u.astype(np.float32),
        v.astype(np.float32),
        padded,
        backed,
        np.ones(cut.shape, bool),
        cut.astype(np.float32),
        tear=0.0 if cut.any() else math.inf,
    )
    return sheet, q, cut


def _opening(sheet: Sheet, cut: NDArray[np.bool_], pose: Pose) -> float:
    """How far the two sides of the cuts come apart, in tangents of the photo; the widest hundredth is left out."""
    y, x = np.nonzero(cut)
    if not len(y):
        return 0.0
    corners = np.stack([sheet.q[y + i, x + j] for i in (0, 1) for j in (0, 1)])
    right, up, forward = pose.place

    def moved(q: Floats) -> tuple[Floats, Floats]:
        share = np.maximum(1 - forward * q, 0.02)
        return (sheet.tx[x] - right * q) / share, (sheet.ty[y] - up * q) / share

    (ax, ay), (bx, by) = moved(corners.min(0)), moved(corners.max(0))
    back = np.maximum(1 - forward * corners.min(0), 0.02)  # what the layer behind needs is counted where it lies
    return float(np.quantile(np.hypot(ax - bx, ay - by) * back, 0.99))


def _past(points: Points, film: View, pose: Pose) -> float:
    """How far past the photo's border the film looks, in tangents of the photo."""
    right, up, forward = pose.place
    share = np.maximum(1 - forward * points.q, 0.02)
    turn = rotation_matrix(pose.rotation)
    x, y, axis = in_film((points.tx - right * points.q) / share, (points.ty - up * points.q) / share, film, pose, turn)
    pixel = film.framing.tan_width * pose.zoom / film.size[0]
    found = 0.0
    for at, line, size in ((points.tx, x, film.size[0]), (-points.ty, y, film.size[1])):
        for border, inside in ((at <= at.min(), line), (at >= at.max(), size - line)):
            seen = border & (axis > 0.05)
            if seen.any():
                found = max(found, float(np.max(np.clip(inside, 0, size)[seen] * pixel * share[seen])))
    return found


def looked_at(scene: Relief) -> Measure:
    """The measure of a scene that is built."""
    return lambda film, pose: shares(scene, film, pose)


def _opened_since_rest(scene: Relief) -> Measure:
    """What a pose shows that the same drawing does not show at rest."""
    rest: dict[View, Shares] = {}

    def measure(film: View, pose: Pose) -> Shares:
        if film not in rest:
            rest[film] = shares(scene, film, REST_POSE)
        return Shares(*(max(0.0, now - then) for now, then in zip(shares(scene, film, pose), rest[film])))

    return measure


__all__ = [
    "FACE", "LIMITS", "LITTLE", "MOST", "REST", "SUBJECT", "WHY", "Depths", "Found", "Measure", "Planned", "advice", "excess", "largest", "limits",
    "looked_at", "plan_ahead", "planned", "sampled", "told", "worst",
]  # fmt: skip
