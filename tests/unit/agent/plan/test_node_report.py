from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.plan import node_report
from anka_crds.api.node import AgentUpdate, AnkaVersion, TemplateWork, Usage

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "ip_address": "10.0.0.1", "host_arch": "arm64", "cpu_count": 8, "ram_gib": 16, "disk_size_bytes": 1,
        "anka_version": AnkaVersion(version="3.8.1"), "agent_version": "1", "used": Usage(), "held": [],
        "usb_devices": [], "distributions": [], "now": NOW,
    }  # fmt: skip
    return node_report.status(**{**given, **changes})


def test_only_the_agents_fields() -> None:
    written = status()
    assert set(written) <= node_report.REPORTED
    assert not {"state", "conditions", "observedGeneration", "vlans", "keptTemplates"} & set(written)


def test_unknown_architecture_is_not_made_up() -> None:
    assert "hostArch" not in status(host_arch=None)


def test_the_size_is_that_of_the_tag_in_use() -> None:
    vm = Vm("b", "macos", "stopped", version="v2", cpu_cores=6, ram_bytes=8 << 30)
    held = node_report.templates([(vm, [("v2", 2), ("v1", 1)]), (Vm("a", "bare", "stopped"), [])])
    assert [(row.tag, row.vcpu, row.memory_mib) for row in held] == [
        (None, None, None), ("v1", None, None), ("v2", 6, 8192),
    ]  # fmt: skip


def test_a_row_for_each_tag() -> None:
    tagged, bare = Vm("b", "macos", "stopped", version="v2"), Vm("a", "linux", "stopped", image_size=7)
    held = node_report.templates([(tagged, [("v2", 2), ("v1", 1)]), (bare, [])])
    assert [(row.name, row.tag, row.size_bytes) for row in held] == [
        ("linux", None, 7), ("macos", "v1", 1), ("macos", "v2", 2),
    ]  # fmt: skip


def test_usage_counts_what_runs() -> None:
    vms = [
        Vm("1", "a", "running", cpu_cores=4, ram_bytes=4 << 30),
        Vm("2", "b", "running"),
        Vm("3", "c", "stopped", cpu_cores=8),
    ]
    used = node_report.usage(vms, [], free_disk_bytes=5, cpu_percent=10, ram_percent=20)
    assert (used.vm_count, used.vcpu_count, used.vram_mib, used.free_disk_bytes) == (2, 4, 4096, 5)


@pytest.mark.parametrize(
    ("changes", "write"),
    [
        ({}, False),
        ({"used": Usage(vm_count=2), "now": datetime(2027, 1, 1, tzinfo=UTC)}, False),
        ({"anka_version": AnkaVersion(version="3.9.0")}, True),
        ({"ip_address": "10.0.0.2"}, True),
        ({"held": node_report.templates([(Vm("a", "t", "stopped"), [])])}, True),
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
    before, after = (status(distributions=[TemplateWork.model_validate(one) for one in work]) for work in (told, now))
    assert node_report.needs_write(before, after) is write


def test_a_new_agent_ends_the_update_that_brought_it() -> None:
    assert status()["updating"] is None
    assert node_report.needs_write({**status(), "updating": True}, status())


def test_an_update_is_told_at_once_and_taken_back() -> None:
    told = status(updating=True, update=AgentUpdate(version="2", message="is being installed"))
    assert (told["updating"], told["agentUpdate"]["version"]) == (True, "2")
    assert node_report.needs_write(status(), told)
    assert status()["agentUpdate"] is None
    assert node_report.needs_write(told, status())
