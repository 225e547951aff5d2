"""What is written into the status of an instance."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka.vm import Vm, VmPort
from anka_agent.plan import instance_report as report
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api import AnkaInstance
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.vm_info import VM_ADDRESSES, ScriptResult
from anka_kube import merge_patch

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
VM = Vm(
    uuid="u1",
    name="mgmtManaged-x",
    status="running",
    version="v1",
    start_date=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    cpu_cores=4,
    ram="4G",
    arch="arm64",
    ip="192.168.64.2",
    mac="AA:BB:CC:00:11:22",
    vnc_port=5900,
    vnc_connection_string="vnc://:geheim@10.0.0.1:5900",
    ports=(VmPort("ssh", 22, 10000, "tcp"), VmPort(None, 80, 10001, "tcp")),
    detailed=True,
)


READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Started",
    "message": "",
    "lastTransitionTime": "2026-01-02T03:04:05Z",
    "observedGeneration": 2,
}


def instance(**status: Any) -> AnkaInstance:
    return AnkaInstance.from_api(
        {
            "metadata": {"name": "i", "namespace": "n", "uid": "uid", "generation": 3},
            "spec": {"template": "t"},
            "status": {"phase": "Scheduling", "nodeName": "mac", **status},
        }
    )


def merged(before: AnkaInstance, patch: report.Status) -> AnkaInstance:
    data = merge_patch.apply(before.to_api(), merge_patch.prepare({"status": patch}))
    return AnkaInstance.from_api(data)


def conditions(status: report.Status) -> dict[str, tuple[str, str]]:
    return {found["type"]: (found["status"], found["reason"]) for found in status["conditions"]}


def test_started() -> None:
    status = report.to_started(instance(message="old", progressPercent=50), VM, host_ip="10.0.0.9", now=NOW)
    after = merged(instance(message="old", progressPercent=50), status).status
    assert after.phase == "Started"
    assert after.message is None
    assert after.progress_percent is None
    assert after.observed_generation == 3
    assert after.started_at == NOW.replace(microsecond=0)
    assert after.vm is not None
    assert (after.vm.ip, after.vm.host_ip, after.vm.vnc_port) == ("192.168.64.2", "10.0.0.9", 5900)
    assert [(port.name, port.host_port) for port in after.vm.port_forwarding or []] == [("ssh", 10000), (None, 10001)]
    assert conditions(status) == {"Ready": ("True", "Started")}
    assert "geheim" not in json.dumps(status)
    assert "null" not in json.dumps(status["vm"]["portForwarding"]), "a null inside a list is stored as null"


def test_other_conditions_stay() -> None:
    scheduled = {
        "type": "Scheduled", "status": "True", "reason": "Scheduled", "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    status = report.to_started(instance(conditions=[scheduled]), VM, host_ip=None, now=NOW)
    assert set(conditions(status)) == {"Scheduled", "Ready"}


def test_the_first_start_is_kept_and_a_restart_told() -> None:
    moment = datetime(2026, 5, 5, tzinfo=UTC)
    before = instance(startedAt="2026-01-01T00:00:00Z")
    after = merged(before, report.to_started(before, VM, host_ip=None, now=NOW, restarted_at=moment)).status
    assert after.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert after.restarted_at == moment


def test_an_old_address_does_not_stay() -> None:
    before = merged(instance(), report.to_started(instance(), VM, host_ip="h", now=NOW))
    halted = replace(VM, status="stopped", ip=None, vnc_port=None, vnc_connection_string=None, ports=())
    after = merged(before, report.to_stopped(before, halted, host_ip="h", now=NOW)).status
    assert after.phase == "Stopped"
    assert after.vm is not None
    assert (after.vm.ip, after.vm.vnc_port, after.vm.port_forwarding) == (None, None, None)
    assert after.finished_at is not None


def test_failed_keeps_what_was_known() -> None:
    before = merged(instance(), report.to_started(instance(), VM, host_ip="h", now=NOW))
    result = ScriptResult(return_code=1, stderr="no")
    status = report.to_failed(
        before, InstanceFailure(InstanceReason.SCRIPT_FAILED, "m" * 5000), None, host_ip="h", now=NOW, script=result
    )
    after = merged(before, status).status
    assert after.phase == "Error"
    assert after.vm is not None
    assert (after.vm.status, after.vm.uuid) == ("deleted", "u1")
    assert [getattr(after.vm, name) for name in VM_ADDRESSES] == [None] * len(VM_ADDRESSES), "nothing listens there"
    assert len(after.message or "") == report.MESSAGE_LIMIT
    assert after.startup_script == result
    assert conditions(status) == {"Ready": ("False", "ScriptFailed"), "Stalled": ("True", "ScriptFailed")}


def test_failed_before_there_was_a_vm() -> None:
    after = merged(
        instance(),
        report.to_failed(instance(), InstanceFailure(InstanceReason.VM_LOST, "x"), None, host_ip=None, now=NOW),
    ).status
    assert after.vm is None


@pytest.mark.parametrize(("percent", "shown"), [(-1, 0), (42, 42), (250, 100)])
def test_pulling(percent: int, shown: int) -> None:
    status = report.to_pulling(instance(), percent, NOW)
    assert status["progressPercent"] == shown
    assert conditions(status)["Reconciling"] == ("True", "Pulling")


def test_terminating() -> None:
    status = report.to_terminating(instance(), "disk busy", NOW)
    assert (status["phase"], status["message"]) == ("Terminating", "disk busy")


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("vnc://:admin@192.168.1.2:5900", None, "vnc://192.168.1.2:5900"),
        ("vnc://u:p@h@ost:5900", None, "vnc://ost:5900"),
        ("vnc://:admin@192.168.1.2:5900", "mac.example", "vnc://mac.example:5900"),
        ("vnc://192.168.1.2", None, "vnc://192.168.1.2"),
        ("vnc://:admin@192.168.1.2:5900", "fd00::1", "vnc://[fd00::1]:5900"),
        ("vnc://:admin@[fd00::1]:5900", None, "vnc://[fd00::1]:5900"),
        ("nonsense", None, None),
        (None, "h", None),
    ],
)
def test_without_password(url: str | None, host: str | None, shown: str | None) -> None:
    assert report.strip_password(url, host) == shown


def test_differs() -> None:
    assert report.is_outdated(instance(), VM, None)
    assert not report.is_outdated(instance(observedGeneration=3), None, None)
    known = merged(instance(), report.to_started(instance(), VM, host_ip="h", now=NOW))
    assert not report.is_outdated(known, VM, None)
    assert report.is_outdated(known, replace(VM, status="stopped"), None)
    assert report.is_outdated(known, replace(VM, uuid="u2"), None)
    assert report.is_outdated(known, replace(VM, start_date=NOW), None)
    assert report.is_outdated(known, None, None)
    assert not report.is_outdated(known, VM, "h")
    assert report.is_outdated(known, VM, "other"), "the Mac has another address"
    assert report.is_outdated(known, replace(VM, ip="192.168.9.9"), "h"), "the VM has another address"
    assert not report.is_outdated(known, replace(VM, ip=None), None), "what is not known now is no change"
    gone = merged(known, report.to_vm_update(known, None, host_ip="h", now=NOW))
    assert not report.is_outdated(gone, None, None)


@pytest.mark.parametrize("vm", [VM, None])
def test_a_newer_spec_is_reported_as_seen(vm: Vm | None) -> None:
    old = instance(observedGeneration=2, phase="Started", conditions=[READY])
    assert report.is_outdated(old, vm, None)
    patch = report.to_vm_update(old, vm, host_ip="h", now=NOW)
    assert report.has_changes(old.status.to_api(), patch)
    after = merged(old, patch)
    assert after.status.observed_generation == 3
    assert [(c.status, c.reason, c.observed_generation) for c in after.status.conditions] == [("True", "Started", 3)]
    assert not report.has_changes(after.status.to_api(), report.to_vm_update(after, vm, host_ip="h", now=NOW))


def test_changes_looks_past_what_always_changes() -> None:
    known = merged(instance(), report.to_started(instance(), VM, host_ip="h", now=NOW))
    later = datetime(2026, 2, 2, tzinfo=UTC)
    again = report.to_started(known, replace(VM, access_date=later), host_ip="h", now=later)
    assert not report.has_changes(known.status.to_api(), again)
    other = report.to_started(known, replace(VM, ip="192.168.64.9"), host_ip="h", now=later)
    assert report.has_changes(known.status.to_api(), other)


@pytest.mark.parametrize("text", ["\0", "é", "\U0001f34f", "<", "a"])
def test_the_output_of_a_script_fits_into_the_status(text: str) -> None:
    """With a script of 700,000 characters in the spec, etcd refuses the object otherwise, at every attempt."""
    found = report.to_script_status(ScriptResult(return_code=0, stdout=text * 65536, stderr=f"{text * 65536}end"))
    stored = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")
    assert len(stored.encode()) < 2 * 65536 + 200
    assert found["stderr"].endswith("end")
