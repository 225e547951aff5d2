"""MAC addresses as numbers of 48 bits: a range is two of them, however many addresses lie between. Pure."""

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.mac_pool import MACAddressPool
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import VM_DELETED

_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_BLOCK_BITS = 40
"""Addresses with the same first byte: all of them are of groups, or none."""


def parse_address(text: str | None) -> int | None:
    """None for what is no MAC address: a status may hold anything that `anka` said."""
    return int(text.replace(":", ""), 16) if text is not None and _ADDRESS.fullmatch(text) else None


def format_address(address: int) -> str:
    return address.to_bytes(6, "big").hex(":").upper()


def is_local(address: int) -> bool:
    """Whether it is locally administered: no manufacturer gives it to a network card."""
    return bool(address >> _BLOCK_BITS & 0b10)


class AddressSpan(NamedTuple):
    """Addresses from `first` to `last`, both included, none of a group, that rest equally long."""

    first: int
    last: int
    rest_seconds: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class AddressSet:
    """All addresses of some pools, each once, in order. An address of several pools rests as long as the strictest of
    them says."""

    def __init__(self, pools: Iterable[MACAddressPool] = ()) -> None:
        self.spans = _to_spans(pools)
        self._firsts = [span.first for span in self.spans]
        self._before = [0]
        """Number of addresses before each span, and of all."""
        for span in self.spans:
            self._before.append(self._before[-1] + span.size)

    def __len__(self) -> int:
        return self._before[-1]

    def __contains__(self, address: int) -> bool:
        return self.rest_of(address) is not None

    def rest_of(self, address: int) -> int | None:
        """Seconds that the address rests; None if it is not in here."""
        place = bisect.bisect_right(self._firsts, address) - 1
        if place < 0 or address > self.spans[place].last:
            return None
        return self.spans[place].rest_seconds

    def above(self, address: int) -> Iterator[int]:
        """All greater ones, in order."""
        for span in self.spans[max(0, bisect.bisect_right(self._firsts, address) - 1) :]:
            yield from range(max(span.first, address + 1), span.last + 1)

    def circle(self, start: int) -> Iterator[int]:
        """All of them once, beginning with number `start`, which may be any number."""
        if not self.spans:
            return
        start %= len(self)
        place = bisect.bisect_right(self._before, start) - 1
        begin = self.spans[place].first + start - self._before[place]
        yield from self.above(begin - 1)
        for span in self.spans[: place + 1]:
            yield from range(span.first, min(span.last + 1, begin))


def _to_spans(pools: Iterable[MACAddressPool]) -> tuple[AddressSpan, ...]:
    changes: dict[int, Counter[int]] = {}
    for pool in pools:
        seconds = pool.spec.reuse_after_seconds
        for one in pool.spec.ranges:
            for first, last in _unicast_parts(parse_address(one.first), parse_address(one.last)):
                changes.setdefault(first, Counter())[seconds] += 1
                changes.setdefault(last + 1, Counter())[seconds] -= 1
    spans: list[AddressSpan] = []
    rests = Counter[int]()
    for begin, end in pairwise(sorted(changes)):
        rests.update(changes[begin])
        rest = max((rest for rest, count in rests.items() if count > 0), default=None)
        if rest is None:
            continue
        before = spans[-1] if spans else None
        if before is not None and (before.last + 1, before.rest_seconds) == (begin, rest):
            spans[-1] = before._replace(last=end - 1)
        else:
            spans.append(AddressSpan(begin, end - 1, rest))
    return tuple(spans)


def _unicast_parts(first: int | None, last: int | None) -> Iterator[tuple[int, int]]:
    """The parts of a range without addresses of groups (lowest bit of the first byte) and without zero, which stands
    for "none"."""
    if first is None or last is None:
        return
    for block in range(first >> _BLOCK_BITS, (last >> _BLOCK_BITS) + 1):
        begin, end = block << _BLOCK_BITS, (block + 1 << _BLOCK_BITS) - 1
        if not block & 1 and max(first, begin, 1) <= min(last, end):
            yield max(first, begin, 1), min(last, end)


def wanted_address(instance: AnkaInstance) -> int | None:
    """What the spec asks for."""
    network = instance.spec.network
    return None if network is None else parse_address(network.mac_address)


def list_used_addresses(instance: AnkaInstance) -> frozenset[int]:
    """The addresses that a bound instance has, or is about to have: usually one. They are its own until its VM is
    deleted, for a stopped VM can be started again."""
    status, vm = instance.status, instance.status.vm
    if status.node_name is None or status.phase is Phase.TERMINATED or (vm is not None and vm.status == VM_DELETED):
        return frozenset()
    known = (parse_address(status.mac_address), parse_address(vm.mac_address if vm is not None else None))
    found = frozenset(address for address in known if address is not None)
    wanted = wanted_address(instance)
    return found or (frozenset() if wanted is None else frozenset({wanted}))


def list_claimed_addresses(instance: AnkaInstance) -> frozenset[int]:
    """Those that no other instance may have: of one that waits for a node, the one that it asks for."""
    wanted = wanted_address(instance)
    if instance.status.node_name is not None or wanted is None:
        return list_used_addresses(instance)
    waits = instance.status.phase is Phase.SCHEDULING and instance.metadata.deletion_timestamp is None
    return frozenset({wanted}) if waits else frozenset()
