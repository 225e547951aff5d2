"""The situation of an instance, from its object, the Mac and the journal. Pure but for small files of the journal."""

from __future__ import annotations

from datetime import datetime

from anka_agent.anka.vm import Vm
from anka_agent.instances.journal import Journal
from anka_agent.instances.pulls import Templates
from anka_agent.plan import options, report
from anka_agent.plan.situation import Failure, Script, SeenVm, Situation
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.meta import FINALIZER


def situation(
    instance: AnkaInstance,
    vm: Vm | None,
    templates: Templates,
    journal: Journal,
    *,
    configured: bool,
    failure: Failure | None,
) -> Situation:
    spec, status = instance.spec, instance.status
    uid = instance.metadata.uid
    script = spec.startup_script
    template_id, tag = wanted_template(instance)
    done = restarted(instance, journal)
    job = journal.script(uid)
    result = job.result() if script is not None and script.monitoring else None
    return Situation(
        phase=status.phase,
        deleting=instance.metadata.deletion_timestamp is not None,
        finalizer=FINALIZER in instance.metadata.finalizers,
        vm=None if vm is None else SeenVm(vm.status, vm.ip, vm.start_date is not None),
        template_held=templates.holds(template_id, tag),
        options=options.changes_anything(spec),
        configured=configured,
        network=spec.network is None or spec.network.mode != "disconnected",
        grow=options.grows_container(spec) and not journal.grown(uid),
        script=None if script is None else Script(script.condition, script.monitoring, script.fail_handler),
        job=job.state,
        exit_code=None if result is None else result.return_code,
        restart_wanted=restart_wanted(instance, done),
        report_due=report.differs(instance, vm) or (done is not None and done != status.restarted_at),
        failure=failure,
    )


def wanted_template(instance: AnkaInstance) -> tuple[str, str | None]:
    """UUID and tag as the scheduler resolved them; what was asked for where it did not."""
    resolved = instance.status.template
    if resolved is None:
        return instance.spec.template, instance.spec.tag
    return resolved.id, resolved.tag


def restart_wanted(instance: AnkaInstance, done: datetime | None) -> bool:
    """A restart is for a VM that has started: a manifest that brings restartedAt along does not start it twice."""
    wanted = instance.spec.restarted_at
    if wanted is None or instance.status.phase not in (Phase.STARTED, Phase.STOPPED):
        return False
    return wanted != done


def restarted(instance: AnkaInstance, journal: Journal) -> datetime | None:
    """spec.restartedAt of the last restart done, as far as the API or the journal knows."""
    if instance.spec.restarted_at is None:
        return instance.status.restarted_at
    kept = journal.restarted_at(instance.metadata.uid)
    known = [moment for moment in (kept, instance.status.restarted_at) if moment is not None]
    return max(known, default=None)
