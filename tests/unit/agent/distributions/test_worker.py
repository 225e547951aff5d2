"""One job at a time, against an executable with one template."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_agent.distributions import worker as module
from anka_agent.distributions.worker import TemplateJobWorker
from anka_agent.plan.distribution import TemplateJob
from anka_agent.plan.progress import is_report_due
from anka_crds.api.node import RequiredTemplate, TemplateTask
from anka_runtime.backoff import Backoff
from anka_runtime.clock import SystemClock
from support.fake_anka import FakeAnka
from support.objects import instance
from support.template_mac import CountingEvent, TemplateMac, until

PULL = TemplateJob("request", "uid-1", "Pull", "t", "v1", "http://r")
REMOVE = TemplateJob("request", "uid-1", "Remove", "t")
SLOW = "print('pulling: 40.0%'); sys.stdout.flush(); time.sleep(60)"


@pytest.fixture
def mac(fake_anka: FakeAnka) -> TemplateMac:
    return TemplateMac(fake_anka)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)


@asynccontextmanager
async def working(mac: TemplateMac, job: TemplateJob, *kept: RequiredTemplate) -> AsyncIterator[TemplateJobWorker]:
    await mac.look()
    mac.keep(*kept)
    mac.board.add(job)
    made = TemplateJobWorker(job, mac.host, mac.instances, mac.view, mac.board, SystemClock())
    made.start()
    try:
        yield made
    finally:
        await made.stop()


def work(mac: TemplateMac) -> TemplateTask | None:
    return next(iter(mac.board.report()), None)


def over(mac: TemplateMac) -> bool:
    found = work(mac)
    return found is not None and found.done


def told(mac: TemplateMac) -> tuple[int, str | None]:
    found = work(mac)
    assert found is not None
    return found.progress_percent, found.message


async def test_pulled(mac: TemplateMac) -> None:
    async with working(mac, PULL):
        await until(lambda: over(mac))
        assert told(mac) == (100, None)
        assert mac.tags() == ["v1"]
        assert mac.calls("pull") == [["registry", "--remote", "http://r", "pull", "--tag", "v1", "t"]]


async def test_what_is_held_is_not_pulled(mac: TemplateMac) -> None:
    mac.held("v1", "v2")
    async with working(mac, PULL):
        await until(lambda: over(mac))
        assert told(mac) == (100, None)
        assert mac.calls("pull") == []
        assert mac.told == 1


async def test_progress_is_reported_when_there_is_some(mac: TemplateMac, monkeypatch: pytest.MonkeyPatch) -> None:
    mac.manners(pull=SLOW)
    looks = CountingEvent()

    def look(reported: int | None, percent: int, seconds: float) -> bool:
        looks.set()
        return is_report_due(reported, percent, seconds * 1000)

    monkeypatch.setattr(module, "is_report_due", look)
    async with working(mac, PULL):
        await until(lambda: work(mac) is not None and told(mac) == (40, None))
        assert not over(mac)
        before, reports = looks.times, mac.told
        await until(lambda: looks.times >= before + 3)
        assert mac.told == reports, "nothing new"


async def test_stopped_in_the_middle(mac: TemplateMac) -> None:
    mac.manners(pull=SLOW)
    async with working(mac, PULL) as made:
        await until(lambda: mac.calls("pull"))
        await made.stop()
        assert not over(mac)
        assert not mac.host.puller.is_pulling("t")


async def test_a_pull_that_cannot_succeed(mac: TemplateMac) -> None:
    mac.manners(pull="fail('t: no such tag', 3)")
    async with working(mac, PULL):
        await until(lambda: over(mac))
        assert told(mac) == (0, "the template cannot be pulled: anka registry pull: t: no such tag")


async def test_a_pull_that_fails_is_repeated(mac: TemplateMac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_BACKOFF", Backoff(base=0.0))
    mac.manners(pull="fail('no route')")
    async with working(mac, PULL):
        await until(lambda: over(mac))
        assert told(mac) == (0, "the template cannot be pulled: anka registry pull: no route")
        assert len(mac.calls("pull")) == 3


async def test_pulled_but_not_listed(mac: TemplateMac) -> None:
    mac.manners(pull="say({}); sys.exit(0)")
    async with working(mac, PULL):
        await until(lambda: over(mac))
        assert told(mac)[1] == "it was pulled, but anka does not list it"


@pytest.mark.parametrize("rule", [False, True])
async def test_a_held_tag_is_pulled_again_when_the_registry_has_another_content(mac: TemplateMac, rule: bool) -> None:
    mac.held("v1")
    name, uid = ("keep:t:v1", "") if rule else (PULL.name, PULL.uid)
    job = TemplateJob(name, uid, "Pull", "t", "v1", content_id="now")
    async with working(mac, job):
        await until(lambda: mac.host.templates.has_content("t", "v1", "now"))
    assert len(mac.calls("pull")) == 1
    async with working(mac, job) as made:
        await until(lambda: made.is_done)
    assert len(mac.calls("pull")) == 1, "it is what the registry has"


async def test_what_a_rule_wants_is_tried_until_it_is_there(mac: TemplateMac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RULE_BACKOFF", Backoff(base=0.01, cap=0.01))
    mac.manners(pull="fail('t: no such tag', 3)")
    rule = TemplateJob("keep:t:v1", "", "Pull", "t", "v1")
    async with working(mac, rule):
        await until(lambda: len(mac.calls("pull")) > 2)
        assert "no such tag" in (told(mac)[1] or "")
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
    async with working(mac, TemplateJob("request", "uid-1", "Remove", "t", tag)):
        await until(lambda: over(mac))
        assert told(mac) == (100, None)
        assert mac.tags() == left
        assert mac.calls("delete") == ([command] if command else [])
        assert mac.host.templates.holds("t", None) is bool(left)


async def test_a_removal_waits_for_the_vm_that_is_being_made(mac: TemplateMac) -> None:
    mac.held("v1")
    one = instance(status={"phase": "Scheduling", "nodeName": "mac-1", "template": {"id": "t", "tag": "v1"}})
    mac.instances.apply_written(one)
    async with working(mac, REMOVE):
        await until(lambda: work(mac) is not None)
        assert told(mac)[1] == "waits: the VM of instance default/one is being made from it"
        assert mac.tags() == ["v1"]
        mac.instances.apply_deleted(one)
        await until(lambda: over(mac))
        assert (told(mac), mac.tags()) == ((100, None), [])


async def test_a_removal_waits_for_a_pull(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(pull="while not os.path.exists(os.path.join(home, 'go')): time.sleep(0.02)")
    await mac.look()
    pulling = asyncio.create_task(mac.host.puller.fetch("t", "v2", None, lambda percent: None))
    await until(lambda: mac.host.puller.is_pulling("t"))
    async with working(mac, REMOVE):
        await until(lambda: work(mac) is not None)
        assert told(mac)[1] == "waits: the template is being pulled"
        (mac.fake.directory / "go").touch()
        await pulling
        await until(lambda: over(mac))
        assert mac.tags() == []


async def test_a_template_that_runs_is_not_pulled_out_from_under_somebody(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(status="running")
    async with working(mac, REMOVE):
        await until(lambda: work(mac) is not None)
        assert told(mac)[1] == "waits: the template itself runs as a VM"
        assert mac.calls("delete") == []


async def test_two_requests_remove_two_tags_of_one_template(mac: TemplateMac) -> None:
    mac.manners(delete="time.sleep(0.2)")
    mac.held("v1", "v2", "v3")
    await mac.look()
    jobs = [TemplateJob(f"request-{tag}", f"uid-{tag}", "Remove", "t", tag) for tag in ("v1", "v2")]
    async with working(mac, jobs[0]), working(mac, jobs[1]):
        await until(lambda: [one.done for one in mac.board.report()] == [True, True])
    assert [one.message for one in mac.board.report()] == [None, None]
    assert mac.tags() == ["v3"]


async def test_what_a_rule_keeps_is_not_removed(mac: TemplateMac) -> None:
    mac.held("v1")
    async with working(mac, REMOVE, RequiredTemplate(template="t", tag="v1")):
        await until(lambda: over(mac))
        assert told(mac) == (0, "spec.distribution of AnkaTemplate t keeps tag v1 here: change that first")
        assert mac.tags() == ["v1"]


async def test_a_removal_that_anka_refuses(mac: TemplateMac) -> None:
    mac.held("v1")
    mac.manners(delete="fail('permission denied')")
    async with working(mac, REMOVE):
        await until(lambda: over(mac))
        assert told(mac)[1] == "the template cannot be removed: anka delete: permission denied"
        assert mac.host.templates.holds("t", "v1")
