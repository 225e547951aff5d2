"""A scripted API, time that does not pass, and clients of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from support.kubeconfigs import Write, self_signed, writer
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
    async with KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep, chance=lambda: 0.5) as connected:
        yield connected


@pytest.fixture(scope="session")
def certificate() -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    return self_signed()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)
