"""The aiohttp session that a client of HTTP holds while it is open as an async context manager."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import aiohttp


class HoldsSession(ABC):
    """`_open_session` makes the session; `_session` is None outside of the context manager."""

    _session: aiohttp.ClientSession | None = None

    @abstractmethod
    def _open_session(self) -> aiohttp.ClientSession: ...

    async def __aenter__(self) -> Self:
        self._session = self._open_session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
