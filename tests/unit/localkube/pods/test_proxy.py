from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from localkube.free_ports import free_port
from localkube.pods.addresses import Address
from localkube.pods.proxy import Proxy

HOST = "127.0.0.1"


@contextlib.contextmanager
def pod(name: str) -> Iterator[Address]:
    """Says its name, and then all that it is told, once it has been told all."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(f"{name} ".encode())
            self.wfile.write(self.rfile.read())

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield HOST, server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


def say(to: Address, text: str = "hello") -> str:
    with socket.create_connection(to, timeout=60) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def silent(to: Address) -> bool:
    """It takes the connection, and closes it."""
    with contextlib.suppress(OSError):
        return say(to) == ""
    return True


def test_pods_take_turns(proxy: Proxy) -> None:
    front = (HOST, free_port())
    with pod("a") as a, pod("b") as b:
        proxy.serve({front: [a, b]})
        assert sorted(say(front) for _ in range(4)) == ["a hello", "a hello", "b hello", "b hello"]


def test_large_answers_come_whole(proxy: Proxy) -> None:
    front = (HOST, free_port())
    text = "x" * 3_000_000
    with pod("a") as a:
        proxy.serve({front: [a]})
        assert say(front, text) == f"a {text}"


def test_without_a_ready_pod_nothing_is_said(proxy: Proxy) -> None:
    front = (HOST, free_port())
    proxy.serve({front: []})
    assert silent(front)
    with pod("a") as a:
        proxy.serve({front: [a]})
        assert say(front) == "a hello"


def test_a_pod_that_is_gone_is_not_covered_up(proxy: Proxy) -> None:
    front = (HOST, free_port())
    proxy.serve({front: [(HOST, free_port())]})
    assert silent(front)


def test_what_is_served_no_more_is_closed(proxy: Proxy) -> None:
    front = (HOST, free_port())
    with pod("a") as a:
        proxy.serve({front: [a]})
        with socket.create_connection(front, timeout=60) as connection:
            assert connection.recv(2) == b"a "
            proxy.serve({})
            # A reset will do as well.
            with contextlib.suppress(ConnectionError):
                assert connection.recv(10) == b""
        with pytest.raises(ConnectionRefusedError):
            say(front)
