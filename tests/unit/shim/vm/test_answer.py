from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from anka_crds.api import AnkaInstance, Phase
from anka_shim.vm.answer import ElementAnswer, VmAnswer, element_answer, state, vm_answer
from support.rest import shown

UUID = "e51259fe-6277-4776-4de0-016ea5971c7e"
UID = "1c0d7d3c-7d43-4b47-a30a-3f1f7a0a2f21"

STARTED: dict[str, Any] = {
    "phase": "Started",
    "nodeName": "mac-1",
    "template": {"id": "t-1", "name": "macos", "tag": "v2", "version": 1},
    "arch": "arm64",
    "registry": "http://other:8089",
    "requestId": "r-1",
    "progressPercent": 100,
    "vm": {
        "uuid": "27f9cae9",
        "name": "mgmtManaged-macos-1",
        "status": "running",
        "creationDate": "2023-12-11T20:18:25Z",
        "startDate": "2024-10-13T10:51:34Z",
        "cpuCores": 4,
        "ram": "4G",
        "hostIp": "192.168.0.200",
        "ip": "192.168.69.15",
        "macAddress": "00:1A:2B:3C:4D:5E",
        "vncPort": 5900,
        "vncConnectionString": "vnc://192.168.0.200:5900",
        "portForwarding": [{"guestPort": 22, "hostPort": 10001, "name": "ssh"}],
        "timestamp": "2024-01-24T16:51:54.502527Z",
    },
    "updatedAt": "2024-01-24T16:51:56Z",
}


def instance(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **metadata: Any) -> AnkaInstance:
    return AnkaInstance.from_api(
        {
            "metadata": {"name": UUID, "uid": UID, "creationTimestamp": "2024-01-24T16:44:59Z", **metadata},
            "spec": {"template": "macos", **(spec or {})},
            "status": status or {},
        }
    )


def vm(obj: AnkaInstance, registry: str, terminated_at: datetime | None = None) -> Any:
    return shown(vm_answer(obj, UUID, registry, terminated_at))


def element(obj: AnkaInstance) -> Any:
    return shown(element_answer(vm_answer(obj, UUID, "")))


def test_a_new_instance_has_exactly_what_is_never_left_out() -> None:
    assert vm(instance(), "http://registry:8089") == {
        "instance_id": UUID,
        "instance_state": "Scheduling",
        "anka_registry": "http://registry:8089",
        "vmid": "macos",
        "ts": "2024-01-24T16:44:59Z",
        "cr_time": "2024-01-24T16:44:59Z",
        "progress": 0.0,
        "group_id": "",
        "vlan": "",
        "usb_device": "",
    }


def test_a_started_instance() -> None:
    spec = {"externalId": "TEST123", "displayName": "n", "group": "ios", "metadata": {"a": 1}, "usbDevice": "iphone7"}
    assert vm(instance(spec, STARTED), "http://registry:8089") == {
        "instance_id": UUID,
        "instance_state": "Started",
        "anka_registry": "http://other:8089",
        "vmid": "t-1",
        "tag": "v2",
        "version": 1,
        "vminfo": {
            "uuid": "27f9cae9",
            "name": "mgmtManaged-macos-1",
            "status": "running",
            "version": "",
            "creation_date": "2023-12-11T20:18:25Z",
            "access_date": "0001-01-01T00:00:00Z",
            "cpu_cores": 4,
            "ram": "4G",
            "node_id": "mac-1",
            "host_ip": "192.168.0.200",
            "ip": "192.168.69.15",
            "vnc_port": 5900,
            "start_date": "2024-10-13T10:51:34Z",
            "stop_date": "0001-01-01T00:00:00Z",
            "timestamp": "2024-01-24T16:51:54.502527Z",
            "vnc_connection_string": "vnc://192.168.0.200:5900",
            "port_forwarding": [{"guest_port": 22, "host_port": 10001, "protocol": "tcp", "name": "ssh"}],
        },
        "node_id": "mac-1",
        "inflight_reqid": "r-1",
        "ts": "2024-01-24T16:51:56Z",
        "cr_time": "2024-01-24T16:44:59Z",
        "progress": 1.0,
        "group_id": "ios",
        "name": "n",
        "external_id": "TEST123",
        "metadata": {"a": 1},
        "mac_address": "00:1A:2B:3C:4D:5E",
        "arch": "arm64",
        "vlan": "",
        "usb_device": "iphone7",
    }


def test_the_list_has_ids_twice_and_nulls_outside_only() -> None:
    bare = element(instance())
    assert (bare["instance_id"], bare["external_id"], bare["name"]) == (UUID, None, None)
    named = element(instance({"externalId": "e", "displayName": "n"}))
    assert (named["external_id"], named["name"]) == ("e", "n")
    assert (named["vm"]["external_id"], named["vm"]["name"]) == ("e", "n")


@pytest.mark.parametrize(
    "status", [{}, STARTED, {"phase": "Error", "message": "no"}, {"vm": {"uuid": "", "name": "", "status": ""}}]
)
def test_nothing_inside_vm_is_null_and_all_matches_the_documented_schema(status: dict[str, Any]) -> None:
    inner = vm(instance(status=status), "")
    assert b"null" not in orjson.dumps(inner)
    VmAnswer.model_validate(inner)
    ElementAnswer.model_validate(element(instance(status=status)))


def test_the_progress_is_a_float_between_0_and_1() -> None:
    inner = vm(instance(status={"phase": "Pulling", "progressPercent": 37}), "")
    assert inner["progress"] == 0.37
    assert inner["instance_state"] == "Pulling"


@pytest.mark.parametrize(
    ("phase", "expected"), [("Started", "Terminating"), ("Error", "Terminating"), ("Terminated", "Terminated")]
)
def test_what_is_being_deleted_is_terminating(phase: str, expected: str) -> None:
    obj = instance(status={"phase": phase}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert state(obj) == expected


MOVED: tuple[dict[str, Any], ...] = (
    {"refusals": [{"nodeName": "mac-1", "reason": "PullFailed", "message": "no"}]},
    {"rescheduledAt": "2024-01-24T16:50:00Z"},
)


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("first", [["Scheduling"], ["Scheduling", "Pulling"]])
@pytest.mark.parametrize("second", [["Pulling", "Scheduling"], ["Scheduling"], ["Pulling"]])
def test_a_start_that_goes_from_mac_to_mac_pulls_once(
    moved: dict[str, Any], first: list[str], second: list[str]
) -> None:
    """Whatever a client sees of it: Scheduling, then Pulling, then perhaps Scheduling, then the end."""
    way = [
        *({"phase": phase} for phase in first),
        *({"phase": phase, **moved} for phase in ("Scheduling", *second, *second, "Started")),
    ]
    shown_as = "".join(str(state(instance(status=status))) + " " for status in way)
    assert re.fullmatch("(Scheduling )*(Pulling )*(Scheduling )*Started ", shown_as), shown_as


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.SCHEDULING])
def test_other_phases_are_shown_of_what_has_moved_too(moved: dict[str, Any], phase: Phase) -> None:
    assert state(instance(status={"phase": phase, **moved})) is phase


@pytest.mark.parametrize("phase", list(Phase))
def test_phases_are_the_old_words(phase: Phase) -> None:
    assert vm(instance(status={"phase": phase}), "")["instance_state"] == phase.value


def test_what_is_gone_is_terminated_since_then() -> None:
    inner = vm(instance(status=STARTED), "", datetime(2026, 1, 1, tzinfo=UTC))
    assert (inner["instance_state"], inner["ts"]) == ("Terminated", "2026-01-01T00:00:00Z")
    assert (inner["vminfo"]["uuid"], inner["vminfo"]["name"]) == (STARTED["vm"]["uuid"], STARTED["vm"]["name"])


def test_nothing_of_what_is_gone_runs_or_can_be_reached() -> None:
    """Whether the object has gone, or an agent or person wrote the phase."""
    addresses = {"hostIp": "10.0.0.9", "vncPort": 5901, "vncConnectionString": "vnc://10.0.0.9:5901"}
    status = {**STARTED, "vm": {**STARTED["vm"], "status": "running", "ip": "192.168.64.2", **addresses}}
    gone = vm(instance(status=status), "", datetime(2026, 1, 1, tzinfo=UTC))["vminfo"]
    assert vm(instance(status={**status, "phase": "Terminated"}), "")["vminfo"] == gone
    assert (gone["status"], gone["ip"], gone["host_ip"], gone["vnc_port"]) == ("deleted", "", "", 0)
    assert gone["vnc_connection_string"] == "", "mgmtcl reads it of every VM"
    assert "port_forwarding" not in gone
    VmAnswer.model_validate(vm(instance(status={**status, "phase": "Terminated"}), ""))
    assert vm(instance(status=status), "")["vminfo"]["ip"] == "192.168.64.2"


RESULT = {"returnCode": 1, "stdout": "out", "stderr": "err"}


@pytest.mark.parametrize(
    ("script", "result", "wanted"),
    [
        (None, RESULT, None),
        ({"content": "eA=="}, RESULT, None),
        ({"content": "eA==", "monitoring": True}, None, None),
        (
            {"content": "eA==", "monitoring": True},
            RESULT,
            {"return_code": 1, "did_timeout": False, "stdout": "out", "stderr": "err"},
        ),
        (
            {"content": "eA==", "monitoring": True},
            {"returnCode": -1, "didTimeout": True, "errors": ["slow"]},
            {"return_code": -1, "did_timeout": True, "stdout": "", "stderr": "", "errors": ["slow"]},
        ),
    ],
)
def test_a_script_is_shown_when_it_was_monitored_and_has_ended(script: Any, result: Any, wanted: Any) -> None:
    spec = {"startupScript": script} if script else {}
    status = {"startupScript": result} if result else {}
    assert vm(instance(spec, status), "").get("startup_script") == wanted


@pytest.mark.parametrize(
    ("spec", "status", "field", "value"),
    [
        ({"network": {"vlan": "17"}}, {}, "vlan", "17"),
        ({"network": {"vlan": "17"}}, {"vlan": "18"}, "vlan", "18"),
        ({"network": {"macAddress": "00:00:00:00:00:01"}}, {}, "mac_address", "00:00:00:00:00:01"),
        ({"network": {"macAddress": "aa:bb:cc:00:00:01"}}, {}, "mac_address", "AA:BB:CC:00:00:01"),
        ({"usbDevice": "iphone7"}, {"usbDevice": "336675856"}, "usb_device", "336675856"),
        ({"tag": "v1"}, {}, "tag", "v1"),
        ({"tag": "v1"}, {"template": {"id": "t", "tag": "v2"}}, "tag", "v2"),
        ({"version": 4}, {}, "version", 4),
        ({}, {"message": "no space", "phase": "Error"}, "message", "no space"),
    ],
)
def test_the_wish_is_shown_until_the_fact_is_known(spec: Any, status: Any, field: str, value: object) -> None:
    assert vm(instance(spec, status), "")[field] == value


def test_times_without_a_creation_time_are_times_all_the_same() -> None:
    inner = vm(instance(creationTimestamp=None), "")
    assert (inner["cr_time"], inner["ts"]) == ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")
