"""Each `anka` command, and each thing that can go wrong with it: what the instance says, and how long that takes."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from anka_agent.anka import cli as operations
from anka_agent.anka.vm import Vm
from anka_agent.instances import recovery
from anka_agent.instances.planner import InstancePlanner
from anka_agent.plan.decide import Decision
from anka_agent.plan.naming import Source
from anka_agent.saves.queue import SaveTask
from anka_crds.api import AnkaInstance
from anka_crds.api.meta import REQUESTED_BY
from anka_runtime import logs
from anka_runtime.backoff import Backoff
from anka_sim.mac import views
from support.faulty_mac import Fault, FaultyMac, Kind, fill_disk
from support.objects import TEMPLATE


@pytest.fixture
async def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyMac]:
    for name in ("PASSING_BACKOFF", "STEP_BACKOFF"):
        monkeypatch.setattr(recovery, name, Backoff(base=0.001, cap=0.001))
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


async def test_without_a_heartbeat_no_step_begins_and_nothing_is_lost(mac: FaultyMac) -> None:
    """This Mac may have slept, and another be in its place."""
    mac.is_held = False
    await mac.begin()
    await mac.until(lambda: len(mac.clock.naps) >= 0 and mac.worker is not None)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (mac.vms(), mac.anka.calls.count("clone"), mac.api.writes) == ([], 0, [])
    mac.is_held = True
    await mac.until(lambda: mac.phase == "Started")


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
    fill_disk(monkeypatch, but="vm.json")
    await mac.begin(startupScript={"content": "ZWNobw==", "monitoring": True})
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told == ("ScriptFailed", "the startup script cannot be run: [Errno 28] No space left on device")


async def test_a_fault_of_the_agent_ends_in_error_not_in_a_loop(
    mac: FaultyMac, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def fail(instance: object, vm: object) -> None:
        nonlocal tries
        tries += 1
        raise ValueError("embedded null byte")

    monkeypatch.setattr(mac.factory.steps.instance, "configure", fail)
    await mac.begin(resources={"vcpu": 2})
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told[0] == "ConfigureFailed"
    assert "embedded null byte" in mac.told[1]
    assert tries == 3
    mac.delete()
    await mac.until(lambda: mac.instance is None)


WEIRD = st.text("a-\x00\x01\n\x7f\u2028\ud800é日\U0001f34f $./", max_size=6) | st.sampled_from(
    ["--all", "-t", "..", "/"]
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "nameTemplate": WEIRD,
        "displayName": WEIRD,
        "usbDevice": WEIRD,
        "vncPassword": WEIRD,
        "portForwarding": st.lists(
            st.fixed_dictionaries({"name": WEIRD, "guestPort": st.just(22)}, optional={"hostIp": WEIRD}), max_size=2
        ),
        "hardware": st.fixed_dictionaries({}, optional={"serial": WEIRD, "uuid": WEIRD}),
        "network": st.fixed_dictionaries({}, optional={"vlan": WEIRD, "macAddress": WEIRD}),
        "disk": st.fixed_dictionaries({"size": WEIRD, "skipContainerResize": st.just(True)}),
        "startupScript": st.fixed_dictionaries({"content": WEIRD}),
    },
)


@settings(
    max_examples=40, deadline=None, phases=[Stage.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spec=SPECS, tag=st.none() | WEIRD, template=WEIRD)
def test_every_instance_ends_started_or_in_error(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    spec: dict[str, Any],
    tag: str | None,
    template: str,
) -> None:
    """Whatever passed an older schema."""
    for name in ("PASSING_BACKOFF", "STEP_BACKOFF"):
        monkeypatch.setattr(recovery, name, Backoff(base=0.001, cap=0.001))

    async def live() -> None:
        made = FaultyMac(tmp_path_factory.mktemp("mac"))
        resolved = {"id": template or TEMPLATE, "name": template, **({} if tag is None else {"tag": tag})}
        await made.begin(resolved=resolved, **spec)
        try:
            await made.until(lambda: made.phase in ("Started", "Error"))
            made.delete()
            await made.until(lambda: made.instance is None)
        finally:
            await made.end()

    asyncio.run(live())


async def test_a_start_takes_a_round_for_each_step_and_one_to_see_that_nothing_is_left(
    mac: FaultyMac, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[str] = []
    plan = InstancePlanner.plan

    def count(self: InstancePlanner, instance: AnkaInstance, vm: Vm | None) -> Decision | SaveTask | None:
        decision = plan(self, instance, vm)
        rounds.append(decision.decision.step if isinstance(decision, SaveTask) else decision.step if decision else "-")
        return decision

    monkeypatch.setattr(InstancePlanner, "plan", count)
    await mac.begin()
    worker = mac.worker
    assert worker is not None
    # As the controller does, also for our own writes.
    mac.store.subscribe(lambda *_: worker.wake())
    await mac.until(lambda: worker.settled)
    assert rounds == ["clone", "start", "report started", "-"]


async def test_a_vm_that_dies_by_itself_is_reported(mac: FaultyMac) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.anka.mac.stop(mac.vms()[0]["uuid"])
    await mac.look()
    assert mac.worker is not None
    mac.worker.wake()
    await mac.until(lambda: mac.phase == "Stopped")
    assert mac.anka.calls.count("start") == 1, "nobody asked for a start"


@pytest.fixture
def slow_mac(tmp_path: Path) -> FaultyMac:
    return FaultyMac(tmp_path)


async def test_two_workers_share_nothing_but_the_mac_and_the_api(slow_mac: FaultyMac) -> None:
    one, two = (
        slow_mac.factory.create(("default", "one"), "uid-one"),
        slow_mac.factory.create(("default", "two"), "uid-two"),
    )
    await slow_mac.begin()
    slow_mac.delete()
    one.wake()
    two.wake()
    assert one._interruption.deleting.is_set()
    assert not two._interruption.deleting.is_set()
    assert one._store is two._store
    assert one._planner._interruption is one._interruption
    assert one._executor._script.directory != two._executor._script.directory
    await slow_mac.end()


async def test_options_are_applied_once_by_each_process(slow_mac: FaultyMac) -> None:
    await slow_mac.begin(resources={"vcpu": 2})
    await slow_mac.until(lambda: slow_mac.phase == "Started")
    assert slow_mac.anka.calls.count("modify") == 1
    assert slow_mac.worker is not None
    assert slow_mac.worker._executor.configured
    await slow_mac.end()


async def test_a_request_that_ended_interrupts_the_wait_of_a_save(slow_mac: FaultyMac) -> None:
    await slow_mac.begin()
    worker = slow_mac.worker
    assert worker is not None
    worker.wake_for_save(ended=False)
    assert not worker._saver._interrupted.is_set()
    worker.wake_for_save(ended=True)
    assert worker._saver._interrupted.is_set()
    await slow_mac.end()


@pytest.mark.parametrize("command", ["registry pull", "clone", "start"])
async def test_what_this_mac_cannot_start_is_left_to_another(mac: FaultyMac, command: str) -> None:
    mac.anka.faults.append(Fault(command, "fail"))
    await mac.begin(held=command != "registry pull", node=None)
    await mac.until(lambda: mac.instance is not None and mac.instance.status.refusals)
    assert mac.instance is not None
    status = mac.instance.status
    assert status.refusals is not None
    assert [(one.node_name, f"anka {command}: simulated" in one.message) for one in status.refusals] == [
        ("mac-1", True)
    ]
    assert (status.phase, status.vm, mac.vms()) == ("Scheduling", None, []), "nothing of it is left here"
    assert mac.checks == ["Scheduling"], "the Mac was looked at before"
    assert mac.journal.find_vm("uid-one") is None or command == "clone"
    calls = len(mac.anka.calls)
    mac.change({"spec": {"displayName": "x"}})
    await mac.until(lambda: mac.worker is not None and mac.worker.settled is None)
    assert len(mac.anka.calls) == calls, "it is not tried again here"
    mac.delete()
    await mac.until(lambda: mac.instance is None)


@pytest.mark.parametrize(("node", "phase"), [(None, "Scheduling"), ("mac-1", "Error")])
async def test_a_vm_without_an_address_is_left_to_another_mac(
    mac: FaultyMac, monkeypatch: pytest.MonkeyPatch, node: str | None, phase: str
) -> None:
    monkeypatch.setattr(mac.factory.steps.instance, "network_timeout", 0.0)
    monkeypatch.setattr(views, "_ip", lambda *_: "")
    for template in ("a", "b"):
        mac.host.starts.note_failure(Source(template, None), "before")
    await mac.begin(node=node)
    told = "the VM got no IP address within 0 s of its start"
    await mac.until(lambda: mac.instance is not None and told in str(mac.instance.status.to_api()))
    assert (mac.phase, mac.vms() == []) == (phase, node is None)
    assert told in (mac.host.starts.problem or ""), "that it started is no success"


@pytest.mark.parametrize("before", [2, 3])
async def test_after_some_macs_it_fails(mac: FaultyMac, before: int) -> None:
    mac.anka.faults.append(Fault("start", "fail"))
    await mac.begin(node=None)
    refusals = [{"nodeName": f"mac-{n}", "reason": "StartFailed", "message": "no"} for n in range(2, 2 + before)]
    mac.change({"status": {"refusals": refusals}})
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told == ("StartFailed", "the VM cannot be started: anka start: simulated")


async def test_a_setting_that_anka_refuses_is_refused_everywhere(mac: FaultyMac) -> None:
    mac.anka.faults.append(Fault("modify", "fail"))
    await mac.begin(node=None, resources={"vcpu": 2})
    await mac.until(lambda: mac.phase == "Error")
    assert mac.checks == []


async def test_a_mac_on_which_starts_fail_pauses_until_one_succeeds(mac: FaultyMac) -> None:
    for template in ("a", "b"):
        mac.host.starts.note_failure(Source(template, None), "before")
    mac.anka.faults.append(Fault("start", "fail"))
    await mac.begin()
    await mac.until(lambda: mac.phase == "Error")
    assert mac.host.starts.problem is not None
    await mac.host.starts.note_success(Source(TEMPLATE, "v1"))
    assert mac.host.starts.problem is None


async def test_a_mac_knows_what_has_started_on_it(mac: FaultyMac) -> None:
    await mac.begin()
    assert not mac.host.templates.has_started(TEMPLATE, "v1", None)
    await mac.until(lambda: mac.phase == "Started")
    assert mac.host.templates.has_started(TEMPLATE, "v1", None)


async def test_every_line_says_whose_instance_it_is(mac: FaultyMac) -> None:
    stream = io.StringIO()
    handler = logs.dress(logging.StreamHandler(stream))
    logger = logging.getLogger("anka_agent")
    logger.addHandler(handler)
    try:
        mac.anka.faults.append(Fault("clone", "fail"))
        await mac.begin(externalId="job 7", meta={"annotations": {REQUESTED_BY: "jenkins"}})
        await mac.until(lambda: mac.phase == "Error")
    finally:
        logger.removeHandler(handler)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    about = [line for line in lines if "instance_id" in line]
    assert about
    assert {(line["external_id"], line["user"]) for line in about} == {("job 7", "jenkins")}
