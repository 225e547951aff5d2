"""TLS of the server itself, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import uvloop
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from starlette.types import Receive, Scope, Send

from anka_runtime.secret_file import REREAD_SECONDS
from anka_shim.http import tls_connection
from anka_shim.http.connection_budget import RESERVE
from anka_shim.http.remote_host import RemoteHost, remote_host
from support.client_authority import DAY, NOW, ClientAuthority
from support.shim_rig import rig
from support.tls_server import TlsServer, tls_server

REQUEST = b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
LOOPS = [asyncio.new_event_loop, uvloop.Loop]
SUBJECT = (("CN", "jenkins"), ("O", "Mobile"))


class Failures:
    """In place of the counter: waits for what it counts."""

    def __init__(self) -> None:
        self._counted = asyncio.Semaphore(0)

    def inc(self) -> None:
        self._counted.release()

    async def wait(self, count: int = 1) -> None:
        async with asyncio.timeout(20):
            for _ in range(count):
                await self._counted.acquire()


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Failures:
    found = Failures()
    monkeypatch.setattr("anka_shim.metrics.FAILED_TLS", found)
    return found


class RemoteHosts:
    """An application that answers with nothing, and keeps who asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, RemoteHost]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append((scope["scheme"], remote_host(scope)))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_is_asked_for_a_certificate_and_may_have_none(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    async def ask() -> None:
        app = RemoteHosts()
        async with tls_server(app, tmp_path) as server:
            issued = server.ca.issue(*SUBJECT)
            for one in (None, issued):
                async with server.client(one) as http:
                    for _ in range(2):
                        assert (await http.get("/")).status_code == 200
        nobody, somebody = RemoteHost("127.0.0.1"), RemoteHost("127.0.0.1", issued.der)
        assert app.seen == [("https", nobody)] * 2 + [("https", somebody)] * 2

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())


@pytest.mark.parametrize("loop", LOOPS)
def test_many_at_once_from_elsewhere(loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    """The first bytes of a client are often there before we know of the client."""

    async def ask() -> None:
        async with tls_server(RemoteHosts(), tmp_path) as server:
            context, url = server.context(), f"https://127.0.0.1:{server.address[1]}"

            def knock() -> list[int]:
                return [httpx.get(url, verify=context, timeout=20).status_code for _ in range(20)]

            assert await asyncio.gather(*(asyncio.to_thread(knock) for _ in range(3))) == [[200] * 20] * 3

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())


async def test_without_authorities_nobody_is_asked(tmp_path: Path) -> None:
    app = RemoteHosts()
    async with tls_server(app, tmp_path, asks=False) as server, server.client(server.ca.issue(*SUBJECT)) as http:
        await http.get("/")
    assert [host.certificate for _, host in app.seen] == [None]


async def test_certificates_of_others_get_no_connection(
    tmp_path: Path, failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with tls_server(RemoteHosts(), tmp_path) as server:
        ours = server.ca
        for issued in (
            ClientAuthority().issue(*SUBJECT),
            ours.issue(*SUBJECT, valid=(NOW - 2 * DAY, NOW - DAY)),
            ours.issue(*SUBJECT, extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]),
        ):
            async with server.client(issued) as http:
                with pytest.raises(httpx.TransportError):
                    await http.get("/")
            await failures.wait()
            assert "no TLS with a client: its certificate is refused: " in caplog.text
            caplog.clear()


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_not_tls_is_closed_and_no_bug(
    loop: Callable[[], asyncio.AbstractEventLoop],
    tmp_path: Path,
    failures: Failures,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leave() -> None:
        async with tls_server(RemoteHosts(), tmp_path) as server:
            for sent in (REQUEST, b"", b"\x16\x03\x01", b"\x00" * 1000):
                reader, writer = await asyncio.open_connection(*server.address)
                writer.write(sent)
                writer.write_eof()
                with contextlib.suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), 20)
                writer.close()
                await failures.wait()
            _, writer = await asyncio.open_connection(*server.address)
            writer.transport.abort()
            async with server.client() as http:
                assert (await http.get("/")).status_code == 200

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(leave())
    bad = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert not bad, caplog.text


async def test_who_does_not_begin_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_connection, "TLS_SECONDS", 0.05)
    async with tls_server(RemoteHosts(), tmp_path) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_connections_without_end_shut_out_no_probe(tmp_path: Path) -> None:
    """They count before TLS is agreed on."""
    async with rig() as shim, tls_server(shim.edge, tmp_path, most=5) as server:
        flood = [(await asyncio.open_connection(*server.address))[1] for _ in range(5 + 2 * RESERVE)]
        async with server.client() as http:
            refused = await http.get("/api/v1/status")
            assert (refused.status_code, refused.json()["message"]) == (503, "too many connections: try again")
            assert (await http.get("/livez")).status_code == 200
            assert f"anka_shim_connections {5 + RESERVE}.0" in (await http.get("/metrics")).text
        for writer in flood:
            writer.close()
        async with server.client() as http, asyncio.timeout(20):
            while (await http.get("/api/v1/status")).status_code != 200:
                pass


async def shown(server: TlsServer) -> bytes | None:
    """The server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection(*server.address, ssl=context)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    assert found is None or isinstance(found, bytes)
    return found


async def test_a_new_certificate_is_shown_to_the_next_client(tmp_path: Path) -> None:
    app = RemoteHosts()
    async with tls_server(app, tmp_path) as server, server.client() as http:
        assert (await http.get("/")).status_code == 200
        issued = server.ca.issue_server()
        issued.write(tmp_path, "server.pem")
        server.clock.advance(REREAD_SECONDS)
        assert await shown(server) == issued.der
        assert (await http.get("/")).status_code == 200, "the open connection goes on"


async def test_authorities_are_replaced_too(tmp_path: Path) -> None:
    app, other = RemoteHosts(), ClientAuthority()
    async with tls_server(app, tmp_path) as server:
        (tmp_path / "ca.pem").write_bytes(other.pem)
        server.clock.advance(REREAD_SECONDS)
        issued = other.issue(*SUBJECT)
        async with server.client(issued) as http:
            assert (await http.get("/")).status_code == 200
        assert [host.certificate for _, host in app.seen] == [issued.der]


async def test_the_first_request_may_come_with_the_end_of_the_handshake(tmp_path: Path) -> None:
    """A client of TLS 1.3 sends both at once."""
    async with rig() as shim, tls_server(shim.edge, tmp_path) as server:
        for _ in range(20):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = server.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            reader, writer = await asyncio.open_connection(*server.address)
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await asyncio.wait_for(reader.read(65_536), 20))
            assert client.version() == "TLSv1.3"
            client.write(REQUEST)
            writer.write(outgoing.read())
            text = b""
            while b"}" not in text:
                incoming.write(await asyncio.wait_for(reader.read(65_536), 20))
                with contextlib.suppress(ssl.SSLWantReadError):
                    while True:
                        text += client.read(65_536)
            assert text.startswith(b"HTTP/1.1 200 ")
            writer.close()


async def test_a_client_that_is_still_sending_gets_its_answer(tmp_path: Path) -> None:
    head = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3000000\r\n\r\n"
    async with rig() as shim, tls_server(shim.edge, tmp_path) as server:
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*server.address, ssl=server.context())
            writer.write(head)
            for _ in range(30):
                writer.write(b" " * 100_000)
            answer = await asyncio.wait_for(reader.readuntil(b"}"), 20)
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"].startswith("the request body is larger than")
            writer.close()
