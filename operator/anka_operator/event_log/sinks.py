"""Where records are sent: the registry's log server, and an endpoint that takes JSON."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import aiohttp
from yarl import URL

from anka_crds.rules.central_log import EVENT
from anka_operator.event_log.record import EventRecord, to_json
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_runtime.header_lines import parse_headers
from anka_runtime.secret_file import SecretFile
from anka_runtime.session import AnswerError, HttpSession, open_session, read_up_to

TIMEOUT = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)
ANSWER_BYTES = 64 << 10
"""Of an answer, which nobody reads, so that the connection can be used again."""

Encode = Callable[[EventRecord, str], bytes]
"""(record, machine): the body of one push."""


class SinkError(Exception):
    """Not taken; str() says why in one line, without a secret."""


class RecordRefused(SinkError):
    """The sink does not want these records themselves: no other try will change that."""


REFUSALS = frozenset({400, 413, 422})
"""HTTP codes about what was sent. Others (401, 404, 429, 503) are of the sink, or of how we are set up: they pass."""


class EventSink(Protocol):
    """`name`: in metrics and messages. `most`: how many records one call takes."""

    name: str
    most: int

    async def send(self, records: Sequence[EventRecord]) -> None:
        """All of them, in order. Raises SinkError, also where some have arrived."""


class RegistrySink:
    """Lines of the service `event`, which the registry rotates and keeps as its central logs."""

    name = "registry"
    most = 500

    def __init__(self, registry: RegistryClient, machine: str) -> None:
        self._registry = registry
        self._machine = machine

    async def send(self, records: Sequence[EventRecord]) -> None:
        lines = b"".join(to_json(record, self._machine) + b"\n" for record in records)
        try:
            # One log for the whole cloud, whichever replica leads.
            await self._registry.log(EVENT, EVENT, self._machine, lines.decode())
        except RegistryError as error:
            raise SinkError(str(error)) from None


class EndpointSink(HttpSession):
    """One record a POST: 2xx means taken. A redirect is not followed."""

    name = "url"
    most = 1

    def __init__(
        self, url: str, machine: str, encode: Encode, media_type: str, headers: SecretFile | None = None
    ) -> None:
        self._url = url
        self._machine = machine
        self._encode = encode
        self._media_type = media_type
        self._headers = headers

    def _open_session(self) -> aiohttp.ClientSession:
        return open_session(most_bytes=ANSWER_BYTES, timeout=TIMEOUT)

    async def send(self, records: Sequence[EventRecord]) -> None:
        for record in records:
            await self._post(self._encode(record, self._machine))

    async def _post(self, body: bytes) -> None:
        if self._session is None:
            raise RuntimeError("EndpointSink is used outside of its context manager")
        secret = {} if self._headers is None else parse_headers(self._headers.content())
        headers = {**secret, "Content-Type": self._media_type}
        try:
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                code = response.status
                # A longer one closes the connection, and says nothing about whether the record was taken.
                with suppress(AnswerError):
                    await read_up_to(ANSWER_BYTES, response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise SinkError(f"{self._place} does not answer: {' '.join(why.split())}") from None
        if not 200 <= code < 300:
            raise (RecordRefused if code in REFUSALS else SinkError)(f"{self._place} answers HTTP {code}")

    @property
    def _place(self) -> str:
        """Its path may be a secret."""
        return str(URL(self._url).origin())
