"""The description in a MoGe-2 weight file is believed only where it describes such a network. Needs no torch."""

from __future__ import annotations

import copy
import importlib.util
import math

import pytest

from addon.errors import InputError, UsageError
from addon.vision.networks import moge
from addon.vision.networks.moge_config import read_config
from tests.vision.moge_model import ODD, PLAIN


def changed(*path: object, to: object) -> dict:
    """PLAIN with another value at that place."""
    config = copy.deepcopy(PLAIN)
    *inner, last = path
    entry = config
    for key in inner:
        entry = entry[key]
    entry[last] = to
    return config


NONSENSE = [math.nan, math.inf, -1, 0, 2**40, 1.5, "8", True, [], {}]


def refused(config: object) -> str:
    """The one sentence in which a description is refused."""
    with pytest.raises(InputError) as caught:
        read_config(config, "some/model.pt")
    said = str(caught.value)
    assert said.startswith("some/model.pt: ") and "MoGe-2" in said and said.isprintable() and said.endswith(".") and len(said) < 300
    return said


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize(
    "path",
    [
        ("encoder", "dim_out"),
        ("encoder", "intermediate_layers"),
        ("encoder", "intermediate_layers", 1),
        ("encoder", "backbone"),
        ("neck", "dim_in"),
        ("neck", "dim_res_blocks", 0),
        ("neck", "num_res_blocks", 1),
        ("neck", "resamplers", 2),
        ("neck", "resamplers"),
        ("neck", "dim_times_res_block_hidden"),
        ("points_head", "dim_out", 4),
        ("points_head", "dim_out"),
        ("points_head", "res_block_in_norm"),
        ("points_head", "activation"),
        ("points_head",),
        ("scale_head", "dims", 1),
        ("scale_head", "dims"),
        ("num_tokens_range", 1),
        ("num_tokens_range",),
        ("remap_output",),
    ],
    ids=lambda path: ".".join(map(str, path)) if isinstance(path, tuple) else None,
)
def test_a_nonsensical_entry_is_refused(path, value):
    config = changed(*path, to=value)
    if (path, value) == (("neck", "num_res_blocks", 1), 0):
        assert read_config(config, "model.pt").neck.blocks[1] == 0  # a level may do without
    else:
        refused(config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (changed("surprise", to=1), ("unknown", "surprise", "model_config")),
        (changed("neck", "surprise\n\x1b", to=1), ("unknown", "surprise", "neck")),
        ({key: value for key, value in PLAIN.items() if key != "neck"}, ("no entry", "neck")),
        (changed("encoder", "intermediate_layers", to=[5, 5]), ("rising",)),
        (changed("encoder", "intermediate_layers", to=[5, 12]), ("0 to 11",)),
        (changed("num_tokens_range", to=[60, 6]), ("num_tokens_range",)),
        (changed("scale_head", "dims", to=[384, 2]), ("from 384 to 1",)),
        (changed("mask_head", "dim_in", to=[1, 2, 3, 4, 5]), ("mask_head", "fit")),
        (changed("mask_head", "dim_out", to=None), ("mask_head", "end with 1")),
        (changed("neck", "res_block_in_norm", to="group_norm"), ("groups",)),
        ({"encoder": "dinov2_vitl14", "remap_output": "exp"}, ("MoGe-1",)),
        ([], ("no table",)),
        (None, ("no table",)),
        ({1: 2}, ("no table",)),
    ],
    ids=str,
)
def test_it_is_refused_by_what_is_wrong(config, words):
    said = refused(config)
    assert all(word in said for word in words), said


def test_what_upstream_takes_is_read():
    plain = read_config(PLAIN, "model.pt")
    assert (plain.layers, plain.tokens, plain.remap, plain.scale) == ((5, 11), (6, 60), "exp", (384, 24, 16, 1))
    assert plain.neck.outputs == (None,) * 5 and plain.neck.blocks == (0, 1, 1, 1, 0) and plain.points.outputs[-1] == 3
    odd = read_config(ODD, "model.pt")
    assert odd.layers == (9, 10, 11) and odd.scale is None and odd.normal is None and odd.neck.hidden == 2
    # Upstream's defaults.
    less = {key: value for key, value in PLAIN.items() if key not in ("remap_output", "num_tokens_range", "mask_head")}
    less["points_head"] = {key: value for key, value in PLAIN["points_head"].items() if key.startswith("dim") or key == "resamplers"}
    less["points_head"] |= {"dim_res_blocks": [32] * 5, "dim_in": list(PLAIN["points_head"]["dim_in"])}
    config = read_config(less, "model.pt")
    assert (config.remap, config.tokens, config.mask) == ("linear", (1200, 3600), None)
    points = config.points
    assert (points.norm_in, points.norm_hidden, points.activation, points.hidden) == ("layer_norm", "group_norm", "relu", 1)
    assert points.blocks == (1,) * 5


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="this Python has torch")
def test_a_python_without_torch_is_told_of(tmp_path):
    with pytest.raises(UsageError, match="choose one that has the package torch"):
        moge.load(tmp_path / "model.pt", "cpu")
