"""Each step of a save, what it records, and how it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.errors import AlreadyExistsError, AnkaError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import VmRecord
from anka_agent.plan.failures import SaveFailed
from anka_agent.plan.save import Stage
from anka_agent.steps import save as module
from anka_agent.steps.save import SaveSteps, SaveTarget
from support.faulty_mac import FaultyMac
from support.gated_anka import GatedAnka
from support.objects import TEMPLATE, instance, save_image

VM = Vm("u1", "mgmtManaged-x", "running", detailed=True)
TAGS = {"versions": [{"tag": "v1"}, {"tag": "v2"}]}
SHOWN = {"uuid": "u1", "name": "mgmtManaged-x", "status": "running", "ip": "10.0.0.1"}


class Desk:
    def __init__(self, directory: Path) -> None:
        self.anka = GatedAnka({
            "registry describe": TAGS, "registry list": [{"name": "taken"}], "registry revert": {},
            "suspend": {}, "stop": {}, "start": {}, "modify": {}, "show u1": SHOWN, "list": [SHOWN],
        })  # fmt: skip
        anka: Any = self.anka
        self.mac = FaultyMac(directory, anka)
        self.steps: SaveSteps = self.mac.factory.steps.save
        self.one = instance(status={"phase": "Pushing"})

    def subject(self, **spec: Any) -> SaveTarget:
        save = save_image(**spec)
        return SaveTarget(save, self.one, VM, self.mac.journal.save("uid-one", save.metadata.uid))

    def called(self, *beginnings: str) -> list[str]:
        return [call for call in self.anka.calls if call.startswith(beginnings)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"tag": "v3"}, None),
        ({"tag": "v2"}, "TagExists"),
        ({"tag": "v2", "revertBeforePush": True}, None),
        ({"tag": "v1", "revertBeforePush": True}, "TagExists"),
        ({"tag": "v1", "revertBeforePush": True, "revertTag": "v1"}, None),
        ({"newTemplateName": "free"}, None),
        ({"newTemplateName": "taken"}, "NameTaken"),
    ],
)
async def test_the_registry_is_asked_first(desk: Desk, spec: dict[str, Any], reason: str | None) -> None:
    subject = desk.subject(**spec)
    if reason is None:
        await desk.steps.check(subject)
    else:
        with pytest.raises(SaveFailed) as failed:
            await desk.steps.check(subject)
        assert failed.value.failure.reason == reason
    assert subject.journal.record.checked is (reason is None)


async def test_a_template_that_the_registry_does_not_have(desk: Desk) -> None:
    desk.anka.answers["registry describe"] = NotFoundError("not found", 3)
    with pytest.raises(SaveFailed) as failed:
        await desk.steps.check(desk.subject())
    failure = failed.value.failure
    assert (failure.reason, failure.message, failure.code) == (
        "TemplateNotFound", f"the registry has no template {TEMPLATE}", 3,
    )  # fmt: skip


async def test_anka_gets_the_id_that_the_operator_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr("anka_agent.jobs.scripts.ScriptJob.begin", lambda job, command, *_, **__: begun.append(command))
    subject = desk.subject(
        tag="v2", targetTemplate="macos-15", revertBeforePush=True, status={"targetTemplate": TEMPLATE}
    )
    await desk.steps.check(subject)
    await desk.steps.revert(subject)
    await desk.steps.push(subject)
    asked = [*desk.called("registry"), *map(" ".join, begun)]
    assert len(asked) == 4
    assert [call for call in asked if TEMPLATE not in call or "macos-15" in call] == []


async def test_a_script_that_is_not_base64(desk: Desk) -> None:
    with pytest.raises(SaveFailed) as failed:
        await desk.steps.run_script(desk.subject(script="abc"))
    failure = failed.value.failure
    assert (failure.reason, failure.message, failure.type) == (
        "ScriptFailed", "spec.script: illegal base64 data at input byte 0", "base64.CorruptInputError",
    )  # fmt: skip


@pytest.mark.parametrize(("suspend", "command"), [(True, "suspend u1"), (False, "stop --force u1")])
async def test_halting_is_recorded_before_it_begins(desk: Desk, suspend: bool, command: str) -> None:
    desk.anka.answers[command.split()[0]] = AnkaError("no")
    subject = desk.subject(suspend=suspend)
    with pytest.raises(AnkaError):
        await desk.steps.halt(subject)
    assert desk.anka.calls == [command]
    assert subject.journal.record.stage is Stage.HALTING


async def test_a_sanity_test(desk: Desk) -> None:
    subject = desk.subject()
    await desk.steps.test(subject)
    assert desk.called("start") == ["start u1"]
    assert subject.journal.record.stage is Stage.TESTED


async def test_a_sanity_test_that_fails_leaves_a_vm_that_boots(desk: Desk) -> None:
    desk.anka.answers["start"] = AnkaError("no state", 9)
    subject = desk.subject()
    with pytest.raises(SaveFailed) as failed:
        await desk.steps.test(subject)
    assert failed.value.failure.message == "the suspended VM cannot be resumed: no state"
    assert (failed.value.failure.reason, failed.value.failure.code) == ("SanityTestFailed", 9)
    assert desk.called("stop") == ["stop --force u1"]
    assert subject.journal.record.stage is Stage.TESTING


@pytest.mark.parametrize(
    ("revert_tag", "command"),
    [(None, f"registry revert --tag v2 --yes {TEMPLATE}"), ("v1", f"registry revert --tag v1 --yes {TEMPLATE}"),
     ("none", None)],
)  # fmt: skip
async def test_what_is_reverted_is_chosen_once(desk: Desk, revert_tag: str | None, command: str | None) -> None:
    desk.anka.answers["registry revert"] = AnkaError("no")
    subject = desk.subject(revertBeforePush=True, **({"revertTag": revert_tag} if revert_tag else {}))
    if command is not None:
        with pytest.raises(AnkaError):
            await desk.steps.revert(subject)
    # Half done: the latest tag is another one now, but not the one that is reverted.
    desk.anka.answers |= {"registry describe": {"versions": [{"tag": "v1"}]}, "registry revert": {}}
    await desk.steps.revert(subject)
    assert desk.called("registry revert") == ([command, command] if command else [])
    assert subject.journal.record.reverted


async def test_a_renamed_vm_stays_ours_and_gets_its_name_back(desk: Desk) -> None:
    await desk.mac.host.inventory.observe()
    subject = desk.subject(newTemplateName="macos-xcode")
    await desk.steps.rename(subject)
    assert desk.mac.journal.find_vm("uid-one") == VmRecord(VM.name, "u1")
    vm = desk.mac.host.inventory.find("uid-one")
    assert vm is not None
    assert vm.name == "macos-xcode"
    await desk.steps.restore_name(desk.one, vm)
    assert desk.called("modify") == ["modify u1 name macos-xcode", f"modify u1 name {VM.name}"]
    assert desk.mac.journal.find_vm("uid-one") == VmRecord(VM.name, "u1")


async def test_a_push_is_begun_in_a_process_of_its_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []

    def begin(job: object, command: list[str], text: bytes, *, timeout: float) -> None:
        begun.append(command)

    monkeypatch.setattr("anka_agent.jobs.scripts.ScriptJob.begin", begin)
    subject = desk.subject(description="nightly", status={"registry": "http://r"})
    await desk.steps.push(subject)
    assert begun == [[
        "anka", "--machine-readable", "registry", "--remote", "http://r", "push", "--tag", "saved",
        "--description", "nightly", "--remote-vm", TEMPLATE, "u1",
    ]]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "tags", "pushed"),
    [
        (None, TAGS, True),
        (AnkaError("cut off"), {"versions": [{"tag": "saved"}]}, True),
        (AnkaError("cut off"), TAGS, False),
        (AnkaError("cut off"), AnkaError("registry down"), False),
        (AlreadyExistsError("there"), {"versions": [{"tag": "saved"}]}, False),
    ],
    ids=["it says so", "the registry has it", "it does not", "nobody knows", "another pushed it"],
)
async def test_the_registry_knows_how_a_push_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: AnkaError | None, tags: Any, pushed: bool
) -> None:
    def require(journal: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(module, "require_pushed", require)
    desk.anka.answers["registry describe"] = tags
    subject = desk.subject()
    if pushed:
        await desk.steps.confirm(subject)
    else:
        with pytest.raises(SaveFailed, match="the VM cannot be pushed"):
            await desk.steps.confirm(subject)
    assert subject.journal.record.pushed is pushed
