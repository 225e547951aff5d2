"""A scripted controller for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.scripted_controller import ScriptedController, listening


@pytest.fixture
def controller() -> Iterator[ScriptedController]:
    with listening(ScriptedController()) as scripted:
        yield scripted
