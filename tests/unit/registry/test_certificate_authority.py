"""A registry whose certificate is of an authority of one's own: SSL_CERT_FILE names it (docs/operate/old-chart.md)."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import application
from localkube.controlplane.certificates import Pki, make_pki

READS = """
import asyncio, sys
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError

async def main():
    async with RegistryClient(sys.argv[1]) as registry:
        try:
            await registry.status()
        except RegistryError as error:
            return print(error)
    print("read")

asyncio.run(main())
"""


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return make_pki(tmp_path / "pki")


@pytest.fixture
async def url(tmp_path: Path, pki: Pki) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki.server.certificate, pki.server.key)
    runner = web.AppRunner(application(RegistryCatalog(str(tmp_path))), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("named", [True, False])
async def test_a_process_trusts_the_authority_that_it_is_told(url: str, pki: Pki, named: bool) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("SSL_CERT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READS, url,
        env=env | ({"SSL_CERT_FILE": str(pki.ca.certificate)} if named else {}),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    if named:
        assert said == "read\n"
    else:
        assert "certificate verify failed" in said
