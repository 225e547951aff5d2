"""Lines reach the registry, however it behaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from anka_registry import metrics
from anka_registry.central_logs import shipper
from anka_registry.central_logs.buffer import LineBuffer
from anka_registry.central_logs.shipper import ROUND_BYTES, ROUND_SECONDS, Shipper
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused
from anka_sim.registry.server import serving


class LogSink:
    """Takes what it is sent, unless told otherwise: `troubles` are raised first, one by one."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str, str]] = []
        self.troubles: list[Exception] = []
        self.calls = 0
        self.hang = False

    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        self.calls += 1
        if self.hang:
            await asyncio.Event().wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append((service, machine, host, content))


class Rounds:
    """Stands for the time between rounds: each lasts until the test asks for the next one."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._go = asyncio.Semaphore(0)
        self._at = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._at.release()
        await self._go.acquire()

    async def one(self) -> None:
        """Return when a round is over."""
        await self._at.acquire()
        self._go.release()
        await self._at.acquire()
        self._at.release()


class Rig:
    def __init__(self) -> None:
        self.registry, self.buffer, self.rounds, self.wanted = LogSink(), LineBuffer(), Rounds(), True
        self.shipper = Shipper(
            self.registry, self.buffer, "mac-1", "10.0.0.7", lambda: self.wanted, sleep=self.rounds.sleep
        )

    async def stop(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def rig() -> Rig:
    return Rig()


async def test_a_round_sends_all_services(rig: Rig) -> None:
    task = asyncio.create_task(rig.shipper.run())
    rig.buffer.add("anka_agent", "a")
    rig.buffer.add("instance-1", "b")
    rig.buffer.add("anka_agent", "c")
    await rig.rounds.one()
    assert rig.registry.taken == [
        ("anka_agent", "mac-1", "10.0.0.7", "a\nc\n"),
        ("instance-1", "mac-1", "10.0.0.7", "b\n"),
    ]
    await rig.rounds.one()
    assert rig.registry.calls == 2, "nothing to say, nothing is sent"
    assert set(rig.rounds.slept) == {ROUND_SECONDS}
    await rig.stop(task)


async def test_a_round_is_bounded(rig: Rig) -> None:
    for number in range(400):
        rig.buffer.add("anka_agent", f"{number:04d}" + "x" * 1000)
    task = asyncio.create_task(rig.shipper.run())
    await rig.rounds.one()
    sent = sum(len(content) for *_, content in rig.registry.taken)
    assert ROUND_BYTES * 0.9 < sent <= ROUND_BYTES + 2000
    await rig.rounds.one()
    assert "".join(content for *_, content in rig.registry.taken).count("\n") == 400
    await rig.stop(task)


@pytest.mark.parametrize("problem", [RegistryError("away"), RegistryRefused("logs", "off"), RuntimeError("a bug")])
async def test_nothing_is_lost_while_the_registry_does_not_take_it(rig: Rig, problem: Exception) -> None:
    before = metrics.LOG_FAILURES._value.get()
    rig.registry.troubles = [problem] * 3
    task = asyncio.create_task(rig.shipper.run())
    rig.buffer.add("anka_agent", "first")
    for number in range(3):
        await rig.rounds.one()
        rig.buffer.add("anka_agent", f"{number}")
    assert (rig.registry.taken, metrics.LOG_FAILURES._value.get() - before) == ([], 3)
    waits = rig.rounds.slept[1:]
    assert waits == sorted(waits), "it asks less and less often"
    await rig.rounds.one()
    assert [content for *_, content in rig.registry.taken] == ["first\n0\n1\n2\n"]
    assert rig.rounds.slept[-1] == ROUND_SECONDS
    await rig.stop(task)


async def test_what_was_sent_before_the_trouble_is_not_sent_again(rig: Rig) -> None:
    task = asyncio.create_task(rig.shipper.run())
    await rig.rounds.one()
    rig.buffer.add("anka_agent", "a")
    await rig.rounds.one()
    rig.registry.troubles = [RegistryError("away")]
    rig.buffer.add("anka_agent", "b")
    await rig.rounds.one()
    await rig.rounds.one()
    assert [content for *_, content in rig.registry.taken] == ["a\n", "b\n"]
    await rig.stop(task)


async def test_the_last_lines_are_sent_at_the_end(rig: Rig) -> None:
    task = asyncio.create_task(rig.shipper.run())
    await rig.rounds.one()
    rig.buffer.add("anka_agent", "stopping")
    await rig.stop(task)
    assert [content for *_, content in rig.registry.taken] == ["stopping\n"]
    assert task.cancelled()


async def test_a_silent_registry_does_not_hold_up_the_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipper, "LAST_SECONDS", 0.05)
    rig.registry.hang = True
    rig.buffer.add("anka_agent", "x")
    task = asyncio.create_task(rig.shipper.run())
    await asyncio.sleep(0)
    await rig.stop(task)
    assert (task.cancelled(), len(rig.buffer)) == (True, 1)


async def test_what_is_not_wanted_is_forgotten(rig: Rig) -> None:
    task = asyncio.create_task(rig.shipper.run())
    rig.buffer.add("anka_agent", "x")
    rig.wanted = False
    await rig.rounds.one()
    assert (rig.registry.calls, len(rig.buffer)) == (0, 0)
    await rig.stop(task)


async def test_what_was_dropped_is_said_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.buffer = LineBuffer(most_bytes=10)
    rig.shipper = Shipper(rig.registry, rig.buffer, "mac-1", "", lambda: True, sleep=rig.rounds.sleep)
    rig.buffer.add("anka_agent", "0123456789")
    rig.buffer.add("anka_agent", "9876543210")
    task = asyncio.create_task(rig.shipper.run())
    await rig.rounds.one()
    assert [record.lines for record in caplog.records if "were dropped" in record.message] == [1]  # type: ignore[attr-defined]
    await rig.stop(task)


def _answers(kind: str) -> Callable[[web.Request], web.StreamResponse]:
    if kind == "a proxy's page":
        return lambda _: web.Response(text="<html>", status=502)
    if kind == "garbage":
        return lambda _: web.Response(body=b"\x00\xff")
    return lambda _: web.json_response({"status": "FAIL", "message": "disk full"})


@pytest.mark.parametrize("kind", ["a proxy's page", "garbage", "FAIL", "nobody listens"])
async def test_registries_that_misbehave_then_recover(kind: str, tmp_path: Path, rig: Rig) -> None:
    """Over HTTP: whatever it answers, the lines are there once it is itself again."""

    async def misbehave(request: web.Request) -> web.StreamResponse:
        return _answers(kind)(request)

    rig.buffer.add("anka_agent", "kept")
    app = web.Application()
    app.router.add_post("/log", misbehave)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{unused_port()}" if kind == "nobody listens" else str(server.make_url(""))
        async with RegistryClient(url, timeout_seconds=2) as client:
            sick = Shipper(client, rig.buffer, "mac-1", "", lambda: True, sleep=rig.rounds.sleep)
            task = asyncio.create_task(sick.run())
            await rig.rounds.one()
            await rig.stop(task)
    assert len(rig.buffer) == 1
    async with serving(tmp_path) as url, RegistryClient(url) as client:
        task = asyncio.create_task(Shipper(client, rig.buffer, "mac-1", "", lambda: True).run())
        await asyncio.sleep(0)
        await rig.stop(task)
    assert (tmp_path / "files" / "central-logs" / "anka_agent" / "mac-1.log").read_text() == "kept\n"
