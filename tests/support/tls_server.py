"""The shim's server with TLS of its own, and clients with and without a certificate."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from anka_runtime.tls_files import TlsFiles, make_server_context
from support.client_authority import ClientAuthority, Issued
from support.manual_clock import ManualClock
from support.shim_rig import listening


@dataclass(frozen=True)
class TlsServer:
    """`ca`: one authority for server and clients. `file`: the server's certificate."""

    address: tuple[str, int]
    ca: ClientAuthority
    file: Path
    clock: ManualClock

    def context(self, issued: Issued | None = None) -> ssl.SSLContext:
        """Of a client."""
        return client_context(self.ca, self.file.parent, issued)

    def client(self, issued: Issued | None = None) -> httpx.AsyncClient:
        url = f"https://127.0.0.1:{self.address[1]}"
        return httpx.AsyncClient(base_url=url, verify=self.context(issued), timeout=20)


def client_context(ca: ClientAuthority, folder: Path, issued: Issued | None = None) -> ssl.SSLContext:
    """Trusts `ca`; has this certificate."""
    context = ssl.create_default_context(cadata=ca.pem.decode())
    # Python 3.13 is stricter than OpenSSL: it asks for key identifiers.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if issued is not None:
        context.load_cert_chain(issued.write(folder, f"{issued.certificate.serial_number}.pem"))
    return context


@asynccontextmanager
async def tls_server(app: Any, folder: Path, *, asks: bool = True, **more: Any) -> AsyncIterator[TlsServer]:
    """`asks` clients for certificates."""
    ca, clock = ClientAuthority(), ManualClock()
    file = ca.issue_server().write(folder, "server.pem")
    (folder / "ca.pem").write_bytes(ca.pem)
    tls = TlsFiles(folder / "ca.pem" if asks else None, file, None, clock, make_server_context)
    async with listening(app, tls=tls, **more) as address:
        yield TlsServer(address, ca, file, clock)
