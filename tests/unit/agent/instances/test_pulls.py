from __future__ import annotations

import asyncio

import pytest

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
