"""Lines as the old controller writes them, and as CloudEvents."""

from __future__ import annotations

import json

from anka_operator.event_log.derive import instance_records
from anka_operator.event_log.record import RecordState, select_new, to_cloud_event, to_json
from support.objects import START, TEMPLATE, instance

MACHINE = "operator-1"


def test_keys_are_in_order_without_a_space() -> None:
    (record,) = instance_records(instance(tag="v1"), str, START)
    assert to_json(record, MACHINE).decode() == (
        f'{{"event_id":"{record.event_id}","group_id":null,"instance_id":"uid-one","machineName":"operator-1",'
        f'"name":"StartVM","node_id":null,"priority":0,"sub_type":"vmAction","tag":"v1","template_id":"{TEMPLATE}",'
        '"time":1767225600,"type":"apiAction"}'
    )


def test_a_cloud_event_has_the_same_inside() -> None:
    (record,) = instance_records(instance(), str, START)
    event = json.loads(to_cloud_event(record, MACHINE))
    assert event.pop("data") == json.loads(to_json(record, MACHINE))
    assert event == {
        "specversion": "1.0",
        "id": record.event_id,
        "source": "/anka.veertu.com/build-cloud",
        "type": "com.veertu.anka.StartVM",
        "subject": "uid-one",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
    }


def test_what_is_written_is_not_written_again() -> None:
    records = instance_records(instance(), str, START)
    new, written = select_new(RecordState(), records)
    assert new == records
    assert select_new(written, records) == ([], written)
