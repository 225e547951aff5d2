"""What the world does to a Mac: VMs that die, a reboot, an API that is away, a registry that is down."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from localkube.controlplane import ControlPlane
from support.agents import Bench, script, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-recovery")


@pytest.fixture(autouse=True)
def clean(bench: Bench) -> Iterator[None]:
    (bench.mac.directory / "commands.log").unlink(missing_ok=True)
    yield
    bench.clear()


def uuid_of(bench: Bench, name: str) -> str:
    return str(bench.get(name)["status"]["vm"]["uuid"])


def test_a_vm_that_dies_is_told_and_can_be_restarted(bench: Bench) -> None:
    bench.create("dies")
    bench.wait_phase("dies", "Started")
    bench.mac.run("stop", "--force", uuid_of(bench, "dies"))
    status = bench.wait_phase("dies", "Stopped")["status"]
    assert status["vm"]["status"] == "stopped"
    assert len(bench.commands("start")) == 1, "nobody asked for it to run again"
    bench.patch("dies", {"spec": {"restartedAt": "2026-01-01T00:00:00Z"}})
    bench.wait_phase("dies", "Started")
    assert uuid_of(bench, "dies") == status["vm"]["uuid"]


def test_after_a_reboot_the_truth_is_told(bench: Bench) -> None:
    for name in ("ran", "halted", "gone"):
        bench.create(name)
        bench.wait_phase(name, "Started")
    bench.mac.run("stop", "--force", uuid_of(bench, "halted"))
    bench.wait_phase("halted", "Stopped")
    version = bench.get("halted")["metadata"]["resourceVersion"]
    vms = {vm["uuid"] for vm in bench.vms()}
    bench.kill()
    bench.mac.power_off()
    bench.delete("gone", wait=False)
    bench.restart()
    assert bench.wait_phase("ran", "Stopped")["status"]["vm"]["status"] == "stopped"
    until(lambda: not bench.exists("gone"))
    assert bench.get("halted")["metadata"]["resourceVersion"] == version, "nothing new to tell of it"
    assert {vm["uuid"] for vm in bench.vms()} < vms
    assert len(bench.vms()) == 2
    assert len(bench.commands("start")) == 3, "a reboot starts nothing by itself"


def test_while_the_api_is_away_nothing_is_lost(bench: Bench, own_control_plane: ControlPlane) -> None:
    for name in ("ends", "deleted", "lives"):
        bench.create(name)
        bench.wait_phase(name, "Started")
    ends, deleted, lives = (uuid_of(bench, name) for name in ("ends", "deleted", "lives"))
    version = bench.get("lives")["metadata"]["resourceVersion"]
    bench.fault("delete", "hang", when="before", times=1, seconds=2.0)
    bench.delete("deleted", wait=False)
    until(lambda: bench.commands("stop"), what="anka stop")
    apiserver = own_control_plane.pids["kube-apiserver"]
    os.kill(apiserver, signal.SIGSTOP)
    try:
        bench.mac.run("stop", "--force", ends)
        until(lambda: {vm["uuid"] for vm in bench.vms()} == {ends, lives}, what=f"the removal of {deleted}")
        bench.looked()
        assert bench.mac.agent is not None
        assert bench.mac.agent.running
    finally:
        os.kill(apiserver, signal.SIGCONT)
    assert bench.wait_phase("ends", "Stopped")["status"]["vm"]["uuid"] == ends
    until(lambda: not bench.exists("deleted"))
    assert {vm["uuid"] for vm in bench.vms()} == {ends, lives}
    assert bench.get("lives")["metadata"]["resourceVersion"] == version
    assert len(bench.commands("start")) == 3
    assert len(bench.commands("delete")) == 1


def test_an_agent_that_is_killed_while_the_api_is_away(bench: Bench, own_control_plane: ControlPlane) -> None:
    bench.create("kept", startupScript=script("echo ran >> ~/ran; cat ~/ran", monitoring=True))
    bench.wait_phase("kept", "Started")
    kept = uuid_of(bench, "kept")
    apiserver = own_control_plane.pids["kube-apiserver"]
    os.kill(apiserver, signal.SIGSTOP)
    try:
        bench.kill()
        assert bench.mac.agent is not None
        bench.mac.agent.start()
        bench.mac.run("stop", "--force", kept)
    finally:
        os.kill(apiserver, signal.SIGCONT)
    bench.wait_phase("kept", "Stopped")
    assert [vm["uuid"] for vm in bench.vms()] == [kept], "a VM without a known instance is not an orphan"
    assert len(bench.commands("run")) == 1


def test_the_registry_is_down(bench: Bench) -> None:
    bench.create("alone", bind=False)
    template = {"id": "11111111-2222-3333-4444-555555555555", "name": "elsewhere", "tag": "v1"}
    status = {"nodeName": bench.mac.name, "phase": "Pulling", "template": template, "registry": "http://127.0.0.1:9"}
    bench.patch("alone", {"status": status}, "--subresource=status")
    message = bench.wait_phase("alone", "Error")["status"]["message"]
    assert message.startswith("the template cannot be pulled: anka registry pull: ")
    assert "127.0.0.1:9" in message
    # What the Mac holds can be started all the same.
    bench.create("held")
    bench.wait_phase("held", "Started")
