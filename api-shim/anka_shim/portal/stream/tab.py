"""One tab of a browser: what it is told from its opening to its end."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

from anka_shim import metrics
from anka_shim.failure import Failure
from anka_shim.http.websocket import WebSocket
from anka_shim.portal.session.visitor import Access, Evaluate
from anka_shim.portal.stream import messages
from anka_shim.portal.stream.feed import Change
from anka_shim.portal.stream.hub import FLUSH_SECONDS, StreamHub
from anka_shim.portal.stream.messages import NotUnderstood, Opening, parse_opening
from anka_shim.portal.visibility import EVERYTHING, Visibility

log = logging.getLogger(__name__)

OPENING_SECONDS = 10.0
RECHECK_SECONDS = 10.0
"""Longest time for which a right, or a login, that is gone still counts."""
MOST_UNSENT_MESSAGES = 8
MOST_UNSENT_BYTES = 1_048_576
_YIELD_ROWS = 200

_MESSAGES = {
    "session": "your login has ended",
    "slow": "this connection is too slow for what it is sent",
    "stopping": "this replica stops: another one takes over",
    "limit": "too many tabs have the portal open",
}


class Ended(Exception):
    """The stream is over, with the word for the browser."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message or _MESSAGES[reason]


class Tab:
    """A WebSocketListener. `on_end`: called once, when it is over. `about`: for hello."""

    def __init__(
        self, hub: StreamHub, evaluate: Evaluate, about: Mapping[str, str], on_end: Callable[[], None], *, is_full: bool
    ) -> None:
        self._hub = hub
        self._evaluate = evaluate
        self._about = about
        self._on_end = on_end
        self._is_full = is_full
        self._opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._unsent = 0
        self._reason = "closed"
        self._wanted: tuple[str, ...] = ()
        self.kinds: tuple[str, ...] = ()
        self.visibility: Visibility = EVERYTHING

    # --- of the WebSocket ---

    def on_open(self, opened: WebSocket) -> None:
        self._socket = opened
        self._task = asyncio.create_task(self._run(), name="portal tab")

    def on_text(self, text: str) -> None:
        if self._opening.done():
            self._end(Ended("limit", "there is one message only from a browser: its first"))
        else:
            self._opening.set_result(text)

    def on_shutdown(self) -> None:
        self._end(Ended("stopping"))

    def on_lost(self) -> None:
        self._task.cancel()
        self._hub.leave(self)
        metrics.PORTAL_ENDS.labels(self._reason).inc()
        self._on_end()

    # --- of the hub ---

    def deliver(self, message: bytes) -> None:
        """A browser that does not take what it is sent is told to come back: it gets all at once then."""
        self._unsent = self._unsent + 1 if self._socket.is_congested else 0
        if self._unsent > MOST_UNSENT_MESSAGES or self._socket.unsent_bytes > MOST_UNSENT_BYTES:
            self._end(Ended("slow"))
        else:
            self._socket.send(message)

    # --- inside ---

    async def _run(self) -> None:
        try:
            if self._is_full:
                raise Ended("limit")
            opening = await self._read_opening()
            access = await self._evaluate()
            self._wanted = opening.kinds
            await self._begin(access, opening)
            while True:
                await asyncio.sleep(RECHECK_SECONDS)
                access = await self._recheck(access)
        except Ended as ended:
            self._end(ended)
        except Failure as failure:
            self._end(Ended("session" if failure.code == 401 else "stopping", failure.message))
        except Exception:
            log.exception("a stream of the portal failed: a bug in the API shim")
            self._end(Ended("stopping", "internal error: see the log of the API shim"))

    async def _read_opening(self) -> Opening:
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                return parse_opening(await self._opening)
        except TimeoutError:
            raise Ended("limit", f"the first message did not come within {OPENING_SECONDS:g} s") from None
        except NotUnderstood as error:
            raise Ended("limit", str(error)) from None

    async def _recheck(self, access: Access) -> Access:
        try:
            found = await self._evaluate()
        except Failure as failure:
            if failure.code == 401:
                raise
            # Nobody can say now: what was right a moment ago counts, as for requests whose verdict is kept.
            return access
        if found != access:
            self._hub.live.discard(self)
            await self._begin(found, Opening(self._wanted))
        return found

    async def _begin(self, access: Access, opening: Opening) -> None:
        """All lists, then a place among those who get their changes. Who does not see all gets whole lists: something
        may have been hidden from them since."""
        self.kinds = tuple(kind for kind in opening.kinds if kind in access.kinds and kind in self._hub.feeds)
        self.visibility = access.visibility
        denied = {kind: right for kind, right in access.denied.items() if kind in opening.kinds}
        about = {**self._about, "time": self._hub.now()}
        self._socket.send(messages.hello(about, access.session, self.kinds, denied))
        versions: dict[str, str] = {}
        for kind in self.kinds:
            await self._wait_until_ready(kind)
            versions[kind] = await self._send_list(
                kind, opening.since.get(kind) if self.visibility is EVERYTHING else None
            )
        self._catch_up(versions)
        stale = self._hub.stale()
        self._socket.send(messages.ping(self._hub.now(), stale))
        self._hub.live.add(self)
        self._hub.wake()

    async def _wait_until_ready(self, kind: str) -> None:
        feed = self._hub.feeds[kind]
        while not feed.is_ready:
            feed.flush()
            if not feed.is_ready:
                await asyncio.sleep(FLUSH_SECONDS)

    async def _send_list(self, kind: str, since: str | None) -> str:
        """Its version. What changes meanwhile is caught up with."""
        feed = self._hub.feeds[kind]
        version = feed.version
        missed = feed.since(since) if since is not None else None
        if missed is not None:
            metrics.PORTAL_BEGINNINGS.labels("resume").inc()
            self._send_changes({kind: Change(version, missed)})
        else:
            metrics.PORTAL_BEGINNINGS.labels("snapshot").inc()
            await self._socket.send_parts(messages.snapshot(kind, version, await self._rows(kind)))
        await self._socket.drain()
        return version

    async def _rows(self, kind: str) -> Iterator[bytes]:
        feed, shows = self._hub.feeds[kind], self.visibility.shows
        rows = []
        for number, id_ in enumerate(feed.ids()):
            if number % _YIELD_ROWS == _YIELD_ROWS - 1:
                await asyncio.sleep(0)
            row = feed.row(id_) if shows(kind, id_) else None
            if row is not None:
                rows.append(row)
        return iter(rows)

    def _catch_up(self, versions: Mapping[str, str]) -> None:
        changes = {}
        for kind, version in versions.items():
            feed = self._hub.feeds[kind]
            if feed.version == version and not feed.sources:
                continue
            missed = feed.since(version)
            # More than is remembered has changed while the lists were sent: whoever is so slow begins again.
            if missed is None and feed.sources:
                raise Ended("slow")
            if missed:
                changes[kind] = Change(feed.version, missed)
        if changes:
            self._send_changes(changes)

    def _send_changes(self, changes: Mapping[str, Change]) -> None:
        fragments = {kind: self._hub.fragment(kind, change, self.visibility) for kind, change in changes.items()}
        self._socket.send(messages.delta(fragments))

    def _end(self, ended: Ended) -> None:
        if self._socket.is_open:
            self._reason = ended.reason
            self._hub.live.discard(self)
            self._socket.send(messages.end(ended.reason, ended.message))
            # In the close frame as well: within a list, no other message can be sent.
            self._socket.close(reason=ended.reason)
