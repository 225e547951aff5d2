"""When a watch of a rare kind opens and closes, and that nothing in the works is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_kube.client import KubeClient
from anka_kube.comparison import WatchComparison
from anka_kube.on_demand import OnDemandWatch
from anka_kube.pacing import TurnWindow
from anka_kube.reflector import Reflector
from anka_kube.store import Store
from anka_kube.unstructured import Unstructured
from support.reflector_rig import THINGS
from support.scripted_api import Fault, ScriptedApi

SPREAD = TurnWindow(lambda: 0.01)


class Desk:
    """Things are in use while their spec is "busy". Whether they are wanted is told by the store `told`."""

    def __init__(self, api: ScriptedApi, client: KubeClient) -> None:
        self.api, self.client = api, client
        self.told, self.things = Store(THINGS), Store(THINGS)
        self.versions = 0
        self.stirred = asyncio.Event()
        self.watch: OnDemandWatch[Unstructured]
        self.task: asyncio.Task[None]
        self.things.subscribe(lambda *_: self.stirred.set())
        api.listeners.append(self.stirred.set)

    def tell(self, wanted: bool) -> None:
        self.versions += 1
        meta = {"name": "told", "namespace": "default", "uid": "u", "resourceVersion": str(self.versions)}
        self.told.apply_written(Unstructured.parse({"metadata": meta, "spec": {"wanted": wanted}}))

    def is_wanted(self) -> bool:
        said = self.told.get("told", "default")
        return said is None or bool(_content(said)["wanted"])

    def start(self, **options: Any) -> None:
        self.watch = OnDemandWatch(
            lambda: Reflector(self.client, self.things, spread=SPREAD),
            WatchComparison(self.client, self.things, interval_seconds=600),
            is_wanted=self.is_wanted,
            is_in_use=lambda: any(_content(one) == "busy" for one in self.things),
            stores=(self.told,),
            **options,
        )
        self.task = asyncio.create_task(self.watch.run())

    async def until(self, names: list[str], streams: int) -> None:
        async with asyncio.timeout(20):
            while sorted(one.metadata.name for one in self.things) != names or self.api.open_streams != streams:
                self.stirred.clear()
                await self.stirred.wait()


def _content(thing: Unstructured) -> Any:
    return THINGS.dump(thing)["spec"]


@pytest.fixture
async def desk(api: ScriptedApi, client: KubeClient) -> AsyncIterator[Desk]:
    desk = Desk(api, client)
    yield desk
    desk.task.cancel()
    await asyncio.gather(desk.task, return_exceptions=True)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nothing_is_asked_while_nothing_is_there(desk: Desk) -> None:
    desk.tell(False)
    desk.start()
    await desk.watch.ready.wait()
    assert desk.api.seen == []
    assert desk.watch.reflector is None


async def test_it_is_open_until_it_is_told_that_nothing_is_there(desk: Desk) -> None:
    desk.api.put("things", "one", spec="over")
    desk.start()
    await desk.watch.ready.wait()
    await desk.until(["one"], 1)
    desk.tell(False)
    await desk.until([], 0)
    assert desk.watch.reflector is None
    seen = len(desk.api.seen)
    desk.api.put("things", "two", spec="busy")
    desk.tell(True)
    await desk.until(["one", "two"], 1)
    assert len(desk.api.seen) == seen + 1, "one request, for the new stream"


async def test_what_is_in_the_works_keeps_it_open_whatever_is_told(desk: Desk) -> None:
    desk.api.put("things", "one", spec="busy")
    desk.start()
    await desk.until(["one"], 1)
    desk.tell(False)
    await settle()
    await desk.until(["one"], 1)
    desk.api.put("things", "one", spec="over")
    await desk.until([], 0)


async def test_it_does_not_close_before_it_has_seen_what_is_there(desk: Desk) -> None:
    desk.api.put("things", "one", spec="busy")
    desk.api.fail("watch", Fault(503), times=1000)
    desk.start()
    await desk.api.until(lambda: desk.api.count("watch") > 0)
    desk.tell(False)
    desk.api.heal()
    await desk.until(["one"], 1)
    await desk.watch.ready.wait()


async def test_what_the_process_before_has_begun_is_looked_at_once(desk: Desk) -> None:
    desk.api.put("things", "one", spec="over")
    desk.tell(False)
    desk.start(must_look=True)
    await desk.watch.ready.wait()
    await desk.until([], 0)
    assert desk.api.count("watch") == 1


async def test_a_closed_watch_has_no_age(desk: Desk) -> None:
    def age() -> float | None:
        return REGISTRY.get_sample_value("anka_kube_last_event_age_seconds", {"resource": THINGS.label})

    desk.start()
    await desk.watch.ready.wait()
    assert age() is not None
    desk.tell(False)
    await desk.until([], 0)
    await settle()
    assert age() is None


async def test_a_part_that_fails_fails_the_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(comparison: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(WatchComparison, "run", fail)
    desk.start()
    with pytest.raises(RuntimeError, match="a bug"):
        await desk.task
