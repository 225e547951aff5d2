"""How many writes run at a time, and how long they may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.errors import Unreachable
from anka_kube.store import Store
from anka_shim.store.writes import PARALLEL_WRITES, Deadline, WriteCoordinator
from support.objects import metadata


class Barrier:
    """Takes down what the other replicas must see."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None]] = []

    async def wait_for_version(self, store: Store[Any], version: str | None) -> None:
        self.calls.append(("version", version))

    async def wait_for_deletion(self, store: Store[Any], uid: str | None) -> None:
        self.calls.append(("deletion", uid))


async def test_a_write_that_takes_too_long_is_given_up() -> None:
    deadline = Deadline(0.02, most=10)
    with pytest.raises(Unreachable, match="no answer in time"):
        await deadline.run(asyncio.Event().wait())


async def test_progress_moves_the_deadline_but_not_beyond_the_end() -> None:
    deadline = Deadline(5, most=8)
    first = deadline.at
    deadline.extend()
    assert first <= deadline.at < first + 1
    assert 7 < deadline.seconds <= 8
    short = Deadline(5, most=0)
    short.extend()
    assert short.at <= asyncio.get_running_loop().time() + 5


async def test_progress_moves_the_timeouts_of_the_other_writes() -> None:
    deadline = Deadline(30, most=60)
    async with asyncio.timeout_at(deadline.at - 25) as limit:
        with deadline.follow(limit):
            deadline.extend()
            await asyncio.sleep(0)
            assert limit.when() == deadline.at
    before = deadline.at
    deadline.extend()
    assert limit.when() == before, "one that has ended is left alone"


async def test_only_so_many_writes_run_and_the_next_one_waits_until_its_deadline() -> None:
    writes = WriteCoordinator(0.05)
    release = asyncio.Event()
    running = 0

    async def write() -> None:
        nonlocal running
        async with writes.slot(Deadline(10, most=10)):
            running += 1
            await release.wait()

    tasks = [asyncio.create_task(write()) for _ in range(PARALLEL_WRITES)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert running == PARALLEL_WRITES
    with pytest.raises(Unreachable, match="no answer in time"):
        async with writes.slot(writes.deadline()):
            pytest.fail("more run than may")
    release.set()
    await asyncio.gather(*tasks)
    async with writes.slot(writes.deadline()) as seconds:
        assert 0 < seconds <= 0.05


async def test_what_was_written_is_read_from_now_on_here_and_at_the_other_replicas() -> None:
    barrier, store = Barrier(), Store(GROUPS)
    writes = WriteCoordinator(1, barrier)
    old, new = (NodeGroup.from_api({"metadata": metadata(name, version=n)}) for name, n in (("a", 9), ("b", 10)))
    await writes.publish(store, new, old)
    assert [found is not None for found in (store.get("a"), store.get("b"))] == [True, True]
    await writes.publish_deletion(store, new)
    assert store.get("b") is None
    assert barrier.calls == [("version", "10"), ("deletion", "uid-b")]
