"""Each `anka` command, and each thing that can go wrong with it: what the instance says, and how long that takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_agent.anka import operations
from anka_agent.instances import failures
from anka_agent.instances import worker as module
from anka_crds.kube.backoff import Backoff
from support.faulty_mac import Fault, FaultyMac, Kind, fill_disk


@pytest.fixture
async def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyMac]:
    monkeypatch.setattr(failures, "delay", lambda attempt: 0.0)
    monkeypatch.setattr(module, "Backoff", lambda base, cap: Backoff(base=0.001, cap=0.001))
    made = FaultyMac(tmp_path)
    yield made
    await made.end()


STARTING = [
    # command, fault, reason (None: it starts all the same), tries, seconds that all of them may take when they hang
    ("registry pull", "fail", "PullFailed", 3, 0.0),
    ("registry pull", "hang", "PullFailed", 3, 3 * operations.PULL),
    ("registry pull", "garbage", "PullFailed", 3, 0.0),
    ("clone", "fail", "CloneFailed", 1, 0.0),
    ("clone", "hang", "CloneFailed", 3, 3 * operations.CLONE),
    ("clone", "garbage", "CloneFailed", 3, 0.0),
    ("modify", "fail", "ConfigureFailed", 1, 0.0),
    ("modify", "hang", "ConfigureFailed", 3, 3 * operations.MODIFY),
    ("modify", "garbage", "ConfigureFailed", 3, 0.0),
    ("start", "fail", "StartFailed", 1, 0.0),
    ("start", "hang", "StartFailed", 3, 3 * operations.START),
    ("start", "garbage", "StartFailed", 3, 0.0),
]  # fmt: skip
WORDS = {"fail": "simulated", "hang": "did not end within", "garbage": "printed no JSON answer"}


@pytest.mark.parametrize(
    ("command", "kind", "reason", "tries", "seconds"), STARTING, ids=lambda value: str(value).replace(" ", "-")
)
async def test_a_start_that_cannot_succeed(
    mac: FaultyMac, command: str, kind: Kind, reason: str, tries: int, seconds: float
) -> None:
    mac.anka.faults.append(Fault(command, kind))
    await mac.begin(held=command != "registry pull", resources={"vcpu": 2})
    await mac.until(lambda: mac.phase == "Error")
    told, message = mac.told
    assert (told, mac.anka.calls.count(command)) == (reason, tries)
    assert WORDS[kind] in message
    assert f"anka {command}: " in message
    assert sum(mac.anka.hung) == seconds
    assert len(mac.api.writes) == 1, "one write tells it"
    assert not any(vm["status"] == "running" for vm in mac.vms())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["hang", "garbage"])
@pytest.mark.parametrize("command", ["list", "show", "registry pull", "clone", "modify", "start"])
async def test_what_passes_is_not_told_and_makes_no_second_vm(
    mac: FaultyMac, command: str, kind: Kind, after: bool
) -> None:
    await mac.begin(held=command != "registry pull", resources={"vcpu": 2})
    mac.anka.faults.append(Fault(command, kind, times=2, after=after))
    await mac.until(lambda: mac.phase == "Started")
    assert len(mac.vms()) == 1
    assert mac.anka.calls.count("start") <= 3
    assert len(mac.api.writes) == 1


@pytest.mark.parametrize("kind", ["fail", "hang", "garbage"])
@pytest.mark.parametrize("command", ["list", "show"])
async def test_a_mac_that_cannot_be_seen_loses_nothing(mac: FaultyMac, command: str, kind: Kind) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.anka.faults.append(Fault(command, kind))
    mac.delete()
    # The VM is removed by commands of its own: nobody has to look.
    await mac.until(lambda: mac.instance is None)
    assert mac.vms() == []


@pytest.mark.parametrize("kind", ["fail", "hang", "garbage"])
@pytest.mark.parametrize("command", ["stop", "delete"])
async def test_a_removal_never_gives_up(mac: FaultyMac, command: str, kind: Kind) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    stuck = Fault(command, kind)
    mac.anka.faults.append(stuck)
    mac.delete()
    await mac.until(lambda: mac.phase == "Terminating")
    _, message = mac.told
    assert message.startswith(f"The VM cannot be removed yet: anka {command}: ")
    assert WORDS[kind] in message
    await mac.until(lambda: mac.anka.calls.count(command) > 5)
    assert len(mac.vms()) == 1
    stuck.times = 0
    await mac.until(lambda: mac.instance is None)
    assert mac.vms() == []
    assert len(mac.api.writes) <= 4, "repeated trouble is told once"


@pytest.mark.parametrize("command", ["stop", "delete"])
@pytest.mark.parametrize("kind", ["hang", "garbage"])
async def test_a_removal_that_was_done_and_did_not_say_so(mac: FaultyMac, command: str, kind: Kind) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.anka.faults.append(Fault(command, kind, times=1, after=True))
    mac.delete()
    await mac.until(lambda: mac.instance is None)
    assert mac.vms() == []


async def test_a_restart_on_a_full_disk_happens_once(mac: FaultyMac, monkeypatch: pytest.MonkeyPatch) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")

    fill_disk(monkeypatch)
    mac.change({"spec": {"restartedAt": "2026-01-01T02:00:00Z"}})
    await mac.until(lambda: mac.instance is not None and mac.instance.status.restarted_at is not None)
    assert mac.anka.calls.count("stop") == 1
    mac.delete()
    await mac.until(lambda: mac.instance is None)


async def test_a_script_on_a_full_disk(mac: FaultyMac, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    await mac.begin(startupScript={"content": "ZWNobw==", "monitoring": True})
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told == ("ScriptFailed", "the startup script cannot be run: [Errno 28] No space left on device")


async def test_a_vm_that_dies_by_itself_is_reported(mac: FaultyMac) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.anka.mac.stop(mac.vms()[0]["uuid"])
    await mac.look()
    assert mac.worker is not None
    mac.worker.wake()
    await mac.until(lambda: mac.phase == "Stopped")
    assert mac.anka.calls.count("start") == 1, "nobody asked for a start"
