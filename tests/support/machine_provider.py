"""A provider of OpenID Connect for machines, as a process or a thread: Dex where it was built, else one that signs as
it does."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from clients.credential import OidcClient, basic
from localkube.free_ports import free_port
from support.checkers import find_dex
from support.oidc_provider import OidcProviderServer

MACHINE = OidcClient("jenkins", "the-secret-of-a-machine")
"""In the group `ci`."""
PORTAL = OidcClient("anka", "client secret/")


@dataclass(frozen=True)
class MachineProvider:
    url: str
    is_dex: bool


@contextmanager
def provider(folder: Path) -> Iterator[MachineProvider]:
    dex = find_dex()
    with signing() if dex is None else running_dex(dex, folder) as found:
        print(f"OpenID Connect by {'Dex' if found.is_dex else 'the mock that signs'}")
        yield found


@contextmanager
def running_dex(
    binary: Path, folder: Path, callback: str = "https://anka.example/oidc/v1/callback"
) -> Iterator[MachineProvider]:
    """People log in there without a word: all of them are Kilgore Trout, in the group `authors`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/dex"
    configuration = {
        "issuer": url,
        "storage": {"type": "memory"},
        "web": {"http": f"127.0.0.1:{port}"},
        "logger": {"level": "error"},
        "oauth2": {
            "skipApprovalScreen": True,
            "grantTypes": ["authorization_code", "refresh_token", "client_credentials"],
        },
        "connectors": [{"type": "mockCallback", "id": "mock", "name": "Example"}],
        "staticClients": [
            {
                "id": MACHINE.id,
                "name": "jenkins",
                "secret": MACHINE.secret,
                "clientCredentialsClaims": {"groups": ["ci"]},
            },
            {"id": PORTAL.id, "name": "Anka", "secret": PORTAL.secret, "redirectURIs": [callback]},
        ],
    }
    file = folder / "dex.json"
    file.write_text(json.dumps(configuration))
    with (
        (folder / "dex.log").open("w") as log,
        subprocess.Popen([binary, "serve", file], stdout=log, stderr=log) as dex,
    ):
        try:
            _wait(url, dex)
            yield MachineProvider(url, is_dex=True)
        finally:
            dex.kill()


def _wait(url: str, dex: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert dex.poll() is None, "Dex has ended: dex.log says why"
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/.well-known/openid-configuration").status_code == 200:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def signing() -> Iterator[MachineProvider]:
    server = OidcProviderServer()
    server.machines[basic(MACHINE.id, MACHINE.secret)] = MACHINE.id
    begun, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with server.serve():
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert begun.wait(60)
    try:
        yield MachineProvider(server.url, is_dex=False)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
