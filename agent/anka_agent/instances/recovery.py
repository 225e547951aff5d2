"""What happens after a step fails."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from anka_agent import metrics
from anka_agent.anka.errors import AnkaError
from anka_agent.instances.interruption import Interrupted, Interruption
from anka_agent.instances.observer import VmObserver
from anka_agent.instances.planner import InstancePlanner
from anka_agent.instances.reporter import InstanceReporter
from anka_agent.mac.start_backoff import StartBackoff
from anka_agent.plan.decide import REPORTS, Decision, Step
from anka_agent.plan.failures import StepFailed, react
from anka_agent.plan.naming import source_of
from anka_agent.plan.save import SAVE_REPORTS
from anka_agent.plan.situation import InstanceFailure
from anka_agent.saves.queue import SaveTask
from anka_agent.saves.saver import Saver
from anka_crds.api import AnkaInstance
from anka_kube.cached_client import CachedClient
from anka_kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from anka_runtime.backoff import Backoff, Delays, system_random

log = logging.getLogger(__name__)


PASSING_BACKOFF = Backoff(base=0.5, cap=30.0)
"""Delays while the API or the Mac does not answer."""
STEP_BACKOFF = Backoff(base=1.0, cap=30.0)
"""Delays between two attempts at the same step."""
CATCH_UP_SECONDS = 0.05

CheckMac = Callable[[], Awaitable[None]]
StepError = Interrupted | StepFailed | AnkaError | ApiError


@dataclass(eq=False)
class Recovery:
    """Retries and failures of one instance."""

    _instances: CachedClient[AnkaInstance]
    _observer: VmObserver
    _planner: InstancePlanner
    _saver: Saver
    _reporter: InstanceReporter
    _interruption: Interruption
    _starts: StartBackoff
    _check_mac: CheckMac
    _attempts: dict[Step, int] = field(default_factory=dict, init=False)
    _delays: Delays = field(default_factory=lambda: Delays(PASSING_BACKOFF, system_random), init=False)

    def confirm(self, task: Decision | SaveTask) -> None:
        """The step succeeded."""
        _count(task, "done")
        self._delays.reset()

    async def pause(self, retry_after: float | None = None) -> None:
        """Pause, longer each time until a step succeeds."""
        await self._interruption.pause(self._delays.next(retry_after))

    async def handle(self, task: Decision | SaveTask, error: StepError, instance: AnkaInstance) -> None:
        """Return when the next round may begin."""
        if isinstance(error, ApiError):
            _count(task, "not written")
            await self._handle_api_error(task, error, instance)
        elif isinstance(error, StepFailed):
            _count(task, "failed")
            await self._fail(error.failure, instance)
        else:
            # What the command had done by then is unknown.
            self._observer.mark_stale()
            _count(task, "interrupted" if isinstance(error, Interrupted) else "failed")
            if isinstance(error, AnkaError):
                await self._handle_anka_error(task, error, instance)

    async def _handle_anka_error(self, task: Decision | SaveTask, error: AnkaError, instance: AnkaInstance) -> None:
        if isinstance(task, SaveTask):
            failures = await self._saver.count_failure(task, error)
            if failures is not None:
                await self._pause_after(failures)
            return
        step = task.step
        attempt = self._attempts[step] = self._attempts.get(step, 0) + 1
        deleting = self._interruption.deleting.is_set()
        reaction = react(step, error, attempt, deleting=deleting, failure=self._planner.failure)
        if reaction.failure is not None:
            await self._fail(reaction.failure, instance)
            return
        log.warning("%s failed: %s; trying again", step.value, error, extra={"attempt": attempt})
        if reaction.terminating is not None:
            await self._reporter.report_terminating(instance.metadata.uid, reaction.terminating)
        await self._pause_after(attempt)

    async def _fail(self, failure: InstanceFailure, instance: AnkaInstance) -> None:
        if failure.elsewhere:
            self._starts.note_failure(source_of(instance), failure.message)
            await self._check_mac()
        self._planner.failure = failure

    async def _pause_after(self, failures: int) -> None:
        await self._interruption.pause(STEP_BACKOFF.delay(failures - 1, system_random()))

    async def _handle_api_error(self, task: Decision | SaveTask, error: ApiError, instance: AnkaInstance) -> None:
        """The write was refused: read the current object, or wait; then decide again."""
        if isinstance(error, Conflict | NotFound):
            await self._reread(instance)
            return
        step = task.decision.step if isinstance(task, SaveTask) else task.step
        loud = isinstance(error, Forbidden | Invalid)
        log.log(logging.ERROR if loud else logging.WARNING, "%s: %s; trying again", step.value, error)
        await self.pause(error.retry_after)

    async def _reread(self, instance: AnkaInstance) -> None:
        node = instance.status.node_name
        try:
            if not await self._instances.reread(instance, lambda fresh: fresh.status.node_name == node):
                await self._interruption.pause(CATCH_UP_SECONDS)
        except ApiError as error:
            log.warning("the instance cannot be read: %s; trying again", error)
            await self.pause(error.retry_after)


def is_report(task: Decision | SaveTask) -> bool:
    """Whether the step writes to the API or ends a record, rather than changing a VM."""
    return task.decision.step in SAVE_REPORTS if isinstance(task, SaveTask) else task.step in REPORTS


def _count(task: Decision | SaveTask, outcome: str) -> None:
    if isinstance(task, Decision):
        metrics.STEPS.labels(task.step.value, outcome).inc()
