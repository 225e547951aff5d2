"""Saving on one Mac: kill -9 at every step, and what else can come between. The test plays the operator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac.store import read_json
from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import serving_in_thread
from support.agents import Bench, Object, script, until

pytestmark = pytest.mark.integration

HANG = 2.0


class Saves:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        assert bench.cloud.registry is not None
        self.registry = bench.cloud.registry

    def start(self, name: str) -> Object:
        self.bench.create(name)
        return self.bench.wait_phase(name, "Started")

    def ask(self, name: str, *, take_up: bool = True, **spec: Any) -> None:
        """A SaveImage of the instance of the same name, given to this Mac as the operator does it."""
        target = {} if "newTemplateName" in spec else {"targetTemplate": self.bench.template}
        manifest = {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "SaveImage",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"instance": name, "tag": name, **target, **spec},
        }
        self.bench.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
        if take_up:
            self.take_up(name)

    def take_up(self, name: str, of: str | None = None) -> None:
        vm = self.bench.get(of or name)["status"]["vm"]["uuid"]
        self.write(name, {"nodeName": self.bench.mac.name, "vmUuid": vm, "registry": self.registry.url})

    def write(self, name: str, status: Object) -> None:
        patch = f"--patch={json.dumps({'status': status})}"
        self.bench.kubectl.run("patch", "saveimage", name, "--type=merge", "--subresource=status", patch)

    def get(self, name: str) -> Object:
        found: Object = json.loads(self.bench.kubectl.run("get", "saveimage", name, "--output=json"))
        return found

    def ended(self, name: str) -> Object:
        """Its status, at its end: what was pushed is Done once the operator has seen it in the registry."""

        def has_ended() -> bool:
            status = self.get(name)["status"]
            return status["phase"] != "Pending" or "pushedAt" in status

        until(has_ended, what=f"the end of {name}")
        if self.get(name)["status"]["phase"] == "Pending":
            self.write(name, {"phase": "Done"})
        status: Object = self.get(name)["status"]
        return status

    def finish(self, name: str) -> None:
        """What the operator does."""
        self.bench.delete(name)
        assert self.bench.vms() == []

    def back_at_work(self, name: str) -> Object:
        """The status of the instance once it may be used again; the end of its save is told before that."""
        status: Object = self.bench.wait_phase(name, "Started")["status"]
        return status

    def pushing(self, name: str) -> None:
        """Return once its push hangs, and the instance tells that it is being saved."""
        until(lambda: not read_json(str(self.bench.mac.directory / "faults.json")), what="anka registry push")
        self.bench.wait_phase(name, "Pushing")

    def tags(self, template: str) -> list[str]:
        return [row["tag"] for row in self.bench.mac.run("registry", "describe", template)["versions"]]

    def pushes(self) -> list[list[str]]:
        return [argv for argv in self.bench.commands("registry") if "push" in argv]


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-save")


@pytest.fixture
def saves(bench: Bench) -> Iterator[Saves]:
    (bench.mac.directory / "commands.log").unlink(missing_ok=True)
    yield Saves(bench)
    bench.clear()
    bench.kubectl.run("delete", "saveimages", "--all", "--timeout=100s")


STEPS = [
    (command, when)
    for command in ("run", "suspend", "start", "registry describe", "registry revert", "registry push", "modify")
    for when in ("before", "after")
]


@pytest.mark.parametrize(("command", "when"), STEPS, ids=lambda value: str(value).replace(" ", "-"))
def test_killed_at_every_step_it_is_saved_once(saves: Saves, command: str, when: str) -> None:
    bench, name = saves.bench, f"kill-{command.replace(' ', '-')}-{when}"
    target: Object = {"newTemplateName": name} if command == "modify" else {"revertBeforePush": True}
    if command != "modify":
        target["targetTemplate"] = saves.registry.add_template(name, ["old", "latest"], size=1_000_000)
    uuid = saves.start(name)["status"]["vm"]["uuid"]
    bench.fault(command, "hang", when=when, times=1, seconds=HANG)
    saves.ask(
        name, script=script("echo ran >> ~/ran; cat ~/ran")["content"], suspendSanityTest=True, **target,
    )  # fmt: skip
    until(lambda: not read_json(str(bench.mac.directory / "faults.json")), what=f"anka {command}")
    bench.kill()
    bench.restart()
    status = saves.ended(name)
    assert status["phase"] == "Done", status
    assert status["scriptResult"]["stdout"] == "ran\n", "the script must run exactly once"
    assert bench.get(name)["status"]["phase"] == "Pushing"
    assert len(saves.pushes()) == 1
    assert saves.tags(target.get("targetTemplate", uuid)) == ([name] if command == "modify" else ["old", name])
    assert bench.overtaking(HANG) == [], "the late command must not come between the next agent's"
    saves.finish(name)


def test_back_to_work_after_a_failure_and_again(saves: Saves) -> None:
    bench = saves.bench
    saves.start("again")
    bench.fault("registry push", "fail", message="no route", times=1)
    saves.ask("again", newTemplateName="again")
    status = saves.ended("again")
    assert status["error"] == {
        "message": "the VM cannot be pushed: anka registry push: no route", "type": "PushFailed", "code": 1,
    }  # fmt: skip
    assert {c["type"]: c["reason"] for c in status["conditions"]} == {"Ready": "PushFailed", "Stalled": "PushFailed"}
    instance = saves.back_at_work("again")
    assert (instance["phase"], instance["vm"]["status"]) == ("Started", "running")
    assert [vm["name"] for vm in bench.vms()] == [instance["vm"]["name"]], "it must have its own name again"
    bench.kubectl.run("delete", "saveimage", "again")
    saves.ask("again", newTemplateName="again")
    assert saves.ended("again")["phase"] == "Done"
    saves.finish("again")


def test_another_registry(saves: Saves, tmp_path: Path) -> None:
    """What it has decides whether the name is free, and it gets the VM; the one that the VM comes from does not."""
    bench = saves.bench
    with serving_in_thread(tmp_path) as url:
        saves.start("away")
        saves.ask("away", take_up=False, newTemplateName="away-template", registry=url)
        vm = bench.get("away")["status"]["vm"]["uuid"]
        saves.write("away", {"nodeName": bench.mac.name, "vmUuid": vm, "registry": url})
        assert saves.ended("away")["phase"] == "Done"
        assert [held["name"] for held in RegistryCatalog(str(tmp_path)).all()] == ["away-template"]
    assert "away-template" not in [row["name"] for row in bench.mac.run("registry", "list")]
    saves.finish("away")


def test_a_licence_that_cannot_suspend(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("agent-develop", license={"license_type": "com.veertu.anka.develop", "status": "valid"})
    saves = Saves(bench)
    saves.start("develop")
    saves.ask("develop")
    error = saves.ended("develop")["error"]
    assert error["type"] == "SuspendFailed"
    assert "not available with this license" in error["message"]
    saves.back_at_work("develop")
    bench.kubectl.run("delete", "saveimage", "develop")
    saves.ask("develop", suspend=False)
    assert saves.ended("develop")["phase"] == "Done"
    bench.delete("develop")
    bench.kubectl.run("delete", "saveimage", "develop")


def test_a_vm_that_cannot_be_resumed_boots(saves: Saves) -> None:
    bench = saves.bench
    saves.start("insane")
    bench.fault("start", "fail", message="state is damaged", times=1)
    saves.ask("insane", suspendSanityTest=True)
    error = saves.ended("insane")["error"]
    assert error["type"] == "SanityTestFailed"
    assert "state is damaged" in error["message"]
    saves.back_at_work("insane")
    assert saves.pushes() == []


def test_the_second_waits_for_the_first(saves: Saves) -> None:
    bench = saves.bench
    uuid = saves.start("first")["status"]["vm"]["uuid"]
    saves.ask(
        "first", script=script("until test -e ~/go; do sleep 0.1; done; exit 1")["content"], cancelOnScriptFailure=True
    )
    bench.wait_phase("first", "Pushing")
    second = saves.get("first")
    made = {**second, "metadata": {"name": "second", "namespace": "default"}}
    made["spec"] = {"instance": "first", "tag": "second", "targetTemplate": bench.template}
    bench.kubectl.run("create", "--filename=-", stdin=json.dumps(made))
    saves.take_up("second", "first")
    (bench.mac.guest_home(uuid) / "go").touch()
    assert saves.ended("first")["error"]["message"] == "Script execution failed"
    assert saves.ended("second")["phase"] == "Done"
    saves.finish("first")


def test_an_instance_deleted_while_it_is_pushed(saves: Saves) -> None:
    bench = saves.bench
    saves.start("ended")
    bench.fault("registry push", "hang", when="before", times=1, seconds=60)
    saves.ask("ended")
    saves.pushing("ended")
    saves.finish("ended")
    assert saves.ended("ended")["error"]["type"] == "InstanceDeleted"
    assert "ended" not in saves.tags(bench.template)


def test_a_request_deleted_while_it_is_pushed(saves: Saves) -> None:
    bench = saves.bench
    saves.start("dropped")
    bench.fault("registry push", "hang", when="before", times=1, seconds=60)
    saves.ask("dropped")
    saves.pushing("dropped")
    bench.kubectl.run("delete", "saveimage", "dropped")
    bench.wait_phase("dropped", "Started")
    assert [vm["status"] for vm in bench.vms()] == ["running"]
    assert "dropped" not in saves.tags(bench.template)


def test_the_macs_power_goes(saves: Saves) -> None:
    bench = saves.bench
    saves.start("power")
    saves.ask("power", script=script("touch ~/begun; sleep 60")["content"])
    until(lambda: list(bench.mac.directory.glob("vms/*/root/Users/anka/begun")))
    bench.kill()
    bench.mac.power_off()
    bench.restart()
    status = saves.ended("power")
    assert status["error"]["type"] == "VmStopped"
    assert bench.wait_phase("power", "Stopped")
    assert saves.pushes() == []


def test_forced_away_in_the_api_while_it_has_the_templates_name(saves: Saves) -> None:
    bench = saves.bench
    uuid = saves.start("forced")["status"]["vm"]["uuid"]
    bench.fault("registry push", "hang", when="before", times=1, seconds=60)
    saves.ask("forced", newTemplateName="forced-name")
    until(lambda: not read_json(str(bench.mac.directory / "faults.json")), what="anka registry push")
    bench.kill()
    bench.patch("forced", {"metadata": {"finalizers": None}})
    bench.delete("forced")
    bench.restart()
    until(lambda: uuid not in [vm["uuid"] for vm in bench.mac.run("list")], what="the VM's removal")
