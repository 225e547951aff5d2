"""/api/v1/apikey, as clients and people use it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from anka_shim.api_key import commands
from anka_shim.api_key.answer import ApiKeyListOk, PrivateKeyOk
from anka_shim.api_key.request import object_name
from support.api_keys import ROOT, add_object, with_keys
from support.rsa_keys import PUBLIC
from support.scripted_api import Fault
from support.shim_rig import Rig, rig

PATH = "/api/v1/apikey"
NEW = {"id": "nathan", "ttl": 86_400, "groups": ["g1"]}


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with with_keys(tmp_path) as found:
        found.http.headers.update(ROOT)
        yield found


def stored(shim: Rig, id_: str = "nathan") -> Any:
    return shim.api.objects["apikeys"][("", object_name(id_))]["spec"]


async def test_a_life_with_a_key_of_ours(shim: Rig) -> None:
    answer = await shim.call("POST", PATH, json=NEW)
    PrivateKeyOk.model_validate(answer)
    key = serialization.load_der_private_key(base64.b64decode(answer["body"], validate=True), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert stored(shim) == {
        "id": "nathan",
        "groups": ["g1"],
        "publicKey": base64.b64encode(public).decode(),
        "expiresAt": "2026-01-02T00:00:00Z",
    }
    listed = await shim.call("GET", PATH)
    ApiKeyListOk.model_validate(listed)
    (shown,) = listed["body"]
    created = "0001-01-01T00:00:00Z"  # this apiserver gives no time
    assert shown == {"id": "nathan", "groups": ["g1"], "expiration": "2026-01-02T00:00:00Z", "created": created}
    assert await shim.body("GET", f"{PATH}?id=nathan") == [shown]
    shim.clock.advance(3600)
    done = {"status": "OK", "message": ""}
    assert await shim.call("PUT", PATH, json={"id": "nathan", "groups": []}) == done
    assert (stored(shim)["groups"], stored(shim)["expiresAt"]) == ([], "2026-01-02T00:00:00Z")
    assert await shim.call("PUT", PATH, json={"id": "nathan", "groups": "a, b", "ttl": 60}) == done
    assert (stored(shim)["groups"], stored(shim)["expiresAt"]) == (["a", "b"], "2026-01-01T01:01:00Z")
    assert await shim.call("DELETE", PATH, json={"id": "nathan"}) == done
    assert await shim.body("GET", PATH) == []
    for method, text in (("GET", f"{PATH}?id=nathan"), ("DELETE", f"{PATH}?id=nathan")):
        assert await shim.message(method, text) == "Not found"
    assert await shim.message("PUT", PATH, json={"id": "nathan", "groups": []}) == "Not found"


async def test_with_a_public_key_there_is_nothing_to_answer(shim: Rig) -> None:
    pem = f"-----BEGIN PUBLIC KEY-----\n{PUBLIC}\n-----END PUBLIC KEY-----\n"
    assert await shim.call("POST", PATH, json={**NEW, "publicKey": pem}) == {"status": "OK", "message": ""}
    assert stored(shim)["publicKey"] == PUBLIC


async def test_by_the_query_alone_as_the_spec_says(shim: Rig) -> None:
    await shim.body("POST", PATH, params={"id": "a b", "ttl": "60", "groups": ["x", "y z"], "publicKey": PUBLIC})
    assert stored(shim, "a b")["groups"] == ["x", "y z"]
    await shim.body("PUT", PATH, params={"id": "a b", "groups": "v,w"})
    assert stored(shim, "a b")["groups"] == ["v", "w"]
    await shim.body("DELETE", PATH, params={"id": "a b"})


async def test_an_id_is_given_once(shim: Rig) -> None:
    told = "id: there is an API key called so already (given: 'nathan')"
    await shim.body("POST", PATH, json={**NEW, "publicKey": PUBLIC})
    assert await shim.message("POST", PATH, json={**NEW, "publicKey": PUBLIC}) == told
    shim.api.swallowing = True
    spec = {"id": "elsewhere", "publicKey": PUBLIC, "groups": [], "expiresAt": "2027-01-01T00:00:00Z"}
    shim.api.put("apikeys", object_name("elsewhere"), "", spec=spec)
    again = {**NEW, "id": "elsewhere", "publicKey": PUBLIC}
    assert await shim.message("POST", PATH, json=again) == told.replace("nathan", "elsewhere")
    await shim.body("PUT", PATH, json={"id": "elsewhere", "groups": ["new"]})
    assert stored(shim, "elsewhere")["groups"] == ["new"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": None}, "id: is required, the id of an API key"),
        ({"id": ""}, "id: is required"),
        ({"id": "a\nb"}, "id: must be one line without control characters"),
        ({"id": "x" * 10_000}, "id: must have at most 256 characters"),
        ({"id": {}}, "id: must be a string"),
        ({"ttl": None}, "ttl: is required"),
        ({"ttl": 0}, "ttl: must be a number of seconds from 1 to"),
        ({"ttl": -1}, "ttl: must be a number of seconds from 1 to"),
        ({"ttl": 10**12}, "ttl: must be a number of seconds from 1 to"),
        ({"ttl": "1h"}, "ttl: must be an integer"),
        ({"groups": None}, "groups: is required"),
        ({"groups": {}}, "groups: must be an array of strings"),
        ({"groups": [[]]}, "groups[0]: must be a string"),
        ({"groups": ["x" * 257]}, "groups: each must have at most 256 characters"),
        ({"groups": [str(number) for number in range(65)]}, "groups: at most 64 groups (given: 65)"),
        ({"publicKey": "A" * 100_000}, "publicKey: must have at most 4096 characters"),
        ({"publicKey": "xx"}, "publicKey: must be the base64 text of a PEM public key (given: 'xx')"),
        ({"publicKey": 1}, "publicKey: must be the base64 text"),
    ],
)
async def test_what_is_refused(shim: Rig, change: dict[str, Any], told: str) -> None:
    message = await shim.message("POST", PATH, json={**NEW, "publicKey": PUBLIC, **change})
    assert message.startswith(told)
    assert "apikeys" not in shim.api.objects or not shim.api.objects["apikeys"]


async def test_two_ids_in_one_request(shim: Rig) -> None:
    assert await shim.message("DELETE", f"{PATH}?id=a", json={"id": "b"}) == "id: is given twice, and differs: 'a', 'b'"


@pytest.mark.parametrize("id_", ["\"; drop'", "../..", "%2F", "日本", "a/b?c#d", " x".strip(), "x" * 256])
async def test_any_id(shim: Rig, id_: str) -> None:
    await shim.body("POST", PATH, json={**NEW, "id": id_, "publicKey": PUBLIC})
    assert [key["id"] for key in await shim.body("GET", PATH, params={"id": id_})] == [id_]
    await shim.body("DELETE", PATH, json={"id": id_})


async def test_what_people_made_is_changed_under_its_own_name(shim: Rig) -> None:
    await add_object(shim, "by-hand", {"id": "theirs"})
    await shim.body("PUT", PATH, json={"id": "theirs", "groups": ["b"]})
    assert shim.api.objects["apikeys"][("", "by-hand")]["spec"]["groups"] == ["b"]


async def test_few_pairs_are_made_at_a_time(shim: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MOST_WAITING", 0)
    assert (await shim.message("POST", PATH, json=NEW)).startswith("too many keys are being made at a time")
    await shim.body("POST", PATH, json={**NEW, "publicKey": PUBLIC})


async def test_a_failing_api_is_told(shim: Rig) -> None:
    shim.api.fail("create", Fault(403, "no"))
    assert (await shim.message("POST", PATH, json={**NEW, "publicKey": PUBLIC})).startswith("cannot create the API key")


async def test_without_api_keys_there_is_no_such_endpoint() -> None:
    async with rig() as shim:
        for method, path in (("GET", PATH), ("POST", PATH), ("POST", "/tap/v1/hand"), ("POST", "/tap/v1/shake")):
            answer = await shim.http.request(method, path, json={"id": "x"} if method == "POST" else None)
            assert answer.status_code == 404
            assert answer.json()["status"] == "FAIL"
