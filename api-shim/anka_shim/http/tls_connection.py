"""A connection that begins with TLS. uvicorn has none that counts before its handshake is over, or takes another
certificate while it runs: so ours does the handshake, and hands the rest to what speaks HTTP."""

import asyncio
import logging
import ssl
import types
from collections.abc import Coroutine, Generator
from typing import Any

from uvicorn.protocols.utils import get_remote_addr

from anka_runtime.repetition import CAUSE
from anka_runtime.tls_files import TlsFiles
from anka_shim import metrics
from anka_shim.http.connection import LINGER_SECONDS, RESERVE_SECONDS, Connection
from anka_shim.http.connection_budget import ConnectionBudget

log = logging.getLogger(__name__)

TLS_SECONDS = 10.0
"""From the first byte to the end of TLS's handshake."""

_negotiations: set[asyncio.Task[None]] = set()
"""The event loop itself keeps no task alive."""


class TlsConnection(asyncio.Protocol):
    """Until TLS is agreed on: then `connection` takes its place. It counts in the budget from the first byte."""

    def __init__(self, connection: Connection, tls: TlsFiles, budget: ConnectionBudget) -> None:
        self._connection = connection
        self._tls = tls
        self._budget = budget
        self._early = bytearray()
        self._is_counted = False
        self._is_lost = False

    @property
    def is_answering(self) -> bool:
        return False

    def abort(self) -> None:
        self._transport.abort()
        self._task.cancel()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        address = get_remote_addr(transport)
        self._address = address[0] if address else ""
        self._is_admitted = self._budget.admit(self, self._address)
        self._is_counted = True
        # Now, and not in the next turn of the loop: by then, uvloop may have read the first bytes, which are for TLS.
        negotiation = _begin(self._negotiate())
        self._task = self._connection.loop.create_task(negotiation, name="tls")
        _negotiations.add(self._task)
        self._task.add_done_callback(self._end)

    def data_received(self, data: bytes) -> None:
        """Of what was decrypted, before `connection` is in place: bytes that came with the end of the handshake."""
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True

    async def _negotiate(self) -> None:
        transport = await self._connection.loop.start_tls(
            self._transport,
            self,
            self._tls.context(),
            server_side=True,
            ssl_handshake_timeout=TLS_SECONDS if self._is_admitted else RESERVE_SECONDS,
            # As long as a client may go on sending what nobody reads.
            ssl_shutdown_timeout=LINGER_SECONDS,
        )
        if transport is None or self._is_lost or self._transport.is_closing():
            return
        # It is admitted anew, as a connection that can answer.
        self._release()
        transport.set_protocol(self._connection)
        self._connection.connection_made(transport)
        if self._early:
            self._connection.data_received(bytes(self._early))

    def _end(self, task: asyncio.Task[None]) -> None:
        _negotiations.discard(task)
        self._release()
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self._transport.abort()
        if not isinstance(error, OSError):
            raise error
        metrics.FAILED_TLS.inc()
        about = {"client": self._address, CAUSE: ("tls", self._address)}
        log.info("no TLS with a client: %s", _explain(error), extra=about)

    def _release(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self._budget.release(self, self._address, admitted=self._is_admitted)


def _begin(coroutine: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    """The rest of it, after all that it does before it waits for the first time."""
    return _continue(coroutine, coroutine.send(None))


async def _continue(coroutine: Coroutine[Any, Any, None], waited_for: Any) -> None:
    await _steps(coroutine, waited_for)


@types.coroutine
def _steps(coroutine: Coroutine[Any, Any, None], waited_for: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            try:
                result = yield waited_for
            except BaseException as error:
                waited_for = coroutine.throw(error)
            else:
                waited_for = coroutine.send(result)
        except StopIteration:
            return


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not TLS").replace("_", " ").lower()
    return str(error) or "it closed the connection, or took too long"
