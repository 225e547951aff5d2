"""Where the Authorization header comes from, and how it is renewed: tokens rotate while a process runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from anka_crds.process.clock import Clock

log = logging.getLogger(__name__)

MAX_AGE_SECONDS = 60.0
"""How long a token is used before its source is asked again. Kubelet rewrites a bound token when 80% of its
life (an hour by default) has passed, so a minute is early enough."""


class Credentials(Protocol):
    """Headers that authenticate a request."""

    async def headers(self) -> Mapping[str, str]: ...

    def invalidate(self, used: Mapping[str, str]) -> None:
        """The server answered 401 to these headers: ask the source again before the next request."""
        ...


class StaticCredentials:
    """Headers that never change: a given token, or none at all (client certificate)."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def invalidate(self, used: Mapping[str, str]) -> None:
        """Nothing to renew."""


class TokenFile:
    """A bearer token in a file that somebody else rewrites (in-cluster, or `tokenFile` of a kubeconfig)."""

    def __init__(self, path: Path, clock: Clock, max_age: float = MAX_AGE_SECONDS) -> None:
        self._path = path
        self._clock = clock
        self._max_age = max_age
        self._headers: dict[str, str] = {}
        self._read_at: float | None = None

    async def headers(self) -> Mapping[str, str]:
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= self._max_age:
            self._read_at = now
            self._read()
        return self._headers

    def invalidate(self, used: Mapping[str, str]) -> None:
        self._read_at = None

    def _read(self) -> None:
        # Read in place: the file is tiny and local. A moment without it must not cost us the token we have.
        try:
            token = self._path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            log.warning("cannot read token file %s: %s", self._path, error)
            return
        if token:
            self._headers = {"Authorization": f"Bearer {token}"}
        else:
            log.warning("token file %s is empty", self._path)


class RenewedCredentials:
    """Credentials that a blocking function produces: kubeconfig with exec plugins or auth providers.

    `renew(force)` returns the Authorization header or None; it runs in a thread, at most once a minute, and with
    `force` after a 401. When it fails, the last header stays in use.
    """

    def __init__(
        self,
        first: str | None,
        renew: Callable[[bool], str | None],
        clock: Clock,
        max_age: float = MAX_AGE_SECONDS,
    ) -> None:
        self._header = first
        self._renew = renew
        self._clock = clock
        self._max_age = max_age
        self._renewed_at = clock.monotonic()
        self._force = False
        self._lock = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        if self._due():
            async with self._lock:
                if self._due():
                    await self._ask()
        return self._current()

    def invalidate(self, used: Mapping[str, str]) -> None:
        # Late 401s to what has been replaced already must not run a plugin again.
        if used == self._current():
            self._force = True

    def _current(self) -> Mapping[str, str]:
        return {"Authorization": self._header} if self._header else {}

    def _due(self) -> bool:
        return self._force or self._clock.monotonic() - self._renewed_at >= self._max_age

    async def _ask(self) -> None:
        try:
            self._header = await asyncio.to_thread(self._renew, self._force) or self._header
        except Exception as error:  # plugins fail in any way they like; the old credentials may still do
            log.warning("cannot renew the Kubernetes credentials: %s", error)
        self._force = False
        self._renewed_at = self._clock.monotonic()
