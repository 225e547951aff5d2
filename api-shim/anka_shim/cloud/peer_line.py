"""How replicas ask each other: GET /peer/reached, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson

from anka_crds.process.session import HoldsSession
from anka_shim.cloud.peer import Silent
from anka_shim.cloud.peers import Address

PATH = "/peer/reached"

WHO_SECONDS = 1.0
"""How long a replica may take to say who it is: nobody waits for that."""

TRAVEL_SECONDS = 0.05
"""How much longer than it waits the peer's answer may take."""

EVERYTHING = 1 << 63
"""Of a replica that has not read anything yet: when it does, it reads what is newer than any question of now."""


class PeerLine(HoldsSession):
    """Use as an async context manager. A peer waits for its watch for at most `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def who(self, address: Address, asker: str) -> str:
        answer = await self._get(address, {"from": asker}, WHO_SECONDS)
        return str(answer["id"])

    async def seen(self, address: Address, asker: str, kind: str, version: int) -> int:
        question = {"from": asker, "kind": kind, "version": str(version), "seconds": f"{self._seconds:g}"}
        answer = await self._get(address, question, self._seconds + TRAVEL_SECONDS)
        seen = answer.get("seen")
        return EVERYTHING if seen == "" else int(seen) if isinstance(seen, str) and seen.isdecimal() else -1

    async def _get(self, address: Address, question: dict[str, str], seconds: float) -> dict[str, Any]:
        if self._session is None:
            raise Silent("this replica is ending")
        host, port = address
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"
        try:
            async with asyncio.timeout(seconds), self._session.get(url, params=question) as response:
                if response.status != 200:
                    raise Silent(f"it answers HTTP {response.status}")
                answer = orjson.loads(await response.content.read(4096))
        except TimeoutError:
            raise Silent(f"no answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Silent(f"no answer: {error}") from None
        except orjson.JSONDecodeError:
            raise Silent("it answers, but not as a replica of this shim") from None
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise Silent("it answers, but not as a replica of this shim")
        return answer
