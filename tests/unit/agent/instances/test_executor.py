"""Each decision reaches its step; what takes long, or changes nothing, is treated so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.instances import executor as module
from anka_agent.instances.executor import InstanceExecutor
from anka_agent.instances.interruption import Interruption
from anka_agent.plan.decide import Decision, Step
from anka_agent.plan.naming import Source
from anka_crds.api import AnkaInstance
from support.manual_clock import ManualClock
from support.objects import instance

VM = Vm("u1", "x", "running", detailed=True)


class Log:
    """Stands for every part of an executor: records what it is asked for, as `name(arguments)`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.wrote = True

    def __getattr__(self, name: str) -> Any:
        def call(*args: object) -> Any:
            names = {AnkaInstance: "instance", Vm: "vm", Source: "source"}
            self.calls.append(f"{name}({', '.join(names.get(type(arg), str(arg)) for arg in args)})")
            return self._finish(name)

        return call

    def _finish(self, name: str) -> Any:
        if name in ("cancel", "note_doubt", "note_start", "record_restart"):
            return None

        async def finish() -> bool:
            await self.gate.wait()
            return self.wrote

        return finish()

    @property
    def instance(self) -> Log:
        return self

    @property
    def power(self) -> Log:
        return self


class Desk:
    def __init__(self) -> None:
        self.log = Log()
        self.interruption = Interruption()
        self.clock = ManualClock()
        part: Any = self.log
        self.executor = InstanceExecutor(part, part, part, part, self.interruption, self.clock, part)

    async def execute(self, step: Step, vm: Vm | None = VM, **status: Any) -> list[str]:
        await self.executor.execute(Decision(step), instance(status=status), vm, None)
        return self.log.calls


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("step", "phase", "calls"),
    [
        (Step.PULL, "Scheduling", ["pull(instance)", "note_doubt(True)"]),
        (Step.CLONE, "Scheduling", ["clone(instance)"]),
        (Step.CONFIGURE, "Scheduling", ["configure(instance, vm)"]),
        (Step.START, "Scheduling", ["start(instance, vm)", "note_start()"]),
        (Step.START, "Stopped", ["start(instance, vm)", "record_restart(instance)", "note_start()"]),
        (Step.START, "Pushing", ["start(instance, vm)", "note_start()"]),
        (Step.RESTART, "Started", ["restart(instance, vm)", "note_start()"]),
        (Step.AWAIT_NETWORK, "Scheduling", ["await_network(vm)"]),
        (Step.GROW_CONTAINER, "Scheduling", ["grow_container(instance, vm)"]),
        (Step.RUN_SCRIPT, "Scheduling", ["run_script(instance, vm)"]),
        (Step.AWAIT_SCRIPT, "Scheduling", ["wait()"]),
        (Step.STOP, "Started", ["cancel()", "cancel()", "stop(vm)"]),
        (Step.DELETE, "Started", ["cancel()", "delete(instance, vm)"]),
        (Step.RELEASE_FINALIZER, "Started", ["conclude(instance)", "release(instance)"]),
    ],
)
async def test_steps(desk: Desk, step: Step, phase: str, calls: list[str]) -> None:
    assert await desk.execute(step, phase=phase) == calls
    assert desk.executor.configured is (step is Step.CONFIGURE)


async def test_a_start_has_succeeded_once_it_is_reported(desk: Desk) -> None:
    """Before that the VM may have no network. Later reports, and those of a VM that another agent started, are none."""
    report = Step.REPORT_STARTED
    assert not any(call.startswith("note_success") for call in await desk.execute(report))
    await desk.execute(Step.START, phase="Scheduling")
    calls = [call.partition("(")[0] for call in await desk.execute(report)]
    assert calls == ["report", "start", "note_start", "note_success", "report"]
    assert (await desk.execute(report)).count("note_success(source)") == 1


@pytest.mark.parametrize("step", [Step.START, Step.STOP, Step.DELETE, Step.RUN_SCRIPT])
async def test_a_vm_that_is_not_there_is_left_alone(desk: Desk, step: Step) -> None:
    assert await desk.execute(step, vm=None) == []


async def test_a_report_with_nothing_to_write_pauses(desk: Desk) -> None:
    desk.log.wrote = False
    reporting = asyncio.create_task(desk.execute(Step.REPORT_VM))
    await asyncio.sleep(0)
    assert not reporting.done(), "else it would be decided again at once, for ever"
    desk.interruption.deleting.set()
    await asyncio.wait_for(reporting, 20)


async def test_a_removal_that_takes_long_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TERMINATING_SECONDS", 0.0)
    desk.interruption.deleting.set()
    desk.log.gate.clear()
    stopping = asyncio.create_task(desk.execute(Step.STOP))
    async with asyncio.timeout(20):
        while len(desk.log.calls) < 4:  # noqa: ASYNC110 - a timer comes between
            await asyncio.sleep(0)
    assert desk.log.calls[-1] == "report_terminating(uid-one, The VM is being removed)"
    assert not stopping.done()
    desk.log.gate.set()
    await stopping


async def test_the_time_of_a_removal_is_that_of_all_its_parts(desk: Desk) -> None:
    desk.interruption.deleting.set()
    await desk.execute(Step.STOP)
    assert not any("report_terminating" in call for call in desk.log.calls)
    desk.clock.advance(module.TERMINATING_SECONDS + 1)
    desk.log.gate.clear()
    deleting = asyncio.create_task(desk.execute(Step.DELETE))
    async with asyncio.timeout(20):
        while "report_terminating" not in desk.log.calls[-1]:  # noqa: ASYNC110 - a timer comes between
            await asyncio.sleep(0)
    desk.log.gate.set()
    await deleting


async def test_closing_waits_for_the_release_of_the_object(desk: Desk) -> None:
    await desk.executor.close()
    assert desk.log.calls == ["close()"]
