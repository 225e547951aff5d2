from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance
from anka_scheduler.queue import to_queued
from anka_shim.portal.rows.instance import instance_row, queue_key
from anka_shim.store.caches import Stores

STORES = Stores()
CREATED = "2026-01-01T10:00:00Z"


def instance(status: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **metadata: Any) -> AnkaInstance:
    return AnkaInstance.model_validate(
        {
            "metadata": {"name": "one", "namespace": "anka-ci", "uid": "u", "creationTimestamp": CREATED, **metadata},
            "spec": {"template": "macos", **(spec or {})},
            "status": status or {},
        }
    )


def condition(type_: str, status: str, reason: str, message: str = "why") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": CREATED}


def row(obj: AnkaInstance) -> dict[str, Any]:
    return instance_row(obj, "id-1", STORES)


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_null(one) for one in value.values())
    return value is None or (isinstance(value, list) and any(has_null(one) for one in value))


def test_one_that_waits() -> None:
    scheduled = condition("Scheduled", "False", "Unschedulable", "0/2 nodes fit: 2 full")
    shown = row(instance({"conditions": [scheduled]}, {"startDeadlineSeconds": 60, "priority": 5}))
    assert (shown["reason"], shown["message"]) == ("Unschedulable", "0/2 nodes fit: 2 full")
    assert shown["queueKey"] == [5, CREATED, "u"]
    assert shown["waitingSince"] == CREATED
    assert shown["deadline"] == "2026-01-01T10:01:00Z"
    assert shown["never"] is False
    assert shown["ready"] is False
    assert shown["template"] == {"id": "macos"}
    assert "node" not in shown
    assert not has_null(shown)


@pytest.mark.parametrize(
    ("reason", "never"),
    [("TemplateNotFound", True), ("GroupEmpty", True), ("TemplateNotReady", False), ("NoMacAddress", False)],
)
def test_what_waiting_does_not_change(reason: str, never: bool) -> None:
    assert row(instance({"conditions": [condition("Scheduled", "False", reason)]}))["never"] is never


def test_one_that_runs() -> None:
    vm = {
        "uuid": "v",
        "name": "vm",
        "status": "running",
        "ip": "192.168.64.2",
        "hostIp": "10.0.0.1",
        "cpuCores": 4,
        "ram": "8G",
        "vncConnectionString": "vnc://10.0.0.1:5900",
        "portForwarding": [{"name": "ssh", "guestPort": 22, "hostPort": 10000}],
        "startDate": "2026-01-01T10:00:20Z",
    }
    status = {
        "phase": "Started",
        "nodeName": "mac-1",
        "scheduledAt": "2026-01-01T10:00:01Z",
        "startedAt": "2026-01-01T10:00:30Z",
        "template": {"id": "t", "name": "macos-15", "tag": "v2", "version": 1},
        "vm": vm,
        "conditions": [condition("Ready", "True", "Started")],
        "startupScript": {"returnCode": 3},
    }
    shown = row(instance(status, {"externalId": "job-1", "vncPassword": "secret", "resources": {"vcpu": 2}}))
    assert shown["ready"] is True
    assert shown["template"] == {"id": "t", "name": "macos-15", "tag": "v2", "version": 1}
    assert shown["ports"] == [{"name": "ssh", "guest": 22, "host": 10000, "protocol": "tcp"}]
    assert (shown["vcpus"], shown["ram"], shown["ip"]) == (4, "8G", "192.168.64.2")
    assert shown["script"] == {"code": 3, "timedOut": False}
    assert shown["startedAt"] == "2026-01-01T10:00:30Z"
    assert "queueKey" not in shown
    assert "secret" not in str(shown)
    assert not has_null(shown)


def test_one_that_is_deleted_no_longer_waits() -> None:
    shown = row(instance(deletionTimestamp=CREATED, finalizers=["x"]))
    assert shown["legacyState"] == "Terminating"
    assert shown["deleted"] == CREATED
    assert "queueKey" not in shown


waiting = st.builds(
    lambda priority, second, uid: instance(
        spec={"priority": priority}, creationTimestamp=f"2026-01-01T10:00:{second:02}Z", uid=uid
    ),
    st.integers(1, 10_000),
    st.integers(0, 59),
    st.text("abc", min_size=1, max_size=3),
)


@given(waiting, waiting)
def test_the_order_is_that_of_scheduling(one: AnkaInstance, other: AnkaInstance) -> None:
    assert (queue_key(one) < queue_key(other)) is (to_queued(one) < to_queued(other))
