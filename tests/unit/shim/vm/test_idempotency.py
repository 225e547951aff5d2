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

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_runtime.clock import SystemClock
from anka_shim.annotations import ATTEMPT
from anka_shim.failure import Failure
from anka_shim.store.caches import Stores, Watches
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.storage_budget import StorageBudget
from anka_shim.store.writes import WriteCoordinator
from anka_shim.vm.idempotency import IdempotentCreates
from anka_shim.vm.idempotency_key import KEPT, TAKEN_BACK, StartKey
from anka_shim.vm.rollback import Rollback
from anka_shim.vm.views import InstanceViews
from anka_shim.vm.writer import InstanceWriter
from support.scripted_api import Fault, ScriptedApi
from support.shim_rig import STREAMS

SPEC = AnkaInstanceSpec(template="t")
FAULTS = [Fault(500), Fault(503, retry_after=1), Fault(500, drop=True), Fault(422, reason="Invalid"), Fault(409)]


async def quick(seconds: float) -> None:
    """A thousand times faster than time."""
    await asyncio.sleep(seconds / 1000)


@dataclass
class Replica:
    writer: InstanceWriter
    instances: ObjectWriter[AnkaInstance]
    rollback: Rollback
    stores: Stores

    async def post(self, wanted: StartKey, count: int = 1) -> list[str]:
        return await self.writer.create(SPEC, count, wanted)

    async def message(self, wanted: StartKey, count: int = 1) -> str:
        with pytest.raises(Failure) as caught:
            await self.writer.create(SPEC, count, wanted)
        return caught.value.message

    async def tried(self, wanted: StartKey, count: int) -> list[str] | None:
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
            stores = Stores()
            views = InstanceViews(stores, clock, registry="", terminated_seconds=60)
            await stack.enter_async_context(Watches(client, stores))
            rollback = Rollback(client, stores.instances, sleep=quick)
            writer = InstanceWriter(
                client,
                stores.instances,
                inline_bytes=8192,
                namespace="anka-ci",
                writes=WriteCoordinator(20),
                creates=IdempotentCreates(client, stores, views.find_gone, clock, namespace="anka-ci"),
                rollback=rollback,
            )
            objects = ObjectWriter(client, stores.instances, WriteCoordinator(20), StorageBudget((), 1 << 30))
            made.append(Replica(writer, objects, rollback, stores))
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
        await replica.stores.instances.wait_for(lambda store: store.get(name, "anka-ci") is None, 60)
    assert replica.stores.instances.get(name, "anka-ci") is None


async def test_a_repeat_anywhere_gives_the_same_and_writes_no_more_than_once() -> None:
    async with replicas() as (api, (first, second)):
        wanted = StartKey("k", "hash")
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
        wanted = StartKey("k", "hash")
        (id_,) = await first.post(wanted)
        obj = first.stores.instance(id_)
        assert obj is not None
        await first.instances.remove(obj, action="terminate the VM")
        if ended == "gone":
            release(api, id_)
            await gone(first, id_)
            await gone(second, id_)
        assert await first.post(wanted) == [id_]
        assert await second.post(wanted) == [id_]
        assert not living(api)


async def test_another_request_under_the_same_key_makes_nothing() -> None:
    async with replicas() as (api, (first, second)):
        (id_,) = await first.post(StartKey("k", "hash"))
        for replica in (first, second):
            says = await replica.message(StartKey("k", "another"), 5)
            assert says.startswith("Idempotency-Key: was used for another request")
        assert list(living(api)) == [id_]


async def test_what_a_failed_request_made_is_taken_back_and_the_repeat_starts_anew() -> None:
    async with replicas() as (api, (first, second)):
        wanted = StartKey("k", "hash")

        def fail_the_second() -> None:
            if api.count("create") == 2 and not api.faults_left:
                api.fail("create", Fault(422, reason="Invalid", message="no"))

        api.listeners.append(fail_the_second)
        assert await first.message(wanted, 3) == "cannot start the VM: no"
        await first.rollback.close(5)
        assert api.objects["ankainstances"]
        assert not living(api)
        api.listeners.remove(fail_the_second)
        api.heal()
        ids = await second.post(wanted, 3)
        assert sorted(living(api)) == sorted(ids)


async def test_what_a_repeat_has_taken_over_is_not_taken_back() -> None:
    """The first try is applied, but its answer lost for good; the repeat comes before the rollback does."""
    async with replicas() as (api, (first, second)):
        wanted = StartKey("k", "hash")
        held = asyncio.Event()

        async def later(_: float) -> None:
            await held.wait()

        first.rollback._sleep = later
        api.fail("create", Fault(500, drop=True), times=1)
        assert await first.message(wanted) == "cannot start the VM: the Kubernetes API does not answer, try again"
        api.heal()
        ids = await second.post(wanted)
        held.set()
        await first.rollback.close(5)
        (metadata,) = living(api).values()
        assert [metadata["name"]] == ids
        assert metadata["annotations"][ATTEMPT] == KEPT


async def test_an_instance_taken_back_is_left_to_its_end_and_another_made() -> None:
    async with replicas(1) as (api, (only,)):
        wanted = StartKey("k", "hash")
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

        async def ask(wanted: StartKey, count: int) -> list[str] | None:
            await asyncio.sleep(chance.random() / 100)
            return await chance.choice(both).tried(wanted, count)

        for key in range(12):
            wanted, count = StartKey(f"k{key}", "hash"), chance.randint(1, 3)
            before = set(living(api))
            for _ in range(chance.randint(0, 6)):
                api.fail(chance.choice(["create", "create", "patch", "get"]), chance.choice(FAULTS))
            answers = await asyncio.gather(*(ask(wanted, count) for _ in range(chance.randint(2, 6))))
            api.heal()
            last = await ask(wanted, count)
            for replica in both:
                await replica.rollback.close(20)
            assert last is not None
            assert all(ids in (None, last) for ids in answers), answers
            assert set(living(api)) - before == set(last)
