"""Requests with tokens of the cluster: each route by exactly what it needs, in every way that clients can send them."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_shim.access.kubernetes.access_review import KEPT_SECONDS
from anka_shim.access.kubernetes.verbs import VERBS
from anka_shim.access.login_limiter import MOST_FAILURES
from anka_shim.http.authentication import routes
from anka_shim.http.rights import RIGHTS, Right
from support.jwt import raw_token
from support.kube_identities import KubeIdentities
from support.scripted_api import Fault
from support.shim_rig import Rig, rig

ROOT_TOKEN = "the root token of the tests"
VMS = "/api/v1/vm"
LIST = ("list", "ankainstances", "")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    file = tmp_path / "root-token"
    file.write_text(ROOT_TOKEN)
    async with rig(enable_auth=True, root_token_file=file, enable_kubernetes_tokens=True) as found:
        yield found


@pytest.fixture
def known(shim: Rig) -> KubeIdentities:
    found = KubeIdentities()
    found.serve(shim.api)
    return found


async def test_every_route_by_exactly_what_it_needs(shim: Rig, known: KubeIdentities) -> None:
    token = known.add("builder")
    held = {
        need: (need.verb, need.resource, "anka-ci" if need.is_local else "") for all_ in VERBS.values() for need in all_
    }
    for method, path, _ in routes(shim.api_app):
        right = RIGHTS[f"{method} {path}"]
        needs = VERBS.get(right, ())
        url = re.sub("{[^}]*}", "x", path)
        for missing in needs:
            known.allow("builder", *(held[need] for need in held if need != missing))
            shim.clock.advance(KEPT_SECONDS)
            answer = await shim.http.request(method, url, headers=bearer(token))
            assert answer.status_code == 403, f"{method} {path} without {missing}"
            assert answer.json()["message"] == "Not authorized to perform this request"
        known.allow("builder", *(held[need] for need in needs))
        shim.clock.advance(KEPT_SECONDS)
        answer = await shim.http.request(method, url, headers=bearer(token))
        if right in (Right.NONE, Right.PEER, Right.LOGIN) or needs:
            assert answer.status_code not in (401, 403), f"{method} {path} with {needs}"


async def test_a_client_that_knows_user_and_password_only(shim: Rig, known: KubeIdentities) -> None:
    token = known.add("builder", LIST)
    for user in ("token", "root", ""):
        assert (await shim.http.get(VMS, headers=basic(user, token))).status_code == 200
    assert (await shim.http.get(VMS, headers=basic("root", ROOT_TOKEN))).status_code == 200
    assert (await shim.http.get(VMS, headers=basic("token", ROOT_TOKEN))).status_code == 401
    assert len(known.token_reviews) == 1


async def test_wrong_tokens_are_limited_and_right_ones_are_not(shim: Rig, known: KubeIdentities) -> None:
    good, late = known.add("builder", LIST), known.add("other", LIST)
    assert (await shim.http.get(VMS, headers=bearer(good))).status_code == 200
    for number in range(MOST_FAILURES):
        wrong = raw_token({"iss": "https://kubernetes.default.svc", "jti": f"wrong {number}"})
        assert (await shim.http.get(VMS, headers=bearer(wrong))).status_code == 401
    asked = len(known.token_reviews)
    assert (await shim.http.get(VMS, headers=bearer(late))).status_code == 429
    assert len(known.token_reviews) == asked, "the API is not asked on behalf of who guesses"
    assert (await shim.http.get(VMS, headers=bearer(good))).status_code == 200


async def test_what_is_no_token_costs_no_review(shim: Rig, known: KubeIdentities) -> None:
    for text in ("null", "a.b.c", "e30.e30.e30", "eyJ1c2VyTmFtZSI6InUifQ=="):
        assert (await shim.http.get(VMS, headers=bearer(text))).status_code == 401
    assert not known.token_reviews


async def test_while_the_api_is_away_nobody_is_refused(shim: Rig, known: KubeIdentities) -> None:
    token = known.add("builder", LIST)
    shim.api.fail("create", Fault(500))
    answer = await shim.http.get(VMS, headers=bearer(token))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {
        "status": "FAIL",
        "message": "the Kubernetes API cannot be asked about tokens and rights now: try again in a moment",
    }
    assert (await shim.http.get(VMS, headers=bearer(token))).status_code == 200


async def test_the_token_is_in_no_log(shim: Rig, known: KubeIdentities, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tokens = known.add("builder", LIST), raw_token({"iss": "wrong"})
    shim.api.fail("create", Fault(500))
    for token in (*tokens, *tokens):
        await shim.http.get(VMS, headers=bearer(token))
    text = "\n".join(str(vars(record)) for record in caplog.records)
    assert "login refused" in text
    assert "TokenReview" in text
    assert not any(token in text for token in tokens)


async def test_without_the_switch_no_token_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "root-token"
    file.write_text(ROOT_TOKEN)
    async with rig(enable_auth=True, root_token_file=file) as shim:
        known = KubeIdentities()
        known.serve(shim.api)
        assert (await shim.http.get(VMS, headers=bearer(known.add("builder", LIST)))).status_code == 401
        assert not known.token_reviews
