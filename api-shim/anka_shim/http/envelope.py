"""The envelope of every answer: {"status", "message", "body"}. The only place that makes one.

Clients compare `status` with "OK" by case, read `message` as a string whenever it is not, and take any HTTP status
but 200 for a broken server (docs/reference/legacy-api.md#http-200). `body` is left out if there is none.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anka_shim.http.answer import to_json

OUTCOME = "anka.outcome"
"""Key in the ASGI scope under which an answer leaves OK or FAIL, for the log and the metrics."""

MESSAGE = "anka.message"

_BEFORE_BODY = b'{"status":"OK","message":"","body":'
_EMPTY = b'{"status":"OK","message":""}'


class Envelope(Response):
    """An encoded envelope."""

    media_type = "application/json"

    def __init__(
        self,
        content: bytes,
        outcome: str = "OK",
        message: str = "",
        code: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(content, status_code=code, headers=headers)
        self.outcome = outcome
        self.message = message

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[OUTCOME] = self.outcome
        scope[MESSAGE] = self.message
        await super().__call__(scope, receive, send)


def ok(body: Any = None) -> Envelope:
    """Success. `body`: an answer's model, a list of them, or plain JSON; None for no body."""
    return Envelope(_EMPTY) if body is None else ok_encoded(to_json(body))


def ok_encoded(body: bytes) -> Envelope:
    """Success with a body that is JSON already: a list of a thousand instances is not encoded anew for each poll."""
    return Envelope(b"".join((_BEFORE_BODY, body, b"}")))


def saved() -> Envelope:
    """The one success with a message (docs/reference/legacy-api.md#permissions)."""
    return Envelope(b'{"status":"OK","message":"Saved"}', message="Saved")


def fail(message: str, *, code: int = 200, headers: Mapping[str, str] | None = None) -> Envelope:
    """A failure. Logical ones are HTTP 200; other codes are for what is not about the request's content."""
    content = orjson.dumps({"status": "FAIL", "message": message})
    if code == 401:
        content += b"\n"  # as the old controller's, byte for byte
    return Envelope(content, "FAIL", message, code, headers)
