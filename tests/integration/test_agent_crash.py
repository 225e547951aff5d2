"""kill -9 of the agent at every step of a life: nothing lost, nothing twice, nothing left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from anka_sim.mac.store import read_json
from support.agents import Bench, script, until

pytestmark = pytest.mark.integration

HANG = 3.0


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-crash")


@pytest.fixture(autouse=True)
def clean(bench: Bench) -> Iterator[None]:
    """One test's failure, or log of commands, must not be the next one's."""
    (bench.mac.directory / "commands.log").unlink(missing_ok=True)
    yield
    bench.clear()


def crash_in(
    bench: Bench,
    command: str,
    when: str,
    act: Callable[[], object],
    done: Callable[[], object],
    seconds: float = HANG,
) -> None:
    """Do `act`; kill the agent while this command hangs, before its work or after it (`done`)."""
    bench.fault(command, "hang", when=when, times=1, seconds=seconds)
    act()
    until(lambda: not read_json(str(bench.mac.directory / "faults.json")), what=f"anka {command}")
    if when == "after":
        until(done, what=f"the work of anka {command}")
    bench.kill()
    # The hanging command goes on: it must do no harm when it does its work late.
    bench.restart()


def late_command_ended(bench: Bench, command: str) -> bool:
    """Whether the command that hung when its agent was killed has done what it does and ended."""
    first = command.split()[0]
    return any(first in entry["argv"] and entry["ms"] >= HANG * 1000 for entry in bench.mac.commands())


def restarted(bench: Bench) -> bool:
    return "restartedAt" in bench.get("restarts")["status"]


def running(bench: Bench) -> bool:
    return any(vm["status"] == "running" for vm in bench.vms())


STARTING = [
    ("clone", "before"),
    ("clone", "after"),
    ("modify", "before"),
    ("modify", "after"),
    ("start", "before"),
    ("start", "after"),
    ("run", "before"),
    ("run", "after"),
]


@pytest.mark.parametrize(("command", "when"), STARTING, ids=lambda value: str(value))
def test_start_goes_on(bench: Bench, command: str, when: str) -> None:
    name = f"crash-{command}-{when}"
    done: dict[str, Callable[[], object]] = {
        "clone": bench.vms,
        "modify": lambda: True,
        "start": lambda: running(bench),
        "run": lambda: True,
    }
    startup = script("echo ran >> ~/ran; cat ~/ran", monitoring=True)
    crash_in(
        bench,
        command,
        when,
        lambda: bench.create(name, startupScript=startup, resources={"vcpu": 2}),
        done[command],
    )
    status = bench.wait_phase(name, "Started")["status"]
    if (command, when) != ("run", "after"):  # `anka run` ends with its script: nothing can come after it
        until(lambda: late_command_ended(bench, command))
    assert bench.overtaking(HANG) == [], "the late command must not come between the next agent's"
    assert [vm["uuid"] for vm in bench.vms()] == [status["vm"]["uuid"]]
    assert status["startupScript"]["stdout"] == "ran\n", "the script must run exactly once"
    assert status["vm"]["cpuCores"] == 2
    bench.delete(name)
    assert bench.vms() == []


@pytest.mark.parametrize(("command", "when"), [("stop", "after"), ("start", "before")])
def test_a_restart_goes_on(bench: Bench, command: str, when: str) -> None:
    bench.create("restarts")
    uuid = bench.wait_phase("restarts", "Started")["status"]["vm"]["uuid"]
    ask = {"spec": {"restartedAt": "2026-01-01T00:00:00Z"}}
    crash_in(bench, command, when, lambda: bench.patch("restarts", ask), lambda: not running(bench))
    until(lambda: restarted(bench), what="the restart is told")
    until(lambda: late_command_ended(bench, command))
    assert bench.overtaking(HANG) == []
    status = bench.wait_phase("restarts", "Started")["status"]
    assert [(vm["uuid"], vm["status"]) for vm in bench.vms()] == [(uuid, "running")]
    assert status["vm"]["uuid"] == uuid


@pytest.mark.parametrize("command", ["stop", "delete"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_removal_goes_on(bench: Bench, command: str, when: str) -> None:
    name = f"crash-{command}-{when}"
    bench.create(name)
    bench.wait_phase(name, "Started")
    done: dict[str, Callable[[], object]] = {
        "stop": lambda: not running(bench),
        "delete": lambda: not bench.vms(),
    }
    crash_in(bench, command, when, lambda: bench.delete(name, wait=False), done[command])
    until(lambda: not bench.exists(name))
    until(lambda: late_command_ended(bench, command))
    assert bench.vms() == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["--check-download-size", "--tag"])
def test_a_pull_goes_on(make_bench: Callable[..., Bench], step: str, when: str) -> None:
    bench = make_bench(f"agent-crash-pull{step}-{when}", held=False)
    # A pull that is left behind would go on for longer than this test waits: the next agent ends it.
    seconds = 120.0 if step == "--tag" else HANG
    held = lambda: step != "--tag" or bench.mac.run("list")  # noqa: E731
    crash_in(bench, f"registry pull {step}", when, lambda: bench.create("crash-pull"), held, seconds)
    status = bench.wait_phase("crash-pull", "Started")["status"]
    assert [vm["uuid"] for vm in bench.vms()] == [status["vm"]["uuid"]]
    until(lambda: not list((bench.mac.directory / "agent" / "commands").iterdir()), what="no command is left")
    if step == "--tag":
        assert "ending a pull of an earlier agent" in bench.log()
        # The one that was ended is in no log; where it had done its work, there is nothing left to pull.
        ended = [argv for argv in bench.commands("registry") if "--check-download-size" not in argv]
        assert len(ended) == (1 if when == "before" else 0)
    bench.delete("crash-pull")


def test_a_running_vm_is_adopted_without_a_write(bench: Bench) -> None:
    bench.create("adopted")
    before = bench.wait_phase("adopted", "Started")
    starts = len(bench.commands("start"))
    bench.kill()
    bench.restart()
    bench.looked()
    assert bench.get("adopted")["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert len(bench.commands("start")) == starts
    bench.delete("adopted")
    assert bench.vms() == []


def test_deleted_while_the_agent_was_away(bench: Bench) -> None:
    bench.create("away")
    bench.wait_phase("away", "Started")
    bench.kill()
    bench.delete("away", wait=False)
    bench.restart()
    until(lambda: not bench.exists("away"))
    assert bench.vms() == []


def test_a_late_clone_of_a_deleted_instance_is_removed(bench: Bench) -> None:
    bench.fault("clone", "hang", when="before", times=1, seconds=HANG)
    bench.create("late")
    until(lambda: not read_json(str(bench.mac.directory / "faults.json")))
    bench.kill()
    bench.delete("late", wait=False)
    bench.restart()
    until(lambda: not bench.exists("late"))
    until(lambda: late_command_ended(bench, "clone"), what="the late clone")
    until(lambda: not bench.vms())


def test_forced_away_in_the_api_while_the_agent_was_down(bench: Bench) -> None:
    bench.create("forced")
    uid = bench.wait_phase("forced", "Started")["metadata"]["uid"]
    bench.kill()
    bench.patch("forced", {"metadata": {"finalizers": None}})
    bench.delete("forced")
    assert bench.vms()
    bench.restart()
    until(lambda: not bench.vms())
    # The record outlives the VM by a moment: an agent that is killed in between must still know whose it was.
    until(lambda: not (bench.mac.directory / "agent" / "instances" / uid).exists(), what="nothing is recorded of it")


def test_the_macs_power_goes(bench: Bench) -> None:
    bench.create("power", startupScript=script("touch ~/begun; sleep 60", monitoring=True))
    # Before that, `anka run` would start the VM again: the runner lives on here, which it does not on a real Mac.
    until(lambda: list(bench.mac.directory.glob("vms/*/root/Users/anka/begun")))
    bench.kill()
    bench.mac.power_off()
    bench.restart()
    message = bench.wait_phase("power", "Error")["status"]["message"]
    assert "before it was ready" in message
    bench.delete("power")
    assert bench.vms() == []


def test_script_result_survives_the_agent(bench: Bench) -> None:
    startup = script("sleep 2; echo done; exit 4", monitoring=True)
    bench.create("outlives", startupScript=startup)
    jobs = bench.mac.directory / "agent" / "instances"
    until(lambda: list(jobs.glob("*/script/started.json")))
    bench.kill()
    until(lambda: list(jobs.glob("*/script/result.json")))
    bench.restart()
    status = bench.wait_phase("outlives", "Error")["status"]
    assert status["startupScript"] == {"returnCode": 4, "didTimeout": False, "stdout": "done\n", "stderr": ""}
    assert len([argv for argv in bench.commands("run") if argv[1] == status["vm"]["uuid"]]) == 1
    bench.delete("outlives")
    assert bench.vms() == []
