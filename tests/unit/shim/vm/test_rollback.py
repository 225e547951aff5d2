from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.store import Store
from anka_shim.annotations import ATTEMPT
from anka_shim.vm.idempotency_key import KEPT, TAKEN_BACK
from anka_shim.vm.rollback import ABSENT_AFTER, Rollback
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

CLOCK = ManualClock


@asynccontextmanager
async def rolling_back(clock: ManualClock) -> AsyncIterator[tuple[ScriptedApi, Rollback]]:
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(server=api.url), ApiClock(clock), sleep=clock.sleep) as client,
    ):
        store: Store[AnkaInstance] = Store(INSTANCES)
        yield api, Rollback(client, store, sleep=clock.sleep, chance=lambda: 0.0)


def made(api: ScriptedApi, name: str, attempt: str = "") -> None:
    metadata = {"finalizers": ["f"], "annotations": {ATTEMPT: attempt}}
    api.put("ankainstances", name, "anka-ci", spec={"template": "t"}, metadata=metadata)


def is_deleted(api: ScriptedApi, name: str) -> bool:
    return "deletionTimestamp" in api.objects["ankainstances"][("anka-ci", name)]["metadata"]


async def test_what_was_made_is_deleted_once() -> None:
    async with rolling_back(ManualClock()) as (api, rollback):
        made(api, "a")
        rollback.start("anka-ci", ["a"], [])
        await rollback.close(5)
        assert is_deleted(api, "a")
        assert api.count("delete") == 1


async def test_it_goes_on_through_an_outage() -> None:
    clock = ManualClock()
    async with rolling_back(clock) as (api, rollback):
        made(api, "a")
        api.fail("delete", Fault(500), times=12)
        rollback.start("anka-ci", ["a"], [])
        await rollback.close(5)
        assert is_deleted(api, "a")
        assert clock.naps[:4] == [1.0, 2.0, 4.0, 8.0]


async def test_a_creation_that_arrives_late_is_found() -> None:
    clock = ManualClock()
    async with rolling_back(clock) as (api, rollback):

        def arrive() -> None:
            if api.count("delete") == 3:
                made(api, "late")

        api.listeners.append(arrive)
        rollback.start("anka-ci", [], ["late"])
        await rollback.close(5)
        assert is_deleted(api, "late")


async def test_what_never_comes_is_given_up_after_a_while() -> None:
    clock = ManualClock()
    async with rolling_back(clock) as (api, rollback):
        rollback.start("anka-ci", [], ["never"])
        await rollback.close(5)
        assert clock.monotonic() >= ABSENT_AFTER
        assert api.count("delete") < 12


async def test_what_is_left_at_the_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with rolling_back(ManualClock()) as (api, rollback):
        made(api, "a")
        api.fail("delete", Fault(500), times=10_000)
        rollback.start("anka-ci", ["a"], [])
        with caplog.at_level(logging.ERROR):
            await rollback.close(0.05)
        assert "undo a" in caplog.text


@pytest.mark.parametrize(("attempt", "removed"), [("mine", True), (TAKEN_BACK, True), (KEPT, False), ("other", False)])
async def test_of_repeated_requests_only_what_the_attempt_still_owns(attempt: str, removed: bool) -> None:
    async with rolling_back(ManualClock()) as (api, rollback):
        made(api, "a", attempt)
        rollback.start("anka-ci", ["a"], [], attempt="mine")
        await rollback.close(5)
        assert is_deleted(api, "a") is removed
        annotations = api.objects["ankainstances"][("anka-ci", "a")]["metadata"]["annotations"]
        assert annotations[ATTEMPT] == (TAKEN_BACK if removed else attempt)


async def test_a_repeat_that_is_faster_keeps_it() -> None:
    async with rolling_back(ManualClock()) as (api, rollback):
        made(api, "a", "mine")

        def keep() -> None:
            if api.seen[-1].verb == "patch" and api.count("patch") == 1:
                made(api, "a", KEPT)

        api.listeners.append(keep)
        rollback.start("anka-ci", ["a"], [], attempt="mine")
        await rollback.close(5)
        assert not is_deleted(api, "a")
        assert api.count("delete") == 0
