"""A shim at which every kind of credential logs in, and somebody with each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from anka_shim.http.authentication import LoginMethod, Principal
from anka_shim.http.rights import RIGHTS, Right
from support.api_keys import SEAL_KEY, TOKEN, add_key, login
from support.client_authority import ClientAuthority
from support.oidc_provider import OidcProviderServer, sign
from support.routes import fill
from support.shim_rig import Rig, listening, rig

PROXY = "127.0.0.1"
OPEN = {Right.NONE, Right.PEER}
NEEDED = sorted({right for right in RIGHTS.values() if right not in {*OPEN, Right.LOGIN}})
FORBIDDEN = {"status": "FAIL", "message": "Not authorized to perform this request"}

Headers = Mapping[str, str]


@dataclass
class Logins:
    """A shim that knows all ways to log in at once, behind a proxy that has checked certificates."""

    shim: Rig
    http: httpx.AsyncClient
    provider: OidcProviderServer
    ca: ClientAuthority

    async def code(self, route: str, headers: Headers) -> int:
        method, path = route.split(" ")
        answer = await self.http.request(method, fill(path, "nothing"), headers=dict(headers))
        if answer.status_code == 403 and method != "HEAD":
            assert answer.json() == FORBIDDEN, route
        return answer.status_code

    async def in_group(self, kind: str, group: str) -> Headers:
        """Somebody who is in this group alone."""
        if kind == "api key":
            await add_key(self.shim, f"in {group}", groups=[group])
            return await login(self.shim.http, f"in {group}")
        if kind == "certificate":
            issued = self.ca.issue(("CN", "jenkins"), ("O", "Example"), ("OU", group))
            return {"Ssl-Client-Verify": "SUCCESS", "Ssl-Client-Cert": quote(issued.pem, safe="")}
        if kind == "oidc":
            token = sign(self.provider.claims(self.shim.clock.now().timestamp(), groups=[group]))
            return {"Authorization": f"Bearer {token}"}
        flow = self.shim.services.code_flow
        assert flow is not None
        until = int(self.shim.clock.now().timestamp()) + 600
        person = Principal("Ada", frozenset({group}), method=LoginMethod.OIDC)
        # From our own page: others may change nothing.
        return {"Cookie": f"{SESSION_COOKIE}={flow.sessions.make(person, until)}", "Origin": SITE, "Host": HOST}


SESSION_COOKIE = "__Host-anka-session"
HOST = "anka.example.com"
SITE = f"https://{HOST}"
KINDS = ("api key", "certificate", "oidc", "browser")


@asynccontextmanager
async def all_logins(folder: Path) -> AsyncIterator[Logins]:
    ca = ClientAuthority()
    (folder / "clients.pem").write_bytes(ca.pem)
    for name, content in (("root", TOKEN), ("seal", SEAL_KEY), ("secret", "client secret/")):
        (folder / name).write_text(content)
    async with (
        OidcProviderServer().serve() as provider,
        rig(
            enable_auth=True,
            enable_authorization=True,
            root_token_file=folder / "root",
            enable_api_keys=True,
            seal_key_file=folder / "seal",
            client_ca_file=folder / "clients.pem",
            client_cert_header="nginx",
            trusted_proxies=PROXY,
            oidc_provider_url=provider.url,
            oidc_client_id="anka",
            oidc_client_secret_file=folder / "secret",
            site_url=SITE,
            access_log="none",
        ) as shim,
        listening(shim.edge, trusted_proxies=PROXY) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as http,
    ):
        yield Logins(shim, http, provider, ca)


async def permit(shim: Rig, groups: Mapping[str, list[Right]]) -> None:
    """As kubectl makes them, all at once."""
    for number, (group, rights) in enumerate(groups.items()):
        spec = {"displayName": group, "controllerPermissions": [right.value for right in rights]}
        shim.api.put("permissiongroups", f"g{number}", "", spec=spec)
    async with asyncio.timeout(60):
        while len(shim.services.stores.permission_groups) < len(groups):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
