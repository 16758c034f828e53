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
