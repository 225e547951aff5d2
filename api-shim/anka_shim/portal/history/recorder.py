"""What the watches tell, as history: each change is looked at once."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.conditions import ConditionType
from anka_crds.api.node import MacUsage
from anka_crds.api.states import NodeState, Phase
from anka_crds.rules.condition_list import find
from anka_kube.store import EventType
from anka_runtime.clock import Clock
from anka_scheduler.node import to_schedulable
from anka_scheduler.shape import is_pending
from anka_scheduler.size import DEFAULT_SIZE
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import template_id
from anka_shim.node.answer import load
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.portal.history.failures import FailureMemory, FailureRecord
from anka_shim.portal.history.past_instances import NodeInstances, PastInstance
from anka_shim.portal.history.samples import Sample, SampleMemory, UsageMemory
from anka_shim.portal.history.starts import BindRecord, StartMemory, StartRecord
from anka_shim.portal.history.timeline import NOTHING_SEEN, PullRecord, list_steps
from anka_shim.store.caches import Stores
from anka_shim.times import rfc3339

USAGE_SECONDS = 60
FRESH_SECONDS = 120.0
_HOUR = 3600
MOVED = "Moved"
"""Of an instance that left a Mac without a failure of that Mac."""


class HistoryRecorder:
    """What was before `since` is not in any figure."""

    def __init__(self, stores: Stores, heartbeats: NodeHeartbeats, clock: Clock, rights: ResourceRights) -> None:
        self._stores = stores
        self._heartbeats = heartbeats
        self._clock = clock
        self._rights = rights
        self.since = clock.now()
        self.samples = SampleMemory()
        self.usages = UsageMemory(_HOUR // USAGE_SECONDS)
        self.starts = StartMemory()
        self.failures = FailureMemory()
        self.instances = NodeInstances()
        self._pulls: dict[str, PullRecord] = {}
        self._started = self._failed = 0
        stores.instances.subscribe(self._on_instance)
        stores.nodes.subscribe(self._on_node)

    def node_failures(self, node: str) -> dict[str, Any] | None:
        """`failures` of its row: of the last 24 hours, as far as this replica has seen them."""
        found = self.failures.of_node(node, self.now().timestamp())
        if not found:
            return None
        last = found[-1]
        shown = {"at": rfc3339(datetime.fromtimestamp(last.at, self.since.tzinfo)), "reason": last.reason}
        # Who sees the node need not see the instance.
        if not self._rights.is_on:
            shown |= {"message": last.message, "instance": last.instance}
        return {"count": len(found), "last": shown}

    def pull_of(self, instance: AnkaInstance) -> PullRecord:
        return self._pulls.get(instance.metadata.uid, NOTHING_SEEN)

    # --- what is looked at ---

    def take_sample(self) -> None:
        now = self.now()
        waiting = [one for one in self._stores.instances if is_pending(one)]
        since = [found for one in waiting if (found := _waits_since(one)) is not None]
        self.samples.add(
            Sample(
                t=int(now.timestamp()),
                running=sum(1 for one in self._stores.instances if one.status.phase is Phase.STARTED),
                waiting=len(waiting),
                capacity=sum(count_slots(node) for node in self._stores.nodes),
                oldest_wait=int(max(0.0, (now - min(since)).total_seconds())) if since else 0,
                started=self._started,
                failed=self._failed,
            )
        )
        self._started = self._failed = 0

    def take_usages(self) -> None:
        second = int(self.now().timestamp())
        for node in self._stores.nodes:
            name = node.metadata.name
            usage = self._fresh_usage(name) or node.status.usage
            vms = load(self._stores.instances_on(name)).vms
            cpu, ram = (usage.cpu_percent, usage.ram_percent) if usage is not None else (0, 0)
            self.usages.add(name, (second, vms, cpu, ram))

    def _fresh_usage(self, node: str) -> MacUsage | None:
        """Of its last heartbeat, which is read while somebody looks at nodes; else the object's own is newer."""
        beat = self._heartbeats.get(node)
        if beat is None or beat.at is None or (self.now() - beat.at).total_seconds() > FRESH_SECONDS:
            return None
        return beat.usage

    def now(self) -> datetime:
        return self._clock.now()

    # --- what is told ---

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is None and old is not None:
            for memory in (self.failures, self.instances, self.usages):
                memory.forget_node(old.metadata.name)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is None:
            if old is not None:
                self._end(old)
            return
        self._note_bind(old, new)
        self._note_pull(old, new)
        self._note_start(old, new)
        self._note_failures(old, new)
        self._note_past(old, new)

    def _is_new(self, before: datetime | None, after: datetime | None, *, is_first: bool) -> bool:
        """Whether a time has just been written; or was, since this replica began, on an object that it now sees for the
        first time."""
        if after is None or before == after:
            return False
        return after >= self.since if is_first else True

    def _note_bind(self, old: AnkaInstance | None, new: AnkaInstance) -> None:
        status = new.status
        before = None if old is None else old.status.scheduled_at
        if status.scheduled_at is None or not self._is_new(before, status.scheduled_at, is_first=old is None):
            return
        needed = {Phase.PULLING: True, Phase.SCHEDULING: False}.get(status.phase)
        self._pulls[new.metadata.uid] = PullRecord(needed)
        since = _waits_since(new)
        waited = max(0.0, (status.scheduled_at - since).total_seconds()) if since is not None else 0.0
        self.starts.record_bind(BindRecord(self.now().timestamp(), waited, needed))

    def _note_pull(self, old: AnkaInstance | None, new: AnkaInstance) -> None:
        uid, status = new.metadata.uid, new.status
        if old is None or old.status.node_name != status.node_name:
            return
        seen = self._pulls.get(uid)
        if seen is not None and seen.needed and old.status.phase is Phase.PULLING and status.phase is Phase.SCHEDULING:
            # By the Mac's clock, as the times of the VM.
            self._pulls[uid] = replace(seen, ended_at=status.updated_at or self.now())

    def _note_start(self, old: AnkaInstance | None, new: AnkaInstance) -> None:
        status = new.status
        before = None if old is None else old.status.started_at
        if status.started_at is None or not self._is_new(before, status.started_at, is_first=old is None):
            return
        self._started += 1
        steps = list_steps(new, self.pull_of(new))
        bound = status.scheduled_at
        seconds = max(0.0, (status.started_at - bound).total_seconds()) if bound is not None else 0.0
        template = status.template.id if status.template is not None else new.spec.template
        self.starts.record_start(StartRecord(self.now().timestamp(), template, seconds, steps))

    def _note_failures(self, old: AnkaInstance | None, new: AnkaInstance) -> None:
        status = new.status
        refusals = status.refusals or []
        known = len(old.status.refusals or []) if old is not None else len(refusals)
        for refusal in refusals[known:]:
            self._fail(new, refusal.node_name, refusal.reason, refusal.message)
        if status.phase is not Phase.ERROR or (old is not None and old.status.phase is Phase.ERROR):
            return
        if old is None and (status.finished_at is None or status.finished_at < self.since):
            return
        self._failed += 1
        ready = find(status.conditions, ConditionType.READY)
        # A Mac that has refused it is counted with the refusal.
        node = None if any(one.node_name == status.node_name for one in refusals) else status.node_name
        reason = ready.reason if ready is not None else Phase.ERROR.value
        self._fail(new, node, reason, status.message or (ready.message if ready is not None else ""))

    def _fail(self, instance: AnkaInstance, node: str | None, reason: str, message: str) -> None:
        id_ = self._stores.id_of(instance)
        self.failures.record(FailureRecord(self.now().timestamp(), reason, message, id_, node))

    def _note_past(self, old: AnkaInstance | None, new: AnkaInstance) -> None:
        before = old.status.node_name if old is not None else None
        if old is not None and before is not None and before != new.status.node_name:
            self._leave(before, new)
        past = self._to_past(new)
        if past is not None and new.status.node_name is not None:
            self.instances.record(new.status.node_name, past)

    def _leave(self, node: str, instance: AnkaInstance) -> None:
        """It is on another Mac now, or on none."""
        known = self.instances.find(node, instance.metadata.uid)
        if known is None:
            return
        refusal = next((one for one in instance.status.refusals or () if one.node_name == node), None)
        reason, message = (refusal.reason, refusal.message) if refusal is not None else (MOVED, "")
        ended = replace(known, result="Error", reason=reason, message=message, finished_at=self.now())
        self.instances.record(node, ended)

    def _end(self, instance: AnkaInstance) -> None:
        self._pulls.pop(instance.metadata.uid, None)
        node = instance.status.node_name
        known = self.instances.find(node, instance.metadata.uid) if node is not None else None
        if node is not None and known is not None and known.result != "Error":
            self.instances.record(node, replace(known, result="Terminated", finished_at=self.now()))

    def _to_past(self, instance: AnkaInstance) -> PastInstance | None:
        status, metadata = instance.status, instance.metadata
        if status.scheduled_at is None:
            return None
        failed = status.phase is Phase.ERROR
        ready = find(status.conditions, ConditionType.READY)
        resolved = status.template
        return PastInstance(
            uid=metadata.uid,
            id=self._stores.id_of(instance),
            name=instance.spec.display_name or metadata.name,
            template=(resolved.name if resolved is not None else None)
            or template_id(instance.spec.template, self._stores),
            tag=resolved.tag if resolved is not None else instance.spec.tag,
            owner=instance.spec.permission_group,
            bound_at=status.scheduled_at,
            started_at=status.started_at,
            finished_at=status.finished_at,
            result="Error" if failed else "Started" if status.started_at is not None else None,
            reason=ready.reason if failed and ready is not None else "",
            message=(status.message or "") if failed else "",
        )


def count_slots(node: AnkaNode) -> int:
    """VMs that it can run, if it is to run any: of the default size where its resources limit them."""
    seen = to_schedulable(node)
    if seen.state is not NodeState.ACTIVE or seen.draining or seen.leaving:
        return 0
    slots = [] if seen.vm_slots is None else [seen.vm_slots]
    if seen.allocatable is not None:
        slots.append(
            min(seen.allocatable.vcpus // DEFAULT_SIZE.vcpus, seen.allocatable.memory_mib // DEFAULT_SIZE.memory_mib)
        )
    return min(slots, default=0)


def _waits_since(instance: AnkaInstance) -> datetime | None:
    return instance.status.rescheduled_at or instance.metadata.creation_timestamp
