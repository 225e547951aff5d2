"""Nothing is answered that the gate has not let through."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from anka_shim.failure import Failure
from anka_shim.http.authentication import ANONYMOUS, PRINCIPAL, LoginMethod, OpenAccess, Principal, routes
from anka_shim.http.rights import RIGHTS, Right
from anka_shim.http.simple_reads import simple_reads
from support.routes import fill
from support.shim_rig import Rig, rig

UNKNOWN = [("GET", "/nope"), ("GET", "/"), ("POST", "/livez"), ("PATCH", "/api/v1/vm"), ("TRACE", "/docs")]
"""No such path, or no such method of it."""


class Guard(OpenAccess):
    """Knows one user, who has the rights that are given."""

    def __init__(self, *rights: Right) -> None:
        self._rights = rights
        self.asked: list[Right] = []

    async def admit(self, scope: Scope, right: Right) -> Principal:
        if (b"authorization", b"mine") not in scope["headers"]:
            raise Failure("Authentication Required", code=401)
        self.asked.append(right)
        if right not in self._rights:
            raise Failure("Not authorized to perform this request", code=403)
        return Principal("me", frozenset({"ci"}))


def requests(shim: Rig) -> list[tuple[str, str]]:
    """One for each route, for each simple read, and for what is no route."""
    served = [(method, fill(path)) for method, path, _ in routes(shim.api_app)]
    found = [*served, *((word, path) for method, path in served if method == "GET" for word in ("HEAD", "OPTIONS"))]
    assert {("GET", path) for path in simple_reads(shim.api_app)} <= set(found)
    return [*found, *UNKNOWN]


async def test_the_table_has_every_route_and_no_other() -> None:
    """A new route must say which right it needs."""
    async with rig() as shim:
        assert set(RIGHTS) == {f"{method} {path}" for method, path, _ in routes(shim.api_app)}
    assert Right.UNKNOWN_ROUTE not in RIGHTS.values()


async def test_without_credentials_everything_is_refused() -> None:
    async with rig(policy=Guard(*Right)) as shim:
        for method, path in requests(shim):
            answer = await shim.http.request(method, path)
            assert answer.status_code == 401, f"{method} {path}"
            if method != "HEAD":
                assert answer.json() == {"status": "FAIL", "message": "Authentication Required"}
        assert not shim.api.count("create")


async def test_without_the_right_everything_is_refused() -> None:
    guard = Guard()
    needed = {fill(route): right for route, right in RIGHTS.items()}
    async with rig(policy=guard) as shim:
        for method, path in requests(shim):
            answer = await shim.http.request(method, path, headers={"Authorization": "mine"})
            assert answer.status_code == 403, f"{method} {path}"
            word = "GET" if method == "HEAD" else method
            wanted = needed.get(f"{word} {path}", Right.UNKNOWN_ROUTE)
            assert guard.asked.pop() is wanted, f"{method} {path}"


async def test_with_the_right_it_is_answered() -> None:
    guard = Guard(Right.LIST_VMS, Right.UNKNOWN_ROUTE)
    async with rig(policy=guard) as shim:
        headers = {"Authorization": "mine"}
        assert (await shim.http.get("/api/v1/vm", headers=headers)).json()["status"] == "OK"
        assert (await shim.http.post("/api/v1/vm", headers=headers)).status_code == 403
        assert (await shim.http.get("/nope", headers=headers)).status_code == 404


@pytest.mark.parametrize("path", ["//api/v1/vm", "/api/v1/vm/", "/api//v1/vm?id=x"])
async def test_other_spellings_of_a_path_need_the_same(path: str) -> None:
    guard = Guard()
    async with rig(policy=guard) as shim:
        answer = await shim.http.request("GET", f"http://shim{path}", headers={"Authorization": "mine"})
        assert (answer.status_code, guard.asked) == (403, [Right.LIST_VMS])


async def test_where_authentication_is_off_everyone_may_do_everything() -> None:
    access = OpenAccess()
    scope: Scope = {"type": "http", "headers": []}
    for right in Right:
        assert await access.admit(scope, right) == ANONYMOUS


async def test_endpoints_learn_who_it_is() -> None:
    seen: list[Principal] = []
    async with rig(policy=Guard(*Right)) as shim:
        inner = shim.gate._app

        async def look(scope: Scope, receive: object, send: object) -> None:
            seen.append(scope[PRINCIPAL])
            await inner(scope, receive, send)  # type: ignore[arg-type]

        shim.gate._app = look
        answer: httpx.Response = await shim.http.get("/api/v1/vm", headers={"Authorization": "mine"})
        assert answer.status_code == 200
    assert seen == [Principal("me", frozenset({"ci"}))]


LOGINS = st.sampled_from([login for login in LoginMethod if login is not LoginMethod.ROOT])
NAMES = st.lists(st.sampled_from([*LoginMethod, ":", "ci"]), max_size=4).map("".join)
PRINCIPALS = st.builds(Principal, NAMES, method=LOGINS) | st.just(Principal("root", method=LoginMethod.ROOT))


@given(PRINCIPALS, PRINCIPALS)
def test_nobody_is_taken_for_another(one: Principal, other: Principal) -> None:
    assert (one.account == other.account) == (one == other)


@pytest.mark.parametrize(
    ("principal", "account"),
    [
        (Principal("root", method=LoginMethod.ROOT), "root"),
        (Principal("jenkins", method=LoginMethod.API_KEY), "jenkins"),
        (Principal("root", method=LoginMethod.API_KEY), "api-key:root"),
        (Principal("oidc:Ada", method=LoginMethod.API_KEY), "api-key:oidc:Ada"),
        (Principal("root", method=LoginMethod.OIDC), "oidc:root"),
        (Principal("jenkins", method=LoginMethod.CERTIFICATE), "certificate:jenkins"),
        (Principal("system:serviceaccount:ci:builder", method=LoginMethod.KUBERNETES),
         "kubernetes:system:serviceaccount:ci:builder"),
    ],
)  # fmt: skip
def test_accounts(principal: Principal, account: str) -> None:
    assert principal.account == account
