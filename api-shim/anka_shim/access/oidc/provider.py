"""Reads what the provider publishes, in the background. While it is away, what it said last stays in use."""

import asyncio
import base64
import logging
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import orjson

from anka_runtime.background import Background
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Clock, Sleep
from anka_runtime.repetition import CAUSE
from anka_runtime.session import open_session
from anka_runtime.tls_files import TlsFiles
from anka_shim import metrics
from anka_shim.access.oidc.discovery import PATH, ProviderInfo, parse_info
from anka_shim.access.oidc.key_set import ProviderKeySet, VerifyingKey, parse_keys
from anka_shim.failure import Failure

log = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
"""Between two readings. A provider shows a new key before it signs with it."""
UNKNOWN_SECONDS = 60.0
"""Between two readings because of a token whose key is not known: anybody can write one."""
REFUSED = "the login has failed: begin again at /oidc/v1/login"
TIMEOUT = aiohttp.ClientTimeout(total=5.0)
ANSWER_BYTES = 1 << 20


class OidcProvider(Background):
    """`tls`: its own authorities, if not those of the system."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        tls: TlsFiles | None = None,
        sleep: Sleep = asyncio.sleep,
        chance: Random = system_random,
    ) -> None:
        self._url = url.removesuffix("/")
        self._clock = clock
        self._tls = tls
        self._sleep = sleep
        self._delays = Delays(Backoff(base=1.0, cap=30.0), chance)
        self._session: aiohttp.ClientSession | None = None
        self._known: tuple[ProviderInfo, ProviderKeySet] | None = None
        self._is_away = True
        self._is_tried = asyncio.Event()
        self._reading = asyncio.Lock()
        self._reread_at: float | None = None

    @property
    def task_name(self) -> str:
        return "OIDC provider"

    async def run(self) -> None:
        async with open_session(most_bytes=ANSWER_BYTES, timeout=TIMEOUT) as self._session:
            while True:
                async with self._reading:
                    await self._read()
                await self._sleep(self._delays.next() if self._is_away else REFRESH_SECONDS)

    async def info(self) -> ProviderInfo:
        """Waits for the first reading. Raises Failure while nobody can say."""
        await self._is_tried.wait()
        return self._require_known()[0]

    async def redeem(self, form: Mapping[str, str], client: str, secret: str) -> Mapping[str, Any]:
        """What the provider gives for a code. Raises Failure, with its own words in the log."""
        url = (await self.info()).token_url
        packed = base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()
        try:
            async with self._open().post(
                url, data=form, headers={"Authorization": f"Basic {packed}"}, ssl=self._ssl()
            ) as response:
                answer = orjson.loads(await response.read())
                code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("OIDC provider %s: %s", url, error, extra={CAUSE: "redeem"})
            raise _away() from None
        if code != 200 or not isinstance(answer, dict):
            why = str(answer.get("error"))[:100] if isinstance(answer, dict) else ""
            log.warning("OIDC provider %s: HTTP %d: %s", url, code, why, extra={CAUSE: "redeem"})
            raise Failure(REFUSED, code=403)
        return answer

    async def find_key(self, kid: str | None) -> VerifyingKey | None:
        """None if the provider has no such key. Waits for the first reading. Raises Failure while nobody can say."""
        await self._is_tried.wait()
        key = self._require_known()[1].find(kid)
        if key is None:
            await self._reread()
            key = self._require_known()[1].find(kid)
        if key is None and self._is_away:
            raise _away()
        return key

    def _require_known(self) -> tuple[ProviderInfo, ProviderKeySet]:
        if self._known is None:
            raise _away()
        return self._known

    async def _reread(self) -> None:
        async with self._reading:
            now = self._clock.monotonic()
            if self._reread_at is None or now - self._reread_at >= UNKNOWN_SECONDS:
                self._reread_at = now
                await self._read()

    async def _read(self) -> None:
        try:
            info = await self._fetch(self._url + PATH, lambda document: parse_info(document, self._url))
            keys = await self._fetch(info.keys_url, parse_keys)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            log.warning("OIDC provider %s: %s", self._url, why, extra={CAUSE: "provider"})
            self._is_away = True
        else:
            self._known = (info, keys)
            self._is_away = False
            self._delays.reset()
        self._is_tried.set()
        metrics.PROVIDER_READS.labels("failed" if self._is_away else "ok").inc()

    async def _fetch(self, url: str, parse: Callable[[Any], Any]) -> Any:
        async with self._open().get(url, ssl=self._ssl()) as response:
            if response.status != 200:
                raise ValueError(f"HTTP {response.status} for {url}")
            return parse(orjson.loads(await response.read()))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("used outside of its context manager")
        return self._session

    def _ssl(self) -> ssl.SSLContext | bool:
        return True if self._tls is None else self._tls.context()


def _away() -> Failure:
    return Failure("the OIDC provider does not answer the shim: try again in a moment", code=503, retry_after=1)
