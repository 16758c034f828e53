"""What goes on behind tangles that layers cannot part."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from addon.spec import SceneSpec, override
from addon.vision.backing import back_up, find_frayed
from addon.vision.fill import fill
from addon.vision.layering import cut_layers
from addon.vision.layers import find_cuts, find_levels
from addon.vision.mattes import backed
from addon.vision.sheets import cut_sheets

H, W, REACH, TEAR = 120, 160, 13, 0.08
RED, BLUE = (220, 30, 20), (20, 40, 200)


def tangle(strands: int = 260) -> tuple[np.ndarray, np.ndarray]:
    """Depth and colour of red strands at all depths, across each other, before a blue wall."""
    rng = np.random.default_rng(5)
    d, colour = np.full((H, W), 0.05, np.float32), np.full((H, W, 3), BLUE, np.uint8)
    for near in np.sort(rng.uniform(0.2, 0.95, strands)):
        foot, tip = rng.uniform((30, 20), (130, 100)), rng.normal(0, 26, 2)
        ends = tuple(foot.astype(int).tolist()), tuple((foot + tip).astype(int).tolist())
        cv2.line(d, *ends, float(near), 2)
        cv2.line(colour, *ends, RED, 2)
    return d, colour


def parted(d, colour):
    cuts = find_cuts(d, TEAR)
    levels = find_levels(d, cuts, 4)
    made, _ = cut_sheets(
        colour, d, cuts, levels, reach=REACH, ring=0, fill=fill, progress=lambda share: None, then=lambda level, sheet: None, meanwhile=list
    )
    return levels, [sheet for sheet, _ in made]


def bare_steps(d, levels, sheets) -> float:
    """Share of the picture that would stretch: faces of every sheet between depths that are apart, with nothing behind."""
    opened = 0.0
    for level, (sheet, behind) in enumerate(zip(sheets, backed([s.box for s in sheets], [s.matte for s in sheets]))):
        left, top, right, bottom = sheet.box
        depth = d[top:bottom, left:right] if sheet.d is None else sheet.d
        there = (sheet.matte > 0) & (levels[top:bottom, left:right] <= level) & ~behind
        step = np.abs(np.diff(depth, axis=1))
        opened += step[(step > TEAR) & there[:, 1:] & there[:, :-1]].sum() * REACH
    return opened / d.size


def test_a_tangle_is_backed_everywhere():
    d, colour = tangle()
    levels, sheets = parted(d, colour)
    before = bare_steps(d, levels, sheets)
    frayed = find_frayed(d, levels, sheets, TEAR, REACH)
    assert before > 0.005 and frayed is not None
    backing = back_up(colour, d, frayed, REACH, fill)
    assert bare_steps(d, levels, [*sheets, backing]) < 0.1 * before


def test_the_backing_is_as_deep_as_what_is_behind_the_strands_and_has_its_colour():
    d, colour = tangle()
    frayed = find_frayed(d, *parted(d, colour), TEAR, REACH)
    assert frayed is not None
    backing = back_up(colour, d, frayed, REACH, fill)
    left, top, right, bottom = backing.box
    assert backing.d is not None and backing.d.dtype == np.float32
    there, seen = backing.matte > 0, d[top:bottom, left:right]
    assert (backing.d[there] <= seen[there]).all() and backing.d[there].min() >= 0
    behind_strands = there & (seen > 0.6)
    assert behind_strands.sum() > 300 and np.median(backing.d[behind_strands]) < 0.3
    # Between the strands it is the wall that is seen, so that behind them there is more blue than in the photo.
    assert backing.colour[there][:, 2].mean() > colour[top:bottom, left:right][there][:, 2].mean() + 20


def test_where_layers_part_everything_there_is_no_backing():
    d, colour = np.full((H, W), 0.1, np.float32), np.zeros((H, W, 3), np.uint8)
    d[40:80, 50:110] = 0.8
    assert find_frayed(d, *parted(d, colour), TEAR, REACH) is None


@pytest.mark.parametrize("sky", [False, True])
def test_it_is_the_last_layer_and_the_sky_is_one_already(sky):
    d, colour = tangle()
    far = np.zeros((H, W), bool)
    far[:12] = sky
    d[far] = 0
    made = cut_layers(colour, d, far if sky else None, SceneSpec(), lambda share, text: None)
    names = [layer.name.split(" ", 1)[1] for layer in made.layers]
    assert names[-1] == ("Sky" if sky else "Backing") and ("Backing" in names) != sky
    assert [layer.sky for layer in made.layers] == [False] * (len(names) - sky) + [True] * sky
    levels = cv2.imdecode(np.frombuffer(made.files["levels.png"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert ((levels == len(names) - 1) == far).all()


def test_two_layers_are_two():
    d, colour = tangle()
    two = override(SceneSpec(), {"layers": {"mode": "two"}})
    assert len(cut_layers(colour, d, None, two, lambda share, text: None).layers) == 2
