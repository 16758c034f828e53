"""What several tests of the panels share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def registered() -> Iterator[None]:
    """The panels and operators are there; a file whose import has settings of its own has this fixture anew."""
    from addon import ui

    ui.register()
    yield
    ui.unregister()
