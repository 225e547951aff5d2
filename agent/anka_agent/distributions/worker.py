"""Pulls or removes one template, and posts its progress for the report and for pulls."""

import asyncio
import logging
from dataclasses import dataclass, field

from anka_agent.anka.errors import AnkaError
from anka_agent.mac.mac_host import MacHost
from anka_agent.node.view import NodeView
from anka_agent.plan.decide import Step
from anka_agent.plan.distribution import TemplateJob, explain_refusal
from anka_agent.plan.failures import ATTEMPTS, fail_instance, is_worth_retrying
from anka_agent.plan.instance_report import MESSAGE_LIMIT
from anka_agent.plan.naming import source_of
from anka_agent.plan.progress import LOOK_SECONDS, is_report_due
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.limits import TASK_BYTES
from anka_crds.api.node import TemplateTask
from anka_crds.rules.text import shorten, shorten_bytes
from anka_kube.store import Store
from anka_runtime.background import child_tasks
from anka_runtime.backoff import Backoff, Delays, system_random
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)
WAIT_SECONDS = 2.0
"""Time between two checks whether a template can be removed: as often as the Mac is listed."""
STEP_BACKOFF = Backoff(base=1.0, cap=30.0)
RULE_BACKOFF = Backoff(base=30.0, cap=600.0)
"""Time between two rounds of attempts for a rule, which has no end."""
_STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})


class JobTracker:
    """`report_due` is set when there is something new to report."""

    def __init__(self, report_due: asyncio.Event) -> None:
        self._report_due = report_due
        self._works: dict[TemplateJob, TemplateTask | None] = {}
        self._ended: set[TemplateJob] = set()

    def add(self, job: TemplateJob) -> None:
        self._works[job] = None
        self._ended.discard(job)

    def work_of(self, job: TemplateJob) -> TemplateTask | None:
        """None before there is anything to report: a short job is reported once, at its end."""
        return self._works.get(job)

    def post(self, job: TemplateJob, work: TemplateTask) -> None:
        if job in self._works and work != self._works[job]:
            self._works[job] = work
            self._report_due.set()

    def end(self, job: TemplateJob) -> None:
        """No more is done for the job; what it posted stays."""
        self._ended.add(job)

    def remove(self, job: TemplateJob) -> None:
        self._works.pop(job, None)
        self._ended.discard(job)

    def list_unfinished(self) -> list[TemplateJob]:
        return [job for job in self._works if job not in self._ended]

    def report(self) -> list[TemplateTask]:
        """For AnkaNode.status.distributions: one entry for each name, until the operator has seen its end."""
        found = {work.name: work for work in self._works.values() if work is not None}
        return list(found.values())


@dataclass(eq=False)
class TemplateJobWorker:
    job: TemplateJob
    _mac: MacHost
    _instances: Store[AnkaInstance]
    _node: NodeView
    _tracker: JobTracker
    _clock: Clock
    _percent: int = field(default=0, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"template job {self.job.name}")

    @property
    def is_done(self) -> bool:
        return self._task is not None and self._task.done()

    async def stop(self) -> None:
        """End it; a pull that others need too goes on without it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            async with child_tasks(self._report_progress()):
                await (self._pull() if self.job.action == "Pull" else self._remove())
        except Exception as error:  # a bug here must be reported where users look, and must not end the agent
            log.exception("template job failed", extra={"distribution": self.job.name})
            self._finish(f"the agent failed: {error!r}")
        finally:
            self._tracker.end(self.job)

    async def _pull(self) -> None:
        job, delays, attempt = self.job, Delays(RULE_BACKOFF, system_random), 0
        while not self._mac.templates.has_content(job.template, job.tag, job.content_id):
            attempt += 1
            try:
                held = await self._mac.puller.fetch(
                    job.template, job.tag, job.registry, self._note, content_id=job.content_id
                )
            except AnkaError as error:
                log.warning("pull for %s failed: %s", job.name, error, extra={"attempt": attempt})
                if is_worth_retrying(Step.PULL, error, attempt):
                    await _pause_after(attempt)
                    continue
                message = fail_instance(Step.PULL, error).message
            else:
                if held:
                    break
                message = "it was pulled, but anka does not list it"
            self._finish(message)
            if not job.is_rule:
                return
            await asyncio.sleep(delays.next())
            attempt = 0
        self._finish(None)

    async def _remove(self) -> None:
        job, templates, attempt = self.job, self._mac.templates, 0
        while await self._is_here():
            reason = explain_refusal(job, self._node.rule_templates)
            if reason is not None:
                self._finish(reason)
                return
            if waits_for := self._find_use():
                self._post(done=False, message=waits_for)
                await asyncio.sleep(WAIT_SECONDS)
                continue
            attempt += 1
            try:
                await templates.remove(job.template, job.tag)
            except AnkaError as error:
                if attempt >= ATTEMPTS or not error.transient:
                    self._finish(f"the template cannot be removed: {error}")
                    return
                await _pause_after(attempt)
        self._finish(None)

    async def _is_here(self) -> bool:
        """What is left of the template by another removal is not known before its end."""
        await self._mac.templates.wait_for_removal(self.job.template)
        return self._mac.templates.holds(self.job.template, self.job.tag)

    def _find_use(self) -> str | None:
        """What needs the template at this moment. A VM already cloned from it does not."""
        template = self.job.template
        if self._mac.puller.is_pulling(template):
            return "waits: the template is being pulled"
        if any(vm.uuid == template and vm.running for vm in self._mac.inventory.templates()):
            return "waits: the template itself runs as a VM"
        for instance in self._instances:
            if source_of(instance).template == template and self._is_being_made(instance):
                name = f"{instance.metadata.namespace}/{instance.metadata.name}"
                return f"waits: the VM of instance {name} is being made from it"
        return None

    def _is_being_made(self, instance: AnkaInstance) -> bool:
        if instance.metadata.deletion_timestamp is not None or instance.status.phase not in _STARTING:
            return False
        return self._mac.inventory.find(instance.metadata.uid) is None

    def _note(self, percent: int) -> None:
        self._percent = percent

    async def _report_progress(self) -> None:
        since = self._clock.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            work = self._tracker.work_of(self.job)
            if self.job.action != "Pull" or (work is not None and work.done):
                continue
            reported = None if work is None else work.progress_percent
            if is_report_due(reported, self._percent, self._clock.monotonic() - since):
                self._post(done=False, message=None)
                since = self._clock.monotonic()

    def _finish(self, message: str | None) -> None:
        level = logging.INFO if message is None else logging.WARNING
        log.log(level, "template job %s is over: %s", self.job.name, message or "done")
        if message is None:
            self._percent = 100
            if self.job.is_rule:
                return  # the Mac's templates show it
        self._post(done=True, message=message)

    def _post(self, *, done: bool, message: str | None) -> None:
        work = TemplateTask(
            name=self.job.name,
            uid=self.job.uid,
            round=self.job.round,
            progress_percent=max(0, min(100, self._percent)),
            done=done,
            message=shorten_bytes(shorten(message, MESSAGE_LIMIT), TASK_BYTES) if message else None,
        )
        self._tracker.post(self.job, work)


async def _pause_after(failures: int) -> None:
    await asyncio.sleep(STEP_BACKOFF.delay(failures - 1, system_random()))
