"""Which MAC addresses instances have, which rest after their instance, and which one the next instance gets.

Times are seconds of one monotonic clock, whichever; chance is an argument, too.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_crds.rules.mac_addresses import AddressSet, list_claimed_addresses

_EPOCH = datetime.fromtimestamp(0, UTC)


class ClaimStrength(IntEnum):
    """How firmly an instance has an address. Of two that claim the same one, the lower one has it."""

    USED = 0
    """It is bound: there may be a VM with this address."""
    ASSUMED = 1
    """Its bind is being written."""
    WANTED = 2
    """Its spec asks for it, and it waits for a node."""


class AddressClaim(NamedTuple):
    """The order of the fields decides who has an address that several claim: among equals, the oldest."""

    strength: ClaimStrength
    created: datetime
    uid: str
    addresses: frozenset[int]


def to_address_claim(instance: AnkaInstance) -> AddressClaim | None:
    addresses = list_claimed_addresses(instance)
    if not addresses:
        return None
    strength = ClaimStrength.WANTED if instance.status.node_name is None else ClaimStrength.USED
    metadata = instance.metadata
    return AddressClaim(strength, metadata.creation_timestamp or _EPOCH, metadata.uid, addresses)


class AddressLedger:
    """Who has which address. Follows every change of instances and pools; each costs constant time."""

    def __init__(self) -> None:
        self._pools = AddressSet()
        self._claims: dict[str, AddressClaim] = {}
        self._by_address: dict[int, dict[str, AddressClaim]] = {}
        self._wanting: set[str] = set()
        """Instances of strength WANTED."""
        self._ended: dict[int, float] = {}
        """When the last user of each resting address ended."""
        self._rests: list[tuple[float, int]] = []
        """Heap of (end of the rest, address). An address that was taken meanwhile may still be in it."""
        self._blocked: set[int] = set()
        """Addresses of the pools that nobody gets now."""

    # --- what is known ---

    @property
    def is_managed(self) -> bool:
        """Whether instances get addresses: there is a pool."""
        return len(self._pools) > 0

    @property
    def free(self) -> int:
        """Number of addresses that an instance could get."""
        return len(self._pools) - len(self._blocked)

    def holder(self, address: int) -> str | None:
        """Uid of the instance that has the address."""
        claims = self._by_address.get(address)
        return min(claims.values()).uid if claims else None

    def is_refused(self, uid: str) -> bool:
        """Whether the instance waits and asks for an address that another one has."""
        return uid in self._wanting and any(self.holder(one) != uid for one in self._claims[uid].addresses)

    def list_refused(self) -> list[str]:
        return [uid for uid in self._wanting if self.is_refused(uid)]

    @property
    def has_wishes(self) -> bool:
        """Whether any instance that waits asks for an address."""
        return bool(self._wanting)

    def wish(self, uid: str) -> int | None:
        """The address that the instance asks for, while it waits."""
        return next(iter(self._claims[uid].addresses)) if uid in self._wanting else None

    def count(self, pools: AddressSet) -> tuple[int, int, int]:
        """Of these addresses: how many are free, used or claimed, and at rest."""
        used = sum(1 for address in self._by_address if address in pools)
        resting = sum(1 for address in self._ended if address in pools and address not in self._by_address)
        return len(pools) - used - resting, used, resting

    def seconds_to_next(self, now: float) -> float | None:
        """Until an address has rested enough; None if none rests."""
        return max(0.0, self._rests[0][0] - now) if self._rests else None

    # --- what happens ---

    def set_pools(self, pools: AddressSet, now: float) -> None:
        """The pools are these from now on. Addresses keep their users; those that left the pools rest no more."""
        self._pools = pools
        self._ended = {address: at for address, at in self._ended.items() if address in pools}
        self._rests = [(at + (pools.rest_of(address) or 0), address) for address, at in self._ended.items()]
        heapq.heapify(self._rests)
        self._blocked = {address for address in self._by_address if address in pools} | set(self._ended)
        self.end_rests(now)

    def observe(self, uid: str, instance: AnkaInstance | None, now: float) -> None:
        """The instance is as given; None: it is gone. While its bind is being written, only the bind itself counts."""
        known = self._claims.get(uid)
        assumed = known is not None and known.strength is ClaimStrength.ASSUMED
        if not assumed or (instance is not None and instance.status.node_name is not None):
            self._record(uid, None if instance is None else to_address_claim(instance), now)

    def assume(self, uid: str, addresses: Iterable[int], now: float) -> None:
        """The instance is about to be bound with these."""
        known = self._claims.get(uid)
        created = _EPOCH if known is None else known.created
        self._record(uid, AddressClaim(ClaimStrength.ASSUMED, created, uid, frozenset(addresses)), now)

    def settle(self, uid: str, instance: AnkaInstance | None, now: float) -> None:
        """The bind is over, and this is what became of the instance. One that is gone may have had its VM: its address
        rests. One that is not bound had none."""
        known = self._claims.get(uid)
        if known is None or known.strength is not ClaimStrength.ASSUMED:
            return
        if instance is None:
            self._record(uid, known._replace(strength=ClaimStrength.USED), now)
        self._record(uid, None if instance is None else to_address_claim(instance), now)

    def end_rests(self, now: float) -> None:
        """Addresses that have rested enough are free again."""
        while self._rests and self._rests[0][0] <= now:
            end, address = heapq.heappop(self._rests)
            at = self._ended.get(address)
            if at is not None and at + (self._pools.rest_of(address) or 0) <= end:
                del self._ended[address]
                if address not in self._by_address:
                    self._blocked.discard(address)

    def _record(self, uid: str, claim: AddressClaim | None, now: float) -> None:
        before = self._claims.get(uid)
        if before == claim:
            return
        if before is not None:
            del self._claims[uid]
            self._wanting.discard(uid)
            for address in before.addresses:
                del self._by_address[address][uid]
        if claim is not None:
            self._claims[uid] = claim
            if claim.strength is ClaimStrength.WANTED:
                self._wanting.add(uid)
            for address in claim.addresses:
                self._by_address.setdefault(address, {})[uid] = claim
                if claim.strength is ClaimStrength.USED:
                    self._ended.pop(address, None)
                if address in self._pools:
                    self._blocked.add(address)
        if before is not None:
            for address in before.addresses:
                if not self._by_address[address]:
                    del self._by_address[address]
                    self._release(address, now, rests=before.strength is ClaimStrength.USED)

    def _release(self, address: int, now: float, *, rests: bool) -> None:
        seconds = self._pools.rest_of(address)
        if seconds is None:
            return
        if rests and seconds:
            self._ended[address] = now
            heapq.heappush(self._rests, (now + seconds, address))
        elif address not in self._ended:
            self._blocked.discard(address)

    # --- the next one ---

    def list_free(self, chance: float) -> Iterator[int]:
        """The free addresses of the pools, from a place on that `chance`, in [0, 1), decides. While they are listed,
        addresses may be claimed."""
        start = int(chance * len(self._pools))
        return (address for address in self._pools.circle(start) if address not in self._blocked)


class AddressAllocator:
    """The addresses of one round of scheduling. `chance`: where the search for free ones begins; then it is the next
    free one for each instance."""

    def __init__(self, ledger: AddressLedger, chance: float, now: float) -> None:
        self._ledger = ledger
        self._free = ledger.list_free(chance)
        self._now = now

    def is_refused(self, uid: str) -> bool:
        """Whether the instance asks for an address that another one has: it never runs."""
        return self._ledger.is_refused(uid)

    def has_one_for(self, uid: str) -> bool:
        return self._ledger.wish(uid) is not None or self._ledger.free > 0

    def take(self, uid: str) -> int | None:
        """The address of an instance that is being bound, recorded as its own. None if there is none."""
        wanted = self._ledger.wish(uid)
        address = next(self._free, None) if wanted is None else wanted
        if address is not None:
            self._ledger.assume(uid, (address,), self._now)
        return address
