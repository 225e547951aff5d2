from collections.abc import AsyncIterator

import pytest

from anka_operator.registry_view import view
from support.operator_rig import Rig
from support.operator_rig import rig as make_rig


@pytest.fixture(autouse=True)
def patient_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no registry that does not answer."""
    monkeypatch.setattr(view, "CONFIRM_SECONDS", 60.0)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with make_rig() as made:
        yield made
