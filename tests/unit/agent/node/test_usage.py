from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.mac import hardware as host
from anka_agent.node import usage
from anka_agent.node.usage import annotate_usage, list_held, read_usage
from anka_crds.rules.lease_usage import parse_usage
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host

ROW = {"uuid": "t", "name": "macos-15", "status": "stopped", "version": "v1"}


async def test_figures_are_as_they_are_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mac = make_mac_host(AnkaCli(GatedAnka({"list": [ROW], "show t": ROW, "show t tag": [{"tag": "v1", "size": 7}]})))
    await mac.templates.observe()
    for percent in (10, 90):
        monkeypatch.setattr(host, "cpu_percent", lambda percent=percent: percent)
        used = await read_usage(mac, tmp_path)
        assert (used.cpu_percent, used.anka_disk_bytes) == (percent, 7)
        assert parse_usage(await annotate_usage(mac, tmp_path)) == used
    assert [(held.name, held.tag) for held in list_held(mac)] == [("macos-15", "v1")]


async def test_the_heartbeat_does_not_depend_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mac = make_mac_host(AnkaCli(GatedAnka({})))
    assert await annotate_usage(mac, tmp_path / "gone") == {}
    assert "cannot be read: [Errno 2]" in caplog.text

    answer = threading.Event()
    monkeypatch.setattr(host, "ram_percent", lambda: int(answer.wait(20)))
    monkeypatch.setattr(usage, "READ_SECONDS", 0.01)
    assert await annotate_usage(mac, tmp_path) == {}
    assert "cannot be read: not within 0.01 s" in caplog.text
    answer.set()


async def test_what_the_mac_is_asked_by_a_command_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = make_mac_host(AnkaCli(GatedAnka({})))
    answer = threading.Event()
    monkeypatch.setattr(host, "ram_percent", lambda: 40 if answer.wait(20) else 0)
    reading = asyncio.create_task(read_usage(mac, tmp_path))
    await asyncio.sleep(0)
    answer.set()
    assert (await reading).ram_percent == 40
