"""One worker for each job that TemplateDistributions and AnkaTemplate rules have for this Mac."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from anka_agent.distributions.worker import JobTracker, TemplateJobWorker
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.templates import TemplateCache
from anka_agent.node.view import NodeView
from anka_agent.plan.distribution import TemplateJob, list_jobs
from anka_crds.api import TemplateDistribution
from anka_kube.store import Store


@dataclass(eq=False)
class TemplateJobController:
    """Keeps one worker per job: a restarted agent begins again from the objects."""

    _distributions: Store[TemplateDistribution]
    _node: NodeView
    _inventory: Inventory
    _templates: TemplateCache
    _tracker: JobTracker
    _create_worker: Callable[[TemplateJob], TemplateJobWorker]
    _workers: dict[TemplateJob, TemplateJobWorker] = field(default_factory=dict, init=False)
    _stopping: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Work until cancelled; then all workers have ended. The Mac must have been listed before."""
        unsubscribe = [
            self._distributions.subscribe(lambda *_: self._woken.set()),
            self._node.subscribe(self._woken.set),
        ]
        self._inventory.subscribe(self._woken.set)
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
        node = self._node.current
        wanted = [] if node is None else list_jobs(self._distributions, node, self._templates.has_content)
        # A rule never ends: if its template is deleted on the Mac, the work begins again.
        over = [job for job, worker in self._workers.items() if job not in wanted or (job.is_rule and worker.is_done)]
        for job in over:
            self._tracker.remove(job)
            task = asyncio.create_task(self._workers.pop(job).stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
        for job in wanted:
            if job not in self._workers:
                self._tracker.add(job)
                self._workers[job] = self._create_worker(job)
                self._workers[job].start()
