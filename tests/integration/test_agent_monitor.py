"""`--enable-vm-monitor`: an agent on a simulated Mac whose VM answers no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.agents import Bench, until

pytestmark = pytest.mark.integration


def test_a_vm_that_answers_no_more_fails_its_instance(make_bench: Callable[..., Bench]) -> None:
    # The timeout is long enough for a busy machine, on which the simulated `anka run` takes its time.
    bench = make_bench("agent-monitor", "--enable-vm-monitor", "--vm-stuck-delay=1s", "--vm-stuck-timeout=20s")
    bench.create("stuck")
    bench.wait_phase("stuck", "Started")
    until(lambda: len(bench.commands("run")) >= 2, what="it is asked, and answers")
    assert bench.get("stuck")["status"]["phase"] == "Started"
    bench.fault("run", "hang", seconds=600)
    instance = bench.wait_phase("stuck", "Error", 90)
    [ready] = [one for one in instance["status"]["conditions"] if one["type"] == "Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "VmStuck")
    assert instance["status"]["message"] == "the VM answers no more: it did not run a command within 20 s"
    until(lambda: [vm["status"] for vm in bench.vms()] == ["stopped"], what="the VM is stopped")
    bench.clear_faults()
    bench.delete("stuck")
    assert bench.vms() == []
