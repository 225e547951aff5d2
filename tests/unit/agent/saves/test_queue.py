"""Which save comes next, and what is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.plan.save import SaveOptions, SaveStep, Stage
from anka_agent.saves.queue import SaveQueue, SaveTask, make_save_store, read_options
from support.objects import instance, save_image

ONE = instance(status={"phase": "Started", "vm": {"uuid": "u1", "name": "x", "status": "running"}})
PUSHING = instance(status={"phase": "Pushing", "vm": {"uuid": "u1", "name": "x", "status": "running"}})
VM = Vm("u1", "p-x", "running", detailed=True)


class Desk:
    def __init__(self, directory: Path) -> None:
        self.saves = make_save_store()
        self.journal = Journal(directory)
        self.journal.record_vm("uid-one", VM.name, VM.uuid)
        self.queue = SaveQueue("uid-one", self.saves, self.journal)

    def ask(self, name: str, phase: str = "Pending", *, age: float = 0, of: str = "one", **status: Any) -> None:
        self.saves.apply_written(
            save_image(
                name,
                of,
                status={"phase": phase, **status},
                meta={"creationTimestamp": f"2026-01-01T0{9 - int(age)}:00:00Z"},
            )
        )

    def next(self, **more: Any) -> tuple[str | None, str] | None:
        task = self.queue.next(more.get("one", ONE), more.get("vm", VM))
        return None if task is None else (task.save.metadata.name if task.save else None, task.decision.step.value)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_no_save_no_say(desk: Desk) -> None:
    desk.ask("other", of="two")
    desk.ask("over", "Error")
    assert desk.next() is None


def test_the_oldest_first(desk: Desk) -> None:
    desk.ask("young")
    desk.ask("old", age=2)
    assert desk.next() == ("old", "report pushing")


def test_one_that_was_begun_comes_before_an_older_one(desk: Desk) -> None:
    desk.ask("begun")
    desk.ask("old", age=2)
    desk.journal.save("uid-one", "uid-begun").write(checked=True)
    assert desk.next(one=PUSHING) == ("begun", "halt")


@pytest.mark.parametrize("how", ["deleted", "ended by the operator"])
def test_one_that_is_not_wanted_any_more_is_undone_first(desk: Desk, how: str) -> None:
    desk.ask("new")
    if how != "deleted":
        desk.ask("begun", "Error")
    desk.journal.save("uid-one", "uid-begun").write(stage=Stage.HALTING)
    stopped = Vm("u1", VM.name, "suspended")
    found = desk.next(one=PUSHING, vm=stopped)
    assert found == (None if how == "deleted" else "begun", "resume")
    desk.queue.journal_of("uid-begun").conclude(finished=True)
    assert desk.next() == ("new", "report pushing")


@pytest.mark.parametrize("phase", ["Pending", "Done"])
def test_after_the_push_nothing_happens_until_the_operator_deletes_the_instance(desk: Desk, phase: str) -> None:
    desk.ask("done", phase, vmUuid="u1", pushedAt="2026-01-01T00:00:00Z")
    desk.ask("another")
    assert desk.next(one=PUSHING) == ("done", "nothing")
    assert desk.next(one=ONE) == ("another", "report pushing"), "it is another life of the instance"


@pytest.mark.parametrize(("keeps", "step"), [(False, SaveStep.RENAME_BACK), (True, SaveStep.REPORT_DONE)])
def test_a_vm_with_the_templates_name_gets_its_own_back(desk: Desk, keeps: bool, step: SaveStep) -> None:
    desk.ask("begun")
    desk.journal.save("uid-one", "uid-begun").write(pushed=True)
    desk.queue.keeps_template_name = keeps
    task = desk.queue.next(PUSHING, Vm("u1", "macos-xcode", "suspended"))
    assert isinstance(task, SaveTask)
    assert task.decision.step is step


def test_journals_of_all_that_was_begun(desk: Desk) -> None:
    assert desk.queue.list_journals() == []
    desk.journal.save("uid-one", "uid-a").write()
    desk.journal.save("uid-two", "uid-b").write()
    (journal,) = desk.queue.list_journals()
    assert journal is desk.queue.journal_of("uid-a"), "one object for each: it may hold what the disk refused"


def test_options() -> None:
    assert read_options(save_image()) == SaveOptions(suspend=True)
    full = save_image(
        suspend=False, script="eA==", cancelOnScriptFailure=True, suspendSanityTest=False, revertBeforePush=True,
        newTemplateName="x",
    )  # fmt: skip
    assert read_options(full) == SaveOptions(
        suspend=False, script=True, cancel_on_script_failure=True, sanity_test=False, revert=True, new_template=True
    )
