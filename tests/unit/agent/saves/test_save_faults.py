"""Each `anka` command of a save, and each thing that can go wrong with it: the reason is told, the instance goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from anka_agent.instances import worker as module
from anka_agent.saves import steps
from anka_crds.api import SaveImage
from anka_crds.kube import merge_patch
from anka_crds.kube.store import Store
from support.fake_anka import FakeAnka
from support.faulty_mac import Fault, FaultyAnka, FaultyMac, Kind, fill_disk
from support.objects import save_image

PUSHED = "say({})"
PUSHES = {
    "fail": "print(json.dumps({'status': 'ERROR', 'code': 9, 'message': 'simulated'}), end=''); sys.exit(9)",
    "garbage": "print('?')",
    "hang": "time.sleep(60)",
}
WORDS = {"fail": "simulated", "hang": "did not end within", "garbage": "printed no JSON answer"}


class RegistryAnka(FaultyAnka):
    """Its registry has one template with the tag v1."""

    async def _work(self, args: tuple[str, ...], seconds: float) -> Any:
        if args[0] == "registry" and "describe" in args:
            return {"versions": [{"tag": "v1"}]}
        if args[0] == "registry" and "list" in args:
            return []
        return await super()._work(args, seconds)


class Writer:
    """What is written is in the store at once."""

    def __init__(self, store: Store[SaveImage]) -> None:
        self._store = store

    async def patch_status(self, obj: SaveImage, status: Mapping[str, Any], *, guarded: bool) -> SaveImage:
        assert guarded
        data = merge_patch.apply(obj.to_api(), {"status": {**status}, "metadata": {"resourceVersion": "2"}})
        new = SaveImage.from_api(data)
        self._store.apply_written(new)
        return new


class Studio(FaultyMac):
    def __init__(self, directory: Path, fake: FakeAnka) -> None:
        super().__init__(directory, RegistryAnka())
        self.fake = fake
        self.anka.executable = str(fake.path)
        self.context.save_writer = cast(Any, Writer(self.context.saves))
        fake.body(PUSHED)

    async def ask(self, **spec: Any) -> None:
        await self.begin()
        await self.until(lambda: self.phase == "Started")
        uuid = self.vms()[0]["uuid"]

        asked = save_image("image", status={"nodeName": "mac-1", "vmUuid": uuid}, **{"tag": "new", **spec})
        self.context.saves.apply_written(asked)
        assert self.worker is not None
        self.worker.wake_for_save(ended=False)

    @property
    def save(self) -> SaveImage:
        found = self.context.saves.by_uid("uid-image")
        assert found is not None
        return found

    async def outcome(self) -> tuple[str, str]:
        """Type and message of the error; empty when it is Done."""
        await self.until(lambda: self.save.status.phase != "Pending")
        error = self.save.status.error
        return ("", "") if error is None else (error.type or "", error.message)


@pytest.fixture
async def studio(tmp_path: Path, fake_anka: FakeAnka, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Studio]:
    async def shortly(self: object, seconds: float) -> None:
        await asyncio.sleep(0.002)

    monkeypatch.setattr(module.Worker, "_pause", shortly)
    monkeypatch.setattr(steps, "PUSH_SECONDS", 0.5)
    made = Studio(tmp_path / "state", fake_anka)
    yield made
    await made.end()


async def test_without_a_fault_it_is_saved(studio: Studio) -> None:
    await studio.ask(revertBeforePush=True, suspendSanityTest=True)
    assert await studio.outcome() == ("", "")
    assert (studio.save.status.phase, studio.phase) == ("Done", "Pushing")


FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("registry describe", "RegistryFailed", {}),
    ("registry list", "RegistryFailed", {"newTemplateName": "mine"}),
    ("suspend", "SuspendFailed", {}),
    ("registry revert", "RevertFailed", {"revertBeforePush": True}),
    ("modify", "RenameFailed", {"newTemplateName": "mine"}),
]


@pytest.mark.parametrize("kind", ["fail", "hang", "garbage"])
@pytest.mark.parametrize(("command", "reason", "spec"), FAULTS, ids=[command for command, *_ in FAULTS])
async def test_what_cannot_succeed_is_told_and_the_vm_goes_on(
    studio: Studio, command: str, reason: str, spec: dict[str, Any], kind: Kind
) -> None:
    studio.anka.faults.append(Fault(command, kind))
    await studio.ask(**spec)
    told, message = await studio.outcome()
    assert told == reason
    assert f"anka {command}: " in message
    assert WORDS[kind] in message
    assert studio.anka.calls.count(command) == 3, "three tries"
    await back_at_work(studio)
    assert studio.fake.calls == [], "nothing was pushed"


@pytest.mark.parametrize("kind", ["hang", "garbage", "fail"])
@pytest.mark.parametrize(("command", "reason", "spec"), FAULTS, ids=[command for command, *_ in FAULTS])
async def test_what_passes_is_not_told(
    studio: Studio, command: str, reason: str, spec: dict[str, Any], kind: Kind
) -> None:
    studio.anka.faults.append(Fault(command, kind, times=2))
    await studio.ask(**spec)
    assert await studio.outcome() == ("", "")


@pytest.mark.parametrize("kind", ["fail", "hang", "garbage"])
async def test_a_push_that_fails(studio: Studio, kind: Kind) -> None:
    studio.fake.body(PUSHES[kind])
    await studio.ask()
    told, message = await studio.outcome()
    assert told == "PushFailed"
    assert message.startswith("the VM cannot be pushed: anka registry push: ")
    assert WORDS[kind] in message
    await back_at_work(studio)


@pytest.mark.parametrize("kind", ["fail", "hang", "garbage"])
async def test_a_vm_that_cannot_be_resumed(studio: Studio, kind: Kind) -> None:
    studio.anka.faults.append(Fault("start", kind, times=0))
    await studio.ask(suspendSanityTest=True)
    # Only from the save on: the VM is there already.
    studio.anka.faults[0].times = 1
    told, message = await studio.outcome()
    assert told == "SanityTestFailed"
    assert WORDS[kind] in message
    await back_at_work(studio)


async def test_a_full_disk_of_the_agent(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    await studio.begin()
    await studio.until(lambda: studio.phase == "Started")

    fill_disk(monkeypatch)
    uuid = studio.vms()[0]["uuid"]
    status = {"nodeName": "mac-1", "vmUuid": uuid}
    studio.context.saves.apply_written(save_image("image", status=status, tag="new"))
    assert studio.worker is not None
    studio.worker.wake_for_save(ended=False)
    told, message = await studio.outcome()
    assert told == "DiskFailed"
    assert "No space left on device" in message
    await back_at_work(studio)


async def back_at_work(studio: Studio) -> None:
    """Started again, with the VM that it had, under its own name, and no second one."""
    await studio.until(lambda: studio.phase == "Started")
    (vm,) = studio.vms()
    assert vm["status"] == "running"
    assert vm["name"].startswith("mgmtManaged-")
