"""Does one job with a template, and says how far it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from anka_agent.anka.errors import AnkaError
from anka_agent.instances import failures
from anka_agent.instances.actions import PROGRESS_SECONDS
from anka_agent.instances.context import Context, token_of
from anka_agent.instances.fetch import fetch, look_again
from anka_agent.instances.look import wanted_template
from anka_agent.plan.decide import Step
from anka_agent.plan.distribution import Job, refusal
from anka_agent.plan.report import bounded
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.node import KeptTemplate, TemplateWork
from anka_crds.kube.backoff import Backoff, Delays, system_random

log = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
"""How often a removal looks whether the template is free: as often as the Mac is looked at."""
RULE_BACKOFF = Backoff(base=30.0, cap=600.0)
"""Between two tries of what a rule wants: it wants it for ever."""
_STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})


class Worker:
    """`work` is what there is to report, None before that: a short job is told once, when it is over."""

    def __init__(
        self, context: Context, job: Job, kept: Callable[[], list[KeptTemplate]], tell: Callable[[], None]
    ) -> None:
        self.job = job
        self.work: TemplateWork | None = None
        self._context = context
        self._kept = kept
        self._tell = tell
        self._percent = 0
        self._task = asyncio.create_task(self._run(), name=f"template job {job.name}")

    @property
    def ended(self) -> bool:
        return self._task.done()

    async def stop(self) -> None:
        """End it; a pull that others want too goes on without it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        telling = asyncio.create_task(self._tell_progress())
        try:
            await (self._pull() if self.job.action == "Pull" else self._remove())
        except Exception as error:  # a bug here must be seen where people look, and must not end the agent
            log.exception("template job failed", extra={"distribution": self.job.name})
            self._end(f"the agent failed: {error!r}")
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _pull(self) -> None:
        job, delays, attempt = self.job, Delays(RULE_BACKOFF, system_random), 0
        while not self._context.templates.holds(job.template, job.tag):
            attempt += 1
            try:
                held = await fetch(self._context, job.template, job.tag, job.registry, self._note)
            except AnkaError as error:
                log.warning("pull for %s failed: %s", job.name, error, extra={"attempt": attempt})
                if failures.worth_another_try(Step.PULL, error, attempt):
                    await asyncio.sleep(failures.delay(attempt))
                    continue
                message = failures.failure(Step.PULL, error).message
            else:
                if held:
                    break
                message = "it was pulled, but anka does not list it"
            self._end(message)
            if not job.is_rule:
                return
            await asyncio.sleep(delays.next())
            attempt = 0
        self._end(None)

    async def _remove(self) -> None:
        job, templates, attempt = self.job, self._context.templates, 0
        while templates.holds(job.template, job.tag):
            reason = refusal(job, self._kept())
            if reason is not None:
                self._end(reason)
                return
            if waits_for := self._in_use():
                self._say(done=False, message=waits_for)
                await asyncio.sleep(WAIT_SECONDS)
                continue
            attempt += 1
            try:
                try:
                    await templates.remove(job.template, job.tag)
                finally:
                    await look_again(self._context)
            except AnkaError as error:
                if attempt >= failures.ATTEMPTS or not error.transient:
                    self._end(f"the template cannot be removed: {error}")
                    return
                await asyncio.sleep(failures.delay(attempt))
        self._end(None)

    def _in_use(self) -> str | None:
        """What the template is needed for at this moment; VMs that were cloned from it need it no more."""
        template = self.job.template
        if self._context.templates.pulling(template):
            return "waits: the template is being pulled"
        if any(vm.uuid == template and vm.running for vm in self._context.inventory.templates()):
            return "waits: the template itself runs as a VM"
        for instance in self._context.store:
            if wanted_template(instance)[0] == template and self._is_being_made(instance):
                name = f"{instance.metadata.namespace}/{instance.metadata.name}"
                return f"waits: the VM of instance {name} is being made from it"
        return None

    def _is_being_made(self, instance: AnkaInstance) -> bool:
        if instance.metadata.deletion_timestamp is not None or instance.status.phase not in _STARTING:
            return False
        return self._context.inventory.of(token_of(instance)) is None

    # Telling

    def _note(self, percent: int) -> None:
        self._percent = percent

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            if self.job.action == "Pull" and (self.work is None or not self.work.done):
                self._say(done=False, message=None)

    def _end(self, message: str | None) -> None:
        level = logging.INFO if message is None else logging.WARNING
        log.log(level, "template job %s is over: %s", self.job.name, message or "done")
        if message is None:
            self._percent = 100
            if self.job.is_rule:
                return  # the Mac's templates say so
        self._say(done=True, message=message)

    def _say(self, *, done: bool, message: str | None) -> None:
        work = TemplateWork(
            name=self.job.name,
            uid=self.job.uid,
            progress_percent=max(0, min(100, self._percent)),
            done=done,
            message=bounded(message) if message else None,
        )
        if work != self.work:
            self.work = work
            self._tell()
