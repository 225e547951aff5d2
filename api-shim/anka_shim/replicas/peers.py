"""The other replicas of this shim: found by name, and identified by the id that each chose when it started.

One that did not answer is left out until the next round finds it well, so a replica that hangs slows only the writes
that were waiting for it.
"""

import asyncio
import contextlib
import logging
import socket
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from anka_runtime.addresses import join_host_port
from anka_runtime.background import Background
from anka_shim import metrics
from anka_shim.replicas.announcements import Announcements, UsedSecret
from anka_shim.replicas.peer import Peer, PeerError

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
"""Time between two rounds of resolving names and asking all addresses for their ids."""

MIN_ROUND_SECONDS = 1.0
"""Shortest time between two rounds, after an unknown replica has contacted us."""

Address = tuple[str, int]
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class PeerTransport(Protocol):
    """Requests to the replica at an address. All methods raise PeerError."""

    async def identify(self, address: Address, own_id: str) -> str:
        """Id of that replica."""

    async def read_version(self, address: Address, own_id: str, kind: str, version: int) -> int:
        """The version of this kind up to which its clients see everything; waits a moment for `version`."""

    async def tell_used(self, address: Address, own_id: str, secrets: Sequence[UsedSecret]) -> Collection[bytes]:
        """That these secrets are used; the nonces of those that it knew as used before."""


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(str(address[0]), int(address[1])) for *_, address in found]


@dataclass(frozen=True)
class Replica:
    """One that answers: what is asked of it, and what it is told."""

    address: Address
    peer: Peer
    announcements: Announcements

    async def close(self) -> None:
        await asyncio.gather(self.peer.close(), self.announcements.close())


class Peers(Background):
    """`entries` are names or addresses of replicas, this one perhaps among them. Nothing runs when there are none.

    `waiting`: how many of their requests wait for our watches at the moment."""

    def __init__(
        self, entries: Sequence[Address], transport: PeerTransport, *, resolve: Resolve = resolve, id_: str = ""
    ) -> None:
        self.id = id_ or uuid.uuid4().hex
        self.waiting = 0
        self._entries = entries
        self._transport = transport
        self._resolve = resolve
        self._addresses: dict[Address, Sequence[Address]] = {}
        self._connected: dict[str, Replica] = {}
        self._left_out: set[str] = set()
        """Since the last round began."""
        self._warnings: dict[str, str] = {}
        self._refresh_soon = asyncio.Event()
        self._complete = not entries
        metrics.PEERS.set_function(lambda: len(self._connected))

    @property
    def task_name(self) -> str:
        return "peers"

    @property
    def live(self) -> Sequence[Peer]:
        return [replica.peer for replica in self._connected.values()]

    @property
    def announcements(self) -> Sequence[Announcements]:
        """To each of those that answer."""
        return [replica.announcements for replica in self._connected.values()]

    def incomplete(self) -> str | None:
        """None once all addresses have been asked once, else what is missing, in one line."""
        return None if self._complete else "the other replicas (--peers) were not asked yet"

    def on_contact(self, id_: str) -> None:
        """A replica of this id has sent us a request. If it is unknown, the next round comes soon."""
        if self._entries and id_ and id_ != self.id and id_ not in self._connected:
            self._refresh_soon.set()

    async def run(self) -> None:
        """Look for replicas until cancelled."""
        try:
            while self._entries:
                await self.refresh()
                self._complete = True
                await asyncio.sleep(MIN_ROUND_SECONDS)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._refresh_soon.wait(), ROUND_SECONDS - MIN_ROUND_SECONDS)
                self._refresh_soon.clear()
        finally:
            await asyncio.gather(*(replica.close() for replica in self._connected.values()))

    async def refresh(self) -> None:
        """Resolve all names and ask every address for its id."""
        self._left_out.clear()
        addresses = {address: None for entry in self._entries for address in await self._addresses_of(entry)}
        answers = await asyncio.gather(*(self._identify(address) for address in addresses))
        found: dict[str, Address] = {}
        for address, id_ in zip(addresses, answers, strict=True):
            if id_ and id_ != self.id:
                found.setdefault(id_, address)
        for id_ in [id_ for id_ in self._connected if id_ not in found]:
            replica = self._connected.pop(id_)
            log.info("a replica is gone", extra={"peer": join_host_port(*replica.address)})
            await replica.close()
        for id_, address in found.items():
            # One that was well when this round began, and has failed since, is hung: the next round asks it again.
            if id_ not in self._connected and id_ not in self._left_out:
                self._connected[id_] = self._replica(id_, address)
                log.info("a replica answers: writes wait for it", extra={"peer": join_host_port(*address)})

    def _replica(self, id_: str, address: Address) -> Replica:
        async def ask(kind: str, version: int) -> int:
            return await self._transport.read_version(address, self.id, kind, version)

        def leave_out(why: str) -> None:
            if self._connected.pop(id_, None) is not None:
                metrics.PEER_MISSES.inc()
                self._left_out.add(id_)
                # It may only have been slow for a moment.
                self._refresh_soon.set()
                log.warning("a replica is left out for some seconds: %s", why, extra={"peer": join_host_port(*address)})

        async def tell(secrets: Sequence[UsedSecret]) -> Collection[bytes]:
            return await self._transport.tell_used(address, self.id, secrets)

        return Replica(address, Peer(ask, leave_out), Announcements(tell, leave_out))

    async def _addresses_of(self, entry: Address) -> Sequence[Address]:
        try:
            self._addresses[entry] = await self._resolve(*entry)
        except OSError as error:
            # An unreachable name server is no reason to forget the replicas.
            self._warn_once(join_host_port(*entry), f"cannot be resolved: {error.strerror or error}")
        else:
            self._warnings.pop(join_host_port(*entry), None)
        return self._addresses.get(entry, ())

    async def _identify(self, address: Address) -> str | None:
        try:
            return await self._transport.identify(address, self.id)
        except PeerError as error:
            log.debug("no replica: %s", error, extra={"peer": join_host_port(*address)})
            return None

    def _warn_once(self, name: str, text: str) -> None:
        if self._warnings.get(name) != text:
            self._warnings[name] = text
            log.warning("--peers %s %s", name, text)
