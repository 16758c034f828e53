"""Whether a process is known to have ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from addon.vision.processes import has_ended


@pytest.mark.skipif(os.name != "posix", reason="here nothing tells it")
def test_a_process_has_ended_once_it_has() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not has_ended(process.pid)
    process.communicate()
    assert has_ended(process.pid)


def test_what_cannot_be_told_is_no_end() -> None:
    assert not has_ended(os.getpid()) and not has_ended(0) and not has_ended(-1) and not has_ended(10**30)
