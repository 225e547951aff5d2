"""A shim with API keys, and clients that log in with one."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from support.rsa_keys import PRIVATE, PUBLIC
from support.shim_rig import Rig, rig

TOKEN = "the root token of the tests"
ROOT = {"Authorization": "Basic " + base64.b64encode(f"root:{TOKEN}".encode()).decode()}
SEAL_KEY = "a key that seals, of 32 characters and more"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@asynccontextmanager
async def with_keys(folder: Path, **settings: Any) -> AsyncIterator[Rig]:
    root, seal = folder / "root-token", folder / "seal-key"
    root.write_text(TOKEN)
    seal.write_text(SEAL_KEY)
    async with rig(
        enable_auth=True, root_token_file=root, enable_api_keys=True, seal_key_file=seal, **settings
    ) as found:
        yield found


async def add_key(shim: Rig, id_: str = "ci", **parameters: Any) -> None:
    body = {"id": id_, "ttl": 3600, "groups": ["g"], "publicKey": PUBLIC, **parameters}
    answer = await shim.http.post("/api/v1/apikey", json=body, headers=ROOT)
    assert answer.json() == {"status": "OK", "message": ""}, answer.text


async def add_object(shim: Rig, name: str, spec: dict[str, Any], **metadata: Any) -> None:
    """As people make it."""
    seen = asyncio.Event()
    shim.services.stores.api_keys.subscribe(lambda *_: seen.set())
    spec = {"publicKey": PUBLIC, "groups": [], "expiresAt": "2027-01-01T00:00:00Z", **spec}
    shim.api.put("apikeys", name, "", spec=spec, metadata=metadata)
    await asyncio.wait_for(seen.wait(), 60)


async def hand(http: httpx.AsyncClient, id_: str = "ci") -> str:
    """The secret, decrypted."""
    answer = await http.post("/tap/v1/hand", json={"id": id_})
    assert answer.status_code == 200, answer.text
    return decrypt(answer.content)


def decrypt(answer: bytes) -> str:
    """The secret in a hand's answer."""
    return PRIVATE.decrypt(base64.b64decode(answer, validate=True), OAEP).decode()


async def login(http: httpx.AsyncClient, id_: str = "ci") -> dict[str, str]:
    """The header of a session, as Java and Go make it."""
    answer = await http.post("/tap/v1/shake", json={"id": id_, "secret": await hand(http, id_)})
    assert answer.status_code == 200, answer.text
    return bearer(answer.json()["data"])


def bearer(data: Any) -> dict[str, str]:
    return {"Authorization": "Bearer " + base64.b64encode(json.dumps(data).encode()).decode()}
