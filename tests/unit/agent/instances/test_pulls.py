from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import Operations
from anka_agent.anka.vm import Vm
from anka_agent.instances.pulls import Templates
from support.fake_anka import FakeAnka

TEMPLATE = {"uuid": "t", "name": "macos", "status": "stopped", "version": "v2", "arch": 2}


@pytest.fixture
def templates(fake_anka: FakeAnka) -> Templates:
    return Templates(Operations(Anka(str(fake_anka.path))))


def ignore(percent: int) -> None:
    del percent


async def test_knows_what_is_held(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.table({"show t": TEMPLATE, "show t tag": [{"tag": "v1"}, {"tag": "v2"}]})
    assert not templates.holds("t", None)
    await templates.refresh([Vm("t", "macos", "stopped", version="v2"), Vm("gone", "x", "stopped")])
    for tag, held in ((None, True), ("v1", True), ("v2", True), ("v3", False)):
        assert templates.holds("t", tag) is held
    assert not templates.holds("gone", None)
    assert templates.arch == "arm64"


async def test_asks_only_when_something_changed(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.table({"show t": TEMPLATE, "show t tag": []})
    rows = [Vm("t", "macos", "stopped", version="v2")]
    await templates.refresh(rows)
    asked = len(fake_anka.calls)
    await templates.refresh(rows)
    assert len(fake_anka.calls) == asked
    await templates.refresh(rows, force=True)
    assert len(fake_anka.calls) == 2 * asked


async def test_an_anka_without_tags_tells_the_one_in_use(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.body(
        "if argv[-1] == 'tag':\n    print('usage'); sys.exit(2)\n"
        "say({'uuid': 't', 'name': 'n', 'status': 'stopped', 'version': 'v2'})"
    )
    await templates.refresh([Vm("t", "n", "stopped", version="v2")])
    assert templates.holds("t", "v2")
    assert not templates.holds("t", "v1")


async def test_a_pull_is_shared(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.body("print('50%'); sys.stdout.flush(); time.sleep(0.3); say({})")
    seen: list[int] = []
    await asyncio.gather(*(templates.pull("t", "v", None, lambda percent: seen.append(percent)) for _ in range(3)))
    assert len(fake_anka.calls) == 1
    assert seen == [50, 50, 50]


async def test_others_keep_a_pull_that_one_gives_up(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(0.5); say({})")
    one, other = (asyncio.create_task(templates.pull("t", "v", None, lambda percent: None)) for _ in range(2))
    await asyncio.sleep(0.1)
    one.cancel()
    await other
    assert one.cancelled()
    assert len(fake_anka.calls) == 1


async def test_the_last_one_ends_it(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(60); say({})")
    only = asyncio.create_task(templates.pull("t", "v", None, ignore))
    await asyncio.sleep(0.1)
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    fake_anka.answer({})
    await templates.pull("t", "v", None, ignore)


async def test_failure_reaches_all_and_the_next_try_is_new(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(0.2); print(json.dumps({'status': 'ERROR', 'message': 'registry down'})); sys.exit(1)")
    tries = [asyncio.create_task(templates.pull("t", "v", None, ignore)) for _ in range(2)]
    for result in await asyncio.gather(*tries, return_exceptions=True):
        assert isinstance(result, AnkaError)
    fake_anka.answer({})
    await templates.pull("t", "v", None, ignore)


async def test_a_slow_look_does_not_hide_what_a_later_one_saw(templates: Templates, fake_anka: FakeAnka) -> None:
    gate = fake_anka.directory / "go"
    fake_anka.body(
        f"import pathlib\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.02)\n"
        "say([{'tag': 'v1'}] if argv[-1] == 'tag' else {'uuid': 't', 'name': 'n', 'status': 'stopped'})"
    )
    rows = [Vm("t", "n", "stopped")]
    slow = asyncio.create_task(templates.refresh(rows))
    await asyncio.sleep(0)
    while not fake_anka.calls:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    fake_anka.table({"show t": TEMPLATE, "show t tag": [{"tag": "v1"}, {"tag": "v2"}]})
    await templates.refresh(rows, force=True)
    gate.touch()
    await slow
    assert templates.holds("t", "v2")


async def test_what_is_being_removed_is_not_held_and_its_pull_waits(templates: Templates, fake_anka: FakeAnka) -> None:
    fake_anka.table({"show t": TEMPLATE, "show t tag": [{"tag": "v1"}, {"tag": "v2"}]})
    await templates.refresh([Vm("t", "macos", "stopped", version="v2")])
    gate = fake_anka.directory / "go"
    fake_anka.body(
        f"import pathlib\nwhile 'delete' in argv and not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.02)\n"
        "say({})"
    )
    removal = asyncio.create_task(templates.remove("t", "v1"))
    await asyncio.sleep(0)
    assert [templates.holds("t", tag) for tag in (None, "v1", "v2")] == [False, False, True]
    pull = asyncio.create_task(templates.pull("t", "v1", None, ignore))
    while fake_anka.calls[-1][1:3] != ["delete", "--yes"]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert templates.pulling("t")
    gate.touch()
    await asyncio.gather(removal, pull)
    assert [call[1] for call in fake_anka.calls[-2:]] == ["delete", "registry"]
    assert not templates.holds("t", "v2")  # until the Mac is looked at again


async def test_pulls_are_measured(templates: Templates, fake_anka: FakeAnka) -> None:
    def count(result: str) -> float:
        return REGISTRY.get_sample_value("anka_agent_pull_seconds_count", {"result": result}) or 0.0

    before = {result: count(result) for result in ("done", "failed", "cancelled")}
    fake_anka.answer({})
    await templates.pull("t", "v", None, ignore)
    fake_anka.body("print(json.dumps({'status': 'ERROR', 'message': 'no'})); sys.exit(1)")
    with pytest.raises(AnkaError):
        await templates.pull("t", "v", None, ignore)
    fake_anka.body("print('30%'); sys.stdout.flush(); time.sleep(60)")
    percents: list[int] = []
    cut = asyncio.create_task(templates.pull("t", "v", None, percents.append))
    while not percents:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    labels = {"template": "t", "tag": "v"}
    assert REGISTRY.get_sample_value("anka_agent_pull_progress_percent", labels) == 30
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    assert REGISTRY.get_sample_value("anka_agent_pull_progress_percent", labels) is None
    assert {result: count(result) - before[result] for result in before} == {"done": 1, "failed": 1, "cancelled": 1}
