"""Settings: one description, several views."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon import spec as specs
from addon.errors import InputError, UsageError


def test_defaults_are_valid_and_survive_json():
    spec = specs.SceneSpec()
    assert specs.validate(spec) == []
    assert specs.from_mapping(json.loads(spec.to_json())) == spec


def test_every_setting_is_described():
    for _, section in specs.sections():
        for f in fields(section):
            m = specs.meta(f)
            assert m.label and m.help and not m.help.endswith(".")
            assert m.kind in ("float", "int", "bool", "choice", "text", "file", "folder", "size", "pair", "point", "colour")
            assert (m.kind == "choice") == bool(m.choices)
            if m.kind in ("float", "int", "size", "pair", "point", "colour"):
                assert m.minimum is not None and m.maximum is not None


def test_all_errors_are_listed_at_once():
    spec = specs.SceneSpec(
        move=specs.MoveSpec(frames=0, name="fly"),
        render=specs.RenderSpec(size=(0, 5), samples=1.5),
        photo=specs.PhotoSpec(fov=float("nan")),
    )
    errors = specs.validate(spec)
    assert len(errors) == 5
    for name in ("frames", "move", "size", "samples", "fov"):
        assert any(f"--{name}" in e for e in errors)
    with pytest.raises(UsageError):
        specs.check(spec)


def test_near_must_be_nearer():
    assert specs.validate(specs.SceneSpec(depth=specs.DepthSpec(near=3, far=3)))


def test_override():
    spec = specs.override(specs.SceneSpec(), {"move": {"frames": 5}, "render": {}})
    assert spec == replace(specs.SceneSpec(), move=specs.MoveSpec(frames=5))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda x: (
        st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(["move", "frames", "size", "render", "fov", "schema"]), x, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["schema", *dict(specs.sections()), "other"]), json_values, max_size=4))
def test_any_mapping_gives_settings_or_a_sentence(data):
    try:
        specs.check(specs.from_mapping(data))
    except (InputError, UsageError) as error:
        assert str(error).endswith(".")
