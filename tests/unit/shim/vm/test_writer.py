"""The writes themselves, over a client whose answers a test holds back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.vm_options import StartupScript
from anka_kube.errors import AlreadyExists, Forbidden, ServerError, Unreachable
from anka_kube.unstructured import SECRETS
from anka_shim.failure import Failure
from anka_shim.store.caches import Stores
from anka_shim.store.writes import PARALLEL_WRITES, WriteCoordinator
from anka_shim.vm.idempotency import IdempotentCreates
from anka_shim.vm.idempotency_key import random_key
from anka_shim.vm.writer import InstanceWriter
from support.manual_clock import ManualClock

SPEC = AnkaInstanceSpec(template="t")
CONTENT = "ZWNobyBoaQ=="
SCRIPT = AnkaInstanceSpec(template="t", startup_script=StartupScript(content=CONTENT, monitoring=True))


class HeldClient:
    """Creates only when `open` is set; `errors` are raised first, one for each call."""

    def __init__(self, *errors: Exception) -> None:
        self.open = asyncio.Event()
        self.begun = asyncio.Event()
        self.names: list[str] = []
        self.specs: list[dict[str, Any]] = []
        self.secrets: list[dict[str, Any]] = []
        self.running = 0
        self.most = 0
        self._errors = list(errors)

    async def create(self, resource: object, body: dict[str, Any], __: str, *, deadline: float) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.set()
        try:
            async with asyncio.timeout(deadline):
                await self.open.wait()
        except TimeoutError:
            raise Unreachable("no answer in time", sent=True) from None
        finally:
            self.running -= 1
        if self._errors:
            raise self._errors.pop(0)
        name = body["metadata"]["name"]
        if resource is SECRETS:
            self.secrets.append(body)
            return None
        self.names.append(name)
        self.specs.append(body)
        return AnkaInstance.from_api({**body, "metadata": {**body["metadata"], "uid": name, "resourceVersion": "1"}})


class Undone:
    def __init__(self) -> None:
        self.created: list[str] = []
        self.unknown: list[str] = []
        self.called = asyncio.Event()

    def start(self, _: str, created: list[str], unknown: list[str], *, attempt: str) -> None:
        assert attempt == ""
        self.created += created
        self.unknown += unknown
        self.called.set()


KEY = random_key("id")


def writer(client: HeldClient, undone: Undone, *, seconds: float = 5, batch_seconds: float = 0) -> InstanceWriter:
    stores = Stores()
    return InstanceWriter(
        client,  # type: ignore[arg-type]
        stores.instances,
        inline_bytes=16,
        namespace="ns",
        writes=WriteCoordinator(seconds, batch_seconds=batch_seconds),
        creates=IdempotentCreates(client, stores, lambda _: (), ManualClock(), namespace="ns"),  # type: ignore[arg-type]
        rollback=undone,  # type: ignore[arg-type]
        new_id=lambda: "id",
    )


async def test_creations_run_side_by_side_but_not_all_at_once() -> None:
    client, undone = HeldClient(), Undone()
    task = asyncio.create_task(writer(client, undone).create(SPEC, 100))
    await client.begun.wait()
    client.open.set()
    assert await task == [KEY.slot(place) for place in range(100)]
    assert client.most == PARALLEL_WRITES
    assert not undone.called.is_set()


async def test_all_or_none() -> None:
    client, undone = HeldClient(ServerError(500, "InternalError", "sad")), Undone()
    client.open.set()
    with pytest.raises(Failure, match="cannot start the VM: the Kubernetes API is overloaded or in trouble"):
        await writer(client, undone).create(SPEC, 50)
    # Nothing new was begun after the first error; what was made is undone, and so is what may have been made.
    assert undone.created == client.names
    assert undone.unknown == [KEY.slot(0)]
    assert len(client.names) < 50


async def test_a_write_that_never_ends_is_ended_in_time() -> None:
    client, undone = HeldClient(), Undone()
    async with asyncio.timeout(60):
        with pytest.raises(Failure, match="does not answer"):
            await writer(client, undone, seconds=0.1).create(SPEC, PARALLEL_WRITES + 5)
    # Those that waited for their turn were never sent, so there is nothing of them to undo.
    assert len(undone.unknown) == PARALLEL_WRITES


class SlowClient(HeldClient):
    """An API that does one thing after the other, each in so many seconds of the event loop's clock. Nothing is waited
    for: when everybody waits, the clock goes on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        super().__init__()
        self.open.set()
        self.passed = 0.0
        self._each = seconds
        self._turn = asyncio.Lock()
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda real=loop.time: real() + self.passed)

    async def create(self, resource: object, body: dict[str, Any], namespace: str, *, deadline: float) -> Any:
        try:
            async with asyncio.timeout(deadline), self._turn:
                # Whoever has no more time must see it before the clock goes on again.
                self.passed += self._each
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        except TimeoutError:
            raise Unreachable("no answer in time", sent=True) from None
        return await super().create(resource, body, namespace, deadline=deadline)


@pytest.mark.parametrize(
    ("count", "each", "batch_seconds", "within"),
    [
        (1, 3, 0, 3),
        (1, 5, 100, None),  # one has four seconds, whatever many have
        (40, 3, 200, 120),  # a slow API is not one that is away, for those that wait inside it neither
        (40, 3, 25, None),  # but nobody waits for ever
        (40, 5, 200, None),
    ],
)
async def test_many_have_more_time_as_long_as_there_is_progress(
    monkeypatch: pytest.MonkeyPatch, count: int, each: float, batch_seconds: float, within: float | None
) -> None:
    client, undone = SlowClient(monkeypatch, each), Undone()
    work = writer(client, undone, seconds=4, batch_seconds=batch_seconds).create(SPEC, count)
    if within is not None:
        assert len(await work) == count
        assert client.passed == pytest.approx(within)
        assert undone.created == undone.unknown == []
        return
    with pytest.raises(Failure, match="does not answer"):
        await work
    # Whoever's turn it is when the time ends still has it.
    assert client.passed <= max(4, batch_seconds) + 2 * each
    assert undone.created == client.names


async def test_a_request_that_is_given_up_leaves_nothing_behind() -> None:
    client, undone = HeldClient(), Undone()
    task = asyncio.create_task(writer(client, undone).create(SPEC, 3))
    await client.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    client.open.set()
    await asyncio.wait_for(undone.called.wait(), 60)
    assert sorted(undone.created) == sorted(KEY.slot(place) for place in range(3))


async def test_a_small_script_is_in_the_instance_and_costs_no_write() -> None:
    client = HeldClient()
    client.open.set()
    await writer(client, Undone()).create(SCRIPT, 1)
    (body,) = client.specs
    assert body["spec"]["startupScript"]["content"] == CONTENT
    assert client.secrets == []


async def test_a_large_script_is_stored_once_after_its_instances() -> None:
    client = HeldClient()
    client.open.set()
    ids = await writer(client, Undone()).create(SCRIPT, 2)
    (secret,) = client.secrets
    assert secret["data"] == {"script": CONTENT}
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == ids
    for body in client.specs:
        script = body["spec"]["startupScript"]
        assert script["secretRef"] == {"name": secret["metadata"]["name"], "key": "script"}
        assert script["monitoring"] is True
        assert "content" not in script
        assert body["metadata"]["annotations"] == {"anka.veertu.com/script-bytes": "7"}


async def test_without_its_script_nothing_stays() -> None:
    client, undone = HeldClient(), Undone()
    client.open.set()
    made, create = writer(client, undone), client.create

    async def refuse(resource: object, body: dict[str, Any], space: str, *, deadline: float) -> Any:
        if resource is SECRETS:
            raise Forbidden(403, "Forbidden", "no right")
        return await create(resource, body, space, deadline=deadline)

    client.create = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(Failure, match="cannot start the VM: not allowed: no right"):
        await made.create(SCRIPT, 2)
    assert undone.created == client.names == [KEY.slot(0), KEY.slot(1)]


async def test_a_script_that_another_request_stored_is_fine() -> None:
    client, undone = HeldClient(), Undone()
    client.open.set()
    made, create = writer(client, undone), client.create

    async def exists(resource: object, body: dict[str, Any], space: str, *, deadline: float) -> Any:
        if resource is SECRETS:
            raise AlreadyExists(409, "AlreadyExists", "there")
        return await create(resource, body, space, deadline=deadline)

    client.create = exists  # type: ignore[method-assign, assignment]
    assert len(await made.create(SCRIPT, 2)) == 2
    assert not undone.called.is_set()
