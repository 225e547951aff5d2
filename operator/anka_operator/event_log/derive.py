"""What has happened to an object, read from the object alone: the records of its whole life until now, in order. Pure.

They are derived from states, not from changes: a process that starts late, or whose watch has missed some states, finds
the same records, with the same ids. `select_new` leaves out what is written already.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, Phase, TemplateDistribution
from anka_crds.api.defaults import PRIORITY
from anka_crds.api.meta import REGISTRY_DELETION, REQUESTED_BY, KubeObject
from anka_crds.rules.naming import instance_id, stable_uuid
from anka_crds.rules.text import shorten
from anka_operator.event_log import record as names
from anka_operator.event_log.record import EventRecord
from anka_registry.central_logs.secret_filter import cover_shapes

ResolveTemplate = Callable[[str], str]
"""The UUID of the template that is meant by a word in a spec; the word itself where that is not known."""

LONGEST_MESSAGE = 4096
"""Characters of a message."""
OUTCOME = "outcome"
"""Slot of the one answer to a start: VMStarted or VMFailedToStart."""
NEVER_STARTED = "it was terminated before it had started"


def instance_records(
    instance: AnkaInstance, to_uuid: ResolveTemplate, now: datetime, *, gone: bool = False
) -> list[EventRecord]:
    """StartVM, its one outcome, TerminateVM, VMTerminated: as far as it has come, each once and in this order. `gone`:
    the object no longer exists; its last state."""
    meta, spec, status = instance.metadata, instance.spec, instance.status
    created, deleted = meta.creation_timestamp or now, meta.deletion_timestamp
    id_ = instance_id(meta.name, meta.uid)
    whose = {
        "external_id": spec.external_id,
        "permission_group": spec.permission_group,
        "user": meta.annotations.get(REQUESTED_BY),
    }
    whose = {key: value for key, value in whose.items() if value}
    if gone and deleted is None:
        deleted = now

    def make(name: str, time: datetime, *, slot: str = "", seen: datetime | None = None, **fields: Any) -> EventRecord:
        return _record(instance, name, time, {"instance_id": id_, **whose, **fields}, id_, slot=slot, seen=seen)

    found = [
        make(
            names.START_VM,
            created,
            template_id=to_uuid(spec.template),
            tag=spec.tag or "",
            group_id=spec.group,
            node_id=spec.node,
            priority=0 if spec.priority == PRIORITY else spec.priority,
        )
    ]
    # A Mac writes its status later than it happened, after an outage much later.
    seen = status.updated_at
    if status.started_at is not None or status.phase is Phase.STARTED:
        found.append(
            make(names.VM_STARTED, status.started_at or now, slot=OUTCOME, seen=seen, state=Phase.STARTED.value)
        )
    elif status.phase is Phase.ERROR or deleted is not None:
        failed = status.phase is Phase.ERROR
        message = (status.message or "it failed") if failed else NEVER_STARTED
        found.append(
            make(
                names.VM_FAILED_TO_START,
                (status.finished_at if failed else deleted) or now,
                slot=OUTCOME,
                seen=seen if failed else None,
                state=Phase.ERROR.value,
                message=shorten(cover_shapes(message), LONGEST_MESSAGE),
            )
        )
    if deleted is not None:
        # Who terminates it is not on the object, and whose it is would be taken for that.
        named = {key: value for key, value in whose.items() if key != "user"}
        ended = {"instance_id": id_, **named, "instance_state": Phase.TERMINATING.value}
        found.append(_record(instance, names.TERMINATE_VM, deleted, ended, id_))
    if gone:
        found.append(make(names.VM_TERMINATED, now, state=Phase.TERMINATED.value))
    return found


def distribution_records(
    distribution: TemplateDistribution, to_uuid: ResolveTemplate, now: datetime
) -> list[EventRecord]:
    """The request, and each Mac that has the template now. Removals are no event of the old controller."""
    meta, spec, status = distribution.metadata, distribution.spec, distribution.status
    if spec.action != "Pull":
        return []
    user = meta.annotations.get(REQUESTED_BY)
    request = {"request_id": meta.name, "template_id": to_uuid(spec.template)}
    asked = {
        **request,
        "tag": spec.tag or "",
        "version": spec.version,
        "node_ids": list(spec.nodes),
        "group_id": spec.group,
        **({"user": user} if user else {}),
    }
    found = [_record(distribution, names.DISTRIBUTE_TEMPLATE, meta.creation_timestamp or now, asked, meta.name)]
    tag = (status.template.tag if status.template is not None else None) or spec.tag or ""
    found += [
        _record(
            distribution,
            names.TEMPLATE_PULLED,
            status.finished_at or now,
            {**request, "tag": tag, "node_id": node.node_name},
            meta.name,
            attempt=f"{node.node_name}/{node.round or 1}",
        )
        for node in status.nodes
        if node.done and not node.message
    ]
    return found


def template_records(template: AnkaTemplate, now: datetime) -> list[EventRecord]:
    """A deletion by REST: the shim, which has deleted it in the registry, says so on the AnkaTemplate."""
    meta = template.metadata
    token = meta.annotations.get(REGISTRY_DELETION)
    if token is None:
        return []
    user = meta.annotations.get(REQUESTED_BY)
    fields = {"template_id": meta.name, **({"user": user} if user else {})}
    return [_record(template, names.DELETE_TEMPLATE, now, fields, meta.name, attempt=token)]


def node_records(before: AnkaNode | None, node: AnkaNode, now: datetime, *, gone: bool = False) -> list[EventRecord]:
    """What was changed in its spec since `before`, by REST or kubectl, and its end. A Mac that leaves by itself is not
    deleted by anybody."""
    meta = node.metadata
    who = {"node_id": meta.name, "node_name": node.spec.display_name or meta.name}
    found = []
    changed = {} if before is None else _changed_fields(before, node)
    if changed:
        attempt = str(meta.generation)
        found.append(_record(node, names.CONFIG_NODE, now, {**who, **changed}, meta.name, attempt=attempt))
    if (gone or meta.deletion_timestamp is not None) and not node.status.leaving:
        found.append(_record(node, names.DELETE_NODE, meta.deletion_timestamp or now, who, meta.name))
    if gone:
        found.append(_record(node, names.NODE_UNREGISTERED, now, who, meta.name))
    return found


def _changed_fields(before: AnkaNode, after: AnkaNode) -> dict[str, Any]:
    old, new = before.spec.model_dump(mode="json"), after.spec.model_dump(mode="json")
    return {key: value for key, value in new.items() if value != old[key]}


def _record(
    about: KubeObject,
    name: str,
    time: datetime,
    fields: dict[str, Any],
    subject: str,
    *,
    attempt: str = "",
    slot: str = "",
    seen: datetime | None = None,
) -> EventRecord:
    """`attempt`: which of several alike about one object. `seen`: when the object showed it, if that was later."""
    moment = time.timestamp()
    return EventRecord(
        event_id=stable_uuid("event-log", about.metadata.uid, name, attempt),
        name=name,
        slot=slot or f"{name}/{attempt}",
        subject=subject,
        time=int(moment),
        noticed=moment if seen is None else max(moment, seen.timestamp()),
        fields=fields,
    )
