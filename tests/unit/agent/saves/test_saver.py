"""Each `anka` command of a save, and each thing that can go wrong with it: the reason is told, the instance goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_agent.instances import interruption
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.plan.save import SaveFailure
from anka_agent.saves.queue import make_save_store
from anka_agent.saves.saver import SaveReporter
from anka_agent.steps import save as steps
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.api.conditions import SaveReason
from anka_crds.resources import INSTANCES
from anka_kube.errors import Conflict, Unreachable
from anka_kube.store import Store
from support.fake_anka import FakeAnka
from support.faulty_mac import Fault, FaultyAnka, FaultyMac, Kind, MemoryApi, fill_disk
from support.manual_clock import ManualClock
from support.objects import TEMPLATE, instance, save_image


class Saves(MemoryApi[SaveImage]):
    error: Exception | None = None
    rereads = 0

    async def patch(self, obj: SaveImage, patch: Mapping[str, Any]) -> SaveImage:
        if self.error is not None:
            raise self.error
        return await super().patch(obj, patch)

    async def reread(self, obj: SaveImage, is_ours: Callable[[SaveImage], bool] = lambda fresh: True) -> bool:
        self.rereads += 1
        return True


class Desk:
    def __init__(self, directory: Path) -> None:
        self.instances: MemoryApi[AnkaInstance] = MemoryApi(Store(INSTANCES))
        self.saves = Saves(make_save_store())
        self.instances.store.apply_written(instance(status={"phase": "Started"}))
        self.saves.store.apply_written(save_image(status={"phase": "Pending"}))
        self.journal = SaveJournal(directory / "save")
        self.reporter = SaveReporter(self.instances, self.saves, ManualClock())

    @property
    def save(self) -> SaveImage:
        found = self.saves.store.by_uid("uid-save")
        assert found is not None
        return found

    @property
    def instance(self) -> AnkaInstance:
        found = self.instances.store.by_uid("uid-one")
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def count(outcome: str) -> float:
    return REGISTRY.get_sample_value("anka_agent_saves_total", {"outcome": outcome}) or 0.0


async def test_the_record_comes_before_the_phase(desk: Desk) -> None:
    await desk.reporter.report_begin(desk.save, desk.journal, desk.instance)
    assert desk.journal.exists
    assert desk.instance.status.phase == "Pushing"
    (ready, *_) = desk.instance.status.conditions
    assert ready.message == f"Being saved as {TEMPLATE}:saved"


async def test_pushed(desk: Desk) -> None:
    before = count("done")
    await desk.reporter.report_end(desk.save, desk.journal, None)
    # Done is for the operator to say, once the AnkaTemplate shows what was pushed.
    assert (desk.save.status.phase, desk.save.status.pushed_at is not None) == ("Pending", True)
    assert desk.journal.record.finished
    assert count("done") == before + 1


async def test_failed(desk: Desk) -> None:
    failure = SaveFailure(SaveReason.PUSH_FAILED, "no route", "PushFailed", 9)
    await desk.reporter.report_end(desk.save, desk.journal, failure)
    error = desk.save.status.error
    assert error is not None
    assert (desk.save.status.phase, error.message, error.type, error.code) == ("Error", "no route", "PushFailed", 9)


async def test_a_request_that_changed_meanwhile_is_read_again_and_not_finished(desk: Desk) -> None:
    desk.saves.error = Conflict(409, "Conflict", "changed", action="patch")
    before = count("done")
    await desk.reporter.report_end(desk.save, desk.journal, None)
    assert (desk.saves.rereads, desk.journal.record.finished, count("done")) == (1, False, before)


async def test_an_api_that_is_away_is_the_workers_to_wait_for(desk: Desk) -> None:
    desk.saves.error = Unreachable("away", sent=False, action="patch")
    with pytest.raises(Unreachable):
        await desk.reporter.report_end(desk.save, desk.journal, None)
    assert not desk.journal.record.finished


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


class Studio(FaultyMac):
    def __init__(self, directory: Path, fake: FakeAnka) -> None:
        super().__init__(directory, RegistryAnka())
        self.fake = fake
        self.anka.executable = str(fake.path)
        fake.body(PUSHED)

    async def ask(self, **spec: Any) -> None:
        await self.begin()
        await self.until(lambda: self.phase == "Started")
        uuid = self.vms()[0]["uuid"]

        asked = save_image("image", status={"nodeName": "mac-1", "vmUuid": uuid}, **{"tag": "new", **spec})
        self.saves.store.apply_written(asked)
        assert self.worker is not None
        self.worker.wake_for_save(ended=False)

    @property
    def save(self) -> SaveImage:
        found = self.saves.store.by_uid("uid-image")
        assert found is not None
        return found

    async def outcome(self) -> tuple[str, str]:
        """Type and message of the error; empty when it is pushed."""
        await self.until(lambda: self.save.status.phase != "Pending" or self.save.status.pushed_at is not None)
        error = self.save.status.error
        return ("", "") if error is None else (error.type or "", error.message)


@pytest.fixture
async def studio(tmp_path: Path, fake_anka: FakeAnka, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Studio]:
    async def shortly(self: object, seconds: float) -> None:
        await asyncio.sleep(0.002)

    monkeypatch.setattr(interruption.Interruption, "pause", shortly)
    monkeypatch.setattr(steps, "PUSH_SECONDS", 0.5)
    made = Studio(tmp_path / "state", fake_anka)
    yield made
    await made.end()


async def test_without_a_fault_it_is_saved(studio: Studio) -> None:
    await studio.ask(revertBeforePush=True, suspendSanityTest=True)
    assert await studio.outcome() == ("", "")
    assert (studio.save.status.pushed_at is not None, studio.phase) == (True, "Pushing")


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
    studio.saves.store.apply_written(save_image("image", status=status, tag="new"))
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
