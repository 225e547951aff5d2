"""A watch of a rare kind, open only while there is something to see: many processes with one each would be many streams
for nothing."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic

from anka_kube import metrics
from anka_kube.comparison import WatchComparison
from anka_kube.reflector import Reflector
from anka_kube.resource import M
from anka_kube.store import Store
from anka_runtime.background import child_tasks


@dataclass(eq=False)
class OnDemandWatch(Generic[M]):
    """Keeps the store of the comparison current while the watch is open, and empty while it is not.

    It opens when `is_wanted`, and closes when neither that nor `is_in_use`, which looks at the store: whoever says that
    nothing is there may say so before the store has seen the end of what was. So it never closes before it has seen all
    objects once. Both are asked after each change of `stores` and of its own. `must_look`: it opens at the start in any
    case, because what is there was begun by the process before.

    `ready` is set once its objects are known, or it is known that there are none.
    """

    open: Callable[[], Reflector[M]]
    comparison: WatchComparison[M]
    _: KW_ONLY
    is_wanted: Callable[[], bool]
    is_in_use: Callable[[], bool]
    stores: Iterable[Store[Any]]
    must_look: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    reflector: Reflector[M] | None = field(default=None, init=False)
    """None while it is closed."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def _store(self) -> Store[M]:
        return self.comparison.store

    async def run(self) -> None:
        """Until cancelled."""
        ends = [store.subscribe(lambda *_: self._changed.set()) for store in (*self.stores, self._store)]
        try:
            while True:
                self._changed.clear()
                if self.must_look or self.is_wanted():
                    await self._watch()
                else:
                    self.ready.set()
                    await self._changed.wait()
        finally:
            for end in ends:
                end()

    async def _watch(self) -> None:
        reflector = self.reflector = self.open()
        try:
            async with child_tasks(reflector.run(), self.comparison.run(), self._wait_for_end(reflector)) as tasks:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # the error of a part that failed is this one's
        finally:
            self.reflector = None
        # What is left is over. A cache that nobody keeps must neither be read nor seem to be stuck.
        self._store.replace((), self._store.delivered_version, self._store.begin_list())
        metrics.LAST_EVENT_AGE.remove(self._store.resource.label)

    async def _wait_for_end(self, reflector: Reflector[M]) -> None:
        await reflector.synced.wait()
        self.must_look = False
        self.ready.set()
        while True:
            self._changed.clear()
            if not self.is_wanted() and not self.is_in_use():
                return
            await self._changed.wait()
