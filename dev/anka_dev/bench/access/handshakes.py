"""Starts at a rate, each by a client that shakes hands before it, as Jenkins does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa

from anka_dev.bench.access.credentials import KEY_ID, session_header, to_bearer
from localkube.errors import DevError


class HandshakeLoad:
    """An open loop: each start is due at its time, however long the others take."""

    def __init__(self, url: str, key: rsa.RSAPrivateKey, body: Mapping[str, Any]) -> None:
        self._url = url
        self._key = key
        self._body = dict(body)

    async def run(self, rate: float, total: int) -> list[float]:
        """Seconds from when each was due to its answer: hand, shake and start."""
        loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:
            begin = loop.time()

            async def start(number: int) -> float:
                due = begin + number / rate
                await asyncio.sleep(due - loop.time())
                await self._start(session)
                return loop.time() - due

            return list(await asyncio.gather(*(start(number) for number in range(total))))

    async def _start(self, session: aiohttp.ClientSession) -> None:
        hand = await self._post(session, "/tap/v1/hand", {"id": KEY_ID})
        # In a thread: the client's own work must not delay other clients.
        secret = await asyncio.to_thread(to_bearer, self._key, hand)
        shaken = json.loads(await self._post(session, "/tap/v1/shake", {"id": KEY_ID, "secret": secret}))
        login = {"Authorization": session_header(shaken["data"])}
        answer = json.loads(await self._post(session, "/api/v1/vm", self._body, login))
        if answer["status"] != "OK":
            raise DevError(f"access: POST /api/v1/vm: {answer['message']}")

    async def _post(
        self,
        session: aiohttp.ClientSession,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        async with session.post(self._url + path, json=body, headers=headers) as response:
            raw = await response.read()
            if response.status != 200:
                raise DevError(f"access: POST {path}: HTTP {response.status}")
            return raw
