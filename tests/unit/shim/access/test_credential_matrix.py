"""Every route by every kind of credential: with exactly the right that it needs, and with all rights but this one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from anka_shim.http.authentication import routes
from anka_shim.http.rights import RIGHTS, Right
from support.all_logins import KINDS, NEEDED, OPEN, Headers, Logins, all_logins, permit
from support.api_keys import ROOT
from support.client_authority import ClientAuthority


@pytest.fixture
async def logins(tmp_path: Path) -> AsyncIterator[Logins]:
    async with all_logins(tmp_path) as found:
        yield found


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
