"""One job at a time, against an executable with one template."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_agent.distributions import worker as module
from anka_agent.distributions.worker import Worker
from anka_agent.instances import failures
from anka_agent.plan.distribution import Job
from anka_crds.api.node import KeptTemplate
from anka_crds.kube.backoff import Backoff
from support.fake_anka import FakeAnka
from support.objects import instance
from support.template_mac import TemplateMac, until

PULL = Job("request", "uid-1", "Pull", "t", "v1", "http://r")
REMOVE = Job("request", "uid-1", "Remove", "t")
SLOW = "print('pulling: 40.0%'); sys.stdout.flush(); time.sleep(60)"


@pytest.fixture
def mac(fake_anka: FakeAnka) -> TemplateMac:
    return TemplateMac(fake_anka)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 0.05)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)


@asynccontextmanager
async def working(mac: TemplateMac, job: Job, *kept: KeptTemplate) -> AsyncIterator[Worker]:
    await mac.look()
    made = Worker(mac.context, job, lambda: list(kept), mac.tell)
    try:
        yield made
    finally:
        await made.stop()


def over(made: Worker) -> bool:
    return made.work is not None and made.work.done


def told(made: Worker) -> tuple[int, str | None]:
    assert made.work is not None
    return made.work.progress_percent, made.work.message


async def test_pulled(mac: TemplateMac) -> None:
    async with working(mac, PULL) as made:
        await until(lambda: over(made))
        assert told(made) == (100, None)
        assert mac.tags() == ["v1"]
        assert mac.calls("pull") == [["registry", "--remote", "http://r", "pull", "--tag", "v1", "t"]]


async def test_what_is_held_is_not_pulled(mac: TemplateMac) -> None:
    mac.held("v1", "v2")
    async with working(mac, PULL) as made:
        await until(lambda: over(made))
        assert told(made) == (100, None)
        assert mac.calls("pull") == []
        assert mac.told == 1


async def test_progress_is_told_from_time_to_time(mac: TemplateMac) -> None:
    mac.manners(pull=SLOW)
    async with working(mac, PULL) as made:
        await until(lambda: made.work is not None and told(made) == (40, None))
        assert not over(made)
        before = mac.told
        await asyncio.sleep(0.3)
        assert mac.told == before  # nothing new


async def test_stopped_in_the_middle(mac: TemplateMac) -> None:
    mac.manners(pull=SLOW)
    async with working(mac, PULL) as made:
        await until(lambda: mac.calls("pull"))
        await made.stop()
        assert not over(made)
        assert not mac.context.templates.pulling("t")


async def test_a_pull_that_cannot_succeed(mac: TemplateMac) -> None:
    mac.manners(pull="fail('t: no such tag', 3)")
    async with working(mac, PULL) as made:
        await until(lambda: over(made))
        assert told(made) == (0, "the template cannot be pulled: anka registry pull: t: no such tag")


async def test_a_pull_that_fails_is_repeated(mac: TemplateMac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "delay", lambda attempt: 0.0)
    mac.manners(pull="fail('no route')")
    async with working(mac, PULL) as made:
        await until(lambda: over(made))
        assert told(made) == (0, "the template cannot be pulled: anka registry pull: no route")
        assert len(mac.calls("pull")) == 3


async def test_pulled_but_not_listed(mac: TemplateMac) -> None:
    mac.manners(pull="say({}); sys.exit(0)")
    async with working(mac, PULL) as made:
        await until(lambda: over(made))
        assert told(made)[1] == "it was pulled, but anka does not list it"


async def test_what_a_rule_wants_is_tried_until_it_is_there(mac: TemplateMac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RULE_BACKOFF", Backoff(base=0.01, cap=0.01))
    mac.manners(pull="fail('t: no such tag', 3)")
    rule = Job("keep:t:v1", "", "Pull", "t", "v1")
    async with working(mac, rule) as made:
        await until(lambda: len(mac.calls("pull")) > 2)
        assert "no such tag" in (told(made)[1] or "")
        mac.manners()
        await until(lambda: mac.tags() == ["v1"])


@pytest.mark.parametrize(
    ("held", "tag", "left", "command"),
    [
        (("v1", "v2"), None, [], ["delete", "--yes", "t"]),
        (("v1", "v2"), "v1", ["v2"], ["delete", "--yes", "--tag", "v1", "t"]),
        (("v1",), "v1", [], ["delete", "--yes", "t"]),
        (("v1",), "v2", ["v1"], None),
        ((), None, [], None),
    ],
)
async def test_removed(
    mac: TemplateMac, held: tuple[str, ...], tag: str | None, left: list[str], command: list[str] | None
) -> None:
    mac.held(*held)
    async with working(mac, Job("request", "uid-1", "Remove", "t", tag)) as made:
        await until(lambda: over(made))
        assert told(made) == (100, None)
        assert mac.tags() == left
        assert mac.calls("delete") == ([command] if command else [])
        assert mac.context.templates.holds("t", None) is bool(left)


async def test_a_removal_waits_for_the_vm_that_is_being_made(mac: TemplateMac) -> None:
    mac.held("v1")
    one = instance(status={"phase": "Scheduling", "nodeName": "mac-1", "template": {"id": "t", "tag": "v1"}})
    mac.context.store.apply_written(one)
    async with working(mac, REMOVE) as made:
        await until(lambda: made.work is not None)
        assert told(made)[1] == "waits: the VM of instance default/one is being made from it"
        assert mac.tags() == ["v1"]
        mac.context.store.apply_deleted(one)
        await until(lambda: over(made))
        assert (told(made), mac.tags()) == ((100, None), [])


async def test_a_removal_waits_for_a_pull(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(pull="while not os.path.exists(os.path.join(home, 'go')): time.sleep(0.02)")
    await mac.look()
    pulling = asyncio.create_task(mac.context.templates.pull("t", "v2", None, lambda percent: None))
    await until(lambda: mac.context.templates.pulling("t"))
    async with working(mac, REMOVE) as made:
        await until(lambda: made.work is not None)
        assert told(made)[1] == "waits: the template is being pulled"
        (mac.fake.directory / "go").touch()
        await pulling
        await until(lambda: over(made))
        assert mac.tags() == []


async def test_a_template_that_runs_is_not_pulled_out_from_under_somebody(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(status="running")
    async with working(mac, REMOVE) as made:
        await until(lambda: made.work is not None)
        assert told(made)[1] == "waits: the template itself runs as a VM"
        assert mac.calls("delete") == []


async def test_what_a_rule_keeps_is_not_removed(mac: TemplateMac) -> None:
    mac.held("v1")
    async with working(mac, REMOVE, KeptTemplate(template="t", tag="v1")) as made:
        await until(lambda: over(made))
        assert told(made) == (0, "spec.distribution of AnkaTemplate t keeps tag v1 here: change that first")
        assert mac.tags() == ["v1"]


async def test_a_removal_that_anka_refuses(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(delete="fail('permission denied')")
    async with working(mac, REMOVE) as made:
        await until(lambda: over(made))
        assert told(made)[1] == "the template cannot be removed: anka delete: permission denied"
        assert mac.context.templates.holds("t", "v1")
