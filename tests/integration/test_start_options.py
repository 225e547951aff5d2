"""docs/reference/start-options.md against what an agent runs: an instance for each row, on a simulated Intel Mac."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from anka_agent.plan.options import GROW_CONTAINER
from support.agents import Bench, until
from support.start_options import Row, rows

pytestmark = pytest.mark.integration

ROWS = {f"row-{number:02}": row for number, row in enumerate(rows())}
USB = [{"name": "iPhone", "id": "275a", "location": "336675856", "group": "iphones"}]
CLONE = "anka clone TEMPLATE NAME --tag v1"
LOOKS = ("show", "list")
MAX_RUNNING = 64


@pytest.fixture(scope="module")
def intel(make_bench: Callable[..., Bench]) -> Bench:
    """All rows of the table as instances that have started."""
    bench = make_bench(
        "options-intel",
        "--num-workers=2",
        arch="amd64",
        usb=USB,
        ram_bytes=1 << 40,
        max_running=MAX_RUNNING,
        first_port=21000,
    )
    for name, row in ROWS.items():
        spec = row.spec(bench.template)
        spec.pop("template")
        bench.create(name, **spec)
    for name in ROWS:
        bench.wait_phase(name, "Started", 120)
    return bench


def expected(row: Row, vm: dict[str, Any], bench: Bench) -> list[list[str]]:
    """The row's commands with the placeholders filled in, and the two that every VM needs."""
    lines = list(row.commands)
    if not any(line.startswith("anka clone") for line in lines):
        lines.insert(0, CLONE)
    if not any(line.startswith("anka start") for line in lines):
        after = next((at for at, line in enumerate(lines) if line.startswith("anka run")), len(lines))
        lines.insert(after, "anka start VM")
    token = re.findall(r"\d{19}", vm["name"])[-1]
    words = {"TEMPLATE": bench.template, "NAME": vm["name"], "VM": vm["uuid"], "SCRIPT": GROW_CONTAINER}
    name = f"mgmtManaged-macos-{bench.mac.name}-{token}"
    words["mgmtManaged-macos-NODE-TS"] = name
    return [[words.get(word, word) for word in shlex.split(line)[1:]] for line in lines]


def ran(bench: Bench, vm: dict[str, Any]) -> list[list[str]]:
    """Commands about this VM, in order of their beginning; looks left out."""
    log = sorted(bench.mac.commands(), key=lambda entry: entry["ts"])
    found = [[word for word in entry["argv"] if word != "--machine-readable"] for entry in log]
    return [argv for argv in found if argv[0] not in LOOKS and (vm["uuid"] in argv or vm["name"] in argv)]


@pytest.mark.parametrize("name", ROWS, ids=[json.dumps(row.rest) for row in ROWS.values()])
def test_the_commands_of_a_row(intel: Bench, name: str) -> None:
    vm = intel.get(name)["status"]["vm"]
    wanted = expected(ROWS[name], vm, intel)
    # `anka run` is recorded at its end, and nobody waits for a script without monitoring.
    until(lambda: len(ran(intel, vm)) >= len(wanted), what=f"{len(wanted)} commands of {name}")
    assert ran(intel, vm) == wanted


def vm_of(bench: Bench, **rest: Any) -> dict[str, Any]:
    """The VM of the row with exactly these parameters."""
    [name] = [name for name, row in ROWS.items() if row.rest == rest]
    found: dict[str, Any] = bench.get(name)["status"]["vm"]
    return found


def test_the_container_in_the_vm_fills_the_disk(intel: Bench) -> None:
    grown = vm_of(intel, disk={"size": "256G"})
    left = vm_of(intel, disk={"size": "256G", "skip_container_resize": True})
    sizes = [str((intel.mac.directory / "vms" / vm["uuid"] / "root" / ".container").exists()) for vm in (grown, left)]
    assert sizes == ["True", "False"]
    text = (intel.mac.directory / "vms" / grown["uuid"] / "root" / ".container").read_text()
    assert int(text) == 256 << 30


def test_the_vnc_password_reaches_anka_by_its_environment_only(intel: Bench) -> None:
    vm = vm_of(intel, vnc_password="secret")
    assert intel.mac.run("show", vm["uuid"])["vnc_password"] == "secret"
    assert "secret" not in json.dumps(intel.mac.commands())


@pytest.fixture(scope="module")
def arm(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("options-arm")


class TestRefused:
    """What the hardware or a suspended template does not allow ends in Error, with the command's own message."""

    def test_by_the_hardware(self, arm: Bench) -> None:
        arm.create("needs-intel", hardware={"serial": "C02XY"})
        status = arm.wait_phase("needs-intel", "Error")["status"]
        assert status["message"] == (
            "the VM cannot be set up as asked: anka modify: "
            "modify: custom-variable cannot be set on this hardware (Intel only)"
        )
        [ready] = [one for one in status["conditions"] if one["type"] == "Ready"]
        assert ready["reason"] == "ConfigureFailed"

    def test_by_a_suspended_template_unless_it_is_stopped_first(self, arm: Bench) -> None:
        arm.mac.run("clone", arm.template, "asleep")
        for line in (("start", "asleep"), ("suspend", "asleep"), ("registry", "push", "--tag", "s1", "asleep")):
            arm.mac.run(*line)
        usual, arm.template = arm.template, arm.mac.run("show", "asleep", "uuid")
        arm.create("awake", tag="s1", resources={"vcpu": 2})
        message = arm.wait_phase("awake", "Error")["status"]["message"]
        assert re.fullmatch(r"the VM cannot be set up as asked: anka modify: mgmtManaged-\S+: "
                            r"VM is suspended, stop it before modifying", message)  # fmt: skip
        arm.create("resumed", tag="s1")
        arm.wait_phase("resumed", "Started")
        arm.create("local", tag="s1", network={"local": "forceOff"})
        vm = arm.wait_phase("local", "Started")["status"]["vm"]
        own = [argv[0] for argv in ran(arm, vm)]
        assert own == ["clone", "stop", "modify", "start"]
        arm.template = usual

    def test_a_container_that_cannot_be_grown(self, arm: Bench) -> None:
        arm.fault("run", "error", message="No space left", code=1)
        arm.create("small", disk={"size": "200G"})
        status = arm.wait_phase("small", "Error")["status"]
        assert status["message"] == "the APFS container in the VM cannot be grown: anka run: anka: No space left"
        [ready] = [one for one in status["conditions"] if one["type"] == "Ready"]
        assert ready["reason"] == "DiskResizeFailed"
