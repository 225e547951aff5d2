"""Decides the next step for an instance from all that is known about it: one of its own plan, or of a save."""

import math
from collections.abc import Callable
from datetime import datetime

from anka_agent.anka.vm import Vm
from anka_agent.instances.interruption import Interruption
from anka_agent.jobs.journal import Journal
from anka_agent.mac.templates import TemplateCache
from anka_agent.plan import instance_report as report
from anka_agent.plan import options
from anka_agent.plan.decide import REPORTS, Decision, Step, decide
from anka_agent.plan.naming import source_of
from anka_agent.plan.save import SaveStep
from anka_agent.plan.situation import InstanceFailure, JobState, ObservedVm, Situation, WantedScript
from anka_agent.saves.queue import SaveTask
from anka_agent.saves.saver import Saver
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.instance import find_refusal
from anka_crds.api.limits import MAX_REFUSALS
from anka_crds.api.meta import FINALIZER
from anka_crds.rules.lifetime import late_message, start_deadline
from anka_runtime.clock import Clock


def build_situation(
    instance: AnkaInstance,
    vm: Vm | None,
    templates: TemplateCache,
    journal: Journal,
    *,
    pulled: bool,
    configured: bool,
    host_ip: str | None,
    failure: InstanceFailure | None,
) -> Situation:
    spec, status = instance.spec, instance.status
    uid = instance.metadata.uid
    script = spec.startup_script
    source = source_of(instance)
    done = last_restart(instance, journal)
    # Without a script in the spec, which cannot change, the disk need not be asked.
    job = journal.script(uid) if script is not None else None
    job_state = JobState.NONE if job is None else job.state
    result = job.result() if job is not None and script is not None and script.monitoring else None
    return Situation(
        phase=status.phase,
        deleting=instance.metadata.deletion_timestamp is not None,
        finalizer=FINALIZER in instance.metadata.finalizers,
        vm=None if vm is None else ObservedVm(vm.status, vm.ip, vm.start_date is not None),
        template_held=templates.has_content(source.template, source.tag, None if pulled else source.content_id),
        options=options.changes_anything(spec, status.mac_address),
        configured=configured,
        network=spec.network is None or spec.network.mode != "disconnected",
        grow=options.grows_container(spec) and not journal.is_grown(uid),
        script=None if script is None else WantedScript(script.condition, script.monitoring, script.fail_handler),
        job=job_state,
        exit_code=None if result is None else result.return_code,
        restart_wanted=_wants_restart(instance, done),
        report_due=report.is_outdated(instance, vm, host_ip) or (done is not None and done != status.restarted_at),
        failure=failure,
        movable=_is_movable(instance) and job_state is JobState.NONE,
        refused=find_refusal(status) is not None,
    )


def _is_movable(instance: AnkaInstance) -> bool:
    status = instance.status
    starting = status.phase in (Phase.SCHEDULING, Phase.PULLING)
    return starting and instance.spec.node is None and len(status.refusals or ()) < MAX_REFUSALS - 1


def _wants_restart(instance: AnkaInstance, done: datetime | None) -> bool:
    """A restart is for a VM that has started: a manifest that is created with restartedAt does not start it twice."""
    wanted = instance.spec.restarted_at
    if wanted is None or instance.status.phase not in (Phase.STARTED, Phase.STOPPED):
        return False
    return wanted != done


def last_restart(instance: AnkaInstance, journal: Journal) -> datetime | None:
    """spec.restartedAt of the last restart done, as far as the API or the journal knows."""
    if instance.spec.restarted_at is None:
        return instance.status.restarted_at
    kept = journal.last_restart(instance.metadata.uid)
    known = [moment for moment in (kept, instance.status.restarted_at) if moment is not None]
    # Who asks may have a slow clock: a wish can be older than the one before it.
    return instance.spec.restarted_at if instance.spec.restarted_at in known else max(known, default=None)


BuildSituation = Callable[[AnkaInstance, Vm | None, InstanceFailure | None], Situation]


class InstancePlanner:
    """For one instance. `failure` is kept until the instance is deleted: it decides what happens to the VM."""

    def __init__(self, saver: Saver, build_situation: BuildSituation, interruption: Interruption, clock: Clock) -> None:
        self.failure: InstanceFailure | None = None
        self._saver = saver
        self._build_situation = build_situation
        self._interruption = interruption
        self._clock = clock

    def plan(self, instance: AnkaInstance, vm: Vm | None) -> Decision | SaveTask | None:
        """None if there is nothing to do until something changes."""
        has_failed = self.failure is not None and instance.status.phase is not Phase.ERROR
        # A deletion and a failure of the instance come before its saves.
        if not self._interruption.deleting.is_set() and not has_failed:
            save = self._saver.next(instance, vm)
            if save is not None and save.decision.step is SaveStep.RESUME:
                # From here on the instance's own plan applies: a VM that cannot be started fails the instance.
                return Decision(Step.START)
            if save is not None:
                return None if save.decision.step is SaveStep.NOTHING else save
        decision = decide(self._build_situation(instance, vm, self.failure))
        if decision.step is Step.NOTHING:
            return None
        if self.seconds_left(decision, instance) <= 0:
            message = f"{late_message(instance)} (it was at: {decision.step})"
            self.failure = InstanceFailure(InstanceReason.START_DEADLINE_EXCEEDED, message)
            return self.plan(instance, vm)
        if decision.failure is not None:
            # Kept, because acting on the VM changes what is observed next.
            self.failure = decision.failure
        return decision

    def seconds_left(self, decision: Decision, instance: AnkaInstance) -> float:
        """Until the start deadline; infinite without one, after a failure, and for what only has to be reported."""
        deadline = start_deadline(instance)
        if deadline is None or self.failure is not None or decision.step in REPORTS:
            return math.inf
        return (deadline - self._clock.now()).total_seconds()
