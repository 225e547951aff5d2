"""Repeats of a request at two replicas over one API that fails at random: never two VMs, never a lost one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.process.clock import SystemClock
from anka_shim.cloud.caches import Stores, Watches
from anka_shim.cloud.instance_views import InstanceViews
from anka_shim.cloud.instances import InstanceCommands
from anka_shim.cloud.once import Slots
from anka_shim.cloud.slots import WriteSlots
from anka_shim.cloud.undo import Undo
from anka_shim.translate.failure import Failure
from anka_shim.translate.once import ATTEMPT, KEPT, TAKEN_BACK, Once
from support.scripted_api import Fault, ScriptedApi
from support.shim_rig import STREAMS

SPEC = AnkaInstanceSpec(template="t")
FAULTS = [Fault(500), Fault(503, retry_after=1), Fault(500, drop=True), Fault(422, reason="Invalid"), Fault(409)]


async def quick(seconds: float) -> None:
    """A thousand times faster than time."""
    await asyncio.sleep(seconds / 1000)


@dataclass
class Replica:
    commands: InstanceCommands
    undo: Undo
    stores: Stores

    async def post(self, wanted: Once, count: int = 1) -> list[str]:
        return await self.commands.start(SPEC, count, wanted)

    async def message(self, wanted: Once, count: int = 1) -> str:
        with pytest.raises(Failure) as caught:
            await self.commands.start(SPEC, count, wanted)
        return caught.value.message

    async def tried(self, wanted: Once, count: int) -> list[str] | None:
        """Ids, if it went well."""
        with contextlib.suppress(Failure):
            return await self.post(wanted, count)
        return None


@contextlib.asynccontextmanager
async def replicas(count: int = 2) -> AsyncIterator[tuple[ScriptedApi, list[Replica]]]:
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(ScriptedApi().serve())
        made = []
        for _ in range(count):
            client = await stack.enter_async_context(KubeClient(Endpoint(server=api.url), sleep=quick))
            stores = Stores(clock)
            views = InstanceViews(stores, clock, registry="", terminated_seconds=60)
            await stack.enter_async_context(Watches(client, stores))
            undo = Undo(client, stores.instances, sleep=quick)
            commands = InstanceCommands(
                client,
                stores.instances,
                undo,
                namespace="anka-ci",
                slots=WriteSlots(20),
                repeats=Slots(client, stores, views.gone_of, clock, namespace="anka-ci"),
            )
            made.append(Replica(commands, undo, stores))
        await api.until(lambda: api.open_streams == STREAMS * count)
        yield api, made


def living(api: ScriptedApi) -> dict[str, dict[str, Any]]:
    """Metadata of what is there and not about to go, by name."""
    objects = api.objects.get("ankainstances", {}).values()
    return {obj["metadata"]["name"]: obj["metadata"] for obj in objects if "deletionTimestamp" not in obj["metadata"]}


def release(api: ScriptedApi, name: str) -> None:
    api.remove("ankainstances", name, "anka-ci")


async def gone(replica: Replica, name: str) -> None:
    with contextlib.suppress(TimeoutError):
        await replica.stores.instances.wait_for(lambda store: store.get(name, "anka-ci") is None, 5)
    assert replica.stores.instances.get(name, "anka-ci") is None


async def test_a_repeat_anywhere_gives_the_same_and_writes_no_more_than_once() -> None:
    async with replicas() as (api, (first, second)):
        wanted = Once("k", "hash")
        ids = await first.post(wanted, 3)
        assert len(set(ids)) == 3
        assert [api.count(verb) for verb in ("create", "patch", "get")] == [3, 0, 0]
        assert await second.post(wanted, 3) == ids
        assert api.count("create") <= 6
        assert api.count("patch") == 3
        for replica in (first, second):
            assert await replica.post(wanted, 3) == ids
        assert api.count("patch") == 3
        assert sorted(living(api)) == sorted(ids)


@pytest.mark.parametrize("ended", ["deleting", "gone"])
async def test_one_that_ended_is_not_started_again_while_it_is_shown(ended: str) -> None:
    async with replicas() as (api, (first, second)):
        wanted = Once("k", "hash")
        (id_,) = await first.post(wanted)
        obj = first.stores.instance(id_)
        assert obj is not None
        await first.commands.terminate(obj)
        if ended == "gone":
            release(api, id_)
            await gone(first, id_)
            await gone(second, id_)
        assert await first.post(wanted) == [id_]
        assert await second.post(wanted) == [id_]
        assert not living(api)


async def test_another_request_under_the_same_key_makes_nothing() -> None:
    async with replicas() as (api, (first, second)):
        (id_,) = await first.post(Once("k", "hash"))
        for replica in (first, second):
            says = await replica.message(Once("k", "another"), 5)
            assert says.startswith("Idempotency-Key: was used for another request")
        assert list(living(api)) == [id_]


async def test_what_a_failed_request_made_is_taken_back_and_the_repeat_starts_anew() -> None:
    async with replicas() as (api, (first, second)):
        wanted = Once("k", "hash")

        def fail_the_second() -> None:
            if api.count("create") == 2 and not api.faults_left:
                api.fail("create", Fault(422, reason="Invalid", message="no"))

        api.listeners.append(fail_the_second)
        assert await first.message(wanted, 3) == "cannot start the VM: no"
        await first.undo.close(5)
        assert api.objects["ankainstances"]
        assert not living(api)
        api.listeners.remove(fail_the_second)
        api.heal()
        ids = await second.post(wanted, 3)
        assert sorted(living(api)) == sorted(ids)


async def test_what_a_repeat_has_taken_over_is_not_taken_back() -> None:
    """The first try is applied, but its answer lost for good; the repeat comes before the undo does."""
    async with replicas() as (api, (first, second)):
        wanted = Once("k", "hash")
        held = asyncio.Event()

        async def later(_: float) -> None:
            await held.wait()

        first.undo._sleep = later
        api.fail("create", Fault(500, drop=True), times=1)
        assert await first.message(wanted) == "cannot start the VM: the Kubernetes API does not answer, try again"
        api.heal()
        ids = await second.post(wanted)
        held.set()
        await first.undo.close(5)
        (metadata,) = living(api).values()
        assert [metadata["name"]] == ids
        assert metadata["annotations"][ATTEMPT] == KEPT


async def test_an_instance_taken_back_is_left_to_its_end_and_another_made() -> None:
    async with replicas(1) as (api, (only,)):
        wanted = Once("k", "hash")
        (id_,) = await only.post(wanted)
        obj = api.objects["ankainstances"]["anka-ci", id_]
        obj["metadata"]["annotations"][ATTEMPT] = TAKEN_BACK
        api.put("ankainstances", id_, "anka-ci", spec=obj["spec"], metadata=obj["metadata"])
        (other,) = await only.post(wanted)
        assert other != id_
        assert set(living(api)) == {id_, other}
        # As long as that one lives it is the one, whatever became of the first.
        release(api, id_)
        await gone(only, id_)
        assert await only.post(wanted) == [other]


@pytest.mark.parametrize("number", range(4))
async def test_never_two_whatever_fails(number: int) -> None:
    seed = int(os.environ.get("ANKA_TEST_SEED", "0")) + number
    print("ANKA_TEST_SEED =", seed - number)
    chance = random.Random(seed)
    async with replicas() as (api, both):

        async def ask(wanted: Once, count: int) -> list[str] | None:
            await asyncio.sleep(chance.random() / 100)
            return await chance.choice(both).tried(wanted, count)

        for key in range(12):
            wanted, count = Once(f"k{key}", "hash"), chance.randint(1, 3)
            before = set(living(api))
            for _ in range(chance.randint(0, 6)):
                api.fail(chance.choice(["create", "create", "patch", "get"]), chance.choice(FAULTS))
            answers = await asyncio.gather(*(ask(wanted, count) for _ in range(chance.randint(2, 6))))
            api.heal()
            last = await ask(wanted, count)
            for replica in both:
                await replica.undo.close(20)
            assert last is not None
            assert all(ids in (None, last) for ids in answers), answers
            assert set(living(api)) - before == set(last)
