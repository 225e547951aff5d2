"""kopf itself over a scripted API: what happens to the stores when its watches break."""

from __future__ import annotations

import asyncio
import gc
import getpass
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import kopf
import pytest

from anka_crds.api import NodeGroup, TemplateDistribution
from anka_crds.resources import DISTRIBUTIONS, GROUPS, INSTANCES
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.store import Store
from anka_operator.kopf_watch import runner as module
from anka_operator.kopf_watch.feed import KopfFeed
from anka_operator.kopf_watch.runner import KopfRunner
from anka_runtime.clock import SystemClock
from support.discoverable_api import DiscoverableApi
from support.scripted_api import Fault, error_event

SECONDS = 60
PLURAL = GROUPS.plural


class Watched:
    """kopf feeds the stores of two kinds, of which one has no objects."""

    def __init__(self, api: DiscoverableApi, client: KubeClient) -> None:
        self.api = api
        self.client = client
        self.groups: Store[NodeGroup] = Store(GROUPS)
        self.empty: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
        self.feeds = (KopfFeed(self.groups, SystemClock()), KopfFeed(self.empty, SystemClock()))
        self.instances: list[str] = []
        self.instance_seen = asyncio.Event()

    def register(self, registry: kopf.OperatorRegistry) -> None:
        @kopf.on.event(INSTANCES.group, INSTANCES.version, INSTANCES.plural, registry=registry, id="instances")
        async def on_event(name: str, **_: object) -> None:
            self.instances.append(name)
            self.instance_seen.set()

    async def start(self) -> KopfRunner:
        return KopfRunner(
            self.client,
            self.feeds,
            identity="operator-1",
            register=self.register,
            field_selectors={INSTANCES: "status.phase=Error"},
        )

    async def wait_connected(self) -> None:
        await self.api.until(lambda: self.api.open_streams == 3)

    async def wait_names(self, *names: str) -> None:
        await self.groups.wait_for(lambda store: {group.metadata.name for group in store} == set(names), SECONDS)

    def remove_unseen(self, name: str) -> None:
        """No stream carries the deletion: it happens while the watch is down."""
        del self.api.objects[PLURAL]["", name]
        self.api.version += 1


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.01)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(DiscoverableApi().serve())
        client = await stack.enter_async_context(KubeClient(Endpoint(api.url)))
        watched = Watched(api, client)
        for name in ("a", "b"):
            api.put(PLURAL, name, "", spec={})
        await stack.enter_async_context(await watched.start())
        for feed in watched.feeds:
            await asyncio.wait_for(feed.synced.wait(), SECONDS)
        await watched.wait_connected()
        yield watched
    # kopf retrieves the exception of one of its watchers only: asyncio complains about the others when they are
    # collected, which must not happen while Python 3.11 parses a module (SystemError, "recursion depth mismatch").
    gc.collect()


async def test_lists_and_events_reach_the_store(watched: Watched) -> None:
    await watched.wait_names("a", "b")
    watched.api.put(PLURAL, "c", "", spec={"fallbackGroup": "a"})
    watched.api.remove(PLURAL, "a", "")
    await watched.wait_names("b", "c")
    assert len(watched.empty) == 0
    assert all(feed.connected for feed in watched.feeds)


async def test_a_large_object(watched: Watched) -> None:
    """An AnkaTemplate with all its versions is one line of some MiB in the stream."""
    watched.api.put(PLURAL, "large", "", spec={}, metadata={"annotations": {"x": "x" * 3_000_000}})
    await watched.wait_names("a", "b", "large")


async def test_one_watch_of_each_kind_and_no_write(watched: Watched) -> None:
    watched.api.put(PLURAL, "c", "", spec={})
    watched.api.put(INSTANCES.plural, "failed", spec={}, status={"phase": "Error"})
    await watched.wait_names("a", "b", "c")
    async with asyncio.timeout(SECONDS):
        await watched.instance_seen.wait()
    assert watched.instances == ["failed"]
    watches = [seen for seen in watched.api.seen if seen.verb == "watch"]
    assert sorted(seen.path.rpartition("/")[2] for seen in watches) == sorted(
        [PLURAL, DISTRIBUTIONS.plural, INSTANCES.plural]
    )
    assert [seen.query.get("fieldSelector") for seen in watches if INSTANCES.plural in seen.path] == [
        "status.phase=Error"
    ]
    assert {seen.verb for seen in watched.api.seen} == {"list", "watch"}


@pytest.mark.parametrize("left", [("b",), ()], ids=["one left", "none left"])
async def test_a_deletion_while_the_watch_is_down_is_not_lost(watched: Watched, left: tuple[str, ...]) -> None:
    """The server answers that it has forgotten the version; kopf lists again, and calls no handler for what is gone."""
    for name in {"a", "b"} - set(left):
        watched.remove_unseen(name)
    watched.api.send(error_event(410, "too old resource version", "Expired"))
    await watched.wait_names(*left)


async def test_a_version_that_is_too_old_when_it_reconnects(watched: Watched) -> None:
    """kopf ends for it, and is started again."""
    watched.remove_unseen("a")
    watched.api.compact()
    watched.api.end()
    await watched.wait_names("b")


async def test_an_outage_is_logged_once_for_each_kind(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "anka_operator")
    watched.api.fail("watch", Fault(503, "away"), times=9)
    watched.api.end()
    await watched.api.until(lambda: watched.api.faults_left == 0)
    await watched.wait_connected()
    watched.api.put(PLURAL, "c", "", spec={})
    await watched.wait_names("a", "b", "c")
    ours = (record for record in caplog.records if record.name.startswith("anka_operator"))
    lines = [message for record in ours if PLURAL in (message := record.getMessage())]
    assert lines == [
        "nodegroups.anka.veertu.com: 503 Service Unavailable; trying again until it works",
        "nodegroups.anka.veertu.com: the API answers again",
    ]


async def test_an_error_that_ends_kopf(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Tasks that began after kopf go on, and so do the stores."""
    forever = asyncio.create_task(asyncio.Event().wait())
    watched.remove_unseen("a")
    for stream in watched.api._streams:
        if stream.kind == PLURAL:
            stream.queue.put_nowait(error_event(500, "etcdserver: no leader"))
    await watched.wait_names("b")
    await watched.wait_connected()
    assert len([task for task in asyncio.all_tasks() if task.get_name().startswith("watcher for ")]) == 3
    assert any(record.getMessage().startswith("kopf ended: Error in the watch-stream") for record in caplog.records)
    watched.api.put(PLURAL, "c", "", spec={})
    await watched.wait_names("b", "c")
    assert not forever.done()
    forever.cancel()


async def test_kinds_that_are_served_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRDs may be installed after the operator: kopf alone would never notice."""
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.01)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.5)
    async with DiscoverableApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        api.missing = {PLURAL}
        watched = Watched(api, client)
        async with await watched.start():
            await api.until(lambda: sum(PLURAL in seen.path for seen in api.seen) > 1)
            assert not watched.feeds[0].synced.is_set()
            api.missing = set()
            await asyncio.wait_for(watched.feeds[0].synced.wait(), SECONDS)


async def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of our image."""

    def fail() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", fail)
    async with DiscoverableApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        watched = Watched(api, client)
        async with await watched.start():
            await asyncio.wait_for(watched.feeds[0].synced.wait(), SECONDS)
