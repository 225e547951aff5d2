"""What is collected before the node is known, and what is sent then."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from anka_registry.central_logs import forwarding as module
from anka_registry.central_logs import shipper
from anka_registry.central_logs.buffer import LineBuffer
from anka_registry.central_logs.forwarding import Collector, LogForwarding, SecretCollector
from anka_registry.central_logs.secret_filter import SecretFilter
from anka_runtime import logs


def about(record: logging.LogRecord) -> str | None:
    return f"instance-{record.instance_id}" if hasattr(record, "instance_id") else None


class Rig:
    def __init__(self) -> None:
        self.buffer, self.hidden, self.wanted = LineBuffer(), SecretFilter(), True
        self.log = logging.getLogger("test.central")
        self.log.setLevel("INFO")
        self.log.propagate = False
        self.log.handlers = [SecretCollector(self.hidden, self.buffer, lambda: self.wanted, "anka_agent", about)]

    def collected(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = {}
        while (batch := self.buffer.batch(1 << 20)) is not None:
            found[batch.service] = [json.loads(line) for line in batch.content.splitlines()]
            self.buffer.remove(batch)
        return found


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.log.handlers = []


def test_every_line_is_the_agents_and_some_are_an_instances(rig: Rig) -> None:
    rig.log.info("alone", extra={"node": "mac-1"})
    with logs.context(instance="ci/a", uid="u", instance_id="u-1"):
        rig.log.warning("of %s", "one")
    rig.log.debug("not asked for")
    found = rig.collected()
    assert [line["message"] for line in found["anka_agent"]] == ["alone", "of one"]
    (line,) = found["instance-u-1"]
    assert {"instance_id": "u-1", "instance": "ci/a", "level": "WARNING"}.items() <= line.items()
    assert found["anka_agent"][0]["node"] == "mac-1"


def test_a_traceback_is_one_line(rig: Rig) -> None:
    try:
        raise ValueError("x\ny")
    except ValueError:
        rig.log.exception("broken")
    (line,) = rig.collected()["anka_agent"]
    assert "ValueError: x\ny" in str(line["exc_info"])


def test_secrets_are_covered(rig: Rig) -> None:
    rig.hidden.learn("u", "script", "correct horse")
    rig.log.info("said %s", "correct horse", extra={"also": "correct horse"})
    (line,) = rig.collected()["anka_agent"]
    assert (line["message"], line["also"]) == ("said [hidden]", "[hidden]")


WORDS = """"level": "WARNING",
"message": "VM started, as wanted"
instance_id uid logger ts asctime WARNING INFO
VM started in 12345678 ms
anka_agent.instances.executor
node mac-1 of instance ci/a
2026-01-01T00:00:00+0000 or later
registry pull 9f8e7d6c5b4a
"""


@pytest.mark.parametrize("name", ["anka_agent.test", "aiohttp.client"])
def test_a_script_cannot_censor_the_log(rig: Rig, name: str) -> None:
    ours = name.startswith("anka")
    log = rig.log.manager.getLogger(name)
    log.addHandler(rig.log.handlers[0])
    log.setLevel("INFO")
    plain = {"instance": "ci/a", "instance_id": "9f8e7d6c5b4a", "uid": "9f8e7d6c5b4a", "node": "9f8e7d6c5b4a"}
    for known in (False, True):
        if known:
            rig.hidden.learn("u", "script", WORDS)
        with logs.context(**plain):
            log.info("VM started in 12345678 ms, %s", "as ever", extra={"reason": "StartFailed"})
    log.handlers = []
    before, after = rig.collected()["anka_agent"]
    assert {key: before[key] for key in before if key not in ("ts", "message")} == {
        key: after[key] for key in after if key not in ("ts", "message")
    }
    assert str(after["ts"]).startswith("20")
    assert after["message"] == ("VM started in 12345678 ms, as ever" if ours else "[hidden], as ever")


def test_what_others_said_is_covered_in_our_messages(rig: Rig) -> None:
    log = rig.log.getChild("x")
    log.name = "anka_agent.x"
    rig.hidden.learn("u", "script", "correct horse")
    said = "it's correct horse"
    log.info("%s, %r, %d of %.1f, %s: %-3s", ValueError(said), said, 7, 2.5, None, "a")
    (line,) = rig.collected()["anka_agent"]
    assert line["message"] == "it's [hidden], \"it's [hidden]\", 7 of 2.5, None: a  "


def test_a_secret_in_a_traceback(rig: Rig) -> None:
    rig.hidden.learn("u", "script", "correct horse")
    try:
        raise ValueError("said correct horse")
    except ValueError:
        rig.log.exception("broken")
    (line,) = rig.collected()["anka_agent"]
    assert "ValueError: said [hidden]" in str(line["exc_info"])


def test_nothing_while_it_is_not_wanted(rig: Rig) -> None:
    rig.wanted = False
    rig.log.info("kept here")
    rig.wanted = True
    rig.log.info("sent")
    assert [line["message"] for line in rig.collected()["anka_agent"]] == ["sent"]


def test_a_record_that_cannot_be_formatted_harms_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    rig.log.info("%d", "no number")
    rig.log.info("next")
    assert [line["message"] for line in rig.collected()["anka_agent"]] == ["next"]


log = logging.getLogger("test of forwarding")


class Registry:
    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: list[tuple[str, str, str, str]] = []
        self.taken = asyncio.Event()

    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        self.sent.append((service, machine, host, content))
        self.taken.set()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry("http://r")

    @asynccontextmanager
    async def connect(url: str, **_: object) -> AsyncIterator[Registry]:
        assert url == registry.url
        yield registry

    monkeypatch.setattr(module, "RegistryClient", connect)
    monkeypatch.setattr(shipper, "ROUND_SECONDS", 0.001)
    return registry


async def ship(forwarding: LogForwarding, registry: Registry, *, enabled: bool) -> None:
    rounds = asyncio.Event()

    def is_enabled() -> bool:
        rounds.set()
        return enabled

    shipping = asyncio.create_task(forwarding.ship("mac-1", "10.0.0.1", is_enabled))
    await asyncio.wait_for((registry.taken if enabled else rounds).wait(), 20)
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)


async def test_what_was_logged_before_the_node_was_known_is_sent(registry: Registry) -> None:
    secrets = SecretFilter()
    forwarding = LogForwarding("http://r", "anka_agent", secrets=secrets)
    secrets.learn("u", "vncPassword", "hunter22")
    with forwarding.collect():
        log.warning("the password is hunter22")
        await ship(forwarding, registry, enabled=True)
    log.warning("after the end")
    ((_, machine, host, content),) = registry.sent
    assert (machine, host) == ("mac-1", "10.0.0.1")
    assert "[hidden]" in content
    assert "hunter22" not in content
    assert not any(isinstance(handler, Collector) for handler in logging.getLogger().handlers)


@pytest.mark.parametrize(("flag", "spec"), [(False, False), (True, False)])
async def test_what_people_do_not_want_stays_on_the_mac(registry: Registry, flag: bool, spec: bool) -> None:
    forwarding = LogForwarding("http://r", "anka_agent", enabled=flag)
    with forwarding.collect():
        log.warning("private")
        await ship(forwarding, registry, enabled=spec)
    assert registry.sent == []


async def test_without_a_registry_nothing_is_collected(registry: Registry) -> None:
    forwarding = LogForwarding(None, "anka_agent", enabled=True)
    before = list(logging.getLogger().handlers)
    with forwarding.collect():
        assert logging.getLogger().handlers == before
        shipping: Any = asyncio.create_task(forwarding.ship("mac-1", "", lambda: True))
        await asyncio.sleep(0)
        assert not shipping.done(), "the supervisor takes an end for a crash"
        shipping.cancel()
        await asyncio.gather(shipping, return_exceptions=True)


async def test_a_process_in_the_cluster_sends_all_that_is_logged_in_the_block(registry: Registry) -> None:
    async with LogForwarding("http://r", "anka_shim").run("pod-1"):
        log.warning("Authorization: Bearer abcdefgh12345678")
        await asyncio.wait_for(registry.taken.wait(), 20)
        log.warning("the last words")
    assert {(service, machine, host) for service, machine, host, _ in registry.sent} == {
        ("anka_shim", "pod-1", "pod-1")
    }
    content = "".join(sent[3] for sent in registry.sent)
    assert "abcdefgh" not in content
    assert "the last words" in content, "what is left is sent at the end"
