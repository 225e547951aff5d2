"""The order in which an agent comes up, what health says meanwhile, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from anka_agent import lock
from anka_agent.anka.vm import Vm
from anka_agent.settings import AgentSettings
from anka_agent.supervisor import Agent, Crashed, StartError, find_service, watch_templates
from anka_agent.update.versions import LIFELINE
from anka_dev.bench.burst.memory_anka import MemoryAnka
from anka_kube.endpoint import Endpoint
from localkube.free_ports import free_port
from support.scripted_api import ScriptedApi


class Desk:
    def __init__(self, api: ScriptedApi, state: Path) -> None:
        self.locks = ExitStack()
        self.api, self.state, self.port = api, state, free_port()
        self.anka = MemoryAnka("mac-1", slots=2, start_seconds=0.0)
        settings = AgentSettings(
            _cli_parse_args=False, node_name="mac-1", state_dir=state, host="10.0.0.9", health_port=self.port, poll=0.01
        )
        self.agent = Agent(settings, Endpoint(api.url), self.anka)

    async def run(self) -> None:
        with self.locks:
            await self.agent.run(self.locks)

    @property
    def status(self) -> dict[str, Any]:
        node = self.api.objects.get("ankanodes", {}).get(("", "mac-1"), {})
        return dict(node.get("status", {}))

    async def probe(self, path: str) -> tuple[int, str]:
        def get() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        return await asyncio.to_thread(get)

    async def until(self, true: Callable[[], bool]) -> None:
        await self.api.until(true)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with ScriptedApi().serve() as api:
        yield Desk(api, tmp_path / "state")


async def test_it_comes_up_reports_is_ready_and_ends_on_a_signal(desk: Desk) -> None:
    running = asyncio.create_task(desk.run())
    await desk.until(lambda: "agentVersion" in desk.status)
    assert [seen.verb for seen in desk.api.seen][:2] == ["get", "create"], "registered before all else"
    assert ("anka-nodes", "mac-1") in desk.api.objects["leases"]
    assert (await desk.probe("/livez"))[0] == 200
    assert (await desk.probe("/readyz")) == (200, "[ok] tasks\n[ok] agent\n")
    assert lock.find_agent(desk.state) == lock.RunningAgent(os.getpid())
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    assert (desk.agent.updated, lock.find_agent(desk.state)) == (False, None)
    assert desk.api.open_streams == 0


async def test_before_the_api_answers_it_is_alive_and_not_ready(desk: Desk) -> None:
    desk.api.missing.add("ankanodes")
    running = asyncio.create_task(desk.run())
    await desk.until(lambda: desk.api.count("get") > 0)
    assert (await desk.probe("/livez"))[0] == 200
    status, text = await desk.probe("/readyz")
    assert status == 503
    assert "the API has not listed this node's instances yet" in text
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(running, 20)


async def test_a_part_that_ends_ends_the_agent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(reporter: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("anka_agent.node.reporter.NodeReporter.run", end)
    with pytest.raises(Crashed, match="node report ended by itself"):
        await asyncio.wait_for(desk.run(), 20)


async def test_it_leaves_for_an_update(desk: Desk) -> None:
    running = asyncio.create_task(desk.run())
    await desk.until(lambda: "agentVersion" in desk.status)
    desk.agent._leave_for_update()
    await asyncio.wait_for(running, 20)
    assert desk.agent.updated


async def test_it_ends_with_its_launcher(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setenv(LIFELINE, str(read_end))
    running = asyncio.create_task(desk.run())
    await desk.until(lambda: "agentVersion" in desk.status)
    os.close(write_end)
    await asyncio.wait_for(running, 20)
    os.close(read_end)
    assert not desk.agent.updated


@pytest.mark.parametrize("what", ["another agent", "the port"])
async def test_what_a_person_must_mend(desk: Desk, what: str) -> None:
    if what == "another agent":
        with lock.hold(desk.state), pytest.raises(StartError, match="another agent uses --state-dir"):
            await desk.run()
        return
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", desk.port)
    async with server:
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{desk.port}: .*; choose another"):
            await desk.run()


async def test_templates_that_come_or_go_are_reported() -> None:
    vms = [Vm("t", "macos-15", "stopped", version="v1")]
    due = asyncio.Event()
    compare = watch_templates(lambda: vms, due)
    compare()
    assert not due.is_set()
    vms[0] = Vm("t", "macos-15", "running", version="v1")
    compare()
    assert not due.is_set(), "its status is nothing that the node shows"
    vms.append(Vm("u", "other", "stopped"))
    compare()
    assert due.is_set()


def test_a_line_belongs_to_the_log_of_its_instance_alone() -> None:
    name, uid = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", "0bf1a7e8-be95-43d9-a0c8-68c6aed0f2dd"
    lines = ({"instance": f"{where}/{name}", "uid": uid} for where in ("anka-ci", "other"))
    found = [find_service(logging.makeLogRecord(line)) for line in lines]
    assert found == [f"instance-anka-ci_{name}_{uid}", f"instance-other_{name}_{uid}"]
    assert find_service(logging.makeLogRecord({"instance": "anka-ci/golden", "uid": uid})) == f"instance-{uid}"
    assert find_service(logging.makeLogRecord({"uid": uid})) is None
