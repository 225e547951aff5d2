"""Who has which MAC address: no two instances the same, none that rests, and none lost for good."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anka_crds.api import AnkaInstance, MACAddressPool
from anka_crds.rules.mac_addresses import AddressSet, format_address
from anka_scheduler.decide import decide
from anka_scheduler.explain import build_input
from anka_scheduler.mac_addresses import AddressAllocator, AddressLedger
from anka_scheduler.shape import to_shape
from support.objects import instance, mac_pool, node, template

BASE = 0x0200_0000_0000
REST = 100
A, B, C = (BASE + last for last in (1, 2, 3))


def ledger_of(*pools: MACAddressPool) -> AddressLedger:
    ledger = AddressLedger()
    ledger.set_pools(AddressSet(pools or [mac_pool(rest=REST)]), 0.0)
    return ledger


def bound(name: str, address: int, **status: Any) -> AnkaInstance:
    return instance(name, status={"nodeName": "mac-1", "macAddress": format_address(address), **status})


def wanting(name: str, address: int, age: float = 0) -> AnkaInstance:
    return instance(name, network={"macAddress": format_address(address)}, meta={"age": age})


def see(ledger: AddressLedger, one: AnkaInstance, now: float = 0.0) -> None:
    ledger.observe(one.metadata.uid, one, now)


def take(ledger: AddressLedger, name: str, chance: float = 0.0, now: float = 0.0) -> int | None:
    return AddressAllocator(ledger, chance, now).take(f"uid-{name}")


def test_without_pools_nothing_is_managed() -> None:
    assert not AddressLedger().is_managed
    assert ledger_of().is_managed


def test_the_next_free_one_from_a_place_that_chance_decides() -> None:
    ledger = ledger_of()
    allocator = AddressAllocator(ledger, 0.4, 0.0)
    assert [allocator.take(f"uid-{name}") for name in "abcd"] == [B, C, A, None]
    assert not allocator.has_one_for("uid-e")


def test_an_address_rests_after_its_instance() -> None:
    ledger = ledger_of(mac_pool("p", ("00:01", "00:01"), rest=REST))
    see(ledger, bound("a", A))
    assert (ledger.free, ledger.seconds_to_next(1.0)) == (0, None)
    ledger.observe("uid-a", None, 5.0)
    assert (ledger.free, ledger.seconds_to_next(15.0)) == (0, REST - 10)
    ledger.end_rests(5.0 + REST - 0.1)
    assert ledger.free == 0
    ledger.end_rests(5.0 + REST)
    assert (ledger.free, ledger.seconds_to_next(200.0)) == (1, None)


def test_a_bind_that_failed_costs_no_address() -> None:
    """The instance is still there, without a node: nobody used the address."""
    ledger = ledger_of()
    address = take(ledger, "a")
    assert ledger.holder(address or 0) == "uid-a"
    see(ledger, instance("a", displayName="x"))
    assert ledger.free == 2
    ledger.settle("uid-a", instance("a"), 1.0)
    assert ledger.free == 3


def test_one_that_was_deleted_during_its_bind_may_have_had_a_vm() -> None:
    ledger = ledger_of()
    take(ledger, "a")
    ledger.observe("uid-a", None, 1.0)
    assert ledger.free == 2
    ledger.settle("uid-a", None, 2.0)
    assert (ledger.free, ledger.seconds_to_next(2.0)) == (2, REST)


def test_a_bind_that_was_seen_needs_no_settling() -> None:
    ledger = ledger_of()
    address = take(ledger, "a") or 0
    see(ledger, bound("a", address))
    ledger.settle("uid-a", bound("a", address), 1.0)
    assert (ledger.free, ledger.holder(address)) == (2, "uid-a")


def test_an_instance_that_moves_leaves_its_address_behind() -> None:
    """The VM may still run on the Mac that is lost."""
    ledger = ledger_of()
    see(ledger, bound("a", A))
    see(ledger, instance("a"), 10.0)
    assert (ledger.free, ledger.holder(A)) == (2, None)
    assert take(ledger, "a", now=10.0) == B


def test_who_asks_for_a_taken_address_is_refused_until_it_is_not() -> None:
    ledger = ledger_of()
    see(ledger, bound("a", A))
    see(ledger, wanting("b", A))
    assert ledger.list_refused() == ["uid-b"]
    ledger.observe("uid-a", None, 1.0)
    # Who asks for it by name gets it without rest.
    assert not ledger.is_refused("uid-b")
    assert take(ledger, "b", now=1.0) == A


def test_of_two_that_ask_for_one_address_the_older_has_it() -> None:
    ledger = ledger_of()
    see(ledger, wanting("young", B))
    assert ledger.list_refused() == []
    see(ledger, wanting("old", B, age=60))
    assert ledger.list_refused() == ["uid-young"]
    assert take(ledger, "old") == B
    assert ledger.is_refused("uid-young")


def test_a_wish_beside_the_pools_is_kept_too() -> None:
    ledger, elsewhere = ledger_of(), 0x0E00_0000_0007
    see(ledger, wanting("a", elsewhere))
    assert (take(ledger, "a"), ledger.free) == (elsewhere, 3)
    see(ledger, wanting("b", elsewhere))
    assert ledger.is_refused("uid-b")


def test_a_wish_keeps_an_address_from_others() -> None:
    ledger = ledger_of()
    see(ledger, wanting("a", A))
    assert (ledger.free, take(ledger, "b")) == (2, B)


def test_a_wish_that_goes_does_not_end_a_rest() -> None:
    ledger = ledger_of()
    see(ledger, bound("a", A))
    ledger.observe("uid-a", None, 0.0)
    see(ledger, wanting("b", A), 1.0)
    ledger.observe("uid-b", None, 2.0)
    assert ledger.free == 2
    ledger.end_rests(REST)
    assert ledger.free == 3


def test_changed_pools_count_at_once() -> None:
    ledger = ledger_of()
    see(ledger, bound("a", A))
    ledger.observe("uid-a", None, 0.0)
    see(ledger, bound("b", B))
    ledger.set_pools(AddressSet([mac_pool("p", ("00:01", "00:09"), rest=10)]), 5.0)
    assert (ledger.free, ledger.seconds_to_next(5.0)) == (7, 5.0)
    ledger.set_pools(AddressSet([mac_pool("p", ("00:05", "00:09"))]), 6.0)
    assert (ledger.free, ledger.seconds_to_next(6.0)) == (5, None)
    ledger.set_pools(AddressSet(), 7.0)
    assert not ledger.is_managed


def test_numbers_of_a_pool() -> None:
    ledger = ledger_of(mac_pool("p", ("00:01", "00:09"), rest=REST))
    see(ledger, bound("a", A))
    see(ledger, bound("b", B))
    ledger.observe("uid-a", None, 0.0)
    assert ledger.count(AddressSet([mac_pool()])) == (1, 1, 1)
    assert ledger.count(AddressSet([mac_pool("q", ("00:05", "00:06"))])) == (2, 0, 0)


@given(st.sets(st.integers(0, 29)), st.floats(0, 1, exclude_max=True))
def test_all_free_ones_are_given_once_and_no_other(taken: set[int], chance: float) -> None:
    ledger = ledger_of(mac_pool("p", ("00:00", "00:1D")))
    for last in taken:
        see(ledger, bound(f"t{last}", BASE + last))
    allocator = AddressAllocator(ledger, chance, 0.0)
    given_out = [allocator.take(f"uid-n{number}") for number in range(30 - len(taken))]
    assert allocator.take("uid-more") is None
    assert {BASE + last for last in taken} | set(given_out) == {BASE + last for last in range(30)}


class Addresses(RuleBasedStateMachine):
    """Instances come, are bound, fail, move and go, and pools change, beside a plain model of who may have what."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = AddressLedger()
        self.now = 0.0
        self.size = 0
        self.used: dict[str, int] = {}
        self.binding: dict[str, int] = {}
        self.ended: dict[int, float] = {}
        self.count = 0

    @rule(size=st.integers(0, 5))
    def change_pools(self, size: int) -> None:
        self.size = size
        pools = [mac_pool("p", ("00:01", f"00:{size:02X}"), rest=REST)] if size else []
        self.ledger.set_pools(AddressSet(pools), self.now)
        self.ended = {address: at for address, at in self.ended.items() if address <= BASE + size}

    @rule(seconds=st.integers(1, REST))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.ledger.end_rests(self.now)
        self.ended = {address: at for address, at in self.ended.items() if self.now < at + REST}

    @precondition(lambda self: self.ledger.is_managed)
    @rule(chance=st.floats(0, 1, exclude_max=True))
    def bind(self, chance: float) -> None:
        self.count += 1
        name = f"i{self.count}"
        see(self.ledger, instance(name), self.now)
        address = take(self.ledger, name, chance, self.now)
        busy = {*self.used.values(), *self.binding.values(), *self.ended}
        free = {BASE + last for last in range(1, self.size + 1)} - busy
        assert (address in free) if free else (address is None)
        if address is not None:
            self.binding[name] = address

    @precondition(lambda self: self.binding)
    @rule(data=st.data(), end=st.sampled_from(["bound", "failed", "gone"]))
    def settle(self, data: st.DataObject, end: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.binding)))
        address = self.binding.pop(name)
        outcome = {"bound": bound(name, address), "failed": instance(name), "gone": None}[end]
        if end == "bound" and data.draw(st.booleans()):
            see(self.ledger, bound(name, address), self.now)
        self.ledger.settle(f"uid-{name}", outcome, self.now)
        if end == "bound":
            self.used[name] = address
        elif end == "gone":
            self._end(address)

    @precondition(lambda self: self.used)
    @rule(data=st.data(), moves=st.booleans())
    def leave(self, data: st.DataObject, moves: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.used)))
        address = self.used.pop(name)
        self.ledger.observe(f"uid-{name}", instance(name) if moves else None, self.now)
        self._end(address)

    def _end(self, address: int) -> None:
        if address <= BASE + self.size:
            self.ended[address] = self.now

    @invariant()
    def numbers_agree(self) -> None:
        busy = {*self.used.values(), *self.binding.values(), *self.ended}
        assert self.ledger.free == sum(1 for last in range(1, self.size + 1) if BASE + last not in busy)
        for name, address in {**self.used, **self.binding}.items():
            assert self.ledger.holder(address) == f"uid-{name}"


Addresses.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAddresses = Addresses.TestCase


WISHES = st.one_of(st.none(), st.integers(1, 8))


@given(
    st.lists(WISHES, max_size=14), st.lists(st.integers(1, 8), unique=True, max_size=4), st.integers(0, 8),
    st.integers(0, 6), st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_a_round_gives_each_instance_one_address_or_says_what_it_lacks(
    wishes: list[int | None], running: list[int], size: int, slots: int, chance: float
) -> None:
    waiting = [
        instance(f"w{number}", meta={"age": -number})
        if wish is None
        else instance(f"w{number}", meta={"age": -number}, network={"macAddress": format_address(BASE + wish)})
        for number, wish in enumerate(wishes)
    ]
    there = [bound(f"r{last}", BASE + last) for last in running]
    ledger = ledger_of(*([mac_pool("p", ("00:01", f"00:{size:02X}"))] if size else [mac_pool("p", ("01:00", "01:00"))]))
    for one in (*waiting, *there):
        see(ledger, one)
    seen = build_input(nodes=[node(slots=slots + len(there))], templates=[template()], instances=[*waiting, *there])
    refused = set(ledger.list_refused())
    result = decide(seen.snapshot, seen.queue, seen.ledger, addresses=AddressAllocator(ledger, chance, 0.0))
    given_out = {one.uid: one.mac_address for one in result.bindings}
    assert None not in given_out.values()
    assert len(set(given_out.values()) | {BASE + last for last in running}) == len(given_out) + len(running)
    assert not refused & given_out.keys()
    wished = {one.metadata.uid: BASE + wish for one, wish in zip(waiting, wishes, strict=True) if wish is not None}
    assert all(given_out[uid] == address for uid, address in wished.items() if uid in given_out)
    left = {one.metadata.uid for one in waiting} - given_out.keys() - refused
    for one in waiting:
        if one.metadata.uid in left:
            why = result.unscheduled[to_shape(one)]
            if why.reason == "NoMacAddress":
                assert ledger.free == 0
                assert one.metadata.uid not in wished
            else:
                assert (why.reason, len(given_out)) == ("Unschedulable", slots)
