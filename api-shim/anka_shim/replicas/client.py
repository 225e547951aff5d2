"""How replicas ask and tell each other, over HTTP: GET /peer/reached, POST /peer/used."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson
from yarl import URL

from anka_runtime.addresses import join_host_port
from anka_runtime.session import HttpSession, open_session
from anka_shim.replicas.announcements import UsedSecret
from anka_shim.replicas.peer import PeerError
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.peers import Address
from anka_shim.replicas.signature import HEADER, ForgedError

PATH = "/peer/reached"
USED_PATH = "/peer/used"

IDENTIFY_SECONDS = 1.0
"""How long a replica may take to give its id: no request waits for that."""

ANSWER_BYTES = 4096

NETWORK_SECONDS = 0.05
"""How much longer the peer's answer may take than it waits."""

ANY_VERSION = 1 << 63
"""Answer of a replica that has not read its caches yet: it will read a newer version than any requested before."""


class PeerClient(HttpSession):
    """Use as an async context manager. A peer waits for its watch for at most `seconds`. `key`: what it must share with
    us; None: anybody who answers is a peer. `tls`: peers serve HTTPS, as we do. Their certificates are for the names
    that clients use, and are not checked: what they sign with `key` proves who they are."""

    def __init__(self, seconds: float, key: PeerKey | None = None, *, tls: bool = False) -> None:
        self._seconds = seconds
        self._key = key
        self._scheme = "https" if tls else "http"

    def _open_session(self) -> aiohttp.ClientSession:
        return open_session(most_bytes=ANSWER_BYTES, cookie_jar=aiohttp.DummyCookieJar())

    async def identify(self, address: Address, own_id: str) -> str:
        answer = await self._ask("GET", PATH, address, {"from": own_id}, IDENTIFY_SECONDS)
        return str(answer["id"])

    async def read_version(self, address: Address, own_id: str, kind: str, version: int) -> int:
        question = {"from": own_id, "kind": kind, "version": str(version), "seconds": f"{self._seconds:g}"}
        answer = await self._ask("GET", PATH, address, question, self._seconds + NETWORK_SECONDS)
        seen = answer.get("seen")
        return ANY_VERSION if seen == "" else int(seen) if isinstance(seen, str) and seen.isdecimal() else -1

    async def tell_used(self, address: Address, own_id: str, secrets: Sequence[UsedSecret]) -> frozenset[bytes]:
        told = ",".join(f"{secret.nonce.hex()}.{secret.until}" for secret in secrets)
        answer = await self._ask("POST", USED_PATH, address, {"from": own_id, "secrets": told}, self._seconds)
        known = answer.get("known")
        if not isinstance(known, list):
            raise PeerError("it answers, but does not say what it knew")
        return frozenset(secret.nonce for secret in secrets if secret.nonce.hex() in known)

    async def _ask(
        self, method: str, path: str, address: Address, question: dict[str, str], seconds: float
    ) -> dict[str, Any]:
        if self._session is None:
            raise PeerError("this replica is ending")
        url = URL(f"{self._scheme}://{join_host_port(*address)}{path}").with_query(question)
        signed = self._key.sign_question(method, url.raw_path_qs) if self._key else ""
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.request(method, url, headers={HEADER: signed} if signed else None, ssl=False) as response,
            ):
                if response.status != 200:
                    raise PeerError(f"it answers HTTP {response.status}")
                body = await response.read()
                if self._key:
                    self._key.check_answer(signed, body, response.headers.get(HEADER, ""))
                answer = orjson.loads(body)
        except ForgedError as error:
            raise PeerError(str(error)) from None
        except TimeoutError:
            raise PeerError(f"no answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PeerError(f"no answer: {error}") from None
        except orjson.JSONDecodeError:
            raise PeerError("it answers, but not as a replica of this shim") from None
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise PeerError("it answers, but not as a replica of this shim")
        return answer
