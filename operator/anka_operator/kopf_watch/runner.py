"""Runs kopf beside everything else in this process, and starts it again when it ends."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any, cast

import kopf

from anka_kube.client import KubeClient
from anka_kube.resource import Resource
from anka_operator.kopf_watch.feed import KopfFeed
from anka_operator.kopf_watch.settings import build_settings, register_login
from anka_runtime.background import Background

log = logging.getLogger(__name__)

RESTART_SECONDS = 2.0
WATCH_SECONDS = 15.0
"""kopf looks up its kinds only once. One that it does not watch within this time was not served at the look-up, or the
API does not answer."""


class KopfRunner(Background):
    """`register` adds handlers for kinds other than those of `feeds`; `field_selectors` says which of their objects
    kopf watches. kopf takes the process's signals when it starts: `take_signals` takes them back."""

    def __init__(
        self,
        client: KubeClient,
        feeds: Collection[KopfFeed[Any]],
        *,
        identity: str,
        register: Callable[[kopf.OperatorRegistry], None] = lambda _: None,
        field_selectors: dict[Resource[Any], str] | None = None,
        take_signals: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._feeds = feeds
        self._identity = identity
        self._register = register
        self._field_selectors = field_selectors or {}
        self._take_signals = take_signals

    @property
    def task_name(self) -> str:
        return "kopf"

    async def run(self) -> None:
        while True:
            try:
                await self._run_kopf()
                reason = "no reason given"
            except Exception as error:  # whatever ends kopf, its feeds must go on
                reason = " ".join(str(error or type(error).__name__).split())
            log.error("kopf ended: %s; starting it again", reason)
            await asyncio.sleep(RESTART_SECONDS)

    async def _run_kopf(self) -> None:
        """Run kopf until it raises or returns."""
        before = asyncio.all_tasks()
        registry = kopf.OperatorRegistry()
        register_login(registry, self._client.endpoint, self._feeds)
        for feed in self._feeds:
            feed.register(registry)
        self._register(registry)
        tasks = await kopf.spawn_tasks(
            registry=registry,
            settings=build_settings(self._field_selectors),
            # Without it kopf looks up its user's name, which a container lacks, and ends. Its type is private.
            identity=cast(Any, self._identity),
            clusterwide=True,
            standalone=True,
        )
        self._take_signals()
        running = asyncio.create_task(kopf.run_tasks(tasks, ignored=_EveryTask()), name="kopf tasks")
        watching = asyncio.create_task(self._wait_watching(), name="kopf watches")
        try:
            done, _ = await asyncio.wait(
                {running, watching}, timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                kinds = ", ".join(feed.resource.plural for feed in self._feeds if not feed.connected)
                raise RuntimeError(f"it does not watch {kinds}")
            await running
        finally:
            running.cancel()
            watching.cancel()
            await asyncio.gather(running, watching, return_exceptions=True)
            # When one watch ends kopf, kopf leaves the other watches running.
            left = [task for task in asyncio.all_tasks() - before if task.get_name().startswith("watcher for ")]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _wait_watching(self) -> None:
        for feed in self._feeds:
            await feed.watching.wait()


class _EveryTask(Collection["asyncio.Task[Any]"]):
    """At its end kopf cancels all tasks of the loop that it does not ignore, so also those of this process."""

    def __contains__(self, task: object) -> bool:
        return True

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(())

    def __len__(self) -> int:
        return 0
