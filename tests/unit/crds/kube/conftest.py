"""A scripted API, time that does not pass, and clients of both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from support.manual_clock import ManualClock
from support.scripted_api import ScriptedApi


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(api: ScriptedApi, clock: ManualClock) -> AsyncIterator[KubeClient]:
    async with KubeClient(Endpoint(api.url), clock, sleep=clock.sleep, chance=lambda: 0.5) as connected:
        yield connected
