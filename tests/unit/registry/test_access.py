"""A registry that demands to know who asks: each credential, and none, against one that really checks it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from prometheus_client import REGISTRY

from anka_registry.access import check_authorized, make_access
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused, RegistryUnauthorized, RegistryUnreachable
from anka_runtime.secret_file import REREAD_SECONDS
from anka_runtime.settings import ClusterRegistrySettings, load
from anka_sim.registry.access import RegistryLogin, make_tls
from anka_sim.registry.server import serving
from localkube.controlplane.certificates import Pki, make_pki
from support.manual_clock import ManualClock

TOKEN = "s3cret root:tökén"
KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
PRIVATE = [key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()) for key in KEYS]
PUBLIC = [key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in KEYS]


class Rig:
    def __init__(self, directory: Path) -> None:
        self.login = RegistryLogin(TOKEN, {"mac": PUBLIC[0]}, certificates=True)
        self.clock = ManualClock()
        self.directory = directory
        for name, content in {"token": TOKEN.encode(), "wrong": b"another one", "key": PRIVATE[0]}.items():
            (directory / name).write_bytes(content)
        (directory / "strange").write_bytes(PRIVATE[1])

    @asynccontextmanager
    async def client(self, *flags: str, tls: Pki | None = None) -> AsyncIterator[RegistryClient]:
        context = make_tls(tls.server.certificate, tls.server.key, tls.ca.certificate) if tls else None
        async with serving(self.directory / "registry", login=self.login, tls=context) as url:
            settings = load(ClusterRegistrySettings, "anka-x", [f"--registry-url={url}", *flags])
            async with RegistryClient(url, access=make_access(settings, self.clock)) as client:
                yield client

    def token(self, name: str = "token") -> str:
        return f"--registry-root-token-file={self.directory / name}"

    def key(self, id_: str = "mac", name: str = "key") -> tuple[str, str]:
        return f"--registry-api-key-id={id_}", f"--registry-api-key-file={self.directory / name}"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return make_pki(tmp_path / "pki")


def certificate(pki: Pki) -> tuple[str, ...]:
    pair = pki.admin
    return (
        f"--registry-ca-file={pki.ca.certificate}",
        f"--registry-cert-file={pair.certificate}",
        f"--registry-key-file={pair.key}",
    )


async def use(client: RegistryClient) -> None:
    """A read, a change and a stream."""
    assert (await client.status()).status == "Running"
    await client.log("anka_x", "mac-1", "10.0.0.1", "a line\n")
    async with client.log_content("anka_x", "mac-1", last_bytes=100) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"a line\n"


async def test_each_credential_opens_it(rig: Rig, pki: Pki) -> None:
    for flags, tls in ((rig.token(),), None), (rig.key(), None), (certificate(pki), pki):
        async with rig.client(*flags, tls=tls) as client:
            await use(client)
        shutil.rmtree(rig.directory / "registry")
    assert rig.login.handshakes == 1


Flags = Callable[[Rig], tuple[str, ...]]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (lambda rig: (), "status: it wants a credential: Authentication Required"),
        (lambda rig: (rig.token("wrong"),), "status: it does not accept the root token: Authentication Required"),
        (lambda rig: rig.key("other"), "API key 'other' is not accepted: POST /tap/v1/hand answers HTTP 401"),
        (lambda rig: rig.key(name="strange"), "API key 'mac': what the registry seals for it is not for this"),
    ],
    ids=["none", "wrong token", "unknown key", "wrong key"],
)
async def test_what_is_wrong_is_said_without_the_secret(rig: Rig, flags: Flags, says: str) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("anka_registry_refused_credentials_total", {"code": "401"}) or 0

    before = count()
    async with rig.client(*flags(rig)) as client:
        with pytest.raises(RegistryUnauthorized) as error:
            await client.status()
        assert says in str(error.value)
        assert str(error.value).startswith(f"registry {client.url}: ")
        # Nothing is known of a template that was asked for: it is not gone.
        with pytest.raises(RegistryError) as about:
            await client.template("t")
        assert not isinstance(about.value, RegistryRefused)
    assert count() == before + 2
    for secret in TOKEN, "another one", *PRIVATE[0].decode().splitlines()[1:3]:
        assert secret not in str(error.value)


@pytest.mark.parametrize(
    ("code", "name", "says"),
    [
        (401, "nobody", "list: it wants a credential: no"),
        (401, "the client certificate", "list: it does not accept the client certificate: no"),
        (403, "API key 'mac'", "list: API key 'mac' may not do this: no"),
    ],
)
def test_what_the_registry_refuses(code: int, name: str, says: str) -> None:
    with pytest.raises(RegistryUnauthorized, match=f"^registry http://r: {says}$") as error:
        check_authorized("http://r", "list", code, "no", name)
    assert error.value.code == code
    for fine in 200, 404, 500:
        check_authorized("http://r", "list", fine, "no", name)


async def test_many_requests_share_one_handshake_and_a_session_that_ended_costs_one_more(rig: Rig) -> None:
    async with rig.client(*rig.key()) as client:
        await asyncio.gather(*(client.status() for _ in range(20)))
        assert rig.login.handshakes == 1
        rig.login.sessions.clear()
        await asyncio.gather(*(client.log("a", "m", "h", "line") for _ in range(20)))
        assert rig.login.handshakes == 2
        rig.login.api_keys = {}
        await client.status()
        rig.login.sessions.clear()
        with pytest.raises(RegistryUnauthorized):
            await client.status()


async def test_a_token_and_a_certificate_that_are_replaced(rig: Rig, pki: Pki, tmp_path: Path) -> None:
    async with rig.client(rig.token()) as client:
        rig.login.root_token = "the next token"
        (tmp_path / "token").write_text("the next token\n")
        with pytest.raises(RegistryUnauthorized):
            await client.status()
        rig.clock.advance(REREAD_SECONDS)
        await client.status()
    strange = make_pki(tmp_path / "other")
    ca = tmp_path / "ca.pem"
    shutil.copy(strange.ca.certificate, ca)
    async with rig.client(f"--registry-ca-file={ca}", rig.token(), tls=pki) as client:
        with pytest.raises(RegistryUnreachable, match="certificate verify failed"):
            await client.status()
        ca.write_text("no certificate")
        rig.clock.advance(REREAD_SECONDS)
        with pytest.raises(RegistryUnreachable, match="certificate verify failed"):
            await client.status()
        shutil.copy(pki.ca.certificate, ca)
        rig.clock.advance(REREAD_SECONDS)
        await client.status()


async def test_the_credential_goes_nowhere_else(rig: Rig) -> None:
    """A registry that redirects elsewhere learns nothing for that other place."""
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    seen: list[Any] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers)
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    async with TestServer(app) as other:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPFound(other.make_url("/registry/status"))

        first = web.Application()
        first.router.add_get("/registry/status", redirect)
        async with TestServer(first) as server:
            url = str(server.make_url("")).rstrip("/")
            settings = load(ClusterRegistrySettings, "anka-x", [f"--registry-url={url}", rig.token()])
            async with RegistryClient(url, access=make_access(settings)) as client:
                with pytest.raises(RegistryUnreachable, match="another origin"):
                    await client.status()
    assert seen == []


def test_files_and_flags_that_do_not_fit(rig: Rig, pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    here, https = "--registry-url=http://r:8089", "--registry-url=https://r:8089"
    key_id, key = rig.key()
    public = rig.directory / "public"
    public.write_bytes(PUBLIC[0])
    for flags, line in {
        (rig.token(),): "--registry-root-token-file: needs --registry-url too",
        (here, key_id): "--registry-api-key-file: is needed with --registry-api-key-id",
        (here, key): "--registry-api-key-file: needs --registry-api-key-id too",
        (key_id, key): "--registry-api-key-file: needs --registry-url too",
        (here, key_id, key, rig.token()): "--registry-root-token-file: one of --registry-root-token-file and",
        (here, key_id, f"--registry-api-key-file={public}"): "is not a private key in PEM without a passphrase",
        (here, key_id, "--registry-api-key-file=/none"): "/none cannot be read: No such file",
        (here, "--registry-root-token-file=/none"): "/none cannot be read: No such file",
        (https, f"--registry-ca-file={rig.directory / 'key'}"): "--registry-ca-file: ",
        (https, "--registry-ca-file=/none"): "/none cannot be used as certificates of authorities: No such file",
        (https, f"--registry-key-file={pki.admin.key}"): "--registry-key-file: needs --registry-cert-file too",
        (https, f"--registry-cert-file={pki.admin.certificate}"): "cannot be used as certificate and key",
        (here, *certificate(pki)): "need a registry whose URL begins with https://",
    }.items():
        with pytest.raises(SystemExit):
            load(ClusterRegistrySettings, "anka-x", [*flags])
        said = capsys.readouterr().err
        assert line in said, flags
        assert said.count("\n") == 1, said
        assert "PRIVATE KEY" not in said
