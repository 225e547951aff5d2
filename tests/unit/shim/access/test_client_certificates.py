"""Logins by certificate: check 10.6 of the specification, at the server itself and behind proxies."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Receive, Scope, Send

from anka_runtime.secret_file import REREAD_SECONDS
from anka_shim.access.certificate_header import CertificateHeader
from anka_shim.http.authentication import PRINCIPAL, LoginMethod, Principal
from support.client_authority import DAY, LONG_AGO, NOW, ClientAuthority, Issued
from support.shim_rig import Rig, listening, rig
from support.tls_server import tls_server

PATH = "/api/v1/status"
TOKEN = "the root token of the tests"
ROOT = {"Authorization": "Basic " + base64.b64encode(f"root:{TOKEN}".encode()).decode()}
UNAUTHENTICATED = b'{"status":"FAIL","message":"Authentication Required"}\n'
PROXY = "127.0.0.1"


@dataclass
class PrincipalLog:
    """Who got through."""

    app: ASGIApp
    seen: list[Principal] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope[PRINCIPAL])
        await self.app(scope, receive, send)


def record(shim: Rig) -> list[Principal]:
    log = PrincipalLog(shim.gate._app)
    shim.gate._app = log
    return log.seen


@asynccontextmanager
async def shim_with(
    ca: ClientAuthority, folder: Path, *, revoked: bytes | None = None, **more: Any
) -> AsyncIterator[Rig]:
    """`revoked`: the list."""
    (folder / "root").write_text(TOKEN)
    (folder / "clients.pem").write_bytes(ca.pem)
    if revoked is not None:
        (folder / "revoked.pem").write_bytes(revoked)
        more["client_crl_file"] = folder / "revoked.pem"
    settings: dict[str, Any] = {
        "enable_auth": True,
        "root_token_file": folder / "root",
        "client_ca_file": folder / "clients.pem",
    }
    # Settings ask for one of the two ways that a certificate comes; a server of the tests has its own TLS.
    if "client_cert_header" not in more:
        more["tls_cert_file"] = ca.issue_server().write(folder, "unused.pem")
    async with rig(**settings, **more) as found:
        yield found


SUBJECTS = {
    "O only": ([("CN", "jenkins"), ("O", "Mobile")], {"Mobile"}),
    "O and OU": ([("CN", "jenkins"), ("O", "Mobile"), ("OU", "CI")], {"CI"}),
    "several OU": ([("CN", "jenkins"), ("OU", "CI"), ("O", "Mobile"), ("OU", "Nightly")], {"CI", "Nightly"}),
    "blanks": ([("CN", "Build Server 1"), ("O", "iOS and macOS team")], {"iOS and macOS team"}),
    "é": ([("CN", "José"), ("O", "Équipe")], {"Équipe"}),
}


def present(kind: CertificateHeader, issued: Issued) -> dict[str, str]:
    """As a proxy passes it on."""
    packed = base64.b64encode(issued.der).decode()
    pem = quote(issued.pem, safe="")
    return {
        "nginx": {"Ssl-Client-Verify": "SUCCESS", "Ssl-Client-Cert": pem},
        "xfcc": {"X-Forwarded-Client-Cert": f'Hash=0;Cert="{pem}";Subject="CN=x"'},
        "traefik": {"X-Forwarded-Tls-Client-Cert": packed},
        "rfc9440": {"Client-Cert": f":{packed}:"},
    }[kind]


KINDS: tuple[CertificateHeader, ...] = ("nginx", "xfcc", "traefik", "rfc9440")


async def test_the_table_in_the_process(tmp_path: Path) -> None:
    async with shim_with(ClientAuthority(), tmp_path) as shim, tls_server(shim.edge, tmp_path) as server:
        (tmp_path / "clients.pem").write_bytes(server.ca.pem)
        shim.clock.advance(REREAD_SECONDS)
        seen = record(shim)
        for subject, groups in SUBJECTS.values():
            async with server.client(server.ca.issue(*subject)) as http:
                answer = await http.get(PATH)
            assert answer.status_code == 200, subject
            assert answer.headers["cache-control"] == "no-store"
            assert seen.pop() == Principal(dict(subject)["CN"], frozenset(groups), method=LoginMethod.CERTIFICATE)
        for one, headers, code in (
            (None, {}, 401),
            (None, ROOT, 200),
            (server.ca.issue(("CN", "jenkins")), {}, 401),
            (server.ca.issue(("CN", "jenkins"), ("O", "Mobile")), {"Authorization": "Bearer wrong"}, 401),
            (server.ca.issue(("CN", "jenkins"), ("O", "Mobile")), ROOT, 200),
        ):
            async with server.client(one) as http:
                assert (await http.get(PATH, headers=headers)).status_code == code
        assert [principal.is_root for principal in seen] == [True, True], "the Authorization header decides alone"


async def test_what_is_revoked_while_its_connection_is_open(tmp_path: Path) -> None:
    clients = ClientAuthority()
    async with (
        shim_with(clients, tmp_path, revoked=clients.revoke()) as shim,
        tls_server(shim.edge, tmp_path) as server,
    ):
        (tmp_path / "clients.pem").write_bytes(server.ca.pem)
        (tmp_path / "revoked.pem").write_bytes(server.ca.revoke())
        shim.clock.advance(REREAD_SECONDS)
        issued = server.ca.issue(("CN", "jenkins"), ("O", "Mobile"))
        async with server.client(issued) as http:
            assert (await http.get(PATH)).status_code == 200
            (tmp_path / "revoked.pem").write_bytes(server.ca.revoke(issued))
            shim.clock.advance(REREAD_SECONDS)
            answer = await http.get(PATH)
            assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)
            assert (await http.get(PATH, headers=ROOT)).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_the_table_behind_a_proxy(kind: CertificateHeader, tmp_path: Path) -> None:
    ca, foreign = ClientAuthority(), ClientAuthority()
    revoked = ca.issue(("CN", "gone"), ("O", "Mobile"))
    expired = ca.issue(("CN", "old"), ("O", "Mobile"), valid=(LONG_AGO, LONG_AGO + DAY))
    async with (
        shim_with(ca, tmp_path, revoked=ca.revoke(revoked), client_cert_header=kind, trusted_proxies=PROXY) as shim,
        listening(shim.edge, trusted_proxies=PROXY) as address,
        httpx.AsyncClient(base_url=f"http://{PROXY}:{address[1]}", timeout=20) as http,
    ):
        seen = record(shim)
        for subject, groups in SUBJECTS.values():
            headers = {**present(kind, ca.issue(*subject)), "X-Forwarded-For": "192.0.2.7"}
            assert (await http.get(PATH, headers=headers)).status_code == 200, subject
            assert seen.pop() == Principal(dict(subject)["CN"], frozenset(groups), method=LoginMethod.CERTIFICATE)
        for issued in (revoked, expired, foreign.issue(("CN", "jenkins"), ("O", "Mobile")), ca.issue(("O", "Mobile"))):
            answer = await http.get(PATH, headers=present(kind, issued))
            assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)
        assert (await http.get(PATH)).status_code == 401
        assert (await http.get(PATH, headers=ROOT)).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_headers_of_anybody_else_are_forged(kind: CertificateHeader, tmp_path: Path) -> None:
    """The address that counts is that of the connection, whatever X-Forwarded-For tells."""
    ca = ClientAuthority()
    async with (
        shim_with(ca, tmp_path, client_cert_header=kind, trusted_proxies="192.0.2.1") as shim,
        listening(shim.edge, trusted_proxies="192.0.2.1") as address,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{address[1]}", timeout=20) as http,
    ):
        headers = present(kind, ca.issue(("CN", "admin"), ("O", "Mobile")))
        for more in ({}, {"X-Forwarded-For": "192.0.2.1"}):
            answer = await http.get(PATH, headers={**headers, **more})
            assert (answer.status_code, answer.content) == (401, UNAUTHENTICATED)


async def test_a_proxy_is_never_its_clients(tmp_path: Path) -> None:
    """It may show a certificate of its own to us: that of a client counts alone."""
    ca = ClientAuthority()
    async with (
        shim_with(ca, tmp_path, client_cert_header="rfc9440", trusted_proxies=PROXY) as shim,
        tls_server(shim.edge, tmp_path, trusted_proxies=PROXY) as server,
    ):
        (tmp_path / "clients.pem").write_bytes(server.ca.pem)
        shim.clock.advance(REREAD_SECONDS)
        seen = record(shim)
        async with server.client(server.ca.issue(("CN", "proxy"), ("O", "Mobile"))) as http:
            assert (await http.get(PATH)).status_code == 401
            headers = present("rfc9440", server.ca.issue(("CN", "jenkins"), ("O", "Mobile")))
            assert (await http.get(PATH, headers=headers)).status_code == 200
        assert [principal.name for principal in seen] == ["jenkins"]


async def test_why_a_certificate_is_refused_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ca = ClientAuthority()
    async with (
        shim_with(ca, tmp_path, client_cert_header="nginx", trusted_proxies=PROXY) as shim,
        listening(shim.edge, trusted_proxies=PROXY) as address,
        httpx.AsyncClient(base_url=f"http://{PROXY}:{address[1]}", timeout=20) as http,
    ):
        refused = "anka_shim_refused_logins_total", {"reason": "wrong"}
        before = REGISTRY.get_sample_value(*refused) or 0.0
        await http.get(PATH, headers=present("nginx", ClientAuthority().issue(("CN", "x"), ("O", "y"))))
        await http.get(PATH, headers={"Ssl-Client-Verify": "FAILED:expired"})
        assert REGISTRY.get_sample_value(*refused) == before + 2
        lines = [one.getMessage() for one in caplog.records if one.getMessage().startswith("login refused")]
        assert lines == [
            "login refused: client certificate: none of our authorities has signed it",
            "login refused: client certificate: the proxy did not verify it: Ssl-Client-Verify is not SUCCESS",
        ]


async def test_lists_that_cannot_be_read_leave_those_of_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ca = ClientAuthority()
    issued, revoked = (
        ca.issue(("CN", name), ("O", "Mobile"), valid=(LONG_AGO, NOW + 300 * DAY)) for name in ("good", "gone")
    )
    async with (
        shim_with(
            ca, tmp_path, revoked=ca.revoke(revoked), client_cert_header="rfc9440", trusted_proxies=PROXY
        ) as shim,
        listening(shim.edge, trusted_proxies=PROXY) as address,
        httpx.AsyncClient(base_url=f"http://{PROXY}:{address[1]}", timeout=20) as http,
    ):
        expiry = REGISTRY.get_sample_value("anka_shim_crl_expiry_timestamp_seconds")
        assert expiry == int(ca.revoke_until.timestamp())
        for content in (b"nothing", b"\xff", None):
            file = tmp_path / "revoked.pem"
            file.unlink() if content is None else file.write_bytes(content)
            shim.clock.advance(REREAD_SECONDS)
            assert (await http.get(PATH, headers=present("rfc9440", issued))).status_code == 200
            assert (await http.get(PATH, headers=present("rfc9440", revoked))).status_code == 401
            assert "the authorities and revocation lists of before stay in use" in caplog.text
            caplog.clear()
        # Nobody brings a new one: from its end on, no certificate counts.
        shim.clock.advance((ca.revoke_until - shim.clock.now()).total_seconds() + 1)
        assert (await http.get(PATH, headers=present("rfc9440", issued))).status_code == 401
        assert (await http.get(PATH, headers=ROOT)).status_code == 200
