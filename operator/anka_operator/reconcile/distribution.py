"""Status of a TemplateDistribution: what is meant and for which Macs, then what their agents report.

The Macs are those of the moment at which the request is taken up, or at which its spec came to mean others. One that is
done stays done, with its message if it failed; `done` without a message is success.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from anka_crds.api.distribution import DistributionPhase, NodeProgress, TemplateDistribution
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.core.conditions import observed, summarised
from anka_crds.core.distribution import aim, is_finished
from anka_crds.core.lifecycle import Health
from anka_operator.reconcile.node import offline_since
from anka_operator.reconcile.patch import Status, bounded, settled, whole
from anka_operator.scheduler.catalog import Catalog, name_of
from anka_operator.scheduler.reasons import Unscheduled

_HEALTH: dict[DistributionPhase, Health] = {
    "Pending": Health.PROGRESSING,
    "Running": Health.PROGRESSING,
    "Done": Health.READY,
    "Error": Health.FAILED,
    "Cancelled": Health.FAILED,
}
OFFLINE = "The Mac is Offline"
NO_MACS = "There is no Mac that it is for"


def meant(
    distribution: TemplateDistribution, catalog: Catalog, nodes: Iterable[AnkaNode]
) -> ResolvedTemplate | Unscheduled:
    """Template and tag as they are now. A removal needs neither in the registry: what left it can lie on Macs still,
    and is named by its UUID then. Without tag and version all tags are removed, so the result has none."""
    spec = distribution.spec
    if spec.action == "Pull" or spec.version is not None:
        found = catalog.resolve(spec)
        if isinstance(found, Unscheduled):
            return found
        return ResolvedTemplate(id=found.id, name=found.name, tag=found.tag, version=found.version)
    template = catalog.find(spec.template)
    if not isinstance(template, Unscheduled):
        return ResolvedTemplate(id=template.metadata.name, name=name_of(template), tag=spec.tag)
    if template.reason != "TemplateNotFound":
        return template
    held = next((held for node in nodes for held in node.status.templates if held.uuid == spec.template), None)
    if held is None:
        return Unscheduled(template.reason, f"{template.message}, nor on a Mac")
    return ResolvedTemplate(id=held.uuid, name=held.name, tag=spec.tag)


def waits(distribution: TemplateDistribution, why: Unscheduled, *, now: datetime) -> Status | None:
    """Not taken up yet, and why; None when that is told already."""
    return _patch(distribution, "Pending", why.reason, why.message, now)


def refused(distribution: TemplateDistribution, why: Unscheduled, *, now: datetime) -> Status | None:
    """What it asks for is not there: it does not begin."""
    facts = {"requested_at": _requested(distribution, now), "aimed_at": aim(distribution.spec)}
    return _patch(distribution, "Error", why.reason, why.message, now, **facts)


def taken_up(
    distribution: TemplateDistribution,
    template: ResolvedTemplate,
    names: Iterable[str],
    *,
    registry: str | None,
    now: datetime,
) -> Status | None:
    """The template, and the Macs that it is for from now on."""
    entries = [NodeProgress(node_name=name) for name in names]
    facts = {
        "requested_at": _requested(distribution, now),
        "template": template,
        "registry": registry,
        "aimed_at": aim(distribution.spec),
    }
    if not entries:
        return _patch(distribution, "Done", "NoMacs", NO_MACS, now, **facts)
    doing = "Pulling" if distribution.spec.action == "Pull" else "Removing"
    words = f"{doing} {_words(template)} {'to' if doing == 'Pulling' else 'from'} {_macs(len(entries))}"
    return _patch(distribution, "Running", doing, words, now, nodes=entries, **facts)


def aims_elsewhere(distribution: TemplateDistribution) -> bool:
    """Whether its spec is for other Macs than it was when they were chosen. Not for one that never began, or that was
    cancelled. Macs that join a group, or the cloud, are no reason: a rule would be for that."""
    spec, status = distribution.spec, distribution.status
    if status.template is None or spec.cancelled:
        return False
    named = {entry.node_name for entry in status.nodes} != set(spec.nodes) if spec.nodes else False
    return named or status.aimed_at not in (None, aim(spec))


def aimed_anew(distribution: TemplateDistribution, names: Iterable[str], *, now: datetime) -> Status | None:
    """These are its Macs from now on: new ones begin, and those that are none of them any more are left as they are."""
    known = {entry.node_name: entry for entry in distribution.status.nodes}
    entries = [known.get(name) or NodeProgress(node_name=name) for name in names]
    facts = {"nodes": entries, "aimed_at": aim(distribution.spec), "finished_at": None}
    if not entries:
        return _patch(
            distribution, "Done", "NoMacs", NO_MACS, now, **{**facts, "finished_at": now.replace(microsecond=0)}
        )
    words = (
        f"Other Macs are meant now: {_macs(len(entries))}, {sum(entry.done for entry in entries)} of them done before"
    )
    return _patch(distribution, "Running", "MacsChanged", words, now, **facts)


def progressed(
    distribution: TemplateDistribution, nodes: Mapping[str, AnkaNode], *, lost_seconds: float, now: datetime
) -> tuple[Status | None, float]:
    """The patch for what the agents report by now, None if there is no news; and the seconds until time alone makes
    a difference. `lost_seconds`: how long a Mac may be Offline before it is given up."""
    found = [
        _progress(entry, nodes.get(entry.node_name), distribution, lost_seconds, now)
        for entry in distribution.status.nodes
    ]
    entries, wait = [entry for entry, _ in found], min((wait for _, wait in found), default=math.inf)
    failed = [entry for entry in entries if entry.done and entry.message]
    template = distribution.status.template
    what = _words(template) if template is not None else distribution.spec.template
    if not all(entry.done for entry in entries):
        before = next((one for one in distribution.status.conditions if one.type == "Ready"), None)
        reason, message = (before.reason, before.message) if before is not None else ("Running", what)
        return _patch(distribution, "Running", reason, message, now, nodes=entries), wait
    if failed:
        first = failed[0]
        words = f"{len(failed)} of {_macs(len(entries))} failed; {first.node_name}: {first.message}"
        return _patch(distribution, "Error", "Failed", words, now, nodes=entries), math.inf
    done = "has" if distribution.spec.action == "Pull" else "no longer has"
    words = f"{'Each' if len(entries) > 1 else 'The'} Mac {done} {what}"
    return _patch(distribution, "Done", "Done", words, now, nodes=entries), math.inf


def cancelled(distribution: TemplateDistribution, *, now: datetime) -> Status | None:
    entries = distribution.status.nodes
    done = sum(entry.done for entry in entries)
    words = f"Cancelled when {done} of {_macs(len(entries))} had finished" if entries else "Cancelled before it began"
    return _patch(
        distribution, "Cancelled", "Cancelled", words, now, requested_at=_requested(distribution, now), nodes=entries
    )


def seen(distribution: TemplateDistribution) -> Status | None:
    """Nothing follows from a change of one that is over, but whoever waits for observedGeneration must see it."""
    generation = distribution.metadata.generation
    if distribution.status.observed_generation == generation:
        return None
    conditions = observed(distribution.status.conditions, generation)
    wanted = distribution.status.model_copy(update={"conditions": conditions, "observed_generation": generation})
    return whole(wanted, distribution.status)


def expires_in(distribution: TemplateDistribution, now: datetime) -> float:
    """Seconds until the object is to be deleted; infinite without a time to live."""
    ttl, finished = distribution.spec.ttl_seconds_after_finished, distribution.status.finished_at
    if ttl is None or finished is None or not is_finished(distribution.status):
        return math.inf
    return max(0.0, ttl - (now - finished).total_seconds())


def _progress(
    entry: NodeProgress, node: AnkaNode | None, of: TemplateDistribution, lost_seconds: float, now: datetime
) -> tuple[NodeProgress, float]:
    """The entry as it is now, and the seconds until time alone changes it."""
    if entry.done:
        return entry, math.inf
    if node is None:
        words = f"There is no AnkaNode {entry.node_name}"
        return entry.model_copy(update={"done": True, "message": words}), math.inf
    report = next((work for work in node.status.distributions if work.uid == of.metadata.uid), None)
    if report is not None and report.done:
        percent = 100 if report.message is None else report.progress_percent
        return _entry(entry, True, percent, report.message), math.inf
    percent = report.progress_percent if report is not None else entry.progress_percent
    if node.status.state is not NodeState.OFFLINE:
        return _entry(entry, False, percent, report.message if report is not None else None), math.inf
    since = offline_since(node)
    left = lost_seconds - (now - since).total_seconds() if since is not None else lost_seconds
    if left > 0:
        return _entry(entry, False, percent, OFFLINE), left
    return _entry(entry, True, percent, f"{OFFLINE}, and was given up"), math.inf


def _entry(entry: NodeProgress, done: bool, percent: int, message: str | None) -> NodeProgress:
    return entry.model_copy(update={"done": done, "progress_percent": percent, "message": message})


def _patch(
    distribution: TemplateDistribution, phase: DistributionPhase, reason: str, message: str, now: datetime, **more: Any
) -> Status | None:
    """The whole status as a patch; None when it is so already."""
    status, generation = distribution.status, distribution.metadata.generation
    conditions = summarised(
        settled(status.conditions), _HEALTH[phase], reason, bounded(message, 1024), generation=generation, now=now
    )
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
    wanted = wanted.model_copy(update={"progress": _summary(wanted.nodes)})
    return whole(wanted, status) or None


def _summary(entries: list[NodeProgress]) -> str | None:
    if not entries:
        return None
    mean = sum(100 if entry.done else entry.progress_percent for entry in entries) // len(entries)
    return f"{sum(entry.done for entry in entries)}/{len(entries)} ({mean} %)"


def _requested(distribution: TemplateDistribution, now: datetime) -> datetime:
    return distribution.status.requested_at or now.replace(microsecond=0)


def _words(template: ResolvedTemplate) -> str:
    return f"{template.name or template.id}{f':{template.tag}' if template.tag else ''}"


def _macs(number: int) -> str:
    return f"{number} {'Mac' if number == 1 else 'Macs'}"
