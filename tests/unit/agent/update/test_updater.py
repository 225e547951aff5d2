"""The updater between the node's object, the package and the launcher; packages are not downloaded here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from anka_agent import VERSION
from anka_agent.node.view import NodeView
from anka_agent.update import updater as module
from anka_agent.update.package import PackageError
from anka_agent.update.updater import Updater, UpdateState
from anka_agent.update.versions import BASE, LauncherState, Versions
from anka_crds.api import AnkaNode
from anka_crds.api.node import AgentUpdate
from anka_crds.resources import NODES
from anka_kube.store import Store
from support.objects import Json, node

WANTED: Json = {"agentVersion": "2", "agentChecksum": "a" * 64}
Fetch = Callable[[str, str | None, Path], Awaitable[None]]


class NoticedVersions(Versions):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.noticed = asyncio.Event()

    def record_start(self, version: str) -> None:
        super().record_start(version)
        self.noticed.set()


class Mac:
    """What is around an updater: the node as the API has it, and what was asked for."""

    def __init__(self, directory: Path) -> None:
        self.nodes: Store[AnkaNode] = Store(NODES)
        self.versions = NoticedVersions(directory)
        self.left = asyncio.Event()
        self.fetched: list[tuple[str, str | None]] = []
        self.fail = ""
        self.api_takes_reports = True
        self.report_due = asyncio.Event()
        self._version = 0
        self._status: Json = {}
        self._spec: Json = {}

    def put(self, status: Json | None = None, **spec: Any) -> None:
        self._version += 1
        self._status, self._spec = status or {}, spec
        self.nodes.observe(node(status=status, meta={"resourceVersion": str(self._version)}, **spec))

    async def fetch(self, url: str, checksum: str | None, directory: Path, key: str) -> None:
        assert key == "ssh-ed25519 AAAA"
        self.fetched.append((url, checksum))
        if self.fail:
            raise PackageError(self.fail)

    def updater(self, **more: Any) -> Updater:
        seen = self.nodes.get("mac-1")
        assert seen is not None
        view = NodeView(self.nodes, seen, lambda: None)
        self.state = UpdateState(self.report_due, seen.status.agent_update)
        given: dict[str, Any] = {
            "package_url": "http://shim/{version}.tar.gz",
            "package_key": "ssh-ed25519 AAAA",
            "launched": True,
            **more,
        }
        return Updater(view, self.versions, self.state, is_reported=lambda: True, leave=self.left.set, **given)

    async def report(self) -> None:
        """As the node's reporter does, for ever."""
        while True:
            await self.report_due.wait()
            self.report_due.clear()
            if self.api_takes_reports:
                updating, told = self.state.report()
                more = {"updating": updating, **({"agentUpdate": told.to_api()} if told else {})}
                self.put({**{k: v for k, v in self._status.items() if k != "agentUpdate"}, **more}, **self._spec)

    async def told(self) -> AgentUpdate:
        """What the API knows, once it knows that it failed."""
        return await self.nodes.wait_for(
            lambda nodes: ((n := nodes.get("mac-1")) and (u := n.status.agent_update) and u.failed and u) or None, 5
        )


@asynccontextmanager
async def running(mac: Mac) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(mac.updater().run()), asyncio.create_task(mac.report())]
    yield
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mac:
    mac = Mac(tmp_path)
    monkeypatch.setattr(module, "fetch", mac.fetch)
    monkeypatch.setenv(BASE, VERSION)
    return mac


async def test_it_leaves_once_the_package_is_there_and_the_api_knows(mac: Mac) -> None:
    mac.put({"updateApproved": "2"}, **WANTED)
    async with running(mac):
        await asyncio.wait_for(mac.left.wait(), 60)
    assert mac.fetched == [("http://shim/2.tar.gz", "a" * 64)]
    assert mac.versions.find_request() == "2"
    seen = mac.nodes.get("mac-1")
    assert seen is not None
    assert seen.status.updating


async def test_it_waits_for_its_turn(mac: Mac) -> None:
    mac.put(**WANTED)
    async with running(mac):
        await mac.nodes.wait_for(lambda nodes: (n := nodes.get("mac-1")) and n.status.agent_update, 60)
        assert mac.fetched == []
        told = mac.state.report()
        assert told[1] is not None
        assert (told[0], told[1].failed) == (False, False)
        mac.put({"updateApproved": "2"}, **WANTED)
        await asyncio.wait_for(mac.left.wait(), 60)


async def test_a_bad_package_is_told_and_not_tried_again(mac: Mac) -> None:
    mac.fail = "it is damaged"
    mac.put({"updateApproved": "2"}, **WANTED)
    async with running(mac):
        assert (await mac.told()).message == "it is damaged"
        mac.put({"updateApproved": "2"}, **WANTED, drainMode=True)
        await asyncio.sleep(0)
        assert len(mac.fetched) == 1
        assert mac.state.report()[0] is False
        mac.fail = ""
        mac.put({"updateApproved": "2"}, agentVersion="2", agentChecksum="b" * 64)
        await asyncio.wait_for(mac.left.wait(), 60)


async def test_nothing_begins_before_the_api_knows(mac: Mac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.01)
    mac.api_takes_reports = False
    mac.put({"updateApproved": "2"}, **WANTED)
    updater = mac.updater()
    update = asyncio.create_task(updater._update("2", None))
    await asyncio.wait_for(update, 60)
    assert mac.fetched == []
    assert mac.state.report()[0] is False


async def test_what_the_launcher_went_back_from(mac: Mac) -> None:
    mac.versions.directory.mkdir(exist_ok=True)
    mac.versions.save(LauncherState(failed={"2": "2 was started, but it broke"}))
    tried = {"version": "2", "checksum": "a" * 64, "message": "is being installed"}
    mac.put({"updateApproved": "2", "updating": True, "agentUpdate": tried}, **WANTED)
    async with running(mac):
        updating, told = mac.state.report()
        assert (updating, told) == (
            False,
            AgentUpdate(version="2", checksum="a" * 64, failed=True, message="2 was started, but it broke"),
        )
    assert mac.fetched == []


async def test_being_up_is_told_after_the_report(mac: Mac) -> None:
    mac.put({"agentVersion": "0"})
    async with running(mac):
        await asyncio.sleep(0)
        assert mac.versions.find_start() is None
        mac.put({"agentVersion": VERSION})
        await asyncio.wait_for(mac.versions.noticed.wait(), 60)
        assert mac.versions.find_start() == VERSION
