"""The load generator in a process of its own."""

from __future__ import annotations

import asyncio

import pytest

from anka_dev.bench.load import driver
from anka_dev.bench.load.plan import Plan
from localkube.errors import DevError
from support.load_server import OK, Server


async def test_the_driver_runs_it_in_another_process() -> None:
    server = Server(lambda *_: (200, OK))
    async with server.serve() as url:
        result = await asyncio.to_thread(driver.run_load, Plan(url=url, path="/x", total=5))
    assert len(result.latencies) == 5
    assert 0 < result.load_share < 2


async def test_the_driver_wants_no_figures_of_failures() -> None:
    server = Server(lambda *_: (503, b"busy"))
    async with server.serve() as url:
        with pytest.raises(DevError, match=r"GET http://.*/x: 2 of 2 failed: HTTP 503: busy"):
            await asyncio.to_thread(driver.run_load, Plan(url=url, path="/x", total=2))


def test_no_server_is_one_line() -> None:
    with pytest.raises(DevError, match=r"GET http://127\.0\.0\.1:1/x: .*[Cc]onnect"):
        driver.run_load(Plan(url="http://127.0.0.1:1", path="/x", total=1))
