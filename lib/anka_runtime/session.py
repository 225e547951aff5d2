"""HTTP to others. Whoever answers may be broken, or not who we think: an answer is read up to a limit only, and a
redirect is followed only within its origin, so that none leads elsewhere, or from https to http."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Self

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from yarl import URL

ANSWER_BYTES = 64 << 20
"""Longest answer that is read as a whole, decompressed."""


class AnswerError(aiohttp.ClientError):
    """An answer that this process does not take; str() says why."""


def open_session(
    *, most_bytes: int | None = None, middlewares: Iterable[ClientMiddlewareType] = (), **options: Any
) -> aiohttp.ClientSession:
    """All sessions of the product. `read`, `text` and `json` of its responses raise AnswerError for a body of more than
    `most_bytes`, by default ANSWER_BYTES; a stream is bounded by whoever reads it. `options`: of aiohttp's session."""
    return aiohttp.ClientSession(
        response_class=_bounded(ANSWER_BYTES if most_bytes is None else most_bytes),
        # The last is the closest to the connection: it sees each hop.
        middlewares=(*middlewares, keep_origin),
        **options,
    )


def _bounded(most_bytes: int) -> type[ClientResponse]:
    class ShortAnswer(ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                self._body = await read_up_to(most_bytes, self)
            return self._body

    return ShortAnswer


async def read_up_to(most_bytes: int, response: ClientResponse) -> bytes:
    """The whole body. Raises AnswerError for a longer one."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most_bytes:
            response.close()
            raise AnswerError(f"the answer is longer than {most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


async def keep_origin(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Raises AnswerError for a redirect to another scheme, host or port."""
    response = await handler(request)
    place = response.headers.get("Location") if 300 <= response.status < 400 else None
    if place is not None and not _is_within(request.url, place):
        response.close()
        raise AnswerError(f"it redirects to another origin: {place[:200]}")
    return response


def _is_within(url: URL, place: str) -> bool:
    try:
        return url.join(URL(place)).origin() == url.origin()
    except ValueError:
        return False


class HttpSession(ABC):
    """`_open_session` creates the session. `_session` is None outside the context manager."""

    _session: aiohttp.ClientSession | None = None

    @abstractmethod
    def _open_session(self) -> aiohttp.ClientSession: ...

    async def __aenter__(self) -> Self:
        self._session = self._open_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
