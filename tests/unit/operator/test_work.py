"""How kopf is begun."""

from __future__ import annotations

import asyncio
import getpass

import pytest

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.process.clock import SystemClock
from anka_crds.process.settings import load
from anka_operator.settings import OperatorSettings
from anka_operator.work import Work
from support.scripted_api import ScriptedApi

PATIENCE_SECONDS = 30


async def test_a_user_without_a_name_is_as_good_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of our image."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", nobody)
    clock = SystemClock()
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url), clock) as client:
        work = Work(client, load(OperatorSettings, "anka-operator", []), clock, lambda: None)
        await work.watch()
        run = asyncio.create_task(work.run(lambda: None))
        ready = asyncio.create_task(work.ready.wait())
        done, _ = await asyncio.wait({run, ready}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert ready in done, run.exception() if run.done() else "not ready"
        work.stop.set()
        await asyncio.wait_for(run, PATIENCE_SECONDS)
