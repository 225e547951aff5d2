"""The writes themselves, over a client whose answers a test holds back. What the API answers: test_vm.py."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.kube.errors import ServerError, Unreachable
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from anka_shim.cloud.instances import InstanceCommands
from anka_shim.cloud.slots import PARALLEL_WRITES, WriteSlots
from anka_shim.translate.failure import Failure

SPEC = AnkaInstanceSpec(template="t")


class HeldClient:
    """Creates only when `open` is set; `errors` are raised first, one for each call."""

    def __init__(self, *errors: Exception) -> None:
        self.open = asyncio.Event()
        self.begun = asyncio.Event()
        self.names: list[str] = []
        self.running = 0
        self.most = 0
        self._errors = list(errors)

    async def create(self, _: object, body: dict[str, Any], __: str, *, deadline: float) -> AnkaInstance:
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
        self.names.append(name)
        return AnkaInstance.from_api({**body, "metadata": {**body["metadata"], "uid": name, "resourceVersion": "1"}})


class Undone:
    def __init__(self) -> None:
        self.created: list[str] = []
        self.unknown: list[str] = []
        self.called = asyncio.Event()

    def start(self, _: str, created: list[str], unknown: list[str], *, attempt: str | None) -> None:
        assert attempt is None
        self.created += created
        self.unknown += unknown
        self.called.set()


def commands(client: HeldClient, undone: Undone, *, seconds: float = 5, batch_seconds: float = 0) -> InstanceCommands:
    ids = (f"id-{number}" for number in itertools.count())
    return InstanceCommands(
        client,  # type: ignore[arg-type]
        Store(INSTANCES),
        undone,  # type: ignore[arg-type]
        namespace="ns",
        slots=WriteSlots(seconds, batch_seconds=batch_seconds),
        repeats=None,  # type: ignore[arg-type]
        new_id=lambda: next(ids),
    )


async def test_creations_run_side_by_side_but_not_all_at_once() -> None:
    client, undone = HeldClient(), Undone()
    task = asyncio.create_task(commands(client, undone).start(SPEC, 100))
    await client.begun.wait()
    client.open.set()
    assert await task == [f"id-{number}" for number in range(100)]
    assert client.most == PARALLEL_WRITES
    assert not undone.called.is_set()


async def test_all_or_none() -> None:
    client, undone = HeldClient(ServerError(500, "InternalError", "sad")), Undone()
    client.open.set()
    with pytest.raises(Failure, match="cannot start the VM: the Kubernetes API is overloaded or in trouble"):
        await commands(client, undone).start(SPEC, 50)
    # Nothing new was begun after the first error; what was made is undone, and so is what may have been made.
    assert undone.created == client.names
    assert undone.unknown == ["id-0"]
    assert len(client.names) < 50


async def test_a_write_that_never_ends_is_ended_in_time() -> None:
    client, undone = HeldClient(), Undone()
    async with asyncio.timeout(3):
        with pytest.raises(Failure, match="does not answer"):
            await commands(client, undone, seconds=0.1).start(SPEC, PARALLEL_WRITES + 5)
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

    async def create(self, resource: object, body: dict[str, Any], namespace: str, *, deadline: float) -> AnkaInstance:
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
    work = commands(client, undone, seconds=4, batch_seconds=batch_seconds).start(SPEC, count)
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
    task = asyncio.create_task(commands(client, undone).start(SPEC, 3))
    await client.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    client.open.set()
    await asyncio.wait_for(undone.called.wait(), 5)
    assert sorted(undone.created) == ["id-0", "id-1", "id-2"]
