"""One line of the event log, as the old controller writes it (docs/reference/legacy-api.md#event-log). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

START_VM = "StartVM"
VM_STARTED = "VMStarted"
VM_FAILED_TO_START = "VMFailedToStart"
TERMINATE_VM = "TerminateVM"
VM_TERMINATED = "VMTerminated"
DISTRIBUTE_TEMPLATE = "DistributeTemplateToNodes"
TEMPLATE_PULLED = "TemplatePulled"
DELETE_TEMPLATE = "DeleteRegistryVm"
CONFIG_NODE = "ConfigNode"
DELETE_NODE = "DeleteNode"
NODE_UNREGISTERED = "NodeUnregistered"

_KINDS = {
    START_VM: ("apiAction", "vmAction"),
    VM_STARTED: ("systemAction", "vmAction"),
    VM_FAILED_TO_START: ("systemAction", "vmAction"),
    TERMINATE_VM: ("apiAction", "vmAction"),
    VM_TERMINATED: ("systemAction", "vmAction"),
    DISTRIBUTE_TEMPLATE: ("apiAction", "registryAction"),
    TEMPLATE_PULLED: ("systemAction", "registryAction"),
    DELETE_TEMPLATE: ("apiAction", "registryAction"),
    CONFIG_NODE: ("apiAction", "nodeAction"),
    DELETE_NODE: ("apiAction", "nodeAction"),
    NODE_UNREGISTERED: ("systemAction", "nodeAction"),
}
"""type and sub_type of each."""
_ENVELOPE_BYTES = 400
"""What a line takes beside its fields."""


@dataclass(frozen=True)
class EventRecord:
    """`slot`: of the records of one object with the same slot, only one is ever written. `subject`: the id of what it
    is about. `time`: when it happened, in epoch seconds. `noticed`: when a process could know it at the latest, in
    epoch seconds: it is sent again where nobody knows whether what was noticed then was sent."""

    event_id: str
    name: str
    slot: str
    subject: str
    time: int
    noticed: float
    fields: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes that it takes, more or less."""
        return _ENVELOPE_BYTES + len(orjson.dumps(self.fields))


@dataclass(frozen=True)
class RecordState:
    """What is written about one object: the slots, and the time of the last."""

    slots: frozenset[str] = frozenset()
    time: int = 0


def select_new(written: RecordState, records: Iterable[EventRecord]) -> tuple[list[EventRecord], RecordState]:
    """Those that are not written yet, and what is written with them. The times of one object never go back, whatever
    the clocks of the Macs say."""
    new: list[EventRecord] = []
    slots, time = set(written.slots), written.time
    for record in records:
        if record.slot not in slots:
            slots.add(record.slot)
            time = max(time, record.time)
            new.append(replace(record, time=time))
    return new, RecordState(frozenset(slots), time)


def to_json(record: EventRecord, machine: str) -> bytes:
    """As the old controller writes it: keys in alphabetical order, no space; ours among them."""
    return orjson.dumps(_to_fields(record, machine), option=orjson.OPT_SORT_KEYS)


def to_cloud_event(record: EventRecord, machine: str) -> bytes:
    """CloudEvents 1.0, structured mode."""
    event = {
        "specversion": "1.0",
        "id": record.event_id,
        "source": "/anka.veertu.com/build-cloud",
        "type": f"com.veertu.anka.{record.name}",
        "subject": record.subject,
        "time": datetime.fromtimestamp(record.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
        "data": _to_fields(record, machine),
    }
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def _to_fields(record: EventRecord, machine: str) -> dict[str, Any]:
    type_, sub_type = _KINDS[record.name]
    ours = {
        "event_id": record.event_id,
        "machineName": machine,
        "name": record.name,
        "sub_type": sub_type,
        "time": record.time,
        "type": type_,
    }
    return {**record.fields, **ours}
