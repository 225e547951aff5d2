"""Who is a replica, who is this one, and who is left out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

import pytest

from anka_shim.replicas.announcements import UsedSecret
from anka_shim.replicas.peer import PeerError
from anka_shim.replicas.peers import Address, Peers

ONE, TWO, THREE = ("10.0.0.1", 8090), ("10.0.0.2", 8090), ("10.0.0.3", 8090)


class Network:
    """Names with addresses, and who answers at them."""

    def __init__(self) -> None:
        self.names: dict[str, list[Address] | OSError] = {"shims": [ONE, TWO, THREE]}
        self.ids = {ONE: "me", TWO: "two", THREE: "three"}
        self.seen_at: dict[Address, int] = {}
        self.used_at: dict[Address, set[bytes]] = {}
        self.rounds = asyncio.Event()
        self.gates: dict[Address, asyncio.Event] = {}
        """Who answers only then."""
        self.held = asyncio.Event()
        """Set by a question to one of them."""

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.rounds.set()
        found = self.names[host]
        if isinstance(found, OSError):
            raise found
        return found

    async def identify(self, address: Address, asker: str) -> str:
        assert asker == "me"
        if address in self.gates:
            self.held.set()
            await self.gates[address].wait()
        if address not in self.ids:
            raise PeerError("no answer")
        return self.ids[address]

    async def read_version(self, address: Address, asker: str, kind: str, version: int) -> int:
        if address not in self.seen_at:
            raise PeerError("no answer within 0.3 s")
        return self.seen_at[address]

    async def tell_used(self, address: Address, asker: str, secrets: Sequence[UsedSecret]) -> Collection[bytes]:
        if address not in self.used_at:
            raise PeerError("no answer within 0.3 s")
        return {secret.nonce for secret in secrets} & self.used_at[address]

    def peers(self, *entries: Address) -> Peers:
        return Peers(entries or [("shims", 8090)], self, resolve=self.resolve, id_="me")


async def test_all_but_this_one_by_whatever_address() -> None:
    network = Network()
    network.names["six"] = [("fd00::2", 8090)]
    network.ids["fd00::2", 8090] = "two"
    peers = network.peers(("shims", 8090), ("six", 8090))
    assert peers.incomplete() is not None
    await peers.refresh()
    assert len(peers.live) == 2


async def test_the_number_follows_the_name() -> None:
    network = Network()
    peers = network.peers()
    await peers.refresh()
    del network.ids[TWO]
    await peers.refresh()
    assert len(peers.live) == 1
    network.names["shims"] = [ONE]
    await peers.refresh()
    assert not peers.live
    # Another process at the old address is another replica.
    network.names["shims"] = [ONE, THREE]
    network.ids[THREE] = "four"
    await peers.refresh()
    (four,) = peers.live
    network.seen_at[THREE] = 7
    assert await four.wait_for("ankanodes", 7, 60)


async def test_a_name_server_that_is_away_changes_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    network = Network()
    peers = network.peers()
    await peers.refresh()
    network.names["shims"] = OSError(-3, "Temporary failure in name resolution")
    with caplog.at_level(logging.WARNING):
        await peers.refresh()
        await peers.refresh()
    assert len(peers.live) == 2
    assert [record.message for record in caplog.records] == [
        "--peers shims:8090 cannot be resolved: Temporary failure in name resolution"
    ]


async def test_who_is_silent_is_left_out_until_a_round_finds_it_well(caplog: pytest.LogCaptureFixture) -> None:
    network = Network()
    network.seen_at[TWO] = 9
    peers = network.peers()
    await peers.refresh()
    with caplog.at_level(logging.WARNING):
        answers = await asyncio.gather(*(peer.wait_for("ankainstances", 9, 60) for peer in peers.live))
    assert sorted(answers) == [False, True]
    assert [record.message for record in caplog.records] == [
        "a replica is left out for some seconds: no answer within 0.3 s"
    ]
    assert len(peers.live) == 1
    await peers.refresh()
    assert len(peers.live) == 2


async def test_who_hangs_after_it_was_asked_is_left_out_although_the_round_found_it_well() -> None:
    """The round waits for another one, which is dead, and ends later than the write that found out."""
    network = Network()
    peers = network.peers()
    await peers.refresh()
    network.gates[THREE] = asyncio.Event()
    network.seen_at[THREE] = 9
    two = peers.live[0]
    round_ = asyncio.create_task(peers.refresh())
    await network.held.wait()
    assert not await two.wait_for("ankainstances", 9, 5)
    network.gates[THREE].set()
    await round_
    assert len(peers.live) == 1
    await peers.refresh()
    assert len(peers.live) == 2


async def test_a_new_replica_that_asks_is_looked_for_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anka_shim.replicas.peers.MIN_ROUND_SECONDS", 0.0)
    monkeypatch.setattr("anka_shim.replicas.peers.ROUND_SECONDS", 3600.0)
    network = Network()
    network.names["shims"] = [ONE]
    async with network.peers() as peers:
        await asyncio.wait_for(network.rounds.wait(), 60)
        while peers.incomplete():  # noqa: ASYNC110 - nothing tells a test of it
            await asyncio.sleep(0)
        network.names["shims"] = [ONE, TWO]
        network.rounds.clear()
        for known in ("me", ""):
            peers.on_contact(known)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not network.rounds.is_set()
        peers.on_contact("two")
        await asyncio.wait_for(network.rounds.wait(), 60)
        async with asyncio.timeout(60):
            while not peers.live:  # noqa: ASYNC110 - nothing tells a test of it
                await asyncio.sleep(0)


async def test_without_entries_nothing_runs() -> None:
    async with Peers([], Network(), resolve=Network().resolve) as peers:
        assert peers.incomplete() is None
        peers.on_contact("somebody")
        assert not peers.live
        assert len(peers.id) == 32


async def test_who_is_not_told_is_left_out_as_who_is_not_asked() -> None:
    network = Network()
    network.used_at[TWO] = {b"known"}
    peers = network.peers()
    await peers.refresh()
    two, three = peers.announcements
    assert await two.tell(UsedSecret(b"known", 1), 60)
    assert not await two.tell(UsedSecret(b"new", 1), 60)
    assert not await three.tell(UsedSecret(b"known", 1), 60)
    assert peers.announcements == [two]
    assert len(peers.live) == 1
    await peers.refresh()
    assert len(peers.announcements) == 2
