from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.plan import node_report
from anka_crds.api.limits import HELD_BYTES, MAX_TEXT
from anka_crds.api.node import (
    AgentUpdate,
    AnkaInstallation,
    AnkaNodeStatus,
    LocalTemplate,
    MacUsage,
    RequiredTemplate,
    TemplateTask,
    UsbDevice,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "ip_address": "10.0.0.1", "host_arch": "arm64", "cpu_count": 8, "ram_gib": 16, "disk_size_bytes": 1,
        "anka_version": AnkaInstallation(version="3.8.1"), "agent_version": "1", "usage": MacUsage(), "templates": [],
        "usb_devices": [], "distributions": [], "updated_at": NOW,
    }  # fmt: skip
    return node_report.to_patch(AnkaNodeStatus(**{**given, **changes}))


def test_only_the_agents_fields() -> None:
    written = status()
    assert set(written) <= node_report.REPORTED
    assert not {"state", "conditions", "observedGeneration", "vlans", "keptTemplates", "assigned"} & set(written)


def test_unknown_architecture_is_not_made_up() -> None:
    assert "hostArch" not in status(host_arch=None)


def test_the_size_is_that_of_the_tag_in_use() -> None:
    vm = Vm("b", "macos", "stopped", version="v2", cpu_cores=6, ram_bytes=8 << 30)
    held = node_report.list_templates([(vm, [("v2", 2), ("v1", 1)]), (Vm("a", "bare", "stopped"), [])])
    assert [(row.tag, row.vcpu, row.memory_mib) for row in held] == [
        (None, None, None), ("v1", None, None), ("v2", 6, 8192),
    ]  # fmt: skip


def test_a_row_for_each_tag() -> None:
    tagged, bare = Vm("b", "macos", "stopped", version="v2"), Vm("a", "linux", "stopped", image_size=7)
    held = node_report.list_templates([(tagged, [("v2", 2), ("v1", 1)]), (bare, [])])
    assert [(row.name, row.tag, row.size_bytes) for row in held] == [
        ("linux", None, 7), ("macos", "v1", 1), ("macos", "v2", 2),
    ]  # fmt: skip


def test_usage_counts_what_runs() -> None:
    vms = [
        Vm("1", "a", "running", cpu_cores=4, ram_bytes=4 << 30),
        Vm("2", "b", "running"),
        Vm("3", "c", "stopped", cpu_cores=8),
    ]
    used = node_report.sum_usage(vms, [], free_disk_bytes=5, cpu_percent=10, ram_percent=20)
    assert (used.vm_count, used.vcpu_count, used.vram_mib, used.free_disk_bytes) == (2, 4, 4096, 5)


@pytest.mark.parametrize(
    ("changes", "write"),
    [
        ({}, False),
        ({"usage": MacUsage(vm_count=2), "updated_at": datetime(2027, 1, 1, tzinfo=UTC)}, False),
        ({"anka_version": AnkaInstallation(version="3.9.0")}, True),
        ({"ip_address": "10.0.0.2"}, True),
        ({"templates": node_report.list_templates([(Vm("a", "t", "stopped"), [])])}, True),
    ],
)
def test_needs_write(changes: dict[str, Any], write: bool) -> None:
    assert node_report.needs_write({**status(), "state": "Active"}, status(**changes)) is write


@pytest.mark.parametrize(
    ("told", "now", "write"),
    [
        ([], [], False),
        ([], [{"name": "r", "progressPercent": 10}], True),
        ([{"name": "r", "progressPercent": 10}], [{"name": "r", "progressPercent": 10}], False),
        ([{"name": "r", "progressPercent": 10}], [{"name": "r", "progressPercent": 20}], True),
        ([{"name": "r", "done": True}], [], False),
    ],
)
def test_work_with_templates(told: list[dict[str, Any]], now: list[dict[str, Any]], write: bool) -> None:
    """What is over leaves with another write."""
    before, after = (status(distributions=[TemplateTask.model_validate(one) for one in work]) for work in (told, now))
    assert node_report.needs_write(before, after) is write


def test_a_new_agent_ends_the_update_that_brought_it() -> None:
    assert status()["updating"] is None
    assert node_report.needs_write({**status(), "updating": True}, status())


def test_an_update_is_told_at_once_and_taken_back() -> None:
    told = status(updating=True, agent_update=AgentUpdate(version="2", message="is being installed"))
    assert (told["updating"], told["agentUpdate"]["version"]) == (True, "2")
    assert node_report.needs_write(status(), told)
    assert status()["agentUpdate"] is None
    assert node_report.needs_write(told, status())


def many(number: int, name: str = "macos") -> list[LocalTemplate]:
    return [LocalTemplate(uuid=f"u{index:05}", name=name, tag="v1") for index in range(number)]


def test_a_list_that_is_cut_says_so_with_both_numbers() -> None:
    fields = node_report.fit_lists(many(1300), [UsbDevice(location_id=str(index)) for index in range(300)], [])
    assert (len(fields["templates"]), len(fields["usb_devices"])) == (1024, 256)
    assert "1024 of 1300 tags" in fields["omitted"]
    assert "256 of 300 devices" in fields["omitted"]
    assert node_report.fit_lists(many(3), [], [])["omitted"] is None
    written = node_report.to_patch(AnkaNodeStatus(updated_at=NOW, **fields))
    assert node_report.needs_write({**written, "omitted": None}, written)
    assert status()["omitted"] is None, "what an earlier report said ends"


def test_long_names_are_cut_by_bytes() -> None:
    fields = node_report.fit_lists(many(1000, "é" * 1000), [], [])
    stored = json.dumps([one.to_api() for one in fields["templates"]], ensure_ascii=False).encode()
    assert HELD_BYTES * 0.9 < len(stored) <= HELD_BYTES + 1000
    assert f"{len(fields['templates'])} of 1000 tags" in fields["omitted"]


def test_what_others_look_for_stays_in_a_list_that_is_cut() -> None:
    tags = many(1300)
    tags[1299].vcpu = 4
    fields = node_report.fit_lists(tags, [], [RequiredTemplate(template="u01250", tag="v1")])
    assert [one.uuid for one in fields["templates"]][-2:] == ["u01250", "u01299"], "kept by a rule, and in use"


def test_the_usage_counts_tags_that_the_list_leaves_out() -> None:
    rows = [(Vm(f"u{index}", "t", "stopped", version="v1"), [("v1", 2)]) for index in range(1300)]
    used = node_report.sum_usage([], node_report.list_templates(rows), free_disk_bytes=0, cpu_percent=0, ram_percent=0)
    assert used.anka_disk_bytes == 2600


def test_names_longer_than_a_text_are_shortened() -> None:
    (held,) = node_report.list_templates([(Vm("u", "n" * 5000, "stopped"), [("t" * 5000, 1)])])
    assert (len(held.name), len(held.tag or "")) == (MAX_TEXT, MAX_TEXT)


def test_what_is_left_of_a_refused_status() -> None:
    left = node_report.without_lists(status(), "Too long: may not be more than 4096 bytes")
    assert not {"templates", "usbDevices", "distributions"} & set(left)
    assert left["cpuCount"] == 8
    assert "Too long" in left["omitted"]
