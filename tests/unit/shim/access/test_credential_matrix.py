"""Every route by every kind of credential: with exactly the right that it needs, and with all rights but this one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from anka_shim.http.authentication import LoginMethod, Principal, routes
from anka_shim.http.rights import RIGHTS, Right
from support.api_keys import ROOT, SEAL_KEY, TOKEN, add_key, login
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


@pytest.fixture
async def logins(tmp_path: Path) -> AsyncIterator[Logins]:
    async with all_logins(tmp_path) as found:
        yield found


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


@pytest.mark.parametrize("kind", KINDS)
async def test_rights_are_taken_away_one_by_one(logins: Logins, kind: str) -> None:
    """What then is refused is what the table says, and nothing else."""
    await permit(logins.shim, {f"no {right}": [one for one in NEEDED if one is not right] for right in NEEDED})
    asked = sorted(RIGHTS)
    for place, right in enumerate(NEEDED):
        headers = await logins.in_group(kind, f"no {right}")
        # All routes that need it, and some of the others, others for each right.
        some = [route for number, route in enumerate(asked) if RIGHTS[route] is right or number % 6 == place % 6]
        for route in some:
            code = await logins.code(route, headers)
            assert (code == 403) == (RIGHTS[route] is right), f"{route} without {right}: HTTP {code}"
            assert code != 401 or RIGHTS[route] in OPEN, route


@pytest.mark.parametrize("kind", KINDS)
async def test_exactly_the_right_is_enough_and_none_is_not(logins: Logins, kind: str) -> None:
    await permit(logins.shim, {f"only {right}": [right] for right in NEEDED})
    nobody = await logins.in_group(kind, "nothing")
    for route, right in sorted(RIGHTS.items()):
        if right in OPEN:
            continue
        code = await logins.code(route, nobody)
        assert code != 401, route
        assert (code == 403) == (right is not Right.LOGIN), route
    for right in NEEDED:
        headers = await logins.in_group(kind, f"only {right}")
        for route in (route for route, needed in RIGHTS.items() if needed is right):
            assert await logins.code(route, headers) not in (401, 403), f"{route} with {right}"


async def test_the_names_of_others_are_no_groups(logins: Logins) -> None:
    """Groups that are called as a certificate's or a provider's user: only the id of an API key counts as one."""
    await permit(logins.shim, {name: [Right.LIST_VMS] for name in ("jenkins", "Ada", "in nothing")})
    found = {kind: await logins.code("GET /api/v1/vm", await logins.in_group(kind, "nothing")) for kind in KINDS}
    assert found == {"api key": 200, "certificate": 403, "oidc": 403, "browser": 403}


def spoilt(kind: str, headers: Headers) -> Headers:
    """What looks like this credential, and is not."""
    change: Callable[[str], str] = lambda text: text[:-12] + text[-12:][::-1]  # noqa: E731
    if kind == "certificate":
        foreign = ClientAuthority().issue(("CN", "jenkins"), ("O", "Example"), ("OU", "all"))
        return {**headers, "Ssl-Client-Cert": quote(foreign.pem, safe="")}
    name = "Cookie" if kind == "browser" else "Authorization"
    return {**headers, name: change(headers[name])}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_only_looks_like_it_opens_nothing(logins: Logins, kind: str) -> None:
    await permit(logins.shim, {"all": NEEDED})
    good = await logins.in_group(kind, "all")
    wrong = spoilt(kind, good)
    for route, right in sorted(RIGHTS.items()):
        if right not in OPEN:
            assert await logins.code(route, wrong) == 401, route
    assert await logins.code("GET /api/v1/vm", good) == 200
    assert await logins.code("GET /api/v1/vm", ROOT) == 200


async def test_the_table_is_what_is_served(logins: Logins) -> None:
    assert {f"{method} {path}" for method, path, _ in routes(logins.shim.api_app)} == set(RIGHTS)
