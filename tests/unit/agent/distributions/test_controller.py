"""Workers come and go with the jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from anka_agent.distributions.controller import TemplateJobController
from anka_agent.distributions.worker import TemplateJobWorker
from anka_agent.plan.distribution import TemplateJob
from anka_crds.api import TemplateDistribution
from anka_crds.resources import DISTRIBUTIONS
from anka_kube.store import Store
from anka_runtime.clock import SystemClock
from support.fake_anka import FakeAnka
from support.objects import distribution, node
from support.template_mac import TemplateMac, until


class Desk:
    def __init__(self, mac: TemplateMac) -> None:
        self.mac = mac
        self.requests: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
        self.nodes = mac.nodes
        self.controller = TemplateJobController(
            self.requests, mac.view, mac.host.inventory, mac.host.templates, mac.board, self._create
        )

    def _create(self, job: TemplateJob) -> TemplateJobWorker:
        return TemplateJobWorker(job, self.mac.host, self.mac.instances, self.mac.view, self.mac.board, SystemClock())

    def request(self, version: int = 1, *, phase: str = "Running", done: bool = False) -> TemplateDistribution:
        entry = {"nodeName": "mac-1", "done": done}
        made = distribution(
            status={"phase": phase, "template": {"id": "t", "tag": "v1"}, "nodes": [entry]}, meta={"version": version}
        )
        self.requests.observe(made)
        return made

    def kept(self, version: int, *tags: str) -> None:
        kept = [{"template": "t", "tag": tag} for tag in tags]
        self.nodes.observe(node("mac-1", status={"keptTemplates": kept}, meta={"version": version}))


@pytest.fixture
async def desk(fake_anka: FakeAnka) -> AsyncIterator[Desk]:
    made = Desk(TemplateMac(fake_anka))
    await made.mac.look()
    running = asyncio.create_task(made.controller.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_request_is_done_and_told_until_it_was_seen(desk: Desk) -> None:
    desk.request()
    await until(desk.mac.board.report)
    (work,) = desk.mac.board.report()
    assert (work.name, work.uid, work.done, work.message) == ("request", "uid-request", True, None)
    assert desk.mac.tags() == ["v1"]
    desk.request(2, phase="Done", done=True)
    await until(lambda: not desk.mac.board.report())


async def test_a_mac_that_is_selected_again_works_and_reports_again(desk: Desk) -> None:
    desk.request()
    await until(lambda: [work.done for work in desk.mac.board.report()] == [True])
    status = {"phase": "Running", "template": {"id": "t", "tag": "v1"}, "nodes": [{"nodeName": "mac-1", "round": 3}]}
    desk.requests.observe(distribution(status=status, meta={"version": 2}))
    await until(lambda: [(work.round, work.done) for work in desk.mac.board.report()] == [(3, True)])


@pytest.mark.parametrize("end", ["cancelled", "deleted"])
async def test_what_is_no_longer_wanted_ends(desk: Desk, end: str) -> None:
    desk.mac.manners(pull="time.sleep(60)")
    made = desk.request()
    await until(lambda: desk.mac.host.puller.is_pulling("t"))
    if end == "deleted":
        desk.requests.apply_deleted(made)
    else:
        desk.requests.observe(distribution(status=made.status.to_api(), cancelled=True, meta={"version": 2}))
    await until(lambda: not desk.mac.host.puller.is_pulling("t"))
    assert desk.mac.tags() == []


async def test_two_requests_for_the_same_share_a_pull(desk: Desk) -> None:
    desk.mac.manners(pull="while not os.path.exists(os.path.join(home, 'go')): time.sleep(0.02)")
    one = desk.request()
    desk.requests.observe(distribution("other", status=one.status.to_api()))
    await until(lambda: len(desk.mac.board.list_unfinished()) == 2 and desk.mac.calls("pull"))
    (desk.mac.fake.directory / "go").touch()
    await until(lambda: len(desk.mac.board.report()) == 2)
    assert all(work.done and not work.message for work in desk.mac.board.report())
    assert len(desk.mac.calls("pull")) == 1


async def test_rules_are_kept_and_not_reported_when_all_is_well(desk: Desk) -> None:
    desk.kept(2, "v1")
    await until(lambda: desk.mac.host.templates.holds("t", "v1"))
    desk.kept(3, "v1", "v2")
    await until(lambda: desk.mac.host.templates.holds("t", "v2"))
    assert desk.mac.tags() == ["v1", "v2"]
    # Somebody deletes it on the Mac: the next look finds out.
    desk.mac.held("v1")
    await desk.mac.look()
    await desk.mac.host.inventory.observe()
    await until(lambda: desk.mac.tags() == ["v1", "v2"])
    assert desk.mac.board.report() == []
