"""The other replicas of this shim: found by name, known by the id that each of them made up when it started.

Who did not answer is left out until the next round finds it well, so a replica that hangs slows only the writes that
were waiting for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from anka_crds.process.background import Background
from anka_shim.cloud.peer import Peer, Silent
from anka_shim.rest import metrics

log = logging.getLogger(__name__)

ROUND_SECONDS = 5.0
"""How often names are resolved and all addresses asked who they are."""

HURRIED_SECONDS = 1.0
"""Least time between two rounds, when a replica that we don't know asks us something."""

Address = tuple[str, int]
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class Line(Protocol):
    """How a replica at an address is asked. Both methods raise Silent."""

    async def who(self, address: Address, asker: str) -> str:
        """Its id."""
        ...

    async def seen(self, address: Address, asker: str, kind: str, version: int) -> int:
        """Up to which version of this kind its clients see everything; waits a moment for `version`."""
        ...


async def resolve(host: str, port: int) -> Sequence[Address]:
    """All addresses of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(str(address[0]), int(address[1])) for *_, address in found]


class Peers(Background):
    """`entries` are names or addresses of replicas, this one perhaps among them. Nothing runs when there are none."""

    def __init__(self, entries: Sequence[Address], line: Line, *, resolve: Resolve = resolve, id_: str = "") -> None:
        self.id = id_ or uuid.uuid4().hex
        self._entries = entries
        self._line = line
        self._resolve = resolve
        self._addresses: dict[Address, Sequence[Address]] = {}
        self._living: dict[str, tuple[Address, Peer]] = {}
        self._troubles: dict[str, str] = {}
        self._hurry = asyncio.Event()
        self._looked = not entries
        metrics.PEERS.set_function(lambda: len(self._living))

    @property
    def task_name(self) -> str:
        return "peers"

    @property
    def living(self) -> Sequence[Peer]:
        return [peer for _, peer in self._living.values()]

    def not_looked(self) -> str | None:
        """None once all were asked once, else one line."""
        return None if self._looked else "the other replicas (--peers) were not asked yet"

    def greeted(self, id_: str) -> None:
        """A replica of this id has asked us something. One that we don't know yet is looked for soon."""
        if self._entries and id_ and id_ != self.id and id_ not in self._living:
            self._hurry.set()

    async def run(self) -> None:
        """Look for replicas until cancelled."""
        try:
            while self._entries:
                await self.round()
                self._looked = True
                await asyncio.sleep(HURRIED_SECONDS)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), ROUND_SECONDS - HURRIED_SECONDS)
                self._hurry.clear()
        finally:
            await asyncio.gather(*(peer.close() for peer in self.living))

    async def round(self) -> None:
        """Resolve all names and ask every address who it is."""
        addresses = {address: None for entry in self._entries for address in await self._resolved(entry)}
        answers = await asyncio.gather(*(self._who(address) for address in addresses))
        found: dict[str, Address] = {}
        for address, id_ in zip(addresses, answers, strict=True):
            if id_ and id_ != self.id:
                found.setdefault(id_, address)
        for id_ in [id_ for id_ in self._living if id_ not in found]:
            address, peer = self._living.pop(id_)
            log.info("a replica is gone", extra={"peer": _text(address)})
            await peer.close()
        for id_, address in found.items():
            if id_ not in self._living:
                self._living[id_] = (address, self._peer(id_, address))
                log.info("a replica answers: writes are told to it", extra={"peer": _text(address)})

    def _peer(self, id_: str, address: Address) -> Peer:
        async def ask(kind: str, version: int) -> int:
            return await self._line.seen(address, self.id, kind, version)

        def trouble(why: str) -> None:
            if self._living.pop(id_, None) is not None:
                metrics.PEER_MISSES.inc()
                # It may only have been slow for a moment.
                self._hurry.set()
                log.warning("a replica is left out for some seconds: %s", why, extra={"peer": _text(address)})

        return Peer(ask, trouble)

    async def _resolved(self, entry: Address) -> Sequence[Address]:
        try:
            self._addresses[entry] = await self._resolve(*entry)
        except OSError as error:
            # A name server that is away is no reason to forget who is there.
            self._once(_text(entry), f"cannot be resolved: {error.strerror or error}")
        else:
            self._troubles.pop(_text(entry), None)
        return self._addresses.get(entry, ())

    async def _who(self, address: Address) -> str | None:
        try:
            return await self._line.who(address, self.id)
        except Silent as error:
            log.debug("no replica: %s", error, extra={"peer": _text(address)})
            return None

    def _once(self, name: str, text: str) -> None:
        if self._troubles.get(name) != text:
            self._troubles[name] = text
            log.warning("--peers %s %s", name, text)


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
