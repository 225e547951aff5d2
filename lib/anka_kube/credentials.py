"""Sources of the Authorization header, and its renewal: tokens rotate while a process runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from anka_runtime.clock import Clock
from anka_runtime.files import read_text

log = logging.getLogger(__name__)

MAX_AGE_SECONDS = 60.0
"""Time after which a token is read again from its source. The kubelet rewrites a bound token after 80 % of its life (an
hour by default), so a minute is early enough."""


class Credentials(Protocol):
    """Headers that authenticate a request."""

    async def headers(self) -> Mapping[str, str]: ...

    def invalidate(self, used: Mapping[str, str]) -> None:
        """The server answered 401 to these headers: read the source again before the next request."""
        ...


class StaticCredentials:
    """Headers that never change: a token, or none (client certificate)."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def invalidate(self, used: Mapping[str, str]) -> None:
        """Nothing to renew."""


class TokenFile:
    """A bearer token in a file that another process rewrites (in-cluster, or `tokenFile` of a kubeconfig)."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._headers: dict[str, str] = {}
        self._read_at: float | None = None

    async def headers(self) -> Mapping[str, str]:
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= MAX_AGE_SECONDS:
            self._read_at = now
            self._read()
        return self._headers

    def invalidate(self, used: Mapping[str, str]) -> None:
        self._read_at = None

    def _read(self) -> None:
        # Blocking: the file is tiny and local. If it is missing for a moment, the current token stays in use.
        try:
            token = read_text(self._path).strip()
        except (OSError, ValueError) as error:
            log.warning("cannot read token file %s: %s", self._path, error)
            return
        if token:
            self._headers = {"Authorization": f"Bearer {token}"}
        else:
            log.warning("token file %s is empty", self._path)


class RenewedCredentials:
    """Credentials that a blocking function produces: those of a kubeconfig, with exec plugins.

    `renew(force)` returns the Authorization header or None. It runs in a thread, at most once in MAX_AGE_SECONDS, and
    with `force` after a 401. If it fails, the last header stays in use.
    """

    def __init__(self, first: str | None, renew: Callable[[bool], str | None], clock: Clock) -> None:
        self._header = first
        self._renew = renew
        self._clock = clock
        self._renewed_at = clock.monotonic()
        self._force = False
        self._lock = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        if self._is_due():
            async with self._lock:
                if self._is_due():
                    await self._renew_now()
        return self._current()

    def invalidate(self, used: Mapping[str, str]) -> None:
        # A late 401 to a header that is already replaced must not run a plugin again.
        if used == self._current():
            self._force = True

    def _current(self) -> Mapping[str, str]:
        return {"Authorization": self._header} if self._header else {}

    def _is_due(self) -> bool:
        return self._force or self._clock.monotonic() - self._renewed_at >= MAX_AGE_SECONDS

    async def _renew_now(self) -> None:
        try:
            self._header = await asyncio.to_thread(self._renew, self._force) or self._header
        except Exception as error:  # plugins fail in any way; the old credentials may still be valid
            log.warning("cannot renew the Kubernetes credentials: %s", error)
        self._force = False
        self._renewed_at = self._clock.monotonic()
