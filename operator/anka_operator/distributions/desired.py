"""Status of a TemplateDistribution: which template and which Macs, then what their agents report.

The Macs are selected when the request starts, and again when its spec selects others. A Mac that is done stays done,
with a message if it failed; `done` without a message means success.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from anka_crds.api.conditions import ConditionType, DistributionReason, InstanceReason
from anka_crds.api.distribution import (
    DistributionPhase,
    TemplateDistribution,
    TemplateDistributionStatus,
)
from anka_crds.api.limits import PROGRESS_BYTES
from anka_crds.api.node import AnkaNode
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.rules.condition_list import find, with_generation
from anka_crds.rules.distribution import describe_selection, is_finished
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_crds.rules.text import shorten, shorten_bytes
from anka_operator.distributions.progress import follow_mac, with_outcome
from anka_operator.distributions.turns import advance_turns, begin_turns
from anka_operator.status_patch import StatusPatch, diff, with_own_health
from anka_scheduler.catalog import TemplateCatalog, display_name
from anka_scheduler.reasons import WaitReason, closed_to

_HEALTH: dict[DistributionPhase, Health] = {
    "Pending": Health.PROGRESSING,
    "Running": Health.PROGRESSING,
    "Done": Health.READY,
    "Error": Health.FAILED,
    "Cancelled": Health.FAILED,
}
MESSAGE_LIMIT = 1024
"""Of the messages of all Macs together: etcd takes 1.5 MiB for an object."""
NO_MACS = "No Mac is selected"
CANCELLED = "The request was cancelled"


def resolve_template(
    distribution: TemplateDistribution, catalog: TemplateCatalog, nodes: Iterable[AnkaNode]
) -> ResolvedTemplate | WaitReason:
    """Template and tag as they are now. A removal needs neither in the registry: Macs may still hold a template that it
    no longer has, then named by its UUID. Without tag and version all tags are removed, so the result has none."""
    spec = distribution.spec
    if spec.action == "Pull" or spec.version is not None:
        found = catalog.resolve(spec)
        if isinstance(found, WaitReason):
            return found
        return ResolvedTemplate(
            id=found.id, name=found.name, tag=found.tag, version=found.version, content_id=found.content_id
        )
    template = catalog.find(spec.template)
    if not isinstance(template, WaitReason):
        return ResolvedTemplate(id=template.metadata.name, name=display_name(template), tag=spec.tag)
    if template.reason != InstanceReason.TEMPLATE_NOT_FOUND:
        return template
    local = next((local for node in nodes for local in node.status.templates if local.uuid == spec.template), None)
    if local is None:
        return WaitReason(template.reason, f"{template.message}, nor on a Mac")
    return ResolvedTemplate(id=local.uuid, name=local.name, tag=spec.tag)


def wait_status(distribution: TemplateDistribution, why: WaitReason, *, now: datetime) -> StatusPatch | None:
    """The request has not started yet, and why; None if the status already says so."""
    return _patch(distribution, "Pending", DistributionReason(why.reason), why.message, now)


def refusal_status(distribution: TemplateDistribution, why: WaitReason, *, now: datetime) -> StatusPatch | None:
    """The request fails without starting: what it names does not exist."""
    facts = {"requested_at": _request_time(distribution, now), "aimed_at": describe_selection(distribution.spec)}
    return _patch(distribution, "Error", DistributionReason(why.reason), why.message, now, **facts)


def closed_status(
    distribution: TemplateDistribution, node: str, permission_group: str, *, now: datetime
) -> StatusPatch | None:
    """The request fails without starting: its group must not use this Mac."""
    facts = {"requested_at": _request_time(distribution, now), "aimed_at": describe_selection(distribution.spec)}
    message = f"Node {node} {closed_to(permission_group).predicate}"
    return _patch(distribution, "Error", DistributionReason.NOT_PERMITTED, message, now, **facts)


def start_status(
    distribution: TemplateDistribution,
    template: ResolvedTemplate,
    names: Iterable[str],
    *,
    registry: str | None,
    now: datetime,
) -> StatusPatch | None:
    """The request starts: the template is resolved and the Macs are selected."""
    entries, turns = begin_turns(names, {})
    facts = {
        **turns,
        "requested_at": _request_time(distribution, now),
        "template": template,
        "registry": registry,
        "aimed_at": describe_selection(distribution.spec),
    }
    if not entries:
        return _patch(distribution, "Done", DistributionReason.NO_MACS, NO_MACS, now, **facts)
    doing = DistributionReason.PULLING if distribution.spec.action == "Pull" else DistributionReason.REMOVING
    direction = "to" if doing is DistributionReason.PULLING else "from"
    message = f"{doing} {_describe(template)} {direction} {_count_macs(len(entries) + (turns['waiting'] or 0))}"
    return _patch(distribution, "Running", doing, message, now, nodes=entries, **facts)


def has_new_targets(distribution: TemplateDistribution, nodes: NameCatalog = NO_NAMES) -> bool:
    """Whether its spec now selects different Macs than before. Never for a request that has not started
    or was cancelled. Macs that join the group or the cloud do not count: rules of templates are for that; nor do Macs
    that get other names. `nodes`: all that there are."""
    spec, status = distribution.spec, distribution.status
    if status.template is None or spec.cancelled or status.observed_generation == distribution.metadata.generation:
        return False
    named = {entry.node_name for entry in status.nodes} != nodes.to_ids(spec.nodes) if spec.nodes else False
    return named or status.aimed_at not in (None, describe_selection(spec))


def retarget_status(distribution: TemplateDistribution, names: Iterable[str], *, now: datetime) -> StatusPatch | None:
    """The request now has other Macs: new ones start, and those that are no longer selected stay as they are."""
    known = {entry.node_name: entry for entry in distribution.status.nodes}
    # One that was selected before, and is again, may still report how that ended.
    entries, turns = begin_turns(names, known, distribution.metadata.generation)
    facts: dict[str, Any] = {
        **turns,
        "nodes": entries,
        "aimed_at": describe_selection(distribution.spec),
        "finished_at": None,
    }
    if not entries:
        facts["finished_at"] = now.replace(microsecond=0)
        return _patch(distribution, "Done", DistributionReason.NO_MACS, NO_MACS, now, **facts)
    done = sum(entry.done for entry in entries)
    total = len(entries) + (turns["waiting"] or 0)
    message = f"Other Macs are selected now: {_count_macs(total)}, {done} of them done before"
    return _patch(distribution, "Running", DistributionReason.MACS_CHANGED, message, now, **facts)


def progress_status(
    distribution: TemplateDistribution,
    nodes: Mapping[str, AnkaNode],
    *,
    lost_seconds: float,
    now: datetime,
    targets: Sequence[str] = (),
) -> tuple[StatusPatch | None, float]:
    """The patch for what the agents have reported, None if there is nothing new; and the seconds until time alone makes
    a difference. `lost_seconds`: how long a Mac may be Offline before it fails. `targets`: all Macs that the spec
    selects, sorted, if some of them still wait for a place in the list."""
    found = [
        follow_mac(entry, nodes.get(entry.node_name), distribution, lost_seconds, now)
        for entry in distribution.status.nodes
    ]
    entries, wait = [entry for entry, _ in found], min((wait for _, wait in found), default=math.inf)
    entries, turns = advance_turns(distribution.status, entries, targets)
    waiting = turns["waiting"] or 0
    total = (turns["finished"] or 0) + len(entries) + waiting
    failed = [entry for entry in entries if entry.done and entry.message]
    template = distribution.status.template
    what = _describe(template) if template is not None else distribution.spec.template
    if not all(entry.done for entry in entries):
        reason, message = DistributionReason.RUNNING, what
        if (before := find(distribution.status.conditions, ConditionType.READY)) is not None:
            reason, message = DistributionReason.parse(before.reason, reason), before.message
        return _patch(distribution, "Running", reason, message, now, nodes=entries, **turns), wait
    if failed:
        first = failed[0]
        also = f", so that {waiting} were not asked" if waiting else ""
        message = f"{len(failed)} of {_count_macs(total)} failed{also}; {first.node_name}: {first.message}"
        return _patch(distribution, "Error", DistributionReason.FAILED, message, now, nodes=entries, **turns), math.inf
    done = "has" if distribution.spec.action == "Pull" else "no longer has"
    message = f"{'Each' if total > 1 else 'The'} Mac {done} {what}"
    return _patch(distribution, "Done", DistributionReason.DONE, message, now, nodes=entries, **turns), math.inf


def cancel_status(distribution: TemplateDistribution, *, now: datetime) -> StatusPatch | None:
    entries = distribution.status.nodes
    finished, waiting = distribution.status.finished or 0, distribution.status.waiting or 0
    done = finished + sum(entry.done for entry in entries)
    message = f"Cancelled when {done} of {_count_macs(finished + len(entries) + waiting)} had finished"
    entries = [
        entry if entry.done else with_outcome(entry, True, entry.progress_percent, CANCELLED) for entry in entries
    ]
    facts = {"requested_at": _request_time(distribution, now), "nodes": entries}
    message = message if entries else "Cancelled before it began"
    return _patch(distribution, "Cancelled", DistributionReason.CANCELLED, message, now, **facts)


def acknowledge(distribution: TemplateDistribution) -> StatusPatch | None:
    """A change of a finished request has no effect, but clients that wait for observedGeneration must see it."""
    generation = distribution.metadata.generation
    if distribution.status.observed_generation == generation:
        return None
    conditions = with_generation(distribution.status.conditions, generation)
    wanted = distribution.status.model_copy(update={"conditions": conditions, "observed_generation": generation})
    return diff(distribution.status, wanted)


def expires_in(distribution: TemplateDistribution, now: datetime) -> float:
    """Seconds until the object is to be deleted; infinite without a time to live."""
    ttl, finished = distribution.spec.ttl_seconds_after_finished, distribution.status.finished_at
    if ttl is None or finished is None or not is_finished(distribution.status):
        return math.inf
    return max(0.0, ttl - (now - finished).total_seconds())


def _patch(
    distribution: TemplateDistribution,
    phase: DistributionPhase,
    reason: DistributionReason,
    message: str,
    now: datetime,
    **more: Any,
) -> StatusPatch | None:
    """A patch to this status; None if it is already the current one."""
    status, generation = distribution.status, distribution.metadata.generation
    conditions = with_own_health(distribution, _HEALTH[phase], reason, shorten(message, 1024), now)
    moment = now.replace(microsecond=0)
    wanted = status.model_copy(
        update={
            "phase": phase,
            "observed_generation": generation,
            "conditions": conditions,
            "finished_at": status.finished_at or (moment if phase in ("Done", "Error", "Cancelled") else None),
            **more,
        }
    )
    limit = min(MESSAGE_LIMIT, PROGRESS_BYTES // max(1, len(wanted.nodes)))
    nodes = [
        entry.model_copy(update={"message": shorten_bytes(entry.message, limit)}) if entry.message else entry
        for entry in wanted.nodes
    ]
    wanted = wanted.model_copy(update={"nodes": nodes, "progress": _summary(wanted)})
    return diff(status, wanted) or None


def _summary(status: TemplateDistributionStatus) -> str | None:
    entries, finished = status.nodes, status.finished or 0
    if not entries:
        return None
    waiting = status.waiting or 0
    total = finished + len(entries) + waiting
    failed = sum(entry.done and entry.message is not None for entry in entries)
    done = finished + sum(entry.done for entry in entries) - failed
    succeeded = (100 if entry.done and not entry.message else entry.progress_percent for entry in entries)
    mean = (100 * finished + sum(succeeded)) // total
    missing = failed + (waiting if is_finished(status) else 0)
    return f"{done}/{total} ({mean} %)" + (f", {missing} not done" if missing else "")


def _request_time(distribution: TemplateDistribution, now: datetime) -> datetime:
    return distribution.status.requested_at or now.replace(microsecond=0)


def _describe(template: ResolvedTemplate) -> str:
    return f"{template.name or template.id}{f':{template.tag}' if template.tag else ''}"


def _count_macs(number: int) -> str:
    return f"{number} {'Mac' if number == 1 else 'Macs'}"
