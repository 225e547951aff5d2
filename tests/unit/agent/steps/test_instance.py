"""Each step that makes a VM ready, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli, InstalledVersion
from anka_agent.anka.errors import AnkaError, CommandTimeout, NoRoomError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.node.view import NodeView
from anka_agent.plan.failures import StepFailed
from anka_agent.steps import instance as module
from anka_agent.steps.instance import InstanceSteps
from anka_agent.steps.secrets import SecretError
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES, NODES
from anka_kube.store import Store
from anka_runtime.backoff import Backoff
from support.faulty_mac import MemoryApi, fill_disk
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host
from support.manual_clock import ManualClock
from support.objects import TEMPLATE, instance, node

ROW = {"uuid": TEMPLATE, "name": "macos-15", "status": "stopped", "version": "v1"}
RESOLVED = {"id": TEMPLATE, "name": "macos-15", "tag": "v1"}
VM = Vm("u1", "x", "stopped", detailed=True)


class Secrets:
    async def read(self, instance: AnkaInstance, field: str, ref: object) -> bytes:
        raise SecretError("Secret default/s does not exist")


class Desk:
    def __init__(self, directory: Path, version: InstalledVersion | None = None) -> None:
        self.anka = GatedAnka({
            "list": [ROW], f"show {TEMPLATE}": ROW, f"show {TEMPLATE} tag": [{"tag": "v1"}],
            "registry": {}, "clone": {}, "modify": {}, "stop": {},
        })  # fmt: skip
        self.clock = ManualClock()
        self.mac = make_mac_host(AnkaCli(self.anka), clock=self.clock, version=version)
        self.api: MemoryApi[AnkaInstance] = MemoryApi(Store(INSTANCES))
        self.journal = Journal(directory)
        self.secrets = Secrets()
        secrets: Any = self.secrets
        view = NodeView(Store(NODES), node("mac-1", displayName="Mac 1"), lambda: "10.0.0.1")
        self.steps = InstanceSteps(
            self.mac, view, self.api, self.journal, secrets, network_timeout=10, clock=self.clock
        )

    def put(self, **fields: Any) -> AnkaInstance:
        status = {"phase": "Scheduling", "template": RESOLVED, **fields.pop("status", {})}
        made = instance(status=status, **fields)
        self.api.store.apply_written(made)
        return made

    def called(self, *beginnings: str) -> list[str]:
        return [call for call in self.anka.calls if call.startswith(beginnings)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def reason(failed: pytest.ExceptionInfo[StepFailed]) -> tuple[str, str]:
    return failed.value.failure.reason.value, failed.value.failure.message


async def test_a_pull_from_the_instances_registry(desk: Desk) -> None:
    await desk.steps.pull(desk.put(status={"registry": "http://r"}))
    assert desk.called("registry") == [f"registry --remote http://r pull --tag v1 {TEMPLATE}"]
    assert desk.mac.templates.holds(TEMPLATE, "v1")
    assert desk.api.writes == [], "a short pull is not reported"


async def test_a_pull_that_takes_long_is_reported(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    one = desk.put()
    desk.anka.gate.clear()
    desk.anka.lines = ["40%"]
    rounds: list[str] = []
    find = desk.api.store.by_uid

    def count(uid: str) -> AnkaInstance | None:
        rounds.append(uid)
        return find(uid)

    monkeypatch.setattr(desk.api.store, "by_uid", count)
    pulling = asyncio.create_task(desk.steps.pull(one))
    async with asyncio.timeout(20):
        while len(rounds) < 5:  # noqa: ASYNC110 - a timer comes between
            await asyncio.sleep(0.001)
    desk.anka.gate.set()
    await pulling
    (written,) = desk.api.writes
    assert (written["status"]["phase"], written["status"]["progressPercent"]) == ("Pulling", 40), "once: nothing is new"


async def test_a_pull_that_brings_nothing(desk: Desk) -> None:
    desk.anka.answers["list"] = []
    with pytest.raises(StepFailed) as failed:
        await desk.steps.pull(desk.put())
    assert reason(failed) == ("PullFailed", f"{TEMPLATE}:v1 was pulled, but anka does not list it")


WANTED = {"template": {**RESOLVED, "contentId": "now"}}


async def test_what_was_pulled_is_known_by_its_content(desk: Desk) -> None:
    assert await desk.steps.pull(desk.put(status=WANTED)) is None
    assert desk.mac.templates.content_id(TEMPLATE, "v1") == "now"


async def test_what_may_be_old_is_started_when_the_registry_does_not_answer(desk: Desk) -> None:
    await desk.mac.templates.observe()
    desk.anka.answers["registry"] = AnkaError("connection refused", command="registry pull")
    doubt = await desk.steps.pull(desk.put(status=WANTED))
    assert doubt == (
        f"made from {TEMPLATE}:v1 as the Mac held it, because the registry could not be asked for it: "
        "anka registry pull: connection refused"
    )
    assert desk.mac.templates.content_id(TEMPLATE, "v1") is None, "it is asked for again"


@pytest.mark.parametrize("error", [NotFoundError("gone", 3), NoRoomError("it does not fit")])
async def test_what_may_be_old_is_not_started_when_the_registry_has_another(desk: Desk, error: AnkaError) -> None:
    await desk.mac.templates.observe()
    desk.anka.answers["registry"] = error
    with pytest.raises(type(error)):
        await desk.steps.pull(desk.put(status=WANTED))


async def test_what_is_old_is_never_started(desk: Desk) -> None:
    await desk.mac.templates.observe()
    await desk.mac.templates.record_pull(TEMPLATE, "v1", "before")
    desk.anka.answers["registry"] = CommandTimeout("no answer", command="registry pull")
    with pytest.raises(CommandTimeout) as failed:
        await desk.steps.pull(desk.put(status=WANTED))
    assert str(failed.value) == (
        f"anka registry pull: no answer; {TEMPLATE}:v1 on this Mac has other content than the registry's "
        "and is not started"
    )


async def test_a_clone_has_the_instances_name_and_uses_the_template(desk: Desk) -> None:
    one = desk.put(nameTemplate="$node_name-$ts")
    await desk.steps.clone(one)
    record = desk.journal.find_vm("uid-one")
    assert record is not None
    assert re.fullmatch(r"mgmtManaged-Mac-1-\d{19}", record.name)
    assert record.uuid is None
    assert desk.called("clone") == [f"clone {TEMPLATE} {record.name} --tag v1"]
    assert desk.mac.templates.journal.last_use(TEMPLATE, "v1") == desk.clock.now()
    assert desk.called("list") == ["list"]


async def test_a_clone_that_is_tried_again_has_the_same_name_a_new_vm_another(desk: Desk) -> None:
    one = desk.put()
    await desk.steps.clone(one)
    await desk.steps.clone(one)
    first, again = desk.called("clone")
    assert first == again
    desk.journal.record_vm("uid-one", "x", "u1")
    await desk.steps.clone(one)
    assert desk.called("clone")[2] != first


async def test_no_vm_is_made_whose_name_cannot_be_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    with pytest.raises(StepFailed) as failed:
        await desk.steps.clone(desk.put())
    assert reason(failed) == ("CloneFailed", "the Mac's disk refuses: [Errno 28] No space left on device")
    assert desk.called("clone") == []


@pytest.mark.parametrize(
    ("version", "command"),
    [("3.8.1", "modify u1 cpu 4"), ("2.5.0", "modify u1 set cpu -c 4")],
)
async def test_options_in_the_words_of_this_anka(tmp_path: Path, version: str, command: str) -> None:
    desk = Desk(tmp_path, InstalledVersion("Anka", version, "1"))
    await desk.steps.configure(desk.put(resources={"vcpu": 4}), VM)
    assert desk.called("modify") == [command]


@pytest.mark.parametrize(("status", "stops"), [("suspended", ["stop --force u1"]), ("stopped", [])])
async def test_a_suspended_clone_is_stopped_for_the_option_that_needs_it(
    desk: Desk, status: str, stops: list[str]
) -> None:
    await desk.steps.configure(desk.put(network={"local": "forceOn"}), Vm("u1", "x", status))
    assert desk.called("stop") == stops


ADDRESS = "02:00:00:00:00:07"


async def test_the_address_that_the_operator_chose(desk: Desk) -> None:
    """It is the one that the spec asks for, where it asks for one."""
    chosen = desk.put(status={"macAddress": ADDRESS}, network={"mode": "bridge", "macAddress": "02:00:00:00:00:01"})
    await desk.steps.configure(chosen, VM)
    await desk.steps.configure(desk.put(status={"macAddress": ADDRESS}), VM)
    mac = f"modify u1 network --mac {ADDRESS}"
    assert desk.called("modify") == ["modify u1 network -t bridge", mac, mac]


async def test_a_suspended_template_takes_no_address(desk: Desk) -> None:
    suspended = Vm("u1", "x", "suspended")
    with pytest.raises(StepFailed) as failed:
        await desk.steps.configure(desk.put(status={"macAddress": ADDRESS}), suspended)
    why, message = reason(failed)
    assert why == "TemplateSuspended"
    assert message.startswith(f"the template is of a suspended VM, which Anka cannot give the MAC address {ADDRESS}: ")
    assert not failed.value.failure.elsewhere
    assert desk.called("modify", "stop") == []
    await desk.steps.configure(desk.put(status={"macAddress": ADDRESS}, network={"local": "forceOn"}), suspended)
    assert desk.called("modify", "stop") == [
        "stop --force u1", "modify u1 network --local", f"modify u1 network --mac {ADDRESS}",
    ]  # fmt: skip


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NETWORK_BACKOFF", Backoff(base=0.0))


@pytest.mark.usefixtures("hurried")
async def test_an_address_is_waited_for(desk: Desk) -> None:
    running = {"uuid": "u1", "name": "x", "status": "running"}
    desk.anka.answers["show u1"] = running
    waiting = asyncio.create_task(desk.steps.await_network(VM))
    await desk.anka.called(3)
    assert not waiting.done()
    desk.anka.answers["show u1"] = {**running, "ip": "192.168.64.2"}
    await asyncio.wait_for(waiting, 20)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("vm", [None, {"uuid": "u1", "name": "x", "status": "stopped"}])
async def test_a_vm_that_does_not_run_gets_none(desk: Desk, vm: dict[str, str] | None) -> None:
    if vm is not None:
        desk.anka.answers["show u1"] = vm
    await asyncio.wait_for(desk.steps.await_network(VM), 20)


@pytest.mark.usefixtures("hurried")
async def test_no_address_in_time(desk: Desk) -> None:
    desk.anka.answers["show u1"] = {"uuid": "u1", "name": "x", "status": "running"}
    waiting = asyncio.create_task(desk.steps.await_network(VM))
    await desk.anka.called()
    desk.clock.advance(10)
    with pytest.raises(StepFailed) as failed:
        await waiting
    assert reason(failed) == ("NetworkTimeout", "the VM got no IP address within 10 s of its start")
    assert failed.value.failure.elsewhere, "the network may be this Mac's"


@pytest.mark.parametrize(("monitoring", "limit"), [(True, 5.0), (False, module.UNMONITORED_SECONDS)])
async def test_a_script_is_begun(desk: Desk, monkeypatch: pytest.MonkeyPatch, monitoring: bool, limit: float) -> None:
    begun: list[tuple[list[str], bytes, float]] = []

    def begin(job: object, command: list[str], text: bytes, *, timeout: float) -> None:
        begun.append((command, text, timeout))

    monkeypatch.setattr("anka_agent.jobs.scripts.ScriptJob.begin", begin)
    content = base64.b64encode(b"echo hi").decode()
    one = desk.put(startupScript={"content": content, "monitoring": monitoring, "timeoutSeconds": 5})
    await desk.steps.run_script(one, VM)
    assert begun == [(["anka", "run", "u1", "sh"], b"echo hi", limit)]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ({"content": "abc"}, "spec.startupScript.content: illegal base64 data at input byte 0"),
        ({"secretRef": {"name": "s", "key": "k"}}, "Secret default/s does not exist"),
    ],
)
async def test_a_script_that_cannot_be_had(desk: Desk, script: dict[str, Any], message: str) -> None:
    with pytest.raises(StepFailed) as failed:
        await desk.steps.run_script(desk.put(startupScript=script), VM)
    assert reason(failed) == ("ScriptFailed", message)


async def test_an_instance_without_a_script_needs_no_step(desk: Desk) -> None:
    await desk.steps.run_script(desk.put(), VM)
    assert desk.anka.calls == []
