"""Reads the apiserver's own metrics as its administrator, whose requests no priority level holds up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from anka_dev.bench.api_counters import ApiCounters, parse
from anka_kube.config import load_endpoint

_ANSWER_SECONDS = 20.0
_PAUSE_SECONDS = 0.5


class ApiMetrics:
    """An async context manager."""

    def __init__(self, kubeconfig: Path) -> None:
        self._endpoint = load_endpoint(kubeconfig)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def read(self) -> ApiCounters | None:
        """None if the apiserver does not answer."""
        if self._session is None:
            raise RuntimeError("ApiMetrics is used outside of its context manager")
        try:
            async with self._session.get(f"{self._endpoint.server}/metrics", ssl=self._endpoint.ssl or True) as answer:
                if answer.status != 200:
                    return None
                page = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return parse(page, time.perf_counter())

    async def readings(self) -> AsyncIterator[ApiCounters]:
        """One after the other, for as long as they are asked for; none while the apiserver does not answer."""
        while True:
            if (found := await self.read()) is not None:
                yield found
            await asyncio.sleep(_PAUSE_SECONDS)
