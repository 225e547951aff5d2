"""One worker for each job that TemplateDistributions and rules have for this Mac."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anka_agent.distributions.worker import Worker
from anka_agent.instances.context import Context
from anka_agent.plan.distribution import Job, jobs
from anka_crds.api import AnkaNode, TemplateDistribution
from anka_crds.api.node import KeptTemplate, TemplateWork
from anka_crds.kube.store import Store


class Distributions:
    """Keeps the workers equal to the jobs: an agent that restarts begins again from the objects."""

    def __init__(
        self,
        context: Context,
        store: Store[TemplateDistribution],
        nodes: Store[AnkaNode],
        node: Callable[[], AnkaNode | None],
        tell: Callable[[], None],
    ) -> None:
        self._context = context
        self._store = store
        self._nodes = nodes
        self._node = node
        self._tell = tell
        self._workers: dict[Job, Worker] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

    def reports(self) -> list[TemplateWork]:
        """For AnkaNode.status.distributions: of the jobs there are, each until the operator has seen its end."""
        found = {worker.work.name: worker.work for worker in self._workers.values() if worker.work is not None}
        return list(found.values())

    def under_way(self) -> list[Job]:
        """Jobs that have not ended."""
        return [job for job, worker in self._workers.items() if not worker.ended]

    async def run(self) -> None:
        """Work until cancelled; then all workers have ended. The Mac must have been looked at before."""
        unsubscribe = [
            self._store.subscribe(lambda *_: self._woken.set()),
            self._nodes.subscribe(lambda *_: self._woken.set()),
        ]
        self._context.inventory.subscribe(self._woken.set)
        self._woken.set()
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                self._sync()
        finally:
            for stop in unsubscribe:
                stop()
            await asyncio.gather(*(worker.stop() for worker in self._workers.values()), *self._stopping)
            self._workers.clear()

    def _sync(self) -> None:
        node = self._node()
        wanted = [] if node is None else jobs(self._store, node, self._context.templates.holds)
        # A rule is never over: what it brought can be deleted on the Mac, and then it begins again.
        over = [job for job, worker in self._workers.items() if job not in wanted or (job.is_rule and worker.ended)]
        for job in over:
            task = asyncio.create_task(self._workers.pop(job).stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
        for job in wanted:
            if job not in self._workers:
                self._workers[job] = Worker(self._context, job, self._kept, self._tell)

    def _kept(self) -> list[KeptTemplate]:
        node = self._node()
        return [] if node is None else node.status.kept_templates
