from __future__ import annotations

import resource
import signal
import socket

import pytest

from anka_shim.http.connection_budget import ConnectionBudget
from anka_shim.http.server import listen, make_server, raise_descriptor_limit
from support.shim_rig import rig


async def test_connections_outlive_those_of_jenkins_and_signals_are_left_to_the_process() -> None:
    async with rig() as shim:
        budget = ConnectionBudget(most=1, most_per_client=1)
        web = make_server(shim.edge, connections=budget, keep_alive_seconds=shim.services.settings.keep_alive_seconds)
        assert web.config.timeout_keep_alive > 120
        before = signal.getsignal(signal.SIGTERM)
        with web.capture_signals():
            assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_listen(host: str) -> None:
    with listen(host, 0) as sock:
        assert sock.getsockname()[1] > 0
        with socket.create_connection(sock.getsockname()[:2], timeout=60):
            pass


def test_an_address_of_another_machine() -> None:
    with pytest.raises(OSError, match="assign"):
        listen("192.0.2.1", 0)


def test_file_descriptors_for_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.append(wanted))
    raise_descriptor_limit(700)
    assert len(limits) == 1
    raise_descriptor_limit(1000)
    assert limits[-1] == (1320, 4096)
    with pytest.raises(OSError, match="5320 file descriptors are needed for it, and this process may have 4096"):
        raise_descriptor_limit(5000)
    limits.append((resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    raise_descriptor_limit(100_000)
    assert len(limits) == 3
