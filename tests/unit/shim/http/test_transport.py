from __future__ import annotations

import asyncio

import pytest

from anka_shim.http import connection
from anka_shim.http.connection import LingeringTransport
from support.http_wire import WireTransport


def make(*, is_client_sending: bool) -> tuple[WireTransport, LingeringTransport]:
    wire = WireTransport()
    return wire, LingeringTransport(wire, asyncio.get_running_loop(), lambda: is_client_sending)


async def test_a_client_that_has_sent_everything_is_closed_at_once() -> None:
    wire, lingering = make(is_client_sending=False)
    lingering.close()
    assert (wire.closed, wire.ended, lingering.is_closing(), lingering.is_lingering) == (True, False, True, False)


async def test_a_client_that_is_sending_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0)
    wire, lingering = make(is_client_sending=True)
    closed = asyncio.Event()
    monkeypatch.setattr(wire, "close", closed.set)
    wire.pause_reading()
    lingering.write(b"answer")
    lingering.close()
    lingering.close()
    assert (wire.ended, wire.paused, lingering.is_closing(), lingering.is_lingering) == (True, False, True, True)
    assert not closed.is_set()
    await asyncio.wait_for(closed.wait(), 10)
    assert bytes(wire.written) == b"answer"


async def test_a_connection_that_has_no_half_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wire, lingering = make(is_client_sending=True)
    monkeypatch.setattr(wire, "can_write_eof", lambda: False)
    lingering.close()
    assert (wire.closed, wire.ended) == (True, False)


async def test_everything_else_is_the_transport_itself() -> None:
    wire, lingering = make(is_client_sending=False)
    assert lingering.get_extra_info("peername") == wire.get_extra_info("peername")
    lingering.pause_reading()
    assert wire.paused
