"""Layers of people: each person of a photo a level of its own, cut out along a given silhouette, whatever the depth says there.

What stands before a person (a table, a microphone) keeps a level before it, everything else goes behind. Where depth and silhouette
disagree by a few pixels, the silhouette is believed; where depth hardly steps (a chair's seat, a wall that one leans on, a depth map
that does not see the person) it is cut all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cv import cv
from .layers import Cuts, find_cuts, pieces_of
from .refine import Floats, Mask
from .sheets import continue_depth

People = Mapping[str, Mask]
"""Names and silhouettes (bool H×W) of people, nearest first."""

_BAND = 0.006  # of the longer side: how far a silhouette and the edge of the depth may lie apart
_LEAST = 0.0005  # share of the picture: a smaller level of its own is not worth an object
_BEFORE = 0.5  # share of a piece's contact with a person at which it must be nearer to count as before it


class Owned(NamedTuple):
    """levels: int32 H×W, 0 in front. cuts: as they are with people. people: by level, whose it is."""

    levels: NDArray[np.int32]
    cuts: Cuts
    people: dict[int, str]


def owners(people: People, size: tuple[int, int]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Whose each pixel of a grid of `size` (width, height) is: int32 H×W, 0 nobody's, else 1 + the index into the names, which are
    those of whom anything is left. Where two silhouettes overlap, the nearer has it."""
    cv2 = cv()
    whose, names = np.zeros(size[::-1], np.int32), []
    for name, mask in people.items():
        here = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        here &= whose == 0
        if here.any():
            names.append(name)
            whose[here] = len(names)
    return whose, tuple(names)


def settle_depth(d: Floats, whose: NDArray[np.int32], tear: float, sky: Mask | None) -> Floats:
    """Bring the depth's edges to the silhouettes where they miss them by a few pixels.

    d: float32 H×W in [0, 1]; whose: int32 H×W, 0 for nobody; tear: the least difference of d that is cut. A strip along a silhouette
    that a cut parts from all else on its own side (the rim of a person with the wall's depth, or of the wall with the person's) takes
    the depth of its own side. Returns float32 H×W; `d` is not changed.
    """
    cv2 = cv()
    band = max(3, round(_BAND * max(d.shape)))
    cuts = find_cuts(d, tear, sky)
    pieces, area, _ = pieces_of(whose, cuts)
    around = cv2.dilate(_rims(whose).astype(np.uint8), np.ones((2 * band + 1, 2 * band + 1), np.uint8)) > 0
    beside = np.bincount(pieces.ravel(), around.ravel(), minlength=len(area))
    strip = (beside == area)[pieces]
    if not strip.any():
        return d
    out = d.copy()
    for owner in np.unique(whose[strip]):
        here = strip & (whose == owner)
        known = (whose == owner) & ~strip
        if known.any():
            left, top, w, h = cv2.boundingRect(here.astype(np.uint8))
            window = np.s_[max(0, top - 4 * band) : top + h + 4 * band, max(0, left - 4 * band) : left + w + 4 * band]
            if known[window].any():
                found = continue_depth(np.ascontiguousarray(d[window]), known[window], here[window])
                np.copyto(out[window], found, where=here[window])
    return out


def give_levels(
    levels: NDArray[np.int32], d: Floats, cuts: Cuts, whose: NDArray[np.int32], names: tuple[str, ...], tear: float, sky: Mask | None = None
) -> Owned:
    """Number the levels anew, with one for each person.

    levels: int32 H×W of the photo as if nobody were in it, 0 in front. whose, names: see `owners`. tear: the least difference of d that
    stands before or behind. Pieces of the other levels that are nearer than a person where they touch, and what stands before those,
    get levels before the person's; the order among them stays. All of a silhouette becomes a cut; inside it there is none.
    """
    pieces, area, _ = pieces_of(np.where(whose > 0, -whose, levels), cuts)
    # What lies before what: a piece's number and the other's, along all borders between pieces.
    contact = _contacts(pieces, d)
    group = np.zeros(len(area), np.int32)  # 2·person of the people, 2·person − 1 for what stands before each, 0 for the rest
    owner = np.zeros(len(area), np.int32)
    owner[pieces] = whose
    group[owner > 0] = 2 * owner[owner > 0]
    far = _sky_pieces(pieces, sky, len(area))
    depth = np.bincount(pieces.ravel(), d.ravel(), minlength=len(area)) / np.maximum(area, 1)
    for person in range(1, len(names) + 1):
        nearer = depth > d[whose == person].mean() + tear
        before = _before(contact, owner == person, tear) & (group == 0) & ~far
        while before.any():
            group[before] = 2 * person - 1
            # What stands before that, and the rest of a surface over which a seam between two levels runs.
            before = (_before(contact, before, tear) | (_beside(contact, before) & nearer)) & (group == 0) & ~far
    key = np.where(group == 0, 2 * len(names) + 1, group)[pieces] * (int(levels.max()) + 1) + np.where(whose > 0, 0, levels)
    key = _without_crumbs(key, whose, sky)
    found, numbered = np.unique(key, return_inverse=True)
    numbered = numbered.reshape(levels.shape).astype(np.int32)
    people = {int(numbered[whose == i][0]): name for i, name in enumerate(names, 1)}
    return Owned(numbered, _with_silhouettes(cuts, whose, numbered), people)


def _rims(whose: NDArray[np.int32]) -> Mask:
    """The pixels on either side of a silhouette."""
    found = np.zeros(whose.shape, bool)
    across, down = whose[:, 1:] != whose[:, :-1], whose[1:] != whose[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found


class _Contacts(NamedTuple):
    """Borders between pieces, pixel by pixel: the pieces' numbers and how much nearer (in d) the first is."""

    one: NDArray[np.int32]
    other: NDArray[np.int32]
    nearer: Floats


def _contacts(pieces: NDArray[np.int32], d: Floats) -> _Contacts:
    parts = []
    for a, b, da, db in ((pieces[:, :-1], pieces[:, 1:], d[:, :-1], d[:, 1:]), (pieces[:-1], pieces[1:], d[:-1], d[1:])):
        apart = a != b
        one, other, nearer = a[apart], b[apart], da[apart] - db[apart]
        parts += [(one, other, nearer), (other, one, -nearer)]
    return _Contacts(*(np.concatenate([p[i] for p in parts]) for i in range(3)))  # type: ignore[arg-type]


def _before(contact: _Contacts, chosen: NDArray[np.bool_], tear: float) -> NDArray[np.bool_]:
    """The pieces that are nearer than the chosen ones along most of where they touch them."""
    at = chosen[contact.other] & ~chosen[contact.one]
    count = len(chosen)
    touch = np.bincount(contact.one[at], minlength=count)
    nearer = np.bincount(contact.one[at], contact.nearer[at] > tear, minlength=count)
    return (touch > 0) & (nearer > _BEFORE * touch)


def _beside(contact: _Contacts, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pieces that touch the chosen ones."""
    found = np.zeros(len(chosen), bool)
    found[contact.one[chosen[contact.other]]] = True
    return found & ~chosen


def _sky_pieces(pieces: NDArray[np.int32], sky: Mask | None, count: int) -> NDArray[np.bool_]:
    if sky is None:
        return np.zeros(count, bool)
    found = np.zeros(count, bool)
    found[pieces[sky]] = True
    return found


def _without_crumbs(key: NDArray[np.intp], whose: NDArray[np.int32], sky: Mask | None) -> NDArray[np.intp]:
    """Levels of a few pixels that only came about beside a person join the next one behind that is nobody's, else the one before."""
    free = whose == 0
    values, counts = np.unique(key[free], return_counts=True)
    kept = values[counts >= _LEAST * key.size]
    if len(kept) == 0 or len(kept) == len(values):
        return key
    after = np.minimum(np.searchsorted(kept, values), len(kept) - 1)
    if sky is not None and sky.any():  # nothing but the sky may join the sky
        last = np.searchsorted(kept, key[sky].max())
        after = np.where((after >= last) & (values != values[-1]), max(last - 1, 0), after)
    out = key.copy()
    out[free] = kept[after][np.searchsorted(values, key[free])]
    return out


def _with_silhouettes(cuts: Cuts, whose: NDArray[np.int32], levels: NDArray[np.int32]) -> Cuts:
    """The cuts with every silhouette, and without those inside of a person."""
    new = []
    for cut, a, b, la, lb in (
        (cuts.across, whose[:, :-1], whose[:, 1:], levels[:, :-1], levels[:, 1:]),
        (cuts.down, whose[:-1], whose[1:], levels[:-1], levels[1:]),
    ):
        forced = np.sign(la - lb).astype(np.int8)  # +1 where the second is nearer
        new.append(np.where(a != b, forced, np.where(a > 0, np.int8(0), cut)).astype(np.int8))
    return Cuts(*new)
