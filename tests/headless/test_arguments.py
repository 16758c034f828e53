"""The command line offers every setting."""

from __future__ import annotations

import argparse
from dataclasses import fields

import pytest

from addon import spec as specs
from headless.arguments import make_parser


@pytest.mark.parametrize("command", ["render", "scene"])
def test_every_setting_is_an_option(command):
    subcommands = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    offered = set(subcommands.choices[command]._option_string_actions)
    wanted = {f"--{specs.flag(f)}" for _, section in specs.sections() for f in fields(section)}
    assert wanted <= offered and len(wanted) > 20


def test_points_and_colors_are_read_and_refused(capsys):
    parser = make_parser()
    given = vars(parser.parse_args(["render", "p.png", "--focus", "0.25,0.75", "--haze-color", "#ff8000"]))
    assert given["focus.at"] == (0.25, 0.75) and given["light.haze_colour"] == pytest.approx((1, 128 / 255, 0), abs=1e-5)
    assert vars(parser.parse_args(["render", "p.png", "--haze-color", "0a0B0c"]))["light.haze_colour"][0] == pytest.approx(
        10 / 255, abs=1e-5
    )
    for wrong in (["--focus", "0.5"], ["--focus", "a,b"], ["--focus", "1,2,3"], ["--haze-color", "blue"], ["--haze-color", "#12345"]):
        with pytest.raises(SystemExit) as stop:
            parser.parse_args(["render", "p.png", *wrong])
        assert stop.value.code == 2 and f"{wrong[0]} {wrong[1]!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "values", [{"focus": {"at": (1.2, 0)}}, {"focus": {"f_stop": 0}}, {"light": {"haze_colour": (1, 2, 0)}}, {"light": {"relight": 2}}]
)
def test_what_is_out_of_range_is_told(values):
    assert len(specs.validate(specs.override(specs.SceneSpec(), values))) == 1
