from __future__ import annotations

import signal
import socket

import pytest

from anka_shim.server import listen, server
from support.shim_rig import rig


async def test_connections_outlive_those_of_jenkins_and_signals_are_left_to_the_process() -> None:
    async with rig() as shim:
        web = server(shim.edge, keep_alive_seconds=shim.services.settings.keep_alive_seconds)
        assert web.config.timeout_keep_alive > 120
        before = signal.getsignal(signal.SIGTERM)
        with web.capture_signals():
            assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_listen(host: str) -> None:
    with listen(host, 0) as sock:
        assert sock.getsockname()[1] > 0
        with socket.create_connection(sock.getsockname()[:2], timeout=5):
            pass


def test_an_address_of_another_machine() -> None:
    with pytest.raises(OSError, match="assign"):
        listen("192.0.2.1", 0)
