from collections.abc import AsyncIterator

import pytest

from support.operator_rig import Rig
from support.operator_rig import rig as make_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with make_rig() as made:
        yield made
