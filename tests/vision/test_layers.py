"""Cuts, levels and sheets on arrays."""

from __future__ import annotations

import numpy as np
import pytest

from addon.vision.fill import fill
from addon.vision.layers import find_cuts, find_levels, give_back, without_specks
from addon.vision.sheets import continue_depth, cut_sheets

H, W = 120, 160
ROWS, COLUMNS = np.mgrid[:H, :W]


def disc(x, y, radius):
    return (COLUMNS - x) ** 2 + (ROWS - y) ** 2 < radius**2


def person_tree_hill():
    """A disc before a disc before a slanted wall."""
    d = (0.1 + 0.05 * COLUMNS / W).astype(np.float32)
    d[disc(90, 60, 40)] = 0.5
    d[disc(70, 60, 20)] = 0.9
    return d


def sheets_of(d, colour=None, most=6, tear=0.02, reach=20, ring=10, sky=None, levels=None):
    colour = np.random.default_rng(0).integers(0, 256, (*d.shape, 3)).astype(np.uint8) if colour is None else colour
    cuts = find_cuts(d, tear, sky)
    levels = find_levels(d, cuts, most, sky) if levels is None else levels
    made, outlines = cut_sheets(
        colour,
        d,
        cuts,
        levels,
        sky=sky is not None,
        reach=reach,
        ring=ring,
        fill=fill,
        progress=lambda share: None,
        then=lambda level, sheet: level,
        meanwhile=list,
    )
    assert [level for _, level in made] == list(range(len(made)))
    sheets = [sheet for sheet, _ in made]
    assert all(a.box == b.box and a.matte is b.matte and a.d is b.d for a, b in zip(outlines, sheets, strict=True))
    return levels, sheets, colour


def whole(sheet, name, ring, shape=(H, W)):
    """An array of a sheet in the frame of the photo and its ring."""
    out = np.zeros((shape[0] + 2 * ring, shape[1] + 2 * ring, *getattr(sheet, name).shape[2:]), getattr(sheet, name).dtype)
    left, top, right, bottom = sheet.box
    out[top + ring : bottom + ring, left + ring : right + ring] = getattr(sheet, name)
    return out


def test_three_things_before_each_other_are_three_levels_and_ten_side_by_side_are_one():
    d = person_tree_hill()
    levels = find_levels(d, find_cuts(d, 0.02), 6)
    assert levels.max() == 2
    assert set(levels[d == np.float32(0.9)]) == {0} and set(levels[d == np.float32(0.5)]) == {1} and set(levels[d < 0.2]) == {2}
    d = np.full((H, W), 0.1, np.float32)
    for i in range(5):
        for j in range(2):
            d[disc(16 + 32 * i, 30 + 60 * j, 10)] = 0.3 + 0.06 * (i + 5 * j)
    levels = find_levels(d, find_cuts(d, 0.02), 6)
    assert levels.max() == 1 and np.array_equal(levels == 0, d > 0.2)


def test_both_sides_of_every_cut_have_levels_of_their_own_where_things_stand_on_a_floor():
    d = np.linspace(0.1, 0.9, H, dtype=np.float32)[:, None].repeat(W, 1)  # a floor that comes nearer
    standing = (np.abs(COLUMNS - 80) < 25) & (ROWS > 20) & (ROWS < 90)
    d[standing] = d[89, 0]  # open at its foot: there it meets the floor
    cuts = find_cuts(d, 0.02)
    levels = find_levels(d, cuts, 6)
    for cut, rise in ((cuts.across, np.diff(levels, axis=1)), (cuts.down, np.diff(levels, axis=0))):
        parted = (rise * cut < 0)[cut != 0]
        assert len(parted) > 20 and parted.mean() > 0.97
    assert levels.max() == 1  # and that with two layers


def test_no_more_levels_than_asked_for_and_those_that_part_most():
    d = person_tree_hill()
    levels = find_levels(d, find_cuts(d, 0.02), 2)
    assert levels.max() == 1
    assert set(levels[d < 0.2]) == {1} and set(levels[d == np.float32(0.9)]) == {0}
    assert find_levels(d, find_cuts(d, 0.02), 1).max() == 0


def test_a_slope_and_single_pixels_are_not_cut():
    d = (COLUMNS / W).astype(np.float32) * 0.9
    d[60, 80] = 1.0
    cuts = find_cuts(d, 0.02)
    assert not cuts.across.any() and not cuts.down.any()
    assert find_levels(d, cuts, 6).max() == 0


def test_the_sky_is_the_last_level_however_near_in_depth():
    d = np.full((H, W), 0.001, np.float32)
    d[60:] = 0.01
    sky = ROWS < 60
    levels = find_levels(d, find_cuts(d, 0.02, sky), 6, sky)
    assert np.array_equal(levels == levels.max(), sky) and levels.max() == 1


def test_every_pixel_is_covered_by_its_own_sheet_and_the_background_goes_on_behind():
    d = person_tree_hill()
    ring = 10
    levels, sheets, colour = sheets_of(d, ring=ring)
    for i, sheet in enumerate(sheets):
        matte = whole(sheet, "matte", ring)[ring:-ring, ring:-ring]
        assert (matte[levels == i] == 255).all()
    back = sheets[-1]
    matte, depth = (whole(back, name, ring)[ring:-ring, ring:-ring] for name in ("matte", "d"))
    behind = (levels < 2) & (matte == 255)
    # As far as the reserve behind the outer rim, and past the border on all sides.
    inner = disc(90, 60, 39) & ~disc(90, 60, 25)
    assert behind[inner].mean() > 0.97
    assert (whole(back, "matte", ring)[:, :ring] == 255).all() and (whole(back, "matte", ring)[-ring:] == 255).all()
    # Its depth there is the wall's own slope, not pulled to what stands before it.
    truth = 0.1 + 0.05 * COLUMNS / W
    assert np.abs(depth - truth)[inner & behind].max() < 0.012 and (depth[behind] < d[behind]).all()
    # Where a sheet shows the photo, nothing takes its place.
    cover = whole(back, "cover", ring)[ring:-ring, ring:-ring]
    pure = (levels == 2) & ~disc(90, 60, 42)
    assert not cover[pure].any() and (cover[behind] == 255).all()


def test_behind_a_post_everything_goes_on_to_the_middle_only():
    d = np.where(COLUMNS < 80, np.float32(0.1), np.float32(0.4))
    d[:, 70:90] = 0.9
    levels = np.where(d > 0.8, 0, np.where(COLUMNS < 80, 2, 1)).astype(np.int32)
    _, sheets, _ = sheets_of(d, ring=0, levels=levels)
    nearer, farther = (whole(sheet, "matte", 0) == 255 for sheet in sheets[1:])
    assert nearer[:, 83:].all() and not nearer[:, 69:77].any()
    assert farther[:, :82].all()


def test_the_sky_goes_on_behind_what_is_as_far_in_depth():
    d = np.where(ROWS < 60, np.float32(0), np.float32(0.004))
    sky = ROWS < 60
    _, sheets, _ = sheets_of(d, sky=sky, ring=0)
    assert (whole(sheets[-1], "matte", 0)[60:78] == 255).all()
    assert (whole(sheets[-1], "d", 0)[60:78] == 0).all()


def test_a_strand_in_the_level_of_the_wall_is_given_back_to_its_head():
    d = np.full((H, W), 0.1, np.float32)
    head = disc(80, 60, 40)
    d[head] = 0.8
    strand = (np.abs(ROWS - 60) < 2) & (np.abs(COLUMNS - 55) < 4)
    d[strand] = 0.7
    levels = np.where(head & ~strand, 0, 1).astype(np.int32)
    assert np.array_equal(give_back(levels, d, find_cuts(d, 0.02), 20) == 0, head)
    # A hole through which the wall is seen stays the wall's.
    d[strand] = 0.1
    assert np.array_equal(give_back(levels, d, find_cuts(d, 0.02), 20), levels)


def test_what_the_border_cuts_off_goes_on_as_far_as_it_reaches_in():
    d = np.full((H, W), 0.1, np.float32)
    d[40:80, :6] = 0.8  # a post at the left border
    d[90:, 30:] = 0.8  # a box at the lower right
    ring = 12
    levels, sheets, _ = sheets_of(d, ring=ring)
    front, wall = (whole(sheet, "matte", ring) for sheet in sheets)
    left = front[ring + 45 : ring + 75, :ring]
    assert (left[:, -6:] == 255).all() and not left[:, :-7].any()
    assert (front[-ring:, ring + 40 : -ring] == 255).all() and (front[ring + 95 : -ring, -ring:] == 255).all()
    assert (wall[: ring + 80, :ring] == 255).all()  # no gap where the post ends


def test_colour_behind_never_comes_from_the_front():
    d = np.full((H, W), 0.1, np.float32)
    front = disc(80, 60, 35)
    d[front] = 0.8
    colour = np.full((H, W, 3), (40, 120, 200), np.uint8)
    colour[front] = (255, 0, 0)
    _, sheets, _ = sheets_of(d, colour)
    back = sheets[1]
    shown = back.colour[(back.matte == 255) & (back.cover == 255)]
    off = np.abs(shown.astype(int) - (40, 120, 200)).max(1)
    assert len(shown) > 1000 and off.max() <= 8 and (off > 1).mean() < 0.03  # a rim's mixture is an estimate


def test_a_mixed_rim_is_taken_apart():
    """Half of the front's light and half of the background's: that is what the rim is drawn from again."""
    d = np.full((H, W), 0.1, np.float32)
    d[:, 80:] = 0.8
    colour = np.zeros((H, W, 3), np.uint8)
    colour[:, 80:] = 255
    colour[:, 79] = 188  # half the light
    _, (front, back), _ = sheets_of(d, colour)
    x = 79 - front.box[0]
    middle = slice(60 - front.box[1] - 20, 60 - front.box[1] + 20)
    assert np.abs(front.matte[middle, x].astype(int) - 127).max() < 8
    assert front.colour[middle, x].min() > 250 and back.colour[20:60, 79 - back.box[0]].max() < 40


def test_sheets_meet_at_a_seam_without_a_gap():
    d = np.linspace(0.1, 0.9, H, dtype=np.float32)[:, None].repeat(W, 1)
    d[(np.abs(COLUMNS - 80) < 25) & (ROWS > 20) & (ROWS < 90)] = d[89, 0]
    ring = 10
    levels, sheets, _ = sheets_of(d, ring=ring)
    mattes = np.stack([whole(s, "matte", ring)[ring:-ring, ring:-ring] for s in sheets])
    cuts = find_cuts(d, 0.02)
    seam = np.zeros((H, W), bool)
    seam[:-1] |= (np.diff(levels, axis=0) != 0) & (cuts.down == 0)
    assert seam.sum() > 20 and (mattes[:, seam] == 255).all(0).mean() > 0.95


@pytest.mark.parametrize("known", ["left", "around"])
def test_depth_is_continued(known):
    plane = (0.2 + 0.3 * COLUMNS / W + 0.2 * ROWS / H).astype(np.float32)
    given = np.ones((H, W), bool)
    given[:, 100 if known == "left" else 70 : 160 if known == "left" else 90] = False
    wanted = ~given & (COLUMNS < 110)
    seen = plane.copy()
    seen[~given] = 0.99
    found = continue_depth(seen, given, wanted)
    assert np.array_equal(found[given], plane[given])
    assert np.abs(found - plane)[wanted].max() < 0.05


def test_one_surface_is_one_sheet_and_its_border_is_filled():
    d = np.full((H, W), 0.5, np.float32)
    levels, sheets, colour = sheets_of(d)
    assert levels.max() == 0 and len(sheets) == 1
    assert sheets[0].d is None and sheets[0].box == (-10, -10, W + 10, H + 10) and (sheets[0].matte == 255).all()
    assert not sheets[0].cover[10:-10, 10:-10].any() and (sheets[0].cover[:10] == 255).all()
    assert np.array_equal(sheets[0].colour[10:-10, 10:-10], colour)


def test_a_depth_map_of_noise_does_no_harm():
    d = np.random.default_rng(1).random((H, W), np.float32)
    levels, sheets, _ = sheets_of(d)
    assert 1 <= len(sheets) <= 6 and levels.max() + 1 == len(sheets)


def test_slight_steps_in_a_smooth_surface_become_slopes_and_cuts_and_tangles_stay():
    d = (0.3 + 0.1 * COLUMNS / W).astype(np.float32)
    d[20:23, 30] += 0.05  # too few pixels to be cut
    d[60:90, 40:60] += 0.012  # slight, but long
    d[disc(120, 60, 25)] = 0.9
    rng = np.random.default_rng(3)
    d[:, 70:80] += rng.choice([0, 0.3], (H, 10)).astype(np.float32)  # a tangle
    cuts = find_cuts(d, 0.03)
    even = without_specks(d, cuts, 0.03, 0.01)
    step = np.abs(np.diff(even, axis=1))
    assert np.abs(np.diff(d, axis=1))[:, :62].max() > 0.04 and step[:, :62].max() < 0.01
    near, far = cuts.sides()
    np.testing.assert_array_equal(even[near | far], d[near | far])
    np.testing.assert_array_equal(even[:, 71:79], d[:, 71:79])
    assert np.abs(even - d).max() < 0.05
